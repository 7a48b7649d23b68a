"""A picture has every line of its screen, in place, and nothing from elsewhere."""

import re
from xml.etree import ElementTree as ET

import pytest

from tests.documentation import COLUMNS, PICTURED, PICTURES, output, screen
from tests.pictures import COLUMN, DARK, LIGHT, LINE, PAD, SIZE, picture

TEXT = "{http://www.w3.org/2000/svg}text"


def lines_of(svg: str) -> list[str]:
    """The lines that a reader sees."""
    lines: dict[int, str] = {}
    for one in ET.fromstring(svg).iter(TEXT):  # noqa: S314  (we wrote it)
        row = (float(one.attrib["y"]) - PAD - SIZE) / LINE
        column = (float(one.attrib["x"]) - PAD) / COLUMN
        assert row == int(row)
        assert column == pytest.approx(round(column), abs=0.01)
        assert float(one.attrib["textLength"]) == pytest.approx(len(one.text) * COLUMN, abs=0.06)
        line = lines.get(int(row), "")
        assert len(line) <= round(column)
        lines[int(row)] = line.ljust(round(column)) + one.text
    return [lines.get(row, "") for row in range(max(lines) + 1)]


@pytest.mark.parametrize("name", PICTURED)
def test_a_picture_shows_its_screen(name):
    svg = (PICTURES / name).read_text(encoding="utf-8")
    first, second, *shown = lines_of(svg)
    assert (first, second) == (f"$ {PICTURED[name]}", "")
    assert shown == output(PICTURED[name]).splitlines()
    assert max(map(len, shown)) <= COLUMNS


@pytest.mark.parametrize("name", PICTURED)
def test_a_picture_needs_nothing_from_elsewhere(name):
    svg = (PICTURES / name).read_text(encoding="utf-8")
    assert not re.search(r"href|url\(|@import|@font-face|<image|<script", svg)
    assert re.findall(r"https?://[^\"]+", svg) == ["http://www.w3.org/2000/svg"]
    assert "prefers-color-scheme: dark" in svg


def test_a_map_has_its_colors_in_a_picture():
    words = "--compute 1e19:1e23:9 --student 300M,3B --teacher 7B:2T --logits cached -o map"
    svg = screen(f"distillplan sweep {words}")
    assert lines_of(svg)[2:] == output(f"distillplan sweep {words}").splitlines()
    for color, glyph in (("green", "█"), ("yellow", "░"), ("blue", "·")):
        assert re.search(rf'class="{color}"[^>]*>{glyph}+<', svg)


def test_letters_of_markup_are_letters():
    assert lines_of(picture("a < b", "x && y > z\n", 20)) == ["$ a < b", "", "x && y > z"]


def luminance(color: str) -> float:
    """Relative luminance of a color in sRGB (WCAG 2.1)."""
    parts = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (
        one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_text_stands_out_from_its_page(theme):
    """By 4.5 to 1, which WCAG 2.1 asks of text (criterion 1.4.3)."""
    page = luminance(theme["page"])
    for name in theme.keys() - {"page", "edge"}:
        low, high = sorted((page, luminance(theme[name])))
        assert (high + 0.05) / (low + 0.05) >= 4.5
