"""What `create` makes of a missing name: what is missing, the names of the parameters, and where the stub goes."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fixcont.continuing.ways import Resume, Way
from fixcont.errors import Refusal, Refused
from fixcont.session import active
from fixcont.stopping.stop import Stop
from fixcont_ui.create_command import missing_at, write_stub
from fixcont_ui.creating.naming import parameters_of
from fixcont_ui.creating.stubs import Kind, Stub, with_stub
from support.front_end import Answer, LiveProgram, live_program, propagate, restart, then
from support.programs import Program
from support.session import DebugSession


class Basket:
    def __init__(self) -> None:
        self.price = 1.5

    @property
    def total(self) -> float:
        raise AssertionError("a property was run")


VARIABLES: dict[str, Any] = {"row": {"cents": 3}, "rows": [Basket()], "basket": Basket(), "self": Basket(), "x": 1, "n": None}


@pytest.mark.parametrize(
    ("call", "parameters"),
    [
        ("f()", ""),
        ("f(total, rate)", "total, rate"),
        ("f(self.price, basket.price)", "price, price2"),
        ('f(row["cents"], row["unit price"])', "cents, unit_price"),
        ("f(get_name(), load_rows(path))", "name, rows"),
        ("f(1, 2.5, 'a', b'', [], {}, None, True)", "number, number2, text, data, items, mapping, value, flag"),
        ("f(lambda: 0, a < b, f'{x}', [a for a in b])", "function, flag, text, items"),
        ("f(len(rows), sum(rows), str(x))", "count, total, text"),
        ("f(rows[0], rows[1:])", "row, rows"),
        ("f(self)", "basket"),
        ("f(x + 1, x * 1.0)", "number, value"),
        ("f(a, currency='EUR', rate=2)", "a, *, currency, rate"),
        ("f(*rows, **row)", "*rows, **row"),
        ("f(a, *rest, key=1)", "a, *rest, key"),
        ("f(list, max)", "cls, function"),
        ("f(MAX_SIZE, Basket())", "max_size, basket"),
        ("f(a, a=1)", "a"),
        ("f(basket.total)", "total"),
    ],
)
def test_parameters_are_named_from_the_arguments(call: str, parameters: str) -> None:
    node = ast.parse(call, mode="eval").body
    assert isinstance(node, ast.Call)
    assert parameters_of(node, (VARIABLES, vars(builtins))) == parameters


def test_a_method_has_its_receiver_first() -> None:
    node = ast.parse("b.f(self, cls)", mode="eval").body
    assert isinstance(node, ast.Call)

    assert parameters_of(node, (VARIABLES,), "self") == "self, basket, value"


# -- where it goes


def function(name: str = "g", user: str = "f", line: int = 1, **more: Any) -> Stub:
    return Stub(Kind.FUNCTION, "m.py", "", name, "a", user, line, **more)


def method(name: str = "g", owner: str = "C") -> Stub:
    return Stub(Kind.METHOD, "m.py", owner, name, "self")


@pytest.mark.parametrize(
    ("before", "stub", "after"),
    [
        pytest.param(
            "import os\n\n\n# of f\n@d\ndef f():\n    g(1)\n",
            function(),
            'import os\n\n\ndef g(a):\n    raise NotImplementedError("g")\n\n\n# of f\n@d\ndef f():\n    g(1)\n',
            id="in front of its user with decorator and comment",
        ),
        pytest.param(
            "def f():\n  g(1)\n",
            function(),
            'def g(a):\n  raise NotImplementedError("g")\n\n\ndef f():\n  g(1)\n',
            id="at the very beginning, in the indentation of the file",
        ),
        pytest.param(
            "x = 1\nif x:\n    g(1)\n",
            function(user="<module>", line=3),
            'x = 1\n\n\ndef g(a):\n    raise NotImplementedError("g")\n\n\nif x:\n    g(1)\n',
            id="in front of the statement of the module",
        ),
        pytest.param(
            "class C:\n    def f(self):\n        def inner():\n            g(1)\n",
            function(user="C.f.<locals>.inner", line=4),
            'def g(a):\n    raise NotImplementedError("g")\n\n\nclass C:\n    def f(self):\n        def inner():\n            g(1)\n',
            id="in front of the class of its user",
        ),
        pytest.param(
            "class C:\n\tdef f(self):\n\t\tpass\n\n\tx = 1\n\ny = 2\n",
            method(),
            'class C:\n\tdef f(self):\n\t\tpass\n\n\tdef g(self):\n\t\traise NotImplementedError("C.g")\n\n\tx = 1\n\ny = 2\n',
            id="behind the last method, with tabs",
        ),
        pytest.param(
            "class C:\n    x = 1",
            method(),
            'class C:\n    x = 1\n\n    def g(self):\n        raise NotImplementedError("C.g")\n',
            id="in a class without methods, at an end without a line end",
        ),
        pytest.param(
            "def make():\n    class C:\n        pass\n    return C\n",
            method(owner="make.<locals>.C"),
            "def make():\n    class C:\n        pass\n\n        def g(self):\n            raise NotImplementedError"
            '("make.<locals>.C.g")\n    return C\n',
            id="in a class of a function",
        ),
        pytest.param(
            "def f():\r\n    g(1)\r\n",
            function(),
            'def g(a):\r\n    raise NotImplementedError("g")\r\n\r\n\r\ndef f():\r\n    g(1)\r\n',
            id="with the line ends of the file",
        ),
        pytest.param(
            "def f():\n    pass\n",
            function(user=""),
            'def f():\n    pass\n\n\ndef g(a):\n    raise NotImplementedError("g")\n',
            id="at the end of another file",
        ),
        pytest.param(
            "def f():\n    raise E(1)\n",
            Stub(Kind.CLASS, "m.py", "", "E", None, "f", 2, "Exception"),
            "class E(Exception):\n    pass\n\n\ndef f():\n    raise E(1)\n",
            id="an exception",
        ),
    ],
)
def test_where_a_stub_goes(before: str, stub: Stub, after: str) -> None:
    text, line = with_stub(before, stub)

    assert text == after
    assert "NotImplementedError" in text.splitlines()[line - 1] or text.splitlines()[line - 1].strip() == "pass"
    ast.parse(text)


@pytest.mark.parametrize(
    ("text", "stub", "code"),
    [
        ("def f(:\n", function(), "syntax-error"),
        ("x = 1\n", method(), "no-class"),
        ("class C: pass\n", method(), "one-line-class"),
    ],
)
def test_what_cannot_be_placed_is_refused(text: str, stub: Stub, code: str) -> None:
    with pytest.raises(Refused) as caught:
        with_stub(text, stub)

    assert caught.value.refusal.code == code


# -- at a stop


def create(stop: Stop) -> Way:
    session = active()
    assert session is not None
    missing = missing_at(session, stop)
    assert not isinstance(missing, Refusal), missing
    write_stub(session, missing)
    assert session.sources.install_changes().installed
    return Resume(missing.retry)


def write_body(old: str, new: str) -> Answer:
    """Save a body in place of a stub's, and restart the stub."""

    def save(stop: Stop) -> Way:
        session = active()
        assert session is not None
        Program(Path(stop.frames[stop.selected].filename)).edit({old: new})
        assert session.sources.install_changes().installed
        return restart()(stop)

    return save


