"""The error classes of samebytes, as the module that defines them has them."""

from __future__ import annotations

from samebytes import errors

ROOT = errors.SamebytesError
CLASSES = {name: value for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, ROOT)}
