"""The error classes of samebytes, as the module that defines them has them."""

from __future__ import annotations

from samebytes import errors

CLASSES = {
    name: value
    for name, value in vars(errors).items()
    if isinstance(value, type) and value.__module__ == errors.__name__ and not name.startswith("_")
}
