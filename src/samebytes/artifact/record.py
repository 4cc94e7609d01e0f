"""RECORD: a wheel's list of its files with their digests, read with tolerance, compared strictly, written one way.

Source: https://packaging.python.org/en/latest/specifications/recording-installed-packages/ and the wheel
specification, "The .dist-info directory". Digests are spelled ``ALGORITHM=URLSAFE-BASE64`` without padding.
"""

from __future__ import annotations

import hashlib
import re
from binascii import b2a_base64
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from ..archive.entry import Content
from ..errors import RecordError

ALGORITHMS = ("sha256", "sha384", "sha512")
"""What the wheel specification allows: sha256 or better."""

_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_SHOWN = 20
"""How many mismatches an error lists."""


class Row(NamedTuple):
    """One line of RECORD."""

    name: str
    digest: str
    """``ALGORITHM=VALUE``; empty where there is none."""
    size: str
    """As written; empty where there is none."""

    @property
    def algorithm(self) -> str:
        return self.digest.partition("=")[0]


class Mismatch(NamedTuple):
    """One thing in which RECORD and the files of its wheel disagree."""

    name: str
    detail: str
    """In one line, what RECORD gives and what there is."""
    contradicts: bool = False
    """Whether one of the two must have been changed; else RECORD is only incomplete, or written wrongly."""

    def __str__(self) -> str:
        return f"{self.name}: {self.detail}"


class Listing(NamedTuple):
    """What is in a RECORD."""

    rows: Mapping[str, Row]
    """The rows that can be held against a file, by name; neither directories nor RECORD itself."""
    faults: tuple[Mismatch, ...]
    """What is wrong in RECORD whatever the files are."""


def spelled(algorithm: str, digest: bytes) -> str:
    """Return a digest as RECORD has it (PEP 376): base64 in the alphabet for URLs, without the padding."""
    return f"{algorithm}=" + b2a_base64(digest, newline=False).translate(_URL_SAFE).decode("ascii").rstrip("=")


def parse(data: bytes, own_name: str, directories: Collection[str] = (), *, loose: bool = False) -> Listing:
    r"""Read the RECORD called *own_name* of a wheel with entries for *directories*.

    Nothing is raised; what cannot be used is in ``faults``. With *loose*, names such as ``.\a`` and ``/a`` are ``a``.
    """
    rows: dict[str, Row] = {}
    faults: list[Mismatch] = []
    signatures = never_listed(own_name) - {own_name}
    found = list(_cells(data, own_name, faults))
    names = {cells[0] for cells in found}
    if f"/{own_name}" in names and all(name.startswith("/") for name in names):  # once, not of each
        faults.append(Mismatch(own_name, f"RECORD begins all its {len(found)} names with a slash"))
        found = [[cells[0][1:], *cells[1:]] for cells in found]
    for cells in found:
        row = Row(*(*cells, "", "", "")[:3])
        if loose:
            row = row._replace(name=re.sub(r"^(\.?/)+", "", row.name.replace("\\", "/")))
        if len(cells) == 3 and (row.name.endswith("/") or row.name in directories or row.name in signatures):
            continue  # Some builders list directories and signatures; nothing else can be wrong about those.
        fault = "RECORD lists it twice" if row.name in rows else _fault(row, len(cells), own_name)
        if not fault and row.name != cells[0]:
            fault = f"RECORD spells its name {cells[0]!r}"
        if fault:
            faults.append(Mismatch(row.name, fault, rows.get(row.name, row) != row))
        if row.name != own_name:
            rows.setdefault(row.name, row)
    return Listing(rows, tuple(faults))


def never_listed(own_name: str) -> frozenset[str]:
    """Return the names that need no row: that of the RECORD *own_name*, and those of its signatures."""
    return frozenset((own_name, f"{own_name}.jws", f"{own_name}.p7s"))


def compare_names(listing: Listing, files: Collection[str]) -> tuple[Mismatch, ...]:
    """Return what is listed and not among *files*, which are those that should be, and what of them is not listed."""
    return (
        *(Mismatch(name, "RECORD lists it, the wheel has no such file") for name in listing.rows if name not in files),
        *(Mismatch(name, "RECORD does not list it") for name in files if name not in listing.rows),
    )


