"""What the real writer makes, held against the canonical form by a reader that shares nothing with it.

Archives of many shapes, as builders and tools make them, go in; what comes out must have no findings, whatever the date,
and must come back byte for byte. Then canonical archives are mutated: reader and samebytes must agree on each mutation.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import importlib.util
import io
import json
import marshal
import os
import random
import re
import struct
import subprocess
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from support.canonical_reader import canonical_stream, check_sdist, check_wheel, noise, squares

from samebytes.artifact.layout import ArtifactKind
from samebytes.artifact.opening import open_archive
from samebytes.errors import ArchiveError, SamebytesError
from samebytes.passes import DEFAULT
from samebytes.passes.model import Context
from samebytes.passes.pipeline import agreed_date, rewrite

DATE = 1580601600
DATES = (0, 315532799, 1580601601, 1709164799, 4354819198)
WHEEL_NAME = "a-1-py3-none-any.whl"
SDIST_NAME = "a-1.tar.gz"
DOCUMENT = Path(__file__).parents[2] / "docs" / "canonical-form.md"

METADATA = b"Metadata-Version: 2.1\nName: a\nVersion: 1\n"
WHEEL = b"Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def check(kind: str, data: bytes, date: int = DATE) -> list[str]:
    return check_wheel(data, date) if kind == "wheel" else check_sdist(data, date)


def canonical(path: Path, date: int = DATE, **options: bool) -> bytes:
    """Return the canonical form of *path*, and demand that it is one and comes back byte for byte."""
    kind = "wheel" if path.suffix == ".whl" else "sdist"
    context = Context(date, ArtifactKind(kind), **options)
    target = path.parent / "out" / path.name
    target.parent.mkdir(exist_ok=True)
    rewrite(path, target, context, DEFAULT)
    data = target.read_bytes()
    assert check(kind, data, date) == []
    again = rewrite(target, None, context, DEFAULT)
    assert (again.changes, again.before, again.after.sha256) == ((), again.after, hashlib.sha256(data).hexdigest())
    return data


# -- wheels of many shapes


def recorded(files: dict[str, bytes], algorithm: str = "sha256", info: str = "a-1.dist-info") -> dict[str, bytes]:
    """Return *files* with a RECORD as some builder might write it: in its own order, with CRLF."""
    rows = []
    for name, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.new(algorithm, data).digest()).rstrip(b"=").decode()
        quoted = '"' + name.replace('"', '""') + '"' if re.search('[",\r\n]', name) else name
        rows.append(f"{quoted},{algorithm}={digest},{len(data)}\r\n")
    return {**files, f"{info}/RECORD": "".join([*rows, f"{info}/RECORD,,\r\n"]).encode()}


def plain_files(**changed: bytes) -> dict[str, bytes]:
    inside = {"METADATA": METADATA, "WHEEL": WHEEL, **changed}
    return {"a.py": b"x = 1\n" * 40, "z/empty": b"", **{f"a-1.dist-info/{name}": data for name, data in inside.items()}}


Tweak = Callable[[zipfile.ZipInfo, int], None]


def made_wheel(
    directory: Path,
    files: dict[str, bytes],
    *,
    tweak: Tweak = lambda _info, _number: None,
    order: int = 1,
    comment: bytes = b"",
    method: int = zipfile.ZIP_DEFLATED,
    level: int = 6,
    streamed: bool = False,
) -> Path:
    path = directory / WHEEL_NAME
    sink: io.BytesIO = Pipe() if streamed else io.BytesIO()
    with zipfile.ZipFile(sink, "w", method, compresslevel=level) as archive:
        archive.comment = comment
        for number, (name, data) in enumerate(list(files.items())[::order]):
            info = zipfile.ZipInfo(name, (2021, 3, 4, 5, 6, number % 60))
            info.compress_type = method
            info.external_attr = (0o040775 if name.endswith("/") else 0o100664) << 16
            tweak(info, number)
            archive.writestr(info, data)
    path.write_bytes(sink.getvalue())
    return path


class Pipe(io.BytesIO):
    """A file that cannot seek, so that zipfile has to write data descriptors."""

    def seekable(self) -> bool:
        return False

    def seek(self, *_: int) -> int:
        raise io.UnsupportedOperation

    tell = seek


def executable(info: zipfile.ZipInfo, number: int) -> None:
    info.external_attr = (0o100755 if number % 2 else 0o100600) << 16


def from_dos(info: zipfile.ZipInfo, _number: int) -> None:
    info.create_system, info.external_attr, info.internal_attr = 0, 0x20, 1


def with_extras(info: zipfile.ZipInfo, number: int) -> None:
    info.extra = struct.pack("<HHBL", 0x5455, 5, 1, 1700000000 + number)
    info.comment = b"member's comment"


def test_plain_wheels(tmp_path: Path) -> None:
    """Whatever the container, the same files are the same wheel."""
    files = recorded(plain_files())
    forms = [
        made_wheel(tmp_path, files).read_bytes(),
        made_wheel(tmp_path, files, order=-1).read_bytes(),
        made_wheel(tmp_path, files, comment=b"hello").read_bytes(),
        made_wheel(tmp_path, files, method=zipfile.ZIP_STORED).read_bytes(),
        made_wheel(tmp_path, files, level=9).read_bytes(),
        made_wheel(tmp_path, files, level=1).read_bytes(),
        made_wheel(tmp_path, files, tweak=from_dos).read_bytes(),
        made_wheel(tmp_path, files, tweak=with_extras).read_bytes(),
        made_wheel(tmp_path, files, streamed=True).read_bytes(),
        made_wheel(tmp_path, {"a-1.dist-info/": b"", "z/": b"", **files}).read_bytes(),
        made_wheel(tmp_path, {**recorded(plain_files(), "sha512")}).read_bytes(),
        made_wheel(tmp_path, recorded({".source-date-epoch": b"1\n", **plain_files()})).read_bytes(),
    ]
    found = set()
    for form in forms:
        path = tmp_path / WHEEL_NAME
        path.write_bytes(form)
        assert check_wheel(form, DATE)
        found.add(canonical(path))
    assert len(found) == 1


def pyc(size: int, magic: int = 3495) -> bytes:
    return struct.pack("<H2s3L", magic, b"\r\n", 0, 1700000000, size) + b"code"


CODE_SOURCE = b"def f(x):\n    return x in {'b', 'a'}, 'two words', 1.5, -(2**70)\n"


def compiled_as(filename: str) -> bytes:
    code = compile(CODE_SOURCE, filename, "exec", dont_inherit=True)
    return importlib.util.MAGIC_NUMBER + struct.pack("<3L", 0, 1700000000, len(CODE_SOURCE)) + marshal.dumps(code)


SBOM = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.5",
    "serialNumber": "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79",
    "metadata": {"timestamp": "2024-01-01T00:00:00Z"},
    "components": [
        {"bom-ref": "path+file:///build/x/b#1.0", "number": 1.50},
        {"bom-ref": "path+file:///build/x/a#1.0", "name": "é"},
    ],
}

CONTENTS: dict[str, dict[str, bytes]] = {
    "names": {"é/ü.txt": b"1", "日本.py": b"", "a b/c'd": b"2", "A-z_0.~": b"3", 'q"u': b"4", "c,d": b"5", ("x" * 30 + "/") * 100 + "x": b"6"},
    "scripts": {"a-1.data/scripts/run": b"#!python\n", "a-1.data/data/etc/x": b"", "b.data/scripts/deep/x": b"y"},
    "sizes": {f"f{size}": squares(size) for size in (0, 1, 2, 8, 9, 20, 65535, 65536)},
    "noise": {f"n{size}": noise(size) for size in (1, 300, 65536, (1 << 20) - 1, 1 << 20, (1 << 20) + 1)},
    "segments": {f"s{size}": squares(size) for size in ((1 << 20) - 1, 1 << 20, (1 << 20) + 1, 2 << 20, (2 << 20) + 9)},
    "other dist-info": {"pkg/b-1.dist-info/RECORD": b"x", "pkg/b-1.dist-info/METADATA": b"Version: 1\nName: b\n"},
    "crlf": {"a-1.dist-info/METADATA": b"Name: a\r\nVersion: 1\r\nMetadata-Version: 2.1\r\n\r\nbody\r\n"},
    "no line end": {"a-1.dist-info/METADATA": b"Name: a\nVersion: 1\nMetadata-Version: 2.1"},
    "folded": {"a-1.dist-info/METADATA": b"License: x\n  y\n\tz\nName: a\nX-Mine: 1\nRequires: q\nClassifier: b\nClassifier: a\n\n"},
    "newest fields": {"a-1.dist-info/METADATA": b"Import-Namespace: c\nImport-Name: b\nProvides-Extra: a\nHome-page: x\nProvides-Dist: y\nDynamic: z\n"},
    "not a block": {"a-1.dist-info/METADATA": b"Version: 1\nName a\n", "a-1.dist-info/WHEEL": b"\nTag: b\nTag: a\n"},
    "latin": {"a-1.dist-info/METADATA": b"Author: J\xf6rg\nName: a\n"},
    "tags": {"a-1.dist-info/WHEEL": b"Tag: py3-none-any\nBuild: 2\nTag: py2-none-any\nWheel-Version: 1.0\nTag:py1-none-any\n"},
    "top level": {"a-1.dist-info/top_level.txt": b"b\r\na\r\n\r\nB\r\n"},
    "blank top level": {"a-1.dist-info/top_level.txt": b"\n\n"},
    "odd top level": {"a-1.dist-info/top_level.txt": b"b\na\rc\n"},
    "sbom": {"a-1.dist-info/sboms/x.cdx.json": json.dumps(SBOM).encode(), "a-1.dist-info/sboms/note.txt": b"hello"},
    "two sboms": {f"a-1.dist-info/sboms/{name}.json": json.dumps(SBOM).encode() for name in "xy"},
    "signed sbom": {"a-1.dist-info/sboms/x.json": json.dumps({**SBOM, "signature": {}}).encode()},
    "spdx": {
        "a-1.dist-info/sboms/x.spdx.json": json.dumps(
            {
                "spdxVersion": "SPDX-2.3",
                "documentNamespace": "https://x/3e671687-395b-41f5-a30f-a58921a69b79",
                "creationInfo": {"created": "2024-01-01T00:00:00Z"},
                "packages": [{"SPDXID": "SPDXRef-b"}, {"SPDXID": "SPDXRef-a", "hasFiles": ["c", "a"]}],
            }
        ).encode()
    },
    "compiled": {
        "m.py": b"y = 2\n",
        "__pycache__/m.cpython-311.pyc": pyc(6),
        "__pycache__/m.cpython-311.opt-1.pyc": pyc(6),
        "__pycache__/m.cpython-310.pyc": pyc(6, 3439),
        "__pycache__/m.other.pyc": pyc(6, 336),
        "m.pyc": pyc(7),
        "alone.pyc": pyc(6),
        "n.py": CODE_SOURCE,
        "n.pyc": compiled_as("/home/alice/n.py"),
        f"__pycache__/n.{sys.implementation.cache_tag}.pyc": compiled_as("/tmp/build-1/n.py"),
    },
}  # fmt: skip


@pytest.mark.parametrize("shape", CONTENTS)
def test_wheels_with_contents_of_many_shapes(tmp_path: Path, shape: str) -> None:
    path = made_wheel(tmp_path, recorded({**plain_files(), **CONTENTS[shape]}), order=-1, tweak=executable)
    assert check_wheel(path.read_bytes(), DATE)
    canonical(path)


@pytest.mark.parametrize("date", DATES)
def test_the_date_of_a_wheel(tmp_path: Path, date: int) -> None:
    files = recorded({**plain_files(), **CONTENTS["sbom"]})
    data = canonical(made_wheel(tmp_path, files), date)
    assert all(check_wheel(data, other) for other in DATES if max(other, 315532800) // 2 != max(date, 315532800) // 2)


@pytest.mark.parametrize("date", DATES)
def test_the_date_found_in_a_wheel_gives_the_same_wheel(tmp_path: Path, date: int) -> None:
    """Who is not told the date takes it from the members, which cannot hold each one."""
    path = tmp_path / "again" / WHEEL_NAME
    path.parent.mkdir()
    path.write_bytes(canonical(made_wheel(tmp_path, recorded({**plain_files(), **CONTENTS["sbom"]})), date))
    with open_archive(path) as archive:
        found = agreed_date(archive)
    assert found is not None
    assert canonical(path, found) == path.read_bytes()


def test_a_wheel_whose_signatures_are_dropped(tmp_path: Path) -> None:
    files = {**recorded(plain_files()), "a-1.dist-info/RECORD.jws": b"{}", "a-1.dist-info/RECORD.p7s": b"x"}
    canonical(made_wheel(tmp_path, files), drop_signatures=True)


def test_a_wheel_whose_record_is_rebuilt(tmp_path: Path) -> None:
    files = recorded(plain_files())
    canonical(made_wheel(tmp_path, {**files, "unlisted": b""}), rebuild_record=True)
    del files["a-1.dist-info/RECORD"]
    canonical(made_wheel(tmp_path, files), rebuild_record=True)


@pytest.mark.long
@pytest.mark.slow("reads and writes 65536 members, several times")
def test_a_wheel_with_more_members_than_16_bits_count(tmp_path: Path) -> None:
    files = recorded({**plain_files(), **{f"m/{number:05}": b"" for number in range(0xFFFF - 5)}})
    assert len(files) == 0xFFFF
    path = made_wheel(tmp_path, files)
    rewrite(path, path, Context(DATE, ArtifactKind.WHEEL), DEFAULT)
    assert b"PK\6\6" in path.read_bytes()
    assert check_wheel(path.read_bytes(), DATE) == []


# -- sdists of many shapes


def member(name: str, data: bytes | str = b"", mode: int = 0o664, **fields: object) -> tuple[tarfile.TarInfo, bytes]:
    """Return a tar member; text is a symbolic link's target."""
    info = tarfile.TarInfo(name)
    info.mode, info.mtime, info.uid, info.gid, info.uname, info.gname = mode, 1600000000, 1000, 100, "me", "users"
    if isinstance(data, str):
        info.type, info.linkname, data = tarfile.SYMTYPE, data, b""
    elif name.endswith("/"):
        info.type, info.name = tarfile.DIRTYPE, name[:-1]
    for key, value in fields.items():
        setattr(info, key, value)
    info.size = len(data)
    return info, data


