"""Values of a saved stop as values of the present program, the holes in them, and which files and statements are taken for the program."""

from __future__ import annotations

import ast
import collections
import dataclasses
import datetime
import decimal
import enum
import importlib
import itertools
import logging
import os
import pathlib
import re
import threading
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import fixcont
from fixcont.bytecode import interpreter
from fixcont.bytecode.spans import unit_with
from fixcont.errors import Refused
from fixcont.postmortem.dead_frames import dead_frame
from fixcont.postmortem.filling import Filling
from fixcont.postmortem.holes import HoleUsed, NotSaved, SavedException, find_holes
from fixcont.postmortem.locating import locate
from fixcont.postmortem.main_module import pruned, what_runs
from fixcont.postmortem.opening import open_stop
from fixcont.postmortem.reading import read
from fixcont.postmortem.reviving import NotFound, Reviver
from fixcont.postmortem.standins import Hole, SavedMethod


class Point:
    __slots__ = ("x", "y")

    def __init__(self, x: Any, y: Any) -> None:
        self.x = x
        self.y = y

    def __hash__(self) -> int:
        return hash((self.x, self.y))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Point) and (self.x, self.y) == (other.x, other.y)


@dataclasses.dataclass(frozen=True)
class Key:
    names: frozenset[str]
    point: Point


Pair = collections.namedtuple("Pair", "left right")


class Right(enum.Flag):
    READ = 1
    WRITE = 2


class Level(enum.IntEnum):
    LOW = 1


class Word(enum.StrEnum):
    YES = "yes"


class Bag(dict[str, Any]):
    extra: Any

    def __init__(self) -> None:
        raise AssertionError("__init__ is not called")


class Stack(list[Any]):
    top: Any

    def size(self) -> int:
        return len(self)


class Money(float): ...


class Failure(ValueError):
    def __init__(self, text: str, *, code: int) -> None:
        super().__init__(text)
        self.code = code


@dataclasses.dataclass(frozen=True)
class Sealed(Exception):
    code: Any


class Parted(Failure): ...


class Row:
    """Of a linked list."""

    next: Any
    lock: Any


class Odd:
    """A key that does not say what it is."""

    def __hash__(self) -> int:
        raise HoleUsed("asked for its hash")


class Guarded:
    @property
    def value(self) -> int:
        raise AssertionError("properties are not run")

    def __setattr__(self, name: str, value: Any) -> None:
        raise AssertionError("attributes are not set by the class")

    @classmethod
    def make(cls) -> Guarded:
        made = cls()
        made.__dict__["plain"] = [1]
        return made


def double(n: int) -> int:
    return 2 * n


def saved(path: Path, **variables: Any) -> dict[str, Any]:
    """Give what variables are in an opened stop."""

    def fail(**kept: Any) -> None:
        raise RuntimeError

    try:
        fail(**variables)
    except RuntimeError as error:
        fixcont.save(error, path / "a.stop")
    found: dict[str, Any] = open_stop(read(str(path / "a.stop"))).stop.frames[0].raw.f_locals["kept"]
    return found


def revived(path: Path, **variables: Any) -> tuple[dict[str, Any], Reviver]:
    reviver = Reviver(importlib.import_module)
    return reviver.value(saved(path, **variables)), reviver


def test_values_are_of_the_present_classes_and_equal(tmp_path: Path) -> None:
    stack = Stack([1, [2]])
    stack.top = stack
    counts = collections.defaultdict(list, {"k": [1]})
    key = Key(frozenset("ab"), Point(1, 2))
    given = {
        "slots": {Point(1, (2, 3)): "p"}, "key": {key: {key}}, "pair": Pair(1, [Point(0, 0)]), "right": Right.READ | Right.WRITE, "level": Level.LOW,
        "word": Word.YES, "counts": counts, "money": Money(-0.0), "when": datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC),
        "price": decimal.Decimal("1.10"), "place": pathlib.PurePosixPath("/a/b"), "pattern": re.compile("a+"), "function": double, "cls": Pair,
        "module": re, "builtin": len, "logger": logging.getLogger("test.reviving"), "span": slice(1, None),
    }  # fmt: skip
    found, _ = revived(tmp_path, stack=stack, **given)

    for name, value in given.items():
        assert (found[name], type(found[name])) == (value, type(value)), name
    assert found["stack"].top is found["stack"] and type(found["stack"]) is Stack and list(found["stack"])[:2] == [1, [2]]
    assert found["counts"]["new"] == []
    assert str(found["money"]) == "-0.0"
    assert found["function"] is double and found["logger"] is given["logger"] and found["cls"] is Pair


