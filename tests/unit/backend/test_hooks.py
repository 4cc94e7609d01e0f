"""The hooks as a front end calls them: in a process of their own, in the source tree, by a backend of a few lines."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any
from unicodedata import normalize

import pytest
from samebytes_tools.comparison.archives import compare_files

from samebytes.backend import fixed

BACKEND = """\
import base64, hashlib, os, sys, zipfile

def _wheel(directory, text):
    files = {"tiny.py": text.encode(), "tiny-1.dist-info/METADATA": METADATA.encode(), "tiny-1.dist-info/WHEEL": WHEEL}
    rows = []
    for name, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        rows.append("%s,sha256=%s,%d" % (name, digest, len(data)))
    files["tiny-1.dist-info/RECORD"] = "\\n".join(rows + ["tiny-1.dist-info/RECORD,,", ""]).encode()
    with zipfile.ZipFile(os.path.join(directory, "tiny-1-py3-none-any.whl"), "w") as archive:
        for name, data in reversed(files.items()):
            archive.writestr(name, data)
    return "tiny-1-py3-none-any.whl"

METADATA = "Name: tiny\\nVersion: 1\\nMetadata-Version: 2.1\\n"
WHEEL = b"Wheel-Version: 1.0\\nGenerator: tiny\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"

def build_wheel(directory, settings=None, metadata=None):
    return _wheel(directory, "answer = 42\\n")

def build_editable(directory, settings=None, metadata=None):
    return _wheel(directory, "where = %r\\n" % os.getcwd())

def prepare_metadata_for_build_wheel(directory, settings=None):
    os.mkdir(os.path.join(directory, "tiny-1.dist-info"))
    with open(os.path.join(directory, "tiny-1.dist-info", "METADATA"), "w") as file:
        file.write(METADATA)
    return "tiny-1.dist-info"
"""


def tree(root: Path, table: str = "", backend: str = BACKEND) -> Path:
    root.mkdir(parents=True)
    (root / "tiny_backend.py").write_text(backend)
    text = f'[tool.samebytes]\nbuild-backend = "tiny_backend"\nbackend-path = ["."]\n{table}'
    (root / "pyproject.toml").write_text(text)
    return root


def call(source: Path, expression: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Evaluate *expression* with the hooks as ``b`` in *source*, and print its JSON."""
    code = f"import json, samebytes.backend as b; print(json.dumps({expression}))"
    environ = {**os.environ, **variables}
    environ.pop("SOURCE_DATE_EPOCH", None)
    return subprocess.run([sys.executable, "-c", code], cwd=source, env=environ, capture_output=True, text=True)  # noqa: PLW1510


def result(source: Path, expression: str) -> Any:
    done = call(source, expression)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_the_optional_hooks_are_those_of_the_inner_backend(tmp_path: Path) -> None:
    names = ["build_editable", "prepare_metadata_for_build_wheel", "get_requires_for_build_wheel", "no_such_hook"]
    found = result(tree(tmp_path / "t"), f"[hasattr(b, name) for name in {names}]")
    assert found == [True, True, False, False]


