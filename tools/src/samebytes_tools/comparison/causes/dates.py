"""Dates and times in texts, in the notations that programs write: where they are, and what moment they say."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from typing import NamedTuple

from ..observations import Nature

__all__ = ["Stamp", "find", "is_zone_shift", "natures"]

_MONTHS = {
    "en": "january february march april may june july august september october november december",
    "de": "januar februar märz april mai juni juli august september oktober november dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "pt": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "nl": "januari februari maart april mei juni juli augustus september oktober november december",
    "pl": "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia",
    "ru": "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
}
"""As they stand between a day and a year (CLDR, format names)."""

_SHORT = {
    "en": "jan feb mar apr may jun jul aug sep oct nov dec",
    "de": "jan feb mär apr mai jun jul aug sep okt nov dez",
    "fr": "janv févr mars avr mai juin juil août sept oct nov déc",
    "es": "ene feb mar abr may jun jul ago sep oct nov dic",
    "it": "gen feb mar apr mag giu lug ago set ott nov dic",
    "pt": "jan fev mar abr mai jun jul ago set out nov dez",
    "nl": "jan feb mrt apr mei jun jul aug sep okt nov dec",
    "pl": "sty lut mar kwi maj cze lip sie wrz paź lis gru",
    "ru": "янв фев мар апр май июн июл авг сен окт ноя дек",
}


_NAMES: dict[str, dict[str, int]] = {}
"""For each name, its month in each language that has it."""
for _table in (_MONTHS, _SHORT):
    for _language, _names in _table.items():
        for _number, _name in enumerate(_names.split(), 1):
            # Once for each language: "mai" is a long name and a short one.
            _NAMES.setdefault(_name, {}).setdefault(_language, _number)

_MONTH = "(?P<name>" + "|".join(sorted(map(re.escape, _NAMES), key=len, reverse=True)) + r")(?![^\W\d_])\.?"
_TIME = (
    r"(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d|60)(?:[.,]\d+)?)?"
    r"(?: ?(?P<half>[AaPp]\.?[Mm]\b\.?))?"
)
# Case counts in spite of IGNORECASE: "at 12:00:00 and" has no zone.
_ZONE = r"(?-i:(?: ?(?P<zone>Z\b|[A-Z]{3,5}\b|(?:UTC|GMT)?[+-]\d\d:?\d\d(?!\d)))?)"
# From 1970 to 2109: anything else in the notation is most likely a version or a number.
_YEAR = r"(?P<year>(?:19[7-9]|20\d|210)\d)"
_DAY = r"(?P<day>[0-3]?\d)"
_WEEKDAY = r"(?:[^\W\d_]{2,12}\.?,? +)?"
_AFTER = rf"(?:,? +(?:at +)?{_TIME}{_ZONE})?"

_NOTATIONS = tuple(
    re.compile(pattern, re.IGNORECASE if "name" in pattern else 0)
    for pattern in (
        # ISO 8601, extended and basic
        rf"(?<!\d)(?<!\d[-.]){_YEAR}-(?P<month>[01]\d)-(?P<day>[0-3]\d)(?:[T_ ] ?{_TIME}{_ZONE})?(?![\d])",
        rf"(?<!\w){_YEAR}(?P<month>[01]\d)(?P<day>[0-3]\d)T(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d){_ZONE}",
        # of PDF (ISO 32000-1, 7.9.4): D:20231210101112+01'00'
        rf"(?<=D:){_YEAR}(?P<month>[01]\d)(?P<day>[0-3]\d)(?P<hour>[0-2]\d)(?P<minute>[0-5]\d)(?P<second>[0-5]\d)"
        r"(?P<zone>Z|[+-]\d\d(?='\d\d))?",
        # in numbers, the year, the month, or the day first
        rf"(?<![\w/.]){_YEAR}/(?P<month>[01]?\d)/{_DAY}(?![/\w]){_AFTER}",
        rf"(?<![\w/.])(?P<month>[01]?\d)/{_DAY}/{_YEAR}(?![/\w]){_AFTER}",
        # With a time only: 10.12.2023 alone may be a version.
        rf"(?<![\w/.])(?P<day>[0-3]\d)\.(?P<month>[01]\d)\.{_YEAR}(?![.\w]),? +{_TIME}{_ZONE}",
        # asctime(3) and date(1)
        rf"(?<!\w){_WEEKDAY}{_MONTH} +{_DAY} +{_TIME}(?-i:(?: +(?P<zone>[A-Z]{{3,5}}|[+-]\d\d\d\d))?) +{_YEAR}(?!\d)",
        # RFC 5322, and as people write
        rf"(?<!\w){_WEEKDAY}(?<![\d.]){_DAY}(?:\.|st|nd|rd|th)?[ -](?:de )?{_MONTH}(?:[ -]| de ){_YEAR}(?!\d){_AFTER}",
        # __DATE__ and __TIME__ of C
        rf"(?<!\w){_WEEKDAY}{_MONTH} +{_DAY}(?:st|nd|rd|th)?,? +{_YEAR}(?!\d){_AFTER}",
        # Two digits each: 1:02:03 may be a duration or a ratio.
        rf"(?<![\w:.])(?=\d\d:\d\d:\d\d){_TIME}(?![\w:]){_ZONE}",
    )
)
"""Notations of dates, those first that are part of no other."""


class Stamp(NamedTuple):
    """A date, a time, or both, somewhere in a text."""

    start: int
    end: int
    parts: tuple[int, ...]
    """Year, month, day, hour, minute, second as far as they are there; of a time alone hour, minute, second."""
    zone: str
    """As it stands there; empty for none."""
    languages: frozenset[str]
    """The languages that have the month's name; empty where it is a number."""

    @property
    def moment(self) -> datetime.datetime | None:
        """The moment that it says, in UTC if it has a numeric zone, naive if it has none; None if not certain."""
        # A date or a time alone gives no moment.
        if len(self.parts) < 6:
            return None
        try:
            naive = datetime.datetime(*self.parts[:6])  # type: ignore[arg-type]  # six of them
        except ValueError:
            return None
        offset = _offset(self.zone)
        if not self.zone:
            return naive
        # Names such as CST or IST stand for several zones each.
        return None if offset is None else (naive - offset).replace(tzinfo=datetime.timezone.utc)


