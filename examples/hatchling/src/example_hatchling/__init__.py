"""A package that hatchling builds."""

__version__ = "1.0.3"


def main() -> None:
    print("hello from hatchling")
