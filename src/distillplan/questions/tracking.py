"""A run under way against its plan: on course or not, where it will end, the verdict then.

Whether the loss is that of the plan is asked of the end: the loss so far is carried there by the
curve of published runs (`laws.curves`), and the forecast's band is compared with the plan's. What
it means for the verdict depends on the cause, which one run cannot tell: if it is this run alone,
the other option keeps its planned loss; if it is the data or the tokenizer, both move alike. Both
readings are given, and there is a verdict where they agree.
"""

import math
from collections.abc import Iterator
from statistics import NormalDist
from typing import Final

import numpy as np

from distillplan.accounting import Accounting
from distillplan.errors import InputError
from distillplan.fitting.rows import Mask
from distillplan.laws.curves import (
    CurvePoints,
    LossCurve,
    Schedule,
    curve,
    expected,
    forecast,
    points_of,
    undecayed,
)
from distillplan.laws.formulas import FloatArray
from distillplan.laws.provenance import PublishedLaw
from distillplan.laws.repetition import log_worth
from distillplan.planning.odds import FORM_FAILS
from distillplan.planning.results import Method
from distillplan.planning.tails import share_above
from distillplan.planning.verdict import verdict_of
from distillplan.planning.verdict_records import Odds
from distillplan.questions.loss_history import LossHistory
from distillplan.questions.plan_document import PlanDocument, PlannedOption
from distillplan.questions.track_notices import cleaned, warnings_of
from distillplan.questions.track_records import (
    HALF,
    Cause,
    Doubt,
    Forecast,
    Pace,
    Status,
    Track,
    TrackedPoint,
    VerdictThen,
)
from distillplan.questions.track_rows import Rise, used_rows
from distillplan.units.quantities import format_count

SURE: Final = 0.02
"""Half width of a band, as a share of the loss, up to which a run can be said to be on course."""
OTHER_SCALE: Final = 0.1
"""A run this far from its plan has another unit, tokenizer or corpus; no run is so much better."""
SAME_LAW: Final = 1e-4
"""Relative difference of the plan's loss and the law's above which it is another law."""
PAST: Final = 1.01
"""Progress above which a row lies past the plan's tokens; logs round."""
_DRAWS: Final = np.array([NormalDist().inv_cdf((one + 0.5) / 199) for one in range(199)])
"""A Gaussian as equally likely values."""


def track(
    plan: PlanDocument,
    law: PublishedLaw,
    history: LossHistory,
    *,
    option: Accounting | Method | None = None,
    pace: Pace = Pace(),  # noqa: B008  (immutable)
) -> Track:
    """How a run under way does against its plan.

    Args:
        plan: the plan.
        law: the law that it was made with.
        history: the run's losses so far.
        option: which option of the plan is trained; None is the plan's choice.
        pace: its learning rate.

    Raises:
        InputError: when the plan has no such option, another law, or other tokens.
    """
    chosen = option_of(plan, option)
    _demand_same_law(plan, law, chosen)
    progress = history.tokens / chosen.student_tokens
    inside = progress <= PAST
    if not inside.any():
        raise InputError(
            f"{history.source}: its first row has {format_count(float(history.tokens[0]))} tokens, "
            f"and the plan ends at {format_count(chosen.student_tokens)}; check --batch-tokens and "
            "--option"
        )
    known = curve()
    used = used_rows(history, inside)
    progress = np.minimum(progress, 1.0)

    def points(which: Mask, schedule: Schedule) -> CurvePoints:
        return _points(law, plan, chosen, history, which, progress, schedule, pace)

    first = pace.possible[0]
    runs = [(one, points(used.told, one)) for one in pace.possible]
    ends = [forecast(known, some, _at_end(one)) for one, some in runs if some.progress.size]
    found = Forecast.of(ends, chosen.loss)
    status, doubt = _status(found, chosen, used.rise)
    readings = tuple(_readings(plan, chosen, found)) if doubt is None and found else ()
    verdicts = {one.verdict for one in readings}
    return Track(
        source=history.source,
        plan=plan.source,
        method=chosen.method,
        accounting=chosen.accounting,
        student_params=chosen.student_params,
        student_tokens=chosen.student_tokens,
        tokens=float(history.tokens[-1]),
        progress=float(history.tokens[-1]) / chosen.student_tokens,
        schedule=pace.schedule,
        planned_loss=chosen.loss,
        planned_band=chosen.loss_band,
        forecast_loss=None if found is None else found.loss,
        forecast_band=None if found is None else found.band,
        difference=None if found is None else found.loss / chosen.loss - 1,
        status=status,
        doubt=doubt,
        diverged_after=None if used.rise is None else used.rise.tokens,
        planned_verdict=plan.verdict,
        planned_gain=plan.margin_nats,
        planned_odds=plan.odds,
        readings=readings,
        verdict=verdicts.pop() if len(verdicts) == 1 else None,
        points=tuple(_shown(known, law, plan, chosen, first, points(used.shown, first))),
        warnings=(
            *history.notices,
            *cleaned(inside, used),
            *warnings_of(known, law, chosen, pace, history.source, found, status, doubt),
        ),
    )


