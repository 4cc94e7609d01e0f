"""What every command shares: styles, streams, verbosity and exit statuses."""
