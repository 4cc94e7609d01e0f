"""Whether wheels are for the interpreter that they are installed for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from packaging.tags import compatible_tags, cpython_tags, generic_tags, parse_tag

from samebytes.artifact import layout
from samebytes.errors import UsageError

_ANY = ["any"]
"""In place of the platforms: an image may be another machine's."""


def refuse_unfit(wheels: Iterable[Path], implementation: str, version: tuple[int, int], abi: str) -> None:
    """Refuse wheels of another Python, whatever their platforms are.

    Only what CPython and PyPy can use is known here; for others, all wheels are taken.

    :param abi: the interpreter's ABI tag, such as ``cp313t``.
    :raises UsageError: naming the first that does not fit.
    """
    if implementation not in ("cpython", "pypy"):
        return
    usable = set(_usable(implementation, version, abi))
    shown = f"{implementation} {version[0]}.{version[1]} ({abi})"
    for wheel in wheels:
        tags = layout.parse_wheel_name(wheel.name).tags
        if not any((tag.interpreter, tag.abi) in usable for tag in parse_tag(tags)):
            raise UsageError(
                f"{wheel}: is not for {shown}: its tags are {tags}",
                remedy="Fetch the wheel that is, or name the right interpreter with --python.",
            )


def _usable(implementation: str, version: tuple[int, int], abi: str) -> Iterator[tuple[str, str]]:
    """Yield the Python and ABI tags of the wheels that the interpreter can use."""
    abis = [abi, abi.rstrip("d")]  # a debug build loads what is made for the ordinary one, too
    if implementation == "cpython":
        interpreter = f"cp{version[0]}{version[1]}"
        own = cpython_tags(version, abis, _ANY)
    else:
        interpreter = f"pp{version[0]}{version[1]}"
        own = generic_tags(interpreter, abis, _ANY)
    for tag in (*own, *compatible_tags(version, interpreter, _ANY)):
        yield tag.interpreter, tag.abi
