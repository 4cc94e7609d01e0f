"""Encoding side by side: the same bytes in the same order, little in memory, nobody left behind, whoever dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Callable

import pytest
from support.artifacts import sdist
from support.deflate_inputs import noise, words
from support.differences import digest
from support.processes import PATIENCE, import_path, linux_only, wait_for

from samebytes.commands import main as cli
from samebytes.deflate.providers import PURE, SAMPLE_SIZE, Provider
from samebytes.deflate.stream import SEGMENT_SIZE, WINDOW_SIZE, WORTHWHILE, Encoder, Segment, Then, compress

TEXT = words(30_000)
LARGE = b"".join(TEXT + bytes(350_000 + 1000 * number) for number in range(6))
"""More than two segments; much of it is zeros, which our own encoder is quick at."""


Encode = Callable[[bytes, bytes, bool], bytes]


def in_threads(name: str, encode: Encode = PURE.encode) -> Provider:
    """Return a provider that threads run; not zlib, for its bytes may be others where the tests run."""
    return Provider(name, encode, in_processes=False)


PROVIDERS = pytest.mark.parametrize("provider", [in_threads("threads"), PURE], ids=["threads", "processes"])


MUCH = WORTHWHILE + 1


def whole(data: bytes) -> list[Segment]:
    return [Segment(data, b"", True)]


def put_all(encoder: Encoder, tasks: Iterable[Sequence[Segment]], then: Then) -> None:
    """Have *tasks* encoded by helpers, from the first one on, and wait."""
    encoder.expect(MUCH)
    for task in tasks:
        encoder.encode(task, then)
    encoder.drain()


def children_of(parent: int) -> dict[int, int]:
    """Return the processes that *parent* has started and that have not ended, and how long each has computed.

    That is in ticks, of which there are ``SC_CLK_TCK`` in a second.
    """
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            facts = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(facts[1]) == parent and facts[0] not in "ZX":
            found[int(stat.parent.name)] = int(facts[11])
    return found


def children() -> set[int]:
    return set(children_of(os.getpid()))


@pytest.fixture
def before() -> set[int]:
    """The children that there are before the test."""
    return children()


def helpers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("samebytes")]


@cache
def expected() -> list[bytes]:
    """Return what becomes of LARGE, made one by one."""
    starts = range(0, len(LARGE), SEGMENT_SIZE)
    return [
        PURE.encode(LARGE[at : at + SEGMENT_SIZE], LARGE[max(0, at - WINDOW_SIZE) : at], at == starts[-1])
        for at in starts
    ]


@pytest.mark.slow("compresses megabytes in plain Python")
@PROVIDERS
@pytest.mark.parametrize("jobs", [1, 2, 4])
def test_the_bytes_do_not_depend_on_the_jobs(provider: Provider, jobs: int) -> None:
    with Encoder(jobs, provider) as encoder:
        encoder.expect(len(LARGE))
        assert (list(compress([LARGE], encoder)) == expected()) is True
    assert len(expected()) == 3


def test_results_come_in_order_though_the_first_is_the_last_to_be_ready() -> None:
    ready: list[int] = []
    last_is_ready = threading.Event()

    def encode(segment: bytes, window: bytes, last: bool) -> bytes:
        if len(segment) > SAMPLE_SIZE:
            if segment[0] == 0:
                assert last_is_ready.wait(PATIENCE)
            ready.append(segment[0])
            if segment[0] == 2:
                last_is_ready.set()
        return PURE.encode(segment, window, last)

    tasks = [bytes([number]) * 10_000 for number in range(3)]
    made: list[bytes] = []
    with Encoder(3, in_threads("the first waits", encode)) as encoder:
        put_all(encoder, map(whole, tasks), made.extend)
    assert ready[-1] == 0
    assert made == [PURE.encode(data, b"", True) for data in tasks]


@pytest.mark.parametrize("jobs", [2, 3])
def test_no_more_is_in_flight_than_one_for_each_job_and_one(jobs: int) -> None:
    go_on = threading.Event()

    def encode(segment: bytes, window: bytes, last: bool) -> bytes:
        assert len(segment) <= SAMPLE_SIZE or go_on.wait(PATIENCE)
        return PURE.encode(segment, window, last)

    done: list[bytes] = []
    in_flight = []
    with Encoder(jobs, in_threads("stopped at first", encode)) as encoder:
        encoder.expect(MUCH)
        for number in range(1, 12):
            if number > jobs + 1:
                go_on.set()
            encoder.encode(whole(bytes(20_000)), done.extend)
            in_flight.append(number - len(done))
        encoder.drain()
    assert max(in_flight) == in_flight[jobs] == jobs + 1
    assert len(done) == 11


def test_threads_are_not_started_for_little() -> None:
    seen = set()

    def encode(segment: bytes, window: bytes, last: bool) -> bytes:
        seen.add(threading.current_thread())
        return PURE.encode(segment, window, last)

    def run(provider: Provider, size: int) -> None:
        with Encoder(4, provider) as encoder:
            encoder.expect(size)
            for data in (bytes(size // 2), bytes(size - size // 2)):
                encoder.encode(whole(data), len)

    run(in_threads("little", encode), WORTHWHILE)
    assert seen == {threading.current_thread()}
    run(in_threads("much", encode), MUCH)
    assert len(seen) > 1
    assert helpers() == []


@linux_only
@pytest.mark.parametrize("expected_size", [0, WORTHWHILE], ids=["not announced", "announced"])
def test_processes_are_not_started_for_little(expected_size: int, before: set[int]) -> None:
    with Encoder(4, PURE) as encoder:
        encoder.expect(expected_size)
        encoder.encode(whole(bytes(WORTHWHILE - 1)), len)
        encoder.encode(whole(b"1"), len)
        assert children() == before
        encoder.encode(whole(b"2"), len)
        encoder.drain()
        assert children() > before
    assert children() == before


@linux_only
def test_one_job_is_done_by_whoever_asks(before: set[int]) -> None:
    with Encoder(1, PURE) as encoder:
        put_all(encoder, [whole(TEXT)] * 3, len)
        assert children() == before
        assert helpers() == []


class Broken(Exception):
    """Nothing of samebytes'."""


