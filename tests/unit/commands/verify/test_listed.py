"""Lists of releases: requirements files, lock files and environments, and what is odd in them."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samebytes_tools.building.provenance import this_python
from samebytes_tools.commands.verify import installed_files, targets
from samebytes_tools.commands.verify.verify import VerifyRequest
from samebytes_tools.index.client import Index
from samebytes_tools.releases import lock_files, requirements_file
from samebytes_tools.releases.listed import NO_HASH, ListedRelease
from samebytes_tools.releases.selection import Selection
from samebytes_tools.releases.variables import Variables
from support.artifacts import wheel
from support.indexes import serving
from support.projects import write_tree

from samebytes.artifact.layout import ArtifactKind
from samebytes.errors import ConfigError, RecordError, UsageError

A, B = "a" * 64, "b" * 64
NEVER = "python_version < '3'"
PYTHON = ".".join(map(str, sys.version_info[:3]))


def said(entry: ListedRelease) -> str:
    """What became of an entry, as a report has it."""
    if entry.error is not None:
        assert entry.error.remedy
        return f"error: {entry.error.message}"
    return f"skipped: {entry.skipped}" if entry.skipped else " ".join(["verified", *sorted(entry.selection.hashes)])


def requirements(path: Path, text: str) -> list[ListedRelease]:
    path.write_text(text, encoding="utf-8")
    return list(requirements_file.read(path, {}, Variables({})).entries)


@pytest.mark.parametrize(
    ("line", "label", "expected"),
    [
        (f"demo==1.0 --hash=sha256:{A}", "demo 1.0", f"verified sha256:{A}"),
        (f"demo==1.0 \\\n  --hash=sha256:{A} \\\n  --hash sha512:{A}{B} # why\n", "demo 1.0", f"sha512:{A}{B}"),
        (f"demo===1.0 --hash=md5:{A[:32]}", "demo 1.0", "verified"),
        ("demo==1.0 # pinned", "demo 1.0", "verified"),
        ("demo[extra] == 1.0 ; python_version >= '3'", "demo 1.0", "verified"),
        (f"demo==1.0; {NEVER}", "demo", "skipped: not for this environment: python_version"),
        ("demo>=1.0", "demo", "error: demo>=1.0 does not pin"),
        ("demo", "demo", "error: demo does not pin"),
        ("demo==1.*", "demo", "error: demo==1.* does not pin"),
        (
            "demo @ https://u:secret@host.example/demo-1.0-py3-none-any.whl?token=x",
            "demo",
            "error: it comes from an address",
        ),
        ("demo @ git+https://u:secret@host.example/demo@v1", "demo", "error: it comes from a repository"),
        ("https://host.example/demo-1.0.tar.gz", "demo-1.0.tar.gz", "error: it comes from an address"),
        ("git+ssh://git@host.example/demo", "git+ssh", "error: it comes from a repository"),
        ("-e ./none", "./none", "skipped: installed in editable mode from a directory"),
        ("--editable=git+https://host.example/demo#egg=demo", "demo", "error: it comes from a repository"),
        ("./demo", "./demo", "error: it is a path"),
        ("dist/demo-1.0-py3-none-any.whl", "dist/demo", "error: it is a path"),
        ("demo = 1.0", "demo = 1.0", "error: it is not a requirement"),
        (f'demo==1.0 --hash="sha256:{A}"', "demo 1.0", f"verified sha256:{A}"),
        ("demo==1.0 --hash=sha256:short-and-misspelt", "demo 1.0", "verified sha256:short-and-misspelt"),
        (
            "git+https://u:secret@host.example/demo",
            "git+https://host.example/demo",
            "error: it comes from a repository",
        ),
        ("https://u:secret@host.example/demo/", "https://host.example/demo/", "error: it comes from an address"),
        ("-e git+https://u:secret@host.example", "host.example", "error: it comes from a repository"),
        ("-e https://u:secret@host.example/demo", "https://host.example/demo", "skipped: installed in editable mode"),
        ("demo[ @ https://u:secret@host.example/x", "demo[ @ https://host.example/x", "error: it is not a requirement"),
        ("demo==1.0; python_version ~= 'three'", "demo", "error: the marker"),
    ],
)
def test_a_line_of_a_requirements_file(tmp_path: Path, line: str, label: str, expected: str) -> None:
    (entry,) = requirements(tmp_path / "requirements.txt", line)
    assert entry.label.startswith(label)
    assert expected in said(entry)
    assert "secret" not in said(entry)
    assert "token" not in said(entry)
    is_unhashed = said(entry) == "verified"
    assert entry.notes == ((NO_HASH,) if is_unhashed else ())


def test_options_comments_and_further_files(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "more.txt").write_text("two==2\n-r ../requirements.txt\n-r more.txt\n")
    assert {
        one.index for one in requirements(tmp_path / "requirements.txt", "a==1\n-i https://host.example\nb==1")
    } == {"https://host.example"}
    (tmp_path / "limits.txt").write_text("two<3\n")
    text = "\ufeff# a comment \\\n--index-url https://host.example\n-c limits.txt\n--no-binary :all:\none==1\n-r sub/more.txt\nthree==3 \\"
    assert [one.label for one in requirements(tmp_path / "requirements.txt", text)] == ["one 1", "two 2", "three 3"]


@pytest.mark.parametrize("name", ['"more files.txt"', "more files.txt", "'more files.txt'"])
def test_a_further_file_is_not_passed_over(tmp_path: Path, name: str) -> None:
    (tmp_path / "more files.txt").write_text("two==2\n")
    assert [one.label for one in requirements(tmp_path / "requirements.txt", f"-r {name}\n")] == ["two 2"]
    # pip reads the first word of one that is not quoted, and passes over the others.
    (entry,) = requirements(tmp_path / "requirements.txt", f"-r {name} --pre\n")
    assert said(entry).startswith("verified" if name.startswith(("'", '"')) else "error: 'files.txt' stands behind")


def test_further_files_that_cannot_be_read(tmp_path: Path) -> None:
    names = ["none.txt", "a\0b"]
    if sys.platform != "win32":
        (tmp_path / "loop").symlink_to("loop")
        names += ["loop", "/dev/zero"]
    for name in names:
        with pytest.raises(ConfigError) as caught:
            requirements(tmp_path / "requirements.txt", f"-r {name}\n")
        assert caught.value.remedy


@pytest.mark.parametrize("data", [b"\xff", b"\xff\xfe\x00", None])
def test_requirements_files_that_cannot_be_read(tmp_path: Path, data: bytes | None) -> None:
    path = tmp_path / "requirements.txt"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(ConfigError) as caught:
        requirements_file.read(path, {}, Variables({}))
    assert caught.value.remedy


def test_pip_reads_the_same_in_a_requirements_file(tmp_path: Path) -> None:
    """Requirements and hashes, by pip's own parser."""
    text = (
        f"# one\nalpha==1.0 --hash=sha256:{A} \\\n --hash=sha256:{B}\nbeta[x]==2.0 ; python_version > '3' --hash=sha384:{A}{A[:32]}\n"
        f"gamma===3.0#no-comment\n\n  delta==4.0   # comment --hash=sha256:{A}\n\\\nepsilon==5\\\n.0\\\n    --hash=sha512:{A}{B}\n"
        "# continued \\\nzeta==6.0\n"
    )
    ours = [
        (entry.name, entry.version, sorted(entry.selection.hashes))
        for entry in requirements(tmp_path / "requirements.txt", text)
    ]
    code = """
import json, sys
from pip._internal.network.session import PipSession
from pip._internal.req.req_file import parse_requirements
from pip._vendor.packaging.requirements import Requirement
rows = []
for one in parse_requirements(sys.argv[1], session=PipSession()):
    requirement = Requirement(one.requirement)
    hashes = [f"{name}:{digest}" for name, digests in (one.options or {}).get("hashes", {}).items() for digest in digests]
    rows.append([requirement.name, next(iter(requirement.specifier)).version, sorted(hashes)])
print(json.dumps(rows))
"""
    command = [sys.executable, "-W", "ignore", "-c", code, str(tmp_path / "requirements.txt")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ours == [tuple(row) for row in json.loads(done.stdout)]
    assert len(ours) == 6


def package(name: str = "demo", **more: Any) -> dict[str, Any]:
    wheel = {"url": f"https://host.example/{name}-1.0-py3-none-any.whl", "hashes": {"sha256": A}}
    return {"name": name, "version": "1.0", "wheels": [wheel], **more}


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (package(), f"verified sha256:{A}"),
        (package(sdist={"url": "x", "hashes": {"sha256": B, "md5": "0"}}), f"verified sha256:{A} sha256:{B}"),
        (package(marker=NEVER), "skipped: not for this environment: python_version"),
        (package(marker="'x' in dependency_groups"), "skipped: not for this environment"),
        (package(marker="'dev' in dependency_groups or 'y' in extras"), f"verified sha256:{A}"),
        (package(marker="nonsense"), "error: the marker 'nonsense' cannot be read"),
        (package(**{"requires-python": "<3"}), "skipped: not for this environment: Python <3"),
        (package(**{"requires-python": "three"}), "error: requires-python 'three' is malformed"),
        (
            {"name": "demo", "vcs": {"type": "git", "url": "https://u:p@host.example/demo"}},
            "error: it comes from a repository",
        ),
        ({"name": "demo", "archive": {"url": "https://host.example/demo.zip"}}, "error: it comes from an address"),
        ({"name": "demo", "directory": {"path": ".", "editable": True}}, "skipped: installed in editable mode"),
        ({"name": "demo", "directory": {"path": "../x"}}, "skipped: from a directory, ../x"),
        (package(wheels=[{"url": "x", "hashes": {"md5": "0"}}]), "verified"),
        (package(wheels=[{"url": "x"}, {"url": "y", "hashes": {"sha256": A}}]), "verified"),
        ({"name": "demo", "wheels": [{"url": "x", "hashes": {"sha256": A}}]}, "error: the entry of demo does not pin"),
        (package(wheels=[7]), "error: the lock file has a malformed entry"),
        ({"version": "1"}, "error: the lock file has a malformed entry"),
        (package(name=7), "error: the lock file has a malformed entry"),
    ],
)
def test_a_package_of_a_pylock(entry: dict[str, Any], expected: str) -> None:
    document = {"lock-version": "1.0", "packages": [package("other"), entry], "default-groups": ["dev"]}
    other, found = lock_files.read_pylock(Path("pylock.toml"), document, {}, PYTHON)
    assert said(other) == f"verified sha256:{A}"  # whatever the other is
    assert said(found).startswith(expected)
    assert found.notes == ((NO_HASH,) if said(found) == "verified" else ())


