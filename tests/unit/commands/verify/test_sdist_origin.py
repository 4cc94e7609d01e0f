"""What the files of an sdist are to a commit: all of them are one of five things."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samebytes_tools.commands.verify import sdist_origin
from samebytes_tools.commands.verify.sdist_origin import compare, of_sdist, of_tree
from support.artifacts import sdist
from support.projects import write_tree
from support.wheels import Member, write_sdist

from samebytes.archive.entry import Kind
from samebytes.errors import ArchiveError

COMMITTED = {"setup.py": "import setuptools\n", "demo.py": "x = 1\n", "tests/a.py": "a\r\nb\r\n", ".git/HEAD": "ref"}


def never() -> Path | None:
    raise AssertionError("nothing is to be explained by a build")


def test_an_sdist_that_is_the_commit_but_for_metadata(tmp_path: Path) -> None:
    tree = write_tree(tmp_path / "tree", COMMITTED)
    files = {
        "setup.py": b"import setuptools\n",
        "demo.py": b"x = 1\r\n",
        "demo.egg-info/SOURCES.txt": b"",
        "src/demo.egg-info/PKG-INFO": b"",
        "setup.cfg": b"[egg_info]\ntag_build = \ntag_date = 0\n\n",
    }
    found = compare(sdist(tmp_path, files=files), of_tree(tree), never)
    assert (found.same, found.line_ends, found.left_out, found.is_rebuilt) == (1, ("demo.py",), 1, False)
    assert found.generated == ("PKG-INFO", "demo.egg-info/SOURCES.txt", "setup.cfg", "src/demo.egg-info/PKG-INFO")
    assert found.is_from_commit
    assert found.files == 6


def test_what_xz_had(tmp_path: Path) -> None:
    """A file of the archive that is in no commit, and one that is another there (CVE-2024-3094)."""
    tree = write_tree(tmp_path / "tree", COMMITTED)
    files = {"setup.py": b"import setuptools\n", "demo.py": b"x = 2\n", "m4/build-to-host.m4": b"gl_", "_v.py": b"1"}
    rebuilt = sdist(tmp_path / "again", files={"_v.py": b"1", "m4/build-to-host.m4": b"other"})
    found = compare(sdist(tmp_path, files=files), of_tree(tree), lambda: rebuilt)
    assert (found.made, found.changed, found.foreign) == (("_v.py",), ("demo.py",), ("m4/build-to-host.m4",))
    assert found.is_rebuilt
    assert not found.is_from_commit
    # Without a build, nothing shows where a generated file is from.
    assert compare(sdist(tmp_path, files=files), of_tree(tree), lambda: None).foreign == (
        "_v.py",
        "m4/build-to-host.m4",
    )


def test_what_the_backend_rewrites_is_made_from_the_commit(tmp_path: Path) -> None:
    tree = write_tree(tmp_path / "tree", COMMITTED)
    files = {"demo.py": b"VERSION = '1.0'\n"}
    found = compare(sdist(tmp_path, files=files), of_tree(tree), lambda: sdist(tmp_path / "again", files=files))
    assert (found.made, found.changed) == (("demo.py",), ())


def test_a_script_called_like_metadata_is_none(tmp_path: Path) -> None:
    """Only what lies directly in .egg-info is metadata, and PKG-INFO only at the top."""
    files = {"sub/PKG-INFO": b"", "a.egg-info/deep/b.py": b"", "setup.cfg": b"[x]\n"}
    found = compare(sdist(tmp_path, files=files), {}, lambda: None)
    assert found.foreign == ("a.egg-info/deep/b.py", "setup.cfg", "sub/PKG-INFO")


def test_of_egg_info_only_what_setuptools_writes_is_metadata(tmp_path: Path) -> None:
    """Others write there, too, which building the commit shows."""
    files = {"a.egg-info/build-to-host.m4": b"gl_", "a.egg-info/pbr.json": b"{}", "a.egg-info/requires.txt": b""}
    rebuilt = sdist(tmp_path / "again", files={"a.egg-info/pbr.json": b"{}"})
    found = compare(sdist(tmp_path, files=files), {}, lambda: rebuilt)
    assert (found.made, found.foreign) == (("a.egg-info/pbr.json",), ("a.egg-info/build-to-host.m4",))


def test_no_link_of_an_sdist_is_missed(tmp_path: Path) -> None:
    """Those to directories and to links bring files to places where the commit has none."""
    links = {"m4": "tests/m4", "one": "two", "two": "setup.py", "deep": "m4/evil.m4", "gone": "nowhere"}
    members = [Member(f"demo-1.0/{name}", kind=Kind.SYMLINK, target=target) for name, target in links.items()]
    files = {
        "PKG-INFO": b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n",
        "tests/m4/evil.m4": b"e",
        "setup.py": b"s",
    }
    members += [Member(f"demo-1.0/{name}", data) for name, data in files.items()]
    archive = write_sdist(tmp_path, members, "demo-1.0.tar.gz")
    commit = {name: sdist_origin.digests_of(data) for name, data in files.items()}
    assert compare(archive, commit, lambda: None).foreign == ("deep", "m4/evil.m4", "one", "two")
    commit.update(dict.fromkeys(("one", "two"), commit["setup.py"]))
    commit.update(dict.fromkeys(("deep", "m4/evil.m4"), commit["tests/m4/evil.m4"]))
    assert compare(archive, commit, never).is_from_commit


def test_links_that_lead_to_very_many_files(tmp_path: Path) -> None:
    members = [Member("demo-1.0/PKG-INFO", b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n")]
    members += [Member(f"demo-1.0/d/{number}", b"") for number in range(320)]
    members += [Member(f"demo-1.0/link{number}", kind=Kind.SYMLINK, target="d") for number in range(320)]
    with pytest.raises(ArchiveError, match="more than 100,000 files"):
        of_sdist(write_sdist(tmp_path, members, "demo-1.0.tar.gz"))


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links cannot be made here")
def test_links(tmp_path: Path) -> None:
    tree = write_tree(tmp_path / "tree", {"LICENSE": "L", "pkg/a.py": "a", "sub/setup.py": ""})
    (tree / ".git").mkdir()
    (tree / "sub/LICENSE").symlink_to("../LICENSE")
    (tree / "sub/pkg").symlink_to("../pkg")
    (tree / "sub/up").symlink_to("..")
    (tree / "sub/etc").symlink_to("/etc")
    (tree / "sub/passwd").symlink_to("/etc/passwd")
    (tree / "sub/broken").symlink_to("nowhere")
    (tree / "sub/broken-too").symlink_to("broken-too")
    (tree / ".git/packed-refs").write_text("what nobody committed", encoding="utf-8")
    (tree / "sub/passwd-refs").symlink_to("../.git/packed-refs")
    found = of_tree(tree / "sub")
    assert {"LICENSE", "pkg/a.py", "setup.py"} <= set(found)
    assert not {name for name in found if name.startswith(("etc", "passwd", "broken"))}
    assert len(found) < 20  # links in a circle have an end
    members = [Member("demo-1.0/LICENSE", b"L"), Member("demo-1.0/pkg/b", kind=Kind.SYMLINK, target="../LICENSE")]
    members.append(Member("demo-1.0/PKG-INFO", b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n"))
    archive = of_sdist(write_sdist(tmp_path, members, "demo-1.0.tar.gz"))
    assert archive["pkg/b"] == archive["LICENSE"] == found["LICENSE"]


@settings(max_examples=60, deadline=None)
@given(
    committed=st.dictionaries(st.sampled_from("abcdef"), st.binary(max_size=3), max_size=6),
    shipped=st.dictionaries(st.sampled_from("abcdefgh"), st.binary(max_size=3), max_size=8),
    made=st.dictionaries(st.sampled_from("abcdefgh"), st.binary(max_size=3), max_size=8),
)
def test_every_file_is_one_thing(
    committed: dict[str, bytes],
    shipped: dict[str, bytes],
    made: dict[str, bytes],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """No file of an sdist is missed, none counts twice, and only what commit or backend have comes from there."""
    directory = tmp_path_factory.mktemp("sdists")
    commit = {name: sdist_origin.digests_of(data) for name, data in committed.items()}
    rebuilt = sdist(directory / "again", files=made)
    found = compare(sdist(directory, files=shipped), commit, lambda: rebuilt)
    groups = [found.line_ends, found.generated, found.made, found.changed, found.foreign]
    named = [name for group in groups for name in group]
    assert len(named) == len(set(named)) == len(shipped) + 1 - found.same
    assert found.files == len(shipped) + 1
    for name in found.strange:
        assert shipped[name] != committed.get(name)
        assert shipped[name] != made.get(name)
