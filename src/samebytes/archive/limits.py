"""What an archive must not do: the checks that zip and tar share.

Every reader refuses here, before anything is unpacked, what no honest build makes. Names are checked as they would be
on every platform at once: an archive that is harmless only on the machine that reads it is not harmless.
"""

from __future__ import annotations

import os
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Set
from functools import cache
from typing import Any, BinaryIO, NamedTuple

from ..errors import ConfigError, HostileArchiveError

VARIABLE = "SAMEBYTES_LIMITS"
"""The environment variable by which budgets are raised: ``metadata=64M,members=2000000``."""


class Budgets(NamedTuple):
    """What an archive may take; more is refused, for it costs everybody who reads it time and memory (D14).

    Each has, in its comment, the largest real value known, from PyPI's most downloaded and largest projects.
    """

    metadata: int = 4 << 20
    """Bytes of all METADATA, PKG-INFO, WHEEL, entry_points.txt and top_level.txt together (boto3-stubs: 160,699)."""
    metadata_lines: int = 1 << 14
    """Lines of all these together (boto3-stubs: 3,060)."""
    listings: int = 1 << 20
    """Bytes of all RECORD and SOURCES.txt together, beyond 1,024 for each member (homeassistant: 110 for each)."""
    listed: int = 1 << 14
    """Lines of all these together, beyond four for each member (one for each, in all that are known)."""
    sboms: int = 4 << 20
    """Bytes of all SBOMs together (uv: 794,165)."""
    sbom_values: int = 1 << 17
    """Commas, colons and opening braces in these (uv: 31,976)."""
    compiled: int = 1 << 20
    """Bytes of all compiled modules of a wheel, beyond three times its own size (modules alone: 2.3 times)."""
    compiled_sources: int = 2 << 20
    """Bytes of their sources, beyond four times its own size."""
    sources: int = 1 << 18
    """Bytes of what is compiled at its installation, beyond forty times its own size (azure-mgmt-web: 17.5 times)."""
    members: int = 1 << 18
    """Members, those that extend others not counted (homeassistant: 36,487)."""
    headers: int = 1 << 14
    """Headers of a tar, or one for each 64 bytes of the file if that is more (in sources each takes some hundreds)."""
    depth: int = 128
    """Components of a member's name (orbax-checkpoint: 16)."""
    names: int = 1 << 25
    """Bytes of all names and link targets of a tar (homeassistant: less than 4,001,169)."""
    directory: int = 1 << 25
    """Bytes of a zip's central directory (homeassistant: 3,613,589)."""
    expanded: int = 1 << 26
    """The bytes that any archive may unpack to, whatever its size."""
    expansion: int = 70
    """How many times its size an archive may unpack to (of 966 wheels that many projects depend upon, the most: 17)."""
    link_steps: int = 1 << 18
    """Components of paths walked to follow all links of an archive."""


@cache
def budgets() -> Budgets:
    """Return the budgets of this process: the defaults, and what SAMEBYTES_LIMITS has instead.

    :raises ConfigError: if the variable is malformed.
    """
    return parsed(os.environ.get(VARIABLE, ""))


def parsed(text: str) -> Budgets:
    """Return the budgets that *text* gives, as in ``metadata=64M,members=2000000``; K, M and G are powers of 1024.

    :raises ConfigError: for a name that is none, or a value that is not such a number.
    """
    given = {}
    for part in filter(None, text.split(",")):
        name, _, value = part.strip().partition("=")
        match = re.fullmatch(r"([0-9]{1,15})([KMG]?)", value)
        if name not in Budgets._fields or match is None:
            names = ", ".join(Budgets._fields)
            remedy = f"Give NAME=NUMBER, separated by commas, such as metadata=64M. The names are {names}."
            raise ConfigError(f"{VARIABLE}: {part[:60]!r} is not a limit", remedy=remedy)
        given[name] = int(match[1]) << 10 * " KMG".index(match[2] or " ")
    return Budgets(**given)


def check_budget(archive: str, name: str, what: str, amount: int) -> None:
    """Refuse *archive* if *amount* of *what* is over the budget *name*.

    :raises HostileArchiveError: naming the budget, and how to raise it.
    """
    most = getattr(budgets(), name)
    if amount > most:
        raise HostileArchiveError(
            f"{archive}: {amount:,} {what} are over the limit {name}, which is {most:,}",
            remedy=f"If you trust the archive, raise the limit by the environment: {VARIABLE}={name}={amount}.",
        )


MAX_NAME_BYTES = 4096
"""The longest member name and link target, in UTF-8: Linux' PATH_MAX, the largest that any system can unpack."""

MAX_COMPONENT_BYTES = 255
"""The longest component of a name, in UTF-8: no file system in use takes a longer one."""

MAX_LINKS_FOLLOWED = 40
"""How many links a path may pass through, as on Linux."""