LINKED = (
    BACKEND
    + """
def build_wheel(directory, settings=None, metadata=None):
    import json, shutil, subprocess, tempfile
    with open("a.c", "w") as file:
        file.write("const char *where(void) { return __FILE__; }")
    made = os.path.join(tempfile.mkdtemp(), "a.o")
    source = os.path.abspath("a.c")
    flags = os.environ["CPPFLAGS"].split()
    compiler = shutil.which("cc")
    if compiler:
        subprocess.run([compiler, "-g", *flags, "-c", source, "-o", made], check=True)
    with open(os.environ["SEEN"], "w") as file:
        json.dump([os.environ["PWD"], os.getcwd(), os.environ["TMPDIR"]], file)
    return _wheel(directory, open(made, "rb").read().decode("latin-1") if compiler else "")
"""
)
"""Compiles with debug information, in which the compiler notes the current directory as PWD calls it."""


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")
def test_a_tree_reached_by_a_link_has_neither_name_in_what_is_built(tmp_path: Path) -> None:
    """As on macOS, where /tmp, /var and so TMPDIR are links into /private."""
    private = tmp_path / "private"
    source = tree(private / "work" / "t", backend=LINKED)
    (private / "temporary").mkdir()
    (tmp_path / "linked").symlink_to("private")
    linked = tmp_path / "linked" / "work" / "t"
    variables = {"PWD": str(linked), "TMPDIR": str(tmp_path / "linked" / "temporary"), "SEEN": str(tmp_path / "seen")}
    done = call(linked, f"b.build_wheel({str(tmp_path)!r})", **variables)
    assert done.returncode == 0, done.stderr
    shown, here, temporary = json.loads((tmp_path / "seen").read_text())
    assert shown == here == str(source.resolve())
    assert temporary.startswith(f"{private.resolve()}/temporary/")
    assert "the result depends on it" not in done.stderr
    with zipfile.ZipFile(tmp_path / "tiny-1-py3-none-any.whl") as archive:
        built = archive.read("tiny.py")
    assert str(private).encode() not in built
    assert str(tmp_path / "linked").encode() not in built


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")
def test_the_real_name_of_a_tree_behind_a_link_is_searched_for(tmp_path: Path) -> None:
    leaky = BACKEND.replace('"answer = 42\\n"', '"%s %s" % (os.environ["PWD"], os.environ["TMPDIR"])')
    assert leaky != BACKEND
    source = tree(tmp_path / "private" / "t", backend=leaky)
    (tmp_path / "linked").symlink_to("private")
    linked = tmp_path / "linked" / "t"
    done = call(linked, f"b.build_wheel({str(tmp_path)!r})", PWD=str(linked), TMPDIR=str(tmp_path / "linked"))
    assert done.returncode == 0, done.stderr
    assert f"the source directory '{source.resolve()}' is in tiny.py" in done.stderr
    assert f"the temporary directory '{source.resolve().parent}/samebytes-" in done.stderr


def test_a_wheel_is_rewritten_and_its_name_returned(tmp_path: Path) -> None:
    assert result(tree(tmp_path / "t"), f"b.build_wheel({str(tmp_path)!r})") == "tiny-1-py3-none-any.whl"
    with zipfile.ZipFile(tmp_path / "tiny-1-py3-none-any.whl") as archive:
        assert archive.namelist()[0] == "tiny.py"
        assert archive.namelist()[-1] == "tiny-1.dist-info/RECORD"
        assert archive.read("tiny-1.dist-info/METADATA").startswith(b"Metadata-Version: 2.1\nName: tiny\n")


@pytest.mark.parametrize(
    ("call", "returned"),
    [
        (
            "build_wheel(wheel_directory='out', config_settings=None, metadata_directory=None)",
            "tiny-1-py3-none-any.whl",
        ),
        (
            "build_editable(wheel_directory='out', config_settings={}, metadata_directory=None)",
            "tiny-1-py3-none-any.whl",
        ),
        ("prepare_metadata_for_build_wheel(metadata_directory='out', config_settings=None)", "tiny-1.dist-info"),
        ("get_requires_for_build_sdist(config_settings=None)", ["more"]),
    ],
)
def test_front_ends_may_name_the_parameters(call: str, returned: object, tmp_path: Path) -> None:
    """As PEP 517 names them: "hooks may be called with positional or keyword arguments"."""
    source = tree(tmp_path / "t", backend=f"{BACKEND}\ndef get_requires_for_build_sdist(settings): return ['more']\n")
    (source / "out").mkdir()
    assert result(source, f"b.{call}") == returned


def test_the_wheel_is_held_to_the_prepared_metadata(tmp_path: Path) -> None:
    source = tree(tmp_path / "t")
    (tmp_path / "m").mkdir()
    assert result(source, f"b.prepare_metadata_for_build_wheel({str(tmp_path / 'm')!r})") == "tiny-1.dist-info"
    prepared = tmp_path / "m" / "tiny-1.dist-info"
    assert result(source, f"b.build_wheel({str(tmp_path)!r}, None, {str(prepared)!r})")
    (prepared / "METADATA").write_text("Metadata-Version: 2.1\nName: tiny\nVersion: 2\n")
    (tmp_path / "tiny-1-py3-none-any.whl").unlink()
    done = call(source, f"b.build_wheel({str(tmp_path)!r}, None, {str(prepared)!r})")
    assert done.returncode == 7
    assert "'Version: 2' became 'Version: 1'" in done.stderr
    assert not (tmp_path / "tiny-1-py3-none-any.whl").exists()


