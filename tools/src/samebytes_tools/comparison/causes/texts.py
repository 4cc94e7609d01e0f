"""From two pieces of text at one place to what differs in them.

Both are cut into tokens: what has a nature (a path, a date, a version ...) and the words between. Where tokens of one
nature face each other and are not the same text, that is a part of the difference; all else stays unexplained. What is
known of the two builds goes before what the text looks like.
"""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple, Union

from ..excerpts import narrowed
from ..model import KnownBuild
from ..observations import (
    DigestPair,
    Fact,
    FieldValues,
    JsonValue,
    Libraries,
    LoneLine,
    LoneLines,
    Nature,
    Part,
    PathPair,
    Reordered,
    SearchPaths,
    TextPair,
    Unexplained,
)
from . import dates, places
from .cause import Clues

__all__ = ["parts"]

MOST_TOKENS = 2000
"""How many tokens of each side are aligned; longer pieces are only taken apart where they match throughout."""

LONGEST = 8 << 10
"""How many bytes of a piece are taken apart; of a longer one only what differs, and what is around it."""

_AROUND = 200

_WORD_KIND, _PATH, _DATE, _DIGEST, _UUID, _USER_AT_HOST = "", "path", "date", "digest", "uuid", "user@host"
_DRAWN = "drawn "
"""With its prefix behind it: what may be a random name, in a directory that a build is known to have had."""

_A_PATH_OF_EACH = sorted(map(str, (Nature.KNOWN_PATH, Nature.KNOWN_TEMPORARY_PATH)))

_Kind = Union[Nature, str]
"""What a token is: a fact's nature where two different texts of it are a fact already, else one of the above."""


class _Token(NamedTuple):
    kind: _Kind
    text: str
    stamp: dates.Stamp | None = None

    @property
    def key(self) -> str:
        """What two tokens have in common that may face each other."""
        return f"\0{self.kind}" if self.kind else self.text


_VCS_VERSION = re.compile(
    r"(?<![\w.])v?\d+(?:\.\d+)*(?:(?:a|b|rc)\d+)?(?:\.?post\d+)?(?:\.dev\d+)?"
    r"[+.](?:g[0-9a-f]{6,40}(?:\.d(?:19|20)\d{6})?|d(?:19|20)\d{6})(?!\w)"
)
_VERSION = re.compile(r"(?<![\w.])v?\d+(?:\.\d+)+(?:(?:a|b|rc)\d+)?(?:\.?post\d+)?(?:\.dev\d+)?(?![\w+])")
_TOOL = re.compile(
    r"(?:(?<=[Gg]enerated by )Cython|GCC: \([^()]*\)|GNU (?:C\+\+|C|Fortran|AS|GIMPLE)\d*|clang version"
    r"|rustc(?: version)?|Linker: LLD) v?\d[\w.+-]*(?: \d{8})?(?: \([^()]*\))?"
)
_PATTERNS: tuple[tuple[_Kind, re.Pattern[str]], ...] = (
    (Nature.COMPILER, _TOOL),
    (Nature.VCS_VERSION, _VCS_VERSION),
    (Nature.VCS_VERSION, re.compile(r"(?<=['\"])g[0-9a-f]{7,40}(?:\.d(?:19|20)\d{6})?(?=['\"])")),
    (
        Nature.VCS_VERSION,
        re.compile(
            r"(?i:(?<=commit)|(?<=commit_id)|(?<=revision)|(?<=changeset)|(?<=describe)|(?<=githash)|(?<=git_sha))"
            r"[\"' :=]{1,6}[0-9a-f]{7,40}\b"
        ),
    ),
    (_DIGEST, re.compile(r"(?<![0-9A-Za-z])[0-9a-f]{64}(?![0-9A-Za-z])")),
    (_UUID, re.compile(r"(?<![0-9A-Za-z])[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}(?![0-9A-Za-z])")),
    (_PATH, places.PATH),
    (Nature.TEMPORARY_NAME, places.TEMPORARY),
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
    (_USER_AT_HOST, re.compile(r"(?i:(?<=built by )|(?<=compiled by )|(?<=built on )|\()[\w.-]+@[\w-]+(?:\.[\w-]+)*")),
    (Nature.USER, re.compile(r"(?i:(?<=build_user=)|(?<=build user: )|(?<=build_user = ))[\"']?[\w.-]+")),
    (Nature.USER, re.compile(r"(?<=(?<!\w)USER=)[\w.-]+|(?<=(?<!\w)LOGNAME=)[\w.-]+")),
    (Nature.HOST, re.compile(r"(?i:(?<=build_host=)|(?<=build host: )|(?<=build_host = ))[\"']?[\w.-]+")),
    (Nature.HOST, re.compile(r"(?<=(?<!\w)HOSTNAME=)[\w.-]+")),
)
_BEFORE_DATES = 4
"""How many of the patterns are looked for before dates are, for parts of what they find look like dates."""

