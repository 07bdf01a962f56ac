"""Code that starts in the middle: a prefix that restores what a frame held, and a jump to where it goes on.

All jumps are relative, so the original and its traps stay as they are behind the prefix; only offsets in tables move. The values are not
constants of the code but are taken out of a list by the prefix: a constant would keep them alive for as long as the code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import CellType, CodeType
from typing import Any, NamedTuple

from fixcont.bytecode import interpreter, parameters
from fixcont.bytecode.assembler import Assembled, Assembler, Label
from fixcont.bytecode.awaiting import Covered, append_await
from fixcont.bytecode.exceptiontable import Row, encode, moved_table, row_at
from fixcont.bytecode.interpreter import OPCODE
from fixcont.bytecode.original import Prefix, Stay, no_lines, on_line, prefix_units, with_prefix
from fixcont.bytecode.stubs import GENERATOR_KINDS
from fixcont.errors import DoesNotVerify

_MOST_CONSTANTS = 1 << 16
_SPARE = 8  # items that the prefix needs on top of those that it leaves


class Leaving(NamedTuple):
    """Something that is done on the way to where a frame goes on: the exit of a `with` block that it leaves.

    Attributes:
        unit: the code unit of the original at which it is done, as it were: what it raises goes to the handlers there.
        kinds, items: what lies on the stack there, as in `Contents`, and above it the block itself that is left.
        call: what to call instead of the exit of that block, without arguments, where it is more than one; then that is not on the stack.
        is_awaited: whether to await what the call returns.
        line: the line that the frame is on meanwhile.
    """

    unit: int
    kinds: str
    items: Sequence[Any]
    call: Callable[[], object] | None
    is_awaited: bool
    line: int


class Contents(NamedTuple):
    """What a frame holds when it goes on.

    Attributes:
        kinds: the kinds of the items on its stack, bottom first; see `stack`.
        items: their values: of a `with` exit (exit,) or (self, exit) where `with` keeps both, else the object itself, None for what is no
            object; for "e" the exception that is being handled there.
        variables: by name, those that are bound.
        cells: by name, those of captured variables.
        leaving: what is done first, in order.
    """

    kinds: str
    items: Sequence[Any]
    variables: Mapping[str, Any]
    cells: Mapping[str, CellType]
    leaving: Sequence[Leaving] = ()


def enter_at(code: CodeType, unit: int, contents: Contents) -> CodeType:
    """Return code that goes on in the middle. It can be run once: it takes the values out as it starts.

    Its parameters are those of `code`, so that it is called in the same way; what they are given is overwritten.

    Args:
        code: with traps.
        unit: the code unit of the original at which to go on; the stack there is `contents.kinds` on top of the kept arguments.
        contents: what is restored.

    Raises:
        DoesNotVerify: there are more constants than the prefix can reach, or an item that cannot be restored.
    """
    return _Prefix(code, unit, contents).entered()


class _Done(NamedTuple):
    """Where in the prefix something is done on the way, and how many items lie below."""

    leaving: Leaving
    below: int
    begin: Label
    end: Label
    covered: list[Covered]


class _Prefix:
    """Writes the prefix of one entry."""

    def __init__(self, code: CodeType, unit: int, contents: Contents) -> None:
        self.code = code
        self.behind = prefix_units(code)
        self.target = self.behind + unit
        self.contents = contents
        self.asm = Assembler()
        self.box: list[Any] = []  # what the prefix takes out, first to last
        self.pop = len(code.co_consts)  # the constant that takes it out
        self.done: list[_Done] = []
        self.lying: list[tuple[str, Any]] = []  # kinds and items on the stack, bottom first
        names = code.co_varnames
        self.slots = {name: slot for slot, name in enumerate(names)}
        for name in [name for name in code.co_cellvars if name not in self.slots] + list(code.co_freevars):
            self.slots[name] = len(self.slots)

    def entered(self) -> CodeType:
        if self.pop >= _MOST_CONSTANTS:
            raise DoesNotVerify("more constants than a prefix can reach")
        self._begin()
        self._restore_variables()
        for leaving in self.contents.leaving:
            self._lay(leaving.kinds, leaving.items)
            self._leave(leaving)
        self._lay(self.contents.kinds, self.contents.items)
        return self._finish()

    def _load(self, value: Any) -> None:
        """Put a value on the stack."""
        self.box.append(value)
        if interpreter.NULL_BEFORE_CALLABLE:
            self.asm.op("PUSH_NULL")
            self.asm.op("LOAD_CONST", self.pop)
        else:
            self.asm.op("LOAD_CONST", self.pop)
            self.asm.op("PUSH_NULL")
        self.asm.call(0)

    def _begin(self) -> None:
        code, asm = self.code, self.asm
        if code.co_freevars:
            asm.op("COPY_FREE_VARS", len(code.co_freevars))
        if code.co_flags & GENERATOR_KINDS:
            asm.op("RETURN_GENERATOR")
            asm.op("POP_TOP")
        for name in code.co_cellvars:  # in the place of MAKE_CELL
            self._load(self.contents.cells.get(name) or CellType())
            asm.op("STORE_FAST", self.slots[name])
        asm.op("RESUME", 0)

    def _restore_variables(self) -> None:
        code, variables = self.code, self.contents.variables
        own = [name for name in code.co_varnames if name not in code.co_cellvars]
        for name in own:
            if name in variables:
                self._load(variables[name])
                self.asm.op("STORE_FAST", self.slots[name])
        given = code.co_varnames[: parameters.count(code)]
        for name in given:
            if name in own and name not in variables:
                self.asm.op("DELETE_FAST", self.slots[name])

    def _lay(self, kinds: str, items: Sequence[Any]) -> None:
        """Make the stack what it is to be. What is there already stays, so that as little as possible waits in the box."""
        new = list(zip(kinds, items, strict=True))
        same = 0
        for (kind, item), (new_kind, new_item) in zip(self.lying, new, strict=False):
            if kind != new_kind or item is not new_item:
                break
            same += 1
        for kind, _ in reversed(self.lying[same:]):
            self.asm.op("POP_EXCEPT" if kind == "e" else "POP_TOP")
        self.lying = new
        for at in range(same, len(new)):
            self._push(at)

    def _push(self, at: int) -> None:
        kind, item = self.lying[at]
        if kind == "e":
            self._load(item)
            self.asm.op("PUSH_EXC_INFO")
            self.asm.op("POP_TOP")
        elif kind == "w" and [kind for kind, _ in self.lying[at + 1 : at + 2]] == ["s"]:
            *self_, exit_ = item
            self._load(exit_)
            if self_:
                self._load(self_[0])
            else:
                self.asm.op("PUSH_NULL")
        elif kind == "n":
            if not hasattr(type(self.lying[at - 1][1]), "__next__"):
                raise DoesNotVerify("how far a loop has come is not known")
            self.asm.op("PUSH_NULL")
        elif kind != "s":
            self._load(item)

    def _leave(self, leaving: Leaving) -> None:
        asm = self.asm
        below = len(leaving.kinds)
        if leaving.call is not None:
            self._load(leaving.call)
            begin = asm.place()
            asm.call_top()
        else:
            size = 1 + (leaving.kinds[-1] == "s")  # its self is where a call takes one, and may be NULL
            below -= size
            begin = asm.place()
            if size == 1:
                asm.op("PUSH_NULL")
                if interpreter.NULL_BEFORE_CALLABLE:
                    asm.op("SWAP", 2)
            for _ in range(3):
                asm.op("LOAD_CONST", self.pop + 1)
            asm.call(3)
        covered = append_await(asm, lambda: asm.op("LOAD_CONST", self.pop + 1)) if leaving.is_awaited else []
        self.done.append(_Done(leaving, below, begin, asm.place(), covered))
        asm.op("POP_TOP")
        del self.lying[below:]

    def _finish(self) -> CodeType:
        """Put the prefix in front."""
        assembled = self.asm.assemble()
        prefix = (
            assembled.code + _jump_forward(self.target + 1) + bytes((OPCODE["NOP"], 0))
        )  # which only has a place for the line table
        size = len(prefix) // 2
        self.box.reverse()
        places = assembled.places
        table = encode([row for done in self.done for row in self._rows_of(done, assembled, size)])
        table += moved_table(self.code.co_exceptiontable, size)
        stays = tuple(Stay(places[done.begin], places[done.end], done.leaving.unit) for done in self.done)
        most = max([len(self.contents.kinds), *(len(leaving.kinds) for leaving in self.contents.leaving)])
        lines = self._lines(places, size)
        return with_prefix(self.code, Prefix(prefix, (self.box.pop, None), lines, stays, most + _SPARE), table)

    def _rows_of(self, done: _Done, assembled: Assembled, size: int) -> list[Row]:
        """Return the rows for something that is done: those of the place that it belongs to, and those of an await."""
        around = row_at(self.code.co_exceptiontable, self.behind + done.leaving.unit)
        places = assembled.places
        rows: list[Row] = []

        def cover(start: int, end: int) -> None:
            if around is not None and start < end:
                rows.append(Row(start, end, around.target + size, around.depth, around.lasti))

        at = places[done.begin]
        for each in done.covered:
            cover(at, places[each.start])
            at = places[each.end]
            rows.append(Row(places[each.start], at, places[each.target], each.depth + done.below, each.lasti))
        cover(at, places[done.end])
        return rows

    def _lines(self, places: dict[Label, int], size: int) -> bytes:
        """Return the line table of the prefix: what is done is on its line, all else has none."""
        first = line = self.code.co_firstlineno
        at = 0
        lines = b""
        for done in self.done:
            begin, end = places[done.begin], places[done.end]
            lines += no_lines(begin - at) + on_line(end - begin, done.leaving.line - line)
            at, line = end, done.leaving.line
        if line == first:
            return lines + no_lines(size - at)
        return lines + no_lines(size - 1 - at) + on_line(1, first - line)  # what follows counts on from the first line


def _jump_forward(units: int) -> bytes:
    out = b""
    for shift in (24, 16, 8):
        if units >> shift:
            out += bytes((OPCODE["EXTENDED_ARG"], units >> shift & 255))
    return out + bytes((OPCODE["JUMP_FORWARD"], units & 255))
