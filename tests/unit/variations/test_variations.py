"""``--vary`` as reprotest's users know it."""

from __future__ import annotations

from typing import Callable

import pytest
from samebytes_tools.variations import variations
from samebytes_tools.variations.variations import NAMES, Obstacle, choice, not_varied, remedy

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
    obstacles = {"time": Obstacle("there is no libfaketime", "libfaketime"), "owner": Obstacle("only root may")}
    assert choice(["-umask"]).applicable(obstacles) == EVERYTHING - {"umask", "time", "owner"}
    assert choice(["+all"]).applicable(obstacles) == EVERYTHING - {"time", "owner"}
    with pytest.raises(UsageError) as caught:
        choice(["+time"]).applicable(obstacles)
    assert caught.value.message == "time cannot be varied here: there is no libfaketime"
    assert "libfaketime" in caught.value.remedy
    assert choice(["-umask"]).left_out({**obstacles, "umask": Obstacle("Windows has none")}) == obstacles


@pytest.mark.parametrize(
    ("given", "required", "demanded"),
    [
        ([], ["time,locale"], {"time", "locales"}),
        (["-all,+umask"], ["mtime", "num_cpus"], {"umask", "mtimes", "processors"}),
        (["-all,+umask"], ["all"], {"umask"}),
        (["-owner"], ["all"], EVERYTHING - {"owner"}),
        (["-time"], ["time"], {"time"}),
    ],
)
def test_what_is_required_is_as_if_it_had_a_plus(given: list[str], required: list[str], demanded: set[str]) -> None:
    chosen = choice(given, required)
    assert chosen.demanded == demanded
    assert chosen.demanded <= chosen.wanted
    for name in demanded:
        with pytest.raises(UsageError, match=f"^{name} cannot be varied here: none"):
            chosen.applicable({name: Obstacle("none")})


@pytest.mark.parametrize("required", ["+time", "-time", "weather"])
def test_a_required_name_that_is_none(required: str) -> None:
    with pytest.raises(UsageError, match="is not the name of a variation"):
        choice([], [required])


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that imitates a machine with an installer of packages, and who runs the command there."""

    def imitate(installer: str, *, root: bool, processor: str = "x86_64") -> None:
        monkeypatch.setattr(variations.shutil, "which", lambda name: name if name == installer else None)
        monkeypatch.setattr(variations.os, "geteuid", lambda: 0 if root else 1000, raising=False)
        monkeypatch.setattr(variations.platform, "machine", lambda: processor)

    return imitate


@pytest.mark.parametrize(
    ("installer", "root", "command"),
    [
        ("apt-get", True, "apt-get install libfaketime locales-all"),
        ("apt-get", False, "sudo apt-get install libfaketime locales-all"),
        ("dnf", True, "dnf install libfaketime glibc-all-langpacks"),
        ("", True, "install libfaketime, locales-all"),
    ],
)
def test_one_line_says_what_is_not_varied(
    installer: str, root: bool, command: str, machine: Callable[..., None]
) -> None:
    machine(installer, root=root)
    obstacles = {
        "time": Obstacle("libfaketime is not installed", "libfaketime"),
        "owner": Obstacle("only root may", brief="needs root"),
        "locales": Obstacle("only C is here", "locales-all", "only C is installed here"),
    }
    expected = f"not varied: owner (needs root), time, locales (only C is installed here); to vary more: {command}"
    assert not_varied(obstacles) == expected
    assert not_varied({"owner": obstacles["owner"]}) == "not varied: owner (needs root)"
    assert not_varied({}) == ""
    with pytest.raises(UsageError) as caught:
        choice([], ["locales,time"]).applicable(obstacles)
    assert caught.value.remedy == f"{command}; or do not require locales, time."


def test_who_is_not_root_gets_libfaketime_by_pip(machine: Callable[..., None]) -> None:
    clock = [Obstacle("libfaketime is not installed", "libfaketime")]
    machine("apt-get", root=False)
    assert remedy(clock) == "pip install libfaketime"
    machine("", root=True)
    assert remedy(clock) == "pip install libfaketime"
    machine("apt-get", root=True)
    assert remedy(clock) == "apt-get install libfaketime"
    machine("apt-get", root=False, processor="aarch64")
    assert remedy(clock) == "sudo apt-get install libfaketime"
    assert remedy([Obstacle("only root may")]) == ""


@pytest.mark.parametrize(("advice", "hint"), [("run this as root", "run this as root; or do not"), ("", "Do not")])
def test_what_no_package_changes_has_its_own_remedy(advice: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        choice([], ["owner"]).applicable({"owner": Obstacle("only root may", advice=advice)})
    assert caught.value.remedy.startswith(f"{hint} require ")


def test_what_is_varied_by_less_than_it_should_be_is_varied_and_said_and_not_enough_where_it_is_required() -> None:
    obstacles = {"time": Obstacle("there is no libfaketime", brief="only Python's", is_partial=True)}
    assert "time" in choice([]).applicable(obstacles)
    assert not_varied(choice([]).left_out(obstacles)) == "not varied: time (only Python's)"
    with pytest.raises(UsageError):
        choice([], ["time"]).applicable(obstacles)


def test_an_unknown_name() -> None:
    with pytest.raises(UsageError) as caught:
        choice(["+umsk"])
    assert caught.value.message == "'+umsk' is not the name of a variation"
    assert "Did you mean 'umask'?" in caught.value.remedy
