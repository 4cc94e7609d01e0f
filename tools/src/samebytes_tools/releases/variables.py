"""Environment variables in requirements files, and their values in what is shown.

Source: pip's documentation, "Requirements File Format", "Using environment variables".
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from urllib.parse import quote, unquote

from samebytes.errors import SamebytesError

_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")
_ADDRESS = re.compile(r"[A-Za-z][\w+.-]*://[^\s'\"]*")
_SHORTEST = 6
"""Characters of a value that is hidden wherever it stands; a shorter one is hidden in addresses, as it may be a
word."""


class Variables:
    """The environment variables that lists may name, and which of their values are for nobody's eyes."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self._hidden: dict[str, str] = {}
        """Values, also as addresses write them, and the names that are shown instead."""

    def expanded(self, text: str) -> str:
        """Return *text* with the values of variables for ``${NAME}``; those that are not set, or empty, stay."""
        return _VARIABLE.sub(lambda found: self._values.get(found[1]) or found[0], text)

    def hide(self, text: str) -> None:
        """Show the values of variables in *text*, before it was expanded, no more."""
        for name in _VARIABLE.findall(text):
            forms = _after_splitting(self._values.get(name, ""))
            written = {form for value in forms for form in (value, quote(value, safe=""), quote(value), unquote(value))}
            self._hidden.update(dict.fromkeys(written - {""}, f"${{{name}}}"))

    def hide_in_addresses(self, text: str) -> None:
        """Do that for the words of *text* that are addresses once they are expanded."""
        for word in text.split():
            if "://" in self.expanded(word):
                self.hide(word)

    def shown(self, text: str) -> str:
        """Return *text* with the names of variables in place of the values that are hidden."""

        def within(given: str, shortest: int) -> str:
            for value in sorted(self._hidden, key=len, reverse=True):
                if len(value) >= shortest:
                    given = given.replace(value, self._hidden[value])
            return given

        if not self._hidden:
            return text
        # Whole values first: an address ends at a blank, and a value may have one.
        return _ADDRESS.sub(lambda found: within(found[0], 1), within(text, _SHORTEST))

    def in_error(self, error: SamebytesError) -> SamebytesError:
        """Return *error*, of the same class, as it may be shown."""
        message, remedy = self.shown(error.message), self.shown(error.remedy)
        return error if (message, remedy) == (error.message, error.remedy) else type(error)(message, remedy=remedy)

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Raise what is raised in the context as it may be shown."""
        try:
            yield
        except SamebytesError as error:
            shown = self.in_error(error)
            if shown is error:
                raise
            raise shown from None


def _after_splitting(value: str) -> set[str]:
    """Return *value* as it is, and as it may stand in a message once a line with it is split into words."""
    found = {value, repr(value)[1:-1], re.sub(r"[\"'\\]", "", value), re.sub(r"\\([\"\\])", r"\1", value)}
    with suppress(ValueError):  # a quote that is not closed
        words = shlex.split(value)
        found |= {*words, " ".join(words)}
    return found.union(*({" ".join(form.split()), *form.split()} for form in found))
