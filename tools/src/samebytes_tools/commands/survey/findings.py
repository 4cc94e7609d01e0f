"""What builds gave, as the survey's values; from the process that built, as JSON that is believed within bounds."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from packaging.utils import canonicalize_name

from ...comparison.model import Comparison, Difference, Evidence, Verdict
from ..check.subject import Failure, Outcome, Result, Row
from .model import KINDS, WAYS, Artifact, CauseHit, Requirement

LONGEST = 200
"""Characters of one piece of evidence."""

LONGEST_LOG = 20_000

_LONGEST_NAME = 500
_MOST = 1000
"""Requirements, notes and the like, of one package."""

_DISTRIBUTIONS = {"mesonpy": "meson-python", "sipbuild": "sip"}
"""Where the name of the distribution does not follow from that of the module."""

IN_TREE = "in-tree"

_ERROR = re.compile(r"\b(error|fatal)\b|[a-z]Error\b", re.IGNORECASE)

_NO_ROOM = (os.strerror(errno.ENOSPC), os.strerror(errno.EFBIG))


def is_of_no_room(text: str) -> bool:
    """Return whether *text* has what programs print where a disk is full."""
    return any(one in text for one in _NO_ROOM)


def row_as_plain(row: Row) -> dict[str, Any]:
    """Return *row* as what JSON can carry."""
    failures = [outcome.failure for outcome in row.outcomes if outcome.failure is not None]
    return {
        "artifacts": [asdict(artifact(row.way, outcome)) for outcome in row.outcomes],
        "late": any(failure.is_late for failure in failures),
        "full": any(is_of_no_room(failure.log) for failure in failures),
        "log": "\n".join(failures[0].tail) if failures else "",
    }


def artifact(way: str, outcome: Outcome) -> Artifact:
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
    lines = [line.strip() for line in failure.tail]
    errors = [line for line in lines if _ERROR.search(line)]
    last = (errors or lines or [""])[-1][:LONGEST]
    return f"{failure.message}: {last}" if last else failure.message


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


def result_as_plain(result: Result) -> dict[str, Any]:
    """Return what *result* has of the whole package as what JSON can carry."""
    return {
        "requirements": [
            asdict(Requirement(canonicalize_name(one.name), one.version, one.hashes.get("sha256", "")))
            for one in result.requirements
        ],
        "varied": list(result.applied),
        "not_varied": dict(result.left_out),
        "notes": list(result.notes),
    }


def backend_of(name: str, path: Sequence[str], requirements: Sequence[Requirement]) -> tuple[str, str]:
    """Return the distribution that has the backend called *name* (PEP 517), and its version.

    :param path: where in the tree it is looked for (``backend-path``).
    """
    if path:
        return IN_TREE, ""
    module = name.partition(":")[0]
    words = module.replace("_", "-").split(".")
    installed = {one.name: one.version for one in requirements}
    named = _DISTRIBUTIONS.get(words[0])
    candidates = [named] if named else ["-".join(words[:length]).lower() for length in range(len(words), 0, -1)]
    for candidate in candidates:
        if candidate in installed:
            return candidate, installed[candidate]
    return named or words[0].lower(), ""


def artifacts_from(data: object) -> tuple[Artifact, ...]:
    """Read what ``row_as_plain`` gave; what makes no sense is left out."""
    return tuple(filter(None, map(_artifact, _list(data))))


def _artifact(data: object) -> Artifact | None:
    values = data if isinstance(data, dict) else {}
    digests = [_line(one) for one in _list(values.get("sha256"))] or ["", ""]
    if values.get("way") not in WAYS or values.get("kind") not in KINDS or len(digests) != 2:
        return None
    return Artifact(
        values["way"],
        values["kind"],
        _line(values.get("state")),
        _line(values.get("verdict")),
        _line(values.get("reason"), 2000),
        _line(values.get("file")),
        _number(values.get("size")),
        (digests[0], digests[1]),
        tuple(_hit(one) for one in _list(values.get("causes")) if isinstance(one, dict)),
    )


def _hit(values: Mapping[str, Any]) -> CauseHit:
    return CauseHit(
        _line(values.get("code"), 8),
        _number(values.get("count")),
        _line(values.get("member")),
        _line(values.get("where")),
        _line(values.get("left"), LONGEST),
        _line(values.get("right"), LONGEST),
    )


def requirements_from(data: object) -> tuple[Requirement, ...]:
    """Read the requirements that ``result_as_plain`` gave."""
    rows = [one for one in _list(data) if isinstance(one, dict)]
    return tuple(Requirement(*(_line(row.get(key)) for key in ("name", "version", "sha256"))) for row in rows)


def lines_from(data: object) -> tuple[str, ...]:
    """Read a list of texts."""
    return tuple(_line(one) for one in _list(data))


def mapping_from(data: object) -> dict[str, str]:
    """Read texts by their names."""
    items = list(data.items())[:_MOST] if isinstance(data, dict) else []
    return {_line(name): _line(text) for name, text in items}


def text_from(data: object, most: int = LONGEST_LOG) -> str:
    """Read a text, of which the end counts."""
    return _clean(data)[-most:] if isinstance(data, str) else ""


def _line(data: object, most: int = _LONGEST_NAME) -> str:
    return _clean(data)[:most] if isinstance(data, str) else ""


def _clean(text: str) -> str:
    """Return *text* without what neither UTF-8 nor SQLite can carry."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")


def _number(data: object) -> int:
    return min(max(data, 0), 1 << 62) if isinstance(data, int) else 0


def _list(data: object) -> list[Any]:
    return data[:_MOST] if isinstance(data, list) else []
