"""Write docs/explanation/surveyed.md, and the table in README, from docs/survey/survey.json, which is an export.

docs/survey/rebuilt.json is of a run by which published files were rebuilt, docs/survey/dated.json of one that built
packages as they are, without and with SOURCE_DATE_EPOCH; without them, the page says nothing of that.

    python docs/generate_survey.py [--check]

With ``--check`` nothing is written, and the exit status is 1 if one of them is not up to date.
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
import tempfile
import textwrap
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from samebytes_tools.commands.survey.model import Examination, Headline, Rebuild, RebuildTally, Tally
    from samebytes_tools.commands.survey.store.store import Store

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "docs" / "survey" / "survey.json"
REBUILT = ROOT / "docs" / "survey" / "rebuilt.json"
DATED = ROOT / "docs" / "survey" / "dated.json"
PAGE = ROOT / "docs" / "explanation" / "surveyed.md"
README = ROOT / "README.md"

_HEAD = """\
# Results: survey of packages

<!-- Written by docs/generate_survey.py from docs/survey/survey.json. Do not edit it by hand. -->

What `samebytes survey` found in real packages: the newest sdist of each was built twice, in environments that differ
in all that can be varied, in several ways. *As is* is what the package's own build gives. *Normalized* is what
`samebytes normalize` makes of those two. *Hook* is a build with `samebytes.backend` in front of the package's own
backend. *samebytes build* is the command, at fixed paths. A package counts as the same in a way if its sdist, its
wheel, and the wheel that is built from the sdist all came out twice with the same bytes. Both builds were made on one
machine, with the same compilers and the same releases of what the build requires: what differs with these is not in
the numbers. What other systems give is on [a page of its own](systems.md).
"""

_LIST = """\
The packages are those of [the list](../survey/packages.txt): much used ones of every build backend, and small ones with
extension modules, for two processors. It is no sample of the whole index, and its shares are not the index's.
"""

_PUBLISHED = """\
Of each release, the pure wheel, the sdist and one wheel for the platform were built again from the release's sdist, as
they were built then as far as that can be found out, and compared with what is published. The table at the top has the
numbers. They say that the files belong to the sdist, not that the sdist is what the repository has. Wheels for the
platform were built by this machine's compilers, not in the image of their tag.
"""

_OF_FILES = """\
The packages are those of [a list of their own](../survey/verify-300.txt), the most downloaded among them. Shares are of
the files that were tried, so that what could not be built counts against them: *identical* is the very file,
*normalized* the same after normalization. [More of that](#published-files).
"""

_LIMIT = re.compile(r"took longer than (\d+) seconds")

_BY_DATE = """\
The same for more packages, in their own ways alone: as they are, and as they are with `SOURCE_DATE_EPOCH` set, to one
date for both builds. It is what a backend does by itself for whoever sets that variable. The packages are those of
[the list](../survey/dated-200.txt); the data is [dated.json](../survey/dated.json).
"""

_LEFT_OVER = """\
D020 is shown by another build: the second one takes place in a tree in which an sdist and a wheel were built before,
and without these the members that differ do not. From a fresh tree, twice, such a package is the same.
"""

_AFTER = """\
The data, without logs, is [survey.json](../survey/survey.json), of published files
[rebuilt.json](../survey/rebuilt.json), and with `SOURCE_DATE_EPOCH` [dated.json](../survey/dated.json), as
[its schema](../reference/survey-data.md) says. Of several examinations of a package the newest counts.
`python docs/generate_survey.py` writes this page of them.
`samebytes survey merge survey.sqlite docs/survey/survey.json` makes a store of one, and
[`samebytes survey site`](../how-to/survey.md) the pages of that, with every package's evidence. The same runs once
more, each with a store of its own; they take the versions of that day:

| table | command |
| --- | --- |
| packages | `samebytes survey run --packages docs/survey/packages.txt` |
| published files | `samebytes survey run --verify-only --packages docs/survey/verify-300.txt` |
| with `SOURCE_DATE_EPOCH` | `samebytes survey run --as-is --packages docs/survey/dated-200.txt` |
"""


def main() -> int:
    """Write the page, or say whether it is up to date."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing")
    options = parser.parse_args()
    sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tools" / "src")]
    status = 0
    for path, text in written().items():
        if not options.check:
            path.write_text(text, encoding="utf-8")
        elif path.read_text(encoding="utf-8") != text:
            print(f"{path.relative_to(ROOT)} is not up to date: run python docs/generate_survey.py", file=sys.stderr)
            status = 1
    return status


