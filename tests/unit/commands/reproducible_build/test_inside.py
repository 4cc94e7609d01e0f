"""The work of ``samebytes build``, done here: real backends of a few lines, no index."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from samebytes_tools.building.isolated import Environment, Installed
from samebytes_tools.building.lock import Locked
from samebytes_tools.commands.reproducible_build import inside as build_inside
from samebytes_tools.commands.reproducible_build.inside import Built, Job, as_plain, build, from_plain, job_from_plain
from support.differences import contents, digest
from support.projects import small_project

from samebytes.errors import BackendError, ConfigError

WHEEL, SDIST = "small-1.0-py3-none-any.whl", "small-1.0.tar.gz"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / "place"
    path.mkdir()
    return path


def job(root: Path, *kinds: str, extra: str = "", **changes: Any) -> Job:
    """Put a small project with *extra* code in its backend at *root* and return the job to build it."""
    small_project(root / "src", extra=extra)
    return replace(Job(str(root), str(root / "src"), kinds, isolation=False), **changes)


def built(wanted: Job, tell: Any = None, **variables: str) -> Built:
    return build(wanted, {"PATH": os.environ["PATH"], **variables}, tell or (lambda _: None))


def test_an_sdist_and_a_wheel_from_it(root: Path) -> None:
    steps: list[str] = []
    result = built(job(root), steps.append)
    assert [(one.kind, one.name) for one in result.artifacts] == [("sdist", SDIST), ("wheel", WHEEL)]
    for one in result.artifacts:
        assert one.sha256 == digest(root / "out" / one.name)
        assert one.size == (root / "out" / one.name).stat().st_size
        assert (one.date, one.date_origin) == (1580601600, "samebytes' constant")
        assert one.changes
        assert one.warnings == ()
    assert steps == ["Building the sdist", "Building the wheel"]
    assert not result.fixed
    assert result.requirements == ()


@pytest.mark.parametrize("kinds", [("sdist",), ("wheel",), ("sdist", "wheel")])
def test_only_what_is_wanted(kinds: tuple[str, ...], root: Path) -> None:
    assert [one.kind for one in built(job(root, *kinds)).artifacts] == list(kinds)


WHERE = """
def build_wheel(wheel_directory, config_settings=None, metadata_directory=None, _build=build_wheel):
    debris = sorted(name for name in os.listdir(".") if name == "debris")
    MEMBERS["where.txt"] = "%s %s %s" % (os.getcwd(), debris, os.path.exists("only-in-the-tree"))
    return _build(wheel_directory)
def build_sdist(sdist_directory, config_settings=None, _build=build_sdist):
    open("debris", "w").close()
    return _build(sdist_directory)
"""


@pytest.mark.parametrize("kinds", [(), ("wheel",), ("sdist", "wheel")])
def test_every_wheel_is_built_at_one_path_in_a_tree_without_debris(kinds: tuple[str, ...], root: Path) -> None:
    """D5: the wheel from the tree equals the wheel from the sdist."""
    wanted = job(root, *kinds, extra=WHERE)
    (root / "src" / "only-in-the-tree").touch()
    built(wanted)
    where = contents(root / "out" / WHEEL)["where.txt"].decode()
    assert where == f"{root / 'src'} [] {bool(kinds)}"


def test_a_project_beneath_the_top_of_the_copy(root: Path) -> None:
    wanted = job(root)
    (root / "src").rename(root / "project")
    (root / "src").mkdir()
    (root / "project").rename(root / "src" / "project")
    result = built(replace(wanted, source=str(root / "src" / "project")))
    assert [one.kind for one in result.artifacts] == ["sdist", "wheel"]


SETTINGS = """
def build_wheel(wheel_directory, config_settings=None, metadata_directory=None, _build=build_wheel):
    MEMBERS["settings.txt"] = repr(config_settings)
    return _build(wheel_directory)
def get_requires_for_build_wheel(config_settings=None):
    print("asked with", config_settings)
    return []
