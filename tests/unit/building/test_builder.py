"""The one build stack: real backends of a few lines, the real pip without an index."""

from __future__ import annotations

import os
import sys
import threading
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyproject_hooks
import pytest
from samebytes_tools.building import pylock
from samebytes_tools.building.builder import (
    BuildEnvironment,
    Builder,
    BuildError,
    InstallPolicy,
    Project,
    explained,
    project_of,
    without_warnings_of_backends,
)
from samebytes_tools.building.processes import CommandRunner
from support.differences import contents
from support.processes import is_running, linux_only, pid_in
from support.projects import SMALL_BACKEND, header_wheel, write_tree

from samebytes.backend.config import Backend
from samebytes.errors import BackendError, ConfigError, Interrupted, OutputError, UsageError

OWN = Project(Backend("small_backend", ("backend",)), ())
WHEEL, SDIST = "small-1.0-py3-none-any.whl", "small-1.0.tar.gz"


class Site:
    """A project in a directory, and what builds it."""

    def __init__(self, root: Path, links: Path | None = None, extra: str = "", **policy: Any) -> None:
        self.root, self.out = root, root / "out"
        self.tree = write_tree(root / "tree", {"pyproject.toml": "", "backend/small_backend.py": SMALL_BACKEND + extra})
        self.steps: list[str] = []
        (root / "scratch").mkdir()
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHONPATH"))}
        variables = {**kept, "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull}
        if links:
            variables["PIP_FIND_LINKS"] = str(links)
        self.environment = BuildEnvironment(variables)
        self.builder = Builder(
            sys.executable,
            InstallPolicy(**policy),
            root / "scratch",
            self.environment,
            report=self.steps.append,
            advice="Look below.",
        )

    def log(self, **more: Any) -> CommandRunner:
        return CommandRunner(self.root / "log", **more)

    def build(self, kind: str = "wheel", *requires: str, log: CommandRunner | None = None, **project: Any) -> Path:
        wanted = OWN if not project else Project(**{**vars(OWN), **project})
        return self.builder.build_own(
            kind,
            Project(wanted.backend, requires, wanted.needs_samebytes),
            self.tree,
            self.environment,
            self.root / "env",
            self.out,
            log or self.log(),
        )

    @property
    def printed(self) -> str:
        return (self.root / "log").read_text("utf-8", "replace")


@pytest.fixture
def site(tmp_path: Path) -> Callable[..., Site]:
    """Returns sites without isolation, unless that is asked for."""
    return lambda extra="", **policy: Site(tmp_path, extra=extra, **{"isolation": False, **policy})


@pytest.mark.parametrize(("kind", "name"), [("wheel", WHEEL), ("sdist", SDIST)])
def test_a_build_gives_its_file_and_logs_what_is_printed(kind: str, name: str, site: Callable[..., Site]) -> None:
    here = site(extra="\nprint('on the way')\n")
    assert here.build(kind) == here.out / name
    assert (here.out / name).is_file()
    assert "on the way" in here.printed
    assert here.steps == [f"Building the {kind}"]


SAYS = """
def get_requires_for_build_wheel(config_settings=None):
    print("umask %o" % os.umask(0), os.environ["A"], os.getcwd(), config_settings)
    return []
"""


def test_hooks_are_called_in_the_environment_that_is_given(site: Callable[..., Site]) -> None:
    here = site(extra=SAYS)
    here.environment = BuildEnvironment({**here.environment.variables, "A": "b"}, 0o027, ("env", "A=c"))
    here.builder.config_settings = {"x": ["1", "2"]}
    here.build()
    assert f"umask 27 c {here.tree.resolve()} {{'x': ['1', '2']}}\n" in here.printed


WHOLE_PATHS = """
_wheel, _sdist = build_wheel, build_sdist
def build_wheel(directory, *more): return os.path.join(directory, _wheel(directory))
def build_sdist(directory, *more): return os.path.join(directory, ".", _sdist(directory))
"""


@pytest.mark.parametrize(("kind", "name"), [("wheel", WHEEL), ("sdist", SDIST)])
def test_a_whole_path_is_taken_for_a_name_and_the_log_says_so(kind: str, name: str, site: Callable[..., Site]) -> None:
    here = site(WHOLE_PATHS)
    assert here.build(kind) == here.out / name
    said = f"warning: the backend 'small_backend' returned a path from build_{kind}, and not just {name!r}"
    assert said in here.printed


WARNS = """
import warnings
_build = build_wheel
def build_wheel(*given):
    warnings.warn("a field is deprecated")
    return _build(*given)
"""


def test_what_a_backend_warns_of_does_not_come_up_here(site: Callable[..., Site]) -> None:
    here = site(WARNS)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        here.build("wheel")
        handed_on = [str(one.message) for one in caught]
        with without_warnings_of_backends():
            here.build("wheel")
    assert len(caught) == len(handed_on) == hasattr(pyproject_hooks, "BuildBackendWarning")


def returning(what: str, hook: str = "build_wheel") -> str:
    return f"\ndef {hook}(*arguments):\n    return {what}\n"


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ("\nraise RuntimeError('no way')\n", "the backend 'small_backend' failed with exit status 1 in get_requires"),
        (returning("os._exit(0)"), "gave no result in build_wheel"),
        (returning("os.kill(os.getpid(), 9)"), "was ended by signal 9 in build_wheel"),
        (returning("None"), "returned None from build_wheel, but that is not a file name"),
        (returning("'small-1.0.tar.gz'"), "not the name of a .whl file"),
        (returning("'small-1.0-py3-none-any.whl'"), "but it did not write that file: it wrote nothing"),
        (returning("'x'", "get_requires_for_build_wheel"), "returned 'x' from get_requires_for_build_wheel"),
    ],
)
def test_whatever_goes_wrong_in_a_hook_is_one_kind_of_error(
    extra: str, message: str, site: Callable[..., Site]
) -> None:
    here = site(extra=extra)
    with pytest.raises(BuildError) as caught:
        here.build()
    assert message in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.remedy
    assert caught.value.log == here.root / "log"
    assert not caught.value.is_late


