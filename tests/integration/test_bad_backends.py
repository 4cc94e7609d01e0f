"""Backends, settings and circumstances that are wrong: each gives one clear error with its remedy, and no stray file."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from support.conditions import STRANGER, git, kept_variables
from support.differences import assert_same
from support.projects import small_project
from support.workshop import Workshop

from samebytes.errors import BackendError, ConfigError, OutputError, RecordError, SamebytesError

pytestmark = pytest.mark.integration

CALL = """
import signal, sys
import samebytes.backend as b
signal.signal(signal.SIGINT, signal.default_int_handler)  # the test run may be a background job, which ignores it
print('made', getattr(b, sys.argv[1])(sys.argv[2]))
"""


class Bench:
    """A project, a directory for results and one for temporary files, and the call of a hook on them."""

    def __init__(self, root: Path, workshop: Workshop) -> None:
        self.python = workshop.python
        self.tree, self.out, self.tmp = root / "tree", root / "out", root / "tmp"
        self.out.mkdir()
        self.tmp.mkdir()
        self.variables = {**kept_variables(), "TMPDIR": str(self.tmp), "HOME": str(root), "LC_ALL": "C.UTF-8"}

    def command(self, hook: str = "build_wheel") -> list[str]:
        return [str(self.python), "-c", CALL, hook, str(self.out)]

    def call(self, hook: str = "build_wheel", **more: str) -> subprocess.CompletedProcess[str]:
        return self.run(self.command(hook), **more)

    def run(self, command: list[str], **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.tree,
            env={**self.variables, **more},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def start(self, hook: str = "build_wheel", out: Path | None = None) -> subprocess.Popen[str]:
        command = [*self.command(hook)[:-1], str(out or self.out)]
        return subprocess.Popen(
            command,
            cwd=self.tree,
            env=self.variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def assert_clean(self) -> None:
        """Nothing is left, neither half a result nor a temporary file."""
        assert list(self.out.iterdir()) == []
        assert list(self.tmp.iterdir()) == []


@pytest.fixture
def bench(tmp_path: Path, workshop: Workshop) -> Bench:
    return Bench(tmp_path, workshop)


def assert_error(done: subprocess.CompletedProcess[str], kind: type[SamebytesError], *words: str) -> None:
    """One error of ours with its own exit status and its remedy, which says *words*, and no traceback of ours."""
    assert done.returncode == kind.exit_status, done.stderr
    assert done.stderr.count("samebytes: error:") == 1, done.stderr
    assert "hint: " in done.stderr, done.stderr
    assert "samebytes/backend/hooks.py" not in done.stderr
    assert "made" not in done.stdout
    for word in words:
        assert word in done.stderr, f"{word!r} is not in:\n{done.stderr}"


def test_the_small_project_builds(bench: Bench) -> None:
    """The control of all of these: without the defect it works."""
    small_project(bench.tree)
    assert bench.call("build_wheel").stdout == "made small-1.0-py3-none-any.whl\n"
    assert bench.call("build_sdist").stdout == "made small-1.0.tar.gz\n"
    assert len(list(bench.out.iterdir())) == 2
    assert list(bench.tmp.iterdir()) == []


MISSING = {
    "no such module": ("no_such_backend", ("no_such_backend", "requires")),
    "no such object": ("small_backend:missing", ("small_backend:missing", "missing")),
    "samebytes itself": ("samebytes.backend", ("samebytes cannot wrap itself", "hatchling.build")),
    "a part of samebytes": ("samebytes.backend.hooks", ("samebytes cannot wrap itself",)),
}


@pytest.mark.parametrize("hook", ["build_wheel", "build_sdist", "get_requires_for_build_wheel", "build_editable"])
@pytest.mark.parametrize("case", MISSING)
def test_missing_or_circular_backend(case: str, hook: str, bench: Bench) -> None:
    backend, words = MISSING[case]
    small_project(bench.tree, backend=backend)
    assert_error(bench.call(hook), ConfigError if "itself" in words[0] else BackendError, *words)
    bench.assert_clean()


RAISES = """
import sys
def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    print("progress of the inner backend")
    print("a warning of the inner backend", file=sys.stderr)
    open(wheel_directory + "/half-done", "w").close()
    raise RuntimeError("the compiler is out of cheese")