def compare(row: Row, size: int, digest: str) -> Mismatch | None:
    """Return in what *row* differs from a file with this *size* and *digest*, spelled by the row's algorithm; or None.

    Padding at the end of a digest is tolerated.
    """
    if row.algorithm not in ALGORITHMS:
        return None  # A fault of the row's own, which parse() has noted.
    if row.digest.rstrip("=") != digest:
        return Mismatch(row.name, f"RECORD gives {row.digest}, the file has {digest}", contradicts=True)
    # parse() has noted a size that is not a number.
    if row.size and _is_number(row.size) and int(row.size) != size:
        return Mismatch(row.name, f"RECORD gives {row.size} bytes, the file has {size}")
    return None


def examine(row: Row, content: Content) -> Mismatch | None:
    """Read *content*, and return in what *row* differs from it, or None.

    :raises ArchiveError: if the contents cannot be read.
    """
    if row.algorithm not in ALGORITHMS:
        return None
    state = hashlib.new(row.algorithm)
    size = 0
    for chunk in content.chunks():
        state.update(chunk)
        size += len(chunk)
    return compare(row, size, spelled(row.algorithm, state.digest()))


def row(name: str, sha256: bytes, size: int) -> Row:
    """Return the row of the file *name* that has this digest and size, in bytes."""
    return Row(name, spelled("sha256", sha256), str(size))


def serialise(rows: Iterable[Row], own_name: str) -> bytes:
    """Return the canonical RECORD of *rows*: sorted by the bytes of their names, the row of RECORD itself last.

    Each line ends with LF, and a cell is quoted only where it holds a comma, a quotation mark or a line end. The
    specification names the defaults of Python's csv module for reading; for writing they are not enough, as whether a
    lone CR is quoted depends on Python's version.
    """
    lines = sorted([cell.encode("utf-8", "surrogateescape") for cell in each] for each in rows)
    lines.append([own_name.encode("utf-8", "surrogateescape"), b"", b""])
    return b"".join(b",".join(map(_quoted, line)) + b"\n" for line in lines)


def difference(old: bytes, new: bytes) -> str:
    """Return in a few words how the RECORD *new* differs from *old*; nothing if it does not."""
    before, after = old.splitlines(), new.splitlines()
    changed, gone = len(set(after) - set(before)), len(set(before) - set(after))
    if changed or gone:
        dropped = f", {gone - changed} dropped" if gone > changed else ""
        return f"{changed} of {len(after)} rows written anew{dropped}"
    if before != after:
        return "rows in another order -> sorted by name"
    return "" if old == new else "line ends -> LF"


def disagreement(where: str, mismatches: Iterable[str], remedy: str) -> RecordError:
    """Return the error for files in *where* that are not what their RECORD says: every mismatch in a line."""
    lines = list(mismatches)
    count = "one mismatch" if len(lines) == 1 else f"{len(lines)} mismatches"
    more = [f"... and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []
    head = f"{where}: RECORD does not agree with the files ({count}):"
    return RecordError("\n    ".join([head, *lines[:_SHOWN], *more]), remedy=remedy)


def _cells(data: bytes, own_name: str, faults: list[Mismatch]) -> Iterator[list[str]]:
    """Give the rows that are not empty, and note in *faults* what ends the reading early."""
    import csv
    import io

    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        faults.append(Mismatch(own_name, f"it is not UTF-8 at byte {error.start}, so it cannot be read"))
        return
    # Before Python 3.11, csv reads no NUL either.
    if match := re.search("[\0\x0b\x0c\x1c-\x1e\x85\u2028\u2029]", text):
        faults.append(Mismatch(own_name, f"it holds U+{ord(match[0]):04X}, a NUL or what ends a row for pip"))
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for cells in reader:
            if cells:
                yield cells
            else:
                faults.append(Mismatch(own_name, f"line {reader.line_num} is empty, which pip cannot read"))
    except csv.Error as error:
        faults.append(Mismatch(own_name, f"line {reader.line_num} cannot be read: {error}"))


def _fault(row: Row, count: int, own_name: str) -> str:
    """Return what is wrong with a row whatever its file is, or nothing."""
    if count != 3:  # uv reads no others
        return f"its row in RECORD has {count} columns instead of 3"
    if row.name == own_name:
        return "RECORD gives a digest or size of itself" if row.digest or row.size else ""
    if "\\" in row.name:
        return "RECORD spells its name with backslashes"
    if not row.digest:
        return "RECORD gives no digest"
    if row.algorithm not in ALGORITHMS:
        return f"RECORD gives {row.digest}, which is not one of {', '.join(ALGORITHMS)}"
    return "" if not row.size or _is_number(row.size) else f"RECORD gives {row.size!r} bytes, which is not a number"


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 20


def _quoted(cell: bytes) -> bytes:
    if any(char in cell for char in b',"\r\n'):
        return b'"%b"' % cell.replace(b'"', b'""')
    return cell
