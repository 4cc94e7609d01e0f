from __future__ import annotations

import os
import platform
import re
import sys
import time
import zlib
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from packaging.requirements import Requirement

from samebytes.commands.doctor import diagnosis as doctor
from samebytes.commands.doctor.command import diagnosis_lines
from samebytes.console import programs
from samebytes.console.style import Style
from samebytes.deflate.providers import PURE, Provider, by_zlib

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[4]


def test_diagnosis_of_this_interpreter() -> None:
    diagnosis = doctor.diagnose(time.process_time, os.environ)
    lines = list(diagnosis_lines(diagnosis, Style()))
    assert lines[1].endswith(f" {platform.python_version()} {sys.executable}")
    assert lines[3] == f"zlib             {zlib.ZLIB_RUNTIME_VERSION}"
    assert {part.name for part in diagnosis.core} >= {"packaging", "pyproject-hooks"}
    assert diagnosis.healthy
    assert diagnosis.encoder_speed > 0
    assert diagnosis.own_speed > 0


def test_another_compressor_is_told_and_ours_takes_its_place() -> None:
    def another(segment: bytes, window: bytes, last: bool) -> bytes:
        return by_zlib().encode(segment, window, last) + b"?"

    diagnosis = doctor.diagnose(time.process_time, os.environ, Provider("fakelib 1", another, in_processes=False))
    assert diagnosis.is_own
    assert diagnosis.encoder.reason.startswith("fakelib 1 gives another stream for text")
    assert diagnosis.encoder_speed == diagnosis.own_speed
    assert diagnosis.healthy, "the bytes are right, only slow"


def test_speed_is_bytes_in_the_time_that_passed() -> None:
    now = iter(range(10))
    sizes = []

    def encode(segment: bytes, window: bytes, last: bool) -> bytes:
        sizes.append(len(segment))
        return b""

    speed = doctor.speed(Provider("none", encode, in_processes=False), lambda: float(next(now)))
    assert speed == pytest.approx(sizes[0] / 1e6 / 3)


def test_an_encoder_of_ours_that_errs_makes_ill(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("samebytes.deflate.pure.encode_segment", lambda *_: b"wrong")
    diagnosis = doctor.diagnose(time.process_time, os.environ)
    assert PURE.name in diagnosis.encoder_fault
    assert not diagnosis.healthy


@pytest.mark.parametrize(
    ("name", "wanted", "told"),
    [
        ("samebytes-is-without-this", ">=1", "missing (pip install 'samebytes-is-without-this>=1')"),
        ("packaging", ">=1000", r"[\d.]+, and samebytes needs packaging>=1000 \(pip install 'packaging>=1000'\)"),
    ],
)
def test_a_dependency_that_does_not_fit(name: str, wanted: str, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "CORE", {name: wanted})
    diagnosis = doctor.diagnose(time.process_time, os.environ)
    assert not diagnosis.healthy
    (line,) = (line for line in diagnosis_lines(diagnosis, Style()) if line.startswith(name))
    assert told in line or re.search(told, line)


@pytest.mark.parametrize(
    ("name", "wanted", "told"),
    [
        ("samebytes-is-without-this", ">=1", "samebytes-is-without-this is not installed"),
        ("packaging", "<1", f"packaging {metadata.version('packaging')} is not <1"),
    ],
)
def test_an_extra_that_does_not_fit(name: str, wanted: str, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "EXTRAS", {"more": {name: wanted}})
    diagnosis = doctor.diagnose(time.process_time, os.environ)
    assert diagnosis.healthy, "it can be done without"
    assert f"[more]           {told} (pip install 'samebytes[more]')" in diagnosis_lines(diagnosis, Style())


def test_programs_that_are_not_here(tmp_path: Path) -> None:
    nowhere = {"PATH": str(tmp_path), "LIBFAKETIME": str(tmp_path / "none.so")}
    lines = list(diagnosis_lines(doctor.diagnose(time.process_time, nowhere), Style()))
    for program in programs.ALL:
        assert f"{program.name:<16} {programs.missing(program.name).partition(' is ')[2]}" in lines
    assert any("install the package" in line for line in lines) is (sys.platform not in ("darwin", "win32"))


@pytest.mark.parametrize(
    ("system", "name", "advice"),
    [
        ("linux", "bwrap", "install the package bubblewrap"),
        ("freebsd14", "git", "install the package git"),
        ("darwin", "git", "xcode-select --install"),
        ("darwin", "disorderfs", "there is none for darwin"),
        ("win32", "git", "install Git for Windows"),
        ("win32", "cc", "there is none for win32"),
    ],
)
def test_what_to_do_is_for_the_system(system: str, name: str, advice: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "sys", SimpleNamespace(platform=system))
    assert programs.missing(name) == f"{name} is not installed ({advice})"


def test_libfaketime_is_found_where_pip_puts_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = tmp_path / "libfaketime" / "vendor" / "libfaketime" / "src" / "libfaketime.so.1"
    library.parent.mkdir(parents=True)
    library.touch()
    is_file = Path.is_file
    monkeypatch.setattr(Path, "is_file", lambda path: "usr" not in path.parts and is_file(path))
    monkeypatch.setattr(programs, "sys", SimpleNamespace(path=["", str(tmp_path)]))
    assert programs.find("libfaketime", {}) == library
    assert programs.find("libfaketime", {"LIBFAKETIME": str(tmp_path / "none.so")}) is None


@pytest.mark.skipif(not (ROOT / "pyproject.toml").is_file(), reason="pyproject.toml is not here, only the tests")
def test_the_versions_are_those_that_are_installed_with_us() -> None:
    core, tools = (_project(ROOT / where / "pyproject.toml") for where in ("", "tools"))
    assert _wanted(core["dependencies"]) == doctor.CORE
    own = {name: wanted for name, wanted in _wanted(tools["dependencies"]).items() if name not in doctor.CORE}
    assert {
        "setuptools": _wanted(core["optional-dependencies"]["setuptools"]),
        "tools": {**_wanted(core["optional-dependencies"]["tools"]), **own},
        "cluster": _wanted(tools["optional-dependencies"]["cluster"]),
        "zlib": _wanted(core["optional-dependencies"]["zlib"]),
    } == doctor.EXTRAS


def _project(path: Path) -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))["project"]
    return project


def _wanted(listed: list[str]) -> dict[str, str]:
    found = map(Requirement, listed)
    return {each.name: str(each.specifier) for each in found if each.name != "samebytes"}
