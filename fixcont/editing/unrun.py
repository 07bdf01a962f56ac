"""Statements of modules that are in the files and were not run: new and changed ones, by number, and running one of them.

What a module's statements have done may be what the program holds dear, so an install does not run them. The user does, one by one.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from types import CodeType
from typing import Any, NamedTuple

from fixcont.editing.compare import Comparison
from fixcont.editing.definitions import FUTURES
from fixcont.editing.functions import Namespace
from fixcont.editing.plan import Statement
from fixcont.editing.rewriting import compile_tree
from fixcont.editing.syntax import IMPORTS, Syntax, bound_names


@dataclass(frozen=True)
class Unrun:
    """One statement that was not run.

    Attributes:
        number: by which the user names it; never used again for another one.
        line: in the newest text of the file.
        text: its first line, as in the file.
    """

    number: int
    filename: str
    line: int
    text: str


def describe(statement: Statement, number: int = 0) -> Unrun:
    """Say where a statement stands, and how it begins."""
    text, line = statement.node.text, statement.item.line
    return Unrun(number, text.filename, line, text.lines[line - 1].strip())


class Ran(NamedTuple):
    """A statement that was run.

    Attributes:
        rebound: the modules in which it ran, each with the names that it has bound to something else, and what they were bound to.
    """

    statement: Unrun
    rebound: list[tuple[Namespace, dict[str, Any]]]


#: Statements that wait to be run, without their syntax: each with what tells statements apart, and the compiler flags of its file.
Waiting = tuple[tuple[Unrun, str, int], ...]


class UnrunStatements:
    """All statements that are in the newest texts and were not run."""

    def __init__(self) -> None:
        self._last = 0
        self._noted: Waiting = ()
        self._run: dict[int, tuple[str, frozenset[str] | str]] = {}  # number of one that was run -> which ones it replaces
        self._waiting: dict[int, tuple[Unrun, ast.stmt, int]] = {}  # number -> it, its syntax, the compiler flags of its file
        self._keys: dict[int, str] = {}  # number -> what tells statements apart
        self._ran: dict[tuple[str, frozenset[str] | str], str] = {}  # (file, names bound or key) -> key of the statement run last

    def update(self, comparison: Comparison, statements: Iterable[Statement]) -> list[Unrun]:
        """Take in what an install has not run, and drop what is no longer in the file. Returns what was added."""
        filename = comparison.new.filename
        for change in comparison.scopes:
            if change.new is not comparison.new.module:
                continue
            for item in change.gone:
                if not self._drop(filename, item.key):
                    self._ran.setdefault(_slot(filename, item.statement, item.key), item.key)
        self._forget_redefined(comparison)
        self._move(comparison)
        return [
            self._add(each)
            for each in statements
            if self._ran.get(_slot(filename, each.item.statement, each.item.key)) != each.item.key
        ]

    def again(self, statements: Iterable[Statement]) -> list[Unrun]:
        """Take in statements that have been run, and read what is another thing by now. Returns those that did not wait already."""
        waiting = {(unrun.filename, self._keys[number]) for number, (unrun, _, _) in self._waiting.items()}
        return [self._add(each) for each in statements if (each.node.text.filename, each.item.key) not in waiting]

    def _add(self, statement: Statement) -> Unrun:
        self._last += 1
        unrun = describe(statement, self._last)
        self._waiting[self._last] = unrun, statement.item.statement, statement.node.code.co_flags & FUTURES
        self._keys[self._last] = statement.item.key
        return unrun

    def _drop(self, filename: str, key: str) -> bool:
        for number, (unrun, _, _) in self._waiting.items():
            if unrun.filename == filename and self._keys[number] == key:
                del self._waiting[number], self._keys[number]
                return True
        return False

    def _forget_redefined(self, comparison: Comparison) -> None:
        """Forget what was run last for names that a definition or an import has taken over: the same statement would do something again."""
        defined = {node.code.co_name for node in comparison.added if node.parent is comparison.new.module}
        for change in comparison.scopes:
            if change.new is comparison.new.module:
                defined |= bound_names(item.statement for item in change.appeared if isinstance(item.statement, IMPORTS))
        for filename, names in list(self._ran):
            if filename == comparison.new.filename and isinstance(names, frozenset) and names & defined:
                del self._ran[filename, names]

    def _move(self, comparison: Comparison) -> None:
        """Bring the lines of those that stay up to date."""
        mine = [number for number, (unrun, _, _) in self._waiting.items() if unrun.filename == comparison.new.filename]
        if not mine:
            return
        syntax = comparison.syntax or Syntax(comparison.new)
        for number in mine:
            unrun, statement, flags = self._waiting[number]
            names = {each.id for each in ast.walk(statement) if isinstance(each, ast.Name)}
            items = syntax.items(comparison.new.module, syntax.pieces.with_all(names))
            item = next((each for each in reversed(items) if each.key == self._keys[number]), None)
            if item is not None:
                moved = Unrun(number, unrun.filename, item.line, unrun.text)
                self._waiting[number] = moved, item.statement, flags

    def waiting(self) -> Waiting:
        """Give what waits now, to be put back by `put_back`. The same object as the last time where nothing has changed."""
        waiting = tuple((unrun, self._keys[number], flags) for number, (unrun, _, flags) in self._waiting.items())
        if waiting != self._noted:
            self._noted = waiting
        return self._noted

    def put_back(self, before: Waiting, comparisons: Sequence[Comparison], rerun: Sequence[Unrun]) -> list[Unrun]:
        """Let those wait again that waited before an install which was taken back, but for what was run meanwhile.

        Args:
            comparisons: of the newest text with the one before, for each file of the install.
            rerun: what was run since the install.

        Returns:
            Statements of the texts before that are listed in addition, as one that was run has taken their place.
        """
        items = {each.new.filename: Syntax(each.new).items(each.new.module) for each in comparisons} if before or rerun else {}
        old, self._waiting, self._keys = self._waiting, {}, {}
        for unrun, key, flags in before:
            statement = next((item.statement for item in items.get(unrun.filename, ()) if item.key == key), None)
            if statement is None and unrun.number in old:
                statement = old[unrun.number][1]  # of another file, in which nothing changes
            if statement is not None and unrun.number not in self._run:
                self._waiting[unrun.number], self._keys[unrun.number] = (unrun, statement, flags), key
        replaced = {self._run[each.number] for each in rerun if each.number in self._run}
        return [
            self._add(Statement(each.new.module, item))
            for each in comparisons
            for item in items.get(each.new.filename, ())
            if (slot := _slot(each.new.filename, item.statement, item.key)) in replaced
            and self._ran.get(slot) != item.key
            and item.definition is None
            and item.key not in self._keys.values()
        ]

    def all(self) -> list[Unrun]:
        """Return all of them, by number."""
        return [unrun for unrun, _, _ in self._waiting.values()]

    def run(self, number: int, namespaces: Callable[[str], list[Namespace]], trap: Callable[[CodeType], CodeType]) -> Ran | None:
        """Run one in its module, in each of them where the file was loaded as several. It then counts as run.

        Args:
            namespaces: gives the modules that were loaded from a file.
            trap: gives a code object with traps.

        Returns:
            What was run, None where there is none of this number.

        Raises:
            BaseException: what the statement raises. It stays what it was: not run.
        """
        if number not in self._waiting:
            return None
        unrun, statement, flags = self._waiting[number]
        code = compile_tree(ast.Module([statement], []), unrun.filename, flags)
        names = bound_names([statement])
        rebound = []
        for namespace in namespaces(unrun.filename):
            before = {name: namespace[name] for name in names if name in namespace}
            exec(trap(code), namespace)
            rebound.append(
                (namespace, {name: value for name, value in before.items() if namespace.get(name, value) is not value})
            )
        key = self._keys.pop(number)
        del self._waiting[number]
        slot = self._run[number] = _slot(unrun.filename, statement, key)
        self._ran[slot] = key
        return Ran(unrun, rebound)


def _slot(filename: str, statement: ast.stmt, key: str) -> tuple[str, frozenset[str] | str]:
    """Tell which statements replace each other: those that bind the same names; else only equal ones."""
    return filename, frozenset(bound_names([statement])) or key
