from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from support.artifacts import TIMES, sdist, wheel
from support.schemas import assert_valid

from samebytes.commands import main as cli
from samebytes.passes import by_code


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SOURCE_DATE_EPOCH", "FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)


class Console:
    """Runs the command line and keeps what it said."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: object) -> int:
        status = cli.main([str(argument) for argument in arguments])
        self.out, self.err = self._capsys.readouterr()
        return status

    def json(self) -> Any:
        document = json.loads(self.out)
        assert_valid(document, "normalize")
        return document


@pytest.fixture
def samebytes(capsys: pytest.CaptureFixture[str]) -> Console:
    return Console(capsys)


RECORD_OF_ANOTHER = b"demo/__init__.py,sha256=AAAA,3\ndemo/gone.py,sha256=AAAA,3\n"


# Text


def test_tells_of_each_file(samebytes: Console, tmp_path: Path) -> None:
    path = wheel(tmp_path)
    assert samebytes("normalize", path) == 0
    lines = samebytes.out.splitlines()
    assert lines[:2] == ["demo-1.0-py3-none-any.whl", "  normalized"]
    assert re.fullmatch(r"  sha256 [0-9a-f]{64}", lines[2])
    assert re.fullmatch(r"  size   [\d,]+ bytes, was [\d,]+", lines[3])
    assert lines[4] == "  date   2020-02-02T00:00:00Z (constant: none was given)"
    assert f"  Z002 {by_code('Z002').name.replace('-', ' ')}: 5 members" in lines
    codes = [line.split()[0] for line in lines[5:]]
    assert codes == sorted(set(codes))
    assert samebytes.err == ""
    assert samebytes("normalize", path) == 0
    again = samebytes.out.splitlines()
    assert again[:2] == ["demo-1.0-py3-none-any.whl", "  already canonical"]
    assert again[2] == lines[2]
    assert again[4] == "  date   2020-02-02T00:00:00Z (constant: none was given)"
    assert len(again) == 5


def test_v_tells_every_change(samebytes: Console, tmp_path: Path) -> None:
    samebytes("normalize", "-v", wheel(tmp_path))
    assert re.search(r"^    demo/__init__\.py: .*202.*2020-02-02", samebytes.out, re.MULTILINE)


def test_q_tells_nothing_but_errors(samebytes: Console, tmp_path: Path) -> None:
    assert samebytes("normalize", "-q", wheel(tmp_path), tmp_path / "missing") == 2
    assert samebytes.out == ""
    assert samebytes.err.startswith("samebytes: error: ")


def test_output_directory(samebytes: Console, tmp_path: Path) -> None:
    path = wheel(tmp_path)
    assert samebytes("normalize", path, "-o", tmp_path / "out") == 0
    assert f"  output {tmp_path / 'out' / path.name}" in samebytes.out.splitlines()


def test_dates_from_the_option_and_the_environment(
    samebytes: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = wheel(tmp_path)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1600000000")
    samebytes("normalize", path)
    assert "  date   2020-09-13T12:26:40Z (SOURCE_DATE_EPOCH)\n" in samebytes.out
    samebytes("normalize", path, "--date", "2021-02-03")
    assert "  date   2021-02-03T00:00:00Z (--date)\n" in samebytes.out


@pytest.mark.parametrize("value", ["", "-1", "soon", "99999999999"])
def test_a_malformed_environment_is_an_error_and_nothing_is_done(
    value: str, samebytes: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = wheel(tmp_path)
    before = path.read_bytes()
    monkeypatch.setenv("SOURCE_DATE_EPOCH", value)
    assert samebytes("normalize", path) == 3
    assert f"SOURCE_DATE_EPOCH: {value!r}" in samebytes.err
    assert path.read_bytes() == before
    assert samebytes("normalize", path, "--date", "0") == 0, "an option makes the environment irrelevant"


def test_a_malformed_date_option(samebytes: Console, tmp_path: Path) -> None:
    assert samebytes("normalize", wheel(tmp_path), "--date", "soon") == 2
    assert "--date: 'soon' is not a date" in samebytes.err


@pytest.mark.parametrize("jobs", ["0", "-1", "many", "999", "٣"])
def test_jobs_are_a_number(jobs: str, samebytes: Console, tmp_path: Path) -> None:
    assert samebytes("normalize", wheel(tmp_path), f"--jobs={jobs}") == 2
    assert "is not a number from 1 to 256" in samebytes.err


def test_the_status_is_that_of_the_highest_error(samebytes: Console, tmp_path: Path) -> None:
    broken = tmp_path / "broken-1.0-py3-none-any.whl"
    broken.write_bytes(b"no archive")
    good = sdist(tmp_path)
    assert samebytes("normalize", tmp_path / "missing", good) == 2
    assert samebytes("normalize", broken, tmp_path / "missing", good) == 4
    wheel(tmp_path, "wrong", record=RECORD_OF_ANOTHER)
    assert samebytes("normalize", tmp_path, tmp_path / "missing") == 5
    assert samebytes.err.count("samebytes: error: ") == 3
    assert samebytes.out.startswith("demo-1.0.tar.gz\n  already canonical\n")


def test_a_rebuilt_record_lists_every_mismatch_and_has_its_own_status(samebytes: Console, tmp_path: Path) -> None:
    path = wheel(tmp_path, record=RECORD_OF_ANOTHER)
    assert samebytes("normalize", path) == 5
    assert "--rebuild-record" in samebytes.err
    assert samebytes("normalize", path, "--rebuild-record") == 10
    for name in ("demo/__init__.py", "demo/gone.py", "demo/b.py", "demo-1.0.dist-info/WHEEL"):
        assert re.search(rf"^    {re.escape(name)}: ", samebytes.out, re.MULTILINE), name
    assert samebytes("normalize", path, "--rebuild-record") == 0
    assert "already canonical" in samebytes.out


def test_an_error_is_more_than_a_rebuilt_record(samebytes: Console, tmp_path: Path) -> None:
    path = wheel(tmp_path, record=RECORD_OF_ANOTHER)
    assert samebytes("normalize", path, tmp_path / "missing", "--rebuild-record") == 2


def test_attestations(samebytes: Console, tmp_path: Path) -> None:
    path = wheel(tmp_path)
    attestation = tmp_path / f"{path.name}.publish.attestation"
    attestation.write_text("{}")
    assert samebytes("normalize", path) == 6
    assert attestation.name in samebytes.err
    assert samebytes("normalize", path, "--ignore-attestation") == 0
    assert attestation.read_text() == "{}"


def test_codes_on_the_command_line(samebytes: Console, tmp_path: Path) -> None:
    path = wheel(tmp_path)
    assert samebytes("normalize", path, "--disable", "Z987") == 3
    assert "Z987" in samebytes.err
    assert samebytes("normalize", path, "--disable", "Z002", "--disable", "Z003") == 0
    assert "Z002" not in samebytes.out
    assert samebytes("normalize", path) == 0
    assert "Z002" in samebytes.out


def test_names_cannot_control_the_terminal(samebytes: Console, tmp_path: Path) -> None:
    samebytes("normalize", "-v", wheel(tmp_path, files={"demo/\u202egnp.py": b"x"}))
    assert "\u202e" not in samebytes.out + samebytes.err
    assert "\\u202e" in samebytes.out + samebytes.err


def test_colour(samebytes: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    samebytes("normalize", wheel(tmp_path))
    assert "  \x1b[33mnormalized\x1b[0m\n" in samebytes.out


# JSON


def test_json_of_a_changed_file_and_of_an_error(samebytes: Console, tmp_path: Path) -> None:
    path, missing = wheel(tmp_path, times=TIMES[:1]), tmp_path / "missing.whl"
    before = path.stat().st_size
    assert samebytes("normalize", "--json", path, missing) == 2
    document = samebytes.json()
    assert (document["schema_version"], document["command"], document["exit_status"]) == (1, "normalize", 2)
    changed, failed = document["files"]
    assert (changed["path"], changed["output"], changed["kind"]) == (str(path), str(path), "wheel")
    assert changed["date"] == {"seconds": 1580601600, "iso": "2020-02-02T00:00:00Z", "source": "constant"}
    assert changed["before"]["size"] == before
    assert changed["after"]["size"] == path.stat().st_size
    assert changed["changed"] is True
    assert "Z001" in {change["code"] for change in changed["changes"]}
    assert changed["payload"]["same"] is True
    assert changed["error"] is None
    assert failed["error"]["class"] == "UsageError"
    assert (failed["path"], failed["changes"], failed["changed"]) == (str(missing), [], None)
    assert "missing.whl" in samebytes.err


def test_json_again_says_unchanged(samebytes: Console, tmp_path: Path) -> None:
    path = sdist(tmp_path)
    samebytes("normalize", "-q", path)
    samebytes("normalize", "--json", path)
    (file,) = samebytes.json()["files"]
    assert (file["changed"], file["changes"], file["kind"]) == (False, [], "sdist")
    assert file["before"] == file["after"]


def test_json_holds_every_code_once_the_record_is_rebuilt(samebytes: Console, tmp_path: Path) -> None:
    path = wheel(tmp_path, record=RECORD_OF_ANOTHER)
    assert samebytes("normalize", "--json", "--rebuild-record", path) == 10
    (file,) = samebytes.json()["files"]
    assert "demo/gone.py" in {change["member"] for change in file["changes"] if change["code"] == "W001"}


# Check


def test_check_writes_nothing_and_finds(samebytes: Console, tmp_path: Path) -> None:
    path = wheel(tmp_path)
    before = path.read_bytes()
    assert samebytes("check", path) == 1
    lines = samebytes.out.splitlines()
    assert all(line.startswith(f"{path}: ") for line in lines)
    assert all(re.match(r"[A-Z]\d{3} \S", line[len(f"{path}: ") :]) for line in lines)
    checked = samebytes.out
    assert samebytes("normalize", "--check", path) == 1
    assert samebytes.out == checked
    assert path.read_bytes() == before
    samebytes("normalize", path)
    assert samebytes("check", path) == 0
    assert samebytes.out == f"{path}: canonical\n"


def test_check_counts_many_findings_of_a_code(samebytes: Console, tmp_path: Path) -> None:
    path = wheel(tmp_path, files={f"demo/m{number:02}.py": b"" for number in range(39)})
    samebytes("check", path)
    lines = [line for line in samebytes.out.splitlines() if f"{path}: Z002 " in line]
    assert len(lines) == 6
    assert lines[-1] == f"{path}: Z002 ... and 37 more members"
    samebytes("check", "-v", path)
    assert len([line for line in samebytes.out.splitlines() if f"{path}: Z002 " in line]) == 42


def test_check_q_answers_by_its_status(samebytes: Console, tmp_path: Path) -> None:
    path = wheel(tmp_path)
    assert samebytes("check", "-q", path) == 1
    assert (samebytes.out, samebytes.err) == ("", "")


def test_check_against_a_given_date(samebytes: Console, tmp_path: Path) -> None:
    path = wheel(tmp_path)
    samebytes("normalize", path, "--date", "2021-02-03")
    assert samebytes("check", path) == 0
    assert samebytes("check", path, "--date", "2021-02-03T00:00:01Z") == 0, "a wheel's times are even"
    assert samebytes("check", path, "--date", "2022-02-03") == 1
    assert "Z002" in samebytes.out


def test_check_errors_are_more_than_findings(samebytes: Console, tmp_path: Path) -> None:
    assert samebytes("check", wheel(tmp_path), tmp_path / "missing") == 2
    assert "Z002" in samebytes.out


def test_check_json(samebytes: Console, tmp_path: Path) -> None:
    path = wheel(tmp_path)
    assert samebytes("check", "--json", path) == 1
    document = samebytes.json()
    assert (document["command"], document["exit_status"]) == ("check", 1)
    (file,) = document["files"]
    assert file["output"] is None
    assert file["changed"] is True


def test_check_and_output_exclude_each_other(samebytes: Console, tmp_path: Path) -> None:
    assert samebytes("normalize", "--check", "-o", tmp_path / "out", wheel(tmp_path)) == 2
    assert "--check writes nothing" in samebytes.err
    assert not (tmp_path / "out").exists()
