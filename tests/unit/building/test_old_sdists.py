"""Sdists of forms from before PEP 625: as sources they are what the same files are as a ``.tar.gz``."""

from __future__ import annotations

import bz2
import io
import lzma
import tarfile
import zipfile
from pathlib import Path

import pytest
from pip._internal.index.package_finder import CandidateEvaluator
from pip._internal.models.candidate import InstallationCandidate
from pip._internal.models.link import Link
from pip._internal.utils.filetypes import ARCHIVE_EXTENSIONS
from samebytes_tools.building import source
from samebytes_tools.building.old_sdists import as_tar_gz
from samebytes_tools.building.provenance import this_python
from samebytes_tools.commands.verify import published, sdist_origin
from samebytes_tools.commands.verify.targets import of_all_files
from samebytes_tools.commands.verify.verify import VerifyRequest
from samebytes_tools.index.client import Index
from samebytes_tools.index.pages import File
from samebytes_tools.index.releases import by_preference, chosen, form_of, in_todays_form, version_of
from samebytes_tools.releases.selection import Selection, select
from support.indexes import serving

from samebytes.archive import limits
from samebytes.artifact.layout import ArtifactKind
from samebytes.errors import ArchiveError, HostileArchiveError, UsageError

FILES = {"demo-1.0/PKG-INFO": b"Name: demo\n", "demo-1.0/src/demo.py": b"x = 1\n", "demo-1.0/configure": b"#!/bin/sh\n"}
TIME = 1_000_000_000
FORMS = (".tar.gz", ".zip", ".tgz", ".tar.bz2", ".tbz", ".tar.xz", ".txz", ".tar.lzma", ".tlz", ".tar")


def tar() -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in FILES.items():
            member = tarfile.TarInfo(name)
            member.size, member.mtime, member.mode = len(data), TIME, 0o755 if "configure" in name else 0o644
            archive.addfile(member, io.BytesIO(data))
    return sink.getvalue()


def zipped() -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("demo-1.0/", (2001, 9, 9, 1, 46, 40)), b"")
        for name, data in FILES.items():
            info = zipfile.ZipInfo(name, (2001, 9, 9, 1, 46, 40))
            info.external_attr = (0o100755 if "configure" in name else 0o100644) << 16
            archive.writestr(info, data)
    return sink.getvalue()


def packed(form: str) -> bytes:
    if form == ".zip":
        return zipped()
    if form in (".tar.gz", ".tgz"):
        sink = io.BytesIO()
        with tarfile.open(fileobj=sink, mode="w:gz") as archive, tarfile.open(fileobj=io.BytesIO(tar())) as plain:
            for member in plain:
                archive.addfile(member, plain.extractfile(member))
        return sink.getvalue()
    if "bz" in form:
        return bz2.compress(tar())
    kind = lzma.FORMAT_ALONE if form in (".tar.lzma", ".tlz") else lzma.FORMAT_XZ
    return tar() if form == ".tar" else lzma.compress(tar(), format=kind)


