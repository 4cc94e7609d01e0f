"""Inputs that show what is done with contents, and how they are compressed: sections 4 and 7."""

from __future__ import annotations

import hashlib
import json
import struct

from support.canonical_reader import canonical_stream, noise, squares
from support.tars import member
from support.zips import Member

from conformance.case import METADATA, WHEEL, Rules, sdist, stored, wheel

OTHER = stored("a.py", b"x = 1\n")


def metadata(text: bytes) -> bytes:
    return wheel(OTHER, metadata=text)


def of_wheel(text: bytes) -> bytes:
    return wheel(OTHER, text=text)


def top_level(text: bytes) -> bytes:
    return wheel(OTHER, more={"top_level.txt": text.decode("latin-1").encode("latin-1")})


EVERY = b"""\
Obsoletes: o
Provides: p
Requires: r
Download-URL: https://example.org/d
Home-page: https://example.org
Obsoletes-Dist: od
Provides-Dist: pd
Import-Namespace: ns
Import-Name: a
Provides-Extra: x
Project-URL: B, https://example.org/b
Project-URL: A, https://example.org/a
Requires-External: libc
Requires-Python: >=3.9
Requires-Dist: z
Requires-Dist: b
Classifier: Z
Classifier: A
License-File: LICENSE
License-Expression: MIT
License: MIT
Maintainer-email: m@example.org
Maintainer: M
Author-email: a@example.org
Author: A
Keywords: k
Description-Content-Type: text/plain
Description: one
        two
Summary: s
Supported-Platform: linux
Platform: any
Dynamic: d
Version: 1
Name: a
Metadata-Version: 2.5
X-Unknown: u
"""

