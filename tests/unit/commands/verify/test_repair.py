"""Repairs: for which platform, by which auditwheel and with which options a wheel was repaired."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from samebytes_tools.building.provenance import RecordedRepair
from samebytes_tools.building.virtualenvs import InstalledDistribution
from samebytes_tools.commands.verify import repair
from support.artifacts import wheel
from support.projects import write_tree

from samebytes.errors import ConfigError


@pytest.mark.parametrize(
    ("tags", "platform"),
    [
        ("cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64", "manylinux2014_x86_64"),
        ("cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64", "manylinux2014_x86_64"),
        # auditwheel adds what the wheel fits beyond what was asked for.
        (
            "cp39-abi3-manylinux1_x86_64.manylinux_2_28_x86_64.manylinux_2_5_x86_64",
            "manylinux_2_28_x86_64",
        ),
        ("cp311-cp311-manylinux_2_24_x86_64.manylinux_2_28_x86_64", "manylinux_2_28_x86_64"),
        ("cp36-cp36m-manylinux_2_5_i686.manylinux1_i686.manylinux_2_12_i686.manylinux2010_i686", "manylinux2010_i686"),
        ("cp312-cp312-musllinux_1_1_aarch64", "musllinux_1_1_aarch64"),
        ("cp312-cp312-musllinux_1_1_x86_64.musllinux_1_2_x86_64", "musllinux_1_2_x86_64"),
        ("py3-none-manylinux_2_17_ppc64le.manylinux2014_ppc64le", "manylinux2014_ppc64le"),
        ("cp311-cp311-linux_x86_64", ""),
        ("cp311-cp311-macosx_11_0_arm64", ""),
        ("py3-none-any", ""),
        ("cp311-cp311-manylinux2099_x86_64", ""),
        ("", ""),
    ],
)
def test_the_platform_is_the_newest_of_the_tags(tags: str, platform: str) -> None:
    assert repair.platform_of(tags) == platform


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("auditwheel repair -w {dest_dir} {wheel}", ()),
        ("auditwheel repair --exclude libcuda.so.1 -w {dest_dir} {wheel}", ("--exclude", "libcuda.so.1")),
        ("auditwheel repair --exclude=libX.so.* --strip {wheel}", ("--exclude", "libX.so.*", "--strip")),
        (["echo x", "auditwheel repair -L .mylibs --only-plat {wheel}"], ("-L", ".mylibs", "--only-plat")),
        # What runs something, leads elsewhere or is for other tools is left.
        ("auditwheel repair --ldpaths /x --patcher ./evil {wheel}", ()),
        ("auditwheel repair --lib-sdir ../../x --exclude -w {wheel}", ()),
        ("sh -c 'auditwheel repair --strip {wheel}'", ()),
        ("auditwheel repair 'unbalanced", ()),
        ("", ()),
    ],
)
@pytest.mark.parametrize("table", ["tool.cibuildwheel.linux", "tool.cibuildwheel"])
def test_options_of_the_projects_own_command(
    command: object, options: tuple[str, ...], table: str, tmp_path: Path
) -> None:
    # JSON's texts and lists are TOML's, too.
    text = f"[{table}]\nrepair-wheel-command = {json.dumps(command)}\n"
    assert repair.options_of(write_tree(tmp_path, {"pyproject.toml": text})) == options


@pytest.mark.parametrize("text", ["[tool]\ncibuildwheel = 3\n", "[tool.cibuildwheel]\nlinux = 1\n", "", "[", None])
def test_other_configurations_have_no_options(text: str | None, tmp_path: Path) -> None:
    assert repair.options_of(write_tree(tmp_path, {} if text is None else {"pyproject.toml": text})) == ()


@pytest.mark.parametrize(
    ("sbom", "version"),
    [
        ({"metadata": {"tools": [{"name": "auditwheel", "version": "6.3.0"}]}}, "6.3.0"),
        ({"metadata": {"tools": [{"name": "other", "version": "1"}, {"name": "auditwheel", "version": "6"}]}}, "6"),
        ({"metadata": {"tools": [{"name": "auditwheel", "version": "6.3 @ https://x"}]}}, ""),
        ({"metadata": {"tools": [{"name": "auditwheel", "version": None}]}}, ""),
        ({"metadata": {"tools": {"components": []}}}, ""),
        ([], ""),
        ("[" * 100_000, ""),
    ],
)
def test_the_release_that_the_list_of_grafted_libraries_names(sbom: object, version: str, tmp_path: Path) -> None:
    data = sbom if isinstance(sbom, str) else json.dumps(sbom)
    path = wheel(tmp_path, files={"demo-1.0.dist-info/sboms/auditwheel.cdx.json": data.encode()})
    assert repair.version_in(path) == version


def test_without_that_list_there_is_no_release(tmp_path: Path) -> None:
    vendored = {"demo/x.dist-info/sboms/auditwheel.cdx.json": b'{"metadata": {"tools": []}}', "demo.py": b""}
    assert repair.version_in(wheel(tmp_path, files=vendored)) == ""


def test_a_plan_of_a_record(tmp_path: Path) -> None:
    """It is followed with the very tools; as anybody may have written it, its options decide on contents alone."""
    tools = (
        InstalledDistribution(
            "auditwheel", "6.1.0", "https://host.example/auditwheel-6.1.0.whl", {"sha256": "ab" * 32}
        ),
    )
    options = ("--strip", "--wheel-dir", "/etc", "--exclude", "libx.so", "--exclude", "-v", "/etc/passwd")
    found = repair.plan_in(RecordedRepair("manylinux_2_28_x86_64", options, tools), tmp_path)
    assert (found.platform, found.options) == ("manylinux_2_28_x86_64", ("--strip", "--exclude", "libx.so"))
    assert found.locked is not None
    assert "auditwheel" in found.locked.read_text()


@pytest.mark.parametrize("platform", ["", "linux_x86_64", "--help", "win_amd64", "manylinux_2_28_x86_64 -v"])
def test_a_plan_of_a_record_for_no_platform(platform: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not a platform of auditwheel") as caught:
        repair.plan_in(RecordedRepair(platform, (), ()), tmp_path)
    assert "--from" in caught.value.remedy
