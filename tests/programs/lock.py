"""A failure inside `with lock:`."""

import os
import threading

lock = threading.Lock()
exits = []


class Noted:
    def __enter__(self):
        return self

    def __exit__(self, kind, value, traceback):
        exits.append(kind.__name__ if kind else None)


def update(table, key):
    with lock, Noted():
        table[key] += 1  # @fails
        return table[key]


print("start", os.getpid())
print("value", update({}, "a"), "locked", lock.locked(), "exits", exits)
