"""Records of builds: what is written is what is read, what others' tools read, and nothing that changes by itself."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samebytes_tools.building import provenance, pylock
from samebytes_tools.building.provenance import (
    BACKEND,
    SAMEBYTES,
    Material,
    PublishedFile,
    Record,
    RecordedImage,
    RecordedRepair,
)
from samebytes_tools.building.source import package_url, tree_digest
from samebytes_tools.building.virtualenvs import InstalledDistribution
from samebytes_tools.comparison.model import Verdict
from support.examples import examples
from support.projects import write_tree
from support.schemas import assert_valid

from samebytes.errors import ConfigError, UsageError

SHA = "ab" * 32
WHEEL = "demo-1.0-py3-none-any.whl"
HOST = "https://files.example/"


def requirement(name: str = "tinyback", version: str = "1.0+local", **more: Any) -> InstalledDistribution:
    file = f"{name}-{version}-py3-none-any.whl".replace("+", "%2B")
    return InstalledDistribution(
        name, version, **{"url": f"{HOST}{file}", "hashes": {"sha256": SHA, "md5": "00"}, **more}
    )


THIS_PYTHON = provenance.this_python()  # starts an interpreter


def record(**more: Any) -> Record:
    return Record(
        **{
            "subjects": ((WHEEL, SHA),),
            "method": BACKEND,
            "kinds": ("wheel",),
            "config_settings": {"--global-option": ["a", "b"]},
            "source": Material(
                "pkg:pypi/demo@1.0?file_name=demo-1.0.tar.gz", {"sha256": SHA}, f"{HOST}demo-1.0.tar.gz"
            ),
            "requirements": (requirement(),),
            "python": THIS_PYTHON,
            "environment": {"TZ": "UTC", "CFLAGS": "-O2 -DÄ"},
            **more,
        }
    )


RECORDS = [
    record(),
    record(method=SAMEBYTES, kinds=(), source=Material(digest={"dirHash": SHA}), environment={}, config_settings={}),
    record(source=Material("git+https://host.example/demo@" + "12" * 20, {"gitCommit": "12" * 20}), requirements=()),
    record(config_settings={"-\udce9": ["\udcff", "é"]}, environment={"CFLAGS": "-DX=\udce9\n"}),
    record(given={"DEMO_NO_EXTENSIONS": "1", "CFLAGS": "-O2 -DÄ", "A": "\udce9=\n"}),
    record(requirements=(requirement("zeta"), requirement("alpha", is_direct=True), requirement("none", hashes={}))),
    record(repair=RecordedRepair("manylinux_2_28_x86_64", ("--strip",), (requirement("auditwheel", "6.1.0"),))),
    record(repair=RecordedRepair("manylinux1_i686", (), ()), requirements=()),
    record(image=RecordedImage(f"quay.example/pypa/many_x86@sha256:{SHA}", SHA), requirements=()),
    record(
        image=RecordedImage("localhost/mine:1", SHA), repair=RecordedRepair("manylinux1_i686", (), (requirement(),))
    ),
]


def write(text: str, directory: Path) -> Path:
    path = directory / "record.json"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("one", RECORDS)
def test_what_is_written_is_read(one: Record, tmp_path: Path) -> None:
    again = provenance.read(write(provenance.text(one), tmp_path))
    strong = [replace(each, hashes={"sha256": SHA} if each.hashes else {}) for each in one.requirements]
    assert again == replace(
        one,
        requirements=tuple(sorted(strong, key=lambda each: each.name)),
        python=replace(one.python, executable=""),
        repair=one.repair
        and replace(one.repair, tools=tuple(replace(each, hashes={"sha256": SHA}) for each in one.repair.tools)),
    )


@pytest.mark.parametrize("one", RECORDS)
def test_it_is_what_the_schema_says(one: Record) -> None:
    assert_valid(json.loads(provenance.text(one)), "provenance")


@pytest.mark.parametrize("verdict", [one.value for one in Verdict])
def test_what_a_rebuild_was_compared_with(verdict: str, tmp_path: Path) -> None:
    """It is a result: a byproduct, as other rebuilders have it, and no input of the next build."""
    published = PublishedFile(WHEEL, "cd" * 32, f"{HOST}{WHEEL}", verdict)
    text = provenance.text(record(published=published))
    document = json.loads(text)
    assert_valid(document, "provenance")
    (found,) = document["predicate"]["runDetails"]["byproducts"]
    assert (found["name"], found["annotations"]) == (f"published/{WHEEL}", {"verdict": verdict})
    assert found["digest"] == {"sha256": "cd" * 32}
    assert provenance.read(write(text, tmp_path)) == provenance.read(write(provenance.text(record()), tmp_path))
    local = provenance.statement(record(published=replace(published, url="")))
    assert "downloadLocation" not in local["predicate"]["runDetails"]["byproducts"][0]


def test_it_holds_no_time_no_random_number_and_no_path_of_this_machine() -> None:
    text = provenance.text(RECORDS[0])
    assert text == provenance.text(RECORDS[0])
    assert str(Path(sys.executable).parent) not in text
    assert str(Path.home()) not in text
    assert not re.search(r"20\d\d-\d\d-\d\d|startedOn|finishedOn|invocationId", text)


def test_package_urls() -> None:
    """Names are normalized, versions quoted (package-url, type pypi)."""
    made = provenance.statement(RECORDS[0])["predicate"]["buildDefinition"]["resolvedDependencies"][2]
    assert made["uri"] == "pkg:pypi/tinyback@1.0%2Blocal?file_name=tinyback-1.0%2Blocal-py3-none-any.whl"
    assert package_url("Typing_Extensions-4.0.tar.gz").startswith("pkg:pypi/typing-extensions@4.0?")


def test_only_variables_that_tell_a_build_something_are_recorded(tmp_path: Path) -> None:
    environ = {"PATH": "/bin", "SECRET": "x", "CC": "gcc", "SOURCE_DATE_EPOCH": "7"}
    assert provenance.that_matter(environ) == {"CC": "gcc", "SOURCE_DATE_EPOCH": "7"}
    odd = json.loads(provenance.text(record()))
    odd["predicate"]["buildDefinition"]["internalParameters"]["environment"]["LD_PRELOAD"] = "/evil.so"
    assert "LD_PRELOAD" not in provenance.read(write(json.dumps(odd), tmp_path)).environment


STEERING = (
    *("PATH", "LD_PRELOAD", "DYLD_INSERT_LIBRARIES", "PYTHONPATH", "PIP_INDEX_URL", "https_proxy", "HOME", "TEMP"),
    # A container gets the file that is named; the others lead its engine elsewhere.
    *("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "DOCKER_HOST", "CONTAINER_HOST", "CONTAINERS_CONF", "XDG_CONFIG_HOME"),
)


@pytest.mark.parametrize("name", [*STEERING, "", "A B", "1A", "A=B", "Ä"])
def test_no_record_decides_what_else_runs(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        provenance.check_variable(name)
    assert caught.value.remedy
    with pytest.raises(ConfigError, match="lacks"):
        provenance.read(write(provenance.text(record(given={name: "x"})), tmp_path))


@pytest.mark.parametrize(
    "name", [*provenance.MATTERING, "PYYAML_FORCE_LIBYAML", "GITHUB_REF", "LDSHARED", "WRAPT_EXTENSIONS", "_x"]
)
def test_variables_of_builds_are_taken(name: str, tmp_path: Path) -> None:
    provenance.check_variable(name)
    assert provenance.read(write(provenance.text(record(given={name: "x"})), tmp_path)).given == {name: "x"}


def change(path: str, value: object) -> str:
    """Return a record in which one thing is otherwise."""
    document = json.loads(provenance.text(record()))
    *parents, last = path.split("/")
    at = document
    for name in parents:
        at = at[int(name)] if isinstance(at, list) else at[name]
    if value is None:
        del at[last]
    else:
        at[last] = value
    return json.dumps(document)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is not JSON"),
        ("[]", "is not an in-toto Statement v1"),
        (change("_type", "https://in-toto.io/Statement/v0.1"), "is not an in-toto Statement v1"),
        (change("predicateType", "https://slsa.dev/provenance/v0.2"), "not SLSA Provenance v1"),
        (change("predicate", 7), "another type"),
        (change("predicate/buildDefinition/buildType", "https://other.example/1"), "another type"),
        (change("predicate/buildDefinition/externalParameters/method", "magic"), "magic"),
        (change("predicate/buildDefinition/externalParameters/kinds", 3), "lacks"),
        (change("predicate/buildDefinition/externalParameters/kinds", ["egg"]), "'egg' is not a valid ArtifactKind"),
        (change("predicate/buildDefinition/resolvedDependencies", []), "lacks"),
        (change("predicate/buildDefinition/internalParameters", None), "lacks"),
        (change("subject/0/digest", {}), "lacks"),
        (change("subject", []), "no subject"),
        (change("subject", {}), "is not a list"),
        (change("subject/0/name", f"../{WHEEL}"), f"../{WHEEL}"),
        (change("subject/0/name", f"a\\{WHEEL}"), "is not the name"),
        (change("subject/0/digest/sha256", 7), "7 is not a text"),
        (change("subject/0/digest/sha256", SHA[1:]), "SHA-256"),
        (change("predicate/buildDefinition/externalParameters/kinds", {}), "is not a list"),
        (change("predicate/buildDefinition/externalParameters/environment", []), "is not an object"),
        (change("predicate/buildDefinition/externalParameters/environment", {"A": 1}), "1 is not a text"),
        (change("predicate/buildDefinition/externalParameters/configSettings", [["a", "b"]]), "is not an object"),
        (change("predicate/buildDefinition/externalParameters/configSettings", {"a": 1}), "1 is not a text"),
        (change("predicate/buildDefinition/internalParameters/environment", {"CC": "\ud800"}), "surrogates"),
        (change("predicate/buildDefinition/internalParameters/environment", {"CC": "a\0b"}), "is not a text"),
        (change("predicate/buildDefinition/resolvedDependencies/0/digest", [["a", "b"]]), "is not an object"),
        (change("predicate/buildDefinition/resolvedDependencies/0/digest", {}), "the source has no digest"),
        (change("predicate/buildDefinition/resolvedDependencies/0/digest", {"gitTree": "ab" * 20}), "'gitTree'"),
        (change("predicate/buildDefinition/resolvedDependencies/0/digest/sha256", "ab"), "the source's 'sha256'"),
        (change("predicate/buildDefinition/resolvedDependencies/1/annotations/version", "3"), "Python '3'"),
        (change("predicate/buildDefinition/resolvedDependencies/2/name", "a\n--pre"), "is not printable"),
        (change("predicate/buildDefinition/resolvedDependencies/2/downloadLocation", "http://["), "Invalid IPv6"),
        (change("predicate/buildDefinition/resolvedDependencies/2/digest/sha256", "a b"), "is not a digest"),
        ("[" * 100_000, "is not JSON"),
        (change("predicateType", "HERE").replace('"HERE"', "[" * 500 + "]" * 500), "not SLSA Provenance v1"),
        (
            change("predicate/buildDefinition/buildType", "HERE").replace('"HERE"', "[" * 500 + "]" * 500),
            "another type",
        ),
        (change("subject", "HERE").replace('"HERE"', "[" * 500 + "]" * 500), "lacks"),
    ],
)
def test_records_that_cannot_be_followed(text: str, said: str, tmp_path: Path) -> None:
    path = write(text, tmp_path)
    with pytest.raises(ConfigError, match=re.escape(said)) as caught:
        provenance.read(path)
    assert str(path) in caught.value.message
    assert len(caught.value.message) < len(str(path)) + 400
    assert caught.value.remedy


def places(value: object, at: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Return the way to each value in *value* and to itself."""
    rows = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(way for key, one in rows for way in places(one, (*at, key)))]