def option_of(plan: PlanDocument, option: Accounting | Method | None) -> PlannedOption:
    """The option of a plan that is trained.

    Args:
        plan: the plan.
        option: supervised, distill for the distillation that decides, or one by who pays; None is
            the plan's choice.

    Raises:
        InputError: when the plan has none such within budget, or made no choice.
    """
    if option is None:
        found = next((one for one in plan.options if one.recommended), None)
        if found is None:
            raise InputError(
                f"{plan.source}: the plan makes no choice; say what is trained, for example "
                "--option distill"
            )
        return found

    def meant(one: PlannedOption) -> bool:
        if isinstance(option, Accounting):
            return one.accounting is option
        return one.method is option and (one.decides or option is Method.SUPERVISED)

    found = next((one for one in plan.options if meant(one)), None)
    if found is None:
        there = ", ".join(dict.fromkeys(str(one.accounting or one.method) for one in plan.options))
        raise InputError(
            f"{plan.source}: no option {str(option)!r} within its budget; it has {there}"
        )
    return found


def _demand_same_law(plan: PlanDocument, law: PublishedLaw, chosen: PlannedOption) -> None:
    if chosen.teacher_loss is not None and law.distillation is None:
        raise InputError(f"law: {law.name} describes no distillation, but the plan has a teacher")
    here = math.exp(float(_log_law(law, plan, chosen, np.array([chosen.student_tokens]))[0]))
    if abs(here / chosen.loss - 1) > SAME_LAW:
        raise InputError(
            f"{plan.source}: the plan says {chosen.loss:.4f} nats where {law.name} says "
            f"{here:.4f}, so it was made with another law; make the plan again, or name that law "
            "with --law"
        )


def _log_law(
    law: PublishedLaw, plan: PlanDocument, chosen: PlannedOption, tokens: FloatArray
) -> FloatArray:
    """Log loss of finished runs of some tokens, of the same shape."""
    n, d = math.log(chosen.student_params), log_worth(np.log(tokens), plan.unique_tokens)
    if chosen.teacher_loss is None or law.distillation is None:
        return np.asarray(np.log(law.supervised.loss_at_logs(n, d)))
    taught = law.distillation.loss_at_logs(n, d, math.log(chosen.teacher_loss))
    return np.asarray(np.log(taught + chosen.format_nats))


def _points(
    law: PublishedLaw,
    plan: PlanDocument,
    chosen: PlannedOption,
    history: LossHistory,
    kept: Mask,
    progress: FloatArray,
    schedule: Schedule,
    pace: Pace,
) -> CurvePoints:
    """The run's points for one schedule."""
    at = progress[kept]
    here = _log_law(law, plan, chosen, at * chosen.student_tokens)
    return points_of(
        at,
        np.log(history.loss[kept]) - here,
        here - math.log(chosen.loss),
        undecayed(schedule, at, warmup=pace.warmup, decay=pace.decay),
        warmup=pace.warmup,
    )


