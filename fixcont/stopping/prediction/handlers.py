"""What stands at the target of an exception table row: clauses, what takes them, and what their bodies do with the exception."""

from __future__ import annotations

import enum
from typing import Final, NamedTuple

from fixcont.bytecode.interpreter import OPCODE, RESUME_KIND_MASK
from fixcont.stopping.prediction.codes import Instruction, View
from fixcont.stopping.prediction.expressions import (
    NOTHING_KNOWN,
    Attribute,
    CallOf,
    Expression,
    Local,
    expression_before,
    straight,
)

#: So many code units before the first protected one the exit of a `with` was loaded, at most (`async with` awaits in between).
_WITH_DISTANCE: Final = 30
#: LOAD_SPECIAL's arguments for `__exit__` and `__aexit__`.
_LOADS_EXIT: Final = (1, 3)
_RERAISE: Final = OPCODE["RERAISE"]


class Kind(enum.Enum):
    TYPED = "typed"
    STAR = "star"
    BARE = "bare"
    FINALLY = "finally"
    WITH = "with"
    #: The clean-up of a `yield from` or `await`: it takes a StopIteration.
    DELEGATION = "delegation"
    ASYNC_FOR = "async-for"
    #: The end of a generator: a StopIteration becomes a RuntimeError.
    GENERATOR_END = "generator-end"
    #: The end of an `except*` body: what it raised becomes a member of a group.
    STAR_BODY = "star-body"
    CLEAN_UP = "clean-up"


class Fate(NamedTuple):
    """What a handler's body can do, by the paths through it.

    Attributes:
        catches: it can end with the exception handled.
        raises: it can raise another exception.
        reraises: the code units of the instructions that raise the same exception again.
    """

    catches: bool
    raises: bool
    reraises: tuple[int, ...]


class Clause(NamedTuple):
    """One clause of a handler.

    Attributes:
        kind: what it is.
        expression: the types (TYPED, STAR) or the context manager (WITH).
        fate: what its body does.
        onward: the code unit at which the exception goes on when this clause, the last one, does not take it; else None.
    """

    kind: Kind
    expression: Expression
    fate: Fate
    onward: int | None


_NESTED: Final = 5  # so many handlers inside of each other are followed
_NO_FATE: Final = Fate(False, False, ())


def clauses_at(view: View, target: int) -> tuple[Clause, ...]:
    """Return the clauses of the handler that begins at `target`, in the order in which they are tried."""
    found: tuple[Clause, ...] = view.remember("handler", target, _decode)
    return found


def count_withs(view: View, target: int) -> int:
    """Return how many `with` exits an exception meets from the handler at `target` on, if nothing takes it."""
    found: int = view.remember("withs", target, _count_withs)
    return found


def _count_withs(view: View, target: int) -> int:
    count = 0
    place: int | None = target
    seen: set[int] = set()
    while place is not None and place not in seen:
        seen.add(place)
        last = clauses_at(view, place)[-1]
        count += last.kind is Kind.WITH
        # A bare `except` that raises again lets it through as well.
        onward = last.onward if last.onward is not None else next(iter(last.fate.reraises), None)
        place = None if onward is None else view.handler_at(onward)
    return count


def _decode(view: View, target: int) -> tuple[Clause, ...]:
    first = view.instruction(target)
    if first.name == "CLEANUP_THROW":
        return (Clause(Kind.DELEGATION, NOTHING_KNOWN, _NO_FATE, target),)
    if first.name == "END_ASYNC_FOR":
        return (Clause(Kind.ASYNC_FOR, NOTHING_KNOWN, _NO_FATE, target),)
    if first.name == "CALL_INTRINSIC_1":
        return (Clause(Kind.GENERATOR_END, NOTHING_KNOWN, _NO_FATE, first.next),)
    if first.name != "PUSH_EXC_INFO":
        if _straight_names(view, target) & {"LIST_APPEND"}:
            return (Clause(Kind.STAR_BODY, NOTHING_KNOWN, _NO_FATE, _end_of_star(view, target)),)
        fate = _fate(view, target, None)
        return (Clause(Kind.CLEAN_UP, NOTHING_KNOWN, fate, next(iter(fate.reraises), None)),)
    if view.instruction(first.next).name == "WITH_EXCEPT_START":
        return (Clause(Kind.WITH, _context_expression(view, target), _NO_FATE, view.find("RERAISE", first.next)),)
    return _except_clauses(view, first.next)


def _except_clauses(view: View, at: int) -> tuple[Clause, ...]:
    clauses: list[Clause] = []
    while True:
        types, instruction = straight(view, at)
        if instruction.name == "CHECK_EXC_MATCH":
            branch = view.instruction(instruction.next)
            fate = _fate(view, branch.next, _bound_name(view, branch.next))
            clauses.append(Clause(Kind.TYPED, types, fate, None))
            assert branch.target is not None
            at = branch.target
        elif instruction.name == "CHECK_EG_MATCH":
            at = _star_clause(view, instruction, types, clauses)
        else:
            return _last_clause(view, at, instruction, clauses)


