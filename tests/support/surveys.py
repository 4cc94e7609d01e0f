"""What a survey could have found: runs and examinations to put into stores."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from samebytes_tools.commands.check.subject import AS_IS, BUILD, DATED, HOOK, NORMALIZED
from samebytes_tools.commands.survey.model import (
    DIFFERS,
    KINDS,
    NOT_BUILT,
    NOT_REBUILT,
    SAME,
    WAYS,
    Artifact,
    CauseHit,
    Examination,
    Rebuild,
    Requirement,
    Run,
    Sdist,
    State,
)
from samebytes_tools.comparison.model import Verdict

START = 1_700_000_000
"""When the first run began, in seconds since 1970."""

HIT = CauseHit("D005", 2, "demo/built.py", "line 3", "BUILT = '2026-11-20'", "BUILT = '2033-05-18'")


def run(number: int = 1, *, ended: int | None = None) -> Run:
    """Return the run *number* of some: each began an hour after the one before."""
    identity = f"00000000-0000-4000-8000-{number:012}"
    return Run(identity, START + 3600 * number, "0.1.0", 1, {"platform": "Linux", "python": "3.11.2"}, ended)


def artifact(way: str, kind: str, name: str, *, state: str = SAME, causes: tuple[CauseHit, ...] = ()) -> Artifact:
    """Return what became of one kind in one way."""
    if state == NOT_BUILT:
        return Artifact(way, kind, state, reason="in the first build: the build ended with status 1")
    digests = [hashlib.sha256(f"{name} {way} {kind} {side}".encode()).hexdigest() for side in "12"]
    both = (digests[0], digests[0 if state == SAME else 1])
    verdict = Verdict.IDENTICAL if state == SAME else Verdict.NORMALIZED if not causes else Verdict.DIFFERENT
    file = f"{name}-1.0.tar.gz" if kind == "sdist" else f"{name}-1.0-py3-none-any.whl"
    return Artifact(way, kind, state, verdict.value, "", file, 12_345, both, causes)


def artifacts(name: str, states: Mapping[str, str]) -> tuple[Artifact, ...]:
    """Return those of all kinds, by ways' states; what differs does so for a date in it."""
    return tuple(
        artifact(way, kind, name, state=states[way], causes=(HIT,) if states[way] == DIFFERS else ())
        for way in WAYS
        for kind in KINDS
    )


def rebuild(name: str, kind: str = "pure wheel", state: str = "identical") -> Rebuild:
    """Return what came of rebuilding the file of a *kind* of the package *name*."""
    file = f"{name}-1.0.tar.gz" if kind == "sdist" else f"{name}-1.0-py3-none-any.whl"
    published, other = (hashlib.sha256(f"{file} {kind} {side}".encode()).hexdigest() for side in "12")
    uploaded = "2026-01-02T03:04:05Z"
    if state == NOT_REBUILT:
        return Rebuild(kind, file, state, published, "", 12_345, uploaded, "the build failed", 2.5)
    is_same = state == Verdict.IDENTICAL.value
    return Rebuild(
        *(kind, file, state, published, published if is_same else other, 12_345, uploaded, "", 7.25),
        record={"_type": "https://in-toto.io/Statement/v1", "subject": [{"name": file}], "text": "caf\udce9"},
        notes=("it was built by another Python",),
        causes=() if is_same else (HIT,),
    )


WON = {AS_IS: DIFFERS, DATED: DIFFERS, NORMALIZED: DIFFERS, HOOK: SAME, BUILD: SAME}
"""A package that differs for a date, and that the hook wins."""


def examination(name: str, of: Run, *, states: Mapping[str, str] | None = None, **fields: Any) -> Examination:
    """Return an examination of *name* in the run *of*, full of everything."""
    wanted: dict[str, Any] = {
        "version": "1.0",
        "state": State.EXAMINED,
        "started": of.started + 60,
        "seconds": 42.5,
        "log": f"building {name}\n" * 20,
        "memory": 123_456_789,
        "rank": 7,
        "sdist": Sdist(f"{name}-1.0.tar.gz", "ab" * 32, 54_321, "2026-01-02T03:04:05Z"),
        "backend": "setuptools",
        "backend_version": "84.2.1",
        "is_pure": True,
        "requirements": (Requirement("setuptools", "84.2.1", "cd" * 32), Requirement("wheel", "0.48.0")),
        "artifacts": artifacts(name, states or WON),
        "varied": ("checkout", "time"),
        "not_varied": {"file-order": "disorderfs is not installed"},
        "notes": ("time is not varied",),
        "run": of.id,
    }
    return Examination(name, **{**wanted, **fields})
