"""Values as plain data: what variables hold, and what can be reached from it within limits. The format is in docs/saved-stops.md.

Nothing of the program's code runs: containers are read past what a subclass may do, attributes from dictionaries and slots. Only the `repr` of
objects is their own, and that is called by `fixcont.postmortem.looks`, when all else is on record.

Breadth first, so that what lies near to a variable is there before what lies far from it, whatever the limits.
"""

from __future__ import annotations

import math
import time
import types
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, Final

from fixcont.postmortem import members, plain
from fixcont.postmortem.objects import class_dictionary, classes, fields, is_a, items, length, name_of, own_dictionary, pairs
from fixcont.postmortem.redaction import Redaction
from fixcont.postmortem.wanted import Limits

#: A value or where it is: an atom, `{"f": float}`, `[index]` into the table, or `{"hole": why}`.
Reference = Any
#: One value in the table.
Entry = dict[str, Any]

SHORT: Final = 100  # characters of a text that stands where it is used, not in the table
EXACT: Final = 1 << 53  # integers up to this one are exact in every reader of JSON
_CHECKED_EVERY: Final = 64  # values between two looks at the clock
_SECRET_PARTS: Final = 200  # texts inside of a secret value that are looked for elsewhere

#: What has a `repr` of its own that says no more than what is saved anyway, or that calls those of the items.
_SAYS_NO_MORE: Final = frozenset([
    object, BaseException, dict, list, tuple, set, frozenset, OrderedDict, Counter, deque, int, float, complex, str, bytes, bytearray,
    types.SimpleNamespace, types.MappingProxyType,
])  # fmt: skip
_BASES: Final = (dict, list, tuple, set, frozenset, deque, int, float, complex, str, bytes, bytearray)
_CODE: Final = (types.BuiltinFunctionType, types.MethodDescriptorType, types.WrapperDescriptorType, types.MethodWrapperType)
_FUNC: Final[Any] = types.MethodType.__dict__["__func__"]
_SELF: Final[Any] = types.MethodType.__dict__["__self__"]
_ARGS: Final[Any] = BaseException.__dict__["args"]


