"""``samebytes build``: build a project reproducibly."""
