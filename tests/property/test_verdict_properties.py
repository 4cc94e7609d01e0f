"""A verdict promises nothing that a reader of the field would not see: who reads two files differently is believed.

Rule: ``compare`` and ``verify`` never say better than *different* of two files from which any reader (zipfile, pip,
installer, uv, unzip, bsdtar; tarfile, GNU tar; all that are here) takes other names, contents or executable files. They
say *different*, or refuse. Both get their verdict from :func:`samebytes_tools.comparison.archives.compare_files`.

What :func:`seen` leaves out is what the form says that normalizing changes (docs/canonical-form.md, 5.1, 5.10 and 7).
SAMEBYTES_READERS=100 makes a hundred times as many pairs, and has every Python that is here read them.
"""

from __future__ import annotations

import base64
import configparser
import email
import hashlib
import io
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from pathlib import Path

import pytest
from samebytes_tools.commands.compare.compare import ComparedPair, compare_pair
from samebytes_tools.comparison.archives import compare_files
from samebytes_tools.comparison.model import UNKNOWN_BUILD, KnownBuild, Verdict
from support import tar_mutants, tar_readers, tars, zip_mutants, zip_readers
from support.other_readers import VERSIONS, Answer, Reader
from support.processes import import_path

TIMES = int(os.environ.get("SAMEBYTES_READERS", "1"))
FEW = (VERSIONS[0], VERSIONS[-1], "{}.{}".format(*sys.version_info))
"""The Pythons that read by default."""
REFUSED = 4
"""The status of what is refused."""
BETTER = (Verdict.IDENTICAL, Verdict.NORMALIZED, Verdict.PAYLOAD)


def verdict_of(left: Path, right: Path) -> Verdict | None:
    """Return what ``compare`` and ``verify`` say of two files; None if they refuse one of them."""
    result = compare_pair(ComparedPair("", left, right))
    if result.error is not None:
        assert result.error.exit_status == REFUSED, result.error.message
        return None
    assert result.comparison is not None
    build = KnownBuild((str(left.parent),), timezone="UTC", umask=0o022, hash_seed="0")
    assert compare_files(left, right, (UNKNOWN_BUILD, build)).verdict is result.comparison.verdict
    return result.comparison.verdict


class Eyes:
    """Readers, and what each saw in the files that they were shown.

    Of those that *may_refuse* what all others read, a refusal is no other reading.
    """

    def __init__(
        self,
        name: str,
        readers: Mapping[str, Reader],
        seen: Callable[[str, Answer], Answer],
        may_refuse: Sequence[str] = (),
    ) -> None:
        self.name, self.readers, self._seen, self._may_refuse = name, readers, seen, may_refuse
        self._known: dict[bytes, dict[str, Answer]] = {}

    def see(self, data: bytes) -> dict[str, Answer]:
        digest = hashlib.sha256(data).digest()
        if digest not in self._known:
            self._known[digest] = {name: self._seen(name, self._asked(name, data)) for name in self.readers}
        return self._known[digest]

    def _asked(self, name: str, data: bytes) -> Answer:
        scratch = tempfile.mkdtemp()
        try:
            path, directory = Path(scratch, self.name), Path(scratch, "out")
            path.write_bytes(data)
            directory.mkdir()
            return self.readers[name](path, directory)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)  # what was unpacked may have any mode

    def differ(self, left: bytes, right: bytes) -> dict[str, str]:
        """Return, for each reader that sees two files differently, in what."""
        found = {}
        for name, one in self.see(left).items():
            other = self.see(right)[name]
            if one != other and not (name in self._may_refuse and "refuses" in (one, other)):
                found[name] = (
                    f"{one} and {other}" if isinstance(one, str) or isinstance(other, str) else _odd(one, other)
                )
        return found


def _odd(one: Mapping[str, str], other: Mapping[str, str]) -> str:
    return "; ".join(
        f"{name!r}: {one.get(name, '-')[:9]}, {other.get(name, '-')[:9]}"
        for name in sorted({*one, *other})
        if one.get(name) != other.get(name)
    )


