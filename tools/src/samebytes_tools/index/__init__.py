"""Package indexes: their pages, what is downloaded from them, and what of them is served to pip on this machine."""
