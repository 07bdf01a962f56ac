"""How values look to a client: one line, within a time and a length, whatever the value is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fixcont.postmortem.objects import is_a
from fixcont.postmortem.standins import Hole
from fixcont_ui.dap.clock import CLOCK
from fixcont_ui.dap.scopes import Node
from fixcont_ui.static_attributes import type_name
from fixcont_ui.values.children import Child, Names, children, count_indexed, count_named
from fixcont_ui.values.looks import has_own_look, look

if TYPE_CHECKING:
    from fixcont_ui.dap import protocol
    from fixcont_ui.dap.held import HeldThread

_LONG: Final = 1000  # characters of a value that are shown
_BRIEF: Final = 0.3  # seconds for one `__repr__`
_ALL: Final = 1.0  # seconds for those of one request
_MOST: Final = 1000  # children that are given at once, where the client does not say how many


class Presenter:
    """Presents the values of one request. Used in the held thread.

    A value of a built-in type is looked at without running any code of the program's. One with a `__repr__` of its own is asked for it, as
    long as that does not take too long; then the value is looked at from outside.

    Args:
        in_hex: show whole numbers in hexadecimal.
        asks: whether `__repr__` methods are called at all.
    """

    def __init__(self, held: HeldThread, frame: int, *, in_hex: bool = False, asks: bool = True) -> None:
        self._held = held
        self._frame = frame
        self._in_hex = in_hex
        self._asks = asks
        self._until = CLOCK.monotonic() + _ALL

    def variables(self, node: Node, start: int, count: int, kind: Any) -> list[protocol.Variable]:
        """Give the children of a value, as many as are wanted; where that is not said and there are very many, the first of them."""
        found = children(node.value, start, count or _MOST, kind)
        shown = [self.variable(child, node) for child in found]
        rest = _size(node.value, kind) - start - len(found)
        if not count and rest > 0 and len(found) == _MOST:
            shown.append({"name": "…", "value": f"{rest} more", "variablesReference": 0})
        return shown

    def variable(self, child: Child, parent: Node) -> protocol.Variable:
        """Present a child of a value."""
        expression = child.expression(parent.expression or "")
        reference, indexed, named = self._inside(child.value, expression)
        shown: protocol.Variable = {
            "name": child.name.removeprefix("."), "value": self.look(child.value), "type": _type_name(child.value),
            "variablesReference": reference,
        }  # fmt: skip
        if reference:
            shown["indexedVariables"], shown["namedVariables"] = indexed, named
        if expression is not None:
            shown["evaluateName"] = expression
        if child.replace is None:
            shown["presentationHint"] = {"attributes": ["readOnly"]}
        return shown

    def result(self, value: Any, expression: str | None) -> protocol.EvaluateResponseBody:
        """Present what was evaluated."""
        reference, indexed, named = self._inside(value, expression)
        shown: protocol.EvaluateResponseBody = {
            "result": self.look(value), "type": _type_name(value), "variablesReference": reference,
        }  # fmt: skip
        if reference:
            shown["indexedVariables"], shown["namedVariables"] = indexed, named
        return shown

    def _inside(self, value: Any, expression: str | None) -> tuple[int, int, int]:
        """Give a reference to a value that has something inside, else 0; and how many items and attributes there are."""
        indexed, named = count_indexed(value), count_named(value)
        reference = self._held.refer(Node(value, self._frame, expression)) if indexed or named else 0
        return reference, indexed, named

    def look(self, value: Any) -> str:
        """Describe a value in one line."""
        if self._in_hex and type(value) is int:
            return hex(value)
        if self._asks and has_own_look(value) and CLOCK.monotonic() < self._until:
            return self._own_look(value)
        return look(value)

    def _own_look(self, value: Any) -> str:
        try:
            with self._held.running_code(_BRIEF):
                text = repr(value)
        except KeyboardInterrupt:
            return f"{look(value)} (its repr takes too long)"
        except BaseException as error:
            return f"{look(value)} (its repr fails: {type(error).__name__})"
        text = text if len(text) <= _LONG else f"{text[:_LONG]}…"
        return text.replace("\n", "\\n") if "\n" in text else text


def whole(held: HeldThread, value: Any) -> str:
    """Give the whole `repr` of a value, for the clipboard."""
    if is_a(value, Names):
        return ""
    with held.running_code():
        return repr(value)


def _type_name(value: object) -> str:
    """Give the name of a value's type; of one that was not saved that which it had."""
    return value.type_name if type(value) is Hole else type_name(value)


def _size(value: object, kind: Any) -> int:
    indexed = count_indexed(value) if kind != "named" else 0
    return indexed + (count_named(value) if kind != "indexed" else 0)
