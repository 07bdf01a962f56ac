"""Expressions read off the bytecode, and their values in a scope.

A value that would need code of the debuggee is UNKNOWN; a call gives a `Call`, which says what would be called with what.
"""

from __future__ import annotations

import dis
from collections.abc import Callable, Iterable
from types import CodeType, ModuleType
from typing import Final

from fixcont.bytecode.interpreter import HAS_ARGUMENT, NULL_BEFORE_CALLABLE, OPCODE
from fixcont.stopping.prediction.codes import Instruction, View
from fixcont.stopping.prediction.values import MISSING, UNKNOWN, Scope, attribute, is_instance


class Call:
    """The value of a call that was not made.

    Attributes:
        function: what would be called, or UNKNOWN.
        receiver: the object whose method it is, or MISSING.
        args: the values of the positional arguments, None where they are not known.
        kwargs: the values of the named arguments.
    """

    __slots__ = ("args", "function", "kwargs", "receiver")

    def __init__(self, function: object, receiver: object, args: tuple[object, ...] | None, kwargs: dict[str, object]) -> None:
        self.function = function
        self.receiver = receiver
        self.args = args
        self.kwargs = kwargs


class Expression:
    """An expression whose parts are expressions; this one is of no known form."""

    __slots__ = ()

    def value(self, scope: Scope) -> object:
        """Return the value in a scope, a `Call`, or UNKNOWN."""
        scope.is_cacheable = False
        return UNKNOWN

    @property
    def last_name(self) -> str:
        """The name by which it is reached: that of the variable or the attribute, else ""."""
        return ""


class Global(Expression):
    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def value(self, scope: Scope) -> object:
        return scope.global_(self.name)

    @property
    def last_name(self) -> str:
        return self.name


class Named(Global):
    __slots__ = ()

    def value(self, scope: Scope) -> object:
        return scope.named(self.name)


class Local(Global):
    __slots__ = ()

    def value(self, scope: Scope) -> object:
        return scope.local(self.name)


class Attribute(Expression):
    __slots__ = ("name", "owner")

    def __init__(self, owner: Expression, name: str) -> None:
        self.owner = owner
        self.name = name

    def value(self, scope: Scope) -> object:
        owner = self.owner.value(scope)
        return UNKNOWN if owner is UNKNOWN or type(owner) is Call else attribute(owner, self.name, scope)

    @property
    def last_name(self) -> str:
        return self.name


class Constant(Expression):
    __slots__ = ("_value",)

    def __init__(self, value: object) -> None:
        self._value = value

    def value(self, scope: Scope) -> object:
        return self._value


class TupleOf(Expression):
    __slots__ = ("items",)

    def __init__(self, items: Iterable[Expression]) -> None:
        self.items = tuple(items)

    def value(self, scope: Scope) -> object:
        return tuple([item.value(scope) for item in self.items])


class Sum(Expression):
    """`left + right`, known for tuples only."""

    __slots__ = ("left", "right")

    def __init__(self, left: Expression, right: Expression) -> None:
        self.left = left
        self.right = right

    def value(self, scope: Scope) -> object:
        left, right = self.left.value(scope), self.right.value(scope)
        if type(left) is tuple and type(right) is tuple:
            return left + right
        return UNKNOWN


class CallOf(Expression):
    """A call. `args` is None where the arguments are not known."""

    __slots__ = ("args", "function", "kwargs")

    def __init__(self, function: Expression, args: tuple[Expression, ...] | None, kwargs: dict[str, Expression]) -> None:
        self.function = function
        self.args = args
        self.kwargs = kwargs

    def value(self, scope: Scope) -> object:
        receiver: object = MISSING
        if type(self.function) is Attribute:
            owner = self.function.owner.value(scope)
            if owner is UNKNOWN or type(owner) is Call:
                return Call(UNKNOWN, MISSING, None, {})
            function = attribute(owner, self.function.name, scope)
            if type(owner) is not ModuleType and not is_instance(owner, type):
                receiver = owner
        else:
            function = self.function.value(scope)
        args = None if self.args is None else tuple([arg.value(scope) for arg in self.args])
        return Call(function, receiver, args, {name: arg.value(scope) for name, arg in self.kwargs.items()})


