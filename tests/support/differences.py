"""Two archives that should have been equal: what differs, in a few lines for a test's message."""

from __future__ import annotations

import hashlib
import tarfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

_MOST = 20


def digest(path: Path) -> str:
    """Return the file's SHA-256 in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def explain(first: Path, second: Path) -> str:
    """Return what differs between two wheels or two sdists."""
    lines = [f"{first.name} ({first.stat().st_size} bytes) and {second.name} ({second.stat().st_size} bytes) differ"]
    one, other = _members(first), _members(second)
    if [name for name, _, _ in one] != [name for name, _, _ in other]:
        lines.append(f"members: {[row[0] for row in one]} and {[row[0] for row in other]}")
    by_name = {name: (facts, data) for name, facts, data in other}
    for name, facts, data in one:
        facts_there, data_there = by_name.get(name, (facts, data))
        if facts != facts_there:
            lines.append(f"{name}: {facts} became {facts_there}")
        if data != data_there:
            lines.append(f"{name}: {_around(data, data_there)}")
    return "\n".join(lines[:_MOST])


def assert_same(paths: Iterable[Path]) -> None:
    """Fail unless all files have the same bytes and the same name, saying what differs."""
    first, *others = paths
    for other in others:
        assert other.name == first.name
        assert digest(other) == digest(first), explain(first, other)


def contents(path: Path) -> dict[str, bytes]:
    """Return the files of a wheel or sdist by name."""
    return {name: data for name, _, data in _members(path)}


def _members(path: Path) -> list[tuple[str, str, bytes]]:
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as wheel:
            return [
                (
                    info.filename,
                    f"{info.date_time} {info.external_attr:#o} {info.compress_size} {info.extra!r}",
                    wheel.read(info),
                )
                for info in wheel.infolist()
            ]
    with tarfile.open(path) as sdist:
        return [
            (
                info.name,
                f"{info.mtime} {info.mode:#o} {info.uid}/{info.gid} {info.uname}/{info.gname} {info.pax_headers}",
                (sdist.extractfile(info).read() if info.isfile() else b""),  # type: ignore[union-attr]
            )
            for info in sdist.getmembers()
        ]


def _around(one: bytes, other: bytes) -> str:
    same = next((index for index, pair in enumerate(zip(one, other)) if pair[0] != pair[1]), min(len(one), len(other)))
    begin = max(0, same - 40)
    return f"at {same}: {one[begin : same + 40]!r} became {other[begin : same + 40]!r}"