def build_sdist(sdist_directory, config_settings=None):
    sys.exit("the inner backend leaves")
"""


def test_a_backend_that_raises_is_heard_in_full(bench: Bench) -> None:
    small_project(bench.tree, extra=RAISES)
    done = bench.call()
    assert_error(done, BackendError, "small_backend", "build_wheel", "RuntimeError: the compiler is out of cheese")
    assert "progress of the inner backend\n" in done.stdout
    assert "a warning of the inner backend\n" in done.stderr
    bench.assert_clean()


def test_a_backend_that_exits_is_an_error(bench: Bench) -> None:
    small_project(bench.tree, extra=RAISES)
    assert_error(bench.call("build_sdist"), BackendError, "the inner backend leaves", "build_sdist")
    bench.assert_clean()


def test_a_backend_that_crashes_is_an_error(bench: Bench) -> None:
    crash = "\ndef build_wheel(*args): os.kill(os.getpid(), 11)\n"
    small_project(bench.tree, extra=crash)
    assert_error(bench.call(), BackendError, "signal 11")
    bench.assert_clean()


RETURNS = {
    "None": "'build_wheel'|None|file name",
    "42": "42",
    "'small-2.0-py3-none-any.whl'": "'small-2.0-py3-none-any.whl'|did not write",
    "'small-1.0.tar.gz'": "'small-1.0.tar.gz'|.whl",
    "os.path.abspath('/' + WHEEL_NAME)": "not the name",
    "os.path.join(os.path.dirname(wheel_directory), WHEEL_NAME)": "not the name",
    "os.path.join('.', WHEEL_NAME)": "not the name",
    "'../small-1.0-py3-none-any.whl'": "'../small-1.0-py3-none-any.whl'",
    "''": "''",
}


@pytest.mark.parametrize("value", RETURNS)
def test_a_backend_that_returns_something_else(value: str, bench: Bench) -> None:
    extra = (
        "\n_build = build_wheel\n"
        "def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):\n"
        f"    _build(wheel_directory)\n    return {value}\n"
    )
    small_project(bench.tree, extra=extra)
    words = [word.strip("'") if word == "'build_wheel'" else word for word in RETURNS[value].split("|")]
    assert_error(bench.call(), BackendError, "small_backend", *words)
    bench.assert_clean()


WHOLE_PATHS = """
_wheel, _sdist = build_wheel, build_sdist
def build_wheel(directory, config_settings=None, metadata_directory=None):
    return os.path.join(directory, _wheel(directory))
def build_editable(directory, config_settings=None, metadata_directory=None):
    return os.path.join(os.path.realpath(directory), _wheel(directory))
def build_sdist(directory, config_settings=None):
    return os.path.join(directory, ".", _sdist(directory))
def prepare_metadata_for_build_wheel(directory, config_settings=None):
    info = os.path.join(directory, "small-1.0.dist-info")
    os.mkdir(info)
    with open(os.path.join(info, "METADATA"), "w") as metadata:
        metadata.write(METADATA)
    return info
