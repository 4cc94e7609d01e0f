"""Sdists by every writer at hand, and kinds of mutations that could make two readers see different things in them.

Each kind is a function of a source of randomness and the chunks of a tar (a header block with its contents), and gives
the bytes of a ``.tar.gz``. Nothing here knows the code under test but for its writer.
"""

from __future__ import annotations

import io
import os
import random
import shutil
import struct
import subprocess
import tarfile
import tempfile
import zlib
from pathlib import Path
from typing import Callable

from samebytes.archive.entry import Data, Entry, Kind
from samebytes.archive.tar_writer import write_tar

from . import tar_unpacker, tars

TOP = "pkg-1.0"
REPORT = "SDIST_TREE_REPORT"
"""The environment variable that names the file into which the sdist's own backend writes the tree that it sees."""

_BACKEND = f"""

def build_wheel(directory, settings=None, metadata=None):
    with open(os.environ["{REPORT}"], "w") as report:
        json.dump(tree("."), report)
    raise SystemExit("reported")
"""
LONG = "n" * 60 + "/" + "m" * 60

FILES = {
    "PKG-INFO": b"Metadata-Version: 2.1\nName: pkg\nVersion: 1.0\n",
    "pyproject.toml": b'[build-system]\nrequires = []\nbuild-backend = "reporting"\nbackend-path = ["."]\n',
    "reporting.py": Path(tar_unpacker.__file__).read_bytes() + _BACKEND.encode(),
    "setup.py": b"print('honest')\n",
    "pkg/__init__.py": b"",
    "pkg/gr\u00f6\u00dfe.txt": b"gr\xc3\xbcn\n",
    f"{LONG}/long.txt": b"long\n" * 200,
    # What reads these contents as headers sees another setup.py.
    "pkg/data.bin": tars.member(f"{TOP}/setup.py".encode(), b"print('other')\n", mode=b"0000755\0"),
}
LINKS = {"link": "setup.py", "pkg/far": "../" + LONG.partition("/")[0]}


def make_tree(directory: Path) -> None:
    """Write the project that all bases hold."""
    top = directory / TOP
    for name, data in FILES.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_bytes(data)
    (top / "setup.py").chmod(0o755)
    for name, target in LINKS.items():
        (top / name).symlink_to(target)
    (top / "empty").mkdir()
    os.link(top / "setup.py", top / "twin.py")


def bases() -> dict[str, bytes]:
    """Return a tar of the same project by each writer."""
    found = {"samebytes": _canonical()}
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch)
        make_tree(directory)
        # Newest first, for what is written to a directory changes its time.
        for path in sorted(directory.rglob("*"), reverse=True):
            os.utime(path, (tars.DATE, tars.DATE), follow_symlinks=False)
        for name, tar_format in (
            ("ustar", tarfile.USTAR_FORMAT),
            ("GNU", tarfile.GNU_FORMAT),
            ("PAX", tarfile.PAX_FORMAT),
        ):
            sink = io.BytesIO()
            with tarfile.open(fileobj=sink, mode="w", format=tar_format) as archive:
                archive.add(directory / TOP, TOP)
            found[f"tarfile, {name}"] = sink.getvalue()
        for program, formats in (("tar", ("oldgnu", "gnu", "ustar", "posix")), ("bsdtar", ("ustar", "pax", "gnutar"))):
            found_program = shutil.which(program)
            for name in formats if found_program else ():
                order = ["--sort=name"] if program == "tar" else []
                command = [str(found_program), "-cf", "-", *order, f"--format={name}", "-C", scratch, TOP]
                found[f"{program}, {name}"] = subprocess.run(command, check=True, capture_output=True).stdout
    return found


