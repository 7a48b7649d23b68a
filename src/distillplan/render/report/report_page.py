"""A report as one HTML file that asks nothing of any network."""

import json
from importlib.resources import files
from typing import Any

import distillplan
from distillplan.fields import demand_finite
from distillplan.questions.report_data import DecisionReport, ReportedPlan
from distillplan.render.comparison_details import best_in_words, not_planned_in_words
from distillplan.render.document_forms import written
from distillplan.render.plan_words import verdict_in_words
from distillplan.render.report.markup import Content, Markup, element
from distillplan.render.report.options_table import scenarios_table
from distillplan.render.report.report_figures import SHOWN
from distillplan.render.report.report_style import report_style
from distillplan.render.report.scenario_section import part, scenario_section

SCRIPT = "report.js"
"""Beside this module."""
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
"""Content-Security-Policy: nothing is fetched, whatever a name in a file tries."""


def report_page(found: DecisionReport) -> str:
    """The whole page.

    Args:
        found: what it shows.

    Raises:
        InfeasibleError: when a number of it is not finite.
    """
    carried = [_carried(one) for one in found.scenarios]
    demand_finite(carried)
    title = f"Distill or pretrain? {_answer_in_short(found)}"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        element("style", Markup(report_style())),
    )
    body = element(
        "body",
        element("main", _top(found), _sections(found)),
        element("footer", _made()),
        _patterns(),
        element("script", Markup(_json(carried)), type="application/json", id="carried"),
        element("script", Markup(_script())),
    )
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"


def _answer_in_short(found: DecisionReport) -> str:
    if len(found.scenarios) == 1:
        return verdict_in_words(found.scenarios[0].plan)
    return best_in_words(found.comparison)


def _top(found: DecisionReport) -> Content:
    """The heading, and the comparison of several scenarios."""
    heading = element("h1", "Distill or pretrain?")
    left_out = part("Without a plan", not_planned_in_words(found.comparison))
    if len(found.scenarios) == 1:
        return element("header", heading, left_out)
    links = (
        element("li", element("a", one.named.name, href=f"#scenario-{number}"))
        for number, one in enumerate(found.scenarios)
    )
    return [
        element(
            "header",
            heading,
            element("p", best_in_words(found.comparison), class_="verdict"),
            element("nav", element("ul", links), aria_label="Scenarios"),
        ),
        element(
            "section",
            element("h2", "Side by side"),
            scenarios_table(found.comparison),
            left_out,
            aria_label="Side by side",
        ),
    ]


def _sections(found: DecisionReport) -> list[Markup]:
    if len(found.scenarios) == 1:
        return [scenario_section(found.scenarios[0], 0, "The answer")]
    return [
        scenario_section(one, number, one.named.name) for number, one in enumerate(found.scenarios)
    ]


def _made() -> list[Markup]:
    version = f"Made by distillplan {distillplan.__version__}."
    meaning = (
        "Losses are in nats per token, less is better; bands are 90%; a question mark is a guess, "
        "far outside the law's data. Odds are those of the settings as written."
    )
    return [element("p", version), element("p", meaning)]


def _patterns() -> Markup:
    """Hatching for the cells of maps, which tells them apart without color."""
    return element(
        "svg",
        element(
            "defs",
            element(
                "pattern",
                element("rect", width=6, height=6, class_="ground"),
                element("path", d="M0 6L6 0M-1 1L1 -1M5 7L7 5", class_="hatch"),
                id="hatch",
                width=6,
                height=6,
                patternUnits="userSpaceOnUse",
            ),
            element(
                "pattern",
                element("circle", cx=3, cy=3, r=0.9, class_="point"),
                id="dots",
                width=6,
                height=6,
                patternUnits="userSpaceOnUse",
            ),
        ),
        width=0,
        height=0,
        aria_hidden="true",
        class_="patterns",
    )


def _carried(one: ReportedPlan) -> dict[str, Any] | None:
    """What the page's script computes with; None where there are no sliders."""
    if one.explorer is None or one.map is None:
        return None
    within: dict[str, Any] = written(one.explorer)
    places = {"budgets": list(one.map.budgets), "sizes": list(one.map.sizes)}
    return {**within, "map": places, "words": SHOWN}


def _json(value: Any) -> str:
    """JSON that no browser takes for the end of a script."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _script() -> str:
    return files(__package__).joinpath(SCRIPT).read_text(encoding="utf-8")
