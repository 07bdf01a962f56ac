"""Saved exceptions: what the file holds, and the stop that it opens to."""

from __future__ import annotations

import json
import os
import pickle
import stat
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import fixcont
from fixcont.continuing.ways import Propagate, RestartFrame, Resume, Way
from fixcont.errors import Refused
from fixcont.postmortem.opening import Opened, OpenedFrame, open_stop
from fixcont.postmortem.reading import read
from fixcont.postmortem.standins import Hole
from fixcont.postmortem.wanted import Wanted
from fixcont.saving import save_stop
from fixcont.session import active
from fixcont.stopping.frames import Frame
from fixcont.stopping.stop import Stop
from support.front_end import LiveProgram


def failure(function: Callable[..., Any], *args: Any) -> BaseException:
    try:
        function(*args)
    except BaseException as error:
        return error
    raise AssertionError("it did not fail")


def opened(path: Path, unpickle: Callable[[bytes], Any] | None = None) -> Opened:
    return open_stop(read(str(path)), unpickle)


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in zlib.decompress(path.read_bytes(), 31).splitlines()]


TABLE = {"tax": 2}


def price(amount: float, *rest: int, rate: int = 2, **more: Any) -> float:
    doubled = [amount] * rate
    amount = 0.0
    return doubled[0] / amount + TABLE["tax"]


def order(lines: list[float]) -> float:
    return sum(price(line, 1, 2, extra="x") for line in lines)


def test_frames_lines_texts_arguments_and_variables(tmp_path: Path) -> None:
    saved = fixcont.save(failure(order, [3.0]), tmp_path / "a.stop")
    stop = opened(tmp_path / "a.stop").stop

    assert saved.size == (tmp_path / "a.stop").stat().st_size
    assert [frame.function for frame in stop.frames[:4]] == ["price", "order.<locals>.<genexpr>", "order", "failure"]
    frame = stop.frames[stop.selected]
    text = frame.text[frame.line - 1]  # type: ignore[attr-defined]
    assert text.strip() == 'return doubled[0] / amount + TABLE["tax"]'
    assert frame.span is not None
    assert text[frame.span[1] : frame.span[3]] == "doubled[0] / amount"
    variables = dict(frame.raw.f_locals)
    assert variables == {"amount": 0.0, "rest": (1, 2), "rate": 2, "more": {"extra": "x"}, "doubled": [3.0, 3.0]}
    assert frame.raw.f_globals["TABLE"] == {"tax": 2}
    assert frame.saved.parameters.rebound == ("amount",)  # type: ignore[attr-defined]
    assert eval("doubled[1] * TABLE['tax'] + len(rest)", frame.raw.f_globals, frame.raw.f_locals) == 8.0


def test_the_first_save_of_a_process_loads_little(tmp_path: Path) -> None:
    """What takes long to load is not loaded where the program has not done so itself: a save has 50 ms."""
    program = """\
import sys, fixcont
before = set(sys.modules)
try:
    1 / 0
except ArithmeticError as error:
    fixcont.save(error, sys.argv[1])
heavy = {"dataclasses", "inspect", "dis", "importlib.metadata", "ctypes", "fixcont.session", "fixcont.bytecode.stack"}
print(sorted(heavy & (set(sys.modules) - before)))
"""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", program, str(tmp_path / "a.stop")]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)

    assert ended.stdout == "[]\n"
    assert opened(tmp_path / "a.stop").stop.frames


def test_nothing_can_go_on(tmp_path: Path) -> None:
    fixcont.save(failure(order, [3.0]), tmp_path / "a.stop")
    stop = opened(tmp_path / "a.stop").stop

    for way in (RestartFrame(stop.frames[0]), Resume(stop.frames[0])):
        refusal = stop.refusal_of(way)
        assert refusal is not None and refusal.code == "post-mortem"
    assert stop.refusal_of(Propagate()) is None
    assert not stop.frames[0].can_restart


