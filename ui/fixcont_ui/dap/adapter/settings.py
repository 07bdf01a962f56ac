"""What the client has set up, to be given once more to a program that takes the place of another."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from fixcont_ui.dap.stream import Head

Message = Mapping[str, Any]
_Key = tuple[str, str]  # command, and the file that it is about

#: Requests that set up a session.
CONFIGURING: Final = ("setBreakpoints", "setFunctionBreakpoints", "setExceptionBreakpoints")


class Settings:
    """The last arguments of each request that sets up a session, for each file. Breakpoints are where they have moved to since."""

    def __init__(self) -> None:
        self._arguments: dict[_Key, dict[str, Any]] = {}
        self._places: dict[int, tuple[_Key, int]] = {}  # id of a breakpoint -> the request that set it, and its place in that

    def __iter__(self) -> Iterator[tuple[str, Message]]:
        """Give the commands and their arguments."""
        return iter([(command, arguments) for (command, _), arguments in self._arguments.items()])

    def keep(self, command: str, arguments: Message) -> None:
        """Note what is set."""
        key = _key_of(command, arguments)
        self._arguments[key] = dict(arguments)
        self._places = {number: place for number, place in self._places.items() if place[0] != key}

    def answered(self, command: str, arguments: Message, answer: Message) -> None:
        """Note which breakpoints these are."""
        if command != "setBreakpoints":
            return
        key = _key_of(command, arguments)
        for at, each in enumerate(_body_of(answer).get("breakpoints") or ()):
            if type(each.get("id")) is int:
                self._places[each["id"]] = key, at

    def moved(self, breakpoint: Message) -> None:
        """Note that a breakpoint is at another line, as its file was edited."""
        key, at = self._places.get(breakpoint.get("id", 0), (("", ""), 0))
        given = self._arguments.get(key, {}).get("breakpoints") or ()
        if breakpoint.get("verified") and type(breakpoint.get("line")) is int and at < len(given):
            moved = [*given[:at], {**given[at], "line": breakpoint["line"]}, *given[at + 1 :]]
            self._arguments[key] = {**self._arguments[key], "breakpoints": moved}


def _key_of(command: str, arguments: Message) -> _Key:
    source = arguments.get("source") or {}
    return command, str(source.get("path") or source.get("sourceReference") or "")


def _body_of(answer: Message) -> dict[str, Any]:
    if not isinstance(answer, Head):
        return dict(answer.get("body") or {})
    found: dict[str, Any] = json.loads(b'{"": 0' + answer.rest).get("body") or {}
    return found
