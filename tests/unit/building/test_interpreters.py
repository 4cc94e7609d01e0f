"""Finding interpreters by what was asked for. Those of other versions are this Python under another name."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from samebytes_tools.building import interpreters, provenance
from samebytes_tools.commands.install import interpreter as asking
from samebytes_tools.commands.install.interpreter import ask
from support.interpreters import imitate

from samebytes.errors import UsageError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the other versions are scripts with a #! line")


def beside(directory: Path) -> dict[str, str]:
    """An environment in which nothing else is found, of this machine's own."""
    directory.mkdir(exist_ok=True)
    return {"PATH": str(directory), "HOME": str(directory.parent)}


def test_a_version_is_found_on_path(tmp_path: Path) -> None:
    environ = beside(tmp_path / "bin")
    python = imitate(tmp_path / "bin/python3.99", 99)
    found = interpreters.find("3.99", environ)
    assert (found.executable, found.minor, found.short, found.version) == (python, (3, 99), "3.99", "3.99.0")


def test_this_python_goes_before_others_of_its_version(tmp_path: Path) -> None:
    own = provenance.this_python()
    imitate(tmp_path / "bin" / f"python{own.short}", own.minor[1])
    assert interpreters.find(own.short, beside(tmp_path / "bin")).executable == sys.executable


def test_what_does_not_run_is_passed_over_in_silence(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for name, text in (("one", "#!/bin/sh\nexit 3\n"), ("two", "#!/bin/sh\necho no interpreter\n"), ("three", "")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "python3.99").write_text(text)
        (tmp_path / name / "python3.99").chmod(0o755)
    python = imitate(tmp_path / "four/python3.99", 99)
    path = os.pathsep.join(str(tmp_path / name) for name in ("one", "two", "three", "four"))
    assert interpreters.find("3.99", {"PATH": path}).executable == python
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "output", ["1", "{}", "[]", "null", '"x"', "[" * 100_000, "\udcff", "{{}}", '{"minor": [3]}', "", "NaN", "true"]
)
def test_a_program_that_prints_anything_is_not_an_interpreter(tmp_path: Path, output: str) -> None:
    program = printing(tmp_path / "program", output)
    with pytest.raises(UsageError, match="program is not a Python interpreter") as caught:
        interpreters.named(program, dict(os.environ))
    assert caught.value.remedy
    with pytest.raises(UsageError, match="program: is not a Python interpreter") as caught:
        ask(program)
    assert caught.value.remedy


@pytest.mark.parametrize("which", ["describe", "ask"])
def test_an_answer_with_anything_in_it_is_not_an_interpreters(tmp_path: Path, which: str) -> None:
    """Each value of the true answer is exchanged for values of other types, or left out."""
    code = interpreters.QUESTION if which == "describe" else asking._ASK
    true = json.loads(subprocess.run([sys.executable, "-c", code, ""], stdout=subprocess.PIPE, check=True).stdout)
    answers = [{key: value for key, value in true.items() if key != name} for name in true] + [{**true, "more": 1}]
    for name, value in true.items():
        others: list[object] = [None, 1, "x", [], {}, [3], [3, "9"], [3, True], [3, 9, 1], True]
        answers += [{**true, name: other} for other in others if type(other) is not type(value) or type(other) is list]
    for number, answer in enumerate(answers):
        program = printing(tmp_path / f"program{number}", json.dumps(answer))
        if which == "describe":
            assert interpreters.describe(program) is None, answer
        else:
            with pytest.raises(UsageError):
                ask(program)
    assert len(answers) > 50


def test_a_program_that_prints_without_an_end_is_not_an_interpreter(tmp_path: Path) -> None:
    """Nor one whose child keeps its output open: neither memory nor the answer's time depends on what is asked."""
    (tmp_path / "endless").write_text("#!/bin/sh\nexec yes\n")
    (tmp_path / "parent").write_text(f"#!/bin/sh\nsleep 100 &\necho $! > '{tmp_path}/child'\necho 1\n")
    code = (
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_AS, (1 << 29, 1 << 29))\n"
        "from samebytes_tools.building.interpreters import describe\n"
        "sys.exit(describe(sys.argv[1]) is not None)\n"
    )
    for name in ("endless", "parent"):
        (tmp_path / name).chmod(0o755)
        subprocess.run([sys.executable, "-c", code, str(tmp_path / name)], check=True, timeout=50)
    os.kill(int((tmp_path / "child").read_text()), signal.SIGTERM)  # it still runs: nothing waited for it


