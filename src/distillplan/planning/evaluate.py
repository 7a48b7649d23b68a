"""A scenario at many budgets, families and accountings at once: the planner's arrays."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from distillplan.accounting import TRAINING_PASSES, Accounting, Logits
from distillplan.errors import InputError, Word
from distillplan.laws.formulas import DistillationLaw, FloatArray
from distillplan.models.costs import Costs
from distillplan.named_tuples import NamedTuple
from distillplan.optimize.optimizer import (
    optima_over_teacher_loss,
    optima_over_teachers,
    optima_with_teacher,
    supervised_optima,
)
from distillplan.optimize.problems import GivenTeacher, Optima, Problems
from distillplan.planning.scenario import Scenario
from distillplan.planning.start import refuse_start
from distillplan.planning.stored_logits import kept_while_read, lost_nats, storage_of
from distillplan.planning.teacher import Teacher


class Cells(NamedTuple):
    """Variations of one scenario, side by side; arrays of shape (cells,)."""

    budget: FloatArray
    """Of the whole family, in what the scenario counts."""
    students: FloatArray
    logits: FloatArray
    """Share of the teacher's forward passes that one student pays."""
    training: FloatArray
    """Share of the teacher's training that one student pays."""
    most: FloatArray
    """What limits of time and money leave of any budget for distillation; infinite: all."""

    def each(self, change: "Callable[[FloatArray], FloatArray]") -> "Cells":
        """The cells with every array changed, of whatever shape (cells,) becomes."""
        return Cells(**{name: change(values) for name, values in self._asdict().items()})


def cells(
    scenario: Scenario, accounting: Accounting, budget: Any = None, students: Any = None
) -> Cells:
    """Variations under one accounting, in budget or in number of students.

    Args:
        scenario: the question.
        accounting: teacher costs that the budget covers.
        budget: other budgets than the scenario's, of shape (cells,).
        students: other numbers of students, of shape (cells,).
    """
    refuse_start(scenario)
    refuse_open_layout(scenario)
    budgets = np.atleast_1d(np.asarray(scenario.budget if budget is None else budget, float))
    counts = np.atleast_1d(np.asarray(scenario.students if students is None else students, int))
    shares = [scenario.share(accounting, int(count)) for count in counts]
    size = np.broadcast_shapes(budgets.shape, counts.shape)
    columns: dict[str, Any] = {
        "budget": budgets,
        "students": counts,
        "logits": [one.logits for one in shares],
        "training": [one.training for one in shares],
        "most": most_spent(scenario, accounting),
    }
    return Cells(
        **{name: np.array(np.broadcast_to(one, size), float) for name, one in columns.items()}
    )


def most_spent(scenario: Scenario, way: Accounting | None) -> float:
    """What limits of time and money leave of any budget in FLOPs; infinite: all.

    Args:
        scenario: the question.
        way: what is paid; None for supervised training.
    """
    if scenario.compute is None:
        return math.inf
    return dict(scenario.limits.flops).get(way, math.inf)


def together(groups: Iterable[Cells]) -> Cells:
    """Groups of cells, one after the other: the optimizer is cheapest by the dozen."""
    every = list(groups)
    return Cells(
        **{name: np.concatenate([getattr(one, name) for one in every]) for name in Cells._fields}
    )


def mixes_logits(scenario: Scenario) -> bool:
    """Whether cells with other sources of logits may stand among the scenario's own.

    They differ in their shares alone where a budget is in FLOPs, no format is named and no corpus
    is read again.
    """
    plain = scenario.gpu_hours is None and scenario.stored is None
    return plain and scenario.max_unique_tokens is None


def supervised(scenario: Scenario, at: Cells, *, within: FloatArray | None = None) -> Optima:
    """Supervised training with each cell's budget per student.

    Also how far the sizes of the first cells may move ``within`` nats, shape (asked,).
    """
    problems = alone_of(scenario, at)
    return supervised_optima(scenario.law.supervised, problems, within=within)


