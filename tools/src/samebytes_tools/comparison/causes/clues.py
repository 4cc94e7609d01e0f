"""From two pieces of text at one place to the causes of their difference.

Both are cut into tokens: what has a nature (a path, a date, a version ...) and the words between. Where tokens of one
nature face each other and are not the same text, their nature names the cause; all other differences are unknown.
What is known of the worlds in which the sides were built goes before what the text looks like.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

from ..model import EXCERPT, UNKNOWN_WORLD, Evidence, Finding, World
from . import dates, paths
from .causes import UNKNOWN

__all__ = ["FOLLOWS", "NO_CLUES", "Clues", "codes", "explain", "findings_of"]

FOLLOWS = "follows"
"""In place of a cause's code: what differs is the digest or the name of something else that does."""

MOST_TOKENS = 2000
"""How many tokens of each side are aligned; longer pieces are only taken apart where they match throughout."""

LONGEST = 8 << 10
"""How many bytes of a piece are taken apart; of a longer one only what differs, and what is around it."""

_AROUND = 200


class Clues(NamedTuple):
    """What is known beyond the two pieces of text."""

    worlds: tuple[World, World] = (UNKNOWN_WORLD, UNKNOWN_WORLD)
    digests: tuple[Mapping[str, str], Mapping[str, str]] = ({}, {})
    """For each side, the SHA-256 of members that differ, in hexadecimal, and the members' keys."""
    names: frozenset[str] = frozenset()
    """What members are called on either side: full names and their last components."""
    only: frozenset[str] = frozenset()
    """The keys of members that only one side has."""
    is_location: bool = False
    """Whether any path is one where something was built."""


NO_CLUES = Clues()


class _Token(NamedTuple):
    nature: str
    """Empty for a word."""
    text: str
    stamp: dates.Stamp | None = None

    @property
    def key(self) -> str:
        return f"\0{self.nature}" if self.nature else self.text


_VCS_VERSION = re.compile(
    r"(?<![\w.])v?\d+(?:\.\d+)*(?:(?:a|b|rc)\d+)?(?:\.?post\d+)?(?:\.dev\d+)?"
    r"[+.](?:g[0-9a-f]{6,40}(?:\.d(?:19|20)\d{6})?|d(?:19|20)\d{6})(?!\w)"
)
_VERSION = re.compile(r"(?<![\w.])v?\d+(?:\.\d+)+(?:(?:a|b|rc)\d+)?(?:\.?post\d+)?(?:\.dev\d+)?(?![\w+])")
_TOOL = re.compile(
    r"(?:(?<=[Gg]enerated by )Cython|GCC: \([^()]*\)|GNU (?:C\+\+|C|Fortran|AS|GIMPLE)\d*|clang version"
    r"|rustc(?: version)?|Linker: LLD) v?\d[\w.+-]*(?: \d{8})?(?: \([^()]*\))?"
)
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("tool", _TOOL),
    ("vcs", _VCS_VERSION),
    ("vcs", re.compile(r"(?<=['\"])g[0-9a-f]{7,40}(?:\.d(?:19|20)\d{6})?(?=['\"])")),
    (
        "vcs",
        re.compile(
            r"(?i:(?<=commit)|(?<=commit_id)|(?<=revision)|(?<=changeset)|(?<=describe)|(?<=githash)|(?<=git_sha))"
            r"[\"' :=]{1,6}[0-9a-f]{7,40}\b"
        ),
    ),
    ("digest", re.compile(r"(?<![0-9A-Za-z])[0-9a-f]{64}(?![0-9A-Za-z])")),
    ("uuid", re.compile(r"(?<![0-9A-Za-z])[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}(?![0-9A-Za-z])")),
    ("path", paths.PATH),
    ("temp", paths.TEMPORARY),
    (
        "cpus",
        re.compile(
            r"(?:(?<!\w)-j ?|--jobs[= ]|--parallel[= ]|(?i:nproc|cpu[_ ]?count|max_jobs|cmake_build_parallel_level"
            r"|number of (?:cpus|processors|cores|jobs))[\"']?[ :=]{1,3})\d+"
        ),
    ),
    (
        "locale",
        re.compile(
            r"(?<![\w.])(?:[a-z]{2,3}_[A-Z]{2}\.(?:UTF-?8|utf-?8|ISO-?8859-\d+)(?:@\w+)?|C\.(?:UTF-8|utf8))(?!\w)"
        ),
    ),
    ("locale", re.compile(r"(?<=LC_ALL=)\w+|(?<=LANG=)\w+|(?<=LANGUAGE=)\w+")),
    ("zone", re.compile(r"(?<=TZ=)[\w/+:-]+")),
    ("user@host", re.compile(r"(?i:(?<=built by )|(?<=compiled by )|(?<=built on )|\()[\w.-]+@[\w-]+(?:\.[\w-]+)*")),
    ("user", re.compile(r"(?i:(?<=build_user=)|(?<=build user: )|(?<=build_user = ))[\"']?[\w.-]+")),
    ("user", re.compile(r"(?<=(?<!\w)USER=)[\w.-]+|(?<=(?<!\w)LOGNAME=)[\w.-]+")),
    ("host", re.compile(r"(?i:(?<=build_host=)|(?<=build host: )|(?<=build_host = ))[\"']?[\w.-]+")),
    ("host", re.compile(r"(?<=(?<!\w)HOSTNAME=)[\w.-]+")),
)
_WORD = re.compile(r"\w+|\s+|[^\w\s]")
_ABOUT_TIME = re.compile(
    r"(?i)(?<![a-z])(?:time|date|mtime|timestamp|datetime|epoch|stamp|built|build|mtime|created|generated|compiled|when)\w*\W{0,6}(?:\w+\W{1,4}){0,2}\Z"
)
_ABOUT_VERSION = re.compile(r"(?i)version\w*\W{0,8}\Z")
_SECONDS = re.compile(r"(?<![\w.])1[0-9]{9}(?:\.\d{1,9}|\d{3})?(?![\w.])")
_DAY_NUMBER = re.compile(r"(?<![\w.])20[0-3]\d[01]\d[0-3]\d(?:[0-2]\d[0-5]\d[0-5]\d)?(?![\w.])")
_DAY_SECONDS = 86400


