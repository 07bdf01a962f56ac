"""What the window shows of a stop: the stack's rows, the tree of variables, the ways with their reasons, the texts. No terminal."""

from __future__ import annotations

import collections
import datetime
import enum
import io
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fixcont.bytecode import interpreter
from fixcont.continuing.ways import Way
from fixcont.errors import Refusal, Refused
from fixcont.session import active
from fixcont.stopping.stop import Stop
from fixcont_ui.prompt import Prompt
from fixcont_ui.source_file import Fault, SourceFile
from fixcont_ui.values.looks import look, own_look
from fixcont_ui.window.model.desk import Desk, Unfolded, moved
from fixcont_ui.window.model.saving import fault_in, save
from fixcont_ui.window.model.variables import VariableRow, Variables
from support.front_end import live_program, propagate

keeps_loops = pytest.mark.skipif(interpreter.LOOP_KEEPS_INDEX, reason="how far a loop has come can be read in a trap only")


class Loud:
    """An object all of whose code says so when it is run."""

    def __init__(self) -> None:
        self.x = 1
        self.me = self

    def __repr__(self) -> str:
        raise AssertionError("the repr was run")

    def __len__(self) -> int:
        raise AssertionError("the length was asked for")

    def __iter__(self) -> Any:
        raise AssertionError("it was iterated over")

    @property
    def size(self) -> int:
        raise AssertionError("a property was run")

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        raise AssertionError("the class was asked for")


class LoudList(list[Any]):
    __repr__ = Loud.__repr__
    __len__ = Loud.__len__
    __iter__ = Loud.__iter__


class Slots:
    __slots__ = ("a", "b")

    def __init__(self) -> None:
        self.a = [1]


class Color(enum.Enum):
    RED = 1


Point = collections.namedtuple("Point", "x y")


class Text(str):
    __str__ = Loud.__repr__


def recursive() -> list[Any]:
    items: list[Any] = [1]
    items.append(items)
    return items


#: Not parameters themselves: pytest would ask them for their class.
LOOKS: list[tuple[object, str]] = [
    (1, "1"),
    (True, "True"),
    ("a\nb", r"'a\nb'"),
    ("a" * 100, f"{'a' * 40!r}… (100 characters)"),
    (b"x" * 70, f"{b'x' * 40!r}… (70 bytes)"),
    (1 << 5000, "<int of 5001 bits>"),
    ([], "[]"),
    (set(), "set()"),
    ((1,), "(1,)"),
    (list(range(9)), "[0, 1, 2, 3, 4, 5, … 3 more]"),
    ({"a": {"b": {"c": {}}}}, "{'a': {'b': {… 1}}}"),
    (recursive(), "[1, …]"),
    (Loud(), "<Loud x=1, me=…>"),
    (LoudList([1, 2]), "LoudList([1, 2])"),
    ([Loud()], "[<Loud x=1, me=…>]"),
    (Slots(), "<Slots a=[1]>"),
    (Color.RED, "Color.RED"),
    (Point(1, [2]), "Point(x=1, y=[2])"),
    (Text("abc"), "Text('abc')"),
    (collections.Counter("aab"), "Counter({'a': 2, 'b': 1})"),
    (collections.deque([1, 2]), "deque([1, 2])"),
    (datetime.date(2020, 1, 2), "datetime.date(2020, 1, 2)"),
    (ValueError("x", Loud()), "ValueError('x', <Loud x=1, me=…>)"),
    (types.SimpleNamespace(a=1), "<SimpleNamespace a=1>"),
    (types, "<module types>"),
    (Loud, "<class Loud>"),
    (look, "<function look>"),
    (object(), "<object>"),
]


@pytest.mark.parametrize("number", range(len(LOOKS)))
def test_how_values_look_without_running_code_of_the_users(number: int) -> None:
    value, text = LOOKS[number]

    assert look(value) == text


def test_a_look_is_never_long() -> None:
    assert len(look({f"key {number}" * 20: [["x" * 500] * 100] * 100 for number in range(1000)})) <= 240


def test_a_dictionary_in_the_place_of_a_property_is_not_asked_for() -> None:
    class Odd:
        @property
        def __dict__(self) -> dict[str, Any]:  # type: ignore[override]
            raise AssertionError("a property was run")

    assert look(Odd()) == "<Odd>"


def test_what_an_own_repr_raises_is_told() -> None:
    assert own_look(Loud()) == "its repr failed: AssertionError: the repr was run"
    assert own_look("x" * 9000) == f"'{'x' * 3999}… (9002 characters)"


# -- the tree


