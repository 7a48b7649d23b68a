"""Demands on a plan."""

import pytest

from distillplan import Scenario, Teacher, plan
from distillplan.accounting import Logits
from distillplan.errors import InputError
from distillplan.questions.assertions import BILL, NUMBERS, assertion, check, parse_assertion
from distillplan.scenarios.keys import scenario_from_options


@pytest.fixture(scope="module")
def distilled(busbridge):
    teacher = Teacher(params=7e9, tokens=1e12)
    return plan(
        Scenario(
            compute=1e21, student_params=3e9, teacher=teacher, logits=Logits.CACHED, law=busbridge
        )
    )


@pytest.mark.parametrize(
    ("text", "passed"),
    [
        ("verdict = distill", True),
        ("verdict: distill", True),
        ("verdict != distill", False),
        ("loss <= 2.2", True),
        ("loss < 2", False),
        ("supervised.loss > 2.15", True),
        ("margin_nats >= 0.02", True),
        ("margin_nats >= -1", True),
        ("student_params == 3B", True),
        ("student_params = 3e9", True),
        ("teacher_tokens >= 2T", False),
        ("exists.gain_nats <= 0", False),
        ("flops.teacher_logits == 0", True),
        ("supervised.flops.student_training >= 1e20", True),
        ("status != infeasible", True),
        ("train.loss <= 9", False),
        ("supervised.teacher_loss <= 9", False),
    ],
)
def test_demands(distilled, text, passed):
    (found,) = check([parse_assertion(text)], distilled)
    assert found.passed is passed


def test_a_number_that_is_not_there_is_no_number(distilled):
    (found,) = check([parse_assertion("supervised.teacher_loss <= 9")], distilled)
    assert found.value is None


def test_every_number_of_the_recommended_option_may_be_asked(distilled):
    best = distilled.recommended
    for key in NUMBERS:
        if key.split(".")[0] in BILL:
            continue  # no machine
        value = distilled if key == "margin_nats" else best
        for name in key.split("."):
            value = getattr(value, name)
        (found,) = check([assertion(key, f">= {value!r}")], distilled)
        assert found.passed, key
        assert found.value == value


def test_the_bill_may_be_asked_where_a_machine_is_known():
    answer = plan(scenario_from_options(compute="$20k", gpu="h100-sxm", student="1B"))
    bill = answer.recommended.bill
    for key in BILL:
        for end in ("low", "mid", "high"):
            wanted = getattr(getattr(bill, key) or 0.0, end, None)  # no grid, no CO2
            (found,) = check([assertion(f"{key}.{end}", "> 0")], answer)
            assert (found.value, found.passed) == (wanted, wanted is not None)
        (found,) = check([assertion(key, "> 0")], answer)
        assert found.value == getattr(getattr(bill, key), "mid", None)
    for demand in (parse_assertion("fits = yes"), assertion("fits", condition=True)):
        (found,) = check([demand], answer)
        assert (found.value, found.passed) == (bill.fits, bill.fits == "yes")


def test_a_bill_that_is_not_known_fails(distilled):
    (found,) = check([parse_assertion("cost_usd <= 20k")], distilled)
    assert (found.value, found.passed) == (None, False)


def test_at_a_tie_or_worse_the_recommended_is_supervised(busbridge):
    answer = plan(Scenario(compute=1e21, student_params=1e9, law=busbridge))
    (found,) = check([parse_assertion("loss <= 9")], answer)
    assert found.value == answer.options[0].loss


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("loss", "not a key"),
        ("", "not a key"),
        ("los <= 2", "did you mean 'loss'"),
        ("loss <= lots", "not a number"),
        ("loss <= nan", "not finite"),
        ("verdict = maybe", "none of distill, supervised, tie"),
        ("verdict <= tie", "none of"),
        ("distill.verdict = tie", "unknown"),
        ("nobody.loss <= 2", "unknown"),
        ("near <= 2", "unknown"),
        ("x" * 1000, "not a key"),
    ],
)
def test_demands_that_are_none(text, says):
    with pytest.raises(InputError, match=says):
        parse_assertion(text)
