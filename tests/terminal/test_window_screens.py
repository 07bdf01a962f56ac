"""The window on a real terminal: what is shown in the situations that a user gets into, to the last attribute, at two sizes."""

from __future__ import annotations

from typing import Any

import pytest

from fixcont.bytecode import interpreter
from support.once import one_python_is_enough
from support.screen import SIZES, TRIED_SIZES, size_name
from support.window import Window

pytestmark = [
    one_python_is_enough,
    pytest.mark.skipif(interpreter.LOOP_KEEPS_INDEX, reason="the programs retry in loops, which 3.15 cannot keep"),
]

SHOP = '''\
"""The prices of a basket."""

import json


class Price:
    def __init__(self, cents):
        self.cents = cents

    def __repr__(self):
        raise RuntimeError("no repr")


def average(total, count):
    return total / count


def report(pairs):
    prices = [Price(cents) for cents in (120, 250)]
    for name, count in pairs:
        print(name, average(sum(price.cents for price in prices), count))
    return dict(pairs)


json.loads('{"hammer": 2, "rope": 0}', object_pairs_hook=report)
print("done")
'''

FOLDS = SHOP.replace("import json", "import helper").replace(
    'json.loads(\'{"hammer": 2, "rope": 0}\', object_pairs_hook=report)', "helper.call(report)"
)

#: A library: it is not in the scope.
HELPER = """\
def call(function):
    with open(__file__) as file:
        return call_with(function, [("hammer", 2), ("rope", 0)])


def call_with(function, pairs):
    return function(pairs)
"""

CREATE = """\
class Basket:
    def __init__(self, rows):
        self.rows = rows


def total(basket, rate):
    return sum(basket.price_of(row["cents"], rate) for row in basket.rows)


print(total(Basket([{"cents": 5}, {"cents": 7}]), 2))
"""


def shop(text: str, size: tuple[int, int], *options: str, **more: Any) -> Window:
    """Start a program in the window."""
    return Window(text, files={"helper.py": HELPER}, options=("--window", *options), size=size, **more)


@pytest.fixture(params=TRIED_SIZES, ids=size_name)
def size(request: pytest.FixtureRequest) -> tuple[int, int]:
    found: tuple[int, int] = request.param
    return found


def test_a_stop(size: tuple[int, int]) -> None:
    with shop(SHOP, size) as window:
        window.up()
        window.matches("window-stop")
        assert window.quit() == 1


def test_library_frames_are_folded_and_unfolded(size: tuple[int, int]) -> None:
    with shop(FOLDS, size, "--scope", "program.py") as window:
        window.up()
        window.press("s-tab", "s-tab")
        window.wait_for("══ Stack")
        window.press("down", "down")
        window.wait_for(r"\+ \d library frames")
        window.press("enter")
        window.wait_for(r"- \d library frames")
        window.press("down")
        window.wait_for("read only")
        window.matches("window-folds")
        assert window.quit() == 1


def test_a_syntax_error_is_shown_at_its_place(size: tuple[int, int]) -> None:
    with shop(SHOP, size) as window:
        window.up()
        window.press("end")
        window.type(" if count else (")
        window.press("c-s")
        window.wait_for("was never closed")
        window.matches("window-syntax-error")
        assert "(\n" not in (window.folder / "program.py").read_text()
        window.press("c-z")
        assert window.quit() == 1


def test_a_refused_edit_is_told_where_it_was_made(size: tuple[int, int]) -> None:
    with shop(SHOP, size) as window:
        window.up()
        # A running call of a plain function cannot become one of a generator.
        window.press("home", "c-k")
        window.type("    yield total")
        window.press("c-s")
        window.wait_for("! refused: kind-changed")
        window.matches("window-refused-edit")
        assert window.quit() == 1


def test_variables_are_unfolded_and_broken_reprs_harmless(size: tuple[int, int]) -> None:
    with shop(SHOP, size) as window:
        window.up()
        window.press("s-tab", "s-tab")
        window.wait_for("══ Stack")
        window.press("down")
        window.wait_for("report  program.py:21")
        window.press("tab", "down")
        window.wait_for("══ Variables")
        window.press("right")
        window.wait_for(r"\[0\] = <Price")
        window.press("down", "right")
        window.wait_for(r"\.cents = 120")
        window.matches("window-variables")
        window.press("r")
        window.wait_for("RuntimeError: no repr")
        window.press("escape")
        window.wait_until(lambda: "Esc closes" not in window.text)
        assert window.quit() == 1


