"""Hold a thread: show the stop to the front end, wait for its answer, and turn the answer into what the held code is to do."""

from __future__ import annotations

import threading
from _thread import get_ident
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from types import FrameType, TracebackType
from typing import Any, Protocol

from fixcont.bytecode import interpreter, original
from fixcont.bytecode.snapshots import forget_snapshot
from fixcont.continuing import arguments, checks
from fixcont.continuing.arguments import Arguments, kept
from fixcont.continuing.checks import Newest, Versions
from fixcont.continuing.resume import Middle, Plan, Takeover, plan_for
from fixcont.continuing.unwinding import Answer, Arrival, Signal, TrapState, continue_unwinding, is_ours, is_shell
from fixcont.continuing.ways import (
    Landing,
    Propagate,
    QuitProgram,
    Replay,
    RestartFrame,
    Resume,
    ReturnFromFrame,
    Skip,
    Step,
    Throw,
    UseValue,
    Way,
)
from fixcont.errors import Refusal, Refused
from fixcont.stopping.arrivals import Restart, Return, ThrowBehind, nothing, quitting
from fixcont.stopping.frames import Frame, ask
from fixcont.stopping.prediction import Outcome, Predictor
from fixcont.stopping.room import is_short, less_room, more_room
from fixcont.stopping.stop import Flight, FrontEnd, Moment, Occasion, Stop, StopReason, flight_of
from fixcont.stopping.threads import RUNNERS, name_of


class Steps(Protocol):
    """What follows the steps of threads; see `fixcont.stepping.engine.Stepping`."""

    def held(self) -> None: ...
    def goes_on(self, way: Way, frame: FrameType, moment: Moment) -> None: ...
    def refusal(self) -> Refusal | None: ...


class Context(Protocol):
    """What a stop needs to know of the session."""

    front_end: FrontEnd
    all_handlers: Predictor

    @property
    def versions(self) -> Versions: ...
    @property
    def known_steps(self) -> Steps | None:
        """What follows steps, None as long as nobody has stepped or set a breakpoint."""

    @property
    def stepping(self) -> Steps: ...
    def is_user(self, frame: FrameType) -> bool: ...
    def is_obsolete(self, frame: FrameType) -> bool: ...
    def expect_edits(self, frames: Sequence[Frame]) -> None: ...
    def prepare_edits(self, frames: Sequence[Frame]) -> None: ...
    def expect_none(self) -> None: ...
    def report_fault(self, fault: BaseException) -> None: ...


@dataclass(frozen=True)
class Hold:
    """A stop that others show, and answer by raising what is to be raised in its innermost frame.

    Attributes:
        exception_for: gives what is to be raised so that a way, which is not refused, is gone; None where the frame just goes on.
        ended: lets go of what was made for the stop; see `end`.
    """

    stop: Stop
    exception_for: Callable[[Way], BaseException | None]
    ended: Callable[[Stop], None]

    def end(self) -> None:
        """End the stop. Its frames become invalid."""
        self.ended(self.stop)


#: Stops of several threads are served one after the other, unless the front end takes several.
one_at_a_time = threading.RLock()