def _at_end(schedule: Schedule) -> float:
    return float(undecayed(schedule, np.array([1.0]), warmup=0.0, decay=1.0)[0])


def _status(
    found: Forecast | None, chosen: PlannedOption, rise: Rise | None
) -> tuple[Status, Doubt | None]:
    diverged = None if rise is None else Doubt.DIVERGED
    if found is None:
        return Status.CANNOT_TELL, diverged or Doubt.TOO_EARLY
    low, high = found.band
    least, most = chosen.loss_band or (chosen.loss, chosen.loss)
    if low > chosen.loss * (1 + OTHER_SCALE) or high < chosen.loss / (1 + OTHER_SCALE):
        return Status.CANNOT_TELL, Doubt.OTHER_SCALE
    if diverged is None and low > most:
        return Status.ABOVE, None
    if diverged is None and high < least:
        return Status.BELOW, None
    if diverged is not None or HALF * found.sd > SURE:
        return Status.CANNOT_TELL, diverged or Doubt.WIDE
    return Status.ON_COURSE, None


def _readings(plan: PlanDocument, chosen: PlannedOption, found: Forecast) -> Iterator[VerdictThen]:
    """The verdict for each cause, where the plan weighs the trained option at all."""
    alone = next((one for one in plan.options if one.method is Method.SUPERVISED), None)
    taught = next((one for one in plan.options if one.decides), None)
    if alone is None or taught is None or plan.odds is None or chosen not in (alone, taught):
        return
    other, sign = (taught, -1.0) if chosen is alone else (alone, 1.0)
    ratio = found.loss / chosen.loss
    for cause, gain, own_sd in (
        (Cause.THIS_RUN, sign * (other.loss - found.loss), found.sd * found.loss),
        (Cause.ALL_RUNS, sign * (other.loss - chosen.loss) * ratio, _sd(chosen) * ratio),
    ):
        odds = _odds(plan, gain + math.hypot(own_sd, _sd(other)) * _DRAWS)
        yield VerdictThen(cause=cause, gain_nats=gain, odds=odds, verdict=verdict_of(odds))


def _sd(one: PlannedOption) -> float:
    """Standard deviation of a planned loss, from its band."""
    if one.loss_band is None:
        return 0.0
    low, high = one.loss_band
    return (high - low) / 2 / HALF


def _odds(plan: PlanDocument, gains: FloatArray) -> Odds:
    """The odds of equally likely gains, with the error that the plan's own have beyond the law."""
    error = np.array([math.hypot(plan.transfer_nats, plan.outside_nats)])
    fails = FORM_FAILS if plan.outside_nats else 0.0
    distill, supervised = (
        (1 - fails) * float(share_above(side[None, :], error, plan.tie_nats)[0]) + fails / 2
        for side in (gains, -gains)
    )
    return Odds(distill=distill, tie=max(1 - distill - supervised, 0.0), supervised=supervised)


def _shown(
    known: LossCurve,
    law: PublishedLaw,
    plan: PlanDocument,
    chosen: PlannedOption,
    schedule: Schedule,
    points: CurvePoints,
) -> Iterator[TrackedPoint]:
    """The points beside those of a run of the published curve that ends as planned."""
    tokens = points.progress * chosen.student_tokens
    here = _log_law(law, plan, chosen, tokens)
    there = here + expected(known, points, -known.anneal * _at_end(schedule))
    # early on a curve may lie above every loss, or any float
    guess = math.log(math.log(plan.vocab))
    columns = tokens, points.progress, np.exp(here + points.excess), there
    for token, progress, loss, wanted in np.column_stack(columns).tolist():
        yield TrackedPoint(
            tokens=token,
            progress=progress,
            loss=loss,
            expected_loss=math.exp(wanted) if wanted < guess else None,
        )
