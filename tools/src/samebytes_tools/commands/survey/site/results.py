"""How results are told: an outcome for each artifact, a standing for each package."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ....comparison.model import Verdict
from ..model import DIFFERS, KINDS, NOT_BUILT, SAME, WAYS, Artifact, State, Summary


class Outcome(NamedTuple):
    """What became of an artifact, or of all artifacts of a package, built in one way."""

    key: str
    """For style sheets and filters."""
    letter: str
    """For tables, where it is one of very many."""
    glyph: str
    """So that colour is not all that tells it."""
    short: str
    label: str


IDENTICAL = Outcome("identical", "i", "=", "identical", "identical")
NORMALIZED = Outcome("normalized", "n", "≈", "normalizes", "same after normalization")
PAYLOAD = Outcome("payload", "p", "~", "same payload", "same payload")
DIFFERENT = Outcome("different", "d", "≠", "different", "different")
FAILED = Outcome("failed", "f", "×", "not built", "could not be built")
NONE = Outcome("none", "-", "–", "not tried", "not tried")

OUTCOMES = (IDENTICAL, NORMALIZED, PAYLOAD, DIFFERENT, FAILED, NONE)
"""From the best to the worst."""

BY_LETTER = {outcome.letter: outcome for outcome in OUTCOMES}

_BY_TEXT = {
    SAME: IDENTICAL,
    DIFFERS: DIFFERENT,
    NOT_BUILT: FAILED,
    Verdict.IDENTICAL.value: IDENTICAL,
    Verdict.NORMALIZED.value: NORMALIZED,
    Verdict.PAYLOAD.value: PAYLOAD,
    Verdict.DIFFERENT.value: DIFFERENT,
}


class Standing(NamedTuple):
    """What can be said of a package in a word."""

    key: str
    label: str
    sentence: str


AS_IS = Standing("as-is", "as is", "Two builds give the same bytes, as the package stands.")
WITH = Standing("with", "with samebytes", "Two builds give the same bytes with samebytes.")
NOT_YET = Standing("not-yet", "not yet", "Two builds do not give the same bytes yet, in any of the ways.")
UNKNOWN = Standing("unknown", "not examined", "Nothing could be compared.")

STANDINGS = (AS_IS, WITH, NOT_YET, UNKNOWN)

_BEST, _BUILT = IDENTICAL.letter, "inpd"
_WORST_FIRST = "fdpni"


def outcome_of(text: str) -> Outcome:
    """Return the outcome that a verdict, or the state of an artifact, tells."""
    return _BY_TEXT.get(text, DIFFERENT)


def letters_of(summary: Summary) -> str:
    """Return the outcomes of a package as letters: for each way, one for each kind."""
    return _letters(summary.outcomes)


def letters_in(artifacts: Iterable[Artifact]) -> str:
    """Return the same of the *artifacts* of an examination."""
    found: dict[str, dict[str, str]] = {}
    for one in artifacts:
        found.setdefault(one.way, {})[one.kind] = told(one)
    return _letters(found)


def told(artifact: Artifact) -> str:
    """Return the verdict of what differs, else the state."""
    return artifact.verdict or DIFFERS if artifact.state == DIFFERS else artifact.state


def _letters(outcomes: Mapping[str, Mapping[str, str]]) -> str:
    return "".join(
        outcome_of(outcomes[way][kind]).letter if kind in outcomes.get(way, ()) else NONE.letter
        for way in WAYS
        for kind in KINDS
    )


def by_way(letters: str) -> list[str]:
    """Return the letters of each way."""
    return [letters[at : at + len(KINDS)] for at in range(0, len(letters), len(KINDS))]


def worst(letters: str) -> str:
    """Return the letter of the worst outcome among some; kinds that were not tried do not count."""
    return next((letter for letter in _WORST_FIRST if letter in letters), NONE.letter)


def standing(state: State, letters: str) -> Standing:
    """Return what *letters* say of a package.

    A kind that could be built in no way is left out: most often the backend makes no sdist of an sdist.
    """
    ways = by_way(letters)
    kinds = [at for at in range(len(KINDS)) if any(way[at] in _BUILT for way in ways)]
    if state is not State.EXAMINED or not kinds:
        return UNKNOWN
    same = [all(way[at] == _BEST for at in kinds) for way in ways]
    if same[0]:
        return AS_IS
    return WITH if any(same) else NOT_YET


def state_label(state: State, found: Standing) -> str:
    """Return the standing's label, or why there is none."""
    return state.value if found is UNKNOWN and state is not State.EXAMINED else found.label


def way_outcomes(letters: str) -> Sequence[Outcome]:
    """Return for each way the worst outcome of its kinds."""
    return [BY_LETTER[worst(way)] for way in by_way(letters)]
