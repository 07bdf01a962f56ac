"""What a depot has, with one price that is not known."""

import asyncio
import dataclasses
import enum
import threading

DISCOUNT = 2


class Kind(enum.Enum):
    TOOL = 1
    PART = 2


class Level(enum.IntEnum):
    LOW = 1


@dataclasses.dataclass(frozen=True)
class Item:
    name: str
    price: float | None
    kind: Kind = Kind.TOOL
    level: Level = Level.LOW


class Depot:
    __slots__ = ("items", "log", "lock", "name")

    def __init__(self, name, items):
        self.name = name
        self.items = items
        self.lock = threading.Lock()
        self.log = (self.lock, [])

    def worth(self, factor):
        total = 0
        for item in self.items:
            total += price_of(item) * factor  # @worth
        return total

    def closed(self):
        with self.lock:
            return self.worth(1)  # @closed


def price_of(item):
    assert isinstance(item.kind, Kind) and isinstance(item.level, Level)
    return item.price / DISCOUNT  # @price


def summing(step):
    total = 10

    def add(n):
        nonlocal total
        total += step
        return total / n  # @add

    return add(0)  # @summing


async def fetch(n):
    await asyncio.sleep(0)
    return 10 / n  # @fetch


async def ask(n):
    return await fetch(n)


def each_share(count, people):
    for number in range(people + 2):
        yield count / (people - number)


def share(count, people):
    count = count - 1
    return count / people  # @share


def ask_for_share():
    return share(5, 0)
