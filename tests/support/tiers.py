"""The tiers of the tests, and the reasons for which a test may be skipped; a plugin of pytest.

``--quick`` leaves out what is marked ``slow``, and of what is marked ``integration`` all that is not marked ``quick``.
``--rest`` is what ``--quick`` leaves out, but for what is marked ``broad``: the two are what the gate runs.
``--broad`` is that: more cases of what a case in the other tiers proves, run by hand; CONTRIBUTING.md says when they were
last. Every test is in one of the three.
``--skips=list`` ends the run with the reasons for which tests were skipped, and ``--skips=refuse`` fails it if one of
them is not in :data:`ALLOWED`: where everything is there that tests need, as .ci/run sees to it, a test that does not
run hides something. ``--skipped`` names those of any run, for another one that has what these need.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path

import pytest

SKIPS_REFUSED = 6
"""The exit status then, none of pytest's: that of failed tests would be forgotten where these pass in a second run."""

ALLOWED = {
    "root may read everything": "the gate runs as root; these tests run wherever it does not",
    "root may write everywhere": "as above",
    "only root may mount file systems": "as above, the other way round; disorderfs needs no root",
    "root may not mount file systems here": "containers forbid it; disorderfs is tested all the same where FUSE is there",
    r"Python 3\.14 is needed and not here .*": "no interpreter that .ci/run expects; the gate's others are tested",
    r"there is no python3\.14": "as above",
    r"ntpath\.isreserved is new in Python 3\.13": "the gate has that version, where it is tested",
    "older Pythons always search the script's directory": "the option -P is new in 3.11, where that is tested",
    r"git before 2\.36 does not list the modes of submodules": "an option of git; the gate's git has it",
    "needs MinGW-w64": "its packages take half a gigabyte; docs/explanation/systems.md has when it was run",
    "needs actionlint": "its package on the index downloads the program from elsewhere; the CI workflow runs it by itself",
    r"tomli is installed from an index before Python 3\.11": "what is tested there needs none, on the others it is",
    # Where it is expected, as .ci/run has it, this is a gap all the same.
    r"not fuzzed: atheris cannot be installed for Python (?!3\.11 on linux x86_64:).*": "it has no wheel there",
}
"""Reasons (as regular expressions) for skips that are no gap, and why they are none."""

ALLOWED_IN_QUICK = {
    "needs ruff": "only the environment of all tests has it",
    "needs cmarkgfm": "as above",
    "needs uv": "as above, if it could be had at all",
    r"needs samebytes\[(attestations|cluster|signing)\]": "only the environment of all tests has it",
    "needs rustc": "the gate installs it, for what the quick tier leaves out",
}
"""The same for the quick tier, whose environment has fewer packages."""

_NOT_THERE = "Windows has no such thing, or its Python does not show it"
_POSIX_TOOL = "what it says of our archives is seen on Linux, and they are the same here"

