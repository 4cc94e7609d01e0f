"""wrap and unwrap, over layouts as they are found in real projects."""

from __future__ import annotations

import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from samebytes_tools.commands.wrap import edit
from samebytes_tools.commands.wrap.wrap import BOOTSTRAP, Rewiring, carry_out, diff, unwrap, verify, wrap

from samebytes.backend.config import LEGACY_REQUIRES, load
from samebytes.errors import ConfigError, OutputError

LEGACY = "setuptools.build_meta:__legacy__"

PLAIN = {
    "setuptools": """\
[build-system]
requires = ["setuptools>=61", "wheel"]
build-backend = "setuptools.build_meta"

[project]
name = "x"
""",
    "setuptools, many lines": """\
[build-system]
requires = [
    "setuptools>=61.0",
    "setuptools_scm[toml]>=6.2",  # the version
    'cython; implementation_name == "cpython"',
]
build-backend = "setuptools.build_meta"
""",
    "setuptools, no trailing comma": """\
[build-system]
requires = [
  "setuptools>=42",
  "wheel"  # for old pips
]
build-backend = "setuptools.build_meta"
""",
    "setuptools, no backend": """\
[build-system]
requires = ["setuptools>=42", "wheel"]

[tool.black]
line-length = 100
""",
    "setuptools, no build-system": """\
# formatting
[tool.black]
line-length = 100
""",
    "only a tool at the root": "tool.ruff.line-length = 100\n",
    "flit": """\
[build-system]
requires = ["flit_core >=3.2,<4"]
build-backend = "flit_core.buildapi"

[project]
name = "x"
dynamic = ["version", "description"]
""",
    "flit, aligned": """\
[build-system]
requires      = ["flit_core"]
build-backend = "flit_core.buildapi"
""",
    "hatchling at the end, no final newline": """\
[project]
name = "x"

[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build\"""",
    "hatchling, two plugins": """\
[build-system]
requires = ["hatchling", "hatch-vcs"]
build-backend = "hatchling.build"

[tool.hatch.version]
source = "vcs"
""",
    "poetry": """\
[tool.poetry]
name = "x"
version = "1"

[tool.poetry.dependencies]
python = "^3.9"

[build-system]
requires = ["poetry-core>=1.0.0"]
build-backend = "poetry.core.masonry.api"
""",
    "pdm, single quotes": """\
[project]
name = 'x'

[build-system]
requires = ['pdm-backend']
build-backend = 'pdm.backend'
""",
    "uv_build": """\
[build-system]
requires = ["uv_build>=0.9,<0.10"]
build-backend = "uv_build"
""",
    "meson-python, backend first": """\
[build-system]
build-backend = 'mesonpy'
requires = [
  'meson-python>=0.15.0',
  'numpy>=2.0.0rc1,<2.6',  # keep in sync
  # 'pybind11',
]

[project]
name = "x"
""",
    "scikit-build-core": """\
[build-system]
requires = ["scikit-build-core>=0.10", "pybind11"]
build-backend = "scikit_build_core.build"

[tool.scikit-build]
wheel.py-api = "cp312"
""",
    "maturin": """\
[build-system]
requires = ["maturin>=1,<2"]
build-backend = "maturin"

[tool.maturin]
features = ["pyo3/extension-module"]
""",
    "sip, comments around": """\
# Specify the build system.
[build-system]
# pinned below
requires = ["sip >=6, <7", "PyQt-builder >=1.11, <2"]   # twice
# which backend
build-backend = "sipbuild.api"  # not ours
# vim: set ft=toml:

# The project.
[project]
name = "x"
""",
    "whey, comment of the next table without a gap": """\
[build-system]
requires = ["whey"]
build-backend = "whey"
# the project
[project]
name = "x"
""",
    "enscons, on one bracket's column": """\
[build-system]
requires = ["enscons",
            "pytoml"]
build-backend = "enscons.api"
""",
    "trailing comma on one line": """\
[build-system]
requires = ["jupyter_packaging~=0.10,<2", "jupyterlab~=4.0",]
build-backend = "jupyter_packaging.build_api"
""",
    "spaces inside": """\
[ build-system ]
requires = [ "trampolim" ]
build-backend="trampolim"
""",
    "in-tree": """\
[build-system]
requires = ["setuptools>=61"]
build-backend = "backend"
backend-path = ["_custom"]

[project]
name = "x"
""",
    "in-tree, path first, many lines, a comment": """\
[build-system]
requires = ["setuptools>=61", "tomli>=1.1.0; python_version < '3.11'"]
backend-path = [  # ours
    ".",
    "tools",
]
build-backend = "build_backend:api"
""",
    "in-tree, no requirements": """\
[build-system]
requires = []
build-backend = "x_build"
backend-path = ['.']  # builds itself
""",
    "CRLF": '[build-system]\r\nrequires = [\r\n\t"hatchling",\r\n]\r\nbuild-backend = "hatchling.build"\r\n\r\n[project]\r\n',
    "indented": """\
  [build-system]
    requires = ["hatchling"]
    build-backend = "hatchling.build"
""",
    "dotted": """\
build-system.requires = ["hatchling"]
build-system.build-backend = "hatchling.build"
project.name = "x"
""",
    "inline": 'build-system = { requires = ["hatchling"], build-backend = "hatchling.build" }\n[project]\nname = "x"\n',
    "quoted keys": """\
["build-system"]
"requires" = ["hatchling"]
'build-backend' = "hatchling.build"
""",
    "long strings": '[build-system]\nrequires = ["""hatchling""", \'\'\'hatch-vcs\'\'\']\nbuild-backend = """\\\n  hatchling.build"""\n',
    "configured already": """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "x"

[tool.samebytes]
source-date-epoch = "vcs"  # from the tags
""",
    "a reason only": """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[tool.samebytes.disable]
Z003 = "modes are part of the product"
""",
    "empty": "",
    "only a comment, no final newline": "# nothing yet",
}
"""Layouts as real projects have them: unwrap gives back every byte."""

