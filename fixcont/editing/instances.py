"""Which classes make other instances after an edit, though their own bodies are the same: the methods tell that set their attributes."""

from __future__ import annotations

import dis
from collections.abc import Iterator

from fixcont.editing.compare import Comparison
from fixcont.editing.migration import HOOK
from fixcont.editing.texts import Kind, Node

#: Methods that give a new instance its attributes.
_MAKERS = ("__init__", "__new__", "__post_init__")


def classes_with_other_instances(comparison: Comparison) -> Iterator[Node]:
    """Give the classes of the new text that get a hook for existing instances, or set other attributes where instances are made.

    What a method that makes instances gives its attributes does not count: instances that exist have got theirs.
    """
    for node in comparison.added:
        if _is_method(node) and node.code.co_name in (HOOK, *_MAKERS):
            yield from _class_of(node, comparison)
    for node in comparison.changed:
        partner = comparison.partners.get(id(node))
        if partner is not None and _is_method(node) and node.code.co_name in _MAKERS and _stored(partner) != _stored(node):
            yield from _class_of(node, comparison)


def _is_method(node: Node) -> bool:
    return node.kind is Kind.FUNCTION and node.is_top_level and node.parent is not None and node.parent.kind is Kind.CLASS


def _class_of(node: Node, comparison: Comparison) -> Iterator[Node]:
    if node.parent is not None and comparison.has(node.parent):
        yield node.parent


def _stored(node: Node) -> set[str]:
    return {each.argval for each in dis.get_instructions(node.code) if each.opname == "STORE_ATTR"}
