"""The editor of `fix` on a real terminal: what it looks like, and that neither text nor terminal are lost."""

from __future__ import annotations

import signal
from pathlib import Path

from support.programs import DEMOS
from support.screen import ScreenSession, at_each_size

PRICES = {"prices.py": (DEMOS / "prices.py").read_text(encoding="utf-8"), "data/": str(DEMOS / "data")}
READY = r"^\(fixcont\)\Z"


def opened(size: tuple[int, int] = (80, 24), **environment: str) -> ScreenSession:
    """Start the demo and open the editor at its stop."""
    session = ScreenSession(PRICES, ["-m", "fixcont", "prices.py"], size=size, environment=environment)
    session.wait_for(READY)
    session.type("fix -i\r")
    session.wait_for("save and install")
    return session


@at_each_size
def test_the_function_alone(size: tuple[int, int]) -> None:
    with opened(size, EDITOR="/bin/false") as session:
        session.matches("fix-function")


@at_each_size
def test_the_whole_file(size: tuple[int, int]) -> None:
    with opened(size) as session:
        session.press("f2")
        session.wait_for("csv.DictReader")
        session.matches("fix-file")


@at_each_size
def test_a_syntax_error(size: tuple[int, int]) -> None:
    with opened(size) as session:
        session.press("end")
        session.type(" + (1")
        session.press("f5")
        session.wait_for("^! line 12")
        session.matches("fix-fault")


@at_each_size
def test_leaving_with_changes(size: tuple[int, int]) -> None:
    with opened(size) as session:
        session.press("end")
        session.type(" if count else 0.0")
        session.press("c-c")
        session.wait_for("discard")
        session.matches("fix-leaving")


@at_each_size
def test_changed_by_another_program(size: tuple[int, int]) -> None:
    with opened(size) as session:
        path = session.folder / "prices.py"
        path.write_text(path.read_text().replace("return total / count", "return total / max(count, 1)"))
        session.press("end")
        session.type(" if count else 0.0")
        session.press("f5")
        session.wait_for("keep mine")
        session.matches("fix-changed")


def test_the_terminal_is_as_before_afterwards() -> None:
    with opened() as session:
        assert session.screen.is_full_screen and session.screen.takes_mouse
        session.press("c-c")
        session.wait_for("nothing changed\n\\(fixcont\\)\\Z")

        assert not session.screen.is_full_screen and not session.screen.takes_mouse


def test_a_killed_program_leaves_terminal_and_text() -> None:
    with opened() as session:
        session.type("# why")
        session.wait_for("# why")
        session._process.send_signal(signal.SIGTERM)
        assert session.finish() == -signal.SIGTERM
        kept = list((session.folder / ".local/state/fixcont/unsaved").iterdir())

        assert not session.screen.is_full_screen
        assert [Path(each).name.startswith("prices-") for each in kept] == [True]
        assert "# why" in kept[0].read_text()


def test_an_interrupt_keeps_the_text() -> None:
    with opened() as session:
        session.type("# why ")
        session.wait_for("# why")
        session.interrupt()
        session.wait_for(r"--KeyboardInterrupt--\n\(fixcont\)\Z")
        session.type("fix -i\r")
        session.wait_for("what you typed before is here again")

        assert "# why return total / count" in session.text


def test_the_size_may_change() -> None:
    with opened() as session:
        session.resize(100, 12)
        session.wait_until(lambda: session.lines[11].startswith("F5 save and install"))
        session.resize(60, 10)
        session.wait_until(lambda: session.lines[8].startswith(" prices.py: unit_price"))


def test_the_mouse_puts_the_cursor() -> None:
    with opened() as session:
        session.click(14, 0)
        session.wait_for("line 11, column 8")


def test_a_terminal_that_is_too_small_is_refused() -> None:
    with ScreenSession(PRICES, ["-m", "fixcont", "prices.py"], size=(80, 3)) as session:
        session.wait_for(READY)
        session.type("fix -i\r")
        session.wait_for("too small to edit")
