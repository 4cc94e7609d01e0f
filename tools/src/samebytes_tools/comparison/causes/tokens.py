"""A text, cut into tokens: what has a nature (a path, a date, a version ...), and the words between.

What is known of the build that a text comes from goes before what the text looks like. To see something new in texts,
add its pattern to PATTERNS.
"""

from __future__ import annotations

import datetime
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple, Union

from ..model import UNKNOWN_BUILD, KnownBuild
from ..observations import Nature
from . import dates, places

__all__ = ["DATE", "DIGEST", "DRAWN", "MODE", "PATH", "USER_AT_HOST", "Kind", "Token", "tokens"]

# Not natures: whether two of them show something depends on both.
PATH, DATE, DIGEST, USER_AT_HOST, MODE = "path", "date", "digest", "user@host", "mode"
DRAWN = "drawn "
"""With its prefix behind it: what may be a random name, in a directory that a build is known to have had."""

Kind = Union[Nature, str]
"""What a token is: a nature where two different texts of it show that; else one of the above, or nothing for a word."""


class Token(NamedTuple):
    """A piece of a text."""

    kind: Kind
    text: str
    stamp: dates.Stamp | None = None

    @property
    def key(self) -> str:
        """What two tokens have in common that may face each other."""
        # NUL keeps a kind apart from a word that is spelled like it.
        return f"\0{self.kind}" if self.kind else self.text


_VCS_VERSION = re.compile(
    r"(?<![\w.])v?\d+(?:\.\d+)*(?:(?:a|b|rc)\d+)?(?:\.?post\d+)?(?:\.dev\d+)?"
    r"[+.](?:g[0-9a-f]{6,40}(?:\.d(?:19|20)\d{6})?|d(?:19|20)\d{6})(?!\w)"
)
# As tools write themselves: "rustc 1.56", "clang version 10" and "protoc 3.12 or newer" are what a text asks for.
_TOOL = re.compile(
    r"(?:(?<=[Gg]enerated by )[A-Z][\w+-]*|GCC: \([^()]*\)|GNU (?:C\+\+|C|Fortran|AS|GIMPLE|Bison)\d*"
    r"|clang version(?= \d+\.\d+\.\d)|rustc version(?= 1\.\d+\.\d)|rustc(?= 1\.\d{1,3}\.[\w.-]{1,40} \()|Linker: LLD"
    r"|(?<=by )ANTLR|Protobuf Python Version:|(?<=[#/*]\s)protoc(?:-gen-\w+)?) v?\d[\w.+-]*"
    r"(?: \d{8})?(?: \([^()]*\))?"
)
# Without a blank before the version.
_TOOL_NUMBER = re.compile(
    r"\bCYTHON_ABI \"[\d_]+\"|\bCYTHON_HEX_VERSION 0x[0-9A-Fa-f]+|\bYYBISON_VERSION \"[\d.]+\""
    r"|\bPROTOBUF_(?:VERSION|MIN_PROTOC_VERSION)\b[ !<>=]+\d+"
)
_PATTERNS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    (Nature.COMPILER, _TOOL),
    (Nature.COMPILER, _TOOL_NUMBER),
    (Nature.VCS_VERSION, _VCS_VERSION),
    (Nature.VCS_VERSION, re.compile(r"(?<=['\"])g[0-9a-f]{7,40}(?:\.d(?:19|20)\d{6})?(?=['\"])")),
    (
        Nature.VCS_VERSION,
        re.compile(
            r"(?i:(?<=commit)|(?<=commit_id)|(?<=revision)|(?<=revisionid)|(?<=changeset)|(?<=describe)|(?<=githash)|(?<=git_sha))"
            r"[\"' :=]{1,6}[0-9a-f]{7,40}\b"
        ),
    ),
    # SHA-256 alone, by which members that differ are known (CauseClues.digests).
    (DIGEST, re.compile(r"(?<![0-9A-Za-z])[0-9a-f]{64}(?![0-9A-Za-z])")),
    ("uuid", re.compile(r"(?<![0-9A-Za-z])[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}(?![0-9A-Za-z])")),
    (MODE, re.compile(r"(?<![\w-])[-dl](?:[r-][w-][xsStT-]){3}(?![\w-])")),
    (PATH, places.PATH),
    (Nature.TEMPORARY_NAME, places.TEMPORARY),
    # tempfile's own: of seven, one has no digit, and is a word by itself.
    (f"{DRAWN}tmp", re.compile(r"(?<=(?<![A-Za-z0-9_])tmp)[a-z0-9_]{8}(?!\w)")),
    (
        Nature.PROCESSORS,
        re.compile(
            r"(?:(?<!\w)-j ?|--jobs[= ]|--parallel[= ]|(?i:nproc|cpu[_ ]?count|max_jobs|cmake_build_parallel_level"
            r"|number of (?:cpus|processors|cores|jobs))[\"']?[ :=]{1,3})\d+"
        ),
    ),
    (
        Nature.LOCALE,
        re.compile(
            r"(?<![\w.])(?:[a-z]{2,3}_[A-Z]{2}\.(?:UTF-?8|utf-?8|ISO-?8859-\d+)(?:@\w+)?|C\.(?:UTF-8|utf8))(?!\w)"
        ),
    ),
    (Nature.LOCALE, re.compile(r"(?<=LC_ALL=)\w+|(?<=LANG=)\w+|(?<=LANGUAGE=)\w+")),
    (Nature.TIME_ZONE, re.compile(r"(?<=TZ=)[\w/+:-]+")),
    (USER_AT_HOST, re.compile(r"(?i:(?<=built by )|(?<=compiled by )|(?<=built on ))[\w.-]+@[\w-]+(?:\.[\w-]+)*")),
    # With a dot, it is somebody's address most likely.
    (USER_AT_HOST, re.compile(r"\([\w.-]+@[\w-]+(?=\))")),
    (Nature.USER, re.compile(r"(?i:(?<=build_user=)|(?<=build user: )|(?<=build_user = ))[\"']?[\w.-]+")),
    (Nature.USER, re.compile(r"(?<=(?<!\w)USER=)[\w.-]+|(?<=(?<!\w)LOGNAME=)[\w.-]+")),
    (Nature.HOST, re.compile(r"(?i:(?<=build_host=)|(?<=build host: )|(?<=build_host = ))[\"']?[\w.-]+")),
    (Nature.HOST, re.compile(r"(?<=(?<!\w)HOSTNAME=)[\w.-]+")),
)
"""What each kind of token looks like, in the order in which it is looked for; a piece of text is one token only."""

