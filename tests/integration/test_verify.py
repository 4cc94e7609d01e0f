"""``samebytes verify`` for real: a backend, its requirements and a release in an index on this machine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from packaging.tags import sys_tags
from samebytes_tools.building.provenance import this_python
from samebytes_tools.commands.verify import published as published_files
from samebytes_tools.index.client import Index
from samebytes_tools.releases.selection import Selection, select
from support import published, zip_mutants
from support.artifacts import sdist
from support.conditions import git
from support.indexes import HTML, Answer
from support.processes import import_path, is_running
from support.projects import write_tree
from support.published import DATE, SDIST, TREE, WHEEL, WHEN, Releases
from support.schemas import schema

pytestmark = pytest.mark.integration


@pytest.fixture
def releases(tmp_path: Path) -> Iterator[Releases]:
    with published.releases(tmp_path) as made:
        yield made


class Said:
    """What a command said."""

    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        self.status, self.out, self.err = done.returncode, done.stdout, done.stderr

    @property
    def document(self) -> Any:
        """The JSON, which is what the schema says."""
        document = json.loads(self.out)
        assert_valid(document)
        assert document["exit_status"] == self.status
        return document

    @property
    def verified(self) -> Any:
        """The one verification."""
        (result,) = self.document["results"]
        assert result["error"] is None, self.err
        return result["verified"]


def assert_valid(document: Any) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    referencing = pytest.importorskip("referencing.jsonschema")
    from referencing import Registry

    compare = referencing.DRAFT202012.create_resource(schema("compare"))
    registry = Registry().with_resource("compare.schema.json", compare)
    jsonschema.Draft202012Validator(schema("verify"), registry=registry).validate(document)


def samebytes(releases: Releases, *words: str | Path, **variables: str) -> Said:
    """Run samebytes with the index of these releases."""
    keep = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_"))}
    environ = {**keep, **import_path(), "PIP_INDEX_URL": releases.server.address, **variables}
    environ["PIP_CACHE_DIR"] = str(releases.root / "cache")
    command = [sys.executable, "-m", "samebytes", *map(str, words)]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, cwd=releases.root)
    return Said(done)


def verify(releases: Releases, *words: str | Path, **variables: str) -> Said:
    return samebytes(releases, "verify", "--json", *words, **variables)


def refused(said: Said, status: int, *texts: str) -> None:
    """The one error has this status, these texts, and a remedy."""
    (result,) = said.document["results"]
    assert result["verified"] is None
    assert said.status == result["error"]["exit_status"] == status, said.err
    for text in texts:
        assert text in result["error"]["message"]
    assert result["error"]["remedy"]


def versions(verified: Any) -> dict[str, str]:
    return {one["name"]: one["version"] for one in verified["build"]["requirements"]}


def test_a_release_is_rebuilt_with_what_there_was_then(releases: Releases) -> None:
    said = verify(releases, "demo==1.0", "-o", releases.root / "out")
    verified = said.verified
    assert said.status == 0
    assert verified["comparison"]["verdict"] == "identical"
    assert versions(verified) == {"tinyback": "1.0", "tinyhelp": "1.0"}
    assert verified["build"]["until"]["seconds"] == WHEN
    assert verified["build"]["pins"] == ["tinyback==1.0"]
    assert verified["build"]["environment"]["SOURCE_DATE_EPOCH"] == str(DATE)
    assert verified["build"]["method"] == "backend"
    assert verified["notes"] == []
    assert (releases.root / "out" / WHEEL).read_bytes() == releases.wheel.read_bytes()


def test_the_file_is_the_one_that_pip_takes(releases: Releases) -> None:
    """pip downloads it; then it is withdrawn, and so on, until the sdist is left."""
    tag = str(next(sys_tags()))
    names = [WHEEL.replace("py3-none-any", one) for one in (tag, "py2.py3-none-any", "cp27-cp27mu-linux_x86_64")]
    names += [WHEEL.replace("1.0-py3-none-any", f"1.0-{number}-{tag}") for number in ("2", "11")]
    for name in names:
        releases.publish(Path(shutil.copy(releases.wheel, releases.wheel.with_name(name))))
    files = {row["filename"] for row in releases.server._rows["demo"]}
    taken = []
    while len(files) > 1:
        there = releases.root / f"pip{len(files)}"
        pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-cache-dir", "-d", there, "demo==1.0"]
        environ = {**os.environ, "PIP_INDEX_URL": releases.server.address, "PIP_CONFIG_FILE": os.devnull}
        environ.pop("PIP_FIND_LINKS", None)
        subprocess.run(pip, env=environ, check=True, capture_output=True)
        (path,) = there.iterdir()
        index = Index(releases.server.address)
        rows = published_files.of_release(index, "demo", "1.0")
        assert select(rows, Selection(), "demo==1.0", this_python)[0].name == path.name
        taken.append(path.name)
        files.remove(path.name)
        releases.server.page("demo", [row for row in releases.server._rows["demo"] if row["filename"] in files])
        if path.suffix == ".whl" and not any(name.endswith(".whl") and "cp27" not in name for name in files):
            break  # of the sdist, pip would ask the backend for metadata
    assert len(taken) == 5


def test_of_another_release_of_the_helper_it_would_differ(releases: Releases) -> None:
    """So it was the time of upload that brought the right one back: it is not pinned."""
    releases.publish(releases.wheel, "2025-06-01T00:00:00Z")
    verified = verify(releases, "demo==1.0").verified
    assert versions(verified) == {"tinyback": "1.0", "tinyhelp": "2.0"}
    assert verified["comparison"]["verdict"] == "different"


def test_without_times_of_upload_the_report_says_so(releases: Releases) -> None:
    for project, rows in releases.server._rows.items():
        links = [f'<a href="{row["url"]}#sha256={row["hashes"]["sha256"]}">x</a>' for row in rows]
        releases.server.answers[f"/simple/{project}/"] = Answer(f"<html>{''.join(links)}".encode(), HTML)
    said = verify(releases, "demo==1.0")
    assert said.status == 1
    assert versions(said.verified) == {"tinyback": "1.0", "tinyhelp": "2.0"}
    assert said.verified["build"]["until"] is None
    assert "no times of upload" in said.verified["notes"][0]


def test_a_file_that_the_index_does_not_know(releases: Releases) -> None:
    releases.server.page("demo", [])
    said = verify(releases, releases.wheel, "--source", releases.tree)
    assert said.verified["comparison"]["verdict"] == "identical"
    assert said.verified["build"]["until"]["seconds"] == DATE
    assert "does not know this very file" in said.verified["notes"][0]


def test_without_a_source_there_must_be_an_sdist(releases: Releases) -> None:
    releases.server.page("demo", [row for row in releases.server._rows["demo"] if row["filename"] == WHEEL])
    refused(verify(releases, "demo==1.0"), 2, "has no sdist")


def test_container_and_contents(releases: Releases) -> None:
    """Other times are the same after normalization; other contents are not the same, whatever is accepted."""
    repack(releases.wheel, date=(2024, 6, 1, 0, 0, 2))
    releases.publish(releases.wheel)
    assert verify(releases, "demo==1.0").status == 0
    assert verify(releases, "demo==1.0", "--accept", "identical").status == 0
    repack(releases.wheel, odd="demo.py")
    releases.publish(releases.wheel)
    said = verify(releases, "demo==1.0")
    assert (said.status, said.verified["comparison"]["verdict"]) == (0, "same after normalization")
    assert "D011" in said.verified["comparison"]["causes"]
    assert verify(releases, "demo==1.0", "--accept", "identical").status == 1
    repack(releases.wheel, contents={"demo.py": b"ANSWER = 43\n"})
    releases.publish(releases.wheel)
    said = verify(releases, "demo==1.0", "--accept", "payload")
    assert (said.status, said.verified["comparison"]["verdict"]) == (1, "different")


def test_what_a_reader_sees_differently_is_refused_or_different(releases: Releases) -> None:
    """The published file is a mutant (support.zip_mutants) of what is rebuilt: never is it better than different."""
    honest = zip_mutants.taken_apart(releases.wheel.read_bytes())
    hidden = deepcopy(honest)
    hidden.members[0].after = zip_mutants.NESTED  # bsdtar reads other members from a pipe
    disputed = deepcopy(honest)
    disputed.members[0].central["external"] = 0o755 << 16  # uv, unzip and bsdtar make it executable, pip does not
    for mutant, status in ((hidden, 4), (disputed, 1)):
        releases.wheel.write_bytes(mutant.whole())
        releases.publish(releases.wheel)
        said = verify(releases, "demo==1.0", "--accept", "payload")
        assert said.status == status, said.err
        (result,) = said.document["results"]
        assert status == 4 or result["verified"]["comparison"]["verdict"] == "different"


def repack(
    path: Path, date: tuple[int, ...] | None = None, odd: str = "", contents: dict[str, bytes] | None = None
) -> None:
    """Write the wheel anew, with other times or contents; RECORD holds for the old contents."""
    with zipfile.ZipFile(path) as archive:
        members = [(info, archive.read(info)) for info in archive.infolist()]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for info, data in members:
            moment = (2023, 1, 1, 0, 0, 0) if info.filename == odd else date or info.date_time
            again = zipfile.ZipInfo(info.filename, moment)  # type: ignore[arg-type]
            again.external_attr = info.external_attr
            again.compress_type = info.compress_type
            archive.writestr(again, (contents or {}).get(info.filename, data))


def test_a_record_is_followed_and_the_same_every_time(releases: Releases) -> None:
    records = [releases.root / f"record{number}.json" for number in (1, 2)]
    for record in records:
        assert verify(releases, "demo==1.0", "--provenance", record).status == 0
    assert records[0].read_bytes() == records[1].read_bytes()
    releases.publish(releases.wheel, "2025-06-01T00:00:00Z")  # without the record, another helper would be taken
    said = verify(releases, "--from", records[0])
    assert (said.status, said.verified["comparison"]["verdict"]) == (0, "identical")
    assert versions(said.verified) == {"tinyback": "1.0", "tinyhelp": "1.0"}


def test_a_pure_wheel_whose_source_builds_an_extension(releases: Releases) -> None:
    """The variable that switches it off is found and recorded, and the record gives it again."""
    tag = "'py3-none-any' if os.environ.get('DEMO_NO_EXTENSIONS') else 'cp39-abi3-linux_x86_64'"
    backend = published.BACKEND.format(version="1.0").replace("demo-1.0-py3-none-any.whl", "demo-1.0-' + TAG + '.whl")
    text = backend.replace("import base64", f"import os; TAG = {tag}\nimport base64").replace(
        '"demo-1.0-', "'demo-1.0-"
    )
    config = '[build-system]\nrequires = []\nbuild-backend = "own"\nbackend-path = ["."]\n'
    files = {**TREE, "own.py": text.replace('.whl"', ".whl'"), "pyproject.toml": config}
    releases.publish(sdist(releases.root / "published", files={name: body.encode() for name, body in files.items()}))
    record = releases.root / "record.json"
    asked = ("demo==1.0", "--env", "DEMO_NO_EXTENSIONS=1")
    for words in (("demo==1.0", "--provenance", record), ("--from", record), asked):
        said = verify(releases, *words)
        assert said.verified["build"]["given"] == {"DEMO_NO_EXTENSIONS": "1"}
        assert said.verified["comparison"]["verdict"] == "identical"
        notes = said.verified["notes"]
        assert ("switched off, by DEMO_NO_EXTENSIONS=1" in notes[0]) if record in words[2:] else not notes


def test_a_record_pins_by_hash(releases: Releases) -> None:
    record = releases.root / "record.json"
    assert verify(releases, "demo==1.0", "--provenance", record).status == 0
    name = "tinyhelp-1.0-py3-none-any.whl"
    releases.server._rows["tinyhelp"] = []
    other = published.module_wheel(releases.root / "evil", "tinyhelp", "1.0", "VERSION = '1.0'  # and more\n")
    releases.server.add("tinyhelp", other, "2024-01-01T00:00:00Z")
    said = verify(releases, "--from", record)
    refused(said, 7, "pip could not install", "tinyhelp==1.0")
    assert name in said.err


def test_what_samebytes_built_is_built_by_samebytes(releases: Releases) -> None:
    """``build --provenance``, and back from the record; the source is held against its digest."""
    record, out = releases.root / "dist" / "record.json", releases.root / "dist"
    out.mkdir()
    built = samebytes(releases, "build", "--wheel", releases.tree, "-o", out, "--provenance", record)
    assert built.status == 0, built.err
    said = verify(releases, "--from", record, "--source", releases.tree)
    assert (said.status, said.verified["comparison"]["verdict"]) == (0, "identical"), said.err
    assert said.verified["build"]["method"] == "samebytes"
    assert versions(said.verified) == {"tinyback": "2.0", "tinyhelp": "2.0"}
    refused(verify(releases, "--from", record), 2, "does not name it")
    (releases.tree / "demo.py").write_text("ANSWER = 41\n")
    refused(verify(releases, "--from", record, "--source", releases.tree), 3, "is not the source of the record")


def test_a_canonical_file_without_a_record(releases: Releases) -> None:
    said = samebytes(releases, "normalize", "--date", str(DATE), releases.wheel)
    assert said.status == 0
    releases.publish(releases.wheel)
    said = verify(releases, "demo==1.0")
    assert said.verified["build"]["method"] == "samebytes"
    assert said.verified["comparison"]["verdict"] == "identical"
    assert versions(said.verified) == {"tinyback": "1.0", "tinyhelp": "1.0"}


def test_a_lock_file(releases: Releases) -> None:
    lock = releases.root / "pylock.toml"
    said = samebytes(releases, "build", "--wheel", releases.tree, "-o", releases.root / "dist", "--lock", lock)
    assert said.status == 0, said.err
    verified = verify(releases, "demo==1.0", "--locked", lock).verified
    assert versions(verified) == {"tinyback": "2.0", "tinyhelp": "2.0"}
    assert verified["comparison"]["verdict"] == "different"
    assert "D015" in verified["comparison"]["causes"]


def test_an_sdist(releases: Releases) -> None:
    said = verify(releases, "demo==1.0", "--sdist")
    assert said.verified["artifact"]["name"] == SDIST
    assert said.verified["build"]["pins"] == ["tinyback==1.0"]
    assert said.verified["comparison"]["verdict"] == "same after normalization"
    assert "its own source" in said.verified["notes"][0]


def test_a_source_in_git(releases: Releases) -> None:
    repository = write_tree(releases.root / "repository", TREE)
    git("init", "--quiet", cwd=repository)
    git("add", ".", cwd=repository)
    git("commit", "--quiet", "-m", "one", cwd=repository)
    git("tag", "v1.0", cwd=repository)
    (repository / "demo.py").write_text("ANSWER = 43\n")
    said = verify(releases, "demo==1.0", "--source", f"{repository}@v1.0")
    assert said.verified["comparison"]["verdict"] == "identical"
    assert set(said.verified["source"]["digest"]) == {"gitCommit"}
    refused(verify(releases, "demo==1.0", "--source", f"{repository}@v2.0"), 2, "git cannot fetch", str(repository))
    refused(verify(releases, "demo==1.0", "--source", releases.root / "nowhere"), 2, "neither a directory nor an sdist")


def test_an_sdist_that_brings_the_date_of_its_commit(releases: Releases) -> None:
    """It is the source that gives the date again, for a date from outside is not put into an sdist."""
    config = '[tool.samebytes]\nsource-date-epoch = "vcs"\n'
    repository = write_tree(releases.root / "repository", {**TREE, "pyproject.toml": TREE["pyproject.toml"] + config})
    git("init", "--quiet", cwd=repository)
    git("add", ".", cwd=repository)
    git("commit", "--quiet", "-m", "one", cwd=repository, date="2024-02-29T12:00:00+00:00")
    git("tag", "v1.0", cwd=repository)
    built = samebytes(releases, "build", "--sdist", repository, "-o", releases.root / "dist")
    assert built.status == 0, built.err
    (path,) = (releases.root / "dist").iterdir()
    for source in (f"{repository}@v1.0", repository):
        verified = verify(releases, path, "--source", source).verified
        assert verified["comparison"]["verdict"] == "identical"
        assert "SOURCE_DATE_EPOCH" not in verified["build"]["environment"]
    other = write_tree(releases.root / "other", {**TREE, "pyproject.toml": TREE["pyproject.toml"] + config})
    verified = verify(releases, path, "--source", other).verified  # no repository: the sdist's date is given
    assert verified["build"]["environment"]["SOURCE_DATE_EPOCH"] == "1709208000"
    assert verified["comparison"]["verdict"] == "different"


def with_hook(releases: Releases, code: str) -> Path:
    """Return a tree whose build does something else first."""
    return write_tree(releases.root / "hooked", {**TREE, "build_hook.py": code})


def test_a_build_that_fails_says_what_the_backend_said(releases: Releases) -> None:
    said = verify(releases, "demo==1.0", "--source", with_hook(releases, "raise SystemExit('no compiler here')"))
    refused(said, 7, "tinyback", "build_wheel")
    assert "no compiler here" in said.err


def test_a_build_that_hangs_is_ended_with_all_that_it_started(releases: Releases) -> None:
    pid = releases.root / "pid"
    code = f"child = subprocess.Popen(['sleep', '600']); open({str(pid)!r}, 'w').write(str(child.pid)); child.wait()"
    said = verify(releases, "demo==1.0", "--source", with_hook(releases, code), "--timeout", "30")
    refused(said, 7, "longer than 30 seconds")
    assert not is_running(int(pid.read_text()))


def test_a_build_sees_nothing_of_the_caller(releases: Releases) -> None:
    """Neither home nor pip's configuration nor any other variable; and nothing stays in the temporary directory."""
    temp = releases.root / "temp"
    temp.mkdir()
    code = f"open({str(releases.root / 'seen')!r}, 'w').write(repr(sorted(os.environ.items())))"
    verify(
        releases,
        "demo==1.0",
        "--source",
        with_hook(releases, code),
        TMPDIR=str(temp),
        SECRET="s3cret",
        PIP_FIND_LINKS="/x",
    )
    seen = dict(eval((releases.root / "seen").read_text()))
    assert "SECRET" not in seen
    assert "PIP_FIND_LINKS" not in seen
    assert seen["HOME"].startswith(str(temp))
    assert (seen["PYTHONHASHSEED"], seen["TZ"], seen["SOURCE_DATE_EPOCH"]) == ("0", "UTC", str(DATE))
    assert list(temp.iterdir()) == []


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        ("cp399-cp399-linux_x86_64", "Python 3.99 is needed and not here"),
        ("py3-none-win_amd64", "win_amd64"),
        ("py3-none-musllinux_1_2_s390x", "musllinux_1_2_s390x"),
        ("py2-none-any", "py2"),
        ("pp310-pypy310_pp73-linux_x86_64", "pp310"),
    ],
)
def test_an_interpreter_or_a_platform_that_is_not_here(releases: Releases, tags: str, said: str) -> None:
    wheel = releases.wheel.with_name(f"demo-1.0-{tags}.whl")
    releases.wheel.rename(wheel)
    refused(verify(releases, wheel), 2, said)


