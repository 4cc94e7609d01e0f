"""Inputs at the edges of rules: what one program would take and another refuse, or take for something else."""

from __future__ import annotations

import hashlib
import struct
from base64 import urlsafe_b64encode

from support.canonical_reader import extended_header, header_block
from support.tars import (
    DATE,
    base256,
    directory,
    gnu_long,
    gz,
    hard_link,
    member,
    octal,
    pax,
    record,
    records,
    symlink,
    tar,
)
from support.zips import FULL, TEXT, Member, build, deflated, zip64
from support.zips import directory as zip_directory
from support.zips import field_of as extra_field

from conformance.case import INFO, METADATA, Input, Rules, in_stored_blocks, record_of, row, sdist, stored, wheel
from conformance.sdist_cases import EXECUTABLE, PLAIN, TOP, F, f, gnu, link, with_records
from conformance.wheel_cases import GOOD, ONE, pair, record_without, recorded
from conformance.wheel_cases import PLAIN as FILE

SHORT = len(deflated(TEXT))
PLAIN_ROWS = record_without("a", GOOD)
DIGEST = GOOD[9:-3]
"""Of the file ``a``, in base64."""
SLASHED = next(data for data in (b"%d" % number for number in range(99)) if b"_" in row(b"a", data)[9:52])
"""Contents whose digest has a character that base64 for URLs spells otherwise."""


def listed(*rows: bytes) -> bytes:
    """Return a wheel with a file ``a``, and these rows in place of its own."""
    return recorded(record_without("a", *rows))


def of_a(digest: bytes, size: bytes = b"1") -> bytes:
    return b"a,%b,%b\n" % (digest, size)


def called(name: bytes, written: bytes) -> bytes:
    """Return a wheel with a file *name*, whose row in RECORD is *written* up to the digest."""
    return wheel(stored(name, b"x"), record=record_without("a", written + GOOD[1:]))


def streamed(packed: bytes, data: bytes = b"") -> bytes:
    return wheel(FILE, Member(b"d", data, packed=packed))


def bits(text: str) -> bytes:
    """Return bits as deflate has them: each byte's from the lowest on."""
    plain = text.replace(" ", "")
    return int(plain[::-1], 2).to_bytes((len(plain) + 7) // 8, "little")


def named(file: str, data: bytes = ONE) -> Input:
    return Input(data, file)


def epoch(text: str, date: int | None = None) -> Input:
    return Input(ONE, date=date, epoch=text)


FAKE_END = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0, 0, 0, 0, 22)
"""An end record with a comment as long as the end record behind it."""


def ends_with_extra(data: bytes) -> bytes:
    """Return a wheel whose central directory ends with an extra field of these data."""
    files = {b"a-1.dist-info/METADATA": b"x", b"a-1.dist-info/WHEEL": b"x", b"pkg/a.py": TEXT}
    inside = (stored(name, b"x") for name in files if name != b"pkg/a.py")
    last = Member(extra=extra_field(0x7777, data), local={"extra": b""})
    return build(*inside, stored(f"{INFO}/RECORD", record_of(files)), last)


ZIP64_DISK = extra_field(1, struct.pack("<L", 0))

