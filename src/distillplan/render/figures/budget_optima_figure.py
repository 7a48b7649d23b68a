"""The best sizes over the budget: `plot optimum`."""

from typing import TYPE_CHECKING, Any

from distillplan.accounting import in_a_table
from distillplan.questions.budget_losses import BudgetUnit
from distillplan.questions.budget_optima import BudgetOptima, OptimumAt
from distillplan.render.figures.house_style import (
    ALONE,
    OTHER,
    QUIET,
    STROKES,
    STUDENT_LOSS,
    TAUGHT,
    TEACHER,
    Stroke,
    budget_axis,
    counts_axis,
    curve,
    finish,
    here,
    law_source,
    legend,
    or_nothing,
    outside,
    panels,
    teaching,
)
from distillplan.units.articles import with_article
from distillplan.units.quantities import format_count, format_flops

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SERVING = STROKES[-1]
PARTS = {
    "student_training_share": ("train the student", TAUGHT, ""),
    "teacher_logits_share": ("run the teacher", OTHER, "////"),
    "teacher_training_share": ("train the teacher", TEACHER, "...."),
    "student_serving_share": ("serve the student", SERVING, "xxxx"),
}
"""What the budget goes into, from below: its words, and how it looks."""
PALER = 0.65


def budget_optima_figure(found: BudgetOptima) -> "Figure":
    """The picture."""
    if found.scenario.teacher is None:
        figure, every = panels(2, 2, height=3.7)
        (sizes, tokens), (shares, losses) = every
        _sizes(sizes, found)
        _losses(losses, found)
    else:
        figure, every = panels(2)
        ((tokens, shares),) = every
    _tokens(tokens, found)
    _shares(shares, found)
    return finish(figure, _title(found), _source(found))


def _budgets(axes: "Axes", found: BudgetOptima) -> None:
    """The axis of budgets, with where the law's runs were and where the question is."""
    budget_axis(axes, found.unit, found.machine)
    axes.set_xlim(found.as_paid[0].budget, found.as_paid[-1].budget)


def _ranges(axes: "Axes", found: BudgetOptima, *, falling: bool = False) -> None:
    """Shade what is outside the law's runs, with its words where lines leave room."""
    if found.runs is not None:
        outside(axes, *found.runs, stand=("bottom", "top") if falling else ("top", "bottom"))


def _legend_above(axes: "Axes", columns: int = 3) -> None:
    legend(axes, loc=8, bbox_to_anchor=(0.5, 1.0), ncols=columns, columnspacing=1.2)


def _line(
    axes: "Axes", points: tuple[OptimumAt, ...], field: str, stroke: Stroke, name: str
) -> None:
    """A curve of one size."""
    curve(
        axes,
        [one.budget for one in points],
        [getattr(one, field) for one in points],
        stroke,
        name=name,
        guesses=[one.is_guess for one in points],
    )


def _sizes(axes: "Axes", found: BudgetOptima) -> None:
    """Parameters of teacher and student; the teacher's loss where its size is free."""
    _budgets(axes, found)
    points = found.as_paid
    if all(one.teacher_params is None for one in points):
        _line(axes, points, "teacher_loss", TEACHER, "best teacher")
        axes.set_ylabel("loss of the teacher (nats per token)")
        _ranges(axes, found, falling=True)
    else:
        counts_axis(axes.yaxis, "parameters")
        _line(axes, points, "teacher_params", TEACHER, "best teacher")
        if found.scenario.student_params is None:
            _line(axes, points, "student_params", TAUGHT, "best student, distill")
            _line(axes, found.of(None), "student_params", ALONE, "best student, pretrain")
        else:
            _line(axes, points, "student_params", TAUGHT, "the student")
        _ranges(axes, found)
    _legend_above(axes)


def _tokens(axes: "Axes", found: BudgetOptima) -> None:
    _budgets(axes, found)
    counts_axis(axes.yaxis, "tokens")
    _line(axes, found.of(None), "student_tokens", ALONE, "student, pretrain")
    _line(axes, found.as_paid, "student_tokens", TAUGHT, "student, distill")
    if found.scenario.teacher is None and any(one.teacher_tokens for one in found.as_paid):
        _line(axes, found.as_paid, "teacher_tokens", TEACHER, "best teacher")
    _ranges(axes, found)
    if found.here is not None:
        at = next((one for one in found.as_paid if one.budget == found.here), None)
        here(axes, (found.here, None if at is None else at.student_tokens))
    _legend_above(axes)


