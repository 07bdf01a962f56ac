"""Looking at values, changing them, and evaluating."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

from fixcont_ui import wording
from fixcont_ui.dap.failures import Failure, failure
from fixcont_ui.dap.handlers.finding import evaluation_limit, in_selected_frame, with_value
from fixcont_ui.dap.held import HeldThread
from fixcont_ui.dap.later import Body, Later
from fixcont_ui.dap.outputs import ThreadOutput
from fixcont_ui.dap.presenting import Presenter, whole
from fixcont_ui.dap.scopes import Node
from fixcont_ui.values.children import child_named

if TYPE_CHECKING:
    from fixcont_ui.dap.client import Client
    from fixcont_ui.dap.console import DebugConsole

#: Seconds for what the user did not ask for in so many words: what lies below the pointer, and watched expressions.
_GLANCE = 2.0


def variables(client: Client, arguments: Mapping[str, Any]) -> Later:
    """List what is below a value, or in a scope."""
    start, count = arguments.get("start") or 0, arguments.get("count") or 0

    def work(held: HeldThread, node: Node) -> Body:
        return {
            "variables": _presenter(client, held, node.frame, arguments).variables(node, start, count, arguments.get("filter"))
        }

    return with_value(client, arguments["variablesReference"], Node, "variable", work)


def set_variable(client: Client, arguments: Mapping[str, Any]) -> Later:
    """Give what is below a value, or in a scope, another value."""

    def work(held: HeldThread, node: Node) -> Body:
        name = arguments["name"]
        child = child_named(node.value, name) or child_named(node.value, f".{name}")
        if child is None or child.replace is None:
            raise failure("not-assignable", f"{name} cannot have another value here", "assign what it is part of", is_shown=True)
        replace = child.replace
        console = held.console(node.frame)
        value = _run(held, lambda: console.evaluate_in_frame(arguments["value"]))
        _run(held, lambda: replace(value))
        client.invalidate("variables")
        expression = child.expression(node.expression or "")
        return _set(_presenter(client, held, node.frame, arguments).result(value, expression))

    return with_value(client, arguments["variablesReference"], Node, "variable", work, evaluation_limit(client))


def set_expression(client: Client, arguments: Mapping[str, Any]) -> Later:
    """Assign to an expression."""

    def work(held: HeldThread, index: int) -> Body:
        target, text = arguments["expression"], arguments["value"]
        console = held.console(index)
        value = _run(held, lambda: _assign(console, target, text))
        client.invalidate("variables")
        return _set(_presenter(client, held, index, arguments).result(value, target))

    return in_selected_frame(client, arguments, work, evaluation_limit(client))


def evaluate(client: Client, arguments: Mapping[str, Any]) -> Later:
    """Evaluate an expression; in the debug console carry out a command, or Python statements."""
    context, text = arguments.get("context") or "repl", arguments["expression"]
    if context == "repl":
        return in_selected_frame(
            client, arguments, lambda held, index: _typed(client, held, index, arguments), evaluation_limit(client)
        )

    def work(held: HeldThread, index: int) -> Body:
        console = held.console(index)
        value = _run(held, lambda: console.evaluate_in_frame(text), is_shown=False)
        if context == "clipboard":
            return {"result": _run(held, lambda: whole(held, value)), "variablesReference": 0}
        return _presenter(client, held, index, arguments).result(value, text)

    return in_selected_frame(client, arguments, work, evaluation_limit(client) if context == "clipboard" else _GLANCE)


def completions(client: Client, arguments: Mapping[str, Any]) -> Later:
    """Find what completes what is typed, without running code of the program's."""
    line, column = arguments.get("line"), client.column(arguments["column"])
    lines = arguments["text"].split("\n")
    text = lines[max(1, min(len(lines), client.line(line))) - 1] if line is not None else arguments["text"]

    def work(held: HeldThread, index: int) -> Body:
        return {"targets": [
            {"label": each.label, "type": each.kind, "start": each.start, "length": each.length, "detail": each.detail}
            for each in held.console(index).complete(text, max(0, column - 1))
        ]}  # fmt: skip

    return in_selected_frame(client, arguments, work)


def _typed(client: Client, held: HeldThread, index: int, arguments: Mapping[str, Any]) -> Body:
    """Carry out what was typed into the debug console."""
    console = held.console(index)
    with held.running_code(), _printing_here(client):
        outcome = console.run(arguments["expression"])
    if outcome.refusal is not None:
        raise Failure(outcome.refusal, is_shown=False)
    if outcome.failure:
        raise failure("evaluation-failed", outcome.failure)
    if outcome.way is not None:
        held.answer(outcome.way)
    else:
        client.invalidate("variables")
    if not outcome.has_value or outcome.value is None:
        return {"result": "", "variablesReference": 0}
    # A command may have selected a frame of another stop before the value was there.
    return _presenter(client, held, console.selected, arguments).result(outcome.value, None)


def _assign(console: DebugConsole, target: str, text: str) -> Any:
    """Assign the value of an expression to another one. Returns what that gives afterwards."""
    ast.parse(text.strip(), mode="eval")  # whatever else it is does not belong there
    statement = ast.parse(f"{target.strip()} = None").body
    if len(statement) != 1 or not isinstance(statement[0], ast.Assign):
        raise failure("not-assignable", f"{target} cannot be assigned to", is_shown=True)
    of_module = f"global {target.strip()}; " if _is_of_module(statement[0].targets[0], console.frame.raw) else ""
    outcome = console.run(f"!{of_module}{target.strip()} = ({text.strip()})")
    if outcome.failure:
        raise failure("evaluation-failed", outcome.failure.splitlines()[-1], is_shown=True)
    return console.evaluate_in_frame(target)


def _is_of_module(target: ast.expr, raw: FrameType) -> bool:
    """Tell whether a name means a variable of the module in a frame: there it is assigned, as a client has it from there."""
    code = raw.f_code
    own = (*code.co_varnames, *code.co_cellvars, *code.co_freevars)
    return isinstance(target, ast.Name) and target.id in raw.f_globals and target.id not in own and target.id not in raw.f_locals


@contextmanager
def _printing_here(client: Client) -> Iterator[None]:
    """Show what the held thread prints in this block in the debug console, wherever the program's output goes."""
    if client.debuggee.was_started_for_it:
        yield  # it comes there anyway
        return
    before = sys.stdout
    sys.stdout = ThreadOutput(before, lambda text: client.output(text, "stdout"))
    try:
        yield
    finally:
        sys.stdout = before


def _run(held: HeldThread, function: Any, *, is_shown: bool = True) -> Any:
    """Run what is the program's. Raises `Failure` where that fails."""
    try:
        with held.running_code():
            return function()
    except Failure:
        raise
    except Exception as error:
        raise failure("evaluation-failed", wording.exception_lines(error)[-1], is_shown=is_shown) from None


def _presenter(client: Client, held: HeldThread, frame: int, arguments: Mapping[str, Any]) -> Presenter:
    form = arguments.get("format") or {}
    return Presenter(held, frame, in_hex=bool(form.get("hex")), asks=client.options.get("ownReprs") is not False)


def _set(result: Mapping[str, Any]) -> Body:
    return {("value" if name == "result" else name): value for name, value in result.items()}
