"""Budgets as people write them: FLOPs, GPUs for a time, GPU-hours, dollars, or tokens to train on.

What is not understood is never guessed: the error says which part is missing and how to write it.
"""

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from distillplan.errors import InputError, Word
from distillplan.files.text_reader import YAML_ENDINGS
from distillplan.models.model_sizes import LEAST_FLOPS, parse_tokens_per_param
from distillplan.named_tuples import NamedTuple
from distillplan.planning.budget_gpus import asked, gpu_name, is_known, with_variant
from distillplan.planning.budget_patterns import (
    EATEN,
    FLOPS,
    GPUS,
    GPUS_ALONE,
    MISSING,
    OF_TOKENS,
    ON,
    OVER,
    RENTED,
    SPENT,
    match,
)
from distillplan.units.numerals import (
    MOST_LETTERS,
    plain,
    positive,
    shown,
    split_number,
    usual,
)
from distillplan.units.quantities import (
    METRIC,
    MULTIPLIERS,
    SECONDS_PER_HOUR,
    TOKENS,
    amount_of_money,
    parse_count,
    parse_many,
)
from distillplan.units.times import parse_hours

if TYPE_CHECKING:
    from distillplan.planning.budget_repairs import Repair

EXAMPLE: Final = "1e21"
"""A budget in FLOPs to show somebody who has written none."""
EXAMPLES: Final = f"{EXAMPLE}, '8 h100-sxm for 7 days', '10k h100-sxm-hours' or '$20k'"
"""One of each kind."""


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
    lacks: str = ""
    """What to ask where it names GPUs alone, and no limit says how long they are used."""

    @property
    def of_tokens(self) -> bool:
        """Whether it is given by what to train on."""
        return self.tokens is not None or self.tokens_per_param is not None

    def tokens_for(self, params: float) -> float:
        """Training tokens of a student of so many parameters, where it is given by them."""
        return self.tokens or (self.tokens_per_param or 0.0) * params


def parse_compute(text: str | float, what: str = "compute budget", example: str = EXAMPLE) -> float:
    """A compute budget in FLOPs, written with or without a unit.

    Args:
        text: as written.
        what: the noun that starts an error message.
        example: what would have been right.

    Raises:
        InputError: when it is not a positive finite count of FLOPs.

    >>> parse_compute("1e21"), parse_compute("1 ZFLOP"), parse_compute("10 PF-days")
    (1e+21, 1e+21, 8.64e+20)
    """
    if isinstance(text, str):
        value, unit = split_number(text, what, example)
        flops = _flops_in(unit, text, what) if unit else None
        if flops is not None:
            return positive(value * flops, text, what, example)
    return parse_count(text, what, example)


def _flops_in(unit: str, text: str, what: str) -> float | None:
    """FLOPs in a unit of compute; None where it is none.

    Raises:
        InputError: for a rate, and for what may be one.
    """
    found = match(FLOPS, unit.lower())
    if found is None:
        return None
    flops = MULTIPLIERS[found["times"] or ""] * METRIC[found["prefix"]]
    if found["time"]:  # a petaFLOP/s-day is 1e15 * 86400, the unit of Kaplan et al. 2020
        return flops * parse_hours(f"1 {found['time']}", what) * SECONDS_PER_HOUR
    if found["rate"]:
        raise InputError(f"{what}: {shown(text)} is a rate; give a count of FLOPs, e.g. {EXAMPLE}")
    if found["noun"] == "f" or (found["prefix"] and text.rstrip().endswith("FLOPS")):
        raise InputError(
            f"{what}: {shown(text)} may be a rate; write FLOPs for a count of operations, or "
            "FLOP/s-days for a rate over some days"
        )
    return flops


