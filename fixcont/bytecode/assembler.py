"""Put instructions together: labels, calls and conditional jumps as this interpreter wants them."""

from __future__ import annotations

from typing import NamedTuple

from fixcont.bytecode import interpreter
from fixcont.bytecode.interpreter import DIRECTION, OPCODE, UNITS


class Label:
    """A place among the instructions, known once they are assembled."""

    __slots__ = ()


class Later(NamedTuple):
    """An argument that is filled in when the instructions are put into a code object; see `Assembled.holes`."""

    what: str
    units: int  #: code units kept for the argument: 1 + the number of EXTENDED_ARG


class Assembled(NamedTuple):
    """Instructions as bytes.

    Attributes:
        code: the bytes; the arguments of `holes` are 0.
        places: code unit of each label, from the start of `code`.
        holes: (what, first code unit of the instruction with its EXTENDED_ARGs, units) for each `Later`.
    """

    code: bytes
    places: dict[Label, int]
    holes: list[tuple[str, int, int]]


class Assembler:
    """Collects instructions in order."""

    def __init__(self) -> None:
        self._items: list[tuple[int, int | Label | Later] | Label | bytes] = []

    def op(self, name: str, arg: int | Label | Later = 0) -> None:
        """Append an instruction. A label as the argument of a jump is where it goes; it must lie in the jump's direction."""
        self._items.append((OPCODE[name], arg))

    def raw(self, code: bytes) -> None:
        """Append bytes of whole instructions as they are."""
        self._items.append(code)

    def place(self, label: Label | None = None) -> Label:
        """Put a label here, a new one if none is given, and return it."""
        label = label or Label()
        self._items.append(label)
        return label

    def jump_if(self, name: str, label: Label) -> None:
        """Append a conditional jump, with what this interpreter wants behind it."""
        self.op(name, label)
        if interpreter.HAS_NOT_TAKEN:
            self.op("NOT_TAKEN")

    def call(self, arguments: int) -> None:
        """Append a call; callable, NULL and arguments are on the stack as `begin_call` and `self_slot` leave them."""
        if interpreter.HAS_PRECALL:
            self.op("PRECALL", arguments)
        self.op("CALL", arguments)

    def call_top(self) -> None:
        """Append a call, without arguments, of what is on top of the stack."""
        self.op("PUSH_NULL")
        if interpreter.NULL_BEFORE_CALLABLE:
            self.op("SWAP", 2)
        self.call(0)

    def make_function(self, code: Later) -> None:
        """Append the making of a function from a constant code object, which keeps the code object plain data."""
        self.op("LOAD_CONST", code)
        self.op("MAKE_FUNCTION", 0)

    def begin_call(self, code: Later) -> None:
        """Append the callable of a call, made from a constant code object, and its NULL."""
        if interpreter.NULL_BEFORE_CALLABLE:
            self.op("PUSH_NULL")
            self.make_function(code)
        else:
            self.make_function(code)
            self.op("PUSH_NULL")

    def assemble(self) -> Assembled:
        """Return the bytes. Jumps must be shorter than 65,536 code units."""
        widths = [self._width(item) for item in self._items]
        while True:
            starts, places = self._lay_out(widths)
            grown = False
            for index, item in enumerate(self._items):
                if isinstance(item, tuple) and isinstance(item[1], Label):
                    distance = self._distance(item[0], starts[index] + widths[index], places[item[1]])
                    needed = UNITS[item[0]] + (distance > 255)
                    if needed > widths[index]:
                        widths[index] = needed
                        grown = True
            if not grown:
                return self._emit(widths, starts, places)

    @staticmethod
    def _width(item: tuple[int, int | Label | Later] | Label | bytes) -> int:
        if isinstance(item, Label):
            return 0
        if isinstance(item, bytes):
            return len(item) // 2
        op, arg = item
        if isinstance(arg, Later):
            return UNITS[op] + arg.units - 1
        return UNITS[op] + (isinstance(arg, int) and arg > 255)

    def _lay_out(self, widths: list[int]) -> tuple[list[int], dict[Label, int]]:
        starts = []
        places = {}
        at = 0
        for item, width in zip(self._items, widths, strict=True):
            starts.append(at)
            if isinstance(item, Label):
                places[item] = at
            at += width
        return starts, places

    @staticmethod
    def _distance(op: int, end: int, place: int) -> int:
        distance = (place - end) * DIRECTION[op]
        if distance < 0:
            raise ValueError("a jump leads the wrong way")
        return distance

    def _emit(self, widths: list[int], starts: list[int], places: dict[Label, int]) -> Assembled:
        out = bytearray()
        holes = []
        for item, width, start in zip(self._items, widths, starts, strict=True):
            if isinstance(item, Label):
                continue
            if isinstance(item, bytes):
                out += item
                continue
            op, arg = item
            extended = width - UNITS[op]
            value = 0
            if isinstance(arg, Later):
                holes.append((arg.what, start, extended + 1))
            else:
                value = self._distance(op, start + width, places[arg]) if isinstance(arg, Label) else arg
            for shift in range(extended, 0, -1):
                out += bytes((OPCODE["EXTENDED_ARG"], value >> 8 * shift & 255))
            out += bytes((op, value & 255)) + bytes(2 * (UNITS[op] - 1))
        return Assembled(bytes(out), places, holes)
