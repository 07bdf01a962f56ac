"""What front ends say of a replay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fixcont_ui import wording

if TYPE_CHECKING:
    from fixcont.postmortem.replay import Replayed

_LONGEST = 2000


def outcome_lines(outcome: Replayed) -> list[str]:
    """Say how a replay ended: its value, or what it raised; which callers have gone on, what these called again, and why the next one did not."""
    lines = [f"{name} called {', '.join(dict.fromkeys(calls))} again" for name, calls in outcome.repeated]
    lines += [f"{name} went on to its end" for name in outcome.callers]
    if outcome.error is not None:
        lines.append(f"{outcome.function} raised")
        lines += wording.exception_lines(outcome.error)
    else:
        lines.append(f"{outcome.function} returned {_shown(outcome.value)}")
    if outcome.refusal is not None:
        lines.append(f"its caller does not go on: {outcome.refusal}")
    return lines


def _shown(value: object) -> str:
    try:
        text = repr(value)
    except Exception as error:
        return f"a {type(value).__name__} whose repr fails ({type(error).__name__})"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
