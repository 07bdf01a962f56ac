"""A `finally` that swallows, which newer Pythons warn of when they compile it."""


def swallow():
    try:
        raise LookupError("on purpose")
    finally:
        return "swallowed"


print("result", swallow())
