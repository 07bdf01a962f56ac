"""What `help` lists."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fixcont_ui import wording
from fixcont_ui.commands import Command

#: Title -> commands.
Section = tuple[str, Sequence[Command]]


def command_list(sections: Sequence[Section], columns: int | None = None) -> Iterator[str]:
    """Give the lines of a list of all commands.

    Args:
        columns: of a line; None where it may be as long as it is.
    """
    for title, commands in sections:
        width = max(len(command.usage) for command in commands)
        yield from f"{title}:\n{'=' * (len(title) + 1)}".split("\n")
        for command in commands:
            yield from wording.two_columns(command.usage, command.summary, width, columns)
        yield ""
