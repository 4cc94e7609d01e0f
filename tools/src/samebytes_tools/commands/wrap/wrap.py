"""Put samebytes between a project's front end and its build backend, and take it out again."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from packaging.utils import canonicalize_name

from samebytes.archive.atomic import replacing
from samebytes.backend.config import KEYS, LEGACY_BACKEND, LEGACY_REQUIRES, is_samebytes, toml_bytes
from samebytes.errors import ConfigError, OutputError

from . import edit

FILE_NAME = "pyproject.toml"

BOOTSTRAP = ("flit-core", "installer", "packaging", "pyproject-hooks", "samebytes", "setuptools", "tomli")
"""What has to be there before samebytes can be built or can build anything."""

_TABLES = "the layout of [build-system] and [tool.samebytes]"
_NOT_EXACT = f"unwrap will restore these settings, but not {_TABLES} byte for byte; 'git checkout' does"
_NOT_OURS = f"wrap would not have written this file, so {_TABLES} may differ from before: compare with 'git diff'"
_PATH_MOVED = "backend-path is put next to build-backend; if it was elsewhere before wrap, 'git checkout' restores that"

_Text = TypeVar("_Text", str, "str | None")


@dataclass(frozen=True)
class Rewiring:
    """What changes in a project's pyproject.toml."""

    path: Path
    before: bytes | None
    """None where there is no file yet."""
    after: bytes | None
    """None where the file is removed."""
    backend: str
    """The backend that does the work."""
    requires_samebytes: bool = True
    """Whether [build-system] requires names samebytes afterwards; a front end that isolates builds needs it."""
    notes: tuple[str, ...] = ()
    """Where unwrap does not restore every byte of what wrap was given, or may not."""

    @property
    def changes(self) -> bool:
        """Whether there is anything to do."""
        return self.before != self.after


def wrap(source: Path) -> Rewiring:
    """Return what makes the project in *source* build through samebytes; nothing is written.

    :raises ConfigError: if there is no project, its pyproject.toml is malformed, contradicts itself or must not be
        wrapped, or is laid out so that the edit would change more than the build backend.
    """
    path, before, text = _read(source)
    values = _parsed(path, text)
    system, ours = _tables(path, values)
    if is_samebytes(system.get("build-backend")):
        backend = ours.get("build-backend", LEGACY_BACKEND)
        named = "backend-path" in system or any(map(edit.names_samebytes, system["requires"]))
        return Rewiring(path, before, before, backend, requires_samebytes=named)
    _refuse_bootstrap(path, values)
    _refuse_contradiction(path, system, ours)
    after = edit.CREATED if before is None else _located(path, edit.wrapped, text)
    # Compared by meaning, with another parser than the one that edits.
    verify(path, text, after)
    if not any(map(edit.names_samebytes, edit.parse(after)["build-system"]["requires"])):
        raise _changes_more(path)
    # Tried now, so that a note can say so before anything is written.
    exact = before is None or _attempt(edit.unwrapped, after) == text
    backend = system.get("build-backend", LEGACY_BACKEND)
    return Rewiring(path, before, after.encode(), backend, notes=() if exact else (_NOT_EXACT,))


def unwrap(source: Path) -> Rewiring:
    """Return what makes the project in *source* build without samebytes; nothing is written.

    What :func:`wrap` did is undone byte for byte, but for what :attr:`Rewiring.notes` names.

    :raises ConfigError: if there is no project, its pyproject.toml is malformed, or laid out so that the edit would
        change more than the build backend.
    """
    path, before, text = _read(source)
    values = _parsed(path, text)
    system, ours = _tables(path, values)
    if not is_samebytes(system.get("build-backend")):
        return Rewiring(path, before, before, system.get("build-backend", LEGACY_BACKEND))
    after = _located(path, edit.unwrapped, text)
    verify(path, after or "", text)
    if after and any(map(edit.names_samebytes, edit.parse(after).get("build-system", {}).get("requires", ()))):
        raise _changes_more(path)
    encoded = None if after is None else after.encode()
    notes: tuple[str, ...] = ()
    # What wrap would not have written was written by hand, so nobody knows what it was.
    if after is not None and _attempt(edit.wrapped, after) != text:
        notes = (_NOT_OURS,)
    elif "backend-path" in ours:
        notes = (_PATH_MOVED,)
    return Rewiring(path, before, encoded, ours.get("build-backend", LEGACY_BACKEND), notes=notes)


def _attempt(edited: Callable[[str], _Text], text: str) -> str | None:
    try:
        return edited(text)
    except ConfigError:
        return None


