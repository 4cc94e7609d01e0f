"""The distributions installed in a tree: their RECORDs verified, and what installers add made the same."""

from __future__ import annotations

import json
import os
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from samebytes.archive.entry import Kind
from samebytes.artifact import record
from samebytes.artifact.pyc import source_of

from . import scripts
from .plan import Plan, hashed, joined, relative

INSTALLER = b"samebytes\n"
"""The contents of INSTALLER afterwards."""

# Only these: the package managers of distributions write names of their own, such as "rpm" and "debian".
_OTHER_INSTALLERS = (b"pip", b"uv")
_OWN_NOTES = ("uv_cache.json", "uv_build.json")
SCRIPT_DIRECTORIES = ("bin", "Scripts")
_PIP_HEADERS = r"include/(?:site/)?python[0-9.]*/"


class Distribution(NamedTuple):
    """One ``*.dist-info`` directory that has a RECORD."""

    info: str
    """Its name in the tree."""
    rows: Mapping[str, record.Row]
    """By name in the tree; of files outside, by a name with ``..`` or an absolute one."""

    @property
    def site(self) -> str:
        """The directory that RECORD's names count from; empty for the tree's top."""
        return posixpath.dirname(self.info)

    @property
    def record(self) -> str:
        """RECORD's name in the tree."""
        return f"{self.info}/RECORD"


def distributions(plan: Plan, final: str, *, rebuild_record: bool, own: bool = False) -> tuple[Distribution, ...]:
    """Return the distributions in a tree whose top will be called *final*; every RECORD is checked against the files.

    Compiled modules do not count, because they are made anew.

    :param own: whether this process wrote files and RECORDs, and has the digests from there: nothing is checked.
    :raises RecordError: if a RECORD contradicts its files, unless it is to be rebuilt; it lists all mismatches.
    """
    places = [name for name in plan.nodes if name.endswith(".dist-info/RECORD") and plan.file(name) is not None]
    infos = [posixpath.dirname(place) for place in places]
    listings = {info: record.parse(plan.read(f"{info}/RECORD"), f"{posixpath.basename(info)}/RECORD") for info in infos}
    rows = {
        info: {_place(plan, posixpath.dirname(info), row.name, final): row for row in listing.rows.values()}
        for info, listing in listings.items()
    }
    # A vendored distribution is data of the one that lists its RECORD.
    # setuptools/_vendor, for example.
    found = [info for info in rows if not any(f"{info}/RECORD" in rows[other] for other in rows if other != info)]
    wrong: list[tuple[str, record.Mismatch]] = []
    for info in () if own else found:
        listed = listings[info].rows
        # In the RECORD of what is installed, a hash may be left out: of compiled modules it usually is (PEP 627).
        faults = [fault for fault in listings[info].faults if not _is_unhashed(listed.get(fault.name))]
        faults += _mismatches(plan, rows[info])
        site = posixpath.dirname(info)
        wrong += [(info, fault) for fault in faults if not _is_own_work(plan, info, joined(site, fault.name))]
    if wrong and not rebuild_record:
        remedy = "Install it again; or, if the files are as you want them, write RECORD anew with --rebuild-record."
        raise record.disagreement(str(plan.root), (f"{info}: {mismatch}" for info, mismatch in wrong), remedy)
    for info, mismatch in wrong:
        plan.note("record-verified", joined(posixpath.dirname(info), mismatch.name), mismatch.detail)
    for info in found:
        _note_unhashed(plan, info, rows[info])
    return tuple(Distribution(info, rows[info]) for info in found)


def _place(plan: Plan, site: str, name: str, final: str) -> str:
    """Return the name in the tree of what a RECORD in *site* calls *name*."""
    if posixpath.isabs(name):
        inside = name.startswith(f"{final.rstrip('/')}/")
        return posixpath.relpath(name, final) if inside else name
    place = joined(site, name)
    if place in plan.nodes or not name.startswith("../"):
        return place
    # pip install --target writes RECORD before it moves what it lists: ../../bin/x stands for bin/x.
    # Only if nothing is where RECORD says, or a file of somebody else would count as this.
    moved = joined(site, name.replace("../", ""))
    return moved if moved in plan.nodes and not os.path.lexists(plan.root / place) else place