def test_text_in_the_line_ends_of_windows_is_as_elsewhere(tmp_path: Path) -> None:
    """In prepared metadata too, to which the wheel is held; as in text mode, a CR LF of the README's is CR CR LF."""
    lines = "Metadata-Version: 2.1\\r\\nName: tiny\\r\\nVersion: 1\\r\\n\\r\\nOne\\r\\nTwo\\r\\r\\n"
    backend = BACKEND.replace("Name: tiny\\nVersion: 1\\nMetadata-Version: 2.1\\n", lines)
    backend = backend.replace('"METADATA"), "w")', '"METADATA"), "w", newline="")')
    source = tree(tmp_path / "t", backend=backend)
    (tmp_path / "m").mkdir()
    prepared = tmp_path / "m" / result(source, f"b.prepare_metadata_for_build_wheel({str(tmp_path / 'm')!r})")
    wheel = tmp_path / result(source, f"b.build_wheel({str(tmp_path)!r}, None, {str(prepared)!r})")
    with zipfile.ZipFile(wheel) as archive:
        found = archive.read("tiny-1.dist-info/METADATA")
    assert found == b"Metadata-Version: 2.1\nName: tiny\nVersion: 1\n\nOne\nTwo\n"
    assert (prepared / "METADATA").read_bytes() == found


def test_text_is_utf_8_unless_somebody_says_otherwise(tmp_path: Path) -> None:
    """Who opens a README says nothing of the encoding as a rule; on Windows Python then takes the machine's code page."""
    backend = BACKEND.replace('"answer = 42\\n"', 'ascii(open("README").read())')
    assert backend != BACKEND
    source = tree(tmp_path / "t", backend=backend)
    (source / "README").write_bytes("na\u00efve \u4e2d".encode())
    done = call(source, f"b.build_wheel({str(tmp_path)!r})", LC_ALL="C")
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(tmp_path / "tiny-1-py3-none-any.whl") as archive:
        assert archive.read("tiny.py") == rb"'na\xefve \u4e2d'"


def test_an_error_is_two_lines_and_a_status_not_a_traceback(tmp_path: Path) -> None:
    done = call(tree(tmp_path / "t", backend="def build_wheel(*a): return 3\n"), "b.build_wheel('.')")
    assert done.returncode == 7
    assert done.stderr.startswith("samebytes: error: the inner backend 'tiny_backend' returned 3 from build_wheel")
    assert "hint: " in done.stderr
    assert "Traceback" not in done.stderr


def test_unsupported_operation_is_our_own_class(tmp_path: Path) -> None:
    text = "class UnsupportedOperation(Exception): pass\ndef build_sdist(*a): raise UnsupportedOperation('not here')\n"
    done = call(tree(tmp_path / "t", backend=text), "b.build_sdist('.')")
    assert "samebytes.backend.UnsupportedOperation" in done.stderr


LITTERING = (
    BACKEND
    + """
def build_wheel(directory, settings=None, metadata=None):
    left = os.path.join(os.environ["TMPDIR"], "left")
    os.mkdir(left)
    for number in range(2):
        open(os.path.join(left, str(number)), "w").close()
        os.chmod(os.path.join(left, str(number)), 0o400)
    return _wheel(directory, "")
"""
)
"""Leaves files that may only be read, as git's are; Windows deletes no such file."""