def test_a_function_is_created_written_and_used(tmp_path: Path) -> None:
    text = "def f(price):\n    with_tax = add_tax(price, 0.2)\n    return round(with_tax, 2)\n"
    body = write_body('raise NotImplementedError("add_tax")', "return price * (1 + number)")
    with live_program(tmp_path, text, create, body) as live:
        assert live.call("f", 10) == 12.0
        assert [seen.where for seen in live.saw] == ["f", "add_tax"]
        assert "def add_tax(price, number):\n    return price" in live.program.text


def test_a_method_is_created_in_the_class_of_its_receiver(tmp_path: Path) -> None:
    text = (
        "class Basket:\n    def __init__(self, items):\n        self.items = items\n\n\n"
        "def f():\n    basket = Basket([1, 2])\n    return [basket.total(each, factor=3) for each in basket.items]\n"
    )
    body = write_body('raise NotImplementedError("Basket.total")', "return each * factor")
    with live_program(tmp_path, text, create, body) as live:
        assert live.call("f") == [3, 6]
        assert "    def total(self, each, *, factor):\n        return" in live.program.text


@pytest.mark.parametrize(
    ("use", "expected"),
    [
        ("C().size", "    @property\n    def size(self):\n"),
        ("C.make(1)", "    @classmethod\n    def make(cls, number):\n"),
        ("Shape(2, side=1)", "class Shape:\n    def __init__(self, number, *, side):\n"),
        ("list(map(convert, [1]))", "def convert(*args):\n"),
    ],
)
def test_the_kind_of_stub_is_told_by_the_use(use: str, expected: str, tmp_path: Path) -> None:
    text = f"class C:\n    def method(self):\n        pass\n\n\ndef f():\n    return {use}\n"
    with live_program(tmp_path, text, create, propagate) as live:
        assert isinstance(live.failure("f"), NotImplementedError)
        assert expected in live.program.text


