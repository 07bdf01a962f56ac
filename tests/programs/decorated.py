"""A function behind decorators, in a registry."""

import functools

registry = {}
log = []


def registered(function):
    registry[function.__name__] = function
    return function


def logged(prefix):
    def decorate(function):
        @functools.wraps(function)
        def wrapper(*args, **kwargs):
            log.append((prefix, args))
            return function(*args, **kwargs)

        return wrapper

    return decorate


@registered
@functools.lru_cache(maxsize=None)
@logged("parse")
def parse(text, *, base=10):
    return int(text, base)  # @fails


print("parsed", [registry["parse"](text) for text in ("12", "0x1f", "12", "7")])
print("log", log)
