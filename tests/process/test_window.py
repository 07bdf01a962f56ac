"""The window around a real process: what it leaves behind, whatever becomes of the program, and that it disturbs nothing in it."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest

from fixcont.bytecode import interpreter
from support.screen import ScreenSession
from support.window import Window

pytestmark = pytest.mark.skipif(interpreter.LOOP_KEEPS_INDEX, reason="the programs retry in loops, which 3.15 cannot keep")

FAILING = "def work(n):\n    return 10 / n\n\n\n"


def test_the_first_demo_is_repaired_in_the_window() -> None:
    demos = Path(__file__).resolve().parent.parent.parent / "demos"
    with ScreenSession({"demos/": str(demos)}, ["-m", "fixcont", "--window", "demos/prices.py"]) as window:
        window.wait_until(lambda: window.screen.is_full_screen and "Ctrl-S saves, installs and restarts" in window.text)
        window.press("end")
        window.type(" if count else 0.0")
        window.press("c-s")
        assert window.finish() == 0
        assert re.search(r"^saws +14\.95$(.|\n)*^hammers +0\.00$(.|\n)*^done$", window.text, re.MULTILINE)
        assert "restart unit_price (version 2)" in window.text
        assert not window.screen.is_full_screen


def test_the_program_goes_on_in_the_normal_screen_and_the_window_opens_again() -> None:
    with Window(FAILING + "for n in (0, 5, 0):\n    print('result', work(n))\n") as window:
        window.up()
        window.press("f8")  # retry: the same again
        window.up()
        window.console("fr 'given'")
        window.up()
        assert "fr 'given'" in window.text  # the console's past is kept
        assert window.quit() == 1
        window.down()
        assert "result given" in window.text


def test_what_has_died_is_repaired_in_the_window() -> None:
    text = (
        "import fixcont\n\n"
        + FAILING
        + "try:\n    work(0)\nexcept ZeroDivisionError:\n    print('value', fixcont.post_mortem())\n"
    )
    with Window(text, options=("--window", "--stop", "never")) as window:
        window.up()
        assert "Ctrl-S saves, installs and replays the frame" in window.text
        window.press("end")
        window.type(" if n else 7")
        window.press("c-s")
        window.up()
        window.console("quit")
        assert window.finish() == 0
        assert "value 7" in window.text


DYING = """\
import faulthandler, os, signal, threading, time

faulthandler.disable()  # else what it says of `os.abort()` fills the screen

def work(n):
    return 10 / n

def die():
    os.read(reader, 1)
    print("last words", flush=True)
    {how}

reader, writer = os.pipe()
threading.Thread(target=die, daemon=True).start()
work(0)
"""


@pytest.mark.parametrize(
    ("how", "status"),
    [
        ("os._exit(7)", 7),
        ("os.kill(os.getpid(), signal.SIGTERM)", -signal.SIGTERM),
        ("os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
        ("os.abort()", -signal.SIGABRT),
    ],
)
def test_the_terminal_is_given_back_when_the_program_dies(how: str, status: int) -> None:
    with Window(DYING.format(how=how)) as window:
        window.up()
        window.console("os.write(writer, b'x')")
        window.wait_until(lambda: not window.screen.is_full_screen, "the terminal was not given back")
        window.down()
        window.wait_for("^last words")
        assert window.finish() == status
        assert window.is_echoing


def test_a_handler_that_raises_ends_the_window() -> None:
    text = "import signal, sys\nsignal.signal(signal.SIGTERM, lambda *a: sys.exit(9))\n" + FAILING + "work(0)\n"
    with Window(text) as window:
        window.up()
        os.kill(window.pid, signal.SIGTERM)
        assert window.finish() == 1  # as at the prompt: the exception of the stop goes on
        window.down()
        assert window.is_echoing


PRINTING = """\
import os, subprocess, sys, threading

def work(n):
    return 10 / n

def talk():
    for number in range(3):
        gates[number].wait()
        print("from a thread", number)
        print("as an error", number, file=sys.stderr)
        subprocess.run(["sh", "-c", f"echo from a process {number}"])
        done[number].set()

