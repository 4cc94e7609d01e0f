"""How passes rewrite small text members: header blocks and lists of lines."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Callable

from ..archive.entry import Archive, Data, Entry, Kind, read_all
from ..artifact import headers
from ..artifact.layout import own_directory
from .model import Context, PassOutcome, Run, each

Transform = Callable[[bytes], tuple[bytes, str]]
"""Gives new bytes for old ones, and in one line what became of them: nothing where they are the same."""


def rewriting(code: str, wanted: Callable[[str, str], bool], transform: Transform) -> Run:
    """Return the run of a pass that applies *transform* to the files that are *wanted*, by name and own directory."""

    def run(archive: Archive, context: Context) -> PassOutcome:
        own = own_directory(archive, context.kind)

        def step(entry: Entry) -> tuple[Entry, str]:
            if entry.kind is not Kind.FILE or not wanted(entry.name, own):
                return entry, ""
            data, detail = transform(read_all(entry.content))
            return (entry.holding(Data(data)), detail) if detail else (entry, "")

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
    moved = ""
    for number, (before, after) in enumerate(zip(old.fields, new.fields)):
        if before.lines != after.lines:
            same = before.name.lower() == after.name.lower()
            pair = (before.value, after.value) if same else (before.name.encode(), after.name.encode())
            moved = f"field {number + 1}: {before.name + ' ' if same else ''}{_shown(pair[0])} -> {_shown(pair[1])}"
            break
    return "; ".join(filter(None, (moved, _line_ends(data, headers.serialise(old)))))


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
