"""The clock, the time zone and the language of dates."""

from __future__ import annotations

import struct

from ..observations import MemberTime, Nature, Part, Window
from .cause import NORMALIZE, WRAP, Cause, CauseClues, by_nature
from .dates import is_zone_shift

__all__ = ["DATE_OR_TIME", "LOCALE", "MEMBER_TIMES", "TIME_ZONE"]


_ONE_DATE = (
    "Many backends also take one date for all files:\n\n"
    "    SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) python -m build"
)

_ARCHIVES = (
    "Archives that you make want one date for all that is in them: zipfile.ZipInfo(name, date_time=(2020, 2, 2, 0, 0, "
    "0)), tarfile.TarInfo.mtime = 0, gzip.compress(data, mtime=0)."
)


def _shows_zone(seen: Part, clues: CauseClues) -> bool:
    if isinstance(seen, MemberTime):
        # ZIP has local times: all members are shifted alike where only the zone is another.
        return is_zone_shift(seen.shift) and not clues.is_one_zone
    return by_nature(Nature.TIME_ZONE)(seen, clues)


_FORMS = tuple(struct.Struct(form) for form in ("<I", ">I", "<Q", ">Q", "<d", ">d"))
"""How programs write seconds since 1970: four or eight bytes, or a floating-point number (IEEE 754)."""

_DAY = 86400


def _shows_date(seen: Part, clues: CauseClues) -> bool:
    if isinstance(seen, Window):
        return seen.is_all and _is_covered(seen, clues)
    return by_nature(Nature.MOMENT, Nature.GZIP_TIME)(seen, clues)


def _is_covered(seen: Window, clues: CauseClues) -> bool:
    """Return whether all that differs are seconds since 1970 that the builds are known to have had."""
    differ = {at for at, (one, other) in enumerate(zip(seen.left, seen.right)) if one != other}
    for form in _FORMS:
        for at in range(max(0, min(differ) - form.size), len(seen.left) - form.size + 1):
            places = differ.intersection(range(at, at + form.size))
            values = (form.unpack_from(side, at)[0] for side in (seen.left, seen.right))
            # A NaN is near to nothing.
            if places and all(
                any(abs(value - date) <= 2 * _DAY for date in build.dates) for value, build in zip(values, clues.builds)
            ):
                differ -= places
        if not differ:
            return True
    return False


DATE_OR_TIME = Cause(
    "D005",
    "date-or-time",
    "The date or time of the build is written into the result.",
    f"{NORMALIZE}\n{_ONE_DATE}",
    _shows_date,
    "Use the date that the environment gives, not the clock, and in UTC:\n\n"
    "    import os, time\n"
    '    now = int(os.environ.get("SOURCE_DATE_EPOCH", time.time()))\n'
    '    built = time.strftime("%Y-%m-%d", time.gmtime(now))\n\n'
    "and give one for all builds:\n\n"
    "    [tool.samebytes]\n"
    '    source-date-epoch = "vcs"  # or seconds\n\n'
    f"{_ARCHIVES} gcc and clang take __DATE__ and __TIME__ from SOURCE_DATE_EPOCH as well. Leave out how long "
    "something took.",
)

LOCALE = Cause(
    "D006",
    "locale",
    "Texts are in the language, the notation or the encoding of the builder's locale.",
    f'{WRAP} It pins LC_ALL to C.UTF-8; take "LC_ALL" out of inherit in [tool.samebytes]. Without it:\n\n'
    "    LC_ALL=C.UTF-8 python -m build\n\n"
    'In code, give the encoding, open(path, encoding="utf-8"), and write dates in numbers.',
    by_nature(Nature.LOCALE),
)

TIME_ZONE = Cause(
    "D007",
    "time-zone",
    "The same moment is written in the builder's local time.",
    f"{NORMALIZE}\nor let TZ be the same for all builds:\n\n    TZ=UTC python -m build",
    _shows_zone,
    "Use time.gmtime(seconds) or datetime.fromtimestamp(seconds, timezone.utc) where it is written. Until then: "
    f'{WRAP} It pins TZ to UTC; take "TZ" out of inherit in [tool.samebytes]. Without it:\n\n'
    "    TZ=UTC python -m build",
)

MEMBER_TIMES = Cause(
    "D011",
    "member-times",
    "Files carry the times of a checkout, a copy or the build.",
    f"{NORMALIZE}\n{_ONE_DATE}\n\nFor .pyc files: python -m compileall --invalidation-mode checked-hash.",
    lambda seen, _: isinstance(seen, MemberTime),
    f"Leave os.path.getmtime() and os.stat() out of what is written at build time. {_ARCHIVES} Compile .pyc files by "
    "python -m compileall --invalidation-mode checked-hash.",
)