def test_nothing_is_left_in_the_temporary_directory(tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    source = tree(tmp_path / "t", backend=LITTERING)
    assert call(source, "b.build_wheel('..')", TMPDIR=str(tmp_path / "tmp")).returncode == 0
    assert call(source, "hasattr(b, 'build_editable')", TMPDIR=str(tmp_path / "tmp")).returncode == 0
    assert list((tmp_path / "tmp").iterdir()) == []


BUSY = """
import os, samebytes.backend as b
usual = os.rmdir
def busy(path, **options):
    if "samebytes-" in str(path):
        raise OSError(16, "Device or resource busy")
    usual(path, **options)
os.rmdir = busy
b.build_wheel("..")
"""
"""As where something is mounted, or a file system keeps the names of open files."""


def test_a_directory_that_cannot_be_removed_fails_no_build(tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    environ = {**os.environ, "TMPDIR": str(tmp_path / "tmp"), "SAMEBYTES_FIXED_PATHS": "1"}
    command = [sys.executable, "-W", "error", "-c", BUSY]
    done = subprocess.run(command, cwd=tree(tmp_path / "t"), env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not {"Traceback", "ignored", "Warning"} & set(done.stderr.replace(":", " ").split())
    assert (tmp_path / "tiny-1-py3-none-any.whl").exists()


def can_mount(tmp_path: Path) -> bool:
    """Return whether the kernel lets us have fixed paths here."""
    (tmp_path / "probe").mkdir()
    warnings: list[str] = []
    return fixed.place(tmp_path / "probe", {}, warnings.append).is_fixed


def test_an_editable_install_names_the_true_tree_even_with_fixed_paths(tmp_path: Path) -> None:
    if not can_mount(tmp_path):
        pytest.skip("the kernel allows no mount namespace")
    source = tree(tmp_path / "t", "fixed-paths = true\n")
    assert result(source, f"hasattr(b, 'build_editable') and b.build_editable({str(tmp_path)!r})")
    with zipfile.ZipFile(tmp_path / "tiny-1-py3-none-any.whl") as archive:
        assert archive.read("tiny.py").decode() == f"where = {str(source.resolve())!r}\n"


LOOKING = (
    "def build_wheel(directory, settings=None, metadata=None):\n"
    "    import samebytes.backend.lock as lock\n"
    "    from pathlib import Path\n"
    "    held = dict(os.environ)\n"
    "    with lock.only_build(Path(os.getcwd()), Path(os.getcwd()), held, print):\n"
    "        pass\n"
    "    return _wheel(directory, '%s %s %s' % (os.getcwd(), os.environ.get('GOFLAGS'), os.environ['TMPDIR']))\n"
)


def test_fixed_paths_hide_neither_the_build_systems_nor_the_lock(tmp_path: Path) -> None:
    """The tree's ``go.mod`` is seen where the tree is; a build of the same tree inside the build does not wait."""
    if not can_mount(tmp_path):
        pytest.skip("the kernel allows no mount namespace")
    source = tree(tmp_path / "t", "fixed-paths = true\n", BACKEND + LOOKING)
    (source / "go.mod").touch()
    assert result(source, f"b.build_wheel({str(tmp_path)!r})")
    with zipfile.ZipFile(tmp_path / "tiny-1-py3-none-any.whl") as archive:
        assert archive.read("tiny.py").decode() == "/srv/samebytes/src -trimpath /srv/samebytes/tmp"


def test_names_stay_as_the_file_system_lists_them(tmp_path: Path) -> None:
    """HFS+ lists names decomposed, whatever git has: wheels then differ in those names and what follows, and in no more."""
    listed = BACKEND.replace(
        'files = {"tiny.py": text.encode(),', 'files = {**{name: b"x" for name in os.listdir("data")},'
    )
    assert listed != BACKEND
    for form in ("NFC", "NFD"):
        source = tree(tmp_path / form / "t", backend=listed)
        (source / "data").mkdir()
        for name in ("caf\u00e9.txt", "zebra.txt"):
            (source / "data" / normalize(form, name)).touch()
        assert result(source, f"b.build_wheel({str(tmp_path / form)!r})") == "tiny-1-py3-none-any.whl"
    names = []
    for form in ("NFC", "NFD"):
        with zipfile.ZipFile(tmp_path / form / "tiny-1-py3-none-any.whl") as archive:
            names.append(archive.namelist())
    assert names[0] != names[1]
    assert sorted(normalize("NFC", name) for name in names[0]) == sorted(normalize("NFC", name) for name in names[1])
    assert normalize("NFD", "caf\u00e9.txt") in names[1]
    found = compare_files(*(tmp_path / form / "tiny-1-py3-none-any.whl" for form in ("NFC", "NFD")))
    assert found.causes == ("D035",)
