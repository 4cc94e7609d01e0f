"""Commits that released files come from: as their attestations say, or the tags of the project's repository.

Sources: PEP 740; the PyPA's specification "Well-known Project URLs in Metadata".
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from packaging.utils import canonicalize_name

from samebytes.artifact.layout import is_source_tree
from samebytes.backend.config import toml_bytes
from samebytes.errors import ConfigError, UsageError

from ...building import source as sources
from ...building.source import SourceTree
from ...index.transport import SCHEMES, is_address
from ...vcs import tags
from ...vcs.clone import demand_protocol, without_secrets
from .attestations import Attested
from .metadata import ArtifactMetadata

_SOURCE_LABELS = frozenset({"source", "repository", "sourcecode", "github", "sourcerepository", "code", "gitlab"})
"""Normalized; the first four are the specification's."""

_HOSTS = ("github.com", "gitlab.com", "codeberg.org", "bitbucket.org", "gitee.com", "git.sr.ht")
"""Hosts of repositories, whose addresses have the form HOST/OWNER/NAME."""

_NO_OWNERS = frozenset({"sponsors", "orgs", "users", "apps", "marketplace", "features", "topics", "about", "settings"})
_MOST_ASKED = 4
"""Repositories of one project, each of which may take as long as git waits."""

_DEEPEST = 3
"""How many directories down a project of a repository of several is looked for."""

_NAMED_SOURCE = "Name the source: --source URL@REF."


@dataclass(frozen=True)
class Origin:
    """A commit, and how it was found."""

    repository: str
    commit: str
    ref: str
    """The tag; empty if there is none."""
    found_by: str
    """For people: by what it was found."""
    publisher: str = ""
    """Who published the file, as its attestations say; empty if it has none."""
    directory: str = ""
    """Where in the repository an address of the project leads; empty for its top, or what is found there."""
    notes: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """The address without a password."""
        return without_secrets(self.repository)


@dataclass(frozen=True)
class _Candidate:
    """A repository that may be the project's."""

    address: str
    label: str
    directory: str = ""


def find(metadata: ArtifactMetadata, attested: Attested | None) -> Origin:
    """Return the commit that the release of *metadata* comes from.

    :raises UsageError: if none is found, or several are, or a repository cannot be reached.
    """
    if attested is not None and attested.repository and attested.commit:
        return _by_attestation(metadata, attested)
    said = f"published by {attested.publisher}, whose certificate names no commit" if attested else ""
    found = _by_tags(metadata)
    notes = (said,) if said else ()
    return replace(found, publisher=attested.publisher if attested else "", notes=(*notes, *found.notes))


def _by_attestation(metadata: ArtifactMetadata, attested: Attested) -> Origin:
    if not _is_fetched(attested.repository) or not re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", attested.commit):
        raise UsageError(
            f"the attestation names {attested.repository[:100]!r} and {attested.commit[:80]!r}, which is not a commit "
            "that can be fetched",
            remedy=_NAMED_SOURCE,
        )
    tag = attested.ref.removeprefix("refs/tags/") if attested.ref.startswith("refs/tags/") else ""
    own = [one.directory for one in candidates(metadata.urls) if one.address == attested.repository]
    return Origin(
        attested.repository,
        attested.commit,
        tag,
        f"the attestation of {attested.publisher}",
        attested.publisher,
        next((one for one in own if one), ""),
        tuple(_moved(attested, tag)),
    )


def _moved(attested: Attested, tag: str) -> Iterator[str]:
    """Yield what became of the *tag* since."""
    if not tag:
        return
    now = tags.of_repository(attested.repository).get(tag)
    if now is None:
        yield f"the tag {tag} that it was published from is not there any more"
    elif now != attested.commit:
        yield f"the tag {tag} was moved: it names {now[:12]} now, and {attested.commit[:12]} was published"


def _by_tags(metadata: ArtifactMetadata) -> Origin:
    """Return the commit of the release's tag in the first repository that has one."""
    asked, failures = candidates(metadata.urls)[:_MOST_ASKED], []
    for one in asked:
        try:
            commits = tags.of_repository(one.address)
        except UsageError as error:
            failures.append(error.message)
            continue
        found = tags.of_release(commits, metadata.name, metadata.version)
        if not found:
            failures.append(f"{without_secrets(one.address)} has no tag for {metadata.version}")
            continue
        if len({commits[tag] for tag in found}) > 1:
            raise UsageError(
                f"several tags of {without_secrets(one.address)} may be that of {metadata.name} {metadata.version}, "
                f"and they name different commits: {tags.shown(commits, found)}",
                # Quoted: both are others' texts, and this is pasted into a shell.
                remedy=f"Name one: --source {shlex.quote(f'{without_secrets(one.address)}@{found[0]}')}",
            )
        where = f"tag {found[0]} of the repository in its metadata ({one.label[:40]})"
        return Origin(one.address, commits[found[0]], found[0], where, directory=one.directory, notes=tuple(failures))
    why = "; ".join(failures) or "its metadata names no repository (Project-URL)"
    raise UsageError(f"the commit of {metadata.name} {metadata.version} is not known: {why}", remedy=_NAMED_SOURCE)


def candidates(urls: Sequence[tuple[str, str]]) -> list[_Candidate]:
    """Return the repositories that *urls* lead to: those that are called a source before others on hosts of such."""
    found: dict[str, _Candidate] = {}
    is_source = [re.sub(r"[\W_]", "", label).lower() in _SOURCE_LABELS for label, _ in urls]
    for wanted in (True, False):
        for (label, address), called in zip(urls, is_source):
            one = _candidate(label, address, called) if called is wanted else None
            if one is not None:
                found.setdefault(one.address, one)
    return list(found.values())