def seen_of_wheels(reader: str, answer: Answer) -> Answer:
    """Return the files: a wheel has no directories of its own, and its installers write RECORD and such anew."""
    if isinstance(answer, str):
        return "refuses"
    if reader == "uv":
        inside = {name.partition("/")[2]: what for name, what in answer.items() if name.startswith("lib/")}
        answer = {name: what for name, what in inside.items() if name not in (".lock", ".gitignore", "CACHEDIR.TAG")}
    return {name: what for name, what in answer.items() if what != "d" and name not in zip_readers.OF_THEIR_OWN}


def seen_of_sdists(_: str, answer: Answer) -> Answer:
    """Return the tree, directories included."""
    return "refuses" if isinstance(answer, str) else answer


def _few(readers: Mapping[str, Reader]) -> dict[str, Reader]:
    return {name: reader for name, reader in readers.items() if TIMES > 1 or name.split()[-1] in FEW}


@pytest.fixture(scope="module")
def wheels() -> Iterator[Eyes]:
    with zip_readers.pythons() as pythons:
        yield Eyes(zip_mutants.NAME, {**_few(pythons), **zip_readers.tools(), **zip_readers.uv()}, seen_of_wheels)


@pytest.fixture(scope="module")
def sdists() -> Iterator[Eyes]:
    with tar_readers.pythons() as pythons:
        few = {name: reader for name, reader in _few(pythons).items() if not name.startswith("index")}
        # uv builds each, so it takes a while; and it knows fewer forms (docs/explanation/readers.md).
        uv = tar_readers.uv() if TIMES > 1 else {}
        yield Eyes("pkg-1.0.tar.gz", {**few, **tar_readers.tools(), **uv}, seen_of_sdists, ("uv",))


def held(pairs: Iterator[tuple[str, bytes, bytes]], eyes: Eyes, directory: Path) -> Counter[Verdict | None]:
    """Hold the rule against *pairs* of files, each with a name, and return how many got which verdict."""
    paths = [directory / side / eyes.name for side in ("left", "right")]
    for path in paths:
        path.parent.mkdir()
    counts: Counter[Verdict | None] = Counter()
    for what, *both in pairs:
        for path, data in zip(paths, both):
            path.write_bytes(data)
        verdict = verdict_of(paths[0], paths[1])
        counts[verdict] += 1
        if verdict in BETTER:
            assert eyes.differ(both[0], both[1]) == {}, f"{what}: {verdict}"
    return counts


# -- mutants


def _row(name: str, data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f'"{name}",sha256={digest},{len(data)}\n'


def record_renewed(pieces: zip_mutants.Pieces) -> None:
    """Make RECORD agree with what zipfile sees, if it sees anything: a wrong RECORD alone would make a verdict."""
    try:
        with zipfile.ZipFile(io.BytesIO(pieces.whole())) as archive:
            files = {info.orig_filename: archive.read(info) for info in archive.infolist() if not info.is_dir()}
    except Exception:
        return
    own = f"{zip_mutants.INFO}/RECORD"
    data = ("".join(_row(name, body) for name, body in files.items() if name != own) + f"{own},,\n").encode()
    for member in pieces.members:
        if member.names[1] == own.encode():
            for side in (member.local, member.central):
                side.update(method=0, size=len(data), packed=len(data), crc=zlib.crc32(data), flags=side["flags"] & ~8)
            member.data, member.descriptor, member.extras = data, b"", [b"", b""]
            return


def who_may_execute(chance: random.Random, pieces: zip_mutants.Pieces) -> None:
    """Modes that any build could give, with a file type or without, made on any system."""
    member = chance.choice(pieces.members)
    mode = chance.choice((0o755, 0o700, 0o711, 0o744, 0o654, 0o645, 0o644, 0o600, 0))
    member.central["external"] = (chance.choice((0, 0o100000)) | mode) << 16
    member.central["made_by"] = chance.choice((0, 3, 3, 7, 10, 19)) << 8 | 20


WHEEL_KINDS = {**zip_mutants.KINDS, "who_may_execute": who_may_execute}
OFTEN = ("comment", "contents", "extra", "folder", "nothing", "order", "stream", "version", "zip64_of_all")
"""Kinds of which many are accepted, and so are read by all; what is refused costs little."""


def wheel_mutants(made: Sequence[bytes]) -> Iterator[tuple[str, bytes]]:
    """Give wheels of each kind, some of another kind too, most with a RECORD that is right."""
    for kind in sorted(WHEEL_KINDS):
        for seed in range((4 if kind in OFTEN else 12) * TIMES):
            chance = random.Random(f"{kind} {seed}")
            pieces = deepcopy(zip_mutants.taken_apart(chance.choice(made)))
            kinds = [kind, *([chance.choice(OFTEN)] if chance.random() < 0.2 else [])]
            for each in kinds:
                WHEEL_KINDS[each](chance, pieces)
            if chance.random() < 0.8:
                record_renewed(pieces)
            yield f"{kinds} {seed}", pieces.whole()


def paired(
    mutants: Iterator[tuple[str, bytes]], honest: Sequence[bytes], eyes: Eyes
) -> Iterator[tuple[str, bytes, bytes]]:
    """Give each mutant with an honest file, on either side, and with a mutant before it that is readable."""
    chance = random.Random(0)
    before: list[tuple[str, bytes]] = []
    for name, data in mutants:
        other = chance.choice(honest)
        yield (name, data, other) if chance.random() < 0.5 else (name, other, data)
        if before:
            known, earlier = chance.choice(before[-8:])
            yield f"{known} and {name}", earlier, data
        if _is_readable(data, eyes.name):
            before.append((name, data))


def _is_readable(data: bytes, name: str) -> bool:
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch, name)
        path.write_bytes(data)
        return verdict_of(path, path) is not None


