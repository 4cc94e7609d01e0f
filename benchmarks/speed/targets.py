"""What samebytes' speed and memory are to be, and whether what was measured is that."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from contenders import CANONICAL, FLOOR, KEEP, PURE, RETAR, STRIP, WHEEL, ZIP_REWRITE
from measure import Series, median, ratio
from synthetic import MEGABYTE, MEMBER_COUNTS

Results = dict[tuple[str, str], Series]
"""What was measured, by input and contender."""

LARGEST = "pyarrow"


class Target(NamedTuple):
    """A number that is to be at least, or at most, so much."""

    text: str
    at_least: bool
    bound: float
    measured: Callable[[Results], float | None]
    """None where the run did not measure it."""
    unit: str = ""

    def met(self, value: float) -> bool:
        """Tell whether *value* is as it is to be."""
        return value >= self.bound if self.at_least else value <= self.bound


def all_targets() -> tuple[Target, ...]:
    """Return every target."""
    return (*_canonical(), *_keep(), *_memory(), *_linear())


def _canonical() -> Iterator[Target]:
    for source, bound in (("numpy", 1.9), ("pyarrow", 1.9), ("botocore", 2.5)):
        for peer in (WHEEL, ZIP_REWRITE):
            yield _ratio(f"{source}: {peer} takes the time of {CANONICAL}", source, CANONICAL, peer, True, bound)
    text = f"lxml sdist: {RETAR} takes the time of {CANONICAL}"
    yield _ratio(text, "lxml sdist", CANONICAL, RETAR, True, 1.8)
    for source in ("click", "rich"):
        text = f"{source}: {ZIP_REWRITE} takes the time of {CANONICAL}"
        yield _ratio(text, source, CANONICAL, ZIP_REWRITE, True, 1.0)
    for source in ("botocore", "numpy", "pyarrow", "lxml sdist"):
        text = f"{source}: CPU time over that of pure inflate, SHA-256, deflate"
        yield _ratio(text, source, PURE, CANONICAL, False, 1.1, "cpu")


def _keep() -> Iterator[Target]:
    for source in ("botocore", "numpy", "pyarrow"):
        yield _ratio(f"{source}: {KEEP} takes the time of the floor", source, FLOOR, KEEP, False, 1.25)
    for source, bound in (("click", 1.0), ("botocore", 1.0), ("pyarrow", 0.5)):
        yield _ratio(f"{source}: {STRIP} takes the time of {KEEP}", source, KEEP, STRIP, True, bound)


def _ratio(
    text: str, source: str, ours: str, theirs: str, at_least: bool, bound: float, quantity: str = "wall"
) -> Target:
    def measured(results: Results) -> float | None:
        pair = results.get((source, ours)), results.get((source, theirs))
        found = ratio(pair[0], pair[1], quantity) if pair[0] and pair[1] else None
        return found.median if found else None

    return Target(text, at_least, bound, measured, "x")


def _memory() -> Iterator[Target]:
    for contender in (CANONICAL, KEEP):
        text = f"{LARGEST}: peak memory of {contender}"
        yield Target(text, False, 48, lambda results, one=contender: _peak(results, LARGEST, one), "MB")  # type: ignore[misc]
    for source in ("1 GB wheel", "300 MB sdist"):
        text = f"{source}: peak memory over that of {LARGEST}"
        yield Target(text, False, 1.1, lambda results, one=source: _peak_over_largest(results, one), "x")  # type: ignore[misc]


def _peak(results: Results, source: str, contender: str = CANONICAL) -> float | None:
    series = results.get((source, contender))
    return median(series, "peak") / MEGABYTE if series and series.runs else None


def _peak_over_largest(results: Results, source: str) -> float | None:
    peak, base = _peak(results, source), _peak(results, LARGEST)
    return peak / base if peak and base else None


def _linear() -> Iterator[Target]:
    yield Target(
        "a further member: time where there are 50,000 over that where there are 1,000",
        False,
        1.1,
        lambda results: _growth(results, "wall"),
        "x",
    )


def _growth(results: Results, quantity: str) -> float | None:
    costs = [cost for _, cost in per_member(results, quantity)]
    return costs[1] / costs[0] if costs else None


def per_member(results: Results, quantity: str, contender: str = CANONICAL) -> list[tuple[int, float]]:
    """Return what each further member costs, in *quantity*, from one synthetic wheel to the next larger one."""
    found = [results.get((f"{count:,} members", contender)) for count in MEMBER_COUNTS]
    if not all(series and series.runs for series in found):
        return []
    values = [median(series, quantity) for series in found if series]
    steps = zip(MEMBER_COUNTS, MEMBER_COUNTS[1:], values, values[1:])
    return [(more, (high - low) / (more - fewer)) for fewer, more, low, high in steps]


def by_input(series: Iterable[Series]) -> Results:
    """Return *series* by input and contender."""
    return {(one.source, one.contender): one for one in series}
