"""Compiled modules in one form, those of the running Python."""

from __future__ import annotations

import dis
import importlib.util
import marshal
import random
import struct
import sys
import types

import pytest
from support.canonical_code import canonical_code

from samebytes.artifact.pyc import HEADER_SIZE, bound, is_known, normalized, source_hash
from samebytes.errors import ArchiveError

MAGIC = importlib.util.MAGIC_NUMBER
NUMBER = int.from_bytes(MAGIC[:2], "little")
SOURCE = '''\
"""A module: ünïcode, and \U0001f600."""
import os.path as where
from typing import Optional

NUMBERS = (0, -1, 2**31 - 1, -(2**31), 2**31, 2**63, -(2**200), 10**40, True, None, ...)
FLOATS = (0.0, -0.0, 1.5, 1e400, -1e400, 1e400 * 0, 2j, -0.0 + 0j, complex)
BYTES = (b"", b"a", b"\\x00\\xff" * 200)
TEXTS = ("", "a", "é", "two words", "n" * 300, "two words " * 40, "\\udcff", "名前")

class Küche:
    """Documented."""
    größe: Optional[int] = 1
    def kocht(self, a, /, b=(1, (2, 3)), *, c="two words"):
        def inner():
            nonlocal a
            return a, b, __class__, c
        return inner, lambda: (yield)

def member(x):
    return x in {"b", "a", "c", "two words", 1, 2.0, None, (1, "a"), b"a"} or x in {"z", "y"}

def nans():
    return 1e400 * 0, 1e400 * 0

async def waits(y):
    async with y as z:
        return [i async for i in z if (j := i)]

def safely():
    try:
        return 1
    finally:
        print(lambda: 1)
'''


def compiled(source: str = SOURCE, filename: str = "/place/m.py", optimize: int = 0) -> types.CodeType:
    return compile(source, filename, "exec", dont_inherit=True, optimize=optimize)


def pyc(code: object = None, flags: int = 0, stamp: bytes = bytes(8)) -> bytes:
    return MAGIC + struct.pack("<I", flags) + stamp + marshal.dumps(compiled() if code is None else code)


def loaded(data: bytes) -> types.CodeType:
    code = marshal.loads(data[HEADER_SIZE:])
    assert isinstance(code, types.CodeType)
    return code


SKIPPED = {"co_lnotab", "co_lines", "co_positions", "co_branches"}


def deep(value: object) -> object:
    """Return what tells values apart that are equal to Python: types, the sign of zero, NaNs, all of a code object."""
    if isinstance(value, types.CodeType):
        fields = [name for name in dir(value) if name.startswith("co_") and name not in SKIPPED]
        lines = list(value.co_lines()) if sys.version_info >= (3, 10) else list(dis.findlinestarts(value))
        positions = list(value.co_positions()) if sys.version_info >= (3, 11) else None
        return [(name, deep(getattr(value, name))) for name in fields], lines, positions
    if isinstance(value, tuple):
        return ("tuple", *map(deep, value))
    if isinstance(value, frozenset):
        return "frozenset", sorted(repr(deep(each)) for each in value)
    if isinstance(value, float):
        return "float", struct.pack("<d", value)
    if isinstance(value, complex):
        return "complex", struct.pack("<dd", value.real, value.imag)
    return type(value).__name__, value


@pytest.mark.parametrize("optimize", [0, 1, 2])
def test_the_code_means_the_same_and_a_second_time_changes_nothing(optimize: int) -> None:
    code = compiled(optimize=optimize)
    once = normalized(pyc(code))
    assert deep(loaded(once)) == deep(code)
    assert normalized(once) == once
    assert normalized(pyc(loaded(once))) == once


def test_the_code_runs() -> None:
    space: dict[str, object] = {"__name__": "m"}
    exec(loaded(normalized(pyc())), space)
    member = space["member"]
    assert callable(member)
    assert [member(each) for each in ("a", "two words", (1, "a"), 2, b"a", "q", 0)] == [True] * 5 + [False] * 2


def test_constants_that_are_equal_to_python_and_not_the_same_stay_apart() -> None:
    values = (0.0, -0.0, 0, False, 0j, -0.0 + 0j, complex(0, -0.0), "a", b"a", (1,), (1.0,), (True,), frozenset({1}))
    code = compiled("x = 1").replace(co_consts=(*values, *values))
    assert deep(loaded(normalized(pyc(code))).co_consts) == deep((*values, *values))


def test_two_nans_stay_two_and_one_stays_one() -> None:
    nan = float("nan")
    code = compiled("x = 1").replace(co_consts=(nan, nan, float("nan"), nan))
    one, again, other, last = loaded(normalized(pyc(code))).co_consts
    assert one is again is last
    assert one is not other


def test_equal_values_are_written_once_whoever_holds_them() -> None:
    parts = ["not a name", "x" * 300]
    same = compiled("x = 1").replace(co_consts=(parts[0], parts[0], parts[1], (parts[1], parts[0])))
    others = "".join(parts[0][:3]) + parts[0][3:], parts[1][:1] + parts[1][1:]
    apart = compiled("x = 1").replace(co_consts=(parts[0], others[0], parts[1], (others[1], others[0])))
    assert marshal.dumps(same) != marshal.dumps(apart)
    assert normalized(pyc(same)) == normalized(pyc(apart))