def _shares(axes: "Axes", found: BudgetOptima) -> None:
    """What the budget goes into, one part on the other."""
    _budgets(axes, found)
    across = [one.budget for one in found.as_paid]
    below = [0.0] * len(across)
    for field, (words, stroke, hatch) in PARTS.items():
        parts = [getattr(one, field) for one in found.as_paid]
        if not any(parts):
            continue
        above = [low + or_nothing(part) for low, part in zip(below, parts, strict=True)]
        look: dict[str, Any] = {"facecolor": stroke.color, "alpha": PALER, "hatch": hatch}
        axes.fill_between(across, below, above, edgecolor="white", linewidth=0, label=words, **look)
        below = above
    if found.runs is not None:
        for end in found.runs:
            if across[0] < end < across[-1]:
                axes.axvline(end, color=QUIET, linewidth=0.8, linestyle=(0, (4, 3)))
    axes.set_ylim(0, 1)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axes.set_ylabel("share of the FLOPs when distilling")
    _legend_above(axes, columns=4)


def _losses(axes: "Axes", found: BudgetOptima) -> None:
    """The student's loss in every way to train it."""
    _budgets(axes, found)
    strokes: dict[Any, Stroke] = {None: ALONE, found.scenario.pays: TAUGHT}
    others = (one for one in STROKES if one not in (ALONE, TAUGHT))
    for way in found.ways:
        _line(axes, found.of(way), "loss", strokes.get(way) or next(others), in_a_table(way))
    axes.set_ylabel(STUDENT_LOSS)
    _ranges(axes, found, falling=True)
    _legend_above(axes)


def _title(found: BudgetOptima) -> str:
    """What the numbers say, in words."""
    size = found.scenario.student_params
    who = "the best student"
    if size is not None:
        who = with_article(f"{format_count(size, 2)} student")
    what = teaching(found.scenario, who)
    known = [one for one in found.as_paid if one.student_tokens is not None]
    if not known:
        return f"{what} is over budget everywhere here"
    ends = known[0], known[-1]
    least, most = map(_budget, ends)
    if found.scenario.teacher is not None:
        first, last = (f"{_teacher_share(one):.0%}" for one in ends)
        if not any(map(_teacher_share, known)):
            return f"{what}: all of the FLOPs train the student"
        if first == last:
            return f"{what}: the teacher takes {first} of the FLOPs"
        return f"{what}: the teacher takes {first} of the FLOPs at {least}, {last} at {most}"
    if any(one.teacher_params is None for one in ends):
        first, last = (f"{one.teacher_loss or 0.0:.2f} nats" for one in ends)
    else:
        first, last = (format_count(one.teacher_params, 2) for one in ends)
        first += " parameters"
    return f"{what}: the teacher has {first} at {least}, {last} at {most}"


def _budget(one: OptimumAt) -> str:
    if one.unit is BudgetUnit.FLOPS:
        return f"{format_flops(one.budget, 2)} FLOPs"
    return f"{format_count(one.budget, 2)} GPU-hours"


def _teacher_share(one: OptimumAt) -> float:
    return (one.teacher_logits_share or 0.0) + (one.teacher_training_share or 0.0)


def _source(found: BudgetOptima) -> str:
    parts = [law_source(found.law)]
    if found.scenario.teacher is not None:
        parts.append("the teacher is given, so only tokens and shares are open")
    elif all(one.teacher_params is None for one in found.as_paid):
        parts.append("the teacher costs nothing, so any with this loss will do")
    if any(one.is_guess for one in found.points):
        parts.append("pale: a guess")
    if found.runs is not None:
        parts.append("dashed lines in the shares: ends of the law's runs")
    if any(one.at_bounds for one in found.points):
        parts.append("some sizes are at a bound of the search (see --bounds)")
    return "; ".join(parts)
