"""What is tried where the first build gave something else: which ways, in which order, and which of them is kept."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pytest
from packaging.version import Version
from samebytes_tools.building.builder import Project
from samebytes_tools.building.interpreters import Python
from samebytes_tools.building.provenance import BACKEND
from samebytes_tools.building.virtualenvs import InstalledDistribution
from samebytes_tools.commands.verify import candidates as ways
from samebytes_tools.commands.verify import imitations
from samebytes_tools.commands.verify import traits as of_artifacts
from samebytes_tools.commands.verify.attempts import BuildCandidate, RebuildAttempt, RebuildTrial, best_of, notes
from samebytes_tools.commands.verify.backend_facts import FACTS, facts_of, fitting
from samebytes_tools.commands.verify.candidates import BuildClues
from samebytes_tools.commands.verify.metadata import read as read_metadata
from samebytes_tools.commands.verify.remake import Made, Recovered
from samebytes_tools.commands.verify.traits import differing, read, traits
from samebytes_tools.comparison.model import ComparedFile, Comparison, Difference, NodeKind, Verdict
from samebytes_tools.index.client import Index
from support.artifacts import METADATA, sdist
from support.indexes import Answer, Server, serving
from support.processes import run_python
from support.projects import write_tree
from support.wheels import Member, write_sdist, write_wheel

from samebytes.archive.entry import Archive
from samebytes.artifact.layout import ArtifactKind
from samebytes.artifact.opening import open_archive
from samebytes.backend.config import Backend
from samebytes.errors import UsageError

PYTHON = Python("python", "CPython", "3.11.7", (3, 11), "linux-x86_64", "glibc-2.36", "1.3")
PYTHONS = [
    replace(PYTHON, version=f"3.{minor}.1", minor=(3, minor), free_threaded=free_threaded)
    for minor, free_threaded in ((14, False), (13, True), (13, False), (12, False), (11, False), (9, False))
]
UNTIL = 1_726_000_000
"""2024-09-10."""
INFO = "demo-1.0.dist-info/"


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


def publish(server: Server, project: str, releases: Mapping[str, str], **more: object) -> None:
    """Let the index list a wheel of each of *releases*, uploaded on its day; nobody downloads them."""
    rows = []
    for version, day in releases.items():
        name = f"{project}-{version}-py3-none-any.whl"
        rows.append(
            {"filename": name, "url": f"/files/{name}", "hashes": {}, "upload-time": f"{day}T00:00:00Z", **more}
        )
    server.page(project, rows)


def wheel_of(
    directory: Path, metadata: bytes = METADATA, name: str = "demo-1.0-py3-none-any.whl", record_mode: int = 0o644
) -> Path:
    directory.mkdir(exist_ok=True)
    members = [
        Member("demo.py", b"x = 1\n"),
        Member(f"{INFO}LICENSE", b"MIT\n"),
        Member(f"{INFO}METADATA", metadata),
        Member(f"{INFO}WHEEL", b"Wheel-Version: 1.0\n"),
        Member(f"{INFO}RECORD", b"", record_mode),
    ]
    return write_wheel(directory, members, name)


def rewritten(path: Path, system: int, mode: int) -> Path:
    """Write the wheel *path* anew with other headers, but for RECORD's mode, and return it."""
    with zipfile.ZipFile(path) as file:
        held = [(info, file.read(info)) for info in file.infolist()]
    with zipfile.ZipFile(path, "w") as file:
        for info, data in held:
            info.create_system = system
            info.external_attr = (0o664 if info.filename.endswith("RECORD") else mode) << 16
            file.writestr(info, data)
    return path


HEAD = b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n"


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        (b"Requires-Dist: six (>=1)\n", {"requirements": "parenthesized"}),
        (b"Requires-Dist: attrs\nRequires-Dist: six >=1\n", {"requirements": "spaced"}),
        (b"Requires-Dist: six[a,b]>=1 ; extra == 'x'\n", {"requirements": "bare", "quotes": "single"}),
        (b'Requires-Dist: six; extra == "x"\n', {"quotes": "double"}),
        (b"Author: A\nDownload-URL: u\n", {"Download-URL": "after authors"}),
        (b"Download-URL: u\nAuthor: A\n", {"Download-URL": "first"}),
        (b"Platform: UNKNOWN\n", {"platform": "UNKNOWN"}),
        (
            b"Dynamic: author\nLicense-File: LICENSE\n\nText\n",
            {"Dynamic": "yes", "License-File": "yes", "description": "body"},
        ),
        (b"Description: Text\n", {"description": "field"}),
    ],
)
def test_traits_of_metadata(tmp_path: Path, metadata: bytes, expected: dict[str, str]) -> None:
    common = {
        "metadata version": "2.1",
        "platform": "none",
        "License-File": "no",
        "licenses": "beside METADATA",
        "mode of RECORD": "100644",
    }
    assert traits(read(wheel_of(tmp_path, HEAD + metadata))) == {**common, **expected}


def test_traits_of_sdists_and_places_of_licenses(tmp_path: Path) -> None:
    files = {"PKG-INFO": HEAD, "COPYING.txt": b"", "demo.egg-info/requires.txt": b"six\n"}
    found = traits(read(sdist(tmp_path, "demo-pkg", files=files)))
    assert found["Requires-Dist"] == "no"
    listed = {**files, "PKG-INFO": HEAD + b"Requires-Dist: six\n"}
    assert traits(read(sdist(tmp_path, "demo-pkg", files=listed)))["Requires-Dist"] == "yes"
    assert "Requires-Dist" not in traits(read(sdist(tmp_path, files={"PKG-INFO": HEAD})))
    assert found["License-File"] == "no"
    assert found["directory"] == "as written"
    assert traits(read(sdist(tmp_path, "demo_pkg", files=files)))["directory"] == "with underscores"
    # What lies deeper is another project's.
    nested = traits(read(sdist(tmp_path, files={"PKG-INFO": HEAD, "vendored/LICENSE": b""})))
    assert not {"License-File", "directory", "mode of RECORD"} & nested.keys()
    path = write_wheel(tmp_path, [Member(f"{INFO}licenses/LICENSE"), Member(f"{INFO}METADATA", HEAD)])
    assert traits(read(path))["licenses"] == "licenses/"
    assert differing({"a": "1", "b": "1", "c": "1"}, {"a": "2", "b": "1"}) == ["a"]


