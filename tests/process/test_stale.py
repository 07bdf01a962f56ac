"""`stale` at the prompt: what still runs old code after an edit, as the user reads it, until nothing does."""

from __future__ import annotations

from collections.abc import Callable

from support.programs import Program
from support.session import DebugSession

SmallPrograms = Callable[[str], Program]

PROGRAM = """\
import functools
import threading

entered, leave = threading.Event(), threading.Event()

def rows():
    yield 1
    yield 2  # rows

@functools.cache
def rate(name):
    return len(name)  # rate

def background():
    entered.set()
    leave.wait()  # @waits
    return 1  # background

def spare():
    return 1

def job():
    return 1 / 0  # @fails

thread = threading.Thread(target=background, name="helper")
thread.start()
entered.wait()
source, handlers = rows(), {"spare": spare}
next(source), rate("a"), rate("b")
try:
    print("result", job())  # @calls
finally:
    leave.set()
    thread.join()
print("rest", list(source))
"""
REPAIRED = {
    "1 / 0": "5",
    "yield 2  # rows": "yield 20  # rows",
    "len(name)": "2 * len(name)",
    "return 1  # background": "return 2  # background",
    "def spare():\n    return 1\n\n": "\n\n\n",
    '{"spare": spare}': "{}",
}


def test_the_list_says_where_things_are_and_what_to_do(small_program: SmallPrograms) -> None:
    program = small_program(PROGRAM)
    name, waits, fails = program.path.name, program.line("waits"), program.line("fails")
    calls = program.line("calls")
    with DebugSession(program, environment={"EDITOR": "true"}) as session:
        session.stop()
        assert session.command("stale") == "nothing runs old code\n"
        program.edit(REPAIRED)
        told = session.command("fix").splitlines()
        listed = session.command("stale").splitlines()
        session.command("!rate.cache_clear()")
        session.command("!handlers.clear()")
        session.command("!globals().pop('spare')")
        shorter = session.command("stale").splitlines()
        assert session.command("fix") == "nothing changed\n"
        session.command("rf")
        ended = session.finish()

    counted = "3 frames, 1 generator and 1 function still run old code, 1 cache still holds old results"
    assert told[0] == f"installed: rows (version 2), rate (version 2), background (version 2), job (version 2); {counted}"
    assert [line[0] for line in listed[::2]] == ["1", "2", "3", "4", "5", "6"]
    assert [" ".join(line.split()[1:] if line[0].isdigit() else line.split()) for line in listed] == [
        f"frame job version 1, newest is 2 {name}:{fails}",
        'on the stack of thread MainThread; "retry" or "restartframe" in it',
        f"frame <module> version 1, newest is 2 {name}:{calls}",
        'on the stack of thread MainThread; "retry" or "restartframe" in it',
        f"frame background version 1, newest is 2 {name}:{waits}",
        "on the stack of thread helper; it ends by itself when it returns",
        f"generator rows version 1, newest is 2 {name}:7",
        "held by __main__.source; it ends by itself when it is used up",
        f"function spare version 1, no longer in the file {name}:19",
        "held by __main__.spare; take it out of where it is held",
        f"cache rate version 1, newest is 2 {name}:10",
        "2 results in the cache, held by __main__.rate; rate.cache_clear()",
    ]
    columns = {line.index("version") for line in listed[::2]}
    assert len(columns) == 1, listed
    assert len(shorter) == 8, shorter
    assert ended.output.endswith("result 5\nrest [2]\n")
    assert (ended.status, ended.errors) == (0, "")
