"""The main module of a saved stop, without what is the program: which of its statements are to be run so that its functions are there."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Sequence
from typing import NamedTuple

from fixcont.errors import Refusal, Refused

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
_LOOPS = (ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith)


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
        running = next((each for each in tree.body if _runs(each)), None)
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


def _is_guard(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and any(_compares_name(each) for each in ast.walk(statement.test))


def _compares_name(node: ast.AST) -> bool:
    if not isinstance(node, ast.Compare) or len(node.ops) != 1 or not isinstance(node.ops[0], ast.Eq):
        return False
    sides = node.left, node.comparators[0]
    names = [each for each in sides if isinstance(each, ast.Name) and each.id == "__name__"]
    return bool(names) and any(isinstance(each, ast.Constant) and each.value == "__main__" for each in sides)


def _runs(statement: ast.stmt) -> bool:
    """Tell whether a statement may be the program: a call on its own, or a loop."""
    return isinstance(statement, _LOOPS) or (
        isinstance(statement, ast.Expr) and any(isinstance(each, (ast.Call, ast.Await)) for each in ast.walk(statement))
    )
