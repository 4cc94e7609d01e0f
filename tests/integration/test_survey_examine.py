"""Packages examined for real: harmless ones come out in five ways, hostile ones are contained and recorded."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from samebytes_tools.commands.check.subject import AS_IS, BUILD, DATED
from samebytes_tools.commands.survey.examine import Conditions, examine
from samebytes_tools.commands.survey.model import KINDS, WAYS, Artifact, Examination, State, Target
from samebytes_tools.commands.survey.sandbox import sandbox
from samebytes_tools.commands.survey.sandbox.confined import Limits
from support.indexes import HTML, Answer, Server, serving
from support.processes import linux_only, wait_for
from support.surveyed import conditions, sdist

from samebytes.commands.main import main

pytestmark = [pytest.mark.integration, pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")]

SMALL = Target("small")


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


Examined = Callable[..., Examination]


@pytest.fixture
def examined(server: Server, tmp_path: Path) -> Examined:
    """Examine a project with further lines of backend, and see that nothing is left of it."""

    def run(extra: str = "", *, confined: bool = True, **more: object) -> Examination:
        if confined and not is_confined():
            pytest.skip("needs bubblewrap")
        if "/simple/small/" not in server.answers:  # an index has one file of a name
            server.add("small", sdist(tmp_path / "made", extra=extra))
        where = replace(conditions(server, tmp_path, wants_sandbox=confined), **more)  # type: ignore[arg-type]
        found = examine(SMALL, where)
        assert list((tmp_path / "scratch").iterdir()) == []
        return found

    return run


def is_confined() -> bool:
    return bool(sandbox.find(os.environ, sandbox.readable(os.environ)).program)


def by_place(found: Examination) -> dict[tuple[str, str], Artifact]:
    return {(one.way, one.kind): one for one in found.artifacts}


def is_running(token: str) -> bool:
    """Return whether a process with *token* among its arguments is there."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if token.encode() in path.read_bytes():
                return True
        except OSError:
            continue
    return False


DAEMON = """
import subprocess, sys
def leave():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for number in range(3):
                os.close(number)
            os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(1e6) # TOKEN"])
        os._exit(0)
    os.wait()
leave()
"""

GOES_BY_THE_DATE = """
if "SOURCE_DATE_EPOCH" in os.environ:
    time.localtime = lambda *_: time.gmtime(int(os.environ["SOURCE_DATE_EPOCH"]))
"""

WRITING = """
for place in PLACES:
    try:
        os.makedirs(place, exist_ok=True)
        with open(os.path.join(place, "TOKEN"), "w") as file:
            file.write("here I was")
    except OSError:
        pass
"""


@linux_only
@pytest.mark.parametrize(
    "confined",
    [
        pytest.param(True, id="sandbox"),
        # What is confined, and how a process ends where nothing confines it, are unit tests (test_confined.py).
        pytest.param(False, id="no sandbox", marks=pytest.mark.broad("the same builds, where they may do more")),
    ],
)
def test_a_package_is_built_twice_in_each_way(
    confined: bool, examined: Examined, server: Server, tmp_path: Path
) -> None:
    """Nothing that its builds started goes on after the end, and what they wrote elsewhere is nowhere."""
    token = f"survey-{tmp_path.name}-{os.getpid()}"
    places = [str(tmp_path), str(tmp_path / "cache"), str(Path.home()), "/var/tmp", "/dev/shm", "/etc", sys.prefix]
    writing = WRITING.replace("PLACES", repr(places)) if confined else ""
    found = examined((GOES_BY_THE_DATE + DAEMON + writing).replace("TOKEN", token), confined=confined)
    assert (found.state, found.reason) == (State.EXAMINED, "")
    wait_for(lambda: not is_running(token), "the end of what the build began")
    assert [place for place in places if Path(place, token).exists()] == []
    artifacts = by_place(found)
    assert set(artifacts) == {(way, kind) for way in WAYS for kind in KINDS}
    for (way, kind), one in artifacts.items():
        # Its sdists have the files' own times, whatever the date is.
        assert one.state == ("differs" if way == AS_IS or (way, kind) == (DATED, "sdist") else "same"), one
        assert (one.sha256[0] == one.sha256[1]) == (one.state == "same")
    whole, hook = artifacts[BUILD, "wheel"], artifacts["hook", "wheel"]
    assert whole.sha256 == hook.sha256
    assert {hit.code for hit in artifacts["as is", "wheel"].causes} >= {"D011"}
    assert (found.backend, found.backend_version, found.is_pure) == ("in-tree", "", True)
    assert found.sdist is not None
    assert (found.version, found.sdist.file, found.sdist.yanked) == ("1.0", "small-1.0.tar.gz", False)
    assert {"umask", "hash-seed", "build-path", "leftovers"} <= set(found.varied)
    assert found.not_varied["checkout"] == "the source is not a git checkout"
    assert found.seconds > 0
    assert ("no sandbox was wanted" in found.notes) == (not confined)


