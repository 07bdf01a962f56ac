"""Append traps to code objects: handlers at the end and rows that lead to them.

The original bytes stay as they are, so lines, jumps and speed do too. A function that rebinds an argument gets a short prefix
that keeps the argument's object at the bottom of the stack. Everything is verified before it is given out; a code object that
does not verify stays without traps, and `left_alone` tells why.

What a trap calls, and what it may answer, is described in `stubs`; `Site` is what it tells the hook about its place.
"""

from __future__ import annotations

from types import CodeType
from typing import NamedTuple

from fixcont.bytecode import handlers, interpreter, parameters
from fixcont.bytecode.exceptiontable import Row, encode, parse
from fixcont.bytecode.handlers import Handler, HandlerKind
from fixcont.bytecode.interpreter import NAME, OPCODE, UNITS
from fixcont.bytecode.stack import statement_stack, symbolic_stacks
from fixcont.bytecode.stubs import GENERATOR_KINDS, PAIR, SHELL, SHIM, StubShape, make_stub, render
from fixcont.errors import DoesNotVerify

#: Changes whenever trapped code looks different or means something else.
FORMAT = 1
_MARK = "@fixcont"


class Site(NamedTuple):
    """What a trap tells the hook about its place; in the code object it is a plain tuple.

    Attributes:
        layout: the kinds of the items of open blocks, see `stack`; the hook gets those that are objects.
        handler: byte offset of the handler that the trap stands in front of, or -1 where the exception leaves the frame.
        again: whether everything that arrives here has been offered to another trap of this activation before.
        end: byte offset behind the program's own instructions; what failed from there on failed in a frame that took over.
    """

    layout: str
    handler: int
    again: bool
    end: int


class _Record(NamedTuple):
    """How to get the original back from a trapped code object; a plain tuple among its constants."""

    mark: str
    format: int
    prefix: int  #: code units in front of the original
    size: int  #: code units of the original
    constants: int
    stacksize: int
    table: bytes
    linetable: int  #: bytes
    variables: int
    kept: tuple[int, ...]  #: slots of the parameters that are kept at the bottom of the stack


#: (file name, qualified name, first line) -> why a code object has no traps. Bounded: the first thousand.
left_alone: dict[tuple[str, str, int], str] = {}


def trap(code: CodeType) -> CodeType:
    """Return a code object, with all that are nested in it, with traps.

    A part that cannot be trapped is left as it is, with the reason in `left_alone`. Trapped code is returned unchanged.
    """
    if not interpreter.IS_KNOWN or is_trapped(code):
        return code
    nested = tuple(trap(constant) if isinstance(constant, CodeType) else constant for constant in code.co_consts)
    try:
        return _Trapper(code, nested).trapped()
    except (DoesNotVerify, ValueError, IndexError) as problem:  # the latter: code that no compiler made
        if len(left_alone) < 1000:
            left_alone[code.co_filename, code.co_qualname, code.co_firstlineno] = str(problem)
    return code.replace(co_consts=nested)


def is_trapped(code: CodeType) -> bool:
    """Tell whether a code object itself (not only one nested in it) has traps."""
    constants = code.co_consts
    return bool(constants) and type(constants[-1]) is CodeType and constants[-1].co_name == _MARK


def _record(code: CodeType) -> _Record:
    return _Record._make(code.co_consts[-2])


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
    lines = _prefix_lines(record.prefix)
    return code.replace(
        co_code=code.co_code[start : start + 2 * record.size],
        co_consts=tuple(untrapped(constant) if isinstance(constant, CodeType) else constant for constant in constants),
        co_stacksize=record.stacksize,
        co_exceptiontable=record.table,
        co_linetable=code.co_linetable[len(lines) : len(lines) + record.linetable],
        co_varnames=code.co_varnames[: record.variables],
        co_nlocals=record.variables,
    )


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
    return OriginalView(raw[:end:2], raw[1:end:2], _moved(parse(record.table), record.prefix, len(record.kept)))


def original_end(code: CodeType) -> int:
    """Return the byte offset at which the program's own instructions end and the stubs begin."""
    if not is_trapped(code):
        return len(code.co_code)
    record = _record(code)
    return 2 * (record.prefix + record.size)


def kept_parameters(code: CodeType) -> tuple[int, ...]:
    """Return the slots of the parameters whose objects at entry are the first items that a trap gives to the hook."""
    return _record(code).kept if is_trapped(code) else ()


def _moved(rows: list[Row], units: int, items: int) -> list[Row]:
    """Return rows for code that begins `units` later and with `items` on the stack."""
    if not units:
        return rows
    return [Row(row.start + units, row.end + units, row.target + units, row.depth + items, row.lasti) for row in rows]


def _prefix_lines(units: int) -> bytes:
    return _no_lines(units)


