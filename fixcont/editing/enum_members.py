"""Enums that get more members: the new ones are made by a stand-in and move over, so that all members that exist stay the same objects.

A member may be anywhere in the program, as a key or a value that is compared by identity. So members can be added, and nothing else.
"""

from __future__ import annotations

import ast
import enum
from collections.abc import Callable, MutableMapping
from functools import partial
from typing import TYPE_CHECKING, Any

from fixcont.editing.definitions import Scope, make_class
from fixcont.editing.functions import Namespace, class_namespace
from fixcont.editing.plan import Step, failed, refusal_at
from fixcont.editing.texts import Node
from fixcont.errors import Refused

if TYPE_CHECKING:
    from fixcont.editing.install import Installation

#: What the class of a flag derives from its members.
_MASKS = ("_flag_mask_", "_all_bits_", "_singles_mask_", "_inverted_")


class AddMembers(Step):
    """Gives an enum the members that its new body has more.

    Args:
        cls: the enum.
        node: its class body in the new text, with live code.
    """

    def __init__(
        self, cls: enum.EnumType, namespace: Namespace, owner: type | None, node: Node, definition: ast.ClassDef
    ) -> None:
        self.cls, self.namespace, self.owner, self.node, self.definition = cls, namespace, owner, node, definition
        self.line = (definition.end_lineno or node.line) + 0.5

    def carry_out(self, installation: Installation) -> None:
        scope = Scope(self.node, self.namespace, self.owner, installation)
        try:
            made: Any = make_class(self.node, self.definition, scope)
        except Exception as error:
            raise failed(self.node, f"the body of the enum {self.node.qualname}", error) from error
        old, new = self.cls._member_map_, made._member_map_
        if [name for name in new if name in old] != list(old) or any(new[name]._value_ != old[name]._value_ for name in old):
            raise self._refused("its members that exist cannot be changed, as the program may hold them")
        for name, member in new.items():
            if name not in old:
                self._move(name, member, made, installation)
        self._replace("_member_names_", list(made._member_names_), installation)
        for name in _MASKS:
            if name in class_namespace(made) and class_namespace(made)[name] != class_namespace(self.cls).get(name):
                installation.set_class(self.cls, name, class_namespace(made)[name])

    def _move(self, name: str, member: Any, made: type, installation: Installation) -> None:
        cls = self.cls
        alias = cls._member_map_.get(member._name_)
        if alias is None and type(member) is made:
            try:
                object.__setattr__(member, "__class__", cls)
            except TypeError as error:
                raise self._refused(f"its new members cannot be made: {error}") from error
            setattr(member, "__objclass__", cls)  # noqa: B010 - not known to every description of enums
        value = alias if alias is not None else member
        self._put(cls._member_map_, name, value, installation)
        installation.set_class(cls, name, value)
        if alias is None:
            self._note_value(member, installation)

    def _note_value(self, member: Any, installation: Installation) -> None:
        try:
            self._put(self.cls._value2member_map_, member._value_, member, installation)
        except TypeError:  # a value that cannot be hashed is looked for among the members
            pass
        for name in ("_hashable_values_", "_unhashable_values_"):
            known = class_namespace(self.cls).get(name)
            if isinstance(known, list) and (name == "_hashable_values_") == _is_hashable(member._value_):
                self._replace(name, [*known, member._value_], installation)

    def _replace(self, name: str, values: list[Any], installation: Installation) -> None:
        """Give a list of the enum other contents; the object stays the same."""
        present: list[Any] = class_namespace(self.cls)[name]
        whole = slice(None)
        installation.do(partial(present.__setitem__, whole, values), partial(present.__setitem__, whole, list(present)))

    @staticmethod
    def _put(mapping: MutableMapping[Any, Any], key: Any, value: Any, installation: Installation) -> None:
        hash(key)
        undo: Callable[[], object] = partial(mapping.pop, key, None)
        installation.do(partial(mapping.__setitem__, key, value), undo)

    def _refused(self, why: str) -> Refused:
        instead = "start the program again for this, or leave it out for now"
        return Refused(refusal_at("enum-members", self.node, f"the enum {self.node.qualname} cannot be changed: {why}", instead))


def _is_hashable(value: object) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True
