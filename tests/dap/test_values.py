"""Values in an IDE: looked at page by page, changed, evaluated; whatever they are, nothing blocks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from support.dap_client import Client, Failed
from support.dap_session import Debugging, launched
from support.programs import Program, write_program

Make = Callable[[str], Program]

TEXT: Final = """
import threading

class Point:
    kind = "point"
    def __init__(self, x):
        self.x = x

class Slow:
    def __repr__(self):
        while True:
            pass

class Raising:
    def __repr__(self):
        raise LookupError("no repr")
    @property
    def bad(self):
        raise LookupError("no property")

class Exiting:
    def __repr__(self):
        raise SystemExit(3)

class Asleep:
    def __repr__(self):
        threading.Event().wait()

class Long:
    def __repr__(self):
        return "long " * 1000000

async def answer():
    return 42

count = 100

def fail(number, text="abc"):
    numbers = list(range(1000000))
    names = {"one": 1, "two": [1, 2], 3: "three"}
    point = Point(5)
    fixed = (1, [2])
    cyclic = [1]
    cyclic.append(cyclic)
    slow, raising, exiting, asleep, long = Slow(), Raising(), Exiting(), Asleep(), Long()
    many = [Slow() for _ in range(100)]
    text_of_lines = "first\\nsecond"
    huge = 7 ** 100000
    def inner():
        return number
    raise ValueError("on purpose") from KeyError("cause")  # @fails

try:
    fail(255)
except ValueError:
    print("over", count)