_WORD = re.compile(r"\w+|\s+|[^\w\s]")
_ABOUT_TIME = re.compile(
    r"(?i)(?<![a-z])(?:time|date|mtime|timestamp|datetime|epoch|stamp|built|build|mtime|created|generated|compiled|when)\w*\W{0,6}(?:\w+\W{1,4}){0,2}\Z"
)
_ABOUT_VERSION = re.compile(r"(?i)version\w*\W{0,8}\Z")
_SECONDS = re.compile(r"(?<![\w.])1[0-9]{9}(?:\.\d{1,9}|\d{3})?(?![\w.])")
_DAY_NUMBER = re.compile(r"(?<![\w.])20[0-3]\d[01]\d[0-3]\d(?:[0-2]\d[0-5]\d[0-5]\d)?(?![\w.])")
_DAY = 86400

_CALL = re.compile(r"(?<!\w)(?!(?:frozen)?set\(|sorted\(|list\(|tuple\()\w+\(")
"""A call of anything but what makes a collection: the order of its arguments has a meaning."""


def parts(seen: Part, clues: Clues) -> Iterable[Part]:
    """Return what *seen* consists of, where no cause is shown by the whole; at least something unexplained."""
    if isinstance(seen, TextPair):
        return _of_texts(seen, clues)
    if isinstance(seen, LoneLines):
        return [LoneLine(line.strip(b" \t\r\n\"',")) for line in (seen.left or seen.right).splitlines()]
    text = _as_text(seen)
    return [Unexplained() if text is None else text]


def _as_text(seen: Part) -> TextPair | None:
    """Return the values of *seen* as texts, or None if they are none."""
    if isinstance(seen, FieldValues):
        return TextPair(seen.left, seen.right)
    if isinstance(seen, JsonValue):
        # Its key may say what a number is.
        label = seen.path.rpartition(".")[2].encode() + b": "
        return TextPair(label + seen.left, label + seen.right)
    if isinstance(seen, SearchPaths) and all(seen.paths):
        left, right = (":".join(paths).encode() for paths in seen.paths)
        return TextPair(left, right, is_location=True)
    if isinstance(seen, Libraries):
        left, right = ("; ".join(names).encode() for names in seen.names)
        return TextPair(left, right)
    return None


def _of_texts(pair: TextPair, clues: Clues) -> Iterable[Part]:
    left, right = pair.left, pair.right
    if left == right:
        return []
    if left.replace(b"\r\n", b"\n") == right.replace(b"\r\n", b"\n"):
        return [Fact(Nature.LINE_ENDS)]
    if max(len(left), len(right)) > LONGEST:
        left, right = narrowed(left, right, _AROUND)
        if max(len(left), len(right)) > LONGEST:
            return [Unexplained()]
    one, other = (
        _tokens(piece.decode("utf-8", "surrogateescape"), build) for piece, build in zip((left, right), clues.builds)
    )
    # Bytes that are not text may be told apart only by how they are decoded; they differ all the same.
    return list(_compared(one, other, pair.is_location, clues)) or [Unexplained()]


