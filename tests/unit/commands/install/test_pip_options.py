"""Options, variables and names of lists, as pip and uv take them: honoured, or said not to be."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from samebytes_tools.building.provenance import this_python
from samebytes_tools.commands.verify import targets
from samebytes_tools.commands.verify.verify import VerifyRequest
from samebytes_tools.index import cache
from samebytes_tools.releases import requirements_file
from samebytes_tools.releases.requirements_file import RequirementsList
from samebytes_tools.releases.variables import Variables
from support.indexes import Answer, Server, serving
from support.installed import project
from support.projects import write_tree

from samebytes.artifact.layout import ArtifactKind
from samebytes.commands import main as cli
from samebytes.errors import UsageError

A, B = "a" * 64, "b" * 64
SECRET = "pass-word@1"
QUOTED = "pass-word%401"

VALUES = {"NAME": "beta", "TOKEN": SECRET, "HOST": "host.example", "EMPTY": "", "V_1": "2.0"}
"""Of variables, in all tests here; ``UNSET`` is not among them."""

LISTS: Mapping[str, str] = {
    "variables": f"${{NAME}}==${{V_1}} --hash=sha256:{A} # ${{NAME}}\nalpha==1.0 ; sys_platform != 'a${{EMPTY}}${{UNSET}}'\n$NAME==1\n",
    "index": "alpha==1.0\n-i https://${TOKEN}@${HOST}/simple\n--extra-index-url=https://${HOST}/more\n--extra-index-url https://b.example\n",
    "the last index": "-i https://a.example\n--index-url https://b.example\nalpha==1.0\n",
    "no index": "--no-index\n--extra-index-url https://b.example\nalpha==1.0\n-i https://a.example\n",
    "links": "-f ${DIR_NAME}\n--find-links links\n--find-lin links --pre\nalpha==1.0\n",
    "formats": "--only-binary :all:\n--no-binary alpha,Beta.x\n--only-binary=alpha\nalpha==1.0\nbeta-x==1.0\ngamma==1.0\n",
    "no binaries": "--no-binary :all:\n--only-binary beta\nalpha==1.0\nbeta==1.0\n",
    "formats taken back": "--no-binary :all:\n--no-binary :none:\nalpha==1.0\n",
    "further": "-r more.txt\n-c limits.txt\nalpha==1.0\n--requirement=sub/deep.txt\n",
    "continued": f"alpha==1.0 \\\n  --hash=sha256:{A} \\\n  --hash=sha256:{B}\n--index-url \\\nhttps://a.example\n",
    "no options": "alpha==1.0 --index-url https://a.example --pre\n",
    "as both": "-c more.txt\n-r more.txt\nalpha==1.0\n-r more.txt\n",
    "on one line": "--pre --prefer-binary --no-index -f links --trusted-host host.example\nalpha==1.0\n",
}

PIP = """
import json, sys
from pip._internal.cli.cmdoptions import make_target_python
from pip._internal.index.collector import LinkCollector
from pip._internal.index.package_finder import PackageFinder
from pip._internal.models.search_scope import SearchScope
from pip._internal.models.selection_prefs import SelectionPreferences
from pip._internal.network.session import PipSession
from pip._internal.req.req_file import parse_requirements
from pip._vendor.packaging.requirements import InvalidRequirement, Requirement
found = {}
for name in sys.argv[1:]:
    session = PipSession()
    scope = SearchScope.create(find_links=[], index_urls=["https://default.example"], no_index=False)
    finder = PackageFinder.create(LinkCollector(session, scope), SelectionPreferences(allow_yanked=False))
    rows = []
    for one in parse_requirements(f"{name}.txt", session=session, finder=finder):
        if one.constraint:
            continue
        hashes = (one.options or {}).get("hashes", {})
        try:
            requirement = Requirement(one.requirement)
        except InvalidRequirement:
            rows.append([one.requirement, "", [], []])
            continue
        kinds = sorted(finder.format_control.get_allowed_formats(requirement.name.lower().replace(".", "-")))
        version = next(iter(requirement.specifier)).version
        rows.append([requirement.name, version, sorted(f"{a}:{d}" for a, ds in hashes.items() for d in ds), kinds])
    found[name] = [rows, finder.index_urls, finder.find_links, finder.search_scope.no_index]
