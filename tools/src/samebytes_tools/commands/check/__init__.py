"""``samebytes check`` of sources: build twice, and attribute what differs."""
