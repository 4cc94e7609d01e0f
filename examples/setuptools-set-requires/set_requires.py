"""Nothing here; the metadata is the example."""
