"""A Python that makes calls for another one, where only processes run side by side.

Not by multiprocessing, which loads the main script anew (once more in each child, with all that it does), finds modules
in the current directory first (in a build, that is somebody's source tree), and can hang once one of its processes has
died: Python 3.9 and 3.10 do so for good. Here each child has a pipe of its own, which ends when it does.
"""

from __future__ import annotations

import pickle
import signal
import subprocess
import sys
from contextlib import suppress
from typing import Any, Callable

Call = tuple[Callable[..., Any], tuple[Any, ...]]
"""A function and its arguments; those for a child must be such as can be pickled."""

_SERVE = "import sys; sys.path[:] = {}; from {} import serve; serve()"


class ChildDied(Exception):
    """The child is no more, or never was, and what it made of its last call is not known."""


class Child:
    """A process that waits for calls, and makes one at a time."""

    def __init__(self) -> None:
        """Start it, with what can be imported here.

        :raises ChildDied: if there can be no more processes.
        """
        # The same places to import from, whatever the current directory is.
        serving = _SERVE.format(ascii([str(place) for place in sys.path]), __name__)
        # Isolated, so that what it loads before it knows where to look comes from Python's own library.
        command = [sys.executable, "-I", "-B", "-c", serving]
        try:
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        except OSError as error:
            raise ChildDied from error

    def made(self, call: Call) -> Any:
        """Return what *call* returns, or raise what it raises.

        :raises ChildDied: if the process ends before.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            pickle.dump(call, self._process.stdin, pickle.HIGHEST_PROTOCOL)
            self._process.stdin.flush()
            fine, result = pickle.load(self._process.stdout)
        except (EOFError, OSError, pickle.UnpicklingError) as error:
            raise ChildDied from error
        if not fine:
            raise result
        return result

    def end(self) -> None:
        """End the process, whatever it is doing."""
        self._process.kill()
        with suppress(OSError), self._process:
            pass


def serve() -> None:
    """Make the calls that come by standard input, until that ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent to handle, which then ends this.
    with suppress(EOFError, OSError):
        while True:
            function, arguments = pickle.load(sys.stdin.buffer)
            try:
                answer = (True, function(*arguments))
            except Exception as error:
                answer = (False, error)
            sys.stdout.buffer.write(pickle.dumps(answer, pickle.HIGHEST_PROTOCOL))
            sys.stdout.buffer.flush()
