"""What was meant by a budget that cannot be read as it stands, as a budget that can."""

import re
from collections.abc import Callable
from typing import Final

from distillplan.named_tuples import NamedTuple
from distillplan.planning.budget_patterns import GPU, SPENT, UNIT, match
from distillplan.units.quantities import MANY, parse_many, plain_count
from distillplan.units.times import DAYS_PER_MONTH, MONTH

_COMMA: Final = r"(?a)(?<![\w,.])(?!\d{1,3},\d{3}\b)(\d+),(\d+)(?![\d,])"
"""A decimal comma; one before three digits separates thousands."""
_MONTHS: Final = rf"(?ai)(?<![\w.,])({MANY})\s*-?\s*{MONTH}s?\b"
_UNSAID: Final = (
    r"(?ai)(?=.*[a-z])(.+?)(?:\s*[,;:]\s*|\s+[x*]\s*|\s+)(?:(?:for|over|during)\s+)?(\d{1,3})"
)
"""GPUs, and a number without a unit that is no part of their name, such as 4090."""
_PRODUCT: Final = rf"(?P<count>{MANY})\s*[x*]\s*(?P<time>{MANY})[\s-]*{GPU}[\s*-]+{UNIT}"
"""64*168 h100-hours."""


_SEVERAL: Final = r"(?ai)([\d.]+(?:e\+?\d+))[:,]\s*[\d.]+e\+?\d+(?:[:,].*)?"
"""1e20:1e22:3, or 1e20,1e21."""


class Repair(NamedTuple):
    """A budget that can be read, for one that cannot."""

    why: str
    """What is wrong with the one that was written."""
    budget: str


def respelled(words: str, what: str) -> Repair | None:
    """The budget with points before decimals, and with days for months.

    Args:
        words: as written.
        what: the noun that starts an error message.

    Raises:
        InputError: for a number of months that may be two.

    >>> [respelled(one, "").budget for one in ("10,5k h100-hours", "8 h100 for 2 months")]
    ['10.5k h100-hours', '8 h100 for 60 days']
    """
    if re.search(_COMMA, words):
        return Repair(
            "has a comma that does not separate thousands; write decimals with a point:",
            re.sub(_COMMA, r"\1.\2", words),
        )
    if MONTH not in words.lower():
        return None
    in_days = re.sub(_MONTHS, lambda found: f"{_days(found[1], what)} days", words)
    spent = match(SPENT, words)
    if spent is not None and spent["unit"].lower() == MONTH:
        on = f" {spent['on']}" if spent["on"] else ""
        in_days = f"{_days(spent['count'], what)} {spent['gpu']}-days{on}"
    if in_days == words:
        return None
    return Repair("counts in months, of 28 to 31 days; write it in days:", in_days)


def _days(months: str, what: str) -> str:
    return plain_count(DAYS_PER_MONTH * parse_many(months, what))


def multiplied(words: str) -> Repair | None:
    """The GPUs and the time of a product of them.

    >>> multiplied("64*168 h100-sxm-hours").budget
    '64 h100-sxm for 168 hours'
    """
    found = match(_PRODUCT, words)
    if found is None:
        return None
    gpus, time = f"{found['count']} {found['gpu']}", f"{found['time']} {found['unit'].lower()}s"
    return Repair("is a product; write the GPUs and their time:", f"{gpus} for {time}")


def one_of(words: str) -> Repair | None:
    """The first of several budgets.

    >>> one_of("1e20:1e22:3").budget, one_of("1e20, 1e21").budget
    ('1e20', '1e20')
    """
    found = re.fullmatch(_SEVERAL, words)
    if found is None:
        return None
    return Repair(
        "is several budgets, which distillplan sweep --compute takes; write one:", found[1]
    )


def with_days(words: str, is_of_gpus: Callable[[str], bool]) -> Repair | None:
    """The budget with the unit that a number behind GPUs lacks.

    Args:
        words: as written.
        is_of_gpus: whether a text is a budget of GPUs that are known.
    """
    found = re.fullmatch(_UNSAID, words)
    if found is None or not is_of_gpus(better := f"{found[1]} for {found[2]} days"):
        return None
    return Repair(f"does not say {found[2]} of what; write", better)