def _canonical() -> bytes:
    entries = [
        *(
            Entry(f"{TOP}/{name}", Kind.FILE, 0o755 if name == "setup.py" else 0o644, tars.DATE, Data(data))
            for name, data in FILES.items()
        ),
        *(Entry(f"{TOP}/{name}", Kind.SYMLINK, 0o777, tars.DATE, target=target) for name, target in LINKS.items()),
        Entry(f"{TOP}/empty", Kind.DIRECTORY, 0o755, tars.DATE),
    ]
    sink = io.BytesIO()
    write_tar(sink, sorted(entries, key=lambda entry: entry.name_bytes))
    return sink.getvalue()


def chunks_of(tar: bytes) -> list[bytes]:
    """Return the members of a sound *tar*, each header block with its contents."""
    found = []
    at = 0
    while at < len(tar) and tar[at : at + 512].strip(b"\0"):
        size = int(tar[at + 124 : at + 135].strip(b" \0") or b"0", 8)
        size = 0 if tar[at + 156 : at + 157] in (b"1", b"2", b"5") else size
        end = at + 512 + size + -size % 512
        found.append(tar[at:end])
        at = end
    return found


def summed(chunk: bytes) -> bytes:
    """Return *chunk* with the checksum that fits."""
    total = sum(chunk[:148]) + 8 * 32 + sum(chunk[156:512])
    return chunk[:148] + b"%06o\0 " % total + chunk[156:]


FIELDS = {
    "name": (0, 100),
    "mode": (100, 108),
    "uid": (108, 116),
    "gid": (116, 124),
    "size": (124, 136),
    "mtime": (136, 148),
    "checksum": (148, 156),
    "typeflag": (156, 157),
    "linkname": (157, 257),
    "magic": (257, 265),
    "uname": (265, 297),
    "gname": (297, 329),
    "devmajor": (329, 337),
    "devminor": (337, 345),
    "prefix": (345, 500),
    "rest": (500, 512),
}


def with_field(chunk: bytes, field: str, value: bytes) -> bytes:
    begin, end = FIELDS[field]
    changed = chunk[:begin] + value.ljust(end - begin, b"\0")[: end - begin] + chunk[end:]
    return changed if field == "checksum" else summed(changed)


def text_of(chunk: bytes, field: str) -> bytes:
    begin, end = FIELDS[field]
    return chunk[begin:end].partition(b"\0")[0]


def packed(tar: bytes) -> bytes:
    return tars.gz(tar)


def whole(chunks: list[bytes]) -> bytes:
    return packed(tars.tar(*chunks))


Chunks = list[bytes]
Mutation = Callable[[random.Random, Chunks], bytes]

_NAMES = [f"{TOP}/{name}".encode() for name in [*FILES, *LINKS, "empty", "new", "pkg", "new/x", "Setup.py", "SETUP.PY"]]


def _some_name(rng: random.Random) -> bytes:
    name = rng.choice(_NAMES)
    return rng.choice(
        [name] * 8
        + [
            name + b"/",
            b"./" + name,
            name + b"\0x",
            name + b".",
            name + b" ",
            name.upper(),
            name + b"/.",
            name.replace(b"/", b"//", 1),
            name[:100],
            b"",
        ]
    )


def _value(rng: random.Random, old: bytes) -> bytes:
    """Return a name like *old*, or any other."""
    return rng.choice(
        [old, old, old + b"/", old.rstrip(b"/"), b"./" + old, old + b"\0", _some_name(rng), _some_name(rng)]
    )


def _at(rng: random.Random, chunks: Chunks) -> int:
    return rng.randrange(len(chunks))


def flipped_bytes(rng: random.Random, chunks: Chunks) -> bytes:
    at = _at(rng, chunks)
    chunk = bytearray(chunks[at])
    for _ in range(rng.randint(1, 3)):
        begin, end = rng.choice(list(FIELDS.values()))
        chunk[rng.randrange(begin, end)] = rng.choice([0, 32, 47, 48, 55, 128, 255, rng.randrange(256)])
    chunks[at] = summed(bytes(chunk))
    return whole(chunks)


