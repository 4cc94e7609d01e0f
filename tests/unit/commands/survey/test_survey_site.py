"""The survey's site as files: what is in it, what never is, and how it replaces an older one."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest
from samebytes_tools.building.provenance import (
    BACKEND,
    Material,
    Record,
    RecordedImage,
    RecordedRepair,
    statement,
    this_python,
)
from samebytes_tools.building.virtualenvs import InstalledDistribution
from samebytes_tools.commands.survey.model import Examination, Rebuild, State, Target
from samebytes_tools.commands.survey.site import SiteSummary, published, write_site
from samebytes_tools.commands.survey.site.addresses import MARKER, cause_stem, stem
from samebytes_tools.commands.survey.site.site import MOST_HISTORY
from samebytes_tools.commands.survey.store.rows import writable
from samebytes_tools.commands.survey.store.store import Store
from samebytes_tools.comparison.causes.table import ALL
from support.schemas import assert_valid
from support.synthetic_survey import HOSTILE_NAMES, examinations, fill, hostile, name_of, runs

from samebytes.artifact.layout import ArtifactKind
from samebytes.errors import OutputError

NUMBER = 40

TAGS = {
    *("a", "article", "b", "body", "br", "button", "caption", "circle", "code", "dd", "details", "div", "dl", "dt"),
    *(
        "figure",
        "footer",
        "form",
        "g",
        "h1",
        "h2",
        "h3",
        "head",
        "header",
        "html",
        "img",
        "input",
        "label",
        "li",
        "line",
    ),
    *("link", "main", "mark", "meta", "nav", "ol", "optgroup", "option", "p", "path", "pre", "rect", "script"),
    *("section", "select", "span", "summary", "svg", "table", "tbody", "td", "text", "th", "thead", "time", "title"),
    *("tr", "ul"),
}
"""All that the templates have."""


class Document(HTMLParser):
    """A page as a browser's parser sees it, as far as these tests ask."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def every(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def links(self) -> list[str]:
        return [value for _, some in self.tags for name in ("href", "src") if (value := some.get(name)) is not None]


def made(store: Store, directory: Path, **options: str) -> SiteSummary:
    return write_site(store, directory, report=lambda _: None, **options)


