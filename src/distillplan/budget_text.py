"""Budgets as people write them: FLOPs, GPUs for a time, GPU-hours, dollars, or tokens to train on.

What is not understood is never guessed: the error says which part is missing and how to write it.
"""

import re
from typing import Final, NamedTuple

from distillplan.errors import InputError
from distillplan.units import (
    HOURS,
    METRIC,
    MONTH,
    MOST_LETTERS,
    MULTIPLIERS,
    NUMBER,
    ONES,
    SECONDS_PER_HOUR,
    TOKENS,
    amount_of_money,
    parse_count,
    parse_hours,
    plain,
    positive,
    shown,
    split_number,
)

EXAMPLE: Final = "1e21"
"""A budget to show somebody who has written none."""


class Budget(NamedTuple):
    """A budget as it was written: in FLOPs, GPU-hours, dollars, or tokens for the student."""

    flops: float | None = None
    gpu_hours: float | None = None
    """Allocated GPU-hours."""
    usd: float | None = None
    gpus: int | None = None
    """Number of GPUs, where the budget names it."""
    gpu: str | None = None
    """Name of the GPU, where the budget has one."""
    tokens: float | None = None
    """Tokens of each student: the budget is what training on them takes without a teacher."""
    tokens_per_param: float | None = None
    """The same for each parameter of the student."""

    @property
    def of_tokens(self) -> bool:
        """Whether it is given by what to train on."""
        return self.tokens is not None or self.tokens_per_param is not None

    def tokens_for(self, params: float) -> float:
        """Training tokens of a student of so many parameters, where it is given by them."""
        return self.tokens or (self.tokens_per_param or 0.0) * params


def _any(words: "list[str] | dict[str, float] | dict[str, int]") -> str:
    """Regular expression of any of some words."""
    return "|".join(sorted(filter(None, words), key=len, reverse=True))


_MANY: Final = (
    rf"(?>{NUMBER}(?:\s*(?:{_any(MULTIPLIERS)})(?![a-z0-9]))?|(?:{_any(ONES)})(?=[ -]))"
)
"""A number with all of its suffix, or one in words."""
_TIME: Final = rf"(?P<hours>{_MANY}\s*-?\s*(?:{_any([*HOURS, MONTH])})s?)"
_UNIT: Final = rf"(?P<unit>{_any([*HOURS, MONTH])})s?"
_GPU: Final = r"(?P<gpu>(?!x\b|e\d)[a-z][a-z0-9 ()_-]*?)"
_NODE: Final = r"(?:nodes?|servers?|machines?|hosts?|boxes)"
_GPUS: Final = (
    rf"(?:(?P<nodes>{_MANY})\s*(?:{_NODE}\s*(?:of|with|x|\*|,)?|x|\*)\s*)?"
    rf"(?P<count>{_MANY})\s*[x*]?\s*{_GPU}"
)
"""GPUs such as 8 x H100, or 4 nodes of 8 H100."""
_NEXT: Final = r"(?:\s*[,;:]\s*(?:for\s+)?|\s+(?:for|over|during|x)\s+|\s*\*\s*|(?P<bare>\s+))"
"""Between the GPUs and the time."""
_RENTED: Final = tuple(
    re.compile(pattern, re.I | re.A)
    for pattern in (
        rf"{_GPUS}{_NEXT}{_TIME}",
        rf"{_GPU}(?:(?<=\d)\s*[x*]|\s+x|\s*\*)\s*(?P<count>{_MANY}){_NEXT}{_TIME}",
        rf"{_TIME}\s*(?:[,x*]|\s(?:on|of|with|using))\s*{_GPUS}",
    )
)
"""8 h100-sxm for 3 weeks; h100-sxm x 8 for 3 weeks; 3 weeks on 8 h100-sxm."""
_SPENT: Final = re.compile(
    rf"(?P<count>{_MANY})[\s-]*{_GPU}(?:[\s*-]+|(?<=gpu)|(?<=\d)){_UNIT}"
    r"(?:\s+(?:(?:on|of|with)\s+)?(?P<on>[a-z].*))?",
    re.I | re.A,
)
"""10k H100-hours, 5k gpu-hours on h100-sxm."""
_TRADE: Final = frozenset(
    ("gpu", "gpus", "card", "cards", "chip", "chips", "accelerator", "accelerators")
) | {"nvidia", "amd", "google", "intel", "aws", "tensor", "core"}
"""Words beside the name of a GPU."""

