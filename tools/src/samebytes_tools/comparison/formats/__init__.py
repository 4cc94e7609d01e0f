"""Differences inside one format: text, metadata, ELF, bytecode and so on."""
