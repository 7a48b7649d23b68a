"""From numbers as people write them to floats and back: the only place that knows suffixes.

Counts are plain floats in memory: ``7B`` is ``7e9`` parameters, ``1.4T`` is ``1.4e12`` tokens,
``1e21`` is a number of FLOPs.
"""

import math
import re
from typing import Final, NamedTuple

from distillplan.errors import InputError

SUFFIXES: Final = {"": 1.0, "k": 1e3, "M": 1e6, "B": 1e9, "T": 1e12, "P": 1e15}
"""Multipliers of a count, read in any case; B is a billion as in "a 7B model"."""

FLOP_SUFFIXES: Final = {"flop": 1.0, "mflop": 1e6, "gflop": 1e9, "tflop": 1e12} | {
    "pflop": 1e15,
    "eflop": 1e18,
    "zflop": 1e21,
    "yflop": 1e24,
    # a petaFLOP/s-day, the unit of Kaplan et al. 2020: 1e15 * 86400
    "pf-day": 8.64e19,
    "pfs-day": 8.64e19,
}
"""FLOPs in a unit of compute."""

SECONDS_PER_HOUR: Final = 3600.0

HOURS: Final = {"h": 1.0, "hour": 1.0, "d": 24.0, "day": 24.0, "week": 168.0}
"""Hours in a unit of time."""

MOST_LETTERS: Final = 64
"""Longest text that is read as a number with its unit."""

_MULTIPLIERS: Final = {suffix.lower(): multiplier for suffix, multiplier in SUFFIXES.items()}
_BYTE_UNITS: Final = ("b", "kb", "mb", "gb", "tb", "pb")

_MONEY: Final = r"(?ai)\s*\$\s*(\S+)\s*|\s*(\S+?)\s*(?:\$|usd|dollars?)\s*"
_GPU_HOURS: Final = r"(?ai)\s*(\S+)\s*gpu[- ]?hours?\s*"
_RENTED: Final = (
    r"(?ai)\s*(\S+)\s*(?:x\s+)?([a-z]\S*)\s+"
    r"(?:for\s+)?([0-9.]+)\s*(h|hours?|d|days?|weeks?)\s*"
)
_NUMBER: Final = re.compile(
    r"\s*([+-]?(?:(?:\d{1,3}(?:,\d{3})+|\d[\d_]*)(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|[+-]?(?:nan|inf(?:inity)?))\s*"
    r"([A-Za-z/-]*)\s*",
    re.IGNORECASE | re.ASCII,
)


def parse_count(text: str | float, what: str = "a number", example: str = "7B") -> float:
    """The positive finite number in a text, or a number as it is.

    Args:
        text: digits with an optional exponent and an optional suffix (`SUFFIXES`).
        what: the noun that starts an error message.
        example: what would have been right, for an error message.

    Raises:
        InputError: when it is not a number, not positive, not finite, or has an unknown suffix.

    >>> parse_count("7B"), parse_count("1.4T"), parse_count("1e21"), parse_count("300M")
    (7000000000.0, 1400000000000.0, 1e+21, 300000000.0)
    """
    if isinstance(text, bool):
        raise InputError(f"{what}: {text!r} is not a number; write e.g. {example}")
    if isinstance(text, (int, float)):
        try:
            return _positive(float(text), str(text), what, example)
        except OverflowError:
            return _positive(math.inf, "an integer that large", what, example)
    value, suffix = _split(text, what, example)
    multiplier = _MULTIPLIERS.get(suffix.lower())
    if multiplier is None:
        known = ", ".join(filter(None, SUFFIXES))
        raise InputError(
            f"{what}: {_shown(text)} has the unknown suffix '{suffix}'; use {known}, e.g. {example}"
        )
    return _positive(value * multiplier, text, what, example)


