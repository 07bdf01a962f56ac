"""Judges `pytest --fixcont` by known bugs: each failing test is repaired at its stop, in the process in which it failed."""
