"""The functions that a process has already made are found, wherever they hide."""

from __future__ import annotations

import functools
import gc
import subprocess
import sys
from pathlib import Path
from typing import Any

from fixcont.loading.loaded import loaded_functions
from support import heap

ROOT = Path(__file__).resolve().parents[2]


def is_ours(filename: str) -> bool:
    return filename == __file__


def names() -> list[str]:
    return [function.__qualname__.rpartition(".")[2] for function in loaded_functions(is_ours)]


class Touchy:
    """Whoever looks at it by other means than its type runs its code."""

    def __getattribute__(self, name: str) -> Any:
        raise AssertionError(f"looked at {name}")


def test_functions_are_found_once_wherever_they_are() -> None:
    heap.put_back()  # this module's own are looked for

    def decorate(function: Any) -> Any:
        @functools.wraps(function)
        def wrapper() -> Any:
            return function()

        return wrapper

    @decorate
    def wrapped() -> None: ...

    class Inner:
        def method(self) -> None: ...

        @property
        def getter(self) -> int:
            return 1

    hidden = {"list": [lambda: None], "partial": functools.partial(decorate, wrapped), "touchy": Touchy(), "class": Inner}
    found = names()

    for name in ("decorate", "wrapped", "method", "getter", "is_ours", "<lambda>"):
        assert name in found
    functions = loaded_functions(is_ours)
    assert len(set(map(id, functions))) == len(functions)
    del hidden


def test_functions_of_others_are_left_out() -> None:
    assert gc.get_objects.__name__ not in names()
    assert all(function.__code__.co_filename == __file__ for function in loaded_functions(is_ours))


FROZEN = """
import functools, gc
from fixcont.loading.loaded import loaded_functions

def plain(): pass
def decorate(function):
    @functools.wraps(function)
    def wrapper(): return function()
    return wrapper
@decorate
def wrapped(): pass
class Outer:
    class Inner:
        @staticmethod
        def deep(): pass
    @property
    def getter(self): pass
bound = functools.partial(lambda: None)
gc.freeze()
def after(): pass
found = loaded_functions(lambda filename: filename == "<string>")
print(sorted(function.__qualname__ for function in found
             if function.__module__ == "__main__" and function.__name__ != "<lambda>"))
"""


def test_functions_that_were_frozen_are_found_through_their_modules() -> None:
    completed = subprocess.run([sys.executable, "-c", FROZEN], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)

    assert completed.stdout.strip() == str(
        sorted(["Outer.Inner.deep", "Outer.getter", "after", "decorate", "plain", "wrapped", "wrapped"])
    )
