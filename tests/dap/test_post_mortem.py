"""Dead tracebacks in an IDE: `fixcont.post_mortem()` in a program that is debugged, and replaying its frames."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest

from support.dap_client import Failed
from support.dap_session import Debugging, launched
from support.programs import Program

Make = Callable[[str], Program]

REPORT: Final = """
import fixcont

def divide(total, count):
    return total / count  # @fails

def report(rows):
    found = []
    for row in rows:
        found.append(divide(12, row))  # @call
    return found

try:
    print("report", report([3, 0, 4]))
except ZeroDivisionError:
    print("given", fixcont.post_mortem())
print("end")
"""
FIXED: Final = {"total / count  # @fails": "total / count if count else -1"}


def ways(session: Debugging, frame: str) -> dict[str, tuple[bool, str]]:
    found = session.client.request("fixcont/ways", frameId=session.frame(frame)["id"])["ways"]
    return {each["name"]: (each["enabled"], each["reason"]) for each in found}


def replayed(session: Debugging) -> dict[str, str]:
    """Wait until the post-mortem stop is shown again. Returns what belongs to that."""
    session.client.wait_for_event("continued")
    return session.client.variables(session.stopped()["id"], "Stop")


def test_a_dead_traceback_is_shown_and_replayed(small_program: Make) -> None:
    with launched(small_program(REPORT)) as session:
        client = session.client
        frame = session.stopped(at="fails")
        assert client.events("stopped")[-1]["description"].startswith("Post-mortem of ZeroDivisionError")
        assert not frame["canRestart"]
        assert client.variables(session.frame("report")["id"])["found"] == "[4.0]"
        assert session.evaluate("[total, count]") == "[12, 0]"
        told = ways(session, "divide")
        assert told["replay"] == (True, "") and told["replayRetry"][0]
        assert "has unwound already" in told["retry"][1] and not told["restartFrame"][0]
        for command in ("restartFrame", "fixcont/retry", "fixcont/skip"):
            assert client.failure(command, frameId=frame["id"]).code == "post-mortem"
        assert client.failure("next", threadId=session.thread).code == "post-mortem"

        session.go("fixcont/replay", arguments={"count": "len('abcd')"})
        assert replayed(session)["(replay) divide"] == "3.0"
        session.go("fixcont/replay")  # fails again, alive this time
        client.wait_for_event("continued")
        assert session.stopped(at="fails")["canRestart"]
        assert client.failure("fixcont/replay", frameId=session.frames()[0]["id"]).code == "not-post-mortem"
        session.save(FIXED)
        session.go("fixcont/restart")
        assert replayed(session)["(replay) divide"] == "-1"
        assert "divide returned -1" in client.output("console")

        session.go("fixcont/replay", "report", retry=True)
        assert replayed(session)["(replay) report"] == "[4.0, -1, 3.0]"
        session.go("fixcont/replay", outward=True)
        shown = replayed(session)
        assert shown["(replay) report"] == "[4.0, -1, 3.0, -1, 3.0]"  # the list is the one that the replay before went on with
        assert "report went on to its end" in client.output("console")
        session.run_on()
        assert session.over() == "given [4.0, -1, 3.0, -1, 3.0]\nend\n"


def test_the_debug_console_replays_too(small_program: Make) -> None:
    made = small_program(REPORT)
    with launched(made) as session:
        client = session.client
        number = session.stopped(at="fails")["id"]
        assert client.failure("evaluate", expression="retry", frameId=number, context="repl").code == "post-mortem"
        failed = client.failure("fixcont/replay", frameId=number, line=1)
        assert failed.code == "no-such-line", failed
        assert client.failure("fixcont/replay", frameId=number, retry=True, arguments={"count": "1"}).code == "bad-arguments"
        assert client.failure("fixcont/replay", frameId=number, arguments={"other": "1"}).code == "no-parameter"
        assert client.failure("fixcont/replay", frameId=number, arguments={"count": "1 / 0"}).code == "evaluation-failed"
        for wrong in ({"arguments": {"count": 1}}, {"arguments": [1]}, {"line": "3"}):
            message = {"type": "request", "command": "fixcont/replay", "arguments": {"frameId": number, **wrong}}
            sent = client.send_message(message, check=False)
            with pytest.raises(Failed, match="bad-arguments"):
                client.response(sent)
        session.evaluate("replay count=6")
        assert replayed(session)["(replay) divide"] == "2.0"
        made.edit(FIXED)
        session.evaluate("replay --retry")
        assert replayed(session)["(replay) divide"] == "-1"
        assert session.evaluate("quit") == ""
        assert session.over() == "given -1\nend\n"


TWO: Final = """
import threading
import fixcont

def dies(n):
    try:
        n / 0
    except ZeroDivisionError:
        fixcont.post_mortem()

threads = [threading.Thread(target=dies, args=(n,)) for n in (1, 2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("end")
"""


def test_several_threads_are_at_dead_tracebacks_at_once(small_program: Make) -> None:
    with launched(small_program(TWO)) as session:
        client = session.client
        numbers = {client.stopped("exception")["threadId"] for _ in range(2)}
        assert len(numbers) == 2
        found = {client.variables(client.frames(number)[0]["id"])["n"] for number in numbers}
        assert found == {"1", "2"}
        for number in numbers:
            client.request("continue", threadId=number)
        assert session.over() == "end\n"


CHAINED: Final = """
import fixcont

def amount(text):
    return int(text)  # @fails

def entry(text):
    try:
        return amount(text)
    except ValueError as error:
        raise LookupError("no amount") from error  # @again

try:
    entry("1x")
except LookupError:
    print("given", fixcont.post_mortem())
"""


def test_the_exception_that_led_to_the_one_that_was_raised_is_repaired(small_program: Make) -> None:
    made = small_program(CHAINED)
    with launched(made) as session:
        client = session.client
        number = session.stopped(at="again")["id"]
        session.evaluate("exceptions")
        assert ">   1 LookupError('no amount')" in client.output("console")
        session.evaluate("exceptions 0")
        client.wait_for_event("invalidated", {"areas": ["all"]})
        assert client.failure("scopes", frameId=number).code == "stale-reference"
        top = session.frames()[0]
        assert (top["name"], top["line"]) == ("amount", made.line("fails"))
        assert session.evaluate("text") == "'1x'"
        assert ways(session, "amount")["replay"] == (True, "")
        session.save({"int(text)": "int(text[0])"})
        session.go("fixcont/replay", outward=True)
        assert replayed(session)["(replay) entry"] == "1"
        assert session.frames()[0]["name"] == "amount (old version)"
        session.evaluate("exceptions 1")
        assert session.frames()[0]["name"] == "entry"
        session.run_on()
        assert session.over() == "given 1\n"
