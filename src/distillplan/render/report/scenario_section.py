"""One scenario of a report: what to do, why, what would turn it, the figures, and all behind it."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from distillplan.accounting import Accounting
from distillplan.notices import Notice, Severity
from distillplan.planning.headline import format_budget
from distillplan.planning.results import Plan
from distillplan.questions.glossary.explanation import explanations
from distillplan.questions.report_data import ReportedPlan
from distillplan.render.document_forms import written
from distillplan.render.notice_blocks import first_in_words
from distillplan.render.odds_view import odds_line
from distillplan.render.plan_flips import turns_in_words
from distillplan.render.plan_memo import question_in_words
from distillplan.render.plan_words import (
    beyond_in_words,
    reasons,
    rival_in_words,
    teacher_in_words,
    verdict_in_words,
)
from distillplan.render.report.markup import Content, Markup, element
from distillplan.render.report.options_table import loss_in_words, options_table
from distillplan.render.report.report_figures import figures
from distillplan.render.report.slider_form import slider_form, slider_result
from distillplan.scenarios.block import bare_scenarios
from distillplan.units.quantities import format_count, plain_count

DEADLINE = "deadline"
"""The key whose value is in hours."""
ASKED = ("compute", "gpu_hours", "hardware.gpu", "hardware.gpus")
"""Keys that a reader looks for; a bare scenario has them for want of a question."""


def scenario_section(one: ReportedPlan, number: int, heading: str) -> Markup:
    """The section of a scenario.

    Args:
        one: the scenario.
        number: its place in the report, from 0.
        heading: above the section.
    """
    plan = one.plan
    sliders: Content = None
    if one.explorer is not None:
        moved = slider_form(plan, one.explorer, number), slider_result()
        sliders = element("div", moved, class_="panel")
    return element(
        "section",
        element("h2", heading, id=f"scenario-{number}"),
        element("p", question_in_words(plan)),
        _answer(plan),
        element(
            "div",
            part("Why", reasons(plan)),
            part("What would change it", turns_in_words(plan)),
            class_="columns",
        ),
        element("h3", "Where it holds"),
        sliders,
        element("div", figures(one), class_="figures"),
        element("h3", "The options"),
        options_table(plan),
        _warnings(plan.warnings),
        _assertions(one),
        element("div", _scenario(plan), provenance(plan), class_="columns"),
        aria_label=heading,
    )


def _answer(plan: Plan) -> Markup:
    """The verdict with its odds, and what to do."""
    odds = None
    if plan.odds is not None and plan.confidence is not None:
        odds = element("p", odds_line(plan.odds, plan.confidence), class_="odds")
    outside, rival = beyond_in_words(plan), rival_in_words(plan.rival)
    first = first_in_words(plan.warnings)
    return element(
        "div",
        element("p", verdict_in_words(plan), class_="verdict"),
        odds,
        element("p", first, class_="warning") if first else None,
        element("p", outside, class_="warning") if outside else None,
        _choice(plan),
        element("p", f"{rival}.") if rival else None,
        class_=f"answer {plan.verdict or 'none'}",
    )


def _choice(plan: Plan) -> Iterator[Markup]:
    """What to train, on how many tokens, and the loss that it reaches."""
    best, given = plan.recommended, plan.models.teacher
    if best is None or best.loss is None:
        return
    size, many = format_count(best.student_params), plan.scenario.students
    who = (
        f"a student of {size} parameters" if many == 1 else f"{many} students of {size} parameters"
    )
    teacher = f"a teacher of {teacher_in_words(best, None)}" if given is None else given.name
    match best.accounting:
        case None:
            what = f"train {who} from data alone"
        case Accounting.TRAIN | Accounting.TRAIN_SHARED:
            what = f"train {teacher} and distill it into {who}"
        case _:
            what = f"distill {teacher} into {who}"
    yield element(
        "p",
        f"The choice for {format_budget(plan.scenario)}: {what}, on "
        f"{format_count(best.student_tokens)} tokens; loss {loss_in_words(best)} nats per token.",
    )


def part(heading: str, items: Iterable[Content]) -> Markup | None:
    """A heading over a list; nothing where it is empty."""
    listed = [element("li", one) for one in items]
    if not listed:
        return None
    return element("div", element("h3", heading), element("ul", listed))


def _warnings(notices: Iterable[Notice]) -> Markup | None:
    """What to know before trusting the plan, each with what its code means and what to do."""
    known = {one.word: one for one in explanations()}

    def told(notice: Notice) -> list[Content]:
        found = known.get(notice.code)
        more = (found.means, found.advice) if found is not None else ()
        serious = notice.severity is Severity.WARNING
        return [
            element(
                "strong",
                "Warning: " if serious else "Note: ",
                class_="warning" if serious else None,
            ),
            notice.message,
            element("span", " ".join(filter(None, more)), class_="quiet more") if more else None,
        ]

    return part("What to know before trusting it", map(told, notices))


def _assertions(one: ReportedPlan) -> Markup | None:
    return part(
        "Asserted",
        (
            f"{outcome.assertion}: {'holds' if outcome.passed else 'FAILS'}"
            for outcome in one.named.outcomes
        ),
    )


def _scenario(plan: Plan) -> Markup:
    """The question in the keys of a scenario file, without what has its default."""
    usual = dict(_lines(written(bare_scenarios()[plan.scenario.machine is not None])))
    asked = [
        (key, value)
        for key, value in _lines(written(plan.scenario))
        if key in ASKED or usual.get(key) != value
    ]
    return element(
        "div",
        element("h3", "The question"),
        element(
            "dl",
            ([element("dt", key), element("dd", value)] for key, value in asked),
            class_="keys",
        ),
        element("p", "All other keys of a scenario have their defaults.", class_="quiet"),
    )


def _lines(block: dict[str, Any], group: str = "") -> Iterator[tuple[str, str]]:
    """Each key with its value as people read it, without those that have none."""
    for key, value in block.items():
        if isinstance(value, dict):
            yield from _lines(value, f"{group}{key}.")
        elif value is not None:
            yield f"{group}{key}", f"{_value(value)}{' hours' * (key == DEADLINE)}"


def _value(value: Any) -> str:
    """A value as a scenario file may have it."""
    if isinstance(value, list):
        return " to ".join(map(_value, value))
    if isinstance(value, float | int) and not isinstance(value, bool):
        exact = float(f"{value:.6g}") == value
        return plain_count(value) if exact else f"{value:,.10g}".replace("e+", "e")
    return value if isinstance(value, str) else json.dumps(value)


def provenance(plan: Plan) -> Markup:
    """Where the numbers come from."""
    law = plan.law
    told = {
        "law": f"{law.name}: {law.title}",
        "source": law.source,
        "status": law.status.value,
        "fitted on": law.corpus,
        "tokenizer": law.tokenizer,
        "counts": law.counts.value,
        "draws": None if plan.confidence is None else f"{plan.confidence.draws} joint draws",
    }
    return element(
        "div",
        element("h3", "Where the numbers come from"),
        element(
            "dl",
            ([element("dt", key), element("dd", text)] for key, text in told.items() if text),
            class_="keys",
        ),
        part("Corrected", law.errata[:1]),
    )
