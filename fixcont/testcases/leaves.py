"""Expressions for values that hold nothing that could be shared: numbers, texts, dates, paths and their like."""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable
from typing import Any, Final

from fixcont.postmortem import plain
from fixcont.postmortem.shapes import Shape
from fixcont.postmortem.values import Entry, Reference
from fixcont.testcases.imports import Imports
from fixcont.testcases.layout import Doc, Led, Nested

Part = Callable[[Reference], Doc]

_DIGITS: Final = 4_000  # of an integer; more are not read back by every Python
_OWN_FLAGS: Final = int(re.UNICODE)


def atom(reference: Reference) -> str:
    """Give the expression for a value that stands where it is used."""
    if type(reference) is dict:
        number = reference["f"]
        return repr(float(number)) if type(number) in (float, int) else f'float("{number}")'
    return quoted(reference) if type(reference) is str else repr(reference)


def quoted(text: str) -> str:
    """Give a text as a literal, in double quotes where that needs no escapes."""
    literal = repr(text)
    return f'"{literal[1:-1]}"' if literal[0] == "'" and '"' not in text else literal


def leaf(entry: Entry, part: Part, imports: Imports) -> Doc:
    """Give the expression for an entry of one of `KINDS`."""
    return _LEAVES[entry["t"]](entry, part, imports)


def _value(entry: Entry) -> Any:
    return plain.value_of(Shape(entry), lambda reference: reference)


def _integer(entry: Entry, part: Part, imports: Imports) -> Doc:
    number = int(entry["v"], 16)
    return repr(number) if number.bit_length() < 3 * _DIGITS else hex(number)


def _text(entry: Entry, part: Part, imports: Imports) -> Doc:
    return quoted(plain.text_of(entry))


def _bytes(entry: Entry, part: Part, imports: Imports) -> Doc:
    literal = repr(binascii.a2b_base64(entry["v"]))
    literal = f'b"{literal[2:-1]}"' if literal[1] == "'" and '"' not in literal else literal
    return literal if entry["t"] == "bytes" else Nested("bytearray(", [literal] if entry["v"] else [], ")")


def _complex(entry: Entry, part: Part, imports: Imports) -> Doc:
    return Nested("complex(", [part(each) for each in entry["v"]], ")")


def _slice(entry: Entry, part: Part, imports: Imports) -> Doc:
    return Nested(f"{entry['t']}(", [part(each) for each in entry["v"]], ")")


def _constant(entry: Entry, part: Part, imports: Imports) -> Doc:
    return str(entry["v"])


def _made_from_text(module: str, name: str) -> Callable[[Entry, Part, Imports], Doc]:
    def expression(entry: Entry, part: Part, imports: Imports) -> Doc:
        return Nested(f"{imports.name(module, name)}(", [quoted(plain.text_of(entry))], ")")

    return expression


def _fraction(entry: Entry, part: Part, imports: Imports) -> Doc:
    return Nested(f"{imports.name('fractions', 'Fraction')}(", [str(int(each, 16)) for each in entry["v"]], ")")


def _date(entry: Entry, part: Part, imports: Imports) -> Doc:
    parts: list[Doc] = [str(each) for each in entry["v"]]
    if "zone" in entry:
        parts.append(Led("tzinfo", "=", part(entry["zone"])))
    if entry.get("fold"):
        parts.append("fold=1")
    return Nested(f"{imports.name('datetime', entry['t'])}(", parts, ")")


def _timedelta(entry: Entry, part: Part, imports: Imports) -> Doc:
    words = zip(("days", "seconds", "microseconds"), entry["v"], strict=True)
    return Nested(f"{imports.name('datetime', 'timedelta')}(", [f"{word}={each}" for word, each in words if each], ")")


def _timezone(entry: Entry, part: Part, imports: Imports) -> Doc:
    zone = imports.name("datetime", "timezone")
    if "name" not in entry and not any(entry["v"]):
        return f"{zone}.utc"
    name: list[Doc] = [quoted(entry["name"])] if "name" in entry else []
    return Nested(f"{zone}(", [_timedelta(entry, part, imports), *name], ")")


def _zone_info(entry: Entry, part: Part, imports: Imports) -> Doc:
    return Nested(f"{imports.name('zoneinfo', 'ZoneInfo')}(", [quoted(entry["v"])], ")")


def _pattern(entry: Entry, part: Part, imports: Imports) -> Doc:
    flags = entry["flags"] & ~_OWN_FLAGS  # patterns of texts have it by themselves, and those of bytes never
    parts: list[Doc] = [part(entry["v"]), *([str(flags)] if flags else [])]
    return Nested(f"{imports.name('re', 'compile')}(", parts, ")")


def _path(entry: Entry, part: Part, imports: Imports) -> Doc:
    pure = {"posix": "PurePosixPath", "windows": "PureWindowsPath"}[entry["flavour"]] if entry["pure"] else "Path"
    return Nested(f"{imports.name('pathlib', pure)}(", [quoted(plain.text_of(entry))], ")")


_LEAVES: Final[dict[str, Callable[[Entry, Part, Imports], Doc]]] = {
    "int": _integer,
    "str": _text,
    "bytes": _bytes,
    "bytearray": _bytes,
    "complex": _complex,
    "slice": _slice,
    "range": _slice,
    "constant": _constant,
    "decimal": _made_from_text("decimal", "Decimal"),
    "uuid": _made_from_text("uuid", "UUID"),
    "fraction": _fraction,
    "date": _date,
    "time": _date,
    "datetime": _date,
    "timedelta": _timedelta,
    "timezone": _timezone,
    "zoneinfo": _zone_info,
    "pattern": _pattern,
    "path": _path,
}
#: The kinds of entries that there are expressions for here.
KINDS: Final = frozenset(_LEAVES)
