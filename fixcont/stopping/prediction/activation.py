"""What the handlers of one activation do with an exception, from a given instruction outward to the frame's end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import CodeType
from typing import Final

from fixcont.errors import Unwinding
from fixcont.stopping.prediction.codes import View
from fixcont.stopping.prediction.contexts import Contexts
from fixcont.stopping.prediction.handlers import Clause, Fate, Kind, clauses_at, count_withs
from fixcont.stopping.prediction.values import (
    UNKNOWN,
    Scope,
    as_member,
    is_any,
    is_instance,
    is_subclass,
    items_of,
    leaves,
    matching,
)
from fixcont.stopping.prediction.verdicts import PASSES, End, Passage, after, doubtful, handled, joined, library

#: More handlers around one instruction than anybody writes: a chain that does not end is not understood.
_LIMIT: Final = 128

_TYPE_DOUBT: Final = doubtful("type-expression")


class Activation:
    """Follows exceptions through single activations.

    Parameters:
        is_user: whether a code object is the user's own.
        library_broad_counts: whether broad handlers of others count as handlers.
    """

    def __init__(self, is_user: Callable[[CodeType], bool], library_broad_counts: bool) -> None:
        self._is_user = is_user
        self._library_broad_counts = library_broad_counts
        self.contexts = Contexts(self._through_generator)

    def through(self, exception: BaseException, view: View, at: int, scope: Scope) -> Passage:
        """Follow an exception that is raised at code unit `at`."""
        return self._onward(exception, view, view.handler_at(at), scope, _NoExits(), 0)

    def from_handler(self, exception: BaseException, view: View, handler: int, scope: Scope, exits: Sequence[object]) -> Passage:
        """Follow an exception that is about to enter the handler at code unit `handler`.

        `exits` are the live exits of the open `with` blocks, innermost last.
        """
        live = exits if exits and count_withs(view, handler) == len(exits) else ()
        return self._onward(exception, view, handler, scope, _Exits(live), 0)

    def _through_generator(self, exception: BaseException, view: View, at: int, scope: Scope, depth: int) -> Passage:
        return self._onward(exception, view, view.handler_at(at), scope, _NoExits(), depth)

    def _onward(
        self, exception: BaseException, view: View, handler: int | None, scope: Scope, exits: _Exits, depth: int
    ) -> Passage:
        passage = PASSES
        is_joining = False
        for _ in range(_LIMIT):
            if handler is None:
                return passage._replace(is_joining=True) if is_joining else passage
            first = clauses_at(view, handler)[0]
            if first.kind is Kind.STAR_BODY and first.onward is not None and not is_instance(exception, Unwinding):
                return after(passage, self._out_of_star_body(exception, view, first.onward, scope, exits, depth))
            here, onward = self._handler(exception, view, handler, scope, exits, depth)
            passage = after(passage, here)
            if passage.end is not End.PASSES:
                return passage
            if onward is None:
                return after(passage, doubtful("handler"))
            if here.is_joining:  # the exit of a task group
                exception, is_joining = as_member(exception), True
            handler = view.handler_at(onward)
        return after(passage, doubtful("handler"))

    def _out_of_star_body(
        self, exception: BaseException, view: View, onward: int, scope: Scope, exits: _Exits, depth: int
    ) -> Passage:
        """Follow what the body of an `except*` raises: alone as it is, or in a group, if it is one that is handled there."""
        handler = view.handler_at(onward)
        member = as_member(exception)
        if member is exception:
            return self._onward(exception, view, handler, scope, exits, depth)
        as_it_is = self._onward(exception, view, handler, scope, exits.copy(), depth)
        return joined(as_it_is, self._onward(member, view, handler, scope, exits, depth))

    def _handler(
        self, exception: BaseException, view: View, handler: int, scope: Scope, exits: _Exits, depth: int
    ) -> tuple[Passage, int | None]:
        """Return what one handler does, and the code unit at which the exception goes on if it passes."""
        passage = PASSES
        clauses = clauses_at(view, handler)
        if clauses[0].kind is Kind.STAR:
            return self._stars(exception, view, clauses, scope), clauses[-1].onward
        for clause in clauses:
            if clause.kind in _MATCHING:
                here, onward = self._matching_clause(exception, view, clause, scope)
                if onward is not None and here.end is End.PASSES:
                    return after(passage, here), onward
            else:
                here = self._other_clause(exception, clause, scope, exits, depth)
            passage = after(passage, here)
            if passage.end is not End.PASSES:
                break
        return passage, clauses[-1].onward

    def _matching_clause(self, exception: BaseException, view: View, clause: Clause, scope: Scope) -> tuple[Passage, int | None]:
        """Return what a clause does; with it, where its body raises the exception again, if it takes it only to do so."""
        fate = clause.fate
        taken = BaseException if clause.kind is Kind.BARE else matching(type(exception), clause.expression.value(scope))
        if taken is None:
            return PASSES, None
        if not fate.catches and not fate.raises and fate.reraises:
            if taken is UNKNOWN and clause.onward is None:
                return PASSES, None  # whether the clause takes it or not, it goes on: by the next clause or by this body
            return PASSES, fate.reraises[0]
        if taken is UNKNOWN:
            return _TYPE_DOUBT, None
        return self._body(view, fate, _is_broad(taken))

    def _body(self, view: View, fate: Fate, is_broad: bool) -> tuple[Passage, int | None]:
        """Return what the body of a clause that takes the exception does, and where it may raise it again."""
        if not fate.catches:
            return (handled("converted") if fate.raises else doubtful("handler")), None
        ends = self._caught(view, "broad" if is_broad else "typed", is_broad)
        if not fate.reraises:
            return ends, None
        if ends.end is End.LIBRARY:
            return Passage(End.PASSES, library_doubt=True), fate.reraises[0]
        if self._is_user(view.code):
            return handled("conditional"), None
        return doubtful("conditional"), fate.reraises[0]

    def _stars(self, exception: BaseException, view: View, clauses: Sequence[Clause], scope: Scope) -> Passage:
        """Answer for the clauses of an `except*`: each takes the members of a group that match and that no earlier one took."""
        if is_instance(exception, BaseExceptionGroup):
            scope.is_cacheable = False
        kinds: list[type] = [type(leaf) for leaf in leaves(exception)]
        took: list[object] = []
        passage = PASSES
        for clause in clauses:
            wanted = clause.expression.value(scope)
            found = [matching(kind, wanted) for kind in kinds]
            if is_any(UNKNOWN, *found):
                return after(passage, _TYPE_DOUBT)
            if _names_groups(wanted):
                return handled("converted")  # naming groups there is a TypeError
            taken = [each for each in found if each is not None]
            kinds = [kind for kind, each in zip(kinds, found, strict=True) if each is None]
            took += taken
            if taken and clause.fate.reraises:
                passage = after(passage, doubtful("conditional"))
        if not took:
            return passage
        if kinds:
            return after(passage, doubtful("part-of-group"))
        if passage is not PASSES:
            return passage
        return self._caught(view, "typed", all(_is_broad(kind) for kind in took))

    def _caught(self, view: View, cause: str, is_broad: bool) -> Passage:
        if is_broad and not self._library_broad_counts and not self._is_user(view.code):
            return library("library-broad")
        return handled(cause)

    def _other_clause(self, exception: BaseException, clause: Clause, scope: Scope, exits: _Exits, depth: int) -> Passage:
        kind = clause.kind
        if kind is Kind.WITH:
            exit_ = exits.next()
            if exit_ is not None:
                return self.contexts.of_exit(exception, exit_, scope, depth)
            return self.contexts.of_value(exception, clause.expression.value(scope), scope, depth)
        if kind is Kind.FINALLY:
            return _finally(clause.fate)
        if kind is Kind.STAR_BODY:
            return handled("converted")
        if kind is Kind.DELEGATION:
            return handled("protocol") if is_subclass(type(exception), StopIteration) else PASSES
        if kind is Kind.ASYNC_FOR:
            return handled("protocol") if is_subclass(type(exception), StopAsyncIteration) else PASSES
        if kind is Kind.GENERATOR_END and not depth:  # contextlib undoes this conversion
            is_converted = is_instance(exception, StopIteration) or is_instance(exception, StopAsyncIteration)
            return handled("converted") if is_converted else PASSES
        return PASSES


_MATCHING: Final = (Kind.TYPED, Kind.BARE)


def _names_groups(wanted: object) -> bool:
    if is_instance(wanted, tuple):
        return any(_names_groups(item) for item in items_of(wanted))
    return is_instance(wanted, type) and is_subclass(wanted, BaseExceptionGroup)  # type: ignore[arg-type]


def _is_broad(kind: object) -> bool:
    return is_any(kind, Exception, BaseException)


def _finally(fate: Fate) -> Passage:
    if fate.catches:
        return doubtful("finally") if fate.reraises else handled("finally")
    if fate.reraises:
        return PASSES
    return handled("converted") if fate.raises else doubtful("handler")


class _Exits:
    """The live exits that are still open, innermost last."""

    __slots__ = ("_exits",)

    def __init__(self, exits: Sequence[object]) -> None:
        self._exits = list(exits)

    def next(self) -> object | None:
        return self._exits.pop() if self._exits else None

    def copy(self) -> _Exits:
        return _Exits(self._exits)


class _NoExits(_Exits):
    __slots__ = ()

    def __init__(self) -> None:
        pass

    def next(self) -> object | None:
        return None

    def copy(self) -> _Exits:
        return self