WHEELS_REFUSED: Rules = {
    "2.1 MUST NOT have more than 128 components;": {
        "name-129-components": wheel(stored("d/" * 128 + "f", b"x")),
    },
    "2.2 All files together MUST NOT have more than 67,108,864 bytes, or 70 times the size of the wheel's file if that is"
    " more.": {
        "unpacks-to-too-much": wheel(Member(b"zeros", bytes(67_108_865))),
    },
    "2.2 A ZIP64 locator stands before it if, 20 bytes before it, a locator's signature does, whatever that is part of.": {
        "zip64-locator-in-an-extra-field": ends_with_extra(b"PK\6\7" + bytes(16)),
    },
    "2.2 The end record is at the first place, within the file's last 65,557 bytes, from which such a record and its"
    " comment reach to the file's end.": {
        "end-in-an-extra-field": ends_with_extra(FAKE_END),
    },
    "2.2 Its numbers of disks MUST be 0 and its two numbers of entries equal, even if there is a ZIP64 end record.": {
        "zip64-and-full-disk": wheel(FILE, end64={}, end={"disk": 0xFFFF}),
        "zip64-and-full-disk-of-directory": wheel(FILE, end64={}, end={"first_disk": 0xFFFF}),
        "zip64-and-one-full-number": wheel(FILE, end64={}, end={"here": 0xFFFF}),
    },
    "2.2 Control characters are here the bytes `00` to `1f` and `7f`; bytes from `80` on may be anything, in any"
    " encoding.": {
        "comment-del": wheel(FILE, comment=b"a\x7fb"),
        "comment-vertical-tab": wheel(FILE, comment=b"a\x0bb"),
        "comment-of-member-nul": wheel(Member(comment=b"a\0")),
    },
    "2.2 It is a number of two bytes, so the second is 0;": {
        "version-second-byte": wheel(Member(needed=3 << 8 | 20)),
        "version-second-byte-in-local-header": wheel(Member(local={"needed": 1 << 8 | 10})),
    },
    "2.2 It is one that zlib's `inflate` takes: `01 00 00 ff ff`, an empty stored block, is a whole one, and `00 00 00 ff ff` is"
    " none. Bits that are left over in a byte may be anything.": {
        "stream-flushed-and-not-finished": streamed(b"\0\0\0\xff\xff"),
        "stream-block-type-3": streamed(bits("1 11 00000")),
        "stream-length-of-a-stored-block": streamed(b"\1\1\0\xff\xffx", b"x"),
        "stream-distance-too-far": streamed(bits("1 10 00110000 0000001 00001 0000000"), b"\0" * 4),
        "stream-distance-code-30": streamed(bits("1 10 00110000 0000001 11110 0000000"), b"\0" * 4),
        "stream-length-code-286": streamed(bits("1 10 00110000 11000110 00000 0000000"), b"\0" * 4),
        "stream-without-an-end-of-block": streamed(bits("1 10 00110000 00110000"), b"\0\0"),
        "stream-287-codes": streamed(bits("1 01 01111 00000 0000") + bytes(9)),
        "directory-stored-block": wheel(FILE, zip_directory(b"d/", method=8, packed=b"\1\0\0\xff\xff")),
        "directory-other-last-bits": wheel(FILE, zip_directory(b"d/", method=8, packed=b"\3\xfc")),
    },
    "2.2 The values are size, compressed size, offset and, in 4 bytes, the disk, in this order.": {
        "zip64-disk-1": wheel(Member(disk=0xFFFF, extra=extra_field(1, struct.pack("<L", 1)), local={"extra": b""})),
        "zip64-full-disk-and-none": wheel(Member(disk=0xFFFF)),
        "zip64-local-size-and-both": wheel(Member(local={"size": FULL, "extra": zip64(len(TEXT), SHORT)})),
    },
    "2.2 The mode is the upper half of the external attributes, whatever system made them.": {
        "type-symbolic-link-made-by-dos": wheel(FILE, stored("l", b"pkg/a.py", external=0o120777 << 16, made_by=20)),
    },
    "2.2 A wheel's file is called NAME-VERSION-PYTHON-ABI-PLATFORM.whl, or NAME-VERSION-BUILD-PYTHON-ABI-PLATFORM.whl"
    " where BUILD begins with an ASCII digit. No part is empty or holds a hyphen.": {
        "file-two-parts": named("a-1.whl"),
        "file-four-parts": named("a-1-py3-none.whl"),
        "file-build-without-a-digit": named("a-1-b2-py3-none-any.whl"),
        "file-build-of-another-digit": named("a-1-\u0662-py3-none-any.whl"),
        "file-empty-part": named("a-1--none-any.whl"),
        "file-seven-parts": named("a-1-2-py3-none-any-x.whl"),
    },
    "2 A file whose name ends in `.whl` is a wheel, one whose name ends in `.tar.gz` an sdist, in these letters. A"
    " writer MUST refuse any other.": {
        "file-upper-case": named("a-1-py3-none-any.WHL"),
        "file-zip": named("a-1-py3-none-any.zip"),
        "file-wheel-called-sdist": named("a-1.tar.gz"),
    },
    "3 The value of `SOURCE_DATE_EPOCH` is one or more ASCII digits and nothing else, no sign and no blank; zeros in front"
    " do not count. A writer MUST refuse any other value, an empty one, too;": {
        "source-date-epoch-empty": epoch(""),
        "source-date-epoch-with-a-sign": epoch("+1600000000"),
        "source-date-epoch-with-a-blank": epoch(" 1600000000"),
        "source-date-epoch-with-a-line-feed": epoch("1600000000\n"),
        "source-date-epoch-with-a-fraction": epoch("1600000000.0"),
        "source-date-epoch-of-other-digits": epoch("\u0661\u0666\u0660"),
        "source-date-epoch-in-hexadecimal": epoch("0x10"),
        "source-date-epoch-beyond-64-bits": epoch("18446744073709551617"),
        "source-date-epoch-with-an-underscore": epoch("1_600"),
    },
    "7.5 behind the mark that ends it MUST stand a comma, the row's end or RECORD's.": {
        "record-text-after-a-quotation-mark": listed(b'"a"b' + GOOD[1:]),
        "record-blank-after-a-quotation-mark": listed(b'"a" ' + GOOD[1:]),
        "record-quoted-and-not-doubled": called(b'a"b', b'"a"b"'),
        "record-quotation-marks-alone": listed(GOOD, b'""\n'),
    },
    "7.5 Blanks belong to their cell, a byte order mark to the first name,": {
        "record-blank-before-a-name": listed(b" " + GOOD),
        "record-blank-before-a-digest": listed(of_a(b" " + GOOD[2:-3])),
        "record-blank-before-a-quotation-mark": listed(b' "a"' + GOOD[1:]),
        "record-blank-after-a-size": listed(of_a(GOOD[2:-3], b"1 ")),
        "record-byte-order-mark": wheel(stored("a", b"x"), record=b"\xef\xbb\xbf" + GOOD + record_without("a")),
        "record-row-of-a-blank": listed(GOOD, b" \n"),
    },
    "7.5 RECORD MUST NOT hold a NUL.": {
        "record-nul-in-a-directory": listed(GOOD, b"d\0/,,\n"),
        "record-nul-in-a-digest": listed(of_a(GOOD[2:-3] + b"\0")),
    },
    "7.5 Nor may it hold VT, FF, U+001C to U+001E, U+0085, U+2028 or U+2029: pip ends a row there.": {
        f"record-directory-with-{code:04x}": listed(GOOD, f"d{chr(code)}/,,\n".encode())
        for code in (0x0B, 0x0C, 0x1C, 0x1E, 0x85, 0x2028, 0x2029)
    },
    "7.5 A name is compared with the members' as it is: it is no path, no URL, and in no normal form.": {
        "record-dot-in-front": listed(b"./" + GOOD),
        "record-slash-in-front": listed(b"/" + GOOD),
        "record-name-in-upper-case": listed(b"A" + GOOD[1:]),
        "record-name-decomposed": called("é".encode(), "e\u0301".encode()),
        "record-percent": called(b"a b", b"a%20b"),
        "record-directory-without-a-member": wheel(
            stored("a", b"x"), stored("d/e", b"x"), record=record_without("a", GOOD, row(b"d/e", b"x"), b"d,,\n")
        ),
    },
    "7.5 It MUST list every other file of the wheel but `RECORD.jws` and `RECORD.p7s`, each once, with a digest by"
    " SHA-256, SHA-384 or SHA-512 that is right, and a size that is right or empty.": {
        "record-without-the-reserved-date-file": wheel(
            stored("a", b"x"), stored(".source-date-epoch", b"1600000000\n"), record=PLAIN_ROWS
        ),
    },
    "7.5 A digest is `sha256=`, `sha384=` or `sha512=`, in lower case, and the bytes in URL-safe base64.": {
        "record-algorithm-in-upper-case": listed(of_a(b"SHA256=" + DIGEST)),
        "record-algorithm-with-a-hyphen": listed(of_a(b"sha-256=" + DIGEST)),
        "record-digest-in-the-other-alphabet": wheel(
            stored("a", SLASHED),
            record=record_without("a", row(b"a", SLASHED).replace(b"_", b"/").replace(b"-", b"+")),
        ),
        "record-digest-without-an-algorithm": listed(of_a(DIGEST)),
        "record-digest-of-more-bits": listed(of_a(b"sha256=" + DIGEST[:-1] + b"F")),
        "record-equals-signs-alone": listed(of_a(b"sha256===")),
        "record-equals-sign-within": listed(of_a(b"sha256=" + DIGEST[:20] + b"=" + DIGEST[20:])),
    },
    "7.5 A size is digits of ASCII, at most 19, of which the first may be zeros.": {
        "record-size-with-a-sign": listed(of_a(GOOD[2:-3], b"+1")),
        "record-size-negative": listed(of_a(GOOD[2:-3], b"-1")),
        "record-size-of-20-digits": listed(of_a(GOOD[2:-3], b"1".rjust(20, b"0"))),
        "record-size-of-other-digits": listed(of_a(GOOD[2:-3], "\u0661".encode())),
        "record-size-with-a-fraction": listed(of_a(GOOD[2:-3], b"1.0")),
        "record-size-modulo-two-to-the-64": listed(of_a(GOOD[2:-3], b"18446744073709551617")),
    },
}

