"""Rewrite a wheel by the standard library alone, as one would in ten lines: sorted, one date, deflated anew.

python zip_rewrite.py SOURCE TARGET
"""

from __future__ import annotations

import sys
import zipfile

with zipfile.ZipFile(sys.argv[1]) as source, zipfile.ZipFile(sys.argv[2], "w") as target:
    for old in sorted(source.infolist(), key=lambda info: info.filename):
        new = zipfile.ZipInfo(old.filename, (2020, 2, 2, 0, 0, 0))
        new.compress_type = zipfile.ZIP_DEFLATED
        new.external_attr = old.external_attr
        target.writestr(new, source.read(old))
