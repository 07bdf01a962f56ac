"""Find the cell of a variable that a function captures for the first time, wherever the program still has it.

A function object does not tell which activation made it. What does: a cell that it shares with another function, or with a live frame. Cells
that one activation has made are found by going from function to function that share one; the frame of the activation is the one in which a
cell of theirs is that of its variable. Nothing is guessed: where there is no such trace, or more than one, the cell counts as not found.

A running frame that has the variable as a plain local, as nobody captured it when the frame was compiled, has no cell. The function then gets a
cell with the present value where nobody can tell the difference: the frame cannot bind the variable any more, or waits on the same
stack for the one activation that the cell is for; and the function does not assign to it.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterable, Sequence
from types import AsyncGeneratorType, CellType, CodeType, CoroutineType, FrameType, FunctionType, GeneratorType, ModuleType
from typing import Any, NamedTuple

from fixcont.bytecode import interpreter, parameters
from fixcont.bytecode.closures import COPIES, STANDS_IN, Suspended, binds_captured, cells_of_suspended, is_cell_of, may_bind_later
from fixcont.bytecode.snapshots import forget_snapshot
from fixcont.bytecode.stubs import HOOK_NAME
from fixcont.editing.functions import class_namespace, find_class
from fixcont.editing.running import is_in_stub
from fixcont.editing.texts import Definition, Kind, Node

#: In the `__dict__` of a function: the cells of variables that an edit has taken from it, for when the next one brings them back. There the
#: collector sees them. No program can spell it.
DROPPED = "__@fixcont__dropped"

_class_module: Any = vars(type)["__module__"]
_class_mro: Any = vars(type)["__mro__"]


class Lacking(Exception):
    """The cell of a variable was not found. The text says why: a clause such as "its class cannot be told"."""


class Held(NamedTuple):
    """A cell that a function has.

    Attributes:
        name: of the variable.
        scopes: the function or class body whose variable it is, then those around that.
        is_copy: whether it has the value of the variable, but is not its cell.
    """

    name: str
    scopes: tuple[Definition, ...]
    cell: CellType
    is_copy: bool = False


class _Activation(NamedTuple):
    """A live frame; `suspended` is the generator or coroutine that it belongs to, where it is not on a stack."""

    frame: FrameType
    suspended: Suspended | None


def owner_of(node: Node, name: str) -> Node | None:
    """Return the scope whose variable `name` a function captures, None where no scope around it has one."""
    scope = node.parent
    while scope is not None and name not in scope.code.co_cellvars:
        scope = scope.parent
    return scope


class Finder:
    """Looks for cells among the live functions and frames of one file.

    Args:
        functions: all live functions of the file, each with its node.
        identify: gives the node that a live code object was made from.
        definition_of: gives the definition of a node, also of one that is not installed yet.
        listed: another list of functions that is no part of the program.

    Attributes:
        found: how many cells were found. Each may be the trace that leads to another.
    """

    def __init__(
        self,
        functions: Iterable[tuple[FunctionType, Node]],
        identify: Callable[[CodeType], Node | None],
        definition_of: Callable[[Node], Definition],
        listed: object = None,
    ) -> None:
        self.found = 0
        self._listed = listed
        self._identify = identify
        self._definition_of = definition_of
        self._held: dict[int, list[Held]] = {}  # id of a function -> its cells, those that were found for it, too
        self._sharing: dict[int, list[int]] = {}  # id of a cell -> ids of the functions that have it
        self._functions: list[FunctionType] = []  # kept, so that the ids stay theirs
        self._frames: dict[int, list[_Activation]] | None = None  # id of a definition -> its live frames
        self._made: dict[tuple[int, str], CellType] = {}  # (id of a frame, variable) -> cell with its present value
        for function, node in functions:
            self._functions.append(function)
            self._held[id(function)] = []
            copies = function.__dict__.get(COPIES, ())
            for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
                if name not in copies or STANDS_IN not in function.__dict__:  # else the copy is right for one activation only
                    self._note(function, Held(name, self._scopes(node, name), cell, name in copies))

    def _note(self, function: FunctionType, held: Held) -> None:
        self._held[id(function)].append(held)
        self._sharing.setdefault(id(held.cell), []).append(id(function))

    def _scopes(self, node: Node, name: str) -> tuple[Definition, ...]:
        scope = owner_of(node, name)
        found = []
        while scope is not None:
            found.append(self._definition_of(scope))
            scope = scope.parent
        return tuple(found)

    def held(self, function: FunctionType) -> list[Held]:
        """Return the cells that a function has, or that were found for it."""
        return self._held[id(function)]

    def find(self, function: FunctionType, node: Node, target: Node, name: str, waiting: Sequence[FrameType] = ()) -> Held:
        """Return the cell that a function needs for the variable `name`.

        Args:
            node: what the function runs.
            target: what it is to run.
            waiting: frames that cannot go on before what the cell is for has ended.

        Raises:
            Lacking: it is not to be found.
        """
        scopes = self._scopes(target, name)
        owner = owner_of(target, name)
        if owner is None:
            raise Lacking(f"no function around it has {name}")
        known = next((each for each in self.held(function) if each.name == name and each.scopes[:1] == scopes[:1]), None)
        dropped: dict[str, Held] = function.__dict__.get(DROPPED, {})
        found = known or dropped.get(name)
        if found is None or found.scopes[:1] != scopes[:1]:
            found = self._searched(function, node, target, owner, name, waiting)._replace(scopes=scopes)
        if found.is_copy and binds_captured(target.code, name):
            raise Lacking(f"it assigns to {name}, which the running {owner.code.co_name} shares with nobody")
        if found is not known:
            self._note(function, found)
            self.found += 1
        return found

    def _searched(
        self, function: FunctionType, node: Node, target: Node, owner: Node, name: str, waiting: Sequence[FrameType]
    ) -> Held:
        if owner.kind is Kind.CLASS:
            return Held(name, (), self._class_cell(function, owner, name))
        definition = self._definition_of(owner)
        related = self._related(function, definition)
        links = [each for each in related if each.scopes[0] is definition]
        shared = next((each for each in links if each.name == name), None)
        if shared is not None:
            return shared
        activation = self._activation(function, node, definition, links) or self._calling(function, target, definition)
        if activation is None:
            raise Lacking(f"the call of {owner.code.co_name} that it comes from has returned, or cannot be told")
        return self._held_in(activation, definition, owner, name, waiting)

    # -- variables of functions

    def _related(self, function: FunctionType, definition: Definition) -> list[Held]:
        """Return the cells that surely come from the same activation of `definition`, or of functions in it that it has called."""
        found: dict[int, Held] = {}
        waiting = [id(function)]
        seen = {id(function)}
        while waiting:
            for held in self._held[waiting.pop()]:
                if definition not in held.scopes or id(held.cell) in found:
                    continue
                found[id(held.cell)] = held
                for sharing in self._sharing[id(held.cell)]:
                    if sharing not in seen:
                        seen.add(sharing)
                        waiting.append(sharing)
        return list(found.values())

    def _activation(
        self, function: FunctionType, node: Node, definition: Definition, links: Sequence[Held]
    ) -> _Activation | None:
        """Return the live activation of `definition` that a function comes from, None where it cannot be told."""
        activations = self._activations(definition)
        for link in links:
            for activation in activations:
                if is_cell_of(link.cell, activation.frame, link.name):
                    return activation
        holding = [each for each in activations if self._defines(each.frame, node, definition, function)]
        return holding[0] if len(holding) == 1 else None

    def _calling(self, function: FunctionType, target: Node, definition: Definition) -> _Activation | None:
        """Return the activation that has made a function and is having it called: `sorted(items, key=lambda …)`.

        It is the only one, nothing that lasts refers to the function, and it was not given to the activation.
        """
        activations = self._activations(definition)
        if len(activations) != 1 or target.parent is None or self._definition_of(target.parent) is not definition:
            return None
        frame = activations[0].frame
        stacks = [_stack_from(each.frame, frame) for each in self._activations(self._definition_of(target))]
        above = next((stack for stack in stacks if stack), None)
        if above is None:
            return None
        variables = frame.f_locals
        given = [variables.get(name) for name in frame.f_code.co_varnames[: parameters.count(frame.f_code)]]
        del variables
        forget_snapshot(frame)
        snapshots = [] if interpreter.LOCALS_WRITE_THROUGH else [each.f_locals for each in above]
        lasting = [each for each in gc.get_referrers(function) if not self._is_passing(each, snapshots)]
        snapshots.clear()
        for each in above:
            forget_snapshot(each)
        return None if lasting or leads_to(given, function) else activations[0]

    def _is_passing(self, referrer: object, snapshots: Sequence[object]) -> bool:
        if type(referrer) is tuple:  # ours, of a function and what is known of it
            return any(type(each) is Node for each in referrer)
        ours = [self._functions, self._listed, *snapshots]
        return type(referrer) in (map, filter) or any(referrer is each for each in ours)

    def _activations(self, definition: Definition) -> list[_Activation]:
        if self._frames is None:
            self._frames = {}
            nodes: dict[int, Node | None] = {}  # id of a code object -> its node
            for activation in _live_activations():
                code = activation.frame.f_code
                if id(code) not in nodes:
                    nodes[id(code)] = self._identify(code)
                node = nodes[id(code)]
                if node is not None:
                    self._frames.setdefault(id(self._definition_of(node)), []).append(activation)
        return self._frames.get(id(definition), [])

    def _defines(self, frame: FrameType, node: Node, definition: Definition, function: FunctionType) -> bool:
        """Tell whether a variable of the frame has what the `def` or `class` statement bound that the function comes from."""
        path = [node]
        while path[-1].parent is not None and self._definition_of(path[-1].parent) is not definition:
            path.append(path[-1].parent)
        name = path[-1].code.co_name
        if name not in frame.f_code.co_varnames[parameters.count(frame.f_code) :] + frame.f_code.co_cellvars:
            return False
        value = frame.f_locals.get(name)
        forget_snapshot(frame)
        for inner in path[-2::-1]:
            if not issubclass(type(value), type):
                return False
            namespace = class_namespace(value)
            if inner is node:
                return leads_to(namespace.values(), function)
            value = namespace.get(inner.code.co_name)
        return leads_to([value], function)

    def _held_in(
        self, activation: _Activation, definition: Definition, owner: Node, name: str, waiting: Sequence[FrameType]
    ) -> Held:
        """Return the cell of a live frame's variable, or a copy of what it holds. Raises `Lacking`."""
        frame = activation.frame
        code, place = frame.f_code, owner.code.co_name
        if name in code.co_cellvars:
            for held in [each for cells in self._held.values() for each in cells]:
                if held.name == name and held.scopes[:1] == (definition,) and is_cell_of(held.cell, frame, name):
                    return held
            cells = cells_of_suspended(activation.suspended, code) if activation.suspended is not None else {}
            if name in cells:
                return Held(name, (), cells[name])
        elif name not in code.co_varnames:
            raise Lacking(f"the running {place} does not have {name} yet")
        if not any(frame is each for each in waiting) and may_bind_later(frame, name):
            raise Lacking(f"the running {place}, which may assign to {name} again, shares it with nobody")
        key = id(frame), name
        if key not in self._made:
            variables = frame.f_locals
            self._made[key] = CellType(variables[name]) if name in variables else CellType()
            del variables
            forget_snapshot(frame)
        return Held(name, (), self._made[key], is_copy=True)

    # -- what methods capture of their class

    def _class_cell(self, function: FunctionType, owner: Node, name: str) -> CellType:
        cls = _class_of(function, owner.qualname)
        if cls is None:
            raise Lacking("which class it belongs to cannot be told")
        if name == "__classdict__":
            return CellType(dict(class_namespace(cls)))
        definition = self._definition_of(owner)
        for cells in self._held.values():
            for held in cells:
                if held.name == name and held.scopes[:1] == (definition,) and content(held.cell) is cls:
                    return held.cell
        return CellType(cls)


