"""The symbolic stack: what lies where on the value stack at each instruction of a code object.

A stack is a string, one character an item, bottom first. Lower-case letters are the kinds that outlive a statement or
that must be handled with care; every other item is the character of the instruction that pushed it (see `pushed_by`).

    i  iterator of a running `for` loop          n  its partner: an index (a tagged int) or NULL, where loops keep one
    a  iterator of a running `async for` loop    w  exit of an open `with` block    s  its self, or NULL, where `with` keeps one
    e  the exception that was handled before     x  the exception being handled now
    l  offset of a failing instruction (lasti)   p  an argument, kept as it was at entry
    r  a value on its way out through a `finally` body
    g  in an `except*` body, the list of what its clauses have raised, above "e" and the original "x"
    u  the rest of the group, which no clause has taken yet
"""

from __future__ import annotations

from collections.abc import Sequence
from types import CodeType

from fixcont.bytecode import interpreter
from fixcont.bytecode.exceptiontable import Row, parse
from fixcont.bytecode.interpreter import DIRECTION, HAS_ARGUMENT, NAME, OPCODE, UNITS, stack_effect

#: What must never become an object of its own: NULL, or a tagged int.
NEVER_COPIED = frozenset("snl")
#: What blocks keep on the stack.
BLOCK_KINDS = frozenset("iawsnelxrgu")
_FIRST_PUSHED = 0x100
_LAST_PUSHED = 0x10FFFF

_SPECIAL = {
    "SWAP", "COPY", "GET_ITER", "GET_AITER", "BEFORE_WITH", "BEFORE_ASYNC_WITH", "LOAD_SPECIAL",
    "PUSH_EXC_INFO", "CHECK_EG_MATCH", "RETURN_GENERATOR", "UNPACK_SEQUENCE", "UNPACK_EX",
}  # fmt: skip
_ENDS = {"RETURN_VALUE", "RETURN_CONST", "RERAISE", "RAISE_VARARGS", "INTERPRETER_EXIT"}
_ALWAYS_JUMPS = {"JUMP_FORWARD", "JUMP_BACKWARD", "JUMP_BACKWARD_NO_INTERRUPT"}
#: These leave the items that they do not pop as they are; all others put a result on top.
_POPS_ONLY = (
    "POP_", "STORE_", "DELETE_", "JUMP", "LIST_APPEND", "SET_ADD", "MAP_ADD", "LIST_EXTEND", "SET_UPDATE", "DICT_UPDATE",
    "DICT_MERGE", "NOP", "RESUME", "END_FOR", "NOT_TAKEN", "SETUP_ANNOTATIONS", "COPY_FREE_VARS", "MAKE_CELL", "KW_NAMES",
    "PRECALL", "CACHE", "FOR_ITER", "CHECK_EXC_MATCH", "END_ASYNC_FOR", "IMPORT_STAR", "PRINT_EXPR",
)  # fmt: skip

#: Never in `co_code`: what the interpreter puts into the copy that it runs, and numbers that are not in use.
_NEVER_MET = ("INSTRUMENTED_", "RESERVED", "ENTER_EXECUTOR", "TRACE_RECORD", "<")
_ORDINARILY, _END, _SPECIALLY = range(3)


class Inconsistent(ValueError):
    """Code takes more from the stack than there is, or two paths to a place leave different stacks there."""


def pushed_by(unit: int) -> str:
    """Return the character of an item that the instruction at `unit` pushed."""
    return chr(_FIRST_PUSHED + unit)


def _effect(op: int, arg: int, *, jump: bool = False) -> int:
    return stack_effect(op, arg if HAS_ARGUMENT[op] else None, jump=jump)


def _argument_mask(op: int) -> int:
    """Return which bits of an instruction's argument make a difference to the stack: none, the lowest, or all."""
    name = NAME[op]
    if name in _SPECIAL:
        return 255
    if not HAS_ARGUMENT[op] or name in _ENDS:
        return 0
    effects: tuple[set[tuple[int, int]], set[tuple[int, int]]] = (set(), set())  # of even arguments, of odd ones
    for arg in (0, 1, 2, 3, 4, 5, 8, 16, 32, 33, 64, 128, 255):
        try:
            effects[arg & 1].add((_effect(op, arg), _effect(op, arg, jump=True)))
        except ValueError:  # an argument that the instruction never has
            continue
    if len(effects[0] | effects[1]) == 1:
        return 0
    return 1 if len(effects[0]) == len(effects[1]) == 1 else 255