@pytest.mark.slow("asks a dozen readers about hundreds of files")
def test_mutants_of_wheels(wheels: Eyes, tmp_path: Path) -> None:
    made = list(zip_mutants.bases().values())
    counts = held(paired(wheel_mutants(made), made, wheels), wheels, tmp_path)
    # Neither is everything refused, nor everything equal.
    assert min(counts[None], counts[Verdict.NORMALIZED], counts[Verdict.DIFFERENT]) > 20 * TIMES


@pytest.mark.slow("asks a dozen readers about hundreds of files")
def test_mutants_of_sdists(sdists: Eyes, tmp_path: Path) -> None:
    bases = tar_mutants.bases()
    honest = [tar_mutants.packed(tar) for tar in bases.values()]
    mutants = (
        (f"{kind} {seed}", tar_mutants.mutant(kind, seed, bases))
        for kind in tar_mutants.KINDS
        for seed in range(30_000, 30_000 + 9 * TIMES)
    )
    counts = held(paired(mutants, honest, sdists), sdists, tmp_path)
    assert min(counts[None], counts[Verdict.NORMALIZED], counts[Verdict.DIFFERENT]) > 15 * TIMES


# -- honest pairs, each of one deed


def wheel_of(files: Mapping[str, bytes], modes: Mapping[str, int] | None = None) -> bytes:
    """Return a wheel of *files*, as zipfile writes it; RECORD is true."""
    everything = {**files, f"{zip_mutants.INFO}/RECORD": _record(files)}
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        for name, data in everything.items():
            info = zipfile.ZipInfo(name, (2020, 2, 2, 0, 0, 0))
            info.external_attr = (modes or {}).get(name, 0o100644) << 16
            archive.writestr(info, data)
    return sink.getvalue()


def _record(files: Mapping[str, bytes]) -> bytes:
    return ("".join(_row(name, data) for name, data in files.items()) + f"{zip_mutants.INFO}/RECORD,,\n").encode()