def shown(rows: list[VariableRow]) -> list[str]:
    return [
        f"{'  ' * row.depth}{'-' if row.is_open else '+' if row.is_expandable else ' '} {row.name} = {row.look}" for row in rows
    ]


@pytest.fixture
def assigned() -> dict[str, Any]:
    return {}


def tree(names: dict[str, Any], others: dict[str, Any] | None, assigned: dict[str, Any]) -> Variables:
    return Variables(names, others, assigned.__setitem__)


def test_only_what_is_unfolded_is_shown(assigned: dict[str, Any]) -> None:
    variables = tree({"a": [1, {"k": (2,)}], "loud": Loud()}, {"g": 1, "__name__": "m"}, assigned)

    assert shown(variables.rows(set())) == ["+ a = [1, {'k': (… 1)}]", "+ loud = <Loud x=1, me=…>", "+ globals = "]
    assert shown(variables.rows({("a",), ("a", 1), ("loud",), ("globals",)})) == [
        "- a = [1, {'k': (… 1)}]",
        "    [0] = 1",
        "  - [1] = {'k': (2,)}",
        "    + ['k'] = (2,)",
        "- loud = <Loud x=1, me=…>",
        "    .x = 1",
        "  + .me = <Loud x=1, me=…>",
        "- globals = ",
        "    g = 1",
    ]


def test_a_long_list_is_unfolded_up_to_a_limit(assigned: dict[str, Any]) -> None:
    rows = tree({"a": list(range(250))}, {}, assigned).rows({("a",)})

    assert [(row.name, row.look) for row in rows[100:103]] == [("[99]", "99"), ("…", "150 more"), ("globals", "")]


def test_recursion_is_unfolded_as_far_as_the_user_goes(assigned: dict[str, Any]) -> None:
    rows = tree({"a": recursive()}, {}, assigned).rows({("a",), ("a", 1), ("a", 1, 1)})

    assert [row.name for row in rows] == ["a", "[0]", "[1]", "[0]", "[1]", "[0]", "[1]", "globals"]


def test_variables_items_and_attributes_get_other_values(assigned: dict[str, Any]) -> None:
    names: dict[str, Any] = {"a": [1, {"k": 2}], "slots": Slots()}
    variables = tree(names, {}, assigned)

    variables.set(("a",), 5)
    variables.set(("a", 0), 6)
    variables.set(("a", 1, 0), 7)
    variables.set(("slots", 0), 8)

    assert assigned == {"a": 5}
    assert names["a"] == [6, {"k": 7}]
    assert names["slots"].a == 8


def test_what_cannot_have_another_value_says_so(assigned: dict[str, Any]) -> None:
    variables = tree({"t": (1,)}, {}, assigned)

    assert variables.rows({("t",)})[1].refusal is not None
    with pytest.raises(Refused) as caught:
        variables.set(("t", 0), 2)
    assert caught.value.refusal.code == "not-assignable"
    with pytest.raises(Refused):
        variables.set(("gone",), 2)


def test_a_module_shows_what_it_works_with_first(assigned: dict[str, Any]) -> None:
    rows = tree({"__name__": "m", "look": look, "types": types, "total": 3}, None, assigned).rows(set())

    assert [row.name for row in rows] == ["total", "look", "types"]


# -- texts


def test_a_file_keeps_its_encoding_and_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "m.py"
    path.write_bytes("# coding: latin-1\r\nx = 'é'\r\n".encode("latin-1"))
    before = SourceFile.read(str(path))

    assert before.text == "# coding: latin-1\nx = 'é'\n"
    after = save(before, before.text + "y = 'ü'\n")
    assert path.read_bytes() == "# coding: latin-1\r\nx = 'é'\r\ny = 'ü'\r\n".encode("latin-1")
    assert after == SourceFile.read(str(path))


def test_a_file_that_somebody_else_has_changed_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "m.py"
    path.write_text("x = 1\n")
    before = SourceFile.read(str(path))
    path.write_text("x = 2\n")

    with pytest.raises(Refused) as caught:
        save(before, "x = 3\n")
    assert caught.value.refusal.code == "file-changed"
    assert path.read_text() == "x = 2\n"


def test_a_character_that_the_encoding_does_not_have_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.py"
    path.write_bytes(b"# coding: latin-1\n")

    with pytest.raises(Refused) as caught:
        save(SourceFile.read(str(path)), "# coding: latin-1\nx = '€'\n")
    assert caught.value.refusal.code == "file-not-written"
    assert path.read_bytes() == b"# coding: latin-1\n"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("x = 1\n", None),
        ("x = 1\ny = (\n", Fault("'(' was never closed", 2, 4, None)),
        (
            "def f():\nreturn 1\n",
            Fault("expected an indented block after function definition on line 1", 2, 0, 6),
        ),
    ],
)
def test_a_fault_is_told_with_its_place(text: str, fault: Fault | None) -> None:
    assert fault_in(SourceFile("m.py", b"", ""), text) == fault


