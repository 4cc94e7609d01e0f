"""``samebytes survey run`` as it is used: real processes, an index of the test's own, little projects."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from samebytes_tools.commands.check.subject import AS_IS, BUILD, HOOK, NORMALIZED
from samebytes_tools.commands.survey.model import KINDS, WAYS, State
from samebytes_tools.commands.survey.sandbox import sandbox
from samebytes_tools.commands.survey.store.store import Store
from support.dask_cluster import Cluster
from support.indexes import Server, serving
from support.surveyed import sdist

pytestmark = [pytest.mark.integration, pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")]

PATIENCE = 600.0
PROGRAM = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from samebytes.commands.main import main
sys.exit(main())
"""
FAILING = "\ndef build_sdist(*_, **__):\n    raise RuntimeError('on purpose')\nbuild_wheel = build_sdist\n"
FOREVER = "\nimport time\ndef build_sdist(*_, **__):\n    time.sleep(100_000)\n"


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


def surroundings(tmp_path: Path, server: Server) -> dict[str, str]:
    """Return the variables by which a runner finds *server*, and leaves things in *tmp_path* only."""
    (tmp_path / "tmp").mkdir(exist_ok=True)
    return {
        "PIP_INDEX_URL": server.address,
        "TMPDIR": str(tmp_path / "tmp"),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }


def started(tmp_path: Path, server: Server, *arguments: str) -> subprocess.Popen[str]:
    """Start ``samebytes survey run`` in *tmp_path*."""
    environ = {**os.environ, **surroundings(tmp_path, server)}
    command = [sys.executable, "-c", PROGRAM, "survey", "run", *arguments]
    if not sandbox.find(os.environ, sandbox.readable(os.environ)).program:
        command.append("--no-sandbox")
    return subprocess.Popen(
        command, env=environ, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_two_packages_and_one_that_is_not_there(server: Server, tmp_path: Path) -> None:
    server.add("small", sdist(tmp_path / "made"))
    server.add("other", sdist(tmp_path / "made", name="other", version="2.0"))
    (tmp_path / "list.txt").write_text("small # the least\nOther==2.0\n")
    process = started(tmp_path, server, "--packages", "list.txt", "missing", "--jobs", "2")
    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (0, "")
    assert "small 1.0: as is " in out
    assert "missing: unknown to the index" in out
    with Store(tmp_path) as store:
        rows = {one.name: one for one in store.newest()}
        (run,) = store.runs()
        (other,) = store.history("other")
    assert other.state is State.EXAMINED, (other.state, other.reason, other.notes, other.log)
    assert {name: row.state for name, row in rows.items()} == {
        "missing": State.UNKNOWN,
        "other": State.EXAMINED,
        "small": State.EXAMINED,
    }
    assert (other.asked, other.version, other.run) == ("2.0", "2.0", run.id)
    assert {(one.way, one.kind) for one in other.artifacts} == {(way, kind) for way in WAYS for kind in KINDS}
    for way in (NORMALIZED, HOOK, BUILD):
        assert set(rows["small"].outcomes[way].values()) == {"same"}, way
    assert set(rows["small"].outcomes[AS_IS].values()) != {"same"}
    assert list((tmp_path / "tmp").iterdir()) == []
    again = started(tmp_path, server, "--packages", "missing", "other==2.0", "small")
    _, err = again.communicate(timeout=PATIENCE)
    assert (again.returncode, err) == (0, "the run is complete: 3 packages; --new begins another\n")


def test_a_cluster_examines_for_real(server: Server, tmp_path: Path) -> None:
    pytest.importorskip("distributed", reason="needs samebytes[cluster]")
    names = {"small": "", "other": FAILING}
    for name, extra in names.items():
        server.add(name, sdist(tmp_path / "made", name=name, extra=extra))
    (tmp_path / "dask").mkdir()
    cluster = Cluster(tmp_path / "dask", surroundings(tmp_path, server))
    try:
        for _ in names:
            cluster.worker()
        process = started(tmp_path, server, "--packages", *names, "--scheduler", cluster.address)
        out, err = process.communicate(timeout=PATIENCE)
    finally:
        cluster.close()
    assert (process.returncode, err) == (0, "")
    assert "small 1.0: as is " in out
    assert f"other 1.0: {State.NOT_BUILT.value}: " in out
    with Store(tmp_path) as store:
        states = {one.name: one.state for one in store.newest()}
    assert states == {"small": State.EXAMINED, "other": State.NOT_BUILT}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_everything(number: signal.Signals, server: Server, tmp_path: Path) -> None:
    server.add("small", sdist(tmp_path / "made", extra=FOREVER))
    process = started(tmp_path, server, "--packages", "small")
    wait_for_build(tmp_path, process)
    process.send_signal(number)
    process.send_signal(number)
    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out) == (128 + number, "")
    assert "Nothing is half written" in err
    assert list((tmp_path / "tmp").iterdir()) == []
    assert builds_of(tmp_path) == []
    with Store(tmp_path) as store:
        (run,) = store.runs()
        assert store.left(run.id) == 1
        assert store.holders(run.id, 0.0) == []


def test_a_killed_runner_leaves_no_build(server: Server, tmp_path: Path) -> None:
    server.add("small", sdist(tmp_path / "made", extra=FOREVER))
    process = started(tmp_path, server, "--packages", "small")
    wait_for_build(tmp_path, process)
    process.kill()
    process.communicate(timeout=PATIENCE)
    end = time.monotonic() + PATIENCE
    while builds_of(tmp_path):
        assert time.monotonic() < end
        time.sleep(0.1)


def wait_for_build(tmp_path: Path, process: subprocess.Popen[str]) -> None:
    """Return once something is being built."""
    end = time.monotonic() + PATIENCE
    while not builds_of(tmp_path):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.05)


def builds_of(tmp_path: Path) -> list[str]:
    """Return the ids of processes that build what belongs to this test: its downloads are in their arguments."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            # In this order: one that begins to be a runner in between has its own arguments then.
            environ = path.read_bytes()
            command = (path.parent / "cmdline").read_bytes()
            is_ours = str(tmp_path).encode() in environ + command
        except OSError:
            continue
        if is_ours and b"survey\0run" not in command:
            found.append(path.parent.name)
    return found