def test_an_awaited_call_makes_a_coroutine_function(tmp_path: Path) -> None:
    text = "import asyncio\n\n\nasync def f():\n    return await fetch('a')\n\n\ndef run():\n    return asyncio.run(f())\n"
    body = write_body('raise NotImplementedError("fetch")', "return text * 2")
    with live_program(tmp_path, text, create, body) as live:
        assert live.call("run") == "aa"
        assert "async def fetch(text):" in live.program.text


def test_a_method_that_is_left_to_subclasses_is_created_in_the_subclass(tmp_path: Path) -> None:
    text = (
        "class Shape:\n    def area(self, scale=1):\n        raise NotImplementedError\n\n\n"
        "class Square(Shape):\n    def __init__(self, side):\n        self.side = side\n\n\n"
        "def f():\n    return Square(3).area()\n"
    )
    body = write_body('raise NotImplementedError("Square.area")', "return self.side ** 2 * scale")
    with live_program(tmp_path, text, create, body) as live:
        assert live.call("f") == 9
        assert "        self.side = side\n\n    def area(self, scale=1):\n        return" in live.program.text


def test_what_a_comprehension_misses_is_tried_again_in_the_function_around_it(tmp_path: Path) -> None:
    text = "def f(prices):\n    return sum(add_tax(price) for price in prices)\n"
    body = write_body('raise NotImplementedError("add_tax")', "return price * 2")
    with live_program(tmp_path, text, create, body) as live:
        assert live.call("f", [1, 2]) == 6
        assert "\n\n\ndef f(prices):" in live.program.text


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("return 1 / 0", "nothing-missing"),
        ("return [].total", "not-yours"),
        ("return 1 + RATE", "not-a-function"),
        ("return 1 + rate", "not-a-function"),
        ("raise NotImplementedError", "exists"),
        ("raise AttributeError('made up')", "nothing-missing"),
        ("del x\n    return x", "nothing-missing"),
        ("import os\n    return os.no_such_function()", "not-yours"),
        ("return C.color", "not-a-function"),
    ],
)
def test_where_nothing_can_be_created_it_says_why(body: str, code: str, tmp_path: Path) -> None:
    refusals: list[Refusal] = []

    def ask(stop: Stop) -> Way:
        session = active()
        assert session is not None
        missing = missing_at(session, stop)
        assert isinstance(missing, Refusal)
        refusals.append(missing)
        return propagate(stop)

    text = f"class C:\n    pass\n\n\ndef f(x=1):\n    {body}\n"
    with live_program(tmp_path, text, ask) as live:
        live.failure("f")
        assert [refusal.code for refusal in refusals] == [code]
        assert live.program.text == text


def test_a_file_that_was_changed_meanwhile_is_left_alone(tmp_path: Path) -> None:
    text = "def f():\n    return g()\n"
    caught: list[str] = []

    def change_and_create(stop: Stop) -> Way:
        session = active()
        assert session is not None
        missing = missing_at(session, stop)
        assert not isinstance(missing, Refusal)
        live.program.edit({"return g()": "return g()  # changed"})
        with pytest.raises(Refused) as refused:
            write_stub(session, missing)
        caught.append(refused.value.refusal.code)
        return propagate(stop)

    live: LiveProgram
    with live_program(tmp_path, text, change_and_create) as live:
        live.failure("f")
        assert caught == ["file-changed"]
        assert live.program.text == "def f():\n    return g()  # changed\n"


def test_nothing_of_the_users_is_run_to_find_out(tmp_path: Path) -> None:
    text = (
        "log = []\n\n\nclass Loud:\n    def __getattr__(self, name):\n        log.append(name)\n        raise AttributeError(name)\n\n"
        "    def __repr__(self):\n        log.append('repr')\n        return ''\n\n\n"
        "def f(loud):\n    return price_of(loud, loud.x.y)\n\n\ndef run():\n    return f(Loud())\n"
    )

    def ask(stop: Stop) -> Way:
        session = active()
        assert session is not None
        missing = missing_at(session, stop)
        assert not isinstance(missing, Refusal)
        assert missing.stub.header == "def price_of(loud, y)"
        assert live.log == []
        return propagate(stop)

    live: LiveProgram
    with live_program(tmp_path, text, then(lambda: None, ask)) as live:
        live.failure("run")


def test_the_command_is_at_the_prompt(small_program: Callable[[str], Program]) -> None:
    program = small_program("def f(price):\n    return add_tax(price)\n\n\nprint(f(1))\n")
    with DebugSession(program) as session:
        session.stop()
        reply = session.command("create")
        assert "created: def add_tax(price), at" in reply
        assert "installed: add_tax (new)" in reply
        assert "NotImplementedError: add_tax" in reply
        session.command("fr 7")
        ended = session.finish()
    assert (ended.status, ended.output.splitlines()[-1]) == (0, "7")
