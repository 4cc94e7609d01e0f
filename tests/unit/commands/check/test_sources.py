"""Several sources at once: what is made for all of them is removed, whenever a signal comes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from samebytes_tools.commands.check import sources
from samebytes_tools.commands.check.subject import CheckOptions, Form, Subject

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
