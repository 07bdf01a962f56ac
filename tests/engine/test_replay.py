"""`Replay`: a dead frame's function is called anew, or the frame goes on in the middle; and its callers after it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

import fixcont
from fixcont.continuing.ways import Propagate, Replay, Way
from fixcont.postmortem.replay import Replayed
from fixcont.stopping.frames import write_locals
from fixcont.stopping.stop import Stop
from support.front_end import Answer, LiveProgram, find_frame, fix, give_back, propagate, restart

Live = Callable[..., LiveProgram]


def replay(function: str | None = None, **how: Any) -> Answer:
    """Replay the selected frame, or that of a function."""
    return lambda stop: Replay(find_frame(stop, function), **how)


def retry(function: str | None = None, **how: Any) -> Answer:
    """Go on at the statement that failed."""
    return replay(function, in_the_middle=True, **how)


def retry_at(text: str, function: str | None = None, **how: Any) -> Answer:
    """Go on at the line of the file, as it is, that has this text."""

    def answer(stop: Stop) -> Way:
        frame = find_frame(stop, function)
        with open(frame.filename, encoding="utf-8") as file:
            numbers = [number for number, line in enumerate(file, 1) if text in line]
        return Replay(frame, True, numbers[0], **how)

    return answer


def assign(name: str, value: Any, function: str | None = None) -> Callable[[Stop], None]:
    """Assign to a variable of a dead frame, as the prompt does."""

    def act(stop: Stop) -> None:
        raw = find_frame(stop, function).raw
        variables = raw.f_locals
        variables[name] = value
        write_locals(raw, variables)

    return act


def after(act: Callable[[Stop], None], answer: Answer) -> Answer:
    def both(stop: Stop) -> Way:
        act(stop)
        return answer(stop)

    return both


class Dead:
    """A program that has failed before fixcont could stop it, and what its replays came to."""

    def __init__(self, live: Live, text: str, *answers: Answer) -> None:
        self.program = live(text, *answers, stop="never")
        self.outcomes: list[Replayed] = []
        self.program.front_end.replayed = self.outcomes.append  # type: ignore[attr-defined]

    def mortem(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """Let a function fail, and look at what it left."""
        error = self.program.failure(name, *args, **kwargs)
        assert error.__traceback__ is not None
        return self.program.session.post_mortem(error, error.__traceback__.tb_next)

    @property
    def values(self) -> list[Any]:
        return [outcome.value for outcome in self.outcomes]


DIVIDE = """
log = []
def divide(total, count):
    log.append(count)
    return total / count
def report(rows):
    found = []
    for row in rows:
        found.append(divide(12, row))
    return found
def main(rows):
    result = report(rows)
    return result, len(log)
