"""What a page needs to answer a question again at other settings: coefficients, sizes, prices.

The page has the formulas of `laws.formulas` and the rule of `planning.verdict`; every number in
them comes from here. A size costs what the planner says it costs, in the unit of the budget, so the
page needs no model of architectures and none of machines.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from distillplan.accounting import Accounting, Logits, Share
from distillplan.laws.formulas import DistillationLaw, FloatArray
from distillplan.laws.repetition import REPEATS_WORTH
from distillplan.laws.transfer import LARGEST_GAIN, TELLING, Slopes, transfer_error
from distillplan.named_tuples import NamedTuple
from distillplan.planning.evaluate import given_teacher, law_of
from distillplan.planning.results import Plan, Reason
from distillplan.planning.scenario import Scenario
from distillplan.planning.verdict import FEWEST_TOKENS_PER_PARAM, guessing, transfer_of
from distillplan.questions.page_ranges import (
    BUDGET_STEPS,
    LOSS_STEP,
    budget_steps,
    loss_steps,
    map_rows,
    offered_sizes,
    student_of,
)

PER_DECADE = 10
"""Sizes that the page knows, between which it interpolates their prices."""


class PricedSize(NamedTuple):
    """A student size and what its training costs, in what the budget counts."""

    params: float
    alone: float
    """One token of supervised training."""
    taught: float
    """One token of distillation, without the teacher."""
    served: float
    """All tokens that it serves after training."""
    chosen: bool
    """Whether the search may choose it: it is within bounds, and not of an exact shape."""


class PricedTeacher(NamedTuple):
    """A teacher size and what it costs, in what the budget counts."""

    params: float
    forward: float
    """Its logits for one token."""
    training: float
    """One token of its training."""


class GivenPrice(NamedTuple):
    """The teacher that the question names."""

    loss: float
    """Nats per token, as given or as the law has it."""
    forward: float
    """Its logits for one token; 0 where its size is not known."""
    training: float
    """Its whole training; 0 where its size or its tokens are not known."""


class PaidWay(NamedTuple):
    """Who pays for the teacher."""

    accounting: Accounting
    share: Share
    """Of one student."""


class Explorer(NamedTuple):
    """The question as numbers; sizes are parameters as the law counts them."""

    law: DistillationLaw
    valid: dict[str, tuple[float, float]]
    """Ranges that the law was fitted on."""
    budget: float
    """As written: FLOPs, or GPU-seconds."""
    by_tokens: bool
    """Whether it was written as what some tokens take, so that it follows the student."""
    limited_by: tuple[str, ...]
    """Keys of limits that no budget in GPU-hours may pass; another budget is asked for without."""
    budget_steps: tuple[int, int]
    """The lowest and the highest step of the budget that the page offers; 0 is as written."""
    on_machine: bool
    """Whether memory and limits are to be kept to, which a page does not check."""
    in_hours: bool
    """Whether budgets are GPU-seconds."""
    students: int
    student: float | None
    """As written; None where the best size is chosen."""
    middle_size: float
    """As written, or as chosen for training from data alone."""
    vocab: float | None
    """Of the student's family where it comes from the name of the student as written."""
    offered: tuple[float, ...]
    """Sizes that the page offers, as written or chosen among them."""
    sizes: tuple[PricedSize, ...]
    """All sizes between which it chooses, in order."""
    teacher: GivenPrice | None
    """None where a teacher is chosen and trained."""
    teachers: tuple[PricedTeacher, ...]
    """The sizes of teachers to choose from; empty where one is given."""
    loss_step: float
    """Nats between two teacher losses that the page offers."""
    loss_steps: tuple[int, int]
    """Steps down and up from the written teacher loss, or from the one chosen."""
    middle_loss: float
    """The teacher loss from which they count."""
    ways: tuple[PaidWay, ...]
    pays: Accounting
    """As written."""
    cached: bool
    """Whether the logits are on disk, so that nobody pays for forward passes."""
    student_tokens: tuple[float, float]
    """Bounds of the search, as are the next."""
    teacher_tokens: tuple[float, float]
    unique_tokens: float | None
    """None for an unlimited corpus."""
    tie_nats: float
    guessing: float
    """Loss of guessing, nats per token."""
    slopes: Slopes
    """Of the error outside the fitted range."""
    transfer: float
    """Scale of the error inside, nats per token."""
    steps_per_decade: int = BUDGET_STEPS
    telling: float = TELLING
    largest_gain: float = LARGEST_GAIN
    fewest_tokens_per_param: float = FEWEST_TOKENS_PER_PARAM
    repeats_worth: float = REPEATS_WORTH


