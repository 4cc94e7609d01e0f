"""A pure package."""


def main() -> None:
    print("hello from setuptools")
