"""Published files that are rebuilt: which ones, and what is believed of what comes out of the sandbox."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from samebytes_tools.commands.survey import examine, findings
from samebytes_tools.commands.survey.download import NotThere
from samebytes_tools.commands.survey.model import NOT_REBUILT, PUBLISHED, CauseHit, Rebuild, State
from samebytes_tools.commands.survey.rebuilds import RebuildAnswers, Rebuilt, fetched, files_of, is_missed, this_python
from samebytes_tools.commands.survey.sandbox.confined import End
from samebytes_tools.commands.survey.sandbox.sandbox import Sandbox
from samebytes_tools.index import cache
from samebytes_tools.index.cache import CachedIndex
from samebytes_tools.index.client import Index
from samebytes_tools.index.pages import File
from support import surveys
from support.indexes import Answer, serving

from samebytes.console import exit_status

PYTHON = this_python()
assert PYTHON is not None
HERE = f"cp{PYTHON.minor[0]}{PYTHON.minor[1]}"
MACHINE = PYTHON.platform.replace("-", "_").replace(".", "_")
ADDRESS = "http://127.0.0.1:1234/token/simple"
FINE = End(0)


def listed(*names: str) -> list[File]:
    return [File(name, f"https://host.example/{name}") for name in names]


@pytest.mark.parametrize(
    ("names", "taken"),
    [
        (("demo-1.0-py3-none-any.whl",), ("demo-1.0-py3-none-any.whl",)),
        # pip prefers the more precise tag, and of equal ones the higher build number.
        (
            ("demo-1.0-py3-none-any.whl", "demo-1.0-1-py3-none-any.whl", "demo-1.0-py2-none-any.whl"),
            ("demo-1.0-1-py3-none-any.whl",),
        ),
        (("demo-1.0-py2-none-any.whl",), ()),
        (
            (f"demo-1.0-{HERE}-{HERE}-{MACHINE}.whl", "demo-1.0-py3-none-any.whl"),
            ("demo-1.0-py3-none-any.whl", f"demo-1.0-{HERE}-{HERE}-{MACHINE}.whl"),
        ),
        (("demo-1.0-cp27-cp27m-win32.whl", "demo-2.0-py3-none-any.whl", "other-1.0-py3-none-any.whl"), ()),
        (("demo-1.0.zip", "demo-1.0.exe", "garbage.whl"), ()),
    ],
)
def test_one_file_of_each_kind_that_pip_would_take(names: tuple[str, ...], taken: tuple[str, ...]) -> None:
    found = list(files_of(listed(*names, "demo-1.0.tar.gz"), "demo", "1.0", "demo-1.0.tar.gz"))
    assert [file.name for kind, file in found if kind != "sdist"] == list(taken)
    assert [file.name for kind, file in found if kind == "sdist"] == ["demo-1.0.tar.gz"]
    assert [kind for kind, _ in found] == [kind for kind in PUBLISHED if kind in dict(found)]


@pytest.mark.parametrize(
    ("names", "built", "taken"),
    [
        (("demo-1.0.zip", "demo-1.0.tar.gz"), "demo-1.0.zip", "demo-1.0.tar.gz"),
        (("demo-1.0.zip", "demo-0.9.tar.gz"), "demo-1.0.zip", "demo-1.0.zip"),
    ],
)
def test_the_sdist_that_can_be_compared_is_rebuilt_else_the_one_that_was_built(
    names: tuple[str, ...], built: str, taken: str
) -> None:
    assert [(kind, file.name) for kind, file in files_of(listed(*names), "demo", "1.0", built)] == [("sdist", taken)]


WHEEL = Rebuild("pure wheel", "demo-1.0-py3-none-any.whl", NOT_REBUILT, "a" * 64, size=10)
SDIST = Rebuild("sdist", "demo-1.0.tar.gz", NOT_REBUILT, "b" * 64, size=20)


def answered(*told: Any, end: End = FINE, failure: str = "") -> Rebuilt:
    """Return what is believed after the process in the sandbox said *told*, which went through JSON."""
    answers = RebuildAnswers([WHEEL, SDIST], None)
    for one in told:
        answers.hear(json.loads(json.dumps(one)))
    return answers.outcome(end, failure, ADDRESS)


def same(one: Rebuild, **more: Any) -> dict[str, Any]:
    return {"rebuild": {"file": one.file, "state": "identical", "rebuilt": one.sha256, "seconds": 1.234, **more}}


def other(one: Rebuild, **more: Any) -> dict[str, Any]:
    return {"rebuild": {"file": one.file, "state": "different", "rebuilt": "c" * 64, **more}}


def test_what_is_said_of_files_is_kept() -> None:
    hit = {"code": "D005", "count": 2, "member": "demo.py", "where": "line 1", "left": "a", "right": "b"}
    record = {"_type": "https://in-toto.io/Statement/v1", "subject": []}
    found = answered(same(WHEEL), other(SDIST, record=record, causes=[hit], notes=["it was yanked"]))
    assert (found.state, found.reason) == (State.EXAMINED, "")
    assert found.rebuilds == (
        replace(WHEEL, state="identical", rebuilt="a" * 64, seconds=1.23),
        replace(
            SDIST,
            state="different",
            rebuilt="c" * 64,
            record=record,
            notes=("it was yanked",),
            causes=(CauseHit("D005", 2, "demo.py", "line 1", "a", "b"),),
        ),
    )


@pytest.mark.parametrize(
    "lie",
    [
        {"state": "identical", "rebuilt": "c" * 64},
        {"state": "different", "rebuilt": "a" * 64},
        {"state": "splendid", "rebuilt": "a" * 64},
        {"state": "identical"},
        {"state": 1, "rebuilt": ["a" * 64]},
        {"state": "same after normalization", "rebuilt": "C" * 64},
        {},
    ],
)
def test_what_cannot_be_so_is_not_believed(lie: dict[str, Any]) -> None:
    found = answered({"rebuild": {"file": WHEEL.file, **lie}}, same(SDIST))
    assert found.rebuilds[0] == replace(WHEEL, reason="what was said of it makes no sense")
    assert found.rebuilds[1].state == "identical"


def test_what_is_said_first_counts_and_strangers_do_not() -> None:
    found = answered(same(WHEEL), other(WHEEL), other(replace(WHEEL, file="else.whl")), {"rebuild": [1]}, same(SDIST))
    assert [one.state for one in found.rebuilds] == ["identical", "identical"]


@pytest.mark.parametrize(
    ("told", "end", "failure", "state", "reason"),
    [
        # Ended in the middle: what came before stays.
        (
            [same(WHEEL), {"step": "demo-1.0.tar.gz: Building"}],
            End(-9, "it took long"),
            "",
            State.OVER_LIMIT,
            "it took",
        ),
        ([same(WHEEL)], End(-9), "", State.EXAMINED, "the process ended with -9"),
        ([same(WHEEL)], FINE, "the index answers 503", State.EXAMINED, "the index answers 503"),
        ([], FINE, "the index answers 503", State.UNAVAILABLE, "the index answers 503"),
        ([], End(1), "", State.NOT_BUILT, "the process ended with 1"),
        ([{"bug": "ValueError: x"}], End(exit_status.UNEXPECTED), "", State.FAILED, "ValueError: x"),
        (
            [same(WHEEL), {"rebuild": {"file": SDIST.file, "reason": "failed", "full": True}}],
            FINE,
            "",
            State.OVER_LIMIT,
            "failed",
        ),
    ],
)
def test_what_is_not_said_has_a_reason(told: list[Any], end: End, failure: str, state: State, reason: str) -> None:
    found = answered(*told, end=end, failure=failure)
    assert found.state is state
    assert reason in found.rebuilds[1].reason
    assert [one.state for one in found.rebuilds if one.reason] == [NOT_REBUILT] * sum(
        bool(one.reason) for one in found.rebuilds
    )


def test_no_address_of_an_index_is_published() -> None:
    reason = f"the index {ADDRESS} has no demo 1.0, and http://user:secret@mirror.example/simple/demo/ neither"
    found = answered({"rebuild": {"file": WHEEL.file, "reason": reason}}, other(SDIST, notes=[f"taken from {ADDRESS}"]))
    text = found.rebuilds[0].reason + found.reason + "".join(found.rebuilds[1].notes)
    for part in ("127.0.0.1", "token", "secret", "mirror.example"):
        assert part not in text
    assert "the index has no demo 1.0" in text


def test_a_file_that_could_not_be_had_is_not_asked_for() -> None:
    lost = replace(WHEEL, reason="its SHA-256 is another")
    answers = RebuildAnswers([lost, SDIST], None)
    answers.hear(same(lost))
    answers.hear(same(SDIST))
    found = answers.outcome(FINE, "", ADDRESS)
    assert found.rebuilds[0] == lost
    assert (found.state, found.rebuilds[1].state) == (State.EXAMINED, "identical")


def test_a_file_that_is_not_there_was_missed(tmp_path: Path) -> None:
    with serving() as server:
        server.page("demo", [{"filename": WHEEL.file, "url": f"/files/{WHEEL.file}", "hashes": {"sha256": "a" * 64}}])
        index = CachedIndex(Index(server.address), tmp_path)
        (file,) = index.files("demo")
        lost = fetched(WHEEL.kind, file, index)
    assert lost.reason.startswith("could not be downloaded: ")
    assert is_missed(lost)
    assert not is_missed(replace(lost, state="different"))


def deep(levels: int) -> Any:
    found: Any = {}
    for _ in range(levels):
        found = {"x": found}
    return found


@pytest.mark.parametrize(
    "told",
    [None, [], "text", {"x": "y" * findings.LONGEST_RECORD}, {"x": float("nan")}, deep(100), deep(100_000)],
    ids=["nothing", "list", "text", "long", "not a number", "deep", "very deep"],
)
def test_what_is_no_record(told: Any) -> None:
    assert findings.record_from(told) == {}


@pytest.mark.parametrize(
    ("told", "seconds"), [(1.239, 1.24), (7, 7.0), (True, 0.0), (-1, 0.0), ("1", 0.0), (float("inf"), 0.0), (None, 0.0)]
)
def test_a_time_is_a_number(told: Any, seconds: float) -> None:
    assert findings.seconds_from(told) == seconds


@pytest.mark.parametrize("builds", [True, False])
def test_an_index_that_fails_after_the_builds_takes_nothing_from_them(
    builds: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is its address published."""
    monkeypatch.setattr(cache, "PAUSE", 0.0)
    found = surveys.examination("demo", surveys.run())
    with serving() as server:
        server.answers["/simple/demo/"] = Answer(status=503)
        place = examine._Place(
            examine.Conditions({}, builds=builds), Sandbox(), CachedIndex(Index(server.address), tmp_path), None
        )
        if not builds:
            with pytest.raises(NotThere) as caught:
                examine._rebuilt(found, place)
            assert (caught.value.state, caught.value.version) == (State.UNAVAILABLE, "1.0")
            assert "127.0.0.1" not in caught.value.reason
            return
        kept = examine._rebuilt(found, place)
    assert replace(kept, notes=found.notes) == found
    assert kept.notes[-1].startswith("published files were not rebuilt: ")
    assert "127.0.0.1" not in kept.notes[-1]


def test_of_a_step_the_beginning_is_kept() -> None:
    """It names the file and what is done; at its end there may be a list of any length."""
    requirements = ", ".join(f"requirement-{number}>=1; python_version < '4'" for number in range(50))
    found = answered({"step": f"{WHEEL.file}: Installing {requirements}"}, end=End(1, over="it took longer than 9 s"))
    assert found.rebuilds[0].reason.startswith(f"ended, for it took longer than 9 s ({WHEEL.file}: Installing require")
