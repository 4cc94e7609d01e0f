"""What requirements mean, however they are spelled: names, extras, versions and markers, as installers read them."""

from __future__ import annotations

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

__all__ = ["FIELDS", "meaning"]

FIELDS = frozenset({"requires-dist", "requires-python", "provides-extra"})
"""Fields of METADATA with requirements in them (core metadata specification), in lower case."""


def meaning(field: str, value: bytes) -> object:
    """Return what a *value* of *field* means: equal for values that only are spelled otherwise (PEP 508, 440, 685).

    What is not valid, and values of other fields, mean themselves.
    """
    try:
        text = value.decode("utf-8")
        if field == "requires-dist":
            one = Requirement(text)
            extras = frozenset(map(canonicalize_name, one.extras))
            return canonicalize_name(one.name), extras, one.specifier, str(one.marker or ""), one.url
        if field == "requires-python":
            return SpecifierSet(text)
        return canonicalize_name(text) if field == "provides-extra" else value
    except (UnicodeDecodeError, InvalidRequirement, InvalidSpecifier):
        return value
