"""What the JSON documents of several commands have in common."""

from __future__ import annotations

from typing import Any

from ..errors import SamebytesError


def error_document(error: SamebytesError | None) -> dict[str, Any] | None:
    """Return *error* as ``$defs/error`` of the schemas describes it; None where there is none."""
    if error is None:
        return None
    return {
        "class": type(error).__name__,
        "message": error.message,
        "remedy": error.remedy,
        "exit_status": error.exit_status,
    }
