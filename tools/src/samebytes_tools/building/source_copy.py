"""Copying a source tree, so that a build neither changes it nor depends on where it is."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import stat
import tempfile
from pathlib import Path

from samebytes.backend.config import toml_bytes
from samebytes.errors import OutputError, SamebytesError, UsageError

from ..vcs import repository
from .signatures import bundle_of

_CACHES = frozenset({"__pycache__", ".tox", ".nox", ".mypy_cache", ".pytest_cache", ".ruff_cache"})

_CACHE_SIGNATURE = b"Signature: 8a477f597d28d172789f06886806bc55"
"""What CACHEDIR.TAG begins with (Cache Directory Tagging Specification); cargo's ``target`` has one, for example."""

_DISTUTILS = re.compile(r"lib|(?:lib|temp|bdist)\..+|scripts-\d.*")
"""What setuptools leaves in ``build/``, and would take for up to date however it was compiled."""

_RESULTS = (".whl", ".tar.gz")
_BESIDE_RESULTS = frozenset({".gitignore"})

_SUNK = "samebytes-source"
"""The name of each directory on the way down to a copy whose links lead out of it; the same for trees of any name."""

_DEEPEST = 64
"""Links that lead further up than this come out at the root, on any machine that people build on."""

_FULL = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)})


def copy_source(source: Path, target: Path, output: Path | None = None, record: Path | None = None) -> Path:
    """Copy the tree *source* to *target*, which must not exist, and return where in the copy it is.

    A tree inside a git checkout is copied with the whole checkout, for its backend may ask git for a version. Virtual
    environments, tools' caches, what earlier builds with setuptools left in ``build``, the results in *output* and the
    *record* of a build stay behind; so do sockets, pipes and devices. Times and modes are kept. Links lead where they
    led, and relative ones read as they did: the copy of a tree with some that lead out of it lies deeper in *target*,
    beneath directories that have links to what those lead to.

    :raises ConfigError: if its pyproject.toml is not a regular file, or too large.
    :raises OutputError: if there is no room.
    :raises UsageError: if something cannot be read.
    """
    top = repository.checkout(source) or source
    configuration = source / "pyproject.toml"
    try:
        if configuration.exists():
            toml_bytes(configuration)  # a pipe would stay behind, and the tree be built as if it had none
        copier = _Copier(top, target.parent, output, record)
        copier.directory(top, target)
        copy = _sunk(target, copier.outward) if copier.outward.depth else target
    except OSError as error:
        raise _refused(error, target) from None
    repository.refresh_index(copy)
    return copy / source.relative_to(top)


def _refused(error: OSError, target: Path) -> SamebytesError:
    if error.errno in _FULL:
        return OutputError(
            f"there is no room for a copy of the source tree in {target.parent.parent}",
            remedy="Free some space there, or set TMPDIR to a directory on another disk.",
        )
    if error.errno == errno.ENAMETOOLONG:
        return UsageError(
            f"{target}: cannot take a copy of all paths of the source tree: {error.strerror}",
            remedy="Set TMPDIR to a directory with a shorter path, or take what lies so deep out of the tree.",
        )
    return UsageError(
        f"{error.filename}: cannot be copied: {error.strerror}",
        remedy="A build gets a copy of the whole tree: make it readable, or take it out of there.",
    )


class _Copier:
    """Copies directories that lie in *top* to *private*."""

    def __init__(self, top: Path, private: Path, output: Path | None, record: Path | None) -> None:
        self._top, self._private, self._output = top, private, output and output.resolve()
        self._records = [path.resolve() for path in (record, bundle_of(record))] if record else []
        self.outward = _Outward(top)

    def directory(self, source: Path, target: Path) -> None:
        """Copy the directory *source* to *target*, in the order of the names, whatever the file system's is."""
        target.mkdir()
        # Not by recursion: a tree may be deeper than Python's stack.
        found = [(source, target)]
        for one, other in found:
            for entry in self._entries(one):
                if not self._stays(entry):
                    with contextlib.suppress(FileNotFoundError):  # gone in the meantime
                        found += self._entry(entry, other / entry.name)
        for one, other in reversed(found):  # what is in a directory sets its time
            with contextlib.suppress(FileNotFoundError):
                shutil.copystat(one, other)
            other.chmod(other.stat().st_mode | stat.S_IRWXU)  # backends write there, and it is to be removed

    def _entries(self, directory: Path) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(directory) as entries:
                return sorted(entries, key=lambda entry: entry.name)
        except FileNotFoundError:
            if directory == self._top:
                raise
            return []

    def _entry(self, entry: os.DirEntry[str], target: Path) -> list[tuple[Path, Path]]:
        """Copy *entry*; return what is left to do, if it is a directory: that, and its copy, which is empty yet."""
        path = Path(entry.path)
        if entry.name == ".git":
            repository.copy(path, target)
        elif entry.is_symlink():
            target.symlink_to(_link(path, self._top, self.outward))
        elif entry.is_dir():
            target.mkdir()
            return [(path, target)]
        # Anything else (socket, pipe, device) would block, or copy without end.
        elif entry.is_file():
            shutil.copy2(path, target)
        return []

    def _stays(self, entry: os.DirEntry[str]) -> bool:
        """Return whether *entry* is left out."""
        path = Path(entry.path)
        # A result in the tree gets into an sdist that takes all files, and so would that of the build before.
        if path in self._records or (path.parent == self._output and entry.name.endswith(_RESULTS)):
            return True
        if not entry.is_dir(follow_symlinks=False):
            return False
        return (
            path == self._private  # TMPDIR may lie in the tree
            or entry.name in _CACHES
            or _is_cache(path)
            or _is_virtual_environment(path)
            or self._is_leftover(path)
            or (path == self._output and self._holds_results_only(path))
        )

    def _holds_results_only(self, directory: Path) -> bool:
        return all(
            path.name.endswith(_RESULTS) or path.name in _BESIDE_RESULTS or path in self._records
            for path in directory.iterdir()
        )

    def _is_leftover(self, path: Path) -> bool:
        build = path.parent
        if build.name != "build" or not _DISTUTILS.fullmatch(path.name):
            return False
        beside = any((build.parent / name).is_file() for name in ("setup.py", "setup.cfg", "pyproject.toml"))
        # Some projects track a build/lib of their own.
        return beside and not repository.tracks(path)


