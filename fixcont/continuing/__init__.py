"""The ways to go on from a stop: what a front end answers, whether it can be done, and doing it."""
