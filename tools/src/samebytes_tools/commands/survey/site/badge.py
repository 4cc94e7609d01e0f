"""A package's badge: the flat shape that such badges have, with text that programs for the blind read."""

from __future__ import annotations

from typing import NamedTuple

from .rendering import Templates
from .results import AS_IS, NOT_YET, UNKNOWN, WITH, Standing

LABEL = "reproducible"
INK, LABEL_GROUND = "#ffffff", "#494f57"
GROUNDS = {AS_IS: "#116329", WITH: "#0b5a75", NOT_YET: "#8a4600", UNKNOWN: "#5c636b"}
"""What the words stand on: dark enough for white text (WCAG 2.2, 1.4.3)."""

_WIDTHS = {
    **dict.fromkeys("fijlt' ", 3.6),
    **dict.fromkeys("abcdeghknopqrsuvxyz", 6.6),
    **dict.fromkeys("mw", 9.6),
}
"""About what letters take in 11 px Verdana; ``textLength`` fits the rest in."""


class Half(NamedTuple):
    """One of the two parts."""

    text: str
    x: float
    width: float
    ground: str

    @property
    def middle(self) -> float:
        return round(self.x + self.width / 2, 1)

    @property
    def text_width(self) -> float:
        return round(self.width - 12, 1)


def badge(templates: Templates, name: str, standing: Standing, label: str) -> str:
    """Return the badge of the package *name* as SVG."""
    left = Half(LABEL, 0, _width(LABEL), LABEL_GROUND)
    right = Half(label, left.width, _width(label), GROUNDS[standing])
    return templates.part("badge.svg", name=name, halves=(left, right), width=left.width + right.width, ink=INK)


def _width(text: str) -> float:
    return round(sum(_WIDTHS.get(letter, 7.2) for letter in text) + 12)
