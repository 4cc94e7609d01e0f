"""Wheels that no ordinary backend makes: refused with a reason, or installed as every other tool reads them."""

from __future__ import annotations

import csv
import importlib.metadata
import os
import tempfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from samebytes_tools.commands.install.install import find_wheels, install
from samebytes_tools.commands.install.interpreter import TARGET
from samebytes_tools.commands.install.wheel import InstallOptions
from support.artifacts import METADATA, WHEEL, record_of, wheel, zip_info
from support.examples import examples
from support.installed import FINAL, PYTHON, facts, fix_tree, install_into, project, strays
from support.wheels import spelt

from samebytes.errors import ArchiveError, OutputError, RecordError

INFO = "demo-1.0.dist-info"
DATA = "demo-1.0.data"
OPTIONS = InstallOptions(Path(), FINAL, TARGET, PYTHON, levels=())

slow = settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.too_slow])


def refusal(source: Path, top: Path) -> ArchiveError:
    """Return why *source* is not installed; nothing is left of it."""
    before = sorted(top.parent.iterdir())
    with pytest.raises(ArchiveError) as caught:
        install_into(top, *find_wheels([source]))
    assert sorted(top.parent.iterdir()) == before
    assert caught.value.remedy
    assert str(source) in caught.value.message
    return caught.value


def refused(source: Path, top: Path) -> bool:
    """Install *source*, and return whether it is refused instead, as what breaks its format."""
    try:
        install([source], OPTIONS._replace(top=top), None)
    except ArchiveError:
        return not top.exists()
    return False


# Where files belong


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        (DATA, "is not in one of purelib, platlib"),
        (f"{DATA}/scripts", "is not in one of purelib, platlib"),
        (f"{DATA}/other/x", "is not in one of purelib, platlib"),
        (f"{DATA}/Scripts/x", "is not in one of purelib, platlib"),
        (f"{DATA}/x", "is not in one of purelib, platlib"),
        ("other-1.0.data/scripts/x", f"for it is not in {DATA}"),
        ("demo.data", f"for it is not in {DATA}"),
        ("Demo-1.0.data/scripts/x", f"for it is not in {DATA}"),
        (".data/scripts/x", f"for it is not in {DATA}"),
    ],
)
def test_data_that_belongs_nowhere(name: str, problem: str, tmp_path: Path) -> None:
    """``installer`` never returns from some, pip puts others elsewhere than uv does."""
    assert problem in refusal(wheel(tmp_path, files={name: b"#!python\n"}), tmp_path / "site").message


@pytest.mark.parametrize("name", ["demo/x.data", "demo/x.data/scripts/y", "x.data.py", "data/scripts/x"])
def test_data_is_only_what_lies_at_the_top(name: str, tmp_path: Path) -> None:
    install_into(tmp_path / "site", wheel(tmp_path, files={name: b""}))
    assert (tmp_path / "site" / name).is_file()


@pytest.mark.parametrize("start", [b"#!python", b"#!pythonw -x", b"#!python\r"])
@pytest.mark.parametrize(
    "rest",
    [b"", b"\n", b"\nprint(1)\n", b"\n" + b"x" * 1_000_000, b"y" * 1_000_000 + b"\nz"],
    ids=["nothing", "a line", "two lines", "a long rest", "a long line"],
)
def test_a_script_of_any_size(start: bytes, rest: bytes, tmp_path: Path) -> None:
    """Its first line is replaced, however many pieces it comes in."""
    install_into(tmp_path / "site", wheel(tmp_path, files={f"{DATA}/scripts/run": start + rest}))
    expected = f"#!{PYTHON}\n".encode() + (start + rest).partition(b"\n")[2]
    assert (tmp_path / "site" / "bin" / "run").read_bytes() == expected


@pytest.mark.parametrize(("home", "quote"), [("C:\\Python", ""), ("C:\\Program Files\\python 3", '"')])
@pytest.mark.parametrize(
    ("start", "name"), [(b"#!python", "python.exe"), (b"#!pythonw", "pythonw.exe"), (b"#!pythonw -x", "pythonw.exe")]
)
def test_a_script_on_windows(start: bytes, name: str, home: str, quote: str, tmp_path: Path) -> None:
    """``#!pythonw`` indicates a GUI script (binary distribution format, recommended installer features).

    Paths with a blank are quoted as by distlib, for CPython's launcher splits the line there (PC/launcher2.c).
    """
    source = wheel(tmp_path, files={f"{DATA}/scripts/run.pyw": start + b"\nprint(1)\n"})
    install_into(tmp_path / "site", source, script_kind="win-amd64", executable=f"{home}\\python.exe")
    expected = f"#!{quote}{home}\\{name}{quote}\nprint(1)\n".encode()
    assert (tmp_path / "site/bin/run.pyw").read_bytes() == expected


