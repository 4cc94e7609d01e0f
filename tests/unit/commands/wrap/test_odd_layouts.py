"""Layouts of requirements that nobody writes and TOML allows: unwrap gives back what was there, or says that it cannot."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from samebytes_tools.commands.wrap import edit
from samebytes_tools.commands.wrap.wrap import Rewiring, unwrap, wrap
from support.examples import examples

from samebytes.errors import ConfigError

GAPS = st.lists(
    st.sampled_from([" ", "\t", "\n", "\r\n", "\n  ", "# c\n", '# "samebytes"\n', '# "a",\n', " # x, ]\r\n"]),
    max_size=3,
).map("".join)
SPELLINGS = st.sampled_from(
    [
        '"{}"',
        "'{}'",
        '"""{}"""',
        "'''{}'''",
        '"""\\\n  {}"""',
        '"""\n{}"""',
        "'''\n{}'''",
    ]
)
SAMEBYTES = ["samebytes", "samebytes>=1", "Samebytes[x]"]
SYSTEMS = st.sampled_from(
    [
        '[build-system]\nrequires = {}\nbuild-backend = "{}"\n',
        "[build-system]\nbuild-backend = '{1}' # ours\nrequires={0}",
        'build-system.requires = {}\nbuild-system.build-backend = "{}"\n',
        'build-system = {{ requires = {}, build-backend = "{}"}}\n',
        '[ \'build-system\' ]\n"requires" = {}\nbuild-backend="{}"',
    ]
)


@st.composite
def arrays(draw: st.DrawFn, names: list[str]) -> str:
    """An array of *names*, with anything between them that may be there."""
    items = [draw(GAPS) + draw(SPELLINGS).format(name) + draw(GAPS) for name in names]
    comma = draw(st.sampled_from(["", ","])) if names else ""
    return f"[{','.join(items)}{comma}{draw(GAPS)}]"


@st.composite
def documents(draw: st.DrawFn, requirements: list[str], backend: str) -> str:
    """A pyproject.toml with some of *requirements*."""
    names = draw(st.lists(st.sampled_from(requirements), max_size=4))
    return draw(SYSTEMS).format(draw(arrays(names)), backend)


def rewired(direction: Callable[[Path], Rewiring], text: str) -> tuple[str, tuple[str, ...]] | None:
    """Return what wrap or unwrap makes of *text*, and what it notes; None if it refuses."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "pyproject.toml")
        path.write_bytes(text.encode())
        try:
            done = direction(Path(directory))
        except ConfigError:
            return None
        assert done.after is not None
        return done.after.decode(), done.notes


def valid(text: str) -> bool:
    try:
        edit.parse(text)
    except ValueError:
        return False
    return True


@settings(max_examples=examples(150), deadline=None)
@given(documents(["a", "b>=1", "setuptools"], "a.build"))
@example("build-system = {requires = [# c\n]}\n")
def test_unwrap_gives_back_what_was_there(text: str) -> None:
    """To the byte, or wrap has noted that it will not be; to the meaning in any case."""
    assume(valid(text))
    wrapped = rewired(wrap, text)
    if wrapped is None:
        return
    back = rewired(unwrap, wrapped[0])
    assert back is not None
    assert back[0] == text or (edit.parse(back[0]) == edit.parse(text) and wrapped[1])


@settings(max_examples=examples(150), deadline=None)
@given(documents(["a", "b>=1", *SAMEBYTES], "samebytes.backend"))
@example('[build-system]\nrequires = ["samebytes", "a", "samebytes>=1"]\nbuild-backend = "samebytes.backend"\n')
def test_unwrap_leaves_no_requirement_of_samebytes(text: str) -> None:
    """Nor does it take or change another, whoever wrote the file."""
    text += '\n[tool.samebytes]\nbuild-backend = "a.build"\n'
    assume(valid(text))
    back = rewired(unwrap, text)
    if back is not None:
        before, after = (edit.parse(one)["build-system"]["requires"] for one in (text, back[0]))
        assert after == [name for name in before if name not in SAMEBYTES]


def test_an_array_that_cannot_be_edited_is_refused() -> None:
    entry = edit._find(edit._tree('[build-system]\nrequires = ["a"]\n'), "build-system", "requires")
    assert entry is not None
    with pytest.raises(ConfigError, match="cannot be edited without changing more"):
        edit._set_array(entry, ['["a", ', '["b"]'], ["a", "samebytes"])
