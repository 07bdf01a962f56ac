"""What a breakpoint can have beside its condition: a condition on how often it was reached, and a message to log."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any, NamedTuple

from fixcont.errors import Refusal, Refused

_HITS = re.compile(r"\s*(==|=|>=|>|<=|<|%|)\s*(\d+)\s*")
_OPERATORS: dict[str, Callable[[int, int], bool]] = {
    "": operator.eq, "=": operator.eq, "==": operator.eq, ">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le,
    "%": lambda count, number: count % number == 0,
}  # fmt: skip


def parse_hits(condition: str) -> Callable[[int], bool] | None:
    """Return what tells whether a breakpoint that is reached for the nth time stops; None for an empty condition, which is none.

    Args:
        condition: "5" or "== 5", "> 5", ">= 5", "< 5", "<= 5", or "% 5" for every fifth time.

    Raises:
        Refused: it has no meaning.
    """
    if not condition.strip():
        return None
    found = _HITS.fullmatch(condition)
    if found is None or (found[1] == "%" and not int(found[2])):
        instead = "write a number, maybe behind one of == > >= < <= %"
        raise Refused(Refusal("bad-hit-condition", f"{condition!r} is no condition on a number of hits", instead))
    compare, number = _OPERATORS[found[1]], int(found[2])
    return lambda count: compare(count, number)


class Part(NamedTuple):
    """A part of a message: a text as it is, or an expression."""

    text: str
    code: CodeType | None = None


Template = tuple[Part, ...]

_CLOSING = {"(": ")", "[": "]", "{": "}"}


def parse_log(message: str) -> Template:
    """Take a message apart: `{expression}` stands for a value, with `!r` and `:format` as in an f-string, `{{` and `}}` for braces.

    Raises:
        Refused: something in braces is no expression, or a brace is left over.
    """
    parts: list[Part] = []
    text, at = "", 0
    while at < len(message):
        sign = message[at]
        if sign in "{}" and message[at : at + 2] == 2 * sign:
            text, at = text + sign, at + 2
        elif sign == "}":
            raise _bad(message, "has a } without a {")
        elif sign == "{":
            end = _end_of_expression(message, at + 1)
            parts += [Part(text), Part(message[at + 1 : end], _compiled(message, message[at + 1 : end]))]
            text, at = "", end + 1
        else:
            text, at = text + sign, at + 1
    return tuple(part for part in [*parts, Part(text)] if part.text)


def _end_of_expression(message: str, start: int) -> int:
    """Return where the brace is that closes an expression; those in its strings and brackets don't."""
    expected: list[str] = []
    at = start
    while at < len(message):
        sign = message[at]
        if sign in "'\"":
            quote = 3 * sign if message.startswith(3 * sign, at) else sign
            at = _end_of_string(message, at + len(quote), quote)
            continue
        if expected and sign == expected[-1]:
            expected.pop()
        elif sign in _CLOSING:
            expected.append(_CLOSING[sign])
        elif sign == "}":
            return at
        at += 1
    raise _bad(message, "has a { without a }")


def _end_of_string(message: str, at: int, quote: str) -> int:
    while at < len(message) and not message.startswith(quote, at):
        at += 2 if message[at] == "\\" else 1
    return at + len(quote)


def _compiled(message: str, expression: str) -> CodeType:
    if not expression.strip():
        raise _bad(message, "has nothing in braces")
    try:
        return compile(f"({expression}\n)", "<log>", "eval", dont_inherit=True)
    except (SyntaxError, ValueError):
        pass
    for quote in ("'''", '"""'):  # with a conversion or a format
        try:
            return compile(f"f{quote}{{{expression}}}{quote}", "<log>", "eval", dont_inherit=True)
        except (SyntaxError, ValueError):
            continue
    raise _bad(message, f"has {expression!r} in braces, which is no expression")


def _bad(message: str, why: str) -> Refused:
    return Refused(Refusal("bad-log-message", f"the message {message!r} {why}", "write {{ and }} for braces"))


def fill_in(template: Template, frame: FrameType, variables: Any) -> str:
    """Return the message with the values in a frame. In the place of an expression that raises stands what it raises."""
    return "".join(part.text if part.code is None else _value(part.code, frame, variables) for part in template)


def _value(code: CodeType, frame: FrameType, variables: Any) -> str:
    try:
        return str(eval(code, frame.f_globals, variables))
    except Exception as error:
        return f"<{_described(error)}>"


def _described(error: Exception) -> str:
    name = type(error).__name__
    try:
        text = str(error)
    except Exception:
        return name
    return f"{name}: {text}" if text else name
