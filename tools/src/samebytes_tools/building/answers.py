"""What an interpreter answers that is asked about itself: any program may be named as one, and may print anything."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import IO, Any

from samebytes.errors import OutputError

_PATIENCE = 60
"""Seconds in which an interpreter answers."""

_MOST = 1 << 20
"""Bytes of an answer."""


def answer_of(command: Sequence[str], kinds: Mapping[str, type]) -> dict[str, Any]:
    """Return the JSON object that an interpreter prints.

    :param kinds: the names that it has, and the types of their values.
    :raises OSError: if *command* does not run.
    :raises ValueError: if it prints anything else, and so is not an interpreter's.
    """
    try:
        answer = json.loads(_printed_by(command))
    # Programs may print thousands of brackets, for which json.loads recurses.
    except RecursionError:
        raise ValueError("too deep") from None
    return checked(answer, kinds)


def checked(answer: object, kinds: Mapping[str, type]) -> dict[str, Any]:
    """Return *answer* if it is an object that has these names, with values of these types.

    :raises ValueError: if it is not.
    """
    # bool is a subclass of int, so the types themselves are compared.
    if not isinstance(answer, dict) or {name: type(value) for name, value in answer.items()} != kinds:
        raise ValueError("not the answer of an interpreter")
    return answer


def _printed_by(command: Sequence[str]) -> bytes:
    """Return what *command* prints.

    :raises OSError: if it does not run.
    :raises ValueError: if it does not end, or prints more than an interpreter answers.
    :raises OutputError: if there is no room for what it prints.
    """
    end = time.monotonic() + _PATIENCE
    # Not a pipe: a child of the program may keep that open. And what is no interpreter may print without an end.
    with _scratch() as sink:
        nothing = subprocess.DEVNULL
        with subprocess.Popen(command, stdin=nothing, stdout=sink, stderr=nothing) as process:
            try:
                while process.poll() is None and time.monotonic() < end and os.fstat(sink.fileno()).st_size < _MOST:
                    with suppress(subprocess.TimeoutExpired):
                        process.wait(0.02)
                if process.poll() is None:
                    raise ValueError("no end")
            finally:
                process.kill()
        sink.seek(0)
        return sink.read(_MOST)


def numbers_of(version: Sequence[object]) -> tuple[int, int]:
    """Return major and minor version.

    :raises ValueError: if *version* is not two integers.
    """
    major, minor = version
    if type(major) is not int or type(minor) is not int:
        raise ValueError("not a version")
    return major, minor


def _scratch() -> IO[bytes]:
    try:
        return tempfile.TemporaryFile()
    except OSError as error:
        raise OutputError(
            f"no temporary file can be made: {error.strerror or error}",
            remedy="Make room, or point TMPDIR at a directory that may be written to.",
        ) from error
