"""The documentation says what is so: links lead somewhere, examples are valid, tables are complete."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest
from samebytes_tools.comparison.causes import table
from support.error_classes import CLASSES

from samebytes import errors
from samebytes.backend.config import KEYS, PINNED
from samebytes.commands import main as cli
from samebytes.console import exit_status
from samebytes.passes import ALL

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
README = ROOT / "README.md"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), ROOT / "examples" / "README.md"])
BLOB = "https://github.com/samebytes/samebytes/blob/main/"
"""README links with whole addresses, for an index shows it too; they are held against this tree."""

RAW = "https://raw.githubusercontent.com/samebytes/samebytes/main"
"""The same for pictures."""

NOT_SHIPPED = ("benchmarks",)
"""What a clone has and the sdist has not."""

pytestmark = pytest.mark.skipif(not DOCS.is_dir(), reason="the documentation is not here, only the tests")

page = pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))


def prose(text: str) -> str:
    """Return *text* without fenced blocks and inline code."""
    return re.sub(r"`[^`]+`", "", without_blocks(text))


def without_blocks(text: str) -> str:
    """Return *text* without fenced blocks."""
    return re.sub(r"^ *```.*?^ *```$", "", text, flags=re.MULTILINE | re.DOTALL)


def blocks(path: Path, *languages: str) -> list[str]:
    """Return the fenced blocks of *path* in one of *languages*."""
    found = re.findall(r"^```(\w+)\n(.*?)^```$", path.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    return [text for language, text in found if language in languages]


def links(path: Path) -> list[str]:
    """Return the targets of inline and reference links of *path*."""
    text = prose(path.read_text("utf-8"))
    return re.findall(r"\]\(([^()\s]+)\)", text) + re.findall(r"^\[[^\]]+\]: (\S+)$", text, flags=re.MULTILINE)


def undefined(path: Path) -> list[str]:
    """Return the labels of reference links of *path* that nothing defines."""
    text = prose(path.read_text("utf-8"))
    defined = set(re.findall(r"^\[([^\]]+)\]: ", text, flags=re.MULTILINE))
    return [label for label in re.findall(r"\]\[([^\]]+)\]", text) if label not in defined]


def anchors(path: Path) -> set[str]:
    """Return the anchors that GitHub gives to the headings of *path*."""
    text = without_blocks(path.read_text("utf-8"))
    found: set[str] = set()
    for heading in re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", plain).strip().replace(" ", "-")
        number = next(n for n in range(len(text)) if (f"{slug}-{n}" if n else slug) not in found)
        found.add(f"{slug}-{number}" if number else slug)
    return found


def is_shipped(target: Path) -> bool:
    """Return whether *target* should be here: in an sdist's tree, some of a clone is not."""
    return not (ROOT / "PKG-INFO").is_file() or target.relative_to(ROOT).parts[0] not in NOT_SHIPPED


@page
def test_links_lead_somewhere(page: Path) -> None:
    assert undefined(page) == []
    for link in links(page):
        place, _, anchor = link.partition("#")
        if place.startswith(BLOB):
            target = ROOT / place[len(BLOB) :]
        elif re.match(r"[a-z]+:", place):
            continue
        else:
            target = (page.parent / place).resolve() if place else page
        assert target.is_relative_to(ROOT), f"{link} leads out of the project"
        if is_shipped(target):
            assert target.exists(), f"{link}: there is no such file"
            assert not anchor or anchor in anchors(target), f"{link}: there is no such heading"


def test_readme_links_work_on_an_index_too() -> None:
    assert [link for link in links(README) if not re.match(r"https:|#", link)] == []


def test_every_page_can_be_reached_from_the_index() -> None:
    index = DOCS / "index.md"
    reached = {(index.parent / link.partition("#")[0]).resolve() for link in links(index)}
    assert [path for path in DOCS.rglob("*.md") if path not in reached | {index}] == []