_MASKS = [0 if name.startswith(_NEVER_MET) else _argument_mask(op) for op, name in enumerate(NAME)]
_ACTION = [_SPECIALLY if name in _SPECIAL else _END if name in _ENDS else _ORDINARILY for name in NAME]
_IS_POPS_ONLY = [name.startswith(_POPS_ONLY) for name in NAME]

_varying: dict[tuple[int, int, bool], int] = {}  # (opcode, argument, jump) -> effect


def _varying_effect(op: int, arg: int, jump: bool) -> int:
    key = op, arg, jump
    effect = _varying.get(key)
    if effect is None:
        effect = _effect(op, arg, jump=jump)
        if len(_varying) < 100_000:
            _varying[key] = effect
    return effect


def apply_effect(op: int, effect: int, stack: str, item: str) -> str:
    """Return the stack after an instruction without special treatment. Raises `Inconsistent`."""
    if effect > 0:
        return stack + item * effect
    if _IS_POPS_ONLY[op]:
        if len(stack) < -effect:
            raise Inconsistent(NAME[op])
        return stack[:effect] if effect else stack
    if len(stack) < 1 - effect:
        raise Inconsistent(NAME[op])
    return stack[: effect - 1] + item


def _apply_special(op: int, arg: int, stack: str, item: str) -> str:
    """Return the stack after one of the instructions in `_SPECIAL`. Raises `Inconsistent`."""
    name = NAME[op]
    size = len(stack)
    if (name in ("SWAP", "COPY") and size < arg) or (size < 1 and name != "RETURN_GENERATOR"):
        raise Inconsistent(name)
    if name == "COPY":
        return stack + stack[-arg]
    if name == "SWAP":
        if arg == 1:
            return stack
        return stack[: size - arg] + stack[-1] + stack[size - arg + 1 : -1] + stack[size - arg]
    if name == "GET_ITER":
        if not interpreter.LOOP_KEEPS_INDEX:
            return stack[:-1] + "i"
        return stack[:-1] + "in" if arg == 0 else stack + item  # an argument marks `yield from`
    if name == "GET_AITER":
        return stack[:-1] + "a"
    if name in ("BEFORE_WITH", "BEFORE_ASYNC_WITH"):
        return stack[:-1] + "w" + item
    if name == "LOAD_SPECIAL":  # 1 and 3 are __exit__ and __aexit__
        return stack[:-1] + ("ws" if arg in (1, 3) else item * 2)
    if name == "PUSH_EXC_INFO":
        return stack[:-1] + "ex"
    if name == "CHECK_EG_MATCH":
        if size < 3:
            raise Inconsistent(name)
        return stack[:-3] + "gu" + item
    if name == "RETURN_GENERATOR":
        return stack + item
    return stack[:-1] + item * (_varying_effect(op, arg, False) + 1)  # UNPACK_SEQUENCE, UNPACK_EX


class _State(dict[int, tuple[int, "_State"]]):
    """One symbolic stack and, filled as they are met, the stacks that instructions lead to.

    Most stacks of all code are the same few hundred, so a run over a code object is a walk through these: many times faster than
    computing each stack anew.

    Key: the opcode, with the bits of the argument that matter shifted by 8; `_NOT_JUMPING` or `_JUMPING` is added for a jump's two
    ways. Value: the code units to the next instruction, and the state there; 0 units where more than that is to be done.
    """

    __slots__ = ("stack",)

    def __init__(self, stack: str) -> None:
        super().__init__()
        self.stack = stack

    def __missing__(self, key: int) -> tuple[int, _State]:
        op = key & 255
        if _FLOW[op] and key < _NOT_JUMPING:
            step = 0, self
        else:
            stack = after(op, key >> 8 & 255, self.stack, jump=key >= _JUMPING)
            step = UNITS[op], _state(stack)
        self[key] = step
        return step


_NOT_JUMPING = 1 << 16
_JUMPING = 1 << 17
_ORDINARY = "\x80"
_states: dict[str, _State] = {}  # stack -> its state


def _state(stack: str) -> _State:
    state = _states.get(stack)
    if state is None:
        if len(_states) >= 20_000:
            _forget_states()
        state = _states[stack] = _State(stack)
    return state


