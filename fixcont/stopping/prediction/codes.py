"""Code objects, decoded: instructions, exception table, and the place where a frame stands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from types import CodeType, FrameType
from typing import Any, Final, NamedTuple

from fixcont.bytecode.interpreter import DIRECTION, NAME, OPCODE, RESUME_KIND_MASK, UNITS
from fixcont.bytecode.original import original_view

#: So many decoded code objects are kept; then they are dropped all at once and decoded again as needed.
_LIMIT: Final = 2048

_EXTENDED_ARG: Final = OPCODE["EXTENDED_ARG"]
_RESUME: Final = OPCODE["RESUME"]
_YIELD_VALUE: Final = OPCODE["YIELD_VALUE"]
_CACHE: Final = OPCODE["CACHE"]


class Instruction(NamedTuple):
    """One instruction. All places are in code units.

    Attributes:
        name: the name of its operation.
        argument: its argument, with that of the EXTENDED_ARGs before it.
        at: where it stands, behind its EXTENDED_ARGs.
        next: where the next one stands, behind its caches.
        target: where it jumps to, or None.
    """

    name: str
    argument: int
    at: int
    next: int
    target: int | None


class View:
    """The original part of a code object, decoded as far as anybody asked.

    Attributes:
        code: the code object; it is kept alive, so that its id stays its own.
        ops: the opcodes, one for each code unit.
        args: the low bytes of the arguments, one for each code unit.
        rows: the exception table: (start, end, target, depth, lasti) in code units.
        memory: what others decoded from this code object: (what, place) -> result.
    """

    __slots__ = ("_positions", "args", "code", "memory", "ops", "rows")

    def __init__(self, code: CodeType) -> None:
        self.code = code
        self.ops, self.args, self.rows = original_view(code)
        self.memory: dict[tuple[str, int], Any] = {}
        self._positions: Sequence[tuple[int | None, int | None, int | None, int | None]] = ()

    def instruction(self, at: int) -> Instruction:
        """Return the instruction that begins at code unit `at`, which may be its EXTENDED_ARG."""
        ops, args = self.ops, self.args
        argument = 0
        while ops[at] == _EXTENDED_ARG:
            argument = (argument | args[at]) << 8
            at += 1
        op = ops[at]
        argument |= args[at]
        behind = at + UNITS[op]
        direction = DIRECTION[op]
        return Instruction(NAME[op], argument, at, behind, behind + direction * argument if direction else None)

    def handler_at(self, at: int) -> int | None:
        """Return where the handler begins that takes an exception at code unit `at`, or None."""
        target: int
        for start, end, target, _, _ in self.rows:
            if start <= at < end:
                return target
            if start > at:
                return None
        return None

    def find(self, name: str, at: int) -> int | None:
        """Return the first code unit from `at` on with the named operation, or None."""
        found = self.ops.find(OPCODE[name], at)
        return found if found >= 0 else None

    def positions(self, end: int) -> Sequence[tuple[int | None, int | None, int | None, int | None]]:
        """Return (line, end line, column, end column) of every code unit up to `end`, and maybe of more."""
        if len(self._positions) < end:
            self._positions = list(islice(self.code.co_positions(), end))
        return self._positions

    def remember(self, what: str, at: int, find: Callable[[View, int], Any]) -> Any:
        """Return `find(self, at)`, worked out once for each `what` and place."""
        key = (what, at)
        try:
            return self.memory[key]
        except KeyError:
            result = self.memory[key] = find(self, at)
            return result

    def unit_of(self, frame: FrameType) -> int | None:
        """Return the code unit of the instruction that a frame of this code executes, or None where the frame is in a trap.

        It has left its own code then: it waits for the activation that replaced it, or the trap drops what the frame held.
        """
        ops = self.ops
        at = frame.f_lasti // 2
        if at < 0:
            return 0
        if at >= len(ops):
            return None
        while at > 0 and ops[at] == _CACHE:  # 3.11 and 3.12 point into the caches of a call
            at -= 1
        # An exception thrown into a `yield from` finds the frame at the RESUME; its handler is the one of the yield.
        if ops[at] == _RESUME and self.args[at] & RESUME_KIND_MASK and at and ops[at - 1] == _YIELD_VALUE:
            at -= 1
        return at


_views: dict[int, View] = {}  # id of a code object -> its view, which keeps it alive


def view_of(code: CodeType) -> View:
    """Return the decoded view of a code object."""
    view = _views.get(id(code))
    if view is None:
        if len(_views) >= _LIMIT:
            _views.clear()
        view = _views[id(code)] = View(code)
    return view


def forget_views() -> None:
    """Drop all decoded views."""
    _views.clear()
