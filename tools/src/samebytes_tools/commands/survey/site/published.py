"""Published files that were rebuilt, as pages show them: what can be said of a package, and how each file was built."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from samebytes.epoch import format_date

from ....comparison.model import Evidence, Verdict
from ....reporting.evidence import Parted, parted
from ..model import NOT_REBUILT, PUBLISHED, Examination, Rebuild, RebuildTally, Run
from . import addresses
from .rendering import cut
from .results import DIFFERENT, FAILED, IDENTICAL, NORMALIZED, PAYLOAD, Outcome

MOST_REQUIREMENTS = 200
"""Of a record that are shown."""


class RebuiltStanding(NamedTuple):
    """What can be said of a package's published files in a word."""

    key: str
    label: str
    sentence: str
    colour: str
    """What the label stands on in a badge: dark enough for white text (WCAG 2.2, 1.4.3)."""


SAME = RebuiltStanding(
    "identical",
    "identical",
    "Every file that was tried came out again, byte for byte, from the release's sdist.",
    "#116329",
)
ALIKE = RebuiltStanding(
    "normalized",
    "same after normalization",
    "Every file that was tried came out again from the release's sdist, byte for byte or but for its container.",
    "#0b5a75",
)
OTHER = RebuiltStanding("different", "different", "A file came out otherwise from the release's sdist.", "#8a4600")
NOTHING = RebuiltStanding("not-rebuilt", "not rebuilt", "A file could not be built again.", "#5c636b")
NOT_TRIED = NOTHING._replace(sentence="Nobody has tried to build its published files again yet.")
NOT_HAD = NOTHING._replace(sentence="None of its published files could be had.")

STANDINGS = (SAME, ALIKE, OTHER, NOTHING)

_OUTCOMES = {
    Verdict.IDENTICAL.value: IDENTICAL,
    Verdict.NORMALIZED.value: NORMALIZED,
    Verdict.PAYLOAD.value: PAYLOAD,
    NOT_REBUILT: FAILED._replace(short=NOT_REBUILT, label=NOT_REBUILT),
}


def outcome(rebuild: Rebuild) -> Outcome:
    """Return what became of a published file; what this samebytes has no word for is different."""
    return _OUTCOMES.get(rebuild.state, DIFFERENT)


def standing(verified: Examination | None) -> RebuiltStanding:
    """Return what the worst of a package's files says; what differs comes before what could not be built.

    :param verified: its newest examination that rebuilt files; None if there is none.
    """
    if verified is None:
        return NOT_TRIED
    keys = {outcome(one).key for one in verified.rebuilds}
    if not keys:
        return NOT_HAD
    if keys & {"different", "payload"}:
        return OTHER
    return NOTHING if "failed" in keys else ALIKE if "normalized" in keys else SAME


def tallies(rebuilt: Sequence[tuple[str, RebuildTally]]) -> list[tuple[str, RebuildTally]]:
    """Return the kinds of which a file was tried, for people, with how many came out how."""
    names = {"pure wheel": "Pure wheels", "sdist": "Sdists", "platform wheel": "Platform wheels"}
    return [(names.get(kind, kind), tally) for kind, tally in rebuilt if tally.tried]


def cells(verified: Examination) -> list[Outcome | None]:
    """Return what became of the file of each kind; None where there is none."""
    found = {one.kind: outcome(one) for one in verified.rebuilds}
    return [found.get(kind) for kind in PUBLISHED]


class PublishedPlace(NamedTuple):
    """Where a cause was found, and what stands there in what was published and what was rebuilt."""

    code: str
    member: str
    where: str
    number: int
    """In how many places it was found."""
    sides: tuple[Parted, Parted]


def places(rebuild: Rebuild) -> Iterator[PublishedPlace]:
    """Give what differs, a cause at a time."""
    for hit in rebuild.causes:
        left, right = (cut(text).encode("utf-8", "surrogatepass") for text in (hit.left, hit.right))
        yield PublishedPlace(hit.code, hit.member, hit.where, hit.count, parted(Evidence(hit.where, left, right)))