def test_no_code_of_the_classes_makes_objects(tmp_path: Path) -> None:
    bag = dict.__new__(Bag)
    dict.update(bag, a=1)
    bag.extra = bag
    found, _ = revived(tmp_path, bag=bag, guarded=Guarded.make(), bound=Stack([1, 2]).size, error=Failure("no", code=7))

    assert type(found["bag"]) is Bag and found["bag"] == {"a": 1} and found["bag"].extra is found["bag"]
    assert type(found["guarded"]) is Guarded and vars(found["guarded"]) == {"plain": [1]}
    assert found["bound"]() == 2
    error = found["error"]
    assert type(error) is Failure and error.args == ("no",) and error.code == 7


def test_what_cannot_be_made_is_a_hole_with_a_name(tmp_path: Path) -> None:
    class Local: ...

    lock = threading.Lock()
    pair = Pair(lock, [1])
    with open(tmp_path / "log", "w", encoding="utf-8") as log:
        found, reviver = revived(tmp_path, log=log)
    assert [each.path for each in find_holes(found, reviver.is_made)] == ["log"]
    found, reviver = revived(
        tmp_path, lock=lock, pair=pair, rows=[{"handle": (lock, 1)}], local=Local(), inner=lambda: 1, many=list(range(1100)), ids=set(range(1100))
    )  # fmt: skip
    holes = {each.path: each.hole for each in find_holes(found, reviver.is_made)}

    assert list(holes) == ["lock", "local", "inner", "many[1000:]", "ids[...]"]
    assert "was made inside of a function" in repr(holes["local"])
    assert found["pair"].left is found["rows"][0]["handle"][0] is holes["lock"]
    with pytest.raises(HoleUsed, match=r"^lock is not there"):
        found["lock"].acquire()
    uses: list[Callable[[Any], object]] = [
        len,
        bool,
        str,
        iter,
        lambda x: x + 1,
        lambda x: x == x,
        lambda x: x["a"],
        lambda x: x(),
    ]
    for use in uses:
        with pytest.raises(HoleUsed):
            use(found["lock"])


def test_a_hole_is_filled_wherever_it_stands(tmp_path: Path) -> None:
    lock = threading.Lock()
    shared = [1, lock]
    rows = list(range(1005))
    found, reviver = revived(
        tmp_path, pair=Pair(lock, shared), keyed={lock: "a", "b": shared}, names=frozenset([lock]), slots=Point(lock, (lock,)), rows=rows
    )  # fmt: skip
    holes = find_holes(found, reviver.is_made)
    assert [each.path for each in holes] == ["pair.left", "rows[1000:]"]

    changed = Filling(holes[0].hole, "L", reviver.is_made, reviver.note_made).everywhere([found])[0]
    found |= changed
    found |= Filling(holes[1].hole, range(1000, 1005), reviver.is_made, reviver.note_made).everywhere([found])[0]
    assert found == {
        "pair": Pair("L", [1, "L"]),
        "keyed": {"L": "a", "b": [1, "L"]},
        "names": {"L"},
        "slots": Point("L", ("L",)),
        "rows": rows,
    }
    assert found["pair"].right is found["keyed"]["b"]
    assert list(found["keyed"]) == ["L", "b"]
    assert not find_holes(found, reviver.is_made)


def filled(variables: dict[str, Any], hole: NotSaved, value: Any) -> dict[str, Any]:
    """Fill a hole into variables of which everything counts as made."""
    return variables | Filling(hole, value, lambda each: True, lambda each: None).everywhere([variables])[0]


