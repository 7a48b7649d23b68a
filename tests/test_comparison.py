"""Plans side by side."""

import csv
import io
import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from distillplan import Bounds, Scenario, Teacher, plan
from distillplan.accounting import Logits
from distillplan.errors import InfeasibleError, InputError
from distillplan.laws import law_catalog
from distillplan.questions.assertions import parse_assertion
from distillplan.questions.comparison import compare
from distillplan.questions.comparison_records import Asked, Difference
from distillplan.render.comparison_details import doubted
from distillplan.render.show import rendered
from tests.plans import scenario_from_options
from tests.shell import run

EXAMPLES = Path(__file__).parents[1] / "examples"
TEACHER = Teacher(params=7e9, tokens=1e12)


def named(**scenarios):
    return [Asked(name, one) for name, one in scenarios.items()]


def test_a_file_is_compared_in_one_line():
    from distillplan import compare, read_scenarios

    found = compare(read_scenarios(str(EXAMPLES / "compare.yaml")))
    assert found.winner is None
    assert found.reason.startswith("cached has the lowest loss")
    assert all(one.outcome.passed for one in found.assertions)


def quickly(scenarios, baseline=None):
    return compare(scenarios, baseline, partial(plan, quick=True))


def test_each_plan_is_the_plan(busbridge):
    one = Scenario(compute=1e21, student_params=1e9, law=busbridge)
    two = Scenario(compute=1e21, student_params=1e9, law=busbridge, teacher=TEACHER)
    found = compare(named(one=one, two=two))
    assert [each.plan for each in found.plans] == [plan(one), plan(two)]


def test_the_winner_has_the_least_loss(busbridge):
    common = {"compute": 1e21, "student_params": 3e9, "law": busbridge, "logits": Logits.CACHED}
    weak = Scenario(**common, teacher=Teacher(params=1e9, tokens=2e10))
    found = quickly(named(weak=weak, strong=Scenario(**common, teacher=TEACHER)))
    losses = {one.name: one.plan.recommended.loss for one in found.plans}
    assert found.winner == "strong" == min(losses, key=losses.get)
    apart = losses["weak"] - losses["strong"]
    assert found.reason == (
        f"strong (distill) reaches {losses['strong']:.3f} nats, {apart:.3f} below the next"
    )


def test_many_teachers_that_come_to_the_same_run_have_no_winner(busbridge):
    """Teachers from 7B to 700B that run beside a 1B student: none is worth its forward passes."""
    scenarios = {
        f"teacher {index}": Scenario(
            compute=1e21,
            student_params=1e9,
            law=busbridge,
            teacher=Teacher(params=7e9 * 10 ** (index / 4.5), tokens=1e13),
        )
        for index in range(10)
    }
    found = quickly(named(**scenarios))
    assert len({one.plan.deciding.loss for one in found.plans}) == 10
    assert {one.plan.recommended.method for one in found.plans} == {"supervised"}
    assert found.winner is None
    loss = found.plans[0].plan.supervised.loss
    assert found.reason == (
        f"all 10 come to the same run: training from data alone, {loss:.3f} nats"
    )


def test_of_plans_that_cost_alike_the_first_is_chosen(busbridge):
    """At a tie the order decides, not the last bits of the FLOPs of the optimizer's answer."""
    common = {"compute": 1e21, "law": busbridge, "teacher": TEACHER, "logits": Logits.CACHED}
    scenarios = {f"s{index}": Scenario(**common, student_params=3e9 + index) for index in range(9)}
    found = quickly(named(**scenarios))
    costs = [one.flops for one in found.plans]
    assert max(costs) == pytest.approx(min(costs), rel=1e-6)
    assert found.winner == "s0"
    assert "more" in found.reason  # eight others are not listed by name


PAID = {"compute": 1e21, "student_params": 3e9, "teacher": TEACHER}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"compute": 1.02e21}, "budget"),
        ({"students": 2}, "number of students"),
        ({"logits": Logits.CACHED}, "what the budget covers"),
        ({"students": 2, "compute": 3e21}, "budget and number of students"),
        ({"law": law_catalog.law("busbridge2025_printed")}, "law"),
    ],
    ids=str,
)
def test_plans_that_do_not_pay_for_the_same_have_no_winner(busbridge, change, words):
    one, other = (Scenario(**{"law": busbridge} | PAID | more) for more in ({}, change))
    found = quickly(named(one=one, other=other))
    assert found.winner is None
    assert found.reason.endswith(f", but the plans differ in {words}")


