"""Compiled modules: bound to their source by a hash and not by a time (PEP 552), their code in one form."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Optional

from ..archive.entry import Archive, Content, Data, Entry, Kind, Streamed, read_all
from ..artifact import pyc
from ..artifact.pyc import HEADER_SIZE, checked_header, source_of
from ..errors import ArchiveError
from .model import Pass, PassOutcome, each

LARGEST = 16 << 20
"""Bytes of a compiled module that is read; the code of a larger one stays as it is."""

_Rewrite = Callable[[Content, Entry], Optional[tuple[Content, str]]]
"""From a compiled module and its source to what it becomes and the detail of the change; None if it stays."""


def _run(archive: Archive, rewrite: _Rewrite, code: str) -> PassOutcome:
    sources = {entry.name: entry for entry in archive.entries if entry.name.endswith(".py") and entry.kind is Kind.FILE}

    def step(entry: Entry) -> tuple[Entry, str]:
        source = sources.get(source_of(entry.name) or "")
        found = rewrite(entry.content, source) if source is not None and entry.kind is Kind.FILE else None
        return (entry.holding(found[0]), found[1]) if found is not None else (entry, "")

    return each(archive, code, step)


def _bound(content: Content, source: Entry) -> tuple[Content, str] | None:
    old = _head(content)
    # A file without a code object is truncated.
    new = checked_header(old, source.content) if content.size > HEADER_SIZE else None
    return None if new is None else (reheaded(new, content), _detail(old, new))


def _recoded(content: Content, source: Entry) -> tuple[Content, str] | None:
    if content.size > LARGEST or not pyc.is_known(_head(content)):
        return None
    data = read_all(content)
    try:
        after = pyc.normalized(data, source.name)
    except ArchiveError:
        return None
    return None if after == data else (Data(after), f"code: written by value, as compiled from {source.name}")


def reheaded(header: bytes, content: Content) -> Streamed:
    """Return *content* with its first bytes replaced by as many others; nothing but those is held."""

    def chunks() -> Iterator[bytes]:
        yield header
        skip = len(header)
        for chunk in content.chunks():
            if skip < len(chunk):
                yield chunk[skip:]
            skip = max(0, skip - len(chunk))

    return Streamed(content.size, chunks)


def _head(content: Content) -> bytes:
    head = b""
    for chunk in content.chunks():
        head += chunk[: HEADER_SIZE - len(head)]
        if len(head) == HEADER_SIZE:
            break
    return head


def _detail(old: bytes, new: bytes) -> str:
    before, after = pyc.header_of(old), pyc.header_of(new)
    assert before is not None
    assert after is not None
    return f"header: source time {before.time} and size {before.size} -> checked hash {after.stamp.hex()}"


PYC = Pass(
    code="P001",
    name="pyc-headers",
    reason=(
        "A compiled module records the modification time of its source, which is that of a checkout or a copy. "
        "Where the source is in the same wheel, a hash of it says the same without a clock (PEP 552)."
    ),
    run=lambda archive, _: _run(archive, _bound, "P001"),
    changes_contents=True,
)

PYC_CODE = Pass(
    code="P002",
    name="pyc-code",
    reason=(
        "The interpreter writes the same code in other bytes, by what else it holds just then, and with the directory "
        "in which the source lay. Where the source is in the same wheel, the code is written by its values, and with "
        "the source's name in the wheel; the import system puts the real path in its place."
    ),
    run=lambda archive, _: _run(archive, _recoded, "P002"),
    changes_contents=True,
)
