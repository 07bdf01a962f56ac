"""Values of expressions in headers of definitions, as far as they can be had without running the user's code."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

_PLAIN_OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.BitOr, ast.BitAnd, ast.BitXor)
# The descriptor itself: lazily loaded modules overrule attribute access.
_module_dict: Any = vars(ModuleType)["__dict__"]


class CannotTell(Exception):
    """The expression has no value that could be had without running code."""


def value_of(expression: ast.expr, scopes: Sequence[Mapping[str, Any]] | None) -> Any:
    """Give the value of a literal, of arithmetic on literal numbers, or of a name that is bound in one of `scopes`.

    Names go through `scopes` in order and then the builtins, or have no value where `scopes` is None; attributes are read from plain modules only.

    Raises:
        CannotTell: it takes more than that.
    """
    if isinstance(expression, ast.Constant):
        return expression.value
    if isinstance(expression, ast.Name):
        return _named(expression.id, scopes)
    if isinstance(expression, ast.Attribute):
        return _attribute(value_of(expression.value, scopes), expression.attr)
    if isinstance(expression, ast.Tuple):
        return tuple(value_of(each, scopes) for each in expression.elts)
    if isinstance(expression, ast.List):
        return [value_of(each, scopes) for each in expression.elts]
    if isinstance(expression, ast.Dict):
        if any(not isinstance(key, ast.Constant) for key in expression.keys):
            raise CannotTell
        return {
            key.value: value_of(value, scopes)
            for key, value in zip(expression.keys, expression.values, strict=False)
            if isinstance(key, ast.Constant)
        }
    if isinstance(expression, ast.Set) and all(isinstance(each, ast.Constant) for each in expression.elts):
        return {each.value for each in expression.elts if isinstance(each, ast.Constant)}
    if _is_arithmetic(expression):
        try:
            return eval(compile(ast.Expression(expression), "<literal>", "eval", dont_inherit=True), {"__builtins__": {}})
        except (ArithmeticError, TypeError) as error:
            raise CannotTell from error
    raise CannotTell


def _named(name: str, scopes: Sequence[Mapping[str, Any]] | None) -> Any:
    if scopes is None:
        raise CannotTell
    for scope in scopes:
        if name in scope:
            return scope[name]
    try:
        return builtins.__dict__[name]
    except KeyError:
        raise CannotTell from None


def _attribute(value: Any, name: str) -> Any:
    if type(value) is not ModuleType:
        raise CannotTell
    try:
        return _module_dict.__get__(value)[name]
    except KeyError:
        raise CannotTell from None


def _is_arithmetic(expression: ast.expr) -> bool:
    if isinstance(expression, ast.Constant):
        return type(expression.value) in (int, float, complex)
    if isinstance(expression, ast.UnaryOp):
        return not isinstance(expression.op, ast.Not) and _is_arithmetic(expression.operand)
    if isinstance(expression, ast.BinOp) and isinstance(expression.op, _PLAIN_OPERATORS):
        return _is_arithmetic(expression.left) and _is_arithmetic(expression.right)
    return False
