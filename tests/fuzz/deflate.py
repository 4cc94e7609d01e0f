"""The deflate encoder in plain Python, held against the interpreter's zlib, on contents drawn for its edges.

Two targets: ``deflate`` takes contents and window from the input, ``deflate-edges`` a kind of contents and a number that
makes it. Real files instead, the first segment of each, and the second one with what it has before it:

    PYTHONPATH=src:tests python -m fuzz.deflate DIRECTORY ... [--every 10]

At a difference, that prints the file and ends with status 1. The zlib has to be stock zlib; with another one the targets
only inflate what the encoder made. tests/property/test_pure_deflate_properties.py has the same rule for Hypothesis, as
many times as SAMEBYTES_FUZZ_EXAMPLES says.
"""

from __future__ import annotations

import argparse
import random
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from fuzz.harness import Drawn, Target
from support.deflate_inputs import (
    FULL,
    NOT_STOCK,
    REACH,
    SEGMENT,
    STOCK_ZLIB,
    WINDOW,
    fibonacci,
    inflated,
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


def compare(data: bytes) -> None:
    """Both make the same of the contents and the window that the input is cut into."""
    drawn = Drawn(data)
    last, window, repeats = drawn.number() % 2 == 0, drawn.number(2), drawn.number(2)
    rest = drawn.take(len(data)) or b"\0"
    made = (rest * (repeats // len(rest) + 1))[: max(len(rest), repeats)]
    _demand(Case(made[window:], made[:window], last))


def compare_edges(data: bytes) -> None:
    """Both make the same of a case of some kind."""
    drawn = Drawn(data)
    name = drawn.one_of(list(KINDS))
    case = KINDS[name](random.Random(drawn.number(4)))
    if name == "codes":
        assert not STOCK_ZLIB or literals_only(case.segment) == zlib_literals_only(case.segment)
    else:
        _demand(case)


def _demand(case: Case) -> None:
    made = encode_segment(*case)
    assert inflated(made, case.window) == case.segment
    assert not STOCK_ZLIB or made == zlib_segment(*case)


def main() -> int:
    """Compare real files, print how many there were, and return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("directories", type=Path, nargs="+", metavar="DIRECTORY", help="where the files are")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only each Nth of the files")
    options = parser.parse_args()
    if not STOCK_ZLIB:
        raise SystemExit(NOT_STOCK)
    counts: Counter[str] = Counter()
    size = 0
    for path, case in from_files(options.directories, options.every):
        if encode_segment(*case) != zlib_segment(*case):
            print(f"DIFFERENCE in {path}: window of {len(case.window)} bytes, last={case.last}")
            return 1
        counts[path.suffix or "no suffix"] += 1
        size += len(case.segment)
    print(f"{sum(counts.values())} segments, {size} bytes, zlib {zlib.ZLIB_RUNTIME_VERSION}: no difference")
    for name, count in counts.most_common(20):
        print(f"{count:8} {name}")
    return 0


def from_files(directories: list[Path], every: int) -> Iterator[tuple[Path, Case]]:
    """Give the first two segments of each file."""
    for directory in directories:
        files = [path for path in sorted(directory.rglob("*")) if path.is_file() and not path.is_symlink()]
        for path in files[::every]:
            with path.open("rb") as file:
                data = file.read(2 * SEGMENT)
            for case in segments(data):
                yield path, Case(*case)


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
    kinds: list[Callable[[int, int], bytes]] = [unmatched, words]
    window = chance.choice(kinds)(size, chance.randrange(4))
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
    fillings: list[Callable[[int], bytes]] = [bytes, words, lambda size: noise(size, 1, 2)]
    filling = chance.choice(fillings)
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


def edges() -> list[bytes]:
    return [bytes([number, 1]) for number in range(len(KINDS))]


def contents() -> list[bytes]:
    return [b"", b"\1\3\0\0\0" + b"abcabcabcd" * 9, b"\0\0\0\0\1\1", b"\0\0\1\0\4" + bytes(range(256))]


TARGETS = (
    Target("deflate", compare, contents, (), longest=1 << 12, runs=1_000),
    Target("deflate-edges", compare_edges, edges, (), longest=5, runs=100),
)

if __name__ == "__main__":
    sys.exit(main())
