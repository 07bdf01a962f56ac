"""How far a `for` loop of a dead frame had come: its iterator is gone, but where its place is certain another one is put there.

Certain is: the loop runs over a value that a variable or an attribute still has and whose items do not change places, and the loop's own
variables tell exactly one place in it. Or over an object that is its own iterator, which knows its place.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import FrameType, ModuleType
from typing import Any, NamedTuple

from fixcont.postmortem.expressions import Unknown, is_builtin, is_certain, value_of
from fixcont.postmortem.touching import Program, assignments, binds, is_length, name_in, only_looks

_HEAP_TYPE = 1 << 9
_SEQUENCES = (list, tuple, str, bytes, range)
_MAPPINGS = (dict, set, frozenset)
_IMMUTABLE = (tuple, str, bytes, range, frozenset)
_PLAIN = (str, int, float, bytes)
_VIEWS = ("keys", "values", "items")
_IN_NO_VARIABLE = "what it runs over is in no variable any more"


def iterator_at(loop: ast.For, tree: ast.AST, frame: FrameType, program: Program, ran: Sequence[str]) -> Iterator[Any]:
    """Return an iterator that stands where the loop of a dead frame did, in the middle of its round.

    Args:
        loop: in the text that the frame runs.
        tree: that text.
        ran: names of the functions whose `except` and `finally` bodies have run since: those of the frame and its callers.

    Raises:
        Unknown: its place is not certain, for the reason that it gives.
    """
    finder = _Finder(loop, tree, frame, program, ran)
    source = finder.source(loop.iter)
    if source.iterator is not None:
        return source.iterator
    places = source.places(loop.target)
    if places is None:
        raise Unknown("its variables may have been bound anew")
    if len(places) != 1:
        raise Unknown(f"its variables fit {len(places)} items" if places else "its variables fit no item any more")
    iterator = source.begun()
    for _ in range(places.pop() + 1):
        next(iterator)
    return iterator


class _Source:
    """What a loop runs over.

    Attributes:
        places: gives the places that the value of a target fits, None where it tells nothing.
        begun: makes an iterator.
        iterator: the object itself, where that is its own iterator.
    """

    def __init__(
        self,
        places: Callable[[ast.expr], set[int] | None],
        begun: Callable[[], Iterator[Any]],
        iterator: Iterator[Any] | None = None,
    ) -> None:
        self.places = places
        self.begun = begun
        self.iterator = iterator


class _Finder:
    def __init__(self, loop: ast.For, tree: ast.AST, frame: FrameType, program: Program, ran: Sequence[str]) -> None:
        self.frame = frame
        self.program = program
        self.ran = ran
        self.inside = [node for statement in loop.body for node in ast.walk(statement)]
        everywhere = list(ast.walk(tree))
        self.assigned = [(name_in(target), value) for node in everywhere for target, value in assignments(node)]
        self.shared = {name for node in everywhere if isinstance(node, (ast.Global, ast.Nonlocal)) for name in node.names}
        self.bound = set(_bound_in(self.inside))
        self.targets = {node.id for node in ast.walk(loop.target) if isinstance(node, ast.Name)}

    # -- what the loop runs over

    def source(self, node: ast.expr) -> _Source:
        if isinstance(node, ast.Call) and not node.keywords:
            if isinstance(node.func, ast.Name):
                return self._of_builtin(node, node.func)
            if isinstance(node.func, ast.Attribute) and node.func.attr in _VIEWS and not node.args:
                return self._of_view(node.func)
            raise Unknown(_IN_NO_VARIABLE)
        if isinstance(node, (ast.Tuple, ast.List)):
            values = [self._stable(each) for each in node.elts]
            return self._of_items(lambda: iter(values), values)
        value = self._stable(node)
        kind = type(value)
        if kind in _SEQUENCES or kind in _MAPPINGS:
            if kind in (set, frozenset) and not self.program.keeps_sets:
                raise Unknown("the order of a set is another one here")
            self._check_unchanged(node, value)
            return self._of_items(lambda: iter(value), value)
        if not kind.__flags__ & _HEAP_TYPE and hasattr(kind, "__next__") and iter(value) is value:
            return _Source(lambda target: None, lambda: value, value)
        raise Unknown("what it runs over does not tell how far that had come")

    def _of_builtin(self, node: ast.Call, name: ast.Name) -> _Source:
        def means(word: str) -> bool:
            return is_builtin(name, word, self.frame) and name.id not in self.shared

        if means("range"):
            values = range(*[self._stable(each) for each in node.args])
            return self._of_items(lambda: iter(values), values)
        if means("enumerate") and len(node.args) in (1, 2):
            return self._of_enumerate(self.source(node.args[0]), self._stable(node.args[1]) if node.args[1:] else 0)
        if means("zip") and node.args:
            return self._of_zip([self.source(each) for each in node.args])
        if means("reversed") and len(node.args) == 1:
            value = self._stable(node.args[0])
            if type(value) in _SEQUENCES:
                self._check_unchanged(node.args[0], value)
                return self._of_items(lambda: reversed(value), value[::-1])
        if (means("list") or means("tuple")) and len(node.args) == 1:
            return self._of_copy(self.source(node.args[0]))
        if means("sorted") and len(node.args) == 1:
            return self._of_sorted(node.args[0])
        raise Unknown(_IN_NO_VARIABLE)

    def _of_copy(self, source: _Source) -> _Source:
        if source.iterator is not None:
            raise Unknown(_IN_NO_VARIABLE)
        return _Source(source.places, lambda: iter(list(source.begun())))

    def _of_sorted(self, node: ast.expr) -> _Source:
        """The items in order, where they are such that comparing them runs none of the program's code."""
        source = self.source(node)
        items = list(source.begun()) if source.iterator is None else []
        kinds = {type(each) for each in items}
        if len(kinds) != 1 or not kinds <= set(_PLAIN):
            raise Unknown(_IN_NO_VARIABLE)
        values = sorted(items)
        return self._of_items(lambda: iter(values), values)

    def _of_view(self, function: ast.Attribute) -> _Source:
        mapping = self._stable(function.value)
        if type(mapping) is not dict:
            raise Unknown(_IN_NO_VARIABLE)
        self._check_unchanged(function.value, mapping)
        if function.attr == "keys":
            return self._of_items(lambda: iter(mapping.keys()), mapping)
        if function.attr == "values":
            return self._of_items(lambda: iter(mapping.values()), list(mapping.values()))
        keys, values = self._of_items(lambda: iter(()), mapping), self._of_items(lambda: iter(()), list(mapping.values()))
        source = self._of_zip([keys, values])
        source.begun = lambda: iter(mapping.items())
        return source

    def _of_enumerate(self, inner: _Source, start: Any) -> _Source:
        if type(start) is not int or inner.iterator is not None:
            raise Unknown(_IN_NO_VARIABLE)

        def places(target: ast.expr) -> set[int] | None:
            if not isinstance(target, ast.Tuple) or len(target.elts) != 2:
                return None
            number, item = target.elts
            fitting = inner.places(item)
            told = self._value_of_target(number)
            if told is None:
                return fitting
            counted = {told[0] - start} if type(told[0]) is int and told[0] >= start else set()
            return counted if fitting is None else counted & fitting

        return _Source(places, lambda: enumerate(inner.begun(), start))

    def _of_zip(self, inner: list[_Source]) -> _Source:
        if any(each.iterator is not None for each in inner):
            raise Unknown(_IN_NO_VARIABLE)

        def places(target: ast.expr) -> set[int] | None:
            if not isinstance(target, ast.Tuple) or len(target.elts) != len(inner):
                return None
            told = [found for each, part in zip(inner, target.elts, strict=True) if (found := each.places(part)) is not None]
            return set.intersection(*told) if told else None

        return _Source(places, lambda: zip(*[each.begun() for each in inner], strict=False))

    def _of_items(self, begun: Callable[[], Iterator[Any]], values: Any) -> _Source:
        def places(target: ast.expr) -> set[int] | None:
            if isinstance(target, (ast.Tuple, ast.List)):
                return self._places_of_parts(target.elts, values)
            told = self._value_of_target(target)
            if told is None:
                return None
            if type(values) is range:
                return {values.index(told[0])} if type(told[0]) is int and told[0] in values else set()
            return {at for at, each in enumerate(values) if _is_same(each, told[0])}

        return _Source(places, begun)

    def _places_of_parts(self, targets: list[ast.expr], values: Any) -> set[int] | None:
        """Return the places of the items whose parts the targets still have, None where these tell nothing."""
        told = {at: found[0] for at, target in enumerate(targets) if (found := self._value_of_target(target)) is not None}
        if not told or any(isinstance(target, ast.Starred) for target in targets):
            return None
        return {
            place
            for place, item in enumerate(values)
            if type(item) in (tuple, list) and len(item) == len(targets) and all(_is_same(item[at], told[at]) for at in told)
        }

    # -- what is certain

    def _value_of_target(self, target: ast.expr) -> tuple[Any] | None:
        """Return, in a tuple, the item that a target still has; None where it may have been bound to something else."""
        if not isinstance(target, ast.Name) or target.id in self.bound or target.id in self.shared:
            return None
        try:
            return (value_of(target, self.frame),)
        except Unknown:
            return None

    def _stable(self, node: ast.expr) -> Any:
        """Return the value of a constant, or of a variable or attribute that the loop does not bind. Raises `Unknown`."""
        if is_length(node) and is_builtin(node.func, "len", self.frame):
            value = self._stable(node.args[0])
            if type(value) in _SEQUENCES:
                self._check_unchanged(node.args[0], value)
                return len(value)
        if isinstance(node, ast.Name) and (node.id in self.bound | self.targets or node.id in self.shared):
            raise Unknown(f"{node.id} may have been bound anew")
        if isinstance(node, ast.Attribute):
            self._stable(node.value)
            variable = self._variable(node)
            if any(binds(nodes, variable.is_it) for nodes in variable.reached()):
                raise Unknown(f"{ast.unparse(node)} may have been bound anew")
        elif not isinstance(node, (ast.Name, ast.Constant, ast.UnaryOp)):
            raise Unknown(_IN_NO_VARIABLE)
        try:
            return value_of(node, self.frame)
        except Unknown:
            raise Unknown(_IN_NO_VARIABLE) from None

    def _check_unchanged(self, node: ast.expr, value: Any) -> None:
        """Make sure that the loop only looks at a list or dict that it runs over: items may have changed places otherwise."""
        if type(value) in _IMMUTABLE or not isinstance(node, (ast.Name, ast.Attribute)):
            return
        if isinstance(node, ast.Name):  # `rows = self.rows`: others know it as that
            for name, known_as in self.assigned:
                if name == node.id and isinstance(known_as, ast.Attribute):
                    self._check_unchanged(known_as, value)
        variable = self._variable(node)
        if not all(only_looks(nodes, variable.is_it) for nodes in variable.reached()):
            raise Unknown(f"{ast.unparse(node)} may have been changed in it")

    def _variable(self, node: ast.Name | ast.Attribute) -> _Variable:
        if isinstance(node, ast.Name):
            if is_certain(node.id, self.frame):
                return _Variable(node.id, (ast.Name,), lambda: [self.inside])
            return _Variable(node.id, (ast.Name, ast.Attribute), lambda: self._reached(node.id))
        owner = value_of(node.value, self.frame)
        kinds = (ast.Name, ast.Attribute) if isinstance(owner, ModuleType) else (ast.Attribute,)
        return _Variable(node.attr, kinds, lambda: self._reached(node.attr))

    def _reached(self, variable: str) -> Iterable[Sequence[ast.AST]]:
        return self.program.reached(self.inside, self.ran, variable)


class _Variable(NamedTuple):
    """What a loop runs over, in the text.

    Attributes:
        kinds: of the nodes that may stand for it.
        reached: gives the nodes of each piece of code that may run in the loop and knows it.
    """

    name: str
    kinds: tuple[type[ast.AST], ...]
    reached: Callable[[], Iterable[Sequence[ast.AST]]]

    def is_it(self, node: ast.AST) -> bool:
        """Tell whether a node may stand for it."""
        return isinstance(node, self.kinds) and name_in(node) == self.name


def _is_same(item: object, value: object) -> bool:
    """Tell whether a variable has an item: plain values by what they are, others by identity. Runs none of the program's code."""
    if item is value:
        return True
    kind = type(item)
    return kind is type(value) and kind in (str, int, bytes) and item == value


def _bound_in(nodes: list[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name:
            yield node.name
        elif isinstance(node, ast.MatchMapping) and node.rest:
            yield node.rest