class Recorder:
    """Makes the table of values. Ask for a `reference` to each variable, then `run`, then read the table.

    Attributes:
        table: the values; those that are not yet gone through are empty.
        to_look_at: index of an entry -> an object whose `repr` is to be put there.
        holes: why something was left out -> how often.
    """

    def __init__(self, limits: Limits, redaction: Redaction) -> None:
        self.table: list[Entry] = []
        self.to_look_at: dict[int, Any] = {}
        self.holes: Counter[str] = Counter()
        self._limits = limits
        self._redaction = redaction
        self._known: dict[int, int] = {}  # id of a value -> its index
        self._values: list[Any] = []  # by index: kept alive, so that ids stay theirs
        self._waiting: deque[tuple[int, int]] = deque()  # index, steps from a variable
        self._end = time.thread_time() + limits.seconds  # on a busy machine no less is saved
        self._size = 0
        self._handlers = _handlers()
        self._slots: dict[type, list[tuple[str, Any]]] = {}  # see `objects.fields`
        self._have_look: dict[type, bool] = {}

    def variables(self, names: Iterable[tuple[Any, Any]]) -> dict[str, Reference]:
        """Give references to the values of variables, or of attributes, by their names."""
        return {name: self.named(name, value, 0) for name, value in names if type(name) is str}

    def named(self, name: object, value: Any, depth: int) -> Reference:
        """Give a reference to what has a name; a hole where the name says that it is a secret."""
        if type(name) is str and self._redaction.is_secret(name) and not _says_nothing(value):
            self._note_secret(value)
            return self._hole("redacted", value)
        return self.reference(value, depth)

    def reference(self, value: Any, depth: int) -> Reference:
        """Give a reference to a value that lies so many steps from a variable."""
        kind = type(value)
        if kind is str:
            size = len(value)
            self._size += size if size < self._limits.text else self._limits.text
            if "://" in value:
                self._redaction.note_address(value)
            if size <= SHORT and (value.isascii() or plain.is_unicode(value)):
                return value
        elif value is None or kind is bool or (kind is int and -EXACT < value < EXACT):
            return value
        elif kind is float:
            return {"f": value if math.isfinite(value) else repr(value)}
        number = self._known.get(id(value))
        if number is not None:
            return [number]
        if depth > self._limits.depth:
            return self._hole("depth", value)
        number = len(self.table)
        if number >= self._limits.count:
            return self._hole("count", value)
        self.table.append({})
        self._values.append(value)
        self._known[id(value)] = number
        self._waiting.append((number, depth))
        return [number]

    def run(self) -> None:
        """Go through all values that are waiting, and those found on the way, as far as the limits allow."""
        steps = 0
        why = ""
        while self._waiting:
            number, depth = self._waiting.popleft()
            value = self._values[number]
            if steps % _CHECKED_EVERY == 0 and not why:
                why = self._exhausted()
            steps += 1
            self._size += 20
            self.table[number] = self._hole(why, value, "t") if why else self._entry(value, number, depth)

    def objects(self) -> list[tuple[int, Any]]:
        """Give the values that are saved by their attributes, each with its index."""
        return [(number, self._values[number]) for number, entry in enumerate(self.table) if entry.get("t") == "object"]

    def _exhausted(self) -> str:
        if self._size > self._limits.size:
            return "size"
        return "time" if time.thread_time() > self._end else ""

    def _entry(self, value: Any, number: int, depth: int) -> Entry:
        try:
            handler = self._handlers.get(type(value))
            if handler is not None:
                return handler(self, value, depth)
            return self._other(value, number, depth)
        except Exception as error:  # it changed meanwhile, or is not what its type says
            return self._hole("failed", value, "t") | {"error": name_of(type(error))[1]}

    def _hole(self, why: str, value: Any, key: str = "hole") -> Entry:
        self.holes[why] += 1
        hole: Entry = {key: why} if key == "hole" else {key: "hole", "why": why}
        hole["type"] = list(name_of(type(value)))
        if why != "redacted" and is_a(value, _SIZED):
            hole["length"] = len(value) if is_a(value, (str, bytes, bytearray)) and type(value) in _SIZED else length(value)
        return hole

    # -- secrets

    def _note_secret(self, value: Any) -> None:
        """Remember the texts in a secret, which may be copied elsewhere."""
        waiting, seen = [value], 0
        while waiting and seen < _SECRET_PARTS:
            at = waiting.pop()
            seen += 1
            self._redaction.note(at)
            inside = pairs(at)
            try:
                if inside is not None:
                    waiting += [each for _, each in islice(inside, _SECRET_PARTS)]
                else:
                    waiting += islice(items(at) or fields(at).values(), _SECRET_PARTS)
            except Exception:  # it changes meanwhile
                continue

    # -- plain values and containers

    def of_text(self, value: str, depth: int) -> Entry:
        return self._limited(plain.string(value[: self._limits.text]), value)

    def of_bytes(self, value: bytes | bytearray, depth: int) -> Entry:
        self._size += min(len(value), self._limits.text) * 4 // 3
        return self._limited(plain.data(value, self._limits.text), value)

    def _limited(self, entry: Entry, value: Any) -> Entry:
        if len(value) > self._limits.text:
            self.holes["text"] += 1
            entry["length"] = len(value)
        return entry

    def of_list(self, value: Any, depth: int) -> Entry:
        return self._items("list", value, list.__iter__(value), depth)

    def of_tuple(self, value: Any, depth: int) -> Entry:
        size = tuple.__len__(value)
        if size == 2 and type(value[0]) is str:  # a header, a form's field, an item of a dictionary
            return {"t": "tuple", "v": [self.reference(value[0], depth + 1), self.named(value[0], value[1], depth + 1)]}
        return self._items("tuple", value, tuple.__iter__(value), depth)

    def of_set(self, value: Any, depth: int) -> Entry:
        return self._items("set", value, set.__iter__(value), depth)

    def of_frozenset(self, value: Any, depth: int) -> Entry:
        return self._items("frozenset", value, frozenset.__iter__(value), depth)

    def of_deque(self, value: Any, depth: int) -> Entry:
        entry = self._items("deque", value, deque.__iter__(value), depth)
        limit = deque.__dict__["maxlen"].__get__(value)
        return entry if limit is None else entry | {"maxlen": self.reference(limit, depth)}

    def _items(self, kind: str, value: Any, inside: Iterable[Any], depth: int) -> Entry:
        shown = list(islice(inside, self._limits.items))
        depth += 1
        self._size += 8 * len(shown)
        reference = self.reference
        return self._complete({"t": kind, "v": [reference(each, depth) for each in shown]}, value, len(shown))

    def of_dict(self, value: Any, depth: int) -> Entry:
        return self._pairs("dict", value, dict.items(value), depth)

    def of_ordered(self, value: Any, depth: int) -> Entry:
        return self._pairs("ordereddict", value, dict.items(value), depth)

    def of_counter(self, value: Any, depth: int) -> Entry:
        return self._pairs("counter", value, dict.items(value), depth)

    def _pairs(self, kind: str, value: Any, inside: Iterable[tuple[Any, Any]], depth: int) -> Entry:
        shown = list(islice(inside, self._limits.items))
        depth += 1
        self._size += 16 * len(shown)
        keys = [self.reference(key, depth) for key, _ in shown]
        values = [self.named(key, each, depth) for key, each in shown]
        return self._complete({"t": kind, "k": keys, "v": values}, value, len(shown))

    def _complete(self, entry: Entry, value: Any, shown: int) -> Entry:
        """Say how long a container is where it is longer than what is saved of it."""
        number = length(value)
        if number != shown:
            self.holes["items"] += 1
            entry["length"] = number
        return entry

    def of_complex(self, value: complex, depth: int) -> Entry:
        return {"t": "complex", "v": [self.reference(value.real, depth), self.reference(value.imag, depth)]}

    def of_slice(self, value: Any, depth: int) -> Entry:
        return {"t": "slice", "v": [self.reference(each, depth + 1) for each in (value.start, value.stop, value.step)]}

    def of_range(self, value: Any, depth: int) -> Entry:
        return {"t": "range", "v": [self.reference(each, depth) for each in (value.start, value.stop, value.step)]}

    def of_proxy(self, value: Any, depth: int) -> Entry:
        inside = pairs(value)
        if inside is None:
            return {"t": "object", "type": list(name_of(type(value))), "attributes": {}}
        return self._pairs("mappingproxy", value, inside, depth)

    # -- everything else

    def _other(self, value: Any, number: int, depth: int) -> Entry:
        kind = type(value)
        if is_a(value, type):
            return {"t": "class", "type": list(name_of(value))}
        if kind is types.FunctionType:
            code = value.__code__
            return {"t": "function", "name": _names(value), "file": code.co_filename, "line": code.co_firstlineno}
        if kind is types.MethodType:
            function, owner = _FUNC.__get__(value), _SELF.__get__(value)
            return {"t": "method", "function": self.reference(function, depth + 1), "self": self.reference(owner, depth + 1)}
        if is_a(value, types.ModuleType):
            name = own_dictionary(value).get("__name__")
            return {"t": "module", "name": name if type(name) is str and plain.is_unicode(name) else ""}
        if kind in _CODE:
            return {"t": "function", "name": _names(value)}
        if plain.is_enum(value):
            return self._member(value, kind, depth)
        return self._object(value, kind, number, depth)

    def _member(self, value: Any, kind: type, depth: int) -> Entry:
        def reference(each: Any) -> Reference:
            return self.reference(each, depth + 1)

        def named(name: str, each: Any) -> Reference:
            return self.named(name, each, depth + 1)

        entry = members.entry(kind, fields(value, self._slots), reference, named)
        base = next((each for each in _BASES if is_a(value, each)), None)
        if base is not None:
            self._put_base(entry, value, kind, base, depth)
        return entry

    def _object(self, value: Any, kind: type, number: int, depth: int) -> Entry:
        entry: Entry = {"t": "object", "type": list(name_of(kind))}
        own = list(islice(fields(value, self._slots).items(), self._limits.items))
        entry["attributes"] = {name: self.named(name, each, depth + 1) for name, each in own if plain.is_unicode(name)}
        if is_a(value, BaseException):
            entry["base"] = {
                "t": "exception",
                "builtin": _builtin_above(kind),
                "v": [self.reference(each, depth + 1) for each in _ARGS.__get__(value)],
            }
        else:
            base = next((each for each in _BASES if is_a(value, each)), None)
            if base is not None:
                self._put_base(entry, value, kind, base, depth)
        has_look = self._have_look.get(kind)
        if has_look is None:
            has_look = self._have_look[kind] = _has_look(kind)
        if has_look:
            self.to_look_at[number] = value
        return entry

    def _put_base(self, entry: Entry, value: Any, kind: type, base: type, depth: int) -> None:
        """Put what an object is as one of the built-in type that its class derives from."""
        names = class_dictionary(kind).get("_fields") if base is tuple else None
        if type(names) is tuple and len(names) == length(value) and all(type(each) is str for each in names):
            pairs_of = zip(names, tuple.__iter__(value), strict=True)
            entry["fields"] = list(names)
            entry["base"] = {"t": "tuple", "v": [self.named(name, each, depth + 1) for name, each in pairs_of]}
            return
        bare = _BARE.get(base)
        if bare is None:
            entry["base"] = self._handlers[base](self, value, depth)
        else:
            whole = bare(value)
            handler = self._handlers.get(base)
            simple = handler is None or (base is int and -EXACT < whole < EXACT)
            entry["base"] = (
                {"t": "atom", "v": self.reference(whole, depth)} if simple else self._handlers[base](self, whole, depth)
            )


