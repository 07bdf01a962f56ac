"""fixcont: fix the failing function, and continue.

Importing this package changes nothing. `install` makes it active in a process that was started otherwise; the command
`fixcont SCRIPT` (or `python -m fixcont SCRIPT`) runs a program under it from the start.

PYTEST_DONT_REWRITE: where pytest runs under fixcont, this is imported before pytest could do so, and needs no asserts explained.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fixcont.editing.migration import HookType
    from fixcont.postmortem.saving import Saved
    from fixcont.stopping.stop import FrontEnd

__all__ = ["install", "listen", "load_ipython_extension", "migrate", "pm", "post_mortem", "save", "set_trace", "uninstall"]


def install(
    *,
    stop: str = "unhandled",
    catch: Sequence[str] = (),
    ignore: Sequence[str] = (),
    scope: Sequence[str] = ("project",),
    migrate: str = "now",
    patch_file: str | None = None,
    window: bool = False,
    excepthook: bool = False,
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
        migrate: when instances of edited classes are migrated by `__fixcont_migrate__`: "now", when the edit is installed, or "lazily".
        patch_file: where to write what was repaired, as one unified diff, at the end of the process; else it is shown.
        window: show stops in the window over the whole terminal, not at the prompt.
        excepthook: where there is a terminal, show an exception that nobody has handled, and that was not shown, as `post_mortem` does,
            before `sys.excepthook` as it was gets it.
        front_end: gets the stops; the prompt or the window in the terminal if none is given.

    Raises:
        fixcont.errors.Refused: an argument has no meaning.
    """
    from fixcont.session import Session, in_the_way

    if in_the_way() is not None:
        return

    if front_end is None:
        from fixcont.prompt import prompt_front_end

        prompt = prompt_front_end(window=window)
        session = Session(prompt, stop, catch, ignore, scope, migrate=migrate, patch_file=patch_file)
        prompt.session = session
    else:
        session = Session(front_end, stop, catch, ignore, scope, migrate=migrate, patch_file=patch_file)
    session.install(loaded=True)
    if excepthook:
        session.hook_exceptions()


def listen(
    address: str | int = 0,
    *,
    token: str | None = None,
    wait_for_client: bool = False,
    stop: str = "unhandled",
    catch: Sequence[str] = (),
    ignore: Sequence[str] = (),
    scope: Sequence[str] = ("project",),
) -> tuple[str, int]:
    """Make fixcont active in this process, for clients that connect by the Debug Adapter Protocol.

    As `install`, with a debug adapter in the place of the prompt: threads that stop are held until a client answers. Where it is called
    again, it only tells where it listens.

    Args:
        address: a port, or "HOST:PORT"; any free port of this machine's own address unless given.
        token: what clients must give in `attach`; where the address can be reached from elsewhere, and none is given, one is made, and told
            on standard error.
        wait_for_client: return only when a client has connected, set its breakpoints, and lets the program run.
        stop, catch, ignore, scope: as for `install`.

    Returns:
        The host and the port on which it listens.

    Raises:
        fixcont.errors.Refused: it cannot listen there, fixcont is active already with another front end, or an argument has no meaning.
    """
    from fixcont.dap import listen_here

    return listen_here(str(address), token=token, waits=wait_for_client, stop=stop, catch=catch, ignore=ignore, scope=scope)


def uninstall() -> None:
    """Make everything as it was before `install`, but for edits that were installed. Does nothing where it is not active."""
    from fixcont.session import active

    session = active()
    if session is not None:
        session.uninstall()


def migrate(cls: type) -> Callable[[HookType], HookType]:
    """Make the decorated function bring the instances of a class up to date when an edit changes its attributes, fields or bases.

    It does what the method `__fixcont_migrate__(self, old, new)` of the class would do, and goes before that. It is called with an instance of
    the class or of a subclass, and two `fixcont.editing.migration.ClassVersion`: what the class was when the instance was made or
    migrated last, and what it is now. Works whether fixcont is active or not; without it, nothing is ever edited.

    Args:
        cls: a class.

    Returns:
        A decorator, which returns the function as it is.
    """
    from fixcont.editing.migration import register

    return register(cls)