"""


@pytest.fixture
def session(tmp_path: Any) -> Iterator[Debugging]:
    """A program that is held at its exception, and goes on afterwards as if nobody had looked."""
    with launched(write_program(tmp_path / "program", TEXT), stop="raised") as session:
        session.stopped(at="fails")
        yield session
        session.run_on()
        session.over()


def scope(session: Debugging, name: str = "Locals", frame: str = "fail") -> int:
    scopes = session.client.request("scopes", frameId=session.frame(frame)["id"])["scopes"]
    found: int = next(each["variablesReference"] for each in scopes if each["name"] == name)
    return found


def rows(client: Client, reference: int, **arguments: Any) -> dict[str, dict[str, Any]]:
    found = client.request("variables", variablesReference=reference, **arguments)["variables"]
    return {each["name"]: each for each in found}


def test_values_of_any_kind_within_the_time_limits(session: Debugging) -> None:
    begun = time.monotonic()
    found = rows(session.client, scope(session))
    assert time.monotonic() - begun < 8  # each look has a limit, and all of them together
    assert found["number"]["value"] == "255"
    assert found["text"]["value"] == "'abc'"
    assert found["slow"]["value"].endswith("(its repr takes too long)")
    assert found["raising"]["value"].endswith("(its repr fails: LookupError)")
    assert "SystemExit" in found["exiting"]["value"] or "Exiting" in found["exiting"]["value"]
    assert "Asleep" in found["asleep"]["value"]
    assert len(found["long"]["value"]) < 2000
    assert "..." in found["cyclic"]["value"] or "…" in found["cyclic"]["value"]
    assert len(found["numbers"]["value"]) < 2000
    assert len(found["huge"]["value"]) < 10000
    assert found["numbers"]["indexedVariables"] == 1000000
    assert session.client.output() == ""


def test_another_request_is_answered_while_a_value_takes_its_time(session: Debugging) -> None:
    client = session.client
    reference = scope(session)
    slow = client.send("variables", variablesReference=reference)
    client.request("threads")
    assert client.request("stackTrace", threadId=session.thread, levels=1)["totalFrames"]
    client.response(slow)


def test_pages_of_a_long_list(session: Debugging) -> None:
    client = session.client
    numbers = rows(client, scope(session))["numbers"]["variablesReference"]
    page = rows(client, numbers, filter="indexed", start=500000, count=3)
    assert [row["value"] for row in page.values()] == ["500000", "500001", "500002"]
    assert page["[500001]"]["evaluateName"] == "numbers[500001]"
    assert session.evaluate(page["[500001]"]["evaluateName"], "watch") == "500001"
    assert len(client.request("variables", variablesReference=numbers)["variables"]) <= 1001
    assert len(rows(client, numbers, filter="indexed", start=999999, count=10)) == 1


def test_a_cycle_is_followed_as_deep_as_the_client_likes(session: Debugging) -> None:
    reference = rows(session.client, scope(session))["cyclic"]["variablesReference"]
    for _ in range(20):
        reference = rows(session.client, reference, filter="indexed")["[1]"]["variablesReference"]
    assert rows(session.client, reference, filter="indexed")["[0]"]["value"] == "1"


def test_properties_that_raise_are_not_run(session: Debugging) -> None:
    found = rows(session.client, scope(session))["raising"]
    if found["variablesReference"]:
        rows(session.client, found["variablesReference"])
    assert (
        "LookupError: no property"
        in session.client.failure(
            "evaluate", expression="raising.bad", frameId=session.frames()[0]["id"], context="watch"
        ).message
    )


def test_variables_are_set_wherever_they_are(session: Debugging) -> None:
    client = session.client
    reference = scope(session)
    assert client.request("setVariable", variablesReference=reference, name="number", value="number + 1")["value"] == "256"
    assert session.evaluate("inner()", "watch") == "256"
    found = rows(client, reference)
    names = found["names"]["variablesReference"]
    key = next(name for name in rows(client, names) if "one" in name)
    client.request("setVariable", variablesReference=names, name=key, value="'changed'")
    client.request("setVariable", variablesReference=found["numbers"]["variablesReference"], name="[7]", value="-7")
    client.request("setVariable", variablesReference=found["point"]["variablesReference"], name="x", value="[1]")
    assert session.evaluate("(names['one'], numbers[7], point.x)", "watch") == "('changed', -7, [1])"
    assert client.failure("setVariable", variablesReference=found["fixed"]["variablesReference"], name="[0]", value="2").code
    assert client.failure("setVariable", variablesReference=reference, name="number", value="1 / 0").code == "evaluation-failed"
    assert client.failure("setVariable", variablesReference=reference, name="number", value="").code
    client.request("setVariable", variablesReference=scope(session, "Globals"), name="count", value="7")
    assert session.evaluate("count", "watch") == "7"


def test_expressions_are_set(session: Debugging) -> None:
    client = session.client
    number = session.frames()[0]["id"]
    body = client.request("setExpression", expression="point.x", value="number * 2", frameId=number)
    assert body["value"] == "510"
    client.request("setExpression", expression="names['new']", value="point", frameId=number)
    assert session.evaluate("names['new'].x", "watch") == "510"
    for wrong in ("1 + 1", "nothing.there", "point.x = 2; y"):
        assert client.failure("setExpression", expression=wrong, value="1", frameId=number).code
    assert session.evaluate("point.x", "watch") == "510"
    globals_ = scope(session, "Globals")
    named = rows(client, globals_)["count"]["evaluateName"]
    client.request("setExpression", expression=named, value="8", frameId=number)
    assert rows(client, globals_)["count"]["value"] == session.evaluate("count", "watch", frame="<module>") == "8"
    assert "count" not in rows(client, scope(session))


def test_evaluation_in_its_contexts(session: Debugging) -> None:
    client = session.client
    number = session.frames()[0]["id"]
    assert session.evaluate("number + count", "hover") == "355"
    assert session.evaluate("[n for n in numbers if n < number][-1]", "watch") == "254"
    assert session.evaluate("count", "watch", frame="<module>") == "100"
    assert "NameError" in client.failure("evaluate", expression="nothing", frameId=number, context="hover").message
    assert client.failure("evaluate", expression="x = 1", frameId=number, context="watch").code == "evaluation-failed"
    body = client.request("evaluate", expression="names", frameId=number, context="watch")
    assert len(rows(client, body["variablesReference"])) >= 3
    assert session.evaluate("text_of_lines", "clipboard") == "'first\\nsecond'"
    assert session.evaluate("numbers", "clipboard").endswith("999998, 999999]")
    assert (
        client.request("evaluate", expression="number", frameId=number, context="watch", format={"hex": True})["result"] == "0xff"
    )


def test_the_debug_console_runs_statements_and_commands(session: Debugging) -> None:
    client = session.client
    assert session.evaluate("total = 0\nfor n in numbers[:5]:\n    total += n\ntotal") == "10"
    assert session.evaluate("total + 1") == "11"
    assert session.evaluate("await answer()") == "42"
    assert session.evaluate("print('shown', number)") == ""
    client.wait_for_event("output", lambda body: "shown 255" in body["output"])
    session.evaluate("stale")
    client.wait_for_event("output", lambda body: "old code" in body["output"])
    session.evaluate("number = 1")
    assert session.evaluate("inner()") == "1"
    failed = client.failure("evaluate", expression="1 / 0", frameId=session.frames()[0]["id"], context="repl")
    assert failed.message.rstrip().endswith("ZeroDivisionError: division by zero")
    assert "SyntaxError" in client.failure("evaluate", expression="1 +", context="repl").message
    session.evaluate("help")
    client.wait_for_event("output", lambda body: "restartframe" in body["output"])


def test_completions_run_no_code(session: Debugging) -> None:
    client = session.client
    number = session.frames()[0]["id"]

    def labels(text: str) -> set[str]:
        targets = client.request("completions", text=text, column=len(text) + 1, frameId=number)["targets"]
        return {each["label"] for each in targets}

    assert "numbers" in labels("numb")
    assert {"x", "kind"} <= labels("point.")
    assert "bad" in labels("raising.b")
    assert "append" in labels("print(cyclic.ap")
    assert labels("nothing.at.all") == set()
    text = "if number:\n    cou"
    assert "count" in {
        each["label"] for each in client.request("completions", text=text, line=2, column=8, frameId=number)["targets"]
    }


def test_what_is_known_of_an_exception(session: Debugging) -> None:
    body = session.client.request("exceptionInfo", threadId=session.thread)
    assert body["exceptionId"].endswith("ValueError")
    assert "on purpose" in body["description"]
    (cause,) = body["details"]["innerException"]
    assert cause["typeName"].endswith("KeyError")
    assert "fail" in body["details"]["stackTrace"]
    (row,) = [
        each for each in session.client.request("scopes", frameId=session.frames()[0]["id"])["scopes"] if each["name"] == "Stop"
    ]
    assert "on purpose" in next(iter(rows(session.client, row["variablesReference"]).values()))["value"]


def test_groups_of_exceptions(small_program: Make) -> None:
    text = 'raise ExceptionGroup("several", [ValueError("one"), ExceptionGroup("more", [OSError("two")])])\n'
    with launched(small_program(text)) as session:
        session.stopped()
        body = session.client.request("exceptionInfo", threadId=session.thread)
        first, more = body["details"]["innerException"]
        assert "ValueError" in first["typeName"]
        assert "OSError" in more["innerException"][0]["typeName"]
        session.run_on()
        session.over(1)


def test_an_endless_evaluation_ends_with_its_time(small_program: Make) -> None:
    with launched(small_program("value = 1\nint('x')  # @fails\n"), evaluateTimeout=0.5) as session:
        session.stopped(at="fails")
        client = session.client
        for expression in ("[None for _ in iter(int, 1) if _]", "__import__('time').sleep(1000)", "while True: value += 1"):
            failed = client.failure("evaluate", expression=expression, frameId=session.frames()[0]["id"], context="repl")
            assert failed.code == "timed-out"
            assert session.evaluate("value > 0", "watch") == "True"
        session.run_on()
        session.over(1)


@pytest.mark.parametrize("way", ["pause", "cancel"])
def test_an_endless_evaluation_is_interrupted(session: Debugging, way: str) -> None:
    client = session.client
    number = session.frames()[0]["id"]
    endless = client.send("evaluate", expression="while True: pass", frameId=number, context="repl")
    client.request("threads")
    if way == "pause":
        client.request("pause", threadId=session.thread)
    else:
        client.request("cancel", requestId=endless)
    with pytest.raises(Failed) as caught:
        client.response(endless)
    assert caught.value.code in ("interrupted", "cancelled", "evaluation-failed")
    assert session.evaluate("number", "watch") == "255"


def test_an_evaluation_in_a_thread_is_interrupted_as_well(small_program: Make) -> None:
    text = """
