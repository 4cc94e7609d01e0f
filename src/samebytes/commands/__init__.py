"""The commands, a folder each, and the parser that assembles them."""