RARE = {
    "the default, spelled out": f'[build-system]\nrequires = ["setuptools"]\nbuild-backend = "{LEGACY}"\n',
    "as created, but there before": f"""\
[build-system]
requires = ["setuptools>=40.8.0"]
build-backend = "{LEGACY}"
""",
    "as appended, but there before": '[tool.black]\n\n[build-system]\nrequires = ["setuptools>=40.8.0"]\n',
    "an empty inline table": 'tool = { samebytes = {} }\n[build-system]\nrequires = []\nbuild-backend = "b"\n',
    "required already": '[build-system]\nrequires = ["a"]\nbuild-backend = "b"\n\n[tool.samebytes.disable]\nZ003 = "x"\n',
}
"""What looks like what wrap writes itself, and comes back byte for byte all the same."""

INEXACT = {
    "in-tree, path elsewhere": """\
[build-system]
backend-path = ["."]  # ours
requires = ["setuptools"]
build-backend = "backend"
""",
    "in-tree, path elsewhere, many lines": """\
[build-system]
build-backend = "backend"
requires = ["setuptools"]
backend-path = [
    ".",
]
""",
    "in-tree, inline": """\
build-system = {requires=["a"], build-backend="b", backend-path=["."]}
""",
    "no backend, but a path": '[build-system]\nrequires = []\nbackend-path = ["."]\n',
    "half done already": """\
[build-system]
requires = ["hatchling", "samebytes"]
build-backend = "hatchling.build"

[tool.samebytes]
build-backend = "hatchling.build"
""",
    "an empty table": '[build-system]\nrequires = []\nbuild-backend = "b"\n\n[tool.samebytes]\n',
}
"""What unwrap gives back in another layout, with the same meaning."""

EXACT = {**PLAIN, **RARE}

CORPUS = {**EXACT, **INEXACT}


@pytest.fixture(params=CORPUS.values(), ids=CORPUS)
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_bytes(request.param.encode())
    return tmp_path


def write(directory: Path, text: str) -> Path:
    (directory / "pyproject.toml").write_bytes(text.encode())
    return directory


