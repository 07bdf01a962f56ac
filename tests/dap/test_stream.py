"""Messages come through whole however the bytes are cut, and what is no message is told once and left behind."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixcont_ui.dap.stream import MAX_DEPTH, Broken, Decoder, encode, is_too_deep
from support.dap_fuzz import Fuzz
from support.once import cases

FIRST = {"seq": 1, "type": "request", "command": "threads"}
SECOND = {"seq": 2, "type": "request", "command": "evaluate", "arguments": {"expression": "'ä→\U0001f40d' \r\n\r\n \x00"}}


def framed(body: bytes, length: int | None = None) -> bytes:
    return b"Content-Length: %d\r\n\r\n" % (len(body) if length is None else length) + body


def decoded(data: bytes, **options: Any) -> list[dict[str, Any] | Broken]:
    """Decode in one piece, byte by byte, and cut in two everywhere (or at some places): all must give the same."""
    whole = Decoder(**options).feed(data)
    single = Decoder(**options)
    assert [each for index in range(len(data)) for each in single.feed(data[index : index + 1])] == whole
    for cut in range(1, len(data), max(1, len(data) // 300)):
        two = Decoder(**options)
        assert two.feed(data[:cut]) + two.feed(data[cut:]) == whole, f"cut at {cut}"
    return whole


def test_messages_survive_any_cut() -> None:
    assert decoded(encode(FIRST) + encode(SECOND) + encode(FIRST)) == [FIRST, SECOND, FIRST]


@given(
    st.lists(st.dictionaries(st.text(), st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))),
    st.lists(st.integers(1, 200)),
)
@settings(deadline=None, max_examples=cases(25))
def test_whatever_is_encoded_is_decoded(messages: list[dict[str, Any]], sizes: list[int]) -> None:
    data = b"".join(encode(message) for message in messages)
    decoder, got, at = Decoder(), [], 0
    for size in [*sizes, len(data)]:
        got += decoder.feed(data[at : at + size])
        at += size

    assert got == messages


def test_text_is_utf8_and_lone_surrogates_are_escapes() -> None:
    data = encode({"a": "ä\udcff\ud800x"})

    assert "ä".encode() in data and b"\\udcff\\ud800x" in data
    assert data.startswith(b"Content-Length: %d\r\n\r\n" % len(data.partition(b"\r\n\r\n")[2]))
    assert decoded(data) == [{"a": "ä\udcff\ud800x"}]


def test_what_is_no_json_is_not_encoded() -> None:
    with pytest.raises(ValueError):
        encode({"a": float("nan")})
    with pytest.raises(TypeError):
        encode({"a": object()})


@pytest.mark.parametrize(
    "headers",
    [
        b"content-length: %d\r\n\r\n",
        b"CONTENT-LENGTH:%d\r\n\r\n",
        b"Content-Type: application/vscode-jsonrpc; charset=utf-8\r\nContent-Length: %d\r\nX-Other: a: b\r\n\r\n",
        b"Content-Length:   %d  \r\n\r\n",
        b"Content-Length: %d\n\n",
        b"\r\nContent-Length: %d\r\n\r\n",
        b"Content-Length: 00%d\r\n\r\n",
    ],
)
def test_headers_may_look_otherwise(headers: bytes) -> None:
    body = json.dumps(SECOND).encode()
    assert decoded(encode(FIRST) + headers % len(body) + body + encode(FIRST)) == [FIRST, SECOND, FIRST]


BODY = json.dumps(SECOND).encode()
DEEP = b"[" * 100_000


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"Content-Type: text\r\n\r\n" + BODY, "a message has no header Content-Length"),
        (b"Content-Length: -3\r\n\r\n" + BODY, "Content-Length is '-3', not a number of bytes"),
        (b"Content-Length: 1e3\r\n\r\n" + BODY, "Content-Length is '1e3', not a number of bytes"),
        (b"Content-Length:\r\n\r\n" + BODY, "Content-Length is '', not a number of bytes"),
        (b"Content-Length: 99999999999\r\n\r\n" + BODY, "Content-Length is '99999999999', not a number of bytes"),
        (b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n" + BODY, f"Content-Length is '{'9' * 40}', not a number of bytes"),
        (BODY, "'{' is no header"),
        (BODY + b"\n", "'{' is no header"),
        (b"hello\r\n\r\n", "'hello' is no header"),
        (b"say hello: 5\r\n\r\n", "'say hello: 5' is no header"),
        (b"\xff\x00", "'\\\\xff' is no header"),
        (b"x" * 10_000, "a header is too long"),
        (b"x: y\r\n" * 3000, "a header is too long"),
        (framed(b"[1]"), "a message is no JSON object"),
        (framed(b"null"), "a message is no JSON object"),
        (framed(b""), "a message is no JSON: Expecting value: line 1 column 1 (char 0)"),
        (framed(b'{"a": NaN}'), "a message is no JSON: NaN is no JSON"),
        (framed(b'{"a": 1e999}'), "a message is no JSON: 1e999 is too large"),
        (framed(b"{} {}"), "a message is no JSON: Extra data: line 1 column 4 (char 3)"),
        (framed(b'{"a": "\xff"}'), "a message is not in UTF-8"),
        (framed(b'{"a": "\xed\xa0\x80"}'), "a message is not in UTF-8"),
        (framed(DEEP), "a message is too deeply nested"),
        (framed(b'{"a":' * 1000 + b"1" + b"}" * 1000), "a message is too deeply nested"),
        (framed(BODY, len(BODY) + 10), "a message is no JSON: Extra data"),
        (framed(BODY, len(BODY) + len(encode(FIRST)) - 3), "a message is no JSON: Extra data"),
        (framed(BODY, len(BODY) - 1), "a message is no JSON: "),
    ],
)
def test_what_is_broken_is_told_and_the_next_message_is_understood(data: bytes, reason: str) -> None:
    found = decoded(encode(FIRST) + data + encode(FIRST) + encode(SECOND))

    assert found[0] == FIRST
    assert found[-2:] == [FIRST, SECOND]
    broken = found[1:-2]
    assert all(isinstance(each, Broken) for each in broken) and 1 <= len(broken) <= 2
    assert isinstance(broken[0], Broken) and broken[0].reason.startswith(reason)


def test_a_contradiction_about_the_length_is_told() -> None:
    found = decoded(b"Content-Length: 7\r\nContent-Length: 2\r\n\r\n{}" + encode(FIRST))
    assert found == [Broken("a message has two headers Content-Length"), {}, FIRST]
    assert decoded(b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}" + encode(FIRST)) == [{}, FIRST]


def test_a_word_printed_in_front_of_a_header_costs_no_message() -> None:
    assert decoded(encode(FIRST) + b"hello" + encode(SECOND)) == [
        FIRST,
        Broken("a message has no header Content-Length"),
        SECOND,
    ]
    assert decoded(encode(FIRST) + b"hello, world! " + encode(SECOND))[-1] == SECOND


def test_a_message_that_is_too_long_is_skipped_and_not_stored() -> None:
    data = framed(b'{"a": "' + b"Content-Length: 5\r\n\r\n" * 50 + b'"}')
    found = decoded(encode(FIRST) + data + encode(SECOND), max_length=200)
    assert found == [FIRST, Broken("a message of 1059 bytes is longer than 200"), SECOND]

    decoder = Decoder(max_length=1000)
    assert decoder.feed(b"Content-Length: 100000000\r\n\r\n") == [Broken("a message of 100000000 bytes is longer than 1000")]
    for _ in range(100):
        assert decoder.feed(bytes(1_000_000)) == []
        assert len(decoder._buffer) == 0
    assert decoder.feed(encode(FIRST)) == [FIRST]


def test_depth_is_counted_outside_of_texts() -> None:
    assert not is_too_deep(b'{"a": "' + b"[" * 1000 + b'\\"' + b"{" * 1000 + b'"}')
    assert not is_too_deep(b"[" + b"[]," * 1000 + b"[]]")
    assert not is_too_deep(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
    assert is_too_deep(b"[" * (MAX_DEPTH + 1))
    assert is_too_deep(b'{"a\\\\":' * (MAX_DEPTH + 1))
    assert not is_too_deep(b'["' + b'\\"[' * 100_000)


@pytest.mark.parametrize("seed", range(30))
def test_good_and_broken_mixed(seed: int) -> None:
    fuzz, good, data = Fuzz(seed), [], b""
    for number in range(20):
        if fuzz.random.random() < 0.5:
            data += fuzz.broken_bytes()
        for _ in range(fuzz.random.randrange(1, 3)):
            message = fuzz.request(number)
            good.append(message)
            data += encode(message)
    cuts = random.Random(seed)
    decoder, found, at = Decoder(), [], 0
    while at < len(data):
        size = cuts.choice((1, 3, 20, 500, 70_000))
        found += decoder.feed(data[at : at + size])
        at += size

    assert found == Decoder().feed(data)
    messages = [each for each in found if not isinstance(each, Broken)]
    assert [each for each in messages if each in good] == good


@given(st.lists(st.sampled_from([b"Content-Length", b":", b" ", b"7", b"\r\n", b"\n", b"{}", b"x", b"\xff", b'{"a":1}', b"-"])))
@settings(deadline=None, max_examples=cases(100))
def test_no_bytes_make_it_raise_and_no_cut_makes_a_difference(pieces: list[bytes]) -> None:
    data = b"".join(pieces)
    decoded(data + b"\r\n" + encode(FIRST))
