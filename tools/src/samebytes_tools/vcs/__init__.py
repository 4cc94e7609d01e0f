"""Version control: commits and checkouts."""