def content(cell: CellType) -> object:
    """Return what a cell holds, None where it is empty."""
    try:
        return cell.cell_contents
    except ValueError:
        return None


def is_instance_of(value: object, cls: object) -> bool:
    """Tell whether `value` is an instance, or a subclass, of a class, without running code of either."""
    kinds = [type(value), value] if issubclass(type(value), type) else [type(value)]
    return any(cls is each for kind in kinds for each in _class_mro.__get__(kind))


def _live_activations() -> list[_Activation]:
    """Return the frames on the stacks of all threads, and those of suspended generators and coroutines, without our own.

    Without those, too, that have handed over to another one: they wait in a stub for what it returns, and have nothing any more.
    Our own would refer to themselves, and so live until the collector comes, with all that they refer to.
    """
    found: list[_Activation] = []
    stacks = list(sys._current_frames().values())
    while stacks:
        frame: FrameType | None = stacks.pop()
        called = ""
        while frame is not None:
            module = frame.f_globals.get("__name__")
            is_ours = type(module) is str and module.startswith(_OURS)
            if not is_ours and (called == HOOK_NAME or not is_in_stub(frame)):
                found.append(_Activation(frame, None))
            called = frame.f_code.co_name
            frame = frame.f_back
    seen = {id(each.frame) for each in found}
    for each in gc.get_objects():
        kind = type(each)
        if kind is GeneratorType:
            suspended = each.gi_frame
        elif kind is CoroutineType:
            suspended = each.cr_frame
        elif kind is AsyncGeneratorType:
            suspended = each.ag_frame
        else:
            continue
        if suspended is not None and id(suspended) not in seen and not is_in_stub(suspended):
            found.append(_Activation(suspended, each))
    return found


