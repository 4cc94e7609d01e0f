"""Build requirements, and what of them is installed where this process runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib import metadata
from typing import TYPE_CHECKING

from samebytes.errors import BackendError, ConfigError

if TYPE_CHECKING:
    from packaging.requirements import Requirement

_WHERE = "It stands in [build-system] requires, or comes from the backend or its configuration."


def parsed(line: str) -> Requirement:
    """Return the requirement that *line* is.

    :raises ConfigError: if it is malformed (PEP 508).
    """
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        return Requirement(line)
    except InvalidRequirement as error:
        raise ConfigError(f"the build requirement {line!r} is malformed: {error}", remedy=_WHERE) from None


def applies(requirement: Requirement) -> bool:
    """Return whether *requirement* is one for this interpreter.

    :raises ConfigError: if its marker compares what cannot be compared, or names what only lock files have.
    """
    try:
        # packaging before 22 raises where a marker asks for an extra and none is given.
        return requirement.marker is None or requirement.marker.evaluate({"extra": ""})
    except (ValueError, LookupError) as error:
        raise ConfigError(
            f"the marker of the build requirement {str(requirement)!r} cannot be evaluated: {error}", remedy=_WHERE
        ) from None


def without_samebytes(lines: Iterable[str]) -> list[str]:
    """Return requirement *lines*, each once, but for samebytes itself: it does its work from outside.

    What its extras bring stays, and so does what is malformed, for pip may take it nevertheless. What is for an extra
    alone (flit names it among what a build requires) is left out: pip would be run to install nothing.
    """
    found: list[str] = []
    for line in lines:
        if _is_for_an_extra(line):
            continue
        found += _of_extras(line) if _is_samebytes(line) else [line]
    return list(dict.fromkeys(found))


def demand(lines: Sequence[str], python: str) -> None:
    """Check that what requirement *lines* ask for, and what that requires, is installed for *python*, which runs this.

    :raises ConfigError: if a line is malformed.
    :raises BackendError: if something is missing or of another version; all of it is named.
    """
    from build import check_dependency

    # Through parsed and applies, for our own error: `build` raises those of packaging.
    wanted = [one for one in map(parsed, lines) if applies(one)]
    chains = [chain for one in wanted for chain in check_dependency(str(one))]
    if chains:
        raise BackendError(
            f"the build needs what {python} does not have:\n" + "\n".join(dict.fromkeys(map(_lacking, chains))),
            remedy="Install that, build without --no-isolation, or go on with --skip-dependency-check.",
        )


def _lacking(chain: Sequence[str]) -> str:
    *needers, line = chain
    try:
        found = f"{metadata.version(parsed(line).name)} is installed"
    except metadata.PackageNotFoundError:
        found = "not installed"
    return f"{line} ({found}{', needed by ' + needers[-1] if needers else ''})"


def _is_for_an_extra(line: str) -> bool:
    """Return whether *line* holds for an extra of the project only, whatever the interpreter."""
    try:
        requirement = parsed(line)
        marker = str(requirement.marker or "")
        # With "or", it may hold without the extra on another interpreter.
        return "extra ==" in marker and " or " not in marker and not applies(requirement)
    except ConfigError:
        return False


def _is_samebytes(line: str) -> bool:
    from packaging.utils import canonicalize_name

    try:
        return canonicalize_name(parsed(line).name) == "samebytes"
    except ConfigError:
        return False


def _of_extras(line: str) -> list[str]:
    """Return what the extras that *line* asks of samebytes require; the line itself if that is unknown."""
    requirement = parsed(line)
    if not requirement.extras or not applies(requirement):
        return []
    try:
        all_of_them = [parsed(text) for text in metadata.requires("samebytes") or ()]
    except metadata.PackageNotFoundError:  # run from plain files
        return [line]
    wanted = [one for one in all_of_them if not applies(one) and _is_of(one, requirement.extras)]
    for one in wanted:
        # It holds now, but pip would evaluate it without the extra, and leave it out.
        one.marker = None
    return without_samebytes(map(str, wanted))


def _is_of(requirement: Requirement, extras: Iterable[str]) -> bool:
    marker = requirement.marker
    return marker is not None and any(marker.evaluate({"extra": extra}) for extra in extras)
