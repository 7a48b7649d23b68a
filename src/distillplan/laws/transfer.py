"""How far a real run's gain may lie from the one that a law predicts: with other data, and outside.

The gain of distillation, in nats, is what supervised training loses more. What a reader will see is
the law's gain plus an error that is symmetric around zero: it widens odds and never moves them. Its
scale knows where the plan is::

    scale^2 = transfer^2 + outside^2
    outside^2 = sum over inputs of (slope * distance beyond the fitted range)^2
                + (gain_share * distance below the range * gain)^2

``transfer`` is how far other laboratories' runs came out from the law inside its range; ``outside``
is zero there. Its last term says that far below the range, where the law's gains grow without
bound, the gain itself is not believed. The constants come from published comparisons
(coefficients/transfer.yaml, which says how few they are). The error is Student's t with two degrees
of freedom: its tails are as heavy as those comparisons ask for, and its distribution function has a
closed form, so no plan needs scipy.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import numpy as np

from distillplan.errors import InputError
from distillplan.files.entries import Entry, read_shipped
from distillplan.laws.formulas import FloatArray
from distillplan.named_tuples import NamedTuple

DEGREES_OF_FREEDOM: Final = 2
"""Of Student's t; the closed forms below are those of two."""
TELLING: Final = 2.0
"""Scales of the error inside the range within which nobody can tell who wins."""
LARGEST_GAIN: Final = 0.33
"""The largest gain of distillation that was measured in nats at equal tokens: Marin, 0.6B student
from Qwen3-32B on 1.8B tokens (marin-community/marin@ef3e98ae). Where the law says more, it errs."""
MOST_STEPS: Final = 60
"""Newton needs about five; where it leaves the bracket, so many halvings are enough."""
CLOSE: Final = 1e-10
"""A quantile is found when the probability below it is within this of the level."""


class Slopes(NamedTuple):
    """Growth of the error with the distance beyond the fitted range."""

    params_below: float
    """Per e-fold of student parameters below the range, nats."""
    tokens_below: float
    """Per e-fold of student tokens below the range, nats."""
    above: float
    """Per e-fold of student parameters or tokens above the range, nats."""
    teacher_loss: float
    """Per nat of teacher loss beyond the range, on either side."""
    gain_share: float
    """Per e-fold of student parameters and tokens below the range, as a share of the gain."""


class ErrorCases(NamedTuple):
    """Published comparisons that each constant of the error stands on."""

    scale: int
    """Comparisons inside the range, or hardly outside."""
    params_below: int
    tokens_below: int
    above: int
    teacher_loss: int
    gain_share: int


class TransferError(NamedTuple):
    """The constants of the error, from coefficients/transfer.yaml."""

    scale: float
    """Of Student's t inside the range, nats: ``transfer``."""
    slopes: Slopes
    cases: ErrorCases


class Beyond(NamedTuple):
    """Distances beyond a fitted range, arrays of one shape; zero inside."""

    params_below: Any
    params_above: Any
    tokens_below: Any
    tokens_above: Any
    """In e-folds, as the three before."""
    teacher_loss: Any
    """In nats."""

    def squared_scale(self, slopes: Slopes, gain: Any) -> Any:
        """The square of the error that the distances add to a predicted gain, nats squared."""
        below = self.params_below**2 + self.tokens_below**2
        return (
            (slopes.params_below * self.params_below) ** 2
            + (slopes.tokens_below * self.tokens_below) ** 2
            + slopes.above**2 * (self.params_above**2 + self.tokens_above**2)
            + (slopes.teacher_loss * self.teacher_loss) ** 2
            + slopes.gain_share**2 * below * np.square(gain)
        )


@cache
def transfer_error() -> TransferError:
    """The shipped constants.

    Raises:
        InputError: when their file is missing or a constant is not a positive number.
    """
    return transfer_error_from_entry(read_shipped("transfer.yaml"))


def transfer_error_from_entry(data: Any) -> TransferError:
    """The constants from the contents of coefficients/transfer.yaml.

    Raises:
        InputError: naming what is missing, not positive, or made for another distribution.
    """
    entry = Entry(data, "transfer").mapping("error")
    degrees = entry.number("degrees_of_freedom")
    if degrees != DEGREES_OF_FREEDOM:
        raise InputError(
            f"transfer.error: made for {degrees:g} degrees of freedom; "
            f"the closed forms are those of {DEGREES_OF_FREEDOM}"
        )
    parts = {name: entry.mapping(name) for name in ErrorCases._fields}
    values = {name: one.positive("value") for name, one in parts.items()}
    return TransferError(
        scale=values.pop("scale"),
        slopes=Slopes(**values),
        cases=ErrorCases(**{name: int(one.number("cases")) for name, one in parts.items()}),
    )


