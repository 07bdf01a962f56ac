"""What front ends say: exceptions, refusals, installs and frames as lines of text."""

from __future__ import annotations

import os
import textwrap
import traceback
from collections.abc import Callable, Sequence

from fixcont.continuing.ways import Landing
from fixcont.editing.holders import Holder, HolderKind
from fixcont.editing.result import Installed, InstallResult, InstallStatus
from fixcont.editing.stale import Remedy, Stale, StaleCount, StaleKind
from fixcont.editing.unrun import Unrun
from fixcont.errors import Refusal
from fixcont.stopping.frames import Frame

#: So many of the exceptions in a group are named at a stop; `p` shows them all.
_SHOWN_IN_GROUP = 10


def exception_lines(error: BaseException) -> list[str]:
    """Describe an exception as the end of a traceback does: type and message, notes, a syntax error's place, a group's members."""
    lines = _split(traceback.format_exception_only(error))
    if isinstance(error, BaseExceptionGroup):
        members = error.exceptions
        for number, member in enumerate(members[:_SHOWN_IN_GROUP], 1):
            lines.append(f"  {number}: {_split(traceback.format_exception_only(member))[0]}")
        if len(members) > _SHOWN_IN_GROUP:
            lines.append(f"  and {len(members) - _SHOWN_IN_GROUP} more")
    return lines


def refusal_line(refusal: Refusal) -> str:
    return f"refused: {refusal}"


def install_lines(result: InstallResult) -> list[str]:
    """Say what came of an install; nothing where nothing changed and there is nothing to warn of."""
    lines: list[str] = []
    if result.installed:
        installed = ", ".join(_installed(item) for item in result.installed)
        lines.append("; ".join(filter(None, [f"installed: {installed}", stale_count(result.stale)])))
    lines.extend(f"run: {os.path.basename(each.filename)}:{each.line}  {each.text}" for each in result.ran)
    if result.migrated:
        lines.append(f"migrated: {_count(result.migrated, 'instance')}")
    if result.error is not None:
        lines.extend(exception_lines(result.error))
    if result.refusal is not None:
        lines.append(refusal_line(result.refusal))
    elif result.error is None and not is_current(result):
        lines.append(f"refused: {result.status.value}: what changed could not be installed")
    lines.extend(f"warning: {warning}" for warning in result.warnings)
    return lines + unrun_lines(result.unrun)


def unrun_lines(statements: Sequence[Unrun]) -> list[str]:
    """Name statements of modules that were not run, and how to run them; nothing where there are none."""
    if not statements:
        return []
    places = [f"{os.path.basename(each.filename)}:{each.line}" for each in statements]
    width = max(map(len, places))
    lines = [f"  {each.number}  {place:{width}}  {each.text}" for each, place in zip(statements, places, strict=True)]
    return ['not run ("rerun" and the number runs one):', *lines]


def is_current(result: InstallResult) -> bool:
    """Whether the process runs what is in the files, as far as it can be told: then one may go on."""
    return result.status in (InstallStatus.UNCHANGED, InstallStatus.INSTALLED)


def stale_count(count: StaleCount | None) -> str:
    """Say how much still runs old code, "" where nothing does."""
    if not count:
        return ""
    running = [
        _count(count.frames, "frame"),
        _count(count.generators, "generator"),
        _count(count.coroutines, "coroutine"),
        _count(count.tasks, "task"),
        _count(count.functions, "function"),
    ]
    number = count.frames + count.generators + count.coroutines + count.tasks + count.functions
    run = f"{_listed(running)} still {'runs' if number == 1 else 'run'} old code"
    hold = f"{_count(count.caches, 'cache')} still {'holds' if count.caches == 1 else 'hold'} old results"
    parts = [run if number else "", hold if count.caches else ""]
    return ", ".join(filter(None, parts))


