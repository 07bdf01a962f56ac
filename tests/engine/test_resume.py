"""`Resume`, `UseValue` and `Skip`: a frame goes on in the middle, with its variables, loops and `with` blocks."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from fixcont.bytecode import interpreter
from fixcont.continuing.ways import Landing, Resume, Skip, UseValue, Way
from fixcont.stopping.stop import Stop
from support.front_end import Answer, LiveProgram, find_frame, fix, propagate, restart, then

Live = Callable[..., LiveProgram]

keeps_loops_over_lists = pytest.mark.skipif(
    interpreter.LOOP_KEEPS_INDEX, reason="how far a loop over a list has come cannot be read"
)


def retry(function: str | None = None, which: int = 0) -> Answer:
    """Go on at the statement that failed or runs."""
    return lambda stop: Resume(find_frame(stop, function, which))


def resume_at(text: str, function: str | None = None) -> Answer:
    """Go on at the line of the file, as it is, that has this text."""

    def answer(stop: Stop) -> Way:
        frame = find_frame(stop, function)
        with open(frame.filename, encoding="utf-8") as file:
            numbers = [number for number, line in enumerate(file, 1) if text in line]
        return Resume(frame, numbers[0])

    return answer


def skip(stop: Stop) -> Way:
    return Skip(find_frame(stop))


def use(value: Any) -> Answer:
    return lambda stop: UseValue(find_frame(stop), value)


def landed(answer: Answer, landings: list[Any]) -> Answer:
    """Answer, and keep what the stop says of where that goes on."""

    def both(stop: Stop) -> Way:
        way = answer(stop)
        assert isinstance(way, (Resume, UseValue, Skip))
        landings.append(stop.landing_of(way))
        return way

    return both


JOB = """
log = []
class Block:
    def __init__(self, name):
        self.name = name
    def __enter__(self):
        log.append(f"enter {self.name}")
    def __exit__(self, *error):
        log.append(f"exit {self.name} {error[0] and error[0].__name__}")
def job(rows):
    total = 0
    with Block("a"):
        for row in rows:
            with Block(row):
                total += 12 // row
    return total
"""


@keeps_loops_over_lists
def test_a_loop_in_the_failing_function_goes_on_where_it_was_on_edited_code(live: Live) -> None:
    landings: list[Landing] = []
    program = live(JOB, fix({"total += 12 // row": "if row:\n                    total += 12 // row"}, landed(retry(), landings)))
    assert program.call("job", [1, 0, 2]) == 18
    assert program.log == [
        "enter a", "enter 1", "exit 1 None", "enter 0", "exit 0 None", "enter 2", "exit 2 None", "exit a None",
    ]  # fmt: skip
    (landing,) = landings
    assert (landing.function, landing.loops, landing.withs, landing.line - landing.was) == ("job", 1, 2, 0)


def test_what_lies_between_the_loops_is_exited_once_when_the_target_is_outside_of_it(live: Live) -> None:
    landings: list[Landing] = []
    program = live(JOB, landed(resume_at("return total"), landings))
    assert program.call("job", [1, 0, 2]) == 12
    assert program.log == ["enter a", "enter 1", "exit 1 None", "enter 0", "exit 0 None", "exit a None"]
    assert len(landings[0].closes) == 2


def test_an_exit_that_fails_on_the_way_out_is_an_ordinary_exception_and_the_others_are_called(live: Live) -> None:
    failing = JOB.replace(
        'log.append(f"exit {self.name}', 'if self.name == 0: raise KeyError(0)\n        log.append(f"exit {self.name}'
    )
    program = live(failing, resume_at("return total"))
    error = program.failure("job", [1, 0, 2])
    assert type(error) is KeyError
    assert program.log == ["enter a", "enter 1", "exit 1 None", "enter 0", "exit a KeyError"]


@keeps_loops_over_lists
def test_a_frame_further_out_goes_on_with_its_blocks_and_those_above_unwind(live: Live) -> None:
    program = live(
        JOB.replace("12 // row", "inner(row)")
        + """
