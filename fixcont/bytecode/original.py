"""The original of a trapped code object: whether it has traps, which part of it is the program's own, and how to get it back."""

from __future__ import annotations

import struct
from types import CodeType
from typing import Any, NamedTuple

from fixcont.bytecode.exceptiontable import Row, parse
from fixcont.bytecode.interpreter import OPCODE
from fixcont.bytecode.stubs import HOOK_NAME


class Record(NamedTuple):
    """How to get the original back from a trapped code object. Among its constants it is bytes: they are read in faster than a tuple."""

    prefix: int  #: code units in front of the original
    size: int  #: code units of the original
    constants: int
    stacksize: int
    linetable: int  #: bytes
    variables: int
    kept: tuple[int, ...]  #: slots of the parameters that are kept at the bottom of the stack
    table: bytes

    def packed(self) -> bytes:
        """Return the record as bytes."""
        kept = len(self.kept)
        return struct.pack(f"<7I{kept}I", *self[:6], kept, *self.kept) + self.table

    @classmethod
    def unpacked(cls, data: bytes) -> Record:
        """Return the record that `packed` made bytes of."""
        prefix, size, constants, stacksize, linetable, variables, count = _RECORD.unpack_from(data)
        end = _RECORD.size + 4 * count
        kept = struct.unpack_from(f"<{count}I", data, _RECORD.size)
        return cls(prefix, size, constants, stacksize, linetable, variables, kept, data[end:])


_RECORD = struct.Struct("<7I")
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
    lines = no_lines(record.prefix)
    return code.replace(
        co_code=code.co_code[start : start + 2 * record.size],
        co_consts=tuple(untrapped(constant) if isinstance(constant, CodeType) else constant for constant in constants),
        co_stacksize=record.stacksize,
        co_exceptiontable=record.table,
        co_linetable=code.co_linetable[len(lines) : len(lines) + record.linetable],
        co_varnames=code.co_varnames[: record.variables],
        co_nlocals=record.variables,
    )


def prefix_units(code: CodeType) -> int:
    """Return how many code units stand in front of the original."""
    return _record(code).prefix if is_trapped(code) else 0


def with_prefix(code: CodeType, prefix: bytes, constants: tuple[object, ...], table: bytes, spare: int) -> CodeType:
    """Return trapped code with more in front of it.

    Args:
        code: with traps.
        prefix: instructions.
        constants: theirs, from index `len(code.co_consts)` on.
        table: the whole exception table.
        spare: how many items the prefix needs on the stack beside what the code needs.
    """
    units = len(prefix) // 2
    record = _record(code)
    known = code.co_consts
    moved_sites = tuple(_moved_site(site, 2 * units) if type(site) is tuple else site for site in known[record.constants :])
    record = record._replace(prefix=record.prefix + units)
    lines = code.co_linetable[len(no_lines(record.prefix - units)) :]
    return code.replace(
        co_code=prefix + code.co_code,
        # the record and what follows it are found at the end; the traps find their own where they were
        co_consts=(*known[: record.constants], *moved_sites, *constants, record.packed(), known[-1]),
        co_exceptiontable=table,
        co_linetable=no_lines(record.prefix) + lines,
        co_stacksize=code.co_stacksize + spare,
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
        rows: the original exception table, in code units.
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
    return OriginalView(raw[:end:2], raw[1:end:2], moved(parse(record.table), record.prefix, len(record.kept)))


def original_end(code: CodeType) -> int:
    """Return the byte offset at which the program's own instructions end and the stubs begin."""
    if not is_trapped(code):
        return len(code.co_code)
    prefix, size = _RECORD.unpack_from(code.co_consts[-2])[:2]
    return 2 * int(prefix + size)


def has_handed_over(code: CodeType, lasti: int) -> bool:
    """Tell whether a frame that executes the instruction at byte offset `lasti` only waits for what took it over.

    Else it is in its own code, or in a trap that is asking, or that drops the items of blocks on the exception's way out.
    """
    if lasti < original_end(code) or not is_trapped(code):
        return False
    row = next((row for row in parse(code.co_exceptiontable) if row.start <= lasti // 2 < row.end), None)
    return row is not None and code.co_code[2 * row.target] != _POP_TOP  # which begins what a trap does that could not ask


def kept_parameters(code: CodeType) -> tuple[int, ...]:
    """Return the slots of the parameters whose objects at entry are the first items that a trap gives to the hook."""
    return _record(code).kept if is_trapped(code) else ()


def moved(rows: list[Row], units: int, items: int) -> list[Row]:
    """Return rows for code that begins `units` later and with `items` on the stack."""
    if not units:
        return rows
    return [Row(row.start + units, row.end + units, row.target + units, row.depth + items, row.lasti) for row in rows]


def no_lines(units: int) -> bytes:
    """Return line table entries that give no place in the source to `units` code units."""
    whole, rest = divmod(units, 8)
    return b"\xff" * whole + (bytes((0x80 | 15 << 3 | rest - 1,)) if rest else b"")