def contents(directory: Path) -> bytes:
    return (directory / "pyproject.toml").read_bytes()


@pytest.mark.parametrize("text", EXACT.values(), ids=EXACT)
def test_unwrap_gives_back_every_byte(text: str, tmp_path: Path) -> None:
    there = wrap(write(tmp_path, text))
    assert there.changes
    assert there.notes == ()
    carry_out(there)
    back = unwrap(tmp_path)
    carry_out(back)
    assert contents(tmp_path) == text.encode()
    # backend-path may have been elsewhere: wrap knows that it was not, unwrap cannot.
    assert back.notes == () or ("backend-path" in text and "backend-path is put next to" in back.notes[0])


@pytest.mark.parametrize("text", INEXACT.values(), ids=INEXACT)
def test_where_unwrap_does_not_give_back_every_byte_wrap_reports_that(text: str, tmp_path: Path) -> None:
    there = wrap(write(tmp_path, text))
    carry_out(there)
    carry_out(unwrap(tmp_path))
    assert contents(tmp_path) != text.encode()
    (note,) = there.notes
    assert "not the layout of [build-system] and [tool.samebytes] byte for byte" in note
    assert "git checkout" in note
    assert plain_system(contents(tmp_path).decode()) == plain_system(text)


def plain_system(text: str) -> tuple[str, list[str], list[str]]:
    """Return what [build-system] means (PEP 517), without a requirement of samebytes."""
    system = edit.parse(text)["build-system"]
    requires = [name for name in system["requires"] if name != "samebytes"]
    return system.get("build-backend", LEGACY), system.get("backend-path", []), requires


def test_the_same_backend_builds(project: Path) -> None:
    default = {"requires": [*LEGACY_REQUIRES]}
    before = edit.parse(contents(project).decode()).get("build-system", default)
    carry_out(wrap(project))
    after = load(project)
    assert after.wrapped
    assert after.backend == (before.get("build-backend", LEGACY), tuple(before.get("backend-path", ())))
    added = () if "samebytes" in before["requires"] else ("samebytes",)
    assert after.requires == (*before["requires"], *added)


def test_wrapping_twice_changes_nothing_more(project: Path) -> None:
    carry_out(wrap(project))
    once = contents(project)
    again = wrap(project)
    assert not again.changes
    assert again.requires_samebytes
    carry_out(again)
    assert contents(project) == once


def test_unwrapping_twice_changes_nothing_more(project: Path) -> None:
    before = contents(project)
    again = unwrap(project)
    assert not again.changes
    carry_out(again)
    assert contents(project) == before


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "setuptools",
            """\
[build-system]
requires = ["setuptools>=61", "wheel", "samebytes"]
build-backend = "samebytes.backend"

[tool.samebytes]
build-backend = "setuptools.build_meta"

[project]
name = "x"
""",
        ),
        (
            "setuptools, no trailing comma",
            """\
[build-system]
requires = [
  "setuptools>=42",
  "wheel",  # for old pips
  "samebytes"
]
build-backend = "samebytes.backend"

[tool.samebytes]
build-backend = "setuptools.build_meta"
""",
        ),
        (
            "setuptools, no build-system",
            f"""\
# formatting
[tool.black]
line-length = 100

# Added by samebytes: a missing [build-system] means setuptools (PEP 517).
[build-system]
requires = ["setuptools>=40.8.0", "samebytes"]
build-backend = "samebytes.backend"

[tool.samebytes]
build-backend = "{LEGACY}"  # [build-system] named none
""",
        ),
        (
            "meson-python, backend first",
            """\
[build-system]
build-backend = "samebytes.backend"
requires = [
  'meson-python>=0.15.0',
  'numpy>=2.0.0rc1,<2.6',  # keep in sync
  'samebytes',
  # 'pybind11',
]

[tool.samebytes]
build-backend = 'mesonpy'

[project]
name = "x"
""",
        ),
        (
            "in-tree",
            """\
[build-system]
requires = ["setuptools>=61", "samebytes"]
build-backend = "samebytes.backend"

[tool.samebytes]
build-backend = "backend"
backend-path = ["_custom"]

[project]
name = "x"
""",
        ),
        (
            "trailing comma on one line",
            """\
[build-system]
requires = ["jupyter_packaging~=0.10,<2", "jupyterlab~=4.0", "samebytes",]
build-backend = "samebytes.backend"

[tool.samebytes]
build-backend = "jupyter_packaging.build_api"
""",
        ),
        (
            "configured already",
            """\
[build-system]
requires = ["hatchling", "samebytes"]
build-backend = "samebytes.backend"

[project]
name = "x"

[tool.samebytes]
build-backend = "hatchling.build"
source-date-epoch = "vcs"  # from the tags
""",
        ),
        (
            "dotted",
            """\
build-system.requires = ["hatchling", "samebytes"]
build-system.build-backend = "samebytes.backend"
project.name = "x"

[tool.samebytes]
build-backend = "hatchling.build"
""",
        ),
        (
            "in-tree, path elsewhere",
            """\
[build-system]
requires = ["setuptools", "samebytes"]
build-backend = "samebytes.backend"

[tool.samebytes]
backend-path = ["."]  # ours
build-backend = "backend"
""",
        ),
    ],
)
def test_what_wrap_writes(name: str, expected: str) -> None:
    assert edit.wrapped(CORPUS[name]) == expected