def _forget_states() -> None:
    """Drop the states, which refer to each other. Runs that are under way keep those that they use."""
    for state in _states.values():
        state.clear()
    _states.clear()


def after(op: int, arg: int, stack: str, item: str = _ORDINARY, *, jump: bool = False) -> str:
    """Return the stack behind an instruction (of a jump: where it does not jump, or with `jump` where it does).

    Raises:
        Inconsistent: there is not enough on the stack.
    """
    if _ACTION[op] == _SPECIALLY:
        return _apply_special(op, arg, stack, item)
    if _ACTION[op] == _END:
        return stack
    return apply_effect(op, _varying_effect(op, arg, jump), stack, item)


def symbolic_stacks(ops: bytes, args: bytes, rows: Sequence[Row], start: int = 0, initial: str = "") -> list[str | None]:
    """Run code symbolically and return the stack before each instruction.

    Args:
        ops: the opcodes, one a code unit (`co_code[::2]`).
        args: the arguments, one a code unit.
        rows: the exception table.
        start: the code unit to begin at.
        initial: the stack there.

    Returns:
        By code unit; None where no path leads to and inside caches. The units of EXTENDED_ARG have the stack of their instruction.

    Raises:
        Inconsistent: the code takes more from the stack than there is.
        ValueError: the code is too large.
    """
    if len(ops) > _LAST_PUSHED - _FIRST_PUSHED:
        raise ValueError("code object too large")
    run = _IdentifyingRun(ops, args) if _returns_late(ops) and may_have_finally(ops, rows) else _Run(ops, args)
    run.follow(start, initial)
    pending = list(rows)
    while pending:
        reached, pending = _reached_handlers(ops, run, pending)
        if not reached:
            break
        for target, stack in reached:
            run.follow(target, stack)
    return run.stacks()


def may_have_finally(ops: bytes, rows: Sequence[Row]) -> bool:
    """Tell whether a handler may be a `finally` body, so that a value may be on its way out through a copy of it."""
    for row in rows:
        target = row.target
        if ops[target] == _PUSH_EXC_INFO and ops[target + 1] not in (_WITH_EXCEPT_START, _POP_TOP):
            if ops.find(_CHECK_EXC_MATCH, target, target + 12) < 0:
                return True
    return False


def _returns_late(ops: bytes) -> bool:
    """Tell whether what stands before a RETURN_VALUE is no instruction that gives the value: then it may have been there for longer."""
    at = ops.find(_RETURN_VALUE)
    while at >= 0:
        before = at - 1
        while before > 0 and not ops[before]:  # caches
            before -= 1
        if _GIVES_NO_VALUE[ops[before]]:
            return True
        at = ops.find(_RETURN_VALUE, at + 1)
    return False


class _Run:
    """A run over a code object in which items that have no kind of their own are all alike.

    Attributes:
        states: by code unit; None where the run has not been.
    """

    def __init__(self, ops: bytes, args: bytes) -> None:
        self._ops = ops
        self._args = args
        self.states: list[_State | None] = [None] * len(ops)

    def stack_at(self, unit: int) -> str | None:
        state = self.states[unit]
        return None if state is None else state.stack

    def stacks(self) -> list[str | None]:
        return [None if state is None else state.stack for state in self.states]

    def follow(self, start: int, stack: str) -> None:
        """Follow all paths from a place. Raises `Inconsistent`, and IndexError where one leads out of the code."""
        work = [(start, _state(stack))]
        while work:
            self._follow_one(*work.pop(), work)

    def _follow_one(self, at: int, state: _State, work: list[tuple[int, _State]]) -> None:
        """Follow a path until it ends or meets a place that was visited; put where it branches into `work`."""
        ops, args, states, masks = self._ops, self._args, self.states, _MASKS
        while states[at] is None:
            states[at] = state
            op = ops[at]
            units, following = state[op | (args[at] & masks[op]) << 8]
            if units:
                at += units
                state = following
                continue
            arg = args[at]
            while _FLOW[op] == _EXTENDS:
                at += 1
                states[at] = state
                op = ops[at]
                arg = arg << 8 | args[at]
            flow = _FLOW[op]
            if flow == _ENDS_PATH:
                return
            if not flow:  # it has a long argument
                state = _state(after(op, arg, state.stack))
                at += UNITS[op]
                continue
            target = at + UNITS[op] + arg * DIRECTION[op]
            jumped = state[op | _JUMPING][1]
            if flow == _JUMPS_ON:
                at, state = target, jumped
                continue
            visited = states[target]
            if visited is None:
                work.append((target, jumped))
            elif visited is not jumped:
                _check_agree(visited.stack, jumped.stack, target)
            units, state = state[op | _NOT_JUMPING]
            at += units
        if states[at] is not state:
            _check_agree(self.stack_at(at), state.stack, at)


