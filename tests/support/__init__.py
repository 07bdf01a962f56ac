"""Helpers of the tests: programs on disk and debug sessions in real processes. Tested by test_support.py."""
