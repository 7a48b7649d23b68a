"""Plans that store their teacher's logits keep to all of their hours and to all of their money."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distillplan.files.entries import shipped
from distillplan.hardware.storage import TB
from distillplan.laws.format_studies import FILE
from distillplan.planning.options import option_of
from distillplan.planning.planner import plan
from distillplan.units.quantities import format_usd
from tests.plans import options_of, quick_plan, scenario_from_options
from tests.shell import answer

PRICE = 2.0
STORAGE_USD_PER_TB_MONTH = shipped(FILE).mapping("price").positive("usd_per_tb_month")
ON_DISK = {
    "gpu": "h100-sxm",
    "gpus": 64,
    "price": PRICE,
    "student": "3B",
    "teacher": "llama-3.1-8b",
    "logits": "stored",
    "logit_format": "full",
}
BUDGETS = st.fixed_dictionaries(
    {},
    optional={
        "gpu_hours": st.floats(1.0, 6.0).map(lambda one: 10**one),
        "max_cost_usd": st.floats(2.0, 6.0).map(lambda one: 10**one),
        "deadline": st.sampled_from(["2 days", "5 days", "30 days", "200 days"]),
    },
).filter(bool)
READ = st.fixed_dictionaries(
    {"logits": st.just("stored"), "logit_format": st.sampled_from(["full", "top-k", "sampled"])},
    optional={"max_unique_tokens": st.floats(8.0, 12.0).map(lambda one: 10**one)},
)
STUDIED = st.fixed_dictionaries(
    {"students": st.sampled_from([1, 2, 5])},
    optional={
        "student": st.sampled_from(["300M", "1B", "llama-3.2-3b"]),
        "teacher": st.sampled_from(["7B:2T", "llama-3.1-8b"]),
        "accounting": st.sampled_from(["exists", "train", "train_shared"]),
    },
)
ALL_SPENT = 1e-9


@given(budget=BUDGETS, read=READ, studied=STUDIED)
@settings(max_examples=60)
def test_every_option_keeps_to_every_limit(budget, read, studied):
    """And spends one of them, unless its tokens are as many as anybody has trained on."""
    scenario = scenario_from_options(
        gpu="h100-sxm", gpus=16, price=PRICE, **budget, **read, **studied
    )
    limits = scenario.limits
    for option in options_of(scenario).values():
        if option.bill is None:
            continue
        spent = [
            (option.bill.gpu_hours.mid, budget.get("gpu_hours")),
            (option.bill.cost_usd.mid, budget.get("max_cost_usd")),
            (option.bill.wall_seconds.mid / 3600, limits.hours),
        ]
        shares = [amount / most for amount, most in spent if most is not None]
        assert max(shares) <= 1 + ALL_SPENT
        if not any("tokens" in name for name in option.at_bounds):
            assert max(shares) >= 1 - ALL_SPENT


@pytest.mark.parametrize("unique", [None, 5e9])
@pytest.mark.parametrize(
    "budget",
    [
        {"compute": "$50k"},
        {"compute": "$50k", "deadline": "5 days"},
        {"gpu_hours": 9_000, "max_cost_usd": 20_000},
    ],
    ids=str,
)
def test_what_is_left_of_hours_and_money_buys_the_tokens(budget, unique):
    """The same tokens by halving, from the hours of the bill and the price of a terabyte-month."""
    scenario = scenario_from_options(**ON_DISK, **budget, max_unique_tokens=unique)
    found = quick_plan(scenario)
    option, usd = found.deciding, scenario.limits.usd
    stored_usd = option.stored.bytes_per_token / TB * STORAGE_USD_PER_TB_MONTH
    per_token = option.bill.gpu_hours.mid / option.student_tokens

    def over(tokens):
        hours = per_token * tokens
        kept = stored_usd * min(tokens, unique or math.inf)
        return hours > scenario.gpu_hours or hours * PRICE + kept > usd

    low, high = 1e6, 1e15
    for _ in range(100):
        middle = math.sqrt(low * high)
        low, high = (low, middle) if over(middle) else (middle, high)
    assert option.student_tokens == pytest.approx(low, rel=1e-9)
    assert not {"over_cost", "over_deadline"} & set(found.warning_codes)


@given(
    money=st.floats(2.0, 6.0).map(lambda one: 10**one),
    gpus=st.sampled_from([1, 8, 64]),
    read=READ,
    studied=STUDIED,
)
@settings(max_examples=40, deadline=None)
def test_logits_are_kept_while_their_students_are_trained(money, gpus, read, studied):
    """From the bill: the training, half of the pass before, and a month at least.

    Storage is paid for that time, and such a time given gives the same plan.
    """
    words = {"gpu": "h100-sxm", "gpus": gpus, "price": PRICE, "compute": f"${money:.0f}"}
    words |= {**read, **studied}
    found = options_of(scenario_from_options(**words))
    for way, option in found.items():
        if option.bill is None or option.stored is None:
            continue
        seconds = {one.phase: one.wall_seconds.mid for one in option.bill.phases}
        read_in = seconds["student_training"] + seconds.get("teacher_logits", 0.0) / 2
        months = option.stored.months
        assert months == pytest.approx(max(1.0, read_in / (365.25 / 12 * 86400)), rel=1e-6)
        paid = {one.phase: one.cost_usd.mid for one in option.bill.phases}
        if "logit_storage" not in paid:
            continue
        monthly = option.stored.total_bytes / TB * STORAGE_USD_PER_TB_MONTH
        assert paid["logit_storage"] == pytest.approx(monthly * months, rel=1e-9)
        again = options_of(scenario_from_options(**words, logit_months=months))[way]
        if {"student", "teacher"} <= set(studied):
            assert again.loss == pytest.approx(option.loss, abs=1e-6)
            assert again.student_tokens == pytest.approx(option.student_tokens, rel=1e-6)
        else:  # whose sizes may be those of longer trainings, for which a given time is no longer
            assert again.loss <= option.loss + 1e-6


@pytest.mark.parametrize(
    ("gpu", "gpus", "price", "money", "teacher", "read"),
    [
        ("rtx-4090", 1, 0.3, "$2k", "3B:300B", {"logit_format": "full"}),
        ("rtx-4090", 1, 0.3, "$5k", "3B:300B", {"logit_format": "top-k", "logit_k": 128}),
        ("h100-sxm", 1, 2.0, "$5k", "3B:300B", {"logit_format": "top-k", "logit_k": 128}),
        ("h100-sxm", 8, 2.0, "$200k", "7B:2T", {"logit_format": "top-k", "logit_k": 128}),
        ("h100-sxm", 8, 2.0, "$200k", None, {"logit_format": "top-k", "logit_k": 128}),
    ],
)
def test_the_best_student_pays_for_how_long_it_reads(gpu, gpus, price, money, teacher, read):
    """By trying sizes one by one, each planned on all of the money: it was up to 0.008 off."""
    words = {"gpu": gpu, "gpus": gpus, "price": price, "compute": money, "teacher": teacher}
    scenario = scenario_from_options(**words, logits="stored", **read)
    best = options_of(scenario)[scenario.pays]
    sizes = best.student_params * np.geomspace(0.3, 2.0, 41)
    tried = [option_of(replace(scenario, student_params=one), scenario.pays) for one in sizes]
    least = min(one.loss for one in tried if one.loss is not None)
    assert best.loss <= least + 1e-6


def test_a_year_of_training_pays_for_as_long_as_it_reads():
    """By halving: money for hours, and for keeping each token while all students are trained."""
    words = {"gpu": "rtx-4090", "gpus": 1, "compute": "$5k", "student": "1B", "students": 6}
    words |= {"teacher": "3B:2T", "logits": "stored", "logit_format": "top-k", "logit_k": 100}
    scenario = scenario_from_options(**words)
    option = quick_plan(scenario).deciding
    hours = {one.phase: one.gpu_hours.mid / option.student_tokens for one in option.bill.phases}
    price = option.bill.phases[0].cost_usd.mid / option.bill.phases[0].gpu_hours.mid
    low, high = 1e6, 1e15
    for _ in range(100):
        tokens = math.sqrt(low * high)
        training, passes = (hours[one] * tokens for one in ("student_training", "teacher_logits"))
        months = max(1.0, (training + passes / 2) / (24 * 365.25 / 12))
        kept = tokens * option.stored.bytes_per_token / TB * months * STORAGE_USD_PER_TB_MONTH
        over = (training + passes) * price + kept > 5000
        low, high = (low, tokens) if over else (tokens, high)
    assert option.stored.months > 5
    assert option.student_tokens == pytest.approx(low, rel=1e-9)


def test_months_that_end_before_the_training_are_warned_of():
    words = {"gpu": "h100-sxm", "gpus": 1, "compute": "$20k", "student": "1B", "teacher": "2B:1T"}
    words |= {"logits": "stored", "logit_format": "top-k"}
    short, long = (
        quick_plan(scenario_from_options(**words, logit_months=months)) for months in (1, 12)
    )
    assert "logits_kept_too_short" in short.warning_codes
    assert "logits_kept_too_short" not in long.warning_codes
    assert "logits_kept_too_short" not in quick_plan(scenario_from_options(**words)).warning_codes


@pytest.mark.parametrize("budget", [{"compute": "$20k"}, {"gpu_hours": 8_000}], ids=str)
def test_storage_without_a_format_is_said_to_be_left_out(budget):
    """With what full and sampled ones cost, which is what each format is billed for as much."""
    words = {"gpu": "h100-sxm", "price": PRICE, "student": "1B", "teacher": "7B:2T", **budget}
    open_plan = quick_plan(scenario_from_options(**words, logits="stored"))
    (said,) = (one for one in open_plan.warnings if one.code == "logit_storage_unpriced")
    assert "--logit-format" in said.message
    tokens, months = open_plan.deciding.student_tokens, 1.0
    for phase in open_plan.deciding.bill.phases:
        assert phase.phase != "logit_storage"
    vocab = open_plan.scenario.architecture.vocab
    seconds = [one.wall_seconds.mid for one in open_plan.deciding.bill.phases]
    months = max(1.0, (seconds[0] + seconds[1] / 2) / (365.25 / 12 * 86400))
    full = 2 * vocab * tokens / TB * STORAGE_USD_PER_TB_MONTH * months
    assert format_usd(full) in said.message
    named = quick_plan(scenario_from_options(**words, logits="stored", logit_format="sampled"))
    online = quick_plan(scenario_from_options(**words))
    for other in (named, online):
        assert "logit_storage_unpriced" not in other.warning_codes


def test_epochs_cost_no_more_storage():
    """Storing all that is read is what storing the corpus is where nothing is read twice."""
    few = scenario_from_options(**ON_DISK, compute="$50k", max_unique_tokens=5e9)
    many = scenario_from_options(**ON_DISK, compute="$50k")
    again, once = (quick_plan(one).deciding for one in (few, many))
    assert again.student_tokens > 5e9
    assert again.student_tokens > once.student_tokens
    phases = {one.phase: one.cost_usd.mid for one in again.bill.phases}
    assert phases["logit_storage"] == pytest.approx(
        5e9 * again.stored.bytes_per_token / TB * STORAGE_USD_PER_TB_MONTH
    )
    assert sum(phases.values()) == pytest.approx(50_000, rel=1e-9)


def test_more_money_than_the_hours_and_the_disks_take_changes_nothing():
    words = {**ON_DISK, "logit_format": "sampled", "gpu_hours": 5_000}
    plenty = quick_plan(scenario_from_options(**words, max_cost_usd=1e6)).deciding
    unsaid = quick_plan(scenario_from_options(**words)).deciding
    assert plenty.student_tokens == pytest.approx(unsaid.student_tokens, rel=1e-12)
    assert plenty.bill.gpu_hours.mid == pytest.approx(5_000, rel=1e-9)


def test_the_odds_of_a_plan_whose_hours_and_money_end_at_once():
    """Student and teacher are chosen, and under many draws their tokens too spend both."""
    words = {name: one for name, one in ON_DISK.items() if name not in ("student", "teacher")}
    found = plan(scenario_from_options(**words, gpu_hours=5_000, max_cost_usd=27_000))
    option = found.deciding
    assert option.bill.cost_usd.mid == pytest.approx(27_000, rel=1e-9)
    assert option.bill.gpu_hours.mid == pytest.approx(5_000, rel=1e-3)  # by a table of speeds
    assert sum(found.odds) == pytest.approx(1)
    low, high = option.loss_band
    assert low < option.loss < high


def test_the_document_of_such_a_plan_asks_the_same_again():
    words = ("5k gpu-hours", "--max-cost", "$12k", "--price", "2", "--student", "3B", "--gpu")
    read = ("h100-sxm", "--teacher", "llama-3.1-8b", "--logits", "stored", "--logit-format", "full")
    document = answer("budget", *words, *read, "--quick")
    again = answer("compare", "-", "--quick", stdin=json.dumps({"base": document["scenario"]}))
    assert again["plans"][0]["options"] == document["options"]


def test_the_cached_logits_of_others_are_not_stored_again():
    """The option to run the teacher is beside the student, so that its bill has no storage."""
    words = {**ON_DISK, "logits": "cached", "compute": "$50k"}
    for option in quick_plan(scenario_from_options(**words)).options:
        assert option.bill.cost_usd.mid == pytest.approx(50_000, rel=1e-9)
