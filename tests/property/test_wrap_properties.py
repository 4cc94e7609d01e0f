"""What wrap promises for any layout of a pyproject.toml.

The same backend builds, from the same path, with the same requirements; unwrap gives that back; no other line changes.
In ordinary layouts nothing is refused, and unwrap gives back every byte.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import tomlkit
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st
from samebytes_tools.commands.wrap import edit
from samebytes_tools.commands.wrap.wrap import verify
from support.examples import examples
from tomlkit.exceptions import TOMLKitError

from samebytes.backend.config import LEGACY_REQUIRES
from samebytes.errors import ConfigError

LEGACY = "setuptools.build_meta:__legacy__"

TOUCHED = ("requires", "build-backend", "backend-path")


class Touched(str):
    """A statement of [build-system] that wrap and unwrap may rewrite."""


class Document(NamedTuple):
    text: str
    system: dict[str, Any] | None
    ours: dict[str, Any] | None
    """[build-system] and [tool.samebytes]; None where there is none."""
    untouched: list[str]
    """The lines that have to stay, in their order."""
    ordinary: bool
    """Whether both tables have headers, as in every real project that we know."""


BLANKS = st.sampled_from(["", " ", "  ", "\t"])
WORDS = st.sampled_from(
    ["a", "setuptools>=61", "x[y]>=1 # no comment", "tomli; python_version < '3.11'", "é", "samebytes"]
)
BACKENDS = st.sampled_from(["hatchling.build", "flit_core.buildapi", LEGACY, "pkg.mod:obj", "é"])
COMMENTS = st.sampled_from(["", "# c", '  # "samebytes",', "# [tool.samebytes]", "\t# ]", '# """'])


@st.composite
def strings(draw: st.DrawFn, value: str, multiline: bool = True) -> str:
    """Draw a way to write *value*."""
    ways = [f'"{value}"', '"' + value.replace("s", "\\u0073") + '"']
    if "'" not in value:
        ways.append(f"'{value}'")
    if multiline:
        ways += [f'"""{value}"""', f'"""\n{value}"""', f'"""\\\n  {value}"""']
        ways += [f"'''{value}'''"] if "'" not in value else []
    return draw(st.sampled_from(ways))


@st.composite
def arrays(draw: st.DrawFn, values: list[str], inline: bool = False) -> str:
    """Draw a way to write an array of strings: gaps, line breaks and comments anywhere, a trailing comma or none."""
    comments = st.just("") if inline else COMMENTS
    gap = (
        st.sampled_from(["", " ", "  "])
        if inline
        else st.sampled_from(["", " ", "\n", "\n    ", "\n\n\t", " # c\n", "\n  # c\n  "])
    )
    text = "[" + draw(gap)
    for number, value in enumerate(values):
        text += draw(strings(value, not inline))
        if number < len(values) - 1 or draw(st.booleans()):
            comment = draw(comments)
            text += draw(st.sampled_from(["", "", " "])) + "," + (comment + "\n" if comment else "")
        text += draw(gap)
    return text + "]"


@st.composite
def simple_arrays(draw: st.DrawFn) -> str:
    """Draw a way to write an array of strings that formatters and people write: on one line, or one line each."""
    values = [
        draw(strings(value, multiline=False))
        for value in draw(st.lists(WORDS.filter(lambda word: word != "samebytes"), min_size=1, max_size=3))
    ]
    comma = draw(st.sampled_from(["", ","]))
    if draw(st.booleans()):
        pad = draw(st.sampled_from(["", " "]))
        return f"[{pad}{', '.join(values)}{comma}{pad}]"
    indent = draw(st.sampled_from(["  ", "    ", "\t"]))
    rows = [f"{value},{draw(COMMENTS)}" for value in values[:-1]] + [f"{values[-1]}{comma}{draw(COMMENTS)}"]
    return "[\n" + "".join(f"{indent}{row}\n" for row in rows) + "]"


@st.composite
def keys(draw: st.DrawFn, path: list[str]) -> str:
    """Draw a way to write a key with its equals sign."""
    parts = [draw(st.sampled_from([part, part, part, f'"{part}"', f"'{part}'"])) for part in path]
    dot = draw(st.sampled_from([".", ".", " . "]))
    return dot.join(parts) + draw(st.sampled_from([" = ", " = ", "=", "  =\t"]))


