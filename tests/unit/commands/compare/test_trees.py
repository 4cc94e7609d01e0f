"""Comparing installed trees: what a verdict promises of ``tree fix``, what differs, and why."""

from __future__ import annotations

import json
import os
import py_compile
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("installer")

from samebytes_tools.commands.compare.compare import compare, plan
from samebytes_tools.commands.tree.digest import digest
from samebytes_tools.comparison import trees as compare_trees
from samebytes_tools.comparison.model import Comparison, Difference, Verdict
from support.artifacts import wheel
from support.installed import (
    DATE,
    INFO,
    PIP_SCRIPT,
    TAG,
    UV_SCRIPT,
    facts,
    fix_tree,
    install_into,
    project,
    rewrite,
)
from support.schemas import assert_valid

from samebytes.commands import main as cli
from samebytes.errors import UsageError

PART = f"demo/__pycache__/part.{TAG}.pyc"


@pytest.fixture
def trees(tmp_path: Path) -> tuple[Path, Path]:
    """Two canonical trees of one wheel."""
    source = project(tmp_path)
    for name in ("left", "right"):
        install_into(tmp_path / name, source)
    return tmp_path / "left", tmp_path / "right"


def compared(trees: tuple[Path, Path]) -> Comparison:
    (result,) = compare(*trees)
    assert result.comparison is not None, result.error
    return result.comparison


def node(comparison: Comparison, name: str) -> Difference:
    (found,) = [each for each in comparison.differences if each.name == name]
    return found


def test_the_same_tree_twice(trees: tuple[Path, Path]) -> None:
    found = compared(trees)
    assert (found.kind, found.verdict, found.differences) == (None, Verdict.IDENTICAL, ())
    assert found.left.sha256 == digest(trees[0]).sha256
    assert found.left.size == digest(trees[0]).size


def test_modes_and_times_have_causes(trees: tuple[Path, Path]) -> None:
    (trees[1] / "demo" / "data.txt").chmod(0o600)
    os.utime(trees[1] / "demo" / "part.py", (5, 5))
    found = compared(trees)
    assert found.verdict is Verdict.NORMALIZED
    assert found.causes == ("D010", "D011")
    times, modes = found.differences
    assert (times.name, times.passes, times.detail) == (
        "mtime",
        ("mtime",),
        ("demo/part.py: 2020-09-13 12:26:40 | 1970-01-01 00:00:05",),
    )
    assert (modes.name, modes.passes, modes.detail) == ("mode", ("mode",), ("demo/data.txt: 0644 | 0600",))
    assert "samebytes tree fix" in found.notes[0]


def _as_pip(tree: Path) -> None:
    rewrite(tree, "bin/demo", PIP_SCRIPT)
    rewrite(tree, f"{INFO}/INSTALLER", "pip\n")
    rewrite(tree, f"{INFO}/direct_url.json", '{"url": "file:///tmp/x/demo-1.0-py3-none-any.whl", "archive_info": {}}')
    for source in (tree / "demo").glob("*.py"):
        py_compile.compile(str(source), dfile=f"/tmp/pip-target-x/{source.name}", doraise=True)


def _as_uv(tree: Path) -> None:
    rewrite(tree, "bin/demo", UV_SCRIPT)
    rewrite(tree, f"{INFO}/INSTALLER", "uv")
    rewrite(tree, f"{INFO}/uv_cache.json", '{"timestamp": {"secs_since_epoch": 1}}')
    (tree / ".lock").touch(mode=0o666)
    (tree / ".lock").chmod(0o666)


def _lines(record: Path) -> list[str]:
    return record.read_text("utf-8").splitlines(keepends=True)


def _without_bytecode(tree: Path) -> None:
    shutil.rmtree(tree / "demo" / "__pycache__")
    record = tree / INFO / "RECORD"
    record.write_text("".join(line for line in _lines(record) if ".pyc" not in line), encoding="utf-8")


def _with_another_level(tree: Path) -> None:
    py_compile.compile(str(tree / "demo" / "part.py"), optimize=1, doraise=True)


def _with_an_orphan(tree: Path) -> None:
    (tree / "demo" / "__pycache__" / f"gone.{TAG}.pyc").write_bytes(b"anything")