print(json.dumps(found))
"""


def ours(found: RequirementsList) -> list[Any]:
    """Return what pip's script returns."""
    kinds = {None: ["binary", "source"], ArtifactKind.WHEEL: ["binary"], ArtifactKind.SDIST: ["source"]}
    rows = [
        [one.name, one.version, sorted(one.selection.hashes), kinds[one.selection.kind] if one.version else []]
        for one in found.entries
    ]
    first = found.entries[0]
    addresses = [] if found.is_offline else [first.index or "https://default.example", *first.further_indexes]
    return [rows, addresses, [str(path) for path in found.links], found.is_offline]


def test_pip_takes_the_same_from_lists(tmp_path: Path) -> None:
    """Requirements, hashes, indexes, directories and kinds of files, by pip's own reader and finder."""
    environ = {**VALUES, "DIR_NAME": str(tmp_path / "links"), "PIP_FIND_LINKS": "", "PIP_NO_INDEX": ""}
    write_tree(tmp_path, {f"{name}.txt": text for name, text in LISTS.items()})
    write_tree(
        tmp_path,
        {
            "links/none.txt": "",
            "more.txt": "gamma==3\n-r sub/deep.txt\n-i https://more.example\n",
            "sub/deep.txt": "delta==4\n-c ../limits.txt\n",
            "limits.txt": "delta<5\n",
        },
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PIP, *LISTS],
        cwd=tmp_path,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=True,
    )
    theirs = json.loads(done.stdout)
    for name in LISTS:
        found = ours(requirements_file.read(tmp_path / f"{name}.txt", {}, Variables(environ)))
        rows, addresses, links, no_index = theirs[name]
        # pip reads a file as often as it is named, and we once.
        rows = [row for number, row in enumerate(rows) if row not in rows[:number]]
        links = [os.path.join(tmp_path, one) for one in links]
        assert found == [rows, addresses, links, no_index], name


class Place:
    """Two indexes, directories with wheels, and what becomes of installs of lists."""

    def __init__(self, top: Path, main: Server, other: Server, capsys: pytest.CaptureFixture[str]) -> None:
        self.top, self.main, self.other, self._capsys = top, main, other, capsys
        self.demo, self.two = (project(top / "wheels", name) for name in ("demo", "two"))

    def line(self, wheel: Path, more: str = "") -> str:
        return f"{wheel.name.partition('-')[0]}==1.0 {more}--hash=sha256:{sha256(wheel)}\n"

    def run(self, text: str, *arguments: object, name: str = "requirements.txt") -> tuple[int, str, str]:
        (self.top / name).write_text(text, encoding="utf-8")
        where = ["--target", str(self.top / "site"), "--date", "2020-09-13", "--pyc", "none"]
        return self.command("install", "-r", self.top / name, *where, *arguments)

    def command(self, *arguments: object) -> tuple[int, str, str]:
        return (cli.main(list(map(str, arguments))), *self._capsys.readouterr())


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Place]:
    monkeypatch.setattr(cache, "PAUSE", 0.0)
    monkeypatch.setenv("COLUMNS", "1000")
    for name, value in VALUES.items():
        monkeypatch.setenv(name, value)
    with serving() as main, serving() as other:
        monkeypatch.setenv("PIP_INDEX_URL", main.address)
        yield Place(tmp_path, main, other, capsys)


def test_wheels_come_from_the_directories_that_a_list_names(place: Place) -> None:
    text = f"--no-index\n--find-links wheels\n-f {place.two.as_uri()}\n{place.line(place.demo)}{place.line(place.two)}"
    status, out, _ = place.run(text)
    assert (status, "installed 2 wheels" in out) == (0, True)
    assert place.main.asked == []


def test_a_wheel_by_its_path_is_taken_by_its_hash(place: Place) -> None:
    assert "no strong hash" in place.run(f"{place.demo}\n")[2]
    assert place.run(f"{place.demo} --hash=sha256:{sha256(place.demo)}\n")[0] == 0


