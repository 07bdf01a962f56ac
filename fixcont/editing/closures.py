"""Functions whose newest version captures other variables: which cells they get, and how they are given them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from types import CellType, CodeType, FrameType, FunctionType
from typing import Any, NamedTuple

from fixcont.bytecode import interpreter
from fixcont.bytecode.closures import COPIES, STANDS_IN, Body, binds_captured, can_exchange, is_cell_of
from fixcont.bytecode.snapshots import forget_snapshot
from fixcont.editing.cells import DROPPED, Finder, Held, Lacking, content, is_instance_of
from fixcont.editing.compare import Comparison
from fixcont.editing.restores import MISSING
from fixcont.editing.texts import Definition, Kind, Node
from fixcont.errors import Refusal, Refused

#: Names in the `__dict__` of a function under which is noted what an edit has taken from it, or given it a copy of.
NOTES = (DROPPED, COPIES)

Match = tuple[FunctionType, Node, Node]  # a live function, what it runs, what it is to run


class Captures:
    """The cells that live functions get when one changed file is installed.

    Args:
        functions: all live functions of the file whose code is known, each with its node.
        changed: those that get other code.
        listed: a list of functions that is no part of the program.
    """

    def __init__(
        self,
        comparison: Comparison,
        functions: Sequence[tuple[FunctionType, Node]],
        changed: Sequence[Match],
        identify: Callable[[CodeType], Node | None],
        listed: object,
    ) -> None:
        self._lacking: dict[int, str] = {}  # id of a function -> why the cell of a variable is not found
        self._kept = functions  # so that the ids stay theirs
        self._finder: Finder | None = None
        pending = [match for match in changed if match[1].code.co_freevars or match[2].code.co_freevars]
        self._pending = {id(function) for function, _, _ in pending}
        if pending:
            # Not a method of this object: it would be in a cycle, and live until the collector comes.
            known = functools.partial(_definition_of, comparison.partners, _returned(changed, comparison))
            self._finder = Finder(functions, identify, known, listed)
            self._find(self._finder, pending)

    def _find(self, finder: Finder, pending: Sequence[Match]) -> None:
        """Find the cells of all functions. What is found for one may be the trace that leads to that of another."""
        found = -1
        while pending and finder.found > found:
            found = finder.found
            pending = [match for match in pending if not self._find_all(finder, match)]

    def _find_all(self, finder: Finder, match: Match) -> bool:
        function, node, target = match
        self._lacking.pop(id(function), None)
        for name in target.code.co_freevars:
            try:
                finder.find(function, node, target, name)
            except Lacking as lacking:
                self._lacking.setdefault(id(function), str(lacking))
        return id(function) not in self._lacking

    def assignments(self, function: FunctionType, target: Node, code: CodeType) -> list[tuple[str, Any]]:
        """Return the names and values that a function is to be given so that it runs `code`, the live code of `target`.

        For `__code__` the value may be a `Body`, for a name of `NOTES` it may be `MISSING`.

        Raises:
            Lacking: the cell of a variable is not found; the function must stay as it is.
        """
        if id(function) in self._lacking:
            raise Lacking(self._lacking[id(function)])
        if self._finder is None or id(function) not in self._pending:
            return [("__code__", code)]
        closure = tuple(self._finder.find(function, target, target, name).cell for name in target.code.co_freevars)
        old = function.__closure__ or ()
        if len(closure) == len(old) and all(one is other for one, other in zip(closure, old, strict=True)):
            return [("__code__", code)]
        if not can_exchange():
            raise Lacking(
                "a function cannot be given other captured variables here (no ctypes, no global lock, or an audit hook)"
            )
        found: list[tuple[str, Any]] = [("__code__", Body(code, closure))]
        copies = {each.name for each in self._finder.held(function) if each.is_copy and each.name in target.code.co_freevars}
        notes = {DROPPED: self._dropped(self._finder, function, target), COPIES: copies}
        found += [(key, note or MISSING) for key, note in notes.items() if note or key in function.__dict__]
        return found

    @staticmethod
    def _dropped(finder: Finder, function: FunctionType, target: Node) -> dict[str, Held]:
        """Return what the function had captured and does not any more, but for what is found again by the class."""
        before: dict[str, Held] = function.__dict__.get(DROPPED, {})
        held = before | {each.name: each for each in finder.held(function)}
        gone = held.keys() - set(target.code.co_freevars) - {"__class__", "__classdict__"}
        return {name: held[name] for name in gone}


def _definition_of(partners: Mapping[int, Node], returned: Mapping[int, Definition], node: Node) -> Definition:
    """Return the definition that a node has, or will have once it is installed."""
    partner = partners.get(id(node))
    return partner.definition if partner is not None else returned.get(id(node), node.definition)


def _returned(changed: Sequence[Match], comparison: Comparison) -> dict[int, Definition]:
    """Return the definitions of new nodes, by their ids, that were gone and are back: those of the old nodes in the same places."""
    found: dict[int, Definition] = {}
    for _, node, target in changed:
        old, new = node.parent, target.parent
        while old is not None and new is not None:
            if id(new) not in comparison.partners and old.qualname == new.qualname:
                found[id(new)] = old.definition
            old, new = old.parent, new.parent
    return found


# -- live frames


class Captured(NamedTuple):
    """What code that takes over a live frame captures besides the frame's own cells.

    Attributes:
        cells: by name.
        copies: the names of those, and of the frame's own, that have the value of a running frame's variable, but are not its cell.
    """

    cells: Mapping[str, CellType]
    copies: frozenset[str] = frozenset()


NOTHING_MORE = Captured({})


def captured_by(
    frame: FrameType, code: CodeType, definition: Definition, functions: Sequence[tuple[FunctionType, Node]], finder: Finder
) -> Captured:
    """Return the cells that `code`, which is to take over a live frame, captures and the frame does not have.

    Args:
        frame: of whatever version of the function.
        code: of the newest version, or a variant of it.
        definition: the function's.
        functions: all live functions of the file, each with its node.
        finder: made of them.

    Raises:
        Refused: the cell of a variable is not found, or the code assigns to a copy.
    """
    wanted = [name for name in code.co_freevars if name not in frame.f_code.co_freevars]
    target = definition.newest
    assert target is not None
    own = [(function, node) for function, node in functions if node.definition is definition]
    own = [each for each in own if each[0].__globals__ is frame.f_globals and _fits(each[0], frame)]
    standing_in = [function for function, _ in own if STANDS_IN in function.__dict__]
    noted = {name for function in standing_in for name in function.__dict__.get(COPIES, ())}
    copies = noted.intersection(frame.f_code.co_freevars, code.co_freevars)
    for name in copies:
        if binds_captured(code, name):
            raise Refused(
                refusal(target, frame.f_code, code, f"assigns to {name}, which the running function around it does not see")
            )
    if not wanted:
        return Captured({}, frozenset(copies))
    own = [each for each in own if each[0] not in standing_in] or own
    found, why = _found(frame, target, wanted, own, finder)
    if not found or not _agree(found):
        raise Refused(refusal(target, frame.f_code, code, why))
    cells = {name: held.cell for name, held in found[0].items()}
    return Captured(cells, frozenset(copies.union(name for name, held in found[0].items() if held.is_copy)))


def _found(
    frame: FrameType, target: Node, wanted: Sequence[str], own: Sequence[tuple[FunctionType, Node]], finder: Finder
) -> tuple[list[dict[str, Held]], str]:
    """Return what is found for each of the functions that may be the one that runs in a frame, and what is to be said if that is nothing."""
    waiting = _below(frame)
    found: list[dict[str, Held]] = []
    why = "the function cannot be told"
    for function, node in own:
        try:
            found.append({name: finder.find(function, node, target, name, waiting) for name in wanted})
        except Lacking as lacking:
            why = str(lacking)
    is_known = any(name in frame.f_code.co_freevars for function, _ in own for name in function.__code__.co_freevars)
    if len(found) < len(own) and not is_known:
        return [], why
    if len(found) > 1 and not _agree(found):
        return [cells for cells in found if _is_class_of(frame, cells)], "which of several functions runs cannot be told"
    return found, why


def _below(frame: FrameType) -> list[FrameType]:
    """Return the frames that wait for a function's frame to return: none, if it may be left without having ended."""
    if frame.f_code.co_flags & (interpreter.GENERATOR | interpreter.COROUTINE | interpreter.ASYNC_GENERATOR):
        return []
    found = []
    back = frame.f_back
    while back is not None:
        found.append(back)
        back = back.f_back
    return found


