"""Checks messages against the JSON schemas in tests/dap, by a validator for each definition."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from jsonschema import Draft4Validator

from support.dap_types import definitions, flattened, messages, reference


@cache
def validator(definition: str) -> Draft4Validator:
    """Give the validator for a definition of the schemas."""
    return validator_of({"$ref": f"#/definitions/{definition}"})


def validator_of(schema: Mapping[str, Any]) -> Draft4Validator:
    """Give the validator for a part of the schemas."""
    return Draft4Validator({**schema, "definitions": _lenient_definitions()})


@cache
def _lenient_definitions() -> Any:
    """Give the definitions with `anyOf` in place of `oneOf`: `restart` has two choices that nearly every object fits."""

    def lenient(value: Any) -> Any:
        if isinstance(value, dict):
            return {"anyOf" if name == "oneOf" else name: lenient(each) for name, each in value.items()}
        return [lenient(each) for each in value] if isinstance(value, list) else value

    return lenient(definitions())


@cache
def names(kind: str) -> dict[str, str]:
    """Give the definition of each message of a kind ("Request", "Response", "Event"): command or event -> definition."""
    return {word: name for word, name, _, _ in messages(kind)}


def definition_of(message: Mapping[str, Any]) -> str:
    """Give the name of the definition that a message is to fit; the general one for what the schemas do not know."""
    kind = message.get("type")
    if kind == "response":
        if message.get("success") is False:
            return "ErrorResponse"
        return names("Response").get(str(message.get("command")), "Response")
    if kind == "event":
        return names("Event").get(str(message.get("event")), "Event")
    return names("Request").get(str(message.get("command")), "Request")


def fault_of(message: Any) -> str:
    """Say where a message does not fit its definition; "" where it does.

    Beyond the schema: an error says why, and nothing is in what an adapter sends that the schema does not name, as a misspelt name is
    the fault that it would not tell. Clients may send what they like.
    """
    if not isinstance(message, Mapping):
        return f"no object: {message!r}"
    if message.get("success") is False:
        return _fault_of(message)  # what an error says is looked at as well
    kind = _shape(message)
    if kind in _right:
        return ""
    fault = _fault_of(message)
    if not fault:
        _right.add(kind)
    return fault


#: The shapes of the messages that were found to be right: looking at one takes a hundred times as long as telling its shape.
_right: set[Any] = set()
_INTEGER = 2**31


def _shape(value: Any) -> Any:
    """Give all of a value that the schemas can tell right from wrong by: two of one shape are both right or both wrong."""
    if isinstance(value, Mapping):
        return tuple((name, _shape(each)) for name, each in value.items())
    if isinstance(value, list):
        return (list, *dict.fromkeys(map(_shape, value)))
    if type(value) is str:
        return value if value in _words() else str
    if type(value) is int:
        return int, (value > 0) - (value < 0), -_INTEGER <= value < _INTEGER
    return value if value is None or type(value) is bool else (type(value), repr(value))


@cache
def _words() -> frozenset[str]:
    """Give all strings that the schemas name as values."""
    found: set[str] = set()

    def look(value: Any) -> None:
        if isinstance(value, dict):
            for name in ("enum", "_enum"):
                found.update(each for each in value.get(name, ()) if isinstance(each, str))
        for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            look(each)

    look(definitions())
    return frozenset(found)


def _fault_of(message: Mapping[str, Any]) -> str:
    definition = definition_of(message)
    for error in validator(definition).iter_errors(message):
        return f"{definition}{error.json_path.removeprefix('$')}: {error.message}"
    if message.get("type") == "response" and message.get("success") is False:
        stated = message["body"].get("error")
        if not message.get("message") or not stated:
            return f"{definition}: an error without a message and body.error"
        # A placeholder without a variable is shown as it stands, in the middle of a sentence.
        missing = [name for name in re.findall(r"\{(\w+)\}", stated["format"]) if name not in stated.get("variables", {})]
        if missing:
            return f"{definition}: no variables for {missing}"
    return unnamed(definition, message) if message.get("type") != "request" else ""


def unnamed(definition: str, value: Any) -> str:
    """Say which attribute of a value the schema does not name; "" where there is none."""
    return _unnamed({"$ref": f"#/definitions/{definition}"}, value, definition)


def _unnamed(schema: Mapping[str, Any], value: Any, path: str) -> str:
    if "$ref" in schema:
        schema = definitions()[reference(schema)]
    if isinstance(value, list) and "items" in schema:
        return next(filter(None, (_unnamed(schema["items"], each, f"{path}[{at}]") for at, each in enumerate(value))), "")
    if not isinstance(value, Mapping) or not ("properties" in schema or "allOf" in schema):
        return ""
    _, properties = flattened(schema)
    for name, each in value.items():
        if name not in properties:
            return f"{path}.{name}: the schema has no such attribute"
        if fault := _unnamed(properties[name], each, f"{path}.{name}"):
            return fault
    return ""
