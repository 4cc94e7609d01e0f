"""The commit that a release comes from: where its repository is, which tag, and where in it the project lies."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from samebytes_tools.building import source as sources
from samebytes_tools.building.source import SourceTree
from samebytes_tools.commands.verify import vcs_source
from samebytes_tools.commands.verify.attestations import Attested
from samebytes_tools.commands.verify.metadata import ArtifactMetadata
from samebytes_tools.commands.verify.vcs_source import candidates, checkout, find
from samebytes_tools.vcs import tags
from support.conditions import git
from support.projects import write_tree

from samebytes.artifact.layout import ArtifactKind
from samebytes.backend import git as backend_git
from samebytes.errors import UsageError

ADDRESS = "https://git.example.org/demo"
GITHUB = "https://github.com/ada/demo"


@pytest.mark.parametrize(
    ("label", "address", "expected"),
    [
        ("Source", f"{ADDRESS}.git", (f"{ADDRESS}.git", "")),
        ("source code", f"{ADDRESS}/", (ADDRESS, "")),
        ("Repository", f"git+{ADDRESS}", (ADDRESS, "")),
        ("Home-page", ADDRESS, None),
        ("Homepage", GITHUB, (GITHUB, "")),
        ("Bug Tracker", f"{GITHUB}/issues", (GITHUB, "")),
        ("Changelog", f"{GITHUB}/blob/main/CHANGES.md", (GITHUB, "")),
        ("Source", f"{GITHUB}/tree/main/packages/demo", (GITHUB, "packages/demo")),
        ("Source", "https://gitlab.com/a/b/c/-/tree/main/sub", ("https://gitlab.com/a/b/c", "sub")),
        ("Source", "https://github.com/ada", None),
        ("Funding", "https://github.com/sponsors/ada", None),
        ("Source", "https://example.org", ("https://example.org", "")),
    ],
)
def test_addresses(label: str, address: str, expected: tuple[str, str] | None) -> None:
    found = candidates([(label, address)])
    assert [(one.address, one.directory) for one in found] == ([expected] if expected else [])


@pytest.mark.parametrize(
    "address",
    [
        *("ext::sh -c id", "file:///etc", "/etc", "ssh://git@host/a", "git@github.com:a/b", "--upload-pack=id", ""),
        *("https://host/a\nb", "http://[", "fd::3", "git+file:///etc", "git+ext::sh"),
    ],
)
def test_git_is_not_given_what_runs_a_program_or_is_of_this_machine(address: str) -> None:
    assert candidates([("Source", address)]) == []


def test_what_is_called_a_source_comes_first() -> None:
    urls = [("Homepage", "https://github.com/ada/site"), ("Issues", f"{GITHUB}/issues"), ("Source", ADDRESS)]
    assert [one.address for one in candidates(urls)] == [ADDRESS, "https://github.com/ada/site", GITHUB]


METADATA = ArtifactMetadata(ArtifactKind.WHEEL, "demo", "1.0", urls=(("Source", ADDRESS),))
needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository that is found at ADDRESS, with a project and a tag of its release."""
    root = write_tree(tmp_path / "origin", {"pyproject.toml": "", "demo.py": ""})
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", f"url.{root.as_uri()}.insteadOf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", ADDRESS)
    git("init", "--quiet", cwd=root)
    commit(root)
    git("tag", "v1.0", cwd=root)
    return root


def commit(root: Path) -> str:
    git("add", "--all", cwd=root)
    git("commit", "--quiet", "--allow-empty", "--message", "All", cwd=root, date="2024-01-01T00:00:00Z")
    return backend_git.git(root, "rev-parse", "HEAD", environ=os.environ).strip()


@needs_git
def test_by_a_tag(repository: Path, tmp_path: Path) -> None:
    origin = find(METADATA, None)
    assert (origin.repository, origin.ref, origin.publisher) == (ADDRESS, "v1.0", "")
    assert origin.found_by == "tag v1.0 of the repository in its metadata (Source)"
    found = checkout(origin, "demo", tmp_path)
    assert (found.tree / "demo.py").is_file()
    assert found.uri == f"git+{ADDRESS}@{origin.commit}"
    assert found.description == f"{ADDRESS} at v1.0 ({origin.commit[:12]})"