prepare_metadata_for_build_editable = prepare_metadata_for_build_wheel
"""


@pytest.mark.parametrize("table", ["", "fixed-paths = true\n"])
@pytest.mark.parametrize(
    ("hook", "name"),
    [
        ("build_wheel", "small-1.0-py3-none-any.whl"),
        ("build_editable", "small-1.0-py3-none-any.whl"),
        ("build_sdist", "small-1.0.tar.gz"),
        ("prepare_metadata_for_build_wheel", "small-1.0.dist-info"),
        ("prepare_metadata_for_build_editable", "small-1.0.dist-info"),
    ],
)
def test_a_path_in_the_given_directory_is_taken_with_a_warning(hook: str, name: str, table: str, bench: Bench) -> None:
    """Front ends join it with the directory, which gives that path: so such a backend builds without samebytes."""
    small_project(bench.tree, extra=WHOLE_PATHS, table=table)
    done = bench.call(hook)
    assert done.stdout == f"made {name}\n", done.stderr
    assert (
        f"warning: the inner backend 'small_backend' returned a path from {hook}, and not just {name!r}" in done.stderr
    )
    assert [path.name for path in bench.out.iterdir()] == [name]


FRONT_ENDS = {
    "build": ("-m", "build", "--no-isolation", "--wheel", "--outdir"),
    "pip": ("-m", "pip", "wheel", "--no-build-isolation", "--no-deps", "--verbose", "--wheel-dir"),
    "uv": ("-m", "uv", "build", "--no-build-isolation", "--no-cache", "--offline", "--wheel", "--out-dir"),
    "samebytes": ("-m", "samebytes", "build", "--no-isolation", "--wheel", "-o"),
}

SLOPPY = {
    "a file that it does not list": ("'small.py,' not in line", "line", "small.py: RECORD does not list it"),
    "a row too many": ("True", "line + 'gone.py,,\\n' * ('small.py,' in line)", "gone.py: RECORD gives no digest"),
    "a wrong size": ("True", "line.replace(',10\\n', ',11\\n')", "RECORD gives 11 bytes, the file has 10"),
    "no digests": ("True", "line.partition(',')[0] + ',,\\n'", "small.py: RECORD gives no digest"),
    "rows of directories": ("True", "line + 'small/,,\\nsmall-1.0.dist-info\\\\,,\\n' * ('small.py,' in line)", ""),
    "no row of its own": ("'RECORD,' not in line", "line", ""),
    "backslashes": ("True", "line.replace('/', chr(92))", r"RECORD spells its name 'small-1.0.dist-info\\METADATA'"),
    "names that begin with a dot": ("True", "'./' + line", "small.py: RECORD spells its name './small.py'"),
    "absolute names": ("True", "'/' + line", "RECORD begins all its 4 names with a slash"),
    "another algorithm": ("True", "line.replace('sha256=', 'md5=')", "which is not one of sha256"),
    "a row given twice": ("True", "line * 2", "RECORD lists it twice"),
    "nothing": ("False", "line", "RECORD does not list it"),
}
"""By kind: which rows of a true RECORD stay, as what, and what the warning says."""

RECORD_BY = """
_write = zipfile.ZipFile.writestr
def writestr(self, name, text, *more):
    if str(name).endswith("RECORD"):
        text = "".join({row} for line in text.splitlines(keepends=True) if {condition})
    _write(self, name, text, *more)
