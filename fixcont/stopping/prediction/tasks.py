"""Exceptions that leave a coroutine which an asyncio task runs: the task keeps them, and whoever awaits the task gets them."""

from __future__ import annotations

import functools
import sys
from collections import deque
from collections.abc import Iterator
from types import BuiltinMethodType, FrameType, FunctionType, MethodType
from typing import Any, Final, NamedTuple

from fixcont.bytecode.interpreter import COROUTINE, ITERABLE_COROUTINE
from fixcont.stopping.prediction.values import Scope, dict_of_instance, is_any, name_of

#: Tasks that await tasks that await …: so many are followed.
LIMIT: Final = 200


class Waiter(NamedTuple):
    """Who gets a task's exception.

    Attributes:
        kind: "frames": the suspended frames in `frames`, innermost first, and after them whoever awaits `task`; "group": the
            same, but what they get is an exception group;
            "outside": the callers of `run_until_complete`; "kept": something keeps it (`gather` that returns exceptions);
            "nobody"; "bystander": is told that the task has ended, and does not look how; "unknown".
        frames: see above.
        task: the task of these frames; for "outside" the future that `run_until_complete` waits for.
    """

    kind: str
    frames: tuple[FrameType, ...] = ()
    task: Any = None


NOBODY: Final = Waiter("nobody")
_UNKNOWN: Final = Waiter("unknown")
_OUTSIDE: Final = Waiter("outside")
_KEPT: Final = Waiter("kept")
_BYSTANDER: Final = Waiter("bystander")

#: Programs keep their running tasks in these, and have them taken out by a method of theirs that is called back.
_CONTAINERS: Final = (set, list, dict, deque)


def task_of(callee: FrameType) -> Any:
    """Return the asyncio task whose outermost frame this is, or None.

    Nothing of the debuggee runs: asyncio is asked only if it is loaded already.
    """
    if not callee.f_code.co_flags & (COROUTINE | ITERABLE_COROUTINE):
        return None
    asyncio = sys.modules.get("asyncio.tasks")
    events = sys.modules.get("asyncio.events")
    if asyncio is None or events is None:
        return None
    loop = events._get_running_loop()
    task = asyncio.current_task(loop) if loop is not None else None
    if task is None or not _is_plain_task(task):
        return None
    return task if _frame_of(task.get_coro()) is callee else None


def waiter_of(task: Any) -> Waiter:
    """Return who gets the exception of a task that is about to end with one."""
    answers = [answer for answer in map(_waiter_behind, _callbacks_of(task)) if answer is not _BYSTANDER]
    for answer in answers:
        if answer.kind in ("frames", "group"):
            return answer
        if answer.kind == "outside":
            return answer if answer.task is not None else answer._replace(task=task)
    return answers[0] if answers else NOBODY


def is_run_until_complete(frame: FrameType, task: Any) -> bool:
    """Tell whether this frame of the event loop runs until the task is done, and raises what it raised."""
    return frame.f_code.co_name == "run_until_complete" and Scope.of_frame(frame).local("future") is task


def _is_plain_task(task: Any) -> bool:
    """Tell whether these are asyncio's own methods, so that calling them runs nothing of the debuggee."""
    module, _ = name_of(type(task))
    return module in ("_asyncio", "asyncio.tasks", "asyncio.futures")


def _callbacks_of(future: Any) -> Iterator[object]:
    if not _is_plain_task(future) and not name_of(type(future))[1] == "_GatheringFuture":
        yield None
        return
    for callback, _ in future._callbacks or ():
        yield callback


def _waiter_behind(callback: object) -> Waiter:
    if type(callback) is BuiltinMethodType or type(callback) is MethodType:
        return _behind_method(callback)
    if type(callback) is functools.partial:
        # 3.11's wait_for: the waiter is the future that wait_for awaits.
        is_release = name_of(callback.func) == ("asyncio.tasks", "_release_waiter")
        return _waiter_of_future(callback.args[0]) if is_release and callback.args else _UNKNOWN
    if type(callback) is FunctionType:
        return _behind_function(callback)
    return _UNKNOWN


