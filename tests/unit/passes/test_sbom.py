from __future__ import annotations

import json
from pathlib import Path

import pytest

from samebytes.archive.entry import Archive, Aspect, Data, Deviation, Entry, Kind, Packed, read_all
from samebytes.artifact.layout import ArtifactKind
from samebytes.artifact.sbom import LARGEST
from samebytes.errors import ArchiveError
from samebytes.passes.model import Context
from samebytes.passes.sbom import SBOM

OLD = Packed(True, 9, lambda: iter((b"old bytes",)))

CORPUS = Path(__file__).resolve().parents[2] / "corpus" / "sbom"
CONTEXT = Context(date=1580601600, kind=ArtifactKind.WHEEL)
OWN = "11111111-2222-4333-8444-555555555555"
HERE = (CORPUS / "maturin-1.16.0.json").read_bytes()
THERE = (CORPUS / "maturin-1.16.0-elsewhere.json").read_bytes()
NAME = "tiny-0.1.0.dist-info/sboms/tiny.cyclonedx.json"


def member(name: str, data: bytes) -> Entry:
    return Entry(name, Kind.FILE, 0o644, 0, Data(data), packed=OLD)


def archive(**members: bytes) -> Archive:
    return Archive("tiny-0.1.0-py3-none-any.whl", tuple(member(name, data) for name, data in members.items()))


def bom(serial: str = OWN, **members: object) -> bytes:
    return json.dumps({"bomFormat": "CycloneDX", "serialNumber": f"urn:uuid:{serial}", **members}).encode()


def changed(**members: bytes) -> list[str]:
    return [change.member for change in SBOM.run(archive(**members), CONTEXT).changes]


def test_it_is_a_pass_of_wheels_alone() -> None:
    assert SBOM.code == "C001"
    assert SBOM.switchable
    assert SBOM.default
    assert SBOM.applies(CONTEXT)
    assert not SBOM.applies(CONTEXT._replace(kind=ArtifactKind.SDIST))


def test_two_builds_have_one_document() -> None:
    first, second = (SBOM.run(archive(**{"tiny.py": b"", NAME: data}), CONTEXT) for data in (HERE, THERE))
    assert read_all(first.archive.entries[1].content) == read_all(second.archive.entries[1].content)
    (change,) = first.changes
    assert (change.code, change.member) == ("C001", NAME)
    assert change.detail.startswith("serialNumber 43961805-cdf8-4ead-93e6-d9eb419064ae -> ")
    assert change.detail.endswith("Z; 9 paths made relative to /home/alice/checkout")
    again = SBOM.run(first.archive, CONTEXT)
    assert again.changes == ()
    assert again.archive is first.archive


def test_everything_else_of_the_member_stays() -> None:
    entry = Entry(
        NAME, Kind.FILE, 0o755, 5.0, Data(HERE), deviations=(Deviation(Aspect.ZIP_EXTRA_FIELDS, "extra"),), packed=OLD
    )
    before = Archive("x.whl", (entry, member("m.py", b"")), (Deviation(Aspect.ZIP_COMMENTS, "comment"),))
    after = SBOM.run(before, CONTEXT).archive
    assert after.entries[0]._replace(content=entry.content, packed=OLD) == entry
    assert after.entries[0].packed is None, "the packed bytes found are those of other contents"
    assert after.entries[1] is before.entries[1]
    assert (after.name, after.deviations) == (before.name, before.deviations)


@pytest.mark.parametrize(
    "name",
    [
        "tiny/sboms/tiny.json",
        "sboms/tiny.json",
        "tiny-0.1.0.dist-info/tiny.json",
        "tiny-0.1.0.dist-info/sboms",
        "x/tiny-0.1.0.dist-info/sboms/tiny.json",
        "tiny-0.1.0.data/sboms/tiny.json",
    ],
)
def test_documents_in_other_places_are_the_users_data(name: str) -> None:
    before = archive(**{name: HERE})
    outcome = SBOM.run(before, CONTEXT)
    assert outcome.archive is before
    assert outcome.changes == ()


