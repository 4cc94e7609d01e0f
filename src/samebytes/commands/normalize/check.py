"""Are these archives canonical? Nothing is written."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path

from ...errors import UsageError
from .normalize import Job, Options, Result, is_source_tree, normalize, real_path
from .normalize import plan as plan_archives


def plan(paths: Sequence[Path]) -> tuple[Job | Result, ...]:
    """Return what there is to check for *paths*, archives or directories of them; a source tree is refused."""
    steps: dict[Path, Job | Result] = {}
    for path in paths:
        found = (_refused(path),) if path.is_dir() and is_source_tree(path) else plan_archives([path])
        for step in found:
            steps.setdefault(real_path(step.source), step)
    return tuple(steps.values())


def check(steps: Sequence[Job | Result], options: Options) -> Generator[Result, None, None]:
    """Yield a result for each of *steps*, in order; its ``changes`` are the findings.

    :raises ConfigError: if ``options`` name a code that is unknown or not to be chosen.
    """
    return normalize(steps, options._replace(write=False))


def _refused(tree: Path) -> Result:
    return Result(
        tree,
        UsageError(
            f"{tree} is a source tree; samebytes normalize examines archives",
            remedy=f"'samebytes check {tree}' builds it twice; or pass what was built of it: {tree / 'dist' / '*'}.",
        ),
    )
