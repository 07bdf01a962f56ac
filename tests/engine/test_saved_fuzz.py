"""The reader of saved stops against files that are damaged, made up, or made to harm: an answer or the documented error, within bounds."""

from __future__ import annotations

import copy
import json
import random
import resource
import sys
import threading
import time
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fixcont
from fixcont.postmortem.opening import open_stop
from fixcont.postmortem.reading import Unreadable, read
from fixcont_ui.saved_summary import summary

CODES = {"not-a-saved-stop", "damaged", "newer-format", "too-large", "file-unreadable"}


class Thing:
    def __init__(self) -> None:
        self.inside = {"a": [1, 2.5, None], (1, "b"): {3, 4}, "self": self}


def fail(thing: Any, *rest: int) -> None:
    import datetime
    import decimal
    import pathlib
    import re

    values = [datetime.datetime.now(datetime.UTC), decimal.Decimal("1.5"), pathlib.Path("/x"), re.compile("a"), b"x", 2**70, 1j]
    try:
        raise KeyError(values)
    except KeyError as error:
        raise ExceptionGroup("g", [ValueError("v"), error])


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("saved") / "a.stop"

    def run() -> None:
        try:
            fail(Thing(), 1, 2)
        except ExceptionGroup as error:
            fixcont.save(error, path)

    thread = threading.Thread(target=run)  # with a short stack
    thread.start()
    thread.join()
    return path


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scratch") / "b.stop"


def outcome(content: bytes, path: Path) -> str:
    """Open a file with this content. Returns "opened", or the code of the error; whatever else comes fails the test."""
    path.write_bytes(content)
    try:
        opened = open_stop(read(str(path)))
    except Unreadable as unreadable:
        return unreadable.refusal.code  # that it is a documented one is what every test asks
    for frame in opened.stop.frames:
        assert dict(frame.raw.f_locals) is not None
    return "opened"


def packed(lines: list[Any]) -> bytes:
    return zlib.compress(b"".join(json.dumps(line).encode() + b"\n" for line in lines), wbits=31)


def unpacked(path: Path) -> list[Any]:
    return [json.loads(line) for line in zlib.decompress(path.read_bytes(), 31).splitlines()]


def test_as_it_was_written_it_opens(saved: Path, scratch: Path) -> None:
    assert outcome(saved.read_bytes(), scratch) == "opened"
    assert outcome(packed(unpacked(saved)), scratch) == "opened"


@pytest.mark.slow
@settings(deadline=None, max_examples=100)
@given(st.binary())
def test_random_bytes(scratch: Path, content: bytes) -> None:
    assert outcome(content, scratch) in CODES
    assert outcome(b"\x1f\x8b" + content, scratch) in CODES


