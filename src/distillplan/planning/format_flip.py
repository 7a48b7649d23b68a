"""Whether sampled logits instead of the format that was asked for would turn a verdict."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from distillplan.laws.logit_formats import USUAL_ENTRIES, LogitKind, StoredFormat, penalty_of
from distillplan.planning import evaluate
from distillplan.planning.evaluate import cells
from distillplan.planning.results import Plan
from distillplan.planning.scenario import Scenario
from distillplan.planning.stored_logits import reads
from distillplan.planning.verdict import run_of, weigh, word
from distillplan.planning.verdict_records import FormatFlip, Verdict

if TYPE_CHECKING:
    from distillplan.laws.draws import Draws


def sampled_instead(scenario: Scenario) -> Scenario | None:
    """The same question with sampled logits, which cost a student nothing measurable.

    None where no format was named, where it costs nothing either, and where the verdict's students
    read nothing from disk.
    """
    stored = scenario.stored
    if stored is None or not penalty_of(stored, scenario.architecture.vocab).nats:
        return None
    if not np.all(reads(scenario, scenario.share(scenario.pays).logits)):
        return None
    usual = min(round(USUAL_ENTRIES[LogitKind.SAMPLED]), round(scenario.architecture.vocab))
    kept = StoredFormat(kind=LogitKind.SAMPLED, entries=usual, months=stored.months)
    return replace(scenario, stored=kept)


def find_format_flip(scenario: Scenario, now: Verdict | None) -> FormatFlip | None:
    """Sampled logits, where they give another verdict.

    Args:
        scenario: the question.
        now: its verdict; None where there is none.
    """
    changed = sampled_instead(scenario)
    if changed is None:
        return None
    at = cells(changed, changed.pays)
    alone, distilled = evaluate.supervised(changed, at), evaluate.distilled(changed, at)
    then = word(float(weigh(changed, run_of(alone), run_of(distilled)).side[0]))
    if then is None or then is now:
        return None
    return FormatFlip(logit_format=LogitKind.SAMPLED, verdict=then)


def with_format_odds(plan: Plan, draws: "Draws | None") -> Plan:
    """The plan with the odds of this flip, where it has one.

    Args:
        plan: an answer.
        draws: joint draws of its law; None where it has none.
    """
    flip, changed = plan.flips.logit_format, sampled_instead(plan.scenario)
    if flip is None or changed is None:
        return plan
    from distillplan.planning.odds import odds_at  # not for plans without odds

    flip = flip._replace(odds=odds_at(changed, changed.budget, draws))
    return plan._replace(flips=plan.flips._replace(logit_format=flip))
