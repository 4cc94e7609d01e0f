"""``--vary`` as reprotest's users know it."""

from __future__ import annotations

import pytest
from samebytes_tools.variations.variations import NAMES, choice

from samebytes.errors import UsageError

EVERYTHING = frozenset(NAMES)


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
    assert choice(["-umask"]).left_out({**obstacles, "umask": "Windows has none"}) == obstacles


def test_an_unknown_name() -> None:
    with pytest.raises(UsageError) as caught:
        choice(["+umsk"])
    assert caught.value.message == "'+umsk' is not the name of a variation"
    assert "Did you mean 'umask'?" in caught.value.remedy
