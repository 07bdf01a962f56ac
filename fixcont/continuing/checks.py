"""Whether a way to go on can be gone. Everything is checked here before the stack is touched.

The refusals are documented in docs/limitations.md under their codes.
"""

from __future__ import annotations

import os
from types import CodeType, FrameType, FunctionType
from typing import TYPE_CHECKING, NamedTuple, Protocol

from fixcont.bytecode import interpreter, original, traps
from fixcont.continuing import arguments, reentry
from fixcont.errors import Refusal, Refused

if TYPE_CHECKING:
    from fixcont.bytecode.location import Location
    from fixcont.editing.closures import Captured
    from fixcont.editing.variants import How, Variant

_COMPREHENSIONS = ("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>")


class Newest(NamedTuple):
    """The newest version of a function: its code, or why there is none."""

    code: CodeType | None
    refusal: Refusal | None


class Together:
    """What is found out once only for frames of one stop that are asked one after the other, while nothing changes.

    Attributes:
        refusals: id of a code object -> the answer for each of its frames, where it is the same for all.
        beyond: ids of the frames that unwinding does not get to, and why; None while nobody has asked.
    """

    def __init__(self) -> None:
        self.refusals: dict[int, Refusal | None] = {}
        self.beyond: tuple[set[int], Refusal | None] | None = None


class Versions(Protocol):
    """What the checks ask about edited code."""

    def newest(self, code: CodeType) -> Newest: ...

    def captures_more(self, old: CodeType, code: CodeType) -> bool:
        """Tell whether it is a matter of the frame of `old`, which `code` takes over, what `captured` returns."""

    def captured(self, frame: FrameType, code: CodeType) -> Captured:
        """Return the cells that `code`, which takes over a frame, captures and the frame does not have. Raises `Refused`."""

    def variant(self, frame_code: CodeType, location: Location, how: How, line: int | None, bound: set[str]) -> Variant:
        """Return the variant of the newest version that is to take over; see `make_variant`. Raises `Refused`.

        `frame_code` is what a frame runs.
        """

    def note(self, code: CodeType, variant: Variant) -> None:
        """Note that `code` runs a variant."""

    def function(self, frame: FrameType, code: CodeType) -> FunctionType | None:
        """Return a function that runs `code`, the newest version of the one in `frame`, or None."""


def frame_refusal(frame: FrameType, is_user: bool) -> Refusal | None:
    """Tell why a live frame cannot be unwound and entered again, whatever its function's newest version is."""
    code = frame.f_code
    name = code.co_qualname
    if not original.is_trapped(code):
        return _untrapped_refusal(code, is_user)
    if code.co_name in _COMPREHENSIONS and ".0" in code.co_varnames[:1]:
        what = "generator expression" if code.co_name == "<genexpr>" else "comprehension"
        return Refusal("comprehension", f"a {what} has used up what it runs over", "restart the function around it")
    if is_class_body(code) and type(frame.f_locals) is not dict:
        kind = type(frame.f_locals).__name__
        return Refusal(
            "class-namespace", f"the body of {name} fills a {kind}, which cannot be emptied", "restart the frame around it"
        )
    lost = arguments.lost(frame) if code.co_flags & interpreter.OPTIMIZED else []
    if lost:
        sentence = f"{name} has deleted its argument {lost[0]}, set it to None, or let go of it for a weak reference"
        return Refusal("argument-deleted", sentence, "restart its caller")
    return None


def _untrapped_refusal(code: CodeType, is_user: bool) -> Refusal:
    name = code.co_qualname
    if not is_user:
        place = os.path.basename(code.co_filename)
        return Refusal("not-trapped", f"{name} ({place}) is not in the scope of the user's own files", "widen it with --scope")
    reason = traps.left_alone.get((code.co_filename, code.co_qualname, code.co_firstlineno))
    if reason is not None:
        return Refusal("not-verified", f"{name} cannot carry traps ({reason})", "restart its caller")
    return Refusal("entered-before", f"{name} was entered before it had traps", "restart its caller")


def is_class_body(code: CodeType) -> bool:
    """Tell whether code is that of a class body."""
    return not code.co_flags & interpreter.OPTIMIZED and code.co_name != "<module>"


def restart_refusal(frame: FrameType, is_user: bool, versions: Versions, together: Together | None = None) -> Refusal | None:
    """Tell why a live frame cannot be restarted on the newest version of its function, or give None."""
    if together is None:
        return _restart_refusal(frame, is_user, versions)
    code = frame.f_code
    try:
        return together.refusals[id(code)]
    except KeyError:
        refusal = _restart_refusal(frame, is_user, versions)
        if _is_same_for_all(code, versions):
            together.refusals[id(code)] = refusal
        return refusal