@st.composite
def headers(draw: st.DrawFn, path: list[str]) -> str:
    key = draw(keys(path)).rpartition("=")[0].strip()
    pad = draw(BLANKS)
    return draw(BLANKS) + f"[{pad}{key}{pad}]" + draw(COMMENTS)


@st.composite
def filler(draw: st.DrawFn) -> list[str]:
    return draw(st.lists(st.sampled_from(["", "# comment", "  # indented", "\t"]), max_size=2))


@st.composite
def pairs(draw: st.DrawFn, prefix: list[str], values: dict[str, str]) -> list[str]:
    """Draw statements for *values*, written already, in any order, with anything between."""
    lines: list[str] = []
    for key in draw(st.permutations(list(values))):
        comment = draw(COMMENTS)
        lines += draw(filler())
        statement = draw(BLANKS) + draw(keys([*prefix, key])) + values[key] + comment
        lines.append(Touched(statement) if key in TOUCHED else statement)
    return lines


@st.composite
def inline_tables(draw: st.DrawFn, values: dict[str, str]) -> str:
    order = draw(st.permutations(list(values)))
    pad = draw(BLANKS)
    separator = draw(st.sampled_from([", ", ",", " , "]))
    return "{" + pad + separator.join(draw(keys([key])) + values[key] for key in order) + pad + "}"


def written(draw: st.DrawFn, values: dict[str, object], inline: bool) -> dict[str, str]:
    return {
        key: draw(strings(v, not inline))
        if isinstance(v, str)
        else draw(arrays(v, inline))
        if isinstance(v, list)
        else str(v)
        for key, v in values.items()
    }


@st.composite
def placed(
    draw: st.DrawFn, path: list[str], values: dict[str, object], root: list[str], sections: list[list[str]]
) -> bool:
    """Put a table somewhere: under its header, by dotted keys, inline; at the root or under its parent's header.

    Return whether that is under its header.
    """
    way = draw(st.sampled_from(["header", "header", "header", "dotted", "inline"]))
    shown = written(draw, values, way == "inline")
    parents = [n for n in range(len(path)) if n == 0 or draw(st.booleans())]
    parent, rest = path[: parents[-1]], path[parents[-1] :]
    if way == "header":
        sections.append([draw(headers(path)), *draw(pairs([], shown))])
        return True
    lines = (
        draw(pairs(rest, shown))
        if way == "dotted"
        else [Touched(draw(keys(rest)) + draw(inline_tables(shown)) + draw(COMMENTS))]
    )
    if parent:
        sections.append([draw(headers(parent)), *lines])
    else:
        root += lines
    return False


Tables = tuple["dict[str, object] | None", "dict[str, object] | None"]
"""[build-system] and [tool.samebytes]; None where a document has none."""

PATHS = st.lists(st.sampled_from([".", "_x"]), max_size=2)


@st.composite
def plain_tables(draw: st.DrawFn) -> Tables:
    """Draw what wrap takes."""
    system: dict[str, object] | None = None
    if draw(st.integers(0, 5)):
        system = {"requires": draw(st.lists(WORDS, max_size=3))}
        if draw(st.integers(0, 3)):
            system["build-backend"] = draw(BACKENDS)
        if draw(st.booleans()):
            system["backend-path"] = draw(PATHS)
    kind = draw(st.sampled_from(["none", "none", "empty", "other keys", "the same"]))
    if kind == "other keys":
        return system, draw(
            st.sampled_from([{"source-date-epoch": 1}, {"source-date-epoch": "vcs", "inherit": ["TZ"]}])
        )
    if kind == "the same":
        same = {key: value for key, value in (system or {}).items() if key == "backend-path" and draw(st.booleans())}
        return system, {**same, "build-backend": (system or {}).get("build-backend", LEGACY)}
    return system, {} if kind == "empty" else None


