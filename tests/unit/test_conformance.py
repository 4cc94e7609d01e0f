"""The vectors of the canonical form: what they cover of the document, and who passes them."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest
from support.canonical_reader import check_sdist, check_wheel

import samebytes
from conformance import make, run

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "canonical-form.md"
VECTORS = run.read()
SAMPLE = VECTORS[::14]
NOT_SHOWN = {
    "A writer that does not know the version pinned MUST refuse to write.": "a project's file is no part of an archive",
    "MUST, MUST NOT, SHOULD and MAY are used as in RFC 2119.": "it says what the word means",
}
"""Sentences with MUST that no input can show, and why."""


def sections() -> dict[str, str]:
    """Return the document's text by the numbers of its sections, each run of white space as one blank.

    The text of a section with sections in it is only what stands before them. Marks of list items are left out.
    """
    parts = re.split(r"^#{2,3} (\d+(?:\.\d+)?) .*$", DOCUMENT.read_text("utf-8"), flags=re.MULTILINE)
    plain = [re.sub(r"^ *(?:-|\d\.) |\|", " ", text, flags=re.MULTILINE) for text in parts[2::2]]
    return {number: " ".join(text.split()) for number, text in zip(parts[1::2], plain)}


SECTIONS = sections()


def musts(text: str) -> Iterator[int]:
    """Give where each MUST stands."""
    return (found.start() for found in re.finditer(r"\bMUST\b", text))


def plain(words: str) -> str:
    return " ".join(words.replace("|", " ").split())


def test_every_vector_quotes_the_document() -> None:
    missing = {(one["section"], one["rule"]) for one in VECTORS if plain(one["rule"]) not in SECTIONS[one["section"]]}
    assert missing == set()


def test_every_must_of_the_document_has_a_vector() -> None:
    """Each by its place: two in one sentence need words that hold both, or vectors for each."""
    unseen = []
    for number, text in SECTIONS.items():
        shown = [plain(one["rule"]) for one in VECTORS if one["section"] == number] + list(NOT_SHOWN)
        spans = [(text.find(words), text.find(words) + len(words)) for words in set(shown) if words in text]
        lost = [at for at in musts(text) if not any(start <= at < end for start, end in spans)]
        unseen += [f"{number}: ...{text[max(0, at - 60) : at + 60]}..." for at in lost]
    assert unseen == []
    assert sum(len(list(musts(text))) for text in SECTIONS.values()) > 50


def test_sections_are_shown() -> None:
    """Those that say what bytes there are; of ZIP64 no small file needs it."""
    left = {
        "1",
        "1.1",
        "1.2",
        "1.3",
        "4",
        "4.3",
        "4.4",
        "5",
        "5.8",
        "5.9",
        "6",
        "6.5",
        "7.6",
        "9",
        "10",
        "11",
        "12",
    }
    assert set(SECTIONS) - {one["section"] for one in VECTORS} == left


def test_there_are_enough_and_they_are_small() -> None:
    assert len(VECTORS) >= 300
    assert sum(map(len, make.there().values())) < 1_700_000  # some are about bytes 32,769 and 65,557
    assert {one["input"] for one in VECTORS} == set(make.there()) - {"vectors.json"}


def by_samebytes(vector: run.Vector, source: Path, target: Path) -> str:
    environment = {name: vector[name] for name in ("SOURCE_DATE_EPOCH",) if name in vector}
    with mock.patch.dict("os.environ", environment), make.NO_SYNC:
        try:
            samebytes.normalize(source, output=target.parent, date=vector["date"], jobs=1)
        except samebytes.SamebytesError as error:
            return error.message
    return ""


@pytest.fixture(autouse=True)
def no_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)


def test_samebytes_passes_a_sample() -> None:
    assert list(run.failures(SAMPLE, by_samebytes)) == []


@pytest.mark.slow("all of them, about ten seconds")
def test_samebytes_and_the_independent_reader_pass_all_and_the_files_are_made_again() -> None:
    """What is written is what is made now; of the inputs the reader accepts those alone that are canonical."""
    every = list(make.vectors())
    assert make.files(every) == make.there()
    for vector in every:
        check = check_sdist if vector.fields["file"].endswith(".tar.gz") else check_wheel
        date = vector.date_of_output
        if vector.output is not None:
            assert check(vector.output, date) == [], vector.fields
        if vector.rule.startswith(NOT_OF_THE_ARCHIVE):
            continue
        assert (check(vector.data, date) == []) == (vector.data == vector.output), vector.fields


NOT_OF_THE_ARCHIVE = ("3 It MUST be from", "2.2 Its name MUST be that of the wheel's file:")
"""Rules for what is given with an archive, which the reader is not given."""


def test_a_sample_is_made_again() -> None:
    wanted = {one["input"]: one for one in SAMPLE}
    tables = [(folder, rules) for folder, rules, _ in make.TABLES]
    made = 0
    for folder, rules in tables:
        for rule, inputs in rules.items():
            for name, given in inputs.items():
                for kind in ("refused", "accepted"):
                    path = f"inputs/{folder}/{kind}/{name}"
                    one = wanted.get(f"{path}.whl") or wanted.get(f"{path}.tar.gz")
                    if one is None or f"{one['section']} {one['rule']}" != rule:
                        continue
                    data = given if isinstance(given, bytes) else given.data
                    assert (make.HERE / one["input"]).read_bytes() == data
                    made += 1
    assert made > len(SAMPLE) * 0.8


def failed(vector: run.Vector, does: str) -> str:
    """Return what the runner says of a program that does this with ``source`` and ``target``."""
    code = f"import pathlib, sys\nsource, target = map(pathlib.Path, sys.argv[1:3])\n{does}"
    return run.failure(vector, run.by_program([sys.executable, "-c", code, "{input}", "{output}"]))


REFUSED = next(one for one in VECTORS if one.get("refused"))
CANONICAL = next(one for one in VECTORS if "/canonical/" in one["input"])


def test_the_runner_sees_every_way_to_fail() -> None:
    copy = "target.write_bytes(source.read_bytes())"
    assert failed(CANONICAL, copy) == ""
    assert failed(REFUSED, "sys.exit(3)") == ""
    assert (
        failed(CANONICAL, "sys.exit('no, this is not accepted')") == "refused: exit status 1: no, this is not accepted"
    )
    assert failed(CANONICAL, "pass") == "there is no output"
    assert failed(CANONICAL, f"{copy}; source.write_bytes(b'')") == "the input was changed"
    assert failed(CANONICAL, "target.write_bytes(b'x')").startswith("has 1 bytes and must have ")
    wrong = "target.write_bytes(source.read_bytes()[:-1] + b'x')"
    assert failed(CANONICAL, wrong) == "has the right size, and other bytes"
    assert failed(REFUSED, copy) == "must be refused, and is not"
    assert failed(REFUSED, f"{copy}; sys.exit(1)").startswith("refused: ")


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")
def test_a_program_that_crashes_has_not_refused() -> None:
    assert failed(REFUSED, "import os; os.kill(os.getpid(), 9)") == "ended by signal 9"


def test_the_runner_counts_and_gives_a_status(tmp_path: Path) -> None:
    program = tmp_path / "refuses.py"
    program.write_text("import sys; print(sys.argv[1:]); sys.exit(1)", "utf-8")
    command = [sys.executable, str(make.HERE / "run.py"), "--only", "no-date", sys.executable, str(program)]
    done = subprocess.run([*command, "{output}", "--date", "{date}"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "3 vectors, 0 passed, 3 failed"
    assert "--date" not in done.stdout.split("section")[0]
    done = subprocess.run([*command[:4], str(tmp_path / "missing")], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith("cannot be run: No such file or directory\n")
    done = subprocess.run([*command[:3], "no such name", "x"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "0 vectors, 0 passed, 0 failed\n")


def test_the_runner_chooses_by_section_and_by_name() -> None:
    vector = {"section": "2.2", "input": "inputs/wheel/refused/flag-bit-5.whl"}
    for word in ("2", "2.2", "flag-bit", "wheel/refused"):
        assert run.chosen(vector, [word])
    for word in ("2.3", "2.", "22", "sdist"):
        assert not run.chosen(vector, [word])
