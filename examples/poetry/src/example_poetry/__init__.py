"""A package that poetry-core builds."""


def main() -> None:
    print("hello from poetry-core")
