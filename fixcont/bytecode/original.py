"""The original of a trapped code object: whether it has traps, which part of it is the program's own, and how to get it back."""

from __future__ import annotations

import struct
from types import CodeType
from typing import Any, NamedTuple

from fixcont.bytecode.exceptiontable import Row, parse, row_at
from fixcont.bytecode.interpreter import OPCODE

#: Under this name the hook lies in `builtins`. No program can spell it, so none can collide with it; and it begins as the names
#: do that are none of a program's business.
HOOK_NAME = "__@fixcont__"


class Stay(NamedTuple):
    """Part of what stands in front of the original that belongs to a place of it: its handlers are those of that place.

    Attributes:
        start, end: the code units, from the start of the running code.
        unit: the code unit of the original.
    """

    start: int
    end: int
    unit: int


class Record(NamedTuple):
    """How to get the original back from a trapped code object. Among its constants it is bytes: they are read in faster than a tuple."""

    prefix: int  #: code units in front of the original
    size: int  #: code units of the original
    constants: int
    stacksize: int
    linetable: int  #: bytes
    variables: int
    head: int  #: bytes of the line table for what is in front
    kept: tuple[int, ...]  #: slots of the parameters that are kept at the bottom of the stack
    stays: tuple[Stay, ...]
    table: bytes

    def packed(self) -> bytes:
        """Return the record as bytes."""
        numbers = [*self[:7], len(self.kept), len(self.stays), *self.kept]
        for stay in self.stays:
            numbers += stay
        return struct.pack(f"<{len(numbers)}I", *numbers) + self.table

    @classmethod
    def unpacked(cls, data: bytes) -> Record:
        """Return the record that `packed` made bytes of."""
        prefix, size, constants, stacksize, linetable, variables, head, kept, stays = _RECORD.unpack_from(data)
        count = kept + 3 * stays
        numbers = struct.unpack_from(f"<{count}I", data, _RECORD.size)
        found = tuple(Stay(*numbers[at : at + 3]) for at in range(kept, count, 3))
        rest = data[_RECORD.size + 4 * count :]
        return cls(prefix, size, constants, stacksize, linetable, variables, head, numbers[:kept], found, rest)


_RECORD = struct.Struct("<9I")
_POP_TOP = OPCODE["POP_TOP"]


def is_trapped(code: CodeType) -> bool:
    """Tell whether a code object itself (not only one nested in it) has traps."""
    constants = code.co_consts
    return bool(constants) and type(constants[-1]) is CodeType and constants[-1].co_name == HOOK_NAME


def _record(code: CodeType) -> Record:
    return Record.unpacked(code.co_consts[-2])


def untrapped(code: CodeType) -> CodeType:
    """Return the code object, with all nested ones, as the compiler made it."""
    if not is_trapped(code):
        nested = tuple(untrapped(constant) if isinstance(constant, CodeType) else constant for constant in code.co_consts)
        if any(one is not other for one, other in zip(nested, code.co_consts, strict=True)):
            return code.replace(co_consts=nested)
        return code
    record = _record(code)
    constants = code.co_consts[: record.constants]
    start = 2 * record.prefix
    return code.replace(
        co_code=code.co_code[start : start + 2 * record.size],
        co_consts=tuple(untrapped(constant) if isinstance(constant, CodeType) else constant for constant in constants),
        co_stacksize=record.stacksize,
        co_exceptiontable=record.table,
        co_linetable=code.co_linetable[record.head : record.head + record.linetable],
        co_varnames=code.co_varnames[: record.variables],
        co_nlocals=record.variables,
    )


def prefix_units(code: CodeType) -> int:
    """Return how many code units stand in front of the original."""
    return _record(code).prefix if is_trapped(code) else 0


def unit_at(code: CodeType, unit: int) -> int:
    """Return the code unit of the original that a unit of the running code is, or belongs to; below 0 where there is none."""
    if not is_trapped(code):
        return unit
    record = _record(code)
    if unit < record.prefix:
        return next((stay.unit for stay in record.stays if stay.start <= unit < stay.end), -1)
    return unit - record.prefix


class Prefix(NamedTuple):
    """More in front of a code object.

    Attributes:
        code: instructions.
        constants: theirs, from index `len(co_consts)` on.
        lines: their line table.
        stays: what belongs to places of the original.
        spare: how many items they need on the stack beside what the code needs.
    """

    code: bytes
    constants: tuple[object, ...]
    lines: bytes
    stays: tuple[Stay, ...]
    spare: int


