"""A user at an IDE: the answers of a scenario are requests to the debug adapter's side in the program, and what was seen are its responses.

The program runs in this process, as the scenarios of the engine's tests want it. Its front end is the one that clients connect to, and the
client is ours, over a socket, in a thread of its own. An answer is worked out from the `Stop`, as for any scripted front end; that serves only
to choose, and what is chosen is done by the request that an IDE would send.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import os
import socket
import threading
import traceback
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fixcont.continuing.ways import (
    Landing,
    Propagate,
    QuitProgram,
    RestartFrame,
    Resume,
    ReturnFromFrame,
    Skip,
    Step,
    StepKind,
    Throw,
    UseValue,
    Way,
)
from fixcont.errors import Refusal
from fixcont.session import Session
from fixcont.stopping.frames import Frame
from fixcont.stopping.stop import Stop
from fixcont_ui.dap.debuggee import Debuggee
from fixcont_ui.dap.server import Server
from support.dap_client import Client, Failed
from support.front_end import Answer, ScriptedUser, Seen
from support.session import DEADLINE

#: Reason of a stop as clients are told it -> the engine's. Where a client has asked for a halt, its name stands in the place of "step".
_REASONS: Final = {
    "exception": "exception", "breakpoint": "breakpoint", "entry": "entry", "pause": "interrupt", "step": "step",
    "restart": "step", "goto": "step",
}  # fmt: skip
_STEPS: Final = {StepKind.INTO: "stepIn", StepKind.OVER: "next", StepKind.OUT: "stepOut"}
_OLD: Final = " (old version)"
#: Values that no expression makes: each is taken out by the expression that stands for it.
_given: Final[list[Any]] = []
_TAKE: Final = f"__import__('sys').modules[{__name__!r}]._given.pop()"


@dataclass(frozen=True)
class _Request:
    """What a client sends to leave a stop.

    Attributes:
        halts: the thread stops once more, which is no stop of the scenario: the client lets it run then.
    """

    command: str
    arguments: Mapping[str, Any]
    halts: bool = False


class DapUser(ScriptedUser):
    """See the module."""

    def __init__(self, answers: Iterable[Answer], file: str) -> None:
        super().__init__(answers, file)
        self._debuggee = _Debuggee(self)
        self._halting: set[int] = set()  # numbers of the threads that are to halt
        self._is_over = False

    @contextlib.contextmanager
    def session(self, **options: Any) -> Iterator[Session]:
        stop = options.pop("stop", "unhandled")
        launch = {name: list(options.pop(name)) for name in ("catch", "ignore") if name in options}
        session = self._debuggee.session = Session(self._debuggee, **options)
        session.install()
        try:
            with _connected(self._debuggee) as self._client:
                self._client.start(
                    "launch",
                    lambda client: client.request("setExceptionBreakpoints", filters=[] if stop == "never" else [stop]),
                    autoInstall=False,
                    evaluateTimeout=DEADLINE,
                    **launch,
                )
                with self._at_work(session):
                    yield session
        finally:
            session.uninstall()
            self._debuggee.loop.stop()
            self._debuggee.user = None  # a session that has installed something is there until the process ends
            _given.clear()
        assert not self._halting, f"no stop where the frame began anew\n{self._client.transcript}"

    @contextlib.contextmanager
    def _at_work(self, session: Session) -> Iterator[None]:
        worker = threading.Thread(target=self._work, args=(session,), name="user", daemon=True)
        worker.start()
        try:
            yield
        finally:
            self._is_over = True
            if not self._client.sent("disconnect"):
                self._client.request("disconnect")
            worker.join(DEADLINE)
            told = [each["output"] for each in self._client.events("output") if each["category"] == "important"]
            self.messages += [each for each in told if "a fault of fixcont" in each]

    def _work(self, session: Session) -> None:
        """Answer stops until the scenario is over."""
        with session.at_work():
            try:
                while self._wait_for_a_stop():
                    self._stopped(self._client.stopped())
            except BaseException:
                self.messages.append(traceback.format_exc())
                self._client.request("disconnect")  # which lets all threads go on

    def _wait_for_a_stop(self) -> bool:
        """Returns whether there is one; else the scenario is over."""
        self._client.wait_until(lambda: self._is_over or self._client.has_event("stopped"), "neither a stop nor the end")
        return not self._is_over

    # At a stop

    def _stopped(self, body: Mapping[str, Any]) -> None:
        thread = body["threadId"]
        if thread in self._halting:
            self._halting.discard(thread)
            if body["reason"] in ("restart", "goto"):
                self._client.request("continue", threadId=thread)
                return
        self.saw.append(self._seen(body))
        while not self._is_left(thread, self._choose(thread)):
            pass

    def _is_left(self, thread: int, request: _Request) -> bool:
        """Send a request that leaves the stop. Returns whether it was not refused."""
        if request.halts:
            self._halting.add(thread)
        try:
            self._client.request(request.command, **request.arguments)
        except Failed as failed:
            self._halting.discard(thread)
            self._refused(_refusal(failed))
            return False
        return True

    def install_what_was_saved(self) -> None:
        """See `support.front_end.install_what_was_saved`."""
        self._client.request("fixcont/install")
        self._client.wait_for_event("hotcodereplace", {"changeType": "END"})

    # What is sent. Nothing of the stop may be kept here: the program would not be rid of its values.

    def _choose(self, thread: int) -> _Request:
        stop = self._stop_of(thread)
        return self._request_for(thread, stop, self._next_answer()(stop))

    def _stop_of(self, thread: int) -> Stop:
        (held,) = [each for each in self._debuggee.held if self._debuggee.threads.number(each.ident) == thread]
        return held.stop

    def _request_for(self, thread: int, stop: Stop, way: Way) -> _Request:
        if isinstance(way, Propagate):
            return _Request("continue", {"threadId": thread})
        if isinstance(way, QuitProgram):
            return _Request("terminate", {})
        if isinstance(way, Step):
            return self._step(thread, stop, way)
        about = {"frameId": self._id_of(thread, stop, way.frame)}
        if isinstance(way, RestartFrame):
            return _Request("restartFrame", about, halts=not way.halts)
        if isinstance(way, Resume):
            return self._resume(thread, stop, way, about)
        if isinstance(way, Skip):
            return _Request("fixcont/skip", about)
        if isinstance(way, UseValue):
            return _Request("fixcont/useValue", {**about, "expression": _expression(way.value)})
        if isinstance(way, ReturnFromFrame):
            return _Request("fixcont/returnFromFrame", {**about, "expression": _expression(way.value)})
        assert isinstance(way, Throw), f"there is no request for {way}"
        return _Request("fixcont/throw", {**about, "expression": _expression(way.exception)})

    def _resume(self, thread: int, stop: Stop, way: Resume, about: Mapping[str, Any]) -> _Request:
        """Go to a line as an IDE does, where that is the frame which an IDE's users get, and it can be done."""
        landing = stop.landing_of(way)
        if way.line is None and not way.halts:
            return _Request("fixcont/retry", about)
        if isinstance(landing, Landing):
            (target,) = self._client.request("gotoTargets", source={"path": way.frame.filename}, line=landing.line)["targets"]
            if target["label"] == f"{landing.function}, line {landing.line}":
                return _Request("goto", {"threadId": thread, "targetId": target["id"]}, halts=not way.halts)
        assert not way.halts, "the client goes to a line of another frame"
        return _Request("fixcont/resume", {**about, "line": way.line})

    def _step(self, thread: int, stop: Stop, way: Step) -> _Request:
        assert way.frame is stop.frames[stop.selected], "clients step from the frame that they show"
        assert way.kind in _STEPS, "clients do not step like this"
        target = {}
        if way.target is not None:
            targets = self._client.request("stepInTargets", frameId=self._id_of(thread, stop, way.frame))["targets"]
            (number,) = [
                each["id"] for each in targets if (each["label"], each["column"]) == (way.target.name, way.target.column + 1)
            ]
            target["targetId"] = number
        return _Request(_STEPS[way.kind], {"threadId": thread, **target})

    def _id_of(self, thread: int, stop: Stop, frame: Frame) -> int:
        (number,) = [shown["id"] for each, shown in zip(stop.frames, self._client.frames(thread), strict=True) if each is frame]
        return int(number)

    # What is seen

    def _seen(self, body: Mapping[str, Any]) -> Seen:
        thread = body["threadId"]
        names = {each["id"]: each["name"] for each in self._client.request("threads")["threads"]}
        stack = self._client.request("stackTrace", threadId=thread)
        frames = stack["stackFrames"]
        shown = next((each for each in frames if each["presentationHint"] == "normal"), frames[0])
        info = self._client.request("exceptionInfo", threadId=thread) if body["reason"] == "exception" else {}
        details = info.get("details", {})
        return Seen(
            error=f"{details['typeName']}: {details['message']}" if info else "",
            where=shown["name"].removesuffix(_OLD),
            line=self._line(shown),
            frames=tuple(each["name"].removesuffix(_OLD) for each in frames if self._is_of_program(each["source"])),
            reason=_REASONS[body["reason"]],
            thread=names[thread],
            late=body.get("text", "").removeprefix(info.get("description", "")).strip(),
            depth=stack["totalFrames"],
            context=tuple(_contexts(details)),
        )

    def _is_of_program(self, source: Mapping[str, Any]) -> bool:
        return source.get("path") == self._file or source["name"] == os.path.basename(self._file) + _OLD

    def _line(self, frame: Mapping[str, Any]) -> str:
        """Give the line at which a frame is held, as `support.front_end.source_line`."""
        source = frame["source"]
        if "path" in source:
            with open(source["path"], encoding="utf-8") as file:
                text = file.read()
        else:
            text = self._client.request("source", sourceReference=source["sourceReference"])["content"]
        lines = text.splitlines()
        return lines[frame["line"] - 1].split("  #")[0].strip() if frame["line"] <= len(lines) else ""


