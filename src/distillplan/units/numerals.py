"""Numbers as people write them: separators of thousands, powers of ten, words, other digits.

What stands behind a number is for `quantities` to say.
"""

import math
import re
from typing import Final

from distillplan.errors import InputError

ONES: Final = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6} | {
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
    "eleven": 11,
    "twelve": 12,
}
"""Numbers that are written as words."""

MOST_LETTERS: Final = 64
"""Longest text that is read as a number with its unit."""

# patterns are texts that `re` compiles, and keeps, when one is needed
_USUAL: Final = r"(?ia)(\d+(?:\.\d+)?(?:e[+-]?\d+)?)([a-z]*)"
_SUPERSCRIPTS: Final = "[\u2070\u00b9\u00b2\u00b3\u2074-\u2079\u207a\u207b]+"
_SIGNS: Final = str.maketrans(
    dict.fromkeys("\N{MULTIPLICATION SIGN}\N{MIDDLE DOT}\N{DOT OPERATOR}", "*")
    | dict.fromkeys("\N{HYPHEN}\N{EN DASH}\N{EM DASH}\N{MINUS SIGN}", "-")
    | dict.fromkeys("\N{RIGHT SINGLE QUOTATION MARK}", "'")
)
_ABOUT: Final = (
    r"(?i)(?:^|(?<=\s))(?:[~\u2248\u223c]|(?:about|around|roughly|approx(?:imately|\.)?|ca\.?|circa)\s)"
    r"\s*(?=[\d.$]|an?\s)"
)
"""What stands before a number that is not exact."""
_SUBSCRIPTS: Final = "[\u2080-\u2089]"

_DIGITS: Final = r"(?:\d{1,3}(?:,\d{3})+|\d{1,3}(?:'\d{3})+|\d{1,3}(?: \d{3})+(?!\d)|\d[\d_]*)"
_POWER: Final = r"10\s*(?:\^|\*\*)\s*[+-]?\d+"
NUMBER: Final = rf"[+-]?(?:{_POWER}|(?:{_DIGITS}(?:\.\d*)?|\.\d+)(?:e[+-]?\d+|\s*[x*]\s*{_POWER})?)"
"""Regular expression, in any case, of digits with separators of thousands and an exponent."""
_NUMBER: Final = rf"(?ia)\s*({NUMBER}|[+-]?(?:nan|inf(?:inity)?))\s*(\D*?)\s*"
_IN_POWERS: Final = r"(?a)([+-]?)(?:(.+)[x*])?10(?:\^|\*\*)([+-]?\d+)"
_IN_WORDS: Final = rf"(?ia)\s*({'|'.join(ONES)})\s+(\D\D+?)\s*"
_COMMA: Final = r"(?ia)\s*(\d+),(\d+)(?!,?\d)\s*(e[+-]?\d+|[a-z]*)\b.*"
_COMMAS: Final = r"(?a)\s*\d+(?:,\d+){2,}.*"
_POINTS: Final = r"(?a)\s*\d+(?:\.\d+){2,}(?:,\d+)?\b.*"
_LOST_POWER: Final = r"(?ia)\s*(\d[\d.]*)\s*[x*]\s*10(e?)(\d\d)\b.*"


def usual(text: str) -> re.Match[str] | None:
    """The digits and the letters behind them of a number as most are written, such as 1e21 or 7B.

    Those need none of the patterns for what else people write, which take long to compile.
    """
    return re.fullmatch(_USUAL, text)


def plain(text: str) -> str:
    """A text with fullwidth digits, other signs for times and minus, and superscripts in ASCII.

    >>> plain("1.5\N{MULTIPLICATION SIGN}10\N{SUPERSCRIPT TWO}\N{SUPERSCRIPT ONE}")
    '1.5*10^21'
    """
    if usual(text) is not None:
        return text
    if re.search(_SUBSCRIPTS, text):
        return text  # 10 with the index 21 is not 1021
    if not text.isascii():
        from unicodedata import normalize  # only for other digits and signs

        raised = re.sub(_SUPERSCRIPTS, lambda found: f"^{found[0]}", text)
        text = normalize("NFKC", raised).translate(_SIGNS)
    if "^{" in text:  # LaTeX
        text = text.replace("^{", "^").replace("}", "").replace("\\times", "*")
    return re.sub(_ABOUT, "", text)


def is_number(text: str) -> bool:
    """Whether a text is a number with at most some letters after it, whatever they mean.

    >>> is_number("7B"), is_number("7 Qs"), is_number("gpt2")
    (True, True, False)
    """
    found = re.fullmatch(_NUMBER, plain(text)) if len(text) <= MOST_LETTERS else None
    return found is not None and re.fullmatch(r"[A-Za-z/-]*", found[2]) is not None


def split_number(text: str, what: str = "a number", example: str = "7B") -> tuple[float, str]:
    """The number in a text, in digits or in words, and what stands behind it.

    Raises:
        InputError: when it has no number; says what to write where the comma or the power of ten
            is what is wrong.
    """
    if len(text) <= MOST_LETTERS:
        found = usual(text)
        if found is not None:
            return float(found[1]), found[2]
        ascii_text = plain(text)
        match = re.fullmatch(_NUMBER, ascii_text)
        if match is not None:
            return _value(match[1]), match[2]
        words = re.fullmatch(_IN_WORDS, ascii_text)
        if words is not None:
            return float(ONES[words[1].lower()]), words[2]
        comma = re.fullmatch(_COMMA, ascii_text)
        if comma is not None:
            decimal = f"{comma[1]}.{comma[2]}{comma[3]}"
            raise InputError(
                f"{what}: {shown(text)} has a comma that does not separate thousands; write "
                f"decimals with a point: {decimal}"
            )
        if re.fullmatch(_COMMAS, ascii_text) is not None:
            raise InputError(
                f"{what}: {shown(text)} has commas that do not separate thousands; write 1000000 "
                "or 1,000,000, and decimals with a point"
            )
        if re.fullmatch(_POINTS, ascii_text) is not None:
            raise InputError(
                f"{what}: {shown(text)} has several points; write 1000000 or 1,000,000"
            )
        lost = re.fullmatch(_LOST_POWER, ascii_text)
        if lost is not None:
            raise InputError(f"{what}: {shown(text)} is not a number; write {lost[1]}e{lost[3]}")
    raise InputError(f"{what}: {shown(text)} is not a number; write e.g. {example}")


def _value(number: str) -> float:
    """The value of a text that `NUMBER` matches."""
    digits = re.sub(r"[,_'\s]", "", number)
    power = re.fullmatch(_IN_POWERS, digits)
    return float(digits if power is None else f"{power[1]}{power[2] or 1}e{power[3]}")


def positive(value: float, text: str, what: str, example: str) -> float:
    """The value, if it is a positive finite number.

    Args:
        value: of the text.
        text: as written.
        what: the noun that starts an error message.
        example: what would have been right.

    Raises:
        InputError: when it is not.
    """
    if math.isfinite(value) and value > 0:
        return value
    fault = "not finite" if not math.isfinite(value) else "not positive"
    raise InputError(f"{what}: {shown(text)} is {fault}; write e.g. {example}")


def shown(text: str) -> str:
    """The user's own words in quotation marks, shortened to fit into a sentence.

    >>> shown("7 Qs")
    "'7 Qs'"
    """
    return repr(text if len(text) <= 40 else text[:37] + "...")
