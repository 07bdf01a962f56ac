"""Saved stops that are replayed on another copy of the code: holes, edits, and what cannot be done."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from support.editor import ScriptedEditor
from support.programs import Program, copy_program
from support.saved_depot import LOCK, Saved, save_depot
from support.saved_stops import save_stop
from support.session import child_environment
from support.written_tests import run_tests

OTHERS = ("3.11", "3.12", "3.13", "3.14")


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Saved:
    return save_depot(tmp_path_factory.mktemp("saved"))


@pytest.fixture
def stock(tmp_path: Path) -> Program:
    """The copy of the code that is here."""
    return copy_program("depot", tmp_path).other("stock.py")


def opened(stop: Path, typed: str, folder: Path, *words: str, edits: Sequence[dict[str, str]] = ()) -> str:
    """Open a stop, type lines, and give what was shown."""
    editor = ScriptedEditor(folder.parent / "editor", edits)
    ended = subprocess.run(
        [sys.executable, "-m", "fixcont", "--open", str(stop), *words],
        env=child_environment({"EDITOR": str(editor.path)}),
        cwd=folder,
        input=f"{typed}\nq\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout


def test_a_method_is_replayed_on_the_edited_file_and_its_caller_goes_on(saved: Saved, stock: Program) -> None:
    stock.edit({"DISCOUNT = 2": "DISCOUNT = 4"})
    shown = opened(saved.stop("take_stock"), "replay", stock.folder)  # and leaves at the live stop
    assert f"here: {stock.path}, for {saved.was / 'stock.py'}" in shown
    assert f"load main.py (for {saved.was / 'main.py'}) as the main module, without running the program" in shown
    assert f"load stock.py (for {saved.was / 'stock.py'}) as stock" in shown
    assert "from the saved stop, as nothing has bound them here: settings" in shown
    assert "DISCOUNT is 4 here, and was 2" in shown
    assert shown.count("TypeError: unsupported operand") == 2  # the saved one, and the live one
    assert f"> {stock.path}({stock.line('price')})price_of()" in shown

    edit = {"return item.price / DISCOUNT": "return (item.price or 0) / DISCOUNT"}
    typed = "fix\nreplay\nreplay --retry\nreplay --outward\nup\nup\np self.items[1].kind is type(self.items[1].kind).PART\nreplay"
    shown = opened(saved.stop("take_stock"), typed, stock.folder, edits=[edit])
    assert 'the file is edited; "replay" loads it' in shown
    assert "replay price_of (version 2)\nprice_of returned 0.0" in shown
    assert f"resume price_of at line {stock.line('price')}\nprice_of returned 0.0" in shown
    assert "its caller does not go on: blocks-gone: " in shown
    assert "take_stock returned 6.0" in shown


def test_a_hole_is_named_filled_and_then_used(saved: Saved, stock: Program) -> None:
    edit = {"return item.price / DISCOUNT": "return (item.price or 1) / DISCOUNT"}
    lines = [
        *(
            "up",
            "up",
            "replay",
            "holes",
            f"fill self.log = {LOCK}",
            f"fill self.lock = {LOCK}",
            "holes",
            "p self.log[0] is self.lock",
        ),
        *("fix", "replay", "replay --outward"),
    ]
    shown = opened(saved.stop("lock_up"), "\n".join(lines), stock.folder, edits=[edit])

    assert "refused: holes: Depot.closed would get a value that is not there: self.lock (lock); " in shown
    assert "self.lock: <not here: lock, " in shown
    assert "refused: no-hole: Depot.closed has no hole self.log" in shown
    assert "self.lock is filled; there are no more holes\n(fixcont) Depot.closed has no holes\n(fixcont) True\n" in shown
    assert "installed: price_of (version 2)" in shown
    assert "Depot.closed returned 0.5" in shown
    assert "lock_up went on to its end\nlock_up returned 0.5" in shown


def test_with_holes_only_their_use_fails(saved: Saved, stock: Program) -> None:
    stock.edit({"return item.price / DISCOUNT": "return 1"})
    shown = opened(saved.stop("lock_up"), "up\nreplay --with-holes\nup\nreplay --with-holes\nw", stock.folder)

    assert "Depot.worth returned 1" in shown
    assert "HoleUsed: self.lock is not there" in shown
    assert f"{stock.path}({stock.line('closed') - 1})closed()  [restartable]" in shown


def test_a_live_stop_of_a_replay_is_repaired(saved: Saved, stock: Program) -> None:
    edit = {"return item.price / DISCOUNT": "return (item.price or 0) / DISCOUNT"}
    shown = opened(saved.stop("take_stock"), f"up\nfill self.lock = {LOCK}\nreplay\nfix\nretry", stock.folder, edits=[edit])

    assert f"resume price_of at line {stock.line('price')}\nDepot.worth returned 12.0" in shown


def test_closures_coroutines_and_generators(saved: Saved, stock: Program) -> None:
    stock.edit({"return total / n  # @add": "return (total, step, n)  # @add"})
    shown = opened(saved.stop("total"), "replay\nreplay n=2\nreplay --retry", stock.folder)
    assert "summing.<locals>.add (version 2)\nsumming.<locals>.add returned (20, 5, 0)" in shown
    assert "summing.<locals>.add returned (25, 5, 2)" in shown
    assert f"resume summing.<locals>.add at line {stock.line('add')}\nsumming.<locals>.add returned (25, 5, 0)" in shown

    shown = opened(saved.stop("fetched"), "replay n=4\nreplay --outward n=5", stock.folder)
    assert "replay fetch (version 1)\nfetch returned 2.5" in shown
    assert "ask went on to its end\nask returned 2.0\nits caller does not go on: not-trapped: " in shown

    shown = opened(saved.stop("shares"), "replay people=10", stock.folder)
    assert "ZeroDivisionError" in shown.partition("replay each_share")[2]


def test_arguments_are_recovered_or_asked_for_and_what_was_assigned_before_is_kept(saved: Saved, stock: Program) -> None:
    stock.edit({"return count / people  # @share": "return count, people  # @share"})
    shown = opened(saved.stop("ask_for_share"), "replay\n!count = 7\nreplay\nreplay count=2", stock.folder)
    assert "share returned (4, 0)" in shown  # from the text of the call
    assert "share returned (6, 0)" in shown
    assert "share returned (1, 0)" in shown

    shown = opened(saved.stop("ask_for_share"), "!count = 9\n!people = 3\nreplay", stock.folder)
    assert "share returned (8, 3)" in shown


def test_what_is_no_longer_as_it_was_is_named(saved: Saved, stock: Program) -> None:
    stop = saved.stop("ask_for_share")
    text = stock.text
    stock.edit({"def share(count, people):": "def share(count, people, among):"})
    shown = opened(stop, "replay\nreplay among=1\nup\nup\nreplay\nreplay --retry", stock.folder)
    assert (
        'parameters-differ: share has a new parameter, among, for which this call has no value; give it a default value, or say "replay'
        in shown
    )
    assert "share raised\n" in shown or "ZeroDivisionError" in shown.partition("replay share")[2]

    stock.path.write_text(text.replace("def share(count, people):", "def parts(amount):"), encoding="utf-8")
    assert f"refused: function-gone: share is no longer in {stock.path}" in opened(stop, "replay", stock.folder)


def test_a_file_that_cannot_be_loaded_is_mended_and_loaded_again(saved: Saved, stock: Program) -> None:
    stop = saved.stop("ask_for_share")
    stock.edit({"return count / people  # @share": "return (count", "import dataclasses": "import dataclasses, nosuchmodule"})
    edits = [{"return (count": "return (count, 1)"}, {", nosuchmodule": ""}]
    shown = opened(stop, "replay\nfix\nreplay\nw\nfix\nreplay", stock.folder, edits=edits)

    assert f"refused: not-loaded: {stock.path} cannot be loaded: SyntaxError: " in shown
    assert f"ModuleNotFoundError: No module named 'nosuchmodule' ({stock.path}:4); install that, or open the stop" in shown
    assert "share returned (4, 1)" in shown


def test_without_the_file_everything_but_replaying_works(saved: Saved, tmp_path: Path, stock: Program) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    shown = opened(saved.stop("ask_for_share"), "replay\nfix\np count, people\nup\nw", empty)
    assert f"not here: {saved.was / 'stock.py'}" in shown
    assert shown.count(f"refused: file-not-here: there is no file for {saved.was / 'stock.py'}") == 2
    assert "(4, 0)" in shown and "ask_for_share()" in shown

    shown = opened(saved.stop("ask_for_share"), "replay people=2", empty, "--root", str(stock.folder))
    assert "share returned 2.0" in shown


def test_a_script_without_a_guard_is_loaded_up_to_where_it_stood(tmp_path: Path) -> None:
    script = Program(tmp_path / "script.py")
    script.path.write_text(
        "import sys\nNAMES = ['a', '']\nprint('starting')\ndef first(name):\n    return name[0] * len(sys.argv)\n"
        "for name in NAMES:\n    print(first(name))\ndef later():\n    pass\nprint('never')\n"
    )
    words = [sys.executable, "-m", "fixcont", "--save-stop", "a.stop", "script.py", "x"]
    subprocess.run(words, cwd=tmp_path, env=child_environment(), capture_output=True, check=False, timeout=60)
    shown = opened(tmp_path / "a.stop", "replay name='y'\np name, NAMES\nup\nreplay", tmp_path)

    assert shown.count("starting") == 1 and "never" not in shown
    assert "first returned 'yy'" in shown
    assert "('', ['a', ''])" in shown
    assert "refused: module-frame: " in shown


@pytest.mark.parametrize("version", OTHERS)
def test_what_another_version_has_saved_is_replayed(tmp_path: Path, stock: Program, version: str) -> None:
    other = shutil.which(f"python{version}")
    if version == "{}.{}".format(*sys.version_info) or other is None or not _starts(other):
        pytest.skip(f"Python {version} is this one, or none that starts here")
    saved = save_depot(tmp_path / "saved", other)
    edit = {"return item.price / DISCOUNT": "return (item.price or 1) / DISCOUNT"}
    typed = f"fix\nreplay --retry\nup\nup\nfill self.lock = {LOCK}\nreplay --outward"
    shown = opened(saved.stop("lock_up"), typed, stock.folder, edits=[edit])

    assert f"by Python {version}" in shown
    assert f"resume price_of at line {stock.line('price')}\nprice_of returned 0.5" in shown
    assert "lock_up went on to its end\nlock_up returned 0.5" in shown


def _starts(python: str) -> bool:
    return subprocess.run([python, "-c", ""], capture_output=True, check=False, timeout=60).returncode == 0


REBINDING = """\
import fixcont