BLOCKS: Rules = {
    "7.1 Lines end in LF. A CR directly before the LF belongs to the line's end. The last line may lack its end.": {
        "metadata-crlf": metadata(METADATA.replace(b"\n", b"\r\n")),
        "metadata-mixed-ends": metadata(METADATA.replace(b"\n", b"\r\n", 1)),
        "metadata-no-last-end": metadata(METADATA[:-1]),
        "metadata-no-last-end-crlf": metadata(METADATA.replace(b"\n", b"\r\n")[:-2]),
    },
    "7.1 The *header* is the lines before the first empty line. If there is an empty line, the *body* is everything"
    " after its end.": {
        "metadata-body": metadata(b"Name: a\nMetadata-Version: 2.1\nVersion: 1\n\nbody\nName: b\r\n  \n\n"),
        "metadata-body-empty": metadata(b"Name: a\nMetadata-Version: 2.1\nVersion: 1\n\n"),
        "metadata-body-crlf": metadata(b"Name: a\r\nMetadata-Version: 2.1\r\nVersion: 1\r\n\r\nbody\r\nmore"),
        "metadata-body-of-empty-lines": metadata(METADATA + b"\n\n\n"),
        "metadata-blank-is-no-empty-line": metadata(b"Name: a\nMetadata-Version: 2.1\nVersion: 1\n \nSummary: s\n"),
    },
    "7.1 The header has at least one line. Its lines hold no NUL and no CR.": {
        "metadata-no-header": metadata(b"\nName: a\nMetadata-Version: 2.1\n"),
        "metadata-nul": metadata(b"Name: a\0\nMetadata-Version: 2.1\n"),
        "metadata-cr": metadata(b"Name: a\rb\nMetadata-Version: 2.1\n"),
        "metadata-two-crs": metadata(b"Name: a\r\r\nMetadata-Version: 2.1\n"),
        "metadata-cr-at-the-end": metadata(b"Name: a\nMetadata-Version: 2.1\r"),
        "metadata-nul-in-body": metadata(b"Name: a\nMetadata-Version: 2.1\n\n\0"),
    },
    "7.1 Each line of the header either begins a field, or continues the one before.": {
        "metadata-continuation": metadata(
            b"Summary: s\n more\n\tand more\nMetadata-Version: 2.1\nName: a\nVersion: 1\n"
        ),
        "metadata-continuation-first": metadata(b" x\nName: a\nMetadata-Version: 2.1\n"),
        "metadata-line-without-colon": metadata(b"Version: 1\nName\nMetadata-Version: 2.1\n"),
        "metadata-name-empty": metadata(b"Version: 1\n: x\nName: a\n"),
        "metadata-blank-in-name": metadata(b"Version : 1\nName: a\n"),
        "metadata-name-not-ascii": metadata("Versión: 1\nName: a\n".encode()),
        "metadata-value-empty": metadata(b"Version:\nName:a\nMetadata-Version:2.1\n"),
        "metadata-value-not-utf-8": metadata(b"Version: 1\nName: a\nAuthor: Andr\xe9\nMetadata-Version: 2.1\n"),
    },
    "7.1 A file that cannot be read so is not changed at all.": {
        "metadata-empty": metadata(b""),
        "metadata-crlf-and-cr": metadata(b"Name: a\r\nVersion: 1\rx\r\nMetadata-Version: 2.1\r\n"),
    },
    "7.1 Fields are matched with the table without regard to ASCII case.": {
        "metadata-case": metadata(b"VERSION: 1\nname: a\nMetadata-version: 2.1\n"),
    },
    "7.1 Fields that it does not list come after all others.": {
        "metadata-unlisted": metadata(b"X-B: 1\nName: a\nX-A: 2\nMetadata-Version: 2.1\nX-B: 0\nVersion: 1\n"),
        "metadata-of-a-later-version": metadata(b"Something-New: 1\nMetadata-Version: 9.9\nName: a\nVersion: 1\n"),
    },
    "7.1 keep the order among them that they had.": {
        "metadata-case-of-repeated": metadata(b"classifier: Z\nClassifier: B\nCLASSIFIER: A\nName: a\nVersion: 1\n"),
    },
    "7.2 The order in which the core metadata specification, version 2.5, describes the fields:": {
        "metadata-every-field": metadata(EVERY),
        "pkg-info-every-field": sdist(member(b"a-1/f"), info=EVERY),
    },
    "7.2 Repeated fields (`Classifier`, `Requires-Dist`, `Project-URL` …) keep their order,": {
        "metadata-repeated": metadata(
            b"Requires-Dist: z\nMetadata-Version: 2.1\nRequires-Dist: b\nName: a\nVersion: 1\nRequires-Dist: y\n"
        ),
    },
    "7.3 The order in which the wheel specification describes the fields:": {
        "wheel-order": of_wheel(
            b"Build: 1\nTag: py3-none-any\nX: y\nRoot-Is-Purelib: true\nGenerator: x\nWheel-Version: 1.0\n"
        ),
        "wheel-crlf": of_wheel(WHEEL.replace(b"\n", b"\r\n")),
        "wheel-empty-line": of_wheel(WHEEL + b"\n"),
    },
    "7.3 The `Tag` fields are sorted by their values.": {
        "wheel-tags": of_wheel(WHEEL + b"Tag: cp39-none-any\nTag: py2-none-any\n"),
        "wheel-tags-between": of_wheel(b"Tag: py3-none-any\nWheel-Version: 1.0\nTag: py2-none-any\nGenerator: x\n"),
        "wheel-tags-blanks": of_wheel(b"Wheel-Version: 1.0\nTag:py3\nTag:   py2  \nTag: \t py1\n"),
        "wheel-tags-case-of-name": of_wheel(b"Wheel-Version: 1.0\ntag: b\nTAG: a\nTag: c\n"),
        "wheel-tags-continued": of_wheel(b"Wheel-Version: 1.0\nTag: b\n a\nTag: b\n  a\nTag: b\n"),
        "wheel-tags-by-bytes": of_wheel("Wheel-Version: 1.0\nTag: é\nTag: z\nTag: Z\n".encode()),
    },
    "7.3 Fields with equal values keep their order. None is dropped.": {
        "wheel-tags-equal": of_wheel(b"Wheel-Version: 1.0\nTag: b \nTag:  b\nTag: a\ntag: b\n"),
    },
    "7.4 A CR before an LF is dropped. Then all LFs at the end are dropped.": {
        "list-crlf": top_level(b"b\r\na\r\n"),
        "list-lfs-at-the-end": top_level(b"b\na\n\n\n"),
        "list-no-last-lf": top_level(b"b\na"),
    },
    "7.4 What remains is split at its LFs. The lines are sorted.": {
        "list-by-bytes": top_level("é\nz\nZ\n_\n\uffee\n\U00010000\n".encode()),
        "list-not-utf-8": top_level(b"\xff\n\xe9\na\n"),
        "list-blanks": top_level(b"b\n a\n\ta\n"),
    },
    "7.4 A file that is empty, or holds a NUL or a CR that no LF follows, is not changed.": {
        "list-empty": top_level(b""),
        "list-nul": top_level(b"b\0\na\n"),
        "list-cr": top_level(b"b\rc\na\n"),
        "list-cr-at-the-end": top_level(b"b\na\r"),
        "list-two-crs": top_level(b"b\r\r\na\n"),
    },
    "7.4 Repeated lines stay, and so do empty ones that were not at the end.": {
        "list-repeated": top_level(b"b\na\nb\n"),
        "list-empty-lines": top_level(b"b\n\na\n\nc\n"),
    },
    "7.4 A file of empty lines alone becomes one LF.": {
        "list-of-empty-lines": top_level(b"\n\n\n"),
        "list-of-empty-crlf": top_level(b"\r\n\r\n"),
    },
    "7 The contents of files are the user's and MUST NOT be changed, with the exceptions of this section.": {
        "contents-kept": wheel(
            stored("METADATA", b"Version: 1\r\nName: a\r\n"),
            stored("pkg/top_level.txt", b"b\na\n"),
            stored("pkg/a-1.dist-info/METADATA", b"Version: 1\nName: a\n"),
            more={
                "entry_points.txt": b"[z]\r\nb=c\r\n[a]\r\n",
                "SOURCES.txt": b"b\na\n",
                "d/METADATA": b"B: 1\nName: a\n",
            },
        ),
        "contents-kept-in-an-sdist": sdist(
            member(b"a-1/setup.cfg", b"[metadata]\r\n"),
            member(b"a-1/METADATA", b"Version: 1\nName: a\n"),
            member(b"a-1/SOURCES.txt", b"b\na\n"),
            member(b"a-1/d/PKG-INFO", b"Version: 1\nName: a\n"),
            member(b"a-1/.source-date-epoch", b"1\n"),
            member(b"a-1/a.pyc", bytes(20)),
        ),
    },
    "7 The *egg-info directories* of an sdist are its own only: a directory `P.egg-info` anywhere beneath the top"
    " directory": {
        "egg-info": sdist(
            member(b"a-1/a.egg-info/PKG-INFO", b"Version: 1\r\nName: a\r\n"),
            member(b"a-1/src/a.egg-info/SOURCES.txt", b"b\r\na\r\n"),
            member(b"a-1/src/A.egg-info/top_level.txt", b"b\na\n"),
            member(b"a-1/a.egg-info/requires.txt", b"b\na\n"),
            member(b"a-1/a.egg-info/d/SOURCES.txt", b"b\na\n"),
        ),
        "egg-info-of-another": sdist(
            member(b"a-1/tests/b.egg-info/PKG-INFO", b"Version: 1\nName: b\n"),
            member(b"a-1/tests/ab.egg-info/SOURCES.txt", b"b\na\n"),
            member(b"a-1/a-1.egg-info/SOURCES.txt", b"b\na\n"),
            member(b"a-1/.egg-info/SOURCES.txt", b"b\na\n"),
        ),
    },
    "7.9 In a wheel, a file of that name in the archive's root is removed.": {
        "reserved-date-file": wheel(OTHER, stored(".source-date-epoch", b"1600000000\n")),
        "reserved-date-file-deeper": wheel(OTHER, stored("d/.source-date-epoch", b"1600000000\n")),
    },
}


