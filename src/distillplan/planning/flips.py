"""What would change the verdict: the nearest budget, family, teacher, logits or accounting."""

import math
from collections.abc import Callable, Sequence

import numpy as np

from distillplan.accounting import Accounting, Logits
from distillplan.laws.formulas import FloatArray
from distillplan.planning import evaluate
from distillplan.planning.evaluate import Cells, cells, together
from distillplan.planning.kept_limits import most_budget
from distillplan.planning.results import Option
from distillplan.planning.scenario import Scenario
from distillplan.planning.verdict import Weighed, run_of, weigh, weigh_options, word
from distillplan.planning.verdict_records import (
    AccountingFlip,
    BudgetFlip,
    BudgetRange,
    BudgetSpan,
    Flips,
    LogitsFlip,
    StudentsFlip,
    TeacherFlip,
    Verdict,
)
from distillplan.planning.windows import FIRST_LOOK, SILENT, Window, windows

DECADES = 4
"""How far the budget is searched, up and down."""
PER_DECADE = 24
"""Budgets of the first look where a teacher is given, so that each takes no search."""
FEWER_PER_DECADE = 6
"""The same where the teacher must be found; windows between them show in how the gain turns."""
BEYOND = 1.25
"""How far behind the edge of an open window its odds are taken."""
MOST_STUDENTS = 4096
PER_OCTAVE = 2
"""Numbers of students of the first look, per doubling."""
TEACHER_POINTS = 65
CLOSER_POINTS = 17
LOOKS = 3
"""Teacher losses of the first look and of the closer ones; a line does the rest."""

COSTS = (Accounting.TRAIN, Accounting.EXISTS, Accounting.TRAIN_SHARED, Accounting.FREE)
"""Accountings by how much they ask for, most first."""


def find_flips(scenario: Scenario, options: tuple[Option, ...], now: Verdict | None) -> Flips:
    """The nearest change of each kind that turns the verdict into another one.

    A first look at budgets, numbers of students and sources of logits goes to the optimizer in one
    call; the closer ones follow where the verdict changes.

    Args:
        scenario: the question.
        options: of its plan.
        now: its verdict; None where there is none, so that any verdict is another one.
    """
    if scenario.law.distillation is None:
        return Flips()
    logs, counts, sources = _budgets(scenario), _counts(scenario), _other_logits(scenario)
    looks = [_at_budgets(scenario, logs), _at_counts(scenario, counts)]
    own = [cells(changed, changed.pays) for changed in sources]
    mixed = evaluate.mixes_logits(scenario)
    seen = weigh_cells(scenario, together([*looks, *(own if mixed else ())]), FIRST_LOOK)
    ends = logs.size, logs.size + counts.size
    found = _windows(scenario, now, logs, seen.rows(slice(ends[0])))
    down, up = _budget_flips(scenario, now, found)
    read = seen.side[ends[1] :]
    if own and not mixed:
        pairs = zip(sources, own, strict=True)
        read = np.concatenate([weigh_cells(one, at, FIRST_LOOK).side for one, at in pairs])
    return Flips(
        budget_down=down,
        budget_up=up,
        budgets=BudgetRange(
            from_=_in_unit(scenario, float(logs[0])), to=_in_unit(scenario, float(logs[-1]))
        ),
        same_verdict=_same_verdict(scenario, found),
        students=_students_flip(scenario, now, counts, seen.side[ends[0] : ends[1]]),
        teacher_loss=_teacher_flip(scenario, options),
        logits=_logits_flip(now, sources, read),
        accounting=_accounting_flip(scenario, options, now),
    )


def weigh_cells(scenario: Scenario, at: Cells, finest: float) -> Weighed:
    """Which side wins in each cell.

    Args:
        scenario: the question.
        at: the cells.
        finest: half-width of the optimizer's last grid.
    """
    alone, distilled = evaluate.both(scenario, at, finest)
    return weigh(scenario, run_of(alone), run_of(distilled))


def _at_budgets(scenario: Scenario, logs: FloatArray) -> Cells:
    return cells(scenario, scenario.pays, budget=np.exp(logs))


def _at_counts(scenario: Scenario, counts: FloatArray) -> Cells:
    return cells(scenario, scenario.pays, students=counts)


def _in_unit(scenario: Scenario, log: float) -> float:
    """A budget in FLOPs, or in GPU-hours where the scenario's is."""
    return math.exp(log) / scenario.per_unit


