"""The rules for the texts that builds write: header blocks (METADATA, PKG-INFO, WHEEL) and lists of lines."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Callable

from ..archive.entry import Archive, Data, Entry, Kind, read_all
from ..artifact import headers
from ..artifact.layout import ArtifactKind, in_egg_info, is_script, own_directory
from .model import Context, Pass, PassOutcome, Run, each

_Wanted = Callable[[str, str, ArtifactKind], bool]
"""Whether a file is one, by its name, the release's own directory and the kind of the artifact."""

Transform = Callable[[bytes], tuple[bytes, str]]
"""Gives new bytes for old ones, and in one line what became of them: nothing where they are the same."""


def _rewriting(code: str, name: str, reason: str, wanted: _Wanted, transform: Transform) -> Pass:
    """Return the pass that applies *transform* to the files that are *wanted*."""

    def run(archive: Archive, context: Context) -> PassOutcome:
        own = own_directory(archive, context.kind)

        def step(entry: Entry) -> tuple[Entry, str]:
            if entry.kind is not Kind.FILE or not wanted(entry.name, own, context.kind):
                return entry, ""
            data, detail = transform(read_all(entry.content))
            return (entry.holding(Data(data)), detail) if detail else (entry, "")

        return each(archive, code, step)

    return Pass(code, name, reason, run, for_metadata=code[0] == "W", changes_contents=True)


def _named(filename: str) -> _Wanted:
    """Return whether a file is the one of that name in ``.dist-info``, or in the project's own ``.egg-info``."""

    def wanted(name: str, own: str, kind: ArtifactKind) -> bool:
        return name == f"{own}/{filename}" if kind == ArtifactKind.WHEEL else in_egg_info(name, own, filename)

    return wanted


def _is_metadata(name: str, own: str, kind: ArtifactKind) -> bool:
    """Return whether a file is METADATA, or an sdist's PKG-INFO or a copy of it."""
    if kind == ArtifactKind.WHEEL:
        return name == f"{own}/METADATA"
    return name == f"{own}/PKG-INFO" or in_egg_info(name, own, "PKG-INFO")


_IN_DIST_INFO = {
    *("METADATA", "WHEEL", "entry_points.txt", "top_level.txt"),
    *("namespace_packages.txt", "dependency_links.txt", "zip-safe"),
}
"""What backends write to ``.dist-info`` as text; the licences there are files of the project."""


def made_by_setuptools(archive: Archive, kind: ArtifactKind) -> bool:
    """Return whether setuptools made it: a wheel says so, and into an sdist it writes setup.cfg and SOURCES.txt."""
    own = own_directory(archive, kind)
    name, sign = f"{own}/WHEEL", rb"(?im)^Generator: *(?:setuptools|bdist_wheel)\b"
    if kind == ArtifactKind.SDIST:
        name, sign = f"{own}/setup.cfg", rb"(?m)^\[egg_info\]"
        if not any(in_egg_info(entry.name, own, "SOURCES.txt") for entry in archive.entries):
            return False
    return any(entry.name == name and re.search(sign, read_all(entry.content)) for entry in archive.entries)


def _is_generated(name: str, own: str, kind: ArtifactKind, *, by_setuptools: bool) -> bool:
    """Return whether a backend writes a file as text, so that its lines end as the platform's do."""
    directory, _, last = name.rpartition("/")
    if directory == own and kind == ArtifactKind.WHEEL:
        return last in _IN_DIST_INFO
    if directory == own:
        return last == "PKG-INFO" or (by_setuptools and last == "setup.cfg")
    return by_setuptools and (is_script(name) if kind == ArtifactKind.WHEEL else in_egg_info(name, own, last))


def _platform_text(code: str) -> Run:
    """Return what gives texts that a backend has just written one form, for the pass with this *code*."""

    def run(archive: Archive, context: Context) -> PassOutcome:
        if not context.fresh:  # of another one, nobody knows any more what its backend wrote
            return PassOutcome(archive)
        own, by_setuptools = own_directory(archive, context.kind), made_by_setuptools(archive, context.kind)

        def step(entry: Entry) -> tuple[Entry, str]:
            # setuptools writes a script anew where its first line names Python, which becomes "#!python".
            copied = is_script(entry.name) and not next(iter(entry.content.chunks()), b"").startswith(b"#!python")
            if copied or not _is_generated(entry.name, own, context.kind, by_setuptools=by_setuptools):
                return entry, ""
            if b"\0" in (data := read_all(entry.content)):
                return entry, ""
            # Text mode on Windows makes CR CR LF of a README's CR LF; a run of CR is tried from its begin only.
            new = re.sub(rb"(?<!\r)\r+\n", b"\n", data)
            if entry.name.endswith("/SOURCES.txt"):
                new = new.replace(b"\\", b"/")
            return (entry, "") if new == data else (entry.holding(Data(new)), "written as on every platform")

        return each(archive, code, step)

    return run


