"""The ways to go on, each with the reason why it cannot be gone: the bar of the window.

They are commands of the one table. Whether one can be given is asked of the engine without touching anything.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from fixcont.continuing.ways import Landing, RestartFrame, Resume, ReturnFromFrame, Skip, Step, StepKind, Throw, UseValue, Way
from fixcont.errors import Refusal
from fixcont.stopping.frames import Frame
from fixcont.stopping.stop import Stop
from fixcont_ui import wording
from fixcont_ui.commands import Command


class _Any(BaseException):
    """Stands for whatever exception the user throws: what would catch this one catches everything."""


@dataclass(frozen=True)
class WayRow:
    """One of the ways.

    Attributes:
        command: in the table.
        label: in one or two words.
        asks: what is to be typed for it, "" where nothing is.
        refusal: why it cannot be gone, or None.
        told: what will happen, in lines, where that is known before.
    """

    command: Command
    label: str
    asks: str
    refusal: Refusal | None
    told: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Entry:
    name: str
    label: str
    asks: str = ""
    way: Callable[[Frame, Stop], Way] | None = None


#: In the order in which they are shown.
_ENTRIES: Final = (
    _Entry("restartframe", "restart", way=lambda frame, stop: RestartFrame(frame)),
    _Entry("retry", "retry", way=lambda frame, stop: Resume(frame)),
    _Entry("resume", "resume at", "go on at line", way=None),
    _Entry("usevalue", "use value", "the value of the expression that failed", way=lambda frame, stop: UseValue(frame, None)),
    _Entry("skip", "skip", way=lambda frame, stop: Skip(frame)),
    _Entry("forcereturn", "return", "the value to return", way=lambda frame, stop: ReturnFromFrame(frame, None)),
    _Entry("throw", "throw", "the exception to raise", way=lambda frame, stop: Throw(frame, _Any())),
    _Entry("create", "create"),
    _Entry("continue", "continue"),
    _Entry("step", "into", way=lambda frame, stop: Step(stop.frames[stop.selected], StepKind.INTO)),
    _Entry("next", "over", way=lambda frame, stop: Step(frame, StepKind.OVER)),
    _Entry("return", "out", way=lambda frame, stop: Step(frame, StepKind.OUT)),
    _Entry("undo", "undo"),
    _Entry("quit", "quit"),
)


def way_rows(
    stop: Stop,
    frame: Frame | None,
    command_of: Callable[[str], Command],
    refusal_of: Callable[[Command], Refusal | None],
    others: dict[str, Refusal | None],
) -> list[WayRow]:
    """Give all ways, whether they can be gone or not.

    Args:
        frame: the selected one, None where the selection is not a live frame.
        command_of: finds a command of the table by its name.
        refusal_of: what the command itself says.
        others: name of a command -> why it cannot be given, for those that are no ways of the engine.
    """
    rows = []
    for entry in _ENTRIES:
        command = command_of(entry.name)
        told: tuple[str, ...] = ()
        refusal = refusal_of(command)
        if refusal is None and entry.name in others:
            refusal = others[entry.name]
        if refusal is None and entry.way is not None and frame is not None:
            refusal, told = _ask(stop, entry.way(frame, stop))
        if refusal is None and entry.name == "resume" and frame is not None:
            refusal = _resume_refusal(stop, frame)
        rows.append(WayRow(command, entry.label, entry.asks, refusal, told))
    return rows


def _ask(stop: Stop, way: Any) -> tuple[Refusal | None, tuple[str, ...]]:
    if not isinstance(way, (Resume, UseValue, Skip)):
        return stop.refusal_of(way), ()
    landing = stop.landing_of(way)
    if isinstance(landing, Refusal):
        return landing, ()
    return None, tuple(wording.landing_lines(landing, skips=isinstance(way, Skip)))


def _resume_refusal(stop: Stop, frame: Frame) -> Refusal | None:
    """Tell whether it can go on at some line: at which, the user will say."""
    landing = stop.landing_of(Resume(frame))
    if isinstance(landing, Landing) or landing.code in ("statement-gone", "blocks-differ", "no-statement"):
        return None
    return landing


def accepted_by(stop: Stop, frame: Frame | None) -> tuple[str, str]:
    """Give the names of the two commands that the accept key may end in: the one that suits the frame, and the other one.

    A frame in the middle of a loop or of a `with` block, and a module, goes on where it is; any other one is restarted. Where that
    is refused the other one comes first.
    """
    if frame is None:
        return "restartframe", "retry"
    if not frame.is_live:
        return "replay", "retry"
    restart = stop.refusal_of(RestartFrame(frame))
    landing = stop.landing_of(Resume(frame))
    is_in_the_middle = frame.function == "<module>" or (isinstance(landing, Landing) and (landing.loops or landing.withs))
    retries_first = isinstance(landing, Landing) and (bool(is_in_the_middle) or restart is not None)
    return ("retry", "restartframe") if retries_first else ("restartframe", "retry")
