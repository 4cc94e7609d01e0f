"""Isolated environments: at predictable paths, filled by the real pip, without an index."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from samebytes_tools.building import isolated as module
from samebytes_tools.building.isolated import Environment, Installed, install, isolated
from support.projects import header_wheel

from samebytes.backend.child import PredictableNames
from samebytes.errors import BackendError

OFFLINE = ["--no-index", "--find-links"]


def test_an_environment_is_made_filled_and_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("build")
    wheel = header_wheel(tmp_path / "links")
    decoy = tmp_path / "decoy"  # the current directory and PYTHONPATH count for nothing
    decoy.mkdir()
    (decoy / "pip.py").write_text("raise SystemExit('the wrong pip')")
    monkeypatch.chdir(decoy)
    monkeypatch.setenv("PYTHONPATH", str(decoy))
    temporary = tempfile.gettempdir()
    with isolated(tmp_path, PredictableNames()) as environment:
        assert environment.root == (tmp_path / "build-env-00000001").resolve()
        assert environment.variables["PATH"].startswith(str(environment.root))
        found = install(environment, ["foreign-headers>=1"], tmp_path, [*OFFLINE, str(wheel.parent)])
        assert [(one.name, one.version, one.url) for one in found] == [("foreign-headers", "1.0", wheel.as_uri())]
        assert len(found[0].hashes["sha256"]) == 64
        assert not found[0].is_direct
        imports = [environment.python, "-c", "import foreign_headers"]
        subprocess.run(imports, env={**os.environ, **environment.variables}, check=True)
        with pytest.raises(BackendError, match="could not install the build requirements no-such-thing; what it said"):
            install(environment, ["no-such-thing"], tmp_path, [*OFFLINE, str(wheel.parent)])
    assert not environment.root.exists()
    assert tempfile.gettempdir() == temporary
    assert "00000002" not in tempfile.mktemp(dir=tmp_path), "names are random again"


def test_an_environment_that_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build = pytest.importorskip("build")

    class Broken:
        def __enter__(self) -> None:
            raise build.BuildException("ensurepip is not here")

    monkeypatch.setattr("build.env.DefaultIsolatedEnv", Broken)
    with pytest.raises(BackendError, match="no virtual environment could be made") as caught:
        isolated(tmp_path, PredictableNames()).__enter__()
    assert "ensurepip is not here" in caught.value.message
    assert "python3-venv" in caught.value.remedy


def made_up(root: Path, pip: str = "") -> Environment:
    packages = root / "lib" / "python3.9" / "site-packages"
    packages.mkdir(parents=True)
    if pip:
        (packages / f"pip-{pip}.dist-info").mkdir()
    return Environment("/the/python", root, {})


def test_the_environments_own_pip_is_used_where_build_put_one(tmp_path: Path) -> None:
    assert module.pip_of(made_up(tmp_path, "23.0.1")) == ["/the/python", "-I", "-m", "pip"]


def test_a_pip_that_is_too_old(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match=r"too old \(21\.2\.3\)") as caught:
        install(made_up(tmp_path, "21.2.3"), ["x"], tmp_path)
    assert "22.3" in caught.value.remedy


def test_no_pip_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pip", None)
    with pytest.raises(BackendError, match="there is no pip"):
        install(made_up(tmp_path), ["x"], tmp_path)


def test_nothing_to_install(tmp_path: Path) -> None:
    assert install(made_up(tmp_path), [], tmp_path) == []


def report(archive: dict[str, object], **more: object) -> dict[str, object]:
    download = {"url": "https://example.org/x-1.tar.gz", **archive}
    return {"install": [{"metadata": {"name": "x", "version": "1"}, "download_info": download, **more}]}


def test_reports_of_older_and_newer_pips() -> None:
    url = "https://example.org/x-1.tar.gz"
    new = module.installed_in(report({"archive_info": {"hash": "sha256=ab", "hashes": {"sha256": "ab"}}}))
    old = module.installed_in(report({"archive_info": {"hash": "sha256=ab"}}))
    assert new == old == [Installed("x", "1", url, {"sha256": "ab"})]
    assert module.installed_in(report({"dir_info": {}}, is_direct=True)) == [Installed("x", "1", url, {}, True)]
