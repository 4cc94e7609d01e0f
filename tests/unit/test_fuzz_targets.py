"""What is fuzzed, without a fuzzer: so that no target rots where there is none, and on every Python."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from fuzz.harness import Target, accepts
from fuzz.targets import TARGETS

INPUTS = 60
"""For each target."""

EACH = pytest.mark.parametrize("target", TARGETS.values(), ids=list(TARGETS))


def mutated(data: bytes, other: bytes, chance: random.Random) -> bytes:
    """Return *data* with something changed, left out, repeated, put in, or taken from *other*."""
    begin, end = sorted((chance.randrange(len(data) + 1), chance.randrange(len(data) + 1)))
    end = min(end, begin + chance.choice([1, 1, 2, 4, 30, len(data)]))
    new = [
        bytes(byte ^ 1 << chance.randrange(8) for byte in data[begin:end]),
        chance.choice([b"", b"\0", b"\xff", b"\n", b"\xff" * 8, b"9" * 20, b"\xc3", b"/../"]),
        data[begin:end] * 2,
        chance.choice([other[: chance.randrange(len(other) + 1)], other]),
    ]
    return data[:begin] + chance.choice(new) + data[end:]


def inputs(target: Target) -> Iterator[bytes]:
    """Give the same inputs in every run; the seeds first, for a strict reader may refuse whatever is mutated."""
    chance = random.Random(target.name)
    seeds = target.seeds()
    yield from (*seeds, b"", b"\0" * 99, b"\xff" * 99)
    for number in range(INPUTS):
        yield mutated(seeds[number % len(seeds)], chance.choice(seeds), chance)[: target.longest]


@EACH
def test_seeds_are_accepted(target: Target) -> None:
    assert target.seeds()
    assert all(accepts(target, seed) for seed in target.seeds())


@EACH
def test_mutations_are_accepted_or_refused(target: Target) -> None:
    found = {accepts(target, data) for data in inputs(target)}
    assert found == ({True, False} if target.refusals else {True})


def test_seeds_fit() -> None:
    assert all(len(seed) <= target.longest for target in TARGETS.values() for seed in target.seeds())
