"""Requirements files of pip: each line an entry.

Source: pip's documentation, "Requirements File Format".
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from samebytes.errors import ConfigError, UsageError

from . import listed
from .listed import ListedRelease
from .selection import Selection

_COMMENT = re.compile(r"(^|(?<=\s))#.*$")
# All that follows is the path: one that is not there is an error, and a line that is passed over would not be.
_NESTED = re.compile(r"""(?:-r\s*|--requirement(?:\s+|=))(["']?)(.+)\1""")
_INDEX = re.compile(r"""(?:-i\s*|--index-url(?:\s+|=)|--pypi-url(?:\s+|=))(["']?)(\S+)\1""")
_EDITABLE = re.compile(r"(?:-e\s*|--editable(?:\s+|=))(.+)")
# Whatever the digest is: a hash that is misspelt is not none.
_HASH = re.compile(r"""--hash(?:=|\s+)["']?([A-Za-z0-9]+):([^\s"']*)""")
_OPTION = re.compile(r"(?<!\s)\s+--?[a-z]")
_VCS = re.compile(r"(git|hg|svn|bzr)\+")
_CREDENTIALS = re.compile(r"//[^/\s]*@")
_LARGEST = 16 << 20
"""Bytes of a file."""


def read(path: Path, environment: Mapping[str, str]) -> list[ListedRelease]:
    """Return the entries of the requirements file *path* and of those that it names by ``-r``.

    Of the options for pip, only the index counts, and constraints count for nothing.

    :param environment: what markers find other than in this interpreter.
    :raises ConfigError: if a file cannot be read.
    """
    found: list[ListedRelease] = []
    files, seen, address = [path], {os.path.realpath(path)}, ""
    for file in files:
        for line in _lines(file):
            nested, index = _NESTED.fullmatch(line), _INDEX.fullmatch(line)
            address = index[2] if index else address
            if nested:
                # A file may name itself, or be named twice.
                further = os.path.realpath(file.parent / nested[2].replace("\0", ""))
                files += [file.parent / nested[2]] if further not in seen else []
                seen.add(further)
            elif not line.startswith("-"):
                found.append(_entry(line, environment))
            elif _EDITABLE.match(line):
                found.append(_editable(line))
    # As in pip, it holds for all lines, wherever it stands, and the last one wins.
    return [replace(one, index=address) for one in found]


def _lines(path: Path) -> Iterator[str]:
    try:
        # Not by its size, which a pipe or a device does not have.
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
        if len(data) > _LARGEST:
            raise ConfigError(f"{path} is too large for a requirements file", remedy="Name a requirements file.")
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}", remedy="Check the path.") from None
    except ValueError as error:  # a NUL in its name, too
        raise ConfigError(f"{path} cannot be read as UTF-8: {error}", remedy="Name a requirements file.") from None
    held = ""
    for line in [*text.splitlines(), ""]:
        is_comment = line.lstrip().startswith("#")
        # pip joins first, and a comment ends what is joined.
        if line.endswith("\\") and not is_comment:
            held += line.strip("\\")
            continue
        whole = _COMMENT.sub("", f"{held} {line}" if is_comment else held + line).strip()
        held = ""
        if whole:
            yield whole


def _editable(line: str) -> ListedRelease:
    found = _EDITABLE.fullmatch(line)
    where = found[1].strip() if found else ""
    found, where = re.search(r"[#&]egg=([\w.-]+)", where), _CREDENTIALS.sub("//", where)
    name = found[1] if found else where
    if _VCS.match(where):
        return listed.repository(found[1] if found else where.rpartition("/")[2], "", where)
    return listed.directory(name, "", where, editable=True)


def _entry(line: str, environment: Mapping[str, str]) -> ListedRelease:
    text = _OPTION.split(line, maxsplit=1)[0].strip()
    try:
        requirement = Requirement(text)
    except InvalidRequirement as malformed:
        return _by_place(text, malformed, listed.strong(_HASH.findall(line)))
    name, marker = requirement.name, str(requirement.marker or "")
    try:
        is_for_us = listed.applies(marker, environment)
    except ConfigError as error:  # such as python_version ~= 'three', which is of the right form
        return ListedRelease(name, error=error)
    if not is_for_us:
        return ListedRelease(name, skipped=listed.elsewhere(marker))
    hashes = listed.strong(_HASH.findall(line))
    if requirement.url:
        is_vcs = _VCS.match(requirement.url)
        url = requirement.url
        return listed.repository(name, "", url) if is_vcs else listed.address(name, "", url, hashes)
    pins = [one.version for one in requirement.specifier if one.operator in ("==", "===") and "*" not in one.version]
    if len(pins) != 1:
        return listed.unpinned(name, text)
    return ListedRelease(name, pins[0], Selection(hashes=hashes), notes=() if hashes else (listed.NO_HASH,))


def _by_place(text: str, error: InvalidRequirement, hashes: frozenset[str]) -> ListedRelease:
    """Return an entry that is no requirement (PEP 508): pip takes addresses and paths, too."""
    if _VCS.match(text):
        return listed.repository(listed.shown(text), "", text)
    if re.match(r"(https?|file):", text):
        return listed.address(listed.file_name(text) or listed.shown(text), "", text, hashes)
    text = _CREDENTIALS.sub("//", text)
    if re.match(r"\.|/|[\w.-]+/|.+\.(whl|gz|zip)$", text):
        return ListedRelease(
            text, error=UsageError("it is a path of this machine: no index published it", remedy="Name the file.")
        )
    return ListedRelease(
        text, error=ConfigError(f"it is not a requirement: {error}".splitlines()[0], remedy="Correct the line.")
    )
