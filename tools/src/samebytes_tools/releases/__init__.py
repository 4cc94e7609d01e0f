"""Lists of releases: lock and requirements files; and which file of a release is the one for an interpreter."""
