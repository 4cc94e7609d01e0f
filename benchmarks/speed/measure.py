"""Run contenders in turn, and compare what they took pair by pair.

In each round every contender runs once, one after the other, so that the machine's ups and downs hit all of them
alike; ratios are taken within a round, and their median over the rounds is the result.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from contenders import Contender, environment
from inputs import Input, sha256_of

LAUNCHER = Path(__file__).resolve().parent / "launch.py"
THEN = "--then--"
SLOW = 8.0
"""Seconds from which a contender takes part in a few rounds only."""
SLOW_ROUNDS = 2


class Run(NamedTuple):
    """What one run took."""

    wall: float
    """Seconds, start of the interpreter included."""
    cpu: float
    """Seconds, those of child processes included."""
    peak: int
    """Bytes: the peak of resident memory, of the largest process."""
    size: int
    """Bytes of the output; 0 if there is none."""
    sha256: str


class Failed(Exception):
    """A contender did not succeed; the message is the last line of what it said."""


class Series(NamedTuple):
    """All that was measured of one contender on one input."""

    source: str
    contender: str
    runs: tuple[Run, ...] = ()
    """One for each round that it took part in."""
    missing: str = ""
    """Why there are none."""


class Ratio(NamedTuple):
    """How two contenders compare: the median over rounds, and the extremes."""

    median: float
    low: float
    high: float


def compete(source: Input, field: Sequence[Contender], rounds: int, work: Path) -> list[Series]:
    """Measure *field* on *source*: a round to warm up, which shows who can do it at all, then *rounds* that count."""
    runs: dict[str, list[Run]] = {}
    missing: dict[str, str] = {}
    limits: dict[str, int] = {}
    for contender in field:
        try:
            first = run(contender, source, work)
        except Failed as error:
            missing[contender.name] = str(error)
        else:
            runs[contender.name] = []
            limits[contender.name] = rounds if first.wall < SLOW else min(rounds, SLOW_ROUNDS)
    for number in range(rounds):
        for contender in field:
            if number < limits.get(contender.name, 0):
                runs[contender.name].append(run(contender, source, work))
    return [Series(source.name, one.name, tuple(runs.get(one.name, ())), missing.get(one.name, "")) for one in field]


def run(contender: Contender, source: Input, work: Path) -> Run:
    """Run *contender* once in an empty directory.

    :raises Failed: if one of its commands fails.
    """
    out = work / "out"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    path = source.path
    if contender.in_place:
        path = Path(shutil.copyfile(path, out / path.name))
    wall, cpu, peak = launch(contender.commands(path, out))
    made = sorted(child for child in out.iterdir() if child.is_file())
    size, digest = (made[0].stat().st_size, sha256_of(made[0])) if made else (0, "")
    return Run(wall, cpu, peak, size, digest)


def launch(commands: Iterable[Sequence[str]]) -> tuple[float, float, int]:
    """Run *commands*, and return wall seconds, CPU seconds and peak bytes.

    :raises Failed: if one of them fails.
    """
    line: list[str] = []
    for command in commands:
        line += [*([THEN] if line else []), *command]
    launcher = [sys.executable, "-I", "-S", str(LAUNCHER)]
    done = subprocess.run([*launcher, *line], capture_output=True, text=True, check=False, env=environment())
    if done.returncode:
        told = done.stderr.strip().splitlines()
        raise Failed(told[-1] if told else f"exit status {done.returncode}")
    wall, cpu, peak = done.stdout.split()
    return float(wall), float(cpu), int(peak)


def ratio(ours: Series, theirs: Series, quantity: str) -> Ratio | None:
    """Return *theirs* over *ours* in a *quantity* of :class:`Run`, from the rounds in which both ran."""
    pairs = list(zip(ours.runs, theirs.runs))
    if not pairs:
        return None
    ratios = [getattr(their, quantity) / getattr(our, quantity) for our, their in pairs]
    return Ratio(statistics.median(ratios), min(ratios), max(ratios))


def median(series: Series, quantity: str) -> float:
    """Return the median of a *quantity* over the rounds."""
    return float(statistics.median(getattr(run, quantity) for run in series.runs))
