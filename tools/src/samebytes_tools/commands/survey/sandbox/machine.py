"""What of a machine may matter to what is built on it, and may be published: no names of hosts or users."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sysconfig
from collections.abc import Mapping
from pathlib import Path


def described(environ: Mapping[str, str]) -> dict[str, str]:
    """Return ``python``, ``platform``, ``system``, ``processor``, ``libc``, ``compiler``: those that are known."""
    found = {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "platform": sysconfig.get_platform(),
        "system": _system(),
        "processor": _processor() or platform.processor(),
        "libc": " ".join(platform.libc_ver()).strip(),
        "compiler": _compiler(environ),
    }
    return {name: value for name, value in found.items() if value}


def _system() -> str:
    """Return the name of the distribution (os-release), or of the system."""
    try:
        lines = Path("/etc/os-release").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return f"{platform.system()} {platform.release()}"
    # Values may be quoted as for a shell (os-release(5)).
    names = [line.partition("=")[2].strip("\"'") for line in lines if line.startswith("PRETTY_NAME=")]
    return names[0] if names else platform.system()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def _compiler(environ: Mapping[str, str]) -> str:
    """Return the first line of the C compiler's version."""
    program = shutil.which(environ.get("CC") or "cc", path=environ.get("PATH"))
    if program is None:
        return ""
    done = subprocess.run([program, "--version"], capture_output=True, text=True, errors="replace", check=False)
    return done.stdout.partition("\n")[0].strip()


def cache_directory(environ: Mapping[str, str]) -> Path:
    """Return where samebytes keeps what it downloaded for later (XDG Base Directory Specification)."""
    home = environ.get("XDG_CACHE_HOME") or str(Path(environ.get("HOME") or Path.home()) / ".cache")
    return Path(home) / "samebytes"
