"""How sessions begin and end: launching, attaching, disconnecting, and what becomes of the program when a client or an adapter dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from support.dap_client import Client, Failed
from support.dap_session import ADAPTER, Debugging, Listening, attached, launched
from support.programs import Program
from support.session import DEADLINE

Make = Callable[[str], Program]

FAILS: Final = """
import sys
def price(total, count):
    return total / count  # @fails
print("price", price(12, 0), sys.argv[1:], flush=True)
"""

RUNS: Final = """
import os
import time
print("running", flush=True)
while not os.path.exists("stop"):
    time.sleep(0.005)
print("done", flush=True)
"""


def refused(program: Program, /, **arguments: Any) -> Failed:
    """Launch what cannot be launched."""
    with Client.stdio(ADAPTER, folder=program.folder) as client:
        with pytest.raises(Failed) as caught:
            client.start("launch", **arguments)
        client.wait_for_event("terminated")
        client.request("disconnect")
    assert caught.value.error["showUser"]
    return caught.value


# Launching


def test_arguments_folder_and_environment_reach_the_program(small_program: Make) -> None:
    text = """
import os
import sys
print(sys.argv[1:], os.getcwd(), os.environ["COLOUR"], "HOME" in os.environ, "FIXCONT_DAP_TOKEN" in os.environ, sys.path[0])
"""
    made = small_program(text)
    with launched(made, args=["a b", "--stop", "-x"], cwd="/", env={"COLOUR": "blue", "HOME": None}) as session:
        assert session.over() == f"['a b', '--stop', '-x'] / blue False False {made.folder}\n"


def test_a_module_is_run_as_python_runs_it(small_program: Make) -> None:
    made = small_program('import sys\nprint(__name__, __package__ == "", sys.argv[1:])\nfloat("x")  # @fails\n')
    with launched(made, module="program", args=["1"], cwd=str(made.folder)) as session:
        session.stopped(at="fails")
        session.save({"float(": "str("})
        session.go("fixcont/retry")
        assert session.over() == "__main__ True ['1']\n"


def test_python_may_be_a_command_with_options(small_program: Make) -> None:
    made = small_program("import sys\nprint(sys.flags.optimize, sys.flags.dev_mode)\n")
    with launched(made, python=[sys.executable, "-O", "-X", "dev"]) as session:
        assert session.over() == "1 True\n"


def test_what_cannot_be_launched_says_why(small_program: Make) -> None:
    made = small_program("print()\n")
    assert "nowhere.py" in refused(made, program="nowhere.py").message
    failed = refused(made, program=str(made.path), python="/nowhere/python")
    assert failed.code == "cannot-launch"
    assert "/nowhere/python" in failed.message
    assert "/nowhere/folder" in refused(made, program=str(made.path), cwd="/nowhere/folder").message
    assert refused(made).code == "no-program"
    assert refused(made, program=str(made.path), console="integratedTerminal").code == "no-terminal"


def test_a_program_that_does_not_begin_shows_what_it_said(small_program: Make, tmp_path: Path) -> None:
    made = small_program("print()\n")
    script = tmp_path / "python"
    script.write_text("#!/bin/sh\necho cannot find libpython >&2\nexit 3\n", encoding="utf-8")
    script.chmod(0o755)
    with Client.stdio(ADAPTER, folder=made.folder) as client:
        with pytest.raises(Failed, match="status 3"):
            client.start("launch", program=str(made.path), python=str(script))
        assert client.output("stderr") == "cannot find libpython\n"
        client.request("disconnect")


def test_a_script_that_does_not_compile_ends_like_under_python(small_program: Make) -> None:
    with launched(small_program("print(\n")) as session:
        session.over(1)
        assert "SyntaxError" in session.client.output("stderr")


def test_stop_on_entry(small_program: Make) -> None:
    with launched(small_program("import sys  # @first\nprint(sys.argv[0] != '')\n"), stopOnEntry=True) as session:
        session.stopped("entry", "first")
        session.run_on()
        assert session.over() == "True\n"


def test_scope_and_when_to_stop(small_program: Make) -> None:
    text = "import fractions\ntry:\n    fractions.Fraction('x')\nexcept ValueError:\n    print('handled')\n"
    with launched(small_program(text), stop="raised", justMyCode=False) as session:
        frame = session.stopped()
        assert "fractions" in frame["source"]["path"]
        session.client.request("setExceptionBreakpoints", filters=[])
        session.run_on()
        assert session.over() == "handled\n"
    with launched(small_program(FAILS), stop="never") as session:
        session.over(1)
    with launched(small_program(FAILS), ignore=["ZeroDivisionError"]) as session:
        session.over(1)


def test_without_debugging_nothing_stops(small_program: Make) -> None:
    made = small_program(FAILS)

    def configure(client: Client) -> None:
        arguments = {"source": {"path": str(made.path)}, "breakpoints": [{"line": made.line("fails")}]}
        (found,) = client.request("setBreakpoints", **arguments)["breakpoints"]
        assert not found["verified"]
        client.request("setExceptionBreakpoints", filters=["raised"])

    with launched(made, configure, noDebug=True) as session:
        session.over(1)
        assert "ZeroDivisionError" in session.client.output("stderr")


@pytest.mark.parametrize("console", ["integratedTerminal", "externalTerminal"])
def test_a_program_in_the_clients_terminal(small_program: Make, tmp_path: Path, console: str) -> None:
    made = small_program(FAILS)
    said = tmp_path / "terminal"
    started: list[subprocess.Popen[bytes]] = []

    def run(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        assert arguments["kind"] == console.removesuffix("Terminal")
        environment = {**os.environ, **arguments.get("env", {})}
        with open(said, "wb") as stream:
            started.append(
                subprocess.Popen(
                    arguments["args"], cwd=arguments["cwd"], env=environment, stdout=stream, stderr=stream, start_new_session=True
                )
            )
        return {"processId": started[0].pid}

    with launched(made, answers={"runInTerminal": run}, console=console, args=["1"]) as session:
        assert session.pid == started[0].pid
        session.stopped(at="fails")
        session.go("fixcont/returnFromFrame", expression="5")
        session.client.wait_for_event("terminated")
    assert started[0].wait(DEADLINE) == 0
    assert said.read_text(encoding="utf-8") == "price 5 ['1']\n"


# How the program ends


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("import sys\nsys.exit(7)\n", 7),
        ("raise SystemExit('sorry')\n", 1),
        ("import os\nos._exit(9)\n", 9),
        ("import os\nos.kill(os.getpid(), 9)\n", -9),
        ("import signal\nsignal.raise_signal(signal.SIGSEGV)\n", -11),
    ],
)
def test_the_exit_status_is_told(small_program: Make, text: str, status: int) -> None:
    with launched(small_program(text)) as session:
        session.over(status)


def test_all_that_was_printed_comes_before_the_end(small_program: Make) -> None:
    with launched(small_program("import sys\nfor n in range(20000): print(n)\nsys.stderr.write('last')\n")) as session:
        assert session.over() == "".join(f"{n}\n" for n in range(20000))
        assert session.client.output("stderr") == "last"


def test_threads_that_outlive_the_main_one(small_program: Make) -> None:
    text = """
