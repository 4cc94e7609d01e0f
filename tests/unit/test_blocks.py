"""Every code block of the documentation is run by a test, read by one, or marked as not to be run."""

from __future__ import annotations

import configparser
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support import places
from support.blocks import (
    CHECKED_BY,
    DEFAULTS,
    NOT_COMPARED,
    NOT_RUN,
    ROOT,
    RUN,
    TESTED_AS_A_WHOLE,
    Block,
    all_blocks,
    output_of,
    own_test,
    pages,
    parsed,
)

from samebytes.backend.config import load
from samebytes.errors import SamebytesError
from samebytes.passes import select

BLOCKS = all_blocks()
NOT_SHIPPED = (".ci", "benchmarks")
"""What a clone has and the sdist has not."""

pytestmark = pytest.mark.skipif(not (ROOT / "docs").is_dir(), reason="the documentation is not here, only the tests")


def those(kind: str) -> pytest.MarkDecorator:
    """Run the test for every block with a comment of this kind."""
    return pytest.mark.parametrize("block", [one for one in BLOCKS if one.kind == kind], ids=lambda one: one.name)


def test_there_are_some_of_every_kind() -> None:
    """The control of the search: it finds blocks, and comments before them."""
    assert {one.kind for one in BLOCKS} == {"", RUN, CHECKED_BY, NOT_RUN, NOT_COMPARED}
    assert len(BLOCKS) > 150


