"""What a `def` evaluates and an existing function keeps: default values and annotations, brought up to date."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping, Set
from types import FunctionType
from typing import TYPE_CHECKING, Any

from fixcont.editing.definitions import Scope, annotations_are_text, annotations_node
from fixcont.editing.functions import class_namespace, default_values, find_class
from fixcont.editing.plan import Assignment, Plan, Step, failed
from fixcont.editing.syntax import Def, Header, loaded_names, same_expression
from fixcont.editing.texts import Kind, Node
from fixcont.editing.values import CannotTell, value_of

if TYPE_CHECKING:
    from fixcont.editing.install import Installation

_SameExpression = Callable[[ast.expr | None, ast.expr], bool]


class Headers:
    """Plans what a function gets of its header in the new text.

    A value whose expression did not change stays the same object. One that can be told without running code is told; else, in a module or a class,
    it is evaluated as the `def` would evaluate it. Of a nested function the names of the call that made it are gone.

    Args:
        changing: names that have another value where the header is evaluated; what reads them is evaluated anew.
        evaluates: whether values may be had by running code; else they stay as they are.
    """

    def __init__(self, plan: Plan, changing: Set[str], *, evaluates: bool = True) -> None:
        self.plan = plan
        self.changing = changing
        self.evaluates = evaluates

    def update(self, function: FunctionType, target: Node, definition: Def | None, before: Header, after: Header) -> bool:
        """Plan what one function gets.

        Args:
            definition: the syntax of `target`, where it can be told.

        Returns:
            False where it cannot have a new default, and so must stay as it is.
        """
        try:
            self._defaults(function, target, before, after)
        except CannotTell:
            if target.is_top_level:
                what = f"a default of {target.qualname} cannot be told without running code; a function that was made since stays as it is"
                self.plan.warn("default-not-evaluated", target, what)
                return False
            what = f"a new default of {target.qualname} takes variables of the call that made it; existing functions stay as they are"
            self.plan.warn("default-not-evaluated", target, what, "the next call of the function around it makes new ones")
            return False
        self._annotations(function, target, definition, before, after)
        return True

    def _defaults(self, function: FunctionType, target: Node, before: Header, after: Header) -> None:
        is_same = self._is_same()
        if (
            before.positional == after.positional
            and before.keyword_only == after.keyword_only
            and _same(before.defaults, after.defaults, is_same)
        ):
            return
        old_values = default_values(function)
        values: dict[str, Any] = {}
        waiting: dict[str, ast.expr] = {}
        for name, expression in after.defaults.items():
            if name in old_values and is_same(before.defaults.get(name), expression):
                values[name] = old_values[name]
                continue
            try:
                values[name] = self._value(expression, function, target)
            except CannotTell:
                if not self._may_evaluate(target):
                    raise
                waiting[name] = expression
        names = [name for name in after.positional if name in after.defaults]
        keywords = [name for name in after.keyword_only if name in after.defaults]
        if waiting:
            self.plan.steps.append(_Defaults(function, target, names, keywords, values, waiting))
        else:
            self.plan.assignments += _default_assignments(function, names, keywords, values)

    def _annotations(self, function: FunctionType, target: Node, definition: Def | None, before: Header, after: Header) -> None:
        was_text = annotations_are_text(function.__code__)
        if was_text == annotations_are_text(target.code) and _same(before.annotations, after.annotations, self._is_same()):
            return
        late = annotations_node(target, definition) if definition is not None else None
        if late is not None:
            self._late_annotations(function, target, late)
            return
        if getattr(function, "__annotate__", None) is not None:
            self._assign(function, "__annotate__", None)
        if after.annotations or getattr(function, "__annotate__", None) is None:
            self._annotation_values(function, target, before, after, was_text)

    def _late_annotations(self, function: FunctionType, target: Node, late: Node) -> None:
        old: FunctionType | None = getattr(function, "__annotate__", None)
        closure = getattr(old, "__closure__", None) or ()
        if type(old) is FunctionType and old.__code__.co_freevars == late.code.co_freevars:
            self._assign(function, "__annotate__", FunctionType(late.code, function.__globals__, None, None, closure))
        elif not late.code.co_freevars:
            self._assign(function, "__annotate__", FunctionType(late.code, function.__globals__))
        elif self._may_evaluate(target):
            self.plan.steps.append(_LateAnnotations(function, target, late))
        else:
            self._keep_annotations(target)

    def _annotation_values(self, function: FunctionType, target: Node, before: Header, after: Header, was_text: bool) -> None:
        is_text = annotations_are_text(target.code)
        old_values = function.__annotations__ if was_text == is_text else {}
        values: dict[str, Any] = dict.fromkeys(after.annotations)
        waiting: dict[str, ast.expr] = {}
        for name, expression in after.annotations.items():
            if name in old_values and self._is_same()(before.annotations.get(name), expression):
                values[name] = old_values[name]
            elif is_text:
                values[name] = ast.unparse(expression)
            else:
                try:
                    values[name] = self._value(expression, function, target)
                except CannotTell:
                    waiting[name] = expression
        if not waiting:
            self._assign(function, "__annotations__", values)
        elif self._may_evaluate(target):
            self.plan.steps.append(_Annotations(function, target, values, waiting))
        else:
            self._keep_annotations(target)

    def _keep_annotations(self, target: Node) -> None:
        what = (
            f"functions {target.qualname} that exist keep their old annotations, which take variables of the call that made them"
        )
        self.plan.warn("annotation-not-evaluated", target, what, "the next call of the function around it makes new ones")

    def _may_evaluate(self, target: Node) -> bool:
        return self.evaluates and target.is_top_level

    def _is_same(self) -> _SameExpression:
        """Give what tells whether an expression of a header has the value that it had."""
        changing = self.changing

        def is_same(before: ast.expr | None, after: ast.expr) -> bool:
            return same_expression(before, after) and not (changing and loaded_names(after) & changing)

        return is_same

    def _value(self, expression: ast.expr, function: FunctionType, target: Node) -> Any:
        if loaded_names(expression) & self.changing:
            raise CannotTell
        return value_of(expression, scopes_of(function, target))

    def _assign(self, function: FunctionType, name: str, value: Any) -> None:
        self.plan.assignments.append(Assignment(function, name, value))


class _Defaults(Step):
    """Evaluates default values of a function."""

    def __init__(
        self,
        function: FunctionType,
        target: Node,
        names: list[str],
        keywords: list[str],
        values: dict[str, Any],
        waiting: Mapping[str, ast.expr],
    ) -> None:
        self.function, self.target, self.line = function, target, target.line
        self.names, self.keywords, self.values, self.waiting = names, keywords, values, waiting

    def calls(self) -> Iterable[str]:
        return {name for expression in self.waiting.values() for name in loaded_names(expression)}

    def carry_out(self, installation: Installation) -> None:
        self.values |= _evaluated(self.function, self.target, self.waiting, "default of", installation)
        for assignment in _default_assignments(self.function, self.names, self.keywords, self.values):
            installation.set_function(*assignment)


class _Annotations(Step):
    """Evaluates annotations of a function."""

    def __init__(self, function: FunctionType, target: Node, values: dict[str, Any], waiting: Mapping[str, ast.expr]) -> None:
        self.function, self.target, self.line = function, target, target.line
        self.values, self.waiting = values, waiting

    def calls(self) -> Iterable[str]:
        return {name for expression in self.waiting.values() for name in loaded_names(expression)}

    def carry_out(self, installation: Installation) -> None:
        self.values |= _evaluated(self.function, self.target, self.waiting, "annotation of", installation)
        installation.set_function(self.function, "__annotations__", self.values)


class _LateAnnotations(Step):
    """Gives a method what computes its annotations when somebody asks for them."""

    def __init__(self, function: FunctionType, target: Node, late: Node) -> None:
        self.function, self.target, self.line, self.late = function, target, target.line, late

    def carry_out(self, installation: Installation) -> None:
        scope = _scope(self.function, self.target, installation)
        installation.set_function(self.function, "__annotate__", scope.function(self.late.code))


def _evaluated(
    function: FunctionType, target: Node, waiting: Mapping[str, ast.expr], what: str, installation: Installation
) -> dict[str, Any]:
    scope = _scope(function, target, installation)
    values = {}
    for name, expression in waiting.items():
        try:
            values[name] = scope.evaluate(expression)
        except Exception as error:
            raise failed(target, f"the {what} {name} in {target.qualname}", error, expression.lineno) from error
    return values


def _scope(function: FunctionType, target: Node, installation: Installation) -> Scope:
    return Scope(target, function.__globals__, _owner(function, target), installation)


def _owner(function: FunctionType, target: Node) -> type | None:
    parent = target.parent
    if parent is None or parent.kind is not Kind.CLASS:
        return None
    return find_class(function.__globals__, parent.qualname)


def scopes_of(function: FunctionType, target: Node) -> list[Mapping[str, Any]] | None:
    """Give the namespaces in which names of a header are looked up, None where they may be local variables."""
    if not target.is_top_level:
        return None
    owner = _owner(function, target)
    return [function.__globals__] if owner is None else [class_namespace(owner), function.__globals__]


def _default_assignments(
    function: FunctionType, names: Iterable[str], keywords: Iterable[str], values: Mapping[str, Any]
) -> list[Assignment]:
    positional = tuple(values[name] for name in names)
    keyword_only = {name: values[name] for name in keywords}
    return [
        Assignment(function, "__defaults__", positional or None),
        Assignment(function, "__kwdefaults__", keyword_only or None),
    ]


def _same(before: Mapping[str, ast.expr], after: Mapping[str, ast.expr], is_same: _SameExpression) -> bool:
    return before.keys() == after.keys() and all(is_same(before[name], after[name]) for name in before)
