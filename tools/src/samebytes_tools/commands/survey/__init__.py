"""The survey: many packages built twice in several ways, what came of each, and how that changes over time."""
