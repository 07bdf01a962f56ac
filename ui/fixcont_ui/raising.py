"""The exception that a statement `raise …` would raise, made of the text behind the word."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any


class NoException(Exception):
    """The text makes no exception. The message is one sentence for people."""


def exception_of(text: str, evaluate: Callable[[str], Any], call: Callable[[Callable[[], Any]], Any]) -> BaseException:
    """Make the exception that `raise TEXT` would raise, with its cause.

    Args:
        evaluate: gives the value of an expression.
        call: calls what belongs to the user.

    Raises:
        NoException: there is none.
    """
    try:
        body = ast.parse(f"raise {text}").body
    except (SyntaxError, ValueError) as error:
        raise NoException(f"{type(error).__name__}: {getattr(error, 'msg', error)}") from None
    statement = body[0]
    if len(body) != 1 or not isinstance(statement, ast.Raise) or statement.exc is None:
        raise NoException("one exception is wanted, as in: throw ValueError('no such thing')")
    exception = _instance(evaluate(ast.unparse(statement.exc)), call, "exceptions must derive from BaseException")
    if statement.cause is not None:
        cause = evaluate(ast.unparse(statement.cause))
        otherwise = "exception causes must derive from BaseException"
        exception.__cause__ = None if cause is None else _instance(cause, call, otherwise)
    return exception


def _instance(value: Any, call: Callable[[Callable[[], Any]], Any], otherwise: str) -> BaseException:
    if isinstance(value, type) and issubclass(value, BaseException):
        value = call(value)
    if not isinstance(value, BaseException):
        raise NoException(f"TypeError: {otherwise}")
    return value
