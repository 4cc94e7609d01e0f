"""Pairs of archives that differ for one known cause, and pairs that only look so; all made here, by real tools if cheap.

A pair is two wheels or two sdists and the causes that a comparison has to name: these, and no others.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import py_compile
import shutil
import struct
import subprocess
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from samebytes_tools.comparison.model import UNKNOWN_BUILD, KnownBuild
from support import macho
from support.wheels import (
    FILES,
    INFO,
    METADATA,
    OLD,
    SDIST_NAME,
    SOURCES,
    TOP,
    WHEEL,
    WHEEL_NAME,
    Member,
    members,
    record_of,
    sources,
    write_sdist,
    write_wheel,
)

from samebytes.archive.entry import Kind
from samebytes.commands.normalize.normalize import NormalizeJob, NormalizeOptions, normalize

Maker = Callable[[Path, Path], tuple[Path, Path]]
"""Writes a left and a right archive, each into a directory of its own."""


@dataclass(frozen=True)
class Pair:
    """Two archives, and why they differ."""

    name: str
    causes: tuple[str, ...]
    """Codes; empty where nothing differs."""
    make: Maker
    builds: tuple[KnownBuild, KnownBuild] = (UNKNOWN_BUILD, UNKNOWN_BUILD)
    needs: str = ""
    """A program that must be there."""

    def __str__(self) -> str:
        return self.name


def build(pair: Pair, directory: Path) -> tuple[Path, Path]:
    """Make *pair* below *directory*, or skip the test where a program is missing."""
    if pair.needs and shutil.which(pair.needs) is None:
        pytest.skip(f"needs {pair.needs}")
    sides = directory / "left", directory / "right"
    for side in sides:
        side.mkdir(parents=True)
    return pair.make(*sides)


# -- wheels and sdists that differ in their files


def files(left: Mapping[str, bytes], right: Mapping[str, bytes]) -> Maker:
    """Return what makes two wheels with these files beside the usual ones."""

    def make(one: Path, other: Path) -> tuple[Path, Path]:
        return write_wheel(one, members({**FILES, **left})), write_wheel(other, members({**FILES, **right}))

    return make


def text(left: str, right: str, name: str = "demo_pkg/about.txt") -> Maker:
    """Return what makes two wheels with one text."""
    return files({name: left.encode()}, {name: right.encode()})


def tree(left: Mapping[str, bytes], right: Mapping[str, bytes]) -> Maker:
    """Return what makes two sdists with these files beside the usual ones."""

    def make(one: Path, other: Path) -> tuple[Path, Path]:
        sides = [{**SOURCES, **{f"{TOP}/{name}": data for name, data in side.items()}} for side in (left, right)]
        return write_sdist(one, sources(sides[0])), write_sdist(other, sources(sides[1]))

    return make


def changed(change: Callable[[Member], Member], *, sdist: bool = False) -> Maker:
    """Return what makes two archives of which the right one has every member as *change* has it."""

    def make(one: Path, other: Path) -> tuple[Path, Path]:
        given = sources() if sdist else members()
        write = write_sdist if sdist else write_wheel
        return write(one, given), write(other, [change(member) for member in given])

    return make


def given(left: Sequence[Member], right: Sequence[Member], *, sdist: bool = False) -> Maker:
    def make(one: Path, other: Path) -> tuple[Path, Path]:
        write = write_sdist if sdist else write_wheel
        return write(one, left), write(other, right)

    return make


# -- compiled things


PROGRAM = b"""
#include <stdio.h>
#include <assert.h>
#ifndef MORE
#define MORE 1
#endif
#ifndef TIMES
#define TIMES 2.5
#endif
#ifndef CASE
#define CASE 8
#endif
int show(int n) { assert(n > 0); printf("built %s\\n", WHEN); return n; }
int more(int n) { assert(n > 1); return show(n) + MORE; }
int (*const both[])(int) = { show, more };
int table(int n) {
    assert(n > 2);
    switch (n) {
    case 3: return show(7);
    case 4: return n * n;
    case 5: puts("five"); return 1;
    case 6: return more(9);
    case 7: puts("seven"); return 70;
    case CASE: return n ^ 99;
    case 9: return printf("%f", n * TIMES);
    case 10: return 5;
    case 11: return 9 - n * n;
    default: return 0;
    }
}
"""


def compiled(
    places: tuple[str, str] = (".", "."),
    flags: tuple[Sequence[str], Sequence[str]] = ((), ()),
    when: tuple[str, str] = ('"never"', '"never"'),
    after: Callable[[Path], None] = lambda _: None,
    names: tuple[str, str] = ("show.so", "show.so"),
    more: tuple[Mapping[str, bytes], Mapping[str, bytes]] = ({}, {}),
) -> Maker:
    """Return what makes two wheels with an extension, compiled by gcc, to which its directories are called *places*.

    :param after: changes what was compiled for the right side.
    :param more: further files.
    """

    def make(one: Path, other: Path) -> tuple[Path, Path]:
        built = []
        for number, side in enumerate((one, other)):
            source, target = side / "show.c", side / "show.so"
            source.write_bytes(PROGRAM)
            mapped = f"-ffile-prefix-map={side}={places[number]}"
            command = ["gcc", "-shared", "-fPIC", "-O1", "-Wl,--build-id", mapped, f"-DWHEN={when[number]}"]
            subprocess.run([*command, *flags[number], "-o", target, source], check=True, capture_output=True)
            if number:
                after(target)
            held = {**FILES, **more[number], f"demo_pkg/{names[number]}": target.read_bytes()}
            built.append(write_wheel(side, members(held)))
        return built[0], built[1]

    return make


def made_by(*compilers: str) -> Callable[[Path], None]:
    """Return what has *compilers* write themselves down in a file that was compiled by the one that is here."""

    def change(path: Path) -> None:
        comment = path.with_suffix(".comment")
        comment.write_bytes(b"".join(text.encode() + b"\0" for text in compilers))
        subprocess.run(["objcopy", "--update-section", f".comment={comment}", path], check=True)

    return change


GCC_10 = made_by("GCC: (GNU) 10.2.1 20210130 (Red Hat 10.2.1-11)", "GCC: (GNU) 4.8.5 20150623 (Red Hat 4.8.5-44)")


def tagged(*systems: str) -> dict[str, bytes]:
    tags = "\n".join(f"Tag: cp311-cp311-{system}_x86_64" for system in systems)
    return {f"{INFO}/WHEEL": WHEEL.replace(b"Tag: py3-none-any", tags.encode())}


def overwritten(left: str, right: str) -> Maker:
    """Return what makes two wheels with an extension whose search path was overwritten in place, as CMake does it."""

    def make(one: Path, other: Path) -> tuple[Path, Path]:
        built = []
        for side, path in ((one, left), (other, right)):
            source, target = side / "show.c", side / "show.so"
            source.write_bytes(PROGRAM)
            command = ["gcc", "-shared", "-fPIC", "-O1", f"-Wl,-rpath,{path}", '-DWHEN="never"', "-DNDEBUG"]
            subprocess.run([*command, "-o", target, source], check=True, capture_output=True)
            new = b"$ORIGIN".ljust(len(path), b"\0")
            data = target.read_bytes().replace(path.encode(), new)
            built.append(write_wheel(side, members({**FILES, "demo_pkg/show.so": data})))
        return built[0], built[1]

    return make


def with_other_build_id(path: Path) -> None:
    data = bytearray(path.read_bytes())
    at = data.index(b"GNU\0", data.index(b"\x04\0\0\0\x14\0\0\0\x03\0\0\0")) + 4
    data[at : at + 20] = bytes(range(20))
    path.write_bytes(data)


def module(
    left: str = "/a/demo.py",
    right: str = "/a/demo.py",
    code: tuple[str, str] = ("X = 1\n", "X = 1\n"),
) -> Maker:
    """Return what makes two wheels with a compiled module without its source, compiled under the given paths."""

    def make(one: Path, other: Path) -> tuple[Path, Path]:
        made = []
        for side, shown, source in zip((one, other), (left, right), code):
            path = side / "demo.py"
            path.write_text(source)
            mode = py_compile.PycInvalidationMode.CHECKED_HASH
            py_compile.compile(str(path), str(side / "demo.pyc"), shown, invalidation_mode=mode)
            made.append(write_wheel(side, members({**FILES, "demo_pkg/demo.pyc": (side / "demo.pyc").read_bytes()})))
        return made[0], made[1]

    return make


def reordered_set(one: Path, other: Path) -> tuple[Path, Path]:
    """A set in another order, as Python before 3.11 wrote them with another hash seed."""
    # Without a docstring, Python 3.14 would keep the set's first string as a constant of its own too.
    left, _ = module(code=("def f(x):\n    'f'\n    return x in {'aaa', 'bbb'}\n",) * 2)(one, other)
    data = (other / "demo.pyc").read_bytes()
    swapped = data.replace(b"aaa", b"###").replace(b"bbb", b"aaa").replace(b"###", b"bbb")
    return left, write_wheel(other, members({**FILES, "demo_pkg/demo.pyc": swapped}))


def dated_module(one: Path, other: Path) -> tuple[Path, Path]:
    """Compiled modules whose sources have other times; the source is in the wheel, as it should be."""
    made = []
    for side, moment in ((one, 1_700_000_000), (other, 1_700_100_000)):
        path = side / "demo.py"
        path.write_text("X = 1\n")
        os.utime(path, (moment, moment))
        mode = py_compile.PycInvalidationMode.TIMESTAMP
        py_compile.compile(str(path), str(side / "demo.pyc"), "demo.py", invalidation_mode=mode)
        both = {"demo_pkg/demo.py": path.read_bytes(), "demo_pkg/demo.pyc": (side / "demo.pyc").read_bytes()}
        made.append(write_wheel(side, members({**FILES, **both})))
    return made[0], made[1]


def other_python(one: Path, other: Path) -> tuple[Path, Path]:
    left, _ = module()(one, other)
    data = (other / "demo.pyc").read_bytes()
    changed_magic = (int.from_bytes(data[:2], "little") ^ 0x40).to_bytes(2, "little") + data[2:]
    return left, write_wheel(other, members({**FILES, "demo_pkg/demo.pyc": changed_magic}))


# -- containers


def zipped(**options: object) -> Maker:
    """Return what makes two wheels of which zipfile writes the right one with other values in its members' headers."""

    def make(one: Path, other: Path) -> tuple[Path, Path]:
        path = write_wheel(other)
        with zipfile.ZipFile(path) as file:
            held = [(info, file.read(info)) for info in file.infolist()]
        with zipfile.ZipFile(path, "w") as file:
            for info, data in held:
                for name, value in options.items():
                    setattr(info, name, value)
                file.writestr(info, data, compresslevel=getattr(info, "level", None))
        return write_wheel(one), path

    return make


