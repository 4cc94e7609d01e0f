"""The artifacts of ``samebytes build``: real backends of a few lines, the real pip without an index."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from samebytes_tools.building import memory
from samebytes_tools.building.builder import InstallPolicy
from samebytes_tools.building.processes import CommandRunner
from samebytes_tools.commands.reproducible_build.artifacts import ArtifactBuilder, BuildResult
from support.differences import contents, digest
from support.projects import header_wheel, small_project

from samebytes.backend import fixed
from samebytes.backend.fixed import Place
from samebytes.errors import BackendError

WHEEL, SDIST = "small-1.0-py3-none-any.whl", "small-1.0.tar.gz"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / "place"
    path.mkdir()
    return path


def built(
    root: Path,
    *kinds: str,
    extra: str = "",
    place: Place | None = None,
    source: str = "src",
    settings: dict[str, Any] | None = None,
    report: Callable[[str], None] = lambda _: None,
    warn: Callable[[str], None] = lambda _: None,
    log: Path | None = None,
    isolation: bool = False,
    **variables: str,
) -> BuildResult:
    """Build a small project with *extra* code in its backend, which is put at *root* if it is not there."""
    if not (root / "src").exists():
        small_project(root / "src", extra=extra)
    environ = {"PATH": os.environ["PATH"], **variables}
    policy = InstallPolicy(isolation=isolation, check_installed=True)
    here = place or Place(root, root)
    builder = ArtifactBuilder(here, environ, policy, settings or {}, CommandRunner(log), report, warn)
    return builder.build(kinds, root / source)


def test_an_sdist_and_a_wheel_from_it(root: Path) -> None:
    steps: list[str] = []
    result = built(root, report=steps.append)
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
    assert [one.kind for one in built(root, *kinds).artifacts] == list(kinds)


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
    small_project(root / "src", extra=WHERE)
    (root / "src" / "only-in-the-tree").touch()
    built(root, *kinds)
    where = contents(root / "out" / WHEEL)["where.txt"].decode()
    assert where == f"{root / 'src'} [] {bool(kinds)}"


def test_a_project_beneath_the_top_of_the_copy(root: Path) -> None:
    small_project(root / "src" / "project")
    result = built(root, source="src/project")
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
    built(root, "wheel", extra=SETTINGS, settings=settings)
    assert contents(root / "out" / WHEEL)["settings.txt"].decode() == shown
    assert f"asked with {shown}" in capfd.readouterr().err


def test_the_date_of_the_environment(root: Path) -> None:
    (one,) = built(root, "sdist", SOURCE_DATE_EPOCH="1600000000").artifacts
    assert (one.date, one.date_origin) == (1600000000, "SOURCE_DATE_EPOCH")


LEAKY = '\nMEMBERS["where.py"] = "HOME = %r\\nMAKER = %r\\n" % (os.getcwd(), os.environ.get("USER"))\n'


def test_leaks_are_reported(root: Path) -> None:
    (one,) = built(root, "wheel", extra=LEAKY).artifacts
    assert any(f"the source directory '{root / 'src'}' is in where.py" in text for text in one.warnings)


DATED = """
import time
EPOCH = os.environ.get("SOURCE_DATE_EPOCH")
MEMBERS["small/built.py"] = time.strftime("BUILT = '%d %b %Y'", time.gmtime(int(EPOCH) if EPOCH else None))
"""


def test_the_day_of_the_build_is_a_leak_that_the_given_date_fixes(root: Path) -> None:
    (one,) = built(root, "wheel", extra=DATED).artifacts
    (text,) = one.warnings
    assert text.startswith("today's date is in small/built.py ('")
    assert "give SOURCE_DATE_EPOCH" in text
    for day in (1600000000, int(time.time())):
        shutil.rmtree(root / "out")
        (one,) = built(root, "wheel", SOURCE_DATE_EPOCH=str(day)).artifacts
        assert one.warnings == ()


def test_fixed_paths_are_not_leaks(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fixed, "PLACE", root)
    monkeypatch.setenv("USER", "ada-lovelace")
    result = built(root, "wheel", extra=LEAKY, USER="ada-lovelace")
    (one,) = result.artifacts
    assert result.fixed
    assert len(one.warnings) == 1
    assert "user name" in one.warnings[0]


def test_a_build_in_the_build_knows_of_it(root: Path) -> None:
    extra = '\nMEMBERS["in-use.txt"] = os.environ["SAMEBYTES_FIXED_PATHS"]\n'
    built(root, "wheel", extra=extra)
    assert contents(root / "out" / WHEEL)["in-use.txt"].decode() == str(root)


def needing(what: str) -> str:
    return f"\ndef get_requires_for_build_wheel(config_settings=None):\n    return {what}\n"


@pytest.mark.parametrize("what", ["None", "'setuptools'", "[1]", "['a', None]"])
def test_a_backend_that_does_not_say_what_it_needs(what: str, root: Path) -> None:
    with pytest.raises(
        BackendError, match="from get_requires_for_build_wheel, but that is not a list of strings"
    ) as caught:
        built(root, "wheel", extra=needing(what))
    assert "'small_backend'" in caught.value.message
    assert caught.value.remedy


UNSUPPORTED = """
class UnsupportedOperation(Exception): pass
def build_sdist(sdist_directory, config_settings=None):
    raise UnsupportedOperation("no repository, no sdist")
