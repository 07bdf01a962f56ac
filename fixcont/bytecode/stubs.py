"""The handlers that are appended to code objects: templates, made once for each shape and filled in for each place.

A stub is entered with the items of the open blocks, the offset of the failing instruction and the exception on the stack. It asks
the hook, and then either restores the state and lets the exception go where it would have gone, puts another exception in its
place, or gives up the frame's blocks and hands over to a callable whose result the frame returns (a generator or coroutine
delegates to it). The hook is reached through `SHIM`, so that a trapped code object is plain data: it can be marshalled, pickled and
copied to a process that has no hook, where a trap does nothing.
"""

from __future__ import annotations

from functools import lru_cache
from types import CodeType
from typing import Any, NamedTuple

from fixcont.bytecode import interpreter
from fixcont.bytecode.assembler import Assembled, Assembler, Label, Later
from fixcont.bytecode.exceptiontable import Row, parse
from fixcont.bytecode.interpreter import (
    DIRECTION,
    HAS_ARGUMENT,
    JUMP_IF_NONE,
    JUMP_IF_NOT_NONE,
    JUMP_IF_TRUE,
    NAME,
    OPCODE,
    UNITS,
)
from fixcont.bytecode.original import HOOK_NAME as HOOK_NAME
from fixcont.bytecode.stack import NEVER_COPIED, symbolic_stacks
from fixcont.errors import DoesNotVerify

FILENAME = "<fixcont>"


class StubShape(NamedTuple):
    """What stubs that are alike have in common.

    Attributes:
        layout: the kinds of the items of open blocks on the stack, bottom first; see `stack`.
        kept: how many of them stay for the whole activation.
        forward_depth: how many items the handler behind the stub wants, or -1 where the exception leaves the frame.
        forward_lasti: whether that handler wants the offset of the failing instruction.
        flags: GENERATOR, COROUTINE or ASYNC_GENERATOR, else 0.
        cells: the slots of the cells that the hook gets.
        checks: comparisons to run first; if one matches, the handler behind takes the exception and the hook is not asked.
        constant_units: code units of an instruction that loads a constant: 1, 2 or 4.
        retry_depth: where no `except` clause has matched, how many items its handler wants: an exception that the hook puts in
            place goes to that handler once more, and so has its chance with the clauses; elsewhere -1.
        retry_lasti: whether that handler wants the offset of the failing instruction.
    """

    layout: str
    kept: int
    forward_depth: int
    forward_lasti: int
    flags: int
    cells: tuple[int, ...]
    checks: tuple[bytes, ...] = ()
    constant_units: int = 1
    retry_depth: int = -1
    retry_lasti: int = 0


#: Where rows of a stub lead that lie outside of it: to the stub that takes what leaves the handed-over frame.
SHELL = -1


class Stub(NamedTuple):
    """An assembled stub.

    Attributes:
        code: its bytes.
        holes: where "site", "shim", "pair", "none" (constants), "back" and "retry" (jumps to handlers) go.
        rows: exception table rows from the stub's start on; a target of `SHELL` is filled in later.
        stacksize: how deep the stack gets.
        takeover: the units from the call of the callable to the end, which run for as long as it does.
    """

    code: bytes
    holes: list[tuple[str, int, int]]
    rows: list[Row]
    stacksize: int
    takeover: tuple[int, int]


def _template(source: str) -> CodeType:
    namespace: dict[str, Any] = {}
    exec(compile(source, FILENAME, "exec", dont_inherit=True), namespace)
    code: CodeType = namespace["template"].__code__
    return code


def uninterrupted(code: CodeType) -> CodeType:
    """Return code that does not look for signals as it starts, so that Ctrl-C cannot fall between a trap and the hook."""
    raw = bytearray(code.co_code)
    for at in range(0, len(raw), 2):
        if raw[at] == OPCODE["RESUME"]:
            raw[at + 1] |= 2
            break
    return code.replace(co_code=bytes(raw))


_SHIM_SOURCE = """
def template(exception, site, stack, handled, cells):
    try: return HOOK(exception, site, stack, handled, cells)
    except: return None
"""


def _make_shim() -> CodeType:
    code = _template(_SHIM_SOURCE)
    names = tuple(HOOK_NAME if name == "HOOK" else name for name in code.co_names)
    return uninterrupted(code.replace(co_names=names, co_name=HOOK_NAME, co_qualname=HOOK_NAME, co_linetable=b""))


