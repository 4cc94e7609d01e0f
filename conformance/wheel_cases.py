"""Inputs that are wheels, and show the rules of their container: sections 2.1, 2.2, 3 and 5."""

from __future__ import annotations

from support.zips import FILE_0644, FULL, TEXT, Member, build, deflated, descriptor, directory, zip64
from support.zips import field_of as extra_field

from conformance.case import INFO, METADATA, WHEEL, Input, Rules, in_stored_blocks, record_of, row, stored, wheel

PLAIN = Member()
SHORT = len(deflated(TEXT))
ONE = wheel(PLAIN)


def named(name: str | bytes) -> bytes:
    """Return a wheel with a file of this name."""
    return wheel(PLAIN, stored(name, b"x"))


def pair(first: str, second: str) -> bytes:
    return wheel(stored(first, b"x"), stored(second, b"x"))


def flagged(bits: int) -> bytes:
    return wheel(Member(flags=bits))


DESCRIBED = Member(flags=8, descriptor=descriptor(PLAIN), local={"crc": 0, "size": 0, "packed_size": 0})
WIDE = Member(
    size=FULL,
    packed_size=FULL,
    extra=zip64(len(TEXT), SHORT),
    local={"size": FULL, "packed_size": FULL, "extra": zip64(len(TEXT), SHORT)},
    needed=45,
)

NAMES: Rules = {
    "2.1 MUST be UTF-8 and MUST NOT be longer than 4096 bytes, a component of it not longer than 255;": {
        "name-not-utf-8": wheel(PLAIN, stored(b"caf\xe9", b"x", flags=0x800)),
        "name-surrogate": wheel(PLAIN, stored(b"caf\xed\xa0\x80", b"x", flags=0x800)),
        "name-overlong": wheel(PLAIN, stored(b"a\xc0\xaf", b"x", flags=0x800)),
        "name-4097-bytes": named("/".join(["d" * 240] * 16 + ["n" * 241])),
        "name-component-256-bytes": named("d/" + "n" * 256),
        "name-component-256-bytes-of-utf-8": named("é" * 128),
    },
    "2.1 MUST NOT be empty, start with `/`, or start with an ASCII letter and a colon;": {
        "name-empty": named(""),
        "name-slash-alone": wheel(PLAIN, directory(b"/")),
        "name-absolute": named("/etc/passwd"),
        "name-drive": named("C:/windows"),
        "name-drive-relative": named("c:relative"),
    },
    "2.1 MUST NOT hold a backslash, a control character or a character that ends a line or turns the direction of"
    " writing:": {
        "name-backslash": named("a\\b"),
        "name-nul": named("a\0b"),
        "name-u+0001": named("a\x01b"),
        "name-tab": named("a\tb"),
        "name-lf": named("a\nb"),
        "name-cr": named("a\rb"),
        "name-u+001f": named("a\x1fb"),
        "name-u+007f": named("a\x7fb"),
        "name-u+0085": named("a\x85b"),
        "name-u+009f": named("a\x9fb"),
        "name-u+061c": named("a\u061cb"),
        "name-u+200e": named("a\u200eb"),
        "name-u+200f": named("a\u200fb"),
        "name-u+2028": named("a\u2028b"),
        "name-u+202e": named("a\u202eb"),
        "name-u+2066": named("a\u2066b"),
        "name-u+2069": named("a\u2069b"),
    },
    "2.1 MUST NOT have a component that is empty, `.` or `..`.": {
        "name-parent-first": named("../up"),
        "name-parent": named("a/../b"),
        "name-parent-last": named("a/.."),
        "name-parent-as-directory": wheel(PLAIN, directory(b"a/../")),
        "name-dot-first": named("./a"),
        "name-dot": named("a/./b"),
        "name-dot-last": named("a/."),
        "name-empty-component": named("a//b"),
        "name-two-slashes": wheel(PLAIN, directory(b"a//")),
    },
    "2.1 A name MUST NOT belong both to a directory and to a file or symbolic link.": {
        "file-and-directory": wheel(stored("pkg", b"x"), directory(b"pkg/")),
        "directory-and-file": wheel(directory(b"pkg/"), stored("pkg", b"x")),
    },
    "2.1 No member may lie beneath a file or a symbolic link.": {
        "beneath-a-file": wheel(stored("a", b"x"), stored("a/b", b"x")),
        "beneath-a-file-later": wheel(stored("a/b/c/d", b"x"), stored("a/b", b"x")),
    },
}