"""


def test_unsupported_operation(root: Path) -> None:
    with pytest.raises(BackendError, match="cannot build the sdist here") as caught:
        built(root, extra=UNSUPPORTED)
    assert "no repository, no sdist" in caught.value.message
    assert "--wheel" in caught.value.remedy


def test_a_missing_backend(root: Path) -> None:
    small_project(root / "src")
    (root / "src/backend/small_backend.py").unlink()
    with pytest.raises(BackendError, match="'small_backend' cannot be imported") as caught:
        built(root, "wheel")
    assert "requires" in caught.value.remedy


def test_requirements_that_are_missing_without_isolation(root: Path) -> None:
    pytest.importorskip("build")
    steps: list[str] = []
    with pytest.raises(BackendError, match=r"samebytes-no-such>=3 \(not installed\)") as caught:
        built(root, "wheel", extra=needing("['samebytes-no-such>=3', 'samebytes']"), report=steps.append)
    assert sys.executable in caught.value.message
    assert steps == []


@pytest.fixture
def offline(tmp_path: Path) -> dict[str, str]:
    """What lets pip find foreign-headers and nothing else."""
    links = header_wheel(tmp_path / "links").parent
    return {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": str(links)}


LOOKING = """
import sys
try:
    import foreign_headers
except ImportError:
    foreign_headers = None
MEMBERS["env.txt"] = "%s %s" % (sys.prefix, bool(foreign_headers))
"""


def requires(root: Path, *lines: str) -> None:
    path = root / "src/pyproject.toml"
    path.write_text(path.read_text().replace('requires = ["samebytes"]', f"requires = {json.dumps(lines)}"))


def test_one_environment_serves_both(root: Path, offline: dict[str, str]) -> None:
    steps: list[str] = []
    small_project(root / "src", extra=LOOKING)
    requires(root, "foreign-headers", "samebytes")
    result = built(root, "sdist", "wheel", isolation=True, report=steps.append, **offline)
    assert steps.count("Creating a virtual environment") == 1
    assert [(one.name, one.version) for one in result.requirements] == [("foreign-headers", "1.0")]
    assert contents(root / "out" / WHEEL)["env.txt"].decode() == f"{root / 'env'} True"


def test_what_the_sdist_alone_needs_is_not_there_for_the_wheel(root: Path, offline: dict[str, str]) -> None:
    """And both environments are at one path."""
    steps: list[str] = []
    extra = LOOKING + needing("['foreign-headers']").replace("_wheel", "_sdist")
    result = built(root, extra=extra, isolation=True, report=steps.append, **offline)
    assert steps.count("Creating a virtual environment") == 2
    assert [one.name for one in result.requirements] == ["foreign-headers"]
    assert contents(root / "out" / WHEEL)["env.txt"].decode() == f"{root / 'env'} False"


def never(text: str) -> None:
    raise AssertionError(f"a warning that was not called for: {text}")


def mounted(root: Path) -> Place:
    here = fixed.mounted(root)
    if here is None:
        pytest.skip("needs a kernel that allows mount namespaces")
    return here


@pytest.mark.skipif(sys.platform != "linux", reason="Linux mount namespaces")
def test_all_is_at_the_place_that_the_build_sees(
    root: Path, tmp_path: Path, offline: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    at = tmp_path / "around" / "fixed"
    at.parent.mkdir()
    monkeypatch.setattr(fixed, "PLACE", at)
    here = mounted(root)
    small_project(root / "src", extra=LOOKING + LEAKY + '\nMEMBERS["temp.txt"] = os.environ["TMPDIR"]\n')
    requires(root, "foreign-headers")
    result = built(root, "wheel", place=here, isolation=True, **offline)
    wheel = contents(root / "out" / WHEEL)
    assert wheel["env.txt"].decode() == f"{at / 'env'} True"
    assert wheel["temp.txt"].decode() == f"{at / 'tmp' / 'tmp'}"
    assert f"HOME = '{at / 'src'}'" in wheel["where.py"].decode()
    assert (result.fixed, result.artifacts[0].warnings) == (True, ())
    assert not at.exists()


FOREIGN = """
import subprocess
def listed():
    return " ".join(subprocess.run(["/bin/ls", "-U", "listed"], stdout=subprocess.PIPE, text=True).stdout.split())