import threading
def work():
    threading.main_thread().join()
    print("end", int("x"))  # @fails
threading.Thread(target=work, name="worker").start()
"""
    with launched(small_program(text)) as session:
        session.stopped(at="fails")
        session.save({'int("x")': '"well"'})
        session.go("fixcont/retry")
        assert session.over() == "end well\n"


def test_terminate_runs_the_finally_blocks_of_a_held_program(small_program: Make) -> None:
    text = """
def work():
    try:
        return 1 / 0  # @fails
    finally:
        print("tidied")
try:
    work()
finally:
    print("all")
"""
    with launched(small_program(text)) as session:
        session.stopped(at="fails")
        session.client.request("terminate")
        session.client.wait_for_event("exited")
        session.client.wait_for_event("terminated")
        assert session.client.output() == "tidied\nall\n"


def test_terminate_runs_the_finally_blocks_of_a_running_program(small_program: Make) -> None:
    text = """
import time
try:
    print("running", flush=True)
    while True:
        time.sleep(0.01)
finally:
    print("tidied")
"""
    with launched(small_program(text)) as session:
        session.client.wait_for_event("output", {"output": "running\n"})
        session.client.request("terminate")
        session.client.wait_for_event("terminated")
        assert session.client.output() == "running\ntidied\n"


def test_disconnect_ends_a_program_that_was_launched(small_program: Make) -> None:
    with launched(small_program(FAILS)) as session:
        session.stopped(at="fails")
        session.client.request("disconnect")
    assert not is_alive(session.pid)


def test_disconnect_leaves_the_program_running_where_the_client_wants_that(small_program: Make) -> None:
    made = small_program(RUNS)
    with launched(made) as session:
        session.client.wait_for_event("output", {"output": "running\n"})
        session.client.request("disconnect", terminateDebuggee=False)
        assert is_alive(session.pid)
        (made.folder / "stop").touch()
        session.client.wait_for_event("output", {"output": "done\n"})


def test_a_program_that_is_killed_is_over(small_program: Make) -> None:
    with launched(small_program(FAILS)) as session:
        frame = session.stopped(at="fails")
        os.kill(session.pid, signal.SIGKILL)
        session.client.wait_for_event("exited", {"exitCode": -9})
        session.client.wait_for_event("terminated")
        assert session.client.failure("scopes", frameId=frame["id"]).code in ("no-program", "debuggee-gone")


def test_a_client_that_does_not_wait_for_its_breakpoints(small_program: Make) -> None:
    made = small_program("print('begin')  # @here\n")

    def configure(client: Client) -> None:
        client.send("setBreakpoints", source={"path": str(made.path)}, breakpoints=[{"line": made.line("here")}])

    with launched(made, configure) as session:
        session.stopped("breakpoint", "here")
        session.run_on()
        session.over()


def test_restart_keeps_the_breakpoints(small_program: Make) -> None:
    made = small_program("print('begin')\nvalue = 1\nprint('end')  # @here\n")

    def configure(client: Client) -> None:
        client.request("setBreakpoints", source={"path": str(made.path)}, breakpoints=[{"line": made.line("here")}])
        client.request("setExceptionBreakpoints", filters=["unhandled"])

    with launched(made, configure) as session:
        session.stopped("breakpoint", "here")
        session.client.request("restart")
        again = session.client.wait_for_event("process")["systemProcessId"]
        assert again != session.pid
        session.stopped("breakpoint", "here")
        session.run_on()
        assert session.over() == "begin\nbegin\nend\n"


def test_restart_has_breakpoints_where_they_have_moved_to(small_program: Make) -> None:
    made = small_program("def work():\n    value = 1\n    return value  # @here\nprint(work())\n")

    def configure(client: Client) -> None:
        client.request("setBreakpoints", source={"path": str(made.path)}, breakpoints=[{"line": 1}, {"line": made.line("here")}])

    with launched(made, configure) as session:
        session.stopped("breakpoint")
        session.run_on()
        session.stopped("breakpoint", "here")
        session.save({"def work": "# one\n# two\ndef work"})
        session.client.wait_for_event("breakpoint", lambda body: body["breakpoint"]["line"] == made.line("here"))
        session.client.request("restart")
        session.stopped("breakpoint")
        session.run_on()
        session.stopped("breakpoint", "here")
        session.run_on()
        session.over()


# When the client or the adapter dies


def test_a_client_that_goes_away_lets_a_held_program_go_on(small_program: Make) -> None:
    made = small_program(FAILS.replace("print(", 'open("ended", "w").close\nprint(') + 'open("ended", "w").close()\n')
    made.path.write_text(
        "import pathlib\ntry:\n    1 / 0  # @fails\nfinally:\n    pathlib.Path('ended').touch()\n", encoding="utf-8"
    )
    with Client.stdio(ADAPTER, folder=made.folder) as client:
        session = Debugging(client, made)
        session.begin("launch", program=str(made.path))
        session.stopped(at="fails")
    assert (made.folder / "ended").exists()
    assert not is_alive(session.pid)


def test_an_adapter_that_is_killed_lets_a_held_program_go_on(small_program: Make, tmp_path: Path) -> None:
    made = small_program("import pathlib\ntry:\n    1 / 0  # @fails\nfinally:\n    pathlib.Path('ended').touch()\n")
    with Client.stdio(ADAPTER, folder=made.folder, check=False) as client:
        session = Debugging(client, made)
        session.begin("launch", program=str(made.path))
        session.stopped(at="fails")
        assert client.process is not None
        client.process.kill()
        client.wait_for_end()
        wait_for_death(session.pid)
    assert (made.folder / "ended").exists()


# Attaching


@pytest.mark.parametrize("through_adapter", [False, True])
def test_attach_to_a_program_that_is_held(small_program: Make, through_adapter: bool) -> None:
    made = small_program(FAILS)
    with Listening(made) as listening:
        listening.line("held at .* waiting for a client")
        with attached(listening, made, through_adapter=through_adapter) as session:
            assert session.pid == listening.process.pid
            session.stopped(at="fails")
            session.save({"total / count": "7"})
            session.go("fixcont/retry")
            session.client.wait_for_event("terminated")
        assert listening.over() == "price 7 []\n"


def test_a_program_that_waits_for_its_client(small_program: Make) -> None:
    made = small_program("print('begin')\nprint('here')  # @here\n")
    with (
        Listening(made, ["--listen", "0", "--wait-for-client"]) as listening,
        Client.connect(listening.host, listening.port) as client,
    ):
        session = Debugging(client, made)
        session.begin(
            "attach",
            lambda client: client.request(
                "setBreakpoints", source={"path": str(made.path)}, breakpoints=[{"line": made.line("here")}]
            ),
        )
        session.stopped("breakpoint", "here")
        session.run_on()
        client.wait_for_event("terminated")
        assert listening.over() == "begin\nhere\n"


def test_listen_in_code(small_program: Make) -> None:
    text = """