zipfile.ZipFile.writestr = writestr
"""


@pytest.mark.parametrize("kind", SLOPPY)
def test_a_record_that_is_only_sloppy_is_written_anew_with_a_warning(kind: str, bench: Bench) -> None:
    """It builds without samebytes, and no digest says that a file is not what the backend wrote."""
    condition, row, fault = SLOPPY[kind]
    small_project(bench.tree, extra=RECORD_BY.format(condition=condition, row=row))
    done = bench.call()
    assert done.stdout == "made small-1.0-py3-none-any.whl\n", done.stderr
    assert fault in done.stderr, done.stderr
    assert done.stderr.count("warning: small-1.0-py3-none-any.whl: the inner backend's RECORD is wrong") == bool(fault)
    wheel = bench.out / "small-1.0-py3-none-any.whl"
    sloppy = wheel.read_bytes()
    small_project(bench.tree)
    assert bench.call().stderr == ""
    assert wheel.read_bytes() == sloppy


@pytest.mark.parametrize("front_end", FRONT_ENDS)
def test_front_ends_build_with_a_backend_that_is_only_sloppy(front_end: str, bench: Bench) -> None:
    """A path where a name should be, and a RECORD of one file."""
    small_project(bench.tree, extra=WHOLE_PATHS + RECORD_BY.format(condition="'METADATA' in line", row="line"))
    command = [str(bench.python), *FRONT_ENDS[front_end], str(bench.out), str(bench.tree)]
    done = bench.run(command, UV_PYTHON=str(bench.python))
    assert done.returncode == 0, done.stderr
    said = done.stdout + done.stderr
    assert "RECORD is wrong, and was written anew: small.py: RECORD does not list it" in said
    assert "returned a path from build_wheel" in said
    with zipfile.ZipFile(bench.out / "small-1.0-py3-none-any.whl") as wheel:
        rows = wheel.read("small-1.0.dist-info/RECORD").decode().splitlines()
        assert [row.partition(",")[0] for row in rows] == [*sorted(wheel.namelist()[:-1]), wheel.namelist()[-1]]


def test_a_wheel_without_a_record_gets_one_with_a_warning(bench: Bench) -> None:
    small_project(
        bench.tree, extra=RECORD_BY.replace("    _write(", "        return\n    _write(").format(row=0, condition=0)
    )
    done = bench.call()
    assert done.stdout == "made small-1.0-py3-none-any.whl\n", done.stderr
    assert "small-1.0.dist-info/RECORD: there is none -> written from the files" in done.stderr


def test_a_wheel_that_is_none_is_an_error(bench: Bench) -> None:
    extra = (
        "\ndef build_wheel(wheel_directory, config_settings=None, metadata_directory=None):\n"
        "    open(os.path.join(wheel_directory, WHEEL_NAME), 'w').close()\n    return WHEEL_NAME\n"
    )
    small_project(bench.tree, extra=extra)
    done = bench.call()
    assert done.returncode == 4, done.stderr
    assert done.stderr.count("samebytes: error:") == 1
    assert "small-1.0-py3-none-any.whl" in done.stderr
    bench.assert_clean()


def test_a_zip_sdist_is_refused_with_the_remedy(bench: Bench) -> None:
    extra = (
        "\ndef build_sdist(sdist_directory, config_settings=None):\n"
        "    zipfile.ZipFile(os.path.join(sdist_directory, 'small-1.0.zip'), 'w').close()\n    return 'small-1.0.zip'\n"
    )
    small_project(bench.tree, extra=extra)
    assert_error(bench.call("build_sdist"), BackendError, "small-1.0.zip", "gztar")
    bench.assert_clean()


def test_unsupported_operation_stays_one(bench: Bench) -> None:
    extra = (
        "\nclass UnsupportedOperation(Exception): pass\n"
        "def build_sdist(sdist_directory, config_settings=None):\n"
        "    raise UnsupportedOperation('no repository, no sdist')\n"
    )
    small_project(bench.tree, extra=extra)
    catch = (
        "import sys, samebytes.backend as b\n"
        "try: b.build_sdist(sys.argv[1])\n"
        "except b.UnsupportedOperation as error: print('unsupported:', error)\n"
    )
    done = bench.run([str(bench.python), "-c", catch, str(bench.out)])
    assert done.stdout.startswith("unsupported:"), done.stderr
    assert "no repository, no sdist" in done.stdout + done.stderr
    bench.assert_clean()


SETTINGS = {
    'debuginfo = "map"': ("'debuginfo'", "'debug-info'"),
    'source_date_epoch = "vcs"': ("'source_date_epoch'", "'source-date-epoch'"),
    "zzz = 1": ("'zzz'", "build-backend"),
    "source-date-epoch = -1": ("negative",),
    "source-date-epoch = 99999999999": ("99999999999", "2107"),
    'source-date-epoch = "yesterday"': ("'yesterday'", "integer"),
    "canonical-form = 2": ("canonical-form", "2"),
    'disable = ["Z003"]': ("disable", "reasons"),
    'disable = { Z003 = "" }': ("Z003", "reason"),
    'disable = { Z999 = "because" }': ("Z999",),
    'disable = { W010 = "because" }': ("W010",),
    'debug-info = "none"': ("debug-info", "'strip'"),
    'inherit = ["HASHSEED"]': ("HASHSEED", "PYTHONHASHSEED"),
}


@pytest.mark.parametrize("line", SETTINGS)
def test_settings_that_make_no_sense(line: str, bench: Bench) -> None:
    small_project(bench.tree, table=line + "\n")
    done = bench.call()
    assert done.returncode == ConfigError.exit_status, done.stderr
    assert done.stderr.count("samebytes: error:") == 1
    assert all(word in done.stderr for word in ("pyproject.toml", *SETTINGS[line])) or "Z999" in line, done.stderr
    assert "Traceback" not in done.stderr
    bench.assert_clean()


def test_malformed_pyproject_says_where(bench: Bench) -> None:
    small_project(bench.tree, table="source-date-epoch = \n")
    assert_error(bench.call(), ConfigError, "pyproject.toml is not valid TOML", "line 8")
    bench.assert_clean()


EPOCHS = ["", "yesterday", "-1", "1.5", " 1580601600", "1580601600\n", "0x10", "٤٢", "99999999999", "9" * 5000]


@pytest.mark.parametrize("value", EPOCHS, ids=range(len(EPOCHS)))
@pytest.mark.parametrize("hook", ["build_wheel", "build_sdist"])
def test_malformed_source_date_epoch_is_shown(value: str, hook: str, bench: Bench) -> None:
    small_project(bench.tree)
    done = bench.call(hook, SOURCE_DATE_EPOCH=value)
    assert_error(done, ConfigError, "SOURCE_DATE_EPOCH", repr(value[:40])[:-1], "1580601600")
    assert len(done.stderr) < 1000
    bench.assert_clean()


VCS = 'source-date-epoch = "vcs"\n'


def test_vcs_without_a_repository(bench: Bench) -> None:
    small_project(bench.tree, table=VCS)
    needs("git")
    assert_error(bench.call(), ConfigError, "vcs", "not a git repository", "SOURCE_DATE_EPOCH")
    bench.assert_clean()


def test_vcs_in_a_repository_of_the_parents(bench: Bench) -> None:
    small_project(bench.tree, table=VCS)
    needs("git")
    parent = bench.tree.parent
    (parent / "pyproject.toml").write_text("")
    git("init", "--quiet", cwd=parent)
    git("add", "pyproject.toml", cwd=parent)
    git("commit", "--quiet", "--message", "Not the tree", cwd=parent)
    assert_error(bench.call(), ConfigError, "tracks neither", "SOURCE_DATE_EPOCH")
    bench.assert_clean()


def test_vcs_without_a_commit(bench: Bench) -> None:
    small_project(bench.tree, table=VCS)
    needs("git")
    git("init", "--quiet", cwd=bench.tree)
    git("add", ".", cwd=bench.tree)
    assert_error(bench.call(), ConfigError, "HEAD", "SOURCE_DATE_EPOCH")
    bench.assert_clean()


def test_vcs_in_a_repository_of_somebody_else(bench: Bench) -> None:
    needs("git")
    if os.geteuid() != 0:
        pytest.skip("only root can give a directory away")
    small_project(bench.tree, table=VCS)
    committed(bench.tree)
    for path in [bench.tree, *bench.tree.rglob("*")]:
        os.chown(path, STRANGER, STRANGER)
    assert_error(bench.call(), ConfigError, "dubious ownership", "a clone that you own")
    bench.assert_clean()


def committed(tree: Path) -> None:
    git("init", "--quiet", cwd=tree)
    git("add", ".", cwd=tree)
    git("commit", "--quiet", "--message", "All of it", cwd=tree, date="2021-03-04T05:06:07+00:00")


def needs(tool: str) -> None:
    if shutil.which(tool) is None:
        pytest.skip(f"needs {tool}")


def test_a_front_end_shows_the_error_and_no_more(bench: Bench) -> None:
    small_project(bench.tree, backend="no_such_backend")
    build = [str(bench.python), "-m", "build", "--no-isolation", "--wheel", "--outdir", str(bench.out)]
    done = bench.run(build)
    assert done.returncode != 0
    assert (done.stdout + done.stderr).count("samebytes: error:") == 1
    assert "no_such_backend" in done.stderr
    bench.assert_clean()


def with_tmpfs(options: str, command: list[str]) -> list[str]:
    """Return *command* with a file system of its own mounted on its last argument, or skip."""
    script = f'mount -t tmpfs -o {options} tmpfs "$0" && exec "$@"'
    probe = ["unshare", "--mount", "sh", "-c", script, "/mnt", "true"]
    if shutil.which("unshare") is None or subprocess.run(probe, capture_output=True, check=False).returncode != 0:
        pytest.skip("needs the right to mount a file system of its own")
    return ["unshare", "--mount", "sh", "-c", script, command[-1], *command]


@pytest.mark.parametrize("hook", ["build_wheel", "build_sdist"])
def test_a_target_that_is_read_only(hook: str, bench: Bench) -> None:
    small_project(bench.tree)
    done = bench.run(with_tmpfs("ro,size=64k", bench.command(hook)))
    assert_error(done, OutputError, str(bench.out), "Read-only", "writable")
    bench.assert_clean()


PREPARE = """
def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    os.mkdir(os.path.join(metadata_directory, "small-1.0.dist-info"))
    with open(os.path.join(metadata_directory, "small-1.0.dist-info", "METADATA"), "w") as metadata:
        metadata.write(METADATA{change})
    return "small-1.0.dist-info"
