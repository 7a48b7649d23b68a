"""Kinds of values that a key may have: how each is read, and its JSON type.

A reader takes the value as a file or an option has it, and the word to name in an error.
"""

import math
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from distillplan.errors import InputError
from distillplan.laws import law_catalog
from distillplan.laws.loss_units import LossUnit, parse_loss_unit
from distillplan.models.known_model import KnownModel, Sized, known_model, sized, split_model
from distillplan.models.model_sizes import (
    LEAST_CONTEXT,
    LEAST_VOCABULARY,
    check_flops,
    check_pair,
    check_tokens,
    parse_params,
    parse_tokens,
    parse_tokens_per_param,
)
from distillplan.named_tuples import NamedTuple
from distillplan.optimize.problems import Bounds, SizeBounds, bounds_named
from distillplan.planning.budget_text import Budget, eaten, parse_budget
from distillplan.scenarios import number_words
from distillplan.scenarios.number_words import (
    counted,
    scalar,
    shared,
    whole_number,
    zero_or_counted,
)
from distillplan.units.choices import choose
from distillplan.units.quantities import TOKENS as TOKENS_NOUN
from distillplan.units.quantities import (
    hourly_usd,
    parse_bytes,
    parse_usd,
)
from distillplan.units.times import parse_hours

Json = dict[str, Any]
"""A JSON Schema, or a part of one."""


class Value(NamedTuple):
    """A kind of value."""

    read: Callable[[Any, str], Any]
    """From what was written, and the word, to the value; InputError where it is unusable."""
    json: Callable[[], Json]
    """Its JSON Schema once it is read; called for help and schemas only, so it may import."""
    is_number: bool = True
    """Whether a range such as 1e19:1e24:41 makes sense."""
    choices: Callable[[], Iterable[str]] | None = None
    """The words that it may be, where there are few."""
    unit: str = ""
    """What a number of it counts; empty where the key's word says that, or the value does."""
    example: str = ""
    """One, where it is a number."""
    is_whole: bool = False
    """Whether a number of it is a whole one."""


class InBits(NamedTuple):
    """A loss in bits per byte, whose unit is in its key."""

    value: float


def _bits_per_byte(value: Any, word: str, example: str) -> InBits:
    return InBits(counted(value, word, example))


def _gpu_hours(value: Any, word: str, example: str) -> Budget:
    return Budget(gpu_hours=number_words.many(value, word, example))


def _gpu_days(value: Any, word: str, example: str) -> Budget:
    hours = 24 * number_words.many(value, word, example)
    if not math.isfinite(hours):
        raise InputError(f"{word}: {value} is too many days")
    return Budget(gpu_hours=hours)


def _student_tokens(value: Any, word: str, example: str) -> Budget:
    given = scalar(value, word, example)
    if isinstance(given, str):
        ratio = parse_tokens_per_param(given, word)
        if ratio is not None:
            return Budget(tokens_per_param=ratio)
    return Budget(tokens=parse_tokens(given, word, example, per_param=True))


class StudentSizes(NamedTuple):
    """A student, and its training tokens where they are written behind it."""

    sized: Sized
    budget: Budget | None = None


def _student(value: Any, word: str, example: str) -> StudentSizes:
    if not isinstance(value, str):
        return StudentSizes(Sized(params=counted(value, word, example, parse_params)))
    model, of_tokens = split_model(value, word, f"{example}:300B")
    student = sized(model, word, tokens=False)
    if of_tokens is None:
        return StudentSizes(student)
    budget = _student_tokens(of_tokens, f"{word}: tokens", "300B")
    if budget.tokens is not None:
        check_pair(student.params, budget.tokens, word)
    return StudentSizes(student, budget)


def _switch(value: Any, word: str) -> bool:
    if isinstance(value, bool):
        return value
    return choose(value, word, ("on", "off")) == "on"


def _budget(value: Any, word: str, example: str) -> Budget:
    given = value if isinstance(value, Budget) else scalar(value, word, example)
    found = given if isinstance(given, Budget) else parse_budget(given, word, gpus_alone=True)
    if found.flops is not None:
        try:
            check_flops(found.flops, word)
        except InputError as error:
            raise InputError(*error.parts, eaten(str(given))) from None
    if found.tokens is not None:
        check_tokens(found.tokens, word)
    return found