MEMBERS["listed.txt"] = listed()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Linux mount namespaces")
@pytest.mark.parametrize("kinds", [("wheel",), ("sdist", "wheel")])
def test_other_programs_list_directories_by_name_too(kinds: tuple[str, ...], root: Path) -> None:
    here = mounted(root)
    small_project(root / "src", extra=FOREIGN)
    (root / "src" / "listed").mkdir()
    for name in ("e", "b", "a", "g", "c", "f", "d"):
        (root / "src" / "listed" / name).touch()
    built(root, *kinds, place=here, warn=never)
    assert contents(root / "out" / WHEEL)["listed.txt"] == b"a b c d e f g"


@pytest.mark.skipif(sys.platform != "linux", reason="Linux mount namespaces")
def test_a_project_that_inherits_the_order_is_built_on_the_disk(root: Path) -> None:
    here = mounted(root)
    same = '\nMEMBERS["where.txt"] = "%d" % (os.stat(".").st_dev == os.stat("..").st_dev)\n'
    for inherit in ("[]", '["directory-order"]'):
        small_project(root / "src", table=f"inherit = {inherit}\n", extra=same)
        built(root, "wheel", place=here, warn=never)
        assert contents(root / "out" / WHEEL)["where.txt"] == str(int(inherit != "[]")).encode()
        shutil.rmtree(root / "src")
        shutil.rmtree(root / "out")


GROWING = """
def build_wheel(wheel_directory, config_settings=None, metadata_directory=None, _build=build_wheel):
    with open("large", "wb") as file:
        file.write(bytes(12 << 20))
    MEMBERS["where.txt"] = "%s %d" % (os.getcwd(), os.stat(".").st_dev == os.stat("..").st_dev)
    return _build(wheel_directory)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Linux mount namespaces")
@pytest.mark.parametrize("logged", [True, False])
def test_a_build_that_needs_more_memory_than_it_may_have_goes_to_the_disk(
    logged: bool, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "_ROOM_TO_BUILD", 1 << 20)
    monkeypatch.setattr(memory, "available", lambda: 16 << 20)
    here, log, warnings = mounted(root), tmp_path / "log" if logged else None, list[str]()
    result = built(root, "sdist", "wheel", extra=GROWING, place=here, log=log, warn=warnings.append)
    assert [one.kind for one in result.artifacts] == ["sdist", "wheel"]
    assert contents(root / "out" / WHEEL)["where.txt"].decode() == f"{here.root}/src 1"
    assert len(warnings) == 1
    assert "built on disk" in warnings[0]
    assert "needs more memory" in warnings[0]
    if log is not None:
        assert "No space left" not in log.read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="Linux mount namespaces")
def test_too_little_memory_is_warned_of_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available", lambda: 1 << 20)
    warnings: list[str] = []
    result = built(root, place=mounted(root), warn=warnings.append)
    assert len(result.artifacts) == 2
    assert len(warnings) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="Linux mount namespaces")
def test_a_fault_of_the_project_is_no_lack_of_memory(root: Path, tmp_path: Path) -> None:
    extra = "\ndef build_wheel(*arguments):\n    open('ran', 'a').close()\n    raise ValueError('mine')\n"
    with pytest.raises(BackendError, match="build_wheel"):
        built(root, "wheel", extra=extra, place=mounted(root), log=tmp_path / "log", warn=never)
    assert (tmp_path / "log").read_text().count("ValueError: mine") == 1
