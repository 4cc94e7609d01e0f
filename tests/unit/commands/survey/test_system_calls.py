"""The filter of system calls: what it refuses, for whom, and that builds do not miss it.

It is looked at from two sides: by a machine for its instructions, which is written here from the kernel's document, for
each architecture; and in the real sandbox, for that of this machine.
"""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from samebytes_tools.commands.survey.sandbox import sandbox, system_calls
from samebytes_tools.commands.survey.sandbox.confined import Limits
from samebytes_tools.commands.survey.sandbox.sandbox import Sandbox

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs Linux")
READABLE = sandbox.readable(os.environ)
ALLOWED = 0
HEADERS = {
    "x86_64": ("x86_64-linux-gnu/asm/unistd_64.h", "asm/unistd_64.h"),
    "aarch64": ("asm-generic/unistd.h",),
}
TABLES = (system_calls.REFUSED, system_calls.ABSENT, system_calls.BY_ARGUMENT)


@pytest.fixture(scope="module")
def box() -> Sandbox:
    found = sandbox.find(os.environ, READABLE)
    if not found.program:
        pytest.skip(found.why_not)
    assert found.has_filter == bool(system_calls.machine()), found.why_not
    return found


def said(box: Sandbox, *command: str) -> str:
    words = box.command(list(command), readable=READABLE, given={}, limits=Limits(room=16 << 20))
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd="/", check=False)
    return done.stdout + done.stderr


def answer(program: bytes, architecture: int, number: int, *arguments: int) -> int:
    """Return what the filter makes of a call: an error's number, or ALLOWED (``struct seccomp_data``, classic BPF)."""
    data = struct.pack("<iIQ6Q", number, architecture, 0, *[*arguments, 0, 0, 0, 0, 0, 0][:6])
    steps = list(struct.iter_unpack("<HBBI", program))
    at = accumulator = 0
    while True:
        code, then, other, value = steps[at]
        at += 1
        if code == 0x20:  # BPF_LD | BPF_W | BPF_ABS
            (accumulator,) = struct.unpack_from("<I", data, value)
        elif code == 0x06:  # BPF_RET | BPF_K
            assert value in (0x7FFF0000, 0x50000 | value & 0xFFFF)
            return 0 if value == 0x7FFF0000 else value & 0xFFFF
        else:
            holds = {0x15: accumulator == value, 0x35: accumulator >= value, 0x45: accumulator & value != 0}[code]
            at += then if holds else other


def numbers_in(header: Path) -> dict[str, int]:
    found = re.findall(r"^#define __NR(?:3264)?_(\w+)\s+(\d+)$", header.read_text(), re.M)
    return {name: int(number) for name, number in found}


@linux
@pytest.mark.parametrize("machine", system_calls.ARCHITECTURES)
def test_numbers_are_those_of_the_kernel(machine: str) -> None:
    """A call has the number that the kernel's headers give, and none where they know none."""
    header = next((path for name in HEADERS[machine] if (path := Path("/usr/include", name)).is_file()), None)
    if header is None:
        pytest.skip("needs the kernel's headers")
    known = numbers_in(header)
    column = list(system_calls.ARCHITECTURES).index(machine)
    for table in TABLES:
        for name, numbers in table.items():
            assert known.get(name) == numbers[column], name


@pytest.mark.parametrize("machine", system_calls.ARCHITECTURES)
def test_only_what_is_listed_is_refused(machine: str) -> None:
    column, architecture = list(system_calls.ARCHITECTURES).index(machine), system_calls.ARCHITECTURES[machine]
    program = system_calls.program(machine)
    expected = {numbers[column]: errno.EPERM for numbers in system_calls.REFUSED.values()}
    expected |= {numbers[column]: errno.ENOSYS for numbers in system_calls.ABSENT.values()}
    ruled = {numbers[column] for numbers in system_calls.BY_ARGUMENT.values()}
    for number in {*range(600)} - ruled:
        assert answer(program, architecture, number, 1, 2, 3) == expected.get(number, ALLOWED), number