NOTHING_KNOWN: Final = Expression()
_NULL: Final = Constant(None)


# -- the symbolic stack


class _Machine:
    """Runs instructions on a stack of expressions. What it does not know pushes unknown expressions."""

    def __init__(self, code: CodeType) -> None:
        self.code = code
        self.stack: list[Expression] = []
        self._names: tuple[str, ...] = ()

    def pop(self) -> Expression:
        return self.stack.pop() if self.stack else NOTHING_KNOWN

    def pop_many(self, count: int) -> tuple[Expression, ...]:
        return tuple([self.pop() for _ in range(count)])[::-1]

    def run(self, instruction: Instruction) -> bool:
        """Execute one instruction; False where it is not one of an expression without jumps."""
        do = _DO.get(instruction.name)
        if do is not None:
            do(self, instruction.argument)
            return True
        if instruction.name not in _OPAQUE:
            return False
        self._unknown(instruction)
        return True

    def _unknown(self, instruction: Instruction) -> None:
        op = OPCODE[instruction.name]
        effect = dis.stack_effect(op, instruction.argument if HAS_ARGUMENT[op] else None, jump=False)
        pops = 2 if instruction.name.startswith("BINARY") else max(0, 1 - effect)
        self.pop_many(pops)
        self.stack.extend([NOTHING_KNOWN] * (pops + effect))

    def load_global(self, argument: int) -> None:
        self._with_null(Global(self.code.co_names[argument >> 1]), argument & 1)

    def load_name(self, argument: int) -> None:
        self.stack.append(Named(self.code.co_names[argument]))

    def load_local(self, argument: int) -> None:
        self.stack.append(self._variable(argument))

    def load_two_locals(self, argument: int) -> None:
        self.stack.append(self._variable(argument >> 4))
        self.stack.append(self._variable(argument & 15))

    def store_and_load_local(self, argument: int) -> None:
        """`with open(p) as file, ledger` in one instruction. Its position is that of the first half, so a span may begin with it."""
        if self.stack:
            self.pop()
        self.stack.append(self._variable(argument & 15))

    def load_from_dict_or_deref(self, argument: int) -> None:
        self.pop()
        self.stack.append(self._variable(argument))

    def load_from_dict_or_globals(self, argument: int) -> None:
        self.pop()
        self.stack.append(Named(self.code.co_names[argument]))

    def load_attr(self, argument: int) -> None:
        owner = self.pop()
        if "LOAD_METHOD" in OPCODE:
            self.stack.append(Attribute(owner, self.code.co_names[argument]))
        else:
            self._with_null(Attribute(owner, self.code.co_names[argument >> 1]), argument & 1)

    def load_method(self, argument: int) -> None:
        self._with_null(Attribute(self.pop(), self.code.co_names[argument]), 1)

    def load_super_attr(self, argument: int) -> None:
        self.pop_many(3)
        self._with_null(Attribute(NOTHING_KNOWN, self.code.co_names[argument >> 2]), argument & 1)

    def load_const(self, argument: int) -> None:
        self.stack.append(Constant(self.code.co_consts[argument]))

    def push_null(self, argument: int) -> None:
        self.stack.append(_NULL)

    def build_tuple(self, argument: int) -> None:
        self.stack.append(TupleOf(self.pop_many(argument)))

    def binary_op(self, argument: int) -> None:
        right, left = self.pop(), self.pop()
        self.stack.append(Sum(left, right) if argument == 0 else NOTHING_KNOWN)

    def copy(self, argument: int) -> None:
        self.stack.append(self.stack[-argument] if argument <= len(self.stack) else NOTHING_KNOWN)

    def swap(self, argument: int) -> None:
        if argument <= len(self.stack):
            self.stack[-1], self.stack[-argument] = self.stack[-argument], self.stack[-1]

    def kw_names(self, argument: int) -> None:
        self._names = self.code.co_consts[argument]

    def call(self, argument: int) -> None:
        names, self._names = self._names, ()
        args = self.pop_many(argument)
        function = self._callable()
        positional = len(args) - len(names)
        self.stack.append(CallOf(function, args[:positional], dict(zip(names, args[positional:], strict=True))))

    def call_kw(self, argument: int) -> None:
        names = self.pop()
        self._names = names._value if type(names) is Constant and type(names._value) is tuple else ()
        self.call(argument)

    def call_function_ex(self, argument: int) -> None:
        has_flag = HAS_ARGUMENT[OPCODE["CALL_FUNCTION_EX"]]  # else a NULL stands for the missing mapping
        self.pop_many(1 + (argument & 1) if has_flag else 2)
        self.stack.append(CallOf(self._callable(), None, {}))

    def nothing(self, argument: int) -> None:
        pass

    def _callable(self) -> Expression:
        if NULL_BEFORE_CALLABLE:
            function = self.pop()
            self.pop()
            return function
        self.pop()
        return self.pop()

    def _with_null(self, expression: Expression, null: int) -> None:
        if null and NULL_BEFORE_CALLABLE:
            self.stack.append(_NULL)
        self.stack.append(expression)
        if null and not NULL_BEFORE_CALLABLE:
            self.stack.append(_NULL)

    def _variable(self, argument: int) -> Expression:
        return Local(self.code._varname_from_oparg(argument))  # type: ignore[attr-defined]