def find(text: str) -> Iterator[Stamp]:
    """Give the dates and times in *text*, in its order; none overlaps another."""
    found: list[Stamp] = []
    for pattern in _NOTATIONS:
        for match in pattern.finditer(text):
            stamp = _stamp(match)
            if stamp is not None and all(stamp.end <= other.start or stamp.start >= other.end for other in found):
                found.append(stamp)
    yield from sorted(found)


def natures(left: Stamp, right: Stamp, is_one_zone: bool) -> list[Nature]:
    """Return what makes two different stamps at one place differ: the moment, the language, the time zone.

    :param is_one_zone: whether both are known to have been written in one time zone
    """
    found = []
    # "apr" is in many languages, and shows none.
    if left.languages and right.languages and left.languages.isdisjoint(right.languages):
        found.append(Nature.LOCALE)
    if not is_one_zone and _is_zone_alone(left, right):
        found.append(Nature.TIME_ZONE)
    elif left.parts != right.parts or not found:
        found.append(Nature.MOMENT)
        if left.zone and right.zone and left.zone != right.zone:
            found.append(Nature.TIME_ZONE)
    return found


def _is_zone_alone(left: Stamp, right: Stamp) -> bool:
    """Return whether both say one moment; without zones, whether whole quarters of an hour lie between them."""
    if left.parts == right.parts:
        return left.zone != right.zone
    one, other = left.moment, right.moment
    if one is None or other is None or (one.tzinfo is None) != (other.tzinfo is None):
        return False
    if one.tzinfo is not None:
        return one == other and left.zone != right.zone
    return is_zone_shift((one - other).total_seconds())


def is_zone_shift(seconds: float) -> bool:
    """Return whether *seconds* may lie between two zones: whole quarters of an hour, up to 26 hours."""
    # Nepal is at +05:45; zones reach from -12:00 to +14:00 (tz database).
    return seconds != 0 and seconds % 900 == 0 and abs(seconds) <= 26 * 3600


def _stamp(match: re.Match[str]) -> Stamp | None:
    groups = match.groupdict()
    languages: frozenset[str] = frozenset()
    month = groups.get("month")
    name = (groups.get("name") or "").lower()
    if name:
        languages = frozenset(_NAMES[name])
        # Any language's: no name stands for two months.
        month = str(next(iter(_NAMES[name].values())))
    date = [int(part) for part in (groups.get("year"), month, groups.get("day")) if part]
    if date:
        try:
            datetime.date(*date)
        except (ValueError, TypeError):  # no such day, or not all of it
            return None
    time: list[int] = []
    if groups.get("hour"):
        time = [int(part) for part in (groups["hour"], groups.get("minute"), groups.get("second") or "0") if part]
        if groups.get("half"):
            # 12 am is 0 o'clock, and 12 pm noon.
            time[0] = time[0] % 12 + (12 if groups["half"][0] in "pP" else 0)
    return Stamp(match.start(), match.end(), (*date, *time), groups.get("zone") or "", languages)


def _offset(zone: str) -> datetime.timedelta | None:
    if zone in ("Z", "UTC", "GMT"):
        return datetime.timedelta()
    match = re.fullmatch(r"(?:UTC|GMT)?([+-])(\d\d)(?::?(\d\d))?", zone)
    if match is None:
        return None
    offset = datetime.timedelta(hours=int(match[2]), minutes=int(match[3] or 0))
    return -offset if match[1] == "-" else offset
