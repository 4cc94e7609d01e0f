"""uv in pip's place: what it installs is what pip installs, or pip does it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from samebytes_tools.building import pip_settings, pylock, uv
from samebytes_tools.building.builder import BuildEnvironment, Builder, BuildError, InstallPolicy
from samebytes_tools.building.filled import FilledEnvironments
from samebytes_tools.building.processes import CommandRunner
from samebytes_tools.building.uv import Unsuitable
from samebytes_tools.building.virtualenvs import VirtualEnvironment
from support.artifacts import wheel
from support.indexes import Server, serving

from samebytes.errors import Interrupted

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")


def own_uv() -> bool:
    """Return whether there is a uv that can be used."""
    try:
        return bool(uv.find(os.environ))
    except Unsuitable:
        return False


needs_uv = pytest.mark.skipif(not own_uv(), reason="needs uv")

FILES = {
    "demo/__init__.py": b"def main():\n    print('it runs')\n",
    "demo-1.0.dist-info/entry_points.txt": b"[console_scripts]\ndemo-tool = demo:main\n",
    "demo-1.0.data/scripts/other-tool": b"#!python\nimport demo; demo.main()\n",
    "demo-1.0.data/data/share/demo.txt": b"data\n",
}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An index with two projects."""
    wheels = tmp_path_factory.mktemp("wheels")
    with serving() as server:
        server.add("demo", wheel(wheels, files=FILES), "2024-01-01T00:00:00Z")
        server.add("helper", wheel(wheels, "helper"), "2024-01-01T00:00:00Z")
        yield server


class Site:
    """Builds nothing, but installs into environments."""

    def __init__(self, root: Path, settings: Mapping[str, str], **policy: Any) -> None:
        self.root = root
        self.filled: FilledEnvironments | None = None
        (root / "scratch").mkdir(parents=True)
        variables = {"PATH": os.environ["PATH"], "HOME": str(root), "PIP_CONFIG_FILE": os.devnull, **settings}
        self.builder = Builder(sys.executable, InstallPolicy(**policy), root / "scratch", BuildEnvironment(variables))

    def environment(self, name: str, *lines: str) -> VirtualEnvironment:
        where = self.builder.virtual_environment(self.root / name, self.log)
        for line in lines:
            self.builder.provide(where, [line], self.log)
        return where

    @property
    def log(self) -> CommandRunner:
        return CommandRunner(self.root / "log")


