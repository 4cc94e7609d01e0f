"""Small projects that do not build reproducibly, each for one typical reason; and each again with that put right.

A project has its own backend, which makes a wheel of the files that ``made.py`` returns. That is where the fault is.
The wheel's container is always the same, but for the faults that are about the container.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from support.projects import write_tree

__all__ = ["FAULTS", "NORMALIZED", "Fault", "lay_out"]

BACKEND = '''
"""Makes a wheel of what made.py returns."""
import base64, hashlib, os, zipfile

def build_wheel(directory, config_settings=None, metadata_directory=None):
    import made
    version = getattr(made, "version", lambda: "1.0")()
    info = f"demo-{version}.dist-info"
    files = {"demo/__init__.py": b"", **made.files()}
    more = getattr(made, "metadata", lambda: "")()
    files[f"{info}/METADATA"] = f"Metadata-Version: 2.1\\nName: demo\\nVersion: {version}\\n{more}".encode()
    tag = getattr(made, "tag", lambda: "py3-none-any")()
    files[f"{info}/WHEEL"] = (
        f"Wheel-Version: 1.0\\nGenerator: demo 1.0\\nRoot-Is-Purelib: true\\nTag: {tag}\\n".encode())
    rows = []
    for name, data in getattr(made, "rows", sorted)(files.items()):
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        rows.append(f"{name},sha256={digest},{len(data)}\\n")
    files[f"{info}/RECORD"] = "".join([*rows, f"{info}/RECORD,,\\n"]).encode()
    name = f"demo-{version}-{tag}.whl"
    with zipfile.ZipFile(os.path.join(directory, name), "w") as wheel:
        for member, data in files.items():
            header = zipfile.ZipInfo(member, (2020, 2, 2, 0, 0, 0))
            header.external_attr = 0o100644 << 16
            wheel.writestr(getattr(made, "header", lambda each: each)(header), data)
    return name
'''

TREE = {
    "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n\n'
    '[project]\nname = "demo"\nversion = "1.0"\n',
    "backend.py": BACKEND,
    "parts/alpha.txt": "alpha\n",
    "parts/beta.txt": "beta\n",
    "parts/delta.txt": "delta\n",
    "parts/gamma.txt": "gamma\n",
    "parts/omega.txt": "omega\n",
}

NORMALIZED = "samebytes normalize"
"""The remedy of faults that are about the container: both wheels are normalized, and are the same then."""


@dataclass(frozen=True)
class Fault:
    """A project with one fault."""

    name: str
    """What it does, in a few words."""
    variation: str
    """What of all that is varied makes the difference; ``the moment`` where nothing needs to be varied."""
    causes: tuple[str, ...]
    """The codes of causes of which one is right; a report may name several of them, and no other."""
    made: str
    """``made.py``, as it should not be."""
    fixed: str
    """The same with the remedy applied; NORMALIZED where that is done to the wheel."""
    by: str
    """What of the remedy was applied: a part of its text, which is in *fixed*, too."""
    files: Mapping[str, str] = field(default_factory=dict)
    """What the tree has beside the usual."""
    is_checkout: bool = False
    """Whether it is a git checkout."""
    needs: tuple[str, ...] = ()
    """Programs that must be there."""

    def __str__(self) -> str:
        return self.name


def lay_out(fault: Fault, directory: Path, *, fixed: bool = False) -> Path:
    """Write the project into *directory*, and return its tree."""
    made = fault.fixed if fixed and fault.fixed != NORMALIZED else fault.made
    return write_tree(directory / "demo", {**TREE, **fault.files, "made.py": textwrap.dedent(made)})


def one(expression: str, head: str = "", name: str = "demo/about.txt") -> str:
    """Return a ``made.py`` that makes one file, of the text that *expression* is."""
    lines = [*textwrap.dedent(head).strip().splitlines(), "", "def files():"]
    return "\n".join([*lines, f"    return {{{name!r}: ({expression}).encode()}}", ""])


def data(expression: str, head: str = "", name: str = "demo/data.bin") -> str:
    """Return the same for bytes."""
    return one(expression, head, name).replace(f"({expression}).encode()", expression)


def tarred(*lines: str) -> str:
    """Return the same for a tar file with one member, which *lines* of Python change."""
    head = """
            import io, tarfile
            def packed():
                file = io.BytesIO()
                def plain(member):
                    LINES
                    return member
                with tarfile.open(fileobj=file, mode="w") as target:
                    target.add("parts/alpha.txt", "a", filter=plain)
                return file.getvalue()
            """
    return data("packed()", head.replace("LINES", f"\n{' ' * 20}".join(lines)), "demo/words.tar")


_NOW = 'import os, time, datetime\nnow = int(os.environ.get("SOURCE_DATE_EPOCH", time.time()))'
_GIVEN = 'os.environ.get("SOURCE_DATE_EPOCH"'


def dated(name: str, expression: str, given: str) -> Fault:
    """Return a fault that writes the date: *expression* by the clock, *given* by ``now`` that is given."""
    head = "import time, datetime"
    return Fault(name, "time", ("D005",), one(expression, head), one(given, _NOW), _GIVEN)


def shown(pattern: str) -> Fault:
    """Return a fault that writes the date in the notation *pattern* of strftime(3)."""
    return dated(
        f"a date as {pattern}",
        f"'built ' + time.strftime({pattern!r})",
        f"'built ' + time.strftime({pattern!r}, time.gmtime(now))",
    )


_DATES = (
    dated(
        "a date, ISO 8601",
        "datetime.datetime.now().isoformat()",
        "datetime.datetime.fromtimestamp(now, datetime.timezone.utc).isoformat()",
    ),
    dated("asctime", "'Built at ' + time.ctime() + '\\n'", "'Built at ' + time.asctime(time.gmtime(now)) + '\\n'"),
    shown("%m/%d/%Y"),
    shown("%d.%m.%Y"),
    shown("%d %B %Y"),
    shown("%Y%m%d"),
    shown("week %W of %Y"),
    shown("day %j"),
    dated(
        "a copyright year",
        "f'(c) 2001-{datetime.date.today().year} Ada\\n'",
        "f'(c) 2001-{time.gmtime(now).tm_year} Ada\\n'",
    ),
    dated("seconds since 1970", "f'STAMP = {int(time.time())}\\n'", "f'STAMP = {now}\\n'"),
    dated("milliseconds, in hexadecimal", "f'stamp {int(time.time() * 1000):x}\\n'", "f'stamp {now * 1000:x}\\n'"),
    Fault(
        "seconds since 1970, packed",
        "time",
        ("D005",),
        data("b'DATA' + struct.pack('<I', int(time.time())) + bytes(20)", "import struct, time"),
        data("b'DATA' + struct.pack('<I', now) + bytes(20)", _NOW + "\nimport struct"),
        _GIVEN,
    ),
    Fault(
        "a version that is the date",
        "time",
        ("D005",),
        one("''", "import time\ndef version(): return time.strftime('%Y.%m.%d')"),
        one("''", _NOW + "\ndef version(): return time.strftime('%Y.%m.%d', time.gmtime(now))"),
        _GIVEN,
    ),
    Fault(
        "__DATE__ in C",
        "time",
        ("D005",),
        data(
            "compiled()",
            """
            import subprocess, tempfile, os
            def compiled():
                subprocess.run(["gcc", "-shared", "-fPIC", "-o", "x.so", "x.c"], check=True)
                with open("x.so", "rb") as file:
                    return file.read()
            """,
            "demo/x.so",
        ),
        data(
            "compiled()",
            """
            import subprocess, tempfile, os
            os.environ.setdefault("SOURCE_DATE_EPOCH", "1700000000")  # for __DATE__
            def compiled():
                subprocess.run(["gcc", "-shared", "-fPIC", "-o", "x.so", "x.c"], check=True)
                with open("x.so", "rb") as file:
                    return file.read()
            """,
            "demo/x.so",
        ),
        "__DATE__",
        {"x.c": 'const char *when(void) { return __DATE__ " " __TIME__; }\n'},
        needs=("gcc",),
    ),
)

_GZIP = "import gzip, io, time, os"
_ZIP = "import io, zipfile, time, os, datetime"

_PAYLOAD = (
    Fault(
        "a gzip file with its time",
        "time",
        ("D005",),
        data("gzip.compress(b'words ' * 50)", _GZIP, "demo/words.gz"),
        data("gzip.compress(b'words ' * 50, mtime=now)", _NOW + "\n" + _GZIP, "demo/words.gz"),
        "mtime=",
    ),
    Fault(
        "a gzip file with a temporary name",
        "the moment",
        ("D002",),
        data(
            "packed()",
            """
            import gzip, tempfile
            def packed():
                with tempfile.NamedTemporaryFile() as file:
                    with gzip.GzipFile(file.name, "wb", fileobj=file, mtime=0) as target:
                        target.write(b"words " * 50)
                    file.seek(0)
                    return file.read()
            """,
            "demo/words.gz",
        ),
        data(
            "packed()",
            """
            import gzip, io
            def packed():
                file = io.BytesIO()
                with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as target:
                    target.write(b"words " * 50)
                return file.getvalue()
            """,
            "demo/words.gz",
        ),
        'filename=""',
    ),
    Fault(
        "a zip file of now",
        "time",
        ("D005", "D011"),
        data(
            "packed()",
            _ZIP
            + """
