"""The way to build a tree: copies, virtual environments, requirements, hook calls, processes, records."""
