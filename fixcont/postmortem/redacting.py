"""Taking secrets out of the table of values when all is on record, and telling which values reach one."""

from __future__ import annotations

import binascii
from collections.abc import Callable
from typing import Any, Final

Entry = dict[str, Any]

#: Kinds of entries whose "v" is no reference.
_TEXTS: Final = {"decimal", "uuid", "path", "zoneinfo"}
_OPAQUE: Final = {
    "int",
    "constant",
    "fraction",
    "timedelta",
    "date",
    "time",
    "datetime",
    "timezone",
    "function",
    "module",
    "class",
}
_BINARY: Final = {"bytes", "bytearray"}


def redact_entries(table: list[Entry], scrub: Callable[[str], str]) -> int:
    """Make holes of the texts in which there is a secret. Returns how many."""
    redactor = _Redactor(scrub)
    for number, entry in enumerate(table):
        table[number] = redactor.entry(entry)
    return redactor.found


def redact_references(references: dict[str, Any], scrub: Callable[[str], str]) -> int:
    """Do the same in references by name, in place."""
    redactor = _Redactor(scrub)
    references.update({name: redactor.reference(each) for name, each in references.items()})
    return redactor.found


class _Redactor:
    def __init__(self, scrub: Callable[[str], str]) -> None:
        self._scrub = scrub
        self.found = 0

    def entry(self, entry: Entry) -> Entry:
        kind = entry.get("t")
        if kind == "str" or kind in _TEXTS or kind in _BINARY:
            return self._text(entry, str(kind))
        if kind in _OPAQUE or kind == "hole":
            return entry
        for key in ("v", "k"):
            inside = entry.get(key)
            if type(inside) is list and not (kind in ("atom", "enum", "pattern") and key == "v"):
                entry[key] = list(map(self.reference, inside))
            elif inside is not None:
                entry[key] = self.reference(inside)
        if "attributes" in entry:
            entry["attributes"] = {name: self.reference(each) for name, each in entry["attributes"].items()}
        if "base" in entry:
            entry["base"] = self.entry(entry["base"])
        return entry

    def reference(self, reference: Any) -> Any:
        if type(reference) is not str:
            return reference
        text = self._scrub(reference)
        if text == reference:
            return reference
        self.found += 1
        return {"hole": "redacted", "type": ["builtins", "str"], "text": text}

    def _text(self, entry: Entry, kind: str) -> Entry:
        if kind in _BINARY or "utf8" in entry:
            text = binascii.a2b_base64(entry.get("utf8") or entry["v"]).decode("latin-1")
        else:
            text = entry["v"]
        scrubbed = self._scrub(text)
        if scrubbed == text:
            return entry
        self.found += 1
        hole = {"t": "hole", "why": "redacted", "type": ["builtins", kind]}
        return hole if kind in _BINARY or "utf8" in entry else {**hole, "text": scrubbed}


def reaching_secrets(table: list[Entry]) -> set[int]:
    """Give the indexes of the values from which something redacted can be reached: their own `repr` would tell it."""
    above: dict[int, list[int]] = {}
    found: set[int] = set()
    waiting: list[int] = []
    for number, entry in enumerate(table):
        for reference in _inside(entry):
            if type(reference) is list and reference:
                above.setdefault(reference[0], []).append(number)
            elif type(reference) is dict and reference.get("hole") == "redacted" and number not in found:
                found.add(number)
                waiting.append(number)
        if entry.get("why") == "redacted" and number not in found:
            found.add(number)
            waiting.append(number)
    while waiting:
        for number in above.get(waiting.pop(), ()):
            if number not in found:
                found.add(number)
                waiting.append(number)
    return found


def _inside(entry: Entry) -> list[Any]:
    """Give the references in an entry."""
    kind = entry.get("t")
    if kind in _OPAQUE or kind in _TEXTS or kind in _BINARY or kind == "str":
        return []
    if kind == "method":
        return [entry["function"], entry["self"]]
    found: list[Any] = []
    for key in ("v", "k"):
        inside = entry.get(key)
        if type(inside) is list and not (kind in ("atom", "enum", "pattern") and key == "v"):
            found += inside
        elif inside is not None:
            found.append(inside)
    found += entry.get("attributes", {}).values()
    return found + (_inside(entry["base"]) if "base" in entry else [])
