"""Classes that are there already, brought up to date in place: their attributes, annotations, bases.

The class object stays the same, so instances, subclasses and whoever holds it see the change at once. Only those statements of its body are run
that are new or changed, and those that read what these bind; what the program has put into other attributes stays. Methods are functions, and
come from `check` and `definitions`.

Things that cannot be done in place are refused, each by a code of its own: a class whose metaclass has made something else of
its body (members of an enum, fields of a named tuple), or whose instances would need another layout (`__slots__`).
"""

from __future__ import annotations

import _abc  # type: ignore[import-not-found,unused-ignore]
import abc
import ast
import enum
import types
import typing
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from types import CellType, CodeType
from typing import TYPE_CHECKING, Any, Protocol

from fixcont.editing import dataclass_fields
from fixcont.editing.compare import Comparison, ScopeChange, stored_constant
from fixcont.editing.definitions import DEFERRED_ANNOTATIONS, FUTURES, Scope, annotations_are_text, tell_name
from fixcont.editing.enum_members import AddMembers
from fixcont.editing.functions import Namespace, class_namespace, find_class
from fixcont.editing.plan import Plan, Step, failed, refusal_at
from fixcont.editing.rewriting import compile_tree
from fixcont.editing.slots import ChangeSlots, changed_slots
from fixcont.editing.syntax import Item, Syntax, bound_names, loaded_names, same_expression
from fixcont.editing.texts import Kind, Node
from fixcont.errors import Refused

if TYPE_CHECKING:
    from fixcont.editing.install import Installation

_PLAIN_METACLASSES = (type, abc.ABCMeta, type(Protocol))
#: What `typing` leaves out when it asks what a protocol is made of.
_NO_MEMBERS = frozenset(getattr(typing, "EXCLUDED_ATTRIBUTES", ()))
#: What a class body binds by itself.
_BOOKKEEPING = frozenset(
    {
        "__module__", "__qualname__", "__firstlineno__", "__static_attributes__", "__classcell__", "__classdictcell__", "__annotations__",
        "__annotate__", "__annotate_func__", "__conditional_annotations__",
    }
)  # fmt: skip