def with_prefix(code: CodeType, prefix: Prefix, table: bytes) -> CodeType:
    """Return trapped code with more in front of it. `table` is the whole exception table."""
    units = len(prefix.code) // 2
    record = _record(code)
    known = code.co_consts
    moved_sites = tuple(_moved_site(site, 2 * units) if type(site) is tuple else site for site in known[record.constants :])
    record = record._replace(prefix=record.prefix + units, head=record.head + len(prefix.lines), stays=prefix.stays)
    return code.replace(
        co_code=prefix.code + code.co_code,
        # the record and what follows it are found at the end; the traps find their own where they were
        co_consts=(*known[: record.constants], *moved_sites, *prefix.constants, record.packed(), known[-1]),
        co_exceptiontable=table,
        co_linetable=prefix.lines + code.co_linetable,
        co_stacksize=code.co_stacksize + prefix.spare,
    )


def _moved_site(site: tuple[Any, ...], offset: int) -> tuple[Any, ...]:
    """Return what a trap tells of its place, see `traps.Site`, for a trap that lies further behind."""
    layout, handler, again, is_plain, retry = site
    return layout, handler + offset if handler >= 0 else -1, again, is_plain, retry + offset if retry >= 0 else -1


class OriginalView(NamedTuple):
    """The part of a code object that is the program's own, at the offsets that it has in the running code.

    Attributes:
        ops: opcodes, one a code unit, up to the end of the original part.
        args: arguments likewise.
        rows: the original exception table, in code units; in front of it, that of what belongs to a place of the original.
    """

    ops: bytes
    args: bytes
    rows: list[Row]


def original_view(code: CodeType) -> OriginalView:
    """Return a code object's own instructions and rows, without the traps."""
    raw = code.co_code
    if not is_trapped(code):
        return OriginalView(raw[::2], raw[1::2], parse(code.co_exceptiontable))
    record = _record(code)
    end = 2 * (record.prefix + record.size)
    rows = moved(parse(record.table), record.prefix, len(record.kept))
    stays = [_row_of(stay, stay.unit + record.prefix, rows) for stay in record.stays]
    return OriginalView(raw[:end:2], raw[1:end:2], [row for row in stays if row is not None] + rows)


def _row_of(stay: Stay, unit: int, rows: list[Row]) -> Row | None:
    """Return the row for what belongs to a code unit."""
    row = next((row for row in rows if row.start <= unit < row.end), None)
    return row._replace(start=stay.start, end=stay.end) if row is not None else None


def original_end(code: CodeType) -> int:
    """Return the byte offset at which the program's own instructions end and the stubs begin."""
    if not is_trapped(code):
        return len(code.co_code)
    prefix: int
    size: int
    prefix, size = _RECORD.unpack_from(code.co_consts[-2])[:2]
    return 2 * (prefix + size)


def has_handler(code: CodeType, lasti: int) -> bool:
    """Tell whether an `except`, a `finally` or a `with` stands around an instruction: something that runs for an exception there."""
    at = lasti // 2
    view = original_view(code)
    return any(view.ops[row.target] == OPCODE["PUSH_EXC_INFO"] for row in view.rows if row.start <= at < row.end)


def has_handed_over(code: CodeType, lasti: int) -> bool:
    """Tell whether a frame that executes the instruction at byte offset `lasti` only waits for what took it over.

    Else it is in its own code, or in a trap that is asking, or that drops the items of blocks on the exception's way out.
    """
    if lasti < original_end(code) or not is_trapped(code):
        return False
    row = row_at(code.co_exceptiontable, lasti // 2)
    return row is not None and code.co_code[2 * row.target] != _POP_TOP  # which begins what a trap does that could not ask


def kept_parameters(code: CodeType) -> tuple[int, ...]:
    """Return the slots of the parameters whose objects at entry are the first items that a trap gives to the hook."""
    return _record(code).kept if is_trapped(code) else ()


def moved(rows: list[Row], units: int, items: int) -> list[Row]:
    """Return rows for code that begins `units` later and with `items` on the stack."""
    if not units:
        return rows
    return [Row(row.start + units, row.end + units, row.target + units, row.depth + items, row.lasti) for row in rows]


def on_line(units: int, delta: int) -> bytes:
    """Return line table entries that put code units on the line that is `delta` behind the last one."""
    out = b""
    while units > 0:
        out += bytes((0x80 | 13 << 3 | min(units, 8) - 1,)) + _signed(delta)
        units -= 8
        delta = 0
    return out


def _signed(value: int) -> bytes:
    """Write a number as line tables do: groups of six bits, the lowest first, the sign below them."""
    rest = -value << 1 | 1 if value < 0 else value << 1
    out = bytearray()
    while rest >= 64:
        out.append(64 | rest & 63)
        rest >>= 6
    return bytes((*out, rest))


def no_lines(units: int) -> bytes:
    """Return line table entries that give no place in the source to `units` code units."""
    whole, rest = divmod(units, 8)
    return b"\xff" * whole + (bytes((0x80 | 15 << 3 | rest - 1,)) if rest else b"")
