"""``samebytes install``: install wheels into a reproducible tree."""
