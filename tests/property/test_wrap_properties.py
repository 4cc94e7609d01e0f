"""What wrap promises for any layout of a pyproject.toml: the same meaning, and unwrap gives back every byte."""

from __future__ import annotations

from difflib import SequenceMatcher
from pathlib import Path

from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st
from samebytes_tools.commands.wrap import rewire, tomltext
from samebytes_tools.commands.wrap.wrap import verify

LEGACY = "setuptools.build_meta:__legacy__"

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
        lines.append(draw(BLANKS) + draw(keys([*prefix, key])) + values[key] + comment)
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
) -> None:
    """Put a table somewhere: under its header, by dotted keys, inline; at the root or under its parent's header."""
    way = draw(st.sampled_from(["header", "header", "header", "dotted", "inline"]))
    shown = written(draw, values, way == "inline")
    parents = [n for n in range(len(path)) if n == 0 or draw(st.booleans())]
    parent, rest = path[: parents[-1]], path[parents[-1] :]
    if way == "header":
        sections.append([draw(headers(path)), *draw(pairs([], shown))])
        return
    lines = (
        draw(pairs(rest, shown))
        if way == "dotted"
        else [draw(keys(rest)) + draw(inline_tables(shown)) + draw(COMMENTS)]
    )
    if parent:
        sections.append([draw(headers(parent)), *lines])
    else:
        root += lines


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
def documents(draw: st.DrawFn, tables: st.SearchStrategy[Tables]) -> str:
    """Draw a pyproject.toml; not all that are drawn are valid TOML."""
    root: list[str] = draw(filler())
    sections: list[list[str]] = []
    for path, values in zip((["build-system"], ["tool", "samebytes"]), draw(tables)):
        if values is not None:
            draw(placed(path, values, root, sections))
    sections += draw(st.lists(st.sampled_from(OTHERS), max_size=3, unique_by=str))
    lines = root + draw(ROOTS)
    for section in draw(st.permutations(sections)):
        lines += draw(filler()) + section
    lines += draw(filler())
    return draw(with_line_ends("\n".join(lines) + draw(st.sampled_from(["\n", "\n", "", "\n\n"]))))


@st.composite
def with_line_ends(draw: st.DrawFn, text: str) -> str:
    way = draw(st.sampled_from(["LF", "LF", "CRLF", "mixed"]))
    if way == "mixed":
        parts = text.split("\n")
        return "".join(part + draw(st.sampled_from(["\n", "\r\n"])) for part in parts[:-1]) + parts[-1]
    return text.replace("\n", "\r\n") if way == "CRLF" else text


def is_toml(text: str) -> bool:
    try:
        rewire.parse(text)
    except ValueError:
        return False
    return True


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(documents(plain_tables()))
def test_unwrap_of_wrap_gives_back_every_byte_and_wrap_keeps_the_meaning(text: str) -> None:
    """The promise of docs/how-to/wrap.md, "The way back"."""
    assume(is_toml(text))
    wrapped = rewire.wrapped(text)
    event(f"with a record: {rewire.RECORD in wrapped}")
    verify(Path("pyproject.toml"), text, wrapped)
    assert rewire.unwrapped(wrapped) == text


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(st.data())
def test_where_a_backend_is_named_under_a_header_nothing_but_the_needed_lines_change(data: st.DataObject) -> None:
    """The change is as small as can be: no record, and of the old lines only those that must differ are touched."""
    values = {"requires": data.draw(arrays(["hatchling", "x"])), "build-backend": data.draw(strings("hatchling.build"))}
    section = [data.draw(headers(["build-system"])), *data.draw(pairs([], values))]
    text = data.draw(with_line_ends("\n".join([*section, *data.draw(filler()), "[project]", "name = 'x'", ""])))
    assume(is_toml(text))
    wrapped = rewire.wrapped(text)
    assert rewire.RECORD not in wrapped
    before, after = tomltext.split_lines(text), tomltext.split_lines(wrapped)
    touched = len(before) - sum(
        block.size for block in SequenceMatcher(None, before, after, False).get_matching_blocks()
    )
    assert touched <= len(values["requires"].splitlines()) + len(values["build-backend"].splitlines())
    assert len(after) - len(before) <= 5


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(documents(wrapped_tables()))
def test_unwrap_keeps_the_meaning_of_what_wrap_did_not_make(text: str) -> None:
    """The same backend builds, from the same path, with the same requirements; all else is as it was."""
    assume(is_toml(text))
    verify(Path("pyproject.toml"), rewire.unwrapped(text) or "", text)
