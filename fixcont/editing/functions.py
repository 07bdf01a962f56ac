"""Find the live function objects and classes of a file, wherever the program keeps them."""

from __future__ import annotations

import ast
import builtins
import functools
import gc
import importlib.util
import sys
from collections.abc import Iterable, Iterator, Mapping
from types import CellType, CodeType, FunctionType, ModuleType
from typing import Any

from fixcont.bytecode import interpreter
from fixcont.bytecode.closures import NEVER_CALLED

Namespace = dict[str, Any]
#: Descriptors and wrappers that take over the docstring of the function that they are made of.
COPIES_DOCSTRING = (FunctionType, property, functools.cached_property, functools._lru_cache_wrapper, staticmethod, classmethod)

# The descriptors themselves: lazily loaded modules and metaclasses overrule attribute access.
_module_dict: Any = vars(ModuleType)["__dict__"]
_class_dict: Any = vars(type)["__dict__"]
_class_qualname: Any = vars(type)["__qualname__"]


def module_namespace(module: object) -> Namespace | None:
    """Give the dictionary of a module without touching its attributes, None for other objects."""
    return _module_dict.__get__(module) if issubclass(type(module), ModuleType) else None


def class_namespace(cls: Any) -> Mapping[str, Any]:
    """Give the attributes of the class `cls` itself, without running code of its metaclass."""
    namespace: Mapping[str, Any] = _class_dict.__get__(cls)
    return namespace


def class_qualname(cls: Any) -> str:
    """Give the qualified name of a class, without running code of its metaclass."""
    name: str = _class_qualname.__get__(cls)
    return name


def namespaces_of(filename: str, module_names: Iterable[str] = ()) -> list[Namespace]:
    """Give the namespaces of the loaded modules that came from a file or have one of `module_names`."""
    return namespaces_of_each({filename: module_names})[filename]


def namespaces_of_each(files: Mapping[str, Iterable[str]]) -> dict[str, list[Namespace]]:
    """Give what `namespaces_of` does for each of some files, in one pass over the modules.

    Args:
        files: filename -> names of modules.
    """
    named: dict[str, list[str]] = {}  # name of a module -> the files
    for filename, names in files.items():
        for name in names:
            named.setdefault(name, []).append(filename)
    found: dict[str, dict[int, Namespace]] = {filename: {} for filename in files}
    for name, module in list(sys.modules.items()):
        namespace = module_namespace(module)
        if namespace is None:
            continue
        origin = namespace.get("__file__")
        if type(origin) is str and origin in found:
            found[origin][id(namespace)] = namespace
        for filename in named.get(name, ()):
            found[filename][id(namespace)] = namespace
    return {filename: list(spaces.values()) for filename, spaces in found.items()}


def imported_module(statement: ast.ImportFrom, namespace: Namespace) -> str:
    """Give the name of the module that `from … import …` takes names from, as the module of `namespace` means it."""
    name = "." * statement.level + (statement.module or "")
    try:
        return importlib.util.resolve_name(name, str(namespace.get("__package__") or ""))
    except ImportError:
        return ""


def all_namespaces() -> list[Namespace]:
    """Give the namespaces of all loaded modules."""
    found = (module_namespace(module) for module in list(sys.modules.values()))
    return [namespace for namespace in found if namespace is not None]


def live_functions(filenames: Iterable[str], namespaces: Iterable[Namespace]) -> list[FunctionType]:
    """Find all functions whose code was compiled from one of `filenames`.

    One pass of the garbage collector's own search: every function refers to the builtins that it runs with, and to its globals.
    That sees closures, methods, decorated functions, partials, registries, callbacks of threads. The program's own code is not run.
    Objects that the program has frozen (`gc.freeze`) are not seen by the collector; they are reached from the namespaces.
    """
    wanted, spaces = set(filenames), list(namespaces)
    referrers = gc.get_referrers(builtins.__dict__, *spaces)
    found = {id(each): each for each in referrers if type(each) is FunctionType and each.__code__.co_filename in wanted}
    if gc.get_freeze_count() > interpreter.FROZEN_AT_START:
        found.update({id(each): each for each in _reachable(spaces) if each.__code__.co_filename in wanted})
    return [each for each in found.values() if NEVER_CALLED not in each.__dict__]


def _reachable(namespaces: Iterable[Namespace]) -> Iterator[FunctionType]:
    """Give the functions that are reached from the names of modules: through classes, descriptors, wrappers and closures."""
    waiting: list[object] = [value for namespace in namespaces for value in list(namespace.values())]
    names = {namespace.get("__name__") for namespace in namespaces}
    seen: set[int] = set()
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        if type(each) is FunctionType:
            yield each
            waiting += [*each.__dict__.values(), *captured_values(each)]
        elif issubclass(type(each), type):
            if class_namespace(each).get("__module__") in names:
                waiting += class_namespace(each).values()
        else:
            waiting += _wrapped(each)


