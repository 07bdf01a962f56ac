"""Edits of the files: the texts that were loaded, what changed, whether it can be installed, and installing it."""
