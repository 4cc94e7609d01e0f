"""A package that flit builds."""

__version__ = "0.9"


def main() -> None:
    print("hello from flit")
