"""Fix and continue from an IDE: the program stops, its file is saved, and the live frame goes on. The process stays the same."""

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
            for cell in row:
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
for text in ("1", "two", "3"):
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
