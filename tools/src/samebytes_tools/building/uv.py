"""uv in pip's place: it resolves and installs the same, in a small part of the time, or it is not used."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import InvalidVersion

from samebytes.artifact.layout import fold
from samebytes.errors import SamebytesError

from .virtualenvs import InstalledDistribution, VirtualEnvironment

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_SINCE = (0, 7, 0)
"""The uv that writes ``pylock.toml`` and installs from it."""

_PATIENCE = 20
"""Seconds in which it says its version."""

REMEDY = "Install uv 0.7 or later (pip install uv), or let pip do it: --installer pip."

_KEPT = re.compile(r"UV_(CACHE_DIR|NATIVE_TLS|SYSTEM_CERTS|CONCURRENT_\w+|HTTP_TIMEOUT)")
"""uv's own variables that do not decide what is installed; others count for nothing, as pip knows none of them.

UV_OFFLINE does decide: of what is in the cache, another release may be the newest."""

_WITHOUT_MEANING = frozenset(
    (
        "break-system-packages",
        "cache-dir",
        "compile",
        "debug",
        "default-timeout",
        "disable-pip-version-check",
        "exists-action",
        "log",
        "no-cache-dir",
        "no-color",
        "no-compile",
        "no-input",
        "no-python-version-warning",
        "no-warn-conflicts",
        "no-warn-script-location",
        "progress-bar",
        "python",
        "quiet",
        "report",
        "require-virtualenv",
        "resume-retries",
        "retries",
        "root-user-action",
        "timeout",
        "verbose",
    )
)
"""Options of pip's that do not decide what is installed."""

_LISTS = {
    "constraint": "--constraint",
    "find-links": "--find-links",
    "trusted-host": "--allow-insecure-host",
}
"""Options with values between blanks, and what they are for uv."""

_INDEXES = {"extra-index-url": "UV_EXTRA_INDEX_URL", "index-url": "UV_INDEX_URL"}
"""Options with addresses, not paths, and the variables that uv takes for them: all users can read a command line."""

_BY_VARIABLE = {
    "cert": ("SSL_CERT_FILE",),
    "client-cert": ("SSL_CLIENT_CERT",),
    "proxy": ("ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY"),
}
"""Options of the network, and the variables that uv takes for them."""

# With a zone, and not a date alone: of a day, one of the two takes the beginning and the other the end.
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)")

_FALSE = frozenset(("0", "false", "off", "no", "n", "f"))


class Unsuitable(SamebytesError):
    """uv cannot be used, or not for this; pip may do it."""

    def __init__(self, message: str, *, is_missing: bool = False) -> None:
        super().__init__(message, remedy=REMEDY)
        self.is_missing = is_missing


@dataclass(frozen=True)
class Uv:
    """A uv."""

    program: str
    version: str

    def __str__(self) -> str:
        return f"uv {self.version}"


@dataclass(frozen=True)
class UvOptions:
    """How uv is to do what pip would."""

    arguments: tuple[str, ...]
    """For resolving, and for installing."""
    resolving: tuple[str, ...] = ()
    """For resolving alone."""
    variables: Mapping[str, str] = field(default_factory=dict)


def find(environ: Mapping[str, str]) -> Uv:
    """Return the uv on PATH, else the one beside this interpreter.

    :raises Unsuitable: if there is none, or it is too old, or does not run.
    """
    program = shutil.which("uv", path=environ.get("PATH", "")) or shutil.which("uv", path=str(_beside()))
    if program is None:
        raise Unsuitable("there is no uv, neither on PATH nor beside this Python", is_missing=True)
    # Absolute: PATH may have names that are relative.
    return _known(str(Path(program).absolute()))


def _beside() -> Path:
    return Path(sys.executable).parent