CONTAINER: Rules = {
    "2.2 The input MUST be one ZIP archive, on one disk, not encrypted, of members that are stored (method 0) or"
    " deflated (method 8).": {
        "empty-file": Input(b"", "a-1-py3-none-any.whl"),
        "not-a-zip": Input(b"\x1f\x8b\x08" + bytes(100), "a-1-py3-none-any.whl"),
        "disk-of-member": wheel(Member(disk=1)),
        "disk-of-end": wheel(PLAIN, end={"disk": 1}),
        "disk-of-directory": wheel(PLAIN, end={"first_disk": 0xFFFF}),
        "encrypted": flagged(1),
        "encrypted-strongly": flagged(0x41),
        "headers-encrypted": flagged(0x2000),
        "method-12": wheel(Member(method=12)),
        "method-14": wheel(Member(method=14)),
        "method-9": wheel(Member(method=9)),
        "method-93": wheel(Member(method=93)),
    },
    "2.2 Every byte MUST belong to a local header, a member's contents, a data descriptor, the central directory, the"
    " ZIP64 end record and its locator, or the end record and its comment. They follow one another without gaps, in"
    " this order; only the members MAY lie in another order than the central directory gives.": {
        "prefix": wheel(PLAIN, prefix=b"#!/bin/sh\n"),
        "prefix-not-counted": build(
            PLAIN, prefix=b"#!/bin/sh\n", end={"offset": len(build(PLAIN)) - 22 - 46 - len(PLAIN.name)}
        ),
        "suffix": wheel(PLAIN, suffix=b"\n"),
        "suffix-after-comment": wheel(PLAIN, comment=b"comment", suffix=b"more"),
        "gap": wheel(Member(after=b"\0")),
        "gap-with-signature": wheel(Member(after=b"PK\3\4 hidden")),
        "gap-before-end": wheel(PLAIN, before_end=b"PK\5\5\0\0"),
        "gap-of-zeros-before-end": wheel(PLAIN, before_end=bytes(4)),
        "unlisted-member": wheel(PLAIN, stored("hidden", b"x"), order=[0, 2, 3, 4], end={"count": 4, "here": 4}),
        "overlap": wheel(PLAIN, Member(b"b", offset=10)),
        "same-member-twice": wheel(Member(b"a"), Member(b"b", offset=0)),
        "cut-by-one": ONE[:-1],
        "cut-before-end": ONE[:-22],
        "comment-cut": wheel(PLAIN, comment=b"comment")[:-1],
    },
    "2.2 The end record MUST give the true place and size of the central directory and the true number of its"
    " entries.": {
        "directory-size": wheel(PLAIN, end={"size": 1}),
        "directory-offset": wheel(PLAIN, end={"offset": 1}),
        "one-entry-more": wheel(PLAIN, end={"count": 5, "here": 5}),
        "one-entry-less": wheel(PLAIN, end={"count": 3, "here": 3}),
        "no-entries": wheel(PLAIN, end={"count": 0, "here": 0}),
        "65535-entries": wheel(PLAIN, end={"count": 0xFFFF, "here": 0xFFFF}),
        "entries-on-this-disk": wheel(PLAIN, end={"here": 1}),
    },
    "2.2 If a ZIP64 locator stands before it, it MUST name one disk and the place of a ZIP64 end record of 56 bytes,"
    " without extensible data, right before the locator; the end record's own fields MUST then be full or the same.": {
        "zip64-two-disks": wheel(PLAIN, end64={"disks": 2}),
        "zip64-no-disk": wheel(PLAIN, end64={"disks": 0}),
        "zip64-other-disk": wheel(PLAIN, end64={"disk": 1}),
        "zip64-locator-elsewhere": wheel(PLAIN, end64={"at": 1}),
        "zip64-locator-far": wheel(PLAIN, end64={"at": (1 << 64) - 1}),
        "zip64-extensible-data": wheel(PLAIN, end64={}, end64_data=b"more"),
        "zip64-length": wheel(PLAIN, end64={"length": 45}),
        "zip64-count": wheel(PLAIN, end64={"count": 2, "here": 2}),
        "zip64-offset": wheel(PLAIN, end64={"offset": 0}),
        "zip64-and-other-end": wheel(PLAIN, end64={}, end={"count": 2, "here": 2}),
    },
    "2.2 A comment MUST NOT hold control characters but HT, LF and CR": {
        "comment-nul": wheel(PLAIN, comment=b"a\0b"),
        "comment-escape": wheel(PLAIN, comment=b"\x1b[31mred"),
        "comment-signature": wheel(PLAIN, comment=b"-PK\6\6-"),
        "comment-of-member-signature": wheel(Member(comment=b"PK\5\6")),
    },
    "2.2 After the end record's own signature there MUST NOT be another one, whatever it is part of.": {
        "end-in-comment": wheel(PLAIN, comment=build()),
        "end-signature-in-comment": wheel(PLAIN, comment=b"PK\5\6"),
    },
    "2.2 The contents MUST have the sizes and CRC-32 that the central directory gives.": {
        "size-too-large": wheel(Member(size=len(TEXT) + 1)),
        "size-too-small": wheel(Member(size=len(TEXT) - 1)),
        "crc": wheel(Member(crc=1)),
        "crc-of-stored": wheel(Member(method=0, crc=1)),
        "size-of-bomb": wheel(Member(size=SHORT * 1033)),
    },
    "2.2 A deflate stream MUST end exactly where the member's compressed bytes do.": {
        "stream-goes-on": wheel(Member(packed=deflated(TEXT) + b"hidden")),
        "stream-twice": wheel(Member(packed=deflated(TEXT) * 2)),
        "stream-cut": wheel(Member(packed=deflated(TEXT)[:-3])),
        "stream-empty": wheel(Member(data=b"", packed=b"")),
        "stream-damaged": wheel(Member(packed=b"\xff" * 100)),
    },
    "2.2 The sizes of a stored member MUST be equal.": {
        "stored-sizes": wheel(Member(method=0, size=len(TEXT) + 1)),
        "stored-sizes-smaller": wheel(Member(method=0, size=len(TEXT) - 1)),
    },
    "2.2 The local header MUST give the same name, flags, method, sizes and CRC-32 as the central directory.": {
        "local-name": wheel(Member(local={"name": b"pkg/b.py"})),
        "local-name-longer": wheel(Member(local={"name": b"pkg/a.pyc"})),
        "local-flags": wheel(Member(local={"flags": 0x800})),
        "local-flag-3": wheel(Member(local={"flags": 8}, descriptor=descriptor(PLAIN))),
        "central-flag-3": wheel(Member(flags=8, local={"flags": 0})),
        "local-method": wheel(Member(local={"method": 0})),
        "local-size": wheel(Member(local={"size": 1})),
        "local-packed-size": wheel(Member(local={"packed_size": 1})),
        "local-crc": wheel(Member(local={"crc": 1})),
        "local-crc-zero": wheel(Member(local={"crc": 0})),
        "local-all-zero": wheel(Member(local={"size": 0, "packed_size": 0, "crc": 0})),
    },
    "2.2 If flag bit 3 is set, CRC-32 and both sizes MAY be 0 there (after ZIP64), all three, and a data descriptor MUST follow:"
    " with its signature, with sizes of 8 bytes if the local header has a ZIP64 field and else of 4, and with the same"
    " values.": {
        "descriptor-missing": flagged(8),
        "descriptor-of-zeros": wheel(Member(flags=8, descriptor=b"PK\7\x08" + bytes(12))),
        "descriptor-cut": wheel(Member(flags=8, descriptor=descriptor(PLAIN)[:-1])),
        "descriptor-of-another": wheel(Member(flags=8, descriptor=descriptor(Member(data=b"other")))),
        "descriptor-without-signature": wheel(Member(flags=8, descriptor=descriptor(PLAIN, signature=False))),
        "descriptor-wide-without-zip64": wheel(Member(flags=8, descriptor=descriptor(PLAIN, width=8))),
        "descriptor-narrow-with-zip64": wheel(
            Member(
                flags=8,
                descriptor=descriptor(PLAIN),
                local={"size": FULL, "packed_size": FULL, "extra": zip64(len(TEXT), SHORT)},
            )
        ),
        "descriptor-and-more": wheel(Member(flags=8, descriptor=descriptor(PLAIN), after=b"more")),
        "descriptor-and-local-crc": wheel(Member(flags=8, local={"crc": 1}, descriptor=descriptor(PLAIN))),
        "descriptor-and-one-zero-size": wheel(Member(flags=8, local={"size": 0}, descriptor=descriptor(PLAIN))),
    },
    "2.2 A stored member MUST NOT have bit 3 set.": {
        "stored-with-descriptor": wheel(
            stored("x", b"x", flags=8, descriptor=descriptor(Member(data=b"x", method=0))),
        ),
    },
    "2.2 No flag bits but 1, 2, 3 and 11 may be set.": {
        f"flag-bit-{bit}": flagged(1 << bit) for bit in (4, 5, 6, 7, 8, 9, 10, 12, 14, 15)
    },
    "2.2 The version needed MUST NOT be above 45.": {
        "version-46": wheel(Member(needed=46)),
        "version-64-in-local-header": wheel(Member(local={"needed": 64})),
    },
    "2.2 An extra field MUST be a sequence of whole fields, each identifier at most once.": {
        "extra-cut": wheel(Member(extra=b"\x55\x54\x09\0abc")),
        "extra-cut-in-local-header": wheel(Member(local={"extra": b"\x55\x54\x09\0abc"})),
        "extra-of-two-bytes": wheel(Member(extra=b"\0\0")),
        "extra-twice": wheel(Member(extra=extra_field(0x5455, b"\0") * 2)),
        "extra-zip64-twice": wheel(Member(size=FULL, extra=zip64(len(TEXT)) + zip64(7))),
    },
    "2.2 A ZIP64 field MUST hold exactly the values whose header fields are full, and a full header field MUST have its"
    " value there;": {
        "zip64-not-asked-for": wheel(Member(extra=zip64(0))),
        "zip64-not-asked-for-in-local-header": wheel(Member(local={"extra": zip64(0)})),
        "zip64-both-sizes-not-asked-for": wheel(Member(extra=zip64(len(TEXT), SHORT))),
        "zip64-empty": wheel(Member(extra=zip64())),
        "zip64-full-size-and-empty": wheel(Member(size=FULL, extra=zip64())),
        "zip64-full-size-and-none": wheel(Member(size=FULL)),
        "zip64-full-size-of-4-bytes": wheel(Member(size=FULL, extra=extra_field(1, b"1234"))),
        "zip64-full-offset-and-all": wheel(Member(offset=FULL, extra=zip64(len(TEXT), SHORT, 0))),
        "zip64-full-size-and-both": wheel(Member(size=FULL, extra=zip64(len(TEXT), 0))),
        "zip64-full-local-size-is-another": wheel(Member(local={"size": FULL, "extra": zip64(5)})),
    },
    "2.2 but in a local header without a full field it MAY hold both sizes as they are there.": {
        "zip64-of-other-sizes-in-local-header": wheel(Member(local={"extra": zip64(SHORT, len(TEXT))})),
    },
    "2.2 There MUST NOT be a Unicode path field (0x7075).": {
        "unicode-path": wheel(Member(extra=extra_field(0x7075, b"\1abcdother.py"))),
        "unicode-path-of-same-name": wheel(Member(extra=extra_field(0x7075, b"\1abcdpkg/a.py"))),
        "unicode-path-in-local-header": wheel(Member(local={"extra": extra_field(0x7075, b"\1abcdother.py")})),
    },
    "2.2 Nor may there be a field by which bsdtar takes another type or mode (0x6c78), one for AES (0x9901), or an empty"
    " one for times (0x5455).": {
        "extra-of-another-type": wheel(Member(extra=extra_field(0x6C78, b"\4\0\0\xff\xa1"))),
        "extra-of-another-type-in-local-header": wheel(
            Member(local={"extra": extra_field(0x6C78, b"\5\x14\3\0\0\xff\xa1")})
        ),
        "extra-of-aes": wheel(Member(extra=extra_field(0x9901, b"\2\0AE\3\0\0"))),
        "extra-of-aes-cut-in-local-header": wheel(Member(local={"extra": extra_field(0x9901, b"\2")})),
        "extra-time-empty": wheel(Member(extra=extra_field(0x5455, b""))),
        "extra-time-empty-in-local-header": wheel(Member(local={"extra": extra_field(0x5455, b"")})),
    },
    "2.2 A name MUST NOT end in a semicolon, nor in one that only ASCII digits follow: unzip drops these.": {
        "name-of-a-version": named("pkg/a.py;1"),
        "name-with-a-semicolon-at-its-end": named("pkg/a.py;"),
        "name-with-two-semicolons": named("a;;007"),
        "directory-of-a-version": wheel(PLAIN, directory(b"d;2/")),
    },
    "2.2 A name MUST NOT hold a character that is not shown, for uv refuses them:": {
        f"name-with-{code:04x}": named(f"pkg/a{chr(code)}b")
        for code in (0xAD, 0x605, 0x180E, 0x200B, 0x200D, 0x2060, 0xE000, 0xFDEF, 0xFEFF, 0xFFFE, 0xE0001, 0xF0000)
    },
    "2.2 A name MUST be ASCII, or flag bit 11 MUST be set.": {
        "name-utf-8-not-marked": wheel(PLAIN, stored("café", b"x", flags=0)),
        "name-cp437": wheel(PLAIN, stored(b"caf\x82", b"x", flags=0)),
    },
    "2.2 A member whose name ends in a slash is a directory; it MUST be empty (deflated: the stream `03 00`), and is"
    " dropped.": {
        "directory-with-contents": wheel(PLAIN, directory(b"d/", data=b"x")),
        "directory-with-crc": wheel(PLAIN, directory(b"d/", crc=1)),
        "directory-deflated-with-contents": wheel(PLAIN, directory(b"d/", method=8, packed=deflated(b"x"))),
        "directory-other-stream": wheel(PLAIN, directory(b"d/", method=8, packed=b"\2\0")),
        "directory-no-stream": wheel(PLAIN, directory(b"d/", method=8, packed=b"")),
    },
    "2.2 A file type in a Unix mode MUST be that of the name, directory or regular file; a symbolic link MUST be"
    " refused.": {
        "type-named-pipe": wheel(Member(external=0o010644 << 16)),
        "type-directory": wheel(Member(external=0o040755 << 16)),
        "type-of-directory-file": wheel(PLAIN, directory(b"d/", external=0o100755 << 16)),
        "type-symbolic-link": wheel(PLAIN, stored("link", b"pkg/a.py", external=0o120777 << 16)),
        "type-device": wheel(Member(external=0o020644 << 16)),
    },
    "2.2 A file MUST NOT have the DOS attribute of a directory (0x10).": {
        "dos-directory": wheel(Member(external=FILE_0644 | 0x10)),
        "dos-directory-without-a-mode": wheel(Member(external=0x10, made_by=20)),
    },
    "2.2 A component of a name MUST NOT end in a dot or a blank, and a name MUST NOT hold a colon.": {
        "name-ends-in-dot": named("a."),
        "name-component-ends-in-dot": named("a./b"),
        "name-ends-in-blank": named("a "),
        "name-directory-ends-in-blank": wheel(PLAIN, directory(b"a /")),
        "name-colon": named("pkg/a.py:b"),
    },
    "2.2 A component MUST NOT be the name of a device on Windows:": {
        "device-con": named("con/a"),
        "device-nul-with-suffix": named("pkg/NUL.txt"),
        "device-prn-with-two-suffixes": named("prn.tar.gz"),
        "device-aux-in-mixed-case": named("pkg/Aux"),
        "device-com1": named("COM1"),
        "device-lpt9-with-suffix": named("d/lpt9.py"),
        "device-com-superscript": named("com²"),
        "device-lpt-superscript": named("LPT¹.txt"),
        "device-conin": named("conin$"),
        "device-conout": named("CONOUT$.log"),
        "device-with-blank": named("nul .txt"),
    },
    "2.2 Two members MUST NOT have the same name, nor names that are one name on another system": {
        "same-name": wheel(stored("a", b"x"), stored("a", b"x")),
        "same-directory": wheel(PLAIN, directory(b"a/"), directory(b"a/")),
        "case": pair("Readme", "README"),
        "case-of-directory": wheel(PLAIN, directory(b"d/"), directory(b"D/")),
        "case-of-parent": pair("pkg/a", "PKG/a"),
        "case-full-folding": pair("straße", "STRASSE"),
        "case-of-greek": pair("ΣΑΣ", "σας"),
        "case-of-kelvin": pair("K", "\u212a"),
        "decomposed": pair("café", "cafe\u0301"),
        "decomposed-and-case": pair("é", "E\u0301"),
        "decomposed-hangul": pair("한", "\u1112\u1161\u11ab"),
        "order-of-marks": pair("a\u0323\u0307", "a\u0307\u0323"),
        "ignored-by-hfs": pair("ab", "a\u200cb"),
        "ignored-byte-order-mark": pair("ab", "a\ufeffb"),
        "ignored-by-hfs-and-dot": pair("ab/c", "a\u206ab/c"),
    },
    "2.2 nor may a member lie beneath a name that is one with a file's on another system.": {
        "beneath-a-file-elsewhere": pair("LICENSE", "license/MIT"),
        "beneath-a-file-elsewhere-later": pair("license/MIT", "LICENSE"),
        "beneath-a-file-decomposed": pair("café", "CAFE\u0301/a"),
    },
    "2.2 There MUST be exactly one dist-info directory.": {
        "no-dist-info": build(PLAIN),
        "two-dist-infos": wheel(PLAIN, stored("b-1.dist-info/METADATA", METADATA)),
        "another-dist-info-without-files": wheel(PLAIN, directory(b"b-1.dist-info/")),
        "file-called-dist-info": wheel(PLAIN, stored("b-1.dist-info", b"x")),
        "dist-info-not-at-the-top": build(
            PLAIN, stored("d/a-1.dist-info/RECORD", record_of({b"pkg/a.py": TEXT}, "d/a-1.dist-info"))
        ),
    },
    "2.2 It MUST hold a file `RECORD`, unless the user asks for a new one.": {
        "no-record": build(PLAIN, stored(f"{INFO}/METADATA", METADATA), stored(f"{INFO}/WHEEL", WHEEL)),
        "record-in-a-directory": build(
            PLAIN,
            stored(f"{INFO}/METADATA", METADATA),
            stored(f"{INFO}/WHEEL", WHEEL),
            stored(f"{INFO}/d/RECORD", b""),
        ),
    },
    "2.2 Its name MUST be that of the wheel's file: the name and version in both are the same after fold()": {
        "other-version": Input(ONE, "a-2-py3-none-any.whl"),
        "other-name": Input(ONE, "b-1-py3-none-any.whl"),
    },
    "2.2 A wheel with `RECORD.jws` or `RECORD.p7s` MUST be refused, unless the user asks the writer to drop them": {
        "record-jws": wheel(
            PLAIN,
            stored(f"{INFO}/RECORD.jws", b"{}"),
            record=record_of(
                {b"pkg/a.py": TEXT, f"{INFO}/METADATA".encode(): METADATA, f"{INFO}/WHEEL".encode(): WHEEL}
            ),
        ),
        "record-p7s": wheel(PLAIN, more={"RECORD.p7s": b"x"}),
    },
}


