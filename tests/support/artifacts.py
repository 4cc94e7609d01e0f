"""Wheels and sdists as ordinary backends make them: valid, but nowhere near canonical."""

from __future__ import annotations

import base64
import csv
import gzip
import hashlib
import io
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

TIMES = ((2021, 3, 4, 5, 6, 8), (2022, 4, 5, 6, 7, 8))
"""Two dates, for members that disagree."""

METADATA = b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n"
WHEEL = b"Wheel-Version: 1.0\nGenerator: demo 1\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def wheel(
    directory: Path,
    name: str = "demo",
    files: Mapping[str, bytes] | None = None,
    *,
    record: bytes | None = None,
    times: tuple[tuple[int, int, int, int, int, int], ...] = TIMES,
    order: int = -1,
) -> Path:
    """Write ``{name}-1.0-py3-none-any.whl`` into *directory* and return its path; *record* replaces the true RECORD."""
    info = f"{name}-1.0.dist-info"
    contents = dict(files if files is not None else {f"{name}/__init__.py": b"x = 1\n" * 50, f"{name}/b.py": b""})
    contents |= {f"{info}/METADATA": METADATA.replace(b"demo", name.encode()), f"{info}/WHEEL": WHEEL}
    contents[f"{info}/RECORD"] = record_of(contents, f"{info}/RECORD") if record is None else record
    path = directory / f"{name}-1.0-py3-none-any.whl"
    directory.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, member in enumerate(sorted(contents)[::order]):
            archive.writestr(zip_info(member, times[number % len(times)]), contents[member])
    return path


def zip_info(name: str, time: tuple[int, int, int, int, int, int]) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, time)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o100664 << 16
    return info


def record_of(contents: Mapping[str, bytes], record: str) -> bytes:
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\n")
    for name, data in contents.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        rows.writerow((name, f"sha256={digest}", len(data)))
    rows.writerow((record, "", ""))
    return text.getvalue().encode()


def sdist(directory: Path, name: str = "demo", files: Mapping[str, bytes] | None = None) -> Path:
    """Write ``{name}-1.0.tar.gz`` into *directory* and return its path."""
    contents = dict(files if files is not None else {"setup.py": b"import setuptools\n", "demo.py": b"x = 1\n"})
    contents.setdefault("PKG-INFO", METADATA.replace(b"demo", name.encode()))
    path = directory / f"{name}-1.0.tar.gz"
    directory.mkdir(parents=True, exist_ok=True)
    # With a date, as backends have it, but not today's: two that are made a moment apart are to be the same.
    with gzip.GzipFile(path, "wb", mtime=1600000000) as stream, tarfile.open(fileobj=stream, mode="w") as archive:
        for number, (member, data) in enumerate(contents.items()):
            info = tarfile.TarInfo(f"{name}-1.0/{member}")
            info.size, info.mtime, info.mode = len(data), 1600000000 + number, 0o664
            info.uid, info.gid, info.uname, info.gname = 1000, 1000, "builder", "builder"
            archive.addfile(info, io.BytesIO(data))
    return path
