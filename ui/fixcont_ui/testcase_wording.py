"""What is said of tests that were written."""

from __future__ import annotations

from fixcont.testcases.writing import Written


def written_lines(written: Written, path: str) -> list[str]:
    """Say what was written where, and how it has fared.

    Args:
        path: the file, as the user has named it.
    """
    lines = [written.name, f"before the repair: fails, {written.failed_with}", "now: passes"]
    if not written.is_alike:
        lines.append(
            "that is not how it failed here: the call may have changed its arguments before; see the comment in the test"
        )
    return [*lines, f"{'written to' if written.is_new else 'added to'} {path}"]
