"""Functions that are typed at a stop and use variables of the frame: they are made to find them.

What is typed runs as the text of a module does, so a function, a lambda or a comprehension in it would look for the names of the frame among
the globals. Each of them is put into a function whose parameters are those names, and so captures their values as they are then.
"""

from __future__ import annotations

import ast
from collections.abc import Container
from typing import Final, TypeVar

#: The function around a definition. No name of the program's can be like it.
FUNCTION: Final = "<debug console>"

_Node = TypeVar("_Node", bound=ast.AST)
_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_Scope = ast.Lambda | ast.GeneratorExp | ast.ListComp | ast.SetComp | ast.DictComp


def names_captured(node: ast.AST, variables: Container[str]) -> list[str]:
    """Give the names in a node that are variables of the frame, sorted."""
    return sorted({each.id for each in ast.walk(node) if isinstance(each, ast.Name) and each.id in variables})


def with_captured_names(node: _Node, variables: Container[str]) -> _Node:
    """Let the lambdas and comprehensions in a node capture the variables of the frame that they name."""
    changed: _Node = _Capturing(variables).visit(node)
    return ast.fix_missing_locations(changed)


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
        if not captured or any(_acts_around(each) for each in ast.walk(node)):
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


def _acts_around(node: ast.AST) -> bool:
    """Whether a node does something to the scope that it is typed in, and must stay there."""
    return isinstance(node, (ast.NamedExpr, ast.Await)) or (isinstance(node, ast.comprehension) and bool(node.is_async))
