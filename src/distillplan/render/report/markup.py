"""A small writer of HTML and SVG: every text is escaped where it is put into an element."""

import html
from collections.abc import Iterable
from typing import TypeAlias

from distillplan.render.printable import printable

VOID = frozenset(("br", "circle", "input", "line", "meta", "path", "polyline", "rect"))
"""Elements without contents."""


class Markup(str):
    """HTML that is safe as it stands."""

    __slots__ = ()


Content: TypeAlias = "str | Iterable[Content] | None"
"""Texts, elements, nothing, or several of these."""


def element(name: str, /, *content: Content, **attributes: str | float | bool | None) -> Markup:
    """One element.

    Args:
        name: of the element.
        content: texts, which are escaped, and elements.
        attributes: by name, with ``_`` for ``-`` and one more at the end of a word of Python's;
            True is an attribute without a value, None or False is none.

    >>> element("p", "a < b", class_="note")
    '<p class="note">a &lt; b</p>'
    """
    said = "".join(
        _attribute(key.rstrip("_").replace("_", "-"), None if value is True else value)
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if name in VOID:
        return Markup(f"<{name}{said}>" if name in {"br", "input", "meta"} else f"<{name}{said}/>")
    return Markup(f"<{name}{said}>{joined(content)}</{name}>")


def joined(content: Content) -> Markup:
    """Contents as one text; what is no markup is escaped.

    >>> joined(["<", None, Markup("<br>")])
    '&lt;<br>'
    """
    if content is None:
        return Markup("")
    if isinstance(content, Markup):
        return content
    if isinstance(content, str):
        return Markup(html.escape(printable(content)))
    return Markup("".join(map(joined, content)))


def _attribute(key: str, value: str | float | None) -> str:
    """One attribute; without a value for None."""
    if value is None:
        return f" {key}"
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return f' {key}="{html.escape(printable(text))}"'