@needs_git
def test_tags_that_contradict_one_another(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git("tag", "1.0", cwd=repository)
    assert find(METADATA, None).ref == "1.0"  # both name one commit
    commit(repository)
    git("tag", "release-1.0", cwd=repository)
    with pytest.raises(UsageError, match=r"several tags .* different commits: 1\.0 \(\w{12}\), release-1\.0") as caught:
        find(METADATA, None)
    assert caught.value.remedy == f"Name one: --source {ADDRESS}@1.0"
    other = replace(METADATA, urls=(("Source", f"{ADDRESS}/$(id)"),))
    monkeypatch.setattr(tags, "of_repository", lambda _: {"1.0": "12" * 20, "v1.0": "34" * 20})
    with pytest.raises(UsageError) as caught:
        find(other, None)
    assert shlex.split(caught.value.remedy)[-1] == f"{ADDRESS}/$(id)@1.0"
    assert f"'{ADDRESS}/$(id)@1.0'" in caught.value.remedy


@needs_git
def test_without_repository_or_tag(repository: Path) -> None:
    for metadata, said in (
        (replace(METADATA, urls=()), "names no repository"),
        (replace(METADATA, version="2.0"), f"{ADDRESS} has no tag for 2.0"),
        (replace(METADATA, urls=(("Source", "http://127.0.0.1:9/gone"),)), "127.0.0.1:9/gone cannot be reached"),
    ):
        with pytest.raises(UsageError, match=r"the commit of demo .* is not known") as caught:
            find(metadata, None)
        assert said in caught.value.message
        assert "--source" in caught.value.remedy


@needs_git
def test_the_next_repository_is_asked(repository: Path) -> None:
    origin = find(replace(METADATA, urls=(("Source", "http://127.0.0.1:9/gone"), ("Repository", ADDRESS))), None)
    assert origin.repository == ADDRESS
    assert "cannot be reached" in origin.notes[0]


def attested(commit_: str, ref: str = "refs/tags/v1.0", repository: str = ADDRESS) -> Attested:
    return Attested("GitHub ada/demo release.yml", repository, commit_, ref)


@needs_git
def test_an_attestation_goes_before_tags(repository: Path, tmp_path: Path) -> None:
    first = find(METADATA, None).commit
    assert find(METADATA, attested(first)).notes == ()
    write_tree(repository, {"demo.py": "2"})
    commit(repository)
    git("tag", "--force", "v1.0", cwd=repository)
    origin = find(METADATA, attested(first))
    assert (origin.commit, origin.ref, origin.publisher) == (first, "v1.0", "GitHub ada/demo release.yml")
    assert "the tag v1.0 was moved" in origin.notes[0]
    assert (checkout(origin, "demo", tmp_path).tree / "demo.py").read_text() == ""
    git("tag", "--delete", "v1.0", cwd=repository)
    assert "is not there any more" in find(METADATA, attested(first)).notes[0]
    assert find(METADATA, attested(first, "refs/heads/main")).notes == ()


@needs_git
def test_an_attested_commit_that_is_not_there(repository: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"the commit 121212121212 of .* cannot be had") as caught:
        checkout(find(METADATA, attested("12" * 20, "")), "demo", tmp_path)
    assert "--source" in caught.value.remedy


@pytest.mark.parametrize(
    ("repository_", "commit_"), [("file:///etc", "12" * 20), (ADDRESS, "--upload-pack=id"), (ADDRESS, "HEAD")]
)
def test_attestations_of_what_git_must_not_get(repository_: str, commit_: str) -> None:
    with pytest.raises(UsageError, match="is not a commit that can be fetched"):
        find(METADATA, attested(commit_, "", repository_))


@needs_git
def test_an_attestation_without_a_commit_leaves_tags(repository: Path) -> None:
    origin = find(METADATA, Attested("Google ada@example.org"))
    assert (origin.ref, origin.publisher) == ("v1.0", "Google ada@example.org")
    assert "names no commit" in origin.notes[0]


@needs_git
def test_a_repository_of_several_projects(repository: Path, tmp_path: Path) -> None:
    project = '[project]\nname = "{}"\n'
    write_tree(
        repository,
        {
            "pyproject.toml": project.format("workspace"),
            "libs/demo/pyproject.toml": project.format("Demo"),
            "libs/other/pyproject.toml": project.format("other"),
            "libs/poem/pyproject.toml": '[tool.poetry]\nname = "poem"\n',
            "libs/broken/pyproject.toml": "[",
        },
    )
    origin = replace(find(METADATA, None), commit=commit(repository))
    found = checkout(origin, "demo", tmp_path / "a")
    assert found.tree == tmp_path / "a/src/libs/demo"
    assert found.uri.endswith(f"@{origin.commit}#subdirectory=libs/demo")
    assert found.description.endswith(", in libs/demo")
    assert checkout(origin, "poem", tmp_path / "b").tree.name == "poem"
    assert checkout(replace(origin, directory="libs/other"), "x", tmp_path / "c").tree.name == "other"
    # The top has a project, though of another name: a release may be called otherwise than its source says.
    assert checkout(origin, "unknown", tmp_path / "d").tree == tmp_path / "d/src"
    # An address may lead to documentation, or into a branch that has a slash in its name.
    assert checkout(replace(origin, directory="docs"), "demo", tmp_path / "e").tree.name == "demo"
    write_tree(tmp_path, {"setup.py": ""})
    for where in ("../..", str(tmp_path), "libs", "none"):
        with pytest.raises(UsageError, match="has no project in"):
            vcs_source.below(replace(found, tree=tmp_path / "a/src"), where)
    write_tree(repository, {"old/demo/pyproject.toml": project.format("demo")})
    with pytest.raises(UsageError, match="several projects called demo: libs/demo, old/demo"):
        checkout(replace(origin, commit=commit(repository)), "demo", tmp_path / "f")


@needs_git
@pytest.mark.skipif(sys.platform == "win32", reason="ssh is a script with a #! line here")
@pytest.mark.parametrize("is_named", [False, True])
def test_submodules_are_fetched_over_http_alone(
    is_named: bool, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stranger's repository must not lead ssh anywhere; one that is named may have what it has."""
    monkeypatch.delenv("GIT_ALLOW_PROTOCOL", raising=False)
    write_tree(repository, {".gitmodules": '[submodule "a"]\npath = a\nurl = ssh://git@host.example/a\n'})
    git("update-index", "--add", "--cacheinfo", f"160000,{'12' * 20},a", cwd=repository)
    (repository / "a").mkdir()
    here = commit(repository)
    (tmp_path / "ssh").write_text(f"#!/bin/sh\ntouch {tmp_path}/asked\nexit 1\n")
    (tmp_path / "ssh").chmod(0o755)
    monkeypatch.setenv("GIT_SSH_COMMAND", str(tmp_path / "ssh"))
    origin = vcs_source.Origin(ADDRESS, here, "", "")
    with pytest.raises(UsageError, match="git cannot fetch the source"):
        sources.from_git(ADDRESS, here, tmp_path) if is_named else checkout(origin, "demo", tmp_path)
    assert (tmp_path / "asked").exists() is is_named


@needs_git
@pytest.mark.parametrize("where", ["libs/demo", "libs/@scope/demo", ""])
def test_what_a_record_names_is_found_again(where: str, repository: Path, tmp_path: Path) -> None:
    write_tree(repository, {"setup.py": "", "libs/demo/setup.py": "", "libs/@scope/demo/setup.py": ""})
    made = vcs_source.below(sources.from_git(ADDRESS, commit(repository), tmp_path / "a"), where)
    again = vcs_source.recorded(made.uri, tmp_path / "b")
    assert again.tree == tmp_path / "b/src" / where
    assert (again.uri, again.digest) == (made.uri, made.digest)


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links cannot be made here")
def test_a_link_in_a_circle_is_no_project(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(UsageError, match="has no project in loop"):
        vcs_source.below(SourceTree(tmp_path, "a repository"), "loop")


def test_secrets_of_an_address_are_not_shown() -> None:
    origin = vcs_source.Origin("https://ada:secret@git.example.org/demo", "12" * 20, "", "")
    assert "secret" not in origin.shown
