"""A backend's hooks (PEP 517), called in an environment as front ends do, and with nothing in between."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from samebytes.errors import BackendError

from .isolated import Environment


class Hooks:
    """The hooks of one backend, for one source tree."""

    def __init__(self, source: Path, name: str, path: Sequence[str], there: Environment) -> None:
        """*name* and *path* are ``build-backend`` and ``backend-path``."""
        from pyproject_hooks import BuildBackendHookCaller

        self._name = name
        self._caller = BuildBackendHookCaller(
            str(source), name, path or None, runner=partial(_run, there.variables), python_executable=there.python
        )

    def call(self, hook: str, *arguments: Any) -> Any:
        """Call *hook*; what it says goes to standard output and error.

        :raises BackendError: if the backend is not there, or fails.
        """
        from pyproject_hooks import BackendUnavailable, UnsupportedOperation

        try:
            return getattr(self._caller, hook)(*arguments)
        except BackendUnavailable as error:
            raise BackendError(
                f"the backend {self._name!r} cannot be imported\n{error.traceback}",
                remedy="Does [build-system] requires name it, in a release that works with this Python?",
            ) from None
        except (UnsupportedOperation, subprocess.CalledProcessError) as error:
            raise BackendError(
                f"the backend {self._name!r} failed in {hook}: {error}; what it said stands above",
                remedy="--python or --locked may give it what it had then; --source another tree.",
            ) from None


def _run(
    variables: Mapping[str, str],
    command: Sequence[str],
    cwd: str | None = None,
    extra_environ: Mapping[str, str] | None = None,
) -> None:
    subprocess.run(command, cwd=cwd, env={**os.environ, **variables, **(extra_environ or {})}, check=True)
