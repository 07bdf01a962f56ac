"""Whole sessions as they are on the wire, with what differs from run to run named. FIXCONT_WRITE_TRANSCRIPTS=1 writes them anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from support.dap_client import Client
from support.dap_session import launched
from support.programs import Program

Make = Callable[[str], Program]

PRICES: Final = """
def price(total, count):
    share = total / count  # @fails
    return round(share, 2)

for count in (2, 0, 4):
    print(price(12, count))  # @call
"""


def test_repair_and_restart(small_program: Make) -> None:
    with launched(small_program(PRICES)) as session:
        session.stopped(at="fails")
        session.client.request("exceptionInfo", threadId=session.thread)
        session.program.edit({"total / count": "total / (count or 1)"})
        client = session.client
        client.wait_for_event("hotcodereplace", {"changeType": "END"})
        client.wait_for_event("loadedSource")
        client.wait_for_event("invalidated")
        client.wait_for_event("output", {"category": "console"})
        session.go("restartFrame")
        session.stopped("restart", "fails")
        session.run_on()
        assert session.over() == "6.0\n12.0\n3.0\n"
        client.request("disconnect")
        client.wait_for_end()
        client.matches("repair_and_restart")


def test_a_refused_edit_and_a_value_instead(small_program: Make) -> None:
    with launched(small_program(PRICES)) as session:
        session.stopped(at="fails")
        client = session.client
        session.program.edit({"total / count": "total / )"})
        client.wait_for_event("hotcodereplace", {"changeType": "ERROR"})
        client.wait_for_event("output", {"category": "important"})
        client.failure("fixcont/retry", frameId=session.frames()[0]["id"])
        session.program.edit({"total / )  # @fails": "total / count  # @fails"})
        client.request("fixcont/install")
        session.go("fixcont/useValue", expression="0.0")
        assert session.over() == "6.0\n0.0\n3.0\n"
        client.request("disconnect")
        client.wait_for_end()
        client.matches("refused_edit")


def test_breakpoints_steps_and_values(small_program: Make) -> None:
    made = small_program(PRICES)

    def configure(client: Client) -> None:
        wanted = [{"line": made.line("fails"), "condition": "count == 2"}]
        client.request("setBreakpoints", source={"path": str(made.path)}, breakpoints=wanted)
        client.request("setExceptionBreakpoints", filters=["unhandled"])

    with launched(made, configure) as session:
        client = session.client
        session.stopped("breakpoint", "fails")
        client.request("next", threadId=session.thread)
        frame = session.stopped("step")["id"]
        client.variables(frame)
        client.request("evaluate", expression="share * 2", frameId=frame, context="watch")
        client.request("fixcont/ways", frameId=frame)
        session.run_on()
        session.stopped(at="fails")
        session.evaluate("forcereturn 1.5")
        session.over()
        client.request("disconnect")
        client.wait_for_end()
        client.matches("breakpoints_steps_values")
