"""The store of a survey: an SQLite database, its schema, its rows."""