def test_what_cannot_be_filled_in_changes_nothing() -> None:
    hole = NotSaved(Hole("failed", "Lock"))
    row = Row()
    row.lock = hole
    plain, ordered = {"x": 1, hole: 5, "y": 2}, collections.OrderedDict([("x", hole), (hole, 5)])
    variables: dict[str, Any] = {
        "list": [hole],
        "row": row,
        "plain": plain,
        "ordered": ordered,
        "set": {1, hole, 2},
        "deque": collections.deque([hole], 1),
    }
    variables |= {"error": Sealed(hole), "tuple": (hole,), "frozen": [frozenset([1])]}
    for value, said in (
        ([], "unhashable type: 'list'"),
        (Odd(), "HoleUsed: asked for its hash"),
        ("x", "it equals what is there already"),
    ):
        with pytest.raises(ValueError, match=said):
            filled(variables, hole, value)
        assert list(plain.items()) == [("x", 1), (hole, 5), ("y", 2)] and plain is variables["plain"]
        assert [each is hole for each in (row.lock, variables["list"][0], variables["tuple"][0], variables["error"].code)] == [
            True
        ] * 4
        assert list(ordered.items()) == [("x", hole), (hole, 5)] and len(variables["set"]) == 3
        assert variables["error"].args[0] is hole and variables["deque"][0] is hole

    found = filled(variables, hole, "L")
    assert (found["plain"], found["ordered"], found["set"]) == ({"x": 1, "L": 5, "y": 2}, {"x": "L", "L": 5}, {1, 2, "L"})
    assert list(found["plain"]) == ["x", "L", "y"] and list(found["ordered"].items()) == [("x", "L"), ("L", 5)]
    assert (found["row"].lock, found["list"], found["tuple"], found["deque"][0]) == ("L", ["L"], ("L",), "L")
    assert found["error"].code == "L" and found["error"].args == ("L",)


def test_missing_items_are_filled_into_an_ordered_dictionary_and_not_over_the_end_of_a_deque() -> None:
    more = NotSaved(Hole("items", size=2))
    ordered = collections.OrderedDict([("a", 1), (more, more)])
    filled({"ordered": ordered}, more, iter([("b", 2), ("c", 3)]))
    assert list(ordered.items()) == [("a", 1), ("b", 2), ("c", 3)] and list(reversed(ordered)) == ["c", "b", "a"]

    last = collections.deque([1, more], 2)
    with pytest.raises(ValueError, match="the deque holds 2 items at most, not 3"):
        filled({"last": last}, more, [2, 3])
    assert last[1] is more


def test_a_hole_is_filled_however_deep_it_lies() -> None:
    hole = NotSaved(Hole("failed", "Lock"))
    first = row = Row()
    inner: Any = hole
    bound: Any = hole
    for _ in range(3000):
        row.next = Row()
        row = row.next
        inner = [inner]
        bound = types.MethodType(double, bound)
    row.lock = hole
    found = filled({"first": first, "inner": inner, "bound": bound}, hole, 7)

    assert row.lock == 7
    for _ in range(3000):
        inner, found["bound"] = inner[0], found["bound"].__self__
    assert inner == 7 and found["bound"] == 7


def test_a_key_is_found_by_the_hash_that_it_has_once_it_is_filled() -> None:
    hole = NotSaved(Hole("failed", "Lock"))
    point = Point(1, hole)
    counts = {"a": 1, point: 2}
    filled({"counts": counts, "point": point}, hole, 5)

    assert counts[Point(1, 5)] == 2 and list(counts) == ["a", point]


def test_what_the_user_has_put_there_is_kept(tmp_path: Path) -> None:
    standins = saved(tmp_path, slots=Point(1, [2]), other=5)
    standins["slots"].x = "changed"
    mine = object()
    standins["other"] = mine
    found = Reviver(importlib.import_module).value(standins)

    assert found["slots"] == Point("changed", [2]) and found["other"] is mine


def test_what_is_gone_from_the_program_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    low = Level.LOW
    monkeypatch.delitem(globals(), "Level")  # as where the stop is opened: the class is not loaded
    standins = saved(tmp_path, point=Point(1, 2), level=low)
    here = types.ModuleType(__name__)
    vars(here)["Level"] = enum.IntEnum("Level", {"HIGH": 3})

    def find(name: str) -> types.ModuleType:
        if name == __name__:
            return here
        raise NotFound("no")

    found = Reviver(find).value(standins)
    assert f"{__name__} has no Point" in repr(found["point"])
    assert type(found["level"]) is NotSaved and "has no member 'LOW' here" in repr(found["level"])


