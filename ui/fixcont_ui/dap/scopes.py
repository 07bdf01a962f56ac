"""What is in a frame: its variables, those of its module, and what belongs to the stop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fixcont.stopping.stop import Moment
from fixcont_ui.evaluating import assigning
from fixcont_ui.values.children import Names, count_named

if TYPE_CHECKING:
    from fixcont_ui.dap import protocol
    from fixcont_ui.dap.held import HeldThread


@dataclass(frozen=True)
class Node:
    """What a reference stands for: a value, and how to get to it.

    Attributes:
        value: the value, or the `Names` of a scope.
        frame: index of the frame in its stop.
        expression: gives the value in that frame; None where there is no such one, "" for a scope.
    """

    value: Any
    frame: int
    expression: str | None


class Scopes:
    """The scopes of one frame. Used in the held thread."""

    def __init__(self, held: HeldThread, index: int) -> None:
        self._held = held
        self._index = index
        self._raw = held.stop.frames[index].raw

    def describe(self) -> list[protocol.Scope]:
        """Give the scopes, what the user looks for most first."""
        found = [self._scope("Locals", self._locals(), "locals")]
        if self._raw.f_locals is not self._raw.f_globals:
            found.append(self._scope("Globals", self._globals(), "globals", is_expensive=True))
        extra = self._of_the_stop()
        if extra:
            found.append(self._scope("Stop", Names(extra, None), "returnValue"))
        return found

    def _locals(self) -> Names:
        return Names(self._raw.f_locals, self._assign, is_module=self._raw.f_locals is self._raw.f_globals)

    def _assign(self, name: str, value: Any) -> None:
        with assigning(self._raw, lambda name: None) as names:
            names[name] = value

    def _globals(self) -> Names:
        names = self._raw.f_globals
        return Names(names, names.__setitem__, is_module=True, hidden_by=self._raw.f_code.co_varnames)

    def _of_the_stop(self) -> Mapping[str, Any]:
        stop = self._held.stop
        found: dict[str, Any] = {}
        if stop.exception is not None:
            found["(exception)"] = stop.exception
        if stop.moment is Moment.RETURN and self._index == 0:
            found["(return value)"] = stop.value
        if self._held.replayed is not None:
            found[f"(replay) {self._held.replayed.function}"] = self._held.replayed.value
        found.update((f"(return) {name}", value) for name, value in stop.returned if self._index == stop.selected)
        return found

    def _scope(self, name: str, names: Names, hint: str, *, is_expensive: bool = False) -> protocol.Scope:
        node = Node(names, self._index, "")
        return {
            "name": name, "presentationHint": hint, "variablesReference": self._held.refer(node), "expensive": is_expensive,
            "namedVariables": count_named(names),
        }  # fmt: skip