def _behind_method(callback: Any) -> Waiter:
    owner = callback.__self__
    if type(callback) is MethodType:
        module, qualname = name_of(callback.__func__)
        if (module, qualname) == ("asyncio.taskgroups", "TaskGroup._on_task_done"):
            return _behind_group(owner)
        name = qualname.rpartition(".")[2]
    else:
        if is_any(type(owner), *_CONTAINERS):
            return _BYSTANDER
        name = callback.__name__
    if _is_plain_task(owner) and name in ("wakeup", "TaskWakeupMethWrapper", "task_wakeup", "__wakeup"):
        return Waiter("frames", tuple(_suspended_frames(owner)), owner)
    return _UNKNOWN


def _behind_group(group: Any) -> Waiter:
    """Return who gets the exceptions of an `asyncio.TaskGroup`: the frame with its `async with`, and those around it.

    Where that frame is still in the body, the handlers in the body are taken for handlers of the group too: then the stop may come late.
    """
    parent = dict_of_instance(group).get("_parent_task")
    if parent is None or not _is_plain_task(parent):
        return _UNKNOWN
    if parent.done():
        return NOBODY
    frames = _suspended_frames(parent)
    for index, frame in enumerate(frames):
        if frame.f_code.co_qualname == "TaskGroup.__aexit__" and Scope.of_frame(frame).local("self") is group:
            return Waiter("group", tuple(frames[index + 1 :]), parent)
    return Waiter("group", tuple(frames), parent)


def _behind_function(callback: FunctionType) -> Waiter:
    name = callback.__code__.co_name
    module = callback.__globals__.get("__name__")
    if module == "asyncio.base_events" and name == "_run_until_complete_cb":
        return _OUTSIDE
    if module == "asyncio.streams" and name == "callback":
        return NOBODY  # of a handler of connections: it hands the exception to the event loop, which logs it
    if module != "asyncio.tasks":
        return _UNKNOWN
    variables = _cells(callback)
    if name == "_done_callback":  # gather
        if variables.get("return_exceptions"):
            return _KEPT
        return _waiter_of_future(variables.get("outer"))
    if name == "_inner_done_callback":  # shield
        return _waiter_of_future(variables.get("outer"))
    return _UNKNOWN


def _waiter_of_future(future: Any) -> Waiter:
    return _UNKNOWN if future is None else waiter_of(future)


def _cells(function: FunctionType) -> dict[str, Any]:
    found = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            found[name] = cell.cell_contents
        except ValueError:  # an empty cell
            continue
    return found


def _suspended_frames(task: Any) -> list[FrameType]:
    """Return the suspended frames of a task, innermost first."""
    frames: list[FrameType] = []
    awaitable = task.get_coro()
    while awaitable is not None and len(frames) < LIMIT:
        frame = _frame_of(awaitable)
        if frame is None:
            break
        frames.append(frame)
        awaitable = _awaited_by(awaitable)
    frames.reverse()
    return frames


#: Attributes of what a task can run or await: its frame, and what that awaits itself.
_ATTRIBUTES: Final = {
    ("builtins", "coroutine"): ("cr_frame", "cr_await"),
    ("builtins", "generator"): ("gi_frame", "gi_yieldfrom"),
    ("builtins", "async_generator"): ("ag_frame", "ag_await"),
}


def _frame_of(awaitable: Any) -> FrameType | None:
    names = _ATTRIBUTES.get(name_of(type(awaitable)))
    frame = getattr(awaitable, names[0]) if names is not None else None
    return frame if type(frame) is FrameType else None


def _awaited_by(awaitable: Any) -> Any:
    return getattr(awaitable, _ATTRIBUTES[name_of(type(awaitable))][1])