PLAIN = {name: data for name, data in zip_mutants.FILES.items() if not name.endswith("RECORD")}
TOOL = "pkg/tool.sh"
WHEEL_DEEDS = {
    "other contents": wheel_of({**PLAIN, "pkg/a.py": PLAIN["pkg/a.py"].replace(b"h", b"H")}),
    "a line end": wheel_of({**PLAIN, "pkg/a.py": PLAIN["pkg/a.py"].replace(b"\n", b"\r\n")}),
    "other contents of the same size and CRC": wheel_of({**PLAIN, "pkg/a.py": bytes(range(200))}),
    "another name": wheel_of({"pkg/b.py" if name == "pkg/a.py" else name: data for name, data in PLAIN.items()}),
    "another case": wheel_of({"pkg/A.py" if name == "pkg/a.py" else name: data for name, data in PLAIN.items()}),
    "another normal form": wheel_of({name.replace("\u00fc", "u\u0308"): data for name, data in PLAIN.items()}),
    "a file more": wheel_of({**PLAIN, "pkg/more.py": b""}),
    "a file less": wheel_of({name: data for name, data in PLAIN.items() if name != "pkg/__init__.py"}),
    "contents exchanged": wheel_of({**PLAIN, "pkg/__init__.py": PLAIN[TOOL], TOOL: b""}),
    "executable": wheel_of(PLAIN, {TOOL: 0o100755}),
    "executable by its owner": wheel_of(PLAIN, {TOOL: 0o100744}),
    "executable by others": wheel_of(PLAIN, {TOOL: 0o100645}),
    "executable without a type": wheel_of(PLAIN, {TOOL: 0o755}),
    "a module as a package": wheel_of(
        {"pkg/a.py/__init__.py" if name == "pkg/a.py" else name: data for name, data in PLAIN.items()}
    ),
}
"""Wheels, each with something else than the honest one has."""


@pytest.mark.parametrize("deed", WHEEL_DEEDS)
def test_wheels_that_are_not_the_same(deed: str, wheels: Eyes, tmp_path: Path) -> None:
    """Some reader sees what was done, and so does the verdict, from either side."""
    honest, other = wheel_of(PLAIN), WHEEL_DEEDS[deed]
    if wheels.readers.keys() & {"uv", "unzip"}:
        assert wheels.differ(honest, other)
    counts = held(iter([(deed, honest, other), (deed, other, honest)]), wheels, tmp_path)
    assert not {*counts} & {*BETTER}


def sdist_of(*more: bytes) -> bytes:
    """Return the sdist of a few members, and *more* after them."""
    name = tar_mutants.TOP.encode()
    info = tars.member(name + b"/PKG-INFO", tar_mutants.FILES["PKG-INFO"])
    return tars.gz(tars.tar(info, tars.member(name + b"/setup.py", b"print('honest')\n"), *more))


def _in_top(name: str) -> bytes:
    return f"{tar_mutants.TOP}/{name}".encode()


FILE = tars.member(_in_top("a"), b"one\n")
LINK = tars.symlink(_in_top("a"), b"setup.py")
SDIST_DEEDS = {
    "other contents": (sdist_of(FILE), sdist_of(tars.member(_in_top("a"), b"two\n"))),
    "another name": (sdist_of(FILE), sdist_of(tars.member(_in_top("b"), b"one\n"))),
    "a file more": (sdist_of(), sdist_of(FILE)),
    "executable": (sdist_of(FILE), sdist_of(tars.member(_in_top("a"), b"one\n", mode=b"0000755\0"))),
    "executable by its owner": (sdist_of(FILE), sdist_of(tars.member(_in_top("a"), b"one\n", mode=b"0000700\0"))),
    "another target": (sdist_of(LINK), sdist_of(tars.symlink(_in_top("a"), b"PKG-INFO"))),
    "a target in other words": (sdist_of(LINK), sdist_of(tars.symlink(_in_top("a"), b"./setup.py"))),
    "a link and its target's contents": (sdist_of(LINK), sdist_of(tars.member(_in_top("a"), b"print('honest')\n"))),
    "a link and a hard link": (sdist_of(LINK), sdist_of(tars.hard_link(_in_top("a"), _in_top("setup.py")))),
    "a directory and an empty file": (sdist_of(tars.directory(_in_top("a/"))), sdist_of(tars.member(_in_top("a")))),
    "a directory and an executable": (
        sdist_of(tars.directory(_in_top("a/"))),
        sdist_of(tars.member(_in_top("a"), mode=b"0000755\0")),
    ),
    "an empty directory": (sdist_of(), sdist_of(tars.directory(_in_top("a/")))),
    "another order of one name": (
        sdist_of(FILE, tars.member(_in_top("a"), b"two\n")),
        sdist_of(tars.member(_in_top("a"), b"two\n"), FILE),
    ),
    "a name given again": (sdist_of(FILE), sdist_of(FILE, tars.member(_in_top("a"), b"two\n"))),
    "another target of a hard link": (
        sdist_of(FILE, tars.hard_link(_in_top("b"), _in_top("a"))),
        sdist_of(FILE, tars.hard_link(_in_top("b"), _in_top("setup.py"))),
    ),
}
"""Pairs of sdists that are not the same."""


