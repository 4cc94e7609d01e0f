"""Facts about build backends: from which release on what they make has a trait.

``benchmarks/backend_facts.py`` builds with the release before and the first one of each row, and compares.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from packaging.version import Version

from samebytes.artifact.layout import ArtifactKind

PYTHON = "python"
"""In place of a backend: the interpreter that ran it."""
WHEEL, SDIST = ArtifactKind.WHEEL, ArtifactKind.SDIST


@dataclass(frozen=True)
class BackendFact:
    """From which release on a backend gives what it makes a trait."""

    backend: str
    kinds: tuple[ArtifactKind, ...]
    """In what it shows."""
    trait: str
    values: tuple[tuple[str, str], ...]
    """The first release and the value that the trait has from it on; the first of them is of all before, too.

    ``A or B`` where the same release gives the one or the other, as the project's own metadata have it.
    """
    source: str
    """Where the project says so."""

    def value(self, release: Version) -> str:
        """Return the value with *release*."""
        found = self.values[0][1]
        for since, value in self.values:
            if release >= Version(since):
                found = value
        return found

    def gives(self, release: Version, value: str) -> bool:
        """Return whether the trait can have *value* with *release*."""
        return value in self.value(release).split(" or ")


_SETUPTOOLS = "https://setuptools.pypa.io/en/stable/history.html"
_WHEEL = "https://wheel.readthedocs.io/en/stable/news.html"
_FLIT = "https://flit.pypa.io/en/stable/history.html"
_HATCHLING = "https://hatch.pypa.io/latest/history/hatchling/"
_POETRY = "https://github.com/python-poetry/poetry-core/blob/main/CHANGELOG.md"
_CHANGELOG = "https://docs.python.org/3/whatsnew/changelog.html#python-3-9-0-alpha-4"  # bpo-18819
_TARFILE = "https://docs.python.org/3/library/tarfile.html#tarfile.DEFAULT_FORMAT"
_BOTH, _WHEELS, _SDISTS = (WHEEL, SDIST), (WHEEL,), (SDIST,)

# setuptools writes PKG-INFO, which is an sdist's, and of which wheel's command, setuptools' own since 70.1, makes
# METADATA: fields are as the one has them, and requirements and headers of the zip as the other.
FACTS: tuple[BackendFact, ...] = (
    BackendFact("setuptools", _BOTH, "License-File", (("0", "no"), ("57.0.0", "yes")), f"{_SETUPTOOLS}#v57-0-0"),
    BackendFact("setuptools", _SDISTS, "description", (("0", "field"), ("57.0.0", "body")), f"{_SETUPTOOLS}#v57-0-0"),
    BackendFact(
        "setuptools", _BOTH, "Download-URL", (("0", "after authors"), ("60.6.0", "first")), f"{_SETUPTOOLS}#v60-6-0"
    ),
    BackendFact("setuptools", _BOTH, "platform", (("0", "UNKNOWN"), ("62.2.0", "none")), f"{_SETUPTOOLS}#v62-2-0"),
    BackendFact("setuptools", _SDISTS, "Requires-Dist", (("0", "no"), ("68.2.0", "yes")), f"{_SETUPTOOLS}#v68-2-0"),
    BackendFact(
        "setuptools",
        _SDISTS,
        "directory",
        (("0", "as written"), ("69.3.0", "with underscores")),
        f"{_SETUPTOOLS}#v69-3-0",
    ),
    BackendFact("setuptools", _BOTH, "Dynamic", (("0", "no"), ("75.8.0", "yes")), f"{_SETUPTOOLS}#v75-8-0"),
    BackendFact(
        "setuptools",
        _BOTH,
        "metadata version",
        (("0", "1.x or 2.1"), ("56.2.0", "2.1"), ("75.8.0", "2.2"), ("77.0.1", "2.4")),
        f"{_SETUPTOOLS}#v56-2-0",
    ),
    BackendFact(
        "setuptools", _WHEELS, "licenses", (("0", "beside METADATA"), ("77.0.1", "licenses/")), f"{_SETUPTOOLS}#v77-0-0"
    ),
    BackendFact(
        "wheel",
        _WHEELS,
        "mode of RECORD",
        (("0", "100644"), ("0.32.0", "600"), ("0.32.1", "664"), ("0.40.0", "100664")),
        _WHEEL,
    ),
    BackendFact(
        "wheel", _WHEELS, "requirements", (("0", "parenthesized"), ("0.41.1", "spaced"), ("0.44.0", "bare")), _WHEEL
    ),
    # Of what depends on an extra.
    BackendFact("wheel", _WHEELS, "quotes", (("0", "single"), ("0.44.0", "double")), _WHEEL),
    BackendFact("wheel", _WHEELS, "row of RECORD", (("0", "by name"), ("0.32.0", "last")), _WHEEL),
    BackendFact("flit-core", _SDISTS, "directory", (("0", "as written"), ("3.9.0", "with underscores")), _FLIT),
    BackendFact(
        "flit-core",
        _SDISTS,
        "metadata version",
        # 4.0.1 puts no empty line between fields and description, so that there are no fields to be read.
        (("0", "2.1"), ("3.10.0", "2.3"), ("3.11.0", "2.4"), ("4.0.1", "none"), ("4.0.2", "2.5")),
        _FLIT,
    ),
    # Their wheels name the release, their sdists do not.
    BackendFact(
        "hatchling",
        _BOTH,
        "metadata version",
        (("0", "2.1"), ("1.22.0", "2.2"), ("1.22.2", "2.3"), ("1.27.0", "2.4"), ("1.32.0", "2.5")),
        _HATCHLING,
    ),
    BackendFact(
        "hatchling",
        _BOTH,
        "License-File",
        (("0", "no"), ("1.9.0", "yes"), ("1.26.0", "no"), ("1.27.0", "yes")),
        _HATCHLING,
    ),
    BackendFact("poetry-core", _BOTH, "metadata version", (("0", "2.1"), ("2.0.0", "2.3"), ("2.2.0", "2.4")), _POETRY),
    BackendFact("poetry-core", _BOTH, "License-File", (("0", "no"), ("2.2.0", "yes")), _POETRY),
    BackendFact("poetry-core", _SDISTS, "directory", (("0", "as written"), ("1.3.2", "with underscores")), _POETRY),
    # Of whatever packs by tarfile, and the first of what leaves the format to that, as setuptools does.
    BackendFact(PYTHON, _SDISTS, "device numbers", (("0", "zeros"), ("3.9", "none")), _CHANGELOG),
    BackendFact(PYTHON, _SDISTS, "tar format", (("0", "GNU or POSIX"), ("3.8", "POSIX")), _TARFILE),
)


def facts_of(backend: str, kind: ArtifactKind) -> list[BackendFact]:
    """Return the facts about *backend* that show in artifacts of *kind*."""
    return [fact for fact in FACTS if fact.backend == backend and kind in fact.kinds]


def fitting(facts: Sequence[BackendFact], traits: Mapping[str, str], releases: Sequence[Version]) -> list[Version]:
    """Return those of *releases* that give the *traits*, as far as *facts* know, in their order."""
    shown = [fact for fact in facts if fact.trait in traits]
    return [release for release in releases if all(fact.gives(release, traits[fact.trait]) for fact in shown)]
