"""Completion at the prompt: commands, names of the live frame, attributes, files."""

from __future__ import annotations

import builtins
import keyword
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from fixcont_ui.static_attributes import UNKNOWN, attribute, attribute_names, resolve, type_name

_WORD: Final = re.compile(r"\w*\Z")
#: Names, attributes and items in front of the last dot.
_DOTTED: Final = re.compile(r"""((?:\w+|"[^"\n]*"|'[^'\n]*')(?:\.\w+|\[-?\w+\]|\["[^"\n]*"\]|\['[^'\n]*'\])*)\s*\.\s*(\w*)\Z""")
_OPEN_STRING: Final = re.compile(r"""\A(?:[^'"#\n]|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*")*(['"])([^'"\n]*)\Z""")
_LOCATED: Final = frozenset(["break", "b", "tbreak"])
_NUMBERED: Final = frozenset(["clear", "cl", "enable", "disable", "condition", "ignore", "commands"])


@dataclass
class Surroundings:
    """What there is to complete from: as it was when the prompt was opened, since nothing runs meanwhile.

    Attributes:
        commands: name -> what it does, in a few words.
        words: command -> the words that it takes.
        local_names, global_names: the variables of the frame and of its module.
        breakpoints: the numbers of those that are set.
    """

    commands: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    local_names: Mapping[str, Any] = field(default_factory=dict)
    global_names: Mapping[str, Any] = field(default_factory=dict)
    breakpoints: tuple[int, ...] = ()

    @property
    def spaces(self) -> list[Mapping[str, Any]]:
        return [self.local_names, self.global_names, vars(builtins)]


class FrameCompleter(Completer):
    """Completes from a live frame, without running any of the program's code."""

    def __init__(self, surroundings: Callable[[], Surroundings]) -> None:
        self._surroundings = surroundings

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        around = self._surroundings()
        before = document.text_before_cursor
        first, space, rest = before.lstrip().partition(" ")
        if "\n" in before or first.startswith("!") or not (space and first in around.commands):
            is_first = not space and "\n" not in before and not first.startswith("!")
            line = before.rpartition("\n")[2].removeprefix("!")
            if is_first and "." not in first:
                yield from _matching(first, around.commands.items())
            yield from _in_python(line, around)
        elif first in ("help", "h"):
            yield from _matching(rest, around.commands.items())
        elif first in _NUMBERED:
            yield from _matching(rest.rpartition(" ")[2], ((str(number), "breakpoint") for number in around.breakpoints))
        elif first in around.words:
            yield from _matching(rest, ((word, "") for word in around.words[first]))
        else:
            if first in _LOCATED and "," not in rest:
                yield from _files(rest, is_source=True)
            yield from _in_python(rest, around)


def _in_python(text: str, around: Surroundings) -> Iterator[Completion]:
    string = _OPEN_STRING.match(text)
    if string is not None:
        yield from _files(string[2])
        return
    dotted = _DOTTED.search(text)
    if dotted is not None:
        value = resolve(dotted[1], around.spaces)
        if value is not UNKNOWN:
            yield from _matching(dotted[2], ((name, _kind(attribute(value, name))) for name in attribute_names(value)))
        return
    if re.search(r"\.\s*\w*\Z", text):
        return  # attributes of something that only running it could tell
    word = _word(text)
    if not word and text.strip():
        return
    names = {name: _kind(value) for space in reversed(around.spaces) for name, value in list(space.items())}
    names.update((name, "keyword") for name in keyword.kwlist if word and name not in names)
    if not word:
        names = {name: _kind(value) for name, value in around.local_names.items()}
    yield from _matching(word, names.items())


def _word(text: str) -> str:
    match = _WORD.search(text)
    return match[0] if match is not None else ""


def _kind(value: object) -> str:
    return "" if value is UNKNOWN else type_name(value)


def _matching(word: str, found: Iterable[tuple[str, str]]) -> Iterator[Completion]:
    """Give what begins with `word`; private names only to somebody who asks for them."""
    for name, about in sorted(found):
        if name.startswith(word) and type(name) is str and (word or not name.startswith("_")):
            if name.startswith("__") and not word.startswith("_"):
                continue
            yield Completion(name, start_position=-len(word), display_meta=about)


def _files(begun: str, *, is_source: bool = False) -> Iterator[Completion]:
    folder, name = os.path.split(begun)
    try:
        entries = sorted(os.scandir(os.path.expanduser(folder) or os.curdir), key=lambda entry: entry.name)
    except (OSError, ValueError):
        return
    for entry in entries:
        if not entry.name.startswith(name) or (entry.name.startswith(".") and not name):
            continue
        try:
            is_folder = entry.is_dir()
        except OSError:
            continue
        if is_folder or not is_source or entry.name.endswith(".py"):
            ending = os.sep if is_folder else ":" if is_source else ""
            yield Completion(entry.name + ending, start_position=-len(name), display_meta="folder" if is_folder else "file")