def carry_out(rewiring: Rewiring) -> None:
    """Write, or remove, the file; its permission bits are kept.

    :raises OutputError: if that cannot be done; the file is then as it was.
    """
    if not rewiring.changes:
        return
    # An editor may have saved it meanwhile.
    if (rewiring.path.read_bytes() if rewiring.path.exists() else None) != rewiring.before:
        raise OutputError(f"{rewiring.path}: was changed since it was read", remedy="It was left alone. Run it again.")
    if rewiring.after is not None:
        with replacing(rewiring.path) as sink:
            sink.write(rewiring.after)
        return
    try:
        rewiring.path.unlink()
    except OSError as error:
        raise OutputError(
            f"{rewiring.path}: cannot be removed: {error.strerror}",
            remedy=f"Make the directory {rewiring.path.parent} writable.",
        ) from error


def diff(rewiring: Rewiring) -> bytes:
    """Return what :func:`carry_out` does as a unified diff that ``patch -p1`` and ``git apply`` take."""
    hunks = difflib.diff_bytes(
        difflib.unified_diff,
        _lines(rewiring.before),
        _lines(rewiring.after),
        _label(b"a", rewiring.before),
        _label(b"b", rewiring.after),
        lineterm=b"\n",
    )
    return b"".join(line if line.endswith(b"\n") else line + b"\n\\ No newline at end of file\n" for line in hunks)


def verify(path: Path, plain: str, wrapped: str) -> None:
    """Check that two texts have the same meaning, the second through samebytes; no edit that fails this is made.

    :raises ConfigError: if they have not.
    """
    try:
        first, second = edit.parse(plain), edit.parse(wrapped)
    except ValueError:
        raise _changes_more(path) from None
    backend = second.get("build-system", {}).get("build-backend")
    if not is_samebytes(backend) or _meaning(first) != _meaning(second):
        raise _changes_more(path)


def _changes_more(path: Path) -> ConfigError:
    return ConfigError(
        f"{path}: is laid out so that the edit would change more than the build backend; nothing is changed",
        remedy="Give [build-system] and [tool.samebytes] headers of their own, or edit the lines by hand.",
    )


