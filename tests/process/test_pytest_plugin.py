"""`pytest --fixcont` in real processes: tests that fail are repaired, and the run goes on.

Starting pytest takes longer than most of what is tested, so the scenarios share a run: each has a test module of its own, and they come in the order
of the names of these.
"""

from __future__ import annotations

import importlib.util
import re
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import pytest

from support.screen import ScreenSession
from support.session import DebugSession, Ended, run_python

SHOP = """\
opened = []

class Till:
    def __enter__(self):
        opened.append("open")
    def __exit__(self, *exception):
        opened.append("closed")

def price(total, count):
    with Till():
        return total / (count - 1)  # @price

def other(number):
    return 1 / number

def half(number):
    return number / 2
"""

TESTS = """\
import pytest
import shop

log = []

@pytest.fixture(scope="module")
def stock():
    log.append("stock")
    yield {"nails": 3}
    log.append("stock gone")

@pytest.fixture
def basket(stock):
    log.append("basket")
    yield ["nails"]
    log.append("basket gone")

"""


class Project:
    """A folder with tests, in which pytest is run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.write("pytest.ini", "[pytest]\n")

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def edit(self, name: str, old: str, new: str) -> None:
        path = self.folder / name
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {name}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    def session(self, *arguments: str, kind: Literal["pipe", "terminal"] = "pipe", launch: Sequence[str] = ()) -> DebugSession:
        launcher = [*(launch or ("-m", "pytest", "--fixcont", "-p", "fixcont")), "-p", "no:cacheprovider"]
        return DebugSession([], arguments, launcher=launcher, folder=self.folder, kind=kind)

    def run(self, *arguments: str) -> Ended:
        """Run pytest to its end, with nothing to read."""
        return run_python(["-m", "pytest", "-p", "fixcont", *arguments], folder=self.folder)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project(tmp_path)
    project.write("shop.py", SHOP)
    return project


def last_line(ended: Ended) -> str:
    return ended.output.rstrip().rpartition("\n")[2].strip("= ")


HAS_ASYNCIO = importlib.util.find_spec("pytest_asyncio") is not None
HAS_COVERAGE = importlib.util.find_spec("pytest_cov") is not None
HAS_SUBTESTS = importlib.util.find_spec("_pytest.subtests") is not None

#: What is done where a test module stops; called when the stop has not been read yet, and leaves the last way to go on unread.
Scenario = Callable[[Project, DebugSession], None]
#: Name of a test module -> its text, and what is done with it.
SCENARIOS: dict[str, tuple[str, Scenario]] = {}


def scenario(text: str, *, where: bool = True) -> Callable[[Scenario], Scenario]:
    """Add one: a test module with this text."""

    def add(play: Scenario) -> Scenario:
        if where:
            SCENARIOS[f"test_{len(SCENARIOS):02}_{play.__name__}.py"] = text, play
        return play

    return add


def module_of(play: Scenario) -> str:
    return next(name for name, (_, each) in SCENARIOS.items() if each is play)


@scenario("import shop\n\nWANTED = shop.price(6, 3)\n\ndef test_price():\n    assert WANTED == 3\n\nshop.other(0)\n")
def the_import_of_a_test_module(project: Project, session: DebugSession) -> None:
    stop = session.stop()
    assert f"fixcont: {module_of(the_import_of_a_test_module)} " in stop
    assert "ZeroDivisionError" in stop
    project.edit("shop.py", "1 / number", "number")
    session.send("rf")


@scenario(TESTS + "def test_price(basket):\n    print('printed')\n    assert shop.price(6, 1) == 6\n")
def the_code_under_test_before_anything_unwinds(project: Project, session: DebugSession) -> None:
    stop = session.stop()
    assert f"fixcont: {module_of(the_code_under_test_before_anything_unwinds)}::test_price" in stop
    assert "printed" not in stop, "what the test prints is captured"
    assert "ZeroDivisionError: division by zero\n" in stop
    assert session.command("p opened[-1]") == "'open'\n"
    session.command("u")
    assert session.command("p log") == "['stock', 'basket']\n"
    session.command("d")
    project.edit("shop.py", "(count - 1)", "(count or 1)")
    session.send("rf")


@scenario(TESTS + "def test_log(basket):\n    assert log == ['none']\n")
def restarting_the_test_sets_its_own_fixtures_up_again(project: Project, session: DebugSession) -> None:
    session.stop()
    module = module_of(restarting_the_test_sets_its_own_fixtures_up_again)
    project.edit(module, "['none']", "['stock', 'basket', 'basket gone', 'basket']")
    session.send("rf")


@scenario("def test_sum():\n    parts = [1, 2]\n    assert sum(parts) == 4\n")
def edited_tests_have_their_asserts_rewritten(project: Project, session: DebugSession) -> None:
    module = module_of(edited_tests_have_their_asserts_rewritten)
    assert "AssertionError: assert 3 == 4" in session.stop()
    project.edit(module, "== 4", "== 5")
    shown = session.command("rf")
    assert "AssertionError: assert 3 == 5" in shown
    assert " +  where 3 = sum([1, 2])" in shown
    project.edit(module, "parts = [1, 2]", "parts = [1, 4]")
    session.send("rf")


@scenario(
    "def test_sum():\n    seen = []\n    for number in range(3):\n        seen.append(number)\n        assert number != 1\n    assert seen == [0, 1, 2]\n"
)
def a_test_goes_on_in_the_middle_at_its_assert(project: Project, session: DebugSession) -> None:
    session.stop()
    project.edit(module_of(a_test_goes_on_in_the_middle_at_its_assert), "number != 1", "number != 9")
    session.send("retry")
    session.expect("inside 1 loop")


FIXTURE = """\
import pytest

