"""Fix and continue from an IDE: the program stops, its file is saved, and the live frame goes on. The process stays the same.

Loops that are kept run over iterators: over lists and tuples 3.15 cannot keep them (`loop-index`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

import pytest

from support.dap_session import Debugging, launched
from support.programs import Program

Make = Callable[[str], Program]


class Case(NamedTuple):
    """A program that fails in one kind of frame.

    Attributes:
        text: fails at the line `@fails`; the first line of what is restarted is `@first`.
        edit: mends it.
        restarted: what it prints when the frame is restarted on the new code.
        retried: what it prints when the frame goes on at the failing statement.
        frame: of the function that is to go on.
    """

    text: str
    edit: Mapping[str, str]
    restarted: str
    retried: str
    frame: str


def case(text: str, edit: Mapping[str, str], restarted: str, retried: str, frame: str) -> Case:
    whole = f'import os\nprint("start", os.getpid())\n{text.strip()}\nprint("end", os.getpid())\n'
    return Case(whole, edit, restarted, retried, frame)


CASES: Final = {
    "function": case(
        """
def price(total, count):
    calls.append(count)  # @first
    return total / count  # @fails

calls = []
for count in (2, 0, 4):
    print(price(12, count))
print("calls", calls)
""",
        {"total / count": "total / (count or 1)"},
        "6.0\n12.0\n3.0\ncalls [2, 0, 0, 4]\n",
        "6.0\n12.0\n3.0\ncalls [2, 0, 4]\n",
        "price",
    ),
    "method": case(
        """
class Account:
    seen = 0
    def fee(self, amount):
        self.seen += 1  # @first
        return amount * self.rate  # @fails

account = Account()
bound = account.fee
print(bound(10), account.seen)
""",
        {"self.rate": "2"},
        "20 2\n",
        "20 1\n",
        "fee",
    ),
    "decorated function": case(
        """
import functools
seen = []
def logged(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)
    return wrapper

@functools.lru_cache(maxsize=None)
@logged
def parse(text):
    seen.append(text)  # @first
    return int(text)  # @fails

print(parse("12"), parse("1f"), parse("12"), seen)
""",
        {"int(text)": "int(text, 16 if 'f' in text else 10)"},
        "12 31 12 ['12', '1f', '1f']\n",
        "12 31 12 ['12', '1f']\n",
        "parse",
    ),
    "generator": case(
        """
def readings(lines):
    print("begin")  # @first
    for line in lines:
        yield float(line)  # @fails

stream = readings(iter(["1.5", "n/a", "2.5"]))
held = stream
print(list(stream), held is stream)
""",
        {"float(line)": "float(line.replace('n/a', '0'))"},
        # what it has taken out of the iterator is gone, where it begins anew
        "begin\nbegin\n[1.5, 2.5] True\n",
        "begin\n[1.5, 0.0, 2.5] True\n",
        "readings",
    ),
    "coroutine in a task": case(
        """
import asyncio
async def answer(item):
    await asyncio.sleep(0)  # @first
    print("asked", item)
    return int(item)  # @fails

async def main():
    return await asyncio.gather(*(asyncio.create_task(answer(item)) for item in ("1", "two", "3")))

print(asyncio.run(main()))
""",
        {"int(item)": "int(item) if item.isdigit() else 2"},
        "asked 1\nasked two\nasked 3\nasked two\n[1, 2, 3]\n",
        "asked 1\nasked two\nasked 3\n[1, 2, 3]\n",
        "answer",
    ),
    "thread": case(
        """
import threading
found = []
def work(text):
    found.append(text)  # @first
    found.append(int(text))  # @fails

thread = threading.Thread(target=work, args=("7a",), name="worker")
thread.start()
thread.join()
print(found)
""",
        {"int(text)": "int(text, 16)"},
        "['7a', '7a', 122]\n",
        "['7a', 122]\n",
        "work",
    ),
    "recursion": case(
        """