UNSUPPORTED = """
class UnsupportedOperation(Exception): pass
def build_sdist(*_):
    raise UnsupportedOperation("no repository, no sdist")
"""


def test_a_backend_that_says_that_it_cannot(site: Callable[..., Site]) -> None:
    with pytest.raises(BuildError, match=r"cannot build the sdist here .*: no repository, no sdist") as caught:
        site(extra=UNSUPPORTED).build("sdist")
    assert "--wheel" in caught.value.remedy


def test_the_last_lines_of_the_log_come_with_the_error(site: Callable[..., Site]) -> None:
    here = site(extra="\nfor number in range(100): print('line', number)\nraise RuntimeError('no way')\n")
    with pytest.raises(BuildError) as caught:
        here.build()
    assert caught.value.tail[-1] == "RuntimeError: no way"
    assert len(caught.value.tail) == 25
    assert caught.value.remedy == "Look below."


def test_a_missing_backend(site: Callable[..., Site]) -> None:
    with pytest.raises(BuildError, match="the backend 'no_such' cannot be imported: ModuleNotFoundError") as caught:
        site().build(backend=Backend("no_such"))
    assert "[build-system] requires" in caught.value.remedy


def test_a_backend_path_that_leaves_the_tree(site: Callable[..., Site]) -> None:
    with pytest.raises(BackendError, match="backend-path") as caught:
        site().build(backend=Backend("small_backend", ("..",)))
    assert caught.value.remedy


HANGS = """
import subprocess, sys
def build_wheel(*_):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
    with open("pid.new", "w") as file:
        file.write(str(child.pid))
    os.rename("pid.new", "pid")
    child.wait()
"""


@linux_only
def test_a_build_that_takes_too_long(site: Callable[..., Site]) -> None:
    here = site(extra=HANGS)
    with pytest.raises(BuildError, match="'small_backend' took longer than 3 seconds and was ended") as caught:
        here.build(log=here.log(seconds=3))
    assert caught.value.is_late
    assert "--timeout" in caught.value.remedy
    assert not is_running(pid_in(here.tree / "pid"))


@linux_only
def test_a_build_that_is_stopped(site: Callable[..., Site]) -> None:
    here, stop = site(extra=HANGS), threading.Event()
    threading.Thread(target=lambda: (pid_in(here.tree / "pid"), stop.set()), daemon=True).start()
    with pytest.raises(Interrupted):
        here.build(log=here.log(stop=stop))
    assert not is_running(pid_in(here.tree / "pid"))


IMPORTS = """
import foreign_headers
print("headers in", os.path.dirname(foreign_headers.__file__))
"""


