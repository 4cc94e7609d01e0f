"""Virtual environments, and the pip that fills them."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from samebytes_tools.building import virtualenvs
from samebytes_tools.building.virtualenvs import InstalledDistribution, VirtualEnvironment, at, creation, pip_of

from samebytes.errors import BackendError


def test_one_is_made_where_it_is_wanted(tmp_path: Path) -> None:
    root = tmp_path / "there" / "env"
    root.parent.mkdir()
    subprocess.run(creation(sys.executable, root), check=True)
    found = at(root, root)
    code = "import os, sys; print(sys.prefix, os.environ['VIRTUAL_ENV'], os.environ['PATH'])"
    done = subprocess.run(
        [found.python, "-c", code], env=found.added_to({"PATH": "/bin"}), capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [str(root), str(root), f"{Path(found.python).parent}{os.pathsep}/bin"]


def test_without_isolation_the_interpreters_own_programs_are_found(tmp_path: Path) -> None:
    python = str(tmp_path / "bin" / "python")
    found = virtualenvs.as_it_is(python, "/usr/bin", "/else/where")
    assert found.added_to({"PATH": "/usr/bin", "PYTHONPATH": "x"})["PATH"] == f"{tmp_path}/bin{os.pathsep}/usr/bin"
    assert found.variables["PYTHONPATH"] == "/else/where"


def test_without_isolation_the_order_of_path_stays_where_they_are_found_anyway(tmp_path: Path) -> None:
    path = os.pathsep.join(["/first", str(tmp_path)])
    found = virtualenvs.as_it_is(str(tmp_path / "python"), path, "")
    assert found.added_to({"PATH": path})["PATH"] == path


def made_up(root: Path, pip: str = "") -> VirtualEnvironment:
    packages = root / "lib" / "python3.9" / "site-packages"
    packages.mkdir(parents=True)
    if pip:
        (packages / f"pip-{pip}.dist-info").mkdir()
    return VirtualEnvironment("/the/python", Path("/elsewhere"), root, {})


@pytest.fixture
def no_own_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [place for place in sys.path if not Path(place, "pip").is_dir()])


def test_our_own_pip_installs_into_others(tmp_path: Path) -> None:
    own, _, option, python = pip_of(made_up(tmp_path))
    assert (own, option, python) == (sys.executable, "--python", "/the/python")
    assert "--without-pip" in creation("python", tmp_path)


@pytest.mark.usefixtures("no_own_pip")
def test_the_environments_own_pip_is_used_where_there_is_no_other(tmp_path: Path) -> None:
    assert pip_of(made_up(tmp_path, "23.0.1")) == ["/the/python", "-I", "-m", "pip"]
    assert "--without-pip" not in creation("python", tmp_path)


def test_and_where_our_own_is_too_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "version", {"pip": "22.2.9"}.__getitem__)
    assert pip_of(made_up(tmp_path, "23.0.1"))[0] == "/the/python"


@pytest.mark.usefixtures("no_own_pip")
def test_a_pip_that_is_too_old(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match=r"too old \(21\.2\.3\)") as caught:
        pip_of(made_up(tmp_path, "21.2.3"))
    assert "22.3" in caught.value.remedy


@pytest.mark.usefixtures("no_own_pip")
def test_no_pip_at_all(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match="there is no pip") as caught:
        pip_of(made_up(tmp_path))
    assert "22.3" in caught.value.remedy


def report(archive: dict[str, object], **more: object) -> dict[str, object]:
    download = {"url": "https://example.org/x-1.tar.gz", **archive}
    return {"install": [{"metadata": {"name": "x", "version": "1"}, "download_info": download, **more}]}


def test_reports_of_older_and_newer_pips() -> None:
    url = "https://example.org/x-1.tar.gz"
    new = virtualenvs.installed_in(report({"archive_info": {"hash": "sha256=ab", "hashes": {"sha256": "ab"}}}))
    old = virtualenvs.installed_in(report({"archive_info": {"hash": "sha256=ab"}}))
    assert new == old == [InstalledDistribution("x", "1", url, {"sha256": "ab"})]
    direct = virtualenvs.installed_in(report({"dir_info": {}}, is_direct=True))
    assert direct == [InstalledDistribution("x", "1", url, {}, True)]