def stale_lines(finds: Sequence[Stale], frames: Sequence[Frame]) -> list[str]:
    """List what still runs old code, two lines for each: what and where it is; where it is held and what can be done.

    Args:
        frames: of the stop, as they were when it was asked.
    """
    if not finds:
        return ["nothing runs old code"]
    rows = [
        (str(number), f"{each.kind.value} {each.qualname}", _versions(each), f"{os.path.basename(each.filename)}:{each.line}")
        for number, each in enumerate(finds, 1)
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row, each in zip(rows, finds, strict=True):
        lines.append("  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())
        lines.append(" " * (widths[0] + 2) + "; ".join(filter(None, [_held(each), _remedy(each, frames)])))
    return lines


def _versions(find: Stale) -> str:
    now = f"newest is {find.newest}" if find.newest is not None else "no longer in the file"
    return f"version {find.version}, {now}"


def _held(find: Stale) -> str:
    if find.kind is StaleKind.FRAME:
        return f"on the stack of thread {find.thread}" if find.thread else "on the stack of a thread"
    if find.kind is StaleKind.CACHED_PROPERTY:
        return f"{_count(find.number, 'object')} of {find.holders[0].owner} {'keeps' if find.number == 1 else 'keep'} its value"
    told = [f"task {find.task}"] if find.task else []
    told += [_holder(each) for each in find.holders if not (find.task and each.kind is HolderKind.TASK)]
    where = " and ".join(told) or "nobody that can be named"
    if find.kind is StaleKind.CACHE:
        return f"{_count(find.number, 'result')} in the cache, held by {where}"
    return f"held by {where}"


def _holder(holder: Holder) -> str:
    place = f"{holder.owner}() at line {holder.line}" if holder.line else f"{holder.owner}()"
    if holder.kind in (HolderKind.VARIABLE, HolderKind.SUSPENDED):
        return f"variable {holder.path} of {place}" if holder.path else f"{place}, which waits for it"
    if holder.kind is HolderKind.CLOSURE:
        return f"{holder.path}, captured by {place}"
    if holder.kind is HolderKind.OBJECT:
        return f"{holder.path} of an object of {holder.owner}"
    what: str = holder.kind.value
    return f"{what} {holder.path}" if holder.kind in (HolderKind.TASK, HolderKind.THREAD) else holder.path


def _remedy(find: Stale, frames: Sequence[Frame]) -> str:
    """Say what can be done."""
    if find.remedy is Remedy.GO_ON and find.place is not None:
        refusal = frames[find.place].restart_refusal
        return '"retry" or "restartframe" in it' if refusal is None else f"it ends by itself when it returns [{refusal.code}]"
    if find.remedy is Remedy.CLEAR:
        return f"{find.qualname}.cache_clear()"
    if find.remedy is Remedy.DELETE:
        return f"del object.{find.qualname.rpartition('.')[2]}"
    remedy: str = find.remedy.value
    return remedy


def restart_line(function: str, version: int) -> str:
    """Say that a function is called again."""
    return f"restart {function} (version {version}); what it has done so far is not undone"


def landing_lines(landing: Landing, *, skips: bool) -> list[str]:
    """Say where a frame will go on, what is kept and what is closed, and what will be called again.

    Args:
        skips: it goes on at what follows the statement of `landing.line`; what that is depends on the way the program takes from there.
    """
    told = f"resume {landing.function} {'after' if skips else 'at'} line {landing.line}"
    if landing.line != landing.was:
        told += f" (was {landing.was})"
    kept = [_count(landing.loops, "loop"), _count(landing.withs, "with block")]
    if any(kept):
        told += ", inside " + " and ".join(filter(None, kept))
    if landing.closes:
        lines = " and of ".join(f"line {line}" for line in landing.closes)
        told += f", closing the with of {lines}"
    return [told, *(f"this calls {call} again" for call in dict.fromkeys(landing.calls))]


def two_columns(left: str, right: str, width: int, columns: int | None) -> list[str]:
    """Lay two texts side by side, the right one wrapped where a line has only so many columns.

    Args:
        width: of the left column.
        columns: of the whole line; None where it may be as long as it is.
    """
    room = None if columns is None else columns - width - 2
    parts = [right] if room is None or room < 20 else textwrap.wrap(right, room)
    margin = " " * (width + 2)
    return [f"{left:{width}}  {parts[0]}", *(margin + part for part in parts[1:])]


def frame_mark(frame: Frame, *, is_obsolete: bool) -> str:
    """Say in brackets whether a frame can be restarted, else the code of the refusal, and whether it runs an old version."""
    mark = "[restartable]" if frame.restart_refusal is None else f"[{frame.restart_refusal.code}]"
    return f"{mark} [old version]" if is_obsolete else mark


def fault_line(error: Exception) -> str:
    """Tell of a fault of fixcont's own, and where it is."""
    where = traceback.extract_tb(error.__traceback__)[-1]
    return f"a fault of fixcont itself: {type(error).__name__}: {error} (at {os.path.basename(where.filename)}:{where.lineno})"


def frame_place(frame: Frame) -> str:
    return f"{frame.function}() at {os.path.basename(frame.filename)}:{frame.line}"


def nearest_frame(frames: Sequence[Frame], selected: int, can: Callable[[Frame], bool]) -> int | None:
    """Give the index of the frame nearest to the selected one for which `can` is true; of two at the same distance that of the outer one."""
    others = (index for index in range(len(frames)) if index != selected)
    nearest_first = sorted(others, key=lambda index: (abs(index - selected), -index))
    return next((index for index in nearest_first if can(frames[index])), None)


def nearest_line(frames: Sequence[Frame], selected: int, can: Callable[[Frame], bool]) -> str:
    """Name the frame nearest to the selected one for which `can` is true, and how to get there; "" where there is none.

    `frames` are innermost first, as in a stop.
    """
    index = nearest_frame(frames, selected, can)
    if index is None:
        return ""
    way = f"up {index - selected}" if index > selected else f"down {selected - index}"
    return f'nearest that can: {frame_place(frames[index])} (use "{way}")'


def _installed(item: Installed) -> str:
    return f"{item.qualname} (new)" if item.added else f"{item.qualname} (version {item.version})"


def _listed(parts: Sequence[str]) -> str:
    """Join what is not empty, the last with "and"."""
    said = [part for part in parts if part]
    return " and ".join(filter(None, [", ".join(said[:-1]), said[-1]])) if said else ""


def _count(number: int, what: str) -> str:
    """Say how many there are, "" where there is none."""
    return f"{number} {what}{'s' if number > 1 else ''}" if number else ""


def _split(parts: list[str]) -> list[str]:
    return "".join(parts).rstrip("\n").split("\n")