# -- from text to tokens


def _tokens(text: str, build: KnownBuild) -> list[_Token]:
    spans: list[tuple[int, int, _Token]] = []

    def take(start: int, end: int, kind: _Kind, stamp: dates.Stamp | None = None) -> None:
        if all(end <= other[0] or start >= other[1] for other in spans):
            spans.append((start, end, _Token(kind, text[start:end], stamp)))

    for start, end, nature in _known(text, build):
        take(start, end, nature)
        is_place = nature in (Nature.KNOWN_PATH, Nature.KNOWN_TEMPORARY_PATH)
        below = places.BELOW.match(text, end + 1) if is_place else None
        if below:
            take(*below.span("drawn"), f"{_DRAWN}{below['prefix']}")
    _take_patterns(text, _PATTERNS[:_BEFORE_DATES], take)
    for stamp in dates.find(text):
        if not _ABOUT_VERSION.search(text[max(0, stamp.start - 40) : stamp.start]):
            take(stamp.start, stamp.end, _DATE, stamp)
    _take_patterns(text, _PATTERNS[_BEFORE_DATES:], take)
    for start, end in _numbers(text, build):
        take(start, end, Nature.MOMENT)
    return list(_with_words(text, sorted(spans, key=lambda span: span[0])))


def _take_patterns(text: str, patterns: Sequence[tuple[_Kind, re.Pattern[str]]], take: Callable[..., None]) -> None:
    for kind, pattern in patterns:
        for match in pattern.finditer(text):
            if match[0]:
                take(match.start(), match.end(), kind)


def _with_words(text: str, spans: Sequence[tuple[int, int, _Token]]) -> Iterator[_Token]:
    at = 0
    for start, end, token in spans:
        yield from (_Token(_WORD_KIND, word) for word in _WORD.findall(text[at:start]))
        yield token
        at = end
    yield from (_Token(_WORD_KIND, word) for word in _WORD.findall(text[at:]))


def _known(text: str, build: KnownBuild) -> Iterator[tuple[int, int, Nature]]:
    """Give where *text* holds what is known of its build: the longest paths first, for they may lie in each other."""
    paths = [(path.rstrip("/\\"), Nature.KNOWN_TEMPORARY_PATH) for path in build.temps]
    paths += [(path.rstrip("/\\"), Nature.KNOWN_PATH) for path in build.paths]
    for path, nature in sorted(paths, key=lambda place: len(place[0]), reverse=True):
        if len(path) > 1:
            for match in re.finditer(re.escape(path) + r"(?![\w-])", text):
                yield match.start(), match.end(), nature
    for name, nature in (
        (build.user, Nature.USER),
        (build.host, Nature.HOST),
        (build.locale, Nature.LOCALE),
        (build.timezone, Nature.TIME_ZONE),
    ):
        if len(name) >= 3:  # Shorter ones are in other words by chance.
            for match in re.finditer(rf"(?<![A-Za-z0-9_]){re.escape(name)}(?![A-Za-z0-9_])", text):
                yield match.start(), match.end(), nature


def _numbers(text: str, build: KnownBuild) -> Iterator[tuple[int, int]]:
    """Give the numbers that are seconds since 1970 or days, for their build or the words before them say so."""
    for pattern, seconds_of in ((_SECONDS, lambda text: int(text[:10])), (_DAY_NUMBER, _seconds_of_day)):
        for match in pattern.finditer(text):
            seconds = seconds_of(match[0])
            is_known = seconds is not None and any(abs(seconds - date) <= 2 * _DAY for date in build.dates)
            if is_known or _ABOUT_TIME.search(text[max(0, match.start() - 40) : match.start()]):
                yield match.span()


def _seconds_of_day(text: str) -> int | None:
    try:
        day = datetime.datetime(int(text[:4]), int(text[4:6]), int(text[6:8]), tzinfo=datetime.timezone.utc)
    except ValueError:
        return None
    return int(day.timestamp())


# -- from tokens to what differs