def range_alone(valid: Mapping[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    """The part of a law's range that its side without a teacher has, of whatever else it knows."""
    return {name: valid[name] for name in ("params", "tokens") if name in valid}


def beyond_range(
    valid: Mapping[str, tuple[float, float]],
    *,
    student_params: Any,
    student_tokens: Any,
    teacher_loss: Any,
    supervised_tokens: Any = None,
) -> Beyond:
    """How far a comparison lies beyond the range that a law was fitted on.

    Args:
        valid: the law's range of each input; an input without one is never beyond it.
        student_params: non-embedding parameters of the student.
        student_tokens: tokens of the distilled student.
        teacher_loss: nats per token.
        supervised_tokens: tokens of the student trained from data alone, whose size and tokens are
            judged by the supervised runs; None: there is none. The one that is farther out counts.

    Returns:
        Distances of the shape to which the arguments broadcast.
    """
    # a law without a distillation side has the range of its supervised one only
    sizes = valid.get("student_params", valid.get("params"))
    lengths = valid.get("student_tokens", valid.get("tokens"))
    params_below, params_above = _beyond(np.log(student_params), sizes)
    tokens_below, tokens_above = _beyond(np.log(student_tokens), lengths)
    if supervised_tokens is not None:
        below, above = _beyond(np.log(student_params), valid.get("params", sizes))
        params_below = np.maximum(params_below, below)
        params_above = np.maximum(params_above, above)
        below, above = _beyond(np.log(supervised_tokens), valid.get("tokens", lengths))
        tokens_below = np.maximum(tokens_below, below)
        tokens_above = np.maximum(tokens_above, above)
    too_low, too_high = _beyond(teacher_loss, valid.get("teacher_loss"), logs=False)
    return Beyond(
        params_below=params_below,
        params_above=params_above,
        tokens_below=tokens_below,
        tokens_above=tokens_above,
        teacher_loss=np.maximum(too_low, too_high),
    )


def outside_scale(
    valid: Mapping[str, tuple[float, float]],
    *,
    gain: Any,
    student_params: Any,
    student_tokens: Any,
    teacher_loss: Any,
    supervised_tokens: Any = None,
    error: TransferError | None = None,
) -> Any:
    """The part of the error's scale that being outside a law's fitted range adds, nats.

    Args:
        valid: the law's range of each input.
        gain: predicted, nats; infinite where one side has no answer.
        student_params: non-embedding parameters of the student.
        student_tokens: tokens of the distilled student.
        teacher_loss: nats per token.
        supervised_tokens: tokens of the student trained from data alone; None: there is none.
        error: other constants than those that ship.

    Returns:
        An array of the shape to which the arguments broadcast; zero inside the range.

    >>> inside = {"student_params": (1e8, 1e10), "student_tokens": (1e9, 1e12)}
    >>> at = {"student_params": 1e9, "student_tokens": 1e11, "teacher_loss": 2.0}
    >>> float(outside_scale(inside, gain=0.02, **at))
    0.0
    """
    distances = beyond_range(
        valid,
        student_params=student_params,
        student_tokens=student_tokens,
        teacher_loss=teacher_loss,
        supervised_tokens=supervised_tokens,
    )
    known = np.where(np.isfinite(gain), gain, 0.0)
    return np.sqrt(distances.squared_scale((error or transfer_error()).slopes, known))


def room_to_tell(gain: Any, outside: Any, scale: float, tie_nats: Any = 0.0) -> Any:
    """By how much the error outside the range could grow before nothing is known, nats.

    Negative where it is larger than the gain, and than a tie and `TELLING` scales of the error
    inside the range, within which a gain is too close to call whatever the place. A gain counts as
    no larger than `LARGEST_GAIN`.

    Args:
        gain: predicted gains, nats.
        outside: what ``outside_scale`` gives for them, nats.
        scale: of the error inside the range, nats; 0 for a law of one's own.
        tie_nats: gains smaller than this are ties.

    Returns:
        Nats, of the shape to which the arguments broadcast.
    """
    known = np.minimum(np.abs(gain), LARGEST_GAIN)
    return np.maximum(known, np.maximum(tie_nats, TELLING * scale)) - outside


def probability_above(gain: Any, threshold: Any, scale: Any) -> Any:
    """Probability that a predicted gain plus its error is above a threshold.

    With t = (gain - threshold) / scale it is (1 + t / sqrt(2 + t^2)) / 2, the distribution function
    of Student's t with two degrees of freedom.

    Args:
        gain: predicted gains, nats; infinite where one side has no answer.
        threshold: nats.
        scale: of the error, nats; zero for no error.

    Returns:
        Probabilities of the shape to which the arguments broadcast.

    >>> float(probability_above(0.02, 0.02, 0.03))
    0.5
    >>> float(probability_above(0.1, 0.02, 0.0))
    1.0
    """
    return 0.5 + 0.5 * _sine(np.subtract(gain, threshold), scale)


def density(distance: Any, scale: Any) -> Any:
    """Density of the error at a distance from its center, per nat.

    Args:
        distance: nats.
        scale: of the error, nats; positive.

    Returns:
        Densities of the shape to which the arguments broadcast.
    """
    variance = np.square(scale)
    spread = 2 * variance + np.square(distance)
    return variance / (spread * np.sqrt(spread))


def error_quantile(level: Any) -> Any:
    """A quantile of the error of scale one: u sqrt(2 / (1 - u^2)) with u = 2 level - 1.

    >>> round(float(error_quantile(0.95)), 4)
    2.92
    """
    u = 2 * np.asarray(level, dtype=float) - 1
    return u * np.sqrt(2 / (1 - u * u))


def gain_quantile(centers: FloatArray, scale: Any, level: Any) -> FloatArray:
    """A quantile of equally likely gains that each carry the error.

    Args:
        centers: gains of the drawn laws, shape (..., draws); not finite where there is none.
        scale: of the error, nats: a number, or an array of shape (...,) or (..., draws).
        level: from 0 to 1, without the ends: a number, or an array that broadcasts to (...,), whose
            first axes may go before those of the centers.

    Returns:
        Quantiles of shape (...,), of the levels too; not a number where a center is not finite.

    >>> gain_quantile(np.zeros((2, 3)), np.array([1.0, 2.0]), 0.95).round(3)
    array([2.92, 5.84])
    >>> gain_quantile(np.zeros(3), 1.0, np.array([0.05, 0.5, 0.95])).round(3)
    array([-2.92,  0.  ,  2.92])
    """
    centers = np.asarray(centers, dtype=float)
    scale = np.asarray(scale, dtype=float)
    if scale.ndim == centers.ndim - 1:
        scale = scale[..., None]
    # the quantile of a mixture lies between the least and the greatest of its parts
    ends = centers + scale * error_quantile(level)[..., None]
    low, high = ends.min(axis=-1), ends.max(axis=-1)
    at = (low + high) / 2
    for _ in range(MOST_STEPS):
        excess = 1 - level - probability_above(centers, at[..., None], scale).mean(axis=-1)
        if not (np.abs(excess) > CLOSE).any():
            break
        low, high = np.where(excess < 0, at, low), np.where(excess < 0, high, at)
        with np.errstate(invalid="ignore", divide="ignore"):  # without an error there is no slope
            step = at - excess / density(centers - at[..., None], scale).mean(axis=-1)
        at = np.where((low <= step) & (step <= high), step, (low + high) / 2)
    return np.where(np.isfinite(centers).all(axis=-1), at, np.nan)


def _beyond(value: Any, ends: tuple[float, float] | None, *, logs: bool = True) -> tuple[Any, Any]:
    """Distances below and above a range; of logarithms, the range's ends are made logarithms."""
    if ends is None:
        return np.zeros_like(value, dtype=float), np.zeros_like(value, dtype=float)
    low, high = np.log(ends) if logs else ends
    return np.maximum(low - value, 0.0), np.maximum(value - high, 0.0)


def _sine(distance: Any, scale: Any) -> Any:
    """The ratio t / sqrt(2 + t^2) at t = distance / scale, also where the scale is zero."""
    length = np.sqrt(np.square(distance) + 2 * np.square(scale))  # half the time of np.hypot
    with np.errstate(invalid="ignore", divide="ignore"):
        inside = np.true_divide(distance, length)
    # 0/0 where nothing is known to differ, infinity over infinity where a side has no answer
    return np.where(np.isfinite(distance) & (length > 0), inside, np.sign(distance))