def test_the_order_of_a_frozenset_is_that_of_its_elements() -> None:
    elements = [*"abcdefgh", "two words", 1, 2.5, (1, "a"), b"x", frozenset({"q", "r", "s"})]
    forms = set()
    for seed in range(20):
        # Where elements collide, their order tells in which they came.
        random.Random(seed).shuffle(elements)
        forms.add(normalized(pyc(compiled("x = 1").replace(co_consts=(frozenset(elements),)))))
    assert len(forms) == 1


def test_a_string_is_interned_by_what_it_is_and_not_by_what_is_in_use() -> None:
    sys.intern("several words that somebody interned")
    plain = compiled("x = 'several words'").replace(co_consts=("several words that " + "somebody interned"[:], None))
    interned = plain.replace(co_consts=(sys.intern("several words that somebody interned"), None))
    assert normalized(pyc(plain)) == normalized(pyc(interned))


def test_relocated_is_as_if_it_had_been_compiled_there() -> None:
    for name in ("/elsewhere/m.py", "m", "/place/größe.py", "two words", "/\udcff.py"):
        assert normalized(pyc(), name) == normalized(pyc(compiled(filename=name)))


def test_relocated_leaves_the_code_of_another_source() -> None:
    other = compiled("def f(): pass", "/template.html")
    code = compiled("x = 1").replace(co_consts=(other.co_consts[0], "/place/m.py"))
    moved = loaded(normalized(pyc(code), "/new.py"))
    assert (moved.co_filename, moved.co_consts[0].co_filename, moved.co_consts[1]) == (
        "/new.py",
        "/template.html",
        "/place/m.py",
    )


def test_every_truncation_is_refused() -> None:
    data = normalized(pyc(compiled("def f(x):\n    return x in {'a', 'b'}, 2**70, 1.5, 'é', 'two words'\n")))
    for size in range(len(data)):
        with pytest.raises(ArchiveError) as caught:
            normalized(data[:size])
        assert "Remove the file" in caught.value.remedy


def test_damage_is_refused_or_gives_a_form_that_stays() -> None:
    data = pyc()
    draw = random.Random(1)
    refused = 0
    for _ in range(1500):
        at = draw.randrange(HEADER_SIZE, len(data))
        damaged = data[:at] + bytes((draw.randrange(256),)) + data[at + 1 :]
        try:
            once = normalized(damaged)
        except ArchiveError:
            refused += 1
            continue
        assert normalized(once) == once
    assert refused > 100


def bare(*values: bytes) -> bytes:
    """Return a module of a code object with these constants."""
    code = normalized(pyc(compiled("x = 1").replace(co_consts=("(here)",))))
    assert code.count(b"z\x06(here)") == 1
    before, after = code.split(b")\x01z\x06(here)")
    return before + b"(" + struct.pack("<I", len(values)) + b"".join(values) + after


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (b"[\0\0\0\0", "type 0x5b at byte"),
        (b"(\xff\xff\xff\x7f", "2147483647 values are announced"),
        (b"s\xff\xff\xff\xff", "it ends at byte"),
        (b"r\xff\xff\0\0", "it ends at byte|refers to"),
        (b"u\x01\0\0\0\xff", "is not UTF-8"),
        (b"z\x01\xff", "is of a type for ASCII, and is not ASCII"),
        (b"a\x01\0\0\0\xff", "is of a type for ASCII, and is not ASCII"),
        (b"l\x01\0\0\0\0\0", "not in its one form"),
        (b"l\x01\0\0\0\xff\xff", "not in its one form"),
        (b")\x01" * 2100 + b"N", "nested more than 2000 deep"),
        (b"0", "type 0x30"),
    ],
)
def test_what_marshal_does_not_write_is_refused(value: bytes, said: str) -> None:
    with pytest.raises(ArchiveError, match=said) as caught:
        normalized(bare(value))
    assert caught.value.remedy == "Remove the file; Python compiles its source again."


@pytest.mark.parametrize("end", [b">", b"(", b">\0\0\0", b"(\0", b")"])
def test_a_number_of_values_that_is_cut_off_is_refused(end: bytes) -> None:
    """It is not taken for a smaller number, such as none, where it is the last of all (found by fuzzing)."""
    begin = struct.pack("<H", 3495) + b"\r\n" + bytes(12) + b"c" + bytes(20) + b"F" * 8 + bytes(4) + b"F"
    assert normalized(begin + b">\0\0\0\0")
    with pytest.raises(ArchiveError, match=r"cannot follow|before the code does"):
        normalized(begin + end)