@pytest.mark.slow
def test_every_truncation(saved: Path, scratch: Path) -> None:
    whole = saved.read_bytes()

    for size in range(0, len(whole), max(1, len(whole) // 300)):
        assert outcome(whole[:size], scratch) in {"damaged", "not-a-saved-stop"}, size
    assert outcome(whole + b"x", scratch) == "damaged"


@pytest.mark.slow
@settings(deadline=None, max_examples=150)
@given(st.integers(0, 1 << 30), st.integers(0, 255))
def test_every_change_of_what_is_said_is_found(saved: Path, scratch: Path, place: int, byte: int) -> None:
    content = bytearray(saved.read_bytes())
    content[place % len(content)] = byte

    found = outcome(bytes(content), scratch)

    # A part of gzip's head, and the bits behind the end of the packed text, mean nothing.
    assert found in CODES or unpacked(scratch) == unpacked(saved)


ATOMS = [None, True, 0, -1, 1, 2**31, 2**70, 1.5, "", "x", "\ud800", "kind", [], [0], [5], [10**9], {}, {"f": 1}, {"f": "nan"}, {"f": "x"}, {"hole": "depth"}, {"t": "list", "v": [[0]]}]  # fmt: skip


def mutate(value: Any, choose: random.Random) -> Any:
    """Change one place somewhere in a JSON value."""
    if isinstance(value, dict) and value and choose.random() < 0.85:
        key = choose.choice(list(value))
        done = choose.random()
        if done < 0.1:
            return {name: each for name, each in value.items() if name != key}
        return {**value, key: mutate(value[key], choose)}
    if isinstance(value, list) and value and choose.random() < 0.85:
        place = choose.randrange(len(value))
        done = choose.random()
        if done < 0.1:
            return value[:place] + value[place + 1 :]
        if done < 0.2:
            return value[: place + 1] + value[place:]
        return [*value[:place], mutate(value[place], choose), *value[place + 1 :]]
    return copy.deepcopy(choose.choice(ATOMS))


@pytest.mark.slow
@settings(deadline=None, max_examples=400)
@given(st.integers(0, 1 << 60))
def test_mutations_of_the_content(saved: Path, scratch: Path, seed: int) -> None:
    choose = random.Random(seed)
    lines = unpacked(saved)
    for _ in range(choose.randint(1, 4)):
        number = choose.randrange(len(lines))
        lines[number] = mutate(lines[number], choose)

    assert outcome(packed(lines), scratch) in {*CODES, "opened"}


def test_a_newer_format_says_so(saved: Path, scratch: Path) -> None:
    lines = unpacked(saved)

    assert outcome(packed([{"format": "fixcont-saved-stop", "version": [2, 0]}, *lines[1:]]), scratch) == "newer-format"
    assert outcome(packed([{"format": "fixcont-saved-stop", "version": [1, 7]}, *lines[1:]]), scratch) == "opened"
    assert outcome(packed([{"format": "something-else", "version": [1, 0]}, *lines[1:]]), scratch) == "not-a-saved-stop"


def test_what_a_later_version_adds_is_left_out(saved: Path, scratch: Path) -> None:
    lines = unpacked(saved)
    lines.insert(2, {"kind": "weather", "sun": True})
    lines[-1]["lines"] += 1
    lines[1]["new"] = [1]
    values = next(line for line in lines if line.get("kind") == "values")
    values["values"][0] = {"t": "quaternion", "v": [1, 2, 3, 4]}

    assert outcome(packed(lines), scratch) == "opened"


def test_a_missing_line_is_found(saved: Path, scratch: Path) -> None:
    lines = unpacked(saved)

    for number in range(1, len(lines)):
        assert outcome(packed(lines[:number] + lines[number + 1 :]), scratch) == "damaged"


def test_values_that_are_part_of_themselves(saved: Path, scratch: Path) -> None:
    for entry in (
        {"t": "tuple", "v": [[0]]},
        {"t": "frozenset", "v": [[0]]},
        {"t": "slice", "v": [[0], None, None]},
        {"t": "object", "type": ["m", "C"], "attributes": {}, "base": {"t": "tuple", "v": [[0]]}},
    ):
        lines = unpacked(saved)
        next(line for line in lines if line.get("kind") == "values")["values"][0] = entry
        assert outcome(packed(lines), scratch) == "damaged", entry


def test_nothing_is_imported_run_or_unpickled(saved: Path, scratch: Path, tmp_path: Path) -> None:
    import pickle
    import sys

    class Bomb:
        def __reduce__(self) -> Any:
            return open, (str(tmp_path / "was run"), "w")

    import base64

    lines = unpacked(saved)
    values = next(line for line in lines if line.get("kind") == "values")["values"]
    bomb = base64.b64encode(pickle.dumps(Bomb())).decode()
    values[0] = {"t": "object", "type": ["antigravity", "X"], "attributes": {"__class__": "x", "__dict__": 1}, "pickle": bomb}
    values[1] = {"t": "module", "name": "antigravity"}
    values[2] = {"t": "function", "name": ["os", "system"]}

    assert outcome(packed(lines), scratch) == "opened"
    assert not (tmp_path / "was run").exists()
    assert "antigravity" not in sys.modules


@pytest.mark.slow
@pytest.mark.parametrize(
    "line", [b"[" * 10_000_000, b'{"a":' * 1_000_000, b" " * 80_000_000, b"1" * 10_000_000, b'["' + b"x" * 15_000_000]
)
def test_bombs_are_found_in_bounded_time_and_memory(scratch: Path, line: bytes) -> None:
    head = b'{"format":"fixcont-saved-stop","version":[1,0]}\n'
    content = zlib.compress(head + line + b"\n", wbits=31)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begin = time.perf_counter()

    assert outcome(content, scratch) in {"damaged", "too-large"}
    assert time.perf_counter() - begin < 20
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400_000  # KB


def with_values(path: Path, entries: list[Any], **variables: Any) -> list[Any]:
    """Give the lines of a file with these values in the place of its own, and with one frame, that has these variables."""
    lines = [line for line in unpacked(path) if line.get("kind") not in ("exception", "values", "module", "end")]
    frame = next(line for line in lines if line.get("kind") == "frame")
    lines = [line for line in lines if line.get("kind") != "frame"]
    lines[1] |= {"exception": None, "selected": 0}
    lines.append(frame | {"locals": variables, "module": None})
    lines += [{"kind": "values", "first": n, "values": entries[n : n + 1000]} for n in range(0, len(entries), 1000)]
    return [*lines, {"kind": "end", "lines": len(lines) + 1}]


_COLLIDING = [{"t": "int", "v": hex(n * (2**61 - 1))} for n in range(1, 3000)]
_NESTED = [{"t": "int", "v": "0x1"}, *({"t": "tuple", "v": [[n], [n]]} for n in range(95))]
_HUGE = [{"t": "int", "v": "0x" + "f" * 500_000}]
_FROZEN: list[Any] = [{"t": "int", "v": "0x1"}, {"t": "int", "v": "0x2"}]
for _n in range(90):
    _FROZEN += [{"t": "frozenset", "v": [[2 * _n], [2 * _n + 1]]}, {"t": "tuple", "v": [[2 * _n], [2 * _n + 1]]}]


@pytest.mark.parametrize(
    ("entries", "container"),
    [
        (_COLLIDING, {"t": "set", "v": [[n] for n in range(len(_COLLIDING))]}),
        (_COLLIDING, {"t": "frozenset", "v": [[n] for n in range(len(_COLLIDING))]}),
        (_NESTED, {"t": "dict", "k": [[95]], "v": [1]}),
        (_FROZEN, {"t": "dict", "k": [[181], [180]], "v": [1, 2]}),
        (_HUGE, {"t": "dict", "k": [[0]] * 100_000, "v": [None] * 100_000}),
        (_HUGE, {"t": "set", "v": [[0]] * 100_000}),
        ([{"t": "str", "v": "x" * 1_000_000}], {"t": "set", "v": [[0]] * 100_000}),
    ],
    ids=["alike", "alike frozen", "tuples", "frozensets", "a huge number", "a huge number in a set", "a long text"],
)
def test_keys_that_would_take_for_ever(saved: Path, scratch: Path, entries: list[Any], container: Any) -> None:
    begin = time.process_time()
    content = packed(with_values(saved, [*entries, container], x=[len(entries)]))

    assert outcome(content, scratch) == "damaged"
    assert time.process_time() - begin < 10


def test_large_containers_and_numbers_of_a_real_program_open(saved: Path, scratch: Path) -> None:
    numbers = [{"t": "int", "v": hex(2**60 + n)} for n in range(5000)]
    entries = [
        *numbers,
        {"t": "set", "v": [[n] for n in range(5000)]},
        {"t": "dict", "k": list(range(50_000)), "v": [0] * 50_000},
    ]
    entries += [{"t": "int", "v": "0x" + "f" * 1_000_000}, {"t": "dict", "k": [[5002]], "v": [1]}]
    lines = with_values(saved, entries, x=[5000], y=[5001], z=[5003])

    assert outcome(packed(lines), scratch) == "opened"


def test_fractions_that_would_take_for_ever_are_holes(saved: Path, scratch: Path) -> None:
    huge = {"t": "fraction", "v": ["0x" + "f7" * 1_000_000, "0x" + "e3" * 1_000_000]}
    begin = time.process_time()

    assert outcome(packed(with_values(saved, [huge], x=[0])), scratch) == "opened"
    assert time.process_time() - begin < 5


def test_numbers_in_the_json_are_bounded_however_many_digits_the_process_allows(scratch: Path) -> None:
    head = b'{"format":"fixcont-saved-stop","version":[1,0]}\n'
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    begin = time.process_time()
    try:
        assert outcome(zlib.compress(head + b'{"kind":"x","n":' + b"7" * 3_000_000 + b"}\n", wbits=31), scratch) == "damaged"
    finally:
        sys.set_int_max_str_digits(before)
    assert time.process_time() - begin < 5


def test_many_exceptions_of_one_stack(saved: Path, scratch: Path) -> None:
    lines = with_values(saved, [])
    error = next(line for line in unpacked(saved) if line.get("kind") == "exception")
    error |= {"value": None, "stack": 0, "cause": None, "context": None, "members": []}
    lines[1]["exception"] = 0
    for number, code in ((900, "opened"), (1_100, "damaged")):
        made = [*lines[:-1], *[error | {"context": each + 1} for each in range(number - 1)], error]
        assert outcome(packed([*made, {"kind": "end", "lines": len(made) + 1}]), scratch) == code
        if code == "opened":
            first = open_stop(read(str(scratch))).stop.exception
            assert first is not None and first.__context__ is not None
            assert first.__traceback__ is first.__context__.__traceback__ is not None


def test_groups_of_exceptions_that_share_members(saved: Path, scratch: Path) -> None:
    """With each level there are twice as many to be shown."""
    lines = unpacked(saved)[:-1]
    group, *others = [line for line in lines if line.get("kind") == "exception"]
    made = [line for line in lines if line.get("kind") != "exception"]
    for levels, code in ((3, "opened"), (40, "damaged")):
        groups = [group | {"members": [n + 1, n + 1], "value": None, "cause": None, "context": None} for n in range(levels)]
        last = others[0] | {"value": None, "members": [], "cause": None, "context": None}
        together = [*made, *groups, last]
        assert outcome(packed([*together, {"kind": "end", "lines": len(together) + 1}]), scratch) == code


def test_texts_that_begin_far_down(saved: Path, scratch: Path) -> None:
    lines = with_values(saved, [])
    text = {"kind": "text", "file": "x.py", "first": 900_000, "text": "x\n", "is_certain": True, "is_whole": False}
    made = [*lines[:-1], *[text] * 100]

    assert outcome(packed([*made, {"kind": "end", "lines": len(made) + 1}]), scratch) == "damaged"


def test_objects_that_share_parts_look_short(saved: Path, scratch: Path) -> None:
    """With each step there are four times as many ways to the last one."""
    entries: list[Any] = []
    for n in range(60):
        inside = [n + 1] if n < 59 else 7
        entries.append(
            {"t": "object", "type": ["m", "list" if n % 3 else "C"], "attributes": {"a": inside, "b": [inside, inside]}}
        )
        entries[-1]["attributes"]["b"] = inside
    lines = with_values(saved, [*entries, {"t": "list", "v": [[0], [0]]}], x=[0], y=[60])
    scratch.write_bytes(packed(lines))
    opened = open_stop(read(str(scratch)))
    begin = time.process_time()

    assert len(repr(opened.stop.frames[0].raw.f_locals["x"])) < 10_000
    assert json.dumps(summary(opened))
    assert time.process_time() - begin < 5


@pytest.mark.slow
def test_many_small_lines_are_too_large(scratch: Path) -> None:
    head = b'{"format":"fixcont-saved-stop","version":[1,0]}\n'
    lines = b'{"kind":"x"}\n' * 5_000_000

    assert outcome(zlib.compress(head + lines, wbits=31), scratch) == "too-large"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    for name in (str(tmp_path / "none"), str(tmp_path), "null\0byte"):
        with pytest.raises(Unreadable) as caught:
            read(name)
        assert caught.value.refusal.code == "file-unreadable"
