"""What still runs old code after an install, or was computed by it: what is found, where it is held, and what costs nothing."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
import types
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fixcont.bytecode.original import untrapped
from fixcont.bytecode.traps import trap
from fixcont.continuing.ways import Resume, Way
from fixcont.editing.holders import Holder, HolderKind, holders_of
from fixcont.editing.result import InstallStatus
from fixcont.editing.sources import Sources
from fixcont.editing.stale import Remedy, Stale, StaleCount, StaleKind
from fixcont.stopping.stop import Stop
from support.front_end import LiveProgram, attempt, fix, propagate, restart, run_in_thread

Live = Callable[..., LiveProgram]
WAIT = 20  # seconds until a test fails that waits in vain


class App:
    """A module named "app", loaded with traps through sources of its own."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "app.py"
        self.sources = Sources(trap, untrapped, lambda filename: filename.startswith(str(folder)))
        self.module: Any = types.ModuleType("app")

    def load(self, text: str) -> Any:
        self.path.write_text(text)
        self.module.__file__ = str(self.path)
        sys.modules["app"] = self.module
        self.sources.remember(str(self.path), text.encode(), "app")
        exec(trap(compile(text, str(self.path), "exec", dont_inherit=True)), self.module.__dict__)
        return self.module

    def edit(self, *changes: tuple[str, str]) -> StaleCount:
        text = self.path.read_text()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        self.path.write_text(text)
        result = self.sources.install_changes()
        assert result.status is InstallStatus.INSTALLED, result
        assert result.stale is not None
        return result.stale

    def one(self) -> Stale:
        found = self.sources.stale()
        assert len(found) == 1, found
        return found[0]


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    yield App(tmp_path)
    sys.modules.pop("app", None)


def line_of(app: App, text: str) -> int:
    return next(number for number, line in enumerate(app.path.read_text().splitlines(), 1) if text in line)


# Nothing


def test_nothing_is_stale_where_everything_runs_the_new_code(app: App) -> None:
    module = app.load("def f():\n    return 1\n\ndef g():\n    yield 1\n")
    assert app.sources.stale() == []
    finished = module.g()
    assert list(finished) == [1]
    assert app.edit(("return 1", "return 2"), ("yield 1", "yield 2")) == StaleCount()
    assert not StaleCount() and app.sources.stale() == []


def test_what_only_moved_is_not_stale(app: App) -> None:
    module = app.load("def f():\n    return 1\n\ndef g():\n    yield 1\n    yield 2\n")
    generator = module.g()
    next(generator)
    assert app.edit(("return 1", "# more\n    return 2")) == StaleCount()
    assert app.sources.stale() == []


# Frames


THREADED = """\
import threading
entered, leave = threading.Event(), threading.Event()
def work():
    entered.set()
    leave.wait()
    return 1
"""


def test_a_frame_of_another_thread(app: App) -> None:
    module = app.load(THREADED)
    thread = run_in_thread("worker", module.work)
    assert module.entered.wait(WAIT)
    line = line_of(app, "leave.wait()")
    try:
        assert app.edit(("return 1", "return 2")) == StaleCount(frames=1)
        assert app.one() == Stale(StaleKind.FRAME, "work", 1, 2, str(app.path), line, Remedy.RETURNS, thread="worker")
        assert app.edit(("return 2", "return 3")) == StaleCount(frames=1)
        assert app.one().version == 1 and app.one().newest == 3
    finally:
        module.leave.set()
        thread.join(WAIT)
    assert app.sources.stale() == []


def test_the_failing_frame_and_its_callers(live: Live) -> None:
    seen: list[Any] = []

    def look(stop: Stop) -> Way:
        sources = program.session.sources
        program.program.edit({"1 / 0": "5", "inner() + 1": "inner() + 2"})
        seen.append(sources.install_changes().stale)
        seen.append([(each.qualname, each.line, each.place, each.remedy) for each in sources.stale([f.raw for f in stop.frames])])
        return propagate(stop)

    program = live("def main():\n    return inner() + 1\n\ndef inner():\n    return 1 / 0\n", look)
    program.failure("main")
    assert seen[0] == StaleCount(frames=2)
    assert seen[1] == [("inner", 5, 0, Remedy.GO_ON), ("main", 2, 1, Remedy.GO_ON)]