class _Outward:
    """What relative links of the tree *top* need above it, to lead from its copy to where they lead from it."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.depth = 0
        """How many directories above the tree they lead up to."""
        self.needed: dict[tuple[int, str], Path] = {}
        """What they come to first up there, by how far above the tree's top and by name."""

    def keeps(self, directory: Path, link: Path) -> bool:
        """Return whether a *link* in *directory* can be copied as it is; if so, what it needs has been noted.

        One to a directory above the tree cannot, for the tree's copy is in the copy of that.
        """
        here, above, highest = directory, 0, 0
        for part in link.parts:
            if part == "..":
                above += bool(above or here == self.top)
                highest = max(highest, above)
                here = here.parent
                continue
            here /= part
            if not above:
                # As the system walks; a link's own way is walked where it is copied.
                here = Path(os.path.realpath(here)) if here.is_symlink() else here
                if not here.is_relative_to(self.top):
                    break
            elif self.top.is_relative_to(here) and here == self._above(above - 1):
                above -= 1
            elif highest <= _DEEPEST:
                self.needed[above, part] = here
                break
        else:
            if above:
                return False
        if highest > _DEEPEST:
            return False
        self.depth = max(self.depth, highest)
        return True

    def _above(self, levels: int) -> Path | None:
        ways = (self.top, *self.top.parents)
        return ways[levels] if levels < len(ways) else None

    def links(self) -> dict[tuple[int, str], str | Path]:
        """Return the targets of the links that are to be made above the copy, as :attr:`needed` has them."""
        ways = (self.top, *self.top.parents)[: self.depth]
        names = {(level, way.name): _SUNK for level, way in enumerate(ways, 1) if way.name}
        return {**self.needed, **names}


def _sunk(tree: Path, outward: _Outward) -> Path:
    """Move the copy *tree* deeper into a directory of its name, with what its links need on the way to it."""
    upper = Path(tempfile.mkdtemp(dir=tree.parent))
    # mkdtemp makes it 0700, which another user of the build could not enter.
    upper.chmod(0o755)
    levels = [upper.joinpath(*[_SUNK] * number) for number in range(outward.depth + 1)]
    for directory in levels[1:-1]:
        directory.mkdir()
    tree.rename(levels[-1])
    for (above, name), there in outward.links().items():
        if name != _SUNK:
            (levels[-1 - above] / name).symlink_to(there)
    upper.rename(tree)
    return tree.joinpath(*[_SUNK] * outward.depth)


def _link(path: Path, top: Path, outward: _Outward) -> str | Path:
    """Return a target for the copy of the symbolic link *path*: as it is if it can be, else one beside it or absolute.

    Absolute ones into *top* are those beside it.
    """
    there = path.readlink()
    if not there.is_absolute() and outward.keeps(path.parent, there):
        return there
    leads = Path(os.path.normpath(path.parent / there))
    if not leads.is_relative_to(top):
        return leads
    return os.path.relpath(leads, path.parent) if there.is_absolute() else there


def _is_cache(path: Path) -> bool:
    try:
        with (path / "CACHEDIR.TAG").open("rb") as tag:
            # By content, as the specification demands: any file may have the name.
            return tag.read(len(_CACHE_SIGNATURE)) == _CACHE_SIGNATURE
    except OSError:
        return False


def _is_virtual_environment(path: Path) -> bool:
    """Return whether *path* is one, with an interpreter; a test's data may hold a ``pyvenv.cfg`` alone."""
    pythons = (path / "bin" / "python", path / "Scripts" / "python.exe")
    return (path / "pyvenv.cfg").is_file() and any(os.path.lexists(python) for python in pythons)
