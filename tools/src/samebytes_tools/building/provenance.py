"""A record of a build that standard tools read: an in-toto Statement with a SLSA Provenance predicate.

Sources: in-toto Attestation Framework v1 (Statement, ResourceDescriptor, DigestSet); SLSA v1.0, "Provenance". The
record holds no time, no random number and no path of the machine: the same build gives the same record.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from reprlib import Repr
from typing import Any
from urllib.parse import unquote, urlsplit

from samebytes import __version__
from samebytes.artifact.layout import ArtifactKind
from samebytes.errors import ConfigError, UsageError

from .interpreters import Python, describe
from .signatures import NOBODY, Trust, opened
from .source import package_url
from .virtualenvs import InstalledDistribution

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://slsa.dev/provenance/v1"
# A buildType is to be an address where the type is described (SLSA v1.0).
_PAGE = "https://github.com/samebytes/samebytes/blob/main/docs/reference/provenance.md"
BUILD_TYPE = f"{_PAGE}#build-type-1"
BUILDER = f"{_PAGE}#builder"

SAMEBYTES = "samebytes"
"""Built by ``samebytes build``."""
BACKEND = "backend"
"""Built by the project's own backend as it stands."""

# Not all variables: many are of the machine, and some are secrets.
MATTERING = (
    "AR",
    "ARCHFLAGS",
    "CC",
    "CFLAGS",
    "CMAKE_ARGS",
    "CMAKE_GENERATOR",
    "CPPFLAGS",
    "CXX",
    "CXXFLAGS",
    "LC_ALL",
    "LDFLAGS",
    "MACOSX_DEPLOYMENT_TARGET",
    "PYTHONHASHSEED",
    "RUSTFLAGS",
    "SETUPTOOLS_SCM_PRETEND_VERSION",
    "SKBUILD_CMAKE_ARGS",
    "SOURCE_DATE_EPOCH",
    "TZ",
)
"""The environment variables that a record holds: those by which builds are configured."""

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_STEERING = re.compile(
    r"PATH|HOME|USERPROFILE|TE?MP|TMPDIR|SHELL|IFS|ENV|BASH_ENV|(.*_)?(PROXY|PRELOAD|CA_BUNDLE)|PYTHON.*|"
    r"(LD|DYLD|PIP|UV|GIT|SSL|XDG|DOCKER|CONTAINERS?)_.*",
    re.IGNORECASE,
)
"""Names of variables that decide which programs and libraries run, and what they ask over the network."""

_SHORT = Repr()
_SHORT.maxstring = _SHORT.maxother = 100
_DIGEST = re.compile(r"[0-9a-f]+")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SOURCE_DIGEST = re.compile(r"(sha256|dirHash) [0-9a-f]{64}|gitCommit [0-9a-f]{40,64}")

_REMEDY = "samebytes build --provenance FILE and samebytes verify --provenance FILE write records that can be followed."


@dataclass(frozen=True)
class Material:
    """The source of a build, as a record has it."""

    uri: str = ""
    digest: Mapping[str, str] = field(default_factory=dict)
    location: str = ""


@dataclass(frozen=True)
class RecordedRepair:
    """How a wheel was repaired after it was built."""

    platform: str
    """That auditwheel was run for."""
    options: tuple[str, ...]
    tools: tuple[InstalledDistribution, ...]
    """auditwheel and what it needs."""


@dataclass(frozen=True)
class RecordedImage:
    """The container image that a build took place in."""

    reference: str
    """By which an engine gets it: ``NAME@sha256:...``, or its name alone if no registry has it."""
    sha256: str
    """Its digest there; else that of its configuration, by which engines number images."""


@dataclass(frozen=True)
class PublishedFile:
    """What a rebuild was compared with."""

    name: str
    sha256: str
    url: str
    """Where it was downloaded; empty for a file of this machine."""
    verdict: str


@dataclass(frozen=True)
class Record:
    """What a record holds."""

    subjects: tuple[tuple[str, str], ...]
    """File name and SHA-256 of what was built."""
    method: str
    """SAMEBYTES or BACKEND."""
    kinds: tuple[ArtifactKind, ...]
    config_settings: Mapping[str, Any]
    source: Material
    requirements: tuple[InstalledDistribution, ...]
    python: Python
    environment: Mapping[str, str]
    given: Mapping[str, str] = field(default_factory=dict)
    """Variables that whoever asked for the build gave it beyond those."""
    image: RecordedImage | None = None
    """None for a build on the machine itself."""
    repair: RecordedRepair | None = None
    published: PublishedFile | None = None
    """Not read again: it is a result, and no part of the build."""
    installer: str = ""
    """What installed the requirements, with its version: ``uv 0.7.0``; several between commas; empty for nothing."""
    umask: str = "022"
    """In octal. Not read again: a variable says it where it is another."""
    signed: str = ""
    """Who signed it, as was verified when it was read; nothing is written of that."""