def test_a_slot_that_is_gone_is_told(tmp_path: Path) -> None:
    standins = saved(tmp_path, point=Point(1, 2))
    here = types.ModuleType(__name__)
    here.Point = type("Point", (), {"__slots__": ("x",)})  # type: ignore[attr-defined]
    reviver = Reviver(lambda name: here)

    assert reviver.value(standins)["point"].x == 1
    assert list(reviver.notes) == ["Point has no place for the saved attribute y any more"]


# -- exceptions


def opened_chain(path: Path, *errors: BaseException) -> list[BaseException]:
    """Save exceptions, each of which led to the next, and give those of the opened stop."""
    for before, error in itertools.pairwise(errors):
        BaseException.__dict__["__cause__"].__set__(error, before)  # as `raise` does
    try:
        raise errors[-1]
    except BaseException as error:
        fixcont.save(error, path / "a.stop")
    return list(open_stop(read(str(path / "a.stop"))).exceptions)


def test_an_exception_that_lets_nothing_be_assigned_is_revived_with_its_links(tmp_path: Path) -> None:
    *_, last = opened_chain(tmp_path, Sealed(1), Sealed(2))
    found = Reviver(importlib.import_module).exception(last)

    assert (type(found), found.args, vars(found)) == (Sealed, (2,), {"code": 2})
    assert found.__cause__ == Sealed(1) and found.__suppress_context__


def test_an_exception_whose_class_is_gone_is_a_neutral_one_and_a_hole(tmp_path: Path) -> None:
    class Local(KeyError):
        def __str__(self) -> str:
            return f"no {self.args[0]} anywhere"

    class Several(ExceptionGroup[Exception]): ...

    errors = [Local("plum"), Several("two", [ValueError(1), Local("fig")]), Failure("no", code=7)]
    local, several, last = opened_chain(tmp_path, *errors)
    reviver = Reviver(importlib.import_module)
    found = reviver.exception(last)

    assert type(found) is Failure
    group, cause = found.__cause__, reviver.value(local)
    assert isinstance(group, SavedException) and isinstance(group, ExceptionGroup) and group is reviver.exception(several)
    assert [type(each).__name__ for each in group.exceptions] == ["ValueError", "Local"] and group.__cause__ is cause
    assert isinstance(cause, SavedException) and isinstance(cause, KeyError)
    assert (str(cause), cause.args, type(cause).__name__) == ("no plum anywhere", ("plum",), "Local")
    assert [each.partition(" stands")[0].rpartition(".")[2] for each in sorted(reviver.notes)] == ["Local", "Several"]

    here = {"error": cause, "inside": [cause]}
    (hole,) = find_holes(here, reviver.is_made)
    assert hole.path == "error" and "was made inside of a function" in repr(hole.hole)
    changed = Filling(hole.hole, LookupError("x"), reviver.is_made, reviver.note_made).everywhere([here])[0]
    assert type(changed["error"]) is LookupError and here["inside"] == [changed["error"]]


def test_an_exception_whose_class_is_no_exception_any_more_is_neutral(tmp_path: Path) -> None:
    (last,) = opened_chain(tmp_path, Parted("no", code=7))
    here = types.ModuleType(__name__)
    vars(here)["Parted"] = enum.Enum("Parted", {"NO": 1})
    reviver = Reviver(lambda name: here)
    found = reviver.exception(last)

    assert isinstance(found, SavedException) and isinstance(found, ValueError) and found is reviver.exception(last)
    assert vars(found)["code"] == 7


def test_methods_of_methods_end(tmp_path: Path) -> None:
    own, first = SavedMethod(), SavedMethod()
    own.__func__, own.__self__ = double, own
    last = first
    for _ in range(3000):
        last.__func__, last.__self__ = double, SavedMethod()
        last = last.__self__
    last.__func__, last.__self__ = double, 1
    around = SavedMethod()
    around.__func__, around.__self__ = double, (around,)
    reviver = Reviver(importlib.import_module)

    for each in (own, first, around):
        found = reviver.value({"bound": each})
        assert "too deep" in repr(found["bound"]) and find_holes(found, reviver.is_made)
    short = SavedMethod()
    short.__func__, short.__self__ = double, 4
    assert reviver.value(short)() == 8


# -- files


