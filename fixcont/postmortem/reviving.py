"""Values of a saved stop as values of the present program: stand-ins become objects of its classes, its functions and modules.

They are made from what the opened stop holds, so what the user has assigned or changed there is kept. Objects are made without `__init__`, and
given their attributes past `__setattr__` and properties. What runs of the program is the import of modules, `__hash__` and `__eq__` of keys, and
what an enum has for values without a name of their own. What cannot be made is a `NotSaved`, or, of exceptions, a `SavedException`.
"""

from __future__ import annotations

import types
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from fixcont.postmortem.holes import NotSaved, SavedException, arguments_of, put_arguments, put_slot
from fixcont.postmortem.objects import class_dictionary, classes, is_a, own_dictionary
from fixcont.postmortem.standins import BASES, Hole, Saved, SavedFunction, SavedMethod, SavedModule

#: Gives a module by its name. Raises `NotFound`.
Importer = Callable[[str], types.ModuleType]
_NESTING: Final = 150  # of values that must be complete before what holds them
_FILLED: Final = (list, deque, set, dict, OrderedDict, Counter)  # types whose objects are filled once they are there


class NotFound(Exception):
    """The present program has no such thing. The message is a clause: "shop has no Order"."""


def find_named(find_module: Importer, module: str, qualname: str) -> Any:
    """Find a class or function by its names, without running more of the program than the import of its module.

    Raises:
        NotFound: there is none.
    """
    if not module or "<" in qualname or not qualname:
        raise NotFound(f"{qualname or 'it'} was made inside of a function, and has no name to be found by")
    where: Mapping[str, Any] = vars(find_module(module))
    found: Any = None
    for part in qualname.split("."):
        if part not in where:
            raise NotFound(f"{module} has no {qualname}")
        found = where[part]
        where = class_dictionary(found) if is_a(found, type) else {}
    return found.__func__ if type(found) in (staticmethod, classmethod) else found


_UNSAFE: Final = "is not safe"  # as `object.__new__` says
_SIZE_OF: Final = type.__dict__["__basicsize__"].__get__
_WORD: Final = tuple.__itemsize__


