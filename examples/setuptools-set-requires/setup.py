from setuptools import setup

base = {"attrs", "click", "idna", "packaging", "requests", "urllib3"}
extra = {"colorama", "pygments", "rich", "tomlkit"}

setup(
    name="example-setuptools-set-requires",
    version="3.1",
    description="Requirements in sets: their order is the hash seed's",
    py_modules=["set_requires"],
    install_requires=list(base),
    extras_require={"pretty": list(extra)},
    keywords=list({"sets", "order", "hash", "seed", "requirements"}),
)
