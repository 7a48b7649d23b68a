"""The verdict on a family: the weighted means of its members' gains and errors, by the same rule.

The errors of the members are of one laboratory, one text and one teacher, so that they add up
instead of averaging out: the scale of a family's error is the weighted mean of its members'. A
family of one therefore has the verdict and the odds of a plan.
"""

from collections.abc import Sequence

import numpy as np

from distillplan.hardware.memory_fit import Fits
from distillplan.laws.draws import Draws, columns_of_law, law_of_columns, one_draw
from distillplan.laws.formulas import FloatArray, SupervisedLaw
from distillplan.named_tuples import NamedTuple
from distillplan.optimize.family_optima import distilled_family, supervised_family
from distillplan.optimize.family_problems import FamilyOptima
from distillplan.optimize.problems import Optima
from distillplan.planning.bands import banded, gain_band
from distillplan.planning.machine_warnings import limits_passed
from distillplan.planning.odds import FORM_FAILS, Posterior
from distillplan.planning.planner import Decision
from distillplan.planning.results import Band, Option, Reason
from distillplan.planning.scenario import Scenario
from distillplan.planning.teacher import loss_by
from distillplan.planning.verdict import (
    Compared,
    Trained,
    Weighed,
    compared,
    is_beyond,
    judged,
    reason_of,
    run_of,
    transfer_of,
    word,
)
from distillplan.planning.verdict_records import Odds, Verdict
from distillplan.questions.family_cascade import drawn_cascade
from distillplan.questions.family_records import FamilyMember, FamilyMethod
from distillplan.questions.family_ways import SolvedWay, problems_of, weights_of

FINEST = 1e-4
"""Half-width of the last grid under drawn laws: losses to 2e-7 nats."""
STRIDE = 6
"""One draw in so many stands for those around it in ways that the verdict does not weigh."""


class Sure(NamedTuple):
    """How sure one way is."""

    odds: Odds | None
    """None for supervised training, and where nobody can say."""
    gain_band: Band | None
    options: tuple[Option, ...]
    """The members with their bands."""


def weigh_family(
    base: Scenario, members: Sequence[FamilyMember], alone: SolvedWay, other: SolvedWay
) -> Weighed:
    """Which of two ways wins; arrays of shape (1,)."""
    runs = [
        (run_of(one), run_of(two)) for one, two in zip(alone.options, other.options, strict=True)
    ]
    return judge_runs(base, members, runs)


def judge_runs(
    base: Scenario, members: Sequence[FamilyMember], runs: Sequence[tuple[Trained, Trained]]
) -> Weighed:
    """Which side wins, by the weighted means of the members' numbers.

    What makes a verdict impossible for one of them makes it so for the family.

    Args:
        base: the question.
        members: of the family.
        runs: of each member, supervised and distilled, arrays of shape (cells,).
    """
    parts = [compared(base, alone, other) for alone, other in runs]
    weights = weights_of(members) * [one.number for one in members]

    def mean(values: Sequence[FloatArray]) -> FloatArray:
        return np.asarray(sum(w * one for w, one in zip(weights, values, strict=True)))

    return judged(
        base,
        Compared(
            gain=mean([one.gain for one in parts]),
            outside=mean([one.outside for one in parts]),
            price=mean([one.price for one in parts]),
            guess=np.any([one.guess for one in parts], axis=0),
            few=np.any([one.few for one in parts], axis=0),
        ),
    )


def decide_family(
    base: Scenario, members: Sequence[FamilyMember], alone: SolvedWay, other: SolvedWay
) -> Decision:
    """The verdict between two ways, by the rule that the odds follow."""
    can, other_can = possible(base, alone), possible(base, other)
    if not can and not other_can:
        return Decision(verdict=None, reason=Reason.NOTHING_POSSIBLE)
    if other.loss is not None and can is not other_can:
        only = Verdict.SUPERVISED if can else Verdict.DISTILL
        return Decision(verdict=only, reason=Reason.ONLY_ONE_POSSIBLE)
    weighed = weigh_family(base, members, alone, other)
    return Decision(verdict=word(float(weighed.side[0])), reason=reason_of(weighed))


def possible(base: Scenario, way: SolvedWay) -> bool:
    """Whether a way fits into the machine's memory and keeps to the scenario's limits."""
    if way.loss is None:
        return False
    bill = way.bill
    return bill is None or (bill.fits is not Fits.NO and not limits_passed(base.limits, bill))