def mean(rows):
    rows = [row for row in rows if row is not None]
    return sum(rows) / len(rows)  # @mean

def report(*tables):
    return [mean(table.pop()) for table in tables]  # @report

if __name__ == "__main__":
    report([[4, 8]], [[None]])
"""


def test_what_a_parameter_was_bound_to_before_it_was_bound_anew_is_in_the_file(
    tmp_path: Path, small_program: Callable[[str], Program]
) -> None:
    """The call cannot be worked out again, as the table is empty by now: what the trap had kept is what was saved."""
    program = small_program(REBINDING)
    save_stop(program, tmp_path / "a.stop")
    program.edit({"/ len(rows)": "/ (len(rows) or 1)"})

    shown = opened(tmp_path / "a.stop", "p rows\nreplay\ntestcase test_mean.py", program.folder)
    assert "(fixcont) []\n" in shown
    assert "mean returned 0.0" in shown
    assert "before the repair: fails, ZeroDivisionError: division by zero\nnow: passes\n" in shown
    assert "assert mean([None]) == 0.0" in (program.folder / "test_mean.py").read_text()
    assert "1 passed" in run_tests(program.folder / "test_mean.py").stdout


def test_a_repair_of_a_saved_stop_becomes_a_test(saved: Saved, stock: Program) -> None:
    file = stock.folder / "test_stock.py"
    edit = {"return item.price / DISCOUNT": "return (item.price or 0) / DISCOUNT"}
    shown = opened(saved.stop("take_stock"), "testcase test_stock.py\nfix\ntestcase test_stock.py", stock.folder, edits=[edit])
    assert "refused: not-repaired: " in shown
    assert "before the repair: fails, TypeError: " in shown and "now: passes" in shown
    assert "from stock import Item, Kind, Level, price_of" in file.read_text()
    assert "1 passed" in run_tests(file).stdout

    shown = opened(saved.stop("lock_up"), "up\ntestcase test_lock.py", stock.folder)
    assert "refused: holes: Depot.worth would get a value that is not there: self.lock (lock); " in shown


CHAINED = """\
def amount(text):
    return int(text)

