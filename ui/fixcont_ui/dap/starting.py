"""Making a program one that clients can debug: from the command line, and by `fixcont.listen`."""

from __future__ import annotations

import atexit
import io
import os
import sys
from _thread import allocate_lock
from collections.abc import Callable, Sequence
from typing import Final

from fixcont.errors import Refusal, Refused
from fixcont.session import Session, in_the_way
from fixcont_ui.dap.debuggee import Debuggee
from fixcont_ui.dap.server import Server, is_loopback
from fixcont_ui.dap.token import TOKEN

_LAST_WORDS: Final = 1.0  # seconds for what is still to be sent when the program ends

#: Makes the session for a front end.
MakeSession = Callable[[Debuggee], Session]


def connect(make_session: MakeSession, address: str, name: str) -> Debuggee:
    """Connect to the adapter that has started this process, and wait until its client lets the program run.

    Args:
        name: of the program.

    Raises:
        Refused: it is not there.
    """
    host, port = read_address(address)
    token = os.environ.pop(TOKEN, "")
    debuggee = Debuggee(waits=False, was_started_for_it=True)
    debuggee.name = name
    _activate(debuggee, make_session)
    try:
        Server(debuggee).connect(host, port, token.encode())
    except OSError as error:
        raise Refused(Refusal("cannot-attach", f"the adapter is not at {address}: {error.strerror or error}")) from None
    debuggee.loop.start()
    debuggee.wait_until_configured()
    _show_lines_at_once()
    return debuggee


def _show_lines_at_once() -> None:
    """Let what the program prints be seen when it is printed, as at a terminal, though it goes to the adapter."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and not stream.isatty():
            stream.reconfigure(line_buffering=True)


def listen_for(
    make_session: MakeSession,
    address: str,
    *,
    waits: bool,
    name: str = "",
    token: str | None = None,
    tells: bool = True,
    loaded: bool = False,
) -> Debuggee:
    """Let clients connect to this process.

    Args:
        address: "PORT" or "HOST:PORT".
        name: of the program.
        waits: return only when a client has connected and lets the program run.
        token: what clients must give; None for the one in the environment, or a new one where the address needs one.
        tells: tell on standard error where it listens.
        loaded: put traps into the functions that exist already.

    Raises:
        Refused: it cannot listen there.
    """
    host, port = read_address(address)
    if token is None:
        token = os.environ.pop(TOKEN, "") or ("" if is_loopback(host) else new_token())
    debuggee = Debuggee(waits=True)
    debuggee.name = name
    _activate(debuggee, make_session, loaded=loaded)
    try:
        found = Server(debuggee, token).listen(host, port)
    except OSError as error:
        debuggee.session.uninstall()
        raise Refused(
            Refusal("cannot-listen", f"it cannot listen on {address}: {error.strerror or error}", "take another port")
        ) from None
    debuggee.address = found
    if tells:
        announce(found, token)
    debuggee.loop.start()
    if waits:
        debuggee.wait_until_configured()
    return debuggee


def listen_here(
    address: str,
    *,
    token: str | None,
    waits: bool,
    stop: str,
    catch: Sequence[str],
    ignore: Sequence[str],
    scope: Sequence[str],
) -> tuple[str, int]:
    """Do what `fixcont.listen` does."""
    session = in_the_way()
    if session is not None:
        front_end = session.front_end
        if isinstance(front_end, Debuggee) and front_end.address is not None:
            return front_end.address
        raise Refused(Refusal("already-active", "fixcont is active in this process already", "uninstall it first"))

    def make(front_end: Debuggee) -> Session:
        return Session(front_end, stop, catch, ignore, scope)

    made = listen_for(
        make, address, waits=waits, token=token, tells=token is None and not is_loopback(read_address(address)[0]), loaded=True
    )
    assert made.address is not None
    return made.address


def plug_in_words(arguments: Sequence[str]) -> list[str]:
    """Give the options with which pytest, run with these arguments, loads the plug-in; none where it does so by itself, or is not to."""
    from importlib.metadata import entry_points

    if "no:fixcont" in arguments or "-pno:fixcont" in arguments:
        return []
    is_found = bool(entry_points(group="pytest11", name="fixcont")) and not os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    return [] if is_found or "fixcont" in arguments else ["-p", "fixcont_ui.pytest_plugin"]


def new_token() -> str:
    """Make a token that nobody can guess."""
    import secrets  # where it is needed: it is slow to load

    return secrets.token_urlsafe(16)


def read_address(text: str) -> tuple[str, int]:
    """Read "PORT" or "HOST:PORT"; the host is this machine where none is given.

    Raises:
        Refused: it is neither.
    """
    host, colon, port = text.rpartition(":")
    if not port.isdecimal() or int(port) > 65535 or (colon and not host):
        raise Refused(Refusal("bad-address", f"{text!r} is no address", "give a port, or a host and a port as HOST:PORT"))
    return host.strip("[]") or "127.0.0.1", int(port)


def _activate(debuggee: Debuggee, make_session: MakeSession, *, loaded: bool = False) -> None:
    debuggee.session = make_session(debuggee)
    debuggee.session.install(loaded=loaded)
    atexit.register(_say_goodbye, debuggee)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=debuggee.forked)


def _say_goodbye(debuggee: Debuggee) -> None:
    """Tell the client that the program is over, and let what is still to be sent be sent."""
    sent = allocate_lock()
    sent.acquire()

    def end() -> None:
        if debuggee.client is not None:
            debuggee.client.goodbye(sent.release)
        else:
            sent.release()

    # What is being installed is told of first.
    debuggee.loop.call_soon(lambda: debuggee.afterwards(end))
    sent.acquire(timeout=_LAST_WORDS)
    debuggee.loop.stop()


def announce(address: tuple[str, int], token: str) -> None:
    """Tell on standard error where a program listens."""
    text = f"fixcont: listening on {address[0]}:{address[1]}" + (f", token {token}" if token else "")
    print(text, file=sys.stderr, flush=True)