@pytest.fixture
def isolated(tmp_path: Path) -> Callable[..., Site]:
    """Returns sites whose pip finds foreign-headers 1.0, and nothing else."""
    links = header_wheel(tmp_path / "links").parent
    return lambda extra=IMPORTS, **policy: Site(tmp_path, links, extra, **policy)


def test_what_the_project_requires_is_installed(isolated: Callable[..., Site], monkeypatch: pytest.MonkeyPatch) -> None:
    here = isolated()
    decoy = here.root / "decoy"  # the current directory and PYTHONPATH count for nothing
    write_tree(decoy, {"pip.py": "raise SystemExit('the wrong pip')\n", "venv.py": "raise SystemExit('wrong')\n"})
    monkeypatch.chdir(decoy)
    here.builder.environment = BuildEnvironment({**here.environment.variables, "PYTHONPATH": str(decoy)})
    here.build("wheel", "foreign-headers>=1", "samebytes")
    assert f"headers in {here.root}/env/" in here.printed
    (found,) = here.builder.installed
    assert (found.name, found.version, found.is_direct) == ("foreign-headers", "1.0", False)
    assert len(found.hashes["sha256"]) == 64
    assert here.steps == ["Creating a virtual environment", "Installing foreign-headers>=1", "Building the wheel"]


def test_what_the_backend_requires_beyond_that_is_too(isolated: Callable[..., Site]) -> None:
    asks = returning("['foreign-headers']", "get_requires_for_build_wheel")
    here = isolated(
        asks + "def build_wheel(*a, _build=build_wheel):\n    import foreign_headers\n    return _build(*a)\n"
    )
    here.build()
    here.build()
    assert here.steps.count("Installing foreign-headers") == 1
    assert here.steps.count("Creating a virtual environment") == 1


def test_what_cannot_be_installed_is_named(isolated: Callable[..., Site]) -> None:
    here = isolated()
    with pytest.raises(BuildError, match="pip could not install") as caught:
        here.build("wheel", "no-such-thing>1")
    assert caught.value.message == "pip could not install the build requirements no-such-thing>1"
    assert any("no-such-thing" in line for line in caught.value.tail)
    assert "index" in caught.value.remedy


def test_a_virtual_environment_that_cannot_be_made(isolated: Callable[..., Site]) -> None:
    here = isolated()
    here.builder.python = "false"
    with pytest.raises(BuildError, match="no virtual environment could be made with false") as caught:
        here.build()
    assert "python3-venv" in caught.value.remedy
    here.builder.python = str(here.root / "nothing")
    with pytest.raises(BuildError, match="cannot be run: No such file") as caught:
        here.build()
    assert caught.value.remedy


def test_constraints_are_handed_on(isolated: Callable[..., Site], tmp_path: Path) -> None:
    path = tmp_path / "constraints.txt"
    path.write_text("foreign-headers>=2\n")
    with pytest.raises(BuildError, match="could not install"):
        isolated(constraint=path).build("wheel", "foreign-headers")


def test_every_environment_gets_what_the_first_got(isolated: Callable[..., Site]) -> None:
    here = isolated(same_everywhere=True)
    here.build("wheel", "foreign-headers")
    with zipfile.ZipFile(here.root / "links" / "foreign_headers-2.0-py3-none-any.whl", "w") as newer:
        for name, data in contents(header_wheel(here.root / "links")).items():
            newer.writestr(name.replace("1.0", "2.0"), data.replace(b"1.0", b"2.0"))
    here.builder.discard(here.builder.virtual_environment(here.root / "env", here.log()))
    assert not (here.root / "env").exists()
    here.build("wheel", "foreign-headers")
    assert [one.version for one in here.builder.installed] == ["1.0"]
    pins = here.builder.constraint()
    assert pins is not None
    assert pins.read_text() == "foreign-headers==1.0\n"


def test_what_is_locked_is_installed_at_once_and_nothing_else(isolated: Callable[..., Site]) -> None:
    here = isolated()
    here.build("wheel", "foreign-headers")
    (found,) = here.builder.installed
    line = f"foreign-headers==1.0 --hash=sha256:{found.hashes['sha256']}"
    here.builder.discard(here.builder.virtual_environment(here.root / "env", here.log()))
    here.builder.policy = InstallPolicy(locked=(pylock.Locked("foreign-headers", "1.0", (line,)),))
    here.build("wheel", "foreign-headers>=1")
    here.build("wheel", "foreign-headers")
    assert here.steps.count("Installing foreign-headers==1.0") == 1
    with pytest.raises(ConfigError, match="needs 'other', but the lock file does not have it"):
        here.build("wheel", "other")