"""
PREPARE_AND_BUILD = """
import os, sys, samebytes.backend as b
out, metadata = sys.argv[1], sys.argv[2]
os.mkdir(metadata)
name = b.prepare_metadata_for_build_wheel(metadata)
print("made", b.build_wheel(out, None, os.path.join(metadata, name)))
"""


def test_metadata_that_was_prepared_must_be_the_wheels(bench: Bench) -> None:
    """A front end has resolved dependencies by what was prepared (PEP 517, ``build_wheel``)."""
    small_project(bench.tree, extra=PREPARE.replace("{change}", '.replace("1.0", "2.0")'))
    prepared = bench.out.with_name("prepared")
    done = bench.run([str(bench.python), "-c", PREPARE_AND_BUILD, str(bench.out), str(prepared)])
    assert_error(done, BackendError, "METADATA", "Version: 2.0", "Version: 1.0", "prepare_metadata_for_build_wheel")
    bench.assert_clean()


def test_metadata_that_is_the_wheels_is_taken(bench: Bench) -> None:
    small_project(bench.tree, extra=PREPARE.replace("{change}", ""))
    prepared = bench.out.with_name("prepared")
    done = bench.run([str(bench.python), "-c", PREPARE_AND_BUILD, str(bench.out), str(prepared)])
    assert done.stdout == "made small-1.0-py3-none-any.whl\n", done.stderr


def test_a_wheel_whose_record_lies_is_refused(bench: Bench) -> None:
    small_project(bench.tree, extra='\n_row = row\ndef row(name, text): return _row(name, text + "x")\n')
    done = bench.call()
    assert_error(done, RecordError, "RECORD", "small.py", "report it there")
    assert "--rebuild-record" not in done.stderr
    bench.assert_clean()


@pytest.mark.parametrize(
    "row", ["line.replace('=', '=x')", "'./' + line.replace('=', '=x')", "line + line.replace('=', '=x')"]
)
def test_a_digest_that_is_wrong_is_refused_however_sloppy_the_rest_is(row: str, bench: Bench) -> None:
    small_project(bench.tree, extra=RECORD_BY.format(condition="'WHEEL' not in line", row=row))
    assert_error(bench.call(), RecordError, "small.py", "report it there")
    bench.assert_clean()


FULL = """
MEMBERS["big.bin"] = "".join(chr(33 + byte % 90) for byte in os.urandom(600000))
"""


def test_a_target_that_is_full(bench: Bench) -> None:
    small_project(bench.tree, extra=FULL)
    command = with_tmpfs("size=64k", bench.command())
    # What is left is seen inside the namespace only.
    look = f'"$@"; status=$?; ls -A {bench.out} >&2; exit $status'
    command = [*command[: -len(bench.command())], "sh", "-c", look, "sh", *bench.command()]
    done = bench.run(command)
    assert_error(done, OutputError, "No space left", "space")
    assert ".samebytes-" not in done.stderr
    assert done.stderr.rstrip().splitlines()[-1].startswith("  hint:")
    bench.assert_clean()


def test_a_failed_build_leaves_the_earlier_result(bench: Bench) -> None:
    small_project(bench.tree, extra=RAISES)
    earlier = bench.out / "small-1.0-py3-none-any.whl"
    earlier.write_bytes(b"what was built before")
    assert_error(bench.call(), BackendError)
    assert earlier.read_bytes() == b"what was built before"
    assert list(bench.out.iterdir()) == [earlier]


SLOW = """
def build_wheel(wheel_directory, config_settings=None, metadata_directory=None, _build=build_wheel):
    open("started", "w").write(str(os.getpid()))
    time.sleep(60)
    return _build(wheel_directory)