"""


def test_a_dead_frame_is_called_again_on_the_newest_code(live: Live) -> None:
    dead = Dead(live, DIVIDE, fix({"total / count": "total / count if count else -1"}, replay()))

    assert dead.mortem("divide", 5, 0) == -1
    assert dead.values == [-1]
    assert dead.program.log == [0, 0]


def test_the_stop_shows_the_frames_of_the_traceback_as_post_mortem_frames(live: Live) -> None:
    seen: list[Any] = []

    def look(stop: Stop) -> Way:
        seen.extend((each.function, each.is_live, each.restart_refusal and each.restart_refusal.code) for each in stop.frames)
        return Propagate()

    dead = Dead(live, DIVIDE, look)

    assert dead.mortem("main", [1, 0]) is None
    assert seen == [(name, False, "post-mortem") for name in ("divide", "report", "main")]
    assert dead.program.stops == ["ZeroDivisionError: division by zero"]


@pytest.mark.parametrize("answer", [restart(), give_back(7)])
def test_ways_of_live_frames_are_refused(live: Live, answer: Answer) -> None:
    dead = Dead(live, DIVIDE, answer)

    assert dead.mortem("divide", 5, 0) is None
    assert dead.program.refused == ["post-mortem"]


def test_what_is_assigned_in_a_dead_frame_is_what_a_replay_takes(live: Live) -> None:
    dead = Dead(live, DIVIDE, after(assign("count", 4), replay()), after(assign("count", 2), retry()))

    assert dead.mortem("divide", 8, 0) == 4
    assert dead.values == [2, 4]


def test_what_fails_in_a_replay_is_a_live_stop(live: Live) -> None:
    dead = Dead(live, DIVIDE, replay("report"), fix({"total / count": "total // (count or 1)"}, restart("divide")))

    assert dead.mortem("report", [3, 0, 4]) == [4, 12, 3]
    assert [(seen.where, seen.frames) for seen in dead.program.saw[:2]] == [("divide", ("divide", "report"))] * 2


def test_a_replay_that_fails_for_good_is_told_and_the_stop_is_shown_again(live: Live) -> None:
    dead = Dead(live, DIVIDE, replay(), propagate, replay(arguments={"count": 6}))

    assert dead.mortem("divide", 12, 0) == 2
    assert isinstance(dead.outcomes[0].error, ZeroDivisionError)
    assert dead.program.trace(dead.outcomes[0].error) == ["divide: return total / count"]


def test_handlers_further_out_than_the_replay_handle_nothing_of_it(live: Live) -> None:
    dead = Dead(
        live, DIVIDE + "def careful(look, error):\n    try:\n        return look(error)\n    except ZeroDivisionError:\n        return None\n",
        replay(), give_back(3, "divide"),
    )  # fmt: skip
    error = dead.program.failure("divide", 1, 0)
    assert error.__traceback__ is not None
    inner = error.__traceback__.tb_next

    assert dead.program.call("careful", lambda error: dead.program.session.post_mortem(error, inner), error) == 3


REBOUND = """
def clean(text, limit, *, sep=","):
    text = text.strip()
    limit += 1
    return [int(part) for part in text.split(sep)][:limit]
def caller(given):
    return clean(given, 5)
def walrus(given):
    return clean(given, (given := 5))
def odd(given):
    return clean(given + " ", 5)
def keywords(given):
    sep = ";"
    return clean(limit=2, text=given, sep=sep)
"""


def test_arguments_that_were_bound_anew_are_recovered_from_the_call(live: Live) -> None:
    dead = Dead(live, REBOUND, fix({"int(part)": "len(part)"}, replay("clean")))

    assert dead.mortem("caller", " a,bb ") == [1, 2]


def test_keyword_arguments_are_recovered_too(live: Live) -> None:
    dead = Dead(live, REBOUND, fix({"int(part)": "len(part)"}, replay("clean")))

    assert dead.mortem("keywords", " a;bb;c;d ") == [1, 2, 1]


def test_arguments_that_nobody_has_kept_are_asked_for_by_name(live: Live) -> None:
    dead = Dead(live, REBOUND, replay("clean"), replay("clean", arguments={"text": "4,5"}))

    assert dead.mortem("odd", "x") == [4, 5]
    refusal = dead.program.front_end.refusals[0]
    assert refusal.code == "argument-rebound"
    assert refusal.instead == 'say "replay text=EXPRESSION"'


def test_a_variable_that_the_call_itself_has_bound_anew_tells_nothing(live: Live) -> None:
    dead = Dead(live, REBOUND, replay("clean"))

    dead.mortem("walrus", "x")
    assert dead.program.refused == ["argument-rebound"]


def test_a_value_assigned_at_the_stop_counts_as_the_argument(live: Live) -> None:
    dead = Dead(live, REBOUND, after(assign("text", "7,8", "clean"), replay("clean")))

    assert dead.mortem("odd", "x") == [7, 8]


def test_an_argument_that_is_no_parameter_is_refused(live: Live) -> None:
    dead = Dead(live, REBOUND, replay("clean", arguments={"txt": ""}))

    dead.mortem("odd", "x")
    assert dead.program.refused == ["no-parameter"]


def test_a_new_parameter_is_given_by_name(live: Live) -> None:
    fixed = {"def divide(total, count)": "def divide(total, count, least)", "total / count": "total / (count or least)"}
    dead = Dead(live, DIVIDE, fix(fixed, replay()), replay(arguments={"least": 3}))

    assert dead.mortem("divide", 12, 0) == 4
    assert dead.program.refused == ["parameters-differ"]


# -- in the middle


def test_the_failing_statement_runs_again_with_the_variables_as_they_were(live: Live) -> None:
    text = "log = []\ndef job(x):\n    made = x * 2\n    log.append(made)\n    last = made / (x - x)\n    return made, last\n"
    dead = Dead(live, text, fix({"(x - x)": "x"}, retry()))

    assert dead.mortem("job", 4) == (8, 2.0)
    assert dead.program.log == [8]


def test_closures_share_their_variables_with_the_frame_that_goes_on(live: Live) -> None:
    text = """
