"""The walk: from the failing frame outward, who will handle the exception?

What a frame does to exceptions of a type is remembered by its place in the code, together with the global names that the
answer depends on; these are compared by identity each time. What depends on more (local variables, the exception object
itself) is worked out anew each time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from types import BuiltinFunctionType, CodeType, FrameType, ModuleType
from typing import Any, Final

from fixcont.bytecode.interpreter import COROUTINE, ITERABLE_COROUTINE
from fixcont.bytecode.original import has_handed_over
from fixcont.stopping.prediction.activation import Activation
from fixcont.stopping.prediction.boundary import Boundary, is_odd, out_of_finalizer
from fixcont.stopping.prediction.codes import View, forget_views, view_of
from fixcont.stopping.prediction.routes import Answer, Answers, Routes, hold
from fixcont.stopping.prediction.tasks import LIMIT, is_run_until_complete, task_of, waiter_of
from fixcont.stopping.prediction.values import Scope, TypeOf, as_member, is_any, is_instance, is_subclass
from fixcont.stopping.prediction.verdicts import PASSES, End, Outcome, Passage, Verdict, after, doubtful
from fixcont.stopping.threads import RUNNERS

#: So many answers are kept for one type of exception, and answers for so many types; then they are dropped.
_ANSWERS: Final = 4096
_TYPES: Final = 256

_ENGINE_FILE: Final = "<fixcont>"
_ENGINE_FOLDER: Final = os.path.dirname(os.path.dirname(os.path.dirname(__file__))) + os.sep

_COROUTINES: Final = COROUTINE | ITERABLE_COROUTINE
_AWAITS: Final = ("SEND", "YIELD_VALUE", "RESUME", "FOR_ITER")
#: These a task hands to the event loop's caller, too.
_THROUGH_TASKS: Final = (SystemExit, KeyboardInterrupt)

_ABSENT: Final = Passage(End.ABSENT)
_OUTERMOST: Final = Passage(End.OUTERMOST)


class _Walk:
    """What is not certain about one exception so far: whether it was handled on the way, and at which frame that began."""

    # Defaults of the class: most walks never set them, and one is made for every exception.
    doubt = ""
    where: FrameType | None = None
    library_doubt = False

    def copy(self) -> _Walk:
        walk = _Walk()
        walk.doubt, walk.where, walk.library_doubt = self.doubt, self.where, self.library_doubt
        return walk

    def add(self, passage: Passage, frame: FrameType) -> None:
        """Note the doubts of a frame that the exception passes."""
        if passage.doubt and not self.doubt:
            self.doubt = passage.doubt
            self.where = frame
        if passage.library_doubt and not self.library_doubt:
            self.library_doubt = True
            self.where = self.where or frame

    def handled(self, frame: FrameType | None, cause: str) -> Verdict:
        """Conclude that it is handled in the end: whatever was in doubt would have handled it as well."""
        if self.library_doubt:
            return Verdict(Outcome.UNKNOWN, None, self.doubt or "conditional", self.where)
        return Verdict(Outcome.HANDLED, frame, cause, None)

    def unhandled(self, frame: FrameType | None, cause: str) -> Verdict:
        """Conclude that nobody who counts takes it, but maybe what was in doubt."""
        if self.doubt:
            return Verdict(Outcome.UNKNOWN, None, self.doubt, self.where)
        return Verdict(Outcome.UNHANDLED, frame, cause, None)

    def unknown(self, frame: FrameType, cause: str) -> Verdict:
        return Verdict(Outcome.UNKNOWN, None, self.doubt or cause, self.where or frame)


class Predictor:
    """Predicts who will handle an exception, without running code of the debuggee.

    Safe to use from several threads. It keeps a bounded number of code objects, exception types and classes alive.

    Parameters:
        is_user: whether a code object is the user's own. The answer is remembered: call `forget` when it changes.
        library_broad_counts: whether handlers that are not the user's count even if they name nothing narrower than Exception.
    """

    def __init__(self, is_user: Callable[[CodeType], bool], library_broad_counts: bool) -> None:
        self._library_broad_counts = library_broad_counts
        self._activation = Activation(is_user, library_broad_counts)
        # id of an exception type -> (id of a code object + f_lasti -> answer of a caller, id of a code object + handler ->
        # answer of a failing frame, the type, kept alive; to hash it could run code of its metaclass). The sums are unique:
        # the instructions lie inside the code object, and no two live objects share an address.
        self._tables: dict[int, tuple[Answers, Answers, type]] = {}

    def forget(self) -> None:
        """Drop all that is remembered, and the code objects with it."""
        self._tables.clear()
        forget_views()

    def predict(self, exc: BaseException, frame: FrameType, handler: int | None, exits: Sequence[object] = ()) -> Verdict:
        """Return who will handle an exception that is about to leave a statement of `frame`.

        Parameters:
            exc: the exception.
            frame: the failing frame; its own position is not looked at.
            handler: byte offset, in the original code, of the handler that takes over next in this frame; None where
                nothing more does.
            exits: the live exits of the frame's open `with` blocks, innermost last: bound methods, or from 3.14 (exit,) or
                (self, exit).
        """
        try:
            return self._predict(exc, frame, handler, exits)
        except RecursionError:  # the debuggee's stack is all but full: there is no room to look
            return Verdict(Outcome.UNKNOWN, None, "recursion", frame)

    def _predict(self, exc: BaseException, frame: FrameType, handler: int | None, exits: Sequence[object]) -> Verdict:
        kind = type(exc)
        tables = self._tables.get(id(kind)) or self._new_tables(kind)
        walk = _Walk()
        if handler is not None:
            passage = self._in_failing_frame(exc, frame, handler, exits, tables[1])
            if passage is not None:
                verdict = self._conclude(exc, passage, frame, walk) or self._joining(exc, passage, frame, tables[0], walk)
                if verdict is not None:
                    return verdict
        return self._outward(exc, frame, tables[0], walk)

    def routes_for(self, kind: type[BaseException]) -> Routes:
        """Return what `route_of` needs for exceptions of a type. It holds until `forget` is called."""
        return Routes((self._tables.get(id(kind)) or self._new_tables(kind))[0].get, {})

    def _new_tables(self, kind: type) -> tuple[Answers, Answers, type]:
        if len(self._tables) >= _TYPES:
            self._tables.clear()
        tables = self._tables[id(kind)] = ({}, {}, kind)
        return tables

    def _outward(self, exc: BaseException, callee: FrameType, answers: Answers, walk: _Walk) -> Verdict:
        """Walk the callers of `callee`. This loop runs for every exception: where all is remembered it calls nothing."""
        callee_code = callee.f_code
        odd = is_odd(callee_code)
        frame = callee.f_back
        passing: Answers = {}
        while frame is not None:
            code = frame.f_code
            answer = answers.get(id(code) + frame.f_lasti)
            if answer is None and passing:
                answer = passing.get(id(code) + frame.f_lasti)
            if answer is None:
                answer = self._work_out(exc, callee, frame, answers, passing)
            else:
                _, next_is_odd, wanted, facts, passage = answer
                is_stale = odd if wanted is None else wanted is not callee_code
                if is_stale or (facts is not None and not hold(facts, frame)):
                    answer = self._work_out(exc, callee, frame, answers, passing)
                elif passage is None:
                    callee = frame
                    callee_code = code
                    odd = next_is_odd
                    frame = frame.f_back
                    continue
            passage = answer[4]
            if passage is not None:
                if passage is _ABSENT:
                    frame = frame.f_back
                    continue
                if passage.end is End.TASK:
                    return self._through_tasks(exc, task_of(callee), frame, answers, walk)
                verdict = self._conclude(exc, passage, frame, walk) or self._joining(exc, passage, frame, answers, walk)
                if verdict is not None:
                    return verdict
            callee = frame
            callee_code = code
            odd = answer[1]
            frame = frame.f_back
        return walk.unhandled(None, "")

    def _conclude(self, exc: BaseException, passage: Passage, frame: FrameType, walk: _Walk) -> Verdict | None:
        """Return the verdict if the walk ends here; else note what is in doubt."""
        walk.add(passage, frame)
        if passage.end is End.HANDLED:
            return walk.handled(frame, passage.cause)
        if passage.end is End.OUTERMOST:
            return walk.unhandled(None, "")
        if passage.end is End.LIBRARY:
            if self._library_broad_counts:
                return walk.handled(frame, passage.cause)
            return walk.unhandled(frame, passage.cause)
        return None

    def _joining(self, exc: BaseException, passage: Passage, frame: FrameType, answers: Answers, walk: _Walk) -> Verdict | None:
        """Return the verdict on an exception that may have become a member of a group in `frame`; None if it has not."""
        if not passage.is_joining:
            return None
        member = as_member(exc)
        tables = self._tables.get(id(type(member))) or self._new_tables(type(member))
        as_it_is = self._outward(exc, frame, answers, walk.copy())
        in_group = self._outward(member, frame, tables[0], walk)
        return as_it_is if as_it_is.outcome is in_group.outcome else Verdict(Outcome.UNKNOWN, None, "converted", frame)

    # -- one frame

    def _in_failing_frame(
        self, exc: BaseException, frame: FrameType, handler: int, exits: Sequence[object], answers: Answers
    ) -> Passage | None:
        code = frame.f_code
        place = id(code) + handler
        answer = answers.get(place)
        if answer is not None and (answer[3] is None or hold(answer[3], frame)):
            return answer[4]
        view = view_of(code)
        scope = Scope.of_frame(frame)
        passage = self._activation.from_handler(exc, view, handler // 2, scope, exits)
        result = _result(passage)
        if scope.is_cacheable:
            _store(answers, place, (code, is_odd(code), None, tuple(scope.facts) or None, result))
        return result

    def _work_out(self, exc: BaseException, callee: FrameType, frame: FrameType, answers: Answers, passing: Answers) -> Answer:
        """Return what a caller does to the exception, and remember it if the same can be told the next time.

        `passing` remembers what must not be kept alive, for one walk: a function that calls itself is on the stack many times.
        """
        code = frame.f_code
        place = id(code) + frame.f_lasti
        is_engine = _is_engine(frame)
        view = None if is_engine else view_of(code)
        at = None if view is None else view.unit_of(frame)
        if at is None and not is_engine and not has_handed_over(code, frame.f_lasti):  # its trap drops what it held
            return (code, is_odd(code), callee.f_code, None, out_of_finalizer(type(exc), callee.f_code))
        if view is None or at is None:
            is_last = is_engine and frame.f_globals.get("__name__") in RUNNERS
            answer: Answer = (code, False, None, None, _OUTERMOST if is_last else _ABSENT)
            # Absent whatever the callee is: the flag of the callee's own answer stays in force, so an odd one comes here again.
            _store(answers, place, answer)
            return answer
        if self._is_kept_by_task(exc, callee, view, at):
            return (code, is_odd(code), callee.f_code, None, Passage(End.TASK))
        return self._work_out_caller(exc, callee, frame, view, at, (answers, passing))

    def _work_out_caller(
        self, exc: BaseException, callee: FrameType, frame: FrameType, view: View, at: int, kept: tuple[Answers, Answers]
    ) -> Answer:
        code = frame.f_code
        boundary = Boundary(callee, view, at, Scope.of_frame(frame))
        passage = boundary.cross(type(exc))
        scope = Scope.of_frame(frame)
        if passage.end is End.PASSES:
            passage = after(passage, self._activation.through(exc, view, at, scope))
        wanted = callee.f_code if boundary.depends_on_callee else None
        facts = tuple(scope.facts) + boundary.facts
        answer: Answer = (code, is_odd(code), wanted, facts or None, _result(passage))
        if scope.is_cacheable and boundary.is_cacheable:
            place = id(code) + frame.f_lasti
            if not _store(kept[0], place, answer):
                kept[1][place] = answer
        return answer

    def _is_kept_by_task(self, exc: BaseException, callee: FrameType, view: View, at: int) -> bool:
        if not callee.f_code.co_flags & _COROUTINES or any(is_instance(exc, kind) for kind in _THROUGH_TASKS):
            return False
        return view.instruction(at).name not in _AWAITS and task_of(callee) is not None

    # -- tasks

    def _through_tasks(self, exc: BaseException, task: Any, frame: FrameType, answers: Answers, walk: _Walk) -> Verdict:
        """Follow an exception that leaves the outermost frame of a task to those who await the task."""
        for _ in range(LIMIT):
            waiter = waiter_of(task)
            if waiter.kind == "outside":
                runner = _runner_of(waiter.task, frame)
                return walk.unknown(frame, "task") if runner is None else self._outward(exc, runner, answers, walk)
            if waiter.kind == "kept":
                return walk.handled(None, "task")
            if waiter.kind == "nobody" or (waiter.kind == "unknown" and self._library_broad_counts):
                return walk.handled(None, "task") if self._library_broad_counts else walk.unhandled(None, "task")
            if waiter.kind == "unknown":
                break
            if waiter.kind == "group":
                exc = as_member(exc)
                answers = (self._tables.get(id(type(exc))) or self._new_tables(type(exc)))[0]
            verdict = self._through_suspended(exc, waiter.frames, walk)
            if verdict is not None:
                return verdict
            task = waiter.task
        return walk.unknown(frame, "task")

    def _through_suspended(self, exc: BaseException, frames: Sequence[FrameType], walk: _Walk) -> Verdict | None:
        for frame in frames:
            view = view_of(frame.f_code)
            at = view.unit_of(frame)
            if at is None:
                continue
            passage = self._activation.through(exc, view, at, Scope.of_frame(frame))
            if passage.is_joining and as_member(exc) is not exc:
                passage = after(passage, doubtful("converted"))
            verdict = self._conclude(exc, passage, frame, walk)
            if verdict is not None:
                return verdict
        return None


def _result(passage: Passage) -> Passage | None:
    return None if passage == PASSES else passage


def _store(answers: Answers, place: int, answer: Answer) -> bool:
    """Remember an answer. Returns whether that may be."""
    # Only these may be kept alive here: a program may look how often anything else is referred to, or when it dies.
    if answer[3] is not None and not all(
        is_any(type(value), TypeOf, ModuleType, BuiltinFunctionType) or is_subclass(type(value), type)
        for _, _, value in answer[3]
    ):
        return False
    if len(answers) >= _ANSWERS:
        answers.clear()
    answers[place] = answer
    return True


def _is_engine(frame: FrameType) -> bool:
    """Tell whether a frame is one of fixcont's own, which are no part of the debuggee's stack."""
    filename = frame.f_code.co_filename
    if filename == _ENGINE_FILE or filename.startswith(_ENGINE_FOLDER):
        return True
    name = frame.f_globals.get("__name__")
    return type(name) is str and name.startswith("fixcont.")


def _runner_of(task: Any, frame: FrameType | None) -> FrameType | None:
    """Return the event loop's frame that waits for the task on this thread's stack."""
    while frame is not None:
        if is_run_until_complete(frame, task):
            return frame
        frame = frame.f_back
    return None
