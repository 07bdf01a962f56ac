"""The fix-and-continue commands, in one table: what they are called, what they say of themselves, when they apply, what they do.

Prompt, help and completion read the table; none of them knows a command by name.
"""

from __future__ import annotations

import enum
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import CodeType, MethodType
from typing import Final

from fixcont.continuing.ways import (
    Landing,
    Propagate,
    QuitProgram,
    RestartFrame,
    Resume,
    ReturnFromFrame,
    Skip,
    Throw,
    UseValue,
    Way,
)
from fixcont.editing.functions import functions_behind
from fixcont.editing.versions import find, versions
from fixcont.errors import Refusal
from fixcont.stopping.frames import Frame
from fixcont_ui import editor, history_wording, wording
from fixcont_ui.console import Console
from fixcont_ui.raising import NoException, exception_of


class NotDone(Exception):
    """A command cannot be carried out, and the user has been told why."""


class AppliesTo(enum.Enum):
    """Where a command can be given."""

    STOP = "at every stop"
    FRAME = "in a frame that is alive"


class Argument(enum.Enum):
    """What a command wants after its name."""

    NONE = "none"
    EXPRESSION = "an expression"
    LINE = "the number of a line"
    NUMBER = "a number, or nothing"
    ANY = "whatever the command makes of it"
    NAME = "a name, or nothing"
    FUNCTION = "an expression that leads to a function, or nothing"
    FILES = "nothing, or what to do with the files"

    def accepts(self, text: str) -> bool:
        """Tell whether `text`, "" for none, can be such an argument."""
        if self in (Argument.ANY, Argument.NAME, Argument.FUNCTION):
            return True
        if self is Argument.LINE:
            return text.isdecimal()
        if self is Argument.NUMBER:
            return not text or text.isdecimal()
        if self is Argument.FILES:
            return text in ("", "-f", "files")
        return bool(text) == (self is Argument.EXPRESSION)


@dataclass(frozen=True)
class Command:
    """One command.

    Attributes:
        usage: one line.
        summary: what it does, in a few words.
        help: what it does and what it does not undo, in lines.
        action: carries it out; it may raise `NotDone`.
        goes_on: whether it answers the stop.
    """

    name: str
    aliases: tuple[str, ...]
    usage: str
    summary: str
    help: str
    argument: Argument
    applies_to: AppliesTo
    action: Callable[[Console, str], None]
    goes_on: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name, *self.aliases)

    @property
    def full_help(self) -> str:
        return f"{self.usage}\n\n{self.help}"

    def refusal(self, console: Console) -> Refusal | None:
        """Tell why the command cannot be given now, or None where it can."""
        if self.applies_to is AppliesTo.FRAME and console.frame is None:
            return Refusal(
                "post-mortem", "this frame has already unwound", 'use "exceptions" with the last number to go back to the stop'
            )
        return None


def _fix(console: Console, argument: str) -> None:
    first, _, rest = argument.partition(" ")
    is_in_place = first == "-i"
    name = rest.strip() if is_in_place else argument
    code, line = _code_named(console, name) if name else console.place
    path = code.co_filename if name else console.file_to_edit()
    if not os.path.isfile(path):
        console.refuse(Refusal("no-file", f"{path} is no file that can be edited"))
        raise NotDone
    if console.edit_in_place((code, line), path, is_wanted=is_in_place):
        console.install(tell_unchanged=True)
        return
    line = line if code.co_name == "<module>" else editor.line_to_edit(path, code.co_qualname, code.co_firstlineno)
    try:
        console.open_editor(path, line)
    except editor.EditorFailed as error:
        instead = "what was saved is installed by the next command that goes on"
        console.refuse(Refusal("editor-failed", str(error), instead))
        raise NotDone from None
    console.install(tell_unchanged=True)


def _code_named(console: Console, name: str) -> tuple[CodeType, int]:
    """Give the code of a function that an expression leads to, through decorators and bound methods, and the line where it begins.

    Of a class it is its first function.
    """
    if name.startswith("="):  # an assignment that leaves out the "!"
        console.complain(f"Invalid argument: {name}")
        raise NotDone
    value = console.evaluate(name)
    value = value.__func__ if type(value) is MethodType else value
    made = console.call(lambda: list(vars(value).values())) if isinstance(value, type) else [value]
    codes = [function.__code__ for each in made for function in functions_behind(each)]
    last = name.rpartition(".")[2]
    code = next((each for each in codes if each.co_name == last), codes[0] if codes else None)
    if code is None:
        console.refuse(Refusal("no-function", f"{name} is no function or class of a file", "name one, or select its frame"))
        raise NotDone
    return code, code.co_firstlineno