@pytest.fixture
def number():
    value = 1 / 0  # up
    yield value
    {}["gone"]  # down

def test_number(number):
    assert number == 1
"""


@scenario(FIXTURE)
def a_fixture_in_its_set_up_and_its_tear_down(project: Project, session: DebugSession) -> None:
    module = module_of(a_fixture_in_its_set_up_and_its_tear_down)
    assert "ZeroDivisionError" in session.stop()
    project.edit(module, "1 / 0", "1 / 1")
    assert "KeyError: 'gone'" in session.command("retry")
    project.edit(module, '{}["gone"]', "{}")
    session.send("retry")


CONFTEST = "import pytest\n\n@pytest.fixture(scope='session')\ndef of_conftest():\n    return 1 / 0\n"


@scenario("def test_one(of_conftest):\n    assert of_conftest == 1\n\ndef test_two(of_conftest):\n    assert of_conftest == 1\n")
def a_fixture_of_a_conftest(project: Project, session: DebugSession) -> None:
    assert "conftest.py(5)of_conftest()" in session.stop()
    project.edit("conftest.py", "1 / 0", "1 / 1")
    session.send("rf")


@scenario(TESTS + "@pytest.mark.parametrize('count', [1])\ndef test_price(count):\n    assert basket == ['nails'] and count\n")
def a_test_gets_a_fixture_that_an_edit_asks_for(project: Project, session: DebugSession) -> None:
    session.stop()
    project.edit(module_of(a_test_gets_a_fixture_that_an_edit_asks_for), "def test_price(count)", "def test_price(count, basket)")
    session.send("rf")


@scenario("import pytest\n\n@pytest.mark.parametrize('number', [1, 2, 3])\ndef test_even(number):\n    assert number % 2 == 0\n")
def each_parameter_set_is_a_test_of_its_own(project: Project, session: DebugSession) -> None:
    module = module_of(each_parameter_set_is_a_test_of_its_own)
    assert f"{module}::test_even[1]" in session.stop()
    assert f"{module}::test_even[3]" in session.command("c")
    project.edit(module, "% 2 == 0", "% 2 < 2")
    session.send("rf")


SPOILING = """\
import pytest

CASES = [([3, [1], {"a": {2}}], 0)]

@pytest.mark.parametrize("values, wanted", CASES)
def test_last(values, wanted):
    assert values is CASES[0][0]
    values[1].append(2)
    values[2]["a"].clear()
    assert values.pop() == wanted
    assert values == [3, [1, 2]]
"""


@scenario(SPOILING)
def a_parameter_that_the_test_has_spoiled_is_put_back(project: Project, session: DebugSession) -> None:
    assert "AssertionError: assert {'a': set()} == 0" in session.stop()
    module = module_of(a_parameter_that_the_test_has_spoiled_is_put_back)
    project.edit(module, "values.pop() == wanted", "values.pop() == {'a': set()}")
    session.send("rf")


ASYNC = """\
import asyncio
import pytest

log = []

@pytest.fixture
async def number():
    log.append("up")
    await asyncio.sleep(0)
    yield len(log)

async def half(number):
    await asyncio.sleep(0)
    return number / 0