WHEELS_ACCEPTED: Rules = {
    "2.1 MUST NOT have more than 128 components;": {
        "name-128-components": wheel(stored("d/" * 127 + "f", b"x")),
    },
    "2.1 Only the names of members are compared so: directories that are no members, but lie above some, may be one name.": {
        "parents-that-differ-in-case": pair("pkg/a", "PKG/b"),
        "parents-decomposed": pair("é/a", "e\u0301/b"),
        "parent-that-is-a-member": wheel(zip_directory(b"pkg/"), stored("PKG/b", b"x")),
    },
    "2.1 case-folded (Unicode, full folding)": {
        "not-one-dotless-i": pair("\u0131", "i"),
        "not-one-full-width": pair("\uff41", "a"),
        "not-one-superscript": pair("x\u00b2", "x2"),
        "not-one-accent": pair("\u00e9", "e"),
        "not-one-dot-within": pair("a.b", "ab"),
        "not-one-no-break-blank": pair("a\u00a0", "a"),
    },
    "2.2 The end record is at the first place,": {
        "end-signature-before-the-end": wheel(stored("a", b"PK\5\6" + bytes(18))),
    },
    "2.2 bytes from `80` on may be anything, in any encoding.": {
        "comment-not-utf-8": wheel(FILE, comment=b"\x80\x9b\xff"),
        "comment-of-member-not-utf-8": wheel(Member(comment=b"caf\xe9 \x85")),
        "comment-u+0085": wheel(FILE, comment="\x85\u202e".encode()),
    },
    "2.2 that of a ZIP64 end record does not matter.": {
        "zip64-end-of-a-later-version": wheel(FILE, end64={"needed": 62, "made_by": 63}),
    },
    "2.2 It is one that zlib's `inflate` takes: `01 00 00 ff ff`, an empty stored block, is a whole one, and `00 00 00 ff ff` is"
    " none. Bits that are left over in a byte may be anything.": {
        "stream-empty-stored-block": streamed(b"\1\0\0\xff\xff"),
        "stream-flushed-and-finished": streamed(b"\0\0\0\xff\xff\3\0"),
        "stream-other-last-bits": streamed(b"\3\xfc"),
        "stream-other-bits-before-a-stored-block": streamed(b"\xf9\0\0\xff\xff"),
        "stream-overlapping-match": streamed(bits("1 10 00110000 0000001 00000 0000000"), b"\0" * 4),
        "stream-length-258-by-code-284": streamed(bits("1 10 00110000 11000100 11111 00000 0000000"), b"\0" * 259),
        "stream-of-three-blocks": streamed(in_stored_blocks(b"xy")[:6] + in_stored_blocks(b"yy")[:6] + b"\3\0", b"xy"),
    },
    "2.2 and, in 4 bytes, the disk, in this order.": {
        "zip64-disk": wheel(Member(disk=0xFFFF, extra=ZIP64_DISK, local={"extra": b""})),
        "zip64-local-size-alone": wheel(Member(local={"size": FULL, "extra": zip64(len(TEXT))})),
    },
    "2.2 The mode is the upper half of the external attributes, whatever system made them.": {
        "made-by-another-system": wheel(Member(made_by=19 << 8 | 63)),
    },
    "2.2 Times, dates and versions of the two headers may differ, and need be none that there are.": {
        "local-time": wheel(Member(local={"time": 1, "date": 33})),
        "local-version": wheel(Member(local={"needed": 10})),
        "date-that-is-none": wheel(Member(time=0xFFFF, date=0xFFFF)),
        "date-of-zeros": wheel(Member(time=0, date=0)),
    },
    "2.2 `COM` or `LPT` followed by one of `1` to `9`, `¹`, `²` and `³`; in upper or lower case, alone or before any"
    " blanks and a dot.": {
        "no-device-by-a-dotless-i": wheel(stored("con\u0131n$", b"x")),
        "no-device-com10": wheel(stored("com10", b"x")),
        "no-device-with-a-blank": wheel(stored("nul x", b"x")),
        "no-device-in-a-suffix": wheel(stored("a.con", b"x")),
        "no-device-com-superscript-4": wheel(stored("com\u2074", b"x")),
    },
    "2.2 METADATA and WHEEL may be missing.": {
        "record-alone": build(stored(f"{INFO}/RECORD", b"")),
        "extra-field-at-the-end": ends_with_extra(bytes(20)),
    },
    "2.2 and only `.dist-info` in these letters.": {
        "another-dist-info-in-upper-case": wheel(FILE, stored("b-1.DIST-INFO/a", b"x")),
        "name-with-a-semicolon": wheel(FILE, stored("d;1/a;b", b"x")),
        "name-with-digits-that-are-not-ascii": wheel(FILE, stored("a;\u0661", b"x")),
        "name-with-variation-selectors": wheel(FILE, stored("\u2764\ufe0f\U000e0100", b"x")),
        "another-dist-info-deeper": wheel(FILE, stored("d/b-1.dist-info/METADATA", b"x")),
    },
    "2.2 NAME-VERSION being taken as one text.": {
        "file-of-a-local-version": named("a-1+b.c-py3-none-any.whl", wheel(FILE, info="a-1+b.c.dist-info")),
        "file-other-hyphen": named("a-1.2-py3-none-any.whl", wheel(FILE, info="a_1-2.dist-info")),
        "file-not-normalized": named("A.b-1_0-py3-none-any.whl", wheel(FILE, info="a__B-1.0.dist-info")),
        "file-of-many-tags": named("a-1-1-py2.py3-none-any.whl"),
    },
    "3 zeros in front do not count.": {
        "source-date-epoch-with-zeros": epoch("00000000000000000000000000001600000000"),
        "source-date-epoch-0": epoch("0"),
    },
    "3 where the user gives a date, it is not looked at.": {
        "source-date-epoch-not-looked-at": epoch("yesterday", DATE),
    },
    "5.10 This holds for all files of the wheel, RECORD among them.": {
        "mode-of-record": build(
            *(stored(f"{INFO}/{name}", b"x") for name in ("METADATA", "WHEEL")),
            stored(
                f"{INFO}/RECORD",
                row(b"a-1.dist-info/METADATA", b"x") + row(b"a-1.dist-info/WHEEL", b"x"),
                external=0o100755 << 16,
            ),
        ),
    },
    "7.5 A cell is quoted if its first character is a quotation mark. In it, commas and line ends are text, and two"
    " quotation marks are one;": {
        "record-quotation-mark-within": called(b'a"b', b'a"b'),
        "record-quotation-mark-doubled": called(b'a"b', b'"a""b"'),
        "record-all-quoted": listed(b'"a","%b","1"\n' % GOOD[2:-3]),
        "record-line-end-in-quotes": listed(GOOD, b'"d\r\n\ne/",,\n'),
        "record-quoted-comma": called(b"a,b", b'"a,b"'),
    },
    "7.5 whether rows end in LF, CR LF or CR.": {
        "record-cr": recorded(PLAIN_ROWS.replace(b"\n", b"\r")),
        "record-ends-mixed": recorded(PLAIN_ROWS.replace(b"\n", b"\r", 1).replace(b"\n", b"\r\n", 1)),
    },
    "7.5 `=` at the end of a digest,": {
        "record-one-equals-sign": listed(of_a(GOOD[2:-3] + b"=")),
        "record-three-equals-signs": listed(of_a(GOOD[2:-3] + b"===")),
        "record-sha512-padded": listed(
            of_a(b"sha512=" + urlsafe_b64encode(hashlib.sha512(b"x").digest())),
        ),
    },
    "7.5 A size is digits of ASCII, at most 19, of which the first may be zeros.": {
        "record-size-with-zeros": listed(of_a(GOOD[2:-3], b"001")),
        "record-size-of-19-digits": listed(of_a(GOOD[2:-3], b"1".rjust(19, b"0"))),
    },
    "7.5 Rows for directories, `RECORD.jws` and `RECORD.p7s` may hold any digest and size.": {
        "record-directory-with-a-digest": listed(GOOD, b"d/,sha256=x,one\n"),
        "record-directory-twice": listed(GOOD, b"d/,,\n", b"d/,x,\n"),
        "record-directory-alone": listed(GOOD, b"/,,\n"),
        "record-signature-that-is-not-there": listed(GOOD, b"a-1.dist-info/RECORD.jws,,\n"),
        "record-signatures": listed(GOOD, b"a-1.dist-info/RECORD.p7s,md5=x,one\n"),
    },
    "7.5 It may stand there more than once.": {
        "record-its-own-row-twice": listed(GOOD, b"a-1.dist-info/RECORD,,\n"),
        "record-its-own-row-first": recorded(b"a-1.dist-info/RECORD,,\n" + PLAIN_ROWS),
    },
}