def test_a_pylock_with_an_sdist_alone() -> None:
    sdist = {"url": "https://host.example/demo-1.0.tar.gz", "hashes": {"sha256": A}}
    document = {"lock-version": "1.0", "packages": [package(wheels=[], sdist=sdist)]}
    (found,) = lock_files.read_pylock(Path("pylock.toml"), document, {}, PYTHON)
    assert found.selection == Selection(ArtifactKind.SDIST, hashes=frozenset({f"sha256:{A}"}))


def test_packaging_selects_the_same_of_a_pylock() -> None:
    """Where it has ``packaging.pylock``: of what has a marker or requires a Python, both take the same."""
    if importlib.util.find_spec("packaging.pylock") is None:
        return
    module = importlib.import_module("packaging.pylock")
    markers = [
        "",
        NEVER,
        "python_version >= '3'",
        "'dev' in dependency_groups",
        "'x' in extras",
        "os_name == 'nope' or 'dev' in dependency_groups",
    ]
    pythons = ["", "<3", ">=3"]
    every: list[dict[str, Any]] = [
        package(
            f"demo{number}",
            **{key: value for key, value in (("marker", marker), ("requires-python", python)) if value},
        )
        for number, (marker, python) in enumerate((one, two) for one in markers for two in pythons)
    ]
    # Its select() raises for a package that another Python is for; so each is asked by itself.
    document = {
        "lock-version": "1.0",
        "created-by": "us",
        "packages": every,
        "dependency-groups": ["dev"],
        "default-groups": ["dev"],
    }
    ours = [one.name for one in lock_files.read_pylock(Path("pylock.toml"), document, {}, PYTHON) if not one.skipped]
    theirs = []
    for one in every:
        lock = module.Pylock.from_dict({**document, "packages": [one]})
        try:
            theirs += [found.name for found, _ in lock.select()]
        except module.PylockSelectError:
            pass
    assert ours == theirs
    assert 2 < len(ours) < len(every)