def _meaning(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a pyproject.toml means, the same with samebytes as its backend and without."""
    system = dict(values.get("build-system", {"requires": list(LEGACY_REQUIRES)}))
    tool = dict(values.get("tool", {}))
    ours = dict(tool.pop("samebytes", {}))
    inner = {key: ours.pop(key) for key in ("build-backend", "backend-path") if key in ours}
    if is_samebytes(system.get("build-backend")):
        system = {**system, "build-backend": None, "backend-path": None, **inner}
    return {
        **values,
        "build-system": {
            **system,
            "build-backend": system.get("build-backend") or LEGACY_BACKEND,
            "backend-path": system.get("backend-path"),
            "requires": [name for name in system["requires"] if not edit.names_samebytes(name)],
        },
        "tool": {**tool, **({"samebytes": ours} if ours else {})},
    }


def _lines(contents: bytes | None) -> list[bytes]:
    # Not splitlines(), which also splits at a lone CR, as patch does not.
    return re.findall(rb"[^\n]*\n|[^\n]+", contents or b"")


def _label(side: bytes, contents: bytes | None) -> bytes:
    return b"/dev/null" if contents is None else side + b"/" + FILE_NAME.encode()


def _read(source: Path) -> tuple[Path, bytes | None, str]:
    """Return the path, bytes and text of the pyproject.toml in *source*; None and no text if it has only setup.py."""
    path = source / FILE_NAME
    try:
        contents = toml_bytes(path)
    except (FileNotFoundError, NotADirectoryError):
        if (source / "setup.py").is_file():
            return path, None, ""
        raise _no_project(source) from None
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read: {error.strerror}", remedy="Check its kind and permissions."
        ) from None
    try:
        return path, contents, contents.decode()
    except UnicodeDecodeError as error:
        line = contents.count(b"\n", 0, error.start) + 1
        column = error.start - (contents.rfind(b"\n", 0, error.start) + 1) + 1
        raise ConfigError(
            f"{path}: line {line}, column {column}: is not UTF-8, which TOML files have to be",
            remedy="Save the file as UTF-8.",
        ) from None


def _no_project(source: Path) -> ConfigError:
    if not source.is_dir():
        return ConfigError(f"{source}: is not a directory", remedy="Name the directory that holds pyproject.toml.")
    return ConfigError(
        f"{source}: holds neither pyproject.toml nor setup.py, so it is not a Python project",
        remedy="Name the directory that holds one of them.",
    )


def _parsed(path: Path, text: str) -> dict[str, Any]:
    if text.startswith("\ufeff"):
        raise ConfigError(
            f"{path}: line 1, column 1: begins with a byte order mark, which pip and build refuse",
            remedy="Save the file as UTF-8 without one.",
        )
    try:
        return edit.parse(text)
    except ValueError as error:
        raise ConfigError(f"{path}: {_place(str(error), text)}", remedy="Fix the file at that place.") from None


def _place(message: str, text: str) -> str:
    """Return a message of tomllib's with its place in front, also where that is the end of the document."""
    match = re.search(r" \(at (?:line (\d+), column (\d+)|end of document)\)$", message)
    if match is None:
        return message
    last = text.count("\n") + 1, len(text) - (text.rfind("\n") + 1) + 1
    line, column = (int(match[1]), int(match[2])) if match[1] else last
    return f"line {line}, column {column}: is not valid TOML: {message[: match.start()]}"


def _tables(path: Path, values: Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return [build-system], as PEP 517 and 518 want it, and [tool.samebytes]."""
    tool = _table(path, values, "tool")
    system, ours = _table(path, values, "build-system"), _table(path, tool, "samebytes")
    _refuse_misspelt(path, "[{}]", values, ("build-system", "tool"))
    _refuse_misspelt(path, "[tool.{}]", tool, ("samebytes",))
    _refuse_misspelt(path, "[build-system] {}", system, ("requires", "build-backend", "backend-path"))
    _refuse_misspelt(path, "[tool.samebytes] {}", ours, KEYS)
    if "build-system" in values and "requires" not in system:
        raise ConfigError(
            f"{path}: [build-system] has no 'requires', which PEP 518 demands",
            remedy=f'Add it, such as requires = ["{LEGACY_REQUIRES[0]}"], or remove [build-system].',
        )
    for name, table in (("[build-system]", system), ("[tool.samebytes]", ours)):
        _check_kinds(f"{path}: {name}", table)
    if is_samebytes(ours.get("build-backend")):
        raise ConfigError(
            f"{path}: [tool.samebytes] build-backend is {ours['build-backend']!r}: samebytes cannot wrap itself",
            remedy="Name the backend that does the work there, such as 'hatchling.build'.",
        )
    return system, ours


def _refuse_misspelt(path: Path, shown: str, values: Mapping[str, Any], known: Sequence[str]) -> None:
    """Refuse a name in *values* that is nearly a *known* one: most that read the file ignore what they do not know."""
    for name in values:
        near = difflib.get_close_matches(name.lower().replace("_", "-"), known, n=1, cutoff=0.8)
        if near and name not in known:
            raise ConfigError(
                f"{path}: {shown.format(name)} is not a known name",
                remedy=f"Did you mean {shown.format(near[0])}?",
            )


def _table(path: Path, values: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = values.get(key, {})
    if not isinstance(value, dict):
        raise ConfigError(f"{path}: {key} must be a table, not {value!r}", remedy="Write it as a table.")
    return value


def _check_kinds(where: str, table: Mapping[str, Any]) -> None:
    backend = table.get("build-backend", "x")
    if not isinstance(backend, str) or not backend:
        raise ConfigError(
            f"{where} build-backend must be a string, not {backend!r}", remedy="Write for example 'hatchling.build'."
        )
    for key in ("requires", "backend-path"):
        value = table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise ConfigError(
                f"{where} {key} must be an array of strings, not {value!r}", remedy='Write it as ["...", "..."].'
            )


def _refuse_bootstrap(path: Path, values: Mapping[str, Any]) -> None:
    project = values.get("project")
    name = project.get("name") if isinstance(project, dict) else None
    if isinstance(name, str) and canonicalize_name(name) in BOOTSTRAP:
        raise ConfigError(
            f"{path}: {name} must not be wrapped: samebytes needs it to be built itself",
            remedy="Run 'samebytes normalize' on what its own backend builds: the bytes are the same.",
        )


def _refuse_contradiction(path: Path, system: Mapping[str, Any], ours: Mapping[str, Any]) -> None:
    plain = {"build-backend": LEGACY_BACKEND, "backend-path": [], **system}
    for key in ("build-backend", "backend-path"):
        if key in ours and ours[key] != plain[key]:
            raise ConfigError(
                f"{path}: [tool.samebytes] {key} is {ours[key]!r}, but [build-system] means {plain[key]!r}",
                remedy=f"Remove {key} from [tool.samebytes], or make the two agree.",
            )


def _located(path: Path, edited: Callable[[str], _Text], text: str) -> _Text:
    """Return the edited *text*; errors get the file's path."""
    try:
        return edited(text)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error.message}", remedy=error.remedy) from None
