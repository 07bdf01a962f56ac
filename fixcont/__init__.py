"""fixcont: fix the failing function, and continue.

Importing this package changes nothing. `install` makes it active in a process that was started otherwise; the command
`fixcont SCRIPT` (or `python -m fixcont SCRIPT`) runs a program under it from the start.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fixcont.stopping.stop import FrontEnd

__all__ = ["install", "set_trace", "uninstall"]


def install(
    *,
    stop: str = "unhandled",
    catch: Sequence[str] = (),
    ignore: Sequence[str] = (),
    scope: Sequence[str] = ("project",),
    patch_file: str | None = None,
    front_end: FrontEnd | None = None,
) -> None:
    """Make fixcont active in this process.

    The user's functions that are loaded already get traps, and so does what is imported from now on. Frames that run now have none: the
    stop comes in the functions that they call. If functions were edited at a stop, what was repaired is told on standard error at the end
    of the process. Calling it again changes nothing; call `uninstall` first for other arguments.

    Args:
        stop: which exceptions stop the program: "unhandled", "uncaught", "raised" or "never".
        catch: names of exception types that stop although they will be handled.
        ignore: names of exception types that never stop.
        scope: "project", "everything", or patterns of files or modules.
        patch_file: where to write what was repaired, as one unified diff, at the end of the process; else it is shown.
        front_end: gets the stops; the prompt in the terminal if none is given.

    Raises:
        fixcont.errors.Refused: an argument has no meaning.
    """
    from fixcont.session import Session, active

    if active() is not None:
        return

    if front_end is None:
        from fixcont.pdb import prompt_front_end

        prompt = prompt_front_end()
        session = Session(prompt, stop, catch, ignore, scope, patch_file=patch_file)
        prompt.session = session
    else:
        session = Session(front_end, stop, catch, ignore, scope, patch_file=patch_file)
    session.install(loaded=True)


def uninstall() -> None:
    """Make everything as it was before `install`, but for edits that were installed. Does nothing where it is not active."""
    from fixcont.session import active

    session = active()
    if session is not None:
        session.uninstall()


def set_trace(*, header: str | None = None) -> None:
    """Stop here. To be used like `pdb.set_trace`, or by `PYTHONBREAKPOINT=fixcont.set_trace` and `breakpoint()`.

    Where fixcont is not active, it is made so first, as by `install()`.

    Args:
        header: shown before the stop.
    """
    from fixcont.session import active, calling_frame

    frame = calling_frame()
    session = active()
    if session is None:
        install()
        session = active()
    assert session is not None
    if header is not None:
        session.front_end.report(header)
    session.set_trace(frame)