@pytest.mark.parametrize("way", ["restart", "resume"])
@pytest.mark.parametrize("kind", ["plain", "generator", "coroutine"])
def test_a_frame_that_has_handed_over_does_not_count(live: Live, way: str, kind: str) -> None:
    """The old frame stays below the new one, and only waits for it."""
    seen: list[list[tuple[str, int, bool]]] = []

    def go_on(stop: Stop) -> Way:
        return restart("work")(stop) if way == "restart" else Resume(stop.frames[stop.selected])

    def look() -> None:
        seen.append([(each.kind.value, each.version, each.newest == each.version) for each in program.session.sources.stale()])

    text = {
        "plain": "def work():\n    value = fail(1)\n    look()\n    return value\n\ndef main():\n    return work()\n",
        "generator": (
            "def work():\n    value = fail(1)\n    look()\n    yield value\n    look()\n\n"
            "def main():\n    made = work()\n    first = next(made)\n    look()\n    next(made, None)\n    return first\n"
        ),
        "coroutine": (
            "import types\n@types.coroutine\ndef pause():\n    yield\n\n"
            "async def work():\n    value = fail(1)\n    look()\n    await pause()\n    look()\n    return value\n\n"
            "def main():\n    made = work()\n    made.send(None)\n    look()\n    try: made.send(None)\n"
            "    except StopIteration as end: return end.value\n"
        ),
    }[kind]
    program = live(
        "def fail(x):\n    return x\n\n" + text.replace("fail(1)", "fail(1) / 0"), fix({"fail(1) / 0": "fail(7)"}, go_on)
    )
    program.names["look"] = look
    assert program.call("main") == 7
    assert len(seen) == (1 if kind == "plain" else 3) and not any(seen), seen


def test_an_activation_that_took_over_and_is_old_again(live: Live) -> None:
    seen: list[Any] = []

    def edit_and_look() -> None:
        program.program.edit({"return 7": "return 8"})
        seen.append(program.session.sources.install_changes().stale)
        seen.append([(each.kind, each.qualname, each.version, each.newest) for each in program.session.sources.stale()])

    program = live(
        "def work():\n    x = 1 / 0\n    look()\n    return 7\n\ndef main():\n    return work()\n",
        fix({"1 / 0": "1"}, lambda stop: Resume(stop.frames[stop.selected])),
    )
    program.names["look"] = edit_and_look
    assert program.call("main") == 7
    assert seen == [StaleCount(frames=1), [(StaleKind.FRAME, "work", 2, 3)]]


# Suspended generators, coroutines, tasks


ROWS = "def rows():\n    yield 1\n    yield 2\n\nclass Reader:\n    pass\n\nreaders = {}\n"


def test_a_generator_in_a_module(app: App) -> None:
    module = app.load(ROWS)
    module.readers["first"] = module.rows()
    next(module.readers["first"])
    assert app.edit(("yield 2", "yield 20")) == StaleCount(generators=1)
    assert app.one() == Stale(
        StaleKind.GENERATOR, "rows", 1, 2, str(app.path), 2, Remedy.RUNS_OUT,
        holders=(Holder(HolderKind.MODULE, "app.readers['first']"),),
    )  # fmt: skip
    assert list(module.readers["first"]) == [2]
    assert app.sources.stale() == []


def test_a_generator_that_has_not_begun(app: App) -> None:
    module = app.load(ROWS)
    module.readers["first"] = module.rows()
    assert app.edit(("yield 2", "yield 20")) == StaleCount(generators=1)
    assert app.one().line == 1


