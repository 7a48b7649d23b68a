"""What to know before trusting what is said of a run under way."""

import math
from collections.abc import Iterator
from typing import Final

from distillplan.fitting.rows import Mask
from distillplan.laws.curves import LossCurve, Schedule, first_progress
from distillplan.laws.provenance import Origin, PublishedLaw
from distillplan.notices import Notice, information, warning
from distillplan.planning.results import Method
from distillplan.questions.loss_history import MOST_NATS
from distillplan.questions.plan_document import PlannedOption
from distillplan.questions.track_records import Doubt, Forecast, Pace, Status
from distillplan.questions.track_rows import UsedRows
from distillplan.units.quantities import format_count

UNIT: Final = 0.1
"""How close, in log loss, the ratio of two units must be met to be named."""
_LN2: Final = math.log(2)


def cleaned(inside: Mask, used: UsedRows) -> Iterator[Notice]:
    """What was left out of a run's rows.

    Args:
        inside: which lie within the plan's tokens, shape (rows,).
        used: which of them are used.
    """
    if used.rise is not None:
        rise, after = used.rise, f"after {format_count(used.rise.tokens)} tokens"
        rose = f"its loss rose from {rise.before:.3f} to {rise.after:.3f} nats {after}"
        if rise.after >= MOST_NATS:
            rose = (
                f"its loss was {rise.before:.3f} nats {after} and then no usable number (NaN, "
                f"infinite, 0 or above {MOST_NATS:.0f} nats)"
            )
        yield warning(
            "diverged",
            f"{rose} and has not come back; what is said of its end is said of its losses before "
            "that",
        )
    spikes = int((inside & ~used.shown & ~used.lost).sum())
    if spikes:
        yield information("spikes_left_out", f"losses left out as spikes: {spikes}")
    if not inside.all():
        yield warning(
            "past_the_plan",
            "the run has gone past the tokens of its plan; what lies beyond is not used",
        )


def warnings_of(
    known: LossCurve,
    law: PublishedLaw,
    chosen: PlannedOption,
    pace: Pace,
    source: str,
    found: Forecast | None,
    status: Status,
    doubt: Doubt | None,
) -> Iterator[Notice]:
    """What the reader must know of the law, the schedule and the losses."""
    if doubt is Doubt.TOO_EARLY:
        least = first_progress(pace.warmup)
        yield warning("too_early", f"losses tell nothing before {least:.0%} of the planned tokens")
    if doubt is Doubt.OTHER_SCALE and found is not None:
        yield warning(
            "other_scale", _scale_words(found.loss / chosen.loss, found.loss, chosen.loss)
        )
    alone = law.supervised_from if chosen.method is Method.SUPERVISED else None
    is_own = law.is_own or (alone is not None and alone.origin is Origin.OWN_RUNS)
    if status in (Status.ABOVE, Status.BELOW) and not is_own:
        yield warning(
            "published_law",
            f"{law.name} was fitted on other data: another tokenizer or corpus moves all losses "
            "alike, and one run cannot tell that from a run that goes badly or well",
        )
    if pace.schedule is None:
        yield warning(
            "schedule_not_said",
            "the band holds for a cosine and for a decay at the end; --schedule makes it narrower",
        )
    if pace.schedule is Schedule.CONSTANT:
        yield warning(
            "constant_rate",
            f"a learning rate that never decays ends about {known.anneal:.1%} above the law, whose "
            "runs decayed",
        )
    if chosen.method is Method.DISTILL:
        yield information(
            "loss_on_data",
            f"{source} must have the cross-entropy on validation text, not the divergence "
            "from the teacher; the published curves are of runs without a teacher",
        )


def _scale_words(ratio: float, loss: float, planned: float) -> str:
    """What losses far from the plan look like."""
    units = {
        "bits per token (--loss-unit bits)": 1 / _LN2,
        "perplexities (--loss-unit ppl)": math.exp(planned) / planned,
    }
    looks = next(
        (name for name, one in units.items() if abs(math.log(ratio / one)) < UNIT),
        "losses of another tokenizer or corpus; fit a law on your own runs",
    )
    return (
        f"the run would end at {loss:.3f} nats, {abs(ratio - 1):.0%} "
        f"{'above' if ratio > 1 else 'below'} its plan: these look like {looks}"
    )
