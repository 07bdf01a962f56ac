"""Completion and what it finds out about objects, without a screen."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from fixcont_ui.completion import Surroundings
from fixcont_ui.pasted import statements
from fixcont_ui.static_attributes import UNKNOWN, attribute, attribute_names, resolve
from fixcont_ui.terminal.completion import FrameCompleter
from fixcont_ui.terminal.history import KeptHistory
from fixcont_ui.terminal.keys import wants_vi
from fixcont_ui.terminal.line_reader import is_unfinished


class Loud(Exception):
    """Code of the program ran."""


armed: list[bool] = []  # not empty where comparing is loud


class Meta(type):
    def __dir__(cls) -> Any:
        raise Loud

    def __getattribute__(cls, name: str) -> Any:
        if name.startswith("__") and name not in ("__class__",):
            return super().__getattribute__(name)
        raise Loud


class Sly(metaclass=Meta):
    kind = "sly"

    def __init__(self) -> None:
        object.__setattr__(self, "plain", {"key": [1, "text"]})

    @property
    def worked_out(self) -> Any:
        raise Loud

    def method(self) -> Any:
        raise Loud

    def __getattribute__(self, name: str) -> Any:
        raise Loud

    def __dir__(self) -> Any:
        raise Loud

    def __eq__(self, other: object) -> bool:
        if armed:
            raise Loud
        return False

    def __hash__(self) -> int:
        return hash("key")


class Slotted:
    __slots__ = ("a", "b")

    def __init__(self) -> None:
        self.a = "text"


def offered(text: str, **around: Any) -> list[str]:
    completer = FrameCompleter(lambda: Surroundings(**around))
    return [each.text for each in completer.get_completions(Document(text), CompleteEvent())]


def test_attributes_are_found_without_running_anything() -> None:
    sly = Sly()

    assert {"plain", "worked_out", "method", "kind"} <= attribute_names(sly)
    assert attribute(sly, "worked_out") is UNKNOWN
    assert attribute(sly, "missing") is UNKNOWN
    assert resolve("sly.plain['key'][1]", [{"sly": sly}]) == "text"
    keys = {sly: 1, "key": 2}
    armed.append(True)
    try:
        assert resolve("d['key']", [{"d": keys}]) == 2
    finally:
        armed.clear()
    assert resolve("sly.method()", [{"sly": sly}]) is UNKNOWN


def test_slots_are_looked_up() -> None:
    assert attribute(Slotted(), "a") == "text"
    assert attribute(Slotted(), "b") is UNKNOWN


def test_attributes_of_modules_classes_and_literals() -> None:
    assert "path" in attribute_names(os)
    assert attribute(os, "path") is os.path
    assert "fromkeys" in attribute_names(dict)
    assert offered("'a'.isal") == ["isalnum", "isalpha"]


def test_a_command_or_a_name_begins_the_line() -> None:
    around = {"commands": {"restartframe": "run again", "return": ""}, "local_names": {"result": 1}}

    assert offered("re", **around)[:2] == ["restartframe", "return"]
    assert "result" in offered("re", **around)
    assert offered("return res", **around) == ["result"]
    assert "result" in offered("p res", commands={"p": ""}, local_names={"result": 1})
    assert offered("!restart", **around) == []


def test_names_come_from_the_frame_then_the_module_then_the_builtins() -> None:
    assert offered("p isi", commands={"p": ""}, local_names={"isidore": 1}, global_names={"isis": 2}) == [
        "isidore",
        "isinstance",
        "isis",
    ]


def test_private_names_are_for_those_who_ask() -> None:
    assert "_own" not in offered("p ", commands={"p": ""}, local_names={"_own": 1, "own": 2})
    assert offered("p _o", commands={"p": ""}, local_names={"_own": 1}) == ["_own"]


def test_help_and_breakpoint_numbers() -> None:
    commands = {"help": "", "clear": "", "where": ""}

    assert offered("help w", commands=commands) == ["where"]
    assert offered("clear ", commands=commands, breakpoints=(3, 7)) == ["3", "7"]
    assert offered("fix ", commands={"fix": ""}, words={"fix": ("-i",)}) == ["-i"]


def test_files_in_strings_and_for_breakpoints(tmp_path: Path) -> None:
    (tmp_path / "module.py").touch()
    (tmp_path / "mode.txt").touch()
    (tmp_path / "modules").mkdir()

    assert offered(f"open('{tmp_path}/mod") == ["mode.txt", "module.py", "modules/"]
    assert offered(f"b {tmp_path}/mod", commands={"b": ""}) == ["module.py:", "modules/"]


def test_calls_are_not_made_for_completion() -> None:
    assert offered("p f().x", commands={"p": ""}, local_names={"f": dict}) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = 1", False),
        ("for x in y:", True),
        ("for x in y: print(x)", False),
        ("for x in y:\n    print(x)", True),
        ("for x in y:\n    print(x)\n    ", False),
        ("f(1,", True),
        ("'''text", True),
        ("x = = 1", False),
        ("await f()", False),
        ("async with a:", True),
        ("", False),
    ],
)
def test_which_statements_need_more_lines(text: str, expected: bool) -> None:
    assert is_unfinished(text) is expected


def test_the_history_is_bounded_and_keeps_what_it_gets(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "history"
    history = KeptHistory(str(path))
    history.store_string("a\\nb\n  c")
    history.store_string(" secret")
    assert list(KeptHistory(str(path)).load_history_strings()) == ["a\\nb\n  c"]

    path.write_text("".join(f"line {number}\n" for number in range(2500)))
    loaded = list(KeptHistory(str(path)).load_history_strings())

    assert (len(loaded), loaded[0], loaded[-1]) == (1000, "line 2499", "line 1500")
    assert len(path.read_text().splitlines()) == 1000
    assert os.listdir(path.parent) == ["history"]


@pytest.mark.parametrize(
    ("inputrc", "expected"),
    [
        ("set editing-mode vi\n", True),
        ("set editing-mode emacs\n", False),
        ("$if Bash\nset editing-mode vi\n$endif\n", False),
        ("$if Bash\nset bell-style none\n$else\nset editing-mode vi\n$endif\n", True),
        ("$if python\nset editing-mode vi\n$endif\n", True),
        ("# set editing-mode vi\n", False),
    ],
)
def test_keys_are_those_of_inputrc(tmp_path: Path, inputrc: str, expected: bool) -> None:
    (tmp_path / "inputrc").write_text(inputrc)

    assert wants_vi({"INPUTRC": str(tmp_path / "inputrc")}) is expected
    assert wants_vi({"INPUTRC": str(tmp_path / "inputrc"), "FIXCONT_KEYS": "vi"}) is True
    assert wants_vi({"INPUTRC": str(tmp_path / "inputrc"), "FIXCONT_KEYS": "emacs"}) is False


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\nb\n", ["a\n", "b\n"]),
        ("if a:\n    b\n\n    c\nd; e\n", ["if a:\n    b\n\n    c\n", "d; e\n"]),
        ("@cache\ndef f():\n    pass\nawait f()\n", ["@cache\ndef f():\n    pass\n", "await f()\n"]),
        ("a = \n", ["a = \n"]),
    ],
)
def test_several_statements_are_told_apart(text: str, expected: list[str]) -> None:
    assert statements(text) == expected
