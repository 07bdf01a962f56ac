"""The stack as rows: frames of the user's own, and of libraries in folds."""

from __future__ import annotations

import os
from collections.abc import Sequence, Set
from dataclasses import dataclass

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


def stack_rows(stop: Stop, selected: int, opened: Set[int]) -> list[StackRow]:
    """Give the rows of a stop, innermost frame first.

    Args:
        selected: index of the selected frame, -1 where none of the stop is.
        opened: the first frames of folds that are open. That of the selected frame is open anyway.
    """
    rows: list[StackRow] = []
    index = 0
    while index < len(stop.frames):
        end = index
        while end < len(stop.frames) and not stop.frames[end].is_user:
            end += 1
        if end == index:
            rows.append(_frame_row(stop.frames[index], index, selected))
            index += 1
            continue
        is_open = index in opened or index <= selected < end
        rows.append(_fold(stop.frames[index:end], index, is_open=is_open))
        if is_open:
            rows += [_frame_row(stop.frames[each], each, selected) for each in range(index, end)]
        index = end
    return rows


def _frame_row(frame: Frame, index: int, selected: int) -> StackRow:
    return StackRow(
        index,
        frame.function,
        f"{os.path.basename(frame.filename)}:{frame.line}",
        is_user=frame.is_user,
        is_selected=index == selected,
        is_obsolete=frame.is_obsolete,
        can_restart=frame.can_restart,
        told=tuple(_told(frame)),
    )


def _told(frame: Frame) -> list[str]:
    whose = "your own code" if frame.is_user else "code of a library"
    lines = [f"{frame.function}, at line {frame.line} of {frame.filename}: {whose}."]
    if frame.is_obsolete:
        lines.append(
            "~ It runs an older version than the one that is installed. It takes the new one up when it is restarted or retried."
        )
    if frame.restart_refusal is None:
        lines.append("It can be restarted.")
    else:
        lines.append(f"x It cannot be restarted: {frame.restart_refusal}.")
    return lines


def _fold(frames: Sequence[Frame], index: int, *, is_open: bool) -> StackRow:
    names = sorted({os.path.basename(frame.filename) for frame in frames})
    count = f"{len(frames)} library frame{'s' if len(frames) > 1 else ''}"
    told = f"{count}, of {', '.join(names)}. Enter shows or hides them."
    return StackRow(index, count, names[0] if len(names) == 1 else "", is_fold=True, is_open=is_open, is_user=False, told=(told,))
