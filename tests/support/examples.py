"""How many examples Hypothesis draws for a property."""

from __future__ import annotations

import os

ONE_IN = int(os.environ.get("SAMEBYTES_EXAMPLES_ONE_IN", "1"))
"""By how much they are fewer: .ci/run draws all of them under one interpreter, and one in five under the others, of which
many inputs say little that a few do not."""

LEAST = 10


def examples(count: int) -> int:
    """Return how many examples to draw of *count*."""
    return max(min(count, LEAST), count // ONE_IN)
