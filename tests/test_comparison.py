"""Plans side by side."""

from pathlib import Path

import pytest

from distillplan import Scenario, Teacher, plan
from distillplan.accounting import Logits
from distillplan.errors import InfeasibleError, InputError
from distillplan.laws import law_catalog
from distillplan.questions.assertions import parse_assertion
from distillplan.questions.comparison import compare
from distillplan.scenarios.scenario_file import Named

EXAMPLES = Path(__file__).parents[1] / "examples"
TEACHER = Teacher(params=7e9, tokens=1e12)


def named(**scenarios):
    return [Named(name, one) for name, one in scenarios.items()]


def test_a_file_is_compared_in_one_line():
    from distillplan import compare, read_scenarios

    found = compare(read_scenarios(str(EXAMPLES / "compare.yaml")))
    assert found.winner == "cached"
    assert all(one.outcome.passed for one in found.assertions)


def test_each_plan_is_the_plan(busbridge):
    one = Scenario(compute=1e21, student_params=1e9, law=busbridge)
    two = Scenario(compute=1e21, student_params=1e9, law=busbridge, teacher=TEACHER)
    found = compare(named(one=one, two=two))
    assert [each.plan for each in found.plans] == [plan(one), plan(two)]


def test_the_winner_has_the_least_loss(busbridge):
    common = {"compute": 1e21, "student_params": 3e9, "law": busbridge, "teacher": TEACHER}
    found = compare(
        named(online=Scenario(**common), cached=Scenario(**common, logits=Logits.CACHED))
    )
    losses = {one.name: one.plan.recommended.loss for one in found.plans}
    assert found.winner == "cached" == min(losses, key=losses.get)
    assert "distill" in found.reason


def test_at_a_tie_the_cheaper_wins(busbridge):
    dear = Scenario(compute=1.02e21, student_params=1e9, law=busbridge)
    cheap = Scenario(compute=1.00e21, student_params=1e9, law=busbridge)
    found = compare(named(dear=dear, cheap=cheap))
    assert found.winner == "cheap"
    assert "costs less" in found.reason


def test_without_a_tie_band_the_lowest_loss_wins(busbridge):
    common = {"student_params": 1e9, "law": busbridge, "tie_nats": 0.0}
    more = Scenario(compute=1.02e21, **common)
    found = compare(named(less=Scenario(compute=1.00e21, **common), more=more))
    assert found.winner == "more"
    assert "below the next" in found.reason


def test_at_a_tie_of_equal_cost_the_first_wins(busbridge):
    """Of two teachers that cost nothing and differ by less than the tie."""
    scenarios = {
        str(loss): Scenario(
            compute=1e21,
            student_params=3e9,
            law=busbridge,
            teacher=Teacher(loss=loss),
            logits=Logits.CACHED,
        )
        for loss in (1.951, 1.95)
    }
    found = compare(named(**scenarios))
    losses = {one.name: one.plan.recommended.loss for one in found.plans}
    first, second = losses
    assert found.winner == first
    assert losses[first] > losses[second]
    assert "comes first" in found.reason


def test_losses_on_different_text_are_not_compared(busbridge):
    other = Scenario(compute=1e21, law=law_catalog.law("besiroglu2024"))
    found = compare(named(ours=Scenario(compute=1e21, law=busbridge), theirs=other), "ours")
    assert found.winner is None
    assert found.differences[0].loss is None
    assert found.differences[0].total_flops is not None


def test_differences_are_to_the_baseline(busbridge):
    small = Scenario(compute=1e21, student_params=1e9, law=busbridge)
    large = Scenario(compute=1e22, student_params=1e9, law=busbridge)
    (found,) = compare(named(small=small, large=large), "small").differences
    ours, theirs = plan(large).recommended, plan(small).recommended
    assert found.loss == ours.loss - theirs.loss
    assert found.total_flops == pytest.approx(9e21)


def test_a_baseline_must_be_there(busbridge):
    with pytest.raises(InputError, match="did you mean 'small'"):
        compare(named(small=Scenario(compute=1e21, law=busbridge)), "smal")


def test_every_impossible_scenario_is_named(busbridge):
    poor = Scenario(compute=1e10, student_params=1e9, law=busbridge)
    fine = Scenario(compute=1e21, student_params=1e9, law=busbridge)
    with pytest.raises(InfeasibleError, match=r"one: a budget.*two: a budget"):
        compare(named(one=poor, fine=fine, two=poor))


def test_demands_that_fail_are_named(busbridge):
    one = Scenario(compute=1e21, student_params=1e9, law=busbridge)
    demands = [parse_assertion("verdict = distill"), parse_assertion("loss <= 9")]
    found = compare([Named("it", one, tuple(demands))])
    failed = [one for one in found.assertions if not one.outcome.passed]
    ((name, outcome),) = ((one.name, one.outcome) for one in failed)
    assert (name, outcome.assertion, outcome.value) == ("it", "verdict = distill", "supervised")
