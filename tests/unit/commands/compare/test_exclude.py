"""``compare --exclude``: what is left out is counted and said, and the verdict is on the rest."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samebytes_tools.commands.compare.compare import compare as compared
from samebytes_tools.comparison.archives import compare_files
from samebytes_tools.comparison.exclusion import Exclusion
from samebytes_tools.comparison.model import Comparison, Verdict
from support.artifacts import TIMES, sdist, wheel
from support.schemas import assert_valid

from samebytes.commands.main import main
from samebytes.errors import UsageError

ONE = {"demo/__init__.py": b"1\n", "demo/version.py": b"A\n", "demo/native.so": b"\x7f1"}
OTHER = {"demo/__init__.py": b"1\n", "demo/version.py": b"B\n", "demo/native.so": b"\x7f2"}
LATER = ((2024, 1, 2, 3, 4, 6),)


def pair(one: Mapping[str, bytes] = ONE, other: Mapping[str, bytes] = OTHER, **more: Any) -> tuple[Path, Path]:
    return wheel(Path("a"), files=one), wheel(Path("b"), files=other, **more)


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def judged(left: Path, right: Path, *patterns: str) -> Comparison:
    return compare_files(left, right, exclusion=Exclusion(patterns))


@pytest.mark.parametrize(
    ("patterns", "excluded"),
    [
        (["*.so", "demo/version.py"], 2),
        (["*.so", "version.py"], 2),
        (["demo/[vn]*"], 2),
        (["demo/*"], 3),
    ],
)
def test_what_is_left_is_identical(patterns: list[str], excluded: int) -> None:
    found = judged(*pair(), *patterns)
    assert (found.verdict, found.excluded, found.differences) == (Verdict.IDENTICAL, excluded, ())
    assert found.judgement == f"the rest is identical ({excluded} members excluded)"


def test_a_verdict_on_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="leaves nothing to compare"):
        judged(*pair(), "*")
    for name, text in (("one", "1"), ("two", "2")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.py").write_text(text)
    (found,) = compared(Path("one"), Path("two"), exclusion=Exclusion(["*"]))
    assert isinstance(found.error, UsageError)
    # What only one side has is a difference all the same.
    assert judged(*pair({}, OTHER), "*-info/*").verdict is Verdict.DIFFERENT


def test_the_verdict_is_never_better_than_on_the_rest() -> None:
    found = judged(*pair(), "*.so")
    assert found.verdict is Verdict.DIFFERENT
    assert found.judgement == "the rest is different (1 member excluded)"
    assert {node.name for node in found.differences} == {"demo/version.py", "demo-1.0.dist-info/RECORD"}
    found = judged(*pair(times=LATER), "*.so", "version.py")
    assert found.judgement == "the rest is the same after normalization (2 members excluded)"
    assert [node.name for node in found.differences] == ["member-times"]
    # What nothing was left out of is judged as ever.
    assert judged(*pair(), "*.pyd").judgement == "different"


CONTENTS = st.dictionaries(st.sampled_from(["a.py", "b.py", "p/c.py", "p/d.so", "e.so"]), st.sampled_from([b"1", b"2"]))


@settings(max_examples=25, deadline=None)
@given(CONTENTS, CONTENTS, st.sampled_from(["*.so", "p/*", "a.py", "[ab].py"]), st.booleans())
def test_the_rest_is_what_there_is_without_them(
    one: dict[str, bytes], other: dict[str, bytes], pattern: str, later: bool
) -> None:
    """The verdict is that on archives which never had the members."""
    with TemporaryDirectory() as directory:
        times = {"a": TIMES[:1], "b": LATER if later else TIMES[:1]}
        made = {}
        for side, files in (("a", one), ("b", other)):
            rest = {name: data for name, data in files.items() if not _matches(name, pattern)}
            for left_out, contents in enumerate((files, rest)):
                key = f"{side}-{left_out}"
                made[key] = wheel(Path(directory, key), files=contents, times=times[side])
        found = judged(made["a-0"], made["b-0"], pattern)
        assert found.verdict is compare_files(made["a-1"], made["b-1"]).verdict


def _matches(name: str, pattern: str) -> bool:
    return fnmatchcase(name, pattern) or ("/" not in pattern and fnmatchcase(name.rpartition("/")[2], pattern))


def test_identical_files_stay_identical() -> None:
    assert judged(*pair(ONE, ONE), "*.so").judgement == "identical"


def test_a_member_of_one_side_only() -> None:
    found = judged(*pair(ONE, {**ONE, "a.so": b""}), "a.so")
    assert found.judgement == "the rest is identical (1 member excluded)"


def test_a_lie_in_record_about_the_rest_is_still_one() -> None:
    left = wheel(Path("a"), files=ONE)
    lies = wheel(Path("c"), files=ONE, record=b"demo/__init__.py,sha256=AAAA,2\ndemo/native.so,sha256=AAAA,2\n")
    assert judged(left, lies, "*.so").verdict is Verdict.DIFFERENT
    assert judged(left, lies, "RECORD").judgement == "the rest is identical (1 member excluded)"


def test_names_of_an_sdist_begin_in_its_directory() -> None:
    left = sdist(Path("a"), files={"src/x.py": b"1"})
    right = sdist(Path("b"), files={"src/x.py": b"2"})
    assert judged(left, right, "src/*").judgement == "the rest is identical (1 member excluded)"
    assert judged(left, right, "demo-1.0/src/*").judgement == "different"


def test_trees() -> None:
    for name, path in zip("ab", pair()):
        with zipfile.ZipFile(path) as archive:
            archive.extractall(name)
        path.unlink()
    (result,) = compared(Path("a"), Path("b"))
    assert result.comparison is not None
    assert result.comparison.verdict is Verdict.DIFFERENT
    (result,) = compared(Path("a"), Path("b"), exclusion=Exclusion(["version.py", "*.so"]))
    assert result.comparison is not None
    assert {node.name for node in result.comparison.differences} <= {"mtime"}
    assert result.comparison.judgement.startswith("the rest is ")
    assert result.comparison.judgement.endswith(" (2 members excluded)")
    assert result.comparison.verdict in (Verdict.IDENTICAL, Verdict.NORMALIZED)


def test_the_command_says_it_everywhere(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["compare", *map(str, pair()), "--exclude", "*.so", "--exclude", "version.py"]
    said = "the rest is identical (2 members excluded)"
    assert main([*command, "--html", "x.html", "--annotations", "x.txt"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith(f"demo-1.0-py3-none-any.whl: {said}\n")
    assert err == ""
    assert said in Path("x.html").read_text("utf-8")
    assert main([*command, "--markdown", "-"]) == 0
    assert said in capsys.readouterr().out
    assert main([*command, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert_valid(document, "compare")
    assert document["pairs"][0]["comparison"]["excluded"] == 2


def test_a_pattern_that_matches_nothing_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", *map(str, pair()), "--exclude", "no\x1b*", "--exclude", "*.so"]) == 1
    assert capsys.readouterr().err == "samebytes: note: --exclude no\\x1b*: nothing is called so\n"
