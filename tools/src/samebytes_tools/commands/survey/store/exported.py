"""A survey as one JSON document, and back: what ``survey.schema.json`` describes.

Every run and every examination is a line, in an order of their own, so that two exports can be compared. What is empty
or unknown is left away.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields
from functools import partial
from pathlib import Path
from typing import Any, Callable

from samebytes.errors import StoreError

from ....reporting.save import output
from ..model import Artifact, CauseHit, Examination, Rebuild, Requirement, Run, Sdist, State
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
    with output(target) as sink:
        for piece in document(store, version=version, logs=logs):
            sink.write(piece.encode("utf-8"))


def _plain(value: object) -> Any:
    """Return *value* as JSON has it; fields that are as they are if nothing is said are left away."""
    if isinstance(value, State):
        return value.value
    if isinstance(value, Mapping):
        # Sorted, so that two exports can be compared as text.
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

        :raises StoreError: if it cannot be read, or is not of a version that is known.
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
                f"{self.path} is not a survey of schema version {SCHEMA_VERSION}, but of {version!r}",
                remedy="Name what 'samebytes survey export --json' wrote; a newer samebytes reads newer ones.",
            )

    def _read(self, found: Mapping[str, Any]) -> tuple[list[Run], dict[str, list[Examination]]]:
        try:
            runs: list[Run] = [_made(Run, one) for one in found["runs"]]
            examinations: dict[str, list[Examination]] = {run.id: [] for run in runs}
            for each in found["examinations"]:
                one: Examination = _made(Examination, each)
                # A run that is not in the document is a KeyError, so the document is malformed.
                examinations[one.run].append(one)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise self._malformed(error) from None
        return runs, examinations

    def _malformed(self, error: Exception) -> StoreError:
        return StoreError(
            f"{self.path} is not an exported survey: {type(error).__name__}: {error}",
            remedy="Name a store, or what 'samebytes survey export --json' wrote.",
        )


_TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (float, int),
    "bool": (bool,),
    "list": (list,),
    "dict": (dict,),
}


def _made(kind: Any, plain: Any) -> Any:
    """Return a *kind* of the values in *plain*.

    :raises TypeError: if a value is missing or of another type.
    :raises KeyError: if one is unknown.
    """
    types = {each.name: str(each.type) for each in fields(kind)}
    return kind(**{name: _value(types[name], value) for name, value in plain.items()})


def _value(wanted: str, plain: Any) -> Any:
    """Return *plain* as a field has it that is annotated as *wanted*.

    Annotations are read as text: Python 3.9 cannot evaluate those with a bar.
    """
    wanted, bar, _ = wanted.partition(" | None")
    if bar and plain is None:
        return None
    if wanted in _READERS:
        return _READERS[wanted](plain)
    if wanted.startswith("tuple["):
        return tuple(_value(wanted[len("tuple[") : -len(", ...]")], one) for one in _value("list", plain))
    # Checked, as dataclasses take anything.
    if not isinstance(plain, _TYPES[wanted]):
        raise TypeError(f"{plain!r} should be of type {wanted}")
    return plain


def _texts_by_name(plain: Any) -> dict[str, str]:
    return {name: _value("str", text) for name, text in plain.items()}


def _digests(plain: Any) -> tuple[str, str]:
    """Return the digests of both builds, which are one where they are the same."""
    first, second = plain if len(plain) == 2 else (*plain, *plain)
    return _value("str", first), _value("str", second)


_READERS: dict[str, Callable[[Any], Any]] = {
    **{each.__name__: partial(_made, each) for each in (Artifact, CauseHit, Rebuild, Requirement, Sdist)},
    "State": State,
    "Mapping[str, str]": _texts_by_name,
    "Mapping[str, Any]": partial(_value, "dict"),
    "tuple[str, str]": _digests,
}
