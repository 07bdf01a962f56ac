"""A repair as a test: the failing call with its arguments as code, and what the repaired function makes of it."""
