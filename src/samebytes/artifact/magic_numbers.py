"""The magic numbers of compiled modules: which CPython wrote one, how it hashes sources, how it lays out code objects.

This file imports nothing of ours: the interpreters that compile for us load it too, whatever their version.
Source: the list of magic numbers in CPython's ``Lib/importlib/_bootstrap_external.py``, from 3.14 on in
``Include/internal/pycore_magic_number.h``; ``Python/marshal.c`` and ``Objects/codeobject.c`` of each release.
"""

from __future__ import annotations

from typing import NamedTuple

# The strings in these fields are interned whenever a code object is made (``intern_strings`` in codeobject.c).
_INTERNED = frozenset(
    ("co_names", "co_varnames", "co_freevars", "co_cellvars", "co_localsplusnames", "co_name", "co_qualname")
)


class CodeLayout:
    """In what order a marshalled code object has its fields, by their names in Python."""

    __slots__ = ("filename", "head", "names", "numbers", "values")

    def __init__(self, numbers: str, values: str) -> None:
        self.numbers = numbers.split()
        """What comes first, numbers of four bytes each."""
        self.head = 4 * len(self.numbers)
        """How many bytes the numbers take."""
        self.values = values.split()
        """What follows: marshalled values, but for ``co_firstlineno``, another number of four bytes."""
        self.filename = self.values.index("co_filename")
        self.names = [index for index, field in enumerate(self.values) if field in _INTERNED]
        """The indexes in ``values`` of what holds names."""


_UP_TO_3_10 = CodeLayout(
    "co_argcount co_posonlyargcount co_kwonlyargcount co_nlocals co_stacksize co_flags",
    "co_code co_consts co_names co_varnames co_freevars co_cellvars co_filename co_name co_firstlineno"
    " co_linetable",  # co_lnotab up to 3.9; the same place.
)
_FROM_3_11 = CodeLayout(
    "co_argcount co_posonlyargcount co_kwonlyargcount co_stacksize co_flags",
    "co_code co_consts co_names co_localsplusnames co_localspluskinds co_filename co_name co_qualname co_firstlineno"
    " co_linetable co_exceptiontable",
)


class Format(NamedTuple):
    """What is known of the compiled modules with a magic number of *first* or higher, up to the next format's first."""

    first: int
    python: str
    """The CPython's version; empty where no CPython has such numbers."""
    final: int = 0
    """The magic number of its final releases; 0 if that is not among these numbers."""
    siphash: tuple[int, int] | None = None
    """Rounds of the hash of sources (PEP 552), for compression and finalization; None if not known."""
    layout: CodeLayout | None = None
    """Of code objects; None if not known."""


_FORMATS = (
    Format(0, ""),  # Up to 3.6, the header is another.
    Format(3390, "3.7"),
    Format(3392, "3.7", 3394, (2, 4)),  # 3.7a4: PEP 552
    Format(3400, "3.8", 0, (2, 4)),
    Format(3410, "3.8", 3413, (2, 4), _UP_TO_3_10),  # 3.8a4: PEP 570, co_posonlyargcount
    Format(3420, "3.9", 3425, (2, 4), _UP_TO_3_10),
    Format(3430, "3.10", 3439, (2, 4), _UP_TO_3_10),
    Format(3440, ""),
    Format(3450, "3.11"),  # Both the hash (bpo-29410) and the layout changed midway, among the alphas.
    Format(3495, "3.11", 3495, (1, 3), _FROM_3_11),
    Format(3500, "3.12", 3531, (1, 3), _FROM_3_11),
    Format(3550, "3.13", 3571, (1, 3), _FROM_3_11),
    Format(3600, "3.14", 3627, (1, 3), _FROM_3_11),
    Format(3650, "3.15", 0, (1, 3), _FROM_3_11),  # Later than form 1, which leaves its code as it is.
    Format(3700, ""),
)


def format_of(magic: int) -> Format:
    """Return what is known of the compiled modules with this *magic* number, the first two bytes, little-endian."""
    return next(each for each in reversed(_FORMATS) if each.first <= magic)


def is_known(magic: int) -> bool:
    """Return whether code is written in one form for this *magic* number: that of a final release, 3.8 to 3.14.

    What a pre-release wrote may be read, but nothing is promised of it.
    """
    found = format_of(magic)
    return found.final == magic and found.layout is not None
