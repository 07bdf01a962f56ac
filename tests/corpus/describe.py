"""What a process has loaded of a package, as data that does not depend on the process."""

from __future__ import annotations

import collections
import contextvars
import enum
import functools
import hashlib
import importlib.util
import json
import pathlib
import re
import sys
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from types import CellType, CodeType, FunctionType, ModuleType
from typing import Any

#: A description: None, text, or a mapping of them, as JSON has them.
Data = Any

#: The key of a mapping that stands for a function.
FUNCTION = "<function>"

#: Names of a module that say where it is and how it was loaded, and what is described in another way.
_OF_THE_LOADER = frozenset(
    ("__builtins__", "__cached__", "__loader__", "__spec__", "__file__", "__path__", "__warningregistry__", "__annotate__",
     "__annotations__", "__conditional_annotations__")
)  # fmt: skip
#: Attributes of a class that are described in another way, that every class has, or in which the interpreter and `copyreg` remember something.
_OF_THE_CLASS = frozenset(
    ("__dict__", "__weakref__", "__annotations__", "__annotate__", "__annotate_func__", "__annotations_cache__", "_abc_impl",
     "__abstractmethods__", "__static_attributes__", "__qualname__", "__module__", "__classdictcell__", "__slotnames__")
)  # fmt: skip
_PLAIN = (int, float, complex, bytes, bool, type(None), type(Ellipsis), type(NotImplemented), range, slice)
#: What an instance may hold that is described; what it keeps else was made by code that ran, and stays as it is.
_HOLDERS = (
    FunctionType, staticmethod, classmethod, property, functools.partial, functools.cached_property, functools._lru_cache_wrapper,
    types.MethodType,
)  # fmt: skip
_DEEPEST = 7

_module_dict: Any = vars(ModuleType)["__dict__"]
_class_dict: Any = vars(type)["__dict__"]
_mro: Any = vars(type)["__mro__"]


