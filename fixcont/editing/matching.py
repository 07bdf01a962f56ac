"""Which statement of the new text is which statement of the old one.

Statements are compared by structure: equal ones first, then compound ones with equal headers, then ones that are alike, then ones in the
same position. What could be either of two statements is left without a partner.
"""

from __future__ import annotations

import ast
import difflib
import itertools
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from fixcont.editing.statements import SLOTS, Scope, StarHandler, end_of, start_of

Lines = Sequence[str]


def match(old: Scope, new: Scope, lines: tuple[Lines, Lines] | None = None) -> dict[ast.AST, ast.AST]:
    """Find the partners of the statements of a scope, and of its `except` clauses, in a newer text of the scope.

    Statements of definitions inside are left out; the definitions themselves are statements.

    Args:
        lines: of the two texts. Where they are given, statements that are in both with the same text are not looked into, which takes a
            fraction of the time. The same is found, but for what is there several times and not always written alike: there the text decides.

    Returns:
        Old node -> new node, one to one. What was deleted, or cannot be told from another, is not in it.
    """
    return _Matcher(old, new, lines).run()


_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_OPERATORS = (ast.operator, ast.unaryop, ast.boolop, ast.cmpop)
_UNSEEN = frozenset(["ctx", "kind", "type_comment"])
_TRIES = (ast.Try, ast.TryStar)
_CLAUSES = (ast.ExceptHandler, ast.match_case)
_ALIKE = 0.5
_MANY = 5_000  # above that many pairs no likeness is searched for: whoever changed so much does not go on in the middle


@dataclass(eq=False)
class _Unit:
    """A statement, `except` clause or `case` of one of the two scopes.

    Attributes:
        kind: the type of the node, but for clauses of an `except*`.
        siblings: the units of the body that it stands in.
    """

    node: ast.AST
    kind: type[ast.AST]
    siblings: list[_Unit]
    index: int
    _numbers: dict[Any, int]  # content -> key; the same for units that are to be compared
    _key: int = -1
    _head: int | None = None
    _slots: list[list[_Unit]] | None = None

    @property
    def slots(self) -> list[list[_Unit]]:
        """The units of its own bodies, made when they are asked for; none for definitions."""
        if self._slots is None:
            is_star = self.kind is ast.TryStar
            self._slots = [
                _units(getattr(self.node, name), self._numbers, is_star=is_star and name == "handlers")
                for name in SLOTS.get(self.kind, ())
            ]
        return self._slots

    @property
    def is_opened(self) -> bool:
        """Whether there are units for its bodies."""
        return self._slots is not None

    @cached_property
    def flat(self) -> tuple[Any, ...]:
        """What it says itself, without its bodies."""
        return (self.kind, *_flat(self._header)) if self.slots else tuple(_flat(self.node))

    @property
    def key(self) -> int:
        """Equal for equal statements."""
        if self._key < 0:
            self._number_all()
        return self._key

    @property
    def head(self) -> int | None:
        """Equal for equal headers; None for what has no body."""
        if self._key < 0:
            self._number_all()
        return self._head

    @property
    def _header(self) -> list[Any]:
        slots = SLOTS[self.kind]
        return [getattr(self.node, name) for name in self.kind._fields if name not in slots and name not in _UNSEEN]

    def _number_all(self) -> None:
        """Number it and all in it, the inner ones first; an `elif` may stand in hundreds of others."""
        for unit in reversed(list(_walk([self]))):
            if unit._key < 0:
                unit._number()

    def _number(self) -> None:
        numbers = self._numbers
        key = numbers.setdefault(self.flat, len(numbers))
        if self.slots:
            # A clause is the same clause whatever it calls the exception.
            is_clause = isinstance(self.node, ast.ExceptHandler)
            head = (self.kind, *_flat(self._header[:1])) if is_clause else self.flat
            self._head = numbers.setdefault(head, len(numbers))
            content = (key, *(tuple([inner._key for inner in slot]) for slot in self.slots))
            key = numbers.setdefault(content, len(numbers))
        self._key = key

    @property
    def is_simple(self) -> bool:
        """Whether it is neither a compound statement, nor a clause, nor a definition."""
        return self.kind not in SLOTS and not isinstance(self.node, _DEFINITIONS)

    @property
    def lead(self) -> Any:
        """What a simple statement assigns to or calls; None if neither."""
        node = self.node
        if isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            return ("assigns", *(ast.unparse(target) for target in targets))
        if isinstance(node, ast.Expr):
            value = node.value.value if isinstance(node.value, ast.Await) else node.value
            return ("calls", ast.unparse(value.func)) if isinstance(value, ast.Call) else None
        return "returns" if isinstance(node, ast.Return) else None

    @cached_property
    def leaves(self) -> tuple[Any, ...]:
        """The names, constants and operators that it has itself."""
        types = {part for part in self.flat if isinstance(part, type) and issubclass(part, _OPERATORS)}
        return tuple(part for part in self.flat if isinstance(part, (str, tuple)) or part in types)

    @cached_property
    def bag(self) -> Counter[Any]:
        """The names, constants and operators of it and everything in it."""
        return Counter(leaf for unit in _walk([self]) for leaf in unit.leaves)