def test_what_the_call_gave_is_saved_at_a_live_stop(live: Callable[..., LiveProgram], tmp_path: Path) -> None:
    def save_it(stop: Stop) -> Way:
        held.append(stop.frames[0])
        session = active()
        assert session is not None
        save_stop(stop, tmp_path / "a.stop", Wanted(), session)
        return Propagate()

    held: list[Frame] = []
    program = live(
        """
def outer(n):
    n = str(n)
    return rate([1], n, password="opensesame")

def rate(items, name, *rest, password, **more):
    items = tuple(items)
    name, password = name * 2, ""
    rest = None
    more = {}
    raise ValueError(items)
""",
        save_it,
    )
    assert isinstance(program.attempt("outer", 3).error, ValueError)
    inner, outer = opened(tmp_path / "a.stop").stop.frames[:2]

    assert inner.raw.f_locals["items"] == (1,) and inner.raw.f_locals["name"] == "33"
    # What a function sets to None it wants freed: it is not kept.
    assert {name: inner.given[name] for name in ("items", "name", "more")} == {"items": [1], "name": "3", "more": {}}
    assert inner.given["password"].why == "redacted" and inner.given.keys() == {"items", "name", "more", "password"}
    assert isinstance(outer, OpenedFrame) and outer.saved.parameters is not None
    assert (outer.saved.parameters.rebound, dict(outer.given)) == (("n",), {})
    assert not held[0].given  # it holds none of the program's objects once the stop is over


class Unpaid(ValueError):
    def __str__(self) -> str:
        return f"not paid: {self.args[0]}"


def chain() -> None:
    try:
        raise KeyError("k")
    except KeyError as error:
        why = "because"
        try:
            raise Unpaid(why) from error
        except Unpaid as second:
            second.add_note("a note")
            raise ExceptionGroup("both", [second, OSError(2, "gone")])


def test_the_chain_of_exceptions_with_their_frames(tmp_path: Path) -> None:
    fixcont.save(failure(chain), tmp_path / "a.stop")
    error = opened(tmp_path / "a.stop").stop.exception

    assert isinstance(error, ExceptionGroup)
    assert str(error) == "both (2 sub-exceptions)"
    first, second = error.exceptions
    assert (type(first).__name__, str(first), first.__notes__) == ("Unpaid", "not paid: because", ["a note"])
    assert isinstance(first, ValueError)
    assert isinstance(second, OSError) and str(second) == "[Errno 2] gone"
    assert isinstance(first.__cause__, KeyError) and first.__suppress_context__
    place = first.__cause__.__traceback__
    assert place is not None
    assert place.tb_frame.f_code.co_name == "chain"
    assert error.__context__ is first


def test_frames_of_exceptions_in_a_chain_are_saved_once(tmp_path: Path) -> None:
    fixcont.save(failure(chain), tmp_path / "a.stop")
    stop = opened(tmp_path / "a.stop").stop
    assert stop.exception is not None
    context = stop.exception.__context__
    assert context is not None and context.__traceback__ is not None

    assert "why" in context.__traceback__.tb_frame.f_locals