@pytest.mark.parametrize(
    ("put", "path"),
    [
        (lambda module, value: setattr(module, "found", value), "app.found"),
        (lambda module, value: setattr(module, "found", [0, (value,)]), "app.found[1][0]"),
        (lambda module, value: setattr(module.Reader, "rows", value), "app.Reader.rows"),
        (lambda module, value: setattr(module, "found", {("a", 1): value}), "app.found[('a', 1)]"),
        (lambda module, value: setattr(module, "found", {value}), "app.found{…}"),
    ],
    ids=["name", "list", "class", "tuple key", "set"],
)
def test_where_it_is_held(app: App, put: Callable[[Any, Any], None], path: str) -> None:
    module = app.load(ROWS)
    put(module, module.rows())
    app.edit(("yield 2", "yield 20"))
    assert [each.path for each in app.one().holders] == [path]


def test_an_attribute_of_an_object(app: App) -> None:
    module = app.load(ROWS + "class Slotted:\n    __slots__ = ('source',)\n")
    for cls, path in ((module.Reader, "app.made.source"), (module.Slotted, "app.made.source")):
        module.made = cls()
        module.made.source = module.rows()
        app.edit(("yield 2", "yield 20") if cls is module.Reader else ("yield 20", "yield 200"))
        assert app.one().holders == (Holder(HolderKind.MODULE, path),)


def test_what_nobody_names(app: App) -> None:
    module = app.load(ROWS)
    lone = iter([module.rows()])
    app.edit(("yield 2", "yield 20"))
    assert app.one().holders == ()
    next(lone)


SUSPENDED = """\
import types
@types.coroutine
def pause():
    yield

def numbers():
    yield 1
    yield 2

def doubled():
    source = numbers()
    for each in source:
        yield 2 * each

async def inner():
    await pause()
    return 1

async def outer():
    return await inner()
"""


def test_a_variable_of_a_suspended_generator(app: App) -> None:
    module = app.load(SUSPENDED)
    module.kept = module.doubled()
    next(module.kept)
    app.edit(("yield 2\n", "yield 20\n"))
    found = app.one()
    assert found.qualname == "numbers"
    assert found.holders == (Holder(HolderKind.SUSPENDED, "source", "doubled", line_of(app, "yield 2 * each")),)


def test_a_coroutine_that_another_one_waits_for(app: App) -> None:
    module = app.load(SUSPENDED)
    module.kept = module.outer()
    module.kept.send(None)
    assert app.edit(("return 1", "return 2")) == StaleCount(coroutines=1)
    found = app.one()
    assert (found.kind, found.qualname, found.task) == (StaleKind.COROUTINE, "inner", "")
    assert found.holders == (Holder(HolderKind.SUSPENDED, "", "outer", line_of(app, "return await inner()")),)
    module.kept.close()


RUNNING_VARIABLE = """\
def rows():
    yield 1
    yield 2

def main(look):
    items = rows()
    next(items)
    look()
    return list(items)
"""


def test_a_variable_of_a_running_frame(app: App) -> None:
    module = app.load(RUNNING_VARIABLE)
    seen: list[Stale] = []

    def look() -> None:
        app.edit(("yield 2", "yield 20"))
        seen.extend(app.sources.stale())

    assert module.main(look) == [2]
    assert [each.holders for each in seen] == [(Holder(HolderKind.VARIABLE, "items", "main", 8),)]


TASKS = """\
import asyncio

async def fetch(gate):
    await gate.wait()
    return 1

async def client(gate):
    return await fetch(gate)

async def stream(gate):
    yield 0
    await gate.wait()
    yield 1

async def reader(gate):
    return [each async for each in stream(gate)]

async def main(look):
    gate = asyncio.Event()
    tasks = [asyncio.create_task(client(gate), name=f"client {number}") for number in range(2)]
    tasks.append(asyncio.create_task(reader(gate), name="reader"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    look()
    gate.set()
    return await asyncio.gather(*tasks)
"""


