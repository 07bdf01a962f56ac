"""Random programs run with traps as they do without, whatever the hook answers.

FIXCONT_FUZZ_CASES sets how many programs are tried (60 if it is not set), FIXCONT_FUZZ_FIRST the first seed.
"""

from __future__ import annotations

import builtins
import os
import sys
from collections.abc import Callable
from types import CellType, CodeType, FrameType, FunctionType
from typing import Any

import pytest

from fixcont.bytecode import traps
from fixcont.bytecode.stubs import HOOK_NAME
from fixcont.continuing.reentry import kind_flags, returning
from support.random_programs import FILENAME, KINDS, Ending, World, random_failures, random_program, run

FIRST = int(os.environ.get("FIXCONT_FUZZ_FIRST", "0"))
SEEDS = range(FIRST, FIRST + int(os.environ.get("FIXCONT_FUZZ_CASES", "60")))

Answer = Any
Hooked = Callable[[Callable[[BaseException, FrameType], Answer]], None]


def fully_trapped(code: CodeType) -> CodeType:
    traps.left_alone.clear()
    trapped = traps.trap(code)
    assert not traps.left_alone
    return trapped


class Hook:
    """Stands in for the engine: takes what traps say, checks it, and answers."""

    def __init__(self, answer: Callable[[BaseException, FrameType], Answer]) -> None:
        self.answer = answer

    def __call__(
        self,
        exception: BaseException,
        site: tuple[str, int, bool, bool, int] | None,
        stack: tuple[Any, ...],
        handled: Any,
        cells: tuple[Any, ...],
    ) -> Answer:
        frame = sys._getframe(2)
        assert exception is sys.exc_info()[1]
        assert exception.__traceback__ is not None
        assert exception.__traceback__.tb_frame is frame
        assert frame.f_code.co_filename == FILENAME
        assert all(type(cell) is CellType for cell in cells)
        assert len(cells) == len(frame.f_code.co_cellvars + frame.f_code.co_freevars)
        return self.answer(exception, frame)


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exceptions of generators that are dropped half-way are no matter."""
    monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: None)


@pytest.fixture
def hooked(monkeypatch: pytest.MonkeyPatch) -> Hooked:
    """Makes traps call a hook that gives these answers."""
    return lambda answer: monkeypatch.setattr(builtins, HOOK_NAME, Hook(answer), raising=False)


def is_chosen(exception: BaseException) -> bool:
    return getattr(exception, "chosen", False) is True


def failures_of(seed: int) -> dict[int, tuple[int, str]]:
    return random_failures(seed, run(random_program(seed), World({})).log)


def check(seed: int, got: Ending, expected: Ending) -> None:
    assert got == expected, f"seed {seed}:\n{random_program(seed).source}"


@pytest.mark.parametrize("seed", SEEDS)
def test_a_hook_that_lets_everything_go_on_changes_nothing(seed: int, hooked: Hooked) -> None:
    program, failures = random_program(seed), failures_of(seed)
    expected = run(program, World(failures))
    check(seed, run(program, World(failures), fully_trapped), expected)  # without a hook
    hooked(lambda exception, frame: None)
    check(seed, run(program, World(failures), fully_trapped), expected)


@pytest.mark.parametrize("seed", SEEDS)
def test_an_exception_that_replaces_another_goes_where_that_would_have_gone(seed: int, hooked: Hooked) -> None:
    program, failures = random_program(seed), failures_of(seed)
    expected = run(program, World(failures))

    def replace(exception: BaseException, frame: FrameType) -> Answer:
        # Where no `except` clause has matched, what is put in place goes to the clauses again, and comes here again.
        place = id(frame), frame.f_lasti
        if type(exception) not in KINDS.values() or getattr(exception, "place", None) == place:
            return None
        new = type(exception)(*exception.args)
        new.place = place  # type: ignore[attr-defined]
        new.__context__, new.__cause__ = exception.__context__, exception.__cause__
        new.__suppress_context__ = exception.__suppress_context__
        new.__traceback__ = exception.__traceback__
        return new, None

    hooked(replace)
    check(seed, run(program, World(failures), fully_trapped), expected)


@pytest.mark.parametrize("seed", SEEDS)
def test_frames_that_give_up_leave_nothing_behind(seed: int, hooked: Hooked) -> None:
    program, failures = random_program(seed), failures_of(seed)

    def give_up(exception: BaseException, frame: FrameType) -> Answer:
        if not is_chosen(exception) or frame.f_code.co_name == "<module>":
            return None
        return None, returning(5, kind_flags(frame.f_code))

    hooked(give_up)
    assert run(program, World(failures), fully_trapped).handled == "None"


@pytest.mark.parametrize("seed", SEEDS)
def test_a_restarted_function_runs_as_if_nothing_had_been(seed: int, hooked: Hooked) -> None:
    program, failures = random_program(seed), failures_of(seed)
    if program.kind not in ("function", "class body"):
        pytest.skip("what drives it has moved on meanwhile")
    world = World(failures)
    restarted = []

    def restart(exception: BaseException, frame: FrameType) -> Answer:
        if not is_chosen(exception) or frame.f_code.co_name != "target":
            return None
        function = FunctionType(frame.f_code, frame.f_globals)

        def begin_anew() -> object:
            restarted.append(True)
            world.begin_anew()
            return function(11, 12, cell_1=3, z=4)

        return None, begin_anew

    hooked(restart)
    got = run(program, world, fully_trapped)
    if restarted:  # the frame that handed over is in the traceback: to hide it is the engine's part
        check(seed, got._replace(lines=()), run(program, World({}))._replace(lines=()))
