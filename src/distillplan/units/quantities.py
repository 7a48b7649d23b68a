"""From numbers as people write them to floats and back: the only place that knows suffixes.

Counts are plain floats in memory: ``7B`` is ``7e9`` parameters, ``1.4T`` is ``1.4e12`` tokens,
``1e21`` is a number of FLOPs.
"""

import math
import re
from typing import Final

from distillplan.errors import InputError
from distillplan.units.numerals import NUMBER, ONES, plain, positive, shown, split_number

SUFFIXES: Final = {"": 1.0, "k": 1e3, "M": 1e6, "B": 1e9, "T": 1e12, "P": 1e15}
"""Multipliers of a count, read in any case; B is a billion as in "a 7B model"."""

_NAMES: Final = {"thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12} | {
    "quadrillion": 1e15,
    "quintillion": 1e18,
    "sextillion": 1e21,
    "septillion": 1e24,
    "mn": 1e6,
    "bn": 1e9,
    "tn": 1e12,
    "g": 1e9,
}
"""The same by other names; a billion has nine zeros, as in English."""

MULTIPLIERS: Final = {suffix.lower(): size for suffix, size in SUFFIXES.items()} | _NAMES
"""What may stand behind a number, in lower case."""

METRIC: Final = {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12, "p": 1e15, "e": 1e18} | {
    "z": 1e21,
    "y": 1e24,
    "kilo": 1e3,
    "mega": 1e6,
    "giga": 1e9,
    "tera": 1e12,
    "peta": 1e15,
    "exa": 1e18,
    "zetta": 1e21,
    "yotta": 1e24,
}
"""Prefixes of FLOPs, in lower case."""

SECONDS_PER_HOUR: Final = 3600.0
SECONDS_PER_MONTH: Final = 365.25 / 12 * 24 * SECONDS_PER_HOUR
"""Of the mean month, by which storage is paid."""


def any_of(words: "list[str] | dict[str, float] | dict[str, int]") -> str:
    """Regular expression of any of some words."""
    return "|".join(sorted(filter(None, words), key=len, reverse=True))


MANY: Final = (
    rf"(?>{NUMBER}(?:\s*(?:{any_of(MULTIPLIERS)})(?![a-z0-9]))?|"
    rf"(?:{any_of(ONES)})(?:\s(?:{any_of(_NAMES)}))?(?=[ -]))"
)
"""A number with all of its suffix, or one in words."""
_GROUPED: Final = r"(?ai)\s*([1-9]\d{0,2}\.\d{3})(?![\d.]|\s*[x*]|e[+-]?\d)\s*([a-z]*).*"
"""Thousands in Europe, or three decimals."""

PARAMS: Final = r"(?:non-?embedding(?:\s+param(?:eter)?s?)?|param(?:eter)?s?)"
"""What may stand behind a number of parameters."""
TOKENS: Final = r"(?:(?<=[kmbt])\s?t\s*)?tok(?:en)?s?|(?<=[kmbt])\s?t"
"""What may stand behind a number of tokens; the T of 100BT."""

_BYTE_UNITS: Final = ("b", "kb", "mb", "gb", "tb", "pb")

_DOLLARS: Final = r"us\$|\$|usd|(?:us )?dollars?"
_OTHER_MONEY: Final = r"[\u20ac\xa3\xa5\u20b9]|eur|euros?|gbp|pounds?|chf|jpy|cny|rmb|inr|cad|aud"
_MONEY: Final = (
    rf"(?i)\s*(?:(?:(?P<dollars>{_DOLLARS})|{_OTHER_MONEY})\s*(?P<after>[\d.+-].*?)|"
    rf"(?P<before>[\d.+-].*?)\s*(?:(?P<dollars_after>{_DOLLARS})|{_OTHER_MONEY}))\s*"
)