def test_a_line_is_found_again_in_another_text() -> None:
    old = ["a\n", "b\n", "c\n"]

    assert moved(old, ["new\n", *old], 2) == 3
    assert moved(old, ["a\n", "other\n", "c\n"], 2) is None


# -- a stop


PROGRAM = """\
import json


def inner(values, key=None):
    total = sum(values)
    return total / missing(total, key)


def hook(pairs):
    for pair in pairs:
        return inner([1, 2])


def outer():
    return json.loads('{"a": 1}', object_pairs_hook=hook)
"""


def look_at(tmp_path: Path, action: Callable[[Desk, Prompt], None], call: str = "outer", text: str = PROGRAM) -> None:
    """Stop in a program, and do something at the desk of the stop."""
    done: list[bool] = []
    failures: list[BaseException] = []  # raised here: what is raised at a stop is a fault of the front end

    def answer(stop: Stop) -> Way:
        if not done:
            done.append(True)
            session = active()
            assert session is not None
            prompt = Prompt(session, folder="/no/such/folder")
            prompt.look_at(stop, stop.selected)
            prompt.stdout = io.StringIO()
            try:
                action(Desk(prompt, stop, Unfolded()), prompt)
            except BaseException as error:
                failures.append(error)
            finally:
                prompt.look_away()
        return propagate(stop)

    with live_program(tmp_path, text, endless=answer) as live:
        live.attempt(call)
    assert done
    for failure in failures:
        raise failure


def test_the_stack_has_library_frames_in_folds(tmp_path: Path) -> None:
    def action(desk: Desk, prompt: Prompt) -> None:
        view = desk.view()
        rows = [(row.function, row.is_fold, row.is_selected) for row in view.stack]
        assert rows[0] == ("inner", False, True)
        assert rows[1] == ("hook", False, False)
        assert rows[2][0].endswith("library frames") and rows[2][1]
        assert rows[3][0] == "outer"
        fold = view.stack[2].index
        desk.toggle_fold(fold)
        opened = desk.view().stack
        assert [row.function for row in opened[3:5]] == ["JSONDecoder.raw_decode", "JSONDecoder.decode"]
        assert opened[3].marks == "x"
        assert any("not-trapped" in line for line in opened[3].told)
        desk.select(opened[3].index)
        desk.toggle_fold(fold)
        assert [row.function for row in desk.view().stack if row.is_selected] == ["JSONDecoder.raw_decode"]

    look_at(tmp_path, action)


def test_a_frame_that_is_selected_shows_its_source_and_variables(tmp_path: Path) -> None:
    def action(desk: Desk, prompt: Prompt) -> None:
        view = desk.view()
        assert view.title == "NameError: name 'missing' is not defined"
        assert view.where == "inner  program.py:6"
        assert (view.source.line, view.source.span) == (6, (6, 19, 6, 26))
        assert [row.name for row in view.variables] == ["values", "key", "total", "globals"]
        assert view.missing == "def missing(total, key) in program.py"
        desk.select(1)
        view = desk.view()
        assert view.where == "hook  program.py:11"
        assert [row.name for row in view.variables] == ["pairs", "pair", "globals"]
        assert prompt.frame is not None and prompt.frame.function == "hook"

    look_at(tmp_path, action)


def test_library_code_cannot_be_edited(tmp_path: Path) -> None:
    def action(desk: Desk, prompt: Prompt) -> None:
        fold = next(row for row in desk.view().stack if row.is_fold)
        desk.select(fold.index)
        source = desk.view().source
        assert source.refusal is not None and source.refusal.code == "not-yours"
        assert source.disk is not None and "class JSONDecoder" in source.disk.text

    look_at(tmp_path, action)


def ways(desk: Desk) -> dict[str, str]:
    return {way.command.name: way.refusal.code if way.refusal is not None else "" for way in desk.view().ways}


def test_each_way_says_why_it_cannot_be_gone(tmp_path: Path) -> None:
    def action(desk: Desk, prompt: Prompt) -> None:
        found = ways(desk)
        assert {name for name, code in found.items() if not code} == {
            "restartframe", "retry", "resume", "usevalue", "skip", "forcereturn", "throw", "create", "continue", "quit",
        }  # fmt: skip
        assert found["undo"] == "nothing-to-undo"
        assert found["next"] == found["step"] == found["return"] == "nothing-to-step-to"
        fold = next(row for row in desk.view().stack if row.is_fold)
        desk.select(fold.index)
        found = ways(desk)
        assert [found[name] for name in ("restartframe", "retry", "resume", "skip", "forcereturn", "throw")][:5] == [
            "not-trapped"
        ] * 5
        assert found["continue"] == found["quit"] == ""

    look_at(tmp_path, action)


