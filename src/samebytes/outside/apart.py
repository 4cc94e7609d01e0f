"""A call in a process of its own: what it crashes on, leaks or locks is that process's alone.

The process is told what to call by its standard input, and that it is not wanted any more by the end of that: so it
also stops, and cleans up behind itself, when the asking process is gone without a word.
"""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import Any, BinaryIO, Callable

from ..errors import Interrupted

PATIENCE = 30.0
"""Seconds that a process is given to clean up after it is told to stop."""

_TURN = 0.1
_COMMAND = "import sys,json;sys.path[:]=json.loads(sys.argv[1]);from samebytes.outside.apart import main;main()"

Call = Callable[[Any, threading.Event], Any]
"""What is called: with its argument, and the event that is set when it is to stop. It is found by its name."""


class Died(Exception):
    """The process ended without an answer."""


def run_apart(call: Call, argument: object, stop: threading.Event) -> Any:
    """Return what *call* returns for *argument* in another process, or raise what it raises there.

    :param stop: once it is set, the other process is told to stop, and ended if it does not.
    :raises Died: if it was ended, by the system for instance.
    :raises Interrupted: if *stop* was set.
    """
    process = subprocess.Popen(
        [sys.executable, "-c", _COMMAND, _search_path()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    answer: list[bytes] = []
    assert process.stdin is not None
    reader = threading.Thread(target=_converse, args=(process, pickle.dumps((call, argument)), answer), daemon=True)
    reader.start()
    try:
        while reader.is_alive() and not stop.wait(_TURN):
            continue
    finally:
        with suppress(BrokenPipeError):  # of what it did not read
            process.stdin.close()
        _see_end(process, reader)
    if stop.is_set():
        raise Interrupted("stopped")
    return _answer(answer, process.returncode)


def _search_path() -> str:
    return json.dumps([path for path in sys.path if path])


def _converse(process: subprocess.Popen[bytes], request: bytes, answer: list[bytes]) -> None:
    """Give *process* its request, and take all that it says until it ends; its standard input stays open."""
    assert process.stdin is not None
    assert process.stdout is not None
    with suppress(BrokenPipeError):  # it ended; there will be no answer, which says so
        process.stdin.write(len(request).to_bytes(8, "big") + request)
        process.stdin.flush()
    with process.stdout as said:
        answer.append(said.read())


def _see_end(process: subprocess.Popen[bytes], reader: threading.Thread) -> None:
    """Wait for the end of *process*, which was told to stop if it had not; end its group if it takes long."""
    reader.join(PATIENCE)
    if reader.is_alive():
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _answer(answer: list[bytes], status: int) -> Any:
    """Return or raise what the process said: the last word of it is whether it came to its end."""
    said = answer[0] if answer else b""
    if not said.endswith(b"."):  # pickle's STOP
        end = f"signal {-status} ended it" if status < 0 else f"it ended with status {status}"
        raise Died(f"the process that did the work gave no answer: {end}")
    is_raised, value = pickle.loads(said)
    if is_raised:
        raise value
    return value


def main() -> None:
    """Be the other process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is the asking process's, which tells us
    requests, answers = _conversation()
    size = int.from_bytes(requests.read(8), "big")
    call, argument = pickle.loads(requests.read(size))
    stop = threading.Event()
    threading.Thread(target=_watch, args=(requests, stop), daemon=True).start()
    try:
        said = (False, call(argument, stop))
    except Exception as error:
        said = (True, error)
    answers.write(_pickled(said))
    answers.close()
    # Threads of whatever was called, and the watch, must not keep this process.
    os._exit(0)


def _conversation() -> tuple[BinaryIO, BinaryIO]:
    """Return both ends of the conversation, and let standard input and output be nothing and standard error."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return requests, answers


def _watch(requests: BinaryIO, stop: threading.Event) -> None:
    requests.read(1)
    stop.set()
    time.sleep(PATIENCE)
    os._exit(1)  # whoever would have read the answer may be gone


def _pickled(said: tuple[bool, Any]) -> bytes:
    """Return *said* pickled; an exception that cannot be pickled and read again becomes one that tells of it."""
    try:
        data = pickle.dumps(said)
        pickle.loads(data)
    except Exception:
        data = pickle.dumps((True, Died(f"{type(said[1]).__name__}: {said[1]}")))
    return data