Members = list[tuple[tarfile.TarInfo, bytes]]

PKG_INFO = member("a-1/PKG-INFO", METADATA)


def made_sdist(directory: Path, members: Members, tar_format: int = tarfile.PAX_FORMAT, **options: object) -> Path:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w", format=tar_format, **options) as archive:  # type: ignore[call-overload]
        for info, data in members:
            archive.addfile(info, io.BytesIO(data))
    path = directory / SDIST_NAME
    with path.open("wb") as out, gzip.GzipFile(filename="a-1.tar", mode="wb", fileobj=out) as packed:
        packed.write(sink.getvalue())
    return path


def hard_link(name: str, target: str, mode: int = 0o644) -> tuple[tarfile.TarInfo, bytes]:
    return member(name, b"", mode, type=tarfile.LNKTYPE, linkname=target)


SOURCES: dict[str, Members] = {
    "plain": [PKG_INFO, member("a-1/setup.py", b"setup()\n", 0o755), member("a-1/a.py", b"x = 1\n" * 100)],
    "directories": [member("a-1/", mode=0o700), member("a-1/x/"), member("a-1/x/y/"), member("a-1/x/y/f"), member("a-1/empty/", mode=0o2775), PKG_INFO],
    "links": [PKG_INFO, member("a-1/s", "./PKG-INFO"), member("a-1/x/d", "../nowhere"), hard_link("a-1/h", "a-1/PKG-INFO")],
    "hard link to a script": [PKG_INFO, member("a-1/run", b"#!", 0o755), hard_link("a-1/again", "a-1/run", 0o755)],
    "given twice": [PKG_INFO, member("a-1/x", b"old"), member("a-1/x", b"new"), member("a-1/PKG-INFO", METADATA + b"\n")],
    "long names": [PKG_INFO, *(member("a-1/" + "x" * (length - 4), b"1") for length in (99, 100, 101, 255, 256, 257, 259))],
    "long directories": [PKG_INFO, *(member("a-1/" + "x" * (length - 4) + "/") for length in (99, 100, 101, 259))],
    "deep": [PKG_INFO, member("a-1/" + "deep/" * 100 + "f", b"1")],
    "long targets": [PKG_INFO, *(member(f"a-1/l{length}", "t" * length) for length in (99, 100, 101, 300))],
    "foreign": [PKG_INFO, member("a-1/é", b"1"), member("a-1/日本/"), member("a-1/ö/l", "../é"), member("a-1/" + "é" * 48, b""), member("a-1/" + "é" * 49, b"")],
    "times": [PKG_INFO, member("a-1/a", mtime=1600000000.123456789), member("a-1/b", mtime=-5), member("a-1/c", mtime=0), member("a-1/d", mtime=8**11)],
    "owners": [PKG_INFO, member("a-1/a", uid=8**7, gid=8**8, uname="é" * 20, gname="g" * 40)],
    "sorted by bytes": [PKG_INFO, *(member(f"a-1/{name}", b"1") for name in ("b/x", "b.txt", "b0", "B", "ä", "z", "~", "b-c"))],
    "egg-info": [
        member("a-1/PKG-INFO", b"Version: 1\r\nName: a\r\n\r\nbody\r\n"),
        member("a-1/src/a.egg-info/PKG-INFO", b"Version: 1\nName: a"),
        member("a-1/src/a.egg-info/SOURCES.txt", b"b\na\n\n"),
        member("a-1/src/a.egg-info/top_level.txt", b"b\r\na"),
        member("a-1/tests/b.egg-info/PKG-INFO", b"Version: 1\nName: b"),
        member("a-1/tests/b.egg-info/SOURCES.txt", b"b\na\n\n"),
    ],
    "date file": [PKG_INFO, member("a-1/.source-date-epoch", b"7\n")],
    "sizes": [PKG_INFO, *(member(f"a-1/f{size}", squares(size)) for size in (0, 1, 511, 512, 513, 10239, 10240, 10241))],
    "segments": [PKG_INFO, member("a-1/big", squares((2 << 20) + 77)), member("a-1/noise", noise(1 << 20))],
    "a whole segment": [member("a-1/PKG-INFO", METADATA), member("a-1/setup.py", squares((10240 * 512) - 3072))],
}  # fmt: skip


