"""Where to start with learning rate and batch: published laws of pretraining, as power laws.

A law is a scale times powers of what it depends on; it stands in coefficients/recipe.yaml. None was
fitted on distillation, so that each is a place to start from and no prediction.
"""

import math
from collections.abc import Sequence
from typing import Final

from distillplan.errors import InputError
from distillplan.files.entries import Entry
from distillplan.models.architecture import FixedAspect
from distillplan.named_tuples import NamedTuple
from distillplan.questions.recipe_file import FILE, recipe_file
from distillplan.questions.recipe_records import StartingPoint

FACTORS: Final = ("params", "tokens", "flops")
"""What a law may depend on."""


class RunSize(NamedTuple):
    """What laws of hyperparameters depend on."""

    params: float
    """Non-embedding parameters."""
    tokens: float
    flops: float
    """Of training, without the vocabulary (DeepSeek-AI 2024, arXiv:2401.02954, Equation 2)."""


def run_size(params: float, tokens: float, family: FixedAspect) -> RunSize:
    """The size of a run.

    FLOPs per token are 6 N + 12 layers * width * context, attention counted whole, with layers and
    width of the paper's family.

    Args:
        params: non-embedding parameters.
        tokens: of training.
        family: aspect ratio and context.
    """
    width = family.width(params)
    layers = width / family.aspect
    per_token = 6 * params + 12 * layers * width * family.context
    return RunSize(params=params, tokens=tokens, flops=per_token * tokens)


def starting_points(params: float, tokens: float, family: FixedAspect) -> tuple[StartingPoint, ...]:
    """Where each law says to start, for a run of such a size; as for `run_size`.

    Raises:
        InputError: when the file of recipes is not what it should be.
    """
    size = run_size(params, tokens, family)
    return tuple(starting_point(one, size) for one in recipe_file().entries("starting_points"))


def starting_point(entry: Entry, size: RunSize) -> StartingPoint:
    """Where one law says to start.

    Args:
        entry: the law as it stands in the file.
        size: of the run.

    Raises:
        InputError: when the file is not what it should be.
    """
    final = entry.optional("final_learning_rate")
    return StartingPoint(
        law=entry.text("name"),
        learning_rate=_power_law(entry.mapping("learning_rate"), size),
        final_learning_rate=final,
        batch_tokens=_power_law(entry.mapping("batch_tokens"), size),
        outside=_outside(entry.mapping("valid"), size),
        exported=entry.flag("exported"),
        source=entry.text("source"),
    )


def _power_law(entry: Entry, size: RunSize) -> float:
    powers = sum(entry.number(name, 0.0) * math.log(getattr(size, name)) for name in FACTORS)
    found = math.log(entry.positive("scale")) + powers
    entry.finish()
    return math.exp(found)


def _outside(entry: Entry, size: RunSize) -> tuple[str, ...]:
    """Those of the factors that lie outside what the law has seen."""
    found = []
    for name in FACTORS:
        ends = entry.items(name)
        if not ends:
            continue
        if len(ends) != 2:
            raise InputError(f"{entry.where}.{name}: {ends} is not a pair [low, high]")
        value = getattr(size, name)
        low, high = ends
        if (low is not None and value < low) or (high is not None and value > high):
            found.append(name)
    entry.finish()
    return tuple(found)


def format_rate(value: float) -> str:
    """A learning rate for people.

    >>> format_rate(0.000884)
    '8.8e-4'
    """
    mantissa, _, power = f"{value:.1e}".partition("e")
    return f"{mantissa}e{int(power)}"


def rates_told(points: Sequence[StartingPoint]) -> str:
    """The learning rates of all laws, and which to try; one where they agree as they are shown."""
    rates = [one.learning_rate for one in points]
    least, most = format_rate(min(rates)), format_rate(max(rates))
    word = "rates_agree" if least == most else "rates_differ"
    return recipe_file().mapping("words").text(word).format(least=least, most=most)


def exported(points: Sequence[StartingPoint]) -> StartingPoint:
    """The point that exports take.

    Raises:
        InputError: when the file of recipes marks none.
    """
    found = next((one for one in points if one.exported), None)
    if found is None:
        raise InputError(f"{FILE}: no starting point is marked as exported")
    return found