def parse_budget(
    text: str | float, what: str = "compute budget", *, gpus_alone: bool = False
) -> Budget:
    """A budget in FLOPs, GPUs for a time, GPU-hours, dollars, or tokens.

    Args:
        text: as written.
        what: the noun that starts an error message.
        gpus_alone: whether a deadline may say how long GPUs are used.

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
    number = usual(words)
    if number is not None and not number[2]:  # most budgets are FLOPs without a unit
        return _explained(words, text, what)
    try:
        return _read(words, text, what, gpus_alone=gpus_alone)
    except InputError:
        from distillplan.planning.budget_repairs import respelled  # only for what is not understood

        repair = respelled(words, what)
        if repair is not None:  # whose error says what else there is to mend
            parse_budget(repair.budget, what, gpus_alone=gpus_alone)
            _refuse(words, what, repair)
        raise


def _read(words: str, text: str, what: str, *, gpus_alone: bool) -> Budget:
    """The budget of some words that are no mere number."""
    found = _trained(words, what) or _rented(words, what)
    on = None if found else match(ON, words)
    placed = _unplaced(on["budget"], what) or _bare_flops(on["budget"], what) if on else None
    if on and placed:
        return _placed(placed, on["count"], gpu_name(on["gpu"], what), what)
    found = found or _unplaced(words, what)
    if found is not None:
        return found
    from distillplan.planning.budget_repairs import multiplied, one_of, with_days  # as above

    _refuse(words, what, one_of(words) or multiplied(words))
    _refuse(words, what, with_days(words, _is_of_gpus))
    return (_gpus_alone(words, what) if gpus_alone else None) or _explained(words, text, what)


def _refuse(words: str, what: str, repair: "Repair | None") -> None:
    """Say what to write instead, where it is known, with a variant where the GPU's name has some.

    Raises:
        InputError: with the budget to write.
    """
    if repair is None:
        return
    gpu = parse_budget(repair.budget, what, gpus_alone=True).gpu
    raise InputError(f"{what}: {words!r} {repair.why} '{with_variant(repair.budget, gpu)}'")


def _is_of_gpus(words: str) -> bool:
    """Whether a text is GPUs for a time, and they are known."""
    try:
        budget = _rented(words, "")
    except InputError:
        return False
    return budget is not None and is_known(budget.gpu)


def _trained(words: str, what: str) -> Budget | None:
    """The tokens to train on, for each student or each of its parameters."""
    ratio = parse_tokens_per_param(words, what)
    if ratio is not None:
        return Budget(tokens_per_param=ratio)
    if match(OF_TOKENS, words):
        return Budget(tokens=parse_count(words, what, "100B tokens", TOKENS))
    return None


def _unplaced(words: str, what: str) -> Budget | None:
    """Money, FLOPs, or hours of a GPU, without the GPUs to spend them on."""
    amount = amount_of_money(words, what)
    if amount is not None and not (match(OVER, amount) or " per " in amount):
        return Budget(usd=parse_many(amount, what, "$20k"))
    return _computed(words, what) or _spent(words, what)


def _bare_flops(words: str, what: str) -> Budget | None:
    """FLOPs without their unit; None for fewer than train anything, which may be something else."""
    with suppress(InputError):
        flops = parse_compute(words, what)
        return Budget(flops=flops) if flops >= LEAST_FLOPS else None
    return None


def _placed(budget: Budget, count: str | None, gpu: str | None, what: str) -> Budget:
    """A budget with the GPUs that are named behind it."""
    if budget.gpu is not None and gpu not in (None, budget.gpu):
        raise InputError(f"{what}: it names two GPUs, {budget.gpu} and {gpu}; leave one out")
    gpus = None if count is None else _whole(count, what)
    return budget._replace(gpus=gpus, gpu=gpu or budget.gpu)


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
    for pattern in RENTED:
        found = match(pattern, words)
        if found is None:
            continue
        said = found.groupdict()
        if said.get("bare") and not re.search(r"\d|gpu", said["gpu"], re.IGNORECASE):
            continue  # 5k RTX 4090 hours are no RTX for 4090 hours
        money = amount_of_money(f"{said['count']} {said['gpu']}", what)
        if money is not None or match(FLOPS, said["gpu"].lower()):
            continue
        hours = parse_hours(said["hours"], what)
        gpus = _whole(said["count"], what) * _whole(said.get("nodes") or "one", what)
        gpu = gpu_name(said["gpu"], what, alone=True, rented=(gpus, said["hours"]))
        return Budget(gpu_hours=gpus * hours, gpus=gpus, gpu=gpu)
    return None


def _gpus_alone(words: str, what: str) -> Budget | None:
    """GPUs without a time, which is lacking unless a limit has it."""
    pattern, sentence = GPUS_ALONE
    said, alone = match(GPUS, words), match(pattern, words)
    if said is None or alone is None:
        return None
    gpus = _whole(said["count"], what) * _whole(said["nodes"] or "one", what)
    lacks = asked(sentence, alone.groupdict(), what)
    return Budget(gpus=gpus, gpu=gpu_name(said["gpu"], what, alone=True), lacks=lacks)


def _spent(words: str, what: str) -> Budget | None:
    """GPU-hours or GPU-days."""
    found = match(SPENT, words)
    if found is None:
        return None
    hours = parse_hours(f"1 {found['unit']}", what)
    spent = Budget(
        gpu_hours=parse_many(found["count"], what) * hours,
        gpu=gpu_name(found["gpu"], what, alone=True),
    )
    return _placed(spent, None, gpu_name(found["on"] or "", what), what)


def _explained(words: str, text: str, what: str) -> Budget:
    """A bare number of FLOPs; for anything else the error says what is missing."""
    try:
        return Budget(flops=parse_compute(text, what, EXAMPLES))
    except InputError as error:
        if eaten(words):
            raise InputError(*error.parts, eaten(words)) from None
        questions = [
            asked(sentence, found.groupdict(), what)
            for pattern, sentence in MISSING
            if (found := match(pattern, words)) is not None
        ]
        best = next(filter(_works, questions), None)
        if best is not None:
            raise InputError(f"{what}: {best}") from None
        over = match(OVER, words)
        if over is not None:
            parse_hours(over[2], what)
            if _unplaced(over[1], what) or _bare_flops(over[1], what):
                raise InputError(
                    f"{what}: {over[1]} is a budget without a time; write {over[1]} and ",
                    Word("deadline", repr(over[2])),
                ) from None
            raise InputError(
                f"{what}: {over[1]!r} is not a number of GPUs; write e.g. "
                f"'8 h100-sxm for {over[2]}'"
            ) from None
        if words.lower().endswith(YAML_ENDINGS):
            raise InputError(
                f"{what}: {text!r} is a file, and the budget goes here; for the scenarios of a "
                f"file: distillplan compare {text}"
            ) from None
        raise


def eaten(text: str) -> str:
    """How to write dollars, to add to an error about what a shell may have left of some.

    >>> eaten("0,000")[:40], eaten("1e21")
    ('; a shell takes $ and what follows out o', '')
    """
    if not match(EATEN, text):
        return ""
    return "; a shell takes $ and what follows out of \"$20k\", so write '$20k' with single quotes"


def _works(sentence: str) -> bool:
    """Whether every budget that a sentence proposes is one, of GPUs that are known."""
    for proposed in re.findall(r"'([^']+)'", sentence):
        try:
            if not is_known(parse_budget(proposed).gpu):
                return False
        except InputError:
            return False
    return True


def _whole(text: str, what: str) -> int:
    many = parse_many(text, what)
    if many != round(many):
        raise InputError(f"{what}: {text!r} is not a whole number of GPUs; write e.g. 64")
    return round(many)
