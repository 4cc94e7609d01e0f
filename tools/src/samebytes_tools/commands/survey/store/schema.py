"""The tables of a survey's store, as the steps that lead from each version of them to the next.

A step is never changed once it was released: what has to change is another step. They keep to what SQLite 3.31 has.
"""

from __future__ import annotations

APPLICATION = 0x53425359
"""``PRAGMA application_id`` ("SBSY"), by which ``file`` and we know a store."""

_TABLES = (
    # Texts of which there are few, each once: ways, kinds, states, verdicts, backends, lists of variations.
    """CREATE TABLE word (
        key INTEGER PRIMARY KEY,
        text TEXT NOT NULL UNIQUE
    )""",
    """CREATE TABLE run (
        key INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        started INTEGER NOT NULL,
        ended INTEGER,
        tool TEXT NOT NULL,
        canonical_form INTEGER NOT NULL,
        machine TEXT NOT NULL
    )""",
    """CREATE TABLE package (
        key INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE
    )""",
    # What a run has yet to examine; whoever examines a package holds it until a time, and puts that off.
    """CREATE TABLE queue (
        run INTEGER NOT NULL REFERENCES run (key),
        place INTEGER NOT NULL,
        package INTEGER NOT NULL REFERENCES package (key),
        asked TEXT NOT NULL,
        rank INTEGER,
        runner TEXT,
        held_until REAL NOT NULL DEFAULT 0,
        attempts INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (run, place),
        UNIQUE (run, package, asked)
    ) WITHOUT ROWID""",
    """CREATE TABLE examination (
        key INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES run (key),
        package INTEGER NOT NULL REFERENCES package (key),
        asked TEXT NOT NULL,
        rank INTEGER,
        version TEXT NOT NULL,
        state INTEGER NOT NULL REFERENCES word (key),
        started INTEGER NOT NULL,
        seconds REAL NOT NULL,
        memory INTEGER,
        reason TEXT NOT NULL,
        file TEXT,
        sha256 TEXT,
        size INTEGER,
        uploaded TEXT,
        yanked INTEGER,
        backend INTEGER NOT NULL REFERENCES word (key),
        backend_version INTEGER NOT NULL REFERENCES word (key),
        is_pure INTEGER,
        varied INTEGER NOT NULL REFERENCES word (key),
        not_varied INTEGER NOT NULL REFERENCES word (key),
        notes TEXT NOT NULL,
        UNIQUE (run, package, asked)
    )""",
    "CREATE INDEX examination_of_package ON examination (package, started, key)",
    """CREATE TABLE log (
        examination INTEGER PRIMARY KEY REFERENCES examination (key),
        compressed BLOB NOT NULL
    )""",
    """CREATE TABLE requirement (
        key INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        version TEXT NOT NULL,
        sha256 TEXT NOT NULL,
        UNIQUE (name, version, sha256)
    )""",
    """CREATE TABLE built_with (
        examination INTEGER NOT NULL REFERENCES examination (key),
        place INTEGER NOT NULL,
        requirement INTEGER NOT NULL REFERENCES requirement (key),
        PRIMARY KEY (examination, place)
    ) WITHOUT ROWID""",
    # first and second are SHA-256 as 32 bytes; second is NULL where it is the first.
    """CREATE TABLE artifact (
        examination INTEGER NOT NULL REFERENCES examination (key),
        place INTEGER NOT NULL,
        way INTEGER NOT NULL REFERENCES word (key),
        kind INTEGER NOT NULL REFERENCES word (key),
        state INTEGER NOT NULL REFERENCES word (key),
        verdict INTEGER NOT NULL REFERENCES word (key),
        reason TEXT NOT NULL,
        file INTEGER NOT NULL REFERENCES word (key),
        size INTEGER NOT NULL,
        first BLOB NOT NULL,
        second BLOB,
        PRIMARY KEY (examination, place)
    ) WITHOUT ROWID""",
    """CREATE TABLE cause (
        examination INTEGER NOT NULL,
        artifact INTEGER NOT NULL,
        place INTEGER NOT NULL,
        code TEXT NOT NULL,
        number INTEGER NOT NULL,
        member TEXT NOT NULL,
        spot TEXT NOT NULL,
        "left" TEXT NOT NULL,
        "right" TEXT NOT NULL,
        PRIMARY KEY (examination, artifact, place),
        FOREIGN KEY (examination, artifact) REFERENCES artifact (examination, place)
    ) WITHOUT ROWID""",
    "CREATE INDEX cause_of_code ON cause (code, examination)",
)

