"""The words of docs/explanation/architecture.md: the project's old ones do not come back, in code, help or documents."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

OLD = {
    "Tell whether, told, tells of": r"(?<![.-])\b(tell|tells|telling|told)\b(?! (\w+ )*apart)",
    "world, for a build's environment": r"\b(hostile|two|second|first|other|both) worlds?\b|\bin (a|each|the|one) world\b",
    "surroundings": r"\bsurroundings?\b|\boutfits?\b|\byards?\b",
    "blame, culprit": r"\bblam(e|es|ed|ing)\b|\bculprits?\b",
    "wish, for a target": r"\bwish(es|ed)?\b",
    "oddity, for a deviation": r"\boddit(y|ies)\b",
    "ledger": r"\bledgers?\b",
    "mend": r"\bmend(s|ed|ing)?\b",
    "is no number": r"(?<!there )\bis no (number|file|directory|archive|wheel|sdist|Python|text|name|JSON|date)\b",
    "whoever read the output went away": r"\bwent away\b",
}
"""What it was called, and how it is found."""

WORDS = re.compile("|".join(f"(?P<w{number}>{pattern})" for number, pattern in enumerate(OLD.values())), re.IGNORECASE)

SEARCHED = ("src", "tools", "docs", "README.md", "CONTRIBUTING.md", "SECURITY.md", "action.yml", "examples", "data")
LEFT_OUT = {
    "docs/explanation/architecture.md": "it lists the words",
    "docs/generate_survey.py": "it renames what the first runs of the survey printed",
    "docs/survey/survey.json": "it quotes what builds printed",
    "docs/survey/rebuilt.json": "likewise",
    "docs/survey/dated.json": "likewise",
}


def searched() -> list[str]:
    """Return the tracked text files of SEARCHED; all that is there where git is not."""
    found = subprocess.run(["git", "ls-files", *SEARCHED], cwd=ROOT, capture_output=True, text=True, check=False)
    names = found.stdout.split("\n") if found.returncode == 0 else [str(p.relative_to(ROOT)) for p in ROOT.rglob("*")]
    suffixes = (".py", ".md", ".toml", ".html", ".js", ".json", ".yml", ".1")
    return [name for name in names if name.endswith(suffixes) and name not in LEFT_OUT and (ROOT / name).is_file()]


@pytest.mark.parametrize("name", searched())
def test_the_old_words_stay_away(name: str) -> None:
    found = []
    for number, line in enumerate((ROOT / name).read_text("utf-8").splitlines(), start=1):
        match = WORDS.search(line)
        if match:
            found.append(f"{name}:{number}: {match[0]!r} in: {line.strip()}")
    assert found == []


def test_the_old_words_are_found() -> None:
    for line in ('"""Tell whether it is."""', "in two worlds", "the wishes of a survey", "it is no file", "Mend it."):
        assert WORDS.search(line)
    for line in ("to tell apart", "Hello, world", "around", "a real-world wheel", "Return whether it is."):
        assert not WORDS.search(line)