def packed():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as target:
        target.writestr("a.txt", "alpha")
        target.writestr("b.txt", "beta")
    return file.getvalue()
""",
            "demo/words.zip",
        ),
        data(
            "packed()",
            _ZIP
            + """
def packed():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as target:
        for name in "ab":
            target.writestr(zipfile.ZipInfo(name + ".txt", date_time=(2020, 2, 2, 0, 0, 0)), name)
    return file.getvalue()
""",
            "demo/words.zip",
        ),
        "date_time=(2020, 2, 2, 0, 0, 0)",
    ),
    Fault(
        "a zip file of files with their times",
        "mtimes",
        ("D011",),
        data(
            "packed()",
            _ZIP
            + """
def packed():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as target:
        for name in sorted(os.listdir("parts")):
            header = zipfile.ZipInfo.from_file("parts/" + name)
            header.external_attr = 0o100644 << 16
            header.date_time = time.gmtime(os.path.getmtime("parts/" + name))[:6]
            target.writestr(header, open("parts/" + name).read())
    return file.getvalue()
""",
            "demo/words.zip",
        ),
        data(
            "packed()",
            _ZIP
            + """
def packed():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as target:
        for name in sorted(os.listdir("parts")):
            target.writestr(zipfile.ZipInfo(name, date_time=(2020, 2, 2, 0, 0, 0)), open("parts/" + name).read())
    return file.getvalue()
