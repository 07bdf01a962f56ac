"""Stops that are no longer alive: saved to a file, read elsewhere."""
