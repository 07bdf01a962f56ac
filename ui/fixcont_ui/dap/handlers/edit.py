"""Fixing, and going on: restarting frames, resuming them on new code, and the other ways that are fixcont's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from fixcont import filenames
from fixcont.continuing.ways import Landing, RestartFrame, Resume, ReturnFromFrame, Skip, Throw, UseValue, Way
from fixcont.editing.moves import scope_on
from fixcont.editing.unrun import Unrun
from fixcont.errors import Refusal, Refused
from fixcont.stopping.frames import Frame
from fixcont_ui import wording
from fixcont_ui.create_command import missing_at, write_stub
from fixcont_ui.dap import installing
from fixcont_ui.dap.debuggee import LOOK
from fixcont_ui.dap.failures import Failure, failure
from fixcont_ui.dap.handlers.finding import evaluation_limit, in_frame, with_value
from fixcont_ui.dap.held import HeldThread
from fixcont_ui.dap.later import Body, Later
from fixcont_ui.dap.ways import list_ways
from fixcont_ui.raising import NoException, exception_of

if TYPE_CHECKING:
    from fixcont_ui.dap.client import Client

# The requests of the protocol


def restart_frame(client: Client, arguments: Mapping[str, Any]) -> Later:
    """Restart a frame on the newest code, and stop again before its first line."""

    def way(held: HeldThread, index: int) -> Way:
        return RestartFrame(held.stop.frames[index], halts=True)

    return _leave(client, arguments, way, "restart")


def goto_targets(client: Client, arguments: Mapping[str, Any]) -> Body | Later:
    """Name the frame that can go on at a line; what has changed in the files is installed before, so it may be a line of edited code."""
    given, line = arguments["source"].get("path") or "", client.line(arguments["line"])
    held = next((each for each in reversed(client.debuggee.held) if not each.is_left), None)
    if held is None:
        raise failure("not-stopped", "the program runs", "pause it first")

    def work() -> Body:
        installing.install_or_fail(client.debuggee)
        text = client.debuggee.session.sources.newest_text(given)
        found, refusal = _targets(held, given, line, scope_on(text, line).qualname if text is not None else "")
        if not found:
            raise Failure(
                refusal
                or Refusal("no-statement", "no frame of the stop can go on there", "take a line of a function on the stack")
            )
        return {"targets": [
            {"id": held.refer(way), "label": f"{landing.function}, line {landing.line}", "line": client.shown_line(landing.line)}
            for way, landing in found
        ]}  # fmt: skip

    return held.submit(work, LOOK)


def _targets(held: HeldThread, path: str, line: int, function: str) -> tuple[list[tuple[Resume, Landing]], Refusal | None]:
    """Find the frame that is meant by a line: the innermost one that goes on right there, else the one that comes nearest.

    Only frames of the function that the line is in count. All others could go on somewhere as well, the module at its `def`: nobody means that.
    """
    found: list[tuple[Resume, Landing]] = []
    first: Refusal | None = None
    for frame in held.stop.frames:
        if not same_file(frame.filename, path) or (function and frame.function != function):
            continue
        way = Resume(frame, line, halts=True)
        landing = held.stop.landing_of(way)
        if isinstance(landing, Refusal):
            first = first or landing
            continue
        found.append((way, landing))
        if landing.line == line:
            return found[-1:], first
    found.sort(key=lambda each: (each[1].line < line, abs(each[1].line - line)))  # what follows comes before what is around
    return found[:1], first


def goto(client: Client, arguments: Mapping[str, Any]) -> Body | Later:
    """Go on at one of the targets, and stop again before that statement."""

    def work(held: HeldThread, way: Resume) -> Body:
        _answer(client, held, way, "goto")
        return None

    return with_value(client, arguments["targetId"], Resume, "target", work)


# Ways that are fixcont's own


def ways(client: Client, arguments: Mapping[str, Any]) -> Later:
    """List the ways to go on from a frame, those that cannot be gone with the reason. Nothing is touched."""
    return in_frame(client, arguments_frame(arguments), lambda held, index: {"ways": list_ways(client, held, index)})


def restart(client: Client, arguments: Mapping[str, Any]) -> Later:
    """Restart a frame on the newest code, and let it run."""
    return _leave(client, arguments, lambda held, index: RestartFrame(held.stop.frames[index]))


def retry(client: Client, arguments: Mapping[str, Any]) -> Later:
    """Go on at the statement that failed, on the newest code."""
    return _leave(client, arguments, lambda held, index: Resume(held.stop.frames[index]))


def skip(client: Client, arguments: Mapping[str, Any]) -> Later:
    """Go on behind the statement that failed."""
    return _leave(client, arguments, lambda held, index: Skip(held.stop.frames[index]))


def resume(client: Client, arguments: Mapping[str, Any]) -> Later:
    """Go on at a line."""
    line = client.line(_given(arguments, "line", int))
    return _leave(client, arguments, lambda held, index: Resume(held.stop.frames[index], line))


def return_from_frame(client: Client, arguments: Mapping[str, Any]) -> Later:
    """Return a value from a frame."""
    return _leave_with(client, arguments, ReturnFromFrame)


def use_value(client: Client, arguments: Mapping[str, Any]) -> Later:
    """Use a value in the place of the expression that failed."""
    return _leave_with(client, arguments, UseValue)


def throw(client: Client, arguments: Mapping[str, Any]) -> Later:
    """Raise an exception at the statement of a frame."""
    expression = _given(arguments, "expression", str)

    def way(held: HeldThread, index: int) -> Way:
        frame = held.stop.frames[index]
        if not frame.is_live and frame.restart_refusal is not None:
            raise Refused(frame.restart_refusal)  # before anything is evaluated

        def evaluate(text: str) -> Any:
            return evaluated(held, index, text)

        try:
            exception = exception_of(expression, evaluate, lambda function: _called(held, function))
        except NoException as error:
            raise failure("not-an-exception", str(error), "give an exception, or a type of one", is_shown=True) from None
        return Throw(frame, exception)

    return _leave(client, arguments, way, seconds=evaluation_limit(client))


def create(client: Client, arguments: Mapping[str, Any]) -> Later:
    """Write a first version of what is missing, install it, and go on at the statement that needs it."""
    _check_installs(client)

    def work(held: HeldThread, index: int) -> Body:
        session = client.debuggee.session
        installing.install_or_fail(client.debuggee)
        missing = missing_at(session, held.stop)
        if isinstance(missing, Refusal):
            raise Refused(missing)
        line = write_stub(session, missing)
        installing.install_or_fail(client.debuggee)
        _answer(client, held, Resume(missing.retry), "")
        return {"path": missing.stub.filename, "line": client.shown_line(line)}

    return in_frame(client, arguments_frame(arguments), work)


# Edits


def install(client: Client, arguments: Mapping[str, Any]) -> Body | Later:
    """Install what has changed in the files."""
    _check_installs(client)

    def work() -> Body:
        result = installing.install_or_fail(client.debuggee)
        return {
            "changed": [each.qualname for each in result.installed],
            "warnings": [str(each) for each in result.warnings],
            "unrun": [_unrun(client, each) for each in result.unrun],
        }

    return client.debuggee.wherever(work, LOOK)


def redefine_classes(client: Client, arguments: Mapping[str, Any]) -> Body | Later:
    """Install what has changed, by the name and in the form of java-debug."""
    _check_installs(client)

    def work() -> Body:
        result = installing.install(client.debuggee)
        refusal = installing.refusal_in(result)
        names = [each.qualname for each in result.installed]
        return {"changedClasses": names} if refusal is None else {"changedClasses": [], "errorMessage": str(refusal)}

    return client.debuggee.wherever(work, LOOK)


def _check_installs(client: Client) -> None:
    """Raise `Failure` where there is nothing that an edit could be installed in."""
    refusal = client.debuggee.program.no_install
    if refusal is not None:
        raise Failure(refusal)


def undo(client: Client, arguments: Mapping[str, Any]) -> Body | Later:
    """Take the last patch back; with `files`, let the files say again what is installed."""
    writes = bool(arguments.get("files"))

    def work() -> Body:
        return {"lines": installing.undo(client.debuggee, writes=writes)}

    return client.debuggee.wherever(work, LOOK)


def rerun(client: Client, arguments: Mapping[str, Any]) -> Body | Later:
    """Run a statement of a module that is in its file and was not run."""
    number = _given(arguments, "number", int)

    def work() -> Body:
        ran = client.debuggee.session.sources.rerun(number)
        if ran is None:
            raise failure(
                "no-statement", f"there is no statement {number} that was not run", "install again to see which there are"
            )
        return {"ran": _unrun(client, ran.statement), "unrun": [_unrun(client, each) for each in ran.more]}

    return client.debuggee.wherever(work, evaluation_limit(client))


def _unrun(client: Client, statement: Unrun) -> dict[str, Any]:
    return {
        "number": statement.number, "text": statement.text, "path": statement.filename, "line": client.shown_line(statement.line),
    }  # fmt: skip


# How it is done


def _leave_with(client: Client, arguments: Mapping[str, Any], kind: Callable[[Frame, Any], Way]) -> Later:
    """Leave a stop by a way that needs a value."""
    expression = _given(arguments, "expression", str)

    def way(held: HeldThread, index: int) -> Way:
        frame = held.stop.frames[index]
        refusal = held.stop.refusal_of(kind(frame, None))
        if refusal is not None:  # before anything is evaluated
            raise Refused(refusal)
        return kind(frame, evaluated(held, index, expression))

    return _leave(client, arguments, way, seconds=evaluation_limit(client))


def _leave(
    client: Client, arguments: Mapping[str, Any], way: Callable[[HeldThread, int], Way], shown_as: str = "", seconds: float = LOOK
) -> Later:
    """Leave a stop, after installing what has changed in the files. Where that cannot be, nothing is done."""

    def work(held: HeldThread, index: int) -> Body:
        installing.install_or_fail(client.debuggee)
        _answer(client, held, way(held, index), shown_as)
        return None

    return in_frame(client, arguments_frame(arguments), work, seconds)


def _answer(client: Client, held: HeldThread, way: Way, shown_as: str) -> None:
    """Leave a stop, saying where the frame will go on.

    Args:
        shown_as: the reason to give for the stop that follows, "" where none does.
    """
    debuggee = client.debuggee
    lines = _told(client, held, way)
    if shown_as:
        debuggee.halts[held.ident] = shown_as
    try:
        held.answer(way)
    except Refused:
        debuggee.halts.pop(held.ident, None)
        raise
    if lines:
        debuggee.say("\n".join(lines))


def _told(client: Client, held: HeldThread, way: Way) -> list[str]:
    """Say what a way will do, as the prompt does; nothing where there is nothing to tell beyond its name."""
    if isinstance(way, RestartFrame):
        version: int = client.debuggee.session.sources.newest(way.frame.code).version
        return [wording.restart_line(way.frame.function, version)]
    if isinstance(way, (Resume, UseValue, Skip)):
        landing = held.stop.landing_of(way)
        if isinstance(landing, Refusal):
            raise Refused(landing)
        return wording.landing_lines(landing, skips=isinstance(way, Skip))
    return []


def evaluated(held: HeldThread, index: int, expression: str) -> Any:
    """Evaluate in a frame. Raises `Failure` where that fails."""
    console = held.console(index)
    return _called(held, lambda: console.evaluate_in_frame(expression))


def _called(held: HeldThread, function: Callable[[], Any]) -> Any:
    """Call what is the program's. Raises `Failure` where that fails."""
    try:
        with held.running_code():
            return function()
    except Exception as error:
        raise failure("evaluation-failed", wording.exception_lines(error)[-1], is_shown=True) from None


def arguments_frame(arguments: Mapping[str, Any]) -> int:
    """Give the frame that a request is about."""
    number: int = _given(arguments, "frameId", int)
    return number


def _given(arguments: Mapping[str, Any], name: str, kind: type) -> Any:
    """Give an argument of a request that is not in the schema."""
    value = arguments.get(name)
    if type(value) is not kind:
        raise failure("bad-arguments", f"arguments.{name} must be {'a string' if kind is str else 'an integer'}")
    if value == "":
        raise failure("bad-arguments", f"arguments.{name} is empty")
    return value


def same_file(one: str, other: str) -> bool:
    """Tell whether two names are of the same file."""
    return one == other or filenames.real(one) == filenames.real(other)