def test_a_value_in_itself_is_refused() -> None:
    # A tuple may be referred to from inside only by hostile bytes; its place is the first in a stream without others.
    code = bare(b"N")[HEADER_SIZE:]
    places = code.count(b"\xe3")  # Only to show that nothing before it is referable.
    assert places == 0
    with pytest.raises(ArchiveError, match="lies in itself"):
        normalized(bare(b"\xa9\x01r\0\0\0\0"))


def test_a_tower_of_references_takes_no_more_than_its_bytes() -> None:
    tower = [b"\xa9\x00"] + [
        b"\xa9\x02" + b"r" + struct.pack("<I", at) + b"r" + struct.pack("<I", at) for at in range(60)
    ]
    assert len(normalized(bare(*tower))) < len(bare(*tower)) + 200


def test_a_tower_in_a_frozenset_is_refused() -> None:
    tower = [b"\xa9\x00"] + [
        b"\xa9\x02" + b"r" + struct.pack("<I", at) + b"r" + struct.pack("<I", at) for at in range(60)
    ]
    with pytest.raises(ArchiveError, match="frozensets hold more than"):
        normalized(bare(*tower, b">\x02\0\0\0Nr" + struct.pack("<I", 60)))


def test_code_in_a_frozenset_is_refused() -> None:
    code = bare(b"N")[HEADER_SIZE:]
    with pytest.raises(ArchiveError, match="a frozenset holds a code object"):
        normalized(bare(b">\x02\0\0\0" + code + b"N"))


@pytest.mark.parametrize("kind", "zZaAut")
def test_a_string_is_one_however_it_was_written(kind: str) -> None:
    size = struct.pack("<B" if kind in "zZ" else "<I", 3)
    value = kind.encode() + size + b"a b"
    assert normalized(bare(value)) == normalized(bare(b"z\x03a b"))


def test_what_is_no_code_is_refused() -> None:
    with pytest.raises(ArchiveError, match="holds no code object"):
        normalized(pyc(("a", "tuple")))
    with pytest.raises(ArchiveError, match="3 bytes follow"):
        normalized(pyc() + b"abc")
    with pytest.raises(ArchiveError, match="does not start as a compiled module does"):
        normalized(b"x" * 100)


def test_another_python_is_refused() -> None:
    for number in (3394, 3400, 3450, 3600, 3650, 62211):
        data = struct.pack("<H", number) + b"\r\n" + pyc()[4:]
        assert not is_known(data)
        with pytest.raises(ArchiveError, match=f"magic number {number} is not of a CPython from 3.8 to 3.14"):
            normalized(data)
    assert is_known(pyc())


@pytest.mark.parametrize(("mode", "flags"), [("checked-hash", 3), ("unchecked-hash", 1)])
def test_bound_says_the_source_by_its_hash(mode: str, flags: int) -> None:
    source = SOURCE.encode("utf-8", "surrogatepass")
    data = pyc(stamp=struct.pack("<II", 12345, len(source)))
    result = bound(data, source, mode)
    assert result == MAGIC + struct.pack("<I", flags) + source_hash(MAGIC, source) + data[HEADER_SIZE:]
    assert bound(result, source, mode) == result


def test_what_is_stale_does_not_become_valid() -> None:
    stale = [
        pyc(stamp=struct.pack("<II", 1, 4)),
        pyc(flags=1, stamp=b"12345678"),
        pyc(flags=3, stamp=b"12345678"),
        pyc(flags=2, stamp=source_hash(MAGIC, b"x = 1")),
    ]
    for data in stale:
        with pytest.raises(ArchiveError, match="compiled from another source") as caught:
            bound(data, b"x = 1", "checked-hash")
        assert "Python compiles its source again" in caught.value.remedy
    with pytest.raises(ArchiveError, match="not that of a compiled module"):
        bound(b"", b"x = 1", "checked-hash")


def short(text: str, kind: bytes = b"z") -> bytes:
    return kind + bytes((len(text),)) + text.encode("ascii")


def code_3_14(constants: bytes) -> bytes:
    """Return a module as CPython 3.14 lays it out, whichever Python runs this; *constants* is the marshalled tuple."""
    values = [b"s\2\0\0\0\x97\0", constants, b")\0", b")\0", b"s\0\0\0\0", short("/a/m.py"), short("m"), short("m")]
    code = b"c" + bytes(20) + b"".join(values) + b"\1\0\0\0" + b"s\0\0\0\0" * 2
    return (3627).to_bytes(2, "little") + b"\r\n" + bytes(12) + code


def test_slices_are_constants_since_3_14() -> None:
    """In marshal's version 5, after ``:`` come start, stop and step; what is equal is written once, as all else."""
    one = b":" + b"N" + b"i\1\0\0\0" + short("two words")
    data = code_3_14(b")\3" + one + b"\xba" + one[1:] + b":NNN")
    expected = canonical_code(data[HEADER_SIZE:], 3627, b"b.py")
    assert normalized(data, "b.py") == data[:HEADER_SIZE] + expected
    assert expected.count(b"two words") == 1
    assert expected.count(b"r\0\0\0\0") == 1
    assert normalized(data[:HEADER_SIZE] + expected, "b.py")[HEADER_SIZE:] == expected
