"""What the target's interpreter runs: it compiles the sources that it is asked for, until its standard input ends.

It is run as a plain file, with the directory of the rule (``marshal_writer.py`` and what that imports) as its argument,
and imports nothing else of samebytes. Every text has its length before it, in four bytes, little-endian.

It writes ``H`` and the tag of its compiled modules' names, with all else that its code depends on in further lines.
Then it answers each request (level of optimization, one byte; flags of PEP 552, one byte; path; file name to be
compiled in) with ``P``, the SHA-256 of the source and the whole ``.pyc``, or with ``E`` and, in one line, why there is
none.
"""

from __future__ import annotations

import os
import sys

if __name__ == "__main__":
    # Nothing is to be imported from here. With -P, -I or a ._pth file, the first place is another: the library's.
    _OWN = os.path.realpath(os.path.dirname(__file__))
    sys.path[:] = [place for place in sys.path if os.path.realpath(place) != _OWN]

# Below the lines above: a module beside this file must not be found in the library's place.
import _imp
import gc
from importlib._bootstrap_external import MAGIC_NUMBER
from marshal import dumps

try:  # hashlib would load OpenSSL
    from _sha2 import sha256  # type: ignore[import-not-found]
except ImportError:  # before Python 3.12
    try:
        from _sha256 import sha256  # type: ignore[import-not-found]
    except ImportError:  # a Python that was built without its own
        from hashlib import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO, Callable

    Rule = Callable[[bytes, int], bytes]


def main(directory: str, requests: BinaryIO, answers: BinaryIO) -> None:
    # The other two bytes are "\r\n", to detect files that were copied as text.
    magic = int.from_bytes(MAGIC_NUMBER[:2], "little")
    normalized = _rule(directory, magic)
    # The version has the day of the build: another build of one release may make other code.
    greeting = f"{sys.implementation.cache_tag}\n{magic}\n{sys.version}\n{os.path.realpath(sys.executable)}"
    _write(answers, b"H", greeting.encode("utf-8", "backslashreplace"))
    gc.disable()  # Nothing here makes cycles.
    while True:
        head = requests.read(2)
        if len(head) < 2:
            return
        path, filename = _text(requests), _text(requests)
        try:
            answer = b"P", _compiled(path, filename, head, normalized)
        # A source can make the compiler raise anything: SyntaxError, RecursionError, MemoryError, ValueError.
        except Exception as error:
            answer = b"E", _in_a_line(error).encode("utf-8", "backslashreplace")
        _write(answers, *answer)


def _rule(directory: str, magic: int) -> Rule:
    """Return the function that writes code, out of *directory*; end the process if it does not know our code."""
    # A package of another name, so that nothing of samebytes is imported on the way: it may not run in this Python.
    package = type(sys)("rule")
    package.__path__ = [directory]
    sys.modules["rule"] = package
    from rule.magic_numbers import is_known  # type: ignore[import-not-found]
    from rule.marshal_writer import normalized  # type: ignore[import-not-found]

    if not is_known(magic):
        sys.exit(f"its code, of magic number {magic}, is not known here")
    return normalized  # type: ignore[no-any-return]


def _text(stream: BinaryIO) -> str:
    # surrogatepass: file names that are not UTF-8 come with lone surrogates (PEP 383).
    return stream.read(int.from_bytes(stream.read(4), "little")).decode("utf-8", "surrogatepass")


def _write(stream: BinaryIO, kind: bytes, content: bytes) -> None:
    stream.write(kind + len(content).to_bytes(4, "little") + content)
    stream.flush()


def _compiled(path: str, filename: str, head: bytes, normalized: Rule) -> bytes:
    with open(path, "rb") as stream:  # noqa: PTH123
        source = stream.read()
    # dont_inherit: this file's own `from __future__` would hold for what it compiles.
    code = compile(source, filename, "exec", dont_inherit=True, optimize=head[0])
    # What importlib.util.source_hash does, without the import of that.
    digest = _imp.source_hash(int.from_bytes(MAGIC_NUMBER, "little"), source)
    form = normalized(dumps(code), int.from_bytes(MAGIC_NUMBER[:2], "little"))
    # Flags in four bytes, then the hash of the source (PEP 552).
    return bytes(sha256(source).digest() + MAGIC_NUMBER + head[1:] + b"\0\0\0" + digest + form)


def _in_a_line(error: Exception) -> str:
    if isinstance(error, SyntaxError):
        where = f", line {error.lineno}" if error.lineno else ""
        return f"{type(error).__name__}: {error.msg}{where}"
    return " ".join(f"{type(error).__name__}: {error}".split())


if __name__ == "__main__":
    main(sys.argv[1], sys.stdin.buffer, sys.stdout.buffer)
