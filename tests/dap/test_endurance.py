"""A session with many steps and saves loses nothing and grows by nothing but the history that undo needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.dap_endurance import endure

#: Objects that a patch in the history has.
_PATCH = 10


@pytest.mark.slow
def test_each_step_stops_each_save_is_installed_and_nothing_grows(tmp_path: Path) -> None:
    grown = endure(tmp_path.resolve(), steps=300, saves=30)

    assert grown.objects < _PATCH * grown.saves + 200
    assert grown.debuggee < 4_000_000
    assert grown.adapter < 2_000_000
