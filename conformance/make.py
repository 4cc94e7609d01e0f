"""Make the vectors: the inputs of the tables beside this file, and what samebytes makes of them.

    PYTHONPATH=src:tests:. python3 -m conformance.make [--check]

Needs an interpreter with stock zlib, so that the inputs are the same bytes again. With ``--check`` nothing is written,
and the exit status says whether what is there is what would be written.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

from support.canonical_reader import demand_stock_zlib

import samebytes
from conformance import content_cases, edge_cases, format_cases, sdist_cases, wheel_cases
from conformance.case import SDIST_FILE, WHEEL_FILE, Input, Rules

HERE = Path(__file__).resolve().parent
VECTORS = HERE / "vectors.json"
FORM = 1
NO_SYNC = mock.patch("os.fsync")

TABLES: tuple[tuple[str, Rules, bool], ...] = (
    ("wheel", wheel_cases.REFUSED, True),
    ("wheel", wheel_cases.ACCEPTED, False),
    ("wheel", wheel_cases.NO_DATE, False),
    ("sdist", sdist_cases.REFUSED, True),
    ("sdist", sdist_cases.ACCEPTED, False),
    ("sdist", sdist_cases.NO_DATE, False),
    ("contents", content_cases.ACCEPTED, False),
    ("wheel", edge_cases.WHEELS_REFUSED, True),
    ("wheel", edge_cases.WHEELS_ACCEPTED, False),
    ("sdist", edge_cases.SDISTS_REFUSED, True),
    ("sdist", edge_cases.SDISTS_ACCEPTED, False),
    ("sdist", edge_cases.NO_DATE, False),
    ("wheel", format_cases.REFUSED_WHEELS, True),
    ("wheel", format_cases.ACCEPTED_WHEELS, False),
    ("sdist", format_cases.REFUSED_SDISTS, True),
    ("sdist", format_cases.ACCEPTED_SDISTS, False),
)
"""The directory of the inputs, the inputs, and whether they are to be refused."""

OWN_DATE = (
    "3 the archive's own date: the one time that all its files have, if the archive equals its canonical form on that"
    " date;"
)
UNCHANGED = "8 For the same date, a canonical archive given to a writer MUST come back byte for byte."


class Vector(NamedTuple):
    """One vector, its input, and what becomes of it."""

    rule: str
    """The number of the section and words of it."""
    fields: dict[str, Any]
    """As it stands in the list."""
    data: bytes
    output: bytes | None
    """None if the input is refused."""

    date_of_output: int
    """Seconds since 1970-01-01 UTC; 0 if there is none."""


def vectors() -> Iterator[Vector]:
    """Yield every vector; samebytes is asked what becomes of it.

    :raises ValueError: where samebytes refuses what a table has for accepted, or the other way round.
    """
    kept: list[tuple[str, bytes, int]] = []
    for folder, rules, refused in TABLES:
        for rule, inputs in rules.items():
            for name, given in inputs.items():
                one = given if isinstance(given, Input) else Input(given)
                vector = made(f"{folder}/{'refused' if refused else 'accepted'}/{name}", rule, one)
                if (vector.output is None) != refused:
                    raise ValueError(f"{folder}/{name} is {'not ' * refused}refused")
                yield vector
                if vector.output is not None and one.date is not None and len(vector.output) < 1000:
                    kept.append((f"{folder}/canonical/{name}", vector.output, one.date))
    for name, output, date in kept[::12]:
        yield unchanged(name, UNCHANGED, Input(output, date=date))
    for name, output, date in kept[6::60]:
        # 1980 and later, and even: another date is not the one that a wheel's members have.
        if date >= 315532800 and date % 2 == 0:
            yield unchanged(f"{name}-without-a-date", OWN_DATE, Input(output, date=None))


def unchanged(name: str, rule: str, one: Input) -> Vector:
    """Return the vector of an input that is canonical."""
    vector = made(name, rule, one)
    if vector.output != one.data:
        raise ValueError(f"{name} does not come back")
    return vector


def made(name: str, rule: str, one: Input) -> Vector:
    """Return the vector of an input."""
    file = one.file or (SDIST_FILE if one.data[:2] == b"\x1f\x8b" else WHEEL_FILE)
    output, date = converted(one, file)
    suffix = ".tar.gz" if file.endswith(".tar.gz") else ".whl"
    fields: dict[str, Any] = {"input": f"inputs/{name}{suffix}", "file": file, "date": one.date}
    if one.epoch is not None:
        fields["SOURCE_DATE_EPOCH"] = one.epoch
    if output is None:
        fields["refused"] = True
    else:
        fields.update(size=len(output), sha256=hashlib.sha256(output).hexdigest())
    return Vector(rule, fields, one.data, output, date)


def converted(one: Input, file: str) -> tuple[bytes | None, int]:
    """Return what samebytes makes of an input, and the date in it; None if it refuses the input."""
    environment = {name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"}
    if one.epoch is not None:
        environment["SOURCE_DATE_EPOCH"] = one.epoch
    # Nothing of this has to outlive the machine: files are not synced.
    with tempfile.TemporaryDirectory() as directory, mock.patch.dict(os.environ, environment, clear=True), NO_SYNC:
        path = Path(directory) / file
        path.write_bytes(one.data)
        try:
            date = samebytes.normalize(path, date=one.date, jobs=1).date
        except samebytes.SamebytesError:
            if path.read_bytes() != one.data:
                raise ValueError(f"{file} was changed and refused") from None
            return None, one.date or 0
        return path.read_bytes(), date


def listed(every: Iterable[Vector]) -> str:
    """Return the list of vectors: JSON, a line for each, under the rules that they show."""
    rules: dict[str, list[str]] = {}
    for vector in every:
        rules.setdefault(vector.rule, []).append("   " + json.dumps(vector.fields, ensure_ascii=False))
    parts = []
    for rule, lines in rules.items():
        section, _, words = rule.partition(" ")
        head = f'  {{"section": "{section}", "rule": {json.dumps(words, ensure_ascii=False)}, "vectors": ['
        parts.append("\n".join([head, ",\n".join(lines), "  ]}"]))
    return "\n".join(["{", f' "form": {FORM},', ' "rules": [', ",\n".join(parts), " ]", "}", ""])


def files(every: Sequence[Vector]) -> dict[str, bytes]:
    """Return all that is written, by its name in this directory.

    :raises ValueError: if two vectors have one name.
    """
    inputs = {vector.fields["input"]: vector.data for vector in every}
    if len(inputs) != len(every):
        names = [vector.fields["input"] for vector in every]
        raise ValueError(f"names that stand twice: {sorted({name for name in names if names.count(name) > 1})}")
    return {VECTORS.name: listed(every).encode(), **inputs}


def there() -> dict[str, bytes]:
    """Return what is written, by its name in this directory."""
    paths = [*(HERE / "inputs").rglob("*"), VECTORS]
    return {path.relative_to(HERE).as_posix(): path.read_bytes() for path in paths if path.is_file()}


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Make the vectors of the canonical form.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if anything would change")
    check = parser.parse_args(arguments).check
    demand_stock_zlib()
    wanted, old = files(list(vectors())), there()
    changed = [name for name, data in wanted.items() if old.get(name) != data]
    gone = sorted(set(old) - set(wanted))
    for name in [] if check else changed:
        (HERE / name).parent.mkdir(parents=True, exist_ok=True)
        (HERE / name).write_bytes(wanted[name])
    for name in [] if check else gone:
        (HERE / name).unlink()
    print(f"{len(wanted) - 1} vectors, {sum(map(len, wanted.values()))} bytes, {len(changed) + len(gone)} changes")
    return int(check and bool(changed or gone))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
