"""Tests that fail while an IDE debugs the process that runs them: under the adapter, and with `pytest --fixcont-listen`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from support.dap_client import Client
from support.dap_session import Debugging, Listening, attached, launched
from support.programs import Program, write_program
from support.session import run_python

TESTS: Final = """\
import pytest
from shop import price

log = []

@pytest.fixture
def basket():
    log.append("up")
    yield ["nails"]
    log.append("down")

def test_price(basket):
    wanted = 5  # @first
    assert price(12, 3) == wanted, log  # @assert

@pytest.mark.xfail
def test_expected():
    assert log == [], "expected"

def test_log():
    assert log[-1] == "down"
"""

SHOP: Final = "def price(total, count):\n    return total / (count - 3)  # @price\n"


@pytest.fixture
def tests(tmp_path: Path) -> Program:
    """A test module, beside the module that it tests."""
    made = write_program(tmp_path / "project", TESTS, "test_shop.py")
    made.other("shop.py").path.write_text(SHOP, encoding="utf-8")
    made.other("pytest.ini").path.write_text("[pytest]\n", encoding="utf-8")
    return made


@contextmanager
def run(tests: Program, *words: str, **arguments: Any) -> Iterator[Debugging]:
    """Launch `-m pytest`, as the configuration in docs/ide.md does."""
    args = ["-p", "no:cacheprovider", "-p", "no:asyncio", *words, str(tests.path)]
    with launched(tests, module="pytest", args=args, cwd=str(tests.folder), **arguments) as session:
        yield session


def last_line(output: str) -> str:
    return output.rstrip().rpartition("\n")[2].strip("= ")


def test_a_failing_test_is_repaired_and_set_up_again(tests: Program) -> None:
    with run(tests) as session:
        frame = session.stopped()
        assert frame["name"] == "price"
        assert [each["name"] for each in session.frames()] == ["price", "test_price"], "what runs the tests is left out"
        shop = tests.other("shop.py")
        shop.edit({"(count - 3)": "count"})
        session.installed()
        session.go("fixcont/retry")

        session.stopped(at="assert")
        assert "assert 4.0 == 5" in session.client.request("exceptionInfo", threadId=session.thread)["description"]
        session.save({"wanted = 5": "wanted = 4"})
        session.go("restartFrame")
        session.stopped("restart", at="first")
        assert session.evaluate("log") == "['up', 'down', 'up']"
        session.run_on()
        output = session.over()

    assert last_line(output).startswith("1 passed, 1 xfailed, 1 repaired in "), output
    assert "+    return total / count  # @price\n" in output


def test_restarting_without_a_stop_sets_up_again_too(tests: Program) -> None:
    tests.other("shop.py").edit({"(count - 3)": "count"})
    with run(tests) as session:
        session.stopped(at="assert")
        session.save({"wanted = 5": 'wanted = 4 if log == ["up", "down", "up"] else 5'})
        session.go("fixcont/restart")
        output = session.over()

    assert last_line(output).startswith("1 passed, 1 xfailed, 1 repaired in "), output


def test_a_breakpoint_and_what_is_printed_at_it(tests: Program) -> None:
    tests.other("shop.py").edit({"(count - 3)": "count"})

    def configure(client: Client) -> None:
        client.request("setBreakpoints", source={"path": str(tests.path)}, breakpoints=[{"line": tests.line("first")}])
        client.request("setExceptionBreakpoints", filters=["unhandled"])

    with run(tests, configure=configure) as session:
        session.stopped("breakpoint", at="first")
        session.evaluate("print('said', len(basket))")
        session.client.wait_until(lambda: "said 1\n" in session.client.output(), "what was printed is captured")
        session.run_on()
        session.stopped(at="assert")
        session.run_on()
        output = session.over(1)

    assert last_line(output).startswith("1 failed, 1 passed, 1 xfailed in "), output


def test_ending_the_program_ends_the_run_and_tears_down(tests: Program) -> None:
    tests.edit({'log.append("down")': 'open("gone", "w").close()'})
    with run(tests) as session:
        session.stopped()
        session.client.request("terminate")
        session.over(2)

    assert tests.other("gone").path.exists()


def test_the_plug_in_can_be_left_out(tests: Program) -> None:
    tests.other("shop.py").edit({"(count - 3)": "count"})
    with run(tests, "-p", "no:fixcont") as session:
        output = session.over(1)

    assert last_line(output).startswith("1 failed, 1 passed, 1 xfailed in "), output


def test_the_plug_in_is_loaded_where_pytest_does_not_find_it(tests: Program) -> None:
    tests.other("shop.py").edit({"(count - 3)": "count"})
    with run(tests, env={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}) as session:
        session.stopped(at="assert")
        session.save({"wanted = 5": "wanted = 4"})
        session.go("fixcont/restart")
        output = session.over()

    assert last_line(output).startswith("1 passed, 1 xfailed, 1 repaired in "), output


def test_workers_are_not_debugged(tests: Program) -> None:
    with run(tests, "-n", "1") as session:
        output = session.over(1)

    assert "fixcont: the tests run in other processes" in session.client.output("stderr")
    assert last_line(output).startswith("1 failed, 1 passed, 1 xfailed in "), output


def listening(tests: Program, *options: str) -> Listening:
    words = ["-p", "no:cacheprovider", "-p", "no:asyncio", "--fixcont-listen", "0", *options]
    return Listening(tests, words, launcher=("-m", "pytest"))


@pytest.mark.parametrize("waits", [False, True])
def test_an_ide_connects_to_a_run(tests: Program, waits: bool) -> None:
    options = ["--fixcont-wait-for-client"] if waits else []
    with listening(tests, *options) as process:
        if not waits:
            process.line(r"held at .*shop\.py:2 in price")
        with attached(process, tests) as session:
            assert session.stopped()["name"] == "price"
            tests.other("shop.py").edit({"(count - 3)": "count"})
            session.installed()
            session.go("fixcont/retry")
            session.stopped(at="assert")
            session.save({"wanted = 5": "wanted = 4"})
            session.go("fixcont/restart")
            output = process.over()

    assert last_line(output).startswith("1 passed, 1 xfailed, 1 repaired in "), output


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--fixcont-wait-for-client"], "--fixcont-wait-for-client needs --fixcont-listen"),
        (["--fixcont-listen=0", "--fixcont-window"], "exclude each other"),
        (["--fixcont-listen=x"], "'x' is no address"),
        (["--fixcont-listen=0", "-n", "1"], "an IDE cannot show stops of pytest-xdist's workers"),
    ],
)
def test_options_that_make_no_sense(tests: Program, options: list[str], sentence: str) -> None:
    ended = run_python(["-m", "pytest", "-p", "fixcont", *options], folder=tests.folder)

    assert ended.status == 4
    assert sentence in ended.errors


def test_listening_in_a_process_that_is_debugged(tests: Program) -> None:
    with run(tests, "--fixcont-listen", "0") as session:
        session.over(4)
        assert "an IDE debugs this process already" in session.client.output("stderr")
