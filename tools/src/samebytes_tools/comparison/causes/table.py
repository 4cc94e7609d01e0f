"""The table of causes: which of them an observation shows, and the findings that follow.

To add a cause, write it in the module of this folder that is about the like, and put it into TABLE. What can be seen in
words of a text needs a pattern in :mod:`.tokens` too, and a new kind of observation a type in :mod:`..observations`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from ..excerpts import excerpts
from ..model import Difference, Evidence, Finding, NodeKind
from ..observations import DigestPair, JsonValue, LoneLine, LoneLines, Observation, Part, TextPair, Unexplained, Window
from . import archives, chance, checkout, clock, order, places, platforms, repaired, texts, toolchain
from .cause import NO_CLUES, Cause, CauseClues

__all__ = [
    "ALL",
    "ORDERS",
    "REPAIRED",
    "TABLE",
    "TOOLCHAIN",
    "UNKNOWN",
    "ascribed",
    "attributed",
    "by_code",
    "codes",
    "explain",
    "explained",
    "how_small",
    "ordered_by",
    "orders_in",
    "reduced",
    "without_unknown",
]

UNKNOWN = "D099"
"""The code where the bytes do not show why."""

ORDERS = frozenset({order.HASH_SEED_ORDER.code, order.DIRECTORY_ORDER.code})
"""The codes that an order alone shows, which chance may look like."""

TOOLCHAIN = toolchain.TOOLCHAIN_VERSION.code
"""The code where another compiler made a file, of which other differences may be."""

REPAIRED = repaired.REPAIRED_WHEEL.code
"""The code where one wheel was repaired."""

TABLE: tuple[Cause, ...] = (
    archives.WRONG_RECORD,
    # Before what it has in common with other causes.
    platforms.WINDOWS_BUILT,
    platforms.PURE_FALLBACK,
    platforms.EXECUTABLE_BIT,
    archives.UMASK,
    archives.OWNER,
    archives.COMPRESSOR,
    archives.CONTAINER_WRITER,
    archives.NORMALIZED_COPY,
    checkout.LINE_ENDINGS,
    checkout.GENERATED_LINE_ENDS,
    checkout.VCS_VERSION,
    checkout.LEFTOVER_FILES,
    checkout.NAME_FORM,
    repaired.REPAIRED_WHEEL,
    toolchain.BUILD_ID,
    toolchain.CODE_SIGNATURE,
    toolchain.DEPLOYMENT_TARGET,
    toolchain.SBOM_IDENTITY,
    toolchain.REQUIREMENT_SPELLING,
    toolchain.BACKEND_VERSION,
    # Of two paths: the homes of two users, else the versions of a tool, else random names, else any two places.
    places.USER,
    toolchain.TOOLCHAIN_VERSION,
    places.TEMPORARY_DIRECTORY,
    places.BUILD_PATH,
    places.HOST,
    places.HOME,
    places.PROCESSORS,
    chance.RANDOM_VALUE,
    chance.BUILD_NUMBER,
    chance.ENVIRONMENT_VARIABLES,
    chance.TERMINAL,
    clock.LOCALE,
    clock.DATE_OR_TIME,
    # Of members' times: one shift of all of them is a time zone.
    clock.TIME_ZONE,
    clock.MEMBER_TIMES,
    # Of an order: files are listed by a file system, anything else comes out of a set.
    order.DIRECTORY_ORDER,
    order.HASH_SEED_ORDER,
    Cause(
        UNKNOWN,
        "unknown",
        "Nothing in the bytes shows why they differ: the source may have changed, or the cause is not known yet.",
        "Look at what differs. samebytes compare knows the bytes alone; samebytes check looks for the paths, names, "
        "dates and variables of both builds too, and in a third build; its --bisect finds which variation decides it.",
        lambda seen, _: isinstance(seen, (Unexplained, Window)),
    ),
)
"""Every cause. An observation has the first of them that it shows, so the special stands before the general."""

ALL: tuple[Cause, ...] = tuple(sorted(TABLE, key=lambda cause: cause.code))
"""Every cause, in the codes' order."""

_BY_CODE = {cause.code: cause for cause in ALL}

_LONG = 256
"""Bytes of texts that cost as much as one more pair to be looked at."""

# A report names each cause once; more evidence for it would hide the other causes.
_MOST_FINDINGS = 3
"""Of each code, for one difference."""


def by_code(code: str) -> Cause:
    """Return the cause with *code*.

    :raises KeyError: if there is none.
    """
    return _BY_CODE[code]


def codes(seen: Part, clues: CauseClues = NO_CLUES) -> tuple[str, ...]:
    """Return the codes of the causes that *seen* shows, sorted; none for what only follows from another difference.

    What is not shown by the whole is taken apart; a part that shows nothing is UNKNOWN.
    """
    return tuple(sorted(set(_codes(seen, clues))))