@pytest.mark.parametrize(
    ("system", "mode", "expected"),
    [(0, 0o666, True), (0, 0o600, True), (0, 0o100666, True), (3, 0o666, False), (0, 0o644, False)],
)
def test_wheels_made_on_windows(tmp_path: Path, system: int, mode: int, expected: bool) -> None:
    """However wheel, which gives RECORD a mode of its own, wrote them."""
    assert read(rewritten(wheel_of(tmp_path), system, mode)).is_of_windows is expected


@pytest.mark.parametrize(
    ("mode", "owner", "expected"),
    [
        (0o666, (0, 0, "", ""), True),
        (0o644, (0, 0, "", ""), False),
        (0o666, (1000, 1000, "me", "me"), False),
        (0o666, (0, 0, "root", "root"), False),
    ],
)
def test_sdists_made_on_windows(tmp_path: Path, mode: int, owner: tuple[int, int, str, str], expected: bool) -> None:
    members = [
        Member("demo-1.0/PKG-INFO", HEAD, mode, owner=owner),
        Member("demo-1.0/run.exe", b"", 0o777, owner=owner),
    ]
    assert read(write_sdist(tmp_path, members, "demo-1.0.tar.gz")).is_of_windows is expected


@pytest.mark.parametrize(("rows", "expected"), [("RECORD WHEEL", "by name"), ("WHEEL RECORD", "last"), ("", None)])
def test_the_row_of_record(tmp_path: Path, rows: str, expected: str | None) -> None:
    record = "".join(f"{INFO}{name},,\n" for name in rows.split()).encode()
    members = [Member(f"{INFO}METADATA", HEAD), Member(f"{INFO}WHEEL"), Member(f"{INFO}RECORD", record)]
    path = write_wheel(tmp_path, members, "demo-1.0-py3-none-any.whl")
    assert traits(read(path)).get("row of RECORD") == expected


