"""Name what holds an object: `app.handlers['x']`, a variable of a frame, what a closure has captured, a task.

The collector's own search is followed outward from the object, level by level, until something is reached that has a name. None
of the debuggee's code runs: types are compared with `is`, attributes are read from dictionaries and slots past what a class overrides.
"""

from __future__ import annotations

import collections
import enum
import functools
import gc
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from types import (
    CellType,
    CodeType,
    FrameType,
    FunctionType,
    GetSetDescriptorType,
    MappingProxyType,
    MemberDescriptorType,
    MethodType,
    ModuleType,
)
from typing import Any, NamedTuple

from fixcont.bytecode import interpreter
from fixcont.editing import suspension
from fixcont.editing.functions import class_namespace, module_namespace
from fixcont.editing.restores import Kept

_class_mro: Any = vars(type)["__mro__"]
_class_qualname: Any = vars(type)["__qualname__"]

#: So many steps from the object to what has a name, so many objects looked at in each step, so many names for one object.
_DEPTH, _WIDTH, _NAMES = 7, 200, 3
#: A container with more items than this is said to hold the object, but not at which place.
_SEARCHED = 100_000


class HolderKind(enum.Enum):
    """What holds something."""

    MODULE = "module"
    CLASS = "class"
    VARIABLE = "variable"
    SUSPENDED = "suspended"
    TASK = "task"
    THREAD = "thread"
    CLOSURE = "closure"
    OBJECT = "object"


_WEAK = (HolderKind.CLOSURE, HolderKind.OBJECT)  # better than no name, where there is no other


class Holder(NamedTuple):
    """One place at which something is held.

    Attributes:
        path: the place as Python spells it: "app.handlers['x']", "callbacks[0]", ".handler"; for a task or thread its name; "" for
            what a suspended coroutine is waiting for.
        owner: whose variable or attribute it is: the qualified name of the function or class; else "".
        line: where the owner is, for a running or suspended function; else 0.
    """

    kind: HolderKind
    path: str
    owner: str = ""
    line: int = 0


class _Entry(NamedTuple):
    """One object on the way outward.

    Attributes:
        target: the index of what is to be named.
        path: what leads from this object to the target; behind the key, where there is one.
        key: for a dict, the key that leads on: whether it is an item or an attribute is told by what holds the dict.
        cell: for the tuple of a closure, the cell that leads on.
    """

    target: int
    held: Any
    path: str
    key: Any = None
    cell: Any = None

    @property
    def suffix(self) -> str:
        return self.path if self.key is None else f"[{_shown(self.key[0])}]{self.path}"

    @property
    def attribute(self) -> str:
        return self.path if self.key is None else f".{self.key[0]}{self.path}"


def holders_of(targets: Sequence[object], frames: Iterable[FrameType]) -> list[tuple[Holder, ...]]:
    """Name the holders of each of `targets`: those that are fewest steps away, three at most, none where none can be named.

    Parameters:
        targets: a list that nothing else refers to them from.
        frames: running frames whose variables are looked at; the collector does not see them.
    """
    return _Search(targets, frames).run()


