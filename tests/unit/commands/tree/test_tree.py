"""Installed trees: the digest, and what fixing them does."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import signal
import stat
import subprocess
import sys
import tarfile
import tempfile
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
from samebytes_tools.commands.tree.bytecode import minors_of
from samebytes_tools.commands.tree.digest import digest
from samebytes_tools.commands.tree.fix import FixOptions, fix
from support.installed import (
    DATE,
    FINAL,
    INFO,
    PIP_SCRIPT,
    TAG,
    UV_SCRIPT,
    facts,
    fix_tree,
    install_into,
    project,
    rewrite,
    strays,
)
from support.wheels import spelt

from samebytes.commands import main as cli
from samebytes.errors import ArchiveError, OutputError, RecordError, UsageError


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A canonical tree with one package."""
    install_into(tmp_path / "tree", project(tmp_path))
    return tmp_path / "tree"


def rows(tree: Path) -> dict[str, list[str]]:
    with (tree / INFO / "RECORD").open(encoding="utf-8", newline="") as file:
        return {row[0]: row for row in csv.reader(file)}


def fixed_alike(tree: Path, was: dict[str, tuple[int, int, bytes]]) -> set[str]:
    """Fix *tree*, demand that it is what it *was*, that a second run changes nothing, and return the rules applied."""
    checked = fix_tree(tree, write=False)
    assert facts(tree) != was
    done = fix_tree(tree)
    assert done.changes == checked.changes
    assert facts(tree) == was
    assert fix_tree(tree).changes == ()
    assert fix_tree(tree, write=False).changes == ()
    assert strays(tree) == []
    return {change.rule for change in done.changes}


# The digest


def test_the_digest_is_that_of_the_tar(tree: Path, tmp_path: Path) -> None:
    (tree / "link").symlink_to("demo/part.py")
    found = digest(tree, tmp_path / "tree.tar")
    written = (tmp_path / "tree.tar").read_bytes()
    assert found.sha256 == hashlib.sha256(written).hexdigest() == digest(tree).sha256
    assert (found.size, found.links) == (len(written), 1)
    with tarfile.open(tmp_path / "tree.tar") as file:
        members = file.getmembers()
    assert [member.name for member in members] == sorted(facts(tree), key=lambda name: name.encode().split(b"/"))
    assert {(member.uid, member.gid, member.uname, member.gname) for member in members} == {(0, 0, "", "")}
    for member in members:
        mode, time, _ = facts(tree)[member.name]
        assert member.mtime == time // 10**9
        assert member.mode == mode or member.issym()


def test_the_tar_unpacks_to_the_same_digest(tree: Path, tmp_path: Path) -> None:
    found = digest(tree, tmp_path / "tree.tar")
    (tmp_path / "copy").mkdir()
    subprocess.run(["tar", "-xpf", tmp_path / "tree.tar", "-C", tmp_path / "copy"], check=True)
    assert digest(tmp_path / "copy").sha256 == found.sha256


@pytest.mark.parametrize("what", ["content", "mode", "mtime", "name", "directory", "target", "directory mode"])
def test_the_digest_sees(what: str, tree: Path) -> None:
    (tree / "link").symlink_to("demo")
    os.utime(tree / "link", (DATE, DATE), follow_symlinks=False)
    before = digest(tree).sha256
    path = tree / "demo" / "data.txt"
    if what == "content":
        path.write_text("SOME text\n", encoding="utf-8")
        os.utime(path, (DATE, DATE))
    elif what == "mode":
        path.chmod(0o664)
    elif what == "mtime":
        os.utime(path, (DATE + 1, DATE + 1))
    elif what == "name":
        path.rename(path.with_name("other.txt"))
        os.utime(path.parent, (DATE, DATE))
    elif what == "directory":
        (path.parent / "empty").mkdir()
        os.utime(path.parent, (DATE, DATE))
    elif what == "target":
        (tree / "link").unlink()
        (tree / "link").symlink_to("bin")
        os.utime(tree / "link", (DATE, DATE), follow_symlinks=False)
    else:
        path.parent.chmod(0o775)
    assert digest(tree).sha256 != before


