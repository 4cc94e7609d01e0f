"""Installing what lists name: each wheel by its hash, from an index, a directory or an address, or nothing at all."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from samebytes_tools.building.provenance import this_python
from samebytes_tools.commands.install.lists import Finder, obtained, read
from samebytes_tools.index import cache
from samebytes_tools.releases.variables import Variables
from support.indexes import Answer, Server, serving
from support.installed import facts, project
from support.schemas import assert_valid

from samebytes.commands import main as cli
from samebytes.console import exit_status
from samebytes.errors import ArchiveError, ConfigError, IndexFailure, OutputError, SamebytesError, UsageError

PYTHON = this_python()
NEVER = 'python_version < "3"'
OTHER = "demo-1.0-cp27-none-win32.whl"


class Place:
    """An index with two projects, lists of them, and what became of an install."""

    def __init__(self, top: Path, server: Server, capsys: pytest.CaptureFixture[str]) -> None:
        self.top, self.server, self._capsys = top, server, capsys
        self.site = top / "site"
        self.wheels = {name: project(top / "wheels", name) for name in ("demo", "two")}
        self.hashes = {name: server.add(name, path) for name, path in self.wheels.items()}
        server.asked.clear()

    def requirement(self, name: str = "demo", more: str = "") -> str:
        return f"{name}==1.0 {more}--hash=sha256:{self.hashes[name]}\n"

    def entry(self, name: str = "demo", **more: Any) -> str:
        """Return the entry of a pylock.toml, with the address of its wheel."""
        values = {"url": f"{self.server.address[: -len('/simple')]}/files/{self.wheels[name].name}", **more}
        described = ", ".join(f"{key} = {json.dumps(value)}" for key, value in values.items())
        return (
            f'[[packages]]\nname = "{name}"\nversion = "1.0"\n'
            f'wheels = [{{ {described}, hashes = {{ sha256 = "{self.hashes[name]}" }} }}]\n'
        )

    def list(self, text: str, name: str = "requirements.txt") -> Path:
        path = self.top / name
        path.write_text(f'lock-version = "1.0"\ncreated-by = "us"\n{text}' if name.startswith("pylock") else text)
        return path

    def run(self, *arguments: object) -> tuple[int, str, str]:
        where = ["--target", str(self.site), "--date", "2020-09-13", "--pyc", "none"]
        status = cli.main(["install", *map(str, arguments), *where])
        assert not list((self.top / "tmp").iterdir())
        return (status, *self._capsys.readouterr())

    def problem(self, kind: type[SamebytesError], path: Path) -> str:
        """Return what is said of the list *path*, of which nothing is left that was fetched."""
        finder = Finder((), "", {"PIP_INDEX_URL": self.server.address}, offline=False)
        (self.top / "fetched").mkdir()
        with pytest.raises(kind) as caught:
            list(
                obtained(read([path], [], PYTHON, Variables({})), finder, PYTHON, self.top / "fetched", lambda _: None)
            )
        assert type(caught.value) is kind
        assert caught.value.remedy
        assert not list((self.top / "fetched").iterdir())
        return caught.value.message

    def refusal(self, kind: type[SamebytesError], *arguments: object) -> str:
        """Return what is said of an install that fails, and has done nothing."""
        before = {path.name for path in self.top.iterdir()}
        status, out, err = self.run(*arguments)
        assert (status, out) == (kind.exit_status, "")
        assert "  hint: " in err
        assert {path.name for path in self.top.iterdir()} == before - {"site"}
        return err

    def asked(self) -> list[str]:
        return [path for path, _ in self.server.asked]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Place]:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    monkeypatch.setattr(cache, "PAUSE", 0.0)
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    with serving() as server:
        monkeypatch.setenv("PIP_INDEX_URL", server.address)
        yield Place(tmp_path, server, capsys)


def moved(place: Place, name: str) -> Path:
    """Take an installed tree away, for another to come into its place."""
    return Path(shutil.move(place.site, place.top / name))


def test_every_way_gives_the_tree_of_the_wheels_themselves(place: Place) -> None:
    assert place.run(*place.wheels.values())[0] == 0
    expected = facts(moved(place, "named"))
    requirements = place.list(place.requirement() + place.requirement("two"))
    pylock = place.list(place.entry() + place.entry("two"), "pylock.toml")
    local = place.list(
        "".join(
            place.entry(name)
            .replace("url =", "path =")
            .replace(place.server.address[: -len("/simple")] + "/files", "wheels")
            for name in place.wheels
        ),
        "pylock.local.toml",
    )
    links = ("--find-links", place.top / "wheels", "--no-index")
    for number, arguments in enumerate(
        [
            ("-r", requirements),
            ("-r", requirements, *links),
            (pylock,),
            ("-r", pylock, *links),
            (pylock, "--index-url", place.server.address),
            (local, "--no-index"),
            (place.wheels["two"], "-r", requirements),
        ]
    ):
        status, out, err = place.run(*arguments)
        assert (status, err.splitlines()) == (0, [err.strip()]), (arguments, err)
        assert "installed 2 wheels" in out
        assert facts(moved(place, f"tree {number}")) == expected, arguments


@pytest.mark.parametrize("find", [False, True])
def test_nothing_is_asked_for_what_is_here(place: Place, find: bool) -> None:
    where = ["--find-links", place.top / "wheels"] if find else [place.wheels["demo"]]
    assert place.run("-r", place.list(place.requirement()), *where, *["--no-index"] * find)[0] == 0
    assert place.asked() == []


def test_a_lock_file_names_its_addresses(place: Place) -> None:
    assert place.run(place.list(place.entry(), "pylock.toml"))[0] == 0
    assert place.asked() == [f"/files/{place.wheels['demo'].name}"]


def test_what_is_not_for_here_is_noted(place: Place) -> None:
    text = place.requirement() + place.requirement("two", f"; {NEVER} ")
    status, out, _ = place.run("-r", place.list(text))
    assert status == 0
    assert "installed 1 wheel," in out
    assert "note two: not for this environment: python_version" in out
    nothing = place.list(place.requirement("two", f"; {NEVER} "), "none.txt")
    shutil.rmtree(place.site)
    assert "nothing to install here" in place.refusal(UsageError, "-r", nothing)


def test_json_names_where_wheels_come_from(place: Place) -> None:
    place.server.page("two", [{**place.server._rows["two"][0], "yanked": "it is broken"}])
    file = f"/files/{place.wheels['demo'].name}"
    place.server.answers[f"{file}?token=x"] = place.server.answers[file]
    text = place.requirement("two") + f"demo @ {place.server.address[:-7]}/files/demo-1.0-py3-none-any.whl?token=x "
    status, out, _ = place.run("-r", place.list(f"{text} --hash=sha256:{place.hashes['demo']}"), "--json")
    assert status == 0
    document = json.loads(out)
    assert_valid(document, "install")
    assert [one["path"].rpartition("/")[2] for one in document["wheels"]] == [
        path.name for path in place.wheels.values()
    ]
    assert all(one["path"].startswith("http://") for one in document["wheels"])
    assert document["remarks"] == [f"{place.wheels['two'].name} was yanked: it is broken"]


def test_the_best_of_several_is_taken(place: Place) -> None:
    here = project(place.top / "more", "demo", {"demo/__init__.py": b"here = True\n"})
    tag = f"cp3{sys.version_info[1]}-none-any"
    best = here.rename(here.with_name(f"demo-1.0-{tag}.whl"))
    other = shutil.copyfile(best, best.with_name(OTHER))
    hashes = [place.server.add("demo", path) for path in (best, Path(other))]
    options = " ".join(f"--hash=sha256:{one}" for one in [place.hashes["demo"], *hashes])
    if sys.implementation.name != "cpython":
        pytest.skip("its wheels have other tags")
    assert place.run("-r", place.list(f"demo==1.0 {options}\n"))[0] == 0
    assert (place.site / "demo" / "__init__.py").read_bytes() == b"here = True\n"


LINES: dict[str, tuple[str, type[SamebytesError], str]] = {
    "no hash": ("demo==1.0\n", ConfigError, "no strong hash"),
    "a weak hash": ("demo==1.0 --hash=md5:0123456789abcdef0123456789abcdef\n", ConfigError, "no strong hash"),
    "no version": ("demo --hash=sha256:{hash}\n", UsageError, "does not pin one release"),
    "another hash": (f"demo==1.0 --hash=sha256:{'0' * 64}\n", ArchiveError, "has a hash that is locked"),
    "another version": ("demo==2.0 --hash=sha256:{hash}\n", UsageError, "has no demo 2.0"),
    "another project": ("three==1.0 --hash=sha256:{hash}\n", UsageError, "has no project 'three'"),
    "a repository": ("demo @ git+https://u:secret@host.invalid/demo@v1\n", UsageError, "comes from a repository"),
    "a directory": ("-e ./demo\n", UsageError, "comes from a directory, ./demo"),
    "a path": ("./demo\n", UsageError, "it is a path of this machine"),
    "an address without a hash": (
        "demo @ https://u:secret@host.invalid/demo-1.0-py3-none-any.whl\n",
        ConfigError,
        "no strong hash",
    ),
    "the address of an sdist": (
        "demo @ https://u:secret@host.invalid/demo-1.0.tar.gz --hash=sha256:{hash}\n",
        UsageError,
        "is not a wheel",
    ),
    "the address of another project": (
        "demo @ https://host.invalid/other-1.0-py3-none-any.whl --hash=sha256:{hash}\n",
        ConfigError,
        "is not a wheel of it",
    ),
    "an address with two hashes": (
        f"demo @ https://host.invalid/demo-1.0-py3-none-any.whl --hash=sha256:{{hash}} --hash=sha256:{'0' * 64}\n",
        ConfigError,
        "has several hashes",
    ),
    "an address that is none": (
        "demo @ https://host.invalid:port/demo-1.0-py3-none-any.whl --hash=sha256:{hash}\n",
        ConfigError,
        "is not an address",
    ),
    "no requirement": ("demo = 1.0\n", ConfigError, "is not a requirement"),
    "a marker that is none": ("demo==1.0; python_version ~= 'three'\n", ConfigError, "marker"),
    "two versions": (
        "demo==1.0 --hash=sha256:{hash}\ndemo==2.0 --hash=sha256:{hash}\n",
        ConfigError,
        "demo 1.0 and demo 2.0",
    ),
    "a further file that is not there": ("-r none.txt\n", ConfigError, "cannot be read"),
}


@pytest.mark.parametrize("case", LINES)
def test_a_line_that_cannot_be_installed(place: Place, case: str) -> None:
    text, kind, message = LINES[case]
    said = place.problem(kind, place.list(text.replace("{hash}", place.hashes["demo"])))
    assert message in said
    assert "secret" not in said


def test_all_that_cannot_be_installed_is_named_at_once(place: Place) -> None:
    said = place.refusal(ConfigError, "-r", place.list("demo==1.0\n-e .\n" + place.requirement("two")))
    assert "2 entries cannot be installed:\n    demo 1.0: the list has no strong hash of it" in said
    said = place.refusal(ConfigError, "-r", place.list("".join(f"{name}==1.0\n" for name in "abcdefghijkl")))
    assert "12 entries cannot be installed:\n    a 1.0, b 1.0, c 1.0, " in said
    assert said.count("no strong hash") == 1
    assert "h 1.0 and 4 more: the list" in said
    said = place.refusal(UsageError, "-r", place.list("".join(f"{name}>1\n" for name in "abcdefghijklmnopqrstuvwxyz")))
    assert "... and 6 more" in said
    # Nor what the index does not have.
    text = place.requirement().replace("demo", "one") + place.requirement().replace("demo", "three")
    assert "2 entries cannot be installed:" in place.refusal(UsageError, "-r", place.list(text))


LOCKED: dict[str, tuple[Callable[[str], str], type[SamebytesError], str]] = {
    "another Python": (lambda text: f'requires-python = "<3"\n{text}', ConfigError, "is for Python <3"),
    "another environment": (lambda text: f"environments = ['{NEVER}']\n{text}", ConfigError, "for other environments"),
    "environments that are none": (lambda text: f"environments = [1]\n{text}", ConfigError, "malformed"),
    "another version of the format": (lambda text: text.replace("1.0", "2.0"), ConfigError, "lock-version"),
    "a hash that is none": (lambda text: text.replace("sha256", "md5"), ConfigError, "no strong hash"),
    "another file's hash": (lambda text: text.replace('sha256 = "', 'sha256 = "0'), ArchiveError, "the list records"),
    "the name of another": (lambda text: text.replace("url =", 'name = "a-1-py3-none-any.whl", url ='), ConfigError, "not a wheel of it"),
    "a name that leads elsewhere": (
        lambda text: text.replace("url =", 'name = "../demo-1.0-py3-none-any.whl", url ='),
        ConfigError,
        "not a wheel of it",
    ),
    "an address that cannot be parsed": (lambda text: text.replace('url = "http://', 'name = "demo-1.0-py3-none-any.whl", url = "http://['), ConfigError, "is malformed"),
    "a path that no system has": (lambda text: text.replace('url = "', 'name = "demo-1.0-py3-none-any.whl", path = "\\u0000'), ConfigError, "is malformed"),
    "an sdist alone": (lambda text: text.replace("wheels = [", "sdist = ").replace("}]", "}"), UsageError, "its sdist"),
    "a wheel for others": (lambda text: text.replace("py3-none-any", "cp27-none-win32"), UsageError, "no wheel of it fits"),
    "a directory": (
        lambda text: text.partition("wheels")[0] + 'directory = { path = "." }\n',
        UsageError,
        "comes from a directory",
    ),
    "an entry that is malformed": (lambda text: text.replace("wheels = [", "wheels = [1, "), ConfigError, "malformed entry"),
    "two of one project": (lambda text: text + text.partition("1.0\"\ncreated")[2].partition("\n")[2].replace("1.0", "2.0"), ConfigError, "demo 1.0 and demo 2.0"),
}  # fmt: skip


@pytest.mark.parametrize("case", LOCKED)
def test_a_lock_file_that_cannot_be_installed(place: Place, case: str) -> None:
    change, kind, message = LOCKED[case]
    text = place.list(place.entry(), "pylock.toml").read_text("utf-8")
    changed = change(text)
    if case not in ("another version of the format",):
        assert changed != text
    (place.top / "pylock.toml").write_text(changed, "utf-8")
    assert message in place.problem(kind, place.top / "pylock.toml")


def test_a_file_with_the_bytes_of_another_is_not_taken(place: Place) -> None:
    """Though the list has these, too: each file of a lock file has hashes of its own."""
    here, other = place.wheels["demo"], project(place.top / "more", "demo", {"demo/__init__.py": b"other = True\n"})
    files = "".join(
        f'{{ path = "wheels/{name}", hashes = {{ sha256 = "{hashlib.sha256(path.read_bytes()).hexdigest()}" }} }}, '
        for name, path in ((here.name, here), (OTHER, other))
    )
    lock = place.list(f'[[packages]]\nname = "demo"\nversion = "1.0"\nwheels = [{files}]\n', "pylock.toml")
    shutil.copyfile(other, here)
    assert "none of the hashes" in place.problem(ArchiveError, lock)


def test_a_missing_wheel_says_what_there_is(place: Place) -> None:
    path = place.wheels["demo"].rename(place.wheels["demo"].with_name(OTHER))
    place.server._rows["demo"] = []
    digest = place.server.add("demo", path)
    said = place.refusal(UsageError, "-r", place.list(f"demo==1.0 --hash=sha256:{digest}"))
    assert f"there is {OTHER}" in said
    assert "build its wheel here, and name that beside the list" in said


def test_a_release_with_an_sdist_alone_says_how_to_go_on(place: Place) -> None:
    (place.top / "demo-1.0.tar.gz").write_bytes(b"sdist")
    digest = place.server.add("demo", place.top / "demo-1.0.tar.gz")
    requirements = place.list(f"demo==1.0 --hash=sha256:{digest}")
    said = place.refusal(UsageError, "-r", requirements)
    assert "only an sdist" in said
    assert "pip wheel --no-deps" in said
    assert place.run("-r", requirements, place.wheels["demo"])[0] == 0


def test_a_wheel_for_a_newer_python_is_not_taken(place: Place) -> None:
    place.server.page("demo", [{**place.server._rows["demo"][0], "requires-python": ">=4"}])
    assert "no wheel of it fits" in place.refusal(UsageError, "-r", place.list(place.requirement()))


@pytest.mark.parametrize(
    ("answer", "kind", "message"),
    [
        (Answer(b"other bytes"), ArchiveError, "the list records"),
        (Answer(b"half", declared=1000), IndexFailure, "ended after 4 of 1,000 bytes"),
        (Answer(status=404), IndexFailure, "is not there (404)"),
        (Answer(status=503), IndexFailure, "answers 503"),
    ],
)
def test_a_download_that_fails(place: Place, answer: Answer, kind: type[SamebytesError], message: str) -> None:
    place.server.answers[f"/files/{place.wheels['two'].name}"] = answer
    requirements = place.list(place.requirement() + place.requirement("two"))
    assert message in place.refusal(kind, "-r", requirements)


def test_a_download_that_breaks_off_once_is_tried_again(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    path = f"/files/{place.wheels['demo'].name}"
    good = place.server.answers[path]
    place.server.answers[path] = Answer(b"half", declared=1000)
    monkeypatch.setattr(cache.time, "sleep", lambda _: place.server.answers.update({path: good}))
    assert place.run("-r", place.list(place.requirement()))[0] == 0


def test_no_network(place: Place) -> None:
    said = place.refusal(
        IndexFailure, "-r", place.list(place.requirement()), "--index-url", "http://127.0.0.1:9/simple"
    )
    assert "cannot be reached" in said


def test_a_disk_that_is_full(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    requirements = place.list(place.requirement())
    links = ("--find-links", place.top / "wheels", "--no-index")
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copyfile", full)
        assert "No space left" in place.refusal(OutputError, "-r", requirements, *links)
    monkeypatch.setattr(Path, "replace", full)
    assert "No space left" in place.refusal(OutputError, "-r", requirements)


def test_an_interruption_leaves_nothing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    from samebytes_tools.commands.install import lists

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(lists, "demand_hashes", interrupted)
    assert place.run("-r", place.list(place.requirement()))[0] == exit_status.INTERRUPTED
    assert not place.site.exists()


def test_options_that_have_no_meaning(place: Place) -> None:
    assert "none is named" in place.refusal(UsageError, place.wheels["demo"], "--no-index")
    nowhere = ("--find-links", place.top / "none")
    assert "is not a directory" in place.refusal(UsageError, "-r", place.list(place.requirement()), *nowhere)
    empty = place.top / "empty"
    empty.mkdir()
    options = ("--find-links", empty, "--no-index")
    assert "in the directories of --find-links" in place.refusal(
        UsageError, "-r", place.list(place.requirement()), *options
    )
    assert "nothing to install" in place.refusal(UsageError)
    (place.top / "uv.lock").write_text("version = 1\npackage = []\n")
    assert "uv export" in place.refusal(UsageError, place.top / "uv.lock")
    assert "Name it by -r" in place.refusal(UsageError, place.list(place.requirement()))


@pytest.mark.parametrize("text", ["requests", "requests==2.31.0", "requests[socks]>=2"])
def test_the_name_of_a_project_says_how_to_go_on(place: Place, text: str) -> None:
    said = place.refusal(UsageError, text)
    assert f"pip download --only-binary :all: -d wheels '{text}'" in said
    assert "Check the path" in place.refusal(UsageError, "dist/requests-1.0-py3-none-any.whl")


def test_what_was_fetched_is_named_without_the_directory_that_is_gone(place: Place) -> None:
    requirements = place.list(place.requirement())
    assert place.run("-r", requirements)[0] == 0
    status, _, err = place.run("-r", requirements)
    assert (status, f"error: {place.wheels['demo'].name}: its project is installed already" in err) == (2, True)
    assert str(place.top / "tmp") not in err
