"""The compiled modules of a tree: which there are to be, and each in its one form."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterable
from pathlib import Path

from samebytes.artifact import pyc
from samebytes.artifact.pyc import source_of
from samebytes.errors import ArchiveError

from .compiler import Compiler, Wanted
from .installed import SCRIPT_DIRECTORIES, Distribution, is_compiled_name
from .plan import Plan, beneath
from .walk import walk


def minors_of(root: Path, final: str) -> frozenset[tuple[int, int]]:
    """Return the versions of Python that a tree is for: by its directories, else by its compiled modules.

    :param final: where *root* will be.
    :raises UsageError: if *root* is not a directory.
    :raises ArchiveError: if it cannot be read.
    """
    # With the final path, as a site-packages itself may be named.
    nodes = [posixpath.join(final, node.name) for node in walk(root)]
    found = [re.search(r"(?:^|/)python(\d+)\.(\d+)/(?:site|dist)-packages(?:/|$)", name) for name in nodes]
    if not any(found):
        # A --target has no directory with a version in its name.
        found = [re.search(r"\.cpython-(\d)(\d+)[.][^/]*$", name) for name in nodes if is_compiled_name(name)]
    return frozenset((int(match[1]), int(match[2])) for match in found if match is not None)


def plan_bytecode(
    plan: Plan,
    found: Iterable[Distribution],
    final: str,
    levels: Collection[int] | None,
    compiler: Compiler | None,
    mode: str,
) -> None:
    """Plan the compiled modules: one for each level of each module, and none that has no source.

    What is beside the packages, as scripts are, is not imported, and gets none; where no distribution is installed,
    everything in the tree counts as modules.

    :param final: where the tree's top will be.
    :param levels: of optimization; None for 0 and those that are there already; none at all for no compiled modules.
    :param compiler: None to compile nothing.
    :param mode: of those that are there, as in :data:`samebytes.artifact.pyc.FLAGS`.
    """
    found = tuple(found)
    sites = {distribution.site for distribution in found} or {""}
    listed = {place for distribution in found for place in distribution.rows}
    modules = [name for name in plan.nodes if _is_module(plan, name, sites)]
    there = _plan_orphans(plan, set(modules), listed)
    wanted: dict[str, Wanted] = {}
    if compiler is not None:
        for name in modules:
            for level in (0, 1, 2) if levels is None else levels:
                target = compiled_name(name, compiler.tag, level)
                # Levels 1 and 2 are of those who run with -O: only where somebody has made them.
                if levels is not None or level == 0 or target in there:
                    wanted[target] = _wanted(plan, final, name, level)
        _plan_other_levels(plan, there, wanted, compiler.tag, set(modules), final)
        _plan_compiled(plan, wanted, compiler)
    for name in sorted(there - set(wanted) - plan.removed):
        if levels is not None and not levels:
            plan.remove("bytecode", name, "removed")
        else:
            _plan_normalized(plan, name, final, mode)


def compiled_name(source: str, tag: str, level: int) -> str:
    """Return the name of the module compiled from *source* (PEP 3147, PEP 488)."""
    directory, last = posixpath.split(source)
    optimized = f".opt-{level}" if level else ""
    return posixpath.join(directory, "__pycache__", f"{last[: -len('.py')]}.{tag}{optimized}.pyc")


def _is_module(plan: Plan, name: str, sites: Iterable[str]) -> bool:
    """Return whether *name* is a source in a site's packages; a name with a dot in it cannot be imported."""
    directory, last = posixpath.split(name)
    if not last.endswith(".py") or "." in last[: -len(".py")] or plan.file(name) is None:
        return False
    if posixpath.basename(directory) == "__pycache__":
        return False
    for site in sites:
        # Scripts are beside the packages in a --target, but a package may be called "bin".
        scripts = [posixpath.join(site, last) for last in SCRIPT_DIRECTORIES]
        scripts = [place for place in scripts if f"{place}/__init__.py" not in plan.nodes]
        if beneath(site, name) and not any(beneath(place, name) for place in scripts):
            return True
    return False


def _plan_orphans(plan: Plan, modules: Collection[str], listed: Collection[str]) -> set[str]:
    """Plan to remove what nothing imports, and return the compiled modules that stay."""
    there = set()
    for name in plan.nodes:
        if not is_compiled_name(name) or plan.file(name) is None:
            continue
        source = source_of(name)
        # In __pycache__, unlike beside the source, a module without its source is not imported (PEP 3147).
        if source is None or source not in plan.nodes:
            plan.remove("orphan", name, "removed: its source is not there, so that nothing imports it")
        elif source in listed and source not in modules:
            plan.remove("orphan", name, "removed: its source is not a module")
        elif plan.file(source) is not None:
            there.add(name)
    return there


def _wanted(plan: Plan, final: str, source: str, level: int) -> Wanted:
    return Wanted(Path(plan.nodes[source].path), posixpath.join(final, source), level)


def _plan_other_levels(
    plan: Plan, there: set[str], wanted: dict[str, Wanted], tag: str, modules: Collection[str], final: str
) -> None:
    """Plan to remove the levels of modules that are not wanted, and keep those of sources without a distribution."""
    for name in sorted(there - set(wanted)):
        source = source_of(name)
        assert source is not None
        stem = posixpath.basename(source)[: -len(".py")]
        rest = posixpath.basename(name)[len(stem) + 1 : -len(".pyc")]
        own, _, level = rest.partition(".opt-")
        # Of another Python: that one may use the tree, too.
        if own != tag or level not in ("", "1", "2"):
            continue
        if source in modules:
            plan.remove("bytecode", name, "removed: its level of optimization is not wanted")
        else:
            wanted[name] = _wanted(plan, final, source, int(level or 0))


def _plan_compiled(plan: Plan, wanted: dict[str, Wanted], compiler: Compiler) -> None:
    names = sorted(wanted)
    for name, compiled in zip(names, compiler.compile([wanted[name] for name in names])):
        # Not an error: templates and code for other versions of Python lie in packages, and installers pass them over.
        if compiled.problem:
            plan.note("bytecode", source_of(name) or name, f"does not compile: {compiled.problem}")
            if plan.file(name) is not None:
                plan.remove("bytecode", name, "removed: its source does not compile")
        else:
            plan.write("bytecode", name, compiled.data, "compiled anew" if name in plan.nodes else "compiled")


def _plan_normalized(plan: Plan, name: str, final: str, mode: str) -> None:
    source = source_of(name)
    assert source is not None
    before = plan.read(name)
    if not pyc.is_known(before):
        plan.note("bytecode", name, "left as it is: compiled by a Python that is not known")
        return
    header = pyc.header_of(before)
    # The import system would compile it anew because of the source's time (PEP 552).
    # Four bytes of the time, modulo 2**32 (PEP 552).
    if header and header.flags == 0 and header.time != int(plan.nodes[source].stat.st_mtime) & 0xFFFFFFFF:
        plan.remove("bytecode", name, "removed: its source has changed since")
        return
    try:
        after = pyc.normalized(pyc.bound(before, plan.read(source), mode), posixpath.join(final, source))
    except ArchiveError as error:
        plan.remove("bytecode", name, f"removed: {error.message}")
    else:
        plan.write("bytecode", name, after, "put into the one form")
