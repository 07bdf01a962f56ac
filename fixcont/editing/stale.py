"""What still runs old code, or was computed by it: frames, suspended generators and coroutines, functions, caches.

Counting must not cost what the search of a large process costs. So it starts from the old code objects themselves: one that is still
alive is held by something, and the collector's own search, a single pass in C, tells by what. Names of holders are looked for
only when somebody asks for the list. None of the debuggee's code runs.
"""

from __future__ import annotations

import enum
import functools
import gc
import sys
import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from types import CodeType, FrameType, FunctionType
from typing import Any, NamedTuple, Protocol

from fixcont.bytecode import original, stubs
from fixcont.editing import suspension
from fixcont.editing.caches import Caches, OldResults, Place
from fixcont.editing.holders import Holder, HolderKind, holders_of, thread_name
from fixcont.editing.restores import Kept
from fixcont.editing.running import current_line, is_in_stub
from fixcont.editing.texts import Kind, kind_of

_FUNCTIONS = (Kind.FUNCTION, Kind.LAMBDA)
#: The collector's search compares each reference with each object that is asked for. With more of them than this, going through all
#: objects by their types is faster: a million of them take it 30 to 55 ms, and the search 10 ms and 1 ms more for each object.
_SEARCHED_FOR = 32
#: Holders are looked for of so many finds at most.
_NAMED = 200


class StaleKind(enum.Enum):
    """What runs old code, or was computed by it."""

    FRAME = "frame"
    GENERATOR = "generator"
    COROUTINE = "coroutine"
    ASYNC_GENERATOR = "async generator"
    FUNCTION = "function"
    CACHE = "cache"
    CACHED_PROPERTY = "cached property"


class Remedy(enum.Enum):
    """What can be done about it."""

    GO_ON = "restart the frame, or go on in it"
    RETURNS = "it ends by itself when it returns"
    RUNS_OUT = "it ends by itself when it is used up"
    REPLACE = "put the newest function in its place"
    TAKE_OUT = "take it out of where it is held"
    CLEAR = "clear the cache"
    DELETE = "delete the attribute of the objects"


class Stale(NamedTuple):
    """One find. Holds none of the debuggee's objects.

    Attributes:
        qualname: of the function whose old code it is.
        version: the one that it runs, or that computed the results.
        newest: the newest one; None where the function is gone.
        filename, line: where it is in the text that it runs; for results where the function is.
        thread: for a frame, the name of its thread.
        place: for a frame of the stop that was asked about, its index there; else None.
        task: the name of the task that a coroutine belongs to; else "".
        holders: where it is held; for a cached property the class of the objects.
        number: of results in a cache, of objects that keep a property's value; else 1.
    """

    kind: StaleKind
    qualname: str
    version: int
    newest: int | None
    filename: str
    line: int
    remedy: Remedy
    thread: str = ""
    place: int | None = None
    task: str = ""
    holders: tuple[Holder, ...] = ()
    number: int = 1


@dataclass(frozen=True)
class StaleCount:
    """How much still runs old code, or was computed by it.

    Attributes:
        tasks: with at least one coroutine that does; those coroutines are not counted again.
        caches: caches and cached properties.
    """

    frames: int = 0
    generators: int = 0
    coroutines: int = 0
    tasks: int = 0
    functions: int = 0
    caches: int = 0

    def __bool__(self) -> bool:
        return self != StaleCount()


class Texts(Protocol):
    """What the search asks about code; `Sources` answers."""

    def version_of(self, code: CodeType) -> int: ...
    def is_obsolete(self, code: CodeType) -> bool: ...
    def newest_version(self, code: CodeType) -> int | None:
        """Give the number of the newest version of a function, None where it is gone."""

    def old_codes(self) -> list[CodeType]:
        """Give all obsolete code objects of functions that are alive."""

    def is_variant(self, code: CodeType) -> bool:
        """Tell whether code was made for one frame to go on in the middle."""


