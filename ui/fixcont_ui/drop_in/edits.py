"""What an edit does to a pdb: breakpoints go where their statements are, and frames show the text that they run."""

from __future__ import annotations

import bdb
import linecache
import os
import pdb
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

from fixcont.editing.moves import moved_line
from fixcont.editing.sources import Sources
from fixcont.editing.texts import Text
from fixcont.session import active
from fixcont_ui.drop_in.breaks import BreakpointsByMonitoring
from fixcont_ui.interrupts import Interrupts
from fixcont_ui.text_in_place import text_in_place

Result = TypeVar("Result")


def changing(sources: Sources, change: Callable[[], Result]) -> tuple[Result, list[tuple[Text, Text]]]:
    """Change the process, while Ctrl-C has to wait. Returns what came of it, and the texts before and after of each file."""
    changes: list[tuple[Text, Text]] = []
    told = sources.on_installed

    def installed(pairs: Sequence[tuple[Text, Text]]) -> None:
        changes.extend(pairs)
        if told is not None:
            told(pairs)

    sources.on_installed = installed
    try:
        with Interrupts():
            return change(), changes
    finally:
        sources.on_installed = told


def move_breakpoints(debugger: BreakpointsByMonitoring, changes: Sequence[tuple[Text, Text]]) -> Iterator[str]:
    """Move the breakpoints of a debugger to where their statements are after an edit; disable those whose statements are gone.

    Yields:
        What is to be told.
    """
    for old, new in changes:
        filename = debugger.canonic(new.filename)
        points = [each for each in bdb.Breakpoint.bpbynumber if each is not None and each.file == filename]
        for point in points:
            line = _new_line(point, old, new)
            if line is None and point.enabled:
                point.disable()
                yield f"Disabled {point}: its statement is gone from {os.path.basename(new.filename)}"
            elif line is not None and line != point.line:
                _put(point, line)
                yield f"Breakpoint {point.number} is at {point.file}:{point.line} now"
        if points and filename in debugger.breaks:
            debugger.breaks[filename] = sorted({point.line for point in points})
            debugger._breaks_changed()


def _new_line(point: bdb.Breakpoint, old: Text, new: Text) -> int | None:
    if point.funcname:
        vars(point)["func_first_executable_line"] = None  # it is looked for again
        found = pdb.find_function(point.funcname, point.file)
        return found[2] if found else None
    try:
        return moved_line(old, new, point.line)
    except SyntaxError:
        return None


def _put(point: bdb.Breakpoint, line: int) -> None:
    """Have bdb find a breakpoint at another line."""
    by_place = bdb.Breakpoint.bplist
    here = by_place[point.file, point.line]
    here.remove(point)
    if not here:
        del by_place[point.file, point.line]
    point.line = line
    by_place.setdefault((point.file, line), []).append(point)


@contextmanager
def running_text(frame: FrameType | None) -> Iterator[None]:
    """Let pdb find the text that a frame runs, where its file says something else by now."""
    session = active()
    lines = session.sources.text_of(frame.f_code) if session is not None and session.has_edits and frame is not None else None
    filename = frame.f_code.co_filename if frame is not None else ""
    if lines is None or lines == linecache.getlines(filename):
        yield
        return
    with text_in_place(filename, lines):
        yield
