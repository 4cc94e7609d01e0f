"""``import samebytes``: the names that stay, how they load, and what they return and refuse."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.util
import inspect
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from support.artifacts import sdist, wheel
from support.indexes import serving
from support.processes import import_path
from support.projects import write_tree

import samebytes
import samebytes as api
from samebytes import errors

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reference" / "python-api.md"

NAMES = {
    "Built",
    "CanonicalFile",
    "Change",
    "Checked",
    "Comparison",
    "Difference",
    "FileDigest",
    "Normalized",
    "CheckOutcome",
    "SamebytesError",
    "Verdict",
    "VerifiedFile",
    "__version__",
    "build",
    "check",
    "compare",
    "normalize",
    "verify",
}
"""Stable: a name that is here is never taken away."""

FIELDS = {
    "Normalized": ["source", "output", "kind", "date", "before", "after", "changes", "notes", "changed"],
    "Built": ["files", "is_at_fixed_paths", "requirements", "notes"],
    "CanonicalFile": ["path", "kind", "date", "sha256", "size", "changes", "warnings"],
    "VerifiedFile": [
        "name",
        "sha256",
        "url",
        "source",
        "python",
        "generator",
        "requirements",
        "as_of",
        "comparison",
        "notes",
        "verdict",
    ],
    "Checked": ["source", "python", "outcomes", "varied", "not_varied", "notes", "is_reproducible"],
    "Comparison": ["left", "right", "kind", "verdict", "differences", "notes", "causes", "excluded", "walk"],
    "Difference": ["name", "kind", "summary", "detail", "findings", "passes", "children"],
    "FileDigest": ["sha256", "size"],
    "Change": ["code", "member", "detail"],
}
OPTIONS = {
    "normalize": (
        [
            "output",
            "write",
            "date",
            "disable",
            "enable",
            "keep_streams",
            "rebuild_record",
            "drop_signatures",
            "ignore_attestation",
            "jobs",
        ]
    ),
    "compare": [],
    "check": ["kinds", "vary", "python", "isolation", "config_settings", "timeout", "jobs"],
    "build": ["output", "kinds", "isolation", "config_settings", "locked", "provenance", "timeout"],
    "verify": ["kind", "source", "python", "locked", "config_settings", "variables", "output", "timeout"],
}


EARLY = ((2021, 3, 4, 5, 6, 8),)
LATE = ((2022, 4, 5, 6, 7, 8),)

PYPROJECT = """\
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[project]
name = "plain"
version = "1.0"