_FLOPS: Final = re.compile(
    rf"(?:(?P<times>{_any(MULTIPLIERS)})\s+)?(?P<prefix>{_any(METRIC)}|)[\s-]*"
    r"(?P<noun>flop|floating[ -]point operation|f)s?(?P<rate>\s*(?:/|per)\s*s(?:ec(?:ond)?)?)?"
    rf"(?:[\s*-]*(?P<time>{_any([*HOURS, MONTH])})s?)?"
)
"""petaFLOP/s-days, PF-days, zettaFLOPs, billion TFLOPs."""
_PER_PARAM: Final = re.compile(
    rf"(?P<count>{_MANY})\s*(?:tpp|(?:tok(?:en)?s?)\s*(?:/|per)\s*(?:non-?embedding )?param(?:eter)?s?)",
    re.I | re.A,
)
_OF_TOKENS: Final = re.compile(rf"{NUMBER}.*?(?:tok(?:en)?s?|[kmbt]t)", re.I | re.A)


_KIND: Final = r"(?!x\b|e\d)[a-z][a-z0-9_-]*(?: (?!for\b)[a-z0-9]+){0,2}"
_SOME: Final = rf"(?:{_MANY}\s*(?:x|\*|{_NODE}(?: of)?)\s*)?{_MANY}\s*[x*]?\s*"
_MISSING: Final = (
    (rf"(?:for )?({_MANY}\s*-?\s*{MONTH}s?)", "{0} of what? write '8 h100-sxm for 30 days'"),
    (rf"(?:for )?({_TIME})", "{0} of what? write '8 h100-sxm for {0}'"),
    (rf"({_TIME}) (?:on|of) {_KIND}", "how many GPUs for {0}? write '8 h100-sxm for {0}'"),
    (rf"({_SOME}(?=[a-z -]*\d|gpu){_KIND})", "{0} for how long? write '{0} for 7 days'"),
    (rf"((?=[a-z -]*\d){_KIND})(?: for {_TIME})?", "how many {0}? write '8 {0} for 7 days'"),
    (rf"({_FLOPS.pattern})", "how many {0}? write '10 {0}'"),
    (r"(.*f(?:lop)?s?/s) for .+", "{0} is a rate; write its product with the time in FLOP/s-days"),
    (rf"({_MANY} ?x)", "{0} what? write '20 TPP' for 20 tokens per parameter"),
    (r".+ for (.+)", "{0!r} is not a time; write for example '7 days'"),
)
"""What lacks a part, and what to ask."""


def parse_compute(text: str | float, what: str = "compute budget") -> float:
    """A compute budget in FLOPs, written with or without a unit.

    Raises:
        InputError: when it is not a positive finite count of FLOPs.

    >>> parse_compute("1e21"), parse_compute("1 ZFLOP"), parse_compute("10 PF-days")
    (1e+21, 1e+21, 8.64e+20)
    """
    if isinstance(text, str):
        value, unit = split_number(text, what, EXAMPLE)
        flops = _flops_in(unit, text, what)
        if flops is not None:
            return positive(value * flops, text, what, EXAMPLE)
    return parse_count(text, what, EXAMPLE)


def _flops_in(unit: str, text: str, what: str) -> float | None:
    """FLOPs in a unit of compute; None where it is none.

    Raises:
        InputError: for a rate, and for what may be one.
    """
    found = _FLOPS.fullmatch(unit.lower())
    if found is None or (found["noun"] == "f" and not found["time"]):
        return None
    flops = MULTIPLIERS[found["times"] or ""] * METRIC[found["prefix"]]
    if found["time"]:  # a petaFLOP/s-day is 1e15 * 86400, the unit of Kaplan et al. 2020
        return flops * parse_hours(f"1 {found['time']}", what) * SECONDS_PER_HOUR
    if found["rate"]:
        raise InputError(f"{what}: {shown(text)} is a rate; give a count of FLOPs, e.g. {EXAMPLE}")
    if found["prefix"] and text.rstrip().endswith("FLOPS"):
        raise InputError(
            f"{what}: {shown(text)} may be a rate; write FLOPs for a count of operations, or "
            "FLOP/s-days for a rate over some days"
        )
    return flops