ALLOWED_ON_WINDOWS = {
    "POSIX (devices|directories)|needs POSIX|tells of other platforms|looks into /proc": _NOT_THERE,
    "has no named pipes|needs files of other users|only root may give files away": _NOT_THERE,
    "there is no mount command here|needs (limits on processes|a limit on the size of files)": _NOT_THERE,
    "could not import 'resource': .*|there are no times of changes on Windows": _NOT_THERE,
    "Windows has no permission bits": _NOT_THERE,
    "needs (pseudo-terminals|programs that begin with #!|root, to give the tree away)": _NOT_THERE,
    "there are no fixed paths on Windows|Linux mount namespaces|the kernel allows no mount namespace": _NOT_THERE,
    "Windows (locks no directories|has no signals between processes)": _NOT_THERE,
    "others may list by name": "Windows does, so that test would say nothing here; what it is the control of is tested",
    "needs git": "no package has Git for Windows; tests/integration/test_windows_builds.py reads the index all the same",
    "Windows lets nobody replace or remove a file that is open": "so what is tested there cannot happen",
    "symbolic links cannot be made here": "they need a privilege on Windows, and Wine 8 only claims to make them",
    "(unzip is not installed|there is no GNU tar here)": _POSIX_TOOL,
    r"(zlib_ng\.zlib_ng|isal\.isal_zlib|zlib-ng) is not installed": "where zlib is another one is tested on Linux",
    "could not import 'referencing': .*": "Wine 8 lacks what the newer jsonschema's compiled module calls",
}
"""The same for Windows, of the tests that tests/windows.py runs."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("samebytes")
    group.addoption("--quick", action="store_true", help="run the quick tier only")
    group.addoption("--rest", action="store_true", help="run what the quick tier leaves out, and is not broad")
    group.addoption("--broad", action="store_true", help="run the tests that are marked broad")
    group.addoption("--skipped", metavar="FILE", help="add a line there for each test that is skipped and may not be")
    group.addoption("--skips", choices=["list", "refuse"], help="list why tests were skipped; refuse unknown reasons")


def tier(item: pytest.Item) -> str:
    """Return the tier that a test belongs to, as the option is called that runs it."""
    if item.get_closest_marker("broad"):
        return "--broad"
    is_plain = item.get_closest_marker("integration") is None or item.get_closest_marker("quick") is not None
    return "--quick" if is_plain and item.get_closest_marker("slow") is None else "--rest"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        for marker in map(item.get_closest_marker, ("slow", "broad")):
            if marker and not marker.args:
                raise pytest.UsageError(f"{item.nodeid} does not say why it is {marker.name}")
    wanted = {option for option in ("--quick", "--rest", "--broad") if config.getoption(option)}
    if wanted:
        kept: list[pytest.Item] = []
        others: list[pytest.Item] = []
        for item in items:
            (kept if tier(item) in wanted else others).append(item)
        config.hook.pytest_deselected(items=others)
        items[:] = kept
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def reasons(reporter: pytest.TerminalReporter) -> Counter[str]:
    """Return why tests were skipped, and how many for each reason; of a file that was skipped whole, one.

    Each worker of a distributed run reports such a file.
    """
    found = {(report.nodeid, _reason(report)) for report in reporter.stats.get("skipped", [])}
    return Counter(reason for _, reason in found)


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    assert isinstance(report.longrepr, tuple)
    # Hypothesis adds the example with which a test skipped itself, in lines of their own.
    return report.longrepr[2].removeprefix("Skipped: ").split("\n")[0]


def refused(found: Counter[str], config: pytest.Config) -> list[str]:
    """Return the reasons among *found* that are not allowed in this tier."""
    allowed = {**ALLOWED, **(ALLOWED_IN_QUICK if config.getoption("--quick") else {})}
    if sys.platform == "win32":
        allowed.update(ALLOWED_ON_WINDOWS)
    return [reason for reason in sorted(found) if not any(re.fullmatch(pattern, reason) for pattern in allowed)]


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if session.config.getoption("--skips") != "refuse" or reporter is None:  # there is none in a worker
        return
    over = session.exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}
    if over and refused(reasons(reporter), session.config):
        session.exitstatus = SKIPS_REFUSED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if config.getoption("--skipped") and not hasattr(config, "workerinput"):  # each worker has a summary as well
        found = reasons(terminalreporter)
        skipped = terminalreporter.stats.get("skipped", [])
        names = sorted({one.nodeid for one in skipped if _reason(one) in refused(found, config)})
        with Path(config.getoption("--skipped")).open("a", encoding="utf-8") as file:  # of a second run, too
            file.writelines(f"{name}\n" for name in names)
    how = config.getoption("--skips")
    if how is None:
        return
    found = reasons(terminalreporter)
    unknown = refused(found, config) if how == "refuse" else []
    terminalreporter.section(f"skipped: {sum(found.values())}")
    for reason, count in sorted(found.items()):
        terminalreporter.line(
            f"{count:5}  {reason}{'   <- no reason to skip (tests/support/tiers.py)' * (reason in unknown)}"
        )
