"""The sdist of a target: the one that pip takes, of any form."""

from __future__ import annotations

from pathlib import Path

import pytest
from samebytes_tools.commands.survey.download import NotThere, fetched
from samebytes_tools.commands.survey.model import State, Target
from samebytes_tools.index.cache import CachedIndex
from samebytes_tools.index.client import Index
from support.indexes import Server, serving


def offered(server: Server, directory: Path, *names: str, **more: str) -> None:
    for name in names:
        path = directory / name
        path.write_bytes(name.encode())
        server.add("demo", path, **more)


def test_a_zip_is_a_source_too_and_the_others_are_noted(tmp_path: Path) -> None:
    with serving() as server:
        offered(server, tmp_path, "demo-1.0.tar.bz2", "demo-1.0.zip", "demo-1.1-py3-none-any.whl")
        found = fetched(Target("demo"), CachedIndex(Index(server.address), tmp_path / "cache"), "3.11.7")
        assert found.path.read_bytes() == b"demo-1.0.zip"
        assert (found.version, found.sdist.file) == ("1.0", "demo-1.0.zip")
        assert found.notes == (
            "the release has other sdists, too (demo-1.0.tar.bz2); pip takes demo-1.0.zip",
            "demo 1.1 is newer than 1.0, and has no sdist for Python 3.11.7",
        )


def test_one_for_other_interpreters_is_taken_only_by_its_version(tmp_path: Path) -> None:
    with serving() as server:
        offered(server, tmp_path, "demo-1.0.zip", **{"requires-python": ">=3.99"})
        index = CachedIndex(Index(server.address), tmp_path / "cache")
        found = fetched(Target("demo", "1.0"), index, "3.11.7")
        assert found.notes == ("demo-1.0.zip is for Python >=3.99, not for 3.11.7, and pip would refuse it",)
        with pytest.raises(NotThere, match=r"no sdist of demo for Python 3\.11\.7") as caught:
            fetched(Target("demo"), index, "3.11.7")
        assert caught.value.state is State.NO_SDIST
