"""The time zone of a build, found out from the local times that a wheel has (APPNOTE 4.4.6)."""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timezone
from typing import NamedTuple

_HOUR = 3600
_QUARTER = 900
"""Seconds by which time zones differ, and multiples of it."""
_FARTHEST = 14 * _HOUR
_LAST = 5
"""The last Sunday of a month, as POSIX counts them."""


class _Change(NamedTuple):
    """When summer time begins or ends, in each year alike."""

    month: int
    sunday: int
    """Which of the month, from 1 on."""
    hour: int
    """In local time just before it."""

    def at(self, year: int, offset: int) -> float:
        """Return when it is in *year*, in seconds since 1970, where local time is *offset* seconds ahead of UTC."""
        first = 1 + (calendar.SUNDAY - date(year, self.month, 1).weekday()) % 7
        day = first + 7 * (self.sunday - 1)
        if day > calendar.monthrange(year, self.month)[1]:
            day -= 7
        return datetime(year, self.month, day, tzinfo=timezone.utc).timestamp() + self.hour * _HOUR - offset

    def __str__(self) -> str:
        return f"M{self.month}.{self.sunday}.0/{self.hour}"


class _Zone(NamedTuple):
    """A time zone, with or without an hour of summer time."""

    offset: int
    """Seconds that are added to UTC, but for summer time."""
    begin: _Change | None = None
    end: _Change | None = None

    def shift(self, time: float) -> int:
        """Return what is added to *time*, in seconds since 1970."""
        if self.begin is None or self.end is None:
            return self.offset
        year = datetime.fromtimestamp(time + self.offset, timezone.utc).year
        begin, end = self.begin.at(year, self.offset), self.end.at(year, self.offset + _HOUR)
        # In the south, summer time ends in the autumn of the same year before it begins.
        is_summer = begin <= time < end if begin < end else not end <= time < begin
        return self.offset + is_summer * _HOUR

    def __str__(self) -> str:
        """Return it as the variable ``TZ`` has it (POSIX, 8.3), so that no database of zones is needed."""
        hours, minutes = divmod(abs(self.offset) // 60, 60)
        # What is east of Greenwich has a negative offset there.
        sign = "-" if self.offset > 0 else "+"
        name = f"UTC{sign}{hours}" + (f":{minutes:02}" if minutes else "")
        return f"{name}DST,{self.begin},{self.end}" if self.begin else name


def _with_summer_time() -> Iterator[_Zone]:
    """Yield zones with summer time as it is since 1996 in Europe, 2007 in America and New Zealand, 2008 in Australia.

    The rules are those of the tz database (RFC 6557): EU, US, AN and NZ.
    """
    for hours in (0, 1, 2):  # Lisbon and London, Berlin, Athens: at one moment, 1:00 UTC
        yield _Zone(hours * _HOUR, _Change(3, _LAST, 1 + hours), _Change(10, _LAST, 2 + hours))
    for minutes in (*range(-540, -180, 60), -210):  # Anchorage to Halifax, and St. John's
        yield _Zone(minutes * 60, _Change(3, 2, 2), _Change(11, 1, 2))
    for minutes in (600, 570):  # Sydney, Adelaide
        yield _Zone(minutes * 60, _Change(10, 1, 2), _Change(4, 1, 3))
    yield _Zone(12 * _HOUR, _Change(9, _LAST, 2), _Change(4, 1, 3))


def zone_of(there: Mapping[str, float], here: Mapping[str, float]) -> str:
    """Return the time zone in which the times of files are *there* as they are in UTC *here*; nothing if none is.

    Files whose times are equal may have one that the backend gives to all. So a zone counts that explains all others,
    and of several the one that explains most of these, too.
    """
    common = [(time, here[name]) for name, time in there.items() if name in here]
    shifted = [(made, int(time - made)) for time, made in common if time != made]
    equal = [made for time, made in common if time == made]
    fitting = [zone for zone in _possible(shift for _, shift in shifted) if _explains(zone, shifted)]
    if not fitting:
        return ""
    return str(max(fitting, key=lambda zone: sum(zone.shift(made) == 0 for made in equal)))


def _explains(zone: _Zone, shifted: Iterable[tuple[float, int]]) -> bool:
    return all(zone.shift(made) == shift for made, shift in shifted)


def _possible(shifts: Iterable[int]) -> Iterator[_Zone]:
    """Yield zones that have one of these *shifts*, those without summer time first: max takes the first of equals."""
    wanted = {shift for shift in shifts if shift % _QUARTER == 0 and abs(shift) <= _FARTHEST}
    yield from map(_Zone, sorted(wanted))
    yield from _with_summer_time() if wanted else ()
