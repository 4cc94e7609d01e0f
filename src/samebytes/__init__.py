"""Python packages whose bytes anyone can reproduce.

``normalize``, ``compare`` and ``check`` do what the commands of these names do; see docs/reference/python-api.md.
They are loaded when they are first asked for: importing this package costs nothing, and it is imported in every build.
"""

from __future__ import annotations

__all__ = [
    "Change",
    "Checked",
    "Comparison",
    "Difference",
    "FileDigest",
    "Normalized",
    "Outcome",
    "SamebytesError",
    "Verdict",
    "__version__",
    "check",
    "compare",
    "normalize",
]

__version__ = "0.1.0"

TYPE_CHECKING = False  # typing's own would have to be imported; type checkers know the name
if TYPE_CHECKING:
    from .api import (
        Change,
        Checked,
        Comparison,
        Difference,
        FileDigest,
        Normalized,
        Outcome,
        SamebytesError,
        Verdict,
        check,
        compare,
        normalize,
    )


def __getattr__(name: str) -> object:
    """Load the public names, all at once, when the first of them is asked for (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import api

    globals().update((public, getattr(api, public)) for public in __all__ if public != "__version__")
    found: object = globals()[name]
    return found


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted({*globals(), *__all__})
