"""Code that starts in the middle: a prefix that restores what a frame held, and a jump to where it goes on.

All jumps are relative, so the original and its traps stay as they are behind the prefix; only offsets in tables move. The values are not
constants of the code but are taken out of a list by the prefix: a constant would keep them alive for as long as the code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import CellType, CodeType
from typing import Any, NamedTuple

from fixcont.bytecode import interpreter, parameters
from fixcont.bytecode.assembler import Assembler, Label
from fixcont.bytecode.exceptiontable import Row, encode, parse
from fixcont.bytecode.interpreter import OPCODE
from fixcont.bytecode.original import prefix_units, with_prefix
from fixcont.bytecode.stubs import GENERATOR_KINDS
from fixcont.errors import DoesNotVerify

_MOST_CONSTANTS = 1 << 16
_SPARE = 6  # items that the prefix needs on top of those that it leaves


class Contents(NamedTuple):
    """What a frame holds when it goes on.

    Attributes:
        kinds: the kinds of the items on its stack, bottom first; see `stack`.
        items: their values: of a `with` exit (exit,) or (self, exit) where `with` keeps both, else the object itself, None for what is no
            object; for "e" the exception that is being handled there.
        variables: by name, those that are bound.
        cells: by name, those of captured variables.
        closing: callables to call first, such as exits of `with` blocks that are left. What they raise goes where it would go at the target.
    """

    kinds: str
    items: Sequence[Any]
    variables: Mapping[str, Any]
    cells: Mapping[str, CellType]
    closing: Sequence[Callable[[], object]] = ()


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


class _Prefix:
    """Writes the prefix of one entry."""

    def __init__(self, code: CodeType, unit: int, contents: Contents) -> None:
        self.code = code
        self.target = prefix_units(code) + unit
        self.contents = contents
        self.asm = Assembler()
        self.box: list[Any] = []  # what the prefix takes out, first to last
        self.pop = len(code.co_consts)  # the constant that takes it out
        names = code.co_varnames
        self.slots = {name: slot for slot, name in enumerate(names)}
        for name in [name for name in code.co_cellvars if name not in self.slots] + list(code.co_freevars):
            self.slots[name] = len(self.slots)

    def entered(self) -> CodeType:
        if self.pop >= _MOST_CONSTANTS:
            raise DoesNotVerify("more constants than a prefix can reach")
        self._begin()
        self._restore_variables()
        self._restore_stack()
        begin = self.asm.place()
        self._close()
        return self._finish(begin, self.asm.place())

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

    def _restore_stack(self) -> None:
        kinds, items = self.contents.kinds, self.contents.items
        for at, kind in enumerate(kinds):
            if kind == "e":
                self._load(items[at])
                self.asm.op("PUSH_EXC_INFO")
                self.asm.op("POP_TOP")
            elif kind == "w" and kinds[at + 1 : at + 2] == "s":
                *self_, exit_ = items[at]
                self._load(exit_)
                if self_:
                    self._load(self_[0])
                else:
                    self.asm.op("PUSH_NULL")
            elif kind == "n":
                if not hasattr(type(items[at - 1]), "__next__"):
                    raise DoesNotVerify("how far a loop has come is not known")
                self.asm.op("PUSH_NULL")
            elif kind != "s":
                self._load(items[at])

    def _close(self) -> None:
        for closing in self.contents.closing:
            self._load(closing)
            self.asm.call_top()
            self.asm.op("POP_TOP")

    def _finish(self, begin: Label, end: Label) -> CodeType:
        """Put the prefix in front. Rows of the code cover what is closed as they cover the target."""
        assembled = self.asm.assemble()
        prefix = assembled.code + _jump_forward(self.target)
        size = len(prefix) // 2
        self.box.reverse()
        rows = parse(self.code.co_exceptiontable)
        around = next((row for row in rows if row.start <= self.target < row.end), None)
        moved = [row._replace(start=row.start + size, end=row.end + size, target=row.target + size) for row in rows]
        first, last = assembled.places[begin], assembled.places[end]
        if around is not None and first < last:
            moved.insert(0, Row(first, last, around.target + size, around.depth, around.lasti))
        return with_prefix(self.code, prefix, (self.box.pop,), encode(moved), len(self.contents.kinds) + _SPARE)


def _jump_forward(units: int) -> bytes:
    out = b""
    for shift in (24, 16, 8):
        if units >> shift:
            out += bytes((OPCODE["EXTENDED_ARG"], units >> shift & 255))
    return out + bytes((OPCODE["JUMP_FORWARD"], units & 255))