async def test_half(number):
    assert await half(number) == 4

async def test_again():
    await asyncio.sleep(0)
"""


@scenario(ASYNC, where=HAS_ASYNCIO)
def an_async_test_and_its_async_fixture(project: Project, session: DebugSession) -> None:
    module = module_of(an_async_test_and_its_async_fixture)
    assert "ZeroDivisionError" in session.stop()
    project.edit(module, "number / 0", "number * 2")
    assert "AssertionError: assert 2 == 4" in session.command("rf")
    project.edit(module, "half(number) == 4", "half(number) == 2 * len(log) == 4")
    session.send("rf")  # the fixture is set up again, in an event loop of its own


CASE = """\
import unittest

log = []

class ShopTest(unittest.TestCase):
    def setUp(self):
        log.append("up")

    def tearDown(self):
        log.append("down")

    def test_log(self):
        self.assertEqual(log, ["none"])

    def test_raises(self):
        with self.assertRaises(ZeroDivisionError):
            1 / 0

    @unittest.expectedFailure
    def test_expected(self):
        self.assertEqual(1, 2)

    @unittest.skip("not now")
    def test_skipped(self):
        raise ValueError
"""


@scenario(CASE.partition("    def test_raises")[0])
def a_unittest_case_is_set_up_again(project: Project, session: DebugSession) -> None:
    assert "AssertionError: Lists differ" in session.stop()
    session.command("u")
    project.edit(module_of(a_unittest_case_is_set_up_again), '["none"]', '["up", "down", "up"]')
    session.send("rf")


METHOD = """\
class TestShop:
    def setup_method(self):
        self.goods = ["nails"]

    def test_goods(self):
        assert not hasattr(self, "sold")
        self.sold = self.goods.pop()
        assert self.sold == "rope"
"""


@scenario(METHOD)
def a_method_is_restarted_on_a_new_instance(project: Project, session: DebugSession) -> None:
    assert "AssertionError: assert 'nails' == 'rope'" in session.stop()
    project.edit(module_of(a_method_is_restarted_on_a_new_instance), '"rope"', '"nails"')
    session.send("rf")


SUBTESTS = {
    "unittest": "import unittest\n\nclass Numbers(unittest.TestCase):\n    def test_even(self):\n        for number in range(1, 4):\n            with self.subTest(number=number):\n                assert number % 2 == 0\n",
    "pytest": "def test_even(subtests):\n    for number in range(1, 4):\n        with subtests.test(number=number):\n            assert number % 2 == 0\n",
}


def in_a_subtest(project: Project, session: DebugSession, module: str) -> None:
    """It goes on in the middle; restarting out of it is refused."""
    assert "AssertionError: assert (1 % 2) == 0" in session.stop()
    if HAS_SUBTESTS:  # else what subtests raise is not kept
        assert "would-be-caught" in session.command("rf")
    project.edit(module, "% 2 == 0", "% 2 < 2")
    session.send("retry")
    session.expect("inside 1 loop and 1 with block")


@scenario(SUBTESTS["unittest"])
def a_subtest_of_unittest(project: Project, session: DebugSession) -> None:
    in_a_subtest(project, session, module_of(a_subtest_of_unittest))


@scenario(SUBTESTS["pytest"], where=HAS_SUBTESTS)
def a_subtest_of_pytest(project: Project, session: DebugSession) -> None:
    in_a_subtest(project, session, module_of(a_subtest_of_pytest))


FAILURES = """\
import pytest
import shop

def test_fail():
    pytest.fail("too bad")

def test_not_raised():
    with pytest.raises(KeyError):
        len([])

def test_raises_another():
    with pytest.raises(KeyError):
        1 / 0

def test_not_warned():
    with pytest.warns(UserWarning):
        len([])

def test_fails_inside_of_warns():
    with pytest.warns(UserWarning):
        shop.half("")
"""


@scenario(FAILURES)
def what_pytest_counts_as_a_failure_stops(project: Project, session: DebugSession) -> None:
    assert "Failed: too bad" in session.stop()
    assert "Failed: DID NOT RAISE" in session.command("forcereturn None")
    assert "ZeroDivisionError" in session.command("forcereturn None")
    assert "Failed: DID NOT WARN" in session.command("forcereturn None")
    assert "shop.py(17)half()" in session.command("forcereturn None")
    assert "DID NOT WARN" in session.command("c")
    session.send("c")


@scenario("def test_x(capsys):\n    print('in')\n    breakpoint()\n    assert capsys.readouterr().out == 'in\\n'\n")
def breakpoint_is_a_stop(project: Project, session: DebugSession) -> None:
    assert "breakpoint_is_a_stop" in session.stop()
    session.send("c")


HYPOTHESIS = """\
from hypothesis import example, given, settings, strategies

