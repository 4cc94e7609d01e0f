"""Nobody may read a wheel otherwise: what is accepted, every reader reads alike, before and after it is normalized.

Wheels by several writers are changed by chance, by kinds of mutations that could make two readers see different things
(:mod:`support.zip_mutants`). SAMEBYTES_READERS=100 makes a hundred times as many; benchmarks/readers.py also prints what
is refused and others take.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from support import zip_mutants, zip_readers, zip_unpacker
from support.other_readers import Answer, Reader
from support.zip_readers import examined

pytestmark = pytest.mark.integration

TIMES = int(os.environ.get("SAMEBYTES_READERS", "1"))


@pytest.fixture(scope="module")
def made() -> list[bytes]:
    return list(zip_mutants.bases().values())


@pytest.fixture(scope="module")
def pythons() -> Iterator[dict[str, Reader]]:
    with zip_readers.pythons() as readers:
        yield readers


def compared(made: Sequence[bytes], seeds: range, readers: Mapping[str, Reader]) -> Counter[str]:
    """Demand that the *readers* agree on what is accepted among the archives of these *seeds*, and return the counts."""
    counts: Counter[str] = Counter()
    seen: set[bytes] = set()
    for seed in seeds:
        data, kinds = zip_mutants.mutant(seed, made)
        result = examined(data, readers, seen)
        assert result.found == {}, (seed, kinds)
        counts["refused" if result.refused else "canonical" if result.canonical else "read"] += 1
    # Neither is everything refused, nor everything taken.
    assert counts["canonical"] > len(seeds) // 20
    assert counts["refused"] > len(seeds) // 3
    return counts


def test_zipfile_of_every_python(made: list[bytes], pythons: dict[str, Reader]) -> None:
    readers = {name: reader for name, reader in pythons.items() if name.startswith("zipfile")}
    assert readers
    compared(made, range(2000 * TIMES), readers)


def test_pip_and_installer(made: list[bytes], pythons: dict[str, Reader]) -> None:
    readers = {name: reader for name, reader in pythons.items() if name.startswith(("pip", "installer"))}
    assert {name.partition(" ")[0] for name in readers} == {"pip", "installer"}
    compared(made, range(10_000_000, 10_000_000 + 700 * TIMES), readers)


def test_unzip_and_bsdtar(made: list[bytes]) -> None:
    readers = zip_readers.tools()
    if len(readers) < 3:
        pytest.skip("needs unzip and bsdtar")
    compared(made, range(20_000_000, 20_000_000 + 1000 * TIMES), readers)


def test_uv(made: list[bytes]) -> None:
    readers = zip_readers.uv()
    if not readers:
        pytest.skip("needs uv")
    compared(made, range(30_000_000, 30_000_000 + 500 * TIMES), readers)


def test_every_writer_is_read_by_all(made: list[bytes], pythons: dict[str, Reader]) -> None:
    readers = {**pythons, **zip_readers.tools(), **zip_readers.uv()}
    for data in made:
        result = examined(data, readers, set())
        # zipfile cannot but announce descriptors in a pipe, and all of these are deflated.
        assert (result.refused, result.found, result.canonical) == ("", {}, True)


LENIENT = [
    *("gap", "gap_before_directory", "prefix", "comment", "local_field", "central_field", "field_of_both", "flags"),
    *("names", "modes", "descriptor", "descriptor_that_hides", "zip64_extra", "zip64_end", "unicode_path"),
    *("member_twice", "member_unlisted", "folder", "method", "extra", "version"),
]


@pytest.mark.parametrize("kind", LENIENT)
def test_a_lenient_reader_would_be_found(made: list[bytes], kind: str) -> None:
    """Each of these kinds can make two readers differ: if zipfile decided what is accepted, a difference were found."""
    readers = zip_readers.tools()
    if len(readers) < 3:
        pytest.skip("needs unzip and bsdtar")

    def lenient(path: Path) -> Answer:
        return zip_unpacker.answer("zipfile", str(path), "")

    for seed in range(300):
        data, _ = zip_mutants.mutant(seed, made, [kind])
        if examined(data, readers, set(), lenient).found:
            return
    raise AssertionError("no difference was found")