def _zero_or_tokens(value: Any, word: str, example: str) -> float:
    tokens = zero_or_counted(value, word, example, TOKENS_NOUN)
    if tokens > 0:
        check_tokens(tokens, word)
    return tokens


def _hours(value: Any, word: str) -> float:
    return parse_hours(scalar(value, word, "'7 days'"), word)


def _hourly_usd(value: Any, word: str, example: str) -> float:
    given = scalar(value, word, example)
    amount = hourly_usd(given, word) if isinstance(given, str) else given
    return zero_or_counted(amount, word, example)


def _memory(value: Any, word: str, example: str) -> float:
    return parse_bytes(scalar(value, word, example), word)


def _text(value: Any, word: str) -> str:
    if not isinstance(value, str):
        raise InputError(f"{word}: expected a name, got {str(value)[:40]!r}")
    return value


def _law(value: Any, word: str) -> Any:
    return law_catalog.law(_text(value, word))


def _pruning_law(value: Any, word: str) -> Any:
    from distillplan.laws.pruning_law import read_pruning_law  # for those who have one

    return read_pruning_law(_text(value, word))


def _pair(value: Any, word: str) -> tuple[float, float]:
    if not (isinstance(value, list) and len(value) == 2):
        raise InputError(f"{word}: not a pair [least, largest]; write for example [1M, 70B]")
    low, high = value
    return counted(low, word, "1M"), counted(high, word, "70B")


def _model(value: Any, word: str) -> KnownModel:
    return known_model(_text(value, word), word)


def _sizes(value: Any, word: str) -> Sized:
    if not isinstance(value, str):
        raise InputError(
            f"{word}: {str(value)[:40]!r} is neither PARAMETERS:TOKENS nor a mapping; write for "
            "example 7B:2T or {params: 7B, loss: 1.95}"
        )
    return sized(value, word)


def _bounds(value: Any, word: str) -> Bounds:
    try:
        return bounds_named(SizeBounds(choose(value, word, SizeBounds)))
    except InputError as error:
        more = "; a mapping is written {student_tokens: [1B, 30T]}"
        raise InputError(*error.parts, more) from None


def _unit(value: Any, word: str) -> LossUnit:
    return parse_loss_unit(_text(value, word), word)


def _group(value: Any, word: str) -> Any:
    raise InputError(f"{word}: {str(value)[:40]!r} is not a mapping; write its keys below it")


def _positive() -> Json:
    return {"type": "number", "exclusiveMinimum": 0}


def _not_negative() -> Json:
    return {"type": "number", "minimum": 0}


def _string() -> Json:
    return {"type": "string"}


def _number(
    read: Callable[..., Any], json: Callable[[], Json], example: str, *parse: Any, **more: Any
) -> Value:
    """A number, such as the example."""
    return Value(
        lambda value, word: read(value, word, example, *parse), json, example=example, **more
    )


def _word(read: Callable[[Any, str], Any], kind: Callable[[], Any]) -> Value:
    """A word of an enumeration."""

    def choices() -> list[str]:
        return [one.value for one in kind()]

    return Value(read, lambda: {"enum": choices()}, is_number=False, choices=choices)


count = partial(_number, counted, _positive)
"""A positive number, such as an example."""
many = partial(_number, number_words.many, _positive)
"""A positive number of things, such as an example, and from which number and of what there can
be."""
loss = partial(_number, number_words.lost, _positive)
"""A loss, such as an example, and the key of its unit."""
DAYS = _number(number_words.days_of, _positive, "180")
PER_DAY = _number(number_words.tokens_per_day, _positive, "100B", unit="tokens")
"""Tokens a day."""
zero_or_count = partial(_number, zero_or_counted, _not_negative)
"""A number, zero or more, such as an example."""
whole = partial(_number, whole_number, lambda: {"type": "integer", "minimum": 1}, is_whole=True)
"""A positive whole number, such as an example; the rest as for `many`."""
share = partial(_number, shared, lambda: {**_positive(), "maximum": 1})
"""A share, above 0 and at most 1, such as 0.4 or 40%."""

