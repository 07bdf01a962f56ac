"""Walks through programs: tables of what is done at each stop, and where the next one is."""

from __future__ import annotations

import dis
from collections.abc import Callable, Iterable, Sequence
from types import CodeType
from typing import Any

from fixcont.bytecode import interpreter
from fixcont.continuing.ways import Propagate, Step, StepKind, Way
from fixcont.stopping.stop import Moment, Stop
from support.front_end import Answer, LiveProgram, find_frame

Live = Callable[..., LiveProgram]


def step(kind: StepKind, function: str | None = None, **options: Any) -> Answer:
    """Step from the selected frame, or from the innermost frame of a function."""
    return lambda stop: Step(find_frame(stop, function), kind, **options)


INTO = step(StepKind.INTO)
OVER = step(StepKind.OVER)
OUT = step(StepKind.OUT)
UNTIL = "until"  #: a line further down than the one of the stop


def go(stop: Stop) -> Way:
    """Let the program run on."""
    return Propagate()


def until(stop: Stop) -> Way:
    frame = stop.frames[stop.selected]
    return Step(frame, StepKind.UNTIL, frame.line + 1)


Row = tuple[Any, str]


class Walk:
    """A program, and the stops of a walk through it.

    Attributes:
        saw: at each stop "@label", or "line N" where the line has none, with what else is to be told: "call", "return VALUE",
            an exception, "breakpoint N", "in THREAD".
    """

    def __init__(self, live: Live, text: str, **options: Any) -> None:
        self.saw: list[str] = []
        self.answers: list[Answer] = []
        self._shown: Stop | None = None
        self.program = live(text, endless=self._answer, **options)
        self.stepping = self.program.session.stepping

    def label(self, line: int) -> str:
        text = self.program.program.text.splitlines()[line - 1]
        mark = text.rpartition("# @")[2].split()[0] if "# @" in text else ""
        return f"@{mark}" if mark else f"line {line}"

    def _answer(self, stop: Stop) -> Way:
        if stop is not self._shown:  # else its answer was refused
            self._note(stop)
        self._shown = stop
        answer = self.answers.pop(0) if self.answers else go
        return answer(stop)

    def _note(self, stop: Stop) -> None:
        frame = stop.frames[stop.selected]
        told = [self.label(frame.line) if frame.filename == str(self.program.program.path) else frame.function]
        if stop.moment is Moment.CALL:
            told.append("call")
        elif stop.moment is Moment.RETURN:
            told.append(f"return {stop.value!r}")
        if stop.exception is not None:
            told.append(type(stop.exception).__name__)
        self.saw.append(" ".join(told))

    def at(self, label: str, **options: Any) -> int:
        """Set a breakpoint on the line with a label; give its number."""
        return self.stepping.add(str(self.program.program.path), self.program.program.line(label), **options).number


def walk(live: Live, text: str, call: Sequence[Any], rows: Iterable[Row], **options: Any) -> Walk:
    """Call a function of a program, and see that each answer leads to where its row says.

    The first row is ("break", "@label"): a breakpoint there, which is temporary. After the last row the program runs on.
    """
    made = Walk(live, text, **options)
    table = list(rows)
    assert table[0][0] == "break"
    made.at(table[0][1].split()[0][1:], temporary=True)
    made.answers = [until if action == UNTIL else action for action, _ in table[1:]]
    name, *args = call
    made.program.attempt(name, *args)
    expected = [where for _, where in table]
    assert made.saw == expected, f"\n   saw {made.saw}\nwanted {expected}"
    return made


def is_instrumented(code: CodeType) -> bool:
    """Tell whether the interpreter reports events of a code object: what it runs then is other instructions."""
    adaptive: bytes = code._co_code_adaptive  # type: ignore[attr-defined]
    plain = code.co_code
    at = 0
    while at < len(plain):
        if dis.opname[adaptive[at]].startswith("INSTRUMENTED"):
            return True
        at += 2 * interpreter.UNITS[plain[at]]
    return False
