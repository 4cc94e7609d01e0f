"""Half of an even number."""

import sys

from ._halve import half, where

__all__ = ["half", "main", "where"]


def main() -> None:
    """Print half of each argument."""
    for argument in sys.argv[1:]:
        print(half(int(argument)))
