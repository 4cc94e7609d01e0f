"""DOS times, held against the standard library's calendar."""

from __future__ import annotations

import calendar

import pytest

from samebytes.archive.zip_layout import EARLIEST, LATEST, dos_from_seconds, seconds_from_dos


@pytest.mark.parametrize("year", [1980, 1999, 2000, 2020, 2024, 2100, 2107])
def test_every_day_of_a_year_comes_back(year: int) -> None:
    start, end = calendar.timegm((year, 1, 1, 0, 0, 0)), calendar.timegm((year, 12, 31, 23, 59, 58))
    for seconds in [*range(start, end, 86400 + 62), end]:
        assert seconds_from_dos(*dos_from_seconds(seconds)) == seconds


def test_every_date_is_one_or_none() -> None:
    for date in range(1 << 16):
        year, month, day = (date >> 9) + 1980, date >> 5 & 15, date & 31
        real = 1 <= month <= 12 and 1 <= day <= calendar.monthrange(year, month)[1]
        assert seconds_from_dos(0, date) == (calendar.timegm((year, month, day, 0, 0, 0)) if real else None)


def test_every_time_is_one_or_none() -> None:
    for time in range(1 << 16):
        hour, minute, second = time >> 11, time >> 5 & 63, (time & 31) * 2
        real = hour < 24 and minute < 60 and second < 60
        assert seconds_from_dos(time, 0x21) == (EARLIEST + hour * 3600 + minute * 60 + second if real else None)


def test_the_range_ends_where_the_format_does() -> None:
    assert calendar.timegm((1980, 1, 1, 0, 0, 0)) == EARLIEST
    assert calendar.timegm((2107, 12, 31, 23, 59, 58)) == LATEST