@st.composite
def wrapped_tables(draw: st.DrawFn) -> Tables:
    """Draw what unwrap takes, made by hand."""
    system: dict[str, object] = {
        "requires": draw(st.lists(WORDS, max_size=3)),
        "build-backend": draw(st.sampled_from(["samebytes.backend", "samebytes.backend:hooks"])),
    }
    if draw(st.booleans()):
        system["backend-path"] = draw(PATHS)
    ours: dict[str, object] = {}
    if draw(st.integers(0, 3)):
        ours["build-backend"] = draw(BACKENDS)
    if draw(st.booleans()):
        ours["backend-path"] = draw(PATHS)
    if draw(st.booleans()):
        ours["source-date-epoch"] = 1
    return system, ours if ours or draw(st.booleans()) else None


OTHERS: list[list[str]] = [
    ["[project]", 'name = "x"'],
    ["[tool.black]", "a = nan"],
    ["[tool]"],
    ["[[tool.x.y]]", "z = 1"],
    ["[tool.samebytes.disable]", 'Z001 = "r"'],
]

ROOTS = st.sampled_from([[], [], ["tool.ruff.a = 1"], ["tool = {}"], ["tool = { ruff = { a = 1 } }"], ["a = 1"]])


@st.composite
def documents(draw: st.DrawFn, tables: st.SearchStrategy[Tables]) -> Document:
    """Draw a pyproject.toml; not all that are drawn are valid TOML."""
    root: list[str] = draw(filler())
    sections: list[list[str]] = []
    system, ours = draw(tables)
    ordinary = True
    for path, values in ((["build-system"], system), (["tool", "samebytes"], ours)):
        if values is not None:
            ordinary &= draw(placed(path, values, root, sections))
    sections += draw(st.lists(st.sampled_from(OTHERS), max_size=3, unique_by=str))
    rest = draw(ROOTS)
    lines = root + rest
    for section in draw(st.permutations(sections)):
        lines += draw(filler()) + section
    lines += draw(filler())
    untouched = [line for line in lines if line and not isinstance(line, Touched)]
    text = draw(with_line_ends("\n".join(lines) + draw(st.sampled_from(["\n", "\n", "", "\n\n"]))))
    return Document(text, system, ours, untouched, ordinary and not any("tool = {" in line for line in rest))


@st.composite
def with_line_ends(draw: st.DrawFn, text: str) -> str:
    way = draw(st.sampled_from(["LF", "LF", "CRLF", "mixed"]))
    if way == "mixed":
        parts = text.split("\n")
        return "".join(part + draw(st.sampled_from(["\n", "\r\n"])) for part in parts[:-1]) + parts[-1]
    return text.replace("\n", "\r\n") if way == "CRLF" else text


def tomlkit_reproduces(text: str) -> bool:
    try:
        return tomlkit.dumps(tomlkit.parse(text)) == text
    except TOMLKitError:
        return False


def split_lines(text: str) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def is_toml(text: str) -> bool:
    try:
        edit.parse(text)
    except ValueError:
        return False
    return True


def contains_in_order(text: str, lines: list[str]) -> bool:
    """Return whether *lines* are in *text*, in this order, whatever else is."""
    rest = iter(text.replace("\r\n", "\n").split("\n"))
    return all(part in rest for line in lines for part in line.split("\n"))


def inner(document: Document) -> tuple[str, list[str]]:
    """Return the backend that does the work, and its path (PEP 517; D4 for a wrapped project)."""
    system, ours = document.system or {}, document.ours or {}
    named = ours if system.get("build-backend", "").startswith("samebytes") else system
    return named.get("build-backend", LEGACY), named.get("backend-path", [])


def others(values: dict[str, Any]) -> dict[str, Any]:
    """Return what wrap and unwrap have no business with."""
    tool = dict(values.get("tool", {}))
    ours = {key: value for key, value in tool.pop("samebytes", {}).items() if key not in TOUCHED}
    return {
        **{key: value for key, value in values.items() if key not in ("build-system", "tool")},
        "tool": {**tool, "samebytes": ours},
    }


def requirements(document: Document) -> list[str]:
    return (document.system or {"requires": [LEGACY_REQUIRES[0]]})["requires"]  # type: ignore[no-any-return]