@pytest.mark.parametrize("deed", SDIST_DEEDS)
def test_sdists_that_are_not_the_same(deed: str, sdists: Eyes, tmp_path: Path) -> None:
    left, right = SDIST_DEEDS[deed]
    assert sdists.differ(left, right)
    counts = held(iter([(deed, left, right), (deed, right, left)]), sdists, tmp_path)
    assert not {*counts} & {*BETTER}


# -- what normalizing changes


def _block(data: bytes, order: frozenset[str] = frozenset()) -> object:
    """Return the fields of a header block as email reads them; values keep their order but for those of *order*."""
    head, _, body = data.replace(b"\r\n", b"\n").partition(b"\n\n")
    fields: dict[str, list[str]] = {}
    for name, value in email.message_from_bytes(head).items():
        fields.setdefault(name.lower(), []).append(str(value))
    return {name: sorted(values) if name in order else values for name, values in fields.items()}, body


def _wheel_file(data: bytes) -> object:
    return _block(data, frozenset({"tag"}))


def _entry_points(data: bytes) -> object:
    parser = configparser.ConfigParser(delimiters=("=",))
    parser.read_string(data.decode())
    return {name: dict(parser[name]) for name in parser}


def _bill(data: bytes) -> object:
    document = json.loads(data)
    del document["serialNumber"], document["metadata"]["timestamp"]
    return document


MEANINGS: dict[str, Callable[[bytes], object]] = {
    f"{zip_mutants.INFO}/METADATA": _block,
    f"{zip_mutants.INFO}/WHEEL": _wheel_file,
    f"{zip_mutants.INFO}/top_level.txt": lambda data: sorted(data.split()),
    f"{zip_mutants.INFO}/sboms/x.cdx.json": _bill,
    "pkg/__pycache__/a.cpython-311.pyc": lambda data: data[16:],
}
"""What stays of files that normalizing may change (section 7 of the form)."""
METADATA = (
    b"Metadata-Version: 2.1",
    b"Name: pkg",
    b"Version: 1.0",
    b"Requires-Dist: b",
    b"Requires-Dist: a",
    b"Summary: s\n  s",
)
TAGS = (b"Wheel-Version: 1.0", b"Root-Is-Purelib: true", b"Tag: py3-none-any", b"Tag: py2-none-any")


def varied(chance: random.Random) -> dict[str, bytes]:
    """Return files of a wheel, of which many are such as normalizing may change, or nearly so."""

    def rare(data: bytes, other: bytes) -> bytes:
        return other if chance.random() < 0.04 else data

    def block(lines: Sequence[bytes], *more: bytes) -> bytes:
        mixed = [*(chance.sample(lines, len(lines)) if chance.random() < 0.5 else lines), *more]
        end = rare(b"\n", b"\r\n")
        return end.join(mixed).replace(b"\n  ", end + b"  ") + end

    serial = b"%08x-2222-4333-8444-555555555555" % chance.randrange(3)
    bill = b'{"bomFormat": "CycloneDX", "serialNumber": "urn:uuid:%s", "metadata": {"timestamp": "%s"}, "components": [%s]}'
    source = rare(b"A = 1\n", b"A = 2\n")
    pyc = struct.pack("<HHLLL", 3495, 0x0A0D, 0, chance.randrange(3), rare(b"\6", b"\7")[0]) + rare(b"code", b"Code")
    points = chance.sample([b"a = pkg.a:a", b"b = pkg.a:b", rare(b"c = pkg.a:c", b"c = pkg.a:d")], 3)
    info = zip_mutants.INFO
    files = {
        "pkg/__init__.py": rare(b"", b"#\n"),
        "pkg/a.py": source,
        "pkg/__pycache__/a.cpython-311.pyc": pyc,
        ".source-date-epoch": b"%d\n" % chance.randrange(2),
        f"{info}/METADATA": block(METADATA, rare(b"", b"\nbody")),
        f"{info}/WHEEL": block(TAGS, rare(b"Generator: one 1", b"Generator: one 2")),
        f"{info}/top_level.txt": b"\n".join(chance.sample([b"pkg", b"other", rare(b"third", b"fourth")], 3)) + b"\n",
        f"{info}/entry_points.txt": b"[x]\n" + b"\n".join(points if chance.random() < 0.2 else sorted(points)) + b"\n",
        f"{info}/sboms/x.cdx.json": bill % (serial, chance.choice((b"2024-01-01T00:00:00Z", b"2025-01-01T00:00:00Z")), rare(b"", b'{"type": "library", "name": "z"}')),
    }  # fmt: skip
    if chance.random() < 0.3:
        del files[".source-date-epoch"]
    return files