class ClassPlanner:
    """Plans the changes of the classes of one file.

    Args:
        syntax: of the new text.
        trap: gives a code object with traps.
        live: gives a node its live code.
    """

    def __init__(
        self, plan: Plan, syntax: Syntax, trap: Callable[[CodeType], CodeType], live: Callable[[Node], CodeType]
    ) -> None:
        self.plan = plan
        self.syntax = syntax
        self.trap = trap
        self.live = live

    def update(self, cls: type, namespace: Namespace, change: ScopeChange) -> None:
        """Plan what the changed statements of its body do to a class.

        Raises:
            Refused: it cannot be done in place.
        """
        node = change.new
        appeared, gone = _without_docstring(change.appeared), _without_docstring(change.gone)
        self._refuse(cls, node, appeared, gone)
        self._plan_docstring(cls, change)
        if type(cls) not in _PLAIN_METACLASSES and not isinstance(cls, enum.EnumType):
            for item in (*appeared, *gone):
                what = f"what this statement means is decided by {type(cls).__qualname__}, the metaclass of {node.qualname}"
                self.plan.warn("class-statement-not-run", node, what, line=item.line if item in appeared else node.line)
            return
        body = self.syntax.body(node)
        if isinstance(cls, enum.EnumType) and bound_names(item.statement for item in (*appeared, *gone)):
            self.live(node)
            self.plan.steps.append(AddMembers(cls, namespace, _owner_of(namespace, node), node, self._definition(node)))
            self._changes(cls, node)
            return
        unapplied = self._plan_slots(cls, node, appeared, gone, body)
        for statement in _to_run(body, [item for item in appeared if item.statement is not unapplied]):
            self.plan.steps.append(_Statement(cls, namespace, node, statement, tuple(node.qualname.split(".")), self.trap))
        for name in sorted(_lost(change, body)):
            self.plan.removals.append(_Attribute(cls, name, node.line))
        if any(isinstance(item.statement, ast.AnnAssign) for item in (*appeared, *gone)):
            self.plan.steps.append(_ClassAnnotations(cls, namespace, node, body, change))
        if dataclass_fields.is_touched(cls, appeared, gone):
            self.plan.steps.append(dataclass_fields.Regenerate(self.plan, cls, namespace, node, self._definition(node)))
        self._changes(cls, node)

    def _plan_slots(
        self, cls: type, node: Node, appeared: Sequence[Item], gone: Sequence[Item], body: Sequence[ast.stmt]
    ) -> ast.stmt | None:
        """Plan other `__slots__`. Returns the statement that binds them where that has no effect.

        Raises:
            Refused: instances would need another layout.
        """
        try:
            changed = changed_slots(cls, [item.statement for item in appeared], [item.statement for item in gone])
        except ValueError as error:
            what = f"the slots of {node.qualname} are not written out as names"
            instead = "start the program again for this, or leave it out for now"
            raise Refused(refusal_at("slots-changed", node, what, instead)) from error
        if changed is None:
            return None
        statement, before, after = changed
        line = statement.lineno if after is not None else node.line
        step = ChangeSlots(self.plan, cls, node, before, after, bound_names(body), line)
        self.plan.steps.append(step)
        return statement if not step.is_applied else None

    def _plan_docstring(self, cls: type, change: ScopeChange) -> None:
        before, after = (stored_constant(each.code, "__doc__") for each in (change.old, change.new))
        if before != after:
            self.plan.steps.append(_Docstring(cls, change.new.line, after))

    def rebase(self, cls: type, namespace: Namespace, node: Node, old: ast.ClassDef) -> None:
        """Plan other bases of a class.

        Raises:
            Refused: its metaclass changed.
        """
        new = self._definition(node)
        before, after = ({each.arg: each.value for each in definition.keywords} for definition in (old, new))
        changed = [name for name in before.keys() | after.keys() if not same_expression(before.get(name), after.get(name))]
        if "metaclass" in changed:
            instead = "start the program again for this"
            raise Refused(refusal_at("metaclass-changed", node, f"{node.qualname} has another metaclass", instead))
        for name in sorted(name for name in changed if name is not None):
            self.plan.warn(
                "class-keyword-not-applied", node, f"the changed keyword {name} of class {node.qualname} is not applied"
            )
        if [ast.dump(each) for each in old.bases] != [ast.dump(each) for each in new.bases]:
            self.plan.steps.append(_Bases(cls, namespace, node, new))
            self._changes(cls, node)

    def rebase_again(self, cls: type, namespace: Namespace, node: Node) -> None:
        """Plan that a class has its bases evaluated anew, as one of them means something else by now: it takes other type variables."""
        self.plan.steps.append(_Bases(cls, namespace, node, self._definition(node)))

    def redecorate(self, cls: type, namespace: Namespace, node: Node) -> None:
        """Plan what another decorator does to a dataclass: its generated methods are made anew. Others are to see the new body only."""
        definition = self._definition(node)
        if not dataclass_fields.is_dataclass(cls):
            gone = [each for each in self.plan.removals if isinstance(each, _Attribute) and each.cls is cls]
            self.plan.removals[:] = [each for each in self.plan.removals if each not in gone]
            self.plan.steps += gone
            return
        self.plan.steps.append(dataclass_fields.Regenerate(self.plan, cls, namespace, node, definition))
        self._changes(cls, node)

    def _changes(self, cls: type, node: Node) -> None:
        self.plan.touch(node)
        self.plan.classes[id(cls)] = cls, node, True

    def finish(self, cls: type, namespace: Namespace, node: Node, old: Node | None) -> None:
        """Plan what Python derives from the body of a class when it makes one, and from the imports of `__future__` around it."""
        body = self.syntax.body(node)
        if old is not None and annotations_are_text(old.code) != annotations_are_text(node.code):
            every = tuple(Item("", statement) for statement in body)
            self.plan.steps.append(_ClassAnnotations(cls, namespace, node, body, ScopeChange(old, node, every, ())))
        self.plan.classes.setdefault(id(cls), (cls, node, False))
        self.plan.steps.append(_Derived(cls, node, bound_names(body), self._definition(node)))

    def _refuse(self, cls: type, node: Node, appeared: Sequence[Item], gone: Sequence[Item]) -> None:
        names = bound_names(item.statement for item in (*appeared, *gone))
        line = appeared[0].line if appeared else node.line
        annotated = any(isinstance(item.statement, ast.AnnAssign) for item in (*appeared, *gone))
        instead = "start the program again for this, or leave it out for now"
        if issubclass(cls, tuple) and "_fields" in class_namespace(cls) and annotated:
            what = f"the fields of the named tuple {node.qualname} are the places of its values"
            raise Refused(refusal_at("namedtuple-fields", node, what, instead, line))
        if "__attrs_attrs__" in class_namespace(cls) and names:
            what = f"attrs has made the methods of {node.qualname} from its fields"
            raise Refused(refusal_at("attrs-fields", node, what, instead, line))

    def _definition(self, node: Node) -> ast.ClassDef:
        definition = self.syntax.definition(node)
        assert isinstance(definition, ast.ClassDef)
        return definition