def entry(text):
    try:
        return amount(text)
    except ValueError as error:
        raise LookupError("no amount") from error

def ledger(texts):
    return [entry(texts[0]), 0]

if __name__ == "__main__":
    ledger(["1x"])
"""


def test_the_exception_that_led_to_the_one_that_was_raised_is_repaired(
    tmp_path: Path, small_program: Callable[[str], Program]
) -> None:
    program = small_program(CHAINED)
    save_stop(program, tmp_path / "a.stop")
    typed = "exceptions 0\nw\np text\nup\n!text = 'other'\ndown\nholes\nexceptions 1\nexceptions 0\nfix\nreplay\nreplay --outward\nw\nexceptions\ntestcase test_it.py"
    shown = opened(tmp_path / "a.stop", typed, program.folder, edits=[{"int(text)": "int(text[0])"}])
    assert f'(14)<module>()  [post-mortem]\n-> ledger(["1x"])\n  {program.path}(11)ledger()  [post-mortem]\n' in shown
    assert f"> {program.path}(2)amount()  [post-mortem]\n-> return int(text)\n(fixcont) '1x'\n" in shown
    assert "replay amount (version 2)\namount returned 1\n" in shown
    assert "entry went on to its end\nledger went on to its end\nledger returned [1, 0]\n" in shown
    assert ">   0 ValueError(" in shown
    assert "before the repair: fails, ValueError: " in shown and "now: passes" in shown


def test_what_led_to_the_exception_may_be_in_a_file_that_is_not_on_the_stack(
    tmp_path: Path, small_program: Callable[[str], Program]
) -> None:
    body = CHAINED.partition("def entry")
    program = small_program(f"from amounts import amount\n\n{body[1]}{body[2]}")
    (program.folder / "amounts.py").write_text(body[0])
    save_stop(program, tmp_path / "a.stop")
    shown = opened(tmp_path / "a.stop", "exceptions 0\nreplay text='7'", program.folder)
    assert "load amounts.py as amounts\n" in shown and "amount returned 7\n" in shown


DELETING = """\
def share(n):
    k = n
    del n
    return [k, "n" in locals(), n]  # @share