@pytest.mark.parametrize("change", [_as_pip, _as_uv, _without_bytecode, _with_another_level, _with_an_orphan])
def test_same_after_normalization_is_true(trees: tuple[Path, Path], change: Callable[[Path], None]) -> None:
    change(trees[1])
    found = compared(trees)
    assert found.verdict is Verdict.NORMALIZED
    assert all(each.passes for each in found.differences), "every difference is one that a rule removes"
    digests = set()
    for tree in trees:
        fix_tree(tree, levels=(0,))
        digests.add(digest(tree).sha256)
    assert len(digests) == 1


def test_what_installers_write_is_shown_with_its_rule(trees: tuple[Path, Path]) -> None:
    _as_pip(trees[0])
    _as_uv(trees[1])
    found = compared(trees)
    assert found.verdict is Verdict.NORMALIZED
    rules = {each.name: each.passes for each in found.differences}
    assert rules.pop(f"{INFO}/RECORD") == ("record",)
    assert {name: rules[name] for name in rules if not name.endswith(".pyc")} == {
        "mtime": ("mtime",),
        "bin/demo": ("script",),
        f"{INFO}/INSTALLER": ("installer",),
        f"{INFO}/direct_url.json": ("direct-url",),
        f"{INFO}/uv_cache.json": ("uv-cache",),
        ".lock": ("uv-cache",),
    }
    header, code = node(found, PART).children
    assert (header.name, header.findings[0].code, header.passes) == ("header", "D011", ("bytecode",))
    assert "only the path of the source, co_filename, differs: /tmp/pip-target-x/part.py and " in code.summary
    assert {finding.code for finding in code.findings} <= {"D001", "D002"}


def test_of_many_modules_the_first_are_taken_apart(trees: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compare_trees, "MOST_MODULES", 1)
    _as_pip(trees[1])
    found = compared(trees)
    assert found.verdict is Verdict.NORMALIZED
    assert node(found, f"demo/__pycache__/__init__.{TAG}.pyc").children
    assert node(found, PART).summary == "the same code in another form, as others above"
    assert (node(found, PART).children, node(found, PART).passes) == ((), ("bytecode",))


def test_another_source_is_another_tree(trees: tuple[Path, Path]) -> None:
    rewrite(trees[1], "demo/part.py", "ANSWER = 43\n")
    fix_tree(trees[1])
    found = compared(trees)
    assert found.verdict is Verdict.DIFFERENT
    assert node(found, "demo/part.py").findings[0].evidence.right == b"ANSWER = 43\n"
    assert node(found, "demo/part.py").passes == ()
    compiled = node(found, PART)
    assert compiled.summary.startswith("follows from demo/part.py: ")
    assert "D099" not in {finding.code for each in compiled.walk() for finding in each.findings}
    record = node(found, f"{INFO}/RECORD")
    assert record.summary == "2 rows differ, which follows from the files"
    assert found.notes == ()


def test_a_record_that_contradicts_its_files_never_counts_as_the_same(trees: tuple[Path, Path]) -> None:
    for tree in trees:
        (tree / "demo" / "data.txt").write_text("changed\n", encoding="utf-8")
    os.utime(trees[0] / "demo" / "data.txt", (5, 5))
    os.utime(trees[1] / "demo" / "data.txt", (6, 6))
    found = compared(trees)
    assert found.verdict is Verdict.DIFFERENT
    assert [finding.code for child in node(found, "RECORD").children for finding in child.findings] == ["D022", "D022"]


def test_a_compiled_module_of_another_source_never_counts_as_the_same(trees: tuple[Path, Path], tmp_path: Path) -> None:
    """Its header says that it is of this source, and the import system would run it."""
    other = tmp_path / "part.py"
    other.write_text("ANSWER = 66\n", encoding="utf-8")
    py_compile.compile(str(other), str(tmp_path / "x.pyc"), doraise=True)
    genuine = (trees[1] / PART).read_bytes()
    (trees[1] / PART).write_bytes(genuine[:16] + (tmp_path / "x.pyc").read_bytes()[16:])
    os.utime(trees[1] / PART, (DATE, DATE))
    found = compared(trees)
    assert found.verdict is Verdict.DIFFERENT
    assert node(found, PART).passes == ()


