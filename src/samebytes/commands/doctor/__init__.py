"""``samebytes doctor``: what samebytes runs on, and what is missing."""