def _walk(units: Iterable[_Unit]) -> Iterator[_Unit]:
    """Give units and all in them, in the order of the source."""
    waiting = list(units)[::-1]
    while waiting:
        unit = waiting.pop()
        yield unit
        for slot in reversed(unit.slots):
            waiting.extend(reversed(slot))


def _names_in(units: Iterable[_Unit], without: Collection[_Unit] = ()) -> set[str]:
    """Give the names in some units and in those inside, but for those in some of these."""
    names: set[str] = set()
    waiting = list(units)
    while waiting:
        unit = waiting.pop()
        if unit not in without:
            names.update(part for part in unit.flat if type(part) is str)
            waiting.extend(itertools.chain.from_iterable(unit.slots))
    return names


def _texts_of(units: Sequence[_Unit], lines: Lines) -> dict[_Unit, str]:
    """Give the text of those statements of a body that have their lines for themselves."""
    nodes = [unit.node for unit in units if isinstance(unit.node, ast.stmt)]
    if len(nodes) != len(units):
        return {}  # clauses
    spans = [(start_of(node)[0], end_of(node)[0]) for node in nodes]
    after = [*(first for first, _ in spans), len(lines) + 1][1:]
    before = [0, *(last for _, last in spans)][:-1]
    return {
        unit: "".join(lines[first - 1 : last]).rstrip()
        for unit, (first, last), ended, follows in zip(units, spans, before, after, strict=True)
        if ended < first and last < follows
    }


Pair = tuple[_Unit, _Unit]
Gap = tuple[list[_Unit], list[_Unit]]  # statements without partners, between the same neighbours


def _units(nodes: Iterable[ast.AST], numbers: dict[Any, int], *, is_star: bool = False) -> list[_Unit]:
    """Give the units of a body.

    Args:
        is_star: whether it is made of clauses of an `except*`.
    """
    siblings: list[_Unit] = []
    siblings.extend(
        _Unit(node, StarHandler if is_star else type(node), siblings, index, numbers) for index, node in enumerate(nodes)
    )
    return siblings


def _inside(node: ast.AST) -> Iterator[ast.AST]:
    """Give a statement and the statements and clauses in it, but for those of definitions."""
    waiting = [node]
    while waiting:
        each = waiting.pop()
        yield each
        for name in SLOTS.get(type(each), ()):
            waiting.extend(getattr(each, name))


_FIELDS: dict[type, tuple[str, ...]] = {}  # type of node -> its fields that count


def _flat(part: Any) -> list[Any]:
    """Write part of a syntax tree as a list: equal for equal parts, wherever they stand.

    It could be read back: a node is its type and its fields, with a 1 for those that come later, the last one first.
    """
    found: list[Any] = []
    add = found.append
    waiting = [part]
    while waiting:
        node = waiting.pop()
        kind = type(node)
        if kind is list:
            add(len(node))
            waiting.extend(node)
        elif kind is ast.Constant:
            add(kind)
            add((type(node.value), node.value))
        elif isinstance(node, ast.AST):
            add(kind)
            if kind not in _FIELDS:
                _FIELDS[kind] = tuple(name for name in kind._fields if name not in _UNSEEN)
            attributes = node.__dict__
            for name in _FIELDS[kind]:
                value = attributes.get(name)
                if isinstance(value, (ast.AST, list)):
                    add(1)
                    waiting.append(value)
                else:
                    add(value)
        else:
            add(node)
    return found