""",
            "demo/words.zip",
        ),
        "date_time=(2020, 2, 2, 0, 0, 0)",
    ),
    Fault(
        "a tar file with its modes",
        "umask",
        ("D010",),
        tarred("member.uid = member.gid = member.mtime = 0", 'member.uname = member.gname = ""'),
        tarred("member.uid = member.gid = member.mtime = 0", 'member.uname = member.gname = ""', "member.mode = 0o644"),
        "0o644",
    ),
    Fault(
        "a tar file with its owners",
        "owner",
        ("D012",),
        tarred("member.mtime, member.mode = 0, 0o644"),
        tarred(
            "member.mtime, member.mode = 0, 0o644", "member.uid = member.gid = 0", 'member.uname = member.gname = ""'
        ),
        "uid = member.gid = 0",
    ),
    Fault(
        "a PDF with its date",
        "time",
        ("D005",),
        data(
            "('%PDF-1.4\\n1 0 obj << /CreationDate (D:' + time.strftime('%Y%m%d%H%M%SZ') + ') >> endobj\\n').encode() + bytes([0xe2, 0xe3, 0, 1])",
            "import time",
            "demo/x.pdf",
        ),
        data(
            "('%PDF-1.4\\n1 0 obj << /CreationDate (D:' + time.strftime('%Y%m%d%H%M%SZ', time.gmtime(now)) + ') >> endobj\\n').encode() + bytes([0xe2, 0xe3, 0, 1])",
            _NOW,
            "demo/x.pdf",
        ),
        _GIVEN,
    ),
    Fault(
        "a PNG with its time",
        "time",
        ("D005",),
        data(
            "png(time.gmtime())",
            """
            import struct, time, zlib
            def chunk(kind, held):
                return struct.pack(">I", len(held)) + kind + held + struct.pack(">I", zlib.crc32(kind + held))
            def png(when):
                head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
                made = chunk(b"tIME", struct.pack(">HBBBBB", *when[:6]))
                return b"\\x89PNG\\r\\n\\x1a\\n" + head + made + chunk(b"IDAT", zlib.compress(b"\\0\\0")) + chunk(b"IEND", b"")
            """,
            "demo/x.png",
        ),
        data(
            "png(time.gmtime(now))",
            _NOW
            + """
import struct, zlib
def chunk(kind, held):
    return struct.pack(">I", len(held)) + kind + held + struct.pack(">I", zlib.crc32(kind + held))
def png(when):
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    made = chunk(b"tIME", struct.pack(">HBBBBB", *when[:6]))
    return b"\\x89PNG\\r\\n\\x1a\\n" + head + made + chunk(b"IDAT", zlib.compress(b"\\0\\0")) + chunk(b"IEND", b"")