def _star_clause(view: View, check: Instruction, types: Expression, clauses: list[Clause]) -> int:
    """Add the clause of an `except*` and return where the next one is."""
    branch = view.instruction(view.instruction(check.next).next)  # behind COPY 1
    clauses.append(Clause(Kind.STAR, types, _fate(view, branch.next, None, is_star=True), None))
    assert branch.target is not None
    behind = view.instruction(branch.target)
    return behind.next if behind.name == "POP_TOP" else branch.target


def _end_of_star(view: View, at: int) -> int | None:
    """Return where what the clauses have raised leaves an `except*`, from the end of one on: no clause behind it is entered."""
    seen: set[int] = set()
    while at not in seen and at < len(view.ops):
        seen.add(at)
        instruction = view.instruction(at)
        if instruction.name == "RERAISE":
            return at
        at = instruction.next if instruction.target is None else instruction.target
    return None


def _last_clause(view: View, at: int, instruction: Instruction, clauses: list[Clause]) -> tuple[Clause, ...]:
    if clauses and clauses[-1].kind is Kind.STAR:
        clauses[-1] = clauses[-1]._replace(onward=view.find("RERAISE", at))
    elif clauses and instruction.name == "RERAISE":
        clauses[-1] = clauses[-1]._replace(onward=instruction.at)
    elif instruction.name == "POP_TOP" and instruction.at == at:
        clauses.append(Clause(Kind.BARE, NOTHING_KNOWN, _fate(view, at, None), None))
    else:
        fate = _fate(view, at, None)
        clauses.append(Clause(Kind.FINALLY, NOTHING_KNOWN, fate, next(iter(fate.reraises), None)))
    return tuple(clauses)


def _context_expression(view: View, target: int) -> Expression:
    """Return the expression of the `with` whose exit is called at `target`: it ends where the exit was loaded."""
    start = min(row[0] for row in view.rows if row[2] == target)
    for at in range(start - 1, max(-1, start - _WITH_DISTANCE), -1):
        instruction = view.instruction(at)
        if instruction.name in ("BEFORE_WITH", "BEFORE_ASYNC_WITH"):
            return expression_before(view, at)
        if instruction.name == "LOAD_SPECIAL" and instruction.argument in _LOADS_EXIT:
            return expression_before(view, at - 1)  # before COPY 1
    return NOTHING_KNOWN


def _straight_names(view: View, at: int) -> set[str]:
    """Return the names of the operations from `at` on until one that jumps, raises or returns."""
    names: set[str] = set()
    while at < len(view.ops):
        instruction = view.instruction(at)
        if instruction.target is not None or instruction.name in ("RERAISE", "RAISE_VARARGS", *_RETURNS):
            break
        names.add(instruction.name)
        at = instruction.next
    return names


# -- what a body does

#: In an `except*` these collect what the bodies raised; the bodies end before them.
_STAR_ENDS: Final = ("LIST_APPEND", "PREP_RERAISE_STAR", "CALL_INTRINSIC_2")
_RETURNS: Final = ("RETURN_VALUE", "RETURN_CONST")
#: Before a POP_EXCEPT these put on top what the RERAISE behind it raises. Without them that belongs to a `finally` body around, which ends there.
_KEEPS_FOR_RERAISE: Final = ("COPY", "SWAP")
_TIDIES: Final = frozenset(
    "COPY POP_EXCEPT LOAD_CONST LOAD_COMMON_CONSTANT STORE_FAST DELETE_FAST STORE_DEREF DELETE_DEREF STORE_NAME DELETE_NAME".split()
    + ["STORE_GLOBAL", "DELETE_GLOBAL", "SWAP", "POP_TOP", "NOP", "EXTENDED_ARG"]
)


def _fate(view: View, start: int, name: str | None, is_star: bool = False) -> Fate:
    """Follow the jumps of a body. `name` is the variable that holds the exception, if the clause names it."""
    body = _Body(view, name, is_star)
    body.work.append((start, 0))
    while body.work:
        body.follow(*body.work.pop())
    return Fate(body.catches, body.raises, tuple(body.reraises))