def job():
    count = 0
    def more():
        nonlocal count
        count += 1
    more()
    1 / 0
    more()
    return count
"""
    dead = Dead(live, text, fix({"    1 / 0\n": "    pass\n"}, retry_at("pass")))

    assert dead.mortem("job") == 2


@pytest.mark.parametrize(
    ("loop", "argument"),
    [
        ("for row in rows", [3, 0, 4]),
        ("for row in rows", (3, 0, 4)),
        ("for row in range(3, -3, -1)", None),
        ("for at, row in enumerate(rows)", [0, 3, 3, 0]),
        ("for at, row in enumerate(rows, 5)", (4, 0, 4)),
        ("for row, name in zip(rows, 'abcd')", [4, 0, 4]),
        ("for row in reversed(rows)", [3, 0, 4]),
        ("for name, row in rows.items()", {"a": 3, "b": 0, "c": 4}),
        ("for row in rows.values()", {"a": 3, "b": 0, "c": 4}),
        ("for row in rows", {3: "a", 0: "b", 4: "c"}),
        ("for row in (3, 0, 4)", None),
        ("for row in list(rows)", [3, 0, 4]),
        ("for row in sorted(rows)", [4, 0, -3]),
        ("for row in rows", "generator"),
    ],
)
def test_a_loop_goes_on_where_it_was(live: Live, loop: str, argument: Any) -> None:
    text = f"""
log = []
def job(rows):
    {loop}:
        log.append(row)
        log.append(12 / row)
    return log
"""
    rows = (each for each in [3, 0, 4]) if argument == "generator" else argument
    dead = Dead(live, text, fix({"12 / row": "row and 12 / row"}, retry()))
    value = dead.mortem("job", rows)

    names: dict[str, Any] = {"log": []}
    again = (each for each in [3, 0, 4]) if argument == "generator" else argument
    exec(compile(text.replace("12 / row", "row and 12 / row"), "<expected>", "exec"), names)
    assert value == names["job"](again)
    assert dead.program.refused == []


SHOP = """
class Shop:
    def __init__(self, rows):
        self.rows = rows
        self.table = dict.fromkeys(rows, 1)
        self.log = []
    def job(self):
        {header}:
            self.take(row)
        return self.log
    def take(self, row):
        {take}
        self.log.append(12 / row)
    def gone(self):
        return [each for each in self.rows if each not in self.log][len(self.rows):]
def job(rows):
    return Shop(rows).job()
"""


@pytest.mark.parametrize(
    ("header", "take"),
    [
        ("for row in self.rows", "pass"),
        ("for at, row in enumerate(self.rows)", "self.gone()"),  # it looks at them
        ("for row, _ in self.table.items()", "self.rows.clear()"),
        ("for row in sorted(self.rows)", "self.table.clear()"),
        ("for row in self.rows", "assert self.rows.index(row) < len(self.rows) and row in self.rows and self.rows[0]"),
    ],
)
def test_a_loop_over_an_attribute_goes_on_where_it_was(live: Live, header: str, take: str) -> None:
    text = SHOP.format(header=header, take=take)
    dead = Dead(live, text, fix({"12 / row": "row and 12 / row"}, retry("job")))
    value = dead.mortem("job", [3, 0, 4])

    names: dict[str, Any] = {}
    exec(compile(text.replace("12 / row", "row and 12 / row"), "<expected>", "exec"), names)
    rows = [3, 0, 4]
    expected = names["job"](rows)
    assert dead.program.refused == [] and value == expected


@pytest.mark.parametrize(
    ("header", "take", "why"),
    [
        ("for row in self.rows", "self.rows.remove(3) if 3 in self.rows else None", "self.rows may have been changed in it"),
        ("for row in self.rows", "self.rows = [0, 0]", "self.rows may have been bound anew"),
        ("for row in self.rows", "del self.rows[:-1]", "self.rows may have been changed in it"),
        ("for row in self.rows", "rows = self.rows; rows.sort()", "self.rows may have been changed in it"),
        ("for row in self.table.values()", "self.table[7] = 1", "self.table may have been changed in it"),
        ("for row in map(int, self.rows)", "pass", "what it runs over is in no variable any more"),
        ("for row in self.rows * 2", "pass", "what it runs over is in no variable any more"),
    ],
)
def test_a_loop_over_an_attribute_that_may_be_another_one_is_refused_with_the_reason(
    live: Live, header: str, take: str, why: str
) -> None:
    dead = Dead(live, SHOP.format(header=header, take=f"{take}; row = 0"), retry("job"))
    dead.mortem("job", [3, 0, 4])
    refusal = dead.program.front_end.refusals[0]
    assert refusal.code == "blocks-gone"
    assert refusal.sentence.endswith(f"is inside the loop of line 8, whose place is not certain: {why}")


UNSEEN = """
def forget(shop, row):
    if row == 4 and 3 in shop.rows:
        shop.rows.remove(3)