def compressed(level: int) -> Maker:
    def make(one: Path, other: Path) -> tuple[Path, Path]:
        data = {**FILES, "demo_pkg/words.txt": b"".join(b"%d words of %d\n" % (n * 7919 % 997, n) for n in range(3000))}
        path = other / WHEEL_NAME
        with zipfile.ZipFile(path, "w") as file:
            for member in members(data):
                info = zipfile.ZipInfo(member.name, (2024, 5, 1, 10, 11, 12))
                info.external_attr = 0o100644 << 16
                file.writestr(info, member.data, zipfile.ZIP_DEFLATED, level)
        return write_wheel(one, members(data)), path

    return make


def gzipped(level: int, mtime: int) -> Maker:
    """Return what makes two sdists with one tar, the right one with another level or time in gzip's header."""

    def make(one: Path, other: Path) -> tuple[Path, Path]:
        plain = gzip.decompress(write_sdist(one).read_bytes())
        paths = one / SDIST_NAME, other / SDIST_NAME
        paths[0].write_bytes(gzip.compress(plain, 9, mtime=1_700_000_000))
        paths[1].write_bytes(gzip.compress(plain, level, mtime=mtime))
        return paths

    return make


def gnu_format(one: Path, other: Path) -> tuple[Path, Path]:
    made = []
    for side, form in ((one, tarfile.PAX_FORMAT), (other, tarfile.GNU_FORMAT)):
        path = side / SDIST_NAME
        plain = io.BytesIO()
        with tarfile.open(fileobj=plain, mode="w", format=form) as file:
            for member in sources():
                info = tarfile.TarInfo(member.name)
                info.mtime, info.size = OLD, len(member.data)
                file.addfile(info, io.BytesIO(member.data))
        path.write_bytes(gzip.compress(plain.getvalue(), 9, mtime=0))
        made.append(path)
    return made[0], made[1]


def sbom(**changes: object) -> bytes:
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": "urn:uuid:11111111-2222-3333-4444-555555555555",
        "metadata": {"timestamp": "2026-11-20T10:11:12Z", "component": {"name": "demo"}},
        "components": [{"name": "zlib", "bom-ref": "zlib@1.3"}, {"name": "abc", "bom-ref": "abc@1"}],
    }
    return json.dumps({**document, **changes}).encode()


def rewritten(path: Path, change: Callable[[int, zipfile.ZipInfo], None]) -> Path:
    """Let *change* have each member of a wheel, with its number, and write it again."""
    with zipfile.ZipFile(path) as file:
        held = [(info, file.read(info)) for info in file.infolist()]
    with zipfile.ZipFile(path, "w") as file:
        for number, (info, data) in enumerate(held):
            change(number, info)
            file.writestr(info, data)
    return path


def normalized_copy(one: Path, other: Path) -> tuple[Path, Path]:
    """A wheel as many backends write it, and what the normalizer makes of it."""

    def untidy(number: int, info: zipfile.ZipInfo) -> None:
        info.date_time = (2026, 11, 20, 10, number, 0)
        info.external_attr = 0o100664 << 16
        info.compress_type = zipfile.ZIP_STORED

    paths = rewritten(write_wheel(one), untidy), other / WHEEL_NAME
    shutil.copy(paths[0], paths[1])
    (result,) = normalize([NormalizeJob(paths[1], paths[1])], NormalizeOptions())
    assert result.error is None
    return paths


def in_zones(one: Path, other: Path) -> tuple[Path, Path]:
    """Members of many times, which differ by two hours, but for one that each build writes."""

    def at(hour: int) -> Callable[[int, zipfile.ZipInfo], None]:
        def change(number: int, info: zipfile.ZipInfo) -> None:
            info.date_time = (2026, 11, 20, hour, number, hour if number == 4 else 0)

        return change

    return rewritten(write_wheel(one), at(10)), rewritten(write_wheel(other), at(12))


def fallback(one: Path, other: Path) -> tuple[Path, Path]:
    """A wheel with an extension, and the same without, as a build makes it that goes on where a compiler fails."""
    compiled_wheel = WHEEL.replace(b"py3-none-any", b"cp311-cp311-linux_x86_64").replace(b"true", b"false")
    held = {**FILES, "demo_pkg/speed.cpython-311-x86_64-linux-gnu.so": b"\x7f", f"{INFO}/WHEEL": compiled_wheel}
    return write_wheel(one, members(held)), write_wheel(other)


def first_extension(one: Path, other: Path) -> tuple[Path, Path]:
    """A pure wheel, and that of the next release, which has an extension."""
    compiled_wheel = WHEEL.replace(b"py3-none-any", b"cp311-cp311-linux_x86_64").replace(b"true", b"false")
    held = {**FILES, "demo_pkg/speed.cpython-311-x86_64-linux-gnu.so": b"\x7f", f"{INFO}/WHEEL": compiled_wheel}
    held[f"{INFO}/METADATA"] = held[f"{INFO}/METADATA"].replace(b"Version: 1.0", b"Version: 1.1")
    later = [
        replace(
            member, name=member.name.replace("-1.0.dist", "-1.1.dist"), data=member.data.replace(b"-1.0.d", b"-1.1.d")
        )
        for member in members(held)
    ]
    return write_wheel(one), write_wheel(other, later, "demo_pkg-1.1-cp311-cp311-linux_x86_64.whl")


def built_on_windows(more: Mapping[str, bytes]) -> Maker:
    """Return what makes two wheels of which the right one is as zipfile and text files are on Windows."""

    def make(one: Path, other: Path) -> tuple[Path, Path]:
        there = {name: data.replace(b"\n", b"\r\n") for name, data in more.items()}
        path = write_wheel(other, members({**FILES, **there}))
        with zipfile.ZipFile(path) as file:
            held = [(info, file.read(info)) for info in file.infolist()]
        with zipfile.ZipFile(path, "w") as file:
            for info, data in held:
                info.create_system, info.external_attr = 0, 0o100666 << 16
                file.writestr(info, data)
        return write_wheel(one, members({**FILES, **more})), path

    return make


_DEPENDENCIES = [
    {"ref": "pkg:pypi/a@1", "dependsOn": ["pkg:x/c@1"]},
    {"ref": "pkg:pypi/b@1", "dependsOn": ["pkg:x/d@1", "pkg:x/e@1"]},
]


def zipped_gzip(left: tuple[str, int], right: tuple[str, int]) -> Maker:
    """Return what makes two wheels with a gzip file, of one content, with a name and a time in its header."""

    def packed(name: str, mtime: int) -> bytes:
        data = b"words " * 20
        # By hand, as Python's gzip leaves directories out of names, and other tools do not.
        head = b"\x1f\x8b\x08\x08" + mtime.to_bytes(4, "little") + b"\0\xff" + name.encode() + b"\0"
        tail = zlib.crc32(data).to_bytes(4, "little") + len(data).to_bytes(4, "little")
        return head + zlib.compress(data)[2:-4] + tail

    return files({"demo_pkg/w.gz": packed(*left)}, {"demo_pkg/w.gz": packed(*right)})


