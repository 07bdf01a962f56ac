"""Live frames as a front end sees them: where they are, whether they can be restarted, and their local variables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from itertools import islice
from types import CodeType, FrameType, MappingProxyType
from typing import TYPE_CHECKING, Any

from fixcont.bytecode import interpreter
from fixcont.bytecode.location import Location
from fixcont.errors import Refusal

if TYPE_CHECKING:
    from fixcont.continuing.checks import Together


class Frame:
    """One live activation in a stop. Becomes invalid when the stop ends.

    Attributes:
        raw: the interpreter's frame object.
        line: the line that runs in the frame's own version of the text (for the failing frame: where it failed).
        lasti: byte offset of the current instruction in the frame's code; -1 where the exception came up in a frame that this one has taken over.
        is_user: whether the file is in the user's scope.
        is_obsolete: whether the frame runs an older version of its function than the one installed last.
        is_live: whether it is still there; a post-mortem frame has unwound, and is looked at by its traceback.
        given: the objects that parameters had at entry which the function binds anew, by name, where they are at hand: in the frame whose trap
            has stopped. Empty once the stop has ended.
    """

    def __init__(
        self,
        raw: FrameType,
        line: int,
        lasti: int,
        *,
        is_user: bool,
        is_obsolete: bool,
        restart_refusal: Refusal | Callable[[Together], Refusal | None] | None,
        is_live: bool = True,
        given: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        self.raw = raw
        self.line = line
        self.lasti = lasti
        self.is_user = is_user
        self.is_obsolete = is_obsolete
        self._find_refusal = restart_refusal if callable(restart_refusal) else None
        self._refusal = None if callable(restart_refusal) else restart_refusal
        self._was_asked = self._find_refusal is None
        self.is_live = is_live
        self.given = given

    @property
    def code(self) -> CodeType:
        return self.raw.f_code

    @property
    def function(self) -> str:
        """The qualified name of the function, "<module>" for a module."""
        return self.raw.f_code.co_qualname

    @property
    def filename(self) -> str:
        return self.raw.f_code.co_filename

    @cached_property
    def location(self) -> Location:
        """Where it is in its code as the compiler made it; only where `lasti` is not below 0."""
        return Location(self.raw.f_code, self.lasti)

    @property
    def span(self) -> tuple[int, int, int, int] | None:
        """Where the expression stands that failed or runs: line, column, end line, end column (columns in UTF-8 bytes, from 0); None
        where the code does not tell."""
        if self.lasti < 0:
            return None
        line, end_line, column, end_column = next(islice(self.raw.f_code.co_positions(), self.lasti // 2, None), (None,) * 4)
        if line is None or end_line is None or column is None or end_column is None:
            return None
        return line, column, end_line, end_column

    @property
    def restart_refusal(self) -> Refusal | None:
        """Why the frame cannot be restarted, or None where it can: as it was when somebody asked last."""
        if not self._was_asked:
            ask([self])
        return self._refusal

    def ask(self, together: Together) -> Refusal | None:
        """Find out why the frame cannot be restarted, as things are now; in the held thread."""
        if self._find_refusal is not None:
            self._refusal, self._was_asked = self._find_refusal(together), True
        return self._refusal

    def forget(self) -> None:
        """Let go of the values of the program that it has, and of what knows the held frame; called when the stop ends."""
        self.given = MappingProxyType({})
        self._find_refusal = None

    @property
    def can_restart(self) -> bool:
        return self.restart_refusal is None

    def __repr__(self) -> str:
        return f"<Frame {self.function} {self.filename}:{self.line}>"


def ask(frames: Iterable[Frame]) -> None:
    """Find out why frames of one stop cannot be restarted, as things are now; in the held thread."""
    from fixcont.continuing.checks import Together  # which looks at frames itself

    together = Together()
    for frame in frames:
        frame.ask(together)


def write_locals(frame: FrameType, snapshot: dict[str, Any]) -> None:
    """Make assignments to `snapshot`, which `frame.f_locals` gave out, take effect in the live frame.

    Where `f_locals` writes through there is nothing to do. Elsewhere the interpreter copies the snapshot back into the
    frame's variables; names that are not variables of the frame's function stay in the snapshot only.
    Not undone: a variable that was deleted from the snapshot stays bound.
    """
    if interpreter.LOCALS_WRITE_THROUGH or not frame.f_code.co_flags & interpreter.OPTIMIZED:
        return
    import ctypes  # only here, and only once the user assigns to a local: ctypes is slow to load

    # Reading `f_locals` anew would overwrite the snapshot, so the very same dict must be current: it is, since there is one a frame.
    del snapshot
    ctypes.pythonapi.PyFrame_LocalsToFast(ctypes.py_object(frame), ctypes.c_int(0))
