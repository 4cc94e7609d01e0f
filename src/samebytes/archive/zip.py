"""ZIP files: the strict reader and the canonical writer."""

from __future__ import annotations

from samebytes.archive.zip_reader import open_zip
from samebytes.archive.zip_writer import write_zip

__all__ = ["open_zip", "write_zip"]
