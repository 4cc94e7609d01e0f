"""Python's own clock, moved or stopped, where libfaketime is not to be had: every Python of a build imports this.

Python imports this when it starts (site), for its directory is first on PYTHONPATH; but not with -I, -E or -S. It
imports only the standard library. SAMEBYTES_CLOCK has how many nanoseconds the clock is ahead after a plus, or the
moment at which it stands still, in nanoseconds since 1970, after an equals sign.
"""

from __future__ import annotations

import gc
import os
import sys
import time

TYPE_CHECKING = False  # importing typing would cost each process of a build 5 ms
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

VARIABLE = "SAMEBYTES_CLOCK"


class Replaced:
    """A function in the place of one that is built in.

    It is no method where a class has it as an attribute (logging.Formatter.converter), and is pickled by its name.
    """

    def __init__(self, original: Callable[..., Any], function: Callable[..., Any]) -> None:
        self._function = function
        self.__name__, self.__doc__, self.__module__ = original.__name__, original.__doc__, original.__module__

    def __call__(self, *arguments: Any) -> Any:
        return self._function(*arguments)

    def __reduce__(self) -> str:
        return self.__name__


def nanoseconds(clock: str) -> Callable[[], int]:
    """Return what reads the clock that the variable describes."""
    given, real = int(clock[1:]), time.time_ns
    return (lambda: real() + given) if clock.startswith("+") else (lambda: given)


def replace_functions(now: Callable[[], int]) -> None:
    """Let the functions of the module time go by *now*, unless they are given a moment."""
    real = dict(vars(time))

    def at_the_moment(name: str) -> Callable[..., Any]:
        return lambda moment=None: real[name](now() / 1e9 if moment is None else moment)

    def in_fields(name: str, count: int) -> Callable[..., Any]:
        return lambda *given: real[name](*given, *([real["localtime"](now() / 1e9)] if len(given) == count else []))

    functions: dict[str, Callable[..., Any]] = {
        "time": lambda: now() / 1e9,
        "time_ns": now,
        **{name: at_the_moment(name) for name in ("localtime", "gmtime", "ctime")},
        "asctime": in_fields("asctime", 0),
        "strftime": in_fields("strftime", 1),
        # Not on Windows. Every other clock of it goes on as it does: timeouts are measured by these.
        "clock_gettime": lambda clock: now() / 1e9 if clock == real["CLOCK_REALTIME"] else real["clock_gettime"](clock),
        "clock_gettime_ns": lambda clock: now() if clock == real["CLOCK_REALTIME"] else real["clock_gettime_ns"](clock),
    }
    for name, function in functions.items():
        if name in real:
            setattr(time, name, Replaced(real[name], function))


def replace_methods(now: Callable[[], int]) -> None:
    """Let the methods of datetime go by *now* that do not go by ``time.time``, as ``today`` does, and all of PyPy's."""
    try:
        datetime: Any = __import__("_datetime")
    except ImportError:
        return
    utc = datetime.timezone.utc
    methods: dict[str, Callable[..., Any]] = {
        "now": lambda cls, tz=None: cls.fromtimestamp(now() / 1e9, tz),
        "utcnow": lambda cls: cls.fromtimestamp(now() / 1e9, utc).replace(tzinfo=None),
    }
    # In place, as subclasses and C code are of this very class: its mapping proxy refers to the dictionary.
    (attributes,) = (each for each in gc.get_referents(datetime.datetime.__dict__) if isinstance(each, dict))
    attributes.update({name: classmethod(method) for name, method in methods.items()})


def import_next() -> None:
    """Import the sitecustomize that would have been imported without this one, which leaves the search path."""
    own = sys.modules.pop(__name__)
    here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100 (pathlib would cost too much)
    sys.path[:] = [place for place in sys.path if os.path.abspath(place) != here]  # noqa: PTH100
    try:
        __import__(__name__)
    except ImportError as error:
        if error.name != __name__:
            raise
    finally:
        sys.modules.setdefault(__name__, own)  # the import that runs this looks for it


if os.environ.get(VARIABLE):
    moment = nanoseconds(os.environ[VARIABLE])
    replace_functions(moment)
    replace_methods(moment)
if __name__ == "sitecustomize":
    import_next()
