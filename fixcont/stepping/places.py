"""Where in a text a breakpoint can be: which lines have code, and whose code that is."""

from __future__ import annotations

import ast
import os
import weakref
from types import CodeType
from typing import NamedTuple

from fixcont.bytecode.interpreter import OPCODE
from fixcont.editing.moves import line_of_statement
from fixcont.editing.statements import find_scope
from fixcont.editing.texts import Kind, Node, Text, kind_of
from fixcont.errors import Refusal, Refused

#: The qualified name and the first line of a code object: what stays the same whoever exchanges it.
Owner = tuple[str, int]


class Place(NamedTuple):
    """A line with code.

    Attributes:
        line: its number.
        owners: whose code counts there.
        last: the last line of the statement that begins there, of a compound one without its body.
    """

    line: int
    owners: frozenset[Owner]
    last: int


#: Text -> line -> whose code is on it. Made once for each text, when somebody asks for a place in it.
_tables: weakref.WeakKeyDictionary[Text, dict[int, frozenset[Owner]]] = weakref.WeakKeyDictionary()

#: Text -> first line of a statement -> its last one, without its body. Likewise.
_lasts: weakref.WeakKeyDictionary[Text, dict[int, int]] = weakref.WeakKeyDictionary()

#: What runs with the line of another code object around it, and would stop there once more.
_DOUBLES = (Kind.COMPREHENSION, Kind.CLASS, Kind.TYPE_PARAMETERS, Kind.ANNOTATIONS)


def owner_of(code: CodeType) -> Owner:
    return code.co_qualname, code.co_firstlineno


def lines_of(code: CodeType) -> set[int]:
    """Return the lines of a code object at which it can stop: those of its instructions behind the start of the function."""
    start = 2 * (code.co_code[::2].find(OPCODE["RESUME"]) + 1)
    lines = [line for _, end, line in code.co_lines() if line and end > start]
    found = set(lines)
    if lines and lines[0] != code.co_firstlineno and code.co_name != "<module>":
        found.discard(code.co_firstlineno)  # only what cleans up behind a generator
    return found


def place_on(text: Text, line: int) -> Place:
    """Return the place that a user means with a line: that line, the start of the statement that goes on there, or the next line with code.

    Raises:
        Refused: there is none.
        SyntaxError: the text does not compile.
    """
    table = _table(text)
    if line in table:
        return Place(line, table[line], last_line(text, line))
    start = line_of_statement(text, line)
    if start is None or start not in table:
        start = min((each for each in table if each > line), default=None)
    if start is None:
        raise Refused(Refusal("no-code", f"there is no code at line {line} of {text.filename}", "choose a line above"))
    return Place(start, table[start], last_line(text, start))


def place_of_function(text: Text, qualname: str, first_line: int | None = None) -> Place:
    """Return the first line of a function's body.

    Args:
        qualname: its qualified name.
        first_line: of its code, where several have that name.

    Raises:
        Refused: there is no such function.
        SyntaxError: the text does not compile.
    """
    nodes = [node for node in text.module.walk() if node.qualname == qualname and node.kind is Kind.FUNCTION]
    named = [node for node in nodes if node.line == first_line] or nodes
    if not named:
        raise Refused(Refusal("no-function", f"there is no function {qualname} in {text.filename}", "name one that it has"))
    line = _first_line(named[0])
    return Place(line, frozenset([owner_of(named[0].code)]), last_line(text, line))


def is_named(code: CodeType, name: str) -> bool:
    """Tell whether a code object is that of a function with a name, which may be qualified, by the module too."""
    if kind_of(code) is not Kind.FUNCTION:
        return False
    qualname = code.co_qualname
    if qualname == name or qualname.endswith(f".{name}"):
        return True
    if not name.endswith(f".{qualname}"):
        return False
    module = os.path.splitext(code.co_filename)[0].replace(os.sep, ".").removesuffix(".__init__")
    return f".{module}".endswith("." + name[: -len(qualname) - 1])


def named_places(text: Text, name: str) -> list[Place]:
    """Return the first lines of the bodies of the functions of a text that have a name; see `is_named`."""
    if name.rpartition(".")[2].encode() not in text.source:
        return []
    try:
        nodes = [node for node in text.module.walk() if is_named(node.code, name)]
        return [place_of_function(text, node.qualname, node.line) for node in nodes]
    except (SyntaxError, Refused):
        return []


def starts(code: CodeType, place: Place) -> dict[int, frozenset[int]]:
    """Return the lines of a code object with which the statement of a place begins: usually its first one.

    A statement over several lines comes back to them, and a comprehension may begin with another one. With each line go the byte offsets
    at which it comes up though the statement has begun already.
    """
    if place.last == place.line:
        return {place.line: frozenset()}
    begins: dict[int, set[int]] = {}  # line -> offsets
    inside: dict[int, set[int]] = {}
    before: int | None = 0
    for offset, end, line in code.co_lines():
        if line is not None and place.line <= line <= place.last:
            # What has no line before it cleans up behind a comprehension.
            is_inside = before is None or place.line <= before <= place.last
            (inside if is_inside else begins).setdefault(line, set()).add(offset)
            if line != place.line:  # the head of a comprehension's loop
                inside.setdefault(line, set()).update(range(offset + 2, end, 2))
        before = line
    lines = [place.line] if place.line in begins or not begins else list(begins)
    return {line: frozenset(inside.get(line, ())) if begins else frozenset() for line in lines}


def last_line(text: Text, line: int) -> int:
    """Return the last line of the statement that begins on a line, of a compound one without its body."""
    lasts = _lasts.get(text)
    if lasts is None:
        lasts = _lasts[text] = {}
        for node in ast.walk(text.tree):
            if isinstance(node, ast.stmt):
                lasts[node.lineno] = max(lasts.get(node.lineno, node.lineno), _header_end(node))
    return lasts.get(line, line)


def _header_end(node: ast.stmt) -> int:
    body = getattr(node, "body", None) or getattr(node, "cases", None)
    first = body[0] if body else None
    at = getattr(first, "lineno", None) or getattr(getattr(first, "pattern", None), "lineno", None)
    return (node.end_lineno or node.lineno) if at is None else int(at) - 1


def _first_line(node: Node) -> int:
    lines = lines_of(node.code)
    scope = find_scope(node.text.tree, node.qualname, node.line)
    if isinstance(scope, (ast.FunctionDef, ast.AsyncFunctionDef)):
        body = scope.body[1:] if ast.get_docstring(scope, clean=False) is not None else scope.body
        begin = body[0].lineno if body else scope.body[0].lineno
        lines = {line for line in lines if line >= begin} or lines
    return min(lines, default=node.line)


def _table(text: Text) -> dict[int, frozenset[Owner]]:
    table = _tables.get(text)
    if table is None:
        found: dict[int, set[Owner]] = {}
        _note(text.module, frozenset(), found)
        table = _tables[text] = {line: frozenset(owners) for line, owners in found.items()}
    return table


def _note(node: Node, around: frozenset[int], found: dict[int, set[Owner]]) -> None:
    lines = lines_of(node.code)
    for line in lines - around if node.kind in _DOUBLES else lines:
        found.setdefault(line, set()).add(owner_of(node.code))
    for child in node.children:
        _note(child, frozenset(lines), found)
