"""Values from the table of a saved stop: plain ones as they were, others as stand-ins. Runs, imports and unpickles nothing, unless told to.

What may hold itself is made empty first and filled afterwards, so that shared values and cycles are as they were.
"""

from __future__ import annotations

import binascii
import types
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Any, Final

from fixcont.postmortem import members, plain
from fixcont.postmortem.keys import Keys
from fixcont.postmortem.shapes import BadShape, Shape
from fixcont.postmortem.standins import BASES, Classes, Facts, Hole, SavedFunction, SavedMethod, SavedModule, builtin_named

_NESTING: Final = 100  # of values that must be complete before what holds them
_FAILURES: Final = (
    KeyError, IndexError, TypeError, ValueError, AttributeError, ArithmeticError, binascii.Error, RecursionError, MemoryError,
)  # fmt: skip


class Rebuilder:
    """Gives values for references.

    Args:
        entries: the table.
        unpickle: gives an object from its pickle; None where pickles are left alone.

    Attributes:
        facts: by id of a stand-in what is known of it.
        failures: type and error of each pickle that could not be loaded.
    """

    def __init__(self, entries: list[dict[str, Any]], unpickle: Callable[[bytes], Any] | None = None) -> None:
        self.facts: dict[int, Facts] = {}
        self.classes = Classes(self.facts)
        self._entries = entries
        self._unpickle = unpickle
        self.failures: list[str] = []
        self._values: dict[int, Any] = {}  # by index; also keeps stand-ins alive, whose ids are in `facts`
        self._others: list[Any] = []
        self._making: set[int] = set()
        self._unfilled: list[Callable[[], None]] = []
        self._depth = 0
        self._keys = Keys()

    def value(self, reference: Any) -> Any:
        """Give a value, complete.

        Raises:
            BadShape: what the file says makes no sense.
        """
        found = self.part(reference)
        while self._unfilled:
            fill = self._unfilled.pop()
            try:
                fill()
            except _FAILURES as error:
                raise BadShape(f"a value cannot be filled ({type(error).__name__})") from None
        return found

    def variables(self, references: dict[str, Any]) -> dict[str, Any]:
        """Give values by name."""
        return {name: self.value(each) for name, each in references.items()}

    def part(self, reference: Any) -> Any:
        """Give a value that may still have to be filled."""
        kind = type(reference)
        if reference is None or kind in (str, int, bool):
            return reference
        if kind is list and len(reference) == 1 and type(reference[0]) is int:
            return self._at(reference[0])
        if kind is dict and "f" in reference:
            return _float(reference["f"])
        if kind is dict and "hole" in reference:
            return self._hole(Shape(reference), "hole")
        raise BadShape("a reference is none")

    def _at(self, number: int) -> Any:
        if number in self._values:
            return self._values[number]
        if not 0 <= number < len(self._entries):
            raise BadShape("a value is missing")
        if number in self._making:
            raise BadShape("a value is part of itself")
        if self._depth >= _NESTING:
            return Hole("depth")
        self._making.add(number)
        self._depth += 1
        try:
            value = self._make(Shape(self._entries[number]))
        except _FAILURES as error:
            raise BadShape(f"a value is not what it says ({type(error).__name__})") from None
        finally:
            self._depth -= 1
            self._making.discard(number)
        return self._values.setdefault(number, value)

    def _make(self, shape: Shape) -> Any:
        maker = _MAKERS.get(shape.text("t"))
        return Hole("unknown", shape.text("t")) if maker is None else maker(self, shape)

    def _later(self, fill: Callable[[], None]) -> None:
        self._unfilled.append(fill)

    def _hole(self, shape: Shape, key: str) -> Hole:
        name = shape.type("type")[1] if "type" in shape.raw else ""
        size = shape.raw.get("length")
        text = shape.text("text") if "text" in shape.raw else ""
        return Hole(shape.text(key), name, size if type(size) is int else None, text)

    # -- texts and containers

    def text(self, shape: Shape) -> Any:
        return _whole(shape, plain.text_of(shape.raw))

    def data(self, shape: Shape) -> Any:
        raw = binascii.a2b_base64(shape.text("v"))
        return _whole(shape, raw if shape.text("t") == "bytes" else bytearray(raw))

    def a_list(self, shape: Shape) -> Any:
        return self.filled_list([], shape)

    def a_deque(self, shape: Shape) -> Any:
        return self.filled_list(deque(maxlen=shape.index("maxlen")), shape)

    def filled_list(self, made: Any, shape: Shape) -> Any:
        def fill() -> None:
            extend: Any = list.extend if isinstance(made, list) else deque.extend
            extend(made, self._items(shape))

        self._later(fill)
        return made

    def a_set(self, shape: Shape) -> Any:
        return self.filled_set(set(), shape)

    def filled_set(self, made: Any, shape: Shape) -> Any:
        self._later(lambda: set.update(made, self._keys.apart(self._items(shape, self._key))))
        return made

    def _items(self, shape: Shape, part: Callable[[Any], Any] | None = None) -> list[Any]:
        found = list(map(part or self.part, shape.array("v")))
        missing = _missing(shape, len(found))
        return found if missing is None else [*found, missing]

    def a_tuple(self, shape: Shape) -> Any:
        return tuple(self._items(shape))

    def a_frozenset(self, shape: Shape) -> Any:
        return frozenset(self._keys.apart(self._items(shape, self._key)))

    def a_dict(self, shape: Shape) -> Any:
        made = BASES[shape.text("t")]()
        return self.filled_dict(made, shape)

    def filled_dict(self, made: Any, shape: Shape) -> Any:
        keys, values = shape.array("k"), shape.array("v")
        if len(keys) != len(values):
            raise BadShape("a dictionary has not as many keys as values")

        def fill() -> None:
            base = OrderedDict if isinstance(made, OrderedDict) else dict
            apart = self._keys.apart(list(map(self._key, keys)))
            for key, value in zip(apart, values, strict=True):
                base.__setitem__(made, key, self.part(value))
            missing = _missing(shape, len(keys))
            if missing is not None:
                base.__setitem__(made, missing, missing)

        self._later(fill)
        return made

    def _key(self, reference: Any) -> Any:
        key = self.part(reference)
        self._keys.check(key)
        try:
            hash(key)
        except TypeError:  # of a class with a `__hash__` of its own, which is not there
            return Hole("failed", type(key).__name__)
        return key

    def proxy(self, shape: Shape) -> Any:
        return types.MappingProxyType(self.filled_dict({}, shape))

    def a_complex(self, shape: Shape) -> Any:
        return complex(*map(self.part, shape.array("v")))

    def a_slice(self, shape: Shape) -> Any:
        return slice(*map(self.part, shape.array("v")))

    def a_range(self, shape: Shape) -> Any:
        return range(*map(self.part, shape.array("v")))

    # -- what stands for code and objects

    def a_class(self, shape: Shape) -> Any:
        module, qualname = shape.type("type")
        found = builtin_named(qualname) if module == "builtins" else None
        return self.classes.of(module, qualname, object) if found is None else found

    def function(self, shape: Shape) -> Any:
        names = shape.texts("name")
        if len(names) != 2:
            raise BadShape("a function has no name")
        found = builtin_named(names[1]) if names[0] == "builtins" else None
        if found is not None:
            return found
        place = f" at {shape.text('file')}:{shape.line('line')}" if "file" in shape.raw else ""
        return SavedFunction(*names, place)

    def method(self, shape: Shape) -> Any:
        made = SavedMethod()

        def fill() -> None:
            made.__func__, made.__self__ = self.part(shape.raw.get("function")), self.part(shape.raw.get("self"))

        self._later(fill)
        return made

    def module(self, shape: Shape) -> Any:
        return SavedModule(shape.text("name"))

    def enum(self, shape: Shape) -> Any:
        module, qualname = shape.type("type")
        name, value = shape.text("name"), shape.raw.get("v")
        member = self._member(module, qualname, name, value)
        if member is not None:
            return member
        made = self._bare(module, qualname, shape, shape.inside("base"))
        self._know(made, Facts(members.look_of(qualname, name)))
        attributes = shape.mapping("attributes") if "attributes" in shape.raw else {}
        own = made.__dict__
        own["_name_"] = own["name"] = name or None

        def fill() -> None:
            own["_value_"] = own["value"] = self.part(value)
            own.update({each: self.part(at) for each, at in attributes.items()})

        self._later(fill)
        return made

    def _member(self, module: str, qualname: str, name: str, reference: Any) -> Any:
        """Give the member itself, where its class is at hand."""
        if type(reference) is list and reference and type(reference[0]) is int and 0 <= reference[0] < len(self._entries):
            if self._entries[reference[0]].get("t") not in ("int", "str", "bytes", "tuple", "complex"):
                return None
        value = self.part(reference)
        if not members.is_plain(value):
            return None
        return members.found(module, qualname, name, value, imports=self._unpickle is not None)

    def a_object(self, shape: Shape) -> Any:
        if self._unpickle is not None and "pickle" in shape.raw:
            try:
                return self._from_pickle(shape)
            except Exception as error:  # whatever its own code does here
                self.failures.append(f"{shape.type('type')[1]}: {type(error).__name__}: {error}")
        module, qualname = shape.type("type")
        base = shape.inside("base")
        made = self._bare(module, qualname, shape, base)
        self._know(made, Facts(look=shape.text("repr") if "repr" in shape.raw else ""))
        attributes = shape.mapping("attributes")
        own = made.__dict__
        self._later(lambda: own.update({name: self.part(each) for name, each in attributes.items()}))
        return made

    def _bare(self, module: str, qualname: str, shape: Shape, base: Shape | None) -> Any:
        """Make a stand-in without its attributes."""
        kind = "object" if base is None else base.text("t")
        if base is not None and kind == "exception":
            return self._exception(module, qualname, base)
        if base is None or kind not in (*BASES, "atom"):
            return self._instance(self.classes.of(module, qualname, object), object)
        if kind in ("list", "deque", "set", "dict", "ordereddict", "counter"):
            made = self._instance(self.classes.of(module, qualname, BASES[kind]), BASES[kind])
            fill = self.filled_set if kind == "set" else self.filled_list if kind in ("list", "deque") else self.filled_dict
            return fill(made, base)
        whole = self.part(base.raw.get("v")) if kind == "atom" else self._make(base)
        if isinstance(whole, Hole):
            return self._instance(self.classes.of(module, qualname, object), object)
        fields = shape.texts("fields") if "fields" in shape.raw else ()
        fields = fields if type(whole) is tuple and len(fields) == len(whole) else ()
        if type(whole) not in BASES.values():
            raise BadShape("an object has a base that is none")
        cls = self.classes.of(module, qualname, type(whole), fields)
        return self._kept(type(whole).__new__(cls, whole))

    def _instance(self, cls: type, base: Any) -> Any:
        return self._kept(base.__new__(cls))

    def _kept(self, made: Any) -> Any:
        self._others.append(made)
        return made

    def _know(self, made: Any, facts: Facts) -> None:
        self.facts[id(made)] = facts

    def _exception(self, module: str, qualname: str, base: Shape) -> Any:
        found = builtin_named(base.text("builtin")) if "builtin" in base.raw else None
        is_known = isinstance(found, type) and issubclass(found, BaseException) and not issubclass(found, BaseExceptionGroup)
        above: Any = found if is_known else Exception
        made = self._instance(self.classes.of(module, qualname, above), above)
        arguments = base.array("v")

        def fill() -> None:
            made.args = tuple(self.part(each) for each in arguments)

        self._later(fill)
        return made

    def _from_pickle(self, shape: Shape) -> Any:
        assert self._unpickle is not None
        return self._kept(self._unpickle(binascii.a2b_base64(shape.text("pickle"))))

    def hole(self, shape: Shape) -> Any:
        return self._hole(shape, "why")

    def plain(self, shape: Shape) -> Any:
        return plain.value_of(shape, self.part)


