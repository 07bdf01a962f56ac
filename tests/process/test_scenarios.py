"""Real programs fail, are repaired while they are held, and go on: one test a program of tests/programs."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from support.editor import ScriptedEditor
from support.programs import Program
from support.session import DebugSession

Programs = Callable[[str], Program]


def stands_at(stop: str, program: Program, label: str, function: str) -> bool:
    """Tell whether `stop`, the text of a stop, shows `function` at the line labelled `label` with that line's source."""
    line = program.line(label)
    source = program.text.splitlines()[line - 1].strip()
    return f"{program.path.name}({line}){function}()" in stop and f"-> {source}" in stop


class Ledger:
    """A server that accepts connections and keeps what comes through them."""

    def __init__(self) -> None:
        self.connections = 0
        self.lines: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            with connection, connection.makefile() as stream:
                self.lines += [line.rstrip("\n") for line in stream]


@contextmanager
def running_ledger() -> Iterator[Ledger]:
    ledger = Ledger()
    try:
        yield ledger
    finally:
        ledger.close()


REPAIRED = {"return total / count": "return total / count if count else 0.0"}


def run_batch_job(program: Program, repair: Callable[[DebugSession], None], **options: object) -> None:
    with running_ledger() as ledger:
        with DebugSession(program, [str(ledger.port)], **options) as session:  # type: ignore[arg-type]
            stop = session.stop()
            assert "ZeroDivisionError" in stop
            assert stands_at(stop, program, "fails", "unit_price")
            assert "1037" not in stop
            repair(session)
            session.command("rf")
            ended = session.finish()
            pid = session.pid

    lines = ended.output.splitlines()
    start = next(line for line in lines if line.startswith("start"))
    port = start.split()[2]
    assert start == f"start {pid} {port}"
    assert f"end {pid} {port} False" in lines
    assert re.fullmatch(r"booked 60 orders, sum of prices \d+\.\d\d", lines[-1])
    assert (ended.status, ended.errors) == (0, "")
    assert ledger.connections == 1
    assert [line.split()[0] for line in ledger.lines] == [str(number) for number in range(1000, 1060)]
    assert ledger.lines[37] == "1037 0.00"


def test_batch_job_keeps_process_connection_and_file(program: Programs, scripted_editor: Callable[..., ScriptedEditor]) -> None:
    job = program("batch_job")
    editor = scripted_editor(REPAIRED)

    def repair(session: DebugSession) -> None:
        assert "installed: unit_price (version 2)" in session.command("fix")

    run_batch_job(job, repair, environment=editor.environment)
    assert editor.calls[0][-1] == str(job.path)


def test_a_file_saved_from_another_editor_counts_the_same(program: Programs) -> None:
    job = program("batch_job")

    run_batch_job(job, lambda session: job.edit(REPAIRED))


def test_recursion_restarts_the_innermost_call_only(program: Programs) -> None:
    recursion = program("recursion")
    with DebugSession(recursion) as session:
        stop = session.stop()
        assert stands_at(stop, recursion, "fails", "size")
        recursion.edit({'node["size"]': 'node.get("size", node.get("bytes"))'})
        session.command("rf")
        ended = session.finish()

    # 60 folders, 60 notes, one leaf that was entered twice.
    assert ended.output.splitlines()[-1] == "total 187 calls 122"
    assert ended.status == 0


def test_recursion_restarts_a_caller_of_the_same_function(program: Programs) -> None:
    recursion = program("recursion")
    with DebugSession(recursion) as session:
        session.stop()
        recursion.edit({'node["size"]': 'node.get("size", node.get("bytes"))'})
        for _ in range(10):
            session.command("up")
        assert session.command("p depth").strip() == "50"
        session.command("rf")
        ended = session.finish()

    # The ten folders above the leaf are entered again, each with its note.
    assert ended.output.splitlines()[-1] == "total 187 calls 142"
    assert ended.status == 0


def test_generator_consumed_elsewhere_stays_the_same_object(program: Programs) -> None:
    generator = program("generator")
    with DebugSession(generator) as session:
        stop = session.stop()
        assert stands_at(stop, generator, "fails", "readings")
        generator.edit({"yield float(line)": 'yield float(line) if line[0].isdigit() else float("nan")'})
        session.command("rf")
        ended = session.finish()
        pid = session.pid

    # The line that failed was taken from the iterator already, which is the same object after the restart.
    lines = ended.output.splitlines()
    assert "seen [(3.5, 4.5), (4.5, 6.0), (6.0, 2.0)]" in lines
    assert lines[-1] == f"same True exhausted end {pid}"
    assert ended.status == 0