_BEFORE_DATES = 5
"""How many of the patterns are looked for before dates are, for parts of what they find look like dates."""

_WORD = re.compile(r"\w+|\s+|[^\w\s]")
_ABOUT_TIME = re.compile(
    r"(?i)(?<![a-z])(?:time(?!out)|date|mtime|timestamp|datetime|epoch|stamp|built|build|created|generated|compiled|when)\w*\W{0,6}(?:\w+\W{1,4}){0,2}\Z"
)
# CalVer: 2024.01.15 may be a version, for which the clock is not the reason; nor is it for what a translator dates.
_NOT_OF_BUILDS = re.compile(r"(?i)(?:version\w*\W{0,8}|PO-Revision-Date: *)\Z")
# Ten digits that begin with 1: from 2001 to 2033; more for milliseconds, microseconds and nanoseconds.
_SECONDS = re.compile(r"(?<![\w.])1[0-9]{9}(?:\.\d{1,9}|\d{3}|\d{6}|\d{9})?(?![\w.])")
# Of milliseconds, 2001 to 2033.
_HEXADECIMAL = re.compile(r"(?<![\w.])(?:0x)?(?P<digits>[0-9a-f]{8}|[0-9a-f]{11})(?![\w.])", re.IGNORECASE)
# Where only the day of a known build makes a date of it: 29.11.2026 may be a version, and 2026 anything.
_KNOWN_DAY = re.compile(r"(?<![\w.])(?P<day>[0-3]?\d)\.(?P<month>[01]?\d)\.(?P<year>20\d\d)(?![\w.])")
_KNOWN_YEAR = re.compile(r"(?<![\w.])20[0-3]\d(?![\w.])")
# YYYYMMDD to 2039, or with hour, minute and second.
_DAY_NUMBER = re.compile(r"(?<![\w.])20[0-3]\d[01]\d[0-3]\d(?:[0-2]\d[0-5]\d[0-5]\d)?(?![\w.])")
_NOTATIONS = (
    "%Y.%m.%d",
    "%y.%m.%d",
    "%Y.%j",
    "%Y%m%d",
    "%Y%j",
    "%y%m%d",
    "%y%j",
    "%G-W%V-%u",
    "%G-W%V",
    "%GW%V",
    "%Y_%m_%d",
)
_EPOCHS = (0, -719_163, 1_721_425, -678_576)
"""What is added to the days of :meth:`date.toordinal` for those since 1970, of the Julian Period, and modified."""

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)

