"""What differs in two pieces of text at one place.

Where tokens of one kind face each other and are not the same text, that is a part of the difference; all else stays
unexplained.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher

from ..excerpts import narrowed
from ..observations import (
    DigestPair,
    FieldValues,
    JsonValue,
    Libraries,
    LoneLine,
    LoneLines,
    MemberTime,
    Nature,
    OfNature,
    Part,
    PathPair,
    Reordered,
    SearchPaths,
    TextPair,
    Unexplained,
)
from . import dates, known_values, places
from .cause import CauseClues
from .tokens import DIGEST, DRAWN, MODE, PATH, USER_AT_HOST, Token, tokens

__all__ = ["parts"]

# SequenceMatcher takes quadratic time at worst.
MOST_TOKENS = 2000
"""How many tokens of each side are aligned; longer pieces are only taken apart where they match throughout."""

LONGEST = 8 << 10
"""How many bytes of a piece are taken apart; of a longer one only what differs, and what is around it."""

_AROUND = 200

_VERSION = re.compile(r"(?<![\w.])v?\d+(?:\.\d+)+(?:(?:a|b|rc)\d+)?(?:\.?post\d+)?(?:\.dev\d+)?(?![\w+])")

_QUOTES = ("'", '"')

_CALL = re.compile(r"(?<!\w)(?!(?:frozen)?set\(|sorted\(|list\(|tuple\()\w+\(")
"""A call of anything but what makes a collection: the order of its arguments has a meaning."""


def parts(seen: Part, clues: CauseClues) -> Iterable[Part]:
    """Return what *seen* consists of, where no cause is shown by the whole; at least something unexplained."""
    if isinstance(seen, TextPair):
        return _of_texts(seen, clues)
    if isinstance(seen, LoneLines):
        return [LoneLine(line.strip(b" \t\r\n\"',"), seen.name) for line in (seen.left or seen.right).splitlines()]
    text = _as_text(seen)
    return [Unexplained() if text is None else text]


def _as_text(seen: Part) -> TextPair | None:
    """Return the values of *seen* as texts, or None if they are not texts."""
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
        # Not with a sign that separates elements: which library is looked in first has a meaning.
        left, right = (" ".join(names).encode() for names in seen.names)
        return TextPair(left, right)
    return None


def _of_texts(pair: TextPair, clues: CauseClues) -> Iterable[Part]:
    left, right = pair.left, pair.right
    if left == right:
        return []
    # Before tokens, among which the two line ends would just be unlike blanks.
    if left.replace(b"\r\n", b"\n") == right.replace(b"\r\n", b"\n"):
        return [OfNature(Nature.LINE_ENDS)]
    if known_values.are_encodings(left, right, clues.builds):
        return [OfNature(Nature.LOCALE)]
    if max(len(left), len(right)) > LONGEST:
        left, right = narrowed(left, right, _AROUND)
        if max(len(left), len(right)) > LONGEST:
            return [Unexplained()]
    sides = zip((left, right), clues.builds, reversed(clues.builds))
    one, other = (tokens(piece.decode("utf-8", "surrogateescape"), *known) for piece, *known in sides)
    # Bytes that are not text may decode to the same tokens; they differ all the same.
    return list(_compared(one, other, pair.is_location, clues)) or [Unexplained()]


def _compared(left: list[Token], right: list[Token], is_location: bool, clues: CauseClues) -> Iterator[Part]:
    keys = [token.key for token in left], [token.key for token in right]
    # The usual case, of any length: no alignment is needed.
    if keys[0] == keys[1]:
        runs: Sequence[tuple[str, int, int, int, int]] = [("equal", 0, len(left), 0, len(right))]
    elif _is_reordered(left, right):
        yield Reordered(b"", b"", _words(left), _words(right))
        return
    elif max(map(len, keys)) > MOST_TOKENS:
        yield Unexplained()
        return
    else:
        runs = SequenceMatcher(None, *keys).get_opcodes()
    for tag, a, b, c, d in runs:
        if tag != "equal":
            # A word that is the name of one side's user or host may stand on both sides.
            if [token.text for token in left[a:b]] != [token.text for token in right[c:d]]:
                yield _unlike(left[a:b], right[c:d], clues)
            continue
        for one, other in zip(left[a:b], right[c:d]):
            if one.text != other.text:
                yield from _faced(one, other, is_location, clues)


def _words(side: Sequence[Token]) -> list[str]:
    """Return what is in a list, without what encloses it, to be found among the names of members."""
    text = "".join(token.text for token in side)
    # Behind a name, as in MODULES = [...], which is no element.
    inner = re.sub(r"\A[^\[\](){}:=]*[:=]\s*(?=[\[({])", "", text)
    words = (word.strip("\"'[](){},;") for word in re.split(r"[\s,;|]+", inner))
    return [word for word in words if re.search(r"\w", word)]


def _faced(left: Token, right: Token, is_location: bool, clues: CauseClues) -> Iterable[Part]:
    """Return what differs where two tokens of one kind face each other."""
    if known_values.is_of_files(left, clues.builds[0]) or known_values.is_of_files(right, clues.builds[1]):
        return [MemberTime(b"", b"")]
    if isinstance(left.kind, Nature):
        return [OfNature(left.kind)]
    if left.kind == USER_AT_HOST:
        both = zip(left.text.split("@"), right.text.split("@"), (Nature.USER, Nature.HOST))
        return [OfNature(nature) for one, other, nature in both if one != other]
    if left.stamp and right.stamp:
        return [OfNature(nature) for nature in dates.natures(left.stamp, right.stamp, clues.is_one_zone)]
    # Also two UUIDs, whose origin nothing here shows.
    seen: Part = Unexplained()
    if left.kind == PATH:
        # direct_url.json and some tools write paths as URLs.
        one, other = left.text.replace("file://", ""), right.text.replace("file://", "")
        is_shown = not (places.are_of_versions(one, other) or places.are_of_the_system(one, other))
        if is_shown or places.are_of_compilers(one, other):
            seen = PathPair(one, other, is_location)
    elif left.kind == MODE and known_values.are_modes(left.text, right.text, clues.builds):
        seen = OfNature(Nature.MEMBER_MODE)
    elif left.kind == DIGEST:
        seen = DigestPair(left.text, right.text)
    elif left.kind.startswith(DRAWN) and places.are_drawn(left.text, right.text):
        seen = OfNature(Nature.TEMPORARY_NAME)
    return [seen]


def _unlike(left: Sequence[Token], right: Sequence[Token], clues: CauseClues) -> Part:
    """Return what tokens say that do not face any of their own kind."""
    kinds = [token.kind for token in (*left, *right)]
    if len(kinds) == 2 and set(kinds) == {Nature.KNOWN_PATH, Nature.KNOWN_TEMPORARY_PATH}:
        return OfNature(Nature.KNOWN_PATH)
    sides = [[token for token in side if token.kind or not token.text.isspace()] for side in (left, right)]
    texts = ["".join(token.text for token in side) for side in sides]
    nature = known_values.nature(texts[0], texts[1], clues.builds)
    if nature is not None:
        return OfNature(nature)
    for side, other, build in ((sides[0], texts[1], clues.builds[0]), (sides[1], texts[0], clues.builds[1])):
        kinds = [token.kind for token in side if token.text not in _QUOTES]
        # A version with a commit on one side, one without on the other; or a commit, and none.
        if kinds == [Nature.VCS_VERSION] and (_VERSION.fullmatch(other) or other.strip("\"'") in ("None", "")):
            return OfNature(Nature.VCS_VERSION)
        # Whatever stands instead of it: "unknown", or a number.
        if kinds == [Nature.VCS_VERSION] and build.commit and build.commit[:7] in side[0].text + side[-1].text:
            return OfNature(Nature.VCS_VERSION)
    return Unexplained()


def _is_reordered(left: Sequence[Token], right: Sequence[Token]) -> bool:
    """Return whether both are the same elements, separated by one sign or by line ends, in another order.

    Arguments of a call are no such elements, nor are numbers alone: their order has a meaning.
    """
    if Counter(token.text for token in left) != Counter(token.text for token in right):
        return False
    one, other = "".join(token.text for token in left), "".join(token.text for token in right)
    # One is enough: both have the same tokens.
    if _CALL.search(one) or not re.search(r"[^\W\d]", one):
        return False
    for sign in ",;|\n":
        elements = _elements(one, sign)
        if len(elements) > 1 and Counter(elements) == Counter(_elements(other, sign)):
            # Reordered numbers are values: a version, a shape, a size.
            return not all(element.isdigit() for element in elements)
    return False


def _elements(text: str, sign: str) -> list[str]:
    """Return the elements of a list in brackets or behind a name, without what encloses them."""
    inner = re.sub(r"\A[^\[\](){}:=]*[\[({:=][\[({:=\s]*|[\])}]+[^\[\](){}]*\Z", "", text.strip())
    return [element.strip() for element in inner.split(sign) if element.strip()]
