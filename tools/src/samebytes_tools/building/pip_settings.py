"""What pip is configured to do, by its variables and configuration files: for another installer that is to do it."""

from __future__ import annotations

import configparser
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

_SECTIONS = ("global", "install")


def read(environ: Mapping[str, str], platform: str = sys.platform) -> dict[str, str]:
    """Return what ``pip install`` is configured with: option, without dashes in front -> value, as it is written.

    The files of an interpreter's own (``sys.prefix``) are not read: new virtual environments have none.

    :raises ValueError: if a file is not one of pip's configuration, or cannot be read.
    """
    found: dict[str, dict[str, str]] = {section: {} for section in _SECTIONS}
    for path in _files(environ, platform):
        parser = configparser.RawConfigParser()
        try:
            with path.open(encoding="utf-8") as file:
                parser.read_file(file)
        except (OSError, configparser.Error) as error:
            raise ValueError(f"pip's configuration {path} cannot be read") from error
        for section in filter(parser.has_section, _SECTIONS):
            found[section].update((_option(name), value) for name, value in parser.items(section))
    variables = {_option(name[4:]): value for name, value in environ.items() if name.startswith("PIP_")}
    # A section goes before another, whatever their files; what is empty counts for nothing.
    layers = (*found.values(), variables)
    merged = {name: value for layer in layers for name, value in layer.items() if value}
    merged.pop("config-file", None)
    return merged


def _option(name: str) -> str:
    return name.lower().replace("_", "-").lstrip("-")


def _files(environ: Mapping[str, str], platform: str) -> Iterator[Path]:
    """Yield the files that there are, the last with the highest precedence (pip's documentation, "Configuration")."""
    named = environ.get("PIP_CONFIG_FILE", "")
    if named == os.devnull:
        return
    home = Path(environ.get("HOME") or Path.home())
    support = "Library/Application Support/pip"
    if platform == "darwin":
        system = [Path("/", support)]
        user = home / support if (home / support).is_dir() else home / ".config/pip"
    else:
        shared = (environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(os.pathsep)
        system = [*(Path(each, "pip") for each in shared if each), Path("/etc")]
        user = Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "pip"
    places = [*system, home / ".pip", user]
    yield from filter(Path.is_file, [*(place / "pip.conf" for place in places), *([Path(named)] if named else [])])
