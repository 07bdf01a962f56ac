"""Functions of all kinds, each of which fails once and can be repaired."""

import asyncio
import functools
import socket
from dataclasses import dataclass


@dataclass
class Part:
    name: str
    weight: float


class Empty(Exception):
    pass


class Shelf:
    factor = 2

    def __init__(self, label, parts=()):
        self.label = label
        self.parts = list(parts)
        self.width = 100 / len(self.parts)  # @init

    def heaviest(self, *extra, unit="kg"):
        parts = sorted(self.parts, key=lambda part: part.weight)
        return f"{parts[-1].name}{extra} {parts[-1].weight / self.scale(unit)}"  # @heaviest

    def scale(self, unit):
        return {"kg": 1.0, "g": 0.0}[unit]

    @classmethod
    def doubled(cls, number):
        return cls.factor * number.value  # @doubled

    @staticmethod
    def label_of(code):
        return {"a": "A"}[code]  # @label_of

    @property
    def total(self):
        return sum(part.weight for part in self.parts) / self.missing  # @total


def counted(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args) + 1

    return wrapper


@counted
def count(words):
    words = words.split(",")
    return len(words) / 0  # @count


def each_half(numbers):
    for number in numbers:
        yield 100 // number  # @each_half


async def fetch(key, *, table):
    await asyncio.sleep(0)
    return table[key]  # @fetch


def first(parts):
    return parts[0]  # @first


def connected(link, number):
    return 1 / number  # @connected


def make_link():
    return [{"link": socket.socket()}]


def hurry(number):
    return 1 / number  # @hurry


def taken(queue):
    item = queue.pop()
    return item / len(queue)  # @taken