def times(value: bytes) -> bytes:
    return with_records(records(mtime=value))


def owner(value: bytes) -> bytes:
    return with_records(records(uid=value))


def one_link(target: bytes) -> bytes:
    return link(target, b"a-1/d/l", F)


def spelled(name: str) -> bytes:
    """Return a file whose name is given by a PAX record, as bsdtar needs it to bring names to one form."""
    return pax(records(path=name)) + member(b"a-1/x", b"data")


LONG_TARGET = b"/".join([b"t" * 240] * 17)
"""Of 4096 bytes."""
MANY_STEPS = b"/".join([b"d"] * 2041)
"""A link a-1/lNNN to it takes 2044 steps: 1, 2 and 2041."""


def tiring(*last: bytes) -> bytes:
    """Return an sdist with 128 links that take 2044 steps each, 512 fewer than are allowed, and other members."""
    links = (pax(records(linkpath=MANY_STEPS)) + symlink(b"a-1/l%03d" % number, b"d") for number in range(128))
    return sdist(F, *links, *last)


LAST = b"/".join([b"d"] * 509)
"""With it, a link a-1/z takes 512."""


def otherwise_canonical(*members: tuple[str, str]) -> bytes:
    """Return an sdist in which nothing but its names and targets is wrong: names, each with a target if it is a link."""
    parts = []
    for name, target in sorted((name.encode(), target.encode()) for name, target in members):
        header = header_block(name, 0o777 if target else 0o644, 0, DATE, (b"2" if target else b"0") + target)
        parts.append(extended_header(name, target, 0, DATE) + header)
    return gz(tar(*parts))