def test_the_console_and_the_output(size: tuple[int, int]) -> None:
    with shop(SHOP, size) as window:
        window.up()
        window.press("tab")
        window.wait_for("══ Console")
        window.type("p total, count")
        window.press("enter")
        window.wait_for(r"\(370, 0\)")
        window.type("import os; os.system('echo from a process')")
        window.press("enter")
        window.wait_for("^.*from a process *$")
        window.matches("window-console")
        assert window.quit() == 1
        assert "from a process" in window.text


def test_tab_completes_in_the_console(size: tuple[int, int]) -> None:
    with shop(SHOP, size) as window:
        window.up()
        window.press("tab")
        window.wait_for("══ Console")
        window.type("p tot")
        window.press("tab")
        window.wait_for(r"\(fixcont\) p total")
        window.type(".bit_")
        window.press("tab")
        window.wait_for(r"bit_count")
        window.press("tab")
        window.press("tab")
        window.wait_for(r"\(fixcont\) p total\.bit_length")
        window.press("enter")
        window.type("()")
        window.press("enter")
        window.wait_for(r"(^|│)9 *(│|$)")
        assert window.quit() == 1


def test_the_output_pane_has_what_is_printed(size: tuple[int, int]) -> None:
    with shop(SHOP, size) as window:
        window.up()
        window.press("tab")
        window.type("import os; os.write(1, b'one\\ntwo\\x1b[1m bold\\n10%\\r20%\\n'); os.write(2, b'errors too\\n')")
        window.press("enter")
        window.wait_for("Output · 4 new")  # what was typed says "errors too" before anything is printed
        window.press("tab")
        window.wait_for("══ Output")
        window.matches("window-output")
        assert window.quit() == 1


def test_all_keys(size: tuple[int, int]) -> None:
    with shop(SHOP, size) as window:
        window.up()
        window.press("f1")
        window.wait_for("All keys")
        window.matches("window-help")
        window.press("f1")
        window.wait_until(lambda: "All keys" not in window.text)
        assert window.quit() == 1


def test_a_way_that_cannot_be_gone_says_why(size: tuple[int, int]) -> None:
    with shop(SHOP, size) as window:
        window.up()
        window.press("f10")
        window.wait_for("refused: nothing-to-step-to")
        window.matches("window-greyed")
        assert window.quit() == 1


def test_what_is_missing_can_be_created(size: tuple[int, int]) -> None:
    with shop(CREATE, size) as window:
        window.up()
        window.wait_for("F4 creates")
        window.matches("window-create")
        window.press("f4")
        window.wait_for("NotImplementedError: Basket.price_of")
        window.wait_for(r"def price_of\(self, cents, rate\)")
        window.up()
        window.matches("window-created")
        window.press("c-k")
        window.type("return cents * rate")
        window.press("c-s")
        assert window.finish() == 0
        assert "24" in window.text
        window.down()


def test_a_breakpoint(size: tuple[int, int]) -> None:
    with shop(SHOP, size, "--stop-at-entry") as window:
        window.up()
        window.press("c-g")
        window.wait_for("go to line")
        window.type("15\r")
        window.wait_for("══ program.py")
        window.press("f9")
        window.wait_for("B *15")
        window.press("f5")
        window.wait_for("breakpoint 1")
        window.up()
        window.matches("window-breakpoint")
        assert window.quit() == 1


@pytest.mark.parametrize(("before", "after"), [(SIZES[0], SIZES[1]), (SIZES[1], SIZES[0])], ids=["wider", "narrower"])
def test_after_a_resize_everything_is_in_place(before: tuple[int, int], after: tuple[int, int]) -> None:
    with shop(SHOP, before) as window:
        window.up()
        window.resize(*after)
        window.matches("window-resized")
        assert window.quit() == 1


def test_without_colours(size: tuple[int, int]) -> None:
    with shop(SHOP, size, environment={"NO_COLOR": "1"}) as window:
        window.up()
        window.matches("window-no-colour")
        assert not [look for row in range(size[1]) for _, _, look in window.attributes(row) if set(look.split()) - PLAIN]
        assert window.quit() == 1


PLAIN = {"bold", "italics", "underscore", "reverse"}
