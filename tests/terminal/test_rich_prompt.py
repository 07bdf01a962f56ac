"""The prompt on a real terminal: what is shown, what keys do, and that the program does not notice."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from support.programs import DEMOS
from support.screen import ScreenSession, at_each_size

PRICES = {"prices.py": (DEMOS / "prices.py").read_text(encoding="utf-8"), "data/": str(DEMOS / "data")}
READY = r"^\(fixcont\)\Z"


def debugged(text: str, **how: object) -> ScreenSession:
    """Start a program, in program.py, under fixcont."""
    return ScreenSession({"program.py": text}, ["-m", "fixcont", "program.py"], **how)  # type: ignore[arg-type]


def enter(session: ScreenSession, *lines: str) -> None:
    """Type lines, each once the prompt is ready."""
    for line in lines:
        session.wait_for(READY)
        session.type(line)
        session.wait_for(rf"^\(fixcont\) {re.escape(line)}\Z")
        session.press("enter")


def after(session: ScreenSession, line: str) -> str:
    """Type one line and give what is shown between it and the next prompt."""
    enter(session, line)
    shown = rf"^\(fixcont\) {re.escape(line)}\n((?:(?!\(fixcont\)).*\n)*)\(fixcont\)\Z"
    session.wait_for(shown)
    match = re.search(shown, session.text, re.MULTILINE)
    assert match is not None
    return match[1].rstrip("\n")


# What is shown.


@at_each_size
def test_a_stop_and_its_listings(size: tuple[int, int]) -> None:
    with ScreenSession(PRICES, ["-m", "fixcont", "prices.py"], size=size) as session:
        enter(session, "ll", "w")
        session.wait_for(r"\(fixcont\) w\n(.*\n)*\(fixcont\)$")
        session.matches("prompt-listings")


@at_each_size
def test_a_block_of_several_lines(size: tuple[int, int]) -> None:
    with ScreenSession(PRICES, ["-m", "fixcont", "prices.py"], size=size) as session:
        enter(session, "for i in range(2):")
        session.type("print('row', i)\r")
        session.wait_for(r"print\('row', i\)\n +\.\.\.$")
        session.type("\r")
        session.wait_for(r"row 1\n\(fixcont\)\Z")
        session.matches("prompt-block")


BASKET = """\
class Basket:
    currency = "EUR"

    def __init__(self):
        self.content = []
        self.count = 0

    def cost(self):
        return sum(self.content) / self.count

Basket().cost()
"""


@at_each_size
def test_completion_of_attributes(size: tuple[int, int]) -> None:
    with debugged(BASKET, size=size) as session:
        session.wait_for(READY)
        session.type("p self.c")
        session.press("tab")
        session.wait_for("currency")
        session.press("tab")
        session.matches("prompt-completion")


OBSOLETE = """\
def divide(a, b):
    return a / b

