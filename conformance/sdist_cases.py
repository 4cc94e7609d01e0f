"""Inputs that are sdists, and show the rules of their container: sections 2.1, 2.3, 3 and 6."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from support.tars import (
    DATE,
    base256,
    directory,
    gnu_long,
    gz,
    hard_link,
    header,
    member,
    octal,
    padded,
    pax,
    record,
    records,
    symlink,
    tar,
)

from conformance.case import METADATA, Input, Rules, in_stored_blocks, member_of, sdist

TOP = directory(b"a-1/")
INFO = TOP + member(b"a-1/PKG-INFO", METADATA)
F = member(b"a-1/f", b"data")
EXECUTABLE = b"0000755\0"


def gnu(name: bytes, data: bytes = b"", **fields: bytes) -> bytes:
    return member(name, data, magic=b"ustar ", version=b" \0", **fields)


def f(**fields: bytes) -> bytes:
    """Return an sdist with a file whose header has these fields."""
    return sdist(member(b"a-1/f", b"data", **fields))


def with_records(data: bytes, typeflag: bytes = b"x") -> bytes:
    return sdist(pax(data, typeflag=typeflag) + F)


def link(target: bytes, name: bytes = b"a-1/l", *more: bytes) -> bytes:
    return sdist(*more, symlink(name, target))


def chain(count: int) -> Iterator[bytes]:
    """Give links, of which each leads to the next, and the last to a file."""
    for number in range(count):
        yield symlink(b"a-1/l%d" % number, b"l%d" % (number + 1) if number + 1 < count else b"f")


PLAIN = member_of(F)
PLAIN_GZIP = gz(PLAIN)
CHECKED = b"\x1f\x8b\x08\2\0\0\0\0\0\xff"
"""The header of a gzip file with a checksum of it."""
BLOCKS = INFO + F
"""Without an end."""
TIRING = b"/".join([b"d"] * 2000)

REFUSED: Rules = {
    "2.1 MUST be UTF-8 and MUST NOT be longer than 4096 bytes, a component of it not longer than 255;": {
        "name-not-utf-8": sdist(member(b"a-1/gr\xf6sse")),
        "name-surrogate": sdist(pax(records(path=b"a-1/\xed\xa0\x80")) + F),
        "name-4097-bytes": sdist(pax(records(path=b"a-1/" + b"/".join([b"d" * 240] * 17))) + F),
        "name-component-256-bytes": sdist(pax(records(path=b"a-1/" + b"n" * 256)) + F),
    },
    "2.1 MUST NOT be empty, start with `/`, or start with an ASCII letter and a colon;": {
        "name-empty": sdist(member(b"")),
        "name-empty-by-pax": sdist(pax(records(path="")) + F),
        "name-absolute": sdist(member(b"/etc/passwd")),
        "name-drive": sdist(member(b"c:/f")),
    },
    "2.1 MUST NOT hold a backslash, a control character or a character that ends a line or turns the direction of"
    " writing:": {
        "name-backslash": sdist(member(b"a-1/a\\f")),
        "name-nul": sdist(pax(records(path="a-1/f\0.txt")) + F),
        "name-lf": sdist(pax(records(path="a-1/f\n.txt")) + F),
        "name-escape": sdist(member(b"a-1/\x1b[31m")),
        "name-u+202e": sdist(member("a-1/\u202efdp".encode())),
    },
    "2.1 MUST NOT have a component that is empty, `.` or `..`.": {
        "name-parent": sdist(member(b"a-1/../../f")),
        "name-parent-by-pax": sdist(pax(records(path="../f")) + F),
        "name-parent-by-gnu": sdist(gnu_long(b"L", b"../f\0") + F),
        "name-parent-by-prefix": sdist(member(b"f", prefix=b"..")),
        "name-empty-component": sdist(member(b"a-1//f")),
        "name-two-slashes": sdist(directory(b"a-1/d//")),
        "name-dot": sdist(member(b"a-1/./f")),
    },
    "2.1 A name MUST NOT belong both to a directory and to a file or symbolic link.": {
        "file-then-directory": sdist(F, directory(b"a-1/f/")),
        "directory-then-file": sdist(directory(b"a-1/f/"), F),
        "link-then-directory": sdist(symlink(b"a-1/f", b"PKG-INFO"), directory(b"a-1/f/")),
    },
    "2.1 No member may lie beneath a file or a symbolic link.": {
        "beneath-a-file": sdist(F, member(b"a-1/f/g")),
        "beneath-a-file-later": sdist(member(b"a-1/f/g/h"), F),
        "beneath-a-link": sdist(symlink(b"a-1/l", b"d"), member(b"a-1/l/f")),
    },
    "2.3 The input MUST be one gzip member with nothing after it, holding one tar archive: ustar, PAX or GNU, by the"
    " magic and version of each header (`ustar`, NUL, `00`; or `ustar`, two blanks, NUL).": {
        "not-gzip": Input(PLAIN[:2048], "a-1.tar.gz"),
        "empty-file": Input(b"", "a-1.tar.gz"),
        "two-gzip-members": gz(PLAIN[:1024]) + gz(PLAIN[1024:]),
        "data-after-gzip": gz(PLAIN) + b"\0",
        "no-tar": gz(b"just some text\n" * 100),
        "nothing-in-gzip": gz(b""),
        "gzip-cut": gz(PLAIN)[:-1],
        "gzip-method": gz(PLAIN, head=b"\x1f\x8b\x07\0\0\0\0\0\0\xff"),
        "magic-unknown": f(magic=b"ustart"),
        "magic-none": f(magic=b"", version=b""),
        "magic-other-version": f(version=b"01"),
        "magic-mixed": f(magic=b"ustar "),
    },
    "2.3 Of the gzip header's flags, FEXTRA and the reserved ones MUST NOT be set.": {
        "gzip-extra": gz(PLAIN, head=b"\x1f\x8b\x08\4\0\0\0\0\0\xff\2\0xy"),
        "gzip-reserved-flag": gz(PLAIN, head=b"\x1f\x8b\x08\x20\0\0\0\0\0\xff"),
    },
    "2.3 With FHCRC, the header's checksum MUST be right.": {
        "gzip-header-checksum": gz(PLAIN, head=CHECKED + b"\0\0"),
    },
    "2.3 At least two blocks of zeros MUST end the tar, only zeros may follow them, and its length MUST be a multiple"
    " of 512.": {
        "no-end": gz(BLOCKS),
        "one-block-of-zeros": gz(BLOCKS + bytes(512)),
        "member-after-one-block": gz(BLOCKS + bytes(512) + member(b"a-1/g") + bytes(1024)),
        "member-after-the-end": gz(BLOCKS + bytes(1024) + member(b"a-1/g") + bytes(1024)),
        "byte-after-the-end": gz(BLOCKS + bytes(10240) + b"\1" + bytes(511)),
        "part-of-a-block": gz(BLOCKS + bytes(1025)),
        "cut-in-a-header": gz(BLOCKS[:-700]),
        "cut-in-contents": gz(BLOCKS[:-100]),
    },
    "2.3 Checksums, sizes and CRC-32 MUST be right; the checksum is that of unsigned bytes, in octal.": {
        "checksum": sdist(F, member(b"a-1/g", checksum=b"0000000\0")),
        "checksum-signed": sdist(header("a-1/ü".encode(), True, size=octal(1, 12)) + padded(b"d")),
        "checksum-base-256": sdist(
            member(b"a-1/f", checksum=base256(sum(member(b"a-1/f", checksum=b" " * 8)[:512]), 8))
        ),
        "text-for-a-header": sdist(F + b"x" * 512),
        "size-negative": f(size=base256(-1, 12)),
        "size-beyond-the-end": f(size=octal(8**11 - 1, 12)),
        "pax-size-beyond-the-end": with_records(records(size="99999999999")),
        "pax-size-negative": with_records(records(size="-5")),
        "pax-size-not-a-number": with_records(records(size="1e3")),
        "pax-size-empty": with_records(records(size="")),
        "gzip-crc": gz(PLAIN, crc=1),
        "gzip-size": gz(PLAIN, size=1),
    },
    "2.3 before them MUST stand nothing but blanks, and behind them nothing but blanks and NULs.": {
        "size-of-digit-8": f(size=b"00000000008\0"),
        "size-after-nul": f(size=b"\x0000000000004"),
        "size-and-letter": f(size=b"00000000004x"),
        "mode-not-a-number": f(mode=b"rw-r--r-"),
        "device-not-a-number": f(devminor=b"9"),
    },
    "2.3 A field for a number MUST NOT be all blanks.": {
        "size-of-blanks": f(size=b" " * 12),
        "mode-of-blanks": f(mode=b" " * 8),
        "mtime-of-blanks": f(mtime=b" " * 12),
    },
    "2.3 Owners are from 0 to 4294967295, by fields and records;": {
        "uid-negative": f(uid=base256(-2, 8)),
        "uid-too-large": f(uid=base256(1 << 32, 8)),
        "pax-uid-negative": with_records(records(uid="-2")),
        "pax-gid-too-large": with_records(records(gid="4294967296")),
        "pax-uid-not-a-number": with_records(records(uid="me")),
    },
    "2.3 the times `mtime`, `atime` and `ctime` are numbers of less than 2**62 seconds.": {
        "mtime-too-large": f(mtime=base256(1 << 62, 12)),
        "pax-mtime-not-a-number": with_records(records(mtime="inf")),
        "pax-ctime-too-large": with_records(records(ctime="9" * 20)),
        "pax-atime-empty": with_records(records(atime="")),
    },
    "2.3 A header and the extended headers before it MUST NOT contradict each other:": {
        "two-targets": sdist(gnu_long(b"K", b"f\0") + pax(records(linkpath="g")) + symlink(b"a-1/l", b"f")),
        "two-names": sdist(gnu_long(b"L", b"a-1/f\0") + pax(records(path="a-1/g")) + F),
    },
    "2.3 a size in a PAX record is that in the header's field, unless it does not fit there, where the field is zero or"
    " its largest value.": {
        "two-sizes": sdist(pax(records(size="1024")) + F + F),
        "size-and-largest-field": sdist(pax(records(size="4")) + member(b"a-1/f", b"data", size=b"77777777777\0")),
        "size-and-empty-field": sdist(pax(records(size="4")) + member(b"a-1/f", b"data", size=octal(0, 12))),
    },
    "2.3 There MUST NOT be two PAX headers, two GNU long names or two GNU long targets for one member.": {
        "two-pax-headers": sdist(pax(records(path="a-1/f")) + pax(records(mtime="1")) + F),
        "two-gnu-names": sdist(gnu_long(b"L", b"a-1/f\0") * 2 + F),
        "two-gnu-targets": sdist(gnu_long(b"K", b"f\0") * 2 + symlink(b"a-1/l", b"f")),
    },
    "2.3 A member MUST follow every extended header, and a global one MUST NOT stand between them.": {
        "pax-at-the-end": sdist(F, pax(records(path="a-1/g"))),
        "pax-global-at-the-end": sdist(F, pax(records(comment="x"), typeflag=b"g")),
        "pax-before-a-global-one": sdist(pax(records(path="a-1/g")), pax(records(comment="x"), typeflag=b"g"), F),
        "gnu-name-at-the-end": sdist(F, gnu_long(b"L", b"a-1/g\0")),
        "gnu-name-before-a-global-header": sdist(
            gnu_long(b"L", b"a-1/g\0"), pax(records(comment="x"), typeflag=b"g"), F
        ),
    },
    "2.3 A global header MUST NOT give `path`, `linkpath` or `size`.": {
        "pax-path-for-all": with_records(records(path="a-1/x"), b"g"),
        "pax-target-for-all": with_records(records(linkpath="f"), b"g"),
        "pax-size-for-all": with_records(records(size="4"), b"g"),
    },
    "2.3 Names MUST NOT begin with `./`, nor may the archive hold a member for its own directory.": {
        "dot-in-front": sdist(member(b"./a-1/g")),
        "dot-in-front-of-all": gz(tar(directory(b"./a-1/"), member(b"./a-1/PKG-INFO", METADATA))),
        "own-directory": gz(tar(directory(b"./"), INFO)),
        "own-directory-without-slash": gz(tar(directory(b"."), INFO)),
    },
    "2.3 A file or directory that anybody may execute MUST be one that its owner may execute.": {
        "directory-that-others-may-enter": sdist(F, directory(b"a-1/d/", mode=b"0000655\0")),
        "executable-for-others": f(mode=b"0000645\0"),
        "executable-for-the-group": f(mode=b"0000654\0"),
    },
    "2.3 There MUST be exactly one name at the top. It MUST be a directory, the top directory, and a file or link"
    " PKG-INFO MUST lie in it.": {
        "pkg-info-is-a-directory": gz(tar(TOP, directory(b"a-1/PKG-INFO/"), F)),
        "file-at-the-top": sdist(member(b"setup.py")),
        "two-top-directories": sdist(member(b"b-1/f")),
        "top-is-a-file": gz(tar(member(b"a-1"))),
        "top-is-a-link": gz(tar(symlink(b"a-1", b"x"))),
        "no-member": gz(bytes(10240)),
        "no-pkg-info": gz(tar(TOP, F)),
        "pkg-info-deeper": gz(tar(TOP, member(b"a-1/d/PKG-INFO", METADATA))),
    },
    "2.3 Not all names in it may begin with `P`, for an index takes what all names have in common for the top"
    " directory.": {
        "all-begin-with-p": gz(tar(INFO, member(b"a-1/Project"))),
        "pkg-info-alone": gz(tar(INFO)),
    },
    "2.3 Members MUST be files (type `0`, `7` or NUL), directories (`5`), symbolic links (`2`), or hard links (`1`) to a"
    " file that comes before them, of which both are executable or neither.": {
        "hard-link-to-nothing": sdist(hard_link(b"a-1/h", b"a-1/f")),
        "hard-link-to-itself": sdist(hard_link(b"a-1/h", b"a-1/h")),
        "hard-link-before-its-file": sdist(hard_link(b"a-1/h", b"a-1/f"), F),
        "hard-link-to-a-symbolic-link": sdist(symlink(b"a-1/l", b"PKG-INFO"), hard_link(b"a-1/h", b"a-1/l")),
        "hard-link-to-a-directory": sdist(directory(b"a-1/d/"), hard_link(b"a-1/h", b"a-1/d")),
        "hard-link-of-another-mode": sdist(F, hard_link(b"a-1/h", b"a-1/f", mode=EXECUTABLE)),
    },
    "2.3 Only files have contents: the size of all others MUST be zero.": {
        "hard-link-with-contents": sdist(F, hard_link(b"a-1/h", b"a-1/f", size=octal(4, 12))),
        "directory-with-contents": sdist(directory(b"a-1/d/", size=octal(512, 12)) + bytes(512)),
        "link-with-contents": sdist(symlink(b"a-1/l", b"f", size=octal(512, 12)) + bytes(512)),
    },
    "2.3 A name that ends in a slash MUST be a directory's.": {
        "file-with-a-slash": sdist(member(b"a-1/f/", b"data")),
        "link-with-a-slash": sdist(symlink(b"a-1/l/", b"PKG-INFO")),
        "hard-link-with-a-slash": sdist(F, hard_link(b"a-1/h/", b"a-1/f")),
    },
    "2.3 All else (devices, named pipes, sparse files, volume labels ...) MUST be refused.": {
        "character-device": f(typeflag=b"3", size=octal(0, 12)),
        "block-device": sdist(member(b"a-1/f", typeflag=b"4")),
        "named-pipe": sdist(member(b"a-1/f", typeflag=b"6")),
        "sparse-file": sdist(gnu(b"a-1/f", typeflag=b"S", prefix=bytes(41) + b"00000000000")),
        "dump-directory": sdist(gnu(b"a-1/d/", typeflag=b"D")),
        "multi-volume": sdist(gnu(b"a-1/f", typeflag=b"M")),
        "volume-label": sdist(gnu(b"label", typeflag=b"V")),
        "unknown-type": sdist(member(b"a-1/f", typeflag=b"Q")),
    },
    "2.3 A member of type NUL MUST have a slash at the end both of its name and of its header's name field, and is a"
    " directory then, or at the end of neither.": {
        "nul-slash-in-the-field": sdist(pax(records(path="a-1/f")) + member(b"a-1/f/", typeflag=b"\0")),
        "nul-slash-in-the-record": sdist(pax(records(path="a-1/f/")) + member(b"a-1/f", typeflag=b"\0")),
        "nul-slash-in-the-field-not-gnu": sdist(gnu_long(b"L", b"a-1/f\0") + gnu(b"a-1/f/", typeflag=b"\0")),
        "nul-slash-in-gnu": sdist(gnu_long(b"L", b"a-1/f/\0") + gnu(b"a-1/f", typeflag=b"\0")),
    },
    "2.3 A prefix is allowed only with ustar's magic and a name field that is not empty.": {
        "prefix-with-gnu-magic": sdist(gnu(b"f", prefix=b"a-1")),
        "prefix-alone": sdist(member(b"", prefix=b"a-1/f")),
    },
    "2.3 A GNU long name or target MUST NOT be empty, and MUST end with at most one NUL, and nothing after it.": {
        "gnu-name-empty": sdist(gnu_long(b"L", b"\0") + F),
        "gnu-name-two-nuls": sdist(gnu_long(b"L", b"a-1/f\0\0") + F),
        "gnu-name-and-more": sdist(gnu_long(b"L", b"a-1/f\0g\0") + F),
    },
    "2.3 A PAX header holds records and nothing else.": {
        "pax-zeros-after-records": with_records(records(comment="x") + bytes(20)),
        "pax-no-length": with_records(b"path=x\n"),
        "pax-length-too-large": with_records(b"99 path=x\n"),
        "pax-length-too-small": with_records(b"5 path=x\n"),
        "pax-length-zero": with_records(b"0 path=x\n"),
        "pax-no-equals-sign": with_records(b"8 path \n"),
        "pax-no-keyword": with_records(b"5 =x\n"),
        "pax-no-lf": with_records(b"10 path=xyz"),
    },
    "2.3 It MUST NOT give a keyword twice, nor hold a line that looks like a record within a value:": {
        "pax-keyword-twice": with_records(records(path="a-1/e") + records(path="a-1/f")),
        "pax-record-in-a-value": with_records(records(comment="x\n" + "14 path=a-1/g")),
        "pax-keyword-301-characters": with_records(record("v" * 301, b"")),
    },
    "2.3 The encoding of records is UTF-8, and `ISO-IR 10646 2000 UTF-8` the only value that `hdrcharset` may have.": {
        "pax-charset-binary": with_records(records(hdrcharset="BINARY")),
        "pax-charset-binary-for-all": with_records(records(hdrcharset="BINARY"), b"g"),
        "pax-keyword-301-characters-for-all": with_records(record("v" * 301, b""), b"g"),
    },
    "2.3 An extended header has at most 65,536 bytes, and zeros fill its last block:": {
        "pax-too-large": with_records(records(comment="x" * 65_536)),
        "pax-padding": sdist(pax(records(path="a-1/f")).replace(b"a-1/f\n\0", b"a-1/f\n1") + F),
        "gnu-name-padding": sdist(gnu_long(b"L", b"a-1/name").replace(b"a-1/name\0", b"a-1/names") + F),
        "pax-global-padding": sdist(
            pax(records(comment="x"), typeflag=b"g").replace(b"comment=x\n\0", b"comment=x\n1") + F
        ),
    },
    "2.3 and so MUST access lists (`SCHILY.acl.access`), by which bsdtar changes modes.": {
        "pax-access-list": with_records(record("SCHILY.acl.access", b"user::rwx,group::r--,other::---")),
        "pax-access-list-for-all": with_records(record("SCHILY.acl.access", b"user::rwx"), b"g"),
    },
    "2.3 (in records those of files, too) and in records the names of owners have to be valid UTF-8, for bsdtar fails at"
    " others:": {
        f"pax-{keyword}-not-utf-8{'-for-all' * every}": with_records(record(keyword, b"a\xff"), b"g" if every else b"x")
        for keyword, every in (("uname", False), ("gname", False), ("linkpath", False), ("gname", True))
    },
    "2.3 Records of sparse files and backups (`GNU.sparse.`, `GNU.dumpdir`, `GNU.volume.`, `SCHILY.filetype`,"
    " `SCHILY.realsize`, `SUN.holesdata`) MUST be refused,": {
        "pax-sparse": with_records(records(GNU_sparse_major="1")),
        "pax-sparse-for-all": with_records(records(GNU_sparse_size="1"), b"g"),
        "pax-dumpdir": with_records(records(GNU_dumpdir="Yf")),
        "pax-volume": with_records(records(GNU_volume_label="x")),
        "pax-filetype": with_records(records(SCHILY_filetype="sparse")),
        "pax-realsize": with_records(records(SCHILY_realsize="9")),
        "pax-holesdata": with_records(records(SUN_holesdata=" 0 9")),
    },
    "2.3 The target of a symbolic link MUST be UTF-8, not empty, at most 4096 bytes, relative, without NUL, backslash"
    " or drive letter, and with `..` only at its beginning.": {
        "target-not-utf-8": link(b"\xff"),
        "target-empty": link(b""),
        "target-4097-bytes": sdist(
            pax(records(linkpath=b"/".join([b"t" * 240] * 16 + [b"t" * 241]))) + symlink(b"a-1/l", b"t")
        ),
        "target-absolute": link(b"/etc/passwd"),
        "target-nul": sdist(pax(records(linkpath="f\0g")) + symlink(b"a-1/l", b"f")),
        "target-backslash": link(b"d\\f"),
        "target-drive": link(b"C:f"),
        "target-parent-later": link(b"d/../f", b"a-1/l", member(b"a-1/d/g")),
    },
    "2.3 When it is followed one component at a time, through all symbolic links of the archive, every step MUST stay"
    " inside the top directory, and it MUST arrive: no more than 40 links may be passed on the way (PEP 721).": {
        "link-out": link(b"../x"),
        "link-out-and-in": link(b"../a-1/f"),
        "link-further-out-and-in": link(b"../../a-1/f"),
        "link-to-the-top-s-parent": link(b".."),
        "link-out-through-a-link": link(b"u/../x", b"a-1/l", symlink(b"a-1/u", b"d/e"), member(b"a-1/d/e/f")),
        "link-out-by-two-links": link(b"d/up/x", b"a-1/l", symlink(b"a-1/d/up", b"../..")),
        "link-to-itself": link(b"l"),
        "links-in-a-circle": link(b"k", b"a-1/l", symlink(b"a-1/k", b"l")),
        "links-41": sdist(F, *chain(41)),
    },
    "2.3 All links of an archive together MUST be followed in no more than 262,144 steps.": {
        "links-that-tire": sdist(
            *(pax(records(linkpath=TIRING)) + symlink(b"a-1/l%03d" % number, TIRING[:100]) for number in range(140))
        ),
    },
    "2.3 A name MAY be given more than once where that makes no difference to any reader: a directory; a symbolic link"
    " with the same target; a file, both times executable or not, that is not one with another by a hard link.": {
        "link-twice-to-others": sdist(symlink(b"a-1/l", b"g"), symlink(b"a-1/l", b"f")),
        "link-then-file": sdist(symlink(b"a-1/l", b"f"), member(b"a-1/l")),
        "file-then-link": sdist(F, symlink(b"a-1/f", b"g")),
        "file-then-hard-link": sdist(F, member(b"a-1/g", b"data"), hard_link(b"a-1/f", b"a-1/g")),
        "hard-link-then-file": sdist(F, hard_link(b"a-1/g", b"a-1/f"), member(b"a-1/g", b"other")),
        "hard-linked-file-again": sdist(F, hard_link(b"a-1/g", b"a-1/f"), member(b"a-1/f", b"other")),
        "file-executable-once": sdist(member(b"a-1/f", b"data", mode=EXECUTABLE), F),
    },
    "2.3 Two names MUST NOT be the same in normal form C (UAX 15)": {
        "names-decomposed": sdist(member("a-1/é".encode()), member("a-1/e\u0301".encode())),
        "names-kelvin": sdist(member("a-1/\u212a".encode()), member(b"a-1/K")),
        "names-angstrom": sdist(member("a-1/\u212b".encode()), member("a-1/Å".encode())),
    },
    "2.3 No member may have a name, or lie beneath one, that is one with the name of a symbolic link on another system": {
        "link-and-file-by-case": sdist(symlink(b"a-1/l", b"g"), member(b"a-1/L")),
        "link-and-link-by-case": sdist(symlink(b"a-1/l", b"g"), symlink(b"a-1/L", b"g")),
        "beneath-a-link-by-a-dot": sdist(member(b"a-1/D./f"), symlink(b"a-1/d", b"e")),
        "beneath-a-link-by-case": sdist(symlink("a-1/straße".encode(), b"e"), member(b"a-1/STRASSE/f")),
    },
    "2.3 There are at most 16,384 headers, or one for each 64 bytes of the file if that is more.": {
        "headers-too-many": sdist(F, *(directory(b"a-1/d/") for _ in range(16_400))),
    },
    "2.3 The gzip stream MUST NOT unpack to more than 67,108,864 bytes, or 70 times the file's size if that is more,"
    " nor all files, hard links counted as such, have more together.": {
        "unpacks-to-too-much": gz(BLOCKS + bytes(67_108_864)),
        "hard-links-to-too-much": sdist(
            member(b"a-1/f", bytes(1 << 20)), *(hard_link(b"a-1/h%02d" % number, b"a-1/f") for number in range(64))
        ),
    },
}


def at(date: int | None, epoch: str | None = None) -> Input:
    return Input(sdist(F), date=date, epoch=epoch)


LONG = b"/".join([b"a-1", b"d" * 60, b"e" * 60])
ACCEPTED: Rules = {
    "2.1 A slash at the end that marks a directory does not count": {
        "directory-without-a-slash": sdist(F, directory(b"a-1/d")),
        "name-component-255-bytes": sdist(pax(records(path=b"a-1/" + b"n" * 255)) + F),
    },
    "2.1 Names are not changed in any other way.": {
        "names-that-differ-in-case": sdist(member(b"a-1/readme"), member(b"a-1/README")),
        "name-decomposed": sdist(member("a-1/e\u0301".encode())),
        "name-with-colon-and-dot": sdist(member(b"a-1/x:y."), member(b"a-1/nul")),
    },
    "2.3 ustar, PAX or GNU, by the magic and version of each header (`ustar`, NUL, `00`; or `ustar`, two blanks, NUL).": {
        "gnu-magic": sdist(gnu(b"a-1/f", b"data")),
        "gnu-name": sdist(gnu_long(b"L", b"a-1/f\0") + gnu(b"x", b"data")),
        "gnu-name-without-nul": sdist(gnu_long(b"L", b"a-1/f") + gnu(b"x", b"data")),
        "gnu-name-long": sdist(gnu_long(b"L", LONG + b"\0") + gnu(LONG[:100], b"data")),
        "gnu-target-long": sdist(gnu_long(b"K", LONG + b"\0") + symlink(b"a-1/l", LONG[:100])),
        "gnu-name-and-pax-of-same": sdist(gnu_long(b"L", b"a-1/f\0") + pax(records(path="a-1/f")) + member(b"x", b"d")),
        "prefix": sdist(member(b"f", b"data", prefix=b"a-1")),
        "type-nul": f(typeflag=b"\0"),
        "type-nul-directory": sdist(F, directory(b"a-1/d/", typeflag=b"\0")),
        "type-contiguous": f(typeflag=b"7"),
    },
    "2.3 At least two blocks of zeros MUST end the tar, only zeros may follow them,": {
        "end-1024": gz(BLOCKS + bytes(1024)),
        "end-20480": gz(BLOCKS + bytes(20480)),
    },
    "2.3 Other numbers MAY be in base 256": {
        "size-base-256": f(size=base256(4, 12)),
        "mode-base-256": f(mode=base256(0o755, 8)),
        "uid-base-256": f(uid=base256(3_000_000, 8)),
        "mtime-negative": f(mtime=base256(-86400, 12)),
        "numbers-with-blanks": f(size=b"         4 \0", mode=b"   644 \0"),
        "numbers-without-end": f(mode=b"00000644"),
        "devices-empty": f(devmajor=b"", devminor=b""),
        "checksum-seven-digits": f(checksum=octal(sum(member(b"a-1/f", b"data", checksum=b" " * 8)[:512]), 8)),
    },
    "2.3 the times `mtime`, `atime` and `ctime` are numbers of less than 2**62 seconds.": {
        "pax-times": with_records(records(atime="5", ctime="6.5", mtime="1580601600.25")),
        "pax-mtime-negative": with_records(records(mtime="-1.5")),
    },
    "2.3 A PAX header holds records and nothing else.": {
        "pax-empty": with_records(b""),
        "pax-bytes": with_records(record("SCHILY.xattr.user.x", b"\xff\0\n")),
        "pax-path-not-needed": sdist(pax(records(path="a-1/f")) + member(b"x", b"data")),
        "pax-size-not-needed": with_records(records(size="4")),
        "pax-charset": sdist(pax(records(hdrcharset="ISO-IR 10646 2000 UTF-8", path="a-1/f")) + member(b"x", b"data")),
        "pax-keyword-300-characters": with_records(record("v" * 300, b"")),
        "pax-owners": with_records(records(uid="70000000", gid="4294967294", uname="Jürgen", gname="g" * 40)),
    },
    "2.3 It need not exist.": {
        "link-to-nothing": link(b"nowhere"),
    },
    "2.3 every step MUST stay inside the top directory, and it MUST arrive:": {
        "link": link(b"f", b"a-1/l", F),
        "link-to-parent": link(b"../f", b"a-1/d/l", F),
        "link-to-the-top": link(b"..", b"a-1/d/l", F),
        "link-to-its-directory": link(b".", b"a-1/l", F),
        "link-with-dots": link(b"./f", b"a-1/l", F),
        "link-with-a-slash": link(b"d/", b"a-1/l", member(b"a-1/d/f")),
        "links-40": sdist(F, *chain(40)),
    },
    "2.3 A name MAY be given more than once where that makes no difference to any reader:": {
        "file-twice": sdist(F, member(b"a-1/f", b"the last one")),
        "directory-twice": sdist(F, directory(b"a-1/d/"), directory(b"a-1/d/", mode=b"0000700\0")),
        "link-twice": sdist(F, symlink(b"a-1/l", b"f"), symlink(b"a-1/l", b"f")),
    },
    "3 the date that the user gives;": {
        "date-0": at(0),
        "date-odd": at(1700000001),
        "date-last": at(4354819198),
        "date-before-source-date-epoch": at(1700000000, "1600000000"),
    },
    "3 the value of the environment variable `SOURCE_DATE_EPOCH`;": {"source-date-epoch": at(None, "1600000000")},
    "6.1 exactly one gzip member, and nothing after it.": {
        "gzip-time": gz(PLAIN, head=b"\x1f\x8b\x08\0\1\2\3\4\2\3"),
        "gzip-name": gz(PLAIN, head=b"\x1f\x8b\x08\x08\0\0\0\0\0\xffa-1.tar\0"),
        "gzip-comment": gz(PLAIN, head=b"\x1f\x8b\x08\x10\0\0\0\0\0\xffhello\0"),
        "gzip-header-checksum": gz(PLAIN, head=CHECKED + (zlib.crc32(CHECKED) & 0xFFFF).to_bytes(2, "little")),
        "gzip-text": gz(PLAIN, head=b"\x1f\x8b\x08\1\0\0\0\0\0\xff"),
        "gzip-stored": PLAIN_GZIP[:10] + in_stored_blocks(PLAIN[:4096]) + gz(PLAIN[:4096])[-8:],
    },
    "6.2 The tar archive holds the members sorted by name.": {
        "order": sdist(*(member(b"a-1/" + name) for name in (b"z", b"b/c", b"b.c", b"Z"))),
        "order-by-bytes": sdist(*(member(f"a-1/{name}".encode()) for name in ("\uffee", "\U00010000", "é", "z"))),
        "order-without-the-slash": sdist(directory(b"a-1/d/"), member(b"a-1/d-e"), member(b"a-1/d.e")),
    },
    "6.2 A directory is a member only if it is empty:": {
        "directories": sdist(directory(b"a-1/d/"), directory(b"a-1/d/e/"), directory(b"a-1/g/"), member(b"a-1/g/f")),
    },
    "6.2 A hard link becomes a file of its own,": {
        "hard-link": sdist(F, hard_link(b"a-1/h", b"a-1/f")),
        "hard-links-to-hard-links": sdist(
            member(b"a-1/f", b"data", mode=EXECUTABLE),
            hard_link(b"a-1/g", b"a-1/f", mode=EXECUTABLE),
            hard_link(b"a-1/h", b"a-1/g", mode=b"0000777\0"),
        ),
        "hard-link-to-the-last": sdist(F, member(b"a-1/f", b"new"), hard_link(b"a-1/h", b"a-1/f")),
    },
    "6.2 Global PAX headers are dropped; what they say holds for the members after them.": {
        "pax-global": sdist(pax(records(comment="0123abcd", mtime="77"), typeflag=b"g") + F),
        "pax-global-twice": sdist(
            pax(records(comment="a"), typeflag=b"g") + F, pax(records(comment="b"), typeflag=b"g") + member(b"a-1/g")
        ),
    },
    "6.3 A file is executable if the input's mode has the bit `0o100`.": {
        "mode-755": f(mode=EXECUTABLE),
        "mode-700": f(mode=b"0000700\0"),
        "mode-100": f(mode=b"0000100\0"),
        "mode-600": f(mode=b"0000600\0"),
        "mode-000": f(mode=b"0000000\0"),
        "mode-4755": f(mode=b"0004755\0"),
        "mode-with-type": f(mode=b"0100644\0"),
        "mode-of-directory": sdist(F, directory(b"a-1/d/", mode=b"0000700\0")),
        "mode-of-link": sdist(F, symlink(b"a-1/l", b"f", mode=b"0000644\0")),
    },
    "6.4 Each member has one header block of 512 bytes.": {
        "owners": f(uid=octal(1000, 8), gid=octal(100, 8), uname=b"me", gname=b"users"),
        "names-of-owners-not-utf-8": f(uname=b"\xff", gname=b"\xff"),
        "mtime": f(mtime=octal(7, 12)),
        "devices": f(devmajor=b"0000001\0", devminor=b"0000002\0"),
        "after-the-name": sdist(member(b"a-1/f\0junk", b"data")),
        "unused": f(rest=b"junk"),
        "link-name-of-a-file": f(linkname=b"\xff"),
    },
    "6.4 A value of exactly 100 bytes has no NUL at its end.": {
        **{f"name-{size}-bytes": sdist(pax(records(path=b"a-1/" + b"n" * (size - 4))) + F) for size in (99, 100, 101)},
        **{
            f"target-{size}-bytes": sdist(pax(records(linkpath=b"t" * size)) + symlink(b"a-1/l", b"t"))
            for size in (99, 100, 101)
        },
    },
    "6.6 the header name is longer than 100 bytes or not ASCII": {
        "name-not-ascii": sdist(member("a-1/é".encode())),
        "name-not-ascii-and-long": sdist(pax(records(path="a-1/" + "é" * 60)) + F),
        "name-cut-within-a-character": sdist(pax(records(path="a-1/" + "n" * 95 + "é")) + F),
        "directory-100-bytes-with-slash": sdist(F, pax(records(path=b"a-1/" + b"n" * 95 + b"/")) + directory(b"x/")),
        "directory-101-bytes-with-slash": sdist(F, pax(records(path=b"a-1/" + b"n" * 96 + b"/")) + directory(b"x/")),
        "directory-not-ascii": sdist(F, directory("a-1/é/".encode())),
    },
    "6.6 a symbolic link's target is longer than 100 bytes or not ASCII": {
        "target-not-ascii": link("é".encode()),
        "name-and-target": link("é".encode(), "a-1/ü".encode()),
    },
    "6.6 LENGTH is the number of bytes of the whole record, its own digits, the SP and the LF included,": {
        f"record-{size + 8}-bytes": sdist(pax(records(path=b"a-1/" + (b"d" * 99 + b"/") * 9 + b"n" * (size - 904))) + F)
        for size in (983, 984, 985, 988, 989, 990, 991, 992)
    },
    "6.7 NULs fill the last block up to 512 bytes.": {
        **{f"contents-{size}": sdist(member(b"a-1/f", b"x" * size)) for size in (0, 1, 511, 512, 513, 1024)},
        "padding": sdist(F[:-5] + b"stash"),
    },
    "6.8 two blocks of NULs, then as few further NULs as make the archive's size a multiple of 10240 bytes.": {
        **{
            f"end-after-{blocks}-blocks": sdist(member(b"a-1/f", bytes(512 * (blocks - 4))))
            for blocks in (17, 18, 19, 20, 21)
        },
    },
}

NO_DATE: Rules = {
    "3 1580601600 (2020-02-02 00:00:00 UTC).": {
        "no-date": Input(sdist(member(b"a-1/f", mtime=octal(DATE + 1, 12))), date=None),
    },
}