#: Calls the hook if there is one. A failure to do so (no hook here, no stack left for it) counts as its "go on".
SHIM = _make_shim()
#: Packs a `with` block's exit and its self, which may be NULL and then is no argument.
PAIR = uninterrupted(_template("def template(*parts): return parts").replace(co_name=HOOK_NAME, co_qualname=HOOK_NAME))

_TAILS = {
    interpreter.GENERATOR: "def template(x):\n return (yield from x)",
    interpreter.COROUTINE: "async def template(x):\n return await x",
    # x: a driver that is awaited for one step; ~x is the value to yield, x(…) takes what was sent, -x what was thrown
    interpreter.ASYNC_GENERATOR: "async def template(x):\n while await x:\n  try: x((yield ~x))\n  except: -x",
}
GENERATOR_KINDS = interpreter.GENERATOR | interpreter.COROUTINE | interpreter.ASYNC_GENERATOR


class _Writer:
    """Writes one stub; `height` is how many items lie on the stack at the current instruction."""

    def __init__(self, shape: StubShape) -> None:
        self.shape = shape
        self.asm = Assembler()
        self.depth = len(shape.layout)
        self.height = self.depth + 3  # with lasti, the exception handled before, the exception
        self.rows: list[tuple[Label, Label, Label | None, int]] = []

    def constant(self, what: str) -> Later:
        return Later(what, self.shape.constant_units)

    def load(self, index: int) -> None:
        """Copy the item at `index` from the bottom to the top."""
        self.asm.op("COPY", self.height - index)
        self.height += 1

    def write(self) -> Stub:
        asm = self.asm
        asm.op("PUSH_EXC_INFO")
        go_on, taken, failed = Label(), Label(), Label()
        asking = asm.place()
        for check in self.shape.checks:
            asm.raw(check)
            asm.jump_if(JUMP_IF_TRUE, go_on)
        self._ask()
        asked = asm.place()
        asm.op("COPY", 1)
        asm.jump_if(JUMP_IF_NOT_NONE, taken)
        asm.op("POP_TOP")
        asm.place(go_on)  # [items lasti handled exception]
        asm.op("SWAP", 2)
        asm.op("POP_EXCEPT")
        self._forward()
        asm.place(taken)  # [items lasti handled exception result]
        self._replace(go_on)
        self._abandon()
        begin, end = self._hand_over()
        asm.place(failed)  # [items lasti handled exception | lasti2 exception2]: the hook could not be asked
        asm.op("POP_TOP")
        asm.op("POP_TOP")
        asm.op("JUMP_BACKWARD_NO_INTERRUPT", go_on)
        self.rows.append((asking, asked, failed, self.depth + 3))
        return self._finish(begin, end)

    def _ask(self) -> None:
        """Call the shim with the exception, the site, the items, the exception handled before, and the cells."""
        asm, depth = self.asm, self.depth
        asm.begin_call(self.constant("shim"))
        self.height += 2
        self.load(depth + 2)
        asm.op("LOAD_CONST", self.constant("site"))
        self.height += 1
        self._pack_items()
        self.load(depth + 1)
        for cell in self.shape.cells:
            asm.op(interpreter.LOAD_CELL, cell)
        asm.op("BUILD_TUPLE", len(self.shape.cells))
        asm.call(5)
        self.height = depth + 4

    def _pack_items(self) -> None:
        layout = self.shape.layout
        count = 0
        for index, kind in enumerate(layout):
            if kind in NEVER_COPIED:
                continue
            count += 1
            if kind == "w" and layout[index + 1 : index + 2] == "s":
                self._load_exit(index)
            else:
                self.load(index)
        self.asm.op("BUILD_TUPLE", count)
        self.height += 1 - count

    def _load_exit(self, index: int) -> None:
        """Put a tuple of an exit and its self on the stack. The self may be NULL, so it goes where a call takes one."""
        self.asm.make_function(self.constant("pair"))
        self.height += 1
        self.load(index + 1)
        self.load(index)
        self.asm.call(1)
        self.height -= 2

    def _forward(self) -> None:
        """Go where the exception would have gone: [items lasti exception]."""
        asm, shape = self.asm, self.shape
        if shape.forward_depth < 0:
            asm.op("RERAISE", 1)
            return
        for _ in range(self.depth - shape.forward_depth):
            asm.op("SWAP", 3)
            asm.op("POP_TOP")
            asm.op("SWAP", 2)
        if not shape.forward_lasti:
            asm.op("SWAP", 2)
            asm.op("POP_TOP")
        asm.op("JUMP_BACKWARD_NO_INTERRUPT", Later("back", 3))

    def _replace(self, go_on: Label) -> None:
        """The hook's result is (other exception or None, callable or None): put another exception in place, or fall through."""
        asm = self.asm
        hand_over = Label()
        asm.op("UNPACK_SEQUENCE", 2)  # [… handled exception callable other]
        asm.op("COPY", 1)
        asm.jump_if(JUMP_IF_NONE, hand_over)
        for _ in range(2):
            asm.op("SWAP", 2)
            asm.op("POP_TOP")
        if self.shape.retry_depth < 0:
            asm.op("JUMP_BACKWARD_NO_INTERRUPT", go_on)
        else:
            self._retry()
        asm.place(hand_over)
        asm.op("POP_TOP")

    def _retry(self) -> None:
        """Give another exception to the handler that this one has come through: [items before lasti handled other]."""
        asm = self.asm
        asm.op("SWAP", 2)
        asm.op("POP_EXCEPT")  # what this stub saved
        asm.op("SWAP", 3)
        asm.op("POP_EXCEPT")  # what that handler saved: [items other lasti]
        if self.shape.retry_lasti:
            asm.op("SWAP", 2)
        else:
            asm.op("POP_TOP")
        asm.op("JUMP_BACKWARD_NO_INTERRUPT", Later("retry", 3))

    def _abandon(self) -> None:
        """Drop all but the callable, restoring what was handled before at each level: [items lasti handled exception callable]."""
        asm = self.asm
        drops = ["POP_TOP", "POP_EXCEPT", "POP_TOP"]  # exception, handled, lasti
        drops += ["POP_EXCEPT" if kind == "e" else "POP_TOP" for kind in reversed(self.shape.layout[self.shape.kept :])]
        for drop in drops:
            asm.op("SWAP", 2)
            asm.op(drop)

    def _hand_over(self) -> tuple[Label, Label]:
        """Call the callable and return, or delegate to, its result. What leaves it comes back to a stub, for as long as it runs."""
        asm = self.asm
        begin = asm.place()
        asm.call_top()
        if not self.shape.flags:
            end = asm.place()
            asm.op("RETURN_VALUE")
            self.rows.append((begin, end, None, self.shape.kept))
            return begin, end
        return begin, self._delegate(begin)

    def _delegate(self, begin: Label) -> Label:
        """Copy the instructions of a template that this interpreter compiled, so that they fit it."""
        code = _template(_TAILS[self.shape.flags])
        ops, args = code.co_code[::2], code.co_code[1::2]
        rows = [row for row in parse(code.co_exceptiontable) if ops[row.target] != OPCODE.get("CALL_INTRINSIC_1", -1)]
        wrapper = [row.target for row in parse(code.co_exceptiontable) if ops[row.target] == OPCODE.get("CALL_INTRINSIC_1", -1)]
        last = min(wrapper, default=len(ops))
        if self.shape.flags == interpreter.ASYNC_GENERATOR:
            self.asm.op("STORE_FAST", 0)
            first = next(at for at in range(len(ops)) if ops[at] == OPCODE["RESUME"]) + UNITS[OPCODE["RESUME"]]
        else:
            first = next(at for at in range(len(ops)) if NAME[ops[at]].startswith("LOAD_FAST")) + 1
        labels = {at: Label() for at in range(first, last + 1)}
        at = first
        while at < last:
            self.asm.place(labels[at])
            self._copy_instruction(code, ops[at], args[at], at, labels)
            at += UNITS[ops[at]]
        end = self.asm.place(labels[last])
        self._cover_delegation(begin, end, [row for row in rows if row.end > first], first, labels)
        return end

    def _copy_instruction(self, code: CodeType, op: int, arg: int, at: int, labels: dict[int, Label]) -> None:
        name = NAME[op]
        if DIRECTION[op]:
            self.asm.op(name, labels[at + UNITS[op] + arg * DIRECTION[op]])
        elif name in ("LOAD_CONST", "RETURN_CONST"):
            if code.co_consts[arg] is not None:
                raise DoesNotVerify("the interpreter's template has an unknown constant")
            self.asm.op("LOAD_CONST", self.constant("none"))
            if name == "RETURN_CONST":
                self.asm.op("RETURN_VALUE")
        elif name.startswith("LOAD_FAST"):  # the driver lies in a cell, as slot 0 may be that of a cell
            self.asm.op("LOAD_DEREF", 0)
        else:
            self.asm.op(name, arg if HAS_ARGUMENT[op] else 0)

    def _cover_delegation(self, begin: Label, end: Label, rows: list[Row], first: int, labels: dict[int, Label]) -> None:
        """Keep the template's rows, and let everything else that is raised go to the shell's stub."""
        kept = self.shape.kept
        at = begin
        for row in rows:
            start = labels[max(row.start, first)]
            self.rows.append((at, start, None, kept))
            self.rows.append((start, labels[row.end], labels[row.target], row.depth + kept << 1 | row.lasti | _ENCODED))
            at = labels[row.end]
        self.rows.append((at, end, None, kept))

    def _finish(self, begin: Label, end: Label) -> Stub:
        assembled = self.asm.assemble()
        places = assembled.places
        rows = []
        for start, stop, target, depth in self.rows:
            lasti = 1
            if depth & _ENCODED:
                depth, lasti = (depth & ~_ENCODED) >> 1, depth & 1
            if places[start] < places[stop]:
                rows.append(Row(places[start], places[stop], SHELL if target is None else places[target], depth, lasti))
        rows.sort()
        stacksize = _verified_stacksize(assembled, rows, self.shape, places[begin])
        return Stub(assembled.code, assembled.holes, rows, stacksize, (places[begin], places[end]))