def test_a_common_project_changes_by_one_line_and_three_new_ones(tmp_path: Path) -> None:
    patch = diff(wrap(write(tmp_path, PLAIN["setuptools"]))).decode().splitlines()
    assert [line for line in patch if line.startswith("-")][1:] == ['-requires = ["setuptools>=61", "wheel"]']
    assert len([line for line in patch if line.startswith("+")]) == 1 + 4


# --- projects with only setup.py


def test_a_project_with_only_setup_py_gets_what_its_absence_means(tmp_path: Path) -> None:
    (tmp_path / "setup.py").touch()
    before = load(tmp_path)
    carry_out(wrap(tmp_path))
    assert contents(tmp_path).decode() == edit.CREATED
    assert load(tmp_path).backend == before.backend
    carry_out(unwrap(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["setup.py"]


def test_a_created_file_that_has_grown_is_not_removed(tmp_path: Path) -> None:
    (tmp_path / "setup.py").touch()
    carry_out(wrap(tmp_path))
    grown = contents(tmp_path).decode() + "\n[tool.black]\nline-length = 100\n"
    carry_out(unwrap(write(tmp_path, grown)))
    assert contents(tmp_path).decode() == "[tool.black]\nline-length = 100\n"


# --- what wrap did not make, or what was edited since


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            '[build-system]\nrequires = ["samebytes>=1,<2", "hatchling"]\nbuild-backend = "samebytes.backend"\n'
            '[tool.samebytes]\nbuild-backend = "hatchling.build"\n',
            '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n',
            id="another order, no gap",
        ),
        pytest.param(
            '[build-system]\nrequires = [\n  "samebytes",  # same bytes\n  "hatchling",\n]\n'
            'build-backend = "samebytes.backend"\n\n# our build\n[tool.samebytes]\n# inside\n'
            'build-backend = "hatchling.build"\n',
            '[build-system]\nrequires = [\n  "hatchling",\n]\n'
            'build-backend = "hatchling.build"\n\n# our build\n[tool.samebytes]\n# inside\n',
            id="comments stay, with their table",
        ),
        pytest.param(
            '[tool.samebytes]\nbuild-backend = "b"\n\n[build-system]\nrequires = [\n  "samebytes",\n]\n'
            'build-backend = "samebytes.backend"\n',
            '[build-system]\nrequires = [\n]\nbuild-backend = "b"\n',
            id="table first",
        ),
        pytest.param(
            '[build-system]\nrequires = ["samebytes", "setuptools"]\nbuild-backend = "samebytes.backend"\n',
            '[build-system]\nrequires = ["setuptools"]\n',
            id="no backend named",
        ),
        pytest.param(
            '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "samebytes.backend:api"\nbackend-path = ["src"]\n'
            '[tool.samebytes]\nbuild-backend = "hatchling.build"\n',
            '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n',
            id="samebytes itself in-tree",
        ),
        pytest.param(
            '[build-system]\nrequires = ["b", # c\n"samebytes"]\nbuild-backend = "samebytes.backend"\n',
            '[build-system]\nrequires = ["b", # c\n]\n',
            id="a comment before",
        ),
        pytest.param(
            '[build-system]\nrequires = ["b", # c\n"samebytes", "c"]\nbuild-backend = "samebytes.backend"\n',
            '[build-system]\nrequires = ["b", # c\n"c"]\n',
            id="a comment before, an element behind",
        ),
        pytest.param(
            'build-system = { requires = ["samebytes", "b"], build-backend = "samebytes.backend" }\n'
            'tool = { samebytes = { build-backend = "b", backend-path = ["."] }, x = 1 }\n',
            'build-system = { requires = ["b"], build-backend = "b",  backend-path = ["."]}\n'
            "tool = { samebytes = {   }, x = 1 }\n",
            id="inline",
        ),
        pytest.param(
            'build-system = {requires = ["b"], build-backend = "samebytes.backend", backend-path = ["src"]}\n',
            'build-system = {requires = ["b"]  }\n',
            id="inline, two keys go",
        ),
        pytest.param(
            '[build-system]\nrequires = []\nbuild-backend = "samebytes.backend"\n[tool.samebytes]\nbackend-path = ["."]\n',
            f'[build-system]\nrequires = []\nbuild-backend = "{LEGACY}"\nbackend-path = ["."]\n',
            id="only a path named",
        ),
        pytest.param(
            '[build-system]\nrequires = ["b", "samebytes"]\nbuild-backend = "samebytes.backend"\n\n[tool.samebytes]\n'
            'build-backend = "b"\ninherit = ["TZ"]\n',
            '[build-system]\nrequires = ["b"]\nbuild-backend = "b"\n\n[tool.samebytes]\ninherit = ["TZ"]\n',
            id="other keys stay",
        ),
        pytest.param(
            '[build-system]\nrequires = ["b", "samebytes", "late"]\nbuild-backend = "samebytes.backend"\n\n'
            '[tool.samebytes]\nbuild-backend = "b"\n\n[tool.late]\n',
            '[build-system]\nrequires = ["b", "late"]\nbuild-backend = "b"\n\n[tool.late]\n',
            id="a requirement added since",
        ),
    ],
)
def test_unwrap_does_the_sensible_inverse(text: str, expected: str, tmp_path: Path) -> None:
    carry_out(unwrap(write(tmp_path, text)))
    assert contents(tmp_path).decode() == expected


