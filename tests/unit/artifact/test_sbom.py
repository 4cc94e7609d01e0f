from __future__ import annotations

import hashlib
import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samebytes.artifact import sbom
from samebytes.epoch import LAST_DATE

CORPUS = Path(__file__).resolve().parents[2] / "corpus" / "sbom"
DATE = 1580601600
STAMP = "2020-02-02T00:00:00Z"
OWN = "11111111-2222-4333-8444-555555555555"


def normalized(document: object, date: int = DATE) -> sbom.NormalizedSbom:
    """Normalize twice: the second run changes nothing."""
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    result = sbom.normalize(data, date)
    assert result is not None
    assert sbom.normalize(result.data, date) == sbom.NormalizedSbom(result.data, ())
    return result


def value(document: object, date: int = DATE) -> Any:
    return json.loads(normalized(document, date).data)


def cyclonedx(**members: object) -> dict[str, Any]:
    return {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, **members}


def spdx(**members: object) -> dict[str, Any]:
    return {"spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", **members}


def left_alone(document: object) -> bool:
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    return sbom.normalize(data, DATE) is None


# Real documents: the tools named wrote them, only the paths in them are invented; that in SPDX is invented as a whole.


@pytest.mark.parametrize("name", ["maturin-1.16.0", "auditwheel-6.8.2", "spdx-2.3"])
def test_real_documents(name: str) -> None:
    result = normalized((CORPUS / f"{name}.json").read_bytes())
    assert result.data.decode() == (CORPUS / "canonical" / f"{name}.json").read_text(encoding="utf-8")


def test_one_project_in_two_places_has_one_document() -> None:
    """Cargo's identifiers differ in more than the path where a directory is called like its package."""
    here = normalized((CORPUS / "maturin-1.16.0.json").read_bytes())
    there = normalized((CORPUS / "maturin-1.16.0-elsewhere.json").read_bytes())
    assert here.data == there.data
    assert there.details[2] == "9 paths made relative to /srv/build%20farm/(7)/tiny"
    assert b"home" not in here.data


def test_changes_are_told() -> None:
    result = normalized((CORPUS / "maturin-1.16.0.json").read_bytes())
    new = json.loads(result.data)["serialNumber"][len("urn:uuid:") :]
    assert result.details == (
        f"serialNumber 43961805-cdf8-4ead-93e6-d9eb419064ae -> {new}",
        f"timestamp 2026-11-21T02:34:04.574469872Z -> {STAMP}",
        "9 paths made relative to /home/alice/checkout",
    )
    assert normalized((CORPUS / "auditwheel-6.8.2.json").read_bytes()).details == ("2 lists sorted",)


# What is recognized


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"<?xml version='1.0'?><bom xmlns='http://cyclonedx.org/schema/bom/1.6'/>", id="xml"),
        pytest.param(b"SPDXVersion: SPDX-2.3\nDataLicense: CC0-1.0\n", id="tag-value"),
        pytest.param(b'{"bomFormat": "CycloneDX", "version": 1, "version": 1}', id="a member given twice"),
        pytest.param(b'{"bomFormat": "CycloneDX", "x": NaN}', id="NaN"),
        pytest.param(b'{"bomFormat": "CycloneDX"', id="truncated"),
        pytest.param(b'\xef\xbb\xbf{"bomFormat": "CycloneDX"}', id="byte order mark"),
        pytest.param('{"bomFormat": "CycloneDX"}'.encode("utf-16"), id="utf-16"),
        pytest.param([cyclonedx()], id="array"),
        pytest.param({"bomFormat": "cyclonedx"}, id="other format"),
        pytest.param({"bomFormat": 1}, id="no text"),
        pytest.param({"spdxVersion": "SPDX-3.0"}, id="SPDX 3 version"),
        pytest.param({"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": []}, id="SPDX 3"),
        pytest.param({"spdxVersion": "SPDX-2.3\n"}, id="line feed"),
        pytest.param({"Document": spdx()}, id="wrapped"),
        pytest.param({**spdx(), **cyclonedx()}, id="both"),
        pytest.param({"payloadType": "application/vnd.cyclonedx+json", "payload": "e30="}, id="envelope"),
        pytest.param(cyclonedx(signature={"algorithm": "ES256", "value": "x"}), id="signed"),
        pytest.param(cyclonedx(components=[{"name": "x", "signature": {"value": "x"}}]), id="signed part"),
        pytest.param(spdx(signature="x"), id="signed SPDX"),
        pytest.param(cyclonedx(name="a\0b"), id="NUL"),
        pytest.param(cyclonedx(**{"a\0b": 1}), id="NUL in a name"),
    ],
)
def test_everything_else_is_left_alone(document: object) -> None:
    assert left_alone(document)