def cyclonedx(**more: object) -> dict[str, object]:
    return {"bomFormat": "CycloneDX", "specVersion": "1.5", **more}


SERIAL = "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79"


def sboms(**documents: object) -> bytes:
    """Return a wheel with SBOMs; a document of bytes is taken as it is, ``__`` in its name stands for a dot."""
    files = {
        f"sboms/{name.replace('__', '.')}": text if isinstance(text, bytes) else json.dumps(text).encode()
        for name, text in documents.items()
    }
    return wheel(OTHER, more=files)


COMPONENTS = [{"type": "library", "name": name, "bom-ref": name} for name in ("z", "b", "é")]
SPDX = {
    "spdxVersion": "SPDX-2.3",
    "documentNamespace": "https://example.org/a-3E671687-395b-41f5-a30f-a58921a69b79",
    "creationInfo": {"created": "2024-01-01T00:00:00Z", "creators": ["Tool: t"]},
    "packages": [
        {"SPDXID": "SPDXRef-b", "name": "b", "builtDate": "2023-01-01T00:00:00Z"},
        {"SPDXID": "SPDXRef-a", "name": "a", "hasFiles": ["SPDXRef-z", "SPDXRef-y"]},
    ],
    "annotations": [{"annotationDate": "2024-01-01T00:00:00Z", "comment": "x"}],
}