def test_the_digest_does_not_see_the_top_nor_parts_of_a_second(tree: Path) -> None:
    before = digest(tree).sha256
    tree.chmod(0o700)
    os.utime(tree, (1, 1))
    os.utime(tree / "demo" / "part.py", ns=(DATE * 10**9, DATE * 10**9 + 999))
    moved = tree.rename(tree.with_name("elsewhere"))
    assert digest(moved).sha256 == before


def test_trees_that_have_no_digest(tree: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no such directory"):
        digest(tmp_path / "missing")
    with pytest.raises(UsageError, match="is not a directory"):
        digest(tree / "demo" / "part.py")
    with pytest.raises(UsageError, match="is in the tree") as caught:
        digest(tree, tree / "out.tar")
    assert "another directory" in caught.value.remedy
    os.mkfifo(tree / "pipe")
    with pytest.raises(ArchiveError, match="neither a file, a directory nor a symbolic link") as refused:
        digest(tree)
    assert "Remove it" in refused.value.remedy


@pytest.mark.skipif(sys.platform != "linux", reason="file names are bytes on Linux alone")
def test_a_name_that_is_not_utf8_has_no_digest(tree: Path) -> None:
    (tree / os.fsdecode(b"\xff.txt")).touch()
    with pytest.raises(ArchiveError, match="is not UTF-8") as caught:
        digest(tree)
    assert "Rename it" in caught.value.remedy


# Fixing


def test_a_tree_that_samebytes_installed_is_canonical(tree: Path) -> None:
    assert fix_tree(tree, write=False).changes == ()


def test_modes_and_times(tree: Path) -> None:
    was = facts(tree)
    (tree / "demo" / "data.txt").chmod(0o600)
    (tree / "bin" / "demo").chmod(0o777)
    (tree / "demo").chmod(0o700)
    os.utime(tree / "demo" / "part.py")
    os.utime(tree / INFO)
    assert fixed_alike(tree, was) == {"mode", "mtime"}


def test_hard_links_keep_what_else_they_lead_to(tree: Path, tmp_path: Path) -> None:
    was = facts(tree)
    cached, place = tmp_path / "cached", tree / "demo" / "data.txt"
    os.link(place, cached)
    cached.chmod(0o600)
    os.utime(cached, (5, 5))
    assert fixed_alike(tree, was) == {"mode", "mtime"}
    assert stat.S_IMODE(cached.stat().st_mode) == 0o600
    assert cached.stat().st_mtime == 5


@pytest.mark.parametrize("text", [PIP_SCRIPT, UV_SCRIPT], ids=["pip", "uv"])
def test_what_pip_and_uv_write_becomes_the_same(text: str, tree: Path) -> None:
    was = facts(tree)
    rewrite(tree, "bin/demo", text)
    rewrite(tree, f"{INFO}/INSTALLER", "uv" if text is UV_SCRIPT else "pip\n")
    local = {"url": "file:///tmp/x/demo-1.0-py3-none-any.whl", "archive_info": {}}
    rewrite(tree, f"{INFO}/direct_url.json", json.dumps(local))
    if text is UV_SCRIPT:
        rewrite(tree, f"{INFO}/uv_cache.json", '{"timestamp": 1}')
        (tree / ".lock").touch()
    assert fixed_alike(tree, was) >= {"script", "installer", "direct-url", "record", "mtime"}


def test_a_script_that_nobody_generated_is_not_touched(tree: Path) -> None:
    text = PIP_SCRIPT.replace("sys.exit(main())", "print('mine')\n    sys.exit(main())")
    rewrite(tree, "bin/demo", text)
    fix_tree(tree)
    assert (tree / "bin" / "demo").read_text("utf-8") == text


def test_scripts_get_the_executable_given(tree: Path) -> None:
    fix_tree(tree, executable="/opt/with space/python")
    text = (tree / "bin" / "demo").read_text("utf-8")
    assert text.startswith("#!/bin/sh\n'''exec' '/opt/with space/python' \"$0\" \"$@\"\n' '''\n# -*- coding")
    assert fix_tree(tree).changes == ()


def test_pips_record_of_a_target(tree: Path) -> None:
    """It counts from where the files were before pip moved them, and knows no digests of compiled modules."""
    was = facts(tree)
    record = tree / INFO / "RECORD"
    lines = []
    for name, row in rows(tree).items():
        if name.endswith(".pyc"):
            lines.append(f"{name},,")
        elif name.startswith("bin/"):
            lines.append(",".join([f"../../{name}", *row[1:]]))
        else:
            lines.append(",".join(row))
    record.write_text("\n".join(lines) + "\n", encoding="utf-8")
    os.utime(record, (DATE, DATE))
    assert fixed_alike(tree, was) == {"record"}


def test_pips_headers_of_a_target(tmp_path: Path) -> None:
    """Their place depends on whether pip ran in a virtual environment."""
    files = {"demo/__init__.py": b"def main(): pass\n", "demo-1.0.data/headers/sub/demo.h": b"/* */\n"}
    tree = tmp_path / "tree"
    install_into(tree, project(tmp_path, files=files))
    was = facts(tree)
    assert "include/demo/sub/demo.h" in was
    for where in ("include/site/python3.11", "include/python"):
        (tree / where).mkdir(parents=True)
        (tree / "include" / "demo").rename(tree / where / "demo")
        record = tree / INFO / "RECORD"
        text = record.read_text("utf-8").replace("include/demo", f"../../{where}/demo")
        record.write_text(text, encoding="utf-8")
        assert fixed_alike(tree, was) >= {"headers", "record"}


def test_a_vendored_distribution_is_data(tmp_path: Path) -> None:
    vendored = "demo/_vendor/other-1.0.dist-info"
    files = {
        "demo/__init__.py": b"def main(): pass\n",
        f"{vendored}/RECORD": b"bin/other,sha256=AAAA,3\nother/__init__.py,,\n",
        f"{vendored}/INSTALLER": b"pip\n",
    }
    install_into(tmp_path / "tree", project(tmp_path, files=files))
    assert (tmp_path / "tree" / vendored / "RECORD").read_bytes() == files[f"{vendored}/RECORD"]
    assert (tmp_path / "tree" / vendored / "INSTALLER").read_bytes() == b"pip\n"
    assert fix_tree(tmp_path / "tree").changes == ()


def test_a_url_that_means_something_elsewhere_is_kept(tree: Path) -> None:
    rewrite(tree, f"{INFO}/direct_url.json", '{"url": "https://example.org/demo.git", "vcs_info": {"vcs": "git"}}')
    fix_tree(tree)
    text = (tree / INFO / "direct_url.json").read_text("utf-8")
    assert text == '{"url": "https://example.org/demo.git", "vcs_info": {"vcs": "git"}}\n'
    assert f"{INFO}/direct_url.json" in rows(tree)


@pytest.mark.parametrize("text", ["[" * 100_000, "{", "[]", "1", "{}", '"url"'])
def test_an_origin_that_cannot_be_read_is_left(tree: Path, text: str) -> None:
    rewrite(tree, f"{INFO}/direct_url.json", text)
    (note,) = fix_tree(tree).notes
    assert "cannot be read" in note.detail
    assert (tree / INFO / "direct_url.json").read_text("utf-8") == text


def test_a_local_directory_is_kept_and_reported(tree: Path) -> None:
    rewrite(tree, f"{INFO}/direct_url.json", '{"url": "file:///src", "dir_info": {"editable": true}}')
    (note,) = fix_tree(tree).notes
    assert (note.rule, note.name) == ("direct-url", f"{INFO}/direct_url.json")
    assert "file:///src" in note.detail


# Compiled modules


def test_a_link_to_a_compiled_module_elsewhere_is_replaced_and_not_followed(tree: Path, tmp_path: Path) -> None:
    was = facts(tree)
    place, elsewhere = tree / pyc("demo/part"), tmp_path / "elsewhere.pyc"
    elsewhere.write_bytes(b"of another tree")
    place.unlink()
    place.symlink_to(elsewhere)
    fix_tree(tree)
    assert elsewhere.read_bytes() == b"of another tree"
    assert not place.is_symlink()
    assert facts(tree) == was


def pyc(name: str, level: int = 0) -> str:
    directory, _, last = name.rpartition("/")
    optimized = f".opt-{level}" if level else ""
    return f"{directory}/__pycache__/{last}.{TAG}{optimized}.pyc".lstrip("/")


def test_compiled_modules_are_made_and_listed(tree: Path) -> None:
    was = facts(tree)
    assert {name for name in was if name.endswith(".pyc")} == {pyc("demo/__init__"), pyc("demo/part")}
    (tree / pyc("demo/part")).unlink()
    assert "bytecode" in fixed_alike(tree, was)
    row = rows(tree)[pyc("demo/part")]
    data = (tree / pyc("demo/part")).read_bytes()
    assert row[1:] == [spelt(data), str(len(data))]


def test_pips_compiled_modules_are_compiled_anew(tree: Path) -> None:
    was = facts(tree)
    command = [sys.executable, "-m", "compileall", "-q", "-f", "--invalidation-mode", "timestamp", str(tree / "demo")]
    subprocess.run(command, check=True)
    assert "bytecode" in fixed_alike(tree, was)


def test_levels_of_optimization(tree: Path) -> None:
    fix_tree(tree, levels=(0, 2))
    there = {pyc(f"demo/{name}", level) for name in ("__init__", "part") for level in (0, 2)}
    assert {name for name in facts(tree) if name.endswith(".pyc")} == there
    assert there <= set(rows(tree))
    assert fix_tree(tree).changes == (), "levels that are there are kept where no option names levels"
    fix_tree(tree, levels=(1,))
    assert {name for name in facts(tree) if name.endswith(".pyc")} == {pyc("demo/__init__", 1), pyc("demo/part", 1)}
    fix_tree(tree, levels=())
    assert not [name for name in (*facts(tree), *rows(tree)) if "__pycache__" in name]


def test_what_nothing_imports_is_removed(tree: Path) -> None:
    was = facts(tree)
    for name in (pyc("demo/gone"), pyc("bin/tool")):
        (tree / name).parent.mkdir(exist_ok=True)
        (tree / name).write_bytes(b"anything")
    (tree / "__pycache__").mkdir()
    assert "orphan" in fixed_alike(tree, was)


def test_a_source_that_does_not_compile_is_reported(tmp_path: Path) -> None:
    files = {"demo/__init__.py": b"def main(): pass\n", "demo/template.py": b"{{ not Python }} !\n"}
    installed = install_into(tmp_path / "tree", project(tmp_path, files=files))
    (note,) = installed.notes
    assert note.name == "demo/template.py"
    assert note.detail.startswith("does not compile: ")
    assert (tmp_path / "tree" / "demo" / "template.py").is_file()
    assert pyc("demo/template") not in facts(tmp_path / "tree")
    assert fix_tree(tmp_path / "tree").changes == ()


def test_a_module_that_has_no_source_stays(tmp_path: Path) -> None:
    files = {"demo/__init__.py": b"def main(): pass\n", "demo/closed.pyc": b"\x00" * 20}
    install_into(tmp_path / "tree", project(tmp_path, files=files))
    assert "demo/closed.pyc" in rows(tmp_path / "tree")
    assert fix_tree(tmp_path / "tree").changes == ()


def test_without_an_interpreter_what_is_there_is_put_into_form(tree: Path) -> None:
    was = facts(tree)
    command = [sys.executable, "-m", "compileall", "-q", "-f", "--invalidation-mode", "timestamp", str(tree / "demo")]
    subprocess.run(command, check=True)
    fix(tree, FixOptions(FINAL, DATE), None)
    assert facts(tree) == was
    assert fix(tree, FixOptions(FINAL, DATE), None).changes == ()
    subprocess.run(command, check=True)
    os.utime(tree / "demo" / "part.py", (5, 5))
    (change,) = [change for change in fix(tree, FixOptions(FINAL, DATE), None).changes if "removed" in change.detail]
    assert (change.name, change.detail) == (pyc("demo/part"), "removed: its source has changed since")
    (tree / pyc("demo/part")).write_bytes(b"\xff\xff\r\n" + bytes(20))
    (note,) = fix(tree, FixOptions(FINAL, DATE), None).notes
    assert note.detail == "left as it is: compiled by a Python that is not known"


def test_which_python_a_tree_is_for(tmp_path: Path) -> None:
    caches = tmp_path / "demo" / "__pycache__"
    caches.mkdir(parents=True)
    assert minors_of(tmp_path, "/opt/app") == set()
    (caches / "x.cpython-312.pyc").touch()
    (caches / "y.pypy310.pyc").touch()
    assert minors_of(tmp_path, "/opt/app") == {(3, 12)}
    assert minors_of(tmp_path, "/usr/lib/python3.9/site-packages") == {(3, 9)}


# Bad input


def test_a_record_that_contradicts_its_files(tree: Path) -> None:
    (tree / "demo" / "part.py").write_text("ANSWER = 43\n", encoding="utf-8")
    (tree / "demo" / "data.txt").unlink()
    was = facts(tree)
    with pytest.raises(RecordError) as caught:
        fix_tree(tree)
    assert "2 mismatches" in caught.value.message
    assert f"{INFO}: demo/part.py: RECORD gives sha256=" in caught.value.message
    assert f"{INFO}: demo/data.txt: RECORD lists it, and there is no such file" in caught.value.message
    assert "--rebuild-record" in caught.value.remedy
    assert facts(tree) == was
    fixed = fix_tree(tree, rebuild_record=True)
    assert {note.name for note in fixed.notes} == {"demo/part.py", "demo/data.txt"}
    assert "demo/data.txt" not in rows(tree)
    assert fix_tree(tree) == fixed._replace(changes=(), notes=())


def test_an_ended_run_can_be_run_again(tree: Path) -> None:
    """RECORD is written last: until then it describes the files as they were."""
    was = facts(tree)
    for name, text in ((f"{INFO}/INSTALLER", "pip\n"), ("bin/demo", PIP_SCRIPT), (f"{INFO}/uv_cache.json", "{}")):
        rewrite(tree, name, text)
    (tree / INFO / "INSTALLER").write_bytes(b"samebytes\n")
    (tree / "bin" / "demo").write_bytes(was["bin/demo"][2])
    (tree / INFO / "uv_cache.json").unlink()
    assert fixed_alike(tree, was) >= {"record", "mtime"}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals between processes")
def test_a_killed_run_leaves_whole_files_and_can_be_run_again(tmp_path: Path) -> None:
    files = {"demo/__init__.py": b"def main(): pass\n", **{f"demo/m{n}.py": b"x = %d\n" % n for n in range(400)}}
    tree = tmp_path / "tree"
    install_into(tree, project(tmp_path, files=files))
    was = facts(tree)
    last = tree / pyc("demo/m99")
    for path in tree.rglob("*.pyc"):
        path.write_bytes(b"old")
        os.utime(path, (5, 5))
    command = [sys.executable, "-m", "samebytes", "tree", "fix", "-q", tree, "--layout", FINAL, "--date", str(DATE)]
    process = subprocess.Popen(command)
    end = time.monotonic() + 60
    while process.poll() is None and not any(path.stat().st_size > 3 for path in last.parent.glob("m1*.pyc")):
        assert time.monotonic() < end
    process.kill()
    assert process.wait() == -signal.SIGKILL, "it was done before it could be killed"
    for name, (_, _, data) in facts(tree).items():
        assert "/.samebytes-" in name or data in (was[name][2], b"old")
    (tree / "demo" / ".samebytes-0123456789abcdef.tmp").write_bytes(b"half")
    assert "leftover" in {change.rule for change in fix_tree(tree).changes}
    assert facts(tree) == was


def test_a_whole_system_is_refused(tree: Path) -> None:
    (tree / "etc").mkdir()
    (tree / "etc" / "passwd").touch()
    was = facts(tree)
    with pytest.raises(UsageError, match="is a whole file system") as caught:
        fix_tree(tree)
    assert "dist-packages" in caught.value.remedy
    assert facts(tree) == was


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 200 kB."""
    directory = tmp_path / "small"
    directory.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=200k", "samebytes-test", str(directory)]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"a tmpfs cannot be mounted here: {done.stderr.decode().strip()}")
    yield directory
    subprocess.run(["umount", str(directory)], check=True)


def test_a_read_only_tree(small: Path, tmp_path: Path) -> None:
    install_into(small / "tree", project(tmp_path))
    os.utime(small / "tree" / "demo")
    was = facts(small)
    subprocess.run(["mount", "-o", "remount,ro", str(small)], check=True)
    assert fix_tree(small / "tree", write=False).changes
    with pytest.raises(OutputError, match="cannot be written to; nothing was changed") as caught:
        fix_tree(small / "tree")
    assert "read-only" in caught.value.remedy
    assert facts(small) == was


def test_a_full_disk(small: Path, tmp_path: Path) -> None:
    big = b"".join(b"x%d = %d\n" % (n, n) for n in range(3000))
    install_into(small / "tree", project(tmp_path, files={"demo/__init__.py": big}), levels=())
    free = os.statvfs(small).f_bavail * os.statvfs(small).f_frsize
    (small / "filler").write_bytes(bytes(max(free - 8192, 0)))
    was = facts(small / "tree")
    with pytest.raises(OutputError, match="cannot be written: No space left") as caught:
        fix_tree(small / "tree")
    assert "run it again" in caught.value.remedy
    contents = {name: data for name, (_, _, data) in facts(small / "tree").items()}
    assert {name: data for name, data in contents.items() if name in was} == {n: d for n, (_, _, d) in was.items()}
    (small / "filler").unlink()
    assert "bytecode" in {change.rule for change in fix_tree(small / "tree").changes}


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
def test_a_tree_of_another_user(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="sb-") as directory:
        Path(directory).chmod(0o755)  # pytest's directories are for their owner only
        tree = Path(directory) / "tree"
        install_into(tree, project(tmp_path))
        for name in ("part.py", "data.txt"):
            os.utime(tree / "demo" / name)
        was = facts(tree)
        child = os.fork()
        if child == 0:
            os._exit(_fixed_by_nobody(tree))
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert facts(tree) == was


def _fixed_by_nobody(tree: Path) -> int:
    """Try it as another user, and return 0 if it ended as it should."""
    try:
        os.setuid(65534)  # who may perhaps not run this interpreter
        fix(tree, FixOptions(FINAL, DATE), None)
    except OutputError as error:
        reported = "belongs to another user (number 0), and so do 1 more; nothing was changed" in error.message
        return 0 if reported and "who installed it" in error.remedy else 2
    except BaseException:
        traceback.print_exc()
    return 1


def test_the_place_is_in_compiled_modules(tree: Path) -> None:
    assert f"{FINAL}/demo/part.py".encode() in (tree / pyc("demo/part")).read_bytes()
    fix_tree(tree, final="/srv/other")
    assert b"/srv/other/demo/part.py" in (tree / pyc("demo/part")).read_bytes()
    assert str(tree).encode() not in (tree / pyc("demo/part")).read_bytes()


def test_a_compiled_module_of_another_python_stays_and_is_listed(tree: Path) -> None:
    other = tree / "demo" / "__pycache__" / "part.pypy310-pp73.pyc"
    other.write_bytes(b"\x50\x01\r\n" + bytes(20))
    (note,) = fix_tree(tree).notes
    assert (note.name, note.detail) == (
        other.relative_to(tree).as_posix(),
        "left as it is: compiled by a Python that is not known",
    )
    assert rows(tree)[note.name][1:] == [spelt(other.read_bytes()), "24"]
    assert fix_tree(tree, write=False).changes == ()
    fix_tree(tree, levels=())
    assert not other.exists()


# The command line


@pytest.mark.parametrize(
    ("options", "message", "remedy"),
    [
        (["fix", "{tree}", "--layout", "app"], "--layout: 'app' is not absolute", "Give an absolute path."),
        (["fix", "{tree}", "--root", "{tree}/demo"], "is not in", "Name the --root that it is in."),
        (
            ["fix", "{tree}/none"],
            "there is no such directory",
            "Name the directory that the packages are installed in.",
        ),
        (["fix", "{tree}/demo/data.txt"], "is not a directory", "Name the directory"),
        (["fix", "{tree}", "--python", "{tree}/demo/data.txt"], "cannot be run: Permission denied", "--python"),
        (["fix", "{tree}", "--python", "/bin/echo"], "does not compile for us", "--python"),
        (["digest", "{tree}", "--tar", "{tree}/x.tar"], "is in the tree that is digested", "another directory"),
        (["digest", "{tree}", "{tree}/demo", "--tar", "/tmp/x.tar"], "--tar writes one tree", "Name one"),
    ],
)
def test_wrong_command_lines(
    options: list[str], message: str, remedy: str, tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    was = facts(tree)
    status = cli.main(["tree", *(option.format(tree=tree) for option in options)])
    output = capsys.readouterr().err
    assert status == UsageError.exit_status
    assert message in output
    assert remedy in output
    assert facts(tree) == was


def test_where_a_tree_will_lie_is_counted_from_the_root(tree: Path) -> None:
    site = tree.parent / "image" / "usr" / "lib" / "app"
    site.parent.mkdir(parents=True)
    tree.rename(site)
    options = ["--root", str(tree.parent / "image"), "--date", str(DATE), "-q"]
    assert cli.main(["tree", "fix", str(site), *options, "--check"]) == 1
    assert cli.main(["tree", "fix", str(site), *options]) == 0
    assert cli.main(["tree", "fix", str(site), *options, "--check"]) == 0
    compiled = (site / pyc("demo/part")).read_bytes()
    assert b"/usr/lib/app/demo/part.py" in compiled
    assert str(tree.parent).encode() not in compiled


def test_a_record_need_not_have_digests(tree: Path) -> None:
    """As virtualenv's of pip: of scripts and INSTALLER there are none, and directories are listed."""
    was = facts(tree)
    lines = [f"{name},," if name.startswith("bin/") else ",".join([name, *row[1:]]) for name, row in rows(tree).items()]
    lines += ["demo/__pycache__,,", f"{INFO}/licenses/__pycache__,,"]
    record = tree / INFO / "RECORD"
    record.write_text("\n".join(lines) + "\n", encoding="utf-8")
    os.utime(record, (DATE, DATE))
    found = fix_tree(tree)
    assert [(note.rule, note.detail) for note in found.notes] == [
        ("record", "gave no digest of bin/demo: taken as they are")
    ]
    assert (facts(tree), fix_tree(tree).notes) == (was, ())


@pytest.mark.skipif(sys.platform == "win32", reason="its paths are shorter")
def test_depth_takes_no_time(tmp_path: Path) -> None:
    """A deep tree is refused at once; what is not too deep may have a path that no system call takes."""
    for count, name, said in ((3000, "d", "256 deep and more"), (60, "d" * 100, "shorter path")):
        top = tmp_path / f"deep {count}"
        top.mkdir()
        descriptors = [os.open(top, os.O_RDONLY)]
        for _ in range(count):
            os.mkdir(name, dir_fd=descriptors[-1])
            descriptors.append(os.open(name, os.O_RDONLY, dir_fd=descriptors[-1]))
            os.close(descriptors.pop(-2))
        os.close(os.open("x.txt", os.O_WRONLY | os.O_CREAT, dir_fd=descriptors[-1]))
        os.close(descriptors[-1])
        try:
            with pytest.raises(ArchiveError) as caught:
                digest(top)
            assert said in f"{caught.value} {caught.value.remedy}"
        finally:
            subprocess.run(["rm", "-rf", str(top)], check=True)