def breaks(_: Sequence[bytes]) -> None:
    raise Broken


@linux_only
@PROVIDERS
def test_an_error_in_what_takes_the_results_passes_through(provider: Provider, before: set[int]) -> None:
    with Encoder(2, provider) as encoder:
        with pytest.raises(Broken):
            put_all(encoder, [whole(TEXT)] * 8, breaks)
        assert (children() > before) is provider.in_processes
    assert helpers() == []
    assert children() == before


@linux_only
@PROVIDERS
def test_an_error_of_the_caller_ends_all_that_was_started(provider: Provider, before: set[int]) -> None:
    taken: list[bytes] = []

    def run() -> None:
        with Encoder(2, provider) as encoder:
            encoder.expect(MUCH)
            for _ in range(3):
                encoder.encode(whole(TEXT), taken.extend)
            raise Broken

    with pytest.raises(Broken):
        run()
    assert taken == []
    assert helpers() == []
    assert children() == before


@linux_only
@PROVIDERS
def test_an_error_of_the_encoder_passes_through(provider: Provider, before: set[int]) -> None:
    made: list[bytes] = []
    wrong = [Segment(TEXT, "no bytes", True)]  # type: ignore[arg-type]
    with Encoder(2, provider) as encoder:
        with pytest.raises(TypeError, match="concat"):
            put_all(encoder, [whole(TEXT), whole(TEXT), wrong, whole(TEXT)], made.extend)
    assert len(made) == 2
    assert helpers() == []
    assert children() == before


def test_an_encoder_that_was_given_nothing_does_nothing() -> None:
    with Encoder(4, PURE) as encoder:
        encoder.drain()
    assert b"".join(compress([], Encoder(4, PURE))) == b"\x03\x00"


@linux_only
@pytest.mark.parametrize("how_many", [1, 2], ids=["one", "all"])
def test_a_process_that_is_killed_is_made_up_for(how_many: int, before: set[int]) -> None:
    """Killed when the first result is there, so while others are being made; what it had to do is done here."""
    tasks = [TEXT + noise(1000, seed=number) for number in range(12)]
    killed: list[int] = []
    made: list[bytes] = []

    def take(parts: Sequence[bytes]) -> None:
        made.extend(parts)
        if not killed:
            wait_for(lambda: len(children() - before) >= how_many, "all helpers")
            killed.extend(sorted(children() - before)[:how_many])
            for process in killed:
                os.kill(process, signal.SIGKILL)

    with Encoder(2, PURE) as encoder:
        put_all(encoder, map(whole, tasks), take)
    assert len(killed) == how_many
    assert (made == [PURE.encode(data, b"", True) for data in tasks]) is True
    assert children() == before