calls = 0
def size(node):
    global calls  # the first line that runs is the next
    calls += 1  # @first
    return sum(map(size, node[1:])) + node[0]  # @fails

print(size([1, [2, [3], [None, [4]]], [5]]), calls)
""",
        {"+ node[0]": "+ (node[0] or 0)"},
        # [None, [4]] is restarted, and with it [4]
        "15 8\n",
        "15 7\n",
        "size",
    ),
    "loops and with": case(
        """
import contextlib
@contextlib.contextmanager
def opened(name):
    print("open", name)
    yield name
    print("closed", name)

def table(rows):
    total = 0  # @first
    for number, row in enumerate(rows):
        with opened(number):
            for cell in iter(row):
                total += int(cell)  # @fails
    return total

print(table(["12", "3x", "45"]))
""",
        {"int(cell)": "int(cell.replace('x', '0'))"},
        # the block that is open is left as it is at an exception: its generator does not get beyond its yield
        "open 0\nclosed 0\nopen 1\nopen 0\nclosed 0\nopen 1\nclosed 1\nopen 2\nclosed 2\n15\n",
        "open 0\nclosed 0\nopen 1\nclosed 1\nopen 2\nclosed 2\n15\n",
        "table",
    ),
    "closure": case(
        """
def make(rate):
    count = 0
    def charge(amount):
        nonlocal count
        count += 1  # @first
        return amount * rates[rate], count  # @fails
    return charge

rates = {"low": 1}
charge = make("high")
print(charge(10), charge(20))
""",
        {"rates[rate]": "rates.get(rate, 3)"},
        "(30, 2) (60, 3)\n",
        "(30, 1) (60, 2)\n",
        "charge",
    ),
    "super": case(
        """
class Base:
    def fee(self, amount):
        return amount + 1

class Business(Base):
    def fee(self, amount):
        base = super().fee(amount)  # @first
        return base + self.extra  # @fails

print(Business().fee(1))
""",
        {"base + self.extra": "base + super().fee(10)"},
        "13\n",
        "13\n",
        "fee",
    ),
}  # fmt: skip

MODULE: Final = """
import os; print("start", os.getpid())
rows = []
for text in iter(("1", "two", "3")):
    rows.append(int(text))  # @fails
print(rows)
print("end", os.getpid())
"""


def stopped_and_saved(session: Debugging, edit: Mapping[str, str]) -> None:
    frame = session.stopped(at="fails")
    assert frame["canRestart"]
    assert session.save(edit)["message"].startswith("installed: ")


@pytest.mark.parametrize("name", CASES)
def test_restart_frame_stops_at_the_first_line_and_runs_on(small_program: Make, name: str) -> None:
    text, edit, printed, _, frame = CASES[name]
    with launched(small_program(text)) as session:
        stopped_and_saved(session, edit)
        session.go("restartFrame", frame)
        assert session.stopped("restart", "first")["name"].endswith(frame)
        session.run_on()
        assert session.ends_as_one_process() == printed


@pytest.mark.parametrize("name", CASES)
def test_retry_goes_on_at_the_failing_statement(small_program: Make, name: str) -> None:
    text, edit, _, printed, frame = CASES[name]
    with launched(small_program(text)) as session:
        stopped_and_saved(session, edit)
        session.go("fixcont/retry", frame)
        assert session.ends_as_one_process() == printed


def test_goto_leads_into_edited_code_and_stops_there(small_program: Make) -> None:
    text, edit, _, printed, _ = CASES["loops and with"]
    with launched(small_program(text)) as session:
        session.stopped(at="fails")
        session.program.edit(
            {**edit, "                total +=": "                print('cell', cell)  # @new\n                total +="}
        )
        session.goto("new")
        assert session.stopped("goto", "new")["name"] == "table"
        assert session.client.variables(session.frames()[0]["id"])["total"] == "6"
        session.run_on()
        output = session.ends_as_one_process()
        assert "cell x\ncell 4\ncell 5\n" in output.replace("closed 1\nopen 2\n", "")
        assert [line for line in output.splitlines() if not line.startswith("cell")] == printed.splitlines()


def test_goto_where_nobody_stands_is_refused(small_program: Make) -> None:
    with launched(small_program(CASES["function"].text)) as session:
        session.stopped(at="fails")
        path = {"path": str(session.program.path)}
        assert session.client.failure("gotoTargets", source=path, line=1000).code == "no-such-line"
        assert session.client.failure("gotoTargets", source={"path": "/nowhere.py"}, line=5).code == "no-statement"
        assert session.client.failure("goto", threadId=session.thread, targetId=987654).code == "stale-reference"
        session.go("fixcont/returnFromFrame", expression="0")
        assert session.ends_as_one_process() == "6.0\n0\n3.0\ncalls [2, 0, 4]\n"


def test_goto_in_a_function_further_out(small_program: Make) -> None:
    text = """
