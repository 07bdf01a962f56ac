"""The adapter under clients of others: each is started as its users start it, where it can be had."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from support.dap_clients import CLIENTS, Neovim, Seen, emacs_tour_or_skip, node_modules_or_skip
from support.once import one_python_is_enough
from support.programs import Program
from support.session import DEADLINE, child_environment


@pytest.mark.slow
@one_python_is_enough
def test_the_client_of_the_protocols_authors() -> None:
    """Runs clients/testsupport: what the authors of the protocol check of every adapter, and repairs."""
    client = CLIENTS / "testsupport"
    environment = child_environment({
        "NODE_PATH": str(node_modules_or_skip(client)),
        "FIXCONT_PYTHON": sys.executable,
        "FIXCONT_TEST_DEADLINE": str(DEADLINE),
    })  # fmt: skip

    done = subprocess.run(
        ["node", "--test", "adapter.test.js"],
        cwd=client,
        env=environment,
        capture_output=True,
        text=True,
        timeout=10 * DEADLINE,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    counts = {name: int(number) for name, number in re.findall(r"^\S+ (pass|fail|cancelled|skipped) (\d+)$", done.stdout, re.M)}
    assert counts["pass"] >= 25 and not counts["fail"] + counts["cancelled"] + counts["skipped"], done.stdout


@pytest.fixture
def neovim(tmp_path: Path) -> Neovim:
    return Neovim(tmp_path)


@pytest.fixture
def orders(program: Callable[[str], Program]) -> Program:
    return program("orders")


def ended_well(seen: Seen) -> None:
    """Check that the program was repaired, and ended in the process in which it began."""
    began = re.fullmatch(r"process (\d+)", seen.console[0])
    assert began, seen.console
    assert f"3 lines by process {began[1]}" in seen.console
    assert [line for line in seen.console if re.match("nails|rope|glue", line)] == ["nails: 0.03", "rope: 0.0", "glue: 2.5"]
    assert seen.bodies("exited") == [{"exitCode": 0}]


def position(stop: dict[str, object], program: Program, label: str) -> bool:
    """Tell whether the cursor was put on the line of a label."""
    cursor = stop["cursor"]
    assert isinstance(cursor, list)
    return (stop["file"], cursor[0]) == (str(program.path), program.line(label))


def test_neovim_stops_is_mended_and_restarts_the_frame(neovim: Neovim, orders: Program) -> None:
    seen = neovim.tour("restart", orders)

    assert seen.reasons == ["breakpoint", "exception", "restart", "breakpoint"]
    assert {stop["thread"] for stop in seen.stops} == {"MainThread"}
    for stop, label in zip(seen.stops, ("prints", "fails", "fails", "prints"), strict=True):
        assert position(stop, orders, label), stop
    failed = seen.stops[1]
    (diagnostic,) = failed["diagnostics"]
    assert diagnostic["lnum"] == orders.line("fails") - 1
    assert "exception of type ZeroDivisionError" in diagnostic["message"]
    assert failed["cursor"][1] == orders.text.splitlines()[diagnostic["lnum"]].index("total /")  # at what failed
    assert "restart unit_price (version 2); what it has done so far is not undone" in seen.console
    ended_well(seen)
    assert seen.notes == []


def test_neovim_jumps_to_a_line_that_is_new(neovim: Neovim, orders: Program) -> None:
    seen = neovim.tour("step_and_go", orders)

    assert seen.reasons == ["exception", "goto", "step"]
    assert position(seen.stops[1], orders, "new")
    assert position(seen.stops[2], orders, "prints")
    ended_well(seen)
    assert seen.notes == []


def test_neovim_takes_commands_in_its_console(neovim: Neovim, orders: Program) -> None:
    seen = neovim.tour("console", orders)

    assert {"(9.0, 0)", f"resume unit_price at line {orders.line('fails')}"} <= set(seen.console)
    assert seen.reasons == ["exception"]
    ended_well(seen)
    assert seen.notes == []


def test_neovim_goes_on_by_the_keys_of_the_documentation(neovim: Neovim, orders: Program) -> None:
    seen = neovim.tour("keys", orders)

    assert seen.reasons == ["exception"]
    refused = f"orders.py:{orders.line('fails')} does not compile: invalid syntax; mend it and save it again"
    by_saving = f"{refused}; nothing was installed, and the program runs the code that it ran before"
    assert seen.notes == [by_saving, refused]  # the latter for the keys
    ended_well(seen)


def test_neovim_sends_requests_of_fixconts_own(neovim: Neovim, orders: Program) -> None:
    seen = neovim.tour("request", orders)

    ways = {each["name"]: each for each in seen.replies["ways"]}
    assert ways["retry"]["enabled"] and not ways["create"]["enabled"] and ways["create"]["reason"]
    assert seen.replies["retry"] == "done"
    ended_well(seen)


HANGS = """\
import time

waits = False

def wait():
    while True:
        time.sleep(0.01)

print("waiting")
wait()
print("gone on")
"""


def test_neovim_pauses_a_program_that_hangs(neovim: Neovim, small_program: Callable[[str], Program]) -> None:
    hanging = small_program(HANGS)
    seen = neovim.tour("pause", hanging)

    assert seen.reasons == ["pause", "restart"]
    assert seen.stops[0]["allThreadsStopped"]  # else Neovim does not show where
    assert seen.stops[0]["frame"]["name"] == "wait"
    assert seen.stops[0]["cursor"][0] in (6, 7)
    assert "gone on" in seen.console
    assert seen.bodies("exited") == [{"exitCode": 0}]


def test_neovim_attaches_to_a_program_that_is_held(neovim: Neovim, orders: Program) -> None:
    command = [sys.executable, "-m", "fixcont", "--listen", "0", str(orders.path)]
    with subprocess.Popen(command, env=child_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            listening, held = process.stderr.readline(), process.stderr.readline()
            assert "ZeroDivisionError" in held
            seen = neovim.tour("attach", orders, int(listening.rpartition(":")[2]))
            output, errors = process.communicate(timeout=DEADLINE)
        finally:
            process.kill()

    assert (process.returncode, seen.reasons, seen.notes) == (0, ["exception"], [])
    assert position(seen.stops[0], orders, "fails")
    assert output.endswith(f"rope: 0.0\nglue: 2.5\n3 lines by process {process.pid}\n")
    assert "Traceback" not in errors
    assert seen.console[0] == "installed: unit_price (version 2); 1 frame still runs old code"


def test_emacs_stops_is_mended_and_restarts_the_frame(tmp_path: Path, orders: Program) -> None:
    seen = emacs_tour_or_skip(tmp_path, orders)

    line = orders.line("fails")
    assert "Exception has occurred: ZeroDivisionError" in seen
    assert seen.count(f"stopped in unit_price at line {line}, point at line {line} of orders.py\n") == 2
    began = re.search(r"^process (\d+)$", seen, re.MULTILINE)
    assert began and f"\nnails: 0.03\nrope: 0.0\nglue: 2.5\n3 lines by process {began[1]}\n" in seen