def inner(row):
    with Block("inner"):
        return 12 // row
""",
        fix({"return 12 // row": "return row and 12 // row"}, retry("job")),
    )
    assert program.call("job", [0, 2]) == 6
    assert program.log == [
        "enter a", "enter 0", "enter inner", program.log[3],
        "enter inner", "exit inner None", "exit 0 None", "enter 2", "enter inner", "exit inner None", "exit 2 None", "exit a None",
    ]  # fmt: skip
    assert program.log[3].startswith("exit inner")


def test_in_an_except_body_the_same_exception_is_being_handled_again(live: Live) -> None:
    program = live(
        """
import sys
log = []
def job():
    try:
        raise KeyError("first")
    except KeyError as error:
        log.append(1 // divisor)
        log.append(sys.exc_info()[1] is error)
        raise
""",
        then(lambda: program.names.update(divisor=1), retry()),
    )
    program.names["divisor"] = 0
    error = program.failure("job")
    assert type(error) is KeyError
    assert error.__context__ is None
    assert program.log == [1, True]
    assert program.trace(error) == ['job: raise KeyError("first")']


@keeps_loops_over_lists
def test_in_a_finally_body_the_exception_or_the_returned_value_goes_on_behind_it(live: Live) -> None:
    program = live(
        """
log = []
def job(how):
    try:
        if how == "returns":
            return "returned"
        elif how == "raises":
            raise KeyError
    finally:
        for each in (1, 2):
            log.append(each // divisor)
    return "fell through"
""",
        *[then(lambda: program.names.update(divisor=1), retry())] * 3,
    )
    for how, result in (("returns", "returned"), ("falls", "fell through")):
        program.names["divisor"] = 0
        assert program.call("job", how) == result
    program.names["divisor"] = 0
    assert type(program.failure("job", "raises")) is KeyError
    assert program.log == [1, 2] * 3


@keeps_loops_over_lists
def test_inner_functions_made_earlier_see_later_assignments(live: Live) -> None:
    program = live(
        """
def job(start):
    total = start
    def look():
        return total, start
    for each in (0, 1):
        total += 10 // each
        start += 1
    return look()
""",
        fix({"total += 10 // each": "total += each and 10 // each"}, retry()),
    )
    assert program.call("job", 5) == (15, 7)


@keeps_loops_over_lists
def test_a_new_variable_is_unbound_and_a_new_inner_function_captures_an_old_one(live: Live) -> None:
    program = live(
        """
def job(a):
    b = a + 1
    for each in (0,):
        1 // each
    return b
""",
        fix(
            {
                "    b = a + 1": "    b = a + 1\n    new = b",
                "1 // each": "1 // (each + 1)",
                "return b": "return (lambda: b)(), new",
            },
            retry(),
        ),
        lambda stop: Resume(find_frame(stop), find_frame(stop).line - 4),
    )
    assert program.call("job", 1) == (2, 2)
    assert program.stops[1].startswith("UnboundLocalError")


@keeps_loops_over_lists
def test_generators_and_coroutines_go_on_for_the_consumer_that_holds_them(live: Live) -> None:
    source = """
import asyncio
log = []
divisor = 0
def numbers():
    try:
        for each in (1, 2, 3):
            got = yield each // divisor if each == 2 else each
            log.append(got)
    finally:
        log.append("closed")
async def wait():
    async with asyncio.Lock():
        for each in (1, 2):
            await asyncio.sleep(0)
            log.append(each // divisor)
    return "waited"
async def ticks():
    for each in (1, 2):
        yield each // divisor
def main(what):
    if what == "generator":
        made = numbers()
        return [next(made), made.send("a"), made.send("b"), list(made)]
    if what == "coroutine":
        return asyncio.run(wait())
    async def collect():
        return [each async for each in ticks()]
    return asyncio.run(collect())
"""
    program = live(source, *[then(lambda: program.names.update(divisor=1), retry())] * 3)
    assert program.call("main", "generator") == [1, 2, 3, []]
    assert program.log == ["a", "b", None, "closed"]
    for what, result in (("coroutine", "waited"), ("async generator", [1, 2])):
        program.names["divisor"] = 0
        assert program.call("main", what) == result


@keeps_loops_over_lists
def test_a_module_and_a_class_body_go_on(live: Live) -> None:
    program = live(
        """
class Table:
    rows = []
    for each in (1, 0, 2):
        rows.append(each and 4 // each if fixed else 4 // each)
    def total(self):
        return sum(self.rows)
for each in (0, 1):
    counts = counts + [each // divisor]
""",
        then(lambda: program.names.update(fixed=True), retry()),
        then(lambda: program.names.update(divisor=1), retry()),
        load=False,
    )
    program.names.update(fixed=False, divisor=0, counts=[])
    program.load()
    assert program.names["Table"]().total() == 6
    assert program.names["counts"] == [0, 1]


def test_the_value_of_the_failing_expression_is_used_once(live: Live) -> None:
    landings: list[Landing] = []
    program = live(
        """
log = []
def look(n):
    log.append(n)
    return n
def job():
    total = 0
    n = 0
    while look(n) + (1 // n) < 3:
        n += 1
        total += 1
    return total
""",
        landed(use(-5), landings),
    )
    assert program.call("job") == 3
    assert program.log == [0, 0, 1, 2, 3]
    assert landings[0].calls == ("look()",)


@keeps_loops_over_lists
def test_a_loop_whose_iterator_failed_asks_it_for_the_next_item_and_calls_nothing_again(live: Live) -> None:
    landings: list[Landing] = []
    program = live(
        """
class Rows:
    def __init__(self): self.at = 0
    def __iter__(self): return self
    def __next__(self):
        self.at += 1
        if self.at == 2 and broken: raise ValueError("broken")
        if self.at == 4: raise StopIteration
        return self.at
def rows(): return Rows()
def job():
    found = []
    for row in rows():
        found.append(row)
    return found
""",
        then(lambda: program.names.update(broken=False), landed(retry("job"), landings)),
    )
    program.names["broken"] = True
    assert program.call("job") == [1, 3]
    assert (landings[0].loops, landings[0].calls) == (1, ())


@keeps_loops_over_lists
def test_skip_goes_on_behind_the_statement_also_behind_the_last_one_of_a_loop(live: Live) -> None:
    program = live(
        """
def job(rows):
    found = []
    for row in rows:
        found.append(10 // row)
    return found
""",
        skip,
    )
    assert program.call("job", [1, 0, 5]) == [10, 2]


@keeps_loops_over_lists
def test_a_resumed_frame_can_fail_again_be_resumed_again_and_be_restarted(live: Live) -> None:
    program = live(JOB, retry(), retry(), then(lambda: rows.__setitem__(1, 3), restart()))
    rows = [1, 0, 2]
    assert program.call("job", rows) == 12 + 4 + 6
    assert len(program.stops) == 3
    assert program.saw[1].depth == program.saw[2].depth


@keeps_loops_over_lists
def test_at_a_breakpoint_a_frame_goes_on_at_another_line(live: Live) -> None:
    program = live(
        """
import fixcont
def job():
    kept = []
    for each in (1, 2):
        fixcont.set_trace()
        kept.append("never")
        kept.append(each)
    return kept
""",
        resume_at("kept.append(each)"),
        resume_at("kept.append(each)"),
    )
    assert program.call("job") == [1, 2]


REFUSALS = {
    "statement-gone": ({"total += 12 // row": "pass", "return total": "return total + 1"}, retry()),
    "no-such-line": ({}, lambda stop: Resume(find_frame(stop), 10_000)),
    "blocks-differ": (
        {"    return total\n": "    while total:\n        for x in rows:\n            print(x)\n    return total\n"},
        resume_at("print(x)"),
    ),
}


@pytest.mark.parametrize("code", REFUSALS)
def test_what_cannot_be_is_refused_and_nothing_is_touched(live: Live, code: str) -> None:
    edits, answer = REFUSALS[code]
    program = live(JOB, fix(edits, answer) if edits else answer, then(lambda: rows.__setitem__(0, 0), restart()))
    rows = [0, 1]
    program.attempt("job", rows)
    assert program.refused[:1] == [code]


def test_a_value_has_no_place_where_no_expression_failed(live: Live) -> None:
    program = live("def job():\n    raise ValueError(1)\n", use(1))
    program.failure("job")
    assert program.refused == ["no-expression"]


@keeps_loops_over_lists
def test_the_item_that_a_loop_could_not_take_apart_is_not_lost_silently(live: Live) -> None:
    program = live(
        """
def job(rows):
    found = []
    for a, b in rows:
        found.append(a + b)
    return found
""",
        retry(),
        skip,
    )
    assert program.call("job", [(1, 2), (1, 2, 3), (3, 4)]) == [3, 7]
    assert program.refused == ["item-gone"]


FROM_A_GENERATOR = """
values = [0, 1]
def items(n):
    for i in range(n):
        yield values[i]
def job():
    out = []
    for k in range(2):
        for x in items(4):
            out.append(x)
    return out
"""


def test_a_loop_does_not_end_early_as_its_generator_is_given_up(live: Live) -> None:
    program = live(
        FROM_A_GENERATOR,
        retry("job"),
        resume_at("out.append(x)", "job"),
        then(lambda: program.module.values.extend((2, 3)), retry()),
    )
    assert program.call("job") == [0, 1, 2, 3] * 2
    assert program.refused == ["item-gone", "blocks-differ"]


@keeps_loops_over_lists
def test_a_loop_over_a_generator_begins_anew_inside_of_another_one(live: Live) -> None:
    again = then(lambda: program.module.values.extend((2, 3)), resume_at("for x in items(4)", "job"))
    program = live(FROM_A_GENERATOR, again)
    assert program.call("job") == [0, 1, *range(4), *range(4)]


@keeps_loops_over_lists
def test_the_end_of_a_loop_over_a_generator_is_skipped_to(live: Live) -> None:
    program = live(
        FROM_A_GENERATOR,
        lambda stop: Skip(find_frame(stop, "job")),
        retry("items"),
        then(lambda: program.module.values.extend((2, 3)), retry("items")),
    )
    assert program.call("job") == [0, 1, 0, 1, 2, 3]


def test_an_exit_that_has_failed_is_not_called_again(live: Live) -> None:
    program = live(
        """
log = []
class Failing:
    def __enter__(self): log.append("enter")
    def __exit__(self, *error):
        log.append("exit")
        raise ValueError
def job():
    with Failing():
        log.append("body")
    return "done"
""",
        retry("job"),
        lambda stop: Skip(find_frame(stop, "job")),
    )
    assert program.call("job") == "done"
    assert program.refused == ["exit-failed"]
    assert program.log == ["enter", "body", "exit"]


def test_the_traceback_after_a_resume_has_the_program_s_own_frames_only(live: Live) -> None:
    program = live(
        """
def inner(n):
    1 // n
    raise KeyError("later")
def outer(n):
    for each in (n,):
        inner(each)
""",
        fix({"1 // n": "n + 1"}, retry()),
    )
    error = program.failure("outer", 0)
    assert program.trace(error) == ["outer: inner(each)", 'inner: raise KeyError("later")']
    assert sys.exc_info() == (None, None, None)


@pytest.mark.skipif(not interpreter.LOOP_KEEPS_INDEX, reason="loops keep iterators only")
@pytest.mark.parametrize(("rows", "refused"), [("[1, 0, 2]", ["loop-index"]), ("iter([1, 0, 2])", []), ("range(-1, 2)", [])])
def test_a_loop_whose_index_cannot_be_read_is_refused(live: Live, rows: str, refused: list[str]) -> None:
    program = live(f"def job():\n    for row in {rows}:\n        1 // row\n", skip)
    program.attempt("job")
    assert program.refused == refused


def test_an_annotated_assignment_of_a_class_body_gets_a_value(live: Live) -> None:
    program = live(
        """
class Table:
    rows: int = 1 // divisor
for each in range(1):
    count: int = 1 // divisor
""",
        use(5),
        use(6),
        load=False,
    )
    program.names["divisor"] = 0
    program.load()
    assert (program.names["Table"].rows, program.names["count"]) == (5, 6)


def test_a_finally_body_with_an_async_loop_lets_the_failure_pass(live: Live) -> None:
    program = live(
        """
import asyncio
log = []
async def numbers():
    yield 1
async def wait():
    try:
        log.append(1 // divisor)
    finally:
        async for each in numbers():
            log.append(each + 1)
        log.append("end")
def main():
    return asyncio.run(wait())
""",
        then(lambda: program.names.update(divisor=1), retry()),
    )
    program.names["divisor"] = 0
    program.call("main")
    assert program.log == [1, 2, "end"]


CLOSING = """
log = []
divisor = 0
def check(name):
    log.append(f"{name} {1 // divisor}")
def numbers():
    try:
        yield 1
    finally:
        check("closed")
"""


def repaired(answer: Answer) -> Answer:
    """Take away what makes `check` fail, and answer."""

    def both(stop: Stop) -> Way:
        find_frame(stop).raw.f_globals["divisor"] = 1
        return answer(stop)

    return both


def test_a_generator_that_an_exception_drops_on_its_way_goes_on_in_its_finally(live: Live) -> None:
    program = live(
        CLOSING
        + """
def job():
    try:
        for each in numbers():
            raise KeyError(each)
    finally:
        log.append("left")
def main():
    try:
        job()
    except KeyError:
        log.append("handled")
""",
        repaired(retry("numbers")),
    )
    program.call("main")
    assert program.log == ["closed 1", "left", "handled"]
    assert program.saw[0].frames[:3] == ("check", "numbers", "job")


lets_go_at_once = pytest.mark.skipif(
    sys.version_info >= (3, 14), reason="what a frame's variables held lives until the frame that took over ends"
)
ANSWERS = {"restart": restart("job"), "resume": retry("job")}


@lets_go_at_once
@pytest.mark.parametrize("way", ANSWERS)
def test_a_generator_that_a_frame_lets_go_of_as_it_hands_over_can_fail_and_go_on(live: Live, way: str) -> None:
    program = live(
        CLOSING
        + """
def job():
    kept = numbers()
    next(kept)
    check("job")
    return kept
""",
        fix({"    kept = numbers()\n    next(kept)\n": "", "return kept": "return 5"}, ANSWERS[way]),
        repaired(retry("numbers")),
    )
    assert program.call("job") == 5
    assert [seen.where for seen in program.saw] == ["check", "check"]
    assert program.log == ["closed 1", "job 1"]


def test_in_the_try_body_of_an_except_star_the_exception_around_it_is_kept(live: Live) -> None:
    program = live(
        """
import sys
log = []
divisor = 0
def check():
    return 1 // divisor
def job():
    try:
        raise ValueError("first")
    except ValueError:
        try:
            if check():
                raise ExceptionGroup("both", [KeyError(1), OSError(2)])
        except* KeyError:
            log.append(repr(sys.exc_info()[1].__context__))
        except* OSError:
            log.append("system")
""",
        repaired(retry("job")),
    )
    program.call("job")
    assert program.log == ["ValueError('first')", "system"]
    assert len(program.saw) == 1


def test_a_caller_in_the_try_body_of_an_except_star_goes_on_with_what_it_handles(live: Live) -> None:
    program = live(
        """
import sys
log = []
divisor = 0
def check():
    return 1 // divisor
def job():
    try:
        raise ValueError("first")
    except ValueError as error:
        try:
            log.append(check())
        except* KeyError:
            log.append("key")
        log.append(repr(sys.exc_info()[1]))
""",
        repaired(retry("job")),
    )
    program.call("job")
    assert program.log == [1, "ValueError('first')"]


LATE = """
log = []
divisor = 0
class Choosy:
    def __enter__(self):
        log.append("enter")
    def __exit__(self, kind, *error):
        log.append("exit")
        return choose(kind)
def choose(kind):
    return kind is KeyError
def check():
    return 1 // divisor
"""


def test_what_a_finally_has_closed_is_begun_anew_or_not_at_all(live: Live) -> None:
    program = live(
        LATE
        + """
def job():
    try:
        try:
            log.append("open")
            log.append(check())
        finally:
            log.append("close")
    except ZeroDivisionError as error:
        if len(log) == 2:
            raise
""",
        repaired(retry("job")),
        resume_at("try:", "job"),
    )
    program.call("job")
    assert program.refused == ["finally-ran"]
    assert program.log == ["open", "close", "open", 1, "close"]


KEPT = """
log = []
divisor = 0
def check():
    return 1 // divisor
def job(rows):
    try:
        raise KeyError("first")
    finally:
        for row in rows:
            log.append(check())
def main(rows):
    log.append("main")
    job(rows)
"""


@keeps_loops_over_lists
def test_what_a_finally_keeps_does_not_stop_again_behind_it(live: Live) -> None:
    program = live(KEPT, propagate, repaired(retry("job")))
    assert type(program.failure("main", (1, 2))) is KeyError
    assert [seen.where for seen in program.saw] == ["job", "check"]
    assert program.log == ["main", 1, 1]


@keeps_loops_over_lists
def test_where_an_exception_came_up_is_not_looked_for_in_code_that_took_over_later(live: Live) -> None:
    program = live(
        KEPT.replace("    finally:", '    except KeyError:\n        log.append("except")').replace(
            "            log.append(check())", "            log.append(check())\n        if rows: raise"
        ),
        repaired(retry("job")),
        retry("job"),
        restart("main"),
    )
    rows = [1]
    program.attempt("main", rows)
    assert program.refused == ["no-statement"]
    assert program.log[:5] == ["main", "except", 1, "main", "except"]


@keeps_loops_over_lists
@pytest.mark.parametrize("body", ["raise LookupError(each)", "print(end='')\n            raise LookupError(each)"])
def test_a_condition_that_the_edit_changes_is_asked_again(live: Live, body: str) -> None:
    text = """
def job(wrong):
    found = []
    for each in [1, 2, 3]:
        if each == wrong:
            {body}
        found.append(each)
    return found
"""
    landings: list[Any] = []
    program = live(text.replace("{body}", body), fix({"each == wrong": "each == wrong + 10"}, landed(retry(), landings)))
    assert program.call("job", 2) == [1, 2, 3]
    assert [landing.line for landing in landings] == [5]


def test_a_condition_is_not_asked_again_where_something_was_done_since(live: Live) -> None:
    text = """
def job(log, n):
    if n == 0:
        log.append("begun")
        log.append(6 // n)
    return log
"""
    program = live(text, fix({"n == 0": "n <= 0", "6 // n": "6 // (n or 6)"}, retry()))
    assert program.call("job", [], 0) == ["begun", 1]


@keeps_loops_over_lists
def test_a_condition_around_the_running_loop_is_not_asked_again(live: Live) -> None:
    text = """
def job(values):
    found = []
    if values:
        for each in values:
            found.append(6 // each)
    return found
"""
    program = live(text, fix({"if values:": "if values is not None:", "6 // each": "6 // (each or 6)"}, retry()))
    assert program.call("job", [1, 0, 3]) == [6, 1, 2]


@pytest.mark.parametrize("way", [skip, retry()], ids=["skip", "retry"])
def test_that_the_whole_file_was_parsed_meanwhile_makes_no_difference(live: Live, way: Answer) -> None:
    text = "def check(n):\n    if n > 1:\n        int(ITEM)\n    return n\n\ndef run():\n    return check(5)\n\nITEM = 'x'\n"

    def parsed(stop: Stop) -> Way:
        frame = find_frame(stop)
        newest = program.session.sources.newest_text(frame.filename)
        assert newest is not None and newest.tree.body  # as a breakpoint's place needs it
        frame.raw.f_globals["ITEM"] = "1"
        return way(stop)

    program = live(text, parsed)
    assert program.call("run") == 5
