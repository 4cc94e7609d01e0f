from pathlib import Path

from setuptools import Extension, setup

here = Path(__file__).resolve().parent

setup(
    packages=["halve"],
    # An absolute path, as many projects have it: so the compiler gets the place of this file.
    ext_modules=[Extension("halve._halve", ["halve.c"], include_dirs=[str(here / "include")])],
)
