"""The command line as values: what shell completion, the manual page and the reference are written from.

It is read from the parsers, so that none of the three can say something else than they do. argparse's own layout is not
used, for it differs between releases of Python.
"""

from __future__ import annotations

import argparse
import enum
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_DIRECTORIES = {"DIR", "ROOT"}
_FILES = {"FILE", "WHAT", "SRC", "PATH", "PYTHON"}
_COUNTS = {None: "{}", "?": "[{}]", "*": "[{} ...]", "+": "{} [{} ...]"}
_OF_THIS_MACHINE = ", %(default)s"
"""How the help of --jobs ends: with the number of processors here, which is no part of a description."""


class Value(enum.Enum):
    """What an option or an argument takes."""

    NOTHING = "nothing"
    CHOICE = "choice"
    FILE = "file"
    """Or a directory."""
    DIRECTORY = "directory"
    TEXT = "text"


@dataclass(frozen=True)
class Option:
    """An option of a command."""

    flags: tuple[str, ...]
    """Its spellings, the short one first."""
    metavar: str
    help: str
    value: Value
    choices: tuple[str, ...] = ()
    is_repeatable: bool = False

    @property
    def term(self) -> str:
        """The spellings, and what follows the last: ``-o, --output DIR``."""
        return " ".join(filter(None, [", ".join(self.flags), self.metavar]))


@dataclass(frozen=True)
class Argument:
    """An argument of a command, by its place."""

    metavar: str
    usage: str
    """With how many there may be: ``[SRC]``, ``DIR [DIR ...]``."""
    help: str
    value: Value
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Group:
    """Options under one heading."""

    title: str
    options: tuple[Option, ...]


@dataclass(frozen=True)
class Command:
    """A command, with the commands that it has itself."""

    words: tuple[str, ...]
    """Those that call it, without the program's name: ``("tree", "fix")``."""
    help: str
    """In one line."""
    description: str
    epilog: str
    groups: tuple[Group, ...]
    arguments: tuple[Argument, ...]
    commands: tuple[Command, ...]

    @property
    def options(self) -> tuple[Option, ...]:
        """All options, of all groups."""
        return tuple(option for group in self.groups for option in group.options)

    @property
    def name(self) -> str:
        """What calls it: ``samebytes tree fix``."""
        return " ".join(["samebytes", *self.words])

    @property
    def usage(self) -> str:
        """How it is called, in one line."""
        rest = ["COMMAND ..."] if self.commands else [argument.usage for argument in self.arguments]
        return " ".join([self.name, "[OPTION ...]", *rest])

    def walk(self) -> Iterator[Command]:
        """Give this command and all below it."""
        yield self
        for command in self.commands:
            yield from command.walk()


def described(parser: argparse.ArgumentParser, words: tuple[str, ...] = (), summary: str = "") -> Command:
    """Return what *parser* takes; *words* call it, and *summary* is its line in the list of commands."""
    groups = [
        Group(_title(parser, group), tuple(_option(each) for each in group._group_actions if each.option_strings))
        for group in parser._action_groups
    ]
    plain = [each for each in parser._actions if not each.option_strings]
    below = [each for each in plain if isinstance(each, argparse._SubParsersAction)]
    return Command(
        words=words,
        help=summary,
        description=parser.description or "",
        epilog=parser.epilog or "",
        groups=tuple(group for group in groups if group.options),
        arguments=tuple(_argument(each) for each in plain if each not in below),
        commands=tuple(command for each in below for command in _below(each, words)),
    )


def _below(action: argparse._SubParsersAction[argparse.ArgumentParser], words: tuple[str, ...]) -> Iterator[Command]:
    for row in action._choices_actions:
        yield described(action.choices[row.dest], (*words, row.dest), row.help or "")


def _title(parser: argparse.ArgumentParser, group: argparse._ArgumentGroup) -> str:
    # "optional arguments" before Python 3.10
    return "options" if group is parser._optionals else group.title or ""


def _option(action: argparse.Action) -> Option:
    if action.nargs == 0:
        return Option(tuple(action.option_strings), "", _help(action), Value.NOTHING)
    choices = _choices(action)
    metavar = str(action.metavar or "|".join(choices) or action.dest.upper())
    repeatable = isinstance(action, argparse._AppendAction)
    value = _value(action, metavar)
    return Option(tuple(action.option_strings), metavar, _help(action), value, choices, repeatable)


def _argument(action: argparse.Action) -> Argument:
    choices = _choices(action)
    metavar = str(action.metavar or "|".join(choices) or action.dest)
    usage = _COUNTS[action.nargs if isinstance(action.nargs, str) else None].replace("{}", metavar)
    return Argument(metavar, usage, _help(action), _value(action, metavar), choices)


def _choices(action: argparse.Action) -> tuple[str, ...]:
    return tuple(map(str, action.choices or ()))


def _value(action: argparse.Action, metavar: str) -> Value:
    if action.choices:
        return Value.CHOICE
    kinds = set(metavar.split("|"))
    if kinds <= _DIRECTORIES:
        return Value.DIRECTORY
    return Value.FILE if action.type is Path or kinds & (_FILES | _DIRECTORIES) else Value.TEXT


def _help(action: argparse.Action) -> str:
    text = (action.help or "").replace(_OF_THIS_MACHINE, "")
    return text % {**vars(action), "prog": "samebytes"}
