"""Average of readings: a generator that is consumed elsewhere."""

import itertools
import os

LINES = ["3.5", "4.5", "n/a", "6.0", "2.0"]


def readings(lines):
    for line in lines:
        yield float(line)  # @fails


def pairs(values):
    yield from itertools.pairwise(values)


def consume(source, seen):
    for before, after in pairs(source):
        seen.append((before, after))
    return seen


print("start", os.getpid())
stream = readings(iter(LINES))
held = stream
seen = []
consume(stream, seen)
print("seen", seen)
print("same", held is stream, next(stream, "exhausted"), "end", os.getpid())
