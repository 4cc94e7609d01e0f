"""What samebytes accepts, every reader of sdists unpacks to the same tree, before and after it is normalized.

The sdists are mutants of those that tarfile, GNU tar, bsdtar and samebytes write (support.tar_mutants), the readers all
that are here (support.tar_readers). SAMEBYTES_READERS multiplies the number of mutants, for a long run by hand.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from support import tar_mutants, tar_readers, tar_unpacker
from support.other_readers import Answer, Reader
from support.tar_readers import differences

TIMES = int(os.environ.get("SAMEBYTES_READERS", "1"))

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def bases() -> dict[str, bytes]:
    return tar_mutants.bases()


@pytest.fixture(scope="module")
def readers() -> Iterator[dict[str, Reader]]:
    with tar_readers.pythons() as pythons:
        yield {**pythons, **tar_readers.tools()}


def _of_this_python(path: Path, directory: Path) -> Answer:
    return tar_unpacker.answer("tarfile", str(path), str(directory))


def _for_an_index(path: Path, directory: Path) -> Answer:
    answer = tar_unpacker.answer("index", str(path), str(directory))
    return answer if isinstance(answer, str) else {}


CHEAP: dict[str, Reader] = {"tarfile": _of_this_python, "index": _for_an_index}


def assert_read_alike(
    path: Path, readers: Mapping[str, Reader], what: str, before: Mapping[str, Reader] | None
) -> bool:
    """Return whether samebytes accepts the sdist *path*, which the readers must take for the same tree then.

    The readers *before* are asked before it is normalized; all of them, if None are given.
    """
    expected = tar_readers.ours(path)
    if isinstance(expected, str):
        return False
    assert differences(path, expected, readers if before is None else before) == {}, what
    target = path.with_name("normalized.tar.gz")
    tar_readers.normalized(path, target)
    after = tar_readers.ours(target)
    assert isinstance(after, dict), what
    # Normalizing rewrites metadata that a mutation has cut off.
    assert {**after, METADATA: ""} == {**expected, METADATA: ""}, what
    assert differences(target, after, readers) == {}, what
    return True


METADATA = f"{tar_mutants.TOP}/PKG-INFO"


@pytest.mark.parametrize("kind", tar_mutants.KINDS)
def test_the_readers_that_cost_little_agree_on_many(tmp_path: Path, kind: str, bases: dict[str, bytes]) -> None:
    path = tmp_path / "pkg-1.0.tar.gz"
    accepted = 0
    for seed in range(100 * TIMES):
        path.write_bytes(tar_mutants.mutant(kind, seed, bases))
        accepted += assert_read_alike(path, CHEAP, f"{kind} {seed}", None)
    assert accepted


@pytest.mark.parametrize("kind", tar_mutants.KINDS)
def test_all_readers_agree(tmp_path: Path, kind: str, bases: dict[str, bytes], readers: dict[str, Reader]) -> None:
    path = tmp_path / "pkg-1.0.tar.gz"
    for seed in range(10_000, 10_000 + 12 * TIMES):
        path.write_bytes(tar_mutants.mutant(kind, seed, bases))
        assert_read_alike(path, readers, f"{kind} {seed}", None)


def test_uv_reads_the_canonical_form_alike(tmp_path: Path, bases: dict[str, bytes]) -> None:
    """uv accepts fewer forms than others: what it refuses before an sdist is normalized, it reads afterwards."""
    uv = tar_readers.uv()
    if not uv:
        pytest.skip("there is no uv here")
    path = tmp_path / "pkg-1.0.tar.gz"
    for kind in ("none", "PAX records", "GNU long names", "numbers", "links", "members moved"):
        for seed in range(20_000, 20_000 + 3 * TIMES):
            path.write_bytes(tar_mutants.mutant(kind, seed, bases))
            expected = tar_readers.ours(path)
            # Without these it does not ask the sdist's own backend for what it sees.
            if isinstance(expected, str) or not {"pkg-1.0/pyproject.toml", "pkg-1.0/reporting.py"} <= {*expected}:
                continue
            found = differences(path, expected, uv)
            assert not any("differs" in what for what in found.values()), f"{kind} {seed}"
            assert_read_alike(path, uv, f"{kind} {seed}", {})


@pytest.mark.parametrize("kind", [kind for kind in tar_mutants.KINDS if kind not in ("none", "members moved")])
def test_each_kind_of_mutation_makes_sdists_that_readers_take_for_different_ones(
    tmp_path: Path, kind: str, bases: dict[str, bytes], readers: dict[str, Reader]
) -> None:
    """Without what samebytes refuses, the tests above would fail."""
    few = {name: reader for name, reader in readers.items() if not name.startswith(("stream", "index"))}
    path = tmp_path / "pkg-1.0.tar.gz"
    for seed in range(300):
        path.write_bytes(tar_mutants.mutant(kind, seed, bases))
        if isinstance(tar_readers.ours(path), str):
            with tempfile.TemporaryDirectory() as directory:
                one = tar_unpacker.answer("tarfile", str(path), directory)
            # Where tarfile refuses it, so do we; the more so where another reader takes it.
            if isinstance(one, dict) and differences(path, one, few):
                return
    pytest.fail(f"no mutant of the kind {kind!r} that is refused is read in two ways")