class Drawn(NamedTuple):
    """Supervised training under every drawn law."""

    draws: Draws
    alone: FamilyOptima
    """Of shape (draws,)."""

    def every(self, stride: int) -> "Drawn":
        """One in so many of the draws."""
        loss, member_loss, tokens = (
            one[::stride] for one in (self.alone.loss, self.alone.member_loss, self.alone.tokens)
        )
        some = self.alone._replace(loss=loss, member_loss=member_loss, tokens=tokens)
        return Drawn(draws=self.draws.every(stride), alone=some)


def drawn_family(
    base: Scenario, members: Sequence[FamilyMember], alone: SolvedWay, draws: Draws | None
) -> Drawn | None:
    """Supervised training under every drawn law; None where nobody knows how far off it is."""
    if alone.loss is None or (draws is None and not transfer_of(base.law).scale):
        return None
    laws = draws or one_draw(base.law)
    columns = law_of_columns(
        {name: np.asarray(one)[:, None] for name, one in columns_of_law(laws.supervised).items()}
    )
    if not isinstance(columns, SupervisedLaw):
        raise TypeError("the supervised side is one")
    problems = problems_of(base, members, None)
    many = problems._replace(budget=np.repeat(problems.budget, laws.size))
    start = np.log(alone.optima.tokens)
    return Drawn(draws=laws, alone=supervised_family(columns, many, start))


def sure_of(
    base: Scenario, members: Sequence[FamilyMember], alone: SolvedWay, way: SolvedWay, drawn: Drawn
) -> Sure:
    """The odds of a way, and a band around each of its numbers."""
    if way.loss is None:
        return Sure(odds=None, gain_band=None, options=way.options)
    if way.method is FamilyMethod.SUPERVISED:
        return Sure(odds=None, gain_band=None, options=_banded(members, way, drawn.alone))
    if way.method is FamilyMethod.CASCADE:
        optima = drawn_cascade(base, members, way, drawn.draws)
    else:
        optima = _distilled(base, members, way, drawn.draws)
    gain = drawn.alone.loss - optima.loss
    # a law under which the budget does not pay is as far out as any
    weighed = weigh_family(base, members, alone, way)
    point = float(weighed.gain[0])
    least = np.where(np.isfinite(gain), gain, np.inf).min()
    gain = np.where(np.isfinite(gain), gain, min(least, point))
    beyond = any(
        is_beyond(one.scenario, run_of(first), run_of(second))
        for one, first, second in zip(members, alone.options, way.options, strict=True)
    )
    error = np.hypot(transfer_of(base.law).scale, weighed.outside)
    found = Posterior(
        distilled=Optima(loss=optima.loss, student_params=optima.loss, student_tokens=optima.loss),
        gain=gain[None, :],
        point=weighed.gain,
        outside=weighed.outside,
        stored=np.zeros(1),
        beyond=np.array([FORM_FAILS * beyond]),
        error=error,
        starved=np.atleast_1d(weighed.starved),
    )
    silent = bool(np.isnan(np.asarray(weighed.side)).any())
    odds = None if silent else found.odds(error, base.tie_nats)[0]
    return Sure(
        odds=odds,
        gain_band=gain_band(base, alone.loss or 0.0, gain, point, float(error[0])),
        options=_banded(members, way, optima),
    )


def _distilled(
    base: Scenario, members: Sequence[FamilyMember], way: SolvedWay, draws: Draws
) -> FamilyOptima:
    """A way under every drawn law."""
    problems = problems_of(base, members, way.accounting)
    law, size = draws.law, draws.size
    if isinstance(law, SupervisedLaw):
        raise TypeError("a law without distillation has no such way")
    many = problems._replace(budget=np.repeat(problems.budget, size))
    given = problems.teacher
    if given is not None:
        teacher = base.teacher
        own = base.teacher_loss if teacher is None else loss_by(teacher, draws.supervised)
        own = np.broadcast_to(np.array(own, float), size)
        many = many._replace(teacher=given._replace(loss=own))
    return distilled_family(law, many, near=way.optima, finest=FINEST)


def _banded(
    members: Sequence[FamilyMember], way: SolvedWay, found: FamilyOptima
) -> tuple[Option, ...]:
    """The members with bands around their losses and tokens."""
    one = found.loss[None, :]

    def row(values: FloatArray | None) -> FloatArray | None:
        return None if values is None else values[None, :]

    return tuple(
        banded(
            member.scenario,
            option,
            Optima(
                loss=found.member_loss[None, :, at],
                student_params=np.full(one.shape, member.params),
                student_tokens=found.tokens[None, :, at],
                teacher_loss=row(found.teacher_loss),
                teacher_params=row(found.teacher_params),
                teacher_tokens=row(found.teacher_tokens),
            ),
            0,
        )
        for at, (member, option) in enumerate(zip(members, way.options, strict=True))
    )
