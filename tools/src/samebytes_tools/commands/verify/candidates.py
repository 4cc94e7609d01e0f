"""Ways to build that are worth a try where the first build did not give what was published, the likeliest first."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Callable

from packaging.utils import canonicalize_name
from packaging.version import Version

from samebytes.artifact.layout import parse_wheel_name
from samebytes.backend.config import load
from samebytes.errors import SamebytesError

from ...building.interpreters import Python
from ...building.requirements import parsed
from ...comparison.model import Comparison
from ...index.client import Index
from ...index.pages import File
from ...index.releases import release_of
from . import imitations
from .attempts import BuildCandidate
from .backend_facts import FACTS, WHEEL, facts_of, fitting
from .metadata import ArtifactMetadata, misfit
from .recover import has_version
from .remake import Made, Recovered
from .traits import (
    ArtifactClues,
    commits,
    compiled_for,
    differing,
    flit_generated_setup,
    names_below_top,
    packages_in,
    read,
    requirement_lists,
    requirements_of,
    top_levels,
    traits,
)

_TOGETHER = {
    "0.34.2": ("45.2.0", "52.0.0"),
    "0.37.1": ("59.6.0",),
    "0.38.4": ("66.1.1",),
    "0.42.0": ("68.1.2",),
    "0.45.1": ("78.1.1",),
}
"""Releases of setuptools that a distribution has beside one of wheel, for builds without isolation.

Ubuntu 20.04, 22.04, 24.04 and Debian 11, 12, 13 (python3-setuptools, python3-wheel in their archives).
"""

_FLIT, _UV_BUILD = "flit_core.buildapi", "uv_build"
_FOR_PYTHON_3_12 = Version("66.1.0")
_VERSION = re.compile(rb"sys\.version_info|python_version(?:_tuple)?\(|sys\.hexversion")
_HOOKS = 1_549_324_800
"""2019-02-05: setuptools 40.8.0, the first that builds a setup.py as front ends do that know nothing else (PEP 517)."""
_OCTOBER_2019 = 1_571_000_000
_A_YEAR = 31_557_600
OLDEST = (3, 8)
"""The first Python that uv installs into; pip's releases of today want a newer one."""


@dataclass(frozen=True)
class BuildClues:
    """What there is to find out from how another build might have been made."""

    published: Path
    made: Made
    """The first build."""
    how: Recovered
    """How that was made."""
    metadata: ArtifactMetadata
    tree: Path
    """The source."""
    backend: str
    """Its build backend."""
    index: Index
    pythons: Callable[[], Sequence[Python]]
    """The interpreters that there are."""
    comparison: Comparison | None = None
    """Of the two."""
    is_from_drive: bool = False
    """Whether the published file has a path of Windows where the other has one of its build."""

    @cached_property
    def there(self) -> ArtifactClues:
        """What the published file shows."""
        return read(self.published)

    @cached_property
    def here(self) -> ArtifactClues:
        """What the one of the first build shows."""
        return read(self.made.path)

    @property
    def installed(self) -> dict[str, str]:
        """The releases that pip installed for the first build, by name."""
        return {canonicalize_name(one.name): one.version for one in self.made.requirements}


def candidates(clues: BuildClues) -> Iterator[BuildCandidate]:
    """Yield ways to build that are worth a try, the likeliest first, none twice.

    All that the artifact shows for certain is done in each of them; they differ in the releases of backends.
    """
    common = dict(_imitations(clues))
    start = clues.how.with_variables(common)
    words = [f"{name}={value}" for name, value in common.items()]
    seen = {_key(clues.how)}
    ways = (_by_uv, _by_script, _by_python, _by_named, _by_releases)
    for candidate in (one for way in ways for one in way(clues, start, words)):
        if _key(candidate.how) not in seen:
            seen.add(_key(candidate.how))
            yield candidate


def _by_uv(clues: BuildClues, start: Recovered, words: Sequence[str]) -> Iterator[BuildCandidate]:
    """Yield a build by the command of uv whose release the wheel names, which asks no index for uv_build."""
    program, _, version = (clues.metadata.generator or "").partition(" ")
    if program != "uv" or clues.backend != _UV_BUILD or clues.installed.get("uv-build") == version:
        return
    if has_version(clues.index, "uv", version):
        how = start.with_variables({imitations.FRONT_END: imitations.UV_BUILD})
        said = [*words, f"{imitations.FRONT_END}={imitations.UV_BUILD}", f"uv {version}"]
        # Nothing is to be installed beside it: the command requires uv itself.
        yield BuildCandidate(", ".join(said), replace(how, pins=(*how.pins, f"uv=={version}")))