def test_asyncio_program_goes_on_in_the_same_event_loop(program: Programs) -> None:
    clients = program("asyncio_program")
    with DebugSession(clients) as session:
        stop = session.stop()
        assert stands_at(stop, clients, "fails", "price_of")
        clients.edit({"return int(answer)": "return int(answer.split()[0])"})
        session.command("rf")
        ended = session.finish()
        pid = session.pid

    assert ended.output.splitlines()[-1] == f"totals [7, 15, 4] finished 3 end {pid}"
    assert (ended.status, ended.errors) == (0, "")


def test_async_generator_goes_on_for_its_consumer(program: Programs) -> None:
    generator = program("async_generator")
    with DebugSession(generator) as session:
        stop = session.stop()
        assert stands_at(stop, generator, "fails", "pages")
        generator.edit({"PAGES[number].split()": '(PAGES[number] or "").split()'})
        session.command("rf")
        ended = session.finish()

    # Once because the frame was left for the restart, once because it ended.
    assert ended.output.splitlines()[-1] == "words ['alpha', 'beta', 'gamma', 'delta'] closed ['pages', 'pages']"
    assert (ended.status, ended.errors) == (0, "")


def test_method_with_super_on_live_objects(program: Programs) -> None:
    method = program("super_method")
    with DebugSession(method) as session:
        stop = session.stop()
        assert re.search(r"\(\d+\)(Business\.)?fee\(\)", stop)
        method.edit({"amount * self.rate": "amount * (self.rate or 2)"})
        session.command("rf")
        ended = session.finish()

    assert ended.output.splitlines()[-1] == "fees 2010 [1005, 1005, 5]"
    assert ended.status == 0


def test_an_edit_that_adds_super_to_a_method_that_failed(program: Programs) -> None:
    method = program("super_method")
    method.edit({"base = super().fee(amount)": "base = Account.fee(self, amount)"})
    with DebugSession(method) as session:
        session.stop()
        method.edit({"Account.fee(self, amount)": "super().fee(amount)", "self.rate  #": "3  #"})
        restarted = session.command("rf")
        ended = session.finish()

    assert "closure-changed" not in restarted
    assert ended.output.splitlines()[-1] == "fees 3010 [1505, 1505, 5]"
    assert ended.status == 0


def test_decorated_function_in_a_registry(program: Programs) -> None:
    decorated = program("decorated")
    with DebugSession(decorated) as session:
        stop = session.stop()
        assert stands_at(stop, decorated, "fails", "parse")
        decorated.edit({"int(text, base)": "int(text, 0)"})
        session.command("rf")
        ended = session.finish()

    lines = ended.output.splitlines()
    assert "parsed [12, 31, 12, 7]" in lines
    assert lines[-1] == "log [('parse', ('12',)), ('parse', ('0x1f',)), ('parse', ('7',))]"
    assert ended.status == 0


def test_class_body_and_module_that_fail_while_imported(program: Programs) -> None:
    main = program("imports")
    models, settings = main.other("models.py"), main.other("settings.py")
    with DebugSession(main) as session:
        stop = session.stop()
        assert "KeyError" in stop
        assert f"models.py({models.line('fails')})" in stop
        models.edit({'fields["nummer"]': 'fields["number"]'})
        stop = session.command("rf")
        assert "ValueError" in stop
        assert f"settings.py({settings.line('fails')})<module>" in stop
        settings.edit({'int("x2")': 'int("2")'})
        session.command("rf")
        ended = session.finish()

    lines = ended.output.splitlines()
    assert "models {'number': 0, 'item': 1, 'count': 2} 3" in lines
    assert lines[-1] == "settings 42 ['a', 'b'] True"
    assert ended.status == 0