import os
print("start", os.getpid())
def inner(key):
    return {}[key]
def outer():
    found = []
    for key in "ab":
        found.append(inner(key))  # @call
        found.append(key)
    return found  # @last
print(outer())
print("end", os.getpid())
"""
    with launched(small_program(text)) as session:
        session.stopped()
        session.goto("last")
        session.stopped("goto", "last")
        session.client.request("next", threadId=session.thread)
        session.stopped("step")
        session.run_on()
        assert session.ends_as_one_process() == "[]\n"


def test_restart_runs_on_without_a_stop(small_program: Make) -> None:
    text, edit, printed, _, frame = CASES["super"]
    with launched(small_program(text)) as session:
        stopped_and_saved(session, edit)
        session.go("fixcont/restart", frame)
        assert session.ends_as_one_process() == printed


def test_restart_of_a_caller_runs_the_finally_blocks_on_the_way(small_program: Make) -> None:
    text = """
import os
print("start", os.getpid())
def inner(text):
    try:
        return int(text)  # @fails
    finally:
        print("left")
def outer(text):
    print("begin")  # @first
    return inner(text)
print(outer("x"))
print("end", os.getpid())
"""
    with launched(small_program(text)) as session:
        stopped_and_saved(session, {"inner(text)\nprint(": "inner(text.replace('x', '5'))\nprint("})
        session.go("restartFrame", "outer")
        session.stopped("restart", "first")
        session.run_on()
        assert session.ends_as_one_process() == "begin\nleft\nbegin\nleft\n5\n"


def test_a_finally_block_that_fails_on_the_way_is_a_stop_of_its_own(program: Make) -> None:
    text = """
import os
print("start", os.getpid())
def inner(text):
    try:
        return int(text)  # @fails
    finally:
        print({}["gone"])  # @finally
def outer(text):
    return inner(text)
print(outer("x"))
print("end", os.getpid())
"""
    made = program("unhandled")
    made.path.write_text(text, encoding="utf-8")
    with launched(made) as session:
        session.stopped(at="fails")
        session.save({"{}": "{'gone': 1}", "inner(text)\nprint(": "inner('5')\nprint("})
        session.go("restartFrame", "outer")
        # the frame that is left runs its old code
        frame = session.stopped()
        assert frame["name"] == "inner (old version)"
        session.go("fixcont/restart", "outer")
        assert session.ends_as_one_process() == "1\n5\n"


def test_retry_in_the_module_itself(small_program: Make) -> None:
    with launched(small_program(MODULE)) as session:
        session.stopped(at="fails")
        session.save({"int(text)": "int(text.replace('two', '2'))"})
        session.go("fixcont/retry")
        assert session.ends_as_one_process() == "[1, 2, 3]\n"


def test_restart_of_the_module_runs_it_again_in_its_globals(small_program: Make) -> None:
    text = """
try:
    rows.append("again")
except NameError:
    rows = []
