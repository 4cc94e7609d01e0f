"""samebytes as a source package of a distribution: built from itself, without a network, twice to the same bytes."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import pytest
from support.bootstrap import bare_environment, own_source
from support.conditions import CONTROL, EXPERIMENT, Place, settle, wait_past
from support.differences import digest
from support.projects import EXAMPLES
from support.workshop import PROJECT, Workshop

import samebytes

SPEC = EXAMPLES / "rpm" / "python3-samebytes.spec"
NO_NETWORK = ("unshare", "--map-root-user", "--net")

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not (PROJECT / "src" / "samebytes").is_dir(), reason="samebytes' own source is not here"),
    pytest.mark.skipif(shutil.which("rpmbuild") is None, reason="needs rpmbuild (Debian: the package rpm)"),
]


def without_network() -> list[str]:
    """Return what a command is put behind so that it has no network; or skip."""
    try:
        works = subprocess.run([*NO_NETWORK, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        works = False
    if not works:
        pytest.skip("needs the right to make a network namespace")
    return list(NO_NETWORK)


def source_package(place: Place, workshop: Workshop) -> Path:
    """Make the sdist, and of it the source package."""
    top = place.directory("source-package")
    build = [workshop.python, "-m", "build", "--no-isolation", "--sdist", "--outdir", top / "SOURCES", place.tree]
    place.run(build, more=workshop.tools(dict(place.variables)))
    place.run(["rpmbuild", "-bs", "--nodeps", "--define", f"_topdir {top}", SPEC])
    return next(top.glob("SRPMS/*.src.rpm"))


@pytest.mark.broad("by another packager's tools, what is built twice elsewhere too")
def test_two_packages_of_samebytes_are_equal(roots: tuple[Path, Path], workshop: Workshop, tmp_path: Path) -> None:
    source = own_source(tmp_path / "samebytes")
    alone = without_network()
    sources, packages = [], []
    for conditions, root in zip((CONTROL, EXPERIMENT), roots):
        wait_past(time.time() if packages else 0)
        place = settle(conditions, source, root, faketime=False)
        sources.append(source_package(place, workshop))
        python = bare_environment(place, workshop, more=("pip", "installer"))
        top = place.directory("top")
        defined = ["--define", f"_topdir {top}", "--define", f"__python3 {python}"]
        place.run([*alone, "rpmbuild", "--rebuild", "--nodeps", *defined, sources[-1]])
        packages.append(next(top.glob("RPMS/noarch/*.rpm")))
    assert digest(sources[0].parents[1] / "SOURCES" / sdist()) == digest(sources[1].parents[1] / "SOURCES" / sdist())
    assert digest(packages[0]) == digest(packages[1])
    listed = subprocess.run(["rpm", "-qpl", packages[0]], check=True, capture_output=True, text=True).stdout
    assert "/usr/bin/samebytes\n" in listed
    assert "/site-packages/samebytes/commands/normalize/normalize.schema.json\n" in listed


def sdist() -> str:
    return f"samebytes-{samebytes.__version__}.tar.gz"


def test_the_spec_file_is_of_this_version() -> None:
    assert f"\nVersion:        {samebytes.__version__}\n" in SPEC.read_text("utf-8")