def _setuid(tree: Path) -> None:
    (tree / "bin" / "demo").chmod(0o4755)


def _executable(tree: Path) -> None:
    (tree / "demo" / "data.txt").chmod(0o755)


def _a_file_more(tree: Path) -> None:
    (tree / "demo" / "more.txt").write_text("more\n", encoding="utf-8")


def _a_link(tree: Path) -> None:
    (tree / "demo" / "data.txt").unlink()
    (tree / "demo" / "data.txt").symlink_to("part.py")


@pytest.mark.parametrize(
    ("change", "cause"), [(_setuid, "D099"), (_executable, "D038"), (_a_file_more, "D099"), (_a_link, "D099")]
)
def test_what_no_rule_removes(trees: tuple[Path, Path], change: Callable[[Path], None], cause: str) -> None:
    change(trees[1])
    found = compared(trees)
    assert found.verdict is Verdict.DIFFERENT
    assert cause in found.causes


def test_a_package_that_nobody_asked_for_is_the_same_payload(trees: tuple[Path, Path]) -> None:
    (trees[1] / INFO / "REQUESTED").unlink()
    record = trees[1] / INFO / "RECORD"
    record.write_text("".join(line for line in _lines(record) if "REQUESTED" not in line), encoding="utf-8")
    assert compared(trees).verdict is Verdict.PAYLOAD


def test_trees_without_packages(tmp_path: Path) -> None:
    for name in ("left", "right"):
        (tmp_path / name / "sub").mkdir(parents=True)
        (tmp_path / name / "sub" / "a.txt").write_text("a\n", encoding="utf-8")
        os.utime(tmp_path / name / "sub" / "a.txt", (len(name), 5))
    os.utime(tmp_path / "left" / "sub", (5, 5))
    os.utime(tmp_path / "right" / "sub", (6, 6))
    assert compared((tmp_path / "left", tmp_path / "right")).verdict is Verdict.NORMALIZED
    for name in ("left", "right"):
        (tmp_path / name / "etc").mkdir()
        (tmp_path / name / "etc" / "passwd").write_bytes(b"")
    found = compared((tmp_path / "left", tmp_path / "right"))
    assert found.verdict is Verdict.DIFFERENT, "tree fix refuses a whole file system"


def test_directories_with_archives_are_compared_by_these(trees: tuple[Path, Path], tmp_path: Path) -> None:
    wheel(trees[0])
    (pair,) = plan(*trees)
    assert (pair.name, pair.right) == ("demo-1.0-py3-none-any.whl", None)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    with pytest.raises(UsageError, match="there is nothing in either") as caught:
        plan(tmp_path / "one", tmp_path / "two")
    assert "trees of packages" in caught.value.remedy


def test_a_tree_that_cannot_be_read_is_reported(trees: tuple[Path, Path]) -> None:
    os.mkfifo(trees[1] / "pipe")
    (result,) = compare(*trees)
    assert result.error is not None
    assert "neither a file, a directory nor a symbolic link" in result.error.message
    assert "Remove it" in result.error.remedy


# The command line


def test_the_command(trees: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def run(*arguments: object) -> tuple[int, str, str]:
        status = cli.main(["compare", *map(str, arguments)])
        return (status, *capsys.readouterr())

    assert run(*trees)[0] == 0
    _as_pip(trees[1])
    assert run(*trees)[0] == 1
    page = tmp_path / "page.html"
    status, out, _ = run("--accept", "normalized", "--json", "--html", page, *trees)
    document: Any = json.loads(out)
    assert_valid(document, "compare")
    (pair,) = document["pairs"]
    assert (status, pair["comparison"]["kind"]) == (0, "tree")
    assert pair["comparison"]["verdict"] == "same after normalization"
    assert "direct_url.json" in page.read_text("utf-8")
    before = facts(trees[0])
    status, _, said = run("--diffoscope", *trees)
    assert (status, "diffoscope compares directories itself" in said) == (2, True)
    assert facts(trees[0]) == before