calls = []

def total(numbers):
    result = 0
    for number in numbers:
        result += number
        if result > 1000:
            raise ValueError(result)
    return result

@settings(derandomize=True, database=None)
@given(strategies.lists(strategies.integers()))
def test_total(numbers):
    calls.append(numbers)
    assert total(numbers) == sum(numbers)

@settings(derandomize=True, database=None)
@given(strategies.integers())
@example(77)
def test_examples(number):
    assert number != 77
"""


@scenario(HYPOTHESIS)
def a_test_of_hypothesis_stops_at_the_smallest_example(project: Project, session: DebugSession) -> None:
    module = module_of(a_test_of_hypothesis_stops_at_the_smallest_example)
    assert re.search(r"= repaired =|unwound|ValueError: (?!1001\n)", stop := session.stop()) is None, stop
    assert "ValueError: 1001\n" in stop
    assert session.command("p numbers") == "[1001]\n"
    assert int(session.command("p len(calls)")) > 10
    project.edit(module, "> 1000", "> 10_000")
    shown = session.command("rf")  # the example passes; then the whole test is run again
    assert "ValueError: 10001\n" in shown
    project.edit(module, "        if result > 10_000:\n            raise ValueError(result)\n", "")
    assert "assert 77 != 77" in session.command("rf")
    project.edit(module, "number != 77", "number == number")
    session.send("rf")


def test_tests_are_repaired_and_the_run_goes_on(project: Project) -> None:
    options = ["-n", "0"]
    if HAS_ASYNCIO:
        project.write("pytest.ini", "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n")
    if HAS_COVERAGE:
        options += ["--cov=shop", "--cov-report=term-missing"]
    project.write("conftest.py", CONFTEST)
    for name, (text, _) in SCENARIOS.items():
        project.write(name, text)
    with project.session(*options) as session:
        for name, (_, play) in SCENARIOS.items():
            try:
                play(project, session)
            except AssertionError as failed:
                failed.add_note(f"in the scenario {name}")
                raise
        ended = session.finish()

    marks = re.search(r"(\d+) failed, (\d+) passed(?:, \d+ subtests passed)?, (\d+) repaired", last_line(ended))
    assert marks is not None and marks[1] == "2", ended.output  # the ones let go on: a parameter set, and what did not warn
    assert ended.status == 1
    told = ended.output.partition("= repaired =")[2]
    assert re.search(rf"^{module_of(a_parameter_that_the_test_has_spoiled_is_put_back)}::test_last", told, re.MULTILINE)
    assert "::test_fail (went on by hand, no edit of its own)\n" in told
    assert "--- a/shop.py\n+++ b/shop.py\n" in told
    assert "+        return total / (count or 1)  # @price\n" in told
    assert re.search(r"-m pytest .*::test_price\b", told)
    if HAS_COVERAGE:
        assert re.search(r"^shop\.py +\d+ +0 +100%", ended.output, re.MULTILINE), ended.output


def test_fixtures_can_be_kept(project: Project) -> None:
    project.write("test_shop.py", TESTS + "def test_log(basket):\n    assert log == ['none']\n")
    with project.session("--no-refixture") as session:
        session.stop()
        project.edit("test_shop.py", "['none']", "['stock', 'basket']")
        session.command("rf")
        ended = session.finish()

    assert ended.status == 0, ended.output


def test_the_cached_code_of_a_test_module_has_traps_too_and_the_cache_none(project: Project) -> None:
    text = "def test_sum():\n    assert 1 == 2\n"
    project.write("test_shop.py", text)
    project.run("--fixcont")  # end of input: the test fails, and the cache is written
    cached = list((project.folder / "__pycache__").glob("test_shop*.pyc"))
    assert len(cached) == 1
    assert b"fixcont" not in cached[0].read_bytes()
    with project.session() as session:
        session.stop()
        project.edit("test_shop.py", "1 == 2", "1 == 1")
        session.command("rf")
        ended = session.finish()

    assert ended.status == 0, ended.output


EXPECTED = """\
import warnings
import pytest

@pytest.mark.xfail
def test_xfail():
    assert 0

