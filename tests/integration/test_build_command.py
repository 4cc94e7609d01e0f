"""``samebytes build`` for real: equal bytes from unlike places, and clean ends of every kind."""

from __future__ import annotations

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from support.conditions import CONTROL, EXPERIMENT, Place, git, kept_variables, settle, wait_past
from support.differences import assert_same, contents
from support.processes import PATIENCE, is_running, linux_only, pid_in, wait_for, without_mount_namespaces
from support.projects import BY_NAME, SMALL_BACKEND, copy_bare, header_wheel, missing_tools, small_project, write_tree
from support.schemas import assert_valid
from support.workshop import Workshop

pytestmark = pytest.mark.integration

WHEEL, SDIST = "small-1.0-py3-none-any.whl", "small-1.0.tar.gz"

BUILD = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # the test run may be a background job, which ignores it
from samebytes.commands.main import main
sys.exit(main(["build", *sys.argv[1:]]))
"""


def build(place: Place, workshop: Workshop, *arguments: str | Path, **more: str) -> dict[str, Any]:
    """Run ``samebytes build --json`` in *place* and return its document, which is what the schema says."""
    command = [workshop.python, "-m", "samebytes", "build", "--json", *arguments]
    document: dict[str, Any] = json.loads(place.run(command, more=more).stdout)
    assert_valid(document, "build")
    return document


def files(document: dict[str, Any], kind: str) -> list[Path]:
    return [Path(artifact["path"]) for artifact in document["artifacts"] if artifact["kind"] == kind]


def place_for(name: str, root: Path, *, hostile: bool = False, source: Path | None = None) -> Place:
    missing = missing_tools(BY_NAME[name])
    if missing:
        pytest.skip(f"{name} needs {', '.join(missing)}")
    return settle(EXPERIMENT if hostile else CONTROL, source or BY_NAME[name].path, root)


@pytest.mark.network
@pytest.mark.parametrize(
    "name",
    [
        "setuptools-c-extension",
        pytest.param("setuptools-pyproject", marks=pytest.mark.broad("the same without an extension module")),
    ],
)
def test_two_hostile_places_and_three_front_ends(name: str, roots: tuple[Path, Path], workshop: Workshop) -> None:
    """The same sdist and wheel from both places, and the same wheel through the hook under build and under pip."""
    quiet = place_for(name, roots[0])
    first = build(quiet, workshop, quiet.tree, "-o", quiet.root / "out")
    wait_past(time.time())
    hostile = place_for(name, roots[1], hostile=True)
    second = build(hostile, workshop, hostile.tree, "-o", hostile.root / "out")
    online = workshop.index(dict(quiet.variables))
    by_build, by_pip = quiet.directory("by-build"), quiet.directory("by-pip")
    quiet.run([workshop.python, "-m", "build", "--wheel", "--outdir", by_build, quiet.tree], more=online)
    quiet.run([workshop.python, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", by_pip, quiet.tree], more=online)
    assert_same([*files(first, "sdist"), *files(second, "sdist")])
    assert_same([*files(first, "wheel"), *files(second, "wheel"), *by_build.glob("*.whl"), *by_pip.glob("*.whl")])
    assert first["fixed_paths"] == second["fixed_paths"]
    assert not any(artifact["warnings"] for document in (first, second) for artifact in document["artifacts"])
    assert [one["name"] for one in first["build_requirements"]] == ["setuptools"]


@pytest.mark.parametrize("name", ["flit", "setuptools-c-extension"])
def test_wrapped_or_not_and_from_tree_or_sdist(
    name: str, roots: tuple[Path, Path], workshop: Workshop, tmp_path: Path
) -> None:
    wrapped = place_for(name, roots[0])
    bare = place_for(name, roots[1], hostile=True, source=copy_bare(BY_NAME[name], tmp_path / "bare"))
    wheels = []
    for number, (place, kinds) in enumerate([(wrapped, []), (wrapped, ["--wheel"]), (bare, ["--sdist", "--wheel"])]):
        out = place.root / f"out{number}"
        tools = workshop.tools(dict(place.variables))
        wheels += files(build(place, workshop, "-n", *kinds, place.tree, "-o", out, **tools), "wheel")
        wait_past(time.time())
    assert_same(wheels)


@pytest.mark.network
def test_lock_files_of_samebytes_and_of_uv(roots: tuple[Path, Path], workshop: Workshop) -> None:
    quiet = place_for("hatchling", roots[0])
    own, uvs = quiet.root / "pylock.toml", quiet.root / "pylock.uv.toml"
    first = build(quiet, workshop, quiet.tree, "-o", quiet.root / "out", "--lock", own)
    (quiet.root / "requirements.in").write_text("hatchling\nno-such-thing; python_version < '3'\n")
    compile_ = [workshop.bin / "uv", "pip", "compile", "--quiet", "--universal", "--format", "pylock.toml"]
    quiet.run([*compile_, quiet.root / "requirements.in", "--output-file", uvs])
    hostile = place_for("hatchling", roots[1], hostile=True)
    again = [
        build(hostile, workshop, hostile.tree, "-o", hostile.root / path.stem, "--locked", path) for path in (own, uvs)
    ]
    for kind in ("sdist", "wheel"):
        assert_same(file for document in (first, *again) for file in files(document, kind))
    assert again[0]["build_requirements"] == first["build_requirements"]


class Bench:
    """A small project and the directories around it; pip is offline and finds one wheel."""

    def __init__(self, root: Path, workshop: Workshop) -> None:
        self.python, self.root = workshop.python, root
        self.tree, self.out, self.tmp = root / "tree", root / "out", root / "tmp"
        self.tmp.mkdir()
        self.links = header_wheel(root / "links").parent
        kept = {name: value for name, value in kept_variables().items() if not name.startswith("PIP_FIND")}
        self.variables = {
            **kept,
            "HOME": str(root),
            "TMPDIR": str(self.tmp),
            "PIP_NO_INDEX": "1",
            "PIP_CONFIG_FILE": os.devnull,
        }
        self.found = {"PIP_FIND_LINKS": str(self.links)}

    def command(self, *arguments: str | Path) -> list[str]:
        return [str(self.python), "-c", BUILD, *map(str, arguments or (self.tree, "--wheel", "-n", "-o", self.out))]

    def run(self, command: Sequence[str], **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.root,
            env={**self.variables, **more},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def build(self, *arguments: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
        return self.run(self.command(*arguments), **more)

    def start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(),
            cwd=self.root,
            env=self.variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def needing(self, *requirements: str) -> Path:
        """Make the project an unwrapped one with these build requirements."""
        table = f"requires = {json.dumps(requirements)}\nbuild-backend = 'small_backend'\nbackend-path = ['backend']\n"
        files = {
            "pyproject.toml": f"[build-system]\n{table}",
            "backend/small_backend.py": SMALL_BACKEND + (IMPORTS if requirements else ""),
        }
        return write_tree(self.tree, files)

    def assert_clean(self) -> None:
        """Nothing is left, neither half a result nor a temporary file."""
        assert not self.out.exists() or list(self.out.iterdir()) == []
        assert list(self.tmp.iterdir()) == []


IMPORTS = """
def build_wheel(wheel_directory, config_settings=None, metadata_directory=None, _build=build_wheel):
    import foreign_headers
    return _build(wheel_directory)
