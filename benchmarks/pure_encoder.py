"""How fast the deflate encoder in plain Python is, beside the interpreter's zlib and, if given, another encoder.

    python benchmarks/pure_encoder.py [--size BYTES] [--rounds N] [--against FILE] [--processes N] [--start]

Needs samebytes in the running interpreter. The contents are real: the standard library's sources, what they compile
to, and its extension modules; and records as JSON. All take turns on the same contents, so that the machine's ups and
downs hit them alike. Speeds are of the fastest round, in 10**6 bytes per second of CPU time; ratios are medians over
the rounds. FILE is Python and has a function ``deflate(data, level=6, mem=8)`` that gives a raw stream.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import marshal
import random
import statistics
import subprocess
import sys
import sysconfig
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from samebytes.deflate.pure import encode_segment

SEGMENT = 1 << 20
WINDOW = 1 << 15
FIRST_CALL = """\
import time
begin = time.process_time()
from samebytes.deflate.pure import encode_segment
loaded = time.process_time()
encode_segment({sample!r}, b"", True)
print(loaded - begin, time.process_time() - loaded)
"""

Encoder = Callable[[bytes], bytes]


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--size", type=int, default=SEGMENT, help="how much of each kind (default: 1 MiB)")
    parser.add_argument("--rounds", type=int, default=5, help="how often (default: 5)")
    parser.add_argument("--against", type=Path, metavar="FILE", help="another encoder")
    parser.add_argument("--processes", type=int, default=0, metavar="N", help="also encode segments N at a time")
    parser.add_argument("--start", action="store_true", help="also measure the first use in a fresh interpreter")
    options = parser.parse_args()
    kinds = {name: data[: options.size] for name, data in contents().items()}
    encoders: dict[str, Encoder] = {"ours": ours, "zlib": by_zlib}
    if options.against:
        encoders["other"] = other(options.against)
    print(f"Python {sys.version.split()[0]}, zlib {zlib.ZLIB_RUNTIME_VERSION}")
    compare(kinds, encoders, options.rounds)
    if options.processes:
        in_processes(b"".join(kinds.values()), options.processes)
    if options.start:
        first_call(kinds["sources"][:4096], options.rounds)
    return 0


def contents() -> dict[str, bytes]:
    """Return contents of each kind, from this interpreter's standard library."""
    library = Path(sysconfig.get_path("stdlib"))
    sources = [path.read_bytes() for path in sorted(library.glob("*.py"))]
    compiled = [marshal.dumps(compile(source, "module.py", "exec", dont_inherit=True)) for source in sources]
    binaries = sorted(library.glob("lib-dynload/*.so")) or [Path(sys.executable)]
    return {
        "sources": b"".join(sources),
        "compiled": b"".join(compiled),
        "binaries": b"".join(path.read_bytes() for path in binaries),
        "JSON": json.dumps(list(records(10_000)), indent=1).encode(),
    }


def records(count: int) -> Iterator[dict[str, object]]:
    """Give records of a few fields, the same in each run."""
    chance = random.Random(1)
    for number in range(count):
        tags = chance.sample(["alpha", "beta", "gamma", "delta", "epsilon"], 3)
        yield {"id": number, "name": f"item {chance.randrange(1000)}", "tags": tags, "value": chance.random()}


def ours(data: bytes) -> bytes:
    """Encode by the encoder in plain Python."""
    return encode_segment(data, b"", True)


def by_zlib(data: bytes) -> bytes:
    """Encode by the interpreter's zlib."""
    compressor = zlib.compressobj(6, zlib.DEFLATED, -15, 8)
    return compressor.compress(data) + compressor.flush()


def other(path: Path) -> Encoder:
    """Load the other encoder."""
    spec = importlib.util.spec_from_file_location("other_encoder", path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    encode: Encoder = module.deflate
    return encode


def compare(kinds: dict[str, bytes], encoders: dict[str, Encoder], rounds: int) -> None:
    """Print a row for each kind, and one for all of them."""
    others = [name for name in encoders if name != "ours"]
    titles = [*(f"{name} MB/s" for name in encoders), *(f"ours / {name}" for name in others)]
    print(" " * 10 + "".join(f"{title:>14}" for title in titles))
    every: dict[str, list[float]] = {name: [0.0] * rounds for name in encoders}
    for kind, data in kinds.items():
        seconds, unlike = turns(data, encoders, rounds)
        print_row(kind, len(data), seconds)
        if unlike:
            print(f"    gives other bytes: {', '.join(unlike)}")
        every = {name: [a + b for a, b in zip(every[name], seconds[name])] for name in encoders}
    print_row("all", sum(map(len, kinds.values())), every)


def turns(data: bytes, encoders: dict[str, Encoder], rounds: int) -> tuple[dict[str, list[float]], list[str]]:
    """Let the encoders take turns; return the seconds of each, and who gave other bytes than ours."""
    seconds: dict[str, list[float]] = {name: [] for name in encoders}
    made = {}
    for _ in range(rounds):
        for name, encode in encoders.items():
            begin = time.process_time()
            made[name] = encode(data)
            seconds[name].append(time.process_time() - begin)
    return seconds, [name for name in encoders if made[name] != made["ours"]]


def print_row(kind: str, size: int, seconds: dict[str, list[float]]) -> None:
    """Print speeds, and ratios to ours."""
    speeds = [size / 1e6 / min(spent) for spent in seconds.values()]
    ratios = [
        statistics.median(theirs / own for theirs, own in zip(spent, seconds["ours"]))
        for name, spent in seconds.items()
        if name != "ours"
    ]
    print(f"{kind:<10}" + "".join(f"{value:14.3f}" for value in (*speeds, *ratios)))


def in_processes(data: bytes, number: int) -> None:
    """Print the wall time of encoding *data* in segments, one after another and in that many processes."""
    data = data * (2 * number * SEGMENT // len(data) + 1)
    data = data[: 2 * number * SEGMENT]
    pieces = [(data[at : at + SEGMENT], data[max(0, at - WINDOW) : at]) for at in range(0, len(data), SEGMENT)]
    begin = time.perf_counter()
    alone = [segment(piece) for piece in pieces]
    between = time.perf_counter()
    with ProcessPoolExecutor(number) as pool:
        list(pool.map(segment, [(b"", b"")] * number))  # they start
        started = time.perf_counter()
        together = list(pool.map(segment, pieces))
        end = time.perf_counter()
    assert together == alone
    one, many = between - begin, end - started
    print(
        f"{len(pieces)} segments: {len(data) / 1e6 / one:.3f} MB/s of wall time in one process, "
        f"{len(data) / 1e6 / many:.3f} in {number}, ratio {one / many:.2f}"
    )


def segment(piece: tuple[bytes, bytes]) -> bytes:
    """Encode a segment that is not the last one."""
    return encode_segment(*piece, False)


def first_call(sample: bytes, rounds: int) -> None:
    """Print what the first use costs in a fresh interpreter: the import, and a first small piece."""
    command = [sys.executable, "-c", FIRST_CALL.format(sample=sample)]
    runs = [measured(command) for _ in range(4 * rounds)]
    loading, encoding = (1000 * statistics.median(column) for column in zip(*runs))
    print(f"first use: {loading:.2f} ms of CPU time to import, {encoding:.2f} ms to encode {len(sample)} bytes")


def measured(command: Iterable[str]) -> tuple[float, float]:
    """Return the two numbers that *command* prints."""
    printed = subprocess.run([*command], check=True, capture_output=True, text=True).stdout
    loading, encoding = map(float, printed.split())
    return loading, encoding


if __name__ == "__main__":
    sys.exit(main())