class _Running(NamedTuple):
    """A frame on the stack of a thread.

    Attributes:
        thread: the identifier of the thread.
        is_in_trap: whether the next frame inward is that of a trap.
    """

    frame: FrameType
    thread: int
    is_in_trap: bool


class _Live(NamedTuple):
    """What was found, as objects of the debuggee: to be counted or described, and let go."""

    frames: list[_Running]
    suspended: list[Any]
    functions: list[FunctionType]
    tasks: dict[int, Any]  # id of a coroutine -> the task that it belongs to
    results: list[OldResults]


def count_stale(texts: Texts, caches: Caches, changed: Sequence[tuple[FunctionType, int]]) -> StaleCount:
    """Count what still runs old code after an install, and note what the caches of changed functions hold.

    Parameters:
        changed: the functions that have just got new code, each with the version that it had.
    """
    live = _find(texts, caches, changed)
    tasks = {id(live.tasks[id(each)]) for each in live.suspended if id(each) in live.tasks}
    alone = [type(each) for each in live.suspended if id(each) not in live.tasks]
    coroutines = sum(suspension.is_coroutine_type(each) for each in alone)
    return StaleCount(
        len(live.frames),
        len(alone) - coroutines,
        coroutines,
        len(tasks),
        len(live.functions),
        len(live.results),
    )


def list_stale(texts: Texts, caches: Caches, stop: Sequence[FrameType] = ()) -> list[Stale]:
    """Find and describe everything that still runs old code, with its holders.

    Parameters:
        stop: the live frames of the stop at which it is asked; frames among them can be restarted, or go on.
    """
    live = _find(texts, caches, ())
    held: list[Any] = [each.function for each in live.results if each.place is Place.CACHE]
    held += [*live.suspended, *live.functions][:_NAMED]
    running = [each.frame for each in _running_frames() if _is_looked_at(each.frame, texts)]
    named = {id(each): holders for each, holders in zip(held, holders_of(held, running), strict=True)}
    places = {id(frame): index for index, frame in enumerate(stop)}
    found = [_of_frame(texts, each.frame, each.thread, places) for each in live.frames]
    found.sort(key=lambda each: len(stop) if each.place is None else each.place)
    found += [_of_suspended(texts, each, live.tasks, named.get(id(each), ())) for each in live.suspended]
    found += [_of_function(texts, each, named.get(id(each), ())) for each in live.functions]
    found += [_of_results(texts, each, named) for each in live.results]
    return found


def _find(texts: Texts, caches: Caches, changed: Sequence[tuple[FunctionType, int]]) -> _Live:
    codes = texts.old_codes()
    old = {id(code) for code in codes}
    stacks = _running_frames()
    frames = [each for each in stacks if texts.is_obsolete(each.frame.f_code) and not _has_handed_over(each)]
    suspended, functions, tasks = [], [], {}
    wanted = [*codes, *(function for function, _ in changed)]
    running = {id(each.frame) for each in stacks}
    referrers = _referrers(wanted)
    for each in referrers:
        kind = type(each)
        if kind is FunctionType:
            if id(each.__code__) in old and kind_of(each.__code__) in _FUNCTIONS and not texts.is_variant(each.__code__):
                functions.append(each)
        elif kind in suspension.KINDS and id(suspension.code_of(each)) in old and _waits(each, running):
            suspended.append(each)
    functions = [each for each in functions if not _is_only_kept(each, (functions, referrers))]
    if suspended:
        tasks = suspension.task_members(suspension.all_tasks())
    caches.note(changed, referrers)
    return _Live(frames, suspended, functions, tasks, list(caches.old_results()))


def _is_only_kept(function: FunctionType, ours: tuple[list[Any], ...]) -> bool:
    """Tell whether nothing holds a function any more but what an undo would need."""
    holders = [each for each in gc.get_referrers(function) if not any(each is one for one in ours)]
    return bool(holders) and all(type(each) is Kept for each in holders)


_SOUGHT = frozenset({FunctionType, *suspension.KINDS, functools._lru_cache_wrapper})