def test_a_requirement_of_python_that_nobody_fulfils(releases: Releases) -> None:
    tree = write_tree(releases.root / "tree", {"PKG-INFO": TREE["PKG-INFO"].replace(">=3.9", "<3.9")})
    wheel = published.build(tree, releases.root / "published", releases.root / "then")
    refused(verify(releases, wheel), 2, "requires Python <3.9")


def test_downloads_are_verified(releases: Releases) -> None:
    releases.server.answers[f"/files/{WHEEL}"].body += b"!"
    refused(verify(releases, "demo==1.0"), 4, "the download has the sha256", WHEEL)


def test_among_many_the_rest_go_on(releases: Releases) -> None:
    said = verify(releases, "unknown==1", releases.root / "none.whl", "demo==9", "demo>=1", "demo==x", "demo==1.0")
    messages = [result["error"]["message"] for result in said.document["results"][:5]]
    assert [
        text in message
        for text, message in zip(
            ("no project", "no such file", "no demo 9", "not a release", "not a version"), messages
        )
    ] == [True] * 5
    assert said.document["results"][5]["verified"]["comparison"]["verdict"] == "identical"
    assert said.status == 2


def outcomes(document: Any) -> dict[str, str]:
    """Return what became of each row: its verdict, or why there is none."""
    return {
        row["target"]: row["skipped"] or (row["error"] or {}).get("message") or row["verified"]["comparison"]["verdict"]
        for row in document["results"]
    }