SBOMS: Rules = {
    "7.7 A candidate is rewritten if it is JSON in UTF-8 and is CycloneDX (`bomFormat` is `CycloneDX`) or SPDX 2"
    " (`spdxVersion` is `SPDX-2.` and digits).": {
        "sbom-cyclonedx": sboms(x__json=cyclonedx(version=1)),
        "sbom-spdx": sboms(x__json={"spdxVersion": "SPDX-2.3", "name": "a"}),
        "sbom-spdx-3": sboms(x__json={"spdxVersion": "SPDX-3.0", "name": "a"}),
        "sbom-of-neither": sboms(x__json={"name": "a"}),
        "sbom-of-both": sboms(x__json=cyclonedx(spdxVersion="SPDX-2.3")),
        "sbom-deeper": wheel(OTHER, more={"sboms/d/e/x.txt": json.dumps(cyclonedx()).encode()}),
        "sbom-elsewhere": wheel(OTHER, more={"sbom/x.json": json.dumps(cyclonedx()).encode()}),
        "sbom-not-utf-8": sboms(x__json=b'{"bomFormat": "CycloneDX", "a": "\xe9"}'),
        "sbom-byte-order-mark": sboms(x__json=b"\xef\xbb\xbf" + json.dumps(cyclonedx()).encode()),
        "sbom-xml": sboms(x__xml=b"<bom/>"),
    },
    "7.7 object, holds an object with a member `signature` or a string with a NUL,": {
        "sbom-signed": sboms(x__json=cyclonedx(signature={"value": "x"})),
        "sbom-signed-part": sboms(x__json=cyclonedx(components=[{"name": "b", "signature": {}}])),
        "sbom-nul": sboms(x__json=cyclonedx(name="a\0b")),
        "sbom-name-twice": sboms(x__json=b'{"bomFormat": "CycloneDX", "a": 1, "a": 2}'),
        "sbom-100-levels": sboms(x__json=b'{"bomFormat": "CycloneDX", "a": ' + b"[" * 99 + b"]" * 99 + b"}"),
        "sbom-101-levels": sboms(x__json=b'{"bomFormat": "CycloneDX", "a": ' + b"[" * 101 + b"]" * 101 + b"}"),
    },
    "7.7 if another file's name is its name, a dot, and anything but `license`, if its own UUID occurs in another"
    " candidate,": {
        "sbom-with-a-signature-beside": sboms(x__json=cyclonedx(), x__json__sig=b"x"),
        "sbom-with-a-licence-beside": sboms(x__json=cyclonedx(), x__json__license=b"x"),
        "sbom-named-by-another": sboms(x__json=cyclonedx(serialNumber=SERIAL), y__json=cyclonedx(ref=SERIAL.upper())),
    },
    "7.7 times of making the document are the date, in the form `2020-02-02T00:00:00Z`.": {
        "sbom-time": sboms(x__json=cyclonedx(metadata={"timestamp": "2024-05-06T07:08:09Z", "t": "2024-05-06"})),
        "sbom-times": sboms(
            x__json=cyclonedx(
                formulation=[{"workflows": [{"timeStart": "x", "tasks": [{"timeEnd": "y", "timeActivated": "z"}]}]}],
                annotations=[{"timestamp": "2024-05-06T07:08:09Z"}],
                vulnerabilities=[{"created": "2024-05-06T07:08:09Z"}],
            )
        ),
    },
    "7.7 absolute paths of the source become relative;": {
        "sbom-package-path": sboms(
            x__json=cyclonedx(
                components=[{"bom-ref": f"path+file:///home/a/tiny/{name}#{name}@1.0"} for name in ("x", "y")],
                metadata={"component": {"bom-ref": "path+file:///home/a/tiny#tiny@1.0"}},
            )
        ),
        "sbom-package-path-alone": sboms(x__json=cyclonedx(components=[{"bom-ref": "path+file:///home/a/tiny#1.0"}])),
        "sbom-file-urls": sboms(
            x__json=cyclonedx(
                components=[{"purl": "pkg:a/b?vcs_url=file%3A%2F%2F%2Fhome%2Fa%2Fc"}, {"u": "file:///home/a/d/x.c"}]
            )
        ),
        "sbom-system-paths": sboms(x__json=cyclonedx(components=[{"u": "file:///usr/lib/x.so"}])),
    },
    "7.7 arrays that are sets are sorted;": {
        "sbom-components": sboms(x__json=cyclonedx(components=COMPONENTS)),
        "sbom-dependencies": sboms(
            x__json=cyclonedx(dependencies=[{"ref": "b", "dependsOn": ["z", "a"]}, {"ref": "a"}])
        ),
        "sbom-other-arrays": sboms(x__json=cyclonedx(tools=["b", "a"])),
        "sbom-spdx-whole": sboms(x__json=SPDX),
    },
    "7.7 members of objects are sorted by code points, the text is indented by two spaces and ends in LF;": {
        "sbom-layout": sboms(x__json=cyclonedx(**{"\uffee": 1, "\U00010000": 2, "é": [], "e": {}, "z": [1, [2]]})),
        "sbom-numbers": sboms(x__json=b'{"bomFormat":"CycloneDX","n":[1.0,1e5,-0,1E+2,100000000000000000000]}'),
        "sbom-escapes": sboms(
            x__json=b'{"bomFormat":"CycloneDX","t":"\\u00e9\\/\\"\\\\\\u0001\\n\\ud83d\\udc0d\\u007f"}'
        ),
    },
    "7.7 the document's own UUID (in `serialNumber` or `documentNamespace`) is replaced, wherever it occurs, by one"
    " derived from the rest of the document by UUIDv5.": {
        "sbom-uuid": sboms(x__json=cyclonedx(serialNumber=SERIAL, dependencies=[{"ref": f"{SERIAL}/1#a"}])),
        "sbom-uuid-of-another-form": sboms(x__json=cyclonedx(serialNumber="3e671687-395b-41f5-a30f-a58921a69b79")),
    },
}

