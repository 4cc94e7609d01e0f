"""What became of packages in words: an outcome for each artifact, a standing for each package."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ....comparison.model import Verdict
from ..model import DIFFERS, KINDS, NOT_BUILT, SAME, WAYS, Artifact, Examination, State, Summary


class Outcome(NamedTuple):
    """What became of an artifact, or of all artifacts of a package, built in one way."""

    key: str
    """For style sheets and filters."""
    letter: str
    """For tables, where it is one of very many."""
    glyph: str
    """So that colour is not all that shows it."""
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

_BY_LETTER = {outcome.letter: outcome for outcome in OUTCOMES}

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
    colour: str
    """What the label stands on in a badge: dark enough for white text (WCAG 2.2, 1.4.3)."""


AS_IS = Standing("as-is", "as is", "Two builds give the same bytes, as the package stands.", "#116329")
DATED = Standing(
    "dated", "with SOURCE_DATE_EPOCH", "Two builds give the same bytes once SOURCE_DATE_EPOCH is set.", "#3d5a14"
)
WITH = Standing("with", "with samebytes", "Two builds give the same bytes with samebytes.", "#0b5a75")
NOT_YET = Standing("not-yet", "not yet", "Two builds do not give the same bytes yet, in any of the ways.", "#8a4600")
UNKNOWN = Standing("unknown", "not examined", "Nothing could be compared.", "#5c636b")

STANDINGS = (AS_IS, DATED, WITH, NOT_YET, UNKNOWN)


class Result(NamedTuple):
    """What an examination comes to."""

    state: State
    letters: str
    """The outcomes: for each way, a letter for each kind."""

    @property
    def ways(self) -> Sequence[Outcome]:
        """For each way, the worst outcome of its kinds; what was not tried does not count."""
        # From the worst to the best.
        return [_BY_LETTER[next((one for one in "fdpni" if one in way), NONE.letter)] for way in self._by_way]

    @property
    def standing(self) -> Standing:
        """A kind that could be built in no way is left out: most often the backend makes no sdist of an sdist."""
        kinds = [at for at in range(len(KINDS)) if any(way[at] in "inpd" for way in self._by_way)]
        if self.state is not State.EXAMINED or not kinds:
            return UNKNOWN
        same = [all(way[at] == IDENTICAL.letter for at in kinds) for way in self._by_way]
        return AS_IS if same[0] else DATED if same[1] else WITH if any(same) else NOT_YET

    @property
    def label(self) -> str:
        """The standing's label, or why there is none."""
        standing = self.standing
        return self.state.value if standing is UNKNOWN and self.state is not State.EXAMINED else standing.label

    @property
    def _by_way(self) -> list[str]:
        return [self.letters[at : at + len(KINDS)] for at in range(0, len(self.letters), len(KINDS))]


def result_of(one: Examination | Summary) -> Result:
    """Return what an examination comes to."""
    return Result(one.state, _letters(one.outcomes if isinstance(one, Summary) else _texts(one.artifacts)))


def outcome_of(artifact: Artifact) -> Outcome:
    """Return what became of an artifact; one that could not be compared is different."""
    return _BY_TEXT.get(_text(artifact), DIFFERENT)


def _texts(artifacts: Iterable[Artifact]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for one in artifacts:
        found.setdefault(one.way, {})[one.kind] = _text(one)
    return found


def _text(artifact: Artifact) -> str:
    """Return the verdict of what differs, else the state."""
    return artifact.verdict or DIFFERS if artifact.state == DIFFERS else artifact.state


def _letters(texts: Mapping[str, Mapping[str, str]]) -> str:
    return "".join(
        _BY_TEXT.get(texts[way][kind], DIFFERENT).letter if kind in texts.get(way, ()) else NONE.letter
        for way in WAYS
        for kind in KINDS
    )
