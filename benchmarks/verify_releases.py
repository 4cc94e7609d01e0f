"""Verify published releases, wheel and sdist of each, and print a Markdown table of the verdicts.

    python benchmarks/verify_releases.py                     all releases below
    python benchmarks/verify_releases.py idna==3.10 ...      those
    python benchmarks/verify_releases.py --keep DIR          keep the JSON documents and the rebuilt files

Needs samebytes with its extra ``build``, and a package index. Each build takes some seconds, one after the other.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

RELEASES = (
    "idna==3.10",
    "packaging==24.1",
    "pathspec==0.12.1",
    "pyproject-hooks==1.2.0",
    "tomli==2.0.1",
    "typing-extensions==4.12.2",
    "build==1.2.2",
    "flit-core==3.9.0",
    "wheel==0.44.0",
    "attrs==24.2.0",
    "filelock==3.16.1",
    "hatchling==1.25.0",
    "jsonschema==4.23.0",
    "platformdirs==4.3.6",
    "urllib3==2.2.3",
    "cleo==2.1.0",
    "crashtest==0.4.1",
    "isort==5.13.2",
    "poetry-core==1.9.0",
    "rich==13.9.4",
    "tomlkit==0.13.2",
    "certifi==2024.8.30",
    "charset-normalizer==3.3.2",
    "click==8.1.7",
    "pluggy==1.5.0",
    "pytest==8.3.3",
    "python-dateutil==2.9.0.post0",
    "pytz==2024.2",
    "requests==2.32.3",
    "setuptools==75.1.0",
    "six==1.17.0",
    "tqdm==4.66.5",
    "trove-classifiers==2024.9.12",
    "zipp==3.20.2",
    "pdm-backend==2.3.3",
    "markupsafe==2.1.5",
    "pyyaml==6.0.2",
)
"""By flit, hatchling, poetry-core, setuptools and pdm-backend, in this order; the last two hold compiled code."""

TAGS = {"charset-normalizer==3.3.2": "py3-none-any"}
"""Which wheel, where it is not the one that pip takes."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("releases", metavar="NAME==VERSION", nargs="*", default=RELEASES)
    parser.add_argument("--keep", metavar="DIR", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        for line in table(args.releases, args.keep or Path(scratch)):
            print(line, flush=True)
    return 0


def table(releases: Sequence[str], directory: Path) -> Iterator[str]:
    """Yield the lines of the table, a row for each file as soon as it is verified."""
    yield "| file | built by | verdict | causes | command |"
    yield "|---|---|---|---|---|"
    for release in releases:
        for kind in ("wheel", "sdist"):
            document = verify(release, kind, directory)
            command = " ".join(["samebytes verify", *options(release, kind)])
            yield f"| {' | '.join(cells(document['results'][0]))} | `{command}` |"


def options(release: str, kind: str) -> list[str]:
    """Return the words of the command line that name the file."""
    tag = ["--tag", TAGS[release]] if kind == "wheel" and release in TAGS else []
    return [f"--{kind}", release, *tag]


def verify(release: str, kind: str, directory: Path) -> Any:
    """Return the JSON document on one file."""
    output = directory / release / kind
    output.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "samebytes", "verify", "--json", *options(release, kind), "-o", str(output)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    (output / "said.txt").write_text(done.stderr)
    (output / "verify.json").write_text(done.stdout)
    return json.loads(done.stdout)


def cells(result: Any) -> tuple[str, str, str, str]:
    """Return file, generator, verdict and causes."""
    if result["error"]:
        return result["target"], "", f"error: {result['error']['message']}".replace("\n", " "), ""
    verified = result["verified"]
    build = verified["build"]
    by = build["generator"] or ", ".join(build["pins"]) or "?"
    return verified["artifact"]["name"], by, verified["comparison"]["verdict"], causes(verified["comparison"])


def causes(comparison: Any) -> str:
    return ", ".join(comparison["causes"])


if __name__ == "__main__":
    sys.exit(main())