def test_a_file_is_found_by_as_much_of_its_name_as_fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "shop/orders.py",
        "other/shop/orders.py",
        "orders.py",
        "src/pkg/__init__.py",
        "run/app/__init__.py",
        "run/app/__main__.py",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    monkeypatch.chdir(tmp_path)

    def found(saved: str, module: str, *roots: str) -> str:
        return os.path.relpath(locate(saved, module, roots).path or "none")

    assert found("/home/me/projects/shop/orders.py", "shop.orders") == "shop/orders.py"
    assert found("/home/me/other/shop/orders.py", "shop.orders") == "other/shop/orders.py"
    assert found(r"C:\work\shop\orders.py", "shop.orders") == "shop/orders.py"
    assert found("/home/me/projects/shop/orders.py", "shop.orders", "other") == "other/shop/orders.py"
    assert found("/x/pkg/__init__.py", "pkg") == "src/pkg/__init__.py"
    assert found("/x/billing/orders.py", "billing.orders") == "none"  # the one of that name is of another package
    assert found(str(tmp_path / "orders.py"), "orders") == "orders.py"
    assert locate("/home/me/shop/orders.py", "shop.orders", ["other"]).folder == str(tmp_path / "other")
    assert locate("/x/pkg/__init__.py", "pkg", []).folder == str(tmp_path / "src")
    assert locate("/x/run/app/__main__.py", "__main__", []).package == "app"
    refusal = locate("/x/billing/orders.py", "billing.orders", []).refusal
    assert refusal is not None and refusal.code == "file-not-here"


# -- the main module

SCRIPT = "import sys\nx = 1\ndef f():\n    pass\nfor n in sys.argv:\n    f()\nclass C: ...\nprint(x)\n"


def kept(source: str, before: tuple[str, int] | None) -> list[str]:
    return ast.unparse(pruned("a.py", source.encode(), before).tree).replace("\n    pass", "").splitlines()


def test_the_program_is_left_out_of_the_main_module() -> None:
    guarded = 'import sys\nx = 1\nif __name__ == "__main__":\n    print(x)\n'
    assert kept(guarded, None) == ["import sys", "x = 1"]
    assert kept(guarded.replace('__name__ == "__main__"', '"__main__" == __name__ and x'), (guarded, 4)) == [
        "import sys",
        "x = 1",
    ]
    assert [each for each in kept(SCRIPT, (SCRIPT, 6)) if each.strip()] == [
        "import sys",
        "x = 1",
        "def f():",
        "class C:",
        "    ...",
    ]
    edited = SCRIPT.replace("x = 1", "x = 2\ny = 3").replace("for n in sys.argv", "for n in sys.argv[1:]")
    assert [each for each in kept(edited, (SCRIPT, 6)) if each.strip()][:4] == ["import sys", "x = 2", "y = 3", "def f():"]
    with pytest.raises(Refused, match=r"^script-runs: loading a\.py may run the whole program, by its line 5"):
        kept(SCRIPT, None)


F = "def f():\n    pass\n"


@pytest.mark.parametrize(
    ("program", "line", "is_kept"),
    [
        ('if __name__ == "__main__":\n    f()\n', None, ""),
        ('if not __name__ != "__main__" and x:\n    f()\n', None, ""),
        ('if __name__ in {"__main__", "__mp_main__"}:\n    f()\n', None, ""),
        ('if __name__ != "__main__":\n    x = 1\nelse:\n    f()\n', None, ""),
        ('if __name__ != "__main__":\n    f()\n', "line 4: f()", ""),
        ('if __name__ == "__main__" or x:\n    f()\n', "line 4: f()", ""),
        ('if __name__ == "__main__":\n    f()\nelse:\n    f()\n', "line 6: f()", ""),
        ('if __name__.startswith("_"):\n    f()\n', "line 4: f()", None),
        ("try:\n    f()\nexcept ValueError:\n    pass\n", "line 4: f()", None),
        ("x = main()\n", "line 3: x = main()", None),
        ("while x:\n    pass\n", "line 3: while x:", None),
        ("logging.basicConfig()\n", None, None),
        ("if x:\n    raise ImportError\n", None, "if x:\n    raise ImportError"),
    ],
)
def test_what_the_program_is_for_an_import_and_for_a_replay(
    program: str, line: str | None, is_kept: str | None, tmp_path: Path
) -> None:
    """Of an import, the statement that would run the program is told; for a replay it is left out, or refused (None)."""
    path = tmp_path / "a.py"
    path.write_text(F + program)
    assert what_runs(str(path)) == line
    if is_kept is None:
        with pytest.raises(Refused, match=r"^script-runs: "):
            pruned("a.py", path.read_bytes(), None)
    else:
        assert ast.unparse(pruned("a.py", path.read_bytes(), None).tree) == ast.unparse(ast.parse(F + is_kept))


