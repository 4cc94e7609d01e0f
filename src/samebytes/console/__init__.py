"""What every command shares: styles, streams, verbosity, exit statuses and JSON documents."""
