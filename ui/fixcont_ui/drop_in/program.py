"""Stub."""
def prepare(namespace): pass
