"""``samebytes tree``: fix and digest installed trees."""