def run(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run Python with *arguments*, warnings being errors."""
    command = [sys.executable, "-W", "error", *map(str, arguments)]
    variables = {**os.environ, **import_path()}
    return subprocess.run(
        command, env=variables, cwd=cwd, capture_output=True, text=True, check=False, timeout=PATIENCE
    )


UNGUARDED = """
print("once")

from samebytes.deflate.providers import PURE
from samebytes.deflate.stream import Encoder, compress

with Encoder(2, PURE) as encoder:
    print(len(list(compress([bytes(3 << 20)], encoder))))
"""


def test_the_main_script_is_run_once(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(UNGUARDED, "ascii")
    done = run(script)
    assert (done.stdout, done.stderr, done.returncode) == ("once\n3\n", "", 0)


def test_the_current_directory_s_files_are_not_taken_for_python_s(tmp_path: Path) -> None:
    """A hook runs in a source tree, which may hold files of any name."""
    for name in ("enum", "pickle", "subprocess", "samebytes", "struct"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('the project was imported')\n", "ascii")
    done = run("-c", f"import sys; sys.path.remove('')\n{UNGUARDED}", cwd=tmp_path)
    assert (done.stdout, done.stderr, done.returncode) == ("once\n3\n", "", 0)


NO_PROCESSES = """
import os, resource

from samebytes.deflate import child, pure
from samebytes.deflate.providers import PURE
from samebytes.deflate.stream import Encoder, compress

assert child and pure
import concurrent.futures.thread
free = os.open(os.devnull, os.O_RDONLY)
os.close(free)
resource.setrlimit(resource.RLIMIT_NOFILE, (free + 1, free + 1))
with Encoder(2, PURE) as encoder:
    print(len(list(compress([bytes(3 << 20)], encoder))))
"""


@linux_only
def test_where_there_can_be_no_processes_it_is_done_without() -> None:
    done = run("-c", NO_PROCESSES)
    assert (done.stdout, done.stderr, done.returncode) == ("3\n", "", 0)


NO_THREADS = """
import concurrent.futures.thread, resource, threading
from pathlib import Path

from samebytes.deflate.ordered import Ordered

threading.stack_size(1 << 30)
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (1 << 28), used + (1 << 28)))
made = []
with Ordered(2, 0) as calls:
    for number in range(4):
        calls.put((pow, (number, 2)), made.append, 1)
    calls.drain()
print(made, threading.active_count())
"""
"""A thread takes more memory for its stack than there is."""


@linux_only
def test_where_there_can_be_no_threads_it_is_done_without() -> None:
    done = run("-c", NO_THREADS)
    assert (done.stdout, done.stderr, done.returncode) == ("[0, 1, 4, 9] 1\n", "", 0)


COMMAND = """
import sys

from support.imitation import erring

sys.modules["zlib"] = erring(bool)

from samebytes.commands.main import main
from samebytes.deflate import libraries

libraries.found = lambda: iter(())

sys.exit(main(sys.argv[1:]))
"""
"""The command line where no zlib is taken, so that our own encoder does it, in processes."""


def helper_at_work(process: int) -> int:
    """Wait until a child of *process* has computed for a while, so is beyond its start, and return it."""
    found: list[int] = []

    def find() -> bool:
        ticks = 0.15 * os.sysconf("SC_CLK_TCK")
        found.extend(child for child, spent in children_of(process).items() if spent > ticks)
        return bool(found)

    wait_for(find, "a helper at work")
    return found[0]


@pytest.mark.slow("compresses megabytes in plain Python")
@linux_only
def test_a_command_outlives_a_process_that_is_killed(tmp_path: Path) -> None:
    """It ends, and the file is complete: what any encoder makes of it."""
    path = sdist(tmp_path / "in", files={"PKG-INFO": b"Name: demo\n", "words.txt": words(200_000) * 16})
    arguments = ["normalize", str(path), "--date", "2024-01-02", "-q", "-o"]
    assert cli.main([*arguments, str(tmp_path / "undisturbed")]) == 0
    command = [sys.executable, "-W", "error", "-c", COMMAND, *arguments, str(tmp_path / "killed"), "--jobs", "2"]
    environ = {**os.environ, **import_path()}
    with subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, text=True) as running:
        try:
            os.kill(helper_at_work(running.pid), signal.SIGKILL)
            assert running.communicate(timeout=PATIENCE)[1] == ""
        finally:
            running.kill()
    assert running.returncode == 0
    assert digest(tmp_path / "killed" / path.name) == digest(tmp_path / "undisturbed" / path.name)
