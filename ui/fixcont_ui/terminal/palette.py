"""The colours, in one table for everything that is shown: sixteen of the terminal's own, so that they fit its background.

Nothing is told by a colour alone: what a colour marks is also marked by a sign, by bold type or by an underline.
"""

from __future__ import annotations

from typing import Final

from prompt_toolkit.styles import Style

#: Token of pygments, as prompt_toolkit writes it -> style.
TOKENS: Final[dict[str, str]] = {
    "keyword": "ansiblue bold",
    "keyword.constant": "ansicyan",
    "operator.word": "ansiblue bold",
    "name.builtin": "ansicyan",
    "name.builtin.pseudo": "italic",
    "name.exception": "ansicyan",
    "name.function": "bold",
    "name.function.magic": "bold",
    "name.class": "bold",
    "name.decorator": "ansimagenta",
    "literal.string": "ansigreen",
    "literal.string.interpol": "ansigreen bold",
    "literal.string.affix": "ansigreen",
    "literal.number": "ansiyellow",
    "comment": "italic #808080",
    "error": "",
}

STYLE: Final = Style.from_dict(
    {
        **{f"pygments.{name}": style for name, style in TOKENS.items()},
        "prompt": "bold",
        "command": "bold",
        "editor.number": "#808080",
        "editor.number.current": "bold",
        "editor.number.running": "ansiyellow bold",
        "editor.number.fault": "ansired bold",
        "editor.fault": "underline bold",
        "editor.title": "reverse",
        "editor.title.changed": "reverse bold",
        "editor.fault-message": "ansired bold",
        "editor.question": "bold",
        "editor.key": "bold",
        "editor.bar": "",
        "diff.added": "ansigreen",
        "diff.removed": "ansired",
        "diff.place": "ansicyan",
        "diff.title": "reverse",
        "bottom-toolbar": "noreverse #808080",
        "auto-suggestion": "#808080",
        "completion-menu": "noinherit reverse",
        "completion-menu.completion.current": "noinherit bold underline",
        "completion-menu.meta.completion": "noinherit reverse",
        "completion-menu.meta.completion.current": "noinherit bold underline",
        "scrollbar.background": "noinherit",
        "scrollbar.button": "noinherit reverse",
    }
)