def _rerun(console: Console, argument: str) -> None:
    console.install(tell_unchanged=False)
    waiting = {each.number: each for each in console.unrun()}
    if not argument:
        say_all(console, wording.unrun_lines(tuple(waiting.values())) or ["there is no statement that was not run"])
        return
    rerun = console.rerun(int(argument))
    if rerun is None:
        known = ", ".join(map(str, waiting)) or "none"
        console.complain(f"there is no statement {argument} to run; there are: {known}")
        raise NotDone
    console.say(f"run: {rerun.statement.text}")
    say_all(console, wording.unrun_lines(rerun.more))


def _patches(console: Console, argument: str) -> None:
    say_all(console, history_wording.patches_lines(console.history))


def _versions(console: Console, argument: str) -> None:
    history = console.history
    found = find(history, argument) if argument else [_selected(console)]
    if not found:
        console.complain(f"no function, method or class of the program's files has the name {argument}")
        raise NotDone
    if len(found) > 1:
        say_all(console, history_wording.choice_lines(argument, found))
        return
    result = versions(history, *found[0])
    if result is None:
        console.refuse(Refusal("no-text", f"the text of {found[0][1]} is not known", "name a function of the program's files"))
        raise NotDone
    say_all(console, history_wording.versions_lines(result))


def _selected(console: Console) -> tuple[str, str]:
    """Give file and qualified name of the selected function; of one without a name, those of what it stands in."""
    code, _ = console.place
    parts = code.co_qualname.split(".<locals>.")
    while len(parts) > 1 and parts[-1].startswith("<"):
        parts.pop()
    qualname = ".<locals>.".join(parts)
    return code.co_filename, "<module>" if qualname.startswith("<") else qualname


def _undo(console: Console, argument: str) -> None:
    if argument == "files":
        if not console.held_back():
            console.complain("no file says what was undone")
            raise NotDone
    else:
        result = console.undo()
        say_all(console, history_wording.undo_lines(result))
        if result.refusal is not None:
            raise NotDone
        held_back = console.held_back()
        if not held_back:
            return
        if argument != "-f" and not console.confirm(history_wording.question(held_back)):
            console.say(history_wording.held_back_line(held_back))
            return
    results = console.write_back()
    say_all(console, history_wording.written_lines(results))
    if any(refusal is not None for _, refusal in results):
        raise NotDone


def _restart_frame(console: Console, argument: str) -> None:
    frame = live_frame(console)
    console.install(tell_unchanged=False)
    go(console, RestartFrame(frame), wording.restart_line(frame.function, console.version_of(frame)), RestartFrame)


def _retry(console: Console, argument: str) -> None:
    frame = live_frame(console)
    console.install(tell_unchanged=False)
    _land(console, Resume(frame), Resume)


def _resume(console: Console, argument: str) -> None:
    frame, line = live_frame(console), int(argument)
    console.install(tell_unchanged=False)
    _land(console, Resume(frame, line), lambda other: Resume(other, line))


def _use_value(console: Console, argument: str) -> None:
    frame = live_frame(console)
    console.install(tell_unchanged=False)
    value = console.evaluate(argument)
    _land(console, UseValue(frame, value), lambda other: UseValue(other, value))


def _skip(console: Console, argument: str) -> None:
    frame = live_frame(console)
    console.install(tell_unchanged=False)
    _land(console, Skip(frame), Skip)


def _force_return(console: Console, argument: str) -> None:
    frame = live_frame(console)
    console.install(tell_unchanged=False)
    value = console.evaluate(argument)
    go(console, ReturnFromFrame(frame, value), f"return from {frame.function}", lambda other: ReturnFromFrame(other, value))


def _throw(console: Console, argument: str) -> None:
    frame = live_frame(console)
    console.install(tell_unchanged=False)
    try:
        exception = exception_of(argument, console.evaluate, console.call)
    except NoException as error:
        console.complain(str(error))
        raise NotDone from None
    told = f"throw {type(exception).__name__} in {frame.function}"
    go(console, Throw(frame, exception), told, lambda other: Throw(other, exception))


