import os

from setuptools import setup

import legacy_greeting  # works under __legacy__ only: it puts the source directory on sys.path

here = os.path.dirname(os.path.abspath(__file__))

with open(os.path.join(here, "README.txt")) as readme:
    long_description = readme.read()

setup(
    name="example-setuptools-legacy",
    version=legacy_greeting.__version__,
    description="A project from before pyproject.toml",
    long_description=long_description,
    author="The samebytes developers",
    py_modules=["legacy_greeting"],
    packages=["legacy_words"],
    package_data={"legacy_words": ["*.txt"]},
    scripts=["bin/legacy-greet"],
)
