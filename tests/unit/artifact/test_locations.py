from __future__ import annotations

import pytest

from samebytes.artifact.locations import Root, relative, source_root


def root_of(*texts: str) -> str | None:
    root = source_root(texts)
    return None if root is None else str(root)


@pytest.mark.parametrize(
    ("texts", "root"),
    [
        pytest.param(["path+file:///a/b#n@1"], "/a/b", id="one package is the root"),
        pytest.param(["path+file:///a/b#n@1", "path+file:///a/b/c#1"], "/a/b", id="one below the other"),
        pytest.param(["path+file:///a/b/d#1", "path+file:///a/b/c#1"], "/a/b", id="siblings"),
        pytest.param(["path+file:///a/bc#1", "path+file:///a/bd#1"], "/a", id="whole components count"),
        pytest.param(["path+file:///a//b/#1"], "/a/b", id="slashes"),
        pytest.param(["path+file:///#n@1", "path+file:///c#1"], "/", id="a package at the top"),
        pytest.param(["path+file:///a/b#1", "path+file:///c/d#1"], None, id="nothing in common"),
        pytest.param(["path+file:///a/b#1", "path+file:///usr/share/cargo/x#1"], "/a/b", id="system directories"),
        pytest.param(["path+file:///dev/shm/b#1", "path+file:///dev/shm/b/c#1"], "/dev/shm/b", id="memory is built in"),
        pytest.param(["path+file:///usr/share/cargo/x#1"], None, id="nothing else"),
        pytest.param(["path+file:///usr/src/app#1", "path+file:///usr/include#1"], "/usr/src/app", id="usr-src"),
        pytest.param(
            ["path+file:///usr/local/src/app#1", "path+file:///usr/local/lib#1"], "/usr/local/src/app", id="l"
        ),
        pytest.param(["path+file:///a/../b#1"], None, id="dots"),
        pytest.param(["path+file:///a/b#n@1 bin-target-0"], "/a/b", id="a target"),
        pytest.param(["n 1.0.0 (path+file:///a/b(c))"], "/a/b(c)", id="old identifier"),
        pytest.param(["path+file:///a/(c)#n@1"], "/a/(c)", id="parentheses in a name"),
        pytest.param(["path+file:///C:/u/b#1"], "/C:/u/b", id="drive"),
        pytest.param(["path+file:///C:/u#1", "path+file:///C:/v#1"], None, id="only a drive in common"),
        pytest.param(["path+file:///C:/#n@1", "path+file:///C:/v#1"], "/C:", id="a package on a drive"),
        pytest.param(["path+file:///a/b#1", "file:///x/y/z"], "/a/b", id="packages come first"),
        pytest.param(["path+file://.#n@1", "file:///x/y/z"], None, id="even relative ones"),
        pytest.param(["file:///a/b/x.c", "file:///a/b/c/y.c"], "/a/b", id="files"),
        pytest.param(["file:///a/b/"], "/a/b", id="a directory"),
        pytest.param(["file:///a/b/x.c", "file:///etc/passwd", "file:///usr/lib/x.so"], "/a/b", id="system files"),
        pytest.param(["pkg:pypi/x@1?download_url=file%3A%2F%2F%2Fa%2Fb%2Fx.gz%23f%2Fg&y=z"], "/a/b", id="encoded"),
        pytest.param(["pkg:pypi/x@1?download_url=file:%2f%2f%2fa%2fb%2fx.gz"], "/a/b", id="half encoded"),
        pytest.param(["pkg:pypi/x@1?download_url=file:///a/b/x.gz&y=/z"], "/a/b", id="qualifier"),
        pytest.param(["git+file:///a/b/r.git@1#x"], "/a/b", id="git"),
        pytest.param(["see file:///a/b/c"], None, id="prose"),
        pytest.param(["file://host/a/b", "file:/a/b", "xfile:///a/b", "https://x/file/a"], None, id="others"),
        pytest.param(["/a/b/c", "file"], None, id="plain paths"),
        pytest.param([], None, id="none"),
    ],
)
def test_the_root(texts: list[str], root: str | None) -> None:
    assert root_of(*texts) == root
    assert root_of(*reversed(texts)) == root


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("path+file:///a/b#n@1.0", "path+file://.#n@1.0"),
        ("path+file:///a/b#1.0", "path+file://.#b@1.0"),
        ("path+file:///a/b#1.0 bin-target-0", "path+file://.#b@1.0 bin-target-0"),
        ("path+file:///a/b", "path+file://."),
        ("path+file:///a/b/c#1.0", "path+file://c#1.0"),
        ("path+file:///a/b//localhost/d/", "path+file://localhost/d"),
        ("path+file:///a/bc#1.0", "path+file:///a/bc#1.0"),
        ("path+file:///a#1.0", "path+file:///a#1.0"),
        ("b 1.0 (path+file:///a/b)", "b 1.0 (path+file://.)"),
        ("b 1.0 (path+file:///a/b/c) bin-target-0", "b 1.0 (path+file://c) bin-target-0"),
        ("file:///a/b/x.c", "file://x.c"),
        ("file:///a/b/", "file://."),
        ("file:///a/b?x=/a/b", "file://.?x=/a/b"),
        ("pkg:cargo/x@1?download_url=file:///a/b/c&z=1#src/y", "pkg:cargo/x@1?download_url=file://c&z=1#src/y"),
        ("pkg:x?u=file%3A%2F%2F%2Fa%2Fb%2Fc%2fd%2520e&z", "pkg:x?u=file%3A%2F%2Fc%2Fd%2520e&z"),
        ("pkg:x?u=file%3a%2f%2f%2fa%2fb", "pkg:x?u=file%3a%2f%2f."),
        ("git+file:///a/b/r.git@v1#x", "git+file://r.git@v1#x"),
        ("built from file:///a/b/c, then more", "built from file://c, then more"),
        ("/a/b", "."),
        ("/a/b/", "."),
        ("/a/b/c/d.rs:12", "c/d.rs:12"),
        ("/a/bc", "/a/bc"),
        ("in /a/b/c", "in /a/b/c"),
        ("file:///other/x", "file:///other/x"),
    ],
)
def test_texts_are_made_relative(text: str, expected: str) -> None:
    root = Root(("a", "b"))
    assert relative(text, root) == expected
    assert relative(expected, root) == expected


def test_escapes_in_a_root() -> None:
    root = source_root(["path+file:///my%20dir/x%C3%A9#n@1"])
    assert root is not None
    assert relative("path+file:///my%20dir/x%C3%A9/c#1", root) == "path+file://c#1"
    assert relative("u=file%3A%2F%2F%2Fmy%2520dir%2Fx%25C3%25A9%2Fc", root) == "u=file%3A%2F%2Fc"
    assert relative("/my dir/xé/c", root) == "c"


def test_a_windows_drive() -> None:
    root = source_root(["path+file:///C:/u/b#n@1"])
    assert root is not None
    assert relative("C:\\u\\b\\src\\x.rs", root) == "src\\x.rs"
    assert relative("C:/u/b/src/x.rs", root) == "src/x.rs"
    assert relative("/C:/u/b", root) == "/C:/u/b"


@pytest.mark.parametrize("parts", [(), ("C:",)])
def test_plain_paths_stay_where_the_root_is_everything(parts: tuple[str, ...]) -> None:
    for text in ("/", "/src/x.rs", "C:\\", "C:/src"):
        assert relative(text, Root(parts)) == text


def test_system_files_stay_even_below_the_root() -> None:
    assert relative("file:///usr/lib/x.so", Root(())) == "file:///usr/lib/x.so"
    assert relative("file:///x/y", Root(())) == "file://x/y"
