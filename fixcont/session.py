"""A session: everything that makes fixcont active in a process, put together."""

from __future__ import annotations

import atexit
import builtins
import os
import sys
import traceback as tracebacks
from _thread import allocate_lock, get_ident
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import CodeType, FrameType, FunctionType, TracebackType
from typing import TYPE_CHECKING, Any

from fixcont.bytecode import interpreter, stubs
from fixcont.bytecode.original import untrapped
from fixcont.bytecode.traps import trap
from fixcont.continuing.unwinding import Answer, TrapState, is_ours
from fixcont.errors import Refusal, Refused
from fixcont.loading.cache import TrapCache, engine_fingerprint
from fixcont.loading.importing import LoadedText, install_hook, remove_hook
from fixcont.loading.loaded import loaded_functions
from fixcont.loading.scope import Scope
from fixcont.stopping.hook import make_hook
from fixcont.stopping.interrupt import InterruptHandler, is_jump_back
from fixcont.stopping.policy import Policy, StopMode, TypeCondition, parse_mode
from fixcont.stopping.prediction import Predictor
from fixcont.stopping.threads import RunningFrame, ThreadInfo, running_frames, threads

if TYPE_CHECKING:
    from fixcont.bytecode.location import Location
    from fixcont.continuing.checks import Newest
    from fixcont.editing.closures import Captured
    from fixcont.editing.sources import Sources
    from fixcont.editing.variants import How, Variant
    from fixcont.postmortem.excepthook import ExceptHook
    from fixcont.stepping.engine import Stepping
    from fixcont.stepping.targets import StepTarget
    from fixcont.stopping.frames import Frame
    from fixcont.stopping.serving import Server
    from fixcont.stopping.stop import FrontEnd, Occasion

_active: Session | None = None


def active() -> Session | None:
    """Return the session that is active in this process, or None."""
    return _active


def in_the_way() -> Session | None:
    """Return the session because of which no other one can be made active, or None. One that rests is uninstalled."""
    if _active is not None and _active.rests:
        _active.uninstall()
    return _active