_DO: Final[dict[str, Callable[[_Machine, int], None]]] = {
    "LOAD_GLOBAL": _Machine.load_global,
    "LOAD_NAME": _Machine.load_name,
    "LOAD_FAST": _Machine.load_local,
    "LOAD_FAST_BORROW": _Machine.load_local,
    "LOAD_FAST_CHECK": _Machine.load_local,
    "LOAD_DEREF": _Machine.load_local,
    "LOAD_CLASSDEREF": _Machine.load_local,
    "LOAD_FAST_LOAD_FAST": _Machine.load_two_locals,
    "LOAD_FAST_BORROW_LOAD_FAST_BORROW": _Machine.load_two_locals,
    "STORE_FAST_LOAD_FAST": _Machine.store_and_load_local,
    "LOAD_FROM_DICT_OR_DEREF": _Machine.load_from_dict_or_deref,
    "LOAD_FROM_DICT_OR_GLOBALS": _Machine.load_from_dict_or_globals,
    "LOAD_ATTR": _Machine.load_attr,
    "LOAD_METHOD": _Machine.load_method,
    "LOAD_SUPER_ATTR": _Machine.load_super_attr,
    "LOAD_CONST": _Machine.load_const,
    "PUSH_NULL": _Machine.push_null,
    "BUILD_TUPLE": _Machine.build_tuple,
    "BINARY_OP": _Machine.binary_op,
    "COPY": _Machine.copy,
    "SWAP": _Machine.swap,
    "KW_NAMES": _Machine.kw_names,
    "CALL": _Machine.call,
    "CALL_KW": _Machine.call_kw,
    "CALL_FUNCTION_EX": _Machine.call_function_ex,
    "NOP": _Machine.nothing,
    "PRECALL": _Machine.nothing,
    "NOT_TAKEN": _Machine.nothing,
    "CACHE": _Machine.nothing,
    "RESUME": _Machine.nothing,
    "EXTENDED_ARG": _Machine.nothing,
}

