from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from samebytes.epoch import (
    DEFAULT_DATE,
    LAST_DATE,
    format_date,
    from_environment,
    from_setting,
    moment,
    parse_date_option,
    parse_epoch,
)
from samebytes.errors import ConfigError, UsageError


def test_constants_are_the_dates_they_claim() -> None:
    assert format_date(DEFAULT_DATE) == "2020-02-02T00:00:00Z"
    assert format_date(LAST_DATE) == "2107-12-31T23:59:58Z"
    assert format_date(0) == "1970-01-01T00:00:00Z"


@pytest.mark.parametrize("step", [86_399, 12_345_678_901])
def test_moments_of_any_year_on_any_platform(step: int) -> None:
    for seconds in (*range(-step * 4, step * 5, step), -62_135_596_800, 253_402_300_799):
        assert datetime(*moment(seconds)[:6]) == datetime(1970, 1, 1) + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), ("1580601600", DEFAULT_DATE), ("0001", 1), ("0" * 5000, 0), (str(LAST_DATE), LAST_DATE)],
)
def test_parse_epoch_takes_digits(text: str, seconds: int) -> None:
    assert parse_epoch(text, "X") == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "-1",
        "+1",
        " 1",
        "1 ",
        "1\n",
        "1_000",
        "1.0",
        "1e9",
        "0x10",
        "now",
        "1580601600Z",
        "١٢٣",
        "²",
        "１",
        "\ud800",
    ],
)
def test_parse_epoch_refuses_all_else_and_shows_it(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_epoch(text, "SOURCE_DATE_EPOCH")
    assert repr(text) in caught.value.message
    assert caught.value.message.startswith("SOURCE_DATE_EPOCH: ")
    assert "1580601600" in caught.value.remedy


@pytest.mark.parametrize("text", [str(LAST_DATE + 1), "9" * 18, "9" * 19, "9" * 10_000])
def test_parse_epoch_refuses_a_far_future(text: str) -> None:
    with pytest.raises(ConfigError, match="after 2107-12-31T23:59:58Z") as caught:
        parse_epoch(text, "X")
    assert len(caught.value.message) < 300


def test_milliseconds_are_recognized() -> None:
    with pytest.raises(ConfigError, match=r"milliseconds: 1580601600 would be 2020-02-02T00:00:00Z"):
        parse_epoch("1580601600123", "X")
    with pytest.raises(ConfigError) as caught:
        parse_epoch("5000000000", "X")
    assert "milliseconds" not in caught.value.message


def test_from_environment() -> None:
    assert from_environment({}) is None
    assert from_environment({"SOURCE_DATE_EPOCH": "12"}) == 12
    with pytest.raises(ConfigError, match=r"SOURCE_DATE_EPOCH: '' .*set, but empty"):
        from_environment({"SOURCE_DATE_EPOCH": ""})


def test_from_setting_takes_integers() -> None:
    assert from_setting(0, "x") == 0
    assert from_setting(LAST_DATE, "x") == LAST_DATE


@pytest.mark.parametrize("value", [True, False, "1580601600", "vcs", 1.5, None, [1], -1, LAST_DATE + 1, 10**30])
def test_from_setting_refuses(value: object) -> None:
    with pytest.raises(ConfigError) as caught:
        from_setting(value, "[tool.samebytes] source-date-epoch")
    assert repr(value) in caught.value.message
    assert caught.value.message.startswith("[tool.samebytes] source-date-epoch: ")


@pytest.mark.parametrize(
    "text",
    [
        "1580601600",
        "2020-02-02",
        "2020-02-02T00:00",
        "2020-02-02 00:00:00",
        "2020-02-02T00:00:00Z",
        "2020-02-02T00:00:00+00:00",
        "2020-02-02T02:30:00+02:30",
        "2020-02-01T23:00:00-0100",
    ],
)
def test_date_option_forms(text: str) -> None:
    assert parse_date_option(text) == DEFAULT_DATE


@pytest.mark.parametrize("seconds", [0, 1, 951782400, DEFAULT_DATE, LAST_DATE])
def test_date_option_reads_what_format_date_writes(seconds: int) -> None:
    assert parse_date_option(format_date(seconds)) == seconds


@pytest.mark.parametrize(
    "text",
    [
        *("", "yesterday", "-1", "99999999999", "²", "2020-2-2", "20200202T000000", "２０２０-02-02"),
        *("2020-02-30", "2020-02-02T25:00", "2020-02-02T00:00:00.5Z", "2020-02-02Z", "2020-02-02T00:00+25:00"),
        *("1969-12-31", "2107-12-31T23:59:59Z"),
    ],
)
def test_date_option_refuses(text: str) -> None:
    with pytest.raises(UsageError, match="--date: ") as caught:
        parse_date_option(text)
    assert repr(text) in caught.value.message
    assert caught.value.remedy


def test_date_option_refuses_a_bare_year() -> None:
    """A bare year reads as seconds, so it is refused rather than taken for 1970-01-01T00:33:40Z."""
    with pytest.raises(UsageError, match="looks like a year"):
        parse_date_option("2020")
