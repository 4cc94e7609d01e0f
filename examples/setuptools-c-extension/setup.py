from pathlib import Path

from setuptools import Extension, setup

here = Path(__file__).resolve().parent

setup(
    packages=["example_setuptools_c"],
    package_dir={"": "src"},
    ext_modules=[
        Extension(
            "example_setuptools_c._native",
            sources=["src/native.c", "src/checks.c"],
            include_dirs=[str(here / "include")],  # absolute, as many projects have it: so __FILE__ is in headers
            depends=["include/checks.h"],
        )
    ],
)