class Manager:
    def __init__(self, owner):
        self.owner = owner
    def tell(self, row):
        forget(self.owner, row)
TABLE = {{"forget": forget}}
class Shop:
    def __init__(self):
        self.rows = [3, 4, 5]
        self.log = []
        self.manager = Manager(self)
        self.hooks = [self.drop]
        self.callback = self.drop if self.log is not None else None
    def drop(self, row):
        forget(self, row)
    throw = drop
    cut = lambda self, row: forget(self, row)
    @property
    def head(self):
        forget(self, 4)
        return self.rows[0]
    def __getitem__(self, row):
        forget(self, row)
        return row
    def __str__(self):
        forget(self, 4)
        return "shop"
    def job(self):
        rows, go = self.rows, self.drop
        for row in {source}:
            {step}
            self.log.append(self.half(row))
        return self.log
    def half(self, row):
        return 12 / (row - 4)
def job():
    shop = Shop()
    try:
        return shop.job()
    finally:
        {ended}
"""


@pytest.mark.parametrize(
    ("step", "source", "ended"),
    [
        ("self.manager.tell(row)", "self.rows", "pass"),
        ("TABLE['forget'](self, row)", "self.rows", "pass"),
        ("getattr(self, 'dr' + 'op')(row)", "self.rows", "pass"),
        ("[hook(row) for hook in self.hooks]", "self.rows", "pass"),
        ("self.callback(row)", "self.rows", "pass"),
        ("go(row)", "self.rows", "pass"),
        ("self.throw(row)", "self.rows", "pass"),
        ("self.cut(row)", "self.rows", "pass"),
        ("row == 4 and self.head", "self.rows", "pass"),
        ("self[row]", "self.rows", "pass"),
        ("row == 4 and f'{self}'", "self.rows", "pass"),
        ("self.drop(row)", "rows", "pass"),
        ("self.drop(row)", "enumerate(self.rows)", "pass"),
        ("pass", "self.rows", "shop.rows = [3, 4, 9]"),
        ("pass", "self.rows", "shop.drop(4)"),
    ],
)
def test_a_loop_over_what_something_changes_that_is_not_plain_to_see_is_refused(
    live: Live, step: str, source: str, ended: str
) -> None:
    text = UNSEEN.format(step=step, source=source, ended=ended)
    if source.startswith("enumerate"):
        text = text.replace("for row in", "for at, row in")
    dead = Dead(live, text, retry("Shop.job"))
    dead.mortem("job")
    assert [each.code for each in dead.program.front_end.refusals[:1]] == ["blocks-gone"]
    assert " may have been " in dead.program.front_end.refusals[0].sentence


def test_a_loop_goes_on_where_only_others_change_what_it_runs_over(live: Live) -> None:
    text = (
        UNSEEN.format(step="len(self.hooks)", source="self.rows", ended="pass")
        .replace("__getitem__", "get")
        .replace("__str__", "text")
    )
    dead = Dead(live, text, fix({"12 / (row - 4)": "row"}, retry("Shop.job")))
    assert dead.mortem("job") == [-12.0, 4, 5]


@pytest.mark.parametrize(
    "made", ["[half(row) for row in rows]", "{row: half(row) for row in rows}", "sum([half(row) for row in rows])"]
)
def test_a_value_is_not_used_for_the_first_item_of_a_comprehension(live: Live, made: str) -> None:
    text = f"def half(row):\n    return 12 / row\ndef job(rows):\n    made = {made}\n    return made\n"
    dead = Dead(live, text, fix({"12 / row": "12 / (row or 1)"}, replay(outward=True)))
    assert dead.mortem("job", [3, 0, 4]) == 12.0
    refusal = dead.outcomes[0].refusal
    assert refusal is not None and refusal.code in ("no-expression", "no-statement"), refusal


MODULE = """
ROWS = [3, 0, 4]
log = []
def step(row):
    {}
    log.append(12 / row)