def _fits(function: FunctionType, frame: FrameType) -> bool:
    """Tell whether a function has the cells that a live frame has."""
    if not frame.f_code.co_flags & interpreter.OPTIMIZED:
        return True
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    return all(is_cell_of(cell, frame, name) for name, cell in cells if name in frame.f_code.co_freevars)


def _agree(found: Sequence[dict[str, Held]]) -> bool:
    first = found[0]
    return all(
        held.cell is first[name].cell or (name == "__class__" and content(held.cell) is content(first[name].cell))
        for each in found[1:]
        for name, held in each.items()
    )


def _is_class_of(frame: FrameType, cells: dict[str, Held]) -> bool:
    """Tell whether the class that a method captures is that of its first argument."""
    code = frame.f_code
    if "__class__" not in cells or not code.co_argcount:
        return False
    value = frame.f_locals.get(code.co_varnames[0])
    forget_snapshot(frame)
    return is_instance_of(value, content(cells["__class__"].cell))


def refusal(target: Node, old: CodeType, new: CodeType, why: str) -> Refusal:
    """Return why functions or frames that run `old` cannot run `new`, which captures other variables."""
    sentence = f"{target.text.filename}:{target.line}: {target.qualname} {_difference(old, new)}, and {why}"
    if target.parent is not None and target.parent.kind is Kind.CLASS and target.is_top_level:
        return Refusal("closure-changed", sentence, "start the program again")
    return Refusal("closure-changed", sentence, "restart the function around it, whose next call makes new ones")


def _difference(old: CodeType, new: CodeType) -> str:
    more = sorted(set(new.co_freevars) - set(old.co_freevars))
    less = sorted(set(old.co_freevars) - set(new.co_freevars))
    parts = [f"now uses {_names(more)}"] if more else []
    parts += [f"no longer uses {_names(less)}"] if less else []
    return " and ".join(parts) or "captures other variables"


def _names(variables: Sequence[str]) -> str:
    """Name free variables as the user wrote them: `__class__` is there for `super()`."""
    own = [name for name in variables if not name.startswith("__class")]
    said = [f"{', '.join(own)} of the function around it"] if own else []
    said += ["super() or __class__"] if len(own) < len(variables) else []
    return " and ".join(said)
