"""The words."""

import os


def first():
    with open(os.path.join(os.path.dirname(__file__), "words.txt")) as words:
        return words.readline().strip()