def parse_budget(text: str | float, what: str = "compute budget") -> Budget:
    """A budget in FLOPs, GPUs for a time, GPU-hours, dollars, or tokens.

    Raises:
        InputError: when it is none of these; says what is missing.

    >>> parse_budget("64 h100-sxm for 7 days")[:5]
    (None, 10752.0, None, 64, 'h100-sxm')
    >>> parse_budget("$20k").usd, parse_budget("5k gpu-hours").gpu_hours, parse_budget("1e21").flops
    (20000.0, 5000.0, 1e+21)
    """
    if not isinstance(text, str) or len(text) > MOST_LETTERS:
        return Budget(flops=parse_compute(text, what))
    words = " ".join(plain(text).split()).rstrip(".")
    money, _, gpu = words.partition(" on ")
    amount = amount_of_money(money, what)
    if amount is not None:
        return Budget(usd=parse_count(amount, what, "$20k"), gpu=_gpu_name(gpu, what))
    return (
        _trained(words, what)
        or _computed(words, what)
        or _rented(words, what)
        or _spent(words, what)
        or _explained(words, text, what)
    )


def parse_tokens_per_param(text: str, what: str) -> float | None:
    """Tokens for each parameter; None for anything else.

    Raises:
        InputError: when it is no positive number of them.

    >>> parse_tokens_per_param("20 TPP", ""), parse_tokens_per_param("20 tokens per parameter", "")
    (20.0, 20.0)
    """
    found = _PER_PARAM.fullmatch(" ".join(plain(text).split()))
    return None if found is None else _many(found["count"], what)


def _trained(words: str, what: str) -> Budget | None:
    """The tokens to train on, for each student or each of its parameters."""
    ratio = parse_tokens_per_param(words, what)
    if ratio is not None:
        return Budget(tokens_per_param=ratio)
    if _OF_TOKENS.fullmatch(words):
        return Budget(tokens=parse_count(words, what, "100B tokens", TOKENS))
    return None


def _computed(words: str, what: str) -> Budget | None:
    """FLOPs with their unit."""
    try:
        value, unit = split_number(words, what, EXAMPLE)
    except InputError:  # it may yet be something else
        return None
    flops = _flops_in(unit, words, what)
    return None if flops is None else Budget(flops=positive(value * flops, words, what, EXAMPLE))


def _rented(words: str, what: str) -> Budget | None:
    """GPUs for a time."""
    for pattern in _RENTED:
        found = pattern.fullmatch(words)
        if found is None:
            continue
        said = found.groupdict()
        if said.get("bare") and not re.search(r"\d|gpu", said["gpu"], re.I):
            continue  # 5k RTX 4090 hours are no RTX for 4090 hours
        hours = parse_hours(said["hours"], what)
        gpus = _whole(said["count"], what) * _whole(said.get("nodes") or "one", what)
        return Budget(gpu_hours=gpus * hours, gpus=gpus, gpu=_gpu_name(said["gpu"], what))
    return None


def _spent(words: str, what: str) -> Budget | None:
    """GPU-hours or GPU-days."""
    found = _SPENT.fullmatch(words)
    if found is None:
        return None
    hours = parse_hours(f"1 {found['unit']}", what)
    names = [_gpu_name(one, what) for one in (found["gpu"], found["on"] or "")]
    name, *others = dict.fromkeys(filter(None, names)) or [None]
    if others:
        raise InputError(f"{what}: {shown(words)} names two GPUs; leave one out")
    return Budget(gpu_hours=_many(found["count"], what) * hours, gpu=name)


def _explained(words: str, text: str, what: str) -> Budget:
    """A bare number of FLOPs; for anything else the error says what is missing."""
    try:
        return Budget(flops=parse_compute(text, what))
    except InputError:
        for pattern, sentence in _MISSING:
            found = re.fullmatch(pattern, words, re.I | re.A)
            if found is not None:
                raise InputError(f"{what}: {sentence.format(found[1])}") from None
        raise


def _many(text: str, what: str) -> float:
    """A number of `_MANY`."""
    return float(ONES[text.lower()]) if text.lower() in ONES else parse_count(text, what, "64")


def _whole(text: str, what: str) -> int:
    """A number of GPUs or nodes."""
    many = _many(text, what)
    if many != round(many):
        raise InputError(f"{what}: {text!r} is not a whole number of GPUs; write e.g. 64")
    return round(many)


def _gpu_name(text: str, what: str) -> str | None:
    """The name of a GPU in the form of the catalog; None where the text only says GPU."""
    names = [word for word in re.split(r"[\s()_-]+", text.lower()) if word not in {*_TRADE, ""}]
    if any(re.fullmatch(_NODE, word) for word in names):
        raise InputError(
            f"{what}: how many GPUs has a node? write for example '4 nodes of 8 h100-sxm for 7 days'"
        )
    return re.sub(r"(?<=\d)-gb\b", "gb", "-".join(names)) or None