@pytest.mark.parametrize("missing", ["METADATA", "WHEEL"])
def test_metadata_that_is_missing(missing: str, tmp_path: Path) -> None:
    source = crafted(tmp_path, {f"{INFO}/METADATA": METADATA, f"{INFO}/WHEEL": WHEEL}, without=f"{INFO}/{missing}")
    assert f"there is no {missing}" in refusal(source, tmp_path / "site").message


@pytest.mark.parametrize(
    "text",
    [
        b"Wheel-Version: 2.0\n",
        b"Wheel-Version: 1.x\n",
        b"Wheel-Version: \xff\n",
        b"Root-Is-Purelib: true\n",
        b"Wheel-Version: 1.0\nwheel-version: 1.0\n",
        WHEEL + b"Root-Is-Purelib: false\n",
        b"no field",
        b"",
    ],
)
def test_a_wheel_file_that_is_read_in_two_ways_or_none(text: bytes, tmp_path: Path) -> None:
    source = crafted(tmp_path, {f"{INFO}/METADATA": METADATA, f"{INFO}/WHEEL": text})
    assert "cannot be installed: its" in refusal(source, tmp_path / "site").message


def crafted(directory: Path, files: dict[str, bytes], without: str = "") -> Path:
    contents = {"demo/__init__.py": b"", **files}
    contents.pop(without, None)
    contents[f"{INFO}/RECORD"] = record_of(contents, f"{INFO}/RECORD")
    path = directory / "demo-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in contents.items():
            archive.writestr(zip_info(name, (2020, 1, 1, 0, 0, 0)), data)
    return path


def test_what_only_installers_write_is_theirs(tmp_path: Path) -> None:
    files = {"demo/__init__.py": b"", f"{INFO}/INSTALLER": b"the wheel\n", f"{INFO}/REQUESTED": b"no\n"}
    files[f"{INFO}/direct_url.json"] = b'{"url": "https://host.example/demo", "vcs_info": {}}'
    installed = install_into(tmp_path / "site", wheel(tmp_path, files=files))
    owned = {f"{INFO}/{name}" for name in ("INSTALLER", "REQUESTED", "direct_url.json")}
    assert set(installed.wheels[0].skipped) == owned
    assert not (tmp_path / "site" / INFO / "direct_url.json").exists()
    assert (tmp_path / "site" / INFO / "INSTALLER").read_bytes() == b"samebytes\n"


@pytest.mark.parametrize("tags", ["%2e%2e-none-any", "py3-no ne-any", "py3-none-any%"])
def test_a_file_name_with_tags_that_are_none(tags: str, tmp_path: Path) -> None:
    source = wheel(tmp_path)
    odd = source.rename(tmp_path / f"demo-1.0-{tags}.whl")
    assert "not the file name of a wheel" in refusal(odd, tmp_path / "site").message


@pytest.mark.parametrize("version", ["1.0%", "one", "1..0", "1.0+"])
def test_a_file_name_with_a_version_that_is_none(version: str, tmp_path: Path) -> None:
    odd = wheel(tmp_path).rename(tmp_path / f"demo-{version}-py3-none-any.whl")
    assert "not the file name of a wheel" in refusal(odd, tmp_path / "site").message


# Names, in RECORD and out of it

characters = st.one_of(
    st.sampled_from(",\"'%;=#&$!{}[]()~ \t\r\n\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029\x01\x7f\u200b\u202e"),
    st.characters(blacklist_categories=["Cs"], blacklist_characters="/\0"),
)
segments = st.text(characters, min_size=1, max_size=6)
paths = st.lists(segments, min_size=1, max_size=3).map("/".join)


