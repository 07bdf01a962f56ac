"""The main module without what is the program: which of its statements are it, and which are to be run so that its functions are there.

Two uses ask, and each takes what is safer for it. A saved stop is replayed in this process, where the module runs as `__main__`: what is under any
comparison of `__name__` is left out, and any call of a module without one may be the program. A test imports the module by its name, in a process of
its own that has a limit: what such a comparison gives there is known, so what runs by it is looked at, and calls of others' functions, which
set something up, are let be. A guard does not make the rest harmless for it, as the whole module is run.
"""

from __future__ import annotations

import ast
import builtins
import difflib
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from fixcont.errors import Refusal, Refused

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
_HARMLESS = (*_DEFINITIONS, ast.Pass, ast.Global, ast.Delete, ast.Assert, ast.Raise)
_FUNCTIONS = frozenset(name for name in dir(builtins) if not name[:1].isupper())


class Pruned(NamedTuple):
    """A module without the program.

    Attributes:
        tree: what is run.
        left_out: the lines of the statements that are not.
    """

    tree: ast.Module
    left_out: tuple[int, ...]


def pruned(path: str, source: bytes, before: tuple[str, int] | None) -> Pruned:
    """Leave out of a main module what runs the program: `if __name__ == "__main__"`, and where the program was run by a statement of the module
    itself, that one and what follows it, but for definitions and imports.

    Args:
        before: the text of the module that ran, and the line at which it stood; None where that is not known.

    Raises:
        SyntaxError: the text does not compile.
        Refused: "script-runs": which statement runs the program is not known.
    """
    tree = ast.parse(source, path)
    first = _first_of_program(tree, before)
    left_out = [
        each
        for number, each in enumerate(tree.body)
        if _is_guard(each) or (first is not None and number >= first and not isinstance(each, _DEFINITIONS))
    ]
    if first is None and not left_out:
        running = _first(tree.body, _calls_anything, is_main=True)
        if running is not None:
            sentence = f"loading {path} may run the whole program, by its line {running.lineno}"
            raise Refused(Refusal("script-runs", sentence, 'put what is the program under "if __name__ == "__main__":"'))
    gone = {id(each) for each in left_out}
    kept = ast.Module([each for each in tree.body if id(each) not in gone], tree.type_ignores)
    return Pruned(kept, tuple(each.lineno for each in left_out))


def _first_of_program(tree: ast.Module, before: tuple[str, int] | None) -> int | None:
    """Find the statement that takes the place of the one at which the module stood; None where that is under a guard, or not known."""
    if before is None:
        return None
    text, line = before
    try:
        old = ast.parse(text).body
    except (SyntaxError, ValueError):
        return None
    at = next((number for number, each in enumerate(old) if each.lineno <= line <= (each.end_lineno or each.lineno)), None)
    if at is None or _is_guard(old[at]):
        return None
    return _partner([ast.dump(each) for each in old], [ast.dump(each) for each in tree.body], at)


def _partner(old: Sequence[str], new: Sequence[str], at: int) -> int:
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for kind, first, last, start, end in matcher.get_opcodes():
        if first <= at < last:
            return start + at - first if kind == "equal" else min(start + at - first, end)
    return len(new)


def what_runs(filename: str) -> str | None:
    """Give the first statement of a script that would run the program if it were imported: a loop, a `with` block, or a call of a function
    that it defines itself or that is built in. None where there is none; or where the file cannot be read, which the import will tell."""
    try:
        with open(filename, "rb") as stream:
            tree = ast.parse(stream.read())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return None
    own = {node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))}
    programs = own | _FUNCTIONS
    found = _first(tree.body, lambda node: _calls_one_of(node, programs), is_main=False)
    return None if found is None else f"line {found.lineno}: {ast.unparse(found).splitlines()[0][:60]}"


_Simple = ast.Expr | ast.Assign | ast.AnnAssign | ast.AugAssign


def _first(body: Iterable[ast.stmt], calls: Callable[[_Simple], bool], *, is_main: bool) -> ast.stmt | None:
    """Find the first statement that may run the program.

    Args:
        calls: tells it of a simple one.
        is_main: whether the module is run as the main one, not imported.
    """
    for node in body:
        found: ast.stmt | None = None
        if isinstance(node, ast.If):
            is_true = _is_true(node.test, is_main)
            inside = [*([] if is_true is False else node.body), *([] if is_true is True else node.orelse)]
            found = _first(inside, calls, is_main=is_main)
        elif isinstance(node, (ast.Try, ast.TryStar)):
            handlers = [each for handler in node.handlers for each in handler.body]
            found = _first([*node.body, *handlers, *node.orelse, *node.finalbody], calls, is_main=is_main)
        elif isinstance(node, _Simple):
            found = node if calls(node) else None
        elif not isinstance(node, _HARMLESS) and type(node).__name__ != "TypeAlias":
            found = node
        if found is not None:
            return found
    return None


def _calls_anything(node: _Simple) -> bool:
    return _calls_one_of(node, _FUNCTIONS) or (
        isinstance(node, ast.Expr) and any(isinstance(each, (ast.Call, ast.Await)) for each in ast.walk(node))
    )


def _calls_one_of(node: _Simple, programs: set[str] | frozenset[str]) -> bool:
    """Tell whether a statement calls a function of the program for what that does. Assignments may: of values, most do."""
    value = node.value
    while isinstance(value, ast.Await):
        value = value.value
    if not isinstance(value, ast.Call):
        return False
    if isinstance(value.func, ast.Name):
        return value.func.id in (programs if isinstance(node, ast.Expr) else ("main", "input", "exit"))
    given = [each for each in value.args if isinstance(each, ast.Call)]  # sys.exit(main()), asyncio.run(main())
    return any(isinstance(each.func, ast.Name) and each.func.id in programs for each in given)


def _is_guard(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and any(_is_true_of_main(each) is not None for each in ast.walk(statement.test))


def _is_true(test: ast.AST, is_main: bool) -> bool | None:
    """Tell what a condition gives in the main module, or in one that is imported; None where it depends on something else than `__name__`."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        inside = _is_true(test.operand, is_main)
        return None if inside is None else not inside
    if isinstance(test, ast.BoolOp):
        decides = isinstance(test.op, ast.Or)
        parts = [_is_true(each, is_main) for each in test.values]
        return decides if decides in parts else None if None in parts else not decides
    of_main = _is_true_of_main(test)
    return of_main if of_main is None or is_main else not of_main


def _is_true_of_main(node: ast.AST) -> bool | None:
    """Tell what a comparison of `__name__` with "__main__" gives in the main module; None where it is none. Elsewhere it gives the contrary."""
    if not isinstance(node, ast.Compare) or len(node.ops) != 1:
        return None
    sides = [node.left, node.comparators[0]]
    others = [each for each in sides if not (isinstance(each, ast.Name) and each.id == "__name__")]
    if len(others) != 1:
        return None
    operator, other = node.ops[0], others[0]
    if isinstance(operator, (ast.In, ast.NotIn)) and other is sides[1] and isinstance(other, (ast.Tuple, ast.List, ast.Set)):
        names = [each.value if isinstance(each, ast.Constant) else None for each in other.elts]
        is_it = "__main__" in names and set(names) <= {"__main__", "__mp_main__"}
    else:
        is_it = isinstance(operator, (ast.Eq, ast.NotEq)) and isinstance(other, ast.Constant) and other.value == "__main__"
    return isinstance(operator, (ast.Eq, ast.In)) if is_it else None
