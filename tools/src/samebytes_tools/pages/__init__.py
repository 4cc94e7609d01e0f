"""What reports show as HTML: pages that need nothing but themselves, made with Jinja2.

Whatever a template prints is made harmless and escaped, without exception, for it comes from archives, or from the
command line.
"""

from __future__ import annotations

from importlib import resources
from typing import Any

import jinja2
import markupsafe

from samebytes.console.style import harmless

from ..comparison.causes.table import by_code, how_small
from ..reporting.columns import columns
from ..reporting.difference_tree import cause_counts, counted, other_passes, pair_name, remedy_for, title_of
from ..reporting.overview import NORMALIZING, codes_of, opening
from ..reporting.prose import blocks

MOST_SHOWN = 500
"""How many differences are shown side by side before they are only counted; a browser should open the page."""
MOST_UNFOLDED = 40
"""Up to so many differences of a pair, all of them are unfolded."""

# A second defence: archives decide what stands in a page.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""What a page may load: nothing; it has its style sheet in itself."""


def page(template: str, title: str, *, version: str, **values: Any) -> str:
    """Return a page that is complete in itself; *values* are what its *template* asks for."""
    return environment().get_template(template).render(title=title, version=version, **values)


def environment() -> jinja2.Environment:
    """Return what makes templates ready; they are named by their paths in this distribution's package."""
    made = jinja2.Environment(
        # By importlib.resources, as the package may be in a zip.
        loader=jinja2.FunctionLoader(source_of),
        autoescape=True,
        # A misspelt name in a template would print nothing, silently.
        undefined=jinja2.StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        # No stat of each template: they do not change while a command runs.
        auto_reload=False,
    )
    made.filters.update(blocks=blocks, codes_of=codes_of, counted=counted)
    made.globals.update(
        by_code=by_code,
        cause_counts=cause_counts,
        how_small=how_small,
        remedy_for=remedy_for,
        columns=columns,
        most_shown=MOST_SHOWN,
        most_unfolded=MOST_UNFOLDED,
        newline=markupsafe.Markup("\n"),  # as markup, or it would be escaped as one of an archive is
        normalizing=NORMALIZING,
        opening=opening,
        other_passes=other_passes,
        pair_name=pair_name,
        policy=POLICY,
        title_of=title_of,
    )
    return made


def source_of(path: str) -> str:
    """Return the text of a file of this distribution's package: of a template, or of what is handed on as it is."""
    return resources.files("samebytes_tools").joinpath(*path.split("/")).read_text(encoding="utf-8")


def _shown(value: Any) -> Any:
    """Return what a template prints for *value*; markup, of a type of its own, stays as it is."""
    # type() and not isinstance: Markup is a str, too.
    return harmless(value) if type(value) is str else value
