from __future__ import annotations

import importlib.util
import os
import py_compile
import subprocess
import sys
from pathlib import Path

import pytest

from samebytes.archive.entry import Data
from samebytes.artifact import pyc
from samebytes.artifact.pyc import siphash

MAGIC = importlib.util.MAGIC_NUMBER
MAGIC_3_8 = (3413).to_bytes(2, "little") + b"\r\n"
MAGIC_3_11 = (3495).to_bytes(2, "little") + b"\r\n"


def header(magic: bytes = MAGIC_3_11, flags: int = 0, mtime: int = 1234567890, size: int = 3) -> bytes:
    return magic + flags.to_bytes(4, "little") + mtime.to_bytes(4, "little") + size.to_bytes(4, "little")


def test_siphash_2_4_is_that_of_its_paper() -> None:
    """The vectors of the reference implementation: key 00 01 .. 0f, message 00 01 .. of 0, 1, 8 and 15 bytes."""
    key = (0x0706050403020100, 0x0F0E0D0C0B0A0908)
    found = [siphash(key, bytes(range(n)), compression=2, finalization=4) for n in (0, 1, 8, 15)]
    assert found == [0x726FDB47DD0E0E31, 0x74F839C593DC67FD, 0x93F5F5799A932462, 0xA129CA6149BE45E5]


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 255, 256, 1000])
def test_the_hash_is_that_of_the_running_interpreter(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    source = bytes(i * 7 & 255 for i in range(size))
    expected = importlib.util.source_hash(source)
    assert pyc.source_hash(MAGIC, source) == expected
    monkeypatch.delattr("_imp.source_hash")  # as on other implementations
    assert pyc.source_hash(MAGIC, source) == expected


@pytest.mark.parametrize(
    ("magic", "digest"), [(MAGIC_3_8, "cdfe194f45691474"), (MAGIC_3_11, "c7af82e77c1da4f5")], ids=["3.8", "3.11"]
)
def test_the_hash_is_decided_by_the_file_and_not_by_the_interpreter(magic: bytes, digest: str) -> None:
    assert pyc.source_hash(magic, b"abc").hex() == digest


def test_a_magic_number_without_a_known_hash_has_none() -> None:
    with pytest.raises(ValueError, match="no known hash"):
        pyc.source_hash((336).to_bytes(2, "little") + b"\r\n", b"abc")


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("p/__pycache__/m.cpython-311.pyc", "p/m.py"),
        ("p/__pycache__/m.cpython-311.opt-1.pyc", "p/m.py"),
        ("p/__pycache__/m.cpython-311.opt-2.pyc", "p/m.py"),
        ("__pycache__/m.cpython-39.pyc", "m.py"),
        ("p/m.pyc", "p/m.py"),
        ("m.pyc", "m.py"),
        ("p/__pycache__/m.pyc", None),
        ("p/__pycache__/m.cpython-311.strange-1.pyc", None),
        ("p/__pycache__/m.a.b.c.d.pyc", None),
        ("p/__pycache__/.cpython-311.pyc", None),
        ("p/m.py", None),
        ("p/m.pyc.txt", None),
        ("", None),
    ],
)
def test_a_compiled_module_names_its_source(name: str, source: str | None) -> None:
    assert pyc.source_of(name) == source


def test_a_timestamp_header_becomes_a_checked_hash() -> None:
    new = pyc.checked_header(header(), Data(b"abc"))
    assert new == MAGIC_3_11 + b"\x03\0\0\0" + bytes.fromhex("c7af82e77c1da4f5")
    assert pyc.checked_header(new, Data(b"abc")) is None


@pytest.mark.parametrize(
    "old",
    [
        pytest.param(header()[:15], id="truncated"),
        pytest.param(b"", id="empty"),
        pytest.param(header(flags=1), id="unchecked hash"),
        pytest.param(header(flags=3), id="checked hash"),
        pytest.param(header(flags=2), id="flags without meaning"),
        pytest.param(header(flags=4), id="unknown flag"),
        pytest.param(header(size=4), id="another source"),
        pytest.param(header(magic=(3379).to_bytes(2, "little") + b"\r\n"), id="CPython 3.6"),
        pytest.param(header(magic=(3391).to_bytes(2, "little") + b"\r\n"), id="3.7 before PEP 552"),
        pytest.param(header(magic=(3450).to_bytes(2, "little") + b"\r\n"), id="3.11 alpha"),
        pytest.param(header(magic=(240).to_bytes(2, "little") + b"\r\n"), id="PyPy"),
        pytest.param(header(magic=MAGIC_3_11[:2] + b"\n\n"), id="no magic number"),
    ],
)
def test_other_headers_stay(old: bytes) -> None:
    assert pyc.checked_header(old, Data(b"abc")) is None


def test_a_source_that_is_too_large_is_not_read() -> None:
    class Huge(Data):
        size = pyc.LARGEST_SOURCE + 1

        def chunks(self):  # type: ignore[no-untyped-def]
            raise AssertionError("read")

    assert pyc.checked_header(header(size=Huge.size), Huge(b"")) is None


def _imported(directory: Path) -> str:
    """Import ``m`` in a new interpreter and return what it says it was compiled from."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(directory)!r}); import m; print(m.FROM)"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, cwd=directory)
    return done.stdout.strip()


def test_cpython_loads_what_was_rewritten(tmp_path: Path) -> None:
    """Code and source differ on purpose, in a way that no header tells, so that the one that ran shows itself."""
    built, installed = tmp_path / "built", tmp_path / "installed"
    built.mkdir()
    (installed / "__pycache__").mkdir(parents=True)
    (built / "m.py").write_bytes(b"FROM = 'code'\n")
    compiled = py_compile.compile(
        str(built / "m.py"), doraise=True, invalidation_mode=py_compile.PycInvalidationMode.TIMESTAMP
    )
    data = Path(compiled).read_bytes()
    source = b"FROM = 'text'\n"
    target = installed / "__pycache__" / Path(compiled).name

    def install(contents: bytes) -> None:
        (installed / "m.py").write_bytes(source)
        os.utime(installed / "m.py", (1_000_000_000, 1_000_000_000))
        target.write_bytes(contents)

    install(data)
    assert _imported(installed) == "text", "as it was, the file is stale wherever its source is copied to"
    new = pyc.checked_header(data[:16], Data(source))
    assert new is not None
    install(new + data[16:])
    assert _imported(installed) == "code", "rewritten, it is used in another place and with another time"
    assert target.read_bytes() == new + data[16:]
    (installed / "m.py").write_bytes(b"FROM = 'edit'\n")
    assert _imported(installed) == "edit", "and it is still checked against its source"