"""


def wait_for(condition: Callable[[], object], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_the_inner_backend_works(number: signal.Signals, bench: Bench) -> None:
    small_project(bench.tree, extra=SLOW)
    started = bench.tree / "started"
    process = bench.start()
    wait_for(lambda: started.exists() and started.read_text(), process)
    process.send_signal(number)
    process.communicate(timeout=20)
    assert process.returncode != 0
    with pytest.raises(ProcessLookupError):
        os.kill(int(started.read_text()), 0)
    bench.assert_clean()


LARGE = """
def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    data = os.urandom(1 << 20) * 64
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    with zipfile.ZipFile(os.path.join(wheel_directory, WHEEL_NAME), "w") as wheel:
        wheel.writestr("large.bin", data)
        rows = "large.bin,sha256=%s,%d\\n" % (digest, len(data))
        for name, text in MEMBERS.items():
            wheel.writestr(name, text)
            rows += row(name, text)
        wheel.writestr("small-1.0.dist-info/RECORD", rows + "small-1.0.dist-info/RECORD,,\\n")
    return WHEEL_NAME
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_the_wheel_is_rewritten(number: signal.Signals, bench: Bench) -> None:
    small_project(bench.tree, extra=LARGE)
    process = bench.start()
    wait_for(lambda: list(bench.out.glob(".samebytes-*")), process)
    process.send_signal(number)
    process.communicate(timeout=20)
    assert process.returncode != 0
    bench.assert_clean()