@pytest.mark.parametrize(
    ("name", "text", "error"),
    [
        ("pylock.toml", "lock-version = '2.0'\npackages = []\n", ConfigError),
        ("pylock.dev.toml", "lock-version = '1.0'\npackages = 7\n", ConfigError),
        ("pylock.toml", "x = 1\n", UsageError),
        ("pylock.toml", "x = [", ConfigError),
        ("uv.lock", "version = 2\n[[package]]\nname = 'x'\n", ConfigError),
        ("uv.lock", "version = 1\n[[package]]\nname = 'x'\n", ConfigError),
        ("poetry.lock", "[[package]]\nname = 'x'\n", UsageError),
        ("pyproject.toml", "[project]\nname = 'x'\n", UsageError),
    ],
)
def test_lists_that_are_none(tmp_path: Path, name: str, text: str, error: type[Exception]) -> None:
    (tmp_path / name).write_text(text)
    assert targets.is_list(str(tmp_path / name))
    with pytest.raises(error) as caught:
        targets.of_list(tmp_path / name, VerifyRequest(""), this_python(), {})
    assert vars(caught.value)["remedy"]


def test_what_is_a_list(tmp_path: Path) -> None:
    write_tree(tmp_path, {"env/pyvenv.cfg": "", "requirements.txt": "", "uv.lock": "", "demo-1.0-py3-none-any.whl": ""})
    assert targets.is_list(str(tmp_path / "env"))
    assert targets.is_list(str(tmp_path / "uv.lock"))
    assert not targets.is_list(str(tmp_path / "demo-1.0-py3-none-any.whl"))
    assert not targets.is_list("demo==1.0")
    for name, message in (("requirements.txt", "-r"), ("", "pyvenv.cfg")):
        with pytest.raises(UsageError) as caught:
            targets.is_list(str(tmp_path / name))
        assert message in str(caught.value)


