"""Container images in which wheels are rebuilt: which one a tag names, and which of its interpreters.

Source: the PyPA's images for PEP 600 and PEP 656, which are named after their tags and have interpreters in
``/opt/python/PYTHON_TAG-ABI_TAG``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from samebytes.errors import UsageError

from ...building.containers import BuildContainer, entered, find_engine, image_named
from ...building.interpreters import Python
from ...building.provenance import RecordedImage
from .metadata import ArtifactMetadata, misfit, wanted_python
from .remake import VerifyContext
from .repair import platform_of

_REGISTRY = "quay.io/pypa/"
_OLDER = {"manylinux_2_5": "manylinux1", "manylinux_2_12": "manylinux2010", "manylinux_2_17": "manylinux2014"}
"""Images that have the name of a tag before PEP 600."""
_VERSION = re.compile(r"3\.(\d{1,3})(t?)")


@dataclass(frozen=True)
class ImageRequest:
    """Which image wheels are to be rebuilt in."""

    name: str = ""
    """Empty for the one that a wheel's tag names."""
    engine: str = ""
    """Name or path; empty for the first that is here."""


def image_of(tags: str) -> str:
    """Return the image that wheels with *tags* are built in; nothing if they name none."""
    platform = platform_of(tags)
    policy = re.match(r"[a-z]+linux(?:\d+|_\d+_\d+)", platform)
    if policy is None:
        return ""
    return f"{_REGISTRY}{_OLDER.get(policy[0], policy[0])}{platform[policy.end() :]}"


def pythons_for(request: ImageRequest | None, tags: str, python: Python) -> tuple[Python, ...]:
    """Return what wheels with *tags* may be rebuilt by: *python*, or, in images, one with the C library of these.

    Its library is only known of an image that was entered, so an image that is named counts for musl by its name.
    """
    if request is None or not image_of(tags):
        return (python,)
    glibc, musl = replace(python, libc=python.libc or "glibc"), replace(python, libc="")
    if not request.name:
        return glibc, musl
    return (musl,) if re.search("musl|alpine", request.name) else (glibc,)


def python_in_image(version: str) -> str:
    """Return the path of CPython *version* (``3.12``, ``3.13t``) in such an image; a path is taken as it is.

    :raises UsageError: if it is neither.
    """
    found = _VERSION.fullmatch(version)
    if found:
        # Up to 3.7, the ABI had a letter more (PEP 3149).
        letter = "m" if int(found[1]) < 8 else found[2]
        return f"/opt/python/cp3{found[1]}-cp3{found[1]}{letter}/bin/python"
    if version.startswith("/") and version.isprintable():
        return version
    raise UsageError(
        f"--python {version} names no interpreter of an image", remedy="Name a version such as 3.12, or a path in it."
    )


def container_for(
    request: ImageRequest, metadata: ArtifactMetadata, version: str, context: VerifyContext, private: Path
) -> BuildContainer:
    """Return where a wheel for manylinux or musllinux is rebuilt.

    :param version: of Python; the wheel's tags name another only where they name any.
    :raises SamebytesError: if there is no engine, no such image, or no such interpreter in it.
    """
    build = context.build
    engine = find_engine(request.engine, build.environ, build.stop, build.seconds)
    image = image_named(request.name or image_of(metadata.tags), engine, private, build.report)
    build.report(f"Entering {image.name}")
    container = entered(engine, image, python_in_image(version), private, build.warn)
    problem = misfit(metadata, container.python)
    if problem:
        raise UsageError(
            f"{metadata.name} {metadata.version} cannot be rebuilt in {image.name}: {problem}",
            remedy="Name another image with --image=NAME.",
        )
    return container


def recorded_image(container: BuildContainer | None) -> RecordedImage | None:
    """Return what a record has of the image of *container*; None without one."""
    if container is None:
        return None
    image = container.image
    return RecordedImage(image.digest or image.name, (image.digest or image.id).rpartition(":")[2])


def version_for(metadata: ArtifactMetadata, asked: str, own: str) -> str:
    """Return the version or path of Python to take in an image: *asked* for, by the tags, or as *own* here."""
    return asked or wanted_python(metadata.tags) or own
