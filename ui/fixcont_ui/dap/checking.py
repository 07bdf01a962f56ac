"""Whether what a client sends is what the protocol says, and if not, one sentence that names the place."""

from __future__ import annotations

from typing import Any, Final

from fixcont_ui.dap.shapes import COMMANDS, SHAPES, WITHOUT_ARGUMENTS

# name of a simple type in the schema -> the classes that json makes of it, and what to call it
_SIMPLE: Final[dict[str, tuple[frozenset[type], str]]] = {
    "string": (frozenset({str}), "a string"),
    "integer": (frozenset({int}), "an integer"),
    "number": (frozenset({int, float}), "a number"),
    "boolean": (frozenset({bool}), "a boolean"),
    "null": (frozenset({type(None)}), "null"),
    "object": (frozenset({dict}), "an object"),
    "array": (frozenset({list}), "an array"),
}
# what a shape's field may be, where that is no simple type -> the simple type that it has
_KIND_TYPES: Final = {"shape": "object", "map": "object", "array": "array", "range": "integer", "enum": "string"}
_CALLED: Final[dict[type, str]] = {
    str: "a string",
    int: "an integer",
    float: "a number",
    bool: "a boolean",
    type(None): "null",
    dict: "an object",
    list: "an array",
}
_SHOWN: Final = 40  # characters of a value in a sentence


def check_arguments(command: str, arguments: Any) -> str:
    """Say what is wrong with the arguments of a request.

    What the protocol does not know is let through: commands, and attributes beside those that it names.

    Args:
        command: the request's command.
        arguments: its arguments as they came, any JSON; None where there are none.

    Returns:
        One sentence without a full stop, such as "setBreakpoints: arguments.breakpoints[2].line must be an integer, not a
        string"; "" where nothing is wrong.
    """
    name = COMMANDS.get(command)
    if name is None or (arguments is None and command in WITHOUT_ARGUMENTS):
        return ""
    return check_shape(name, arguments, f"{command}: arguments")


def check_shape(name: str, value: Any, called: str) -> str:
    """Say what is wrong with a value that is to have a shape of `shapes.SHAPES`, which the sentence calls `called`; "" if nothing."""
    try:
        fault = _shape_fault(value, name)
    except RecursionError:
        fault = " is too deeply nested"
    return called + fault if fault else ""


def _shape_fault(value: Any, name: str) -> str:
    """Give the rest of the sentence behind the name of `value`, or ""."""
    if type(value) is not dict:
        return f" must be an object, not {_called(value)}"
    required, fields = SHAPES[name]
    for field in required:
        if field not in value:
            return f".{field} is missing"
    for field, item in value.items():
        expected = fields.get(field)
        if expected is not None and (fault := _fault(item, expected)):
            return f".{field}{fault}"
    return ""


def _fault(value: Any, expected: Any) -> str:
    if type(expected) is str:
        if expected == "any" or type(value) in _SIMPLE[expected][0]:
            return ""
        return f" must be {_SIMPLE[expected][1]}, not {_called(value)}"
    kind, detail = expected[0], expected[1]
    if kind == "shape":
        return _shape_fault(value, detail)
    if kind == "array":
        if type(value) is not list:
            return f" must be an array, not {_called(value)}"
        for number, item in enumerate(value):
            if fault := _fault(item, detail):
                return f"[{number}]{fault}"
        return ""
    if kind == "range":
        return _range_fault(value, detail, expected[2])
    if kind == "map":
        if type(value) is not dict:
            return f" must be an object, not {_called(value)}"
        for key, item in value.items():
            if fault := _fault(item, detail):
                return f"[{_short(key)}]{fault}"
        return ""
    if kind == "enum":
        return _enum_fault(value, detail)
    return _either_fault(value, detail)


def _range_fault(value: Any, least: int | None, most: int | None) -> str:
    if type(value) is not int:
        return f" must be an integer, not {_called(value)}"
    if least is not None and value < least:
        return f" must be at least {least}"
    if most is not None and value > most:
        return f" must be at most {most}"
    return ""


def _enum_fault(value: Any, words: tuple[str, ...]) -> str:
    if type(value) is not str:
        return f" must be a string, not {_called(value)}"
    if value in words:
        return ""
    return f" must be {' or '.join(repr(word) for word in words)}, not {_short(value)}"


def _either_fault(value: Any, choices: tuple[Any, ...]) -> str:
    """Nothing where one choice fits; else the fault of the one whose type is right, as that says most."""
    faults = [_fault(value, choice) for choice in choices]
    if not all(faults):
        return ""
    names = [choice if type(choice) is str else _KIND_TYPES[choice[0]] for choice in choices]
    for name, fault in zip(names, faults, strict=True):
        if type(value) in _SIMPLE[name][0]:
            return fault
    return f" must be {' or '.join(dict.fromkeys(_SIMPLE[name][1] for name in names))}, not {_called(value)}"


def _called(value: Any) -> str:
    return _CALLED.get(type(value), type(value).__name__)


def _short(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…")