def _without_docstring(items: Sequence[Item]) -> list[Item]:
    return [item for item in items if not _is_docstring(item.statement)]


def _is_docstring(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant) and isinstance(statement.value.value, str)
    )


def _to_run(body: Sequence[ast.stmt], appeared: Sequence[Item]) -> list[ast.stmt]:
    """Give the statements to be run, in order: the new and changed ones, and those further down that read what these bind."""
    new = {id(item.statement) for item in appeared}
    changed: set[str] = set()
    found = []
    for statement in body:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        if id(statement) in new or (changed and not _is_docstring(statement) and loaded_names(statement) & changed):
            changed |= bound_names([statement])
            found.append(statement)
    return found


def _lost(change: ScopeChange, body: Sequence[ast.stmt]) -> set[str]:
    return bound_names(item.statement for item in change.gone) - bound_names(body)


class _Body(dict[str, Any]):
    """The namespace of a class body, which finds names that the module is about to get."""

    def __init__(self, names: dict[str, Any], more: dict[str, Any]) -> None:
        super().__init__(names)
        self._more = more

    def __missing__(self, name: str) -> Any:
        return self._more[name]


class _Statement(Step):
    """Runs one statement of a class body."""

    def __init__(
        self,
        cls: type,
        namespace: Namespace,
        node: Node,
        statement: ast.stmt,
        enclosing: Sequence[str],
        trap: Callable[[CodeType], CodeType],
    ) -> None:
        # `enclosing`: the classes it stands in, the class itself last: private names depend on them, and qualified ones
        self.cls, self.namespace, self.node, self.statement = cls, namespace, node, statement
        self.enclosing, self.trap = enclosing, trap
        self.line = statement.lineno

    def calls(self) -> Iterable[str]:
        return loaded_names(self.statement)

    def carry_out(self, installation: Installation) -> None:
        before = {**class_namespace(self.cls), **installation.pending(self.cls)}
        body = _Body({**before, "__annotations__": {}}, installation.pending(self.namespace))
        try:
            exec(self._code(), self.namespace, body)
            cell = body.get("__classcell__")
            if type(cell) is CellType:
                cell.cell_contents = self.cls
            for name, value in body.items():
                if name not in _BOOKKEEPING and (name not in before or before[name] is not value):
                    if dataclass_fields.takes(self.cls, self.statement, name, value, installation):
                        continue
                    value = dataclass_fields.as_attribute(self.cls, name, value, installation)
                    installation.set_class(self.cls, name, value)
                    tell_name(value, self.cls, name)
        except Exception as error:
            raise failed(self.node, f"this statement of class {self.node.qualname}", error, self.statement.lineno) from error
        for name in before.keys() - body.keys():
            installation.delete_from_class(self.cls, name)

    def _code(self) -> CodeType:
        """Compile the statement as part of its class, with traps."""
        inner: ast.stmt = self.statement
        for name in reversed(self.enclosing):
            around = ast.ClassDef(name, [], [], [inner], [])
            if "type_params" in ast.ClassDef._fields:
                around.type_params = []
            inner = ast.copy_location(around, self.statement)
        tree = ast.Module([inner], [])
        flags = self.node.code.co_flags & FUTURES
        code = compile_tree(tree, self.node.text.filename, flags, self.node.text.source)
        for _ in self.enclosing:
            code = next(const for const in code.co_consts if isinstance(const, CodeType))
        return self.trap(code)