def test_a_package_is_built_as_it_stands_only(examined: Examined) -> None:
    found = examined(GOES_BY_THE_DATE, as_is=True)
    assert set(by_place(found)) == {(way, kind) for way in (AS_IS, DATED) for kind in KINDS}
    assert {one.state for one in found.artifacts if one.kind == "wheel"} == {"same", "differs"}


def test_what_was_downloaded_is_not_asked_for_again(examined: Examined, server: Server) -> None:
    first, second = examined(FAILING), examined()
    for found in (first, second):  # with the sdist, there was something to build
        assert (found.state, "there is no such compiler" in found.reason) == (State.NOT_BUILT, True), found
    assert first.sdist == second.sdist
    assert first.sdist is not None
    assert [path for path, _ in server.asked].count("/files/small-1.0.tar.gz") == 1


# Published files.

SAME_SDISTS = """
import gzip

def fixed(info):
    info.mtime, info.uid, info.gid, info.uname, info.gname, info.mode = 1, 0, 0, "", "", 0o644
    return info

def build_sdist(sdist_directory, config_settings=None):
    path = os.path.join(sdist_directory, SDIST_NAME)
    with open(path, "wb") as raw, gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed:
        with tarfile.open(fileobj=packed, mode="w") as sdist:
            for name in ("pyproject.toml", "backend/small_backend.py", "PKG-INFO", "setup.cfg"):
                if os.path.exists(name):
                    sdist.add(name, "small-1.0/" + name, filter=fixed)
    return SDIST_NAME
"""

OF_SETUPTOOLS = {
    "setup.cfg": "[egg_info]\ntag_build = \ntag_date = 0\n\n",
    "small.egg-info/SOURCES.txt": "pyproject.toml\n",
}
"""What setuptools leaves in an sdist, so that it is not taken for source when the sdist is made again."""


def published(directory: Path) -> tuple[Path, Path]:
    """Make a release by its own backend: the sdist, with what setuptools would leave in it, and the wheel."""
    made = sdist(directory, extra=GOES_BY_THE_DATE + SAME_SDISTS, more=OF_SETUPTOOLS)
    with tarfile.open(made) as archive:
        archive.extractall(directory)
    code = "import sys; sys.path.insert(0, 'backend'); import small_backend; small_backend.build_wheel(sys.argv[1])"
    environ = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}
    subprocess.run([sys.executable, "-c", code, str(directory)], cwd=directory / "small-1.0", env=environ, check=True)
    return made, directory / "small-1.0-py3-none-any.whl"


