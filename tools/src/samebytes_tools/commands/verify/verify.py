"""Rebuild what was published, as it was built then, and compare."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from samebytes.archive.atomic import make_directory
from samebytes.artifact.layout import ArtifactKind
from samebytes.backend.config import load
from samebytes.commands.normalize.normalize import NormalizeJob, NormalizeOptions, normalize
from samebytes.errors import ArchiveError, BackendError, ConfigError, MissingExtraError, SamebytesError, UsageError

from ...building import provenance, pylock
from ...building import source as sources
from ...building.containers import SOURCE, BuildContainer
from ...building.filled import FilledEnvironments
from ...building.interpreters import Python, installed, named
from ...building.provenance import BACKEND, SAMEBYTES, Material, PublishedFile, Record
from ...building.scratch import scratch
from ...building.signatures import NOBODY, Trust
from ...building.virtualenvs import InstalledDistribution
from ...comparison.archives import compare_files
from ...comparison.model import UNKNOWN_BUILD, Comparison, KnownBuild, Verdict
from ...index.pages import File
from ...releases.listed import shown
from ...releases.selection import Selection
from ...reporting.save import save_copy
from ...vcs.tags import date_of
from . import attestations, imitations, installed_files, published, recover, sdist_origin, vcs_source
from .attempts import ATTEMPTS, BuildCandidate, RebuildAttempt, RebuildTrial, notes
from .attestations import Attested
from .candidates import OLDEST, BuildClues, nearest, newest_of_then
from .image import ImageRequest, container_for, image_of, recorded_image, version_for
from .metadata import ArtifactMetadata
from .metadata import read as read_metadata
from .packing import improved
from .remake import Made, Recovered, VerifyContext, record, remake
from .repair import RepairedBuild, plan_in, plan_of, repair
from .sdist_origin import SdistOrigin
from .switches import switched_off, switched_on
from .unsourced import SourceFiles, unsourced
from .vcs_source import Origin
from .windows_paths import WindowsPath, windows_path

ACCEPTED = {
    "identical": (Verdict.IDENTICAL,),
    "normalized": (Verdict.IDENTICAL, Verdict.NORMALIZED),
    "payload": (Verdict.IDENTICAL, Verdict.NORMALIZED, Verdict.PAYLOAD),
}
"""Which verdicts are good enough, by what ``--accept`` says."""

# As a known path, "/usr" would explain every path of the system in a file.
_SYSTEMS = (Path("/"), Path("/usr"), Path("/usr/local"))
"""Prefixes of interpreters that are the same on many machines."""

_OLDER_TRIED = 2
"""How many older interpreters are tried where the first build fails."""

_SWITCHES_TRIED = 3
"""How many variables are tried, each of which costs a build."""


@dataclass(frozen=True)
class VerifyRequest:
    """What is to be verified."""

    target: str
    """A file, ``NAME==VERSION``, or the name of a file in the index."""
    selection: Selection = field(default_factory=Selection)
    """Which file of a release."""
    source: str = ""
    """An sdist, a tree or ``GIT-URL-OR-DIR@REF``; empty for the release's own sdist."""
    from_vcs: bool = False
    """Whether the source is the commit that attestations or the project's addresses lead to."""
    python: str = ""
    """A version or a path; empty for what the artifact wants."""
    locked: Path | None = None
    config_settings: Mapping[str, Any] = field(default_factory=dict)
    """For the backend; a record has its own."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """That the release was made with; a record has its own."""
    record: Path | None = None
    """A record to follow, instead of what can be recovered."""
    trust: Trust = NOBODY
    """Who has to have signed it."""
    sha256: str = ""
    """That the record has for its subject *target*; empty if the target was named otherwise."""
    output: Path | None = None
    """Where the rebuilt file is put; None for nowhere."""
    index: str = ""
    """The address of the index that a list names for it."""
    installed: Path | None = None
    """The ``.dist-info`` directory of what is installed, which has to be what was published."""
    notes: tuple[str, ...] = ()
    """What is to be noted of it beforehand."""
    image: ImageRequest | None = None
    """Where wheels for manylinux and musllinux are rebuilt; None: on this machine."""
    attempts: int = ATTEMPTS
    """How many further builds there may be where the first gives something else."""


@dataclass(frozen=True)
class Verified:
    """What became of one verification."""

    name: str
    """Of the artifact."""
    sha256: str
    url: str
    """Where it was downloaded or is published; empty if the index does not know it."""
    source: Material
    source_described: str
    """For people: where it comes from."""
    recovered: Recovered
    requirements: tuple[InstalledDistribution, ...]
    comparison: Comparison
    """Left: what was published; right: what was rebuilt."""
    record: Record
    notes: tuple[str, ...]
    chosen: str = ""
    """Why this file of the release was taken; empty if it was asked for, or there is no other."""
    repaired: RepairedBuild | None = None
    """How the rebuilt wheel was repaired; None if the published one was not."""
    origin: Origin | None = None
    """The commit that was looked for and is the source; None if another source was asked for."""
    sdist: SdistOrigin | None = None
    """What the release's sdist is to that commit; None if there is no sdist, or no commit."""
    container: BuildContainer | None = None
    """Where it was rebuilt; None: on this machine."""
    attempts: tuple[RebuildAttempt, ...] = ()
    """Further builds that there were, as the first did not give what was published."""


