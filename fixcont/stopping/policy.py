"""When to stop: the mode, and filters by type."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

from fixcont.errors import Refusal, Refused, Unwinding
from fixcont.stopping.prediction import Outcome, Verdict


class StopMode(enum.Enum):
    """Which exceptions stop the program."""

    UNHANDLED = "unhandled"
    UNCAUGHT = "uncaught"
    RAISED = "raised"
    NEVER = "never"


#: Exceptions with which programs, event loops and test frameworks talk to themselves; they end nothing that could be repaired.
_NOT_FAILURES = frozenset({
    "builtins.StopIteration", "builtins.StopAsyncIteration", "builtins.GeneratorExit", "builtins.SystemExit",
    "builtins.KeyboardInterrupt", "asyncio.exceptions.CancelledError", "concurrent.futures._base.CancelledError",
    "unittest.case.SkipTest", "unittest.case._ShouldStop", "_pytest.outcomes.Skipped", "_pytest.outcomes.Exit",
    "_pytest.outcomes.XFailed", "trio.Cancelled", "bdb.BdbQuit",
})  # fmt: skip


_dict_of = type.__dict__["__dict__"].__get__  # not by attribute: a metaclass may have ideas of its own
_qualname_of = type.__dict__["__qualname__"].__get__


class TypeCondition:
    """For which types a mode holds: those that are named, or all, and not those that are named behind a `!`.

    Args:
        text: names, separated by commas: "ZeroDivisionError, mypkg.Error, !mypkg.Expected".

    Raises:
        Refused: something in it is no name of a type.
    """

    def __init__(self, text: str) -> None:
        names = [name.strip() for name in text.split(",") if name.strip()]
        self._without = frozenset(name[1:].strip() for name in names if name.startswith("!"))
        self._only = frozenset(name for name in names if not name.startswith("!"))
        for name in self._only | self._without:
            if not all(part.isidentifier() for part in name.split(".")):
                raise Refused(Refusal("bad-condition", f"{name!r} is no name of a type", "write names, separated by commas"))

    def holds(self, names: AbstractSet[str]) -> bool:
        """Tell whether it holds for a type, which has these names."""
        return not names & self._without and (not self._only or bool(names & self._only))


#: From the one that stops at least to the one that stops at most.
_BREADTH = (StopMode.NEVER, StopMode.UNCAUGHT, StopMode.UNHANDLED, StopMode.RAISED)


class Policy:
    """Decides whether an exception stops the program.

    Args:
        mode: which exceptions do; of several, the one that stops most counts for each type.
        catch: names of types that stop even if they will be handled elsewhere.
        ignore: names of types that never stop.
        conditions: mode -> for which types it holds, where not for all.

    A name is that of a type or of one of its base types, with or without its module.

    Attributes:
        mode: the one that stops most.
    """

    def __init__(
        self,
        mode: StopMode | Iterable[StopMode],
        catch: Iterable[str] = (),
        ignore: Iterable[str] = (),
        conditions: Mapping[StopMode, TypeCondition] | None = None,
    ) -> None:
        self._modes = sorted([mode] if isinstance(mode, StopMode) else mode, key=_BREADTH.index, reverse=True)
        self.mode = self._modes[0] if self._modes else StopMode.NEVER
        self._conditions = dict(conditions or {})
        self._mode_of: dict[int, StopMode] = {}  # id of a type -> its mode, where there are conditions; as `_filters`
        self._catch = frozenset(catch)
        self._ignore = frozenset(ignore)
        # Id of a type of exception -> what `filter_of` says, for those that were asked for. By id, as a metaclass may have a hash of
        # its own; `_kept` keeps the types alive, so that the ids stay theirs.
        self._filters: dict[int, str] = {}
        self._kept: list[type] = []

    @property
    def has_catch(self) -> bool:
        """Whether any type stops although it will be handled."""
        return bool(self._catch)

    def mode_of(self, kind: type[BaseException]) -> StopMode:
        """Return the mode that counts for a type of exception."""
        if not self._conditions:
            return self.mode
        self.filter_of(kind)  # keeps it alive
        mode = self._mode_of.get(id(kind))
        if mode is None:
            names = _names_of(kind)
            held = (each for each in self._modes if each not in self._conditions or self._conditions[each].holds(names))
            mode = self._mode_of[id(kind)] = next(held, StopMode.NEVER)
        return mode

    def filter_of(self, kind: type[BaseException]) -> str:
        """Return "catch" or "ignore" where a filter speaks of a type of exception, else ""."""
        answer = self._filters.get(id(kind))
        if answer is None:
            answer = self._look_up(kind)
            if len(self._filters) >= 500:
                self._filters.clear()
                self._mode_of.clear()
                self._kept.clear()
            self._kept.append(kind)
            self._filters[id(kind)] = answer
        return answer

    def _look_up(self, kind: type[BaseException]) -> str:
        names = _names_of(kind)
        if Unwinding in type.mro(kind) or names & self._ignore:
            return "ignore"
        if names & self._catch:
            return "catch"
        return "ignore" if names & _NOT_FAILURES else ""

    def stops(self, kind: type[BaseException], verdict: Verdict, leaves_raiser: bool, is_last: bool) -> bool:
        """Tell whether to stop at a trap.

        Args:
            kind: the type of the exception.
            verdict: who will handle it.
            leaves_raiser: whether it is about to leave the user's function in which it came up.
            is_last: whether no trap further out will see it, so that what is not known must be decided now.
        """
        if self.filter_of(kind) == "catch":
            return True
        mode = self.mode_of(kind)
        if mode is StopMode.NEVER:
            return False
        if mode is StopMode.RAISED:
            return leaves_raiser
        if verdict.outcome is Outcome.UNKNOWN:
            return is_last and verdict.cause != "c-code"
        return verdict.outcome is Outcome.UNHANDLED


def _names_of(kind: type[BaseException]) -> set[str]:
    """Return the names of a type and of its base types, each with and without its module."""
    names: set[str] = set()
    for base in type.mro(kind):
        module, name = _dict_of(base).get("__module__"), _qualname_of(base)
        module = module if isinstance(module, str) else "builtins"
        names |= {name, f"{module}.{name}"}
    return names


def parse_mode(name: str) -> StopMode:
    """Return the mode of that name. Raises `Refused`."""
    try:
        return StopMode(name)
    except ValueError:
        known = ", ".join(mode.value for mode in StopMode)
        raise Refused(Refusal("unknown-mode", f"there is no mode of stopping called {name!r}", f"use one of {known}")) from None