gates = [threading.Event() for _ in range(3)]
done = [threading.Event() for _ in range(3)]
threading.Thread(target=talk, daemon=True).start()
print("before")
gates[0].set(); done[0].wait()
work(0)
gates[2].set(); done[2].wait()
print("after", os.isatty(1), os.fstat(1).st_rdev == os.fstat(0).st_rdev)
"""


def test_what_is_printed_meanwhile_is_in_its_pane_and_nothing_of_it_is_lost() -> None:
    with Window(PRINTING) as window:
        window.up()
        window.console("gates[1].set(), done[1].wait()")
        window.wait_for("from a process 1")
        window.press("tab")
        window.wait_for("══ Output")
        window.wait_for(r"│from a thread 1(.|\n)*│as an error 1(.|\n)*│from a process 1")
        window.console("fr 1")
        assert window.finish() == 0
        lines = [line for line in window.lines if line.startswith(("before", "after", "from", "as an"))]
        expected = [f"{what} {number}" for number in range(3) for what in ("from a thread", "as an error", "from a process")]
        assert lines == ["before", *expected, "after True True"]


def test_a_process_that_outlives_the_window_prints_to_the_terminal() -> None:
    text = FAILING + "import subprocess, sys\nwork(0)\nchild.communicate(b'x')\nprint('end')\n"
    with Window(text) as window:
        window.up()
        window.console("child = subprocess.Popen(['sh', '-c', 'read x; echo from the child'], stdin=subprocess.PIPE)")
        window.wait_for(r"^.*\(fixcont\) child = ")
        window.console("import __main__; __main__.child = child")
        window.console("fr 1")
        assert window.finish() == 0
        window.wait_for("from the child")


WATCHING = """\
import asyncio, contextvars, os, signal, sys, threading

variable = contextvars.ContextVar("variable")
local = threading.local()

def signals():
    return [signal.getsignal(number) for number in signal.valid_signals() if number not in (signal.SIGKILL, signal.SIGSTOP)]

def descriptors():
    return {number: os.fstat(number)[:3] + (os.get_inheritable(number),) for number in range(3)}

def work(n):
    return 10 / n

async def other():
    while True:
        log.append(len(log))
        await asyncio.sleep(0.01)

async def main():
    variable.set("mine")
    local.value = 5
    task = asyncio.create_task(other())
    await asyncio.sleep(0.05)
    wakeup = signal.set_wakeup_fd(-1); signal.set_wakeup_fd(wakeup)
    before = signals(), descriptors(), wakeup, threading.active_count()
    work(0)
    wakeup = signal.set_wakeup_fd(-1); signal.set_wakeup_fd(wakeup)
    after = signals(), descriptors(), wakeup, threading.active_count()
    count = len(log)
    await asyncio.sleep(0.05)
    print("same", before == after, "goes on", len(log) > count, asyncio.get_running_loop() is task.get_loop())