NEEDED = ("a-1/PKG-INFO", "")
SDISTS_REFUSED: Rules = {
    "2.1 MUST NOT have more than 128 components;": {
        "otherwise-canonical-129-components": otherwise_canonical(NEEDED, ("a-1/" + "d/" * 127 + "f", "")),
        "name-129-components": sdist(pax(records(path=b"a-1/" + b"d/" * 127 + b"f")) + F),
    },
    "2 A writer MUST refuse any other.": {
        "file-tgz": Input(sdist(F), "a-1.tgz"),
        "file-upper-case": Input(sdist(F), "a-1.TAR.GZ"),
        "file-sdist-called-wheel": Input(sdist(F), "a-1-py3-none-any.whl"),
    },
    "2.3 (GNU: a byte `80`, or `ff` for a negative number in two's complement, then the number, big-endian). No other byte"
    " marks base 256.": {
        "size-base-256-with-bits-in-the-mark": f(size=b"\x81" + bytes(10) + b"\4"),
        "mode-base-256-of-mark-c0": f(mode=b"\xc0" + bytes(5) + b"\1\xa4"),
        "size-base-256-huge": f(size=base256(1 << 80, 12)),
        "pax-header-of-negative-size": sdist(pax(records(path="a-1/f"), size=base256(-1, 12)) + F),
        "mtime-negative-and-too-large": f(mtime=base256(-(1 << 62), 12)),
        "uid-of-all-ones": f(uid=b"\xff" * 8),
    },
    "2.3 Fields keep this even if a record takes their place, and global records even if a member's own do.": {
        "uid-negative-and-a-record": sdist(pax(records(uid="5")) + member(b"a-1/f", uid=base256(-2, 8))),
        "gid-too-large-and-a-record": sdist(pax(records(gid="5")) + member(b"a-1/f", gid=base256(1 << 32, 8))),
        "mtime-too-large-and-records": sdist(
            pax(records(mtime="5", atime="5", ctime="5")) + member(b"a-1/f", mtime=base256(1 << 62, 12))
        ),
        "pax-uid-too-large-for-all-and-another": sdist(
            pax(records(uid="4294967296"), typeflag=b"g") + pax(records(uid="5")) + F
        ),
        "pax-mtime-for-all-and-another": sdist(pax(records(mtime="x"), typeflag=b"g") + pax(records(mtime="5")) + F),
        "uid-negative-of-a-link": sdist(symlink(b"a-1/l", b"PKG-INFO", uid=base256(-2, 8)), F),
    },
    "2.3 A number in a PAX record (`uid`, `gid`, `size` and the times) is digits of ASCII, from 1 to 20, and nothing else"
    " but a minus before them.": {
        "pax-uid-empty": owner(b""),
        "pax-uid-with-a-plus": owner(b"+5"),
        "pax-uid-with-a-blank": owner(b" 5"),
        "pax-uid-with-a-blank-behind": owner(b"5 "),
        "pax-uid-with-a-line-feed": owner(b"5\n"),
        "pax-uid-with-a-nul": owner(b"5\0"),
        "pax-uid-with-a-fraction": owner(b"5.0"),
        "pax-uid-in-hexadecimal": owner(b"0x5"),
        "pax-uid-of-21-digits": owner(b"0" * 20 + b"5"),
        "pax-uid-minus-alone": owner(b"-"),
        "pax-uid-of-other-digits": owner("\u0665".encode()),
        "pax-size-of-21-digits": with_records(records(size=b"0" * 20 + b"4")),
        "pax-size-with-a-plus": with_records(records(size="+4")),
    },
    "2.3 A point and up to 40 digits may follow in a time.": {
        "pax-mtime-with-an-exponent": times(b"1e9"),
        "pax-mtime-with-a-plus": times(b"+5"),
        "pax-mtime-begins-with-a-point": times(b".5"),
        "pax-mtime-point-alone": times(b"."),
        "pax-mtime-two-points": times(b"1.2.3"),
        "pax-mtime-with-a-comma": times(b"1,5"),
        "pax-mtime-with-a-blank": times(b" 5"),
        "pax-mtime-nan": times(b"nan"),
        "pax-mtime-with-an-underscore": times(b"1_0"),
        "pax-mtime-of-21-digits": times(b"0" * 20 + b"5"),
        "pax-mtime-of-41-digits-behind-the-point": times(b"1." + b"0" * 41),
        "pax-mtime-2-to-the-62": times(b"4611686018427387904"),
        "pax-mtime-minus-2-to-the-62": times(b"-4611686018427387904.0"),
        "pax-mtime-for-all": sdist(pax(records(mtime="x"), typeflag=b"g") + F),
        "pax-ctime-for-all": sdist(pax(records(ctime="x"), typeflag=b"g") + F),
    },
    "2.3 `ISO-IR 10646 2000 UTF-8` the only value that `hdrcharset` may have.": {
        "pax-charset-utf-8": with_records(records(hdrcharset="UTF-8")),
        "pax-charset-in-lower-case": with_records(records(hdrcharset="iso-ir 10646 2000 utf-8")),
        "pax-charset-latin-1": with_records(records(hdrcharset="ISO-IR 8859 1 1998")),
        "pax-charset-empty": with_records(records(hdrcharset="")),
    },
    "2.3 An empty value is a value: it takes nothing back, and is neither a number nor a name.": {
        "pax-target-empty": sdist(pax(records(linkpath="")) + symlink(b"a-1/l", b"f")),
        "pax-path-empty-for-a-directory": sdist(F, pax(records(path="")) + directory(b"a-1/d/")),
        "pax-mtime-empty": times(b""),
        "pax-uid-empty-after-a-global-one": sdist(pax(records(uid="5"), typeflag=b"g") + pax(records(uid="")) + F),
    },
    "2.3 A record's LENGTH is at most 19 digits, of which the first may be zeros.": {
        "pax-length-of-20-digits": with_records(b"00000000000000000025 k=x\n"),
        "pax-length-with-a-plus": with_records(b"+10 k=abc\n"),
        "pax-length-with-a-blank": with_records(b" 10 k=abc\n"),
        "pax-length-in-hexadecimal": with_records(b"0xb k=abc\n"),
        "pax-length-and-a-tab": with_records(b"9\tk=abc\n"),
        "pax-line-feed-before-a-record": with_records(b"\n" + records(comment="x")),
    },
    "2.3 Its keyword ends before the first `=`, has from 1 to 300 bytes, neither LF nor NUL, and MUST NOT begin with a"
    " blank or HT: GNU tar passes over these.": {
        "pax-keyword-after-two-blanks": with_records(record(" path", b"a-1/g")),
        "pax-keyword-after-a-tab": with_records(record("\tpath", b"a-1/g")),
        "pax-keyword-with-a-nul": with_records(record("a\0b", b"x")),
        "pax-keyword-with-a-line-feed": with_records(record("a\nb", b"x")),
        "pax-keyword-of-302-bytes": with_records(record("é" * 151, b"")),
        "pax-keyword-twice-with-one-value": with_records(records(comment="x") * 2),
    },
    "2.3 an LF, digits, a blank, at least one byte but `=` (LF may be among them) and `=`.": {
        "pax-record-over-lines-in-a-value": with_records(records(comment="x\n5 a\nb=c")),
        "pax-record-of-another-length-in-a-value": with_records(records(comment="x\n1 a=")),
    },
    "2.3 These are beginnings of keywords.": {
        "pax-keyword-begins-with-realsize": with_records(records(SCHILY_realsize2="9")),
        "pax-keyword-begins-with-dumpdir": with_records(records(GNU_dumpdirs="x")),
    },
    "2.3 There is one if the byte at 345 is not NUL, whatever GNU has there.": {
        "prefix-with-gnu-magic-of-a-directory": sdist(
            F, directory(b"d/", prefix=b"a-1", magic=b"ustar ", version=b" \0")
        ),
        "prefix-of-one-byte-with-gnu-magic": sdist(gnu(b"a-1/f", prefix=b"0")),
        "prefix-with-a-slash": sdist(member(b"f", prefix=b"a-1/")),
        "prefix-absolute": sdist(member(b"f", prefix=b"/a-1")),
        "prefix-of-a-pax-header-with-gnu-magic": sdist(
            pax(records(comment="x"), prefix=b"x", magic=b"ustar ", version=b" \0") + F
        ),
    },
    "2.3 What is said of magic, checksum, numbers and prefix holds for the headers of extended headers, too; nothing else in"
    " those matters but type and size.": {
        "pax-header-with-another-magic": sdist(pax(records(comment="x"), magic=b"ustart") + F),
        "pax-header-with-no-mode": sdist(pax(records(comment="x"), mode=b"rw-r--r-") + F),
        "pax-header-with-no-time": sdist(pax(records(comment="x"), mtime=b" " * 12) + F),
        "pax-header-with-a-wrong-checksum": sdist(pax(records(comment="x"), checksum=b"0000000\0") + F),
    },
    "2.3 A name that ends in a slash MUST be a directory's.": {
        "file-with-a-slash-by-pax": sdist(pax(records(path="a-1/f/")) + member(b"a-1/f", b"data")),
        "hard-link-with-a-slash-by-gnu": sdist(F, gnu_long(b"L", b"a-1/h/\0") + hard_link(b"a-1/h", b"a-1/f")),
    },
    "2.3 A hard link's target is the name of a file, byte by byte as its header gives it.": {
        "hard-link-to-a-name-with-dot": sdist(F, hard_link(b"a-1/h", b"./a-1/f")),
        "hard-link-beside-itself": sdist(F, hard_link(b"a-1/h", b"f")),
        "hard-link-with-slash-at-the-end": sdist(F, hard_link(b"a-1/h", b"a-1/f/")),
        "hard-link-to-nothing-named": sdist(F, hard_link(b"a-1/h", b"")),
    },
    "2.3 Before that, `.` and empty components may stand. It may hold control characters, and is kept as it is.": {
        "otherwise-canonical-target-parent-later": otherwise_canonical(NEEDED, ("a-1/l", "x/../f")),
        "otherwise-canonical-target-out": otherwise_canonical(NEEDED, ("a-1/l", "../a-1/f")),
        "target-parent-at-the-end": one_link(b"x/.."),
        "target-parent-after-two-slashes": one_link(b"x//../f"),
        "target-parent-after-a-dot": one_link(b"x/./../f"),
        "target-up-down-and-up": sdist(F, symlink(b"a-1/d/e/l", b"../x/../f")),
        "target-slash": one_link(b"/"),
        "target-slashes": one_link(b"//a-1/f"),
        "target-drive-in-lower-case": one_link(b"z:"),
    },
    "2.3 A link takes as many as directories lie above it, and one for each component of its own name, of its target and"
    " of the targets of other links on the way, `.`, `..` and empty ones, too.": {
        "links-of-262145-steps": tiring(pax(records(linkpath=LAST + b"/d")) + symlink(b"a-1/z", b"d")),
        "links-of-262145-steps-by-a-slash": tiring(pax(records(linkpath=LAST + b"/")) + symlink(b"a-1/z", b"d")),
        "links-of-262145-steps-by-dots": tiring(
            pax(records(linkpath=b"./" * 200 + b"/".join([b"d"] * 310))) + symlink(b"a-1/z", b"d")
        ),
    },
    "2.3 Two names MUST NOT be the same in normal form C (UAX 15), nor may a member lie beneath a name that is in this"
    " form the same as a file's or link's:": {
        "names-order-of-marks": sdist(spelled("a-1/a\u0323\u0307"), spelled("a-1/a\u0307\u0323")),
        "names-hangul": sdist(spelled("a-1/\ud55c"), spelled("a-1/\u1112\u1161\u11ab")),
        "names-never-composed": sdist(spelled("a-1/\u0958"), spelled("a-1/\u0915\u093c")),
        "names-ohm": sdist(spelled("a-1/\u2126"), spelled("a-1/\u03a9")),
        "names-with-parents-decomposed": sdist(spelled("a-1/é/f"), spelled("a-1/e\u0301/f")),
        "directory-and-file-decomposed": sdist(F, directory("a-1/é/".encode()), spelled("a-1/e\u0301")),
        "otherwise-canonical-decomposed": otherwise_canonical(NEEDED, ("a-1/é", ""), ("a-1/e\u0301", "")),
        "otherwise-canonical-beneath-a-file": otherwise_canonical(NEEDED, ("a-1/é", ""), ("a-1/e\u0301/f", "")),
        "beneath-a-file-decomposed": sdist(spelled("a-1/é"), spelled("a-1/e\u0301/f")),
        "beneath-a-file-decomposed-later": sdist(spelled("a-1/e\u0301/f"), spelled("a-1/é")),
    },
    "2.3 No member may have a name, or lie beneath one, that is one with the name of a symbolic link": {
        "otherwise-canonical-link-by-case": otherwise_canonical(NEEDED, ("a-1/l", "PKG-INFO"), ("a-1/L", "")),
        "otherwise-canonical-beneath-a-link-by-case": otherwise_canonical(NEEDED, ("a-1/l", "x"), ("a-1/L/f", "")),
        "link-and-file-ignored-by-hfs": sdist(symlink(b"a-1/l", b"f"), F, member("a-1/\u200cl".encode())),
        "link-and-file-decomposed": sdist(symlink("a-1/é".encode(), b"f"), F, spelled("a-1/e\u0301")),
    },
}