def _stack_from(frame: FrameType, base: FrameType) -> list[FrameType]:
    """Return the functions' frames from `frame` down to `base`, none if that does not wait for `frame`."""
    found = []
    each: FrameType | None = frame
    while each is not None:
        if each.f_code.co_flags & interpreter.OPTIMIZED:
            found.append(each)
        if each is base:
            return found
        each = each.f_back
    return []


_OURS = __name__.partition(".")[0] + "."


def _class_of(function: FunctionType, qualname: str) -> type | None:
    """Return the class called `qualname` of the function's module that the function is in, None where that cannot be told."""
    module = function.__globals__.get("__name__")
    classes = [cls for cls in _all_classes() if class_namespace(cls).get("__module__") == module and _qualname(cls) == qualname]
    holding = [cls for cls in classes if leads_to(class_namespace(cls).values(), function)]
    if not holding and "<locals>" not in qualname:  # what a decorator has put in the function's place does not lead to it
        holding = classes
    if len(holding) > 1:  # `dataclass(slots=True)` makes a second class of one
        named = find_class(function.__globals__, qualname)
        return next((cls for cls in holding if cls is named), None)
    return holding[0] if holding else None


def _qualname(cls: type) -> object:
    return vars(type)["__qualname__"].__get__(cls)


def _all_classes() -> list[type]:
    found: dict[int, type] = {}
    subclasses: Callable[[type], list[type]] = type.__subclasses__  # past metaclasses
    waiting: list[type] = [object]
    while waiting:
        for each in subclasses(waiting.pop()):
            if id(each) not in found:
                found[id(each)] = each
                waiting.append(each)
    return list(found.values())


#: So many objects are looked at on the way from a class, or a variable, to a function: decorators, descriptors and registries in between.
_MOST_STEPS = 5000
_ENDS = (ModuleType, CodeType, FrameType, type)


def leads_to(start: Iterable[object], goal: FunctionType) -> bool:
    """Tell whether `goal` is among the objects, or in one of them: through descriptors, wrappers and containers, not through classes.

    Does not run code of the program.
    """
    waiting: list[Any] = list(start)
    seen: set[int] = set()
    for each in waiting:  # grows on the way: what is near comes first
        if each is goal:
            return True
        if id(each) in seen:
            continue
        seen.add(id(each))
        if len(seen) > _MOST_STEPS:
            return False
        if type(each) is FunctionType:
            waiting += [*(each.__closure__ or ()), *each.__dict__.values()]
        elif not issubclass(type(each), _ENDS) and not _is_module_namespace(each):
            waiting += gc.get_referents(each)
    return False


def _is_module_namespace(each: object) -> bool:
    return type(each) is dict and "__builtins__" in each and "__name__" in each
