"""``samebytes check`` of archives: whether they are in canonical form."""