class _Attribute(Step):
    """Takes an attribute out of a class."""

    def __init__(self, cls: type, name: str, line: int) -> None:
        self.cls, self.name, self.line = cls, name, line

    def carry_out(self, installation: Installation) -> None:
        installation.delete_from_class(self.cls, self.name)


class _Docstring(Step):
    def __init__(self, cls: type, line: int, text: object) -> None:
        self.cls, self.line, self.text = cls, line, text

    def carry_out(self, installation: Installation) -> None:
        installation.set_class(self.cls, "__doc__", self.text)


class _ClassAnnotations(Step):
    """Gives a class the annotations of its body, in the order in which they stand there."""

    def __init__(self, cls: type, namespace: Namespace, node: Node, body: Sequence[ast.stmt], change: ScopeChange) -> None:
        self.cls, self.namespace, self.node = cls, namespace, node
        self.annotated = [each for each in body if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)]
        self.changed = {id(item.statement) for item in change.appeared}
        self.line = self.annotated[-1].lineno if self.annotated else node.line

    def calls(self) -> Iterable[str]:
        return () if DEFERRED_ANNOTATIONS else {name for each in self.annotated for name in loaded_names(each.annotation)}

    def carry_out(self, installation: Installation) -> None:
        if DEFERRED_ANNOTATIONS and not annotations_are_text(self.node.code):
            self._later(installation)
            return
        old = class_namespace(self.cls).get("__annotations__", {})
        scope = Scope(self.node, self.namespace, self.cls, installation)
        values = {}
        for each in self.annotated:
            assert isinstance(each.target, ast.Name)
            name = each.target.id
            if annotations_are_text(self.node.code):
                values[name] = ast.unparse(each.annotation)
            elif id(each) not in self.changed and name in old:
                values[name] = old[name]
            else:
                values[name] = self._evaluated(scope, each)
        installation.set_class(self.cls, "__annotations__", values)

    def _evaluated(self, scope: Scope, statement: ast.AnnAssign) -> Any:
        try:
            return scope.evaluate(statement.annotation)
        except Exception as error:
            raise failed(self.node, "this annotation", error, statement.lineno) from error

    def _later(self, installation: Installation) -> None:
        """Give the class the function that computes them when somebody asks."""
        late = [each for each in self.node.children if each.kind is Kind.ANNOTATIONS]
        scope = Scope(self.node, self.namespace, self.cls, installation)
        annotate = scope.function(late[-1].code) if late and self.annotated else None
        installation.set_annotate(self.cls, annotate)


class _Bases(Step):
    """Gives a class other bases."""

    def __init__(self, cls: type, namespace: Namespace, node: Node, definition: ast.ClassDef) -> None:
        self.cls, self.namespace, self.node, self.definition = cls, namespace, node, definition
        self.line = definition.lineno

    def calls(self) -> Iterable[str]:
        return {name for each in self.definition.bases for name in loaded_names(each)}

    def carry_out(self, installation: Installation) -> None:
        owner = _owner_of(self.namespace, self.node)
        scope = Scope(self.node, self.namespace, owner, installation)
        written = ast.Tuple(self.definition.bases, ast.Load())
        ast.copy_location(written, self.definition)
        try:
            given = scope.evaluate(written)
            bases = types.resolve_bases(given) or (object,)
        except Exception as error:
            raise failed(self.node, f"the bases of {self.node.qualname}", error, self.definition.lineno) from error
        try:
            if bases != self.cls.__bases__:
                installation.set_bases(self.cls, bases)
        except TypeError as error:
            what = f"Python does not let class {self.node.qualname} have these bases: {error}"
            instead = "start the program again for this, or keep the bases"
            raise Refused(refusal_at("bases-differ", self.node, what, instead, self.definition.lineno)) from error
        if bases != given:
            installation.set_class(self.cls, "__orig_bases__", given)
        else:
            installation.delete_from_class(self.cls, "__orig_bases__")
        self._set_parameters(given, bases, installation)

    def _set_parameters(self, given: tuple[Any, ...], bases: tuple[type, ...], installation: Installation) -> None:
        """Tell a generic class its type variables, as `typing` does: at once, for the classes below that subscript it."""
        before = class_namespace(self.cls).get("__parameters__")
        is_generic = any(typing.Generic in base.__mro__ for base in bases)
        after = _type_variables(given) if is_generic else None
        if before == after:
            return
        with installation.changing_class(self.cls):
            if after is not None:
                type.__setattr__(self.cls, "__parameters__", after)
            else:
                type.__delattr__(self.cls, "__parameters__")
        for forget in getattr(typing, "_cleanups", ()):  # what it remembers of subscripts that were checked against the old ones
            forget()


