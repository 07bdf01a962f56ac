"""Compare two descriptions, and tell which differences the engine has named itself."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tests.corpus.describe import FUNCTION, Data

_MISSING = "<not there>"
_SHORT = 160


@dataclass(frozen=True)
class Difference:
    """One place in which the live modules are not as freshly imported ones.

    Attributes:
        module: its name.
        path: from the module inward: name, attribute, …
        functions: the qualified names of the functions on the way, and those that their definitions gave them.
        live: what is there, shortened.
        fresh: what should be there, shortened.
    """

    module: str
    path: tuple[str, ...]
    functions: tuple[str, ...]
    live: str
    fresh: str

    def __str__(self) -> str:
        return f"{self.module}: {' / '.join(self.path)}: live {self.live}, fresh {self.fresh}"


def differences(live: Data, fresh: Data) -> list[Difference]:
    """Compare the modules that are loaded in both processes.

    A module that only one of them has loaded is not a difference by itself: whoever imports it shows it.
    """
    found = []
    for module in sorted(live["modules"].keys() & fresh["modules"].keys()):
        for path, functions, one, other in _walk(live["modules"][module], fresh["modules"][module], live, fresh, (), ()):
            found.append(Difference(module, path, functions, _shortened(one), _shortened(other)))
    return found


def _walk(
    one: Data, other: Data, live: Data, fresh: Data, path: tuple[str, ...], functions: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], tuple[str, ...], Data, Data]]:
    if one == other:
        return
    if not (isinstance(one, dict) and isinstance(other, dict)):
        yield path, functions, one, other
        return
    if one.keys() == other.keys() == {FUNCTION}:
        before, after = live["functions"][one[FUNCTION]], fresh["functions"][other[FUNCTION]]
        if len(path) > 1 and before["qualname"] == after["qualname"] in functions:
            return  # one that is reached through itself
        yield from _walk(before, after, live, fresh, path, (*functions, after["qualname"], *_defined_as(before, after)))
        return
    for name in sorted({*one, *other}, key=lambda each: (each not in one, each not in other, each)):
        yield from _walk(one.get(name, _MISSING), other.get(name, _MISSING), live, fresh, (*path, name), functions)


def _defined_as(before: Data, after: Data) -> list[str]:
    """Give the names that functions got where they were defined: the program may have named them otherwise since."""
    return [each["code"]["name"] for each in (before, after) if isinstance(each["code"], dict)]


def _shortened(data: Data) -> str:
    text = str(data)
    return text if len(text) <= _SHORT else f"{text[:_SHORT]}…"


@dataclass(frozen=True)
class Named:
    """Something that the engine says it has not made as it is in the file.

    Attributes:
        module: the name of the module.
        name: of a function, class, attribute or variable there: "Basket.total".
    """

    module: str
    name: str

    def covers(self, difference: Difference) -> bool:
        """Tell whether a difference lies in what is named."""
        if any(each == self.name or each.startswith(f"{self.name}.") for each in difference.functions):
            return True
        if not f"{self.module}.".startswith(f"{difference.module}."):  # a package may take over the classes of its modules
            return False
        *around, name = self.name.split(".")
        annotations = ("<class>", "annotations") if around else ("<annotations>",)
        return any(_begins(difference.path, path) for path in ((*around, name), (*around, *annotations, name)))


def _begins(path: tuple[str, ...], beginning: tuple[str, ...]) -> bool:
    return path[: len(beginning)] == beginning


def names_on_line(source: bytes, line: int) -> list[str]:
    """Return the qualified names that the statement on a line binds, of those of modules and classes."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return []
    found = _innermost(tree.body, line, "")
    return sorted(set(_bound(found[0], found[1]))) if found is not None else []


def _innermost(body: Iterable[ast.stmt], line: int, around: str) -> tuple[ast.stmt, str] | None:
    for each in body:
        if not _first_line(each) <= line <= (each.end_lineno or each.lineno):
            continue
        if isinstance(each, ast.ClassDef) and line > each.body[0].lineno - 1 and line > each.lineno:
            return _innermost(each.body, line, f"{around}{each.name}.") or (each, around)
        for part in _blocks(each):
            inner = _innermost(part, line, around)
            if inner is not None:
                return inner
        return each, around
    return None


def _first_line(each: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(each, "decorator_list", [])
    return min([each.lineno, *(decorator.lineno for decorator in decorators)])


def _blocks(each: ast.stmt) -> list[list[ast.stmt]]:
    if isinstance(each, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
        return []
    blocks = [getattr(each, name, []) for name in ("body", "orelse", "finalbody")]
    return blocks + [part.body for name in ("handlers", "cases") for part in getattr(each, name, [])]


def _bound(statement: ast.stmt, around: str) -> Iterator[str]:
    if isinstance(statement, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
        yield around + statement.name
        return
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        for alias in statement.names:
            yield around + (alias.asname or alias.name.partition(".")[0])
        return
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        yield f"{around}__doc__"
    for part in _blocks(statement):
        for each in part:
            yield from _bound(each, around)
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, (ast.Store, ast.Del)):
            yield around + node.id
            if node.id == "__slots__" and isinstance(statement, ast.Assign):  # a class has an attribute for each of them
                constants = [each.value for each in ast.walk(statement.value) if isinstance(each, ast.Constant)]
                yield from (f"{around}{each}" for each in constants)
        elif isinstance(node, (ast.Attribute, ast.Subscript)) and isinstance(node.ctx, ast.Store):
            yield around + _root(node)
        elif isinstance(node, ast.Call) and isinstance(statement, ast.Expr):
            yield around + _root(node.func)
            if _root(node.func) == "exec" and node.args and isinstance(node.args[0], ast.Constant):
                for each in ast.parse(str(node.args[0].value)).body:  # a text that is written out binds what it says
                    yield from _bound(each, around)


def _root(node: ast.expr) -> str:
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""