def inner_zip(entries: Mapping[str, bytes], moment: tuple[int, int, int, int, int, int]) -> bytes:
    plain = io.BytesIO()
    with zipfile.ZipFile(plain, "w") as file:
        for name, data in entries.items():
            file.writestr(zipfile.ZipInfo(name, moment), data)
    return plain.getvalue()


def release(version: str) -> list[Member]:
    """The members of a wheel of another version."""
    info = f"demo_pkg-{version}.dist-info"
    held = {
        "demo_pkg/__init__.py": b"ANSWER = 42\n",
        f"{info}/METADATA": METADATA.replace(b"1.0", version.encode()),
        f"{info}/WHEEL": WHEEL,
    }
    record = record_of(held).replace(INFO.encode(), info.encode())
    return [Member(name, data) for name, data in {**held, f"{info}/RECORD": record}.items()]


def two_releases(one: Path, other: Path) -> tuple[Path, Path]:
    made = []
    for side, version in ((one, "1.0.dev1+g0123abc"), (other, "1.0.dev1+g0123abc.d20261120")):
        made.append(write_wheel(side, release(version), f"demo_pkg-{version}-py3-none-any.whl"))
    return made[0], made[1]


def reversed_members(sdist: bool) -> Maker:
    held = sources() if sdist else members()
    return given(held, held[::-1], sdist=sdist)


def _metadata(more: bytes) -> dict[str, bytes]:
    return {f"{INFO}/METADATA": METADATA + more}


def _shifted(member: Member) -> Member:
    return replace(member, mtime=member.mtime + 3600)


_ABOUT = frozenset({"demo_pkg/about.txt"})
_ADA = KnownBuild(
    paths=("/srv/one/tree",), temps=("/var/cache/t1",), user="ada-l", host="alpha", timezone="UTC", locale="C.UTF-8"
)
_BOB = KnownBuild(
    paths=("/srv/two/tree",),
    temps=("/var/cache/t2",),
    user="bob-m",
    host="betazoid",
    timezone="WST13:45",
    locale="fr_FR",
)

_WITH_GIT = KnownBuild(
    tracked=frozenset({".github/ci.yml", "demo_pkg/data.txt", "src/demo_pkg/more.txt"}),
    untracked=frozenset({"notes.txt"}),
)


def with_directory(name: str) -> Maker:
    """Return what makes two wheels of which the left one has an entry for the directory *name*."""

    def make(one: Path, other: Path) -> tuple[Path, Path]:
        path = write_wheel(one, members())
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr(zipfile.ZipInfo(f"{name}/", (2020, 1, 1, 0, 0, 0)), b"")
        return path, write_wheel(other, members())

    return make


