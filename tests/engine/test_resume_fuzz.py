"""Random programs that fail somewhere and go on in the middle end as those that never failed, also after an edit.

FIXCONT_RESUME_CASES sets how many cases are tried, FIXCONT_RESUME_FIRST the seed of the first program. Without them each version of
Python tries 200, of programs of its own, so that a run on 3.11 to 3.14 tries 800.
A range of seeds can be run by hand, which names each case before it begins, so that the last line before a crash tells what crashed:

    PYTHONPATH=.:tests python tests/engine/test_resume_fuzz.py FIRST COUNT [all] [keep]

`all` lets each reachable place of each program fail, `keep` goes on after a difference.
"""

from __future__ import annotations

import contextlib
import gc
import os
import random
import sys
import tempfile
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fixcont.bytecode import interpreter
from fixcont.continuing.ways import Landing, Propagate, RestartFrame, Resume, Skip, UseValue, Way
from fixcont.editing.result import InstallStatus
from fixcont.errors import Refusal
from fixcont.session import Session
from fixcont.stopping.frames import Frame
from fixcont.stopping.stop import Stop
from support.front_end import LiveProgram, live_program, stack_depth
from support.programs import Program, write_program
from support.random_programs import KINDS
from support.resumable_programs import (
    Ending,
    Failure,
    Form,
    ResumableProgram,
    World,
    behind,
    resumable_program,
    run,
    run_plainly,
    with_a_harmless_line,
)

pytestmark = pytest.mark.skipif(interpreter.LOOP_KEEPS_INDEX, reason="how far a loop over a list has come cannot be read")

