"""What an archive has beside the contents of files: owners, modes, headers, compression, and RECORD."""

from __future__ import annotations

from ..observations import Nature
from .cause import NORMALIZE, Cause, by_nature

__all__ = ["COMPRESSOR", "CONTAINER_WRITER", "NORMALIZED_COPY", "OWNER", "UMASK", "WRONG_RECORD"]

UMASK = Cause(
    "D010",
    "umask",
    "Permission bits follow the builder's umask.",
    f"{NORMALIZE}\nor build by samebytes.backend, which pins it, or:\n\n    umask 022; python -m build",
    by_nature(Nature.MEMBER_MODE),
    "Leave os.stat() out of what is written at build time, and set modes instead of taking what the umask leaves: "
    "os.chmod(path, 0o644) for files, tarfile.TarInfo.mode = 0o644 and zipfile.ZipInfo.external_attr = 0o100644 << 16 "
    "for members of archives. Until then let samebytes.backend call your build backend, which pins the umask, or:\n\n"
    "    umask 022; python -m build",
)

OWNER = Cause(
    "D012",
    "owner",
    "Members carry the number or the name of the user and group who built the archive.",
    f"{NORMALIZE}\nor build the sdist by samebytes.backend. With tar itself: --owner=0 --group=0 --numeric-owner.",
    by_nature(Nature.MEMBER_OWNER),
    "Leave the owner of files out of what is written at build time. In archives that you make, each "
    'tarfile.TarInfo has member.uid = member.gid = 0 and member.uname = member.gname = ""; tar has '
    "--owner=0 --group=0 --numeric-owner.",
)

COMPRESSOR = Cause(
    "D013",
    "compressor",
    "The same contents were compressed by another library, release or level.",
    f"{NORMALIZE}\nIt compresses to one stream whatever zlib is there; samebytes doctor reports which is.",
    by_nature(Nature.COMPRESSION),
    "Compress with a given level and the same library everywhere (a container image fixes it), or store archives "
    "uncompressed: zipfile.ZIP_STORED. They are compressed once more with the wheel.",
)

CONTAINER_WRITER = Cause(
    "D019",
    "container-writer",
    "The tools that wrote the archives left different headers, attributes or paddings behind.",
    NORMALIZE,
    by_nature(Nature.ARCHIVE_HEADER),
    "Write archives that lie among your files with the same tool and release everywhere, and give all that it lets you "
    "give: format, attributes, times.",
)

NORMALIZED_COPY = Cause(
    "D037",
    "normalized-copy",
    "One of the two is in canonical form, and normalizing makes the other the same.",
    f"Compare both before or both after that. {NORMALIZE}",
    # Only of the two files as a whole.
    lambda *_: False,
)

WRONG_RECORD = Cause(
    "D022",
    "wrong-record",
    "RECORD does not agree with the files of its wheel: it was changed after it was built, or the builder erred.",
    "Do not trust it before you know why. Build or fetch the wheel again; if you trust its files:\n\n"
    "    samebytes normalize --rebuild-record FILE",
    by_nature(Nature.RECORD_MISMATCH),
)