def written() -> dict[Path, str]:
    """Return what the page and README should hold."""
    from samebytes_tools.commands.survey.store.exported import Exported
    from samebytes_tools.commands.survey.store.merge import merge
    from samebytes_tools.commands.survey.store.store import Store

    with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        # A store of its own, for what was built in all ways is not to be hidden by a later build in two of them.
        store, dated = (stack.enter_context(Store(Path(directory, name))) for name in ("survey.sqlite", "dated.sqlite"))
        for into, path in ((store, DATA), (store, REBUILT), (dated, DATED)):
            if path.is_file():
                merge(into, Exported(path))
        found = store.headline()
        more = _sentences(found, dated)
        table = "\n".join(["", _counted(store), "", *_same(found), *([""] * bool(more)), *more, ""])
        before, start, rest = README.read_text(encoding="utf-8").partition("<!-- survey -->")
        _, end, after = rest.partition("<!-- /survey -->")
        return {PAGE: "\n".join(_paragraphs(store, dated)), README: before + start + table + end + after}


def _sentences(found: Headline, dated: Store) -> list[str]:
    """Return what README has to say besides the table, in lines."""
    from samebytes_tools.commands.check.subject import SDIST
    from samebytes_tools.commands.survey.model import PURE_WHEEL

    said = []
    wheels, sdists = found.rebuilt(PURE_WHEEL), found.rebuilt(SDIST)
    if wheels.tried and sdists.tried:
        said.append(
            f"Built again from their sdists, {_of(wheels)} published pure wheels and {_of(sdists)} sdists are "
            "*identical* or *same after normalization*."
        )
    said.extend(_alone(dated))
    return textwrap.wrap(" ".join(said), 120, break_on_hyphens=False)


def _alone(dated: Store) -> Iterator[str]:
    """Yield what SOURCE_DATE_EPOCH alone does to the packages that could be built without and with it."""
    from samebytes_tools.commands.check.subject import AS_IS, DATED
    from samebytes_tools.commands.survey.model import NOT_BUILT, SAME

    number, without, with_date = 0, 0, 0
    for one in _examined(dated):
        plain, again = ([each.state for each in one.artifacts if each.way == way] for way in (AS_IS, DATED))
        if plain and again and NOT_BUILT not in [*plain, *again]:
            number += 1
            without += set(plain) == {SAME}
            with_date += set(again) == {SAME}
    if number:
        yield (
            f"With SOURCE_DATE_EPOCH alone, {_percent(with_date / number)} of {number} packages come out the same "
            f"twice; without, {_percent(without / number)} of them."
        )


def _of(tally: RebuildTally) -> str:
    return f"{_percent(tally.share)} of {tally.tried}"


def _percent(share: float | None) -> str:
    return f"{100 * (share or 0.0):.1f}\N{NO-BREAK SPACE}%"


def _same(found: Headline) -> list[str]:
    """Return the table of what is the same in each way, which README shows too."""
    ways = _ways(found)
    rows = (
        _shares("all", [found.tally(way) for way in ways]),
        _shares("pure Python", [found.tally(way, is_pure=True) for way in ways]),
        _shares("with extension modules", [found.tally(way, is_pure=False) for way in ways]),
    )
    return _table(("packages", "built", *ways), [row for row in rows if row[1] != "0"])


def _published(found: Headline) -> list[str]:
    """Return the table of published files that could be rebuilt; nothing where none was tried."""
    from samebytes_tools.commands.survey.model import PUBLISHED

    lines = [("all", found.rebuilt()), *((f"{kind}s", found.rebuilt(kind)) for kind in PUBLISHED)]
    rows = [
        (
            *(
                name,
                str(tally.tried),
                f"{tally.identical + tally.normalized} ({_percent(tally.share)})",
            ),
            *map(str, (tally.identical, tally.normalized, tally.different, tally.not_rebuilt)),
        )
        for name, tally in lines
        if tally.tried
    ]
    head = ("published files", "tried", "could be rebuilt", "identical", "normalized", "different", "not rebuilt")
    return _table(head, rows) if rows else []


def _counted(store: Store) -> str:
    """Return how many packages there are, and when and where they were built."""
    newest = _examined(store)
    return _when_and_where(store, newest, f"{len(newest)} packages, built")