@slow
@given(st.sets(paths, min_size=1, max_size=4))
@example({'a"b/c,d.py'})
@example({"a%b/%(x)s.py", '"', ",", "x\u00e9,"})
@example({"a\rb.py"})
@example({"a\u2028b.py"})
@example({"a\n"})
def test_a_record_is_read_back_as_it_was_written(names: set[str]) -> None:
    """By csv as the specification has it, by importlib.metadata, and by ourselves; else the wheel is refused."""
    with tempfile.TemporaryDirectory() as directory:
        top = Path(directory, "site")
        if refused(wheel(Path(directory), files=dict.fromkeys(names, b"x = 1\n")), top):
            return
        laid = {path.relative_to(top).as_posix() for path in top.rglob("*") if path.is_file()}
        assert laid == names | {f"{INFO}/{name}" for name in ("METADATA", "WHEEL", "RECORD", "INSTALLER", "REQUESTED")}
        files = importlib.metadata.Distribution.at(top / INFO).files or []
        assert sorted(file.as_posix() for file in files) == sorted(laid)
        assert {str(file): file.hash.value for file in files if file.hash} == {
            name: spelt((top / name).read_bytes()).partition("=")[2] for name in laid - {f"{INFO}/RECORD"}
        }
        with (top / INFO / "RECORD").open(encoding="utf-8", newline="") as file:
            assert {row[0] for row in csv.reader(file, strict=True)} == laid
        again = fix_tree(top, write=False, levels=(), final=FINAL)
        assert {change.rule for change in again.changes} <= {"mtime"}


# Commands

lines = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "[console_scripts]",
                "[gui_scripts]",
                "[DEFAULT]",
                "[other]",
                "[]",
                "[a]b]",
                "# x = a:b",
                "; x = a:b",
                "",
                "  y = a:b",
                "x =",
                "= a:b",
                "x = a:b [c]",
                "z",
                "[console_scripts",
                "p = %(x)s",
                "x = a:b # c",
                "x = a:b ; c",
                "%d = a:b",
            ]
        ),
        st.tuples(
            st.sampled_from(["x", "X", "y", "x.y", '"q"', "a b", "c:d", "..", "/", "é", "-x"]),
            st.text("ab:.1 []%", max_size=6),
        ).map(" = ".join),
    ),
    max_size=8,
)


@slow
@given(lines.map("\n".join))
@example("[console_scripts]\nx = a:b\n[DEFAULT]\ny = a:b")
@example("[console_scripts]\nx = a:b\n; y = a:b")
@example("[console_scripts]\nx = a:b\n  y = a:b")
@example("[console_scripts]\n%(x)s = a:b\n[other]\ny = %")
def test_commands_are_those_that_other_tools_see(text: str) -> None:
    """Of a wheel that is installed, importlib.metadata finds the commands that are in ``bin``, no more and no less."""
    with tempfile.TemporaryDirectory() as directory:
        top = Path(directory, "site")
        files = {"a.py": b"", f"{INFO}/entry_points.txt": text.encode()}
        if refused(wheel(Path(directory), files=files), top):
            return
        found = importlib.metadata.Distribution.at(top / INFO).entry_points
        commands = [entry for entry in found if entry.group in ("console_scripts", "gui_scripts")]
        assert sorted(entry.name for entry in commands) == sorted(os.listdir(top / "bin") if commands else [])
        for entry in commands:
            module, _, attribute = entry.value.partition("[")[0].partition(":")
            script = (top / "bin" / entry.name).read_text("utf-8")
            assert f"from {module.strip()} import {attribute.strip().partition('.')[0]}\n" in script
            compile(script, entry.name, "exec")


def test_a_record_with_a_slash_before_all_names_is_reported_in_one_line(tmp_path: Path) -> None:
    files = {f"demo/m{number}.py": b"" for number in range(50)}
    contents = files | {f"{INFO}/METADATA": METADATA, f"{INFO}/WHEEL": WHEEL}
    listed = b"".join(b"/" + line for line in record_of(contents, f"{INFO}/RECORD").splitlines(keepends=True))
    with pytest.raises(RecordError) as caught:
        install_into(tmp_path / "site", wheel(tmp_path, files=files, record=listed))
    assert "(one mismatch)" in caught.value.message
    assert "RECORD begins all its 53 names with a slash" in caught.value.message


# One file of several wheels


def shared(directory: Path, name: str, data: bytes = b"", *, executable: bool = False) -> Path:
    info = f"{name}-1.0.dist-info"
    contents = {
        "space/__init__.py": data,
        f"space/{name}.py": b"",
        f"{info}/METADATA": METADATA.replace(b"demo", name.encode()),
    }
    contents[f"{info}/WHEEL"] = WHEEL
    contents[f"{info}/RECORD"] = record_of(contents, f"{info}/RECORD")
    path = directory / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in contents.items():
            described = zip_info(member, (2020, 1, 1, 0, 0, 0))
            if executable and member == "space/__init__.py":
                described.external_attr = 0o100755 << 16
            archive.writestr(described, content)
    return path