def attempt(function: Callable[..., Any], argument: object) -> tuple[Any, str]:
    """Return the result, or None and the remedy of the error."""
    try:
        return function(argument), ""
    except ConfigError as error:
        return None, error.remedy


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["\udce9", "\ud800", "", "0"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)
TAKEN = json.loads(provenance.text(record()))


@settings(max_examples=examples(400), deadline=None)
@given(st.sampled_from(places(TAKEN)), ANYTHING)
def test_a_record_with_anything_anywhere_is_refused_or_as_the_schema_says(
    tmp_path_factory: pytest.TempPathFactory, way: tuple[str | int, ...], value: object
) -> None:
    """What is accepted can be written again, and pip be given its requirements; else the error has a remedy."""
    document = {"top": json.loads(json.dumps(TAKEN))}
    *parents, last = ("top", *way)
    at: Any = document
    for key in parents:
        at = at[key]
    at[last] = value
    path = write(json.dumps(document["top"]), tmp_path_factory.getbasetemp())
    found, remedy = attempt(provenance.read, path)
    if found is None:
        assert remedy
        return
    again = replace(found, python=replace(found.python, executable=sys.executable))
    assert_valid(json.loads(provenance.text(again)), "provenance")
    locked, remedy = attempt(pylock.write, found.requirements)
    if locked is None:
        assert remedy  # a digest of another algorithm, which a lock has no room for
        return
    path.write_text(locked, encoding="utf-8")
    assert len(pylock.read(path)) == len(found.requirements)


def test_a_record_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read") as caught:
        provenance.read(tmp_path / "none.json")
    assert caught.value.remedy


def test_the_digest_of_a_tree_is_what_in_totos_shell_commands_say(tmp_path: Path) -> None:
    """The digest set's "dirHash"; .git is left out, links and modes are not in it."""
    tree = write_tree(tmp_path / "tree", {"b.py": "b\n", "a/c.py": "c\n", "a.py": "", "A": "x", "é f": "y"})
    (tree / "link").symlink_to("b.py")
    shell = "find . -type f | cut -c3- | LC_ALL=C sort | xargs -r -d '\\n' sha256sum | sha256sum | cut -f1 -d' '"
    said = subprocess.run(["sh", "-c", shell], cwd=tree, capture_output=True, text=True, check=True).stdout.strip()
    write_tree(tree, {".git/HEAD": "ref"})
    assert tree_digest(tree) == said
