"""How the window looks. Nothing is told by a colour alone: see the signs of the panes."""

from __future__ import annotations

from typing import Final

from prompt_toolkit.styles import Style, merge_styles

from fixcont_ui.terminal.palette import STYLE as _SHARED

#: Bright black, which is invisible on some of the usual dark backgrounds, is not used.
FAINT: Final = "#808080"

STYLE: Final = merge_styles(
    [
        _SHARED,
        Style.from_dict(
            {
                "title": "reverse bold",
                "title.where": "reverse",
                "heading": "ansicyan",
                "heading.focused": "ansicyan bold",
                "frame.user": "bold",
                "dim": FAINT,
                "mark": "ansiyellow bold",
                "selected": "reverse",
                "selected.unfocused": "underline",
                "variable.name": "bold",
                "variable.value": "",
                "way": "",
                "way.refused": FAINT,
                "key": "bold",
                "question": "bold",
                "refused": "ansired bold",
                "told": "",
                "breakpoint": "ansired bold",
                "source.failing": "underline bold",
                "frame.border": "ansicyan",
                "frame.label": "ansicyan bold",
            }
        ),
    ]
)