"""


@pytest.mark.parametrize(("settings", "shown"), [({}, "None"), ({"a": ["b", ""]}, "{'a': ['b', '']}")])
def test_settings_reach_the_backend(
    settings: dict[str, Any], shown: str, root: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    built(job(root, "wheel", extra=SETTINGS, config_settings=settings))
    assert contents(root / "out" / WHEEL)["settings.txt"].decode() == shown
    assert f"asked with {shown}" in capfd.readouterr().out


def test_the_date_of_the_environment(root: Path) -> None:
    (one,) = built(job(root, "sdist"), SOURCE_DATE_EPOCH="1600000000").artifacts
    assert (one.date, one.date_origin) == (1600000000, "SOURCE_DATE_EPOCH")


LEAKY = '\nMEMBERS["where.py"] = "HOME = %r\\nMAKER = %r\\n" % (os.getcwd(), os.environ.get("USER"))\n'


def test_leaks_are_told(root: Path) -> None:
    (one,) = built(job(root, "wheel", extra=LEAKY)).artifacts
    assert any(f"the source directory '{root / 'src'}' is in where.py" in text for text in one.warnings)


def test_fixed_paths_are_no_leaks(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_inside, "PLACE", root)
    result = built(job(root, "wheel", extra=LEAKY), USER="ada-lovelace")
    (one,) = result.artifacts
    assert result.fixed
    assert len(one.warnings) == 1
    assert "user name" in one.warnings[0]


def test_a_build_in_the_build_is_told_of_it(root: Path) -> None:
    extra = '\nMEMBERS["in-use.txt"] = os.environ["SAMEBYTES_FIXED_PATHS"]\n'
    built(job(root, "wheel", extra=extra))
    assert contents(root / "out" / WHEEL)["in-use.txt"].decode() == str(root)


def needing(what: str) -> str:
    return f"\ndef get_requires_for_build_wheel(config_settings=None):\n    return {what}\n"


@pytest.mark.parametrize("what", ["None", "'setuptools'", "[1]", "['a', None]"])
def test_a_backend_that_does_not_say_what_it_needs(what: str, root: Path) -> None:
    with pytest.raises(BackendError, match="from get_requires_for_build_wheel, no list of strings") as caught:
        built(job(root, "wheel", extra=needing(what)))
    assert "'small_backend'" in caught.value.message
    assert caught.value.remedy


def test_requirements_that_are_missing_without_isolation(root: Path) -> None:
    pytest.importorskip("build")
    steps: list[str] = []
    with pytest.raises(BackendError, match=r"samebytes-no-such>=3 \(not installed\)") as caught:
        built(job(root, "wheel", extra=needing("['samebytes-no-such>=3', 'samebytes']")), steps.append)
    assert sys.executable in caught.value.message
    assert steps == []


def test_the_check_can_be_left_away(root: Path) -> None:
    built(job(root, "wheel", extra=needing("['samebytes-no-such>=3']"), check_dependencies=False))
    assert (root / "out" / WHEEL).exists()


UNSUPPORTED = """
class UnsupportedOperation(Exception): pass
def build_sdist(sdist_directory, config_settings=None):
    raise UnsupportedOperation("no repository, no sdist")