@pytest.fixture
def tmp_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a short path: that of an interpreter has to fit into the first line of a script."""
    return tmp_path_factory.mktemp("s")


@pytest.fixture
def site(tmp_path: Path, index: Server) -> Callable[..., Site]:
    """Returns sites that install from the index."""
    return lambda name="site", **policy: Site(
        tmp_path / name, {"PIP_INDEX_URL": index.address, "UV_CACHE_DIR": str(tmp_path / "cache")}, **policy
    )


def state(where: VirtualEnvironment) -> dict[str, tuple[bytes, int]]:
    """Return what an installer wrote, but for what it notes about itself and the wording of scripts."""
    found = [path for path in where.root.rglob("*") if path.is_file() and not path.is_symlink()]
    left_out = {"INSTALLER", "RECORD", "REQUESTED", "pyvenv.cfg", "demo-tool"}
    files = {str(path.relative_to(where.root)): path for path in found if path.name not in left_out}
    return {
        # Scripts that a wheel does not mark as executable are so by uv, and not by pip.
        name: (
            path.read_bytes().replace(os.fsencode(where.root), b"ROOT"),
            path.parent.name != "bin" and path.stat().st_mode,
        )
        for name, path in files.items()
        if path.suffix != ".pyc" and "activate" not in path.name.lower()
    }


@needs_uv
def test_both_install_the_same(site: Callable[..., Site]) -> None:
    """Held by pip: names, versions, addresses, hashes; every file with its mode; scripts run, modules are compiled."""
    by_pip, by_uv = (site(f"by-{name}", installer=name, same_everywhere=True) for name in ("pip", "uv"))
    one, other = (each.environment("env", "demo", "helper") for each in (by_pip, by_uv))
    assert state(other) == state(one)
    assert "lib" in {name.partition(os.sep)[0] for name in state(one)}
    assert by_uv.builder.installed == by_pip.builder.installed
    assert [each.name for each in by_uv.builder.installed] == ["demo", "helper"]
    assert [each.builder.installers[0].split(" ")[0] for each in (by_pip, by_uv)] == ["pip", "uv"]
    for tool in ("demo-tool", "other-tool"):
        assert (
            subprocess.run([other.python, other.root / "bin" / tool], capture_output=True, check=True).stdout
            == b"it runs\n"
        )
    compiled = {path.name for path in one.root.rglob("*.pyc")}
    assert compiled == {path.name for path in other.root.rglob("*.pyc")} != set()


@needs_uv
def test_what_a_build_changes_in_its_environment_is_not_in_the_next(site: Callable[..., Site], tmp_path: Path) -> None:
    """Nor in that of another builder of the run, which installs nothing anew."""
    filled = FilledEnvironments(tmp_path / "filled")
    here, there = site("here", installer="uv"), site("there", installer="uv")
    here.builder.filled = there.builder.filled = filled
    first = here.environment("first", "demo")
    pristine = state(first)
    packages = next(first.root.glob("lib/*/site-packages"))
    (packages / "demo/__init__.py").write_bytes(b"raise SystemExit('changed by a build')\n")
    for path in packages.rglob("*.pyc"):
        path.write_bytes(b"changed by a build")
    (packages / "added.pth").write_text("import added\n")
    second = there.environment("second", "demo")
    assert state(second) == pristine
    assert b"changed by a build" not in {path.read_bytes() for path in second.root.rglob("*.pyc")}
    assert len(list((tmp_path / "filled").iterdir())) == 1
    assert there.builder.installed == here.builder.installed


@needs_uv
def test_only_the_path_that_builds_see_has_to_be_short(site: Callable[..., Site], tmp_path: Path) -> None:
    """As where the temporary directory is deep, and builds see it at a fixed path."""
    deep, seen = tmp_path / "a name with blanks".ljust(150, "x"), tmp_path / "seen"
    deep.mkdir()
    seen.symlink_to(deep)
    here = site(installer="uv")
    here.builder.scratch, here.builder.scratch_seen = deep, seen
    where = here.builder.virtual_environment(seen / "env", here.log, deep / "env")
    here.builder.provide(where, ["demo"], here.log)
    done = subprocess.run([where.python, seen / "env/bin/demo-tool"], capture_output=True, check=True)
    assert done.stdout == b"it runs\n"


@needs_uv
def test_what_is_locked_has_its_hashes_verified(site: Callable[..., Site]) -> None:
    one = site("one", installer="uv")
    one.environment("env", "demo")
    digest = one.builder.installed[0].hashes["sha256"]
    for number, hashed in enumerate((digest, "0" * 64)):
        locked = pylock.Locked("demo", "1.0", (f"demo==1.0 --hash=sha256:{hashed}",))
        here = site(f"locked-{number}", installer="uv", locked=(locked,))
        if hashed == digest:
            here.environment("env", "demo")
            assert here.builder.installed == one.builder.installed
        else:
            with pytest.raises(BuildError, match="uv"):
                here.environment("env", "demo")


@needs_uv
@pytest.mark.parametrize("name", ["demo", "missing"])
def test_what_uv_does_not_do_is_pips_or_an_error(name: str, site: Callable[..., Site]) -> None:
    """Each with what is wrong, and what to do; of what neither finds, pip's word is the last."""
    here = site(installer="auto")
    here.builder.environment = BuildEnvironment({**here.builder.environment.variables, "PIP_NO_BINARY": "missing"})
    if name == "demo":
        here.environment("env", name)
        assert [one.split(" ")[0] for one in here.builder.installers] == ["pip"]
        assert "pip is configured with no-binary" in (here.root / "log").read_text()
        return
    strict = site("strict", installer="uv")
    with pytest.raises(BuildError, match="uv could not resolve missing") as caught:
        strict.environment("env", name)
    assert "--installer pip" in caught.value.remedy
    assert any("missing" in line for line in caught.value.tail)


