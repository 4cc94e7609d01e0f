"""Examinations that might have been: the same for the same seed, as many as wanted, with histories over several runs.

The shares in them are drawn, not measured, and are for tests of what shows and keeps examinations alone.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from samebytes_tools.commands.check.subject import AS_IS, BUILD, DATED, HOOK
from samebytes_tools.commands.survey.model import (
    KINDS,
    NOT_REBUILT,
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
from samebytes_tools.commands.survey.store.store import Store
from samebytes_tools.comparison.causes.table import by_code

START = 1_750_000_000
"""When the first run began: 2025-06-15T15:06:40Z."""

MONTH = 30 * 86_400
TOOLS = ("0.1.0", "0.1.4", "0.2.0", "0.3.0", "0.3.2", "0.4.0")


class Kit(NamedTuple):
    """A backend, as packages use it."""

    weight: int
    version: str
    extensions: float
    """The share of its packages that have compiled modules."""
    varies: tuple[str, ...]
    """Causes that its packages are hit by as they are."""


BACKENDS = {
    "setuptools": Kit(46, "80.9.0", 0.16, ("D011", "D012", "D013", "D009", "D020")),
    "hatchling": Kit(20, "1.27.0", 0.01, ("D016",)),
    "poetry-core": Kit(12, "2.1.3", 0.02, ("D010",)),
    "flit-core": Kit(8, "3.12.0", 0.0, ("D010",)),
    "uv-build": Kit(4, "0.9.1", 0.0, ()),
    "pdm-backend": Kit(3, "2.4.5", 0.02, ("D011",)),
    "maturin": Kit(3, "1.9.4", 1.0, ("D018", "D001")),
    "scikit-build-core": Kit(2, "0.11.6", 1.0, ("D001", "D011")),
    "meson-python": Kit(1, "0.18.0", 1.0, ("D001", "D002")),
    "in-tree": Kit(1, "", 0.2, ("D005",)),
}

_SYLLABLES = ("py", "da", "ta", "mo", "re", "lib", "net", "ion", "qu", "ser", "ver", "zed", "ok", "fast", "tiny", "a")
_ENDS = ("", "", "", "-client", "-core", "-tools", "-sdk", "lib", "2")
_BOTH = {
    "D001": ("build/temp.linux/module.o", "/w/1/src/module.c", "/w/2/deep/er/and/deeper/src/module.c"),
    "D002": (".text", "/tmp/a1/cc4Kp2aX.o", "/tmp/longer/ccZ81mQd.o"),
    "D005": ("line 3", 'BUILT = "2026-11-20"', 'BUILT = "2027-12-25"'),
    "D009": ("order", "a.py b.py c.py", "c.py b.py a.py"),
    "D010": ("mode", "rw-r--r--", "rw-------"),
    "D011": ("mtime", "2026-11-20T10:11:12Z", "2017-03-01T00:00:04Z"),
    "D012": ("owner", "1000:1000 (ada)", "12345:12345"),
    "D013": ("method", "deflate, level 6", "deflate, level 9"),
    "D016": ("line 12", 'version = "1.2.dev3+gabc123"', 'version = "1.2.dev3+gabc123.d20261120"'),
    "D018": (
        "key serialNumber",
        "urn:uuid:0e8a1c9e-0f3b-4f0e-9b1c-1f8c2b1d0a11",
        "urn:uuid:77b2f6a0-4c1d-4a55-8f3e-5d2f0a9c7e21",
    ),
    "D020": ("member", "", "demo.egg-info/SOURCES.txt"),
    "D099": ("offset 0x40", "\\x00\\x10\\x7f", "\\x00\\x11\\x7f"),
}


def runs(number: int = 4) -> list[Run]:
    """Return so many runs, a month apart, each by a newer samebytes."""
    machine = {
        "python": "3.12.8",
        "platform": "Linux-6.8.0-x86_64-with-glibc2.39",
        "processor": "x86_64",
        "libc": "glibc 2.39",
        "compiler": "gcc (Debian 14.2.0-19) 14.2.0",
    }
    return [
        Run(
            id=f"00000000-0000-4000-8000-{place:012d}",
            started=START + place * MONTH,
            tool=TOOLS[place % len(TOOLS)],
            canonical_form=1,
            machine=machine,
            ended=START + place * MONTH + 80_000,
        )
        for place in range(number)
    ]


def examinations(number: int, within: Sequence[Run], seed: int = 1) -> Iterator[Examination]:
    """Yield the examinations of *number* packages, package by package, oldest first.

    Every package is in the newest run, and in each of the others with a chance of seven in ten.
    """
    for rank in range(1, number + 1):
        chance = random.Random(f"{seed}/{rank}")
        package = _Package(rank, chance)
        for run in within:
            if run is within[-1] or chance.random() < 0.7:
                yield package.examined(run, within.index(run))


def name_of(rank: int) -> str:
    """Return the name of the package of *rank*, which no other has."""
    chance = random.Random(f"name/{rank}")
    stem = "".join(chance.choice(_SYLLABLES) for _ in range(chance.randint(2, 4)))
    return f"{stem}{chance.choice(_ENDS)}-{rank:x}"


def fill(store: Store, within: Iterable[Run], some: Iterable[Examination]) -> None:
    """Write the runs, and *some* examinations of theirs, down in the store."""
    with store.whole():
        for run in within:
            store.add_run(run)
        for one in some:
            store.add(one)


class _Package:
    """What stays of a package from one run to the next."""

    def __init__(self, rank: int, chance: random.Random) -> None:
        self.rank, self.chance, self.name = rank, chance, name_of(rank)
        self.backend = chance.choices(list(BACKENDS), [kit.weight for kit in BACKENDS.values()])[0]
        self.kit = BACKENDS[self.backend]
        self.is_pure = chance.random() >= self.kit.extensions
        self.hit = [code for code in self.kit.varies if chance.random() < 0.6]
        if not self.is_pure and "D001" not in self.hit and chance.random() < 0.8:
            self.hit.append("D001")
        self.stubborn = chance.random() < (0.005 if self.is_pure else 0.06)
        self.state = chance.choices(
            [State.EXAMINED, State.NOT_BUILT, State.NO_SDIST, State.OVER_LIMIT, State.UNAVAILABLE], [93, 3, 2, 1, 1]
        )[0]
        self.major = chance.randint(0, 9)

    def examined(self, run: Run, place: int) -> Examination:
        version = f"{self.major}.{place + self.rank % 3}.{self.rank % 7}"
        found = self.state
        artifacts = tuple(self._artifacts(version, place)) if found is State.EXAMINED else ()
        has_file = found in (State.EXAMINED, State.NOT_BUILT, State.OVER_LIMIT)
        return Examination(
            name=self.name,
            version=version,
            state=found,
            started=run.started + self.rank % 70_000,
            seconds=round(self.chance.uniform(4, 40) if self.is_pure else self.chance.uniform(30, 400), 1),
            reason=_REASONS.get(found, ""),
            log=_LOG if found in (State.NOT_BUILT, State.OVER_LIMIT) else "",
            memory=self.chance.randint(40, 900) << 20,
            rank=self.rank,
            sdist=self._sdist(version) if has_file else None,
            backend=self.backend,
            backend_version=self.kit.version,
            is_pure=self.is_pure if artifacts else None,
            requirements=self._requirements() if has_file else (),
            artifacts=artifacts,
            varied=("build-path", "temp", "home", "user", "umask", "owner", "mtimes", "file-order", "timezone"),
            not_varied={"time": "libfaketime is not installed"},
            notes=() if self.is_pure else ("pyelftools is not installed: ELF files are compared by their texts.",),
            run=run.id,
            rebuilds=tuple(self._rebuilds(version)) if run.verifies and found is not State.NO_SDIST else (),
        )

    def _rebuilds(self, version: str) -> Iterator[Rebuild]:
        sdist = self._sdist(version)
        wheel = f"{sdist.file[:-7]}-py3-none-any.whl"
        for number, (kind, file) in enumerate((("pure wheel", wheel), ("sdist", sdist.file))):
            state = _REBUILT[(self.rank // 3 + number * self.rank) % len(_REBUILT)]
            digest, other = _digest(f"published {file}"), _digest(f"rebuilt {file}")
            if state == NOT_REBUILT:
                yield Rebuild(kind, file, state, digest, "", 9_000, sdist.uploaded, _REASONS[State.NOT_BUILT], 3.5)
                continue
            where, left, right = _BOTH["D005"]
            yield Rebuild(
                *(
                    kind,
                    file,
                    state,
                    digest,
                    digest if state == "identical" else other,
                    9_000,
                    sdist.uploaded,
                    "",
                    12.5,
                ),
                record=_record(file),
                notes=("it was built by another Python",),
                causes=() if state == "identical" else (CauseHit("D005", 2, "demo.py", where, left, right),),
            )

    def _sdist(self, version: str) -> Sdist:
        file = f"{self.name.replace('-', '_')}-{version}.tar.gz"
        return Sdist(file, _digest(file), 9_000 + self.rank * 37, "2026-10-02T08:15:00Z", self.rank % 97 == 0)

    def _requirements(self) -> tuple[Requirement, ...]:
        if not self.kit.version:
            return ()
        own = Requirement(self.backend, self.kit.version, _digest(self.backend))
        return (own, Requirement("packaging", "25.0", _digest("packaging")))

    def _artifacts(self, version: str, place: int) -> Iterator[Artifact]:
        for way in WAYS:
            for kind in KINDS:
                yield self._artifact(way, kind, version, place)

    def _artifact(self, way: str, kind: str, version: str, place: int) -> Artifact:
        left = self._left(way, kind, place)
        stem = f"{self.name.replace('-', '_')}-{version}"
        tag = "py3-none-any" if self.is_pure else "cp312-cp312-linux_x86_64"
        file = f"{stem}.tar.gz" if kind == "sdist" else f"{stem}-{tag}.whl"
        one = _digest(f"{file}/{way if left else ''}")
        if not left:
            return Artifact(way, kind, "same", "identical", file=file, size=8_000 + self.rank, sha256=(one, one))
        only_container = not set(left) - {"D009", "D010", "D011", "D012", "D013", "D018"}
        verdict = "same after normalization" if only_container else "different"
        hits = tuple(self._hit(code, file, stem) for code in left)
        other = _digest(f"{file}/{way}/other")
        return Artifact(way, kind, "differs", verdict, "", file, 8_000 + self.rank, (one, other), hits)

    def _left(self, way: str, kind: str, place: int) -> list[str]:
        """Return the causes that are left in this way; newer releases of samebytes leave fewer."""
        hit = [code for code in self.hit if kind != "sdist" or code not in ("D001", "D002", "D018")]
        if way == DATED:
            hit = [code for code in hit if code != "D011"]
        elif way != AS_IS:
            hit = [code for code in hit if code in ("D001", "D002", "D005", "D016", "D020")]
        if way == HOOK:
            hit = [code for code in hit if code in ("D001", "D005") and (self.rank + place) % 3 == 0]
        if way == BUILD:
            hit = []
        if self.stubborn and kind != "sdist":
            hit = [*hit, "D099"]
        return hit

    def _hit(self, code: str, file: str, stem: str) -> CauseHit:
        where, left, right = _BOTH[code]
        is_whole = by_code(code).code in ("D009", "D013")
        member = "" if is_whole else f"{stem}.dist-info/METADATA" if file.endswith(".whl") else f"{stem}/PKG-INFO"
        return CauseHit(code, 1 + self.rank % 5, member, where, left, right)


_REBUILT = ("identical", "identical", "same after normalization", "same payload", "different", NOT_REBUILT)


def _record(file: str) -> dict[str, object]:
    """Return a record of a rebuild, in the form of a real one."""
    needed = {
        "name": "setuptools",
        "uri": "pkg:pypi/setuptools@80.9.0?file_name=setuptools-80.9.0-py3-none-any.whl",
        "digest": {"sha256": _digest("setuptools")},
        "downloadLocation": "setuptools-80.9.0-py3-none-any.whl",
        "annotations": {"version": "80.9.0", "direct": False},
    }
    python = {"name": "python", "annotations": {"implementation": "CPython", "version": "3.12.8"}}
    definition = {
        "externalParameters": {"method": "backend", "kinds": ["wheel"], "configSettings": {}},
        "internalParameters": {"environment": {"SOURCE_DATE_EPOCH": "1580601600", "TZ": "UTC"}, "umask": "022"},
        "resolvedDependencies": [{"name": "source", "digest": {"sha256": _digest(file)}}, python, needed],
    }
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": file, "digest": {"sha256": _digest(file)}}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {"buildDefinition": definition},
    }


_REASONS = {
    State.NOT_BUILT: "build_wheel failed: error: command 'gcc' failed with exit code 1",
    State.NO_SDIST: "There is no sdist of any release.",
    State.OVER_LIMIT: "The build took longer than 600 seconds.",
    State.UNAVAILABLE: "The file has another SHA-256 than the index says.",
}
_LOG = "running bdist_wheel\nbuilding 'demo' extension\ndemo.c:3:10: fatal error: zlib.h: No such file or directory\n"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


NASTY = "<script>alert(1)</script>\"'&{{ 7*7 }}{% raw %}\x1b[31m\x00\u202egnp.exe\u2066\ud800 \u05d0\u05d1 --></title>"
"""Markup, template syntax, terminal escapes, directional marks and half a character."""

HOSTILE_NAMES = ("../../escape", NASTY, "con", "x" * 300, "", ".", "a/b", "index", "ünïcode", "A_B.C")


def hostile(run: Run) -> Iterator[Examination]:
    """Yield examinations of packages whose every text is up to something."""
    for rank, name in enumerate(HOSTILE_NAMES, start=1):
        hit = CauseHit("D001", 3, NASTY, NASTY, NASTY[:200], "")
        artifacts = tuple(
            Artifact(way, kind, "differs", "different", NASTY, NASTY, 1, (NASTY, NASTY), (hit,))
            for way in WAYS
            for kind in KINDS
        )
        yield Examination(
            name=name,
            version=NASTY,
            state=State.EXAMINED,
            started=run.started + rank,
            seconds=1.0,
            reason=NASTY,
            log=NASTY + "\n" + "long " * 4000,
            rank=rank,
            sdist=Sdist(NASTY, NASTY, 1, NASTY),
            backend=NASTY,
            backend_version=NASTY,
            is_pure=None,
            requirements=(Requirement(NASTY, NASTY, NASTY),),
            artifacts=artifacts,
            varied=(NASTY,),
            not_varied={NASTY: NASTY},
            notes=(NASTY,),
            run=run.id,
            rebuilds=tuple(_hostile_rebuilds(hit)) if run.verifies else (),
        )


def _hostile_rebuilds(hit: CauseHit) -> Iterator[Rebuild]:
    """Yield rebuilds whose records are of any form."""
    ours = _record(NASTY)
    yield Rebuild(
        "pure wheel", NASTY, "different", NASTY, NASTY, 1, NASTY, NASTY, 1.0, {NASTY: [NASTY]}, (NASTY,), (hit,)
    )
    definitions: tuple[Any, ...] = (
        [],
        {"resolvedDependencies": {"name": NASTY}, "internalParameters": [NASTY]},
        {"resolvedDependencies": [NASTY, {"name": [NASTY]}, {"name": "python", "annotations": NASTY}]},
        {"internalParameters": {"environment": {"SOURCE_DATE_EPOCH": "9" * 50}}},
        {"internalParameters": {"environment": {"SOURCE_DATE_EPOCH": [NASTY]}}},
        {"externalParameters": {"method": {}, "environment": {NASTY: NASTY}}},
    )
    for definition in definitions:
        yield Rebuild("sdist", NASTY, "different", record={**ours, "predicate": {"buildDefinition": definition}})