def parse_count(
    text: str | float, what: str = "a number", example: str = "7B", noun: str = ""
) -> float:
    """The positive finite number in a text, or a number as it is.

    Args:
        text: digits with an optional exponent and an optional suffix (`SUFFIXES`).
        what: the noun that starts an error message.
        example: what would have been right, for an error message.
        noun: regular expression of what may stand behind it, such as `TOKENS`.

    Raises:
        InputError: when it is not a number, not positive, not finite, or has an unknown suffix.

    >>> parse_count("7B"), parse_count("1.4T"), parse_count("1e21"), parse_count("300M")
    (7000000000.0, 1400000000000.0, 1e+21, 300000000.0)
    >>> parse_count("2.5 million"), parse_count("10^9"), parse_count("100BT", noun=TOKENS)
    (2500000.0, 1000000000.0, 100000000000.0)
    """
    if isinstance(text, bool):
        raise InputError(f"{what}: {text!r} is not a number; write e.g. {example}")
    if isinstance(text, (int, float)):
        try:
            return positive(float(text), str(text), what, example)
        except OverflowError:
            return positive(math.inf, "an integer that large", what, example)
    value, suffix = split_number(text, what, example)
    multiplier = MULTIPLIERS.get(suffix.lower())
    if multiplier is None and noun:
        multiplier = MULTIPLIERS.get(re.sub(rf"[\s-]*(?:{noun})$", "", suffix.lower()))
    if multiplier is None:
        known = ", ".join(filter(None, SUFFIXES))
        raise InputError(
            f"{what}: {shown(text)} has the unknown suffix '{suffix}'; use {known}, e.g. {example}"
        )
    return positive(value * multiplier, text, what, example)


def refuse_grouped(text: str | float, what: str) -> None:
    """Refuse a text with a number that is a thousand times as large in European notation.

    A suffix such as k says that its point is one of decimals.

    Raises:
        InputError: with both numbers that it may be.

    >>> refuse_grouped("1.375k", "hours"), refuse_grouped("20.50", "cost")
    (None, None)
    """
    found = re.fullmatch(_GROUPED, text) if isinstance(text, str) else None
    if found is None or found[2].lower() in MULTIPLIERS.keys() - {""}:
        return
    short = f"{float(found[1]):g}"
    decimals = f"{found[1]}0" if short == found[1] else short
    raise InputError(
        f"{what}: {found[1]} may be {found[1].replace('.', ',')} or {decimals}; write the one that "
        "you mean"
    )


def parse_many(text: str, what: str, example: str = "64") -> float:
    """A number that `MANY` matches.

    Raises:
        InputError: when it is not a number, or in European notation one a thousand times as large.
    """
    refuse_grouped(text, what)
    return float(ONES[text.lower()]) if text.lower() in ONES else parse_count(text, what, example)


def parse_usd(text: str | float, what: str, example: str) -> float:
    """US dollars, with or without a sign of them on either side.

    Raises:
        InputError: when it is not a positive finite amount, in another currency, or may be a
            thousand times as large.

    >>> parse_usd("$20k", "budget", "$20k"), parse_usd("1.5M USD", "", ""), parse_usd(2.49, "", "")
    (20000.0, 1500000.0, 2.49)
    """
    amount = amount_of_money(text, what) if isinstance(text, str) else None
    number = text if amount is None else amount
    refuse_grouped(number, what)
    return parse_count(number, what, example)


_HOURLY: Final = r"(?i)\s*(?:/|per)\s*(?:gpu[ -]?)?h(?:(?:ou)?rs?)?\s*"


def hourly_usd(text: str, what: str) -> str:
    """The number of dollars in a price of an hour.

    Raises:
        InputError: when it is in another currency.

    >>> hourly_usd("$0.35/h", ""), hourly_usd("2 USD per GPU-hour", ""), hourly_usd("1.10", "")
    ('0.35', '2', '1.10')
    """
    price = re.sub(f"{_HOURLY}$", "", plain(text))
    amount = amount_of_money(price, what)
    return price if amount is None else amount


def amount_of_money(text: str, what: str) -> str | None:
    """The text before or after the sign of the dollar; None where no currency is named.

    Raises:
        InputError: when it is in another currency.
    """
    found = re.fullmatch(_MONEY, plain(text))
    if found is None:
        return None
    amount = found["after"] or found["before"]
    if found["dollars"] or found["dollars_after"]:
        return amount
    raise InputError(
        f"{what}: {shown(text)} is not in US dollars; convert it and write it with a $"
    )


def parse_bytes(text: str | float, what: str = "memory") -> float:
    """A number of bytes, written with decimal (GB) or binary (GiB) units.

    Raises:
        InputError: when it is not a positive finite number of bytes.

    >>> parse_bytes("80GB"), parse_bytes("16 GiB"), parse_bytes(1e9)
    (80000000000.0, 17179869184.0, 1000000000.0)
    """
    example = "80GB"
    if not isinstance(text, str):
        return parse_count(text, what, example)
    value, unit = split_number(text, what, example)
    small = unit.lower().removesuffix("ytes").removesuffix("b") + "b"
    decimal = small.replace("ib", "b")
    if decimal not in _BYTE_UNITS:
        raise InputError(f"{what}: {shown(text)} is not a number of bytes; write e.g. {example}")
    base = 1000.0 if decimal == small else 1024.0
    return positive(value * base ** _BYTE_UNITS.index(decimal), text, what, example)