def _when_and_where(store: Store, newest: Sequence[Examination], what: str) -> str:
    used = {one.run for one in newest}
    runs = [run for run in store.runs() if run.id in used]
    days = sorted({datetime.fromtimestamp(one.started, timezone.utc).strftime("%Y-%m-%d") for one in newest})
    machine = runs[-1].machine
    where = ", ".join(machine[name] for name in ("python", "compiler", "libc", "system", "platform") if name in machine)
    shown = f"{what} on {' and '.join(days)} by samebytes {runs[-1].tool} ({where}):"
    return textwrap.fill(shown, 120, break_on_hyphens=False)


def _examined(store: Store) -> list[Examination]:
    """Return the newest examination of each package that was built twice, by name."""
    builds = {run.id for run in store.runs() if run.builds}
    return [
        next(each for each in store.history(one.name, logs=False) if each.run == one.run)
        for one in store.newest()
        if one.run in builds
    ]


def _newest_rebuilt(store: Store) -> list[Examination]:
    """Return the newest examination of each package by which published files were rebuilt, by name."""
    verifies = {run.id for run in store.runs() if run.verifies}
    histories = (store.history(one.name, logs=False) for one in store.newest())
    newest = (next((one for one in history if one.run in verifies), None) for history in histories)
    return [one for one in newest if one is not None]


def _rebuilt(newest: Sequence[Examination]) -> Iterator[str]:
    """Yield which published files did not come out again, and why."""
    rows = [
        (f"{one.name} {one.version}", each.kind, each.state, _why_not(each))
        for one in newest
        for each in one.rebuilds
        if each.state not in ("identical", "same after normalization")
    ]
    limits = [found for one in newest for each in one.rebuilds for found in [_LIMIT.search(each.reason)] if found]
    if newest:
        yield "## Published files\n"
        yield _PUBLISHED
        if limits:
            seconds = sorted(int(found[1]) for found in limits)
            yield textwrap.fill(
                f"{len(limits)} files are not rebuilt because their package took longer than it was given, "
                f"{seconds[0]} to {seconds[-1]} seconds (`--timeout`): with more, some may come out.",
                120,
            )
            yield ""
        yield "These did not come out again:\n" if rows else "All of them came out.\n"
        yield from (*_table(("package", "file", "verdict", "why"), rows), "") if rows else ()


def _why_not(rebuild: Rebuild) -> str:
    codes = sorted({cause.code for cause in rebuild.causes})
    return ", ".join(map(_link, codes)) or rebuild.reason.replace("|", "\\|")


def _ways(found: Headline) -> Sequence[str]:
    """Return the ways in which anything was built: the first surveys did not have all of them."""
    from samebytes_tools.commands.survey.model import WAYS, Tally

    return [way for way in WAYS if found.tally(way) != Tally()]


def _shares(name: str, tallies: Sequence[Tally]) -> list[str]:
    built = tallies[0].same + tallies[0].differs
    return [name, str(built), *(_share(one, built) for one in tallies)]


def _share(tally: Tally, built: int) -> str:
    """Return how many are the same, of how many if that is not the number of those *built* as they are."""
    total = tally.same + tally.differs
    among = "" if total == built else f" of {total}"
    return "-" if tally.share is None else f"{tally.same}{among} ({_percent(tally.share)})"


def _paragraphs(store: Store, dated: Store) -> Iterator[str]:
    from samebytes_tools.commands.survey.model import State

    found, newest = store.headline(), _examined(store)
    yield _HEAD
    yield from (_LIST, _counted(store), "", *_same(found), "")
    yield "Shares are of the packages of which all could be built as they are.\n"
    rebuilt = _newest_rebuilt(store)
    if rebuilt:
        files = sum(len(one.rebuilds) for one in rebuilt)
        yield from (_when_and_where(store, rebuilt, f"{files} published files of {len(rebuilt)} packages, rebuilt"), "")
        yield from (*_published(found), "")
        yield _OF_FILES
    if _examined(dated):
        yield "## With SOURCE_DATE_EPOCH\n"
        yield _BY_DATE
        yield from (_counted(dated), "", *_same(dated.headline()), "")
        yield from (*(textwrap.fill(text, 120, break_on_hyphens=False) for text in _alone(dated)), "")
    yield "## By build backend\n"
    backends = sorted({one.backend for one in newest if one.artifacts}, key=lambda name: (-_built(found, name), name))
    rows = [
        _shares(name or "unknown", [found.tally(way, backend=name) for way in _ways(found)])
        for name in backends
        if _built(found, name)
    ]
    yield from (*_table(("backend", "built", *_ways(found)), rows), "")
    yield "*in-tree* is a backend that comes with the source, as a rule a wrapper around one of the others.\n"
    yield from _rebuilt(rebuilt)
    yield from _different(newest)
    yield from _why(newest)
    yield from _not_built(newest)
    yield from _cost([one for one in newest if one.state is State.EXAMINED])
    yield "## The data\n"
    yield _AFTER.rstrip()
    yield ""