@pytest.mark.parametrize("machine", system_calls.ARCHITECTURES)
@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("ioctl", (0, 0x5401), ALLOWED),
        ("ioctl", (0, 0x5412), errno.EPERM),
        ("ioctl", (0, 0x541C), errno.EPERM),
        ("ioctl", (0, 0x5412 | 1 << 32), errno.EPERM),  # of which the kernel takes the lower half
        ("socket", (1, 1, 0), ALLOWED),
        ("socket", (2, 2, 17), ALLOWED),
        ("socket", (10, 1, 6), ALLOWED),
        ("socket", (16, 3, 0), ALLOWED),
        ("socket", (16, 3, 12), errno.EPROTONOSUPPORT),
        ("socket", (38, 5, 0), errno.EAFNOSUPPORT),
        ("socket", (40, 1, 0), errno.EAFNOSUPPORT),
        ("clone", (17,), ALLOWED),
        ("clone", (0x10000000 | 17,), ALLOWED),
        ("clone", (0x40000000 | 17,), errno.EPERM),
        ("unshare", (0x10000000 | 0x00020000 | 0x04000000,), ALLOWED),
        ("unshare", (0x10000000 | 0x40000000,), errno.EPERM),
    ],
)
def test_rules_about_arguments(machine: str, name: str, arguments: tuple[int, ...], expected: int) -> None:
    column, architecture = list(system_calls.ARCHITECTURES).index(machine), system_calls.ARCHITECTURES[machine]
    number = system_calls.BY_ARGUMENT[name][column]
    assert answer(system_calls.program(machine), architecture, number, *arguments) == expected


def test_other_architectures_call_nothing() -> None:
    for machine, own in system_calls.ARCHITECTURES.items():
        program = system_calls.program(machine)
        for architecture in {0x40000003, 0x40000028, *system_calls.ARCHITECTURES.values()} - {own}:
            assert {answer(program, architecture, number) for number in range(500)} == {errno.ENOSYS}
    program = system_calls.program("x86_64")
    x32 = {answer(program, 0xC000003E, 0x40000000 | number) for number in range(600)}
    assert x32 == {errno.ENOSYS}


CALLING = """
import ctypes, json, sys
libc = ctypes.CDLL(None, use_errno=True)
found = {}
for name, number, *arguments in json.loads(sys.argv[1]):
    ctypes.set_errno(0)
    values = [ctypes.c_long(value) for value in (arguments or [-1] * 6)]
    found[name] = ctypes.get_errno() if libc.syscall(ctypes.c_long(number), *values) < 0 else 0
print(json.dumps(found))
"""


def called(box: Sandbox, calls: list[tuple[str | int, ...]]) -> dict[str, int]:
    """Return the number of the error that each of the *calls* ends with in the sandbox: name, number, arguments."""
    found: dict[str, int] = json.loads(said(box, sys.executable, "-S", "-c", CALLING, json.dumps(calls)))
    return found


@linux
def test_each_call_fails_in_the_sandbox(box: Sandbox) -> None:
    if not box.has_filter:
        pytest.skip(box.why_not)
    column = list(system_calls.ARCHITECTURES).index(system_calls.machine())
    calls = {name: numbers[column] for table in TABLES[:2] for name, numbers in table.items() if numbers[column]}
    expected = {name: errno.EPERM if name in system_calls.REFUSED else errno.ENOSYS for name in calls}
    assert called(box, list(calls.items())) == expected


@linux
def test_sockets_and_terminals_in_the_sandbox(box: Sandbox) -> None:
    if not box.has_filter:
        pytest.skip(box.why_not)
    column = list(system_calls.ARCHITECTURES).index(system_calls.machine())
    socket, ioctl, unshare = (system_calls.BY_ARGUMENT[name][column] for name in ("socket", "ioctl", "unshare"))
    found = called(
        box,
        [
            ("unix", socket, 1, 1, 0),
            ("internet", socket, 2, 1, 0),
            ("routes", socket, 16, 3, 0),
            ("packet filter", socket, 16, 3, 12),
            ("crypto", socket, 38, 5, 0),
            ("input", ioctl, 0, 0x5412, 0),
            ("network", unshare, 0x10000000 | 0x40000000),
            ("users", unshare, 0x10000000),
        ],
    )
    assert found == {
        "unix": 0,
        "internet": 0,
        "routes": 0,
        "packet filter": errno.EPROTONOSUPPORT,
        "crypto": errno.EAFNOSUPPORT,
        "input": errno.EPERM,
        "network": errno.EPERM,
        "users": 0,
    }


