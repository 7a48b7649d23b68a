"""What plans must have alike for their losses to be compared, and for a choice to be fair."""

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations

from distillplan.models.known_model import KnownModel
from distillplan.models.tokenizers import other_tokenizer
from distillplan.planning.results import Plan
from distillplan.planning.rival import reader_of
from distillplan.planning.scenario import Scenario

COSTS_LESS = 0.999
"""Compute counts as less below this share; the last bits do not."""


def text_of(one: Plan) -> tuple[str, str]:
    """The text and the tokenizer that the losses of a plan's law are of."""
    return one.law.corpus, one.law.tokenizer


def reader(one: Plan) -> KnownModel | None:
    """The model that tells the student's tokenizer: itself, or what teaches it; None: not known."""
    models = one.scenario.models
    return reader_of(models.reads_like, models.teacher)


def same_tokens(plans: Sequence[Plan]) -> bool:
    """Whether no two students are known to have different tokenizers.

    Nobody says how many bytes of the text a token of each has, by which their losses could be
    compared.
    """
    pairs = combinations(map(reader, plans), 2)
    return not any(other_tokenizer(one, other) for one, other in pairs)


def comparable(plans: Sequence[Plan]) -> bool:
    """Whether a nat of one is a nat of the others."""
    return len({text_of(one) for one in plans}) < 2 and same_tokens(plans)


def _same_budget(one: Plan, other: Plan) -> bool:
    """Whether two plans spend as much: FLOPs, dollars, or hours of the same GPU."""
    ours, theirs = one.scenario, other.scenario
    if ours.gpu_hours is None or theirs.gpu_hours is None:
        return ours.compute is not None and theirs.compute is not None and _alike(ours, theirs)
    cost, its_cost = _usd(one), _usd(other)
    if cost is not None and its_cost is not None:
        return math.isclose(cost, its_cost, rel_tol=1 - COSTS_LESS)
    if ours.machine is None or theirs.machine is None:
        raise ValueError("GPU-hours are of a machine")
    return ours.machine.gpu == theirs.machine.gpu and _alike(ours, theirs)


def _alike(ours: Scenario, theirs: Scenario) -> bool:
    return math.isclose(ours.budget, theirs.budget, rel_tol=1 - COSTS_LESS)


def _usd(one: Plan) -> float | None:
    """What the budget costs; None without a price."""
    bill = one.supervised.bill
    return None if bill is None or bill.cost_usd is None else bill.cost_usd.mid


ALIKE_IF_FAIR: Mapping[str, Callable[[Plan, Plan], bool]] = {
    "budget": _same_budget,
    "number of students": lambda one, other: one.scenario.students == other.scenario.students,
    "law": lambda one, other: one.law.given_as == other.law.given_as,
    "what the budget covers": lambda one, other: one.scenario.pays is other.scenario.pays,
}
"""What plans must have alike for a choice among them to be fair, in words. Of two laws the one that
promises the lower loss is no better plan."""
