"""Examinations as rows of the store, and back."""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from ..model import Artifact, CauseHit, Examination, Rebuild, Requirement, Sdist, State

_EXAMINATION = """
    SELECT e.key, p.name, e.version, s.text AS state, e.started, e.seconds, e.reason, l.compressed, e.memory, e.rank,
        e.file, e.sha256, e.size, e.uploaded, e.yanked, b.text AS backend, v.text AS backend_version, e.is_pure,
        w.text AS varied, n.text AS not_varied, e.notes, r.id AS run, e.asked
    FROM examination e
    JOIN package p ON p.key = e.package
    JOIN run r ON r.key = e.run
    JOIN word s ON s.key = e.state
    JOIN word b ON b.key = e.backend
    JOIN word v ON v.key = e.backend_version
    JOIN word w ON w.key = e.varied
    JOIN word n ON n.key = e.not_varied
    LEFT JOIN log l ON l.examination = e.key AND ?
"""

_ARTIFACTS = """
    SELECT a.place, w.text, k.text, s.text, v.text, a.reason, f.text, a.size, a.first, a.second
    FROM artifact a
    JOIN word w ON w.key = a.way
    JOIN word k ON k.key = a.kind
    JOIN word s ON s.key = a.state
    JOIN word v ON v.key = a.verdict
    JOIN word f ON f.key = a.file
    WHERE a.examination = ? ORDER BY a.place
"""

# Quoted, as LEFT and RIGHT are keywords of SQL.
_CAUSES = """
    SELECT artifact, code, number, member, spot, "left", "right" FROM cause
    WHERE examination = ? ORDER BY artifact, place
"""

_REBUILDS = """
    SELECT t.place, k.text, t.file, s.text, t.first, t.second, t.size, t.uploaded, t.reason, t.seconds,
        t.record, t.notes
    FROM rebuild t JOIN word k ON k.key = t.kind JOIN word s ON s.key = t.state
    WHERE t.examination = ? ORDER BY t.place
"""

_REBUILD_CAUSES = """
    SELECT rebuild, code, number, member, spot, "left", "right" FROM rebuild_cause
    WHERE examination = ? ORDER BY rebuild, place
"""

_REQUIREMENTS = """
    SELECT q.name, q.version, q.sha256 FROM built_with b JOIN requirement q ON q.key = b.requirement
    WHERE b.examination = ? ORDER BY b.place
"""


