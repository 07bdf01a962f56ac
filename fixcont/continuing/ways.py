"""The ways to go on: values with which a front end answers a stop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Union

if TYPE_CHECKING:
    from fixcont.stopping.frames import Frame


class Propagate(NamedTuple):
    """The exception goes on as if we were not there; at a stop without one, the program runs on."""


class RestartFrame(NamedTuple):
    """The frames above `frame` unwind, then `frame` itself; its function's newest version is called again.

    `finally` blocks and `with` exits of all these frames run. The call gets the original argument objects, bound as at
    entry. Not undone: effects that the frames had, and changes inside the argument objects.
    """

    frame: Frame


class ReturnFromFrame(NamedTuple):
    """The frames above `frame` and `frame` itself unwind; the caller of `frame` gets `value`."""

    frame: Frame
    value: Any


class Throw(NamedTuple):
    """The frames above `frame` unwind; `exception` is raised at the current statement of `frame`, whose handlers apply."""

    frame: Frame
    exception: BaseException


class QuitProgram(NamedTuple):
    """The program ends, its `finally` blocks and `with` exits running on the way."""


Way = Union[Propagate, RestartFrame, ReturnFromFrame, Throw, QuitProgram]
