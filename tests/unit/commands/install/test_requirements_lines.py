"""What lines of requirements files mean together, and what of them is shown when they are wrong."""

from __future__ import annotations

from pathlib import Path

from samebytes_tools.building.markers import applies
from samebytes_tools.releases import lock_files, requirements_file
from samebytes_tools.releases.requirements_file import RequirementsList
from samebytes_tools.releases.variables import Variables


def read(top: Path, text: str, **values: str) -> RequirementsList:
    (top / "list.txt").write_text(text, encoding="utf-8")
    return requirements_file.read(top / "list.txt", {}, Variables(values))


def names(found: RequirementsList) -> list[str]:
    return [one.name for one in found.entries]


UV = """
version = 1
[[package]]
name = "own"
version = "0.1"
source = { editable = "." }
dependencies = [{ name = "demo", marker = "extra == 'x'" }]
[[package]]
name = "demo"
version = "1.0"
source = { registry = "https://host.example/simple" }
"""


def test_a_marker_of_an_extra_does_not_hold(tmp_path: Path) -> None:
    assert not applies("extra == 'x'", {})
    (entry,) = read(tmp_path, "demo==1.0; extra == 'x'\n").entries
    assert entry.skipped
    path = tmp_path / "uv.lock"
    path.write_text(UV)
    entries = lock_files.read_uv_lock(path, lock_files.document_of(path), {})
    assert [bool(one.skipped) for one in entries] == [True, True]
    assert entries[1].name == "demo"
