"""What has died already: tracebacks as stops, and going on from them by a replay."""
