"""What decorators have made before an edit that changes what they do: it stays as it is, and the install says so.

An inner function of a decorator gets its new code wherever it lives. But what a decorator does when it is applied it has done. Which code that was
is found from the syntax of the decorators: what they call, what that calls, and those inner functions that are called then and not later.
"""

from __future__ import annotations

import ast
import dis
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import CodeType, FunctionType
from typing import Any, NamedTuple

from fixcont.editing.compare import Comparison, same_own_effect
from fixcont.editing.decorators import CALLED, functions_of, methods_of, reached, value_of_name
from fixcont.editing.functions import Namespace, docstring_of, find_class, functions_behind
from fixcont.editing.plan import UNTIL_RESTART
from fixcont.editing.statements import find_scope
from fixcont.editing.syntax import DEFINITIONS, blocks_of
from fixcont.editing.texts import Kind, Node, Text
from fixcont.errors import Refusal

_DECORATOR = re.compile(rb"^[ \t]*@[ \t]*([A-Za-z_][\w.]*)[ \t]*(\(?)", re.MULTILINE)
_NAMED = 4
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)

Identify = Callable[[CodeType], "Node | None"]


class Decorated(NamedTuple):
    """A definition that was made by a decorator which does something else from now on.

    Attributes:
        decorator: the place and the qualified name of the decorator's function.
        qualname: of the definition.
        line: where it is in the newest text of its file.
    """

    decorator: tuple[str, int, str]
    qualname: str
    filename: str
    line: int


def find_decorated(
    comparisons: Sequence[Comparison], loaded: Iterable[tuple[Text, Sequence[Namespace]]], identify: Identify
) -> list[Decorated]:
    """Find what was made by decorators that an edit changes. To be called before the edit is carried out.

    Args:
        loaded: the texts of all files, as they are now, with the modules that were loaded from them.
        identify: gives the node that a live code object was made from.
    """
    changed = {id(old.definition) for each in comparisons for old in _changed_functions(each)}
    if not changed:
        return []
    loaded = list(loaded)
    search = _Search(changed, {text.filename for text, _ in loaded}, {each.new.filename for each in comparisons}, identify)
    newer = {each.new.filename: each for each in comparisons}
    written = [
        (text, decorator, bool(is_called), search.functions_of(decorator, namespaces))
        for text, namespaces in loaded
        for name, is_called in sorted(set(_DECORATOR.findall(text.source)))
        if (decorator := _expression(name.decode())) is not None
    ]
    if not search.may_reach([function for *_, functions in written for function in functions]):
        return []
    found: list[Decorated] = []
    for text, decorator, is_called, functions in written:
        function = next((each for each in functions if search.runs_changed(each, is_called)), None)
        if function is not None:
            code = function.__code__
            place = code.co_filename, code.co_firstlineno, code.co_qualname
            found += _uses(decorator, is_called, place, text, newer.get(text.filename))
    return found


def describe_decorated(found: Sequence[Decorated]) -> list[Refusal]:
    """Say in one sentence for each decorator what it has made."""
    by_decorator: dict[tuple[str, int, str], list[str]] = {}
    for each in found:
        by_decorator.setdefault(each.decorator, []).append(each.qualname)
    return [
        Refusal(
            "decorated-before",
            f"{filename}:{line}: {name} does something else now when it is applied; what it has made of {_listed(made)} stays as it is",
            UNTIL_RESTART,
        )
        for (filename, line, name), made in by_decorator.items()
    ]


def _expression(dotted: str) -> ast.expr | None:
    """Parse the name of a decorator, None for what only looks like one, in a text."""
    try:
        return ast.parse(dotted, mode="eval").body
    except SyntaxError:
        return None


def _listed(names: Sequence[str]) -> str:
    if len(names) > _NAMED:
        return f"{', '.join(names[: _NAMED - 1])} and {len(names) - _NAMED + 1} more"
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]


def _changed_functions(comparison: Comparison) -> Iterator[Node]:
    """Give the functions, as they were, that themselves do something else; not those whose inner functions do."""
    for node in comparison.changed:
        old = comparison.partners.get(id(node))
        if node.kind is Kind.FUNCTION and old is not None:
            if not same_own_effect(old.code, node.code) and not _differ_in_docstring_only(old.code, node.code):
                yield old


def _differ_in_docstring_only(old: CodeType, new: CodeType) -> bool:
    """Tell whether functions with other docstrings, which are among the constants, have the same instructions."""
    if docstring_of(old) == docstring_of(new):
        return False
    one, other = ([(each.opname, _named(each.argval)) for each in dis.get_instructions(code)] for code in (old, new))
    return one == other


def _named(value: object) -> object:
    return value.co_qualname if isinstance(value, CodeType) else value


def _uses(
    decorator: ast.expr, is_called: bool, function: tuple[str, int, str], text: Text, comparison: Comparison | None
) -> Iterator[Decorated]:
    """Give the definitions of a file that have a decorator, and had it before."""
    fresh = set()
    if comparison is not None:
        text = comparison.new
        fresh = {each.qualname for node in comparison.added for each in node.walk()}
        fresh |= {each.qualname for each in comparison.redecorated}
    written = ast.dump(decorator)
    for qualname, definition in _definitions(text.tree.body, ""):
        for each in definition.decorator_list:
            here = each.func if isinstance(each, ast.Call) else each
            if ast.dump(here) == written and isinstance(each, ast.Call) is is_called and qualname not in fresh:
                yield Decorated(function, qualname, text.filename, definition.lineno)