divide(1, 0)
"""


@at_each_size
def test_old_code_is_marked(size: tuple[int, int]) -> None:
    with debugged(OBSOLETE, size=size) as session:
        session.wait_for(READY)
        (session.folder / "program.py").write_text(OBSOLETE.replace("return a / b", "return a / (b or 1)"))
        enter(session, "rerun", "ll", "w")
        session.wait_for(r"\(fixcont\) w\n(.*\n)*\(fixcont\)$")
        session.matches("prompt-obsolete")


def test_the_failing_expression_is_underlined() -> None:
    with debugged("def f(row):\n    return str(row['a']) + row['b'].upper()\n\nf({'a': 1, 'b': None})\n") as session:
        session.wait_for(READY)
        row = next(number for number, line in enumerate(session.lines) if line.startswith("-> return"))
        begin = session.lines[row].index("row['b']")
        marked = [(first, last) for first, last, look in session.attributes(row) if "underscore" in look]

    assert marked[0][0] == begin and marked[-1][1] == begin + len("row['b'].upper")


def test_the_source_of_anything_is_coloured() -> None:
    with debugged(OBSOLETE) as session:
        assert after(session, "source divide") == "  1     def divide(a, b):\n  2         return a / b"
        assert session.look_of("def") == "bold blue"


@pytest.mark.parametrize("plain", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=["no-color", "dumb"])
def test_plain_terminals_get_plain_text_and_a_line_of_carets(plain: dict[str, str]) -> None:
    with debugged(OBSOLETE, environment=plain, term=plain.get("TERM", "xterm-256color")) as session:
        session.wait_for(READY)
        session.type("c\r")
        session.finish()
        shown = session.raw.decode().replace("\r\n", "\n").replace("\x1b[?2004h", "").replace("\x1b[?2004l", "")

    assert '-> return a / b\n          ^^^^^\n"fix" edits the code, then' in shown
    assert "\x1b" not in shown


def test_help_is_wrapped_to_the_terminal() -> None:
    with debugged(OBSOLETE, size=(80, 100)) as session:
        enter(session, "help")
        session.wait_for(READY)

        assert "retry                                   go on at the failing statement of the\n" in session.text
        assert "\n" + " " * 40 + "selected frame, on the newest code\n" in session.text
        assert session.text.endswith('"fix" edits the code, then "rf" restarts or "retry" goes on; "help" lists all\n(fixcont)')


# What keys do.


def test_history_is_there_in_the_next_run() -> None:
    with debugged(OBSOLETE) as first:
        enter(first, "p a + 40", "q")
        first.finish()
        history = (first.folder / ".local/state/fixcont/history").read_text()
    assert history == "p a + 40\nq\n"

    with ScreenSession(
        {"program.py": OBSOLETE, ".local/state/fixcont/history": history}, ["-m", "fixcont", "program.py"]
    ) as second:
        second.wait_for(READY)
        second.press("up", "up", "enter")
        second.wait_for(r"p a \+ 40\n41\n\(fixcont\)\Z")


def test_a_history_that_cannot_be_written_is_no_trouble() -> None:
    with ScreenSession({"program.py": OBSOLETE, ".local": "a file"}, ["-m", "fixcont", "program.py"]) as session:
        assert after(session, "p a") == "1"
        session.press("up", "enter")
        session.wait_for(r"p a\n1\n\(fixcont\) p a\n1\n\(fixcont\)\Z")


def test_what_was_typed_before_is_suggested() -> None:
    with debugged(OBSOLETE) as session:
        after(session, "p a + 40")
        session.type("p a")
        session.wait_for(r"p a \+ 40$")
        session.press("right", "enter")
        session.wait_for(r"41\n\(fixcont\) p a \+ 40\n41\n\(fixcont\)\Z")


def test_control_c_clears_the_line() -> None:
    with debugged(OBSOLETE) as session:
        session.wait_for(READY)
        session.type("p nonsense")
        session.press("c-c")
        session.wait_for(r"--KeyboardInterrupt--\n\(fixcont\)\Z")
        assert after(session, "p b") == "0"


def test_an_interrupt_from_outside_clears_the_line_too() -> None:
    with debugged(OBSOLETE) as session:
        session.wait_for(READY)
        session.type("p nonsense")
        session.wait_for("nonsense$")
        session.interrupt()
        session.wait_for(r"--KeyboardInterrupt--\n\(fixcont\)\Z")
        assert after(session, "p b") == "0"


def test_control_d_ends_the_program() -> None:
    with debugged(OBSOLETE) as session:
        session.wait_for(READY)
        session.press("c-d")
        assert session.finish() == 1
        assert "Traceback" not in session.text


def test_vi_keys_as_inputrc_says() -> None:
    files = {"program.py": OBSOLETE, ".inputrc": "set editing-mode vi\n"}
    with ScreenSession(files, ["-m", "fixcont", "program.py"]) as session:
        session.wait_for(READY)
        session.type("p a + 1\x1b0w")
        session.type("rb\r")
        session.wait_for(r"p b \+ 1\n1\n\(fixcont\)\Z")


def test_an_empty_line_repeats_what_was_looked_at() -> None:
    with debugged(OBSOLETE) as session:
        after(session, "p a")
        session.press("enter")
        session.wait_for(r"p a\n1\n\(fixcont\)\n1\n\(fixcont\)\Z")


def test_what_is_pasted_runs_as_if_it_were_typed() -> None:
    with debugged(OBSOLETE) as session:
        session.wait_for(READY)
        session.paste("import math\n\nfor n in (4, 9):\n    print(n)\n    print(math.sqrt(n))\na + 70\n")
        session.press("enter")
        session.wait_for(r"^4\n2\.0\n9\n3\.0\n71\n\(fixcont\)\Z")
        session.paste("p a\np b\n")
        session.press("enter")
        session.wait_for(r"^1\n0\n\(fixcont\)\Z")


UNTOUCHED = """\
class Sly:
    def __init__(self):
        self.plain = 1
    @property
    def worked_out(self):
        print("PROPERTY RAN")
    def __getattr__(self, name):
        print("GETATTR RAN")
        raise AttributeError(name)
    def __dir__(self):
        print("DIR RAN")
        return []

def fail(sly):
    raise ValueError("here")

fail(Sly())
"""


def test_completion_runs_nothing_of_the_program() -> None:
    with debugged(UNTOUCHED) as session:
        session.wait_for(READY)
        session.type("sly.")
        session.press("tab")
        session.wait_for("worked_out")
        session.press("c-c")
        session.wait_for(r"--KeyboardInterrupt--\n\(fixcont\)\Z")
        session.type("p sly.worked_out.x")
        session.press("tab")
        session.press("c-c")
        session.wait_for(r"--KeyboardInterrupt--\n(.*\n)*.*--KeyboardInterrupt--\n\(fixcont\)\Z")

        assert " RAN" not in session.text


# The program does not notice.

STATE = """\
import asyncio, os, signal, termios, threading
import fixcont

