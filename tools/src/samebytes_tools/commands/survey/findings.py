"""What builds gave, as the survey's values; from the process that built, as JSON that is believed within bounds."""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields, replace
from typing import Any, Callable, TypeVar

from packaging.utils import canonicalize_name

from ...comparison.model import Comparison, Difference, Evidence, Verdict
from ..check.subject import CheckOutcome, CheckResult, Failure, WayResult
from .model import KINDS, WAYS, Artifact, CauseHit, Requirement

LONGEST = 200
"""Characters of one piece of evidence."""

LONGEST_LOG = 20_000
LONGEST_RECORD = 200_000

_DEEPEST_RECORD = 50
"""Levels, of which ours have a few."""

_LONGEST_NAME = 500
MOST = 1000
"""Requirements, notes and the like, of one package."""

_DISTRIBUTIONS = {"mesonpy": "meson-python", "sipbuild": "sip"}
"""Where the name of the distribution does not follow from that of the module."""

IN_TREE = "in-tree"

_ERROR = re.compile(r"\b(error|fatal)\b|[a-z]Error\b", re.IGNORECASE)

# EFBIG: limits of the kernel on the size of a file (RLIMIT_FSIZE) are limits of ours, too.
_NO_ROOM = (os.strerror(errno.ENOSPC), os.strerror(errno.EFBIG))


def is_of_no_room(text: str) -> bool:
    """Return whether *text* has what programs print where a disk is full."""
    return any(one in text for one in _NO_ROOM)


def way_as_plain(way: WayResult) -> dict[str, Any]:
    """Return *way* as what JSON can carry."""
    failures = [outcome.failure for outcome in way.outcomes if outcome.failure is not None]
    return {
        "artifacts": [asdict(artifact(way.name, outcome)) for outcome in way.outcomes],
        "late": any(failure.is_late for failure in failures),
        "full": any(is_of_no_room(failure.log) for failure in failures),
        "log": "\n".join(failures[0].tail) if failures else "",
    }


def artifact(way: str, outcome: CheckOutcome) -> Artifact:
    """Return what is known of one kind of artifact, built in one way."""
    if outcome.pair is None:
        reason = _reason(outcome.failure) if outcome.failure else outcome.note
        return Artifact(way, outcome.kind, "could not be built", reason=reason)
    first, second = outcome.pair
    comparison = outcome.comparison
    verdict = Verdict.IDENTICAL.value if outcome.is_same else comparison.verdict.value if comparison else ""
    return Artifact(
        way,
        outcome.kind,
        "same" if outcome.is_same else "differs",
        verdict,
        outcome.note,
        first.name,
        first.size,
        (first.sha256, second.sha256),
        tuple(hits(comparison)) if comparison else (),
    )


def _reason(failure: Failure) -> str:
    """Return why something could not be built in a line: with the last error, or whatever else was said last."""
    return with_last_error(failure.message, failure.tail)


def with_last_error(message: str, said: Iterable[str]) -> str:
    """Return *message* with the last error among the lines that were *said*."""
    lines = [line.strip() for line in said if line.strip()]
    errors = [line for line in lines if _ERROR.search(line)]
    # The last: compilers and pip print what they give up for at the end.
    last = (errors or lines or [""])[-1][:LONGEST]
    return f"{message}: {last}" if last else message


def hits(comparison: Comparison) -> Iterator[CauseHit]:
    """Give each cause once, with the evidence found first and in how many places there is some."""
    found: dict[str, list[tuple[str, Evidence]]] = {}
    for path, difference in _walk(comparison.differences, ()):
        for finding in difference.findings:
            found.setdefault(finding.code, []).append((" > ".join(path), finding.evidence))
    for code, places in sorted(found.items()):
        member, first = places[0]
        yield CauseHit(code, len(places), member, first.where, _text(first.left), _text(first.right))


def _walk(differences: Sequence[Difference], above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Difference]]:
    for one in differences:
        path = (*above, one.name) if one.name else above
        yield path, one
        yield from _walk(one.children, path)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")[:LONGEST]


def result_as_plain(result: CheckResult) -> dict[str, Any]:
    """Return what *result* has of the whole package as what JSON can carry."""
    return {
        "requirements": [
            asdict(Requirement(canonicalize_name(one.name), one.version, one.hashes.get("sha256", "")))
            for one in result.requirements
        ],
        "varied": list(result.applied),
        "not_varied": {name: obstacle.why for name, obstacle in result.left_out.items()},
        "notes": list(result.notes),
    }