def _float(written: Any) -> float:
    if type(written) is float or type(written) is int:
        return float(written)
    if written in ("nan", "inf", "-inf"):
        return float(written)
    raise BadShape("a number is none")


def _whole(shape: Shape, found: Any) -> Any:
    """Give a text, or a hole with what is there of it."""
    size = shape.index("length")
    return found if size is None else Hole("text", type(found).__name__, size, found)


def _missing(shape: Shape, there: int) -> Hole | None:
    size = shape.index("length")
    return None if size is None else Hole("items", size=max(0, size - there))


_MAKERS: Final[dict[str, Callable[[Rebuilder, Shape], Any]]] = {
    "str": Rebuilder.text,
    "bytes": Rebuilder.data,
    "bytearray": Rebuilder.data,
    "list": Rebuilder.a_list,
    "deque": Rebuilder.a_deque,
    "set": Rebuilder.a_set,
    "tuple": Rebuilder.a_tuple,
    "frozenset": Rebuilder.a_frozenset,
    "dict": Rebuilder.a_dict,
    "ordereddict": Rebuilder.a_dict,
    "counter": Rebuilder.a_dict,
    "mappingproxy": Rebuilder.proxy,
    "complex": Rebuilder.a_complex,
    "slice": Rebuilder.a_slice,
    "range": Rebuilder.a_range,
    "class": Rebuilder.a_class,
    "function": Rebuilder.function,
    "method": Rebuilder.method,
    "module": Rebuilder.module,
    "enum": Rebuilder.enum,
    "object": Rebuilder.a_object,
    "hole": Rebuilder.hole,
    **dict.fromkeys(plain.KINDS, Rebuilder.plain),
}
