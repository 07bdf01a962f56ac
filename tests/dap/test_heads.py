"""What the adapter passes on without reading it arrives as it was sent, but for its numbers; what is not surely a message of ours is read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fixcont_ui.dap import messages
from fixcont_ui.dap.adapter.heads import HeadDecoder
from fixcont_ui.dap.stream import Broken, Decoder, Head, encode, with_field

REQUEST = {"seq": 7, "type": "request", "command": "stackTrace"}
FRAMES = {"stackFrames": [{"id": 1, "name": 'a "name"} \\', "source": {"path": "/ä/\udcff.py"}}], "totalFrames": 1}


def came(data: bytes) -> dict[str, Any] | Broken:
    """Decode one message, which must be the same however it is cut."""
    (whole,) = HeadDecoder().feed(data)
    single = HeadDecoder()
    assert [each for index in range(len(data)) for each in single.feed(data[index : index + 1])] == [whole]
    return whole


def body_of(message: dict[str, Any] | Broken) -> Any:
    assert not isinstance(message, Broken)
    (found,) = Decoder().feed(encode(message))
    return found


@pytest.mark.parametrize(
    "sent",
    [
        messages.response(REQUEST, FRAMES),
        messages.response(REQUEST),
        messages.error_response(REQUEST, messages.error("timed-out", 'it takes longer than {this} "long"')),
    ],
)
def test_a_response_gets_other_numbers_and_nothing_else(sent: dict[str, Any]) -> None:
    found = came(encode({**sent, "seq": 12}))
    assert isinstance(found, Head)
    assert dict(found) == {"seq": 12, "type": "response", "request_seq": 7}

    changed = with_field(with_field(found, "request_seq", 1000), "seq", 2)

    assert body_of(changed) == {**sent, "seq": 2, "request_seq": 1000}
    assert body_of(found) == {**sent, "seq": 12}  # that one is as it was


def test_an_event_is_known_by_its_name() -> None:
    for sent in (messages.event("stopped", {"reason": "step", "threadId": 1}), messages.event("terminated")):
        found = came(encode({**sent, "seq": 3}))
        assert isinstance(found, Head)
        assert dict(found) == {"seq": 3, "type": "event", "event": sent["event"]}
        assert body_of(with_field(found, "seq", 99)) == {**sent, "seq": 99}


def test_what_the_adapter_must_know_is_read() -> None:
    sent = {**messages.event("process", {"name": "program.py", "systemProcessId": 3}), "seq": 1}
    found = came(encode(sent))
    assert found == sent and not isinstance(found, Head)


@pytest.mark.parametrize(
    "sent",
    [
        {"type": "response", "seq": 1, "request_seq": 2, "success": True, "command": "threads"},
        {"seq": 1, "type": "response", "request_seq": 2, "command": "threads", "success": True},
        {"seq": 1, "type": "response", "request_seq": "2", "success": True, "command": "threads"},
        {"seq": 1, "type": "response", "request_seq": -2, "success": True, "command": "threads"},
        {"seq": 1, "type": "event", "event": 'not a "name"'},
        {"seq": 1, "type": "request", "command": "runInTerminal"},
    ],
)
def test_what_is_written_otherwise_is_read_as_a_whole(sent: dict[str, Any]) -> None:
    found = came(encode(sent))
    assert found == sent and not isinstance(found, Head)


def test_what_is_broken_is_told_and_what_follows_comes() -> None:
    whole = json.dumps(messages.response(REQUEST, FRAMES), separators=(",", ":")).encode()
    after = encode(messages.event("stopped", {"reason": "step"}))
    for body in (whole[:-1], whole[:-2] + b"\xff}}", whole[:40], whole.replace(b"true", b"tru", 1)):
        broken, message = HeadDecoder().feed(b"Content-Length: %d\r\n\r\n%b" % (len(body), body) + after)
        assert isinstance(broken, Broken)
        assert isinstance(message, Head)
