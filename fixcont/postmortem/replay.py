"""Replaying a dead frame, and the frames that had called it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fixcont.bytecode import interpreter
from fixcont.bytecode.traps import trap
from fixcont.continuing import arguments, reentry
from fixcont.continuing.unwinding import is_ours
from fixcont.continuing.ways import Landing, Replay, Resume
from fixcont.errors import Refusal, Refused
from fixcont.postmortem import rebuild
from fixcont.postmortem.activations import cells_of
from fixcont.postmortem.arguments import arguments_for
from fixcont.postmortem.dead import PostMortem
from fixcont.postmortem.outward import Outward, go_outward
from fixcont.postmortem.running import run


@dataclass(frozen=True)
class Replayed:
    """What came of a replay.

    Attributes:
        function: the qualified name of what ended last: the function of the frame, or with `Replay.outward` the outermost caller.
        value: what it returned; of a generator the list of what it has yielded.
        error: what it raised instead, or None.
        landing: where a frame went on in the middle.
        callers: the qualified names of the callers that went on to their ends, innermost first.
        refusal: why the next caller did not go on, or None.
        repeated: of each caller whose statement had called something before: its qualified name, and these calls, which were made again.
    """

    function: str
    value: Any
    error: BaseException | None = None
    landing: Landing | None = None
    callers: tuple[str, ...] = field(default=())
    refusal: Refusal | None = None
    repeated: tuple[tuple[str, tuple[str, ...]], ...] = ()


def replay(post: PostMortem, way: Replay) -> Replayed:
    """Replay a dead frame, in this thread. What fails meanwhile is a live stop.

    Not undone: what the frames had done, and what the replay does; a dead frame's variables stay as they are.

    Raises:
        Refused: it cannot be done; nothing was touched.
        Quit: the user has ended the program at a stop.
    """
    frame = way.frame
    flags = reentry.kind_flags(frame.code)
    landing = None
    if way.in_the_middle:
        resuming = Resume(frame, way.line)
        rebuilding = post.plan(resuming, with_holes=way.with_holes)
        landing = rebuilding.plan.landing
        _check_loop(flags, frame.function)
        call = rebuild.takeover(post, resuming, rebuilding)
    else:
        call, flags = _calling(post, way)
        _check_loop(flags, frame.function)
    ended = run(call, flags)
    if ended.error is not None:
        return Replayed(frame.function, None, _without_ours(ended.error), landing)
    if not way.outward:
        return Replayed(frame.function, ended.value, None, landing)
    return _told(go_outward(post, frame, ended, with_holes=way.with_holes), landing)


def _told(outward: Outward, landing: Landing | None) -> Replayed:
    ended = outward.ended
    error = _without_ours(ended.error) if ended.error is not None else None
    return Replayed(outward.function, ended.value, error, landing, outward.callers, outward.refusal, outward.repeated)


def _calling(post: PostMortem, way: Replay) -> tuple[Callable[[], Any], int]:
    """Return what calls a dead frame's function anew, and the kind of what it gives."""
    raw = way.frame.raw
    newest, given = arguments_for(post, way.frame, way.arguments)
    code = trap(newest)
    if not code.co_flags & interpreter.OPTIMIZED:
        return reentry.executing_module(code, raw), 0
    captured = post.context.versions.captured(raw, newest)
    cells = reentry.captured_cells(raw.f_code, cells_of(raw)) | dict(captured.cells)
    defaults = post.function_of(way.frame) if arguments.unbound(newest, raw.f_code, None) else None
    return reentry.calling(code, raw, given, cells, defaults, captured.copies), reentry.kind_flags(code)


def _check_loop(flags: int, name: str) -> None:
    if flags not in (interpreter.COROUTINE, interpreter.ASYNC_GENERATOR):
        return
    events = sys.modules.get("asyncio.events")
    if events is not None and events._get_running_loop() is not None:
        sentence = f"{name} needs an event loop, and the one of this thread stands still while it waits for you"
        raise Refused(Refusal("needs-the-loop", sentence, "replay it where no loop runs"))


def _without_ours(error: BaseException) -> BaseException:
    """Take our own frames off the outer end of a traceback."""
    traceback = error.__traceback__
    while traceback is not None and is_ours(traceback.tb_frame):
        traceback = traceback.tb_next
    return error.with_traceback(traceback)