AS_I386 = """
import ctypes, mmap
code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
code.write(b"\\xb8\\x14\\x00\\x00\\x00\\xcd\\x80\\xc3")  # mov eax, 20 (getpid of i386); int 0x80; ret
print("it returned", ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))())
"""


@linux
@pytest.mark.skipif(system_calls.machine() != "x86_64", reason="needs x86-64")
def test_no_call_by_the_door_of_another_architecture(box: Sandbox) -> None:
    """Where the kernel runs no programs for i386, the instruction ends the process."""
    assert said(box, sys.executable, "-S", "-c", AS_I386) in (f"it returned {-errno.ENOSYS}\n", "")


BUILDING = """
cd /tmp && mkdir src && cd src
cat >demo.c <<'END'
#define PY_SSIZE_T_CLEAN
#include <Python.h>
static PyModuleDef m = {PyModuleDef_HEAD_INIT, "demo", 0, -1, 0};
PyMODINIT_FUNC PyInit_demo(void) { return PyModule_Create(&m); }
END
echo 'from setuptools import Extension, setup; setup(name="demo", version="1", ext_modules=[Extension("demo", ["demo.c"])])' >setup.py
%s setup.py --quiet bdist_wheel && ls dist && echo built
"""


@linux
def test_a_c_extension_is_built(box: Sandbox) -> None:
    if shutil.which("cc") is None:
        pytest.skip("needs a C compiler")
    assert ".whl\nbuilt\n" in said(box, "/bin/sh", "-c", BUILDING % sys.executable)


PARALLEL = """
import multiprocessing, os, subprocess, threading
from concurrent.futures import ThreadPoolExecutor
with multiprocessing.get_context("spawn").Pool(2) as pool:
    print(pool.map(abs, [-1, -2]))
with ThreadPoolExecutor(8) as threads:
    print(sum(threads.map(lambda n: len(subprocess.check_output(["/bin/echo", "x"])), range(20))))
"""


@linux
def test_threads_and_processes_begin(box: Sandbox) -> None:
    assert said(box, sys.executable, "-S", "-c", PARALLEL) == "[1, 2]\n40\n"


@linux
def test_namespaces_within_still_work(box: Sandbox) -> None:
    """A mount namespace of its own, which fixed paths need; bubblewrap again; and the filter holds in there, too."""
    if not (shutil.which("unshare") and box.has_filter):
        pytest.skip("needs unshare(1) and a filter")
    column = list(system_calls.ARCHITECTURES).index(system_calls.machine())
    calls = json.dumps([("bpf", system_calls.REFUSED["bpf"][column])])
    inner = (
        f"mount -t tmpfs none /mnt && touch /mnt/here && ls /mnt && exec {sys.executable} -S -c '{CALLING}' '{calls}'"
    )
    assert said(box, "/bin/sh", "-c", 'exec unshare -rm /bin/sh -c "$0"', inner) == f'here\n{{"bpf": {errno.EPERM}}}\n'
    nested = [
        box.program,
        "--unshare-user",
        "--unshare-pid",
        "--ro-bind",
        "/",
        "/",
        "--tmpfs",
        "/tmp",
        "/bin/echo",
        "in",
    ]
    assert said(box, *nested) == "in\n"


FOUND = """
import os, sys
from samebytes_tools.commands.survey.sandbox import sandbox
found = sandbox.find(os.environ, sandbox.readable(os.environ))
print(found.has_filter, found.why_not)
"""


@linux
def test_on_another_machine_there_is_none_and_that_is_noted(box: Sandbox) -> None:
    """The same machine as a 32-bit one (personality(2)), for which there are no numbers."""
    if shutil.which("setarch") is None or system_calls.machine() != "x86_64":
        pytest.skip("needs setarch(8) and x86-64")
    command = ["setarch", "i686", sys.executable, "-c", FOUND]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True, cwd="/")
    assert done.stdout.startswith("False ")
    assert done.stdout.endswith("system calls are not filtered: there is no filter for i686\n")
