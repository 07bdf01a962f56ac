"""The program that is debugged, as clients see it: its held threads, and the one client that is served at a time.

Made once in a process. It is the engine's front end: `stopped` is called in each thread that stops, and holds it until a client has
answered. Everything else happens in the thread of the loop.
"""

from __future__ import annotations

import contextlib
import sys
import traceback
from _thread import allocate_lock, get_ident
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from fixcont.stopping.stop import StopReason
from fixcont_ui.dap.loop import Loop
from fixcont_ui.dap.threads import Threads
from fixcont_ui.dap.watching import Signature, Watcher

#: Seconds that the held thread may take for what is the adapter's own.
LOOK: Final = 10.0
_MOMENT: Final = 0.5  # seconds

if TYPE_CHECKING:
    from fixcont.continuing.ways import Way
    from fixcont.editing.diffs import Summary
    from fixcont.errors import Refusal
    from fixcont.postmortem.replay import Replayed
    from fixcont.session import Session
    from fixcont.stopping.stop import Stop
    from fixcont_ui.dap.client import Client
    from fixcont_ui.dap.console import DebugConsole
    from fixcont_ui.dap.failures import Failure
    from fixcont_ui.dap.held import HeldThread
    from fixcont_ui.dap.later import Body, Later
    from fixcont_ui.dap.program import Program
    from fixcont_ui.dap.workplace import Workplace


