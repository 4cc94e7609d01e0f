"""``samebytes completion``: scripts that let a shell complete commands, options and what they take.

They are written from the parsers and hold everything, so that a shell starts no Python for them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Callable

from samebytes.console import exit_status
from samebytes.console.verbosity import add_verbosity

if TYPE_CHECKING:
    from .described import Argument, Command, Option

_DESCRIPTION = """\
Print a script that lets a shell complete samebytes' commands, their options,
and the files and words that those take."""

_EPILOG = f"""\
examples:
  samebytes completion bash                   show the script
  source <(samebytes completion bash)         in ~/.bashrc
  source <(samebytes completion zsh)          in ~/.zshrc, after compinit
  samebytes completion fish | source          in ~/.config/fish/config.fish

{exit_status.table(2)}"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to *subparsers*."""
    parser = subparsers.add_parser(
        "completion", help="print a script for a shell's completion", description=_DESCRIPTION, epilog=_EPILOG
    )
    parser.add_argument("shell", metavar="SHELL", choices=tuple(WRITERS), help=f"one of {', '.join(WRITERS)}")
    add_verbosity(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the script."""
    from samebytes.commands.main import parser

    from .described import described

    sys.stdout.write(WRITERS[args.shell](described(parser())))
    return exit_status.FINE


def bash(top: Command) -> str:
    """Return the script for bash, 3.2 and later.

    Where nothing is proposed, readline completes file names, as ``-o default`` says: it quotes them rightly.
    """
    lines = [_BASH_HEAD]
    for command in top.commands:
        lines += [f"            /{command.words[0]}) command={command.words[0]} ;;"]
        lines += [
            f'            {one.words[0]}/{one.words[1]}) command="{" ".join(one.words)}" ;;' for one in command.commands
        ]
    lines += ["        esac", "    done", '    case "$command:$prev" in']
    for command in top.walk():
        lines += _bash_values(command)
    lines += ["    esac", '    case "$command" in']
    lines += [_bash_words(command) for command in top.walk()]
    return "\n".join([*lines, _BASH_TAIL])


_BASH_HEAD = """\
# bash completion for samebytes; written by 'samebytes completion bash'

_samebytes() {
    local cur="${COMP_WORDS[COMP_CWORD]}" prev="${COMP_WORDS[COMP_CWORD - 1]}"
    local command="" options="" words="" i
    COMPREPLY=()
    # Bash breaks words at "=": --accept=payload is three of them.
    if [[ $cur == "=" ]]; then
        cur=""
    elif [[ $prev == "=" ]]; then
        prev="${COMP_WORDS[COMP_CWORD - 2]}"
    fi
    for ((i = 1; i < COMP_CWORD; i++)); do
        case "$command/${COMP_WORDS[i]}" in"""

_BASH_TAIL = """\
    esac
    [[ $cur == -* ]] && words="$options"
    # shellcheck disable=SC2207  # no word has a space, and bash 3.2 has no mapfile
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
}

complete -o bashdefault -o default -F _samebytes samebytes
"""


def _bash_values(command: Command) -> Iterator[str]:
    """Give the cases of what options take; files are for readline."""
    from .described import Value

    at = " ".join(command.words)
    for option in command.options:
        patterns = "|".join(f'"{at}:{flag}"' for flag in option.flags)
        if option.value is Value.CHOICE:
            yield f"        {patterns})"
            yield "            # shellcheck disable=SC2207"
            yield f'            COMPREPLY=($(compgen -W "{" ".join(option.choices)}" -- "$cur"))'
            yield "            return ;;"
        elif option.value is Value.DIRECTORY:
            yield f"        {patterns}) compopt -o dirnames +o default +o bashdefault 2>/dev/null; return ;;"
        elif option.value is Value.FILE:
            yield f"        {patterns}) return ;;"
        elif option.value is Value.TEXT:
            yield f"        {patterns}) compopt +o default +o bashdefault 2>/dev/null; return ;;"


def _bash_words(command: Command) -> str:
    at, options, words = " ".join(command.words), " ".join(_flags(command)), " ".join(_words(command))
    return f'        "{at}") options="{options}" words="{words}" ;;'


def _flags(command: Command) -> Iterator[str]:
    return (flag for option in command.options for flag in option.flags)


def _words(command: Command) -> Iterator[str]:
    """Give what may come at the place of an argument: commands, choices."""
    yield from (below.words[-1] for below in command.commands)
    yield from (choice for argument in command.arguments for choice in argument.choices)


def zsh(top: Command) -> str:
    """Return the script for zsh: to be sourced, or a file ``_samebytes`` in a directory of ``$fpath``."""
    functions = [line for command in top.walk() for line in _zsh_function(command)]
    return "\n".join([_ZSH_HEAD, *functions, _ZSH_TAIL])


_ZSH_HEAD = """\
#compdef samebytes
# zsh completion for samebytes; written by 'samebytes completion zsh'
"""

_ZSH_TAIL = """\
if [[ $funcstack[1] == _samebytes ]]; then
  _samebytes "$@"
else
  compdef _samebytes samebytes
fi
"""


def _zsh_function(command: Command) -> Iterator[str]:
    yield f"{_zsh_name(command.words)}() {{"
    if command.commands:
        yield '  local curcontext="$curcontext" state line'
        yield "  typeset -A opt_args"
    yield "  _arguments -C \\" if command.commands else "  _arguments -s -S \\"
    for option in command.options:
        yield f"    {_zsh_option(option)} \\"
    if not command.commands:
        yield from _zsh_arguments(command)
    else:
        yield from ("    '1: :->command' \\", "    '*:: :->rest'", "  case $state in", "    (command)")
        rows = " ".join(_zsh_quoted(f"{_zsh_plain(one.words[-1])}:{one.help}") for one in command.commands)
        yield from (f"      local -a commands=({rows})", "      _describe -t commands command commands ;;")
        yield from ("    (rest)", "      case $words[1] in")
        yield from (f"        ({one.words[-1]}) {_zsh_name(one.words)} ;;" for one in command.commands)
        yield from ("      esac ;;", "  esac")
    yield "}\n"


def _zsh_name(words: tuple[str, ...]) -> str:
    return "_".join(["_samebytes", *words])


def _zsh_option(option: Option) -> str:
    """Return an option as ``_arguments`` wants it: what it excludes, how it is spelt, what it says, what it takes."""
    from .described import Value

    excluded = "*" if option.is_repeatable else f"({' '.join(option.flags)})"
    if not {"--help", "--version"}.isdisjoint(option.flags):
        excluded = "(- *)"
    takes = "" if option.value is Value.NOTHING else f":{_zsh_plain(option.metavar)}:{_zsh_values(option)}"
    told = _zsh_quoted(f"[{option.help.replace('[', '(').replace(']', ')')}]{takes}")
    spelt = [f"{flag}{'' if not takes else '=' if flag.startswith('--') else '+'}" for flag in option.flags]
    names = spelt[0] if len(spelt) == 1 else f"{{{','.join(spelt)}}}"
    return f"{_zsh_quoted(excluded)}{names}{told}"


def _zsh_arguments(command: Command) -> Iterator[str]:
    """Give the arguments; the last one of several of a kind may come again and again."""
    last = len(command.arguments)
    if not last:
        yield "    ':'"
    for number, argument in enumerate(command.arguments, start=1):
        place = "*" if argument.usage.endswith("...]") else f"{number}"
        spec = _zsh_quoted(f"{place}:{_zsh_plain(argument.metavar)}:{_zsh_values(argument)}")
        yield f"    {spec}" if number == last else f"    {spec} \\"


def _zsh_values(one: Option | Argument) -> str:
    from .described import Value

    if one.value is Value.CHOICE:
        return f"({' '.join(one.choices)})"
    return {Value.FILE: "_files", Value.DIRECTORY: "_files -/"}.get(one.value, "")


def _zsh_plain(text: str) -> str:
    return text.replace(":", "\\:")


def _zsh_quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def fish(top: Command) -> str:
    """Return the script for fish."""
    cases = [" ".join([" ".join(command.words[:-1]), command.words[-1]]) for command in top.walk() if command.words]
    known = " ".join(f"'{case}'" for case in cases)
    lines = [_FISH_HEAD.replace("@KNOWN@", known)]
    for command in top.walk():
        lines += _fish_lines(command)
    return "\n".join([*lines, ""])


_FISH_HEAD = """\
# fish completion for samebytes; written by 'samebytes completion fish'

function __samebytes_at --description 'Say whether the command on the line is the one that is named'
    set -l words (commandline -opc)
    set -e words[1]
    set -l found ''
    for word in $words
        switch "$found $word"
            case @KNOWN@
                set found (string trim -- "$found $word")
        end
    end
    test "$found" = "$argv"
end

complete -c samebytes -f"""


def _fish_lines(command: Command) -> Iterator[str]:
    from .described import Value

    here = f"complete -c samebytes -n {_fish_quoted(' '.join(['__samebytes_at', *command.words]))}"
    for below in command.commands:
        yield f"{here} -a {below.words[-1]} -d {_fish_quoted(below.help)}"
    for argument in command.arguments:
        files = argument.value in (Value.FILE, Value.DIRECTORY)
        yield f"{here} -F" if files else f"{here} -a {_fish_quoted(' '.join(argument.choices))}"
    for option in command.options:
        names = [f"-s {flag[1:]}" if len(flag) == 2 else f"-l {flag[2:]}" for flag in option.flags]
        yield " ".join([here, *names, *_fish_value(option), "-d", _fish_quoted(option.help)])


def _fish_value(option: Option) -> Iterable[str]:
    from .described import Value

    choices = ("-x", "-a", _fish_quoted(" ".join(option.choices)))
    return {
        Value.NOTHING: (),
        Value.CHOICE: choices,
        Value.FILE: ("-r", "-F"),
        Value.DIRECTORY: ("-x", "-a", "'(__fish_complete_directories)'"),
        Value.TEXT: ("-x",),
    }[option.value]


def _fish_quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


WRITERS: dict[str, Callable[[Command], str]] = {"bash": bash, "zsh": zsh, "fish": fish}
"""What writes the script for each shell."""