CAUSES: tuple[Pair, ...] = (
    Pair("path in a text", ("D001",), text("from /home/ada/work/x/src/a.c\n", "from /build/reproducible/src/a.c\n")),
    Pair("path known of the builds", ("D001",), text("at /srv/one/tree!\n", "at /srv/two/tree!\n"), (_ADA, _BOB)),
    Pair("path of a Windows checkout", ("D001",), text("D:\\a\\one\\src\\x.py\n", "E:\\jenkins\\two\\src\\x.py\n")),
    Pair("path in a compiled module", ("D001",), module("/opt/a/demo.py", "/srv/build/b/demo.py")),
    Pair(
        "path by __FILE__ and debug information",
        ("D001",),
        compiled(("/opt/one/src", "/srv/ci/other/src"), (("-g",), ("-g",))),
        needs="gcc",
    ),
    Pair(
        "path by debug information of DWARF 4, which has paths among its numbers",
        ("D001",),
        compiled(("/opt/one/src", "/srv/ci/other/src"), (("-gdwarf-4",), ("-gdwarf-4",))),
        needs="gcc",
    ),
    Pair(
        "path in assertions, which moves all that lies behind it",
        ("D001",),
        compiled(("/opt/one/src", "/srv/ci/group/another/src"), (("-O2", "-s"), ("-O2", "-s"))),
        needs="gcc",
    ),
    Pair(
        "path of the same length in an extension",
        ("D001",),
        compiled(("/opt/one/src", "/opt/two/src"), (("-g",), ("-g",))),
        needs="gcc",
    ),
    Pair(
        "length of a search path that was overwritten",
        ("D001",),
        overwritten("/home/ada/work/_build/lib", "/builds/group/project/_build/lib"),
        needs="gcc",
    ),
    Pair(
        "search path into the interpreter that built it",
        ("D001",),
        compiled(flags=((), ("-Wl,-rpath,/opt/pythons/3.11/lib",))),
        (UNKNOWN_BUILD, KnownBuild(paths=("/opt/pythons/3.11",))),
        needs="gcc",
    ),
    Pair(
        "search path of an extension",
        ("D001",),
        compiled(flags=(("-Wl,-rpath,/opt/one/lib",), ("-Wl,-rpath,/opt/two/lib",))),
        needs="gcc",
    ),
    Pair(
        "pip's build environment",
        ("D002",),
        text("/tmp/pip-build-env-k3x9_a2c/overlay/lib\n", "/tmp/pip-build-env-zz81qe0f/overlay/lib\n"),
    ),
    Pair(
        "name by tempfile in a compiled module",
        ("D002",),
        module("/tmp/tmpab12cd34/demo.py", "/tmp/tmpzz99xx11/demo.py"),
    ),
    Pair(
        "temporary directory known of the builds",
        ("D002",),
        text("in /var/cache/t1/x\n", "in /var/cache/t2/x\n"),
        (_ADA, _BOB),
    ),
    Pair(
        "random name in a temporary directory known of the builds",
        ("D002",),
        text("in /var/cache/t1/.tmp-x-v9b7orng/src\n", "in /var/cache/t1/.tmp-x-aclymhsq/src\n"),
        (_ADA, replace(_BOB, temps=_ADA.temps)),
    ),
    Pair(
        "random name in a tree known of the builds",
        ("D001", "D002"),
        text("at /srv/one/tree/.build-nse8e417/x\n", "at /srv/two/tree/.build-sxleigw5/x\n"),
        (_ADA, _BOB),
    ),
    Pair(
        "meson-python's directory",
        ("D002",),
        text("in /home/ci/demo/.mesonpy-nse8e417/x\n", "in /home/ci/demo/.mesonpy-sxleigw5/x\n"),
    ),
    Pair(
        "length of a temporary search path that was overwritten",
        ("D002",),
        overwritten("/var/cache/t1/tmpab12cd34/lib", "/var/cache/temporary-2/tmpab12cd34/lib"),
        (_ADA, replace(_BOB, temps=("/var/cache/temporary-2",))),
        needs="gcc",
    ),
    Pair("object file by gcc", ("D002",), text("ccX8aQ1z.o\n", "cc9bTr2Y.o\n")),
    Pair("home directories", ("D003",), text("/home/ada/src/x.c\n", "/home/grace/src/x.c\n")),
    Pair("user in a text", ("D003",), text("Built by ada@alpha\n", "Built by grace@alpha\n")),
    Pair("user known of the builds", ("D003",), text("maker ada-l.\n", "maker bob-m.\n"), (_ADA, _BOB)),
    Pair("host in a text", ("D004",), text("BUILD_HOST=alpha\n", "BUILD_HOST=beta\n")),
    Pair("user and host in a text", ("D003", "D004"), text("compiled by ada@alpha\n", "compiled by grace@beta\n")),
    Pair("host known of the builds", ("D004",), text("on alpha, x\n", "on betazoid, x\n"), (_ADA, _BOB)),
    Pair("date in ISO 8601", ("D005",), text("built 2026-11-20 10:11:12\n", "built 2026-11-21 11:13:15\n")),
    Pair("date in RFC 2822", ("D005",), text("Fri, 20 Nov 2026 10:11:12 +0000\n", "Sat, 21 Nov 2026 11:13:15 +0000\n")),
    Pair("date by asctime", ("D005",), text("Fri Nov 20 10:11:12 2026\n", "Sat Nov 21 11:13:15 2026\n")),
    Pair("date by date(1)", ("D005",), text("Fri Nov 20 10:11:12 UTC 2026\n", "Sat Nov 21 11:13:15 UTC 2026\n")),
    Pair("seconds since 1970", ("D005",), text("BUILD_TIME = 1795000000\n", "BUILD_TIME = 1795012345\n")),
    Pair("day as a number", ("D005",), text("build date: 20261120\n", "build date: 20261121\n")),
    Pair(
        "seconds known of the builds",
        ("D005",),
        text("x 1795000000\n", "x 1795012345\n"),
        (KnownBuild(dates=(1795000000,)), KnownBuild(dates=(1795012345,))),
    ),
    Pair(
        "__DATE__ and __TIME__",
        ("D005",),
        compiled(when=('"Nov 20 2026 10:11:12"', '"Nov 21 2026 11:13:15"')),
        needs="gcc",
    ),
    Pair("time of compression in gzip's header", ("D005",), gzipped(9, 1_700_000_777)),
    Pair(
        "month in another language",
        ("D006",),
        text("am 20. November 2026 und 3. März 2026\n", "am 20. November 2026 und 3. March 2026\n"),
    ),
    Pair("name of the locale", ("D006",), text("locale: de_DE.UTF-8\n", "locale: C.UTF-8\n")),
    Pair(
        "one moment in two zones",
        ("D007",),
        text("built 2026-11-20T10:11:12+00:00\n", "built 2026-11-20T20:26:12+10:15\n"),
    ),
    Pair("times of members in two zones", ("D007",), changed(_shifted)),
    Pair(
        "a set in a text",
        ("D008",),
        text("names = {'a', 'b', 'c', 'd'}\n", "names = {'c', 'a', 'd', 'b'}\n", "demo_pkg/names.py"),
    ),
    Pair("lines in another order", ("D008",), text("alpha\nbeta\ngamma\ndelta\n", "gamma\nalpha\ndelta\nbeta\n")),
    Pair("a set in a compiled module", ("D008",), reordered_set),
    Pair(
        "order of requirements",
        ("D008",),
        files(_metadata(b"Requires-Dist: a\nRequires-Dist: b\n"), _metadata(b"Requires-Dist: b\nRequires-Dist: a\n")),
    ),
    Pair("order of members", ("D009",), reversed_members(sdist=False)),
    Pair("order of an sdist's members", ("D009",), reversed_members(sdist=True)),
    Pair("a list of files", ("D009",), text("src/a.py\nsrc/b.py\nsrc/c.py\n", "src/c.py\nsrc/a.py\nsrc/b.py\n")),
    Pair("modes", ("D010",), changed(lambda member: replace(member, mode=0o664))),
    Pair("modes in an sdist", ("D010",), changed(lambda member: replace(member, mode=0o600), sdist=True)),
    Pair("everything writable, as on Windows", ("D010",), changed(lambda member: replace(member, mode=0o666))),
    Pair("times of members", ("D011",), changed(lambda member: replace(member, mtime=member.mtime + 86400 * 3 + 8))),
    Pair(
        "fractions of seconds in an sdist",
        ("D011",),
        changed(lambda member: replace(member, mtime=member.mtime + 7.25), sdist=True),
    ),
    Pair("time in a compiled module", ("D011",), dated_module),
    Pair("owner", ("D012",), changed(lambda member: replace(member, owner=(1000, 1000, "ada", "users")), sdist=True)),
    Pair("level of compression", ("D013",), compressed(1)),
    Pair("not compressed", ("D013",), changed(lambda member: replace(member, stored=True))),
    Pair("gzip's level", ("D013",), gzipped(1, 1_700_000_000)),
    Pair("line ends", ("D014",), text("a\nb\nc\n", "a\r\nb\r\nc\r\n")),
    Pair("line ends of METADATA", ("D036",), files({}, {f"{INFO}/METADATA": METADATA.replace(b"\n", b"\r\n")})),
    Pair(
        "line ends of a description",
        ("D036",),
        files({f"{INFO}/METADATA": METADATA + b"\nOne\nTwo\n"}, {f"{INFO}/METADATA": METADATA + b"\nOne\r\nTwo\r\n"}),
    ),
    *(
        Pair(
            f"empty lines around a description: {number}",
            ("D015",),
            files({f"{INFO}/METADATA": METADATA + left}, {f"{INFO}/METADATA": METADATA + right}),
        )
        for number, (left, right) in enumerate(
            (
                (b"\nOne\n", b"\nOne\n\n\n"),
                (b"\nOne\n", b"\n\n\nOne"),
                (b"\nOne\r\n\r\n", b"\nOne\r\n"),
                (b"\nOne\n", b"\nOne"),
                (b"\nOne\n\nTwo\n", b"\n\nOne\n\nTwo\n\n"),
            )
        )
    ),
    Pair("generator", ("D015",), files({}, {f"{INFO}/WHEEL": WHEEL.replace(b"demo 1", b"demo 2.0.1")})),
    Pair("version of the metadata", ("D015",), files({}, {f"{INFO}/METADATA": METADATA.replace(b"2.1", b"2.4")})),
    Pair(
        "commit in a version",
        ("D016",),
        text("__version__ = '1.0.dev3+g1a2b3c4'\n", "__version__ = '1.0.dev3+g1a2b3c4.d20261120'\n"),
    ),
    Pair(
        "commit in one version only",
        ("D016",),
        text("__version__ = '1.0'\n", "__version__ = '1.1.dev0+g1a2b3c4.d20261120'\n"),
    ),
    Pair(
        "commit in the version file of a checkout, none in that of an sdist",
        ("D016",),
        text(
            "__commit_id__ = commit_id = 'g316fbfaf2'\n", "__commit_id__ = commit_id = None\n", "demo_pkg/_version.py"
        ),
    ),
    Pair("versions in names", ("D016",), two_releases),
    Pair("build id alone", ("D017",), compiled(after=with_other_build_id), needs="gcc"),
    Pair(
        "serial number of an SBOM",
        ("D018",),
        files(
            {f"{INFO}/sboms/x.cdx.json": sbom()},
            {f"{INFO}/sboms/x.cdx.json": sbom(serialNumber="urn:uuid:99999999-2222-3333-4444-555555555555")},
        ),
    ),
    Pair(
        "time of an SBOM",
        ("D018",),
        files(
            {f"{INFO}/sboms/x.cdx.json": sbom()},
            {
                f"{INFO}/sboms/x.cdx.json": sbom(
                    metadata={"timestamp": "2026-11-21T11:13:15Z", "component": {"name": "demo"}}
                )
            },
        ),
    ),
    Pair("made on another system", ("D019",), zipped(create_system=0)),
    Pair("internal attributes", ("D019",), zipped(internal_attr=1)),
    Pair("tar in GNU format", ("D019",), gnu_format),
    Pair(
        "names composed and decomposed, in an sdist and its list of files",
        ("D035",),
        tree(
            {"src/caf\u00e9.py": b"X = 1\n", "demo.egg-info/SOURCES.txt": "README\nsrc/caf\u00e9.py\n".encode()},
            {"src/cafe\u0301.py": b"X = 1\n", "demo.egg-info/SOURCES.txt": "README\nsrc/cafe\u0301.py\n".encode()},
        ),
    ),
    Pair(
        "names composed and decomposed, in a wheel and RECORD",
        ("D035",),
        files({"demo_pkg/\uac00.py": b"X = 1\n"}, {"demo_pkg/\u1100\u1161.py": b"X = 1\n"}),
    ),
    Pair(
        "what the Finder leaves in a tree",
        ("D020",),
        tree({}, {"src/.DS_Store": b"\0\0\0\1Bud1", "src/._demo.py": b"\0\5\x16\7", "__MACOSX/a": b"\0"}),
    ),
    Pair("an earlier build in an sdist", ("D020",), tree({}, {"build/lib/demo_pkg/__init__.py": b"ANSWER = 41\n"})),
    Pair("an earlier build in a wheel", ("D020",), files({}, {"build/lib/demo_pkg/__init__.py": b"ANSWER = 41\n"})),
    Pair("number of jobs", ("D021",), text("make -j4 all\n", "make -j16 all\n")),
    Pair("number of processors", ("D021",), text("cpu_count = 4\n", "cpu_count = 64\n")),
    Pair(
        "a digest in RECORD that is wrong",
        ("D022",),
        given(members(), members(record=record_of({**FILES, "demo_pkg/tool.py": b"print('holla')\n"}))),
    ),
    Pair(
        "a file that RECORD does not list",
        ("D022",),
        given(members(), members(record=record_of({name: FILES[name] for name in list(FILES)[1:]}))),
    ),
    Pair("what chance writes", ("D030",), text("x 4711\n", "x 815\n"), (_ADA, replace(_BOB, by_chance=_ABOUT))),
    Pair("a build number", ("D031",), text("build 41\n", "build 42\n"), (_ADA, replace(_BOB, left_over=_ABOUT))),
    Pair(
        "the environment",
        ("D027",),
        text("A=1\nHOME=/h\nPATH=/bin\nUSER=ada\n", "A=1\nHOME=/g\nPATH=/bin:/sbin\nUSER=bob\n"),
    ),
    Pair(
        "the environment, as a dictionary",
        ("D027",),
        text("{'A': '1', 'HOME': '/h', 'TZ': 'UTC', 'USER': 'x'}", "{'A': '1', 'HOME': '/g', 'TZ': '', 'USER': 'y'}"),
    ),
    Pair(
        "the environment, in a text, with quotes in it",
        ("D027",),
        text(
            '"HOME": "/h",\n"TZ": "UTC",\n"USER": "x",\n"A": "[\\"/a\\"]"\n',
            '"HOME": "/g",\n"TZ": "",\n"USER": "y",\n"A": "[\\"/b\\"]"\n',
        ),
    ),
    Pair(
        "the environment, as JSON",
        ("D027",),
        files(
            {"demo_pkg/e.json": b'{"HOME": "/h", "TZ": "UTC", "USER": "x", "A": 1}'},
            {"demo_pkg/e.json": b'{"HOME": "/g", "TZ": "", "USER": "y", "A": 1}'},
        ),
    ),
    Pair(
        "the home directory known of the builds",
        ("D028",),
        text("see /srv/h1/.config/x\n", "see /srv/other/.config/x\n"),
        (replace(_ADA, home="/srv/h1"), replace(_BOB, home="/srv/other")),
    ),
    Pair(
        "the width of the terminal",
        ("D029",),
        text("one two\nthree\n", "one two three\n"),
        (replace(_ADA, columns=10), replace(_BOB, columns=20)),
    ),
    Pair(
        "a set in one line, without brackets",
        ("D008",),
        text("red, green, blue, white\n", "white, red, blue, green\n"),
    ),
    Pair(
        "a listing of files that are not in the wheel, by builds that list them otherwise",
        ("D009",),
        text("MODULES = ['a', 'b', 'c', 'd']\n", "MODULES = ['d', 'c', 'b', 'a']\n", "demo_pkg/x.py"),
        (_ADA, replace(_BOB, is_listed_backwards=True)),
    ),
    Pair(
        "a list of modules that are in the wheel",
        ("D009",),
        files(
            {"demo_pkg/m/aa.py": b"", "demo_pkg/m/bb.py": b"", "demo_pkg/x.txt": b"aa, bb\n"},
            {"demo_pkg/m/aa.py": b"", "demo_pkg/m/bb.py": b"", "demo_pkg/x.txt": b"bb, aa\n"},
        ),
    ),
    Pair(
        "components and dependencies of an SBOM in another order, and within",
        ("D008",),
        files(
            {f"{INFO}/sboms/x.cdx.json": sbom(dependencies=_DEPENDENCIES)},
            {
                f"{INFO}/sboms/x.cdx.json": sbom(
                    dependencies=[{"ref": "pkg:pypi/b@1", "dependsOn": ["pkg:x/e@1", "pkg:x/d@1"]}, _DEPENDENCIES[0]]
                )
            },
        ),
    ),
    Pair("a name in gzip's header", ("D002",), zipped_gzip(("tmpab12cd34", 0), ("tmpxy98zt76", 0))),
    Pair("a path in gzip's header", ("D001",), zipped_gzip(("/srv/a/demo/x.txt", 0), ("/home/ci/demo/x.txt", 0))),
    Pair("a time in gzip's header", ("D005",), zipped_gzip(("x", 1700000000), ("x", 1700000100))),
    Pair("a name and a time in gzip's header", ("D002", "D005"), zipped_gzip(("tmpab12cd34", 9), ("tmpxy98zt76", 99))),
    Pair(
        "a date in a PDF", ("D005",), text("/CreationDate (D:20261120101112Z)\n", "/CreationDate (D:20261121111213Z)\n")
    ),
    Pair(
        "one moment in two zones in a PDF",
        ("D007",),
        text("(D:20261120101112+00'00')\n", "(D:20261120111112+01'00')\n"),
    ),
    Pair(
        "milliseconds in hexadecimal, of known builds",
        ("D005",),
        text("stamp 18bcfe56800\n", "stamp 18bcfe5a6e8\n"),
        (replace(_ADA, dates=(1700000000,)), replace(_BOB, dates=(1700000016,))),
    ),
    Pair(
        "packed seconds of known builds",
        ("D005",),
        files(
            # Letters, which make one text with those before them.
            {"demo_pkg/x.bin": b"DATA" + b"aZSe" + bytes(200)},
            {"demo_pkg/x.bin": b"DATA" + b"aZSg" + bytes(200)},
        ),
        (replace(_ADA, dates=(0x65535A61,)), replace(_BOB, dates=(0x67535A61,))),
    ),
    Pair(
        "a floating-point number of seconds, of known builds",
        ("D005",),
        files(
            {"demo_pkg/x.bin": b"\0\1\2\3" + struct.pack(">d", 1700000000.25)},
            {"demo_pkg/x.bin": b"\0\1\2\3" + struct.pack(">d", 1734520000.5)},
        ),
        (replace(_ADA, dates=(1700000000,)), replace(_BOB, dates=(1734520000,))),
    ),
    Pair(
        "a day as it is written in Germany, of known builds",
        ("D005",),
        text("vom 14.11.2023\n", "vom 18.12.2024\n"),
        (replace(_ADA, dates=(1700000000,)), replace(_BOB, dates=(1734520000,))),
    ),
    Pair(
        "the years of known builds",
        ("D005",),
        text("(c) 2001-2023\n", "(c) 2001-2024\n"),
        (replace(_ADA, dates=(1700000000,)), replace(_BOB, dates=(1734520000,))),
    ),
    Pair(
        "a host with a short name, known of the builds",
        ("D004",),
        text("made on vm\n", "made on other-host\n"),
        (replace(_ADA, host="vm"), replace(_BOB, host="other-host")),
    ),
    Pair(
        "requirements that are spelled otherwise",
        ("D032",),
        files(
            _metadata(b"Requires-Python: >=3.9, <4\nRequires-Dist: Foo_Bar (>=1.0,<2) ; extra == 'x'\n"),
            _metadata(b'Requires-Python: <4,>=3.9\nRequires-Dist: foo-bar<2,>=1.0; extra == "x"\n'),
        ),
    ),
    Pair("a wheel without its extension", ("D033",), fallback),
    Pair(
        "an sdist without what Cython writes",
        ("D033",),
        given(
            [*sources(), Member(f"{TOP}/demo_pkg/_x.pyx", b"x = 1\n")],
            [*sources(), Member(f"{TOP}/demo_pkg/_x.pyx", b"x = 1\n"), Member(f"{TOP}/demo_pkg/_x.c", b"int x;\n")],
            sdist=True,
        ),
    ),
    Pair(
        "a file can be executed",
        ("D038",),
        changed(lambda member: replace(member, mode=0o755) if member.name.endswith("tool.py") else member),
    ),
    Pair("each file can be executed", ("D038",), changed(lambda member: replace(member, mode=0o755), sdist=True)),
    Pair(
        "directories of the tree, taken for packages",
        ("D020",),
        files({f"{INFO}/top_level.txt": b"demo_pkg\n"}, {f"{INFO}/top_level.txt": b"demo_pkg\ndist\nimages\n"}),
    ),
    Pair("built on Windows", ("D034",), built_on_windows({})),
    Pair("built on Windows, with its line ends", ("D034",), built_on_windows({"demo_pkg/about.txt": b"one\ntwo\n"})),
    Pair(
        "built on Windows, with its line ends in METADATA",
        ("D034",),
        built_on_windows({f"{INFO}/METADATA": b"Metadata-Version: 2.1\nName: demo-pkg\nVersion: 1.0\n\nText\n"}),
    ),
    Pair("an sdist made on Windows", ("D034",), changed(lambda member: replace(member, mode=0o666), sdist=True)),
    Pair(
        "an sdist made on Windows, with its signs in paths",
        ("D034",),
        given(
            [*sources(), Member("demo_pkg-1.0/demo.egg-info/SOURCES.txt", b"demo/a.py\n")],
            [
                replace(one, mode=0o666)
                for one in [*sources(), Member("demo_pkg-1.0/demo.egg-info/SOURCES.txt", b"demo\\a.py\n")]
            ],
            sdist=True,
        ),
    ),
    Pair("places of services", ("D001",), text("at /project/src/x.c\n", "at /home/runner/work/demo/src/x.c\n")),
    Pair("a place of a service on Windows", ("D001",), text("at /project/demo/x.c\n", "at D:\\a\\demo\\demo\\x.c\n")),
    Pair("interpreters of environments", ("D001",), text("#!/home/ada/v/bin/python\n", "#!/home/bob/d/v/bin/python\n")),
    Pair("an interpreter by Nix", ("D001",), text(f"#!/nix/store/{'a' * 32}-x/bin/python3\n", "#!/usr/bin/python3\n")),
    Pair(
        "a package of Nix, made from other sources",
        ("D023",),
        text(f"at /nix/store/{'a' * 32}-x-1.0/lib\n", f"at /nix/store/{'b' * 32}-x-1.0/lib\n"),
    ),
    Pair(
        "code by another Cython",
        ("D023",),
        text(
            '/* Generated by Cython 3.0.10 */\n#define CYTHON_ABI "3_0_10"\n#define CYTHON_HEX_VERSION 0x03000AF0\nx();\n',
            '/* Generated by Cython 3.1.4 */\n#define CYTHON_ABI "3_1_4"\n#define CYTHON_HEX_VERSION 0x030104F0\ny();\n',
            "demo_pkg/x.c",
        ),
    ),
    Pair(
        "code by another protobuf",
        ("D023",),
        text(
            "# Generated by the protocol buffer compiler.\n# Protobuf Python Version: 5.29.0\nv(\n    5,\n    29,\n)\n",
            "# Generated by the protocol buffer compiler.\n# Protobuf Python Version: 6.30.2\nv(\n    6,\n    30,\n)\n",
            "demo_pkg/x_pb2.py",
        ),
    ),
    Pair("a file and its normalized copy", ("D037",), normalized_copy),
    Pair("RECORD in another place", ("D019",), given(members(), [members()[-1], *members()[:-1]])),
    Pair("most members in another zone, one written anew", ("D007", "D011"), in_zones),
    Pair(
        "Rust's own library of another release",
        ("D023",),
        text(f"at /rustc/{'a' * 40}/library/core/src/str.rs\n", f"at /rustc/{'b' * 40}/library/core/src/str.rs\n"),
    ),
    Pair(
        "Rust's own library by its makers, and by Debian",
        ("D023",),
        text(f"at /rustc/{'a' * 40}/library/core/src/str.rs\n", "at /usr/src/rustc-1.63.0/library/core/src/str.rs\n"),
    ),
    Pair(
        "what Rust's own library needs",
        ("D023",),
        text("at /rust/deps/hashbrown-0.14.3/src/raw.rs\n", "at /rust/deps/hashbrown-0.14.5/src/raw.rs\n"),
    ),
    Pair(
        "headers of another GCC",
        ("D023",),
        text("/usr/lib/gcc/x86_64-linux-gnu/12/include/a.h\n", "/usr/lib/gcc/x86_64-linux-gnu/13/include/a.h\n"),
    ),
    Pair(
        "headers of another toolset",
        ("D023",),
        text(
            "/opt/rh/devtoolset-10/root/usr/lib/gcc/x86_64-redhat-linux/10/include/a.h\n",
            "/opt/rh/gcc-toolset-12/root/usr/lib/gcc/x86_64-redhat-linux/12/include/a.h\n",
        ),
    ),
    Pair("headers of another C++", ("D023",), text("/usr/include/c++/12/map\n", "/usr/include/c++/13/map\n")),
    Pair(
        "a commit that versioneer wrote",
        ("D016",),
        text(' "full-revisionid": "%s",\n' % ("1a" * 20), ' "full-revisionid": "%s",\n' % ("2b" * 20)),
    ),
    Pair(
        "another rustc",
        ("D023",),
        text("rustc 1.70.0 (90c541806 2023-05-31)\n", "rustc 1.75.0 (82e1608df 2023-12-21)\n"),
    ),
    Pair("another compiler", ("D023",), text("GCC: (Debian 12.2.0-14) 12.2.0\n", "GCC: (Ubuntu 13.2.0-4) 13.2.0\n")),
    Pair("another Python's module", ("D023",), other_python),
    Pair(
        "another Python's file for a namespace",
        ("D023",),
        files({"demo-1.0-py3.12-nspkg.pth": b"import demo\n"}, {"demo-1.0-py3.11-nspkg.pth": b"import demo\n"}),
    ),
    Pair(
        "a signature of another signer",
        ("D025",),
        files(
            {"demo_pkg/fast.so": macho.build()},
            {"demo_pkg/fast.so": macho.build(macho.Made(signed="org.example.fast", signing_flags=0x10000))},
        ),
    ),
    Pair(
        "another deployment target, in an extension and in the tag",
        ("D026",),
        files(
            {
                "demo_pkg/fast.so": macho.build(),
                f"{INFO}/WHEEL": WHEEL.replace(b"py3-none-any", b"cp311-cp311-macosx_11_0_arm64"),
            },
            {
                "demo_pkg/fast.so": macho.build(macho.Made(oldest=(13, 0))),
                f"{INFO}/WHEEL": WHEEL.replace(b"py3-none-any", b"cp311-cp311-macosx_13_0_arm64"),
            },
        ),
    ),
    Pair(
        "tags of a repaired wheel",
        ("D024",),
        files(
            {f"{INFO}/WHEEL": WHEEL.replace(b"py3-none-any", b"cp311-cp311-linux_x86_64")},
            {
                f"{INFO}/WHEEL": WHEEL.replace(
                    b"Tag: py3-none-any",
                    b"Tag: cp311-cp311-manylinux_2_17_x86_64\nTag: cp311-cp311-manylinux2014_x86_64",
                )
            },
        ),
    ),
    Pair(
        "a library that a repair put into the wheel",
        ("D024",),
        files({}, {"demo_pkg.libs/libyaml-0-4b3e2a91.so.2.0.9": b"library"}),
    ),
    Pair("an empty directory for libraries that a repair puts in", ("D024",), with_directory("demo_pkg.libs")),
    Pair("an entry for another directory", ("D019",), with_directory("demo_pkg/data")),
    Pair(
        "a hidden file that is taken in where git is asked",
        ("D016",),
        tree({".github/ci.yml": b"on: push\n"}, {}),
        (_WITH_GIT, UNKNOWN_BUILD),
    ),
    Pair(
        "a file that is left out where git is asked",
        ("D016",),
        tree({"notes.txt": b"later\n"}, {}),
        (UNKNOWN_BUILD, _WITH_GIT),
    ),
    Pair(
        "data of a package, and of one in src, that git knows",
        ("D016",),
        files({"demo_pkg/data.txt": b"1", "demo_pkg/more.txt": b"2"}, {}),
        (_WITH_GIT, UNKNOWN_BUILD),
    ),
    Pair(
        "search path to libraries that a repair put in",
        ("D024",),
        compiled(flags=((), ("-Wl,-rpath,$ORIGIN/../demo_pkg.libs",))),
        needs="gcc",
    ),
    Pair(
        "another compiler, in another place",
        ("D023",),
        compiled(("/opt/one/src", "/srv/ci/src"), (("-g", "-O2", "-DNDEBUG"), ("-g", "-DNDEBUG")), after=GCC_10),
        needs="objcopy",
    ),
    Pair(
        "a path that another compiler put into the program, too",
        ("D001", "D023"),
        compiled(("/opt/one/src", "/srv/ci/src"), (("-O2",), ("-O1",)), after=GCC_10),
        needs="objcopy",
    ),
    Pair(
        "another compiler and its repair",
        ("D023",),
        compiled(
            flags=(("-O2",), ("-O1", "-Wl,-rpath,$ORIGIN/../demo_pkg.libs")),
            after=GCC_10,
            more=(
                tagged("linux"),
                {**tagged("manylinux_2_17", "manylinux2014"), "demo_pkg.libs/libyaml-0-4b3e2a91.so.2.0.9": b"library"},
            ),
        ),
        needs="objcopy",
    ),
    Pair(
        "two images, each with its compiler and its copies of libraries",
        ("D023",),
        compiled(
            flags=(("-O2",), ("-O1",)),
            after=made_by("Debian clang version 14.0.6"),
            more=(
                {**tagged("manylinux1"), "demo_pkg.libs/libyaml-0-0c1d2e3f.so.2.0.2": b"library"},
                {**tagged("manylinux_2_28"), "demo_pkg.libs/libyaml-0-4b3e2a91.so.2.0.9": b"another"},
            ),
        ),
        needs="objcopy",
    ),
    Pair(
        "another C library",
        ("D023",),
        compiled(
            flags=(("-O2",), ("-O1",)),
            after=made_by("GCC: (Alpine 13.2.1_git20231014) 13.2.1 20231014"),
            names=("show.cpython-311-x86_64-linux-gnu.so", "show.cpython-311-x86_64-linux-musl.so"),
            more=(tagged("manylinux_2_17"), tagged("musllinux_1_2")),
        ),
        needs="objcopy",
    ),
    Pair(
        "a repaired wheel",
        ("D024",),
        compiled(
            flags=(("-Wl,-rpath,/usr/local/lib",), ("-Wl,-rpath,$ORIGIN/../a.libs",)),
            more=(tagged("linux"), {**tagged("manylinux_2_17"), "a.libs/libyaml-0-4b3e2a91.so.2.0.9": b"library"}),
        ),
        needs="gcc",
    ),
    Pair(
        "search path of the interpreter",
        ("D023",),
        compiled(flags=((), ("-Wl,-rpath,/home/ada/.pyenv/versions/3.11.7/lib",))),
        (_ADA, replace(_BOB, paths=("/home/ada/.pyenv/versions/3.11.7",))),
        needs="gcc",
    ),
    Pair(
        "where a release of the backend puts licenses",
        ("D015",),
        files({f"{INFO}/LICENSE": b"MIT\n"}, {f"{INFO}/licenses/LICENSE": b"MIT\n"}),
    ),
    Pair(
        "fields of a newer release of the metadata",
        ("D015",),
        files(
            {},
            {
                f"{INFO}/METADATA": METADATA.replace(
                    b"Metadata-Version: 2.1", b"Metadata-Version: 2.4\nDynamic: license-file"
                )
            },
        ),
    ),
    Pair(
        "a time in an archive in the archive",
        ("D011",),
        files(
            {"demo_pkg/data.zip": inner_zip({"a.txt": b"a"}, (2026, 11, 20, 10, 11, 12))},
            {"demo_pkg/data.zip": inner_zip({"a.txt": b"a"}, (2026, 11, 21, 11, 13, 16))},
        ),
    ),
    Pair(
        "a date in an archive in the archive",
        ("D005",),
        files(
            {"demo_pkg/data.zip": inner_zip({"a.txt": b"on 2026-11-20\n"}, (2026, 11, 20, 10, 11, 12))},
            {"demo_pkg/data.zip": inner_zip({"a.txt": b"on 2026-11-21\n"}, (2026, 11, 20, 10, 11, 12))},
        ),
    ),
)
"""At least one pair for each cause."""

