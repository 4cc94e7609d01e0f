"""The code blocks of the documentation, and the comments before them that say how each is tested.

A comment stands on the line above the fence, and is not seen where the page is rendered::

    <!-- run: in PLACE -->                    its commands are run there, and each ends with status 0
    <!-- run: in PLACE, with an index -->     the same where there is a package index
    <!-- run: in PLACE, exits 0 1 -->         with these statuses, one for each command, or one for all
    <!-- run: in PLACE, needs PROGRAM -->     skipped where it is not there; several have blanks between them
    <!-- checked by: tests/some/test.py -->   that file names the page, or has the block's lines
    <!-- not run: why it cannot be -->
    <!-- not compared: why -->                output of the block before, as an example

Places are functions of :mod:`support.places`. What needs no comment stands in :data:`DEFAULTS`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from markdown_it import MarkdownIt

ROOT = Path(__file__).resolve().parents[2]

TESTED_AS_A_WHOLE = {
    "docs/canonical-form.md": "tests/unit/test_canonical_reader.py",
    "docs/how-to/completion.md": "tests/unit/commands/completion/test_completion.py",
    "docs/how-to/repair-tools.md": "tests/integration/test_repair_docs.py",
    "docs/how-to/release-*.md": "tests/integration/test_release_pages.py",
    "docs/reference/causes.md": "tests/integration/test_documented_commands.py",
    "docs/reference/command-line.md": "tests/unit/test_manual.py",
    "docs/reference/python-api.md": "tests/unit/test_api.py",
    "docs/reference/survey-data.md": "tests/unit/commands/survey/test_data_page.py",
    "docs/tutorial/*.md": "tests/integration/test_tutorial.py",
}
"""Pages with a test of their own, which sees to every block of them."""

RUN, CHECKED_BY, NOT_RUN, NOT_COMPARED = "run", "checked by", "not run", "not compared"
KINDS = (RUN, CHECKED_BY, NOT_RUN, NOT_COMPARED)

DEFAULTS = {
    "toml": "read as TOML, and by samebytes.backend.config",
    "yaml": "read as YAML",
    "json": "read as JSON",
    "text": "output of the block before: compared if that is run",
    "diff": "what the block before prints or writes: compared if that is run",
}
"""What is done with a block without a comment, by its language."""

_COMMENT = re.compile(rf"<!-- ({'|'.join(KINDS)}): (.+) -->\s*")
_RUN = re.compile(r"in ([a-z-]+)(, with an index)?(?:, exits ((?:\d+ ?)+))?(?:, needs ([\w. -]+))?")


class Block(NamedTuple):
    """A fenced or indented block, and what the comment before it says."""

    page: str
    """Relative to the root, with slashes."""
    line: int
    """Of its first line of code, from 1."""
    language: str
    text: str
    kind: str
    """One of :data:`KINDS`; empty without a comment."""
    said: str
    """What stands behind the colon."""

    @property
    def name(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def run(self) -> Run:
        """How it is run; an AssertionError if the comment cannot be read."""
        found = _RUN.fullmatch(self.said)
        assert found is not None, f"{self.name}: {self.said!r} does not say how to run it"
        place, index, statuses, programs = found.groups()
        return Run(place, bool(index), tuple(map(int, (statuses or "0").split())), tuple((programs or "").split()))


class Run(NamedTuple):
    """Where and how commands are run."""

    place: str
    needs_index: bool
    statuses: tuple[int, ...]
    programs: tuple[str, ...]


def pages() -> list[Path]:
    """Return every page of the documentation."""
    found = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")]
    return sorted(found)


def own_test(page: str) -> str:
    """Return the test of its own that *page* has, or nothing."""
    return next((test for pattern, test in TESTED_AS_A_WHOLE.items() if Path(page).match(pattern)), "")


@cache
def blocks(path: Path) -> tuple[Block, ...]:
    """Return the code blocks of a page, from top to bottom."""
    return tuple(parsed(path.read_text("utf-8"), path.relative_to(ROOT).as_posix()))


def parsed(text: str, page: str) -> Iterator[Block]:
    """Give the code blocks of the text of a page."""
    before = None
    for token in MarkdownIt("commonmark").parse(text):
        if token.type in ("fence", "code_block"):
            assert token.map is not None
            comment = _COMMENT.fullmatch(before.content) if before is not None and before.type == "html_block" else None
            kind, said = comment.groups() if comment else ("", "")
            yield Block(page, token.map[0] + 1, token.info.strip(), token.content, kind, said)
        before = token


def all_blocks() -> list[Block]:
    return [block for path in pages() for block in blocks(path)]


def output_of(block: Block) -> Block | None:
    """Return the block behind *block*, if it shows what that one prints or writes."""
    below = [one for one in blocks(ROOT / block.page) if one.line > block.line]
    return below[0] if below and below[0].language in ("text", "diff") and below[0].kind in ("", NOT_COMPARED) else None
