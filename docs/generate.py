"""Write docs/reference/passes.md and causes.md from the passes and causes themselves, and the API's signatures.

    python docs/generate.py [--check]

With ``--check`` nothing is written, and the exit status is 1 if a page is not up to date.
"""

from __future__ import annotations

import argparse
import inspect
import re
import sys
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from samebytes_tools.comparison.causes.cause import Cause

    from samebytes.passes.model import Pass

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "reference" / "passes.md"
CAUSES = ROOT / "docs" / "reference" / "causes.md"
API = ROOT / "docs" / "reference" / "python-api.md"

_HEAD = """\
# Passes

<!-- Written by docs/generate.py from samebytes.passes.ALL. Do not edit it by hand. -->

A pass is one rule of the [canonical form](../canonical-form.md). `samebytes normalize` and `samebytes check` report by
these codes what is not canonical. Codes are stable. Their first letter says what they are about: `Z` ZIP, `T` tar, `G`
gzip, `W` wheel, `S` sdist, `P` compiled modules, `C` contents.

**Switchable** passes can be left out: by `--disable CODE` on the command line, or with a reason in
[`disable`](configuration.md#disable). The files are then as equal as they are without that rule, and not canonical. For
the others, the writer has no other form, or leaving them out would make a broken file. An **optional** pass runs only
if it is named by `--enable CODE` or [`enable`](configuration.md#enable).
"""

_MORE = {
    "C001": "The exact rules: [SBOMs](sbom-and-pyc.md#c001-software-bills-of-materials).",
    "P001": "The exact rules: [headers of compiled modules](sbom-and-pyc.md#p001-headers-of-compiled-modules).",
    "P002": "The exact rules: [code of compiled modules](sbom-and-pyc.md#p002-code-of-compiled-modules).",
    "S010": 'Only with [`source-date-epoch = "vcs"`](configuration.md#source-date-epoch).',
    "S004": "As `W007`; here it is PKG-INFO, and what setuptools writes: setup.cfg and the egg-info directory.",
    "W007": "Only by the backend (`samebytes.backend`, `samebytes build`), never by `samebytes normalize`: METADATA "
    "with its description, WHEEL, entry_points.txt and the like, and scripts that setuptools wrote anew.",
    "W001": "A mismatch is an error; with `--rebuild-record`, each is reported under this code. "
    "What a backend has just built is refused only if a digest is wrong; else there is a warning.",
    "W006": "With `--drop-signatures`, what is dropped is reported under this code.",
    "T010": "Reported as a note. It is no finding, and does not change the exit status.",
}
"""What the command line has to do with a pass, or where the rest stands."""

_CAUSES_HEAD = """\
# Causes

<!-- Written by docs/generate.py from the table in samebytes_tools.comparison.causes. Do not edit it by hand. -->

Why two builds differ. [`samebytes compare`](../how-to/compare.md) names each difference's cause by one of these codes,
with the bytes that show it, and what to do about it. Codes are stable. A cause is named only where the bytes show it;
where they do not, it is D099.
"""


def page(passes: Iterable[Pass]) -> str:
    """Return the text of the page."""
    ordered = sorted(passes, key=lambda one: one.code)
    wheel = [one for one in ordered if "wheel" in _kinds(one)]
    sdist = [one for one in ordered if "sdist" in _kinds(one)]
    parts = [_HEAD, "## In wheels\n", *_table(wheel), "\n## In sdists\n", *_table(sdist), "\n## Each pass\n"]
    return "\n".join([*parts, "\n\n".join(_section(one) for one in ordered), ""])


def causes_page(causes: Iterable[Cause]) -> str:
    """Return the text of the page of causes."""
    ordered = sorted(causes, key=lambda one: one.code)
    rows = (f"| [{one.code}](#{_anchor(one)}) | {_title(one)} | {_escaped(one.explanation)} |" for one in ordered)
    parts = [_CAUSES_HEAD, "| code | name | what |", "|---|---|---|", *rows, "\n## What to do\n"]
    return "\n".join([*parts, "\n\n".join(_remedy(one) for one in ordered), ""])


