"""A survey as one JSON document, and back: what ``survey.schema.json`` describes.

Every run and every examination is a line, in an order of their own, so that two exports can be compared. What is empty
or unknown is left away.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from samebytes.archive.atomic import replacing
from samebytes.errors import StoreError

from ..model import Artifact, CauseHit, Examination, Requirement, Run, Sdist, State
from .store import Store

SCHEMA_VERSION = 1
"""Raised when a field is removed or changes its meaning; new fields may come without."""


def document(store: Store, *, version: str, logs: bool = False) -> Iterator[str]:
    """Yield the document of *store* in pieces; *version* is that of samebytes."""
    with store.snapshot():
        runs = store.runs()
        yield f'{{\n"schema_version": {SCHEMA_VERSION},\n"samebytes": {json.dumps(version)},\n"runs": [\n'
        yield ",\n".join(json.dumps(_plain(run)) for run in runs)
        yield '\n],\n"examinations": ['
        separator = "\n"
        for run in runs:
            for one in store.examinations(run.id, logs=logs):
                yield separator + json.dumps(_plain(one))
                separator = ",\n"
        yield "\n]\n}\n"


def save(store: Store, target: Path, *, version: str, logs: bool = False) -> None:
    """Write the document of *store* to *target*, which appears whole or not at all.

    :raises OutputError: if it cannot be written.
    """
    with replacing(target) as sink:
        for piece in document(store, version=version, logs=logs):
            sink.write(piece.encode("utf-8"))


def _plain(value: object) -> Any:
    """Return *value* as JSON has it; fields that are as they are if nothing is said are left away."""
    if isinstance(value, State):
        return value.value
    if isinstance(value, Mapping):
        return dict(sorted(value.items()))
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if not hasattr(value, "__dataclass_fields__"):
        return value
    found = {}
    for each in fields(value):  # type: ignore[arg-type]
        one = getattr(value, each.name)
        default = each.default if each.default_factory is MISSING else each.default_factory()
        if default is MISSING or one != default:
            found[each.name] = _plain(one)
    if isinstance(value, Artifact) and value.sha256[0] == value.sha256[1] != "":
        found["sha256"] = [value.sha256[0]]
    return found


class Exported:
    """A document that was read, as runs and examinations."""

    def __init__(self, path: Path) -> None:
        """Read the document at *path*.

        :raises StoreError: if it cannot be read, or is none of a version that is known.
        """
        self.path = path
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise StoreError(f"{path} cannot be read: {error.strerror}", remedy="Name another file.") from None
        except (ValueError, RecursionError) as error:
            raise self._malformed(error) from None
        self._check_version(found)
        self._runs, self._examinations = self._read(found)

    def runs(self) -> list[Run]:
        return self._runs

    def examinations(self, run: str) -> Iterator[Examination]:
        return iter(self._examinations.get(run, []))

    def _check_version(self, found: object) -> None:
        version = found.get("schema_version") if isinstance(found, dict) else None
        if version != SCHEMA_VERSION:
            raise StoreError(
                f"{self.path} is no survey of schema version {SCHEMA_VERSION}, but of {version!r}",
                remedy="Name what 'samebytes survey export --json' wrote; a newer samebytes reads newer ones.",
            )

    def _read(self, found: Mapping[str, Any]) -> tuple[list[Run], dict[str, list[Examination]]]:
        try:
            runs = [_run(one) for one in found["runs"]]
            examinations: dict[str, list[Examination]] = {run.id: [] for run in runs}
            for each in found["examinations"]:
                one = _examination(each)
                examinations[one.run].append(one)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise self._malformed(error) from None
        return runs, examinations

    def _malformed(self, error: Exception) -> StoreError:
        return StoreError(
            f"{self.path} is no exported survey: {type(error).__name__}: {error}",
            remedy="Name a store, or what 'samebytes survey export --json' wrote.",
        )


_TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (float, int),
    "bool": (bool,),
    "int | None": (int, type(None)),
    "bool | None": (bool, type(None)),
}


def _made(kind: Any, plain: Mapping[str, Any], **made: Any) -> Any:
    """Return a *kind* of the values in *plain*, and of those that were *made* of them.

    :raises TypeError: if a value is missing, unknown or of another type.
    """
    for each in fields(kind):
        wanted = _TYPES.get(str(each.type))
        if each.name in plain and wanted is not None and not isinstance(plain[each.name], wanted):
            raise TypeError(f"{each.name} is {plain[each.name]!r}, and should be {each.type}")
    return kind(**{**plain, **made})


def _run(plain: Mapping[str, Any]) -> Run:
    run: Run = _made(Run, plain, machine=_texts_by_name(plain["machine"]))
    return run


def _examination(plain: Mapping[str, Any]) -> Examination:
    made: dict[str, Any] = {
        "state": State(plain["state"]),
        "requirements": tuple(_made(Requirement, one) for one in plain.get("requirements", ())),
        "artifacts": tuple(_artifact(one) for one in plain.get("artifacts", ())),
        "not_varied": _texts_by_name(plain.get("not_varied", {})),
        **{name: _texts(plain.get(name, ())) for name in ("varied", "notes")},
    }
    if plain.get("sdist") is not None:
        made["sdist"] = _made(Sdist, plain["sdist"])
    one: Examination = _made(Examination, plain, **made)
    return one


def _artifact(plain: Mapping[str, Any]) -> Artifact:
    digests = _texts(plain.get("sha256", ("", "")))
    first, second = digests if len(digests) == 2 else (*digests, *digests)
    causes = tuple(_made(CauseHit, one) for one in plain.get("causes", ()))
    one: Artifact = _made(Artifact, plain, sha256=(first, second), causes=causes)
    return one


def _texts(plain: Any) -> tuple[str, ...]:
    if not all(isinstance(one, str) for one in plain):
        raise TypeError(f"{plain!r} should be texts")
    return tuple(plain)


def _texts_by_name(plain: Any) -> dict[str, str]:
    _texts(plain.values())
    return dict(plain)