[tool.setuptools]
py-modules = ["plain"]
"""


def run(program: str, directory: Path) -> str:
    """Run *program* in an interpreter of its own, where nothing else has imported samebytes' rooms."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(program)],
        cwd=directory,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def environment() -> dict[str, str]:
    return {**{name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"}, **import_path()}


def test_the_names_are_those_that_were_promised(tmp_path: Path) -> None:
    assert set(samebytes.__all__) == NAMES
    assert set(dir(samebytes)) >= NAMES
    said = run("import samebytes; print([callable(getattr(samebytes, name)) for name in samebytes.__all__])", tmp_path)
    assert said.count("True") == len(NAMES) - 1


@pytest.mark.parametrize("function", OPTIONS)
def test_options_are_keywords_that_stay(function: str) -> None:
    parameters = inspect.signature(getattr(api, function)).parameters.values()
    assert [one.name for one in parameters if one.kind is one.KEYWORD_ONLY] == OPTIONS[function]
    assert all(one.default is not one.empty for one in parameters if one.kind is one.KEYWORD_ONLY)


@pytest.mark.parametrize("value", FIELDS)
def test_fields_stay(value: str) -> None:
    kind = getattr(api, value)
    fields = getattr(kind, "_fields", None) or [field.name for field in dataclasses.fields(kind)]
    assert [name for name in FIELDS[value] if not (name in fields or hasattr(kind, name))] == []
    assert [name for name in fields if name not in FIELDS[value]] == []


def test_importing_samebytes_loads_nothing(tmp_path: Path) -> None:
    said = run(
        "import sys; before = set(sys.modules); import samebytes; print(*sorted(set(sys.modules) - before))", tmp_path
    )
    assert set(said.split()) <= {"samebytes", "__future__"}


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'samebytes' has no attribute 'normalise'"):
        samebytes.normalise  # type: ignore[attr-defined]  # noqa: B018


def test_everything_on_the_page_is_there_and_the_other_way_round() -> None:
    if not PAGE.is_file():
        pytest.skip("the documentation is not here, only the tests")
    text = PAGE.read_text("utf-8")
    assert set(re.findall(r"samebytes\.([A-Za-z]\w*)", text)) - {"errors"} == NAMES - {"__version__"}
    named = set(re.findall(r"`(\w+)(?:\(\))?`", text))
    for names in (*OPTIONS.values(), *FIELDS.values()):
        assert [name for name in names if name not in named] == []


def blocks() -> list[str]:
    """Return the examples of the page that are run: no signatures, and nothing that asks the index."""
    found = re.findall(r"([^\n]*)\n```python\n(.*?)^```$", PAGE.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    return [text for before, text in found if not text.startswith("def ") and "<!-- not run" not in before]


def stage(directory: Path) -> None:
    """Lay out the files that the page's examples name."""
    wheel(directory / "dist")
    wheel(directory / "one", times=EARLY)
    wheel(directory / "two", times=LATE)
    sdist(directory / "dist")
    project(directory / "project")


def project(root: Path) -> Path:
    """Write a project of one module, built by setuptools as it stands, and return *root*."""
    return write_tree(root, {"pyproject.toml": PYPROJECT, "plain.py": "ANSWER = 42\n"})


@pytest.mark.skipif(not PAGE.is_file(), reason="the documentation is not here, only the tests")
def test_the_examples_of_the_page_run(tmp_path: Path) -> None:
    stage(tmp_path)
    api.normalize(tmp_path / "dist" / "demo-1.0.tar.gz")
    builds = ("samebytes.check", "samebytes.build")
    said = run("\n".join(block for block in blocks() if not any(name in block for name in builds)), tmp_path)
    assert re.match(r"True [0-9a-f]{64}\n[A-Z]\d{3} ", said)
    assert "dist/no-such-file.whl: there is no such file\nCheck the path.\n" in said.replace("\\", "/")


@pytest.mark.integration
@pytest.mark.network
@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")
@pytest.mark.skipif(not PAGE.is_file(), reason="the documentation is not here, only the tests")
def test_the_example_of_check_runs(tmp_path: Path) -> None:
    stage(tmp_path)
    (example,) = (block for block in blocks() if "samebytes.check" in block)
    said = run(f"import samebytes\n{example}", tmp_path)
    found = re.findall(r"^(sdist|wheel|wheel from sdist) (?:the same|differs)$", said, flags=re.MULTILINE)
    assert found == ["sdist", "wheel", "wheel from sdist"]


@pytest.mark.integration
@pytest.mark.network
@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")
@pytest.mark.skipif(not PAGE.is_file(), reason="the documentation is not here, only the tests")
def test_the_example_of_build_runs(tmp_path: Path) -> None:
    stage(tmp_path)
    (example,) = (block for block in blocks() if "samebytes.build" in block)
    said = run(f"import samebytes\n{example}", tmp_path)
    assert re.fullmatch(r"plain-1\.0\.tar\.gz [0-9a-f]{64}\nplain-1\.0-py3-none-any\.whl [0-9a-f]{64}\n", said)


def test_normalizing_twice_changes_nothing(tmp_path: Path) -> None:
    path = wheel(tmp_path)
    would = api.normalize(path, write=False, jobs=1)
    assert (would.output, would.changed) == (None, True)
    first = api.normalize(str(path), date=1600000000)
    assert (first.output, first.kind, first.date, first.changed) == (path, "wheel", 1600000000, True)
    assert {change.code for change in first.changes}
    second = api.normalize(path)
    assert (second.changed, second.changes, second.before) == (False, (), first.after)
    assert second.date == 1600000000


def test_normalizing_elsewhere_leaves_the_source(tmp_path: Path) -> None:
    path = wheel(tmp_path)
    before = path.read_bytes()
    result = api.normalize(path, output=tmp_path / "out")
    assert path.read_bytes() == before
    assert result.output == tmp_path / "out" / path.name
    assert len(result.output.read_bytes()) == result.after.size


def test_the_date_of_the_environment_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = wheel(tmp_path)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1500000000")
    assert api.normalize(path, write=False).date == 1500000000
    assert api.normalize(path, write=False, date=1600000000).date == 1600000000


def test_comparing(tmp_path: Path) -> None:
    one, two = wheel(tmp_path / "one", times=EARLY), wheel(tmp_path / "two", times=LATE)
    assert api.compare(one, one).verdict is api.Verdict.IDENTICAL
    comparison = api.compare(str(one), two)
    assert comparison.verdict is api.Verdict.NORMALIZED
    assert "D011" in comparison.causes
    assert (comparison.left.path, comparison.right.path) == (str(one), str(two))


def refused(what: str, here: Path) -> errors.SamebytesError:
    """Do what is wrong, and return the error."""
    archive, tree = wheel(here), project(here / "tree")
    calls = {
        "normalize a directory": lambda: api.normalize(here),
        "normalize nothing": lambda: api.normalize(here / "no.whl"),
        "normalize at no date": lambda: api.normalize(archive, date=-1),
        "normalize without a pass that there is not": lambda: api.normalize(archive, disable=["X999"]),
        "compare a directory": lambda: api.compare(archive, here),
        "compare nothing": lambda: api.compare(archive, here / "no.whl"),
        "compare a wheel with an sdist": lambda: api.compare(archive, sdist(here)),
        "check a wheel": lambda: api.check(archive),
        "check nothing": lambda: api.check(here / "no"),
        "check by no interpreter": lambda: api.check(tree, python="/no/python"),
        "check of no kind": lambda: api.check(tree, kinds=["egg"]),
        "check with the weather": lambda: api.check(tree, vary=["+weather"]),
        "build nothing": lambda: api.build(here / "no"),
        "build of no kind": lambda: api.build(tree, kinds=["egg"]),
        "build into a file": lambda: api.build(tree, output=archive),
        "build a record without isolation": lambda: api.build(tree, isolation=False, provenance=here / "record"),
        "verify of no kind": lambda: api.verify("demo==1.0", kind="egg"),
        "verify with a variable of samebytes' own": lambda: api.verify("demo==1.0", variables={"TMPDIR": "/"}),
    }
    with pytest.raises(errors.SamebytesError) as caught:
        calls[what]()
    return caught.value


REFUSED = {
    "normalize a directory": "is a directory, and normalize takes files",
    "normalize nothing": "there is no such file",
    "normalize at no date": "date: -1 is negative",
    "normalize without a pass that there is not": "X999",
    "compare a directory": "is a directory, and compare takes files",
    "compare nothing": "there is no such file",
    "compare a wheel with an sdist": "sdist",
    "check a wheel": "is a wheel, and check builds sources",
    "check nothing": "there is no such file or directory",
    "check by no interpreter": "/no/python is not a Python interpreter",
    "check of no kind": "egg: is no kind of artifact",
    "check with the weather": "'+weather' is not the name of a variation",
    "build nothing": "is not a directory",
    "build of no kind": "egg: is no kind of artifact",
    "build into a file": "is not a directory",
    "build a record without isolation": "have no meaning without isolation",
    "verify of no kind": "egg: is no kind of artifact",
    "verify with a variable of samebytes' own": "TMPDIR",
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_wrong_is_told_with_a_remedy(what: str, tmp_path: Path) -> None:
    error = refused(what, tmp_path)
    assert REFUSED[what] in error.message
    assert error.remedy


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")
def test_checking_without_an_index(tmp_path: Path) -> None:
    """With setuptools, which is installed here, and no isolation."""
    if importlib.util.find_spec("setuptools") is None:  # imported, it would take the place of distutils here
        pytest.skip("needs setuptools")
    checked = api.check(project(tmp_path / "tree"), kinds=["wheel"], vary=["-all", "umask"], isolation=False)
    assert checked.varied == ("umask",)
    assert [outcome.kind for outcome in checked.outcomes] == ["wheel"]
    assert checked.is_reproducible is checked.outcomes[0].is_same


IN_TREE = """
import base64, hashlib, os, zipfile

def build_wheel(directory, config_settings=None, metadata_directory=None):
    name, info = "own-1.0-py3-none-any.whl", "own-1.0.dist-info"
    files = {
        "own.py": os.environ.get("OWN", "x = 1") + "\\n",
        info + "/METADATA": "Metadata-Version: 2.1\\nName: own\\nVersion: 1.0\\n",
        info + "/WHEEL": "Wheel-Version: 1.0\\nGenerator: own\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    }
    rows = [info + "/RECORD,,"]
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
        rows.append(path + ",sha256=" + digest + "," + str(len(text)))
    with zipfile.ZipFile(os.path.join(directory, name), "w") as archive:
        for path, text in {**files, info + "/RECORD": "\\n".join(rows) + "\\n"}.items():
            archive.writestr(zipfile.ZipInfo(path, (int(os.environ.get("OWN_YEAR", "2022")), 1, 2, 3, 4, 6)), text)
    return name
"""


def in_tree(root: Path) -> Path:
    """Write a project that builds wheels by itself, of the text in OWN, and return *root*."""
    pyproject = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    return write_tree(root, {"pyproject.toml": pyproject, "backend.py": IN_TREE})


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")
def test_building_without_an_index(tmp_path: Path) -> None:
    built = api.build(in_tree(tmp_path / "tree"), kinds=["wheel"], output=tmp_path / "out", isolation=False)
    (file,) = built.files
    assert (file.path, file.kind, built.requirements) == (tmp_path / "out" / "own-1.0-py3-none-any.whl", "wheel", ())
    assert (len(file.path.read_bytes()), file.sha256) == (file.size, hashlib.sha256(file.path.read_bytes()).hexdigest())
    assert "Z002" in {change.code for change in file.changes}
    assert not api.normalize(file.path, write=False).changed


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")
@pytest.mark.parametrize(("variables", "verdict"), [({}, "NORMALIZED"), ({"OWN": "y = 2"}, "DIFFERENT")])
def test_verifying_a_release(
    variables: dict[str, str], verdict: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It differs by the time in its archive alone, or by what a variable puts into it."""
    tree, published = in_tree(tmp_path / "tree"), tmp_path / "own-1.0-py3-none-any.whl"
    build_own(tree, published)
    with serving() as index:
        digest = index.add("own", published)
        monkeypatch.setenv("PIP_INDEX_URL", index.address)
        verified = api.verify("own==1.0", kind="wheel", source=tree, variables=variables, output=tmp_path / "out")
    assert verified.verdict is getattr(api.Verdict, verdict)
    assert (verified.name, verified.sha256, verified.generator) == (published.name, digest, "own")
    assert verified.url == f"{index.address.removesuffix('/simple')}/files/{published.name}"
    assert Path(verified.comparison.right.path).parent == tmp_path / "out"


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")
@pytest.mark.parametrize("function", ["build", "verify"])
def test_an_error_of_a_build_ends_with_what_it_printed(
    function: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree, published = in_tree(tmp_path / "tree"), tmp_path / "own-1.0-py3-none-any.whl"
    build_own(tree, published)
    (tree / "backend.py").write_text("def build_wheel(*_, **__):\n    raise RuntimeError('it broke')\n", "utf-8")
    calls: dict[str, Callable[[], object]] = {
        "build": lambda: api.build(tree, kinds=["wheel"], isolation=False),
        "verify": lambda: api.verify(published, source=tree),
    }
    with serving() as index:
        monkeypatch.setenv("PIP_INDEX_URL", index.address)
        with pytest.raises(errors.BackendError) as caught:
            calls[function]()
    assert caught.value.message.endswith("\n  | RuntimeError: it broke")
    assert not (tree / "dist").exists()


def build_own(tree: Path, wheel_path: Path) -> None:
    """Let the project of :func:`in_tree` build its wheel there, without samebytes."""
    command = [sys.executable, "-c", f"import backend; backend.build_wheel({str(wheel_path.parent)!r})"]
    subprocess.run(command, cwd=tree, env={**os.environ, "OWN_YEAR": "2021"}, check=True)


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")
def test_what_cannot_be_built_is_an_error_with_what_the_build_said(tmp_path: Path) -> None:
    tree = write_tree(
        tmp_path / "tree",
        {
            "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "broken"\nbackend-path = ["."]\n',
            "broken.py": "def build_wheel(*_, **__):\n    raise RuntimeError('it broke')\n",
        },
    )
    with pytest.raises(errors.BackendError) as caught:
        api.check(tree, kinds=["wheel"], vary=["-all"], isolation=False)
    assert "wheel: in the first build" in caught.value.message
    assert "it broke" in caught.value.message
