"""Functions that are typed at a stop and use variables of the frame: they are made to find them.

What is typed runs as the text of a module does, so a function, a lambda or a comprehension in it would look for the names of the frame among
the globals. Each of them is put into a function whose parameters are those names, and so captures their values as they are then.
"""

from __future__ import annotations

import ast
import symtable
from collections.abc import Container, Iterable, Iterator
from typing import Final, TypeVar

#: The function around a definition. No name of the program's can be like it.
FUNCTION: Final = "<debug console>"

_Node = TypeVar("_Node", bound=ast.AST)
_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_Scope = ast.Lambda | ast.GeneratorExp | ast.ListComp | ast.SetComp | ast.DictComp


def names_captured(node: ast.AST, variables: Container[str]) -> list[str]:
    """Give the names that a node looks up outside of itself and that are variables of the frame, sorted."""
    whole = symtable.symtable(ast.unparse(node), FUNCTION, "exec")
    free = {each.get_name() for each in whole.get_symbols() if each.is_referenced() and not each.is_assigned()}
    for table in _tables_in(whole):
        free.update(each.get_name() for each in table.get_symbols() if each.is_global() and not each.is_declared_global())
    return sorted(name for name in free if name in variables)


def _tables_in(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    for child in table.get_children():
        yield child
        yield from _tables_in(child)


def may_capture(text: str) -> bool:
    """Tell whether there may be a lambda, a comprehension or a definition in a text; what has none needs nothing of this module."""
    return any(word in text for word in ("for", "lambda", "def", "class"))


def with_captured_names(node: _Node, variables: Iterable[str]) -> _Node:
    """Let the lambdas and comprehensions in a node capture the variables of the frame that they name."""
    changed: _Node = _Capturing({*variables, *_assigned_in(node)}).visit(node)
    return ast.fix_missing_locations(changed)


def assigned_in_comprehension(node: ast.AST, *, is_inside: bool = False) -> str:
    """Give a name that a comprehension assigns to the scope around it by `:=`, "" where there is none."""
    if isinstance(node, ast.Lambda | _Definition):
        return ""
    if is_inside and isinstance(node, ast.NamedExpr):
        return node.target.id
    is_inside = is_inside or isinstance(node, _Scope)
    return next(filter(None, (assigned_in_comprehension(each, is_inside=is_inside) for each in ast.iter_child_nodes(node))), "")


def _assigned_in(node: ast.AST) -> Iterator[str]:
    """Give the names that a node assigns, but for what has a scope of its own in it."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store):
            yield child.id
        elif not isinstance(child, _Scope | _Definition):
            yield from _assigned_in(child)


def in_function_of(node: _Definition, captured: list[str]) -> ast.Module:
    """Give a module that defines `FUNCTION`: it takes the captured values, and returns what the node defines."""
    template = ast.parse(f"def function({', '.join(captured)}): return {node.name}")
    function = template.body[0]
    assert isinstance(function, ast.FunctionDef)
    function.name = FUNCTION
    function.body.insert(0, node)
    return template


class _Capturing(ast.NodeTransformer):
    def __init__(self, variables: Container[str]) -> None:
        self._variables = variables

    def _scope(self, node: _Scope) -> ast.expr:
        captured = names_captured(node, self._variables)
        if not captured or _acts_around(node):
            return node
        around = ast.parse(f"(lambda {', '.join(captured)}: None)({', '.join(captured)})", mode="eval").body
        assert isinstance(around, ast.Call) and isinstance(around.func, ast.Lambda)
        around.func.body = node
        return ast.copy_location(around, node)

    visit_Lambda = visit_GeneratorExp = visit_ListComp = visit_SetComp = visit_DictComp = _scope

    def _definition(self, node: _Definition) -> ast.AST:
        """Leave alone what is inside of a definition: it does not run now."""
        return node

    visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = _definition


def _acts_around(node: _Scope) -> bool:
    """Whether a node does something to the scope that it is typed in, and must stay there: awaits, or assigns in a default value."""
    if isinstance(node, ast.Lambda):
        return any(isinstance(each, (ast.NamedExpr, ast.Await)) for each in ast.walk(node.args))
    return any(isinstance(each, ast.Await) or (isinstance(each, ast.comprehension) and each.is_async) for each in ast.walk(node))