""",
            "demo/x.png",
        ),
        _GIVEN,
    ),
    Fault(
        "a compiled module with the time of its source",
        "mtimes",
        ("D011",),
        data(
            "compiled()",
            """
            import py_compile
            def compiled():
                mode = py_compile.PycInvalidationMode.TIMESTAMP
                with open(py_compile.compile("parts/mod.py", "mod.pyc", "mod.py", invalidation_mode=mode), "rb") as file:
                    return file.read()
            """,
            "demo/mod.pyc",
        ),
        data(
            "compiled()",
            """
            import py_compile
            def compiled():
                mode = py_compile.PycInvalidationMode.CHECKED_HASH  # checked-hash
                with open(py_compile.compile("parts/mod.py", "mod.pyc", "mod.py", invalidation_mode=mode), "rb") as file:
                    return file.read()
            """,
            "demo/mod.pyc",
        ),
        "checked-hash",
        {"parts/mod.py": "X = 1\n"},
    ),
    Fault(
        "a database with the time",
        "time",
        ("D005",),
        data(
            "database(int(time.time()))",
            """
            import pathlib, sqlite3, time
            def database(when):
                pathlib.Path("x.db").unlink(missing_ok=True)
                store = sqlite3.connect("x.db")
                store.execute("create table built (moment integer, what text)")
                store.execute("insert into built values (?, 'demo')", (when,))
                store.commit()
                store.close()
                with open("x.db", "rb") as file:
                    return file.read()
            """,
            "demo/x.db",
        ),
        data(
            "database(now)",
            _NOW
            + """
import pathlib, sqlite3
def database(when):
    pathlib.Path("x.db").unlink(missing_ok=True)
    store = sqlite3.connect("x.db")
    store.execute("create table built (moment integer, what text)")
    store.execute("insert into built values (?, 'demo')", (when,))
    store.commit()
    store.close()
    with open("x.db", "rb") as file:
        return file.read()