def test_a_locked_hash_that_is_wrong(isolated: Callable[..., Site]) -> None:
    line = f"foreign-headers==1.0 --hash=sha256:{'0' * 64}"
    here = isolated(locked=(pylock.Locked("foreign-headers", "1.0", (line,)),))
    with pytest.raises(BuildError) as caught:
        here.build("wheel", "foreign-headers")
    assert "lock anew" in caught.value.remedy


def test_what_cannot_be_locked_is_an_error_if_it_is_to_be(isolated: Callable[..., Site]) -> None:
    here = isolated(lockable=True)
    other = write_tree(
        here.root / "other",
        {"pyproject.toml": PLAIN, "small_backend.py": SMALL_BACKEND, "backend/small_backend.py": ""},
    )
    with pytest.raises(ConfigError, match="cannot be locked"):
        here.build("wheel", f"small @ {other.as_uri()}")


PLAIN = "[build-system]\nrequires = []\nbuild-backend = 'small_backend'\nbackend-path = ['.']\n"


@pytest.mark.skipif(sys.version_info < (3, 11), reason="tomli is installed from an index before Python 3.11")
def test_samebytes_is_lent_where_it_is_the_backend(isolated: Callable[..., Site]) -> None:
    here = isolated("")
    table = "[tool.samebytes]\nbuild-backend = 'small_backend'\nbackend-path = ['backend']\n"
    write_tree(
        here.tree,
        {"pyproject.toml": "[build-system]\nrequires = ['samebytes']\nbuild-backend = 'samebytes.backend'\n" + table},
    )
    project = project_of(here.tree)
    assert project == Project(Backend("samebytes.backend"), ("samebytes",), needs_samebytes=True)
    here.build("wheel", *project.requires, backend=project.backend, needs_samebytes=True)
    assert here.builder.installed == []
    for isolation in (True, False):
        here.builder.policy = InstallPolicy(isolation=isolation)
        where = here.builder.virtual_environment(here.root / "env", here.log(), lend=True)
        out = here.log().run(
            [where.python, "-c", "import samebytes, tomllib; print(samebytes.__file__)"],
            cwd=here.root,
            environ=where.added_to(here.environment.variables),
        )
        assert out == 0
        assert here.printed.splitlines()[-1].startswith(str(here.root))


def test_what_is_missing_without_isolation(site: Callable[..., Site]) -> None:
    pytest.importorskip("build")
    here = site(check_installed=True)
    with pytest.raises(BuildError, match=r"samebytes-no-such>=3 \(not installed\)") as caught:
        here.build("wheel", "samebytes-no-such>=3", "samebytes")
    assert sys.executable in caught.value.message
    assert here.steps == []
    here.builder.policy = InstallPolicy(isolation=False)
    here.build("wheel", "samebytes-no-such>=3")


def test_a_directory_that_is_not_a_source_tree(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a source tree") as caught:
        project_of(tmp_path)
    assert caught.value.remedy
    (tmp_path / "setup.py").touch()
    assert project_of(tmp_path).backend.name == "setuptools.build_meta:__legacy__"


def test_the_log_of_a_failure_is_shown(tmp_path: Path) -> None:
    log, shown = CommandRunner(tmp_path / "log"), list[Path]()
    with pytest.raises(UsageError), explained(tmp_path, log, shown.append):
        raise UsageError("before anything was run")
    assert shown == []
    (tmp_path / "log").write_text("what was printed\n")
    with explained(tmp_path, log, shown.append):
        pass
    with pytest.raises(Interrupted), explained(tmp_path, log, shown.append):
        raise Interrupted("stopped")
    assert shown == []
    with pytest.raises(BuildError), explained(tmp_path, log, shown.append):
        raise BuildError("no way")
    assert shown == [tmp_path / "log"]


def test_a_failure_for_lack_of_room_is_reported_as_that(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("cc1: error: closing output: No space left on device\n")
    with pytest.raises(OutputError, match="there was no room left") as caught:
        with explained(tmp_path, CommandRunner(tmp_path / "log"), lambda _: None):
            raise BuildError("the backend failed")
    assert "TMPDIR" in caught.value.remedy
