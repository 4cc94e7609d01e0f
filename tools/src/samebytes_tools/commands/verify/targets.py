"""What is to be verified: files and releases that are named, and all that a list of releases has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Callable

from samebytes.artifact.layout import ArtifactKind, parse_wheel_name
from samebytes.errors import ConfigError, SamebytesError, UsageError

from ...building.interpreters import Python
from ...building.pylock import refuse_elsewhere
from ...index.client import Index
from ...index.releases import NAME, form_of
from ...releases import formats, lock_files, requirements_file
from ...releases.formats import ListFormat
from ...releases.listed import ListedRelease, environment_of, shown
from ...releases.selection import Selection, is_comparable
from ...releases.variables import Variables
from . import installed_files, published
from .image import pythons_for
from .metadata import foreign
from .verify import VerifyRequest

_LONGEST = 250
"""Characters of a name and version; file systems take 255."""


@dataclass(frozen=True)
class VerifyTarget:
    """One of many things to verify."""

    label: str
    """What it is called in reports."""
    request: VerifyRequest | None = None
    """None for what is not verified, and then it says why."""
    skipped: str = ""
    error: SamebytesError | None = None


def is_list(text: str) -> bool:
    """Return whether *text* names a list of releases: a lock file, or a virtual environment.

    :raises UsageError: if it is a directory or a text that is none.
    """
    path = Path(text)
    if path.is_dir():
        _demand_environment(path)
        return True
    if not path.is_file() or text.endswith((".whl", ".tar.gz")):
        return False
    if not formats.may_be_list(path):
        return False
    if formats.is_requirements(path):
        raise UsageError(f"{text} may be a requirements file", remedy=f"Name it by -r: samebytes verify -r {text}")
    return True


def _demand_environment(path: Path) -> None:
    if not installed_files.is_environment(path):
        raise UsageError(
            f"{path} is a directory, and not a virtual environment: it has no pyvenv.cfg",
            remedy="Name a virtual environment, or the files in it.",
        )


def of_list(
    path: Path, common: VerifyRequest, python: Python, variables: Mapping[str, str]
) -> tuple[list[VerifyTarget], tuple[str, ...]]:
    """Return what the list or virtual environment *path* has, and notes on what of it is not honoured.

    :param common: what is asked of all.
    :param python: the interpreter that markers are evaluated for.
    :param variables: those that a requirements file may name.
    :raises ConfigError: if it cannot be read.
    :raises UsageError: if it is neither.
    """
    if path.is_dir():
        _demand_environment(path)
        return _targets(installed_files.read(path), common), ()
    environment = environment_of(python)
    kind, document = formats.recognized(path)
    if kind is not ListFormat.REQUIREMENTS:
        _refuse_elsewhere(document, path, environment, python.version)
    if kind is ListFormat.PYLOCK:
        return _targets(lock_files.read_pylock(path, document, environment, python.version), common), ()
    if kind is ListFormat.UV_LOCK:
        return _targets(lock_files.read_uv_lock(path, document, environment), common), ()
    named = Variables(variables)
    found = requirements_file.read(path, environment, named)
    # An index is asked, whatever the list says; who reads the result may take its files from elsewhere.
    links = [f"{path}: wheels of --find-links are not looked at, but those of the index"] if found.links else []
    offline = [f"{path}: --no-index does not hold: published files are verified"] if found.is_offline else []
    # Nothing was verified, and whoever reads "0 entries" in a log may take it for a success.
    empty = [] if found.entries else [f"{path} names no package"]
    # The index is shown in reports and kept in states.
    entries = [
        replace(entry, index=named.shown(entry.index), notes=(*entry.notes, *_further(entry, named)))
        for entry in found.entries
    ]
    return _targets(entries, common), (*found.notes, *links, *offline, *empty)


def _refuse_elsewhere(document: Mapping[str, Any], path: Path, environment: Mapping[str, str], python: str) -> None:
    """Refuse a lock file that is for other interpreters: files for *python* would be held against it in vain."""
    # PEP 751 has this of tools that install; supported-markers is how uv.lock calls its environments.
    environments = document.get("environments", document.get("supported-markers", []))
    try:
        refuse_elsewhere({**document, "environments": environments}, path, environment, python)
    except ConfigError as error:
        raise ConfigError(
            error.message, remedy="Name an interpreter that it is for, with --python; or lock for this one, too."
        ) from None


def _further(entry: ListedRelease, variables: Variables) -> list[str]:
    places = [shown(variables.shown(place)) for place in entry.further_indexes]
    return [f"the list may take it from {', '.join(places)}, too, which was not asked"] if places else []


def of_all_files(release: str, common: VerifyRequest, python: Python, index: Callable[[], Index]) -> list[VerifyTarget]:
    """Return every file of *release* (``NAME==VERSION``), those for other platforms with the reason why not.

    :raises SamebytesError: if there is no such release.
    """
    found = published.RELEASE.fullmatch(release)
    if found is None:
        raise UsageError(f"{release} is not a release, of which --all could be verified", remedy="Name NAME==VERSION.")
    targets = []
    for file in published.of_release(index(), found[1], found[2]):
        form = form_of(file.name)
        if common.selection.kind in (None, ArtifactKind.SDIST if form else ArtifactKind.WHEEL):
            # Why is in its name.
            tags = "" if form else parse_wheel_name(file.name).tags
            builders = pythons_for(common.image, tags, python)
            skipped = "not for this platform" if all(foreign(file.name, one) for one in builders) else ""
            if form and not is_comparable(file):
                skipped = f"sdists in {form} form are only taken as sources"
            request = replace(common, target=release, selection=Selection(file=file.name))
            targets.append(VerifyTarget(file.name, None if skipped else request, skipped))
    if common.selection.kind is None:
        others = published.other_files(index(), found[1], found[2])
        targets += [VerifyTarget(file.name, skipped="it is neither a wheel nor an sdist") for file in others]
    return targets


def _targets(entries: Iterable[ListedRelease], common: VerifyRequest) -> list[VerifyTarget]:
    """Return a target for each of *entries*, once for those that are there twice."""
    found: dict[object, VerifyTarget] = {}
    for entry in entries:
        target = VerifyTarget(entry.label, skipped=entry.skipped, error=entry.error)
        if not entry.skipped and entry.error is None:
            # Else it could be the path of a file, which is not held against the index and its hashes.
            if len(entry.target) > _LONGEST or not NAME.fullmatch(entry.target):
                problem = ConfigError("it is not the name and version of a release", remedy="Correct the list.")
                target = replace(target, error=problem)
            else:
                target = replace(target, request=_request(entry, common))
        place = entry.index, entry.installed  # the same may be installed twice, and one of them changed
        found.setdefault((entry.label, entry.selection, entry.skipped, str(entry.error or ""), place), target)
    return list(found.values())


def _request(entry: ListedRelease, common: VerifyRequest) -> VerifyRequest:
    kind = common.selection.kind
    selection, installed = entry.selection, entry.installed
    if installed is not None and kind == ArtifactKind.SDIST:
        selection, installed = Selection(), None  # what is installed is a wheel, by its tags and its files
    selection = replace(selection, kind=kind or selection.kind)
    return replace(
        common,
        target=entry.target,
        selection=selection,
        index=entry.index,
        notes=entry.notes,
        installed=installed,
    )


def described(target: VerifyTarget) -> Mapping[str, object]:
    """Return all that decides what verifying *target* shows, but for the circumstances, for JSON."""
    request = target.request
    if request is None:
        return {"label": target.label}
    selection = request.selection
    given: Sequence[tuple[str, object]] = (
        ("label", target.label),
        ("target", request.target),
        ("kind", selection.kind and selection.kind.value),
        ("file", selection.file),
        ("tag", selection.tag),
        ("tags", sorted(selection.tags)),
        ("hashes", sorted(selection.hashes)),
        ("index", request.index),
        ("source", request.source),
        ("from_vcs", request.from_vcs),
        ("python", request.python),
        ("locked", request.locked and request.locked.read_text("utf-8", "replace")),
        ("settings", dict(request.config_settings)),
        ("variables", dict(request.variables)),
        ("output", request.output and str(request.output)),
        ("attempts", request.attempts),
        ("image", request.image and [request.image.name, request.image.engine]),
        ("installed", request.installed and installed_files.digest(request.installed)),
    )
    return dict(given)
