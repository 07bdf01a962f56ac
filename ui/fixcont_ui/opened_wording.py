"""What front ends say of the present code of a saved stop, and of holes."""

from __future__ import annotations

import os
import reprlib
from collections.abc import Iterator, Sequence

from fixcont.postmortem.holes import Found
from fixcont.postmortem.locating import Located
from fixcont.postmortem.reopened import Revived
from fixcont.stopping.frames import Frame


def present_line(located: Located) -> str:
    """Say which file is taken for one of the saved stop."""
    if located.refusal is not None:
        return f"not here: {located.saved}"
    return f"here: {located.path}" + (f", for {located.saved}" if located.path != located.saved else "")


def loading_line(located: Located) -> str:
    """Say what is about to be loaded."""
    origin = f" (for {located.saved})" if located.path != located.saved else ""
    what = "the main module, without running the program" if located.is_main else located.module
    return f"load {_short(located.path)}{origin} as {what}"


def loaded_lines(post: Revived) -> Iterator[str]:
    """Say what is worth knowing of what was loaded."""
    if post.taken_over:
        yield f"from the saved stop, as nothing has bound them here: {', '.join(sorted(set(post.taken_over)))}"
    yield from post.notes


def differing_lines(post: Revived, frame: Frame) -> Iterator[str]:
    """Say which global variables are not what they were."""
    for name, was, now in post.differing(frame):
        yield f"{name} is {reprlib.repr(now)} here, and was {reprlib.repr(was)}"


def holes_lines(found: Sequence[Found], function: str) -> Iterator[str]:
    """List holes."""
    if not found:
        yield f"{function} has no holes"
    for each in found:
        yield f"{each.path}: {each.hole!r}"


def filled_line(path: str, left: Sequence[Found]) -> str:
    """Say what is left after one was filled."""
    if not left:
        return f"{path} is filled; there are no more holes"
    return f"{path} is filled; left: {', '.join(each.path for each in left[:8])}{' …' if len(left) > 8 else ''}"


def _short(path: str) -> str:
    try:
        short = os.path.relpath(path)
    except (OSError, ValueError):
        return path
    return path if short.startswith(os.pardir) else short
