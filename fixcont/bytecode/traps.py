"""Append traps to code objects: handlers at the end and rows that lead to them.

The original bytes stay as they are, so lines, jumps and speed do too. A function that rebinds an argument gets a short prefix
that keeps the argument's object at the bottom of the stack. Everything is verified before it is given out; a code object that
does not verify stays without traps, and `left_alone` tells why.

What a trap calls, and what it may answer, is described in `stubs`; `Site` is what it tells the hook about its place.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import deque
from collections.abc import Mapping
from types import CodeType, MappingProxyType
from typing import NamedTuple

from fixcont.bytecode import handlers, interpreter, parameters
from fixcont.bytecode.exceptiontable import Row, encode, parse
from fixcont.bytecode.handlers import Handler, HandlerKind
from fixcont.bytecode.interpreter import NAME, OPCODE, UNITS
from fixcont.bytecode.original import Record, is_trapped, moved, no_lines, on_line
from fixcont.bytecode.stack import LAYOUT_OF, NOWHERE, TOO_SMALL, Stacks, layouts_on, may_have_finally, symbolic_stacks
from fixcont.bytecode.stubs import GENERATOR_KINDS, PAIR, SHELL, SHIM, StubShape, make_stub, render
from fixcont.errors import DoesNotVerify

#: Changes whenever trapped code looks different or means something else.
FORMAT = 4


class Site(NamedTuple):
    """What a trap tells the hook about its place; in the code object it is a plain tuple, or None for `LEAVING`.

    Attributes:
        layout: the kinds of the items of open blocks, see `stack`; the hook gets those that are objects.
        handler: byte offset of the handler that the trap stands in front of, or -1 where the exception leaves the frame.
        again: whether what arrives here may have been offered to another trap of this activation before; see `flights`.
        is_plain: whether an exception that is known and on its way can go by without a closer look: not `again`, and in no generator, which
            an exception may be thrown into and leave again.
        retry: byte offset of the handler whose clauses did not match, to which an exception put in place goes; -1 where there is none.
    """

    layout: str
    handler: int
    again: bool
    is_plain: bool
    retry: int


#: The site of most traps: the exception leaves the frame, and there are no blocks. In the code object it is None.
LEAVING = Site("", -1, False, True, -1)


#: As `Row`; many are made, and a plain tuple is made in a third of the time.
_PlainRow = tuple[int, int, int, int, int]


#: What decides which stub it is: the layout, the target of the row of the handler behind or None, whether it is seen again,
#: and the row of the handler whose clauses did not match just now or None.
_Place = tuple[str, int | None, bool, Row | None]


class _Region(NamedTuple):
    """A run of code units that share a trap."""

    start: int
    end: int
    place: _Place


#: (file name, qualified name, first line) -> why a code object has no traps. Bounded: the first thousand.
left_alone: dict[tuple[str, str, int], str] = {}


_NONE: Mapping[CodeType, CodeType] = MappingProxyType({})


def trap(code: CodeType, known: Stacks | None = None, trapped: Mapping[CodeType, CodeType] = _NONE) -> CodeType:
    """Return a code object, with all that are nested in it, with traps.

    A part that cannot be trapped is left as it is, with the reason in `left_alone`. Trapped code is returned unchanged.

    Args:
        known: the stacks of `code`, where they are known.
        trapped: code objects that have traps already, by what they are without; those that `code` holds are taken from there.
    """
    if not interpreter.IS_KNOWN or is_trapped(code):
        return code
    nested = tuple(
        trapped.get(constant) or trap(constant) if isinstance(constant, CodeType) else constant for constant in code.co_consts
    )
    try:
        return _Trapper(code, nested, known).trapped()
    except (DoesNotVerify, ValueError, IndexError) as problem:  # the latter: code that no compiler made
        if len(left_alone) < 1000:
            left_alone[code.co_filename, code.co_qualname, code.co_firstlineno] = str(problem)
    return code.replace(co_consts=nested)


class _Trapper:
    """Appends traps to one code object.

    Attributes:
        prefix: the bytes in front of the original.
        kept: slots of the parameters that the prefix keeps on the stack.
        ops, args, rows: the instructions with the prefix, and the original rows moved behind it.
        stacks: by code unit, the symbolic stack.
        handlers: by row target.
        targets: those of the rows, in order.
    """

    def __init__(self, code: CodeType, constants: tuple[object, ...], stacks_of_code: Stacks | None) -> None:
        self.code = code
        self.original = code.co_code
        self.constants = list(constants) or [None]  # never ours first: a string there would be taken for a docstring
        self.flags = code.co_flags & GENERATOR_KINDS
        self._keep_parameters()
        raw = self.prefix + self.original
        self.ops, self.args = raw[::2], raw[1::2]
        self.start = len(self.prefix) // 2
        rows = parse(code.co_exceptiontable) if stacks_of_code is None else stacks_of_code.rows
        self.rows = moved(rows, self.start, len(self.kept))
        self.targets = sorted({row.target for row in self.rows})
        self.outermost = "p" * len(self.kept)
        self.cells = self._cells()
        self.places: dict[_Place, tuple[StubShape, Site]] = {}
        self.handlers: dict[int, Handler] = {}
        self.retries: dict[int, Row] = {}  # where no clause of a handler has matched -> a row of that handler
        self.stacks: list[str | None] | None = None
        if not self._has_no_blocks():
            if stacks_of_code is not None and not self.prefix:
                self.stacks = stacks = stacks_of_code.by_unit
            else:
                self.stacks = stacks = symbolic_stacks(self.ops, self.args, self.rows, self.start, self.outermost)
            self.has_loops = _GET_ITER in self.ops or _GET_AITER in self.ops or may_have_finally(self.ops, self.rows)
            for row in self.rows:
                if row.target not in self.handlers and stacks[row.target] is not None:
                    handler = self.handlers[row.target] = handlers.classify(self.ops, self.args, stacks, row)
                    if handler.no_match >= 0:
                        self.retries[handler.no_match] = row
            if len(self.handlers) > 2 and _WITH_EXCEPT_START in self.ops:
                known = self.handlers
                self.handlers = {target: handlers.through_with(self.ops, self.rows, known, target) for target in known}

    def _has_no_blocks(self) -> bool:
        """Tell whether no block keeps anything on the stack: there is neither a loop nor a handler. Most functions are so.

        Then each trap keeps what lay there at entry and nothing else, so that no stack has to be worked out and none can be wrong.
        A generator's handler that wraps StopIteration is no block; it is entered in `handlers`.
        """
        ops = self.ops
        if _GET_ITER in ops or _GET_AITER in ops:
            return False
        for row in self.rows:
            if ops[row.target] != handlers.WRAPS_STOPITERATION or row.depth != len(self.kept):
                self.handlers.clear()
                return False
            self.handlers[row.target] = handlers.WRAPPER
        return True

    def _keep_parameters(self) -> None:
        ops, args = self.original[::2], self.original[1::2]
        kept = parameters.kept(self.code, ops, args)
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
        ops = self.ops
        at = self.start
        if self.flags:
            at = ops.find(_RETURN_GENERATOR, at)
            if at < 0:
                return len(ops)
        at = ops.find(_RESUME, at)  # caches are zeros, so what is found is an instruction
        while at >= 0 and self.args[at] & interpreter.RESUME_KIND_MASK:
            at = ops.find(_RESUME, at + 1)
        if at < 0:
            return len(ops)
        return at + UNITS[_RESUME] if self.flags else at

    def _regions(self) -> list[_Region]:
        """Return the runs of instructions that share a trap."""
        self.regions: list[_Region] = []
        for start, end, row in self._segments(self._first_trapped()):
            handler = self.handlers.get(row.target) if row else None
            if row and (handler is None or handler.kind in (HandlerKind.WITHIN, HandlerKind.CATCHES)):
                continue
            self._segment_regions(start, end, row, handler)
        return self.regions

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

    def _segment_regions(self, start: int, end: int, row: Row | None, handler: Handler | None) -> None:
        """Find the regions in a segment. Caches, and what is never reached, go with what stands before them."""
        base = row.depth if row else len(self.kept)
        typed = handler is not None and handler.kind is HandlerKind.TYPED
        if self.stacks is None:
            if not typed:
                self._cut_region(start, end, self.outermost, row, handler)
            return
        of_stack = layouts_on(base)
        if not self.has_loops:  # then nothing lies on what the row keeps, the same for all of it
            first = start + (self.ops[start] == _PUSH_EXC_INFO)  # it lacks what it pushes
            stack = next((stack for stack in self.stacks[first:end] if stack is not None), None)
            if stack is not None and not typed:
                self._cut_region(start, end, of_stack[stack], row, handler)
            return
        stacks = self.stacks[start:end]
        layouts = {stack: of_stack[stack] for stack in dict.fromkeys(stacks)}  # there are few different ones
        numbers = dict.fromkeys(layouts.values(), 1)  # 0: as before, 1: without a trap
        numbers.pop(NOWHERE, None)
        if len(numbers) == 1 and not typed and TOO_SMALL not in numbers:
            self._cut_region(start, end, next(iter(numbers)), row, handler)
            return
        known = [layout for layout in numbers if layout != TOO_SMALL and (not typed or len(layout) > base)]
        if not known:
            return
        numbers.update(zip(known, range(2, 256), strict=False))
        numbers[NOWHERE] = 0
        number_of = {stack: numbers[layout] for stack, layout in layouts.items()}
        for run in _RUNS.finditer(bytes(map(number_of.__getitem__, stacks))):
            number = run[0][0]
            if number > 1:
                self._cut_region(start + run.start(), start + run.end(), known[number - 2], row, handler)

    def _cut_region(self, start: int, end: int, layout: str, row: Row | None, handler: Handler | None) -> None:
        """Add the regions for a run of one layout: without the instructions that are exempt; those that raise again by themselves."""
        begin = start
        # What is thrown into a generator expression is GeneratorExit when nobody wants more of it: no business of ours, and frequent.
        special = _SPECIAL_IN_EXPRESSION if self.code.co_name == "<genexpr>" else _SPECIAL
        for found in special.finditer(self.ops, start, end):
            at = found.start()
            op = self.ops[at]
            is_trapped_here = op == _RAISE_VARARGS or self._raises_to_a_trap(at, row, handler)
            again = is_trapped_here and op in _RAISES_AGAIN and self._is_seen(at)
            retry = self.retries.get(at)
            if is_trapped_here and not again:
                continue
            if begin < at:
                self._add_region(begin, at, layout, row, handler, again=False)
            if again or retry is not None:
                # The trap of a block inside of the `try` body may have seen it before, or none: that is told by its way.
                self._add_region(at, at + 1, layout, row, handler, again=True, retry=retry)
            begin = at + 1
        if begin < end:
            self._add_region(begin, end, layout, row, handler, again=False)

    def _raises_to_a_trap(self, at: int, row: Row | None, handler: Handler | None) -> bool:
        """Whether an instruction that is mostly exempt is trapped here.

        RESUME at a function's start may bring a signal's exception, and the one behind a yield what is thrown into a generator.
        RERAISE is trapped where the exception moves on to an outer block or out of the frame, not where it only runs into its own
        handler's clean-up.
        """
        op = self.ops[at]
        if op == _RESUME:
            kind = self.args[at] & interpreter.RESUME_KIND_MASK
            return kind in interpreter.RAISING_RESUMES and (self.code.co_name != "<genexpr>" if kind else not self.flags)
        if op == _RERAISE:
            if row is None:
                return not (at and self.ops[at - 1] == handlers.WRAPS_STOPITERATION)
            return handler is not None and (not handler.is_cleanup or self._ends_comprehension(at) or self._ends_star(at))
        return False

    def _is_seen(self, at: int) -> bool:
        """Whether what is raised again here has surely met another trap of this activation.

        So it is behind handlers that a trap stands in front of, and with a bare `raise`, which follows such a handler or
        an `except` that took the exception from one.
        """
        if self.ops[at] == _RAISE_VARARGS:
            return self.args[at] == 0
        return not self._ends_comprehension(at)

    def _ends_comprehension(self, at: int) -> bool:
        """Whether what is raised again here comes out of an inlined comprehension, in which there are no traps.

        Its handler does nothing but put the variables back that it has borrowed.
        """
        if not NAME[self.ops[at - 1]].startswith("STORE_") or self.args[at]:
            return False
        before = bisect_left(self.targets, at)
        if not before:
            return False
        begin = self.targets[before - 1]
        return all(NAME[op].startswith(_PUTS_BACK) for op in self.ops[begin:at])

    def _ends_star(self, at: int) -> bool:
        """Whether what is raised here is what the clauses of an `except*` have left or raised.

        No other RERAISE comes behind a POP_EXCEPT with the exception on top. The `except` or `finally` body around, whose clean-up
        gets it, is still there.
        """
        return not self.args[at] and self.ops[at - 2 : at] == _SWAPS_AND_POPS and self.args[at - 2] == 2

    def _add_region(
        self,
        start: int,
        end: int,
        layout: str,
        row: Row | None,
        handler: Handler | None,
        *,
        again: bool,
        retry: Row | None = None,
    ) -> None:
        place = layout, None if row is None else row.target, again, retry
        if self.regions:
            last = self.regions[-1]
            if last.end == start and last.place == place:
                self.regions[-1] = _Region(last.start, end, place)
                return
        if place not in self.places:
            self._add_place(place, row, handler)
        self.regions.append(_Region(start, end, place))

    def _add_place(self, place: _Place, row: Row | None, handler: Handler | None) -> None:
        layout, target, again, retry = place
        leaves = target is None or (handler is not None and handler.is_wrapper)
        shape = StubShape(
            layout,
            len(self.kept),
            row.depth if row else -1,
            row.lasti if row else 1,
            self.flags,
            self.cells,
            handler.checks if handler else (),
            1,
            retry.depth if retry else -1,
            retry.lasti if retry else 0,
        )
        site = Site(
            layout,
            -1 if leaves or target is None else 2 * target,
            again,
            not again and not self.flags,
            2 * retry.target if retry else -1,
        )
        self.places[place] = shape, site

    def _cells(self) -> tuple[int, ...]:
        """Slots of the cells that a new activation needs: of variables that inner functions capture, then of captured ones."""
        own, free = self.code.co_cellvars, self.code.co_freevars
        if not own and not free:
            return ()
        names = self.code.co_varnames
        slots = {name: slot for slot, name in enumerate(names)}
        for name in own:
            slots.setdefault(name, len(slots))
        return (*(slots[name] for name in own), *range(len(slots), len(slots) + len(free)))

    # -- putting it together

    def trapped(self) -> CodeType:
        """Return the code object with traps. Raises `DoesNotVerify`, or ValueError or IndexError for code that no compiler made."""
        code = self.code
        regions = self._regions()
        if not regions:
            raise DoesNotVerify("nothing in it can be trapped")
        self._count_constants()
        self.tail = bytearray()
        self.takeovers: list[tuple[int, int]] = []  # code units of the tail
        self.new_rows: list[_PlainRow] = []
        self.stacksize = code.co_stacksize + len(self.kept)
        self.shell_rows: list[_PlainRow] = []
        entries: dict[_Place, int] = {}
        for start, end, place in regions:
            entry = entries.get(place)
            if entry is None:
                entry = entries[place] = self._append_stub(place)
            self.new_rows.append((start, end, entry, len(place[0]), 1))
        self._append_shell(entries)
        if self.rows:
            self.new_rows += self._rows_left(regions)
        self.new_rows.sort()
        self._verify(entries)
        return self._replace()

    def _count_constants(self) -> None:
        self.number_of_constants = len(self.code.co_consts)
        self.fill: dict[str, int] = {}
        if self.flags:
            self.fill["none"] = self._constant(None)
        self.shell: _Place = self.outermost, None, False, None
        if self.shell not in self.places:
            self._add_place(self.shell, None, None)
        if interpreter.WITH_KEEPS_SELF and any("s" in place[0] for place in self.places):
            self.fill["pair"] = self._constant(PAIR)
        self.sites: dict[Site, int] = {}
        for _, site in self.places.values():
            if site not in self.sites:
                self.sites[site] = self._constant(None if site == LEAVING else tuple(site))
        record = Record(
            self.start, len(self.original) // 2, self.number_of_constants, self.code.co_stacksize,
            len(self.code.co_linetable), self.code.co_nlocals, len(no_lines(self.start)), self.kept, (), self.code.co_exceptiontable,
        )  # fmt: skip
        self._constant(record.packed())
        self.fill["shim"] = self._constant(SHIM)

    def _constant(self, value: object) -> int:
        self.constants.append(value)
        return len(self.constants) - 1

    def _append_stub(self, place: _Place) -> int:
        """Render a stub at the end and return its code unit."""
        at = len(self.ops) + len(self.tail) // 2
        shape, site = self.places[place]
        if len(self.constants) > _NARROW:
            shape = shape._replace(constant_units=2 if len(self.constants) <= 1 << 16 else 4)
        stub = make_stub(shape)
        self.fill["site"] = self.sites[site]
        self.fill["back"] = place[1] or 0
        self.fill["retry"] = place[3].target if place[3] else 0
        begin = len(self.tail) // 2
        self.tail += render(stub, self.fill, at)
        self.takeovers.append((begin + stub.takeover[0], begin + stub.takeover[1]))
        for start, end, target, depth, lasti in stub.rows:
            if target == SHELL:
                self.shell_rows.append((start + at, end + at, SHELL, depth, lasti))
            else:
                self.new_rows.append((start + at, end + at, target + at, depth, lasti))
        self.stacksize = max(self.stacksize, stub.stacksize)
        return at

    def _append_shell(self, entries: dict[_Place, int]) -> None:
        """Let what leaves a frame that took over come to the stub of the frame's outermost level, again and again."""
        shell = entries.get(self.shell)
        if shell is None:
            shell = entries[self.shell] = self._append_stub(self.shell)
        self.new_rows += [(start, end, shell, depth, lasti) for start, end, _, depth, lasti in self.shell_rows]

    def _rows_left(self, regions: list[_Region]) -> list[_PlainRow]:
        """Return what of the original rows stays with its own handler."""
        left: list[_PlainRow] = []
        index = 0
        for row in self.rows:
            at = row.start
            while index < len(regions) and regions[index][1] <= at:
                index += 1
            here = index
            while here < len(regions) and regions[here][0] < row.end:
                start, end = regions[here][:2]
                if start > at:
                    left.append((at, start, row.target, row.depth, row.lasti))
                at = max(at, end)
                here += 1
            if at < row.end:
                left.append((at, row.end, row.target, row.depth, row.lasti))
        return left

    def _verify(self, entries: dict[_Place, int]) -> None:
        """Check every row against the symbolic stack. Raises `DoesNotVerify`.

        The stubs themselves were run symbolically when they were made. What can crash the interpreter is a row that keeps
        another number of items than there are, or other kinds than the stub expects.
        """
        layouts = {entry: place[0] for place, entry in entries.items()}
        size = len(self.ops)
        end_of_last = 0
        for start, end, target, depth, _ in self.new_rows:
            if start < end_of_last or end <= start:
                raise DoesNotVerify("rows overlap")
            end_of_last = end
            if start >= size or target not in layouts:  # in a stub, or an original row
                continue
            layout = layouts[target]
            if self.stacks is None:
                if layout != self.outermost or depth != len(layout):
                    raise DoesNotVerify("a trap for a block where there is none")
                continue
            for stack in set(self.stacks[start:end]):
                if stack is not None and (stack, layout, depth) not in _verified:
                    _check_kept(stack, layout, depth)

    def _lines_of_tail(self) -> bytes:
        """Return the line table of the stubs: a frame that has handed over is on its first line, as those who look at stacks want a number."""
        delta = self.code.co_firstlineno - _last_line(self.code)
        lines = b""
        at = 0
        for start, end in self.takeovers:
            lines += no_lines(start - at) + on_line(end - start, delta)
            at, delta = end, 0
        return lines + no_lines(len(self.tail) // 2 - at)

    def _note_hidden(self) -> None:
        """Name the variables of comprehensions that the body of a class or module runs itself, in instructions that are never reached.

        From these the interpreter tells what is no name of the body, when code is made. Where the compiler has dropped a comprehension as
        dead code it would not know; it would then delete that name from the body's namespace when somebody reads `f_locals`.
        """
        if _LOAD_FAST_AND_CLEAR is not None and not self.code.co_flags & interpreter.OPTIMIZED:
            for slot in range(self.code.co_nlocals):
                self.tail += _instruction(_LOAD_FAST_AND_CLEAR, slot)

    def _replace(self) -> CodeType:
        code = self.code
        self._note_hidden()
        extra = {}
        if self.flags == interpreter.ASYNC_GENERATOR and not code.co_nlocals and not code.co_cellvars and not code.co_freevars:
            extra = {"co_varnames": (".driver",), "co_nlocals": 1}
        return code.replace(
            co_code=self.prefix + self.original + bytes(self.tail),
            co_consts=tuple(self.constants),
            co_exceptiontable=encode(self.new_rows),
            co_linetable=no_lines(self.start) + code.co_linetable + self._lines_of_tail(),
            co_stacksize=self.stacksize,
            **extra,  # type: ignore[arg-type]
        )


def _last_line(code: CodeType) -> int:
    """Return the line that a line table ends with, from which more of it counts on."""
    for lines in (deque(code.co_lines(), 4), list(code.co_lines())):
        for _, _, line in reversed(lines):
            if line is not None:
                return line
    return code.co_firstlineno


def _check_kept(stack: str, layout: str, depth: int) -> None:
    """Check that what a row keeps of a stack is what its stub expects. Raises `DoesNotVerify`."""
    if (not stack.startswith(layout) and stack[:depth].translate(LAYOUT_OF) != layout) or len(layout) != depth:
        raise DoesNotVerify(f"a trap for {layout!a} where the stack is {stack!a}")
    if len(_verified) < 20_000:
        _verified.add((stack, layout, depth))


_verified: set[tuple[str, str, int]] = set()  # stacks, layouts and depths that fit

_PUTS_BACK = ("SWAP", "POP_TOP", "STORE_")
_NARROW = 256  #: so many constants are reached without EXTENDED_ARG

_GET_ITER = OPCODE["GET_ITER"]
_GET_AITER = OPCODE["GET_AITER"]
_RETURN_GENERATOR = OPCODE["RETURN_GENERATOR"]
_RESUME = OPCODE["RESUME"]
_PUSH_EXC_INFO = OPCODE["PUSH_EXC_INFO"]
_WITH_EXCEPT_START = OPCODE["WITH_EXCEPT_START"]
_RERAISE = OPCODE["RERAISE"]
_LOAD_FAST_AND_CLEAR = "LOAD_FAST_AND_CLEAR" if "LOAD_FAST_AND_CLEAR" in OPCODE else None
_RAISE_VARARGS = OPCODE["RAISE_VARARGS"]
_RAISES_AGAIN = {_RERAISE, _RAISE_VARARGS}
#: What is mostly exempt, or a region by itself. Caches are zeros, so that what is found is an instruction.
_SPECIAL = re.compile(b"[" + re.escape(bytes((_RESUME, _RERAISE, _PUSH_EXC_INFO, _RAISE_VARARGS))) + b"]", re.DOTALL)
_SPECIAL_IN_EXPRESSION = re.compile(
    b"[" + re.escape(bytes((_RESUME, _RERAISE, _PUSH_EXC_INFO, _RAISE_VARARGS, OPCODE["YIELD_VALUE"]))) + b"]", re.DOTALL
)
_SWAPS_AND_POPS = bytes((OPCODE["SWAP"], OPCODE["POP_EXCEPT"]))
#: A number, and the same number or zeros behind it.
_RUNS = re.compile(rb"([^\0])(?:\1|\0)*", re.DOTALL)


def _instruction(name: str, arg: int) -> bytes:
    out = b""
    for shift in (24, 16, 8):
        if arg >> shift:
            out += bytes((OPCODE["EXTENDED_ARG"], arg >> shift & 255))
    return out + bytes((OPCODE[name], arg & 255)) + bytes(2 * (UNITS[OPCODE[name]] - 1))
