"""Compare the deflate encoder in plain Python with the interpreter's zlib, on contents drawn for its edges.

    PYTHONPATH=src python tests/fuzz_deflate.py [--seconds 600] [--seed 1] [--only KIND]
    PYTHONPATH=src python tests/fuzz_deflate.py --files DIRECTORY ... [--every 10]

Runs one case of each kind in turn until the time is up, and prints how many of each there were. With the same seed the
cases are the same ones. At a difference it prints kind and number of the case (--only KIND --seed NUMBER makes it
again), keeps its contents in a file, and ends with status 1. With --files it takes the files below these directories
instead, or each Nth of them: the first segment of each, and the second one with what it has before it.

The zlib has to be stock zlib. tests/property/test_pure_deflate_properties.py has the same rule for Hypothesis, as many
times as SAMEBYTES_FUZZ_EXAMPLES says.
"""

from __future__ import annotations

import argparse
import itertools
import random
import sys
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from support.deflate_inputs import (
    FULL,
    NOT_STOCK,
    REACH,
    SEGMENT,
    STOCK_ZLIB,
    WINDOW,
    fibonacci,
    literals_only,
    meeting,
    noise,
    patchwork,
    periodic,
    records,
    repeated,
    segments,
    shuffled,
    unmatched,
    words,
    zlib_literals_only,
    zlib_segment,
)

from samebytes.deflate.pure import encode_segment


class Case(NamedTuple):
    """What an encoder is given."""

    segment: bytes
    window: bytes = b""
    last: bool = True


Draw = Callable[[random.Random], Case]


def main() -> int:
    """Compare and print; return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60, help="how long (default: 60)")
    parser.add_argument("--seed", type=int, default=1, help="where the cases begin (default: 1)")
    parser.add_argument("--only", choices=[*KINDS, "codes"], help="only cases of this kind")
    parser.add_argument(
        "--files", type=Path, nargs="+", metavar="DIRECTORY", help="real files instead, until all are done"
    )
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only each Nth of the files")
    options = parser.parse_args()
    if not STOCK_ZLIB:
        raise SystemExit(NOT_STOCK)
    begin = time.monotonic()
    counts: Counter[str] = Counter()
    size = 0
    cases = from_files(options.files, options.every) if options.files else drawn(options.seed, options.only)
    try:
        for name, number, case in cases:
            if not options.files and time.monotonic() - begin > options.seconds:
                break
            if not agrees(name, case):
                keep(name, number, case)
                return 1
            counts[name] += 1
            size += len(case.segment)
    finally:
        spent = time.monotonic() - begin
        print(f"{sum(counts.values())} cases, {size} bytes, {spent:.0f} seconds, zlib {zlib.ZLIB_RUNTIME_VERSION}")
        for name, count in counts.most_common(20):
            print(f"{count:8} {name}")
    print("no difference")
    return 0


def drawn(seed: int, only: str | None) -> Iterator[tuple[str, int, Case]]:
    """Give a case of each kind in turn, for ever, each with the number that makes it again as a seed."""
    for number in itertools.count(seed):
        for name, draw in KINDS.items():
            if only in (None, name):
                yield name, number, draw(random.Random(number))


def from_files(directories: list[Path], every: int) -> Iterator[tuple[str, int, Case]]:
    """Give the first two segments of each file, by the file's kind."""
    for directory in directories:
        files = [path for path in sorted(directory.rglob("*")) if path.is_file() and not path.is_symlink()]
        for path in files[::every]:
            with path.open("rb") as file:
                data = file.read(2 * SEGMENT)
            for at, case in enumerate(segments(data)):
                yield path.suffix or "no suffix", at, Case(*case)


def agrees(name: str, case: Case) -> bool:
    """Tell whether both give the same bytes."""
    if name == "codes":
        return literals_only(case.segment) == zlib_literals_only(case.segment)
    return encode_segment(*case) == zlib_segment(*case)


def keep(name: str, number: int, case: Case) -> None:
    """Write down what makes a difference."""
    path = Path(f"difference-{name.replace('.', '')}-{number}.bin")
    path.write_bytes(case.window + case.segment)
    print(f"DIFFERENCE in {name}, {number}; see {path}: window of {len(case.window)} bytes, last={case.last}")


def mixtures(chance: random.Random) -> Case:
    """All kinds of pieces, with any window."""
    data = patchwork(int(chance.paretovariate(0.4) * 50) % 150_000, chance.randrange(1 << 30))
    return somewhere(data, chance)