class _Search:
    def __init__(self, targets: Sequence[object], frames: Iterable[FrameType]) -> None:
        self._targets = targets
        self._modules = {id(space): name for name, space in _module_spaces()}
        self._variables: dict[int, list[tuple[Any, Holder]]] = {}  # id of a value -> it, the variable
        for frame in frames:
            for name, value in variables_of(frame).items():
                holder = Holder(HolderKind.VARIABLE, name, frame.f_code.co_qualname, frame.f_lineno or 0)
                self._variables.setdefault(id(value), []).append((value, holder))
        self._found: list[list[Holder]] = [[] for _ in targets]
        self._weak: list[list[Holder]] = [[] for _ in targets]
        self._seen: set[tuple[int, int]] = {(number, id(each)) for number, each in enumerate(targets)}

    def run(self) -> list[tuple[Holder, ...]]:
        frontier = [_Entry(number, each, "") for number, each in enumerate(self._targets)]
        for _ in range(_DEPTH):
            frontier = [entry for entry in frontier if not self._found[entry.target]]
            for entry in frontier:
                self._look_at_variables(entry)
            if not frontier:
                break
            frontier = self._outward(frontier[:_WIDTH])
        return [tuple((found or weak)[:_NAMES]) for found, weak in zip(self._found, self._weak, strict=True)]

    def _look_at_variables(self, entry: _Entry) -> None:
        for _, holder in self._variables.get(id(entry.held), ()):
            self._name(entry, holder._replace(path=holder.path + entry.suffix))

    def _name(self, entry: _Entry, holder: Holder) -> None:
        names = (self._weak if holder.kind in _WEAK else self._found)[entry.target]
        if holder not in names:
            names.append(holder)

    def _outward(self, frontier: list[_Entry]) -> list[_Entry]:
        by_id: dict[int, list[_Entry]] = {}
        for entry in frontier:
            by_id.setdefault(id(entry.held), []).append(entry)
        held = [entries[0].held for entries in by_id.values()]
        own = {id(each) for each in (frontier, held, self._targets, self.__dict__, *self._variables.values())}
        found: list[_Entry] = []
        referrers = gc.get_referrers(*held)
        own.add(id(referrers))
        for referrer in referrers:
            if id(referrer) in own or type(referrer) in (_Entry, Kept):
                continue
            for identity in {id(each) for each in gc.get_referents(referrer)} & by_id.keys():
                for entry in by_id[identity]:
                    if (entry.target, id(referrer)) in self._seen:
                        continue
                    outer = self._follow(entry, referrer)
                    if outer is not None:
                        self._seen.add((entry.target, id(referrer)))
                        found.append(outer)
        return found

    def _follow(self, entry: _Entry, holder: Any) -> _Entry | None:
        """Go from an object to one that holds it: name it, or return the way on, or None where there is none."""
        kind = type(holder)
        if issubclass(kind, dict):
            return self._follow_dict(entry, holder)
        if issubclass(kind, (list, collections.deque)) or (issubclass(kind, tuple) and type(entry.held) is not CellType):
            return entry._replace(held=holder, path=_place_in(holder, entry.held) + entry.suffix, key=None)
        if kind is tuple:
            return entry._replace(held=holder, path=entry.suffix, key=None, cell=entry.held)
        if issubclass(kind, (set, frozenset)):
            return entry._replace(held=holder, path="{…}" + entry.suffix, key=None)
        if kind is FunctionType:
            return self._follow_function(entry, holder)
        if issubclass(kind, type):
            if type(entry.held) is dict and entry.key is not None:
                self._name(entry, Holder(HolderKind.CLASS, class_path(holder) + entry.attribute))
            return None
        if kind in suspension.KINDS:
            self._name_suspended(entry, holder)
            return None
        if issubclass(kind, ModuleType):
            self._name(entry, Holder(HolderKind.MODULE, _module_name(holder) + entry.attribute))
            return None
        if kind in (FrameType, CodeType):
            return None
        return self._follow_object(entry, holder)

    def _follow_dict(self, entry: _Entry, holder: dict[Any, Any]) -> _Entry | None:
        key = _key_of(holder, entry.held)
        module = self._modules.get(id(holder))
        if module is not None:
            if key is not None and type(key[0]) is str:
                self._name(entry, Holder(HolderKind.MODULE, f"{module}.{key[0]}{entry.suffix}"))
            return None
        return entry._replace(held=holder, path=entry.suffix, key=key or ("…",), cell=None)

    def _follow_function(self, entry: _Entry, holder: FunctionType) -> _Entry | None:
        if entry.cell is not None and holder.__closure__ is entry.held:
            names = [
                name for name, cell in zip(holder.__code__.co_freevars, holder.__closure__, strict=False) if cell is entry.cell
            ]
            for name in names[:1]:
                self._name(entry, Holder(HolderKind.CLOSURE, name + entry.suffix, holder.__qualname__))
            return None
        if holder.__defaults__ is entry.held:
            return entry._replace(held=holder, path=".__defaults__" + entry.suffix, key=None)
        if holder.__kwdefaults__ is entry.held:
            return entry._replace(held=holder, path=".__kwdefaults__" + entry.suffix, key=None)
        if type(entry.held) is dict and entry.key is not None and holder.__globals__ is not entry.held:
            return entry._replace(held=holder, path=entry.attribute, key=None)
        return None

    def _name_suspended(self, entry: _Entry, holder: Any) -> None:
        frame = suspension.frame_of(holder)
        name = next((name for name, value in variables_of(frame).items() if value is entry.held), "") if frame is not None else ""
        if frame is None or not (name or type(entry.held) in suspension.KINDS):
            return  # a generator holds its own function, too
        path = name + entry.suffix if name else ""
        self._name(entry, Holder(HolderKind.SUSPENDED, path, frame.f_code.co_qualname, frame.f_lineno or 0))

    def _follow_object(self, entry: _Entry, holder: Any) -> _Entry | None:
        kind = type(holder)
        if suspension.is_task(holder):
            self._name(entry, Holder(HolderKind.TASK, suspension.task_name(holder)))
            return None
        if kind in (staticmethod, classmethod, property, MethodType, MappingProxyType, CellType, functools._lru_cache_wrapper):
            return entry._replace(held=holder, path=entry.suffix, key=None)
        if kind is functools.partial:
            return entry._replace(held=holder, path=(".func" if holder.func is entry.held else "") + entry.suffix, key=None)
        path = _attribute_path(entry, holder)
        if path is None:
            return entry._replace(held=holder, path=entry.suffix, key=None)  # some object in C
        if issubclass(kind, threading.Thread):
            self._name(entry, Holder(HolderKind.THREAD, thread_name(holder)))
            return None
        self._name(entry, Holder(HolderKind.OBJECT, path, class_path(kind)))
        return entry._replace(held=holder, path=path, key=None)


