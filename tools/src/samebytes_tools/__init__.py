"""The workshop around samebytes: builds, checks, comparisons, verification, installs, surveys.

Nothing here is needed to build a package that uses samebytes as its backend.
"""

from __future__ import annotations

__all__ = ["COMMANDS", "__version__"]

__version__ = "0.1.0"

_HERE = "samebytes_tools.commands"

COMMANDS = {
    "build": f"{_HERE}.reproducible_build.command:add_parser",
    "check": f"{_HERE}.check.command:add_parser",
    "compare": f"{_HERE}.compare.command:add_parser",
    "completion": f"{_HERE}.completion.command:add_parser",
    "install": f"{_HERE}.install.command:add_parser",
    "survey": f"{_HERE}.survey.command:add_parser",
    "tree": f"{_HERE}.tree.command:add_parser",
    "unwrap": f"{_HERE}.wrap.command:add_parser",
    "verify": f"{_HERE}.verify.command:add_parser",
    "wrap": f"{_HERE}.wrap.command:add_parser",
}
"""The entry points of tools/pyproject.toml (a test holds the two together), for who runs this from plain files."""