def test_unwrap_reports_that_wrap_did_not_write_the_file(tmp_path: Path) -> None:
    text = '[build-system]\nrequires = ["samebytes>=1,<2", "b"]\nbuild-backend = "samebytes.backend"\n'
    back = unwrap(write(tmp_path, text + '[tool.samebytes]\nbuild-backend = "b"\n'))
    (note,) = back.notes
    assert "may differ from before: compare with 'git diff'" in note


def test_a_requirement_with_a_version_is_neither_doubled_nor_changed(tmp_path: Path) -> None:
    carry_out(wrap(write(tmp_path, '[build-system]\nrequires = ["samebytes>=1,<2", "b"]\nbuild-backend = "b"\n')))
    assert load(tmp_path).requires == ("samebytes>=1,<2", "b")


def test_an_already_wrapped_project_that_does_not_require_samebytes_is_reported(tmp_path: Path) -> None:
    text = (
        '[build-system]\nrequires = ["b"]\nbuild-backend = "samebytes.backend"\n[tool.samebytes]\nbuild-backend = "b"\n'
    )
    found = wrap(write(tmp_path, text))
    assert not found.changes
    assert not found.requires_samebytes
    assert found.backend == "b"


def test_samebytes_found_in_its_own_tree_need_not_be_required(tmp_path: Path) -> None:
    text = '[build-system]\nrequires = []\nbuild-backend = "samebytes.backend"\nbackend-path = ["src"]\n'
    assert wrap(write(tmp_path, text)).requires_samebytes


