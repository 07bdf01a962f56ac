"""The stack as rows: frames of the user's own, and of libraries in folds."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass

from fixcont.continuing.ways import RestartFrame
from fixcont.errors import Refusal
from fixcont.stopping.frames import Frame
from fixcont.stopping.stop import Stop


@dataclass(frozen=True)
class StackRow:
    """One row.

    Attributes:
        index: of the frame in the stop; of a fold, that of its first frame.
        function: its qualified name; of a fold, how many frames are in it.
        place: name of the file and line.
        is_fold: whether the row stands for frames of libraries, which are listed below it if `is_open`.
        is_user: whether the frame runs the user's own code.
        is_selected: whether the frame is the selected one.
        is_obsolete: whether it runs an older version of its function than the one that is installed.
        can_restart: whether it can be restarted.
        told: what there is to say of it, in lines.
    """

    index: int
    function: str
    place: str
    is_fold: bool = False
    is_open: bool = False
    is_user: bool = True
    is_selected: bool = False
    is_obsolete: bool = False
    can_restart: bool = True
    told: tuple[str, ...] = ()

    @property
    def marks(self) -> str:
        """Signs for what colours alone must not tell: `~` runs old code, `x` cannot be restarted."""
        return f"{'~' if self.is_obsolete else ''}{'' if self.can_restart or self.is_fold else 'x'}"


def stack_rows(stop: Stop, selected: int, opened: Set[int], is_obsolete: Callable[[Frame], bool]) -> list[StackRow]:
    """Give the rows of a stop, innermost frame first.

    Args:
        selected: index of the selected frame, -1 where none of the stop is.
        opened: the first frames of folds that are open. That of the selected frame is open anyway.
        is_obsolete: tells whether a frame runs old code by now; edits may have been installed since the stop began.
    """
    rows: list[StackRow] = []
    index = 0
    while index < len(stop.frames):
        end = index
        while end < len(stop.frames) and not stop.frames[end].is_user:
            end += 1
        if end == index:
            rows.append(_frame_row(stop, index, selected, is_obsolete))
            index += 1
            continue
        is_open = index in opened or index <= selected < end
        rows.append(_fold(stop.frames[index:end], index, is_open=is_open))
        if is_open:
            rows += [_frame_row(stop, each, selected, is_obsolete) for each in range(index, end)]
        index = end
    return rows


def _frame_row(stop: Stop, index: int, selected: int, is_obsolete: Callable[[Frame], bool]) -> StackRow:
    frame = stop.frames[index]
    is_old, refusal = is_obsolete(frame), stop.refusal_of(RestartFrame(frame))
    return StackRow(
        index,
        frame.function,
        f"{os.path.basename(frame.filename)}:{frame.line}",
        is_user=frame.is_user,
        is_selected=index == selected,
        is_obsolete=is_old,
        can_restart=refusal is None,
        told=tuple(_told(frame, refusal, is_old=is_old)),
    )


def _told(frame: Frame, refusal: Refusal | None, *, is_old: bool) -> list[str]:
    whose = "your own code" if frame.is_user else "code of a library"
    lines = [f"{frame.function}, at line {frame.line} of {frame.filename}: {whose}."]
    if is_old:
        lines.append(
            "~ It runs an older version than the one that is installed. It takes the new one up when it is restarted or retried."
        )
    if refusal is None:
        lines.append("It can be restarted.")
    else:
        lines.append(f"x It cannot be restarted: {refusal}.")
    return lines


def _fold(frames: Sequence[Frame], index: int, *, is_open: bool) -> StackRow:
    names = sorted({os.path.basename(frame.filename) for frame in frames})
    count = f"{len(frames)} library frame{'s' if len(frames) > 1 else ''}"
    told = f"{count}, of {', '.join(names)}. Enter shows or hides them."
    return StackRow(index, count, names[0] if len(names) == 1 else "", is_fold=True, is_open=is_open, is_user=False, told=(told,))
