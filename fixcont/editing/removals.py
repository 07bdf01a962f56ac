"""Names that the new text no longer defines: they are taken out of modules and classes, unless old code that still runs needs them."""

from __future__ import annotations

import ast
import sys
import weakref
from collections.abc import Callable, Iterator, Mapping
from types import CodeType
from typing import TYPE_CHECKING, Any, NamedTuple

from fixcont.editing.compare import Comparison, Relation, relation
from fixcont.editing.functions import (
    Namespace,
    class_namespace,
    class_qualname,
    functions_behind,
    imported_module,
    module_namespace,
)
from fixcont.editing.plan import Plan, Step
from fixcont.editing.restores import MISSING, Kept
from fixcont.editing.running import running_code
from fixcont.editing.texts import Kind, Node

if TYPE_CHECKING:
    from fixcont.editing.install import Installation


class Removed(Step):
    """Takes the name of a definition that is gone out of a module or class.

    Objects that were made by it live on where something else holds them.

    Args:
        old: the definition, in the old text.
        owner: the class that it stands in, None for the module.
        identify: gives the node that a live code object was made from.
    """

    def __init__(
        self, plan: Plan, old: Node, namespace: Namespace, owner: type | None, identify: Callable[[CodeType], Node | None]
    ) -> None:
        self.plan, self.old, self.namespace, self.owner, self.identify = plan, old, namespace, owner, identify
        self.line = old.line
        # Now: when it is carried out, a function that has another name may run the new code already.
        value = self._where.get(old.code.co_name, MISSING)
        self.value = value if value is not MISSING and self._made(value) else MISSING

    @property
    def _where(self) -> Mapping[str, Any]:
        return class_namespace(self.owner) if self.owner is not None else self.namespace

    def carry_out(self, installation: Installation) -> None:
        name, value = self.old.code.co_name, self.value
        if value is MISSING or self._where.get(name) is not value:
            return
        user = next((code for code in running_code() if needs(code, name, self.identify, self.plan.comparison)), None)
        if user is not None:
            what = f"{self.old.qualname} is no longer in the file; old code of {user.co_qualname} that still runs may need it, so it is kept"
            self.plan.warn("removed-kept", self.old, what, "restart that frame; an install after that takes it out")
            place = weakref.ref(self.owner) if self.owner is not None else self.namespace
            self.plan.put_off.append(PutOff(Kept(place, value), self.old, name, self.namespace))
            return
        self.old.definition.leave(self.namespace, value)
        if self.owner is not None:
            installation.delete_from_class(self.owner, name)
        else:
            installation.unbind(self.namespace, name)

    def _made(self, value: Any) -> bool:
        """Tell whether the definition has made a value: the program may have bound the name to something else."""
        if self.old.kind is Kind.CLASS:
            return issubclass(type(value), type) and class_qualname(value) == self.old.qualname
        nodes = (self.identify(function.__code__) for function in functions_behind(value))
        return any(node is not None and node.definition is self.old.definition for node in nodes)


class PutOff(NamedTuple):
    """A name that stays until no old code needs it any more.

    Attributes:
        kept: where the name is, and what it stands for.
        old: the definition that is gone.
        namespace: of the module.
    """

    kept: Kept
    old: Node
    name: str
    namespace: Namespace

    @property
    def where(self) -> Any:
        """The class or namespace that has the name, None where the class is gone."""
        reference = self.kept.reference
        return reference() if isinstance(reference, weakref.ref) else reference

    @property
    def stands(self) -> bool:
        """Whether the name still stands for what it was kept for, and its definition is not back."""
        where = self.where
        names = class_namespace(where) if isinstance(where, type) else where or {}
        return self.old.definition.newest is None and names.get(self.name, MISSING) is self.kept.value


class TakeOut(Step):
    """Takes a name out of a module or class that an earlier install had to keep, if nothing needs it any more."""

    def __init__(self, put_off: PutOff, identify: Callable[[CodeType], Node | None]) -> None:
        self.put_off, self.identify = put_off, identify
        self.line = put_off.old.line

    def carry_out(self, installation: Installation) -> None:
        put_off = self.put_off
        if not put_off.stands or any(self._may_need(code) for code in running_code()):
            return
        put_off.old.definition.leave(put_off.namespace, put_off.kept.value)
        where = put_off.where
        if isinstance(where, type):
            installation.delete_from_class(where, put_off.name)
        else:
            installation.unbind(where, put_off.name)

    def _may_need(self, code: CodeType) -> bool:
        if code.co_filename != self.put_off.old.text.filename or self.put_off.name not in code.co_names:
            return False
        node = self.identify(code)
        newest = node.definition.newest if node is not None else None
        return node is None or newest is None or relation(node.code, newest.code) is Relation.CHANGED


def needs(code: CodeType, name: str, identify: Callable[[CodeType], Node | None], comparison: Comparison) -> bool:
    """Tell whether running code, which the new text no longer has, may ask for a name that its file defined."""
    if code.co_filename != comparison.new.filename or name not in code.co_names:
        return False
    node = identify(code)
    target = comparison.target(node.definition) if node is not None else None
    return node is None or target is None or relation(node.code, target.code) is Relation.CHANGED


class Unimported(Step):
    """Takes a name out of a module that an import no longer binds, where it still has what the import had given it."""

    def __init__(self, plan: Plan, node: Node, statement: ast.Import | ast.ImportFrom, name: str, namespace: Namespace) -> None:
        self.plan, self.node, self.statement, self.name, self.namespace = plan, node, statement, name, namespace
        self.line = statement.lineno

    def carry_out(self, installation: Installation) -> None:
        value = self.namespace.get(self.name, MISSING)
        if value is MISSING or not any(value is each for each in self._given()):
            return
        if any(code.co_filename == self.node.text.filename and self.name in code.co_names for code in running_code()):
            return  # what runs may be old code that needs it; the name harms nobody
        installation.unbind(self.namespace, self.name)

    def _given(self) -> Iterator[object]:
        """Give what the import would bind the name to."""
        for alias in self.statement.names:
            if alias.name != "*" and (alias.asname or alias.name).partition(".")[0] != self.name:
                continue
            if isinstance(self.statement, ast.Import):
                yield sys.modules.get(alias.name if alias.asname else self.name)
                continue
            source = imported_module(self.statement, self.namespace)
            space = module_namespace(sys.modules.get(source))
            name = self.name if alias.name == "*" else alias.name
            yield (space or {}).get(name, MISSING)
            yield sys.modules.get(f"{source}.{name}")