@pytest.mark.xfail(strict=True, raises=ZeroDivisionError)
def test_strict():
    1 / 0

@pytest.fixture
def broken():
    raise ValueError

@pytest.mark.xfail(reason="broken")
def test_broken(broken):
    pass

def test_added(request):
    request.applymarker(pytest.mark.xfail)
    assert 0

def test_called():
    pytest.xfail("not yet")

def test_skip():
    pytest.skip("no")

def test_import():
    pytest.importorskip("no_such_module_anywhere")

def fail():
    with pytest.raises(KeyError):
        raise ValueError

def test_raises():
    with pytest.raises(ValueError) as caught:
        fail()
    assert caught.type is ValueError
    pytest.raises(ValueError, int, "x")
    with pytest.raises((KeyError, ValueError), match="x"):
        raise ValueError("x")

def fail_plainly():
    raise ValueError

def test_raises_by_call():
    pytest.raises(ValueError, fail_plainly)

def test_warns():
    with pytest.warns(UserWarning):
        warnings.warn("w")

def test_handled():
    try:
        {}["x"]
    except KeyError:
        pass
"""


GROUP = """\
import pytest

def fail():
    raise ValueError

def test_group():
    with pytest.RaisesGroup(ValueError):
        raise ExceptionGroup("g", [ValueError()])
    with pytest.RaisesGroup(ValueError, allow_unwrapped=True):
        fail()
"""

ANOTHER = "import pytest\n\n@pytest.mark.xfail(raises=KeyError)\ndef test_x():\n    1 / 0\n\n@pytest.mark.xfail\ndef test_y():\n    1 / 0\n"


def test_only_what_is_not_expected_stops(project: Project) -> None:
    project.write("test_expected.py", EXPECTED)
    project.write("test_case.py", CASE.replace('self.assertEqual(log, ["none"])', "pass"))
    project.write("test_another.py", ANOTHER)
    if hasattr(pytest, "RaisesGroup"):
        project.write("test_group.py", GROUP)
    plain = project.run()

    ended = project.run("--fixcont")

    assert re.findall("fixcont: (test[^ ]*)", ended.output) == ["test_another.py::test_x"], (
        "another exception than the expected one"
    )
    passed = 7 if hasattr(pytest, "RaisesGroup") else 6
    counts = last_line(ended).rpartition(" in ")[0]
    assert counts == last_line(plain).rpartition(" in ")[0] == f"1 failed, {passed} passed, 3 skipped, 7 xfailed"
    assert ended.status == 1

    ended = project.run("--fixcont", "--runxfail", "test_another.py")
    assert re.findall("fixcont: (test[^ ]*)", ended.output) == ["test_another.py::test_x", "test_another.py::test_y"]


def test_a_run_under_fixcont_is_refused(project: Project) -> None:
    project.write("test_shop.py", "def test_x():\n    pass\n")

    ended = run_python(["-m", "fixcont", "-m", "pytest", "-p", "fixcont", "--fixcont"], folder=project.folder)

    assert ended.status == 4
    assert "--fixcont: already-active" in ended.errors


def test_options_that_end_or_choose_work_along(project: Project) -> None:
    project.write("test_shop.py", "\n".join(f"def test_{name}():\n    assert '{name}' == 'b'\n" for name in "abcd"))

    assert last_line(project.run("--fixcont", "--maxfail=2", "-k", "not d")).startswith("2 failed, 1 passed, 1 deselected in ")
    project.edit("test_shop.py", "'a' == 'b'", "'a' == 'a'")
    ended = project.run("--fixcont", "-x", "--lf")
    assert "run-last-failure: rerun previous 2 failures" in ended.output
    assert last_line(ended).startswith("1 failed, 1 passed in ")


def test_quit_ends_the_run_and_tears_down(project: Project) -> None:
    text = (
        TESTS
        + "def test_a(basket):\n    try:\n        assert 0\n    except ValueError:\n        pass\n\ndef test_b():\n    pass\n"
    )
    project.write("test_shop.py", text + "\ndef test_c(): pass\n")
    project.write("conftest.py", "def pytest_unconfigure():\n    import test_shop\n    print('log', test_shop.log)\n")
    with project.session("-s") as session:
        session.stop()
        session.command("q")
        ended = session.finish()

    assert ended.status == 2
    assert "quit at the prompt of fixcont" in ended.output
    assert "log ['stock', 'basket', 'basket gone', 'stock gone']" in ended.output


QUITTED = """\
import pytest
import shop