def _definitions(body: Iterable[ast.stmt], around: str) -> Iterator[tuple[str, Any]]:
    for each in body:
        if isinstance(each, DEFINITIONS):
            yield around + each.name, each
        if isinstance(each, ast.ClassDef):
            yield from _definitions(each.body, f"{around}{each.name}.")
        elif not isinstance(each, DEFINITIONS):
            for block in blocks_of(each):
                yield from _definitions(block, around)


class _Search:
    """Tells whether decorators run, when they are applied, what changes.

    Args:
        changed: ids of the definitions that change.
        user: the user's files.
        edited: those of them that change.
    """

    def __init__(self, changed: set[int], user: set[str], edited: set[str], identify: Identify) -> None:
        self._changed = changed
        self._user = user
        self._edited = edited
        self._identify = identify
        self._answers: dict[
            tuple[int, bool], bool
        ] = {}  # (id of a decorator's function, whether it is called) -> whether it runs what changes
        self._parsed: dict[
            tuple[int, bool], tuple[list[Node], list[ast.expr]]
        ] = {}  # likewise by node -> what runs, and what that calls

    def functions_of(self, decorator: ast.expr, namespaces: Sequence[Namespace]) -> list[FunctionType]:
        """Give the functions of the user's that a decorator calls itself, in each of the modules."""
        found = [each for namespace in namespaces for each in functions_of(decorator, [namespace])[:1]]
        return [each for each in found if self._is_user(each)]

    def may_reach(self, functions: Iterable[FunctionType]) -> bool:
        """Tell whether functions may call what changes, now or later: a cheap look at names, before anything is parsed."""
        return any(map(self._may_be_changed, reached(functions, self._is_user)))

    def _is_user(self, function: FunctionType) -> bool:
        return function.__code__.co_filename in self._user

    def _may_be_changed(self, function: FunctionType) -> bool:
        node = self._identify(function.__code__) if function.__code__.co_filename in self._edited else None
        return node is not None and any(id(each.definition) in self._changed for each in node.walk())

    def runs_changed(self, decorator: FunctionType, is_called: bool) -> bool:
        """Tell whether what changes runs when the function of a decorator is applied."""
        key = id(decorator), is_called
        if key not in self._answers:
            self._answers[key] = self._runs_changed(decorator, is_called)
        return self._answers[key]

    def _runs_changed(self, decorator: FunctionType, is_called: bool) -> bool:
        waiting, seen = [decorator], {id(decorator)}
        classes: dict[int, type] = {}
        names: set[str] = set(CALLED)

        def add(more: Iterable[FunctionType]) -> None:
            for each in more:
                if id(each) not in seen and self._is_user(each):
                    seen.add(id(each))
                    waiting.append(each)

        while waiting:
            function = waiting.pop()
            node = self._identify(function.__code__)
            if node is not None:
                run, calls = self._running(node, is_called and function is decorator)
                if any(id(each.definition) in self._changed for each in run):
                    return True
                owner = find_class(function.__globals__, node.qualname.rpartition(".")[0])
                for value in [owner, *(value_of_name(each, [function.__globals__]) for each in calls)]:
                    if issubclass(type(value), type):
                        classes[id(value)] = value
                    else:
                        add(functions_behind(value))
                names |= {each.attr for each in calls if isinstance(each, ast.Attribute)}
            if not waiting:
                add(each for cls in classes.values() for each in methods_of(cls, names))
        return False

    def _running(self, node: Node, is_applied: bool) -> tuple[list[Node], list[ast.expr]]:
        key = id(node), is_applied
        if key not in self._parsed:
            self._parsed[key] = _running(node, is_applied)
        return self._parsed[key]


def _running(node: Node, is_applied: bool) -> tuple[list[Node], list[ast.expr]]:
    """Give a function and those inner ones that run when it is called, and what they call.

    Args:
        is_applied: whether what it returns is called at once too, as for a decorator with arguments.
    """
    definition = find_scope(node.text.tree_around(node), node.qualname, node.line)
    if definition is None:
        return [node], []
    nodes, calls, bodies = [node], list[ast.expr](), [definition.body]
    inner: dict[str, Any] = {}
    names: set[str] = set()
    while bodies:
        for each in _outside_of_functions(bodies.pop()):
            if isinstance(each, _FUNCTIONS):
                inner[each.name] = each
            elif isinstance(each, ast.Call):
                calls.append(each.func)
                names |= {each.func.id} if isinstance(each.func, ast.Name) else set()
            elif is_applied and isinstance(each, ast.Return) and isinstance(each.value, ast.Name):
                names.add(each.value.id)
        called = [inner.pop(name) for name in names & inner.keys()]
        nodes += [child for one in called for child in node.walk() if child.qualname.endswith(f".{one.name}")]
        bodies += [one.body for one in called]
        is_applied = False
    return nodes, calls


def _outside_of_functions(body: Iterable[ast.stmt]) -> Iterator[ast.AST]:
    """Give the nodes of a body, but for those in functions: of these the definition, and what it calls itself."""
    waiting: list[ast.AST] = list(body)
    while waiting:
        each = waiting.pop()
        yield each
        if isinstance(each, _FUNCTIONS):
            waiting += each.decorator_list
        elif not isinstance(each, ast.Lambda):
            waiting += ast.iter_child_nodes(each)