NUMBERS = [b"", b"0", b"7", b"0000000", b"0000644", b"0000755 ", b"   644 \0", b"0100755\0", b"\0" * 7 + b"1", b" " * 8, b" " * 12, b"       \0", b"\x80" + b"\0" * 6 + b"\x05", b"\x80" + b"\0" * 10 + b"\x05", b"\xff" * 8, b"\xff" * 12, b"\xff" * 7 + b"\xfe", b"\x81" + b"\0" * 7, b"-1", b"+5", b"0x1f", b"9", b"12\0 34", b"77777777777", b"\t12", b"1_0", b"0o17", b"\xc0" + bytes(11)]  # fmt: skip


def numbers(rng: random.Random, chunks: Chunks) -> bytes:
    at = _at(rng, chunks)
    field = rng.choice(["mode", "uid", "gid", "size", "mtime", "checksum", "devmajor", "devminor"])
    begin, end = FIELDS[field]
    old = chunks[at][begin:end].strip(b" \0") or b"0"
    value = int(old, 8) if not old.strip(b"01234567") else 0
    width = end - begin
    same = [b"%o" % value, b"%o " % value, b" %o" % value, b"%o\0" % value, b"%0*o" % (width, value), tars.base256(value, width), b"%*o" % (width - 1, value)]  # fmt: skip
    chunks[at] = with_field(chunks[at], field, rng.choice(same + NUMBERS))
    return whole(chunks)


def types(rng: random.Random, chunks: Chunks) -> bytes:
    at = _at(rng, chunks)
    flags = b"\x0001234567" * 3 + b"xgLKSDMNVXAEIZ \xff"
    chunk = with_field(chunks[at], "typeflag", bytes([rng.choice(flags)]))
    if rng.random() < 0.5:
        chunk = with_field(chunk, "name", _value(rng, text_of(chunk, "name")))
    if rng.random() < 0.3:
        chunk = with_field(chunk, "linkname", rng.choice([*_NAMES, b"setup.py"]))
    chunks[at] = chunk
    return whole(chunks)


MAGICS = [b"ustar\x0000", b"ustar  \0", b"ustar \0\0", b"ustar\0\0\0", b"ustar\x0001", b"ustar\0  ", b"", b"ustar00", b"USTAR\x0000", b"ustar 00", b"GNUtar \0"]  # fmt: skip


def magics_and_prefixes(rng: random.Random, chunks: Chunks) -> bytes:
    at = _at(rng, chunks)
    chunk = with_field(chunks[at], "magic", rng.choice(MAGICS))
    if rng.random() < 0.7:
        prefix = rng.choice(
            [b"", TOP.encode(), b"other", b"/", b"..", TOP.encode() + b"/pkg", b"\0x", b"13615403000\0", b"a" * 155]
        )
        chunk = with_field(chunk, "prefix", prefix)
    if rng.random() < 0.7:
        name = text_of(chunk, "name")
        chunk = with_field(
            chunk, "name", rng.choice([name.partition(b"/")[2], name, b"", name + b"/", b"new", b"x" * 100])
        )
    if rng.random() < 0.2:
        chunk = with_field(chunk, "rest", rng.choice([b"tar\0", b"x" * 12, b"1"]))
    chunks[at] = chunk
    return whole(chunks)


KEYWORDS = ["path", "path", "path", "linkpath", "size", "mtime", "uid", "uname", "comment", "hdrcharset", "GNU.sparse.major", "GNU.sparse.minor", "GNU.sparse.name", "GNU.sparse.realsize", "GNU.sparse.size", "GNU.sparse.map", "GNU.sparse.numblocks", "GNU.dumpdir", "GNU.volume.label", "SCHILY.filetype", "SCHILY.realsize", "SCHILY.xattr.user.x", "SCHILY.acl.access", "SCHILY.fflags", "SCHILY.dev", "SCHILY.ino", "SCHILY.nlink", "SUN.holesdata", "LIBARCHIVE.symlinktype", "LIBARCHIVE.creationtime", "LIBARCHIVE.xattr.user.x", "RHT.security.selinux", "VENDOR.x", "typeflag", "type", "mode", "name", "linkname", "prefix", "charset", "Path", "path ", "p\nath"]  # fmt: skip