def this_python() -> Python:
    """Return the interpreter that runs this.

    :raises UsageError: if it cannot be run again, as where the system's limits forbid it.
    """
    # In a new process, for the same answer as any other interpreter gives.
    found = describe(sys.executable)
    if found is None:
        raise UsageError(
            f"{sys.executable} runs this, and cannot be run again", remedy="Are there limits on it (ulimit -a)?"
        )
    return found


def that_matter(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of *environ* that a record holds."""
    return {name: environ[name] for name in MATTERING if name in environ}


def check_variable(name: str) -> None:
    """Check that a build may be given the variable *name* by somebody else: a command line, or a record.

    :raises UsageError: if it is not a name, or decides what else runs than the build.
    """
    if not _VARIABLE.fullmatch(name):
        raise UsageError(f"{_SHORT.repr(name)} is not the name of a variable", remedy="Write NAME=VALUE.")
    # LDFLAGS begins like LD_PRELOAD.
    if name not in MATTERING and _STEERING.fullmatch(name):
        raise UsageError(
            f"{name} is not a variable of the build: it decides which programs run, or what they reach",
            remedy="Set it for samebytes itself.",
        )


def text(record: Record) -> str:
    """Return *record* as the text of a JSON document (``provenance.schema.json``)."""
    # Escaped: command lines and variables may hold bytes that are not UTF-8, which are lone surrogates here.
    return json.dumps(statement(record), indent=2, ensure_ascii=True) + "\n"


def statement(record: Record) -> dict[str, Any]:
    """Return *record* as an in-toto Statement."""
    definition = {
        "buildType": BUILD_TYPE,
        "externalParameters": {
            "method": record.method,
            "kinds": list(record.kinds),
            "configSettings": dict(record.config_settings),
            **({"environment": dict(sorted(record.given.items()))} if record.given else {}),
            **({"repair": _repair(record.repair)} if record.repair else {}),
        },
        "internalParameters": {"environment": dict(sorted(record.environment.items())), "umask": record.umask},
        "resolvedDependencies": [
            _source(record.source),
            _interpreter(record.python),
            *map(_requirement, _sorted(record.requirements)),
            *(_of_repair(one) for one in _sorted(record.repair.tools if record.repair else ())),
            *([_image(record.image)] if record.image else []),
        ],
    }
    details: dict[str, Any] = {"builder": {"id": BUILDER, "version": _versions(record)}}
    if record.published:
        details["byproducts"] = [_byproduct(record.published)]
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": name, "digest": {"sha256": sha256}} for name, sha256 in record.subjects],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "buildDefinition": definition,
            "runDetails": details,
        },
    }


def _sorted(found: Sequence[InstalledDistribution]) -> list[InstalledDistribution]:
    return sorted(found, key=lambda one: (one.name.lower(), one.version))


def _repair(repair: RecordedRepair) -> dict[str, Any]:
    return {"platform": repair.platform, "options": list(repair.options)}


def _of_repair(one: InstalledDistribution) -> dict[str, Any]:
    found = _requirement(one)
    return {**found, "annotations": {**found["annotations"], "repair": True}}


def _image(image: RecordedImage) -> dict[str, Any]:
    found: dict[str, Any] = {"name": "image", "digest": {"sha256": image.sha256}}
    name, mark, _ = image.reference.partition("@")
    if mark:
        # The purl specification's type "oci": the last part of the name, in lower case, and where it is.
        last = name.rpartition("/")[2].lower()
        found["uri"] = f"pkg:oci/{last}@sha256%3A{image.sha256}?repository_url={name.lower()}"
    return {**found, "annotations": {"image": True, "reference": image.reference}}


def _byproduct(published: PublishedFile) -> dict[str, Any]:
    found: dict[str, Any] = {"name": f"published/{published.name}", "digest": {"sha256": published.sha256}}
    if published.url:
        found["downloadLocation"] = published.url
    return {**found, "annotations": {"verdict": published.verdict}}


def _versions(record: Record) -> dict[str, str]:
    """Return what took part in the build beside what it is made of, and in which version."""
    installers = [one.split(" ") for one in record.installer.split(", ") if one]
    return {"samebytes": __version__, **{name: " ".join(rest) for name, *rest in installers}}


def _source(source: Material) -> dict[str, Any]:
    found: dict[str, Any] = {"name": "source", "uri": source.uri, "digest": dict(source.digest)}
    found["downloadLocation"] = source.location
    return {name: value for name, value in found.items() if value}


def _interpreter(python: Python) -> dict[str, Any]:
    return {
        "name": "python",
        "uri": f"pkg:generic/{python.implementation.lower()}@{python.version}",
        "digest": {"sha256": python.sha256},
        "annotations": {
            "implementation": python.implementation,
            "version": python.version,
            "platform": python.platform,
            "libc": python.libc,
            "zlib": python.zlib,
            **({"freeThreaded": True} if python.free_threaded else {}),
        },
    }


def _requirement(one: InstalledDistribution) -> dict[str, Any]:
    file = unquote(urlsplit(one.url).path.rpartition("/")[2])
    digest = {name: value for name, value in one.hashes.items() if name in ("sha256", "sha384", "sha512")}
    found: dict[str, Any] = {
        "name": one.name,
        "uri": one.url if one.is_direct or not digest else package_url(file, one.name, one.version),
        "digest": digest,
        "downloadLocation": one.url,
        "annotations": {"version": one.version, "direct": one.is_direct},
    }
    return {name: value for name, value in found.items() if value}


def read(path: Path, trust: Trust = NOBODY) -> Record:
    """Read the record *path*, which has to be signed by whom *trust* names.

    :raises SignatureError: if it is not, or is signed and nobody was named.
    :raises ConfigError: if it cannot be read, is not such a record, or is one of another builder's.
    """
    try:
        data, signed = opened(path.read_bytes(), path, trust)
        document = json.loads(data.decode("utf-8"))
    except OSError as error:
        raise ConfigError(f"the record {path} cannot be read: {error.strerror}", remedy="Check the path.") from None
    # RecursionError: json.loads recurses, and a record may nest thousands of lists.
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"the record {path} is not JSON: {error}", remedy=_REMEDY) from None
    _check_types(document, path)
    try:
        return replace(_record(document), signed=signed)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise ConfigError(f"the record {path} lacks what a rebuild needs: {error!r:.300}", remedy=_REMEDY) from None


def _check_types(document: object, path: Path) -> None:
    """Refuse what is not a statement of ours."""
    if not isinstance(document, dict) or document.get("_type") != STATEMENT_TYPE:
        raise ConfigError(f"{path} is not an in-toto Statement v1", remedy=_REMEDY)
    if document.get("predicateType") != PREDICATE_TYPE:
        raise ConfigError(
            f"{path} holds {_SHORT.repr(document.get('predicateType'))}, which is not SLSA Provenance v1",
            remedy=_REMEDY,
        )
    predicate = document.get("predicate")
    definition = predicate.get("buildDefinition") if isinstance(predicate, dict) else None
    kind = definition.get("buildType") if isinstance(definition, dict) else None
    if kind != BUILD_TYPE:
        raise ConfigError(f"{path} is of a build of another type, {_SHORT.repr(kind)}", remedy=_REMEDY)


def _record(document: Mapping[str, Any]) -> Record:
    definition = document["predicate"]["buildDefinition"]
    external, internal = definition["externalParameters"], definition["internalParameters"]
    # By position, as the build type promises it.
    source, python, *rest = _list(definition["resolvedDependencies"])
    images = [one for one in rest if one["annotations"].get("image")]
    tools = [one for one in rest if one["annotations"].get("repair")]
    requirements = [one for one in rest if one not in images and one not in tools]
    if external["method"] not in (SAMEBYTES, BACKEND):
        raise ValueError(f"method {_SHORT.repr(external['method'])}")
    environment = {name: _text(value) for name, value in _dict(internal["environment"]).items() if name in MATTERING}
    return Record(
        subjects=_subjects(_list(document["subject"])),
        method=external["method"],
        kinds=tuple(ArtifactKind(_text(kind)) for kind in _list(external["kinds"])),
        config_settings=_settings(external["configSettings"]),
        source=_material(source),
        requirements=_installed(requirements),
        python=_python(python["annotations"]),
        # Only those: a record may come from somebody else, and must not set PATH or LD_PRELOAD.
        environment=environment,
        given=_given(external.get("environment", {})),
        image=_recorded_image(images[0]) if images else None,
        repair=_recorded_repair(external.get("repair"), tools),
    )


def _recorded_image(image: Mapping[str, Any]) -> RecordedImage:
    return RecordedImage(_line(image["annotations"]["reference"]), _digests(image["digest"])["sha256"])


def _recorded_repair(value: object, tools: Sequence[Mapping[str, Any]]) -> RecordedRepair | None:
    if value is None:
        return None
    found = _dict(value)
    options = tuple(_line(one) for one in _list(found["options"]))
    return RecordedRepair(_line(found["platform"]), options, _installed(tools))


def _given(variables: object) -> dict[str, str]:
    found = {_text(name): _text(value) for name, value in _dict(variables).items()}
    for name in found:
        try:
            check_variable(name)
        except UsageError as error:
            raise ValueError(error.message) from None
    return found


def _subjects(subjects: Sequence[Mapping[str, Any]]) -> tuple[tuple[str, str], ...]:
    """Return file names and SHA-256 of what was built, which is at least one file."""
    found = tuple((_line(one["name"]), _line(one["digest"]["sha256"])) for one in subjects)
    for name, sha256 in found:
        # Looked for beside the record: it must not lead to another directory, on Windows neither.
        if not re.fullmatch(r"[^/\\:]+\.(whl|tar\.gz)", name):
            raise ValueError(f"{_SHORT.repr(name)} is not the name of a wheel or sdist")
        if not _SHA256.fullmatch(sha256):
            raise ValueError(f"{_SHORT.repr(sha256)} is not a SHA-256")
    if not found:
        raise ValueError("no subject")
    return found


def _material(source: Mapping[str, Any]) -> Material:
    digest = _digests(source["digest"])
    for name, digits in digest.items():
        # Of in-toto's digest set, those by which a source is recognized here.
        if not _SOURCE_DIGEST.fullmatch(f"{name} {digits}"):
            raise ValueError(f"the source's {_SHORT.repr(name)} is {_SHORT.repr(digits)}")
    if not digest:
        raise ValueError("the source has no digest")
    return Material(_line(source.get("uri", "")), digest, _line(source.get("downloadLocation", "")))


def _settings(settings: object) -> dict[str, Any]:
    """Return config settings, as the command line gives them: texts, and lists of texts."""
    return {
        _text(name): list(map(_text, value)) if isinstance(value, list) else _text(value)
        for name, value in _dict(settings).items()
    }


def _installed(requirements: Sequence[Mapping[str, Any]]) -> tuple[InstalledDistribution, ...]:
    found = tuple(
        InstalledDistribution(
            _line(one["name"]),
            _line(one["annotations"]["version"]),
            _line(one["downloadLocation"]),
            _digests(one.get("digest", {})),
            bool(one["annotations"].get("direct")),
        )
        for one in requirements
    )
    for one in found:
        if not one.name:
            raise ValueError("a requirement without a name")
        urlsplit(one.url)  # raises ValueError for brackets without an address of IPv6
    return found


def _python(annotations: Mapping[str, Any]) -> Python:
    version = _line(annotations["version"])
    numbers = re.match(r"(\d{1,3})\.(\d{1,3})(?!\d)", version, re.ASCII)
    if numbers is None:
        raise ValueError(f"Python {_SHORT.repr(version)}")
    return Python(
        # A record names no path; a matching interpreter is looked for.
        executable="",
        implementation=_line(annotations["implementation"]),
        version=version,
        minor=(int(numbers[1]), int(numbers[2])),
        platform=_line(annotations["platform"]),
        libc=_line(annotations["libc"]),
        zlib=_line(annotations["zlib"]),
        free_threaded=bool(annotations.get("freeThreaded")),
    )


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"{_SHORT.repr(value)} is not a list")
    return value


def _dict(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"{_SHORT.repr(value)} is not an object")
    return value


def _text(value: object) -> str:
    """Return a text that may become an argument or a variable of a process."""
    if not isinstance(value, str) or "\0" in value:
        raise TypeError(f"{_SHORT.repr(value)} is not a text")
    value.encode("utf-8", "surrogateescape")  # raises ValueError for surrogates that are no bytes of this machine
    return value


def _line(value: object) -> str:
    """Return a text of one line, without surrogates: names and addresses become lines of pip's requirements file."""
    text = _text(value)
    if not text.isprintable():
        raise ValueError(f"{_SHORT.repr(text)} is not printable")
    return text


def _digests(value: object) -> dict[str, str]:
    """Return digests by their algorithm."""
    found = {_line(algorithm): _line(digest) for algorithm, digest in _dict(value).items()}
    for digest in found.values():
        if not _DIGEST.fullmatch(digest):
            raise ValueError(f"{_SHORT.repr(digest)} is not a digest")
    return found