class _IdentifyingRun:
    """A run in which each item is the character of the instruction that pushed it: for code that may have `finally` bodies."""

    def __init__(self, ops: bytes, args: bytes) -> None:
        self._ops = ops
        self._args = args
        self._stacks: list[str | None] = [None] * len(ops)

    def stack_at(self, unit: int) -> str | None:
        return self._stacks[unit]

    def stacks(self) -> list[str | None]:
        _mark_returned(self._ops, self._stacks)
        return self._stacks

    def follow(self, start: int, stack: str) -> None:
        """Follow all paths from a place. Raises `Inconsistent`, and IndexError where one leads out of the code."""
        work = [(start, stack)]
        while work:
            self._follow_one(*work.pop(), work)

    def _follow_one(self, at: int, stack: str, work: list[tuple[int, str]]) -> None:
        ops, args, stacks = self._ops, self._args, self._stacks
        while stacks[at] is None:
            stacks[at] = stack
            op, arg = ops[at], args[at]
            while _FLOW[op] == _EXTENDS:
                at += 1
                stacks[at] = stack
                op = ops[at]
                arg = arg << 8 | args[at]
            flow = _FLOW[op]
            if flow == _ENDS_PATH:
                return
            following = at + UNITS[op]
            if flow:
                target = following + arg * DIRECTION[op]
                jumped = after(op, arg, stack, pushed_by(at), jump=True)
                if flow == _JUMPS_ON:
                    at, stack = target, jumped
                    continue
                if stacks[target] is None:
                    work.append((target, jumped))
            stack = after(op, arg, stack, pushed_by(at))
            at = following


def _check_agree(one: str | None, other: str, at: int) -> None:
    """Raise `Inconsistent` if two paths to a place leave stacks that differ in more than what kind of object an item is.

    The clean-up of an inlined comprehension is reached with its iterator and its result in either order.
    """
    if one is not None and one.translate(_OBJECTS) != other.translate(_OBJECTS):
        raise Inconsistent(f"two stacks at {at}: {one!a} and {other!a}")


_OBJECTS = {ord(kind): "o" for kind in "iax\x80"}


_RETURN_VALUE = OPCODE["RETURN_VALUE"]
_PUSH_EXC_INFO = OPCODE["PUSH_EXC_INFO"]
_WITH_EXCEPT_START = OPCODE["WITH_EXCEPT_START"]
_POP_TOP = OPCODE["POP_TOP"]
_CHECK_EXC_MATCH = OPCODE["CHECK_EXC_MATCH"]
_EXTENDS, _ENDS_PATH, _JUMPS_ON, _MAY_JUMP = 1, 2, 3, 4


def _flow(op: int) -> int:
    """How control goes on behind an instruction: 0 to the next one."""
    name = NAME[op]
    if name == "EXTENDED_ARG":
        return _EXTENDS
    if name in _ENDS:
        return _ENDS_PATH
    if DIRECTION[op]:
        return _JUMPS_ON if name in _ALWAYS_JUMPS else _MAY_JUMP
    return 0


_FLOW = [_flow(op) for op in range(256)]
_GIVES_NO_VALUE = [_IS_POPS_ONLY[op] or _FLOW[op] != 0 or name in ("SWAP", "COPY") for op, name in enumerate(NAME)]


def _reached_handlers(ops: bytes, run: _Run | _IdentifyingRun, pending: Sequence[Row]) -> tuple[list[tuple[int, str]], list[Row]]:
    """Return the handlers that can be reached by now, with their stacks, and the rows that cannot be reached yet."""
    reached: dict[int, str] = {}
    left = []
    for row in pending:
        if row.target in reached or run.stack_at(row.target) is not None:
            continue
        # A handler's own PUSH_EXC_INFO is covered by its clean-up though it cannot fail; its stack lacks what it pushes.
        first = row.start + (ops[row.start] == _PUSH_EXC_INFO)
        covered = next((stack for unit in range(first, row.end) if (stack := run.stack_at(unit)) is not None), None)
        if covered is None:
            left.append(row)
        else:
            reached[row.target] = covered[: row.depth] + ("lx" if row.lasti else "x")
    return list(reached.items()), left


