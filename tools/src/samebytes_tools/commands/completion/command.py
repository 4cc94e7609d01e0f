"""``samebytes completion``: scripts that let a shell complete commands, options and what they take.

shtab writes them from the parsers. They hold everything, so that a shell starts no Python for them.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from samebytes.console import exit_status
from samebytes.console.verbosity import add_verbosity

SHELLS = ("bash", "zsh", "tcsh", "fish", "powershell")
"""Those that shtab knows; named here, because a parser that only shows help need not import it."""

_DESCRIPTION = """\
Print a script that lets a shell complete samebytes' commands, their options,
and the files and words that those take."""

_EPILOG = f"""\
examples:
  samebytes completion bash                   show the script
  source <(samebytes completion bash)         in ~/.bashrc
  eval "$(samebytes completion zsh)"          in ~/.zshrc, after compinit
  samebytes completion fish | source          in ~/.config/fish/config.fish

{exit_status.table(2)}"""

_DIRECTORIES = {"DIR", "ROOT"}
_FILES = {"FILE", "WHAT", "SRC", "PATH", "PYTHON"}
"""Metavars of what may be a file or a directory."""

_BASH_EQUALS_SIGNS = """
# Bash breaks words at "=". shtab counts words, so --accept=payload has to be two of them, as --accept payload is.
_samebytes() {
    local word words=()
    for word in "${COMP_WORDS[@]:0:COMP_CWORD + 1}"; do
        [[ $word == "=" ]] || words+=("$word")
    done
    [[ ${COMP_WORDS[COMP_CWORD]} == "=" ]] && words+=("")
    local COMP_WORDS=("${words[@]}") COMP_CWORD=$((${#words[@]} - 1))
    _shtab_samebytes
}
complete -o bashdefault -F _samebytes samebytes
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to *subparsers*."""
    parser = subparsers.add_parser(
        "completion", help="print a script for a shell's completion", description=_DESCRIPTION, epilog=_EPILOG
    )
    parser.add_argument("shell", metavar="SHELL", choices=SHELLS, help=f"one of {', '.join(SHELLS)}")
    add_verbosity(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the script."""
    from samebytes.commands.main import parser

    sys.stdout.write(script(parser(), args.shell))
    return exit_status.FINE


def script(parser: argparse.ArgumentParser, shell: str) -> str:
    """Return the script with which *shell* completes the command line that *parser* reads; *parser* is changed."""
    import shtab

    _prepare(parser, shell)
    text = shtab.complete(parser, shell)
    if shell == "bash":
        return text + _BASH_EQUALS_SIGNS
    if shell == "zsh":  # "(*)" lets one file come, and no second
        return re.sub(r'^  "\(\*\)::?', '  "*:', text, flags=re.MULTILINE)
    return text


def _prepare(parser: argparse.ArgumentParser, shell: str) -> None:
    """Say in shtab's attributes which arguments are files, and describe commands by a line that ends.

    Of a description, shtab shows the first line, which in ours is the beginning of a sentence.
    """
    import shtab

    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for row in action._choices_actions:
                below = action.choices[row.dest]
                below.description = row.help
                _prepare(below, shell)
            continue
        if shell == "zsh" and action.nargs != 0:  # the value of an option may stand in the same word
            action.option_strings = [f"{name}{'=' if name.startswith('--') else '+'}" for name in action.option_strings]
        if action.nargs != 0 and not action.choices:
            kinds = set(str(action.metavar or action.dest.upper()).split("|"))
            if kinds <= _DIRECTORIES:
                action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
            elif action.type is Path or kinds & (_FILES | _DIRECTORIES):
                action.complete = shtab.FILE  # type: ignore[attr-defined]
