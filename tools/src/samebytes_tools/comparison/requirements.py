"""What requirements mean, however they are spelled: names, extras, versions and markers, as installers read them."""

from __future__ import annotations

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

__all__ = ["FIELDS", "meaning"]

FIELDS = frozenset({"requires-dist", "requires-python", "provides-extra"})
"""Fields of METADATA with requirements in them (core metadata specification), in lower case."""


def meaning(field: str, value: bytes) -> object:
    """Return what a *value* of *field* means: equal for values that only are spelled otherwise (PEP 508, 440, 685).

    What is not valid, and values of other fields, mean themselves.
    """
    try:
        found = _meaning(field, value)
        # Versions are read as late as here, where one may have more digits than int() takes.
        hash(found)
    except ValueError:  # of UTF-8, packaging and int()
        return value
    return found


def _meaning(field: str, value: bytes) -> object:
    text = value.decode("utf-8")
    if field == "requires-dist":
        one = Requirement(text)
        extras = frozenset(map(canonicalize_name, one.extras))
        return canonicalize_name(one.name), extras, one.specifier, str(one.marker or ""), one.url
    if field == "requires-python":
        return SpecifierSet(text)
    return canonicalize_name(text) if field == "provides-extra" else value
