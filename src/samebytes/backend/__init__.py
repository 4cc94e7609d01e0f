"""The PEP 517 and PEP 660 hooks: ``build-backend = "samebytes.backend"``.

A front end imports this module in a process of its own. ``build_wheel`` and ``build_sdist`` are always here; the
optional hooks exist exactly when the inner backend has them, which one child process is asked (see ``inner``).
Nothing is imported before a hook is called.
"""

from __future__ import annotations

TYPE_CHECKING = False  # importing typing would cost a build 10 ms
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Union

    ConfigSettings = Union[Mapping[str, Any], None]

__all__ = ["UnsupportedOperation", "build_sdist", "build_wheel"]

OPTIONAL = (
    "get_requires_for_build_wheel",
    "get_requires_for_build_sdist",
    "get_requires_for_build_editable",
    "prepare_metadata_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "build_editable",
)


class UnsupportedOperation(Exception):
    """The inner backend cannot make an sdist of this tree (PEP 517, ``build_sdist``)."""


def build_wheel(
    wheel_directory: str, config_settings: ConfigSettings = None, metadata_directory: str | None = None
) -> str:
    """Build a wheel through the inner backend, rewrite it canonically, and return its file name (PEP 517)."""
    return str(_run("build_wheel", wheel_directory, config_settings, metadata_directory))


def build_sdist(sdist_directory: str, config_settings: ConfigSettings = None) -> str:
    """Build an sdist through the inner backend, rewrite it canonically, and return its file name (PEP 517).

    :raises UnsupportedOperation: if the inner backend does.
    """
    return str(_run("build_sdist", sdist_directory, config_settings))


def __getattr__(name: str) -> Callable[..., Any]:
    if name not in OPTIONAL or not _inner_has(name):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def hook(*args: Any, **kwargs: Any) -> Any:
        return _run(name, *args, **kwargs)

    hook.__name__ = hook.__qualname__ = name
    hook.__doc__ = f"The inner backend's ``{name}``, in the pinned environment (PEP 517, PEP 660)."
    return hook


def _inner_has(name: str) -> bool:
    """Return whether the inner backend has the hook *name*; a broken one "has" it, so that the call reports why."""
    from ..errors import SamebytesError
    from . import hooks

    try:
        return name in hooks.available()
    except SamebytesError:
        return True


def _run(name: str, *args: Any, **kwargs: Any) -> Any:
    """Call the hook; an error becomes two lines and an exit status, for a traceback of ours would help nobody."""
    import pyproject_hooks

    from ..errors import SamebytesError
    from . import hooks

    try:
        return hooks.call(name, *args, **kwargs)
    except pyproject_hooks.UnsupportedOperation as error:
        raise UnsupportedOperation(str(error)) from None
    except SamebytesError as error:
        import sys

        sys.stdout.flush()  # the error is to stand below what led to it
        sys.stderr.write(f"samebytes: error: {error.message}\n")
        if error.remedy:
            sys.stderr.write(f"  hint: {error.remedy}\n")
        raise SystemExit(error.exit_status) from None
