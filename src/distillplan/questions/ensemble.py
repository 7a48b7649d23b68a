"""One scenario under several laws: what each says, and how far they are apart.

Losses of different tokenizers have no common scale, so they are listed and never subtracted, mixed
or ranked. What can be compared is the verdict and the tokens per parameter of the best supervised
student.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from distillplan.accounting import Accounting, Logits
from distillplan.errors import InfeasibleError
from distillplan.laws.provenance import LawStatus, PublishedLaw
from distillplan.notices import Notice, Severity
from distillplan.planning import evaluate
from distillplan.planning.evaluate import cells
from distillplan.planning.planner import plan
from distillplan.planning.results import Plan, Verdict
from distillplan.planning.scenario import Scenario


class LawSays(NamedTuple):
    """What one law says about a scenario; None: it says nothing, or the budget is too small."""

    law: str
    status: LawStatus
    verdict: Verdict | None
    margin_nats: float | None
    """Supervised loss minus that of the deciding option, both by this law."""
    supervised_loss: float | None
    """Nats per token of this law's tokenizer: no other law's loss may be laid beside it."""
    student_params: float | None
    """Of supervised training, as asked for or best."""
    student_tokens: float | None
    best_params: float | None
    """Of supervised training with a free size."""
    best_tokens_per_param: float | None
    """Tokens per parameter there, with the FLOPs of the model's shape."""
    best_tokens_per_param_6nd: float | None
    """The same with 6 N D FLOPs, as most papers count; None for budgets in GPU-hours."""
    counts: str
    """What this law's parameters count."""
    tokenizer: str
    outside_fit: tuple[str, ...]
    """Codes of the warnings about its fitted range."""


class LawSpread(NamedTuple):
    """How far laws are apart in one quantity."""

    least: float
    least_law: str
    most: float
    most_law: str
    ratio: float


class Ensemble(NamedTuple):
    """One scenario under several laws."""

    scenario: Scenario
    said: tuple[LawSays, ...]
    verdicts: dict[str, int]
    """How many laws give each verdict, of those that say anything about distillation."""
    tokens_per_param: LawSpread | None
    """None for fewer than two laws."""
    tokens_per_param_6nd: LawSpread | None
    warnings: tuple[Notice, ...]


def ensemble(scenario: Scenario, laws: tuple[PublishedLaw, ...]) -> Ensemble:
    """Plan under each law.

    Args:
        scenario: the question; its own law is not asked unless it is among the others.
        laws: the laws; of one that says nothing about distillation only the supervised side is
            asked.
    """
    said = tuple(_says(_under(scenario, law)) for law in laws)
    found = [one.verdict.value for one in said if one.verdict is not None]
    return Ensemble(
        scenario=scenario,
        said=said,
        verdicts={word: found.count(word) for word in dict.fromkeys(found)},
        tokens_per_param=_spread({one.law: one.best_tokens_per_param for one in said}),
        tokens_per_param_6nd=_spread({one.law: one.best_tokens_per_param_6nd for one in said}),
        warnings=tuple(_warnings(said)),
    )


def _under(scenario: Scenario, law: PublishedLaw) -> Scenario:
    """The question as far as a law can answer it."""
    if law.distillation is not None:
        return replace(scenario, law=law)
    return replace(scenario, law=law, teacher=None, accounting=None, logits=Logits.ONLINE)


def _says(scenario: Scenario) -> LawSays:
    law = scenario.law
    free = replace(scenario, student_params=None)
    best = evaluate.supervised(free, cells(free, Accounting.FREE))
    feasible = float(best.loss[0]) < float("inf")
    found = _plan(scenario)
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
    """Tokens per parameter of the closed form; None where the budget is no number of FLOPs."""
    if scenario.compute is None:
        return None
    params, tokens = scenario.law.supervised.compute_optimal(scenario.compute / scenario.students)
    return float(tokens / params)


def _plan(scenario: Scenario) -> Plan | None:
    """The plan; None where the budget cannot train any student."""
    try:
        return plan(scenario)
    except InfeasibleError:
        return None


def _outside(found: Plan) -> tuple[str, ...]:
    return tuple(one.code for one in found.warnings if one.code.endswith("_outside_fit"))


def _spread(values: dict[str, float | None]) -> LawSpread | None:
    known = {name: value for name, value in values.items() if value is not None}
    if len(known) < 2:
        return None
    least, most = min(known, key=lambda name: known[name]), max(known, key=lambda name: known[name])
    return LawSpread(known[least], least, known[most], most, known[most] / known[least])


def _warnings(said: tuple[LawSays, ...]) -> Iterator[Notice]:
    silent = [one.law for one in said if one.verdict is None]
    if silent:
        yield Notice(
            code="laws_without_verdict",
            severity=Severity.INFO,
            message=f"no verdict from {', '.join(silent)}: supervised laws, or too small a budget",
        )
    outside = [one.law for one in said if one.outside_fit]
    if outside:
        yield Notice(
            code="laws_outside_fit",
            severity=Severity.WARNING,
            message=f"outside the fitted range: {', '.join(outside)}",
        )
    yield Notice(
        code="losses_not_comparable",
        severity=Severity.INFO,
        message=(
            "each loss is in nats per token of that law's own tokenizer and corpus; compare none "
            "with another's"
        ),
    )
    if len({one.counts.split()[0] for one in said}) > 1:
        yield Notice(
            code="counts_differ",
            severity=Severity.INFO,
            message=(
                "some laws count all parameters, some leave the embedding out; a given student "
                "size is taken as each law counts"
            ),
        )
