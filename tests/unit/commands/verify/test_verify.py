"""What verifying is made of: what artifacts tell, what follows from that, and where sources come from."""

from __future__ import annotations

import hashlib
import io
import os
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from samebytes_tools.building import provenance, source
from samebytes_tools.building.interpreters import Python
from samebytes_tools.commands.reproducible_build.command import context_of
from samebytes_tools.commands.verify import metadata, published, recover
from samebytes_tools.commands.verify.metadata import ArtifactMetadata, foreign
from samebytes_tools.commands.verify.remake import VerifyContext
from samebytes_tools.commands.verify.verify import VerifyRequest, requests_of, verify_all
from samebytes_tools.index.client import Index
from samebytes_tools.releases.selection import Selection, select
from support.artifacts import sdist, wheel
from support.indexes import Server, serving
from support.interpreters import imitate
from support.projects import write_tree
from support.wheels import Member, write_sdist, write_wheel

from samebytes.archive.entry import Kind
from samebytes.artifact.layout import ArtifactKind, parse_wheel_name
from samebytes.console.streams import Progress
from samebytes.console.verbosity import QUIET
from samebytes.errors import ArchiveError, ConfigError, HostileArchiveError, SamebytesError, UsageError

LINUX = Python("python", "CPython", "3.11.7", (3, 11), "linux-x86_64", "glibc-2.36", "1.3")
MAC = replace(LINUX, platform="macosx-13.0-arm64", libc="")
FAT = replace(MAC, platform="macosx-10.9-universal2")
ARM = replace(LINUX, platform="linux-armv7l")
WINDOWS = replace(LINUX, platform="win-amd64", libc="")
MUSL = replace(LINUX, libc="")
WHEEL_NAME = "demo-1.0-py3-none-any.whl"
WHEEL = ArtifactMetadata(ArtifactKind.WHEEL, "demo", "1.0", "py3-none-any", "tiny 1.0")


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.mark.parametrize(
    ("generator", "requires", "expected"),
    [
        ("bdist_wheel (0.43.0)", ["setuptools"], ("wheel", "0.43.0")),
        ("setuptools (75.1.0)", ["setuptools"], ("setuptools", "75.1.0")),
        ("flit 3.9.0", ["flit-core"], ("flit-core", "3.9.0")),
        ("hatchling 1.25.0", ["hatchling"], ("hatchling", "1.25.0")),
        ("poetry-core 1.9.0", ["poetry-core"], ("poetry-core", "1.9.0")),
        ("poetry 1.0.8", ["poetry-core"], ("poetry-core", "1.0.8")),
        ("poetry 0.12.17", ["poetry"], ("poetry", "0.12.17")),
        ("pdm-backend (2.3.0)", ["pdm-backend"], ("pdm-backend", "2.3.0")),
        ("maturin (1.7.0)", ["maturin"], ("maturin", "1.7.0")),
        ("uv 0.5.0", ["uv-build"], ("uv-build", "0.5.0")),
        ("scikit-build-core 0.10.7", ["scikit-build-core"], ("scikit-build-core", "0.10.7")),
        ("scikit_build_core 0.10.7", ["scikit-build-core"], ("scikit-build-core", "0.10.7")),
        ("meson", ["meson-python"], None),
        ("", [], None),
        ("some tool of ours", [], None),
        ("töol (1.0)", [], None),
    ],
)
def test_generators(generator: str, requires: list[str], expected: tuple[str, str] | None) -> None:
    assert metadata.generated_by(generator, requires) == expected


@pytest.mark.parametrize(
    ("tags", "version"),
    [
        ("", None),
        ("py3-none-any", None),
        ("py2.py3-none-any", None),
        ("py310-none-any", None),
        ("cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64", "3.11"),
        ("cp38-abi3-macosx_11_0_arm64", "3.8"),
        ("cp39.cp310-none-any", "3.9"),
        ("cp313-cp313t-musllinux_1_2_x86_64", "3.13t"),
        ("cp313-cp313td-linux_x86_64", "3.13t"),
        ("cp37-cp37m-manylinux1_x86_64", "3.7"),
        ("cp315-abi3t-win_amd64", "3.15t"),
    ],
)
def test_the_interpreter_that_tags_want(tags: str, version: str | None) -> None:
    assert metadata.wanted_python(tags) == version


