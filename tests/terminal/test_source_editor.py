"""The editor for source as a widget: keys in, text and cursor out, without a screen."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from prompt_toolkit.application import Application
from prompt_toolkit.enums import EditingMode
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.key_binding import merge_key_bindings
from prompt_toolkit.layout import Layout
from prompt_toolkit.output import DummyOutput

from fixcont_ui.terminal.editor_keys import search_bindings
from fixcont_ui.terminal.source_editor import Choice, Fault, Question, SourceEditor
from support.screen import KEYS

FUNCTION = """\
def unit_price(total, count):
    if count:
        return total / count
"""


class Editing:
    """An editor in an application that reads prepared keys, until it is left or the keys end.

    Attributes:
        accepted: the texts that were accepted.
        answers: what accepting answers, one after the other; then it ends.
        left: whether the editor was left by cancelling.
    """

    def __init__(
        self, *, vi: bool = False, answers: Sequence[Fault | Question | None] = (), leaving: Sequence[Choice] = ()
    ) -> None:
        self.accepted: list[str] = []
        self.answers = list(answers)
        self.left = False
        self.vi = vi
        self.editor = SourceEditor(on_accept=self._accept, on_cancel=self._cancel, leaving=leaving)
        self._exit: Callable[[], None] = lambda: None

    def type(self, *keys: str) -> None:
        """Feed keys, by their names in KEYS or as text; the application must end by one of them."""
        with create_pipe_input() as keyboard:
            application: Application[None] = Application(
                Layout(self.editor.container, self.editor.window),
                key_bindings=merge_key_bindings([search_bindings()]),
                editing_mode=EditingMode.VI if self.vi else EditingMode.EMACS,
                input=keyboard,
                output=DummyOutput(),
            )
            application.timeoutlen = application.ttimeoutlen = 0.01
            self._exit = application.exit
            keyboard.send_text("".join(KEYS.get(key, key) for key in keys))
            application.run()

    def _accept(self, text: str) -> Fault | Question | None:
        self.accepted.append(text)
        if self.answers:
            return self.answers.pop(0)
        self._exit()
        return None

    def _cancel(self) -> None:
        self.left = True
        self._exit()


def edited(text: str, *keys: str, vi: bool = False, line: int | None = None, column: int = 0) -> str:
    """Give the text that `keys` make of `text`."""
    editing = Editing(vi=vi)
    editing.editor.open(text, line=line, column=column)
    editing.type(*keys, "f5")
    return editing.accepted[-1]


@pytest.mark.parametrize("key", ["f5", "c-s"])
def test_accepting_gives_the_text_to_the_host(key: str) -> None:
    editing = Editing()
    editing.editor.open(FUNCTION, first_line=10, line=12, column=8)
    editing.type("# why ", key)

    assert editing.accepted == [FUNCTION.replace("return", "# why return")]
    assert editing.editor.line == 12


def test_enter_indents_as_the_place_wants_it() -> None:
    text = edited(
        "def f(a):", "c-e", "enter", "if a:", "enter", "return 1", "enter", "return 2", "enter", "g(", "enter", "b)", "enter", "x"
    )

    assert text == "def f(a):\n    if a:\n        return 1\n    return 2\ng(\n    b)\nx"


def test_enter_in_a_continued_statement_goes_back_to_its_margin() -> None:
    assert edited("    x = f(a,\n          b)", "enter", "y", line=2, column=12) == "    x = f(a,\n          b)\n    y"


def test_enter_aligns_below_what_follows_a_bracket() -> None:
    assert edited("    value = call(first,", "c-e", "enter", "second)") == "    value = call(first,\n                 second)"


def test_enter_leaves_no_spaces_in_empty_lines() -> None:
    assert edited("if a:\n    b", "enter", "enter", "c", line=2, column=5) == "if a:\n    b\n\n    c"


def test_a_colon_in_a_string_or_comment_begins_no_block() -> None:
    assert edited("x = 'a:' # b:", "c-e", "enter", "y") == "x = 'a:' # b:\ny"


def test_backspace_in_the_margin_takes_one_level() -> None:
    assert edited("        x", "backspace", column=8) == "    x"
    assert edited("      x", "backspace", column=6) == "    x"
    assert edited("    xy", "backspace", column=6) == "    x"


def test_tab_and_shift_tab_move_lines() -> None:
    assert edited("    x\n", "tab", column=4) == "        x\n"
    assert edited("        x\n", "s-tab", column=8) == "    x\n"
    assert edited("a b", "tab", column=2) == "a   b"


def test_tab_moves_all_selected_lines() -> None:
    assert edited("a\nb\nc\n", "s-down", "s-down", "tab") == "    a\n    b\nc\n"
    assert edited("a\nb\nc\n", "s-down", "s-down", "tab", "s-tab") == "a\nb\nc\n"


def test_a_file_with_tabs_is_indented_by_tabs() -> None:
    assert edited("if a:\n\tif b:\n\t\tc\n", "enter", "d", line=3, column=3) == "if a:\n\tif b:\n\t\tc\n\t\td\n"


def test_undo_and_redo() -> None:
    assert edited("a\n", "c-e", "bcd", "c-z") == "a\n"
    assert edited("a\n", "c-e", "bcd", "c-z", "c-y") == "abcd\n"
    assert edited("a\n", "c-e", "b cd", "c-z") == "ab\n"


def test_vi_keys_where_they_are_set() -> None:
    assert edited("a = 1\nb = 2\n", "escape", "dd", "u", "j", "rc", vi=True) == "a = 1\nc = 2\n"


def test_search_finds_and_goes_on() -> None:
    assert edited("one\ntwo\ntwo\n", "c-f", "two", "enter", "X") == "one\nXtwo\ntwo\n"
    assert edited("one\ntwo\ntwo\n", "c-f", "TWO", "c-f", "enter", "X") == "one\ntwo\nXtwo\n"
    assert edited("one\ntwo\ntwo\n", "c-f", "two", "enter", "f3", "X") == "one\ntwo\nXtwo\n"


def test_go_to_a_line_by_its_number_in_the_file() -> None:
    editing = Editing()
    editing.editor.open("a\nb\nc\n", first_line=41)
    editing.type("c-g", "42", "enter", "X", "f5")

    assert editing.accepted == ["a\nXb\nc\n"]


def test_a_fault_is_shown_at_its_place_and_the_user_goes_on() -> None:
    editing = Editing(answers=[Fault("invalid syntax", 12, 8)])
    editing.editor.open(FUNCTION, first_line=10)
    editing.type("f5", "X", "f5")

    assert editing.accepted == [FUNCTION, FUNCTION.replace("        return", "        Xreturn")]
    assert editing.editor.fault is None


def test_a_fault_beyond_the_text_goes_to_its_end() -> None:
    editing = Editing(answers=[Fault("expected an indented block", 99, 0)])
    editing.editor.open("a\nb", first_line=10)
    editing.type("f5", "X", "f5")

    assert editing.accepted[-1] == "a\nXb"


def test_leaving_without_changes_asks_nothing() -> None:
    editing = Editing()
    editing.editor.open(FUNCTION)
    editing.type("c-c")

    assert editing.left


def test_leaving_with_changes_asks() -> None:
    editing = Editing()
    editing.editor.open(FUNCTION)
    editing.type("x", "c-c", "escape", "y", "c-c", "q", "d")

    assert editing.left
    assert editing.editor.text == "xy" + FUNCTION


def test_what_is_asked_goes_to_its_action() -> None:
    chosen: list[str] = []
    question = Question("changed meanwhile", (Choice("k", "keep mine", lambda: chosen.append("k")),))
    editing = Editing(answers=[question])
    editing.editor.open(FUNCTION)
    editing.type("f5", "x", "K", "f5")

    assert chosen == ["k"]
    assert editing.accepted == [FUNCTION, FUNCTION]


def test_what_was_pasted_is_not_indented_again() -> None:
    pasted = "if a:\n    b\n    c\n"
    assert edited("", f"\x1b[200~{pasted}\x1b[201~") == pasted


def test_widening_keeps_the_past_and_the_place() -> None:
    editing = Editing()
    editing.editor.open("b\n", first_line=2)
    editing.type("x", "f5")
    editing.editor.widen("a\n", "c\n")

    assert (editing.editor.text, editing.editor.line, editing.editor.first_line) == ("a\nxb\nc\n", 2, 1)
    editing.type("c-z", "f5")
    assert editing.accepted[-1] == "a\nb\nc\n"
    assert not editing.editor.is_changed
