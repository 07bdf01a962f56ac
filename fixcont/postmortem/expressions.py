"""The expression that a dead frame was in the middle of, and what it had called: told without running any code of the program."""

from __future__ import annotations

import ast
import builtins
import inspect
import types
from dataclasses import dataclass
from functools import partial
from types import FrameType, FunctionType, MethodType
from typing import Any

from fixcont.bytecode import interpreter

_OPERATORS = {
    "Add": "add", "Sub": "sub", "Mult": "mul", "Div": "truediv", "FloorDiv": "floordiv", "Mod": "mod", "Pow": "pow",
    "MatMult": "matmul", "BitAnd": "and", "BitOr": "or", "BitXor": "xor", "LShift": "lshift", "RShift": "rshift",
}  # fmt: skip


class Unknown(Exception):
    """Only running the program would tell."""


@dataclass(frozen=True)
class Bound:
    """A function, and what it gets in front of the arguments of a call.

    Attributes:
        makes: whether the value of the call is the object that is made, not what the function returns.
    """

    function: FunctionType
    first: tuple[Any, ...] = ()
    makes: bool = False


def expression_at(tree: ast.AST, span: tuple[int, int, int, int]) -> ast.expr | None:
    """Return the expression with a span (line, column, end line, end column); of a call over several lines the interpreter tells only the end."""
    line, column, end_line, end_column = span
    ending = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.expr) and (node.end_lineno, node.end_col_offset) == (end_line, end_column)
    ]
    exact = [node for node in ending if (node.lineno, node.col_offset) == (line, column)]
    if exact:
        return exact[0]
    around = [node for node in ending if isinstance(node, ast.Call) and node.lineno <= line]
    return around[-1] if around else None


def value_of(node: ast.expr, frame: FrameType) -> Any:
    """Return the value that an expression has in a frame, if that is a matter of looking. Raises `Unknown`."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        for names in (frame.f_locals, frame.f_globals, frame.f_builtins):
            if node.id in names:
                return names[node.id]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
        value = node.operand.value
        if isinstance(value, (int, float)):
            return -value
    if isinstance(node, ast.Attribute):
        return attribute_of(value_of(node.value, frame), node.attr)
    if isinstance(node, ast.Subscript):
        return _item(value_of(node.value, frame), value_of(node.slice, frame))
    raise Unknown


def _item(owner: Any, key: Any) -> Any:
    """Return an item, where asking for it runs none of the program's code."""
    if type(owner) in (list, tuple, dict) and type(key) in (int, str):
        try:
            return owner[key]
        except (LookupError, TypeError):
            raise Unknown from None
    raise Unknown


def attribute_of(owner: Any, name: str) -> Any:
    """Return an attribute, bound as it would be, if that is a matter of looking. Raises `Unknown`."""
    if type(owner) is types.ModuleType:
        if name in vars(owner):
            return vars(owner)[name]
        raise Unknown
    if not isinstance(owner, type) and _in_class(type(owner), "__getattribute__") is not object.__getattribute__:
        raise Unknown
    found = inspect.getattr_static(owner, name, Unknown)
    if found is Unknown:
        raise Unknown
    if type(found) is staticmethod:
        return found.__func__
    if type(found) is classmethod:
        return MethodType(found.__func__, owner if isinstance(owner, type) else type(owner))
    if type(found) is FunctionType:
        is_own = not isinstance(owner, type) and found is not _in_class(type(owner), name)
        return found if is_own or isinstance(owner, type) else MethodType(found, owner)
    if _in_class(type(found), "__get__") is not None:
        raise Unknown
    return found


def _in_class(kind: type, name: str) -> Any:
    for base in type.mro(kind):
        if name in vars(base):
            return vars(base)[name]
    return None


def bound_to(value: Any) -> Bound:
    """Return the Python function that a call of a value runs first. Raises `Unknown` where that is C code, or where only running it tells."""
    if isinstance(value, FunctionType):
        return Bound(value)
    if type(value) is MethodType:
        inner = bound_to(value.__func__)
        return Bound(inner.function, (value.__self__, *inner.first))
    if type(value) is partial and not value.keywords:
        inner = bound_to(value.func)
        return Bound(inner.function, (*inner.first, *value.args), inner.makes)
    if isinstance(value, type):
        init = _in_class(value, "__init__")
        if _in_class(type(value), "__call__") is type.__call__ and isinstance(init, FunctionType):
            return Bound(init, makes=True)
        raise Unknown
    call = _in_class(type(value), "__call__")
    if isinstance(call, FunctionType):
        return Bound(call, (value,))
    raise Unknown


def called_by(node: ast.expr, frame: FrameType) -> Bound:
    """Return the function that an expression of a dead frame has called. Raises `Unknown`."""
    if isinstance(node, ast.Await):
        node = node.value
    if isinstance(node, ast.Call):
        return bound_to(value_of(node.func, frame))
    if isinstance(node, ast.Attribute):
        owner = value_of(node.value, frame)
        found = inspect.getattr_static(owner, node.attr, None)
        if type(found) is property and isinstance(found.fget, FunctionType):
            return Bound(found.fget, (owner,))
    if isinstance(node, ast.Subscript):
        owner = value_of(node.value, frame)
        return _special(owner, "__getitem__")
    if isinstance(node, ast.BinOp):
        return _special(value_of(node.left, frame), f"__{_OPERATORS[type(node.op).__name__]}__")
    raise Unknown


def _special(owner: Any, name: str) -> Bound:
    found = _in_class(type(owner), name)
    if isinstance(found, FunctionType):
        return Bound(found, (owner,))
    raise Unknown


def is_certain(name: str, frame: FrameType) -> bool:
    """Tell whether a name is a plain variable of a function: nobody else assigns to it while the function is in the middle of a call."""
    code = frame.f_code
    return bool(code.co_flags & interpreter.OPTIMIZED) and name in code.co_varnames and name not in code.co_cellvars


def is_builtin(node: ast.expr, name: str, frame: FrameType) -> bool:
    """Tell whether an expression is the name of a builtin, and means that."""
    try:
        return isinstance(node, ast.Name) and node.id == name and value_of(node, frame) is getattr(builtins, name)
    except Unknown:
        return False