def _records(rng: random.Random, chunk: bytes) -> bytes:
    data = b""
    for _ in range(rng.choice([0, 1, 1, 1, 2, 3])):
        keyword = rng.choice(KEYWORDS)
        if keyword in ("path", "GNU.sparse.name", "name"):
            value = _value(rng, text_of(chunk, "name"))
        elif keyword in ("linkpath", "linkname"):
            value = _value(rng, text_of(chunk, "linkname"))
        elif keyword in ("size", "SCHILY.realsize", "GNU.sparse.realsize", "GNU.sparse.size"):
            old = chunk[124:135].strip(b" \0")
            old = b"%d" % int(old, 8) if not old.strip(b"01234567") and old else b"0"
            value = rng.choice(
                [old, old, b"0", b"512", b"1024", b"-1", b"", b" " + old, b"0" + old, old + b" ", b"1e1", b"+" + old]
            )
        elif keyword == "hdrcharset":
            value = rng.choice([b"BINARY", b"ISO-IR 10646 2000 UTF-8", b"ISO-IR 8859 1 1998", b""])
        elif keyword == "SCHILY.filetype":
            value = rng.choice([b"regular", b"sparse", b"directory", b"link"])
        else:
            value = rng.choice([b"", b"1", b"1.5", b"0", b"-3", b"x", b"\xff", b"0,512", b"a\nb", b"a\n" + tars.record("path", f"{TOP}/new")[:-1], b"0 512"])  # fmt: skip
        data += tars.record(keyword, value)
    spoil = rng.random()
    if spoil < 0.04:
        data += b"\0" * rng.randint(1, 30)
    elif spoil < 0.08:
        data += rng.choice(
            [b"garbage", b"\n", b"12 x", b"0 a=b\n", b"5 a\n", b"99 path=x\n", b" 9 path=x\n", b"06 a=b\n"]
        )
    elif spoil < 0.12 and data:
        data = data[:-1]
    return data


def pax_records(rng: random.Random, chunks: Chunks) -> bytes:
    at = _at(rng, chunks)
    header = tars.pax(_records(rng, chunks[at]), typeflag=rng.choice([b"x"] * 5 + [b"g", b"X"]))
    chunks.insert(at, header)
    if rng.random() < 0.3 and at + 1 < len(chunks):
        chunks[at + 1] = with_field(chunks[at + 1], "typeflag", rng.choice([b"\0", b"0", b"5", b"7"]))
    if rng.random() < 0.3 and at + 1 < len(chunks):
        chunks[at + 1] = with_field(chunks[at + 1], "name", _value(rng, text_of(chunks[at + 1], "name")))
    if rng.random() < 0.1:
        chunks.insert(at, tars.pax(_records(rng, chunks[at + 1]), typeflag=rng.choice([b"x", b"g"])))
    return whole(chunks)


def gnu_names(rng: random.Random, chunks: Chunks) -> bytes:
    at = _at(rng, chunks)
    flag = rng.choice([b"L", b"L", b"K"])
    name = _value(rng, text_of(chunks[at], "name" if flag == b"L" else "linkname"))
    text = name + rng.choice([b"\0", b"\0", b"\0", b"", b"\0\0", b"\0x", b"\n"])
    extra = [tars.gnu_long(flag, text)]
    if rng.random() < 0.3:
        extra.insert(rng.randrange(2), tars.pax(_records(rng, chunks[at])))
    if rng.random() < 0.1:
        extra.append(tars.gnu_long(flag, _value(rng, name) + b"\0"))
    chunks[at:at] = extra
    at += len(extra)
    if rng.random() < 0.5:
        chunks[at] = with_field(chunks[at], "typeflag", rng.choice([b"\0", b"0", b"5", b"7"]))
    if rng.random() < 0.5:
        chunks[at] = with_field(chunks[at], "name", _value(rng, text_of(chunks[at], "name")))
    return whole(chunks)


