"""Python that is typed at a stop, run in a live frame: what it assigns takes effect there. Needs neither a terminal nor pdb."""

from __future__ import annotations

import ast
import dis
import inspect
import textwrap
import traceback
import warnings
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import AbstractContextManager, contextmanager
from types import CodeType, FrameType, TracebackType
from typing import Any, Final

from fixcont.bytecode import interpreter
from fixcont.errors import Refusal, Refused
from fixcont.stopping.frames import write_locals
from fixcont_ui import awaiting, wording
from fixcont_ui.capturing import (
    FUNCTION,
    assigned_in_comprehension,
    in_function_of,
    may_capture,
    names_captured,
    with_captured_names,
)
from fixcont_ui.values.looks import own_look

#: What is typed has this name in tracebacks.
FILENAME: Final = "<debug console>"

Variables = MutableMapping[str, Any]


@contextmanager
def assigning(raw: FrameType, stays_bound: Callable[[str], None]) -> Iterator[Variables]:
    """Give the variables of a live frame; what the block assigns there takes effect in the frame.

    Where `f_locals` gives out a snapshot, just the names that were assigned are written back: the others may have
    been changed in the meantime by a closure, and must not be set back to what they were.

    Args:
        stays_bound: hears of a variable that the block has deleted, and that cannot be.
    """
    names: Any = raw.f_locals
    if interpreter.LOCALS_WRITE_THROUGH or not raw.f_code.co_flags & interpreter.OPTIMIZED:
        yield names
        return
    before = dict(names)
    try:
        yield names
    finally:
        assigned = {name: value for name, value in names.items() if name not in before or value is not before[name]}
        deleted = before.keys() - names.keys()
        names = raw.f_locals
        names.update(assigned)
        if assigned:
            write_locals(raw, names)
        for name in sorted(deleted & names.keys()):
            stays_bound(name)


