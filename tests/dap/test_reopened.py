"""Saved stops in an IDE, replayed on another copy of the code: by requests, and by what is typed into the debug console."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from support.dap_client import Client, Failed
from support.dap_session import ADAPTER, Debugging
from support.programs import Program, copy_program
from support.saved_depot import LOCK, Saved, save_depot

FIXED: Final = {"return item.price / DISCOUNT": "return (item.price or 0) / DISCOUNT"}


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Saved:
    return save_depot(tmp_path_factory.mktemp("saved"))


@pytest.fixture
def stock(tmp_path: Path) -> Program:
    """The copy of the code that is here."""
    return copy_program("depot", tmp_path).other("stock.py")


@contextmanager
def opened(
    program: Program, stop: Path, configure: Callable[[Client], object] = lambda client: None, **arguments: Any
) -> Iterator[Debugging]:
    """Let an adapter open a saved stop, and wait until it is shown. It ends with the session."""
    with Client.stdio(ADAPTER, folder=program.folder) as client:
        session = Debugging(client, program)
        session.begin("launch", configure, openStop=str(stop), **{"cwd": str(program.folder), **arguments})
        session.stopped()
        yield session
        client.request("disconnect")
        client.wait_for_end()
        assert client.events("exited") == [{"exitCode": 0}], client.transcript


def ways(session: Debugging, frame: str) -> dict[str, tuple[bool, str]]:
    found = session.client.request("fixcont/ways", frameId=session.frame(frame)["id"])["ways"]
    return {each["name"]: (each["enabled"], each["reason"]) for each in found}


def shown_again(session: Debugging) -> dict[str, str]:
    """Wait until the opened stop is shown again after a replay. Returns what belongs to that."""
    session.client.wait_for_event("continued")
    return session.client.variables(session.stopped()["id"], "Stop")


def test_a_saved_frame_is_repaired_by_saving_the_file_and_replayed(saved: Saved, stock: Program) -> None:
    with opened(stock, saved.stop("take_stock")) as session:
        client = session.client
        assert ways(session, "price_of")["replay"] == (True, "")
        session.go("fixcont/replay")  # fails as it did, in this process
        assert f"load stock.py (for {saved.was / 'stock.py'}) as stock" in client.output("console")
        client.wait_for_event("invalidated", {"areas": ["all"]})
        client.wait_for_event("continued")
        assert session.stopped(at="price")["canRestart"]
        assert client.events("stopped")[-1]["description"] == "Stopped at TypeError, before anything unwinds"
        assert ways(session, "price_of")["retry"][0]
        session.save(FIXED)
        session.go("restartFrame")
        assert session.stopped("restart")["source"]["path"] == str(stock.path)
        session.run_on()
        assert shown_again(session)["(replay) price_of"] == "0.0"
        assert "price_of returned 0.0" in client.output("console")

        session.evaluate(f"fill self.lock = {LOCK}", frame="worth")
        session.go("fixcont/replay", "worth", outward=True)
        assert shown_again(session)["(replay) take_stock"] == "12.0"
        assert client.request("threads")["threads"][0]["name"] == "MainThread"
        assert session.pid == int(session.evaluate("__import__('os').getpid()"))
        session.run_on()
        client.wait_for_event("output", lambda body: "there is nothing that goes on" in body["output"])
        session.over()


def test_the_frames_keep_their_ids_when_the_present_code_is_loaded(saved: Saved, stock: Program) -> None:
    stock.edit({"DISCOUNT = 2": "DISCOUNT = 4"})
    with opened(stock, saved.stop("take_stock")) as session:
        client = session.client
        frames = session.frames()
        assert frames[0]["source"]["name"] == "stock.py (as it ran)"
        client.request("evaluate", expression="!item.kind", frameId=frames[0]["id"], context="repl")
        client.request("evaluate", expression="holes", frameId=frames[0]["id"], context="repl")
        client.wait_for_event("invalidated", {"areas": ["all"]})
        now = session.frames()
        assert [(each["id"], each["name"]) for each in now] == [(each["id"], each["name"]) for each in frames]
        assert (now[0]["source"]["path"], now[0]["line"]) == (str(stock.path), stock.line("price"))
        assert session.evaluate("type(item).__module__, item.kind is type(item.kind).PART") == "('stock', True)"
        assert client.variables(now[0]["id"])["item"].startswith("Item(name='nail', price=None")
        info = client.request("exceptionInfo", threadId=session.thread)
        assert info["exceptionId"] == "TypeError" and "# @price" in info["details"]["stackTrace"]
        client.request("fixcont/replay", frameId=now[0]["id"], arguments={"item": "type(item)('saw', 3.0)"})
        assert shown_again(session)["(replay) price_of"] == "0.75"
        assert "DISCOUNT is 4 here, and was 2" in client.output("console")


def test_modules_of_the_adapter_are_none_of_the_program(saved: Saved, stock: Program) -> None:
    with opened(stock, saved.stop("take_stock")) as session:
        session.evaluate("holes")
        found = session.evaluate("[__import__('importlib.util').util.find_spec(each) for each in ('output', 'roots', 'passing')]")
        assert found == "[None, None, None]"


def test_holes_are_named_filled_and_let(saved: Saved, stock: Program) -> None:
    stock.edit(FIXED)
    with opened(stock, saved.stop("lock_up")) as session:
        client = session.client
        failed = client.failure("fixcont/replay", frameId=session.frame("closed")["id"])
        assert (failed.code, failed.message.partition(";")[0]) == (
            "holes",
            "Depot.closed would get a value that is not there: self.lock (lock)",
        )
        session.go("fixcont/replay", "worth", withHoles=True)
        assert shown_again(session)["(replay) Depot.worth"] == "0.0"
        session.evaluate("holes", frame="closed")
        assert "self.lock: <not here: lock, " in client.output("console")
        session.evaluate(f"fill self.lock = {LOCK}", frame="closed")
        assert "self.lock is filled; there are no more holes" in client.output("console")
        session.evaluate("replay --outward", frame="closed")
        assert shown_again(session)["(replay) lock_up"] == "0.0"


def test_what_was_shown_of_saved_values_is_not_assigned_to_once_the_present_code_is_loaded(saved: Saved, stock: Program) -> None:
    with opened(stock, saved.stop("take_stock")) as session:
        client = session.client
        frame = session.frame("worth")["id"]
        scope = client.request("scopes", frameId=frame)["scopes"][0]["variablesReference"]
        loads = client.send("evaluate", expression="holes", frameId=frame, context="repl")
        assigns = client.send("setVariable", variablesReference=scope, name="total", value="total + 1")
        looks = client.send("evaluate", expression="factor", frameId=frame, context="hover")
        client.response(loads)
        with pytest.raises(Failed, match="stale-reference"):
            client.response(assigns)
        assert client.response(looks)["result"] == "3"  # the frame is the same one
        scope = client.request("scopes", frameId=frame)["scopes"][0]["variablesReference"]
        assert client.request("setVariable", variablesReference=scope, name="total", value="total + 1")["value"] == "13.0"
        assert session.evaluate("total", frame="worth") == "13.0"


def test_breakpoints_are_hit_in_a_replay(saved: Saved, stock: Program) -> None:
    line = stock.line("price")

    def configure(client: Client) -> None:
        (told,) = client.request("setBreakpoints", source={"path": str(stock.path)}, breakpoints=[{"line": line}])["breakpoints"]
        assert (told["verified"], told["message"]) == (False, "the file is not loaded yet")

    with opened(stock, saved.stop("take_stock"), configure) as session:
        client = session.client
        session.go("fixcont/replay", "worth", withHoles=True)
        client.wait_for_event("breakpoint", lambda body: body["breakpoint"]["verified"])
        client.wait_for_event("continued")
        assert session.stopped("breakpoint", at="price")["name"] == "price_of"
        session.go("fixcont/returnFromFrame", expression="1")
        session.stopped("breakpoint", at="price")
        session.go("fixcont/returnFromFrame", expression="2")
        assert shown_again(session)["(replay) Depot.worth"] == "9"


def test_what_is_not_here_is_refused_or_found_below_another_folder(saved: Saved, stock: Program, tmp_path: Path) -> None:
    empty = Program(tmp_path / "empty" / "stock.py")
    empty.folder.mkdir()
    stop = saved.stop("ask_for_share")
    with opened(empty, stop) as session:
        told, why = ways(session, "share")["replay"]
        assert not told and why.startswith(f"there is no file for {saved.was / 'stock.py'}")
        assert session.client.failure("fixcont/replay", frameId=session.frames()[0]["id"]).code == "file-not-here"
    stock.edit({"return count / people  # @share": "return (count"})
    with opened(empty, stop, roots=[str(stock.folder)]) as session:
        failed = session.client.failure("fixcont/replay", frameId=session.frames()[0]["id"])
        assert failed.code == "not-loaded" and "SyntaxError" in failed.message
        stock.edit({"return (count": "return (count, people)"})
        session.go("fixcont/replay")
        assert shown_again(session)["(replay) share"] == "(4, 0)"


def test_loading_that_never_ends_is_given_up(saved: Saved, stock: Program) -> None:
    text = stock.text
    stock.edit({"DISCOUNT = 2": "import time\nwhile True: time.sleep(0.01)"})
    with opened(stock, saved.stop("ask_for_share"), evaluateTimeout=0.5) as session:
        assert session.client.failure("fixcont/replay", frameId=session.frames()[0]["id"]).code == "timed-out"
        stock.path.write_text(text, encoding="utf-8")
        session.go("fixcont/replay", arguments={"people": "2"})
        assert shown_again(session)["(replay) share"] == "2.0"
