"""Breakpoints and steps of a session: the one engine that all front ends use.

A front end sets breakpoints here, and answers a stop with a `Step`. What watches the program is a `Mechanism`; it tells the engine what
it sees, the engine decides, and stops the thread as any other stop: what the user wants to be raised is raised in the frame.
"""

from __future__ import annotations

import itertools
import sys
import threading
from _thread import get_ident
from collections.abc import Callable, Collection, Sequence
from types import CodeType, FrameType

from fixcont.bytecode.lines import line_at
from fixcont.bytecode.original import prefix_units
from fixcont.continuing.ways import RestartFrame, Resume, Step, StepKind, Way
from fixcont.errors import Refusal
from fixcont.stepping.breakpoints import Point, Spot, logged, reached
from fixcont.stepping.mechanism import Mechanism, choose
from fixcont.stepping.setting import PlacedBreakpoints, Texts
from fixcont.stepping.steps import Following, is_waiting, takes_over
from fixcont.stopping.stop import Moment, Occasion, StopReason
from fixcont.stopping.threads import is_main, thread_of

#: Stops the calling thread; raises what is to be raised in the frame. See `fixcont.stopping.serving.Server.elsewhere`.
Halt = Callable[[FrameType, Occasion], None]


class Stepping(PlacedBreakpoints):
    """What stops threads at breakpoints and after steps.

    Args:
        halt: stops the calling thread.
        is_user: tells whether a frame runs the user's own code.
        texts: the program's texts.
        busy: idents of the threads in which fixcont is at work.
        held: idents of the threads that are held.
        wake: interrupts what the main thread waits for; it returns whether it can. Then `woken` is called there.

    Attributes:
        breakpoints: to look at, change and delete them; `add` and the like make them.
        steps: ident of a thread -> its step.
        stops: changes with each stop.
        version: changes with the breakpoints.
        mechanism: what watches the program; its `reason` says why this one.
    """

    def __init__(
        self,
        halt: Halt,
        is_user: Callable[[FrameType], bool],
        texts: Texts,
        busy: set[int],
        held: Collection[int] = (),
        wake: Callable[[], bool] = lambda: False,
    ) -> None:
        self._halt = halt
        self._held = held
        self._wake = wake
        self._pauses: set[int] = set()  # idents of held threads that are to stop again as soon as they go on
        self._is_user = is_user
        self.busy = busy
        self.steps: dict[int, Following] = {}
        self.stops = 0
        self._numbers = itertools.count(1)
        self._landings: dict[
            int, tuple[CodeType, int]
        ] = {}  # id of code that starts in the middle -> it, where a breakpoint is passed by
        super().__init__(texts)
        self.mechanism: Mechanism = choose(self)

    def close(self) -> None:
        """Delete all breakpoints, end all steps, and watch nothing any more."""
        self.steps.clear()
        self.breakpoints.remove([each.number for each in self.breakpoints.all()])
        self.mechanism.close()

    # -- what breakpoints need of the mechanism

    def _watch_refusal(self) -> Refusal | None:
        return self.mechanism.refusal()

    def _watch_anew(self) -> None:
        self.mechanism.update()

    # -- what the mechanism sees

    def at_line(self, frame: FrameType, line: int, spot: Spot | None) -> None:
        """A frame begins a line that has breakpoints, or is stepped through."""
        thread = get_ident()
        if thread in self.busy or frame.f_lasti < 2 * prefix_units(frame.f_code):
            return  # before its own code it exits the blocks that it has left, on their lines
        step = self.steps.get(thread)
        if step is not None and step.frame is frame and step.deferred is not None:
            deferred, step.deferred = step.deferred, None
            self._end(thread, step)
            raise deferred
        if spot is not None and self._landings and self._has_landed(frame.f_code, line):
            spot = None
        hit = self._reached(spot, frame, thread) if spot is not None else None
        if hit:
            returned = step.returned if step is not None and step.concerns(frame) else ()
            self.at_points(frame, hit, returned)
        elif step is not None and step.concerns(frame) and step.takes(line):
            if step.thread is not None and step.thread() is not thread_of(thread):
                self._end(thread, step)  # that thread is no more, and this one has its ident
            else:
                self._stop(frame, Occasion(step.reason, returned=step.returned))

    def at_jump_back(self, frame: FrameType, destination: int) -> None:
        """A frame in which the thread is to be interrupted jumps back. A loop on one line begins no line."""
        step = self.steps.get(get_ident())
        if step is not None and step.interrupts and step.concerns(frame) and line_at(frame.f_code, destination) == frame.f_lineno:
            self.at_line(frame, frame.f_lineno, None)

    def _reached(self, spot: Spot, frame: FrameType, thread: int) -> list[Point] | None:
        """Return the breakpoints that stop a thread, and log what others have to say. What is evaluated for that does not stop."""
        self.busy.add(thread)
        try:
            hit = reached(spot, frame)
            if hit is None or not any(point.template for point in hit):
                return hit
            for point in hit:
                if point.template:
                    self.breakpoints.tell_logged(point, logged(point, frame))
            return [point for point in hit if not point.template]
        finally:
            self.busy.discard(thread)

    def at_points(self, frame: FrameType, hit: Sequence[Point], returned: tuple[tuple[str, object], ...] = ()) -> None:
        """Stop at breakpoints; see `Stop.returned`."""
        numbers = tuple(point.number for point in hit)
        for point in hit:
            if point.is_temporary:
                self.breakpoints.remove([point.number])
                self.breakpoints.tell(point)
        self._stop(frame, Occasion(StopReason.BREAKPOINT, breakpoints=numbers, returned=returned))

    def at_call(self, frame: FrameType) -> None:
        """A frame begins."""
        thread = get_ident()
        step = self.steps.get(thread)
        if step is None or thread in self.busy:
            return
        if step.collects_from(frame) and self._is_user(frame):
            self._collect(step, frame)
        if step.anywhere is not None:
            self._meet(step, frame, 0)
        elif step.awaits is not None:
            if step.awaits(frame):
                step.awaits = None
                self._follow(step, frame)
        elif self._goes_into(step, frame):
            if not step.at_edges:
                self._follow(step, frame)
                return
            try:
                self._stop(frame, Occasion(StopReason.STEP, Moment.CALL))
            except BaseException as raised:
                raised.__traceback__ = None
                self.steps[thread] = Following(StepKind.OVER, frame, deferred=raised)
                self.mechanism.update()

    def at_resumption(self, frame: FrameType) -> None:
        """A generator or coroutine goes on."""
        thread = get_ident()
        step = self.steps.get(thread)
        if step is None or thread in self.busy or step.awaits is not None or frame is step.frame:
            return
        if step.anywhere is not None:
            self._meet(step, frame, 0)
        elif self._goes_into(step, frame):
            self._follow(step, frame)

    def _goes_into(self, step: Following, frame: FrameType) -> bool:
        return step.enters and step.is_at_target() and step.may_stop_in(frame, self._is_user) and step.comes_from(frame)

    def _collect(self, step: Following, frame: FrameType) -> None:
        """Let it be told what a frame returns, which the one that is stepped through has called."""
        if step.collected is not None:
            step.collected[id(frame.f_code)] = frame.f_code
            self.mechanism.follow(frame)

    def at_return(self, frame: FrameType, value: object) -> None:
        """The frame that is stepped through returns."""
        thread = get_ident()
        step = self.steps.get(thread)
        if step is None or thread in self.busy:
            return
        if step.frame is not frame:
            if step.collects_from(frame) and step.watches_return(frame.f_code):
                step.collect(frame, value)
            return
        step.collect(frame, value)
        if step.at_edges:
            self._stop(frame, Occasion(StopReason.STEP, Moment.RETURN, value))
        else:
            self._leave(thread, step, frame)

    def at_yield(self, frame: FrameType, offset: int) -> None:
        """The frame that is stepped through yields or waits. One that steps into goes on with who gets the value."""
        thread = get_ident()
        step = self.steps.get(thread)
        if step is None or step.frame is not frame or thread in self.busy:
            return
        if step.kind is StepKind.INTO and not is_waiting(frame.f_code, offset):
            self._leave(thread, step, frame)

    def at_unwinding(self, frame: FrameType) -> None:
        """An exception leaves the frame that is stepped through."""
        thread = get_ident()
        step = self.steps.get(thread)
        if step is not None and step.frame is frame and thread not in self.busy:
            self._leave(thread, step, frame)

    def _stop(self, frame: FrameType, occasion: Occasion) -> None:
        self.stops = next(self._numbers)  # never the same twice, whatever other threads do
        self._halt(frame, occasion)

    def _leave(self, thread: int, step: Following, frame: FrameType) -> None:
        """Go on in the caller of a frame that ends."""
        step.kind = StepKind.INTO if step.kind is StepKind.INTO and step.target is None else StepKind.OVER
        caller = step.caller(frame, self._is_user)
        if caller is None:
            self._end(thread, step)
        else:
            self._follow(step, caller)

    def _follow(self, step: Following, frame: FrameType) -> None:
        step.frame = frame
        step.target = None
        self.mechanism.follow(frame)

    def _meet(self, step: Following, frame: FrameType, ident: int) -> None:
        """Let a pause end in a frame of its thread, if that is the user's; see `Mechanism.follow` for the ident."""
        if step.anywhere is not None and self._is_user(frame):
            step.anywhere[id(frame.f_code)] = frame.f_code
            self.mechanism.follow(frame, ident)

    def _end(self, thread: int, step: Following) -> None:
        if self.steps.get(thread) is step:  # else another thread has asked for a pause meanwhile
            del self.steps[thread]
            step.returned = ()
            self.mechanism.update()

    # -- what stops tell

    def held(self) -> None:
        """The calling thread has stopped: its step is over."""
        step = self.steps.pop(get_ident(), None)
        if step is not None:
            step.returned = ()
        self._pauses.discard(get_ident())

    def goes_on(self, way: Way, frame: FrameType, moment: Moment) -> None:
        """The calling thread goes on from a stop; begin the step that was asked for.

        Args:
            way: how it goes on. Refusals have been asked for.
            frame: the innermost frame.
            moment: what that was about to do.
        """
        thread = get_ident()
        if isinstance(way, Step):
            step = Following(
                way.kind,
                way.frame.raw,
                way.line,
                everywhere=way.everywhere,
                at_edges=way.at_edges,
                target=way.target,
                collects=way.collects,
            )
            self.steps[thread] = step
            if moment is Moment.RETURN and way.frame.raw is frame:
                step.kind = StepKind.INTO if step.kind is StepKind.INTO else StepKind.OVER
                step.frame = step.caller(frame, self._is_user)
                if step.frame is None:
                    del self.steps[thread]
        elif isinstance(way, (RestartFrame, Resume)) and way.halts:
            self.steps[thread] = Following(StepKind.OVER, None, awaits=takes_over(way.frame.code))
        if thread in self._pauses:
            self._pauses.discard(thread)
            self._begin_pause(thread)
        self.mechanism.update()

    def refusal(self) -> Refusal | None:
        """Tell why no step can be gone in the calling thread."""
        return self.mechanism.refusal()

    def stop_in(self, code: CodeType, reason: StopReason) -> None:
        """Stop once the calling thread runs the first line of a code object."""
        self.steps[get_ident()] = Following(StepKind.OVER, None, awaits=lambda frame: frame.f_code is code, reason=reason)
        self.mechanism.update()

    def interrupt(self, frame: FrameType) -> bool:
        """Let Ctrl-C stop a frame of the calling thread at its next line. Returns whether it will: the thread may not be watched."""
        if self.refusal() is not None:
            return False
        self.steps[get_ident()] = Following(StepKind.OVER, frame, reason=StopReason.INTERRUPT)
        self.mechanism.update()
        return True

    def pause(self, ident: int) -> Refusal | None:
        """Stop a thread, which may be another one, at its next line of the user's own code, in whatever function that is.

        A thread that runs library code stops once it is back in the user's. The main thread is woken where Ctrl-C would stop it: it stops
        where it sleeps or waits. A thread that is held stops again once it goes on. A step of the thread is given up. Restarts and the
        like can be refused there as anywhere.

        Args:
            ident: as `threading.get_ident` gives it in that thread.

        Returns:
            Why it cannot be stopped, or None.
        """
        if ident not in sys._current_frames():
            return Refusal("no-thread", f"no thread with the ident {ident} runs", "ask for the threads anew")
        if ident in self._held:
            self._pauses.add(ident)
            if ident in self._held:
                return None
            self._pauses.discard(ident)  # it has gone on meanwhile
        refusal = self.mechanism.pause_refusal(ident)
        self._begin_pause(ident)
        if not (is_main(ident) and self._wake()) and refusal is not None:
            self.steps.pop(ident, None)
            return refusal
        return None

    def _begin_pause(self, ident: int) -> None:
        running = set(sys._current_frames())
        for gone in [each for each, step in list(self.steps.items()) if step.anywhere is not None and each not in running]:
            self.steps.pop(gone, None)
        step = self.steps[ident] = Following.pause(thread_of(ident))
        self.mechanism.update()
        frame = sys._current_frames().get(ident)  # only now: what begins from here on is told by the mechanism
        while frame is not None:
            self._meet(step, frame, ident)
            frame = frame.f_back

    def watch_thread(self) -> None:
        """Have breakpoints count in the calling thread, which has waited while others set them."""
        self.mechanism.update()

    def watch_main_thread(self) -> None:
        """Have breakpoints count in the main thread, which runs meanwhile, where a thread can be watched only by itself.

        To be called in another thread, after breakpoints were set there. Not where the program has a handler of its own for Ctrl-C, and not in
        other threads that run already.
        """
        main = threading.main_thread().ident
        if main is None or main in self._held or main == get_ident() or not self.has_points:
            return
        if self.mechanism.pause_refusal(main) is not None:
            self._wake()

    def woken(self, is_busy: bool) -> bool:
        """The main thread was woken for a pause. Returns whether it is to stop there, at once.

        Args:
            is_busy: whether fixcont is at work in it. Then it stops at its next line.
        """
        step = self.steps.get(get_ident())
        if step is None or step.anywhere is None:
            self.mechanism.update()  # for `watch_main_thread`; or it has stopped meanwhile
            return False
        if is_busy:
            self.mechanism.update()  # it may be watched only by itself
        return not is_busy

    def entered(self, code: CodeType, line: int) -> None:
        """A frame goes on in the middle, in `code`: breakpoints on its first line, where it stands already, are passed by once."""
        if line in self.spots_in(code):
            self._landings[id(code)] = code, line

    def _has_landed(self, code: CodeType, line: int) -> bool:
        landing = self._landings.pop(id(code), None)
        return landing is not None and landing[0] is code and landing[1] == line