log = []
asyncio.run(main())
"""


def test_the_event_loop_and_the_signals_of_the_program_are_left_alone() -> None:
    with Window(WATCHING) as window:
        window.up()
        window.console("p variable.get(), local.value, asyncio.get_running_loop().is_running()")
        window.wait_for(r"\('mine', 5, True\)")
        window.console("fr 1")
        assert window.finish() == 0
        assert "same True goes on True True" in window.text


def test_ctrl_c_ends_what_runs_in_the_console() -> None:
    with Window(FAILING + "work(0)\n") as window:
        window.up()
        window.console("while True: pass")
        window.wait_for("Ctrl-C interrupts it")
        window.press("c-c")
        window.wait_for("KeyboardInterrupt")
        window.wait_until(lambda: "interrupts it" not in window.text)
        window.console("import time; time.sleep(1000)")
        window.wait_for("Ctrl-C interrupts it")
        window.press("c-c")
        window.wait_for("KeyboardInterrupt(.|\n)*KeyboardInterrupt")
        window.wait_until(lambda: "interrupts it" not in window.text)
        window.press("c-c")
        window.wait_for("nothing runs that could be interrupted")
        window.interrupt()
        window.console("p n + 41")
        window.wait_for("^.*│41 *$")
        assert window.quit() == 1


def test_what_is_evaluated_may_ask() -> None:
    with Window(FAILING + "work(0)\n") as window:
        window.up()
        window.console("p input('who? ') * 2")
        window.wait_for(r"│who\? *$")
        window.type("me\r")
        window.wait_for("'meme'")
        window.console("p input('again? ')")
        window.wait_for(r"│again\? *$")
        window.press("c-c")
        window.wait_for("KeyboardInterrupt")
        assert window.quit() == 1


def test_unsaved_text_is_not_lost_when_another_frame_is_selected_nor_at_the_next_stop() -> None:
    text = "import helper\n\n\n" + FAILING + "helper.call(work)\nhelper.call(work)\n"
    with Window(text) as window:
        (window.folder / "helper.py").write_text("def call(function):\n    return function(0)\n")
        window.up()
        window.press("end")
        window.type("  # mine")
        window.press("s-tab", "s-tab")
        window.wait_for("══ Stack")
        window.press("down")
        window.wait_for("── helper.py")
        window.press("up")
        window.wait_for("# mine")
        window.wait_for("changed")
        window.press("f5")
        window.wait_for("What you have edited is not saved")
        window.press("escape")
        window.wait_until(lambda: "is not saved" not in window.text)
        window.console("fr 1")
        window.up()
        window.wait_for("# mine")
        assert "# mine" not in window.source
        window.press("f8")
        window.wait_for("What you have edited is not saved")
        window.press("s")
        window.wait_until(lambda: "# mine" in window.source)
        window.up()
        assert window.quit() == 1


def test_a_file_that_somebody_else_has_changed_is_not_overwritten_without_a_question() -> None:
    with Window(FAILING + "print(work(0))\n") as window:
        window.up()
        window.press("home", "c-k")
        window.type("    return 'mine'")
        (window.folder / "program.py").write_text(FAILING + "print(work(0))  # theirs\n")
        window.press("c-s")
        window.wait_for("was changed by someone else")
        assert "# theirs" in window.source
        window.press("o")
        assert window.finish() == 0
        assert "mine" in window.text
        assert "# theirs" not in window.source


def test_the_other_answer_takes_what_the_file_says() -> None:
    with Window(FAILING + "print(work(0))\n") as window:
        window.up()
        window.press("home", "c-k")
        window.type("    return 'mine'")
        theirs = FAILING.replace("10 / n", "'theirs'") + "print(work(0))\n"
        (window.folder / "program.py").write_text(theirs)
        window.press("c-s")
        window.wait_for("was changed by someone else")
        window.press("r")
        window.wait_for("return 'theirs'")
        window.press("c-s")
        assert window.finish() == 0
        assert "theirs" in window.text
        assert window.source == theirs


def test_a_ctrl_s_before_the_window_does_not_stop_it() -> None:
    text = FAILING + "print('ready')\ninput()\nwork(0)\n"
    with Window(text) as window:
        window.wait_for("ready")
        window.type("\n\x13")  # the second one stops the terminal, as it makes no key of it yet
        window.up()
        assert window.quit() == 1


def test_a_value_is_asked_for() -> None:
    with Window(FAILING + "print('got', work(0))\n") as window:
        window.up()
        window.press("tab")
        window.wait_for("══ Console")
        window.press("tab")
        window.wait_for("restart: run the selected frame")
        window.press("right", "right", "right", "enter")
        window.wait_for("the value of the expression that failed:")
        window.type("n + 99\r")
        assert window.finish() == 0
        assert "got 99" in window.text


def test_the_mouse_selects_frames_and_ways() -> None:
    with Window(FAILING + "def outer():\n    return work(0)\n\n\nprint('got', outer())\n") as window:
        window.up()
        row = next(number for number, line in enumerate(window.lines) if re.match(r"  outer ", line))
        window.click(4, row)
        window.wait_for("> outer")
        window.wait_for("outer  program.py:6 *$")
        row = next(number for number, line in enumerate(window.lines) if "(undo)" in line)
        column = window.lines[row].index("(undo)") + 2
        window.type(f"\x1b[<35;{column + 1};{row + 1}M")  # the mouse moves over it
        window.wait_for("refused: nothing-to-undo")
        row = next(number for number, line in enumerate(window.lines) if " F7 restart " in line)
        column = window.lines[row].index(" return ") + 2
        window.click(column, row)
        window.wait_for("the value to return:")
        window.type("5\r")
        assert window.finish() == 0
        assert "got 5" in window.text


def test_the_window_opens_from_the_prompt_and_is_left_for_it() -> None:
    with Window(FAILING + "work(0)\n", options=()) as window:
        window.wait_for(r"^\(fixcont\)")
        window.type("window\r")
        window.up()
        window.press("c-x", "p")
        window.down()
        window.wait_for(r"\(fixcont\) *$")
        window.type("p n + 7\r")
        window.wait_for("^7$")
        window.type("window\r")
        window.up()
        assert window.quit() == 1


@pytest.mark.parametrize("term", ["dumb", "unknown"])
def test_a_terminal_that_cannot_is_refused(term: str) -> None:
    with Window(FAILING + "work(0)\n", term=term) as window:
        window.wait_for("refused: no-window")
        window.type("q\r")
        assert window.finish() == 1


def test_in_another_thread() -> None:
    text = (
        FAILING
        + "import threading\nthread = threading.Thread(target=work, args=(0,), name='side')\nthread.start()\nthread.join()\nprint('end')\n"
    )
    with Window(text) as window:
        window.up()
        window.wait_for("in thread side")
        window.console("p threading.current_thread().name")
        window.wait_for("'side'")
        window.console("fr 1")
        assert window.finish() == 0
        window.down()
        assert "end" in window.text


def test_install_with_a_window() -> None:
    text = FAILING + "import fixcont\nfixcont.install(window=True)\nprint(work(0))\n"
    with ScreenSession({"program.py": text}, ["program.py"]) as window:
        window.wait_until(lambda: window.screen.is_full_screen and "Stack" in window.text and "(fixcont)" in window.text)
        window.press("tab")
        window.type("fr 3\r")
        assert window.finish() == 0
        assert window.text.endswith("3")
