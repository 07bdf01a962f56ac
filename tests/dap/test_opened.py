"""Saved stops in an IDE: opened by an adapter or by a client that connects, on the text that ran."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import fixcont
from support.dap_client import Client, Failed
from support.dap_session import ADAPTER, Debugging, Listening, attached
from support.programs import Program, copy_program
from support.saved_stops import save_stop

VERSIONS = ("3.11", "3.12", "3.13", "3.14", "3.15")


def change(program: Program) -> None:
    """Change the program's file, as time goes by."""
    program.path.write_text("# a new first line\n" + program.text.replace("def ", "def new_"), encoding="utf-8")


@contextmanager
def opened(program: Program, path: Path, **arguments: Any) -> Iterator[Debugging]:
    """Let an adapter open a saved stop. It ends with the session, unless the test ends that."""
    with Client.stdio(ADAPTER, folder=program.folder) as client:
        session = Debugging(client, program)
        session.begin("launch", openStop=str(path), **arguments)
        yield session
        if not client.sent("disconnect"):
            client.request("disconnect")
        client.wait_for_end()
        assert client.events("exited") == [{"exitCode": 0}], client.transcript


def stack(session: Debugging) -> list[dict[str, Any]]:
    """Wait for the stop, and give its frames."""
    session.stopped()
    return session.frames()


def text_of(session: Debugging, frame: dict[str, Any]) -> list[str]:
    source = frame["source"]
    assert "path" not in source, session.client.transcript
    content: str = session.client.request("source", source=source, sourceReference=source["sourceReference"])["content"]
    return content.splitlines()


def refused(session: Debugging, command: str, **arguments: Any) -> Failed:
    failed = session.client.failure(command, **arguments)
    assert failed.code == "post-mortem", session.client.transcript
    return failed


@pytest.fixture
def ledger(tmp_path: Path) -> Program:
    return copy_program("ledger", tmp_path)


def test_it_is_stopped_at_once_on_the_text_that_ran(ledger: Program, tmp_path: Path) -> None:
    path = save_stop(ledger, tmp_path / "a.stop")
    ran = ledger.text.splitlines()
    fails, book = ledger.line("fails"), ledger.line("book")
    change(ledger)

    with opened(ledger, Path("../a.stop"), cwd=str(ledger.folder)) as session:
        client = session.client
        frame = session.stopped()
        assert (frame["name"], frame["line"], frame["canRestart"]) == ("amount", fails, False)
        assert (frame["source"]["name"], frame["source"]["origin"]) == ("ledger.py (as it ran)", "saved stop")
        assert text_of(session, frame) == text_of(session, session.frame("book")) == ran
        assert [each["line"] for each in session.frames()][1:] == [book, ran.index('    book(Ledger([1, 2]), "x")  # @call') + 1]
        assert f"{path}: saved " in client.output("console")
        assert client.request("loadedSources")["sources"] == [frame["source"]]

        check_values(session)
        check_exception(session)
        check_others(session)
        check_refusals(session, frame["id"])
        session.run_on()
        client.wait_for_event("output", lambda body: "there is nothing that goes on" in body["output"])
        assert session.over() == ""


def check_values(session: Debugging) -> None:
    client = session.client
    number = session.frame("book")["id"]
    (found,) = [each for each in client.request("scopes", frameId=number)["scopes"] if each["name"] == "Locals"]
    rows = {
        each["name"]: each for each in client.request("variables", variablesReference=found["variablesReference"])["variables"]
    }
    assert set(rows) == {"ledger", "text", "amounts"}
    # What was cut is there as far as it was saved, page by page, and says how much is missing.
    amounts = rows["amounts"]
    assert amounts["indexedVariables"] == 1001
    page = client.request("variables", variablesReference=amounts["variablesReference"], start=998, count=3)["variables"]
    assert [each["value"] for each in page] == ["998", "999", "<not saved: 2000 more items>"]
    inside = client.request("variables", variablesReference=rows["ledger"]["variablesReference"])["variables"]
    assert [(each["name"], each["type"], each.get("evaluateName")) for each in inside] == [
        ("entries", "list", "ledger.entries"),
        ("note", "str", "ledger.note"),
    ]
    assert inside[1]["value"].startswith("<not saved: str of 30000, cut: 'nnnn")
    assert inside[1]["variablesReference"] == 0

    assert session.evaluate("ledger.entries[1] + len(text)", "watch", "book") == "3"
    assert session.evaluate("[each for each in ledger.entries if each > 1]", frame="book") == "[2]"
    failed = client.failure("evaluate", expression="amount('1')", frameId=number, context="repl")
    assert "cannot be called: code is not saved" in failed.message
    # A variable can be assigned, which fills in what was not saved.
    client.request("setVariable", variablesReference=found["variablesReference"], name="text", value="'12'")
    assert session.evaluate("int(text)", "hover", "book") == "12"
    labels = [each["label"] for each in client.request("completions", text="ledger.n", column=9, frameId=number)["targets"]]
    assert labels == ["note"]