if __name__ == "__main__":
    share(3)
"""


def test_a_deleted_parameter_is_as_the_program_left_it(tmp_path: Path, small_program: Callable[[str], Program]) -> None:
    """Unbound, or, where the interpreter cannot unbind a variable of a frame, a hole that is named; never a value."""
    program = small_program(DELETING)
    save_stop(program, tmp_path / "a.stop")
    shown = opened(tmp_path / "a.stop", "holes\nreplay --retry\nq", program.folder)
    if "share has no holes" in shown:
        assert shown.count("UnboundLocalError: cannot access local variable 'n'") == 2  # the saved one, and the live one
    else:
        assert "refused: holes: share would get a value that is not there: n (unbound); " in shown

    program.edit({'[k, "n" in locals(), n]': "[k]"})
    shown = opened(tmp_path / "a.stop", "replay\nreplay n=4\nreplay --retry --with-holes", program.folder)
    assert "share returned [4]" in shown and "share returned [3]" in shown


LOOPING = """
class Till:
    def __init__(self, rows):
        self.rows = rows
        self.sums = []
    def count(self):
        for total, number in self.rows:
            self.sums.append(self.mean(total, number))
        return self.sums
    def mean(self, total, number):
        return total / number
def day():
    return {"sums": Till([(6, 2), (3, 0), (8, 4)]).count()}
if __name__ == "__main__":
    day()
"""


def test_a_loop_over_an_attribute_goes_on_where_it_was_and_so_do_the_callers(
    tmp_path: Path, small_program: Callable[[str], Program]
) -> None:
    program = small_program(LOOPING)
    save_stop(program, tmp_path / "a.stop")
    program.edit({"total / number": "total / (number or 1)"})
    shown = opened(tmp_path / "a.stop", "replay --outward", program.folder)
    assert "Till.count went on to its end\nday went on to its end\nday returned {'sums': [3.0, 3.0, 2.0]}\n" in shown


def test_a_set_has_another_order_in_another_process(tmp_path: Path, small_program: Callable[[str], Program]) -> None:
    program = small_program(LOOPING.replace("[(6, 2), (3, 0), (8, 4)]", "{(6, 2), (3, 0), (8, 4)}"))
    save_stop(program, tmp_path / "a.stop")
    shown = opened(tmp_path / "a.stop", "up\nreplay --retry", program.folder)
    assert (
        "blocks-gone: " in shown
        and "whose place is not certain: the order of a set is another one here; replay --resume 7" in shown
    )


GONE = """\
class NoAmount(LookupError):
    pass

def amount(text):
    raise NoAmount(text)

def entry(text):
    try:
        return amount(text)
    except NoAmount:
        return 1 / len(text)

if __name__ == "__main__":
    entry("")
