"""Dead tracebacks in an IDE: `fixcont.post_mortem()` in a program that is debugged, and replaying its frames."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Final

import pytest

from support.dap_client import Client, Failed
from support.dap_session import ADAPTER, Debugging, Listening, attached, launched
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


def stale(client: Client, answer: int) -> bool:
    """Tell whether the answer to a request is that it names what is not looked at any more."""
    with pytest.raises(Failed) as failed:
        client.response(answer)
    return failed.value.code == "stale-reference"


def test_what_is_sent_before_another_exception_is_looked_at_is_not_done_in_the_frames_of_that(small_program: Make) -> None:
    with launched(small_program(CHAINED)) as session:
        client = session.client
        session.stopped(at="again")
        session.evaluate("exceptions 0")
        first, _, outermost = [each["id"] for each in session.frames()]
        answer = client.send("evaluate", expression="exceptions 1", frameId=first, context="repl")
        sent = [
            client.send("scopes", frameId=outermost),  # the stop that is looked at then has no frame with this index
            client.send("evaluate", expression="text", frameId=first, context="hover"),
            client.send("completions", text="te", column=3, frameId=first),
            client.send("setExpression", expression="text", value="'2'", frameId=first),
            client.send("fixcont/ways", frameId=first),
            client.send("stepInTargets", frameId=first),
        ]
        client.response(answer)
        assert all(stale(client, each) for each in sent)
        assert session.evaluate("text") == "'1x'"
        assert client.failure("scopes", frameId=first).code == "stale-reference"


#: Two exceptions of a chain that have been in frames of the same functions, at the same lines.
RETRIED: Final = """
import fixcont

class Box:
    def __init__(self, n):
        self.inside = n

def attempt(n):
    box = Box(n)
    return n / 0  # @fails

def entry():
    before = None
    for n in (1, 2):
        try:
            attempt(n)
        except ZeroDivisionError as error:
            error.__cause__, before = before, error
    fixcont.post_mortem(before)

entry()
print("end")
"""


def test_two_stops_that_look_alike_have_frames_and_values_of_their_own(small_program: Make) -> None:
    with launched(small_program(RETRIED)) as session:
        client = session.client
        later = session.stopped(at="fails")["id"]
        scope = client.request("scopes", frameId=later)["scopes"][0]["variablesReference"]
        box = client.request("evaluate", expression="box", frameId=later, context="watch")["variablesReference"]
        answer = client.send("evaluate", expression="exceptions 0", frameId=later, context="repl")
        sent = [
            client.send("scopes", frameId=later),
            client.send("variables", variablesReference=scope),
            client.send("setVariable", variablesReference=scope, name="n", value="n + 100"),
            client.send("setVariable", variablesReference=box, name="inside", value="n + 100"),
        ]
        client.response(answer)
        assert all(stale(client, each) for each in sent)
        for reference in (scope, box):  # and what is sent afterwards
            assert client.failure("setVariable", variablesReference=reference, name="n", value="7").code == "stale-reference"
        earlier = session.frames()[0]["id"]
        assert earlier != later
        assert session.evaluate("n, box.inside") == "(1, 1)"
        session.evaluate("exceptions 1")
        assert session.evaluate("n, box.inside") == "(2, 2)"
        assert client.failure("scopes", frameId=earlier).code == "stale-reference"
        session.run_on()
        assert session.over() == "end\n"


def test_a_value_that_follows_the_command_in_one_input_is_of_the_frame_that_it_has_selected(small_program: Make) -> None:
    with launched(small_program(CHAINED)) as session:
        client = session.client
        session.stopped(at="again")
        session.evaluate("exceptions 0")
        outermost = session.frames()[2]["id"]
        shown = client.request("evaluate", expression="exceptions 1\n[text]", frameId=outermost, context="repl")
        told = client.request("setVariable", variablesReference=shown["variablesReference"], name="[0]", value="text * 2")
        assert told["value"] == "'1x1x'"


def test_a_client_without_the_event_invalidated_is_told_of_the_stop_anew(small_program: Make) -> None:
    made = small_program(CHAINED)
    with Client.stdio(ADAPTER, folder=made.folder) as client:
        client.request("initialize", adapterID="fixcont", pathFormat="path", linesStartAt1=True, columnsStartAt1=True)
        started = client.send("launch", program=str(made.path))
        client.wait_for_event("initialized")
        client.request("configurationDone")
        client.response(started)
        was = client.stopped("exception")
        number = was["threadId"]
        frame = client.frames(number)[0]["id"]
        client.request("evaluate", expression="exceptions", frameId=frame, context="repl")
        client.no_event("stopped")
        client.request("evaluate", expression="exceptions 0", frameId=frame, context="repl")
        told = client.stopped("exception")
        assert (told["threadId"], told["allThreadsStopped"]) == (number, was["allThreadsStopped"])
        assert told["text"].startswith("ValueError") and was["text"].startswith("LookupError")
        assert [each["name"] for each in client.frames(number)] == ["amount", "entry", "<module>"]
        assert not client.events("invalidated")
        client.request("continue", threadId=number)
        client.wait_for_event("terminated")
        client.no_event("stopped")


@pytest.mark.parametrize("raised", ['LookupError("no amount") from error', 'ExceptionGroup("no amount", [error]) from None'])
def test_the_details_have_the_lines_that_ran_where_it_came_from_a_file_that_was_edited(small_program: Make, raised: str) -> None:
    made = small_program(CHAINED.replace("def amount(text):\n    return int(text)  # @fails\n", "from parsing import amount\n"))
    made.edit({'LookupError("no amount") from error': raised, "except LookupError": "except Exception"})
    parsing = made.other("parsing.py")
    parsing.path.write_text("def amount(text):\n    return int(text)  # @parses\n", encoding="utf-8")
    with launched(made) as session:
        session.stopped(at="again")
        parsing.edit({"def amount": "# It was edited.\n\ndef amount", "int(text)": "float(text)"})
        session.installed()
        shown = session.client.request("exceptionInfo", threadId=session.thread)["details"]["stackTrace"]
        assert "return int(text)  # @parses" in shown, shown
        assert "float" not in shown and "edited" not in shown


KEPT: Final = """
import gc
import sys
import weakref
import fixcont

class Value:
    pass

def make(way):
    value = way()
    print("making", flush=True)
    open(sys.argv[0] + ".gate").read()
    return value

try:
    make(lambda: 1 / 0)
except ZeroDivisionError:
    found = weakref.ref(fixcont.post_mortem())
gc.collect()
print("kept", found() is not None)
"""


def test_what_a_replay_gives_is_not_kept_where_the_client_has_gone_meanwhile(small_program: Make) -> None:
    made = small_program(KEPT)
    gate = f"{made.path}.gate"
    os.mkfifo(gate)
    with Listening(made) as listening:
        with attached(listening, made) as session:
            session.stopped()
            session.go("fixcont/replay", "make", arguments={"way": "Value"})
            listening.line("making")
            session.client.request("disconnect", terminateDebuggee=False)
        with open(gate, "w", encoding="utf-8"):  # it waits for somebody who writes
            pass
        assert listening.over() == "making\nkept False\n"