def _built(found: Headline, backend: str) -> int:
    from samebytes_tools.commands.check.subject import AS_IS

    tally = found.tally(AS_IS, backend=backend)
    return tally.same + tally.differs


def _different(newest: Iterable[Examination]) -> Iterator[str]:
    """Yield what is not the same though samebytes built it, and why."""
    from samebytes_tools.commands.check.subject import BUILD, HOOK
    from samebytes_tools.commands.survey.model import DIFFERS

    rows = []
    for one in newest:
        for way in (HOOK, BUILD):
            kinds = [each for each in one.artifacts if each.way == way and each.state == DIFFERS]
            if kinds:
                codes = sorted({cause.code for each in kinds for cause in each.causes})
                links = ", ".join(map(_link, codes))
                what = ", ".join(each.kind for each in kinds)
                rows.append((f"{one.name} {one.version}", way, what, links or kinds[0].reason))
    yield "## What stays different\n"
    if rows:
        yield from (*_table(("package", "way", "what", "causes"), rows), "")
        if any("D020" in row[3] for row in rows):
            yield _LEFT_OVER
    else:
        yield "Nothing: every package that could be built came out the same, by the hook and by `samebytes build`.\n"


def _link(code: str) -> str:
    from samebytes_tools.comparison.causes.table import by_code

    return f"[{code}](../reference/causes.md#{code.lower()}-{by_code(code).name})"


def _why(newest: Iterable[Examination]) -> Iterator[str]:
    """Yield the causes of what differs as it is, by the number of packages."""
    from samebytes_tools.commands.check.subject import AS_IS
    from samebytes_tools.comparison.causes.table import by_code

    hit: defaultdict[str, set[str]] = defaultdict(set)
    for one in newest:
        for artifact in one.artifacts:
            if artifact.way == AS_IS:
                for cause in artifact.causes:
                    hit[cause.code].add(one.name)
    yield "## Why they differ as they are\n"
    rows = [
        (_link(code), by_code(code).name.replace("-", " "), str(len(names)))
        for code, names in sorted(hit.items(), key=lambda item: (-len(item[1]), item[0]))
    ]
    yield from (*_table(("cause", "", "packages"), rows), "")


def _not_built(newest: Iterable[Examination]) -> Iterator[str]:
    """Yield what did not come out at all, as it is."""
    from samebytes_tools.commands.check.subject import AS_IS
    from samebytes_tools.commands.survey.model import NOT_BUILT

    rows = []
    for one in newest:
        lacking = [each for each in one.artifacts if each.way == AS_IS and each.state == NOT_BUILT]
        if lacking or not one.artifacts:
            what = ", ".join(each.kind for each in lacking) or "all"
            # The first runs called a build a world.
            reason = (one.reason or lacking[0].reason).replace("in the first world", "in the first build")
            rows.append((f"{one.name} {one.version}".rstrip(), what, reason.replace("|", "\\|")))
    if rows:
        yield "## What could not be built\n"
        yield "With or without samebytes. The network reached the package index and nothing else.\n"
        yield from (*_table(("package", "what", "reason"), rows), "")


def _cost(examined: Sequence[Examination]) -> Iterator[str]:
    """Yield what a package took."""
    yield "## What it took\n"
    yield "Seconds from download to record, of all ways together, two packages at once on two busy processors.\n"
    rows = []
    for name, some in (
        ("pure Python", [one for one in examined if one.is_pure]),
        ("with extension modules", [one for one in examined if one.is_pure is False]),
    ):
        seconds = [one.seconds for one in some]
        memory = [one.memory or 0 for one in some]
        if some:
            cells = (statistics.median(seconds), statistics.mean(seconds), max(seconds))
            rows.append((name, str(len(some)), *(f"{cell:.0f}" for cell in cells), f"{max(memory) / 1e6:.0f} MB"))
    yield from (*_table(("packages", "", "median", "mean", "most", "largest process"), rows), "")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [_row(head), _row(["---"] * len(head)), *map(_row, rows)]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(main())