@needs_uv
def test_what_is_for_earlier_pythons_is_not_chosen(site: Callable[..., Site], index: Server, tmp_path: Path) -> None:
    """Nor by the bound of the index: pip takes the newest that may run, and uv goes by lower bounds alone."""
    info = "capped-1.0.dist-info/METADATA"
    metadata = b"Metadata-Version: 2.1\nName: capped\nVersion: 1.0\nRequires-Python: >=3.6,<3.8\n"
    path = wheel(tmp_path / "capped", "capped", {"capped.py": b""}, record=b"")
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members[info] = metadata
    members["capped-1.0.dist-info/RECORD"] = b"".join(b"%b,,\n" % name.encode() for name in members)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    index.add("capped", path, "2024-01-01T00:00:00Z", **{"requires-python": ">=3.6,<3.8"})
    with pytest.raises(BuildError, match=r"uv chose capped-1.0, which is for Python >=3.6,<3.8"):
        site(installer="uv").environment("env", "capped")


@needs_uv
def test_what_was_published_a_moment_ago_is_found(site: Callable[..., Site], index: Server, tmp_path: Path) -> None:
    """Though the index lets its pages be kept, and one without it is in the cache."""
    index.page("late", [])
    index.answers["/simple/late/"].headers["Cache-Control"] = "max-age=600, public"
    with pytest.raises(BuildError, match="uv could not resolve late"):
        site("before", installer="uv").environment("env", "late")
    index.add("late", wheel(tmp_path / "late", "late"), "2024-01-01T00:00:00Z")
    after = site("after", installer="uv")
    after.environment("env", "late")
    assert [one.name for one in after.builder.installed] == ["late"]


@needs_uv
def test_hashes_that_pip_would_verify_are_not_passed_over(site: Callable[..., Site], tmp_path: Path) -> None:
    """Of constraints, given or configured, and of an address of this machine."""
    path, constraints = wheel(tmp_path / "here"), tmp_path / "constraints.txt"
    constraints.write_text(f"demo==1.0 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(BuildError, match=r"constraints.txt has hashes"):
        site("given", installer="uv", constraint=constraints).environment("env", "demo")
    here = site("configured", installer="uv")
    variables = {**here.builder.environment.variables, "PIP_CONSTRAINT": str(constraints)}
    here.builder.environment = BuildEnvironment(variables)
    with pytest.raises(BuildError, match=r"constraints.txt has hashes"):
        here.environment("env", "demo")
    with pytest.raises(BuildError, match="has an address with a hash"):
        site("address", installer="uv").environment("env", f"demo @ {path.as_uri()}#sha256={'0' * 64}")
    constraints.write_text("demo==1.0  # not 2\n")
    site("plain", installer="uv", constraint=constraints).environment("env", "demo")


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("echo uv 0.6.17", r"is too old \(0.6.17\)"),
        ("echo something else", "does not say which uv it is"),
        ("exit 1", "does not say which uv it is"),
        ('[ "$1" = --version ] && echo uv 9.0.0 || exit 2', "could not resolve demo"),
        ('[ "$1" = --version ] && echo uv 9.0.0 || kill -9 $$', "could not resolve demo: it .*signal 9"),
        ('[ "$1" != --version ] || echo uv 9.0.0', "what uv resolved cannot be read"),
    ],
)
def test_a_uv_that_is_of_no_use_is_reported(program: str, why: str, site: Callable[..., Site], tmp_path: Path) -> None:
    fake = tmp_path / "bin" / "uv"
    fake.parent.mkdir()
    fake.write_text(f"#!/bin/sh\n{program}\n")
    fake.chmod(0o755)
    here = site(installer="uv")
    variables = here.builder.environment.variables
    here.builder.environment = BuildEnvironment({**variables, "PATH": f"{fake.parent}{os.pathsep}{variables['PATH']}"})
    with pytest.raises(BuildError, match=why) as caught:
        here.environment("env", "demo")
    assert "--installer pip" in caught.value.remedy
    assert not list(here.root.glob("env/lib/*/site-packages/demo*"))


def test_a_uv_that_fails_leaves_it_to_pip(site: Callable[..., Site], tmp_path: Path) -> None:
    """Here in the middle: some of it was installed already."""
    fake = tmp_path / "bin" / "uv"
    fake.parent.mkdir()
    lock = {"name": "demo", "version": "1.0", "wheels": [{"url": "http://h/d-1.whl", "hashes": {"sha256": "0"}}]}
    (tmp_path / "lock").write_text("[[packages]]\n" + "\n".join(f"{key} = {toml(lock[key])}" for key in lock))
    fake.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && exec echo uv 9.0.0\n'
        f'if [ "$2" = compile ]; then while [ "$1" != -o ]; do shift; done; cp {tmp_path}/lock "$2"; exit 0; fi\n'
        'while [ "$1" != --python ]; do shift; done; root="${2%/bin/python}"; mkdir -p "$root"/lib/python3/site-packages\n'
        'echo half > "$root"/lib/python3/site-packages/demo.py; kill -9 $$\n'
    )
    fake.chmod(0o755)
    here = site(installer="auto")
    variables = here.builder.environment.variables
    here.builder.environment = BuildEnvironment({**variables, "PATH": f"{fake.parent}{os.pathsep}{variables['PATH']}"})
    where = here.environment("env", "demo")
    assert [one.split(" ")[0] for one in here.builder.installers] == ["pip"]
    assert not list(where.root.rglob("demo.py"))
    assert list(where.root.glob("lib/*/site-packages/demo/__init__.py"))