class _Debuggee(Debuggee):
    """The front end that clients connect to, with what scenarios do by its user's means."""

    def __init__(self, user: DapUser) -> None:
        super().__init__(waits=False, was_started_for_it=True)
        self.user: DapUser | None = user

    def install_what_was_saved(self) -> None:
        assert self.user is not None
        self.user.install_what_was_saved()

    def ended(self, summary: object, patch_file: str | None) -> None:
        """Nobody is to be told at the end of this process what scenarios have repaired."""


@contextlib.contextmanager
def _connected(debuggee: Debuggee) -> Iterator[Client]:
    """Let the program connect to a client, as one that an adapter has started does."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        Server(debuggee).connect("127.0.0.1", listening.getsockname()[1], b"")
        debuggee.loop.start()
        connection, _ = listening.accept()
    with Client.over(connection) as client:
        yield client


def _refusal(failed: Failed) -> Refusal:
    sentence, _, instead = failed.message.partition("; ")
    return Refusal(failed.code, sentence, instead)


def _contexts(details: Mapping[str, Any]) -> Iterator[str]:
    """Give the types of what an exception came from, nearest first."""
    while "innerException" in details:
        details = details["innerException"][-1]
        yield details["typeName"]


def _expression(value: Any) -> str:
    """Give an expression for a value: what a user would type, where the value can be typed."""
    if isinstance(value, BaseException) and type(value) is getattr(builtins, type(value).__name__, None):
        is_new = value.__traceback__ is None and value.__context__ is None and value.__cause__ is None
        if is_new and all(_can_be_typed(each) for each in value.args) and not value.__dict__:
            return repr(value)
    if _can_be_typed(value):
        return repr(value)
    _given.append(value)
    return _TAKE


def _can_be_typed(value: Any) -> bool:
    if type(value) is tuple:
        return all(_can_be_typed(each) for each in value)
    return type(value) in (int, str, bytes, bool, type(None)) and ast.literal_eval(repr(value)) == value