@keeps_loops
def test_a_way_tells_before_where_it_goes_on(tmp_path: Path) -> None:
    def action(desk: Desk, prompt: Prompt) -> None:
        desk.select(1)
        told = {way.command.name: way.told for way in desk.view().ways}
        assert told["retry"][0] == "resume hook at line 11, inside 1 loop"
        assert told["skip"][0] == "resume hook after line 11, inside 1 loop"

    look_at(tmp_path, action)


@keeps_loops
@pytest.mark.parametrize(
    ("index", "expected"), [(0, ("restartframe", "retry")), (1, ("retry", "restartframe"))], ids=["plain", "in a loop"]
)
def test_the_accept_key_does_what_suits_the_frame(index: int, expected: tuple[str, str], tmp_path: Path) -> None:
    def action(desk: Desk, prompt: Prompt) -> None:
        desk.select(index)
        assert desk.view().accept == expected

    look_at(tmp_path, action)


def test_a_variable_of_the_frame_gets_another_value(tmp_path: Path) -> None:
    def action(desk: Desk, prompt: Prompt) -> None:
        assert desk.set(("values", 0), "total * 10") == ""
        assert desk.set(("key",), "'k' + str(values[0])") == ""
        assert desk.set(("key",), "1 / 0") == "ZeroDivisionError: division by zero"
        assert desk.set(("key",), "1 +") == "SyntaxError: invalid syntax"
        assert prompt.value_of("key, values") == ("k30", [30, 2])

    look_at(tmp_path, action)


def test_accepting_saves_and_gives_the_command(tmp_path: Path) -> None:
    def action(desk: Desk, prompt: Prompt) -> None:
        disk = desk.view().source.disk
        assert disk is not None
        fault = desk.accept(disk, disk.text + "(", "retry", "").fault
        assert fault is not None and fault.line == 16
        outcome = desk.accept(disk, disk.text.replace("total / missing(total, key)", "total"), "restartframe", "")
        assert outcome.saved is not None and not outcome.refusal
        assert desk.is_left
        assert "return total\n" in Path(disk.path).read_text()

    look_at(tmp_path, action)


def test_accepting_over_a_changed_file_gives_what_it_says(tmp_path: Path) -> None:
    def action(desk: Desk, prompt: Prompt) -> None:
        disk = desk.view().source.disk
        assert disk is not None
        path = Path(disk.path)
        path.write_text(disk.text + "# theirs\n")
        outcome = desk.accept(disk, disk.text + "# mine\n", "retry", "")
        assert outcome.changed is not None and outcome.changed.text.endswith("# theirs\n")
        assert (outcome.name, outcome.saved, desk.is_left) == ("retry", None, False)
        assert path.read_text().endswith("# theirs\n")
        assert desk.accept(outcome.changed, disk.text + "# mine\n", "", "").saved is not None
        assert path.read_text().endswith("# mine\n")

    look_at(tmp_path, action)


def test_a_frame_that_runs_an_older_text_shows_both(tmp_path: Path) -> None:
    def action(desk: Desk, prompt: Prompt) -> None:
        disk = desk.view().source.disk
        assert disk is not None
        desk.accept(disk, disk.text.replace("import json\n", "import json\nimport sys\n").replace("sum(", "0 + sum("), "", "")
        source = desk.view().source
        assert source.line == 7
        assert source.old == (disk.text, 6)
        row = desk.view().stack[0]
        assert row.is_obsolete and row.marks == "~"
        assert ways(desk)["undo"] == ""

    look_at(tmp_path, action)


def test_a_refusal_is_found_in_what_was_said(tmp_path: Path) -> None:
    def action(desk: Desk, prompt: Prompt) -> None:
        desk.said = said = []
        prompt.stdout = type("Heard", (), {"write": lambda self, text: said.append(text), "flush": lambda self: None})()
        assert desk.line("p 1 / 0") == "*** ZeroDivisionError: division by zero"
        assert desk.line("p total") == ""
        assert desk.command("resume", "2").startswith("refused: ")
        assert not desk.is_left

    look_at(tmp_path, action)


def test_refusals_are_values() -> None:
    assert str(Refusal("a", "b", "c")) == "a: b; c"