_ENCODED = 1 << 30  # marks a depth that carries its own lasti bit


#: Instructions that make objects of as many items as their argument says.
_PACKS = ("BUILD_TUPLE", "PRECALL" if interpreter.HAS_PRECALL else "CALL")


def _verified_stacksize(assembled: Assembled, rows: list[Row], shape: StubShape, takeover: int) -> int:
    """Run a stub symbolically; return how deep its stack gets. Raises `DoesNotVerify`."""
    ops, args = bytearray(assembled.code[::2]), bytearray(assembled.code[1::2])
    retried = shape.layout[: max(shape.retry_depth, 0)] + ("l" if shape.retry_lasti else "")
    forwarded = shape.layout[: max(shape.forward_depth, 0)] + ("l" if shape.forward_lasti else "")
    # what lies below the exception where a path leads out of the stub
    left = {"back": forwarded, "retry": retried}
    exits = {start + units - 1: left[what] for what, start, units in assembled.holes if what in left}
    for at in exits:
        ops[at] = OPCODE["RERAISE"]
    inner = [row for row in rows if row.target != SHELL]
    try:
        stacks = symbolic_stacks(bytes(ops), bytes(args), inner, 0, shape.layout + "lx")
    except (IndexError, ValueError) as problem:
        raise DoesNotVerify(str(problem)) from problem
    for at, stack in enumerate(stacks):
        if stack is None:
            continue
        name = NAME[ops[at]]
        packed = args[at] if name in _PACKS else 0
        if packed and NEVER_COPIED & set(stack[-packed:]):
            raise DoesNotVerify(f"{name} takes what is no object")
        if name == "RERAISE" and at < takeover and stack[:-1] != exits.get(at, shape.layout + "l"):
            raise DoesNotVerify("the exception would go on with another stack than it had")
        if at == takeover and stack[:-1] != shape.layout[: shape.kept]:
            raise DoesNotVerify("the frame is handed over with something left on its stack")
    return max(len(stack) for stack in stacks if stack is not None) + 2


@lru_cache(maxsize=4096)
def make_stub(shape: StubShape) -> Stub:
    """Return the stub of a shape. Raises `DoesNotVerify`."""
    return _Writer(shape).write()


def render(stub: Stub, fill: dict[str, int], at: int) -> bytearray:
    """Return a stub's bytes for one place.

    Args:
        stub: the template.
        fill: index of the constants "site", "shim", "pair" and "none"; "back", "retry": the code units of those handlers.
        at: the code unit where the stub will begin.
    """
    code = bytearray(stub.code)
    for what, start, units in stub.holes:
        value = at + start + units - fill[what] if what in ("back", "retry") else fill[what]
        if value < 0 or value >> 8 * units:
            raise DoesNotVerify(f"no room for the argument {what}")
        for index in range(units):
            code[2 * (start + index) + 1] = value >> 8 * (units - 1 - index) & 255
    return code