def check_exception(session: Debugging) -> None:
    info = session.client.request("exceptionInfo", threadId=session.thread)
    assert (info["exceptionId"], info["details"]["message"]) == ("LookupError", "no amount")
    (cause,) = info["details"]["innerException"]
    assert cause["typeName"] == "ValueError" and "invalid literal" in cause["message"]
    shown = info["details"]["stackTrace"]
    assert 'raise LookupError("no amount") from error  # @fails' in shown  # not what is in the file now
    assert "return int(text)  # @parse" in shown


def check_others(session: Debugging) -> None:
    client = session.client
    names = [each["name"] for each in client.request("threads")["threads"]]
    assert names == ["MainThread", "waiter"]
    frames = client.frames(2)
    assert "wait" in [each["name"] for each in frames]
    assert {each["id"] for each in frames} == {0}
    shown = {each["name"]: each["source"]["name"] for each in frames}
    assert (shown["wait"], shown["Event.wait"]) == ("ledger.py (as it ran)", "threading.py (not saved)")
    assert "only the stack was" in refused(session, "scopes", frameId=0).message
    refused(session, "continue", threadId=2)
    modules = {each["id"]: each for each in client.request("modules", startModule=0)["modules"]}
    assert modules["__main__"]["isUserCode"] and modules["__main__"]["path"] == str(session.program.path)
    assert modules["pytest"]["version"] == pytest.__version__


def check_refusals(session: Debugging, number: int) -> None:
    client, path = session.client, str(session.program.path)
    ways = client.request("fixcont/ways", frameId=number)["ways"]
    assert [each["name"] for each in ways if each["enabled"]] == ["replay", "replayRetry"] and len(ways) > 8
    assert all("read from a file" in each["reason"] for each in ways if not each["enabled"]), ways
    for command in ("restartFrame", "fixcont/restart", "fixcont/retry", "fixcont/skip", "fixcont/create"):
        assert "read from a file" in refused(session, command, frameId=number).message
    for command in ("fixcont/returnFromFrame", "fixcont/useValue", "fixcont/throw"):
        refused(session, command, frameId=number, expression="1 / 0")
    for command in ("next", "stepIn", "stepOut"):
        refused(session, command, threadId=session.thread)
    refused(session, "gotoTargets", source={"path": path}, line=3)
    refused(session, "fixcont/install")
    refused(session, "redefineClasses")
    assert client.request("stepInTargets", frameId=number)["targets"] == []
    (told,) = client.request("setBreakpoints", source={"path": path}, breakpoints=[{"line": 3}])["breakpoints"]
    assert (told["verified"], told["message"]) == (False, "the file is not loaded yet")
    for typed in ("retry", "rf", "break 3", "save b.stop", "stale", "step"):
        refused(session, "evaluate", expression=typed, frameId=number, context="repl")
    client.request("evaluate", expression="fix", frameId=number, context="repl")
    client.wait_for_event("output", {"category": "console", "output": f"edit {path}:12 in the IDE, and save it\n"})


def test_a_file_that_says_the_same_is_shown_itself(ledger: Program, tmp_path: Path) -> None:
    path = save_stop(ledger, tmp_path / "a.stop")
    elsewhere = Program(tmp_path / "elsewhere" / "ledger.py")
    elsewhere.folder.mkdir()
    ledger.path.rename(elsewhere.path)
    with opened(ledger, path, cwd=str(elsewhere.folder)) as session:
        # In another folder, as on another machine.
        assert [each["source"].get("path") for each in stack(session)] == [str(elsewhere.path)] * 3
        client = session.client
        client.request("evaluate", expression="fix", frameId=session.frames()[0]["id"], context="repl")
        client.wait_for_event("output", lambda body: body["output"].startswith(f"edit {elsewhere.path}:12 "))
        shutil.copy(elsewhere.path, ledger.path)
        assert session.frames()[0]["source"]["path"] == str(ledger.path)
        change(ledger)
        assert session.frames()[0]["source"]["name"] == "ledger.py (as it ran)"
        ledger.path.unlink()
        elsewhere.path.unlink()
        assert session.frames()[0]["source"]["name"] == "ledger.py (as it ran)"
        session.evaluate("q")
        session.over()


def _another_python() -> str | None:
    """Give a Python of another version that starts, the newest; None where there is none."""
    this = ".".join(map(str, sys.version_info[:2]))
    for version in reversed([each for each in VERSIONS if each != this]):
        path = shutil.which(f"python{version}")
        words = [path or "", "-c", "import sys; print(sys.version)"]
        if path is not None and subprocess.run(words, capture_output=True, text=True, check=False, timeout=60).stdout.startswith(
            version
        ):
            return path
    return None