"""


@pytest.fixture
def bench(tmp_path: Path, workshop: Workshop) -> Bench:
    return Bench(tmp_path, workshop)


def assert_one_error(done: subprocess.CompletedProcess[str], status: int, *words: str) -> None:
    """One error, the last thing said, with its own exit status and its remedy."""
    assert done.returncode == status, done.stderr
    assert done.stderr.count("samebytes: error:") == 1, done.stderr
    assert done.stderr.rstrip().splitlines()[-1].startswith("  hint: "), done.stderr
    assert "Traceback" not in done.stderr.partition("samebytes: error:")[2]
    for word in words:
        assert word in done.stderr, f"{word!r} is not in:\n{done.stderr}"


def test_a_lock_of_local_wheels_and_what_goes_wrong_with_it(bench: Bench) -> None:
    bench.needing("foreign-headers")
    first = bench.build("tree", "-o", "out", "--lock", "pylock.toml", **bench.found)
    assert first.returncode == 0, first.stderr
    assert "pylock.toml\n  foreign-headers 1.0\n" in first.stdout
    second = bench.build("tree", "-o", "again", "--locked", "pylock.toml")
    assert second.returncode == 0, second.stderr
    for name in (WHEEL, SDIST):
        assert_same([bench.out / name, bench.root / "again" / name])
    text = (bench.root / "pylock.toml").read_text()
    digest = text.partition('sha256 = "')[2][:64]
    (bench.root / "pylock.wrong.toml").write_text(text.replace(digest, "0" * 64))
    wrong = bench.build("tree", "-o", "wrong", "--locked", "pylock.wrong.toml")
    assert_one_error(wrong, 7, "DO NOT MATCH THE HASHES", digest, "could not install", "a hash is wrong")
    bench.needing("foreign-headers", "something-else>=2")
    missing = bench.build("tree", "-o", "wrong", "--locked", "pylock.toml")
    assert_one_error(missing, 3, "needs 'something-else>=2', but the lock file does not have it", "--lock")
    assert not (bench.root / "wrong").exists()
    assert list(bench.tmp.iterdir()) == []


def test_what_a_locked_package_needs_must_be_locked_too(bench: Bench) -> None:
    bench.needing("needy")
    wheel = write_wheel(bench.links, "needy", "Requires-Dist: foreign-headers>=1\n")
    assert bench.build("tree", "--lock", "pylock.toml", **bench.found).returncode == 0
    text = (bench.root / "pylock.toml").read_text()
    head, _, tables = text.partition("[[packages]]")
    needy = next(table for table in tables.split("[[packages]]") if wheel.name in table)
    (bench.root / "pylock.toml").write_text(f"{head}[[packages]]{needy}")
    done = bench.build("tree", "--locked", "pylock.toml", **bench.found)
    assert_one_error(done, 7, "foreign-headers>=1", "from needy", "lock anew with --lock")


def write_wheel(directory: Path, name: str, more: str) -> Path:
    from support.artifacts import wheel

    path = wheel(directory, name, {f"{name}.py": b""})
    members = contents(path)
    members[f"{name}-1.0.dist-info/METADATA"] += more.encode()
    record = f"{name}-1.0.dist-info/RECORD"
    members[record] = "".join(f"{member},,\n" for member in members).encode()
    import zipfile

    with zipfile.ZipFile(path, "w") as archive:
        for member, data in members.items():
            archive.writestr(member, data)
    return path


def test_a_requirement_in_a_directory_cannot_be_locked(bench: Bench) -> None:
    bench.needing()
    other = bench.tree.rename(bench.root / "other")
    bench.needing(f"small @ {other.as_uri()}")
    done = bench.build("tree", "-o", "out", "--lock", "pylock.toml", **bench.found)
    assert_one_error(done, 3, f"small 1.0 came from {other.as_uri()}", "cannot be locked", "--find-links")
    assert "Building the " not in done.stderr
    assert not (bench.root / "pylock.toml").exists()
    bench.assert_clean()


def test_constraints_and_relative_paths(bench: Bench) -> None:
    bench.needing("foreign-headers")
    here = bench.root / "here"
    here.mkdir()
    (here / "constraints.txt").write_text("foreign-headers==1.0\n")
    (here / "too-new.txt").write_text("foreign-headers>=2\n")
    arguments = ("../tree", "-w", "-o", "../out/deep", "--lock", "pylock.toml", "--build-constraint")
    relative = {"PIP_FIND_LINKS": "../links"}
    command = bench.command(*arguments, "constraints.txt")
    subprocess.run(command, cwd=here, env={**bench.variables, **relative}, check=True, capture_output=True)
    assert [path.name for path in (bench.out / "deep").iterdir()] == [WHEEL]
    assert sorted(path.name for path in here.iterdir()) == ["constraints.txt", "pylock.toml", "too-new.txt"]
    done = bench.build("tree", "--build-constraint", "here/too-new.txt", **bench.found)
    assert_one_error(done, 7, "foreign-headers", "could not install")


def test_the_default_output_is_not_built_from(bench: Bench) -> None:
    small_project(bench.tree, extra='\nMEMBERS["listing.txt"] = repr(sorted(os.listdir(".")))\n')
    for _ in range(2):
        assert bench.build("tree", "-n", "--wheel").returncode == 0
        wheel = contents(bench.tree / "dist" / WHEEL)
        assert wheel["listing.txt"].decode() == "['backend', 'pyproject.toml']"
    assert sorted(path.name for path in bench.tree.iterdir()) == ["backend", "dist", "pyproject.toml"]


DESCRIBED = """
import subprocess
def build_wheel(wheel_directory, config_settings=None, metadata_directory=None, _build=build_wheel):
    MEMBERS["version.txt"] = subprocess.check_output(["git", "describe", "--tags", "--dirty"], text=True)
    return _build(wheel_directory)
