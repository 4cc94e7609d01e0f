"""What differs at a glance: by cause and variation the files, and what to do about them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from samebytes.artifact.layout import ArtifactKind

from ..comparison.causes.table import by_code
from ..comparison.model import Comparison, Difference, NodeKind
from .prose import blocks

NORMALIZING = "For archives, samebytes normalize does it; for trees, samebytes tree fix."
"""What is said of what normalizing removes, where nobody knows who reads it."""

CONTAINER = "container"
"""What differences of the archive itself are listed under."""

Variations = Callable[[Comparison, Difference], Sequence[str]]
"""Returns by which variations a difference at the top of a comparison's tree is, as far as builds have shown it."""


class OverviewRow(NamedTuple):
    """One cause: where it was found, and what to do about it."""

    code: str
    variations: tuple[str, ...]
    """Empty where no build has shown it."""
    files: tuple[str, ...]
    """Each once, in the order of the comparisons; not harmless."""
    remedy: str
    is_normalized: bool
    """Whether normalizing removes it."""


def parts(comparison: Comparison) -> tuple[list[Difference], list[Difference]]:
    """Return the differences that normalizing leaves, and those that it removes."""
    removed = [node for node in comparison.differences if node.passes]
    return [node for node in comparison.differences if not node.passes], removed


Advice = Callable[[str, bool], str]
"""Returns what to do about a cause, by its code and by whether normalizing removes what it was found in."""


def general_advice(code: str, is_normalized: bool) -> str:
    """Return what to do about a cause, whoever reads it."""
    return by_code(code).advice(normalized=is_normalized, inside=not is_normalized)


def overview(
    comparisons: Iterable[Comparison], variations: Variations = lambda *_: (), advice: Advice = general_advice
) -> list[OverviewRow]:
    """Return a row for each cause, with the variations that show it; what normalizing leaves comes first."""
    groups: dict[tuple[bool, str, tuple[str, ...]], dict[str, str]] = {}
    for comparison in comparisons:
        for node in comparison.differences:
            name = CONTAINER if node.kind is NodeKind.CONTAINER else _own_name(comparison, node.name)
            by = tuple(variations(comparison, node))
            for code in codes_of(node):
                # A package is often in src/ in the sdist, which it is not in the wheel.
                groups.setdefault((bool(node.passes), code, by), {}).setdefault(name.removeprefix("src/"), name)
    return [
        OverviewRow(code, by, tuple(files.values()), advice(code, is_normalized), is_normalized)
        for (is_normalized, code, by), files in sorted(groups.items(), key=lambda item: item[0])
    ]


def _own_name(comparison: Comparison, name: str) -> str:
    """Return what the member *name* is called in the tree: of an sdist, below the directory that all of it is in."""
    return (name.partition("/")[2] or name) if comparison.kind == ArtifactKind.SDIST else name


def codes_of(node: Difference) -> list[str]:
    """Return the codes of all causes in *node*, each once, in their order."""
    return sorted({finding.code for each in node.walk() for finding in each.findings})


def alike(differences: Iterable[Difference]) -> dict[object, list[Difference]]:
    """Return *differences* in groups of which each shows one evidence, in the order of the first of each, by that."""
    groups: dict[object, list[Difference]] = {}
    for node in differences:
        nodes = list(node.walk())
        evidence = frozenset(
            (each.code, each.evidence.left, each.evidence.right) for one in nodes for each in one.findings
        )
        changed = tuple(line for one in nodes for line in one.detail if line[:1] in ("-", "+"))
        # Where nothing is shown, two are not alike for that.
        groups.setdefault((node.kind, evidence, changed) if evidence else node.name, []).append(node)
    return groups


def opening(remedy: str) -> tuple[str, str]:
    """Return how a remedy begins, and what there is to paste if that follows at once and is one line, else nothing."""
    first, *rest = blocks(remedy)
    pasted = rest[0].text if rest and rest[0].pasted else ""
    # Half of what is to be pasted would be wrong.
    return (first.text, pasted) if pasted and "\n" not in pasted else (f"{first.text.rstrip(':.')}.", "")
