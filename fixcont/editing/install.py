"""Put a checked plan into the process: all of it, or nothing."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from types import FunctionType
from typing import Any

from fixcont.editing.check import Addition, Plan
from fixcont.editing.closures import assign
from fixcont.editing.definitions import make
from fixcont.editing.functions import Namespace, class_namespace
from fixcont.errors import Refusal, Refused

_MISSING: Any = object()


class Transaction:
    """Assignments that can be taken back, in the reverse order."""

    def __init__(self) -> None:
        self._undo: list[tuple[Any, str, Any]] = []  # function, class or namespace; name; what was there before

    def set_function(self, function: FunctionType, name: str, value: Any) -> None:
        """Assign to an attribute of a function; see `closures.assign`."""
        self._undo.append((function, name, assign(function, name, value)))

    def set_class(self, cls: type, name: str, value: Any) -> None:
        """Assign to an attribute of a class, past its metaclass."""
        before = class_namespace(cls).get(name, _MISSING)
        type.__setattr__(cls, name, value)
        self._undo.append((cls, name, before))

    def set_name(self, namespace: Namespace, name: str, value: Any) -> None:
        """Bind a name of a module."""
        self._undo.append((namespace, name, namespace.get(name, _MISSING)))
        namespace[name] = value

    def roll_back(self) -> None:
        """Take back everything that was assigned."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            while self._undo:
                target, name, value = self._undo.pop()
                if type(target) is dict:
                    target.pop(name, None) if value is _MISSING else target.__setitem__(name, value)
                elif issubclass(type(target), type):
                    type.__delattr__(target, name) if value is _MISSING else type.__setattr__(target, name, value)
                else:
                    assign(target, name, value)


def install(plans: Sequence[Plan]) -> None:
    """Carry out `plans` as one.

    New definitions are made first: that runs their decorators, default values and class bodies, as the file would when it is loaded.
    Then everything is assigned without any input or output in between, so that other threads see no state in between for longer
    than the assignments take.
    Not undone when it fails: what the statements of new definitions did.

    Raises:
        Refused: a new definition raised, or an assignment did; everything is as before.
    """
    transaction = Transaction()
    try:
        for plan in plans:
            for addition in plan.additions:
                _add(transaction, addition)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a function that becomes a generator: that is what was asked for
            for plan in plans:
                for assignment in plan.assignments:
                    transaction.set_function(assignment.function, assignment.name, assignment.value)
                for cls, line in plan.class_lines:
                    transaction.set_class(cls, "__firstlineno__", line)
    except BaseException:
        transaction.roll_back()
        raise


def _add(transaction: Transaction, addition: Addition) -> None:
    node = addition.node
    try:
        value = make(node, addition.definition, addition.namespace, addition.owner)
        if addition.owner is None:
            transaction.set_name(addition.namespace, node.code.co_name, value)
        else:
            transaction.set_class(addition.owner, node.code.co_name, value)
            _tell_name(value, addition.owner, node.code.co_name)
    except Exception as error:
        place = f"{node.text.filename}:{node.line}"
        sentence = f"{place}: the new definition of {node.qualname} raised {type(error).__name__}"
        raise Refused(Refusal("definition-failed", sentence, "mend it, or leave it out for now")) from error


def _tell_name(value: object, owner: type, name: str) -> None:
    """Tell a descriptor its name, as the creation of a class does."""
    set_name = getattr(type(value), "__set_name__", None)
    if set_name is not None:
        set_name(value, owner, name)
