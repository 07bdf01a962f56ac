"""The source of messages at random makes what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixcont_ui.dap.stream import Broken, Decoder, encode
from support.dap_fuzz import Fuzz, commands
from support.dap_fuzz_run import STATES, Run
from support.dap_schema import fault_of


@pytest.mark.parametrize("command", sorted(commands()))
def test_right_requests_fit_the_schema(command: str) -> None:
    fuzz = Fuzz(3)
    for seq in range(1, 30):
        request = fuzz.request(seq, command)
        assert fault_of(request) == ""
        assert request["command"] == command


def test_wrong_requests_are_wrong_more_often_than_not() -> None:
    fuzz = Fuzz(4)
    wrong = sum(fault_of(fuzz.wrong_request(seq)) != "" for seq in range(1, 301))

    assert wrong > 150


def test_broken_bytes_are_no_whole_message() -> None:
    fuzz, last = Fuzz(5), {"the": "last"}
    for _ in range(200):
        found = Decoder().feed(fuzz.broken_bytes() + encode(last))
        assert any(isinstance(each, Broken) for each in found)
        assert found[-1] == last


def test_the_same_seed_makes_the_same_stream() -> None:
    assert list(Fuzz(6).stream(50)) == list(Fuzz(6).stream(50))
    assert list(Fuzz(6).stream(50)) != list(Fuzz(7).stream(50))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["adapter", "listening"])
@pytest.mark.parametrize("state", STATES)
def test_every_request_of_a_bad_client_is_answered_once_and_the_program_ends_as_it_would(
    kind: str, state: str, tmp_path: Path
) -> None:
    run = Run(kind, state, 26, 120, tmp_path)  # in this stream was a request that lost those behind it

    run.run()

    assert run.sent > 50