def _codes(seen: Part, clues: CauseClues) -> Iterator[str]:
    if _follows(seen, clues):
        return
    cause = next((cause for cause in TABLE if cause.shows(seen, clues)), None)
    # Of the whole first: parts of it may look like something more general.
    if cause is not None:
        yield cause.code
        return
    for part in texts.parts(seen, clues):
        yield from _codes(part, clues)


def _follows(seen: Part, clues: CauseClues) -> bool:
    """Return whether *seen* is the digest or the name of a member that differs, and so has its cause there."""
    if isinstance(seen, DigestPair):
        key = clues.digests[0].get(seen.left)
        # Of one member: two digests from different members are a difference of their own.
        return key is not None and key == clues.digests[1].get(seen.right)
    return isinstance(seen, LoneLine) and seen.text.decode("utf-8", "replace") in clues.only


def explain(seen: Observation, where: str, clues: CauseClues = NO_CLUES) -> tuple[Finding, ...]:
    """Return a finding for each cause that *seen*, which stands at *where*, shows; see :func:`codes`.

    Once so many texts were looked at as the comparison may, the next are UNKNOWN.
    """
    evidence = Evidence(where, *excerpts(seen.left, seen.right))
    length = len(seen.left) + len(seen.right)
    if isinstance(seen, (JsonValue, LoneLines, TextPair)) and not clues.allowance.explain(1 + length // _LONG):
        return (Finding(UNKNOWN, evidence),)
    return tuple(Finding(code, evidence) for code in codes(seen, clues))


def explained(
    name: str,
    kind: NodeKind,
    summary: str,
    seen: Observation,
    where: str,
    clues: CauseClues,
    *,
    detail: Iterable[str] = (),
    passes: tuple[str, ...] = (),
) -> Difference:
    """Return the node of a difference that is all in one observation."""
    return Difference(name, kind, summary, tuple(detail), explain(seen, where, clues), passes)


def how_small(differences: Iterable[Difference]) -> str:
    """Return, in words, that what normalizing leaves of *differences* has no meaning to anybody; nothing if it may.

    What only follows from other differences, as in RECORD, does not count.
    """
    found: dict[str, int] = {}
    for node in (node for node in differences if not node.passes):
        leaves = [each for each in node.walk() if not each.children and not each.passes]
        shown = {finding.code for each in node.walk() for finding in each.findings}
        words = {by_code(code).small for code in shown}
        unclear = [each for each in leaves if not each.findings and each.kind is not NodeKind.RECORD]
        if not all(words) or unclear:
            return ""
        for word in sorted(words):
            found[word] = found.get(word, 0) + 1
    parts = [f"{word} ({number} {'member' if number == 1 else 'members'})" for word, number in sorted(found.items())]
    return f"apart from what normalizing removes, only {' and '.join(parts)} differ" if parts else ""


def reduced(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return *findings* with no more than a few of each code, and none twice."""
    kept: list[Finding] = []
    counts: Counter[str] = Counter()
    for finding in findings:
        if counts[finding.code] < _MOST_FINDINGS and finding not in kept:
            counts[finding.code] += 1
            kept.append(finding)
    return tuple(kept)


def attributed(node: Difference, cause: Cause) -> Difference:
    """Return *node* with what is UNKNOWN in it and below it attributed to *cause*, which is known by other means.

    That comes last, for formats decide by what is UNKNOWN how a member is looked at.
    """
    findings = tuple(replace(one, code=cause.code) if one.code == UNKNOWN else one for one in node.findings)
    return replace(node, findings=findings, children=tuple(attributed(child, cause) for child in node.children))


def orders_in(node: Difference) -> dict[tuple[str, str], str]:
    """Return by the node below *node* (nothing for itself) and the place in that what seems to be in another order."""
    found = (("" if each is node else each.name, each.findings) for each in node.walk())
    return {
        (name, finding.evidence.where): finding.code
        for name, findings in found
        for finding in findings
        if finding.code in ORDERS
    }


def ordered_by(node: Difference, shown: Mapping[tuple[str, str], str], name: str = "") -> Difference:
    """Return *node*, called *name* in places, with the codes that *shown* has for what :func:`orders_in` returns."""
    findings = dict.fromkeys(
        replace(one, code=shown.get((name, one.evidence.where), one.code)) if one.code in ORDERS else one
        for one in node.findings
    )
    children = tuple(ordered_by(child, shown, child.name) for child in node.children)
    return replace(node, findings=tuple(findings), children=children)


def ascribed(node: Difference, cause: Cause) -> Difference:
    """Return *node* with all that was found in it and below it ascribed to *cause*, each piece of evidence once."""
    findings = dict.fromkeys(replace(finding, code=cause.code) for finding in node.findings)
    return replace(node, findings=tuple(findings), children=tuple(ascribed(child, cause) for child in node.children))


def without_unknown(node: Difference) -> Difference:
    """Return *node* and all below it without UNKNOWN, for what explains it stands elsewhere."""
    findings = tuple(finding for finding in node.findings if finding.code != UNKNOWN)
    return replace(node, findings=findings, children=tuple(map(without_unknown, node.children)))