class Server:
    """Serves the stops of a session."""

    def __init__(self, context: Context, busy: set[int], held: set[int]) -> None:
        self._context = context
        self._busy = busy
        self._held_threads = held
        self.let_go: Flight | None = None  # the exception that was let go on last

    def exception(self, exception: BaseException, frame: FrameType, state: TrapState, late: str) -> Answer:
        """Stop in a trap and return what it is to do; see `fixcont.stopping.hook.Serve`."""
        held = _Held(self._context, frame, exception, (state.handler, state.retry), Occasion(StopReason.EXCEPTION))
        held.state = state
        way = self._ask(held, late)
        self.let_go = flight_of(exception) if isinstance(way, Propagate) else None
        return held.answer(way, state)

    def elsewhere(self, frame: FrameType, occasion: Occasion) -> None:
        """Stop where no exception is in flight: `frame` is about to run on, and code of ours was called from it.

        Raises:
            Signal, Quit or the exception that the user throws: to be let through by the caller.
        """
        thread = get_ident()
        if thread in self._busy:
            return
        held = _Held(self._context, frame, None, (None, -1), occasion)
        self._busy.add(thread)
        try:
            way = self._ask(held, "")
        except Exception as fault:  # not the program's
            self._context.report_fault(fault)
            return
        finally:
            self._busy.discard(thread)
        raised = held.exception_for(way)
        if raised is not None:
            raise raised

    def hold(self, frame: FrameType, exception: BaseException | None, moment: Moment = Moment.LINE, value: object = None) -> Hold:
        """Begin a stop that is shown by somebody who has stopped the thread himself, as a trace function does.

        Args:
            frame: the innermost frame, which has called that, and goes on when it returns.
            exception: the one that is being raised in `frame`, if any.
            moment, value: as in `Stop`.

        Returns:
            The stop, to be ended by its `end`.
        """
        reason = StopReason.EXCEPTION if exception is not None else StopReason.BREAKPOINT
        held = _Held(self._context, frame, exception, (None, -1), Occasion(reason, moment, value))
        hold = Hold(held.stop(""), held.exception_for, self._ended)
        self._context.expect_edits(_held_first(hold.stop))
        return hold

    def _is_asked_late(self) -> bool:
        return getattr(self._context.front_end, "asks_late", False)

    def _ended(self, stop: Stop) -> None:
        self._context.expect_none()
        self._context.all_handlers.forget()
        stop.forget_values()
        for frame in stop.frames:
            frame.forget()
            forget_snapshot(frame.raw)

    def _ask(self, held: _Held, late: str) -> Way:
        thread = get_ident()
        is_first = thread not in self._held_threads
        self._held_threads.add(thread)
        try:
            return self._serve(held, late)
        finally:
            if is_first:
                self._held_threads.discard(thread)

    def _serve(self, held: _Held, late: str) -> Way:
        steps = self._context.known_steps
        if steps is not None:
            steps.held()
        with nullcontext() if getattr(self._context.front_end, "holds_several", False) else one_at_a_time:
            stop = held.stop(late)
            has_room = (
                is_short(held.depth()) and more_room()
            )  # the prompt itself needs some, also when the debuggee has used it up
            try:
                self._context.expect_edits(() if self._is_asked_late() else _held_first(stop))
                while True:
                    way = self._context.front_end.stopped(stop)
                    refusal = held.refusal_of(way)
                    if refusal is None:
                        break
                    self._context.front_end.refused(refusal)
            finally:
                self._ended(stop)
                held.occasion = held.occasion._replace(value=None, returned=())  # whoever keeps the stop must not keep these
                if has_room:
                    less_room()
        steps = self._context.stepping if _is_followed(way) else self._context.known_steps
        if steps is not None:
            steps.goes_on(way, held.frame, held.occasion.moment)
        return way


def _held_first(stop: Stop) -> list[Frame]:
    return [*stop.frames[stop.selected :], *stop.frames[: stop.selected]]


def _is_followed(way: Way) -> bool:
    return isinstance(way, Step) or (isinstance(way, (RestartFrame, Resume)) and way.halts)


