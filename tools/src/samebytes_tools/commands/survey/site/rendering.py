"""Templates, made ready once: whatever they print is made harmless and escaped, without exception."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, Any

from samebytes.console.style import harmless

from ....reporting.prose import blocks
from . import addresses, texts
from .results import OUTCOMES, STANDINGS

if TYPE_CHECKING:
    from jinja2 import Environment, Template

POLICY = "default-src 'none'; style-src 'self' file:; script-src 'self' file:; img-src 'self' file: data:"
"""What pages may load: their own files. ``file:`` is for pages opened from a disk, which have no ``'self'``."""


class Templates:
    """The site's templates, with what all pages share."""

    def __init__(self, **shared: Any) -> None:
        """Read the templates; *shared* are values that all of them get.

        :raises MissingExtraError: without Jinja2.
        """
        self._environment = _environment()
        self._environment.globals.update(shared)
        self._ready: dict[str, Template] = {}

    def page(self, template: str, path: str, **values: Any) -> str:
        """Return the page that will lie at *path*, less its suffix, with links that fit that place."""
        root = "../" * path.count("/")
        return self.part(template, path=path, root=root, **values)

    def part(self, template: str, **values: Any) -> str:
        """Return a file, or a piece of one."""
        if template not in self._ready:
            self._ready[template] = self._environment.get_template(template)
        return self._ready[template].render(values)


def asset(name: str) -> str:
    """Return the text of the site's style sheet or script."""
    return _read("assets", name)


def _read(directory: str, name: str) -> str:
    return resources.files(__package__).joinpath(directory).joinpath(name).read_text(encoding="utf-8")


def _environment() -> Environment:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(lambda name: _read("templates", name)),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters.update(
        count=texts.count,
        cut=texts.cut,
        day=texts.day,
        duration=texts.duration,
        moment=texts.moment,
        percent=texts.percent,
        size=texts.size,
        blocks=blocks,
    )
    environment.globals.update(
        policy=POLICY,
        package_path=addresses.package,
        badge_path=addresses.badge,
        cause_path=addresses.cause,
        listing_path=addresses.listing,
        outcomes=OUTCOMES,
        standings=STANDINGS,
    )
    return environment


def _shown(value: Any) -> Any:
    """Return what a template prints for *value*; markup, of a type of its own, stays as it is."""
    return harmless(value) if type(value) is str else value