@linux_only
def test_published_files_are_rebuilt_and_their_records_can_be_followed(
    examined: Examined,
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for path in published(tmp_path / "release"):
        server.add("small", path)
    found = examined(builds=False, verifies=True)
    assert (found.state, found.reason, found.artifacts) == (State.EXAMINED, "", ())
    assert [(one.kind, one.state) for one in found.rebuilds] == [("pure wheel", "identical"), ("sdist", "different")]
    monkeypatch.setenv("PIP_INDEX_URL", server.address)
    for one in found.rebuilds:
        path = tmp_path / f"{one.kind}.json"
        path.write_text(json.dumps(one.record), encoding="utf-8")
        # No address: neither of the index nor of the one in the sandbox.
        assert "127.0.0.1" not in path.read_text("utf-8")
        main(["verify", "small==1.0", "--file", one.file, "--from", str(path), "--json"])
        (again,) = json.loads(capsys.readouterr().out)["results"]
        assert again["verified"]["comparison"]["right"]["sha256"] == one.rebuilt


# What a build does that means no good.

FOREVER = """
def build_wheel(*arguments):
    time.sleep(1e6)
"""

PRINTING = """
def build_wheel(*arguments):
    while True:
        os.write(1, b"again and again\\n" * 100_000)
"""

FILLING = """
def build_wheel(*arguments):
    with open("large", "wb") as file:
        while True:
            file.write(bytes(1 << 20))
"""

GREEDY = """
def build_wheel(*arguments):
    kept = []
    while True:
        kept.append(os.urandom(1 << 22))
        time.sleep(0.001)
"""

FORKING = """
import subprocess, sys
def build_wheel(*arguments):
    for _ in range(400):
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1e6) # TOKEN"], start_new_session=True)
    time.sleep(1e6)
"""


@pytest.mark.parametrize("confined", [True, False], ids=["sandbox", "no sandbox"])
@pytest.mark.parametrize(
    ("extra", "limits", "told"),
    [
        (FOREVER, Limits(seconds=8), "it took longer than 8 seconds"),
        (PRINTING, Limits(room=40 << 20), "40 MiB"),
        (FILLING, Limits(room=40 << 20), "40 MiB"),
        (GREEDY, Limits(memory=400 << 20), "it took more than 400 MiB of memory"),
        (FORKING, Limits(processes=120), "it had more than 120 processes"),
    ],
    ids=["forever", "printing", "filling", "greedy", "forking"],
)
def test_what_takes_too_much_is_ended(
    extra: str, limits: Limits, told: str, confined: bool, examined: Examined, tmp_path: Path
) -> None:
    token = f"survey-{tmp_path.name}-{os.getpid()}"
    found = examined(extra.replace("TOKEN", token), confined=confined, limits=limits)
    assert (found.state, told in found.reason) == (State.OVER_LIMIT, True), found
    wait_for(lambda: not is_running(token), "the end of what the build began")


def test_one_build_that_takes_too_long_is_the_last(examined: Examined) -> None:
    found = examined(FOREVER, build_seconds=1.0)
    assert found.state is State.OVER_LIMIT
    assert "took longer than 1 seconds" in found.reason


ASKING = """
def build_wheel(*arguments):
    print("your name?", input())
"""


def test_who_waits_for_input_gets_none(examined: Examined) -> None:
    found = examined(ASKING)
    wheel = by_place(found)["as is", "wheel"]
    assert found.state is State.EXAMINED  # for there is an sdist
    assert wheel.state == "could not be built"
    assert "EOFError" in found.log


FAILING = """
def build_wheel(*arguments):
    raise RuntimeError("there is no such compiler")
build_sdist = build_wheel
"""


def test_what_cannot_be_built_is_told_with_its_log(examined: Examined) -> None:
    found = examined(FAILING)
    assert found.state is State.NOT_BUILT
    said = "RuntimeError: there is no such compiler"
    assert (
        found.reason
        == f"in the first build: the backend 'small_backend' failed with exit status 1 in build_sdist: {said}"
    )
    assert said in found.log
    assert {one.way for one in found.artifacts} == {"as is"}


KILLING = """
import signal
def build_wheel(*arguments):
    {}
"""


@pytest.mark.parametrize(
    "deed",
    [
        "os.killpg(os.getpgid(os.getppid()), signal.SIGKILL)",
        "os.kill(os.getppid(), signal.SIGKILL)",
        "os.kill(-1, signal.SIGKILL)",
        "os.kill(-1, signal.SIGSTOP)",
    ],
)
def test_who_kills_its_parents_harms_itself_alone(deed: str, examined: Examined) -> None:
    found = examined(KILLING.format(deed), limits=Limits(seconds=12))
    assert found.state in (State.NOT_BUILT, State.OVER_LIMIT)
    assert found.reason


LOOKING = """
def seen():
    for place in PLACES:
        try:
            with open(place) as file:
                yield file.read()
        except OSError:
            pass
def build_wheel(*arguments):
    raise RuntimeError("seen: " + repr(sorted(os.environ.items())) + " ".join(seen()))
build_sdist = build_wheel
"""


def test_no_credentials_are_seen(
    examined: Examined, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Server
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    files = [home / name for name in (".netrc", ".pypirc", ".cargo/credentials.toml")]
    for path in files:
        path.parent.mkdir(exist_ok=True)
        path.write_text("machine example.org login me password open-sesame")
    address = server.address.replace("http://", "http://me:open-sesame@")
    environ = {**os.environ, "HOME": str(home), "AWS_SECRET_ACCESS_KEY": "open-sesame", "PIP_INDEX_URL": address}
    found = examined(LOOKING.replace("PLACES", repr(list(map(str, files)))), environ=environ, index=address)
    assert found.state is State.NOT_BUILT
    assert "seen: [(" in found.log
    assert "PIP_INDEX_URL" in found.log
    assert "open-sesame" not in found.log


# What the index has, or does not.


def examined_at(server: Server, root: Path, target: Target = SMALL) -> Examination:
    return examine(target, replace(conditions(server, root), silence=0.5))


def test_a_name_that_the_index_does_not_know(server: Server, tmp_path: Path) -> None:
    found = examined_at(server, tmp_path, Target("no-such-thing", rank=7))
    assert (found.state, found.version, found.rank) == (State.UNKNOWN, "", 7)
    assert found.reason == "the index has no project 'no-such-thing'"


def test_a_project_of_wheels_alone(server: Server, tmp_path: Path) -> None:
    wheel = tmp_path / "small-1.0-py3-none-any.whl"
    wheel.write_bytes(b"of no interest")
    server.add("small", wheel)
    for target in (SMALL, Target("small", "1.0")):
        found = examined_at(server, tmp_path, target)
        assert found.state is State.NO_SDIST
        assert "has no sdist" in found.reason


def test_the_newest_that_was_not_yanked_is_taken(server: Server, tmp_path: Path) -> None:
    for version, more in (("1.0", {}), ("1.1", {"yanked": "broken"}), ("2.0rc1", {})):
        server.add("small", sdist(tmp_path, extra=FAILING, version=version), **more)
    found = examined_at(server, tmp_path)
    assert found.version == "1.0"
    pinned = examined_at(server, tmp_path, Target("small", "1.1"))
    assert pinned.sdist is not None
    assert (pinned.version, pinned.sdist.yanked) == ("1.1", True)


def test_a_yanked_one_is_taken_where_all_are(server: Server, tmp_path: Path) -> None:
    server.add("small", sdist(tmp_path, extra=FAILING), yanked="all of it", uploaded="2024-05-06T07:08:09Z")
    found = examined_at(server, tmp_path)
    assert found.sdist is not None
    assert (found.sdist.yanked, found.sdist.uploaded) == (True, "2024-05-06T07:08:09Z")
    assert "small-1.0.tar.gz was yanked: all of it" in found.notes


def test_a_deleted_file(server: Server, tmp_path: Path) -> None:
    server.add("small", sdist(tmp_path))
    del server.answers["/files/small-1.0.tar.gz"]
    found = examined_at(server, tmp_path)
    assert (found.state, found.version) == (State.UNAVAILABLE, "1.0")
    assert found.reason == "/files/small-1.0.tar.gz is not there (404), though the index lists it"


def test_a_file_that_is_another(server: Server, tmp_path: Path) -> None:
    server.add("small", sdist(tmp_path))
    server.answers["/files/small-1.0.tar.gz"] = Answer(b"something else")
    found = examined_at(server, tmp_path)
    assert found.state is State.UNAVAILABLE
    assert "has the sha256" in found.reason
    assert ", but the index records" in found.reason
    assert not list((tmp_path / "cache").rglob("*.tar.gz"))


def test_an_index_that_is_silent_is_asked_again(server: Server, tmp_path: Path) -> None:
    server.add("small", sdist(tmp_path))
    server.answers["/simple/small/"].delay = 2.0
    found = examined_at(server, tmp_path)
    assert found.state is State.UNAVAILABLE
    assert "no answer within 0.5 seconds" in found.reason
    assert [path for path, _ in server.asked] == ["/simple/small/"] * 2


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Answer(b"out of order", HTML), "not a page of links"),
        (Answer(b"{}", "application/vnd.pypi.simple.v1+json"), "malformed"),
        (Answer(b"oh", HTML, 503), "answers 503"),
        (Answer(b"<html>", HTML, declared=1000), "ended"),
    ],
    ids=["no links", "no JSON", "error", "short"],
)
def test_an_index_that_answers_garbage(answer: Answer, told: str, server: Server, tmp_path: Path) -> None:
    server.answers["/simple/small/"] = answer
    found = examined_at(server, tmp_path)
    assert found.state is State.UNAVAILABLE
    assert told in found.reason
    assert "127.0.0.1" not in found.reason


def test_an_sdist_that_is_no_archive(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "small-1.0.tar.gz"
    path.write_bytes(b"not gzip at all")
    server.add("small", path)
    found = examined_at(server, tmp_path)
    assert found.state is State.NOT_BUILT
    assert "small-1.0.tar.gz" in found.reason


def test_a_stop_ends_it(server: Server, tmp_path: Path) -> None:
    import threading

    from samebytes.errors import Interrupted

    server.add("small", sdist(tmp_path, extra=FOREVER))
    stop = threading.Event()
    where: Conditions = replace(
        conditions(server, tmp_path), report=lambda step: stop.set() if "wheel" in step else None
    )
    with pytest.raises(Interrupted):
        examine(SMALL, where, stop)
    assert list((tmp_path / "scratch").iterdir()) == []