def _by_script(clues: BuildClues, start: Recovered, words: Sequence[str]) -> Iterator[BuildCandidate]:
    """Yield a build by ``setup.py`` itself, with the setuptools of then, of what is older than setuptools' hooks."""
    made = clues.metadata.latest
    if made is None or made >= _HOOKS or not clues.backend.startswith("setuptools."):
        return
    of_then = known_releases(clues.index, "setuptools", made)
    # Python 3.10 removed what these releases take from the standard library.
    old = [one for one in (clues.how.python, *pythons_of_then(clues)) if one.minor < (3, 10)]
    if not of_then or not old:
        return
    options = _options(clues) if clues.metadata.kind == WHEEL else ()
    command = imitations.setup_script(options)
    how = _with_release(replace(start, python=old[0]), "setuptools", str(of_then[-1]), clues)
    how = how.with_variables({imitations.FRONT_END: command})
    said = _without_front_end(words)
    said += [f"{imitations.FRONT_END}={command}", f"setuptools {of_then[-1]}"]
    yield BuildCandidate(", ".join([*said, f"Python {old[0].short}"]), how)


def _without_front_end(words: Sequence[str]) -> list[str]:
    return [word for word in words if not word.startswith(f"{imitations.FRONT_END}=")]


def _is_excluded(clues: BuildClues, version: str) -> bool:
    """Return whether the source's ``[build-system]`` does not allow that release of setuptools, and has a setup.py.

    ``setup.py`` runs with any release: pyproject.toml is for front ends.
    """
    if imitations.FRONT_END in clues.how.given or not (clues.tree / "setup.py").is_file():
        return False
    wanted = [one for one in map(parsed, load(clues.tree).requires) if canonicalize_name(one.name) == "setuptools"]
    return any(not one.specifier.contains(version, prereleases=True) for one in wanted)


def _by_releases(clues: BuildClues, start: Recovered, words: Sequence[str]) -> Iterator[BuildCandidate]:
    """Yield builds with other releases of backends, done as *start* besides; that alone, if there are none."""
    for releases in _releases(clues, traits(clues.there), traits(clues.here)):
        how, said = start, list(words)
        if any(name == "setuptools" and _is_excluded(clues, version) for name, version, _ in releases):
            # What is run without hooks needs nothing of what is for them.
            command = imitations.setup_script(_options(clues) if clues.metadata.kind == WHEEL else ())
            how = how.with_variables({imitations.FRONT_END: command})
            said = [*_without_front_end(words), f"{imitations.FRONT_END}={command}"]
        for name, version, why in releases:
            how, said = _with_release(how, name, version, clues), [*said, f"{name} {version}{why}"]
            if name == "setuptools" and Version(version) < _FOR_PYTHON_3_12 and how.python.minor >= (3, 12):
                # Older releases need what Python 3.12 removed; where there is no older Python, they fail.
                older = [one for one in pythons_of_then(clues) if one.minor < (3, 12)]
                how = replace(how, python=older[0]) if older else how
        yield BuildCandidate(", ".join(said), how)


def _by_named(clues: BuildClues, start: Recovered, words: Sequence[str]) -> Iterator[BuildCandidate]:
    """Yield a build with the releases of build requirements that files name, where the first build's name others."""
    named: dict[str, str] = {}
    for finding in (one for node in (clues.comparison.walk() if clues.comparison else ()) for one in node.findings):
        there, here = (side.decode("utf-8", "replace") for side in (finding.evidence.left, finding.evidence.right))
        for name, version in clues.installed.items():
            named_here = re.search(rf"(?i)\b{_spelled(name)}[ =/-]+v?{re.escape(version)}(?![\w.]*\w)", here)
            before = re.escape(named_here[0][: -len(version)]) if named_here else None
            found = before and re.search(rf"(?<![\w.]){before}(\d[\w.!+]*\w|\d)", there)
            if found and found[1] != version and has_version(clues.index, name, found[1]):
                named.setdefault(name, found[1])
    if named:
        how = start
        for name, version in named.items():
            how = _with_release(how, name, version, clues)
        said = [f"{name} {version} (a file names it, not {clues.installed[name]})" for name, version in named.items()]
        yield BuildCandidate(", ".join([*words, *said]), how)


def _spelled(name: str) -> str:
    """Return a pattern for the normalized *name* as it may be written (name normalization)."""
    return "[-_.]".join(map(re.escape, name.split("-")))