def test_equal_bytes_are_one_file(tmp_path: Path) -> None:
    wheels = [shared(tmp_path, name, executable=name == "two") for name in ("one", "two", "three")]
    install_into(tmp_path / "all", *wheels)
    install_into(tmp_path / "turned", *reversed(wheels), jobs=1)
    assert facts(tmp_path / "all") == facts(tmp_path / "turned")
    assert facts(tmp_path / "all")["space/__init__.py"][0] == 0o755
    for name in ("one", "two", "three"):
        files = importlib.metadata.Distribution.at(tmp_path / "all" / f"{name}-1.0.dist-info").files or []
        assert {f"space/{name}.py", "space/__init__.py"} <= {file.as_posix() for file in files}
    assert fix_tree(tmp_path / "all", write=False).changes == ()


def test_equal_bytes_are_one_file_though_installed_later(tmp_path: Path) -> None:
    one, two = shared(tmp_path, "one"), shared(tmp_path, "two")
    install_into(tmp_path / "site", one)
    before = facts(tmp_path / "site")
    install_into(tmp_path / "site", two)
    after = facts(tmp_path / "site")
    assert {name: after[name] for name in before} == before
    install_into(tmp_path / "at once", one, two)
    assert after == facts(tmp_path / "at once")
    assert strays(tmp_path) == []


@pytest.mark.parametrize("how", ["bytes", "mode", "link", "directory"])
def test_what_is_there_is_not_the_same_file(how: str, tmp_path: Path) -> None:
    top = tmp_path / "site"
    (top / "space").mkdir(parents=True)
    there = top / "space" / "__init__.py"
    if how == "link":
        (tmp_path / "empty").touch()
        there.symlink_to(tmp_path / "empty")
    elif how == "directory":
        there.mkdir()
    else:
        there.write_bytes(b"\n" if how == "bytes" else b"")
        there.chmod(0o755 if how == "mode" else 0o644)
    source = shared(tmp_path, "one")
    before = facts(tmp_path)
    with pytest.raises(OutputError, match=r"space/__init__\.py: is in the way of the file"):
        install_into(top, source)
    assert facts(tmp_path) == before


KINDS = {
    "backports": ("backports/__init__.py", b"__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n"),
    "a namespace of pkg_resources": ("space/__init__.py", b"__import__('pkg_resources').declare_namespace(__name__)\n"),
    "nvidia": ("nvidia/__init__.py", b""),
    "a licence in data": ("{name}.data/data/share/licenses/MIT", b"MIT\n"),
    "a common script": ("{name}.data/scripts/tool", b"#!python\nprint(1)\n"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_several_projects_have_is_installed_if_it_is_the_same(kind: str, tmp_path: Path) -> None:
    place, data = KINDS[kind]
    wheels, others = (
        [
            wheel(
                tmp_path / str(number),
                name,
                {place.format(name=f"{name}-1.0"): data + more * (name == "two"), f"m_{name}.py": b""},
            )
            for name in ("one", "two")
        ]
        for number, more in enumerate([b"", b"# more\n"])
    )
    install_into(tmp_path / "site", *wheels)
    last = place.rpartition("/")[2]
    (shared,) = [name for name in facts(tmp_path / "site") if name.endswith(f"/{last}")]
    for name in ("one", "two"):
        listed = importlib.metadata.Distribution.at(tmp_path / "site" / f"{name}-1.0.dist-info").files or []
        assert shared in [file.as_posix() for file in listed]
    with pytest.raises(ArchiveError) as caught:
        install_into(tmp_path / "other", *others)
    assert caught.value.message == f"{others[0]} and {others[1]} both install {shared}"
    assert "Its bytes differ" in caught.value.remedy
    assert not (tmp_path / "other").exists()


def test_wheels_with_different_bytes_are_refused_in_any_order(tmp_path: Path) -> None:
    wheels = [shared(tmp_path, name, b"#" * (name == "two")) for name in ("one", "two", "three")]
    for order in (wheels, wheels[::-1]):
        with pytest.raises(ArchiveError, match=r"both install space/__init__\.py"):
            install_into(tmp_path / "site", *order, jobs=1)
        assert not (tmp_path / "site").exists()


@pytest.mark.parametrize("error", [MemoryError, RecursionError])
def test_too_much_is_a_finding_of_the_wheel(
    error: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from samebytes_tools.commands.install import source as install_source

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(install_source.headers, "parse", fail)
    assert refusal(project(tmp_path), tmp_path / "site").message
