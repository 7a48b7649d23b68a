"""The rule: from a gain, and how far it can be trusted, to a verdict.

The odds lie evenly around the gain of the law (`planning.odds`), so one side has at least half of
them exactly where it leads by at least a tie. The rule therefore needs no draws, and what it says
of a budget, of a cell of a sweep or of a plan without odds is what the odds say there.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from distillplan.laws.formulas import FloatArray
from distillplan.laws.provenance import PublishedLaw
from distillplan.laws.repetition import log_worth
from distillplan.laws.transfer import (
    LARGEST_GAIN,
    TELLING,
    TransferError,
    outside_scale,
    range_alone,
    room_to_tell,
    transfer_error,
)
from distillplan.named_tuples import NamedTuple
from distillplan.optimize.problems import Optima
from distillplan.planning.results import Option, Reason
from distillplan.planning.scenario import Scenario
from distillplan.planning.verdict_records import HALF, Odds, Verdict

FEWEST_TOKENS_PER_PARAM = 1.0
"""Below one token per parameter there is no run behind the law, which there even has a student gain
by paying for its own teacher (a 30B student at 1e20 FLOPs)."""

_BY_SIDE = {1: Verdict.DISTILL, 0: Verdict.TIE, -1: Verdict.SUPERVISED}


class Trained(NamedTuple):
    """Trained students; numbers, or arrays of shape (cells,)."""

    loss: Any
    """Nats per token; infinite where it is over budget."""
    params: Any
    tokens: Any
    teacher_loss: Any = None
    """None for supervised training."""
    teacher_params: Any = None
    """Of a teacher whose loss comes from the law; None where they do not matter."""
    teacher_tokens: Any = None

    def row(self, row: int) -> "Trained":
        """One of the students, as arrays of shape (1,)."""
        here = slice(row, row + 1)
        every = self._asdict()
        return Trained(**{key: None if one is None else one[here] for key, one in every.items()})


class Weighed(NamedTuple):
    """Distilled students beside supervised ones, arrays of shape (cells,)."""

    gain: FloatArray
    """Supervised minus distilled loss, nats per token; minus infinity where only the supervised one
    is affordable, not-a-number where neither is."""
    side: FloatArray
    """1 where distillation wins, -1 where supervised training does, 0 at a tie, not-a-number where
    there is no verdict."""
    guess: Any
    """Whether there is none because a loss is no better than guessing."""
    outside: FloatArray
    """Scale of the error that grows outside the fitted range, nats per token."""
    slack: FloatArray
    """Negative where there is no verdict because of this error: by how much it could grow, or by
    how much a costly teacher loses anyway, nats per token."""
    starved: Any
    """Whether not even the largest gain would make up for the tokens that the teacher costs."""

    def rows(self, rows: Any) -> "Weighed":
        """Some of the cells."""
        return Weighed(**{name: values[rows] for name, values in self._asdict().items()})


def run_of(trained: Option | Optima) -> Trained:
    """What an option, or an optimizer's answer, trains; infinite loss where it is over budget."""

    def array(value: Any) -> FloatArray | None:
        return None if value is None else np.atleast_1d(np.asarray(value, float))

    loss = np.atleast_1d(np.asarray(trained.loss, float))
    return Trained(
        loss=np.where(np.isnan(loss), np.inf, loss),
        params=np.atleast_1d(np.asarray(trained.student_params, float)),
        tokens=np.atleast_1d(np.asarray(trained.student_tokens, float)),
        teacher_loss=array(trained.teacher_loss),
        teacher_params=array(trained.teacher_params),
        teacher_tokens=array(trained.teacher_tokens),
    )


def weigh_options(scenario: Scenario, alone: Option, distilled: Option) -> Weighed:
    """Which of two options wins; arrays of shape (1,)."""
    return weigh(scenario, run_of(alone), run_of(distilled))


def weigh(
    scenario: Scenario, alone: Trained, distilled: Trained, tie_nats: FloatArray | None = None
) -> Weighed:
    """Which side wins, and where nobody can say.

    Nobody can where the error outside the fitted range is larger than the gain, a tie and the error
    inside it; below `FEWEST_TOKENS_PER_PARAM`; and where a loss is no better than the
    ln(vocabulary) of guessing. A gain counts as no larger than `LARGEST_GAIN`. But where a teacher
    costs the student so many tokens that even such a gain would not make up for them, supervised
    training wins however far outside it is.

    Args:
        scenario: for its law, vocabulary and tie.
        alone: supervised training.
        distilled: the same budgets, spent on distillation.
        tie_nats: of each cell, shape (cells,); None for the scenario's.
    """
    return judged(scenario, compared(scenario, alone, distilled), tie_nats)


