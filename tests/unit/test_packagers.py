"""The recipes for packagers have the lines of the packages that are built in tests/integration."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.blocks import blocks

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "how-to" / "packagers.md"
DEBIAN = ROOT / "examples" / "debian" / "greeting" / "debian"

pytestmark = pytest.mark.skipif(
    not (PAGE.is_file() and DEBIAN.is_dir()), reason="the documentation is not here, only the tests"
)


def shown(language: str) -> str:
    """Return the one block of the page in that language."""
    (text,) = (block.text for block in blocks(PAGE) if block.language == language)
    return text


def test_debian_s_rules_are_those_that_are_run() -> None:
    """But for comments, and the name that pybuild may want."""
    rules = (DEBIAN / "rules").read_text("utf-8").splitlines()
    wanted = [line for line in rules if not line.startswith(("#", "export PYBUILD_NAME"))]
    assert shown("make").split() == " ".join(wanted).split()


def test_debian_s_build_requirements_are_those_of_the_example_and_samebytes() -> None:
    """Which no distribution has: the example finds it on PYTHONPATH."""

    def named(text: str) -> set[str]:
        (field,) = re.findall(r"^Build-Depends: (.*\n(?: .*\n)*)", text, flags=re.MULTILINE)
        return {" ".join(one.split()) for one in field.split(",")}

    own = {"python3-samebytes", "python3-samebytes-tools"}
    assert named(shown("control")) == named((DEBIAN / "control").read_text("utf-8")) | own


def test_every_recipe_says_whether_it_was_tried() -> None:
    text = PAGE.read_text("utf-8")
    table = dict(re.findall(r"^\| \[(\w+)\]\(#\w+\) \|.*\| (.*) \|$", text, flags=re.MULTILINE))
    assert list(table) == ["Debian", "Fedora", "Gentoo", "Guix", "Nix"]
    for name, tried in table.items():
        section = text.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
        assert "```" in section
        assert ("<!-- run:" in section or "<!-- checked by:" in section) or "not run" in tried or "not run" in section
