"""A record of a build that standard tools read: an in-toto Statement with a SLSA Provenance predicate, unsigned.

Sources: in-toto Attestation Framework v1 (Statement, ResourceDescriptor, DigestSet); SLSA v1.0, "Provenance". The
record holds no time, no random number and no path of the machine: the same build gives the same record.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from samebytes import __version__
from samebytes.artifact.layout import ArtifactKind
from samebytes.errors import ConfigError, UsageError

from .interpreters import Python, describe
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

_REMEDY = "samebytes build --provenance FILE and samebytes verify --provenance FILE write records that can be followed."


@dataclass(frozen=True)
class Material:
    """The source of a build, as a record has it."""

    uri: str = ""
    digest: Mapping[str, str] = field(default_factory=dict)
    location: str = ""


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


def text(record: Record) -> str:
    """Return *record* as the text of a JSON document (``provenance.schema.json``)."""
    return json.dumps(statement(record), indent=2, ensure_ascii=False) + "\n"


def statement(record: Record) -> dict[str, Any]:
    """Return *record* as an in-toto Statement."""
    definition = {
        "buildType": BUILD_TYPE,
        "externalParameters": {
            "method": record.method,
            "kinds": list(record.kinds),
            "configSettings": dict(record.config_settings),
        },
        "internalParameters": {"environment": dict(sorted(record.environment.items())), "umask": "022"},
        "resolvedDependencies": [
            _source(record.source),
            _interpreter(record.python),
            *(
                _requirement(one)
                for one in sorted(record.requirements, key=lambda one: (one.name.lower(), one.version))
            ),
        ],
    }
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": name, "digest": {"sha256": sha256}} for name, sha256 in record.subjects],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "buildDefinition": definition,
            "runDetails": {"builder": {"id": BUILDER, "version": {"samebytes": __version__}}},
        },
    }


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


def read(path: Path) -> Record:
    """Read the record *path*.

    :raises ConfigError: if it cannot be read, is not such a record, or is one of another builder's.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"the record {path} cannot be read: {error.strerror}", remedy="Check the path.") from None
    except ValueError as error:
        raise ConfigError(f"the record {path} is not JSON: {error}", remedy=_REMEDY) from None
    _check_types(document, path)
    try:
        return _record(document)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise ConfigError(f"the record {path} lacks what a rebuild needs: {error!r}", remedy=_REMEDY) from None


def _check_types(document: object, path: Path) -> None:
    """Refuse what is not a statement of ours; a signed one is in an envelope (DSSE), which is not opened."""
    if isinstance(document, dict) and "payload" in document and "signatures" in document:
        raise ConfigError(
            f"{path} is a signed envelope (DSSE)", remedy="Verify its signature, and give the payload, decoded."
        )
    if not isinstance(document, dict) or document.get("_type") != STATEMENT_TYPE:
        raise ConfigError(f"{path} is not an in-toto Statement v1", remedy=_REMEDY)
    if document.get("predicateType") != PREDICATE_TYPE:
        raise ConfigError(
            f"{path} holds {document.get('predicateType')!r}, which is not SLSA Provenance v1", remedy=_REMEDY
        )
    predicate = document.get("predicate")
    definition = predicate.get("buildDefinition") if isinstance(predicate, dict) else None
    kind = definition.get("buildType") if isinstance(definition, dict) else None
    if kind != BUILD_TYPE:
        raise ConfigError(f"{path} is of a build of another type, {kind!r}", remedy=_REMEDY)


def _record(document: Mapping[str, Any]) -> Record:
    definition = document["predicate"]["buildDefinition"]
    external, internal = definition["externalParameters"], definition["internalParameters"]
    # By position, as the build type promises it.
    source, python, *requirements = definition["resolvedDependencies"]
    if external["method"] not in (SAMEBYTES, BACKEND):
        raise ValueError(f"method {external['method']!r}")
    return Record(
        subjects=tuple((one["name"], one["digest"]["sha256"]) for one in document["subject"]),
        method=external["method"],
        kinds=tuple(map(ArtifactKind, external["kinds"])),
        config_settings=dict(external["configSettings"]),
        source=Material(source.get("uri", ""), dict(source["digest"]), source.get("downloadLocation", "")),
        requirements=_installed(requirements),
        python=_python(python["annotations"]),
        # Only those: a record may come from somebody else, and must not set PATH or LD_PRELOAD.
        environment={str(name): str(value) for name, value in internal["environment"].items() if name in MATTERING},
    )


def _installed(requirements: Sequence[Mapping[str, Any]]) -> tuple[InstalledDistribution, ...]:
    return tuple(
        InstalledDistribution(
            one["name"],
            one["annotations"]["version"],
            one["downloadLocation"],
            dict(one.get("digest", {})),
            bool(one["annotations"].get("direct")),
        )
        for one in requirements
    )


def _python(annotations: Mapping[str, Any]) -> Python:
    major, small = annotations["version"].split(".")[:2]
    return Python(
        # A record names no path; a matching interpreter is looked for.
        executable="",
        implementation=annotations["implementation"],
        version=annotations["version"],
        minor=(int(major), int(small)),
        platform=annotations["platform"],
        libc=annotations["libc"],
        zlib=annotations["zlib"],
        free_threaded=bool(annotations.get("freeThreaded")),
    )
