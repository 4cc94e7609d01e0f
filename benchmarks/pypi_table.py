"""Build real sdists from the package index twice in two environments, four ways, and print who came out equal.

    python benchmarks/pypi_table.py [NAME ...] [--jobs N] [--json FILE] [--work DIR]

The four ways, each with its own builds (``normalized`` takes copies of the files that ``bare`` made):

- ``bare``: the project's own backend under ``python -m build``, isolated: an sdist and a wheel from the tree;
- ``normalized``: those, after ``samebytes normalize``;
- ``hook``: ``samebytes wrap``, then the same ``python -m build``, with its random environment directory;
- ``build``: ``samebytes build --sdist --wheel`` of the project as it is.

Needs samebytes with its extras in the running interpreter, ``uv`` (which fills the isolated environments, so that the
run takes an hour and not a day), a compiler, git, and cargo for orjson. Both environments use the newest versions
of the build requirements that there are; they are built right after one another.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import hashlib
import html
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import time
import urllib.parse
import urllib.request
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from pathlib import Path

from packaging.specifiers import SpecifierSet
from packaging.utils import InvalidSdistFilename, parse_sdist_filename
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from support import conditions  # noqa: E402

WAYS = ("bare", "normalized", "hook", "build")
TIMEOUT = 1800

PURE = (
    "setuptools",
    "pbr",
    "six",
    "requests",
    "setuptools-scm",
    "docutils",
    "packaging",
    "idna",
    "typing-extensions",
    "attrs",
    "urllib3",
    "pluggy",
    "anyio",
    "rich",
    "tomlkit",
    "poetry-core",
    "pdm-backend",
    "fastapi",
    "typer",
    "annotated-doc",
    "portalocker",
    "charset-normalizer",
)
EXTENSION = (
    "PyYAML",
    "frozenlist",
    "propcache",
    "aiohttp",
    "kiwisolver",
    "multidict",
    "yarl",
    "wrapt",
    "MarkupSafe",
    "psutil",
    "msgpack",
    "simplejson",
    "regex",
    "greenlet",
    "coverage",
    "contourpy",
    "pywavelets",
    "spglib",
    "levenshtein",
    "orjson",
)


@dataclass
class Row:
    """What became of one package."""

    name: str
    version: str = ""
    backend: str = ""
    kind: str = ""
    """``pure`` or ``extension``, as its wheel turned out."""
    sdist: dict[str, str] = field(default_factory=dict)
    """Way -> ``same``, ``differs`` or why there is none."""
    wheel: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0


def main() -> int:
    """Do it all; return 0 unless nothing could be built."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", help="packages (default: a list of 20 pure ones and 20 with extensions)")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--json", type=Path, help="write the rows there as well; what is there already is not repeated")
    parser.add_argument("--work", type=Path, default=Path("/tmp/samebytes-table"), help="where everything happens")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    wheelhouse = own_wheel(options.work)
    rows = earlier(options.json)
    names = [name for name in options.names or (*PURE, *EXTENSION) if name not in rows]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        waiting = {pool.submit(measure, name, options.work, wheelhouse): name for name in names}
        for done in concurrent.futures.as_completed(waiting):
            row = done.result()
            rows[row.name] = row
            print(line(row), flush=True)
            if options.json:
                options.json.write_text(json.dumps([asdict(one) for one in rows.values()], indent=1) + "\n")
    print("\n" + table(list(rows.values())) + "\n\n" + details(list(rows.values())))
    return 0 if any(row.wheel for row in rows.values()) else 1


def earlier(path: Path | None) -> dict[str, Row]:
    """Read the rows of a run that was cut short."""
    if path is None or not path.is_file():
        return {}
    rows = [Row(**values) for values in json.loads(path.read_text())]
    return {row.name: row for row in rows if row.wheel}


def own_wheel(work: Path) -> Path:
    """Make a wheel of this tree's samebytes, for isolated environments to find."""
    wheelhouse = work / "wheelhouse"
    shutil.rmtree(wheelhouse, ignore_errors=True)
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(wheelhouse), str(ROOT)]
    subprocess.run(command, check=True)
    # uv would go on with what it has of this version.
    subprocess.run([sys.executable, "-m", "uv", "cache", "clean", "-q", "samebytes"], check=True)
    return wheelhouse


def measure(name: str, work: Path, wheelhouse: Path) -> Row:
    """Build the newest sdist of *name* in all ways and compare."""
    started = time.monotonic()
    row = Row(name)
    try:
        source, row.version = unpacked(name, work)
        row.backend = backend_of(source)
        for way in ("bare", "hook", "build"):
            compare(row, way, [build(way, source, chosen, work / name / way, wheelhouse) for chosen in conditions.BOTH])
            if way == "bare":
                compare(row, "normalized", [normalized(work / name / way, chosen) for chosen in conditions.BOTH])
    except Exception as error:  # one package's trouble is a row, not the end of the run
        row.sdist.setdefault("bare", f"{type(error).__name__}: {str(error)[-400:]}")
    finally:
        shutil.rmtree(work / name, ignore_errors=True)
    row.seconds = round(time.monotonic() - started, 1)
    return row