def codes(left: bytes, right: bytes, clues: Clues = NO_CLUES) -> tuple[str, ...]:
    """Return the codes of the causes for which *left* and *right*, pieces from one place, differ; at least one.

    FOLLOWS stands for what needs no cause of its own.
    """
    if left == right:
        return ()
    if left.replace(b"\r\n", b"\n") == right.replace(b"\r\n", b"\n"):
        return ("D014",)
    if max(len(left), len(right)) > LONGEST:
        left, right = _narrowed(left, right)
        if max(len(left), len(right)) > LONGEST:
            return (UNKNOWN,)
    tokens = [_tokens(_decoded(piece), side, clues) for side, piece in enumerate((left, right))]
    # Bytes that are no text may be told apart only by how they are decoded; they differ all the same.
    return tuple(sorted(set(_compared(tokens[0], tokens[1], clues)))) or (UNKNOWN,)


def _narrowed(left: bytes, right: bytes) -> tuple[bytes, bytes]:
    """Return both without what they share at the beginning and at the end, but for a little."""
    shortest = min(len(left), len(right))
    begin = next((place for place in range(shortest) if left[place] != right[place]), shortest)
    end = next((place for place in range(shortest - begin) if left[-1 - place] != right[-1 - place]), shortest - begin)
    begin, end = max(0, begin - _AROUND), max(0, end - _AROUND)
    return left[begin : len(left) - end], right[begin : len(right) - end]


def explain(left: bytes, right: bytes, where: str, clues: Clues = NO_CLUES) -> tuple[Finding, ...]:
    """Return a finding for each cause of the difference between *left* and *right*, which stand at *where*."""
    return findings_of(codes(left, right, clues), left, right, where)


def findings_of(given: Collection[str], left: bytes, right: bytes, where: str) -> tuple[Finding, ...]:
    """Return findings for all codes *given* that name a cause, with the bytes around the first difference."""
    if not given:
        return ()
    evidence = Evidence(where, *_excerpts(left, right))
    return tuple(Finding(code, evidence) for code in given if code != FOLLOWS)


