"""Many results: what a run keeps for its next life, and the table, page and XML that are made of them."""

from __future__ import annotations

import json
import re
import threading
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from samebytes_tools.building import provenance
from samebytes_tools.commands.reproducible_build.build import BuildContext
from samebytes_tools.commands.verify import command, many, table
from samebytes_tools.commands.verify.many import VerifyState
from samebytes_tools.commands.verify.remake import VerifyContext
from samebytes_tools.commands.verify.report import VerifyRow
from samebytes_tools.commands.verify.targets import VerifyTarget
from samebytes_tools.commands.verify.verify import VerifyRequest
from samebytes_tools.index.client import Index
from samebytes_tools.releases.selection import Selection

from samebytes.console.style import Style

TARGET = VerifyTarget("demo 1.0", VerifyRequest("demo==1.0"))


def row(
    target: str = "demo 1.0", verdict: str = "", *causes: str, error: str = "", skipped: str = "", note: str = ""
) -> VerifyRow:
    """Return a row as a run makes it, but for what nothing here looks at."""
    build = {"python": {"version": "3.11.7"}, "requirements": [{"name": "flit_core", "version": "3.9"}]}
    comparison = {"verdict": verdict, "differences": [{"name": "demo.py", "summary": "line 1 differs"}]}
    verified: dict[str, Any] = {"comparison": comparison, "notes": [note] if note else [], "build": build}
    verified["artifact"] = {"name": f"{target.partition(' ')[0]}-1.0-py3-none-any.whl"}
    problem = {"class": "UsageError", "message": error, "remedy": "Do <this>.", "exit_status": 2}
    document = {
        "target": target,
        "verified": verified if verdict else None,
        "error": problem if error else None,
        "skipped": skipped or None,
    }
    found = [
        {"code": code, "name": "a-name", "explanation": "Why.", "remedy": "How.", "differences": 2} for code in causes
    ]
    return VerifyRow(document, tuple(found))


ROWS = [
    row("alpha 1.0", "identical"),
    row("beta-with-a-long-name-that-needs-a-line 1.0", "different", "D011", "D015", note="it was yanked"),
    row("gamma 1.0", "same after normalization", "D011", note="it was yanked"),
    row("delta 1.0", error="it has no <sdist> " + "in the index " * 5),
    row("ep\x1bsilon 1.0", skipped="not for this environment: os_name == 'nt'"),
]


@pytest.mark.parametrize("width", [40, 80, 200])
def test_the_table(width: int) -> None:
    lines = list(table.lines(ROWS, Style(width=width), "normalized"))
    text = "\n".join(lines)
    assert all(line == line.rstrip() for line in lines)
    # Names and verdicts are never cut; what is folded keeps to the width where there is room.
    assert width == 40 or max(map(len, lines)) <= width
    for words in (
        "alpha 1.0",
        "beta-with-a-long-name-that-needs-a-line 1.0",
        "D011, D015",
        "hint: Do <this>.",
        "ep\\x1bsilon",
    ):
        assert words in text
    assert "D011 a-name: in 2 of them" in text
    together = " ".join(text.split())
    assert "note: it was yanked (beta-with-a-long-name-that-needs-a-line 1.0 and 1 more)" in together
    assert together.endswith(
        "5 entries: 1 identical, 1 same after normalization, 1 different, 1 not verified, 1 skipped. "
        "2 of 4 (50 %) are same after normalization or better."
    )
    assert "flit_core 3.9" not in text
    assert "flit_core 3.9" in "\n".join(table.lines(ROWS, Style(width=width), "normalized", verbose=True))


def test_what_is_skipped_for_one_reason_is_counted() -> None:
    rows = [row(f"demo-1.0-cp3{number}-none-win32.whl", skipped="not for this platform") for number in range(4)]
    assert list(table.lines([*rows, ROWS[0]], Style(), "normalized"))[:3] == [
        "identical  alpha 1.0",
        "skipped    4 more, not for this platform",
        "",
    ]
    for shown in (table.lines(rows[:3], Style(), "normalized"), table.lines(rows, Style(), "normalized", verbose=True)):
        assert "demo-1.0-cp32-none-win32.whl" in "\n".join(shown)


def test_one_entry_and_none() -> None:
    assert (
        table.summary([row(verdict="identical")], "identical") == "1 entry: 1 identical. 1 of 1 (100 %) are identical."
    )
    assert table.summary([], "normalized") == "0 entries: nothing."
    assert table.summary([row(skipped="x")], "normalized") == "1 entry: 1 skipped."


@pytest.mark.parametrize(("accept", "failures"), [("normalized", 1), ("identical", 2)])
def test_the_xml_for_ci(accept: str, failures: int) -> None:
    root = ElementTree.fromstring(table.as_junit(ROWS, accept))
    (suite,) = root
    assert dict(root.attrib) == {"name": "samebytes verify", "tests": "5", "failures": str(failures), "errors": "1"}
    assert suite.get("skipped") == "1"
    cases = {case.get("name"): [child.tag for child in case] for case in suite}
    assert cases["alpha 1.0"] == []
    assert cases["delta 1.0"] == ["error"]
    assert cases["ep\\x1bsilon 1.0"] == ["skipped"]
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert str(failure.get("message")).startswith("different: D011")
    assert "demo.py: line 1 differs" in str(failure.text)