def _mark_returned(ops: bytes, stacks: list[str | None]) -> None:
    """Give the kind `r` to the values that a `return` carries out through `finally` bodies."""
    returned = set()
    at = ops.find(_RETURN_VALUE)
    while at >= 0:
        stack = stacks[at]
        if stack and stack[-1] >= "\x80":
            returned.add(stack[-1])
        at = ops.find(_RETURN_VALUE, at + 1)
    # A value that is returned at once never lies below another item at a statement; only those of a `finally` body do.
    below = {stack[:-1] for stack in stacks if stack}
    returned = {item for item in returned if any(item in stack for stack in below)}
    if returned:
        table = {ord(item): "r" for item in returned}
        for at, stack in enumerate(stacks):
            if stack:
                stacks[at] = stack.translate(table)


class Stacks:
    """The symbolic stacks of a code object without traps.

    Attributes:
        rows: the exception table.
        by_unit: see `symbolic_stacks`.

    Raises:
        ValueError, IndexError: no compiler made the code.
    """

    def __init__(self, code: CodeType) -> None:
        self.rows = parse(code.co_exceptiontable)
        raw = code.co_code
        self.by_unit = symbolic_stacks(raw[::2], raw[1::2], self.rows, 0, "")

    def block_kinds_at(self, unit: int, *, failed: bool = False) -> str:
        """Return the kinds of what open blocks keep on the stack at an instruction.

        Args:
            failed: once the instruction has failed: then what it takes is gone, so the exit of a `with` block that fails as it is called.
        """
        while unit > 0 and self.by_unit[unit] is None:  # caches
            unit -= 1
        stack = self.by_unit[unit] or ""
        if failed:
            stack = statement_stack(stack, next((row.depth for row in self.rows if row.start <= unit < row.end), 0))
        return stack[: next((index for index, kind in enumerate(stack) if kind not in BLOCK_KINDS), len(stack))]


def statement_stack(stack: str, depth: int) -> str:
    """Return the part of a stack that belongs to no expression: what open blocks keep there.

    Args:
        stack: the symbolic stack at an instruction.
        depth: how many items are surely such: those that the row keeps that covers the instruction.
    """
    size = len(stack)
    while depth < size:
        # The exception that a `finally` body keeps counts only below a loop of that body: on top it is
        # taken by the instruction that raises it again, and is gone when that has failed.
        if stack[depth] not in "inar" and not (stack[depth] == "x" and stack[depth + 1 : depth + 2] in _BLOCKS):
            break
        depth += 1
    return stack[:depth]


_BLOCKS = frozenset("inar")


class _Ordinary(dict[int, str]):
    """Translates every item that has no kind of its own to "o"."""

    def __missing__(self, item: int) -> str:
        return chr(item) if item < 0x80 else "o"


#: For `str.translate`.
LAYOUT_OF = _Ordinary()

#: The layout of what is never reached, and of caches.
NOWHERE = "-"
#: The layout where less is on the stack than the row keeps. What stands there raises nothing: from 3.15 on the compiler's row for a
#: generator expression goes on to its end, when the loop has left the stack.
TOO_SMALL = "<"


class _Layouts(dict["str | None", str]):
    """Stack -> the kinds of the items that open blocks keep, "o" for those that have no kind of their own.

    Most stacks are the same few hundred. None, for where nothing comes, has `NOWHERE`.
    """

    def __init__(self, base: int) -> None:
        super().__init__({None: NOWHERE})
        self._base = base

    def __missing__(self, stack: str | None) -> str:
        assert stack is not None
        layout = statement_stack(stack, self._base).translate(LAYOUT_OF) if len(stack) >= self._base else TOO_SMALL
        if len(self) < 5_000:
            self[stack] = layout
        return layout


_layouts: dict[int, _Layouts] = {}  # depth of a row -> the layouts there


def layouts_on(base: int) -> _Layouts:
    layouts = _layouts.get(base)
    if layouts is None:
        layouts = _layouts[base] = _Layouts(base)
    return layouts