def _budgets(scenario: Scenario) -> FloatArray:
    """Logarithms of the budgets of the first look, as far as limits leave room for them."""
    per_decade = FEWER_PER_DECADE if scenario.teacher is None else PER_DECADE
    steps = np.arange(DECADES * per_decade + 1) * (math.log(10) / per_decade)
    last = min(float(steps[-1]), math.log(most_budget(scenario) / scenario.budget))
    up = [*steps[steps < last], last]
    return math.log(scenario.budget) + np.concatenate([-steps[:0:-1], up])


def _windows(
    scenario: Scenario, now: Verdict | None, logs: FloatArray, first: Weighed
) -> tuple[Window, ...]:
    """The windows of budgets; the edges of those with another verdict are exact."""
    return windows(
        lambda at, finest: weigh_cells(scenario, _at_budgets(scenario, at), finest),
        logs,
        lambda one: one.side,
        (scenario.tie_nats, -scenario.tie_nats),
        first,
        lambda state: state != SILENT and word(state) is not now,
    )


def _budget_flips(
    scenario: Scenario, now: Verdict | None, found: Sequence[Window]
) -> tuple[BudgetFlip | None, BudgetFlip | None]:
    """The nearest windows with another verdict, below the own budget and above it."""
    here = math.log(scenario.budget)
    others = [one for one in found if one.state != SILENT and word(one.state) is not now]
    below = [one for one in others if one.high is not None and one.high <= here]
    above = [one for one in others if one.low is not None and one.low >= here]
    return (
        _budget_flip(scenario, below[-1]) if below else None,
        _budget_flip(scenario, above[0]) if above else None,
    )


def _same_verdict(scenario: Scenario, found: Sequence[Window]) -> BudgetSpan | None:
    """The window of the own budget; None where it has no verdict."""
    here = math.log(scenario.budget)
    own = next(one for one in found if one.high is None or here <= one.high)
    if own.state == SILENT:
        return None
    low, high = (None if end is None else _in_unit(scenario, end) for end in (own.low, own.high))
    return BudgetSpan(from_=low, to=high)


def _budget_flip(scenario: Scenario, window: Window) -> BudgetFlip:
    verdict = word(window.state)
    low, high = window.low, window.high
    if verdict is None or (low is None and high is None):
        raise ValueError("a flip has a verdict and an edge")
    if low is None:
        at = (high or 0.0) - math.log(BEYOND)
    else:
        at = low + math.log(BEYOND) if high is None else (low + high) / 2
    return BudgetFlip(
        from_=None if low is None else _in_unit(scenario, low),
        to=None if high is None else _in_unit(scenario, high),
        verdict=verdict,
        at=_in_unit(scenario, at),
    )


def _counts(scenario: Scenario) -> FloatArray:
    """Numbers of students of the first look, in order; none where they share no costs."""
    if scenario.share(scenario.pays, 1) == scenario.share(scenario.pays, 2):
        return np.empty(0)
    most = max(MOST_STUDENTS, 2 * scenario.students)
    steps = math.ceil(PER_OCTAVE * math.log2(most)) + 1
    return _distinct(np.append(np.geomspace(1, most, steps), scenario.students))


def _distinct(counts: FloatArray) -> FloatArray:
    """Whole numbers, each once, in order."""
    whole = np.sort(np.round(counts))
    return whole[np.concatenate([[True], np.diff(whole) != 0])]


def _students_flip(
    scenario: Scenario, now: Verdict | None, counts: FloatArray, side: FloatArray
) -> StudentsFlip | None:
    """The nearest number of students, more or fewer, with another verdict."""
    found = []
    for more in (True, False):
        way = counts > scenario.students if more else counts < scenario.students
        order = slice(None) if more else slice(None, None, -1)
        one = _nearest_count(scenario, now, counts[way][order], side[way][order])
        if one is not None:
            found.append(one)
    return min(
        found,
        key=lambda one: abs(math.log(one.students / scenario.students)),
        default=None,
    )


def _nearest_count(
    scenario: Scenario, now: Verdict | None, counts: FloatArray, side: FloatArray
) -> StudentsFlip | None:
    """The first number with another verdict, walking away; looks between until none is between."""
    near = float(scenario.students)
    while counts.size:
        verdicts = [word(one) for one in side]
        turned = [row for row, one in enumerate(verdicts) if one is not None and one is not now]
        if not turned:
            return None
        first = turned[0]
        far, then = float(counts[first]), verdicts[first]
        near = float(counts[first - 1]) if first else near
        if abs(far - near) <= 1 and then is not None:
            return StudentsFlip(students=int(far), verdict=then)
        steps = 2 + 4 * PER_OCTAVE
        counts = _distinct(np.linspace(near, far, steps))[:: 1 if far > near else -1][1:]
        side = weigh_cells(scenario, _at_counts(scenario, counts), FIRST_LOOK).side
    return None


