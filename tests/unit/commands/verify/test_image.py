"""Images: which one a tag names, which of its interpreters, and what the command line says of both."""

from __future__ import annotations

import argparse
from dataclasses import replace

import pytest
from samebytes_tools.building.interpreters import Python
from samebytes_tools.commands.verify import command
from samebytes_tools.commands.verify.image import ImageRequest, image_of, python_in_image, version_for
from samebytes_tools.commands.verify.metadata import ArtifactMetadata
from samebytes_tools.commands.verify.targets import of_all_files
from samebytes_tools.commands.verify.verify import VerifyRequest
from samebytes_tools.index.client import Index
from support.indexes import serving

from samebytes.artifact.layout import ArtifactKind
from samebytes.errors import UsageError

WHEEL = ArtifactMetadata(ArtifactKind.WHEEL, "demo", "1.0")
OWN = Python("python", "CPython", "3.12.1", (3, 12), "linux-x86_64", "glibc-2.36", "1.3")


@pytest.mark.parametrize(
    ("platform", "image"),
    [
        ("manylinux_2_17_x86_64.manylinux2014_x86_64", "quay.io/pypa/manylinux2014_x86_64"),
        ("manylinux_2_17_aarch64", "quay.io/pypa/manylinux2014_aarch64"),
        ("manylinux_2_5_i686.manylinux1_i686", "quay.io/pypa/manylinux1_i686"),
        ("manylinux_2_12_x86_64", "quay.io/pypa/manylinux2010_x86_64"),
        ("manylinux_2_27_x86_64.manylinux_2_28_x86_64", "quay.io/pypa/manylinux_2_28_x86_64"),
        ("manylinux_2_34_ppc64le", "quay.io/pypa/manylinux_2_34_ppc64le"),
        ("musllinux_1_2_x86_64", "quay.io/pypa/musllinux_1_2_x86_64"),
        ("linux_x86_64", ""),
        ("macosx_11_0_arm64", ""),
        ("win_amd64", ""),
        ("any", ""),
    ],
)
def test_the_image_that_a_tag_names(platform: str, image: str) -> None:
    assert image_of(f"cp311-cp311-{platform}") == image


@pytest.mark.parametrize(
    ("tags", "asked", "path"),
    [
        ("cp311-cp311-manylinux2014_x86_64", "", "/opt/python/cp311-cp311/bin/python"),
        ("cp39-abi3-manylinux2014_x86_64", "", "/opt/python/cp39-cp39/bin/python"),
        ("cp313-cp313t-manylinux_2_28_x86_64", "", "/opt/python/cp313-cp313t/bin/python"),
        ("cp37-cp37m-manylinux1_x86_64", "", "/opt/python/cp37-cp37m/bin/python"),
        ("py3-none-manylinux2014_x86_64", "", "/opt/python/cp312-cp312/bin/python"),
        ("py3-none-manylinux2014_x86_64", "3.9", "/opt/python/cp39-cp39/bin/python"),
        ("cp311-cp311-manylinux2014_x86_64", "/usr/bin/python3", "/usr/bin/python3"),
    ],
)
def test_the_interpreter_in_an_image(tags: str, asked: str, path: str) -> None:
    assert python_in_image(version_for(replace(WHEEL, tags=tags), asked, OWN.short)) == path


@pytest.mark.parametrize("asked", ["python3", "3", "3.x", "3.1000", "/x\n", "2.7"])
def test_what_is_no_interpreter_of_an_image(asked: str) -> None:
    with pytest.raises(UsageError, match="names no interpreter"):
        python_in_image(asked)


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    args = parser.parse_args(["verify", *words])
    command._part_image(args)
    return args


@pytest.mark.parametrize(
    ("words", "image", "targets"),
    [
        (["demo==1.0"], None, ["demo==1.0"]),
        (["demo==1.0", "--image"], "", ["demo==1.0"]),
        (["--image", "demo==1.0"], "", ["demo==1.0"]),
        (["--image", "demo"], "", ["demo"]),
        (["--image", "name", "demo"], "name", ["demo"]),
        (["--image", "demo-1.0-py3-none-any.whl", "other==1"], "", ["demo-1.0-py3-none-any.whl", "other==1"]),
        (["--image", "host/name:tag", "demo==1.0"], "host/name:tag", ["demo==1.0"]),
        (["--image=host/name@sha256:00", "demo==1.0"], "host/name@sha256:00", ["demo==1.0"]),
    ],
)
def test_what_follows_the_option_is_a_target_if_it_cannot_be_an_image(
    words: list[str], image: str | None, targets: list[str]
) -> None:
    args = parsed(*words)
    assert (args.image, args.targets) == (image, targets)


def test_an_engine_without_image_is_a_mistake() -> None:
    with pytest.raises(UsageError, match="--engine is for --image"):
        parsed("demo==1.0", "--engine", "docker")


GLIBC, MUSL = (f"cp312-cp312-{name}_x86_64" for name in ("manylinux_2_17", "musllinux_1_2"))
FOREIGN = ("cp312-cp312-manylinux_2_17_aarch64", "cp312-cp312-win_amd64", "cp312-cp312-macosx_11_0_arm64")


@pytest.mark.parametrize("libc", ["glibc-2.36", ""])
@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (None, {"glibc-2.36": {GLIBC, "cp312-cp312-linux_x86_64"}, "": {MUSL}}),
        (ImageRequest(), {"glibc-2.36": {GLIBC, MUSL, "cp312-cp312-linux_x86_64"}, "": {GLIBC, MUSL}}),
        (ImageRequest("quay.io/pypa/musllinux_1_2_x86_64"), {"glibc-2.36": {MUSL, "cp312-cp312-linux_x86_64"}, "": {MUSL}}),
        (ImageRequest("python:3.12-alpine"), {"glibc-2.36": {MUSL, "cp312-cp312-linux_x86_64"}, "": {MUSL}}),
        (ImageRequest("debian:12"), {"glibc-2.36": {GLIBC, "cp312-cp312-linux_x86_64"}, "": {GLIBC}}),
    ],
)  # fmt: skip
def test_all_files_are_those_for_the_images_and_not_for_this_machine(
    image: ImageRequest | None, expected: dict[str, set[str]], libc: str
) -> None:
    """What no image is for is rebuilt on this machine, such as a wheel for plain Linux."""
    tags = (GLIBC, MUSL, "cp312-cp312-linux_x86_64", "py3-none-any", *FOREIGN)
    names = [*(f"demo-1.0-{tag}.whl" for tag in tags), "demo-1.0.tar.gz"]
    with serving() as server:
        server.page("demo", [{"filename": name, "url": f"/files/{name}", "hashes": {}} for name in names])
        index = Index(server.address)
        found = of_all_files("demo==1.0", VerifyRequest("", image=image), replace(OWN, libc=libc), lambda: index)
    taken = {one.label for one in found if not one.skipped}
    wanted = {f"demo-1.0-{tag}.whl" for tag in {*expected[libc], "py3-none-any"}}
    assert taken == {*wanted, "demo-1.0.tar.gz"}