def test_a_list_with_every_odd_row(releases: Releases) -> None:
    """The rest go on, in the order of the list; and what is installed is verified by its tags, and once."""
    (sha256,) = (row["hashes"]["sha256"] for row in releases.server._rows["demo"] if row["filename"] == WHEEL)
    for name, more in (("gone", {}), ("lonely", {})):
        releases.server.add(name, published.module_wheel(releases.root / "shelf", name, "1.0", ""), **more)
    releases.server.page("gone", [])
    lines = {
        "demo==2.0": "has no demo 2.0",
        f"gone==1.0 --hash=sha256:{sha256}": "has no gone 1.0",
        "unknown==1.0": "has no project 'unknown'",
        "lonely==1.0": "has no sdist",
        f"tinyhelp==1.0 --hash=sha256:{sha256}": "has a hash that is locked",
        "other==1.0; python_version < '3'": "not for this environment",
        "loose>=1": "does not pin",
        "far @ https://host.example/far-1.0-py3-none-any.whl": "an address",
        "repo @ git+https://host.example/repo": "a repository",
        "-e .": "editable",
    }
    (releases.root / "requirements.txt").write_text("\n".join(lines))
    site = releases.root / "env" / "lib" / "python3" / "site-packages"
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-cache-dir", "-t", site, "demo==1.0"]
    environ = {**os.environ, "PIP_INDEX_URL": releases.server.address, "PIP_CONFIG_FILE": os.devnull}
    subprocess.run(pip, env=environ, check=True, capture_output=True)
    (releases.root / "env" / "pyvenv.cfg").write_text("")
    releases.server.page("demo", [{**row, "yanked": "wrong answer"} for row in releases.server._rows["demo"]])
    words = (
        "-r",
        "requirements.txt",
        "env",
        "--jobs",
        "3",
        "--state",
        "state",
        "--html",
        "page.html",
        "--junit",
        "junit.xml",
    )
    said = verify(releases, *words)
    found = outcomes(said.document)
    assert len(found) == len(lines) + 1
    for (target, outcome), expected in zip(found.items(), [*lines.values(), "identical"]):
        assert expected in outcome, target
    assert said.document["results"][-1]["verified"]["notes"] == ["it was yanked: wrong answer"]
    assert said.status == 4
    assert len(said.err.splitlines()) == len(lines) + 1
    assert "demo 1.0: identical\n" in said.err
    root = ElementTree.parse(releases.root / "junit.xml").getroot()
    assert (root.get("tests"), root.get("errors"), root.get("failures")) == ("11", "8", "0")
    assert "has no sdist" in (releases.root / "page.html").read_text()
    asked = len(releases.server.asked)
    again = samebytes(releases, "verify", *words[:7])
    assert "demo 1.0: identical (as before)\n" in again.err
    assert not any(path.startswith("/files/demo") for path, _ in releases.server.asked[asked:])
    assert "11 entries: 1 identical, 8 not verified, 2 skipped." in again.out
    (site / "demo.py").write_text("ANSWER = 41\n")  # so it is not what was verified before
    refused(verify(releases, "env", "--state", "state"), 5, "demo.py is another")