ALONE = """
def build_wheel(wheel_directory, config_settings=None, metadata_directory=None, _build=build_wheel):
    os.mkdir("nobody-else")
    time.sleep(1)
    os.rmdir("nobody-else")
    return _build(wheel_directory)
"""


def test_two_builds_of_one_tree_at_once_take_turns(bench: Bench) -> None:
    small_project(bench.tree, extra=ALONE)
    targets = [bench.out / "first", bench.out / "second"]
    for target in targets:
        target.mkdir()
    processes = [bench.start(out=target) for target in targets]
    outputs = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    assert sum("waiting for it" in errors for _, errors in outputs) == 1
    assert_same([target / "small-1.0-py3-none-any.whl" for target in targets])
    assert list(bench.tmp.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="no such file descriptors")
def test_a_backend_that_daemonizes_a_child_does_not_hang_the_hook(bench: Bench) -> None:
    """A compiler server (sccache, ccache) outlives the build and inherits its descriptors."""
    extra = (
        "\nimport subprocess\n"
        "def build_wheel(wheel_directory, config_settings=None, metadata_directory=None, _build=build_wheel):\n"
        "    server = subprocess.Popen(['sleep', '30'], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,\n"
        "                              stderr=subprocess.DEVNULL, close_fds=False, start_new_session=True)\n"
        "    open('server', 'w').write(str(server.pid))\n"
        "    return _build(wheel_directory)\n"
    )
    small_project(bench.tree, extra=extra)
    process = bench.start()
    try:
        output, errors = process.communicate(timeout=20)
    finally:
        os.kill(int((bench.tree / "server").read_text()), signal.SIGTERM)
    assert output == "made small-1.0-py3-none-any.whl\n", errors