#: Instructions of expressions whose result is not known, with a stack effect that tells what they take.
_OPAQUE: Final = frozenset(
    """BINARY_SUBSCR BINARY_SLICE BUILD_CONST_KEY_MAP BUILD_LIST BUILD_MAP BUILD_SET BUILD_SLICE BUILD_STRING BUILD_INTERPOLATION
    BUILD_TEMPLATE CALL_INTRINSIC_1 COMPARE_OP CONTAINS_OP CONVERT_VALUE DICT_MERGE DICT_UPDATE FORMAT_SIMPLE FORMAT_VALUE
    FORMAT_WITH_SPEC IS_OP LIST_APPEND LIST_EXTEND LIST_TO_TUPLE LOAD_ASSERTION_ERROR LOAD_BUILD_CLASS LOAD_CLOSURE
    LOAD_COMMON_CONSTANT LOAD_LOCALS LOAD_SMALL_INT MAKE_FUNCTION SET_FUNCTION_ATTRIBUTE SET_UPDATE TO_BOOL UNARY_INVERT
    UNARY_NEGATIVE UNARY_NOT UNARY_POSITIVE""".split()
)


def straight(view: View, at: int) -> tuple[Expression, Instruction]:
    """Run from `at`, where an exception lies on the stack, to the first instruction that is not of an expression.

    Returns the expression on top of the stack there, and that instruction.
    """
    machine = _Machine(view.code)
    machine.stack.append(NOTHING_KNOWN)
    while True:
        instruction = view.instruction(at)
        if instruction.name == "LIST_APPEND" or not machine.run(instruction):
            return machine.pop(), instruction
        at = instruction.next


def expression_before(view: View, at: int) -> Expression:
    """Return the expression whose value lies on top of the stack when the instruction at `at` begins.

    The position of the instruction before, which ends the expression, covers it.
    """
    machine = _run_span(view, at, at - 1) if at else None
    return machine.pop() if machine is not None else NOTHING_KNOWN


def call_at(view: View, at: int) -> CallOf | None:
    """Return the call that the instruction at `at` makes, or None where it is not known what is called."""
    found: CallOf | None = view.remember("call", at, _call_at)
    return found


def _call_at(view: View, at: int) -> CallOf | None:
    instruction = view.instruction(at)
    if instruction.name not in CALLS:
        return None
    machine = _run_span(view, at, at)
    if machine is not None and len(machine.stack) >= 2:
        if instruction.name != "PRECALL":
            machine.run(instruction)
        else:
            machine.call(instruction.argument)
        result = machine.pop()
        return result if type(result) is CallOf else None
    return _call_with_jumps(view, at)


#: Instructions that call what the source calls.
CALLS: Final = frozenset(("CALL", "CALL_KW", "CALL_FUNCTION_EX", "PRECALL"))


def _call_with_jumps(view: View, at: int) -> CallOf | None:
    """Return the call whose arguments cannot be followed: the callable lies at the bottom of the stack, beside its NULL."""
    machine = _Machine(view.code)
    place = _span_start(view, at)
    if place is None:
        return None
    while place < at:
        instruction = view.instruction(place)
        if not machine.run(instruction):
            break
        place = instruction.next
    if len(machine.stack) < 2:
        return None
    null, function = machine.stack[:2] if NULL_BEFORE_CALLABLE else machine.stack[1::-1]
    return CallOf(function, None, {}) if null is _NULL and function is not _NULL else None


def _run_span(view: View, at: int, covering: int) -> _Machine | None:
    """Run from the first instruction within the position of the one at `covering` to `at`."""
    place = _span_start(view, covering)
    if place is None:
        return None
    machine = _Machine(view.code)
    while place < at:
        instruction = view.instruction(place)
        if instruction.at >= at:
            break
        if not machine.run(instruction):
            return None
        place = instruction.next
    return machine


def _span_start(view: View, at: int) -> int | None:
    """Return the first of the instructions before `at` that lie within its position in the source."""
    positions = view.positions(at + 1)
    line, end_line, column, end_column = positions[at]
    if line is None or end_line is None or column is None or end_column is None:
        return None
    start = at
    while start > 0:
        first, last, left, right = positions[start - 1]
        if first is None or last is None or left is None or right is None:
            break
        if (first, left) < (line, column) or (last, right) > (end_line, end_column):
            break
        start -= 1
    return start