def test_a_large_document_is_left_alone() -> None:
    data = json.dumps(cyclonedx()).encode()
    assert left_alone(data + b" " * (sbom.LARGEST + 1 - len(data)))
    assert not left_alone(data + b" " * 100)


def test_objects_that_would_get_one_name_leave_the_document_alone() -> None:
    parts = [{"bom-ref": "path+file:///a/b#b@1"}, {"bom-ref": "path+file:///a/b#1"}]
    assert left_alone(cyclonedx(components=parts))
    assert left_alone(spdx(packages=[{"SPDXID": "file:///a/b"}, {"SPDXID": "file:///a/c"}, {"SPDXID": "file://b"}]))
    assert value(cyclonedx(components=parts[:1] * 2))["components"] == [{"bom-ref": "path+file://.#b@1"}] * 2


def test_a_document_that_would_change_with_every_run_is_left_alone() -> None:
    url = "file:///src/a=file%3A%2F%2F%2Fsrc%2Fb"
    assert left_alone(cyclonedx(components=[{"name": url}]))
    assert value(cyclonedx(components=[{"name": url[:13]}]))["components"] == [{"name": "file://a"}]
    # A path that no other has its root in, and that goes with the time it is in.
    times = {"timestamp": "path+file:///other/b#1.0"}
    assert left_alone(cyclonedx(metadata=times, components=[{"name": "path+file:///src/a#1.0"}]))


# Identity


