"""The sliders of a scenario, and what they move; hidden until the page's script fills them."""

from distillplan.accounting import SUPERVISED_SHOWN, WHO_PAYS
from distillplan.planning.results import Plan
from distillplan.questions.explorer import Explorer
from distillplan.render.odds_view import odds_in_words
from distillplan.render.report.markup import Content, Markup, element

MOVED = (
    "The odds are of the settings as written. For those of these settings, add to the command that "
    "made this page:"
)
ON_A_MACHINE = (
    "Moved settings are compared by their losses; memory and limits are checked for the settings "
    "as written only."
)


def slider_form(plan: Plan, found: Explorer, number: int) -> Markup:
    """The sliders and their answer.

    Args:
        plan: the answer as written.
        found: what the script computes with.
        number: the place of the scenario in the report, from 0.
    """
    last = len(found.offered) - 1
    any_teacher = None
    if found.teacher is None:
        any_teacher = _check(number, "any-teacher", "the best one, trained for this")
    budget = _slider(number, "budget", "Budget", found.budget_steps)
    student = _slider(
        number, "student", "Student", (0, last), _check(number, "any-student", "best size")
    )
    teacher = _slider(number, "teacher", "Teacher's loss", found.loss_steps, any_teacher)
    return element(
        "form",
        element("h4", "Move it"),
        budget,
        student,
        teacher,
        _who_pays(number, found),
        element("button", "As written", type="button", data_part="reset"),
        element("p", ON_A_MACHINE, class_="quiet") if plan.scenario.machine else None,
        class_="sliders",
        hidden=True,
        data_scenario=str(number),
        data_odds=odds_of(plan),
        data_moved=MOVED,
    )


def odds_of(plan: Plan) -> str:
    """The odds as written, in a sentence."""
    return "No odds were weighed." if plan.odds is None else f"Odds: {odds_in_words(plan.odds)}."


def slider_result() -> Markup:
    """What the sliders move, besides the marks in the figures."""

    def part(name: str) -> Markup:
        return element("span", data_part=name)

    return element(
        "div",
        element("p", element("strong", part("verdict")), " ", part("why"), aria_live="polite"),
        element(
            "dl",
            element("dt", SUPERVISED_SHOWN),
            element("dd", part("alone")),
            element("dt", "distill"),
            element("dd", part("taught")),
        ),
        element("p", part("odds"), " ", element("code", data_part="asked"), class_="quiet"),
        class_="result",
        data_part="result",
        hidden=True,
    )


def _slider(
    number: int, name: str, words: str, ends: tuple[int, int], beside: Content = None
) -> Markup:
    low, high = ends
    name_id = f"s{number}-{name}"
    return element(
        "div",
        element(
            "label",
            words,
            " ",
            element("output", for_=name_id, data_part=f"{name}-out"),
            for_=name_id,
        ),
        element(
            "input",
            type="range",
            id=name_id,
            min=str(low),
            max=str(high),
            step="1",
            data_part=name,
            autocomplete="off",
        ),
        beside,
        class_="slider",
    )


def _check(number: int, name: str, words: str) -> Markup:
    name_id = f"s{number}-{name}"
    box = element("input", type="checkbox", id=name_id, data_part=name, autocomplete="off")
    return element("label", box, " ", words, for_=name_id, class_="check")


def _who_pays(number: int, found: Explorer) -> Markup:
    name_id = f"s{number}-pays"
    return element(
        "div",
        element("label", "Who pays for the teacher", for_=name_id),
        element(
            "select",
            (
                element("option", WHO_PAYS[one.accounting], value=one.accounting.value)
                for one in found.ways
            ),
            id=name_id,
            data_part="pays",
            autocomplete="off",
        ),
        class_="slider",
    )