def facts(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what a record says of how a file was built, in a few lines; it may be of any form."""
    definition = _at(record, "predicate", "buildDefinition")
    python = next((one for one in _dependencies(record) if one.get("name") == "python"), {})
    variables = _at(definition, "internalParameters", "environment")
    method = _at(definition, "externalParameters").get("method")
    date = str(variables.get("SOURCE_DATE_EPOCH", ""))
    found = {
        "Built by": {"backend": "its own backend", "samebytes": "samebytes build"}.get(str(method), ""),
        "Python": " ".join(str(_at(python, "annotations").get(name, "")) for name in ("implementation", "version")),
        "SOURCE_DATE_EPOCH": f"{date} ({format_date(int(date))})" if date.isdecimal() and len(date) < 12 else date,
        "Given": " ".join(
            f"{name}={value}" for name, value in _at(definition, "externalParameters", "environment").items()
        ),
        "Repaired": _repair(_at(definition, "externalParameters", "repair")),
        "Image": ", ".join(_image(one) for one in _dependencies(record) if _at(one, "annotations").get("image")),
    }
    return [(name, _writable(text.strip())) for name, text in found.items() if text.strip()]


def _repair(repair: Mapping[str, Any]) -> str:
    """Return for which platform a rebuilt wheel was repaired, and with which options."""
    options = repair.get("options")
    given = " ".join(map(str, options)) if isinstance(options, list) else ""
    return f"for {repair['platform']} {given}" if repair.get("platform") else ""


def _image(image: Mapping[str, Any]) -> str:
    """Return by what an engine gets the container image that a file was built in."""
    reference, digest = str(_at(image, "annotations").get("reference", "")), _at(image, "digest").get("sha256", "")
    return reference if "@" in reference else f"{reference} (sha256 {digest})"


class RecordedRequirement(NamedTuple):
    """A distribution that a record names."""

    name: str
    version: str
    sha256: str


def requirements(record: Mapping[str, Any], *, of_repair: bool = False) -> list[RecordedRequirement]:
    """Return what a file was built with, by a record of any form.

    :param of_repair: instead, what repaired it afterwards, such as auditwheel.
    """
    found = [
        RecordedRequirement(
            _writable(one.get("name", "")),
            _writable(_at(one, "annotations").get("version", "")),
            _writable(_at(one, "digest").get("sha256", "")),
        )
        for one in _dependencies(record)
        # As records are read (building.provenance): these two by their names, others by what is noted on them.
        if one.get("name") not in ("source", "python")
        and not _at(one, "annotations").get("image")
        and bool(_at(one, "annotations").get("repair")) is of_repair
    ]
    return found[:MOST_REQUIREMENTS]


def _dependencies(record: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    """Return all that a record says a build needed: its source, the interpreter, distributions, an image."""
    return _all(_at(record, "predicate", "buildDefinition"), "resolvedDependencies")


def _writable(value: object) -> str:
    """Return *value* as text, with what UTF-8 cannot hold escaped: a record is kept as it is."""
    return str(value).encode("utf-8", "backslashreplace").decode()


def _at(value: Any, *names: str) -> Mapping[str, Any]:
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def _all(value: Mapping[str, Any], name: str) -> Iterable[Mapping[str, Any]]:
    items = value.get(name)
    return [one for one in items if isinstance(one, Mapping)] if isinstance(items, list) else []


def again(verified: Examination, run: Run | None, rebuild: Rebuild) -> list[str]:
    """Return what to type to rebuild a file, as it was rebuilt."""
    tool = f"samebytes[tools]=={run.tool}" if run else "samebytes[tools]"
    release = shlex.quote(f"{verified.name}=={verified.version}")
    return [f"pip install {shlex.quote(tool)}", f"samebytes verify {release} --file {shlex.quote(rebuild.file)}"]


def snippets(name: str, address: str, no_address: str) -> dict[str, str]:
    """Return the badge, linked to the page, for READMEs; *address* is that of the site, if it is known."""
    page = addresses.absolute(address or no_address, addresses.rebuilt(name))
    return {
        "Markdown": f"[![Published files rebuilt]({page}.svg)]({page}.html)",
        "reStructuredText": f".. image:: {page}.svg\n   :target: {page}.html\n   :alt: Published files rebuilt",
    }
