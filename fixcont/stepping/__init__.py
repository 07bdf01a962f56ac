"""Breakpoints and steps: where a thread is to stop, and what watches for it while there is such a place, and only then."""
