"""`pytest --fixcont` in real processes: tests that fail are repaired, and the run goes on."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Sequence
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


def test_the_code_under_test_is_repaired_before_anything_unwinds(project: Project) -> None:
    project.write("test_shop.py", TESTS + "def test_price(basket):\n    print('printed')\n    assert shop.price(6, 1) == 6\n")
    with project.session() as session:
        stop = session.stop()
        assert "fixcont: test_shop.py::test_price" in stop
        assert "printed" not in stop, "what the test prints is captured"
        assert "ZeroDivisionError: division by zero\n" in stop
        assert session.command("p opened") == "['open']\n"
        session.command("u")
        assert session.command("p log") == "['stock', 'basket']\n"
        session.command("d")
        project.edit("shop.py", "(count - 1)", "count")
        session.command("rf")
        ended = session.finish()

    assert ended.status == 0
    assert last_line(ended).startswith("1 repaired in ")
    assert "--- a/shop.py\n+++ b/shop.py\n" in ended.output
    assert "+        return total / count  # @price\n" in ended.output
    assert re.search(r"-m pytest .*test_shop\.py::test_price\n", ended.output)


def test_restarting_the_test_sets_its_own_fixtures_up_again(project: Project) -> None:
    project.write("test_shop.py", TESTS + "def test_log(basket):\n    assert log == ['none']\n")
    with project.session() as session:
        session.stop()
        project.edit("test_shop.py", "['none']", "['stock', 'basket', 'basket gone', 'basket']")
        session.command("rf")
        ended = session.finish()

    assert ended.status == 0, ended.output
    assert last_line(ended).startswith("1 repaired in ")


def test_fixtures_can_be_kept(project: Project) -> None:
    project.write("test_shop.py", TESTS + "def test_log(basket):\n    assert log == ['none']\n")
    with project.session("--no-refixture") as session:
        session.stop()
        project.edit("test_shop.py", "['none']", "['stock', 'basket']")
        session.command("rf")
        ended = session.finish()

    assert ended.status == 0, ended.output


def test_edited_tests_have_their_asserts_rewritten(project: Project) -> None:
    project.write("test_shop.py", "def test_sum():\n    parts = [1, 2]\n    assert sum(parts) == 4\n")
    with project.session() as session:
        assert "AssertionError: assert 3 == 4" in session.stop()
        project.edit("test_shop.py", "== 4", "== 5")
        assert "AssertionError: assert 3 == 5" in session.command("rf")
        project.edit("test_shop.py", "parts = [1, 2]", "parts = [1, 4]")
        session.command("rf")
        ended = session.finish()

    assert ended.status == 0
    assert " +  where 3 = sum([1, 2])" in ended.output


def test_a_test_goes_on_in_the_middle_at_its_assert(project: Project) -> None:
    text = "def test_sum():\n    seen = []\n    for number in range(3):\n        seen.append(number)\n        assert number != 1\n    assert seen == [0, 1, 2]\n"
    project.write("test_shop.py", text)
    with project.session() as session:
        session.stop()
        project.edit("test_shop.py", "number != 1", "number != 9")
        assert "inside 1 loop" in session.command("retry")
        ended = session.finish()

    assert ended.status == 0, ended.output


def test_the_cached_code_of_a_test_module_has_traps_too_and_the_cache_none(project: Project) -> None:
    text = "def test_sum():\n    assert 1 == 2\n"
    project.write("test_shop.py", text)
    project.run("--fixcont")  # end of input: the test fails, and the cache is written
    cached = list((project.folder / "__pycache__").glob("test_shop*.pyc"))
    assert len(cached) == 1
    assert b"fixcont" not in cached[0].read_bytes()
    assert last_line(project.run()).startswith("1 failed in ")
    with project.session() as session:
        session.stop()
        project.edit("test_shop.py", "1 == 2", "1 == 1")
        session.command("rf")
        ended = session.finish()

    assert ended.status == 0, ended.output


def test_a_fixture_is_repaired_in_its_set_up_and_its_tear_down(project: Project) -> None:
    text = """\
import pytest

@pytest.fixture
def number():
    value = 1 / 0  # up
    yield value
    {}["gone"]  # down

def test_number(number):
    assert number == 1