def job():
    for row in ROWS:
        step(row)
    return log
"""


def test_a_loop_over_what_a_module_has_goes_on_where_it_was(live: Live) -> None:
    dead = Dead(live, MODULE.format("pass"), fix({"12 / row": "row and 12 / row"}, retry("job")))
    assert dead.mortem("job") == [4.0, 0, 3.0]


def test_a_loop_over_what_a_module_has_is_refused_where_a_function_changes_it(live: Live) -> None:
    dead = Dead(live, MODULE.format("ROWS.append(0) if len(ROWS) < 4 else None"), retry("job"))
    dead.mortem("job")
    assert dead.program.front_end.refusals[0].sentence.endswith("whose place is not certain: ROWS may have been changed in it")


@pytest.mark.parametrize(
    ("header", "body", "argument"),
    [
        ("for row in rows", "12 / row", [0, 0]),  # which of the two
        ("for row in list(map(int, rows))", "12 / row", [3, 0]),  # made for the loop, and gone
        ("for row in rows", "rows.append(12 / row)", [3, 0]),  # the list is changed in the loop
        ("for row in rows", "row = 12 / row", [3, 0]),  # the item is bound anew
    ],
)
def test_a_loop_whose_place_is_not_certain_is_refused_by_name(live: Live, header: str, body: str, argument: Any) -> None:
    text = f"def job(rows):\n    {header}:\n        {body}\n        del row\n    return 'through'\n"
    if body.startswith("row ="):
        text = text.replace("        del row\n", "        1 / 0\n")
    else:
        text = text.replace("        del row\n", "")
    dead = Dead(live, text, retry(), retry_at("return"))

    assert dead.mortem("job", argument) == "through"
    refusal = dead.program.front_end.refusals[0]
    assert refusal.code == "blocks-gone"
    assert refusal.instead == "replay --resume 2 begins the loop anew"


WITH = """
log = []
class Block:
    def __enter__(self):
        log.append("enter")
    def __exit__(self, *error):
        log.append("exit")
def job(x):
    before = x
    with Block():
        log.append(12 / x)
    return "through", before
"""


def test_a_with_block_is_not_entered_again_but_at_its_beginning(live: Live) -> None:
    dead = Dead(live, WITH, retry(), fix({"12 / x": "-1"}, retry_at("with Block")))

    assert dead.mortem("job", 0) == ("through", 0)
    assert [(each.code, each.instead) for each in dead.program.front_end.refusals] == [
        ("blocks-gone", "replay --resume 10 enters the with anew")
    ]
    assert dead.program.log == ["enter", "exit", "enter", -1, "exit"]


def test_what_lies_behind_a_with_block_goes_on_without_a_second_exit(live: Live) -> None:
    dead = Dead(live, WITH, retry_at("return"))

    assert dead.mortem("job", 0) == ("through", 0)
    assert dead.program.log == ["enter", "exit"]


def test_a_finally_that_has_run_does_not_run_twice(live: Live) -> None:
    text = (
        "log = []\ndef job(x):\n    try:\n        log.append(1 / x)\n    finally:\n        log.append('done')\n    return log\n"
    )
    dead = Dead(live, text, retry(), fix({"1 / x": "7"}, retry_at("try:")))

    assert dead.mortem("job", 0) == ["done", 7, "done"]
    assert dead.program.refused == ["finally-ran"]


def test_an_except_body_goes_on_with_the_exception_that_it_handles(live: Live) -> None:
    text = """
import sys
def job(x):
    try:
        {}[x]
    except KeyError as error:
        note = 1 / x
        return type(sys.exc_info()[1]).__name__, note
