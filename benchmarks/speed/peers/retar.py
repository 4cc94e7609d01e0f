"""Rewrite an sdist by the standard library alone, as IPython's release script does: sorted, no owner, one time.

    python retar.py SOURCE TARGET

The tar is made in memory, then compressed by gzip at the level that it has by itself (9).
"""

from __future__ import annotations

import gzip
import io
import sys
import tarfile

DATE = 1580601600

buffer = io.BytesIO()
with tarfile.open(sys.argv[1], "r:gz") as source, tarfile.open(fileobj=buffer, mode="w") as target:
    for member in sorted(source.getmembers(), key=lambda info: info.name):
        member.uid = member.gid = 0
        member.uname = member.gname = ""
        member.mtime = DATE
        target.addfile(member, source.extractfile(member) if member.isfile() else None)
with gzip.GzipFile(sys.argv[2], "wb", mtime=DATE) as file:
    file.write(buffer.getvalue())
