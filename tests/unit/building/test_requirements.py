from __future__ import annotations

import sys
from importlib import metadata

import pytest
from samebytes_tools.building.requirements import applies, demand, parsed, without_samebytes

from samebytes.errors import BackendError, ConfigError


def test_samebytes_is_not_installed_for_it_is_there() -> None:
    lines = ["setuptools>=61", "samebytes", "SameBytes >= 0.1", "samebytes; python_version > '3'", "wheel"]
    assert without_samebytes(lines) == ["setuptools>=61", "wheel"]


def test_other_names_that_begin_alike_stay() -> None:
    lines = ["samebytes-plugin", "samebytes_x", "samebytes.y", "setuptools"]
    assert without_samebytes(lines) == lines


def test_each_line_once_in_order() -> None:
    assert without_samebytes(["b", "a", "b"]) == ["b", "a"]


def test_what_is_malformed_is_left_to_pip() -> None:
    assert without_samebytes(["setuptools>=40.*", "samebytes ><"]) == ["setuptools>=40.*", "samebytes ><"]


REQUIRES = [
    "packaging>=23.2",
    'tomli>=2; python_version < "3"',
    'setuptools>=61; extra == "setuptools"',
    'wheel; extra == "setuptools" and python_version >= "3"',
    'old; extra == "setuptools" and python_version < "3"',
    'tomlkit; extra == "wrap"',
    'samebytes[setuptools,wrap]; extra == "all"',
]


@pytest.mark.parametrize(
    ("line", "brought"),
    [
        ("samebytes[setuptools]", ["setuptools>=61", "wheel"]),
        ("samebytes[all]>=0.1", ["setuptools>=61", "wheel", "tomlkit"]),
        ("samebytes[unknown]", []),
        ("samebytes[setuptools]; python_version < '3'", []),
    ],
)
def test_what_extras_bring_is_needed(line: str, brought: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "requires", lambda name: {"samebytes": REQUIRES}[name])
    assert without_samebytes(["x", line]) == ["x", *brought]


def test_extras_when_run_from_plain_files(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "requires", absent)
    assert without_samebytes(["samebytes[setuptools]", "samebytes"]) == ["samebytes[setuptools]"]


def test_markers() -> None:
    assert applies(parsed("x"))
    assert applies(parsed("x; python_version >= '3'"))
    assert not applies(parsed("x; python_version < '3'"))
    assert not applies(parsed("x; extra == 'y'"))


@pytest.mark.parametrize("marker", ["python_version ~= 'three'", "'x' in extras"])
def test_a_marker_that_cannot_be_evaluated_is_an_error(marker: str) -> None:
    line = f'x; {marker} and extra == "y"'.replace("'", '"')
    assert without_samebytes([line]) == [line]
    for check in (lambda: applies(parsed(line)), lambda: demand([line], "python")):
        with pytest.raises(ConfigError, match="build requirement 'x; ") as it:
            check()
        assert it.value.remedy


def test_a_malformed_requirement_is_shown() -> None:
    with pytest.raises(ConfigError, match=r"'setuptools >> 3' is malformed"):
        parsed("setuptools >> 3")


def test_nothing_is_missing() -> None:
    pytest.importorskip("build")
    demand(["packaging", "packaging>=20", "no-such; python_version < '3'"], sys.executable)


def test_all_that_is_missing_is_named() -> None:
    pytest.importorskip("build")
    lines = ["packaging", "samebytes-no-such>=2", f"packaging>{metadata.version('packaging')}"]
    with pytest.raises(BackendError) as caught:
        demand(lines, "/the/python")
    message = caught.value.message
    assert message.startswith("the build needs what /the/python does not have:\n")
    assert "samebytes-no-such>=2 (not installed)" in message
    assert f"({metadata.version('packaging')} is installed)" in message
    assert "--skip-dependency-check" in caught.value.remedy


def test_what_requirements_require_is_looked_at_too(monkeypatch: pytest.MonkeyPatch) -> None:
    build = pytest.importorskip("build")
    monkeypatch.setattr(build, "check_dependency", lambda line: [(line, "deeper>=1")])
    with pytest.raises(BackendError, match=r"deeper>=1 \(not installed, needed by outer\)"):
        demand(["outer"], sys.executable)
