"""What is other in each build by itself, and what a build takes from outside that nobody meant to be an input."""

from __future__ import annotations

import re

from ..observations import Nature
from .cause import Cause, by_nature

__all__ = ["BUILD_NUMBER", "ENVIRONMENT_VARIABLES", "RANDOM_VALUE", "TERMINAL", "is_counted"]

_NUMBER = re.compile(rb"\d+")
_MOST_COUNTED = 9
"""By how much a number may grow from build to build."""


def is_counted(left: bytes, right: bytes) -> bool:
    """Return whether texts differ only in numbers that all grew a little from the left one to the right one."""
    one, other = _NUMBER.findall(left), _NUMBER.findall(right)
    if left == right or _NUMBER.sub(b"", left) != _NUMBER.sub(b"", right):
        return False
    # A number of many digits is a date or a digest.
    return all(len(a) < 9 and 0 <= int(b) - int(a) <= _MOST_COUNTED for a, b in zip(one, other))


RANDOM_VALUE = Cause(
    "D030",
    "random-value",
    "Each build writes another value, with nothing varied: a random number, an address, the order of threads.",
    "Take random, secrets, uuid.uuid4(), os.getpid(), id() and the repr() of objects without a name out of what is "
    "written at build time. Where a value is needed, derive it from what does not change:\n\n"
    '    uuid.uuid5(uuid.NAMESPACE_DNS, "example.org")\n'
    "    hashlib.sha256(data).digest()\n"
    "    random.Random(0)\n\n"
    "Results of threads: sorted(results), or executor.map(), which keeps the order of what it is given.\n\n"
    "Where libfaketime is not there, only Python's clock is stopped, and it may be another program's time as well. In "
    "an archive that is not looked into, it may be the times of files that the build wrote.",
    by_nature(Nature.RANDOM),
)

BUILD_NUMBER = Cause(
    "D031",
    "build-number",
    "An earlier build in the same tree changed what this one reads: a build number, a cache, a generated file.",
    "Build from a clean tree (git clean -dfx), write nothing into the tree that a later build reads, and give numbers "
    "from outside:\n\n"
    '    number = os.environ.get("BUILD_NUMBER", "0")',
    by_nature(Nature.COUNTER),
)

ENVIRONMENT_VARIABLES = Cause(
    "D027",
    "environment-variables",
    "Environment variables of the build are written into the result.",
    "Take os.environ out of what is written at build time, or write only those variables by name that decide how the "
    "code works. (They may hold secrets as well.)",
    by_nature(Nature.VARIABLES),
)

TERMINAL = Cause(
    "D029",
    "terminal",
    "Texts are laid out for the terminal in which it was built: its width, or its colours.",
    "Give a width where texts are made at build time, as in textwrap.fill(text, width=80). For argparse, click and "
    "others that ask for it:\n\n"
    "    COLUMNS=80 TERM=dumb NO_COLOR=1 python -m build",
    by_nature(Nature.TERMINAL),
)
