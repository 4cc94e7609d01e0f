"""Inputs that are archives of another format, too: what section 2 has before 2.1."""

from __future__ import annotations

import struct
import zlib

from support.canonical_reader import noise
from support.tars import gz, member

from conformance.case import INFO, METADATA, WHEEL, Rules, in_stored_blocks, member_of, record_of, stored, wheel
from conformance.sdist_cases import PLAIN

_SKIPPED = 31
"""Bytes of the local header of a first member whose name is one letter."""


def _summed(block: bytes) -> int:
    return sum(block[:148]) + 8 * 32 + sum(block[156:512])


def _signed(block: bytes) -> int:
    return _summed(block) - 256 * sum(byte > 127 for byte in block[:148] + block[156:512])


def _octal(number: int) -> bytes:
    return b"%06o\0 " % number


def _wheel_with_number(number: bytes, *, off: int = 0, filler: bytes = b"U", signed: bool = False) -> bytes:
    """Return a wheel whose first 512 bytes have, as a tar header's checksum, *number*, which their sum is but for *off*.

    The CRC-32 in the header changes with the contents, so that they have to be found.
    """
    wanted = int.from_bytes(number[4:], "big") if number[0] > 127 else int(number.strip(b" \0"), 8)
    summed = _signed if signed else _summed
    data = bytearray((filler * 512)[: 512 - _SKIPPED])
    data[148 - _SKIPPED : 156 - _SKIPPED] = number
    head = wheel(stored("a", bytes(data)))[:_SKIPPED]
    missing, at = wanted + off - summed(head + data), 200
    while missing:
        step = max(-40, min(40, missing)) if data[at] < 128 else 0
        data[at] += step
        missing, at = missing - step, at + 1
    for chance in range(1 << 16):
        data[:2] = b"%c%c" % (chance >> 8 & 127, chance & 127)
        # Of the header the checksum alone depends upon the contents.
        if summed(head[:14] + struct.pack("<L", zlib.crc32(data)) + head[18:] + data) == wanted + off:
            return wheel(stored("a", bytes(data)))
    raise ValueError("no contents give this sum")


def _wheel_with(data: bytes, place: int) -> bytes:
    """Return a wheel with these bytes at a place."""
    return wheel(stored("a", bytes(place - _SKIPPED) + data + bytes(2048)))


def _sdist_headed(text: bytes) -> bytes:
    """Return an sdist with a file name in its gzip header that begins at byte 10."""
    return gz(PLAIN, head=b"\x1f\x8b\x08\x08\0\0\0\0\0\xff" + text + b"\0")


def _sdist_with_number(off: int = 0) -> bytes:
    block = b"\x1f\x8b\x08\x08\0\0\0\0\0\xff".ljust(148, b"x") + b"#" * 8 + b"y" * 400
    number = b"%06o  " % (_summed(block) + off)
    return _sdist_headed(block[10:148] + number + block[156:])


def _sdist_ending(last: int) -> bytes:
    """Return an sdist whose *last* bytes begin with the signature of an end record."""
    plain = PLAIN.ljust(61440, b"\0")
    stream = in_stored_blocks(plain)
    text = b"PK\5\6" + b"y" * (last - 4 - 1 - len(stream) - 8)
    trailer = struct.pack("<LL", zlib.crc32(plain), len(plain))
    return b"\x1f\x8b\x08\x08\0\0\0\0\0\xff" + text + b"\0" + stream + trailer


def _in_two(data: bytes, at: int) -> bytes:
    """Return *data* in stored blocks, of which one ends *at* a place."""
    stream = b""
    parts = [data[:at], *(data[place : place + 65535] for place in range(at, len(data), 65535))]
    for part in parts:
        stream += struct.pack("<B2H", part is parts[-1], len(part), 0xFFFF - len(part)) + part
    return stream


def _sdist_that_becomes_a_zip_file() -> bytes:
    """Return an sdist in whose canonical form the noise stands as it is, with a signature in it."""
    data = noise(20000) + b"PK\5\6" + noise(14000)[::-1]
    plain = member_of(member(b"a-1/noise", data))
    stream = _in_two(plain, plain.index(b"PK\5\6") + 2)
    return b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + stream + struct.pack("<LL", zlib.crc32(plain), len(plain))