def test_the_picture_shows_what_check_prints_today() -> None:
    """Its words are those of the table of causes; and it loads nothing, which code hosts would not show."""
    picture = DOCS / "_static" / "check.svg"
    assert f"{RAW}/docs/_static/check.svg" in README.read_text("utf-8")
    root = ElementTree.fromstring(picture.read_text("utf-8"))
    shown = " ".join(" ".join(root.itertext()).split())
    cause = table.by_code("D005")
    for text in (f"{cause.code} {cause.name}", cause.explanation, cause.inside.partition("\n")[0]):
        assert " ".join(text.split()) in shown, "run python docs/generate_picture.py"
    drawn = re.sub(r'xmlns(?::\w+)?="[^"]*"', "", picture.read_text("utf-8"))
    assert re.findall(r"(?:https?:)?//\S+", re.sub(r"<!--.*?-->", "", drawn, flags=re.DOTALL)) == []


def test_readme_has_the_backend_in_three_lines() -> None:
    (text,) = blocks(README, "toml")
    assert re.findall(r".*samebytes.*", text) == [
        'requires = ["setuptools>=77", "samebytes"]',
        'build-backend = "samebytes.backend"',
        "[tool.samebytes]",
    ]


@page
def test_shell_examples_are_valid(page: Path) -> None:
    shell = shutil.which("sh")
    for text in blocks(page, "sh"):
        if shell:
            subprocess.run([shell, "-n", "-c", text], check=True)
        for script in re.findall(r"python3? ((?:examples|tests|docs|benchmarks)/\S+\.py)", text):
            assert not is_shipped(ROOT / script) or (ROOT / script).is_file(), script


def calls(path: Path) -> Iterator[list[str]]:
    """Give every ``samebytes ...`` that *path* shows, as words: in shell blocks, after a prompt, as inline code.

    Inline code may be a message too; outside the README it counts if it has an option or the name of a command.
    """
    text = path.read_text("utf-8")
    lines = [line for block in blocks(path, "sh") for line in block.splitlines()]
    lines += [line[2:] for block in blocks(path, "console") for line in block.splitlines() if line.startswith("$ ")]
    found = [re.search(r"(?:^|\s)samebytes (\S.*)", line) for line in lines]
    found += [re.fullmatch(r"`samebytes ([^`]+)`", shown) for shown in re.findall(r"`[^`]+`", without_blocks(text))]
    for match in filter(None, found):
        words = re.split(r"[\s|>;]+", match[1])
        if path == README or match[0][0] != "`" or words[0] in cli.COMMANDS or " -" in f" {match[1]}":
            yield words


WITH_VERBS = {"tree", "survey"}
"""Commands that are followed by a verb with options of its own."""


