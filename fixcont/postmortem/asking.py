"""Calling what is the program's own, such as the `repr` of its objects, with a limit of time.

It is called in a thread of its own, so that one that never ends holds nobody up. At the end of the time the thread is told to end, by an
exception at its next instruction; what sits in C code meanwhile (a sleep, a wait for a lock) ends there when that returns.
What keeps the interpreter's lock cannot be limited.
"""

from __future__ import annotations

import contextlib
import contextvars
import threading
from _thread import get_ident, start_new_thread
from collections.abc import Callable, Hashable, Mapping
from contextlib import AbstractContextManager
from typing import Any, NamedTuple


class Answer(NamedTuple):
    """What came of a call.

    Attributes:
        value: what it returned, None where it did not.
        failure: the name of what it raised, "slow" where it was still at it at the end, "late" where its turn did not come; else "".
    """

    value: Any
    failure: str = ""


class _TooSlow(BaseException):
    """Ends what takes too long. Not an `Exception`, so that a `repr` that catches those does not catch it."""


class _Round:
    """One round of questions, shared with the thread that asks them."""

    def __init__(self, questions: Mapping[Hashable, Callable[[], Any]]) -> None:
        self.answers: dict[Hashable, Answer] = {}
        self.at: Hashable = None  # the one that is being asked
        self.is_over = False  # the thread is about to end, or has been told to
        self.lock = threading.Lock()
        self.done = threading.Event()
        self.thread = 0
        self._questions = questions

    def run(self, guard: Callable[[], AbstractContextManager[object]]) -> None:
        self.thread = get_ident()
        try:
            with guard():
                self._ask_all()
        except BaseException:  # we have told it to end; or the guard failed: then nothing is known
            pass
        finally:
            with contextlib.suppress(_TooSlow):
                with self.lock:
                    self.is_over = True
                self.done.set()

    def _ask_all(self) -> None:
        for key, question in self._questions.items():
            if self.is_over:
                return
            self.at = key
            try:
                answer = Answer(question())
            except _TooSlow:
                raise
            except BaseException as error:  # whatever it is, it is not the program's
                answer = Answer(None, type(error).__name__)
            if not self.is_over:
                self.answers[key] = answer

    def end(self) -> None:
        """Tell the thread to end, if it is still there."""
        with self.lock:  # while it is held the thread cannot end, and so its identifier is still its own
            if self.is_over:
                return
            self.is_over = True
            with contextlib.suppress(Exception):
                import ctypes  # only here: it is slow to load, and some Pythons lack it

                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self.thread), ctypes.py_object(_TooSlow))


def ask(
    questions: Mapping[Hashable, Callable[[], Any]], seconds: float, guard: Callable[[], AbstractContextManager[object]]
) -> dict[Hashable, Answer]:
    """Call functions one after the other, for so many seconds in all.

    Args:
        guard: gives what is entered around the calls, in their thread.

    Returns:
        An answer for each. Not undone: what they do. One that is too slow may still be at it.
    """
    if not questions or seconds <= 0:
        return dict.fromkeys(questions, Answer(None, "late"))
    asked = _Round(questions)
    try:
        start_new_thread(contextvars.copy_context().run, (asked.run, guard))
    except RuntimeError:  # no more threads, as at the end of the interpreter
        return dict.fromkeys(questions, Answer(None, "late"))
    if not asked.done.wait(seconds):
        at = asked.at
        asked.end()
        asked.answers.setdefault(at, Answer(None, "slow"))
    answers = dict(asked.answers)
    return {key: answers.get(key, Answer(None, "late")) for key in questions}