def test_rebound_arguments_come_back_and_mutated_ones_stay_mutated(program: Programs) -> None:
    arguments = program("arguments")
    with DebugSession(arguments) as session:
        stop = session.stop()
        assert stands_at(stop, arguments, "fails", "collect")
        assert "rebound" in session.command("p found")
        assert "40" in session.command("p limit")
        arguments.edit({"(len(more) - 3)": "len(more)"})
        session.command("rf")
        ended = session.finish()

    # Bound as at entry: 4 * 10 // 3, scale 2 + 1, no "seen" twice; the list is the caller's, entered twice.
    lines = ended.output.splitlines()
    assert "result (13, [1, 2, 3], 3, ['seen', 'verbose'], ['entered', 'entered'])" in lines
    assert lines[-1] == "same list True"
    assert ended.status == 0


def test_restart_inside_a_lock_does_not_deadlock(program: Programs) -> None:
    lock = program("lock")
    with DebugSession(lock) as session:
        stop = session.stop()
        assert stands_at(stop, lock, "fails", "update")
        assert "True" in session.command("p lock.locked()")
        assert "[]" in session.command("p exits")
        lock.edit({"table[key] += 1": "table[key] = table.get(key, 0) + 1"})
        session.command("rf")
        ended = session.finish()

    # Each `with` was left twice: once for the restart, with whatever unwinds, once at its end.
    last = ended.output.splitlines()[-1]
    assert re.fullmatch(r"value 1 locked False exits \['\w+', None\]", last)
    assert ended.status == 0


def test_exception_in_a_finally_on_the_way_is_an_ordinary_stop(program: Programs) -> None:
    job = program("finally_fails")
    with DebugSession(job) as session:
        stop = session.stop()
        assert stands_at(stop, job, "fails", "inner")
        session.command("up")
        assert "outer" in session.command("up")
        stop = session.command("rf")
        assert "AttributeError" in stop
        assert stands_at(stop, job, "finally", "inner")
        job.edit({'["value"] / 0': '["value"] / 2', 'resource["handle"].close()': "pass"})
        session.command("rf")
        ended = session.finish()

    # `inner` was restarted at its second stop: the restart of `outer` gave way to the new exception.
    assert ended.output.splitlines()[-1].startswith("result 3.0 ['outer entered', 'inner finally', ")
    assert ended.status == 0


@pytest.mark.parametrize(
    # The first "a" of the second was expanded before the repair.
    ("which", "function", "repair", "result"),
    [
        ("key", "weight", {'"two": 2}': '"two": 2, "three": 3}'}, "['one', 'two', 'three']"),
        ("sub", "expand", {'{"a": "alpha"}[match.group()]': "match.group() * 2"}, "alpha-bb-aa"),
        ("default", "encode", {'raise TypeError(f"not known: {type(value).__name__}")': "return str(value)"}, '{"when": "2026-01-02", "n": 1}'),
    ],
)  # fmt: skip
def test_callback_called_by_library_code(
    program: Programs, which: str, function: str, repair: dict[str, str], result: str
) -> None:
    callbacks = program("callbacks")
    with DebugSession(callbacks, [which]) as session:
        stop = session.stop()
        assert stands_at(stop, callbacks, which, function)
        callbacks.edit(repair)
        session.command("rf")
        ended = session.finish()

    assert ended.output.splitlines()[-1] == f"result {result}"
    assert ended.status == 0


def test_two_threads_that_fail_at_once_are_served_one_after_the_other(program: Programs) -> None:
    threads = program("threads")
    with DebugSession(threads) as session:
        first = session.stop()
        assert stands_at(first, threads, "fails", "convert")
        threads.edit({"int(text)": "int(text, 16)"})
        second = session.command("rf")
        assert "ValueError" in second and f"({threads.line('fails')})convert()" in second
        session.command("rf")
        ended = session.finish()

    assert ended.output.splitlines()[-1] == "results [('counted', True), ('first', 26), ('second', 43)]"
    assert ended.status == 0


@pytest.mark.parametrize("kind", ["pipe", "terminal"])
def test_ctrl_c_in_a_hung_loop_is_a_stop(program: Programs, kind: str) -> None:
    hung = program("hung")
    with DebugSession(hung, kind=kind) as session:  # type: ignore[arg-type]
        session.expect("searching")
        session.interrupt()
        stop = session.stop()
        assert "search" in stop
        hung.edit({'if state["rounds"] == target:': 'if target is None or state["rounds"] == target:'})
        session.command("rf")
        ended = session.finish()

    assert ended.output.splitlines()[-1] == "result found"
    assert ended.status == 0