""",
            "demo/x.db",
        ),
        _GIVEN,
    ),
    Fault(
        "an SBOM with a serial number",
        "the moment",
        ("D018",),
        one(
            "json.dumps({'bomFormat': 'CycloneDX', 'specVersion': '1.5', 'version': 1, 'serialNumber': 'urn:uuid:' + str(uuid.uuid4()), 'components': []})",
            "import json, uuid",
            "demo-1.0.dist-info/sboms/x.cdx.json",
        ),
        NORMALIZED,
        "samebytes normalize",
    ),
)

_PLACES = (
    Fault(
        "the host's name",
        "host",
        ("D004",),
        one("'made on ' + platform.node()", "import platform"),
        one("'made'"),
        "Take platform.node()",
    ),
    Fault(
        "the host's name, by itself",
        "host",
        ("D004",),
        one("repr({'h': socket.gethostname()})", "import socket"),
        one("repr({})"),
        "Take platform.node()",
    ),
    Fault(
        "a digest of the host's name",
        "host",
        ("D004",),
        one("hashlib.md5(platform.node().encode()).hexdigest()", "import platform, hashlib"),
        one("'made'"),
        "Take platform.node()",
    ),
    Fault(
        "the user's name",
        "user",
        ("D003",),
        one("'by ' + getpass.getuser()", "import getpass"),
        one("'by us'"),
        "Take getpass.getuser()",
    ),
    Fault(
        "the home directory",
        "home",
        ("D001", "D028"),
        one("'config in ' + os.path.expanduser('~/.demorc')", "import os"),
        one("'config in ' + '~/.demorc'", "import os"),
        "~/",
    ),
    Fault(
        "the directory of the build",
        "build-path",
        ("D001",),
        one("'ROOT = ' + repr(os.getcwd())", "import os"),
        one("'ROOT = ' + repr('.')"),
        "relative to the project",
    ),
    Fault(
        "the directory, pickled",
        "build-path",
        ("D001",),
        data("pickle.dumps({'root': os.getcwd(), 'n': 7})", "import os, pickle"),
        data("pickle.dumps({'root': '.', 'n': 7})", "import pickle"),
        "relative to the project",
    ),
    Fault(
        "the length of a path",
        "build-path",
        ("D001",),
        one("'-' * len(os.getcwd()) + 'x'", "import os"),
        one("'-' * 20 + 'x'"),
        "relative to the project",
    ),
    Fault(
        "the directory for temporary files",
        "temp",
        ("D002",),
        one("'cache = ' + tempfile.gettempdir()", "import tempfile"),
        one("'cache = '"),
        "Take tempfile",
    ),
    Fault(
        "a temporary directory's name",
        "the moment",
        ("D002",),
        one("'from ' + os.path.basename(tempfile.mkdtemp())", "import os, tempfile"),
        one("'from'"),
        "Take tempfile",
    ),
    Fault(
        "the directory, in C",
        "build-path",
        ("D001",),
        data(
            "compiled()",
            """
            import subprocess, os
            def compiled():
                subprocess.run(["gcc", "-g", "-shared", "-fPIC", "-o", "x.so", os.path.abspath("x.c")], check=True)
                with open("x.so", "rb") as file:
                    return file.read()
            """,
            "demo/x.so",
        ),
        data(
            "compiled()",
            """
            import subprocess, os
            def compiled():
                flags = [f"-ffile-prefix-map={os.getcwd()}=."]
                subprocess.run(["gcc", "-g", *flags, "-shared", "-fPIC", "-o", "x.so", os.path.abspath("x.c")], check=True)
                with open("x.so", "rb") as file:
                    return file.read()
            """,
            "demo/x.so",
        ),
        "-ffile-prefix-map=",
        {"x.c": "const char *where(void) { return __FILE__; }\n"},
        needs=("gcc",),
    ),
)

_ENVIRONMENT = (
    Fault(
        "the environment, as JSON",
        "user",
        ("D027",),
        one("json.dumps(dict(os.environ), indent=1)", "import json, os"),
        one("json.dumps({}, indent=1)", "import json, os"),
        "os.environ",
    ),
    Fault(
        "the environment, sorted, in lines",
        "user",
        ("D027",),
        one("''.join(f'{name}={value}\\n' for name, value in sorted(os.environ.items()))", "import os"),
        one("''"),
        "os.environ",
    ),
    Fault(
        "PATH",
        "exec-path",
        ("D027",),
        one("'PATH was ' + os.environ['PATH']", "import os"),
        one("'PATH was not kept'"),
        "os.environ",
    ),
    Fault("LANG", "locales", ("D006",), one("'lang ' + os.environ['LANG']", "import os"), one("'lang'"), "LC_ALL"),
    Fault(
        "the width of the terminal",
        "terminal",
        ("D029",),
        one(
            "textwrap.fill('many words make a line ' * 30, shutil.get_terminal_size().columns)",
            "import shutil, textwrap",
        ),
        one("textwrap.fill('many words make a line ' * 30, width=80)", "import textwrap"),
        "width=80",
    ),
    Fault(
        "the help of argparse",
        "terminal",
        ("D029",),
        one(
            "parser.format_help()",
            "import argparse\nparser = argparse.ArgumentParser('demo', description='many words make a line ' * 20)",
        ),
        one(
            "parser.format_help()",
            "import argparse, os\nos.environ['COLUMNS'] = '80'\nparser = argparse.ArgumentParser('demo', description='many words make a line ' * 20)",
        ),
        "COLUMNS",
    ),
    Fault(
        "how many processors",
        "processors",
        ("D021",),
        one("f'workers = {len(os.sched_getaffinity(0))}'", "import os"),
        one("'workers = 1'"),
        "Take os.cpu_count()",
    ),
    Fault(
        "work shared by processors",
        "processors",
        ("D021",),
        one(
            "repr([list(range(24))[n::workers] for n in range(workers)])",
            "import os\nworkers = len(os.sched_getaffinity(0))",
        ),
        one("repr([list(range(24))])"),
        "one number for all",
    ),
    Fault(
        "how many jobs",
        "parallelism",
        ("D021",),
        one("'jobs: ' + os.environ['MAKEFLAGS']", "import os"),
        one("'jobs: '"),
        "MAKEFLAGS",
    ),
    Fault(
        "the time zone's offset",
        "timezone",
        ("D007",),
        one("time.strftime('%z')", "import time"),
        one("'+0000'", "import os\nos.environ['TZ'] = 'UTC'"),
        "TZ",
    ),
    Fault(
        "a fixed moment in local time",
        "timezone",
        ("D007",),
        one("'released ' + time.strftime('%Y-%m-%d %H:%M', time.localtime(1700000000))", "import time"),
        one("'released ' + time.strftime('%Y-%m-%d %H:%M', time.gmtime(1700000000))", "import time"),
        "time.gmtime(",
    ),
    Fault(
        "the hour of a fixed moment",
        "timezone",
        ("D007",),
        one("f'hour {datetime.datetime.fromtimestamp(1700000000).hour}'", "import datetime"),
        one(
            "f'hour {datetime.datetime.fromtimestamp(1700000000, timezone.utc).hour}'",
            "import datetime\nfrom datetime import timezone",
        ),
        "timezone.utc",
    ),
    Fault(
        "the encoding of the locale",
        "locales",
        ("D006",),
        one(
            "'coding: ' + codecs.lookup(locale.nl_langinfo(locale.CODESET)).name",
            "import locale, codecs\nlocale.setlocale(locale.LC_ALL, '')",
        ),
        one("'coding: utf-8'", "import os\nos.environ['LC_ALL'] = 'C.UTF-8'"),
        "LC_ALL",
    ),
)

_FILES = (
    Fault(
        "the mode of a file, in a text",
        "umask",
        ("D010",),
        one("oct(os.stat('parts/alpha.txt').st_mode)", "import os"),
        one("oct(0o644)"),
        "0o644",
    ),
    Fault(
        "the mode of a file that was written",
        "umask",
        ("D010",),
        one("f'mode {os.stat(\"new.txt\").st_mode & 0o777:o}'", "import os\nopen('new.txt', 'w').close()"),
        one(
            "f'mode {os.stat(\"new.txt\").st_mode & 0o777:o}'",
            "import os\nopen('new.txt', 'w').close()\nos.chmod('new.txt', 0o644)",
        ),
        "0o644",
    ),
    Fault(
        "the modes of members",
        "umask",
        ("D010",),
        one(
            "''",
            "import os\ndef header(each):\n    each.external_attr = os.stat('parts/alpha.txt').st_mode << 16\n    return each",
        ),
        NORMALIZED,
        "samebytes normalize",
    ),
    Fault(
        "the times of members",
        "mtimes",
        ("D011",),
        one(
            "''",
            "import os, time\ndef header(each):\n    each.date_time = time.gmtime(os.path.getmtime('parts/alpha.txt'))[:6]\n    return each",
        ),
        NORMALIZED,
        "samebytes normalize",
    ),
    Fault(
        "the time of the build, of members",
        "time",
        ("D011",),
        one("''", "import time\ndef header(each):\n    each.date_time = time.gmtime()[:6]\n    return each"),
        NORMALIZED,
        "samebytes normalize",
    ),
    Fault(
        "members' times in local time",
        "timezone",
        ("D007",),
        one(
            "''", "import time\ndef header(each):\n    each.date_time = time.localtime(1700000000)[:6]\n    return each"
        ),
        NORMALIZED,
        "samebytes normalize",
    ),
    Fault(
        "the time of a file, in a text",
        "mtimes",
        ("D011", "D005"),
        one("f'changed {os.path.getmtime(\"parts/beta.txt\")}'", "import os"),
        one("'changed'"),
        "os.path.getmtime",
    ),
    Fault(
        "the owner of a file, in a text",
        "owner",
        ("D012",),
        one("f'owner {os.stat(\"parts/beta.txt\").st_uid}'", "import os"),
        one("'owner 0'"),
        "owner",
    ),
    Fault(
        "a listing, in one line",
        "file-order",
        ("D009",),
        one("'MODULES = ' + repr([name[:-4] for name in os.listdir('parts')])", "import os"),
        one("'MODULES = ' + repr([name[:-4] for name in sorted(os.listdir('parts'))])", "import os"),
        "sorted(os.listdir(",
    ),
    Fault(
        "a listing, in lines",
        "file-order",
        ("D009",),
        one("''.join(name + '\\n' for name in os.listdir('parts'))", "import os"),
        one("''.join(name + '\\n' for name in sorted(os.listdir('parts')))", "import os"),
        "sorted(os.listdir(",
    ),
    Fault(
        "contents of files, joined",
        "file-order",
        ("D009",),
        one("''.join(open(name).read() for name in glob.glob('parts/*.txt'))", "import glob"),
        one("''.join(open(name).read() for name in sorted(glob.glob('parts/*.txt')))", "import glob"),
        "sorted(glob.glob(",
    ),
    Fault(
        "numbers of files",
        "file-order",
        ("D009",),
        one("repr({name: number for number, name in enumerate(os.listdir('parts'))})", "import os"),
        one("repr({name: number for number, name in enumerate(sorted(os.listdir('parts')))})", "import os"),
        "sorted(os.listdir(",
    ),
    Fault(
        "a digest of a listing",
        "file-order",
        ("D009",),
        one("hashlib.sha256(repr(os.listdir('parts')).encode()).hexdigest()", "import os, hashlib"),
        one("hashlib.sha256(repr(sorted(os.listdir('parts'))).encode()).hexdigest()", "import os, hashlib"),
        "sorted(os.listdir(",
    ),
    Fault(
        "members as they are listed",
        "file-order",
        ("D009",),
        "import os\ndef files():\n    return {'demo/' + name: open('parts/' + name, 'rb').read() for name in os.listdir('parts')}\n",
        NORMALIZED,
        "samebytes normalize",
    ),
)

_WORDS = "['red', 'green', 'blue', 'white', 'black', 'brown', 'pink']"

_ORDERS = (
    Fault(
        "a set, in one line",
        "hash-seed",
        ("D008",),
        one(f"', '.join(set({_WORDS}))"),
        one(f"', '.join(sorted(set({_WORDS})))"),
        "sorted(",
    ),
    Fault(
        "a set, in lines",
        "hash-seed",
        ("D008",),
        one(f"'\\n'.join(set({_WORDS}))"),
        one(f"'\\n'.join(sorted(set({_WORDS})))"),
        "sorted(",
    ),
    Fault(
        "a set, pickled",
        "hash-seed",
        ("D008",),
        data(f"pickle.dumps(set({_WORDS}))", "import pickle"),
        data(f"pickle.dumps(sorted(set({_WORDS})))", "import pickle"),
        "sorted(",
    ),
    Fault(
        "a hash",
        "hash-seed",
        ("D008",),
        one("f'key {hash(\"demo\"):x}'"),
        one("'key ' + hashlib.sha256(b'demo').hexdigest()", "import hashlib"),
        "hashlib",
    ),
    Fault(
        "numbers by a set",
        "hash-seed",
        ("D008",),
        one(f"repr(dict(zip(set({_WORDS}), range(9))))"),
        one(f"repr(dict(zip(sorted(set({_WORDS})), range(9))))"),
        "sorted(",
    ),
    Fault(
        "requirements from a set",
        "hash-seed",
        ("D008",),
        one("''", f"def metadata(): return ''.join(f'Requires-Dist: {{name}}\\n' for name in set({_WORDS}))"),
        one("''", f"def metadata(): return ''.join(f'Requires-Dist: {{name}}\\n' for name in sorted(set({_WORDS})))"),
        "sorted(",
    ),
    Fault(
        "RECORD in the order of a set",
        "hash-seed",
        ("D008", "D009"),
        one("''", "rows = set"),
        NORMALIZED,
        "samebytes normalize",
    ),
    Fault(
        "an SBOM's components from a set",
        "hash-seed",
        ("D008",),
        one(
            f"json.dumps({{'bomFormat': 'CycloneDX', 'specVersion': '1.5', 'version': 1, 'components': [{{'type': 'library', 'name': name, 'bom-ref': name}} for name in set({_WORDS})]}})",
            "import json",
            "demo-1.0.dist-info/sboms/x.cdx.json",
        ),
        one(
            f"json.dumps({{'bomFormat': 'CycloneDX', 'specVersion': '1.5', 'version': 1, 'components': [{{'type': 'library', 'name': name, 'bom-ref': name}} for name in sorted(set({_WORDS}))]}})",
            "import json",
            "demo-1.0.dist-info/sboms/x.cdx.json",
        ),
        "sorted(",
    ),
)

_CHANCE = (
    Fault(
        "a UUID",
        "the moment",
        ("D030",),
        one("'id ' + str(uuid.uuid4())", "import uuid"),
        one("'id ' + str(uuid.uuid5(uuid.NAMESPACE_DNS, 'demo'))", "import uuid"),
        "uuid.uuid5(",
    ),
    Fault(
        "a token",
        "the moment",
        ("D030",),
        one("'TOKEN = ' + repr(secrets.token_hex(16))", "import secrets"),
        one("'TOKEN = ' + repr('')"),
        "Take random",
    ),
    Fault(
        "random bytes",
        "the moment",
        ("D030",),
        data("b'SALT' + os.urandom(32)", "import os"),
        data("b'SALT' + hashlib.sha256(b'demo').digest()", "import hashlib"),
        "hashlib",
    ),
    Fault("an address", "the moment", ("D030",), one("repr(object())"), one("object.__name__"), "Take random"),
    Fault("an id()", "the moment", ("D030",), one("f'{id(object)}'"), one("f'{object.__name__}'"), "Take random"),
    Fault(
        "a process's number",
        "the moment",
        ("D030",),
        one("f'pid {os.getpid()}'", "import os"),
        one("'pid'"),
        "Take random",
    ),
    Fault(
        "a random number",
        "the moment",
        ("D030",),
        one("f'seed = {random.random()}'", "import random"),
        one("f'seed = {random.Random(0).random()}'", "import random"),
        "random.Random(0)",
    ),
    Fault(
        "the order in which threads end",
        "the moment",
        ("D030",),
        one(
            "'\\n'.join(done())",
            "import random, time\nfrom concurrent.futures import ThreadPoolExecutor, as_completed\ndef work(name):\n    time.sleep(random.random() / 50)\n    return name\ndef done():\n    with ThreadPoolExecutor(8) as pool:\n        return [each.result() for each in as_completed([pool.submit(work, f'part {n} of it') for n in range(12)])]",
        ),
        one(
            "'\\n'.join(done())",
            "import random, time\nfrom concurrent.futures import ThreadPoolExecutor, as_completed\ndef work(name):\n    time.sleep(random.random() / 50)\n    return name\ndef done():\n    with ThreadPoolExecutor(8) as pool:\n        return sorted(each.result() for each in as_completed([pool.submit(work, f'part {n} of it') for n in range(12)]))",
        ),
        "sorted(",
    ),
    Fault(
        "how long it took",
        "the moment",
        ("D005", "D030"),
        one("f'done in {time.perf_counter() - began:.9f} s'", "import time\nbegan = time.perf_counter()"),
        one("'done'"),
        "Take ",
    ),
    Fault(
        "the number of a file",
        "the moment",
        ("D030",),
        one("f'inode {os.stat(\"made.py\").st_ino}'", "import os"),
        one("'inode'"),
        "Take random",
    ),
)

_COUNT = """
import pathlib
count = pathlib.Path("build-number.txt")
number = int(count.read_text()) + 1
count.write_text(f"{number}\\n")
"""

_TREE = (
    Fault(
        "a build number",
        "leftovers",
        ("D031",),
        one("f'build {number}'", _COUNT),
        one("f'build {number}'", 'import os\nnumber = os.environ.get("BUILD_NUMBER", "0")'),
        'os.environ.get("BUILD_NUMBER"',
        {"build-number.txt": "7\n"},
    ),
    Fault(
        "a build number, kept in a new file",
        "leftovers",
        ("D031",),
        one(
            "f'build {number}'",
            _COUNT.replace("int(count.read_text()) + 1", "int(count.read_text()) + 1 if count.exists() else 1"),
        ),
        one("f'build {number}'", 'import os\nnumber = os.environ.get("BUILD_NUMBER", "0")'),
        'os.environ.get("BUILD_NUMBER"',
    ),
    Fault(
        "files of an earlier build",
        "leftovers",
        ("D020",),
        "import os, pathlib\nold = sorted(pathlib.Path('build/lib').glob('*')) if os.path.isdir('build') else []\ndef files():\n    found = {'demo/' + path.name: path.read_bytes() for path in old}\n    os.makedirs('build/lib', exist_ok=True)\n    pathlib.Path('build/lib/old.py').write_text('OLD = 1\\n')\n    return found\n",
        "import shutil, pathlib\nshutil.rmtree('build', ignore_errors=True)  # Build from a clean tree\ndef files():\n    return {}\n",
        "Build from a clean tree",
    ),
    Fault(
        "a commit",
        "checkout",
        ("D016",),
        one(
            "'COMMIT = ' + repr(commit.stdout.strip() or 'none')",
            "import subprocess\ncommit = subprocess.run(['git', 'rev-parse', 'HEAD'], capture_output=True, text=True)",
        ),
        one("'COMMIT = ' + repr(os.environ.get('DEMO_COMMIT', ''))", "import os"),
        "os.environ.get",
        is_checkout=True,
        needs=("git",),
    ),
    Fault(
        "whether there is a checkout",
        "checkout",
        ("D016",),
        one("f'release = {not os.path.isdir(\".git\")}'", "import os"),
        one("'release = True'"),
        "release",
        is_checkout=True,
        needs=("git",),
    ),
    Fault(
        "files that git knows",
        "checkout",
        ("D016",),
        one(
            "listed.stdout",
            "import subprocess\nlisted = subprocess.run(['git', 'ls-files', 'parts'], capture_output=True, text=True)",
        ),
        one("''.join(sorted('parts/' + name + '\\n' for name in os.listdir('parts')))", "import os"),
        "sorted(",
        is_checkout=True,
        needs=("git",),
    ),
)

FAULTS: tuple[Fault, ...] = (*_DATES, *_PAYLOAD, *_PLACES, *_ENVIRONMENT, *_FILES, *_ORDERS, *_CHANCE, *_TREE)
"""Every project."""
