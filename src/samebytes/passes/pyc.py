"""P001: a compiled module says which source it belongs to by a hash, not by the time of a file (PEP 552)."""

from __future__ import annotations

from collections.abc import Iterator

from ..archive.entry import Archive, Content, Entry, Kind
from ..dist.pyc import HEADER_SIZE, Reheaded, checked_header, source_of
from .model import Change, Context, Outcome, Pass, in_wheel

__all__ = ["PYC"]


def _run(archive: Archive, _context: Context) -> Outcome:
    sources = {entry.name: entry for entry in archive.entries if entry.name.endswith(".py") and entry.kind is Kind.FILE}
    changed = dict(_rewritten(archive.entries, sources))
    if not changed:
        return Outcome(archive)
    entries = tuple(changed[index][0] if index in changed else entry for index, entry in enumerate(archive.entries))
    return Outcome(archive._replace(entries=entries), tuple(change for _, change in changed.values()))


def _rewritten(entries: tuple[Entry, ...], sources: dict[str, Entry]) -> Iterator[tuple[int, tuple[Entry, Change]]]:
    """Give the compiled modules that get another header, with their place among *entries*."""
    for index, entry in enumerate(entries):
        source = sources.get(source_of(entry.name) or "")
        if entry.kind is not Kind.FILE or source is None:
            continue
        old = _head(entry.content)
        # A file without a code object is truncated.
        new = checked_header(old, source.content) if entry.content.size > HEADER_SIZE else None
        if new is not None:
            # The compressed form found belongs to the old bytes, so it says nothing of the new ones.
            rewritten = entry._replace(content=Reheaded(new, entry.content), packed=None)
            yield index, (rewritten, Change(PYC.code, entry.name, _detail(old, new)))


def _head(content: Content) -> bytes:
    head = b""
    for chunk in content.chunks():
        head += chunk[: HEADER_SIZE - len(head)]
        if len(head) == HEADER_SIZE:
            break
    return head


def _detail(old: bytes, new: bytes) -> str:
    time = int.from_bytes(old[8:12], "little")
    size = int.from_bytes(old[12:16], "little")
    return f"header: source time {time} and size {size} -> checked hash {new[8:16].hex()}"


PYC = Pass(
    code="P001",
    name="pyc-headers",
    reason=(
        "A compiled module records the modification time of its source, which is that of a checkout or a copy. "
        "Where the source is in the same wheel, a hash of it says the same without a clock (PEP 552)."
    ),
    applies=in_wheel,
    run=_run,
)
