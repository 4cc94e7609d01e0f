"""The site's templates with what they share, and how they show numbers, dates and long texts."""

from __future__ import annotations

import datetime
from typing import Any

import jinja2

from samebytes.console.style import shortened

from .... import pages
from ..model import SHORT
from . import addresses
from .results import OUTCOMES, STANDINGS

POLICY = "default-src 'none'; style-src 'self' file:; script-src 'self' file:; img-src 'self' file: data:"
"""What pages may load: their own files. ``file:`` is for pages opened from a disk, which have no ``'self'``."""

LONG = 300
"""Characters of a text from outside that are shown; the rest is in the JSON."""
LOG_LINES, LOG_WIDTH = 60, 240

_HERE = "commands/survey/site"
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
_WIDTHS = {
    **dict.fromkeys("fijlt' ", 3.6),
    **dict.fromkeys("abcdeghknopqrsuvxyz", 6.6),
    **dict.fromkeys("mw", 9.6),
}
"""About what letters take in 11 px Verdana; ``textLength`` fits the rest in."""


class Templates:
    """The site's templates, made ready once."""

    def __init__(self, **shared: Any) -> None:
        """*shared* are values that all of them get."""
        self._environment = pages.environment()
        self._environment.filters.update(
            {each.__name__: each for each in (count, cut, day, duration, moment, percent, size, tail, text_width)}
        )
        self._environment.globals.update(
            policy=POLICY,
            package_path=addresses.package,
            badge_path=addresses.badge,
            cause_path=addresses.cause,
            listing_path=addresses.listing,
            rebuilt_path=addresses.rebuilt,
            published_path=addresses.published,
            record_path=addresses.record,
            outcomes=OUTCOMES,
            standings=STANDINGS,
            short=SHORT,
            **shared,
        )
        self._ready: dict[str, jinja2.Template] = {}

    def page(self, template: str, path: str, **values: Any) -> str:
        """Return the page that will lie at *path*, less its suffix, with links that fit that place."""
        return self.part(template, path=path, root="../" * path.count("/"), **values)

    def part(self, template: str, **values: Any) -> str:
        """Return a file, or a piece of one."""
        if template not in self._ready:
            self._ready[template] = self._environment.get_template(f"{_HERE}/templates/{template}")
        return self._ready[template].render(values)


def asset(name: str) -> str:
    """Return the text of the site's style sheet or script."""
    return pages.source_of(f"{_HERE}/assets/{name}")


def day(seconds: int) -> str:
    """Return the day, in UTC, as ``2026-11-20``; a date that no calendar has stays a number."""
    return moment(seconds, "%Y-%m-%d")


def moment(seconds: int, form: str = "%Y-%m-%dT%H:%M:%SZ") -> str:
    """Return date and time, in UTC, as ``2026-11-20T10:11:12Z``."""
    try:
        # Not datetime.fromtimestamp, whose range is the platform's.
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
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    return f"{minutes:,} min {rest} s" if rest else f"{minutes:,} min"


def cut(text: str, width: int = LONG) -> str:
    """Return *text*, its middle left out if it is very long."""
    return shortened(text, width)


def tail(log: str) -> list[str]:
    """Return the last lines of *log*, none of them endless."""
    return [cut(line, LOG_WIDTH) for line in log.splitlines()[-LOG_LINES:]]


def text_width(text: str) -> int:
    """Return about how many pixels *text* takes in a badge."""
    return round(sum(_WIDTHS.get(letter, 7.2) for letter in text))
