"""``[tool.samebytes]`` and ``[build-system]``, read strictly."""

from __future__ import annotations

import re
import stat
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ..epoch import from_setting
from ..errors import ConfigError

CANONICAL_FORM = 1
"""The version of docs/canonical-form.md that this samebytes writes."""

LEGACY_BACKEND = "setuptools.build_meta:__legacy__"
"""What a missing ``build-backend`` means (PEP 517, "Source trees")."""

LEGACY_REQUIRES = ("setuptools>=40.8.0",)
"""What a missing ``[build-system]`` table means (PEP 518)."""

DEBUG_INFO = ("map", "strip")
DEFLATE = ("canonical", "keep")
FLAGS = ("auto", "inherit")
PINNED = (
    *("LC_ALL", "PYTHONDONTWRITEBYTECODE", "PYTHONHASHSEED", "TZ", "ZERO_AR_DATE"),
    *("directory-order", "tempfile", "umask"),
)
"""What is pinned for the inner backend; ``inherit`` leaves each as it is."""


MAX_TOML_BYTES = 1 << 22
"""Of one file; large projects' lock files have a tenth of that."""

_MAX_KEY_PARTS = 200
_LONG_KEY = re.compile(
    rf"""(?<![\w-])(?:(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')[ \t]*\.[ \t]*){{{_MAX_KEY_PARTS}}}""",
)


class Backend(NamedTuple):
    """A build backend as PEP 517 names it."""

    name: str
    """``module`` or ``module:object``."""
    path: tuple[str, ...] = ()
    """``backend-path``, relative to the source tree."""

    @property
    def module(self) -> str:
        """The module, without the object."""
        return self.name.partition(":")[0]


class Config(NamedTuple):
    """What samebytes reads from a source tree's pyproject.toml."""

    backend: Backend
    """The inner backend (D4)."""
    requires: tuple[str, ...] = ()
    """``[build-system] requires``, as written."""
    wrapped: bool = False
    """Whether ``[build-system] build-backend`` is samebytes."""
    source_date_epoch: int | str | None = None
    """Seconds since 1970-01-01 UTC, ``"vcs"``, or nothing."""
    disable: tuple[tuple[str, str], ...] = ()
    """Codes of passes that are switched off, each with the project's reason."""
    enable: tuple[str, ...] = ()
    debug_info: str = "map"
    deflate: str = "canonical"
    flags: str = "auto"
    fixed_paths: bool = False
    inherit: tuple[str, ...] = ()


KEYS = (
    "backend-path",
    "build-backend",
    "canonical-form",
    "debug-info",
    "deflate",
    "disable",
    "enable",
    "fixed-paths",
    "flags",
    "inherit",
    "source-date-epoch",
)


def load(source: Path) -> Config:
    """Read the configuration of the source tree *source* (PEP 518, PEP 621 tables are not looked at).

    :raises ConfigError: if pyproject.toml is malformed, a key is unknown or a value is of the wrong kind.
    """
    path = source / "pyproject.toml"
    data = _read_toml(path)
    where = str(path)
    system = _table(data, "build-system", where)
    tool = _table(_table(data, "tool", where), "samebytes", where)
    for key in tool:
        if key not in KEYS:
            raise ConfigError(f"{where}: [tool.samebytes] has the unknown key {key!r}", remedy=_nearest(key, KEYS))
    _check_form(tool, where)
    return Config(
        backend=_inner(system, tool, where),
        requires=_strings(system, "requires", where, "[build-system]") if "requires" in system else LEGACY_REQUIRES,
        wrapped=is_samebytes(system.get("build-backend")),
        source_date_epoch=_date(tool, where),
        disable=_disabled(tool, where),
        enable=_strings(tool, "enable", where),
        debug_info=_choice(tool, "debug-info", DEBUG_INFO, where),
        deflate=_choice(tool, "deflate", DEFLATE, where),
        flags=_choice(tool, "flags", FLAGS, where),
        fixed_paths=_boolean(tool, "fixed-paths", where),
        inherit=_inherited(tool, where),
    )


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return parsed_toml(toml_bytes(path).decode("utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}", remedy="Check its permissions.") from None
    except ValueError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}", remedy="Fix the file at that place.") from None


def toml_bytes(path: Path) -> bytes:
    """Return what the file *path* holds, without waiting for anybody to write it.

    :raises OSError: if it cannot be read.
    :raises ConfigError: if it is not a regular file, or has more than MAX_TOML_BYTES.
    """
    if not stat.S_ISREG(path.stat().st_mode):  # A pipe would never end, nor would /dev/zero.
        raise ConfigError(f"{path}: cannot be read: is not a regular file", remedy="Put one there.")
    with path.open("rb") as file:
        raw = file.read(MAX_TOML_BYTES + 1)
    if len(raw) > MAX_TOML_BYTES:
        raise ConfigError(f"{path}: has more than {MAX_TOML_BYTES} bytes", remedy="Make it smaller.")
    return raw


