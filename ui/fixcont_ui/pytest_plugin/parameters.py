"""Values of `parametrize` as they were before the test: they exist once for the whole run, so a test that fills or sorts one has spoiled it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

#: So many objects are looked at; where there are more nothing is kept, as copying them before each test would be felt.
_MOST: Final = 20_000

_Restore = Callable[[], object]


def keep(values: Iterable[Any]) -> list[_Restore]:
    """Remember what lists, dicts, sets and bytearrays hold, those inside of each other and of tuples too; no other objects are looked into.

    Runs no code of the user's: subclasses, which may have some, are left alone.

    Returns:
        What puts it back in place, to be called one by one; none where there is too much of it.
    """
    kept: list[_Restore] = []
    seen: set[int] = set()
    waiting = list(values)
    while waiting:
        value = waiting.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        kind = type(value)
        if kind is tuple:
            waiting += value
        elif kind is list:
            kept.append(_restoring_list(value, value.copy()))
            waiting += value
        elif kind is dict:
            kept.append(_restoring(value, value.copy()))
            waiting += value.values()
        elif kind is set:
            kept.append(_restoring(value, value.copy()))
        elif kind is bytearray:
            kept.append(_restoring_list(value, value.copy()))
        if len(waiting) + len(seen) > _MOST:
            return []
    return kept


def _restoring_list(value: Any, before: Any) -> _Restore:
    def restore() -> None:
        value[:] = before

    return restore


def _restoring(value: Any, before: Any) -> _Restore:
    def restore() -> None:
        value.clear()
        value.update(before)

    return restore