@pytest.mark.parametrize("path", pages(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_block_is_accounted_for(path: Path) -> None:
    page = path.relative_to(ROOT).as_posix()
    unknown = [one.name for one in BLOCKS if one.page == page and not is_accounted_for(one)]
    assert unknown == [], "say before each how it is tested: see tests/support/blocks.py"


def is_accounted_for(block: Block) -> bool:
    """Return whether a comment, a test of the whole page or a default says what is done with the block."""
    if block.kind or own_test(block.page):
        return True
    if block.language in ("text", "diff"):
        return any(output_of(one) == block for one in BLOCKS if one.page == block.page)
    return block.language in DEFAULTS


@pytest.mark.parametrize(("pattern", "test"), TESTED_AS_A_WHOLE.items())
def test_pages_own_test_are_named_by_their_test(pattern: str, test: str) -> None:
    for path in ROOT.glob(pattern):
        assert (ROOT / test).is_file(), f"{path} has no {test}"
        assert path.name in (ROOT / test).read_text("utf-8") or path.parent.name in (ROOT / test).read_text("utf-8")


@those(CHECKED_BY)
def test_what_is_said_to_check_a_block_does(block: Block) -> None:
    """It names the page, or has the block's own lines."""
    if block.said.split("/")[0] in NOT_SHIPPED and (ROOT / "PKG-INFO").is_file():
        pytest.skip(f"{block.said} is not here")
    text = (ROOT / block.said).read_text("utf-8")
    assert Path(block.page).name in text or all(line in text.splitlines() for line in block.text.splitlines())


@those(RUN)
def test_what_is_run_says_where(block: Block) -> None:
    how = block.run
    assert how.place in {*places.PLACES, "published"}
    assert block.language in ("sh", "console")
    assert all(0 <= status <= 13 for status in how.statuses)


@those(NOT_COMPARED)
def test_only_output_is_not_compared(block: Block) -> None:
    assert block.language in ("text", "diff")


@pytest.mark.skipif(not (ROOT / "benchmarks").is_dir(), reason="the benchmarks are not here")
@pytest.mark.parametrize(
    "block", [one for one in BLOCKS if one.kind == NOT_RUN and "benchmarks/" in one.text], ids=lambda one: one.name
)
def test_benchmarks_that_are_not_run_have_the_options_shown(block: Block) -> None:
    (line,) = (line for line in block.text.splitlines() if "benchmarks/" in line)
    interpreter, program, *words = line.split()
    run = {"python": sys.executable, "bash": "bash"}[interpreter]
    done = subprocess.run([run, str(ROOT / program), "--help"], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert [word for word in words if word.startswith("--") and word not in done.stdout] == []


def read(block: Block) -> Any:
    """Read a block of a language that has a reader."""
    if block.language == "json":
        return json.loads(block.text)
    if block.language == "ini":
        parser = configparser.ConfigParser()
        parser.read_string(block.text)
        return parser.sections()
    if block.language == "python":
        return compile(block.text, block.name, "exec")
    yaml = pytest.importorskip("yaml", reason="needs PyYAML")
    return list(yaml.safe_load_all(block.text))


@pytest.mark.parametrize(
    "block",
    [one for one in BLOCKS if one.language in ("json", "yaml", "ini", "python")],
    ids=lambda one: one.name,
)
def test_what_has_a_reader_can_be_read(block: Block) -> None:
    assert read(block)


@pytest.mark.parametrize(
    "block",
    [one for one in BLOCKS if one.language == "toml" or (one.language == "" and one.text.startswith("["))],
    ids=lambda one: one.name,
)
def test_toml_is_read_by_the_backend(block: Block, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(block.text, "utf-8")
    config = load(tmp_path)
    assert config.wrapped == ("samebytes.backend" in block.text)
    select(config.disable, config.enable)


def test_the_error_shown_in_backend_md_is_the_one_raised(tmp_path: Path) -> None:
    (block,) = (one for one in BLOCKS if one.page.endswith("/backend.md") and "error:" in one.text)
    (tmp_path / "pyproject.toml").write_text("[tool.samebytes]\ndebuginfo = 'strip'\n", "utf-8")
    with pytest.raises(SamebytesError) as raised:
        load(tmp_path)
    said = f"samebytes: error: {raised.value.message}\n  hint: {raised.value.remedy}\n"
    assert said.replace(str(tmp_path), "/home/ada/project") == block.text


PAGE = """\
<!-- run: in small, with an index, exits 0 1, needs zsh fish -->
```sh
one
```

- <!-- not run: no time -->
  ```sh
  two
  ```

<!-- runs: in small -->
```text
three
```

    four
"""


def test_blocks_are_found_wherever_they_stand() -> None:
    found = list(parsed(PAGE, "page.md"))
    assert [(one.line, one.language, one.text, one.kind) for one in found] == [
        (2, "sh", "one\n", RUN),
        (7, "sh", "two\n", NOT_RUN),
        (12, "text", "three\n", ""),
        (16, "", "four\n", ""),
    ]
    assert found[0].run == ("small", True, (0, 1), ("zsh", "fish"))
    with pytest.raises(AssertionError, match=r"page\.md:2: 'small' does not say how to run it"):
        assert found[0]._replace(said="small").run


@pytest.mark.slow("runs a benchmark's program for each of many texts")
@pytest.mark.skipif(not (ROOT / "benchmarks").is_dir(), reason="the benchmarks are not here")
@pytest.mark.parametrize(
    ("between", "fits"),
    [
        ("<!-- wheels --><!-- end of wheels -->", True),
        ("<!-- wheels -->\n<!-- end of wheels -->", True),
        ("<!-- wheels -->\n\nold\n\n<!-- end of wheels -->", True),
        ("<!-- wheels -->", False),
        ("<!-- end of wheels -->\n<!-- wheels -->", False),
        ("<!-- wheels --><!-- end of wheels -->" * 2, False),
        ("", False),
    ],
)
def test_tables_of_readers_go_between_their_marks(between: str, fits: bool, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before {between} after\n", encoding="utf-8")
    command = [sys.executable, str(ROOT / "benchmarks/readers.py"), "wheels", "-o", str(page)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    text = page.read_text("utf-8")
    if fits:
        assert done.returncode == 0, done.stderr
        assert re.fullmatch(
            r"before <!-- wheels -->\n\n\| kind .*\|\n\n<!-- end of wheels --> after\n", text, re.DOTALL
        )
        assert "old" not in text
    else:
        assert (done.returncode, "Traceback" in done.stderr) == (2, False)
        assert "needs the marks <!-- wheels --> and <!-- end of wheels --> once each" in done.stderr
        assert text == f"before {between} after\n"
