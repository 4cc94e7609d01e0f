"""ZIP files: the strict reader and the canonical writer."""

from __future__ import annotations

from .zip_reader import open_zip
from .zip_writer import write_zip

__all__ = ["open_zip", "write_zip"]