"""
    dead = Dead(live, text, fix({"1 / x": "5"}, retry()))

    assert dead.mortem("job", 0) == ("KeyError", 5)


def test_a_module_goes_on_in_its_globals(live: Live) -> None:
    text = "first = 1\nsecond = first / int('0')\nthird = second + 1\n"
    program = live(text, fix({"int('0')": "int('2')"}, retry()), stop="never", load=False)
    with pytest.raises(ZeroDivisionError) as caught:
        program.load()
    program.session.post_mortem(caught.value, caught.value.__traceback__.tb_next)  # type: ignore[union-attr]

    assert program.names["third"] == 1.5


def test_a_class_body_is_refused_and_the_class_statement_runs_in_its_caller(live: Live) -> None:
    text = "def make(x):\n    class Made:\n        value = 1 / x\n    return Made.value\n"
    dead = Dead(live, text, replay("make.<locals>.Made"), retry("make.<locals>.Made"), fix({"1 / x": "9"}, retry("make")))

    assert dead.mortem("make", 0) == 9
    assert dead.program.refused == ["class-body", "class-body"]


def test_a_generator_is_run_through(live: Live) -> None:
    text = "def numbers(rows):\n    for row in rows:\n        yield 12 / row\ndef job(rows):\n    return list(numbers(rows))\n"
    fixed = {"12 / row": "row and 12 / row"}
    dead = Dead(live, text, fix(fixed, replay("numbers")), retry("numbers"))

    dead.mortem("job", [3, 0, 4])
    assert dead.values == [[4.0, 0, 3.0], [0, 3.0]]


def test_coroutines_and_async_generators_run_in_a_loop_of_their_own(live: Live) -> None:
    text = """
import asyncio
async def step(x):
    await asyncio.sleep(0)
    return 12 / x
async def steps(rows):
    for row in rows:
        yield await step(row)
async def collect(rows):
    return [each async for each in steps(rows)]
def job(rows):
    return asyncio.run(collect(rows))
"""
    fixed = {"12 / x": "x and 12 / x"}
    dead = Dead(live, text, fix(fixed, replay("step")), replay("steps"), retry("steps"), replay("collect"))

    dead.mortem("job", [3, 0, 4])
    assert dead.values == [0, [4.0, 0, 3.0], [0, 3.0], [4.0, 0, 3.0]]


# -- outward


def test_callers_go_on_with_the_value_of_the_repaired_call(live: Live) -> None:
    dead = Dead(live, DIVIDE, fix({"total / count": "total / count if count else -1"}, replay(outward=True)))

    assert dead.mortem("main", [3, 0, 4]) == ([4.0, -1, 3.0], 4)
    assert dead.outcomes[0].callers == ("report", "main")
    assert dead.outcomes[0].refusal is None
    assert dead.program.log == [3, 0, 0, 4]


def test_what_callers_call_again_is_told(live: Live) -> None:
    text = "def half(x):\n    return 12 / x\ndef job():\n    found = half(3) + half(0) + half(4)\n    return found\n"
    dead = Dead(live, text, fix({"12 / x": "x and 12 / x"}, replay("half", outward=True)))

    assert dead.mortem("job") == 7.0
    assert dead.outcomes[0].repeated == (("job", ("half()",)),)


def test_going_outward_from_the_middle(live: Live) -> None:
    dead = Dead(live, DIVIDE, after(assign("count", 2), retry(outward=True)))

    assert dead.mortem("main", [3, 0]) == ([4.0, 6.0], 2)


def test_going_outward_stops_where_a_block_is_gone_and_says_so(live: Live) -> None:
    text = WITH + "def outer(x):\n    with Block():\n        found = job(x)\n    return found\n"
    dead = Dead(live, text, fix({"12 / x": "-1"}, replay("job", outward=True)))

    assert dead.mortem("outer", 0) == ("through", 0)
    outcome = dead.outcomes[0]
    assert (outcome.function, outcome.callers) == ("job", ())
    assert outcome.refusal is not None
    assert outcome.refusal.code == "blocks-gone"


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("[*map(inner, [x])]", "not-called-directly"),
        ("wrapped(x)", "not-called-directly"),
        ("sorted([x], key=inner)", "not-called-directly"),
        ("Own(inner).call(x)", "not-called-directly"),
        ("[functools.partial(max, 9), wrapped][1](x)", "not-called-directly"),
    ],
)
def test_a_caller_that_got_the_value_through_something_else_does_not_go_on(live: Live, call: str, expected: str) -> None:
    text = f"""
