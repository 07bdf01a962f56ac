"""Handlers that promise to catch and do not: the stop comes later, but it comes."""

import contextlib
import sys


def fail():
    raise LookupError("on purpose")  # @raised


def wanted():
    return ValueError


def computed_handler():
    try:
        fail()
    except wanted():
        return "never"


def handler_that_raises_again():
    try:
        fail()
    except LookupError as error:
        if error.args:
            raise
        return "never"


def context_manager_that_changes_its_mind():
    @contextlib.contextmanager
    def fickle():
        try:
            yield
        except LookupError as error:
            if error.args:
                raise

    with fickle():
        fail()


class Exits:
    def __init__(self):
        self.answers = [False]

    def __enter__(self):
        return self

    def __exit__(self, *details):
        return self.answers.pop()


def exit_that_does_not_swallow():
    with Exits():
        fail()


print("result", globals()[sys.argv[1]]())
