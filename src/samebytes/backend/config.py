"""``[tool.samebytes]`` and ``[build-system]``, read strictly."""

from __future__ import annotations

import re
import stat
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ..epoch import from_setting
from ..errors import ConfigError, suggestion

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

_OBJECT_REFERENCE = re.compile(r"[^\s.:]+(\.[^\s.:]+)*(:([^\s.:]+(\.[^\s.:]+)*)?)?")
"""PEP 517's, and what else pyproject-hooks imports: parts that are not identifiers, and no object after the colon."""

_MAX_KEY_PARTS = 200
_LONG_KEY = re.compile(rf"""(?<![\w-])(?:(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')[ \t]*\.[ \t]*){{{_MAX_KEY_PARTS}}}""")


class Backend(NamedTuple):
    """A build backend as PEP 517 names it."""

    name: str
    """``module`` or ``module:object``."""
    path: tuple[str, ...] = ()
    """``backend-path``, relative to the source tree."""

    @property
    def package(self) -> str:
        """The top-level package or module of that module."""
        return self.name.partition(":")[0].partition(".")[0]


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
    disable: tuple[str, ...] = ()
    """Codes of passes that are switched off; the reasons that the file has to give are for those who read it."""
    enable: tuple[str, ...] = ()
    debug_info: str = "map"
    deflate: str = "canonical"
    flags: str = "auto"
    fixed_paths: bool = False
    inherit: tuple[str, ...] = ()


KEYS = (
    *("backend-path", "build-backend", "canonical-form", "check", "debug-info", "deflate", "disable", "enable"),
    *("fixed-paths", "flags", "inherit", "source-date-epoch"),
)
"""``check`` is for ``samebytes check`` of sources, which reads it itself."""


class ConfigTable(NamedTuple):
    """A table of pyproject.toml, each value of which is checked when it is read."""

    values: Mapping[str, Any]
    name: str
    """What messages call it: the file and the table's name."""

    def invalid(self, what: str, remedy: str) -> ConfigError:
        return ConfigError(f"{self.name} {what}", remedy=remedy)

    def strings(self, key: str) -> tuple[str, ...]:
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.invalid(
                f"{key} must be a list of strings, not {value!r}", f'Write for example: {key} = ["..."].'
            )
        return tuple(value)

    def choice(self, key: str, choices: tuple[str, ...]) -> str:
        value = self.values.get(key, choices[0])
        if value not in choices:
            raise self.invalid(f"{key} is {value!r}", f"It must be {' or '.join(map(repr, choices))}.")
        return str(value)

    def boolean(self, key: str) -> bool:
        value = self.values.get(key, False)
        if not isinstance(value, bool):
            raise self.invalid(f"{key} is {value!r}", "It must be true or false.")
        return value


def load(source: Path) -> Config:
    """Read the configuration of the source tree *source* (PEP 518, PEP 621 tables are not looked at).

    :raises ConfigError: if pyproject.toml is malformed, a key is unknown or a value is of the wrong kind.
    """
    path = source / "pyproject.toml"
    document = read_toml(path)
    system = config_table(path, document, "build-system")
    tool = config_table(path, document, "tool", "samebytes")
    for key in tool.values:
        if key not in KEYS:
            raise tool.invalid(f"has the unknown key {key!r}", suggestion(key, KEYS))
    form = tool.values.get("canonical-form", CANONICAL_FORM)
    if form != CANONICAL_FORM or isinstance(form, bool):  # true equals 1
        raise tool.invalid(
            f"canonical-form = {form!r}, but this samebytes writes version {CANONICAL_FORM}",
            "Pin a release of samebytes that writes it in [build-system] requires, or change the number.",
        )
    date = tool.values.get("source-date-epoch")
    return Config(
        backend=_inner(system, tool),
        requires=system.strings("requires") if "requires" in system.values else LEGACY_REQUIRES,
        wrapped=is_samebytes(system.values.get("build-backend")),
        source_date_epoch=date if date in (None, "vcs") else from_setting(date, f"{tool.name} source-date-epoch"),
        disable=_disabled(tool),
        enable=tool.strings("enable"),
        debug_info=tool.choice("debug-info", DEBUG_INFO),
        deflate=tool.choice("deflate", DEFLATE),
        flags=tool.choice("flags", FLAGS),
        fixed_paths=tool.boolean("fixed-paths"),
        inherit=_inherited(tool),
    )


def read_toml(path: Path) -> dict[str, Any]:
    """Return what the file *path* says; nothing if it is missing.

    :raises ConfigError: if it is malformed or cannot be read.
    """
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


def config_table(path: Path, values: Mapping[str, Any], *keys: str) -> ConfigTable:
    """Return the table at *keys* in *values*, which *path* holds; an empty one if it is missing."""
    for depth, key in enumerate(keys, start=1):
        name = ".".join(keys[:depth])
        values = values.get(key, {})
        if not isinstance(values, dict):
            raise ConfigError(f"{path}: {name} must be a table, not {values!r}", remedy=f"Write it as [{name}].")
    return ConfigTable(values, f"{path}: [{'.'.join(keys)}]")


def is_samebytes(name: object) -> bool:
    """Return whether a ``build-backend`` value names samebytes."""
    return isinstance(name, str) and Backend(name).package == "samebytes"


def _inner(system: ConfigTable, tool: ConfigTable) -> Backend:
    """Decide which backend is wrapped (D4)."""
    if "build-backend" in tool.values:
        table = tool
    elif "backend-path" in tool.values:
        raise tool.invalid(
            "has a backend-path but no build-backend", "Name the backend that lies there, or leave the path away."
        )
    elif is_samebytes(system.values.get("build-backend")):
        return Backend(LEGACY_BACKEND)  # its backend-path is where samebytes lies, and not the inner backend
    elif "build-backend" in system.values:
        table = system
    else:
        return Backend(LEGACY_BACKEND, system.strings("backend-path"))
    backend = table.values["build-backend"]
    if not isinstance(backend, str) or not _OBJECT_REFERENCE.fullmatch(backend):
        raise table.invalid(
            f"build-backend must be 'module' or 'module:object', not {backend!r}",
            "Name what can be imported, such as 'hatchling.build' (PEP 517).",
        )
    if is_samebytes(backend):
        raise table.invalid(
            f"build-backend is {backend!r}: samebytes cannot wrap itself",
            "Name the backend that does the work there, such as 'hatchling.build'.",
        )
    return Backend(backend, table.strings("backend-path"))


def _disabled(tool: ConfigTable) -> tuple[str, ...]:
    """Return the codes of which ``disable`` gives the reason."""
    value = tool.values.get("disable", {})
    if not isinstance(value, dict):
        raise tool.invalid(
            f"disable must be a table of codes with reasons, not {value!r}",
            'Write for example: disable = { Z003 = "the modes are part of the product" }.',
        )
    for code, reason in value.items():
        if not isinstance(reason, str) or not reason.strip():
            raise tool.invalid(f"disable.{code} has no reason", f'Say why it does not fit: {code} = "the reason".')
    return tuple(value)


def _inherited(tool: ConfigTable) -> tuple[str, ...]:
    names = tool.strings("inherit")
    for name in names:
        if name not in PINNED:
            raise tool.invalid(f"inherit names {name!r}, which is not pinned", suggestion(name, PINNED))
    return names
