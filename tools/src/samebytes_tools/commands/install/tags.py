"""Whether wheels are for the interpreter that they are installed for."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from packaging.tags import Tag, parse_tag

from samebytes.artifact import layout
from samebytes.errors import UsageError


def refuse_unfit(wheels: Iterable[Path], implementation: str, version: tuple[int, int]) -> None:
    """Refuse wheels of another Python; their platforms do not count, for an image may be another machine's.

    Only CPython's compatibility is known here; for others, all wheels are taken.

    :raises UsageError: naming the first that does not fit.
    """
    if implementation != "cpython":
        return
    shown = ".".join(map(str, version))
    for wheel in wheels:
        tags = layout.parse_wheel_name(wheel.name).tags
        if not any(_fits(tag, version) for tag in parse_tag(tags)):
            raise UsageError(
                f"{wheel}: is not for Python {shown}: its tags are {tags}",
                remedy=f"Fetch the wheel for Python {shown}, or name the right interpreter with --python.",
            )


def _fits(tag: Tag, version: tuple[int, int]) -> bool:
    """Tell whether CPython *version* can use a wheel of *tag* (platform compatibility tags, "Compressed tag sets")."""
    major, minor = version
    interpreter, wanted = tag.interpreter[:2], tag.interpreter[2:]
    if interpreter not in ("cp", "py") or not wanted.isdigit():
        return False
    needed = (int(wanted[0]), int(wanted[1:] or 0))
    if needed[0] != major or needed[1] > minor:
        return False
    if tag.abi == "none":
        return interpreter == "py" or not wanted[1:] or needed[1] == minor
    if tag.abi == "abi3":
        return interpreter == "cp"
    return tag.abi.rstrip("dmtu") == f"cp{major}{minor}"