class Session:
    """Traps, the hook that they call, the texts of the user's files, and the front end that answers stops.

    Args:
        front_end: gets the stops.
        stop: which exceptions stop the program: "unhandled", "uncaught", "raised" or "never".
        catch: names of exception types that stop although they will be handled.
        ignore: names of exception types that never stop.
        scope: whose code gets traps: "project", "everything", or patterns of files or modules.
        stop_at_entry: stop at the first line of the program.
        migrate: when instances of edited classes are migrated: "now" or "lazily".
        patch_file: where to write what was repaired, as a unified diff, at the end of the process; relative to the present folder.

    Raises:
        Refused: an argument has no meaning.

    Attributes:
        rests: whether it stops at nothing, as it was made for a post-mortem, which is over; see `awake`.
    """

    def __init__(
        self,
        front_end: FrontEnd,
        stop: str = "unhandled",
        catch: Sequence[str] = (),
        ignore: Sequence[str] = (),
        scope: Sequence[str] = ("project",),
        stop_at_entry: bool = False,
        migrate: str = "now",
        patch_file: str | None = None,
    ) -> None:
        self.front_end = front_end
        self.scope = Scope(scope)
        self.policy = Policy(parse_mode(stop), catch, ignore)
        self.stop_at_entry = stop_at_entry
        if migrate not in ("now", "lazily"):
            raise Refused(Refusal("unknown-mode", f"there is no way to migrate called {migrate!r}", "use now or lazily"))
        self._migrate = migrate
        self._patch_file = patch_file
        self._folder = _current_folder()  # the program may go elsewhere
        self.versions = _Versions(self)
        self.all_handlers = Predictor(self.scope.is_user_code, library_broad_counts=True)
        self._busy: set[int] = set()
        self._stops: list[bool] = []  # not empty once there was a stop
        # What is needed only once there is something to stop at, or to edit, is imported and made then.
        self._server: Server | None = None
        self._sources: Sources | None = None
        self._stepping: Stepping | None = None
        # Files whose texts `_sources`, once it is there, is to remember: name, what reads the text, status when it was loaded.
        self._loaded: list[tuple[str, Callable[[], bytes | None], os.stat_result | None]] = []
        self._making = allocate_lock()
        self._changing = allocate_lock()
        self._seen: dict[int, Any] = {}  # what hooks know of exceptions that are on their way
        self._held: set[int] = set()  # idents of the threads that are held
        self.rests = False
        self._interrupts = InterruptHandler(self._interrupted, lambda: get_ident() in self._busy, self._woken)
        self._is_installed = False
        self._replaying: set[int] = set()  # idents of threads
        self._except_hook: ExceptHook | None = None
        self._faults: set[object] = set()  # (type, place) of what was reported

    # -- turning it on and off

    def install(self, *, loaded: bool = False) -> None:
        """Make fixcont active: modules in scope get traps when they are imported, and traps call the hook.

        Args:
            loaded: also put traps into the user's functions that exist already. Frames that run now stay without.

        Raises:
            Refused: another session is active in this process.
        """
        global _active
        if self._is_installed:
            return
        if _active is not None:
            raise Refused(Refusal("already-active", "fixcont is active in this process already", "uninstall it first"))
        _active = self
        self._is_installed = True
        stops = self.policy.mode is not StopMode.NEVER or self.policy.has_catch
        if stops:
            self._put_hook()
        if stops or getattr(self.front_end, "holds_several", False):
            self._take_interrupts()
        cache = TrapCache(engine_fingerprint())
        install_hook(self.scope, trap, cache=cache, on_fault=self.report_fault, on_loaded_lazily=self._on_imported)
        if loaded:
            self.sources.remember_loaded()
            _exchange(loaded_functions(self.scope.is_user), trap)
        atexit.register(self._tell_repairs)  # now: of such functions, those that were registered first are called last

    def _put_hook(self) -> None:
        predictors = tuple(Predictor(self.scope.is_user_code, library_broad_counts=counts) for counts in (False, True))
        hook = make_hook(
            self.policy,
            (predictors[0], predictors[1]),
            self._stopped,
            self.report_fault,
            self._busy,
            self._stops,
            self._seen,
            self._lets_go,
        )
        setattr(builtins, stubs.HOOK_NAME, hook)

    def set_policy(
        self,
        mode: str | Sequence[str],
        catch: Sequence[str] = (),
        ignore: Sequence[str] = (),
        conditions: Mapping[str, str] | None = None,
    ) -> None:
        """Change which exceptions stop the program, from any thread, while it runs. What has stopped already does not stop again.

        Args:
            mode: as for the session. Of several modes the one that stops most counts for each type of exception; none is "never".
            catch, ignore: as for the session.
            conditions: mode -> for which types it holds, where not for all: "ZeroDivisionError, mypkg.Error, !mypkg.Expected".

        Raises:
            Refused: an argument has no meaning; then nothing was changed.
        """
        modes = [parse_mode(each) for each in ([mode] if isinstance(mode, str) else mode)]
        held = {parse_mode(each): TypeCondition(text) for each, text in (conditions or {}).items() if text.strip()}
        policy = Policy(modes, catch, ignore, held)
        with self._changing:
            self.policy = policy
            if not self._is_installed:
                return
            if self._stops or policy.mode is not StopMode.NEVER or policy.has_catch:
                self._put_hook()  # one object is exchanged for another: no exception sees half of it
            else:
                builtins.__dict__.pop(stubs.HOOK_NAME, None)
        if policy.mode is not StopMode.NEVER or policy.has_catch:
            self._take_interrupts()

    def _take_interrupts(self) -> None:
        """Let Ctrl-C be a stop, if the front end wants that. It can be done in the main thread only."""
        if getattr(self.front_end, "takes_interrupts", True):
            self._interrupts.install()

    def uninstall(self) -> None:
        """Make everything as it was: no hook, no traps in functions. Frames that run keep theirs, which then do nothing.

        Not undone: installed edits stay.
        """
        global _active
        if not self._is_installed:
            return
        _active = None
        self._is_installed = False
        if self._stepping is not None:
            self._stepping.close()
        if self._except_hook is not None:
            self._except_hook.uninstall()
        remove_hook()
        self._interrupts.uninstall()
        builtins.__dict__.pop(stubs.HOOK_NAME, None)
        _exchange(loaded_functions(self.scope.is_user), untrapped)
        if self._sources is None or not self._sources.history.patches:
            atexit.unregister(self._tell_repairs)

    def _tell_repairs(self) -> None:
        """Tell what was repaired, at the end of the process: all of the program's threads and exit handlers are through."""
        ended = getattr(self.front_end, "ended", None)
        if self._sources is None or not self._sources.history.patches or (ended is None and self._patch_file is None):
            return
        try:
            from fixcont.editing.diffs import summarize

            summary = summarize(self._sources.history, self._folder)
            if summary is None:
                return
            patch_file = self._write_patch_file(summary.diff)
            if ended is not None:
                ended(summary, patch_file)
        except Exception as fault:
            self.report_fault(fault)

    def _write_patch_file(self, diff: bytes) -> str | None:
        """Write the diff where it is wanted. Returns the name as it was given, None where it was not written."""
        if self._patch_file is None:
            return None
        try:
            with open(os.path.join(self._folder, self._patch_file), "wb") as stream:
                stream.write(diff)
        except OSError as error:
            self.front_end.report(f"cannot write {self._patch_file}: {error.strerror or type(error).__name__}")
            return None
        return self._patch_file

    # -- what is loaded

    def prepare(self, code: CodeType, filename: str) -> CodeType:
        """Return the program's main code as it is to be run."""
        if not self.scope.is_user(filename):
            return code
        trapped = trap(code)
        if self.stop_at_entry:
            from fixcont.stopping.stop import StopReason

            self.stepping.stop_in(trapped, StopReason.ENTRY)
        return trapped

    def on_loaded(self, filename: str, source: bytes | None, code: CodeType) -> None:
        """Note the text of the program's main file, which is about to be executed."""
        if source is not None and self.scope.is_user(filename):
            self._remember(filename, lambda: source, None)

    def _on_imported(self, filename: str, text: LoadedText, code: CodeType) -> None:
        self._remember(filename, text.read, text.status)

    def _remember(self, filename: str, read: Callable[[], bytes | None], status: os.stat_result | None) -> None:
        """Note how the text of a file can be had. It is unpacked only once somebody asks for texts."""
        with self._making:
            if self._sources is None:
                self._loaded.append((filename, read, status))
                return
        _remember_in(self._sources, filename, read, status)
        if self._stepping is not None:
            self._stepping.loaded(filename)

    @property
    def sources(self) -> Sources:
        """The texts of the user's files, and what of them is installed."""
        from fixcont.editing.sources import Sources  # not while the lock is held: what is imported comes to `_remember`

        with self._making:
            if self._sources is None:
                self._sources = Sources(
                    trap, untrapped, self.scope.is_user, migrates_lazily=self._migrate == "lazily", at_work=self.at_work
                )
                for loaded in self._loaded:
                    _remember_in(self._sources, *loaded)
                self._loaded.clear()
            return self._sources

    def filenames(self) -> list[str]:
        """Give the names of the user's files that are loaded, without reading them."""
        sources = self._sources
        return [name for name, _, _ in self._loaded.copy()] if sources is None else sources.filenames()

    @property
    def has_edits(self) -> bool:
        """Whether anything was installed."""
        return self._sources is not None and bool(self._sources.history.patches)

    # -- stops

    def server(self) -> Server:
        """Return what serves the stops."""
        if self._server is None:
            with self._interrupts.preparing():
                from fixcont.stopping.serving import Server

            with self._making:  # several threads may stop at once
                if self._server is None:
                    self._server = Server(self, self._busy, self._held)
                    self._stops.append(True)
            with self._changing:
                if self._is_installed and not hasattr(builtins, stubs.HOOK_NAME):
                    self._put_hook()  # what carries the user's decisions to frames further out arrives there
        return self._server

    def _lets_go(self, exception: BaseException, frame: FrameType) -> bool:
        asks = getattr(self.front_end, "lets_go", None)
        return asks is not None and bool(asks(exception, frame))

    def _stopped(self, exception: BaseException, frame: FrameType, state: TrapState, late: str) -> Answer:
        return self.server().exception(exception, frame, state, late)

    def set_trace(self, frame: FrameType) -> None:
        """Stop where `frame` is. Raises what the user's answer makes of it; see `Server.elsewhere`."""
        self._stop_at(frame, "BREAKPOINT")

    def _interrupted(self, frame: FrameType) -> None:
        # At the end of a loop's round the last statement is done, and must not run again. On 3.11, besides, what is raised there finds the
        # stack as it was before the loop. 3.15 keeps loops better here than at a line.
        is_between = not interpreter.LOOP_KEEPS_INDEX and self.is_user(frame) and is_jump_back(frame)
        with self._interrupts.preparing():
            self.server()
            if is_between and self.stepping.interrupt(frame):
                return
        self._stop_at(frame, "INTERRUPT")

    def _woken(self, is_busy: bool) -> bool:
        return self._stepping is not None and self._stepping.woken(is_busy)

    def _stop_at(self, frame: FrameType, reason: str) -> None:
        server = self.server()
        from fixcont.stopping.stop import Occasion, StopReason

        server.elsewhere(frame, Occasion(StopReason[reason]))

    # -- what has died

    def hook_exceptions(self) -> None:
        """Show exceptions that nobody has handled as post-mortem stops from now on, where there is a terminal; until `uninstall`."""
        from fixcont.postmortem.excepthook import ExceptHook

        if self._except_hook is None:
            self._except_hook = ExceptHook(lambda error: self.post_mortem(error, error.__traceback__), self._was_let_go)
        self._except_hook.install()

    def _was_let_go(self, exception: BaseException) -> bool:
        from fixcont.stopping.stop import flight_of

        return self._server is not None and self._server.let_go == flight_of(exception)

    def post_mortem(self, exception: BaseException | None, traceback: TracebackType | None) -> Any:
        """Show a traceback as a stop until the user leaves it; see `fixcont.postmortem.serving.serve`."""
        from fixcont.postmortem.serving import serve

        return serve(self, exception, traceback)

    @contextmanager
    def awake(self) -> Iterator[None]:
        """Let what fails in this block stop, and nothing after it: the session was made for a post-mortem only, and not for what comes later."""
        self.rests = False
        self.set_policy(StopMode.UNHANDLED.value)
        try:
            yield
        finally:
            self.set_policy(StopMode.NEVER.value)
            self._interrupts.uninstall()
            self.rests = True

    @property
    def is_replaying(self) -> bool:
        """Whether this thread replays a dead frame."""
        return get_ident() in self._replaying

    @contextmanager
    def replaying(self) -> Iterator[None]:
        """Let what fails in this thread stop meanwhile, also where the session stops at nothing else or is at work."""
        self.server()  # with it there is a hook
        thread, mode = get_ident(), self.policy.mode
        was_busy = thread in self._busy
        self._busy.discard(thread)
        is_first = thread not in self._replaying
        self._replaying.add(thread)
        if mode is StopMode.NEVER:
            self.policy.mode = StopMode.UNHANDLED
        try:
            yield
        finally:
            self.policy.mode = mode
            if is_first:
                self._replaying.discard(thread)
            if was_busy:
                self._busy.add(thread)

    # -- breakpoints and steps

    @property
    def stepping(self) -> Stepping:
        """The engine of breakpoints and steps. It watches nothing as long as there are none."""
        if self._stepping is None:
            from fixcont.stepping.engine import Stepping

            sources = self.sources
            with self._making:
                if self._stepping is None:
                    self._stepping = Stepping(self._halt, self.is_user, sources, self._busy, self._held, self._interrupts.wake)
                    sources.on_installed = self._stepping.installed
        return self._stepping

    @property
    def known_steps(self) -> Stepping | None:
        """The same, None as long as nobody has asked for it."""
        return self._stepping

    def _halt(self, frame: FrameType, occasion: Occasion) -> None:
        self.server().elsewhere(frame, occasion)

    # -- what stops and front ends ask

    def is_user(self, frame: FrameType) -> bool:
        """Tell whether a frame runs the user's own code."""
        return self.scope.is_user(frame.f_code.co_filename)

    def threads(self) -> list[ThreadInfo]:
        """Return the program's threads, the main thread first; without those of fixcont."""
        return threads()

    def step_targets(self, frame: Frame) -> list[StepTarget]:
        """Return the calls that a frame at a stop is still to make in its present statement, for a `Step` with that `target`.

        [] where the text is not known, or there is no call of which the place is known.
        """
        from fixcont.stepping.targets import step_targets

        text = self.sources.text_for(frame.code)
        return [] if text is None else step_targets(frame.code, frame.lasti, frame.line, text)

    def running_frames(self, ident: int) -> list[RunningFrame]:
        """Return what a thread runs, which need not be held: innermost first, for looking only. [] where there is no such thread."""
        return running_frames(ident, self.is_user)

    def is_obsolete(self, frame: FrameType) -> bool:
        """Tell whether a frame runs an older version of its function than the one installed last."""
        return self.sources.is_obsolete(frame.f_code)

    def expect_edits(self, frames: Sequence[Frame]) -> None:
        """Do what makes an install and a resume faster, while the user has not edited anything yet, and keep it until `expect_none`.

        Args:
            frames: of a stop, the held one first; none where `prepare_edits` is called later, or never.
        """
        self.sources.hold()
        self.prepare_edits(frames)

    def prepare_edits(self, frames: Sequence[Frame]) -> None:
        """Do what `expect_edits` has put off."""
        frames = [frame for frame in frames if frame.is_user]
        self.sources.prepare([frame.code for frame in frames])
        if frames and frames[0].lasti >= 0:
            with suppress(ValueError, IndexError):  # no compiler made the code: told when it is to be resumed
                frames[0].location.work_out()

    def expect_none(self) -> None:
        """Free what `expect_edits` has made; called once for each call of that, when the stop ends."""
        self.sources.release()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Let nothing stop in this thread meanwhile."""
        thread = get_ident()
        is_first = thread not in self._busy
        self._busy.add(thread)
        try:
            yield
        finally:
            if is_first:
                self._busy.discard(thread)

    def report_fault(self, fault: BaseException) -> None:
        """Tell of a fault of fixcont's own, once. The debuggee goes on."""
        place = fault.__traceback__
        while place is not None and place.tb_next is not None:
            place = place.tb_next
        known = type(fault), place and (place.tb_frame.f_code.co_filename, place.tb_lineno)
        if known in self._faults:
            return
        self._faults.add(known)
        where = "".join(tracebacks.format_exception(fault)).rstrip()
        try:
            self.front_end.report(f"a fault of fixcont itself; the program goes on without a stop here\n{where}")
        except Exception:
            return  # there is nobody left to tell


