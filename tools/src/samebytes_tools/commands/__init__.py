"""The commands that samebytes-tools adds, a folder each."""
