"""Where the commands of the documentation are run: what a reader of the page has before them.

A place is a function that fills an empty directory, and returns the directory to run in with the variables that are
set there.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from samebytes_tools.building import pylock
from samebytes_tools.building.virtualenvs import InstalledDistribution
from samebytes_tools.commands.survey.store.store import Store
from support import artifacts, published, synthetic_survey
from support.conditions import git
from support.projects import BY_NAME, SMALL_BACKEND, UNWRAPPED, copy_bare, write_tree

from samebytes.commands import main as cli

ROOT = Path(__file__).resolve().parents[2]
COMMITTED = "2024-02-29T12:00:00+00:00"
EARLY, LATE = ((2021, 3, 4, 5, 6, 8),), ((2022, 4, 5, 6, 7, 8),)
SMALL = {
    "pyproject.toml": ('[build-system]\nrequires = []\nbuild-backend = "small_backend"\nbackend-path = ["backend"]\n'),
    "backend/small_backend.py": SMALL_BACKEND,
}
Variables = Mapping[str, str]
Place = tuple[Path, Variables]


def empty(root: Path) -> Place:
    """Nothing."""
    return root, {}


def project(root: Path) -> Place:
    """A setuptools project in git that knows nothing of samebytes."""
    return _committed(copy_bare(UNWRAPPED, root / "project")), {}


def hatchling(root: Path) -> Place:
    """A hatchling project in git that knows nothing of samebytes."""
    return _committed(copy_bare(BY_NAME["hatchling"], root / "project")), {}


def wrapped(root: Path) -> Place:
    """The same, wrapped."""
    return _committed(shutil.copytree(BY_NAME["hatchling"].path, root / "project")), {}


def small(root: Path) -> Place:
    """A project in git with a backend of its own, which needs nothing and takes a date from the clock."""
    return _committed(write_tree(root / "project", SMALL)), {}


def sources(root: Path) -> Place:
    """That project here, twice below, and as an sdist."""
    here, _ = small(root)
    for name in ("one", "two"):
        write_tree(here / name, SMALL)
    artifacts.sdist(here, files={name: text.encode() for name, text in SMALL.items()})
    return here, {}


def dist(root: Path) -> Place:
    """A wheel and an sdist in dist/, as ordinary backends make them, in git."""
    artifacts.wheel(root / "dist")
    artifacts.sdist(root / "dist")
    return _committed(root), {}


def two_builds(root: Path) -> Place:
    """Two builds of one project, of two days, in one/dist and two/dist; below it, the project."""
    here, _ = small(root)
    for side, times in (("one", EARLY), ("two", LATE)):
        artifacts.wheel(here / side / "dist", times=times)
        artifacts.sdist(here / side / "dist")
    return here, {}


def two_trees(root: Path) -> Place:
    """Two installations of one wheel by pip, on two days."""
    first = _installed(artifacts.wheel(root / "wheels"), root / "one" / "site-packages")
    second = shutil.copytree(first, root / "two" / "site-packages")
    os.utime(second / "demo" / "b.py", (1_600_000_000, 1_600_000_000))
    return root, {}


def wheels(root: Path) -> Place:
    """Two wheels of different projects in wheels/ and in dist/, and lists that mean one of them: by path, or locked."""
    for name in ("demo", "other"):
        shutil.copy(artifacts.wheel(root / "wheels", name), _directory(root / "dist"))
    (root / "requirements.txt").write_text("./wheels/demo-1.0-py3-none-any.whl\n", "utf-8")
    digest = hashlib.sha256((root / "wheels/demo-1.0-py3-none-any.whl").read_bytes()).hexdigest()
    (root / "locked.txt").write_text(f"demo==1.0 --hash=sha256:{digest}\n", "utf-8")
    wheel = f'{{ path = "wheels/demo-1.0-py3-none-any.whl", hashes = {{ sha256 = "{digest}" }} }}'
    package = f'[[packages]]\nname = "demo"\nversion = "1.0"\nwheels = [{wheel}]\n'
    (root / "pylock.toml").write_text(f'lock-version = "1.0"\ncreated-by = "us"\n\n{package}', "utf-8")
    return root, {}


def installed(root: Path) -> Place:
    """What pip installed: in a virtual environment, in the tree of an image, and in the staging tree of a package."""
    wheels(root)
    first = _installed(root / "wheels" / "demo-1.0-py3-none-any.whl", root / "build" / "lib")
    shutil.copytree(first, root / "venv" / "lib" / "python3.11" / "site-packages")
    shutil.copytree(first, root / "image" / "usr" / "lib" / "python3.12" / "site-packages")
    shutil.copytree(first, root / "debian" / "tmp" / "usr" / "lib" / "python3" / "dist-packages")
    return root, {"DESTDIR": str(root / "debian" / "tmp")}


def surveyed(root: Path) -> Place:
    """Stores of surveys: one that is found by default, with its document, and two of machines that worked apart."""
    runs = synthetic_survey.runs(2)
    for name, within in (("samebytes-survey", runs), ("one", runs[:1]), ("two", runs[1:])):
        with Store(root / f"{name}.sqlite") as store:
            synthetic_survey.fill(store, within, synthetic_survey.examinations(12, within))
    checkout(root)
    assert cli.main(["survey", "export", "--json", str(root / "survey.json"), "--store", str(root)]) == 0
    return root, {}


def checkout(root: Path) -> Place:
    """The project's own tree, as a clone has it."""
    for name in ("examples", "benchmarks"):
        if (ROOT / name).is_dir():
            (root / name).symlink_to(ROOT / name)
    return root, {}