@dataclass(frozen=True)
class VerifyResult:
    """One of several verifications: done, or failed with an error."""

    target: str
    verified: Verified | None = None
    error: SamebytesError | None = None
    skipped: str = ""
    """Why there was nothing to verify."""


def verify_all(requests: Sequence[VerifyRequest], context: VerifyContext) -> Iterator[VerifyResult]:
    """Yield a result for each of *requests*, in their order; an error is a result, and the rest go on."""
    for request in requests:
        context.build.report(f"Verifying {request.target}")
        try:
            yield VerifyResult(request.target, verified=verify(request, context))
        except SamebytesError as error:
            yield VerifyResult(request.target, error=error)


def verify(request: VerifyRequest, context: VerifyContext) -> Verified:
    """Rebuild what *request* names, and compare.

    :raises SamebytesError: if it, its source, an interpreter or build requirements cannot be had, or the build fails.
    """
    with scratch(context.within) as private:
        # It may be built more than once.
        filled = context.filled or FilledEnvironments(private / "filled")
        return _Verification(request, replace(context, filled=filled), private).run()


def requests_of(path: Path, request: VerifyRequest) -> list[VerifyRequest]:
    """Return a request for each file that the record *path* is about: the one beside it, else that of the index.

    :raises ConfigError: if it is not a record.
    """
    found = []
    for name, sha256 in provenance.read(path, request.trust).subjects:
        beside = path.parent / name
        target = str(beside) if beside.is_file() else name
        found.append(replace(request, target=target, record=path, sha256=sha256))
    return found