def assert_plain(document: Document, plain: str) -> None:
    """Check [build-system] of *plain* against what was drawn, but for requirements of samebytes."""
    before, after = edit.parse(document.text), edit.parse(plain)
    system = after.get("build-system", {"requires": [LEGACY_REQUIRES[0]]})
    assert (system.get("build-backend", LEGACY), system.get("backend-path", [])) == inner(document)
    kept = [name for name in requirements(document) if name != "samebytes"]
    assert [name for name in system["requires"] if name != "samebytes"] == kept
    assert others(before) == others(after)
    # A table that held nothing else goes with its header.
    header = re.compile(r"\s*\[tool\.samebytes\]$")
    assert contains_in_order(plain, [line for line in document.untouched if not header.match(line)])


SLOW = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])


@settings(SLOW, max_examples=examples(250))
@given(documents(plain_tables()))
def test_wrap_and_unwrap_keep_the_meaning_and_every_other_line(document: Document) -> None:
    """The promises of docs/how-to/wrap.md, "What stays as it is"."""
    assume(is_toml(document.text))
    try:
        wrapped = edit.wrapped(document.text)
        verify(Path("pyproject.toml"), document.text, wrapped)
    except ConfigError:
        event("refused")
        assert not document.ordinary or not tomlkit_reproduces(document.text)
        return
    values = edit.parse(wrapped)
    ours = values["tool"]["samebytes"]
    assert values["build-system"]["build-backend"] == "samebytes.backend"
    assert "backend-path" not in values["build-system"]
    assert (ours["build-backend"], ours.get("backend-path", [])) == inner(document)
    added = [] if "samebytes" in requirements(document) else ["samebytes"]
    assert values["build-system"]["requires"] == requirements(document) + added
    assert others(values) == others(edit.parse(document.text))
    assert contains_in_order(wrapped, document.untouched)
    try:
        plain = edit.unwrapped(wrapped)
        assert plain is not None
        verify(Path("pyproject.toml"), plain, wrapped)
    except ConfigError:
        event("unwrap refused")
        assert not document.ordinary
        return
    event(f"every byte: {plain == document.text}")
    assert_plain(document, plain)


def kept(before: Sequence[str], after: Sequence[str]) -> int:
    """Return how many lines of *before* are in *after*, in their order; difflib prefers long runs, and finds fewer."""
    row = [0] * (len(after) + 1)
    for line in before:
        above = row[:]
        for at, other in enumerate(after):
            row[at + 1] = above[at] + 1 if line == other else max(above[at + 1], row[at])
    return row[-1]


@settings(SLOW, max_examples=examples(150))
@given(st.data())
def test_an_ordinary_layout_comes_back_byte_for_byte_and_changes_no_other_line(data: st.DataObject) -> None:
    """The promise of docs/how-to/wrap.md, "The way back": a header, and a backend without a path."""
    values = {"requires": data.draw(simple_arrays()), "build-backend": data.draw(strings("hatchling.build"))}
    section = [data.draw(headers(["build-system"])), *data.draw(pairs([], values))]
    lines = [*section, *data.draw(filler()), "[project]", "name = 'x'"]
    if data.draw(st.booleans()):
        lines = [*lines[-2:], "", *lines[:-2]]
    end = data.draw(st.sampled_from(["\n", "\n", ""]))
    text = data.draw(with_line_ends("\n".join(lines) + end))
    assume(is_toml(text))
    wrapped = edit.wrapped(text)
    assert edit.unwrapped(wrapped) == text
    before, after = split_lines(text), split_lines(wrapped)
    touched = len(before) - kept(before, after)
    # The line of the last requirement (it gets a comma) or the whole array on one line, the backend, the end of file.
    assert touched <= 2 + len(values["build-backend"].splitlines())
    assert len(after) - len(before) <= 4


@pytest.mark.slow("tries hundreds of generated documents")
@settings(SLOW, max_examples=examples(200))
@given(documents(wrapped_tables()))
def test_unwrap_keeps_the_meaning_of_what_wrap_did_not_make(document: Document) -> None:
    """The same backend builds, from the same path, with the same requirements; all else is as it was."""
    assume(is_toml(document.text))
    try:
        plain = edit.unwrapped(document.text)
        assert plain is not None
        verify(Path("pyproject.toml"), plain, document.text)
    except ConfigError:
        event("refused")
        assert not document.ordinary or not tomlkit_reproduces(document.text)
        return
    assert_plain(document, plain)
