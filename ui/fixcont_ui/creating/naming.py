"""Names for the parameters of a function that is called and does not exist yet: from the expressions of the call, else from their values."""

from __future__ import annotations

import ast
import builtins
import keyword
import re
from collections.abc import Iterator, Mapping, Sequence
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any, Final

#: Type of a value -> what a parameter for it is called; those of the user's own types are called as the type is.
_OF_TYPES: Final[Mapping[type, str]] = {
    bool: "flag",
    int: "number",
    float: "number",
    complex: "number",
    str: "text",
    bytes: "data",
    bytearray: "data",
    list: "items",
    tuple: "items",
    set: "items",
    frozenset: "items",
    dict: "mapping",
    type: "cls",
    FunctionType: "function",
    BuiltinFunctionType: "function",
    MethodType: "function",
}
_OF_EXPRESSIONS: Final[Mapping[type[ast.expr], str]] = {
    ast.Lambda: "function",
    ast.Compare: "flag",
    ast.BoolOp: "flag",
    ast.JoinedStr: "text",
    ast.List: "items",
    ast.Tuple: "items",
    ast.Set: "items",
    ast.ListComp: "items",
    ast.SetComp: "items",
    ast.GeneratorExp: "items",
    ast.Dict: "mapping",
    ast.DictComp: "mapping",
}
#: Built-in function -> what its result is called.
_OF_RESULTS: Final[Mapping[str, str]] = {
    "len": "count",
    "sum": "total",
    "int": "number",
    "float": "number",
    "round": "number",
    "str": "text",
    "repr": "text",
    "list": "items",
    "tuple": "items",
    "sorted": "items",
    "set": "items",
    "dict": "mapping",
}
_UNKNOWN: Final = object()
_OTHERWISE: Final = "value"


def parameters_of(call: ast.Call, names: Sequence[Mapping[str, Any]], first: str = "") -> str:
    """Give the parameters, as source, of a function that takes the arguments of `call` in the way in which they are given.

    Nothing of the user's is run: of the variables and attributes that the call names only what lies there is looked at.

    Args:
        names: where names are looked up: the frame's variables, its globals.
        first: a parameter in front of them, "self" for a method.
    """
    taken = {first} if first else set()
    positional = [first] if first else []
    star = double_star = ""
    for argument in call.args:
        if isinstance(argument, ast.Starred):
            star = star or _free(_bare(argument.value) or "args", taken)
        elif not star:
            positional.append(_free(parameter_name(argument, names), taken))
    keywords = []
    for given in call.keywords:
        if given.arg is None:
            double_star = double_star or _free(_bare(given.value) or "options", taken)
        elif given.arg not in taken:
            taken.add(given.arg)
            keywords.append(given.arg)
    marks = [f"*{star}"] if star else ["*"] if keywords else []
    return ", ".join([*positional, *marks, *keywords, *([f"**{double_star}"] if double_star else [])])


def parameter_name(argument: ast.expr, names: Sequence[Mapping[str, Any]]) -> str:
    """Name a parameter after the expression that is given for it, or else after the type of its value."""
    bare = _bare(argument)
    if bare and bare not in ("self", "cls"):
        return bare
    value = _value(argument, names)
    if value is not _UNKNOWN and value is not None:
        return _of_type(type(value))
    return _OF_EXPRESSIONS.get(type(argument), _OTHERWISE)


def _bare(argument: ast.expr) -> str:
    """Give the name that stands for an expression, "" where there is none: `price` for `price`, `row.price`, `row["price"]`, `get_price()`."""
    if isinstance(argument, (ast.Await, ast.Starred)):
        return _bare(argument.value)
    if isinstance(argument, ast.Name):
        found = argument.id
    elif isinstance(argument, ast.Attribute):
        found = argument.attr
    elif isinstance(argument, ast.Subscript):
        found = _of_item(argument)
    elif isinstance(argument, ast.Call):
        if isinstance(argument.func, ast.Name) and argument.func.id in _OF_RESULTS:
            return _OF_RESULTS[argument.func.id]
        found = re.sub(r"^(get|make|read|load|find|compute|to)_", "", _bare(argument.func))
        if found == _bare(argument.func) and (hasattr(builtins, found) or found.istitle()):
            found = _snake(found) if found.istitle() and not hasattr(builtins, found) else ""
    else:
        return ""
    found = found.lstrip("_")
    found = found.lower() if found.isupper() else found
    is_good = found.isidentifier() and not keyword.iskeyword(found) and not hasattr(builtins, found)
    return found if is_good else ""


def _of_item(argument: ast.Subscript) -> str:
    index = argument.slice
    if isinstance(index, ast.Constant) and isinstance(index.value, str):
        return re.sub(r"\W+", "_", index.value).strip("_").lower()
    whole = _bare(argument.value)
    if isinstance(index, ast.Slice):
        return whole
    return whole[:-1] if whole.endswith("s") and not whole.endswith("ss") else ""


def _value(argument: ast.expr, names: Sequence[Mapping[str, Any]]) -> Any:
    """Give the value of an expression where it can be had without running code of the user's."""
    if isinstance(argument, ast.Constant):
        return argument.value
    if isinstance(argument, ast.UnaryOp) and isinstance(argument.operand, ast.Constant):
        return argument.operand.value
    if isinstance(argument, ast.Name):
        return next((space[argument.id] for space in names if argument.id in space), _UNKNOWN)
    if isinstance(argument, ast.Attribute):
        owner = _value(argument.value, names)
        return _fields(owner).get(argument.attr, _UNKNOWN) if owner is not _UNKNOWN else _UNKNOWN
    if isinstance(argument, ast.Subscript) and isinstance(argument.slice, ast.Constant):
        owner, index = _value(argument.value, names), argument.slice.value
        if type(owner) in (list, tuple) and isinstance(index, int) and -len(owner) <= index < len(owner):
            return owner[index]
        if type(owner) is dict and isinstance(index, (str, int)):
            return owner.get(index, _UNKNOWN)
    if isinstance(argument, ast.BinOp):
        sides = {type(_value(side, names)) for side in (argument.left, argument.right)}
        if len(sides) == 1 and sides <= {int, float, str, bytes}:
            return next(iter(sides))()
    return _UNKNOWN


def _fields(owner: object) -> Mapping[str, Any]:
    try:
        found: Mapping[str, Any] = object.__getattribute__(owner, "__dict__")
    except AttributeError:
        return {}
    return found


def _of_type(kind: type) -> str:
    if kind in _OF_TYPES:
        return _OF_TYPES[kind]
    name = _snake(kind.__name__)
    return name if name.isidentifier() and not keyword.iskeyword(name) and not hasattr(builtins, name) else _OTHERWISE


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).strip("_").lower()


def _free(name: str, taken: set[str]) -> str:
    """Give the name, or the first with a number that is not taken, and take it."""
    free = next(each for each in _numbered(name) if each not in taken)
    taken.add(free)
    return free


def _numbered(name: str) -> Iterator[str]:
    yield name
    number = 2
    while True:
        yield f"{name}{number}"
        number += 1
