"""What decorators ran when they were applied, as far as that can be told without running them: which functions, and what these may have left behind."""

from __future__ import annotations

import ast
import builtins
import dis
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from types import CodeType, FunctionType
from typing import Any

from fixcont.editing.functions import class_namespace, code_inside, functions_behind, module_namespace

#: Methods of a class that run when it is called, or an instance of it.
CALLED = frozenset({"__new__", "__init__", "__call__"})
_mro: Any = vars(type)["__mro__"]


def marks_of(
    decorators: Iterable[ast.expr], scopes: Sequence[Mapping[str, Any]], is_user: Callable[[FunctionType], bool]
) -> set[str]:
    """Give the names of the attributes that decorators may have set on what they were applied to.

    Args:
        scopes: where their names are looked up, innermost first.
        is_user: tells whether a function is one of the user's, whose own calls are followed.
    """
    names: set[str] = set()
    for function in reached([each for decorator in decorators for each in functions_of(decorator, scopes)], is_user):
        for code in (function.__code__, *code_inside(function.__code__)):
            names |= set(_stored(code))
    return names


def _stored(code: CodeType) -> Iterator[str]:
    """Give the names of the attributes that code sets; where it calls `setattr` or goes through `__dict__`, all its texts."""
    yield from (each.argval for each in dis.get_instructions(code) if each.opname == "STORE_ATTR")
    if not {"setattr", "__dict__", "vars"}.isdisjoint(code.co_names):
        for const in code.co_consts:
            yield from (each for each in (const if isinstance(const, tuple) else (const,)) if isinstance(each, str))


def functions_of(decorator: ast.expr, scopes: Sequence[Mapping[str, Any]]) -> list[FunctionType]:
    """Give the functions that a decorator calls itself, of what its name stands for now."""
    return called_as(value_of_name(decorator.func if isinstance(decorator, ast.Call) else decorator, scopes))


def called_as(value: Any) -> list[FunctionType]:
    """Give the functions that run when a value is called."""
    cls = value if issubclass(type(value), type) else type(value)
    return list(functions_behind(value)) or list(methods_of(cls, CALLED))


def reached(functions: Iterable[FunctionType], is_user: Callable[[FunctionType], bool]) -> Iterator[FunctionType]:
    """Give functions and those that they may call, as far as names tell: globals, and methods of classes that are named."""
    waiting: list[FunctionType] = []
    seen: set[int] = set()
    classes: dict[int, Any] = {}
    names: set[str] = set(CALLED)

    def add(more: Iterable[FunctionType]) -> None:
        for each in more:
            if id(each) not in seen:
                seen.add(id(each))
                waiting.append(each)

    add(functions)
    while waiting:
        function = waiting.pop()
        yield function
        if is_user(function):
            named = {name for code in (function.__code__, *code_inside(function.__code__)) for name in code.co_names}
            names |= named
            for value in [function.__globals__[name] for name in named & function.__globals__.keys()]:
                if issubclass(type(value), type):
                    classes[id(value)] = value
                else:
                    add(functions_behind(value))
        if not waiting:
            add(each for cls in classes.values() for each in methods_of(cls, names) if is_user(each))


def methods_of(cls: type, names: Set[str]) -> Iterator[FunctionType]:
    """Give the functions behind those attributes of a class and its bases that have one of some names."""
    for base in _mro.__get__(cls):
        namespace = class_namespace(base)
        for name in names & namespace.keys():
            yield from functions_behind(namespace[name])


def value_of_name(expression: ast.expr, scopes: Sequence[Mapping[str, Any]]) -> Any:
    """Give what a name, or a name in a module or class, stands for; None where that cannot be told without running code."""
    if isinstance(expression, ast.Name):
        return next((each[expression.id] for each in (*scopes, vars(builtins)) if expression.id in each), None)
    if not isinstance(expression, ast.Attribute):
        return None
    holder = value_of_name(expression.value, scopes)
    namespace = module_namespace(holder)
    if namespace is not None:
        return namespace.get(expression.attr)
    cls = holder if issubclass(type(holder), type) else type(holder)
    spaces = map(class_namespace, _mro.__get__(cls))
    return next((each[expression.attr] for each in spaces if expression.attr in each), None)