def _by_python(clues: BuildClues, start: Recovered, words: Sequence[str]) -> Iterator[BuildCandidate]:
    """Yield builds with another Python, where the artifact shows that what there is depends on it."""
    if clues.metadata.kind == WHEEL and (there := compiled_for(clues.there)):
        why, found = "files are named for it", [one for one in pythons_of_then(clues) if one.short in there]
    else:
        script = clues.tree / "setup.py"
        asks = script.is_file() and _VERSION.search(script.read_bytes())
        required = requirements_of(clues.there)
        # PKG-INFO of older releases of setuptools has none of the requirements.
        if not asks or (clues.metadata.kind != WHEEL and not required) or required == requirements_of(clues.here):
            return
        why, found = "setup.py asks for the version, and requirements differ", pythons_of_then(clues)[:2]
    for python in found:
        yield BuildCandidate(", ".join([*words, f"Python {python.short} ({why})"]), replace(start, python=python))


def pythons_of_then(clues: BuildClues, since: tuple[int, int] = (3, 9)) -> list[Python]:
    """Return the other interpreters that can build it, those nearest to the newest of then first."""
    return nearest(clues.pythons(), clues.how, clues.metadata, since)


def nearest(
    pythons: Iterable[Python], how: Recovered, metadata: ArtifactMetadata, since: tuple[int, int]
) -> list[Python]:
    """Return those of *pythons* that can build an artifact, those nearest to the newest of then first.

    That of *how*, which says when that was, is not among them.
    """
    newest = newest_of_then(how.until)
    found = [one for one in pythons if since <= one.minor and one.short != how.python.short]
    found = [one for one in found if not misfit(metadata, one)]
    # A free-threaded one needs wheels of its own (PEP 703).
    return sorted((one for one in found if not one.free_threaded), key=lambda one: abs(one.minor[1] - newest))


def newest_of_then(until: int | None) -> int:
    """Return the second number of the newest Python at the time *until*; a high one if that is not known."""
    # One came out each October from 2019 on (PEP 602), when it was 3.8; the one of the same year is hardly used yet.
    return 8 + (until - _OCTOBER_2019) // _A_YEAR if until is not None else 99


def _key(how: Recovered) -> str:
    """Return what is the same for two ways to build that differ in nothing."""
    return repr((how.python.short, how.pins, how.beside, sorted(how.given.items())))


def _imitations(clues: BuildClues) -> Iterator[tuple[str, str]]:
    """Yield variables by which the build is one of another system or tree, or by a front end's command."""
    given = clues.how.given
    if imitations.MODES not in given and _can_all_be_executed(clues):
        yield imitations.MODES, "777"
    if (clues.there.is_of_windows or clues.is_from_drive) and imitations.TEXT not in given:
        yield imitations.TEXT, "crlf"
    unknown = top_levels(clues.there) - top_levels(clues.here)
    beside = imitations.directories(unknown - packages_in(clues.there)) if unknown else ""
    if beside and imitations.DIRECTORIES not in given:
        yield imitations.DIRECTORIES, beside
    if _is_sorted_only_there(clues) and imitations.SETUPTOOLS not in given:
        yield imitations.SETUPTOOLS, "debian"
    unnamed = commits(clues.here)
    named = {node for name, node in commits(clues.there).items() if node and unnamed.get(name) == ""}
    if len(named) == 1 and imitations.COMMIT not in given:
        yield imitations.COMMIT, imitations.commit(*named)
    if imitations.FRONT_END in given:
        return
    if clues.metadata.kind == WHEEL:
        options = _options(clues)
        if options:
            yield imitations.FRONT_END, imitations.bdist_wheel(options)
        return
    if clues.backend != _FLIT:
        return
    is_generated = flit_generated_setup(clues.there)
    # The hook takes the module and what pyproject.toml lists; the command takes all that git or Mercurial tracks.
    is_tracked = bool(names_below_top(clues.there) - names_below_top(clues.here) - {"setup.py"})
    if is_generated or is_tracked:
        yield imitations.FRONT_END, imitations.flit_build(generates=is_generated, tracked=is_tracked)


def _can_all_be_executed(clues: BuildClues) -> bool:
    """Return whether all files can be executed in the published one alone: on a file system that has one mode."""
    one, there, here = 0o777, set(clues.there.modes.values()), set(clues.here.modes.values())
    return there == {one} and here != {one} and not clues.there.is_of_windows


def _is_sorted_only_there(clues: BuildClues) -> bool:
    """Return whether requirements are sorted in the published file alone, as Debian's setuptools sorts them."""
    if not clues.backend.startswith("setuptools."):
        return False
    there, here = requirement_lists(clues.there), requirement_lists(clues.here)
    in_order = [sorted(one) for one in there]
    return there == in_order and here != in_order and [sorted(one) for one in here] == in_order


