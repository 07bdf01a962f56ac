"""Find the functions that a running process has already made of the user's code."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterable
from functools import partial
from itertools import compress, repeat
from operator import attrgetter, is_
from types import CellType, FunctionType, MethodType, ModuleType
from typing import Any

from fixcont.bytecode import interpreter

#: What holds functions in the namespace of a module or of a class, other than those themselves.
_WRAPPERS: tuple[type, ...] = (staticmethod, classmethod, property, partial, MethodType, CellType, tuple)
#: How many wrappers are looked into, one inside the other: functools.wraps leads from closure to cell to function.
_DEPTH = 12
_filename_of = attrgetter("__code__.co_filename")


def loaded_functions(is_user: Callable[[str], bool]) -> list[FunctionType]:
    """Return every function alive in this process whose code is the user's, once each.

    `is_user` is asked once for each file name.

    Runs no code of the debuggee: objects are told apart by their type alone. Functions that a running call is
    about to make (nested functions, lambdas) are not there yet; their code lies in the code of the call, which
    goes on as it is. Objects that `gc.freeze` has hidden are found if a module's namespace leads to them by way
    of classes and wrappers.
    """
    objects = gc.get_objects()
    # a list of a million objects: this runs without an instruction of Python for each
    functions: list[FunctionType] = list(compress(objects, map(is_, map(type, objects), repeat(FunctionType))))
    del objects
    if gc.get_freeze_count() > interpreter.FROZEN_AT_START:
        known = set(map(id, functions))
        functions += [function for function in _reachable_functions(_modules()) if id(function) not in known]
    filenames = list(map(_filename_of, functions))
    verdicts = {filename: is_user(filename) for filename in set(filenames)}
    return list(compress(functions, map(verdicts.__getitem__, filenames)))


def _modules() -> list[ModuleType]:
    # a module may be any object, and an attribute of such an object may be code of the debuggee
    return [module for module in list(sys.modules.values()) if issubclass(type(module), ModuleType)]


def _reachable_functions(modules: Iterable[ModuleType]) -> list[FunctionType]:
    found: list[FunctionType] = []
    seen: set[int] = set()
    waiting: list[tuple[Any, int]] = [(value, 0) for module in modules for value in _namespace(module)]
    while waiting:
        value, depth = waiting.pop()
        if id(value) in seen or depth > _DEPTH:
            continue
        kind = type(value)
        if kind is FunctionType:
            found.append(value)
        if issubclass(kind, type):
            inside = [part for part in gc.get_referents(value) if type(part) is dict]
            parts = [part for namespace in inside for part in namespace.values()]
        elif kind is FunctionType or issubclass(kind, _WRAPPERS):
            parts = gc.get_referents(value)
        else:
            continue
        seen.add(id(value))
        waiting += [(part, depth + 1) for part in parts if type(part) is not dict]
    return found


def _namespace(module: ModuleType) -> list[Any]:
    return list(ModuleType.__getattribute__(module, "__dict__").values())