def parse_compute(text: str | float) -> float:
    """A compute budget in FLOPs, written with or without a unit.

    Raises:
        InputError: when it is not a positive finite count of FLOPs.

    >>> parse_compute("1e21"), parse_compute("1 ZFLOP"), parse_compute("10 PF-days")
    (1e+21, 1e+21, 8.64e+20)
    """
    what, example = "compute budget", "1e21"
    if isinstance(text, str):
        value, suffix = _split(text, what, example)
        unit = suffix.lower().removesuffix("s")
        if unit in FLOP_SUFFIXES:
            return _positive(value * FLOP_SUFFIXES[unit], text, what, example)
        if "/" in unit:
            raise InputError(
                f"{what}: {_shown(text)} is a rate; give a count of FLOPs, e.g. {example}"
            )
    return parse_count(text, what, example)


class Budget(NamedTuple):
    """A budget as it was written: in FLOPs, GPU-hours or dollars."""

    flops: float | None = None
    gpu_hours: float | None = None
    """Allocated GPU-hours."""
    usd: float | None = None
    gpus: int | None = None
    """Number of GPUs, where the budget names it."""
    gpu: str | None = None
    """Name of the GPU, where the budget has one."""


def parse_budget(text: str | float) -> Budget:
    """A budget in FLOPs, GPUs for a time, GPU-hours, or dollars.

    Raises:
        InputError: when it is none of these.

    >>> parse_budget("64 h100-sxm for 7 days")
    Budget(flops=None, gpu_hours=10752.0, usd=None, gpus=64, gpu='h100-sxm')
    >>> parse_budget("$20k").usd, parse_budget("5k gpu-hours").gpu_hours, parse_budget("1e21").flops
    (20000.0, 5000.0, 1e+21)
    """
    if not isinstance(text, str):
        return Budget(flops=parse_compute(text))
    if len(text) > MOST_LETTERS:
        return Budget(flops=parse_compute(text))
    money = re.fullmatch(_MONEY, text)
    if money is not None:
        return Budget(usd=parse_usd(money[1] or money[2], "budget in dollars", "$20k"))
    hours = re.fullmatch(_GPU_HOURS, text)
    if hours is not None:
        return Budget(gpu_hours=parse_count(hours[1], "GPU-hours", "'5k gpu-hours'"))
    rented = re.fullmatch(_RENTED, text)
    if rented is None:
        return Budget(flops=parse_compute(text))
    gpus = parse_count(rented[1], "number of GPUs", "64")
    if gpus != round(gpus):
        raise InputError(f"number of GPUs: {rented[1]!r} is not a whole number; write e.g. 64")
    time = parse_count(rented[3], "time", "'7 days'") * HOURS[rented[4].lower().removesuffix("s")]
    return Budget(gpu_hours=gpus * time, gpus=round(gpus), gpu=rented[2].lower())


def parse_usd(text: str | float, what: str, example: str) -> float:
    """US dollars, with or without a leading dollar sign.

    Raises:
        InputError: when it is not a positive finite amount.

    >>> parse_usd("$20k", "budget", "$20k"), parse_usd(2.49, "price", "2.49")
    (20000.0, 2.49)
    """
    return parse_count(text.strip().lstrip("$") if isinstance(text, str) else text, what, example)


def parse_hours(text: str | float, what: str = "time") -> float:
    """A time in hours; a number without a unit is hours.

    Raises:
        InputError: when it is not a positive finite time.

    >>> parse_hours("7 days"), parse_hours("36h"), parse_hours(12)
    (168.0, 36.0, 12.0)
    """
    example = "'7 days'"
    if not isinstance(text, str):
        return parse_count(text, what, example)
    value, unit = _split(text, what, example)
    unit = unit.lower().removesuffix("s")
    if unit and unit not in HOURS:
        raise InputError(f"{what}: {_shown(text)} is not a time; write e.g. {example}")
    return _positive(value * HOURS[unit or "h"], text, what, example)


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
    value, unit = _split(text, what, example)
    small = unit.lower() or "b"
    decimal = small.replace("ib", "b")
    if decimal not in _BYTE_UNITS:
        raise InputError(f"{what}: {_shown(text)} is not a number of bytes; write e.g. {example}")
    base = 1000.0 if decimal == small else 1024.0
    return _positive(value * base ** _BYTE_UNITS.index(decimal), text, what, example)