@pytest.mark.parametrize("tags", ["py2-none-any", "pp310-pypy310_pp73-linux_x86_64", "cp27-cp27mu-linux_x86_64"])
def test_interpreters_that_nobody_can_give(tags: str) -> None:
    with pytest.raises(UsageError, match="CPython 3") as caught:
        metadata.wanted_python(tags)
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("of_metadata", "of_gzip", "expected"),
    [
        (0, 1741204277, 1741204277),
        (1741204277, 0, 1741204277),
        # flit without a date; a date that is not all files'; another backend's.
        (0, 1451606400, None),
        (1600000000, 1741204277, None),
        (0, 0, None),
    ],
)
def test_the_date_that_flit_was_given(tmp_path: Path, of_metadata: int, of_gzip: int, expected: int | None) -> None:
    members = [Member("demo-1.0/demo.py", b"", mtime=1741204277), Member("demo-1.0/PKG-INFO", b"", mtime=of_metadata)]
    path = write_sdist(tmp_path, members, "demo-1.0.tar.gz")
    held = bytearray(path.read_bytes())
    held[4:8] = of_gzip.to_bytes(4, "little")
    path.write_bytes(held)
    assert metadata.read(path).date == expected


@pytest.mark.parametrize(
    ("platform", "python", "fits"),
    [
        ("any", WINDOWS, True),
        ("linux_x86_64", LINUX, True),
        ("manylinux_2_17_x86_64.manylinux2014_x86_64", LINUX, True),
        ("manylinux1_i686", LINUX, False),
        ("musllinux_1_2_x86_64", LINUX, False),
        ("musllinux_1_2_x86_64", MUSL, True),
        ("manylinux2014_x86_64", MUSL, False),
        ("win_amd64", LINUX, False),
        ("win_amd64", WINDOWS, True),
        ("win32", WINDOWS, False),
        ("manylinux2014_x86_64", ARM, False),
        ("linux_armv7l", ARM, True),
        ("win_arm64", WINDOWS, False),
        ("macosx_11_0_arm64", MAC, True),
        ("macosx_12_3_arm64", MAC, True),
        ("macosx_10_9_x86_64.macosx_11_0_arm64", MAC, True),
        ("macosx_10_9_universal2", MAC, True),
        ("macosx_10_9_x86_64", MAC, False),
        ("macosx_11_0_arm64", LINUX, False),
        ("macosx_11_0_arm64", FAT, True),
        ("macosx_10_9_x86_64", FAT, True),
        ("macosx_10_9_universal2", FAT, True),
        ("macosx_10_6_i386", FAT, False),
        ("linux_x86_64", FAT, False),
    ],
)
def test_platforms(platform: str, python: Python, fits: bool) -> None:
    why = metadata.misfit(replace(WHEEL, tags=f"cp311-cp311-{platform}"), python)
    assert (why == "") is fits
    assert fits or platform in why


def test_what_an_artifact_tells(tmp_path: Path) -> None:
    path = wheel(tmp_path, times=((2024, 5, 1, 10, 11, 12),))
    assert metadata.read(path) == ArtifactMetadata(
        ArtifactKind.WHEEL, "demo", "1.0", "py3-none-any", "demo 1", "", 1714558272, 1714558272
    )
    told = metadata.read(wheel(tmp_path))
    assert (told.date, told.latest) == (None, 1649138828)
    path = sdist(tmp_path, files={"PKG-INFO": b"Name: demo\nRequires-Python: >=3.9,\n  !=3.10\n"})
    assert metadata.read(path).requires_python.split() == [">=3.9,", "!=3.10"]
    assert metadata.read(path).generator == ""


