"""The canonical deflate stream, and who may make it; knows nothing of archives."""
