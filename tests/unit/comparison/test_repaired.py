"""What auditwheel leaves in wheels, and what only looks so."""

from __future__ import annotations

import pytest
from samebytes_tools.comparison.causes import repaired

PLAIN = [b"cp311-cp311-linux_x86_64"]


@pytest.mark.parametrize(
    ("other", "are"),
    [
        ([b"cp311-cp311-manylinux_2_17_x86_64", b"cp311-cp311-manylinux2014_x86_64"], True),
        ([b"cp311-cp311-musllinux_1_1_x86_64"], True),
        ([b"cp311-cp311-manylinux1_x86_64"], True),
        ([b"cp312-cp312-manylinux_2_17_x86_64"], False),
        ([b"cp311-cp311-manylinux_2_17_i686"], False),
        ([b"cp311-cp311-macosx_11_0_arm64"], False),
        ([b"py3-none-any"], False),
        ([b"cp311-cp311-linux_x86_64", b"cp311-cp311-manylinux1_x86_64"], False),
        ([], False),
    ],
)
def test_tags(other: list[bytes], are: bool) -> None:
    assert repaired.are_tags(PLAIN, other) is are
    assert repaired.are_tags(other, PLAIN) is are


def test_members() -> None:
    assert repaired.is_member("demo.libs/libyaml-0-8ec1a697.so.2.0.9")
    assert repaired.is_member("*.dist-info/sboms/auditwheel.cdx.json")
    assert not repaired.is_member("demo.libs/libyaml.so.2")
    assert not repaired.is_member("demo/libs/libyaml-0-8ec1a697.so.2")


def test_search_paths() -> None:
    assert repaired.is_search_path("$ORIGIN/../demo.libs")
    assert not repaired.is_search_path("$ORIGIN/../lib")
    assert not repaired.is_search_path("/opt/demo.libs")
    assert not repaired.is_search_path("")


def test_libraries() -> None:
    assert repaired.are_libraries(["libc.so.6", "libyaml-0.so.2"], ["libc.so.6", "libyaml-0-8ec1a697.so.2"])
    assert repaired.are_libraries(["libyaml-0-8ec1a697.so.2.0.9"], ["libyaml-0.so.2"])
    assert not repaired.are_libraries(["libyaml-0-8ec1a697.so.3.0.9"], ["libyaml-0.so.2"])
    assert not repaired.are_libraries(["libyaml-0-00000000.so.2"], ["libyaml-0-8ec1a697.so.2"])
    assert not repaired.are_libraries(["libc.so.6"], ["libc.so.6"])
    assert not repaired.are_libraries(["libone.so.2"], ["libtwo-8ec1a697.so.2"])


def test_what_patchelf_leaves_among_texts() -> None:
    assert all(map(repaired.is_left_by_repair, ("XXXXXXXXX", "libyaml-0-8ec1a697.so.2.0.9", "$ORIGIN/../demo.libs")))
    assert not any(map(repaired.is_left_by_repair, ("PyRun_SimpleString", "XXXy", "libyaml-0.so.2", "")))