PLACES: dict[str, Callable[[Path], Place]] = {
    function.__name__.replace("_", "-"): function
    for function in (
        empty,
        project,
        hatchling,
        wrapped,
        small,
        sources,
        dist,
        two_builds,
        two_trees,
        wheels,
        installed,
        surveyed,
        checkout,
    )
}


@contextmanager
def opened(name: str, root: Path) -> Iterator[Place]:
    """Give the place of that name; one that is served is so until the context ends."""
    if name == "published":
        with published.releases(root / "releases") as releases:
            yield _published(releases, root)
    else:
        yield PLACES[name](root)


def _published(releases: published.Releases, root: Path) -> Place:
    """The tree of a release, which an index and a repository on this machine have, with its files."""
    git("tag", "v1.0", cwd=_committed(releases.tree))
    shutil.copytree(releases.wheel.parent, releases.tree / "dist")
    shutil.copy(releases.sdist, releases.tree)
    wheels = [path for path in sorted((root / "releases" / "shelf").iterdir()) if "-1.0-" in path.name]
    locked = [
        InstalledDistribution(path.name.split("-")[0], "1.0", path.as_uri(), {"sha256": _digest(path)})
        for path in wheels
    ]
    (releases.tree / "pylock.toml").write_text(pylock.write(locked), "utf-8")
    (releases.tree / "requirements.txt").write_text("demo==1.0\n", "utf-8")
    own = {"PIP_INDEX_URL": releases.server.address, "PIP_FIND_LINKS": "", "PIP_CACHE_DIR": str(root / "cache")}
    address = {"KEY_0": f"url.{releases.tree.as_uri()}.insteadOf", "VALUE_0": "https://git.example.org/demo.git"}
    return releases.tree, {
        **own,
        "GIT_CONFIG_COUNT": "1",
        **{f"GIT_CONFIG_{key}": text for key, text in address.items()},
    }


def _committed(tree: Path) -> Path:
    git("init", "--quiet", cwd=tree)
    git("add", "--all", cwd=tree)
    git("commit", "--quiet", "--message", "All of it", cwd=tree, date=COMMITTED)
    return tree


def _installed(wheel: Path, target: Path) -> Path:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--target", str(target), str(wheel)]
    subprocess.run(command, check=True)
    return target


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _directory(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path
