"""Greets, and says from which header it was compiled."""

from greeting._native import where
from greeting._words import WORDS


def main() -> None:
    print(f"{min(WORDS)} from {where()}")