class _Body:
    """Collects what the paths through a body come to.

    Attributes:
        work: where paths go on, and how many handlers inside of the body are running there.
        catches, raises, reraises: see `Fate`.
    """

    def __init__(self, view: View, name: str | None, is_star: bool) -> None:
        self._view = view
        self._name = name
        self._is_star = is_star
        self._seen: set[tuple[int, int]] = set()
        self.work: list[tuple[int, int]] = []
        self.catches = self.raises = False
        self.reraises: list[int] = []

    def follow(self, at: int, depth: int) -> None:
        """Follow one path to its end."""
        view = self._view
        operation = ""
        while (at, depth) not in self._seen and at < len(view.ops):
            self._seen.add((at, depth))
            instruction = view.instruction(at)
            before, operation = operation, instruction.name
            if operation == "YIELD_VALUE" and not is_delegating(view, instruction.next):
                self.catches = True  # the consumer goes on in the middle of the body, and may never come back
            if operation == "GET_ANEXT":  # the loop ends by an exception of its own
                end = view.handler_at(instruction.at)
                if end is not None and view.instruction(end).name == "END_ASYNC_FOR":
                    self.work.append((end, depth))
            if operation in ("RERAISE", "RAISE_VARARGS"):
                self._raise(instruction, depth)
                return
            if operation == "POP_EXCEPT":
                if view.ops[instruction.next] == _RERAISE and before in _KEEPS_FOR_RERAISE:
                    self._raise_again(instruction.next, depth)
                    return
                if not depth:
                    self.catches = True
                    return
                depth -= 1
            elif operation in _RETURNS or (self._is_star and operation in _STAR_ENDS):
                self.catches = True
                return
            elif instruction.target is not None:
                if "IF" not in operation and operation not in ("FOR_ITER", "SEND"):
                    at = instruction.target
                    continue
                self.work.append((instruction.target, depth))
            at = instruction.next

    def _raise(self, instruction: Instruction, depth: int) -> None:
        is_same = instruction.name == "RERAISE" or instruction.argument == 0
        if not is_same and self._name is not None and not depth:
            is_same = _raises_variable(self._view, instruction, self._name)
        if is_same and not depth:
            self.reraises.append(instruction.at)
        else:
            self._raise_new(instruction.at, depth)

    def _raise_again(self, at: int, depth: int) -> None:
        """Note a RERAISE behind the end of a handler."""
        if depth:
            self._raise_new(at, depth - 1)
        else:
            self.reraises.append(at)

    def _raise_new(self, at: int, depth: int) -> None:
        """Go where an exception goes that came up in the body: to a handler inside of it, or out of it."""
        view = self._view
        for _ in range(_NESTED):
            handler = view.handler_at(at)
            first = view.instruction(handler) if handler is not None else None
            if first is not None and first.name == "PUSH_EXC_INFO" and depth < _NESTED:
                self.work.append((first.next, depth + 1))
                return
            raised = None if handler is None else _end_of_clean_up(view, handler)
            if raised is None or (depth := depth - raised[1]) < 0:
                break
            at = raised[0]
        self.raises = True


def _end_of_clean_up(view: View, at: int) -> tuple[int, int] | None:
    """Return where a handler that only tidies up raises again, and how many running handlers it has ended; None if it does more."""
    ended = 0
    while at < len(view.ops):
        instruction = view.instruction(at)
        if instruction.name == "RERAISE":
            return at, ended
        if instruction.name not in _TIDIES:
            return None
        ended += instruction.name == "POP_EXCEPT"
        at = instruction.next
    return None


def is_delegating(view: View, at: int) -> bool:
    """Tell whether the RESUME at `at` belongs to an `await` or `yield from`."""
    return view.instruction(at).argument & RESUME_KIND_MASK in (2, 3)


def _bound_name(view: View, at: int) -> str | None:
    """Return the variable of `except … as name`, whose body begins at `at`."""
    instruction = view.instruction(at)
    while instruction.name in ("NOT_TAKEN", "NOP"):
        instruction = view.instruction(instruction.next)
    code = view.code
    if instruction.name in ("STORE_FAST", "STORE_DEREF"):
        return str(code._varname_from_oparg(instruction.argument))  # type: ignore[attr-defined]
    if instruction.name == "STORE_FAST_LOAD_FAST":
        return str(code._varname_from_oparg(instruction.argument >> 4))  # type: ignore[attr-defined]
    return None


def _raises_variable(view: View, instruction: Instruction, name: str) -> bool:
    """Tell whether a `raise` raises the variable, maybe through `with_traceback`."""
    if instruction.argument != 1:
        return False
    before = view.instruction(instruction.at - 1)
    if before.name == "STORE_FAST_LOAD_FAST":  # `as e: raise e` in one, with the position of the first half
        return bool(view.code._varname_from_oparg(before.argument & 15) == name)  # type: ignore[attr-defined]
    raised = expression_before(view, instruction.at)
    if type(raised) is CallOf and type(raised.function) is Attribute and raised.function.name == "with_traceback":
        raised = raised.function.owner
    return type(raised) is Local and raised.name == name
