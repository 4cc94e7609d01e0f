"""Compiled modules that are kept: the bytes that the compiler gives, and nothing that somebody else put there."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import sys
from pathlib import Path

import pytest
from samebytes_tools.commands.install import command
from samebytes_tools.commands.install.install import Installation, install
from samebytes_tools.commands.install.interpreter import TARGET
from samebytes_tools.commands.install.wheel import InstallOptions
from samebytes_tools.commands.tree import compiled_cache
from samebytes_tools.commands.tree.compile_ahead import CompilerAhead
from samebytes_tools.commands.tree.compiled_cache import CachedSource, CompiledCache, key_in
from samebytes_tools.commands.tree.compiler import Compiled, Compiler, Wanted
from support.installed import DATE, PYTHON, facts, project

from samebytes.commands import main as cli
from samebytes.errors import UsageError

KEY = b"k" * 32

SOURCES = {
    "plain.py": b"ANSWER = 42\n",
    "deep.py": b"class A:\n    def a(self):\n        return lambda: [x for x in (1, 2, {3, 4})]\n" * 40,
    "empty.py": b"",
    # A constant that is the path of one of the trees, folded by the compiler.
    "itself.py": b"WHERE = '/opt/a' + '/itself.py'\nAGAIN = '/opt/a/itself.py'\n",
    "names.py": b"'/opt/a/names.py is in a longer text'\n",
    "frozen.py": b"FOUND = 'x' in {'/opt/a/frozen.py', '/opt/b', '/opt/bb/frozen.py'}\n",
    "broken.py": b"def broken(:\n",
}

FINALS = ["/opt/a", "/opt/bb", "/", "/größe", f"/{'long' * 70}", f"/{'x' * (254 - len('/plain.py'))}"]


def sources(directory: Path, final: str, names: dict[str, bytes] | None = None) -> list[CachedSource]:
    found = []
    for name, data in (names or SOURCES).items():
        (directory / name).write_bytes(data)
        for level in (0, 2):
            wanted = Wanted(directory / name, f"{final.rstrip('/')}/{name}", level)
            found.append(CachedSource(wanted, hashlib.sha256(data).digest(), name))
    return found


def through(cache: CompiledCache | None, wanted: list[CachedSource], mode: str = "checked-hash") -> list[Compiled]:
    """Return what becomes of *wanted* with *cache*."""
    with CompilerAhead(sys.executable, mode, 1, cache) as ahead:
        ahead.recall(wanted)
        found = ahead.compile([one.wanted for one in wanted])
        ahead.keep()
    return found


def refused(_: Wanted) -> Compiled:
    raise AssertionError("it is kept")


@pytest.mark.parametrize("first", ["/opt/a", "/opt/bb"])
def test_it_gives_the_bytes_of_the_compiler_wherever_the_tree_will_be(tmp_path: Path, first: str) -> None:
    for final in [first, *FINALS]:
        wanted = sources(tmp_path, final)
        cache = CompiledCache(tmp_path / "cache", KEY)
        expected = dict(
            zip((one.wanted for one in wanted), Compiler(sys.executable).compile([one[0] for one in wanted]))
        )
        assert through(cache, wanted) == list(expected.values()), final
        assert cache.notes == []
        # From now on most come from the cache.
        recalled = CompiledCache(tmp_path / "cache", KEY).recalled(wanted, interpreter())
        assert recalled == {key: expected[key] for key in recalled}
        assert not any(one.source.name == "broken.py" for one in recalled)
        path = wanted[0].wanted.filename
        assert (wanted[0].wanted in recalled) == (path.isascii() and len(path) < 256), final


def interpreter() -> str:
    ahead = CompilerAhead(sys.executable)
    return f"{ahead.interpreter}\n{ahead._flags}"


def kept(directory: Path) -> Path:
    (found,) = directory.iterdir()
    return found


def test_what_decides_on_the_bytes_decides_on_what_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = {"plain.py": SOURCES["plain.py"], "more.py": b"MORE = 1\n"}
    wanted = sources(tmp_path, "/opt/a", names)
    through(CompiledCache(tmp_path / "cache", KEY), wanted)
    same = CompiledCache(tmp_path / "cache", KEY)
    assert len(same.recalled(wanted, interpreter())) == 4
    changed = [wanted[0]._replace(digest=b"0" * 32), *wanted[1:]]
    other_level = [one._replace(wanted=one.wanted._replace(optimize=1)) for one in wanted]
    for others in (changed, other_level, wanted[:-1], wanted[::-1]):
        assert same.recalled(others, interpreter()) == {}
    assert same.recalled(wanted, f"{interpreter()} of another day") == {}
    assert CompiledCache(tmp_path / "cache", b"o" * 32).recalled(wanted, interpreter()) == {}
    assert through(same, wanted, "unchecked-hash") != through(same, wanted)
    monkeypatch.setattr(compiled_cache, "_digest_of_rule", lambda: b"another release")
    assert CompiledCache(tmp_path / "cache", KEY).recalled(wanted, interpreter()) == {}


def test_nothing_that_somebody_else_wrote_is_used(tmp_path: Path) -> None:
    """Any byte changed, anything cut off, another entry in its place: it is compiled, reported, and written again."""
    wanted = sources(tmp_path, "/opt/a", {"plain.py": b"ANSWER = 42\n"})
    expected = through(CompiledCache(tmp_path / "cache", KEY), wanted)
    path = kept(tmp_path / "cache")
    good = path.read_bytes()
    other = sources(tmp_path, "/opt/a", {"evil.py": b"ANSWER = 43\n"})
    through(CompiledCache(tmp_path / "other", KEY), other)
    forgeries = [bytes((*good[:at], good[at] ^ 1, *good[at + 1 :])) for at in range(0, len(good), 7)]
    forgeries += [good[:-1], b"", good + b"x", kept(tmp_path / "other").read_bytes()]
    for forged in forgeries:
        path.write_bytes(forged)
        cache = CompiledCache(tmp_path / "cache", KEY)
        assert cache.recalled(wanted, interpreter_of_this) == {}
        assert [(where, "was changed" in why) for where, why in cache.notes] == [(path, True)]
    cache = CompiledCache(tmp_path / "cache", KEY)
    assert through(cache, wanted) == expected
    assert path.read_bytes() == good


interpreter_of_this = interpreter()


@pytest.mark.skipif(sys.platform == "win32", reason="makes links and pipes")
@pytest.mark.parametrize("kind", ["link", "pipe", "directory", "large"])
def test_what_is_no_file_is_not_waited_for(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = sources(tmp_path, "/opt/a", {"plain.py": b"ANSWER = 42\n"})
    expected = through(CompiledCache(tmp_path / "cache", KEY), wanted)
    path = kept(tmp_path / "cache")
    if kind == "large":
        monkeypatch.setattr(compiled_cache, "_LARGEST", 100)
    else:
        path.rename(tmp_path / "away")
        {"link": lambda: path.symlink_to(tmp_path / "away"), "pipe": lambda: os.mkfifo(path)}.get(kind, path.mkdir)()
    cache = CompiledCache(tmp_path / "cache", KEY)
    assert through(cache, wanted) == expected
    assert cache.notes


def test_a_cache_that_cannot_be_written_is_noted(tmp_path: Path) -> None:
    (tmp_path / "cache").write_bytes(b"a file")
    wanted = sources(tmp_path, "/opt/a", {"plain.py": b"ANSWER = 42\n"})
    cache = CompiledCache(tmp_path / "cache", KEY)
    assert through(cache, wanted) == Compiler(sys.executable).compile([one.wanted for one in wanted])
    assert any("are not kept" in why for _, why in cache.notes)


def installed(top: Path, cache: CompiledCache | None, *wheels: Path) -> Installation:
    options = InstallOptions(top=top, final="/opt/app", scheme=TARGET, executable=PYTHON, date=DATE, jobs=2)
    return install(sorted(wheels), options, CompilerAhead(sys.executable, "checked-hash", 2, cache))


def test_a_tree_is_the_same_with_it_and_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = {"space/__init__.py": b"SHARED = 1\n"}
    wheels = [project(tmp_path, "demo", {**shared, "demo/__init__.py": b"A = 1\n", "demo/bad.py": b"def (\n"})]
    wheels.append(project(tmp_path, "two", {**shared, "two/__init__.py": b"B = 1\n"}))
    expected = installed(tmp_path / "plain", None, *wheels)
    tree = facts(tmp_path / "plain")
    first = installed(tmp_path / "first", CompiledCache(tmp_path / "cache", KEY), *wheels)
    assert (facts(tmp_path / "first"), first.notes) == (tree, expected.notes)
    # What is kept is not compiled; one module does not compile, and is tried each time.
    asked: list[Wanted] = []
    compiled = CompiledCache.compiled
    monkeypatch.setattr(CompiledCache, "compiled", lambda *given: asked.append(given[1]) or compiled(*given))
    second = installed(tmp_path / "second", CompiledCache(tmp_path / "cache", KEY), *wheels)
    assert (facts(tmp_path / "second"), second.notes) == (tree, expected.notes)
    assert [one.source.name for one in asked] == ["bad.py"]


def test_the_command_makes_a_key_and_says_what_was_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("XDG_CONFIG_HOME", "APPDATA"):
        monkeypatch.setenv(name, str(tmp_path / "config"))
    wheel = project(tmp_path, "demo")
    places = iter(range(9))

    def run(*more: object) -> tuple[int, str]:
        target = tmp_path / f"site {next(places)}"
        status = cli.main(["install", *map(str, (wheel, "--target", target, "--cache", tmp_path / "cache", *more))])
        return status, "".join(capsys.readouterr())

    assert run()[0] == 0
    key = tmp_path / "config" / "samebytes" / "cache-key"
    assert len(key.read_bytes()) == 32
    if sys.platform != "win32":
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
    before = kept(tmp_path / "cache")
    assert run("--cache-key", key) == (0, run()[1].replace("site 2", "site 1"))
    before.write_bytes(b"forged")
    status, said = run()
    assert (status, "was changed after it was written" in said) == (0, True)
    status, said = run("--cache-key", tmp_path / "none")
    assert (status, "there is no key of the cache" in said, "head -c 32 /dev/urandom" in said) == (2, True, True)
    assert "cannot be used" in run("--cache-key", tmp_path)[1]
    assert cli.main(["install", str(wheel), "--target", "x", "--cache-key", str(key)]) == 2
    assert "Name its directory by --cache" in capsys.readouterr().err


def test_a_key_is_a_secret_that_is_not_in_the_cache(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    with pytest.raises(UsageError, match="in the cache itself"):
        key_in(cache / "key", cache, is_created=True)
    assert not list(cache.iterdir())
    for data, mode, said in ((b"k" * 32, 0o640, "others may read"), (b"k" * 15, 0o600, "16 bytes at least")):
        path = tmp_path / "key"
        path.write_bytes(data)
        path.chmod(mode)
        if sys.platform != "win32" or mode == 0o600:
            with pytest.raises(UsageError, match=said) as caught:
                key_in(path, cache, is_created=False)
            assert caught.value.remedy
    path.write_bytes(KEY)
    assert key_in(path, cache, is_created=True) == KEY


def test_where_the_key_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Whoever runs it need not have a home directory.
    for home in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(home, str(tmp_path))
    name = "APPDATA" if sys.platform == "win32" else "XDG_CONFIG_HOME"
    assert command._configuration({name: str(tmp_path)}) == tmp_path
    assert command._configuration({name: "relative"}) == command._configuration({})


def test_who_has_no_home_is_asked_to_name_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    def expanduser(_: Path) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "expanduser", expanduser)
    with pytest.raises(UsageError, match="no home directory") as caught:
        command._configuration({})
    assert "--cache-key" in caught.value.remedy


def test_what_is_too_large_to_be_read_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = sources(tmp_path, "/opt/a", {"plain.py": SOURCES["plain.py"]})
    through(CompiledCache(tmp_path / "cache", KEY), wanted)
    (written,) = (tmp_path / "cache").iterdir()
    size = written.stat().st_size
    for limit, count in ((size - 1, 0), (size, 1)):
        monkeypatch.setattr(compiled_cache, "_LARGEST", limit)
        directory = tmp_path / f"cache of {limit}"
        cache = CompiledCache(directory, KEY)
        through(cache, wanted)
        assert len(list(directory.glob("*"))) == count
        assert len(cache.notes) == 1 - count
        assert bool(CompiledCache(directory, KEY).recalled(wanted, interpreter())) == bool(count)


def test_what_was_compiled_of_another_source_is_not_kept(tmp_path: Path) -> None:
    wanted = sources(tmp_path, "/opt/a", {"plain.py": SOURCES["plain.py"], "more.py": b"MORE = 1\n"})
    (tmp_path / "plain.py").write_bytes(b"ANSWER = 'of somebody else'\n")
    through(CompiledCache(tmp_path / "cache", KEY), wanted)
    recalled = CompiledCache(tmp_path / "cache", KEY).recalled(wanted, interpreter())
    assert {one.source.name for one in recalled} == {"more.py"}


def test_what_is_not_used_is_removed_in_time(tmp_path: Path) -> None:
    names = {"plain.py": SOURCES["plain.py"]}
    wanted = sources(tmp_path, "/opt/a", names)
    directory = tmp_path / "cache"
    through(CompiledCache(directory, KEY), wanted)
    path = kept(directory)
    day = 24 * 3600
    for age, is_kept in ((89, True), (91, False)):
        os.utime(path, (NOW - age * day, NOW - age * day))
        CompiledCache(directory, KEY).prune(NOW, 1 << 30)
        assert path.exists() == is_kept
    through(CompiledCache(directory, KEY), wanted)
    os.utime(path, (0, 0))
    # To read it is to use it.
    assert CompiledCache(directory, KEY).recalled(wanted, interpreter_of_this)
    CompiledCache(directory, KEY).prune(path.stat().st_mtime, 1 << 30)
    assert path.exists()


NOW = 1_700_000_000


def test_what_is_not_used_for_longest_goes_first(tmp_path: Path) -> None:
    directory = tmp_path / "cache"
    for number in range(4):
        through(CompiledCache(directory, KEY), sources(tmp_path, "/opt/a", {"a.py": b"A = %d\n" % number}))
    paths = sorted(directory.iterdir(), key=lambda path: path.name[::-1])
    for number, path in enumerate(paths):
        os.utime(path, (NOW - number, NOW - number))
    size = sum(path.stat().st_size for path in paths)
    for limit, count in ((size, 4), (size - 1, 3), (size // 2, 2), (1, 0)):
        CompiledCache(directory, KEY).prune(NOW, limit)
        assert sorted(directory.iterdir()) == sorted(paths[:count]), limit


def test_only_what_is_of_the_cache_is_removed(tmp_path: Path) -> None:
    """Of a directory that somebody uses otherwise, and that others may write to."""
    directory = tmp_path / "cache"
    directory.mkdir()
    outside = tmp_path / ("0" * 64 + ".compiled")
    outside.write_bytes(b"of somebody")
    others = ["0" * 64, "a.whl", f"{'0' * 63}.compiled", ".tmp", f"{'F' * 64}.compiled", f"{'0' * 64}.compiled.old"]
    for name in others:
        (directory / name).write_bytes(b"of somebody")
    (directory / f"{'1' * 64}.compiled").mkdir()
    if sys.platform != "win32":
        (directory / f"{'2' * 64}.compiled").symlink_to(outside)
        os.mkfifo(directory / f"{'3' * 64}.compiled")
    left = sorted(directory.iterdir())
    for name in (f"{'4' * 64}.compiled", ".samebytes-abcd_123.tmp"):
        (directory / name).write_bytes(b"of ours")
    for path in directory.iterdir():
        if not path.is_symlink():
            os.utime(path, (0, 0))
    fresh = directory / ".samebytes-of_now.tmp"
    fresh.write_bytes(b"of an install that runs")
    os.utime(fresh, (NOW - 60, NOW - 60))
    CompiledCache(directory, KEY).prune(NOW, 0)
    assert sorted(directory.iterdir()) == sorted([*left, fresh])
    assert outside.exists()
    # There need not be any, and it need not be a directory.
    CompiledCache(tmp_path / "none", KEY).prune(NOW, 0)
    CompiledCache(outside, KEY).prune(NOW, 0)


def test_the_command_prunes_and_keeps_the_cache_out_of_the_tree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("XDG_CONFIG_HOME", "APPDATA"):
        monkeypatch.setenv(name, str(tmp_path / "config"))
    wheel, cache, target = project(tmp_path, "demo"), tmp_path / "cache", tmp_path / "site"

    def run(*more: object) -> int:
        return cli.main(["install", *map(str, (wheel, "--target", target, "--cache", cache, *more))])

    assert run("--cache-limit", 0) == 0
    assert list(cache.iterdir()) == []
    target = tmp_path / "again"
    assert run() == 0
    assert len(list(cache.iterdir())) == 1
    cache = target / "demo"
    assert run() == 2
    assert "would be a part of what is installed there" in capsys.readouterr().err
    assert run("--cache-limit", "much") == 2
    assert "not a number of MiB" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="has no such links")
def test_a_file_system_without_hard_links_can_have_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)
    key = key_in(tmp_path / "here" / "key", tmp_path / "cache", is_created=True)
    assert key == key_in(tmp_path / "here" / "key", tmp_path / "cache", is_created=True)
    assert [path.name for path in (tmp_path / "here").iterdir()] == ["key"]


@pytest.mark.skipif(sys.platform == "win32", reason="permissions are not checked there")
def test_a_key_of_another_user_is_not_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "key"
    path.write_bytes(KEY)
    path.chmod(0o600)
    # Who is not root has only files of their own to try this with, and root only other users'.
    owner = path.stat().st_uid or 12345
    if os.geteuid() == 0:
        os.chown(path, owner, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    with pytest.raises(UsageError, match=f"another user .number {owner}") as caught:
        key_in(path, tmp_path / "cache", is_created=False)
    assert "of your own" in caught.value.remedy
