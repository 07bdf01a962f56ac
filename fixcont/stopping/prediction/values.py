"""Values found without running any code of the debuggee: variables, attributes, and whether an exception matches.

Nothing here asks an object for its class, for equality or for its hash: all of that may be code of the debuggee.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import (
    BuiltinFunctionType,
    ClassMethodDescriptorType,
    FrameType,
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodDescriptorType,
    MethodType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any, Final

from fixcont.bytecode.interpreter import LOCALS_WRITE_THROUGH, OPTIMIZED


class TypeOf:
    """The value of a fact that asks for the type of what a name refers to, and not for the object."""

    __slots__ = ("kind",)

    def __init__(self, kind: type) -> None:
        self.kind = kind


class _Marker:
    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name


UNKNOWN: Final = _Marker("UNKNOWN")
MISSING: Final = _Marker("MISSING")
#: Where a fact about a name was found: the frame's globals, or its builtins because the globals lack it.
GLOBALS: Final = _Marker("GLOBALS")
BUILTINS: Final = _Marker("BUILTINS")

mro_of: Final[Callable[[type], tuple[type, ...]]] = type.__dict__["__mro__"].__get__
dict_of_class: Final[Callable[[type], Any]] = type.__dict__["__dict__"].__get__
_dict_of_module: Final[Callable[[ModuleType], dict[str, Any]]] = ModuleType.__dict__["__dict__"].__get__  # type: ignore[index]


# -- where names are looked up


class Scope:
    """The variables of a frame, or of a function that is only thought of.

    Attributes:
        globals: the module's variables.
        facts: what was looked up: (GLOBALS or BUILTINS of the frame or another dict, name, value found). As long as the facts hold and `is_cacheable` is true, evaluating again gives the same.
        is_cacheable: whether nothing was looked at but what `facts` says.
    """

    __slots__ = ("_builtins", "_frame", "_locals", "facts", "globals", "is_cacheable")

    def __init__(self, frame: FrameType | None, globals_: dict[str, Any], builtins: Any, locals_: Any = None) -> None:
        self._frame = frame
        self._locals = locals_
        self._builtins = builtins
        self.globals = globals_
        self.facts: list[tuple[Any, str, object]] = []
        self.is_cacheable = True

    @classmethod
    def of_frame(cls, frame: FrameType) -> Scope:
        return cls(frame, frame.f_globals, frame.f_builtins)

    def local(self, name: str) -> object:
        """Look up a local, cell or free variable.

        To 3.12 that brings the frame's `locals()` snapshot up to date, so nothing asks before it must.
        """
        self.is_cacheable = False
        if self._locals is not None:
            return self._locals.get(name, UNKNOWN)
        return UNKNOWN if self._frame is None else _local_of(self._frame, name)

    def asks_type_of(self, value: object) -> None:
        """Note that nothing but the type of a value that was looked up matters."""
        self.facts = [(where, name, TypeOf(type(value)) if found is value else found) for where, name, found in self.facts]

    def named(self, name: str) -> object:
        """Look up a name as a module or a class body does."""
        frame = self._frame
        if frame is None or frame.f_code.co_flags & OPTIMIZED or frame.f_locals is frame.f_globals:
            return self.global_(name)
        mapping = frame.f_locals
        self.is_cacheable = False
        if type(mapping) is not dict:
            return UNKNOWN
        value = mapping.get(name, MISSING)
        return self.global_(name) if value is MISSING else value

    def global_(self, name: str) -> object:
        """Look up a global or builtin."""
        if type(self.globals) is dict and type(self._builtins) is dict:
            for where, variables in ((GLOBALS, self.globals), (BUILTINS, self._builtins)):
                value = variables.get(name, MISSING)
                if value is not MISSING:
                    self.facts.append((where, name, value))
                    return value
        self.is_cacheable = False
        return UNKNOWN


#: References to a snapshot that nobody but its frame has: the frame's, that of the variable here, and that of the argument.
_UNSHARED: Final = 3


def _local_of(frame: FrameType, name: str) -> object:
    mapping: Any = frame.f_locals
    is_function = frame.f_code.co_flags & OPTIMIZED
    if type(mapping) is not dict and not is_function:
        return UNKNOWN  # a class body's namespace can be an object of the debuggee with methods of its own
    value = mapping.get(name, UNKNOWN)
    # A snapshot keeps all variables' objects alive until the frame ends: `del` would delete nothing. While a trace function
    # runs it must stay, since it is written back to the frame.
    if is_function and not LOCALS_WRITE_THROUGH and sys.getrefcount(mapping) <= _UNSHARED and sys.gettrace() is None:
        mapping.clear()
    return value


def is_subclass(kind: type, base: type) -> bool:
    """Tell by the order of bases alone, as the interpreter matches exceptions: nothing is asked of metaclasses."""
    return any(item is base for item in mro_of(kind))


def is_instance(value: object, base: type) -> bool:
    """Tell by the type alone: `isinstance` asks the object for its `__class__`, which may run code."""
    return is_subclass(type(value), base)


def is_any(value: object, *others: object) -> bool:
    """Tell whether it is one of the others by identity: `in` asks for equality, which may run code."""
    return any(value is other for other in others)


def attribute(owner: object, name: str, scope: Scope) -> object:
    """Return `owner.name` as far as it can be had without running code; methods come back as plain functions."""
    kind = type(owner)
    if kind is ModuleType:
        variables = _dict_of_module(owner)  # type: ignore[arg-type]
        value = variables.get(name, MISSING)
        scope.facts.append((variables, name, value))
        return UNKNOWN if value is MISSING else value
    if is_instance(owner, type):
        return _plain(_in_classes(owner, name, scope))  # type: ignore[arg-type]
    scope.is_cacheable = False
    return attribute_of_instance(owner, name)


def attribute_of_instance(owner: object, name: str) -> object:
    """Return `owner.name` of an instance from its `__dict__`, its slots or its class, or UNKNOWN."""
    kind = type(owner)
    if raw_attribute(kind, "__getattribute__") is not object.__getattribute__:
        return UNKNOWN
    in_class = raw_attribute(kind, name)
    if type(in_class) is MemberDescriptorType:
        try:
            return in_class.__get__(owner)  # a slot: no code runs
        except AttributeError:
            return UNKNOWN
    if in_class is not MISSING and raw_attribute(type(in_class), "__set__") is not MISSING:
        return UNKNOWN
    value = dict_of_instance(owner).get(name, MISSING)
    return _plain(in_class) if value is MISSING else value


def raw_attribute(kind: type, name: str) -> object:
    """Return what the class or one of its bases has under a name, without binding it, or MISSING."""
    for base in mro_of(kind):
        value = dict_of_class(base).get(name, MISSING)
        if value is not MISSING:
            return value
    return MISSING


def dict_of_instance(owner: object) -> dict[str, Any]:
    """Return the `__dict__` of an instance, or an empty one where it has none or hides it."""
    getter = raw_attribute(type(owner), "__dict__")
    if type(getter) is GetSetDescriptorType:
        try:
            found = getter.__get__(owner)
        except (AttributeError, TypeError):
            return {}
        if type(found) is dict:
            return found
    return {}


def _in_classes(owner: type, name: str, scope: Scope) -> object:
    if type(owner) is not type and raw_attribute(type(owner), name) is not MISSING:
        return UNKNOWN  # the metaclass may have the first say
    for base in mro_of(owner):
        variables = dict_of_class(base)
        value = variables.get(name, MISSING)
        scope.facts.append((variables, name, value))
        if value is not MISSING:
            return value
    return MISSING


_UNBOUND: Final = (
    FunctionType,
    MethodDescriptorType,
    WrapperDescriptorType,
    ClassMethodDescriptorType,
    BuiltinFunctionType,
    MethodType,
)


def _plain(value: object) -> object:
    kind = type(value)
    if value is MISSING:
        return UNKNOWN
    if kind is staticmethod or kind is classmethod:
        return value.__func__  # type: ignore[attr-defined]
    if is_any(kind, *_UNBOUND) or is_instance(value, type) or raw_attribute(kind, "__get__") is MISSING:
        return value
    return UNKNOWN


def name_of(what: object) -> tuple[str, str]:
    """Return module and qualified name of a class or function, ("", "") where they are not plain strings."""
    if is_instance(what, type):
        module = type.__dict__["__module__"].__get__(what)
        name = type.__dict__["__qualname__"].__get__(what)
    elif is_any(type(what), FunctionType, BuiltinFunctionType):
        module, name = what.__module__, what.__qualname__  # type: ignore[attr-defined]
    else:
        return "", ""
    return (module, name) if type(module) is str and type(name) is str else ("", "")


# -- does an exception match?


def items_of(value: object) -> tuple[object, ...]:
    """Return the items of a tuple of any class, not asking the class."""
    return tuple(tuple.__iter__(value))  # type: ignore[arg-type]


def is_exception_class(value: object) -> bool:
    return is_instance(value, type) and is_subclass(value, BaseException)  # type: ignore[arg-type]


def matching(kind: type, wanted: object) -> object:
    """Return the class in `wanted` that matches an exception of type `kind`, None where none does, UNKNOWN where that is not known."""
    if is_instance(wanted, tuple):
        result: object = None
        for item in items_of(wanted):
            found = matching(kind, item)
            if found is UNKNOWN:
                result = UNKNOWN
            elif found is not None:
                return found
        return result
    if is_exception_class(wanted):
        return wanted if is_subclass(kind, wanted) else None  # type: ignore[arg-type]
    return UNKNOWN


def as_member(exception: BaseException) -> BaseException:
    """Return a group with an exception in it, for as long as it takes to tell who handles it; of a group itself."""
    if is_any(type(exception), ExceptionGroup, BaseExceptionGroup):
        return exception
    return BaseExceptionGroup("", [exception])


def leaves(exception: BaseException) -> list[BaseException]:
    """Return the exceptions in a group that are no groups themselves; of another exception, itself."""
    if not is_instance(exception, BaseExceptionGroup):
        return [exception]
    found: list[BaseException] = []
    members: tuple[BaseException, ...] = BaseExceptionGroup.exceptions.__get__(exception)
    for member in members:
        found.extend(leaves(member))
    return found