@pytest.mark.parametrize(
    ("one", "other", "fair"),
    [
        ("$20k", "$20k", True),
        ("$20k", "$10k", False),
        ("8 h100-sxm for 7 days", "8 a100-80gb for 7 days", False),
        ("8 h100-sxm for 7 days", "16 h100-sxm for 84 hours", True),
        ("8 h100-sxm for 7 days", "1e21", False),
    ],
)
def test_hours_of_one_gpu_are_not_hours_of_another_but_dollars_are_dollars(one, other, fair):
    """An A100 for an hour is cheaper than an H100; what a dollar buys of either may be compared."""
    gpus = [{"gpu": gpu} if "$" in one else {} for gpu in ("h100-sxm", "a100-80gb")]
    common = {"student": "1B", "tie": 0.0}
    ours, theirs = (
        scenario_from_options(compute=compute, **common, **gpu)
        for compute, gpu in zip((one, other), gpus, strict=True)
    )
    found = quickly(named(ours=ours, theirs=theirs))
    assert (found.winner is not None) is fair
    assert fair or found.reason.endswith("the plans differ in budget")


def bounded(law, **settings):
    """All of a budget, and 95% of it: the search may not use more tokens."""
    common = {"compute": 1e21, "student_params": 1e9, "law": law, **settings}
    whole = Scenario(**common)
    tokens = 0.95 * plan(whole, quick=True).supervised.student_tokens
    return named(whole=whole, less=Scenario(**common, bounds=Bounds(student_tokens=(1e6, tokens))))


def test_at_a_tie_the_cheaper_wins(busbridge):
    found = quickly(bounded(busbridge))
    assert found.winner == "less"
    assert "costs less: 9.50e20 FLOPs" in found.reason


def test_without_a_tie_band_the_lowest_loss_wins(busbridge):
    found = quickly(bounded(busbridge, tie_nats=0.0))
    assert found.winner == "whole"
    assert "below the next" in found.reason


def test_where_a_plan_has_no_verdict_there_is_no_winner(busbridge):
    """Budgets far too small for a student this large."""
    common = {"student_params": 3e10, "law": busbridge}
    found = quickly(
        named(poor=Scenario(compute=1e19, **common), rich=Scenario(compute=1e23, **common))
    )
    assert found.winner is None
    assert found.reason == "there is no verdict for poor"
    assert quickly(
        named(poor=Scenario(compute=1e19, **common), rich=Scenario(compute=1e23, **common)), "rich"
    ).differences == (Difference(name="poor"),)


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
    found = quickly(named(**scenarios))
    losses = {one.name: one.plan.recommended.loss for one in found.plans}
    first, second = losses
    assert found.winner == first
    assert losses[first] > losses[second]
    assert "comes first" in found.reason


def test_losses_on_different_text_are_not_compared(busbridge):
    other = Scenario(compute=1e21, law=law_catalog.law("besiroglu2024"))
    found = quickly(named(ours=Scenario(compute=1e21, law=busbridge), theirs=other), "ours")
    assert found.winner is None
    assert found.differences[0].loss is None
    assert found.differences[0].total_flops is not None


def test_differences_are_to_the_baseline(busbridge):
    small = Scenario(compute=1e21, student_params=1e9, law=busbridge)
    large = Scenario(compute=1e22, student_params=1e9, law=busbridge)
    (found,) = quickly(named(small=small, large=large), "small").differences
    ours, theirs = plan(large, quick=True).recommended, plan(small, quick=True).recommended
    assert found.loss == ours.loss - theirs.loss
    assert found.total_flops == pytest.approx(9e21)


def test_a_baseline_must_be_there(busbridge):
    with pytest.raises(InputError, match="did you mean 'small'"):
        compare(named(small=Scenario(compute=1e21, law=busbridge)), "smal")


def test_every_impossible_scenario_is_named(busbridge):
    poor = Scenario(compute=1e10, student_params=1e9, law=busbridge)
    fine = Scenario(compute=1e21, student_params=1e9, law=busbridge)
    with pytest.raises(InfeasibleError, match=r"one: a budget.*two: a budget"):
        compare(named(one=poor, two=poor))
    found = quickly(named(one=poor, fine=fine, two=poor))
    assert [one.name for one in found.plans] == ["fine"]
    assert [one.name for one in found.not_planned] == ["one", "two"]
    assert "cannot train a student" in found.not_planned[0].why