"""
    project.write("test_shop.py", text)
    with project.session() as session:
        assert "ZeroDivisionError" in session.stop()
        project.edit("test_shop.py", "1 / 0", "1 / 1")
        assert "KeyError: 'gone'" in session.command("retry")
        project.edit("test_shop.py", '{}["gone"]', "{}")
        session.command("retry")
        ended = session.finish()

    assert ended.status == 0, ended.output
    assert last_line(ended).startswith("1 repaired in ")


def test_a_fixture_of_a_conftest_is_restarted(project: Project) -> None:
    project.write("conftest.py", "import pytest\n\n@pytest.fixture(scope='session')\ndef number():\n    return 1 / 0\n")
    project.write(
        "test_shop.py", "def test_one(number):\n    assert number == 1\n\ndef test_two(number):\n    assert number == 1\n"
    )
    with project.session() as session:
        assert "conftest.py(5)number()" in session.stop()
        project.edit("conftest.py", "1 / 0", "1 / 1")
        session.command("rf")
        ended = session.finish()

    assert ended.status == 0, ended.output
    assert last_line(ended).startswith("1 passed, 1 repaired in ")


def test_a_test_gets_a_fixture_that_an_edit_asks_for(project: Project) -> None:
    text = TESTS + "@pytest.mark.parametrize('count', [1, 2])\ndef test_price(count):\n    assert basket == ['nails'] and count\n"
    project.write("test_shop.py", text)
    with project.session("-k", "1") as session:
        session.stop()
        project.edit("test_shop.py", "def test_price(count)", "def test_price(count, basket)")
        session.command("rf")
        ended = session.finish()

    assert ended.status == 0, ended.output
    assert last_line(ended).startswith("1 deselected, 1 repaired in ")


def test_each_parameter_set_is_a_test_of_its_own(project: Project) -> None:
    text = "import pytest\n\n@pytest.mark.parametrize('number', [1, 2, 3])\ndef test_even(number):\n    assert number % 2 == 0\n"
    project.write("test_shop.py", text)
    with project.session() as session:
        assert "test_shop.py::test_even[1]" in session.stop()
        assert "test_shop.py::test_even[3]" in session.command("c")
        project.edit("test_shop.py", "% 2 == 0", "% 2 < 2")
        session.command("rf")
        ended = session.finish()

    assert ended.status == 1
    assert last_line(ended).startswith("1 failed, 1 passed, 1 repaired in ")


def test_a_parameter_that_the_test_has_spoiled_is_put_back(project: Project) -> None:
    text = """\
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
    project.write("test_shop.py", text)
    with project.session() as session:
        assert "AssertionError: assert {'a': set()} == 0" in session.stop()
        project.edit("test_shop.py", "values.pop() == wanted", "values.pop() == {'a': set()}")
        session.command("rf")
        ended = session.finish()

    assert ended.status == 0, ended.output


@pytest.mark.skipif(importlib.util.find_spec("pytest_asyncio") is None, reason="needs pytest-asyncio")
def test_an_async_test_and_its_async_fixture(project: Project) -> None:
    project.write("pytest.ini", "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n")
    text = """\
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
    project.write("test_shop.py", text)
    with project.session() as session:
        assert "ZeroDivisionError" in session.stop()
        project.edit("test_shop.py", "number / 0", "number * 2")
        assert "AssertionError: assert 2 == 4" in session.command("rf")
        project.edit("test_shop.py", "half(number) == 4", "half(number) == 2 * len(log) == 4")
        session.command("rf")  # the fixture is set up again, in an event loop of its own
        ended = session.finish()

    assert ended.status == 0, ended.output
    assert last_line(ended).startswith("1 passed, 1 repaired in ")


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


def test_a_unittest_case_is_set_up_again(project: Project) -> None:
    project.write("test_shop.py", CASE)
    with project.session("-k", "log") as session:
        stop = session.stop()
        assert "AssertionError: Lists differ" in stop
        session.command("u")
        project.edit("test_shop.py", '["none"]', '["up", "down", "up"]')
        session.command("rf")
        ended = session.finish()

    assert ended.status == 0, ended.output
    assert last_line(ended).startswith("3 deselected, 1 repaired in ")


def test_a_method_is_restarted_on_a_new_instance(project: Project) -> None:
    text = """\
class TestShop:
    def setup_method(self):
        self.goods = ["nails"]

    def test_goods(self):
        assert not hasattr(self, "sold")
        self.sold = self.goods.pop()
        assert self.sold == "rope"
