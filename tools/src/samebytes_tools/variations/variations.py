"""What can be varied between two builds of one source, and which of it is wanted: ``--vary`` as reprotest has it."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import NamedTuple

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
    Variation("locales", "C.UTF-8", "of those installed the most unlike, or plain C", "sorting, messages, encodings"),
    Variation("hash-seed", "PYTHONHASHSEED=1", "PYTHONHASHSEED=4242", "order of sets"),
    Variation(
        "time", "now", "403 days and some hours later", "dates; of programs other than Python and gcc, by libfaketime"
    ),
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


class Obstacle(NamedTuple):
    """Why something cannot be varied."""

    why: str
    package: str = ""
    """What is to be installed so that it can, as Debian calls it; empty where that does not help."""
    brief: str = ""
    """What the one line of a report has in brackets; empty for the name of the variation alone."""
    is_partial: bool = False
    """Whether it is varied all the same, by less than it should be."""
    advice: str = ""
    """What else changes it, as a request."""


_NAMED = 3
"""How many of the variations that are left out by choice are named in a line."""

_NAMES_OF_FEDORA = {"locales-all": "glibc-all-langpacks"}


def remedy(obstacles: Iterable[Obstacle]) -> str:
    """Return the command that installs what *obstacles* name, on this system; empty if that changes nothing."""
    packages = sorted({obstacle.package for obstacle in obstacles if obstacle.package})
    is_root = getattr(os, "geteuid", lambda: 1)() == 0
    installer = next(filter(shutil.which, ("apt-get", "dnf")), "")
    # Its package on PyPI has the library for this machine alone.
    if packages == ["libfaketime"] and platform.machine() == "x86_64" and not (is_root and installer):
        return "pip install libfaketime"
    if not installer:
        return f"install {', '.join(packages)}" if packages else ""
    names = [_NAMES_OF_FEDORA.get(package, package) if installer == "dnf" else package for package in packages]
    return f"{'' if is_root else 'sudo '}{installer} install {' '.join(names)}" if names else ""


def not_varied(obstacles: Mapping[str, Obstacle], by_choice: Sequence[str] = ()) -> str:
    """Return in one line what is not varied, and the command that changes it; empty if everything is.

    :param obstacles: by the names of the variations that are wanted.
    :param by_choice: the names of those that are not.
    """
    # First what stays as it is, so that the command follows what it is for.
    ordered = sorted(obstacles.items(), key=lambda item: bool(item[1].package))
    named = [f"{name} ({each.brief})" if each.brief else name for name, each in ordered]
    if by_choice:
        more = f" and {len(by_choice) - _NAMED} more" if len(by_choice) > _NAMED else ""
        named.insert(0, f"{', '.join(by_choice[:_NAMED])}{more} (by choice)")
    command = remedy(obstacles.values())
    return f"not varied: {', '.join(named)}" + (f"; to vary more: {command}" if command else "") if named else ""


def demand(names: Collection[str], obstacles: Mapping[str, Obstacle]) -> None:
    """Raise an error if something of *names* cannot be varied.

    :raises UsageError: with what to do about it.
    """
    refused = {name: obstacles[name] for name in NAMES if name in names and name in obstacles}
    if refused:
        why = "; ".join(f"{name} cannot be varied here: {obstacle.why}" for name, obstacle in refused.items())
        advice = [remedy(refused.values()), *(obstacle.advice for obstacle in refused.values())]
        text = "; ".join(filter(None, advice))
        without = f"do not require {', '.join(refused)}."
        raise UsageError(why, remedy=f"{text}; or {without}" if text else without.capitalize())


@dataclass(frozen=True)
class VariationChoice:
    """What is to be varied."""

    wanted: frozenset[str] = frozenset(NAMES)
    demanded: frozenset[str] = frozenset()
    """What is required: an error where that cannot be varied."""

    def applicable(self, obstacles: Mapping[str, Obstacle]) -> frozenset[str]:
        """Return what of it can be varied.

        :param obstacles: why variations cannot be applied, by their names.
        :raises UsageError: if something that is required cannot.
        """
        demand(self.demanded, obstacles)
        return self.wanted - {name for name, obstacle in obstacles.items() if not obstacle.is_partial}

    def left_out(self, obstacles: Mapping[str, Obstacle]) -> dict[str, Obstacle]:
        """Return what of it cannot be varied, and why."""
        return {name: obstacle for name, obstacle in obstacles.items() if name in self.wanted}


def choice(
    given: Sequence[str], required: Sequence[str] = (), before: VariationChoice = VariationChoice()
) -> VariationChoice:
    """Read the arguments of ``--vary``: all variations, less those with a minus, and again those with a plus.

    ``-all,+umask`` is umask alone. A name without a sign has a plus. Reprotest's names are known, too, and the
    singular of names.

    :param required: the arguments of ``--require``: names that are as if they had a plus; ``all`` is what is varied.
    :param before: what was chosen elsewhere, and holds as far as it is not changed.
    :raises UsageError: for an unknown name.
    """
    wanted, demanded = set(before.wanted), set(before.demanded)
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
    for item in (part.strip() for text in required for part in text.split(",")):
        if item:
            name = _name(item, item)
            demanded |= wanted if name == _EVERYTHING else {name}
    wanted |= demanded
    return VariationChoice(frozenset(wanted), frozenset(demanded))


def _name(text: str, item: str) -> str:
    if text == _EVERYTHING:
        return text
    # reprotest writes underscores, and people write either.
    name = ALIASES.get(text, ALIASES.get(text.replace("-", "_"), text.replace("_", "-")))
    for candidate in (name, f"{name}s"):
        if candidate in NAMES:
            return candidate
    near = get_close_matches(name, NAMES, n=1)
    raise UsageError(
        f"{item!r} is not the name of a variation",
        remedy=(f"Did you mean {near[0]!r}? " if near else "") + "'samebytes check --list' shows them all.",
    )
