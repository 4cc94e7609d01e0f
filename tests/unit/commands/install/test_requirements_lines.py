"""What lines of requirements files mean together, and what of them is shown when they are wrong."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from samebytes_tools.building.markers import applies
from samebytes_tools.building.pylock import local_path
from samebytes_tools.commands.install.lists import Finder
from samebytes_tools.index.client import Index
from samebytes_tools.index.pages import File
from samebytes_tools.releases import lock_files, requirements_file
from samebytes_tools.releases.listed import NO_HASH
from samebytes_tools.releases.requirements_file import RequirementsList
from samebytes_tools.releases.variables import Variables
from support.projects import write_tree


def read(top: Path, text: str, **values: str) -> RequirementsList:
    (top / "list.txt").write_text(text, encoding="utf-8")
    return requirements_file.read(top / "list.txt", {}, Variables(values))


def names(found: RequirementsList) -> list[str]:
    return [one.name for one in found.entries]


UV = """
version = 1
[[package]]
name = "own"
version = "0.1"
source = { editable = "." }
dependencies = [{ name = "demo", marker = "extra == 'x'" }]
[[package]]
name = "demo"
version = "1.0"
source = { registry = "https://host.example/simple" }
"""


def test_a_marker_of_an_extra_does_not_hold(tmp_path: Path) -> None:
    assert not applies("extra == 'x'", {})
    (entry,) = read(tmp_path, "demo==1.0; extra == 'x'\n").entries
    assert entry.skipped
    path = tmp_path / "uv.lock"
    path.write_text(UV)
    entries = lock_files.read_uv_lock(path, lock_files.document_of(path), {})
    assert [bool(one.skipped) for one in entries] == [True, True]
    assert entries[1].name == "demo"


def test_a_file_may_have_requirements_and_constraints(tmp_path: Path) -> None:
    write_tree(tmp_path, {"base.txt": "demo==1\n--no-such\n-c list.txt\n-r base.txt\n"})
    for order in ("-c base.txt\n-r base.txt\n", "-r base.txt\n-c base.txt\n"):
        found = names(read(tmp_path, f"{order}extra==1\n-r base.txt\n"))
        assert found == ["demo", f"{tmp_path / 'base.txt'}, line 2", "extra"] or found[1:] == ["demo", "extra"]


VALUES = (
    "correct horse battery",
    "correct\thorse  battery",
    "back\\slash\\quoted",
    'double"quoted"words',
    "single'quoted'words",
    "unclosed'quoth hence",
    'escaped\\"quoth\\\\slash',
    "per%20cent%41s",
    "brack[ets",
)


@pytest.mark.parametrize("value", VALUES)
def test_no_part_of_a_value_in_an_address_is_shown(tmp_path: Path, value: str) -> None:
    for line in (
        "-i https://u:${PW}@h.example/simple",
        "-i https://[u:${PW}@h.example/simple",
        "--extra-index-url 'https://u:${PW}@h.example/simple'",
        "-i https://h.example/simple --no-such ${PW}",
        "-f https://u:${PW}@h.example/links",
        "-f https://h.example/${PW}/links",
        "-f file://${PW}/links",
        "-r https://u:${PW}@h.example/list.txt",
        '-r "https://h.example/${PW}/list.txt"',
        "-e https://u:${PW}@h.example/x",
        "-e git+https://h.example/${PW}/x",
        "-e file://[${PW}",
        "demo @ https://h.example/${PW}/x",
        "demo[ @ https://u:${PW}@h.example/x",
        "https://h.example/${PW}/demo.whl extra",
        "demo==1.0 --hash sha256:aa https://u:${PW}@h.example",
    ):
        found = read(tmp_path, f"{line}\ngood==1\n", PW=value)
        assert found.entries[-1].name == "good"
        shown = [*found.notes, *(f"{one.label} {one.place} {one.skipped} {one.error}" for one in found.entries)]
        # The directory has a name of the test runner's.
        said = " ".join(shown).replace(str(tmp_path), "")
        for word in re.split(r"[\s\"'\\%]+", value):
            assert word not in said, (line, said)


def test_a_line_without_variables_says_what_is_wrong(tmp_path: Path) -> None:
    (entry,) = read(tmp_path, "--no-index demo==1.0\n").entries
    assert "'demo==1.0' stands behind options" in str(entry.error)
    (entry,) = read(tmp_path, "--no-index ${NAME}\n", NAME="demo==1.0").entries
    assert "it cannot be split with the values of its variables" in str(entry.error)


@pytest.mark.parametrize(
    ("own", "others", "expected"),
    [
        ("==1.0 --hash=sha256:aa --hash=sha256:bb", "==1.0 --hash=sha256:bb --hash=sha256:cc", "sha256:bb"),
        ("==1.0 --hash=sha256:aa", "==1.0 --hash=sha256:bb", ""),
        ("==1.0 --hash=sha256:aa", "==1.0", "sha256:aa"),
        ("==1.0", "==1.0 --hash=sha256:bb", "sha256:bb"),
        ("==1.0", "<2 --hash=sha256:bb", "sha256:bb"),
        (" --hash=sha256:aa", "==1.0 --hash=sha256:bb", ""),
        (" --hash=sha256:aa", "==1.0", "sha256:aa"),
        (">=1 --hash=sha256:aa --hash=sha256:bb", "==1.0 --hash=sha256:bb", "sha256:bb"),
        (" @ https://h.example/demo-1.0-py3-none-any.whl --hash=sha256:aa", "==1.0 --hash=sha256:bb", ""),
    ],
)
def test_hashes_of_a_line_and_of_its_constraint_count_together(
    tmp_path: Path, own: str, others: str, expected: str
) -> None:
    (tmp_path / "limits.txt").write_text(f"Demo{others}\nother==2 --hash=sha256:dd\n")
    (entry,) = read(tmp_path, f"demo{own}\n-c limits.txt\n").entries
    if expected:
        assert (entry.version, entry.error, entry.selection.hashes) == ("1.0", None, {expected})
        assert NO_HASH not in entry.notes
    else:
        assert "limits.txt, line 1 has other hashes of it" in str(entry.error)
        assert not entry.files


def test_a_contradiction_is_not_undone_by_a_later_constraint(tmp_path: Path) -> None:
    (tmp_path / "limits.txt").write_text("demo<2 --hash=sha256:bb\ndemo==1.0 --hash=sha256:aa\n")
    (entry,) = read(tmp_path, "demo --hash=sha256:aa\n-c limits.txt\n").entries
    assert "line 1 has other hashes of it" in str(entry.error)


@pytest.mark.parametrize("option", ["-r", "-c", "-f", "-e", "-i", "--extra-index-url"])
def test_a_malformed_address_is_an_error_of_its_line(tmp_path: Path, option: str) -> None:
    for address in ("https://u:secret@[?token=x", "file://["):
        found = read(tmp_path, f"# first\n{option} {address}\ngood==1\n").entries
        if option == "-e" and "https" in address:
            continue
        assert [one.name for one in found] == [f"{tmp_path / 'list.txt'}, line 2", "good"]
        assert found[0].error
        assert found[0].error.remedy
        shown = "it has an address that" if option == "-e" else f"the address {address.partition(':')[0]}://["
        assert f"{shown} is malformed" in found[0].error.message


def test_a_malformed_address_alone_is_shown_without_its_credentials(tmp_path: Path) -> None:
    for text in ("https://u:secret@[x/demo.whl?token=x", "git+https://u:secret@[x/demo"):
        (entry,) = read(tmp_path, text).entries
        assert entry.name == text.partition("?")[0].replace("u:secret@", "")
        assert "secret" not in str(entry.error)


def test_a_name_that_is_too_long_is_no_directory(tmp_path: Path) -> None:
    found = read(tmp_path, f"-f {'a' * 5000}\n")
    assert "is neither a directory nor a wheel" in found.notes[0]


@pytest.mark.parametrize(
    ("address", "posix", "windows"),
    [
        ("file:///C:/wheels/a%20b", "/C:/wheels/a b", "C:/wheels/a b"),
        ("file:///wheels", "/wheels", "/wheels"),
        ("file://localhost/C:/wheels", "/C:/wheels", "C:/wheels"),
        ("file:wheels", "wheels", "wheels"),
        ("file://server/share/x", "/share/x", "//server/share/x"),
    ],
)
def test_the_path_of_an_address(address: str, posix: str, windows: str) -> None:
    assert local_path(address, is_windows=False) == posix
    assert local_path(address, is_windows=True) == windows


def test_the_first_of_two_editables_counts_as_in_pip(tmp_path: Path) -> None:
    found = read(tmp_path, "-e ./one -e ./two\n")
    assert [one.place for one in found.entries] == ["a directory, ./one"]
    assert "line 1: of several --editable" in found.notes[0]


def test_a_hash_without_a_digest_is_none(tmp_path: Path) -> None:
    found = read(
        tmp_path, "--require-hashes\ndemo==1 --hash=sha256:\ndemo @ https://h.example/x.whl --hash=sha256:a:b\n"
    )
    assert "line 1 demands one" in str(found.entries[0].error)
    assert found.entries[0].notes == (NO_HASH,)
    assert found.entries[1].selection.hashes == {"sha256:a:b"}


def test_indexes_may_be_added_while_one_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """As other threads do, here at the worst of moments."""
    finder = Finder([], "", {}, offline=False)
    finder._client("https://a.example/simple")

    def with_credentials(_: Index, url: str) -> str:
        finder._client(f"https://{len(finder._clients)}.example/simple")
        return url

    monkeypatch.setattr(Index, "with_credentials", with_credentials)
    client, _ = finder._client_for(File("x.whl", "https://u:p@files.example/x.whl"))
    assert client.address == "https://files.example"
