"""Windows launchers, as ``installer`` makes them, without the time at which it did."""

from __future__ import annotations

import io
import zipfile
from typing import Any, cast

from installer.scripts import Script

from samebytes.artifact.scripts import EntryPoint, script

_EARLIEST = (1980, 1, 1, 0, 0, 0)


def launcher(entry: EntryPoint, executable: str, kind: str) -> tuple[str, bytes]:
    """Return the file name and the contents of the launcher for *entry*.

    :param kind: ``win-amd64`` or another of installer's.
    """
    made = Script(entry.name, entry.module, entry.attribute, "gui" if entry.gui else "console")
    name, data = made.generate(executable, cast(Any, kind))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        start = min(info.header_offset for info in archive.infolist())
    tail = io.BytesIO()
    with zipfile.ZipFile(tail, "w") as archive:
        archive.writestr(zipfile.ZipInfo("__main__.py", _EARLIEST), script(b"", entry))
    return name, data[:start] + tail.getvalue()