import fixcont
def price(total, count):
    return total / count  # @fails
host, port = fixcont.listen()
print(f"listening on {host}:{port}", flush=True)
print(price(1, 0))
"""
    made = small_program(text)
    with Listening(made, [], launcher=()) as listening, attached(listening, made) as session:
        session.stopped(at="fails")
        session.save({"total / count": "7"})
        session.go("fixcont/restart", "price")
        session.client.wait_for_event("terminated")
        assert listening.over().endswith("7\n")


def test_disconnecting_keeps_a_held_program_for_the_next_client_where_it_is_to_be_suspended(small_program: Make) -> None:
    made = small_program(FAILS)
    with Listening(made) as listening:
        with attached(listening, made) as session:
            session.stopped(at="fails")
            session.client.request("disconnect", suspendDebuggee=True)
        with attached(listening, made) as session:
            session.stopped(at="fails")
            session.client.request("disconnect", terminateDebuggee=False)
        listening.over(1)


@pytest.mark.parametrize("through_adapter", [False, True])
def test_a_client_that_dies_leaves_a_held_program_held(small_program: Make, through_adapter: bool) -> None:
    made = small_program(FAILS)
    with Listening(made) as listening:
        if through_adapter:
            with Client.stdio(ADAPTER, folder=made.folder, check=False) as client:
                client.start("attach", connect={"host": listening.host, "port": listening.port})
                client.stopped("exception")
                assert client.process is not None
                client.process.kill()
                client.wait_for_end()
        else:
            with Client.connect(listening.host, listening.port, check=False) as client:
                client.start("attach")
                client.stopped("exception")
        with attached(listening, made) as session:
            session.stopped(at="fails")
            session.go("fixcont/returnFromFrame", expression="3")
            session.client.wait_for_event("terminated")
        assert listening.over() == "price 3 []\n"


def test_breakpoints_in_a_program_that_runs_already(small_program: Make) -> None:
    text = """
