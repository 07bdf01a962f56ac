"""Breakpoints and steps of a session: the one engine that all front ends use.

A front end sets breakpoints here, and answers a stop with a `Step`. What watches the program is a `Mechanism`; it tells the engine what
it sees, the engine decides, and stops the thread as any other stop: what the user wants to be raised is raised in the frame.
"""

from __future__ import annotations

import itertools
import linecache
import os
import sys
from _thread import get_ident
from collections.abc import Callable, Collection, Sequence
from types import CodeType, FrameType
from typing import Protocol

from fixcont.bytecode.lines import line_at
from fixcont.bytecode.original import prefix_units
from fixcont.continuing.ways import RestartFrame, Resume, Step, StepKind, Way
from fixcont.editing.moves import moved_line
from fixcont.editing.texts import Text
from fixcont.errors import Refusal, Refused
from fixcont.stepping.breakpoints import Breakpoint, Breakpoints, Point, Spot, compiled, reached
from fixcont.stepping.mechanism import Mechanism, choose
from fixcont.stepping.places import Place, lines_of, owner_of, place_of_function, place_on, starts
from fixcont.stepping.steps import Following, is_waiting, takes_over
from fixcont.stopping.stop import Moment, Occasion, StopReason
from fixcont.stopping.threads import is_main, thread_of


class Texts(Protocol):
    """What is asked about the program's texts."""

    def text_for(self, code: CodeType) -> Text | None:
        """Return the text that a code object was made from."""

    def newest_text(self, filename: str) -> Text | None:
        """Return the installed text of a file."""


#: Stops the calling thread; raises what is to be raised in the frame. See `fixcont.stopping.serving.Server.elsewhere`.
Halt = Callable[[FrameType, Occasion], None]