def format_count(value: float | None, digits: int = 3) -> str:
    """A count as people read it, to so many significant digits; a dash for None.

    >>> format_count(7e9), format_count(1.35e12), format_count(9.99951e8), format_count(1e21)
    ('7.00B', '1.35T', '1.00B', '1.00e21')
    """
    if value is None:
        return "–"
    if not math.isfinite(value):
        return "∞"
    if value == 0:
        return "0"
    rounded = _rounded(value, digits)  # so that 999.95M becomes 1.00B, not 1000M
    for suffix in ("T", "B", "M", "k"):
        scaled = rounded / SUFFIXES[suffix]
        if 1 <= scaled < 1e4:
            decimals = max(digits - 1 - math.floor(math.log10(scaled)), 0)
            return f"{scaled:.{decimals}f}{suffix}"
    return format_flops(value, digits) if rounded >= 1e3 or rounded < 1 else f"{rounded:g}"


def plain_count(value: float) -> str:
    """A number in few letters, to six digits, as people write it.

    >>> plain_count(3e9), plain_count(1.5e6), plain_count(1e22), plain_count(4096), plain_count(0.5)
    ('3B', '1.5M', '1e22', '4096', '0.5')
    """
    for suffix in ("T", "B", "M"):
        if 1 <= _rounded(value / SUFFIXES[suffix], 6) < 1e3:
            return f"{value / SUFFIXES[suffix]:g}{suffix}"
    return f"{value:g}".replace("e+", "e")


def format_flops(value: float | None, digits: int = 3) -> str:
    """A count of FLOPs in scientific notation, without padding; a dash for None.

    >>> format_flops(1.234e21), format_flops(0.0), format_flops(None)
    ('1.23e21', '0', '–')
    """
    if value is None:
        return "–"
    if value == 0:
        return "0"
    mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
    return f"{mantissa}e{int(exponent)}"


def format_duration(seconds: float) -> str:
    """A time in seconds as people read it.

    >>> format_duration(0.0123), format_duration(90), format_duration(7200), format_duration(6e6)
    ('12.3 ms', '90.0 s', '2.00 hours', '69.4 days')
    """
    for name, size, most in (
        ("ms", 1e-3, 1000),
        ("s", 1.0, 100),
        ("minutes", 60.0, 100),
        ("hours", SECONDS_PER_HOUR, 48),
        ("days", 86_400.0, 730),
    ):
        if _rounded(seconds / size) < most:
            return f"{_three_digits(seconds / size)} {name}"
    return f"{_three_digits(seconds / 31_557_600)} years"


def format_months(months: float) -> str:
    """Months as people read them: 1 month, 6.07 months."""
    return f"{months:.3g} month{'' if months == 1 else 's'}"


def format_bytes(value: float) -> str:
    """A number of bytes in decimal units, as disks and datasheets count them.

    >>> format_bytes(768), format_bytes(8.59e10), format_bytes(5.86e16)
    ('768 B', '85.9 GB', '58.6 PB')
    """
    for name, size in (("PB", 1e15), ("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if _rounded(value / size) >= 1:
            return f"{_three_digits(value / size)} {name}"
    return f"{value:.3g} B"


def format_usd(value: float) -> str:
    """US dollars to three digits.

    >>> format_usd(2.5), format_usd(90210.0), format_usd(1.234e6)
    ('$2.50', '$90.2k', '$1.23M')
    """
    return f"${value:.2f}" if round(value, 2) < 1000 else f"${format_count(value)}"


def _rounded(value: float, digits: int = 3) -> float:
    """A number as it is shown, to so many significant digits: its unit follows from that.

    >>> _rounded(999.96e6), _rounded(0.99951)
    (1000000000.0, 1.0)
    """
    return float(f"{value:.{digits - 1}e}")


def _three_digits(value: float) -> str:
    """Three significant digits, without a suffix below a million.

    >>> _three_digits(0.5), _three_digits(69.44), _three_digits(1234.5)
    ('0.500', '69.4', '1234')
    """
    if 1e-3 <= _rounded(value) < 1000:
        return f"{value:#.3g}".rstrip(".")
    return f"{value:.0f}" if 999 < value < 1e6 else format_count(value)
