"""The keys of the window: what is typed, and which way to go on comes of it. Pipe input, no screen."""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path

import pytest
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from fixcont.bytecode import interpreter
from fixcont.continuing.ways import Propagate, QuitProgram, RestartFrame, Resume, ReturnFromFrame, Skip, Throw, UseValue, Way
from fixcont.session import active
from fixcont.stopping.stop import Stop
from fixcont_ui.held_thread import Exchange
from fixcont_ui.prompt import Prompt
from fixcont_ui.window.actions import _NAMED, Actions
from fixcont_ui.window.application import StopWindow
from fixcont_ui.window.keys import KEYS, help_lines
from fixcont_ui.window.memory import Memory
from fixcont_ui.window.model.desk import Desk
from support.front_end import live_program, propagate
from support.screen import KEYS as TYPED

pytestmark = pytest.mark.skipif(interpreter.LOOP_KEEPS_INDEX, reason="the programs retry in loops, which 3.15 cannot keep")

PROGRAM = """\
def inner(n):
    return 10 / n


def outer(numbers):
    for n in numbers:
        inner(n)


def run():
    return outer([0])
"""


def answered(tmp_path: Path, *keys: str, text: str = PROGRAM) -> tuple[Way | None, Memory, str]:
    """Type keys in the window at a stop. Returns the way that comes of it, what the window keeps, and what the file says then."""
    ways: list[Way | None] = []
    faults: list[BaseException | None] = []
    memory = Memory()

    def answer(stop: Stop) -> Way:
        if ways:
            return propagate(stop)
        session = active()
        assert session is not None
        prompt = Prompt(session, folder="/no/such/folder")
        prompt.look_at(stop, stop.selected)
        prompt.stdout = io.StringIO()
        desk, exchange = Desk(prompt, stop, memory.unfolded), Exchange()
        with create_pipe_input() as keyboard:
            keyboard.send_text("".join(TYPED.get(key, key) for key in keys))
            window = StopWindow(desk, exchange, memory, desk.view())
            window.open(keyboard, DummyOutput())
            exchange.serve()
            window.close()
        ways.append(prompt._way)
        faults.append(window.fault)
        prompt.look_away()
        return propagate(stop)

    with live_program(tmp_path, text, endless=answer) as live:
        live.attempt("run")
        assert faults == [None]
        return ways[0], memory, live.program.text


@pytest.mark.parametrize(
    ("keys", "kind", "function"),
    [
        (["f7"], RestartFrame, "inner"),
        (["f8"], Resume, "inner"),
        (["f5"], Propagate, ""),
        (["c-q", "y"], QuitProgram, ""),
        (["c-x", "1", "down", "f8"], Resume, "outer"),
        (["c-x", "1", "end", "up", "up", "f7"], RestartFrame, "outer"),
        (["c-x", "4", "skip", "enter"], Skip, "inner"),
        (["c-x", "4", "tab", "right", "right", "right", "enter", "n + 5", "enter"], UseValue, "inner"),
        (["c-x", "4", "tab", *["right"] * 5, "enter", "'value'", "enter"], ReturnFromFrame, "inner"),
        (["c-x", "4", "tab", *["right"] * 6, "enter", "KeyError(n)", "enter"], Throw, "inner"),
        (["c-x", "4", "tab", "right", "right", "enter", "enter"], Resume, "inner"),
        (["f10", "c-q", "escape", "f7"], RestartFrame, "inner"),
        (["f1", "escape", "f7"], RestartFrame, "inner"),
    ],
)
def test_keys_lead_to_ways(keys: list[str], kind: type, function: str, tmp_path: Path) -> None:
    way, _, _ = answered(tmp_path, *keys)

    assert type(way) is kind
    assert not function or way.frame.function == function  # type: ignore[union-attr]


def test_an_accepted_edit_is_saved_and_goes_on_as_the_frame_wants_it(tmp_path: Path) -> None:
    way, memory, text = answered(tmp_path, "end", "  # mine", "c-s")

    assert type(way) is RestartFrame
    assert "return 10 / n  # mine\n" in text
    assert memory.drafts == {}


def test_in_a_loop_it_is_retried_and_the_other_key_restarts(tmp_path: Path) -> None:
    keys = ["c-x", "1", "down", "c-x", "3", "end", "  # mine"]

    assert type(answered(tmp_path, *keys, "c-s")[0]) is Resume
    assert type(answered(tmp_path, *keys, "f2")[0]) is RestartFrame


def test_what_was_edited_and_not_saved_is_kept(tmp_path: Path) -> None:
    way, memory, text = answered(tmp_path, "end", "  # mine", "f5", "k")

    assert type(way) is Propagate
    assert text == PROGRAM
    assert [draft.text for draft in memory.drafts.values()] == [PROGRAM.replace("10 / n", "10 / n  # mine")]


def test_what_was_edited_can_be_discarded(tmp_path: Path) -> None:
    way, memory, text = answered(tmp_path, "end", "  # mine", "f7", "d")

    assert type(way) is RestartFrame
    assert text == PROGRAM
    assert memory.drafts == {}


def test_tab_goes_to_the_next_pane_and_indents_on_a_blank_line(tmp_path: Path) -> None:
    _, memory, _ = answered(tmp_path, "end", "enter", "tab", "x = 1", "c-x", "p")
    assert [draft.text for draft in memory.drafts.values()] == [PROGRAM.replace("10 / n\n", "10 / n\n    x = 1\n")]

    _, memory, _ = answered(tmp_path, "end", "tab", "fr 1", "enter")
    assert memory.typed == ["fr 1"]
    assert memory.drafts == {}


def test_leaving_for_the_prompt_answers_nothing(tmp_path: Path) -> None:
    way, _, _ = answered(tmp_path, "c-x", "p")

    assert way is None


# -- the table


def test_each_key_does_something_that_there_is() -> None:
    for key in KEYS:
        kind, _, _ = key.action.partition(":")
        assert kind in ("way", "pane") or hasattr(Actions, _NAMED[key.action]), key


def test_no_key_does_two_things_at_one_place() -> None:
    bound = Counter((each, key.where) for key in KEYS for each in key.keys)

    assert [each for each, count in bound.items() if count > 1] == []


def test_the_help_tells_of_each_key() -> None:
    told = [told for _, told in help_lines()]

    assert all(key.told in told for key in KEYS if key.shown)
