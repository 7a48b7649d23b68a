"""The figures of a report: the map of verdicts, and losses over the budget and the teacher's."""

import math
from collections.abc import Iterator, Sequence

from distillplan.accounting import SUPERVISED_SHOWN, WHO_PAYS
from distillplan.planning.results import Option, Plan
from distillplan.planning.scenario import Scenario
from distillplan.planning.verdict_records import Verdict
from distillplan.questions.page_ranges import student_of
from distillplan.questions.report_data import LossCurves, ReportedPlan, TeacherCurve, VerdictMap
from distillplan.render.report.markup import Content, Markup, element
from distillplan.render.report.svg_frame import (
    BOTTOM,
    LEFT,
    RIGHT,
    TOP,
    CurvePoint,
    Frame,
    Ruler,
    drawing,
    here,
    line,
    linear,
)
from distillplan.units.quantities import SECONDS_PER_HOUR, format_count, format_flops

LOSS = "student's loss, nats per token"
NO_VERDICT = "none"
"""Class of a cell without a verdict."""
SHOWN = {
    Verdict.DISTILL.value: "distill",
    Verdict.TIE.value: "too close to call",
    Verdict.SUPERVISED.value: SUPERVISED_SHOWN,
    NO_VERDICT: "no verdict",
}
"""What the legend says of each class of cells."""
STEEP, LEAST_HEIGHT = 3.0, 0.1
"""Losses this many times as far from the least as those written are not shown, where the law is so
steep that all else would be flat; and nats that count as far at least."""
KEY, DASH = 130, 28
"""From one curve's name to the next, and the length of the dash before it."""


def figures(one: ReportedPlan) -> Iterator[Markup]:
    """The figures of one scenario, each with its caption."""
    if one.map is not None:
        yield _figure(
            map_drawing(one.plan, one.map),
            _legend(),
            "Where distilling wins, by budget and student size; teacher: ",
            element("span", _taught_by(one.plan), data_part="map-of"),
            ". Paler: outside the law's data. The dot: you are here.",
            " By the losses alone, whatever the machine holds."
            if one.plan.scenario.machine
            else None,
        )
    if one.curves is not None:
        bars = " Bars: 90% bands." if one.plan.supervised.loss_band else ""
        yield _figure(
            loss_drawing(one.plan, one.curves),
            f"Both losses over the budget, for {_student(one.plan)}, as written.{bars} Paler: "
            "a guess.",
        )
    if one.teacher is not None:
        yield _figure(
            teacher_drawing(one.plan, one.teacher),
            "The student's loss over its teacher's, at this teacher's price, as written: a teacher "
            "can be too weak and too strong. Paler: a guess.",
        )


def _figure(drawn: Markup, *caption: Content) -> Markup:
    return element("figure", drawn, element("figcaption", caption))


def _taught_by(plan: Plan) -> str:
    """Who pays for the teacher of the map, and how good it is where that is given."""
    loss = plan.scenario.teacher_loss
    return WHO_PAYS[plan.scenario.pays] + ("" if loss is None else f", {loss:.3f} nats")


def _student(plan: Plan) -> str:
    given = plan.scenario.student_params
    if given is None:
        return "the best student of each budget"
    return f"a student of {format_count(given)} parameters"


def log_budget(scenario: Scenario, budget: float) -> float:
    """A budget on the axis: decades of FLOPs or of GPU-hours.

    Args:
        scenario: for its unit.
        budget: as `Scenario.budget`.
    """
    return math.log10(budget / (SECONDS_PER_HOUR if scenario.gpu_hours is not None else 1.0))


def budget_axis(scenario: Scenario, budgets: Sequence[float]) -> Ruler:
    """The axis of budgets, with a tick at each decade."""
    hours = scenario.gpu_hours is not None
    low, high = (log_budget(scenario, one) for one in (budgets[0], budgets[-1]))
    if low == high:
        low, high = low - 0.5, high + 0.5
    decades = range(math.ceil(low), math.floor(high) + 1)
    shown = format_count if hours else format_flops
    ticks = tuple((float(one), shown(10.0**one, 1)) for one in decades)
    return Ruler(
        title=f"budget, {'GPU-hours' if hours else 'FLOPs'}", low=low, high=high, ticks=ticks
    )


def map_drawing(plan: Plan, found: VerdictMap) -> Markup:
    """The map of verdicts."""
    across = budget_axis(plan.scenario, found.budgets)
    wide = (across.high - across.low) / max(len(found.budgets) - 1, 1) / 2
    logs = [math.log10(one) for one in found.sizes]
    high = (logs[-1] - logs[0]) / max(len(logs) - 1, 1) / 2 or 0.5
    middle = math.log10(student_of(plan))
    ticks = tuple((at, format_count(10.0**at, 2)) for at in (middle - 1, middle, middle + 1))
    frame = Frame(
        across=across._replace(low=across.low - wide, high=across.high + wide),
        up=Ruler(
            title="student, parameters",
            low=logs[0] - high,
            high=logs[-1] + high,
            ticks=tuple(one for one in ticks if logs[0] <= one[0] <= logs[-1]),
        ),
    )
    width = (RIGHT - LEFT) / len(found.budgets)
    height = (BOTTOM - TOP) / len(logs)
    cells = [
        element(
            "rect",
            x=round(LEFT + column * width, 2),
            y=round(BOTTOM - (row + 1) * height, 2),
            width=round(width + 0.2, 2),
            height=round(height + 0.2, 2),
            class_=f"cell {cell.verdict or NO_VERDICT}{' outside' if cell.outside else ''}",
        )
        for row, one in enumerate(found.rows)
        for column, cell in enumerate(one)
    ]
    at = log_budget(plan.scenario, plan.scenario.budget), middle
    return drawing(
        frame,
        f"Map of verdicts over budget and student size. {map_in_words(found)}",
        element("g", cells, class_="cells"),
        here(frame, "map", at),
    )


