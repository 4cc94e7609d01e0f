"""The workshop around samebytes: builds, checks, comparisons, verification, installs, surveys.

Nothing here is needed to build a package that uses samebytes as its backend.
"""

from __future__ import annotations

__all__ = ["__version__"]

__version__ = "0.1.0"
