"""The front ends of fixcont: each gets a stop from the engine, shows it, and answers with a way to go on.

PYTEST_DONT_REWRITE: where pytest runs under fixcont, this is imported before pytest could do so, and needs no asserts explained.
"""