def is_outside(place: str) -> bool:
    """Return whether a name leads out of the tree."""
    return place.startswith("/") or place == ".." or place.startswith("../")


def _is_unhashed(row: record.Row | None) -> bool:
    return row is not None and (row.name.endswith(".pyc") or not row.digest)


def _note_unhashed(plan: Plan, info: str, rows: Mapping[str, record.Row]) -> None:
    """Note which files RECORD gives no hash of: nobody can see whether they are those that were installed.

    The specification allows it (recording installed projects), and virtualenv does it for what it makes itself.
    """
    found = [place for place, row in rows.items() if not place.endswith(".pyc") and not row.digest]
    own = (f"{info}/RECORD", f"{info}/INSTALLER")
    found = sorted(place for place in found if plan.file(place) is not None and place not in own)
    if found:
        more = f" and {len(found) - 3} more" if len(found) > 3 else ""
        names = ", ".join(found[:3])
        plan.note("record", f"{info}/RECORD", f"gave no digest of {names}{more}: taken as they are")


def _mismatches(plan: Plan, rows: Mapping[str, record.Row]) -> Iterator[record.Mismatch]:
    for place, row in rows.items():
        if is_outside(place) or place.endswith(".pyc"):
            continue
        node = plan.nodes.get(place)
        is_directory = place.endswith("__pycache__") if node is None else node.kind is Kind.DIRECTORY
        if is_directory and not row.digest:
            continue  # virtualenv lists them, also those that would be made; nothing can be wrong about those
        if node is None or node.kind is Kind.DIRECTORY:
            yield record.Mismatch(row.name, "RECORD lists it, and there is no such file")
        elif row.algorithm in record.ALGORITHMS:
            # Plan keeps digests by SHA-256, for the RECORD that is written later.
            known = row.algorithm == "sha256"
            digest, size = plan.digest(place) if known else hashed(node.path, row.algorithm, node.stat)
            yield from filter(None, [record.compare(row, size, record.spelled(row.algorithm, digest))])


def _is_own_work(plan: Plan, info: str, name: str) -> bool:
    """Return whether a file differs from RECORD because an earlier run was killed before it could write RECORD."""
    directory, _, last = name.rpartition("/")
    if directory == info:
        gone = last in ("direct_url.json", *_OWN_NOTES) and name not in plan.nodes
        return gone or (last == "INSTALLER" and plan.file(name) is not None and plan.read(name) == INSTALLER)
    if posixpath.basename(directory) in SCRIPT_DIRECTORIES and plan.file(name) is not None:
        data = plan.read(name)
        return any(
            data == scripts.script(head, entry)
            for entry in _commands(plan, info)
            for head in [scripts.generated_head(data, entry)]
            if head is not None and entry.name == last
        )
    return False


def same_headers(plan: Plan, distribution: Distribution) -> Distribution:
    """Plan to move the C headers that pip puts into a ``--target``, and return the distribution as it is then.

    pip's place for them, ``include/site/python3.11`` or ``include/python``, depends on whether pip itself ran in a
    virtual environment. They go to ``include``, where uv puts them.
    """
    if distribution.site:
        return distribution
    rows = {}
    for place, row in distribution.rows.items():
        match = re.match(_PIP_HEADERS, place)
        moved = place if match is None else f"include/{place[match.end() :]}"
        if moved != place and plan.file(place) is not None and moved not in plan.nodes:
            plan.write("headers", moved, plan.read(place), f"moved from {place}")
            plan.remove("headers", place, f"moved to {moved}")
        else:
            moved = place
        rows[moved] = row
    return distribution._replace(rows=rows)


