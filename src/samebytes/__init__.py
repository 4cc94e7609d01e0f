"""Python packages whose bytes anyone can reproduce.

``normalize``, ``compare``, ``check``, ``build`` and ``verify`` do what the commands do (docs/reference/python-api.md).
They are loaded when they are first asked for: importing this package costs nothing, and it is imported in every build.
"""

from __future__ import annotations

__version__ = "0.1.0"

_CORE = ("Change", "FileDigest", "Normalized", "SamebytesError", "normalize")
__all__ = ["Built", "CanonicalFile", "Change", "CheckOutcome", "Checked", "Comparison", "Difference", "FileDigest"]
__all__ += ["Normalized", "SamebytesError", "Verdict", "VerifiedFile", "__version__"]
__all__ += ["build", "check", "compare", "normalize", "verify"]
_TOOLS = set(__all__) - {*_CORE, "__version__"}

TYPE_CHECKING = False  # typing's own would have to be imported; type checkers know the name
if TYPE_CHECKING:
    from samebytes_tools.api import (
        Built,
        CanonicalFile,
        Checked,
        CheckOutcome,
        Comparison,
        Difference,
        Verdict,
        VerifiedFile,
        build,
        check,
        compare,
        verify,
    )

    from .api import Change, FileDigest, Normalized, SamebytesError, normalize


def __getattr__(name: str) -> object:
    """Load the public names of one distribution, all at once, when the first of them is asked for (PEP 562).

    :raises MissingExtraError: for a name of samebytes-tools, where it is not installed.
    """
    if name in _CORE:
        from . import api

        globals().update((public, getattr(api, public)) for public in _CORE)
    elif name in _TOOLS:
        from .commands.extensions import tools_api

        api_of_tools = tools_api(name)
        globals().update((public, getattr(api_of_tools, public)) for public in _TOOLS)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = globals()[name]
    return found


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted({*globals(), *__all__})