import os
import time
def look():
    return os.path.exists("stop")  # @here
print("running", flush=True)
while not look():
    time.sleep(0.005)
print("done", flush=True)
"""
    made = small_program(text)
    with Listening(made) as listening:
        listening.line("running")
        with attached(listening, made) as session:
            session.client.request("setBreakpoints", source={"path": str(made.path)}, breakpoints=[{"line": made.line("here")}])
            session.stopped("breakpoint", "here")
            session.client.request("setBreakpoints", source={"path": str(made.path)}, breakpoints=[])
            session.run_on()
            (made.folder / "stop").touch()
            session.client.wait_for_event("terminated")
        assert listening.over() == "running\ndone\n"


def test_a_client_that_leaves_lets_a_running_program_run(small_program: Make) -> None:
    made = small_program(RUNS)
    with Listening(made) as listening:
        with attached(listening, made) as session:
            session.client.request("threads")
        (made.folder / "stop").touch()
        assert listening.over() == "running\ndone\n"


def test_terminating_a_program_that_was_attached_to(small_program: Make) -> None:
    made = small_program(FAILS)
    with Listening(made) as listening:
        with attached(listening, made) as session:
            session.stopped(at="fails")
            session.client.request("disconnect", terminateDebuggee=True)
        assert listening.process.wait(DEADLINE) != 0


BUSY: Final = "import re\nprint('busy', flush=True)\nre.match('(a+)+$', 'a' * 60 + 'b')\n"


@pytest.mark.slow
def test_a_program_that_lets_no_other_thread_run_is_ended_all_the_same(small_program: Make) -> None:
    with launched(small_program(BUSY)) as session:
        session.client.wait_until(lambda: "busy\n" in session.client.output(), "it has not begun")
        session.client.request("disconnect", terminateDebuggee=True)
        assert session.client.wait_for_event("exited")["exitCode"] == -signal.SIGKILL


def test_a_second_client_is_refused(small_program: Make) -> None:
    made = small_program(FAILS)
    with Listening(made) as listening, attached(listening, made) as session:
        session.stopped(at="fails")
        with Client.connect(listening.host, listening.port) as other:
            with pytest.raises(Failed) as caught:
                other.start("attach")
            assert caught.value.code == "client-connected"
            other.request("disconnect", terminateDebuggee=True)
        with Client.connect(listening.host, listening.port) as other:
            other.request("initialize", adapterID="fixcont")
        assert session.evaluate("total", "watch") == "12"
        session.go("fixcont/returnFromFrame", expression="3")
        session.client.wait_for_event("terminated")


def test_an_address_that_others_reach_needs_a_token(small_program: Make) -> None:
    made = small_program(FAILS)
    with Listening(made, ["--listen", "0.0.0.0:0"]) as listening:
        assert listening.host == "0.0.0.0"
        assert len(listening.token) > 15
        listening.host = "127.0.0.1"
        wrong: list[dict[str, Any]] = [{}, {"token": "wrong"}]
        for given in wrong:
            with Client.connect(listening.host, listening.port) as client:
                with pytest.raises(Failed) as caught:
                    client.start("attach", lambda client: None, **given)
                assert caught.value.code == "wrong-token"
                client.request("disconnect", terminateDebuggee=True)
        with attached(listening, made, through_adapter=True, token=listening.token) as session:
            session.stopped(at="fails")
            session.go("fixcont/returnFromFrame", expression="3")
            session.client.wait_for_event("terminated")
        listening.over()


def test_where_nobody_listens(small_program: Make) -> None:
    with Client.stdio(ADAPTER, folder=small_program("").folder) as client:
        with pytest.raises(Failed) as caught:
            client.start("attach", connect={"host": "127.0.0.1", "port": 1})
        assert caught.value.code == "cannot-attach"
        client.request("disconnect")


@pytest.mark.parametrize("fails", [False, True])
def test_attach_by_process_id(small_program: Make, fails: bool) -> None:
    made = small_program(RUNS)
    process = subprocess.Popen([sys.executable, str(made.path)], stdout=subprocess.PIPE, text=True, cwd=made.folder)
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "running\n"
        with Client.stdio(ADAPTER, folder=made.folder) as client:
            if not hasattr(sys, "remote_exec"):
                with pytest.raises(Failed) as caught:
                    client.start("attach", processId=process.pid)
                assert caught.value.code == "cannot-attach"
                assert "3.14" in caught.value.message
                client.request("disconnect")
                return
            session = Debugging(client, made)
            session.begin("attach", processId=process.pid)
            assert session.pid == process.pid
            client.request("pause", threadId=1)
            session.stopped("pause")
            assert session.evaluate("os.getpid()", "watch", frame="<module>") == str(process.pid)
            if fails:
                client.request("disconnect", terminateDebuggee=True)
            else:
                session.run_on()
                client.request("disconnect")
        if not fails:
            (made.folder / "stop").touch()
            assert process.wait(DEADLINE) == 0
        else:
            assert process.wait(DEADLINE) != 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


# Threads and processes


def test_threads_are_told_when_they_begin_and_end(small_program: Make) -> None:
    text = """