@pytest.mark.parametrize("name", ["a.json", "deep/er/a.json", "noextension"])
def test_documents_may_have_any_name(name: str) -> None:
    assert changed(**{f"x-1.dist-info/sboms/{name}": HERE}) == [f"x-1.dist-info/sboms/{name}"]


def test_directories_and_links_are_no_documents() -> None:
    for kind in (Kind.DIRECTORY, Kind.SYMLINK):
        assert SBOM.run(Archive("x.whl", (Entry(NAME, kind, 0o755, 0, Data(HERE)),)), CONTEXT).changes == ()


@pytest.mark.parametrize("suffix", [".sig", ".asc", ".sigstore.json", ".sha256"])
def test_a_document_with_a_companion_is_left_alone(suffix: str) -> None:
    other = NAME.replace("tiny.cyclonedx", "zz")
    assert changed(**{NAME: HERE, NAME + suffix: b"signature", other: THERE}) == [other]
    assert changed(**{NAME: HERE, NAME + ".license": b"CC0", NAME + suffix: b"signature"}) == []


def test_a_licence_beside_a_document_does_not_bind_its_bytes() -> None:
    assert changed(**{NAME: HERE, NAME + ".license": b"SPDX-License-Identifier: CC0-1.0"}) == [NAME]


def test_a_document_that_another_one_names_is_left_alone() -> None:
    folder = "x-1.dist-info/sboms/"
    names = bom("00000000-0000-4000-8000-000000000000", annotations=[{"subjects": [f"urn:cdx:{OWN}/1#x"]}])
    assert changed(**{folder + "a": bom(), folder + "b": names}) == [folder + "b"]
    assert changed(**{folder + "a": bom(), folder + "b": f"<bom serialNumber='urn:uuid:{OWN}'/>".encode()}) == []
    assert changed(**{folder + "a": bom()}) == [folder + "a"]


def test_what_is_not_recognized_is_left_alone() -> None:
    assert changed(**{NAME: b"not JSON", NAME + "x": HERE[:-4], NAME + "y": bom(signature={})}) == []


def test_a_large_document_is_not_read() -> None:
    class Huge(Data):
        size = LARGEST + 1

        def chunks(self):  # type: ignore[no-untyped-def]
            raise AssertionError("read")

    entries = (Entry(NAME, Kind.FILE, 0o644, 0, Huge(b"")), member(NAME.replace("tiny.cy", "zz"), HERE))
    assert len(SBOM.run(Archive("x.whl", entries), CONTEXT).changes) == 1


def test_a_document_that_cannot_be_read_is_an_error() -> None:
    class Broken(Data):
        def chunks(self):  # type: ignore[no-untyped-def]
            raise ArchiveError("sbom: CRC mismatch")

    with pytest.raises(ArchiveError, match="CRC"):
        SBOM.run(Archive("x.whl", (Entry(NAME, Kind.FILE, 0o644, 0, Broken(HERE)),)), CONTEXT)


def test_layout_alone_is_told() -> None:
    (change,) = SBOM.run(archive(**{NAME: b'{"bomFormat":"CycloneDX"}'}), CONTEXT).changes
    assert change.detail == "layout"


@pytest.mark.parametrize(
    ("date", "stamp"),
    [
        (1580601601, "2020-02-02T00:00:00Z"),
        (0, "1980-01-01T00:00:00Z"),
        (10**11, "2107-12-31T23:59:58Z"),
    ],
)
def test_the_time_is_the_one_that_the_members_can_hold(date: int, stamp: str) -> None:
    """Rule: who finds the date in the members' times, at a second run, changes nothing."""
    before = archive(**{NAME: bom(metadata={"timestamp": "2026-11-21T02:34:04Z"})})
    after = SBOM.run(before, CONTEXT._replace(date=date)).archive
    assert json.loads(read_all(after.entries[0].content))["metadata"]["timestamp"] == stamp
