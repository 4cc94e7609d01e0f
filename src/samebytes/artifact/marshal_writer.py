"""Writes the code of a compiled module in one form, by a rule that knows only values.

The interpreter marks what it writes by how often each object is in use and by whether a string is interned just then,
so the same code comes out differently. Here it is read (:mod:`.marshal_reader`) and written again by this rule:

- Values stand in the order in which the code refers to them, depth first; those in a frozenset in the order of their
  own bytes (written without references, all strings as ``u``).
- What occurs again, of the same type and value, is a reference to where it occurred first; only what is so referred to
  is marked as referable. None, True, False and Ellipsis are never references. Code objects and NaNs are so only where
  they were one object.
- A string is marked as interned if it has ASCII letters, digits and underscores only, or is a name somewhere in the
  code. (The interpreter interns those in any case.)
- A tuple, and a string of ASCII, is of the short kind where it is shorter than 256.

This file imports nothing of ours but the reader and its table: other Pythons run it too.
Source: CPython's ``Python/marshal.c`` (``w_object``, ``w_ref``), 3.8 to 3.14.
"""

from __future__ import annotations

import struct
from itertools import chain

from .magic_numbers import format_of, is_known
from .marshal_reader import CODE, SINGLETONS, NotMarshalError, Values

_FLAG_REF = 0x80
_INTERNED = {b"z": b"Z", b"a": b"A", b"u": b"t"}
"""The type of an interned string, by that of one which is not."""

_reference = struct.Struct("<cI").pack


def normalized(data: bytes, magic: int, filename: str | None = None) -> bytes:
    """Return *data*, the code in a ``.pyc`` with the *magic* number, in the one form.

    :param filename: if given, what ``co_filename`` is to be in the outermost code object and in each that agrees with
        it.
    :raises NotMarshalError: for anything that is not one code object, whole.
    """
    layout = format_of(magic).layout
    if layout is None or not is_known(magic):
        raise NotMarshalError(f"magic number {magic} is not of a CPython from 3.8 to 3.14")
    values = Values(layout, sorts_sets=True)
    root = values.read(data)
    codes = [kids for number, kids in values.kids.items() if values.forms[number][0] == CODE]
    # A name is the element of a tuple of names, or the field itself.
    for names in {kids[field] for kids in codes for field in layout.names}:
        for name in values.unlike_names.intersection(values.kids.get(names, (names,))):
            form = values.forms[name]
            values.forms[name] = _INTERNED[form[:1]] + form[1:]
            values.unlike_names.remove(name)
    if filename is not None:
        # As the import system does (``update_code_filenames`` in Python/import.c).
        old = values.kids[root][layout.filename]
        new = values.text(filename.encode("utf-8", "surrogatepass"))
        for kids in codes:
            if kids[layout.filename] == old:
                kids[layout.filename] = new
    return _written(values, root)


def _written(values: Values, root: int) -> bytes:
    """Return the value *root* and all in it, as marshal would write it by the rule above, without recursion."""
    forms = values.forms
    uses = [0] * len(forms)
    for number in chain.from_iterable(values.kids.values()):
        uses[number] += 1
    # What is to be written of a value from now on; None where that changes with its first occurrence.
    now: list[bytes | None] = [form if uses[number] < 2 else None for number, form in enumerate(forms)]
    now[: len(SINGLETONS)] = forms[: len(SINGLETONS)]
    for number in values.kids:
        now[number] = None
    parts: list[bytes] = []
    referable = 0
    stack = [iter((root,))]
    while stack:
        for number in stack[-1]:
            form = now[number]
            if form is not None:
                parts.append(form)
                continue
            form = forms[number]
            if uses[number] > 1:
                form = bytes((form[0] | _FLAG_REF,)) + form[1:]
                now[number] = _reference(b"r", referable)
                referable += 1
            parts.append(form)
            kids = values.kids.get(number)
            if kids:
                stack.append(iter(kids))
                break
        else:
            stack.pop()
    return b"".join(parts)
