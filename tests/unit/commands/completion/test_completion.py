"""Completion in real shells: commands, options, what options take, files; and that it knows what the parsers know."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import shtab
from samebytes_tools.commands.completion.command import _BASH_EQUALS_SIGNS, SHELLS
from samebytes_tools.commands.completion.command import script as script_for

from samebytes import cores
from samebytes.commands import main as cli

if sys.platform == "win32":
    pytest.skip("needs pseudo-terminals", allow_module_level=True)

from support.parsers import commands, flags, options, subcommands
from support.processes import import_path
from support.shells import Terminal, fish_proposals, shell

COMMANDS = list(commands(cli.parser()))


@pytest.fixture
def script(request: pytest.FixtureRequest, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """What the command prints for a shell, in a file."""
    assert cli.main(["completion", request.param]) == 0
    path = tmp_path / f"completion.{request.param}"
    path.write_text(capsys.readouterr().out, "utf-8")
    return path


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A directory with something in it."""
    directory = tmp_path / "here"
    (directory / "dist").mkdir(parents=True)
    (directory / "outside").mkdir()
    (directory / "outer.txt").touch()
    (directory / "dist" / "demo 1.whl").touch()
    return directory


@pytest.fixture(params=["bash", "zsh"])
def terminal(
    request: pytest.FixtureRequest, tmp_path: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> Iterator[Terminal]:
    """A shell that has read its script."""
    shell(request.param)
    assert cli.main(["completion", request.param]) == 0
    path = tmp_path / "script"
    path.write_text(capsys.readouterr().out, "utf-8")
    with Terminal(request.param, path, here) as opened:
        yield opened


LINES = {
    "samebytes norm": "samebytes normalize ",
    "samebytes tree f": "samebytes tree fix ",
    "samebytes compare --acc": "samebytes compare --accept",
    "samebytes compare --accept pay": "samebytes compare --accept payload ",
    "samebytes compare --accept=pay": "samebytes compare --accept=payload ",
    "samebytes tree fix --optim": "samebytes tree fix --optimize",
    "samebytes tree fix --pyc unch": "samebytes tree fix --pyc unchecked-hash ",
    "samebytes completion f": "samebytes completion fish ",
    "samebytes normalize di": "samebytes normalize dist/",
    "samebytes normalize -v dist/de": "samebytes normalize -v dist/demo\\ 1.whl ",
    "samebytes normalize dist/demo\\ ": "samebytes normalize dist/demo\\ 1.whl ",
    "samebytes normalize outer.txt dist/de": "samebytes normalize outer.txt dist/demo\\ 1.whl ",
    "samebytes check dist --juni": "samebytes check dist --junit",
    "samebytes check --html=oute": "samebytes check --html=outer.txt ",
    "samebytes check --html oute": "samebytes check --html outer.txt ",
    "samebytes normalize -o out": "samebytes normalize -o outside/",
}


def test_lines_are_completed(terminal: Terminal) -> None:
    completed = {line: terminal.completed(line) for line in LINES}
    assert {line: text.rstrip("= ") for line, text in completed.items()} == {
        line: text.rstrip("= ") for line, text in LINES.items()
    }


@pytest.mark.parametrize("script", ["tcsh"], indirect=True)
def test_lines_are_completed_in_tcsh(script: Path, here: Path) -> None:
    """It knows all options of all commands, at each of them."""
    lines = {
        "samebytes norm": "samebytes normalize",
        "samebytes tree f": "samebytes tree fix",
        "samebytes tree fix --pyc unch": "samebytes tree fix --pyc unchecked-hash",
        "samebytes normalize -o out": "samebytes normalize -o outside/",
        "samebytes check --html oute": "samebytes check --html outer.txt",
    }
    with Terminal("tcsh", script, here) as tcsh:
        assert {line: tcsh.entered(line) for line in lines} == lines


def test_what_takes_neither_file_nor_word_is_left_alone(terminal: Terminal) -> None:
    assert terminal.completed("samebytes check --date out") == "samebytes check --date out"


BASH = """
source "$1"
shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
compopt() { :; }
_samebytes
((${#COMPREPLY[@]})) && printf '%s\\n' "${COMPREPLY[@]}"
exit 0
"""


def in_bash(script: Path, directory: Path, *words: str) -> set[str]:
    done = subprocess.run(
        [shell("bash"), "-uc", BASH, "bash", str(script), "samebytes", *words],
        cwd=directory,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return set(done.stdout.split())


@pytest.mark.parametrize("script", ["bash"], indirect=True)
def test_bash_proposes_all_that_the_parsers_know(script: Path, here: Path) -> None:
    files = {path.name for path in here.iterdir()}
    assert in_bash(script, here, "") == set(cli.COMMANDS)
    for words, parser in COMMANDS:
        assert in_bash(script, here, *words, "-") == flags(parser), words
        if subcommands(parser):
            assert in_bash(script, here, *words, "") == set(subcommands(parser))
        for option in options(parser):
            if option.nargs != 0:
                proposed = in_bash(script, here, *words, option.option_strings[-1], "")
                assert proposed == set(map(str, option.choices or ())) or (not option.choices and proposed <= files)
    assert in_bash(script, here, "completion", "") == set(SHELLS)


@pytest.mark.parametrize("script", ["fish"], indirect=True)
def test_fish_proposes_all_that_the_parsers_know(script: Path, here: Path) -> None:
    def proposed(line: str) -> set[str]:
        return set(fish_proposals(script, line, here, {"PATH": os.environ["PATH"]}))

    assert proposed("samebytes ") == set(cli.COMMANDS)
    for words, parser in COMMANDS:
        long = {flag for flag in flags(parser) if flag.startswith("--")}
        assert proposed(" ".join(["samebytes", *words, "--"])) == long, words
    assert proposed("samebytes tree ") == {"fix", "digest"}
    assert proposed("samebytes tree fix --pyc ") == {"checked-hash", "unchecked-hash", "none"}
    assert proposed("samebytes compare --accept=pay") == {"--accept=payload"}
    assert proposed("samebytes normalize -o out") == {"outside/"}
    assert proposed("samebytes check --html oute") == {"outer.txt"}
    assert proposed("samebytes check --date out") == set()
    assert proposed("samebytes normalize di") == {"dist/"}
    assert proposed("samebytes check build --bi") == {"--bisect"}


@pytest.mark.parametrize("script", ["bash", "zsh", "tcsh", "fish"], indirect=True)
def test_shells_can_read_what_they_are_given(script: Path) -> None:
    subprocess.run([shell(script.suffix[1:]), "-n", str(script)], check=True)


@pytest.mark.parametrize("script", ["zsh"], indirect=True)
def test_zsh_is_given_every_command_with_all_its_options(script: Path) -> None:
    text = script.read_text("utf-8")
    for words, parser in COMMANDS:
        name = "_".join(["_shtab_samebytes", *words, "options"])
        body = re.search(rf"^{name}=\(\n(.*?)^\)$", text, flags=re.MULTILINE | re.DOTALL)
        assert body is not None, name
        assert [flag for flag in flags(parser) if not re.search(rf'["{{,)*]{flag}[,+=\[}}]', body[1])] == []


@pytest.mark.parametrize("script", ["powershell"], indirect=True)
def test_powershell_is_given_every_command_with_all_its_options(script: Path) -> None:
    """Its script can be read here, not run."""
    text = script.read_text("utf-8")
    for words, parser in COMMANDS:
        name = "_".join(["_shtab_samebytes", *words])
        (row,) = re.findall(
            rf"^ *'{name}' = @\((.*)\)$", text.partition("_option_strings")[2].partition("\n}")[0], re.M
        )
        assert set(re.findall(r"'([^']+)'", row)) == flags(parser)


@pytest.mark.parametrize("shell_name", ["zsh", "fish", "powershell"])
def test_each_command_is_explained_by_its_line_in_the_help(shell_name: str) -> None:
    """Of the descriptions, only a first line would be shown, in which no sentence ends."""
    text = script_for(cli.parser(), shell_name)
    for line in ("rewrite wheels and sdists into their canonical form", "print a script for a shell"):
        assert line in text


def test_shellcheck_has_nothing_to_say_of_our_part(tmp_path: Path) -> None:
    checker = shutil.which("shellcheck") or shutil.which("shellcheck", path=str(Path(sys.executable).parent))
    if checker is None:
        pytest.skip("needs shellcheck")
    path = tmp_path / "part.bash"
    path.write_text(_BASH_EQUALS_SIGNS, "utf-8")
    done = subprocess.run([checker, "--shell=bash", str(path)], capture_output=True, text=True, check=False)
    assert done.stdout == ""


def test_the_shells_are_those_of_shtab() -> None:
    assert set(SHELLS) == set(shtab.SUPPORTED_SHELLS)


def test_scripts_do_not_depend_on_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    before = [script_for(cli.parser(), name) for name in SHELLS]
    monkeypatch.setattr(cores, "available", lambda: 77)
    monkeypatch.setenv("COLUMNS", "40")
    assert [script_for(cli.parser(), name) for name in SHELLS] == before


def test_an_unknown_shell_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["completion", "ksh"]) == 2
    said = capsys.readouterr().err
    assert "ksh" in said
    assert "bash" in said
    assert "hint: See 'samebytes completion --help'." in said


PAGE = Path(__file__).resolve().parents[4] / "docs" / "how-to" / "completion.md"


@pytest.mark.skipif(not PAGE.is_file(), reason="the documentation is not here, only the tests")
def test_the_commands_of_the_page_put_scripts_where_shells_look(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (block,) = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    program = tmp_path / "bin" / "samebytes"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m samebytes "$@"\n', "utf-8")
    program.chmod(0o755)
    environ = {"HOME": str(tmp_path), "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}", **import_path()}
    subprocess.run(["sh", "-e", "-c", block], env=environ, check=True)
    places = {
        "bash": ".local/share/bash-completion/completions/samebytes",
        "zsh": ".zfunc/_samebytes",
        "fish": ".config/fish/completions/samebytes.fish",
        "tcsh": ".config/tcsh/samebytes.tcsh",
    }
    for name, place in places.items():
        assert cli.main(["completion", name]) == 0
        assert (tmp_path / place).read_text("utf-8") == capsys.readouterr().out
