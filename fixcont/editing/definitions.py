"""Carry out a single new `def` or `class` statement in a module or class that is already loaded."""

from __future__ import annotations
import __future__

import ast
import builtins
import functools
from collections.abc import Callable
from types import CellType, CodeType, FunctionType
from typing import Any

from fixcont.editing.functions import Namespace, class_namespace
from fixcont.editing.syntax import Def, header
from fixcont.editing.texts import Kind, Node

FUTURES = functools.reduce(int.__or__, (getattr(__future__, name).compiler_flag for name in __future__.all_feature_names))
_ANNOTATIONS_AS_TEXT = __future__.annotations.compiler_flag
DEFERRED_ANNOTATIONS = "__annotate__" in FunctionType.__dict__


def make(node: Node, definition: Def, namespace: Namespace, owner: type | None) -> Any:
    """Give the value that the statement binds: a function or class, decorated.

    The code is that of the whole compiled file (`node.live`), so names, lines and traps are those of a function that was loaded.
    Runs the user's decorators, default values, annotations (where this Python evaluates them at once), bases and class body.

    Raises:
        Exception: whatever those raise; KeyError where the code needs a variable that only its class body has.
    """
    scope = _Scope(node, namespace, owner)
    head = header(definition)
    decorators = [scope.evaluate(each) for each in head.decorators]
    if isinstance(definition, ast.ClassDef):
        value = _make_class(node, definition, scope)
    else:
        value = _make_function(node, definition, scope)
    for decorate in reversed(decorators):
        value = decorate(value)
    return value


class _Scope:
    """Where the statement stands: its names, and the cells that its code needs."""

    def __init__(self, node: Node, namespace: Namespace, owner: type | None) -> None:
        self.filename = node.text.filename
        self.flags = node.code.co_flags & FUTURES
        self.namespace = namespace
        self.owner = owner
        self.names: dict[str, Any] = {} if owner is None else dict(class_namespace(owner))

    def evaluate(self, expression: ast.expr, **more: Any) -> Any:
        code = compile(ast.Expression(expression), self.filename, "eval", flags=self.flags, dont_inherit=True)
        return eval(code, self.namespace, {**self.names, **more})

    def function(self, code: CodeType, defaults: tuple[Any, ...] | None = None) -> FunctionType:
        cells = {"__class__": CellType(self.owner), "__classdict__": CellType(self.names)} if self.owner is not None else {}
        return FunctionType(code, self.namespace, None, defaults, tuple(cells[name] for name in code.co_freevars))


def _make_function(node: Node, definition: Def, scope: _Scope) -> Any:
    head = header(definition)
    defaults = tuple(scope.evaluate(head.defaults[name]) for name in head.positional if name in head.defaults)
    keyword_defaults = {name: scope.evaluate(head.defaults[name]) for name in head.keyword_only if name in head.defaults}
    if node.parent is not None and node.parent.kind is Kind.TYPE_PARAMETERS:
        # Its own little function makes the type parameters and then the function.
        return _call_maker(node.parent, scope, *filter(None, (defaults, keyword_defaults)))
    assert node.live is not None
    function = scope.function(node.live, defaults or None)
    function.__kwdefaults__ = keyword_defaults or None
    annotate = annotations_node(node, definition)
    if annotate is not None:
        function.__annotate__ = scope.function(annotate.code)  # type: ignore[attr-defined,unused-ignore]
    elif head.annotations:
        evaluate: Callable[[ast.expr], Any] = ast.unparse if annotations_are_text(node.code) else scope.evaluate
        function.__annotations__ = {name: evaluate(each) for name, each in head.annotations.items()}
    return function


def _make_class(node: Node, definition: ast.ClassDef, scope: _Scope) -> Any:
    if node.parent is not None and node.parent.kind is Kind.TYPE_PARAMETERS:
        return _call_maker(node.parent, scope)
    assert node.live is not None
    build = functools.partial(builtins.__build_class__, scope.function(node.live), definition.name)
    # The call is compiled from the statement's own bases and keywords; no program can spell the name of the function.
    call = ast.Call(ast.Name("@build", ast.Load()), definition.bases, definition.keywords)
    ast.copy_location(call, definition)
    ast.fix_missing_locations(call)
    return scope.evaluate(call, **{"@build": build})


def _call_maker(maker: Node, scope: _Scope, *args: Any) -> Any:
    assert maker.live is not None
    return scope.function(maker.live)(*args)


def annotations_are_text(code: CodeType) -> bool:
    """Tell whether `code` comes from a file that keeps annotations as text."""
    return bool(code.co_flags & _ANNOTATIONS_AS_TEXT)


def annotations_node(node: Node, definition: Def) -> Node | None:
    """Give the code that computes the annotations of a function where they are computed late, else None."""
    if not DEFERRED_ANNOTATIONS or node.parent is None:
        return None
    for each in node.parent.children:
        if each.kind is Kind.ANNOTATIONS and each.line in (definition.lineno, node.line):
            return each
    return None