@lru_cache(maxsize=8)
def _known(program: str) -> Uv:
    try:
        done = subprocess.run(
            [program, "--version"], stdin=subprocess.DEVNULL, capture_output=True, timeout=_PATIENCE, check=False
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise Unsuitable(f"{program} does not run: {error}") from None
    found = re.match(rb"uv (\d+)\.(\d+)\.(\d+)", done.stdout)
    if done.returncode or found is None:
        raise Unsuitable(f"{program} does not say which uv it is")
    numbers = tuple(map(int, found.groups()))
    version = ".".join(map(str, numbers))
    if numbers < _SINCE:
        raise Unsuitable(f"{program} is too old ({version})")
    return Uv(program, version)


def options_for(settings: Mapping[str, str], environ: Mapping[str, str]) -> UvOptions:
    """Return how uv is to do what pip does that is configured with *settings*.

    :raises Unsuitable: if it has nothing for one of them, or that is not known to mean the same.
    """
    # pip takes the best of all indexes; uv by itself stops at the first that has the project.
    arguments, resolving = ["--index-strategy", "unsafe-best-match"], list[str]()
    variables = _variables(environ)
    for name, value in sorted(settings.items()):
        if name in _LISTS:
            to = resolving if name == "constraint" else arguments
            to += [part for each in _values(name, value) for part in (_LISTS[name], each)]
        elif name in _INDEXES and all("://" in each for each in value.split()):
            variables[_INDEXES[name]] = " ".join(value.split())
        elif name == "no-index":
            arguments += [] if value.lower() in _FALSE else ["--no-index"]
        elif name == "only-binary":
            resolving += [part for each in re.split(r"[,\s]+", value) if each for part in ("--only-binary", each)]
        elif name == "pre":
            resolving += [] if value.lower() in _FALSE else ["--prerelease", "allow"]
        elif name == "uploaded-prior-to" and _MOMENT.fullmatch(value):
            resolving += ["--exclude-newer", value]
        elif name in _BY_VARIABLE:
            variables.update(dict.fromkeys(_BY_VARIABLE[name], value))
        elif name == "keyring-provider" and value in ("auto", "disabled", "subprocess"):
            # Where nobody may be asked, pip's "auto" asks no keyring.
            arguments += ["--keyring-provider", value] if value == "subprocess" else []
        elif name not in _WITHOUT_MEANING:
            raise Unsuitable(f"pip is configured with {name}, of which uv has no equal")
    return UvOptions(tuple(arguments), tuple(resolving), variables)


def _variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variables of uv, but for what pip is configured with."""
    found = {name: value for name, value in environ.items() if not name.startswith("UV_") or _KEPT.fullmatch(name)}
    # It would be installed into, or looked for.
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH"):
        found.pop(name, None)
    # What pip's library for HTTP goes by.
    certificates = environ.get("REQUESTS_CA_BUNDLE") or environ.get("CURL_CA_BUNDLE")
    if certificates:
        found["SSL_CERT_FILE"] = certificates
    # As pip compiles: by the time of the source, which costs imports the least.
    return {**found, "PYC_INVALIDATION_MODE": "TIMESTAMP"}


def _values(name: str, value: str) -> list[str]:
    """Return the values of an option that takes several.

    :raises Unsuitable: if one has credentials, which a command line would show.
    """
    found = [str(Path(each).expanduser()) if each.startswith("~") else each for each in value.split()]
    if any("://" in each and "@" in each for each in found):
        raise Unsuitable(f"pip is configured with credentials in {name}")
    if name == "find-links":
        # pip warns of directories that are not there and goes on.
        return [each for each in found if "://" in each or Path(each).exists()]
    return found


def demand_unhashed(lines: Iterable[str], constraints: Iterable[str | Path]) -> None:
    """Leave hashes to pip: uv takes no notice of those in constraints, nor of those in addresses of this machine.

    :param lines: of a requirements file.
    :raises Unsuitable: if there are any, or may be in what constraints name.
    """
    if any(re.search(r"#\S*=", line) for line in lines):
        raise Unsuitable("a requirement has an address with a hash")
    for path in constraints:
        try:
            text = Path(path).expanduser().read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise Unsuitable(f"constraints cannot be read: {error}") from None
        if "--hash" in text or re.search(r"^\s*-|#\S*=", text, re.MULTILINE):
            raise Unsuitable(f"{path} has hashes or options")


def resolving(
    uv: Uv, python: str, requirements: Path, constraints: Iterable[Path], lock: Path, options: UvOptions
) -> list[str]:
    """Return the command that writes to *lock* (PEP 751) what pip would install.

    :param python: the interpreter that it is for.
    """
    constrained = [part for path in constraints for part in ("--constraint", str(path))]
    return [
        *_begin(uv, "compile"),
        # As pip does: pages of indexes may be kept for minutes, in which another release may come.
        "--refresh",
        *("--python", python, "--format", "pylock.toml", "-o", str(lock)),
        *options.arguments,
        *options.resolving,
        *constrained,
        str(requirements),
    ]


def filling(
    uv: Uv, where: VirtualEnvironment, wanted: Path, options: UvOptions, *, compiles: bool, are_hashed: bool = False
) -> list[str]:
    """Return the command that installs exactly *wanted* into *where*; every archive has its hash verified.

    Only wheels: what has to be built, pip builds.

    :param compiles: whether all modules are compiled, which pays where many builds use them.
    :param wanted: a ``pylock.toml``; if *are_hashed*, a requirements file with hashes.
    """
    # Copies: links would lead into uv's cache, and what is in that is everybody's.
    how = ("--no-deps", "--only-binary", ":all:", "--link-mode", "copy", *(["--compile-bytecode"] if compiles else []))
    hashed = ("--require-hashes",) if are_hashed else ()
    return [*_begin(uv, "install"), "--python", where.python, *how, *hashed, *options.arguments, "-r", str(wanted)]


def _begin(uv: Uv, verb: str) -> list[str]:
    # No configuration of uv's own: pip, in whose place it is, has none.
    return [uv.program, "pip", verb, "--quiet", "--no-config", "--no-progress", "--no-python-downloads"]


def resolved(lock: Path, base: Path) -> tuple[InstalledDistribution, ...]:
    """Return all archives that *lock* allows, each as the distribution that it would be.

    :param base: what paths in it are relative to.
    :raises Unsuitable: if something in it is not a wheel, or it is not as expected.
    """
    try:
        packages = tomllib.loads(lock.read_text(encoding="utf-8")).get("packages", [])
        return tuple(one for package in packages for one in _archives(package, base))
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise Unsuitable(f"what uv resolved cannot be read: {error!r:.200}") from None


def _archives(package: Mapping[str, Any], base: Path) -> list[InstalledDistribution]:
    is_direct = "archive" in package
    found = []
    for one in [package["archive"]] if is_direct else package.get("wheels", []):
        url = one.get("url") or Path(os.path.normpath(base / one["path"])).as_uri()
        found.append(InstalledDistribution(package["name"], package["version"], _public(url), one["hashes"], is_direct))
    if not found or not all(urlsplit(one.url).path.endswith(".whl") for one in found):
        raise Unsuitable(f"{package['name']} is not there as a wheel")
    return found


def _public(url: str) -> str:
    """Return *url* without credentials: it is written into records."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment=""))


def installed(where: VirtualEnvironment, archives: Sequence[InstalledDistribution]) -> list[InstalledDistribution]:
    """Return what is installed in *where*, and from which of *archives*.

    :raises Unsuitable: if that is not known.
    """
    found = []
    for info in where.real.glob("lib/*/site-packages/*.dist-info"):
        name, version = _fields(info / "METADATA", "Name"), _fields(info / "METADATA", "Version")
        tags = frozenset(_fields(info / "WHEEL", "Tag"))
        named = [one for one in archives if name and fold(one.name) == fold(name[0])]
        fitting = named if len(named) == 1 else [one for one in named if _tags(one.url) == tags]
        if len(fitting) != 1 or len(version) != 1:
            raise Unsuitable(f"uv does not say which file {info.name} came from")
        _demand_python(where, info)
        # Spelled as in its metadata, as pip reports it.
        found.append(replace(fitting[0], name=name[0], version=version[0]))
    if {fold(one.name) for one in found} != {fold(one.name) for one in archives}:
        raise Unsuitable("uv did not install what it had resolved")
    return sorted(found, key=lambda one: one.name.lower())


def _demand_python(where: VirtualEnvironment, info: Path) -> None:
    """Refuse what is for other versions of Python: uv takes no notice of upper bounds, and pip passes such files over.

    :raises Unsuitable: if it is.
    """
    text = (where.real / "pyvenv.cfg").read_text("utf-8", "replace")
    found = re.search(r"^version *= *(\d+\.\d+\.\d+)", text, re.MULTILINE)
    for wanted in _fields(info / "METADATA", "Requires-Python"):
        try:
            is_for_it = found is not None and SpecifierSet(wanted).contains(found[1], prereleases=True)
        except InvalidSpecifier:  # to pip, it is "any", too
            continue
        if not is_for_it:
            raise Unsuitable(f"uv chose {info.name[: -len('.dist-info')]}, which is for Python {wanted}")


def _fields(path: Path, field: str) -> list[str]:
    """Return the values of a field of a file of headers; none if there is no such file."""
    if not path.is_file():
        return []
    head = path.read_text(encoding="utf-8", errors="replace").partition("\n\n")[0]
    return [line.partition(":")[2].strip() for line in head.splitlines() if line.startswith(f"{field}:")]


def _tags(url: str) -> frozenset[str]:
    try:
        return frozenset(map(str, parse_wheel_filename(unquote(urlsplit(url).path.rpartition("/")[2]))[3]))
    except (InvalidWheelFilename, InvalidVersion):
        return frozenset()