def _candidate(label: str, address: str, is_source: bool) -> _Candidate | None:
    if not _is_fetched(address):
        return None
    parts = urlsplit(address.removeprefix("git+"))
    path = [part for part in parts.path.split("/") if part]
    if (parts.hostname or "").removeprefix("www.") not in _HOSTS:
        # Elsewhere, only what is called a source is one: every project has a page.
        return _Candidate(address.removeprefix("git+").partition("#")[0].rstrip("/"), label) if is_source else None
    if len(path) < 2 or path[0].lower() in _NO_OWNERS:
        return None
    # GitLab has groups in groups, and "-" before what is not a repository.
    end = path.index("-") if "-" in path else 2
    rest = path[end + 1 :] if "-" in path else path[2:]
    directory = "/".join(rest[2:]) if rest[:1] in (["tree"], ["src"]) else ""
    return _Candidate(f"{parts.scheme}://{parts.netloc}/{'/'.join(path[:end])}".removesuffix(".git"), label, directory)


def _is_fetched(address: str) -> bool:
    """Return whether git may be given *address*, which comes from strangers: not what runs a program, or is of here."""
    return is_address(address.removeprefix("git+"))


def checkout(origin: Origin, project: str, directory: Path) -> SourceTree:
    """Clone the repository of *origin* into *directory*, and return the tree of *project* in its commit.

    :raises UsageError: if the repository or commit is not there, or has no such project.
    """
    try:
        # ssh would ask on the terminal, and offer keys to whomever a stranger names.
        found = sources.from_git(origin.repository, origin.commit, directory, submodules=":".join(SCHEMES))
    except UsageError as error:
        raise UsageError(
            f"the commit {origin.commit[:12]} of {origin.shown} cannot be had: {error.message}",
            remedy="It may have been removed with its tag or branch. Name a copy: --source URL@COMMIT.",
        ) from None
    ref = f"{origin.ref} ({origin.commit[:12]})" if origin.ref else origin.commit[:12]
    found = replace(found, description=f"{origin.shown} at {ref}")
    # Such an address may lead to the documentation as well.
    is_named = bool(origin.directory) and is_source_tree(found.tree / origin.directory)
    return below(found, origin.directory if is_named else _directory_of(project, found.tree, origin))


def recorded(uri: str, directory: Path) -> SourceTree:
    """Clone what *uri* of a record names (``git+URL@COMMIT#subdirectory=DIR``) into *directory*, and return the tree.

    :raises UsageError: if the repository or commit is not there, or has no project there, or if strangers are not
        trusted to name such an address.
    """
    address, _, subdirectory = uri.removeprefix("git+").partition("#subdirectory=")
    # The last "@": the address may have a user before its host.
    where, _, commit = address.rpartition("@")
    demand_protocol(where, ("file", *SCHEMES))
    return below(sources.from_git(where, commit, directory, submodules=":".join(SCHEMES)), subdirectory)


def below(source: SourceTree, directory: str) -> SourceTree:
    """Return the project in a *directory* of the checkout *source*.

    :raises UsageError: if there is none.
    """
    tree, top = source.tree / directory, source.tree.resolve()
    # In this order: links in a circle cannot be resolved, and lead to no project.
    if not is_source_tree(tree) or top not in (tree.resolve(), *tree.resolve().parents):
        raise UsageError(
            f"{source.description} has no project in {directory or 'its top directory'}", remedy=_NAMED_SOURCE
        )
    if not directory:
        return source
    description = f"{source.description}, in {directory}"
    # As pip names a directory of a repository.
    uri = f"{source.uri}#subdirectory={directory}" if source.uri else ""
    return replace(source, tree=tree, description=description, uri=uri)


def _directory_of(project: str, top: Path, origin: Origin) -> str:
    """Return the directory, below *top*, of *project*; its top if no other has that name."""
    wanted = canonicalize_name(project)
    if _name_in(top) in (wanted, "") and is_source_tree(top):
        return ""
    found = [path for path in _below(top, _DEEPEST) if _name_in(path) == wanted]
    if len(found) > 1:
        shown = ", ".join(path.relative_to(top).as_posix() for path in found[:5])
        raise UsageError(
            f"{origin.shown} has several projects called {project}: {shown}",
            remedy="Clone it, and name one: --source DIR.",
        )
    return found[0].relative_to(top).as_posix() if found else ""


def _below(top: Path, depth: int) -> Iterator[Path]:
    for path in sorted(top.iterdir()) if depth else ():
        if not path.is_symlink() and path.is_dir() and not path.name.startswith("."):
            yield path
            yield from _below(path, depth - 1)


def _name_in(tree: Path) -> str:
    """Return the project's name in pyproject.toml, normalized; nothing if it is not there."""
    from samebytes.backend.config import parsed_toml

    try:
        document = parsed_toml(toml_bytes(tree / "pyproject.toml").decode("utf-8"))
    except (OSError, ValueError, ConfigError):
        return ""
    tool = document.get("tool", {})
    tables = (document.get("project"), tool.get("poetry") if isinstance(tool, dict) else None)
    names = [table.get("name") for table in tables if isinstance(table, dict)]
    return next((canonicalize_name(name) for name in names if isinstance(name, str)), "")