@pytest.mark.parametrize("name", ["demo.txt", "demo-1.0.zip", "demo.whl"])
def test_what_is_no_artifact(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("hello")
    with pytest.raises(ArchiveError) as caught:
        metadata.read(path)
    assert caught.value.remedy


def test_an_interpreter_is_our_own_if_any_will_do() -> None:
    own = provenance.this_python()
    assert recover.interpreter(WHEEL, None, own, {}) is own
    assert recover.interpreter(replace(WHEEL, tags=f"cp{own.minor[0]}{own.minor[1]}-none-any"), None, own, {}) is own


@pytest.mark.skipif(sys.platform == "win32", reason="the other versions are scripts with a #! line")
def test_an_interpreter_of_the_version_that_tags_want(tmp_path: Path) -> None:
    own = provenance.this_python()
    python = imitate(tmp_path / "python3.99", 99)
    threaded = imitate(tmp_path / "python3.99t", 99, free_threaded=True)
    environ = {"PATH": str(tmp_path)}
    for abi, executable in (("cp399", python), ("abi3", python), ("cp399t", threaded)):
        wheel = replace(WHEEL, tags=f"cp399-{abi}-{own.platform.replace('-', '_')}")
        assert recover.interpreter(wheel, None, own, environ).executable == executable
    # The stable ABI is that of later versions, too.
    stable = replace(WHEEL, tags=f"cp32-abi3-{own.platform.replace('-', '_')}")
    assert recover.interpreter(stable, None, own, environ) is own
    # So it is where pip could install nothing into that version.
    old = imitate(tmp_path / "python3.6", 6)
    platform = own.platform.replace("-", "_")
    found = [
        recover.interpreter(replace(WHEEL, tags=f"cp36-{abi}-{platform}"), None, own, environ)
        for abi in ("abi3", "cp36m")
    ]
    assert [each.executable for each in found] == [own.executable, old]
    with pytest.raises(UsageError, match=r"3\.98t is needed .*there is 3\.99, "):
        recover.interpreter(replace(WHEEL, tags="cp398-cp398t-linux_x86_64"), None, own, environ)


@pytest.mark.skipif(sys.platform == "win32", reason="the other versions are scripts with a #! line")
def test_an_interpreter_that_requires_python_allows(tmp_path: Path) -> None:
    """The newest, and none that is free-threaded: nobody asked for that."""
    own = provenance.this_python()
    for minor in (98, 99):
        imitate(tmp_path / f"python3.{minor}", minor)
    imitate(tmp_path / "python3.100t", 100, free_threaded=True)
    wheel = replace(WHEEL, requires_python=">=3.97")
    assert recover.interpreter(wheel, None, own, {"PATH": str(tmp_path)}).short == "3.99"
    with pytest.raises(UsageError, match=r"requires Python >=3\.101") as caught:
        recover.interpreter(replace(WHEEL, requires_python=">=3.101"), None, own, {"PATH": str(tmp_path)})
    assert caught.value.remedy


def test_a_date_is_told_only_if_somebody_gave_one() -> None:
    """2020-02-02 is what backends take where there is none; to give it could change a version."""
    assert recover.epoch(replace(WHEEL, date=1714558272)) == 1714558272
    assert recover.epoch(replace(WHEEL, date=1580601600)) is None
    assert recover.epoch(WHEEL) is None


def test_pins(server: Server, tmp_path: Path) -> None:
    index = Index(server.address)
    server.page("tiny", [{"filename": "tiny-1.0.0.tar.gz", "url": "x", "hashes": {}}])
    assert recover.pins(WHEEL, ["tiny"], tmp_path, index) == (("tiny==1.0",), "")
    pins, note = recover.pins(replace(WHEEL, generator="tiny 1.1.dev0"), ["tiny"], tmp_path, index)
    assert pins == ()
    assert "no tiny 1.1.dev0" in note
    pins, note = recover.pins(replace(WHEEL, generator="meson"), ["meson-python"], tmp_path, index)
    assert pins == ()
    assert "'meson', names no version" in note
    server.page("wheel", [{"filename": "wheel-0.43.0.tar.gz", "url": "x", "hashes": {}}])
    old = replace(WHEEL, generator="bdist_wheel (0.43.0)")
    assert recover.pins(old, ["setuptools"], tmp_path, index) == (("wheel==0.43.0", "setuptools<70.1"), "")
    write_tree(tmp_path, {"setup.py": "from wheel.bdist_wheel import bdist_wheel\n"})
    assert recover.pins(old, ["setuptools"], tmp_path, index) == (("wheel==0.43.0",), "")
    assert recover.pins(replace(WHEEL, kind=ArtifactKind.SDIST, generator=""), ["tiny"], tmp_path, index) == ((), "")


@pytest.mark.parametrize(
    ("uploaded", "known", "latest", "until", "note"),
    [
        ("2024-06-01T12:00:00Z", True, 5, 1717243200, ""),
        ("2024-06-01T12:00:00Z", False, 1714558272, 1714558272, "latest date"),
        ("2024-06-01T12:00:00Z", False, 315532800, None, "it is unknown when"),
        (None, True, 1714558272, None, "no times of upload"),
        (None, False, 1714558272, None, "no times of upload"),
    ],
)
def test_until_when_build_requirements_count(
    server: Server, uploaded: str | None, known: bool, latest: int, until: int | None, note: str
) -> None:
    row = {"filename": "tiny-1.0.tar.gz", "url": "x", "hashes": {}, "upload-time": uploaded}
    server.page("tiny", [row])
    index = Index(server.address)
    file = index.files("tiny")[0] if known else None
    found = recover.moment(file, replace(WHEEL, latest=latest), ["unknown>=1", "tiny"], index)
    assert found.until == until
    assert note in found.note
    assert bool(found.note) is bool(note)


@pytest.mark.parametrize(
    ("until", "minor", "requires", "expected"),
    [
        ("2014-06-16", 11, ["setuptools>=40.8.0"], "2019-12-01"),
        ("2019-12-15", 11, ["Setuptools"], "2019-12-15"),
        ("2019-12-15", 12, ["wheel", "setuptools"], "2023-01-20"),
        ("2024-01-01", 12, ["setuptools"], "2024-01-01"),
        ("2014-06-16", 11, ["flit-core"], "2014-06-16"),
        (None, 11, ["setuptools"], None),
    ],
)
def test_an_sdist_may_be_older_than_any_backend(
    server: Server, until: str | None, minor: int, requires: list[str], expected: str | None
) -> None:
    """Build requirements are as of when there was one that can build it, and a note says so."""
    releases = {"40.8.0": "2019-02-05", "42.0.2": "2019-12-01", "60.0.0": "2022-01-01", "66.1.0": "2023-01-20"}
    rows = []
    for version, day in {**releases, "42.1rc1": "2019-11-01"}.items():
        name = f"setuptools-{version}-py3-none-any.whl"
        rows.append({"filename": name, "url": f"/files/{name}", "hashes": {}, "upload-time": f"{day}T00:00:00Z"})
    server.page("setuptools", rows)

    def seconds(day: str | None) -> int | None:
        return None if day is None else int(datetime.fromisoformat(f"{day}T00:00:00+00:00").timestamp())

    python = replace(LINUX, minor=(3, minor))
    found = recover.buildable(recover.Moment(seconds(until)), requires, Index(server.address), python)
    assert found.until == seconds(expected)
    assert (f"as of {expected}" in found.note) is (until != expected)


def test_pip_gets_one_index_and_no_configuration() -> None:
    environ = {"PIP_FIND_LINKS": "x", "PIP_EXTRA_INDEX_URL": "y", "PIP_CERT": "c", "PATH": "/bin", "CC": "cc", "A": "b"}
    environ["HOME"] = "/home/ada"
    made = recover.environment(environ, "http://127.0.0.1/simple", {"SOURCE_DATE_EPOCH": "5"})
    assert {name for name in made if name.startswith("PIP_")} == {
        "PIP_CACHE_DIR",
        "PIP_CERT",
        "PIP_CONFIG_FILE",
        "PIP_DISABLE_PIP_VERSION_CHECK",
        "PIP_INDEX_URL",
    }
    assert (made["PATH"], made["SOURCE_DATE_EPOCH"], made["PIP_CONFIG_FILE"]) == ("/bin", "5", os.devnull)
    assert "A" not in made
    more = {"SOURCE_DATE_EPOCH": "7", "XDG_CONFIG_HOME": "/home/ada/.config", "USERPROFILE": "/home/ada"}
    whole = recover.for_samebytes({**environ, **more}, "http://127.0.0.1/simple", {}, Path("/private"))
    assert whole["A"] == "b"
    # The caller's home is not the build's; only what was downloaded is found there.
    caches = {"PIP_CACHE_DIR": "/home/ada/.cache/pip", "UV_CACHE_DIR": "/home/ada/.cache/uv"}
    assert {name: value for name, value in whole.items() if "ada" in value} == caches
    assert whole["HOME"] == whole["USERPROFILE"] == "/private"
    assert not {"CC", "SOURCE_DATE_EPOCH", "PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"} & set(whole)


@pytest.mark.parametrize(
    ("environ", "cache"),
    [
        ({}, None),
        ({"HOME": ""}, None),
        ({"HOME": "/home/ada"}, "/home/ada/.cache/pip"),
        ({"HOME": "/home/ada", "XDG_CACHE_HOME": "/cache"}, "/cache/pip"),
        ({"HOME": "/home/ada", "XDG_CACHE_HOME": "/cache", "PIP_CACHE_DIR": "/pip"}, "/pip"),
    ],
)
def test_pip_keeps_its_cache_if_there_is_a_place_for_one(environ: dict[str, str], cache: str | None) -> None:
    assert recover.pip_variables(environ, "").get("PIP_CACHE_DIR") == cache
    assert recover.environment(environ, "", {}).get("PIP_CACHE_DIR") == cache


def offer(server: Server, *names: str) -> Index:
    server.page("demo", [{"filename": name, "url": f"/files/{name}", "hashes": {}} for name in names])
    return Index(server.address)


def chosen(index: Index, selection: Selection | None = None, version: str = "1.0") -> tuple[str, str]:
    files = published.of_release(index, "demo", version)
    file, why = select(files, selection or Selection(), f"demo=={version}", provenance.this_python)
    return file.name, why


MINE = "cp{}{}".format(*sys.version_info[:2])
PLATFORM = sysconfig.get_platform().replace("-", "_").replace(".", "_")
HERE = f"demo-1.0-{MINE}-{MINE}-{PLATFORM}.whl"
STABLE = f"demo-1.0-cp39-abi3-{PLATFORM}.whl"
THERE = f"demo-1.0-{MINE}-{MINE}-somewhere_else.whl"
ANY, SOURCE = "demo-1.0-py3-none-any.whl", "demo-1.0.tar.gz"


def test_which_file_of_a_release(server: Server) -> None:
    """The order is pip's: test_the_file_is_the_one_that_pip_takes asks pip itself."""
    files = [SOURCE, THERE, ANY, STABLE, HERE, HERE.replace("1.0-", "1.0-2x-"), HERE.replace("1.0-", "1.0-11-")]
    for expected, why in (
        (files[6], "pip's choice of 5 that fit"),  # build numbers are compared as numbers
        (files[5], "pip's choice of 4 that fit"),
        (HERE, "pip's choice of 3 that fit"),
        (STABLE, "pip's choice of 2 that fit"),
        (ANY, "the one of its 2 wheels that fits"),
        (SOURCE, "none of its 1 wheels fits"),
    ):
        name, said = chosen(offer(server, *files))
        assert name == expected
        assert why in said
        files.remove(expected)
    with pytest.raises(UsageError, match="none of its wheels fits") as caught:
        chosen(offer(server, THERE), Selection(ArtifactKind.WHEEL))
    assert THERE in caught.value.message
    assert caught.value.remedy
    for name, kind in ((ANY, ArtifactKind.SDIST), (SOURCE, ArtifactKind.WHEEL)):
        with pytest.raises(UsageError, match="has no file of that kind"):
            chosen(offer(server, name), Selection(kind))


def test_a_file_that_is_asked_for_or_the_only_one(server: Server) -> None:
    assert chosen(offer(server, SOURCE, ANY)) == (ANY, "")
    assert chosen(offer(server, SOURCE, ANY), Selection(ArtifactKind.SDIST)) == (SOURCE, "")
    assert chosen(offer(server, SOURCE)) == (SOURCE, "the release has no wheel")
    assert chosen(offer(server, "demo-1.0.0.tar.gz", "demo-1.1.tar.gz", "demo-extra-1.0.tar.gz"))[0].endswith(
        "0.0.tar.gz"
    )
    index = offer(server, SOURCE, HERE, ANY, THERE)
    assert chosen(index, Selection(file=THERE)) == (THERE, "")
    assert chosen(index, Selection(tag="py3-none-any")) == (ANY, "")
    assert chosen(index, Selection(likely=frozenset({ANY, "demo-1.0-py2-none-any.whl"}))) == (ANY, "")
    assert chosen(index, Selection(tag=f"{MINE}-*", likely=frozenset({ANY})))[0] == HERE
    assert chosen(index, Selection(tag="*-somewhere_else")) == (THERE, "")
    assert chosen(index, Selection(tag=f"{MINE}-*"))[0] == HERE
    assert chosen(index, Selection(tags=frozenset({"py3-none-any"}))) == (ANY, "")
    assert (
        chosen(offer(server, SOURCE, HERE, ANY), Selection(tags=frozenset({f"{MINE}-{MINE}-{PLATFORM}", "x-y-z"})))[0]
        == HERE
    )
    for selection, message in (
        (Selection(file="demo-1.0-py2-none-any.whl"), "has no file demo-1.0-py2-none-any.whl"),
        (Selection(tag="cp27-*"), "no wheel with the tag cp27-"),
        (Selection(tags=frozenset({"py27-none-any", "py2-none-any"})), "no wheel with the tags"),
    ):
        with pytest.raises(UsageError, match=message) as caught:
            chosen(index, selection)
        assert caught.value.remedy


def write(path: Path) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(path.name.encode())
    return path


def test_files_that_are_yanked_or_for_other_pythons_come_last(server: Server) -> None:
    rows = [{"filename": name, "url": f"/files/{name}", "hashes": {}} for name in (HERE, STABLE, ANY)]
    server.page("demo", [{**rows[0], "yanked": "broken"}, {**rows[1], "requires-python": "<3"}, rows[2]])
    assert chosen(Index(server.address)) == (
        ANY,
        "pip's choice of 2 that fit CPython {}.{} here".format(*sys.version_info),
    )
    server.page("demo", [{**rows[0], "yanked": True}, {**rows[1], "requires-python": "<3"}])
    assert chosen(Index(server.address))[0] == HERE


def test_hashes_are_demanded_of_the_published_file_first(server: Server, tmp_path: Path) -> None:
    """Of what the index says before anything is downloaded; of the download where the index has no such hash."""
    path = wheel(tmp_path)
    digest = server.add("demo", path)
    release = "==".join(parse_wheel_name(path.name)[:2])

    def found(*hashes: str) -> published.PublishedArtifact:
        index = Index(server.address)
        (tmp_path / "there").mkdir(exist_ok=True)
        selection = Selection(hashes=frozenset(hashes))
        return published.find(release, selection, provenance.this_python, lambda: index, tmp_path / "there")

    assert found(f"sha256:{digest}", "sha256:" + "0" * 64).sha256 == digest
    assert found(f"sha512:{hashlib.sha512(path.read_bytes()).hexdigest()}").sha256 == digest
    asked = len(server.asked)
    with pytest.raises(ArchiveError, match=r"no file of the release .* has a hash that is locked") as caught:
        found("sha256:" + "0" * 64)
    assert caught.value.remedy
    assert [place for place, _ in server.asked[asked:]] == ["/simple/demo/"]
    with pytest.raises(ArchiveError, match="has none of the hashes that are locked"):
        found("sha512:" + "0" * 128)


def test_what_cannot_be_rebuilt_here_whatever_is_installed() -> None:
    for name, why in (
        ("demo-1.0-cp311-cp311-win_amd64.whl", "win_amd64"),
        ("demo-1.0-pp310-pypy310_pp73-manylinux2014_x86_64.whl", "pp310"),
        ("demo-1.0-cp27-cp27mu-manylinux1_x86_64.whl", "cp27"),
        ("demo-1.0-cp399-cp399-manylinux2014_x86_64.whl", ""),
        (ANY, ""),
        (SOURCE, ""),
    ):
        assert foreign(name, LINUX) == why


@pytest.mark.parametrize(
    ("version", "said"),
    [("2.0", "has no demo 2.0"), ("new", "'new' is not a version"), ("1" * 5000, "is not a version|has no demo 1111")],
)
def test_versions_that_are_not_there(server: Server, version: str, said: str) -> None:
    index = offer(server, "demo-1.0.tar.gz", "demo-1.1.zip", "nonsense.whl", "demo-abc.tar.gz")
    with pytest.raises(UsageError, match=said) as caught:
        published.of_release(index, "demo", version)
    assert version != "2.0" or caught.value.remedy.endswith(": 1.0, 1.1.")


@pytest.mark.parametrize("target", ["demo", "nowhere.whl", "nowhere/demo-1.0-py3-none-any.whl", "demo>=1", ""])
def test_targets_that_are_none(server: Server, tmp_path: Path, target: str) -> None:
    with pytest.raises(UsageError) as caught:
        published.find(target, Selection(), lambda: LINUX, lambda: Index(server.address), tmp_path)
    assert caught.value.remedy


def test_a_name_alone_is_its_newest_release(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also of one that has wheels only; what is here under that name is not looked for in the index."""
    for name in ("demo-1.0.tar.gz", "demo-1.9-py3-none-any.whl", "demo-1.10-py3-none-any.whl", "demo-2.0rc1.tar.gz"):
        server.add("demo", write(tmp_path / "shelf" / name), "2024-06-01T12:00:00Z")
    server.add("demo", write(tmp_path / "shelf" / "demo-1.11.tar.gz"), yanked="broken")

    def found() -> str:
        index = Index(server.address)
        return published.find("demo", Selection(), provenance.this_python, lambda: index, tmp_path / "got").path.name

    assert found() == "demo-1.10-py3-none-any.whl"
    (tmp_path / "demo").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="demo: there is no such file, and it is not a release"):
        found()


def test_a_file_that_the_index_has_with_other_contents(server: Server, tmp_path: Path) -> None:
    path = wheel(tmp_path)
    digest = server.add("demo", path, "2024-06-01T12:00:00Z")
    found = published.find(str(path), Selection(), lambda: LINUX, lambda: Index(server.address), tmp_path)
    assert (found.sha256, found.note) == (digest, "")
    assert found.file is not None
    wheel(tmp_path, times=((2020, 1, 1, 0, 0, 0),))
    found = published.find(str(path), Selection(), lambda: LINUX, lambda: Index(server.address), tmp_path)
    assert found.file is None
    assert "is another" in found.note


def followed(server: Server, record: Path) -> SamebytesError:
    """Return the error of ``verify --from`` before anything is built."""
    requests = requests_of(record, VerifyRequest(""))
    with Progress(io.StringIO(), {}, quiet=True) as progress:
        context = VerifyContext(context_of(QUIET, progress, 60), lambda: Index(server.address))
        (result,) = verify_all(requests, context)
    assert result.error is not None
    assert result.error.remedy
    return result.error


@pytest.mark.parametrize("place", [".", "records"])
def test_a_record_is_about_the_file_with_its_digest(
    server: Server, tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither another file beside the record, nor one in the current directory, nor one in the index is its subject."""
    monkeypatch.chdir(tmp_path)
    Path("records").mkdir(exist_ok=True)
    own = provenance.this_python()
    made = wheel(Path(place)).rename(Path(place, WHEEL_NAME))
    digest = source.sha256_of(made)
    material = source.SourceTree(tmp_path, "", digest={"dirHash": "ab" * 32})
    one = provenance.Record(
        ((WHEEL_NAME, digest),), provenance.BACKEND, (), {}, provenance.Material("", material.digest), (), own, {}
    )
    record = Path(place, "record.json")
    record.write_text(provenance.text(one))
    assert "does not name it" in followed(server, record).message  # so the file is its subject

    wheel(Path(place), times=((2020, 1, 1, 0, 0, 0),)).rename(made)
    error = followed(server, record)
    assert isinstance(error, ConfigError)
    assert all(text in error.message for text in (digest, source.sha256_of(made), str(made), str(record)))

    other = source.sha256_of(made)
    server.add("demo", made)
    made.rename(WHEEL_NAME if place != "." else "elsewhere.whl")
    error = followed(server, record)
    assert isinstance(error, ConfigError)
    assert all(text in error.message for text in (digest, other, f"{WHEEL_NAME} in the index"))
    one = replace(one, subjects=((WHEEL_NAME, other),))
    record.write_text(provenance.text(one))
    assert "does not name it" in followed(server, record).message


def test_a_source_keeps_times_and_executable_bits(tmp_path: Path) -> None:
    members = [
        Member("demo-1.0", mode=0o777, kind=Kind.DIRECTORY),
        Member("demo-1.0/run.sh", b"#!/bin/sh\n", mode=0o700, mtime=1600000000),
        Member("demo-1.0/data/x.txt", b"first", mode=0o600),
        Member("demo-1.0/data/x.txt", b"last", mode=0o600),
        Member("demo-1.0/link", kind=Kind.SYMLINK, target="data/x.txt"),
    ]
    found = source.from_text(str(write_sdist(tmp_path, members, "demo-1.0.tar.gz")), tmp_path / "there")
    assert sorted(path.name for path in found.tree.iterdir()) == ["data", "link", "run.sh"]
    assert (found.tree / "run.sh").stat().st_mtime == 1600000000
    assert (found.tree / "run.sh").stat().st_mode & 0o777 == 0o755
    assert (found.tree / "link").read_bytes() == b"last"
    assert set(found.digest) == {"sha256"}


@pytest.mark.parametrize(
    "member",
    [
        Member("demo-1.0/../../evil.txt", b"x"),
        Member("/evil.txt", b"x"),
        Member("demo-1.0/link", kind=Kind.SYMLINK, target="/etc"),
        Member("demo-1.0/link", kind=Kind.SYMLINK, target="../../.."),
    ],
)
def test_a_hostile_source_is_not_unpacked(tmp_path: Path, member: Member) -> None:
    path = write_sdist(tmp_path, [Member("demo-1.0/a", b"a"), member], "demo-1.0.tar.gz")
    with pytest.raises(HostileArchiveError):
        source.from_sdist(path, tmp_path / "there")
    assert not (tmp_path / "there").exists()
    assert not (tmp_path / "evil.txt").exists()


WRITTEN = b"[egg_info]\ntag_build = \ntag_date = 0\n\n"


@pytest.mark.parametrize(
    ("text", "listed", "stays"),
    [
        (WRITTEN, b"setup.py\n", False),
        (WRITTEN, b"setup.cfg\nsetup.py\n", True),
        (b"[metadata]\nname = x\n", b"setup.py\n", True),
    ],
)
def test_what_setuptools_wrote_is_not_the_sdists_own_source(
    tmp_path: Path, text: bytes, listed: bytes, stays: bool
) -> None:
    """Unless it was there before setuptools wrote it, which SOURCES.txt tells."""
    path = sdist(tmp_path, files={"setup.py": b"", "setup.cfg": text, "demo.egg-info/SOURCES.txt": listed})
    assert (source.from_itself(path, tmp_path / "itself").tree / "setup.cfg").exists() is stays
    assert (source.from_sdist(path, tmp_path / "plain").tree / "setup.cfg").exists()


UV = b'[build-system]\nbuild-backend = "uv_build"\nrequires = ["uv_build"]\n[project]\nname = "demo"\n'
OTHER = UV.replace(b"uv_build", b"hatchling")


@pytest.mark.parametrize(
    ("original", "rewritten", "taken"),
    [
        (b"# ours\n" + UV, UV, True),
        (b"# ours\n" + OTHER, OTHER, False),
        (UV.replace(b'"demo"', b'"template"'), UV, False),
        (b"[project]\nname = 1\n", UV, False),
        (b"project = 1\n", UV, False),
        (b"= damaged\n", UV, False),
        (b"\xff", UV, False),
        (b"# ours\n" + OTHER, UV, False),
    ],
)
def test_what_uv_rewrote_is_not_the_sdists_own_source(
    tmp_path: Path, original: bytes, rewritten: bytes, taken: bool
) -> None:
    """It keeps what was there before it as pyproject.toml.orig; others may have a file of that name."""
    path = sdist(tmp_path, files={"pyproject.toml": rewritten, "pyproject.toml.orig": original})
    tree = source.from_itself(path, tmp_path / "itself").tree
    assert (tree / "pyproject.toml.orig").exists() is not taken
    assert (tree / "pyproject.toml").read_bytes() == (original if taken else rewritten)


@pytest.mark.parametrize(
    ("text", "stays"),
    [
        (b"#!/usr/bin/env python\n# setup.py generated by flit for tools that don't yet use PEP 517\n", False),
        (b"from setuptools import setup\n" + b"#" * 300 + b"\n# setup.py generated by flit for nothing\n", True),
    ],
)
def test_what_flit_generated_is_not_the_sdists_own_source(tmp_path: Path, text: bytes, stays: bool) -> None:
    path = sdist(tmp_path, files={"setup.py": text})
    assert (source.from_itself(path, tmp_path / "itself").tree / "setup.py").exists() is stays


@pytest.mark.parametrize(
    "text",
    [
        "nowhere",
        "https://host.example/repository",
        "https://user@host.example/repository",
        "https://user:secret@host.example:8443/repository",
        "https://user@host.example",
        "ssh://git@host.example:22/group/repository",
        "git@host.example:repository",
        "git@host.example:group/repository",
        "git@[::1]:group/repository",
        "@v1",
        "x@",
    ],
)
def test_sources_that_are_none(tmp_path: Path, text: str) -> None:
    with pytest.raises(SamebytesError) as caught:
        source.from_text(text, tmp_path)
    assert "URL@REF" in caught.value.remedy


def test_a_tree_is_not_touched_and_its_private_copy_is_built(tmp_path: Path) -> None:
    tree = write_tree(tmp_path / "tree", {"pyproject.toml": "[build-system]\nrequires = []\n"})
    (tmp_path / "private").mkdir()
    found = source.from_text(str(tree), tmp_path / "private")
    assert found.tree != tree
    assert found.digest == {"dirHash": source.tree_digest(tree)}
    assert (found.uri, found.location) == ("", "")


def test_damaged_wheels_are_told_as_such(tmp_path: Path) -> None:
    path = write_wheel(tmp_path)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(ArchiveError):
        metadata.read(path)