"""
    project.write("test_shop.py", text)
    with project.session() as session:
        assert "AssertionError: assert 'nails' == 'rope'" in session.stop()
        project.edit("test_shop.py", '"rope"', '"nails"')
        session.command("rf")
        ended = session.finish()

    assert ended.status == 0, ended.output


def test_what_a_unittest_case_expects_does_not_stop(project: Project) -> None:
    project.write("test_shop.py", CASE)

    ended = project.run("--fixcont", "-k", "not log")

    assert last_line(ended).startswith("1 passed, 1 skipped, 1 deselected, 1 xfailed in ")
    assert "fixcont: test" not in ended.output


SUBTESTS = {
    "unittest": "import unittest\n\nclass Numbers(unittest.TestCase):\n    def test_even(self):\n        for number in range(1, 4):\n            with self.subTest(number=number):\n                assert number % 2 == 0\n",
    "pytest": "def test_even(subtests):\n    for number in range(1, 4):\n        with subtests.test(number=number):\n            assert number % 2 == 0\n",
}


@pytest.mark.parametrize("kind", ["unittest", "pytest"])
def test_a_subtest_goes_on_in_the_middle(project: Project, kind: str) -> None:
    if kind == "pytest" and importlib.util.find_spec("_pytest.subtests") is None:
        pytest.skip("this pytest has no subtests")
    project.write("test_shop.py", SUBTESTS[kind])
    with project.session() as session:
        assert "AssertionError: assert (1 % 2) == 0" in session.stop()
        project.edit("test_shop.py", "% 2 == 0", "% 2 < 2")
        assert "inside 1 loop and 1 with block" in session.command("retry")
        ended = session.finish()

    assert ended.status == 0, ended.output
    assert "1 repaired" in last_line(ended)


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


def test_what_is_expected_does_not_stop(project: Project) -> None:
    project.write("test_shop.py", EXPECTED)
    plain = project.run()

    ended = project.run("--fixcont")

    assert "fixcont: test" not in ended.output
    assert last_line(ended).rpartition(" in ")[0] == last_line(plain).rpartition(" in ")[0] == "4 passed, 2 skipped, 5 xfailed"
    assert ended.status == 0


@pytest.mark.skipif(not hasattr(pytest, "RaisesGroup"), reason="this pytest has no RaisesGroup")
def test_an_expected_group_does_not_stop(project: Project) -> None:
    text = """\
import pytest

def fail():
    raise ValueError

def test_group():
    with pytest.RaisesGroup(ValueError):
        raise ExceptionGroup("g", [ValueError()])
    with pytest.RaisesGroup(ValueError, allow_unwrapped=True):
        fail()
