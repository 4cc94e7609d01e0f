"""``samebytes verify``: rebuild a published file, and compare."""