def _no_lines(units: int) -> bytes:
    """Return line table entries that give no place in the source to `units` code units."""
    whole, rest = divmod(units, 8)
    return b"\xff" * whole + (bytes((0x80 | 15 << 3 | rest - 1,)) if rest else b"")


class _Trapper:
    """Appends traps to one code object.

    Attributes:
        prefix: the bytes in front of the original.
        kept: slots of the parameters that the prefix keeps on the stack.
        ops, args, rows: the instructions with the prefix, and the original rows moved behind it.
        stacks: by code unit, the symbolic stack.
        handlers: by row target.
    """

    def __init__(self, code: CodeType, constants: tuple[object, ...]) -> None:
        self.code = code
        self.original = code.co_code
        self.constants = list(constants) or [None]  # never ours first: a string there would be taken for a docstring
        self.flags = code.co_flags & GENERATOR_KINDS
        self._keep_parameters()
        raw = self.prefix + self.original
        self.ops, self.args = raw[::2], raw[1::2]
        self.start = len(self.prefix) // 2
        self.rows = _moved(parse(code.co_exceptiontable), self.start, len(self.kept))
        self.stacks = symbolic_stacks(self.ops, self.args, self.rows, self.start, "p" * len(self.kept))
        self.handlers: dict[int, Handler] = {}
        for row in self.rows:
            if row.target not in self.handlers and self.stacks[row.target] is not None:
                self.handlers[row.target] = handlers.classify(self.ops, self.args, self.stacks, row)

    def _keep_parameters(self) -> None:
        ops, args = self.original[::2], self.original[1::2]
        kept = parameters.rebound(self.code, ops, args)
        keywords = parameters.changed_keywords(self.code, ops)
        prefix = bytearray()
        for slot in kept:
            if slot != keywords:
                prefix += _instruction("LOAD_FAST", slot)
        kept = tuple(slot for slot in kept if slot != keywords)
        if keywords is not None:  # a copy
            prefix += _instruction("BUILD_MAP", 0) + _instruction("LOAD_FAST", keywords) + _instruction("DICT_UPDATE", 1)
            kept += (keywords,)
        self.prefix = bytes(prefix)
        self.kept = kept

    # -- where

    def _first_trapped(self) -> int:
        """The first code unit that may raise into a trap: where the function, or the started generator, begins."""
        born = not self.flags
        at = self.start
        size = len(self.ops)
        while at < size:
            op = self.ops[at]
            born = born or NAME[op] == "RETURN_GENERATOR"
            if op == _RESUME and not self.args[at] & interpreter.RESUME_KIND_MASK and born:
                return at + (self.flags != 0)
            at += UNITS[op]
        return size

    def _regions(self) -> list[tuple[int, int, StubShape, Site, Row | None]]:
        """Return (start, end, shape, site, row of the handler behind) for runs of instructions that share a trap."""
        out: list[tuple[int, int, StubShape, Site, Row | None]] = []
        at = self._first_trapped()
        for start, end, row in self._segments(at):
            handler = self.handlers.get(row.target) if row else None
            if row and (handler is None or handler.kind in (HandlerKind.WITHIN, HandlerKind.CATCHES)):
                continue
            self._segment_regions(start, end, row, handler, out)
        return out

    def _segments(self, first: int) -> list[tuple[int, int, Row | None]]:
        """Cut the code at the rows' edges."""
        segments: list[tuple[int, int, Row | None]] = []
        at = first
        for row in self.rows:
            if row.end <= at:
                continue
            if row.start > at:
                segments.append((at, row.start, None))
            segments.append((max(row.start, at), row.end, row))
            at = row.end
        if at < len(self.ops):
            segments.append((at, len(self.ops), None))
        return segments

    def _segment_regions(
        self, start: int, end: int, row: Row | None, handler: Handler | None, out: list[tuple[int, int, StubShape, Site, Row | None]]
    ) -> None:
        kept = len(self.kept)
        base = row.depth if row else kept
        typed = handler is not None and handler.kind is HandlerKind.TYPED
        run_start = -1
        run_layout = ""
        run_again = False
        last_stack: str | None = None
        layout = ""
        at = start
        while at < end:
            op = self.ops[at]
            stack = self.stacks[at]
            following = at + UNITS[op]
            if stack is None or _IS_EXEMPT[op] and not self._raises_to_a_trap(at, row, handler):
                trapped = False
            else:
                if stack is not last_stack:
                    layout = _layout(stack, base)
                    last_stack = stack
                trapped = not (typed and len(layout) <= base)
            again = trapped and op in _RAISES_AGAIN and self._is_seen(at)
            if run_start >= 0 and not (trapped and layout == run_layout and again == run_again):
                self._add_region(run_start, at, run_layout, row, handler, run_again, out)
                run_start = -1
            if trapped and run_start < 0:
                run_start, run_layout, run_again = at, layout, again
            at = following
        if run_start >= 0:
            self._add_region(run_start, at, run_layout, row, handler, run_again, out)

    def _raises_to_a_trap(self, at: int, row: Row | None, handler: Handler | None) -> bool:
        """Whether an instruction that is mostly exempt is trapped here.

        RESUME at a function's start may bring a signal's exception. RERAISE is trapped where the exception moves on to
        an outer block or out of the frame, not where it only runs into its own handler's clean-up.
        """
        op = self.ops[at]
        if op == _RESUME:
            return not self.args[at] & interpreter.RESUME_KIND_MASK and not self.flags
        if op == _RERAISE:
            if row is None:
                return not (at and self.ops[at - 1] == handlers._WRAPS_STOPITERATION)
            return handler is not None and not handler.is_cleanup
        return False

    def _is_seen(self, at: int) -> bool:
        """Whether what is raised again here has surely met another trap of this activation.

        So it is behind handlers that a trap stands in front of, and with a bare `raise`, which follows such a handler or
        an `except` that took the exception from one.
        """
        if self.ops[at] == _RAISE_VARARGS:
            return self.args[at] == 0
        return True

    def _add_region(
        self,
        start: int,
        end: int,
        layout: str,
        row: Row | None,
        handler: Handler | None,
        again: bool,
        out: list[tuple[int, int, StubShape, Site, Row | None]],
    ) -> None:
        leaves = row is None or (handler is not None and handler.is_wrapper)
        shape = StubShape(
            layout=layout,
            kept=len(self.kept),
            forward_depth=row.depth if row else -1,
            forward_lasti=row.lasti if row else 1,
            flags=self.flags,
            cells=self._cells(),
            checks=handler.checks if handler and handler.kind is HandlerKind.TYPED else (),
            wide=len(self.constants) > 65_000,
        )
        site = Site(layout, -1 if leaves or row is None else 2 * row.target, again, 2 * len(self.ops))
        out.append((start, end, shape, site, row))

    def _cells(self) -> tuple[int, ...]:
        """Slots of the captured variables, which a new activation needs."""
        free = len(self.code.co_freevars)
        if not free:
            return ()
        names = self.code.co_varnames
        first = len(names) + sum(name not in names for name in self.code.co_cellvars)
        return tuple(range(first, first + free))

    # -- putting it together

    def trapped(self) -> CodeType:
        """Return the code object with traps. Raises `DoesNotVerify`, or ValueError or IndexError for code that no compiler made."""
        code = self.code
        regions = self._regions()
        if not regions:
            raise DoesNotVerify("nothing in it can be trapped")
        self._count_constants(regions)
        self.tail = bytearray()
        self.new_rows: list[Row] = []
        self.stacksize = code.co_stacksize + len(self.kept)
        self.shell_rows: list[Row] = []
        entries: dict[tuple[StubShape, Site], int] = {}
        for start, end, shape, site, row in regions:
            entry = entries.get((shape, site))
            if entry is None:
                entry = entries[shape, site] = self._append_stub(shape, site, row)
            self.new_rows.append(Row(start, end, entry, len(site.layout), 1))
        self._append_shell(entries)
        self.new_rows += self._rows_left(regions)
        self.new_rows.sort()
        self._verify(entries)
        return self._replace()

    def _count_constants(self, regions: list[tuple[int, int, StubShape, Site, Row | None]]) -> None:
        self.number_of_constants = len(self.code.co_consts)
        self.fill: dict[str, int] = {}
        if self.flags:
            self.fill["none"] = self._constant(None)
        if interpreter.WITH_KEEPS_SELF and any("s" in site.layout for _, _, _, site, _ in regions):
            self.fill["pair"] = self._constant(PAIR)
        self.sites: dict[Site, int] = {}
        kept = len(self.kept)
        for site in [site for _, _, _, site, _ in regions] + [Site("p" * kept, -1, False, 2 * len(self.ops))]:
            if site not in self.sites:
                self.sites[site] = self._constant(tuple(site))
        record = _Record(
            _MARK, FORMAT, self.start, len(self.original) // 2, self.number_of_constants, self.code.co_stacksize,
            self.code.co_exceptiontable, len(self.code.co_linetable), self.code.co_nlocals, self.kept,
        )  # fmt: skip
        self._constant(tuple(record))
        self.fill["shim"] = self._constant(SHIM)

    def _constant(self, value: object) -> int:
        self.constants.append(value)
        return len(self.constants) - 1

    def _append_stub(self, shape: StubShape, site: Site, row: Row | None) -> int:
        """Render a stub at the end and return its code unit."""
        at = len(self.ops) + len(self.tail) // 2
        stub = make_stub(shape)
        self.fill["site"] = self.sites[site]
        self.fill["back"] = row.target if row else 0
        self.tail += render(stub, self.fill, at)
        for inner in stub.rows:
            moved = Row(inner.start + at, inner.end + at, inner.target + at, inner.depth, inner.lasti)
            if inner.target == SHELL:
                self.shell_rows.append(moved)
            else:
                self.new_rows.append(moved)
        self.stacksize = max(self.stacksize, stub.stacksize)
        return at

    def _append_shell(self, entries: dict[tuple[StubShape, Site], int]) -> None:
        """Let what leaves a frame that took over come to the stub of the frame's outermost level, again and again."""
        layout = "p" * len(self.kept)
        shape = StubShape(layout, len(self.kept), -1, 1, self.flags, self._cells(), (), len(self.constants) > 65_000)
        site = Site(layout, -1, False, 2 * len(self.ops))
        shell = entries.get((shape, site))
        if shell is None:
            shell = entries[shape, site] = self._append_stub(shape, site, None)
        self.new_rows += [Row(row.start, row.end, shell, row.depth, row.lasti) for row in self.shell_rows]

    def _rows_left(self, regions: list[tuple[int, int, StubShape, Site, Row | None]]) -> list[Row]:
        """Return what of the original rows stays with its own handler."""
        left = []
        index = 0
        for row in self.rows:
            at = row.start
            while index < len(regions) and regions[index][1] <= at:
                index += 1
            here = index
            while here < len(regions) and regions[here][0] < row.end:
                start, end = regions[here][:2]
                if start > at:
                    left.append(Row(at, start, row.target, row.depth, row.lasti))
                at = max(at, end)
                here += 1
            if at < row.end:
                left.append(Row(at, row.end, row.target, row.depth, row.lasti))
        return left

    def _verify(self, entries: dict[tuple[StubShape, Site], int]) -> None:
        """Check every row against the symbolic stack. Raises `DoesNotVerify`.

        The stubs themselves were run symbolically when they were made. What can crash the interpreter is a row that keeps
        another number of items than there are, or other kinds than the stub expects.
        """
        layouts = {entry: site.layout for (_, site), entry in entries.items()}
        size = len(self.ops)
        end_of_last = 0
        for row in self.new_rows:
            if row.start < end_of_last or row.end <= row.start:
                raise DoesNotVerify("rows overlap")
            end_of_last = row.end
            if row.start >= size:
                continue
            layout = layouts.get(row.target)
            if layout is None:
                continue  # an original row
            checked: str | None = None
            for stack in self.stacks[row.start : row.end]:
                if stack is not None and stack is not checked:
                    if not stack.startswith(layout) and stack[: row.depth].translate(_ORDINARY) != layout:
                        raise DoesNotVerify(f"a trap for {layout!a} where the stack is {stack!a}")
                    checked = stack

    def _replace(self) -> CodeType:
        code = self.code
        extra = {}
        if self.flags == interpreter.ASYNC_GENERATOR and not code.co_nlocals and not code.co_cellvars and not code.co_freevars:
            extra = {"co_varnames": (".driver",), "co_nlocals": 1}
        return code.replace(
            co_code=self.prefix + self.original + bytes(self.tail),
            co_consts=tuple(self.constants),
            co_exceptiontable=encode(self.new_rows),
            co_linetable=_prefix_lines(self.start) + code.co_linetable + _no_lines(len(self.tail) // 2),
            co_stacksize=self.stacksize,
            **extra,  # type: ignore[arg-type]
        )


_RESUME = OPCODE["RESUME"]
_RERAISE = OPCODE["RERAISE"]
_RAISE_VARARGS = OPCODE["RAISE_VARARGS"]
_RAISES_AGAIN = {_RERAISE, _RAISE_VARARGS}
_IS_EXEMPT = [name in ("RESUME", "RERAISE", "PUSH_EXC_INFO") for name in NAME]


_layouts: dict[tuple[str, int], str] = {}  # (stack, depth of the row) -> layout; most stacks are the same few hundred


def _layout(stack: str, base: int) -> str:
    """Return the kinds of the items that open blocks keep, "o" for those that have no kind of their own."""
    layout = _layouts.get((stack, base))
    if layout is None:
        layout = statement_stack(stack, base).translate(_ORDINARY)
        if len(_layouts) < 20_000:
            _layouts[stack, base] = layout
    return layout


class _Ordinary(dict[int, str]):
    """Translates every item that has no kind of its own to "o"."""

    def __missing__(self, item: int) -> str:
        return chr(item) if item < 0x80 else "o"


_ORDINARY = _Ordinary()


def _instruction(name: str, arg: int) -> bytes:
    out = b""
    for shift in (24, 16, 8):
        if arg >> shift:
            out += bytes((OPCODE["EXTENDED_ARG"], arg >> shift & 255))
    return out + bytes((OPCODE[name], arg & 255)) + bytes(2 * (UNITS[OPCODE[name]] - 1))
