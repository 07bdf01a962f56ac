"""Loops of dead frames, at random: one goes on just where it was, or is refused; never anywhere else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from fixcont.continuing.ways import Propagate, Replay, Way
from fixcont.postmortem.replay import Replayed
from fixcont.stopping.stop import Stop
from support.front_end import LiveProgram, find_frame

Live = Callable[..., LiveProgram]

#: Headers of loops over what `job` has in its variables. `{0}` is another name in each of them.
HEADERS = [
    "for {0} in rows:",
    "for {0} in pair:",
    "for {0} in text:",
    "for {0} in range(count):",
    "for {0} in range(count, -2, -2):",
    "for {0} in range(len(rows)):",
    "for {0}, v{0} in enumerate(rows):",
    "for {0}, v{0} in enumerate(reversed(pair), 2):",
    "for v{0}, {0} in zip(text, rows):",
    "for {0} in table:",
    "for {0}, v{0} in table.items():",
    "for {0} in table.values():",
    "for {0} in some:",
    "for {0} in ('x', 'y', count):",
    "for {0} in steps:",
    "for {0} in sorted(rows):",
    "for {0} in reversed(rows):",
    "for {0} in zip(rows, table):",
    "for {0} in list(rows):",
    "for {0} in box.rows:",
    "for {0}, v{0} in enumerate(box.rows):",
    "for {0} in sorted(box.rows):",
    "for {0} in box.table:",
    "for {0}, v{0} in box.table.items():",
    "for v{0}, {0} in zip(box.pair, box.rows):",
    "for {0}, v{0} in box.pairs:",
    "for v{0}, ({0}, w{0}) in enumerate(box.pairs):",
]
PLAIN = ["step()", "out.append(({names}))", "{name} = 0", "rows.append(9) if len(rows) < 6 else None", "text = 'zz'"]
METHODS = ["box.look()", "box.grow()", "box.shrink()", "box.change()", "box.again()", "grow(box)"]

JOB = """
class Box:
    def __init__(self, rows):
        self.rows = rows
        self.pair = 3, 1, 3
        self.pairs = [(each, "ab"[each % 2]) for each in rows]
        self.table = dict(enumerate(rows, 5))
    def look(self):
        return [each for each in self.rows if each in self.table]
    def grow(self):
        self.rows.insert(0, 1) if len(self.rows) < 6 else None
    def shrink(self):
        del self.rows[2:]
    def change(self):
        self.rows, self.pair = [2, 1], (4,)
    def again(self):
        self.grow()
def grow(box):
    box.grow()
def job(rows, pair, text, count, table, some, steps):
    box = Box(rows[::-1])
    out = []
{body}
    out.append("end")
    return out
"""
STEP = """
calls = []
fails_at = [-1]
def step():
    calls.append(1)
    if len(calls) == fails_at[0]:
        raise ValueError("step")
"""


@st.composite
def bodies(draw: st.DrawFn) -> str:
    lines: list[str] = []
    names: list[str] = []
    for depth in range(draw(st.integers(1, 3))):
        names.append("abc"[depth])
        lines.append("    " * (depth + 1) + draw(st.sampled_from(HEADERS)).format(names[-1]))
        for line in draw(st.lists(st.sampled_from(PLAIN) | st.sampled_from(METHODS), max_size=2)):
            lines.append("    " * (depth + 2) + line.format(names=", ".join(names), name=names[-1]))
    inner = "    " * (len(names) + 1)
    return "\n".join([*lines, f"{inner}step()", f"{inner}out.append(({', '.join(names)},))"])


def arguments(rows: list[int], text: str) -> dict[str, Any]:
    return {
        "rows": list(rows), "pair": (1, 2, 1), "text": text, "count": 4, "table": {1: "a", "b": 2, 3: "a"},
        "some": {5, 6, 7}, "steps": iter([3, 3, 4]),
    }  # fmt: skip


class _Answers:
    """Retries `job`, and notes the refusal where that cannot be."""

    def __init__(self) -> None:
        self.refused = ""

    def __call__(self, stop: Stop) -> Way:
        if any(frame.is_live for frame in stop.frames):
            return Propagate()
        way = Replay(find_frame(stop, "job"), in_the_middle=True)
        refusal = stop.refusal_of(way)
        if refusal is not None or self.refused == "done":
            self.refused = self.refused or (refusal.code if refusal is not None else "")
            return Propagate()
        self.refused = "done"
        return way


@pytest.mark.slow
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bodies(), st.lists(st.integers(0, 4), min_size=1, max_size=4), st.text("pqr", min_size=1, max_size=3), st.integers(1, 12))
def test_a_loop_goes_on_where_it_was_or_is_refused(live: Live, body: str, rows: list[int], text: str, fails_at: int) -> None:
    source = STEP + JOB.format(body=body)
    names: dict[str, Any] = {}
    exec(compile(source, "<expected>", "exec"), names)
    expected = names["job"](**arguments(rows, text))
    answers = _Answers()
    program = live(source, endless=answers, stop="never")
    outcomes: list[Replayed] = []
    program.front_end.replayed = outcomes.append  # type: ignore[attr-defined]
    program.names["fails_at"][0] = fails_at
    ended = program.attempt("job", **arguments(rows, text))
    if ended.error is None:
        assert ended.value == expected
        program.session.uninstall()
        return
    assert isinstance(ended.error, ValueError)
    program.session.post_mortem(ended.error, ended.error.__traceback__.tb_next)  # type: ignore[union-attr]
    program.session.uninstall()

    event(answers.refused)
    assert answers.refused in ("done", "blocks-gone")
    if answers.refused == "done":
        assert outcomes[0].error is None, outcomes[0].error
        assert outcomes[0].value == expected
