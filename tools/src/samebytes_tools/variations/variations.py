"""What can be varied between two builds of one source, and which of it is wanted: ``--vary`` as reprotest has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from samebytes.errors import UsageError

OTHER_HOST = "a-host-of-another-name"


@dataclass(frozen=True)
class Variation:
    """One thing that differs between the two builds."""

    name: str
    first: str
    """What the first build has, in a few words; as the second, where the variation is switched off."""
    second: str
    why: str
    """Where it shows in artifacts."""
    alias: str = ""
    """What reprotest calls it, if that is not the name."""


ALL = (
    Variation(
        "build-path", "a short path", "a long one, four directories deeper", "paths in compiled code", "build_path"
    ),
    Variation(
        "temp", "a short TMPDIR", "a longer one, and the build environment in it", "temporary names in what is built"
    ),
    Variation("home", "an empty HOME", "another one", "configuration and caches of the one who builds"),
    Variation("user", "USER is ada", "USER is somebody-else", "names in generated files", "user_group"),
    Variation("host", "this host's name", f"the host name {OTHER_HOST}", "names in generated files", "domain_host"),
    Variation("umask", "022", "077, for the files of the tree too", "modes of members"),
    Variation("owner", "you own the tree", "uid and gid 12345 do", "owners of members"),
    Variation("mtimes", "as in the source", "2017, each file another, with fractions", "times of members"),
    Variation(
        "file-order",
        "files written in the order of their names",
        "in the reverse, or shown so by disorderfs",
        "order of members",
        "fileordering",
    ),
    Variation("timezone", "TZ=UTC", "13 hours and 45 minutes west", "local times"),
    Variation("locales", "C.UTF-8", "another that is installed, or plain C", "sorting, messages, encodings"),
    Variation("hash-seed", "PYTHONHASHSEED=1", "PYTHONHASHSEED=4242", "order of sets"),
    Variation("time", "now", "400 days and some hours later", "dates; needs libfaketime"),
    Variation("processors", "all processors", "one", "order in which parallel steps end", "num_cpus"),
    Variation("parallelism", "MAKEFLAGS and the like are 1", "they are 3", "order in which parallel steps end"),
    Variation("terminal", "80 columns, dumb", "201 columns, colours", "texts that are laid out for a terminal"),
    Variation("exec-path", "PATH as it is", "an empty directory at its end", "PATH in generated files", "exec_path"),
    Variation("leftovers", "a fresh tree", "one in which it was built before", "stale build/, dist/, .egg-info"),
    Variation("checkout", "a git checkout", "the files alone, without .git", "versions and lists of files from git"),
)
"""In the order in which they are listed."""

NAMES = tuple(variation.name for variation in ALL)

ALIASES = {variation.alias: variation.name for variation in ALL if variation.alias}


_EVERYTHING = "all"


@dataclass(frozen=True)
class VariationChoice:
    """What is to be varied."""

    wanted: frozenset[str] = frozenset(NAMES)
    demanded: frozenset[str] = frozenset()
    """What was named with a plus: an error where that cannot be varied."""

    def applicable(self, obstacles: Mapping[str, str]) -> frozenset[str]:
        """Return what of it can be varied.

        :param obstacles: why variations cannot be applied, by their names.
        :raises UsageError: if something that was demanded cannot.
        """
        for name in sorted(self.demanded & set(obstacles)):
            raise UsageError(
                f"{name} cannot be varied here: {obstacles[name]}",
                remedy="'samebytes check --list' shows what can be varied on this machine.",
            )
        return self.wanted - set(obstacles)

    def left_out(self, obstacles: Mapping[str, str]) -> dict[str, str]:
        """Return what of it cannot be varied, and why."""
        return {name: why for name, why in obstacles.items() if name in self.wanted}


def choice(given: Sequence[str]) -> VariationChoice:
    """Read the arguments of ``--vary``: all variations, less those with a minus, and again those with a plus.

    ``-all,+umask`` is umask alone. A name without a sign has a plus. Reprotest's names are known, too.

    :raises UsageError: for an unknown name.
    """
    wanted = set(NAMES)
    demanded: set[str] = set()
    for item in (part.strip() for text in given for part in text.split(",")):
        if not item:
            continue
        name = _name(item.lstrip("+-"), item)
        names = set(NAMES) if name == _EVERYTHING else {name}
        if item.startswith("-"):
            wanted -= names
            demanded -= names
        else:
            wanted |= names
            # "all" demands nothing: there is no machine where everything can be varied.
            demanded |= names if name != _EVERYTHING else set()
    return VariationChoice(frozenset(wanted), frozenset(demanded))


def _name(text: str, item: str) -> str:
    if text == _EVERYTHING:
        return text
    # reprotest writes underscores, and people write either.
    name = ALIASES.get(text, ALIASES.get(text.replace("-", "_"), text.replace("_", "-")))
    if name in NAMES:
        return name
    near = get_close_matches(name, NAMES, n=1)
    raise UsageError(
        f"{item!r} is not the name of a variation",
        remedy=(f"Did you mean {near[0]!r}? " if near else "") + "'samebytes check --list' shows them all.",
    )