print("begin", rows)  # @begin
int("x" if not rows else "1")  # @fails
print("done")
"""
    with launched(small_program(text)) as session:
        assert session.stopped(at="fails")["name"] == "<module>"
        session.go("restartFrame")
        session.stopped("restart")
        session.run_on()
        assert session.over() == "begin []\nbegin ['again']\ndone\n"


def test_retry_that_fails_again_is_a_new_stop(small_program: Make) -> None:
    text, edit, _, printed, _ = CASES["function"]
    with launched(small_program(text)) as session:
        first = session.stopped(at="fails")["id"]
        session.go("fixcont/retry")
        session.stopped(at="fails")
        assert session.client.failure("fixcont/retry", frameId=first).code == "stale-reference"
        session.save(edit)
        session.go("fixcont/retry")
        assert session.ends_as_one_process() == printed


LOOP: Final = """
import os
print("start", os.getpid())
def total(texts):
    found = 0
    for text in iter(texts):
        found += int(text)  # @fails
        print("added", text)  # @behind
    return found
def main():
    try:
        print(total(["1", "x", "3"]))
    except OSError as error:
        print("handled", error)
main()
print("end", os.getpid())
"""


@pytest.mark.parametrize(
    ("command", "arguments", "printed"),
    [
        ("skip", {}, "added 1\nadded x\nadded 3\n4\n"),
        ("useValue", {"expression": "len(text) * 10"}, "added 1\nadded x\nadded 3\n14\n"),
        ("returnFromFrame", {"expression": "found + 100"}, "added 1\n101\n"),
        ("throw", {"expression": "OSError('on purpose')", "frame": "main"}, "added 1\nhandled on purpose\n"),
        ("throw", {"expression": "OSError"}, "added 1\nhandled \n"),
        ("resume", {"line": 8}, "added 1\nadded x\nadded 3\n4\n"),
    ],
)
def test_other_ways_to_go_on(small_program: Make, command: str, arguments: dict[str, object], printed: str) -> None:
    with launched(small_program(LOOP)) as session:
        session.stopped(at="fails")
        session.go(f"fixcont/{command}", **arguments)  # type: ignore[arg-type]
        assert session.ends_as_one_process() == printed


def test_a_value_that_fails_leaves_the_stop_as_it_is(small_program: Make) -> None:
    with launched(small_program(LOOP)) as session:
        session.stopped(at="fails")
        number = session.frames()[0]["id"]
        for command in ("useValue", "returnFromFrame", "throw"):
            failed = session.client.failure(f"fixcont/{command}", frameId=number, expression="1 / 0")
            assert failed.code == "evaluation-failed"
            assert "ZeroDivisionError" in failed.message
            assert failed.error["showUser"]
        assert session.client.failure("fixcont/throw", frameId=number, expression="42").code == "not-an-exception"
        assert "SyntaxError" in session.client.failure("fixcont/useValue", frameId=number, expression="1 +").message
        session.client.request("fixcont/useValue", frameId=number, expression="5")
        assert session.ends_as_one_process() == "added 1\nadded x\nadded 3\n9\n"


def test_the_ways_are_listed_with_the_reasons_of_those_that_are_closed(small_program: Make) -> None:
    with launched(small_program(LOOP)) as session:
        session.stopped(at="fails")
        ways = {each["name"]: each for each in session.client.request("fixcont/ways", frameId=session.frames()[0]["id"])["ways"]}
        assert set(ways) >= {"restartFrame", "retry", "skip", "returnFromFrame", "useValue", "throw", "resume", "undo", "create"}
        assert {name for name, way in ways.items() if not way["enabled"]} == {"undo", "create"}
        assert all(way["enabled"] or way["reason"] for way in ways.values())
        session.go("fixcont/skip")
        session.ends_as_one_process()


def test_undo_in_the_process_and_in_the_files(small_program: Make) -> None:
    text, edit, _, _, _ = CASES["function"]
    with launched(small_program(text)) as session:
        session.stopped(at="fails")
        assert session.client.failure("fixcont/undo").code == "nothing-to-undo"
        before = session.program.text
        session.save(edit)
        assert any("price" in line for line in session.client.request("fixcont/undo", files=True)["lines"])
        assert session.program.text == before
        session.go("fixcont/retry")
        session.stopped(at="fails")
        session.save({"total / count": "-1"})
        session.go("fixcont/retry")
        assert session.ends_as_one_process() == "6.0\n-1\n-1\ncalls [2, 0, 4]\n"


def test_create_writes_what_is_missing_and_goes_on(small_program: Make) -> None:
    text = """