import functools
def inner(x):
    return 12 / x
wrapped = functools.lru_cache(inner)
class Own:
    def __new__(cls, function):
        class Other:
            call = staticmethod(lambda x: [*map(function, [x])][0])
        return Other
def outer(x):
    return {call}
"""
    dead = Dead(live, text, fix({"12 / x": "5"}, replay("inner", outward=True)))

    assert dead.mortem("outer", 0) == 5
    refusal = dead.outcomes[0].refusal
    assert refusal is not None
    assert refusal.code == expected


NUMBER = """
class Number:
    def __init__(self, x):
        self.x = x
        self.half = x / (x - 4)
    def __add__(self, other):
        return self.x / (other - 1)
    @property
    def bad(self):
        return self.x / (self.x - 3)
    def method(self, more):
        return self.x / (more - 1)
    def __getitem__(self, at):
        return self.x / (at - 1)
def construct():
    made = Number(4)
    return made.x, made.half
def add():
    return "sum", Number(3) and n + 1
def look():
    return "property", n.bad
def call():
    return "method", n.method(1)
def take():
    return "item", n[1]
def chained():
    return "chained", Number(3).method(1)
def among():
    return "among", kept["all"][-1].method(1)
n = Number(3)
kept = {"all": [n, Number(3)]}
"""


@pytest.mark.parametrize(
    ("name", "broken", "function", "result"),
    [
        ("construct", "x / (x - 4)", "Number.__init__", (4, 8)),
        ("add", "self.x / (other - 1)", "Number.__add__", ("sum", 8)),
        ("look", "self.x / (self.x - 3)", "Number.bad", ("property", 8)),
        ("call", "self.x / (more - 1)", "Number.method", ("method", 8)),
        ("chained", "self.x / (more - 1)", "Number.method", ("chained", 8)),
        ("among", "self.x / (more - 1)", "Number.method", ("among", 8)),
        ("take", "self.x / (at - 1)", "Number.__getitem__", ("item", 8)),
    ],
)
def test_methods_properties_operators_and_classes_hand_their_value_outward(
    live: Live, name: str, broken: str, function: str, result: Any
) -> None:
    dead = Dead(live, NUMBER, fix({broken: "8"}, replay(function, outward=True)))

    assert dead.mortem(name) == result
    assert dead.outcomes[0].refusal is None


def test_a_caller_that_is_still_running_goes_on_by_itself(live: Live) -> None:
    text = (
        DIVIDE
        + "def careful(look):\n    try:\n        return divide(1, 0)\n    except ZeroDivisionError as error:\n        return look(error)\n"
    )
    dead = Dead(live, text, fix({"total / count": "8"}, replay("divide", outward=True)))
    look = dead.program.session.post_mortem

    assert dead.program.call("careful", lambda error: look(error, error.__traceback__)) == 8
    refusal = dead.outcomes[0].refusal
    assert refusal is not None
    assert refusal.code == "still-running"


def test_a_failure_further_out_is_a_live_stop_and_ends_the_way_outward(live: Live) -> None:
    text = DIVIDE + "def top(rows):\n    result = main(rows)\n    return result[7]\n"
    dead = Dead(live, text, fix({"total / count": "0"}, replay("divide", outward=True)), give_back("mended", "top"))

    assert dead.mortem("top", [0]) == "mended"
    assert dead.program.stops[1] == "IndexError: tuple index out of range"


def test_an_exception_without_a_traceback_is_refused(live: Live) -> None:
    with pytest.raises(ValueError, match="no exception with a traceback"):
        fixcont.post_mortem(ValueError())
    assert sys.exc_info() == (None, None, None)


def test_a_frame_that_has_raised_again_goes_on_where_it_failed_first(live: Live) -> None:
    text = """
def job(x):
    try:
        found = 12 / x
    except ZeroDivisionError as error:
        raise error
    return found
