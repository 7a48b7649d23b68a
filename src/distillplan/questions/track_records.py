"""The records of a run under way: what is asked and what is answered."""

import math
from enum import StrEnum
from statistics import NormalDist
from typing import Final

from distillplan.accounting import Accounting
from distillplan.laws.curves import End, Schedule
from distillplan.named_tuples import NamedTuple
from distillplan.notices import Notice
from distillplan.planning.results import Band, Method
from distillplan.planning.verdict_records import Odds, Verdict
from distillplan.questions.defaults import DECAY, WARMUP

HALF: Final = NormalDist().inv_cdf(0.95)
"""Half width of a 90% interval in standard deviations."""


class Status(StrEnum):
    """How a run goes."""

    ON_COURSE = "on_course"
    """The plan's loss lies in the band of the forecast."""
    ABOVE = "above"
    """It will end with a higher loss than planned."""
    BELOW = "below"
    """It will end with a lower one."""
    CANNOT_TELL = "cannot_tell"
    """See the doubt."""


class Doubt(StrEnum):
    """Why nobody can tell."""

    TOO_EARLY = "too_early"
    """There is no loss after the first part of the run."""
    WIDE = "wide"
    """The band of the forecast is too wide yet."""
    DIVERGED = "diverged"
    """Its loss rose far above its lowest and has not come back."""
    OTHER_SCALE = "other_scale"
    """The losses are not on the plan's scale: another unit, tokenizer or corpus."""


class Cause(StrEnum):
    """What the difference from the plan may come from."""

    THIS_RUN = "this_run"
    """This run alone: the other option keeps its planned loss."""
    ALL_RUNS = "all_runs"
    """Data, tokenizer or recipe: the other option's loss moves by the same factor."""


class VerdictThen(NamedTuple):
    """The verdict for one cause."""

    cause: Cause
    gain_nats: float
    """Supervised minus distilled loss, nats per token."""
    odds: Odds
    verdict: Verdict


class TrackedPoint(NamedTuple):
    """A part of the run: the median of its losses."""

    tokens: float
    progress: float
    """Share of the planned tokens."""
    loss: float
    """Nats per token."""
    expected_loss: float | None
    """What a run of the published curve that ends with the planned loss has there, nats per token;
    None where that is worse than guessing among the vocabulary."""


class Track(NamedTuple):
    """A run under way against its plan."""

    source: str
    """Name of the file of losses."""
    plan: str
    """Name of the file of the plan."""
    method: Method
    """Of the option that is trained."""
    accounting: Accounting | None
    student_params: float
    student_tokens: float
    """Planned tokens."""
    tokens: float
    """Tokens so far."""
    progress: float
    """Share of the planned tokens."""
    schedule: Schedule | None
    """None where it was not said: cosine or a decay at the end."""
    planned_loss: float
    """Nats per token."""
    planned_band: Band | None
    """90% band of the planned loss."""
    forecast_loss: float | None
    """Loss at the end, nats per token, by the losses before it diverged, if it did; None where it
    is too early."""
    forecast_band: Band | None
    """90% band of the forecast."""
    difference: float | None
    """Forecast over planned loss, less 1."""
    status: Status
    doubt: Doubt | None
    """Why nobody can tell; None where one can."""
    diverged_after: float | None
    """Tokens; None where it did not diverge."""
    planned_verdict: Verdict | None
    planned_gain: float | None
    """Supervised minus distilled loss of the plan, nats per token."""
    planned_odds: Odds | None
    readings: tuple[VerdictThen, ...]
    """The verdict for each cause; empty where nothing is weighed."""
    verdict: Verdict | None
    """Where the readings agree."""
    points: tuple[TrackedPoint, ...]
    warnings: tuple[Notice, ...]


class Pace(NamedTuple):
    """How the learning rate of a run goes."""

    schedule: Schedule | None = None
    warmup: float = WARMUP
    """Share of the run."""
    decay: float = DECAY
    """Share of the run, for `Schedule.WSD`."""

    @property
    def possible(self) -> tuple[Schedule, ...]:
        """The schedules that it may have."""
        return (Schedule.COSINE, Schedule.WSD) if self.schedule is None else (self.schedule,)


class Forecast(NamedTuple):
    """The end of a run, over the schedules that it may have."""

    loss: float
    band: Band
    sd: float
    """Of the log loss: that of a Gaussian with this band."""

    @classmethod
    def of(cls, ends: list[End], planned: float) -> "Forecast | None":
        """From the end for each schedule: a band that holds all of theirs."""
        if not ends:
            return None
        low = min(one.mean - HALF * one.sd for one in ends)
        high = max(one.mean + HALF * one.sd for one in ends)
        return cls(
            loss=planned * math.exp((low + high) / 2),
            band=(planned * math.exp(low), planned * math.exp(high)),
            sd=(high - low) / 2 / HALF,
        )