@page
def test_commands_and_options_exist(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in calls(page):
        command = [] if words[0].startswith("-") else words[:1]
        assert set(command) <= {*cli.COMMANDS, "COMMAND"}, f"samebytes {words[0]}"
        if words[0] in WITH_VERBS and len(words) > 1 and not words[1].startswith("-"):
            command = words[:2]
        assert cli.main([*(name for name in command if name != "COMMAND"), "--help"]) == 0
        known = set(re.findall(r"(?<![\w-])--?[a-zA-Z][\w-]*", capsys.readouterr().out))
        options = {word.partition("=")[0] for word in words if re.match(r"--?[a-zA-Z]", word)}
        assert options <= known, f"samebytes {' '.join(words)}: {options - known}"


def test_the_readme_shows_the_commands() -> None:
    """The control of the search for calls: it finds them."""
    found = {command for command, *_ in calls(README)}
    assert {"normalize", "check", "build", "wrap", "doctor"} <= found


def rows(path: Path, first: str) -> list[list[str]]:
    """Return the cells of the table rows of *path* whose first cell matches *first*."""
    lines = re.findall(r"^\| (.*) \|$", path.read_text("utf-8"), flags=re.MULTILINE)
    cells = [[cell.strip() for cell in re.split(r" *\|(?: |$)", line)] for line in lines]
    return [row for row in cells if re.fullmatch(first, row[0])]


def test_every_setting_has_its_section_and_no_other() -> None:
    path = DOCS / "reference" / "configuration.md"
    text = path.read_text("utf-8")
    assert sorted(re.findall(r"^### `([a-z-]+)`$", text, flags=re.MULTILINE)) == sorted(KEYS)
    assert sorted(row[0] for row in rows(path, r"\[`.*")) == sorted(f"[`{key}`](#{key})" for key in KEYS)
    assert all(f'`"{name}"`' in text for name in PINNED)


def test_everything_pinned_is_explained() -> None:
    text = (DOCS / "explanation" / "what-varies.md").read_text("utf-8")
    assert sorted(re.findall(r'`\["([\w-]+)"\]`', text)) == sorted(PINNED)


def test_exit_statuses_are_all_there() -> None:
    found = {int(row[0]): row for row in rows(DOCS / "reference" / "exit-statuses.md", r"\d+")}
    assert {number: row[1] for number, row in found.items()} == exit_status.MEANINGS
    for name, error in CLASSES.items():
        if error is not errors.SamebytesError:
            assert f"`{name}`" in found[error.exit_status][2]


def load_module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_of_passes_is_up_to_date() -> None:
    generate = load_module(DOCS / "generate.py")
    assert generate.page(ALL) == generate.PAGE.read_text("utf-8"), "run python docs/generate.py"


def test_the_page_of_causes_is_up_to_date() -> None:
    generate = load_module(DOCS / "generate.py")
    assert generate.causes_page(table.ALL) == generate.CAUSES.read_text("utf-8"), "run python docs/generate.py"


def test_the_signatures_of_the_api_are_up_to_date() -> None:
    generate = load_module(DOCS / "generate.py")
    text = generate.API.read_text("utf-8")
    assert generate.with_signatures(text) == text, "run python docs/generate.py"


def test_a_stale_signature_is_noticed() -> None:
    generate = load_module(DOCS / "generate.py")
    text = "```python\ndef compare(left: str): ...\n```\n\n```python\nx = 1\n```\n"
    assert generate.with_signatures(text) == (
        "```python\ndef compare(\n    left: str | os.PathLike[str],\n    right: str | os.PathLike[str],\n"
        ") -> Comparison: ...\n```\n\n```python\nx = 1\n```\n"
    )


def test_what_the_survey_found_is_told_as_it_is_in_the_data() -> None:
    for path, text in load_module(DOCS / "generate_survey.py").written().items():
        assert path.read_text("utf-8") == text, "run python docs/generate_survey.py"


def test_a_stale_page_of_passes_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    generate = load_module(DOCS / "generate.py")
    stale = tmp_path / "passes.md"
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    monkeypatch.setattr(generate, "CAUSES", tmp_path / "causes.md")
    monkeypatch.setattr(generate, "PAGE", stale)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "argv", ["generate.py", "--check"])
    assert generate.main() == 1
    assert "python docs/generate.py" in capsys.readouterr().err
    monkeypatch.setattr(sys, "argv", ["generate.py"])
    assert generate.main() == 0
    monkeypatch.setattr(sys, "argv", ["generate.py", "--check"])
    assert generate.main() == 0
    stale.write_text(stale.read_text("utf-8") + "more\n", "utf-8")
    assert generate.main() == 1


def test_the_rooms_are_those_that_the_code_is_held_to() -> None:
    rooms = load_module(Path(__file__).with_name("test_layering.py")).ROOMS
    table = rows(ROOT / "CONTRIBUTING.md", r"`[a-z.]+`")
    assert {row[0].strip("`"): set(re.findall(r"`([\w.]+)`", row[2])) for row in table} == rooms


def test_what_the_demonstration_prints_is_shown() -> None:
    shown = next(text for text in blocks(ROOT / "examples" / "README.md", "text") if "without samebytes" in text)
    source = (ROOT / "examples" / "demo.py").read_text("utf-8")
    for title in ("without samebytes", "with samebytes", "the same", "NOT the same", "As promised."):
        assert title in shown
        assert title in source
    digests = re.findall(r"(?:Alice|Bob) +([0-9a-f]{12})\.\.\.", shown)
    assert [digests[n] == digests[n + 1] for n in range(0, len(digests), 2)] == [False, False, True, True]