"""


def test_the_class_of_an_exception_of_the_chain_is_gone(tmp_path: Path, small_program: Callable[[str], Program]) -> None:
    program = small_program(GONE)
    save_stop(program, tmp_path / "a.stop")
    program.edit({"class NoAmount": "class Nothing", "raise NoAmount(text)": "return text", "except NoAmount": "except Nothing"})
    shown = opened(tmp_path / "a.stop", "replay\nexceptions\nexceptions 0\nw\nreplay text='7'", program.folder)
    assert "NoAmount stands for an exception whose class is not there: " in shown
    assert "entry returned ''" in shown and "amount returned '7'" in shown
    assert f"> {program.path}(5)amount()  [post-mortem]" in shown


def test_pickles_find_the_classes_of_the_program(tmp_path: Path, small_program: Callable[[str], Program]) -> None:
    program = small_program("from boxes import Box\n\ndef fail(box):\n    return box.size / 0\n\nfail(Box(3))\n")
    (program.folder / "boxes.py").write_text(
        "class Box:\n    def __init__(self, size):\n        self.size = size\n    def twice(self):\n        return 2 * self.size\n"
    )
    save_stop(program, tmp_path / "a.stop", "--save-pickles")
    (tmp_path / "elsewhere").mkdir()
    shown = opened(tmp_path / "a.stop", "p box.twice()", tmp_path / "elsewhere", "--unpickle", f"--root={program.folder}")
    assert "(fixcont) 6\n" in shown


AGAIN = """\
import fixcont

def share(n):
    return 1 / n

def asked(n):
    try:
        return share(n)
    except ZeroDivisionError as error:
        raise error

def top(n):
    return asked(n), "top"

if __name__ == "__main__":
    try:
        top(0)
    except ZeroDivisionError as error:
        fixcont.save(error, "a.stop")
"""


def test_a_frame_that_has_raised_again_what_it_had_caught_is_one_frame(
    small_program: Callable[[str], Program],
) -> None:
    program = small_program(AGAIN)
    subprocess.run([sys.executable, program.path], env=child_environment(), cwd=program.folder, check=True, timeout=60)
    program.edit({"1 / n": "1 / (n or 1)"})
    shown = opened(program.folder / "a.stop", "up\nreplay\nup\nreplay\nreplay --outward", program.folder)
    assert shown.count("()  [post-mortem]") == 0
    assert "replay asked (version 1)\nasked returned 1.0\n" in shown
    assert "replay top (version 1)\ntop returned (1.0, 'top')\n" in shown


def test_a_file_that_could_not_be_loaded_at_first_is_loaded_when_it_is_mended(
    tmp_path: Path, small_program: Callable[[str], Program]
) -> None:
    body = CHAINED.partition("def entry")
    lazily = "    from amounts import amount\n    try:"
    program = small_program(f"{body[1]}{body[2]}".replace("    try:", lazily))
    amounts = program.folder / "amounts.py"
    amounts.write_text(body[0])
    save_stop(program, tmp_path / "a.stop")
    amounts.write_text(body[0] + "def (\n")
    edit = tmp_path / "mend"
    edit.write_text(f"#!/bin/sh\nsed -i -e '/def (/d' -e 's/int(text)/int(text[0])/' {amounts}\n")
    edit.chmod(0o755)
    lines = [
        "exceptions 0",
        "replay",
        "up",
        "holes",
        "down",
        "replay",
        f"!!import subprocess; subprocess.run(['{edit}'])",
        "replay",
    ]
    typed = "\n".join(each.replace("!!", "!") for each in lines)
    shown = opened(tmp_path / "a.stop", typed, program.folder)
    assert shown.count("refused: not-loaded: ") == 2 and "holes\n" not in shown.replace("has no holes\n", "")
    assert "replay amount (version 2)\namount returned 1\n" in shown


def test_what_was_assigned_is_kept_at_the_other_exceptions_of_the_chain(
    tmp_path: Path, small_program: Callable[[str], Program]
) -> None:
    text = CHAINED.replace(
        "    try:\n        return amount(text)", "    text = text.strip()\n    try:\n        return amount(text)"
    )
    program = small_program(text.replace("entry(texts[0])", "entry(texts.pop())"))
    save_stop(program, tmp_path / "a.stop")
    for typed in ("!text = '4'\nexceptions 0\nup\nreplay", "exceptions 0\nup\n!text = '4'\nexceptions 1\nreplay"):
        assert "entry returned 4\n" in opened(tmp_path / "a.stop", f"replay text='7'\n{typed}", program.folder)
        assert "entry returned 4\n" in opened(tmp_path / "a.stop", typed, program.folder)