def _teacher_flip(scenario: Scenario, options: tuple[Option, ...]) -> TeacherFlip | None:
    """The losses of teachers, at the given one's price or at none, with which distillation wins."""
    accounting = Accounting.FREE if scenario.teacher is None else scenario.pays
    at = cells(scenario, accounting)
    alone = options[0]
    peak, best_loss = _best_teacher(scenario, options, at)
    if alone.loss is None or peak is None or best_loss is None:
        return None

    def margins(losses: FloatArray) -> FloatArray:
        """By how much distillation wins, nats per token; not positive where it does not."""
        distilled = run_of(evaluate.distilled_from(scenario, at, losses))
        found = weigh(scenario, run_of(alone), distilled)
        margin = np.minimum(found.gain - scenario.tie_nats, found.slack)
        return np.where((found.side == 1) | (margin <= 0), margin, -np.inf)

    floor = scenario.law.least_teacher_loss
    strong = floor + (peak - floor) * np.geomspace(1.0, 1e-3, TEACHER_POINTS)
    weak = np.linspace(peak, max(alone.loss, peak) * 1.5, TEACHER_POINTS)  # L_S is never below L_T
    edges = _edges(margins, np.stack([strong, weak]))
    if edges is None:
        return None
    return TeacherFlip(
        accounting=accounting,
        from_=edges[0],
        to=edges[1],
        best=peak,
        best_loss=best_loss,
        any_stronger=edges[2],
    )


def _best_teacher(
    scenario: Scenario, options: tuple[Option, ...], at: Cells
) -> tuple[float | None, float | None]:
    """Loss of the best teacher and of the student with it."""
    if scenario.teacher is None:  # the option with a free teacher has found it
        free = next(one for one in options if one.accounting is Accounting.FREE)
        return free.teacher_loss, free.loss
    best = evaluate.best_teacher(scenario, at)
    if best.teacher_loss is None or not np.isfinite(best.loss[0]):
        return None, None
    return float(best.teacher_loss[0]), float(best.loss[0])


def _edges(
    margins: Callable[[FloatArray], FloatArray], ways: FloatArray
) -> tuple[float, float, bool] | None:
    """The last teacher losses, walking two ways from the best, with which distillation still wins.

    Args:
        margins: positive where it wins, shape (losses,).
        ways: losses, shape (2, losses), the best one first.

    Returns:
        Both, and whether it wins on to the end of the first way; None where it does not win even
        with the best.
    """
    for _ in range(LOOKS):
        margin = margins(ways.ravel()).reshape(ways.shape)
        lost = margin <= 0
        if lost[:, 0].any():
            return None
        end = np.where(lost.any(axis=1), lost.argmax(axis=1), ways.shape[1] - 1)
        (near, far), (wins, loses) = (
            (one[[0, 1], end - 1], one[[0, 1], end]) for one in (ways, margin)
        )
        ways = np.linspace(near, far, CLOSER_POINTS, axis=1)
    part = np.where(loses > 0, 1.0, wins / (wins - loses))
    strong, weak = near + part * (far - near)
    return float(strong), float(weak), bool(loses[0] > 0)


def _other_logits(scenario: Scenario) -> list[Scenario]:
    """The same question with the other sources of logits, nearest in cost first."""
    teacher = scenario.teacher
    if scenario.accounting is not None:
        return []
    if scenario.logits is Logits.CACHED:
        others = [Logits.ONLINE] if teacher is not None and teacher.params is not None else []
    else:
        others = [Logits.ONLINE if scenario.logits is Logits.STORED else Logits.STORED]
        others += [Logits.CACHED] if teacher is not None else []
    return [scenario.reading(logits) for logits in others]


def _logits_flip(
    now: Verdict | None, sources: list[Scenario], side: FloatArray
) -> LogitsFlip | None:
    """The first other source of logits that gives another verdict."""
    for changed, one in zip(sources, side, strict=True):
        then = word(one)
        if then is not None and then is not now:
            return LogitsFlip(logits=changed.logits, verdict=then)
    return None


def _accounting_flip(
    scenario: Scenario, options: tuple[Option, ...], now: Verdict | None
) -> AccountingFlip | None:
    """The accounting nearest in cost that gives another verdict."""
    alone, here = options[0], COSTS.index(scenario.pays)
    others = {
        one.accounting: one
        for one in options
        if one.accounting not in (None, scenario.pays) and one.teacher_name is None
    }
    for accounting in sorted(others, key=lambda one: abs(COSTS.index(one or COSTS[0]) - here)):
        then = word(weigh_options(scenario, alone, others[accounting]).side[0])
        if then is not None and then is not now and accounting is not None:
            return AccountingFlip(accounting=accounting, verdict=then)
    return None
