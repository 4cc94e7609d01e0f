"""The rebuilds of the published files of one release, in the process that is in the sandbox."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Callable

from ...building.filled import FilledEnvironments
from ...building.provenance import statement
from ...building.scratch import scratch
from ...comparison.causes.table import how_small
from ...comparison.model import Comparison
from ...index.client import Index
from ...releases.selection import Selection
from ..reproducible_build.build import BuildContext
from ..verify.remake import VerifyContext
from ..verify.verify import Verified, VerifyRequest, VerifyResult, verify_all
from .findings import LONGEST_LOG, hits, is_of_no_room, with_last_error
from .job import Say


def rebuild(request: Mapping[str, Any], environ: Mapping[str, str], clock: Callable[[], float], say: Say) -> None:
    """Rebuild the files that *request* names, one by one, and say of each at once what came of it.

    :param request: ``release``, as ``NAME==VERSION``; ``files``, names of files of it; ``seconds`` that one may take;
        ``installer``.
    :param environ: with the address of an index that has times of upload.
    """

    @lru_cache(maxsize=1)  # one for all files: it remembers pages
    def index() -> Index:
        return Index.configured(environ)

    # Sdist and wheel need the same, mostly.
    with scratch() as private:
        filled = FilledEnvironments(private)
        for name in request["files"]:
            logs: list[str] = []
            build = BuildContext(
                environ=environ,
                report=partial(_report, say, name),
                warn=lambda _: None,
                show_log=partial(_keep, logs),
                seconds=request["seconds"],
            )
            context = VerifyContext(build, index, installer=request["installer"], filled=filled)
            wanted = VerifyRequest(request["release"], Selection(file=name))
            started = clock()
            for result in verify_all([wanted], context):
                say({"rebuild": {**as_plain(result, "\n".join(logs)), "file": name, "seconds": clock() - started}})


def _report(say: Say, name: str, step: str) -> None:
    say({"step": f"{name}: {step}"})


def _keep(logs: list[str], log: Path) -> None:
    """Keep the end of *log*, which is about to be removed."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - LONGEST_LOG))
        logs.append(file.read().decode("utf-8", "replace"))


def as_plain(result: VerifyResult, log: str) -> dict[str, Any]:
    """Return *result* as what JSON can carry, without its file's name; *log* is what was said while it was built."""
    if result.verified is None:
        reason = result.error.message if result.error else result.skipped
        return {"reason": with_last_error(reason, log.splitlines()), "log": log, "full": is_of_no_room(log)}
    verified = result.verified
    return {
        "state": verified.comparison.verdict.value,
        "rebuilt": verified.comparison.right.sha256,
        "record": _statement(verified),
        "notes": notes_of(verified.comparison, verified.notes),
        "causes": [asdict(hit) for hit in hits(verified.comparison)],
    }


def notes_of(comparison: Comparison, notes: Sequence[str]) -> list[str]:
    """Return *notes* on a rebuild, after one on how small the differences are, if they have no meaning."""
    small = how_small(comparison.differences)
    return [*([small] if small else []), *notes]


def _statement(verified: Verified) -> dict[str, Any]:
    """Return the record of a rebuild without the addresses of where things came from: those of the sandbox's index."""
    record = verified.record
    published = record.published and replace(record.published, url="")
    found = statement(replace(record, source=replace(record.source, location=""), published=published))
    for one in found["predicate"]["buildDefinition"]["resolvedDependencies"]:
        if not one.get("annotations", {}).get("direct", True):
            # What is left names the file, which is all that whoever follows a record takes from it.
            one["downloadLocation"] = one["downloadLocation"].partition("?")[0].rpartition("/")[2]
    return found
