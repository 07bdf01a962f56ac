"""`fix` without another editor: what it needs of the stop, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import CodeType

from fixcont.errors import Refusal, Refused
from fixcont_ui.streams import Streams
from fixcont_ui.terminal import apart
from fixcont_ui.terminal.devices import devices
from fixcont_ui.terminal.fix_editor import Draft, FixEditor, Place, Terminal
from fixcont_ui.terminal.keys import wants_vi


@dataclass(frozen=True)
class Edited:
    """What came of an editing.

    Attributes:
        is_saved: whether the file was written.
        message: what is to be said, "" where there is nothing to say.
        refusal: why nothing was edited, None where it was.
    """

    is_saved: bool
    message: str = ""
    refusal: Refusal | None = None


def edit(
    streams: Streams,
    code: CodeType,
    line: int,
    line_text: str,
    drafts: MutableMapping[tuple[str, str], Draft],
    at_work: Callable[[], AbstractContextManager[None]],
) -> Edited:
    """Let the user edit the function of `code`, which stands at `line`, in the terminal.

    Args:
        line_text: how that line reads in the text that runs; the file may say something else.
        drafts: what was typed before and not saved; kept up to date.
        at_work: see `fixcont_ui.terminal.apart.run`.
    """
    place = Place(code.co_filename, code.co_qualname, code.co_firstlineno, line, line_text.rstrip("\r\n"))
    try:
        editing = FixEditor(place, drafts)
        keyboard, screen = devices(streams)
        is_saved = editing.run(Terminal(keyboard, screen, wants_vi(), at_work))
    except Refused as refused:
        return Edited(False, refusal=refused.refusal)
    except apart.CannotRun as error:
        return Edited(False, refusal=Refusal("editor-failed", str(error), "set $VISUAL or $EDITOR"))
    if not is_saved and not editing.message:
        return Edited(False, "nothing changed")
    return Edited(is_saved, editing.message)
