"""Stubs and where they go in the text of a file: a method behind the last one of its class, a function in front of the one that uses it."""

from __future__ import annotations

import ast
import enum
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from fixcont.errors import Refusal, Refused

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class Kind(enum.Enum):
    """What a stub is."""

    FUNCTION = "function"
    CLASS = "class"
    METHOD = "method"
    CLASS_METHOD = "class method"
    PROPERTY = "property"


@dataclass(frozen=True)
class Stub:
    """A definition to be written.

    Attributes:
        filename: where it goes.
        owner: qualified name of the class that it becomes a member of, "" for what goes to the top level.
        name: without that of the owner.
        parameters: as source; of a class those of its `__init__`, None for a class without one.
        user: qualified name of the function that uses it, in front of which it goes; "" where that is in another file.
        line: a line of the user, which tells where it goes if the user is the module itself.
        base: as source, the base of a class.
        is_async: whether the call of it is awaited.
        decorators: of a method.
    """

    kind: Kind
    filename: str
    owner: str
    name: str
    parameters: str | None
    user: str = ""
    line: int = 0
    base: str = ""
    is_async: bool = False
    decorators: tuple[str, ...] = ()

    @property
    def qualname(self) -> str:
        return f"{self.owner}.{self.name}" if self.owner else self.name

    @property
    def header(self) -> str:
        """The first line of it, without the colon."""
        if self.kind is Kind.CLASS:
            return f"class {self.name}({self.base})" if self.base else f"class {self.name}"
        return f"{'async def' if self.is_async else 'def'} {self.name}({self.parameters})"

    def lines(self, indent: str, step: str) -> list[str]:
        """Give its lines without line ends."""
        told = f'raise NotImplementedError("{self.qualname}")'
        if self.kind is Kind.CLASS:
            if self.parameters is None:
                return [f"{indent}{self.header}:", f"{indent}{step}pass"]
            told = f'raise NotImplementedError("{self.qualname}.__init__")'
            init = f"{indent}{step}def __init__({self.parameters}):"
            return [f"{indent}{self.header}:", init, f"{indent}{step * 2}{told}"]
        return [*(f"{indent}@{each}" for each in self.decorators), f"{indent}{self.header}:", f"{indent}{step}{told}"]


def with_stub(text: str, stub: Stub) -> tuple[str, int]:
    """Put a stub into the text of a file. Returns the text and the line of the stub's first line of a body.

    Line ends and indentation are those of the text. Everything else of the text stays as it is.

    Raises:
        Refused: the text does not compile, or has no such class.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError) as error:
        refusal = Refusal("syntax-error", f"{stub.filename} does not compile: {error}", "mend it first")
        raise Refused(refusal) from None
    end = "\r\n" if "\r\n" in text else "\n"
    lines = re.split(r"(?<=\n)", text)  # as the parser counts them: `splitlines` splits at form feeds too
    step = _step(lines)
    if stub.owner:
        at, indent, before, after = _behind_last_method(tree, lines, stub)
    else:
        at, before, after = _in_front_of_user(tree, lines, stub)
        indent = ""
    body = stub.lines(indent, step)
    if at and lines[at - 1] and not lines[at - 1].endswith("\n"):
        lines[at - 1] += end
    new = [*[end] * before, *(line + end for line in body), *[end] * after]
    first = at + before + len(body)
    return "".join([*lines[:at], *new, *lines[at:]]), first


def find_class(tree: ast.Module, qualname: str) -> ast.ClassDef | None:
    """Find the class with a qualified name; of several the last."""
    found = find_definition(tree, qualname)
    return found if isinstance(found, ast.ClassDef) else None


def find_definition(tree: ast.Module, qualname: str) -> _Definition | None:
    """Find the function or class with a qualified name; of several the last."""
    node: ast.AST = tree
    for part in qualname.split("."):
        if part == "<locals>":
            continue
        candidates = [each for each in _members(node) if each.name == part]
        if not candidates:
            return None
        node = candidates[-1]
    return node if isinstance(node, _Definition) else None


def _members(scope: ast.AST) -> list[_Definition]:
    found: list[_Definition] = []
    pending = list(ast.iter_child_nodes(scope))[::-1]
    while pending:
        node = pending.pop()
        if isinstance(node, _Definition):
            found.append(node)
        elif isinstance(node, (ast.stmt, ast.ExceptHandler, ast.match_case)):
            pending.extend(list(ast.iter_child_nodes(node))[::-1])
    return found


def _behind_last_method(tree: ast.Module, lines: Sequence[str], stub: Stub) -> tuple[int, str, int, int]:
    """Give the index of the line in front of which a method goes, its indentation, and the blank lines before and after it."""
    owner = find_class(tree, stub.owner)
    if owner is None:
        refusal = Refusal("no-class", f"{stub.filename} has no class {stub.owner} any more", "write the method by hand")
        raise Refused(refusal)
    last = next((each for each in reversed(owner.body) if isinstance(each, _Function)), owner.body[-1])
    first = owner.body[0]
    indent = re.match(r"[ \t]*", lines[_begin(first) - 1])
    if first.lineno == owner.lineno or indent is None or indent[0] == "":
        refusal = Refusal("one-line-class", f"the body of {stub.owner} stands on the line of its header", "write it in lines")
        raise Refused(refusal)
    at = last.end_lineno or len(lines)
    blank_follows = at < len(lines) and not lines[at].strip()
    return at, indent[0], 1, 0 if blank_follows or last is owner.body[-1] else 1


def _in_front_of_user(tree: ast.Module, lines: Sequence[str], stub: Stub) -> tuple[int, int, int]:
    """Give the index of the line in front of which a function goes, and the blank lines before and after it."""
    statement = _user(tree, stub)
    if statement is None:
        at = len(lines) - 1 if lines and lines[-1] == "" else len(lines)
        while at and not lines[at - 1].strip():
            at -= 1
        return at, 2 if at else 0, 0
    at = _begin(statement) - 1
    while at and lines[at - 1].startswith("#") and not lines[at - 1].startswith("#!"):
        at -= 1  # a comment that belongs to it
    blank = 0
    while blank < at and not lines[at - 1 - blank].strip():
        blank += 1
    return at, max(0, 2 - blank) if at - blank else 0, 2


def _user(tree: ast.Module, stub: Stub) -> ast.stmt | None:
    """Find the statement of the top level that uses the stub."""
    if stub.user:
        top = stub.user.partition(".")[0]
        if top != "<module>" and not top.startswith("<"):
            found = [each for each in tree.body if any(node is each or _holds(each, node) for node in _named(tree, top))]
            return found[-1] if found else None
        return next((each for each in tree.body if _begin(each) <= stub.line <= (each.end_lineno or 0)), None)
    return None


def _named(tree: ast.Module, name: str) -> list[_Definition]:
    return [each for each in _members(tree) if each.name == name]


def _holds(statement: ast.stmt, node: ast.AST) -> bool:
    return any(each is node for each in ast.walk(statement))


def _begin(statement: ast.stmt) -> int:
    """Give the line on which a statement begins, decorators included."""
    decorators: Sequence[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(each.lineno for each in decorators)])


def _step(lines: Sequence[str]) -> str:
    """Give one step of indentation as the file has it."""
    for above, line in pairwise(lines):
        found = re.match(r"(\t+| +)\S", line)
        if found is not None and re.match(r"\S.*:\s*(#.*)?$", above):
            return found[1]
    return "    "
