"""Where there is no verdict outside the law's runs, and whether it says the true reason."""

import re

import pytest

from distillplan.laws.transfer import LARGEST_GAIN, TELLING, outside_scale, transfer_error
from distillplan.planning.planner import plan
from distillplan.planning.results import Reason
from tests.plans import scenario_from_options
from tests.shell import answer, run

HOLE = {"student": "39.8M", "students": 4, "teacher": "llama-3.1-8b", "logits": "cached"}
SAID = re.compile(r"may be off by a further (\d\.\d+) nats; the choices differ by (\d\.\d+)\.\Z")


def outside_of(found):
    """The error there, from the options' sizes alone."""
    alone, taught = found.supervised, found.deciding
    return float(
        outside_scale(
            found.law.valid,
            gain=found.margin_nats,
            student_params=taught.student_params,
            student_tokens=taught.student_tokens,
            teacher_loss=taught.teacher_loss,
            supervised_tokens=alone.student_tokens,
        )
    )


def enough(found):
    """What the error must not pass: the difference, or what every gain is off by on other data."""
    inside = max(found.scenario.tie_nats, TELLING * transfer_error().scale)
    return max(min(abs(found.margin_nats), LARGEST_GAIN), inside)


@pytest.mark.parametrize("compute", [1e20, 2e20, 3.5e20, 4.75e20, 5e20, 6e20, 1e21, 3e22, 3e23])
def test_there_is_none_where_the_error_is_larger_than_the_difference(compute):
    """A budget between two with a verdict may have none: the choices differ by less there."""
    found = plan(scenario_from_options(compute=compute, **HOLE), quick=True)
    error, gain = outside_of(found), abs(found.margin_nats)
    assert (found.verdict is None) is (error > enough(found))
    if found.verdict is None:
        assert found.verdict_reason is Reason.FAR_OUTSIDE_FIT
        said, differ = map(float, SAID.search(found.headline).groups())
        assert said == pytest.approx(error, abs=6e-4)
        assert differ == pytest.approx(gain, abs=6e-4)
        assert said > differ


def test_the_budgets_that_it_names_have_a_verdict_by_the_same_rule():
    found = plan(scenario_from_options(compute=4.75e20, **HOLE), quick=True)
    for flip in (found.flips.budget_down, found.flips.budget_up):
        there = plan(scenario_from_options(compute=flip.at, **HOLE), quick=True)
        assert there.verdict is flip.verdict
        assert outside_of(there) <= enough(there)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("1e18", "--student", "1B", "--teacher", "qwen3-14b"), "less than a token per parameter"),
        (("1e20", "--student", "10M", "--teacher", "llama-3.1-8b"), "the choices differ by"),
        (
            ("1e20", "--student", "3M", "--teacher-loss", "1.3", "--logits", "cached"),
            "differences count up to 0.33, the largest gain ever measured",
        ),
    ],
)
def test_it_says_which_reason_it_is(words, says):
    found = answer("budget", *words)
    assert found["verdict_reason"] == "far_outside_fit"
    assert says in found["headline"]
    assert says in " ".join(run("budget", *words).stdout.split())
    told = " ".join(run("explain", "far_outside_fit").stdout.split())
    assert "grows by more than the difference between the choices" in told


def test_what_is_outside_is_named():
    """A perplexity given as nats: 1B on 136B tokens is within the law's runs, and 7.3 nats is not;
    exp(2.755) = 15.7 is the largest perplexity of a teacher behind it."""
    words = ("budget", "1e21", "--student", "1B", "--teacher-params", "7B")
    told = run(*words, "--teacher-loss", "7.3").stdout
    assert "No verdict: at a teacher's loss of 7.300 nats, outside its runs" in told
    assert "is it in another unit (--loss-unit)?" in " ".join(told.split())
    assert "another unit" not in run(*words, "--teacher-loss", "2.7").stdout
    far = run("budget", "1e17", "--student", "10M").stdout
    assert "No verdict: at 10.0M parameters on" in far
    assert "another unit" not in far