"""


def test_unsupported_operation(root: Path) -> None:
    with pytest.raises(BackendError, match="cannot do build_sdist here") as caught:
        built(job(root, extra=UNSUPPORTED))
    assert "no repository, no sdist" in caught.value.message
    assert "--wheel" in caught.value.remedy


def test_a_missing_backend(root: Path) -> None:
    wanted = job(root, "wheel")
    (root / "src/backend/small_backend.py").unlink()
    with pytest.raises(BackendError, match="'small_backend' cannot be imported") as caught:
        built(wanted)
    assert "requires" in caught.value.remedy


class Shop:
    """Stands for pip and for ``build``: notes what is installed into which environment."""

    def __init__(self, **hashes: str) -> None:
        self.environments: list[list[str]] = []
        self.options: list[list[str]] = []
        self.hashes = hashes
        self.alive = 0

    @contextmanager
    def isolated(self, parent: Path, names: Iterator[str]) -> Iterator[Environment]:
        assert next(iter(names)) == "00000001", "at the same path each time"
        assert parent.is_dir()
        self.environments.append([])
        self.alive += 1
        yield Environment(sys.executable, parent, {"INSIDE": "yes"})
        self.alive -= 1

    def install(
        self, environment: Environment, lines: Sequence[str], directory: Path, options: Sequence[str]
    ) -> list[Installed]:
        assert self.alive == 1
        assert environment.root.parent == directory
        self.environments[-1] += lines
        self.options.append(list(options))
        return [Installed(line, "1", f"https://example.org/{line}.whl", self.hashes) for line in lines]


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Shop:
    return opened(Shop(sha256="ab"), monkeypatch)


def opened(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setattr(build_inside, "isolated", shop.isolated)
    monkeypatch.setattr(build_inside, "install", shop.install)
    return shop


def requires(root: Path, *lines: str) -> None:
    path = root / "src/pyproject.toml"
    path.write_text(path.read_text().replace('requires = ["samebytes"]', f"requires = {json.dumps(lines)}"))


def test_one_environment_serves_both(root: Path, shop: Shop) -> None:
    wanted = job(root, "sdist", "wheel", isolation=True, extra=needing("['b', 'c']"))
    requires(root, "a", "samebytes", "b")
    result = built(wanted)
    assert shop.environments == [["a", "b", "c"]]
    assert shop.alive == 0
    assert [one.name for one in result.requirements] == ["a", "b", "c"]


def test_what_the_sdist_alone_needs_is_not_there_for_the_wheel(root: Path, shop: Shop) -> None:
    extra = needing("['b']").replace("_wheel", "_sdist")
    wanted = job(root, isolation=True, extra=extra)
    requires(root, "a")
    # The sdist's tree holds the same pyproject.toml and backend.
    result = built(wanted)
    assert shop.environments == [["a", "b"], ["a"]]
    assert shop.alive == 0
    assert [one.name for one in result.requirements] == ["a", "b"]


def test_the_environment_goes_with_a_failure(root: Path, shop: Shop) -> None:
    with pytest.raises(BackendError):
        built(job(root, isolation=True, extra=UNSUPPORTED))
    assert shop.alive == 0


def test_a_constraint_is_handed_on(root: Path, shop: Shop) -> None:
    wanted = job(root, "wheel", isolation=True, constraint="/its/path.txt", extra=needing("['b']"))
    built(wanted)
    assert shop.options == [["--constraint", "/its/path.txt"]]


LOCKED = (Locked("a", "1", ("a==1 --hash=sha256:ab",)), Locked("b", "2", ("--find-links x", "b==2 --hash=sha256:cd")))


def test_what_is_locked_is_installed_at_once(root: Path, shop: Shop) -> None:
    wanted = job(root, "wheel", isolation=True, locked=LOCKED, extra=needing("['b>=2']"))
    requires(root, "a", "samebytes")
    built(wanted)
    assert shop.environments == [["a==1 --hash=sha256:ab", "--find-links x", "b==2 --hash=sha256:cd"]]
    assert shop.options == [["--require-hashes"]]


def test_nothing_is_installed_where_nothing_is_needed(root: Path, shop: Shop) -> None:
    built(job(root, "wheel", isolation=True, locked=LOCKED))
    assert shop.environments == [[]]


def test_what_is_not_locked_is_named(root: Path, shop: Shop) -> None:
    with pytest.raises(ConfigError, match="needs 'c', but the lock file does not have it"):
        built(job(root, "wheel", isolation=True, locked=LOCKED, extra=needing("['c']")))
    assert shop.alive == 0


def test_what_cannot_be_locked_is_told_before_anything_is_built(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened(Shop(), monkeypatch)
    steps: list[str] = []
    with pytest.raises(ConfigError, match="it cannot be locked"):
        built(job(root, isolation=True, to_lock=True, extra=needing("['b']").replace("_wheel", "_sdist")), steps.append)
    assert not any(step.startswith("Building") for step in steps)


def test_results_survive_the_way_to_another_process(root: Path, shop: Shop) -> None:
    result = built(job(root, isolation=True, extra=needing("['b']")))
    assert result.requirements
    assert from_plain(json.loads(json.dumps(as_plain(result)))) == result


@pytest.mark.parametrize("locked", [None, (), LOCKED])
def test_jobs_survive_it_too(locked: tuple[Locked, ...] | None) -> None:
    wanted = Job("/r", "/r/src", ("wheel",), False, False, {"a": ["b"]}, "/c.txt", locked, True)
    assert job_from_plain(json.loads(json.dumps(asdict(wanted)))) == wanted
