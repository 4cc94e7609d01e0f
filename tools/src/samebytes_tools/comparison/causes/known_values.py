"""What is written of the files of a build, and of numbers, recognized by what is known of both builds."""

from __future__ import annotations

import datetime

from ..model import KnownBuild, KnownBuilds
from ..observations import Nature
from .tokens import Token

__all__ = ["are_encodings", "are_modes", "is_of_files", "nature"]

_DAY = 86400

_BITS = "rwxrwxrwx"
_USUAL_MODES = (0o644, 0o664, 0o666, 0o755, 0o775, 0o777)
"""Of files in a source tree, before the umask takes bits away."""

_ENCODINGS = ("iso8859-1", "iso8859-15")
"""Of locales of one byte a character, as the second build has where there are some."""

_KINDS = frozenset({0, 0o4, 0o10})
"""Nothing, a directory, a regular file: what stands above the twelve bits of a mode (inode(7))."""


def nature(left: str, right: str, builds: KnownBuilds) -> Nature | None:
    """Return what two pieces of text at one place that are of no kind show, by what is known of *builds*, if anything.

    A mode that each umask leaves, the owner of the second build's files, the terminal, or another decimal point.
    """
    if are_modes(left, right, builds):
        return Nature.MEMBER_MODE
    if right and right == builds[1].owner and left.isdigit():
        return Nature.MEMBER_OWNER
    terminals = [(str(build.columns), build.variables.get("TERM")) for build in builds]
    if left != right and any(pair == (left, right) for pair in zip(*terminals)):
        return Nature.TERMINAL
    is_one_locale = builds[0].locale == builds[1].locale or not all(build.locale for build in builds)
    return Nature.LOCALE if sorted((left, right)) == [",", "."] and not is_one_locale else None


def are_encodings(left: bytes, right: bytes, builds: KnownBuilds) -> bool:
    """Return whether both are one text in the encodings that two different locales have."""
    if not all(build.locale for build in builds) or builds[0].locale == builds[1].locale:
        return False
    for one, other in ((left, right), (right, left)):
        try:
            text = one.decode("utf-8")
        except UnicodeDecodeError:
            continue
        if not text.isascii() and any(text.encode(encoding, "replace") == other for encoding in _ENCODINGS):
            return True
    return False


def are_modes(left: str, right: str, builds: KnownBuilds) -> bool:
    """Return whether two texts are modes, in numbers or as of ls(1), that the umasks of both builds leave of one."""
    one, other = builds[0].umask, builds[1].umask
    if one is None or other is None or one == other:
        return False
    usual = {(mode & ~one, mode & ~other) for mode in _USUAL_MODES}
    for base in (8, 10):
        pair = _mode(left, base), _mode(right, base)
        if None in pair:
            continue
        modes = [mode or 0 for mode in pair]
        bits, kinds = tuple(mode & 0o777 for mode in modes), {mode >> 12 for mode in modes}
        if bits in usual and bits[0] != bits[1] and len(kinds) == 1 and kinds <= _KINDS:
            return True
    return False


def _mode(text: str, base: int) -> int | None:
    if len(text) == 1 + len(_BITS) and not text.isalnum():
        return sum(1 << (8 - at) for at, (sign, bit) in enumerate(zip(text[1:], _BITS)) if sign in (bit, "s", "t"))
    digits = text.lower().replace("0o", "", 1)
    # int() takes signs, underscores and other scripts' digits as well.
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 7):
        return None
    return None if base == 8 and set(digits) & set("89") else int(digits, base)


def is_of_files(token: Token, build: KnownBuild) -> bool:
    """Return whether *token* is of the time that only the files of *build* are of."""
    first, last = build.file_dates
    if not last:
        return False
    if token.stamp is not None and len(token.stamp.parts) > 3:
        return token.stamp.moment is not None and first - _DAY <= _seconds(token.stamp.moment) <= last + _DAY
    if token.stamp is not None and token.stamp.parts[0] > 31:  # else it is a time of day
        return first - _DAY <= _seconds(datetime.datetime(*token.stamp.parts)) <= last + _DAY  # type: ignore[arg-type]
    return token.kind is Nature.MOMENT and token.text[:10].isdigit() and first <= int(token.text[:10]) <= last


def _seconds(moment: datetime.datetime) -> float:
    return moment.replace(tzinfo=datetime.timezone.utc).timestamp()