class _Verification:
    """The steps, each of which may leave a note."""

    def __init__(self, request: VerifyRequest, context: VerifyContext, private: Path) -> None:
        self._request, self._context, self._private = request, context, private
        self._origin: Origin | None = None
        self._committed: sdist_origin.Digests = {}
        self._record = provenance.read(request.record, request.trust) if request.record else None
        self._notes = [*request.notes, *filter(None, [self._record.signed if self._record else ""])]

    def run(self) -> Verified:
        request, environ = self._request, self._context.build.environ
        own = provenance.this_python()
        asked = self._asked()
        artifact = self._artifact(asked or own)
        self._note(artifact.note)
        asked_for = shown(request.index).rstrip("/")
        if asked_for not in ("", self._context.index().address):
            self._note(f"the list takes it from {asked_for}, and {self._context.index().address} was asked")
        if request.installed:
            installed_files.check(request.installed, artifact.path)
        metadata = read_metadata(artifact.path)
        python = self._entered(metadata, own) or recover.interpreter(metadata, asked, own, environ)
        source = self._source(artifact, metadata)
        before = SourceFiles(source.tree)
        how = self._recovered(artifact, metadata, source, python, own)
        how, made = self._made(how, artifact, metadata, source)
        if metadata.kind == ArtifactKind.WHEEL and _is_pure(artifact.path) != _is_pure(made.path):
            how, made = self._switched(how, made, artifact, metadata, source)
        repaired = self._repaired(how, made, artifact, metadata, source)
        made = repaired.made if repaired else made
        self._context.build.report("Comparing")
        url = artifact.file.url if artifact.file else ""
        first = RebuildTrial(how, made, self._compared(artifact.path, url, made.path, source, how))
        # Compilers decide what a repaired wheel is, and no backend.
        (how, made, comparison), tried = (first, ()) if repaired else self._improved(first, artifact, metadata, source)
        if path := self._windows_path(comparison):
            self._note(path.note)
        sdist = self._sdist(how, made, artifact, metadata) if self._origin else None
        if metadata.kind == ArtifactKind.WHEEL and comparison.verdict == Verdict.DIFFERENT:
            self._notes += unsourced(artifact.path, made.path, before).notes()
        return Verified(
            name=artifact.path.name,
            sha256=artifact.sha256,
            url=url,
            source=Material(source.uri, source.digest, source.location),
            source_described=source.description,
            recovered=how,
            requirements=made.requirements,
            comparison=replace(comparison, right=replace(comparison.right, path=self._kept(made.path))),
            record=replace(
                record(how, metadata.kind, source, made),
                image=recorded_image(self._context.container),
                repair=repaired.recorded() if repaired else None,
                published=PublishedFile(artifact.path.name, artifact.sha256, url, comparison.verdict.value),
            ),
            notes=tuple(dict.fromkeys(self._notes)),
            chosen=artifact.chosen,
            repaired=repaired,
            origin=self._origin,
            sdist=sdist,
            container=self._context.container,
            attempts=tried,
        )

    def _made(
        self,
        how: Recovered,
        artifact: published.PublishedArtifact,
        metadata: ArtifactMetadata,
        source: sources.SourceTree,
    ) -> tuple[Recovered, Made]:
        """Build, and if that fails with a Python that is younger than the artifact, with one of then."""
        until = self._before(how, metadata)
        logs: list[Path] = []
        build = self._context.build if until is None else replace(self._context.build, show_log=logs.append)
        try:
            return how, remake(how, metadata.kind, source, self._private, replace(self._context, build=build))
        except BackendError:
            for python in [] if until is None else self._older(replace(how, until=until), metadata):
                self._context.build.report(f"Building again, with Python {python.short}")
                again = replace(how, python=python)
                made = self._again(again, artifact, metadata, self._private / f"python-{python.short}")
                if made is not None:
                    self._note(f"it does not build with Python {how.python.short}, which is younger than it is")
                    return again, made
            for log in logs:
                self._context.build.show_log(log)
            raise

    def _before(self, how: Recovered, metadata: ArtifactMetadata) -> int | None:
        """Return when it was built, if that was before there was the Python of *how* and another one may do."""
        is_said = self._record or how.locked or self._request.python or self._context.container
        is_any = metadata.kind == ArtifactKind.SDIST or metadata.tags.startswith(("py2.py3-", "py3-"))
        if is_said or not is_any or how.method != BACKEND:
            return None
        # Without times of upload, the file's own may do; where they are too old, some builds that fail are tried again.
        until = how.until if how.until is not None else metadata.latest
        return until if how.python.minor[1] > newest_of_then(until) else None

    def _older(self, how: Recovered, metadata: ArtifactMetadata) -> list[Python]:
        """Return the interpreters to try in place of that of *how*, which is too young."""
        found = nearest(installed(self._context.build.environ, OLDEST), how, metadata, OLDEST)
        return [one for one in found if one.minor < how.python.minor][: min(self._request.attempts, _OLDER_TRIED)]

    def _asked(self) -> Python | None:
        """Return the interpreter of this machine that is asked for; None if none is."""
        asked, environ = self._request.python, self._context.build.environ
        try:
            return named(asked, environ) if asked else self._recorded_python()
        except UsageError:
            if self._request.image is None:
                raise
            return None  # the image may have it

    def _entered(self, metadata: ArtifactMetadata, own: Python) -> Python | None:
        """Let what follows run in an image, if that is asked for, and return the interpreter there."""
        request = self._request
        recorded = self._record.image if self._record else None
        if request.image is None:
            if recorded:
                self._note(f"the record was made in an image; --image {shlex.quote(recorded.reference)} builds there")
            return None
        if not image_of(metadata.tags):
            self._note("it is not for manylinux or musllinux: it was rebuilt on this machine, and not in an image")
            return None
        version = request.python or (self._record.python.short if self._record else "")
        version = version_for(metadata, version, own.short)
        container = container_for(request.image, metadata, version, self._context, self._private)
        self._context = replace(self._context, container=container)
        return container.python

    def _repaired(
        self,
        how: Recovered,
        made: Made,
        artifact: published.PublishedArtifact,
        metadata: ArtifactMetadata,
        source: sources.SourceTree,
    ) -> RepairedBuild | None:
        """Repair what was made, if the published wheel was repaired."""
        recorded = self._record.repair if self._record else None
        plan = plan_in(recorded, self._private) if recorded else plan_of(artifact.path, metadata.tags, source.tree)
        if plan is None:
            return None
        if self._context.container is None:
            self._note("it was built in an image for its tag; the rebuild is of this machine")
        uploaded = artifact.file.uploaded if artifact.file else None
        until = how.until if how.until is not None else uploaded
        found = repair(made, plan, how, until, self._private, self._context)
        self._note(found.note)
        return found

    def _switched(
        self,
        how: Recovered,
        made: Made,
        artifact: published.PublishedArtifact,
        metadata: ArtifactMetadata,
        source: sources.SourceTree,
    ) -> tuple[Recovered, Made]:
        """Build a pure wheel, whose source builds an extension here, without that, and the other way round."""
        is_off = _is_pure(artifact.path)
        kinds = ("is pure", "an extension", "off") if is_off else ("has an extension", "a pure wheel", "on")
        what = "the wheel {}, and its source builds {} here: it was built with the extension switched {}".format(*kinds)
        # It was asked for so, or is followed.
        found = [] if self._record or how.given else (switched_off if is_off else switched_on)(source.tree)
        tried = []
        for number, variables in enumerate(found[:_SWITCHES_TRIED]):
            named_ = " ".join(f"{name}={value}" for name, value in variables.items())
            self._context.build.report(f"Building again, with {named_}")
            again = self._again(how.with_variables(variables), artifact, metadata, self._private / f"again-{number}")
            if again is not None and _is_pure(again.path) == is_off:
                self._note(f"{what}, by {named_}")
                return how.with_variables(variables), again
            tried.append(f"{named_} {'does not do it' if again else 'does not build here'}")
        why = "; ".join(tried) or "no variable for that was found in its build script"
        self._note(f"{what}, by what is not known ({why}); --env or -C may do it")
        return how, made

    def _improved(
        self,
        first: RebuildTrial,
        artifact: published.PublishedArtifact,
        metadata: ArtifactMetadata,
        source: sources.SourceTree,
    ) -> tuple[RebuildTrial, tuple[RebuildAttempt, ...]]:
        """Build again as the artifact shows that it may have been built, if the *first* build gave something else."""
        # A record and a lock say how it is to be built; samebytes writes one form whatever it is run with.
        if self._record or first.how.locked or first.how.method != BACKEND:
            return first, ()
        url, numbers = artifact.file.url if artifact.file else "", count(1)

        def build(candidate: BuildCandidate) -> RebuildTrial | None:
            self._context.build.report(f"Building again, with {candidate.change}")
            made = self._again(candidate.how, artifact, metadata, self._private / f"attempt-{next(numbers)}")
            if made is None:
                return None
            try:
                compared = self._compared(artifact.path, url, made.path, source, candidate.how)
            except ArchiveError:  # what an old backend made need not be readable
                return None
            return RebuildTrial(candidate.how, made, compared)

        def clues(trial: RebuildTrial) -> BuildClues:
            return BuildClues(
                artifact.path,
                trial.made,
                trial.how,
                metadata,
                source.tree,
                load(source.tree).backend.name,
                self._context.index(),
                lambda: () if self._request.python else installed(self._context.build.environ, OLDEST),
                trial.comparison,
                self._windows_path(trial.comparison) is not None,
            )

        best, tried = improved(first, clues, build, self._request.attempts)
        self._notes += notes(first.comparison.verdict, tried)
        return best, tried

    def _windows_path(self, comparison: Comparison) -> WindowsPath | None:
        own = {str(self._private), str(self._private.resolve())}
        return windows_path(comparison, [*sorted(own), *[SOURCE] * (self._context.container is not None)])

    def _again(
        self,
        how: Recovered,
        artifact: published.PublishedArtifact,
        metadata: ArtifactMetadata,
        private: Path,
        kind: ArtifactKind | None = None,
    ) -> Made | None:
        """Build once more, in another directory; None if that fails, for it was only a try."""
        private.mkdir()
        quiet = replace(self._context, build=replace(self._context.build, show_log=lambda _: None))
        try:
            # From a new tree: the build before has left its files in the other.
            return remake(how, kind or metadata.kind, self._source(artifact, metadata, private), private, quiet)
        # Whatever it is: the first build has a result, and a repository may not be there to be cloned again.
        except SamebytesError:
            return None

    def _artifact(self, python: Python) -> published.PublishedArtifact:
        request, index, downloads = self._request, self._context.index, self._private / "downloads"
        if request.record and request.sha256:
            return published.subject_of(request.record, Path(request.target).name, request.sha256, index, downloads)
        subjects = self._record.subjects if self._record else ()
        selection = replace(request.selection, likely=frozenset(name for name, _ in subjects))
        return published.find(
            request.target, selection, lambda: python, index, downloads, is_in_index=self._record is not None
        )

    def _compared(
        self, published_: Path, url: str, made: Path, source: sources.SourceTree, how: Recovered
    ) -> Comparison:
        """Compare, and name the two for who reads it when the private directory is gone."""
        # Extensions carry the interpreter's location.
        prefix = Path(how.python.executable).resolve().parent.parent
        own = () if prefix in _SYSTEMS else (str(prefix),)
        place = SOURCE if self._context.container else str(source.tree)
        paths = (place, str(self._private), *own)
        zone, umask = how.given.get("TZ", "UTC"), imitations.umask(how.given)
        build = KnownBuild(paths, timezone=zone, umask=umask, hash_seed="0", interpreter="".join(own))
        found = compare_files(published_, made, (UNKNOWN_BUILD, build))
        left = self._request.target if Path(self._request.target).is_file() else url
        return replace(found, left=replace(found.left, path=left), right=replace(found.right, path=made.name))

    def _note(self, text: str) -> None:
        if text:
            self._notes.append(text)

    def _recorded_python(self) -> Python | None:
        """Return the interpreter that the record asks for."""
        if self._record is None:
            return None
        wanted = self._record.python
        python = named(wanted.short, self._context.build.environ)
        if python.version != wanted.version:
            self._note(f"the record was made with Python {wanted.version}, and {python.version} is here")
        return python

    def _sdist_of(self, metadata: ArtifactMetadata) -> File:
        """Return the sdist of the release that pip takes; a note says so if there are others."""
        python = self._asked() or provenance.this_python()
        file, note = published.sdist_of(self._context.index(), metadata.name, metadata.version, python.version)
        self._note(note)
        return file

    def _source(
        self, artifact: published.PublishedArtifact, metadata: ArtifactMetadata, private: Path | None = None
    ) -> sources.SourceTree:
        """Return the source: what was asked for, what the record names, or the release's own sdist."""
        directory = (private or self._private) / "source"
        directory.mkdir()
        if self._request.source:
            target, record = Path(self._request.target), self._request.record
            output = target.parent if target.is_file() else record and record.parent
            found = sources.from_text(self._request.source, directory, output, record)
        elif self._request.from_vcs:
            return self._commit(artifact, metadata, directory)
        elif self._record:
            own = artifact.path.name if metadata.kind == ArtifactKind.SDIST else ""
            found = self._recorded_source(self._record.source, directory, own)
        elif metadata.kind == ArtifactKind.SDIST:
            self._note("the sdist is its own source: this shows whether it can be made again, not where it came from")
            return sources.from_itself(artifact.path, directory, artifact.file.url if artifact.file else "")
        else:
            file = self._sdist_of(metadata)
            return sources.from_sdist(self._download(file), directory, file.url)
        # The address alone does not do: tags move, and downloads can be replaced.
        if self._record and found.digest != self._record.source.digest:
            raise ConfigError(
                f"{found.description} is not the source of the record: {dict(found.digest)}, not "
                f"{dict(self._record.source.digest)}",
                remedy="Give the very source with --source, or leave --from away.",
            )
        return found

    def _commit(
        self, artifact: published.PublishedArtifact, metadata: ArtifactMetadata, directory: Path
    ) -> sources.SourceTree:
        """Return the tree of the commit that the artifact comes from, which is looked for once."""
        if self._origin is not None:
            return vcs_source.checkout(self._origin, metadata.name, directory)
        self._context.build.report("Looking for the commit")
        attested = self._attested(artifact.file, artifact.path)
        try:
            origin = vcs_source.find(metadata, attested)
        except UsageError as error:
            # Notes are only shown of what was verified; this one may be the way out.
            message = "; ".join([error.message, *(note for note in self._notes if "attestations" in note)])
            raise UsageError(message, remedy=error.remedy) from None
        self._context.build.report(f"Cloning {origin.shown}")
        found = vcs_source.checkout(origin, metadata.name, directory)
        for note in origin.notes:
            self._note(note)
        uploaded = artifact.file.uploaded if artifact.file else None
        if uploaded is not None and date_of(found.tree, origin.commit) > uploaded:
            self._note("the commit was made after the file was uploaded: its tag may have been moved")
        self._origin, self._committed = origin, sdist_origin.of_tree(found.tree)
        return found

    def _attested(self, file: File | None, path: Path) -> Attested | None:
        """Return what the attestations of *file* say, with a note if nothing is there to check them."""
        try:
            return attestations.attested(file, path, self._context.index())
        except MissingExtraError as error:
            self._note(f"{error.message}: {error.remedy}")
            return None

    def _sdist(
        self, how: Recovered, made: Made, artifact: published.PublishedArtifact, metadata: ArtifactMetadata
    ) -> SdistOrigin | None:
        """Return what the release's sdist is to the commit."""

        def rebuild() -> Path | None:
            if metadata.kind == ArtifactKind.SDIST:
                return made.path
            self._context.build.report("Building an sdist of the commit, too")
            kind = ArtifactKind.SDIST
            again = self._again(replace(how, kinds=(kind,)), artifact, metadata, self._private / "sdist", kind)
            return again.path if again else None

        path = artifact.path
        if metadata.kind == ArtifactKind.WHEEL:
            try:
                file = self._sdist_of(metadata)
            except UsageError:
                self._note("the release has no sdist to compare with the commit")
                return None
            path = self._download(file)
            attested = self._attested(file, path)
            if self._origin and attested and attested.commit not in ("", self._origin.commit):
                self._note(f"{file.name} was published from another commit: {attested.commit[:12]}")
        return sdist_origin.compare(path, self._committed, rebuild)

    def _recorded_source(self, material: Material, directory: Path, own: str) -> sources.SourceTree:
        """Return the source that a record names; *own* is the name of the sdist that is to be made again, or empty."""
        if material.uri.startswith("git+"):
            return vcs_source.recorded(material.uri, directory)
        if material.uri.startswith("pkg:pypi/"):
            filename = unquote(material.uri.rpartition("file_name=")[2])
            file = published.by_name(filename, self._context.index())
            # As without the record: an sdist that is its own source has files of the backend in it.
            unpacked = sources.from_itself if filename == own else sources.from_sdist
            return unpacked(self._download(file), directory, file.url)
        raise UsageError(
            "the record was made of a directory, and does not name it",
            remedy="Name the source with --source; it is held against the record's digest.",
        )

    def _download(self, file: File) -> Path:
        downloads = self._private / "downloads"
        downloads.mkdir(exist_ok=True)
        # The sdist may be the artifact itself, and downloaded already.
        path = downloads / file.name
        return path if path.is_file() else self._context.index().download(file, downloads)

    def _recovered(
        self,
        artifact: published.PublishedArtifact,
        metadata: ArtifactMetadata,
        source: sources.SourceTree,
        python: Python,
        own: Python,
    ) -> Recovered:
        """Find out how it was built."""
        how = (
            self._recorded(self._record, python) if self._record else self._guessed(artifact, metadata, source, python)
        )
        if how.method == SAMEBYTES and self._context.container is not None:
            raise UsageError("the record is of samebytes build, which runs in no image", remedy="Leave --image away.")
        # `samebytes build` builds with the interpreter that it runs in.
        if how.method == SAMEBYTES and python.short != own.short:
            raise UsageError(
                f"samebytes itself built {artifact.path.name} with Python {python.short}, and {own.short} runs it here",
                remedy=f"Run samebytes with that: python{python.short} -m samebytes verify ...",
            )
        return how

    def _recorded(self, record: Record, python: Python) -> Recovered:
        locked = self._private / "pylock.toml"
        locked.write_text(pylock.write(record.requirements), encoding="utf-8")
        environment, settings = record.environment, record.config_settings
        how = Recovered(record.method, python, "", (), None, environment, settings, record.kinds, locked)
        return how.with_variables(record.given)

    def _guessed(
        self,
        artifact: published.PublishedArtifact,
        metadata: ArtifactMetadata,
        source: sources.SourceTree,
        python: Python,
    ) -> Recovered:
        variables = inherited(self._context.build.environ)
        date = recover.epoch(metadata)
        if date is not None and not (metadata.brings_date and recover.date_of(source.tree, variables) == date):
            variables["SOURCE_DATE_EPOCH"] = str(date)
        # In an image, samebytes is not there; the archives are compared after normalization all the same.
        is_ours = self._context.container is None and _is_canonical(artifact.path)
        method = SAMEBYTES if is_ours else BACKEND
        settings, locked = self._request.config_settings, self._request.locked
        how = Recovered(method, python, metadata.generator, (), None, variables, settings, (metadata.kind,), locked)
        how = how.with_variables(self._request.variables)
        if how.locked:
            return how
        requires = load(source.tree).requires
        # Sdists do not say what wrote them.
        if metadata.kind == ArtifactKind.SDIST:
            metadata = replace(metadata, generator=self._generator_beside(metadata))
        pins, note = recover.pins(metadata, requires, source.tree, self._context.index())
        self._note(note)
        moment = recover.moment(artifact.file, metadata, requires, self._context.index())
        moment = recover.buildable(moment, requires, self._context.index(), python)
        self._note(moment.note)
        return replace(how, generator=metadata.generator, pins=pins, until=moment.until)

    def _generator_beside(self, metadata: ArtifactMetadata) -> str:
        """Return the ``Generator`` of a wheel of the sdist's release: both were most likely built by the same."""
        try:
            files = published.of_release(self._context.index(), metadata.name, metadata.version)
        except UsageError:
            return ""
        wheels = sorted((file for file in files if file.name.endswith(".whl")), key=lambda one: "-any." not in one.name)
        try:
            return read_metadata(self._download(wheels[0])).generator if wheels else ""
        except ArchiveError as error:  # it is not what is verified
            self._note(
                f"{wheels[0].name}, whose Generator would show what made the sdist, is not read: {error.message}"
            )
            return ""

    def _kept(self, made: Path) -> str:
        """Put the rebuilt file where it is wanted, and return where it is; its name if it is not wanted."""
        output = self._request.output
        if output is None:
            return made.name
        make_directory(output)
        save_copy(made, output / made.name)
        return str(output / made.name)


def inherited(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of the caller that change a rebuild of what no record is of."""
    # Pinned, or recovered from the artifact, whatever the shell of today has.
    others = ("LC_ALL", "TZ", "PYTHONHASHSEED", "SOURCE_DATE_EPOCH")
    return {name: value for name, value in provenance.that_matter(environ).items() if name not in others}


def _is_pure(path: Path) -> bool:
    """Return whether the wheel is for any platform, by its name."""
    return path.name.endswith("-any.whl")


def _is_canonical(path: Path) -> bool:
    """Return whether the file is in canonical form, so that most likely samebytes built it."""
    result = next(normalize([NormalizeJob(path, path)], NormalizeOptions(write=False)))
    return result.error is None and not result.changed
