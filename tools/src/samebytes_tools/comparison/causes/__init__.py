"""Causes: the table of their codes, and what shows each."""