def record_without(name: str, *more: bytes) -> bytes:
    """Return the RECORD of a wheel with ``a``, ``METADATA`` and ``WHEEL``, without the row of one, but with others."""
    files = {"a": b"x", f"{INFO}/METADATA": METADATA, f"{INFO}/WHEEL": WHEEL}
    rows = [row(each.encode(), data) for each, data in files.items() if each != name]
    return b"".join([*rows, *more, f"{INFO}/RECORD,,\n".encode()])


def recorded(record: bytes) -> bytes:
    return wheel(stored("a", b"x"), record=record)


GOOD = row(b"a", b"x")
RECORDS: Rules = {
    "2.2 RECORD MUST agree with the other files": {
        "record-empty": recorded(b""),
        "record-of-another-wheel": recorded(row(b"b", b"x")),
    },
    "7.5 RECORD is CSV in UTF-8, of three columns: name, digest, size. No row may have more or fewer of them.": {
        "record-two-columns": recorded(record_without("a", GOOD[:-3] + b"\n")),
        "record-blank-line": recorded(record_without("a", GOOD, b"\n")),
        "record-blank-lines-at-its-end": recorded(record_without("a", GOOD) + b"\n"),
        "record-of-cr-cr-lf": recorded(record_without("a", GOOD).replace(b"\n", b"\r\r\n")),
        "record-directory-of-one-column": recorded(record_without("a", GOOD, b"d/\n")),
        "record-directory-of-five-columns": recorded(record_without("a", GOOD, b"d/,,,,\n")),
        "record-signature-of-four-columns": recorded(
            record_without("a", GOOD, b"a-1.dist-info/RECORD.p7s,md5=x,1,2\n")
        ),
        "record-its-own-row-of-one-column": recorded(record_without("a", GOOD, b"a-1.dist-info/RECORD\n")),
        "record-not-utf-8": recorded(record_without("a", GOOD, b"caf\xe9,,\n")),
        "record-four-columns": recorded(record_without("a", GOOD[:-1] + b",\n")),
        "record-quote-not-closed": recorded(record_without("a", GOOD) + b'"b'),
        "record-backslash": wheel(
            stored("d/a", b"x"),
            record=record_without("a", row(b"d\\a", b"x")),
        ),
    },
    "7.5 It MUST list every other file of the wheel but `RECORD.jws` and `RECORD.p7s`, each once, with a digest by"
    " SHA-256, SHA-384 or SHA-512 that is right, and a size that is right or empty.": {
        "record-file-not-listed": recorded(record_without("a")),
        "record-file-twice": recorded(record_without("a", GOOD, GOOD)),
        "record-no-digest": recorded(record_without("a", b"a,,1\n")),
        "record-wrong-digest": recorded(record_without("a", row(b"a", b"y"))),
        "record-md5": recorded(record_without("a", row(b"a", b"x", "md5"))),
        "record-sha1": recorded(record_without("a", row(b"a", b"x", "sha1"))),
        "record-sha224": recorded(record_without("a", row(b"a", b"x", "sha224"))),
        "record-wrong-size": recorded(record_without("a", GOOD[:-2] + b"2\n")),
        "record-size-not-a-number": recorded(record_without("a", GOOD[:-2] + b"one\n")),
        "record-digest-in-hexadecimal": recorded(
            record_without("a", b"a,sha256=2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881,1\n")
        ),
    },
    "7.5 It MUST list no file that is not there.": {
        "record-file-not-there": recorded(record_without("a", GOOD, row(b"b", b"x"))),
    },
    "7.5 Its own row, if it is there, has neither digest nor size.": {
        "record-digest-of-its-own": recorded(
            record_without("a", GOOD).replace(b"RECORD,,", b"RECORD,sha256=" + b"A" * 43 + b",1")
        ),
    },
}

