"""The command `create`: makes the function, method or class that is missing at a stop, and goes on into it."""

from __future__ import annotations

import importlib.util
import io
import tokenize
from typing import TYPE_CHECKING, Final

from fixcont.continuing.ways import Landing, Resume
from fixcont.editing.writing import write_back
from fixcont.errors import Refusal, Refused
from fixcont.session import active
from fixcont_ui.commands import AppliesTo, Argument, Command, NotDone, go
from fixcont_ui.console import Console
from fixcont_ui.creating.missing import Missing, find_missing
from fixcont_ui.creating.stubs import with_stub

COMPREHENSIONS: Final = ("<genexpr>", "<listcomp>", "<setcomp>", "<dictcomp>")

if TYPE_CHECKING:
    from fixcont.session import Session
    from fixcont.stopping.frames import Frame
    from fixcont.stopping.stop import Stop


def missing_at(session: Session, stop: Stop) -> Missing | Refusal:
    """Tell what `create` would make at a stop, or why it cannot."""
    try:
        missing = find_missing(stop, session.sources, session.scope.is_user)
    except Refused as refused:
        return refused.refusal
    landing = stop.landing_of(Resume(missing.retry))
    if isinstance(landing, Landing):
        return missing
    around = _frame_around(stop, missing.retry) if landing.code == "no-statement" else None
    if around is None or not isinstance(stop.landing_of(Resume(around)), Landing):
        return landing
    return Missing(missing.stub, around)


def _frame_around(stop: Stop, frame: Frame) -> Frame | None:
    """Give the frame of the function that a comprehension stands in."""
    function = frame.function
    while function.rpartition(".")[2] in COMPREHENSIONS:
        function = function.rpartition(".<locals>.")[0] or "<module>"
    outer = stop.frames[stop.frames.index(frame) + 1 :]
    return next((each for each in outer if each.function == function and each.filename == frame.filename), None)


def write_stub(session: Session, missing: Missing) -> int:
    """Write the stub into its file, whole or not at all. Returns the line of its body.

    Raises:
        Refused: the file does not say what is installed, does not compile or cannot be written; it is as it was.
    """
    filename = missing.stub.filename
    newest = session.sources.newest_text(filename)
    assert newest is not None
    source = newest.source
    encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
    # Not `decode_source`, which would translate line ends.
    text, line = with_stub(source.decode(encoding), missing.stub)
    data = text.encode(encoding)
    importlib.util.decode_source(data)
    try:
        write_back(filename, source, data)
    except Refused as refused:
        if refused.refusal.code != "file-changed":
            raise
        sentence = f"{filename} does not say what is installed"
        raise Refused(Refusal("file-changed", sentence, "install or undo what it says first")) from None
    return line


def _create(console: Console, argument: str) -> None:
    session = active()
    if session is None:
        console.complain("fixcont is not active")
        raise NotDone
    console.install(tell_unchanged=False)
    missing = missing_at(session, console.stop)
    try:
        if isinstance(missing, Refusal):
            raise Refused(missing)
        line = write_stub(session, missing)
    except Refused as refused:
        console.refuse(refused.refusal)
        raise NotDone from None
    console.say(f"created: {missing.stub.header}, at {missing.stub.filename}:{line}")
    console.install(tell_unchanged=False)
    go(console, Resume(missing.retry), f"retry {missing.retry.function}, which calls it")


CREATE_COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "create",
        (),
        "create",
        "make the function, method or class that is missing, and go on into it",
        "Where the stop is for a name that is not defined, for an attribute that a class of your own does not have, or\n"
        "for a method that a base class leaves to its subclasses: write a stub into the file, with parameters named\n"
        "from the arguments of the call; install it, and run the statement again. The program stops in the stub, where\n"
        'you write the body ("fix") and restart it ("restartframe"). A method goes behind the last one of its class, a\n'
        "function in front of the one that calls it.",
        Argument.NONE,
        AppliesTo.STOP,
        _create,
    ),
)
