"""The reference streams: the same everywhere, of the kinds that they are named after, and what each of them tells."""

from __future__ import annotations

import hashlib
import importlib
import zlib
from itertools import groupby

import pytest
from support.deflate_inputs import FULL, NOT_STOCK, STOCK_ZLIB, WINDOW, inflated

from samebytes.deflate.providers import PURE, by_zlib
from samebytes.deflate.pure.parse import LENGTH, LENGTH_BITS, parse
from samebytes.deflate.vectors import DIGESTS, Vector, vectors

against_zlib = pytest.mark.skipif(not STOCK_ZLIB, reason=NOT_STOCK)
MARKER = b"\0\0\0\xff\xff"

TEXT = "text that is longer than the window"
RECORDS = "records of binary numbers"
RUNS = "long runs"
ECHOES = "matches at many distances"
NOISE = "noise, which cannot be compressed"
PRIMED = "a segment primed by a whole window"
LAST = "a last segment primed by little"
SHORT = "a short text"
ALL = {TEXT, RECORDS, RUNS, ECHOES, NOISE, PRIMED, LAST, SHORT}

BY_NAME = {vector.name: vector for vector in vectors()}
EACH = pytest.mark.parametrize("vector", BY_NAME.values(), ids=lambda vector: vector.name)


def is_told(vector: Vector, encoded: bytes) -> bool:
    """Say whether *vector* tells whoever encoded it so from stock zlib."""
    return hashlib.sha256(encoded).hexdigest() != DIGESTS[vector.name]


def matches(vector: Vector) -> list[tuple[int, int]]:
    """Return length and distance of each match in the vector's stream."""
    symbols = parse(vector.window + vector.segment, len(vector.window))
    return [(symbol & LENGTH, symbol >> LENGTH_BITS) for symbol in symbols if symbol > LENGTH]


def test_contents_are_the_same_on_every_python() -> None:
    state = hashlib.sha256()
    for vector in vectors():
        for part in (vector.name.encode(), vector.segment, vector.window, bytes([vector.last])):
            state.update(len(part).to_bytes(8, "big") + part)
    assert state.hexdigest() == "552a77c9addd7246d1176111b8d12eaeeb84d55c5a28c002612294c0bb2bbc92"


def test_every_vector_has_a_digest() -> None:
    assert [vector.name for vector in vectors()] == list(DIGESTS)
    assert set(DIGESTS) == ALL


@against_zlib
@EACH
def test_stock_zlib_reproduces(vector: Vector) -> None:
    assert not is_told(vector, by_zlib().encode(vector.segment, vector.window, vector.last))


@EACH
def test_our_own_encoder_reproduces(vector: Vector) -> None:
    encoded = PURE.encode(vector.segment, vector.window, vector.last)
    assert not is_told(vector, encoded)
    assert inflated(encoded, vector.window) == vector.segment
    assert encoded.endswith(MARKER) is not vector.last


def test_text_is_longer_than_the_window_and_refers_to_its_far_end() -> None:
    assert len(BY_NAME[TEXT].segment) > WINDOW
    assert max(distance for _, distance in matches(BY_NAME[TEXT])) > 32_000


def test_records_are_rows_that_differ_in_a_few_bytes() -> None:
    records = BY_NAME[RECORDS].segment
    rows = [records[at : at + 10] for at in range(0, len(records), 10)]
    assert len({row[:4] for row in rows}) == len(rows)
    assert {row[4:] for row in rows} == {b"\0\0\x7fELF"}


def test_runs_are_shorter_and_longer_than_a_match_and_longer_than_the_window() -> None:
    runs = {sum(1 for _ in group) for _, group in groupby(BY_NAME[RUNS].segment)}
    assert runs >= {1, 3, 4, 7}
    assert any(258 < length < WINDOW for length in runs)
    assert max(runs) > WINDOW
    assert (258, 1) in matches(BY_NAME[RUNS])


