"""Carry out single `def` and `class` statements in a module or class that is already loaded."""

from __future__ import annotations
import __future__

import ast
import builtins
import functools
from collections.abc import Callable, Iterable, Sequence
from types import CellType, CodeType, FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple

from fixcont.editing.functions import Namespace, class_namespace, class_qualname, functions_behind
from fixcont.editing.plan import Step, failed, refusal_at
from fixcont.editing.syntax import DEFINITIONS, Def, header, loaded_names
from fixcont.editing.texts import Kind, Node
from fixcont.errors import Refused

if TYPE_CHECKING:
    from fixcont.editing.install import Installation

FUTURES = functools.reduce(int.__or__, (getattr(__future__, name).compiler_flag for name in __future__.all_feature_names))
_ANNOTATIONS_AS_TEXT = __future__.annotations.compiler_flag
DEFERRED_ANNOTATIONS = "__annotate__" in FunctionType.__dict__


class Part(NamedTuple):
    """One of the statements that together make what a name stands for: a getter and its setter, for one.

    Attributes:
        live: the function or class, without decorators, that the statement has made already; None where it is to be made.
        as_it_is: whether `live` is only to be bound, as it was decorated before.
        marks: attributes that the decorators which it had may have set on `live`.
    """

    node: Node
    definition: Def
    live: Any = None
    as_it_is: bool = False
    marks: frozenset[str] = frozenset()


class Define(Step):
    """Carries out definitions of one name that are new, or whose decorators changed.

    The functions and classes themselves are made of the code of the whole compiled file (`node.live`), so that names, lines and traps are those
    of functions that were loaded; where they are there already they stay the same objects.

    Args:
        parts: in the order of the source.
        owner: the class in whose body they stand, None for the module.
        binds: whether the name gets the last of them; not where a later definition has it.
    """

    def __init__(self, parts: Sequence[Part], namespace: Namespace, owner: type | None, *, binds: bool) -> None:
        self.parts = parts
        self.namespace = namespace
        self.owner = owner
        self.binds = binds
        # What decorates a class comes behind its body, and behind what Python itself derives from that.
        ends = [part.definition.end_lineno or 0 for part in parts if issubclass(type(part.live), type)]
        self.line = max(ends) + 0.6 if ends else parts[0].node.line

    def calls(self) -> Iterable[str]:
        for part in self.parts:
            if part.as_it_is:
                continue
            if part.live is not None:
                yield part.node.code.co_name  # a decorator looks at it
            for expression in _evaluated(part.definition):
                yield from loaded_names(expression)

    def carry_out(self, installation: Installation) -> None:
        name = self.parts[0].node.code.co_name
        scope = Scope(self.parts[0].node, self.namespace, self.owner, installation)
        value: Any = None
        for part in self.parts:
            try:
                value = scope.names[name] = self._value(part, scope, installation)
            except Refused:
                raise
            except Exception as error:
                raise failed(part.node, f"the new definition of {part.node.qualname}", error) from error
        if not self.binds:
            return
        if self.owner is None:
            everywhere = _is_made_by(self.namespace.get(name), self.parts[0].node)
            installation.bind(self.namespace, name, value, everywhere=everywhere)
        else:
            value = as_class_attribute(name, value)
            installation.set_class(self.owner, name, value)
            tell_name(value, self.owner, name)

    def _value(self, part: Part, scope: Scope, installation: Installation) -> Any:
        if part.as_it_is:
            return part.live
        definition = part.definition
        decorators = [scope.evaluate(each) for each in header(definition).decorators]
        value = part.live
        if value is None:
            if isinstance(definition, ast.ClassDef):
                value = make_class(part.node, definition, scope)
            else:
                value = _make_function(part.node, definition, scope)
        if type(part.live) is FunctionType:
            with installation.decorating(part.live, part.marks):
                return _decorated(value, decorators)
        if not issubclass(type(part.live), type):
            return _decorated(value, decorators)
        with installation.changing_class(part.live):
            value = _decorated(value, decorators)
        if value is not part.live and issubclass(type(value), type):
            what = f"the changed decorators of {part.node.qualname} make another class of it"
            instead = "instances of the old one stay what they are; start the program again for this"
            raise Refused(refusal_at("class-replaced", part.node, what, instead))
        return value