import os
print("start", os.getpid())
def main():
    print(discount(3, rate=2))  # @fails
main()
print("end", os.getpid())
"""
    with launched(small_program(text)) as session:
        session.stopped(at="fails")
        session.go("fixcont/create")
        session.stopped()
        assert "def discount(" in session.program.text
        session.program.path.write_text(session.program.text.replace("raise NotImplementedError", "return 6 #"), encoding="utf-8")
        session.installed()
        session.go("fixcont/restart", "discount")
        assert session.ends_as_one_process() == "6\n"


def test_what_cannot_be_restarted_says_why_and_touches_nothing(small_program: Make) -> None:
    text = """
import os
print("start", os.getpid())
def key(item):
    del item.x
    return item.missing  # @fails
class Item:
    x = 1
    def __init__(self):
        self.x = 2
print([each for each in sorted([Item()], key=lambda item: key(item))] and "sorted")
print("end", os.getpid())
"""
    with launched(small_program(text)) as session:
        session.stopped(at="fails")
        frames = session.frames()
        client = session.client
        for frame in frames:
            ways = client.request("fixcont/ways", frameId=frame["id"])["ways"]
            restart = next(each for each in ways if each["name"] == "restartFrame")
            assert restart["enabled"] is frame["canRestart"]
            if not frame["canRestart"]:
                assert client.failure("restartFrame", frameId=frame["id"]).message
        assert client.frames(session.thread) == frames
        session.go("fixcont/returnFromFrame", expression="1")
        assert session.ends_as_one_process() == "sorted\n"


def test_an_exception_that_goes_on_ends_the_program_as_without_us(small_program: Make) -> None:
    with launched(small_program(CASES["function"].text)) as session:
        session.stopped(at="fails")
        session.run_on()
        assert session.over(1).endswith("6.0\n")
        errors = session.client.output("stderr")
        assert errors.endswith("ZeroDivisionError: division by zero\n")
        assert "fixcont" not in errors


def test_two_threads_that_fail_at_once_are_mended_by_one_save(program: Make) -> None:
    with launched(program("threads")) as session:
        session.stopped(at="fails")
        first = session.thread
        session.stopped(at="fails")
        assert {"first", "second", "background", "MainThread"} <= {
            each["name"] for each in session.client.request("threads")["threads"]
        }
        session.save({"int(text)": "int(text, 16)"})
        session.go("fixcont/restart")
        frame = session.client.frames(first)[0]["id"]
        session.client.request("fixcont/retry", frameId=frame)
        assert session.over() == "results [('counted', True), ('first', 26), ('second', 43)]\n"


def test_clients_of_one_event_loop(program: Make) -> None:
    with launched(program("asyncio_program")) as session:
        session.stopped(at="fails")
        session.save({"int(answer)": "int(answer.split()[0])"})
        session.go("fixcont/retry")
        assert "totals [7, 15, 4] finished 3" in session.ends_as_one_process()


def test_no_frames_are_left_behind_by_many_restarts(program: Make) -> None:
    with launched(program("recursion")) as session:
        session.stopped(at="fails")
        depth = len(session.frames())
        for _ in range(5):
            session.go("fixcont/restart")
            session.stopped(at="fails")
        assert len(session.frames()) == depth
        session.save({'node["size"]': 'node.get("size", 7)'})
        session.go("fixcont/retry")
        assert session.over() == "total 187 calls 126\n"