@pytest.mark.parametrize("form", FORMS)
def test_a_source_of_every_form(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"demo-1.0{form}"
    path.write_bytes(packed(form))
    found = source.from_sdist(path, tmp_path / "src")
    assert {
        one.relative_to(tmp_path / "src").as_posix(): one.read_bytes() for one in found.tree.rglob("*") if one.is_file()
    } == FILES
    assert [bool(found.tree.joinpath(name).stat().st_mode & 0o100) for name in ("configure", "PKG-INFO")] == [
        True,
        False,
    ]
    assert found.tree.joinpath("configure").stat().st_mtime == TIME
    assert found.uri == f"pkg:pypi/demo@1.0?file_name=demo-1.0{form}"
    assert found.digest == {"sha256": source.sha256_of(path)}
    assert sorted(sdist_origin.of_sdist(path)) == sorted(name.partition("/")[2] for name in FILES)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("change", ["cut", "garbage"])
def test_what_is_damaged_is_an_error(tmp_path: Path, form: str, change: str) -> None:
    path, data = tmp_path / f"demo-1.0{form}", packed(form)
    # In the middle of a header: after it, a tar may have any number of blocks that are empty.
    path.write_bytes(data[: 700 if form == ".tar" else len(data) // 2] if change == "cut" else b"garbage" * 99)
    with pytest.raises(ArchiveError) as caught:
        source.from_sdist(path, tmp_path / "src")
    assert "demo-1.0" in caught.value.message
    assert caught.value.remedy
    assert not (tmp_path / "src").exists()


@pytest.mark.parametrize("form", [".tar.bz2", ".tar.xz", ".tar.lzma"])
def test_a_bomb_ends_at_the_budget(tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    zeros = bytes(8 << 20)
    path = tmp_path / f"demo-1.0{form}"
    kind = lzma.FORMAT_ALONE if form == ".tar.lzma" else lzma.FORMAT_XZ
    path.write_bytes(bz2.compress(zeros) if form == ".tar.bz2" else lzma.compress(zeros, format=kind))
    monkeypatch.setattr(limits, "budgets", lambda: limits.Budgets(expanded=1 << 20, expansion=1))
    with pytest.raises(HostileArchiveError, match="over the limit expanded") as caught, as_tar_gz(path):
        pass
    # At the budget, not at its end.
    assert "8,388,608" not in caught.value.message


def test_what_only_an_lzip_unpacks_is_said_to_be(tmp_path: Path) -> None:
    (tmp_path / "demo-1.0.tar.lz").write_bytes(b"LZIP\1")
    with pytest.raises(ArchiveError, match=r"does not unpack \.tar\.lz"), as_tar_gz(tmp_path / "demo-1.0.tar.lz"):
        pass


def test_forms_are_pips() -> None:
    ours = {form for form in ARCHIVE_EXTENSIONS if form_of(f"demo-1.0{form}") == form}
    assert ours == set(ARCHIVE_EXTENSIONS) - {".whl"}
    for form in ours:
        assert str(version_of(f"Demo_x-1.0{form}", "demo-x")) == "1.0"
        assert in_todays_form(f"demo-1.0{form}") == "demo-1.0.tar.gz"
    # bdist_dumb's are not sdists.
    assert version_of("demo-1.0.linux-x86_64.tar.gz", "demo") is version_of("demo-1.0.win32.zip", "demo") is None


def files(*names: str, yanked: tuple[str, ...] = ()) -> list[File]:
    return [
        File(name, f"https://host.example/{name}", {"sha256": "0" * 64}, yanked="" if name in yanked else None)
        for name in names
    ]


@pytest.mark.parametrize(
    "found",
    [
        files("demo-1.0.tar.gz", "demo-1.0.zip"),
        files("demo-1.0.zip", "demo-1.0.tar.gz"),
        files("demo-1.0.tar.bz2", "demo-1.0.tar.gz", "demo-1.0.zip", yanked=("demo-1.0.zip",)),
        files("demo-1.0.tar.gz", "demo-1.0.tgz", yanked=("demo-1.0.tar.gz", "demo-1.0.tgz")),
    ],
)
def test_of_several_sdists_the_one_that_pip_takes_is_the_source(found: list[File]) -> None:
    candidates = [InstallationCandidate("demo", "1.0", Link(file.url, yanked_reason=file.yanked)) for file in found]
    # pip's resolver goes through them from the end.
    best = CandidateEvaluator.create("demo").get_applicable_candidates(candidates)[-1]
    assert by_preference(found, "3.11.7")[0].url == best.link.url
    # check and survey take the same.
    assert chosen(found, "demo", "1.0", "3.11.7").file.url == best.link.url
    with serving() as server:
        rows = [
            {"filename": file.name, "url": file.url, "hashes": {}, "yanked": file.yanked is not None} for file in found
        ]
        server.page("demo", rows)
        index = Index(server.address)
        taken, note = published.sdist_of(index, "demo", "1.0", "3.11.7")
        assert taken.url == best.link.url
        assert all(file.name in note for file in found)
        by_kind = Selection(ArtifactKind.SDIST)
        file, why = select(published.of_release(index, "demo", "1.0"), by_kind, "demo", this_python)
        assert file.name == "demo-1.0.tar.gz"
        assert bool(why) == (taken.name != file.name)


def test_sdists_of_other_forms_are_named_and_not_compared() -> None:
    with serving() as server:
        names = ("demo-1.0-py3-none-any.whl", "demo-1.0.zip")
        server.page("demo", [{"filename": name, "url": f"/files/{name}", "hashes": {}} for name in names])
        index = Index(server.address)
        assert published.sdist_of(index, "demo", "1.0", "3.11.7")[0].name == "demo-1.0.zip"
        assert published.sdist_of(index, "demo", "1.0", "3.11.7")[1] == ""
        found = of_all_files("demo==1.0", VerifyRequest(""), this_python(), lambda: index)
        assert [(one.label, one.skipped) for one in found] == [
            (names[0], ""),
            (names[1], "sdists in .zip form are only taken as sources"),
        ]
        of_release = published.of_release(index, "demo", "1.0")
        for selection in (Selection(ArtifactKind.SDIST), Selection(file="demo-1.0.zip")):
            with pytest.raises(UsageError, match=r"demo-1\.0\.zip: sdists in \.zip form cannot be verified"):
                select(of_release, selection, "demo", this_python)


def test_all_other_files_of_a_release_are_named() -> None:
    others = [
        *(
            "demo-1.0-py2.7.egg",
            "demo-1.0-py3.6-linux-x86_64.egg",
            "demo-1.0.win32.exe",
            "demo-1.0.win-amd64-py2.7.exe",
        ),
        *("demo-1.0.win32-py2.7.msi", "demo-1.0-1.noarch.rpm", "demo-1.0-1.src.rpm", "demo-1.0.linux-x86_64.tar.gz"),
        *("Demo-1.0.macosx-10.9-x86_64.zip", "demo-1.0.0.linux-i686.tar.bz2", "demo-1.0.dmg"),
    ]
    strangers = [
        "demo-1.0.1-py2.7.egg",
        "demo-1.0rc1.win32.exe",
        "demo-2-1.0-py2.7.egg",
        "demo.exe",
        "demo-1.0.txt",
        "x",
    ]
    names = ["demo-1.0-py3-none-any.whl", *others, *strangers]
    with serving() as server:
        server.page("demo", [{"filename": name, "url": f"/files/{name}", "hashes": {}} for name in names])
        index = Index(server.address)
        found = of_all_files("demo==1.0", VerifyRequest(""), this_python(), lambda: index)
        assert [(one.label, one.skipped) for one in found] == [
            (names[0], ""),
            *((name, "it is neither a wheel nor an sdist") for name in others),
        ]
        only = VerifyRequest("", Selection(ArtifactKind.WHEEL))
        assert [one.label for one in of_all_files("demo==1.0", only, this_python(), lambda: index)] == names[:1]


def test_a_long_name_costs_little() -> None:
    """The name is a stranger's, and 250 bytes at most."""
    for text in ("a-1" * 83, "1-" * 125, "-1.py2" * 41, "a-1" + ".win" * 60):
        assert published._OTHER.fullmatch(text) is None
