"""A package of an upstream."""


def main() -> None:
    print("hello from upstream")