def test_matches_at_many_distances_fill_more_than_a_block() -> None:
    vector = BY_NAME[ECHOES]
    found = matches(vector)
    assert len({distance.bit_length() for _, distance in found}) >= 7
    assert sum(distance > WINDOW // 2 for _, distance in found) > 50
    assert len(vector.segment) - sum(length for length, _ in found) > 2 * FULL


def test_noise_is_stored() -> None:
    noise = BY_NAME[NOISE].segment
    size = len(noise).to_bytes(2, "little")
    inverse = (len(noise) ^ 0xFFFF).to_bytes(2, "little")
    assert PURE.encode(noise, b"", True) == b"\x01" + size + inverse + noise


def test_primed_segments_refer_to_what_was_before() -> None:
    assert len(BY_NAME[PRIMED].window) == WINDOW
    assert 0 < len(BY_NAME[LAST].window) < WINDOW
    for vector in (BY_NAME[PRIMED], BY_NAME[LAST]):
        encoded = PURE.encode(*vector[1:])
        assert len(encoded) < len(PURE.encode(vector.segment, b"", vector.last))
    assert [name for name, vector in BY_NAME.items() if vector.window] == [PRIMED, LAST]
    assert [name for name, vector in BY_NAME.items() if not vector.last] == [PRIMED]


def zlib_with(
    vector: Vector, level: int = 6, memory: int = 8, strategy: int = zlib.Z_DEFAULT_STRATEGY, window_bits: int = 15
) -> bytes:
    """Return what zlib makes of *vector* under other settings."""
    primed = {"zdict": vector.window} if vector.window else {}
    compressor = zlib.compressobj(level, zlib.DEFLATED, -window_bits, memory, strategy, **primed)
    head = compressor.compress(vector.segment)
    if vector.last:
        return head + compressor.flush()
    return head + compressor.flush(zlib.Z_BLOCK) + compressor.flush(zlib.Z_SYNC_FLUSH)


@against_zlib
@pytest.mark.parametrize(
    ("setting", "telling"),
    [
        ({"level": 0}, ALL - {NOISE}),
        ({"level": 1}, ALL - {NOISE, SHORT}),
        ({"level": 4}, {TEXT, RECORDS, RUNS, ECHOES, PRIMED}),
        ({"level": 5}, {TEXT, RECORDS, RUNS, PRIMED}),
        ({"level": 7}, {TEXT, RECORDS, PRIMED}),
        ({"level": 8}, {TEXT, RECORDS, RUNS, PRIMED}),
        ({"level": 9}, {TEXT, RECORDS, RUNS, PRIMED}),
        ({"memory": 1}, ALL - {SHORT}),
        ({"memory": 7}, {TEXT, ECHOES}),
        ({"memory": 9}, {TEXT, ECHOES}),
        ({"strategy": zlib.Z_FILTERED}, ALL - {NOISE}),
        ({"strategy": zlib.Z_HUFFMAN_ONLY}, ALL - {NOISE}),
        ({"strategy": zlib.Z_RLE}, ALL - {NOISE}),
        ({"strategy": zlib.Z_FIXED}, ALL - {NOISE}),
        ({"window_bits": 14}, {TEXT, RUNS, ECHOES, PRIMED}),
    ],
    ids=lambda value: f"{value}" if isinstance(value, dict) else "told",  # a set's order is another in each process
)
def test_what_tells_zlib_under_other_settings(setting: dict[str, int], telling: set[str]) -> None:
    told = {vector.name for vector in vectors() if is_told(vector, zlib_with(vector, **setting))}
    assert told >= telling


@against_zlib
def test_what_tells_a_zlib_that_forgets_the_window_or_ends_segments_otherwise() -> None:
    def partial(vector: Vector) -> bytes:
        compressor = zlib.compressobj(6, zlib.DEFLATED, -15, 8, zdict=vector.window)
        return compressor.compress(vector.segment) + compressor.flush(zlib.Z_PARTIAL_FLUSH)

    told = {vector.name for vector in vectors() if is_told(vector, zlib_with(vector._replace(window=b"")))}
    assert told == {PRIMED, LAST}
    assert is_told(BY_NAME[PRIMED], partial(BY_NAME[PRIMED]))


@pytest.mark.parametrize(
    ("place", "name", "value", "telling"),
    [
        ("parse", "PATIENCE", 127, {TEXT}),
        ("parse", "PATIENCE", 129, {TEXT}),
        ("parse", "GOOD", 7, {TEXT, PRIMED}),
        ("parse", "GOOD", 9, {TEXT, PRIMED}),
        ("parse", "NICE", 127, {RUNS}),
        ("parse", "NICE", 129, {RUNS}),
        ("parse", "LAZY", 15, {TEXT, PRIMED}),
        ("parse", "LAZY", 258, {RUNS}),
        ("parse", "TOO_FAR", 4000, {TEXT, ECHOES}),
        ("parse", "TOO_FAR", 8192, {TEXT, RECORDS, ECHOES, PRIMED}),
        ("blocks", "FULL", FULL - 1, {ECHOES}),
        ("blocks", "FULL", FULL + 1, {ECHOES}),
    ],
)
def test_what_tells_an_encoder_with_one_other_limit(
    place: str, name: str, value: int, telling: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Our own encoder, spoilt: what tells one of zlib's limits from its neighbours, and some tell nothing but that."""
    monkeypatch.setattr(importlib.import_module(f"samebytes.deflate.pure.{place}"), name, value)
    told = {vector.name for vector in vectors() if is_told(vector, PURE.encode(*vector[1:]))}
    assert told == telling