PER_PROGRAM = 5
CHUNK = 5  # programs
PROGRAMS = -(-int(os.environ.get("FIXCONT_RESUME_CASES", "200")) // PER_PROGRAM)
FIRST = int(os.environ.get("FIXCONT_RESUME_FIRST", PROGRAMS * (sys.version_info.minor - 11)))
CHUNKS = [range(seed, min(seed + CHUNK, FIRST + PROGRAMS)) for seed in range(FIRST, FIRST + PROGRAMS, CHUNK)]

#: Frames without statements of their own: the one that made them goes on.
NO_STATEMENT = ("<lambda>", "<genexpr>", "<listcomp>", "<setcomp>", "<dictcomp>")


@dataclass(frozen=True)
class Case:
    """One program that fails, and what is done about it.

    Attributes:
        seed: of the program.
        failing: (place, visit) at which it fails.
        verb: "resume", "skip", "use value", "restart", or "leave" for a resume behind the blocks around the place; for the last stop at each place;
            "resume" before.
        tries: how often each place fails before the cause is removed.
        edits: whether the text is edited at each stop.
        outward: how many frames further out than the failing one goes on.
    """

    seed: int
    failing: tuple[tuple[int, int], ...]
    verb: str
    tries: int
    edits: bool
    outward: int

    def __str__(self) -> str:
        places = " and ".join(f"place {place} at visit {visit}" for place, visit in self.failing)
        edited = ", edited" if self.edits else ""
        return f"seed {self.seed}: {places}, {self.verb}, {self.tries} tries{edited}, {self.outward} frames out"


def cases_of(seed: int, program: ResumableProgram, visits: dict[int, int], most: int | None) -> Iterator[Case]:
    """Give the cases of a program, in a random order.

    Args:
        visits: place -> how often it is visited if nothing fails.
        most: how many cases; None for one of each place.
    """
    chooser = random.Random(seed + 1_000_003)
    # What is restarted in one event loop is compared with two runs, each of which would have a loop of its own.
    restarts = program.kind in ("function", "method") or (program.kind == "coroutine" and program.asynchronous_by == "hand")
    places = sorted(visits)
    chooser.shuffle(places)
    for place in places[:most]:
        form = program.forms.get(place, Form.PART)
        failing = [(place, chooser.randrange(visits[place]))]
        verb = "resume"
        outward = 0
        if form in (Form.CALL, Form.VALUE) and chooser.random() < 0.4:
            verb = chooser.choice(["skip", "use value"] if form is Form.CALL else ["use value"])
        elif form is Form.LEAVE and chooser.random() < 0.8:
            verb = "leave"
        elif restarts and form is not Form.STAR and chooser.random() < 0.15:
            verb = "restart"
        elif form is Form.HELPER and chooser.random() < 0.6:
            outward = chooser.choice([1, 1, 2])
        elif chooser.random() < 0.15:
            other = chooser.choice(places)
            failing.append((other, chooser.randrange(visits[other])))
        tries = chooser.choice([1, 1, 1, 1, 2, 3])
        yield Case(seed, tuple(dict.fromkeys(failing)), verb, tries, chooser.random() < 0.5, outward)


def value_for(place: int, verb: str) -> int | str | None:
    return {"skip": None, "leave": "leave"}.get(verb, 1000 + place)


class Answers:
    """Answers the stops of one case: removes the cause and lets the frame go on in the middle.

    Attributes:
        problems: what is wrong with the stops.
        refused: the form of the place and the code of each refusal.
        is_late: whether a frame had unwound when it stopped, or a block of one: what a `with` exit swallows cannot be predicted.
    """

    def __init__(self, case: Case, program: ResumableProgram, world: World, file: Program, session: Session) -> None:
        self._case = case
        self._program = program
        self._world = world
        self._file = file
        self._session = session
        self._chooser = random.Random(case.seed)
        self._left = dict.fromkeys(case.failing, case.tries)
        self._frames: dict[tuple[int, int], list[str]] = {}
        self._stops = 0
        self._let_go: list[weakref.ref[BaseException]] = []
        self.texts = [program.source]
        self.problems: list[str] = []
        self.refused: list[tuple[Form, str]] = []
        self.is_late = False

    def __call__(self, stop: Stop) -> Way:
        failure = stop.exception
        if any(known() is failure for known in self._let_go) and not stop.late:
            self.problems.append(f"{failure!r} stops twice")
        if type(failure) is not Failure or self.problems or self.refused:
            if type(failure).__name__ in KINDS:
                self._let_go.append(weakref.ref(failure))  # type: ignore[arg-type]
            return Propagate()
        try:
            return self._answer(stop, failure)
        except Exception as error:
            self.problems.append(f"{type(error).__name__}: {error}")
            return Propagate()

    def _answer(self, stop: Stop, failure: Failure) -> Way:
        failing = failure.place, failure.visit
        self._stops += 1
        self.is_late = self.is_late or bool(stop.late) or self._has_left_a_block()
        self._check_frames(stop, failing)
        if self._case.edits:
            self._edit()
        verb = "resume"
        self._left[failing] -= 1
        if not self._left[failing]:
            self._world.failing.discard(failing)
            verb = self._case.verb
        way = self._way(stop, verb, failure)
        refusal = stop.refusal_of(way)
        if refusal is not None:
            self._refuse(failure, refusal.code, refusal.sentence)
            return Propagate()
        if isinstance(way, RestartFrame):
            return way
        if verb != "resume":
            self._world.take_as_visited(failure.place)
        self._check_landing(stop, way)
        return way

    def _way(self, stop: Stop, verb: str, failure: Failure) -> Resume | Skip | UseValue | RestartFrame:
        if verb == "restart":
            return RestartFrame(next(frame for frame in stop.frames[stop.selected :] if frame.code.co_name == "target"))
        frame = self._frame(stop)
        if verb == "skip":
            return Skip(frame)
        if verb == "leave":
            lines = [line.strip() for line in self.texts[-1].splitlines()]
            return Resume(frame, lines.index(behind(failure.place)) + 1)
        return UseValue(frame, value_for(failure.place, verb)) if verb == "use value" else Resume(frame)

    def _frame(self, stop: Stop) -> Frame:
        """Give the frame that is to go on."""
        frames = [frame for frame in stop.frames[stop.selected :] if frame.is_user]
        while frames[0].code.co_name in NO_STATEMENT:
            refusal = stop.refusal_of(Resume(frames.pop(0)))
            assert refusal is not None and refusal.code == "no-statement", refusal
        for _ in range(self._case.outward):
            if frames[0].code.co_name.startswith("helper_"):
                frames.pop(0)
        return frames[0]

    def _edit(self) -> None:
        self.texts.append(with_a_harmless_line(self.texts[-1], self._chooser))
        self._file.path.write_text(self.texts[-1], encoding="utf-8")
        result = self._session.sources.install_changes()
        assert result.status is InstallStatus.INSTALLED, result

    def _refuse(self, failure: Failure, code: str, sentence: str) -> None:
        form = self._program.forms.get(failure.place, Form.PART)
        self.refused.append((form, code))
        is_out_of_star = (
            code == "would-be-caught" and "except*" in sentence
        )  # nothing can be unwound through a body of such a clause
        if not self.is_late and code != "c-frame-swallowed" and not is_out_of_star:
            self.problems.append(f"refused: {code}: {sentence}")

    def _has_left_a_block(self) -> bool:
        """Tell whether a `with` exit has seen the failure."""
        return any(
            entry[0] == "exit" and entry[2] == Failure.__name__ for entry in self._world.record if isinstance(entry, tuple)
        )

    def note_what_did_not_stop(self) -> None:
        """Count what was let through as handled: what a `finally` body replaces, or an `except*` statement puts into a group."""
        if self._stops < self._world.failures and not self.refused:
            self.refused.append((Form.PART, "no stop"))

    def _check_frames(self, stop: Stop, failing: tuple[int, int]) -> None:
        """The stack looks the same however often it has failed here, if nothing of it had unwound."""
        names = [frame.function for frame in stop.frames if frame.is_user]
        if self._case.outward == 0 and not self.is_late:
            assert self._frames.setdefault(failing, names) == names, f"{self._frames[failing]} were the frames, now {names}"
        files = {os.path.basename(os.path.dirname(frame.filename)) for frame in stop.frames}
        assert not files & {"bytecode", "continuing", "stopping"}, f"frames of fixcont itself are shown: {files}"

    def _check_landing(self, stop: Stop, way: Resume | Skip | UseValue) -> None:
        landing = stop.landing_of(way)
        assert isinstance(landing, Landing), landing
        lines = self.texts[-1].splitlines()
        if isinstance(way, Resume) and way.line is not None:
            assert landing.line == way.line, landing
        elif not isinstance(way, Skip):
            landed = lines[landing.line - 1]
            was = [text.splitlines()[landing.was - 1 : landing.was] for text in self.texts]
            assert [landed] in was, f"{landing} lands at {landed!r}, was one of {was}"


@dataclass(frozen=True)
class Checked:
    """What came of a case.

    Attributes:
        problem: what is wrong, or "".
        refused: the form of the place and the code of each refusal.
        is_late: whether it was not compared, because a frame had unwound already when it stopped.
    """

    problem: str
    refused: tuple[tuple[Form, str], ...]
    is_late: bool


class Bench:
    """A session in which the cases of a program run one after the other, each in a file of its own; it is the front end as well."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = 0
        self._answers: Answers | None = None
        self._messages: list[str] = []
        folder.mkdir()  # what does not exist is taken for the name of a module
        self._session = Session(self, scope=(str(folder),))

    def __enter__(self) -> Bench:
        self._session.install()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._session.uninstall()

    def stopped(self, stop: Stop) -> Way:
        assert self._answers is not None
        return self._answers(stop)

    def refused(self, refusal: Refusal) -> None:
        assert self._answers is not None
        self._answers.problems.append(f"refused what was not to be refused: {refusal}")

    def report(self, message: str) -> None:
        self._messages.append(message)

    def check(self, case: Case, program: ResumableProgram) -> Checked:
        """Run a case and compare it with the run that never fails."""
        is_given = case.verb in ("skip", "use value", "leave")
        given = {(place, visit): value_for(place, case.verb) for place, visit in case.failing} if is_given else {}
        expected = run_plainly(program, World(given=given, restarting=set(case.failing) if case.verb == "restart" else set()))
        world = World(set(case.failing))
        self._files += 1
        file = write_program(self._folder / f"case{self._files}", program.source)
        answers = self._answers = Answers(case, program, world, file, self._session)
        live = LiveProgram(file, self._session, None)  # type: ignore[arg-type]
        live.names.update(world.names())
        try:
            got = run(program, world, live.names, live.load)
        finally:
            sys.modules.pop(live.module.__name__, None)
        problem = "; ".join([*answers.problems, *self._messages])
        self._messages.clear()
        answers.note_what_did_not_stop()
        if not problem and not answers.refused and not answers.is_late:
            problem = difference(expected, got, answers.texts, case.verb)
        if problem:
            edited = f"\n--- edited\n{numbered(answers.texts[-1])}" if len(answers.texts) > 1 else ""
            problem = f"{case} ({program.kind}, by {program.asynchronous_by})\n{problem}\n{numbered(program.source)}{edited}"
        return Checked(problem, tuple(answers.refused), answers.is_late)


def numbered(text: str) -> str:
    return "\n".join(f"{number:4} {line}" for number, line in enumerate(text.splitlines(), 1))


def keeps_overwritten_variables() -> bool:
    """Tell whether a frame keeps the value of a variable that was overwritten from outside of it."""

    def overwrite() -> bool:
        thing: set[int] | None = {1}
        known = weakref.ref(thing)
        sys._getframe().f_locals["thing"] = None
        return interpreter.LOCALS_WRITE_THROUGH and known() is not None

    return overwrite()


def comparable(ending: Ending, verb: str) -> Ending:
    """Leave out of a record when objects went away, where a frame that handed over keeps them, or the frames of a traceback do.

    On the way to a restart an exception of a `finally` body has the failure as its context, and not what unwinds: that is left out, too.
    """
    if verb == "restart":
        plain = [entry for entry in ending.record if isinstance(entry, tuple) and entry[0] not in ("gone", "see")]
        record = tuple(entry[:-1] if entry[0] == "exit" else entry for entry in plain)
        return ending._replace(record=record, trace=(), result=ending.result if not ending.trace else "raised")
    if not KEEPS_OVERWRITTEN_VARIABLES and not ending.trace:
        return ending
    return ending._replace(
        record=tuple(entry for entry in ending.record if not (isinstance(entry, tuple) and entry[0] == "gone"))
    )


KEEPS_OVERWRITTEN_VARIABLES = keeps_overwritten_variables()


def difference(expected: Ending, got: Ending, texts: list[str], verb: str) -> str:
    """Tell in what two runs differ, or give ""."""
    expected, got = comparable(expected, verb), comparable(got, verb)
    if "ignored GeneratorExit" in expected.result:  # when what is left of such a generator goes away is another matter
        got = got._replace(record=got.record[: len(expected.record)])
    ending = f"it ended with {got.result} {got.trace}"
    for number, (one, other) in enumerate(zip(expected.record, got.record, strict=False)):
        if one != other:
            return f"record {number} is {other}, not {one}; before it {got.record[max(0, number - 4) : number]}; {ending}"
    if len(expected.record) != len(got.record):
        more = expected.record[len(got.record) :] or got.record[len(expected.record) :]
        return f"{len(got.record)} records, not {len(expected.record)}: {more[:5]}; {ending}"
    if got.result != expected.result:
        return f"result {got.result}, not {expected.result}"
    if got.handled != expected.handled:
        return f"{got.handled} is still being handled"
    if "ignored GeneratorExit" not in expected.result and not same_trace(expected, got, texts):
        return f"traceback {got.trace}, not {expected.trace}"
    return ""


def same_trace(expected: Ending, got: Ending, texts: list[str]) -> bool:
    """Tell whether two tracebacks name the same functions and, each in one of the versions of the text, the same lines."""
    if len(got.trace) != len(expected.trace):
        return False
    versions = [text.splitlines() for text in texts]
    for (file, function, line), (other_file, other_function, other_line) in zip(expected.trace, got.trace, strict=True):
        if (file, function) != (other_file, other_function) or line is None or other_line is None:
            return False
        if file != "program.py":
            if line != other_line:
                return False
        elif versions[0][line - 1] not in [lines[other_line - 1] for lines in versions if other_line <= len(lines)]:
            return False
    return True


def checked_cases(seed: int, folder: Path, most: int | None, before: Callable[[Case], object]) -> Iterator[Checked]:
    """Check the cases of a seed, and call `before` with each before it runs."""
    program = resumable_program(seed)
    world = World()
    run_plainly(program, world)
    with Bench(folder) as bench:
        for case in cases_of(seed, program, world.visits, most):
            before(case)
            yield bench.check(case, program)


# -- the tests

_tried: Counter[str] = (
    Counter()
)  # "cases", those "refused", and those that stopped late or not at all ("missed"), of the chunks that ran in this process


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exceptions of generators that are dropped half-way are no matter."""
    monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: None)