# --- bad input


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[build-system]\nrequires = [\n", r"line 3, column 1: is not valid TOML"),
        ("a = 1\nb = \n", r"line 2, column 5: is not valid TOML: Invalid value"),
        ("a = 1\na = 2\n", r"line 2, column 6: is not valid TOML"),
        ("\ufeff[build-system]\n", r"line 1, column 1: begins with a byte order mark"),
        ('[build-system]\nbuild-backend = "b"\n', r"\[build-system\] has no 'requires'"),
        ("[build-system]\nrequires = 'b'\n", r"\[build-system\] requires must be an array of strings, not 'b'"),
        ("[build-system]\nrequires = [1]\n", r"\[build-system\] requires must be an array of strings, not \[1\]"),
        (
            "[build-system]\nrequires = []\nbuild-backend = 1\n",
            r"\[build-system\] build-backend must be a string, not 1",
        ),
        ("[build-system]\nrequires = []\nbackend-path = '.'\n", r"\[build-system\] backend-path must be an array"),
        ("build-system = 1\n", r"build-system must be a table, not 1"),
        ("[[build-system]]\n", r"build-system must be a table, not \[\{\}\]"),
        ("tool = 1\n", r"tool must be a table"),
        ("tool.samebytes = 1\n", r"samebytes must be a table"),
        ("[tool.samebytes]\nbuild-backend = 1\n", r"\[tool.samebytes\] build-backend must be a string"),
        ("a = " + "[" * 5000 + "]" * 5000, r"nested too deeply|is not valid TOML"),
    ],
)
def test_a_malformed_file_is_reported_with_its_place(text: str, message: str, tmp_path: Path) -> None:
    write(tmp_path, text)
    for verb in (wrap, unwrap):
        with pytest.raises(ConfigError, match=r"pyproject\.toml: .*" + message) as caught:
            verb(tmp_path)
        assert caught.value.remedy


KNOWN = {
    "build-system": ('[{}]\nrequires = ["x"]\n', "[build-system]"),
    "tool": ('[build-system]\nrequires = ["x"]\n[{}.samebytes]\nflags = "inherit"\n', "[tool]"),
    "samebytes": ('[build-system]\nrequires = ["x"]\n[tool.{}]\nflags = "inherit"\n', "[tool.samebytes]"),
    "build-backend": ('[build-system]\nrequires = ["x"]\n{} = "x"\n', "[build-system] build-backend"),
    "backend-path": ('[build-system]\nrequires = ["x"]\n{} = ["x"]\n', "[build-system] backend-path"),
    "fixed-paths": ('[build-system]\nrequires = ["x"]\n[tool.samebytes]\n{} = true\n', "[tool.samebytes] fixed-paths"),
}


def misspelt(name: str) -> set[str]:
    """What comes of *name* by the usual slips."""
    places = range(len(name))
    lost = {name[:at] + name[at + 1 :] for at in places}
    doubled = {name[:at] + name[at] + name[at:] for at in places}
    # Of four letters, two that are swapped leave too little.
    swapped = {name[:at] + name[at + 1 : at + 2] + name[at] + name[at + 2 :] for at in places if len(name) > 4}
    return (lost | doubled | swapped | {name.replace("-", "_"), name.title(), f"{name}s"}) - {name}


@pytest.mark.parametrize("name", KNOWN)
def test_a_name_that_is_misspelt_is_reported(name: str, tmp_path: Path) -> None:
    """Front ends would ignore it, and build with another backend than is written there."""
    text, meant = KNOWN[name]
    write(tmp_path, text.format(name))
    wrap(tmp_path)
    for slip in sorted(misspelt(name)):
        write(tmp_path, text.format(slip))
        with pytest.raises(ConfigError, match="is not a known name") as caught:
            wrap(tmp_path)
        assert slip in caught.value.message
        assert caught.value.remedy == f"Did you mean {meant}?"


