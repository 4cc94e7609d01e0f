"""Lock files of uv: what is needed where extras conflict, or where there is no project; and locks for others."""

from __future__ import annotations

from pathlib import Path

import pytest
from samebytes_tools.building.provenance import this_python
from samebytes_tools.commands.verify import targets
from samebytes_tools.commands.verify.verify import VerifyRequest
from samebytes_tools.releases import formats, lock_files

from samebytes.errors import ConfigError, UsageError

PYTHON_3_11 = {"python_version": "3.11", "python_full_version": "3.11.7", "sys_platform": "linux"}
REGISTRY = 'source = { registry = "https://host.example/simple" }'


def needed(path: Path, text: str) -> list[str]:
    path.write_text(text, encoding="utf-8")
    entries = lock_files.read_uv_lock(path, lock_files.document_of(path), PYTHON_3_11)
    return [entry.label for entry in entries if not entry.skipped]


def package(name: str, version: str, more: str = "") -> str:
    return f'[[package]]\nname = "{name}"\nversion = "{version}"\n{REGISTRY}\n{more}\n'


CONFLICTS = """
version = 1
conflicts = [[{ package = "own", extra = "old" }, { package = "own", group = "new" }], [{ package = "member" }]]

[[package]]
name = "own"
version = "0.1"
source = { virtual = "." }
dependencies = [
    { name = "always" },
    { name = "for-old", marker = "extra == 'extra-3-own-old'" },
    { name = "for-new", marker = "python_version >= '3.9' and extra == 'group-3-own-new'" },
    { name = "for-neither", marker = "extra != 'extra-3-own-old' and extra != 'group-3-own-new'" },
    { name = "for-both", marker = "extra == 'extra-3-own-old' and extra == 'group-3-own-new'" },
    { name = "for-member", marker = "extra == 'project-6-member' and extra == 'extra-3-own-old'" },
    { name = "backport", marker = "python_version < '3' or (extra == 'extra-3-own-old' and extra == 'group-3-own-new')" },
]
"""


def test_of_extras_that_conflict_what_any_of_them_needs_is_needed(tmp_path: Path) -> None:
    """And not what only two together would need, of which uv writes, as that cannot be."""
    names = ("always", "for-old", "for-new", "for-neither", "for-both", "for-member", "backport")
    text = CONFLICTS + "".join(package(name, "1.0") for name in names)
    found = [f"{name} 1.0" for name in ("always", "for-old", "for-new", "for-neither", "for-member")]
    assert needed(tmp_path / "uv.lock", text) == found


def test_many_conflicts_take_no_time_that_grows_with_their_combinations(tmp_path: Path) -> None:
    sets = [[{"package": "own", "extra": f"{kind}{number}"} for kind in "ab"] for number in range(40)]
    choices = lock_files._choices(sets)
    assert len(choices) < 400
    assert all(frozenset([lock_files._as_extra(item)]) in choices for items in sets for item in items)
    assert frozenset() in choices


SCRIPT = """
version = 1
[manifest]
requirements = [
    { name = "always", extras = ["more"], specifier = ">=1" },
    { name = "windows", marker = "sys_platform == 'win32'" },
    { name = "forked" },
]
[manifest.dependency-groups]
dev = [{ name = "tool" }]
"""


def test_a_script_has_its_requirements_in_the_manifest(tmp_path: Path) -> None:
    optional = '[package.optional-dependencies]\nmore = [{ name = "extra" }]'
    old, new = (
        "resolution-markers = [\"python_version < '3.10'\"]",
        "resolution-markers = [\"python_version >= '3.10'\"]",
    )
    packages = [
        package("always", "1.0", optional),
        *(package(name, "1.0") for name in ("windows", "extra", "tool", "nobody")),
        package("forked", "1.0", old),
        package("forked", "2.0", new),
    ]
    found = needed(tmp_path / "script.py.lock", SCRIPT + "".join(packages))
    assert found == ["always 1.0", "extra 1.0", "tool 1.0", "forked 2.0"]


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("uv.lock", 'version = 1\nrequires-python = "<3"\npackage = []', "is for Python <3, not for 3."),
        ("uv.lock", "version = 1\nsupported-markers = [\"python_version < '3'\"]\npackage = []", "other environments"),
        ("pylock.toml", 'lock-version = "1.0"\nrequires-python = "<3"\npackages = []', "is for Python <3, not for 3."),
        ("pylock.toml", 'lock-version = "1.0"\nenvironments = ["python_version < \'3\'"]\npackages = []', "other env"),
    ],
)
def test_a_lock_for_other_interpreters_is_refused(tmp_path: Path, name: str, text: str, problem: str) -> None:
    """Else files for this one would be missed in the lock, as if somebody had changed them."""
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        targets.of_list(tmp_path / name, VerifyRequest(""), this_python(), {})
    assert problem in caught.value.message
    assert "--python" in caught.value.remedy


@pytest.mark.parametrize(
    ("name", "text", "remedy"),
    [
        ("poetry.lock", '[[package]]\nname = "a"\n[metadata]\ncontent-hash = "00"\n', "poetry export"),
        ("setup.cfg", "[metadata]\nname = a\n[options]\ninstall_requires =\n  idna==3.10\n", "Name a list"),
        ("script.py", "# /// script\n# dependencies = ['idna']\n# ///\n", "uv lock --script"),
        ("pixi.lock", "version: 6\nenvironments:\n", "Name a list"),
    ],
)
def test_what_is_not_read_is_named(tmp_path: Path, name: str, text: str, remedy: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        formats.recognized(tmp_path / name)
    assert remedy in caught.value.remedy


def test_an_archive_that_a_host_makes_is_called_by_its_address(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("https://host.example/a/zipball/main\nhttps://host.example/b-1.0.zip\n")
    found, _ = targets.of_list(tmp_path / "list.txt", VerifyRequest(""), this_python(), {})
    assert [one.label for one in found] == ["https://host.example/a/zipball/main", "b-1.0.zip"]


@pytest.mark.parametrize("text", ["", "# idna==3.10\n\n"])
def test_an_empty_list_is_noted(tmp_path: Path, text: str) -> None:
    path = tmp_path / "list.txt"
    path.write_text(text)
    assert targets.of_list(path, VerifyRequest(""), this_python(), {}) == ([], (f"{path} names no package",))


def test_a_directory_that_is_no_environment_is_named_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a virtual environment"):
        targets.of_list(tmp_path, VerifyRequest(""), this_python(), {})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_lock_that_powershell_wrote_is_read(tmp_path: Path, encoding: str) -> None:
    """What is redirected into a file there begins with a byte order mark."""
    path = tmp_path / "pylock.toml"
    path.write_bytes('lock-version = "1.0"\r\n[[packages]]\r\nname = "demo"\r\nversion = "1.0"\r\n'.encode(encoding))
    found, _ = targets.of_list(path, VerifyRequest(""), this_python(), {})
    assert [one.label for one in found] == ["demo 1.0"]