def state():
    descriptor = signal.set_wakeup_fd(-1)
    signal.set_wakeup_fd(descriptor)
    numbers = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGWINCH, signal.SIGUSR1]
    return descriptor, [signal.getsignal(number) for number in numbers], threading.enumerate(), termios.tcgetattr(0)

async def main():
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    told = asyncio.Event()
    loop.add_signal_handler(signal.SIGUSR1, told.set)
    before = state()
    fixcont.set_trace()
    after = state()
    print("the same" if before == after else [before, after])
    print(asyncio.get_running_loop() is loop, asyncio.current_task() is task)
    os.kill(os.getpid(), signal.SIGUSR1)
    await told.wait()
    print("signal came")

asyncio.run(main())
"""


def test_a_running_loop_its_signals_and_the_terminal_are_as_before() -> None:
    with ScreenSession({"program.py": STATE}, ["program.py"]) as session:
        enter(session, "p loop.is_running()", "c")
        assert session.finish() == 0
        assert session.text.endswith("the same\nTrue True\nsignal came")


def test_what_is_typed_ahead_for_the_program_reaches_it() -> None:
    text = "import fixcont\nfixcont.set_trace()\nprint('got', repr(input('name? ')))\n"
    with ScreenSession({"program.py": text}, ["program.py"]) as session:
        session.wait_for(READY)
        session.type("p 101\rp 102\rp 103\rc\rAda\r")
        assert session.finish() == 0
        assert "got 'Ada'" in session.text
        assert "101\n(fixcont) p 102\n102\n(fixcont) p 103\n103\n" in session.text


def test_commands_typed_ahead_are_taken_one_by_one() -> None:
    with debugged(OBSOLETE) as session:
        session.wait_for(READY)
        session.type("b divide\rcommands 1\rp 101\rend\rp 102\r")
        session.wait_for(r"\(com\) end\n\(fixcont\) p 102\n102\n\(fixcont\)\Z")


def test_a_stop_in_another_thread() -> None:
    text = "import threading\n\ndef work(n):\n    return n / 0\n\nt = threading.Thread(target=work, args=(3,))\nt.start()\nt.join()\nprint('joined')\n"
    with debugged(text) as session:
        assert after(session, "p n + 1") == "4"
        enter(session, "fr 1")
        assert session.finish() == 0
        assert "joined" in session.text


def modules_after(text: str, environment: dict[str, str]) -> Sequence[str]:
    report = "\nimport sys\nprint('loaded:', [m for m in ('prompt_toolkit', 'pygments') if m in sys.modules])\n"
    with debugged(text + report, environment=environment) as session:
        if "fail" in text:
            session.wait_for(READY)
            session.type("skip\r")
        session.finish()
        found = re.search(r"loaded: (.*)", session.text)
        assert found is not None
        names: list[str] = eval(found[1])
        return names


def test_nothing_is_imported_before_it_is_needed() -> None:
    assert modules_after("x = 1", {}) == []
    assert modules_after("fail", {"NO_COLOR": "1"}) == []
    assert modules_after("fail", {}) == ["prompt_toolkit", "pygments"]


# Awaiting.

ASYNC = """\
import asyncio

async def twice(n):
    await asyncio.sleep(0)
    return 2 * n

async def main():
    lock = asyncio.Lock()
    number = 21
    raise ValueError("here")

def sync():
    asyncio.run(main())

sync()
"""


def test_await_in_a_frame_of_a_running_loop() -> None:
    with debugged(ASYNC) as session:
        assert after(session, "await twice(number)") == "42"
        assert after(session, "number = await twice(number)") == ""
        assert after(session, "p number") == "42"
        assert after(session, "async with lock: print(lock.locked())") == "True"
        assert after(session, "await twice('a' - 1)").startswith("*** TypeError")
        shown = after(session, "await asyncio.sleep(30)").replace("\n", "")
        assert shown.startswith("refused: needs-the-loop: this waits for the program's event loop")
        assert after(session, "p number") == "42"


def test_await_where_no_loop_runs() -> None:
    text = "import asyncio\n\nasync def twice(n):\n    await asyncio.sleep(0.001)\n    return 2 * n\n\ndef f(n):\n    return n / 0\n\nf(4)\n"
    with debugged(text) as session:
        assert after(session, "await twice(n)") == "8"
        assert after(session, "await twice([n] - 1)").startswith("*** TypeError")


def test_the_end_of_the_terminal_ends_it() -> None:
    with debugged(OBSOLETE) as session:
        session.wait_for(READY)
        session.hang_up()
        assert session.finish() == -1


def test_the_demo_is_repaired_without_an_editor_set() -> None:
    with ScreenSession(PRICES, ["-m", "fixcont", "prices.py"]) as session:
        enter(session, "fix")
        session.wait_for("save and install")
        session.press("end")
        session.type(" if count else 0.0")
        session.press("f5")
        enter(session, "rf")
        assert session.finish() == 0
        assert "repaired 1 function" in session.text
        assert " if count else 0.0" in Path(session.folder / "prices.py").read_text()