def early_ends(rng: random.Random, chunks: Chunks) -> bytes:
    """The block of a name or of records goes on behind their size."""
    at = _at(rng, chunks)
    if rng.random() < 0.5:
        name = _value(rng, text_of(chunks[at], "name")) or b"x"
        text = name + rng.choice([b"\0", b""])
        extra, size = tars.gnu_long(b"L", text), rng.choice([len(text), rng.randint(1, len(text))])
    else:
        first = tars.record(rng.choice(["comment", "path"]), text_of(chunks[at], "name"))
        more = rng.choice([_records(rng, chunks[at]), tars.record("path", f"{TOP}/other"), b"x", b"\0x"])
        extra, size = tars.pax(first + more), rng.choice([len(first), len(first), len(first) + 1])
    chunks.insert(at, with_field(extra, "size", b"%011o" % size))
    return whole(chunks)


def repeated_members(rng: random.Random, chunks: Chunks) -> bytes:
    for _ in range(rng.randint(1, 3)):
        old = text_of(chunks[_at(rng, chunks)], "name")
        name = rng.choice([old, old, old, b"./" + old, old.swapcase(), _some_name(rng)])
        mode = rng.choice([b"0000644\0", b"0000755\0", b"0000600\0"])
        new = rng.choice(
            [
                tars.member(name, b"another\n", mode=mode),
                tars.directory(name),
                tars.symlink(name, rng.choice([b"setup.py", b"pkg", b".", b"nowhere", b"../" + TOP.encode(), b"pkg/"])),
                tars.hard_link(name, rng.choice(_NAMES), mode=mode),
                chunks[_at(rng, chunks)],
            ]
        )
        chunks.insert(rng.randint(0, len(chunks)), new)
    return whole(chunks)


def moved_members(rng: random.Random, chunks: Chunks) -> bytes:
    for _ in range(rng.randint(1, 3)):
        chunk = chunks.pop(_at(rng, chunks))
        if rng.random() < 0.7:
            chunks.insert(rng.randint(0, len(chunks)), chunk)
        if len(chunks) < 2:
            break
    return whole(chunks)


def links(rng: random.Random, chunks: Chunks) -> bytes:
    """Links whose targets lead through others, up and down."""
    parts = ["..", ".", "pkg", "a", "b", "link", "empty", "", TOP, "setup.py", "nowhere"]
    for _ in range(rng.randint(1, 4)):
        target = "/".join(rng.choice(parts) for _ in range(rng.randint(1, 5)))
        name = rng.choice([f"{TOP}/a", f"{TOP}/b", f"{TOP}/pkg/a", f"{TOP}/pkg/b", f"{TOP}/empty/a"])
        size = rng.choice([0] * 9 + [512])
        make = rng.choice([tars.symlink] * 4 + [tars.hard_link])
        if make is tars.hard_link:
            target = f"{TOP}/{target}"
        chunks.insert(rng.randint(0, len(chunks)), make(name.encode(), target.encode(), size=tars.octal(size, 12)))
    return whole(chunks)


def sizes(rng: random.Random, chunks: Chunks) -> bytes:
    """Contents where there should be none, none where there should be some, and padding that holds something."""
    at = _at(rng, chunks)
    chunk = chunks[at]
    kind = rng.randrange(3)
    if kind == 0:
        extra = rng.choice([b"x" * 512, tars.member(f"{TOP}/setup.py".encode(), b"print('other')\n")])
        chunks[at] = with_field(chunk[:512], "size", tars.octal(len(extra), 12)) + extra
    elif kind == 1:
        chunks[at] = with_field(chunk, "size", tars.octal(rng.choice([0, 1, 512, 513, 1 << 30]), 12))
    elif len(chunk) > 512:
        chunks[at] = chunk[:-1] + b"x"
    return whole(chunks)


