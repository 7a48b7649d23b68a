"""Which runs to make: the pairs that narrow the gain most for the money, and the usual designs.

A pair is a supervised and a distilled run of one size and length. Their difference is the gain
there, whatever the tokenizer and the corpus do to all losses, so pairs are what is chosen from.
Which pairs is decided by how much of the variance of the gain they explain, in the normal
approximation; what the chosen ones are worth is computed without it (`pilot_value`).
"""

import math
from collections.abc import Callable, Sequence

import numpy as np

from distillplan.laws.formulas import FloatArray
from distillplan.named_tuples import NamedTuple
from distillplan.planning.teacher import Teacher
from distillplan.planning.verdict import guessing
from distillplan.questions.pilot_costs import cost_of
from distillplan.questions.pilot_worlds import OpenDecision, PilotRun, Prior, Unit, prior

SMALLEST, LARGEST, SIZES = 1 / 64, 1.0, 16
"""Sizes of students to choose from, as shares of the decision's."""
TOKENS_PER_PARAM = (5, 7, 10, 14, 20, 28, 40, 56, 80, 112, 160)
TEACHER_SIZES = (1 / 30, 1 / 10, 1 / 5, 1 / 3, 2 / 3, 1.0)
"""Sizes of teachers of the pilot's own, where the scenario has none, as shares of its student's."""
TEACHER_TOKENS_PER_PARAM = (20.0, 80.0)
TEACHER_SHARE = 0.6
"""The part of a pilot's budget that its own teacher may take."""
MOST_PAIRS = 6
LEAST_PART = 0.02
"""A pair that explains less than this part of the gain's variance is not worth its trouble."""
BETTER = 0.01
"""A pair is exchanged for one that explains so much more."""
TYPICAL_W = math.log(2)
"""The median of w: how far off the law typically is, which is what pairs are chosen for."""
PRICE_POWERS = (0.0, 0.5, 1.0)
"""Pairs are taken by explained variance over cost to such a power; the best of them is kept."""
HALVINGS = 50
USUAL_RATIO = 20.0
"""Tokens per parameter at the center of the usual designs."""


class Design(NamedTuple):
    """Runs in the order in which to make them."""

    name: str
    units: tuple[Unit, ...]

    @property
    def runs(self) -> tuple[PilotRun, ...]:
        """All of them."""
        return tuple(run for unit in self.units for run in unit)


def pair(params: float, tokens: float, teacher: Teacher) -> Unit:
    """A supervised and a distilled run of one size and length."""
    return (
        PilotRun(params=params, tokens=tokens),
        PilotRun(params=params, tokens=tokens, teacher=teacher),
    )


def best_design(decision: OpenDecision, budget: float) -> Design | None:
    """The pairs that explain most of the gain's variance within a budget; None where none fits.

    Args:
        decision: what they are to inform.
        budget: in the unit of the scenario's.
    """
    best, most = None, 0.0
    for first in _teachers(decision, budget):
        found = _best_with(decision, first, budget)
        if found is not None and found.explained > most:
            best, most = found.design, found.explained
    return best


def usual_designs(decision: OpenDecision, best: Design, budget: float) -> list[Design]:
    """Designs from the literature for the same money, with the teacher of the best one."""
    first = best.units[:1] if len(best.units[0]) == 1 else ()
    teacher = best.units[-1][-1].teacher
    if teacher is None:
        raise ValueError("a design ends with a pair")
    scenario = decision.scenario
    left = budget - sum(cost_of(scenario, unit) for unit in first)

    def alone(params: float, tokens: float) -> Unit:
        return (PilotRun(params=params, tokens=tokens),)

    def both(params: float, tokens: float) -> Unit:
        return pair(params, tokens, teacher)

    shapes: tuple[tuple[str, Callable[[float, float], Unit], Sequence[tuple[float, float]]], ...]
    shapes = (
        ("one pair", both, ((1, 1),)),
        ("L-shape in pairs", both, ((1, 1), (1, 1 / 2), (1, 1 / 4), (1 / 2, 1), (1 / 4, 1))),
        ("star in pairs", both, ((1, 1), (1 / 2, 1), (2, 1), (1, 1 / 2), (1, 2))),
        ("star without a teacher", alone, ((1, 1), (1 / 2, 1), (2, 1), (1, 1 / 2), (1, 2))),
    )
    found = []
    for name, kind, points in shapes:

        def units(center: float) -> list[Unit]:
            return [kind(n * center, d * USUAL_RATIO * center) for n, d in points]  # noqa: B023  (called in its own turn)

        money = budget if kind is alone else left
        center = _largest(lambda at: sum(cost_of(scenario, one) for one in units(at)), money)
        before = () if kind is alone else first
        found.append(Design(name=name, units=(*before, *units(center))))
    return found


