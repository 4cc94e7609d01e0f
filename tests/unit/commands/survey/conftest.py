"""Stores that are closed when a test ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Callable

import pytest
from samebytes_tools.commands.survey.store.store import Store

Opener = Callable[[Path], Store]


@pytest.fixture
def opened() -> Iterator[Opener]:
    """Opens stores."""
    with ExitStack() as stack:
        yield lambda path: stack.enter_context(Store(path))
