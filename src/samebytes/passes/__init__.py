"""The rules of the canonical form, each a named value with a code and a reason, in the one order in which they run."""

from __future__ import annotations

from collections.abc import Collection

from ..errors import ConfigError
from . import container, files, record
from .model import Pass
from .pyc import PYC, PYC_CODE
from .sbom import SBOM
from .texts import TEXTS

ALL: tuple[Pass, ...] = (
    record.VERIFIED,
    files.SIGNATURES,
    files.RESERVED_DATE_FILE,
    container.MEMBERS_GIVEN_TWICE,
    container.CASE_NOTE,
    *TEXTS,
    PYC,
    PYC_CODE,
    SBOM,
    files.RECORDED_DATE,
    *container.CONTAINER,
    record.REWRITTEN,
)
"""Every pass. What must be known before anything changes comes first, contents before their container, RECORD last."""

DEFAULT: tuple[Pass, ...] = tuple(one for one in ALL if one.default)
"""The passes that run where nobody asks for others."""


def by_code(code: str) -> Pass:
    """Return the pass with *code*.

    :raises ConfigError: if there is none; the message names the nearest.
    """
    for one in ALL:
        if one.code == code:
            return one
    from difflib import get_close_matches

    nearest = get_close_matches(code.upper(), [one.code for one in ALL], 1, 0)
    raise ConfigError(f"there is no pass {code!r}", remedy=f"Did you mean {nearest[0]} ({by_code(nearest[0]).name})?")


def select(disable: Collection[str] = (), enable: Collection[str] = (), where: str = "") -> tuple[Pass, ...]:
    """Return the passes to run, in order: the default ones and those in *enable*, without those in *disable*.

    *where* names the place of the codes in messages, such as a pyproject.toml.

    :raises ConfigError: for a code that is unknown, may not be switched off, or is in both.
    """
    try:
        for one in map(by_code, (*enable, *disable)):
            if one.code in disable and one.code in enable:
                raise ConfigError(f"pass {one.code} is both enabled and disabled", remedy="Decide for one of them.")
            if one.code in disable and one.always_because:
                raise ConfigError(
                    f"pass {one.code} ({one.name}) cannot be disabled: {one.always_because}",
                    remedy=f"Take {one.code} out of what is to be disabled.",
                )
    except ConfigError as error:
        raise ConfigError(f"{where}: {error.message}", remedy=error.remedy) if where else error from None
    return tuple(one for one in ALL if (one.default or one.code in enable) and one.code not in disable)