def test_the_serial_number_is_derived_as_documented() -> None:
    document = cyclonedx(serialNumber=f"urn:uuid:{OWN}", annotations=[{"subjects": [f"urn:cdx:{OWN}/1#x"]}])
    placeholder = json.loads(json.dumps(document).replace(OWN, "\\u0000"))
    form = json.dumps(placeholder, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
    new = uuid.uuid5(
        uuid.uuid5(uuid.NAMESPACE_URL, "https://github.com/samebytes/samebytes/sbom"),
        hashlib.sha256(form.encode()).hexdigest(),
    )
    found = value(document)
    assert found["serialNumber"] == f"urn:uuid:{new}"
    assert found["annotations"][0]["subjects"] == [f"urn:cdx:{new}/1#x"]


def test_the_serial_number_follows_the_content() -> None:
    serial = f"urn:uuid:{OWN}"
    found = [value(cyclonedx(serialNumber=serial, metadata={"component": {"name": name}})) for name in "ab"]
    assert found[0]["serialNumber"] != found[1]["serialNumber"]


@pytest.mark.parametrize("serial", ["urn:uuid:1234", OWN, 7, None])
def test_an_identity_that_is_none_stays(serial: object) -> None:
    assert value(cyclonedx(serialNumber=serial))["serialNumber"] == serial


def test_nothing_is_invented() -> None:
    assert value(cyclonedx()) == cyclonedx()
    assert value(spdx()) == spdx()


@pytest.mark.parametrize("before", ["https://example.org/spdx/x-", "urn:uuid:", "https://example.org/", ""])
def test_the_end_of_an_spdx_namespace_is_derived(before: str) -> None:
    found = [value(spdx(documentNamespace=before + str(uuid.uuid4())))["documentNamespace"] for _ in range(2)]
    assert found[0] == found[1]
    assert uuid.UUID(found[0][len(before) :]).version == 5


@pytest.mark.parametrize("namespace", ["https://example.org/x", f"https://example.org/{OWN}/x", f"https://x/a{OWN}"])
def test_an_spdx_namespace_without_a_trailing_uuid_stays(namespace: str) -> None:
    assert value(spdx(documentNamespace=namespace))["documentNamespace"] == namespace


def test_a_document_that_another_one_names_keeps_its_name() -> None:
    data = json.dumps(cyclonedx(serialNumber=f"urn:uuid:{OWN.upper()}")).encode()
    assert sbom.normalize(data, DATE, {OWN}) is None
    assert sbom.normalize(data, DATE, {str(uuid.uuid4())}) is not None
    assert sbom.uuids(data + b" urn:cdx:ABCDEF00-0000-0000-0000-000000000000/1") == {
        OWN,
        "abcdef00-0000-0000-0000-000000000000",
    }


# Times


@pytest.mark.parametrize(
    ("date", "stamp"),
    [(0, "1970-01-01T00:00:00Z"), (DATE + 1, "2020-02-02T00:00:01Z"), (LAST_DATE, "2107-12-31T23:59:58Z")],
)
def test_the_date_in_the_notation_of_both_formats(date: int, stamp: str) -> None:
    assert value(cyclonedx(metadata={"timestamp": "2026-11-21T03:34:04+01:00"}), date)["metadata"]["timestamp"] == stamp
    assert value(spdx(creationInfo={"created": "x"}), date)["creationInfo"]["created"] == stamp


def test_only_times_of_this_build_are_replaced() -> None:
    old = "2024-05-06T07:08:09Z"
    flow = {"timeStart": old, "timeEnd": old, "trigger": {"timeActivated": old}, "timeStamp": old}
    released = {"releaseNotes": {"timestamp": old}, "pedigree": {"commits": [{"author": {"timestamp": old}}]}}
    document = cyclonedx(
        metadata={"timestamp": old, "lifecycles": [{"timestamp": old}]},
        annotations=[{"timestamp": old}, {"timestamp": None}],
        formulation=[{"workflows": [{**flow, "tasks": [flow]}]}],
        components=[released],
        vulnerabilities=[{"published": old, "timeStart": old}],
    )
    kept = {**flow, "timeStart": STAMP, "timeEnd": STAMP, "trigger": {"timeActivated": STAMP}}
    assert value(document) == {
        **document,
        "metadata": {"timestamp": STAMP, "lifecycles": [{"timestamp": old}]},
        "annotations": [{"timestamp": STAMP}, {"timestamp": None}],
        "formulation": [{"workflows": [{**kept, "tasks": [kept]}]}],
    }
    assert normalized(document).details == (f"8 timestamps -> {STAMP}",)


def test_only_times_of_this_spdx_document_are_replaced() -> None:
    old = "2024-05-06T07:08:09Z"
    notes = [{"annotationDate": old}]
    document = spdx(packages=[{"builtDate": old, "releaseDate": old, "annotations": notes}], annotations=notes)
    dated = [{"annotationDate": STAMP}]
    assert value(document) == {
        **document,
        "annotations": dated,
        "packages": [{"builtDate": old, "releaseDate": old, "annotations": dated}],
    }


def test_what_is_told_of_a_hostile_text_is_one_line() -> None:
    (detail,) = normalized(cyclonedx(metadata={"timestamp": "\x1b[2J\n" + "x" * 1000})).details
    assert detail.isprintable()
    assert len(detail) < 150


# Order


def test_sets_are_sorted_and_other_arrays_are_not() -> None:
    parts = [{"bom-ref": "b"}, {"name": "z"}, {"bom-ref": "a", "licenses": [{"b": 1}, {"a": 1}]}, {"name": "y"}]
    ordered = [parts[3], parts[1], parts[2], parts[0]]
    links = [{"ref": "b", "dependsOn": ["z", "y"], "provides": ["x", "w"]}, {"ref": "a"}]
    document = cyclonedx(
        components=[*parts, {"bom-ref": "c", "components": parts}],
        metadata={"tools": {"components": parts, "services": parts}, "component": {"components": parts}},
        dependencies=links,
        compositions=[{"assemblies": ["b", "a"], "dependencies": ["b", "a"]}],
        properties=[{"name": "b"}, {"name": "a"}],
    )
    assert value(document) == {
        **document,
        "components": [*ordered, {"bom-ref": "c", "components": ordered}],
        "metadata": {"tools": {"components": ordered, "services": ordered}, "component": {"components": ordered}},
        "dependencies": [{"ref": "a"}, {"ref": "b", "dependsOn": ["y", "z"], "provides": ["w", "x"]}],
        "compositions": [{"assemblies": ["b", "a"], "dependencies": ["a", "b"]}],
    }


def test_spdx_sets_are_sorted() -> None:
    names = [{"SPDXID": "b"}, {"SPDXID": "a", "hasFiles": ["d", "c"], "x": ["b", "a"]}]
    ordered = [{"SPDXID": "a", "hasFiles": ["c", "d"], "x": ["b", "a"]}, {"SPDXID": "b"}]
    links = [{"spdxElementId": "b"}, {"spdxElementId": "a", "relationshipType": "Z"}, {"spdxElementId": "a"}]
    members = {"packages": names, "files": names, "snippets": names, "documentDescribes": ["b", "a"]}
    found = value(spdx(**members, relationships=links, creationInfo={"creators": ["b", "a"]}))
    assert found["packages"] == ordered
    assert found["files"] == [{**ordered[0], "hasFiles": ["d", "c"]}, ordered[1]], "only packages have files"
    assert found["snippets"] == found["files"]
    assert found["documentDescribes"] == ["a", "b"]
    assert found["relationships"] == [links[1], links[2], links[0]]
    assert found["creationInfo"] == {"creators": ["b", "a"]}


@pytest.mark.parametrize("content", [None, 1, "x", {}, {"b": 1}, [[3, 1], [2]], [1, "b", None, {"ref": 1}]])
def test_values_of_unexpected_kinds_are_borne(content: object) -> None:
    names = ["metadata", "components", "dependencies", "annotations", "formulation", "serialNumber"]
    normalized(cyclonedx(**dict.fromkeys(names, content)))
    normalized(spdx(**dict.fromkeys(["creationInfo", "packages", "documentNamespace", "relationships"], content)))


# All together

NAMES = st.text("abz-_0", min_size=1, max_size=5).map(lambda text: f"n{text}")
ROOTS = st.lists(st.sampled_from(["home", "work dir", "tmp", "été", "x(1)", "n0", "src"]), min_size=1, max_size=4)
STAMPS = st.datetimes().map(lambda moment: moment.isoformat() + "Z")


def _quoted(parts: list[str]) -> str:
    from urllib.parse import quote

    return "/" + "/".join(quote(part, safe="()") for part in parts)


def _cargo(root: list[str], crates: list[str], serial: uuid.UUID, stamp: str) -> dict[str, Any]:
    """What cargo-cyclonedx writes of a package named ``top`` in *root* with *crates* beneath it."""
    url, plain = _quoted(root), "/" + "/".join(root)
    top = f"path+file://{url}#{'' if root[-1] == 'top' else 'top@'}1.0"
    refs = [f"path+file://{url}/crates/{name}#1.0" for name in crates]
    parts = [
        {"bom-ref": ref, "name": name, "purl": f"pkg:cargo/{name}@1.0?download_url=file://{url}/crates/{name}&a=b"}
        for name, ref in zip(crates, refs)
    ]
    return cyclonedx(
        serialNumber=f"urn:uuid:{serial}",
        metadata={
            "timestamp": stamp,
            "component": {"bom-ref": top, "components": [{"bom-ref": f"{top} bin-target-0"}]},
        },
        components=parts,
        dependencies=[{"ref": top, "dependsOn": refs}, *({"ref": ref, "dependsOn": [top]} for ref in refs)],
        properties=[
            {"name": "source", "value": f"{plain}/src/main.rs"},
            {"name": "self", "value": f"urn:cdx:{serial}/1"},
        ],
    )


def _shuffled(found: Any, draw: Any) -> Any:
    """Change what has no meaning: the order of members and of sets."""
    if isinstance(found, dict):
        names = draw(st.permutations(sorted(found)))
        shuffled = {name: _shuffled(found[name], draw) for name in names}
        for name in {"components", "dependencies", "dependsOn"} & set(found):
            shuffled[name] = draw(st.permutations(shuffled[name]))
        return shuffled
    return [_shuffled(each, draw) for each in found] if isinstance(found, list) else found


@st.composite
def builds(draw: Any, crates: list[str]) -> bytes:
    root = draw(ROOTS) + draw(st.sampled_from([["top"], ["checkout"]]))
    document = _shuffled(_cargo(root, crates, draw(st.uuids()), draw(STAMPS)), draw)
    return json.dumps(document, indent=draw(st.sampled_from([None, 1, 4])), ensure_ascii=draw(st.booleans())).encode()


@given(st.data())
def test_two_builds_of_one_project_have_one_document(data: st.DataObject) -> None:
    """Rule: the bytes do not depend on paths, serial numbers, times and the order of what has none."""
    crates = data.draw(st.lists(NAMES, unique=True, max_size=4))
    first, second = data.draw(builds(crates)), data.draw(builds(crates))
    assert normalized(first).data == normalized(second).data
    assert b"file:///" not in normalized(first).data


TEXTS = st.sampled_from(["path+file:///a/b#1", "path+file:///a/c/d#x@1", "file:///a/b/x", "/a/b/c", "/a", "x", OWN, ""])
NODES = st.recursive(
    TEXTS | st.integers() | st.none(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["components", "ref", "bom-ref", "dependsOn", "timestamp", "metadata", "x", "SPDXID"]),
            inner,
        )
    ),
    max_leaves=15,
)


@given(st.dictionaries(st.sampled_from(["components", "metadata", "dependencies", "packages", "annotations"]), NODES))
def test_whatever_a_document_holds_the_second_run_changes_nothing(members: dict[str, Any]) -> None:
    for document in (
        cyclonedx(**members, serialNumber=f"urn:uuid:{OWN}"),
        spdx(**members, documentNamespace=f"https://x/{OWN}"),
    ):
        if not left_alone(document):
            normalized(document)
