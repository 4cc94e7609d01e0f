"""The other locale is really another one, as far as one is installed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from samebytes_tools.variations import locales
from samebytes_tools.variations.locales import FIRST, most_unlike, other_locale
from samebytes_tools.variations.workspace import Workspace, obstacles

CODES = ["B", "Z", "_c", "a", "z"]
WORDS = ["a", "B", "_c", "z", "Z"]
OWN = {FIRST: [".", CODES, "UTF-8", "Sunday"], "C": [".", CODES, "ANSI_X3.4-1968", "Sunday"]}
GERMAN = [",", WORDS, "UTF-8", "Sonntag"]
LATIN = [",", WORDS, "ISO-8859-1", "Sonntag"]
ENGLISH = [".", WORDS, "UTF-8", "Sunday"]


@pytest.mark.parametrize(
    ("installed", "expected"),
    [
        ({}, "C"),
        ({"en_US.utf8": ENGLISH}, "en_US.utf8"),
        ({"en_US.utf8": ENGLISH, "de_DE.utf8": GERMAN}, "de_DE.utf8"),
        ({"de_DE.utf8": GERMAN, "de_DE": LATIN, "en_US.utf8": ENGLISH}, "de_DE"),
        ({"fi_FI": LATIN, "da_DK": LATIN, "sv_SE": LATIN, "nb_NO": LATIN}, "da_DK"),
        ({"aa_ER": LATIN, "de_DE": LATIN}, "de_DE"),
        ({"ar_AE": [",", WORDS, "ISO-8859-6", "x"], "fi_FI": LATIN}, "fi_FI"),
        ({"broken": None}, "C"),
        ({"like_C.utf8": OWN[FIRST]}, "C"),
    ],
)
def test_the_most_unlike_of_those_installed(installed: dict[str, list[object] | None], expected: str) -> None:
    assert most_unlike({**OWN, **installed}) == expected
    assert most_unlike(dict(reversed([*OWN.items(), *installed.items()]))) == expected


def test_what_this_machine_has_differs_or_is_said_not_to(tmp_path: Path) -> None:
    name = other_locale()
    reason = obstacles(Workspace(tmp_path, True), os.environ).get("locales")
    if name == "C":
        assert reason is not None
        assert (reason.brief, reason.is_partial) == ("only C is installed here", True)
    else:
        assert reason is None
        traits = json.loads(subprocess.check_output([sys.executable, "-c", locales._TRAITS, FIRST, name]))
        assert traits[name] != traits[FIRST]


COMMA = "".join(
    f"LC_{name}\n{text}\nEND LC_{name}\n"
    for name, text in {
        **dict.fromkeys(("CTYPE", "COLLATE", "MONETARY", "TIME", "MESSAGES"), 'copy "POSIX"'),
        "NUMERIC": 'decimal_point ","\nthousands_sep ""\ngrouping -1',
    }.items()
)
"""The source of a locale with a decimal comma: a real one, with all its order, takes seconds to compile."""


def test_a_machine_with_another_locale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The locales are real, under names that no machine has: C libraries look for others beside LOCPATH, too."""
    program = shutil.which("localedef")
    if program is None or not Path("/usr/share/i18n/locales/POSIX").is_file():
        pytest.skip("needs localedef and its sources")
    (tmp_path / "comma").write_text(COMMA, "ascii")
    for name, charmap in (("de_QQ.utf8", "UTF-8"), ("de_QQ", "ISO-8859-1")):
        command = [program, "--no-archive", "-c", "-i", str(tmp_path / "comma"), "-f", charmap, str(tmp_path / name)]
        subprocess.run(command, capture_output=True, check=False)
    lister = tmp_path / "locale"
    lister.write_text("#!/bin/sh\necho C C.utf8 de_QQ de_QQ.utf8 nowhere\n")
    lister.chmod(0o755)
    monkeypatch.setenv("LOCPATH", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    other_locale.cache_clear()
    try:
        assert other_locale() == "de_QQ"
        assert "locales" not in obstacles(Workspace(tmp_path, True), os.environ)
        shutil.rmtree(tmp_path / "de_QQ")
        other_locale.cache_clear()
        assert other_locale() == "de_QQ.utf8"
    finally:
        other_locale.cache_clear()


def test_a_machine_without_the_program_locale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    other_locale.cache_clear()
    try:
        assert other_locale() == "C"
    finally:
        other_locale.cache_clear()