def _attribute_path(entry: _Entry, holder: Any) -> str | None:
    """Give the attribute of an object that leads on, None where it has no such attribute."""
    attributes = instance_dict(holder)
    if attributes is not None:
        if attributes is entry.held:
            return entry.attribute
        key = _key_of(attributes, entry.held)
        if key is not None and type(key[0]) is str:
            return f".{key[0]}{entry.suffix}"
    for name, slot in _slots(type(holder)):
        try:
            if slot.__get__(holder) is entry.held:
                return f".{name}{entry.suffix}"
        except AttributeError:  # an empty slot
            continue
    return None


def instance_dict(instance: Any) -> dict[str, Any] | None:
    """Give the attributes of an object itself, past what its class overrides; None where it has no dictionary."""
    for cls in _class_mro.__get__(type(instance)):
        descriptor = class_namespace(cls).get("__dict__")
        if type(descriptor) is GetSetDescriptorType and not issubclass(cls, type):
            found = descriptor.__get__(instance)
            return found if type(found) is dict else None
    return None


def _slots(cls: type) -> Iterator[tuple[str, Any]]:
    for base in _class_mro.__get__(cls):
        for name, value in class_namespace(base).items():
            if type(value) is MemberDescriptorType:
                yield name, value


def class_path(cls: type) -> str:
    """Give module and qualified name of a class."""
    module = class_namespace(cls).get("__module__")
    qualname: str = _class_qualname.__get__(cls)
    return f"{module}.{qualname}" if type(module) is str and module != "builtins" else qualname


def thread_name(thread: threading.Thread) -> str:
    """Give the name of a thread, past what its class overrides."""
    name = (instance_dict(thread) or {}).get("_name")
    return name if type(name) is str else ""


#: References to a snapshot that nobody but its frame has: the frame's, that of the variable here, and that of the argument.
_UNSHARED = 3


def variables_of(frame: FrameType) -> dict[str, Any]:
    """Give the variables of a function's frame, without leaving a snapshot of them in the frame; none of a module's or class body's.

    While a trace function runs, reading a snapshot could undo what that has assigned: then none are given.
    """
    if not frame.f_code.co_flags & interpreter.OPTIMIZED:
        return {}
    if interpreter.LOCALS_WRITE_THROUGH:
        return dict(frame.f_locals)
    if sys.gettrace() is not None or frame.f_trace is not None:
        return {}
    snapshot: Any = frame.f_locals
    found = dict(snapshot)
    if type(snapshot) is dict and sys.getrefcount(snapshot) <= _UNSHARED:
        snapshot.clear()
    return found


def _module_spaces() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, module in list(sys.modules.items()):
        space = module_namespace(module)
        if space is not None and type(name) is str:
            yield name, space


def _module_name(module: object) -> str:
    name = (module_namespace(module) or {}).get("__name__")
    return name if type(name) is str else "module"


def _key_of(holder: dict[Any, Any], value: object) -> tuple[Any] | None:
    """Give the key of a value, in a tuple, or None where the dict holds it in another way."""
    if dict.__len__(holder) > _SEARCHED:
        return None
    return next(((key,) for key, each in list(dict.items(holder)) if each is value), None)


def _place_in(holder: Any, value: object) -> str:
    base = next(each for each in (list, tuple, collections.deque) if issubclass(type(holder), each))
    if base.__len__(holder) > _SEARCHED:
        return "[…]"
    return next((f"[{index}]" for index, each in enumerate(list(base.__iter__(holder))) if each is value), "[…]")


def _shown(key: object) -> str:
    """Show a key without running code of its class."""
    kind = type(key)
    if kind in (str, bytes, int, float, bool, type(None)):
        return repr(key)
    if kind is tuple:
        assert isinstance(key, tuple)
        return f"({', '.join(map(_shown, key))})"
    if issubclass(kind, type):
        return str(_class_qualname.__get__(key))
    return "…"
