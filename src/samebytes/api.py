"""What ``import samebytes`` offers: archives normalized here, and compared or built twice by samebytes-tools.

The functions follow the commands of the same names, also in that they read SOURCE_DATE_EPOCH. Errors are raised as a
:class:`samebytes.SamebytesError`; nothing is printed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Union

from . import cores
from .commands.normalize.normalize import NormalizeOptions, given_date, plan
from .commands.normalize.normalize import normalize as normalize_all
from .epoch import from_setting
from .errors import SamebytesError, UsageError
from .passes.model import Change
from .passes.pipeline import FileDigest

__all__ = ["Change", "FileDigest", "Normalized", "SamebytesError", "normalize", "one_file"]

StrPath = Union[str, "os.PathLike[str]"]


@dataclass(frozen=True)
class Normalized:
    """What became of one archive."""

    source: Path
    output: Path | None
    """The file in canonical form; None where nothing was to be written."""
    kind: str
    """``"wheel"`` or ``"sdist"``."""
    date: int
    """The date of all its members now, in seconds since 1970-01-01 UTC."""
    before: FileDigest
    after: FileDigest
    """Digest and size of the canonical form, also where it was not to be written."""
    changes: tuple[Change, ...]
    """What was not canonical."""
    notes: tuple[Change, ...] = ()
    """What is worth knowing, but was not changed."""

    @property
    def changed(self) -> bool:
        """Whether the bytes are not what they were."""
        return self.before != self.after


def normalize(
    path: StrPath,
    *,
    output: StrPath | None = None,
    write: bool = True,
    date: int | None = None,
    disable: Iterable[str] = (),
    enable: Iterable[str] = (),
    keep_streams: bool = False,
    rebuild_record: bool = False,
    drop_signatures: bool = False,
    ignore_attestation: bool = False,
    jobs: int | None = None,
) -> Normalized:
    """Rewrite a wheel or an sdist into its canonical form, and return what was changed.

    :param output: a directory for the result; None: in place.
    :param write: False: write nothing, and return what would be changed.
    :param date: seconds since 1970-01-01 UTC; None: SOURCE_DATE_EPOCH, else the file's own if it is canonical already,
        else 2020-02-02.
    :param disable: codes of passes to leave out.
    :param enable: codes of optional passes to add.
    :param keep_streams: copy the compressed streams of a wheel, as ``--deflate keep`` does.
    :param rebuild_record: replace a RECORD that contradicts its wheel.
    :param drop_signatures: remove signatures in the wheel, which would be invalid.
    :param ignore_attestation: go on though an attestation beside the file becomes invalid.
    :param jobs: how many processors to use; None: all there are. The bytes are the same with any number.
    :raises SamebytesError: if it cannot be done; the file is then as it was.
    """
    options = NormalizeOptions(
        date=given_date(None if date is None else from_setting(date, "date"), os.environ),
        disable=tuple(disable),
        enable=tuple(enable),
        write=write,
        rebuild_record=rebuild_record,
        drop_signatures=drop_signatures,
        ignore_attestation=ignore_attestation,
        jobs=cores.available() if jobs is None else max(1, jobs),
        keep_streams=keep_streams,
    )
    steps = plan([one_file(path, "normalize")], None if output is None else Path(output))
    with closing(normalize_all(steps, options)) as results:  # so that its threads have ended when this returns
        result = next(results)
    if result.error is not None:
        raise result.error
    rewritten = result.rewritten
    assert rewritten is not None  # where there is no error
    assert result.kind is not None
    return Normalized(
        source=result.source,
        output=result.output,
        kind=result.kind.value,
        date=rewritten.date,
        before=rewritten.before,
        after=rewritten.after,
        changes=rewritten.changes,
        notes=rewritten.notes,
    )


def one_file(path: StrPath, function: str) -> Path:
    """Return *path* for *function*, which takes files.

    :raises UsageError: if it is a directory.
    """
    found = Path(path)
    if found.is_dir():
        raise UsageError(f"{found} is a directory, and {function} takes files", remedy="Call it for each file in it.")
    return found
