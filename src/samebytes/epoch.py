"""The date of an artifact: how it is written down, and what is refused (D5).

Dates are whole seconds since 1970-01-01 UTC. Everything here works on its arguments; nothing is read from outside.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping

from .errors import ConfigError, UsageError

DEFAULT_DATE = 1580601600
"""2020-02-02T00:00:00Z, the date of what was given no other."""

LAST_DATE = 4354819198
"""2107-12-31T23:59:58Z, the last time that a ZIP archive can hold (APPNOTE 4.4.6: even seconds)."""

ENVIRONMENT_VARIABLE = "SOURCE_DATE_EPOCH"
"""Specified at https://reproducible-builds.org/specs/source-date-epoch/."""

_CYCLE = 146_097 * 86_400  # seconds of the 400 years after which the calendar repeats
_REMEDY = "Give whole seconds since 1970-01-01 UTC, such as 1580601600"
_FIRST_PLAUSIBLE = 315532800  # 1980-01-01, the first time that a ZIP archive can hold
_SHOWN = 60  # characters of a value that a message shows, whatever somebody has put into a variable
# Not compiled here: only a date given by hand needs them.
_ISO = r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d))?(?:Z|([+-])([01]\d|2[0-3]):?([0-5]\d))?)?"
_YEAR = r"(?:19|20|21)\d\d"


def parse_epoch(text: str, where: str) -> int:
    """Return the seconds that *text* holds; *where* names its place in messages.

    :raises ConfigError: unless *text* is one or more ASCII digits, and nothing else, for a time up to LAST_DATE.
    """
    if not text.isascii() or not text.isdigit():
        raise ConfigError(f"{where}: {_shown(text)} is not a number of seconds{_fault(text)}", remedy=f"{_REMEDY}.")
    # Python refuses integers of thousands of digits with an error of its own; so many are too late, whichever they are.
    return _in_range(int(text.lstrip("0")[:19] or "0"), _shown(text), where)


def from_environment(environ: Mapping[str, str]) -> int | None:
    """Return what SOURCE_DATE_EPOCH says in *environ*, or None where it is not set.

    :raises ConfigError: if it is malformed; the empty string is.
    """
    text = environ.get(ENVIRONMENT_VARIABLE)
    return None if text is None else parse_epoch(text, ENVIRONMENT_VARIABLE)


def from_setting(value: object, where: str) -> int:
    """Return the seconds of a setting read from TOML; *where* names it in messages.

    :raises ConfigError: unless *value* is an integer from 0 to LAST_DATE.
    """
    if isinstance(value, bool) or not isinstance(value, int):  # to Python, true is the integer 1
        raise ConfigError(f"{where}: {_shown(value)} is not an integer", remedy=f"{_REMEDY}, without quotes.")
    if value < 0:
        raise ConfigError(f"{where}: {value} is negative", remedy=f"{_REMEDY}.")
    return _in_range(value, _shown(value), where)


def parse_date_option(text: str) -> int:
    """Return the seconds of ``--date``: seconds, or an ISO 8601 date with or without a time.

    :raises UsageError: if it is neither, or out of range.
    """
    try:
        if re.fullmatch(_YEAR, text, re.ASCII):  # as seconds, it would be half an hour into 1970
            raise ConfigError(f"--date: {_shown(text)} looks like a year", remedy=f"Give a date such as {text}-01-01.")
        return parse_epoch(text, "--date") if text.isdigit() else parse_iso(text, "--date")
    except ConfigError as error:
        raise UsageError(error.message, remedy=error.remedy) from None


def format_date(seconds: int) -> str:
    """Return *seconds* as ISO 8601 in UTC, as in ``2020-02-02T00:00:00Z``."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", moment(seconds))


def moment(seconds: int) -> time.struct_time:
    """Return what ``time.gmtime`` does; that of Windows has no moments before 1970 and after 3000."""
    cycles, rest = divmod(seconds, _CYCLE)
    found = time.gmtime(rest)
    return time.struct_time((found.tm_year + 400 * cycles, *found[1:]))


def parse_iso(text: str, where: str) -> int:
    """Return the seconds of an ISO 8601 date, or date with a time; without a zone, it is in UTC.

    :raises ConfigError: if *text* is none, or not from 1970-01-01 to LAST_DATE.
    """
    import datetime  # 1 ms that only a date given by hand needs

    match = re.fullmatch(_ISO, text, re.ASCII)
    if match is None:
        raise ConfigError(f"{where}: {_shown(text)} is not a date", remedy=f"{_REMEDY}, or a date such as 2020-02-02.")
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    sign, offset_hours, offset_minutes = match.groups()[6:]
    try:
        moment = datetime.datetime(year, month, day, hour, minute, second, tzinfo=datetime.timezone.utc)
    except ValueError as error:
        raise ConfigError(f"{where}: {_shown(text)} is not a date: {error}", remedy="Check its parts.") from None
    offset = int(offset_hours or 0) * 3600 + int(offset_minutes or 0) * 60
    seconds = int(moment.timestamp()) - (-offset if sign == "-" else offset)
    if seconds < 0:
        raise ConfigError(f"{where}: {_shown(text)} is before 1970-01-01", remedy="Give a later date.")
    return _in_range(seconds, _shown(text), where)


def _in_range(seconds: int, shown: str, where: str) -> int:
    if seconds <= LAST_DATE:
        return seconds
    message = f"{where}: {shown} is after {format_date(LAST_DATE)}, the last time that a wheel can hold"
    if _FIRST_PLAUSIBLE <= seconds // 1000 <= LAST_DATE:
        message += f" (it looks like milliseconds: {seconds // 1000} would be {format_date(seconds // 1000)})"
    raise ConfigError(message, remedy=f"{_REMEDY}.")


def _fault(text: str) -> str:
    """Return what is wrong with *text* where that is worth a word."""
    if not text:
        return " (it is set, but empty)"
    if text.strip() != text:
        return " (there is a blank around it)"
    if text.startswith("-"):
        return " (it is negative)"
    return ""


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
