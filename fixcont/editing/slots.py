"""`__slots__` of classes that are there already: what can change while their instances keep the layout that they have.

Slots can be taken out: the class loses the descriptor, and what instances hold there stays with them, unseen, until the slot is back. A slot
cannot be added. But where instances have a dictionary, they have all attributes without slots; then it is only said that the slots are not made.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from types import MemberDescriptorType
from typing import TYPE_CHECKING, Any

from fixcont.editing.functions import class_namespace, with_subclasses
from fixcont.editing.plan import Plan, Step, refusal_at
from fixcont.editing.texts import Node
from fixcont.errors import Refused

if TYPE_CHECKING:
    from fixcont.editing.install import Installation

_SLOTS = "__slots__"
#: What slots of these names give instances is no attribute of the class's own.
_LAYOUT = {"__dict__": "__dictoffset__", "__weakref__": "__weakrefoffset__"}
_mro: Any = vars(type)["__mro__"]
# (id of a class, name) -> the descriptor of a slot that was taken out; it holds the class
_taken_out: dict[tuple[int, str], Any] = {}


class ChangeSlots(Step):
    """Takes slots out of a class, and puts those back that it had before.

    Args:
        before, after: the names in `__slots__`; None where there is none.
        bound: what the body of the class binds otherwise.

    Raises:
        Refused: instances would need another layout.
    """

    def __init__(
        self, plan: Plan, cls: type, node: Node, before: set[str] | None, after: set[str] | None, bound: set[str], line: int
    ) -> None:
        self.cls, self.line, self.bound = cls, line, bound
        has_slots = _SLOTS in class_namespace(cls)
        added = (after or set()) - ((before or set()) if has_slots else set())
        self.removed = (before or set()) - after if after is not None and has_slots else set[str]()
        self.restored = {name for name in added if (id(cls), name) in _taken_out} if has_slots else set[str]()
        self.is_applied = has_slots and after is not None
        missing = {name for name in added - self.restored if name not in _LAYOUT or not getattr(cls, _LAYOUT[name])}
        keeps = not has_slots or after is None or bool(missing | (self.removed & _LAYOUT.keys()))
        if (missing or after is None) and has_slots and not cls.__dictoffset__:
            what = f"instances of {node.qualname} {_lack(missing)}"
            instead = "start the program again for this, or leave it out for now"
            raise Refused(refusal_at("slots-changed", node, what, instead, line))
        if keeps and (has_slots or after is not None):
            what = f"the slots of {node.qualname} are not changed, as its instances keep the layout that they have; attributes work as before"
            plan.warn("slots-not-applied", node, what, line=line)

    def carry_out(self, installation: Installation) -> None:
        own = class_namespace(self.cls)
        for name in sorted(self.removed):
            descriptor = own.get(name)
            if type(descriptor) is MemberDescriptorType:
                _taken_out[id(self.cls), name] = descriptor
                if name not in self.bound:
                    installation.delete_from_class(self.cls, name)
        for name in sorted(self.restored):
            installation.set_class(self.cls, name, _taken_out[id(self.cls), name])
        for cls in with_subclasses([self.cls]) if self.removed | self.restored else ():
            installation.set_class(cls, "__slotnames__", [self._noted(name) for name in _noted_slots(cls)])

    def _noted(self, name: str) -> str:
        """Give what `copyreg` is to take for a slot: it counts them, as instances with more room than that cannot be copied."""
        if name in self.removed:
            return f"@{name}"  # of which no instance has a value
        return name[1:] if name[1:] in self.restored and name.startswith("@") else name


def _noted_slots(cls: type) -> list[str]:
    """Give the slots of a class and its bases, as `copyreg` notes them in it when it is asked for the first time."""
    noted = class_namespace(cls).get("__slotnames__")
    if type(noted) is list:
        return noted
    return [name for each in _mro.__get__(cls) for name in _slots_of(each) if name not in _LAYOUT]


def slots_of(cls: type) -> set[str]:
    """Give the names in the `__slots__` of a class itself, as its attributes have them."""
    return set(_slots_of(cls))


def _slots_of(cls: type) -> list[str]:
    slots: Any = class_namespace(cls).get(_SLOTS, ())
    return [_mangled(cls, name) for name in ((slots,) if isinstance(slots, str) else slots)]


def _lack(missing: Iterable[str]) -> str:
    names = ", ".join(sorted(missing))
    return f"cannot get the slots {names}" if names else "have slots, and cannot get a dictionary"


def changed_slots(
    cls: type, appeared: Iterable[ast.stmt], gone: Iterable[ast.stmt]
) -> tuple[ast.stmt, set[str] | None, set[str] | None] | None:
    """Give what changes in the `__slots__` of a class.

    Returns:
        The statement, and the names before and after; None where nothing changes.

    Raises:
        ValueError: the names are not written out.
    """
    old, new = ([each for each in side if _binds_slots(each)] for side in (gone, appeared))
    if not old and not new:
        return None
    return [*new, *old][0], _names(cls, old), _names(cls, new)


def slots_in(body: Iterable[ast.stmt]) -> set[str]:
    """Give the names of the slots that the body of a class writes out."""
    for statement in body:
        if isinstance(statement, ast.Assign) and _binds_slots(statement):
            return {
                each.value for each in ast.walk(statement.value) if isinstance(each, ast.Constant) and type(each.value) is str
            }
    return set()


def _binds_slots(statement: ast.stmt) -> bool:
    return any(
        isinstance(each, ast.Name) and each.id == _SLOTS and isinstance(each.ctx, ast.Store) for each in ast.walk(statement)
    )


def _names(cls: type, statements: list[ast.stmt]) -> set[str] | None:
    if not statements:
        return None
    match statements:
        case [ast.Assign(targets=[ast.Name()], value=value)] | [ast.AnnAssign(value=ast.expr() as value)]:
            written = ast.literal_eval(value)
        case _:
            raise ValueError("slots that are made step by step")
    names = [written] if isinstance(written, str) else list(written)
    if not all(isinstance(each, str) for each in names):
        raise ValueError("no names")
    return {_mangled(cls, each) for each in names}


def _mangled(cls: type, name: str) -> str:
    return f"_{cls.__name__.lstrip('_')}{name}" if name.startswith("__") and not name.endswith("__") else name