class Debuggee:
    """See the module.

    Args:
        waits: whether a thread that stops is held until a client comes, where there is none.
        was_started_for_it: whether the adapter has started the process.

    Attributes:
        session: the engine's; set by who makes it.
        client: the one that is served, or None.
        held: the threads that are held, in the order in which they stopped.
        threads: their numbers.
        halts: ident of a thread -> the reason to give for its next stop.
        pauses: idents of the threads that a client has asked to stop, and that have not stopped since.
        name: of the program, "" where that is not known.
        quits_on_interrupt: whether Ctrl-C in the terminal of the process ends it while it is held; else that is the client's business.
        greeting: what each client is told as its session begins, "" for nothing.
        address: where it listens, None where it does not.
        was_configured: whether a client has said that the program may run.
        told_refusal: what could not be installed, and the files as they were then; None where all could.
    """

    session: Session
    takes_interrupts = True
    holds_several = True
    asks_late = True  # a step is over before anybody looks at most frames

    def __init__(self, *, waits: bool, was_started_for_it: bool = False) -> None:
        self.client: Client | None = None
        self.held: list[HeldThread] = []
        self.threads: Final = Threads()
        self._program: Program | None = None
        self.halts: dict[int, str] = {}
        self.pauses: set[int] = set()
        self._replayed: dict[int, Replayed] = {}  # ident of a thread at a post-mortem stop -> what its last replay gave
        self.waits = waits
        self.was_started_for_it = was_started_for_it
        self.name = self.greeting = ""
        self.quits_on_interrupt = False
        self.address: tuple[str, int] | None = None
        self.loop: Final = Loop(self._failed, self._at_work)
        self._watcher: Final = Watcher(self.loop, lambda: self.session.filenames(), self._files_changed)
        self._configured: Final = allocate_lock()
        self._configured.acquire()
        self.was_configured = False
        self.told_refusal: tuple[Refusal, frozenset[tuple[str, Signature | None]]] | None = None
        self._elsewhere: Workplace | None = None
        self._lock = allocate_lock()

    # The engine's front end: in the held threads.

    def stopped(self, stop: Stop) -> Way:
        from fixcont_ui.dap.held import HeldThread, unattended  # what only stops need is loaded at the first one

        held = HeldThread(stop, self.loop, self._console, quits_on_interrupt=self.quits_on_interrupt)
        with self._lock:
            held.was_paused = stop.reason is StopReason.INTERRUPT and held.ident in self.pauses
            self.pauses.discard(held.ident)
            if self.client is None and not self.waits:
                self._replayed.pop(held.ident, None)
                return unattended(stop, was_paused=held.was_paused)
            self.held.append(held)
        held.shown_as = self.halts.pop(held.ident, "")
        held.replayed = self._replayed.get(held.ident)
        self._announce(held)
        try:
            way = held.serve()
            if not held.keeps_replayed:
                self._replayed.pop(held.ident, None)
            return way
        finally:
            with self._lock:
                self.held.remove(held)
            if not held.is_quiet:
                ident = held.ident  # and not the stop: what the program had in its frames must not live until the loop is there
                self.loop.call_soon(lambda: self._tell_went_on(ident))

    def refused(self, refusal: Refusal) -> None:
        self.say(f"refused: {refusal}", "important")

    def report(self, message: str) -> None:
        if self.client is not None:
            self.say(message, "important")
        else:
            _to_stderr(f"fixcont: {message}")

    def replayed(self, outcome: Replayed) -> None:
        """Show what came of a replay. Its value is to be seen at the stop that is shown next in this thread."""
        from fixcont_ui.wording_of_replays import outcome_lines

        if outcome.error is None:
            self._replayed[get_ident()] = outcome
        else:
            self._replayed.pop(get_ident(), None)
        self.say("\n".join(outcome_lines(outcome)))

    def ended(self, summary: Summary, patch_file: str | None) -> None:
        from fixcont_ui.history_wording import summary_lines

        self.say("\n".join(summary_lines(summary, patch_file)))

    def _announce(self, held: HeldThread) -> None:
        try:
            if self.client is not None:
                self.client.stopped(held)
            elif self.waits:
                _to_stderr(waiting_line(held.stop))
        except BaseException:  # a fault of ours: nobody would ever let go of the thread
            held.let_go()
            raise

    def _tell_went_on(self, ident: int) -> None:
        if self.client is not None:
            self.client.went_on(ident)

    def _console(self, held: HeldThread) -> DebugConsole:
        return self.program.console(held, self.say)

    # For handlers and others, in any thread.

    @property
    def program(self) -> Program:
        """What clients are shown beside held frames. Made when it is first asked for, unless it was set: the one that runs here."""
        if self._program is None:
            from fixcont_ui.dap.program import RunningProgram

            self._program = RunningProgram(self.session, self.show_anew)
        return self._program

    @program.setter
    def program(self, program: Program) -> None:
        self._program = program

    def say(self, text: str, category: str = "console") -> None:
        """Show a text to the user, in the client's console, or on standard error where there is no client."""
        client = self.client
        if client is not None:
            client.output(text + "\n", category)
        else:
            _to_stderr(text)

    def show_anew(self, held: HeldThread, *, same_frames: bool) -> None:
        """Have the client ask anew for what it has shown of a held thread, as that is looked at at another stop; in that thread.

        Args:
            same_frames: whether the ids that the client knows of frames are still those of the thread's.
        """
        client = self.client
        if client is not None:
            client.show_anew(held, same_frames=same_frames)

    def wherever(self, work: Callable[[], Body], seconds: float) -> Later:
        """Do something that concerns the program: in the thread that stopped last, where one is held, else in one that stands in for it.

        To be called in the loop's thread.
        """
        held = next((each for each in reversed(self.held) if not each.is_left), None)
        if held is not None:
            return held.submit(work, seconds)
        if self._elsewhere is None:
            from fixcont_ui.dap.failures import failure
            from fixcont_ui.dap.later import Later
            from fixcont_ui.dap.workplace import start_workplace

            try:
                self._elsewhere = start_workplace(self.loop, self._at_work)
            except RuntimeError:  # the interpreter is shutting down, and lets no thread begin any more
                never = Later()
                never.fail(failure("debuggee-gone", "the program is ending"))
                return never
        return self._elsewhere.submit(work, seconds)

    def afterwards(self, action: Callable[[], None]) -> None:
        """Do something in the loop's thread once what is done elsewhere is done, or after a moment; to be called there."""
        if self._elsewhere is None:
            action()
        else:
            self._elsewhere.submit(lambda: None, _MOMENT).tell(lambda body, failed: self.loop.call_soon(action))

    # Who is served: in the loop's thread.

    def serve(self, client: Client) -> None:
        """Serve a client from now on."""
        with self._lock:
            self.client = client
            self.waits = self.address is not None
        if client.options.get("autoInstall") is not False and client.debugs:
            self._watcher.start()

    def _files_changed(self, filenames: Sequence[str]) -> None:
        """Install what was saved."""

        def work() -> Body:
            from fixcont_ui.dap import installing

            installing.install(self)
            return None

        def look_again(body: Body, failed: Failure | None) -> None:
            if failed is None or self.client is None:
                return
            if failed.refusal.code in ("timed-out", "stale-reference", "interrupted"):  # the thread was busy, or has gone on
                self.loop.call_soon(lambda: self._files_changed(filenames))
            elif failed.refusal.code != "debuggee-gone":
                self.say(str(failed.refusal), "important")

        self.wherever(work, LOOK).tell(look_again)

    def configured(self) -> None:
        """Let the program run, as a client has said what it has to."""
        if not self.was_configured:
            self.was_configured = True
            self._configured.release()

    def wait_until_configured(self) -> None:
        """Wait, in the program's main thread, until a client lets it run. Ctrl-C ends the wait."""
        while not self._configured.acquire(timeout=0.2):
            pass
        self._configured.release()
        steps = self.session.known_steps
        if steps is not None:
            steps.watch_thread()

    def left(self, *, goes_on: bool) -> None:
        """The client is gone.

        Args:
            goes_on: let all held threads go on, as if nobody had looked.
        """
        with self._lock:
            self.client = None
            self._watcher.stop()
            if goes_on:
                self.waits = False
            held = list(self.held)
        if goes_on:
            for each in held:
                each.let_go()
        self.configured()

    def find(self, ident: int) -> HeldThread | None:
        """Find a thread that is held and was not let go yet."""
        return next((each for each in self.held if each.ident == ident and not each.is_left), None)

    def forked(self) -> None:
        """Leave the connection to the parent: this is a process that was forked. Nobody looks at its stops."""
        self._lock = allocate_lock()  # another thread, which is not here, may have held it
        client, self.client = self.client, None
        self.waits = False
        self.held.clear()
        if client is not None:
            client.channel.abandon()

    # The loop.

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        """Let nothing stop in a thread of the adapter's own."""
        sys.settrace(None)
        sys.setprofile(None)
        with self.session.at_work():
            yield

    def _failed(self, error: BaseException) -> None:
        self.say(f"a fault of fixcont itself\n{''.join(traceback.format_exception(error)).rstrip()}", "important")


def waiting_line(stop: Stop) -> str:
    """Say that a thread is held, where nobody is there to see it."""
    where = "".join(f" at {frame.filename}:{frame.line} in {frame.function}" for frame in stop.frames[stop.selected :][:1])
    what = f"{type(stop.exception).__name__}: {stop.exception}" if stop.exception is not None else stop.reason.value
    return f"fixcont: held{where} ({what}); waiting for a client"


def _to_stderr(text: str) -> None:
    with contextlib.suppress(OSError, ValueError, AttributeError):
        print(text, file=sys.__stderr__, flush=True)