def _common(old: Sequence[Any], new: Sequence[Any]) -> list[tuple[int, int]]:
    """Pair the items that two sequences have in common, in order, but for those that could be paired in two ways."""
    limit = min(len(old), len(new))
    head = 0
    while head < limit and old[head] == new[head]:
        head += 1
    if head == len(old) == len(new):
        return [(index, index) for index in range(head)]
    tail = 0
    while tail < limit and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    if head + tail > limit:  # something that is there twice became something that is there once, or the other way round
        head, tail = limit - tail, limit - head
    pairs = [(index, index) for index in range(head)]
    left, right = old[head : len(old) - tail], new[head : len(new) - tail]
    if not set(left).isdisjoint(right):
        # The first way to pair them, and the last one: what is in both is sure.
        first, last = _blocks(left, right), _blocks(left[::-1], right[::-1])
        turned = {(len(left) - 1 - one, len(right) - 1 - other) for one, other in last}
        pairs.extend((head + one, head + other) for one, other in first if (one, other) in turned)
    pairs.extend((len(old) - left, len(new) - left) for left in range(tail, 0, -1))
    return pairs


def _blocks(old: Sequence[Any], new: Sequence[Any]) -> list[tuple[int, int]]:
    blocks = difflib.SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()
    return [(block.a + step, block.b + step) for block in blocks for step in range(block.size)]


def _likeness(old: _Unit, new: _Unit) -> float:
    """Tell how alike two units are, from 0 to 1; above `_ALIKE` they may be partners."""
    if old.key == new.key:
        return 1.0
    if old.kind is not new.kind and not (old.is_simple and new.is_simple):
        return 0.0
    shared = _shared(old.bag, new.bag)
    if not old.is_simple:
        is_same_head = old.head is not None and old.head == new.head and not isinstance(old.node, _TRIES)
        return 0.5 + shared / 2 if is_same_head else shared
    if shared <= _ALIKE or len(old.leaves) * len(new.leaves) > _MANY:
        return shared
    return difflib.SequenceMatcher(None, old.leaves, new.leaves, autojunk=False).ratio()


def _shared(old: Counter[Any], new: Counter[Any]) -> float:
    both = sum(min(count, new[leaf]) for leaf, count in old.items() if leaf in new)
    return 2 * both / (old.total() + new.total()) if both else 0.0


def _once(old: list[_Unit], new: list[_Unit], attribute: str) -> list[Pair]:
    """Give the pairs with the same value of an attribute that is there once on both sides, and not None."""
    sides: list[dict[Any, _Unit]] = []
    for units in (old, new):
        values = [getattr(unit, attribute) for unit in units]
        counts = Counter(values)
        sides.append({value: unit for value, unit in zip(values, units, strict=True) if counts[value] == 1 and value is not None})
    return [(unit, sides[1][value]) for value, unit in sides[0].items() if value in sides[1]]