def test_a_module_a_class_body_and_a_comprehension(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import fixcont\nsize = 3\nclass Body:\n    inside = 4\n    try:\n        found = list(1 / each for each in [0])\n"
        "    except ArithmeticError as error:\n        fixcont.save(error, 'a.stop')\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, program.name], cwd=tmp_path, check=True, env=environment, timeout=60)
    stop = opened(tmp_path / "a.stop").stop

    by_name = {frame.function: frame for frame in stop.frames}
    assert by_name["Body"].raw.f_locals["inside"] == 4
    assert by_name["<module>"].raw.f_locals["size"] == 3
    assert by_name["<module>"].raw.f_locals is by_name["<module>"].raw.f_globals
    assert any(frame.raw.f_locals.get("each") == 0 for frame in stop.frames)


def deep(number: int) -> None:
    here = number
    deep(number + 1)
    assert here


def test_a_stack_that_was_used_up(tmp_path: Path) -> None:
    fixcont.save(failure(deep, 0), tmp_path / "a.stop", limits={"frames": 10})
    stop = opened(tmp_path / "a.stop").stop

    assert len(stop.frames) > 500
    with_variables = [frame for frame in stop.frames if frame.raw.f_locals]
    assert 8 <= len(with_variables) <= 10
    assert with_variables[-1] is not stop.frames[0] and stop.frames[0].raw.f_locals["number"] > 500


def test_a_hole_can_be_filled_in(tmp_path: Path) -> None:
    def pay(password: str, amount: int) -> float:
        return amount / 0

    fixcont.save(failure(pay, "swordfish", 3), tmp_path / "a.stop")
    raw = opened(tmp_path / "a.stop").stop.frames[0].raw
    names: Any = raw.f_locals

    assert type(names["password"]) is Hole
    names["password"] = "other"
    assert eval("password + str(amount)", raw.f_globals, names) == "other3"


def test_secrets_are_nowhere_in_the_file(tmp_path: Path) -> None:
    def pay(password: str, config: Any) -> None:
        line = f"--login={password}"
        raise ConnectionError(f"cannot log in with {password}", line, config)

    class Config:
        def __init__(self) -> None:
            self.api_key = "k1"

        def __repr__(self) -> str:
            return f"Config({self.api_key})"

    error = failure(pay, "open" + "sesame!", Config())
    error.add_note("tried " + "open" + "sesame!")
    fixcont.save(error, tmp_path / "a.stop")
    content = zlib.decompress((tmp_path / "a.stop").read_bytes(), 31)

    assert b"opensesame!" not in content
    assert b"Config(" + b"k1)" not in content  # the text of this test is in the file
    assert "cannot log in with [redacted]" in str(opened(tmp_path / "a.stop").stop.exception)


def test_the_environment_only_where_it_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_TOKEN", "abcdefgh")
    monkeypatch.setenv("PLAIN", "value-of-plain")
    fixcont.save(failure(order, [1.0]), tmp_path / "a.stop")
    fixcont.save(failure(order, [1.0]), tmp_path / "b.stop", environment=True)

    assert "environment" not in read(str(tmp_path / "a.stop")).process
    environment = read(str(tmp_path / "b.stop")).process["environment"]
    assert environment["PLAIN"] == "value-of-plain"
    assert environment["MY_TOKEN"] == "[redacted]"


def test_other_threads_and_packages(tmp_path: Path) -> None:
    begun, end = threading.Event(), threading.Event()

    def wait() -> None:
        begun.set()
        end.wait()

    thread = threading.Thread(target=wait, name="waiter")
    thread.start()
    try:
        assert begun.wait(30)
        fixcont.save(failure(order, [1.0]), tmp_path / "a.stop")
    finally:
        end.set()
        thread.join()
    document = read(str(tmp_path / "a.stop"))

    (found,) = [each for each in document.threads if each.name == "waiter"]
    assert any(function.endswith("<locals>.wait") for function, _, _ in found.frames)
    assert "pytest" in document.process["packages"]
    assert document.process["python"] == sys.version.split()[0]


class Pickled:
    def __init__(self) -> None:
        self.number = 5


def test_pickles_are_made_and_loaded_only_where_that_is_asked_for(tmp_path: Path) -> None:
    def fail(value: Any) -> None:
        raise ValueError

    value = Pickled()
    fixcont.save(failure(fail, value), tmp_path / "plain.stop")
    fixcont.save(failure(fail, value), tmp_path / "pickled.stop", pickles=True)

    def no(data: bytes) -> Any:
        raise AssertionError("unpickled")

    assert type(opened(tmp_path / "plain.stop", no).stop.frames[0].raw.f_locals["value"]).__name__ == "Pickled"
    assert type(opened(tmp_path / "pickled.stop").stop.frames[0].raw.f_locals["value"]) is not Pickled
    found = opened(tmp_path / "pickled.stop", pickle.loads).stop.frames[0].raw.f_locals["value"]
    assert type(found) is Pickled and found.number == 5


def test_where_a_pickle_fails_what_was_saved_beside_it_is_there(tmp_path: Path) -> None:
    def fail(value: Any) -> None:
        raise ValueError

    def no(data: bytes) -> Any:
        raise ImportError("no such module")

    fixcont.save(failure(fail, Pickled()), tmp_path / "a.stop", pickles=True)
    stop = opened(tmp_path / "a.stop", no)
    found = stop.stop.frames[0].raw.f_locals["value"]

    assert type(found).__name__ == "Pickled" and found.number == 5
    assert "Pickled: ImportError: no such module" in stop.failed_pickles


def test_reprs_are_asked_last_and_within_their_time(tmp_path: Path) -> None:
    ended = threading.Event()

    class Sleeping:
        def __repr__(self) -> str:
            try:
                while True:
                    pass
            finally:
                ended.set()

    class Changing:
        def __init__(self) -> None:
            self.number = 1

        def __repr__(self) -> str:
            self.number = 2
            seen.clear()
            return "changed"

    seen = [1, 2, 3]

    def fail(changing: Any, seen: list[int], sleeping: Any) -> None:
        raise ValueError

    saved = fixcont.save(failure(fail, Changing(), seen, Sleeping()), tmp_path / "a.stop")
    variables = dict(opened(tmp_path / "a.stop").stop.frames[0].raw.f_locals)

    assert ended.wait(30)
    assert (variables["seen"], variables["changing"].number, repr(variables["changing"])) == ([1, 2, 3], 1, "changed")
    assert saved.holes["repr"] >= 1


# -- writing


def test_the_file_is_for_its_owner_and_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.stop"
    path.write_text("before")
    path.chmod(0o644)
    fixcont.save(failure(order, [1.0]), path)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["a.stop"]
    assert lines_of(path)[0] == {"format": "fixcont-saved-stop", "version": [1, 1]}


@pytest.mark.parametrize("name", ["no/such/folder/a.stop", "null\0byte"])
def test_a_file_that_cannot_be_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(Refused, match="file-not-written"):
        fixcont.save(failure(order, [1.0]), f"{tmp_path}/{name}")


def test_what_fails_on_the_way_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.stop"
    path.write_text("before")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Refused, match="No space left"):
        fixcont.save(failure(order, [1.0]), path)

    assert [each.name for each in tmp_path.iterdir()] == ["a.stop"]
    assert path.read_text() == "before"