def distilled(
    scenario: Scenario,
    at: Cells,
    *,
    within: FloatArray | None = None,
    finest: float | None = None,
) -> Optima:
    """Distillation with each cell's budget per student, from the given or the best teacher.

    Args:
        scenario: the question.
        at: the cells.
        within: also how far the sizes of the first cells may move so many nats, shape (asked,).
        finest: half-width of the optimizer's last grid, where it searches over teachers.
    """
    problems, law = problems_of(scenario, at), law_of(scenario)
    if scenario.teacher is None:
        found = kept_while_read(
            problems, lambda one: optima_over_teachers(law, one, within=within, finest=finest)
        )
    else:
        found = with_teacher(law, problems, given_teacher(scenario), within)
    return as_read(scenario, problems.logits, found)


def with_teacher(
    law: DistillationLaw,
    problems: Problems,
    teacher: GivenTeacher,
    within: FloatArray | None = None,
) -> Optima:
    """Optima with a given teacher, whose logits are kept for as long as they are read.

    Args:
        law: the distillation law.
        problems: the budgets.
        teacher: floats, or arrays of shape (problems,).
        within: as for `optima_with_teacher`, shape (asked,).
    """
    return kept_while_read(
        problems.taught_by(teacher),
        lambda one: optima_with_teacher(law, one, teacher, within=within),
    )


def both(scenario: Scenario, at: Cells, finest: float) -> tuple[Optima, Optima]:
    """Supervised training, and distillation without the sizes of a chosen teacher.

    Args:
        scenario: the question.
        at: the cells.
        finest: half-width of the optimizer's last grid.
    """
    alone = supervised(scenario, at)
    if scenario.teacher is not None:
        return alone, distilled(scenario, at)
    law, problems = law_of(scenario), problems_of(scenario, at)
    timed = problems.storage is not None and problems.storage.per_month is not None
    found = kept_while_read(
        problems, lambda one: optima_over_teachers(law, one, finest=finest, pairs=timed)
    )
    return alone, as_read(scenario, problems.logits, found)


def distilled_from(scenario: Scenario, at: Cells, teacher_loss: FloatArray) -> Optima:
    """Distillation at the scenario's budget from other teachers at the same price.

    Args:
        scenario: the question, with a teacher.
        at: one cell.
        teacher_loss: the losses of the teachers, nats per token, shape (teachers,).
    """
    problems = problems_of(scenario, at.each(lambda values: np.repeat(values, teacher_loss.size)))
    price = given_teacher(scenario)
    teacher = GivenTeacher(
        loss=teacher_loss, forward_cost=price.forward_cost, training_cost=price.training_cost
    )
    found = with_teacher(law_of(scenario), problems, teacher)
    return as_read(scenario, problems.logits, found)


def best_teacher(scenario: Scenario, at: Cells) -> Optima:
    """Distillation from the teacher whose loss is best, at the scenario's teacher's price."""
    price, law = given_teacher(scenario), law_of(scenario)
    problems = problems_of(scenario, at).taught_by(price)
    found = kept_while_read(problems, lambda one: optima_over_teacher_loss(law, one, price))
    return as_read(scenario, problems.logits, found)


NOBODY = Teacher(loss=1.0)
"""In place of a teacher where none is given; its loss is looked at by nobody."""


def given_teachers(scenarios: Sequence[Scenario]) -> GivenTeacher:
    """The scenarios' teachers as the optimizer takes them; one that costs nothing where none is."""
    costs, law = scenarios[0].distillation_costs, scenarios[0].law.supervised
    teachers = [one.teacher or NOBODY for one in scenarios]
    names = ("params", "law_params", "tokens", "loss")
    columns = ([getattr(one, name) for one in teachers] for name in names)
    params, size, tokens, loss = (np.array(one, float) for one in columns)  # not-a-number for None
    t, unpriced = np.log(params), np.isnan(params)
    forward, training = costs.teacher_forward(t), costs.teacher_training(t)
    for row, one in enumerate(scenarios):
        exact = _costs_of_shape(one)
        if exact is not None:
            forward[row], training[row] = exact
    return GivenTeacher(
        loss=np.where(np.isnan(loss), law.loss(size, tokens), loss),
        forward_cost=np.where(unpriced, 0.0, forward),
        training_cost=np.where(unpriced, 0.0, training * np.nan_to_num(tokens)),
    )