def header_block(order: Iterable[str], sort_values: Collection[str] = ()) -> Transform:
    """Return what puts a header block's fields into *order*, and sorts the values of the fields *sort_values*.

    A file that is no header block stays as it is.
    """
    wanted = tuple(order)

    def transform(data: bytes) -> tuple[bytes, str]:
        old = headers.parse(data)
        if old is None:
            return data, ""
        new = headers.with_sorted_values(headers.in_order(old, wanted), sort_values)
        return headers.serialise(new), _block_change(data, old, new)

    return transform


def sorted_lines(data: bytes) -> tuple[bytes, str]:
    """Return lines sorted by their bytes, ended by LF, without empty lines at the end; repeated ones stay.

    What is not lines of text, because it holds a NUL or a lone CR, stays as it is.
    """
    plain = data.replace(b"\r\n", b"\n")
    if not data or b"\0" in data or b"\r" in plain:
        return data, ""
    old = plain.rstrip(b"\n").split(b"\n")
    new = sorted(old)
    result = b"\n".join(new) + b"\n"
    if result == data:
        return data, ""
    moved = next(
        (f"line {number + 1}: {_shown(a)} -> {_shown(b)}" for number, (a, b) in enumerate(zip(old, new)) if a != b), ""
    )
    ends = _line_ends(data, b"\n".join(old) + b"\n")
    return result, "; ".join(filter(None, (moved, ends)))


def _block_change(data: bytes, old: headers.Block, new: headers.Block) -> str:
    pairs = enumerate(zip(old.fields, new.fields), 1)
    moved = next((_moved(number, *pair) for number, pair in pairs if pair[0].lines != pair[1].lines), "")
    return "; ".join(filter(None, (moved, _line_ends(data, headers.serialise(old)))))


def _moved(number: int, before: headers.Field, after: headers.Field) -> str:
    if before.name.lower() == after.name.lower():
        return f"field {number}: {before.name} {_shown(before.value)} -> {_shown(after.value)}"
    return f"field {number}: {_shown(before.name.encode())} -> {_shown(after.name.encode())}"


def _line_ends(data: bytes, canonical: bytes) -> str:
    """Return how the line ends of *data* differ from those of the same lines in *canonical*."""
    if data == canonical:
        return ""
    if data.count(b"\r\n") > canonical.count(b"\r\n"):
        return "line ends CRLF -> LF"
    return "line end added" if len(data) < len(canonical) else "empty lines at the end dropped"


def _shown(text: bytes) -> str:
    shown = text.decode("utf-8", "replace")
    return repr(shown[:57] + "..." if len(shown) > 60 else shown)


_ORDERS = (
    "fields in different orders, which mean the same, and with the line ends of the platform. The order of repeated "
    "values is kept, for installers go by it."
)
_PLATFORM = (
    "On Windows, backends write texts with that platform's line ends and separators. Of what has just been built it is "
    "known which files they wrote; what the project committed keeps its line ends."
)
_TOP_LEVEL = "The names in top_level.txt are a set, and some builders write them in the order of a directory's listing."

TEXTS = (
    *(
        Pass(code, name, _PLATFORM, _platform_text(code), for_metadata=code[0] == "W", changes_contents=True)
        for code, name in (("W007", "generated-text"), ("S004", "sdist-generated-text"))
    ),
    _rewriting(
        "W002",
        "metadata-order",
        f"Backends and their releases write METADATA's {_ORDERS}",
        _is_metadata,
        header_block(headers.METADATA_ORDER),
    ),
    _rewriting(
        "W003",
        "wheel-order",
        "The Tag lines of WHEEL are a set, and some backends write them in the order of a set.",
        _named("WHEEL"),
        header_block(headers.WHEEL_ORDER, ("Tag",)),
    ),
    _rewriting("W004", "top-level-order", _TOP_LEVEL, _named("top_level.txt"), sorted_lines),
    _rewriting(
        "S001",
        "pkg-info-order",
        f"Backends and their releases write PKG-INFO's {_ORDERS}",
        _is_metadata,
        header_block(headers.METADATA_ORDER),
    ),
    _rewriting(
        "S002",
        "sources-order",
        "SOURCES.txt lists files, and some of them in the order of a directory's listing.",
        _named("SOURCES.txt"),
        sorted_lines,
    ),
    _rewriting("S003", "sdist-top-level-order", _TOP_LEVEL, _named("top_level.txt"), sorted_lines),
    _rewriting(
        "W100",
        "sorted-metadata-values",
        "Where a build puts Requires-Dist, Provides-Extra or Classifier lines in the order of a set and cannot be "
        "fixed, sorting them makes the metadata equal. Resolvers go by that order, so it must be asked for.",
        _is_metadata,
        header_block((), ("Requires-Dist", "Provides-Extra", "Classifier")),
    )._replace(default=False, also_in_sdists=True),
)
"""The passes for texts that builds write, in their order."""
