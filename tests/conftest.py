"""The tiers of the tests, and fixtures of those that build real projects; these cost nothing where none asks for them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from support.examples import examples

if TYPE_CHECKING:
    from support.workshop import Workshop

pytest_plugins = ["support.tiers"]

# How long an example takes depends on the machine, and on what else it does: no test goes by that.
settings.register_profile("samebytes", deadline=None, max_examples=examples(100))
settings.load_profile("samebytes")


@pytest.fixture(scope="session")
def quick(pytestconfig: pytest.Config) -> bool:
    """Whether this is the quick tier, in which a test may leave out repetitions."""
    return bool(pytestconfig.getoption("--quick"))


@pytest.fixture(scope="session")
def workshop(quick: bool) -> Workshop:
    """One environment with every backend and the samebytes under test; shared by all workers and later runs."""
    from support.workshop import open_workshop

    return open_workshop(quick=quick)


@pytest.fixture(scope="session")
def samebytes_wheel(workshop: Workshop) -> Path:
    """The wheel of the samebytes under test."""
    return workshop.wheel


@pytest.fixture
def roots() -> Iterator[tuple[Path, Path]]:
    """Two directories for two environments: a short one, and one on another file system where there is one."""
    from support.conditions import roomy_memory

    first = Path(tempfile.mkdtemp(prefix="sb-"))
    second = Path(tempfile.mkdtemp(prefix="sb-", dir=roomy_memory()))
    yield first, second
    for root in (first, second):
        shutil.rmtree(root)