import threading
ready, go = threading.Event(), threading.Event()
def work():
    ready.set()
    go.wait()
thread = threading.Thread(target=work, name="worker")
thread.start()
ready.wait()
print("both")  # @both
go.set()
thread.join()
print("one")  # @one
"""
    made = small_program(text)

    def configure(client: Client) -> None:
        lines = [{"line": made.line("both")}, {"line": made.line("one")}]
        client.request("setBreakpoints", source={"path": str(made.path)}, breakpoints=lines)

    with launched(made, configure) as session:
        session.stopped("breakpoint", "both")
        assert [each["name"] for each in session.client.request("threads")["threads"]] == ["MainThread", "worker"]
        worker = session.client.request("threads")["threads"][1]["id"]
        frames = session.client.frames(worker)
        assert "work" in [frame["name"] for frame in frames]
        assert not any(frame["canRestart"] for frame in frames)
        session.run_on()
        session.stopped("breakpoint", "one")
        assert [each["name"] for each in session.client.request("threads")["threads"]] == ["MainThread"]
        session.run_on()
        assert session.over() == "both\none\n"


def test_a_process_that_is_forked_runs_by_itself(small_program: Make) -> None:
    text = """
import os
child = os.fork()
if child == 0:
    try:
        1 / 0
    finally:
        os._exit(5)
print("child", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
1 / 0  # @fails
"""
    with launched(small_program(text)) as session:
        session.stopped(at="fails")
        session.go("fixcont/skip")
        assert session.over() == "child 5\n"


def test_pausing_a_program_that_hangs(small_program: Make) -> None:
    text = """
def spin(going):
    print("spinning", flush=True)
    while going:
        pass
    return "out"
print(spin([1]))
"""
    with launched(small_program(text)) as session:
        session.client.wait_for_event("output", {"output": "spinning\n"})
        session.client.request("pause", threadId=1)
        assert session.stopped("pause")["name"] == "spin"
        session.evaluate("going.clear()")
        session.run_on()
        assert session.over() == "spinning\nout\n"


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_for_death(pid: int) -> None:
    """Wait until a process that is not our child is gone."""
    opened = os.pidfd_open(pid) if hasattr(os, "pidfd_open") else -1
    import select

    assert select.select([opened], [], [], DEADLINE)[0], f"process {pid} still runs"
    os.close(opened)