"""


def test_a_project_in_a_directory_of_a_worktree(bench: Bench) -> None:
    if shutil.which("git") is None:
        pytest.skip("needs git")
    repository = bench.root / "repository"
    small_project(repository / "part", extra=DESCRIBED)
    git("init", "--quiet", cwd=repository)
    git("add", "--all", cwd=repository)
    git("commit", "--quiet", "--message", "All of it", cwd=repository, date="2021-03-04T05:06:07+00:00")
    git("tag", "v4.2", cwd=repository)
    git("worktree", "add", "--quiet", str(bench.root / "side"), "-b", "side", cwd=repository)
    for tree in (repository, bench.root / "side"):
        out = bench.root / f"out-{tree.name}"
        done = bench.build(tree / "part", "-n", "--wheel", "-o", out)
        assert done.returncode == 0, done.stderr
        assert contents(out / WHEEL)["version.txt"] == b"v4.2\n"
    assert_same(bench.root / f"out-{name}" / WHEEL for name in ("repository", "side"))


FAILING = """
import sys
def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    print("progress of the backend")
    os.write(2, b"a warning \\xff of the backend\\n")
    raise RuntimeError("the compiler is out of cheese")
"""


@pytest.mark.parametrize("option", ["-q", "-v"])
def test_a_failing_backend_is_heard_in_full(option: str, bench: Bench) -> None:
    small_project(bench.tree, extra=FAILING)
    command = [*bench.command(), option]
    done = subprocess.run(command, cwd=bench.root, env=bench.variables, capture_output=True, check=False)
    assert done.returncode == 7
    assert done.stdout == b""
    assert done.stderr.count(b"progress of the backend\n") == 1
    assert b"a warning \xff of the backend\n" in done.stderr
    assert b"RuntimeError: the compiler is out of cheese\n" in done.stderr
    assert done.stderr.count(b"samebytes: error: ") == 1
    assert done.stderr.splitlines()[-1].startswith(b"  hint: ")
    assert (b"Building the wheel\n" in done.stderr) == (option == "-v")
    bench.assert_clean()


def test_quiet_and_verbose_success(bench: Bench) -> None:
    small_project(bench.tree, extra="\nprint('imported')\n")
    quiet = bench.run([*bench.command(), "-q"], SAMEBYTES_FIXED_PATHS="x")
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")
    normal = bench.run(bench.command())
    assert normal.stderr == "Copying the source tree\nBuilding the wheel\nWriting the results\n"
    assert "imported" in bench.run([*bench.command(), "-v"]).stderr


def read_to_the_end(terminal: int) -> bytes:
    """Return all that was written to a terminal whose other side is closed; Linux says EIO at its end."""
    data = b""
    while True:
        try:
            more = os.read(terminal, 10_000)
        except OSError:
            return data
        if not more:
            return data
        data += more


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_progress_on_a_terminal_is_one_line(bench: Bench) -> None:
    small_project(bench.tree)
    ours, theirs = pty.openpty()
    environ = {**bench.variables, "TERM": "xterm", "COLUMNS": "80"}
    done = subprocess.run(
        bench.command(), env=environ, stdout=subprocess.PIPE, stderr=theirs, check=True, timeout=PATIENCE
    )
    os.close(theirs)
    shown = read_to_the_end(ours).decode()
    os.close(ours)
    steps = ["Copying the source tree", "Building the wheel", "Writing the results"]
    assert shown == "".join(f"\r\x1b[K{step}" for step in steps) + "\r\x1b[K"
    assert done.stdout.count(b"sha256") == 1


COMPILING = """
import subprocess
def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    compiler = subprocess.Popen(["sleep", "60"])
    with open(ROOT + "/backend", "w") as backend: backend.write(str(os.getpid()))
    with open(ROOT + "/compiler", "w") as file: file.write(str(compiler.pid))
    compiler.wait()