def _type_variables(bases: tuple[Any, ...]) -> tuple[Any, ...]:
    """Give the type variables that bases declare by `Generic[…]`, else all in them."""
    declared = [each for each in bases if typing.get_origin(each) is typing.Generic]
    written = declared or [each for each in bases if typing.get_origin(each) is not None]
    return tuple(dict.fromkeys(variable for each in written for variable in getattr(each, "__parameters__", ())))


def _owner_of(namespace: Namespace, node: Node) -> type | None:
    return find_class(namespace, node.parent.qualname) if node.parent is not None and node.parent.kind is Kind.CLASS else None


class _Derived(Step):
    """Sets what Python derives from a class body: that a class which compares has no hash, and what is abstract in it."""

    def __init__(self, cls: type, node: Node, bound: set[str], definition: ast.ClassDef) -> None:
        self.cls, self.bound = cls, bound
        self.line = (definition.end_lineno or node.line) + 0.5

    def carry_out(self, installation: Installation) -> None:
        own = {**class_namespace(self.cls), **installation.pending(self.cls)}
        is_dataclass = "__dataclass_fields__" in own
        if "__hash__" not in self.bound and not is_dataclass:
            if "__eq__" in self.bound and "__hash__" not in own:
                installation.set_class(self.cls, "__hash__", None)
            elif "__eq__" not in self.bound and "__hash__" in own and own["__hash__"] is None:
                installation.delete_from_class(self.cls, "__hash__")
        if issubclass(type(self.cls), abc.ABCMeta):
            self._set_abstract(own, installation)
        if class_namespace(self.cls).get("_is_protocol") is True:
            self._set_members(own, installation)

    def _set_members(self, own: dict[str, Any], installation: Installation) -> None:
        """Bring up to date what a protocol asks of other classes."""
        members = {name for name in self.bound if not name.startswith("_abc_") and name not in _NO_MEMBERS}
        for base in own.get("__bases__", self.cls.__bases__):
            members |= set(class_namespace(base).get("__protocol_attrs__", ()))
        if "__protocol_attrs__" in own and members != set(own["__protocol_attrs__"]):
            installation.set_class(self.cls, "__protocol_attrs__", members)
        forget = partial(_abc._reset_caches, self.cls)  # which classes were found to have the members, or not
        installation.do(forget, forget)

    def _set_abstract(self, own: dict[str, Any], installation: Installation) -> None:
        names = {name for name in self.bound if _is_abstract(own.get(name))}
        for base in own.get("__bases__", self.cls.__bases__):
            inherited = class_namespace(base).get("__abstractmethods__", ())
            names |= {name for name in inherited if name not in self.bound and _is_abstract(_inherited(self.cls, name))}
        if names != class_namespace(self.cls).get("__abstractmethods__", frozenset()):
            installation.set_class(self.cls, "__abstractmethods__", frozenset(names))


def _is_abstract(value: object) -> bool:
    return getattr(value, "__isabstractmethod__", False) is True


def _inherited(cls: type, name: str) -> object:
    return next((class_namespace(base)[name] for base in cls.__mro__[1:] if name in class_namespace(base)), None)


def old_definition(comparison: Comparison, node: Node) -> ast.ClassDef | None:
    """Give the syntax that a class had in the old text."""
    old = comparison.partners.get(id(node))
    if old is None or comparison.old_syntax is None:
        return None
    definition = comparison.old_syntax.definition(old)
    return definition if isinstance(definition, ast.ClassDef) else None
