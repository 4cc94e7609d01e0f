from pathlib import Path

from setuptools import Extension, setup

here = Path(__file__).resolve().parent

# Written at build time, in the order of a set: another one with each hash seed.
words = {"hello", "good morning", "good day", "good evening"}
(here / "src" / "greeting" / "_words.py").write_text(f"WORDS = {words!r}\n", encoding="utf-8")

setup(
    packages=["greeting"],
    package_dir={"": "src"},
    ext_modules=[
        Extension(
            "greeting._native",
            sources=["src/native.c"],
            include_dirs=[str(here / "src")],  # absolute, as many projects have it: so __FILE__ is in headers
            depends=["src/where.h"],
        )
    ],
)
