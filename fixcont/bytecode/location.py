"""Where a frame is in its code, as the compiler made that."""

from __future__ import annotations

from functools import cached_property
from types import CodeType

from fixcont.bytecode.original import unit_at, untrapped
from fixcont.bytecode.stack import Stacks


class Location:
    """Where a frame is in its code, and what lies there. None of it depends on an edit, so it may be worked out before one.

    Args:
        running: the code object that the frame runs.
        lasti: byte offset in that of the instruction that failed or runs.

    Attributes:
        code: the code object as the compiler made it.
        unit: the code unit in `code` of the instruction; below 0 where it is none of the program's own.
    """

    def __init__(self, running: CodeType, lasti: int) -> None:
        self.code = untrapped(running)
        self.unit = unit_at(running, lasti // 2)

    @cached_property
    def positions(self) -> list[tuple[int | None, int | None, int | None, int | None]]:
        """Line, end line, column and end column by code unit."""
        return list(self.code.co_positions())

    @cached_property
    def stacks(self) -> Stacks:
        """The symbolic stacks. Raises as `Stacks` does."""
        return Stacks(self.code)

    def work_out(self) -> None:
        """Work out now what else is worked out when it is first asked for."""
        self.positions, self.stacks  # noqa: B018