def _largest(cost: Callable[[float], float], budget: float) -> float:
    """The size at which a cost that grows with it meets a budget."""
    low, high = 0.0, math.log(1e15)
    for _ in range(HALVINGS):
        at = (low + high) / 2
        low, high = (at, high) if cost(math.exp(at)) <= budget else (low, at)
    return math.exp(low)


def _teachers(decision: OpenDecision, budget: float) -> list[Unit]:
    """The supervised run that makes a teacher, for each one that may; empty for a given one."""
    scenario = decision.scenario
    if scenario.teacher is not None:
        return [()]
    student = decision.distilled.student_params or 1.0
    units = [
        (PilotRun(params=rounded(share * student), tokens=each * rounded(share * student)),)
        for share in TEACHER_SIZES
        for each in TEACHER_TOKENS_PER_PARAM
    ]
    return [one for one in units if cost_of(scenario, one) <= TEACHER_SHARE * budget]


class _Explained(NamedTuple):
    design: Design
    explained: float
    """Variance of the gain, nats squared."""


def _best_with(decision: OpenDecision, first: Unit, budget: float) -> _Explained | None:
    """The best pairs with one teacher."""
    scenario, skip = decision.scenario, len(first)
    left = budget - cost_of(scenario, first)
    units = _affordable(decision, first, left)
    if not units:
        return None
    known = prior(decision, [*first, *(run for unit in units for run in unit)])
    sound = (np.exp(known.expected) < guessing(scenario))[skip:].reshape(-1, 2).all(axis=1)
    costs = np.where(sound, [cost_of(scenario, unit) for unit in units], np.inf)
    joint = _joint(known)
    for row in range(skip):
        joint = _after(joint, row)
    picked = max(
        (_greedy(joint, costs, left, skip, power) for power in PRICE_POWERS),
        key=lambda rows: _explained(joint, rows, skip),
    )
    picked = _exchanged(joint, picked, costs, left, skip)
    picked = _greedy(joint, costs, left, skip, 0.0, picked)  # what is left over
    if not picked:
        return None
    order = _by_price(joint, picked, costs, skip)
    before = (first,) if first else ()
    design = Design(name="chosen pairs", units=(*before, *(units[one] for one in order)))
    return _Explained(design=design, explained=_explained(joint, picked, skip))


def _affordable(decision: OpenDecision, first: Unit, budget: float) -> list[Unit]:
    """The pairs that a budget allows with one teacher, but for runs that are made already."""
    scenario = decision.scenario
    teacher = scenario.teacher or Teacher(params=first[0].params, tokens=first[0].tokens)
    student = decision.distilled.student_params or 1.0
    sizes = sorted({rounded(one * student) for one in np.geomspace(SMALLEST, LARGEST, SIZES)})
    units = [
        pair(size, each * size, teacher)
        for size in sizes
        for each in TOKENS_PER_PARAM
        if PilotRun(params=size, tokens=each * size) not in first
    ]
    return [one for one in units if cost_of(scenario, one) <= budget]


class _Joint(NamedTuple):
    """The gain and the log losses as one normal."""

    covariance: FloatArray
    """Shape (1 + runs, 1 + runs); the gain is the first."""
    noise: float