class Description:
    """Describes the modules that lie below a folder.

    The program's own code is not run, but for the evaluation of annotations where they are kept as functions.

    Parameters:
        folder: of the package; file names are given relative to it.
        untrapped: gives code as the compiler made it.
    """

    def __init__(self, folder: str, untrapped: Callable[[CodeType], CodeType]) -> None:
        self._folder = folder.rstrip("/") + "/"
        self._untrapped = untrapped
        self._functions: dict[str, Data] = {}  # digest -> description of a function
        self._open: set[int] = set()  # ids of the objects that are being described
        self._kept: list[object] = []
        self._own = {
            name: namespace
            for name, module in list(sys.modules.items())
            if (namespace := _namespace(module)) is not None and self._is_own_file(namespace.get("__file__"))
        }

        self._shared = _in_several_classes(self._own)

    def data(self) -> Data:
        """Return the description: module -> name -> value, and the functions that are spoken of by their digests."""
        modules = {name: self._module(name, namespace) for name, namespace in sorted(self._own.items())}
        return {"modules": modules, "functions": self._functions}

    def _is_own_file(self, name: object) -> bool:
        return type(name) is str and name.startswith(self._folder)

    def _module(self, name: str, namespace: Mapping[str, Any]) -> Data:
        found = {
            each: self._value(value, home=(name, each)) for each, value in sorted(namespace.items()) if each not in _OF_THE_LOADER
        }
        found["<annotations>"] = self._annotations(sys.modules[name], namespace)
        return found

    # Values

    def _value(self, value: Any, depth: int = 0, home: tuple[str, str] | None = None) -> Data:
        kind = type(value)
        if kind is str:
            return f"'{value.replace(self._folder, '<folder>/')}'"
        if kind in _PLAIN:
            return repr(value)
        if issubclass(kind, type):
            return self._class_or_name(value, home)
        if issubclass(kind, ModuleType):
            return f"module {_module_dict.__get__(value).get('__name__')}"
        if id(value) in self._open:
            return "<what is around it>"
        if depth > _DEEPEST:
            return f"instance of {self._named(kind)}"
        self._open.add(id(value))
        self._kept.append(value)
        try:
            return self._compound(value, kind, depth)
        finally:
            self._open.discard(id(value))

    def _compound(self, value: Any, kind: type, depth: int) -> Data:
        if kind is FunctionType:
            return self._function(value, depth)
        if kind is CodeType:
            return f"code of {value.co_qualname}"
        parts = _parts(value, kind)
        if parts is not None:
            found = {name: self._value(part, depth + 1) for name, part in parts}
            if kind is functools._lru_cache_wrapper:
                found["annotations"] = self._annotations(value, value.__dict__)
            return {kind.__name__: found}
        if issubclass(kind, (list, tuple, collections.deque)):
            return {self._named(kind): {str(at): self._value(each, depth + 1) for at, each in enumerate(kind.__iter__(value))}}
        if kind in (set, frozenset):
            return {kind.__name__: dict.fromkeys(sorted(_text(self._value(each, depth + 1)) for each in value))}
        if kind is dict and value.get("__name__") in self._own and self._own[value["__name__"]] is value:
            return f"namespace of {value['__name__']}"
        if issubclass(kind, dict) or kind is types.MappingProxyType:
            pairs = list(dict.items(value) if issubclass(kind, dict) else value.items())
            return {self._named(kind): {_text(self._value(key, depth + 1)): self._value(each, depth + 1) for key, each in pairs}}
        if issubclass(kind, enum.Enum):
            return f"{self._named(kind)}.{value._name_}"
        if isinstance(value, (types.GenericAlias, types.UnionType, typing.TypeVar)) or kind.__module__ == "typing":
            return self._annotation(value)
        if isinstance(value, pathlib.PurePath):
            return f"path {str(value).replace(self._folder, '<folder>/')}"
        if kind.__module__ not in self._own:
            return f"instance of {self._named(kind)}"
        functions = {name: self._value(each, depth + 2) for name, each in _state(value) if type(each) in _HOLDERS}
        return {f"instance of {self._named(kind)}": functions}

    def _annotation(self, value: Any) -> Data:
        """Describe what typing makes by its parts: equal ones are written in several ways, and which one is given depends on its caches."""
        origin = typing.get_origin(value)
        if isinstance(value, list):
            return [self._annotation(each) for each in value]
        if origin is None:
            return f"class {self._named(value)}" if isinstance(value, type) else _without_addresses(repr(value))
        parts = [_text(self._annotation(each)) for each in typing.get_args(value)]
        if origin in (typing.Union, types.UnionType):
            return f"any of {sorted(parts)}"
        return f"{_without_addresses(repr(origin))} of {parts}"

    # Functions

    def _function(self, function: FunctionType, depth: int) -> Data:
        code = self._untrapped(function.__code__)
        cells = function.__closure__ or ()
        found = {
            "name": function.__name__,
            "qualname": self._qualname_of(function),
            "module": self._value(function.__module__),
            "doc": self._value(function.__doc__, depth + 1),
            "defaults": self._value(function.__defaults__, depth + 1),
            "keyword defaults": self._value(function.__kwdefaults__, depth + 1),
            "annotations": self._annotations(function, function.__dict__),
            "type parameters": self._value(getattr(function, "__type_params__", ()), depth + 1),
            "attributes": self._value(function.__dict__, depth + 1),
            "globals": self._value(function.__globals__.get("__name__"), depth + 1),
            "closure": {name: self._cell(cell, depth) for name, cell in zip(function.__code__.co_freevars, cells, strict=True)},
            "code": self._code(code) if self._is_own_code(function) else f"{code.co_qualname} of a library",
        }
        digest = hashlib.sha1(_text(found).encode()).hexdigest()
        self._functions[digest] = found
        return {FUNCTION: digest}

    def _qualname_of(self, function: FunctionType) -> str:
        """Return the qualified name of a function, but of one that is in several classes the one that its definition gave it.

        A program that names such a function after the class that it puts it into leaves it with the name of the class that was made last.
        Which one that is depends on the order in which the program's classes came to be: those that an edit adds come last.
        """
        return function.__code__.co_qualname if id(function) in self._shared else function.__qualname__

    def _is_own_code(self, function: FunctionType) -> bool:
        return self._is_own_file(function.__code__.co_filename) or function.__globals__.get("__name__") in self._own

    def _cell(self, cell: CellType, depth: int) -> Data:
        try:
            return self._value(cell.cell_contents, depth + 1)
        except ValueError:
            return "nothing"

    def _annotations(self, holder: Any, namespace: Mapping[str, Any]) -> Data:
        library = _annotation_library()
        if library is not None:
            if type(holder) is not FunctionType and not any(name.startswith("__annot") for name in namespace):
                return {}
            try:
                values = library.get_annotations(holder, format=library.Format.FORWARDREF)
            except Exception as error:
                return f"raises {type(error).__name__}"
        elif type(holder) is FunctionType:
            values = holder.__annotations__
        else:
            values = namespace.get("__annotations__", {})
        return {name: self._value(value, 1) for name, value in values.items()}

    def _code(self, code: CodeType) -> Data:
        constants = {str(at): self._constant(each) for at, each in enumerate(code.co_consts)}
        return {
            "name": code.co_qualname,
            "file": code.co_filename.replace(self._folder, ""),
            "flags": code.co_flags,
            "arguments": [code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount],
            "variables": list(code.co_varnames),
            "free": list(code.co_freevars),
            "cells": list(code.co_cellvars),
            "names": list(code.co_names),
            "instructions": code.co_code.hex(),
            "constants": constants,
            "handlers": code.co_exceptiontable.hex(),
            "first line": code.co_firstlineno,
            "positions": str(list(code.co_positions())),
            "stack": code.co_stacksize,
        }

    def _constant(self, constant: Any) -> Data:
        if isinstance(constant, CodeType):
            return self._code(constant)
        if isinstance(constant, frozenset):
            return {"frozenset": sorted(map(repr, constant))}
        return f"{type(constant).__name__} {constant!r}"

    # Classes

    def _class_or_name(self, cls: Any, home: tuple[str, str] | None) -> Data:
        namespace = _class_dict.__get__(cls)
        module = namespace.get("__module__")
        if module not in self._own:
            return f"class {self._named(cls)}"
        if home != (module, _qualname(cls)) and _at_home(cls) is cls:
            return f"class {self._named(cls)}"
        if id(cls) in self._open:
            return f"class {self._named(cls)} around it"
        self._open.add(id(cls))
        try:
            return self._class(cls, namespace)
        finally:
            self._open.discard(id(cls))

    def _class(self, cls: Any, namespace: Mapping[str, Any]) -> Data:
        qualname, module = _qualname(cls), namespace.get("__module__", "")
        found = {
            name: self._value(value, 1, home=(module, f"{qualname}.{name}"))
            for name, value in sorted(namespace.items())
            if name not in _OF_THE_CLASS
        }
        found["<class>"] = {
            "qualname": qualname,
            "module": module,
            "metaclass": self._named(type(cls)),
            "bases": [self._named(base) for base in cls.__bases__],
            "order": [self._named(base) for base in _mro.__get__(cls)],
            "abstract": sorted(map(str, namespace.get("__abstractmethods__", ()))),
            "attributes of self": sorted(map(str, namespace.get("__static_attributes__", ()))),
            "annotations": self._annotations(cls, namespace),
        }
        return found

    def _named(self, cls: Any) -> str:
        namespace = _class_dict.__get__(cls)
        module = namespace.get("__module__")
        name = f"{module if type(module) is str else 'builtins'}.{_qualname(cls)}"
        return name if module not in self._own or _at_home(cls) is cls else f"{name} (not the one of that name)"