def same_metadata(plan: Plan, distribution: Distribution, executable: str | None) -> None:
    """Plan to make the same what each installer writes of itself, and to remove what is of this machine."""
    installer = f"{distribution.info}/INSTALLER"
    if plan.file(installer) is not None and plan.read(installer).strip() in _OTHER_INSTALLERS:
        plan.write("installer", installer, INSTALLER, f"{plan.read(installer).decode().strip()} -> samebytes")
    for last in _OWN_NOTES:
        if plan.file(f"{distribution.info}/{last}") is not None:
            plan.remove("uv-cache", f"{distribution.info}/{last}", "removed: it holds times, and is for uv alone")
    _same_url(plan, f"{distribution.info}/direct_url.json")
    _same_scripts(plan, distribution, executable)


def _same_url(plan: Plan, name: str) -> None:
    """Plan to remove a wheel's local path; other origins are kept, in one spelling (PEP 610)."""
    if plan.file(name) is None:
        return
    try:
        origin = json.loads(plan.read(name))
        url = str(origin["url"])
        # With RecursionError: json recurses, and a file may nest thousands of lists.
        text = json.dumps(origin, sort_keys=True)
    except (ValueError, TypeError, KeyError, RecursionError):
        plan.note("direct-url", name, "left as it is: it cannot be read")
        return
    # An address on the network, or of a repository, is no matter of the machine.
    if not url.startswith("file:"):
        plan.write("direct-url", name, f"{text}\n".encode(), "spelt in one way")
    # pip freeze and editable installs go by it (PEP 610, PEP 660).
    elif "dir_info" in origin:
        plan.note("direct-url", name, f"left as it is: installed from a directory of this machine, {url}")
    else:
        plan.remove("direct-url", name, f"removed: it named {url}")


def _commands(plan: Plan, info: str) -> tuple[scripts.EntryPoint, ...]:
    name = f"{info}/entry_points.txt"
    if plan.file(name) is None:
        return ()
    try:
        return tuple(scripts.entry_points(plan.read(name).decode("utf-8")))
    except ValueError:
        return ()  # The installer made no scripts of it either.


def _same_scripts(plan: Plan, distribution: Distribution, executable: str | None) -> None:
    entries = {entry.name: entry for entry in _commands(plan, distribution.info)}
    for place in distribution.rows:
        directory, last = posixpath.split(place)
        if posixpath.basename(directory) not in SCRIPT_DIRECTORIES or last not in entries or not plan.file(place):
            continue
        head = scripts.generated_head(plan.read(place), entries[last])
        if head is not None:
            head = head if executable is None else scripts.first_lines(executable)
            plan.write("script", place, scripts.script(head, entries[last]), "written in the one wording")


def same_records(plan: Plan, found: Iterable[Distribution]) -> None:
    """Plan each RECORD: all files that will be there, the compiled modules of its sources too, sorted, RECORD last."""
    there = plan.names()
    compiled: dict[str | None, list[str]] = {}
    for name in filter(is_compiled_name, there):
        compiled.setdefault(source_of(name), []).append(name)
    for distribution in found:
        kept = {place for place in distribution.rows if place in there and not is_compiled_name(place)}
        # Listed, so that uninstalling removes them.
        names = kept.union(*(compiled.get(place, ()) for place in kept))
        rows = {record.row(relative(distribution.site, name), *plan.digest(name)) for name in names}
        # Kept, for uninstalling: they cannot be checked from within the tree.
        rows |= {row for place, row in distribution.rows.items() if is_outside(place)}
        data = record.serialise(rows, f"{posixpath.basename(distribution.info)}/RECORD")
        plan.write("record", distribution.record, data, record.difference(plan.read(distribution.record), data))


def is_compiled_name(name: str) -> bool:
    """Return whether *name* is that of a compiled module with its source elsewhere (PEP 3147)."""
    return name.endswith(".pyc") and posixpath.basename(posixpath.dirname(name)) == "__pycache__"