def toml(value: Any) -> str:
    """Return *value* as TOML has it."""
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{name} = {toml(one)}' for name, one in value.items())}}}"
    return json.dumps(value)


def test_a_uv_beside_the_interpreter_is_found_without_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(Unsuitable) as caught:
        uv.find({"PATH": str(tmp_path / "empty")})
    assert caught.value.is_missing
    (tmp_path / "uv").write_text("#!/bin/sh\necho uv 7.8.9\n")
    (tmp_path / "uv").chmod(0o755)
    assert str(uv.find({"PATH": str(tmp_path / "empty")})) == "uv 7.8.9"


BEGIN = ("--index-strategy", "unsafe-best-match")


@pytest.mark.parametrize(
    ("settings", "arguments", "resolving"),
    [
        ({}, (), ()),
        ({"find-links": "/not/there https://h/l"}, ("--find-links", "https://h/l"), ()),
        ({"no-index": "1", "pre": "0", "timeout": "3"}, ("--no-index",), ()),
        ({"pre": "true", "constraint": "a.txt b.txt"}, (),
         ("--constraint", "a.txt", "--constraint", "b.txt", "--prerelease", "allow")),
        ({"only-binary": "a,b"}, (), ("--only-binary", "a", "--only-binary", "b")),
        ({"uploaded-prior-to": "2024-01-01T00:00:00Z"}, (), ("--exclude-newer", "2024-01-01T00:00:00Z")),
        ({"trusted-host": "h"}, ("--allow-insecure-host", "h"), ()),
        ({"keyring-provider": "subprocess"}, ("--keyring-provider", "subprocess"), ()),
    ],
)  # fmt: skip
def test_what_pip_is_configured_with_is_uvs(
    settings: dict[str, str], arguments: tuple[str, ...], resolving: tuple[str, ...]
) -> None:
    found = uv.options_for(settings, {})
    assert (found.arguments, found.resolving) == (BEGIN + arguments, resolving)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("no-binary", ":all:"),
        ("target", "t"),
        ("index-url", "/a/path"),
        ("extra-index-url", "../path"),
        # Whether a day counts is not the same for both.
        ("uploaded-prior-to", "2024-01-01"),
        ("use-deprecated", "legacy-resolver"),
        ("keyring-provider", "import"),
        ("find-links", "https://user:secret@h/l"),
        ("unheard-of", "x"),
    ],
)
def test_what_uv_has_no_equal_of_is_left_to_pip(name: str, value: str) -> None:
    with pytest.raises(Unsuitable):
        uv.options_for({name: value}, {})


def test_credentials_of_indexes_are_not_on_the_command_line() -> None:
    """All users of a machine can read that, and none but the own the environment variables of a process."""
    indexes = {"index-url": "https://user:secret@h/s", "extra-index-url": "https://a/s\n https://me:hidden@b/s"}
    found = uv.options_for({**indexes, "trusted-host": "h"}, {"UV_INDEX_URL": "https://other/s"})
    assert found.variables["UV_INDEX_URL"] == "https://user:secret@h/s"
    assert found.variables["UV_EXTRA_INDEX_URL"] == "https://a/s https://me:hidden@b/s"
    assert not [one for one in (*found.arguments, *found.resolving) if "@" in one]


def test_nothing_of_uvs_own_decides() -> None:
    environ = {"UV_INDEX_URL": "https://h/s", "UV_EXCLUDE_NEWER": "2020-01-01", "UV_CACHE_DIR": "/c", "A": "b"}
    environ["UV_OFFLINE"] = "1"
    variables = uv.options_for({"cert": "/c.pem", "proxy": "http://p"}, {**environ, "VIRTUAL_ENV": "/v"}).variables
    assert {name for name in variables if name.startswith("UV_")} == {"UV_CACHE_DIR"}
    assert "VIRTUAL_ENV" not in variables
    assert (variables["SSL_CERT_FILE"], variables["HTTPS_PROXY"], variables["A"]) == ("/c.pem", "http://p", "b")


