"""pylock.toml (PEP 751): what is written, and what is read of our own and of other tools' files."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samebytes_tools.building import pylock as lock
from samebytes_tools.building.pylock import Locked
from samebytes_tools.building.virtualenvs import InstalledDistribution

from samebytes.errors import ConfigError

SHA = "ab" * 32
OTHER = "cd" * 32
INDEX = "https://example.org/packages/"


def installed(name: str = "wheel", version: str = "1.0", url: str = "", **more: Any) -> InstalledDistribution:
    return InstalledDistribution(
        name, version, url or f"{INDEX}{name}-{version}-py3-none-any.whl", {"sha256": SHA}, **more
    )


def parsed(text: str) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    return dict(tomllib.loads(text))


def read(text: str, directory: Path) -> list[Locked]:
    path = directory / "pylock.toml"
    path.write_text(text, encoding="utf-8")
    return lock.read(path)


def refused(text: str, directory: Path) -> str:
    """Return the message; it names the file, and there is a remedy."""
    with pytest.raises(ConfigError) as caught:
        read(text, directory)
    assert str(directory / "pylock.toml") in caught.value.message
    assert caught.value.remedy
    return caught.value.message


HEAD = 'lock-version = "1.0"\ncreated-by = "hand"\n'


def package(*lines: str, name: str = "demo") -> str:
    return "\n".join([f'[[packages]]\nname = "{name}"', *lines, ""])


def wheel(name: str = "demo", sha: str = SHA) -> str:
    return f'{{ url = "{INDEX}{name}-1-py3-none-any.whl", hashes = {{ sha256 = "{sha}" }} }}'


WHEEL = ('version = "1"', f"wheels = [{wheel()}]")


def test_the_file_as_it_is_written() -> None:
    url = "https://example.org/x%2By-1.0.tar.gz#sha256=0"
    assert lock.write([installed("Foo_Bar"), installed("a", url=url)]) == (
        'lock-version = "1.0"\n'
        'created-by = "samebytes"\n'
        "\n"
        "[[packages]]\n"
        'name = "a"\n'
        'version = "1.0"\n'
        f'sdist = {{ name = "x+y-1.0.tar.gz", url = "{url}", hashes = {{ sha256 = "{SHA}" }} }}\n'
        "\n"
        "[[packages]]\n"
        'name = "foo-bar"\n'
        'version = "1.0"\n'
        'wheels = [{ name = "Foo_Bar-1.0-py3-none-any.whl", '
        f'url = "{INDEX}Foo_Bar-1.0-py3-none-any.whl", hashes = {{ sha256 = "{SHA}" }} }}]\n'
    )


def test_the_order_of_installation_does_not_matter() -> None:
    packages = [installed(name) for name in ("b", "a", "c", "a")]
    assert lock.write(packages) == lock.write(packages[::-1])
    assert lock.write(packages).count("[[packages]]") == 3


def test_packagings_own_reader_takes_it() -> None:
    pylock = pytest.importorskip("packaging.pylock")
    local = installed("local", url="file:///links/local-1.0-py3-none-any.whl")
    sdist = installed("sdist", url=f"{INDEX}sdist-1.0.tar.gz")
    direct = installed("direct", url=f"{INDEX}direct-1.0.tar.gz", is_direct=True)
    for packages in ([], [local, sdist, direct, installed("Foo_Bar")]):
        found = pylock.Pylock.from_dict(parsed(lock.write(packages)))
        assert len(found.packages) == len(packages)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    links = tmp_path / "the links"
    links.mkdir()
    here = links / "here-1.0-py3-none-any.whl"
    here.touch()
    gone = (links / "gone-1.0-py3-none-any.whl").as_uri()
    packages = [
        installed("Foo_Bar"),
        installed("direct", url=f"{INDEX}direct-1.0.tar.gz", is_direct=True),
        installed("here", url=here.as_uri()),
        installed("gone", url=gone),
    ]
    pin = f"--hash=sha256:{SHA}"
    assert read(lock.write(packages), tmp_path) == [
        Locked("direct", "1.0", (f"direct @ {INDEX}direct-1.0.tar.gz {pin}",)),
        Locked("foo-bar", "1.0", (f"foo-bar==1.0 {pin}",)),
        Locked("gone", "1.0", (f"gone==1.0 {pin}",)),
        Locked("here", "1.0", (f"--find-links {here.as_uri()}", f"here==1.0 {pin}")),
    ]
    assert read(lock.write([]), tmp_path) == []


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_every_text_survives(text: str) -> None:
    """TOML 1.0, "String": a basic string may hold any Unicode character, some of them escaped."""
    (found,) = parsed(lock.write([installed(version=text, url=f"{INDEX}x.whl")]))["packages"]
    assert found["version"] == text


UNHASHED = {
    "a directory": InstalledDistribution("demo", "1", "file:///src/demo", {}),
    "a repository": InstalledDistribution("demo", "1", "https://example.org/demo.git", {}),
    "an index with weak hashes": InstalledDistribution("demo", "1", f"{INDEX}demo-1.tar.gz", {"md5": "ab"}),
}


@pytest.mark.parametrize("case", UNHASHED)
def test_what_has_no_hash_cannot_be_locked(case: str) -> None:
    one = UNHASHED[case]
    for do in (lock.demand_hashes, lock.write):
        with pytest.raises(ConfigError, match="without a SHA-256: it cannot be locked") as caught:
            do([installed(), one])
        assert f"demo 1 came from {one.url}" in caught.value.message
        assert "--find-links" in caught.value.remedy


def test_two_versions_cannot_be_locked() -> None:
    with pytest.raises(ConfigError, match="two versions of wheel") as caught:
        lock.write([installed(version="1.0"), installed(version="2.0")])
    assert "--sdist" in caught.value.remedy


def test_all_archives_of_other_tools_files_count(tmp_path: Path) -> None:
    """uv and pip list every wheel and the sdist; pip chooses, and verifies what it chose."""
    sdist = f'{{ url = "{INDEX}demo-1.tar.gz", size = 7, hashes = {{ sha256 = "{OTHER}", md5 = "00" }} }}'
    text = HEAD + package('version = "1"', f"index = '{INDEX}'", f"sdist = {sdist}", f"wheels = [{wheel()}]")
    (found,) = read(text, tmp_path)
    assert found.lines == (f"demo==1 --hash=sha256:{SHA} --hash=sha256:{OTHER}",)


def test_paths_are_relative_to_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "wheels").mkdir()
    (tmp_path / "wheels/demo-1-py3-none-any.whl").touch()
    hashes = f'hashes = {{ sha256 = "{SHA}" }}'
    path = f'wheels = [{{ path = "wheels/demo-1-py3-none-any.whl", {hashes} }}]'
    monkeypatch.chdir("/")
    (found,) = read(HEAD + package('version = "1"', path), tmp_path)
    url = (tmp_path / "wheels/demo-1-py3-none-any.whl").as_uri()
    assert found.lines == (f"--find-links {url}", f"demo==1 --hash=sha256:{SHA}")
    (direct,) = read(HEAD + package(f'archive = {{ path = "demo.zip", {hashes} }}'), tmp_path)
    assert direct == Locked("demo", "", (f"demo @ {(tmp_path / 'demo.zip').as_uri()} --hash=sha256:{SHA}",))


MARKERS = {
    "python_version >= '3'": True,
    "python_version < '3'": False,
    "sys_platform == 'no-such'": False,
}


@pytest.mark.parametrize("marker", MARKERS)
def test_packages_for_other_interpreters_are_skipped(marker: str, tmp_path: Path) -> None:
    text = HEAD + package(f'marker = "{marker}"', *WHEEL)
    assert bool(read(text, tmp_path)) == MARKERS[marker]


@pytest.mark.parametrize(
    ("marker", "groups", "chosen"),
    [
        ("'test' in extras", "", False),
        ("'dev' in dependency_groups", "", False),
        ("'dev' in dependency_groups", 'default-groups = ["dev"]\n', True),
    ],
)
def test_markers_of_lock_files(marker: str, groups: str, chosen: bool, tmp_path: Path) -> None:
    from packaging.markers import InvalidMarker, Marker

    try:
        Marker(marker)
    except InvalidMarker:
        message = refused(HEAD + groups + package(f'marker = "{marker}"', *WHEEL), tmp_path)
        assert "cannot be read" in message
        return
    assert bool(read(HEAD + groups + package(f'marker = "{marker}"', *WHEEL), tmp_path)) == chosen


def test_one_of_two_versions_by_marker(tmp_path: Path) -> None:
    old = package("marker = \"python_version < '3'\"", 'version = "0"', f"wheels = [{wheel(sha=OTHER)}]")
    new = package("marker = \"python_version >= '3'\"", *WHEEL)
    (found,) = read(HEAD + old + new, tmp_path)
    assert found.version == "1"


HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"


def test_the_interpreter_must_fit(tmp_path: Path) -> None:
    for fits in (f'requires-python = ">={HERE}"\n', "environments = [\"python_version >= '3'\"]\n"):
        assert read(HEAD + fits + package(*WHEEL), tmp_path)
    assert f"is for Python >{HERE}.99" in refused(
        HEAD + f'requires-python = ">{HERE}.99"\n' + "packages = []", tmp_path
    )
    other = "environments = [\"sys_platform == 'no-such'\", \"python_version < '3'\"]\npackages = []"
    assert "is for other environments" in refused(HEAD + other, tmp_path)


MALFORMED = {
    "no TOML": ("packages = [", "is not valid TOML"),
    "no text": ("\udcff", "is not valid TOML"),
    "nothing": ("", "has lock-version ''"),
    "another version": ('lock-version = "2.0"', "has lock-version '2.0'"),
    "a pyproject.toml": ('[project]\nname = "x"', "has lock-version ''"),
    "no packages": (HEAD, "no [[packages]]"),
    "packages that are none": (HEAD + "packages = [1]", "no [[packages]]"),
    "no name": (HEAD + f"[[packages]]\n{WHEEL[0]}\n{WHEEL[1]}", "KeyError('name')"),
    "a name that is none": (HEAD + f"[[packages]]\nname = 1\n{WHEEL[1]}", "not a valid pylock.toml"),
    "wheels that are none": (HEAD + package('version = "1"', "wheels = [1]"), "not a valid pylock.toml"),
    "hashes that are none": (HEAD + package('version = "1"', 'wheels = [{ hashes = "x" }]'), "not a valid pylock.toml"),
    "no archives": (HEAD + package('version = "1"'), "without a version or without a SHA-256"),
    "no version": (HEAD + package(WHEEL[1]), "without a version or without a SHA-256"),
    "no hashes": (HEAD + package('version = "1"', 'wheels = [{ url = "x" }]'), "without a SHA-256"),
    "weak hashes": (HEAD + package('version = "1"', 'wheels = [{ hashes = { md5 = "00" } }]'), "without a SHA-256"),
    "a directory": (HEAD + package('directory = { path = "." }'), "demo is locked without"),
    "a repository": (HEAD + package('vcs = { type = "git", url = "x", commit-id = "0" }'), "demo is locked without"),
    "a marker that is none": (HEAD + package('marker = "x ~ y"', *WHEEL), "the marker 'x ~ y' cannot be read"),
    "an odd requires-python": (HEAD + 'requires-python = "x"\npackages = []', "requires-python 'x' is malformed"),
    "requires-python of a kind": (HEAD + "requires-python = 3\npackages = []", "requires-python 3 is malformed"),
    "two of a name": (HEAD + package(*WHEEL) + package(*WHEEL, name="DEMO"), "locks demo more than once"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_malformed_files(case: str, tmp_path: Path) -> None:
    text, message = MALFORMED[case]
    (tmp_path / "pylock.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ConfigError) as caught:
        lock.read(tmp_path / "pylock.toml")
    assert message in caught.value.message
    assert str(tmp_path / "pylock.toml") in caught.value.message
    assert caught.value.remedy


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file or directory"):
        lock.read(tmp_path / "pylock.toml")


def locked(*pairs: tuple[str, str]) -> Sequence[Locked]:
    return [Locked(name, version, ()) for name, version in pairs]


def test_requirements_that_are_met() -> None:
    packages = locked(("setuptools-scm", "8.1"), ("wheel", "1.0rc1"), ("direct", ""))
    lines = ["Setuptools_SCM[toml]>=8", "wheel", "absent; python_version < '3'", "direct @ https://example.org/x.whl"]
    lock.demand(lines, packages)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("absent>=1", "the build needs 'absent>=1', but the lock file does not have it"),
        ("wheel>=2", "the build needs 'wheel>=2', but the lock file has wheel 1.0"),
        ("wheel >> 2", "'wheel >> 2' is malformed"),
    ],
)
def test_requirements_that_are_not(line: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        lock.demand(["wheel", line], locked(("wheel", "1.0")))
    assert message in caught.value.message
    assert caught.value.remedy