@pytest.mark.parametrize(
    ("name", "version"),
    [("../here", "/demo-1.0-py3-none-any.whl"), ("demo", "../x"), ("d" * 300, "1.0"), ("demo", {"a": 1}), ("", "1.0")],
)
def test_an_entry_that_is_no_release_is_not_looked_for_on_the_disk(tmp_path: Path, name: str, version: Any) -> None:
    document = {"lock-version": "1.0", "packages": [{"name": name, "version": version}]}
    (entry,) = targets._targets(lock_files.read_pylock(tmp_path, document, {}, PYTHON), VerifyRequest(""))
    assert entry.request is None
    assert isinstance(entry.error, ConfigError)
    assert entry.error.remedy


def test_an_entry_that_is_there_twice_is_verified_once(tmp_path: Path) -> None:
    path = tmp_path / "requirements.txt"
    path.write_text("demo==1.0\ndemo==1.0\ndemo==1.1\ndemo>1\ndemo>2\n")
    found, _ = targets.of_list(path, VerifyRequest(""), this_python(), {})
    assert [one.label for one in found] == ["demo 1.0", "demo 1.1", "demo", "demo"]


def test_what_is_installed_twice_is_verified_twice(tmp_path: Path) -> None:
    infos = [tmp_path / "lib" / name / "site-packages" / "demo-1.0.dist-info" for name in ("python3.11", "python3.12")]
    for info in infos:
        info.mkdir(parents=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n")
        (info / "WHEEL").write_text("Wheel-Version: 1.0\nTag: py3-none-any\n")
        (info / "RECORD").write_text("")
    (tmp_path / "pyvenv.cfg").write_text("")
    found, _ = targets.of_list(tmp_path, VerifyRequest(""), this_python(), {})
    assert [one.request and one.request.installed for one in found] == infos


def test_packages_that_need_each_other_by_name_are_looked_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lock file with thousands of one name took minutes."""
    asked: list[str] = []
    monkeypatch.setattr(lock_files, "applies", lambda marker, _: not asked.append(marker))
    needs = {"dependencies": [{"name": "a"}]}
    many = [{"name": "a", "version": str(one), "source": {"registry": "x"}, **needs} for one in range(50)]
    packages = [{"name": "own", "source": {"virtual": "."}, **needs}, *many]
    entries = lock_files.read_uv_lock(tmp_path, {"version": 1, "package": packages}, {})
    assert [entry.version for entry in entries if not entry.skipped] == [str(one) for one in range(50)]
    assert len(asked) == 1


def test_all_files_of_a_release() -> None:
    """Those for other platforms are not errors."""
    with serving() as server:
        names = ["demo-1.0-py3-none-any.whl", "demo-1.0.tar.gz", "demo-1.0-cp311-cp311-somewhere_else.whl"]
        names += ["demo-1.0-pp310-pypy310_pp73-linux_x86_64.whl", "demo-1.1.tar.gz"]
        server.page("demo", [{"filename": name, "url": f"/files/{name}", "hashes": {}} for name in names])
        index = Index(server.address)
        found = targets.of_all_files("demo==1.0", VerifyRequest(""), this_python(), lambda: index)
        assert [(one.label, one.skipped[:21]) for one in found] == [
            *((name, "") for name in names[:2]),
            *((name, "not for this platform") for name in names[2:4]),
        ]
        only = VerifyRequest("", Selection(ArtifactKind.SDIST))
        assert [one.label for one in targets.of_all_files("demo==1.0", only, this_python(), lambda: index)] == names[
            1:2
        ]
        for release in ("demo", "uv.lock", "demo==2.0"):
            with pytest.raises(UsageError) as caught:
                targets.of_all_files(release, only, this_python(), lambda: index)
            assert caught.value.remedy


UV = f"""\
version = 1
revision = 3
requires-python = ">=3.9"
[[package]]
name = "own"
version = "0.1"
source = {{ virtual = "." }}
dependencies = [
    {{ name = "demo", extra = ["fast"] }},
    {{ name = "windows", marker = "sys_platform == 'nowhere'" }},
    {{ name = "fork", version = "1.0", source = {{ registry = "https://host.example/simple" }}, marker = "python_version < '3'" }},
    {{ name = "fork", version = "2.0", source = {{ registry = "https://host.example/simple" }}, marker = "python_version >= '3'" }},
    {{ name = "repo" }},
    {{ name = "direct" }},
    {{ name = "sibling" }},
]
[package.optional-dependencies]
more = [{{ name = "extra" }}]
[package.dev-dependencies]
dev = [{{ name = "dev" }}]
[[package]]
name = "demo"
version = "1.0"
source = {{ registry = "https://host.example/simple" }}
sdist = {{ url = "https://host.example/demo-1.0.tar.gz", hash = "sha256:{A}" }}
wheels = [{{ url = "https://host.example/demo-1.0-py3-none-any.whl", hash = "sha256:{B}" }}]
[package.optional-dependencies]
fast = [{{ name = "speed" }}]
slow = [{{ name = "unused" }}]
"""
SIMPLE = ("windows", "speed", "unused", "extra", "dev")
UV += "".join(
    f'[[package]]\nname = "{name}"\nversion = "1.0"\nsource = {{ registry = "https://host.example/simple" }}\n'
    f'sdist = {{ url = "https://host.example/{name}-1.0.tar.gz", hash = "sha256:{A}" }}\n'
    for name in SIMPLE
)
UV += "".join(
    f'[[package]]\nname = "fork"\nversion = "{version}"\nsource = {{ registry = "https://host.example/simple" }}\n'
    f'wheels = [{{ url = "https://host.example/fork-{version}-py3-none-any.whl", hash = "sha256:{B}" }}]\n'
    for version in ("1.0", "2.0")
)
UV += f"""\
[[package]]
name = "repo"
version = "1.0"
source = {{ git = "https://host.example/repo?rev=1#{A[:40]}" }}
[[package]]
name = "direct"
version = "1.0"
source = {{ url = "https://host.example/direct-1.0-py3-none-any.whl" }}
wheels = [{{ url = "https://host.example/direct-1.0-py3-none-any.whl", hash = "sha256:{B}" }}]
[[package]]
name = "sibling"
version = "1.0"
source = {{ editable = "sibling" }}
"""


def test_a_uv_lock(tmp_path: Path) -> None:
    """What is needed here, directly or not, with its extras; where uv is there, it needs the same."""
    path = tmp_path / "uv.lock"
    path.write_text(UV)
    entries = lock_files.read_uv_lock(path, lock_files.document_of(path), {})
    found = {entry.label: said(entry).partition(": ")[0] for entry in entries}
    sdist, both = f"verified sha256:{A}", f"verified sha256:{A} sha256:{B}"
    assert found == {
        **{"own 0.1": "skipped", "demo 1.0": "verified sha256:" + both.split("sha256:", 1)[1]},
        **{"windows 1.0": "skipped", "speed 1.0": sdist, "unused 1.0": "skipped", "extra 1.0": sdist, "dev 1.0": sdist},
        **{"fork 1.0": "skipped", "fork 2.0": f"verified sha256:{B}"},
        **{"repo 1.0": "error", "direct 1.0": "error", "sibling 1.0": "skipped"},
    }
    uv = Path(sys.executable).with_name("uv")
    if uv.is_file():
        write_tree(
            tmp_path, {"pyproject.toml": '[project]\nname = "own"\nversion = "0.1"\nrequires-python = ">=3.9"\n'}
        )
        export = [uv, "export", "-q", "--no-config", "--frozen", "--offline", "--no-emit-project", "--no-hashes"]
        done = subprocess.run([*export, "--all-extras", "--all-groups"], cwd=tmp_path, check=True, capture_output=True)
        theirs = requirements(tmp_path / "exported.txt", done.stdout.decode())
        assert {one.name for one in theirs if not one.skipped and "editable" not in said(one)} == {
            entry.name for entry in entries if not entry.skipped
        }


def installed(root: Path, wheel_path: Path, **more: str | None) -> Path:
    """Install the files of *wheel_path* into a virtual environment by hand, and return the ``.dist-info``."""
    site = root / "lib" / "python3" / "site-packages"
    with zipfile.ZipFile(wheel_path) as archive:
        archive.extractall(site)
    (root / "pyvenv.cfg").write_text("")
    (info,) = site.glob("*.dist-info")
    for name, text in more.items():
        path = info / name.replace("__", ".")
        path.unlink(missing_ok=True) if text is None else path.write_text(text)
    return info


def test_what_is_installed(tmp_path: Path) -> None:
    """By name, version and all tags of WHEEL; with the hash where direct_url.json has one."""
    path = wheel(tmp_path)
    info = installed(tmp_path / "env", path, INSTALLER="pip\n")
    (entry,) = installed_files.read(tmp_path / "env")
    assert (entry.target, entry.selection) == ("demo==1.0", Selection(tags=frozenset({"py3-none-any"})))
    installed_files.check(info, path)
    for origin, expected in (
        ({"url": "file:///x.whl", "archive_info": {"hashes": {"sha256": A}}}, f"verified sha256:{A}"),
        ({"url": "file:///x.whl", "archive_info": {"hash": f"sha256={A}"}}, f"verified sha256:{A}"),
        ({"url": "https://h/x.whl", "archive_info": {}}, "error: it comes from an address"),
        ({"url": "https://h/x", "vcs_info": {"vcs": "git", "commit_id": "1"}}, "error: it comes from a repository"),
        ({"url": "file:///x", "dir_info": {"editable": True}}, "skipped: installed in editable mode"),
        ({"url": "file:///x", "dir_info": {}}, "skipped: from a directory"),
        ({}, "error: "),
        ([], "error: "),
    ):
        (info / "direct_url.json").write_text(json.dumps(origin))
        (entry,) = installed_files.read(tmp_path / "env")
        assert said(entry).startswith(expected)
        assert entry.label == "demo 1.0"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"METADATA": ""}, "is damaged"),
        ({"METADATA": None}, "is damaged"),
        ({"WHEEL": "Wheel-Version: 1.0\n"}, "is damaged"),
        ({"RECORD": None, "INSTALLER": "debian\n"}, "it has no RECORD, for debian installed it"),
    ],
)
def test_what_is_installed_and_damaged(tmp_path: Path, change: dict[str, str | None], expected: str) -> None:
    installed(tmp_path / "env", wheel(tmp_path), **change)
    egg = tmp_path / "env" / "lib" / "python3" / "site-packages" / "old-2.0-py3.egg-info"
    egg.write_text("")
    entry, old = installed_files.read(tmp_path / "env")
    assert expected in said(entry)
    assert (old.label, said(old)) == ("old 2.0", "error: it was not installed from a wheel: it has no RECORD")


def test_installed_files_that_were_changed(tmp_path: Path) -> None:
    path = wheel(tmp_path)
    info = installed(tmp_path / "env", path)
    before = installed_files.digest(info)
    (info.parent / "demo" / "b.py").write_text("ANSWER = 41\n")
    assert installed_files.digest(info) != before
    with pytest.raises(RecordError, match=r"demo/b\.py is another"):
        installed_files.check(info, path)
    (info.parent / "demo" / "b.py").unlink()
    with pytest.raises(RecordError, match=r"demo/b\.py is missing") as caught:
        installed_files.check(info, path)
    assert caught.value.remedy


def test_installed_files_are_held_against_contents_and_not_against_record(tmp_path: Path) -> None:
    """No installer looks at the digests in RECORD, so they may be missing, and so may rows."""
    files = {
        "demo/a.py": b"A = 1\n",
        "demo/unlisted.py": b"B = 1\n",
        "demo-1.0.data/data/share/demo.ini": b"[x]\n",
        "demo-1.0.data/purelib/pure.py": b"",
        "demo-1.0.data/scripts/run": b"#!python\n",
        "demo-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n",
        "demo-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nTag: py3-none-any\n",
        "demo-1.0.dist-info/RECORD": b"demo/a.py,,\n",
    }
    path, env = tmp_path / "demo-1.0-py3-none-any.whl", tmp_path / "env"
    site = env / "lib" / "python3" / "site-packages"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
            scheme, _, below = name.rpartition(".data/")[2].partition("/") if ".data/" in name else ("", "", name)
            if scheme != "scripts":
                place = (env if scheme == "data" else site) / below
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(data)
    (env / "pyvenv.cfg").write_text("")
    info = site / "demo-1.0.dist-info"
    installed_files.check(info, path)
    for place in (site / "demo" / "a.py", site / "demo" / "unlisted.py", env / "share" / "demo.ini", site / "pure.py"):
        before = place.read_bytes()
        place.write_bytes(before + b"\n")
        with pytest.raises(RecordError, match=rf"{place.name} is another"):
            installed_files.check(info, path)
        place.write_bytes(before)


@pytest.mark.parametrize("record", ["n" * 5000 + ",,\n", "\ud800", None])
def test_a_record_that_cannot_be_followed(tmp_path: Path, record: str | None) -> None:
    info = installed(tmp_path / "env", wheel(tmp_path))
    (info / "RECORD").unlink()
    if record:
        (info / "RECORD").write_bytes(record.encode("utf-8", "surrogatepass"))
    assert len(installed_files.digest(info)) == 64


def test_an_environment_of_pypy_and_one_without_anything(tmp_path: Path) -> None:
    (tmp_path / "lib" / "pypy3.10" / "site-packages" / "demo-1.0.dist-info").mkdir(parents=True)
    (entry,) = installed_files.read(tmp_path)
    assert entry.label == "demo 1.0"
    with pytest.raises(ConfigError, match="has no site-packages"):
        installed_files.read(tmp_path / "lib")


@pytest.mark.skipif(sys.platform == "win32", reason="has no named pipes")
def test_metadata_that_never_ends(tmp_path: Path) -> None:
    info = installed(tmp_path / "env", wheel(tmp_path), METADATA=None)
    for special in ("/dev/zero", "pipe"):
        if special == "pipe":
            os.mkfifo(info / "METADATA")
        else:
            (info / "METADATA").symlink_to(special)
        (entry,) = installed_files.read(tmp_path / "env")
        assert "is damaged" in said(entry)
        (info / "METADATA").unlink()


KEYS = (
    "name",
    "version",
    "marker",
    "requires-python",
    "vcs",
    "directory",
    "archive",
    "wheels",
    "sdist",
    "index",
    "source",
)
KEYS += (
    "dependencies",
    "optional-dependencies",
    "extra",
    "registry",
    "git",
    "hashes",
    "hash",
    "url",
    "path",
    "editable",
)
TEXTS = (
    "demo",
    "1.0",
    "sha256:" + A,
    "python_version ~= '3'",
    "extra == 'x'",
    "https://[",
    "\ud800",
    "https://h.example/x.whl",
)
ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(TEXTS) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=8,
)
PACKAGES = st.lists(st.dictionaries(st.sampled_from(KEYS), ODD, max_size=6), max_size=3)


@given(PACKAGES)
def test_whatever_is_in_a_lock_file_each_package_is_a_row(packages: list[dict[str, Any]]) -> None:
    """Of a pylock.toml the others are what they would be without it; a uv.lock may be refused as a whole."""
    document = {"lock-version": "1.0", "packages": [*packages, package("good")]}
    found = lock_files.read_pylock(Path("pylock.toml"), document, {}, PYTHON)
    assert len(found) == len(packages) + 1
    assert said(found[-1]) == f"verified sha256:{A}"
    assert all(said(one) and one.label is not None for one in found)
    with contextlib.suppress(ConfigError):
        assert len(lock_files.read_uv_lock(Path("uv.lock"), {"version": 1, "package": packages}, {})) == len(packages)


LINES = st.lists(
    st.sampled_from(
        ["==1", "demo", "; ", "extra == 'x'", "python_version ~= 'a'", " @ ", "git+", "https://[", "-e ", "#egg="]
    )
    | st.sampled_from([f"-{letter} file://[" for letter in "rcfe"] + ["-i https://["])
    | st.text(st.characters(min_codepoint=32, max_codepoint=300), max_size=4),
    max_size=5,
)


@given(LINES)
def test_whatever_is_in_a_line_the_others_go_on(pieces: list[str]) -> None:
    line = "".join(pieces)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "requirements.txt")
        # What names a file that cannot be read is refused as a whole, unless its address is malformed.
        if (re.search("-[rc]", line) and not re.fullmatch(r"[^]]*file://\[", line)) or line.endswith("\\"):
            return
        found = requirements(path, f"{line}\ngood==1\n")
    assert (found[-1].label, said(found[-1])) == ("good 1", "verified")
    assert len(found) <= 1 + len(line.splitlines())
    assert all(said(one) for one in found)
