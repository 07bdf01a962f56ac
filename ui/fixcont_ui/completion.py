"""What completes what is typed at a prompt: commands, names of the live frame, attributes, files. Knows no terminal."""

from __future__ import annotations

import builtins
import keyword
import os
import re
import types
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from fixcont_ui.static_attributes import UNKNOWN, attribute, attribute_names, resolve, type_name

_WORD: Final = re.compile(r"\w*\Z")
#: Names, attributes and items in front of the last dot.
_DOTTED: Final = re.compile(r"""((?:\w+|"[^"\n]*"|'[^'\n]*')(?:\.\w+|\[-?\w+\]|\["[^"\n]*"\]|\['[^'\n]*'\])*)\s*\.\s*(\w*)\Z""")
_OPEN_STRING: Final = re.compile(r"""\A(?:[^'"#\n]|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*")*(['"])([^'"\n]*)\Z""")
_LOCATED: Final = frozenset(["break", "b", "tbreak"])
_NUMBERED: Final = frozenset(["clear", "cl", "enable", "disable", "condition", "ignore", "commands"])
_FUNCTIONS: Final = (
    types.FunctionType, types.BuiltinFunctionType, types.MethodType, types.MethodDescriptorType, types.WrapperDescriptorType, types.ClassMethodDescriptorType,
    types.MethodWrapperType, staticmethod, classmethod,
)  # fmt: skip
_KINDS: Final[tuple[tuple[Any, str], ...]] = ((_FUNCTIONS, "function"), (type, "class"), (types.ModuleType, "module"))

_Found = tuple[str, str, str]  # a name, a few words on it, its kind


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


@dataclass(frozen=True)
class Proposal:
    """What a text may be completed to.

    Attributes:
        text: what comes in the place of the last `length` characters.
        about: a few words on it: what a command does, or the type of a value.
        kind: "command", "word", "number", "keyword", "file" or "folder"; of a value "function", "class", "module", "variable" or "field".
    """

    text: str
    length: int
    about: str
    kind: str


def proposals(before: str, around: Surroundings) -> Iterator[Proposal]:
    """Find what completes a text that ends where the cursor stands, without running any of the program's code."""
    first, space, rest = before.lstrip().partition(" ")
    if "\n" in before or first.startswith("!") or not (space and first in around.commands):
        is_first = not space and "\n" not in before and not first.startswith("!")
        line = before.rpartition("\n")[2].removeprefix("!")
        if is_first and "." not in first:
            yield from _matching(first, _all(around.commands.items(), "command"))
        yield from _in_python(line, around)
    elif first in ("help", "h"):
        yield from _matching(rest, _all(around.commands.items(), "command"))
    elif first in _NUMBERED:
        numbers = ((str(number), "breakpoint", "number") for number in around.breakpoints)
        yield from _matching(rest.rpartition(" ")[2], numbers)
    elif first in around.words:
        yield from _matching(rest, ((word, "", "word") for word in around.words[first]))
    else:
        if first in _LOCATED and "," not in rest:
            yield from _files(rest, is_source=True)
        yield from _in_python(rest, around)


def _in_python(text: str, around: Surroundings) -> Iterator[Proposal]:
    string = _OPEN_STRING.match(text)
    if string is not None:
        yield from _files(string[2])
        return
    dotted = _DOTTED.search(text)
    if dotted is not None:
        value = resolve(dotted[1], around.spaces)
        if value is not UNKNOWN:
            yield from _matching(
                dotted[2], _described(((name, attribute(value, name)) for name in attribute_names(value)), "field")
            )
        return
    if re.search(r"\.\s*\w*\Z", text):
        return  # attributes of something that only running it could tell
    word = _word(text)
    if not word and text.strip():
        return
    names = {name: value for space in reversed(around.spaces) for name, value in list(space.items())}
    keywords = (("keyword", name) for name in keyword.kwlist if word and name not in names)
    if not word:
        names = dict(around.local_names)
    yield from _matching(word, [*_described(names.items(), "variable"), *((name, kind, kind) for kind, name in keywords)])


def _word(text: str) -> str:
    match = _WORD.search(text)
    return match[0] if match is not None else ""


def _described(found: Iterable[tuple[str, Any]], otherwise: str) -> Iterator[_Found]:
    """Give names of values with the name of the type, and the kind."""
    for name, value in found:
        kind = next((kind for types, kind in _KINDS if issubclass(type(value), types)), otherwise)
        yield name, "" if value is UNKNOWN else type_name(value), kind


def _all(found: Iterable[tuple[str, str]], kind: str) -> Iterator[_Found]:
    return ((name, about, kind) for name, about in found)


def _matching(word: str, found: Iterable[_Found]) -> Iterator[Proposal]:
    """Give what begins with `word`; private names only to somebody who asks for them."""
    for name, about, kind in sorted(each for each in found if type(each[0]) is str):
        if name.startswith(word) and (word or not name.startswith("_")):
            if name.startswith("__") and not word.startswith("_"):
                continue
            yield Proposal(name, len(word), about, kind)


def _files(begun: str, *, is_source: bool = False) -> Iterator[Proposal]:
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
            kind = "folder" if is_folder else "file"
            yield Proposal(entry.name + ending, len(name), kind, kind)
