"""The commands for what has died, and for what outlives a stop: `replay` and `save`."""

from __future__ import annotations

import ast
import os
import re
import shlex
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from fixcont.continuing.ways import Landing, Replay
from fixcont.errors import Refusal, Refused
from fixcont.postmortem.wanted import Wanted, with_limits
from fixcont.stopping.frames import Frame
from fixcont_ui import opened_wording, wording
from fixcont_ui.commands import AppliesTo, Argument, Command, NotDone, go, live_frame, say_all
from fixcont_ui.console import Console
from fixcont_ui.saved_wording import saved_line

if TYPE_CHECKING:
    from fixcont.postmortem.reopened import Revived

_OPTION: Final = re.compile(r"--(retry|outward|with-holes|resume(?:\s+(\d+))?)(?:\s+|$)")
_WORDS: Final = ("retry", "outward", "resume")
_USAGE: Final = "replay [option...] [name=expr, ...]"


class _Asked(NamedTuple):
    """What was typed behind the word."""

    in_the_middle: bool
    line: int | None
    outward: bool
    with_holes: bool
    arguments: dict[str, str]  # parameter -> expression


def _parse(text: str) -> _Asked | None:
    """Return what was asked for, None where that makes no sense."""
    in_the_middle = outward = with_holes = False
    line: int | None = None
    while option := _OPTION.match(text):
        word = option[1].split()[0]
        if word == "outward":
            outward = True
        elif word == "with-holes":
            with_holes = True
        elif in_the_middle or (word == "resume" and option[2] is None):
            return None
        else:
            in_the_middle = True
            line = int(option[2]) if option[2] else None
        text = text[option.end() :]
    source = f"_({text}\n)"
    try:
        call = ast.parse(source, mode="eval").body
    except (SyntaxError, ValueError):
        return None
    if not isinstance(call, ast.Call) or call.args or any(each.arg is None for each in call.keywords):
        return None
    if any(_is_option(node, source.encode()) for node in ast.walk(call)):
        return None
    arguments = {str(each.arg): ast.unparse(each.value) for each in call.keywords}
    return None if arguments and in_the_middle else _Asked(in_the_middle, line, outward, with_holes, arguments)


def _is_option(node: ast.AST, source: bytes) -> bool:
    """Tell whether a node is the end of `x=1 --retry`, an option in the wrong place, which reads as if a number were taken from another."""
    return (
        isinstance(node, ast.UnaryOp)
        and isinstance(node.operand, ast.Name)
        and node.operand.id in _WORDS
        and source[node.col_offset - 1 : node.col_offset + 1] == b"--"
    )


def _replay(console: Console, argument: str) -> None:
    asked = _parse(argument)
    if asked is None:
        console.complain(f"Invalid argument: {argument}")
        console.say(f"          Usage: {_USAGE}; the options come first: --retry, --resume LINE, --outward, --with-holes")
        raise NotDone
    reopened = console.load_present()
    frame = live_frame(console)
    console.install(tell_unchanged=False)
    if reopened is not None:
        say_all(console, opened_wording.differing_lines(reopened, frame))
    given: dict[str, Any] = {name: console.evaluate(expression) for name, expression in asked.arguments.items()}

    def way(other: Frame) -> Replay:
        return Replay(other, asked.in_the_middle, asked.line, given, asked.outward, asked.with_holes)

    if not asked.in_the_middle:
        go(console, way(frame), f"replay {frame.function} (version {console.version_of(frame)})", way)
        return
    landing = console.stop.landing_of(way(frame))
    if isinstance(landing, Landing):
        for line in wording.landing_lines(landing, skips=False):
            console.say(line)
    go(console, way(frame), "", way)


def _holes(console: Console, argument: str) -> None:
    post = _opened(console, "holes")
    say_all(console, opened_wording.holes_lines(post.holes(live_frame(console)), live_frame(console).function))


def _fill(console: Console, argument: str) -> None:
    path, expression = _read_filling(argument)
    if not path:
        console.complain(f"Invalid argument: {argument}" if argument else "Argument is required for this command")
        console.say("          Usage: fill path = expression")
        raise NotDone
    post = _opened(console, "fill")
    value = console.evaluate(expression)
    try:
        post.fill(live_frame(console), path, value)
    except Refused as refused:
        console.refuse(refused.refusal)
        raise NotDone from None
    console.say(opened_wording.filled_line(path, post.holes(live_frame(console))))


def _opened(console: Console, name: str) -> Revived:
    """Give the stop that was opened from a file, on the present code."""
    reopened = console.load_present()
    if reopened is None:
        sentence = f'"{name}" is for a stop that was opened from a file'
        console.refuse(Refusal("not-opened", sentence, "assign to the variables of this one"))
        raise NotDone
    return reopened


