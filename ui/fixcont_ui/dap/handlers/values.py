"""Looking at values, changing them, and evaluating."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fixcont_ui import wording
from fixcont_ui.dap.debuggee import LOOK
from fixcont_ui.dap.failures import Failure, failure
from fixcont_ui.dap.handlers.finding import evaluation_limit, of_value, selected_frame
from fixcont_ui.dap.held import HeldThread
from fixcont_ui.dap.later import Body, Later
from fixcont_ui.dap.presenting import Presenter, whole
from fixcont_ui.values.children import child_named

if TYPE_CHECKING:
    from fixcont_ui.dap.client import Client

#: Seconds for what the user did not ask for in so many words: what lies below the pointer, and watched expressions.
_GLANCE = 2.0


def variables(client: Client, arguments: Mapping[str, Any]) -> Later:
    """List what is below a value, or in a scope."""
    held, node = of_value(client, arguments["variablesReference"])
    start, count = arguments.get("start") or 0, arguments.get("count") or 0

    def work() -> Body:
        return {
            "variables": _presenter(client, held, node.frame, arguments).variables(node, start, count, arguments.get("filter"))
        }

    return held.submit(work, LOOK)


def set_variable(client: Client, arguments: Mapping[str, Any]) -> Later:
    """Give what is below a value, or in a scope, another value."""
    held, node = of_value(client, arguments["variablesReference"])

    def work() -> Body:
        name = arguments["name"]
        child = child_named(node.value, name) or child_named(node.value, f".{name}")
        if child is None or child.replace is None:
            raise failure("not-assignable", f"{name} cannot have another value here", "assign what it is part of", is_shown=True)
        replace = child.replace
        value = _run(held, lambda: held.console.evaluate_in(node.frame, arguments["value"]))
        _run(held, lambda: replace(value))
        client.invalidate("variables")
        expression = child.expression(node.expression or "")
        return _set(_presenter(client, held, node.frame, arguments).result(value, expression))

    return held.submit(work, evaluation_limit(client))


def set_expression(client: Client, arguments: Mapping[str, Any]) -> Later:
    """Assign to an expression."""
    held, index = selected_frame(client, arguments)

    def work() -> Body:
        target, text = arguments["expression"], arguments["value"]
        value = _run(held, lambda: held.console.assign_to(index, target, text))
        client.invalidate("variables")
        return _set(_presenter(client, held, index, arguments).result(value, target))

    return held.submit(work, evaluation_limit(client))


def evaluate(client: Client, arguments: Mapping[str, Any]) -> Later:
    """Evaluate an expression; in the debug console carry out a command, or Python statements."""
    held, index = selected_frame(client, arguments)
    context, text = arguments.get("context") or "repl", arguments["expression"]
    if context == "repl":
        return held.submit(lambda: _typed(client, held, index, arguments), evaluation_limit(client))

    def work() -> Body:
        value = _run(held, lambda: held.console.evaluate_in(index, text), is_shown=False)
        if context == "clipboard":
            return {"result": _run(held, lambda: whole(held, value)), "variablesReference": 0}
        return _presenter(client, held, index, arguments).result(value, text)

    return held.submit(work, evaluation_limit(client) if context == "clipboard" else _GLANCE)


def completions(client: Client, arguments: Mapping[str, Any]) -> Later:
    """Find what completes what is typed, without running code of the program's."""
    held, index = selected_frame(client, arguments)
    line, column = arguments.get("line"), client.column(arguments["column"])
    lines = arguments["text"].split("\n")
    text = lines[min(len(lines), client.line(line)) - 1] if line is not None else arguments["text"]

    def work() -> Body:
        found = held.console.complete(index, text, column - 1)
        return {"targets": [
            {"label": each.label, "text": each.text, "type": each.kind, "start": each.start, "length": each.length} for each in found
        ]}  # fmt: skip

    return held.submit(work, LOOK)


def _typed(client: Client, held: HeldThread, index: int, arguments: Mapping[str, Any]) -> Body:
    """Carry out what was typed into the debug console."""
    try:
        with held.running_code():
            outcome = held.console.run(index, arguments["expression"])
    except Exception as error:
        raise failure("evaluation-failed", wording.exception_lines(error)[-1]) from None
    if outcome.way is not None:
        held.answer(outcome.way)
    elif outcome.changes:
        client.invalidate("variables")
    if not outcome.has_value:
        return {"result": "", "variablesReference": 0}
    return _presenter(client, held, index, arguments).result(outcome.value, outcome.expression)


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
