"""What the readers of wheels and sdists that there are make of what samebytes accepts, and of what it refuses.

    python benchmarks/readers.py wheels [--each N] [--mixed N] [--seed N] [-o docs/explanation/readers.md]
    python benchmarks/readers.py sdists [--each N] [--seed N] [-o docs/explanation/readers.md]

Wheels by several writers are changed by kinds of mutations (tests/support/zip_mutants.py): N of each kind alone, then N
of one to three kinds that chance chooses. Each goes to samebytes and to all readers that are here (CPython's zipfile,
pip and installer of each Python, uv, unzip, bsdtar on a file and on a pipe): what is accepted must be read alike by all
of them, before and after it is normalized. The tables go to standard output, or between their two marks in a page.

Sdists are changed likewise (tests/support/tar_mutants.py), by one kind each; their readers are tarfile and pip of each
Python, what an index looks at, uv, GNU tar and bsdtar, on a file and on a pipe.

With --mixed alone, only readers that cost little are asked (zipfile), so that hundreds of thousands can be tried.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from support import tar_mutants, tar_readers, zip_mutants, zip_readers
from support.other_readers import Reader
from support.zip_readers import examined


@dataclass
class Row:
    """What is known of one kind of mutation, or of one reader."""

    tried: int = 0
    accepted: int = 0
    refused: int = 0
    otherwise: int = 0
    taken: int = 0
    """Refused by samebytes, and read by a reader all the same."""


@dataclass
class Table:
    kinds: dict[str, Row] = field(default_factory=dict)
    readers: dict[str, Row] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)

    def add(self, kinds: str, data: bytes, readers: Mapping[str, Reader], seen: set[bytes], what: str) -> None:
        result = examined(data, readers, seen)
        of_kind = self.kinds.setdefault(kinds, Row())
        of_kind.tried += 1
        of_kind.accepted += not result.refused
        of_kind.refused += bool(result.refused)
        of_kind.otherwise += bool(result.found)
        if result.found:
            self.examples.append(f"{what}: {result.found}")
        # Against an answer that no reader gives: what is then called different was read.
        taken = self._taken(data, readers) if result.refused else set()
        of_kind.taken += bool(taken)
        for name in readers:
            row = self.readers.setdefault(name, Row())
            asked = result.canonical or (not result.refused and not name.startswith(zip_readers.INSTALLERS))
            row.accepted += asked
            row.otherwise += name in result.found or f"{name}, afterwards" in result.found
            row.refused += bool(result.refused)
            row.taken += name in taken

    @staticmethod
    def _taken(data: bytes, readers: Mapping[str, Reader]) -> set[str]:
        found = zip_readers.differences(data, {"no such file": "f"}, readers)
        return {name for name, what in found.items() if not what.startswith("refuses")}

    def lines(self) -> Iterator[str]:
        total = Counter[str]()
        yield "| kind | tried | refused | accepted | of these read otherwise | refused, and some reader takes it |"
        yield "|---|---:|---:|---:|---:|---:|"
        for kind, row in sorted(self.kinds.items()):
            total.update(vars(row))
            yield _line(kind.replace("_", " "), row.tried, row.refused, row.accepted, row.otherwise, row.taken)
        yield _line("together", *(total[key] for key in ("tried", "refused", "accepted", "otherwise", "taken")))
        yield ""
        yield "| reader | asked of accepted ones | reads otherwise or refuses | asked of refused ones | takes |"
        yield "|---|---:|---:|---:|---:|"
        for name, row in self.readers.items():
            yield _line(name, row.accepted, row.otherwise, row.refused, row.taken)


def _line(name: str, *numbers: int) -> str:
    return f"| {name} | {' | '.join(f'{number:,}' for number in numbers)} |"


def wheels(arguments: argparse.Namespace) -> Table:
    table = Table()
    made = list(zip_mutants.bases().values())
    seen: set[bytes] = set()
    with zip_readers.pythons() as pythons:
        readers = {**pythons, **zip_readers.tools(), **zip_readers.uv()}
        if not arguments.each:
            readers = {name: reader for name, reader in readers.items() if name.startswith("zipfile")}
        for kind in sorted(zip_mutants.KINDS) if arguments.each else ():
            for seed in range(arguments.seed, arguments.seed + arguments.each):
                data, _ = zip_mutants.mutant(seed, made, [kind])
                table.add(kind, data, readers, seen, f"{kind} {seed}")
            print(kind, table.kinds[kind], file=sys.stderr, flush=True)
        for seed in range(arguments.seed, arguments.seed + arguments.mixed):
            data, kinds = zip_mutants.mutant(seed, made)
            table.add("several of them", data, readers, seen, f"{seed} {kinds}")
    return table


def sdists(arguments: argparse.Namespace) -> Table:
    table = Table()
    bases = tar_mutants.bases()
    with tar_readers.pythons() as pythons, tempfile.TemporaryDirectory() as directory:
        readers = {**pythons, **tar_readers.tools(), **tar_readers.uv()}
        table.readers = {name: Row() for name in readers}
        for kind in tar_mutants.KINDS:
            row = table.kinds[kind] = Row()
            for seed in range(arguments.seed, arguments.seed + arguments.each):
                path = Path(directory, "pkg-1.0.tar.gz")
                path.write_bytes(tar_mutants.mutant(kind, seed, bases))
                add_sdist(table, row, path, readers, f"{kind} {seed}")
            print(kind, row, file=sys.stderr, flush=True)
    return table


def add_sdist(table: Table, row: Row, path: Path, readers: Mapping[str, Reader], what: str) -> None:
    expected = tar_readers.ours(path)
    row.tried += 1
    if isinstance(expected, str):
        found = tar_readers.differences(path, {"no such file": "f"}, readers)
        taken = [name for name in readers if not found.get(name, "").startswith("refuses")]
        row.refused += 1
        row.taken += bool(taken)
        for name, of_reader in table.readers.items():
            of_reader.refused += 1
            of_reader.taken += name in taken
        return
    found = tar_readers.differences(path, expected, readers)
    if found.get("uv", "").startswith("refuses"):
        del found["uv"]  # It knows fewer forms, and has to take the canonical one.
    target = path.with_name("normalized.tar.gz")
    tar_readers.normalized(path, target)
    # Not every mutant holds what uv needs to report what it sees.
    whole = {"pkg-1.0/pyproject.toml", "pkg-1.0/reporting.py"} <= {*expected}
    asked = {name: reader for name, reader in readers.items() if whole or name != "uv"}
    found.update(
        {f"{name}, afterwards": text for name, text in tar_readers.differences(target, expected, asked).items()}
    )
    row.accepted += 1
    row.otherwise += bool(found)
    for name, of_reader in table.readers.items():
        of_reader.accepted += name in asked
        of_reader.otherwise += name in found or f"{name}, afterwards" in found
    if found:
        table.examples.append(f"{what}: {found}")


def inserted(page: str, name: str, text: str) -> str:
    """Return *page* with *text* between the two marks of *name*, in place of whatever is there.

    :raises ValueError: if it has not each of them once, in their order.
    """
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    head, _, rest = page.partition(begin)
    _, found, tail = rest.partition(end)
    if not found or page.count(begin) != 1 or page.count(end) != 1:
        raise ValueError(f"needs the marks {begin} and {end} once each, one after the other")
    return f"{head}{begin}\n\n{text}\n\n{end}{tail}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("wheels", help="ZIP files")
    command.add_argument("--each", type=int, default=0, help="archives of each kind of mutation")
    command.add_argument("--mixed", type=int, default=0, help="archives of several kinds")
    command.add_argument("--seed", type=int, default=0, help="where chance begins")
    command.add_argument("-o", "--output", type=Path, help="the page to write into")
    command.set_defaults(run=wheels, name="wheels")
    command = commands.add_parser("sdists", help="tar.gz files")
    command.add_argument("--each", type=int, default=0, help="archives of each kind of mutation")
    command.add_argument("--seed", type=int, default=0, help="where chance begins")
    command.add_argument("-o", "--output", type=Path, help="the page to write into")
    command.set_defaults(run=sdists, name="sdists")
    arguments = parser.parse_args()
    if arguments.output:
        try:  # before what takes hours
            inserted(arguments.output.read_text("utf-8"), arguments.name, "")
        except (OSError, ValueError) as error:
            parser.error(f"{arguments.output}: {error}")
    table: Table = arguments.run(arguments)
    text = "\n".join(table.lines())
    print(*table.examples, sep="\n", file=sys.stderr)
    if arguments.output:
        page = arguments.output.read_text("utf-8")
        arguments.output.write_text(inserted(page, arguments.name, text), "utf-8")
    else:
        print(text)
    return bool(table.examples)


if __name__ == "__main__":
    sys.exit(main())
