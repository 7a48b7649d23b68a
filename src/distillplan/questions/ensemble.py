"""One scenario under several laws: what each says, and how far apart they are.

Losses of different tokenizers have no common scale, so they are listed but never subtracted, mixed
or ranked. What can be compared is the verdict, and the tokens per parameter of the best supervised
student.
"""

import math
from collections.abc import Iterator
from dataclasses import replace

from distillplan.accounting import Accounting, Logits
from distillplan.laws.provenance import LawStatus, PublishedLaw
from distillplan.named_tuples import NamedTuple
from distillplan.notices import Notice, information, warning
from distillplan.planning import evaluate
from distillplan.planning.evaluate import cells
from distillplan.planning.model_warnings import named_warnings
from distillplan.planning.planner import plan_if_any
from distillplan.planning.results import Plan
from distillplan.planning.scenario import Scenario
from distillplan.planning.validity import OUTSIDE_FIT_CODES
from distillplan.planning.verdict_records import Verdict


class LawSays(NamedTuple):
    """What one law says about a scenario; None for nothing, or for too small a budget."""

    law: str
    status: LawStatus
    verdict: Verdict | None
    margin_nats: float | None
    """Supervised minus distilled loss of the deciding option by this law, nats per token."""
    supervised_loss: float | None
    """Nats per token of this law's tokenizer; not comparable with another law's loss."""
    student_params: float | None
    """Student of supervised training, given or best, counted as this law counts."""
    student_tokens: float | None
    """Its training tokens."""
    best_params: float | None
    """Best student of supervised training, counted as this law counts."""
    best_tokens_per_param: float | None
    """Its tokens per parameter, with the FLOPs of the model's shape."""
    best_tokens_per_param_6nd: float | None
    """The same with 6 N D FLOPs, as most papers count; None for budgets in GPU-hours."""
    counts: str
    """What N counts in this law."""
    tokenizer: str
    outside_fit: tuple[str, ...]
    """Codes of the warnings about its fitted range."""


class LawSpread(NamedTuple):
    """How far apart laws are in one quantity."""

    least: float
    least_law: str
    most: float
    most_law: str
    ratio: float
    """Most divided by least."""


class Ensemble(NamedTuple):
    """One scenario under several laws."""

    scenario: Scenario
    said: tuple[LawSays, ...]
    """What each law says, in the order they were asked."""
    verdicts: dict[str, int]
    """Number of laws that give each verdict, those fitted to the same runs counted once.

    Supervised laws give none.
    """
    tokens_per_param: LawSpread | None
    """Spread of the best tokens per parameter; None for fewer than two laws."""
    tokens_per_param_6nd: LawSpread | None
    """The same with 6 N D FLOPs."""
    warnings: tuple[Notice, ...]
    """What to know before comparing them."""


def ensemble(scenario: Scenario, laws: tuple[PublishedLaw, ...]) -> Ensemble:
    """The plan of a scenario under each of several laws.

    Args:
        scenario: the question; its own law counts only if it is one of `laws`.
        laws: the laws; one without distillation answers for supervised training only.
    """
    said = tuple(_says(_under(scenario, law)) for law in laws)
    names = {law.name for law in laws}
    once = {law.name for law in laws if law.same_runs_as not in names}
    found = [one.verdict.value for one in said if one.verdict is not None and one.law in once]
    return Ensemble(
        scenario=scenario,
        said=said,
        verdicts={word: found.count(word) for word in dict.fromkeys(found)},
        tokens_per_param=_spread({one.law: one.best_tokens_per_param for one in said}),
        tokens_per_param_6nd=_spread({one.law: one.best_tokens_per_param_6nd for one in said}),
        warnings=(*named_warnings(scenario.models), *_warnings(said)),
    )


def _under(scenario: Scenario, law: PublishedLaw) -> Scenario:
    """The question as far as a law can answer it."""
    if law.distillation is not None:
        return replace(scenario, law=law)
    return replace(
        scenario, law=law, teacher=None, accounting=None, logits=Logits.ONLINE, stored=None
    )


def _says(scenario: Scenario) -> LawSays:
    law = scenario.law
    free = replace(scenario, student_params=None)
    best = evaluate.supervised(free, cells(free, Accounting.FREE))
    feasible = math.isfinite(float(best.loss[0]))
    found = plan_if_any(scenario)
    alone = None if found is None else found.options[0]
    return LawSays(
        law=law.name,
        status=law.status,
        verdict=None if found is None else found.verdict,
        margin_nats=None if found is None else found.margin_nats,
        supervised_loss=None if alone is None else alone.loss,
        student_params=None if alone is None else alone.student_params,
        student_tokens=None if alone is None else alone.student_tokens,
        best_params=float(best.student_params[0]) if feasible else None,
        best_tokens_per_param=(
            float(best.student_tokens[0] / best.student_params[0]) if feasible else None
        ),
        best_tokens_per_param_6nd=_at_6nd(scenario),
        counts=law.counts,
        tokenizer=law.tokenizer,
        outside_fit=() if found is None else _outside(found),
    )


def _at_6nd(scenario: Scenario) -> float | None:
    """Tokens per parameter of the closed form; None where the budget is not in FLOPs."""
    if scenario.compute is None:
        return None
    params, tokens = scenario.law.supervised.compute_optimal(scenario.compute / scenario.students)
    return float(tokens / params)


def _outside(found: Plan) -> tuple[str, ...]:
    return tuple(one.code for one in found.warnings if one.code in OUTSIDE_FIT_CODES)


def _spread(values: dict[str, float | None]) -> LawSpread | None:
    known = {name: value for name, value in values.items() if value is not None}
    if len(known) < 2:
        return None
    least, most = min(known, key=lambda name: known[name]), max(known, key=lambda name: known[name])
    return LawSpread(
        least=known[least],
        least_law=least,
        most=known[most],
        most_law=most,
        ratio=known[most] / known[least],
    )


def _warnings(said: tuple[LawSays, ...]) -> Iterator[Notice]:
    silent = [one.law for one in said if one.verdict is None]
    if silent:
        yield information(
            "laws_without_verdict",
            f"no verdict from {', '.join(silent)}: the law covers supervised training only, or "
            "the budget is too small for it",
        )
    outside = [one.law for one in said if one.outside_fit]
    if outside:
        yield warning("laws_outside_fit", f"outside the fitted range: {', '.join(outside)}")
    kept = [
        f"{one.law} ({one.status})"
        for one in said
        if one.status in {LawStatus.SUPERSEDED, LawStatus.HISTORICAL, LawStatus.ERRATUM}
    ]
    if kept:
        yield information(
            "laws_kept_for_comparison",
            f"do not plan with {', '.join(kept)}: kept for comparison only",
        )
    yield information(
        "losses_not_comparable",
        "each loss is in nats per token of the law's own tokenizer and corpus; do not compare "
        "losses between laws",
    )
    if len({one.counts for one in said}) > 1:
        yield information(
            "counts_differ",
            "some laws count all parameters, others leave out the embedding; a given student "
            "size means what each law counts",
        )