@pytest.fixture
def basket():
    yield
    print("basket gone")

def test_price(basket):
    assert shop.price(6, 1) == 6

def test_half():
    assert shop.half("") == 6
"""


def quit_at_the_stop(session: DebugSession) -> Ended:
    """Quit at the first stop of the tests. Returns how they ended: as a run that was interrupted."""
    session.stop()
    session.send("q")
    ended = session.finish()
    assert ended.status == 2
    assert "quit at the prompt of fixcont" in ended.output
    return ended


@pytest.mark.parametrize("how", ["python -m", "script"])
def test_the_stack_is_that_of_the_test_without_what_runs_it(project: Project, how: str) -> None:
    """A script that starts pytest may count as one of the user's files: `bin/pytest` of a virtual environment does."""
    project.write("test_shop.py", QUITTED)
    script = project.write("start.py", "import sys, pytest\n\nsys.exit(pytest.console_main())\n")
    launch = (str(script), "--fixcont", "-p", "fixcont") if how == "script" else ()
    with project.session(launch=launch) as session:
        session.stop()
        shown = session.command("w")
        session.send("q")
        session.finish()

    assert re.findall(r"\)(\w+)\(\)  \[", shown) == ["test_price", "price"], shown


def test_quit_leaves_the_failure_which_pytest_reports_and_remembers(project: Project) -> None:
    project.write("test_shop.py", QUITTED)
    launcher = ["-m", "pytest", "--fixcont", "-p", "fixcont"]
    with DebugSession([], ["-x"], launcher=launcher, folder=project.folder) as session:
        ended = quit_at_the_stop(session)

    assert "FAILED test_shop.py::test_price - ZeroDivisionError: division by zero\n" in ended.output
    assert "basket gone" in ended.output
    assert last_line(ended).startswith("1 failed in ")
    again = project.run("--lf", "--collect-only", "-q")
    assert "test_price" in again.output and "test_half" not in again.output


def test_quit_in_a_unittest_case_leaves_the_failure(project: Project) -> None:
    project.write("test_a.py", CASE)
    with project.session() as session:
        ended = quit_at_the_stop(session)

    assert "FAILED test_a.py::ShopTest::test_log - AssertionError: Lists differ" in ended.output


def test_quit_in_the_import_of_a_test_module_leaves_the_error(project: Project) -> None:
    project.write("test_a.py", "1 / 0\n")
    project.write("test_b.py", "1 / 0\n")
    with project.session() as session:
        ended = quit_at_the_stop(session)

    assert "ERROR test_a.py - ZeroDivisionError" in ended.output
    assert "test_b" not in ended.output


@pytest.mark.skipif(not HAS_SUBTESTS, reason="this pytest has no subtests")
def test_quit_in_a_subtest_ends_the_run(project: Project) -> None:
    project.write("test_a.py", SUBTESTS["pytest"] + "\ndef test_last():\n    assert 0\n")
    with project.session() as session:
        ended = quit_at_the_stop(session)

    assert "FAILED test_a.py::test_even [number=1]" in ended.output or "SUBFAILED(number=1) test_a.py::test_even" in ended.output
    assert "test_last" not in ended.output


def test_the_repaired_tests_are_named_as_the_folder_calls_them_in_which_the_run_was_started(project: Project) -> None:
    (project.folder / "unit").mkdir()
    (project.folder / "here").mkdir()
    project.write(
        "unit/test_sum.py", "import pytest\n\n@pytest.mark.parametrize('x', ['a::b'])\ndef test_sum(x):\n    assert 1 == 2\n"
    )
    launcher = ["-m", "pytest", "--fixcont", "-p", "fixcont", "-p", "no:cacheprovider"]
    with DebugSession([], ["../unit"], launcher=launcher, folder=project.folder / "here") as session:
        session.stop()
        project.edit("unit/test_sum.py", "1 == 2", "1 == 1")
        session.command("rf")
        ended = session.finish()

    assert ended.status == 0, ended.output
    told = ended.output.partition("to run them again from a clean start:\n")[2].splitlines()[0]
    assert told.endswith("'../unit/test_sum.py::test_sum[a::b]'")
    again = run_python(shlex.split(told)[1:], folder=project.folder / "here")
    assert last_line(again).startswith("1 passed in "), again.output