@pytest.mark.parametrize("limits", [{"depht": 3}, {"depth": -1}, {"seconds": float("nan")}])
def test_limits_that_are_none(tmp_path: Path, limits: dict[str, float]) -> None:
    with pytest.raises(Refused, match="bad-limit"):
        fixcont.save(ValueError(), tmp_path / "a.stop", limits=limits)


def test_an_exception_that_was_never_raised(tmp_path: Path) -> None:
    fixcont.save(ValueError("x"), tmp_path / "a.stop")
    stop = opened(tmp_path / "a.stop").stop

    assert not stop.frames
    assert repr(stop.exception) == "ValueError('x')"


def test_saving_leaves_no_references(tmp_path: Path) -> None:
    import gc
    import weakref

    def fail(value: Any) -> None:
        raise ValueError

    value = Pickled()
    reference = weakref.ref(value)
    error = failure(fail, value)
    fixcont.save(error, tmp_path / "a.stop")
    del error, value
    gc.collect()

    assert reference() is None


def test_callers_that_still_run_are_saved_those_that_have_ended_are_not(tmp_path: Path) -> None:
    def caller() -> None:
        try:
            order([3.0])
        except ZeroDivisionError as error:
            fixcont.save(error, tmp_path / "running.stop")
            raise

    fixcont.save(failure(caller), tmp_path / "ended.stop")
    running = opened(tmp_path / "running.stop").stop.frames
    ended = opened(tmp_path / "ended.stop").stop.frames

    names = [frame.function.rpartition(".")[2] for frame in running]
    assert names[3:6] == ["caller", "failure", "test_callers_that_still_run_are_saved_those_that_have_ended_are_not"]
    assert [frame.saved.is_live for frame in running[:5]] == [False, False, False, False, True]  # type: ignore[attr-defined]
    assert ended[-1].function == "failure"
