"""All packages as one script, compact: pages that are opened from a disk cannot fetch JSON.

It is ASCII, a call with one JSON document. Texts that many rows have are told by their places in lists.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from samebytes.console.style import harmless

from . import addresses
from .listing import Row
from .results import STANDINGS
from .texts import day

_PURE = {None: 0, True: 1, False: 2}


def data_script(rows: Sequence[Row]) -> str:
    """Return the script that hands all *rows* over."""
    backends = sorted({row.backend for row in rows})
    labels = sorted({row.label for row in rows})
    codes = sorted({code for row in rows for code in row.causes})
    head = _json(
        {
            "schema_version": 1,
            "backends": [harmless(backend) for backend in backends],
            "labels": [harmless(label) for label in labels],
            "causes": [[harmless(code), addresses.cause_stem(code)] for code in codes],
            "standings": [standing.key for standing in STANDINGS],
        }
    )
    places = _Places(_places(backends), _places(labels), _places(codes))
    lines = ",\n".join(_json(places.row(row)) for row in rows)
    return f'samebytesSurvey({head[:-1]},"rows":[\n{lines}\n]}});\n'


class _Places:
    """Where each text stands in its list."""

    def __init__(self, backends: dict[str, int], labels: dict[str, int], codes: dict[str, int]) -> None:
        self._backends, self._labels, self._codes = backends, labels, codes

    def row(self, row: Row) -> list[Any]:
        """Return *row* as site.js reads it."""
        stem = addresses.stem(row.name)
        return [
            harmless(row.name),
            0 if stem == row.name else stem,
            harmless(row.version),
            row.rank,
            self._backends[row.backend],
            _PURE[row.is_pure],
            "".join(outcome.letter for outcome in row.ways),
            STANDINGS.index(row.standing),
            self._labels[row.label],
            [self._codes[code] for code in row.causes],
            day(row.started),
        ]


def _places(texts: Sequence[str]) -> dict[str, int]:
    return {text: at for at, text in enumerate(texts)}


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=True)
