"""The commands for what outlives a stop: `save`."""

from __future__ import annotations

import os
import shlex
from typing import Final

from fixcont.errors import Refusal, Refused
from fixcont.postmortem.wanted import Wanted, with_limits
from fixcont_ui.commands import AppliesTo, Argument, Command, Console, NotDone
from fixcont_ui.saved_wording import saved_line


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
        "save",
        (),
        "save file [limit=number] ... [redact=word] ... [environment] [pickles]",
        "save this stop to a file, to be opened elsewhere",
        'Save all frames, the text that they run, their variables and what these hold to a file, which "fixcont --open\n'
        'FILE" opens, on another machine too. Nothing of the program is run for that but "repr" of objects.\n'
        "How much is saved has limits: depth, count, items, text, size, seconds, repr_seconds, frames. What has a\n"
        'secret\'s name ("password", "token", and the words given with "redact=") is left out; environment variables are\n'
        'saved with "environment" only. With "pickles" objects get a pickle, which is loaded by "--unpickle" only.',
        Argument.ANY,
        AppliesTo.STOP,
        _save,
        goes_on=False,
    ),
)