class _Matcher:
    """Pairs the units of two scopes."""

    def __init__(self, old: Scope, new: Scope, lines: tuple[Lines, Lines] | None) -> None:
        numbers: dict[Any, int] = {}
        self._old, self._new = _units(old.body, numbers), _units(new.body, numbers)
        self._partners: dict[_Unit, _Unit] = {}  # both ways
        self._lines = lines
        self._same_text: dict[_Unit, str] = {}  # those whose text is in both bodies that were compared
        self._closed: set[_Unit] = set()  # those that have partners with all that is in them, which has no units
        self._waiting: list[Gap] = [(self._old, self._new)]  # bodies to be compared
        self._left: list[Gap] = []  # where likeness did not decide

    def run(self) -> dict[ast.AST, ast.AST]:
        while True:
            while self._waiting:
                self._align(*self._waiting.pop())
            # What was found nowhere near.
            old, new = self._free(self._all(self._old)), self._free(self._all(self._new))
            if not self._pair_equal(old, new) and not self._pair_headers(old, new, is_near=False):
                if not self._left:
                    break
                self._pair_in_order(*self._left.pop(0))
        found: dict[ast.AST, ast.AST] = {}
        for unit in self._all(self._old):
            partner = self._partners.get(unit)
            if partner is None:
                continue
            if unit.kind in SLOTS and unit in self._closed:
                found.update(zip(_inside(unit.node), _inside(partner.node), strict=True))
            else:
                found[unit.node] = partner.node
        return {one: other for one, other in found.items() if not isinstance(one, ast.match_case)}

    def _all(self, units: list[_Unit]) -> Iterator[_Unit]:
        """Give the units of a body and all in them, but for what is closed, outer ones before inner ones."""
        waiting = [units]
        while waiting:
            for unit in waiting.pop():
                yield unit
                if unit not in self._closed:
                    waiting.extend(unit.slots)

    def _pair(self, old: _Unit, new: _Unit, is_same_form: bool = False) -> bool:
        """Make two units partners; of equal ones, and of those of the same form, all that is in them too."""
        if old in self._partners or new in self._partners:
            return False
        self._partners[old], self._partners[new] = new, old
        if not old.is_opened and not new.is_opened and self._same_text.get(old, "") == self._same_text.get(new):
            self._closed.update((old, new))
        elif old.slots and (is_same_form or old.key == new.key):
            for one, other in zip(_walk([old]), _walk([new]), strict=True):
                if one not in self._partners and other not in self._partners:
                    self._partners[one], self._partners[other] = other, one
        else:
            self._waiting.extend((one, other) for one, other in zip(old.slots, new.slots, strict=True) if one and other)
        return True

    def _free(self, units: Iterable[_Unit]) -> list[_Unit]:
        return [unit for unit in units if unit not in self._partners]

    def _split(self, old: list[_Unit], new: list[_Unit], content: Callable[[_Unit], Any] | None = None) -> list[Gap]:
        """Pair what has the same content, in order; give what is left between the pairs. Without a content only give that."""
        old_tokens = [content(unit) if content and unit not in self._partners else unit for unit in old]
        new_tokens = [self._partners.get(unit) or (content(unit) if content else unit) for unit in new]
        pairs = _common(old_tokens, new_tokens)
        for here in pairs:
            self._pair(old[here[0]], new[here[1]], content is not None)
        gaps = [
            (self._free(old[last[0] + 1 : here[0]]), self._free(new[last[1] + 1 : here[1]]))
            for last, here in itertools.pairwise([(-1, -1), *pairs, (len(old), len(new))])
            if here[0] - last[0] > 1 and here[1] - last[1] > 1
        ]
        return [gap for gap in gaps if gap[0] and gap[1]]

    def _align(self, old: list[_Unit], new: list[_Unit]) -> None:
        """Compare two bodies."""
        same = self._written_alike(old, new)
        for gap in self._split(old, new, lambda unit: same.get(unit) or unit.key):
            for inner in self._pair_renamed(*gap):
                self._pair_equal(*([unit for unit in self._free(_walk(units)) if unit.slots] for units in inner))
                self._pair_headers(*inner, is_near=True)
                for rest in self._split(*inner):
                    self._pair_equal(*(self._free(_walk(units)) for units in rest))
                for rest in self._split(*inner):
                    self._left.extend(self._pair_alike(*rest))

    def _written_alike(self, old: list[_Unit], new: list[_Unit]) -> dict[_Unit, str]:
        """Give the text of those statements of two bodies whose text is in both."""
        if self._lines is None:
            return {}
        sides = [_texts_of(units, lines) for units, lines in zip((old, new), self._lines, strict=True)]
        both = set(sides[0].values()).intersection(sides[1].values())
        same = {unit: text for side in sides for unit, text in side.items() if text in both}
        self._same_text.update(same)
        return same

    def _pair_renamed(self, old: list[_Unit], new: list[_Unit]) -> list[Gap]:
        """Pair what is equal but for names that are in one of the scopes only."""
        if len(old) == 1 or len(new) == 1:
            return [(old, new)]
        old_names, new_names = self._names
        forms = {unit: self._form(unit, old_names) for unit in old} | {unit: self._form(unit, new_names) for unit in new}
        old_counts, new_counts = Counter(forms[unit] for unit in old), Counter(forms[unit] for unit in new)

        def content(unit: _Unit) -> Any:
            form = forms[unit]
            return form if form is not None and old_counts[form] == new_counts[form] else unit

        return self._split(old, new, content)

    @cached_property
    def _names(self) -> tuple[set[str], set[str]]:
        """The names that only the old scope has, and those that only the new one has."""
        old, new = (_names_in(top, self._same_text) for top in (self._old, self._new))
        lost, come = old - new, new - old
        if lost or come:
            same = _names_in(self._same_text)  # they are in both scopes
            lost, come = lost - same, come - same
        return lost, come

    def _form(self, unit: _Unit, lost: set[str]) -> Any:
        """Write a unit with numbers in place of some names; None if nothing is left to know it by."""
        numbers: dict[Any, int] = {}
        form: list[Any] = []
        for inner in _walk([unit]):
            form.append(tuple(len(slot) for slot in inner.slots))
            form.extend(numbers.setdefault(part, len(numbers)) if part in lost else part for part in inner.flat)
        return tuple(form) if any(leaf not in lost for leaf in unit.bag) else None

    def _pair_headers(self, old: list[_Unit], new: list[_Unit], is_near: bool) -> bool:
        """Pair compound statements and clauses whose header is there once on both sides.

        If they are not near each other, or the header is `try`, then only if they say much the same.
        """
        is_found = False
        for one, other in _once(self._free(old), self._free(new), "head"):
            if (is_near and not isinstance(one.node, _TRIES)) or _shared(one.bag, other.bag) > _ALIKE:
                is_found |= self._pair(one, other)
        return is_found

    def _pair_equal(self, old: list[_Unit], new: list[_Unit]) -> bool:
        """Pair equal units that are there once on both sides, in whatever order and depth, and then what is alike beside them."""
        found: list[Pair] = []
        known = -1
        while len(found) > known:
            known = len(found)
            # One `pass` or `continue` is like any other: it has no names.
            found += [pair for pair in _once(self._free(old), self._free(new), "key") if pair[0].bag and self._pair(*pair)]
        for one, other in found:
            for is_after in (True, False):
                beside = self._neighbours(one, is_after), self._neighbours(other, is_after)
                for gap in self._split(*beside, lambda unit: unit.key):
                    self._pair_alike(*gap)
        return bool(found)

    def _neighbours(self, unit: _Unit, is_after: bool) -> list[_Unit]:
        """Give the units without partners directly after, or before, a unit."""
        siblings = unit.siblings[unit.index + 1 :] if is_after else unit.siblings[: unit.index][::-1]
        run = list(itertools.takewhile(lambda sibling: sibling not in self._partners, siblings))
        return run if is_after else run[::-1]

    def _pair_alike(self, old: list[_Unit], new: list[_Unit]) -> list[Gap]:
        """Pair units that are more like each other than like anything else in the gap, in order; give what is left."""
        tops = {*old, *new}
        # What stands further in is not paired here, but what is more like it is not paired with something else.
        olds, news = ([one for one in self._free(_walk(units)) if one in tops or one.is_simple] for units in (old, new))
        likeness: dict[Pair, float] = {}
        if len(olds) * len(news) <= _MANY:
            pairs = [(one, other) for one in olds for other in news if one in tops or other in tops]
            likeness = {pair: value for pair in pairs if (value := _likeness(*pair)) > _ALIKE}
        for one, other in _once(olds, news, "kind") + _once(olds, news, "lead"):
            shared = _shared(one.bag, other.bag)
            if one in tops and other in tops and one.is_simple and (shared > 0.3 or one.lead == other.lead is not None):
                bonus = shared / 2 if one.lead == other.lead is not None else 0
                likeness[one, other] = max(likeness.get((one, other), 0), _ALIKE + 0.01, 0.45 + bonus)
        left = []
        waiting = [(old, new)]
        while waiting:
            gap = waiting.pop()
            pair = self._best(*gap, likeness)
            if pair is not None and self._pair(*pair):
                waiting.extend(reversed(self._split(*gap)))
            else:
                left.append(gap)
        return left

    def _best(self, old: list[_Unit], new: list[_Unit], likeness: dict[Pair, float]) -> Pair | None:
        """Give the pair that is most alike, of those in which neither is as much like anything else."""
        here, tops = {*old, *new}, (old[0].siblings, new[0].siblings)
        rivals: dict[_Unit, list[float]] = {}  # unit of the gap -> how much it is like others, in the gap or further in
        candidates: list[tuple[float, Pair]] = []
        for (one, other), value in likeness.items():
            if one in self._partners or other in self._partners:
                continue
            if one in here and (other in here or other.siblings is not tops[1]):
                rivals.setdefault(one, []).append(value)
            if other in here and (one in here or one.siblings is not tops[0]):
                rivals.setdefault(other, []).append(value)
            if one in here and other in here:
                candidates.append((value, (one, other)))
        sure = [found for found in candidates if all(sum(value >= found[0] for value in rivals[unit]) == 1 for unit in found[1])]
        return max(sure, key=lambda candidate: candidate[0])[1] if sure else None

    def _pair_in_order(self, old: list[_Unit], new: list[_Unit]) -> None:
        """Pair what is left between the same neighbours, if the numbers and types agree."""
        old, new = self._free(old), self._free(new)
        for one, other in zip(old, new, strict=True) if len(old) == len(new) else ():
            if one.kind is other.kind and not self._is_elsewhere(one, other):
                self._pair(one, other)

    def _is_elsewhere(self, old: _Unit, new: _Unit) -> bool:
        """Tell whether something else may be the partner of one of two units; or of loops and such, whether they share nothing."""
        if not old.is_simple:
            return not isinstance(old.node, _CLAUSES) and not _shared(old.bag, new.bag)
        value = max(_likeness(old, new), _ALIKE)
        olds, news = self._free(self._all(self._old)), self._free(self._all(self._new))
        return len(olds) + len(news) < _MANY // 100 and (
            any(_likeness(old, unit) > value for unit in news) or any(_likeness(unit, new) > value for unit in olds)
        )