def test_another_version_of_python_has_saved_it_and_the_code_has_changed(tmp_path: Path) -> None:
    other = _another_python()
    if other is None:
        pytest.skip("there is no other Python that starts here")
    till = copy_program("till", tmp_path)
    path = save_stop(till, tmp_path / "a.stop", python=other)
    ran, line = till.text.splitlines(), till.line("total")
    change(till)
    with opened(till, path) as session:
        names = [each["name"] for each in stack(session)]
        assert names[-3:] == ["charge", "main", "<module>"]
        frame = session.frame("charge")
        assert (frame["line"], frame["source"]["name"]) == (line, "till.py (as it ran)")
        assert text_of(session, frame) == ran
        variables = session.client.variables(frame["id"])
        assert sorted(variables) == ["connection", "history", "order", "rate"]
        assert variables["connection"] == "<Connection password=<not saved: str, redacted>>"
        assert (
            session.evaluate("order.lines[0][0] + 1, history[0] is order, order.placed.year", frame="charge")
            == "(Decimal('3.50'), True, 2024)"
        )
        session.client.request("setExpression", expression="rate", value="3", frameId=frame["id"])
        assert session.evaluate("rate * 2", "watch", "charge") == "6"
        info = session.client.request("exceptionInfo", threadId=session.thread)
        assert info["exceptionId"] == "TypeError" and "amount = order.total()  # @total" in info["details"]["stackTrace"]


def test_pickles_are_loaded_where_that_is_said(small_program: Callable[[str], Program], tmp_path: Path) -> None:
    made = small_program("import string\n\ndef fail(box):\n    return box / 0\n\nfail(string.Template('$x'))\n")
    path = save_stop(made, tmp_path / "a.stop", "--save-pickles")
    with opened(made, path, unpickle=True) as session:
        number = stack(session)[0]["id"]
        assert (
            session.client.request("evaluate", expression="box.substitute(x=1)", frameId=number, context="repl")["result"]
            == "'1'"
        )


def test_one_that_cannot_be_read_is_refused_with_the_reason(ledger: Program, tmp_path: Path) -> None:
    for name, content, code in (
        ("a", b"print()", "not-a-saved-stop"),
        ("b", b"\x1f\x8b\x08\x00", "damaged"),
        ("c", None, "file-unreadable"),
    ):
        path = tmp_path / f"{name}.stop"
        if content is not None:
            path.write_bytes(content)
        with Client.stdio(ADAPTER, folder=ledger.folder) as client:
            with pytest.raises(Failed) as failed:
                client.start("launch", openStop=str(path))
            assert (failed.value.code, failed.value.error["showUser"]) == (code, True)
            client.wait_for_event("terminated")


def test_a_client_that_connects(ledger: Program, tmp_path: Path) -> None:
    path = save_stop(ledger, tmp_path / "a.stop")
    with Listening(Program(path), ("--listen", "0", "--open")) as listening:
        with Client.connect(listening.host, listening.port) as client:
            session = Debugging(client, ledger)
            session.begin("attach")
            assert session.stopped()["name"] == "amount"
            assert f"{path}: saved " in client.output("console")
            # It goes without a word: the next one sees the stop too.
        with attached(listening, ledger) as session:
            assert session.stopped()["source"]["path"] == str(ledger.path)
            os.kill(listening.process.pid, signal.SIGINT)  # Ctrl-C in its terminal
            session.client.wait_for_event("terminated")
        listening.over()


def test_it_is_opened_again_by_restart(ledger: Program, tmp_path: Path) -> None:
    path = save_stop(ledger, tmp_path / "a.stop")
    with opened(ledger, path, noDebug=True) as session:  # as by "Run Without Debugging": there is nothing else to run
        session.stopped()
        session.client.request("restart")
        assert session.stopped()["name"] == "amount"
        for answer in [session.client.send("terminate"), session.client.send("disconnect", terminateDebuggee=True)]:
            session.client.response(answer)


def test_an_exception_that_was_never_raised_has_no_frames(tmp_path: Path) -> None:
    fixcont.save(ExceptionGroup("several", [ValueError(1), KeyError("x")]), tmp_path / "a.stop")
    with opened(Program(tmp_path / "none.py"), tmp_path / "a.stop") as session:
        session.thread = session.client.stopped("exception")["threadId"]
        assert session.frames() == []
        for typed in ("1", "retry"):
            assert "there are no frames" in refused(session, "evaluate", expression=typed, context="repl").message
        refused(session, "next", threadId=session.thread)
        details = session.client.request("exceptionInfo", threadId=session.thread)["details"]
        assert [each["typeName"] for each in details["innerException"]] == ["ValueError", "KeyError"]


def test_the_whole_session(ledger: Program, tmp_path: Path) -> None:
    path = save_stop(ledger, ledger.folder / "a.stop")
    change(ledger)
    with opened(ledger, path) as session:
        client = session.client
        frames = stack(session)
        client.request("source", source=frames[0]["source"], sourceReference=frames[0]["source"]["sourceReference"])
        client.variables(frames[1]["id"])
        client.request("exceptionInfo", threadId=session.thread)
        client.failure("restartFrame", frameId=frames[0]["id"])
        client.failure("next", threadId=session.thread)
        session.run_on()
        session.over()
        client.request("disconnect")
        client.wait_for_end()
        client.matches("saved_stop")
