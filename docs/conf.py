"""How Sphinx makes a site of these pages; the pages themselves are plain Markdown, which a code host shows too.

    pip install -r docs/requirements.txt
    python -m sphinx -M html docs build/docs -W --keep-going

Why Sphinx with MyST: links between Markdown files, and their anchors, are checked as the code host resolves them, and
``-W`` makes an error of each one that is broken. Why furo: it asks nothing of other hosts, has a dark mode, and fits a
phone. The navigation is the list of ``index.md``; there is no second one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from docutils import nodes
from pygments.lexers.special import TextLexer
from sphinx.addnodes import download_reference, pending_xref
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
PACKAGE = ROOT / "src" / "samebytes" / "__init__.py"
HOST = "https://github.com/samebytes/samebytes"

project = "samebytes"
version = release = re.findall('^__version__ = "(.+)"$', PACKAGE.read_text("utf-8"), re.MULTILINE)[0]
language = "en"

extensions = ["myst_parser", "sphinx_copybutton"]
source_suffix = {".md": "markdown"}
root_doc = "index"
nitpicky = True
smartquotes = False  # text stays as the code host shows it
myst_heading_anchors = 6

html_theme = "furo"
html_title = f"samebytes {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False
html_use_index = False
html_theme_options = {
    "source_repository": f"{HOST}/",
    "source_branch": "main",
    "source_directory": "docs/",
}


def lists_of_pages(index: str) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Yield each section of the index but the first, which leads into them, with texts and targets of its links."""
    once: set[str] = set()
    for number, section in enumerate(re.split(r"^## ", index, flags=re.MULTILINE)[1:]):
        links = re.findall(r"\[([^\]]+)\]\(([^)]+)\)", section)
        pages = [(" ".join(text.split()), target) for text, target in links]
        if number:
            yield section.partition("\n")[0], [(text, target) for text, target in pages if target not in once]
            once.update(target for _, target in pages)
        elif tutorials := [(text, target) for text, target in pages if target.startswith("tutorial/")]:
            yield "Tutorial", tutorials


def add_navigation(app: Sphinx, docname: str, source: list[str]) -> None:
    """Make the lists of the index the navigation of the site."""
    if docname != app.config.root_doc:
        return
    for caption, links in lists_of_pages(source[0]):
        entries = [f"{text.replace('`', '')} <{on_host(DOCS / target) or target}>" for text, target in links]
        source[0] += "\n".join(["\n```{toctree}", ":hidden:", f":caption: {caption}\n", *entries, "```\n"])


def on_host(path: Path) -> str | None:
    """Return where the code host shows what is not below docs/; None if *path* is below, or if there is nothing."""
    path = path.resolve()
    here = path.exists() or (ROOT / "PKG-INFO").is_file()  # an sdist has not all that a clone has
    if path.is_relative_to(DOCS) or not path.is_relative_to(ROOT) or not here:
        return None
    return f"{HOST}/{'tree' if path.is_dir() else 'blob'}/main/{path.relative_to(ROOT).as_posix()}"


class LeadToHost(SphinxTransform):
    """Lets links out of docs/ lead to the code host."""

    default_priority = 10

    def apply(self) -> None:
        here = Path(self.env.doc2path(self.env.docname)).parent
        for node in [*self.document.findall(pending_xref), *self.document.findall(download_reference)]:
            is_page = node.get("refdomain") == "doc"
            uri = on_host(DOCS / f"{node['reftarget']}.md" if is_page else here / node["reftarget"])
            if uri:
                anchor = f"#{node['reftargetid']}" if node.get("reftargetid") else ""
                node.replace_self(nodes.reference("", "", *node.children, refuri=uri + anchor, internal=False))


def setup(app: Sphinx) -> None:
    """Register both, and the names that the canonical form's examples have for what they hold."""
    app.connect("source-read", add_navigation)
    app.add_transform(LeadToHost)
    for name in ("wheel", "sdist", "tar"):
        app.add_lexer(name, TextLexer)