def _options(clues: BuildClues) -> tuple[str, ...]:
    """Return options of bdist_wheel that the name of the published wheel shows, and the other does not."""
    if not clues.backend.startswith("setuptools."):
        return ()
    there, here = (parse_wheel_name(path.name) for path in (clues.published, clues.made.path))
    one, other = there.tags.split("-"), here.tags.split("-")
    if "none" not in (one[1], other[1]) or one[1] != other[1]:
        return ()
    found = [f"--build-number={there.build}"] if there.build and there.build != here.build else []
    if one[0] != other[0]:
        found.append("--universal" if one[0] == "py2.py3" else f"--python-tag={one[0]}")
    return tuple(found)


def _with_release(how: Recovered, name: str, version: str, clues: BuildClues) -> Recovered:
    """Return *how* with that release of the project *name*, which is installed even if nothing requires it."""
    pins = tuple(pin for pin in how.pins if canonicalize_name(parsed(pin).name) != name)
    beside = how.beside if name in clues.installed or name in how.beside else (*how.beside, name)
    return replace(how, pins=(*pins, f"{name}=={version}"), beside=beside)


def _releases(
    clues: BuildClues, there: Mapping[str, str], here: Mapping[str, str]
) -> Iterator[tuple[tuple[str, str, str], ...]]:
    """Yield releases of backends to build with together, as name, version and the reason; the likeliest first."""
    found = [[(name, version, why) for version in versions] for name, versions, why in _of_backends(clues, there, here)]
    if not found:
        yield ()
    for number in range(max(map(len, found), default=0)):
        yield tuple(one[min(number, len(one) - 1)] for one in found)


def _of_backends(
    clues: BuildClues, there: Mapping[str, str], here: Mapping[str, str]
) -> Iterator[tuple[str, list[str], str]]:
    """Yield each backend of which other releases are worth a try, those releases, and why."""
    named = [pin.partition("==")[0] for pin in clues.how.pins if "==" in pin]
    unlike = differing(there, here)
    for name in dict.fromkeys(fact.backend for fact in FACTS):
        # setuptools takes a wheel that is installed beside it, though it requires none any more.
        has_part = name in clues.installed or (name == "wheel" and "setuptools" in clues.installed)
        # An sdist has no Generator: what the wheel's names need not have made it, if it looks otherwise.
        if not has_part or (name in named and clues.metadata.kind == WHEEL):
            continue
        facts = facts_of(name, clues.metadata.kind)
        shown = [fact.trait for fact in facts if fact.trait in unlike]
        releases = fitting(facts, there, known_releases(clues.index, name, clues.how.until))
        versions = [str(one) for one in _likely(clues, name, releases, is_shown=bool(shown))]
        if versions:
            why = ", ".join(f"{trait}: {there[trait]}, not {here[trait]}" for trait in shown)
            yield name, versions, f" ({why})" if why else ""


def _likely(clues: BuildClues, name: str, fitting: Sequence[Version], *, is_shown: bool) -> list[Version]:
    """Return which of the *fitting* releases to try, the likeliest first."""
    # Where the release of wheel was old already, all of the environment was.
    old = next((pin.partition("==")[2] for pin in clues.how.pins if pin.startswith("wheel==")), "")
    replaced = _replaced(clues.index, "wheel", Version(old)) if old and name == "setuptools" else None
    found: list[Version] = []
    if replaced is not None and clues.how.until is not None and replaced < clues.how.until - _A_MONTH:
        found += [version for version in fitting if str(version) in _TOGETHER.get(old, ())]
        of_then = set(known_releases(clues.index, name, replaced))
        found += [version for version in fitting if version in of_then][-1:]
    if not (found or is_shown):
        return []
    return list(dict.fromkeys([*found, *fitting[-1:], *fitting[:1]]))


_A_MONTH = 30 * 86_400


def known_releases(index: Index, name: str, until: int | None) -> list[Version]:
    """Return the final releases of *name* that the index had then, as far as they have a wheel; oldest first.

    There are none where the index cannot be asked: what is known already must not be lost for it.
    """
    found = set()
    for version, file in _final(index, name):
        if file.name.endswith(".whl") and file.yanked is None and (until is None or (file.uploaded or 0) <= until):
            found.add(version)
    return sorted(found)


def _replaced(index: Index, name: str, version: Version) -> int | None:
    """Return when a newer release of *name* came out, in seconds since 1970 UTC; None if none did, or it is unknown."""
    newer = [file.uploaded for release, file in _final(index, name) if release > version]
    return min((time for time in newer if time is not None), default=None)


def _final(index: Index, name: str) -> list[tuple[Version, File]]:
    try:
        files = [(release_of(file.name), file) for file in index.files(name)]
    except SamebytesError:
        return []
    return [(release[1], file) for release, file in files if release and not release[1].is_prerelease]
