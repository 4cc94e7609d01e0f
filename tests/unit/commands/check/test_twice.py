"""What a comparison of two builds knows of their source tree."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from samebytes_tools.commands.check.attempts import UNPACKED, Attempt
from samebytes_tools.commands.check.subject import AS_IS, FROM_SDIST, SDIST, WHEEL, CheckOptions
from samebytes_tools.commands.check.twice import SourceCheck, _known
from samebytes_tools.variations.environments import VariedEnvironment, varied_environment
from support.conditions import git
from support.projects import write_tree
from support.wheels import FILES, SOURCES, TOP, members, sources, write_sdist, write_wheel

from samebytes.passes.pipeline import Stop


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
@pytest.mark.parametrize("file", [".github/ci.yml", "notes.txt"])
def test_a_file_that_only_one_build_asked_git_for_has_that_cause(file: str, tmp_path: Path) -> None:
    """Both ways: git lists hidden files that are left out without it, and not those that it does not track."""
    check = SourceCheck.__new__(SourceCheck)
    check._pristine, check._within = write_tree(tmp_path / "top", {"tree/.github/ci.yml": ""}), Path("tree")
    check._stop, check._options = Stop(), CheckOptions()
    git("init", "--quiet", cwd=check._pristine)
    git("add", "--all", cwd=check._pristine)
    write_tree(check._pristine, {"tree/notes.txt": ""})
    attempts = []
    for number, applied in enumerate([set(), {"checkout"}]):
        has_file = (file != "notes.txt") is (number == 0)
        more = {f"{TOP}/{file}": b"x\n"} if has_file else {}
        (tmp_path / str(number)).mkdir()
        path = write_sdist(tmp_path / str(number), sources({**SOURCES, **more}))
        environment = varied_environment(tmp_path, "tree", applied, os.environ)
        attempts.append(Attempt(environment, 0.0, {SDIST: path}, {}))
    outcome = check._outcome(AS_IS, SDIST, *attempts)
    assert outcome.comparison is not None
    assert outcome.comparison.causes == ("D016",)


class _Rebuilt(SourceCheck):
    """A check whose further builds are files that are there already, by how their labels begin."""

    def __init__(self, directory: Path, **made: dict[str, bytes]) -> None:
        self._stop, self._options, self._notes = Stop(), CheckOptions(), []
        self._left_out, self._known_orders, self._environ, self._for_clock = {}, {}, {}, None
        self._context = SimpleNamespace(vary=frozenset())
        self._made, self._root = made, directory
        self.labels: list[str] = []

    def attempt(self, label: str, applied: frozenset[str] = frozenset()) -> Attempt:
        directory = self._root / f"{len(list(self._root.iterdir()))}"
        directory.mkdir()
        path = write_wheel(directory, members({**FILES, **self._made[label]}))
        return Attempt(varied_environment(self._root, "tree", applied, {}), 0.0, {WHEEL: path}, {})

    def _environment(self, vary: frozenset[str]) -> VariedEnvironment:
        return varied_environment(self._root, "tree", vary, {})

    def _attempt(self, *args: object) -> Attempt:
        label = str(args[2])
        self.labels.append(label)
        return self.attempt(next(name for name in self._made if label.replace("-", "_").startswith(name)))

    def causes(self) -> tuple[str, ...]:
        varied = frozenset({"hash-seed", "file-order", "leftovers", "build-path"})
        outcome = self._outcome(AS_IS, WHEEL, self.attempt("first"), self.attempt("second", varied))
        assert outcome.comparison is not None
        return outcome.comparison.causes


def _lines(*words: str) -> dict[str, bytes]:
    return {"demo_pkg/list.txt": "\n".join(words).encode()}


def _named(word: str) -> dict[str, bytes]:
    return {f"demo_pkg/app.{word}.js": b"x"}


SORTED, OTHER, THIRD = _lines("aa", "bb", "cc", "dd"), _lines("cc", "aa", "dd", "bb"), _lines("dd", "cc", "aa", "bb")


@pytest.mark.parametrize(
    ("made", "cause", "builds"),
    [
        ((SORTED, OTHER, THIRD, SORTED, SORTED), "D030", 1),
        ((SORTED, OTHER, SORTED, OTHER, SORTED), "D008", 2),
        ((SORTED, OTHER, SORTED, SORTED, OTHER), "D009", 3),
        ((SORTED, OTHER, SORTED, SORTED, SORTED), "D099", 3),
    ],
)
def test_an_order_has_the_cause_that_further_builds_show(
    made: tuple[dict[str, bytes], ...], cause: str, builds: int, tmp_path: Path
) -> None:
    """Threads, a set, a listing, and what none of these is: the bytes are the same, so they show nothing (D017)."""
    names = ("first", "second", "3_like_the_first", "3_hash_seed", "3_file_order")
    check = _Rebuilt(tmp_path, **dict(zip(names, made)))
    assert check.causes() == (cause,)
    assert len(check.labels) == builds


def test_a_file_that_each_build_names_anew_was_not_left_by_an_earlier_one(tmp_path: Path) -> None:
    words = {
        "first": "1f2e",
        "second": "9a8b",
        "2_without_leftovers": "77c0",
        "3_like_the_first": "0d3c",
    }
    check = _Rebuilt(tmp_path, **{label: _named(word) for label, word in words.items()})
    assert check.causes() == ("D030",)


def test_a_file_that_was_left_is_called_so(tmp_path: Path) -> None:
    check = _Rebuilt(tmp_path, first={}, second=_named("9a8b"), **{"2_without_leftovers": {}})
    assert check.causes() == ("D020",)


def test_the_directory_of_a_wheel_from_the_sdist_is_where_that_was_unpacked(tmp_path: Path) -> None:
    """It lies among temporary files, whose names are drawn; this one is a place."""
    attempt = Attempt(varied_environment(tmp_path, "tree", set(), {}), 0.0, {}, {})
    unpacked = str(attempt.environment.temp / UNPACKED)
    assert unpacked in _known(attempt, FROM_SDIST).paths
    assert unpacked not in _known(attempt, WHEEL).paths


def test_no_build_is_made_for_an_order_that_another_artifact_has_as_well(tmp_path: Path) -> None:
    made = {"first": SORTED, "second": OTHER, "3_like_the_first": SORTED, "3_hash_seed": OTHER}
    check = _Rebuilt(tmp_path, **made)
    assert check.causes() == ("D008",)
    builds = len(check.labels)
    assert check.causes() == ("D008",)
    assert len(check.labels) == builds
