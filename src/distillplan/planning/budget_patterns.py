"""Budgets as people write them, as regular expressions, and what to ask where a part is missing."""

import re
from typing import Final

from distillplan.units.numerals import NUMBER
from distillplan.units.quantities import MANY, METRIC, MULTIPLIERS, any_of
from distillplan.units.times import HOURS, LENGTH, MONTH

TIME: Final = rf"(?P<hours>{LENGTH})"
UNIT: Final = rf"(?P<unit>{any_of([*HOURS, MONTH])})s?"
NO_GPU: Final = (
    r"(?!(?:x|an?|and|at|by|during|for|from|in|of|on|over|per|to|until|with|"
    r"hours?|hrs?|days?|weeks?|months?)\b|e ?\d)"
)
"""No word of a GPU's name starts so."""
GEFORCE: Final = r"(?:^|(?<=[x*\s]))[2-5]0[5-9]0(?:[ -]?(?:ti|super))?s?"
"""A card by its number, such as 4090: apart from the number of cards, or it would be part of it."""
SEVERAL: Final = r"(?<=[2-5]0[5-9]0)s\b"
"""Of several cards; the capital S of a 4080S is for Super."""
GPU: Final = rf"(?P<gpu>{GEFORCE}|{NO_GPU}(?!(?:ti|super)\b)[a-z](?:[a-z0-9()._-]| {NO_GPU})*?)"
NODE: Final = (
    r"(?:nodes?|(?:servers?|workstations?)(?![ -]edition)|machines?|hosts?|boxes|box|[dh]gx|racks?|"
    r"clusters?|pods?|instances?)"
)
"""What has several GPUs."""
CORE: Final = r"(?<!tensor )(?<!tensor-)cores?"
ANY_GPU: Final = r"\w*(?:gpu|card|chip|accelerator)s?"
"""Any GPU, whatever its name."""
GPUS: Final = (
    rf"(?:(?P<nodes>{MANY})\s*(?:{NODE}\s*(?:of|with|x|\*|,)?|x|\*)\s*)?"
    rf"(?P<count>{MANY})\s*(?>[x*]?)\s*{GPU}"
)
"""GPUs such as 8 x H100, or 4 nodes of 8 H100."""
NEXT: Final = (
    r"(?:\s*[,;:]\s*(?:for\s+)?|\s+(?:for|over|during|in|x)\s+|\s*\*\s*|(?<=\d)x(?=\d)|"
    r"(?P<bare>\s+|-(?=\d)))"
)
"""Between the GPUs and the time."""
RENTED: Final = (
    rf"{GPUS}{NEXT}{TIME}",
    # the x of "mi300x 64" is the name's: one that multiplies stands as near to both
    rf"{GPU}(?:(?<=\d)x(?=\d)|\s+x\s*|\s*\*\s*)(?P<count>{MANY}){NEXT}{TIME}",
    rf"{TIME}\s*(?:[,x*]|\s(?:on|of|with|using)\s|\s)\s*{GPUS}",
)
"""8 h100-sxm for 3 weeks; h100-sxm x 8 for 3 weeks; 3 weeks on 8 h100-sxm."""
SPENT: Final = (
    rf"(?P<count>{MANY})[\s-]*{GPU}(?:[\s*-]+|(?<=gpu)|(?<=\d)){UNIT}"
    rf"(?:\s+(?P<on>(?:(?:of|on|in|with)\s+)?{NO_GPU}[a-z].*))?"
)
"""10k H100-hours, 5k gpu-hours."""
ON: Final = (
    rf"(?P<budget>.+?)\s+(?:worth of|on|of|in|with)\s+"
    rf"(?:(?!{GEFORCE}$)(?P<count>{MANY})\s*(?>[x*]?)\s*)?{GPU}"
)
"""$20k on h100-sxm, 10k GPU-hours on 64 H100."""
OVER: Final = (
    r"(.+) (?:(?:for|over|during|in) (?=.*[a-z])|(?=(?:by|until|before) ))(.+)"  # or up to a day
)
"""A budget, and the time for it."""
FLOPS: Final = (
    rf"(?:(?P<times>{any_of(MULTIPLIERS)})\s+)?(?:training\s+)?(?P<prefix>{any_of(METRIC)}|)[\s-]*"
    r"(?P<noun>flop|floating[ -]point operation|f)s?(?P<rate>\s*(?:/|per)\s*s(?:ec(?:ond)?)?)?"
    rf"(?:[\s*-]*(?P<time>{any_of([*HOURS, MONTH])})s?)?"
)
"""petaFLOP/s-days, PF-days, zettaFLOPs, billion TFLOPs."""
OF_TOKENS: Final = rf"{NUMBER}.*?(?:tok(?:en)?s?|[kmbt]t)"


_LEFT: Final = r"\d*(?:,\d*)*(?:\.\d*)?[kmb]?"
EATEN: Final = rf"(?=.){_LEFT}|(?=[0,kmb]){_LEFT} on .+"
"""What a shell leaves of dollars in double quotes: it takes the sign and a digit."""

KIND: Final = rf"{NO_GPU}[a-z][a-z0-9._-]*(?: {NO_GPU}[a-z0-9.-]+){{0,4}}"
SOME: Final = rf"(?:{MANY}\s*(?:x|\*|{NODE}(?: of)?)\s*)?{MANY}\s*(?>[x*]?)\s*"
GPUS_ALONE: Final = (
    rf"(?P<given>(?P<count>{SOME})(?P<kind>(?=[a-z -]*\d|gpu){KIND}|{GEFORCE}))",
    "{given} for how long? write '{count} {gpu} for 7 days'",
)
"""GPUs without a time, and what to ask."""
MISSING: Final = (
    (
        rf"(?P<given>(?P<count>{MANY})\s*-?\s*(?:hours?|hrs?|h)) (?:of )?(?P<kind>{KIND})",
        "{given} in all, or of each? write '{count} {unit}-hours' or '8 {gpu} for {given}'",
    ),
    (rf"(?:for )?(?P<given>{TIME})", "{given} of what? write '8 h100-sxm for {given}'"),
    (
        rf"(?P<given>{TIME}) (?:(?:on|of) )?(?P<kind>{KIND})",
        "how many {kind} for {given}? write '8 {gpu} for {given}'",
    ),
    GPUS_ALONE,
    (
        rf"(?P<kind>(?=[a-z-]*\d)[a-z][a-z0-9_-]*) (?P<count>\d{{1,4}})(?:(?: for| x|,)? {TIME})?",
        "the number goes first: write '{count} {gpu} for {hours}'",
    ),
    (
        rf"(?P<kind>(?=[a-z -]*\d){KIND})(?: for {TIME})?",
        "how many {kind}? write '8 {gpu} for {hours}'",
    ),
    (rf"(?P<given>{FLOPS})", "how many {given}? write '10 {given}'"),
    (
        r"(?P<given>.*f(?:lop)?s?(?:/s)?) for .+",
        "{given} is a rate; write its product with the time in FLOP/s-days",
    ),
)
"""What lacks a part, and what to ask."""


def match(pattern: str, text: str) -> re.Match[str] | None:
    """The match of a whole text; a pattern is compiled when it is first asked for."""
    return re.fullmatch(pattern, text, re.IGNORECASE | re.ASCII)


def match_in(pattern: str, text: str) -> str | None:
    """The first whole words of a text that a pattern matches; None where there are none."""
    found = re.search(rf"\b{pattern}\b", text, re.IGNORECASE | re.ASCII)
    return None if found is None else found[0]
