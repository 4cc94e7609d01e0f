"""What building twice showed, as text: the verdict, what differs with its cause, and what normalizing removes.

Each piece of evidence is shown once, though most of what differs is in the sdist and in both wheels.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from samebytes import passes
from samebytes.console.style import Style, harmless

from ...comparison.causes.table import UNKNOWN, by_code
from ...comparison.model import Difference, Finding, Verdict
from ...reporting.difference_tree import View, block_lines, body_lines, counted, evidence_lines, title_of
from ...reporting.overview import codes_of, parts
from ...reporting.prose import folded
from ...reporting.readers import advice_to, on_normalizing
from ...variations.variations import ALL, Obstacle, not_varied
from .attribution import variations_of
from .facts import top_directory
from .report import STATES, attributed, comparisons, title
from .subject import ACCEPTABLE, FROM_SDIST, SDIST, BisectionResult, CheckOutcome, CheckResult

_EVIDENCE = 3
"""Of how many files the bytes are shown for one cause; the others are named."""

_NAMED = 8
_PASS_NAMES = {one.code: one.name.replace("-", " ").removeprefix("member ") for one in passes.ALL}


class _Place(NamedTuple):
    """A member that differs by one cause, in all artifacts that have it."""

    name: str
    """Without the directory that all of an sdist is in."""
    finding: Finding
    node: Difference
    kinds: list[str]
    variations: list[str]


def lines(result: CheckResult, view: View, explained: set[str] | None = None) -> Iterator[str]:
    """Yield what became of one source.

    :param explained: the remedies that were given before, to which those of this source are added.
    """
    style = view.style
    yield f"{style.bold(title(result))}: {_state(result, style)}"
    yield from _rows(result, view)
    yield from _failure_lines(result, view)
    yield from _contents(result, view, set() if explained is None else explained)
    yield from _bisection_lines(result, view)
    yield from _normalized_lines(result, style)
    yield from _notes(result, view)
    if view.verbose:
        yield from _circumstances(result, style)
        for comparison in comparisons(result):
            yield ""
            yield from body_lines(comparison, view)


def closing(result: CheckResult, style: Style) -> str:
    """Return the verdict in one line, for the end of a report that is longer than a screen."""
    return f"{style.bold(title(result))}: {_state(result, style)}"


def _state(result: CheckResult, style: Style) -> str:
    if result.status == 2:
        return style.bad(STATES[2])
    if result.is_same:
        return style.good("same")
    how = _how(result.ways[0].outcomes)
    return style.good(f"accepted{how}") if result.status == 0 else style.notable(f"differs{how}")


def _level(outcomes: Sequence[CheckOutcome]) -> str | None:
    """Return the first of ACCEPTABLE that all *outcomes* are as equal as."""
    return next((level for level in ACCEPTABLE if all(each.is_accepted(level) for each in outcomes)), None)


def _how(outcomes: Sequence[CheckOutcome]) -> str:
    """Return how equal *outcomes* are that are not the same, to be added; nothing if they differ in what counts."""
    level = _level(outcomes)
    return f", {Verdict[level.upper()].value}" if level else ""


def _rows(result: CheckResult, view: View) -> Iterator[str]:
    several = len(result.ways) > 1
    for way in result.ways:
        if several:
            yield f"  {way.name}"
        for outcome in way.outcomes:
            indent = "    " if several else "  "
            yield f"{indent}{outcome.kind:<16} {_outcome(outcome, view.style)}"
            if outcome.is_same and outcome.pair is not None:
                # A line of its own, for 80 columns have no room for both.
                yield f"{indent}  {view.style.dim(f'sha256 {outcome.pair[0].sha256}')}"


def _outcome(outcome: CheckOutcome, style: Style) -> str:
    if outcome.failure is not None:
        return style.bad("could not be built")
    if outcome.pair is None or outcome.is_same:
        return style.good("same")
    comparison = outcome.comparison
    if comparison is None:
        return f"{style.notable('differs')} ({harmless(outcome.note)})"
    left, _ = parts(comparison)
    causes = sorted({f"{code} {by_code(code).name}" for node in left for code in codes_of(node)})
    is_renamed = outcome.pair[0].name != outcome.pair[1].name
    text = "differs, as its name does" if is_renamed else f"differs{_how([outcome])}"
    return style.notable(text) + (f": {', '.join(causes)}" if causes else "")


_UNKNOWN = "One source was built twice, and nothing in the bytes shows why they differ."


def _search(result: CheckResult) -> str:
    """Return what to do where no cause is known."""
    if result.bisection is not None:
        return "Look at what differs: no more builds show the cause either."
    source = shlex.quote(harmless(result.source))
    return f"Find out which of what is varied decides it, by more builds:\n\n    samebytes check --bisect {source}"


def _contents(result: CheckResult, view: View, explained: set[str]) -> Iterator[str]:
    """Yield each cause of what normalizing leaves: what it is, where it was found with the bytes, and the remedy."""
    found, rest = _places(result)
    for code in sorted(found):
        cause = by_code(code)
        yield ""
        # Whoever compares two files knows less: here, one source was built twice.
        explanation = _UNKNOWN if code == UNKNOWN else cause.explanation
        head = folded(f"{code} {cause.name}: {explanation}", view.style.width, "  ")
        name = f"{code} {cause.name}"
        yield from (view.style.notable(name) + head[0][len(name) :], *head[1:])
        yield from _places_lines(found[code], view)
        # By who reads it, for a release and a tree may be checked together.
        remedy = f"{code} {result.reader.name}"
        if remedy in explained:
            yield "  Remedy: as above."
            continue
        explained.add(remedy)
        advice = advice_to(result.reader, code, normalized=False, inside=True) if code != UNKNOWN else _search(result)
        yield from (f"  {line}".rstrip() for line in block_lines(f"Remedy: {advice}", view.style.width - 2))
    if rest and not found:
        yield ""
        for node in rest:
            yield from folded(f"{title_of(node)}: {harmless(node.summary)}", view.style.width, "  ")


def _places(result: CheckResult) -> tuple[dict[str, list[_Place]], list[Difference]]:
    """Return by cause where it was found in what normalizing leaves, and what has no cause of its own."""
    variations = variations_of(result)
    found: dict[str, list[_Place]] = {}
    rest = []
    for outcome in result.ways[0].outcomes if result.ways else ():
        if outcome.comparison is None:
            continue
        top = top_directory(Path(outcome.comparison.left.path).name)
        for node in parts(outcome.comparison)[0]:
            first = {finding.code: finding for each in node.walk() for finding in reversed(each.findings)}
            name, by = node.name.removeprefix(top), variations(outcome.comparison, node)
            for code, finding in first.items():
                _add(found.setdefault(code, []), _Place(name, finding, node, [outcome.kind], list(by)))
            if not first:
                rest.append(node)
    return found, rest


def _add(places: list[_Place], place: _Place) -> None:
    """Add *place*, or its artifact to where the same file is named already."""
    for known in sorted(places, key=lambda each: each.name != place.name):
        names = sorted((known.name, place.name), key=len)
        # Packages of an sdist may be in a directory, such as src, that a wheel has not; in one artifact, these are two.
        alike = names[1].endswith(f"/{names[0]}") and set(known.kinds).isdisjoint(place.kinds)
        if names[0] == names[1] or alike:
            known.kinds.extend(kind for kind in place.kinds if kind not in known.kinds)
            known.variations.extend(name for name in place.variations if name not in known.variations)
            return
    places.append(place)


def _places_lines(places: Sequence[_Place], view: View) -> Iterator[str]:
    shown: set[tuple[bytes, bytes]] = set()
    others = []
    for place in places:
        evidence = place.finding.evidence
        sides = evidence.left, evidence.right
        if sides in shown or (len(shown) >= _EVIDENCE and not view.verbose):
            others.append(place.name)
            continue
        shown.add(sides)
        where = f", {harmless(evidence.where)}" if evidence.where else ""
        by = f", by {' and '.join(place.variations)}" if place.variations else ""
        head = f"  {harmless(place.name)}{where} ({', '.join(place.kinds)}){by}"
        yield from folded(head, view.style.width, "    ")
        if any(sides):
            yield from (f"  {line}" for line in evidence_lines(place.finding, view, view.style.width - 2))
        else:
            yield from folded(f"    {harmless(place.node.summary)}", view.style.width, "    ")
    if others:
        more = f" and {counted(len(others) - _NAMED, 'other')}" if len(others) > _NAMED else ""
        named = ", ".join(harmless(name) for name in others[:_NAMED])
        yield from folded(f"  and so: {named}{more}", view.style.width, "    ")


def _bisection_lines(result: CheckResult, view: View) -> Iterator[str]:
    """Yield what a bisection found, beyond the variation that stands beside each cause."""
    bisection = result.bisection
    if bisection is None:
        return
    yield ""
    blind = any(not each.is_same and each.comparison is None for each in result.ways[0].outcomes)
    short = BisectionResult((), frozenset(), bisection.unexplained, bisection.builds)
    for head, facts in attributed(bisection if view.verbose or blind else short):
        yield head
        for line in facts:
            yield from (f"  {view.style.dim(piece)}" for piece in folded(line, view.style.width - 2, "  "))
    yield view.style.dim(f"bisected by {counted(bisection.builds, 'more build')}")


def _normalized_lines(result: CheckResult, style: Style) -> Iterator[str]:
    """Yield what normalizing removes in one line, and what to do about that where nothing else differs."""
    compared = comparisons(result)
    removed = [(one, node) for one in compared for node in parts(one)[1]]
    if not removed:
        return
    is_all = _level(result.ways[0].outcomes) == "normalized"
    names = list(dict.fromkeys(_PASS_NAMES[code] for _, node in removed for code in node.passes if code in _PASS_NAMES))
    variations = variations_of(result)
    by = list(dict.fromkeys(name for one, node in removed for name in variations(one, node)))
    yield ""
    yield _in_one_line(f"normalizing removes {'all of it' if is_all else 'the rest'}", names, by, style.width)
    # Where more is amiss, or nothing is, no advice is needed.
    if is_all and result.status == 1:
        yield from folded(f"  Remedy: {on_normalizing(result.reader, result.accept)}", style.width, "  ")


def _in_one_line(start: str, names: Sequence[str], by: Sequence[str], width: int) -> str:
    """Return *names* after *start*, and *by* what, as far as there is room; -v shows the rest."""
    whole = f"{start}: {', '.join(names)}"
    cut = (
        f"{start}: {', '.join(names[:number])} and {len(names) - number} more (-v)"
        for number in range(len(names), 0, -1)
    )
    varied = f", by {', '.join(by)}" if by else ""
    possible = [f"{whole}{varied} (-v)", f"{whole}{varied}", f"{whole} (-v)", *cut]
    return next((line for line in possible if len(line) <= width), f"{start} (-v)")


def _notes(result: CheckResult, view: View) -> Iterator[str]:
    notes = [f"note: {harmless(note)}" for note in result.notes]
    notes += [f"note: {harmless(each)}" for one in comparisons(result) for each in one.notes]
    # Without -v: "same" says no more than what was varied.
    if result.not_varied:
        notes.append(harmless(result.not_varied))
    if result.kept is not None:
        notes.append(f"kept in {harmless(str(result.kept))}")
    if notes and not result.is_same:
        yield ""
    for note in dict.fromkeys(notes):
        yield from folded(note, view.style.width, "  ")


def _circumstances(result: CheckResult, style: Style) -> Iterator[str]:
    if result.applied:
        yield from folded(f"varied: {', '.join(result.applied)}", style.width, "  ")
    for name, obstacle in result.left_out.items():
        yield from folded(f"not varied: {name}, {harmless(obstacle.why)}", style.width, "  ")
    if result.installer:
        yield style.dim(f"installed by {harmless(result.installer)}")
    for one in sorted(result.requirements, key=lambda one: one.name.lower()):
        yield style.dim(f"built with {harmless(one.name)} {harmless(one.version)}")


def _failure_lines(result: CheckResult, view: View) -> Iterator[str]:
    """Yield why something could not be built; what is the same for several only once."""
    messages: set[str] = set()
    # A broken requirement or setup.py fails all kinds and ways, with the same output.
    outputs: set[Sequence[str]] = set()
    for way in result.ways:
        without = {outcome.kind for outcome in way.outcomes if outcome.failure is not None}
        for outcome in way.outcomes:
            failure = outcome.failure
            # It follows from that of the sdist, which is shown.
            follows = outcome.kind == FROM_SDIST and SDIST in without and failure is not None and not failure.tail
            if failure is None or failure.message in messages or follows:
                continue
            messages.add(failure.message)
            what = f"{way.name}, {outcome.kind}" if len(result.ways) > 1 else outcome.kind
            head = folded(f"{what}: {harmless(failure.message)}", view.style.width, "  ")
            yield from ("", view.style.bad(what) + head[0][len(what) :], *head[1:])
            if failure.tail in outputs:
                continue
            outputs.add(failure.tail)
            if failure.remedy:
                hint = folded(f"  hint: {harmless(failure.remedy)}", view.style.width, "  ")
                yield from (hint[0].replace("hint", view.style.bold("hint"), 1), *hint[1:])
            printed: Sequence[str] = failure.log.splitlines() if view.verbose else failure.tail
            yield from (f"    {view.style.dim(harmless(line))}" for line in printed)


def variation_lines(obstacles: Mapping[str, Obstacle], style: Style) -> Iterator[str]:
    """Yield the list of variations: what each of the two builds has, and whether that can be had here."""
    for variation in ALL:
        alias = f" ({variation.alias})" if variation.alias else ""
        yield f"{style.bold(variation.name)}{alias}: {variation.why}"
        yield f"    1st: {variation.first}"
        yield f"    2nd: {variation.second}"
        obstacle = obstacles.get(variation.name)
        if obstacle:
            how = "only in part here" if obstacle.is_partial else "not here"
            yield f"    {style.notable(how)}: {harmless(obstacle.why)}"
        else:
            yield f"    {style.good('can be varied here')}"
    if obstacles:
        yield not_varied(obstacles)