def parsed_toml(text: str, parse_float: Callable[[str], Any] = float) -> dict[str, Any]:
    """Return the values of a TOML document, which can be shown in messages.

    :raises ValueError: if it is malformed, or goes beyond what can be read or shown.
    """
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    if _LONG_KEY.search(text):  # Reading one takes time by the square of its parts.
        raise ValueError(f"a key has more than {_MAX_KEY_PARTS} parts")
    try:
        data: dict[str, Any] = tomllib.loads(text, parse_float=parse_float)
        repr(data)  # Messages show values: numbers of thousands of digits, or tables in a thousand others, cannot be.
    except RecursionError:
        raise ValueError("values or tables are nested too deeply") from None
    return data


def _table(data: Mapping[str, Any], key: str, where: str) -> Mapping[str, Any]:
    value = data.get(key, {})
    if not isinstance(value, dict):
        raise ConfigError(f"{where}: {key} must be a table, not {value!r}", remedy=f"Write it as [{key}].")
    return value


def _nearest(word: str, known: tuple[str, ...]) -> str:
    from difflib import get_close_matches

    folded = {name.lower(): name for name in known}
    close = get_close_matches(word.lower(), folded, n=1, cutoff=0.4)
    return f"Did you mean {folded[close[0]]!r}?" if close else f"Known are: {', '.join(known)}."


def _check_form(tool: Mapping[str, Any], where: str) -> None:
    form = tool.get("canonical-form", CANONICAL_FORM)
    if form != CANONICAL_FORM or isinstance(form, bool):
        raise ConfigError(
            f"{where}: [tool.samebytes] canonical-form = {form!r}, but this samebytes writes version {CANONICAL_FORM}",
            remedy="Pin a release of samebytes that writes it in [build-system] requires, or change the number.",
        )


def is_samebytes(name: object) -> bool:
    """Return whether a ``build-backend`` value names samebytes."""
    return isinstance(name, str) and name.partition(":")[0].partition(".")[0] == "samebytes"


def _inner(system: Mapping[str, Any], tool: Mapping[str, Any], where: str) -> Backend:
    """Decide which backend is wrapped (D4)."""
    if "backend-path" in tool and "build-backend" not in tool:
        raise ConfigError(
            f"{where}: [tool.samebytes] has a backend-path but no build-backend",
            remedy="Name the backend that lies there, or leave the path away.",
        )
    if "build-backend" in tool:
        table, name = tool, "[tool.samebytes]"
    elif "build-backend" in system and not is_samebytes(system["build-backend"]):
        table, name = system, "[build-system]"
    else:
        own = {} if "build-backend" in system else system  # a samebytes in the tree is not the inner backend
        return Backend(LEGACY_BACKEND, _strings(own, "backend-path", where, "[build-system]"))
    backend = table["build-backend"]
    if not isinstance(backend, str) or not backend:
        raise ConfigError(
            f"{where}: {name} build-backend must be a string, not {backend!r}",
            remedy="Name the backend's module, such as 'hatchling.build' (PEP 517).",
        )
    if is_samebytes(backend):
        raise ConfigError(
            f"{where}: {name} build-backend is {backend!r}: samebytes cannot wrap itself",
            remedy="Name the backend that does the work there, such as 'hatchling.build'.",
        )
    return Backend(backend, _strings(table, "backend-path", where, name))


def _strings(table: Mapping[str, Any], key: str, where: str, name: str = "[tool.samebytes]") -> tuple[str, ...]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ConfigError(
            f"{where}: {name} {key} must be a list of strings, not {value!r}",
            remedy=f'Write for example: {key} = ["..."].',
        )
    return tuple(value)


def _date(tool: Mapping[str, Any], where: str) -> int | str | None:
    value = tool.get("source-date-epoch")
    if value is None or value == "vcs":
        return value
    return from_setting(value, f"{where}: [tool.samebytes] source-date-epoch")


def _disabled(tool: Mapping[str, Any], where: str) -> tuple[tuple[str, str], ...]:
    value = tool.get("disable", {})
    if not isinstance(value, dict):
        raise ConfigError(
            f"{where}: [tool.samebytes] disable must be a table of codes with reasons, not {value!r}",
            remedy='Write for example: disable = { Z003 = "the modes are part of the product" }.',
        )
    for code, reason in value.items():
        if not isinstance(reason, str) or not reason.strip():
            raise ConfigError(
                f"{where}: [tool.samebytes] disable.{code} has no reason",
                remedy=f'Say why the rule does not fit: {code} = "the reason".',
            )
    return tuple(value.items())


def _choice(tool: Mapping[str, Any], key: str, choices: tuple[str, ...], where: str) -> str:
    value = tool.get(key, choices[0])
    if value not in choices:
        known = " or ".join(repr(choice) for choice in choices)
        raise ConfigError(f"{where}: [tool.samebytes] {key} is {value!r}", remedy=f"It must be {known}.")
    return str(value)


def _boolean(tool: Mapping[str, Any], key: str, where: str) -> bool:
    value = tool.get(key, False)
    if not isinstance(value, bool):
        raise ConfigError(f"{where}: [tool.samebytes] {key} is {value!r}", remedy="It must be true or false.")
    return value


def _inherited(tool: Mapping[str, Any], where: str) -> tuple[str, ...]:
    names = _strings(tool, "inherit", where)
    for name in names:
        if name not in PINNED:
            raise ConfigError(
                f"{where}: [tool.samebytes] inherit names {name!r}, which is not pinned", remedy=_nearest(name, PINNED)
            )
    return names