class _Held:
    """One thread at a stop.

    Attributes:
        frame: the innermost frame of the user's own code.
        handler: byte offset of the handler in front of which its trap stands, -1 where the exception is about to leave it, None where
            it is not in a trap.
        state: what its trap says, None where it is not in a trap.
        retry: byte offset of the handler that an exception put in place goes to, though the one in flight has passed it; else -1.
        occasion: why it is held.
    """

    def __init__(
        self,
        context: Context,
        frame: FrameType,
        exception: BaseException | None,
        handlers: tuple[int | None, int],
        occasion: Occasion,
    ) -> None:
        self.context = context
        self.frame = frame
        self.exception = exception
        self.handler, self.retry = handlers
        self.occasion = occasion
        self.traceback = exception.__traceback__ if exception is not None else None
        self.state: TrapState | None = None
        self._planned: tuple[tuple[Middle, Newest], Plan] | None = None

    def depth(self) -> int:
        """Return how many frames there are."""
        depth = 0
        frame: FrameType | None = self.frame
        while frame is not None:
            depth += 1
            frame = frame.f_back
        return depth

    # -- what the front end sees

    def stop(self, late: str) -> Stop:
        unwound = self._unwound_frames()
        frames = unwound + self._live_frames()
        if not getattr(self.context.front_end, "asks_late", False):
            ask(frames)
        selected = len(unwound)
        if self.occasion.reason is StopReason.INTERRUPT:  # it may have come in a library
            selected = next((at for at, frame in enumerate(frames) if frame.is_user), selected)
        return Stop(
            **self.occasion._asdict(),
            exception=self.exception,
            frames=frames,
            selected=selected,
            thread_name=name_of(get_ident()),
            thread_ident=get_ident(),
            refusal_of=self.refusal_of,
            landing_of=self.landing_of,
            prepare_edits=lambda stop: self.context.prepare_edits(_held_first(stop)),
            late=late,
            arguments_of=self._arguments_of,
        )

    def _arguments_of(self, frame: Frame, given: Mapping[str, Any]) -> Arguments:
        """Give what a frame was called with; see `Stop`. What a frame further out has bound anew lies on its stack, where nobody can look."""
        raw = frame.raw
        known = kept(raw, self.state.stack) if raw is self.frame and self.state is not None else {}
        values = {**raw.f_locals, **known, **given}
        lost = [name for name in arguments.changed_parameters(raw) if name not in known and name not in given]
        lost += [name for name in arguments.names(raw.f_code) if name not in values and name not in lost]
        if lost:
            sentence = arguments.lost_sentence(frame.function, lost, "out of reach")
            raise Refused(Refusal("argument-rebound", sentence, f"give {' and '.join(lost)}"))
        return arguments.grouped(raw.f_code, values)

    def _failed_at(self) -> int:
        """Return the byte offset of the failing instruction; -1 where that was in the frame that the held one took over."""
        traceback = self.traceback
        return traceback.tb_lasti if traceback is not None and traceback.tb_frame is self.frame else -1

    def _unwound_frames(self) -> list[Frame]:
        """Frames that the exception has left before the trap was called: library code, or users' where a prediction was wrong."""
        frames = []
        traceback = self.traceback.tb_next if self.traceback is not None else None
        while traceback is not None:
            if not is_ours(traceback.tb_frame):
                frames.append(self._unwound_frame(traceback))
            traceback = traceback.tb_next
        frames.reverse()
        return frames

    def _unwound_frame(self, traceback: TracebackType) -> Frame:
        raw = traceback.tb_frame
        name = raw.f_code.co_qualname
        refusal = Refusal("unwound", f"{name} has unwound already", "restart a frame that is still there")
        return Frame(
            raw, traceback.tb_lineno, traceback.tb_lasti,
            is_user=self.context.is_user(raw), is_obsolete=self.context.is_obsolete(raw), restart_refusal=refusal,
        )  # fmt: skip

    def _live_frames(self) -> list[Frame]:
        frames = []
        raw: FrameType | None = self.frame
        while raw is not None and raw.f_globals.get("__name__") not in RUNNERS:
            if not is_ours(raw) and (raw is self.frame or not is_shell(raw)):
                frames.append(self._live_frame(raw))
            raw = raw.f_back
        return self._without_runner(frames)

    def _live_frame(self, raw: FrameType) -> Frame:
        line, lasti = raw.f_lineno or raw.f_code.co_firstlineno, raw.f_lasti
        if raw is self.frame and self.traceback is not None:
            line, lasti = self.traceback.tb_lineno, self._failed_at()
        is_user = self.context.is_user(raw)

        def refusal(together: checks.Together) -> Refusal | None:
            return self._blocked(raw, together) or checks.restart_refusal(raw, is_user, self.context.versions, together)

        given = kept(raw, self.state.stack) if raw is self.frame and self.state is not None else {}
        is_obsolete = self.context.is_obsolete(raw)
        return Frame(raw, line, lasti, is_user=is_user, is_obsolete=is_obsolete, restart_refusal=refusal, given=given)

    def _blocked(self, raw: FrameType, together: checks.Together) -> Refusal | None:
        """Tell what ends the unwinding before it gets to a frame, or would not let it begin."""
        if together.beyond is None:
            catcher, cause = self._unwinding_ends_at()
            refusal = checks.would_be_caught(catcher, cause) if catcher is not None else None
            together.beyond = set(), refusal
            while catcher is not None:
                together.beyond[0].add(id(catcher))
                catcher = catcher.f_back
        if raw is self.frame and self._is_returning():
            return checks.returning(raw)
        return together.beyond[1] if id(raw) in together.beyond[0] else None

    @staticmethod
    def _without_runner(frames: list[Frame]) -> list[Frame]:
        """Leave out what runs the main module in the place of the interpreter."""
        while len(frames) > 1 and frames[-1].filename.startswith("<frozen runpy"):
            frames.pop()
        return frames

    def _unwinding_ends_at(self) -> tuple[FrameType | None, str]:
        """Return the frame, if any, at which the signal that unwinds frames would end, and what ends it there."""
        signal = Signal(self.frame, nothing, None)
        handler = self._handler_around() if self.handler is None else self.handler
        exits = [] if self.state is None else self.state.exits
        verdict = self.context.all_handlers.predict(signal, self.frame, None if handler < 0 else handler, exits)
        if verdict.cause == "task":
            return self._task_runner(), "task"
        if verdict.outcome is Outcome.UNKNOWN:
            return (verdict.where, "c-code") if verdict.cause == "c-code" else (None, "")
        return verdict.catcher, "c-code" if verdict.cause in ("c-code", "unraisable") else verdict.cause

    def _handler_around(self) -> int:
        """Return the byte offset of the handler around the current instruction of the held frame, -1 where there is none."""
        at = self.frame.f_lasti // 2
        rows = original.original_view(self.frame.f_code).rows
        return next((2 * row.target for row in rows if row.start <= at < row.end), -1)

    def _task_runner(self) -> FrameType | None:
        """Return the frame of the event loop that runs the task to which the failing frame belongs."""
        frame: FrameType | None = self.frame
        while frame is not None and frame.f_globals.get("__name__") != "asyncio.events":
            frame = frame.f_back
        return frame

    # -- whether

    def refusal_of(self, way: Way) -> Refusal | None:
        """Tell why a way cannot be gone, or give None."""
        if isinstance(way, (Propagate, QuitProgram)):
            return None
        raw = way.frame.raw
        if isinstance(way, Replay):
            return _not_post_mortem(way)
        if not self._is_live(raw):
            return way.frame.restart_refusal or Refusal("unwound", f"{way.frame.function} has unwound already")
        if isinstance(way, Step):
            return self._step_refusal() or self.context.stepping.refusal()
        if self._leaves_at_once(way, raw):
            return checks.returning(raw)
        if isinstance(way, RestartFrame):
            refusal = checks.restart_refusal(raw, way.frame.is_user, self.context.versions)
        elif isinstance(way, (Resume, UseValue, Skip)):
            refusal = checks.resume_refusal(raw, way.frame.is_user, self.context.versions) or self._plan_refusal(way)
            return refusal or self._reach_refusal(raw, keeps_blocks=True)
        elif isinstance(way, ReturnFromFrame):
            refusal = checks.return_refusal(raw, way.frame.is_user)
        else:
            thrower = self._thrower(raw)
            refusal = self._throw_refusal(raw, way.exception)
            return refusal or (self._reach_refusal(thrower) if thrower is not None else None)
        return refusal or self._reach_refusal(raw)

    def _step_refusal(self) -> Refusal | None:
        """Refuse a step where the exception in flight would leave the user's functions without running another line: the stop would be lost."""
        frame: FrameType | None = self.frame
        if self.exception is None:
            return None
        while frame is not None:
            lasti = self.traceback.tb_lasti if frame is self.frame and self.traceback is not None else frame.f_lasti
            if self.context.is_user(frame) and not is_shell(frame) and original.has_handler(frame.f_code, lasti):
                return None
            frame = frame.f_back
        sentence = (
            f"no function on the stack has an except or finally for this {type(self.exception).__name__}, so a step leads nowhere"
        )
        return Refusal("nothing-to-step-to", sentence, "go on at the statement (retry, resume, skip) and step then, or continue")

    def _leaves_at_once(self, way: Way, raw: FrameType) -> bool:
        """Tell whether what is raised for a way would leave the frame in which it must arrive."""
        return self._is_returning() and (raw is self.frame or (isinstance(way, Throw) and self._thrower(raw) is self.frame))

    def _is_returning(self) -> bool:
        return self.occasion.moment is Moment.RETURN and not interpreter.RETURN_IS_INSIDE

    def landing_of(self, way: Middle | Replay) -> Landing | Refusal:
        """Tell where a frame would go on, or why it cannot."""
        if isinstance(way, Replay):
            return _not_post_mortem(way)
        refusal = self.refusal_of(way)
        return refusal if refusal is not None else self._plan(way).landing

    def _plan_refusal(self, way: Middle) -> Refusal | None:
        try:
            self._plan(way)
        except Refused as refused:
            return refused.refusal
        except SyntaxError as error:
            return Refusal("cannot-compile", str(error), "restart the frame")
        return None

    def _plan(self, way: Middle) -> Plan:
        """Work out, once for each way, how a frame goes on."""
        key = way, self.context.versions.newest(way.frame.raw.f_code)
        if self._planned is None or self._planned[0][0] is not way or self._planned[0][1] != key[1]:
            self._planned = (
                key,
                plan_for(
                    way,
                    self.context.versions,
                    self.state if way.frame.raw is self.frame else None,
                    self._callee_of(way.frame.raw),
                ),
            )
        return self._planned[1]

    def _callee_of(self, raw: FrameType) -> FrameType | None:
        """Return the frame that a frame on the stack has called, None for the innermost one."""
        frame: FrameType | None = self.frame
        while frame is not None and frame.f_back is not raw:
            frame = frame.f_back
        return frame

    def _is_live(self, raw: FrameType) -> bool:
        frame: FrameType | None = self.frame
        while frame is not None:
            if frame is raw:
                return True
            frame = frame.f_back
        return False

    def _reach_refusal(self, target: FrameType, *, keeps_blocks: bool = False) -> Refusal | None:
        """Tell what stands between the stop and a frame further out; see `Signal` for `keeps_blocks`."""
        catcher, cause = self._unwinding_ends_at()
        if keeps_blocks and target is catcher and (cause == "converted" or (target is self.frame and self.handler is not None)):
            return None  # it arrives at a trap before that
        frame: FrameType | None = self.frame
        while catcher is not None and frame is not None:
            if frame is catcher:
                return checks.would_be_caught(catcher, cause)
            if frame is target:
                return None
            frame = frame.f_back
        return None

    def _throw_refusal(self, target: FrameType, exception: BaseException) -> Refusal | None:
        if not isinstance(exception, BaseException):
            return Refusal("not-an-exception", f"{exception!r} is no exception", "give an exception")
        if target is self.frame:
            return self._passed_refusal(exception)
        thrower = self._thrower(target)
        if thrower is None:
            return Refusal("not-trapped", f"no frame above {target.f_code.co_qualname} has traps", "throw in another frame")
        verdict = self.context.all_handlers.predict(exception, thrower, None)
        between = thrower.f_back
        while between is not None and between is not target:
            if between is verdict.catcher:
                return checks.would_be_caught(between, verdict.cause)
            between = between.f_back
        return None

    def _passed_refusal(self, exception: BaseException) -> Refusal | None:
        """Refuse where the exception in flight has passed a handler of the frame that would take the new one."""
        if self.traceback is None or self.handler is None:
            return None
        view = original.original_view(self.frame.f_code)
        at = self._failed_at() // 2
        row = next((row for row in view.rows if row.start <= at < row.end), None)
        if row is None or 2 * row.target in (self.handler, self.retry):
            return None
        predict = self.context.all_handlers.predict
        first = predict(exception, self.frame, 2 * row.target)
        now = predict(exception, self.frame, None if self.handler < 0 else self.handler)
        if first.catcher is self.frame and now.catcher is not self.frame:
            name = type(exception).__name__
            sentence = f"the handler for {name} around the failing statement was passed already"
            return Refusal("handler-passed", sentence, "restart the frame, or throw in its caller")
        return None

    def _thrower(self, target: FrameType) -> FrameType | None:
        """Return the trapped frame nearest to `target` among those above it: what leaves it arrives in `target`."""
        found = None
        frame: FrameType | None = self.frame
        while frame is not None and frame is not target:
            if (original.is_trapped(frame.f_code) and not is_shell(frame)) or frame is self.frame:
                found = frame if original.is_trapped(frame.f_code) else found
            frame = frame.f_back
        return found

    # -- doing it

    def answer(self, way: Way, state: TrapState) -> Answer:
        """Return what the trap of the failing frame is to do."""
        if isinstance(way, Throw) and way.frame.raw is self.frame:
            return self._placed(way.exception), None
        raised = self.exception_for(way)
        if raised is None:
            return None
        if isinstance(raised, Signal) and raised.target is self.frame and (state.leaves or raised.keeps_blocks):
            answer = continue_unwinding(raised, self.frame, state)
            if answer is not None:
                return answer
        return self._placed(raised), None

    def _placed(self, exception: BaseException) -> BaseException:
        """Give an exception the traceback that it would have if the failing instruction had raised it."""
        place = self.traceback
        if place is not None:
            exception.__traceback__ = TracebackType(None, self.frame, place.tb_lasti, place.tb_lineno)
        return exception

    def exception_for(self, way: Way) -> BaseException | None:
        """Return what is to be raised so that the way is gone, or None where the held code just goes on."""
        if isinstance(way, RestartFrame):
            return self._signal(way.frame.raw, Restart(self.context.versions, way.frame.raw))
        if isinstance(way, (Resume, UseValue, Skip)):
            return self._signal(way.frame.raw, Takeover(self._plan(way), self.context.versions), keeps_blocks=True)
        if isinstance(way, ReturnFromFrame):
            return self._signal(way.frame.raw, Return(way.value))
        if isinstance(way, Throw):
            if way.frame.raw is self.frame:
                return way.exception
            thrower = self._thrower(way.frame.raw)
            assert thrower is not None  # checked
            return self._signal(thrower, ThrowBehind(way.exception))
        if isinstance(way, QuitProgram):
            return quitting()
        return None

    def _signal(self, target: FrameType, arrival: Arrival, *, keeps_blocks: bool = False) -> Signal:
        return Signal(target, arrival, self.exception, keeps_blocks=keeps_blocks)


def _not_post_mortem(way: Replay) -> Refusal:
    sentence = f"this is a live stop, and {way.frame.function} is one of its frames"
    return Refusal("not-post-mortem", sentence, "restart the frame, or another one that is still there")