def test_what_is_not_near_a_known_name_is_nobodys_business(tmp_path: Path) -> None:
    rest = '[dependency-groups]\ntest = []\n[project]\nname = "x"\n[tool.same]\n[tox]\n[pool]\n'
    write(tmp_path, f'[build-system]\nrequires = ["x"]\nown = 1\n{rest}')
    assert wrap(tmp_path).changes


def test_a_file_that_is_not_utf_8_is_reported_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_bytes(b"# caf\xc3\xa9\n# caf\xe9\n")
    with pytest.raises(ConfigError, match="line 2, column 6: is not UTF-8"):
        wrap(tmp_path)


def test_a_directory_without_a_project_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"holds neither pyproject\.toml nor setup\.py"):
        wrap(tmp_path)


def test_a_missing_directory_and_a_file_are_reported(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for name in ("missing", "file"):
        with pytest.raises(ConfigError, match="is not a directory"):
            unwrap(tmp_path / name)


def test_a_directory_in_the_file_s_place_is_reported(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").mkdir()
    with pytest.raises(ConfigError, match="cannot be read"):
        wrap(tmp_path)


@pytest.mark.parametrize("name", BOOTSTRAP)
def test_what_samebytes_is_built_from_must_not_be_wrapped(name: str, tmp_path: Path) -> None:
    text = f'[build-system]\nrequires = []\nbuild-backend = "b"\n[project]\nname = "{name.replace("-", "_").title()}"\n'
    with pytest.raises(ConfigError, match="must not be wrapped: samebytes needs it to be built") as caught:
        wrap(write(tmp_path, text))
    assert "samebytes normalize" in caught.value.remedy


@pytest.mark.parametrize("system", ["b", "samebytes.backend"])
def test_wrapping_itself_is_an_error(system: str, tmp_path: Path) -> None:
    text = f'[build-system]\nrequires = []\nbuild-backend = "{system}"\n[tool.samebytes]\nbuild-backend = "samebytes.backend"\n'
    write(tmp_path, text)
    for verb in (wrap, unwrap):
        with pytest.raises(ConfigError, match="samebytes cannot wrap itself"):
            verb(tmp_path)


@pytest.mark.parametrize(
    ("system", "ours", "message"),
    [
        ('build-backend = "a"', 'build-backend = "b"', "build-backend is 'b', but .* means 'a'"),
        ("", 'build-backend = "b"', f"build-backend is 'b', but .* means '{LEGACY}'"),
        ('build-backend = "a"', 'backend-path = ["."]', r"backend-path is \['\.'\], but .* means \[\]"),
    ],
)
def test_a_table_that_contradicts_is_reported(system: str, ours: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message):
        wrap(write(tmp_path, f"[build-system]\nrequires = []\n{system}\n[tool.samebytes]\n{ours}\n"))


@pytest.mark.parametrize(
    "text",
    [
        'tool.samebytes.deflate = "keep"\n[build-system]\nrequires = []\nbuild-backend = "b"\n',
        'tool = { black = {} }\n[build-system]\nrequires = []\nbuild-backend = "b"\n',
    ],
)
def test_a_layout_that_cannot_be_edited_is_refused_with_a_remedy(text: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the edit would change more than the build backend; nothing is") as caught:
        wrap(write(tmp_path, text))
    assert "Give [build-system] and [tool.samebytes] headers of their own" in caught.value.remedy
    assert contents(tmp_path).decode() == text


def test_what_tomlkit_does_not_reproduce_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Which documents those are differs by the release of tomlkit.
    monkeypatch.setattr("tomlkit.dumps", lambda document: document.as_string() + "\n")
    with pytest.raises(ConfigError, match=r"pyproject\.toml: has a layout that tomlkit does not reproduce") as caught:
        wrap(write(tmp_path, PLAIN["flit"]))
    assert "by hand" in caught.value.remedy


# --- the net under it


def test_an_edit_that_changes_more_is_not_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = PLAIN["setuptools"]
    monkeypatch.setattr(edit, "wrapped", lambda _: edit.CREATED + "[project]\nname = 'y'\n")
    with pytest.raises(ConfigError, match="would change more than the build backend"):
        wrap(write(tmp_path, text))
    assert contents(tmp_path).decode() == text


@pytest.mark.parametrize(
    ("plain", "wrapped"),
    [
        (
            '[build-system]\nrequires = []\nbuild-backend = "b"\n',
            '[build-system]\nrequires = []\nbuild-backend = "b"\n',
        ),
        ("a = 1.0", edit.CREATED + "a = 1.00"),
        ("", edit.CREATED.replace("40.8", "40.9")),
        ("", edit.CREATED.replace(LEGACY, "setuptools.build_meta")),
        ("", edit.CREATED + "fixed-paths = true"),
        ("", edit.CREATED + 'backend-path = ["."]'),
        ("", edit.CREATED + "oops"),
    ],
)
def test_the_net_catches(plain: str, wrapped: str) -> None:
    with pytest.raises(ConfigError, match="would change more"):
        verify(Path("pyproject.toml"), plain, wrapped)


# --- writing


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permission bits")
def test_the_file_s_mode_is_kept(tmp_path: Path) -> None:
    path = write(tmp_path, PLAIN["flit"]) / "pyproject.toml"
    path.chmod(0o640)
    carry_out(wrap(tmp_path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    carry_out(unwrap(tmp_path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_nothing_else_is_left_in_the_directory(tmp_path: Path) -> None:
    carry_out(wrap(write(tmp_path, PLAIN["flit"])))
    assert [path.name for path in tmp_path.iterdir()] == ["pyproject.toml"]


def test_what_cannot_be_written_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "pyproject.toml"
    with pytest.raises(OutputError, match="cannot be written"):
        carry_out(Rewiring(path, None, b"x", "b"))


@pytest.mark.parametrize("now", [b"edited meanwhile", None])
@pytest.mark.parametrize("after", [b"after", None])
def test_what_was_changed_since_it_was_read_is_left_alone(
    now: bytes | None, after: bytes | None, tmp_path: Path
) -> None:
    path = tmp_path / "pyproject.toml"
    if now is not None:
        path.write_bytes(now)
    with pytest.raises(OutputError, match="was changed since it was read"):
        carry_out(Rewiring(path, b"before", after, "b"))
    assert (path.read_bytes() if path.exists() else None) == now


# --- the patch


def apply_patch(command: list[str], directory: Path, patch: bytes) -> None:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    done = subprocess.run(command, cwd=directory, input=patch, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


COMMANDS = pytest.mark.parametrize("command", [["patch", "-p1", "--binary"], ["git", "apply"]], ids=["patch", "git"])


@COMMANDS
@pytest.mark.parametrize(
    "name",
    ["setuptools", "hatchling at the end, no final newline", "CRLF", "only a comment, no final newline", "empty"],
)
def test_the_patch_applies(command: list[str], name: str, tmp_path: Path) -> None:
    before = contents(write(tmp_path, CORPUS[name]))
    there = wrap(tmp_path)
    apply_patch(command, tmp_path, diff(there))
    assert contents(tmp_path) == there.after
    apply_patch(command, tmp_path, diff(unwrap(tmp_path)))
    left = contents(tmp_path) if (tmp_path / "pyproject.toml").exists() else b""  # patch removes what it empties
    assert left == before


@COMMANDS
def test_the_patch_makes_and_removes_a_file(command: list[str], tmp_path: Path) -> None:
    (tmp_path / "setup.py").touch()
    patch = diff(wrap(tmp_path))
    assert patch.startswith(b"--- /dev/null\n+++ b/pyproject.toml\n")
    apply_patch(command, tmp_path, patch)
    assert contents(tmp_path).decode() == edit.CREATED
    patch = diff(unwrap(tmp_path))
    assert patch.startswith(b"--- a/pyproject.toml\n+++ /dev/null\n")
    apply_patch(command, tmp_path, patch)
    assert [path.name for path in tmp_path.iterdir()] == ["setup.py"]


def test_no_change_is_an_empty_patch(tmp_path: Path) -> None:
    assert diff(unwrap(write(tmp_path, PLAIN["flit"]))) == b""
