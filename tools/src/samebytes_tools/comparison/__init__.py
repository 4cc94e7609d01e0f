"""Two archives in, a tree of their differences out, each with its cause and a remedy."""
