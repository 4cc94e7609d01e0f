"""Where a document says that its source lay: the absolute paths in its texts, and the same texts without them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import unquote

_PACKAGE = re.compile(r"(?P<open>\(?)path\+file://(?P<path>/[^\s#?\"<>]*)(?P<version>#(?=[0-9]))?")
"""A directory in Cargo's package identifiers; before Cargo 1.77 in parentheses, behind name and version."""

_OTHER = re.compile(
    r"(?<![A-Za-z0-9])(?<!path\+)file(?::|%3[Aa])(?P<slashes>//(?=/)|%2[Ff]%2[Ff](?=%2[Ff]))(?P<path>[^\s#?&\"<>]*)"
)
"""Any other file URL without a host, also percent-encoded as in a package URL's qualifier."""

# Where the Filesystem Hierarchy Standard has the system's own files: at the top, and in /usr and /usr/local.
_SYSTEM = frozenset({"bin", "boot", "dev", "etc", "lib", "lib32", "lib64", "libx32", "proc", "sbin", "sys"})
_SYSTEM_IN_USR = frozenset({"bin", "include", "lib", "lib32", "lib64", "libexec", "libx32", "sbin", "share"})

_DRIVE = re.compile(r"[A-Za-z]:\Z")


class Root(NamedTuple):
    """The directory that a document's source lay in."""

    parts: tuple[str, ...]
    """The path's components as URLs spell them; none for the file system's own root."""

    def __str__(self) -> str:
        return "/" + "/".join(self.parts)


def source_root(texts: Iterable[str]) -> Root | None:
    """Return the directory in which everything lies that *texts* locate, or None if there is no such directory.

    If any text holds ``path+file:``, the deepest directory common to all absolute ``path+file:`` directories; else the
    deepest one common to the directories of all absolute file URLs in texts without white space. What lies where an
    operating system keeps its own files does not count.
    """
    # Most texts of a document hold no URL of a file; a plain search is faster than a pattern.
    kept = [text for text in texts if "file" in text]
    if any("path+file:" in text for text in kept):
        paths = [_parts(_package_path(match)) for text in kept for match in _PACKAGE.finditer(text)]
    else:
        # A text with white space is prose, which may name any file for an example.
        urls = (match for text in kept if not re.search(r"\s", text) for match in _OTHER.finditer(text))
        paths = [_directory(match) for match in urls]
    return _common({parts for parts in paths if not _is_system(parts)})


def _common(paths: set[tuple[str, ...]]) -> Root | None:
    # With "." or ".." in it, a path is not what its components look like.
    if not paths or any(part in {".", ".."} for parts in paths for part in parts):
        return None
    # What the first and the last one in order have in common, all between them have too.
    low, high = min(paths), max(paths)
    length = next((i for i, (a, b) in enumerate(zip(low, high)) if a != b), min(len(low), len(high)))
    common = low[:length]
    # Paths that share no more than the file system's root or a drive have nothing to do with one another.
    if common not in paths and (not common or (length == 1 and _DRIVE.match(common[0]))):
        return None
    return Root(common)


def _is_system(parts: tuple[str, ...]) -> bool:
    """Return whether a path is the operating system's, the same wherever anybody builds."""
    if parts[:1] == ("usr",):
        parts = parts[2:] if parts[1:2] == ("local",) else parts[1:]
        return parts[:1] != () and parts[0] in _SYSTEM_IN_USR
    return parts[:1] != () and parts[0] in _SYSTEM and parts[:2] != ("dev", "shm")  # Some build in /dev/shm.


def _parts(path: str) -> tuple[str, ...]:
    return tuple(part for part in path.split("/") if part)


def _package_path(match: re.Match[str]) -> str:
    # A parenthesis before the URL closes behind it.
    path = match["path"]
    return path[:-1] if match["open"] and path.endswith(")") else path


def _directory(match: re.Match[str]) -> tuple[str, ...]:
    """Return the directory of the file that another URL names; an encoded one may go on behind its path."""
    path = match["path"] if match["slashes"] == "//" else re.split("[#?]", unquote(match["path"]))[0]
    return _parts(path[: path.rfind("/")])


def relative(text: str, root: Root) -> str:
    """Return *text* with what lies in *root* named from there, as ``file://crate``, and *root* itself as ``.``.

    A whole text that is a plain path in *root* is made relative too, with either kind of slash on a Windows drive.
    """
    if "file" in text:
        text = _PACKAGE.sub(lambda match: _relative_package(match, root), text)
        text = _OTHER.sub(lambda match: _relative_other(match, root), text)
    for prefix, slash in _plain(root):
        if text == prefix:
            return "."
        if text.startswith(prefix + slash):
            return text[len(prefix) :].lstrip(slash) or "."
    return text


def _below(parts: tuple[str, ...], root: Root) -> tuple[str, ...] | None:
    """Return what is left of a path behind *root*; None if it does not lie there."""
    length = len(root.parts)
    return parts[length:] if parts[:length] == root.parts and not _is_system(parts) else None


def _relative_package(match: re.Match[str], root: Root) -> str:
    path = _package_path(match)
    parts = _parts(path)
    below = _below(parts, root)
    if below is None:
        return match[0]
    behind = match[0][match.start("path") - match.start() + len(path) :]
    if match["version"] and not below and parts:
        # Cargo leaves the name out where the directory has the same: here the directory's name is gone.
        behind = f"{behind[:-1]}#{parts[-1]}@"
    return f"{match['open']}path+file://{'/'.join(below) or '.'}{behind}"


def _relative_other(match: re.Match[str], root: Root) -> str:
    encoded = match["slashes"] != "//"
    pieces = [piece for piece in re.split("%2[Ff]" if encoded else "/", match["path"]) if piece]
    below = _below(tuple(unquote(piece) if encoded else piece for piece in pieces), root)
    if below is None:
        return match[0]
    scheme = match[0][: match.start("path") - match.start()]
    kept = pieces[len(pieces) - len(below) :] if below else ["."]
    return scheme + (("%2F" if encoded else "/").join(kept))


def _plain(root: Root) -> list[tuple[str, str]]:
    """Return how a plain path may begin that lies in *root*, each with its separator.

    Nothing for the file system's root or a drive alone: half of all texts might be paths there.
    """
    names = [unquote(part) for part in root.parts]
    if not names or (len(names) == 1 and _DRIVE.match(names[0])):
        return []
    if _DRIVE.match(names[0]):
        return [("/".join(names), "/"), ("\\".join(names), "\\")]
    return [("/" + "/".join(names), "/")]
