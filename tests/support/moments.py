"""Runs programs in forks of one process, and sends each SIGTERM at another line of what it does.

Run by its path. A line of JSON on standard input asks for one run: ``program`` (Python code, which ends with an exit
status), ``environ``, ``cwd``, ``output`` (where it prints to), and ``at``: a file, a line, and how often that line is
run before the signal; null for none. The answer is a line too: the exit status, whether the signal was sent, and how often each line was run.

Only lines that are run while SIGTERM has a handler count, those of threads too.
"""

from __future__ import annotations

import collections
import json
import os
import signal
import sys
import threading
from types import FrameType
from typing import Any

HANGS = 300
"""Seconds after which a run is taken for one that never ends, and is ended by SIGALRM."""

Lines = collections.Counter[tuple[str, int]]


def trace(at: tuple[str, int, int] | None, seen: Lines, sent: list[bool]) -> None:
    """Count lines in *seen*, and send the signal once *at* is reached; then *sent* is not empty."""
    place, times = ((at[0], at[1]), at[2]) if at else (None, 0)

    def step(frame: FrameType, event: str, _: object) -> Any:
        if event == "line":
            here = (frame.f_code.co_filename, frame.f_lineno)
            seen[here] += 1
            if here == place and seen[here] == times:
                sent.append(True)
                os.kill(os.getpid(), signal.SIGTERM)
        return step

    def begin(frame: FrameType, *_: object) -> Any:
        is_wanted = place is None or frame.f_code.co_filename == place[0]
        return step if is_wanted and callable(signal.getsignal(signal.SIGTERM)) else None

    threading.settrace(begin)
    sys.settrace(begin)


def run(request: Any, answer: int) -> int:
    """Do what is asked for in this process, and return its exit status; the lines go to the descriptor *answer*."""
    output = os.open(request["output"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    signal.alarm(HANGS)
    os.environ.update(request["environ"])
    os.chdir(request["cwd"])
    seen: Lines = collections.Counter()
    sent: list[bool] = []
    usual, status = os._exit, 0

    def leave(status: int) -> None:
        loaded = [] if request["at"] else list(sys.modules)
        with os.fdopen(answer, "w") as file:
            json.dump([bool(sent), [[*line, times] for line, times in list(seen.items())], loaded], file)
        usual(status)

    vars(os)["_exit"] = leave
    trace(request["at"], seen, sent)
    try:
        exec(compile(request["program"], "<program>", "exec"), {"__name__": "__main__"})
    except SystemExit as end:
        status = int(end.code or 0)
    finally:
        sys.settrace(None)
        threading.settrace(None)
    return status


def main() -> None:
    """Serve until standard input ends."""
    for line in sys.stdin:
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            status = run(json.loads(line), writing)
            vars(threading)["_shutdown"]()
            import atexit

            atexit._run_exitfuncs()
            os._exit(status)
        os.close(writing)
        with os.fdopen(reading) as file:
            sent, seen, loaded = json.loads(file.read() or "[true, [], []]")
        for name in loaded:  # so that the next run does not import them: that is not what is looked into
            if name.partition(".")[0] in ("samebytes", "samebytes_tools"):
                __import__(name)
        print(json.dumps([os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), sent, seen]), flush=True)


if __name__ == "__main__":
    main()