def test_tasks_by_name(app: App) -> None:
    module = app.load(TASKS)
    counts: list[StaleCount] = []
    seen: list[Stale] = []

    def look() -> None:
        counts.append(app.edit(("return 1", "return 2"), ("return await fetch(gate)", "return 1 * await fetch(gate)")))
        seen.extend(app.sources.stale())

    assert asyncio.run(module.main(look)) == [1, 1, [0, 1]]
    assert counts == [StaleCount(tasks=2)]
    assert sorted((each.kind.value, each.qualname, each.task) for each in seen) == [
        ("coroutine", "client", "client 0"), ("coroutine", "client", "client 1"),
        ("coroutine", "fetch", "client 0"), ("coroutine", "fetch", "client 1"),
    ]  # fmt: skip


def test_an_async_generator_of_a_task(app: App) -> None:
    module = app.load(TASKS)
    seen: list[Any] = []

    def look() -> None:
        seen.append(app.edit(("    yield 1\n", "    yield 2\n")))
        seen.extend(app.sources.stale())

    assert asyncio.run(module.main(look)) == [1, 1, [0, 1]]
    assert seen[0] == StaleCount(tasks=1)
    assert [(each.kind, each.qualname, each.task) for each in seen[1:]] == [(StaleKind.ASYNC_GENERATOR, "stream", "reader")]


# Functions


def test_a_removed_function_that_is_held(app: App) -> None:
    module = app.load("def old():\n    return 1\n\ndef kept():\n    return old()\n\nhandlers = {'x': old}\n")
    other: Any = types.ModuleType("other")
    sys.modules["other"] = other
    other.__dict__["imported"] = module.old
    try:
        assert app.edit(("def old():\n    return 1\n\n", ""), ("return old()", "return 2"), ("{'x': old}", "{}")) == StaleCount(
            functions=1
        )
        found = app.one()
    finally:
        del sys.modules["other"]
    assert (found.kind, found.qualname, found.version, found.newest, found.line) == (StaleKind.FUNCTION, "old", 1, None, 1)
    assert found.remedy is Remedy.TAKE_OUT
    assert [each.path for each in found.holders] == ["other.imported"]
    del other.imported
    assert [each.path for each in app.one().holders] == ["app.handlers['x']"]
    module.handlers.clear()
    assert app.sources.stale() == []


REGISTRIES = """\
import functools

@functools.singledispatch
def show(value):
    return "something"

@show.register
def show_number(value: int):
    return "number"

def scale(x, by):
    return x * by

double = functools.partial(scale, by=2)

class Button:
    def __init__(self, handler):
        self.handler = handler

def decorate(function):
    def wrapper(*args):
        return function(*args)
    return wrapper
"""


def test_a_singledispatch_registry_and_a_partial(app: App) -> None:
    app.load(REGISTRIES)
    app.edit((REGISTRIES[REGISTRIES.index("@show.register") : REGISTRIES.index("class Button")], ""))
    paths = {each.qualname: [holder.path for holder in each.holders] for each in app.sources.stale()}
    assert paths == {"show_number": ["app.show.registry[int]"], "scale": ["app.double.func"]}


def test_what_a_closure_has_captured(app: App) -> None:
    module = app.load(REGISTRIES + "\ndef gone():\n    return 1\n")
    wrapped = module.decorate(module.gone)
    app.edit(("\ndef gone():\n    return 1\n", ""))
    assert app.one().holders == (Holder(HolderKind.CLOSURE, "function", "decorate.<locals>.wrapper"),)
    assert wrapped() == 1


def test_a_bound_method_of_an_object_that_nobody_names(app: App) -> None:
    module = app.load(REGISTRIES + "\ndef gone():\n    return 1\n")
    buttons = iter([module.Button(module.gone)])
    app.edit(("\ndef gone():\n    return 1\n", ""))
    assert app.one().holders == (Holder(HolderKind.OBJECT, ".handler", "app.Button"),)
    assert next(buttons).handler() == 1