def captured_values(function: FunctionType) -> Iterator[object]:
    """Give what the cells of a function hold."""
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # the cell is empty
            continue


def _wrapped(each: object) -> list[object]:
    kind = type(each)
    if kind in (staticmethod, classmethod):
        return [each.__func__]  # type: ignore[attr-defined]
    if kind is property:
        return [each.fget, each.fset, each.fdel]  # type: ignore[attr-defined]
    if kind is functools.partial:
        return [each.func]  # type: ignore[attr-defined]
    if kind is functools.cached_property:
        return [each.func]  # type: ignore[attr-defined]
    if kind is functools._lru_cache_wrapper:
        return [each.__wrapped__]  # type: ignore[attr-defined]
    return []


def find_class(namespace: Namespace, qualname: str) -> type | None:
    """Find the class of the module of `namespace` that is known there as `qualname`, None where the name leads elsewhere."""
    where: Mapping[str, Any] = namespace
    found: object = None
    for part in qualname.split("."):
        found = where.get(part)
        if not issubclass(type(found), type):
            return None
        where = class_namespace(found)
        if where.get("__module__") != namespace.get("__name__") and not _has_functions_of(where, namespace, qualname):
            return None  # imported, or one in C that took the place of the one in the file
    return found if _class_qualname.__get__(found) == qualname else None  # type: ignore[return-value]


def _has_functions_of(attributes: Mapping[str, Any], namespace: Namespace, qualname: str) -> bool:
    """Tell whether a class comes from a module though it says otherwise: packages let the classes of their public face do so."""
    return any(
        function.__globals__ is namespace and function.__code__.co_qualname == f"{qualname}.{name}"
        for name, value in attributes.items()
        for function in functions_behind(value)
    )


def with_subclasses(classes: Iterable[type]) -> list[type]:
    """Give classes and all their subclasses, once each, without running code of a metaclass."""
    found: dict[int, type] = {}
    waiting = list(classes)
    while waiting:
        cls = waiting.pop()
        if id(cls) not in found:
            found[id(cls)] = cls
            waiting += type.__subclasses__(cls)
    return list(found.values())


def find_function(namespace: Namespace, qualname: str) -> FunctionType | None:
    """Find the function that a module of `namespace` knows as `qualname`, through descriptors, None where the name leads elsewhere."""
    owner, _, name = qualname.rpartition(".")
    where: Mapping[str, Any] = namespace
    if owner:
        cls = find_class(namespace, owner)
        where = class_namespace(cls) if cls is not None else {}
    found = where.get(name)
    for each in [found, *_wrapped(found)]:
        if type(each) is FunctionType and each.__code__.co_qualname == qualname:
            return each
    return None


def functions_behind(value: object) -> Iterator[FunctionType]:
    """Give the functions that a value is made of: through descriptors, wrappers and closures, the outermost first."""
    return (each for each in layers_of(value) if type(each) is FunctionType)


def layers_of(value: object) -> Iterator[object]:
    """Give what a value is made of, itself first: descriptors, wrappers, functions and what these have captured."""
    waiting: list[object] = [value]
    seen: set[int] = set()
    while waiting:
        each = waiting.pop(0)
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        if type(each) is FunctionType:
            wrapped = each.__dict__.get("__wrapped__")
            waiting += [*captured_values(each), *([wrapped] if wrapped is not None else [])]
        else:
            waiting += _wrapped(each)


def default_values(function: FunctionType) -> dict[str, Any]:
    """Give the default values of a function by the names of its parameters."""
    code = function.__code__
    positional = code.co_varnames[: code.co_argcount]
    defaults = function.__defaults__ or ()
    values = dict(zip(reversed(positional), reversed(defaults), strict=False))
    values.update(function.__kwdefaults__ or {})
    return values


def docstring_of(code: CodeType) -> str | None:
    """Give the docstring that a function of `code` has when it is made."""
    return FunctionType(code, {}, None, None, tuple(CellType() for _ in code.co_freevars)).__doc__


def code_inside(code: CodeType) -> Iterator[CodeType]:
    """Give the code of what `code` may define, and of what that may define in its turn."""
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield const
            yield from code_inside(const)


def shifted(code: CodeType, lines: int) -> CodeType:
    """Give a copy of `code`, and of all code of its file in it, `lines` further down (or up, where negative).

    Line tables are relative to the first line, so nothing else moves.
    """
    filename = code.co_filename
    consts = tuple(
        shifted(const, lines) if isinstance(const, CodeType) and const.co_filename == filename else const
        for const in code.co_consts
    )
    return code.replace(co_firstlineno=code.co_firstlineno + lines, co_consts=consts)