import threading
def work():
    int("x")  # @fails
thread = threading.Thread(target=work)
thread.start()
thread.join()
print("joined")
"""
    with launched(small_program(text), evaluateTimeout=0.5) as session:
        session.stopped(at="fails")
        number = session.frames()[0]["id"]
        assert session.client.failure("evaluate", expression="while 1: pass", frameId=number, context="repl").code == "timed-out"
        assert session.evaluate("threading.current_thread() is thread", "watch") == "True"
        session.go("fixcont/skip")
        assert session.over() == "joined\n"


def test_references_end_with_their_stop(session: Debugging) -> None:
    client = session.client
    reference = scope(session)
    number = session.frames()[0]["id"]
    session.go("fixcont/retry")
    session.stopped(at="fails")
    assert client.failure("variables", variablesReference=reference).code == "stale-reference"
    assert client.failure("scopes", frameId=number).code == "stale-reference"
    assert client.failure("evaluate", expression="1", frameId=number).code == "stale-reference"


def test_what_the_program_prints_while_something_is_evaluated(session: Debugging) -> None:
    assert session.evaluate("print('a\\nb', end='') or 5") == "5"
    session.client.wait_for_event("output", lambda body: "a\nb" in body["output"])


def test_the_console_can_leave_the_stop(small_program: Make) -> None:
    with launched(small_program("print(int('x'))  # @fails\n")) as session:
        session.stopped(at="fails")
        session.evaluate("usevalue 5")
        assert session.over() == "5\n"