def _annotation_library() -> Any:
    """Return what evaluates annotations where they are kept as functions, None where they are not."""
    return importlib.import_module("annotationlib") if importlib.util.find_spec("annotationlib") is not None else None


def _in_several_classes(modules: Mapping[str, Mapping[str, Any]]) -> set[int]:
    """Return the ids of the functions that are attributes of more than one of the classes that modules bind."""
    classes = {id(each): each for names in modules.values() for each in names.values() if issubclass(type(each), type)}
    found = collections.Counter(
        id(value) for cls in classes.values() for value in _class_dict.__get__(cls).values() if type(value) is FunctionType
    )
    return {each for each, number in found.items() if number > 1}


def _namespace(module: object) -> dict[str, Any] | None:
    return _module_dict.__get__(module) if issubclass(type(module), ModuleType) else None


def _qualname(cls: Any) -> str:
    name: str = vars(type)["__qualname__"].__get__(cls)
    return name


def _at_home(cls: Any) -> object:
    """Return what the module and the name of a class lead to."""
    module = _class_dict.__get__(cls).get("__module__")
    where: Any = _namespace(sys.modules.get(module)) if type(module) is str else None
    found: object = None
    for part in _qualname(cls).split("."):
        if where is None:
            return None
        found = where.get(part)
        where = _class_dict.__get__(found) if issubclass(type(found), type) else None
    return found


def _parts(value: Any, kind: type) -> list[tuple[str, Any]] | None:
    """Return what the usual wrappers hold, None for other objects."""
    if kind in (staticmethod, classmethod):
        return [("function", value.__func__)]
    if kind is property:
        return [("get", value.fget), ("set", value.fset), ("delete", value.fdel), ("doc", value.__doc__)]
    if kind is functools.partial:
        return [("function", value.func), ("arguments", value.args), ("keywords", value.keywords)]
    if kind is functools.partialmethod:
        return [("function", value.func), ("arguments", value.args), ("keywords", value.keywords)]
    if kind is functools.cached_property:
        return [("function", value.func), ("name", value.attrname), ("doc", value.__doc__)]
    if kind is functools._lru_cache_wrapper:
        own = {name: each for name, each in value.__dict__.items() if name not in ("__annotate__", "__annotations__")}
        return [("attributes", own), ("size", value.cache_info().maxsize), ("kept", value.cache_info().currsize)]
    if kind is functools.singledispatchmethod:
        return [("function", value.func), ("dispatcher", value.dispatcher)]
    if kind is types.MethodType:
        return [("function", value.__func__), ("of", value.__self__)]
    if kind is re.Pattern:
        return [("pattern", value.pattern), ("flags", value.flags)]
    if kind is contextvars.ContextVar:
        return [("name", value.name)]
    if kind is CellType:
        return [("content", value.cell_contents)]
    return None


def _state(value: Any) -> Iterator[tuple[str, Any]]:
    """Give the attributes that an instance itself has, without running its code."""
    for cls in _mro.__get__(type(value)):
        for name, member in sorted(_class_dict.__get__(cls).items()):
            if type(member) is types.MemberDescriptorType:
                try:
                    yield name, member.__get__(value)
                except AttributeError:
                    continue
            elif name == "__dict__" and type(member) is types.GetSetDescriptorType:
                own = member.__get__(value)
                if type(own) is dict:
                    yield from sorted(((str(key), each) for key, each in own.items()), key=lambda pair: pair[0])


def _text(data: Data) -> str:
    return data if type(data) is str else json.dumps(data, sort_keys=True)


def _without_addresses(text: str) -> str:
    return re.sub(r" at 0x[0-9a-f]+", "", text)