@pytest.mark.parametrize("seeds", CHUNKS, ids=lambda seeds: f"{seeds.start}-{seeds.stop - 1}")
def test_what_goes_on_in_the_middle_ends_as_what_never_failed(seeds: range, tmp_path: Path) -> None:
    for seed in seeds:
        for checked in checked_cases(seed, tmp_path / str(seed), PER_PROGRAM, lambda case: None):
            _tried["cases"] += 1
            missed = checked.is_late or any(code == "no stop" for _, code in checked.refused)
            _tried["missed"] += missed
            _tried["refused"] += bool(checked.refused) and not missed
            if checked.problem:
                pytest.fail(checked.problem, pytrace=False)


def test_hardly_any_case_is_refused_or_missed() -> None:
    """Runs after the chunks, and counts those of its own process."""
    assert _tried["refused"] <= 5 + 0.03 * _tried["cases"]
    assert _tried["missed"] <= 5 + 0.08 * _tried["cases"]


_LOOP = """\
{prefix}total = 0
{prefix}for number in range({rounds}):
{prefix}    with nothing:
{prefix}        fail(number)
{prefix}        total += number
{suffix}
"""
#: What a round fails in -> the texts before the loop, in front of each of its lines, and behind it.
LOOPS = {
    "function": ("def target():", "    ", "    return total"),
    "generator": ("def target():", "    ", "    yield total"),
    "coroutine": ("async def target():", "    ", "    return total"),
    "async generator": ("async def target():", "    ", "    yield total"),
    "class body": ("def target():\n    class C:", "        ", "    return C.total"),
    "module": ("", "", "target = lambda: total"),
}


