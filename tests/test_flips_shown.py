"""Which changes of a question a screen shows: those that are nearest to it."""

import pytest

from distillplan import plan
from distillplan.render.blocks import Sections
from distillplan.render.plan_flips import NEAR, flips_in_words
from distillplan.render.plan_view import plan_view
from tests.plans import scenario_from_options

NEAR_A_NUMBER_OF_STUDENTS = {
    "more of them": {"budget": "1e21", "student": "300M", "students": 15},
    "fewer budgets": {"budget": "1e22", "student": "3B", "students": 4, "logits": "stored"},
    "one more": {"budget": "1e21", "student": "1B", "students": 15},
    "fewer of them": {
        "budget": "1e20",
        "student": "300M",
        "students": 4,
        "teacher": "qwen2.5-3b",
        "logits": "stored",
    },
    "two": {"budget": "1e20", "student": "300M", "teacher": "qwen2.5-3b", "logits": "stored"},
    "budgets": {"budget": "1e22", "student": "1B"},
    "none near": {"budget": "10k GPU-hours", "gpu": "rtx-4090", "student": "400M"},
    "hours": {"budget": "64 h100-sxm for 3 days", "student": "1B", "students": 3},
}


def decisive(found):
    """What stands beside `Decides` on the screen."""
    (sections,) = (one for one in plan_view(found) if isinstance(one, Sections))
    (part,) = (one for one in sections.parts if one.heading == "Decides")
    return part.items


def times_away(found):
    """The least factor of budget or students to another verdict, with a beginning of its line."""
    flips, asked = found.flips, found.scenario
    hours = 3600 if asked.gpu_hours is not None else 1
    ends = {}
    if flips.budget_down is not None and flips.budget_down.to is not None:
        ends["from ", "below "] = asked.budget / (flips.budget_down.to * hours)
    if flips.budget_up is not None and flips.budget_up.from_ is not None:
        ends["from ", "above "] = flips.budget_up.from_ * hours / asked.budget
    if flips.students is not None:
        other = flips.students.students
        ends["--students ",] = max(other / asked.students, asked.students / other)
    nearest = min(ends, key=ends.get)
    return nearest, ends[nearest]


GRADED = ("from ", "above ", "below ", "--students ")


@pytest.mark.parametrize("name", NEAR_A_NUMBER_OF_STUDENTS)
def test_the_nearest_change_comes_first_and_is_always_shown(name):
    found = plan(scenario_from_options(**NEAR_A_NUMBER_OF_STUDENTS[name]), quick=True)
    nearest, times = times_away(found)
    graded = [one for one in flips_in_words(found) if one.startswith(GRADED)]
    assert graded[0].startswith(nearest)
    shown = decisive(found)
    assert (shown[0] == graded[0]) or times > NEAR
    kept = [one for one in shown if one.startswith(GRADED)]
    assert kept == graded[: len(kept)]
