"""Explanations and remedies: prose to be folded, and lines to be pasted as they are."""

from __future__ import annotations

import textwrap
from typing import NamedTuple

from samebytes.console.style import no_command


class ProseBlock(NamedTuple):
    """A paragraph, or lines to paste."""

    text: str
    """A paragraph is one line; lines to paste have lost their indentation."""
    pasted: bool


def blocks(text: str) -> list[ProseBlock]:
    """Return the blocks of *text*: an empty line ends a paragraph, and indented lines are to be pasted.

    Lines to paste stay in one block though an empty line is between them.
    """
    found: list[ProseBlock] = []
    for part in text.strip("\n").split("\n\n"):
        # Four blanks, as in Markdown.
        pasted = all(line.startswith("    ") for line in part.splitlines())
        block = ProseBlock(textwrap.dedent(part) if pasted else " ".join(part.split()), pasted)
        if pasted and found and found[-1].pasted:
            block = ProseBlock(f"{found.pop().text}\n\n{block.text}", pasted)
        found.append(block)
    return found


def folded(text: str, width: int, indent: str = "") -> list[str]:
    """Return *text* in lines of *width* where its words allow that, all but the first indented."""
    # A terminal may be as narrow as its user, or COLUMNS, has it.
    width = max(width, 1)
    lines = textwrap.wrap(text, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    # After folding: a line that begins like a command of a CI log may only appear by it.
    return [no_command(line) for line in lines] or [""]