class Rounds:
    """Fails once in each round, is told to go on each time, and measures.

    Attributes:
        resumed: how often a frame was resumed.
        depths: how many frames there were in a round when it was resumed.
        blocks: how many blocks of memory Python had allocated in a round.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self.resumed = 0
        self.depths: dict[int, int] = {}
        self.blocks: dict[int, int] = {}
        self.live: LiveProgram | None = None
        self._failed = -1

    def fail(self, number: int) -> None:
        if self._failed < number:
            self._failed = number
            raise Failure(number, 0)
        self.depths[number] = stack_depth(sys._getframe())
        if number in (100, self.count - 1):
            gc.collect()
            self.blocks[number] = sys.getallocatedblocks()

    def answer(self, stop: Stop) -> Way:
        assert self.live is not None
        self.live.saw.clear()
        self.resumed += 1
        return Resume(stop.frames[stop.selected])


def ended(kind: str, made: Any) -> object:
    """Take what `target` of a loop returned to its end."""
    if kind == "generator":
        return next(made)
    if kind in ("coroutine", "async generator"):
        awaitable = made if kind == "coroutine" else made.__anext__()
        try:
            awaitable.__await__().send(None)
        except StopIteration as end:
            return end.value
    return made


@pytest.mark.slow
@pytest.mark.parametrize("kind", LOOPS)
def test_resuming_one_frame_again_and_again_grows_no_stack_and_no_memory(kind: str, tmp_path: Path) -> None:
    count = 1000 if kind == "function" else 250
    before, prefix, suffix = LOOPS[kind]
    text = before + "\n" + _LOOP.format(prefix=prefix, rounds=count, suffix=suffix)
    rounds = Rounds(count)
    with live_program(tmp_path, text, endless=rounds.answer, load=False) as live:
        rounds.live = live
        live.names.update(fail=rounds.fail, nothing=contextlib.nullcontext())
        live.load()
        assert ended(kind, live.names["target"]()) == sum(range(count))
    assert rounds.resumed == count
    assert rounds.depths[count - 1] <= rounds.depths[10]
    assert rounds.blocks[count - 1] - rounds.blocks[100] < 10 * (count - 100)  # about a megabyte in a thousand


def main(arguments: list[str]) -> None:
    """Run a range of seeds; see the top of this file."""
    first, count = map(int, arguments[:2])
    most = None if "all" in arguments else PER_PROGRAM
    sys.unraisablehook = lambda unraisable: None
    refused: Counter[str] = Counter()
    cases = problems = 0
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(first, first + count):
            for checked in checked_cases(seed, Path(folder, str(seed)), most, lambda case: print(case, flush=True)):
                cases += 1
                refused.update(f"{form.name} {code}" for form, code in checked.refused)
                refused["late"] += checked.is_late
                if checked.problem:
                    problems += 1
                    print(f"DIFFERENT {checked.problem}", flush=True)
                    if "keep" not in arguments:
                        sys.exit(1)
    print(f"{cases} cases, {problems} different, refused: {dict(refused)}")


if __name__ == "__main__":
    main(sys.argv[1:])
