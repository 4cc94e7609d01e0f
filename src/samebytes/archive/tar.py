"""Source distributions: tar archives (PAX) compressed with gzip, read strictly and written canonically."""

from __future__ import annotations

from .tar_reader import open_sdist
from .tar_writer import write_sdist, write_tar

__all__ = ["open_sdist", "write_sdist", "write_tar"]