def printing(path: Path, output: str) -> str:
    """Make at *path* a program that prints *output*, and return the path."""
    (path.parent / f"{path.name}.txt").write_text(output, encoding="utf-8", errors="surrogateescape")
    path.write_text(f"#!/bin/sh\ncat '{path}.txt'\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("variables", "place"),
    [
        ({}, ".pyenv/versions/3.99.0/bin/python"),
        ({"PYENV_ROOT": "{}/elsewhere"}, "elsewhere/versions/3.99-dev/bin/python"),
        ({}, ".local/share/uv/python/cpython-3.99.0-linux-x86_64-gnu/bin/python"),
        ({"XDG_DATA_HOME": "{}/data"}, "data/uv/python/cpython-3.99.0-linux-x86_64-gnu/bin/python"),
        ({"UV_PYTHON_INSTALL_DIR": "{}/uv"}, "uv/cpython-3.99.0-linux-x86_64-gnu/bin/python"),
    ],
)
def test_a_version_of_pyenv_or_uv(tmp_path: Path, variables: dict[str, str], place: str) -> None:
    environ = {**beside(tmp_path / "bin"), **{name: value.format(tmp_path) for name, value in variables.items()}}
    imitate(tmp_path / ".pyenv/versions/3.9.18/bin/python", 9)
    python = imitate(tmp_path / place, 99)
    assert interpreters.find("3.99", environ).executable == python


@pytest.mark.parametrize(
    "homes",
    [["3.99.10", "3.99.9", "3.99-dev"], ["3.99.0", "3.99.0rc2", "3.99.0b10", "3.99-mine"], ["3.99.0t", "3.99.0rc1t"]],
)
def test_the_newest_release_of_pyenv(tmp_path: Path, homes: list[str]) -> None:
    """By version (PEP 440), not by the text of it; each is found once the newer ones are gone."""
    environ = beside(tmp_path / "bin")
    threaded = homes[0].endswith("t")
    short = f"3.99{'t' if threaded else ''}"
    pythons = [
        imitate(tmp_path / ".pyenv/versions" / home / "bin/python", 99, free_threaded=threaded) for home in homes
    ]
    for python in pythons:
        assert interpreters.find(short, environ).executable == python
        assert python in [one.executable for one in interpreters.installed(environ)]
        Path(python).unlink()


def test_free_threaded_is_another_interpreter(tmp_path: Path) -> None:
    """``cp313t`` is an ABI of its own (PEP 703): neither stands in for the other."""
    environ = beside(tmp_path / "bin")
    threaded = imitate(tmp_path / "bin/python3.99t", 99, free_threaded=True)
    found = interpreters.find("3.99t", environ)
    assert (found.executable, found.short, found.free_threaded) == (threaded, "3.99t", True)
    with pytest.raises(UsageError, match=r"3\.99 is needed and not here"):
        interpreters.find("3.99", environ)
    imitate(tmp_path / "bin/python3.98", 98)
    with pytest.raises(UsageError, match=r"3\.98t is needed and not here"):
        interpreters.find("3.98t", environ)


@pytest.mark.parametrize("place", ["bin/python3.99", ".pyenv/versions/3.99.0/bin/python"])
def test_a_version_that_is_missing(tmp_path: Path, place: str) -> None:
    environ = beside(tmp_path / "bin")
    imitate(tmp_path / place, 99)
    imitate(tmp_path / "bin/python3.8", 8)
    with pytest.raises(UsageError, match=r"3\.98 is needed and not here .there is 3\.99, ") as caught:
        interpreters.find("3.98", environ)
    assert "3.8" not in caught.value.message.replace("3.98", "")
    assert "uv python install 3.98" in caught.value.remedy


def test_all_that_are_installed(tmp_path: Path) -> None:
    environ = beside(tmp_path / "bin")
    imitate(tmp_path / "bin/python3.98", 98)
    imitate(tmp_path / "bin/python3.99", 99)
    imitate(tmp_path / ".pyenv/versions/3.97.1/bin/python", 97)
    imitate(tmp_path / ".pyenv/versions/3.97.1t/bin/python", 97, free_threaded=True)
    imitate(tmp_path / ".pyenv/versions/3.98.1/bin/python", 98)
    found = [(python.short, python.executable) for python in interpreters.installed(environ)]
    own = provenance.this_python()
    assert [short for short, _ in found] == ["3.99", "3.98", "3.97", "3.97t", own.short]
    assert dict(found)["3.98"] == str(tmp_path / "bin/python3.98")
    assert dict(found)[own.short] == sys.executable


def test_by_path_and_by_name(tmp_path: Path) -> None:
    python = imitate(tmp_path / "bin/some-python", 99)
    assert interpreters.named(sys.executable, {}).version == provenance.this_python().version
    assert interpreters.named(python, {}).short == "3.99"
    assert interpreters.named("some-python", beside(tmp_path / "bin")).short == "3.99"
    assert interpreters.named(provenance.this_python().short, {}).executable == sys.executable


@pytest.mark.parametrize("text", ["python", "3", "3.x", "no-such-program", "/etc/passwd"])
def test_what_is_no_interpreter(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match="is not a Python interpreter") as caught:
        interpreters.named(text, beside(tmp_path / "bin"))
    assert caught.value.remedy
