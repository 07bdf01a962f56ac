"""Values of old code that a program keeps: in `functools.lru_cache` and `cache`, in attributes of `functools.cached_property`, and
default values that an install could not evaluate anew.

What a cache holds does not say which code computed it. So when a function gets new code, it is noted what its caches hold at that time.
Nothing is kept alive by that.
"""

from __future__ import annotations

import enum
import functools
import gc
import weakref
from collections.abc import Iterable, Iterator
from types import FunctionType
from typing import Any, NamedTuple

from fixcont.editing.functions import class_namespace, find_class, with_subclasses
from fixcont.editing.holders import class_path, instance_dict

_LruCache: Any = functools._lru_cache_wrapper
#: Of so many objects at most it is noted that they keep the value of one property.
_NOTED = 10_000


class Place(enum.Enum):
    """Where values are kept."""

    CACHE = "cache"
    PROPERTY = "property"


class OldResults(NamedTuple):
    """What is kept of an older version of one function.

    Attributes:
        function: whose results they are.
        version: the version that computed them, or the last of several.
        owner: for a property, the class of one of the objects; else "".
        number: of results, for a property of objects.
    """

    place: Place
    function: FunctionType
    version: int
    owner: str
    number: int


class _Noted(NamedTuple):
    """What a cache held: enough to tell later how much of it is there still.

    Attributes:
        hits, misses: of the cache; both only grow, until it is cleared.
    """

    function: weakref.ref[FunctionType]
    cache: weakref.ref[Any]
    version: int
    hits: int
    misses: int
    number: int


class _NotedProperty(NamedTuple):
    function: weakref.ref[FunctionType]
    name: str
    version: int
    objects: list[tuple[weakref.ref[Any], int]]  # object, id of the value that it kept


class Caches:
    """Notes of what functions that got new code keep of their older versions."""

    def __init__(self) -> None:
        self._caches: list[_Noted] = []
        self._properties: list[_NotedProperty] = []

    def note(self, changed: Iterable[tuple[FunctionType, int]], referrers: Iterable[object]) -> None:
        """Note what the caches of functions hold that have just got new code.

        Parameters:
            changed: the functions, each with the version that it had.
            referrers: what refers to one of them, and other objects.
        """
        versions = {id(function): (function, version) for function, version in changed}
        for each in referrers:
            if type(each) is _LruCache:
                for function in gc.get_referents(each):
                    if id(function) in versions:
                        self._note_cache(each, *versions[id(function)])
        for function, version in versions.values():
            self._note_property(function, version)

    def _note_cache(self, cache: Any, function: FunctionType, version: int) -> None:
        hits, misses, _, count = _info(cache)
        if count:
            self._caches = [each for each in self._caches if each.cache() not in (cache, None)]
            self._caches.append(_Noted(weakref.ref(function), weakref.ref(cache), version, hits, misses, count))

    def _note_property(self, function: FunctionType, version: int) -> None:
        owner, _, name = function.__qualname__.rpartition(".")
        cls = find_class(function.__globals__, owner) if owner else None
        prop: Any = class_namespace(cls).get(name) if cls is not None else None
        if cls is None or type(prop) is not functools.cached_property or prop.func is not function:
            return
        objects = []
        for each in _instances(cls):
            attributes = _with_key(each, name)
            if attributes is not None:
                try:
                    objects.append((weakref.ref(each), id(attributes[name])))
                except TypeError:  # a class that allows no references of that kind
                    continue
            if len(objects) == _NOTED:
                break
        if objects:
            self._properties = [each for each in self._properties if each.function() not in (function, None)]
            self._properties.append(_NotedProperty(weakref.ref(function), name, version, objects))

    def old_results(self) -> Iterator[OldResults]:
        """Give what is there still."""
        for noted in self._caches:
            function, cache = noted.function(), noted.cache()
            if function is not None and cache is not None:
                left = _left(noted, cache)
                if left:
                    yield OldResults(Place.CACHE, function, noted.version, "", left)
        for prop in self._properties:
            function = prop.function()
            still = [_still_holds(reference, value, prop.name) for reference, value in prop.objects]
            holding = [each for each in still if each is not None]
            if function is not None and holding:
                yield OldResults(Place.PROPERTY, function, prop.version, class_path(type(holding[0])), len(holding))


def _info(cache: Any) -> tuple[int, int, int | None, int]:
    """Give hits, misses, the greatest and the present number of results."""
    hits, misses, maximum, number = _LruCache.cache_info(cache)
    return hits, misses, maximum, number


def _left(noted: _Noted, cache: Any) -> int:
    """Tell how many of the noted results a cache may hold still."""
    hits, misses, _, count = _info(cache)
    if hits < noted.hits or misses < noted.misses:
        return 0  # it was cleared
    return max(0, min(noted.number, count - (misses - noted.misses)))


def _still_holds(reference: weakref.ref[Any], value: int, name: str) -> Any:
    instance = reference()
    attributes = _with_key(instance, name) if instance is not None else None
    return instance if attributes is not None and id(attributes[name]) == value else None


def _instances(cls: type) -> Iterator[Any]:
    """Give the objects of a class and its subclasses: each refers to its class."""
    classes = with_subclasses([cls])
    wanted = {id(each) for each in classes}
    instances: list[Any] = gc.get_referrers(*classes)
    for each in instances:
        if id(type(each)) in wanted:
            yield each


def _with_key(instance: Any, name: str) -> dict[str, Any] | None:
    """Give the attributes of an object where they have `name`."""
    attributes = instance_dict(instance)
    return attributes if attributes is not None and name in attributes else None
