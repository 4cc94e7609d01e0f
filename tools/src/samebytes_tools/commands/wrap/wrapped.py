"""Does a project build through samebytes already, and would its build accept the configuration?"""

from __future__ import annotations

from pathlib import Path

from samebytes.backend.config import load

from .wrap import Rewiring, wrap


def examine(source: Path) -> Rewiring:
    """Return what :func:`.wrap.wrap` would do to the project in *source*; nothing is written.

    :raises ConfigError: also for what only a build would refuse, if the project is wrapped.
    :raises MissingExtraError: if tomlkit is not installed.
    """
    rewiring = wrap(source)
    if not rewiring.changes:
        load(source)
    return rewiring
