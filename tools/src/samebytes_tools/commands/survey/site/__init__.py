"""The survey as a static site: pages, badges and JSON that need no server, no script and nothing from elsewhere."""

from .site import SiteSummary, write_site

__all__ = ["SiteSummary", "write_site"]