def test_how_small_a_difference_is_stands_in_each_report() -> None:
    small = "apart from what normalizing removes, only line ends (1 member) differ"
    one, other = row("alpha 1.0", "different", "D011"), row("beta 1.0", "different", "D011")
    one.result["verified"]["comparison"]["small"] = small
    assert f"D011: {small}" in " ".join(" ".join(table.lines([one, other], Style(width=80), "normalized")).split())
    assert table.as_page([one, other], version="1", accept="normalized").count(small) == 1
    assert table.as_junit([one, other], "normalized").count(small) == 1
    assert table.why(other) == ["D011"]


def test_the_page_says_what_of_an_sdist_is_from_elsewhere_beside_causes() -> None:
    one = row("alpha 1.0", "different", "D011")
    one.result["verified"]["vcs"] = {"sdist": {"name": "alpha-1.0.tar.gz", "foreign": ["build.m4"], "changed": []}}
    assert one.elsewhere
    assert one.elsewhere in table.as_page([one], version="1", accept="normalized")


def test_the_page_escapes_what_it_shows() -> None:
    page = table.as_page(ROWS, version="1", accept="normalized")
    assert "no &lt;sdist&gt; in the index" in page
    assert "<sdist>" not in page
    assert "\x1b" not in page
    assert page.count("<tr>") == 1 + len(ROWS)
    assert set(re.findall(r'href="#(D\d+)"', page)) == set(re.findall(r'id="(D\d+)"', page)) == {"D011", "D015"}


def test_what_was_verified_is_kept(tmp_path: Path) -> None:
    """For the same request and the same samebytes; what failed is tried again."""
    state = VerifyState(tmp_path / "state", {"samebytes": "1.0"})
    assert state.kept(TARGET) is None
    done = row("demo 1.0", "different", "D011")
    state.keep(TARGET, done)
    assert state.kept(TARGET) == done
    assert VerifyState(tmp_path / "state", {"samebytes": "1.0"}).kept(TARGET) == done
    others = [
        VerifyRequest("demo==1.1"),
        VerifyRequest("demo==1.0", Selection(hashes=frozenset({"sha256:" + "0" * 64}))),
        VerifyRequest("demo==1.0", python="3.12"),
        VerifyRequest("demo==1.0", variables={"A": "1"}),
        VerifyRequest("demo==1.0", config_settings={"a": "b"}),
        VerifyRequest("demo==1.0", attempts=0),
        VerifyRequest("demo==1.0", Selection(tag="py3-*")),
        # Without it, nothing was compared with the commit.
        VerifyRequest("demo==1.0", from_vcs=True),
    ]
    assert [state.kept(VerifyTarget("demo 1.0", request)) for request in others] == [None] * len(others)
    assert VerifyState(tmp_path / "state", {"samebytes": "1.1"}).kept(TARGET) is None
    failed = VerifyTarget("bad 1.0", VerifyRequest("bad==1.0"))
    state.keep(failed, row("bad 1.0", error="the index is down"))
    assert state.kept(failed) is None


@pytest.mark.parametrize(
    "change",
    [{"PIP_INDEX_URL": "https://other.example/simple"}, {"CFLAGS": "-O0"}, {"executable": "another"}, {"TZ": "EST"}],
)
def test_verdicts_of_other_circumstances_are_not_taken(monkeypatch: pytest.MonkeyPatch, change: dict[str, str]) -> None:
    """Those of an index with other files, of a Python that takes another wheel, or of other compiler options."""
    seen = []
    for given in ({}, change):
        environ = {"PIP_INDEX_URL": "https://u:secret@host.example/simple", **given}
        build = BuildContext(environ, print, print, print)
        if "executable" in given:
            there = replace(provenance.this_python(), version="3.99.0")
            monkeypatch.setattr(provenance, "this_python", partial(replace, there))
        seen.append(command._circumstances(VerifyContext(build, partial(Index.configured, environ))))
    assert "secret" not in str(seen)
    # A zone counts for nothing, for rebuilds have one of their own.
    assert (seen[0] != seen[1]) is ("TZ" not in change)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[: len(text) // 2],
        lambda _: "[" * 100_000,
        lambda _: "[]",
        lambda text: text.replace("different", "wonderful"),
        lambda text: text.replace("demo 1.0", "evil 1.0"),
        lambda text: text.replace("different", "identical"),
        lambda text: text.replace('"notes"', '"votes"'),
        lambda text: json.dumps({**json.loads(text), "key": "0"}),
        lambda text: json.dumps({**json.loads(text), "result": 7}),
        lambda text: json.dumps({**json.loads(text), "causes": 7}),
    ],
)
def test_a_damaged_state_is_not_believed(tmp_path: Path, change: Any) -> None:
    state = VerifyState(tmp_path, {"samebytes": "1.0"})
    state.keep(TARGET, row("demo 1.0", "different", "D011"))
    (path,) = tmp_path.iterdir()
    path.write_text(change(path.read_text()))
    assert state.kept(TARGET) is None


def test_threads_that_do_not_end_are_waited_for_together() -> None:
    """Not each for as long: after an interruption, that would be a minute and more where the index hangs."""
    given: list[float] = []

    class Hanging(threading.Thread):
        def join(self, timeout: float | None = None) -> None:
            given.append(timeout or 0.0)
            super().join(timeout)

    end = threading.Event()
    crew = [Hanging(target=end.wait, daemon=True) for _ in range(3)]
    for thread in crew:
        thread.start()
    many._join(crew, 2 * many._TURN)
    end.set()
    assert given == [many._TURN] * 2