EXECUTABLE = 0o100755 << 16


def at(date: int | None, data: bytes = ONE, epoch: str | None = None) -> Input:
    return Input(data, date=date, epoch=epoch)


NOT_CANONICAL = wheel(Member(comment=b"x"))

ACCEPTED: Rules = {
    "2.1 A slash at the end that marks a directory does not count": {
        "directories-dropped": wheel(directory(b"pkg/"), PLAIN, directory(b"empty/"), directory(b"a-1.dist-info/")),
        "name-4096-bytes": named("/".join(["d" * 240] * 17)),
        "name-component-255-bytes": named("n" * 255),
    },
    "2.1 Names are not changed in any other way. They are not case-folded and not brought to a Unicode normal form.": {
        "name-decomposed": named("cafe\u0301"),
        "name-composed": named("caf\u00e9"),
        "name-upper-case": named("README"),
        "name-beyond-the-bmp": named("\U0001f40d.py"),
        "name-with-blank": named("a b"),
        "name-like-a-device": named("pkg/con_.py"),
        "name-com0": named("com0"),
    },
    "2.2 only the members MAY lie in another order than the central directory gives.": {
        "directory-in-another-order": wheel(PLAIN, stored("z", b"x"), order=[4, 3, 2, 1, 0]),
    },
    "2.2 If a ZIP64 locator stands before it, it MUST name one disk": {
        "zip64-end-not-needed": wheel(PLAIN, end64={}),
        "zip64-end-and-full-fields": wheel(
            PLAIN, end64={}, end={"count": 0xFFFF, "here": 0xFFFF, "size": FULL, "offset": FULL}
        ),
    },
    "2.2 or the end record and its comment.": {
        "comment": wheel(PLAIN, comment=b"a comment\r\n\twith lines"),
        "comment-of-member": wheel(Member(comment=b"a comment")),
    },
    "2.2 CRC-32 and both sizes MAY be 0 there (after ZIP64), all three, and a data descriptor MUST follow:": {
        "descriptor": wheel(DESCRIBED),
        "descriptor-and-true-values": wheel(Member(flags=8, descriptor=descriptor(PLAIN))),
        "descriptor-wide": wheel(
            Member(
                flags=8,
                descriptor=descriptor(PLAIN, width=8),
                needed=45,
                local={"size": FULL, "packed_size": FULL, "crc": 0, "extra": zip64(0, 0)},
            )
        ),
    },
    "2.2 No flag bits but 1, 2, 3 and 11 may be set.": {
        "flag-bits-1-and-2": flagged(6),
        "flag-bit-11-of-ascii": flagged(0x800),
    },
    "2.2 A ZIP64 field MUST hold exactly the values whose header fields are full,": {
        "zip64-sizes": wheel(WIDE),
        "zip64-central-size": wheel(Member(size=FULL, extra=zip64(len(TEXT)))),
        "zip64-central-offset": wheel(Member(offset=FULL, extra=zip64(0), local={"extra": b""})),
    },
    "2.2 but in a local header without a full field it MAY hold both sizes as they are there.": {
        "zip64-both-sizes-in-local-header": wheel(Member(local={"extra": zip64(len(TEXT), SHORT)})),
    },
    "2.2 it MUST be empty (deflated: the stream `03 00`), and is dropped.": {
        "directory-deflated": wheel(PLAIN, directory(b"d/", method=8, packed=b"\3\0")),
    },
    "2.2 Its name MUST be that of the wheel's file: the name and version in both are the same after fold()": {
        "folded-name": Input(wheel(PLAIN, info="A.B_c-1.dist-info"), "a_b_C-1-py3-none-any.whl"),
        "build-tag": Input(ONE, "a-1-2b-py3-none-any.whl"),
    },
    "3 the date that the user gives;": {
        "date-before-source-date-epoch": at(1700000000, epoch="1600000000"),
        "date-0": at(0),
        "date-1-before-1980": at(315532799),
        "date-1980": at(315532800),
        "date-last": at(4354819198),
        "date-before-a-leap-day": at(1709164799),
        "date-leap-day": at(1709164800),
        "date-after-2038": at(2147483648),
        "date-after-2100-02-28": at(4107542400),
    },
    "3 the value of the environment variable `SOURCE_DATE_EPOCH`;": {
        "source-date-epoch": at(None, epoch="1600000000"),
    },
    "5.4 If it is before 1980-01-01 00:00:00 UTC (315532800), that is used instead.": {
        "date-1": at(1),
    },
    "5.4 time (u16) = hour × 2048 + minute × 32 + second ÷ 2, rounded down;": {
        "second-odd": at(1580601601),
        "second-59": at(1580687999),
        "noon": at(1580644800),
    },
    "5.1 All members are files. There are no directory members.": {
        "only-directories-beside": wheel(directory(b"d/"), directory(b"d/e/")),
    },
    "5.2 The payload, sorted by name.": {
        "order": wheel(*(stored(name, b"x") for name in ("b", "a/b", "a.b", "a-b"))),
        "order-by-bytes": wheel(*(stored(name, b"x") for name in ("\uffee", "\U00010000", "z", "é", "Y", "_"))),
        "order-of-slash": wheel(*(stored(name, b"x") for name in ("a0", "a/b", "a-", "a.py"))),
        "order-around-dist-info": wheel(*(stored(name, b"x") for name in ("z", "a-1.dist-infos", "a-1.data/data/x"))),
    },
    "5.2 The files of the dist-info directory but `RECORD`, sorted by name.": {
        "order-in-dist-info": wheel(
            PLAIN, more={"z": b"", "licenses/LICENSE": b"x", "RECORDS": b"x", "AUTHORS": b"x", "entry_points.txt": b""}
        ),
    },
    "5.3 The member is deflated (method 8) if *d* < *s*.": {
        "repacked": wheel(stored("text", TEXT)),
        "one-byte-smaller": wheel(stored("text", b"abcdefgabcdefg")),
        "stored-blocks": wheel(Member(b"text", TEXT, packed=in_stored_blocks(TEXT))),
    },
    "5.3 Otherwise it is stored (method 0).": {
        "deflated-for-nothing": wheel(Member(b"text", b"x = 1\n")),
        "as-large": wheel(Member(b"text", b"aaaa")),
        **{f"run-of-{size}": wheel(stored("text", b"a" * size)) for size in (3, 4, 5, 6, 7, 8, 9)},
    },
    "5.3 Empty contents are always stored.": {
        "empty-deflated": wheel(Member(b"pkg/empty.py", b"", packed=b"\3\0")),
    },
    "5.5 0x0800 if the name is not ASCII; else 0": {
        "name-utf-8": named("é.py"),
    },
    "5.6 Unix": {
        "made-by-dos": wheel(Member(made_by=20, external=0)),
        "made-by-64": wheel(Member(made_by=3 << 8 | 63)),
        "internal-attributes": wheel(Member(internal=1)),
    },
    "5.7 There are no other extra fields.": {
        "extra-time": wheel(Member(extra=extra_field(0x5455, b"\1\0\0\0\0"))),
        "extra-time-in-local-header": wheel(Member(local={"extra": extra_field(0x5455, b"\1\0\0\0\0")})),
        "extra-alignment": wheel(Member(local={"extra": extra_field(0xD935, bytes(20))})),
        "extra-owner": wheel(Member(extra=extra_field(0x7875, b"\1\4\0\0\0\0\4\0\0\0\0"))),
    },
    "5.10 the input's external attributes, shifted right by 16, are a Unix mode with the type of a regular file"
    " (`0o100000`) and any of the bits `0o111`": {
        "mode-755": wheel(Member(external=EXECUTABLE)),
        "mode-700": wheel(Member(external=0o100700 << 16)),
        "mode-654": wheel(Member(external=0o100654 << 16)),
        "mode-645": wheel(Member(external=0o100645 << 16)),
        "mode-4755": wheel(Member(external=0o104755 << 16)),
        "mode-755-without-type": wheel(Member(external=0o755 << 16)),
        "mode-755-made-by-dos": wheel(Member(external=EXECUTABLE, made_by=20)),
        "mode-666": wheel(Member(external=0o100666 << 16)),
        "mode-000": wheel(Member(external=0o100000 << 16)),
        "mode-0": wheel(Member(external=0)),
        "mode-and-dos-attributes": wheel(Member(external=FILE_0644 | 0x21)),
    },
    "5.10 its name starts with one component that ends in `.data` and is longer than that, then `/scripts/`.": {
        "script": wheel(stored("a-1.data/scripts/run", b"#!python\n")),
        "script-in-a-directory": wheel(stored("a-1.data/scripts/d/run", b"x")),
        "script-of-another-name": wheel(stored("b.data/scripts/run", b"x")),
        "no-script-by-name-alone": wheel(stored(".data/scripts/run", b"x")),
        "no-script-deeper": wheel(stored("d/a-1.data/scripts/run", b"x")),
        "no-script-data": wheel(stored("a-1.data/data/run", b"x")),
    },
    "7.5 with a digest by SHA-256, SHA-384 or SHA-512 that is right, and a size that is right or empty.": {
        "record-sha384": recorded(record_without("a", row(b"a", b"x", "sha384"))),
        "record-sha512": recorded(record_without("a", row(b"a", b"x", "sha512"))),
        "record-no-size": recorded(record_without("a", GOOD[:-2] + b"\n")),
    },
    "7.5 Rows for directories are ignored,": {
        "record-of-directories": recorded(record_without("a", GOOD, b"d/,,\n")),
        "record-of-a-directory-member": wheel(
            stored("a", b"x"), directory(b"d/"), record=record_without("a", GOOD, b"d,,\n")
        ),
    },
    "7.5 RECORD is CSV in UTF-8,": {
        "record-crlf": recorded(record_without("a", GOOD).replace(b"\n", b"\r\n")),
        "record-quoted": recorded(record_without("a", b'"a"' + GOOD[1:])),
        "record-without-last-lf": recorded(record_without("a", GOOD)[:-1]),
        "record-without-its-own-row": recorded(b"".join(record_without("a", GOOD).splitlines(True)[:-1])),
    },
    "7.5 *Output.* One row for each other file of the wheel, sorted by name, then one for RECORD itself.": {
        "record-order": wheel(*(stored(name, b"x") for name in ("z", "é", "b/c", "b.c", "A"))),
    },
    "7.5 If it holds a comma, a quotation mark, CR or LF, it is enclosed in quotation marks, and each of those inside is"
    " doubled.": {
        "record-comma": named("a,b"),
        "record-quotation-mark": named('a"b'),
        "record-both": named('"a",b'),
        "record-apostrophe-and-blank": named("a' b;c"),
    },
}

