"""``--vary`` as reprotest's users know it."""

from __future__ import annotations

from pathlib import Path

import pytest
from samebytes_tools.commands.check.chosen import ALL, choice
from samebytes_tools.variations.environments import place
from samebytes_tools.variations.variations import NAMES

from samebytes.errors import UsageError

EVERYTHING = frozenset(variation.name for variation in ALL)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ([], EVERYTHING),
        (["+time,-umask"], EVERYTHING - {"umask"}),
        (["-umask", "-time"], EVERYTHING - {"umask", "time"}),
        (["-all,+umask"], {"umask"}),
        (["-all", "umask,time"], {"umask", "time"}),
        (["-umask,+umask"], EVERYTHING),
        (["-all,+all,-home"], EVERYTHING - {"home"}),
        (["-all,+build_path,+fileordering,+domain_host,+num_cpus"], {"build-path", "file-order", "host", "processors"}),
        (["-all,+hash_seed,+user-group,"], {"hash-seed", "user"}),
    ],
)
def test_what_is_wanted(given: list[str], wanted: set[str]) -> None:
    assert choice(given).wanted == wanted


def test_what_cannot_be_varied_is_left_out_unless_it_was_demanded() -> None:
    obstacles = {"time": "there is no libfaketime"}
    assert choice(["-umask"]).applicable(obstacles) == EVERYTHING - {"umask", "time"}
    assert choice(["+all"]).applicable(obstacles) == EVERYTHING - {"time"}
    with pytest.raises(UsageError) as caught:
        choice(["+time"]).applicable(obstacles)
    assert caught.value.message == "time cannot be varied here: there is no libfaketime"
    assert "--list" in caught.value.remedy


def test_a_name_that_is_none() -> None:
    with pytest.raises(UsageError) as caught:
        choice(["+umsk"])
    assert caught.value.message == "'+umsk' names no variation"
    assert "Did you mean 'umask'?" in caught.value.remedy


def test_places_are_told_apart_by_the_lengths_of_their_names() -> None:
    """Where of a path only the length remains, as that of a search path that was overwritten."""
    one, other = (place(Path("/dev/shm/x"), "demo-1.0", names, {}) for names in ((), NAMES))
    kinds = [(one.tree, other.tree), (one.temp, other.temp), (one.environment, other.environment)]
    assert len({len(str(second)) - len(str(first)) for first, second in kinds}) == len(kinds)