def explorer_of(plan: Plan) -> Explorer | None:
    """What a page needs to answer the plan's question at other settings.

    Returns:
        None where the law has no distillation, or where the machine's memory, a limit, the format
        of stored logits or a corpus that their teacher passes over once decides, which a page
        cannot weigh.
    """
    scenario = plan.scenario
    deciding = plan.deciding
    if deciding is None or plan.verdict_reason is Reason.ONLY_ONE_POSSIBLE:
        return None
    if scenario.stored is not None or scenario.most_passed < math.inf:
        return None
    teacher = _given(scenario)
    middle = scenario.teacher_loss or deciding.teacher_loss or _middle(scenario)
    offered = offered_sizes(plan)
    return Explorer(
        law=law_of(scenario),
        valid=dict(scenario.law.valid),
        budget=scenario.budget,
        by_tokens=scenario.student_tokens is not None,
        limited_by=_limited_by(scenario),
        budget_steps=budget_steps(scenario),
        on_machine=scenario.machine is not None,
        in_hours=scenario.gpu_hours is not None,
        students=scenario.students,
        student=scenario.student_params,
        middle_size=student_of(plan),
        vocab=None if scenario.student_model is None else scenario.architecture.vocab,
        offered=offered,
        sizes=tuple(_students(scenario, (*offered, *map_rows(plan)))),
        teacher=teacher,
        teachers=() if teacher is not None else tuple(_teachers(scenario)),
        loss_step=LOSS_STEP,
        loss_steps=loss_steps(scenario, middle),
        middle_loss=middle,
        ways=tuple(PaidWay(accounting=one, share=scenario.share(one)) for one in payable(scenario)),
        pays=scenario.pays,
        cached=scenario.logits is Logits.CACHED,
        student_tokens=scenario.bounds.student_tokens,
        teacher_tokens=scenario.bounds.teacher_tokens,
        unique_tokens=scenario.max_unique_tokens,
        tie_nats=scenario.tie_nats,
        guessing=guessing(scenario),
        slopes=transfer_error().slopes,
        transfer=transfer_of(scenario.law).scale,
    )


def _limited_by(scenario: Scenario) -> tuple[str, ...]:
    limits = {"deadline": scenario.limits.hours, "max_cost_usd": scenario.limits.usd}
    return tuple(key for key, limit in limits.items() if limit is not None)


def payable(scenario: Scenario) -> tuple[Accounting, ...]:
    """The ways to pay for the teacher that can be priced, and that its logits allow."""
    teacher = scenario.teacher
    if teacher is None:
        return tuple(Accounting)
    found = [Accounting.FREE]
    if teacher.params is not None:
        found += [Accounting.EXISTS]
        if teacher.tokens is not None:
            found += [Accounting.TRAIN_SHARED, Accounting.TRAIN]
    return tuple(found)


def _middle(scenario: Scenario) -> float:
    """A teacher loss to begin with where none was given or found: that of the law's range."""
    low, high = scenario.law.valid.get("teacher_loss", (0.0, 0.0))
    floor = scenario.law.supervised.E
    return max((low + high) / 2, floor + LOSS_STEP)


def _grid(ends: tuple[float, float], *more: float) -> FloatArray:
    """Sizes from end to end, some others among them, in order."""
    low, high = ends
    points = 1 + math.ceil(PER_DECADE * math.log10(high / low))
    within = np.clip(np.geomspace(low, high, points), low, high)
    return np.unique(np.concatenate([within, more]))


def _students(scenario: Scenario, offered: Sequence[float]) -> Iterator[PricedSize]:
    low, high = scenario.bounds.student_params
    for params in _grid((low, high), *offered).tolist():
        written = params == scenario.student_params
        at = scenario if written else replace(scenario, student_params=params, student_model=None)
        alone, taught = _student_costs(at, params)
        yield PricedSize(
            params=params,
            alone=alone,
            taught=taught,
            served=_served(at, params),
            chosen=low <= params <= high and not (written and at.student_shape is not None),
        )


def _served(at: Scenario, params: float) -> float:
    """All tokens that a student serves; hours of serving are not modeled."""
    if not at.inference_tokens:
        return 0.0
    return at.inference_tokens * float(at.supervised_costs.student_forward(math.log(params)))


def _student_costs(at: Scenario, params: float) -> tuple[float, float]:
    """A token of supervised training and one of distillation."""
    if at.machine is None or at.gpu_hours is None:
        n = math.log(params)
        alone = float(at.supervised_costs.student_training(n))
        return alone, float(at.distillation_costs.student_training(n))
    from distillplan.planning.token_costs import token_seconds  # not for budgets in FLOPs

    model = at.student_shape or params
    alone, taught = (
        token_seconds(
            at.machine, at.family, model, None, distilling=one, beside=at.passes is Logits.ONLINE
        ).student_training
        for one in (False, True)
    )
    return alone, taught


def _teacher_costs(scenario: Scenario, params: float) -> tuple[float, float]:
    """A token of its logits and one of its training."""
    if scenario.machine is None or scenario.gpu_hours is None:
        t, costs = math.log(params), scenario.distillation_costs
        return float(costs.teacher_forward(t)), float(costs.teacher_training(t))
    from distillplan.planning.token_costs import token_seconds  # not for budgets in FLOPs

    beside = scenario.passes is Logits.ONLINE
    on, family = scenario.machine, scenario.family
    found = token_seconds(on, family, params, params, distilling=True, beside=beside)
    return found.teacher_forward, found.teacher_training


def _teachers(scenario: Scenario) -> Iterator[PricedTeacher]:
    for params in _grid(scenario.bounds.teacher_params).tolist():
        forward, training = _teacher_costs(scenario, params)
        yield PricedTeacher(params=params, forward=forward, training=training)


def _given(scenario: Scenario) -> GivenPrice | None:
    teacher, loss = scenario.teacher, scenario.teacher_loss
    if teacher is None or loss is None:
        return None
    if teacher.params is not None and teacher.shape is None:
        forward, training = _teacher_costs(scenario, teacher.params)
        once = training * (teacher.tokens or 0.0)
    else:
        price = given_teacher(scenario)
        forward, once = float(price.forward_cost[0]), float(price.training_cost[0])
    return GivenPrice(loss=loss, forward=forward, training=once)
