"""Dataclasses whose fields changed: their generated methods are made anew, in place.

`dataclasses.dataclass` makes methods from the fields of a class and puts them into it. It is called again, on a stand-in: a class of the same name
with the fields and what the user wrote. What it makes there is moved over.
"""

from __future__ import annotations

import ast
import copy
import dataclasses
from collections.abc import Sequence
from types import FunctionType, MemberDescriptorType
from typing import TYPE_CHECKING, Any

from fixcont.editing.definitions import Scope
from fixcont.editing.functions import Namespace, captured_values, class_namespace, class_qualname
from fixcont.editing.plan import Plan, Step, failed
from fixcont.editing.slots import ChangeSlots, slots_of
from fixcont.editing.syntax import Item, bound_names, header
from fixcont.editing.texts import Node
from fixcont.errors import Refused

if TYPE_CHECKING:
    from fixcont.editing.install import Installation

_FIELDS = "__dataclass_fields__"


def is_dataclass(cls: type) -> bool:
    """Tell whether a class itself, and not only a base, is a dataclass."""
    return _FIELDS in class_namespace(cls)


def has_slots(cls: type) -> bool:
    """Tell whether a class is a dataclass with slots: it is another class than the one that its body made."""
    return is_dataclass(cls) and "__slots__" in class_namespace(cls)


def predecessors(cls: type) -> list[type]:
    """Give the class that the body of a dataclass with slots made, where methods speak of it still: the decorator has made another one of it."""
    functions = [each for each in class_namespace(cls).values() if type(each) is FunctionType] if has_slots(cls) else []
    captured: list[Any] = [value for each in functions for value in captured_values(each)]
    found = {id(each): each for each in captured if issubclass(type(each), type) and each is not cls}
    return [each for each in found.values() if class_qualname(each) == class_qualname(cls)]


def is_touched(cls: type, appeared: Sequence[Item], gone: Sequence[Item]) -> bool:
    """Tell whether changed statements of its body concern the fields of a dataclass."""
    if not is_dataclass(cls):
        return False
    statements = [item.statement for item in (*appeared, *gone)]
    names = bound_names(statements)
    return any(isinstance(each, ast.AnnAssign) for each in statements) or bool(names & class_namespace(cls)[_FIELDS].keys())


def as_attribute(cls: type, name: str, value: Any, installation: Installation) -> Any:
    """Note what the body of a dataclass gives a field, and return what the class itself gets: the default."""
    if is_dataclass(cls) and isinstance(value, dataclasses.Field):
        installation.pending(cls)[f"@field {name}"] = value
    return value


def takes(cls: type, statement: ast.stmt, name: str, value: Any, installation: Installation) -> bool:
    """Note what the body of a dataclass with slots gives a field: the class itself has the slot under that name."""
    if not has_slots(cls) or not isinstance(statement, ast.AnnAssign):
        return False
    installation.pending(cls)[f"@field {name}"] = value
    return True