_UNSEEN = re.compile("[\0-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Control characters, line and paragraph separators, and those that turn the direction of writing (UAX 9): a name with
one is shown as another, or ends a line of RECORD where ``str.splitlines`` reads it."""

_ON_WINDOWS = (
    (re.compile(r"[. ](?:/|\Z)"), "a component of the name ends in a dot or a blank, which Windows drops"),
    (re.compile(":"), "the name holds a colon, after which NTFS names a stream of a file"),
    (re.compile(r";[0-9]*\Z"), "the name ends in a semicolon and a number, which unzip drops as a version"),
    (
        re.compile(
            "[\xad\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u2060-\u206f\ue000-\uf8ff\ufdd0-\ufdef\ufeff"
            "\ufff0-\ufffb\ufffe\uffff\U000e0000-\U000e00ff\U000e01f0-\U0010ffff]"
        ),
        "the name holds a character that is not shown, which uv refuses",
    ),
    (
        re.compile(r"(?ai)(?:^|/)(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[1-9¹²³]) *(?:\.[^/]*)?(?:/|\Z)"),
        "a component of the name is a device on Windows, with any extension",
    ),
)
"""Source: Microsoft's "Naming Files, Paths, and Namespaces"."""

_IGNORED = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")
"""What HFS+ passes over where it compares names (Apple's TN1150, "Case-Insensitive String Comparison Algorithm")."""

_DROPPED = re.compile(r"[. ]+(?=/|\Z)")

_TWO = "Do not install it: it holds one thing for some tools, and another for others. Build it again."
_REMEDY = "Do not unpack or install it. If you made it, look in its source for such a link or name, and make it again."


def name_problem(name: str) -> str:
    """Return what is wrong with *name* as a member's name, or nothing if it is sound.

    *name* has no trailing slash; readers strip the one of a directory (and tar's leading ``./``) beforehand.
    """
    components = name.split("/")
    unseen = _UNSEEN.search(name)
    problems = (
        (not name, "the name is empty"),
        ("\0" in name, "the name holds a NUL"),
        ("\\" in name, "the name holds a backslash, which Windows takes for a separator"),
        (name.startswith("/"), "the name is absolute"),
        (_has_drive(name), "the name starts with a drive letter"),
        (_byte_length(name) > MAX_NAME_BYTES, f"the name is longer than {MAX_NAME_BYTES} bytes"),
        (max(map(_byte_length, components)) > MAX_COMPONENT_BYTES, "a component of the name is longer than 255 bytes"),
        (".." in components, "the name leads out of the archive by '..'"),
        ("" in components, "the name has an empty component ('//')"),
        ("." in components, "the name has a component '.', so that one file could have two names"),
        (unseen, f"the name holds the control character U+{ord(unseen[0]):04X}" if unseen else ""),
    )
    return next((problem for found, problem in problems if found), "")


def windows_problem(name: str) -> str:
    """Return why a sound *name* is not the name of a file of its own on Windows, or nothing if it is one."""
    return next((problem for pattern, problem in _ON_WINDOWS if pattern.search(name)), "")


def _has_drive(name: str) -> bool:
    return name[1:2] == ":" and name[0].isascii() and name[0].isalpha()


def _byte_length(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def check_name(archive: str, name: str) -> None:
    """Refuse a member's name that escapes, that not every system reads alike, or that is too deep to be removed again.

    :raises HostileArchiveError: naming *archive* and the member.
    """
    if problem := name_problem(name):
        raise hostile(archive, _shortened(name), problem)
    check_budget(archive, "depth", f"components of the name {_shortened(name)!r}", name.count("/") + 1)


def check_expansion(archive: str, packed_size: int, size: int) -> None:
    """Refuse an *archive* of *packed_size* bytes whose files have *size* bytes together, if that is a bomb's ratio.

    :raises HostileArchiveError: naming the budget.
    """
    if size > packed_size * budgets().expansion:
        check_budget(archive, "expanded", f"bytes that its {packed_size:,} unpack to", size)


def check_formats(file: BinaryIO, archive: str, *, is_zip: bool) -> None:
    """Refuse a *file* that is another archive, too, to readers that look for that first.

    bsdtar prefers tar and ISO 9660 to ZIP, GNU tar prefers tar to gzip, and pip a ZIP file that zipfile finds to both.

    :raises HostileArchiveError: naming *archive*.
    """
    file.seek(0)
    head = file.read(512)
    summed = head[:148] + b" " * 8 + head[156:]
    digits = re.match(rb"[ \t\0]*([0-7]+)", head[148:156])
    checksum = int(digits[1], 8) if digits else int.from_bytes(head[152:156], "big") if head[148:149] > b"\x7f" else -1
    sums = sum(summed), sum(summed) - 256 * sum(byte > 127 for byte in summed)  # of signed bytes, too
    if len(head) == 512 and (head[257:262] == b"ustar" or checksum in sums):
        raise hostile(archive, "", "its first 512 bytes are a tar header: some read it as a tar archive", _TWO)
    if is_zip:
        file.seek(1 << 15)  # Where an image has up to eight descriptors of 2,048 bytes.
        if b"CD001" in [file.read(2048)[1:6] for _ in range(8)]:
            raise hostile(archive, "", "it is an image of a CD (ISO 9660), too, which bsdtar prefers", _TWO)
        return
    file.seek(max(0, file.seek(0, os.SEEK_END) - 65557))
    if b"PK\5\6" in file.read():
        problem = "pip takes it for a ZIP file: the signature of an end record is among its last 65,557 bytes"
        raise hostile(archive, "", problem, _TWO + " By chance one sdist in 65,000 is so: try another date.")


def hostile(archive: str, name: str, problem: str, remedy: str = _REMEDY) -> HostileArchiveError:
    """Return the error that refuses member *name* of *archive* (the whole archive, if *name* is empty)."""
    where = f"{archive}: {name!r}" if name else archive
    return HostileArchiveError(f"{where}: {problem}", remedy=remedy)


def _shortened(name: str) -> str:
    return name if len(name) <= 200 else f"{name[:200]}..."


def folded(name: str) -> str:
    """Return what is equal for names that are one file on Windows (NTFS) or macOS (APFS, HFS+).

    Upper and lower case, canonically equivalent characters (UAX 15, NFC and NFD), characters that HFS+ ignores, and
    dots and blanks at the end of a component do not count. Compatibility characters do: no file system folds them.
    """
    if name.isascii():
        return _DROPPED.sub("", name.lower())
    from unicodedata import normalize  # Few archives need it.

    # Decomposed before and after, as canonical caseless matching demands (Unicode 3.13, D145).
    return _DROPPED.sub("", normalize("NFD", normalize("NFD", _IGNORED.sub("", name)).casefold()))


def case_collisions(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Give each pair of different names that are equal when :func:`folded`, the earlier one first."""
    seen: dict[str, str] = {}
    for name in names:
        first = seen.setdefault(folded(name), name)
        if first != name:
            yield first, name


def beneath_files(files: Set[str], names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Give each name that lies beneath one of *files* (links count as files), with that file: it has two natures."""
    # Names beneath a directory stand together. Keeping every parent of every name would cost their depth in memory.
    ordered = sorted(names)
    for file in sorted(files):
        beneath = f"{file}/"
        for number in range(bisect_left(ordered, beneath), len(ordered)):
            if not ordered[number].startswith(beneath):
                break
            yield ordered[number], file


def check_links(archive: str, links: Mapping[str, str]) -> None:
    """Refuse a symbolic link that is absolute, leads out of its top directory at any step, or never arrives (PEP 721).

    *links* holds every symbolic link of the archive, by name; none lies beneath another.

    :raises HostileArchiveError: naming *archive* and the link.
    """
    walk = _LinkWalk(links)
    for name, target in links.items():
        problem = _target_problem(target) or walk.problem(name)
        # Where the directory may be a link itself, readers differ on what the next component counts from.
        if not problem and "/../" in re.sub(r"^(?:\.{0,2}/)*", "", f"{target}/"):
            problem = "goes up by '..' from a directory that it has gone down to"
        if problem:
            raise hostile(archive, name, f"the link to {_shortened(target)!r} {problem}")


class _LinkWalk:
    """Follows the links of an archive, in a bounded number of steps for all of them."""

    def __init__(self, links: Mapping[str, str]) -> None:
        # A tree of dictionaries by component, the links' targets its leaves: no path is joined on the way.
        self._tree: dict[str, Any] = {}
        self._steps = 0
        for name, target in links.items():
            *directories, last = name.split("/")
            self._steps += len(directories)
            place = self._tree
            for component in directories if self._steps <= budgets().link_steps else ():
                place = place.setdefault(component, {})
            place[last] = target

    def problem(self, name: str) -> str:
        """Return what is wrong with where a link leads, walking its path as an operating system would."""
        trail = [self._tree]
        # What is still to be walked, the next component last.
        todo = name.split("/")[::-1]
        followed = 0
        while todo:
            component = todo.pop()
            self._steps += 1
            if self._steps > budgets().link_steps:
                return f"and the links before it take more than {budgets().link_steps} steps to follow"
            found = trail[-1].get(component, {})
            if component == "..":
                trail.pop()
            elif isinstance(found, str):
                followed += 1
                problem = "leads in a circle" if followed > MAX_LINKS_FOLLOWED else _target_problem(found)
                if problem:
                    return problem
                # A link's target counts from the directory that it lies in.
                todo.extend(found.split("/")[::-1])
            elif component not in ("", "."):
                trail.append(found)
            # At every step, not only at the end: between two links the path may have been anywhere.
            if len(trail) == 1:
                return "leads out of the top directory"
        return ""


def _target_problem(target: str) -> str:
    if not target:
        return "points nowhere"
    if "\0" in target or "\\" in target:
        return "holds a NUL or a backslash"
    if target.startswith("/") or _has_drive(target):
        return "is absolute"
    if _byte_length(target) > MAX_NAME_BYTES:
        return f"is longer than {MAX_NAME_BYTES} bytes"
    return ""