class _Versions:
    """What the ways to go on ask about edited code."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def newest(self, code: CodeType) -> Newest:
        from fixcont.continuing.checks import Newest

        found = self._session.sources.newest(code)
        return Newest(found.code, found.refusal)

    def captures_more(self, old: CodeType, code: CodeType) -> bool:
        return self._session.sources.captures_more(old, code)

    def captured(self, frame: FrameType, code: CodeType) -> Captured:
        return self._session.sources.captured(frame, code)

    def variant(self, frame_code: CodeType, location: Location, how: How, line: int | None, bound: set[str]) -> Variant:
        return self._session.sources.variant(frame_code, location, how, line, bound)

    def note(self, code: CodeType, variant: Variant) -> None:
        self._session.sources.note(code, variant.node)
        steps = self._session.known_steps
        if steps is not None:
            steps.entered(code, variant.line)

    def function(self, frame: FrameType, code: CodeType) -> FunctionType | None:
        return self._session.sources.newest_function(frame.f_code, frame.f_globals)


def _remember_in(sources: Sources, filename: str, read: Callable[[], bytes | None], status: os.stat_result | None) -> None:
    source = read()
    if source is not None:
        sources.remember(filename, source, status=status)


def _exchange(functions: Sequence[FunctionType], change: Any) -> None:
    """Give functions other code, the same new one to those that share theirs."""
    changed: dict[int, CodeType] = {}  # id of code object -> what takes its place
    for function in functions:
        code = function.__code__
        new = changed.get(id(code))
        if new is None:
            new = changed[id(code)] = change(code)
        if new is not code:
            function.__code__ = new


def _current_folder() -> str:
    try:
        return os.getcwd()
    except OSError:
        return os.curdir


def calling_frame() -> FrameType:
    """Return the innermost frame that is not ours."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and is_ours(frame):
        frame = frame.f_back
    assert frame is not None
    return frame