class Regenerate(Step):
    """Makes the generated methods of a dataclass anew."""

    def __init__(self, plan: Plan, cls: type, namespace: Namespace, node: Node, definition: ast.ClassDef) -> None:
        self.plan, self.cls, self.namespace, self.node, self.definition = plan, cls, namespace, node, definition
        self.line = (definition.end_lineno or node.line) + 0.5

    def carry_out(self, installation: Installation) -> None:
        try:
            self._carry_out(installation)
        except Refused:
            raise
        except Exception as error:
            raise failed(self.node, f"making {self.node.qualname} a dataclass again", error) from error

    def _carry_out(self, installation: Installation) -> None:
        cls = self.cls
        own = {**class_namespace(cls), **installation.pending(cls)}
        bound = bound_names(self.definition.body)
        stand_in = self._stand_in(own, bound, installation)
        made = self._decorator(installation)(stand_in)
        self._change_slots(made, installation)
        names = {name for name, value in class_namespace(made).items() if type(value) is not MemberDescriptorType} - {
            "__slots__",
            "__dict__",
            "__weakref__",
            "__init_subclass__",
            "__module__",
            "__annotations_cache__",
        }
        for name in sorted(names):
            value = class_namespace(made)[name]
            if (name in own and own[name] is value) or name in ("__annotations__", "__annotate_func__", "__qualname__"):
                continue
            if name == "__doc__" and "__doc__" in own and not _is_generated_doc(cls, own["__doc__"]):
                continue
            _belongs_to(value, (stand_in, made), cls)
            installation.set_class(cls, name, value)
        for name in self._given_up(own, bound, names):
            installation.delete_from_class(cls, name)

    def _change_slots(self, made: type, installation: Installation) -> None:
        """Take slots out that the class that was made does not have.

        Raises:
            Refused: it has others, or none.
        """
        before, after = (slots_of(each) if "__slots__" in class_namespace(each) else None for each in (self.cls, made))
        if before is after is None:
            return
        step = ChangeSlots(self.plan, self.cls, self.node, before, after, set(), self.definition.lineno)
        step.carry_out(installation)
        if step.is_applied:
            installation.set_class(self.cls, "__slots__", class_namespace(made)["__slots__"])

    def _stand_in(self, own: dict[str, Any], bound: set[str], installation: Installation) -> type:
        """Make a class with the fields, what the body gives them, and the methods that the user wrote."""
        annotated = {
            each.target.id: each
            for each in self.definition.body
            if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)
        }
        namespace = {name: own[name] for name in bound if name in own and name not in annotated}
        for name, statement in annotated.items():
            if statement.value is not None:
                namespace[name] = self._given(name, own, installation)
        namespace["__module__"] = self.cls.__module__
        namespace["__qualname__"] = self.cls.__qualname__
        for name in ("__annotate_func__", "__annotations__"):
            if own.get(name) is not None:
                namespace[name] = own[name]
        shim = type("Bases", (), {"__init_subclass__": classmethod(lambda cls, **keywords: None)})
        return type(self.cls)(self.cls.__name__, (shim, *own.get("__bases__", self.cls.__bases__)), namespace)

    def _given(self, name: str, own: dict[str, Any], installation: Installation) -> Any:
        """Return what the body assigns to a field: a default, or `field(…)`, of which the class itself keeps the default only."""
        pending = installation.pending(self.cls)
        if name in pending or f"@field {name}" in pending:
            return pending.get(f"@field {name}", pending.get(name))
        field: dataclasses.Field[Any] | None = class_namespace(self.cls)[_FIELDS].get(name)
        if field is None or field._field_type is dataclasses._FIELD_CLASSVAR:  # type: ignore[attr-defined]
            return own[name]
        return copy.copy(field)

    def _decorator(self, installation: Installation) -> Any:
        scope = Scope(self.node, self.namespace, None, installation)
        for expression in header(self.definition).decorators:
            function = expression.func if isinstance(expression, ast.Call) else expression
            if scope.evaluate(function) is dataclasses.dataclass:
                return scope.evaluate(expression)
        return dataclasses.dataclass

    def _given_up(self, own: dict[str, Any], bound: set[str], names: set[str]) -> list[str]:
        """Give the names of what the dataclass had been given and now lacks: generated methods and defaults of fields that are gone."""
        return [name for name, value in own.items() if name not in names and name not in bound and _is_generated(value)]


def _is_generated(value: object) -> bool:
    function = getattr(value, "__wrapped__", value) if type(value) is FunctionType else None
    return type(function) is FunctionType and function.__code__.co_filename == "<string>"


def _is_generated_doc(cls: type, text: object) -> bool:
    return type(text) is str and text.startswith(f"{cls.__name__}(")


def _belongs_to(value: object, stand_ins: tuple[type, ...], cls: type) -> None:
    """Let a generated method speak of the class itself where it speaks of the stand-in."""
    for cell in getattr(value, "__closure__", None) or ():
        if any(cell.cell_contents is each for each in stand_ins):
            cell.cell_contents = cls