_AROUND = 40
"""How many characters before a number or a date may say what it is."""

_LEAST_VALUE = 4
_OF_OTHERS = frozenset({"TERM", "COLUMNS", "LINES", "MAKEFLAGS"})
"""Variables of which a value shows a cause of its own."""

_DAY = 86400
_FIRST_DAY = datetime.date(1970, 1, 1)


def tokens(text: str, build: KnownBuild, other: KnownBuild = UNKNOWN_BUILD) -> list[Token]:
    """Return *text*, from what *build* made, in tokens; together they are the text.

    :param other: the build that it is compared with
    """
    # By their beginnings, so that one can only overlap its neighbours.
    starts: list[int] = []
    spans: list[tuple[int, int, Token]] = []
    for start, end, kind, stamp in _found(text, build, other):
        place = bisect_right(starts, start)
        if (not place or spans[place - 1][1] <= start) and (place == len(starts) or end <= starts[place]):
            starts.insert(place, start)
            spans.insert(place, (start, end, Token(kind, text[start:end], stamp)))
    found, at = [], 0
    for start, end, token in spans:
        found += [*(Token("", word) for word in _WORD.findall(text[at:start])), token]
        at = end
    return [*found, *(Token("", word) for word in _WORD.findall(text[at:]))]


def _found(text: str, build: KnownBuild, other: KnownBuild) -> Iterator[tuple[int, int, Kind, dates.Stamp | None]]:
    """Give where tokens with a nature may be; of those that overlap the first counts."""
    for start, end, nature in _known(text, build, other):
        yield start, end, nature, None
        if nature in (Nature.KNOWN_PATH, Nature.KNOWN_TEMPORARY_PATH):
            # What tempfile drew within a known directory; without that, eight letters may be any word.
            below = places.BELOW.match(text, end + 1)
            if below:
                yield *below.span("drawn"), f"{DRAWN}{below['prefix']}", None
    for number, (kind, pattern) in enumerate(_PATTERNS):
        if number == _BEFORE_DATES:
            for stamp in dates.find(text):
                if not _NOT_OF_BUILDS.search(text[max(0, stamp.start - _AROUND) : stamp.start]):
                    yield stamp.start, stamp.end, DATE, stamp
        yield from ((*match.span(), kind, None) for match in pattern.finditer(text) if match[0])
    for start, end in (*_numbers(text, build), *_by_known_dates(text, build)):
        yield start, end, Nature.MOMENT, None


def _known(text: str, build: KnownBuild, other: KnownBuild) -> Iterator[tuple[int, int, Nature]]:
    """Give where *text* holds what is known of its build: the longest paths first, for they may lie in each other."""
    paths = [(path.rstrip("/\\"), Nature.KNOWN_TEMPORARY_PATH) for path in build.temps]
    paths += [(path.rstrip("/\\"), Nature.KNOWN_PATH) for path in build.paths]
    paths += [(build.home.rstrip("/\\"), Nature.HOME)]
    paths.sort(key=lambda place: len(place[0]), reverse=True)
    # Not a part of a longer name: /tmp/a is not in /tmp/ab.
    found = [(re.escape(path) + r"(?![\w-])", nature) for path, nature in paths if len(path) > 1]
    names = (
        (build.user, other.user, Nature.USER),
        (build.host, other.host, Nature.HOST),
        (build.locale, other.locale, Nature.LOCALE),
        (build.timezone, other.timezone, Nature.TIME_ZONE),
    )
    word = r"(?<![A-Za-z0-9_]){}(?![A-Za-z0-9_])"
    found += [(rf"(?<![\w/]){re.escape(value)}(?![\w/])", Nature.VARIABLES) for value in _values(build, other)]
    if build.commit:
        # As it is, or abbreviated (git-rev-parse(1)), as `git describe` has it too.
        found.append((rf"\bg?{build.commit[:7]}[0-9a-f]{{0,33}}(?:[.+-]?dirty)?\b", Nature.VCS_VERSION))
    # Names of one or two letters are in other words by chance, unless they face what the other build is known to have.
    found += [(word.format(re.escape(name)), nature) for name, its, nature in names if len(name) >= 3 or (name and its)]
    for pattern, nature in found:
        yield from ((*match.span(), nature) for match in re.finditer(pattern, text))