class Compared(NamedTuple):
    """Distilled students beside supervised ones, before anybody judges; arrays of shape (cells,).

    That of a family has the weighted means of its members' numbers: their errors are of one
    laboratory, one text and one teacher, so that they do not average out.
    """

    gain: Any
    """As in `Weighed`."""
    outside: Any
    """As in `Weighed`."""
    price: Any
    """What supervised training would lose on the distilled student's tokens, nats per token."""
    guess: Any
    """Whether a loss is no better than guessing."""
    few: Any
    """Whether there are fewer than `FEWEST_TOKENS_PER_PARAM`."""


def compared(scenario: Scenario, alone: Trained, distilled: Trained) -> Compared:
    """What is known of distilled students beside supervised ones."""
    with np.errstate(invalid="ignore"):
        affordable = np.isfinite(distilled.loss)
        gain = np.where(np.isfinite(alone.loss), alone.loss - np.asarray(distilled.loss), np.nan)
        guess = (alone.loss >= guessing(scenario)) | (
            affordable & (np.asarray(distilled.loss) >= guessing(scenario))
        )
        return Compared(
            gain=gain,
            outside=outside_of(scenario, alone, distilled, gain),
            price=_price_in_tokens(scenario, alone, distilled),
            guess=guess,
            few=alone.tokens < FEWEST_TOKENS_PER_PARAM * np.asarray(alone.params),
        )


def judged(scenario: Scenario, found: Compared, tie_nats: FloatArray | None = None) -> Weighed:
    """Which side wins, by the rule of `weigh`; arrays of shape (cells,)."""
    error, tie = transfer_of(scenario.law), scenario.tie_nats if tie_nats is None else tie_nats
    with np.errstate(invalid="ignore"):
        starved = np.minimum(found.price - LARGEST_GAIN, -tie - found.gain)
        slack = np.maximum(room_to_tell(found.gain, found.outside, error.scale, tie), starved)
    silent = found.guess | found.few | (slack < 0) | np.isnan(found.gain)
    side = np.where(silent, np.nan, sides(found.gain, tie))
    return Weighed(
        gain=found.gain,
        side=side,
        guess=found.guess,
        outside=found.outside,
        slack=slack,
        starved=np.asarray(found.price) >= LARGEST_GAIN,
    )


def _price_in_tokens(scenario: Scenario, alone: Trained, distilled: Trained) -> Any:
    """What supervised training would lose on the distilled student's tokens, in nats."""
    n, d = np.log(np.asarray(distilled.params)), np.log(np.asarray(distilled.tokens))
    loss = scenario.law.supervised.loss_at_logs(n, log_worth(d, scenario.unique_tokens))
    return np.where(np.isfinite(distilled.loss), loss - alone.loss, np.inf)


def reason_of(weighed: Weighed, row: int = 0) -> Reason:
    """Why one cell has its verdict, or none."""
    side = float(weighed.side[row])
    if math.isnan(side):
        return Reason.WORSE_THAN_GUESSING if weighed.guess[row] else Reason.FAR_OUTSIDE_FIT
    if not np.isfinite(weighed.gain[row]):
        return Reason.DISTILLATION_OVER_BUDGET
    return Reason.TOO_CLOSE if side == 0 else Reason.LIKELIEST


def outside_of(scenario: Scenario, alone: Trained, distilled: Trained, gain: Any) -> Any:
    """Scale of the error that the distance to the fitted range adds to a gain, nats per token.

    Where distillation is over budget it is that of the supervised student.
    """
    affordable = np.isfinite(distilled.loss)
    found = outside_scale(
        scenario.law.valid,
        gain=gain,
        student_params=np.where(affordable, distilled.params, alone.params),
        student_tokens=np.where(affordable, distilled.tokens, alone.tokens),
        teacher_loss=np.nan if distilled.teacher_loss is None else distilled.teacher_loss,
        supervised_tokens=alone.tokens,
    )
    return np.nan_to_num(found)