def _is_made_by(value: Any, node: Node) -> bool:
    """Tell whether a value was made by a definition of the same name in the same file: nothing else may take its place everywhere."""
    if issubclass(type(value), type):
        return class_qualname(value) == node.qualname and bool(class_namespace(value).get("__module__"))
    codes = (each.__code__ for each in functions_behind(value))
    return any((code.co_filename, code.co_qualname) == (node.text.filename, node.qualname) for code in codes)


def _decorated(value: Any, decorators: Sequence[Callable[[Any], Any]]) -> Any:
    for decorate in reversed(decorators):
        value = decorate(value)
    return value


def _evaluated(definition: Def) -> list[ast.AST]:
    """Give what a definition evaluates when it is carried out: not the bodies of functions."""
    head = header(definition)
    found: list[ast.AST] = [*head.decorators, *head.defaults.values(), *head.annotations.values()]
    if isinstance(definition, ast.ClassDef):
        found += [*definition.bases, *definition.keywords]
        for statement in definition.body:
            found += _evaluated(statement) if isinstance(statement, DEFINITIONS) else [statement]
    return found


class Scope:
    """Where a definition stands: its names, and the cells that its code needs.

    Attributes:
        names: those that go before the module's own: of the class around it, and those that are about to be bound.
    """

    def __init__(self, node: Node, namespace: Namespace, owner: type | None, installation: Installation) -> None:
        self.filename = node.text.filename
        self.flags = node.code.co_flags & FUTURES
        self.namespace = namespace
        self.owner = owner
        self.names: dict[str, Any] = dict(installation.pending(namespace))
        if owner is not None:
            self.names |= class_namespace(owner)
            self.names |= installation.pending(owner)

    def evaluate(self, expression: ast.expr, **more: Any) -> Any:
        code = compile(ast.Expression(expression), self.filename, "eval", flags=self.flags, dont_inherit=True)
        return eval(code, self.namespace, {**self.names, **more})

    def function(self, code: CodeType, defaults: tuple[Any, ...] | None = None) -> FunctionType:
        cells = {"__class__": CellType(self.owner), "__classdict__": CellType(self.names)} if self.owner is not None else {}
        return FunctionType(code, self.namespace, None, defaults, tuple(cells[name] for name in code.co_freevars))


def _make_function(node: Node, definition: Def, scope: Scope) -> Any:
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


def make_class(node: Node, definition: ast.ClassDef, scope: Scope) -> Any:
    """Make a new class of a class statement, without its decorators."""
    if node.parent is not None and node.parent.kind is Kind.TYPE_PARAMETERS:
        return _call_maker(node.parent, scope)
    assert node.live is not None
    build = functools.partial(builtins.__build_class__, scope.function(node.live), definition.name)
    # The call is compiled from the statement's own bases and keywords; no program can spell the name of the function.
    call = ast.Call(ast.Name("@build", ast.Load()), definition.bases, definition.keywords)
    ast.copy_location(call, definition)
    ast.fix_missing_locations(call)
    return scope.evaluate(call, **{"@build": build})


def _call_maker(maker: Node, scope: Scope, *args: Any) -> Any:
    assert maker.live is not None
    return scope.function(maker.live)(*args)


def as_class_attribute(name: str, value: Any) -> Any:
    """Return what a class gets where its body binds a function to a name that stands for a static or class method by itself."""
    if type(value) is not FunctionType:
        return value
    if name == "__new__":
        return staticmethod(value)
    return classmethod(value) if name in ("__init_subclass__", "__class_getitem__") else value


def tell_name(value: object, owner: type, name: str) -> None:
    """Tell a descriptor its name, as the creation of a class does."""
    set_name = getattr(type(value), "__set_name__", None)
    if set_name is not None:
        set_name(value, owner, name)


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
