"""What is said of saved stops."""

from __future__ import annotations

from collections.abc import Mapping

from fixcont.postmortem.opening import Opened
from fixcont.postmortem.saving import Saved


def saved_line(saved: Saved) -> str:
    """Say what was saved, and what was not."""
    told = f"saved to {saved.path}: {_number(saved.frames, 'frame')}, {_number(saved.values, 'value')}, {saved.size} bytes"
    return "; ".join(filter(None, [told, holes_phrase(saved.holes)]))


def holes_phrase(holes: Mapping[str, int]) -> str:
    """Say how much was left out and why, "" where nothing was."""
    return f"left out: {', '.join(f'{number} ({why})' for why, number in sorted(holes.items()))}" if holes else ""


def opened_lines(path: str, opened: Opened) -> list[str]:
    """Say what a file holds, above the stop itself."""
    document = opened.document
    process = document.process
    made = f"Python {process.get('python', '?')} on {process.get('platform', '?')}"
    lines = [f"{path}: saved {document.time[:19].replace('T', ' ')} UTC by {made}"]
    arguments = process.get("arguments")
    if isinstance(arguments, list) and arguments:
        lines.append(f"command: {' '.join(map(str, arguments))}")
    left_out = holes_phrase(document.holes)
    failed = [f"not unpickled: {each}" for each in dict.fromkeys(opened.failed_pickles)]
    return [*lines, *([left_out] if left_out else []), *failed]


def _number(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
