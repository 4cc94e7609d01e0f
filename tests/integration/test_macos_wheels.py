"""Wheels for macOS as they are published: normalized without a change to what they install, and read as macholib reads them."""

from __future__ import annotations

import io
import struct
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from samebytes_tools.comparison.allowance import UNLIMITED
from samebytes_tools.comparison.causes.cause import NO_CLUES
from samebytes_tools.comparison.formats import macho, macho_image
from samebytes_tools.comparison.model import Difference
from support.macho import command_at
from support.macos_wheels import SMALL, fetched, modules, normalized

from samebytes.archive.entry import Data

pytestmark = [pytest.mark.integration, pytest.mark.network]


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    found = fetched(SMALL, tmp_path_factory.mktemp("wheels"))
    assert len(found) == len(SMALL)
    return found


def test_normalizing_changes_nothing_that_is_installed(wheels: list[Path], tmp_path: Path) -> None:
    for wheel in wheels:
        outcome = normalized(wheel, tmp_path, [sys.executable, "-m", "samebytes"])
        assert outcome.modules > 0
        assert not outcome.moved
        assert outcome.changed <= {
            f"*.dist-info/{name}" for name in ("METADATA", "RECORD", "WHEEL", "top_level.txt")
        } | {name for name in outcome.changed if name.startswith("*.dist-info/sboms/")}


def test_all_that_macholib_reads_is_read(wheels: list[Path], tmp_path: Path) -> None:
    """Another reader, of py2app's authors, finds the same slices, sections, ids, libraries and symbols."""
    macholib = pytest.importorskip("macholib.MachO", reason="needs macholib")
    tables = pytest.importorskip("macholib.SymbolTable", reason="needs macholib")
    path = tmp_path / "module.so"
    for wheel in wheels:
        for data in modules(wheel).values():
            path.write_bytes(data)
            images = list(macho_image.read(io.BytesIO(data), UNLIMITED).images.values())
            headers = macholib.MachO(str(path)).headers
            assert len(images) == len(headers)
            for image, header in zip(images, headers):
                commands = [(command.get_cmd_name(), value, more) for command, value, more in header.commands]
                sections = [each for name, _, more in commands if name == "LC_SEGMENT_64" for each in more]
                assert [
                    (f"{plain(each.segname)},{plain(each.sectname)}", int(each.addr), int(each.size))
                    for each in sections
                ] == [(name, each.address, each.size) for name, each in image.sections.items()]
                assert [value for command, value in image.commands if command == "LC_UUID"] == [
                    value.uuid for name, value, _ in commands if name == "LC_UUID"
                ]
                assert [more for name, _, more in commands if name == "LC_LOAD_DYLIB"] == [
                    value[16:] for name, value in image.commands if name == "LC_LOAD_DYLIB"
                ]
                assert [(each.name, each.kind, each.section, each.value) for each in image.symbols] == [
                    (name or b"", int(each.n_type), int(each.n_sect), int(each.n_value))
                    for each, name in tables.SymbolTable(header.parent, header=header).nlists
                ]


def plain(name: bytes) -> str:
    return name.rstrip(b"\0").decode()


def replaced(data: bytes, old: bytes, new: bytes) -> bytes:
    assert data.count(old) == 1
    assert len(old) == len(new)
    return data.replace(old, new)


def with_number(data: bytes, at: int, number: int, order: str = "<") -> bytes:
    return data[:at] + struct.pack(f"{order}I", number) + data[at + 4 :]


def object_files(data: bytes) -> list[macho_image.Symbol]:
    """The symbols that name them (N_OSO)."""
    (image,) = macho_image.read(io.BytesIO(data), UNLIMITED).images.values()
    return [each for each in image.symbols if each.kind == 0x66]


def other_uuid(data: bytes) -> bytes:
    at = command_at(data, 0x1B) + 8
    return data[:at] + bytes(range(16)) + data[at + 16 :]


def other_object_file(data: bytes) -> bytes:
    """Another directory in the table of names, of the same length."""
    path = object_files(data)[0].name
    other = b"/srv" + path[4:] if path.startswith(b"/") else b"/srv/" + path[5:]
    return replaced(data, b"\0" + path + b"\0", b"\0" + other + b"\0")


def other_time(data: bytes) -> bytes:
    when = object_files(data)[0].value
    return data.replace(struct.pack("<Q", when), struct.pack("<Q", when + 3600))


def other_sdk(data: bytes) -> bytes:
    return with_number(data, command_at(data, 0x32) + 16, 27 << 16)


def other_target(data: bytes) -> bytes:
    return with_number(data, command_at(data, 0x32) + 12, 13 << 16)


def other_library(data: bytes) -> bytes:
    at = command_at(data, 0xC)
    assert data[at + 24 :].startswith((b"/usr/lib/", b"/System/"))
    return with_number(data, at + 16, 9999 << 16)


def other_flags_of_the_signature(data: bytes) -> bytes:
    """Ad hoc, but not by the linker: the flags are in the code directory, which is the first blob here."""
    (begin,) = struct.unpack_from("<I", data, command_at(data, 0x1D) + 8)
    at = begin + struct.unpack_from(">I", data, begin + 16)[0]
    assert struct.unpack_from(">I", data, at)[0] == 0xFADE0C02
    return with_number(data, at + 12, 2, ">")


def other_code(data: bytes) -> bytes:
    (image,) = macho_image.read(io.BytesIO(data), UNLIMITED).images.values()
    return replaced(data, code := image.sections["__TEXT,__text"].data, b"\x1f\x20\x03\xd5" * 2 + code[8:])


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (other_uuid, "D017"),
        (other_object_file, "D001"),
        (other_time, "D005"),
        (other_sdk, "D023"),
        (other_target, "D026"),
        (other_library, "D023"),
        (other_flags_of_the_signature, "D025"),
        (other_code, "D099"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_what_is_changed_in_a_published_module_is_named(
    change: Callable[[bytes], bytes], cause: str, wheels: list[Path]
) -> None:
    """The files of Apple's own linker, edited in one thing; the signature's hashes are left as they are."""
    tried = 0
    for wheel in wheels:
        for name, data in modules(wheel).items():
            if data[:4] != b"\xcf\xfa\xed\xfe" or (
                change in (other_object_file, other_time) and not object_files(data)
            ):
                continue
            node = macho.compare(name, Data(data), Data(change(data)), NO_CLUES)
            assert node is not None
            assert codes(node) == {cause}, name
            tried += 1
    assert tried >= 2


def codes(node: Difference) -> set[str]:
    return {finding.code for each in node.walk() for finding in each.findings}