def with_signatures(text: str) -> str:
    """Return the page of the Python API, with the signatures that its functions have.

    Why not Sphinx's autodoc: a code host shows these pages too, and it would show a directive.
    """
    return re.sub(r"(?<=^```python\n)def (\w+)\(.*?(?=^```$)", _signature, text, flags=re.MULTILINE | re.DOTALL)


def _signature(found: re.Match[str]) -> str:
    import samebytes

    function = inspect.signature(getattr(samebytes, found[1]))
    lines = []
    for one in function.parameters.values():
        if one.kind is one.KEYWORD_ONLY and "    *,\n" not in lines:
            lines.append("    *,\n")
        default = "" if one.default is one.empty else f" = {one.default!r}"
        lines.append(f"    {one.name}: {_shown_type(one.annotation)}{default},\n".replace("'", '"'))
    return f"def {found[1]}(\n{''.join(lines)}) -> {_shown_type(function.return_annotation)}: ...\n"


def _shown_type(annotation: str) -> str:
    return annotation.replace("StrPath", "str | os.PathLike[str]")


def _remedy(one: Cause) -> str:
    """Return the section of a cause; what is to be pasted is indented, which Markdown shows as it is."""
    from samebytes_tools.reporting.prose import blocks

    found = blocks(one.advice(normalized=True, inside=True))
    shown = (textwrap.indent(each.text, "    ") if each.pasted else _escaped(each.text) for each in found)
    texts = [text if text.startswith("    ") else _wrapped(text) for text in shown]
    return "\n\n".join([f"### {one.code}: {_title(one)}", *texts])


def _escaped(text: str) -> str:
    """Return prose in which nothing is Markdown."""
    return re.sub(r"([\\`*_<>|])", r"\\\1", text)


def _table(passes: Iterable[Pass]) -> Iterator[str]:
    yield "| code | name | switchable |"
    yield "|---|---|---|"
    for one in passes:
        yield f"| [{one.code}](#{_anchor(one)}) | {_title(one)} | {_switch(one)} |"


def _section(one: Pass) -> str:
    facts = f"In {' and '.join(f'{kind}s' for kind in _kinds(one))}. {_switch_sentence(one)}"
    more = [_MORE[one.code]] if one.code in _MORE else []
    return "\n\n".join([f"### {one.code}: {_title(one)}", _wrapped(one.reason), _wrapped(" ".join([facts, *more]))])


def _wrapped(text: str) -> str:
    return textwrap.fill(text, 120, break_long_words=False, break_on_hyphens=False)


def _kinds(one: Pass) -> list[str]:
    from samebytes.artifact.layout import ArtifactKind
    from samebytes.passes.model import Context

    return [kind for kind in (ArtifactKind.WHEEL, ArtifactKind.SDIST) if one.applies(Context(0, kind))]


def _title(one: Pass | Cause) -> str:
    return one.name.replace("-", " ")


def _anchor(one: Pass | Cause) -> str:
    return f"{one.code.lower()}-{one.name}"


def _switch(one: Pass) -> str:
    return "optional" if not one.default else "yes" if one.switchable else "no"


def _switch_sentence(one: Pass) -> str:
    return {"optional": "Optional.", "yes": "Switchable.", "no": "Not switchable."}[_switch(one)]


def main() -> int:
    """Write the pages, or compare them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if a page is stale")
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT / "src"))
    from samebytes_tools.comparison.causes import table

    from samebytes.passes import ALL

    texts = {PAGE: page(ALL), CAUSES: causes_page(table.ALL), API: with_signatures(API.read_text("utf-8"))}
    stale = [path for path, text in texts.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        if options.check:
            print(f"{path.relative_to(ROOT)} is not up to date: run python docs/generate.py", file=sys.stderr)
        else:
            path.write_text(texts[path], encoding="utf-8")
    return 1 if stale and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
