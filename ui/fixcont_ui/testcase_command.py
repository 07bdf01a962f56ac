"""The command `testcase`."""

from __future__ import annotations

import ast
import os
import re
import shlex
from typing import Any, Final, NamedTuple

from fixcont.errors import Refused
from fixcont.testcases.writing import TIMEOUT
from fixcont_ui.commands import AppliesTo, Argument, Command, NotDone, live_frame
from fixcont_ui.console import Console
from fixcont_ui.testcase_wording import written_lines

_USAGE: Final = "testcase [--timeout s] file [name=expr, ...]"
_OPTION: Final = re.compile(r"--timeout[ =](\d+(?:\.\d+)?)\s+")
_PATH: Final = re.compile(r"""(?:"[^"]*"|'[^']*'|\\.|[^\s"'])+""")


class _Asked(NamedTuple):
    """What was typed behind the word."""

    path: str
    limit: float
    arguments: dict[str, str]  # parameter -> expression


def _parse(text: str) -> _Asked | None:
    """Return what was asked for, None where that makes no sense."""
    limit = TIMEOUT
    option = _OPTION.match(text)
    if option is not None:
        limit, text = float(option[1]), text[option.end() :]
    try:
        found = _PATH.match(text)
        path = shlex.split(found[0])[0] if found is not None else ""
        call = ast.parse(f"_({text[found.end() :] if found is not None else ''}\n)", mode="eval").body
    except (SyntaxError, ValueError):
        return None
    if (
        not path
        or path.startswith("--")
        or not isinstance(call, ast.Call)
        or call.args
        or any(each.arg is None for each in call.keywords)
    ):
        return None
    return _Asked(os.path.expanduser(path), limit, {str(each.arg): ast.unparse(each.value) for each in call.keywords})


def _testcase(console: Console, argument: str) -> None:
    asked = _parse(argument)
    if asked is None:
        console.complain(f"Invalid argument: {argument}" if argument else "Name the file for the test")
        console.say(f"          Usage: {_USAGE}")
        raise NotDone
    console.load_present()
    frame = live_frame(console)
    console.install(tell_unchanged=False)
    given: dict[str, Any] = {name: console.evaluate(expression) for name, expression in asked.arguments.items()}
    try:
        written = console.write_testcase(frame, asked.path, given, asked.limit)
    except Refused as refused:
        console.refuse(refused.refusal)
        raise NotDone from None
    for line in written_lines(written, asked.path):
        console.say(line)


TESTCASE_COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "testcase",
        (),
        _USAGE,
        "write a test of the call that failed, when it is repaired",
        "After a repair: write a pytest test that calls the selected frame's function as it was called, and asserts what\n"
        "the newest code makes of that. Changed files are installed first. A file that has tests gets one more; nothing\n"
        "is written over. Arguments that the function has bound anew, and nobody has kept, are given by name.\n"
        "It is written only if it fails on the code that failed and passes on the newest one. To see that, the program's\n"
        "modules are imported, its objects made and the function is called, in three processes besides this one, each for\n"
        "30 seconds at most, or as many as are given; Ctrl-C ends that. In this process nothing is run.\n"
        "Not undone: what the program's code does there to files and to the world. Secrets in the arguments are written.",
        Argument.ANY,
        AppliesTo.FRAME,
        _testcase,
        goes_on=False,
    ),
)