def map_in_words(found: VerdictMap) -> str:
    """How many cells have each verdict."""
    every = [cell.verdict or NO_VERDICT for row in found.rows for cell in row]
    told = [f"{SHOWN[kind]} in {every.count(kind)}" for kind in SHOWN if every.count(kind)]
    return f"Of {len(every)} cells: {', '.join(told)}."


def _legend() -> Markup:
    """What each kind of cell says, those too that only a moved map has."""
    return element(
        "span",
        (
            element(
                "span",
                element(
                    "svg",
                    element("rect", width=14, height=14, class_=f"cell {kind}"),
                    viewBox="0 0 14 14",
                    aria_hidden="true",
                ),
                words,
                class_="key",
            )
            for kind, words in SHOWN.items()
        ),
        class_="legend",
    )


def loss_drawing(plan: Plan, found: LossCurves) -> Markup:
    """Both losses over the budget."""
    alone, other = plan.supervised, plan.deciding
    written = [one for one in (alone, other) if one is not None and one.loss is not None]
    frame = Frame(
        across=budget_axis(plan.scenario, found.budgets),
        up=linear(LOSS, _shown_losses(found, written)),
    )
    at = [log_budget(plan.scenario, one) for one in found.budgets]
    place = log_budget(plan.scenario, plan.scenario.budget)
    drawn: list[Content] = [line(frame, _points(at, found.alone, found.alone_is_guess), "alone")]
    drawn += [_bar(frame, place, one) for one in written]
    marks: list[Content] = [here(frame, "alone", (place, alone.loss), "alone")]
    names = [(SUPERVISED_SHOWN, "alone")]
    if found.distilled:
        drawn.append(line(frame, _points(at, found.distilled, found.distilled_is_guess), "taught"))
        if other is not None:
            marks.append(here(frame, "taught", (place, other.loss), "taught"))
        names.append(("distill", "taught"))
    return drawing(
        frame,
        f"Losses over the budget: {_losses_in_words(plan)}",
        drawn,
        _key(*names),
        marks,
    )


def _shown_losses(found: LossCurves, written: Sequence[Option]) -> list[float]:
    """Losses of the curves, but where the law is steep, and the bands at the budget as written."""
    losses = [one for one in (*found.alone, *found.distilled) if one is not None]
    lowest = min(losses)
    highest = max((one.loss or lowest for one in written), default=max(losses))
    most = highest + STEEP * max(highest - lowest, LEAST_HEIGHT)
    bands = [one.loss_band for one in written if one.loss_band is not None]
    return [one for one in losses if one <= most] + [end for band in bands for end in band]


def _points(
    places: Sequence[float], values: Sequence[float | None], guesses: Sequence[bool]
) -> list[CurvePoint]:
    rows = zip(places, values, guesses, strict=True)
    return [CurvePoint(at=at, value=value, is_guess=guess) for at, value, guess in rows]


def _losses_in_words(plan: Plan) -> str:
    alone, other = plan.supervised, plan.deciding
    parts = [] if alone.loss is None else [f"{SUPERVISED_SHOWN} {alone.loss:.3f} nats"]
    if other is not None and other.loss is not None:
        parts.append(f"distill {other.loss:.3f} nats")
    return f"at the budget as written {', '.join(parts) or 'none is known'}."


def _bar(frame: Frame, at: float, option: Option) -> Markup | None:
    """The band of an option's loss at the budget as written."""
    if option.loss_band is None:
        return None
    x, kind = round(frame.x(at), 1), "alone" if option.accounting is None else "taught"
    low, high = (round(frame.y(one), 1) for one in option.loss_band)
    return element("line", x1=x, x2=x, y1=low, y2=high, class_=f"band {kind}")


def _key(*curves: tuple[str, str]) -> Iterator[Markup]:
    """Which curve is which, above the frame."""
    for place, (words, kind) in enumerate(curves):
        x, y = LEFT + place * KEY, TOP / 2
        yield element("line", x1=x, x2=x + DASH, y1=y, y2=y, class_=f"curve {kind}")
        yield element("text", words, x=x + DASH + 6, y=y + 4)


def teacher_drawing(plan: Plan, found: TeacherCurve) -> Markup:
    """The student's loss over its teacher's."""
    alone, other = plan.supervised.loss, plan.deciding
    points = _points(found.teacher_losses, found.losses, found.is_guess)
    known = [one for one in found.losses if one is not None]
    level = [] if alone is None else [alone]
    lowest = min([*known, *level])
    most = lowest + STEEP * max(((other and other.loss) or lowest) - lowest, LEAST_HEIGHT)
    frame = Frame(
        across=linear("teacher's loss, nats per token", found.teacher_losses, margin=0.0),
        up=linear(LOSS, [*(one for one in known if one <= most), *level]),
    )
    drawn: list[Content] = [line(frame, points, "taught")]
    names = [("distill", "taught")]
    if alone is not None:
        names.append((f"{SUPERVISED_SHOWN}: {alone:.3f}", "alone"))
        across = found.teacher_losses[0], found.teacher_losses[-1]
        drawn.append(line(frame, [CurvePoint(at=one, value=alone) for one in across], "alone"))
    place = plan.scenario.teacher_loss or found.best_teacher, other and other.loss
    return drawing(
        frame,
        f"The student's loss over its teacher's: least, {found.best:.3f} nats, with a teacher of "
        f"{found.best_teacher:.3f} nats.",
        drawn,
        _key(*names),
        here(frame, "teacher", (place[0], place[1] or None), "taught"),
    )