class Reviver:
    """Makes values. The same stand-in always gives the same value.

    Args:
        find_module: imports a module.

    Attributes:
        notes: what could not be taken over, beside holes: sentences, each once.
    """

    def __init__(self, find_module: Importer) -> None:
        self._find_module = find_module
        self._known: dict[int, tuple[Any, Any]] = {}  # id of what is in the opened stop -> it, and what was made of it
        self._making: set[int] = set()  # ids of what is being made, each for the one before
        self._made: dict[int, Any] = {}
        self._unfilled: list[Callable[[], None]] = []
        self._unhashed: list[Callable[[], None]] = []  # fill what needs keys that are complete
        self._classes: dict[type, Any] = {}  # class of stand-ins -> class, or why there is none
        self.notes: dict[str, None] = {}

    def value(self, value: Any) -> Any:
        """Give what a value of the opened stop is here, complete."""
        found = self._part(value)
        self._complete()
        return found

    def exception(self, exception: BaseException) -> BaseException:
        """Give what an exception of the chain is here, with its cause and context: always an exception, so that its frames can be looked at.

        Of a class that is not here it is a `SavedException`, and a note says so. The traceback is not set.
        """
        found = self._linked(exception)
        self._complete()
        return found

    def is_made(self, value: object) -> bool:
        """Tell whether a value was made here, of a saved one."""
        return id(value) in self._made

    def note_made(self, value: Any) -> None:
        """Note that a value was made of one that was made here."""
        self._made[id(value)] = value

    def _complete(self) -> None:
        while self._unfilled or self._unhashed:
            (self._unfilled or self._unhashed).pop()()

    # -- parts

    def _part(self, value: Any) -> Any:
        """Give a value that may still have to be filled."""
        maker = _MAKERS.get(type(value))
        if maker is None:
            if not is_a(value, Saved) and not (is_a(value, type) and issubclass(value, Saved)):
                return value
            maker = Reviver._class if is_a(value, type) else Reviver._instance
        known = self._known.get(id(value))
        if known is not None:
            return known[1]
        # Of a file, not of a program: a method that is its own `__self__`, or thousands, each bound to the next.
        if id(value) in self._making or len(self._making) >= _NESTING:
            made: Any = NotSaved(Hole("depth", type(value).__qualname__))
        else:
            self._making.add(id(value))
            try:
                made = maker(self, value)
            finally:
                self._making.discard(id(value))
        self._known.setdefault(id(value), (value, made))
        return self._known[id(value)][1]

    def _keep(self, value: Any, made: Any) -> Any:
        """Note what is made of a value, before what it holds is made."""
        self._known[id(value)] = value, made
        self.note_made(made)
        return made

    def _key(self, value: Any) -> Any:
        key = self._part(value)
        while self._unfilled:
            self._unfilled.pop()()
        try:
            hash(key)
        except Exception as error:
            return NotSaved(Hole("failed", type(key).__name__), f"hash() raised {type(error).__name__}")
        return key

    def _hole(self, value: Hole) -> Any:
        return NotSaved(value)

    def _lacking(self, value: object, why: str) -> NotSaved:
        kind = getattr(value, "__qualname__", "") if type(value) is SavedFunction else type(value).__qualname__
        return NotSaved(Hole("unknown", kind), why)

    # -- containers

    def _container(self, value: Any) -> Any:
        made: Any = type(value)(maxlen=value.maxlen) if type(value) is deque else type(value)()
        self._keep(value, made)
        self._fill(made, value, type(value))
        return made

    def _fill(self, made: Any, value: Any, base: Any) -> None:
        """Fill a container, later, as an object of `base`."""
        if base in (list, deque):
            self._unfilled.append(lambda: base.extend(made, [self._part(each) for each in base.__iter__(value)]))
            return

        self._unhashed.append(lambda: self._fill_hashed(made, value, base))

    def _fill_hashed(self, made: Any, value: Any, base: Any) -> None:
        if base is set:
            for each in set.__iter__(value):
                self._put(partial(set.add, made), each)
            return
        put: Any = OrderedDict.__setitem__ if base is OrderedDict else dict.__setitem__
        for key, each in list(dict.items(value)):
            part = self._part(each)
            self._put(lambda ready, part=part: put(made, ready, part), key)  # type: ignore[misc]

    def _put(self, put: Callable[[Any], None], key: Any) -> None:
        """Put something in under a key, or under a hole where the key's own code fails."""
        try:
            put(self._key(key))
        except Exception as error:
            put(NotSaved(Hole("failed", type(key).__name__), f"comparing it raised {type(error).__name__}"))

    def _tuple(self, value: Any) -> Any:
        return tuple([self._part(each) for each in value])

    def _frozenset(self, value: Any) -> Any:
        return frozenset([self._key(each) for each in value])

    def _proxy(self, value: Any) -> Any:
        return types.MappingProxyType(self._part(dict(value)))

    def _slice(self, value: Any) -> Any:
        return slice(self._part(value.start), self._part(value.stop), self._part(value.step))

    # -- code

    def _function(self, value: SavedFunction) -> Any:
        try:
            found = find_named(self._find_module, value.__module__, value.__qualname__)
        except NotFound as why:
            return self._lacking(value, str(why))
        return found if callable(found) else self._lacking(value, f"{value.__module__}.{value.__qualname__} is no function here")

    def _method(self, value: SavedMethod) -> Any:
        function, owner = self._part(value.__func__), self._part(value.__self__)
        if type(function) is NotSaved or type(owner) is NotSaved:
            return function if type(function) is NotSaved else owner
        return types.MethodType(function, owner)

    def _module(self, value: SavedModule) -> Any:
        try:
            return self._find_module(value.__name__)
        except NotFound as why:
            return NotSaved(Hole("unknown", f"module {value.__name__}"), str(why))

    def _class(self, value: type) -> Any:
        found = self._class_of(value)
        return NotSaved(Hole("unknown", f"class {value.__qualname__}"), str(found)) if type(found) is NotFound else found

    def _class_of(self, standin: type) -> Any:
        """Give the class that a class of stand-ins stands for, or why there is none."""
        found = self._classes.get(standin)
        if found is None:
            try:
                found = find_named(self._find_module, standin.__module__, standin.__qualname__)
                if not is_a(found, type):
                    raise NotFound(f"{standin.__module__}.{standin.__qualname__} is no class here")
            except NotFound as why:
                found = why
            self._classes[standin] = found
        return found

    # -- objects

    def _instance(self, value: Any) -> Any:
        cls = self._class_of(type(value))
        lacking: Any = self._neutral if is_a(value, BaseException) else self._lacking
        if type(cls) is NotFound:
            return lacking(value, str(cls))
        attributes = own_dictionary(value)
        if _is_enum(cls):
            return self._member(cls, value, attributes)
        if _is_logger(cls) and type(attributes.get("name")) is str:
            return self._find_module("logging").getLogger(attributes["name"])
        try:
            made = self._bare(cls, value)
        except Exception as error:
            return lacking(value, _why_not(error))
        self._keep(value, made)
        if is_a(value, BaseException):
            self._unfilled.append(lambda: self._fill_exception(made, value))
        base = _base_of(value)
        if base in _FILLED:
            self._fill(made, value, base)
        self._unfilled.append(lambda: self._give(made, attributes))
        return made

    def _bare(self, cls: Any, value: Any) -> Any:
        """Make an object without its attributes and without what is filled in later. Raises what the types raise."""
        if is_a(value, BaseException):
            return self._exception(cls, value)
        base = _base_of(value)
        if base is None:
            if _has_room_of_c_code(cls):
                raise TypeError(_UNSAFE)
            return object.__new__(cls)
        if base is deque:
            made = deque.__new__(cls)
            deque.__init__(made, (), value.maxlen)
            return made
        if base in _FILLED:
            return cls() if cls is defaultdict else base.__new__(cls)
        if base in (tuple, frozenset):
            parts = [self._part(each) if base is tuple else self._key(each) for each in base.__iter__(value)]
            return base.__new__(cls, parts)
        made = base.__new__(cls, _PLAINLY[base](value))
        if base is bytearray:
            bytearray.__init__(made, bytes(value))
        return made

    def _exception(self, cls: Any, value: BaseException) -> Any:
        if not issubclass(cls, BaseException):
            raise TypeError(f"{cls.__qualname__} is no exception here")
        arguments = value.args
        if isinstance(value, BaseExceptionGroup):
            group: Any = ExceptionGroup if issubclass(cls, ExceptionGroup) else BaseExceptionGroup
            return group.__new__(cls, value.message, self._members(value))
        is_simple = all(type(each) in (str, int, float, bool, bytes, type(None)) for each in arguments)
        builtin: Any = next(each for each in classes(cls) if each.__module__ == "builtins")
        return builtin.__new__(cls, *arguments) if is_simple and arguments else builtin.__new__(cls)

    def _fill_exception(self, made: BaseException, value: BaseException) -> None:
        put_arguments(made, self._part(arguments_of(value)))
        for link in _LINKS:
            other = link.__get__(value)
            if other is not None:
                link.__set__(made, self._linked(other))
        _SUPPRESSES.__set__(made, value.__suppress_context__)

    def _linked(self, value: BaseException) -> BaseException:
        """Give what an exception is, as one in any case, which may still have to be filled."""
        found = self._part(value)
        return found if is_a(found, BaseException) else self._neutral(value, "what is made of it is no exception")

    def _neutral(self, value: BaseException, why: str) -> BaseException:
        """Make an exception of a class of ours, with what was saved, where there is none of the program's."""
        made = self._bare_neutral(value)
        own = own_dictionary(made)
        own["_fixcont_hole"] = NotSaved(Hole("unknown", type(value).__qualname__), why)
        own["_fixcont_message"] = str(value)
        self._keep(value, made)
        self._unfilled.append(lambda: self._fill_exception(made, value))
        self._unfilled.append(lambda: self._give(made, own_dictionary(value)))
        self.notes[f"{type(value).__qualname__} stands for an exception whose class is not there: {why}"] = None
        return made

    def _bare_neutral(self, value: BaseException) -> BaseException:
        """Make it of a class below the built-in one that the saved class was below, so that handlers of that one handle it."""
        name = type(value).__name__
        space = {"__module__": type(value).__module__, "__qualname__": type(value).__qualname__}
        builtin: Any = next(
            each for each in classes(type(value)) if each.__module__ == "builtins" and not issubclass(each, Saved)
        )
        made: BaseException
        if isinstance(value, BaseExceptionGroup):
            try:
                made = builtin.__new__(type(name, (SavedException, builtin), space), value.message, self._members(value))
                return made
            except (TypeError, ValueError):  # one of its members is of no use to the group: it is shown alone
                builtin = Exception if isinstance(value, Exception) else BaseException
        made = builtin.__new__(type(name, (SavedException, builtin), space))
        return made

    def _members(self, value: Any) -> list[Any]:
        return [self._part(each) for each in value.exceptions]

    def _give(self, made: Any, attributes: dict[str, Any]) -> None:
        own = own_dictionary(made)
        has_own = any("__dict__" in class_dictionary(each) for each in classes(type(made)))
        for name, each in list(attributes.items()):
            part = self._part(each)
            if put_slot(made, name, part):
                continue
            if has_own:
                own[name] = part
            else:
                self.notes[f"{type(made).__qualname__} has no place for the saved attribute {name} any more"] = None

    def _member(self, cls: Any, value: Any, attributes: dict[str, Any]) -> Any:
        """Give the member of an enum: by its name, or, as for flags that are set together, by its value."""
        members = class_dictionary(cls).get("_member_map_", {})
        name = attributes.get("_name_")
        if name in members:
            return members[name]
        base = _base_of(value)
        by_value = base(value) if base in (int, str) else self._part(attributes.get("_value_"))
        try:
            return cls(by_value)
        except Exception:
            return self._lacking(value, f"{cls.__qualname__} has no member {name or by_value!r} here")