def backend_of(name: str, path: Sequence[str], requirements: Sequence[Requirement]) -> tuple[str, str]:
    """Return the distribution that has the backend called *name* (PEP 517), and its version.

    :param path: where in the tree it is looked for (``backend-path``).
    """
    if path:
        return IN_TREE, ""
    # "module:object" (PEP 517).
    module = name.partition(":")[0]
    words = module.replace("_", "-").split(".")
    installed = {one.name: one.version for one in requirements}
    named = _DISTRIBUTIONS.get(words[0])
    # The longest first: "hatchling.build" is of hatchling, "poetry.core.masonry.api" of poetry-core.
    candidates = [named] if named else ["-".join(words[:length]).lower() for length in range(len(words), 0, -1)]
    for candidate in candidates:
        if candidate in installed:
            return candidate, installed[candidate]
    return named or words[0].lower(), ""


def artifacts_from(data: object) -> tuple[Artifact, ...]:
    """Read the artifacts that ``way_as_plain`` gave; what makes no sense is left out."""
    found = []
    for one in _list(data):
        values = one if isinstance(one, dict) else {}
        digests = [line_from(digest) for digest in _list(values.get("sha256"))] or ["", ""]
        if values.get("way") in WAYS and values.get("kind") in KINDS and len(digests) == 2:
            causes = causes_from(values.get("causes"))
            found.append(replace(_read(Artifact, values), sha256=(digests[0], digests[1]), causes=causes))
    return tuple(found)


def causes_from(data: object) -> tuple[CauseHit, ...]:
    """Read the causes of one comparison."""
    return tuple(_read(CauseHit, hit) for hit in _list(data) if isinstance(hit, dict))


def record_from(data: object) -> dict[str, Any]:
    """Read a record of a build, which stays what it is; empty if it is not one, too long, or too deep."""
    # Before json, whose limits are others when it indents, and in other releases of Python.
    if not isinstance(data, dict) or _is_deep(data):
        return {}
    try:
        text = json.dumps(data, allow_nan=False)
    except ValueError:
        return {}
    return json.loads(text) if len(text) <= LONGEST_RECORD else {}


def _is_deep(data: object) -> bool:
    level = [data]
    for _ in range(_DEEPEST_RECORD):
        inner = [one.values() if isinstance(one, dict) else one for one in level if isinstance(one, (dict, list))]
        level = [each for values in inner for each in values]
    return bool(level)


def seconds_from(data: object) -> float:
    """Read a time that something took."""
    is_one = isinstance(data, (int, float)) and not isinstance(data, bool) and 0 <= data < 1e9
    return round(float(data), 2) if is_one else 0.0  # type: ignore[arg-type]


def requirements_from(data: object) -> tuple[Requirement, ...]:
    """Read the requirements that ``result_as_plain`` gave."""
    return tuple(_read(Requirement, one) for one in _list(data) if isinstance(one, dict))


_LENGTHS = {"reason": 2000, "code": 8, "left": LONGEST, "right": LONGEST}
"""Of fields that may be longer, or have to be shorter, than others."""

Kind = TypeVar("Kind", Artifact, CauseHit, Requirement)


def _read(kind: type[Kind], values: Mapping[str, Any]) -> Kind:
    """Return a *kind* of *values*: its fields that are texts or numbers."""
    readers: dict[str, Callable[[str], Any]] = {
        "str": lambda name: line_from(values.get(name), _LENGTHS.get(name, _LONGEST_NAME)),
        "int": lambda name: _number(values.get(name)),
    }
    types = {each.name: str(each.type) for each in fields(kind)}
    return kind(**{name: readers[wanted](name) for name, wanted in types.items() if wanted in readers})


def lines_from(data: object) -> tuple[str, ...]:
    """Read a list of texts."""
    return tuple(line_from(one) for one in _list(data))


def mapping_from(data: object) -> dict[str, str]:
    """Read texts by their names."""
    items = list(data.items())[:MOST] if isinstance(data, dict) else []
    return {line_from(name): line_from(text) for name, text in items}


def text_from(data: object, most: int = LONGEST_LOG) -> str:
    """Read a text, of which the end counts."""
    return _clean(data)[-most:] if isinstance(data, str) else ""


def line_from(data: object, most: int = _LONGEST_NAME) -> str:
    """Read a text, of which the beginning counts."""
    return _clean(data)[:most] if isinstance(data, str) else ""


def _clean(text: str) -> str:
    """Return *text* without what neither UTF-8 nor SQLite can carry."""
    # Lone surrogates, and NUL, at which SQLite's own functions end a text.
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")


def _number(data: object) -> int:
    # SQLite's integers have 64 bits.
    return min(max(int(data), 0), 1 << 62) if isinstance(data, int) else 0


def _list(data: object) -> list[Any]:
    return data[:MOST] if isinstance(data, list) else []
