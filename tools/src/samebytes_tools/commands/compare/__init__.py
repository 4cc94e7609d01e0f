"""``samebytes compare``: what differs between two archives or trees, and why."""