@pytest.mark.parametrize("shape", SOURCES)
@pytest.mark.parametrize("tar_format", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_sdists_of_many_shapes(tmp_path: Path, shape: str, tar_format: int) -> None:
    path = made_sdist(tmp_path, SOURCES[shape], tar_format)
    assert check_sdist(path.read_bytes(), DATE)
    canonical(path)


def test_plain_sdists(tmp_path: Path) -> None:
    """Whatever the container, the same files are the same sdist."""
    found = set()
    for tar_format in (tarfile.USTAR_FORMAT, tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        for members in (SOURCES["plain"], SOURCES["plain"][::-1], [member("a-1/"), *SOURCES["plain"]]):
            found.add(canonical(made_sdist(tmp_path, members, tar_format)))
    found.add(canonical(made_sdist(tmp_path, SOURCES["plain"], pax_headers={"comment": "from a checkout"})))
    assert len(found) == 1


@pytest.mark.parametrize("date", DATES)
def test_the_date_of_an_sdist(tmp_path: Path, date: int) -> None:
    data = canonical(made_sdist(tmp_path, SOURCES["foreign"]), date)
    assert all(check_sdist(data, other) for other in DATES if other != date)


def test_an_sdist_that_carries_its_date(tmp_path: Path) -> None:
    data = canonical(made_sdist(tmp_path, SOURCES["date file"]), record_date=True)
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        extracted = archive.extractfile("a-1/.source-date-epoch")
        assert extracted is not None
        assert extracted.read() == b"%d\n" % DATE


# -- the document's examples


def dump(kind: str) -> bytes:
    """Return the bytes of the document's dump of *kind*."""
    block = re.search(rf"^```{kind}\n(.*?)^```", DOCUMENT.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert block is not None
    found = re.findall(r"^[0-9a-f]{4,}  ((?:[0-9a-f]{2} ?)+?)(?: x (\d+))?(?:  .*)?$", block[1], re.MULTILINE)
    return b"".join(bytes.fromhex(text) * int(count or 1) for text, count in found)


def test_the_writer_makes_the_document_s_wheel(tmp_path: Path) -> None:
    files = {"a-1.dist-info/WHEEL": WHEEL, "a-1.dist-info/METADATA": METADATA, "a.py": b"x = 1\n"}
    assert canonical(made_wheel(tmp_path, recorded(files))) == dump("wheel")


def test_the_writer_makes_the_document_s_sdist(tmp_path: Path) -> None:
    assert canonical(made_sdist(tmp_path, [member("a-1/é", "PKG-INFO"), PKG_INFO])) == dump("sdist")


# -- the command line


def test_the_command_normalizes_and_checks(tmp_path: Path) -> None:
    wheel = made_wheel(tmp_path, recorded({**plain_files(), **CONTENTS["names"]}))
    sdist = made_sdist(tmp_path, SOURCES["foreign"])

    def run(*arguments: str) -> int:
        environment = {key: value for key, value in os.environ.items() if key != "SOURCE_DATE_EPOCH"}
        command = [sys.executable, "-m", "samebytes", *arguments, str(wheel), str(sdist)]
        return subprocess.run(command, check=False, env=environment, capture_output=True, timeout=60).returncode

    assert run("check") == 1
    assert run("normalize", "--date", "1709164799") == 0
    assert check_wheel(wheel.read_bytes(), 1709164799) == []
    assert check_sdist(sdist.read_bytes(), 1709164799) == []
    assert run("check") == 0


# -- mutations of canonical archives


def verdict(kind: str, data: bytes, directory: Path) -> str:
    """Say what samebytes makes of *data*: ``canonical``, ``changed`` (to a canonical archive) or ``refused``."""
    path = directory / (WHEEL_NAME if kind == "wheel" else SDIST_NAME)
    path.write_bytes(data)
    target = directory / "mended" / path.name
    target.parent.mkdir(exist_ok=True)
    try:
        result = rewrite(path, target, Context(DATE, ArtifactKind(kind)), DEFAULT)
    except SamebytesError:
        return "refused"
    assert check(kind, target.read_bytes()) == []
    assert bool(result.changes) == (target.read_bytes() != data)
    return "changed" if result.changes else "canonical"


def assert_found(kind: str, data: bytes, directory: Path) -> str:
    """Demand that reader and samebytes both find something in *data*; return what samebytes did."""
    assert check(kind, data), "the reader finds nothing"
    outcome = verdict(kind, data, directory)
    assert outcome != "canonical"
    return outcome


def small_wheel(directory: Path) -> bytes:
    files = {"a.py": b"x = 1\n" * 9, "é": b"1", "z/empty": b"", "a-1.data/scripts/run": b"#!python\n"}
    return canonical(made_wheel(directory, recorded({**plain_files(**{"top_level.txt": b"a\n"}), **files})))


def small_sdist(directory: Path) -> bytes:
    return canonical(made_sdist(directory, [*SOURCES["links"], *SOURCES["foreign"][1:], *SOURCES["directories"][:-1]]))


def repacked(tar: bytes) -> bytes:
    """Return a canonical gzip file of *tar*."""
    trailer = struct.pack("<2L", zlib.crc32(tar), len(tar) & 0xFFFFFFFF)
    return b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + canonical_stream(tar) + trailer


def unpacked(sdist: bytes) -> bytes:
    return zlib.decompress(sdist[10:-8], -15)


def flips(length: int, count: int) -> Iterator[tuple[int, int]]:
    """Give places and bits to flip in *length* bytes; always the same ones."""
    draw = random.Random(length)
    for _ in range(count):
        yield draw.randrange(length), 1 << draw.randrange(8)


def flipped(data: bytes, at: int, bits: int) -> bytes:
    return data[:at] + bytes([data[at] ^ bits]) + data[at + 1 :]


def test_every_flipped_bit_of_a_wheel_is_found(tmp_path: Path) -> None:
    data = small_wheel(tmp_path)
    for at, bits in flips(len(data), 600):
        assert_found("wheel", flipped(data, at, bits), tmp_path)


def test_flipped_bits_of_an_sdist_are_found(tmp_path: Path) -> None:
    data = small_sdist(tmp_path)
    for at, bits in flips(len(data), 200):
        assert_found("sdist", flipped(data, at, bits), tmp_path)


def test_reader_and_samebytes_agree_on_every_flipped_bit_of_a_tar(tmp_path: Path) -> None:
    """Flips in contents are another sdist; so both may be content, but never only one of them."""
    tar = unpacked(small_sdist(tmp_path))
    for at, bits in flips(len(tar), 600):
        data = repacked(flipped(tar, at, bits))
        assert bool(check_sdist(data, DATE)) == (verdict("sdist", data, tmp_path) != "canonical"), f"{at} ^ {bits}"


def headers_of(tar: bytes) -> list[int]:
    """Return where the headers of members start, those of extended headers included."""
    starts = []
    at = 0
    while tar[at : at + 512].strip(b"\0"):
        starts.append(at)
        at += 512 + -(-int(tar[at + 124 : at + 135], 8) // 512) * 512
    return starts


def test_reader_and_samebytes_agree_on_headers_with_right_checksums(tmp_path: Path) -> None:
    tar = unpacked(small_sdist(tmp_path))
    draw = random.Random(1)
    for start in headers_of(tar):
        for _ in range(25):
            at = start + draw.choice((draw.randrange(512), draw.randrange(100, 157), draw.randrange(257, 345)))
            mutated = bytearray(flipped(tar, at, 1 << draw.randrange(8)))
            mutated[start + 148 : start + 156] = b" " * 8
            mutated[start + 148 : start + 156] = b"%06o\0 " % sum(mutated[start : start + 512])
            data = repacked(bytes(mutated))
            assert bool(check_sdist(data, DATE)) == (verdict("sdist", data, tmp_path) != "canonical"), f"{at - start}"


ZipFiles = list[tuple[zipfile.ZipInfo, bytes]]


def zip_members(data: bytes) -> ZipFiles:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return [(info, archive.read(info)) for info in archive.infolist()]


def zipped(members: Iterable[tuple[zipfile.ZipInfo, bytes]], comment: bytes = b"") -> bytes:
    """Return the ZIP file that Python makes: canonical but for its flags of a version's habit, if the members are."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.comment = comment
        for info, data in members:
            archive.writestr(info, data)
    return sink.getvalue()


def test_mutations_of_a_wheel_s_members(tmp_path: Path) -> None:
    data = small_wheel(tmp_path)
    count = len(zip_members(data))

    def each(change: Callable[[zipfile.ZipInfo], None]) -> Iterator[bytes]:
        for number in range(count):
            members = zip_members(data)
            change(members[number][0])
            yield zipped(members)

    def restored(number: int, new: bytes) -> bytes:
        members = zip_members(data)
        return zipped([*members[:number], (members[number][0], new), *members[number + 1 :]])

    def attribute(name: str, value: object) -> Callable[[zipfile.ZipInfo], None]:
        return lambda info: setattr(info, name, value)

    mutated = [
        *each(attribute("date_time", (2020, 2, 2, 0, 0, 2))),
        *each(attribute("create_system", 0)),
        *each(attribute("create_version", 45)),
        *each(attribute("internal_attr", 1)),
        *each(attribute("external_attr", 0o100744 << 16)),
        *each(attribute("external_attr", 0o755 << 16)),
        *each(attribute("external_attr", 0o120777 << 16)),
        *each(attribute("comment", b"x")),
        *each(attribute("extra", b"\x99\x99\0\0")),
        *(restored(number, b"other") for number in range(count - 1)),
        zipped(zip_members(data), b"comment"),
        zipped(zip_members(data)[::-1]),
        zipped(zip_members(data)[1:]),
        zipped([*zip_members(data), (zipfile.ZipInfo("unlisted"), b"")]),
        zipped([(zipfile.ZipInfo("z/"), b""), *zip_members(data)]),
        b"#!/bin/sh\n" + data,
        data + b"\0",
        data[:-1],
    ]
    for number, one in enumerate(mutated):
        assert one != data, number
        assert_found("wheel", one, tmp_path)
    methods = [info.compress_type for info, _ in zip_members(data)]
    for number, method in enumerate(methods):
        members = zip_members(data)
        members[number][0].compress_type = zipfile.ZIP_STORED if method else zipfile.ZIP_DEFLATED
        if members[number][1]:
            assert assert_found("wheel", zipped(members), tmp_path) == "changed"


def test_mutations_of_an_sdist(tmp_path: Path) -> None:
    data = small_sdist(tmp_path)
    tar = unpacked(data)
    starts = headers_of(tar)
    mutated = [
        data + b"\0",
        data + gzip.compress(b""),
        gzip.compress(tar, 9, mtime=0),
        data[:3] + b"\x08" + data[4:10] + b"name\0" + data[10:],
        *(repacked(tar + bytes(size)) for size in (512, 10240)),
        *(repacked(tar[:-size]) for size in (512, 1024, 10240)),
        *(repacked(tar[:start] + tar[after:]) for start, after in zip(starts, starts[1:]) if tar[start + 156] == ord("x")),
        *(repacked(tar[:start] + global_header() + tar[start:]) for start in starts),
        repacked(tar[starts[1] :] + tar[: starts[1]]),
    ]  # fmt: skip
    for one in mutated:
        kept = check_sdist(one, DATE)
        # Without its extended header a member has another name, which may be as canonical as the first one.
        assert bool(kept) == (verdict("sdist", one, tmp_path) != "canonical")
    assert sum(bool(check_sdist(one, DATE)) for one in mutated) >= len(mutated) - 8


def global_header() -> bytes:
    info = tarfile.TarInfo("x")
    return info.create_pax_global_header({"comment": "x"})


def test_a_refused_input_has_its_own_error(tmp_path: Path) -> None:
    (tmp_path / WHEEL_NAME).write_bytes(b"#!/bin/sh\n" + small_wheel(tmp_path))
    with pytest.raises(ArchiveError, match="before"):
        rewrite(tmp_path / WHEEL_NAME, None, Context(DATE, ArtifactKind.WHEEL), DEFAULT)