def test_a_further_index_is_asked_and_cannot_put_its_own_in_place(place: Place) -> None:
    """It has another demo of the same name and version: the one with the hash is taken (no dependency confusion)."""
    evil = project(place.top / "evil", "demo", {"demo/__init__.py": b"evil = True\n"})
    place.main.add("demo", place.demo)
    place.other.add("demo", evil)
    place.other.add("two", place.two)
    lines = place.line(place.demo) + place.line(place.two)
    status, out, err = place.run(f"--extra-index-url {place.other.address}\n{lines}")
    assert (status, "installed 2 wheels" in out) == (0, True), err
    assert b"evil" not in (place.top / "site" / "demo" / "__init__.py").read_bytes()
    # In whichever order, and named as the only one it is refused.
    (place.top / "site").rename(place.top / "first")
    assert place.run(f"-i {place.other.address}\n--extra-index-url {place.main.address}\n{lines}")[0] == 0
    assert b"evil" not in (place.top / "site" / "demo" / "__init__.py").read_bytes()
    (place.top / "site").rename(place.top / "second")
    status, _, err = place.run(f"--extra-index-url {place.main.address}\n{lines}", "--index-url", place.other.address)
    assert (status, "has a hash that is locked" in err) == (4, True)


def test_all_indexes_are_named_where_none_has_it(place: Place) -> None:
    place.main.add("demo", place.demo)
    text = f"--extra-index-url {place.other.address}\ndemo==2.0 --hash=sha256:{A}\n"
    assert f"the indexes {place.main.address}, {place.other.address} have no demo 2.0" in place.run(text)[2]


def test_constraints_pin_and_forbid(place: Place) -> None:
    """uv takes version and hashes of a constraint; pip refuses such a list in the mode of hashes."""
    (place.top / "limits.txt").write_text(place.line(place.demo) + "two>=1\nno-such==1\n")
    links = ["--find-links", place.top / "wheels", "--no-index"]
    assert place.run(f"-c limits.txt\ndemo>=0.5\n{place.line(place.two)}", *links)[0] == 0
    (place.top / "limits.txt").write_text("two>1\n")
    status, _, err = place.run(f"-c limits.txt\n{place.line(place.two)}", *links)
    assert (status, f"{place.top / 'limits.txt'}, line 1 allows two>1 only" in err) == (3, True)


NOTED = {
    "-f https://u:pass-word@host.invalid/page": "--find-links https://host.invalid/page: pages are not read",
    "-f no/such/place": "is neither a directory nor a wheel",
    "--trusted-host host.invalid": "certificates are verified",
    "--use-feature fast-deps": "it is pip's own",
    f"--hash=sha256:{A}": "has no effect on a line without one",
}


def test_what_is_not_honoured_is_noted_with_its_line(place: Place) -> None:
    for option, said in NOTED.items():
        text = f"# first\n{option}\n{place.line(place.demo)}"
        status, out, _ = place.run(text, "--find-links", place.top / "wheels", "--no-index")
        assert status == 0
        (note,) = (line for line in out.splitlines() if "requirements.txt, line 2: " in line)
        assert said in note
        assert "pass-word" not in note
        # Where something is not found, it may be why.
        _, _, err = place.run(text, "--no-index")
        assert said in err
        (place.top / "site").rename(place.top / f"site of {said[:9]}")


REFUSED = {
    "--no-such-option": "no such option: --no-such-option",
    "--index-url": "requires 1 argument",
    "-i 'https://host.invalid": "No closing quotation",
    "-r https://u:pass-word@host.invalid/list.txt": "https://host.invalid/list.txt is not fetched",
    "--no-index demo==1.0": "'demo==1.0' stands behind options",
    "--no-binary demo": "demo 1.0: the list means its sdist",
}


def test_what_cannot_be_honoured_is_an_error_that_names_it(place: Place) -> None:
    for option, said in REFUSED.items():
        status, _, err = place.run(f"{option}\n{place.line(place.demo)}", "--find-links", place.top / "wheels")
        assert status in (2, 3)
        assert said in err
        assert "  hint: " in err
        assert "pass-word" not in err
        assert not (place.top / "site").exists()
    assert "the list means its sdist" in place.run(place.line(place.demo, "--global-option=x "))[2]