SOURCE = b"x = 1\n"


def text(value: bytes) -> bytes:
    """Return a string as ``marshal`` writes it where it is not interned."""
    return b"z" + bytes([len(value)]) + value


def code(filename: bytes = b"/build/m.py", constants: bytes = b")\1i\1\0\0\0", names: bytes = b")\1Z\1x") -> bytes:
    """Return a code object of CPython 3.11, put together by hand: types and values of docs/reference."""
    values = [
        b"s\2\0\0\0d\0",
        constants,
        names,
        b")\0",
        b"s\0\0\0\0",
        text(filename),
        b"Z\x08<module>",
        b"Z\x08<module>",
    ]
    return b"c" + struct.pack("<5L", 0, 0, 0, 1, 0) + b"".join(values) + struct.pack("<L", 1) + b"s\0\0\0\0" * 2


def pyc(body: bytes, magic: int = 3495, flags: int = 0, size: int = len(SOURCE), stamp: int = 1700000000) -> bytes:
    return struct.pack("<H2s3L", magic, b"\r\n", flags, stamp, size) + body


def compiled(data: bytes, name: str = "p/__pycache__/m.cpython-311.pyc", source: str = "p/m.py") -> bytes:
    return wheel(stored(source, SOURCE), stored(name, data))


ADDRESSES = {
    "pyc-optimized": ("p/__pycache__/m.cpython-311.opt-2.pyc", "p/m.py"),
    "pyc-beside": ("p/m.pyc", "p/m.py"),
    "pyc-in-the-root": ("__pycache__/m.cpython-311.pyc", "m.py"),
    "pyc-without-a-source": ("p/__pycache__/n.cpython-311.pyc", "p/m.py"),
    "pyc-of-another-name": ("p/__pycache__/m.pyc", "p/m.py"),
    "pyc-of-a-name-with-dots": ("p/__pycache__/m.n.cpython-311.pyc", "p/m.py"),
}
PYCS: Rules = {
    "7.8 its source is in the same wheel:": {name: compiled(pyc(code()), *where) for name, where in ADDRESSES.items()},
    "7.8 A `.pyc` file gets a checked hash-based header (PEP 552: flags 3, SipHash of the source)": {
        "pyc-siphash-1-3": compiled(pyc(b"no code at all")),
        "pyc-siphash-2-4": compiled(pyc(b"no code at all", magic=3413)),
    },
    "7.8 it is longer than 16 bytes, its flags are 0, and the size in its header is that of the source (modulo 2^32);": {
        "pyc-16-bytes": compiled(pyc(b"")),
        "pyc-hash-already": compiled(pyc(b"no code", flags=3)),
        "pyc-hash-unchecked": compiled(pyc(b"no code", flags=1)),
        "pyc-other-size": compiled(pyc(b"no code", size=99)),
    },
    "7.8 its magic number is of a CPython whose hash is known (3392 to 3439, and 3495 to 3699, followed by CR LF);": {
        f"pyc-magic-{magic}": compiled(pyc(b"no code", magic=magic))
        for magic in (3391, 3392, 3439, 3440, 3494, 3495, 3699, 3700)
    },
    "7.8 values stand in the order in which the code refers to them, those of frozensets sorted; what occurs again is a"
    " reference to where it occurred first, and only what is referred to is marked so;": {
        "pyc-mark-of-no-use": compiled(pyc(code(constants=b")\1\xe9\1\0\0\0"))),
        "pyc-repeated": compiled(pyc(code(constants=b")\2" + text(b"a b") * 2))),
        "pyc-reference": compiled(pyc(code(constants=b")\2\xfa\3a br\0\0\0\0"))),
        "pyc-frozenset": compiled(pyc(code(constants=b")\1>\3\0\0\0" + text(b"c") + text(b"a") + b"i\1\0\0\0"))),
        "pyc-long-tuple": compiled(pyc(code(constants=b"(\1\0\0\0N"))),
    },
    "7.8 which strings are marked as interned is decided by the code alone;": {
        "pyc-interned": compiled(pyc(code(constants=b")\4Z\3a bz\3abcA\1\0\0\0d" + b"t\2\0\0\0" + "é".encode()))),
        "pyc-name-not-interned": compiled(pyc(code(names=b")\1z\1x"))),
    },
    "7.8 `co_filename` is the source's name in the wheel.": {
        "pyc-filename": compiled(pyc(code(b"/home/me/p/m.py"))),
        "pyc-filename-right-already": compiled(pyc(code(b"p/m.py"))),
    },
    "7.8 and it is one code object as `marshal` writes it.": {
        "pyc-and-more": compiled(pyc(code() + b"N")),
        "pyc-cut": compiled(pyc(code()[:-1])),
        "pyc-not-a-code-object": compiled(pyc(b"N")),
        "pyc-unknown-type": compiled(pyc(code(constants=b")\1[\0\0\0\0"))),
        "pyc-code-of-another-magic": compiled(pyc(code(), magic=3500)),
    },
}


