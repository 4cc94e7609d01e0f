"""What runs in the inner backend's own process, before the backend does.

This file is run by its path, imports nothing of samebytes and only the standard library, so that it works in an
interpreter that has no samebytes (the isolated environment of ``samebytes build``) and when samebytes itself is run
from plain files. It takes the numbers of two pipe ends, answers ``probe`` requests with the hooks that the backend
has, and on ``call`` becomes the process that pyproject-hooks wanted to start. So a front end's hook costs one extra
interpreter and one import of the backend, not two.
"""

from __future__ import annotations

import json
import os
import sys
import traceback

TYPE_CHECKING = False  # importing typing would cost a build 5 ms
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import IO, Any


def pin_tempfile_names() -> None:
    """Make the directories that backends build in the same in every run, for their names end up in what is built.

    The names are counted, not random. They are still made with O_EXCL, and one that is taken is passed over.
    """
    import itertools
    import tempfile

    names = map("{:08d}".format, itertools.count(1))
    vars(tempfile)["_get_candidate_names"] = lambda: names


class Entries:
    """What ``os.scandir`` returns, in the order of the names' bytes."""

    def __init__(self, entries: Any) -> None:
        with entries:
            self._left = iter(sorted(entries, key=lambda entry: os.fsencode(entry.name)))

    def __iter__(self) -> Entries:
        return self

    def __next__(self) -> Any:
        return next(self._left)

    def close(self) -> None:
        """End the iteration; nothing is open."""
        self._left = iter(())

    def __enter__(self) -> Entries:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class ListingByName:
    """A function whose result comes in another form; where it is an attribute of a class, it is no method of that.

    pathlib and glob have ``os.listdir`` and ``os.scandir`` there, by the release of Python.
    """

    def __init__(self, function: Callable[..., Any], form: Callable[[Any], Any]) -> None:
        self.function, self._form = function, form
        self.__name__, self.__doc__ = function.__name__, function.__doc__

    def __call__(self, path: Any = None) -> Any:
        return self._form(self.function(path))


def pin_directory_order() -> None:
    """List directories in the order of the names' bytes, which file systems do not promise.

    What was imported at startup may hold the functions already, under their names.
    """
    # os.name is the module of imports, which need no order. object: no module is to load because it is looked at.
    holders: list[Any] = [module for name, module in tuple(sys.modules.items()) if name != os.name]
    holders += [getattr(sys.modules.get("pathlib"), "_NormalAccessor", None)]  # before Python 3.11
    holders += [getattr(sys.modules.get("glob"), "_StringGlobber", None)]  # since Python 3.13
    by_name: dict[Any, Any] = {os.listdir: lambda names: sorted(names, key=os.fsencode), os.scandir: Entries}
    for ordered in [ListingByName(function, form) for function, form in by_name.items()]:
        if ordered.function in os.supports_fd:  # else shutil.rmtree would do without descriptors
            os.supports_fd.add(ordered)
        for holder in filter(None, holders):
            held = object.__getattribute__(holder, "__dict__").get(ordered.__name__)
            if (held.__func__ if isinstance(held, staticmethod) else held) is ordered.function:
                setattr(holder, ordered.__name__, ordered)


def import_backend(name: str, path: list[str]) -> Any:
    """Import the backend ``module[:object]`` as PEP 517 says, and check that an in-tree one comes from *path*."""
    from importlib import import_module

    sys.path[:0] = path  # in front (PEP 517, "In-tree build backends")
    module_name, _, attributes = name.partition(":")
    module = import_module(module_name)
    file = getattr(module, "__file__", None) or ""  # a namespace package has none
    places = [os.path.join(os.path.realpath(directory), "") for directory in path]
    if path and not os.path.realpath(file).startswith(tuple(places)):
        raise ImportError(f"{module_name} was imported from {file or 'several places'}, not from backend-path {path}")
    backend = module
    for attribute in attributes.split(".") if attributes else ():
        backend = getattr(backend, attribute)
    return backend


def probe(name: str, path: list[str], hooks: list[str]) -> dict[str, Any]:
    """Return which of *hooks* the backend has, or why it could not be imported."""
    try:
        backend = import_backend(name, path)
    except Exception:
        return {"error": traceback.format_exc()}
    return {"hooks": [hook for hook in hooks if hasattr(backend, hook)]}


def open_end(number: int, mode: str) -> IO[str]:
    """Open an inherited pipe end; on Windows its number is a handle."""
    if sys.platform == "win32":
        import msvcrt

        number = msvcrt.open_osfhandle(number, os.O_RDONLY if "r" in mode else 0)
    os.set_inheritable(number, False)
    return os.fdopen(number, mode, encoding="utf-8")


def become(script: str) -> None:
    """Run *script* as an interpreter would that was started with it; ``runpy`` does no more, and takes longer."""
    with open(script, "rb") as file:  # noqa: PTH123 (pathlib is not imported here)
        code = compile(file.read(), script, "exec")
    exec(code, {"__name__": "__main__", "__file__": script, "__builtins__": __builtins__})


def main() -> None:
    """Serve requests until a call is made or the other end is closed."""
    requests, replies = open_end(int(sys.argv[1]), "r"), open_end(int(sys.argv[2]), "w")
    options = json.loads(sys.argv[3])
    # No backend may import from here. With -P, -I or a ._pth file, the first place is another, such as the library's.
    own = os.path.realpath(os.path.dirname(__file__))
    sys.path[:] = [place for place in sys.path if os.path.realpath(place) != own]
    if "tempfile" not in options["inherit"]:
        pin_tempfile_names()
    if "directory-order" not in options["inherit"]:
        pin_directory_order()
    for line in requests:
        request = json.loads(line)
        if request["do"] == "probe":
            json.dump(probe(request["name"], request["path"], request["hooks"]), replies)
            replies.write("\n")
            replies.flush()
            continue
        requests.close()
        replies.close()
        os.environ.update(request["environ"])
        sys.argv = request["argv"]
        sys.path.insert(0, os.path.dirname(sys.argv[0]))  # pyproject-hooks removes it again
        become(sys.argv[0])
        return


if __name__ == "__main__":
    main()
