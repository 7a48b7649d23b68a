"""What reaches a terminal: no control character of a foreign name moves its cursor or hides text.

The one place where texts are made safe to print; whatever shows a text goes through it.
"""

import re
from typing import Final

_SPACES: Final = r"[\t\n\r\v\f\x85\u2028\u2029]+"
"""Tabs and ends of lines."""
_UNSEEN: Final = (
    r"[\x00-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    r"\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
"""Controls of the terminal (C0, C1), of the direction of writing, and what has no width at all."""


def printable(text: str) -> str:
    r"""A text on one line, with what cannot be seen written out.

    >>> print(printable("red \x1b[31m,\n left \u202e"))
    red \x1b[31m,  left \u202e
    """
    if text.isprintable():
        return text
    return re.sub(_UNSEEN, _written_out, re.sub(_SPACES, " ", text))


def printable_lines(text: str) -> str:
    """The same of a text whose lines are meant."""
    return "\n".join(map(printable, text.split("\n")))


def printable_json(text: str) -> str:
    r"""JSON whose strings escape what cannot be seen.

    >>> print(printable_json('{"name": "\u202ex"}'))
    {"name": "\u202ex"}
    """
    # json escapes C0 itself, and its own line ends stand between strings
    if text.replace("\n", "").isprintable():
        return text
    return re.sub(_UNSEEN, lambda one: one[0] if one[0] == "\n" else _as_json(one[0]), text)


def _written_out(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()


def _as_json(character: str) -> str:
    import json  # only for such a character

    return json.dumps(character)[1:-1]
