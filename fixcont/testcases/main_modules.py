"""What importing a script would run, told from its text."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable

_HARMLESS = (
    ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Pass, ast.Global, ast.Delete, ast.Assert,
)  # fmt: skip


def what_runs(filename: str) -> str | None:
    """Give the first statement of a script that would run the program if it were imported: a loop, a `with` block, or a call of a function
    that it defines itself or that is built in. None where there is none; or where the file cannot be read, which the import will tell."""
    try:
        with open(filename, "rb") as stream:
            tree = ast.parse(stream.read())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return None
    own = {node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))}
    found = _first(tree.body, own | (set(dir(builtins)) - {name for name in dir(builtins) if name[:1].isupper()}))
    return None if found is None else f"line {found.lineno}: {ast.unparse(found).splitlines()[0][:60]}"


def _first(body: Iterable[ast.stmt], programs: set[str]) -> ast.stmt | None:
    for node in body:
        if isinstance(node, ast.If):
            found = _first(node.orelse if _is_main_test(node.test) else [*node.body, *node.orelse], programs)
        elif isinstance(node, (ast.Try, ast.TryStar)):
            handlers = [each for handler in node.handlers for each in handler.body]
            found = _first([*node.body, *handlers, *node.orelse, *node.finalbody], programs)
        elif isinstance(node, (ast.Expr, ast.Assign, ast.AnnAssign, ast.AugAssign)):
            found = node if _calls(node, programs, isinstance(node, ast.Expr)) else None
        else:
            found = None if isinstance(node, _HARMLESS) or type(node).__name__ == "TypeAlias" else node
        if found is not None:
            return found
    return None


def _is_main_test(test: ast.expr) -> bool:
    return any(isinstance(node, ast.Name) and node.id == "__name__" for node in ast.walk(test))


def _calls(node: ast.Expr | ast.Assign | ast.AnnAssign | ast.AugAssign, programs: set[str], is_expression: bool) -> bool:
    """Tell whether a statement calls a function of the program for what that does. Assignments may: of values, most do."""
    value = node.value
    while isinstance(value, ast.Await):
        value = value.value
    if not isinstance(value, ast.Call):
        return False
    if isinstance(value.func, ast.Name):
        return value.func.id in programs if is_expression else value.func.id in ("main", "input", "exit")
    given = [each for each in value.args if isinstance(each, ast.Call)]  # sys.exit(main()), asyncio.run(main())
    return any(isinstance(each.func, ast.Name) and each.func.id in programs for each in given)
