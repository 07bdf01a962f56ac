"""Which text a live code object belongs to, without keeping it alive."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from types import CodeType

from fixcont.editing.texts import Node


class Registry:
    """A map from code objects to their nodes.

    By identity: comparing or hashing code objects reads all of their contents, and equal ones may belong to different texts.
    An entry goes when its code object does; a text goes with the last of its code objects.
    """

    def __init__(self) -> None:
        self._entries: dict[int, tuple[weakref.KeyedRef[int, CodeType], Node]] = {}  # id of a code object -> it, its node

    def node(self, code: CodeType) -> Node | None:
        """Give the node that was noted for `code`."""
        entry = self._entries.get(id(code))
        return entry[1] if entry is not None and entry[0]() is code else None

    def note(self, code: CodeType, node: Node) -> None:
        """Note that `code` was made from `node`, instead of what was noted before."""
        self._entries[id(code)] = (weakref.KeyedRef(code, self._forget, id(code)), node)

    def alive(self) -> Iterator[tuple[CodeType, Node]]:
        """Give all code objects that are alive, with their nodes."""
        for reference, node in list(self._entries.values()):
            code = reference()
            if code is not None:
                yield code, node

    def _forget(self, reference: weakref.KeyedRef[int, CodeType]) -> None:
        entry = self._entries.get(reference.key)
        if entry is not None and entry[0] is reference:
            del self._entries[reference.key]

    def __len__(self) -> int:
        return len(self._entries)