def _continue(console: Console, argument: str) -> None:
    console.install(tell_unchanged=False)
    go(console, Propagate())


def _quit(console: Console, argument: str) -> None:
    go(console, QuitProgram())


def _stale(console: Console, argument: str) -> None:
    say_all(console, wording.stale_lines(console.stale(), console.stop.frames))


def say_all(console: Console, lines: Iterable[str]) -> None:
    """Show lines."""
    for line in lines:
        console.say(line)


def live_frame(console: Console) -> Frame:
    """Give the selected frame to a command for frames."""
    frame = console.frame
    assert frame is not None, "a command for frames was carried out without one"
    return frame


def go(console: Console, way: Way, told: str = "", elsewhere: Callable[[Frame], Way] | None = None) -> None:
    """Answer the stop with `way`, saying `told`; or show why that cannot be, with a frame where `elsewhere` can."""
    refusal_of = console.stop.refusal_of
    refusal = refusal_of(way)
    if refusal is not None:
        console.refuse(refusal, None if elsewhere is None else lambda frame: refusal_of(elsewhere(frame)) is None)
        raise NotDone
    if told:
        console.say(told)
    console.answer(way)


def _land(console: Console, way: Resume | UseValue | Skip, elsewhere: Callable[[Frame], Resume | UseValue | Skip]) -> None:
    """Answer the stop with `way`, saying where the frame will go on; or show why not, with a frame where `elsewhere` can."""
    landing_of = console.stop.landing_of
    landing = landing_of(way)
    if isinstance(landing, Refusal):
        console.refuse(landing, lambda frame: isinstance(landing_of(elsewhere(frame)), Landing))
        raise NotDone
    say_all(console, wording.landing_lines(landing, skips=isinstance(way, Skip)))
    console.answer(way)


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "fix",
        (),
        "fix [-i] [name]",
        "edit the selected function, or another one, in your editor or right here, and install it",
        "Open $VISUAL or $EDITOR on the selected frame's file, at the function's first line; or on the function, method or\n"
        "class that a name or another expression leads to, as it is on no stack any more. Where neither is\n"
        'set, or with "-i", the function is edited right here, if this is a terminal that can do it.\n'
        "When the editor ends, what changed in the program's files is installed and named.\n"
        "Calls that begin from then on run the new code; the frames of this stop go on with the old one until\n"
        'they take it up where they are ("retry", "resume") or are restarted ("restartframe").',
        Argument.FUNCTION,
        AppliesTo.STOP,
        _fix,
        goes_on=False,
    ),
    Command(
        "rerun",
        (),
        "rerun [number]",
        "run a changed statement of a module, or list those that were not run",
        "An install brings functions and classes up to date. New and changed statements of a module, such as\n"
        "assignments and calls, are only named, since running them again could overwrite what the program has\n"
        'worked out. "rerun 3" runs the one with this number in its module, as it stands in the file now.',
        Argument.NUMBER,
        AppliesTo.STOP,
        _rerun,
    ),
    Command(
        "patches",
        (),
        "patches",
        "list what was installed when",
        "List the patches of this process: when each was installed, in which files, what it changed, and whether\n"
        "it was taken back.",
        Argument.NONE,
        AppliesTo.STOP,
        _patches,
    ),
    Command(
        "versions",
        (),
        "versions [name]",
        "show the versions of a function, each with what differs from the one before",
        "Show the text of a function, method or class as it was loaded, and for each later version what differs\n"
        "from the one that it took the place of. The name may be bare or qualified, in front of it that of the\n"
        "module; without a name it is the selected frame's function.",
        Argument.NAME,
        AppliesTo.STOP,
        _versions,
    ),
    Command(
        "undo",
        (),
        "undo | undo -f | undo files",
        "take the last patch back",
        "Take the patch that was installed last back: functions get the code of the text before, everything else\n"
        "that it assigned is put back. Again, it takes back the one before. The frames of this stop go on with the\n"
        "code that they have until they take it up where they are or are restarted.\n"
        'The files keep the edit, which is not installed again until they are saved anew, unless you agree: "-f"\n'
        'puts the text before back there too, "files" does only that, for what was undone before.\n'
        "Not undone: what the new code has done, what definitions and imports did when they were installed beyond\n"
        "what they bound, and statements of modules that were run since.",
        Argument.FILES,
        AppliesTo.STOP,
        _undo,
    ),
    Command(
        "retry",
        (),
        "retry",
        "go on at the failing statement of the selected frame, on the newest code",
        "Run the failing statement of the selected frame again, or the one that it is in the middle of, and go\n"
        'on from there in the newest version of its function. Variables, running loops and open "with" blocks\n'
        "are kept. The frames that it called unwind. Changed files are installed first.\n"
        "The statement runs from its start: what it has called already it calls again, and that is told.",
        Argument.NONE,
        AppliesTo.FRAME,
        _retry,
    ),
    Command(
        "resume",
        (),
        "resume line",
        "go on at another line of the selected frame, on the newest code",
        'As "retry", at a line of the newest version of the function: a number as it stands in the file now.\n'
        'Loops and "with" blocks around the line must be running ones. Those that it lies outside of end: the\n'
        '"with" blocks are closed first, as at their end.',
        Argument.LINE,
        AppliesTo.FRAME,
        _resume,
    ),
    Command(
        "usevalue",
        ("uv",),
        "usevalue expression | uv expression",
        "go on with a value in place of the expression that failed",
        'As "retry", with the expression that failed replaced by the value of the given one, this once. In a\n'
        "frame further out, that is the call that it is in the middle of.",
        Argument.EXPRESSION,
        AppliesTo.FRAME,
        _use_value,
    ),
    Command(
        "skip",
        (),
        "skip",
        "go on behind the failing statement of the selected frame, on the newest code",
        'As "retry", at what follows the failing statement, or the one that the frame is in the middle of.\n'
        "Variables that the statement would have set stay as they are.",
        Argument.NONE,
        AppliesTo.FRAME,
        _skip,
    ),
    Command(
        "restartframe",
        ("rf",),
        "restartframe | rf",
        "run the selected frame again from its first line, on the newest code",
        "Restart the selected frame: the frames that it called and the frame itself unwind, running their\n"
        '"finally" blocks and "with" exits, and its function is called again, in its newest version, with the\n'
        "original arguments. Changed files are installed first.\n"
        "Not undone: what the frames have done to objects and to the world, the arguments included.",
        Argument.NONE,
        AppliesTo.FRAME,
        _restart_frame,
    ),
    Command(
        "forcereturn",
        ("fr",),
        "forcereturn expression | fr expression",
        "let the selected frame return a value",
        "Let the selected frame return the value of the expression to its caller. The frames that it called and\n"
        'the frame itself unwind, running their "finally" blocks and "with" exits. Changed files are installed first.',
        Argument.EXPRESSION,
        AppliesTo.FRAME,
        _force_return,
    ),
    Command(
        "throw",
        (),
        "throw expression [from cause]",
        "raise an exception in the selected frame",
        "Raise an exception at the current statement of the selected frame, as the raise statement would: an\n"
        "instance or a class. The handlers of the frame and of its callers apply. The frames that it called\n"
        "unwind. Changed files are installed first.",
        Argument.EXPRESSION,
        AppliesTo.FRAME,
        _throw,
    ),
    Command(
        "stale",
        (),
        "stale",
        "list what still runs old code, or was computed by it",
        "List the frames of all threads, suspended generators and coroutines, and functions that still run an\n"
        "older version than the installed one, and the caches that hold results of one: with where each is held,\n"
        "and what can be done. Nothing of the program is run or changed for that.",
        Argument.NONE,
        AppliesTo.STOP,
        _stale,
    ),
    Command(
        "continue",
        ("cont", "c"),
        "c(ont(inue))",
        "let the exception go on",
        "Let the exception go on as if nobody had looked; at a stop without one, the program runs on.\n"
        "Changed files are installed first.",
        Argument.NONE,
        AppliesTo.STOP,
        _continue,
    ),
    Command(
        "quit",
        ("q", "exit"),
        "q(uit) | exit",
        "end the program",
        'End the program. Its "finally" blocks and "with" exits run on the way; "except Exception" cannot hold it up.',
        Argument.NONE,
        AppliesTo.STOP,
        _quit,
    ),
)
