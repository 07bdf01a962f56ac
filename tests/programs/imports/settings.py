"""A module that fails."""

LIMIT = int("40")
NAMES = ["a", "b"]
LIMIT = LIMIT + int("x2")  # @fails
