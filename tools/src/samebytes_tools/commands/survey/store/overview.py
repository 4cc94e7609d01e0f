"""What a store has to say of all packages at once: the newest of each, counts, and where a cause was found."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping

from ..model import DIFFERS, NOT_BUILT, SAME, WHOLE, CauseHit, Count, Headline, Hit, RebuildCount, State, Summary
from .database import Database

# The key decides between two of one second.
_NEWEST = """
    e.key = (
        SELECT x.key FROM examination x JOIN run y ON y.key = x.run
        WHERE x.package = e.package AND y.{} ORDER BY x.started DESC, x.key DESC LIMIT 1
    )
"""
_BUILT = _NEWEST.format("builds")
_VERIFIED = _NEWEST.format("verifies")

# Else the newest by which published files were rebuilt, and nothing was built twice.
_EITHER = """
    e.key = (
        SELECT x.key FROM examination x JOIN run y ON y.key = x.run
        WHERE x.package = e.package ORDER BY y.builds DESC, x.started DESC, x.key DESC LIMIT 1
    )
"""

_SUMMARIES = f"""
    SELECT e.key, p.name, e.version, e.rank, s.text, b.text, e.is_pure, e.started, r.id
    FROM package p
    JOIN examination e ON e.package = p.key AND {_EITHER}
    JOIN run r ON r.key = e.run
    JOIN word s ON s.key = e.state
    JOIN word b ON b.key = e.backend
    ORDER BY p.name
"""

_STATES = f"""
    SELECT s.text, count(*) FROM examination e JOIN word s ON s.key = e.state WHERE {_BUILT} GROUP BY s.text
"""

_OUTCOMES = """
    SELECT way, kind, state, verdict FROM artifact WHERE examination = ? ORDER BY place
"""

_CODES = "SELECT DISTINCT code FROM cause WHERE examination = ? ORDER BY code"

_HITS = f"""
    SELECT p.name, e.version, w.text, k.text, c.code, c.number, c.member, c.spot, c."left", c."right"
    FROM cause c
    JOIN examination e ON e.key = c.examination AND {_BUILT}
    JOIN package p ON p.key = e.package
    JOIN artifact a ON a.examination = c.examination AND a.place = c.artifact
    JOIN word w ON w.key = a.way
    JOIN word k ON k.key = a.kind
    WHERE c.code = ? ORDER BY p.name, a.place, c.place
"""

_REBUILDS = """
    SELECT {run} AS run, k.text, s.text, count(*)
    FROM rebuild t
    JOIN examination e ON e.key = t.examination JOIN run r ON r.key = e.run
    JOIN word k ON k.key = t.kind JOIN word s ON s.key = t.state
    WHERE {scope} GROUP BY run, k.text, s.text ORDER BY run, k.text, s.text
"""

# SQL has no order of states, so that they are numbered for max().
_BY_RANK = (SAME, DIFFERS, NOT_BUILT)
"""States from the best to the worst: the worst of a package's artifacts is the package's."""


class Overview(Database):
    """What is read of all packages."""

    def newest(self) -> Iterator[Summary]:
        """Give the newest examination of each package, by name."""
        with self._reading() as connection:
            words = _words_of_outcomes(connection)
            for key, name, version, rank, state, backend, is_pure, started, run in connection.execute(_SUMMARIES):
                codes = tuple(code for (code,) in connection.execute(_CODES, (key,)))
                outcomes = _outcomes(connection, key, words)
                pure = None if is_pure is None else bool(is_pure)
                yield Summary(name, version, rank, State(state), backend, pure, started, run, outcomes, codes)

    def headline(self) -> Headline:
        """Return the numbers of all packages' newest examinations, and of each run."""
        with self._reading() as connection:
            states = {State(text): number for text, number in connection.execute(_STATES)}
            counts = [*_counts(connection, "''", _BUILT), *_counts(connection, "r.id", "1")]
            rebuilds = [
                RebuildCount(*row)
                for run, scope in (("''", _VERIFIED), ("r.id", "1"))
                for row in connection.execute(_REBUILDS.format(run=run, scope=scope))
            ]
            return Headline(sum(states.values()), states, tuple(counts), tuple(rebuilds))

    def hit_by(self, code: str) -> Iterator[Hit]:
        """Give where the newest examinations found the cause *code*, by name of the package."""
        with self._reading() as connection:
            for name, version, way, kind, *rest in connection.execute(_HITS, (code,)):
                yield Hit(name, version, way, kind, CauseHit(*rest))


def _outcomes(connection: sqlite3.Connection, key: int, words: Mapping[int, str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for way, kind, state, verdict in connection.execute(_OUTCOMES, (key,)):
        text = words[verdict] or DIFFERS if words[state] == DIFFERS else words[state]
        found.setdefault(words[way], {})[words[kind]] = text
    return found


def _words_of_outcomes(connection: sqlite3.Connection) -> dict[int, str]:
    """Return the few texts that outcomes consist of, by their keys, for joining them would take most of the time."""
    columns = " UNION ".join(f"SELECT {name} FROM artifact" for name in ("way", "kind", "state", "verdict"))
    return dict(connection.execute(f"SELECT key, text FROM word WHERE key IN ({columns})"))


def _counts(connection: sqlite3.Connection, run: str, scope: str) -> Iterator[Count]:
    """Count artifacts, and whole packages; *run* is an expression for what is counted apart, *scope* a condition."""
    ranks = f"CASE s.text WHEN '{NOT_BUILT}' THEN 2 WHEN '{DIFFERS}' THEN 1 ELSE 0 END"
    each = f"""
        SELECT {run} AS run, a.way, a.kind, e.key, e.backend, e.is_pure, {ranks} AS rank
        FROM examination e JOIN run r ON r.key = e.run
        JOIN artifact a ON a.examination = e.key JOIN word s ON s.key = a.state WHERE {scope}
    """
    # Grouped by way, too: one package may be the same in one way and differ in another.
    whole = f"""
        SELECT run, way, NULL AS kind, backend, is_pure, max(rank) AS rank FROM ({each}) GROUP BY key, way
    """
    for source in (each, whole):
        counted = f"""
            SELECT run, way, kind, backend, is_pure, rank, count(*) AS number FROM ({source})
            GROUP BY run, way, kind, backend, is_pure, rank
        """
        query = f"""
            SELECT t.run, w.text, k.text, b.text, t.is_pure, t.rank, t.number FROM ({counted}) t
            JOIN word w ON w.key = t.way LEFT JOIN word k ON k.key = t.kind JOIN word b ON b.key = t.backend
            ORDER BY t.run, w.text, k.text, b.text, t.is_pure, t.rank
        """
        for one, way, kind, backend, is_pure, rank, number in connection.execute(query):
            pure = None if is_pure is None else bool(is_pure)
            yield Count(one, way, kind or WHOLE, backend, pure, _BY_RANK[rank], number)