def _wheel_that_becomes(data: bytes, place: int) -> bytes:
    """Return a wheel in whose canonical form *data* is at a place, where it is not here: a member is before it."""
    first = noise(place - _SKIPPED) + data + noise(300)[::-1]
    files = {b"b": b"x" * 99, b"a": first, f"{INFO}/METADATA".encode(): METADATA, f"{INFO}/WHEEL".encode(): WHEEL}
    return wheel(stored("b", b"x" * 99), stored("a", first), record=record_of(files))


REFUSED_WHEELS: Rules = {
    "2 The first 512 bytes, if there are as many, MUST NOT be a tar header.": {
        "ustar": _wheel_with(b"ustar", 257),
    },
    "2 or if the number in the bytes from 148 to 155 is the sum of all 512, these 8 taken as SP, each a number from 0 to"
    " 255 or each one from -128 to 127.": {
        "tar-sum": _wheel_with_number(_octal(0o121000)),
        "tar-sum-signed": _wheel_with_number(_octal(0o41000), filler=b"\x90UUU", signed=True),
    },
    "2 The number is in octal digits, behind any SP, HT and NUL, up to any other byte;": {
        "tar-sum-behind-blanks": _wheel_with_number(b" \0" + b"121000"),
        "tar-sum-of-eight-digits": _wheel_with_number(b"00121000"),
    },
    "2 where there are none and byte 148 is `80` or more, it is in the bytes from 152 to 155, big-endian.": {
        "tar-sum-base-256": _wheel_with_number(b"\x80\0\0\0\0\0\xa2\0"),
    },
    "2 A wheel MUST NOT have `CD001` at byte 32769, nor at one of the seven places that follow it at distances of 2048"
    " bytes.": {
        "iso-9660": _wheel_with(b"CD001", 32769),
        "iso-9660-behind-others": _wheel_with(b"CD001", 32769 + 7 * 2048),
    },
    "2 A writer MUST NOT write an archive that breaks these three rules, either.": {
        "becomes-ustar": _wheel_that_becomes(b"ustar", 257),
        "becomes-iso-9660": _wheel_that_becomes(b"CD001", 32769),
    },
}
ACCEPTED_WHEELS: Rules = {
    "2 The first 512 bytes, if there are as many, MUST NOT be a tar header.": {
        "ustar-one-byte-off": _wheel_with(b"ustar", 258),
        "tar-sum-of-one-less": _wheel_with_number(_octal(0o121000), off=1),
    },
    "2 A wheel MUST NOT have `CD001` at byte 32769, nor at one of the seven places that follow it at distances of 2048"
    " bytes.": {
        "iso-9660-one-byte-off": _wheel_with(b"CD001", 32768),
    },
}
REFUSED_SDISTS: Rules = {
    "2 The first 512 bytes, if there are as many, MUST NOT be a tar header.": {
        "ustar": _sdist_headed(b"x" * 247 + b"ustar" + b"y" * 400),
        "tar-sum": _sdist_with_number(),
    },
    "2 The last 65,557 bytes of an sdist MUST NOT hold the bytes `50 4b 05 06`.": {
        "end-record": _sdist_ending(65557),
        "end-record-in-a-short-file": _sdist_headed(b"PK\5\6"),
    },
    "2 A writer MUST NOT write an archive that breaks these three rules, either.": {
        "becomes-one-with-an-end-record": _sdist_that_becomes_a_zip_file(),
    },
}
ACCEPTED_SDISTS: Rules = {
    "2 The first 512 bytes, if there are as many, MUST NOT be a tar header.": {
        "tar-sum-of-one-more": _sdist_with_number(1),
    },
    "2 The last 65,557 bytes of an sdist MUST NOT hold the bytes `50 4b 05 06`.": {
        "end-record-before-them": _sdist_ending(65558),
    },
}
