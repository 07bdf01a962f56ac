"""Values of plain types that are not containers, exactly: as entries of a saved stop, and back.

Only types of modules that are loaded are looked for: there are no objects of the others.
"""

from __future__ import annotations

import binascii
import re
import sys
import types
from collections.abc import Callable
from typing import Any, Final

from fixcont.postmortem.objects import is_a
from fixcont.postmortem.shapes import Shape
from fixcont.postmortem.standins import Hole

Entry = dict[str, Any]

#: So far an integer is taken for one that was meant, not for a bomb: 2 MB of digits.
_DIGITS: Final = 2_000_000
#: Of a fraction, which is brought to its lowest terms as it is made.
_FRACTION: Final = 10_000
#: Longer patterns are not compiled: it may take long.
_PATTERN: Final = 1_000


def is_unicode(text: str) -> bool:
    """Tell whether a text can be written as it is: whether it has no half of a surrogate pair."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_enum(value: object) -> bool:
    """Tell whether a value is the member of an enum."""
    module = sys.modules.get("enum")
    return module is not None and is_a(value, module.Enum)


# -- entries


def string(value: str) -> Entry:
    if is_unicode(value):
        return {"t": "str", "v": value}
    return {"t": "str", "utf8": _base64(value.encode("utf-8", "surrogatepass"))}


def data(value: bytes | bytearray, limit: int) -> Entry:
    return {"t": "bytes" if type(value) is bytes else "bytearray", "v": _base64(bytes(value[:limit]))}


def _base64(raw: bytes) -> str:
    return binascii.b2a_base64(raw, newline=False).decode()


def _integer(_recorder: object, value: int, _depth: int) -> Entry:
    if value.bit_length() > 4 * _DIGITS:
        return {"t": "hole", "why": "text", "type": ["builtins", "int"]}
    return {"t": "int", "v": hex(value)}


def _single(_recorder: object, value: object, _depth: int) -> Entry:
    return {"t": "constant", "v": "Ellipsis" if value is Ellipsis else "NotImplemented"}


def _text_of(kind: str) -> Callable[[object, Any, int], Entry]:
    def entry(_recorder: object, value: Any, _depth: int) -> Entry:
        return {"t": kind, **{name: each for name, each in string(str(value)).items() if name != "t"}}

    return entry


def _fraction(_recorder: object, value: Any, _depth: int) -> Entry:
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > 4 * _FRACTION:
        return {"t": "hole", "why": "text", "type": ["fractions", "Fraction"]}
    return {"t": "fraction", "v": [hex(value.numerator), hex(value.denominator)]}


def _timedelta(_recorder: object, value: Any, _depth: int) -> Entry:
    return {"t": "timedelta", "v": [value.days, value.seconds, value.microseconds]}


def _date(_recorder: object, value: Any, _depth: int) -> Entry:
    return {"t": "date", "v": [value.year, value.month, value.day]}


def _clock(recorder: Any, value: Any, depth: int) -> Entry:
    parts = [value.hour, value.minute, value.second, value.microsecond]
    kind = "time"
    if hasattr(type(value), "year"):
        kind, parts = "datetime", [value.year, value.month, value.day, *parts]
    entry: Entry = {"t": kind, "v": parts}
    if value.fold:
        entry["fold"] = 1
    if value.tzinfo is not None:
        entry["zone"] = recorder.reference(value.tzinfo, depth + 1)
    return entry


def _offset(_recorder: object, value: Any, _depth: int) -> Entry:
    difference, *name = value.__getinitargs__()
    entry: Entry = {"t": "timezone", "v": [difference.days, difference.seconds, difference.microseconds]}
    return {**entry, "name": name[0]} if name and is_unicode(name[0]) else entry


def _zone(_recorder: object, value: Any, _depth: int) -> Entry:
    return {"t": "zoneinfo", "v": value.key if type(value.key) is str else ""}


def _pattern(recorder: Any, value: Any, depth: int) -> Entry:
    return {"t": "pattern", "v": recorder.reference(value.pattern, depth + 1), "flags": int(value.flags)}


def _path(_recorder: object, value: Any, _depth: int) -> Entry:
    flavour = "windows" if "Windows" in type(value).__name__ else "posix"
    entry: Entry = {"t": "path", "flavour": flavour, "pure": type(value).__name__.startswith("Pure")}
    return {**entry, **{name: each for name, each in string(str(value)).items() if name != "t"}}


#: Module -> class -> what makes an entry of an object of exactly that class.
_OF_MODULES: Final[dict[str, dict[str, Callable[[Any, Any, int], Entry]]]] = {
    "decimal": {"Decimal": _text_of("decimal")},
    "fractions": {"Fraction": _fraction},
    "uuid": {"UUID": _text_of("uuid")},
    "datetime": {
        "date": _date, "time": _clock, "datetime": _clock, "timedelta": _timedelta, "timezone": _offset,
    },
    "zoneinfo": {"ZoneInfo": _zone},
    "re": {"Pattern": _pattern},
    "pathlib": dict.fromkeys(("PosixPath", "WindowsPath", "PurePosixPath", "PureWindowsPath"), _path),
}  # fmt: skip


def handlers() -> dict[type, Callable[[Any, Any, int], Entry]]:
    """Give what makes an entry of a value of exactly such a type, for the types that there are in this process."""
    found: dict[type, Callable[[Any, Any, int], Entry]] = {
        int: _integer,
        type(Ellipsis): _single,
        type(NotImplemented): _single,
    }
    for module_name, names in _OF_MODULES.items():
        module = sys.modules.get(module_name)
        if type(module) is not types.ModuleType:
            continue
        for name, handler in names.items():
            kind = vars(module).get(name)
            if isinstance(kind, type):
                found[kind] = handler
    return found


# -- and back


def text_of(raw: Entry) -> str:
    """Give the text in an entry."""
    if "utf8" in raw:
        return binascii.a2b_base64(raw["utf8"]).decode("utf-8", "surrogatepass")
    if type(raw.get("v")) is not str:
        raise TypeError
    return str(raw["v"])


def value_of(shape: Shape, part: Callable[[Any], Any]) -> Any:
    """Give the value of an entry of one of `KINDS`.

    Args:
        part: gives the value of a reference.

    Raises:
        BadShape, ValueError, TypeError, ArithmeticError: it is none.
    """
    return _VALUES[shape.text("t")](shape, part)


def _to_integer(shape: Shape, _part: object) -> int:
    return int(shape.text("v"), 16)


def _to_single(shape: Shape, _part: object) -> Any:
    return {"Ellipsis": Ellipsis, "NotImplemented": NotImplemented}[shape.text("v")]


def _to_decimal(shape: Shape, _part: object) -> Any:
    import decimal

    return decimal.Decimal(text_of(shape.raw))


def _to_fraction(shape: Shape, _part: object) -> Any:
    import fractions

    numerator, denominator = shape.texts("v")
    if max(len(numerator), len(denominator)) > _FRACTION + len("-0x"):
        return Hole("text", "Fraction")
    return fractions.Fraction(int(numerator, 16), int(denominator, 16))


def _to_uuid(shape: Shape, _part: object) -> Any:
    import uuid

    return uuid.UUID(text_of(shape.raw))


def _numbers(shape: Shape) -> list[int]:
    found = shape.array("v")
    if any(type(each) is not int for each in found):
        raise TypeError
    return found


def _to_timedelta(shape: Shape, _part: object) -> Any:
    import datetime

    days, seconds, microseconds = _numbers(shape)
    return datetime.timedelta(days, seconds, microseconds)


def _to_date(shape: Shape, _part: object) -> Any:
    import datetime

    return datetime.date(*_numbers(shape))


def _to_clock(shape: Shape, part: Callable[[Any], Any]) -> Any:
    import datetime

    zone = part(shape.raw.get("zone"))
    if not isinstance(zone, datetime.tzinfo):  # one of the program's own, whose code is not there
        zone = None
    kind: Any = datetime.datetime if shape.text("t") == "datetime" else datetime.time
    return kind(*_numbers(shape), tzinfo=zone, fold=shape.raw.get("fold", 0))


def _to_offset(shape: Shape, part: object) -> Any:
    import datetime

    difference = _to_timedelta(shape, part)
    if "name" in shape.raw:
        return datetime.timezone(difference, shape.text("name"))
    return datetime.timezone(difference) if difference else datetime.UTC


def _to_zone(shape: Shape, _part: object) -> Any:
    import zoneinfo

    try:
        return zoneinfo.ZoneInfo(shape.text("v"))
    except (OSError, zoneinfo.ZoneInfoNotFoundError, ValueError):  # this machine does not have it
        return Hole("unknown", "ZoneInfo", text=shape.text("v"))


def _to_pattern(shape: Shape, part: Callable[[Any], Any]) -> Any:
    pattern = part(shape.raw.get("v"))
    if type(pattern) not in (str, bytes) or len(pattern) > _PATTERN:
        return Hole("text", "Pattern", text=str(pattern)[:_PATTERN])
    try:
        return re.compile(pattern, shape.number("flags"))
    except (re.error, RecursionError, OverflowError):
        return Hole("unknown", "Pattern", text=str(pattern))


def _to_path(shape: Shape, _part: object) -> Any:
    import pathlib

    is_windows = shape.text("flavour") == "windows"
    is_here = is_windows == (sys.platform == "win32")
    if is_here and not shape.flag("pure"):
        return pathlib.Path(text_of(shape.raw))
    return (pathlib.PureWindowsPath if is_windows else pathlib.PurePosixPath)(text_of(shape.raw))


_VALUES: Final[dict[str, Callable[[Shape, Callable[[Any], Any]], Any]]] = {
    "int": _to_integer,
    "constant": _to_single,
    "decimal": _to_decimal,
    "fraction": _to_fraction,
    "uuid": _to_uuid,
    "timedelta": _to_timedelta,
    "date": _to_date,
    "datetime": _to_clock,
    "time": _to_clock,
    "timezone": _to_offset,
    "zoneinfo": _to_zone,
    "pattern": _to_pattern,
    "path": _to_path,
}
#: The kinds of entries of these values.
KINDS: Final = frozenset(_VALUES)