def _costs_of_shape(scenario: Scenario) -> tuple[float, float] | None:
    """Cost per token of the teacher, in the budget's unit: to run, to train; None: no shape."""
    model, machine = scenario.models.teacher, scenario.machine
    if model is None:
        return None
    if scenario.gpu_hours is None or machine is None:
        forward = model.forward_flops(round(scenario.architecture.context))
        return None if forward is None else (forward, TRAINING_PASSES * forward)
    if model.shape is None:
        return None
    from distillplan.planning.token_costs import token_seconds  # not for budgets in FLOPs

    beside, shape = scenario.passes is Logits.ONLINE, model.shape
    found = token_seconds(machine, scenario.family, shape, shape, distilling=True, beside=beside)
    return found.teacher_forward, found.teacher_training


def given_teacher(scenario: Scenario) -> GivenTeacher:
    """The same of one scenario, with arrays of shape (1,)."""
    return given_teachers([scenario])


def problems_of(scenario: Scenario, at: Cells) -> Problems:
    """The cells as the optimizer takes them, of distillation."""
    found = _problems(scenario, at, np.minimum(at.budget, at.most), scenario.distillation_costs)
    storage = storage_of([scenario], found.budget, at.logits, at.students)
    return found._replace(storage=storage, most_passed=scenario.most_passed)


def alone_of(scenario: Scenario, at: Cells) -> Problems:
    """The same of supervised training."""
    spent = np.minimum(at.budget, most_spent(scenario, None))
    return _problems(scenario, at, spent, scenario.supervised_costs)


def _problems(scenario: Scenario, at: Cells, spent: FloatArray, costs: Costs) -> Problems:
    params, budget = scenario.student_params, spent / at.students
    return Problems(
        budget=budget,
        logits=at.logits,
        training=at.training,
        student_params=None if params is None else np.full(at.budget.size, params),
        bounds=scenario.bounds,
        costs=costs,
        served_tokens=scenario.inference_tokens,
        unique_tokens=scenario.unique_tokens,
    )


def as_read(scenario: Scenario, logits: Any, found: Optima) -> Optima:
    """Optima of distillation with what the format of stored logits costs, which moves no size.

    Args:
        scenario: the question.
        logits: share of the teacher's forward passes that one student pays, shape (cells,).
        found: with full logits; arrays of shape (cells,) or (cells, draws).
    """
    if scenario.stored is None:
        return found
    lost = lost_nats(scenario, logits)
    return found._replace(loss=found.loss + lost.reshape(-1, *[1] * (found.loss.ndim - 1)))


def distilled_loss(scenario: Scenario, accounting: Accounting, n: Any, d: Any, x: Any) -> Any:
    """Losses of distilled students at log sizes and log teacher losses, as their logits are read.

    Args:
        scenario: the question.
        accounting: what the budget pays for.
        n: log parameters of the student.
        d: log of what its tokens are worth.
        x: log loss of the teacher.
    """
    loss = law_of(scenario).loss_at_logs(n, d, x)
    if scenario.stored is None:
        return loss
    return loss + lost_nats(scenario, scenario.share(accounting).logits)


def law_of(scenario: Scenario) -> DistillationLaw:
    """The distillation side of the law of a scenario that may ask for it.

    Raises:
        ValueError: when it has none, which is a bug: `Scenario` lets nobody ask.
    """
    if scenario.law.distillation is None:
        raise ValueError(f"{scenario.law.name} has no distillation side")
    return scenario.law.distillation


def refuse_open_layout(scenario: Scenario) -> None:
    """Refuse an open layout where a question has many sizes.

    Raises:
        InputError: when the layout is open.
    """
    if scenario.machine is not None and scenario.machine.searches_layout:
        raise InputError(
            Word("layout", scenario.machine.layout),
            " is for one plan: here sizes differ, and each would have its own; leave it out, or "
            "use distillplan budget, compare or estimate",
        )