def _values(build: KnownBuild, other: KnownBuild) -> Iterator[str]:
    """Give the values of variables that *other* has with other values; not what shows a cause of its own."""
    for name, value in build.variables.items():
        its = other.variables.get(name, value)
        is_special = any(
            each in (one.user, one.host, one.locale, one.timezone, one.home, *one.paths, *one.temps)
            for each, one in ((value, build), (its, other))
        )
        if value != its and min(len(value), len(its)) >= _LEAST_VALUE and not is_special and name not in _OF_OTHERS:
            yield value


def _numbers(text: str, build: KnownBuild) -> Iterator[tuple[int, int]]:
    """Give the numbers that are seconds since 1970 or days, for their build or the words before them say so."""
    for pattern in (_SECONDS, _DAY_NUMBER):
        for match in pattern.finditer(text):
            seconds = int(match[0][:10]) if pattern is _SECONDS else _seconds_of_day(match[0])
            is_known = seconds is not None and _is_known(seconds, build)
            if is_known or _ABOUT_TIME.search(text[max(0, match.start() - _AROUND) : match.start()]):
                yield match.span()


def _by_known_dates(text: str, build: KnownBuild) -> Iterator[tuple[int, int]]:
    """Give what is a date only because it is one that the build is known to have had."""
    for match in _HEXADECIMAL.finditer(text):
        number = int(match["digits"], 16)
        if _is_known(number if len(match["digits"]) == 8 else number / 1000, build):
            yield match.span()
    for match in _KNOWN_DAY.finditer(text):
        seconds = _seconds_of_day(f"{match['year']}{int(match['month']):02}{int(match['day']):02}")
        if seconds is not None and _is_known(seconds, build):
            yield match.span()
    for match in _known_days(build.dates).finditer(text) if build.dates else ():
        yield match.span()
    years = {str(_day_of(date).year) for date in build.dates}
    yield from (match.span() for match in _KNOWN_YEAR.finditer(text) if match[0] in years)


@lru_cache(maxsize=8)
def _known_days(dates: tuple[int, ...]) -> re.Pattern[str]:
    """Return what finds the days of *dates*, and those before and behind them, in notations that may mean anything."""
    days = {day + datetime.timedelta(shift) for day in map(_day_of, dates) for shift in (-1, 0, 1)}
    numbers = {str(day.toordinal() + since) for day in days for since in _EPOCHS}
    numbers |= {day.strftime(notation) for day in days for notation in _NOTATIONS}
    # Calendar versions have no zeros before numbers (PEP 440).
    numbers |= {f"{year}.{day.month}.{day.day}" for day in days for year in (day.year, day.year % 100)}
    numbers |= {f"{day.year}.{day.month}" for day in days}
    words = {names[number] for day in days for names, number in ((_WEEKDAYS, day.weekday()), (_MONTHS, day.month - 1))}
    # The longest first: 2026.11.3 is no part of 2026.11.30.
    one, other = ("|".join(map(re.escape, sorted(each, key=len, reverse=True))) for each in (numbers, words))
    return re.compile(rf"(?<![\d.])(?:{one})(?!\d)|(?<=\b20\d\d-)(?:{_years(days)})(?!\d)|\b(?:{other})\b")


def _day_of(seconds: int) -> datetime.date:
    # Not by fromtimestamp, which on Windows takes none before 1970.
    return _FIRST_DAY + datetime.timedelta(seconds // _DAY)


def _years(days: Iterable[datetime.date]) -> str:
    return "|".join(sorted({f"{day:%y}" for day in days}))


def _is_known(seconds: float, build: KnownBuild) -> bool:
    # Two days: builds take hours, and a day is another by the time zone.
    return any(abs(seconds - date) <= 2 * _DAY for date in build.dates)


def _seconds_of_day(text: str) -> int | None:
    try:
        day = datetime.datetime(int(text[:4]), int(text[4:6]), int(text[6:8]), tzinfo=datetime.timezone.utc)
    except ValueError:
        return None
    return int(day.timestamp())