# -- frames


def test_dead_frames_of_all_kinds_of_functions() -> None:
    def outer() -> list[Any]:
        shared = 1

        def plain(a: Any, /, b: Any, *rest: Any, c: Any, **more: Any) -> Any:
            nonlocal shared
            held = lambda: a  # noqa: E731
            shared = b
            return held, rest, c, more

        def generator(a: Any) -> Any:
            yield a, shared

        async def coroutine(a: Any) -> Any:
            return a, shared

        async def both(a: Any) -> Any:
            yield a, shared

        return [plain, generator, coroutine, both]

    variables = {"a": 1, "b": 2, "rest": (3,), "c": 4, "more": {"d": 5}, "shared": 6}
    for function in outer():
        code = function.__code__
        known = {
            name: each for name, each in variables.items() if name in (*code.co_varnames, *code.co_cellvars, *code.co_freevars)
        }
        frame = dead_frame(code, globals(), known)
        assert frame.f_code is code and dict(frame.f_locals) == known
    frame = dead_frame(compile("x = 1", "a.py", "exec"), {"y": 2}, {})
    assert frame.f_locals["y"] == 2 and "x" not in frame.f_locals


def test_parameters_that_were_deleted_are_unbound_or_holes() -> None:
    def outer(free: Any) -> list[Any]:
        def plain(a: Any, b: Any, *rest: Any, c: Any, **more: Any) -> Any:
            del a
            return b, rest, c, more

        def generator(a: Any, b: Any) -> Any:
            del a
            yield b

        def capturing(a: Any, b: Any) -> Any:
            del a
            return lambda: (b, free)

        def captured(a: Any, b: Any) -> Any:
            del a
            return lambda: (a, b, free)  # noqa: F821

        return [plain, generator, capturing, captured]

    for function in outer(1):
        code = function.__code__
        for known in ({"b": 2}, {"b": 2, "c": 3, "rest": (), "more": {}}, {}):
            known = {name: each for name, each in known.items() if name in (*code.co_varnames, *code.co_cellvars)}
            found = dict(dead_frame(code, globals(), known).f_locals)
            unbound = {*code.co_varnames, *code.co_cellvars} - known.keys()
            holes = {name: each for name, each in found.items() if type(each) is NotSaved}
            assert {name: each for name, each in found.items() if name not in holes} == known and holes.keys() <= unbound
            assert [each.path for each in find_holes(found, lambda value: False)] == ([next(iter(holes))] if holes else [])
            if not interpreter.LOCALS_WRITE_THROUGH and not interpreter.SNAPSHOT_UNBINDS:
                assert holes.keys() == unbound - set(code.co_cellvars)
            elif interpreter.SNAPSHOT_UNBINDS or function.__name__ in ("plain", "generator", "captured"):
                assert not holes


def test_the_instruction_of_an_expression() -> None:
    source = "def f(a, b):\n    for x in a.b:\n        c = (a + b) / g(x)\n    return c\n"
    code = next(each for each in compile(source, "a.py", "exec").co_consts if isinstance(each, types.CodeType))

    def name_at(span: tuple[int, int, int, int] | None, line: int) -> str:
        import dis

        return {each.offset: each.opname for each in dis.get_instructions(code)}[2 * unit_with(code, span, line)]

    assert name_at((3, 12, 3, 26), 3) == "BINARY_OP"
    assert name_at((3, 22, 3, 26), 3) == "CALL"
    assert name_at((2, 13, 2, 16), 2) in ("FOR_ITER", "LOAD_ATTR")  # 3.11 has no place for it
    assert name_at(None, 3).startswith(("LOAD_FAST", "BINARY_OP"))
    assert unit_with(code, None, 9) == -1
