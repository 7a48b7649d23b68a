"""Screens as SVGs: no font and no file from elsewhere, light or dark as the reader's pages are."""

from collections.abc import Iterator
from html import escape

from rich.cells import cell_len
from rich.console import Console
from rich.style import Style
from rich.text import Text

FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', 'DejaVu Sans Mono'"
"""Whatever of these is there; each piece of text is set to its width in columns anyway."""
SIZE, COLUMN, LINE, PAD = 14, 8.4, 19, 16
"""Of the text, a column, a line and the margin, in pixels."""
ANSI: dict[int | None, str] = {2: "green", 3: "yellow", 4: "blue"}
"""Colors of a terminal by their numbers; another one is an error until it has a name here."""
LIGHT = {"page": "#f6f8fa", "edge": "#d1d9e0", "text": "#1f2328", "quiet": "#59636e"}
LIGHT |= {"yellow": "#7d4e00", "green": "#116329", "blue": "#0550ae"}
DARK = {"page": "#151b23", "edge": "#3d444d", "text": "#f0f6fc", "quiet": "#9198a1"}
DARK |= {"yellow": "#d29922", "green": "#3fb950", "blue": "#58a6ff"}


def picture(command: str, screen: str, columns: int) -> str:
    """An SVG of a command and what a terminal shows after it.

    Args:
        command: as it is typed.
        screen: what it writes, with the codes of a terminal for its styles.
        columns: width of the terminal.
    """
    lines = [Text(f"$ {command}"), Text(), *Text.from_ansi(screen.rstrip()).split("\n")]
    width = round(2 * PAD + columns * COLUMN)
    height = 2 * PAD + len(lines) * LINE
    about = f'viewBox="0 0 {width} {height}" role="img" xml:space="preserve"'
    frame = f'x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="6"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {about}>',
            f"<title>{escape(command)}</title>",
            "<style>",
            f"text {{ font: {SIZE}px {FONT}, monospace; white-space: pre; }}",
            ".bold { font-weight: bold; }",
            *_colors(LIGHT),
            "@media (prefers-color-scheme: dark) {",
            *_colors(DARK),
            "}",
            "</style>",
            f'<rect class="page edge" {frame}/>',
            *(piece for row, line in enumerate(lines) for piece in _pieces(row, line)),
            "</svg>\n",
        ]
    )


def _colors(theme: dict[str, str]) -> Iterator[str]:
    """What each class is drawn in."""
    for name, color in theme.items():
        yield f".{name} {{ {'stroke' if name == 'edge' else 'fill'}: {color}; }}"


def _pieces(row: int, line: Text) -> Iterator[str]:
    """The text of a line, a piece for each style, each as wide as its columns."""
    column = 0
    y = PAD + row * LINE + SIZE
    for segment in line.render(Console(width=1000), end=""):
        text, width = segment.text.lstrip(" "), cell_len(segment.text)
        x = PAD + (column + width - cell_len(text)) * COLUMN
        column += width
        text = text.rstrip(" ")
        if text:
            yield (
                f'<text class="{_classes(segment.style)}" x="{x:.1f}" y="{y}" '
                f'textLength="{cell_len(text) * COLUMN:.1f}">{escape(text, quote=False)}</text>'
            )


def _classes(style: Style | None) -> str:
    """The classes of a piece of text."""
    if style is None:
        return "text"
    color = "text" if style.color is None else ANSI[style.color.number]
    return f"{'quiet' if style.dim else color}{' bold' if style.bold else ''}"