#: Past what a class makes of assignments, as a frozen dataclass does.
_LINKS: Final[tuple[Any, ...]] = (BaseException.__dict__["__cause__"], BaseException.__dict__["__context__"])
_SUPPRESSES: Final[Any] = BaseException.__dict__["__suppress_context__"]

_MAKERS: Final[dict[type, Callable[[Reviver, Any], Any]]] = {
    Hole: Reviver._hole,
    SavedFunction: Reviver._function,
    SavedMethod: Reviver._method,
    SavedModule: Reviver._module,
    tuple: Reviver._tuple,
    frozenset: Reviver._frozenset,
    types.MappingProxyType: Reviver._proxy,
    slice: Reviver._slice,
    **dict.fromkeys(_FILLED, Reviver._container),
}


#: Type -> gives the value of an object of a subclass as one of the type itself.
_PLAINLY: Final[dict[Any, Callable[[Any], Any]]] = {
    int: int.__index__,
    float: float.__pos__,
    complex: complex.__pos__,
    str: str.__str__,
    bytes: bytes,
    bytearray: lambda value: b"",
}


def _base_of(value: Any) -> Any:
    """Give the built-in type that the class of a stand-in derives from, None for plain objects."""
    found = [base for base in BASES.values() if base is not object and is_a(value, base)]
    return max(found, key=lambda base: len(base.__mro__), default=None)


def _has_room_of_c_code(cls: type) -> bool:
    """Tell whether objects of a class have room for more than attributes, so that making one without its constructor gives half of one."""
    slots = 0
    for each in classes(cls):
        names = class_dictionary(each)
        if "__slots__" in names:
            slots += sum(type(member) is types.MemberDescriptorType for member in names.values())
    return int(_SIZE_OF(cls)) > object.__basicsize__ + _WORD * (slots + 2)  # for the dictionary and weak references


def _is_enum(cls: type) -> bool:
    return any((each.__module__, each.__qualname__) == ("enum", "Enum") for each in classes(cls))


def _is_logger(cls: type) -> bool:
    return any((each.__module__, each.__qualname__) == ("logging", "Logger") for each in classes(cls))


def _why_not(error: Exception) -> str:
    text = str(error)
    if _UNSAFE in text:
        return "objects of its type are made by C code, which knows more of them than was saved"
    return f"it cannot be made: {type(error).__name__}: {text}"
