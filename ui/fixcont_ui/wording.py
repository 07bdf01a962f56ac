"""What front ends say: exceptions, refusals, installs and frames as lines of text."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Sequence

from fixcont.continuing.ways import Landing
from fixcont.editing.result import Installed, InstallResult, InstallStatus
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
        lines.append("installed: " + ", ".join(_installed(item) for item in result.installed))
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
    return [told, *(f"this calls {call} again" for call in landing.calls)]


def frame_mark(frame: Frame, *, is_obsolete: bool) -> str:
    """Say in brackets whether a frame can be restarted, else the code of the refusal, and whether it runs an old version."""
    mark = "[restartable]" if frame.restart_refusal is None else f"[{frame.restart_refusal.code}]"
    return f"{mark} [old version]" if is_obsolete else mark


def nearest_line(frames: Sequence[Frame], selected: int, can: Callable[[Frame], bool]) -> str:
    """Name the frame nearest to the selected one for which `can` is true, and how to get there; "" where there is none.

    `frames` are innermost first, as in a stop. Of two at the same distance the outer one is named.
    """
    others = sorted(
        (index for index in range(len(frames)) if index != selected), key=lambda index: (abs(index - selected), -index)
    )
    for index in others:
        frame = frames[index]
        if can(frame):
            way = f"up {index - selected}" if index > selected else f"down {selected - index}"
            return f'nearest that can: {frame.function}() at {os.path.basename(frame.filename)}:{frame.line} (use "{way}")'
    return ""


def _installed(item: Installed) -> str:
    return f"{item.qualname} (new)" if item.added else f"{item.qualname} (version {item.version})"


def _count(number: int, what: str) -> str:
    """Say how many there are, "" where there is none."""
    return f"{number} {what}{'s' if number > 1 else ''}" if number else ""


def _split(parts: list[str]) -> list[str]:
    return "".join(parts).rstrip("\n").split("\n")