def test_an_impossible_scenario_that_is_asserted_or_measured_by_is_an_error(busbridge):
    poor = Scenario(compute=1e10, student_params=1e9, law=busbridge)
    fine = Scenario(compute=1e21, student_params=1e9, law=busbridge)
    with pytest.raises(InfeasibleError, match="poor: a budget"):
        quickly(named(poor=poor, fine=fine), "poor")
    demand = (parse_assertion("loss <= 9"),)
    with pytest.raises(InfeasibleError, match="poor: a budget"):
        quickly([Asked("poor", poor, demand), *named(fine=fine)])


def test_all_that_have_the_lowest_loss_are_named(busbridge):
    """Scenarios that come to one run have one loss, whatever each would have paid a teacher."""
    same = {"law": busbridge, "compute": 1e21, "student_params": 1e9}
    scenarios = {
        "ours": Scenario(**same),
        "theirs": Scenario(**same, accounting="train_shared"),
        "less": Scenario(**(same | {"compute": 1e20})),
    }
    found = quickly(named(**scenarios))
    assert found.reason.startswith("ours and theirs have the lowest loss")


def test_demands_that_fail_are_named(busbridge):
    one = Scenario(compute=1e21, student_params=1e9, law=busbridge)
    demands = [parse_assertion("verdict = distill"), parse_assertion("loss <= 9")]
    found = quickly([Asked("it", one, tuple(demands))])
    failed = [one for one in found.assertions if not one.outcome.passed]
    ((name, outcome),) = ((one.name, one.outcome) for one in failed)
    assert (name, outcome.assertion, outcome.value) == ("it", "verdict = distill", "supervised")


def test_rows_have_the_odds_of_the_documents():
    words = ["compare", str(EXAMPLES / "compare.yaml"), "-o"]
    rows = list(csv.DictReader(io.StringIO(run(*words, "csv").stdout)))
    plans = json.loads(run(*words, "json").stdout)["plans"]
    for row, answer in zip(rows, plans, strict=True):
        odds = {name: float(row[f"odds_{name}"]) for name in ("distill", "tie", "supervised")}
        assert odds == answer["odds"]
        assert sum(odds.values()) == pytest.approx(1)
        assert (row["verdict"], row["verdict_reason"]) == (
            answer["verdict"],
            answer["verdict_reason"],
        )
    quick = csv.DictReader(io.StringIO(run(*words, "csv", "--quick").stdout))
    assert {row["odds_distill"] for row in quick} == {""}


def test_a_misprinted_law_is_named_and_remarks_have_their_scenarios(busbridge):
    """The teacher's tokens are the same in all, whoever pays; students of 3B and 30B differ."""
    common = {"compute": 1e21, "law": busbridge, "teacher": Teacher(params=7e9, tokens=2e12)}
    printed = law_catalog.law("busbridge2025_printed")
    cached = common | {"student_params": 3e9, "logits": Logits.CACHED}
    scenarios = {
        "online": Scenario(**common, student_params=3e9),
        "cached": Scenario(**cached),
        "large": Scenario(**common | {"student_params": 3e10, "compute": 1e23}),
        "printed": Scenario(**cached | {"law": printed}),
    }
    found = quickly(named(**scenarios))
    shown = rendered(found, "table")
    (head,) = [line.split() for line in shown.splitlines() if line.lstrip().startswith("verdict")]
    assert "law" in head
    assert " ".join(shown.split()).count(printed.name) == 3  # its row, the remark and the last line
    watch = shown[shown.index("Watch") :]
    assert watch.startswith("Watch ! printed: busbridge2025_printed is a misprint")
    said = {code: words for code, (_, words) in doubted(found).items()}
    assert said["teacher_tokens_outside_fit"].startswith("all: teacher tokens 2.00T, outside")
    sizes = said["student_params_outside_fit"]
    assert sizes.startswith("large: pretrain: student parameters 30.0B")
    assert "similarly" not in sizes
    assert not [words for words in said.values() if "(" in words and "run the teacher" in words]
    alike = named(one=scenarios["online"], two=replace(scenarios["online"], students=2))
    assert rendered(quickly(alike), "table").count("busbridge2025") == 1


def test_a_remark_with_other_numbers_is_said_of_one_scenario(busbridge):
    """30B students on 0.2 and 0.1 tokens per parameter, by 6 FLOPs per parameter and token."""
    common = {"student_params": 3e10, "law": busbridge}
    more, less = (Scenario(**common, compute=6 * 9e20 * ratio) for ratio in (0.2, 0.1))
    names, words = doubted(quickly(named(more=more, less=less)))["few_tokens_per_param"]
    assert names == "all"
    assert words.startswith("more: ")
    assert words.endswith("; similarly less")
