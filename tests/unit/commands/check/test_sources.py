"""Several sources at once: what is made for all of them is removed, whenever a signal comes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from samebytes_tools.commands.check import sources
from samebytes_tools.commands.check.subject import CheckContext, CheckOptions, Form, Subject
from support.projects import write_tree

SUBJECTS = [Subject(name, Form.TREE, None) for name in ("one", "two")]


@dataclass(frozen=True)
class Context:
    """As much of a check's context as is looked at before a source is built."""

    workspace: Any
    filled: Any = None


@pytest.mark.parametrize("where", ["FilledEnvironments", "replace", "in_order"])
def test_nothing_is_left_whenever_a_signal_comes(where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*given: Any, **_: Any) -> Iterator[Any]:
        # The slugs of sources are given by replace, too.
        if where == "replace" and isinstance(given[0], Subject):
            return given[0]  # type: ignore[return-value]
        if where == "in_order":
            assert len(list(tmp_path.iterdir())) == 1
        raise KeyboardInterrupt

    monkeypatch.setattr(sources, where, interrupted)
    context: Any = Context(SimpleNamespace(directory=tmp_path))
    with pytest.raises(KeyboardInterrupt):
        list(sources.check_all(SUBJECTS, CheckOptions(), context))
    assert list(tmp_path.iterdir()) == []


def test_an_error_names_the_source_and_not_the_copy_of_it(tmp_path: Path) -> None:
    tree = write_tree(tmp_path / "demo", {"pyproject.toml": '[build-system]\nrequires = "setuptools"\n'})
    (tmp_path / "work").mkdir()
    where: Any = SimpleNamespace(directory=tmp_path / "work")
    context = CheckContext({}, where, frozenset(), {}, lambda *_: pytest.fail("nothing to download"), float)
    python: Any = SimpleNamespace(version="3.11.7", minor=(3, 11), executable="python")
    (found,) = sources.check_all([Subject(str(tree), Form.TREE, python)], CheckOptions(), context)
    assert found.error is not None
    assert found.error.message.startswith(f"{Path('demo', 'pyproject.toml')}: [build-system] requires must be a list")