class Words:
    """The keys of texts that are stored once, remembered for a transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._known: dict[str, int] = {}

    def __call__(self, text: str) -> int:
        """Return the key of *text*, which gets one if it has none."""
        if text not in self._known:
            self._known[text] = key_of(self._connection, "word", text=text)
        return self._known[text]


def writable(value: Any) -> Any:
    """Return *value*; if it is text, with what UTF-8 cannot hold escaped: names and output may be in no encoding."""
    return value.encode("utf-8", "backslashreplace").decode("utf-8") if isinstance(value, str) else value


def key_of(connection: sqlite3.Connection, table: str, **columns: str) -> int:
    """Return the key of the row of *table* that has these *columns*; it is made if there is none."""
    values = [writable(value) for value in columns.values()]
    where = " AND ".join(f"{name} = ?" for name in columns)
    for _ in range(2):
        row = connection.execute(f"SELECT key FROM {table} WHERE {where}", values).fetchone()
        if row is not None:
            return int(row[0])
        # Names of tables and columns are ours; only values come from outside.
        marks = ", ".join("?" * len(values))
        connection.execute(f"INSERT OR IGNORE INTO {table} ({', '.join(columns)}) VALUES ({marks})", values)
    raise AssertionError(f"a row of {table} was made and is not there")


def insert(connection: sqlite3.Connection, run: int, one: Examination) -> None:
    """Put *one* into the run that has the key *run*; it must not be there yet."""
    words = Words(connection)
    sdist = one.sdist
    found = (sdist.file, sdist.sha256, sdist.size, sdist.uploaded, sdist.yanked) if sdist else (None,) * 5
    notes = [writable(note) for note in one.notes]
    cursor = connection.execute(
        f"INSERT INTO examination VALUES (NULL{', ?' * 21})",
        (
            *(run, key_of(connection, "package", name=one.name), writable(one.asked), one.rank, writable(one.version)),
            *(words(one.state.value), one.started, one.seconds, one.memory, writable(one.reason)),
            *map(writable, found),
            *(words(one.backend), words(one.backend_version), one.is_pure),
            *(words(json.dumps(one.varied)), words(json.dumps(dict(one.not_varied), sort_keys=True))),
            json.dumps(notes, ensure_ascii=False),
        ),
    )
    key = int(cursor.lastrowid or 0)
    if one.log:
        _insert_log(connection, key, one.log)
    for place, each in enumerate(one.requirements):
        requirement = key_of(connection, "requirement", name=each.name, version=each.version, sha256=each.sha256)
        connection.execute("INSERT INTO built_with VALUES (?, ?, ?)", (key, place, requirement))
    _insert_artifacts(connection, words, key, one.artifacts)
    _insert_rebuilds(connection, words, key, one.rebuilds)


def insert_log(connection: sqlite3.Connection, one: Examination, log: str) -> None:
    """Put *log* to *one*, which is there and has none."""
    query = """
        SELECT e.key FROM examination e JOIN run r ON r.key = e.run JOIN package p ON p.key = e.package
        WHERE r.id = ? AND p.name = ? AND e.asked = ?
    """
    (key,) = connection.execute(query, (one.run, one.name, one.asked)).fetchone()
    _insert_log(connection, key, log)


def _insert_log(connection: sqlite3.Connection, key: int, log: str) -> None:
    connection.execute("INSERT INTO log VALUES (?, ?)", (key, zlib.compress(writable(log).encode(), 9)))


def _insert_artifacts(connection: sqlite3.Connection, words: Words, key: int, artifacts: Iterable[Artifact]) -> None:
    for place, one in enumerate(artifacts):
        first, second = map(_packed, one.sha256)
        connection.execute(
            "INSERT INTO artifact VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(key, place, words(one.way), words(one.kind), words(one.state), words(one.verdict)),
                *(writable(one.reason), words(one.file), one.size, first, None if first == second else second),
            ),
        )
        connection.executemany(
            "INSERT INTO cause VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            # In the order of the fields, which is that of the columns.
            [(key, place, number, *map(writable, vars(hit).values())) for number, hit in enumerate(one.causes)],
        )


def _insert_rebuilds(connection: sqlite3.Connection, words: Words, key: int, rebuilds: Iterable[Rebuild]) -> None:
    for place, one in enumerate(rebuilds):
        # Escaped to ASCII, so that whatever a text in it is can be kept.
        record = zlib.compress(json.dumps(dict(one.record)).encode("ascii"), 9) if one.record else None
        notes = json.dumps([writable(note) for note in one.notes], ensure_ascii=False)
        connection.execute(
            "INSERT INTO rebuild VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(key, place, words(one.kind), writable(one.file), words(one.state)),
                *(_packed(one.sha256), _packed(one.rebuilt), one.size, writable(one.uploaded)),
                *(writable(one.reason), one.seconds, record, notes),
            ),
        )
        connection.executemany(
            "INSERT INTO rebuild_cause VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(key, place, number, *map(writable, vars(hit).values())) for number, hit in enumerate(one.causes)],
        )


def _packed(digest: str) -> bytes | str:
    """Return *digest* in half its size, if it is one."""
    try:
        return bytes.fromhex(digest)
    except ValueError:
        return str(writable(digest))


def load(connection: sqlite3.Connection, rest: str, *values: Any, logs: bool = True) -> Iterator[Examination]:
    """Yield the examinations that the *rest* of a query (its WHERE and ORDER BY) names, with all that belongs to them.

    :param logs: without, they are not read, and empty.
    """
    # A cursor of its own: row_factory of the connection is for everybody.
    cursor = connection.cursor()
    cursor.row_factory = sqlite3.Row
    for row in cursor.execute(_EXAMINATION + rest, (logs, *values)):
        yield _examination(connection, row)


def _examination(connection: sqlite3.Connection, row: sqlite3.Row) -> Examination:
    key, log, is_pure = row["key"], row["compressed"], row["is_pure"]
    sdist = (row["file"], row["sha256"], row["size"], row["uploaded"], bool(row["yanked"]))
    same = ("name", "version", "started", "seconds", "reason", "memory", "rank")
    return Examination(
        **{name: row[name] for name in (*same, "backend", "backend_version", "run", "asked")},
        state=State(row["state"]),
        log="" if log is None else zlib.decompress(log).decode(),
        sdist=None if row["file"] is None else Sdist(*sdist),
        is_pure=None if is_pure is None else bool(is_pure),
        requirements=tuple(Requirement(*one) for one in connection.execute(_REQUIREMENTS, (key,))),
        artifacts=_artifacts(connection, key),
        rebuilds=_rebuilds(connection, key),
        varied=tuple(json.loads(row["varied"])),
        not_varied=json.loads(row["not_varied"]),
        notes=tuple(json.loads(row["notes"])),
    )


def _artifacts(connection: sqlite3.Connection, key: int) -> tuple[Artifact, ...]:
    rows = connection.execute(_CAUSES, (key,)).fetchall()
    causes = {place: tuple(CauseHit(*row[1:]) for row in group) for place, group in groupby(rows, lambda row: row[0])}
    found = []
    for place, way, kind, state, verdict, reason, file, size, first, second in connection.execute(_ARTIFACTS, (key,)):
        one, other = map(_unpacked, (first, first if second is None else second))
        found.append(Artifact(way, kind, state, verdict, reason, file, size, (one, other), causes.get(place, ())))
    return tuple(found)


def _rebuilds(connection: sqlite3.Connection, key: int) -> tuple[Rebuild, ...]:
    rows = connection.execute(_REBUILD_CAUSES, (key,)).fetchall()
    causes = {place: tuple(CauseHit(*row[1:]) for row in group) for place, group in groupby(rows, lambda row: row[0])}
    return tuple(
        Rebuild(
            *(kind, file, state, _unpacked(first), _unpacked(second), size, uploaded, reason, seconds),
            record={} if record is None else json.loads(zlib.decompress(record)),
            notes=tuple(json.loads(notes)),
            causes=causes.get(place, ()),
        )
        for place, kind, file, state, first, second, size, uploaded, reason, seconds, record, notes in (
            connection.execute(_REBUILDS, (key,))
        )
    )


def _unpacked(digest: bytes | str) -> str:
    return digest if isinstance(digest, str) else digest.hex()