def streamed(contents: bytes) -> bytes:
    """Return a wheel with a file of these contents, compressed in one way or another."""
    return wheel(Member(b"data", contents, packed=canonical_stream(contents)))


MIB = 1 << 20
PERIOD = noise(6007)
UNIQUE = noise(300)


def repeated(part: bytes, size: int) -> bytes:
    return (part * (size // len(part) + 1))[:size]


def again_after(distance: int) -> bytes:
    """Return contents in which the second segment begins with noise that stands so far before it, too."""
    return bytes(MIB - distance) + UNIQUE + bytes(distance - 300) + UNIQUE + b"end"


def mixed(size: int) -> bytes:
    """Return text and noise by turns, and what was there before."""
    parts = [squares(3000), noise(700), squares(900), bytes(500), noise(1500)[300:], squares(5000)[2000:]]
    return repeated(b"".join(parts), size)


STREAMS: Rules = {
    "4.1 The contents are cut into segments of 1 MiB (1048576 bytes).": {
        "segment-less-one": streamed(repeated(b"The quick brown fox.\n", MIB - 1)),
        "segment": streamed(repeated(b"The quick brown fox.\n", MIB)),
        "segment-and-one": streamed(repeated(b"The quick brown fox.\n", MIB + 1)),
        "segments-two": streamed(repeated(b"0123456789\n", 2 * MIB)),
        "segments-two-and-some": streamed(repeated(PERIOD, 2 * MIB + 300)),
        "segments-of-an-sdist": sdist(member(b"a-1/f", repeated(PERIOD, MIB))),
    },
    "4.1 its preset dictionary is the 32768 bytes of contents before the segment.": {
        "dictionary": streamed(repeated(PERIOD, MIB + 9000)),
        **{
            f"dictionary-distance-{distance}": streamed(again_after(distance))
            for distance in (300, 32506, 32507, 32760)
        },
        "dictionary-first-byte": streamed(bytes(MIB - (1 << 15)) + UNIQUE + bytes((1 << 15) - 300) + UNIQUE[1:]),
    },
    "4.1 Every other segment is *sync flushed*:": {
        "flush-after-a-run": streamed(bytes(MIB) + b"end"),
        **{f"flush-{size}": streamed(bytes(MIB - size) + noise(size) + b"end") for size in (1, 2, 3, 5, 11)},
    },
    "4.2 The blocks of a segment MUST be, bit for bit, those that the zlib library of Gailly and Adler emits when it is"
    " given the segment as a whole, with these parameters:": {
        "stream-text-300": streamed(squares(300)),
        "stream-text-20000": streamed(squares(20_000)),
        "stream-noise-and-text": streamed(noise(4000) + squares(4000)),
        "stream-zeros": streamed(bytes(70_000)),
        "stream-mixed": streamed(mixed(60_000)),
        "stream-fixed-codes": streamed(b"abcabcabcabcabcabc, and so on: abcabcabcabc"),
        "stream-lazy": streamed(repeated(b"abcde_bcdefgh_abcdefgh_cdefghijk_", 1000)),
        "stream-far-match-of-3": streamed(b"xyz" + bytes(range(256)) * 20 + b"xyz" + bytes(5000)),
        "stream-many-symbols": streamed(hashlib.sha256(b"x").hexdigest().encode() * 4 + squares(40_000)),
        "stream-runs": streamed(b"".join(bytes([65 + length % 26]) * length for length in range(1, 300))),
    },
}

ACCEPTED: Rules = {**BLOCKS, **SBOMS, **PYCS, **STREAMS}
