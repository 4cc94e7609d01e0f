"""Texts. What is accepted is written in one form, which is read as the same."""

from __future__ import annotations

import re
from pathlib import Path

from fuzz.harness import Refused, Target, saved
from samebytes_tools.commands.tree import scripts
from support import wheels

from samebytes.artifact import headers, jsontext, record, sbom
from samebytes.backend import config
from samebytes.errors import ConfigError

DATE = 1580601600
CORPUS = Path(__file__).parents[1] / "corpus"


def read_record(data: bytes) -> None:
    """A RECORD written of the rows that were read has the same rows."""
    listing = record.parse(data, wheels.RECORD)
    if listing.faults:
        raise Refused
    written = record.serialise(listing.rows.values(), wheels.RECORD)
    assert record.parse(written, wheels.RECORD) == listing
    assert record.serialise(record.parse(written, wheels.RECORD).rows.values(), wheels.RECORD) == written


def records() -> list[bytes]:
    strange = {'q"uote': b"q", "com,ma": b"c", "line\nfeed": b"l", "ü/é": b"u"}
    longer = wheels.record_of(wheels.FILES, "sha512")
    return [wheels.record_of(wheels.FILES), wheels.record_of(strange), longer, b"", b"directory/,,\r\n"]


def read_header_block(data: bytes) -> None:
    """Writing loses nothing; sorting keeps every field, and sorting again changes nothing."""
    block = headers.parse(data)
    if block is None:
        raise Refused
    assert headers.parse(headers.serialise(block)) == block
    ordered = headers.with_sorted_values(headers.in_order(block, headers.METADATA_ORDER), ("Tag", "Requires-Dist"))
    assert sorted(ordered.fields) == sorted(block.fields)
    again = headers.with_sorted_values(headers.in_order(ordered, headers.METADATA_ORDER), ("Tag", "Requires-Dist"))
    assert again == ordered
    assert headers.parse(headers.serialise(ordered)) == ordered


def header_blocks() -> list[bytes]:
    folded = b"Requires-Dist: b\r\nrequires-dist: a\r\nLicense: MIT\r\n        and more\r\n\r\nA description.\r\n"
    return [wheels.METADATA, wheels.WHEEL, folded]


def read_json(data: bytes) -> None:
    """The one text of a document is read as the same document."""
    value = jsontext.parse(data)
    text = jsontext.serialize(value).encode("utf-8")
    assert jsontext.parse(text) == value
    assert jsontext.serialize(jsontext.parse(text)).encode("utf-8") == text


def json_documents() -> list[bytes]:
    everything = '{"a": [null, true, -1.50e+3, "\\u00fc\\n", {}], "ü": {"b": []}}'.encode()
    return [everything, b"[[[]]]", b"0"]


def read_sbom(data: bytes) -> None:
    """What is normalized stays as it is when it is normalized again."""
    found = sbom.normalize(data, DATE)
    if found is None:
        raise Refused
    assert sbom.normalize(found.data, DATE) == sbom.NormalizedSbom(found.data, ())


def sboms() -> list[bytes]:
    small = (
        b'{"bomFormat": "CycloneDX", "serialNumber": "urn:uuid:11111111-2222-3333-4444-555555555555",'
        b' "metadata": {"timestamp": "2026-11-20T10:11:12Z"}, "components": [{"bom-ref": "path+file:///src/b#1.0"},'
        b' {"bom-ref": "path+file:///src/a#0.1", "purl": "pkg:cargo/a@0.1?download_url=file%3A%2F%2F%2Fsrc%2Fa"}]}'
    )
    spdx = (
        b'{"spdxVersion": "SPDX-2.3", "documentNamespace": "https://x/11111111-2222-3333-4444-555555555555",'
        b' "creationInfo": {"created": "2026-11-20T10:11:12Z"}, "packages": [{"SPDXID": "b"}, {"SPDXID": "a"}]}'
    )
    return [small, spdx, (CORPUS / "sbom" / "auditwheel-6.8.2.json").read_bytes()]


def read_entry_points(data: bytes) -> None:
    """The script made of a command is known to be that command's."""
    head = scripts.first_lines("/usr/bin/python3")
    for entry in scripts.entry_points(data.decode("utf-8")):
        assert scripts.generated_head(scripts.script(head, entry), entry) == head


def entry_point_files() -> list[bytes]:
    both = b"[console_scripts]\na = pkg.a:main\nb=pkg:b.c [extra]\n[gui_scripts]\nc = pkg:c\n[other]\nx = y\n"
    return [both, b""]


def read_config(data: bytes) -> None:
    """What is read is a value for each setting."""
    with saved(data, "pyproject.toml") as path:
        found = config.load(path.parent)
    parts = re.split("[.:]", found.backend.name.removesuffix(":"))
    assert all(parts), found.backend.name
    assert found.backend.package == parts[0]
    assert found.debug_info in config.DEBUG_INFO


def configs() -> list[bytes]:
    everything = b"""\
[build-system]
requires = ["samebytes", "flit_core"]
build-backend = "samebytes.backend"
backend-path = ["src"]
[tool.samebytes]
build-backend = "flit_core.buildapi"
backend-path = ["in"]
canonical-form = 1
source-date-epoch = 1580601600
disable = { W002 = "we like it so" }
enable = ["W100"]
debug-info = "strip"
deflate = "keep"
flags = "inherit"
fixed-paths = true
inherit = ["TZ", "umask"]
"""
    return [everything, b'[tool.samebytes]\nbuild-backend = "b"\nsource-date-epoch = "vcs"\n', b""]


TARGETS = (
    Target("record", read_record, records, (Refused,), runs=100_000),
    Target("headers", read_header_block, header_blocks, (Refused,), runs=150_000),
    Target("json", read_json, json_documents, (jsontext.NotJsonError,), runs=500_000),
    Target("sbom", read_sbom, sboms, (Refused,), runs=80_000),
    Target("entry-points", read_entry_points, entry_point_files, (ValueError,), longest=1 << 11, runs=150_000),
    Target("config", read_config, configs, (ConfigError,), longest=1 << 12, runs=30_000),
)
