"""The canonical deflate stream; knows nothing of archives."""