def _referrers(wanted: Collection[Any]) -> list[Any]:
    """Give the functions, suspended functions and caches that refer to one of `wanted`; where there are many, others as well."""
    if not wanted:
        return []
    if len(wanted) <= _SEARCHED_FOR:
        return [each for each in gc.get_referrers(*wanted) if type(each) in _SOUGHT]
    objects = gc.get_objects()
    return list(compress(objects, map(_SOUGHT.__contains__, map(type, objects))))


# Frames


def _running_frames() -> list[_Running]:
    """Give the frames of all threads, but for those of this module: a list in a variable of a frame that it holds is a cycle."""
    found: list[_Running] = []
    inner = innermost = frame = None
    try:
        for thread, innermost in sys._current_frames().items():
            inner, frame = None, innermost
            while frame is not None:
                if frame.f_globals is not globals():
                    is_in_trap = inner is not None and inner.f_code.co_name == stubs.HOOK_NAME
                    found.append(_Running(frame, thread, is_in_trap))
                inner, frame = frame, frame.f_back
    finally:
        del inner, innermost, frame
    return found


def _is_looked_at(frame: FrameType, texts: Texts) -> bool:
    return original.is_trapped(frame.f_code) or texts.is_obsolete(frame.f_code)


def _has_handed_over(each: _Running) -> bool:
    """Tell whether a running frame only waits for the activation that it has handed over to."""
    return is_in_stub(each.frame) and not each.is_in_trap


def _waits(each: Any, running: Collection[int]) -> bool:
    """Tell whether a generator or coroutine is suspended, and not for the one that it has handed over to."""
    frame = suspension.frame_of(each)
    return frame is not None and id(frame) not in running and not is_in_stub(frame)


# Descriptions


def _of_frame(texts: Texts, frame: FrameType, thread: int, places: dict[int, int]) -> Stale:
    place = places.get(id(frame))
    remedy = Remedy.RETURNS if place is None else Remedy.GO_ON
    names = {ident: thread_name(each) for ident, each in threading._active.copy().items()}  # type: ignore[attr-defined]
    return _described(
        texts, StaleKind.FRAME, frame.f_code, remedy, current_line(frame), thread=names.get(thread, ""), place=place
    )


def _of_suspended(texts: Texts, each: Any, tasks: dict[int, Any], holders: tuple[Holder, ...]) -> Stale:
    frame, code = suspension.frame_of(each), suspension.code_of(each)
    line = (frame.f_lineno if frame is not None else None) or code.co_firstlineno
    task = suspension.task_name(tasks[id(each)]) if id(each) in tasks else ""
    return _described(texts, StaleKind(suspension.name_of(each)), code, Remedy.RUNS_OUT, line, task=task, holders=holders)


def _of_function(texts: Texts, function: FunctionType, holders: tuple[Holder, ...]) -> Stale:
    code = function.__code__
    remedy = Remedy.TAKE_OUT if texts.newest_version(code) is None else Remedy.REPLACE
    return _described(texts, StaleKind.FUNCTION, code, remedy, code.co_firstlineno, holders=holders)


_RESULTS = {
    Place.CACHE: (StaleKind.CACHE, Remedy.CLEAR),
    Place.PROPERTY: (StaleKind.CACHED_PROPERTY, Remedy.DELETE),
}


def _of_results(texts: Texts, results: OldResults, named: Mapping[int, tuple[Holder, ...]]) -> Stale:
    code = results.function.__code__
    kind, remedy = _RESULTS[results.place]
    if results.place is Place.CACHE:
        holders = named.get(id(results.function), ())
    else:
        holders = (Holder(HolderKind.OBJECT, "", results.owner),)
    found = _described(texts, kind, code, remedy, code.co_firstlineno, holders=holders, number=results.number)
    return found._replace(version=results.version)


def _described(texts: Texts, kind: StaleKind, code: CodeType, remedy: Remedy, line: int, **more: Any) -> Stale:
    version, newest = texts.version_of(code), texts.newest_version(code)
    return Stale(kind, code.co_qualname, version, newest, code.co_filename, line, remedy, **more)