"""
    project.write("test_shop.py", text)

    ended = project.run("--fixcont")

    assert "fixcont: test" not in ended.output
    assert last_line(ended).startswith("1 passed in ")


def test_another_exception_than_the_expected_one_stops(project: Project) -> None:
    text = "import pytest\n\n@pytest.mark.xfail(raises=KeyError)\ndef test_x():\n    1 / 0\n\n@pytest.mark.xfail\ndef test_y():\n    1 / 0\n"
    project.write("test_shop.py", text)

    ended = project.run("--fixcont")
    assert ended.output.count("fixcont: test") == 1
    assert last_line(ended).startswith("1 failed, 1 xfailed in ")

    assert project.run("--fixcont", "--runxfail").output.count("fixcont: test") == 2


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("import pytest\n\ndef test_x():\n    pytest.fail('too bad')\n", "Failed: too bad"),
        ("import pytest\n\ndef test_x():\n    with pytest.raises(KeyError):\n        len([])\n", "Failed: DID NOT RAISE"),
        ("import pytest\n\ndef test_x():\n    with pytest.raises(KeyError):\n        1 / 0\n", "ZeroDivisionError"),
        ("import pytest\n\ndef test_x():\n    with pytest.warns(UserWarning):\n        len([])\n", "Failed: DID NOT WARN"),
    ],
    ids=["fail", "not-raised", "raises-another", "not-warned"],
)
def test_what_pytest_counts_as_a_failure_stops(project: Project, text: str, shown: str) -> None:
    project.write("test_shop.py", text)
    with project.session() as session:
        assert shown in session.stop()
        session.command("forcereturn None")
        ended = session.finish()

    assert ended.status == 0
    assert "went on by hand" in ended.output


def test_the_function_that_fails_inside_of_warns_is_stopped_in(project: Project) -> None:
    project.write(
        "test_shop.py", "import pytest, shop\n\ndef test_x():\n    with pytest.warns(UserWarning):\n        shop.price(6, 1)\n"
    )
    with project.session() as session:
        assert "shop.py(11)price()" in session.stop()
        assert "DID NOT WARN" in session.command("c")
        session.command("c")
        ended = session.finish()

    assert ended.status == 1


@pytest.mark.skipif(importlib.util.find_spec("_pytest.subtests") is None, reason="this pytest does not keep what subtests raise")
@pytest.mark.parametrize("kind", ["unittest", "pytest"])
def test_restarting_out_of_a_subtest_is_refused(project: Project, kind: str) -> None:
    project.write("test_shop.py", SUBTESTS[kind])
    with project.session() as session:
        session.stop()
        assert "would-be-caught" in session.command("rf")
        session.command("q")
        session.finish()


def test_a_run_under_fixcont_is_refused(project: Project) -> None:
    project.write("test_shop.py", "def test_x():\n    pass\n")

    ended = run_python(["-m", "fixcont", "-m", "pytest", "-p", "fixcont", "--fixcont"], folder=project.folder)

    assert ended.status == 4
    assert "--fixcont: already-active" in ended.errors


def test_options_that_end_or_choose_work_along(project: Project) -> None:
    project.write("test_shop.py", "\n".join(f"def test_{name}():\n    assert '{name}' == 'b'\n" for name in "abcd"))

    assert last_line(project.run("--fixcont", "-x")).startswith("1 failed in ")
    assert last_line(project.run("--fixcont", "--maxfail=2")).startswith("2 failed, 1 passed in ")
    assert last_line(project.run("--fixcont", "-k", "b or d")).startswith("1 failed, 1 passed, 2 deselected in ")
    project.run()
    project.edit("test_shop.py", "'a' == 'b'", "'a' == 'a'")
    project.run("-k", "a")
    assert last_line(project.run("--fixcont", "--lf")).startswith("2 failed in ")


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


def test_the_import_of_a_test_module_is_repaired(project: Project) -> None:
    project.write("test_shop.py", "import shop\n\nWANTED = shop.price(6, 1)\n\ndef test_price():\n    assert WANTED == 6\n")
    with project.session() as session:
        assert "ZeroDivisionError" in session.stop()
        project.edit("shop.py", "(count - 1)", "count")
        session.command("rf")
        ended = session.finish()

    assert ended.status == 0, ended.output
    assert last_line(ended).startswith("1 passed in ")
    assert "+        return total / count" in ended.output


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


def test_breakpoint_is_a_stop(project: Project) -> None:
    project.write(
        "test_shop.py", "def test_x(capsys):\n    print('in')\n    breakpoint()\n    assert capsys.readouterr().out == 'in\\n'\n"
    )
    with project.session() as session:
        session.stop()
        session.command("c")
        ended = session.finish()

    assert last_line(ended).startswith("1 passed in "), ended.output


def test_distributed_tests_are_refused(project: Project) -> None:
    project.write("test_shop.py", "def test_x():\n    pass\n")

    ended = project.run("--fixcont", "-n", "2")
    assert ended.status == 4
    assert "--fixcont cannot be used with pytest-xdist" in ended.errors
    assert last_line(project.run("--fixcont", "-n", "0")).startswith("1 passed in ")


@pytest.mark.skipif(importlib.util.find_spec("pytest_cov") is None, reason="needs pytest-cov")
def test_coverage_counts_along(project: Project) -> None:
    project.write("test_shop.py", "import shop\n\ndef test_price():\n    assert shop.price(6, 1) == 6\n")
    with project.session("--cov=shop", "--cov-report=term-missing") as session:
        session.stop()
        project.edit("shop.py", "(count - 1)", "count")
        session.command("rf")
        ended = session.finish()

    assert ended.status == 0, ended.output
    assert re.search(r"^shop\.py +\d+ +0 +100%", ended.output, re.MULTILINE), ended.output


def test_the_drop_in_of_pdb_is_used_as_pytests_debugger(project: Project) -> None:
    project.write("test_shop.py", "import shop\n\ndef test_price():\n    assert shop.price(6, 1) == 6\n")
    launch = ["-m", "pytest", "-p", "fixcont", "--pdb", "--pdbcls=fixcont.pdb:Pdb"]
    with DebugSession([], ["-p", "no:cacheprovider"], launcher=launch, folder=project.folder) as session:
        session.expect(r"\(Pdb\) ")
        session.send("rf")
        assert "post-mortem" in session.expect(r"\(Pdb\) ")
        session.send("c")
        ended = session.finish()

    assert last_line(ended).startswith("1 failed in ")


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
