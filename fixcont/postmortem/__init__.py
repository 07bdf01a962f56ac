"""What has died already: tracebacks as stops, and going on from them by a replay; stops saved to a file, and read elsewhere."""
