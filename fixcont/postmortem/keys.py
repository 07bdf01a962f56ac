"""Bounds of what the keys of sets and dictionaries of a file may cost: a file can be made so that hashing or comparing them never ends.

Three things are looked at: how large a key is, counted as often as it would be gone through (tuples that share parts grow with each level);
how many keys of one container have the same hash; and, as keys may also be made to meet in other ways, the time.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from fixcont.postmortem.shapes import BadShape

_UNIT: Final = 64  # bytes that are hashed about as fast as a small key
_LARGEST: Final = 1_000_000  # units of one key
_IN_ALL: Final = 20_000_000
_FEW: Final = 1_000  # keys that need no look
_ALIKE: Final = 100  # keys of one container with the same hash
_SECONDS: Final = 20.0  # of the processor, for putting keys into large containers


class Keys:
    """Counts what the keys of a file cost. Its methods raise `BadShape` where that is too much."""

    def __init__(self) -> None:
        self._weights: dict[int, int] = {}  # id of a tuple or frozenset, which is kept alive elsewhere -> its units
        self._left = _IN_ALL
        self._seconds = _SECONDS

    def check(self, key: Any) -> None:
        """See that a key may be hashed."""
        kind = type(key)
        if kind is str and len(key) < _UNIT:
            self._left -= 1
        else:
            weight = self._weight(key)
            if weight > _LARGEST:
                raise BadShape("one of its keys is too large")
            self._left -= weight
        if self._left < 0:
            raise BadShape("its keys are too large")

    def _weight(self, key: Any) -> int:
        base = tuple if isinstance(key, tuple) else frozenset if isinstance(key, frozenset) else None
        if base is None:
            return 1 + _size(key) // _UNIT
        known = self._weights.get(id(key))
        if known is None:
            inside: Iterator[Any] = base.__iter__(key)
            known = self._weights[id(key)] = 1 + sum(map(self._weight, inside))
        return known

    def apart(self, keys: list[Any]) -> Iterator[Any]:
        """Give the keys of a container, one by one, as they are put into it."""
        if len(keys) <= _FEW:
            yield from keys
            return
        if Counter(map(hash, keys)).most_common(1)[0][1] > _ALIKE:
            raise BadShape("keys of one of its values are made to be alike")
        begin = time.process_time()
        for number, key in enumerate(keys):
            if number % _FEW == 0 and time.process_time() - begin > self._seconds:
                raise BadShape("keys of its values take too long to be told apart")
            yield key
        self._seconds -= time.process_time() - begin


def _size(key: Any) -> int:
    """Give about how many bytes are gone through for a key that is not made of others."""
    for base in (int, str, bytes):
        if isinstance(key, base):
            return base.__sizeof__(key)
    kind = type(key)
    if (kind.__module__, kind.__name__) == ("fractions", "Fraction"):
        return int(key.numerator.bit_length() + key.denominator.bit_length()) // 8
    return sys.getsizeof(key) if kind.__module__ == "decimal" else 0