def test_hashes_that_a_list_demands(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("--require-hashes\ndemo==1.0\ntwo==2.0 --hash=sha256:" + A)
    found, _ = targets.of_list(tmp_path / "list.txt", VerifyRequest(""), this_python(), {})
    assert [bool(one.error) for one in found] == [True, False]
    assert "list.txt, line 1 demands one" in str(found[0].error)


def test_what_is_verified_is_what_the_list_means(tmp_path: Path) -> None:
    text = (
        "-i https://u:${TOKEN}@host.example/${TOKEN}/simple\n--extra-index-url https://${TOKEN}@b.example/${TOKEN}\n"
        "--no-binary demo\n--only-binary two\n-f .\n--trusted-host x\n"
        f"demo==1.0\ntwo==2.0 --hash=sha256:{A}\nthree==3.0\n"
    )
    (tmp_path / "list.txt").write_text(text)
    found, notes = targets.of_list(tmp_path / "list.txt", VerifyRequest(""), this_python(), VALUES)
    requests = [one.request for one in found if one.request]
    assert [one.selection.kind for one in requests] == [ArtifactKind.SDIST, ArtifactKind.WHEEL, None]
    assert all("https://b.example/${TOKEN}" in one.notes[-1] for one in requests)
    assert all("host.example/${TOKEN}/simple" in one.index for one in requests)
    assert not any(SECRET in f"{one}{targets.described(one)}" or QUOTED in str(one) for one in found)
    assert len(notes) == 2


def test_credentials_of_variables_are_used_and_never_shown(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the user's part and in the path, as indexes take tokens; found, not found, refused and broken off."""
    monkeypatch.setenv("TOKEN", QUOTED)
    place.other.add("demo", place.demo)
    base = place.other.address.replace("/simple", f"/{QUOTED}/simple")
    for path in list(place.other.answers):
        place.other.answers[f"/{QUOTED}{path}"] = place.other.answers[path]
    host = place.other.address.partition("//")[2].partition("/")[0]
    index = f"--index-url http://user:${{TOKEN}}@{host}/${{TOKEN}}/simple\n"
    shown = []
    status, out, err = place.run(index + place.line(place.demo), "--json")
    assert status == 0, err
    assert json.loads(out)["wheels"][0]["path"].startswith("http://")
    assert any("Basic" in headers.get("Authorization", "") for _, headers in place.other.asked)
    shown += [out, err]
    direct = f"demo @ {base.rpartition('/')[0]}/files/{place.demo.name}?token=${{TOKEN}}"
    for text in (
        index + place.line(place.two),
        index + f"demo==2.0 --hash=sha256:{A}\n",
        index + f"demo==1.0 --hash=sha256:{A}\n",
        f"demo @ http://127.0.0.1:9/${{TOKEN}}/{place.demo.name} --hash=sha256:{A}\n",
        f"{direct.replace(QUOTED, '${TOKEN}')} --hash=sha256:{A}\n",
        "demo = ${TOKEN}\n",
        "--no-such=${TOKEN}\n",
        "-r https://${TOKEN}.example/x\n",
        "-e git+https://${TOKEN}@host.example/demo\n",
        "-f https://host.example/${TOKEN}\n",
        "--index-url http://[${TOKEN}/\n" + place.line(place.demo),
        "--index-url ftp://host.example/${TOKEN}/\n" + place.line(place.demo),
    ):
        status, out, err = place.run(text)
        assert status != 0, text
        shown += [out, err]
    place.other.answers[f"/{QUOTED}/simple/demo/"] = Answer(status=503)
    shown += place.run(index + place.line(place.demo))[1:]
    assert not [text for text in shown if SECRET in text or QUOTED in text]
    assert any("${TOKEN}" in text for text in shown)


POETRY = '[[package]]\nname = "demo"\nversion = "1.0"\n[metadata]\nlock-version = "2.0"\ncontent-hash = "0"\n'
PDM = POETRY.replace("lock-version", "lock_version").replace("content-hash", "content_hash")
UNREAD = {
    "poetry.lock": (POETRY, "poetry export"),
    "other.lock": (POETRY, "poetry export"),
    "pdm.lock": ('[metadata]\nlock_version = "4.5.0"\n[[package]]\nname = "demo"\n', "pdm export"),
    "some.lock": ("# comment\n" + PDM, "pdm export"),
    "Pipfile.lock": ('{\n  "_meta": {},\n  "default": {}\n}\n', "pipenv requirements --hash"),
    "Pipfile": ('[[source]]\nurl = "https://host.example"\n[packages]\ndemo = "*"\n', "pipenv lock"),
    "pyproject.toml": ('[project]\nname = "x"\n', "uv pip compile --generate-hashes pyproject.toml"),
    "pixi.lock": ("version: 6\nenvironments:\n", "Name a list of one of these kinds"),
    "names.txt": ('lock-version = "1.0"\n', "Correct the line"),
}


@pytest.mark.parametrize("name", UNREAD)
def test_a_list_of_another_tool_says_what_exports_one(place: Place, name: str) -> None:
    text, hint = UNREAD[name]
    for command in (["install", "--target", place.top / "site", "-r"], ["verify", "-r"]):
        (place.top / name).write_text(text)
        status, out, err = place.command(*command, place.top / name)
        assert status in (2, 3)
        assert hint in out + err
    if name != "names.txt":
        assert hint in place.command("install", "--target", place.top / "site", place.top / name)[2]


RYE = """\
# generated by rye
# use `rye lock` or `rye sync` to update this lockfile
#
# last locked with the following flags:
#   pre: false
#   with-sources: false

-e file:.
{line}    # via own
"""


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock", "list", "requirements.in"])
def test_a_list_is_known_by_what_it_holds(place: Place, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """That of rye above all, which is no TOML; the project's own wheel stands for the project."""
    write_tree(place.top, {"pyproject.toml": '[project]\nname = "Two"\nversion = "1.0"\n'})
    monkeypatch.chdir(place.top)
    text = RYE.format(line=place.line(place.demo).strip())
    status, _, err = place.run(text, name=name)
    assert (status, "Two: it comes from a directory, file:." in err) == (2, True)
    links = ["--find-links", place.top / "wheels", "--no-index"]
    status, out, err = place.run(text, place.two, *links, name=name)
    assert (status, "installed 2 wheels" in out) == (0, True), err
    if name != "list":
        with pytest.raises(UsageError, match="may be a requirements file"):
            targets.is_list(str(place.top / name))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "utf-8"])
def test_the_encodings_that_pip_knows_by_their_marks(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "list.txt").write_bytes("demo==1.0 # é\n".encode(encoding))
    (entry,) = requirements_file.read(tmp_path / "list.txt", {}, Variables({})).entries
    assert entry.label == "demo 1.0"


@pytest.mark.skipif(sys.platform == "win32", reason="makes a pipe")
def test_a_list_may_come_through_a_pipe(place: Place) -> None:
    reading, writing = os.pipe()
    os.write(writing, place.line(place.demo).encode())
    os.close(writing)
    where = ["--target", place.top / "site", "--find-links", place.top / "wheels", "--no-index"]
    assert place.command("install", "-r", f"/dev/fd/{reading}", *where)[0] == 0
    os.close(reading)


def test_files_that_name_each_other_end(tmp_path: Path) -> None:
    write_tree(tmp_path, {f"{number}.txt": f"-r {number + 1}.txt\np{number}==1\n" for number in range(1100)})
    (tmp_path / "1100.txt").write_text("-r 0.txt\n")
    assert len(requirements_file.read(tmp_path / "0.txt", {}, Variables({})).entries) == 1100


def test_a_project_with_the_value_of_a_variable_in_its_name_keeps_it(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("-i https://${ORGANIZATION}.example/simple\nexample-org-tools==1.0\n")
    variables = Variables({"ORGANIZATION": "example-org"})
    (entry,) = requirements_file.read(tmp_path / "list.txt", {}, variables).entries
    assert (entry.name, entry.index) == ("example-org-tools", "https://example-org.example/simple")
