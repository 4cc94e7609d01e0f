"""``samebytes normalize``: rewrite wheels and sdists into their canonical form."""