CONTROLS: tuple[Pair, ...] = (
    Pair("nothing", (), given(members(), members())),
    Pair("nothing, in sdists", (), tree({}, {})),
    Pair("a number", ("D099",), text("X = 1\n", "X = 2\n", "demo_pkg/x.py")),
    Pair("somebody's address", ("D099",), text("by Ada (ada@example.org)\n", "by Ada (lovelace@example.org)\n")),
    Pair(
        "a version of more digits than Python reads",
        ("D099",),
        files(
            _metadata(b"Requires-Python: >=%s\n" % (b"1" * 5000)), _metadata(b"Requires-Python: >=%s\n" % (b"2" * 5000))
        ),
    ),
    Pair("the first extension of a project", ("D099",), first_extension),
    Pair(
        "another file of Rust's own library",
        ("D099",),
        text(f"at /rustc/{'a' * 40}/library/core/src/str.rs\n", f"at /rustc/{'a' * 40}/library/core/src/fmt.rs\n"),
    ),
    Pair(
        "the oldest Rust that it works with", ("D099",), text("for rustc 1.48 or newer\n", "for rustc 1.56 or newer\n")
    ),
    Pair("the clang that it was tried with", ("D099",), text("with clang version 10\n", "with clang version 14\n")),
    Pair("the protoc that it needs", ("D099",), text("protoc 3.12.0 or later\n", "protoc 3.20.0 or later\n")),
    Pair("how long something may take", ("D099",), text("timeout = 1200000000\n", "timeout = 1500000000\n")),
    Pair("addresses of pages", ("D099",), text('"/app/users/list"\n', '"/app/groups/list"\n')),
    Pair(
        "the day of a translation",
        ("D099",),
        text('"PO-Revision-Date: 2023-01-01 10:00+0100"\n', '"PO-Revision-Date: 2023-05-02 11:10+0200"\n'),
    ),
    Pair(
        "a version that looks like a date",
        ("D099",),
        text("__version__ = '2024.11.20'\n", "__version__ = '2024.11.21'\n"),
    ),
    Pair("a version that is a date", ("D099",), text('version = "2024-11-20"\n', 'version = "2024-11-21"\n')),
    Pair("a version with points that looks like a day", ("D099",), text("since 10.11.2024\n", "since 10.12.2024\n")),
    Pair("a long number", ("D099",), text("phone 1795000000\n", "phone 1795012345\n")),
    Pair("two variables", ("D099",), text("HOME = a\nTERM = b\nX = 1\n", "HOME = c\nTERM = d\nX = 1\n")),
    Pair("more than variables", ("D027", "D099"), text("HOME=a\nTZ=b\nUSER=c\n1\n", "HOME=d\nTZ=e\nUSER=f\n2\n")),
    Pair("broken lines", ("D099",), text("one two\nthree\n", "one two three\n"), (_ADA, _BOB)),
    Pair(
        "lines that are wider than the terminal",
        ("D099",),
        text("one two\nthree\n", "one two three\n"),
        (replace(_ADA, columns=10), replace(_BOB, columns=12)),
    ),
    Pair(
        "another number beside a word that is a host's name",
        ("D099",),
        text("in the vm 1\n", "in the vm 2\n"),
        (replace(_ADA, host="vm"), replace(_BOB, host="other-host")),
    ),
    Pair(
        "elements in another order, with one hash seed",
        ("D099",),
        text("red, green, blue\n", "green, red, blue\n"),
        (replace(_ADA, hash_seed="1"), replace(_BOB, hash_seed="1")),
    ),
    Pair("a day as it is written in Germany, of unknown builds", ("D099",), text("v 14.11.2023\n", "v 18.12.2024\n")),
    Pair(
        "packed seconds of known builds, and more",
        ("D099",),
        files(
            {"demo_pkg/x.bin": b"\0\1\2\3" + struct.pack("<I", 1700000000) + bytes(200) + b"\1"},
            {"demo_pkg/x.bin": b"\0\1\2\3" + struct.pack("<I", 1734520000) + bytes(200) + b"\2"},
        ),
        (replace(_ADA, dates=(1700000000,)), replace(_BOB, dates=(1734520000,))),
    ),
    Pair(
        "packed numbers near to no date",
        ("D099",),
        files(
            {"demo_pkg/x.bin": b"\0\1\2\3" + struct.pack("<I", 1600000000)},
            {"demo_pkg/x.bin": b"\0\1\2\3" + struct.pack("<I", 1634520000)},
        ),
        (replace(_ADA, dates=(1700000000,)), replace(_BOB, dates=(1734520000,))),
    ),
    Pair(
        "requirements of another version",
        ("D099",),
        files(_metadata(b"Requires-Dist: foo>=1.0\n"), _metadata(b"Requires-Dist: foo>=1.1\n")),
    ),
    Pair(
        "requirements with another marker",
        ("D099",),
        files(
            _metadata(b"Requires-Dist: foo; python_version < '3.9'\n"),
            _metadata(b"Requires-Dist: foo; python_version <= '3.9'\n"),
        ),
    ),
    Pair(
        "an extension more",
        ("D099",),
        files({"demo_pkg/a.so": b"\1"}, {"demo_pkg/a.so": b"\1", "demo_pkg/b.so": b"\2"}),
    ),
    Pair(
        "other code by one generator",
        ("D099",),
        text("# Generated by Cython 3.1.4\nx()\n", "# Generated by Cython 3.1.4\ny()\n", "demo_pkg/x.py"),
    ),
    Pair(
        "another line beside the version of a tool",
        ("D023", "D099"),
        text("x = 1\n# protoc 4.25.1\n", "x = 2\n# protoc 5.29.0\n", "demo_pkg/x.py"),
    ),
    Pair("a year", ("D099",), text("Copyright 2025\n", "Copyright 2026\n")),
    Pair("places of the system", ("D099",), text("#!/usr/bin/python3.11\n", "#!/usr/bin/python3.12\n")),
    Pair("another file in one place", ("D099",), text("open /opt/data/one.txt\n", "open /opt/data/two.txt\n")),
    Pair("addresses on the web", ("D099",), text("https://example.org/a/b/c\n", "https://example.com/a/b/c\n")),
    Pair(
        "an author",
        ("D099",),
        files(_metadata(b"Author-email: ada@example.org\n"), _metadata(b"Author-email: bob@example.org\n")),
    ),
    Pair("another requirement", ("D099",), files(_metadata(b"Requires-Dist: a\n"), _metadata(b"Requires-Dist: b\n"))),
    Pair("a requirement more", ("D099",), files({}, _metadata(b"Requires-Dist: b\n"))),
    Pair("statements in another order", ("D099",), text("first()\nsecond()\n", "second()\nfirst()\n", "demo_pkg/x.py")),
    Pair("a host that is configuration", ("D099",), text("host = alpha.example.org\n", "host = beta.example.org\n")),
    Pair("a language that is configuration", ("D099",), text("language = de_DE\n", "language = fr_FR\n")),
    Pair("threads that are configuration", ("D099",), text("threads = 4\n", "threads = 8\n")),
    Pair(
        "a random identifier",
        ("D099",),
        text("id 11111111-2222-3333-4444-555555555555\n", "id 99999999-2222-3333-4444-555555555555\n"),
    ),
    Pair(
        "another letter in a name",
        ("D099",),
        tree({"src/caf\u00e9.py": b"X = 1\n"}, {"src/cafe.py": b"X = 1\n"}),
    ),
    Pair("a module more", ("D099",), files({}, {"demo_pkg/more.py": b"MORE = 1\n"})),
    Pair("code of a compiled module", ("D099",), module(code=("X = 1\n", "X = 22\n"))),
    Pair(
        "a stack that may be executed beside another compiler",
        ("D023", "D099"),
        compiled(flags=(("-O2",), ("-O1", "-Wl,-z,execstack")), after=GCC_10),
        needs="objcopy",
    ),
    Pair(
        "other code in a repaired wheel",
        ("D024", "D099"),
        compiled(flags=(("-DMORE=1",), ("-DMORE=2",)), more=(tagged("linux"), tagged("manylinux_2_17"))),
        needs="gcc",
    ),
    Pair(
        "a text beside another compiler",
        ("D023", "D099"),
        compiled(flags=(("-O2",), ("-O1",)), when=('"never"', '"forever"'), after=GCC_10),
        needs="objcopy",
    ),
    Pair(
        "a function of Python beside another compiler",
        ("D023", "D099"),
        compiled(flags=(("-O2", "-Dputs=PyRun_SimpleString"), ("-O1", "-Dputs=PySys_WriteStdout")), after=GCC_10),
        needs="objcopy",
    ),
    Pair(
        "a library's name beside another compiler",
        ("D023", "D099"),
        compiled(flags=(("-O2",), ("-O1", "-Wl,-soname,libother.so.2")), after=GCC_10),
        needs="objcopy",
    ),
    Pair(
        "a Python file beside another compiler",
        ("D023", "D099"),
        compiled(flags=(("-O2",), ("-O1",)), after=GCC_10, more=({}, {"demo_pkg/more.py": b"MORE = 1\n"})),
        needs="objcopy",
    ),
    Pair(
        "another license in another place",
        ("D099",),
        files({f"{INFO}/LICENSE": b"MIT\n"}, {f"{INFO}/licenses/LICENSE": b"BSD\n"}),
    ),
    Pair(
        "what fields are dynamic, of one release of the metadata",
        ("D099",),
        files({}, {f"{INFO}/METADATA": METADATA.replace(b"\nName", b"\nDynamic: license-file\nName")}),
    ),
    Pair("code of an extension", ("D099",), compiled(flags=(("-O1",), ("-O0",))), needs="gcc"),
    Pair(
        "a number in the code, beside the path",
        ("D001", "D099"),
        compiled(("/opt/one/src", "/srv/ci/other/src"), (("-g", "-DMORE=1"), ("-g", "-DMORE=2"))),
        needs="gcc",
    ),
    Pair(
        "a number in the data, beside the path",
        ("D001", "D099"),
        compiled(
            ("/opt/one/src", "/srv/ci/group/another/src"), (("-O2", "-s", "-DTIMES=2.5"), ("-O2", "-s", "-DTIMES=2.75"))
        ),
        needs="gcc",
    ),
    Pair(
        "a case in a table, beside the path",
        ("D001", "D099"),
        compiled(
            ("/opt/one/src", "/srv/ci/group/another/src"), (("-O2", "-s", "-DCASE=8"), ("-O2", "-s", "-DCASE=12"))
        ),
        needs="gcc",
    ),
    Pair(
        "a text in an extension, beside the path",
        ("D001", "D099"),
        compiled(("/opt/one/src", "/srv/ci/other/src"), (("-g",), ("-g",)), ('"never"', '"nevvr"')),
        needs="gcc",
    ),
    Pair(
        "a number in the debug information, beside the path",
        ("D001", "D099"),
        compiled(("/opt/one/src", "/srv/ci/other/src"), (("-g", "-DMORE=1"), ("-g", "-DMORE=2", "-DNDEBUG"))),
        needs="gcc",
    ),
    Pair(
        "a stack that may be executed",
        ("D099",),
        compiled(flags=((), ("-Wl,-z,execstack",))),
        needs="gcc",
    ),
    Pair(
        "libraries in another order",
        ("D099",),
        compiled(
            flags=(
                ("-Wl,--no-as-needed", "-Wl,--build-id=none", "-l:libm.so.6", "-l:libdl.so.2"),
                ("-Wl,--no-as-needed", "-Wl,--build-id=none", "-l:libdl.so.2", "-l:libm.so.6"),
            )
        ),
        needs="gcc",
    ),
    Pair(
        "a search path on one side only",
        ("D099",),
        compiled(flags=((), ("-Wl,-rpath,/opt/pythons/3.11/lib",))),
        needs="gcc",
    ),
    Pair(
        "an overwritten search path of a length that no known place explains",
        ("D099",),
        overwritten("/var/cache/t1/lib", "/var/cache/t1/library"),
        (_ADA, replace(_BOB, temps=("/var/cache/temporary-2",))),
        needs="gcc",
    ),
    Pair(
        "names of eight letters in places known of the builds",
        ("D001", "D099"),
        text("at /srv/one/tree/fastpath/x\n", "at /srv/two/tree/slowpath/x\n"),
        (_ADA, _BOB),
    ),
    Pair(
        "numbered names in a place known of the builds",
        ("D099",),
        text("at /srv/one/tree/module_1/x\n", "at /srv/one/tree/module_2/x\n"),
        (_ADA, replace(_BOB, paths=_ADA.paths)),
    ),
    Pair(
        "tags of two machines",
        ("D099",),
        files(
            {f"{INFO}/WHEEL": WHEEL.replace(b"py3-none-any", b"cp311-cp311-linux_x86_64")},
            {f"{INFO}/WHEEL": WHEEL.replace(b"py3-none-any", b"cp311-cp311-manylinux_2_17_aarch64")},
        ),
    ),
    Pair("a file, of which git knew nothing", ("D099",), tree({"x.txt": b"1"}, {}), (_WITH_GIT, UNKNOWN_BUILD)),
    Pair("a file, where both asked git", ("D099",), tree({".github/ci.yml": b"1"}, {}), (_WITH_GIT, _WITH_GIT)),
    Pair("a file that git did not list", ("D099",), tree({}, {".github/ci.yml": b"1"}), (_WITH_GIT, UNKNOWN_BUILD)),
    Pair("a library more", ("D099",), files({}, {"demo_pkg.libs/libyaml.so.2": b"library"})),
    Pair(
        "bytes", ("D099",), files({"demo_pkg/x.bin": bytes(range(256))}, {"demo_pkg/x.bin": bytes(range(255, -1, -1))})
    ),
    Pair(
        "a component of an SBOM",
        ("D099",),
        files(
            {f"{INFO}/sboms/x.cdx.json": sbom()},
            {
                f"{INFO}/sboms/x.cdx.json": sbom(
                    components=[{"name": "zlib", "bom-ref": "zlib@1.4"}, {"name": "abc", "bom-ref": "abc@1"}]
                )
            },
        ),
    ),
    Pair(
        "a package below a directory of sources, which only one list of packages has",
        ("D099",),
        given(
            [
                *(*sources(), Member(f"{TOP}/lib/python/other/__init__.py")),
                Member(f"{TOP}/demo.egg-info/top_level.txt", b"demo_pkg\n"),
            ],
            [
                *(*sources(), Member(f"{TOP}/lib/python/other/__init__.py")),
                Member(f"{TOP}/demo.egg-info/top_level.txt", b"demo_pkg\nother\n"),
            ],
            sdist=True,
        ),
    ),
    Pair(
        "a module that only one list of packages has",
        ("D099",),
        files({f"{INFO}/top_level.txt": b"six\n"}, {f"{INFO}/top_level.txt": b"six\ndemo_pkg\n"}),
    ),
    Pair(
        "a planted mode",
        ("D099",),
        changed(lambda member: replace(member, mode=0o4644) if member.name.endswith("tool.py") else member),
    ),
    Pair(
        "a file that everybody may write",
        ("D099",),
        changed(lambda member: replace(member, mode=0o666) if member.name.endswith("tool.py") else member),
    ),
    Pair(
        "a link elsewhere",
        ("D099",),
        given(
            [*sources(), Member(f"{TOP}/l", kind=Kind.SYMLINK, target="PKG-INFO")],
            [*sources(), Member(f"{TOP}/l", kind=Kind.SYMLINK, target="pyproject.toml")],
            sdist=True,
        ),
    ),
)
"""Pairs that hold no cause, or what could be taken for one."""
