"""Nothing is used that a later Python has not, or will not have: its documents list what they remove and deprecate."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

MODULES = {
    "3.12": "asynchat asyncore distutils imp smtpd",
    "3.13": "aifc audioop cgi cgitb chunk crypt imghdr lib2to3 mailcap msilib nis nntplib ossaudiodev pipes sndhdr spwd "
    "sunau telnetlib uu xdrlib",
    "3.15": "sre_compile sre_constants sre_parse",
    "3.17": "profile",
    "3.19": "nturl2path",
}
"""Modules of the standard library, by the release that removes them."""

NAMES = {
    "3.12": "configparser.SafeConfigParser pkgutil.ImpImporter pkgutil.ImpLoader ssl.match_hostname ssl.wrap_socket "
    "unittest.findTestCases unittest.makeSuite",
    "3.13": "locale.resetlocale re.template unittest.TestProgram.usageExit",
    "3.14": "ast.Bytes ast.Ellipsis ast.NameConstant ast.Num ast.Str asyncio.AbstractChildWatcher "
    "importlib.abc.ResourceReader importlib.abc.Traversable importlib.abc.TraversableResources pkgutil.find_loader "
    "pkgutil.get_loader pty.master_open pty.slave_open sqlite3.version sqlite3.version_info urllib.parse.Quoter "
    "urllib.request.FancyURLopener urllib.request.URLopener",
    "3.15": "ctypes.SetPointerType glob.glob0 glob.glob1 http.server.CGIHTTPRequestHandler platform.java_ver "
    "typing.no_type_check_decorator",
    "3.16": "asyncio.get_event_loop_policy asyncio.iscoroutinefunction asyncio.set_event_loop_policy shutil.ExecError "
    "sys._enablelegacywindowsfsencoding sysconfig.expand_makefile_vars",
    "3.17": "collections.abc.ByteString typing.ByteString typing._UnionGenericAlias",
    "3.20": "argparse.__version__ csv.__version__ ctypes.__version__ decimal.__version__ ipaddress.__version__ "
    "json.__version__ logging.__version__ pickle.__version__ platform.__version__ re.__version__ tarfile.version "
    "zlib.__version__",
    "a later one": "argparse.FileType calendar.January calendar.February codecs.open os.path.commonprefix "
    "sys._clear_type_cache threading.activeCount threading.currentThread typing.Text urllib.parse.splittype "
    "urllib.parse.splithost urllib.parse.splitport urllib.parse.to_bytes",
}
"""What a module has, by the release that removes it."""

ATTRIBUTES = {
    "3.12": "assertEquals assertNotEquals assertRegexpMatches assertRaisesRegexp",
    "3.15": "__cached__ __package__ co_lnotab is_reserved",
    "3.16": "__loader__",
    "a later one": "getName isDaemon isSet notifyAll setDaemon setName utcfromtimestamp utcnow",
}
"""Of an object of whatever type: names that nothing else has. And of a module, what the import system sets no longer."""

ARGUMENTS = {"3.15": "check_home", "3.16": "strm", "a later one": "debug_override onerror"}
"""By the release that takes them no longer."""


def by_name(table: dict[str, str]) -> dict[str, str]:
    return {name: release for release, names in table.items() for name in names.split()}


GONE_MODULES, GONE_NAMES, GONE_ATTRIBUTES, GONE_ARGUMENTS = map(by_name, (MODULES, NAMES, ATTRIBUTES, ARGUMENTS))


TRACES = [set(re.findall(r"\w+", name)) for name in (*GONE_MODULES, *GONE_NAMES, *GONE_ATTRIBUTES, *GONE_ARGUMENTS)]
"""The words without which a text has none of it, and need not be parsed."""


def used(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Give what of the tables a module uses: the line, and what it is."""
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for each in node.names:
                whole = each.name if each.asname else each.name.partition(".")[0]
                known[each.asname or whole] = whole
                yield from found(node, each.name)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for each in node.names:
                known[each.asname or each.name] = f"{node.module}.{each.name}"
                yield from found(node, node.module or "", f"{node.module}.{each.name}")
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            name, _, rest = ast.unparse(node).partition(".")
            if name in known:
                yield from found(node, f"{known[name]}.{rest}")
            if node.attr in GONE_ATTRIBUTES:
                yield node.lineno, node.attr
        elif isinstance(node, ast.Name) and node.id in GONE_ATTRIBUTES:
            yield node.lineno, node.id
        elif isinstance(node, ast.keyword) and node.arg in GONE_ARGUMENTS:
            yield node.value.lineno, f"{node.arg}="


def found(node: ast.stmt | ast.expr, *names: str) -> Iterator[tuple[int, str]]:
    return ((node.lineno, name) for name in names if name in GONE_NAMES or name.partition(".")[0] in GONE_MODULES)


def sources() -> list[Path]:
    """Return our modules and scripts, and what examples build with."""
    places = ("src", "tools/src", "tests", "docs", "benchmarks", "examples")
    found = [path for place in places for path in sorted((ROOT / place).rglob("*.py"))]
    return [path for path in found if "build" not in path.relative_to(ROOT).parts]


def test_nothing_is_used_that_a_later_python_removes() -> None:
    texts = ((path, path.read_text("utf-8")) for path in sources())
    assert [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path, text in texts
        if any(map(set(re.findall(r"\w+", text)).issuperset, TRACES))
        for line, name in used(ast.parse(text))
    ] == []


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ("import imp", ["imp"]),
        ("from distutils.core import setup", ["distutils.core", "distutils.core.setup"]),
        ("import glob as g\ng.glob1('.', '*')", ["glob.glob1"]),
        ("import os\nos.path.commonprefix([])", ["os.path.commonprefix"]),
        ("from os import path\npath.commonprefix([])", ["os.path.commonprefix"]),
        ("from typing import ByteString", ["typing.ByteString"]),
        ("import http.server\nhttp.server.CGIHTTPRequestHandler", ["http.server.CGIHTTPRequestHandler"]),
        ("import zlib\nzlib.__version__", ["zlib.__version__"]),
        ("def lines(code):\n    return code.co_lnotab", ["co_lnotab"]),
        ("f(__package__)", ["__package__"]),
        ("import shutil\nshutil.rmtree('x', onerror=print)", ["onerror="]),
        ("from . import imp, __version__\nimport glob\nglob.glob('*')", []),
    ],
)
def test_what_is_removed_is_found(source: str, named: list[str]) -> None:
    assert [name for _, name in used(ast.parse(source))] == named
