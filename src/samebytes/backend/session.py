"""One source tree, its inner backend and all that is pinned for it: what a hook and ``samebytes build`` share."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Callable, NamedTuple

from . import date as dates
from . import environment, flags
from .config import Config, load
from .fixed import Place, place, remove
from .inner import Inner, Process
from .lock import only_build

if TYPE_CHECKING:
    from ..passes.model import Pass


class Interpreter(NamedTuple):
    """The Python that runs the inner backend."""

    python: str
    roots: tuple[Path, ...]
    """Where its build requirements are installed (``flags.environment_roots``)."""


class FixedPaths(NamedTuple):
    """Where ``samebytes build`` has what a hook has to look for."""

    place: Place
    """An existing private directory, which is not removed."""
    source: Path
    """The source tree as the build sees it."""
    start: Callable[..., Any]
    """What starts the inner backend's process (``Process.start``)."""


class Session:
    """To be closed: the child process and the temporary directory end with it."""

    def __init__(
        self, source: Path, environ: Mapping[str, str], warn: Callable[[str], None], *, editable: bool = False
    ) -> None:
        """Read the configuration; nothing is made before :meth:`begin`, so that who closes this knows of it by then.

        :param source: the source tree as this process sees it.
        :param editable: whether this is for an editable install, which has to name the tree's true path and is not
            to be reproduced elsewhere: no fixed paths and no flags then.
        :raises ConfigError: if the project's configuration or SOURCE_DATE_EPOCH is malformed.
        """
        self.source, self.start = source, time.time()
        self.config: Config = load(source)
        self.dated = dates.resolve(source, self.config.source_date_epoch, environ)
        self._warn, self.is_editable = warn, editable
        self._own: TemporaryDirectory[str] | None = None
        self.inner: Inner

    def begin(self, interpreter: Interpreter, environ: Mapping[str, str], fixed: FixedPaths | None = None) -> None:
        """Prepare the inner backend's environment, *fixed* for ``samebytes build``; nothing is started yet."""
        if fixed is None:
            self._own = TemporaryDirectory(prefix="samebytes-")
            own = Path(self._own.name).resolve()  # macOS has it behind a link
            self.place, seen = Place(own, own), self.source
        else:
            self.place, seen = fixed.place, fixed.source
        if self.config.fixed_paths and not self.is_editable and fixed is None:
            seen, interpreter = self._fix_paths(interpreter, environ)
        self.paths = flags.Paths(seen, interpreter.roots, self.place.root)
        _, temp = self.directory("tmp")
        # GCC and Clang write PWD for the directory they are in, by whichever link to it somebody went there.
        self._environ = {**environment.child_environment(environ, self.config, self.dated, temp), "PWD": str(seen)}
        if not self.is_editable:
            environment.add_flags(self._environ, self.config, self.paths, self.source, self.place.private, sys.platform)
        umask, start = -1 if "umask" in self.config.inherit else 0o022, fixed and fixed.start
        process = Process(interpreter.python, self._environ, umask, self.config.inherit, self.place.prefix, start)
        self.inner = Inner(seen, self.config.backend, process, self.source)
        self.inner.warn = self._warn

    def _fix_paths(self, interpreter: Interpreter, environ: Mapping[str, str]) -> tuple[Path, Interpreter]:
        """Move source tree, virtual environment and temporary directory to fixed paths, if that can be."""
        prefix = Path(sys.prefix)
        trees = {"src": self.source, **({"env": prefix} if prefix in interpreter.roots else {})}
        self.place = place(self.place.private, environ, self._warn, trees)
        if not self.place.is_fixed:
            return self.source, interpreter
        python = interpreter.python
        if "env" in trees and Path(python).is_relative_to(prefix):
            python = str(self.place.root / "env" / Path(python).relative_to(prefix))
        roots = tuple(self.place.root / "env" if root == prefix else root for root in interpreter.roots)
        return self.place.root / "src", Interpreter(python, roots)

    def directory(self, name: str) -> tuple[Path, str]:
        """Make the directory *name* in the temporary one; return it as this process and as the inner backend see it."""
        real = self.place.private / name
        real.mkdir()
        return real, str(self.place.root / name)

    def passes(self) -> tuple[Pass, ...]:
        """Return the passes that the project wants, in their order; imported here, for most hooks need none.

        :raises ConfigError: if a code is unknown or may not be switched off.
        """
        from ..passes import select

        where = f"{self.source / 'pyproject.toml'}: [tool.samebytes]"
        return select(self.config.disable, self.config.enable, where=where)

    def close(self) -> None:
        """End the child, if it waits, and remove the temporary directory; again, where a signal came meanwhile."""
        try:
            if hasattr(self, "inner"):
                self.inner.close()
        finally:
            if self._own is not None:
                remove(Path(self._own.name))  # read-only directories, too
                with suppress(OSError):  # what is busy stays
                    self._own.cleanup()

    def requires(self, kind: str, config_settings: Any) -> list[str]:
        """Return what the inner backend requires beyond ``[build-system] requires`` (``Hooks.requires``)."""
        return self.inner.requires(kind, config_settings)

    def build(self, hook: str, config_settings: Any) -> Path:
        """Call ``build_wheel``, ``build_sdist`` or ``build_editable``; return what the inner backend made, as made.

        :raises BackendError: if it fails, names no file, or names one that is not there or not of the right kind.
        """
        self.passes()  # an unknown code is to be reported before a long build, not after it
        real, seen = self.directory("out")
        threading.Thread(target=_prepare_to_rewrite, daemon=True).start()  # not waited for where the build fails
        with only_build(self.source, self.paths.source, self._environ, self._warn):
            return self.inner.artifact(hook, seen, real, config_settings)


def _prepare_to_rewrite() -> None:
    """Load and find out, while the inner backend is at work, what will be needed once it is done."""
    from ..deflate import pure, stream
    from ..passes import pipeline

    stream.chosen()
    assert pure  # only to be loaded
    assert pipeline
