"""The keys of the window, in one table: what is bound, and what the help screen lists."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from prompt_toolkit.filters import Filter
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent


class Where(enum.Enum):
    """Where a key does something."""

    ANYWHERE = "anywhere"
    NOT_TYPING = "in the stack, the variables, the output and the bar"
    SOURCE = "in the source"
    STACK = "in the stack"
    VARIABLES = "in the variables"
    CONSOLE = "in the console"
    OUTPUT = "in the output"
    BAR = "in the bar"
    NOT_EDITING = "anywhere but in the source"


@dataclass(frozen=True)
class Key:
    """One entry.

    Attributes:
        keys: as prompt_toolkit names them; one after the other where they are separated by a space.
        shown: as people name them.
        action: the name of what it does.
        told: what it does, in a few words; "" where the entry above tells it.
    """

    keys: tuple[str, ...]
    shown: str
    action: str
    told: str
    where: Where = Where.ANYWHERE


KEYS: Final[tuple[Key, ...]] = (
    Key(("f1",), "F1", "help", "all keys; again, Esc or q: back"),
    Key(("?",), "?", "explain", "explain what is selected", Where.NOT_TYPING),
    Key(("tab",), "Tab", "next-pane", "the next pane; on a blank line of the source, and with text selected, indent"),
    Key(("s-tab",), "Shift-Tab", "previous-pane", "the pane before; in the places where Tab indents, dedent"),
    Key(("f6",), "F6", "next-pane-always", "the next pane, always"),
    Key(("c-x 1",), "Ctrl-X 1 to 5", "pane:0", "the stack, the variables, the source, the console, the output"),
    *(Key((f"c-x {number}",), "", f"pane:{number - 1}", "") for number in range(2, 6)),
    Key(("c-s",), "Ctrl-S", "accept", "accept: save the source, install it, and restart or retry the frame, as the bar says"),
    Key(("f2",), "F2", "accept-other", "accept, and go on the other way"),
    Key(("c-x c-s",), "Ctrl-X Ctrl-S", "install", "save and install, and stay here"),
    Key(("f4",), "F4", "way:create", "create the function, method or class that is missing, and go on into it"),
    Key(("f5",), "F5", "way:continue", "continue: the exception goes on; at a breakpoint, the program"),
    Key(("f7",), "F7", "way:restartframe", "restart the frame"),
    Key(("f8",), "F8", "way:retry", "retry the statement of the frame"),
    Key(("f9",), "F9", "breakpoint", "set or clear a breakpoint on the line of the cursor"),
    Key(("f10",), "F10", "way:next", "step over"),
    Key(("f11",), "F11", "way:step", "step into"),
    Key(("f12",), "F12", "way:return", "step out"),
    Key(("c-t",), "Ctrl-T", "old-text", "show the text that the frame runs, where the file says something else, and back"),
    Key(("c-x p",), "Ctrl-X p", "to-prompt", "leave the window for the prompt, at the same stop"),
    Key(("c-x o",), "Ctrl-X o", "show-screen", "look at what the program has printed to the terminal; any key comes back"),
    Key(("c-c",), "Ctrl-C", "interrupt", "interrupt what runs in the console, clear a line, leave a question"),
    Key(("c-x c-z",), "Ctrl-X Ctrl-Z", "suspend", "suspend the process"),
    Key(("c-z",), "Ctrl-Z", "suspend", "suspend the process; in the source: undo", Where.NOT_EDITING),
    Key(("c-q",), "Ctrl-Q", "way:quit", "end the program"),
    Key(("c-l",), "Ctrl-L", "redraw", "draw everything anew"),
    Key(("up", "c-p"), "Up, Down", "up", "select", Where.NOT_TYPING),
    Key(("down", "c-n"), "", "down", "", Where.NOT_TYPING),
    Key(("pageup",), "PgUp, PgDn", "page-up", "a page back and forth", Where.NOT_EDITING),
    Key(("pagedown",), "", "page-down", "", Where.NOT_EDITING),
    Key(("home",), "", "first", "", Where.NOT_TYPING),
    Key(("end",), "", "last", "", Where.NOT_TYPING),
    Key(("enter",), "Enter", "enter", "on a frame: its source; on library frames: fold and unfold", Where.STACK),
    Key(("enter",), "Enter", "enter", "give the variable another value", Where.VARIABLES),
    Key(("right", "left", " ", "+", "-"), "Right, Left, Space", "toggle", "unfold and fold the variable", Where.VARIABLES),
    Key(("r",), "r", "own-look", "show the variable's own repr, which runs code of the program", Where.VARIABLES),
    Key(("right", " "), "Space", "toggle", "fold and unfold library frames", Where.STACK),
    Key(("left",), "", "toggle", "", Where.STACK),
    Key(("enter",), "Enter", "enter", "run the line: a command of the prompt or a Python statement", Where.CONSOLE),
    Key(("tab",), "Tab", "complete", "behind text: complete it; again, Shift-Tab: the next, the one before", Where.CONSOLE),
    Key(("s-tab",), "", "complete-back", "", Where.CONSOLE),
    Key(("c-d",), "Ctrl-D", "to-prompt", "on an empty line: leave the window for the prompt", Where.CONSOLE),
    Key(("left",), "Left, Right", "left", "select a way to go on", Where.BAR),
    Key(("right",), "", "right", "", Where.BAR),
    Key(("enter", " "), "Enter", "enter", "go on this way", Where.BAR),
)

#: Keys of the editor and of the mouse, for the help screen.
MORE: Final[tuple[tuple[str, tuple[tuple[str, str], ...]], ...]] = (
    (
        "in the source, too",
        (
            ("Ctrl-F", "search; F3: the next place"),
            ("Ctrl-G", "go to a line"),
            ("Ctrl-Z, Ctrl-Y", "undo, redo"),
            ("Tab", "indent the selected lines; Shift-Tab: dedent"),
        ),
    ),
    (
        "with the mouse",
        (
            ("click", "on a frame, a variable, the text, a way to go on, a heading: what Enter does there"),
            ("hover", "over a way to go on: what it does, or why it cannot be done"),
            ("wheel", "scroll"),
        ),
    ),
)


def bindings(
    actions: Mapping[str, Callable[[KeyPressEvent], None]], where: Mapping[Where, Filter], extra: Mapping[str, Filter]
) -> KeyBindings:
    """Bind the table.

    Args:
        actions: name of an action -> what it does.
        where: when each place applies.
        extra: name of an action -> when it applies besides.
    """
    made = KeyBindings()
    for key in KEYS:
        applies = where[key.where]
        if key.action in extra:
            applies = applies & extra[key.action]
        for each in key.keys:
            sequence = [each] if each == " " else each.split(" ")
            made.add(*sequence, filter=applies, eager=len(sequence) == 1)(_bound(actions[key.action]))
    return made


def _bound(action: Callable[[KeyPressEvent], None]) -> Callable[[KeyPressEvent], None]:
    def run(event: KeyPressEvent) -> None:
        action(event)

    return run


def help_lines() -> list[tuple[str, str]]:
    """Give the help screen: keys and what they do; headings have no keys."""
    lines: list[tuple[str, str]] = []
    for place in Where:
        entries = [(key.shown, key.told) for key in KEYS if key.where is place and key.shown]
        if entries:
            lines += [("", ""), ("", place.value.capitalize())] if lines else [("", place.value.capitalize())]
            lines += entries
    for heading, entries_of in MORE:
        lines += [("", ""), ("", heading.capitalize()), *entries_of]
    return lines
