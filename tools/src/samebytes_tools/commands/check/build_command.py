"""Builds by ``samebytes build``, as somebody would call it in an environment, with the releases that others got."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from samebytes.backend.inner import ending

from ...building.builder import BuildEnvironment, Builder, BuildError, run
from ...building.installers import AUTO, PIP
from ...building.processes import CommandRunner
from .subject import FROM_SDIST, SDIST, WHEEL

_SUFFIXES = {SDIST: ".tar.gz", WHEEL: ".whl", FROM_SDIST: ".whl"}


class BuildCommand:
    """Calls the command *samebytes*; the wheel that it makes from its sdist is kept for when that is asked for."""

    def __init__(self, samebytes: Sequence[str], builder: Builder, environment: BuildEnvironment) -> None:
        self._samebytes, self._builder, self._environment = samebytes, builder, environment
        self._from_sdist: Path | BuildError | None = None

    def build(self, kind: str, tree: Path, out: Path, log: CommandRunner) -> Path:
        """Build the *kind* of *tree* into *out* and return the file.

        :raises BuildError: if it could not be built.
        """
        if kind == WHEEL:
            return self._run(kind, ["--wheel"], tree, out, log)
        if kind == SDIST:
            return self._sdist(tree, out, log)
        if isinstance(self._from_sdist, Path):
            return self._from_sdist
        raise self._from_sdist or no_sdist(log)

    def _sdist(self, tree: Path, out: Path, log: CommandRunner) -> Path:
        """Build an sdist and a wheel from that; if there are not both, the sdist alone."""
        try:
            made = self._run(SDIST, [], tree, out, log)
            self._from_sdist = self._only(out, FROM_SDIST, log)
        except BuildError as error:
            # A second try would take as long again.
            if error.is_late:
                raise
            self._from_sdist = error
            # The command writes nothing if one of the two fails (D9), and an sdist that can be built is to be compared.
            made = self._run(SDIST, ["--sdist"], tree, out, log)
        return made

    def _run(self, kind: str, options: Sequence[str], tree: Path, out: Path, log: CommandRunner) -> Path:
        # Else a release uploaded since the first way was built would look like a difference of this way.
        constraint = self._builder.constraint()
        constraints = ["--build-constraint", str(constraint)] if constraint else []
        # A path that is varied may be one where uv cannot be used.
        installer = ["--installer", PIP if self._builder.policy.installer == PIP else AUTO]
        command = [*self._samebytes, "build", *options, *installer, *constraints, "-o", str(out), str(tree)]
        status = run(command, "samebytes build", cwd=tree, given=self._environment, log=log)
        if status:
            raise BuildError(f"samebytes build {ending(status)}", remedy=self._builder.advice, log=log.log)
        return self._only(out, kind, log)

    def _only(self, out: Path, kind: str, log: CommandRunner) -> Path:
        for path in out.glob(f"*{_SUFFIXES[kind]}"):
            return path
        raise BuildError(f"samebytes build made no {kind}", remedy=self._builder.advice, log=log.log)


def no_sdist(log: CommandRunner) -> BuildError:
    """Return the error where a wheel is to be built from an sdist that could not be built."""
    return BuildError("there is no sdist to build it from", remedy="See why that could not be built.", log=log.log)