DATES_REFUSED: Rules = {
    "3 It MUST be from 0 to 4354819198 (2107-12-31 23:59:58 UTC).": {
        "date-too-late": at(4354819199),
        "date-negative": at(-1),
        "source-date-epoch-too-late": at(None, epoch="4354819199"),
        "source-date-epoch-negative": at(None, epoch="-1"),
        "source-date-epoch-not-a-number": at(None, epoch="yesterday"),
    },
}
NO_DATE: Rules = {
    "3 1580601600 (2020-02-02 00:00:00 UTC).": {"no-date": at(None, NOT_CANONICAL)},
    "3 A writer MUST NOT take the date from a clock, nor from the times in an archive that is not canonical:": {
        "no-date-and-one-time": at(None, ONE),
    },
}

PLAINLY: Rules = {
    "2 A writer MUST refuse an input that breaks a rule of this section.": {
        "two-faults": wheel(Member(b"../up"), Member(b"b", crc=1)),
    },
    "2 A writer MUST NOT fix such an input, because two tools may read it differently.": {
        "fixed-easily-duplicate": wheel(PLAIN, PLAIN),
        "fixed-easily-line-feed-at-the-end": wheel(PLAIN, suffix=b"\r\n"),
        "fixed-easily-flag": wheel(PLAIN, stored("é", b"x", flags=0)),
    },
}

REFUSED: Rules = {**PLAINLY, **NAMES, **CONTAINER, **RECORDS, **DATES_REFUSED}
