"""Installs two texts of a module in turns, a thousand times or as often as is said, and says as JSON what that has left in memory.

Run with the folder to work in, and how often. A process of its own: there are few other objects to look through.
"""

from __future__ import annotations

import gc
import json
import sys
import weakref
from pathlib import Path
from types import CodeType, ModuleType

from fixcont.bytecode.original import untrapped
from fixcont.bytecode.traps import trap
from fixcont.editing.result import InstallStatus
from fixcont.editing.sources import Sources

TEXT = """\
LIMIT = {0}


class Counter:
    step = {0}

    def next(self, by={0}):
        return [by + each for each in range({0})], lambda: by


def numbers(first={0}):
    while True:
        yield first, {0}
"""

folder = Path(sys.argv[1])
path = folder / "often.py"
sources = Sources(trap, untrapped, lambda filename: filename == str(path))
old: list[weakref.ref[CodeType]] = []


def load() -> ModuleType:
    path.write_text(TEXT.format(0))
    module = ModuleType("often")
    module.__file__ = str(path)
    sys.modules["often"] = module
    sources.remember(str(path), path.read_bytes(), "often")
    exec(trap(compile(path.read_bytes(), str(path), "exec")), module.__dict__)
    return module


module = load()


def install(times: int) -> int:
    """Install so many times, and return how many blocks of memory are in use then."""
    for number in range(1, times + 1):
        old.append(weakref.ref(module.Counter.next.__code__))
        path.write_text(TEXT.format(number % 2))
        assert sources.install_changes().status is InstallStatus.INSTALLED
        assert next(module.numbers()) == (number % 2, number % 2)
    gc.collect()
    left = sum(each() is not None for each in old)
    assert left == 0, f"{left} old code objects are alive"  # @old
    old.clear()
    return sys.getallocatedblocks()


suspended = module.numbers()
next(suspended)
first = weakref.ref(module.numbers.__code__)
install(60)
before = install(60)
noted = len(sources._registry)
after = install(int(sys.argv[2]))
noted = len(sources._registry) - noted
is_kept = first() is suspended.gi_code
text = sources.text_of(suspended.gi_code)
suspended.close()
del suspended
print(
    json.dumps(
        {
            "blocks": after - before,
            "noted": noted,
            "suspended code is kept": is_kept,
            "its text is known": text == TEXT.format(0).splitlines(keepends=True),
            "it is freed at the end": first() is None,
        }
    )
)