def error_of_gain(law: PublishedLaw, point: Mapping[str, float], gain: float) -> float:
    """The same at a point: student_params, student_tokens and teacher_loss."""
    return float(
        outside_scale(
            law.valid,
            gain=gain,
            student_params=point["student_params"],
            student_tokens=point["student_tokens"],
            teacher_loss=point["teacher_loss"],
            supervised_tokens=point["student_tokens"],
        )
    )


def outside_loss(law: PublishedLaw, params: Any, tokens: Any, teacher_loss: Any = None) -> Any:
    """The same for the loss of one student, distilled where a teacher's loss is given."""
    return outside_scale(
        range_alone(law.valid) if teacher_loss is None else law.valid,
        gain=0.0,
        student_params=params,
        student_tokens=tokens,
        teacher_loss=1.0 if teacher_loss is None else teacher_loss,
    )


def is_guess(scenario: Scenario, option: Option) -> bool:
    """Whether an option lies so far outside the fitted range that its numbers are guesses."""
    return option.loss is not None and bool(guesses(scenario, run_of(option))[0])


def guesses(scenario: Scenario, runs: Trained) -> Any:
    """The same of the losses of some runs; an array of shape (cells,)."""
    params, tokens = np.asarray(runs.params), np.asarray(runs.tokens)
    outside = outside_loss(scenario.law, params, tokens, runs.teacher_loss)
    far = outside > max(scenario.tie_nats, TELLING * transfer_of(scenario.law).scale)
    return far | (tokens < FEWEST_TOKENS_PER_PARAM * params)


def is_beyond(scenario: Scenario, *runs: Trained) -> bool:
    """Whether any size of some runs, arrays of shape (1,), is outside the fitted range."""
    return any(
        scenario.law.range_left(name, float(value))
        for run in runs
        for name, value in _inputs(scenario, run)
        if value is not None and math.isfinite(value)
    )


def _inputs(scenario: Scenario, run: Trained) -> Iterator[tuple[str, Any]]:
    """The inputs of the law that a run has, by the names of their fitted ranges."""
    if run.teacher_loss is None:
        yield from (("params", run.params[0]), ("tokens", run.tokens[0]))
        return
    yield from (("student_params", run.params[0]), ("student_tokens", run.tokens[0]))
    yield "teacher_loss", run.teacher_loss[0]
    teacher = scenario.teacher
    if teacher is not None and teacher.loss is None:  # else its sizes do not enter the law
        yield from (("params", teacher.params), ("tokens", teacher.tokens))
    elif teacher is None and run.teacher_params is not None and run.teacher_tokens is not None:
        yield from (("params", run.teacher_params[0]), ("tokens", run.teacher_tokens[0]))


def guessing(scenario: Scenario) -> float:
    """Loss of guessing every token of the vocabulary alike, nats per token."""
    return math.log(scenario.architecture.vocab)


def transfer_of(law: PublishedLaw) -> TransferError:
    """How far a law's gains are off on other data than its own; nothing for a law of one's own.

    A law of which only one side is one's own carries the error: its gain is that of two worlds.
    """
    found = transfer_error()
    return found._replace(scale=0.0) if law.is_own else found


def sides(margin: Any, tie_nats: Any) -> Any:
    """Which side wins at each gain.

    Args:
        margin: supervised minus distilled loss, nats per token, a number or an array of any shape.
        tie_nats: gains smaller than this, either way, are ties.

    Returns:
        Integers of the same shape: 1 where distillation wins, -1 where supervised training does,
        0 at a tie.
    """
    margin = np.asarray(margin, dtype=float)
    wins = (margin >= tie_nats) & (margin > 0)
    loses = (margin <= -tie_nats) & (margin < 0)
    return wins.astype(int) - loses.astype(int)


def word(side: float) -> Verdict | None:
    """The verdict for one of `sides`; None for not-a-number.

    >>> word(1.0), word(float("nan"))
    (<Verdict.DISTILL: 'distill'>, None)
    """
    return None if math.isnan(side) else _BY_SIDE[int(side)]


def verdict_of(odds: Odds) -> Verdict:
    """What odds say: a side that has half of them, else that it is too close to call.

    >>> verdict_of(Odds(distill=0.47, tie=0.45, supervised=0.08))
    <Verdict.TIE: 'tie'>
    """
    if odds.distill >= HALF:
        return Verdict.DISTILL
    return Verdict.SUPERVISED if odds.supervised >= HALF else Verdict.TIE