def unpacked(name: str, work: Path) -> tuple[Path, str]:
    """Download and unpack the newest sdist; return its tree and version."""
    kept = work / "sdists"
    kept.mkdir(exist_ok=True)
    found = sorted(kept.glob(f"{name}=*.tar.gz"))
    archive = found[0] if found else download(name, kept)
    target = work / name / "source"
    with tarfile.open(archive) as tar:
        tar.extractall(target, filter="data")
    return next(target.iterdir()), archive.name.removesuffix(".tar.gz").partition("=")[2]


def download(name: str, kept: Path) -> Path:
    """Fetch the newest sdist by the index's HTML pages, which every mirror has (PEP 503), and check its digest."""
    from pip._internal.models.index import PyPI

    page = f"{PyPI.simple_url}/{name.lower()}/"
    request = urllib.request.Request(page, headers={"Accept": "text/html"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        anchors = re.findall(r"<a\s([^>]*)>([^<]+)</a>", answer.read().decode())
    versions = {}
    for attributes, text in anchors:
        file, link = text.strip(), re.search(r'href="([^"#]+)#sha256=([0-9a-f]{64})', attributes)
        if file.endswith(".tar.gz") and link and "data-yanked" not in attributes and runs_here(attributes):
            version = stable_version(file)
            if version is not None:
                versions[version] = link.groups()
    newest = max(versions)
    url, digest = versions[newest]
    with urllib.request.urlopen(urllib.parse.urljoin(page, html.unescape(url)), timeout=300) as answer:
        data = answer.read()
    if hashlib.sha256(data).hexdigest() != digest:
        raise RuntimeError(f"{name} {newest}: digest mismatch")
    target = kept / f"{name}={newest}.tar.gz"
    target.write_bytes(data)
    return target


def runs_here(attributes: str) -> bool:
    """Tell whether a file is for this Python, by ``data-requires-python`` (PEP 503)."""
    wanted = re.search(r'data-requires-python="([^"]*)"', attributes)
    return wanted is None or SpecifierSet(html.unescape(wanted[1])).contains(platform.python_version())


def stable_version(file: str) -> Version | None:
    """Return the version of an sdist by its name; None for pre-releases and names of old."""
    try:
        version = parse_sdist_filename(file)[1]
    except InvalidSdistFilename:
        return None
    return None if version.is_prerelease else version


def backend_of(source: Path) -> str:
    """Return the name of the project's build backend."""
    from samebytes.backend.config import load

    return load(source).backend.name


def build(way: str, source: Path, chosen: conditions.Conditions, work: Path, wheelhouse: Path) -> Path:
    """Build *source* in *chosen* and return the directory with what came out."""
    root = work / chosen.name
    git = "mesonpy" in backend_of(source)
    place = settle(chosen, source, root, git=git)
    out = root / "out"
    python = sys.executable
    more = {"PIP_FIND_LINKS": str(wheelhouse), "UV_FIND_LINKS": str(wheelhouse)}
    if way == "build":
        command = [python, "-m", "samebytes", "build", "--sdist", "--wheel", "-o", str(out), str(place.tree)]
    else:
        command = [python, "-m", "build", "--installer", "uv", "--sdist", "--wheel", "-o", str(out), str(place.tree)]
    if way == "hook":
        wrap(place.tree)
        if git:
            conditions.git("add", "--all", "--force", cwd=place.tree)
            conditions.git("commit", "--quiet", "--message", "Wrap", cwd=place.tree, date="2024-02-29T12:00:00+00:00")
    run(command, place, more)
    return out


def commit(tree: Path) -> None:
    """Make *tree* a checkout of one commit, the same in both environments."""
    for path in (tree, *tree.rglob("*")):
        os.chown(path, os.getuid(), os.getgid(), follow_symlinks=False)
    conditions.git("init", "--quiet", str(tree))
    conditions.git("add", "--all", "--force", cwd=tree)
    conditions.git("commit", "--quiet", "--message", "All", cwd=tree, date="2024-02-29T12:00:00+00:00")


def wrap(tree: Path) -> None:
    """Do what ``samebytes wrap`` does, for the packages too that it advises against (setuptools, packaging)."""
    from samebytes_tools.commands.wrap.edit import wrapped

    path = tree / "pyproject.toml"
    path.write_text(wrapped(path.read_text(encoding="utf-8") if path.is_file() else ""), encoding="utf-8")


def settle(chosen: conditions.Conditions, source: Path, root: Path, *, git: bool) -> conditions.Place:
    """Put the sdist's tree into *chosen*: no checkout in either, for an sdist is none, unless the backend needs one."""
    if chosen.exported:
        place = conditions.settle(chosen, source, root, faketime=False)
        if git:
            commit(place.tree)
        return place
    place_root, tree = root, root / chosen.below / "tree"
    home, tmp = root / "home", root / "tmp"
    for directory in (home, tmp, tree.parent):
        directory.mkdir(parents=True)
    shutil.copytree(source, tree, symlinks=True)
    if git:
        commit(tree)
    variables = {
        **conditions.kept_variables(),
        "HOME": str(home),
        "TMPDIR": str(tmp),
        "USER": chosen.user,
        "LOGNAME": chosen.user,
        "TZ": chosen.timezone,
        "LC_ALL": "C.UTF-8",
        "PYTHONHASHSEED": chosen.hash_seed,
    }
    return conditions.Place(chosen, place_root, tree, home, tmp, variables)


def run(command: list[str], place: conditions.Place, more: dict[str, str]) -> None:
    """Run *command* in *place*, for at most TIMEOUT seconds."""
    done = subprocess.run(
        command,
        cwd=place.home,
        env={**place.variables, **more},
        umask=place.conditions.umask,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=TIMEOUT,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(
            f"{' '.join(command)} failed in {place.conditions.name}:\n" + done.stdout.decode(errors="replace")
        )


def normalized(work: Path, chosen: conditions.Conditions) -> Path:
    """Run ``samebytes normalize`` over copies of what *chosen* built bare."""
    out = work / chosen.name / "normalized"
    command = [sys.executable, "-m", "samebytes", "normalize", "-q", "-o", str(out), str(work / chosen.name / "out")]
    subprocess.run(command, check=True)
    return out


def compare(row: Row, way: str, directories: list[Path]) -> None:
    """Note whether the files of the two *directories* are the same."""
    for column, suffix in ((row.sdist, ".tar.gz"), (row.wheel, ".whl")):
        files = [sorted(directory.glob(f"*{suffix}")) for directory in directories]
        if not all(files):
            column[way] = "none"
            continue
        digests = {hashlib.sha256(one[0].read_bytes()).hexdigest() for one in files}
        column[way] = "same" if len(digests) == 1 and files[0][0].name == files[1][0].name else "differs"
        if suffix == ".whl":
            row.kind = "pure" if files[0][0].name.endswith("-none-any.whl") else "extension"
        if column[way] == "differs":
            keep(row, way, [one[0] for one in files])


def keep(row: Row, way: str, files: list[Path]) -> None:
    """Keep two files that differ, to find out why."""
    for number, file in enumerate(files):
        target = Path(f"/tmp/samebytes-differs/{row.name}/{way}/{number}")
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)


def line(row: Row) -> str:
    """Return a row as text."""

    def cells(column: dict[str, str]) -> str:
        return " ".join(f"{way}={column.get(way, '-')}" for way in WAYS)

    head = f"{row.name} {row.version} [{row.backend}] {row.kind} ({row.seconds} s)"
    return f"{head}\n  sdist {cells(row.sdist)}\n  wheel {cells(row.wheel)}"


def table(rows: list[Row]) -> str:
    """Return the sums as a Markdown table."""
    now = datetime.now(timezone.utc).date()
    lines = [
        f"Measured on {now}, CPython {sys.version.split()[0]}, {len(rows)} packages.",
        "",
        "| equal in both environments | N | bare backend | + normalize | hook | samebytes build |",
        "|---|---|---|---|---|---|",
    ]
    pure = [row for row in rows if row.kind == "pure"]
    extension = [row for row in rows if row.kind == "extension"]
    for title, group, column in (
        ("sdists", [*pure, *extension], "sdist"),
        ("pure wheels", pure, "wheel"),
        ("wheels with extensions", extension, "wheel"),
    ):
        counts = [sum(getattr(row, column).get(way) == "same" for row in group) for way in WAYS]
        lines.append(f"| {title} | {len(group)} | {' | '.join(map(str, counts))} |")
    return "\n".join(lines)


def details(rows: list[Row]) -> str:
    """Return what became of each package as a Markdown table: what is equal, in the order of WAYS."""
    lines = ["| package | backend | sdist | wheel |", "|---|---|---|---|"]
    for row in sorted(rows, key=lambda row: (row.kind, row.name.lower())):
        cells = [
            " ".join("=" if column.get(way) == "same" else "≠" for way in WAYS) for column in (row.sdist, row.wheel)
        ]
        kind = "" if row.kind == "pure" else ", extension"
        lines.append(f"| {row.name} {row.version} | {row.backend}{kind} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    os.environ.pop("SOURCE_DATE_EPOCH", None)
    sys.exit(main())
