"""A picture of the window in a real session, as SVG: `python tests/support/picture.py docs/window.svg` makes the one in the README anew."""

from __future__ import annotations

import html
import sys
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from support.screen import ScreenSession

_REPOSITORY: Final = Path(__file__).resolve().parent.parent.parent
_SIZE: Final = (104, 30)
_CELL: Final = (8.4, 18.0)  # of the font below at 14 pixels
_MARGIN: Final = 14
_GROUND, _INK = "#1b1e24", "#d8dbe0"
_COLOURS: Final = {
    "black": "#3b404a",
    "red": "#ff7b72",
    "green": "#8fd08a",
    "brown": "#e6c07b",
    "blue": "#79b8ff",
    "magenta": "#d2a8ff",
    "cyan": "#6fd3d3",
    "white": "#d8dbe0",
    "brightblack": "#8b93a1",
}


def session() -> ScreenSession:
    """Bring the window to a situation that shows what it is for: the demo with two loops, edited."""
    window = ScreenSession({"demos/": str(_REPOSITORY / "demos")}, ["-m", "fixcont", "--window", "demos/names.py"], size=_SIZE)
    window.wait_until(lambda: window.screen.is_full_screen and "Ctrl-S saves" in window.text)
    window.press("end", "backspace")
    window.type(", None)")
    window.press("enter")
    window.type("if name is None:")
    window.press("enter")
    window.type("continue")
    window.press("c-x", "4")
    window.type('f"{number:06X}", found\r')
    window.wait_for("'00D800'")
    window.press("c-x", "3")
    window.wait_for("══ names.py")
    return window


def svg(screen: Any) -> str:
    """Draw a screen."""
    width = round(screen.columns * _CELL[0] + 2 * _MARGIN)
    height = round(screen.lines * _CELL[1] + 2 * _MARGIN)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
        '<g font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="14">',
        "<title>The window of fixcont, at a stop in demos/names.py</title>",
        f'<rect width="{width}" height="{height}" rx="8" fill="{_GROUND}"/>',
    ]
    for row in range(screen.lines):
        for begin, text, look in _runs(screen, row):
            parts += _drawn(row, begin, text, look)
    if not screen.cursor.hidden:
        x, y = _place(screen.cursor.y, screen.cursor.x)
        parts.append(f'<rect x="{x}" y="{y}" width="{_CELL[0]}" height="{_CELL[1]}" fill="{_INK}" fill-opacity="0.6"/>')
    return "\n".join([*parts, "</g>", "</svg>", ""])


def _runs(screen: Any, row: int) -> list[tuple[int, str, tuple[Any, ...]]]:
    """Give the pieces of a line that look the same: first column, text, look."""
    runs: list[tuple[int, str, tuple[Any, ...]]] = []
    for column in range(screen.columns):
        cell = screen.buffer[row][column]
        look = (cell.fg, cell.bg, cell.bold, cell.italics, cell.underscore, cell.reverse)
        if runs and runs[-1][2] == look:
            runs[-1] = (runs[-1][0], runs[-1][1] + cell.data, look)
        else:
            runs.append((column, cell.data, look))
    return runs


def _drawn(row: int, begin: int, text: str, look: tuple[Any, ...]) -> list[str]:
    fg, bg, bold, italics, underscore, reverse = look
    ink, ground = _COLOURS.get(fg, _INK), _COLOURS.get(bg, "")
    if reverse:
        ink, ground = _GROUND, ink
    x, y = _place(row, begin)
    width = round(len(text) * _CELL[0], 1)
    parts = [f'<rect x="{x}" y="{y}" width="{width}" height="{_CELL[1]}" fill="{ground}"/>'] if ground else []
    if text.strip():
        style = "".join(
            [
                ' font-weight="bold"' if bold else "",
                ' font-style="italic"' if italics else "",
                ' text-decoration="underline"' if underscore else "",
            ]
        )
        shown = html.escape(text.rstrip() if not underscore else text)
        length = round(len(text.rstrip() if not underscore else text) * _CELL[0], 1)
        parts.append(
            f'<text x="{x}" y="{round(y + 13.5, 1)}" fill="{ink}"{style} textLength="{length}" lengthAdjust="spacingAndGlyphs" '
            f'xml:space="preserve">{shown}</text>'
        )
    return parts


def _place(row: int, column: int) -> tuple[float, float]:
    return round(_MARGIN + column * _CELL[0], 1), round(_MARGIN + row * _CELL[1], 1)


def main() -> None:
    """Write the picture."""
    with session() as window:
        Path(sys.argv[1]).write_text(svg(window.screen), encoding="utf-8")
        print(window.text)


if __name__ == "__main__":
    main()
