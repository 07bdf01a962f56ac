"""How a program is started: the command, its surroundings, and where it runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fixcont_ui.dap.failures import Failure, failure
from fixcont_ui.dap.token import TOKEN

_START: Final = Path(__file__).with_name("start.py")


@dataclass(frozen=True)
class Launch:
    """What is to be started.

    Attributes:
        command: the words of the command.
        folder: to start in; None for the adapter's own.
        environment: variable -> value, None for those to be taken away; in addition to the adapter's own.
        console: "internalConsole", "integratedTerminal" or "externalTerminal".
        title: of a terminal's window.
    """

    command: tuple[str, ...]
    folder: str | None
    environment: Mapping[str, str | None]
    console: str
    title: str

    def whole_environment(self) -> dict[str, str]:
        """Give the environment of a process that the adapter starts itself."""
        whole = dict(os.environ)
        for name, value in self.environment.items():
            if value is None:
                whole.pop(name, None)
            else:
                whole[name] = value
        return whole


def read_launch(arguments: Mapping[str, Any], address: tuple[str, int], token: str) -> Launch:
    """Work out what the arguments of `launch` ask for.

    Args:
        address: where the program connects to.
        token: proves that it is the program.

    Raises:
        Failure: they make no sense.
    """
    target = _target(arguments)
    python = arguments.get("python") or sys.executable
    words = [python] if isinstance(python, str) else [str(each) for each in python]
    folder = arguments.get("cwd")
    if folder is not None and not os.path.isdir(folder):
        raise failure("cannot-launch", f"there is no folder {folder}", "correct cwd", is_shown=True)
    options = ["--connect", f"{address[0]}:{address[1]}", *_options(arguments)]
    arguments_of_it = arguments.get("args") or []
    if isinstance(arguments_of_it, str):
        raise failure("bad-arguments", "launch: args must be a list of strings", is_shown=True)
    if arguments.get("openStop"):
        arguments_of_it = []
    command = (*words, str(_START), *options, *target, *map(str, arguments_of_it))
    environment = {**(arguments.get("env") or {}), TOKEN: token}
    return Launch(command, folder, environment, arguments.get("console") or "internalConsole", f"fixcont: {target[-1]}")


def _target(arguments: Mapping[str, Any]) -> list[str]:
    named = {name: arguments.get(name) or "" for name in ("program", "module", "openStop")}
    if not all(isinstance(each, str) for each in named.values()) or len(list(filter(None, named.values()))) != 1:
        sentence = "launch: one of program, module and openStop is wanted"
        raise failure("no-program", sentence, "name a script, a module, or the file of a saved stop", is_shown=True)
    if named["module"]:
        return ["-m", named["module"]]
    folder = arguments.get("cwd") or os.curdir
    if named["openStop"]:
        return _saved_stop(os.path.join(folder, named["openStop"]))
    program = named["program"]
    if not os.path.exists(os.path.join(folder, program)):
        raise failure("cannot-launch", f"there is no file {program}", "correct program", is_shown=True)
    return ["--", program]


def _saved_stop(path: str) -> list[str]:
    """See, before anything is started, that a saved stop can be read: then the answer says why not."""
    from fixcont.postmortem.reading import Unreadable, read

    try:
        read(path)
    except Unreadable as unreadable:
        raise Failure(unreadable.refusal) from None
    return ["--open", os.path.abspath(path)]


def _options(arguments: Mapping[str, Any]) -> list[str]:
    """Give the options of the command line that arguments of `launch` stand for."""
    options: list[str] = []
    if arguments.get("openStop"):
        options += [f"--root={each}" for each in _listed(arguments.get("roots"))]
        options += [f"--scope={each}" for each in _listed(arguments.get("scope"))]
        return [*options, "--unpickle"] if arguments.get("unpickle") is True else options
    if arguments.get("noDebug"):
        return ["--stop", "never"]
    if arguments.get("stopOnEntry"):
        options.append("--stop-at-entry")
    for name in ("stop", "migrate"):
        if arguments.get(name):
            options += [f"--{name}", str(arguments[name])]
    for name in ("catch", "ignore", "scope"):
        options += [f"--{name}={each}" for each in _listed(arguments.get(name))]
    if arguments.get("justMyCode") is False and not arguments.get("scope"):
        options.append("--scope=everything")
    return options


def _listed(value: str | Sequence[str] | None) -> list[str]:
    return [value] if isinstance(value, str) and value else list(value or [])
