"""Numbers, halved in C."""

from ._native import half, where

__all__ = ["half", "where"]
