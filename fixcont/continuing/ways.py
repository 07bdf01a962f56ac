"""The ways to go on: values with which a front end answers a stop."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Union

if TYPE_CHECKING:
    from fixcont.stepping.targets import StepTarget
    from fixcont.stopping.frames import Frame


class Propagate(NamedTuple):
    """The exception goes on as if we were not there; at a stop without one, the program runs on."""


class RestartFrame(NamedTuple):
    """The frames above `frame` unwind, then `frame` itself; its function's newest version is called again.

    `finally` blocks and `with` exits of all these frames run. The call gets the original argument objects, bound as at
    entry. Not undone: effects that the frames had, and changes inside the argument objects.

    Attributes:
        halts: stop again before the first line of the new activation.
    """

    frame: Frame
    halts: bool = False


class Resume(NamedTuple):
    """The frames above `frame` unwind; `frame` goes on at its failing or current statement, or at `line`, in its function's newest version.

    Its variables, running loops and open `with` blocks are kept. The statement runs from its start. `with` blocks that `line` lies
    outside of are exited first, with no exception. Not undone: what the statement had done already.

    Attributes:
        line: of the file as it is installed; None for the statement that failed or runs.
        halts: stop again before that statement runs.
    """

    frame: Frame
    line: int | None = None
    halts: bool = False


class UseValue(NamedTuple):
    """As `Resume` without a line, with the expression that failed replaced by `value`, this once."""

    frame: Frame
    value: Any


class Skip(NamedTuple):
    """As `Resume`, at what follows the statement that failed or runs."""

    frame: Frame


class Landing(NamedTuple):
    """Where a frame will go on.

    Attributes:
        function: its qualified name.
        line: in the newest version of the file.
        was: the line of the statement that failed or runs, in the version that the frame runs.
        loops: how many running loops are kept.
        withs: how many open `with` blocks are kept.
        closes: the lines, in the version that the frame runs, of the `with` statements that are exited first, innermost first.
        calls: what the statement had called already, as the source has it, and will call again: "fetch()".
    """

    function: str
    line: int
    was: int
    loops: int
    withs: int
    closes: tuple[int, ...] = ()
    calls: tuple[str, ...] = ()


class ReturnFromFrame(NamedTuple):
    """The frames above `frame` and `frame` itself unwind; the caller of `frame` gets `value`."""

    frame: Frame
    value: Any


class Throw(NamedTuple):
    """The frames above `frame` unwind; `exception` is raised at the current statement of `frame`, whose handlers apply."""

    frame: Frame
    exception: BaseException


class StepKind(enum.Enum):
    """How far a step goes."""

    INTO = "into"  #: to the next line, in whatever function
    OVER = "over"  #: to the next line of the frame
    UNTIL = "until"  #: to a line of the frame further down
    OUT = "out"  #: to the end of the frame


class Step(NamedTuple):
    """The program runs on, and this thread stops again after a step. An exception in flight goes on first.

    A step concerns the frame, not its function: other activations, threads and tasks run through. A frame that ends, by an exception too,
    hands the step on to its caller; one that waits keeps it. Every other stop of the thread ends the step.

    Attributes:
        frame: from which it is counted. For `StepKind.INTO` the innermost of the user's own frames; what that calls counts as well.
        line: for `StepKind.UNTIL`: stop on this line or one further down.
        everywhere: go into library code too.
        at_edges: stop also as a function begins (`INTO`), and as the frame returns (all kinds), as pdb does.
        target: for `StepKind.INTO`, the only call of the frame to go into (see `Session.step_targets`); None for all.
        collects: tell at the next stop what the calls returned that were stepped over or out of (`Stop.returned`). Until then they are kept alive.
    """

    frame: Frame
    kind: StepKind
    line: int | None = None
    everywhere: bool = False
    at_edges: bool = True
    target: StepTarget | None = None
    collects: bool = False


class QuitProgram(NamedTuple):
    """The program ends, its `finally` blocks and `with` exits running on the way."""


class Replay(NamedTuple):
    """In a post-mortem frame: its function is called anew, or the frame is made anew from its variables and goes on in the middle.

    The newest version runs. Not undone: what the dead frames had done, and what their exits and `finally` bodies did as they unwound.

    Attributes:
        frame: a frame that has unwound.
        in_the_middle: go on at the statement that failed, or at `line`, instead of calling the function.
        line: of the file as it is installed.
        arguments: for a call: what takes the place of the original arguments, by parameter.
        outward: go on in the callers too, with the result in the place of their calls.
        with_holes: at a stop that was opened from a file: although the program would get values that are not there.
    """

    frame: Frame
    in_the_middle: bool = False
    line: int | None = None
    arguments: Mapping[str, Any] = MappingProxyType({})
    outward: bool = False
    with_holes: bool = False


Way = Union[Propagate, RestartFrame, Resume, UseValue, Skip, ReturnFromFrame, Throw, Step, Replay, QuitProgram]