def test_a_fault_in_what_is_told_at_the_end_does_not_end_the_run(project: Project) -> None:
    project.write("conftest.py", "import fixcont_ui.pytest_plugin.telling as telling\n\ntelling.shlex = None\n")
    project.write("test_sum.py", "def test_sum():\n    assert 1 == 2\n")
    with project.session() as session:
        session.stop()
        project.edit("test_sum.py", "1 == 2", "1 == 1")
        session.command("rf")
        ended = session.finish()

    assert ended.status == 0, ended.output
    assert "a fault of fixcont itself: AttributeError: 'NoneType' object has no attribute 'join'" in ended.output
    assert last_line(ended).startswith("1 repaired in ")


FORCED = """\
import pytest
import shop

@pytest.fixture
def one():
    yield 1
    1 / 0  # down

def test_a():
    assert shop.price(6, 1) == 6

def test_b():
    assert shop.half("") == 6

def test_c(one):
    assert one == 2
"""


def test_what_was_passed_by_by_hand_is_marked_also_after_edits(project: Project) -> None:
    project.write("test_shop.py", FORCED)
    with project.session() as session:
        session.stop()
        project.edit("shop.py", "(count - 1)", "(count - 1 - 0)")
        session.command("rf")  # fails again
        session.command("forcereturn 6")
        project.edit("shop.py", "number / 2", "len(number) + 6")
        assert "test_c" in session.command("rf")
        project.edit("test_shop.py", "one == 2", "one == 1")
        assert "ZeroDivisionError" in session.command("retry")
        project.edit("test_shop.py", "1 / 0", "1 / 1")
        assert "refused: fixture-has-yielded: one is a fixture that is torn down" in session.command("rf")
        session.command("skip")
        ended = session.finish()

    assert ended.status == 0, ended.output
    told = ended.output.partition("= repaired =")[2]
    assert "\ntest_shop.py::test_a (went on by hand)\ntest_shop.py::test_b\ntest_shop.py::test_c (went on by hand)\n" in told


FIXTURES = """\
import pytest

@pytest.fixture
def up():
    return 1 / 0

@pytest.fixture
def down():
    yield
    1 / 0
"""


def test_errors_of_fixtures_begin_with_the_users_own_frames(project: Project) -> None:
    project.write("conftest.py", FIXTURES)
    project.write("test_shop.py", "def test_up(up):\n    pass\n\ndef test_down(down):\n    pass\n")
    ended = project.run("--fixcont")  # end of input: both fail

    assert last_line(ended).startswith("1 passed, 2 errors in ")
    told = ended.output.partition("= ERRORS =")[2]
    assert "ERROR at setup of test_up" in told and "ERROR at teardown of test_down" in told
    assert "pytest_plugin" not in told, told


def test_a_repaired_test_that_fails_in_its_teardown_is_listed_with_that(project: Project) -> None:
    project.write(
        "test_shop.py",
        "import pytest\n" + FORCED.partition("import shop\n")[2].replace("def test_a", "def _a").replace("def test_b", "def _b"),
    )
    with project.session() as session:
        session.stop()
        project.edit("test_shop.py", "one == 2", "one == 1")
        assert "ZeroDivisionError" in session.command("retry")
        session.command("c")
        ended = session.finish()

    assert ended.status == 1
    assert last_line(ended).startswith("1 error, 1 repaired in ")
    assert "\ntest_shop.py::test_c (failed in its teardown)\n" in ended.output.partition("= repaired =")[2]


DOWN = """
import pytest

@pytest.fixture
def basket():
    yield [1]
    assert closes(0) == 0

def closes(left):
    return 1 // left

def test_basket(basket):
    assert basket

def test_bad(basket):
    assert not basket
"""


def test_a_test_that_was_repaired_in_its_teardown_alone_is_listed_where_it_has_passed(project: Project) -> None:
    project.write("test_shop.py", DOWN)
    with project.session() as session:
        session.stop()
        project.edit("test_shop.py", "1 // left", "left")
        assert "AssertionError" in session.command("rf")
        session.send("c")
        ended = session.finish()

    assert last_line(ended).startswith("1 failed, 1 passed in ")
    told = ended.output.partition("= repaired =")[2]
    assert told.partition("---")[0].split()[1:] == ["test_shop.py::test_basket"]


