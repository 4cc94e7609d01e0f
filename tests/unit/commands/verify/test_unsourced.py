"""Which files of a published wheel do not come from its source."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from samebytes_tools.commands.verify.unsourced import SourceFiles, Unsourced, unsourced
from support.artifacts import METADATA
from support.wheels import INFO, Member, write_wheel


def wheel(directory: Path, files: Mapping[str, bytes]) -> Path:
    directory.mkdir()
    return write_wheel(
        directory, [Member(name, content) for name, content in {**files, f"{INFO}/METADATA": METADATA}.items()]
    )


def source(directory: Path, files: Mapping[str, bytes]) -> Path:
    for name, content in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return directory


@pytest.mark.parametrize("below", ["", "src/", "lib/python/"])
def test_files_are_found_wherever_the_source_keeps_packages(tmp_path: Path, below: str) -> None:
    files = {"demo/a.py": b"1\n", "demo/b.py": b"2\n"}
    before = SourceFiles(source(tmp_path / "tree", {below + name: content for name, content in files.items()}))
    made = wheel(tmp_path / "made", {"demo/a.py": b"1\n"})
    assert unsourced(wheel(tmp_path / "same", files), made, before) == Unsourced((), ())
    published = wheel(tmp_path / "other", {"demo/a.py": b"other\n", "demo/old.py": b"", "o/demo/b.py": b""})
    assert unsourced(published, made, before) == Unsourced(("demo/old.py", "o/demo/b.py"), ("demo/a.py",))


def test_what_builds_make_is_nobodys_fault(tmp_path: Path) -> None:
    """A module that the build writes, or writes over, is the build's; so are compiled files and metadata."""
    tree = source(tmp_path / "tree", {"demo/version.py": b"0\n", "demo/a.py": b"1\n"})
    before = SourceFiles(tree)
    (tree / "demo" / "version.py").write_bytes(b"commit = None\n")
    (tree / "demo" / "made.py").write_bytes(b"made\n")
    (tree / "demo" / "a.py").unlink()
    made = wheel(
        tmp_path / "made", {"demo/version.py": b"commit = None\n", "demo/made.py": b"made\n", "demo/a.py": b"1\n"}
    )
    published = wheel(
        tmp_path / "published",
        {
            "demo/version.py": b"commit = 'g3'\n",
            "demo/made.py": b"made elsewhere\n",
            "demo/a.py": b"2\n",
            "demo/x.cpython-311-x86_64-linux-gnu.so": b"",
            "demo.libs/libz-1.so": b"",
            "demo-1.0-py3.12-nspkg.pth": b"",
            f"{INFO}/zip-safe": b"",
        },
    )
    assert unsourced(published, made, before) == Unsourced((), ())


def test_a_module_of_a_package_is_not_one_of_the_same_name_beside_it(tmp_path: Path) -> None:
    """As in imagesize 1.4.1, which was a module before it became a package."""
    before = SourceFiles(source(tmp_path / "tree", {"src/demo/__init__.py": b"", "src/demo/demo.py": b"new\n"}))
    made = wheel(tmp_path / "made", {"demo/__init__.py": b"", "demo/demo.py": b"new\n"})
    published = wheel(tmp_path / "published", {"demo/__init__.py": b"", "demo/demo.py": b"new\n", "demo.py": b"old\n"})
    assert unsourced(published, made, before) == Unsourced(("demo.py",), ())
    # What another build put there as well is of the source.
    both = wheel(tmp_path / "both", {"demo/__init__.py": b"", "demo/demo.py": b"new\n", "demo.py": b"new\n"})
    assert unsourced(both, made, before) == Unsourced((), ())
    # And what the build does not pack may be what the other one did.
    assert unsourced(published, wheel(tmp_path / "less", {"demo/__init__.py": b""}), before) == Unsourced((), ())


def test_scripts_and_data_are_looked_for_without_where_they_are_installed(tmp_path: Path) -> None:
    data = INFO.replace(".dist-info", ".data")
    before = SourceFiles(source(tmp_path / "tree", {"bin/run": b"#!python\n"}))
    made = wheel(tmp_path / "made", {f"{data}/scripts/run": b"#!python\n"})
    published = wheel(tmp_path / "published", {f"{data}/scripts/run": b"#!sh\n", f"{data}/scripts/more": b""})
    assert unsourced(published, made, before) == Unsourced(("more",), ("run",))


def test_only_what_is_at_the_top_of_a_wheel_is_of_its_form(tmp_path: Path) -> None:
    names = ("demo/foo.data/x/a.csv", "demo/x.libs/b.py", "demo/y.dist-info/c.txt")
    before = SourceFiles(source(tmp_path / "tree", dict.fromkeys(names, b"1")))
    made = wheel(tmp_path / "made", {"demo/z.py": b""})
    assert unsourced(wheel(tmp_path / "same", dict.fromkeys(names, b"1")), made, before) == Unsourced((), ())
    more = wheel(tmp_path / "more", {name.replace("demo/", "demo/more/"): b"" for name in names})
    assert unsourced(more, made, before).added == tuple(sorted(name.replace("demo/", "demo/more/") for name in names))


def test_links_out_of_the_tree_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"1\n")
    tree = source(tmp_path / "tree", {"demo/b.py": b""})
    (tree / "demo" / "a.py").symlink_to(tmp_path / "secret")
    made, published = (wheel(tmp_path / name, {"demo/a.py": name.encode()}) for name in ("1", "2"))
    (tmp_path / "secret").write_bytes(b"1")
    assert unsourced(published, made, SourceFiles(tree)) == Unsourced((), ())


@pytest.mark.parametrize("place", ["", "licenses/", "license_files/"])
def test_licenses_that_the_source_does_not_have(tmp_path: Path, place: str) -> None:
    """As pydub 0.25.1: wheel takes AUTHORS by itself, and the sdist was made without it."""
    before = SourceFiles(source(tmp_path / "tree", {"NOTICE": b"1", "docs/COPYING.rst": b""}))
    made = wheel(tmp_path / "made", {f"{INFO}/{place}LICENSE": b""})
    names = ("AUTHORS", "LICENSE", "NOTICE", "docs/COPYING.rst", "entry_points.txt")
    published = wheel(tmp_path / "published", {f"{INFO}/{place}{name}": b"" for name in names})
    found = unsourced(published, made, before)
    assert found == Unsourced((), (), ("AUTHORS",))
    assert list(found.notes()) == ["AUTHORS of the wheel, by the name a license, is not in its source"]
    assert unsourced(made, published, before).licenses == ()


def test_notes() -> None:
    many = tuple(f"demo/{number}.py" for number in range(1200))
    assert list(Unsourced((), ()).notes()) == []
    assert list(Unsourced(("demo/a.py",), many).notes()) == [
        "1 file of the wheel is neither in its source nor made by its build (what an earlier build left in build/lib "
        "gets in so): demo/a.py",
        "1,200 files of the wheel are not as its source has them: demo/0.py, demo/1.py, demo/2.py and 1,197 more",
    ]