def _excerpts(left: bytes, right: bytes) -> tuple[bytes, bytes]:
    """Cut both to what fits into evidence, with a little of what they share before the first difference."""
    if max(len(left), len(right)) <= EXCERPT:
        return left, right
    shared = next((place for place, (a, b) in enumerate(zip(left, right)) if a != b), min(len(left), len(right)))
    begin = max(0, shared - EXCERPT // 4)
    return left[begin : begin + EXCERPT], right[begin : begin + EXCERPT]


def _decoded(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


# -- from text to tokens


def _tokens(text: str, side: int, clues: Clues) -> list[_Token]:
    spans: list[tuple[int, int, _Token]] = []

    def take(start: int, end: int, token: _Token) -> None:
        if all(end <= other[0] or start >= other[1] for other in spans):
            spans.append((start, end, token))

    for start, end, nature in _known(text, clues.worlds[side]):
        take(start, end, _Token(nature, text[start:end]))
        below = paths.BELOW.match(text, end + 1) if nature in ("D001", "D002") else None
        if below:
            take(*below.span("drawn"), _Token(f"{_DRAWN}{below['prefix']}", below["drawn"]))
    for nature, pattern in _PATTERNS[:4]:
        for match in pattern.finditer(text):
            take(match.start(), match.end(), _Token(nature, match[0]))
    for stamp in dates.find(text):
        if not _ABOUT_VERSION.search(text[max(0, stamp.start - 40) : stamp.start]):
            take(stamp.start, stamp.end, _Token("date", text[stamp.start : stamp.end], stamp))
    for nature, pattern in _PATTERNS[4:]:
        for match in pattern.finditer(text):
            if match[0]:
                take(match.start(), match.end(), _Token(nature, match[0]))
    for start, end in _numbers(text, clues.worlds[side]):
        take(start, end, _Token("seconds", text[start:end]))
    return list(_with_words(text, sorted(spans, key=lambda span: span[0])))


def _with_words(text: str, spans: Sequence[tuple[int, int, _Token]]) -> Iterator[_Token]:
    at = 0
    for start, end, token in spans:
        yield from (_Token("", word) for word in _WORD.findall(text[at:start]))
        yield token
        at = end
    yield from (_Token("", word) for word in _WORD.findall(text[at:]))


def _known(text: str, world: World) -> Iterator[tuple[int, int, str]]:
    """Give where *text* holds what is known of its world: the longest paths first, for they may lie in each other."""
    places = [(path.rstrip("/\\"), "D002") for path in world.temps] + [
        (path.rstrip("/\\"), "D001") for path in world.paths
    ]
    for path, nature in sorted(places, key=lambda place: len(place[0]), reverse=True):
        if len(path) > 1:
            for match in re.finditer(re.escape(path) + r"(?![\w-])", text):
                yield match.start(), match.end(), nature
    for name, nature in ((world.user, "D003"), (world.host, "D004"), (world.locale, "D006"), (world.timezone, "D007")):
        if len(name) >= 3:
            for match in re.finditer(rf"(?<![A-Za-z0-9_]){re.escape(name)}(?![A-Za-z0-9_])", text):
                yield match.start(), match.end(), nature


def _numbers(text: str, world: World) -> Iterator[tuple[int, int]]:
    """Give the numbers that are seconds since 1970 or days, for their world or the words before them say so."""
    for pattern, seconds in ((_SECONDS, _plain_seconds), (_DAY_NUMBER, _seconds_of_day)):
        for match in pattern.finditer(text):
            if _is_near(seconds(match[0]), world) or _ABOUT_TIME.search(
                text[max(0, match.start() - 40) : match.start()]
            ):
                yield match.start(), match.end()


def _is_near(seconds: int | None, world: World) -> bool:
    return seconds is not None and any(abs(seconds - date) <= 2 * _DAY_SECONDS for date in world.dates)


def _plain_seconds(text: str) -> int:
    return int(text[:10])


def _seconds_of_day(text: str) -> int | None:
    import datetime

    try:
        day = datetime.datetime(int(text[:4]), int(text[4:6]), int(text[6:8]), tzinfo=datetime.timezone.utc)
    except ValueError:
        return None
    return int(day.timestamp())


# -- from tokens to causes


def _compared(left: list[_Token], right: list[_Token], clues: Clues) -> Iterator[str]:
    keys = [token.key for token in left], [token.key for token in right]
    if keys[0] == keys[1]:
        yield from _paired(left, right, clues)
    elif _is_reordered(left, right):
        yield "D009" if _names_files(left, clues) else "D008"
    elif max(map(len, keys)) > MOST_TOKENS:
        yield UNKNOWN
    else:
        for tag, a, b, c, d in SequenceMatcher(None, *keys).get_opcodes():
            yield from (_paired(left[a:b], right[c:d], clues) if tag == "equal" else _unlike(left[a:b], right[c:d]))


def _paired(left: Sequence[_Token], right: Sequence[_Token], clues: Clues) -> Iterator[str]:
    for one, other in zip(left, right):
        if one.text != other.text:
            yield from _judged(one, other, clues) or (UNKNOWN,)


def _unlike(left: Sequence[_Token], right: Sequence[_Token]) -> Iterator[str]:
    """Give the causes of tokens that do not face any of their own nature."""
    one, other = "".join(token.text for token in left), "".join(token.text for token in right)
    if one.isspace() and other.isspace():
        yield UNKNOWN
    elif [token.nature for token in (*left, *right)] in (["D001", "D002"], ["D002", "D001"]):
        yield "D001"
    elif _is_vcs_state(left, right):
        yield "D016"
    else:
        yield UNKNOWN


def _is_vcs_state(left: Sequence[_Token], right: Sequence[_Token]) -> bool:
    """Tell whether one side is a version with a commit, and the other a version without."""
    sides = [[token for token in side if token.nature or not token.text.isspace()] for side in (left, right)]
    texts = ["".join(token.text for token in side) for side in sides]
    natures = [[token.nature for token in side] for side in sides]
    return any(natures[side] == ["vcs"] and _VERSION.fullmatch(texts[1 - side]) is not None for side in (0, 1))


def _judged(left: _Token, right: _Token, clues: Clues) -> tuple[str, ...]:
    if left.nature in _SIMPLE:
        return (_SIMPLE[left.nature],)
    if left.nature == "user@host":
        pairs = zip(left.text.split("@"), right.text.split("@"), ("D003", "D004"))
        return tuple(code for one, other, code in pairs if one != other)
    if left.nature == "path" or left.nature.startswith(_DRAWN):
        code = _placed(left, right, clues)
        return (code,) if code else ()
    if left.nature == "date" and left.stamp and right.stamp:
        zones = clues.worlds[0].timezone, clues.worlds[1].timezone
        return dates.causes(left.stamp, right.stamp, bool(zones[0]) and zones[0] == zones[1])
    if left.nature == "digest":
        key = clues.digests[0].get(left.text)
        return (FOLLOWS,) if key is not None and key == clues.digests[1].get(right.text) else ()
    return ()


def _placed(left: _Token, right: _Token, clues: Clues) -> str:
    """Return the cause of two paths, or of two names below known ones; nothing if they do not tell."""
    if left.nature == "path":
        return paths.cause(left.text, right.text, is_location=clues.is_location)
    return "D002" if paths.is_drawn(left.text, right.text) else ""


_DRAWN = "drawn "
"""With its prefix behind it: what may be a random name, in a directory that is known of the worlds."""

_SIMPLE = {
    "D001": "D001",
    "D002": "D002",
    "D003": "D003",
    "D004": "D004",
    "D006": "D006",
    "D007": "D007",
    "tool": "D023",
    "vcs": "D016",
    "temp": "D002",
    "cpus": "D021",
    "locale": "D006",
    "zone": "D007",
    "user": "D003",
    "host": "D004",
    "seconds": "D005",
}
"""Natures of which any two different texts have one cause."""

_SEPARATORS = frozenset(",;|")


def _is_reordered(left: Sequence[_Token], right: Sequence[_Token]) -> bool:
    """Tell whether both are the same elements, separated by one sign or by line ends, in another order.

    Arguments of a call are no such elements, nor are numbers alone: their order has a meaning.
    """
    if Counter(token.text for token in left) != Counter(token.text for token in right):
        return False
    one, other = "".join(token.text for token in left), "".join(token.text for token in right)
    if _CALL.search(one) or not re.search(r"[^\W\d]", one):
        return False
    for sign in (*_SEPARATORS, "\n"):
        elements = _elements(one, sign)
        if len(elements) > 1 and Counter(elements) == Counter(_elements(other, sign)):
            return not all(element.isdigit() for element in elements)
    return False


_CALL = re.compile(r"(?<!\w)(?!(?:frozen)?set\(|sorted\(|list\(|tuple\()\w+\(")


def _elements(text: str, sign: str) -> list[str]:
    """Return the elements of a list in brackets or behind a name, without what encloses them."""
    inner = re.sub(r"\A[^\[\](){}:=]*[\[({:=\s]+|[\])}]+[^\[\](){}]*\Z", "", text.strip())
    return [element.strip() for element in inner.split(sign) if element.strip()]


def _names_files(tokens: Sequence[_Token], clues: Clues) -> bool:
    """Tell whether what is in another order are names of files: of members, or with a slash in them."""
    one = "".join(token.text for token in tokens)
    words = [word.strip("\"'[](){},;") for word in re.split(r"[\s,;|]+", one)]
    listed = [word for word in words if re.search(r"\w", word)]
    named = [word for word in listed if "/" in word or word in clues.names]
    return bool(listed) and len(named) * 2 > len(listed)