def meant(answer: Answer, contents: Mapping[str, bytes], verdict: Verdict | None) -> object:
    """Return what an installer's *answer* means where the form says that bytes may change; all else is by its bytes."""
    assert not isinstance(answer, str)
    found: dict[str, object] = {}
    for name, what in answer.items():
        if name == ".source-date-epoch":
            continue
        data, meaning = contents[what[1:]], MEANINGS.get(name)
        if verdict is Verdict.PAYLOAD and name.endswith("entry_points.txt"):
            meaning = _entry_points
        if verdict is Verdict.PAYLOAD and name.endswith("WHEEL"):
            data = data.replace(b"one 2", b"one 1")
        found[name] = (what[0], meaning(data) if meaning and verdict is not Verdict.IDENTICAL else what)
    return found


@pytest.mark.slow("asks a dozen readers about hundreds of files")
def test_what_is_better_than_different_is_installed_alike(wheels: Eyes, tmp_path: Path) -> None:
    """Of two honest wheels with such a verdict, installers make the same but for what the form says it changes."""
    installers = [name for name in wheels.readers if name.startswith(zip_readers.INSTALLERS)]
    paths = [tmp_path / side / wheels.name for side in ("left", "right")]
    for path in paths:
        path.parent.mkdir()
    counts: Counter[Verdict | None] = Counter()
    for seed in range(60 * TIMES):
        chance = random.Random(f"varied {seed}")
        both = [varied(chance), varied(chance)]
        made = [wheel_of(dict(chance.sample(sorted(files.items()), len(files)))) for files in both]
        for path, data in zip(paths, made):
            path.write_bytes(data)
        verdict = verdict_of(paths[0], paths[1])
        counts[verdict] += 1
        if verdict in BETTER:
            contents = {hashlib.sha256(data).hexdigest(): data for files in both for data in files.values()}
            eyes = Eyes(wheels.name, {name: wheels.readers[name] for name in installers}, seen_of_wheels)
            seen = [eyes.see(data) for data in made]
            for name in installers:
                one, other = (meant(answers[name], contents, verdict) for answers in seen)
                assert one == other, f"{seed}: {verdict}, {name}"
    assert min(counts[Verdict.NORMALIZED], counts[Verdict.PAYLOAD], counts[Verdict.DIFFERENT]) > 5 * TIMES


@pytest.mark.slow("starts a command for each of many pairs")
@pytest.mark.parametrize(("made", "name"), [(WHEEL_DEEDS, "wheel"), (SDIST_DEEDS, "sdist")], ids=["wheels", "sdists"])
def test_by_the_command_line(made: Mapping[str, object], name: str, tmp_path: Path) -> None:
    """With all deeds in two directories, every pair is reported as different or refused, whatever is accepted."""
    pairs = SDIST_DEEDS if name == "sdist" else {deed: (wheel_of(PLAIN), data) for deed, data in WHEEL_DEEDS.items()}
    for number, both in enumerate(pairs.values()):
        for side, data in zip(("left", "right"), both):
            path = tmp_path / side / str(number) / (zip_mutants.NAME if name == "wheel" else "pkg-1.0.tar.gz")
            path.parent.mkdir(parents=True)
            path.write_bytes(data)
    for number in range(0, len(made), 5):
        words = ["compare", "--json", "--accept", "payload", f"left/{number}", f"right/{number}"]
        command = [sys.executable, "-m", "samebytes", *words]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=tmp_path, env={**os.environ, **import_path()}
        )
        (pair,) = json.loads(done.stdout)["pairs"]
        assert done.returncode in (1, REFUSED), done.stderr
        assert (pair["comparison"] or {"verdict": "different"})["verdict"] == "different"