_SIZED: Final = (str, bytes, bytearray, dict, list, tuple, set, frozenset, deque)
#: Type -> gives the value of an object of a subclass as one of the type itself, past what the subclass may do.
_BARE: Final[dict[type, Callable[[Any], Any]]] = {
    int: int.__int__,
    float: float.__float__,
    complex: lambda value: complex(complex.__dict__["real"].__get__(value), complex.__dict__["imag"].__get__(value)),
    str: str.__str__,
    bytes: lambda value: bytes.__getitem__(value, slice(None)),
    bytearray: lambda value: bytearray.__getitem__(value, slice(None)),
}


def _handlers() -> dict[type, Callable[[Recorder, Any, int], Entry]]:
    """Give what makes an entry of a value of exactly such a type."""
    return {
        **plain.handlers(),
        str: Recorder.of_text,
        bytes: Recorder.of_bytes,
        bytearray: Recorder.of_bytes,
        list: Recorder.of_list,
        tuple: Recorder.of_tuple,
        set: Recorder.of_set,
        frozenset: Recorder.of_frozenset,
        deque: Recorder.of_deque,
        dict: Recorder.of_dict,
        OrderedDict: Recorder.of_ordered,
        Counter: Recorder.of_counter,
        complex: Recorder.of_complex,
        slice: Recorder.of_slice,
        range: Recorder.of_range,
        types.MappingProxyType: Recorder.of_proxy,
    }


def _names(function: Any) -> list[str]:
    """Give module and qualified name of a function; the attributes of these types run nothing."""
    found = [getattr(function, name, None) for name in ("__module__", "__qualname__")]
    return [each if type(each) is str and plain.is_unicode(each) else "" for each in found]


def _says_nothing(value: object) -> bool:
    """Tell whether a value can be no secret: whether there is one at all is worth knowing."""
    return value is None or type(value) is bool or (is_a(value, _SIZED) and not length_of(value))


def length_of(value: Any) -> int:
    """Give how long a text or container is, past what a subclass may do."""
    for base in (str, bytes, bytearray):
        if is_a(value, base):
            return base.__len__(value)
    return length(value)


def _builtin_above(kind: type) -> str:
    """Give the name of the nearest built-in class of an exception's."""
    return next(name for module, name in map(name_of, classes(kind)) if module == "builtins")


def _has_look(kind: type) -> bool:
    """Tell whether the `repr` of objects of a class says more than what is saved of them."""
    for cls in classes(kind):
        if "__repr__" in class_dictionary(cls):
            return cls not in _SAYS_NO_MORE
    return False