"""


@linux_only
@pytest.mark.parametrize(
    ("whom", "number", "status"),
    [
        ("the group", signal.SIGINT, 130),
        ("the command", signal.SIGTERM, 143),
        ("the backend", signal.SIGKILL, 7),
    ],
)
def test_a_signal_midway(whom: str, number: signal.Signals, status: int, bench: Bench) -> None:
    small_project(bench.tree, extra=f"\nROOT = {str(bench.root)!r}\n{COMPILING}")
    bench.out.mkdir()
    process = bench.start()
    pids = [pid_in(bench.root / name) for name in ("backend", "compiler")]
    if whom == "the group":
        os.killpg(process.pid, number)
    else:
        os.kill(process.pid if whom == "the command" else pids[0], number)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == status, errors
    assert errors.count("samebytes: error:") == 1
    assert not any(map(is_running, pids))
    bench.assert_clean()


@linux_only
def test_nothing_goes_on_when_the_command_is_killed(bench: Bench) -> None:
    small_project(bench.tree, extra=f"\nROOT = {str(bench.root)!r}\n{COMPILING}")
    process = bench.start()
    pids = [pid_in(bench.root / name) for name in ("backend", "compiler")]
    process.kill()
    process.communicate()
    wait_for(lambda: not any(map(is_running, pids)), "their end")
    assert not bench.out.exists()


def with_small_disk(path: Path, size: str, command: Sequence[str]) -> list[str]:
    """Return *command* with a file system of *size* mounted on *path*, and a listing of it in the end; or skip."""
    script = f'mount -t tmpfs -o size={size} tmpfs "{path}" && {{ "$@"; status=$?; ls -A "{path}"; exit $status; }}'
    mounts = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"]
    if (
        shutil.which("unshare") is None
        or subprocess.run([*mounts, "true"], capture_output=True, check=False).returncode
    ):
        pytest.skip("needs the right to mount a file system of its own")
    return [*mounts, *command]


LARGE = '\nMEMBERS["large.bin"] = "".join(chr(33 + byte % 90) for byte in os.urandom(600000))\n'


@pytest.mark.parametrize("size", ["4k", "256k"])
def test_no_room_for_the_build(size: str, bench: Bench) -> None:
    small_project(bench.tree, extra=LARGE)
    done = bench.run(with_small_disk(bench.tmp, size, bench.command()))
    assert_one_error(done, 8, "there is no room" if size == "4k" else "there was no room", "TMPDIR")
    assert done.stdout == "", "nothing is left on that disk"
    bench.assert_clean()


def test_no_room_for_the_results(bench: Bench) -> None:
    small_project(bench.tree, extra=LARGE)
    bench.out.mkdir()
    command = bench.command(bench.tree, "-n", "-o", bench.out)
    done = bench.run(with_small_disk(bench.out, "64k", command))
    assert_one_error(done, 8, "No space left on device", WHEEL)
    assert done.stdout == "", "not even the sdist, for which there was room"


def test_without_mount_namespaces(bench: Bench) -> None:
    """Root makes the fixed path itself; everybody else builds at a path of his own, and is warned of it once."""
    small_project(bench.tree, extra='\nMEMBERS["where.txt"] = os.getcwd()\n')
    done = bench.run(without_mount_namespaces(bench.command("tree", "--wheel", "-n", "--json")))
    assert done.returncode == 0, done.stderr
    taken = os.geteuid() == 0
    warning = "warning: not building at the fixed path /srv/samebytes: the kernel allows no mount"
    assert done.stderr.count(warning) == (not taken)
    assert json.loads(done.stdout)["fixed_paths"] is taken
    (wheel,) = files(json.loads(done.stdout), "wheel")
    assert contents(wheel)["where.txt"].startswith(b"/srv/samebytes" if taken else bytes(bench.tmp))
    assert list(bench.tmp.iterdir()) == []
    assert not Path("/srv/samebytes").exists()


def test_two_builds_at_once(bench: Bench) -> None:
    small_project(bench.tree, extra='\nMEMBERS["where.txt"] = os.getcwd()\ntime.sleep(0.3)\n')
    commands = [bench.command("tree", "-n", "-o", name, "-q", "--json") for name in ("first", "second")]
    running = [
        subprocess.Popen(command, cwd=bench.root, env=bench.variables, stdout=subprocess.PIPE, text=True)
        for command in commands
    ]
    told = [json.loads(process.communicate(timeout=PATIENCE)[0]) for process in running]
    for kind in ("sdist", "wheel"):
        wheels = [path for document in told for path in files(document, kind)]
        assert len(wheels) == 2
        if all(document["fixed_paths"] for document in told):
            assert_same(wheels)
    assert list(bench.tmp.iterdir()) == []


def test_a_build_within_a_build_warns_once(bench: Bench) -> None:
    small_project(bench.tree)
    done = bench.run([*bench.command(), "--json"], SAMEBYTES_FIXED_PATHS="/srv/samebytes")
    assert done.returncode == 0
    assert done.stderr.count("samebytes: warning: not building at the fixed path /srv/samebytes: ") == 1
    assert json.loads(done.stdout)["fixed_paths"] is False


NEEDED = ("build*", "filelock*", "packaging*", "platformdirs*", "pyproject_hooks*", "python_discovery*")
NEEDED += ("samebytes*", "tomli*", "typing_extensions*")
"""What ``samebytes build`` imports."""


@pytest.mark.skipif(sys.platform == "win32", reason="links the parts of another environment")
def test_where_samebytes_has_no_pip(bench: Bench, workshop: Workshop) -> None:
    """As after ``uv tool install``: the pip that ensurepip puts into the isolated environment is used."""
    bench.needing("foreign-headers")
    environment = bench.root / "tool"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    (theirs,) = (workshop.environment / "lib").glob("python*/site-packages")
    (ours,) = (environment / "lib").glob("python*/site-packages")
    for pattern in NEEDED:
        for path in theirs.glob(pattern):
            (ours / path.name).symlink_to(path)
    bench.python = environment / "bin/python"
    assert subprocess.run([bench.python, "-c", "import pip"], capture_output=True, check=False).returncode == 1
    done = bench.build("tree", "--wheel", "-o", "out", "--lock", "pylock.toml", **bench.found)
    assert done.returncode == 0, done.stderr
    assert (bench.out / WHEEL).exists()
    assert "foreign-headers" in (bench.root / "pylock.toml").read_text()
