"""What argparse's parsers know of a command line."""

from __future__ import annotations

import argparse
from collections.abc import Iterator


def commands(
    parser: argparse.ArgumentParser, words: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], argparse.ArgumentParser]]:
    """Give the words that call each command, without the program's name, and its parser; () is the program's own."""
    yield words, parser
    for name, below in subcommands(parser).items():
        yield from commands(below, (*words, name))


def subcommands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """Return the commands of a parser, by name."""
    return {
        name: below
        for action in parser._actions
        if isinstance(action, argparse._SubParsersAction)
        for name, below in action.choices.items()
    }


def options(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """Return the options of a parser."""
    return [action for action in parser._actions if action.option_strings]


def flags(parser: argparse.ArgumentParser) -> set[str]:
    """Return all spellings of a parser's options."""
    return {flag for option in options(parser) for flag in option.option_strings}