@pytest.mark.skipif(sys.platform == "win32", reason="signals end processes otherwise there")
def test_a_list_that_is_interrupted_goes_on_where_it_was(releases: Releases) -> None:
    temp = releases.root / "temp"
    temp.mkdir()
    pid = releases.root / "pid"
    code = f"child = subprocess.Popen(['sleep', '600']); open({str(pid)!r}, 'w').write(str(child.pid)); child.wait()"
    slow = {name: text.replace("demo", "slow").encode() for name, text in TREE.items()}
    releases.server.add("slow", published.module_wheel(releases.root / "shelf", "slow", "1.0", ""), published.THEN)
    releases.server.add("slow", sdist(releases.root / "shelf", "slow", {**slow, "build_hook.py": code.encode()}))
    (releases.root / "requirements.txt").write_text("slow==1.0\ndemo==1.0\n")
    keep = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_"))}
    environ = {**keep, **import_path(), "PIP_INDEX_URL": releases.server.address, "TMPDIR": str(temp)}
    environ["PIP_CACHE_DIR"] = str(releases.root / "cache")
    command = [sys.executable, "-m", "samebytes", "verify", "-r", "requirements.txt", "--state", "state", "--jobs", "2"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen(command, env=environ, cwd=releases.root, text=True, **pipes)
    state = releases.root / "state"
    while not (pid.is_file() and pid.read_text() and list(state.glob("demo*.json"))):
        assert process.poll() is None, process.stderr and process.stderr.read()
        time.sleep(0.05)
    # A line for each row that was taken, which is after it was kept.
    assert process.stderr is not None
    assert next(line for line in process.stderr if line.startswith("[1/2] demo 1.0: "))
    process.terminate()
    shown, _ = process.communicate()
    assert process.returncode == 143
    assert shown.startswith("identical  demo 1.0\n")
    assert shown.endswith("1 of 2 entries were reached.\n")
    assert not is_running(int(pid.read_text()))
    assert list(temp.iterdir()) == []
    (releases.root / "requirements.txt").write_text("demo==1.0\n")
    again = samebytes(releases, "verify", "-r", "requirements.txt", "--state", "state")
    assert again.status == 0
    assert again.err == "[1/1] demo 1.0: identical (as before)\n"


def test_no_network(releases: Releases) -> None:
    refused(verify(releases, "demo==1.0", PIP_INDEX_URL="http://127.0.0.1:9/simple"), 12, "cannot be reached")


def test_an_index_that_fails_in_the_middle_is_what_is_told(releases: Releases) -> None:
    """Not only that pip could not install something."""
    releases.server.answers["/simple/tinyhelp/"] = Answer(b"down", HTML, 500)
    refused(verify(releases, "demo==1.0"), 12, "/simple/tinyhelp/", "500")


def test_text_and_page(releases: Releases) -> None:
    page = releases.root / "page.html"
    said = samebytes(releases, "verify", "demo==1.0", "--html", page, "-v")
    assert said.status == 0
    assert f"{WHEEL}: identical" in said.out
    assert "tinyback 1.0" in said.out
    assert "2024-06-01T12:00:00Z" in said.out
    assert WHEEL in page.read_text()
    assert samebytes(releases, "verify", "demo==1.0", "-q").out == ""


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ((), "nothing to verify"),
        (("demo==1.0", "--timeout", "0"), "not a number of seconds"),
        (("demo==1.0", "x", "--provenance", "p.json"), "one by one"),
        (("demo==1.0", "--provenance", "none/p.json"), "does not exist"),
        (("--from", "r.json", "--locked", "l.toml"), "exclude each other"),
        (("--from", "r.json", "--env", "A=1"), "exclude each other"),
        (("--from", "r.json", "-r", "r.txt"), "what its record is of"),
        (("demo==1.0", "--all", "--provenance", "p.json"), "a list is named"),
        (("demo==1.0", "--jobs", "2"), "for lists of releases"),
        (("demo==1.0", "--jobs", "0"), "is not a number from 1"),
        (("demo==1.0", "--env", "A"), "is not NAME=VALUE"),
        (("demo==1.0", "--env", "PATH=/evil"), "not a variable of the build"),
        (("demo==1.0", "x==2", "--tag", "py3-none-any"), "among the files of one release"),
    ],
)
def test_command_lines_that_make_no_sense(releases: Releases, words: tuple[str, ...], text: str) -> None:
    said = samebytes(releases, "verify", *words)
    assert said.status == 2
    assert text in said.err
    assert "hint:" in said.err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ("[]", "is not an in-toto Statement"),
        ('{"_type": "https://in-toto.io/Statement/v1", "predicateType": "x"}', "not SLSA Provenance"),
    ],
)
def test_records_that_are_none(releases: Releases, text: str, message: str) -> None:
    record = releases.root / "record.json"
    record.write_text(text)
    said = samebytes(releases, "verify", "--from", record)
    assert said.status == 3
    assert message in said.err
    assert "hint:" in said.err
