"""Generators, coroutines and tasks that are suspended: their code, their frames, who waits for whom."""

from __future__ import annotations

import gc
import sys
import weakref
from collections.abc import Iterable, Iterator
from types import AsyncGeneratorType, CodeType, CoroutineType, FrameType, GeneratorType
from typing import Any, Final

from fixcont.editing.functions import module_namespace, with_subclasses

#: The prefix of the attributes, by type.
_PREFIX: Final[dict[type, str]] = {GeneratorType: "gi", CoroutineType: "cr", AsyncGeneratorType: "ag"}
_AWAITED: Final[dict[type, str]] = {GeneratorType: "gi_yieldfrom", CoroutineType: "cr_await", AsyncGeneratorType: "ag_await"}
_NAME: Final[dict[type, str]] = {
    GeneratorType: "generator",
    CoroutineType: "coroutine",
    AsyncGeneratorType: "async generator",
}
KINDS: Final = frozenset(_PREFIX)
#: What `await` puts between a coroutine and what it waits for: objects of the interpreter that show nothing of themselves.
_BETWEEN: Final = frozenset({"coroutine_wrapper", "async_generator_asend", "async_generator_athrow", "anext_awaitable"})

_class_name: Any = vars(type)["__name__"]


def code_of(each: Any) -> CodeType:
    """Give the code of a generator, coroutine or async generator."""
    code: CodeType = getattr(each, _PREFIX[type(each)] + "_code")
    return code


def frame_of(each: Any) -> FrameType | None:
    """Give its frame, None where it has ended."""
    frame: FrameType | None = getattr(each, _PREFIX[type(each)] + "_frame")
    return frame


def is_coroutine_type(kind: type) -> bool:
    """Tell whether it is the type of coroutines."""
    return kind is CoroutineType


def name_of(each: Any) -> str:
    """Tell what it is, in words."""
    return _NAME[type(each)]


def awaited_by(each: Any) -> Iterator[Any]:
    """Give the generators and coroutines that one waits for, each the next one's consumer."""
    while type(each) in KINDS:
        each = getattr(each, _AWAITED[type(each)])
        if _class_name.__get__(type(each)) in _BETWEEN:
            each = next((inner for inner in gc.get_referents(each) if type(inner) in KINDS), None)
        if type(each) in KINDS:
            yield each


def task_types() -> list[type]:
    """Give the types of asyncio's tasks, without subclasses; none where asyncio is not loaded."""
    namespace = _tasks_namespace()
    return [namespace[name] for name in ("Task", "_PyTask") if issubclass(type(namespace.get(name)), type)]


def is_task(each: object) -> bool:
    """Tell whether an object is a task of asyncio."""
    return any(issubclass(type(each), cls) for cls in task_types())


def task_name(task: Any) -> str:
    """Give the name of a task, past what its class overrides."""
    base = next(cls for cls in task_types() if issubclass(type(task), cls))
    name = base.get_name(task)  # type: ignore[attr-defined]
    return name if type(name) is str else ""


def task_members(tasks: Iterable[Any]) -> dict[int, Any]:
    """Give, by the id of each coroutine that a task runs or waits for by way of others, the task."""
    found: dict[int, Any] = {}
    for task in tasks:
        base = next(cls for cls in task_types() if issubclass(type(task), cls))
        coroutine = base.get_coro(task)  # type: ignore[attr-defined]
        if type(coroutine) in KINDS:
            for each in (coroutine, *awaited_by(coroutine)):
                found[id(each)] = task
    return found


def all_tasks() -> list[Any]:
    """Give asyncio's tasks that are alive: those that it keeps in sets of its own, and those that the collector finds by their type."""
    types = with_subclasses(task_types())
    if not types:
        return []
    found = {id(task): task for task in _registered_tasks()}
    instances: list[Any] = gc.get_referrers(*types)
    found.update({id(each): each for each in instances if any(type(each) is cls for cls in types)})
    return list(found.values())


def _registered_tasks() -> list[Any]:
    namespace, found = _tasks_namespace(), {}
    for name in ("_all_tasks", "_scheduled_tasks", "_eager_tasks"):
        known: Any = namespace.get(name)
        kept = vars(known).get("data") if type(known) is weakref.WeakSet else known
        references = list(kept) if type(kept) is set else []
        for each in references:
            task = each() if issubclass(type(each), weakref.ref) else each
            if task is not None and is_task(task):
                found[id(task)] = task
    return list(found.values())


def _tasks_namespace() -> dict[str, Any]:
    return module_namespace(sys.modules.get("asyncio.tasks")) or {}