SDISTS_ACCEPTED: Rules = {
    "2 A file whose name ends in `.whl` is a wheel, one whose name ends in `.tar.gz` an sdist, in these letters.": {
        "file-of-another-name": Input(sdist(F), "b.tar.gz"),
        "file-of-another-version": Input(sdist(F), "a-2.tar.gz"),
    },
    "2.1 MUST NOT have more than 128 components;": {
        "name-128-components": sdist(pax(records(path=b"a-1/" + b"d/" * 126 + b"f")) + F),
    },
    "2.3 (GNU: a byte `80`, or `ff` for a negative number in two's complement, then the number, big-endian). No other byte"
    " marks base 256.": {
        "mode-negative": f(mode=base256(-1, 8)),
        "mode-huge": f(mode=base256((1 << 54) + 0o755, 8)),
        "mode-negative-and-not-executable": f(mode=base256(-0o200, 8)),
        "devices-negative-and-huge": f(devmajor=base256(-1, 8), devminor=base256((1 << 56) - 1, 8)),
        "mtime-base-256-least": f(mtime=base256(1 - (1 << 62), 12)),
        "mtime-base-256-most": f(mtime=base256((1 << 62) - 1, 12)),
        "uid-base-256-most": f(uid=base256((1 << 32) - 1, 8)),
    },
    "2.3 A number in octal is digits, none if it is zero;": {
        "numbers-empty": f(mode=b"", uid=b"", gid=b"", mtime=b""),
        "number-of-a-blank-and-nuls": f(mode=b" "),
        "numbers-without-zeros": f(size=b"4", mode=b"644"),
        "numbers-with-nuls-and-blanks-behind": f(size=b"4 \0 \0\0  ", mode=b"644\0 \0"),
        "size-of-twelve-digits": f(size=b"000000000004"),
    },
    "2.3 No other record contradicts a field.": {
        "pax-owners-and-other-fields": sdist(
            pax(records(uid="5", gid="6", mtime="7", uname="a")) + member(b"a-1/f", uid=octal(1, 8), uname=b"b")
        ),
        "pax-path-and-a-field-not-utf-8": sdist(pax(records(path="a-1/f")) + member(b"\xff\xfe", b"data")),
        "pax-path-and-an-empty-field": sdist(pax(records(path="a-1/f")) + member(b"", b"data")),
        "pax-path-and-a-field-that-leads-out": sdist(pax(records(path="a-1/f")) + member(b"../../x", b"data")),
        "pax-target-and-another-field": sdist(pax(records(linkpath="f")) + symlink(b"a-1/l", b"/etc/passwd"), F),
        "pax-own-record-before-a-global-one": sdist(
            pax(records(mtime="6", uid="6"), typeflag=b"g") + pax(records(mtime="5", uid="5")) + F
        ),
    },
    "2.3 Targets are looked at of links only.": {
        "pax-target-of-a-file": with_records(records(linkpath="\0/..")),
        "gnu-target-of-a-file": sdist(gnu_long(b"K", b"../../x\0") + F),
        "two-targets-of-a-file": sdist(gnu_long(b"K", b"x\0") + pax(records(linkpath="y")) + F),
        "field-for-a-target-of-a-directory": sdist(F, directory(b"a-1/d/", linkname=b"/etc/\xff")),
    },
    "2.3 and nothing else but a minus before them.": {
        "pax-uid-minus-zero": owner(b"-0"),
        "pax-uid-with-zeros": owner(b"005"),
        "pax-uid-of-20-digits": owner(b"5".rjust(20, b"0")),
        "pax-size-with-zeros": with_records(records(size="0004")),
        "pax-uname-empty": with_records(records(uname="", gname="")),
    },
    "2.3 A point and up to 40 digits may follow in a time.": {
        "pax-mtime-point-at-the-end": times(b"5."),
        "pax-mtime-with-zeros": times(b"0005.50"),
        "pax-mtime-minus-zero": times(b"-0.0"),
        "pax-mtime-of-40-digits-behind-the-point": times(b"1." + b"0" * 39 + b"1"),
        "pax-mtime-of-20-digits": times(b"5".rjust(20, b"0")),
        "pax-mtime-most": times(b"4611686018427387903"),
        "pax-mtime-least": times(b"-4611686018427387903"),
        "pax-mtime-most-and-a-fraction": times(b"4611686018427387903.9"),
    },
    "2.3 `ISO-IR 10646 2000 UTF-8` the only value that `hdrcharset` may have.": {
        "pax-charset-for-all": with_records(records(hdrcharset="ISO-IR 10646 2000 UTF-8"), b"g"),
    },
    "2.3 A record's LENGTH is at most 19 digits, of which the first may be zeros.": {
        "pax-length-with-zeros": sdist(pax(b"016 path=a-1/fg\n") + member(b"x", b"data")),
        "pax-length-of-19-digits": with_records(b"0000000000000000024 k=x\n"),
    },
    "2.3 Its keyword ends before the first `=`, has from 1 to 300 bytes,": {
        "pax-keyword-of-300-bytes": with_records(record("é" * 150, b"")),
        "pax-keyword-with-a-blank": with_records(record("a b", b"x")),
        "pax-keyword-in-upper-case": with_records(records(PATH="../x", SIZE="9", MTIME="x")),
        "pax-equals-signs-in-a-value": with_records(records(comment="a=b=c")),
        "pax-keyword-twice-by-two-headers": sdist(
            pax(records(comment="x"), typeflag=b"g") + pax(records(comment="x")) + F
        ),
    },
    "2.3 an LF, digits, a blank, at least one byte but `=` (LF may be among them) and `=`.": {
        "pax-lines-in-a-value": with_records(records(comment="x\n5\nb\n12\n\n 7 a=b")),
        "pax-no-keyword-in-a-value": with_records(records(comment="x\n5 =b")),
        "pax-record-at-the-start-of-a-value": with_records(records(comment="5 a=b\n")),
    },
    "2.3 There is one if the byte at 345 is not NUL, whatever GNU has there.": {
        "no-prefix-by-a-nul-with-gnu-magic": sdist(gnu(b"a-1/f", b"data", prefix=b"\0" + b"13615410400\0" * 3)),
        "no-prefix-by-a-nul": f(prefix=b"\0a-1"),
        "prefix-of-155-bytes": sdist(member(b"f", b"data", prefix=b"a-1/" + b"d" * 151)),
        "prefix-and-pax-path": sdist(pax(records(path="a-1/f")) + member(b"x", b"data", prefix=b"y")),
        "prefix-of-a-directory": sdist(F, directory(b"d/", prefix=b"a-1")),
    },
    "2.3 What is said of magic, checksum, numbers and prefix holds for the headers of extended headers, too; nothing else in"
    " those matters but type and size.": {
        "pax-header-with-other-fields": sdist(
            pax(
                records(comment="x"),
                uid=base256(-2, 8),
                mtime=base256(1 << 62, 12),
                linkname=b"\xff",
                mode=b"0000001\0",
                uname=b"\xff",
            )
            + F
        ),
        "pax-header-with-a-name-not-utf-8": sdist(member(b"\xff\x1b/../", records(comment="x"), typeflag=b"x") + F),
        "pax-header-with-gnu-magic": sdist(pax(records(comment="x"), magic=b"ustar ", version=b" \0") + F),
        "gnu-name-with-ustar-magic": sdist(member(b"x", b"a-1/f\0", typeflag=b"L") + member(b"y", b"data")),
        "pax-global-header-of-nothing": with_records(b"", b"g"),
        "pax-global-headers-in-a-row": sdist(
            pax(records(comment="x"), typeflag=b"g"), pax(records(mtime="5"), typeflag=b"g"), F
        ),
        "gnu-and-pax-headers-in-any-order": sdist(
            pax(records(mtime="5")), gnu_long(b"K", b"f\0"), gnu_long(b"L", b"a-1/l\0"), symlink(b"x", b"y"), F
        ),
    },
    "2.3 or hard links (`1`) to a file that comes before them, of which both are executable or neither.": {
        "hard-link-of-other-bits": sdist(
            member(b"a-1/f", b"data", mode=EXECUTABLE), hard_link(b"a-1/h", b"a-1/f", mode=b"0000700\0")
        ),
        "file-twice-with-other-bits": sdist(
            member(b"a-1/f", b"data", mode=EXECUTABLE), member(b"a-1/f", b"new", mode=b"0000710\0")
        ),
    },
    "2.3 Before that, `.` and empty components may stand. It may hold control characters, and is kept as it is.": {
        "target-parent-after-dots-and-slashes": one_link(b".//..//./f"),
        "target-slashes-within": one_link(b"../d//.//l2"),
        "target-with-control-characters": link(b"f\x1b[31m\n\x7f", b"a-1/l", F),
        "target-of-another-direction": link("\u202ef".encode(), b"a-1/l", F),
        "target-of-a-long-component": sdist(F, pax(records(linkpath=b"t" * 4096)) + symlink(b"a-1/l", b"t")),
        "target-with-dots": link(b"...", b"a-1/l", F),
        "target-with-a-colon-later": link(b"./c:f", b"a-1/l", F),
        "target-kept": one_link(b"./../f/"),
    },
    "2.3 What is no link is passed like a directory.": {
        "link-through-a-file": link(b"f/g", b"a-1/l", F),
        "link-through-nothing": link(b"n/m", b"a-1/l", F),
    },
    "2.3 A link takes as many as directories lie above it, and one for each component of its own name, of its target and"
    " of the targets of other links on the way, `.`, `..` and empty ones, too.": {
        "links-of-262144-steps": tiring(pax(records(linkpath=LAST)) + symlink(b"a-1/z", b"d")),
    },
    "2.3 Directories that are no members are not compared.": {
        "names-beneath-decomposed": sdist(spelled("a-1/é/f"), spelled("a-1/e\u0301/g")),
        "directory-and-parent-decomposed": sdist(F, directory("a-1/é/".encode()), spelled("a-1/e\u0301/g")),
        "names-of-ligature": sdist(spelled("a-1/\ufb01"), spelled("a-1/fi")),
        "names-full-width": sdist(spelled("a-1/\uff41"), spelled("a-1/a")),
    },
    "2.3 an index takes what all names have in common for the top directory.": {
        "all-others-in-a-directory": gz(tar(TOP, member(b"a-1/PKG-INFO", METADATA), directory(b"a-1/d/"))),
        "pkg-info-is-a-link": gz(tar(TOP, symlink(b"a-1/PKG-INFO", b"f"), F)),
        "others-begin-with-p-in-lower-case": gz(tar(TOP, member(b"a-1/PKG-INFO", METADATA), member(b"a-1/p"))),
    },
    "6.1 exactly one gzip member, and nothing after it.": {
        "gzip-text-of-control-characters": gz(PLAIN, head=b"\x1f\x8b\x08\x18\0\0\0\0\0\xff\x1b\xff\n\0\x80\0"),
        "gzip-empty-texts": gz(PLAIN, head=b"\x1f\x8b\x08\x18\0\0\0\0\0\xff\0\0"),
    },
    "7 fold() makes the letters `A` to `Z` lower-case, no others,": {
        "egg-info-in-upper-case": sdist(F, member(b"a-1/A.egg-info/top_level.txt", b"b\na\n")),
        "egg-info-not-ascii": gz(
            tar(
                directory("é-1/".encode()),
                member("é-1/PKG-INFO".encode(), METADATA),
                member("é-1/É.egg-info/top_level.txt".encode(), b"b\na\n"),
                member("é-1/é.egg-info/top_level.txt".encode(), b"b\na\n"),
            )
        ),
        "egg-info-of-another-digit": gz(
            tar(
                directory("a-\u0661/".encode()),
                member("a-\u0661/PKG-INFO".encode(), METADATA),
                member("a-\u0661/a.egg-info/top_level.txt".encode(), b"b\na\n"),
            )
        ),
    },
}

LATE = octal(4354819200, 12)
NO_DATE: Rules = {
    "3 An archive's own date that is out of range is none.": {
        "own-date-out-of-range": Input(
            gz(tar(member(b"a-1/PKG-INFO", METADATA, mtime=LATE), member(b"a-1/f", b"data", mtime=LATE))), date=None
        ),
    },
}