def parse_pair(text: str, what: str, example: str = "7B:2T") -> tuple[float, float | None]:
    """Parameters of a model and, after a colon, its tokens where they are given: ``7B:2T``.

    Raises:
        InputError: when it is not one or two counts.

    >>> parse_pair("7B:2T", "teacher"), parse_pair("7B", "teacher")
    ((7000000000.0, 2000000000000.0), (7000000000.0, None))
    """
    parts = text.split(":")
    if len(parts) > 2 or not all(part.strip() for part in parts):
        raise InputError(
            f"{what}: {_shown(text)} is not PARAMETERS or PARAMETERS:TOKENS; write e.g. {example}"
        )
    params = parse_count(parts[0], f"{what} parameters")
    if len(parts) == 1:
        return params, None
    return params, parse_count(parts[1], f"{what} tokens", "2T")


def is_number(text: str) -> bool:
    """Whether a text is a number with at most some letters after it, whatever they mean.

    >>> is_number("7B"), is_number("7 Qs"), is_number("gpt2")
    (True, True, False)
    """
    return len(text) <= MOST_LETTERS and _NUMBER.fullmatch(text) is not None


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
    rounded = float(f"{value:.{digits - 1}e}")  # so that 999.95M becomes 1.00B, not 1000M
    for suffix in ("T", "B", "M", "k"):
        scaled = rounded / SUFFIXES[suffix]
        if 1 <= scaled < 1e4:
            decimals = max(digits - 1 - math.floor(math.log10(scaled)), 0)
            return f"{scaled:.{decimals}f}{suffix}"
    return format_flops(value, digits) if rounded >= 1e3 or rounded < 1 else f"{rounded:g}"


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
    for name, size, most in (("ms", 1e-3, 1.0), ("s", 1.0, 100.0), ("minutes", 60.0, 6000.0)):
        if seconds < most:
            return f"{_three_digits(seconds / size)} {name}"
    for name, size, most in (("hours", SECONDS_PER_HOUR, 172_800.0), ("days", 86_400.0, 6.3e7)):
        if seconds < most:
            return f"{_three_digits(seconds / size)} {name}"
    return f"{_three_digits(seconds / 31_557_600)} years"


def format_bytes(value: float) -> str:
    """A number of bytes in decimal units, as disks and datasheets count them.

    >>> format_bytes(768), format_bytes(8.59e10), format_bytes(5.86e16)
    ('768 B', '85.9 GB', '58.6 PB')
    """
    for name, size in (("PB", 1e15), ("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if value >= size:
            return f"{_three_digits(value / size)} {name}"
    return f"{value:.3g} B"


def format_usd(value: float) -> str:
    """US dollars to three digits.

    >>> format_usd(2.5), format_usd(90210.0), format_usd(1.234e6)
    ('$2.50', '$90.2k', '$1.23M')
    """
    return f"${value:.2f}" if value < 1000 else f"${format_count(value)}"


def _three_digits(value: float) -> str:
    """Three significant digits, without an exponent below 1e6.

    >>> _three_digits(0.5), _three_digits(69.44), _three_digits(1234.5)
    ('0.500', '69.4', '1234')
    """
    if value >= 1000 or value < 1e-3:
        return f"{value:.0f}" if 1000 <= value < 1e6 else f"{value:.3g}"
    return f"{value:#.3g}".rstrip(".")


def _split(text: str, what: str, example: str) -> tuple[float, str]:
    """The number in a text and the letters after it."""
    match = _NUMBER.fullmatch(text) if len(text) <= MOST_LETTERS else None
    if match is None:
        raise InputError(f"{what}: {_shown(text)} is not a number; write e.g. {example}")
    return float(match[1].replace(",", "").replace("_", "")), match[2]


def _positive(value: float, text: str, what: str, example: str) -> float:
    if math.isfinite(value) and value > 0:
        return value
    fault = "not finite" if not math.isfinite(value) else "not positive"
    raise InputError(f"{what}: {_shown(text)} is {fault}; write e.g. {example}")


def _shown(text: str) -> str:
    """The user's own words, shortened to fit into a sentence."""
    return repr(text if len(text) <= 40 else text[:37] + "...")
