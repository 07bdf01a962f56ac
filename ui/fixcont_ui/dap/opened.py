"""Opening a saved stop for clients."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from fixcont.continuing.ways import Propagate
from fixcont.errors import Quit
from fixcont.postmortem.opening import open_stop
from fixcont.postmortem.present import open_with_pickles
from fixcont.postmortem.reading import MAX_SIZE, read
from fixcont.postmortem.reopened import Reopened
from fixcont.postmortem.serving import serve_opened
from fixcont.session import Session
from fixcont_ui.dap import starting
from fixcont_ui.dap.debuggee import Debuggee
from fixcont_ui.dap.opened_program import OpenedProgram
from fixcont_ui.saved_wording import opened_lines

_NOTHING_GOES_ON: Final = "the saved stop is closed: it was read from a file, so there is nothing that goes on"


def open_file(
    path: str,
    *,
    connect: str = "",
    listen: str = "",
    unpickles: bool = False,
    max_size: int | None = None,
    roots: Sequence[str] = (),
    scope: Sequence[str] = (),
) -> int:
    """Let clients look at a saved stop, and replay its frames, in this thread, until one of them leaves it. Returns the exit status.

    Args:
        connect: where the adapter is that has started this process; "" where none has.
        listen: where to listen for clients, where it was started by nobody.
        unpickles: load the pickles that the file may have, which runs whatever it says.
        roots: folders below which the present files of the program are looked for.
        scope: as for a session.

    Raises:
        fixcont.errors.Refused: it cannot be read, or clients cannot come there.
    """
    document = read(path, MAX_SIZE if max_size is None else max_size)
    opened = open_with_pickles(document, roots) if unpickles else open_stop(document)

    def make(debuggee: Debuggee) -> Session:
        session = Session(debuggee, stop="never", scope=scope or ("project",))
        debuggee.program = OpenedProgram(session, Reopened(session, opened, roots), debuggee.show_anew)
        debuggee.quits_on_interrupt = True
        debuggee.greeting = "\n".join([*opened_lines(path, opened), ""])
        return session

    if connect:
        debuggee = starting.connect(make, connect, path)
    else:
        debuggee = starting.listen_for(make, listen, waits=False, name=path)
    _serve(debuggee)
    return 0


def _serve(debuggee: Debuggee) -> None:
    program = debuggee.program
    assert isinstance(program, OpenedProgram)
    with suppress(Quit):  # at a stop of a replay
        way = serve_opened(debuggee.session, program.reopened)
        if isinstance(way, Propagate) and debuggee.client is not None:
            debuggee.say(_NOTHING_GOES_ON)
