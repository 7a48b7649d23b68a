"""Lists as people write them, with commas between their values."""

import re
from itertools import takewhile
from typing import Final

from distillplan.errors import InputError
from distillplan.units.numerals import shown

_INSIDE: Final = r"(?a)0\d.*"
"""What follows a comma inside a number: no number starts so."""
_THOUSANDS: Final = r"(?a)\d{3}(?!\d).*"


def split_list(text: str, what: str) -> list[str]:
    """The values of a list, without those that are empty.

    Raises:
        InputError: when a comma stands inside a number, whose next digits start with 0.

    >>> split_list("300M, 1B,", "student"), split_list("0,0.02", "gain")
    (['300M', '1B'], ['0', '0.02'])
    """
    found = [one.strip() for one in text.split(",") if one.strip()]
    for place, after in enumerate(found[1:], start=1):
        before = found[place - 1]
        if not (re.fullmatch(_INSIDE, after) and before[-1].isdigit()):
            continue
        groups = [*takewhile(lambda one: re.fullmatch(_THOUSANDS, one), found[place:])]
        many = groups and not re.match(r"\D*0", before)
        meant = "".join((before, *groups)) if many else f"{before}.{after}"
        raise InputError(
            f"{what}: {shown(text)} has a comma inside a number, and commas separate values; write "
            f"{meant!r}"
        )
    return found
