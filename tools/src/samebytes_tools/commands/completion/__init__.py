"""``samebytes completion``: shell completion."""
