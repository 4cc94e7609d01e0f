"""The child process: real interpreters, backends of a few lines."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import wave
from contextlib import closing
from pathlib import Path

import pytest
from pyproject_hooks import UnsupportedOperation
from support.interpreters import SEARCH_PATHS, searching

from samebytes.backend import session
from samebytes.backend.config import Backend
from samebytes.backend.inner import Inner, Process
from samebytes.errors import BackendError


def inner(tree: Path, text: str, **changes: object) -> closing[Inner]:
    (tree / "bk").mkdir(exist_ok=True)
    (tree / "bk" / "mine.py").write_text(text)
    environ = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
    process = Process(sys.executable, environ)._replace(**changes)
    return closing(Inner(tree, Backend("mine", ("bk",)), process, tree))


def test_optional_hooks_are_those_that_the_backend_has(tmp_path: Path) -> None:
    with inner(tmp_path, "def build_wheel(*a): pass\ndef build_editable(*a): pass\nother = 1\n") as backend:
        assert backend.hooks() == {"build_editable"}


def test_the_probe_and_the_call_share_one_process_and_one_import(tmp_path: Path) -> None:
    text = (
        "import os\nopen('imports', 'a').write('%d\\n' % os.getpid())\n"
        "def get_requires_for_build_wheel(settings): return [str(os.getpid()), str(settings)]\n"
    )
    with inner(tmp_path, text) as backend:
        assert "get_requires_for_build_wheel" in backend.hooks()
        pid, settings = backend.call("get_requires_for_build_wheel", {"a": ["b", "c"]})
    assert (tmp_path / "imports").read_text() == f"{pid}\n"
    assert settings == "{'a': ['b', 'c']}"


def test_a_second_call_gets_a_new_process(tmp_path: Path) -> None:
    with inner(tmp_path, "import os\ndef get_requires_for_build_sdist(s): return [str(os.getpid())]\n") as backend:
        assert backend.call("get_requires_for_build_sdist", None) != backend.call("get_requires_for_build_sdist", None)


def test_the_environment_is_exactly_what_was_given(tmp_path: Path) -> None:
    text = "import os\ndef get_requires_for_build_wheel(s): return [os.environ['X'], oct(os.umask(0)), os.getcwd()]\n"
    environ = {"PATH": os.environ["PATH"], "X": "y", "PYTHONDONTWRITEBYTECODE": "1"}
    umask = "0o0" if sys.platform == "win32" else "0o27"  # processes on Windows do not hand it on
    with inner(tmp_path, text, environ=environ, umask=0o027) as backend:
        assert backend.call("get_requires_for_build_wheel", None) == ["y", umask, os.path.realpath(tmp_path)]


def test_temporary_names_are_counted_if_pinned(tmp_path: Path) -> None:
    text = "import tempfile\ndef get_requires_for_build_wheel(s): return [tempfile.mkdtemp(prefix='p-')[-10:]] * 2\n"
    environ = {"PATH": os.environ["PATH"], "TMPDIR": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    with inner(tmp_path, text, environ=environ) as backend:
        assert backend.call("get_requires_for_build_wheel", None) == ["p-00000001"] * 2
    with inner(tmp_path, text, environ=environ) as backend:
        assert backend.call("get_requires_for_build_wheel", None) == ["p-00000002"] * 2
    with inner(tmp_path, text, environ=environ, inherit=("tempfile",)) as backend:
        assert not backend.call("get_requires_for_build_wheel", None)[0].startswith("p-0000")


@pytest.mark.skipif(sys.platform == "win32", reason="needs programs that begin with #!")
@pytest.mark.parametrize("way", SEARCH_PATHS)
def test_the_search_path_is_the_interpreters_own(way: str, tmp_path: Path) -> None:
    """Where a script's directory is not on it, another is the first one: the standard library, or PYTHONPATH's."""
    text = "import sys, wave\ndef get_requires_for_build_wheel(s): return [wave.__file__, *sys.path]\n"
    python = searching(tmp_path / "python", way)
    environ = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(tmp_path / "own")}
    with inner(tmp_path, text, python=python, environ=environ) as backend:
        assert "get_requires_for_build_wheel" in backend.hooks()
        found = backend.call("get_requires_for_build_wheel", None)
    (tmp_path / "bare").mkdir()
    bare = tmp_path / "bare" / "script.py"
    bare.write_text("import json, sys\nprint(json.dumps([one for one in sys.path if not one.endswith('bare')]))")
    done = subprocess.run([python, str(bare)], env=environ, capture_output=True, check=True)
    own = os.path.dirname(session.__file__)
    assert found == [wave.__file__, str(tmp_path / "bk"), *json.loads(done.stdout)]
    assert own not in found


@pytest.mark.skipif(sys.version_info < (3, 11), reason="older Pythons always search the script's directory")
def test_a_safe_path_is_kept(tmp_path: Path) -> None:
    text = "import sys\ndef get_requires_for_build_wheel(s): return sys.path\n"
    given = {"PYTHONSAFEPATH": "1", "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    with inner(tmp_path, text, environ=given) as backend:
        assert backend.call("get_requires_for_build_wheel", None)[0] == str(tmp_path)


def test_a_missing_backend_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    process = Process(sys.executable, {"PATH": os.environ["PATH"]})
    for call in (Inner.hooks, lambda backend: backend.call("build_wheel", str(tmp_path))):
        with closing(Inner(tmp_path, Backend("no_such.module"), process, tmp_path)) as backend:
            with pytest.raises(BackendError, match=r"'no_such.module' cannot be imported") as caught:
                call(backend)
            assert "[build-system] requires" in caught.value.remedy


def test_a_backend_that_ends_the_process_at_import(tmp_path: Path) -> None:
    with (
        inner(tmp_path, "import os\nos._exit(3)\n") as backend,
        pytest.raises(BackendError, match="cannot be imported"),
    ):
        backend.hooks()


@pytest.mark.parametrize(("name", "place"), [("json", r"json[\\/]__init__\.py"), ("namespace", "several places")])
def test_a_backend_from_elsewhere_than_backend_path(name: str, place: str, tmp_path: Path) -> None:
    (tmp_path / "there" / "namespace").mkdir(parents=True)
    process = Process(sys.executable, {"PATH": os.environ["PATH"]})
    with closing(Inner(tmp_path, Backend(name, ("there",)), process, tmp_path)) as backend:
        with pytest.raises(BackendError, match=f"was imported from .*{place}, not from backend-path"):
            backend.hooks()


@pytest.mark.parametrize("path", ["..", "/tmp"])
def test_a_backend_path_that_leaves_the_tree(tmp_path: Path, path: str) -> None:
    process = Process(sys.executable, {"PATH": os.environ["PATH"]})
    with pytest.raises(BackendError, match="not usable"):
        Inner(tmp_path, Backend("json", (path,)), process, tmp_path)


def test_an_object_that_is_not_there(tmp_path: Path) -> None:
    process = Process(sys.executable, {"PATH": os.environ["PATH"]})
    with closing(Inner(tmp_path, Backend("json:nothing"), process, tmp_path)) as backend:
        with pytest.raises(BackendError, match="nothing"):
            backend.hooks()


def test_a_backend_that_raises(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with inner(tmp_path, "def build_wheel(*a): raise RuntimeError('no way')\n") as backend:
        with pytest.raises(BackendError, match="failed with exit status 1 in build_wheel"):
            backend.call("build_wheel", str(tmp_path))
    assert "no way" in capfd.readouterr().err


def test_a_backend_that_is_killed(tmp_path: Path) -> None:
    text = "import os\ndef build_wheel(*a): os.kill(os.getpid(), 9)\n"
    ended = "failed with exit status 9" if sys.platform == "win32" else "was ended by signal 9"
    with inner(tmp_path, text) as backend, pytest.raises(BackendError, match=ended):
        backend.call("build_wheel", str(tmp_path))


def test_a_child_that_ended_before_it_was_asked(tmp_path: Path) -> None:
    """A pipe without a reader is another error on Windows."""
    with inner(tmp_path, "") as backend:
        child = backend._started()._running
        child.kill()
        child.wait()
        with pytest.raises(BackendError, match="The process ended before it could report why"):
            backend.hooks()


def test_unsupported_operation_is_passed_on(tmp_path: Path) -> None:
    text = "class UnsupportedOperation(Exception): pass\ndef build_sdist(*a): raise UnsupportedOperation('not here')\n"
    with inner(tmp_path, text) as backend, pytest.raises(UnsupportedOperation, match="not here"):
        backend.call("build_sdist", str(tmp_path))


def test_an_interpreter_that_is_not_there(tmp_path: Path) -> None:
    with inner(tmp_path, "", python="/no/python") as backend, pytest.raises(BackendError, match="/no/python"):
        backend.hooks()


def test_no_process_is_left_behind(tmp_path: Path) -> None:
    with inner(tmp_path, "def build_wheel(*a): pass\n") as backend:
        backend.hooks()
        assert backend._child is not None
        running = backend._child._running
    assert running.returncode is not None, "that is only known of one that has ended"
    if sys.platform != "win32":
        with pytest.raises(ChildProcessError):
            os.waitpid(running.pid, os.WNOHANG)