def test_on_a_terminal_the_repaired_tests_are_run_again_if_wanted(project: Project) -> None:
    project.write(
        "test_shop.py", "import shop\n\ndef test_price():\n    assert shop.price(6, 1) == 6\n\ndef test_other():\n    pass\n"
    )
    with project.session(kind="terminal") as session:
        session.stop()
        project.edit("shop.py", "(count - 1)", "count")
        session.send("rf")
        session.expect("from a clean start\\? \\[y/N\\] ")
        session.send("y")
        ended = session.finish()

    assert ended.status == 0
    assert last_line(ended).startswith("1 passed in ")


def test_the_drop_in_of_pdb_is_used_as_pytests_debugger(project: Project) -> None:
    project.write("test_shop.py", "import shop\n\ndef test_price():\n    assert shop.price(6, 1) == 6\n")
    launch = ["-m", "pytest", "-p", "fixcont", "--pdb", "--pdbcls=fixcont.pdb:Pdb"]
    with DebugSession([], ["-p", "no:cacheprovider"], launcher=launch, folder=project.folder) as session:
        session.expect(r"\(Pdb\) ")
        project.edit("shop.py", "(count - 1)", "count")
        session.send("rf")
        shown = session.expect(r"\(Pdb\) ")
        assert "refused: post-mortem: price has unwound already" in shown
        assert '"pytest --fixcont" stops before anything unwinds' in shown and "-m fixcont.pdb" not in shown
        assert "stale" not in shown
        session.send("c")
        ended = session.finish()

    assert last_line(ended).startswith("1 failed in ")


def test_in_the_drop_in_of_pdb_only_what_was_edited_is_installed(project: Project) -> None:
    tests = (
        "import shop\n\ndef test_price():\n    assert shop.price(6, 1) == 6\n\ndef test_half():\n    assert shop.half(2) == 1\n"
    )
    project.write("test_shop.py", tests)
    launch = ["-m", "pytest", "-p", "fixcont", "--pdb", "--pdbcls=fixcont.pdb:Pdb"]
    with DebugSession([], ["-p", "no:cacheprovider"], launcher=launch, folder=project.folder) as session:
        session.expect(r"\(Pdb\) ")
        project.edit("shop.py", "(count - 1)", "count")
        session.send("replay")
        assert "installed: price (version 2)\n" in session.expect(r"\(Pdb\) ")
        project.edit("test_shop.py", "price(6, 1) == 6", "price(6, 1) == 7")
        session.send("up")
        session.expect(r"\(Pdb\) ")
        session.send("replay")
        assert "AssertionError: assert 6.0 == 7\n +  where 6.0 = <function price at" in session.expect(r"\(fixcont\) ")
        session.send("q")  # leaves the replay only
        session.expect(r"\(Pdb\) ")
        session.send("c")
        ended = session.finish()

    assert last_line(ended).startswith("1 failed, 1 passed in "), ended.errors
    assert "repaired 2 functions in shop.py and test_shop.py (2 patches)" in ended.repairs


def test_a_stop_begins_a_line_behind_marks_without_the_name_of_a_file(project: Project) -> None:
    project.write("test_shop.py", "def test_a():\n    pass\n\ndef test_b():\n    assert 0\n")

    ended = project.run("--fixcont", "-q")

    assert re.search(r"^\.\n>+ fixcont: test_shop\.py::test_b >+\n", ended.output, re.MULTILINE), ended.output


def test_without_the_option_nothing_is_imported(project: Project) -> None:
    text = "import sys\n\ndef test_x():\n    print(sorted(name for name in sys.modules if name.partition('.')[0] in ('fixcont', 'fixcont_ui')))\n"
    project.write("test_shop.py", text)

    assert "['fixcont_ui', 'fixcont_ui.pytest_plugin']\n" in project.run("-q", "-s").output


def test_stops_are_shown_in_the_window(tmp_path: Path) -> None:
    tests = "import shop\n\ndef test_price():\n    assert shop.price(6, 1) == 6\n"
    command = ["-m", "pytest", "-p", "fixcont", "--fixcont-window", "test_shop.py"]
    with ScreenSession({"shop.py": SHOP, "test_shop.py": tests}, command, size=(100, 30)) as window:
        window.wait_until(lambda: window.screen.is_full_screen and "ZeroDivisionError" in window.text)
        (window.folder / "shop.py").write_text(SHOP.replace("(count - 1)", "count"), encoding="utf-8")
        window.press("f7")
        window.wait_for(r"run the repaired tests again from a clean start\?")
        window.type("n")
        window.press("enter")
        assert window.finish() == 0
        assert "1 repaired in " in window.text
        assert not window.screen.is_full_screen