def post_mortem(tb: TracebackType | BaseException | None = None) -> Any:
    """Look at what has died: show a traceback as a stop, whose frames can be looked at, edited, and replayed. To be used like `pdb.post_mortem`.

    Where fixcont is not active, it is for as long as this takes: what fails in a replay stops, what fails afterwards does not. Then the user's
    "quit" at a stop of a replay ends the post-mortem, and not the process.

    Args:
        tb: a traceback, or an exception that was raised; the exception that is being handled unless given.

    Returns:
        The value of the last `replay` that gave one, else None.

    Raises:
        ValueError: there is no exception.
        TypeError: the argument is neither a traceback nor an exception.
    """
    if not isinstance(tb, (BaseException, TracebackType, type(None))):
        raise TypeError(f"a traceback or an exception is wanted, not {type(tb).__name__}")
    exception = tb if isinstance(tb, BaseException) else None
    if tb is None:
        exception = sys.exc_info()[1]
    traceback = exception.__traceback__ if exception is not None else tb
    if traceback is None or isinstance(traceback, BaseException):
        raise ValueError("there is no exception with a traceback to look at")
    if exception is None:
        exception = _exception_of(traceback)
    from fixcont.errors import Quit
    from fixcont.session import active

    session = active()
    if session is not None and not session.rests:
        return session.post_mortem(exception, traceback)
    if session is None:
        install()
        session = active()
    assert session is not None
    with session.awake():
        try:
            return session.post_mortem(exception, traceback)
        except Quit:
            return None


def pm() -> Any:
    """Look at the last exception that nobody has handled, as `post_mortem` does; in the interactive interpreter, the last one it has shown.

    Raises:
        ValueError: there was none.
    """
    exception = _last()
    if exception is None:
        raise ValueError("there was no exception that nobody has handled")
    return post_mortem(exception)


def _last() -> BaseException | None:
    found = getattr(sys, "last_exc", None) or getattr(sys, "last_value", None)
    return found if isinstance(found, BaseException) else None


def _exception_of(traceback: TracebackType) -> BaseException | None:
    """Return the exception that a traceback is of, where that is one of those that the interpreter knows."""
    for exception in (sys.exc_info()[1], _last()):
        if exception is not None and exception.__traceback__ is traceback:
            return exception
    return None


def load_ipython_extension(ipython: Any) -> None:
    """Do what `%load_ext fixcont` says: `%fix` and `%pm` work on the last cell that failed."""
    from fixcont.ipython import load

    load(ipython)


def save(
    exception: BaseException,
    file: str | os.PathLike[str],
    *,
    limits: Mapping[str, float] | None = None,
    redact: Sequence[str] = (),
    environment: bool = False,
    pickles: bool = False,
) -> Saved:
    """Save an exception with its frames, to be opened by `fixcont --open FILE`, here or on another machine.

    It works whether fixcont is active or not. Values are read without running code of the program; only `repr` and `str` of objects are
    called, in a thread with a limit of time, and what they do is not undone. A variable whose name says that it holds a secret is left out.

    Args:
        exception: with its traceback; those that it hangs together with are saved too.
        file: is replaced as a whole where it is there.
        limits: how much is saved, by the names in `fixcont.postmortem.wanted.Limits`: depth, count, items, text, size, seconds,
            repr_seconds, frames.
        redact: words besides the usual ones (password, token, …) of names whose values are left out.
        environment: save the environment variables too.
        pickles: give objects a pickle too, which runs their own code now. It is loaded only where the reader says so.

    Returns:
        What was saved: `path`, `size` in bytes, `frames`, `values`, and `holes`, why something was left out and how often.

    Raises:
        fixcont.errors.Refused: "file-not-written", or "bad-limit".
        TypeError: an argument is of another type.
    """
    from fixcont.postmortem.wanted import Wanted, with_limits
    from fixcont.saving import save_exception

    if not isinstance(exception, BaseException):
        raise TypeError(f"exception must be an exception, not {type(exception).__name__}")
    if isinstance(redact, str):
        raise TypeError("redact must be a sequence of words, not one word")
    wanted = Wanted(redact=tuple(redact), environment=environment, pickles=pickles)
    wanted = with_limits(wanted, [f"{name}={value}" for name, value in (limits or {}).items()])
    return save_exception(exception, file, wanted)


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