PARAMS = _number(counted, _positive, "7B", parse_params, unit="parameters")
"""Parameters of a model."""
TOKENS = _number(counted, _positive, "100B", parse_tokens, unit="tokens")
"""Training tokens."""
ZERO_OR_TOKENS = _number(_zero_or_tokens, _not_negative, "1T", unit="tokens")
"""Tokens, zero or more."""
CONTEXT = many("4096", LEAST_CONTEXT, "tokens of context")
"""Tokens of a sequence."""
SEQUENCE = whole("4096", LEAST_CONTEXT, "tokens of a sequence")
"""The same of a run, which has whole ones."""
VOCABULARY = many("32k", LEAST_VOCABULARY, "rows of vocabulary")
"""Rows of the embedding."""
ROWS = whole("32000", LEAST_VOCABULARY, "rows of vocabulary")
"""The same of a model, which has whole ones."""
STUDENT = _number(_student, _positive, "1B", unit="parameters")
"""A size or a name and, after a colon, training tokens; as `StudentSizes`."""
STUDENT_TOKENS = _number(_student_tokens, _positive, "100B")
"""Training tokens of the student, or how many for each parameter (20 TPP); as a `Budget`."""
SCORE = share("0.66")
"""The accuracy of a model on a task."""
WHOLE = whole("8")
"""A positive whole number, as of GPUs or students."""
BUDGET = _number(_budget, _positive, "1e21")
"""FLOPs, GPUs for a time, GPU-hours or dollars, as a `Budget`."""
GPU_DAYS = _number(_gpu_days, _positive, "400")
"""GPU-days to spend, such as 2k."""
GPU_HOURS = _number(_gpu_hours, _positive, "10k")
"""A `Budget` in GPU-hours."""
USD = _number(counted, _positive, "$20k", parse_usd, unit="US dollars")
"""Dollars, with or without their sign."""
HOURLY_USD = _number(_hourly_usd, _not_negative, "2.50")
"""Dollars for an hour, zero or more, such as 2.50 or $2.50/h."""
MEMORY = _number(_memory, _positive, "80GB", unit="bytes")
"""Bytes."""
BITS_PER_BYTE = _number(_bits_per_byte, _positive, "0.72", unit="bits per byte")
"""A loss in bits per byte, as `InBits`."""
HOURS = Value(_hours, _positive, is_number=False, unit="hours")
"""A length of time; in hours."""
MODEL = Value(_model, _string, is_number=False)
"""A model by its name or its config.json, as a `KnownModel`."""
SWITCH = Value(
    _switch,
    lambda: {"enum": [True, False, "on", "off"]},
    is_number=False,
    choices=lambda: ["on", "off"],
)
"""On or off, as true or false."""
LOSS_UNIT = Value(_unit, _string, is_number=False)
"""The unit of a loss, as a `LossUnit`."""
TEXT = Value(_text, _string, is_number=False)
"""A name."""
LAW = Value(_law, _string, is_number=False)
"""A law by its name or file, as a `PublishedLaw`."""
PRUNING_LAW = Value(_pruning_law, _string, is_number=False)
"""A law of cut models by its file, as a `FittedPruning`."""
PAIR = Value(
    _pair,
    lambda: {"type": "array", "items": _positive(), "minItems": 2, "maxItems": 2},
    is_number=False,
)
"""The least and the largest of a size."""
SIZES = Value(_sizes, lambda: {"type": "string", "pattern": "^[^:]+(:[^:]+)?$"}, is_number=False)
"""Parameters and, after a colon, tokens of a model, or its name; as a `Sized`. A mapping of its
parts is read as one too."""
BOUNDS = _word(_bounds, lambda: SizeBounds)
"""Named bounds of the search, as `Bounds`, or a mapping of them by size."""
GROUP = Value(_group, dict, is_number=False)
"""A mapping of other keys."""


def one_of(kind: Callable[[], Any]) -> Value:
    """A word of an enumeration.

    Args:
        kind: gives the enumeration; called when a value is read, so that it may import.
    """

    def read(value: Any, word: str) -> Any:
        known = kind()
        return known(choose(value, word, known))

    return _word(read, kind)
