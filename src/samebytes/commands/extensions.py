"""Commands that other distributions add, as samebytes-tools does, by the entry-point group ``samebytes.commands``.

An entry point is named as its command, and gives the function that adds the command to the parser. One with the name of
a command of samebytes itself takes its place: samebytes-tools' ``check`` does all that samebytes' does, and more.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING

from ..errors import MissingExtraError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "samebytes.commands"

INSTALL = "pip install 'samebytes[tools]'"
"""The one command that brings samebytes-tools."""


def installed() -> dict[str, EntryPoint]:
    """Return the entry points of all commands that are installed, by name."""
    # It costs 20 ms, which the commands of samebytes itself do not pay.
    from importlib.metadata import EntryPoint, entry_points

    # Python 3.9 has no parameter for the group, and gives a dictionary.
    found = entry_points(group=GROUP) if sys.version_info >= (3, 10) else entry_points().get(GROUP, ())
    commands = {each.name: each for each in found}
    try:
        from samebytes_tools import COMMANDS
    except ModuleNotFoundError:
        return commands
    # From plain files, as distributions bootstrap, there is no metadata that would list the entry points.
    return {**{name: EntryPoint(name, value, GROUP) for name, value in COMMANDS.items()}, **commands}


def missing(what: str) -> MissingExtraError:
    """Return the error for *what*, which needs samebytes-tools where that is not installed."""
    return MissingExtraError(f"{what} needs samebytes-tools, which is not installed", remedy=f"Run: {INSTALL}")


def tools_api(name: str) -> ModuleType:
    """Return the module that has the public *name* of the Python API.

    :raises MissingExtraError: if samebytes-tools is not installed.
    """
    try:
        from samebytes_tools import api
    except ModuleNotFoundError as error:
        if error.name != "samebytes_tools":  # a dependency of it is missing: another fault, which is to be seen
            raise
        raise missing(f"samebytes.{name}") from None
    return api