def ends(rng: random.Random, chunks: Chunks) -> bytes:
    body = b"".join(chunks)
    more = tars.member(f"{TOP}/setup.py".encode(), b"print('other')\n")
    kind = rng.randrange(7)
    if kind == 0:
        chunks.insert(rng.randint(0, len(chunks)), bytes(512 * rng.randint(1, 3)))
        return whole(chunks)
    endings = (
        bytes(512 * rng.randint(0, 4)),
        bytes(rng.randint(0, 3000)),
        bytes(1024) + more + bytes(1024),
        bytes(512) + more,
        bytes(rng.choice([512, 1024])) + rng.choice([b"x", b"\0\0x", b"x" * 512]),
        more[: rng.randrange(1, len(more))],
    )
    return packed(body + endings[kind - 1])


def gzip_framing(rng: random.Random, chunks: Chunks) -> bytes:
    tar = tars.tar(*chunks)
    kind = rng.randrange(4)
    if kind == 0:
        flags = rng.choice([0, 1, 2, 4, 8, 16, 24, 28, 32, 64, 128, rng.randrange(256)])
        extra = b""
        if flags & 4:
            extra += struct.pack("<H", 3) + b"abc"
        if flags & 8:
            extra += rng.choice([b"a.tar\0", b"\0", b"../x\0"])
        if flags & 16:
            extra += b"comment\0"
        head = (
            struct.pack("<2sBBLBB", b"\x1f\x8b", 8, flags, rng.choice([0, 1, 1 << 31]), rng.choice([0, 2, 9]), 3)
            + extra
        )
        if flags & 2:
            head += struct.pack("<H", rng.choice([zlib.crc32(head) & 0xFFFF, 0]))
        return tars.gz(tar, head=head)
    if kind == 1:
        cut = rng.choice(
            [rng.randrange(len(tar)), 512 * rng.randrange(len(tar) // 512), len(b"".join(chunks)), len(tar), 0]
        )
        return tars.gz(tar[:cut]) + tars.gz(tar[cut:])
    if kind == 2:
        return tars.gz(tar) + rng.choice(
            [b"\0", b"\0" * 512, b"x", b"\x1f\x8b", tars.gz(b"")[:12], tars.gz(b"x"), tars.gz(tar)]
        )
    return tars.gz(tar, crc=rng.choice([None, 0]), size=rng.choice([None, 0, len(tar) + 1]))


def other_names(rng: random.Random, chunks: Chunks) -> bytes:
    """Names that other systems, or other readers, take for different ones."""
    at = _at(rng, chunks)
    odd = ["a\u0308", "\u00e4", "A", "a", "a.", "a ", "con", "nul.txt", "a:b", "a\\b", "a\tb", "a\nb", "a\rb", "\u202ea", "\x7f", "~", "-x", "a'b", '"', "\ufeffa", "\U0001f600", "..a", "a..", "*", "?", "%s", "\xa0"]  # fmt: skip
    name = f"{TOP}/{rng.choice(['', 'pkg/'])}{rng.choice(odd)}{rng.choice(['', '', '.py', '/x'])}".encode()
    new = tars.member(name, b"odd\n")
    if rng.random() < 0.5:
        new = tars.pax(tars.record("path", name)) + tars.member(b"x", b"odd\n")
    chunks.insert(at, new)
    return whole(chunks)


KINDS: dict[str, Mutation] = {
    "none": lambda _, chunks: whole(chunks),
    "bytes of a header": flipped_bytes,
    "numbers": numbers,
    "types and slashes": types,
    "magic and prefix": magics_and_prefixes,
    "PAX records": pax_records,
    "GNU long names": gnu_names,
    "extended headers that end early": early_ends,
    "members given again": repeated_members,
    "members moved": moved_members,
    "links": links,
    "sizes and padding": sizes,
    "end of the archive": ends,
    "gzip's framing": gzip_framing,
    "names": other_names,
}


def mutant(kind: str, seed: int, given: dict[str, bytes]) -> bytes:
    """Return the sdist of that *kind* and *seed*: the same each time."""
    rng = random.Random(f"{kind} {seed}")
    chunks = chunks_of(given[rng.choice(sorted(given))])
    return KINDS[kind](rng, chunks)