"""
    dead = Dead(live, text, fix({"12 / x": "9"}, retry()))

    assert dead.mortem("job", 0) == 9


def test_a_recursion_goes_on_outward_frame_by_frame(live: Live) -> None:
    text = "def count(n):\n    if n == 0:\n        return 1 / 0\n    return 1 + count(n - 1)\n"
    dead = Dead(live, text, fix({"1 / 0": "0"}, replay(outward=True)))

    assert dead.mortem("count", 200) == 200
    assert len(dead.outcomes[0].callers) == 200


def test_methods_with_super_are_called_again_and_go_on(live: Live) -> None:
    text = """
class Base:
    def area(self):
        return 12
class Tile(Base):
    def __init__(self, count):
        self.count = count
    def area(self):
        whole = super().area()
        return whole / self.count, super().area()
def job():
    return Tile(0).area()
"""
    dead = Dead(live, text, fix({"/ self.count": "/ (self.count or 4)"}, replay()), retry(), retry("job"))

    dead.mortem("job")
    assert dead.values == [(3.0, 12)] * 3


def test_functions_that_capture_variables_share_them_still(live: Live) -> None:
    text = """
def make():
    total = 0
    def add(n):
        nonlocal total
        total += n
        return total / (n - n)
    return add, lambda: total
"""
    dead = Dead(live, text, fix({"(n - n)": "n"}, replay()), retry())
    add, total = dead.program.names["make"]()
    dead.program.names["add"] = add

    dead.mortem("add", 5)
    assert dead.values == [2.0, 2.0]
    assert total() == 10


def test_coroutines_go_on_outward(live: Live) -> None:
    text = """
import asyncio
async def step(x):
    await asyncio.sleep(0)
    return 12 / x
async def collect(rows):
    found = []
    for row in rows:
        found.append(await step(row))
    return found
def job(rows):
    return asyncio.run(collect(rows))
"""
    dead = Dead(live, text, fix({"12 / x": "x and 12 / x"}, replay("step", outward=True)))

    assert dead.mortem("job", [3, 0, 4]) == [4.0, 0, 3.0]
    outcome = dead.outcomes[0]
    assert outcome.callers == ("collect",)
    assert outcome.refusal is not None
    assert outcome.refusal.code == "not-trapped"  # what runs the loop is library code


def test_a_coroutine_is_not_replayed_in_a_loop_that_stands_still(live: Live) -> None:
    text = """
import asyncio
async def step(x):
    return 12 / x
async def look(see, error):
    return see(error, error.__traceback__.tb_next)
def job(see, error):
    return asyncio.run(look(see, error))
def fail():
    return asyncio.run(step(0))
"""
    dead = Dead(live, text, replay("step"))
    error = dead.program.failure("fail")

    assert dead.program.call("job", dead.program.session.post_mortem, error) is None
    assert dead.program.refused == ["needs-the-loop"]


def test_a_generator_does_not_go_on_outward(live: Live) -> None:
    text = "def numbers(rows):\n    for row in rows:\n        yield 12 / row\ndef job(rows):\n    for each in numbers(rows):\n        pass\n    return each\n"
    dead = Dead(live, text, fix({"12 / row": "7"}, replay("numbers", outward=True)), retry("job"), retry_at("for each", "job"))

    assert dead.mortem("job", [3, 0]) == 7
    refusal = dead.outcomes[0].refusal
    assert refusal is not None
    assert refusal.code == "generator"
    assert dead.program.refused == ["item-gone"]


def test_a_traceback_of_a_function_without_a_file_is_replayed(live: Live) -> None:
    dead = Dead(
        live, "made = {}\nexec('def f(x):\\n    return 12 / x\\n', made)\nf = made['f']\n", retry(), replay(arguments={"x": 4})
    )

    assert dead.mortem("f", 0) == 3
    assert dead.program.refused in (["not-trapped"], ["no-text"])  # the interpreter may know another text of that name


def test_what_a_replay_has_made_goes_with_the_stop(live: Live) -> None:
    import weakref

    from support.front_end import collect

    text = "class Thing:\n    pass\ndef job(x):\n    made = Thing()\n    kept.append(ref(made))\n    return x / 0\nkept = []\n"
    dead = Dead(live, text, replay(), retry())
    dead.program.names["ref"] = weakref.ref
    dead.mortem("job", 1)
    dead.outcomes.clear()
    dead.program.front_end._shown = None  # type: ignore[attr-defined]
    collect()

    assert [made() for made in dead.program.names["kept"]] == [None, None]