def test_a_function_that_an_old_frame_makes_after_the_install(app: App) -> None:
    module = app.load("def outer():\n    yield\n    def inner():\n        return 1\n    yield inner\n")
    frame = module.outer()
    next(frame)
    app.edit(("return 1", "return 2"))
    module.made = next(frame)
    found = [each for each in app.sources.stale() if each.kind is StaleKind.FUNCTION]
    assert [(each.qualname, each.version, each.newest, each.remedy) for each in found] == [
        ("outer.<locals>.inner", 1, 2, Remedy.REPLACE)
    ]
    assert [(each.kind, each.path) for each in found[0].holders] == [
        (HolderKind.MODULE, "app.made"),
        (HolderKind.SUSPENDED, "inner"),
    ]


def test_the_target_of_a_thread(app: App) -> None:
    module = app.load(THREADED + "\ndef start():\n    work()\n")
    thread = threading.Thread(target=module.start, name="worker")
    app.edit(("\ndef start():\n    work()\n", ""))
    module.thread = thread
    assert app.one().holders == (Holder(HolderKind.THREAD, "worker"),)


# Values that old code computed


CACHES = """\
import functools

@functools.lru_cache
def price(item):
    return len(item)

class Shop:
    @functools.cached_property
    def rent(self):
        return 1

    @functools.cache
    def tax(self):
        return 1

class Corner(Shop):
    pass
"""


def test_a_cache(app: App) -> None:
    module = app.load(CACHES)
    assert [module.price(item) for item in ("nail", "saw", "nail")] == [4, 3, 4]
    assert app.edit(("len(item)", "2 * len(item)")) == StaleCount(caches=1)
    found = app.one()
    assert (found.kind, found.qualname, found.version, found.newest, found.number) == (StaleKind.CACHE, "price", 1, 2, 2)
    assert found.remedy is Remedy.CLEAR
    assert module.price("rope") == 8 and module.price("nail") == 4
    assert app.one().number == 2
    module.price.cache_clear()
    assert app.sources.stale() == []
    assert module.price("nail") == 8
    assert app.sources.stale() == []


def test_an_empty_cache_and_an_unchanged_function(app: App) -> None:
    module = app.load(CACHES)
    Corner = module.Corner()
    assert module.Shop.tax(Corner) == 1
    assert app.edit(("len(item)", "2 * len(item)")) == StaleCount()


def test_a_cached_method(app: App) -> None:
    module = app.load(CACHES)
    module.Shop().tax()
    assert app.edit(("def tax(self):\n        return 1", "def tax(self):\n        return 2")) == StaleCount(caches=1)
    assert [each.path for each in app.one().holders] == ["app.Shop.tax"]


def test_cached_properties(app: App) -> None:
    module = app.load(CACHES)
    shops = [module.Shop(), module.Corner(), module.Shop()]
    assert [shop.rent for shop in shops[:2]] == [1, 1]
    assert app.edit(("def rent(self):\n        return 1", "def rent(self):\n        return 900")) == StaleCount(caches=1)
    found = app.one()
    assert (found.kind, found.qualname, found.number, found.remedy) == (StaleKind.CACHED_PROPERTY, "Shop.rent", 2, Remedy.DELETE)
    assert found.version == 1 and found.newest == 2
    del shops[0].rent
    assert shops[0].rent == 900
    assert app.one().number == 1 and app.one().holders[0].owner == "app.Corner"
    del shops[1]
    gc.collect()
    assert app.sources.stale() == []


# Care


HOSTILE = """\
class Meta(type):
    def __getattribute__(cls, name):
        raise SystemExit(name)

class Hostile(metaclass=Meta):
    def __getattribute__(self, name):
        raise SystemExit(name)
    def __eq__(self, other):
        raise SystemExit("==")
    def __hash__(self):
        return 1
    def __len__(self):
        raise SystemExit("len")
    def __iter__(self):
        raise SystemExit("iter")
    def __repr__(self):
        raise SystemExit("repr")

class HostileList(list, Hostile):
    pass

class HostileDict(dict, Hostile):
    pass

def rows():
    yield 1
    yield 2
"""