def _compared(left: list[_Token], right: list[_Token], is_location: bool, clues: Clues) -> Iterator[Part]:
    keys = [token.key for token in left], [token.key for token in right]
    if keys[0] == keys[1]:
        yield from _paired(left, right, is_location, clues)
    elif _is_reordered(left, right):
        words = (word.strip("\"'[](){},;") for word in re.split(r"[\s,;|]+", "".join(token.text for token in left)))
        yield Reordered(b"", b"", [word for word in words if re.search(r"\w", word)])
    elif max(map(len, keys)) > MOST_TOKENS:
        yield Unexplained()
    else:
        for tag, a, b, c, d in SequenceMatcher(None, *keys).get_opcodes():
            if tag == "equal":
                yield from _paired(left[a:b], right[c:d], is_location, clues)
            else:
                yield _unlike(left[a:b], right[c:d])


def _paired(left: Sequence[_Token], right: Sequence[_Token], is_location: bool, clues: Clues) -> Iterator[Part]:
    for one, other in zip(left, right):
        if one.text != other.text:
            yield from _faced(one, other, is_location, clues)


def _faced(left: _Token, right: _Token, is_location: bool, clues: Clues) -> Iterable[Part]:
    """Return what differs where two tokens of one kind face each other."""
    if isinstance(left.kind, Nature):
        return [Fact(left.kind)]
    if left.kind == _USER_AT_HOST:
        both = zip(left.text.split("@"), right.text.split("@"), (Nature.USER, Nature.HOST))
        return [Fact(nature) for one, other, nature in both if one != other]
    if left.stamp and right.stamp:
        return [Fact(nature) for nature in dates.natures(left.stamp, right.stamp, clues.is_one_zone)]
    seen: Part = Unexplained()
    if left.kind == _PATH:
        one, other = left.text.replace("file://", ""), right.text.replace("file://", "")
        if not places.are_of_the_system(one, other):
            seen = PathPair(one, other, is_location)
    elif left.kind == _DIGEST:
        seen = DigestPair(left.text, right.text)
    elif left.kind.startswith(_DRAWN) and places.are_drawn(left.text, right.text):
        seen = Fact(Nature.TEMPORARY_NAME)
    return [seen]


def _unlike(left: Sequence[_Token], right: Sequence[_Token]) -> Part:
    """Return what tokens say that do not face any of their own kind."""
    if sorted(str(token.kind) for token in (*left, *right)) == _A_PATH_OF_EACH:
        return Fact(Nature.KNOWN_PATH)
    sides = [[token for token in side if token.kind or not token.text.isspace()] for side in (left, right)]
    texts = ["".join(token.text for token in side) for side in sides]
    for side, other in ((sides[0], texts[1]), (sides[1], texts[0])):
        # A version with a commit on one side, one without on the other.
        if [token.kind for token in side] == [Nature.VCS_VERSION] and _VERSION.fullmatch(other):
            return Fact(Nature.VCS_VERSION)
    return Unexplained()


def _is_reordered(left: Sequence[_Token], right: Sequence[_Token]) -> bool:
    """Return whether both are the same elements, separated by one sign or by line ends, in another order.

    Arguments of a call are no such elements, nor are numbers alone: their order has a meaning.
    """
    if Counter(token.text for token in left) != Counter(token.text for token in right):
        return False
    one, other = "".join(token.text for token in left), "".join(token.text for token in right)
    if _CALL.search(one) or not re.search(r"[^\W\d]", one):
        return False
    for sign in ",;|\n":
        elements = _elements(one, sign)
        if len(elements) > 1 and Counter(elements) == Counter(_elements(other, sign)):
            return not all(element.isdigit() for element in elements)
    return False


def _elements(text: str, sign: str) -> list[str]:
    """Return the elements of a list in brackets or behind a name, without what encloses them."""
    inner = re.sub(r"\A[^\[\](){}:=]*[\[({:=\s]+|[\])}]+[^\[\](){}]*\Z", "", text.strip())
    return [element.strip() for element in inner.split(sign) if element.strip()]
