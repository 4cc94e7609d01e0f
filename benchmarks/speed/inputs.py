"""What is measured: published wheels and sdists, fetched by pip and held against their digests."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

_TAGS = ("--python-version", "3.11", "--implementation", "cp", "--abi", "cp311", "--abi", "none")
_PLATFORMS = ("--platform", "manylinux_2_28_x86_64", "--platform", "manylinux_2_27_x86_64", "--platform", "any")


class Input(NamedTuple):
    """An archive to rewrite."""

    name: str
    """How tables and charts call it."""
    path: Path
    sha256: str

    @property
    def kind(self) -> str:
        """``wheel`` or ``sdist``."""
        return "wheel" if self.path.suffix == ".whl" else "sdist"

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self.path.stat().st_size


class Published(NamedTuple):
    """A file of the package index: the same one for every machine that measures."""

    name: str
    requirement: str
    file: str
    sha256: str


PUBLISHED = (
    Published(
        "click",
        "click==8.5.1",
        "click-8.5.1-py3-none-any.whl",
        "8bb5376d2006950386f8c6427613334a2acadc5f559cb80e638d00b4df957e37",
    ),
    Published(
        "rich",
        "rich==15.0.0",
        "rich-15.0.0-py3-none-any.whl",
        "33bd4ef74232fb73fe9279a257718407f169c09b78a87ad3d296f548e27de0bb",
    ),
    Published(
        "botocore",
        "botocore==1.44.5",
        "botocore-1.44.5-py3-none-any.whl",
        "8f16a56d1dff125dd65322ae021efa7ba5195a6db5102b96862566055b748921",
    ),
    Published(
        "numpy",
        "numpy==2.4.6",
        "numpy-2.4.6-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl",
        "89cd468399cfd2504718f0ba50e410dca55a170b61a02ad92bb18c8a65186e93",
    ),
    Published(
        "pyarrow",
        "pyarrow==26.0.1",
        "pyarrow-26.0.1-cp311-cp311-manylinux_2_28_x86_64.whl",
        "39cb0f2418282c24bea6ceda77b03e5a8f0a5766b63a8bf194d4e2a2c423548c",
    ),
    Published(
        "requests sdist",
        "requests==2.34.2",
        "requests-2.34.2.tar.gz",
        "f288924cae4e29463698d6d60bc6a4da69c89185ad1e0bcc4104f584e960b9ed",
    ),
    Published(
        "lxml sdist",
        "lxml==6.1.3",
        "lxml-6.1.3.tar.gz",
        "45222d94ddd511536f3b2f7d9deae3b2339b4ce0f075f1ca25703b07cad9dd21",
    ),
)


def fetch(published: Published, directory: Path) -> Input:
    """Return *published* from *directory*; pip downloads it first if it is not there.

    :raises ValueError: if it is not the file that was measured before.
    """
    path = directory / published.file
    if not path.exists():
        _download(published, directory)
    found = sha256_of(path)
    if found != published.sha256:
        raise ValueError(f"{path}: its SHA-256 is {found} and should be {published.sha256}")
    return Input(published.name, path, found)


def _download(published: Published, directory: Path) -> None:
    name = published.requirement.partition("==")[0]
    wheel = ("--only-binary", ":all:", *_TAGS, *_PLATFORMS)
    form = wheel if published.file.endswith(".whl") else ("--no-binary", name)
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", *form, "-d", str(directory)]
    subprocess.run([*command, published.requirement], check=True)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    state = hashlib.sha256()
    with path.open("rb") as file:
        for chunk in iter(lambda: file.read(1 << 20), b""):
            state.update(chunk)
    return state.hexdigest()