class Stepping:
    """What stops threads at breakpoints and after steps.

    Args:
        halt: stops the calling thread.
        is_user: tells whether a frame runs the user's own code.
        texts: the program's texts.
        busy: idents of the threads in which fixcont is at work.
        held: idents of the threads that are held.
        wake: interrupts what the main thread waits for; it returns whether it can. Then `woken` is called there.

    Attributes:
        breakpoints: to look at, change and delete them; `add` and `add_function` make them.
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
        busy: Collection[int],
        held: Collection[int] = (),
        wake: Callable[[], bool] = lambda: False,
    ) -> None:
        self._halt = halt
        self._held = held
        self._wake = wake
        self._pauses: set[int] = set()  # idents of held threads that are to stop again as soon as they go on
        self._is_user = is_user
        self._texts = texts
        self.busy = busy
        self.steps: dict[int, Following] = {}
        self.stops = 0
        self._numbers = itertools.count(1)
        self.version = 0
        self.breakpoints = Breakpoints(self._points_changed)
        self._by_file: dict[str, list[Point]] = {}  # real path -> enabled breakpoints
        self._real: dict[str, str] = {}  # name of a file -> real path
        self._landings: dict[
            int, tuple[CodeType, int]
        ] = {}  # id of code that starts in the middle -> it, where a breakpoint is passed by
        self.mechanism: Mechanism = choose(self)

    def close(self) -> None:
        """Delete all breakpoints, end all steps, and watch nothing any more."""
        self.steps.clear()
        self.breakpoints.remove([each.number for each in self.breakpoints.all()])
        self.mechanism.close()

    # -- setting breakpoints

    def add(self, filename: str, line: int, *, condition: str = "", temporary: bool = False) -> Breakpoint:
        """Set a breakpoint on a line of a file as it is installed, or as it lies on disk where it is not loaded.

        A line without code gives way to the start of the statement that it belongs to, or to the next line with code.

        Raises:
            Refused: there is no such file or no code there, the condition is no expression, or the program cannot be watched.
        """
        text = self._text(filename)
        return self._add(text, lambda: place_on(text, line), "", condition, temporary)

    def add_function(
        self, filename: str, qualname: str, first_line: int | None = None, *, condition: str = "", temporary: bool = False
    ) -> Breakpoint:
        """Set a breakpoint on the first line of the body of a function.

        Args:
            qualname: its qualified name.
            first_line: that of its code, where several have the name.

        Raises:
            Refused: as `add`.
        """
        text = self._text(filename)
        return self._add(text, lambda: place_of_function(text, qualname, first_line), qualname, condition, temporary)

    def _add(self, text: Text, place: Callable[[], Place], function: str, condition: str, temporary: bool) -> Breakpoint:
        refusal = self.mechanism.refusal()
        if refusal is not None:
            raise Refused(refusal)
        compiled(condition)
        try:
            found = place()
        except SyntaxError as error:
            raise Refused(Refusal("cannot-compile", f"{text.filename} has a syntax error in line {error.lineno}")) from error

        def make(number: int) -> Point:
            point = Point(number, text.filename, function, text, found)
            point.set_condition(condition)
            point.is_temporary = temporary
            point.is_bound = self._texts.newest_text(text.filename) is not None
            return point

        return self.breakpoints.put(make)

    def _text(self, filename: str) -> Text:
        text = self._texts.newest_text(filename)
        if text is not None:
            return text
        try:
            with open(filename, "rb") as stream:
                return Text(filename, stream.read(), is_certain=False)
        except OSError as error:
            lines = linecache.getlines(filename)
            if lines:  # from an archive, or made by the program
                return Text(filename, "".join(lines).encode(), is_certain=False)
            sentence = f"{filename} cannot be read: {error.strerror}"
            raise Refused(Refusal("file-unreadable", sentence, "name a file of the program")) from error

    def lines_in(self, code: CodeType) -> list[int]:
        """Return the lines of the enabled breakpoints in the text, maybe an older one, that a code object was made from."""
        text = self._texts.text_for(code)
        places = [self._place(point, text) for point in self._by_file.get(self._realpath(code.co_filename), ())]
        return [place.line for place in places if place is not None]

    # -- edits

    def installed(self, changes: Sequence[tuple[Text, Text]]) -> None:
        """Move the breakpoints to where their statements are after an install; disable those whose statements are gone.

        Args:
            changes: the texts before and after.
        """
        told = [point for old, new in changes for point in self._points_of(new.filename) if self._move(point, old, new)]
        if changes and self.breakpoints:
            self._points_changed()
        for point in told:
            self.breakpoints.tell(point)

    def _move(self, point: Point, old: Text, new: Text) -> bool:
        """Move one breakpoint; tell whether anybody would notice."""
        place = self._moved(point, point.text, new)
        before = point.place.line
        point.places[new] = place
        point.is_lost = place is None
        if place is None:
            was_enabled, point.is_enabled = point.is_enabled, False
            point.note = f"its statement is gone from {os.path.basename(new.filename)}"
            return was_enabled
        point.text, point.place = new, place
        return place.line != before

    def _moved(self, point: Point, old: Text, new: Text) -> Place | None:
        """Return where a breakpoint of one text is in another, None where it is not there."""
        try:
            if point.function:
                return place_of_function(new, point.function)
            line = moved_line(old, new, point.place.line)
            return None if line is None else place_on(new, line)
        except (Refused, SyntaxError):
            return None

    def _points_of(self, filename: str) -> list[Point]:
        real = self._realpath(filename)
        return [point for point in self.breakpoints.points() if self._realpath(point.filename) == real]

    # -- what the mechanism asks

    @property
    def has_points(self) -> bool:
        """Whether a breakpoint is enabled."""
        return bool(self._by_file)

    def spots_in(self, code: CodeType) -> dict[int, Spot]:
        """Return the enabled breakpoints in a code object by line."""
        points = self._by_file.get(self._realpath(code.co_filename))
        if not points:
            return {}
        text = self._texts.text_for(code)
        found: dict[int, Spot] = {}
        for point in points:
            place = self._place(point, text)
            if place is None or not (owner_of(code) in place.owners or (text is None and place.line in lines_of(code))):
                continue
            for line, skips in starts(code, place).items():
                spot = found.get(line) or Spot((), skips)
                found[line] = Spot((*spot.points, point), spot.skips)
            if not point.is_bound:
                point.is_bound = True
                self.breakpoints.tell(point)
        return found

    def _place(self, point: Point, text: Text | None) -> Place | None:
        if text is None or text is point.text or text.source == point.text.source:
            return point.place
        if text not in point.places:
            point.places[text] = self._moved(point, point.text, text)
        return point.places[text]

    def _realpath(self, filename: str) -> str:
        real = self._real.get(filename)
        if real is None:
            real = self._real[filename] = filename if filename.startswith("<") else os.path.realpath(filename)
        return real

    def _points_changed(self) -> None:
        by_file: dict[str, list[Point]] = {}
        for point in self.breakpoints.points():
            if point.is_enabled:
                by_file.setdefault(self._realpath(point.filename), []).append(point)
        self._by_file = by_file
        self.version += 1
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
        hit = reached(spot, frame) if spot is not None else None
        if hit:
            self.at_points(frame, hit)
        elif step is not None and step.concerns(frame) and step.takes(line):
            if step.thread is not None and step.thread() is not thread_of(thread):
                self._end(thread, step)  # that thread is no more, and this one has its ident
            else:
                self._stop(frame, Occasion(step.reason))

    def at_jump_back(self, frame: FrameType, destination: int) -> None:
        """A frame in which the thread is to be interrupted jumps back. A loop on one line begins no line."""
        step = self.steps.get(get_ident())
        if step is not None and step.interrupts and step.concerns(frame) and line_at(frame.f_code, destination) == frame.f_lineno:
            self.at_line(frame, frame.f_lineno, None)

    def at_points(self, frame: FrameType, hit: Sequence[Point]) -> None:
        """Stop at breakpoints."""
        numbers = tuple(point.number for point in hit)
        for point in hit:
            if point.is_temporary:
                self.breakpoints.remove([point.number])
                self.breakpoints.tell(point)
        self._stop(frame, Occasion(StopReason.BREAKPOINT, breakpoints=numbers))

    def at_call(self, frame: FrameType) -> None:
        """A frame begins."""
        thread = get_ident()
        step = self.steps.get(thread)
        if step is None or thread in self.busy:
            return
        if step.anywhere is not None:
            self._meet(step, frame, 0)
        elif step.awaits is not None:
            if step.awaits(frame):
                step.awaits = None
                self._follow(step, frame)
        elif step.enters and step.may_stop_in(frame, self._is_user) and step.comes_from(frame):
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
        elif step.enters and step.may_stop_in(frame, self._is_user) and step.comes_from(frame):
            self._follow(step, frame)

    def at_return(self, frame: FrameType, value: object) -> None:
        """The frame that is stepped through returns."""
        thread = get_ident()
        step = self.steps.get(thread)
        if step is None or step.frame is not frame or thread in self.busy:
            return
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
        step.kind = StepKind.INTO if step.kind is StepKind.INTO else StepKind.OVER
        caller = step.caller(frame, self._is_user)
        if caller is None:
            self._end(thread, step)
        else:
            self._follow(step, caller)

    def _follow(self, step: Following, frame: FrameType) -> None:
        step.frame = frame
        self.mechanism.follow(frame)

    def _meet(self, step: Following, frame: FrameType, ident: int) -> None:
        """Let a pause end in a frame of its thread, if that is the user's; see `Mechanism.follow` for the ident."""
        if step.anywhere is not None and self._is_user(frame):
            step.anywhere[id(frame.f_code)] = frame.f_code
            self.mechanism.follow(frame, ident)

    def _end(self, thread: int, step: Following) -> None:
        if self.steps.get(thread) is step:  # else another thread has asked for a pause meanwhile
            del self.steps[thread]
            self.mechanism.update()

    # -- what stops tell

    def held(self) -> None:
        """The calling thread has stopped: its step is over."""
        self.steps.pop(get_ident(), None)
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
            step = Following(way.kind, way.frame.raw, way.line, everywhere=way.everywhere, at_edges=way.at_edges)
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
        running = sys._current_frames()
        for gone in [each for each, step in list(self.steps.items()) if step.anywhere is not None and each not in running]:
            self.steps.pop(gone, None)
        step = self.steps[ident] = Following.pause(thread_of(ident))
        self.mechanism.update()
        frame = sys._current_frames().get(ident)  # only now: what begins from here on is told by the mechanism
        while frame is not None:
            self._meet(step, frame, ident)
            frame = frame.f_back

    def woken(self, is_busy: bool) -> bool:
        """The main thread was woken for a pause. Returns whether it is to stop there, at once.

        Args:
            is_busy: whether fixcont is at work in it. Then it stops at its next line.
        """
        step = self.steps.get(get_ident())
        if step is None or step.anywhere is None:
            return False  # it has stopped meanwhile
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
