"""Numbers, dates and long texts as the pages show them."""

from __future__ import annotations

import datetime

from samebytes.console.style import shortened

LONG = 300
"""Characters of a text from outside that are shown; the rest is in the JSON."""

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def day(seconds: int) -> str:
    """Return the day, in UTC, as ``2026-11-20``; a date that no calendar has stays a number."""
    return _moment(seconds, "%Y-%m-%d")


def moment(seconds: int) -> str:
    """Return date and time, in UTC, as ``2026-11-20T10:11:12Z``."""
    return _moment(seconds, "%Y-%m-%dT%H:%M:%SZ")


def _moment(seconds: int, form: str) -> str:
    try:
        return (_EPOCH + datetime.timedelta(seconds=seconds)).strftime(form)
    except OverflowError:
        return str(seconds)


def count(number: int) -> str:
    """Return a number with its thousands apart."""
    return f"{number:,}"


def percent(share: float | None) -> str:
    """Return a share as ``98.2 %``; never 100 % if something is missing, nor 0 % if something is there."""
    if share is None:
        return "–"
    if share in (0.0, 1.0):
        return f"{share * 100:.0f} %"
    return f"{min(max(share * 100, 0.1), 99.9):.1f} %"


def size(number: int) -> str:
    """Return bytes in a unit that people read: ``12 bytes``, ``9.0 kB``, ``12.3 MB``."""
    for unit, name in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if number >= unit:
            return f"{number / unit:,.1f} {name}"
    return f"{number:,} bytes"


def duration(seconds: float) -> str:
    """Return how long something took, as ``41 s`` or ``6 min 40 s``."""
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    if not minutes:
        return f"{whole} s"
    return f"{minutes:,} min {rest} s" if rest else f"{minutes:,} min"


def cut(text: str, width: int = LONG) -> str:
    """Return *text*, its middle left out if it is very long."""
    return shortened(text, width)