_VIEWS = (
    # For people with a SQL shell: what became of each artifact, in words.
    """CREATE VIEW outcome AS
        SELECT p.name AS package, e.version, r.id AS run, r.tool, e.started, b.text AS backend, e.is_pure,
            w.text AS way, k.text AS kind, s.text AS state, v.text AS verdict, a.reason, f.text AS file, a.size,
            e.key = (
                SELECT x.key FROM examination x WHERE x.package = e.package ORDER BY x.started DESC, x.key DESC LIMIT 1
            ) AS is_newest
        FROM artifact a
        JOIN examination e ON e.key = a.examination
        JOIN package p ON p.key = e.package
        JOIN run r ON r.key = e.run
        JOIN word b ON b.key = e.backend
        JOIN word w ON w.key = a.way
        JOIN word k ON k.key = a.kind
        JOIN word s ON s.key = a.state
        JOIN word v ON v.key = a.verdict
        JOIN word f ON f.key = a.file""",
)

_REBUILDS = (
    # The runs of before did all that there was.
    "ALTER TABLE run ADD COLUMN builds INTEGER NOT NULL DEFAULT 1",
    "ALTER TABLE run ADD COLUMN verifies INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE run ADD COLUMN operator TEXT NOT NULL DEFAULT ''",
    # first and second are SHA-256 as 32 bytes, of what was published and of what was built, or empty; record is JSON,
    # compressed, or NULL.
    """CREATE TABLE rebuild (
        examination INTEGER NOT NULL REFERENCES examination (key),
        place INTEGER NOT NULL,
        kind INTEGER NOT NULL REFERENCES word (key),
        file TEXT NOT NULL,
        state INTEGER NOT NULL REFERENCES word (key),
        first BLOB NOT NULL,
        second BLOB NOT NULL,
        size INTEGER NOT NULL,
        uploaded TEXT NOT NULL,
        reason TEXT NOT NULL,
        seconds REAL NOT NULL,
        record BLOB,
        notes TEXT NOT NULL,
        PRIMARY KEY (examination, place)
    ) WITHOUT ROWID""",
    """CREATE TABLE rebuild_cause (
        examination INTEGER NOT NULL,
        rebuild INTEGER NOT NULL,
        place INTEGER NOT NULL,
        code TEXT NOT NULL,
        number INTEGER NOT NULL,
        member TEXT NOT NULL,
        spot TEXT NOT NULL,
        "left" TEXT NOT NULL,
        "right" TEXT NOT NULL,
        PRIMARY KEY (examination, rebuild, place),
        FOREIGN KEY (examination, rebuild) REFERENCES rebuild (examination, place)
    ) WITHOUT ROWID""",
    "DROP VIEW outcome",
    # As before, but for is_newest: a run that builds nothing twice hides nothing of one that does.
    """CREATE VIEW outcome AS
        SELECT p.name AS package, e.version, r.id AS run, r.tool, e.started, b.text AS backend, e.is_pure,
            w.text AS way, k.text AS kind, s.text AS state, v.text AS verdict, a.reason, f.text AS file, a.size,
            e.key = (
                SELECT x.key FROM examination x JOIN run y ON y.key = x.run
                WHERE x.package = e.package AND y.builds ORDER BY x.started DESC, x.key DESC LIMIT 1
            ) AS is_newest
        FROM artifact a
        JOIN examination e ON e.key = a.examination
        JOIN package p ON p.key = e.package
        JOIN run r ON r.key = e.run
        JOIN word b ON b.key = e.backend
        JOIN word w ON w.key = a.way
        JOIN word k ON k.key = a.kind
        JOIN word s ON s.key = a.state
        JOIN word v ON v.key = a.verdict
        JOIN word f ON f.key = a.file""",
    """CREATE VIEW rebuilt AS
        SELECT p.name AS package, e.version, r.id AS run, r.tool, r.operator, e.started, k.text AS kind, t.file,
            s.text AS state, t.reason, t.size, t.uploaded,
            e.key = (
                SELECT x.key FROM examination x JOIN run y ON y.key = x.run
                WHERE x.package = e.package AND y.verifies ORDER BY x.started DESC, x.key DESC LIMIT 1
            ) AS is_newest
        FROM rebuild t
        JOIN examination e ON e.key = t.examination
        JOIN package p ON p.key = e.package
        JOIN run r ON r.key = e.run
        JOIN word k ON k.key = t.kind
        JOIN word s ON s.key = t.state""",
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (_TABLES, _VIEWS, _REBUILDS)
"""The statements that lead to version 1, 2, and so on: ``PRAGMA user_version`` counts those that were done."""