def somewhere(data: bytes, chance: random.Random) -> Case:
    """Cut *data* into window and segment, often at an end or just where zlib's window is full."""
    edges = [0, 1, 2, 3, 262, REACH, WINDOW - 262, WINDOW - 1, WINDOW, WINDOW + 1, WINDOW + REACH]
    cut = min(len(data), chance.choice([0, chance.choice(edges), chance.randrange(len(data) + 1)]))
    return Case(data[cut:], data[:cut], chance.random() < 0.5)


def copies(chance: random.Random) -> Case:
    """Few or many different bytes, with copies of earlier strings from the edges of what zlib looks for."""
    values = chance.choice([1, 2, 3, 4, 16, 64, 256])
    made = bytearray(noise(chance.randrange(1, 3000), chance.randrange(1 << 30), values))
    edges = [1, 2, 3, 4, 256, 257, 4095, 4096, 4097, REACH - 1, REACH, REACH + 1, WINDOW - 262, WINDOW - 1, WINDOW]
    for _ in range(chance.randrange(1, 400)):
        distance = chance.choice([chance.choice(edges), chance.randrange(1, WINDOW + 300)])
        distance = min(distance, len(made))
        length = chance.choice([3, 4, 5, 7, 8, 15, 16, 17, 127, 128, 129, 257, 258, 259, chance.randrange(3, 700)])
        made += (made[-distance:] * (length // distance + 1))[:length]
        made += noise(chance.randrange(4), chance.randrange(1 << 30), values)
    return somewhere(bytes(made), chance)


def runs(chance: random.Random) -> Case:
    """Runs and periods, of lengths about those of matches, sometimes broken."""
    made = bytearray()
    for _ in range(chance.randrange(1, 60)):
        period = chance.choice([1, 1, 2, 3, 4, 7, 128, 258, chance.randrange(1, 600)])
        length = chance.choice([3, 16, 129, 258, 259, 516, 517, chance.randrange(1, 3000)])
        made += periodic(period, length, chance.randrange(8))
        if chance.random() < 0.3:
            made[-1] ^= 1 << chance.randrange(8)
    return somewhere(bytes(made), chance)


def block_ends(chance: random.Random) -> Case:
    """Numbers of symbols that just fill one or two blocks or just do not, with matches about the end."""
    symbols = chance.choice([1, 1, 2]) * FULL + chance.randrange(-3, 4)
    matches = chance.randrange(4)
    made = bytearray(unmatched(symbols - matches, chance.randrange(40), chance.choice([48, 100, 256])))
    for _ in range(matches):
        at = chance.randrange(len(made) - 300)
        length = chance.randrange(3, 20)
        place = chance.choice([len(made), len(made), chance.randrange(len(made))])
        made[place:place] = made[at : at + length]
    return Case(bytes(made), words(chance.choice([0, 300])), chance.random() < 0.5)


def windows(chance: random.Random) -> Case:
    """Windows about as long as nothing, and as zlib's, and segments that begin with something of them."""
    size = chance.choice([0, REACH, WINDOW - 262, WINDOW, WINDOW + 262]) + chance.randrange(-6, 7)
    size = max(size, 0)
    kind = chance.choice([unmatched, words])
    window = kind(size, chance.randrange(4))
    at = chance.choice([0, 0, 1, 2, max(0, size - 300), chance.randrange(size + 1)])
    segment = window[at : at + chance.choice([1, 2, 3, 4, 258, 1000])] + window[: chance.randrange(300)]
    return Case(segment + noise(chance.randrange(4)), window, chance.random() < 0.5)


def window_moves(chance: random.Random) -> Case:
    """A match at the end of the data and of the window's reach, where zlib moves its window, or nearly.

    Sometimes it is the second one that zlib comes to: one byte before, there is a shorter match.
    """
    at = chance.choice([1, 1, 2]) * WINDOW + REACH + chance.randrange(-2, 3)
    ahead = chance.choice([3, 4, 5, 260, 261, 262, 263, chance.randrange(3, 300)])
    string = b"\xf0\xf1\xf2\xf3\xf4\xf5"[: min(ahead, chance.randrange(3, 7))]
    filling = chance.choice([bytes, words, lambda size: noise(size, 1, 2)])
    between = filling(REACH - len(string))
    if chance.random() < 0.5:
        between = between[:-20] + b"\xef\xf0\xf1" + between[-17:-1] + b"\xef"
    begin = (chance.choice([b"", b"?" + string[:3]]) + filling(at))[: at - REACH]
    data = begin + string + between + string + filling(ahead - len(string))
    cut = chance.choice([0, 0, 1000, WINDOW, WINDOW + 7232])
    moved = bytes(max(0, cut - WINDOW)) + data  # zlib sees no more than WINDOW of it
    cut = min(cut, len(moved))
    return Case(moved[cut:], moved[:cut], chance.random() < 0.5)


def distances(chance: random.Random) -> Case:
    """One match, at a distance and of a length about each of zlib's limits, wherever its window is."""
    limits = [4, 256, 4096, REACH, WINDOW - 262, WINDOW, chance.randrange(4, WINDOW)]
    distance = chance.choice(limits) + chance.randrange(-3, 4)
    length = chance.choice([3, 4, 8, 16, 128, 258]) + chance.randrange(2)
    before = noise(chance.choice([0, 0, 1, 40_000, 70_000]), 1, chance.choice([1, 2, 16]))
    return somewhere(before + repeated(distance, length, chance.randrange(6)), chance)


def lonely(chance: random.Random) -> Case:
    """One or two matches among many literals: the fewest codes for distances."""
    data = unmatched(4000, chance.randrange(6), 48)
    for _ in range(chance.choice([1, 1, 2])):
        data += repeated(chance.choice([1, 2, 2, 3, 4, 5, 20]), chance.randrange(3, 9), chance.randrange(20))
    return Case(data, b"", chance.random() < 0.5)


def chain_ends(chance: random.Random) -> Case:
    """A match with about as many others in its chain as zlib looks at."""
    between = chance.choice([0, 32, 128]) + chance.randrange(-3, 4)
    distance = chance.choice([2000, 4096, REACH]) + chance.randrange(-1, 2)
    data = b"." + meeting(max(0, between), distance)
    beaten = b"0123456789"[: chance.randrange(3, 11)] + b"\x21"
    return Case(beaten + data + beaten + b"bcdefghij!" if chance.random() < 0.7 else data + b"!")


def small(chance: random.Random) -> Case:
    """Very little, of any kind."""
    size = chance.randrange(600)
    kind = chance.choice([noise, words, patchwork])
    window = noise(chance.choice([0, 0, chance.randrange(300)]), chance.randrange(99), 3)
    return Case(kind(size, chance.randrange(1 << 30)), window, chance.random() < 0.5)


def alphabets(chance: random.Random) -> Case:
    """Random bytes of any number of different values, often so that stored, fixed and dynamic blocks are a tie."""
    size = chance.choice([chance.randrange(1200), chance.randrange(70_000)])
    values = chance.randrange(1, 257)
    data = noise(size, chance.randrange(1 << 30), values)
    if chance.random() < 0.3:
        data = bytes(255 - value for value in data)
    return Case(data, b"", chance.random() < 0.5)


def real_like(chance: random.Random) -> Case:
    """What compresses about as text and as compiled tables."""
    size = chance.randrange(120_000)
    kind = chance.choice([words, records])
    return somewhere(kind(size, chance.randrange(1 << 30)), chance)


def codes(chance: random.Random) -> Case:
    """Literals alone, of frequencies that make too deep a Huffman tree, or nearly."""
    growth = chance.uniform(1.4, 2)
    frequencies = [int(growth**power) + 1 for power in range(24) if growth**power < 4500]
    frequencies = chance.choice([frequencies, fibonacci(19), fibonacci(chance.randrange(2, 19))])
    frequencies = frequencies + [chance.randrange(1, 4) for _ in range(chance.choice([0, 1, 5, 20, 100, 200]))]
    chance.shuffle(frequencies)
    return Case(shuffled(frequencies[:256], chance.randrange(1 << 30))[: FULL - 1])


KINDS: dict[str, Draw] = {
    "mixtures": mixtures,
    "copies": copies,
    "runs": runs,
    "block-ends": block_ends,
    "windows": windows,
    "window-moves": window_moves,
    "distances": distances,
    "lonely": lonely,
    "chain-ends": chain_ends,
    "small": small,
    "alphabets": alphabets,
    "real-like": real_like,
    "codes": codes,
}

if __name__ == "__main__":
    sys.exit(main())
