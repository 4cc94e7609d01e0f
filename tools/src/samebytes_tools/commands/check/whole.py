"""Builds by ``samebytes build`` in a world: as somebody would call it there, with the releases that others got."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...building.builds import BuildEnvironment, BuildFailure, Yard
from .subject import FROM_SDIST, SDIST, WHEEL

_SUFFIXES = {SDIST: ".tar.gz", WHEEL: ".whl", FROM_SDIST: ".whl"}


class Whole:
    """Calls the command *samebytes* in one world; what it makes with the sdist is kept for when that is asked for."""

    def __init__(self, samebytes: Sequence[str], yard: Yard, where: BuildEnvironment) -> None:
        self._samebytes, self._yard, self._where = samebytes, yard, where
        self._from_sdist: Path | BuildFailure | None = None

    def build(self, kind: str, tree: Path, out: Path, log: Path) -> Path:
        """Build the *kind* of *tree* into *out* and return the file.

        :raises BuildFailure: if it could not be built.
        """
        if kind == WHEEL:
            return self._run(kind, ["--wheel"], tree, out, log)
        if kind == SDIST:
            return self._sdist(tree, out, log)
        if isinstance(self._from_sdist, Path):
            return self._from_sdist
        raise self._from_sdist or BuildFailure("there is no sdist to build it from", log=log)

    def _sdist(self, tree: Path, out: Path, log: Path) -> Path:
        """Build an sdist and a wheel from that; if there are not both, the sdist alone."""
        try:
            made = self._run(SDIST, [], tree, out, log)
            self._from_sdist = _only(out, FROM_SDIST, log)
        except BuildFailure as failure:
            if failure.is_late:
                raise
            self._from_sdist = failure
            made = self._run(SDIST, ["--sdist"], tree, out, log.with_name(f"{log.stem}-alone.log"))
        return made

    def _run(self, kind: str, options: Sequence[str], tree: Path, out: Path, log: Path) -> Path:
        constraint = ["--build-constraint", str(self._yard.pins())]
        command = [*self._where.prefix, *self._samebytes, "build", *options, *constraint, "-o", str(out), str(tree)]
        variables = dict(self._where.variables)
        self._yard.run(command, "samebytes build", tree, variables, log, self._where.umask)
        return _only(out, kind, log)


def _only(out: Path, kind: str, log: Path) -> Path:
    for path in out.glob(f"*{_SUFFIXES[kind]}"):
        return path
    raise BuildFailure(f"samebytes build made no {kind}", log=log)