def tree(directory: Path) -> dict[str, str]:
    return {
        path.relative_to(directory).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    within = runs(3)
    within[-1] = replace(within[-1], verifies=True, operator="Example rebuilders")
    with Store(tmp_path_factory.mktemp("store") / "survey.sqlite") as store:
        fill(store, within, [*examinations(NUMBER, within), *hostile(within[-1])])
        yield store


@pytest.fixture(scope="module")
def site(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("made") / "site"
    summary = made(store, directory)
    assert summary == SiteSummary(
        directory,
        NUMBER + len(HOSTILE_NAMES),
        len(tree(directory)),
        sum(path.stat().st_size for path in directory.rglob("*") if path.is_file()),
    )
    return directory


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, Document]:
    return {path.relative_to(site).as_posix(): Document(path) for path in sorted(site.rglob("*.html"))}


def package_stems(site: Path) -> set[str]:
    return {path.stem for path in (site / "package").glob("*.html")}


# What is there.


def test_every_package_has_a_page_a_document_and_a_badge(site: Path, store: Store) -> None:
    wanted = {stem(one.name) for one in store.newest()}
    assert len(wanted) == NUMBER + len(HOSTILE_NAMES)
    assert {name_of(rank) for rank in range(1, NUMBER + 1)} <= wanted
    assert package_stems(site) == wanted
    assert {path.stem for path in (site / "package").glob("*.json")} == wanted
    assert {path.stem for path in (site / "badge").glob("*.svg")} == wanted


def test_every_cause_has_a_page_found_or_not(site: Path) -> None:
    assert {cause_stem(cause.code) for cause in ALL} <= {path.stem for path in (site / "cause").glob("*.html")}


def test_links_lead_to_files_of_the_site_and_to_places_in_them(pages: dict[str, Document], site: Path) -> None:
    for name, page in pages.items():
        for link in page.links:
            if link == "data:,":
                continue
            path, _, fragment = link.partition("#")
            target = (site / name).parent / unquote(path) if path else site / name
            assert not path.startswith("/"), (name, link)
            assert ":" not in path, (name, link)
            assert target.resolve().is_relative_to(site.resolve()), (name, link)
            assert target.is_file(), (name, link)
            if fragment and "=" not in fragment:
                ids = [
                    some.get("id") for _, some in pages[target.resolve().relative_to(site.resolve()).as_posix()].tags
                ]
                assert fragment in ids, (name, link)


def test_pages_may_load_nothing_but_their_own_files(pages: dict[str, Document]) -> None:
    for page in pages.values():
        policies = [some for some in page.every("meta") if some.get("http-equiv") == "Content-Security-Policy"]
        assert [(some["content"] or "").split(";")[0] for some in policies] == ["default-src 'none'"]
        assert "unsafe" not in str(policies)
        assert not [some for _, some in page.tags for name in some if name == "style" or name.startswith("on")]


def test_pages_can_be_read_by_ear(pages: dict[str, Document]) -> None:
    for name, page in pages.items():
        assert page.every("html") == [{"lang": "en"}], name
        assert len(page.every("h1")) == 1, name
        assert len(page.every("main")) == 1, name
        assert page.every("a")[0]["href"] == "#main", name
        assert len(page.every("table")) == len(page.every("caption")), name
        assert all("scope" in some for some in page.every("th")), name
        assert all("alt" in some for some in page.every("img")), name
        assert all(some.get("aria-hidden") or some.get("aria-label") or some.get("x") for some in page.every("svg")), (
            name
        )
        levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
        assert all(after <= before + 1 for before, after in zip(levels, levels[1:])), name
        identities = [some["id"] for _, some in page.tags if "id" in some]
        assert len(identities) == len(set(identities)), name


def test_the_overview_tells_what_the_store_counted(pages: dict[str, Document], store: Store) -> None:
    text = " ".join(pages["index.html"].text.split())
    headline = store.headline()
    for way in ("as is", "normalized", "hook", "samebytes build"):
        tally = headline.tally(way)
        assert f"{tally.same:,} of {tally.same + tally.differs:,} packages" in text
    assert f"{headline.packages:,} packages, each built twice" in text
    assert f"{headline.states[State.NOT_BUILT]} could not be built" in text
    assert "Debian 14.2.0" in text
    assert "2025-08-14" in text


def test_a_package_page_tells_its_history_causes_and_how_to_repeat_it(site: Path, store: Store) -> None:
    rank = next(rank for rank in range(1, NUMBER + 1) if _is_telling(store, name_of(rank)))
    name = name_of(rank)
    history = list(store.history(name))
    text = " ".join(Document(site / f"package/{stem(name)}.html").text.split())
    newest = history[0]
    assert newest.sdist is not None
    assert newest.sdist.sha256 in text
    assert f"samebytes check --normalized {name}=={newest.version}" in text
    assert f"samebytes survey run --store again.sqlite --packages {name}=={newest.version}" in text
    assert f"{newest.backend} {newest.backend_version}" in text
    for one in history:
        assert one.version in text
    for hit in {hit for artifact in newest.artifacts for hit in artifact.causes}:
        assert hit.code in text
        assert hit.member in text
        assert hit.right in text
    assert "libfaketime is not installed" in text
    assert "Built with" in text
    for need in newest.requirements:
        assert need.sha256 in text
    assert f"badge/{stem(name)}.svg" in text


def _is_telling(store: Store, name: str) -> bool:
    history = list(store.history(name))
    return len(history) > 1 and any(one.causes for one in history[0].artifacts)


def test_a_package_that_was_not_built_tells_why(site: Path, store: Store) -> None:
    name = next(one.name for one in store.newest() if one.state is State.NOT_BUILT)
    page = Document(site / f"package/{stem(name)}.html")
    assert "command 'gcc' failed with exit code 1" in page.text
    assert "zlib.h: No such file or directory" in page.text
    assert [some["alt"] for some in page.every("img")] == ["reproducible: could not be built"]


def test_a_cause_page_lists_what_it_hits_and_the_remedy(site: Path, store: Store) -> None:
    hit = sorted({hit.name for hit in store.hit_by("D011")})
    page = Document(site / "cause/D011-member-times.html")
    assert hit
    assert f"{len(hit)} packages" in page.text
    for name in hit:
        assert name in page.text
    assert "samebytes normalize dist/*" in page.text


def test_documents_are_what_the_schema_says(site: Path) -> None:
    # Records are in-toto Statements, whatever else is beside them.
    paths = [path for path in site.rglob("*.json") if path.name != MARKER and path.parent.name != "record"]
    assert len(paths) > NUMBER
    for path in paths:
        assert_valid(json.loads(path.read_text(encoding="ascii")), "survey-site")


def test_numbers_in_the_index_document_are_the_stores(site: Path, store: Store) -> None:
    document = json.loads((site / "index.json").read_text(encoding="ascii"))
    tally = store.headline().tally("hook", "wheel", is_pure=True)
    found = [
        one
        for one in document["shares"]
        if (one["way"], one["kind"], one.get("is_pure"), "backend" in one) == ("hook", "wheel", True, False)
    ]
    assert [(one["same"], one["differs"]) for one in found] == [(tally.same, tally.differs)]


def test_the_script_of_all_packages_is_ascii_and_one_call(site: Path) -> None:
    text = (site / "packages/data.js").read_text(encoding="ascii")
    assert text.startswith("samebytesSurvey({")
    document = json.loads(text[len("samebytesSurvey(") : -len(");\n")])
    assert len(document["rows"]) == NUMBER + len(HOSTILE_NAMES)
    assert {row[1] or row[0] for row in document["rows"]} == package_stems(site)


def test_snippets_have_the_address_that_was_given(store: Store, tmp_path: Path) -> None:
    made(store, tmp_path / "site", address="https://example.org/survey/")
    text = Document(tmp_path / f"site/package/{name_of(1)}.html").text
    assert f"(https://example.org/survey/badge/{name_of(1)}.svg)" in text
    assert f":target: https://example.org/survey/package/{name_of(1)}.html" in text


# What never is.


def test_nothing_hostile_gets_through(pages: dict[str, Document], site: Path) -> None:
    for path in site.rglob("*"):
        if path.is_file():
            text = path.read_bytes().decode("utf-8")
            assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", text), path
    for name, page in pages.items():
        scripts = page.every("script")
        assert [(some.get("src") or "").endswith("assets/site.js") for some in scripts] == [True], name
        assert {tag for tag, _ in page.tags} <= TAGS, name


def test_hostile_text_is_shown_as_it_is(site: Path, store: Store) -> None:
    name = next(one.name for one in store.newest() if one.name.startswith("<script>"))
    page = Document(site / f"package/{stem(name)}.html")
    assert "<script>alert(1)</script>\"'&{{ 7*7 }}{% raw %}\\x1b[31m\\x00\\u202egnp.exe\\u2066\\ud800" in page.text
    assert [some for some in page.tags if some[0] == "script"] == [
        ("script", {"src": "../assets/site.js", "defer": None})
    ]


def test_files_lie_where_they_should_whatever_packages_are_called(site: Path) -> None:
    for path in tree(site):
        assert re.fullmatch(r"(?:[a-z]+/)?[A-Za-z0-9_-]+\.(?:html|json|svg|css|js)", path), path
        assert path.rpartition("/")[2].partition(".")[0] not in ("con", "nul", "aux"), path
    assert [path.name for path in site.parent.iterdir()] == ["site"]


def test_what_is_very_long_is_cut(site: Path) -> None:
    assert max(path.stat().st_size for path in (site / "package").glob("*.html")) < 100_000


# Badges.


def test_badges_are_small_pictures_with_a_title(site: Path) -> None:
    for path in (site / "badge").glob("*.svg"):
        root = ElementTree.fromstring(path.read_bytes())
        title = root.find("{http://www.w3.org/2000/svg}title")
        assert title is not None
        assert root.get("aria-labelledby") == title.get("id")
        assert ": reproducible: " in (title.text or "")
        assert path.stat().st_size < 2_000
        assert "script" not in {element.tag.rpartition("}")[2] for element in root.iter()}


def test_a_badge_tells_the_standing(site: Path, store: Store) -> None:
    labels = set()
    for one in store.newest():
        told = (site / f"badge/{stem(one.name)}.svg").read_text(encoding="utf-8")
        label = re.findall(">([^<]+)</text>", told)[1]
        labels.add(label)
        if one.state is not State.EXAMINED:
            assert label == one.state.value
        elif all(outcome == "same" for kinds in one.outcomes.values() for outcome in kinds.values()):
            assert label == "as is"
        elif all(outcome != "same" for kinds in one.outcomes.values() for outcome in kinds.values()):
            assert label == "not yet"
    assert {"as is", "with samebytes", "not yet"} <= labels


# Published files that were rebuilt.


def test_every_package_has_a_page_a_document_and_a_badge_of_published_files(site: Path) -> None:
    for suffix in ("html", "json", "svg"):
        assert {path.stem for path in (site / "rebuilt").glob(f"*.{suffix}")} == package_stems(site)


def test_a_page_of_published_files_has_who_when_and_which_record(site: Path, store: Store) -> None:
    names = (name_of(rank) for rank in range(1, NUMBER + 1))
    name = next(one for one in names if any(each.causes for each in next(store.history(one)).rebuilds))
    newest = next(store.history(name))
    page = Document(site / f"rebuilt/{stem(name)}.html")
    text = " ".join(page.text.split())
    for part in ("Example rebuilders", newest.run, "2025-08-14", "samebytes 0.2.0", "3.12.8", newest.version):
        assert part in text, part
    for number, one in enumerate(newest.rebuilds, start=1):
        assert one.file in text
        assert one.sha256 in text
        assert f"samebytes verify {name}=={newest.version} --file {one.file}" in text
        path = site / f"record/{stem(name)}_{number}.json"
        assert path.is_file() == bool(one.record)
        if one.record:
            assert f"../record/{path.name}" in page.links
            assert json.loads(path.read_text(encoding="ascii")) == one.record
            assert one.rebuilt in text
            assert "setuptools" in text
        for hit in one.causes:
            assert hit.code in text
            assert hit.right in text
    assert f"../rebuilt/{stem(name)}.html" in Document(site / f"package/{stem(name)}.html").links
    assert f"(https://ADDRESS.OF.THIS.SITE/rebuilt/{stem(name)}.svg)" in page.text


def test_causes_that_hit_no_package_are_folded(site: Path, store: Store) -> None:
    shown, _, folded = (site / "causes.html").read_text("utf-8").partition("<details>")
    for cause in ALL:
        is_hit = any(store.hit_by(cause.code))
        assert (f'href="cause/{cause.code}-{cause.name}.html"' in shown) == is_hit
        assert (f'href="cause/{cause.code}-{cause.name}.html"' in folded) == (not is_hit)


def test_a_badge_of_published_files_has_the_worst_of_them(site: Path, store: Store) -> None:
    """What differs comes first: a badge must never be better than a file of it."""
    labels = Counter()
    for one in store.newest():
        root = ElementTree.fromstring((site / f"rebuilt/{stem(one.name)}.svg").read_bytes())
        label = (root.findtext("{http://www.w3.org/2000/svg}title") or "").rpartition(": rebuilt: ")[2]
        states = {each.state for each in next(store.history(one.name)).rebuilds}
        if states - {"identical", "same after normalization", "not rebuilt"}:
            assert label == "different"
        elif not states or "not rebuilt" in states:
            assert label == "not rebuilt"
        else:
            assert label == max(states, key=len)
        labels[label] += 1
    assert set(labels) == {"identical", "same after normalization", "different", "not rebuilt"}


def test_the_overview_has_published_files(pages: dict[str, Document], store: Store) -> None:
    text = " ".join(pages["index.html"].text.split())
    tally = store.headline().rebuilt()
    assert f"{tally.identical + tally.normalized} of {tally.tried} files that were published came out again" in text
    assert len(pages["published/1.html"].every("tr")) == 1 + sum(
        bool(next(store.history(one.name)).rebuilds) or one.state is State.NO_SDIST for one in store.newest()
    )


def test_what_was_only_verified_is_not_shown_as_built(tmp_path: Path) -> None:
    first, only = runs(2)
    only = replace(only, builds=False, verifies=True)
    (one,) = [each for each in examinations(1, [first]) if each.artifacts] or [
        Examination("x", "1", State.NOT_BUILT, 0, 1)
    ]
    rebuilt = replace(next(iter(examinations(1, [only]))), artifacts=(), state=State.EXAMINED)
    with Store(tmp_path / "only.sqlite") as store:
        fill(store, [only], [rebuilt])
        made(store, tmp_path / "only")
    index = " ".join(Document(tmp_path / "only/index.html").text.split())
    assert "each built twice" not in index
    assert "Published files that could be rebuilt" in index
    assert "It was not built twice yet." in Document(tmp_path / f"only/package/{rebuilt.name}.html").text
    with Store(tmp_path / "both.sqlite") as store:
        fill(store, [first, only], [one, rebuilt])
        made(store, tmp_path / "both")
    package = Document(tmp_path / f"both/package/{one.name}.html")
    assert one.version in package.text
    assert "Verdicts" in package.text
    assert rebuilt.version in Document(tmp_path / f"both/rebuilt/{one.name}.html").text


def test_what_nobody_tried_to_rebuild_has_a_page_and_a_badge_that_say_so(tmp_path: Path) -> None:
    within = runs(2)
    within[-1] = replace(within[-1], verifies=True)
    one, other = (next(iter(examinations(9, [run]))) for run in within)
    with Store(tmp_path / "s.sqlite") as store:
        fill(store, within, [one, replace(other, name="other")])
        made(store, tmp_path / "site")
    page = Document(tmp_path / f"site/rebuilt/{one.name}.html")
    assert "Nobody has tried to build its published files again yet." in page.text
    assert [some["alt"] for some in page.every("img")] == ["rebuilt: not rebuilt"]
    assert_valid(json.loads((tmp_path / f"site/rebuilt/{one.name}.json").read_text("ascii")), "survey-site")
    assert len(Document(tmp_path / "site/published/1.html").every("tr")) == 2


def test_a_store_without_rebuilds_has_no_pages_of_them(tmp_path: Path) -> None:
    within = runs(1)
    with Store(tmp_path / "s.sqlite") as store:
        fill(store, within, examinations(2, within))
        made(store, tmp_path / "site")
    assert not (tmp_path / "site/rebuilt").exists()
    assert "Published" not in Document(tmp_path / "site/index.html").text


# How it is written.


def test_the_same_store_gives_the_same_bytes(store: Store, site: Path, tmp_path: Path) -> None:
    made(store, tmp_path / "again")
    assert tree(tmp_path / "again") == tree(site)
    made(store, tmp_path / "again")
    assert tree(tmp_path / "again") == tree(site)


def test_what_is_gone_from_the_store_goes_from_the_site(store: Store, tmp_path: Path) -> None:
    made(store, tmp_path / "site")
    within = runs(1)
    with Store(tmp_path / "small.sqlite") as small:
        fill(small, within, examinations(2, within))
        made(small, tmp_path / "site")
        made(small, tmp_path / "fresh")
    assert package_stems(tmp_path / "site") == {name_of(1), name_of(2)}
    assert tree(tmp_path / "site") == tree(tmp_path / "fresh")


def test_a_store_without_anything_makes_a_site(tmp_path: Path) -> None:
    with Store(tmp_path / "empty.sqlite") as empty:
        assert made(empty, tmp_path / "site").packages == 0
        empty.begin(runs(1)[0], [Target("demo")])
        assert made(empty, tmp_path / "site").packages == 0
    assert "0 packages" in Document(tmp_path / "site/index.html").text
    assert "No packages." in Document(tmp_path / "site/packages/rank-1.html").text


def test_what_a_way_could_not_build_is_told_beside_its_share(tmp_path: Path) -> None:
    within = runs(1)
    some = [one for one in examinations(9, within) if one.artifacts]
    broken = [replace(each, state="could not be built") if each.way == "hook" else each for each in some[0].artifacts]
    with Store(tmp_path / "s.sqlite") as store:
        fill(store, within, [replace(some[0], artifacts=tuple(broken)), *some[1:]])
        made(store, tmp_path / "site")
    text = " ".join(Document(tmp_path / "site/index.html").text.split())
    assert f"of {len(some) - 1} packages, 1 not built" in text
    assert "could not be built" in Document(tmp_path / f"site/package/{some[0].name}.html").text


def test_a_chart_takes_two_runs(tmp_path: Path) -> None:
    for number in (1, 2):
        within = runs(number)
        with Store(tmp_path / f"{number}.sqlite") as store:
            fill(store, within, examinations(9, within))
            made(store, tmp_path / f"site-{number}")
    one, two = (Document(tmp_path / f"site-{number}/index.html") for number in (1, 2))
    assert "There is one run so far." in one.text
    assert "2025-06-15" in one.text
    assert not [some for some in one.every("svg") if some.get("role") == "img"]
    assert [some["aria-label"] for some in two.every("svg") if some.get("role") == "img"] == [
        "Shares over time; the numbers are in the table that follows"
    ]


def test_a_code_of_a_newer_samebytes_gets_a_page(tmp_path: Path) -> None:
    within = runs(1)
    nasty = '"><script>'
    with Store(tmp_path / "s.sqlite") as store:
        one = next(each for each in examinations(20, within) if any(artifact.causes for artifact in each.artifacts))
        artifacts = [
            replace(artifact, causes=tuple(replace(hit, code=code) for hit in artifact.causes))
            for artifact, code in zip(one.artifacts, ["D777", nasty] * 6)
        ]
        fill(store, within, [replace(one, artifacts=tuple(artifacts))])
        made(store, tmp_path / "site")
    page = Document(tmp_path / f"site/cause/{stem('d777')}.html")
    assert "This samebytes does not know it." in page.text
    assert (tmp_path / f"site/cause/{stem(nasty)}.html").is_file()
    assert len(Document(tmp_path / "site/causes.html").every("script")) == 1


def test_half_a_character_does_no_harm_even_if_a_store_gives_it(tmp_path: Path) -> None:
    within = runs(1)
    with Store(tmp_path / "s.sqlite") as store:
        fill(store, within, hostile(within[0]))
        half = [replace(one, version=f"{one.version}\ud800", log="\ud800") for one in hostile(within[0])]
        store.history = lambda name: iter(one for one in half if writable(one.name) == name)  # type: ignore[method-assign, assignment]
        made(store, tmp_path / "site")
    for path in (tmp_path / "site/package").glob("*.html"):
        assert "\\ud800" in Document(path).text


def test_a_long_history_is_cut_and_counted(tmp_path: Path) -> None:
    one = Examination("demo", "1", State.NOT_BUILT, 0, 1.0)
    within = runs(1)
    with Store(tmp_path / "s.sqlite") as store:
        fill(store, within, [replace(one, run=within[0].id)])
        store.history = lambda _: iter([one] * (MOST_HISTORY + 7))  # type: ignore[method-assign, assignment]
        made(store, tmp_path / "site")
    assert "And 7 older." in Document(tmp_path / "site/package/demo.html").text
    document = json.loads((tmp_path / "site/package/demo.json").read_text("ascii"))
    assert (len(document["examinations"]), document["older"]) == (MOST_HISTORY, 7)


def test_a_directory_that_is_no_site_is_left_alone(store: Store, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").write_text("years of work", encoding="utf-8")
    with pytest.raises(OutputError, match="is not the site of a survey") as caught:
        made(store, tmp_path / "mine")
    assert caught.value.remedy == "Name a new or an empty directory: all of it would be replaced."
    assert (tmp_path / "mine/thesis.txt").read_text(encoding="utf-8") == "years of work"
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_file_is_no_place_for_a_site(store: Store, tmp_path: Path) -> None:
    (tmp_path / "site").write_text("x", encoding="utf-8")
    with pytest.raises(OutputError, match="is not a directory") as caught:
        made(store, tmp_path / "site")
    assert caught.value.remedy == "Name a directory for the site."


def test_a_missing_parent_is_told(store: Store, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="site: cannot be written: No such file or directory") as caught:
        made(store, tmp_path / "a/b/site")
    assert str(tmp_path / "a/b") in caught.value.remedy


def test_an_empty_directory_is_taken(store: Store, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    made(store, tmp_path / "site")
    assert (tmp_path / "site" / MARKER).is_file()


def test_a_link_to_a_site_stays_one(store: Store, tmp_path: Path) -> None:
    made(store, tmp_path / "real")
    (tmp_path / "link").symlink_to("real")
    made(store, tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real" / MARKER).is_file()


def test_work_that_is_broken_off_leaves_the_old_site(store: Store, site: Path, tmp_path: Path) -> None:
    made(store, tmp_path / "site")
    within = runs(1)
    with Store(tmp_path / "s.sqlite") as other:
        fill(other, within, examinations(3, within))
        history = other.history
        other.history = lambda name: iter([]) if name == name_of(2) else history(name)  # type: ignore[method-assign, assignment]
        with pytest.raises(IndexError):
            made(other, tmp_path / "site")
    assert tree(tmp_path / "site") == tree(site)
    assert sorted(path.name for path in tmp_path.iterdir() if not path.name.startswith("s.sqlite")) == ["site"]


def test_repair_tools_and_the_image_are_apart_from_build_requirements(tmp_path: Path) -> None:
    def distribution(name: str) -> InstalledDistribution:
        return InstalledDistribution(name, "1.0", f"https://host.example/{name}-1.0.tar.gz", {"sha256": "1" * 64})

    record = Record(
        *((("demo.whl", "2" * 64),), BACKEND, (ArtifactKind.WHEEL,), {}, Material()),
        requirements=(distribution("flit_core"),),
        python=this_python(),
        environment={},
        image=RecordedImage(f"host.example/manylinux@sha256:{'3' * 64}", "3" * 64),
        repair=RecordedRepair("manylinux_2_17_x86_64", ("--strip",), (distribution("auditwheel"),)),
    )
    made_of = statement(record)
    assert [one.name for one in published.requirements(made_of)] == ["flit_core"]
    assert [one.name for one in published.requirements(made_of, of_repair=True)] == ["auditwheel"]
    of_a_name = statement(replace(record, image=RecordedImage("local:1", "3" * 64), repair=None))
    assert ("Image", f"local:1 (sha256 {'3' * 64})") in published.facts(of_a_name)
    (run,) = runs(1)
    run = replace(run, verifies=True)
    (one,) = examinations(1, [run])
    one = replace(
        one, state=State.EXAMINED, rebuilds=(Rebuild("platform wheel", "demo.whl", "different", record=made_of),)
    )
    with Store(tmp_path / "s.sqlite") as store:
        fill(store, [run], [one])
        made(store, tmp_path / "site")
    text = " ".join(Document(tmp_path / f"site/rebuilt/{stem(one.name)}.html").text.split())
    assert "Built with 1 distribution Build requirements" in text
    assert "Repaired with 1 distribution Repair tools" in text
    assert "Repairedfor manylinux_2_17_x86_64 --strip" in text
    assert f"Imagehost.example/manylinux@sha256:{'3' * 64}" in text