class Evaluation:
    """Evaluates in one frame.

    Args:
        raw: the frame.
        at_work: entered in another thread where one is needed to await something, so that nothing stops there.
        say: shows a line.
    """

    def __init__(self, raw: FrameType, at_work: Callable[[], AbstractContextManager[None]], say: Callable[[str], None]) -> None:
        self._raw = raw
        self._at_work = at_work
        self._say = say
        self._may_capture = True
        self._of_module: set[str] = set()  # names that are the module's in what is typed

    def value_of(self, expression: str) -> Any:
        """Evaluate an expression. Raises what that raises, and `Refused` where it awaits what cannot come."""
        text = expression.strip()
        tree = _parsed(text, "eval")
        assert isinstance(tree, ast.Expression)
        self._may_capture = may_capture(text)
        return self._value(tree.body)

    def run(self, text: str) -> tuple[bool, Any]:
        """Run one statement after the other; the values of expressions among them are shown, but that of the last one.

        Returns:
            Whether the last one is an expression, and its value. Raises what they raise; what the ones before have done stays done.
        """
        text = textwrap.dedent(text).strip()  # as it is pasted out of a function
        self._may_capture = may_capture(text)
        try:
            expression = _parsed(text, "eval")
        except SyntaxError:
            tree = _parsed(text, "exec")
        else:
            assert isinstance(expression, ast.Expression)
            return True, self._value(expression.body)
        assert isinstance(tree, ast.Module)
        self._of_module = _bound_in_module(self._raw.f_code)
        self._of_module.update(name for node in tree.body if isinstance(node, ast.Global) for name in node.names)
        value: Any = None
        for number, node in enumerate(tree.body, 1):
            if not isinstance(node, ast.Expr):
                self._do(node)
                continue
            value = self._value(node.value)
            if number < len(tree.body) and value is not None:
                self._say(own_look(value))
        is_expression = bool(tree.body) and isinstance(tree.body[-1], ast.Expr)
        return is_expression, value if is_expression else None

    def _value(self, node: ast.expr) -> Any:
        self._check(node)
        if self._may_capture:
            node = with_captured_names(node, self._variables())
        return self._execute(ast.Expression(node), "eval")

    def _do(self, node: ast.stmt) -> None:
        self._check(node)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            captured = names_captured(node, self._variables())
            if captured:
                self._define(node, captured)
                return
        if self._may_capture:
            node = with_captured_names(node, self._variables())
        of_module = [ast.Global(sorted(self._of_module))] if self._of_module else []
        self._execute(ast.fix_missing_locations(ast.Module([*of_module, node], [])), "exec")

    def _check(self, node: ast.stmt | ast.expr) -> None:
        """Refuse what would not do to the frame what it says."""
        bound = self._bound_in(node)
        if bound:
            raise Refused(Refusal("stays-bound", stays_bound(bound), "assign something else to it"))
        is_inside = self._may_capture and self._raw.f_locals is not self._raw.f_globals
        elsewhere = assigned_in_comprehension(node) if is_inside else ""
        if elsewhere:
            sentence = f'":=" in a comprehension that is typed here would make {elsewhere} a variable of the module'
            raise Refused(Refusal("assigns-elsewhere", sentence, "assign it in a loop"))

    def _bound_in(self, node: ast.stmt | ast.expr) -> str:
        """Give the first variable of a running function that a statement deletes, "" where there is none."""
        if not isinstance(node, ast.Delete) or not self._raw.f_code.co_flags & interpreter.OPTIMIZED:
            return ""
        names = self._raw.f_locals
        return next((each.id for each in node.targets if isinstance(each, ast.Name) and each.id in names), "")

    def _define(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, captured: list[str]) -> None:
        """Define a function or class that uses variables of the frame: they are captured as they are now."""
        made: dict[str, Any] = {}
        eval(_compiled(in_function_of(node, captured), "exec"), self._raw.f_globals, made)
        with self._assigning() as names:
            names[node.name] = made[FUNCTION](*(names[name] for name in captured))

    def _execute(self, tree: ast.Expression | ast.Module, mode: str) -> Any:
        code = _compiled(tree, mode)
        with self._assigning() as names:
            result = eval(code, self._raw.f_globals, names)
            return awaiting.drive(result, self._at_work) if code.co_flags & inspect.CO_COROUTINE else result

    def _variables(self) -> Variables:
        """Give the variables that code inside of what is typed does not see by itself."""
        names: Any = self._raw.f_locals
        return {} if names is self._raw.f_globals else names

    def _assigning(self) -> AbstractContextManager[Variables]:
        return assigning(self._raw, lambda name: self._say(stays_bound(name)))


def _bound_in_module(code: CodeType) -> set[str]:
    """Give the names that a function has declared to be the module's, and binds."""
    if not code.co_flags & interpreter.OPTIMIZED:
        return set()
    return {str(each.argval) for each in dis.get_instructions(code) if each.opname in ("STORE_GLOBAL", "DELETE_GLOBAL")}


def stays_bound(name: str) -> str:
    """Say that a variable was not deleted."""
    return f"{name} is a variable of a running function, and stays bound"


def error_text(error: BaseException) -> str:
    """Describe what was raised by what was typed: with a traceback where it went through code of the program."""
    lines = wording.exception_lines(error)
    if isinstance(error, SyntaxError) and error.filename == FILENAME:
        return lines[-1]
    place = _typed_place(error.__traceback__)
    if place is not None and place.tb_next is not None:
        lines = ["Traceback (most recent call last):", *"".join(traceback.format_tb(place)).rstrip("\n").split("\n"), *lines]
    return "\n".join(lines)


def _typed_place(place: TracebackType | None) -> TracebackType | None:
    while place is not None and place.tb_frame.f_code.co_filename != FILENAME:
        place = place.tb_next
    return place


def _parsed(text: str, mode: str) -> ast.AST:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        tree: ast.AST = compile(text, FILENAME, mode, flags, dont_inherit=True)
    return tree


def _compiled(tree: ast.Expression | ast.Module, mode: str) -> CodeType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        code: CodeType = compile(tree, FILENAME, mode, ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    return code