def _is_same_for_all(code: CodeType, versions: Versions) -> bool:
    """Tell whether nothing but its code decides whether a frame can be restarted."""
    if not original.is_trapped(code):
        return True
    if is_class_body(code) or (code.co_flags & interpreter.OPTIMIZED and arguments.may_be_lost(code)):
        return False
    newest = versions.newest(code).code
    return newest is None or not (versions.captures_more(code, newest) or arguments.unbound(newest, code, None))


def _restart_refusal(frame: FrameType, is_user: bool, versions: Versions) -> Refusal | None:
    refusal = frame_refusal(frame, is_user)
    if refusal is not None:
        return refusal
    old = frame.f_code
    code, refusal = versions.newest(old)
    if code is None:
        return refusal
    refusal = _captured_refusal(frame, code, versions)
    if refusal is not None or not old.co_flags & interpreter.OPTIMIZED:
        return refusal
    if reentry.kind_flags(code) != reentry.kind_flags(old):
        before, now = (_kind_name(reentry.kind_flags(each)) for each in (old, code))
        return Refusal("kind-changed", f"{old.co_qualname} is {now} now, and the running one is {before}", "restart its caller")
    return _parameters_refusal(frame, old, code, versions)


def _captured_refusal(frame: FrameType, code: CodeType, versions: Versions) -> Refusal | None:
    try:
        versions.captured(frame, code)
    except Refused as refused:
        return refused.refusal
    return None


def _parameters_refusal(frame: FrameType, old: CodeType, code: CodeType, versions: Versions) -> Refusal | None:
    lacking = arguments.unbound(code, old, None)
    if lacking:
        lacking = arguments.unbound(code, old, versions.function(frame, code))
    if not lacking:
        return None
    sentence = f"{old.co_qualname} has a new parameter, {lacking[0]}, for which this call has no value"
    return Refusal("parameters-differ", sentence, "give it a default value, or restart the caller")


def _kind_name(flags: int) -> str:
    names = {
        interpreter.GENERATOR: "a generator",
        interpreter.COROUTINE: "a coroutine",
        interpreter.ASYNC_GENERATOR: "an async generator",
    }
    return names.get(flags, "a plain function")


def resume_refusal(frame: FrameType, is_user: bool, versions: Versions) -> Refusal | None:
    """Tell why a live frame cannot go on in the middle, as far as that is not a matter of where."""
    code = frame.f_code
    if not original.is_trapped(code):
        return _untrapped_refusal(code, is_user)
    if code.co_name in _COMPREHENSIONS and ".0" in code.co_varnames[:1]:
        return Refusal("no-statement", "a comprehension has no statement to go on at", "go on in the function around it")
    newest, refusal = versions.newest(code)
    if newest is None:
        return refusal
    if code.co_flags & interpreter.OPTIMIZED and reentry.kind_flags(newest) != reentry.kind_flags(code):
        before, now = (_kind_name(reentry.kind_flags(each)) for each in (code, newest))
        return Refusal("kind-changed", f"{code.co_qualname} is {now} now, and the running one is {before}", "restart its caller")
    return None


def return_refusal(frame: FrameType, is_user: bool) -> Refusal | None:
    """Tell why a live frame cannot be made to return a value, or give None."""
    code = frame.f_code
    if not original.is_trapped(code):
        return _untrapped_refusal(code, is_user)
    if code.co_flags & interpreter.OPTIMIZED:
        return None
    what = "a class body" if is_class_body(code) else "a module"
    return Refusal("no-caller-for-value", f"{what} returns nothing to anybody", "restart it, or let the exception go on")


def returning(frame: FrameType) -> Refusal:
    """Tell why nothing can be done with a frame that is returning."""
    sentence = f"{frame.f_code.co_qualname} is returning, and on this version of Python nothing can be raised in it any more"
    return Refusal("returning", sentence, "restart its caller, or step once more")


def would_be_caught(frame: FrameType, cause: str) -> Refusal:
    """Tell why frames further out than one cannot be reached: it would end the unwinding.

    Args:
        cause: of the prediction.
    """
    line = f" at line {frame.f_lineno}" if frame.f_lineno else ""  # a frame in a trap has none
    where = f"{frame.f_code.co_qualname}{line}"
    if cause == "c-code":
        sentence = f"what {where} calls is C code that swallows exceptions, so frames cannot be unwound through it"
        return Refusal("c-frame-swallowed", sentence, "restart a frame further in")
    if cause == "task":
        sentence = (
            "a task keeps what its coroutine raises, so the frames that run the event loop cannot be reached from inside of it"
        )
        return Refusal("would-be-caught", sentence, "restart a frame of the task")
    if cause == "converted":
        sentence = f"{where} is in the body of an except*, which puts what leaves it into a group, so frames cannot be unwound from there"
        return Refusal("would-be-caught", sentence, "go on in the middle of it, with retry, resume, usevalue or skip")
    sentence = f"{where} catches every exception, so the frames up to there cannot be unwound through it"
    return Refusal("would-be-caught", sentence, "restart a frame further in")