def _read_filling(text: str) -> tuple[str, str]:
    """Take "PATH = EXPRESSION" apart; ("", "") where it is none."""
    try:
        found = ast.parse(text).body
    except (SyntaxError, ValueError):
        return "", ""
    if len(found) != 1 or not isinstance(found[0], ast.Assign) or len(found[0].targets) != 1:
        return "", ""
    return ast.unparse(found[0].targets[0]), ast.unparse(found[0].value)


def _save(console: Console, argument: str) -> None:
    try:
        path, wanted = _read(argument)
        if not console.stop.frames:
            sentence = "what is looked at here is a traceback, not a stop"
            raise Refused(Refusal("post-mortem", sentence, "call fixcont.save(exception, FILE)"))
        saved = console.save_stop(path, wanted)
    except ValueError as error:
        console.complain(str(error))
        raise NotDone from None
    except Refused as refused:
        console.refuse(refused.refusal)
        raise NotDone from None
    console.say(saved_line(saved))


def _read(argument: str) -> tuple[str, Wanted]:
    """Read the words of the command: the file, and what is wanted."""
    words = shlex.split(argument)
    if not words:
        raise ValueError("name the file to save to")
    path, *rest = words
    limits, redact = [], []
    environment = pickles = False
    for word in rest:
        name, equals, value = word.partition("=")
        if name == "redact" and value:
            redact.append(value)
        elif equals:
            limits.append(word)
        elif word == "environment":
            environment = True
        elif word == "pickles":
            pickles = True
        else:
            raise ValueError(f"{word!r} means nothing here")
    wanted = Wanted(redact=tuple(redact), environment=environment, pickles=pickles)
    return os.path.expanduser(path), with_limits(wanted, limits)


POSTMORTEM_COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "replay",
        (),
        _USAGE,
        "run the function of a dead frame again",
        "At a post-mortem stop: call the selected frame's function again, on the newest code, with its original\n"
        "arguments; what the function has bound anew and nobody has kept is to be given by name. Changed files are\n"
        "installed first. What fails meanwhile is a stop as any other; else the value is shown, and is $_ from then on.\n"
        '"--retry" makes the frame anew from its variables and goes on at the failing statement, "--resume" at a line\n'
        'of the file as it is now. Loops are entered again where their place is certain; "with" blocks are not.\n'
        '"--outward" goes on in the callers too, with the value in the place of their calls, as far out as it can.\n'
        "Not undone: what the frames have done; exits and finally blocks that ran as they unwound.\n"
        "At a stop that was opened from a file the present code of the program is loaded first, which is told; the main\n"
        "module without what runs the program. Values that were not saved, or cannot be made here, are holes: the replay\n"
        'names those that it would get and is not done, until they are filled ("fill"), or "--with-holes" is said.',
        Argument.ANY,
        AppliesTo.FRAME,
        _replay,
    ),
    Command(
        "holes",
        (),
        "holes",
        "list what was not saved, or cannot be made here, in what the selected frame holds",
        "At a stop that was opened from a file: list the values that the selected frame would get in a replay and that are\n"
        'not there, each with the expression that leads to it and why. The present code is loaded first, as for "replay".',
        Argument.NONE,
        AppliesTo.FRAME,
        _holes,
        goes_on=False,
    ),
    Command(
        "fill",
        (),
        "fill path = expression",
        "give a value for what was not saved",
        "At a stop that was opened from a file: evaluate the expression in the selected frame, on the present code, and put\n"
        'its value into the place of a hole, by the name that "holes" lists: "fill self.conn = connect()". It is put\n'
        "wherever the frames of the stop have this hole, in tuples and keys too. Missing items have a name as rows[1000:].\n"
        "A variable or an attribute can be assigned as well.",
        Argument.ANY,
        AppliesTo.FRAME,
        _fill,
        goes_on=False,
    ),
    Command(
        "save",
        (),
        "save file [option ...]",
        "save this stop to a file, to be opened elsewhere",
        'Save all frames, the text that they run, their variables and what these hold to a file, which "fixcont --open\n'
        'FILE" opens, on another machine too. Nothing of the program is run for that but "repr" of objects.\n'
        'How much is saved has limits, which options set, as "depth=5": depth, count, items, text, size, seconds,\n'
        'repr_seconds, frames. What has a secret\'s name ("password", "token", and the words given with "redact=") is left\n'
        'out; environment variables are saved with "environment" only. With "pickles" objects get a pickle, which is\n'
        'loaded by "--unpickle" only.',
        Argument.ANY,
        AppliesTo.STOP,
        _save,
        goes_on=False,
    ),
)