def test_each_file_is_read_once(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is asked about them: one with nothing but names and another with all that there is to ask."""
    rows = [Member(f"demo-1.0/{name}", b"") for name in ("demo.egg-info/requires.txt", "version.py", "setup.py")]
    paths = [
        write_sdist(tmp_path / side, [Member("demo-1.0/PKG-INFO", HEAD), *rows], "demo-1.0.tar.gz")
        for side in ("there", "here")
        if (tmp_path / side).mkdir() is None
    ]
    opened: list[Path] = []

    def reading(path: Path) -> AbstractContextManager[Archive]:
        opened.append(path)
        return open_archive(path)

    asked = clues(server, *paths, backend="flit_core.buildapi")
    monkeypatch.setattr(of_artifacts, "open_archive", reading)
    list(ways.candidates(asked))
    list(ways.candidates(replace(asked, backend="setuptools.build_meta")))
    assert opened == [*paths, *paths]


def test_no_more_is_read_than_there_is_room_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(of_artifacts, "_MOST_TEXT", 50)
    names = [f"demo-1.0/{number}/version.py" for number in range(3)]
    path = write_sdist(tmp_path, [Member(name, b"#" * 20) for name in names])
    assert list(read(path).texts) == names[:2]


def test_facts_are_in_order_and_name_their_source() -> None:
    for fact in FACTS:
        releases = [Version(since) for since, _ in fact.values]
        assert releases == sorted(set(releases))
        assert len(fact.values) > 1
        assert fact.source.startswith("https://")
        # Each release has exactly the value of the last row before it.
        for (since, value), before in zip(fact.values[1:], fact.values):
            assert fact.value(Version(since)) == value != before[1]
            assert fact.value(Version(f"{since}.dev0")) == before[1]


def test_releases_that_fit() -> None:
    releases = [Version(text) for text in ("44.0.0", "56.2.0", "57.0.0", "69.2.0", "70.0.0")]
    facts = facts_of("setuptools", ArtifactKind.SDIST)
    found = fitting(facts, {"License-File": "yes", "directory": "as written", "unheard of": "x"}, releases)
    assert found == releases[2:4]
    assert fitting(facts, {"License-File": "no", "directory": "with underscores"}, releases) == []
    assert fitting(facts, {}, releases) == releases


def installed(*pairs: tuple[str, str]) -> tuple[InstalledDistribution, ...]:
    return tuple(InstalledDistribution(name, version, "", {}) for name, version in pairs)


def clues(
    server: Server, published: Path, made: Path, pins: tuple[str, ...] = (), backend: str = "setuptools.build_meta"
) -> BuildClues:
    how = Recovered(BACKEND, PYTHON, "", pins, UNTIL, {}, {}, (ArtifactKind.WHEEL,))
    there = installed(("setuptools", "70.0.0"), *([("wheel", "0.43.0")] if pins else []), ("flit_core", "3.9.0"))
    tree = published.parent / "tree"
    tree.mkdir(exist_ok=True)
    index = Index(server.address)
    return BuildClues(
        published, Made(made, there), how, read_metadata(published), tree, backend, index, lambda: PYTHONS
    )


WHEELS = {"0.36.2": "2020-12-13", "0.37.1": "2021-12-22", "0.40.0": "2023-03-14", "0.41.0": "2023-07-22"}
SETUPTOOLS = {"58.0.0": "2021-09-01", "59.6.0": "2021-12-12", "60.1.0": "2022-01-02", "70.0.0": "2024-05-21"}


def test_an_older_wheel_beside_setuptools(server: Server, tmp_path: Path) -> None:
    """Generator names setuptools, and what it imports for METADATA is a wheel that happened to be installed."""
    publish(server, "wheel", {**WHEELS, "0.41.1rc1": "2023-08-01", "0.43.0": "2024-03-11", "0.41.0.1": "2026-01-01"})
    published = wheel_of(tmp_path / "there", HEAD + b"Requires-Dist: six (>=1)\n", record_mode=0o664)
    made = wheel_of(tmp_path / "here", HEAD + b"Requires-Dist: six >=1\n", record_mode=0o664)
    pin = "setuptools==70.0.0"
    found = list(ways.candidates(clues(server, published, made, (pin,))))
    assert [one.how.pins for one in found] == [(pin, "wheel==0.41.0"), (pin, "wheel==0.40.0")]
    assert found[0].change == "wheel 0.41.0 (requirements: parenthesized, not spaced)"
    # It was in the first build, or else is installed beside what is required.
    assert found[0].how.beside == ()
    without = replace(clues(server, published, made), how=found[0].how)
    without = replace(without, how=replace(found[0].how, pins=(pin,)))
    assert next(ways.candidates(without)).how.beside == ("wheel",)


@pytest.mark.parametrize(
    ("replaced", "expected"),
    [
        # What a distribution has beside it, then what was there with it, then the oldest that fits.
        ("2022-11-09", ["59.6.0", "60.1.0", "58.0.0"]),
        ("2021-12-30", ["59.6.0", "60.1.0", "58.0.0"]),
        # It was new when the project was published.
        ("2024-09-01", []),
        ("2025-09-01", []),
    ],
)
def test_all_of_an_environment_was_old(server: Server, tmp_path: Path, replaced: str, expected: list[str]) -> None:
    publish(server, "wheel", {"0.37.1": "2021-12-22", "0.38.0": replaced})
    publish(server, "setuptools", SETUPTOOLS)
    metadata = HEAD + b"Platform: UNKNOWN\nLicense-File: LICENSE\n"
    paths = [wheel_of(tmp_path / side, metadata) for side in ("there", "here")]
    found = list(ways.candidates(clues(server, *paths, ("wheel==0.37.1", "setuptools<70.1"))))
    assert [one.how.pins for one in found] == [("wheel==0.37.1", f"setuptools=={one}") for one in expected]


def test_nothing_to_try(server: Server, tmp_path: Path) -> None:
    """Neither traits nor names differ; or the index has no release that fits."""
    paths = [wheel_of(tmp_path / side, HEAD) for side in ("there", "here")]
    assert list(ways.candidates(clues(server, *paths))) == []
    other = wheel_of(tmp_path / "other", HEAD + b"Requires-Dist: six (>=1)\n")
    assert list(ways.candidates(clues(server, other, paths[0]))) == []
    publish(server, "wheel", WHEELS, yanked="broken")
    assert list(ways.candidates(clues(server, other, paths[0]))) == []


@pytest.mark.parametrize("status", [404, 500])
def test_an_index_that_fails_gives_nothing_to_try(server: Server, tmp_path: Path, status: int) -> None:
    """What the first build gave is known, and stays so."""
    for name in ("wheel", "setuptools"):
        server.answers[f"/simple/{name}/"] = Answer(status=status)
    other, path = wheel_of(tmp_path / "there", HEAD + b"Requires-Dist: six (>=1)\n"), wheel_of(tmp_path / "here", HEAD)
    assert list(ways.candidates(clues(server, other, path))) == []
    assert list(ways.candidates(clues(server, other, path, ("wheel==0.37.1", "setuptools<70.1")))) == []


@pytest.mark.parametrize(
    ("tags", "build", "options"),
    [
        ("py2.py3-none-any", "", "--universal"),
        ("py38-none-any", "", "--python-tag=py38"),
        ("py3-none-any", "1-", "--build-number=1"),
        ("cp311-cp311-linux_x86_64", "", ""),
    ],
)
def test_options_of_bdist_wheel(server: Server, tmp_path: Path, tags: str, build: str, options: str) -> None:
    path = wheel_of(tmp_path / "there", HEAD, f"demo-1.0-{build}{tags}.whl")
    made = wheel_of(tmp_path / "here", HEAD)
    found = [one.how.given for one in ways.candidates(clues(server, path, made))]
    assert found == ([{"SAMEBYTES_FRONT_END": f"setup.py bdist_wheel {options}"}] if options else [])
    assert list(ways.candidates(clues(server, path, made, backend="hatchling.build"))) == []


def test_a_build_on_windows(server: Server, tmp_path: Path) -> None:
    path = rewritten(wheel_of(tmp_path / "there", HEAD), 0, 0o100666)
    (found,) = ways.candidates(clues(server, path, wheel_of(tmp_path / "here", HEAD), backend="flit_core.buildapi"))
    assert (found.how.given, found.change) == ({"SAMEBYTES_TEXT": "crlf"}, "SAMEBYTES_TEXT=crlf")


@pytest.mark.parametrize("name", ["d/__pycache__/a.cpython-{1}.pyc", "demo-1.0-py{0}-nspkg.pth"])
def test_files_of_a_wheel_name_its_python(server: Server, tmp_path: Path, name: str) -> None:
    paths = []
    for side, python in (("there", "3.9"), ("here", "3.11")):
        (tmp_path / side).mkdir()
        members = [
            Member("demo.py"),
            Member(name.format(python, python.replace(".", ""))),
            Member(f"{INFO}METADATA", HEAD),
        ]
        paths.append(write_wheel(tmp_path / side, members, "demo-1.0-py3-none-any.whl"))
    (found,) = ways.candidates(clues(server, *paths))
    assert (found.how.python.short, found.change) == ("3.9", "Python 3.9 (files are named for it)")
    # The same one was used, so nothing else follows from it.
    assert list(ways.candidates(clues(server, paths[1], paths[1]))) == []


@pytest.mark.parametrize(
    ("script", "requires", "expected"),
    [
        # The newest in 2024 was 3.12; then what is as near.
        ("import sys\nif sys.version_info < (3, 10): pass\n", b"Requires-Dist: six\n", ["3.12", "3.13"]),
        ("import sys\n", b"Requires-Dist: six\n", []),
        ("import sys\nsys.version_info\n", b"", []),
    ],
)
def test_a_script_that_asks_for_the_version(
    server: Server, tmp_path: Path, script: str, requires: bytes, expected: list[str]
) -> None:
    path, made = wheel_of(tmp_path / "there", HEAD + requires), wheel_of(tmp_path / "here", HEAD)
    given = clues(server, path, made)
    (given.tree / "setup.py").write_text(script)
    assert [one.how.python.short for one in ways.candidates(given)] == expected


def test_an_old_setuptools_gets_a_python_that_it_runs_with(server: Server, tmp_path: Path) -> None:
    publish(server, "setuptools", SETUPTOOLS)
    path = wheel_of(tmp_path / "there", HEAD + b"Platform: UNKNOWN\nLicense-File: LICENSE\n")
    given = clues(server, path, wheel_of(tmp_path / "here", HEAD))
    new = replace(given, how=replace(given.how, python=PYTHONS[0]))
    assert {one.how.python.short for one in ways.candidates(new)} == {"3.11"}
    assert {one.how.python.short for one in ways.candidates(given)} == {"3.11"}
    alone = replace(new, pythons=lambda: PYTHONS[:1])
    assert {one.how.python.short for one in ways.candidates(alone)} == {"3.14"}


GENERATED = b"#!/usr/bin/env python\n# setup.py generated by flit for tools that don't yet use PEP 517\n"


@pytest.mark.parametrize(
    ("more", "command"),
    [
        ({"setup.py": GENERATED}, "flit build --setup-py --no-use-vcs"),
        ({"setup.py": GENERATED, "tests/test_it.py": b""}, "flit build --setup-py"),
        ({"tests/test_it.py": b""}, "flit build"),
        ({}, ""),
    ],
)
def test_commands_of_flit(server: Server, tmp_path: Path, more: dict[str, bytes], command: str) -> None:
    files = {"PKG-INFO": HEAD, "demo.py": b""}
    paths = sdist(tmp_path / "there", files={**files, **more}), sdist(tmp_path / "here", files=files)
    found = [one.how.given for one in ways.candidates(clues(server, *paths, backend="flit_core.buildapi"))]
    assert found == ([{"SAMEBYTES_FRONT_END": command}] if command else [])
    assert list(ways.candidates(clues(server, *paths))) == []


OF_SCM = b"version = '1.0'\n\n__commit_id__ = commit_id = %s\n"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"demo.egg-info/top_level.txt": b"demo\n"}, {}),
        ({"demo.egg-info/top_level.txt": b"dist\ndemo\nbuild_it\n"}, {"SAMEBYTES_DIRECTORIES": "build_it,dist"}),
        # An empty directory is not the reason where the release has something of that name.
        ({"demo.egg-info/top_level.txt": b"demo\nmade\n", "src/made/__init__.py": b""}, {}),
        ({"demo.egg-info/top_level.txt": b"demo\nmade\n", "made.py": b""}, {}),
        ({"demo.egg-info/top_level.txt": b"demo\nimages\n", "docs/images/a": b""}, {"SAMEBYTES_DIRECTORIES": "images"}),
        # A module in a namespace, and what no directory should be called.
        ({"demo.egg-info/top_level.txt": b"a.b\n../x\n/tmp\n"}, {}),
        ({"demo/_version.py": OF_SCM % b"'g316fbfaf2'"}, {"SETUPTOOLS_SCM_PRETEND_METADATA": '{node="g316fbfaf2"}'}),
        ({"demo/_version.py": OF_SCM % b"'g3\"}'"}, {}),
        # Of two commits, neither is the one of the release.
        ({"demo/_version.py": OF_SCM % b"'g3'", "demo/more/_version.py": OF_SCM % b"'g4'"}, {}),
    ],
)
def test_what_the_builders_tree_had(
    server: Server, tmp_path: Path, files: dict[str, bytes], expected: dict[str, str]
) -> None:
    common = {
        "PKG-INFO": HEAD,
        "demo.egg-info/top_level.txt": b"demo\n",
        "demo/_version.py": OF_SCM % b"None",
        "demo/more/_version.py": OF_SCM % b"None",
    }
    paths = sdist(tmp_path / "there", files={**common, **files}), sdist(tmp_path / "here", files=common)
    found = [one.how.given for one in ways.candidates(clues(server, *paths))]
    assert found == ([expected] if expected else [])
    # Neither is asked for again, whatever it was given.
    given = replace(clues(server, *paths).how, given=dict.fromkeys(expected, "x"))
    assert [one.how.given for one in ways.candidates(replace(clues(server, *paths), how=given))] == []


@pytest.mark.parametrize(
    ("there", "here", "expected"),
    [
        (["b<3", "b-x", "c"], ["c", "b-x", "b<3"], False),  # "-" sorts before "<"
        (["b-x", "b<3", "c"], ["c", "b-x", "b<3"], True),
        (["c", "b"], ["b", "c"], False),
        (["b", "c"], ["b", "c"], False),
        (["b", "c"], ["c", "d"], False),
    ],
)
def test_a_setuptools_of_debian_sorts_requirements(
    server: Server, tmp_path: Path, there: list[str], here: list[str], expected: bool
) -> None:
    """In each section of requires.txt, and in METADATA, which wheel makes of that."""
    for kind in ("wheel", "sdist"):
        paths = []
        for side, names in (("there", there), ("here", here)):
            lines = [f"Requires-Dist: {name.replace('<', ' <')} ; extra == 'x'\n".encode() for name in names]
            if kind == "wheel":
                metadata = HEAD + b"Requires-Dist: z\nProvides-Extra: x\n" + b"".join(lines)
                paths.append(wheel_of(tmp_path / f"{kind}-{side}", metadata))
                continue
            text = "\n".join(["z", "", "[x]", *names, ""]).encode()
            files = {"PKG-INFO": HEAD, "demo.egg-info/requires.txt": text}
            paths.append(sdist(tmp_path / f"{kind}-{side}", files=files))
        found = [one.how.given for one in ways.candidates(clues(server, *paths))]
        assert found == ([{"SAMEBYTES_SETUPTOOLS": "debian"}] if expected else [])
        assert list(ways.candidates(clues(server, *paths, backend="hatchling.build"))) == []


def test_an_sdist_that_another_setuptools_made_than_the_wheel(server: Server, tmp_path: Path) -> None:
    """What its wheel names is what there is to go by, until the sdist shows something else."""
    publish(server, "setuptools", {"56.1.0": "2021-05-07", "56.2.0": "2021-05-10"})
    files = {
        "PKG-INFO": HEAD.replace(b"2.1", b"1.1") + b"Platform: UNKNOWN\n",
        "setup.py": b"import sys\nsys.version_info\n",
    }
    made = sdist(tmp_path / "here", files={**files, "PKG-INFO": HEAD + b"Requires-Dist: six\n"})
    given = clues(server, sdist(tmp_path / "there", files=files), made, ("setuptools==56.2.0",))
    (found,) = ways.candidates(given)
    assert (found.how.pins, found.how.python) == (("setuptools==56.1.0",), given.how.python)


BEFORE_HOOKS = b"Metadata-Version: 1.1\nName: demo\nVersion: 1.0\nPlatform: UNKNOWN\n"


@pytest.mark.parametrize(
    ("latest", "pythons", "expected"),
    [
        (1_518_721_290, PYTHONS, ["38.5.1"]),
        (1_549_000_000, PYTHONS, ["40.7.0"]),
        # As soon as there were hooks, and where there is no Python that these releases run with.
        (1_549_400_000, PYTHONS, []),
        (1_518_721_290, PYTHONS[:-1], []),
        (1_400_000_000, PYTHONS, []),
        (None, PYTHONS, []),
    ],
)
def test_what_is_older_than_hooks_is_built_by_setup_py(
    server: Server, tmp_path: Path, latest: int | None, pythons: list[Python], expected: list[str]
) -> None:
    publish(server, "setuptools", {"38.5.1": "2018-02-12", "40.7.0": "2019-01-27", "42.0.2": "2019-12-01"})
    paths = (
        sdist(tmp_path / "there", files={"PKG-INFO": BEFORE_HOOKS}),
        sdist(tmp_path / "here", files={"PKG-INFO": HEAD}),
    )
    given = clues(server, *paths)
    given = replace(given, metadata=replace(given.metadata, latest=latest), pythons=lambda: pythons)
    found = [one for one in ways.candidates(given) if imitations.FRONT_END in one.how.given]
    assert [one.how.pins for one in found] == [(f"setuptools=={one}",) for one in expected]
    assert {(one.how.given[imitations.FRONT_END], one.how.python.short) for one in found} <= {
        ("python setup.py", "3.9")
    }


def test_a_wheel_that_is_older_than_hooks_has_its_options(server: Server, tmp_path: Path) -> None:
    publish(server, "setuptools", {"38.5.1": "2018-02-12"})
    paths = wheel_of(tmp_path / "there", HEAD, "demo-1.0-py2.py3-none-any.whl"), wheel_of(tmp_path / "here", HEAD)
    given = clues(server, *paths)
    given = replace(given, metadata=replace(given.metadata, latest=1_518_721_290))
    first = next(iter(ways.candidates(given)))
    assert first.how.given == {imitations.FRONT_END: "python setup.py --universal"}
    assert first.change == "SAMEBYTES_FRONT_END=python setup.py --universal, setuptools 38.5.1, Python 3.9"
    assert list(ways.candidates(replace(given, backend="flit_core.buildapi"))) == []


@pytest.mark.parametrize(
    ("requires", "script", "expected"),
    [
        ("setuptools>=70.1", True, "python setup.py"),
        ("SetupTools[core] >=61,!=59.6", True, "python setup.py"),
        ("setuptools>=40", True, None),
        ("wheel", True, None),
        ("setuptools>=70.1", False, None),
    ],
)
def test_a_setuptools_that_the_project_excludes(
    server: Server, tmp_path: Path, requires: str, script: bool, expected: str | None
) -> None:
    """As psycopg2-binary 2.9.13 was made: setup.py runs with any, and pyproject.toml is for front ends alone."""
    publish(server, "setuptools", SETUPTOOLS)
    old = HEAD + b"Platform: UNKNOWN\n"
    paths = [sdist(tmp_path / "there", files={"PKG-INFO": old}), sdist(tmp_path / "here", files={"PKG-INFO": HEAD})]
    given = clues(server, *paths)
    (given.tree / "pyproject.toml").write_text(f'[build-system]\nrequires = ["{requires}"]\n')
    if script:
        (given.tree / "setup.py").write_text("")
    found = list(ways.candidates(given))
    assert found[0].how.pins == ("setuptools==60.1.0",)
    assert {one.how.given.get(imitations.FRONT_END) for one in found} == {expected}
    assert found[0].change.startswith(f"SAMEBYTES_FRONT_END={expected}, setuptools" if expected else "setuptools")
    # Somebody said by what it was made.
    said = replace(given, how=given.how.with_variables({imitations.FRONT_END: "setup.py bdist_wheel"}))
    assert {one.how.given[imitations.FRONT_END] for one in ways.candidates(said)} == {"setup.py bdist_wheel"}


@pytest.mark.parametrize(
    ("generator", "backend", "expected"),
    [
        ("uv 0.13.9", "uv_build", ["0.13.9"]),
        ("uv 0.13.6", "uv_build", []),  # which the index has as uv_build, too
        ("uv 9.9.9", "uv_build", []),
        ("uv", "uv_build", []),
        ("uv 0.13.9", "hatchling.build", []),
        ("hatchling 1.27.0", "uv_build", []),
    ],
)
def test_a_wheel_of_uvs_own_backend(
    server: Server, tmp_path: Path, generator: str, backend: str, expected: list[str]
) -> None:
    publish(server, "uv", {"0.13.6": "2024-08-01", "0.13.9": "2024-09-01"})
    paths = [wheel_of(tmp_path / side, HEAD) for side in ("there", "here")]
    given = clues(server, *paths, backend=backend)
    made = replace(given.made, requirements=installed(("uv_build", "0.13.6")))
    given = replace(given, made=made, metadata=replace(given.metadata, generator=generator))
    found = list(ways.candidates(given))
    assert [one.how.pins[-1:] for one in found] == [(f"uv=={one}",) for one in expected]
    assert [one.how.given for one in found] == [{imitations.FRONT_END: "uv build"} for _ in expected]
    assert [one.how.beside for one in found] == [given.how.beside for _ in expected]


def comparison(verdict: Verdict, lasting: int = 0) -> Comparison:
    nodes = tuple(Difference(f"member {number}", NodeKind.MEMBER, "differs") for number in range(lasting))
    removed = Difference("container", NodeKind.CONTAINER, "differs", passes=("Z002",))
    file = ComparedFile("x", 1, "ab")
    return Comparison(file, file, ArtifactKind.WHEEL, verdict, (removed, *nodes))


HOW = Recovered(BACKEND, PYTHON, "", (), None, {}, {}, (ArtifactKind.WHEEL,))


@pytest.mark.parametrize(
    ("first", "outcomes", "kept", "tried"),
    [
        ((Verdict.DIFFERENT, 2), [(Verdict.PAYLOAD, 1), (Verdict.NORMALIZED, 0), (Verdict.IDENTICAL, 0)], 1, 2),
        ((Verdict.DIFFERENT, 2), [None, (Verdict.DIFFERENT, 2), (Verdict.DIFFERENT, 3)], -1, 3),
        ((Verdict.DIFFERENT, 2), [(Verdict.DIFFERENT, 1), (Verdict.DIFFERENT, 1)], 0, 2),
        ((Verdict.PAYLOAD, 9), [(Verdict.DIFFERENT, 1)], -1, 1),
        ((Verdict.NORMALIZED, 9), [(Verdict.IDENTICAL, 0)], -1, 0),
    ],
)
def test_the_best_is_kept_and_no_more_is_built_than_needed(
    first: tuple[Verdict, int], outcomes: list[tuple[Verdict, int] | None], kept: int, tried: int
) -> None:
    trials = [outcome and RebuildTrial(HOW, Made(Path(), ()), comparison(*outcome)) for outcome in outcomes]
    start = RebuildTrial(HOW, Made(Path(), ()), comparison(*first))
    offered = [BuildCandidate(f"way {number}", HOW) for number in range(len(outcomes))]
    best, attempts = best_of(start, offered, lambda one: trials[int(one.change[4:])])
    assert best is (start if kept < 0 else trials[kept])
    assert [one.is_kept for one in attempts] == [number == kept for number in range(tried)]
    assert [one.verdict for one in attempts] == [outcome and outcome[0] for outcome in outcomes[:tried]]


def test_what_is_noted_of_attempts() -> None:
    failed = RebuildAttempt("a", None)
    good = RebuildAttempt("b", Verdict.NORMALIZED, is_kept=True)
    assert list(notes(Verdict.DIFFERENT, [failed, good])) == [
        "built again with b: same after normalization; the first build gave: different",
        "tried, and fits less: a (does not build)",
    ]
    assert list(notes(Verdict.DIFFERENT, [failed])) == [
        "tried, and fits no better than the first build: a (does not build)"
    ]
    assert list(notes(Verdict.DIFFERENT, [])) == []


PROJECT = Project(Backend("flit_core.buildapi"), ("flit_core",))


def test_text_files_are_written_as_on_windows(tmp_path: Path) -> None:
    project, where = imitations.imitated(PROJECT, {imitations.TEXT: "crlf"}, tmp_path, tmp_path / "modules", tmp_path)
    assert project is PROJECT
    code = (
        "import pathlib, tempfile\n"
        "open('a', 'w').write('1\\n2\\r\\n')\n"
        "pathlib.Path('b').write_text('1\\n')\n"
        "open('c', 'w', newline='\\n').write('1\\n')\n"
        "open('d', 'wb').write(b'1\\n')\n"
        "with tempfile.NamedTemporaryFile('w', dir='.', prefix='e', delete=False) as file: file.write('1\\n')\n"
        "open('f', 'a+').write('1\\n')\n"
        "print(repr(open('a').read()))\n"
    )
    done = run_python("-c", code, cwd=tmp_path, path=where)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == repr("1\n2\n\n")
    texts = {path.name[0]: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    both = b"1\r\n"
    assert texts == {"a": b"1\r\n2\r\r\n", "b": both, "c": b"1\n", "d": b"1\n", "e": both, "f": both}


def test_what_a_backend_added_to_an_sdist_is_not_taken_into_it_twice(tmp_path: Path) -> None:
    """It is not listed, however that is done, and what reads it for the version finds it."""
    tree = tmp_path / "tree"
    for directory in (tree, tree / "vendored"):
        directory.mkdir()
        (directory / "PKG-INFO").write_bytes(HEAD)
        (directory / "demo.py").write_bytes(b"")
    home = tmp_path
    _, where = imitations.imitated(PROJECT, {}, tree, tmp_path / "modules", home, is_remade=True)
    code = (
        "import glob, os, pathlib\n"
        "walked = sorted(os.path.join(at, name) for at, _, names in os.walk('.') for name in names)\n"
        "globbed = sorted(os.path.join('.', path) for path in glob.glob('**/*.*', recursive=True))\n"
        "found = sorted(os.path.join('.', str(path)) for path in pathlib.Path().rglob('*') if path.is_file())\n"
        "listed = sorted(os.listdir()), sorted(os.listdir(b'.')), sorted(os.listdir(os.getcwd()))\n"
        "with os.scandir() as entries: scanned = sorted(entry.name for entry in entries)\n"
        "assert walked == found, (walked, found)\n"
        "assert globbed == [path for path in walked if '.py' in path], globbed\n"
        "assert [*map(os.fsencode, scanned)] == [*map(os.fsencode, listed[0])] == listed[1], (scanned, listed)\n"
        "assert listed[0] == listed[2]\n"
        "assert open('PKG-INFO').read() and os.path.isfile('PKG-INFO')\n"
        "print(*walked)\n"
    )
    # As Python starts, and where something has imported what lists directories before.
    for options, first in ((["-c"], ""), (["-S", "-c"], "import glob, pathlib, sitecustomize\n")):
        done = run_python(*options, first + code, cwd=tree, path=where)
        found = done.stdout.replace(os.sep, "/").split()
        assert found == ["./demo.py", "./vendored/PKG-INFO", "./vendored/demo.py"], done.stderr
    # A wheel is built of all that the sdist has, and a tree without it has nothing to be left out.
    assert imitations.imitated(PROJECT, {}, tree, tmp_path / "none", home) == (PROJECT, "")
    (tree / "PKG-INFO").unlink()
    assert imitations.imitated(PROJECT, {}, tree, tmp_path / "none", home, is_remade=True) == (PROJECT, "")


def test_commands_that_are_imitated(tmp_path: Path) -> None:
    given = {imitations.FRONT_END: "flit build --no-use-vcs"}
    project, where = imitations.imitated(PROJECT, given, tmp_path, tmp_path / "modules", tmp_path)
    assert project.requires == ("flit_core", "flit")
    assert project.backend == Backend("samebytes_flit")
    assert [path.name for path in Path(where).iterdir()] == ["samebytes_flit.py"]
    given = {imitations.FRONT_END: "setup.py bdist_wheel --universal --python-tag=py38"}
    assert imitations.imitated(PROJECT, given, tmp_path, tmp_path / "none", tmp_path) == (PROJECT, "")
    (written,) = [path for path in tmp_path.iterdir() if path.is_file()]
    assert written.name.endswith("pydistutils.cfg")
    assert written.read_text() == "[bdist_wheel]\nuniversal=1\npython-tag=py38\n"
    assert imitations.imitated(PROJECT, {}, tmp_path, tmp_path / "none", tmp_path) == (PROJECT, "")


def test_the_backend_within_uv_is_called(tmp_path: Path) -> None:
    project, where = imitations.imitated(
        Project(Backend("uv_build"), ("uv_build<0.9",)),
        {imitations.FRONT_END: "uv build"},
        tmp_path,
        tmp_path / "m",
        tmp_path,
    )
    assert (project.backend, project.requires) == (Backend("samebytes_uv"), ("uv",))
    code = (
        "import subprocess, sysconfig, samebytes_uv as b\n"
        "calls = []\n"
        "def run(command, **_):\n"
        "    calls.append(command[1:])\n"
        "    return subprocess.CompletedProcess(command, 0, b'warning: it differs\\ndemo-1.0.tar.gz\\n')\n"
        "subprocess.run = run\n"
        "print(b.build_wheel('out'), b.build_sdist('out'), calls)\n"
    )
    environ = {**os.environ, "PYTHONPATH": where}
    done = subprocess.run([sys.executable, "-c", code], env=environ, check=True, stdout=subprocess.PIPE, text=True)
    calls = [["build-backend", "build-wheel", "out"], ["build-backend", "build-sdist", "out"]]
    assert done.stdout == f"demo-1.0.tar.gz demo-1.0.tar.gz {calls}\n"


def test_setup_py_is_called_without_hooks(tmp_path: Path) -> None:
    """And no requirement is left that a setuptools from before hooks does not fulfil."""
    given = {imitations.FRONT_END: "python setup.py --universal"}
    known = Project(Backend("setuptools.build_meta"), ("setuptools>=40.8.0", "Setuptools-scm>=3", "wheel"))
    project, where = imitations.imitated(known, given, tmp_path, tmp_path / "modules", tmp_path)
    assert (project.backend, project.requires) == (
        Backend("samebytes_setup"),
        ("setuptools", "Setuptools-scm>=3", "wheel"),
    )
    tree, out = tmp_path / "tree", tmp_path / "out"
    tree.mkdir()
    out.mkdir()
    (out / "other").write_text("")
    (tree / "setup.py").write_text(
        "import pathlib, sys\npathlib.Path(sys.argv[-1], sys.argv[1]).write_text(' '.join(sys.argv[1:-1]))\n"
    )
    code = f"import samebytes_setup as b; print(b.build_wheel({str(out)!r}), b.build_sdist({str(out)!r}))"
    environ = {**os.environ, **given, "PYTHONPATH": where}
    done = subprocess.run([sys.executable, "-c", code], cwd=tree, env=environ, check=True, stdout=subprocess.PIPE)
    assert done.stdout.split() == [b"bdist_wheel", b"sdist"]
    assert (out / "bdist_wheel").read_text() == "bdist_wheel --universal --dist-dir"
    assert (out / "sdist").read_text() == "sdist --formats=gztar --dist-dir"


WRITING = "def yield_lines(lines): return iter(lines)\ndef written(lines): return list(yield_lines(lines))\n"


@pytest.mark.parametrize("where_it_is", ["", "setuptools._requirestxt", "setuptools.command._requirestxt"])
def test_requirements_are_sorted_as_by_debian(tmp_path: Path, where_it_is: str) -> None:
    given = {imitations.SETUPTOOLS: "debian"}
    known = Project(Backend("old_setuptools.build_meta:__legacy__"), ("setuptools",))
    project, where = imitations.imitated(known, given, tmp_path, tmp_path / "modules", tmp_path)
    assert (project.backend, project.requires) == (Backend("samebytes_debian"), ("setuptools",))
    # What of setuptools is replaced, and how that uses it: these releases do not run with every Python.
    files = {
        "setuptools/__init__.py": "",
        "setuptools/command/__init__.py": "",
        "setuptools/command/egg_info.py": f"from {where_it_is} import yield_lines\n" if where_it_is else WRITING,
        **({f"{where_it_is.replace('.', '/')}.py": WRITING} if where_it_is else {}),
        "distutils/__init__.py": "",
        "distutils/dist.py": "class DistributionMetadata:\n    def write_pkg_file(self, file): file += self.provides_extras\n",
        "old_setuptools/__init__.py": "",
        "old_setuptools/build_meta.py": "class __legacy__:\n    build_wheel = 'the hook'\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    code = (
        "import importlib, samebytes_debian as b, distutils.dist as d\n"
        f"e = importlib.import_module({where_it_is or 'setuptools.command.egg_info'!r})\n"
        "m, out = d.DistributionMetadata(), []\n"
        "m.provides_extras = ['b', 'a']\n"
        "m.write_pkg_file(out)\n"
        "print(b.build_wheel, e.written(['c', 'b']), out, hasattr(b, 'build_editable'))\n"
    )
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([where, str(tmp_path)])}
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], cwd=tmp_path, env=environ, check=True, stdout=subprocess.PIPE, text=True
    )
    assert done.stdout == "the hook ['b', 'c'] ['a', 'b'] False\n"
    # A backend of the tree's own is found by its path, which only it has.
    own = Project(Backend("own", ("packaging",)), ())
    assert imitations.imitated(own, given, tmp_path, tmp_path / "none", tmp_path) == (own, "")


def test_directories_beside_the_source(tmp_path: Path) -> None:
    """They are made where there is nothing, and what is there stays as it is."""
    tree = tmp_path / "tree"
    (tree / "dist").mkdir(parents=True)
    (tree / "testing").write_text("a file")
    given = {imitations.DIRECTORIES: imitations.directories(["testing", "images", "dist", "../up", ""])}
    assert given == {imitations.DIRECTORIES: "dist,images,testing"}
    assert imitations.imitated(PROJECT, given, tree, tmp_path / "none", tmp_path) == (PROJECT, "")
    assert sorted((path.name, path.is_dir()) for path in tree.iterdir()) == [
        ("dist", True),
        ("images", True),
        ("testing", False),
    ]


@pytest.mark.parametrize(
    ("known", "given", "called"),
    [
        # Before there was --setup-py, flit generated a setup.py for every sdist.
        ("--no-use-vcs", "--setup-py --no-use-vcs", "--no-use-vcs"),
        ("--no-use-vcs --setup-py", "--setup-py --no-use-vcs", "--setup-py --no-use-vcs"),
        # Since flit 4, git has to be asked for.
        ("--no-use-vcs --use-vcs --setup-py", "--setup-py", "--setup-py --use-vcs"),
        ("--no-use-vcs --setup-py", "", ""),
    ],
)
def test_each_release_of_flit_is_called_as_it_knows(tmp_path: Path, known: str, given: str, called: str) -> None:
    variables = {imitations.FRONT_END: f"flit build {given}"}
    _, where = imitations.imitated(PROJECT, variables, tmp_path, tmp_path / "modules", tmp_path)
    (Path(where) / "flit.py").write_text(
        "import os, pathlib, sys\n"
        f"if '--help' in sys.argv: sys.exit(print({known!r}))\n"
        "os.mkdir('dist')\n"
        "pathlib.Path('dist/demo').write_text(' '.join(sys.argv[1:]))\n"
    )
    asked = "def get_requires_for_build_sdist(config_settings=None): return ['webencodings']"
    write_tree(Path(where), {"flit_core/__init__.py": "", "flit_core/buildapi.py": asked})
    (tmp_path / "out").mkdir()
    write_tree(tmp_path / "tree", {"PKG-INFO": "", "demo.py": "", ".gitignore": "demo.py\n"})
    environ = {**os.environ, **variables, "PYTHONPATH": where}
    # What flit imports to find out a version needs what that imports, as in tinycss2 1.2.1.
    code = (
        f"import samebytes_flit as b; print(b.get_requires_for_build_sdist()); b.build_sdist({str(tmp_path / 'out')!r})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path / "tree", env=environ, check=True, capture_output=True, text=True
    )
    assert done.stdout.startswith("['webencodings']\n")
    found = (tmp_path / "out" / "demo").read_text()
    assert found == f"build --format sdist {called}".rstrip()
    if "--no-use-vcs" not in given:
        listing = ["git", "ls-files", "--cached"], ["git", "ls-files", "--others", "--exclude-standard"]
        tracked, unknown = (subprocess.check_output(one, cwd=tmp_path / "tree", text=True).split() for one in listing)
        # flit writes PKG-INFO itself, and refuses a tree with files that git does not know.
        assert (tracked, unknown) == ([".gitignore", "demo.py"], [])


@pytest.mark.parametrize(
    "given",
    [
        {imitations.TEXT: "utf-16"},
        {imitations.SETUPTOOLS: "gentoo"},
        {imitations.DIRECTORIES: "dist,../x"},
        {imitations.DIRECTORIES: "/tmp/x"},
        {imitations.DIRECTORIES: "a b"},
        {imitations.FRONT_END: "make"},
        {imitations.FRONT_END: "uv build --wheel"},
        {imitations.FRONT_END: "python setup.py --command-packages=x"},
        {imitations.FRONT_END: "flit publish"},
        {imitations.FRONT_END: "flit build; rm -r /"},
        {imitations.FRONT_END: "setup.py bdist_wheel --dist-dir=/"},
        {imitations.FRONT_END: "setup.py bdist_wheel --build-number=1\n[build]"},
    ],
)
def test_what_cannot_be_imitated(tmp_path: Path, given: dict[str, str]) -> None:
    """A record may ask for anything."""
    with pytest.raises(UsageError) as caught:
        imitations.imitated(PROJECT, given, tmp_path, tmp_path / "modules", tmp_path)
    assert caught.value.remedy
    assert not list(tmp_path.iterdir())


def test_no_variable_is_too_long_to_start_a_program_with() -> None:
    assert imitations.directories(["b", "a", "no package"]) == "a,b"
    assert imitations.directories(f"package_{number}" for number in range(20_000)) == ""