def test_pips_configuration_is_read_as_pip_reads_it(tmp_path: Path) -> None:
    """Held by ``pip config list``: several files, sections, variables, values over lines, and empty ones."""
    home, shared, named = tmp_path / "home", tmp_path / "xdg", tmp_path / "named.conf"
    for place in (home / ".config/pip", home / ".pip", shared / "pip"):
        place.mkdir(parents=True)
    (shared / "pip/pip.conf").write_text("[global]\nindex-url = https://h/shared\ntimeout = 3\nretries =\n")
    (home / ".pip/pip.conf").write_text("[global]\nfind_links =\n    /a\n    /b\n[wheel]\nno-deps = yes\n")
    (home / ".config/pip/pip.conf").write_text("[global]\nfind-links = /c\n[install]\nconstraint = x.txt\n")
    named.write_text("[install]\nTimeout = 7\n[global]\nindex-url = https://h/named\n")
    environ = {
        "HOME": str(home),
        "XDG_CONFIG_DIRS": str(shared),
        "PIP_CONFIG_FILE": str(named),
        "PIP_PRE": "1",
        "PIP_CONSTRAINT": "",
        "PATH": os.environ["PATH"],
    }
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "config", "list"]
    listed = subprocess.run(command, env=environ, capture_output=True, text=True, check=True, cwd=tmp_path).stdout
    expected: dict[str, str] = {}
    for section in ("global", "install", ":env:"):
        for line in listed.splitlines():
            name, _, value = line.partition("=")
            if name.startswith(f"{section}.") and value != "''":
                expected[name.rpartition(".")[2]] = value.strip("'").replace("\\n", "\n")
    expected.pop("config-file", None)
    expected.pop("disable-pip-version-check", None)
    assert Path("/etc/pip.conf").exists() or pip_settings.read(environ) == expected
    assert expected["timeout"] == "7"
    assert pip_settings.read({**environ, "PIP_CONFIG_FILE": os.devnull}) == {"pre": "1"}
    named.write_text("no section")
    with pytest.raises(ValueError, match="named"):
        pip_settings.read(environ)


def test_the_copy_is_made_from_a_whole_installation_or_not_at_all(tmp_path: Path) -> None:
    """What fails is not kept, and is tried again by whoever asks next."""
    filled = FilledEnvironments(tmp_path / "filled")

    def fail(where: VirtualEnvironment) -> Any:
        where.real.mkdir()
        raise RuntimeError

    for _ in range(2):
        with pytest.raises(RuntimeError):
            filled.get("key", fail)
    assert not list((tmp_path / "filled").iterdir())


def test_who_needs_the_same_at_once_waits_for_it(tmp_path: Path) -> None:
    """One of several threads makes it; another key is made meanwhile."""
    filled, begun, go_on = FilledEnvironments(tmp_path / "filled"), threading.Event(), threading.Event()
    made: list[VirtualEnvironment] = []

    def slowly(where: VirtualEnvironment) -> Any:
        begun.set()
        assert go_on.wait(60)
        made.append(where)
        return object()

    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(filled.get, "key", slowly)
        assert begun.wait(60)
        second = pool.submit(filled.get, "key", slowly)
        other: Any = pool.submit(filled.get, "another", lambda where: where).result()
        go_on.set()
        assert first.result() is second.result()
    assert len(made) == 1
    assert other not in made


def test_waiting_ends_when_all_is_to_end(tmp_path: Path) -> None:
    filled, begun, go_on = FilledEnvironments(tmp_path / "filled"), threading.Event(), threading.Event()
    stop = threading.Event()

    def slowly(where: VirtualEnvironment) -> Any:
        begun.set()
        assert go_on.wait(60)
        return where

    with ThreadPoolExecutor(2) as pool:
        pool.submit(filled.get, "key", slowly)
        assert begun.wait(60)
        stop.set()
        try:
            with pytest.raises(Interrupted):
                filled.get("key", slowly, CommandRunner(stop=stop).check)
        finally:
            go_on.set()
