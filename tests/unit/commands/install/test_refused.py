"""What the system refuses is reported with the file that it is about, and nothing is left of the attempt."""

from __future__ import annotations

import errno
import itertools
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from samebytes_tools.commands.install.install import install
from samebytes_tools.commands.install.interpreter import TARGET
from samebytes_tools.commands.install.wheel import InstallOptions
from samebytes_tools.commands.tree.fix import FixOptions, fix
from support.installed import DATE, FINAL, PYTHON, facts, project

from samebytes.errors import SamebytesError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has other calls")


class Refusing:
    """Makes one call of the function *name* of the module os fail, the *number*-th."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str, number: int) -> None:
        self.failed = False
        self._calls = itertools.count(1)
        self._number = number
        original: Callable[..., Any] = getattr(os, name)

        def call(path: Any, *arguments: Any, **options: Any) -> Any:
            if next(self._calls) == self._number:
                self.failed = True
                raise OSError(errno.EIO, os.strerror(errno.EIO), None if isinstance(path, int) else path)
            return original(path, *arguments, **options)

        monkeypatch.setattr(os, name, call)
        # What depends on the function itself, and not on its name.
        for supported in (os.supports_dir_fd, os.supports_fd, os.supports_follow_symlinks):
            if original in supported:
                monkeypatch.setattr(os, f"_{name}_of_a_test", call, raising=False)
                supported.add(call)


def refusal(work: Callable[[], object]) -> SamebytesError | None:
    """Return why *work* is not done, None if it is."""
    try:
        work()
    except SamebytesError as error:
        return error
    return None


def assert_named(error: SamebytesError, root: Path) -> None:
    """Demand that *error* names a file in *root*, and the reason."""
    assert str(root) in error.message
    assert "Input/output error" in error.message
    assert error.remedy


@pytest.mark.parametrize("call", ["mkdir", "open", "chmod", "fchmod", "utime", "link", "rename", "replace", "fsync"])
@pytest.mark.parametrize("there", [False, True])
def test_an_install_to_which_one_call_is_refused(there: bool, call: str, tmp_path: Path) -> None:
    source, other = project(tmp_path), project(tmp_path, "other")
    options = InstallOptions(tmp_path / "root" / "site", FINAL, TARGET, PYTHON, date=DATE, levels=())
    for number in itertools.count(1):
        (tmp_path / "root").mkdir()
        if there:
            install([other], options, None)
        before = facts(tmp_path / "root")
        with pytest.MonkeyPatch.context() as patch:
            refusing = Refusing(patch, call, number)
            error = refusal(lambda: install([source], options, None))
        if error:
            assert_named(error, tmp_path)
            assert facts(tmp_path / "root") == before, (call, number)
        shutil.rmtree(tmp_path / "root")
        if not refusing.failed:
            assert error is None
            break


@pytest.mark.parametrize("call", ["open", "fchmod", "utime", "replace", "unlink", "fsync"])
def test_a_fix_to_which_one_call_is_refused(call: str, tmp_path: Path) -> None:
    """What is done already is right, and another run does the rest."""
    options = InstallOptions(tmp_path / "site", FINAL, TARGET, PYTHON, date=DATE, levels=())
    install([project(tmp_path)], options, None)
    expected = facts(tmp_path / "site")
    tree, settings = tmp_path / "tree", FixOptions(FINAL, DATE, levels=(), rebuild_record=True)
    for number in itertools.count(1):
        shutil.copytree(tmp_path / "site", tree)
        (tree / "demo" / "part.py").chmod(0o600)
        (tree / "demo-1.0.dist-info" / "INSTALLER").write_bytes(b"pip\n")
        (tree / "demo" / ".samebytes-0123456789abcdef.tmp").touch()
        with pytest.MonkeyPatch.context() as patch:
            refusing = Refusing(patch, call, number)
            error = refusal(lambda: fix(tree, settings, None))
        if error:
            assert_named(error, tmp_path)
        fix(tree, settings, None)
        assert facts(tree) == expected, (call, number)
        shutil.rmtree(tree)
        if not refusing.failed:
            break
