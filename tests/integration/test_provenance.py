"""Records of builds, read by in-toto's own library."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

import pytest
from samebytes_tools.building import provenance
from samebytes_tools.building.provenance import BACKEND, Material, Record
from samebytes_tools.building.virtualenvs import InstalledDistribution

pytestmark = [pytest.mark.integration, pytest.mark.network]

SHA = "ab" * 32
WHEEL = "demo-1.0-py3-none-any.whl"

READER = """
import sys
from google.protobuf import json_format
from in_toto_attestation.predicates.provenance.v1 import provenance_pb2
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor
from in_toto_attestation.v1.statement import Statement

read = json_format.Parse(open(sys.argv[1], encoding="utf-8").read(), statement_pb2.Statement())
Statement.copy_from_pb(read).validate()
predicate = json_format.ParseDict(json_format.MessageToDict(read.predicate), provenance_pb2.Provenance())
for one in predicate.build_definition.resolved_dependencies:
    ResourceDescriptor.copy_from_pb(one).validate()
    print(one.name, one.digest["sha256"], one.download_location)
print(read.subject[0].name, predicate.build_definition.build_type, predicate.run_details.builder.id)
"""


def test_in_totos_own_library_reads_it(tmp_path: Path) -> None:
    """It knows every field, for its parser refuses those that it does not."""
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    got = subprocess.run(
        [python, "-m", "pip", "install", "-q", "in-toto-attestation"], capture_output=True, check=False
    )
    if got.returncode:
        pytest.skip("in-toto-attestation cannot be installed")
    record = tmp_path / "record.json"
    this = provenance.this_python()
    made = Record(
        subjects=((WHEEL, SHA),),
        method=BACKEND,
        kinds=("wheel",),
        config_settings={"key": ["a", "b"]},
        source=Material("pkg:pypi/demo@1.0?file_name=demo-1.0.tar.gz", {"sha256": SHA}, "https://host/demo-1.0.tar.gz"),
        requirements=(InstalledDistribution("tiny", "1.0", "https://host/tiny-1.0-py3-none-any.whl", {"sha256": SHA}),),
        python=this,
        environment={"TZ": "UTC"},
    )
    record.write_text(provenance.text(made), encoding="utf-8")
    done = subprocess.run([python, "-c", READER, record], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        f"source {SHA} https://host/demo-1.0.tar.gz",
        f"python {this.sha256} ",
        f"tiny {SHA} https://host/tiny-1.0-py3-none-any.whl",
        f"{WHEEL} {provenance.BUILD_TYPE} {provenance.BUILDER}",
    ]