def test_no_code_of_the_program_runs(app: App) -> None:
    module = app.load(HOSTILE)
    generator = module.rows()
    hostile = module.Hostile()
    object.__setattr__(hostile, "source", generator)
    module.first = hostile
    values = module.HostileList()
    list.append(values, generator)
    module.second = values
    mapping = module.HostileDict()
    dict.__setitem__(mapping, module.Hostile(), generator)
    module.third = mapping
    app.edit(("yield 2", "yield 20"))
    assert sorted(each.path for each in app.one().holders) == ["app.first.source", "app.second[0]", "app.third[…]"]


def test_nothing_is_kept_alive(app: App) -> None:
    module = app.load(CACHES + ROWS)
    shop, generator = module.Shop(), module.rows()
    assert shop.rent == 1 and module.price("saw") == 3
    app.edit(
        ("yield 2", "yield 20"), ("return 1\n\n    @functools.cache", "return 2\n\n    @functools.cache"), ("len(item)", "1")
    )
    assert {each.kind for each in app.sources.stale()} == {StaleKind.GENERATOR, StaleKind.CACHE, StaleKind.CACHED_PROPERTY}
    references = [weakref.ref(shop), weakref.ref(generator), weakref.ref(generator.gi_code), weakref.ref(module.price)]
    gc.disable()
    try:
        del shop, generator, module.price
        assert [reference() for reference in references] == [None] * 4
    finally:
        gc.enable()
    assert app.sources.stale() == []


def test_variables_of_running_frames_are_not_kept_alive(app: App) -> None:
    module = app.load(
        "import weakref\nclass Thing:\n    pass\n\ndef rows():\n    yield 1\n    yield 2\n\n"
        "def main(look):\n    thing, items = Thing(), rows()\n    look()\n    known = weakref.ref(thing)\n    del thing\n    return known()\n"
    )

    def look() -> None:
        app.edit(("yield 2", "yield 20"))
        assert app.one().holders == (Holder(HolderKind.VARIABLE, "items", "main", line_of(app, "look()")),)

    assert module.main(look) is None


def test_the_holders_of_many_objects_at_once() -> None:
    targets = [object() for _ in range(3)]
    module = types.ModuleType("held")
    module.__dict__["values"] = targets[:2]
    sys.modules["held"] = module
    try:
        found = holders_of(targets, [])
    finally:
        del sys.modules["held"]
    assert [[each.path for each in holders] for holders in found] == [["held.values[0]"], ["held.values[1]"], []]


def test_many_obsolete_functions_are_counted_all_the_same(app: App) -> None:
    functions = "".join(f"def f{number}():\n    return {number}\n" for number in range(60))
    module = app.load("x = 1\n" + functions + "def g():\n    yield 1\n    yield 2\n")
    generator = module.g()
    next(generator)
    module.held = [getattr(module, f"f{number}") for number in range(60)]
    assert app.edit((functions, ""), ("yield 2", "yield 3")) == StaleCount(functions=60, generators=1)
    assert len(app.sources.stale()) == 61
    assert list(generator) == [2]


def test_a_program_without_asyncio_does_not_get_it(app: App) -> None:
    hidden = {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] == "asyncio"}
    try:
        module = app.load(SUSPENDED)
        module.kept = module.outer()
        module.kept.send(None)
        assert app.edit(("return 1", "return 2")) == StaleCount(coroutines=1)
        assert len(app.sources.stale()) == 1
        assert "asyncio" not in sys.modules
        module.kept.close()
    finally:
        sys.modules.update(hidden)


def test_an_exception_that_a_program_handles_does_not_matter(live: Live) -> None:
    program = live("def f():\n    try:\n        1 / 0\n    except ZeroDivisionError:\n        look()\n    return 1\n")
    seen: list[Any] = []

    def look() -> None:
        program.program.edit({"return 1": "return 2"})
        seen.append(program.session.sources.install_changes().stale)
        seen.extend(each.line for each in program.session.sources.stale())

    program.names["look"] = look
    assert attempt(program.names["f"]).value == 1
    assert seen == [StaleCount(frames=1), 5]