def _joint(known: Prior) -> _Joint:
    drawn = np.column_stack([known.gain, known.mean])
    drawn = drawn - drawn.mean(axis=0)
    found = drawn.T @ drawn / drawn.shape[0]
    found[0, 0] += known.variance / TYPICAL_W
    found[0, 1:] += known.cross / TYPICAL_W
    found[1:, 0] += known.cross / TYPICAL_W
    found[1:, 1:] += known.level + known.error / TYPICAL_W
    return _Joint(covariance=found, noise=known.noise)


def _after(joint: _Joint, run: int) -> _Joint:
    """The same once one of the runs has been made."""
    column = joint.covariance[:, 1 + run]
    left = joint.covariance - np.outer(column, column) / (column[1 + run] + joint.noise)
    return joint._replace(covariance=left)


def _after_pairs(joint: _Joint, pairs: Sequence[int], skip: int) -> _Joint:
    for one in pairs:
        joint = _after(_after(joint, skip + 2 * one), skip + 2 * one + 1)
    return joint


def _explained(joint: _Joint, pairs: Sequence[int], skip: int) -> float:
    """Variance of the gain that some pairs explain, nats squared."""
    left = _after_pairs(joint, pairs, skip)
    return float(joint.covariance[0, 0] - left.covariance[0, 0])


def _by_each(joint: _Joint, skip: int) -> FloatArray:
    """Variance of the gain that each pair would explain, shape (pairs,)."""
    rest = joint.covariance[1 + skip :, 1 + skip :]
    to_gain = joint.covariance[0, 1 + skip :].reshape(-1, 2)
    own = np.diag(rest).reshape(-1, 2) + joint.noise
    shared = np.diag(rest, 1)[::2]
    one, other = to_gain.T
    found = own[:, 1] * one**2 + own[:, 0] * other**2 - 2 * shared * one * other
    return np.asarray(found / (own[:, 0] * own[:, 1] - shared**2))


def _greedy(
    joint: _Joint,
    costs: FloatArray,
    budget: float,
    skip: int,
    power: float,
    picked: tuple[int, ...] = (),
) -> tuple[int, ...]:
    """Pairs after the picked ones, each the one that explains most for its cost to a power."""
    least = LEAST_PART * joint.covariance[0, 0]
    joint, budget = _after_pairs(joint, picked, skip), budget - float(costs[list(picked)].sum())
    while len(picked) < MOST_PAIRS:
        each = _by_each(joint, skip)
        each = np.where(costs <= budget, each, 0.0)
        each[list(picked)] = 0.0
        score = np.where(each >= least, each / costs**power, 0.0)
        at = int(score.argmax())
        if not score[at] > 0:
            break
        picked, budget = (*picked, at), budget - float(costs[at])
        joint = _after_pairs(joint, [at], skip)
    return picked


def _exchanged(
    joint: _Joint, picked: tuple[int, ...], costs: FloatArray, budget: float, skip: int
) -> tuple[int, ...]:
    """The pairs with each one exchanged for a better one that the money allows, until none is."""
    found, changed = list(picked), True
    while changed:
        changed = False
        for place, one in enumerate(found):
            others = [*found[:place], *found[place + 1 :]]
            left = budget - float(costs[others].sum())
            each = np.where(costs <= left, _by_each(_after_pairs(joint, others, skip), skip), 0.0)
            each[others] = 0.0
            best = int(each.argmax())
            if each[best] > (1 + BETTER) * each[one]:
                found[place], changed = best, True
    return tuple(found)


def _by_price(
    joint: _Joint, picked: Sequence[int], costs: FloatArray, skip: int
) -> tuple[int, ...]:
    """The pairs in the order of what each explains for its cost, given those before it."""
    order: tuple[int, ...] = ()
    while len(order) < len(picked):
        each = _by_each(joint, skip) / costs
        at = max((one for one in picked if one not in order), key=lambda one: float(each[one]))
        order = (*order, at)
        joint = _after_pairs(joint, [at], skip)
    return order


def rounded(size: float) -> float:
    """A size to two digits."""
    return float(f"{size:.1e}")
