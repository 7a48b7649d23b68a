"""Budgets in GPUs and days or in dollars, and what the options of a plan take."""

import dataclasses
import datetime as dt
import itertools
import json
import math
import re

import pytest

from distillplan import Accounting, Logits, Scenario, Teacher, plan
from distillplan.errors import InfeasibleError, InputError
from distillplan.hardware.machine import machine, usd_per_gpu_hour
from distillplan.hardware.memory_fit import MAX_GPUS, Fits
from distillplan.laws import law_catalog
from distillplan.models.architecture import FixedAspect
from distillplan.planning.planner import plan_if_any
from distillplan.planning.token_costs import LOG_SIZES, costs_on
from distillplan.planning.verdict_records import Flips
from distillplan.questions.target import target
from tests.plans import scenario_from_options
from tests.shell import run

LAW = law_catalog.law()
H100 = machine({"gpu": "h100-sxm", "gpus": 64}, FixedAspect())
WEEK = 64 * 168.0


def scenario(**settings):
    return Scenario(
        **{"gpu_hours": WEEK, "machine": H100, "student_params": 1e9, "law": LAW, **settings}
    )


QUESTIONS = [
    {},
    {"student_params": None},
    {"students": 8},
    {"teacher": Teacher(params=7e9, tokens=2e12)},
    {"teacher": Teacher(params=7e9, tokens=2e12), "logits": Logits.CACHED},
    {"logits": Logits.STORED, "students": 4},
]


@pytest.mark.parametrize("settings", QUESTIONS, ids=range(len(QUESTIONS)))
def test_the_hours_are_spent(settings):
    """The inverse of the estimate: hours -> tokens -> the same hours, to 1e-9."""
    for option in plan(scenario(**settings), quick=True).options:
        assert option.bill.gpu_hours.mid == pytest.approx(WEEK, rel=1e-9)
        assert option.bill.wall_seconds.mid == pytest.approx(7 * 86400, rel=1e-9)


@pytest.mark.parametrize("settings", QUESTIONS, ids=range(len(QUESTIONS)))
def test_each_phase_runs_at_its_own_speed(settings):
    """Tokens over the hours of a phase are the speed of that model, not of the student."""
    asked = scenario(**settings)
    # an open model, whose vocabulary and shape are its own, is in tests/test_open_teacher.py
    sized = [one for one in plan(asked, quick=True).options if one.teacher_name is None]
    for option in sized:
        phases = {line.phase.value: line for line in option.bill.phases}
        distilling = option.accounting is not None
        each = H100.student_seconds(option.student_params, distilling=distilling).mid
        expected = each * option.student_tokens * asked.students
        hours = phases["student_training"].gpu_hours.mid
        assert hours * 3600 == pytest.approx(expected, rel=1e-9)
        if "teacher_training" in phases:
            expected = H100.training_seconds(option.teacher_params).mid * option.teacher_tokens
            hours = phases["teacher_training"].gpu_hours.mid
            assert hours * 3600 == pytest.approx(expected, rel=1e-9)
        if "teacher_logits" in phases and asked.logits is Logits.ONLINE:
            each = H100.teacher_seconds(option.teacher_params, beside=True).mid
            expected = each * option.student_tokens * asked.students
            hours = phases["teacher_logits"].gpu_hours.mid
            assert hours * 3600 == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("settings", QUESTIONS, ids=range(len(QUESTIONS)))
def test_parts_sum_to_totals(settings):
    for option in plan(scenario(**settings), quick=True).options:
        lines = option.bill.phases
        for name in ("gpu_hours", "wall_seconds", "cost_usd", "energy_kwh"):
            total = getattr(option.bill, name)
            for end in ("low", "mid", "high"):
                parts = sum(getattr(getattr(line, name), end) for line in lines)
                assert parts == pytest.approx(getattr(total, end), rel=1e-12)
        flops = sum(line.flops for line in lines)
        assert flops == pytest.approx(option.total_flops, rel=1e-9)


def test_the_search_is_best_by_the_exact_seconds():
    """Against teachers tried one by one in the exact seconds of the estimate."""
    option = plan(scenario(), quick=True).deciding
    assert option.accounting is Accounting.TRAIN
    best = math.inf
    for params in (option.teacher_params * 1.15**k for k in range(-12, 13)):
        for tokens in (option.teacher_tokens * 1.15**k for k in range(-12, 13)):
            once = H100.training_seconds(params).mid * tokens
            each = (
                H100.student_seconds(1e9, distilling=True).mid
                + H100.teacher_seconds(params, beside=True).mid
            )
            left = (WEEK * 3600 - once) / each
            if left > 1e6:
                teacher = LAW.supervised.loss(params, tokens)
                best = min(best, LAW.distillation.loss(1e9, left, teacher))
    # the search took the seconds from a table of eight sizes per decade
    assert option.loss <= best + 2e-6


def test_the_table_is_the_estimate_at_its_sizes():
    costs = costs_on(H100, FixedAspect(), distilling=True, beside=True)
    for n in LOG_SIZES[20:60:8]:
        size = math.exp(n)
        exact = H100.student_seconds(size, distilling=True).mid
        assert float(costs.student_training(n)) == pytest.approx(exact, rel=1e-9)
    between = (LOG_SIZES[30] + LOG_SIZES[31]) / 2
    exact = H100.training_seconds(math.exp(between)).mid
    assert float(costs.teacher_training(between)) == pytest.approx(exact, rel=5e-3)


def test_flops_with_a_machine_are_flops_without_and_hours_beside():
    plain = plan(Scenario(compute=1e21, student_params=1e9, law=LAW), quick=True)
    known = plan(Scenario(compute=1e21, student_params=1e9, law=LAW, machine=H100), quick=True)
    for one, other in zip(plain.options, known.options, strict=True):
        assert one.loss == other.loss
        assert one.bill is None
        assert other.bill.gpu_hours.low < other.bill.gpu_hours.mid < other.bill.gpu_hours.high


def test_more_gpus_are_never_slower_nor_better_than_linear():
    def wall(gpus):
        found = machine({"gpu": "h100-sxm", "gpus": gpus}, FixedAspect())
        asked = Scenario(compute=1e21, student_params=3e9, law=LAW, machine=found)
        answer = plan(asked, quick=True)
        return answer.options[0].bill.wall_seconds.mid

    few, many = wall(8), wall(64)
    assert many < few
    assert many * 8 >= few * (1 - 1e-12)


def test_a_budget_flip_in_hours_flips():
    """Plans just inside its window and just outside, and where its odds are taken."""
    asked = scenario(accounting=Accounting.FREE, gpu_hours=500.0)
    answer = plan(asked, quick=True)
    flip = answer.flips.budget_up
    assert 500 < flip.from_ < flip.at
    assert flip.to is None or flip.at < flip.to

    def verdict(hours):
        return plan(dataclasses.replace(asked, gpu_hours=hours), quick=True).verdict

    assert verdict(flip.at) is verdict(flip.from_ * 1.02) is flip.verdict
    assert verdict(flip.from_ / 1.02) is answer.verdict is not flip.verdict


def test_money_buys_hours_at_the_price():
    found = machine({"gpu": "h100-sxm", "price": 2.0}, FixedAspect())
    assert usd_per_gpu_hour(found) == 2.0
    document = json.loads(
        run("budget", "$20k", "--gpu", "h100-sxm", "--price", "2", "-s", "1B", "-o", "json").stdout
    )
    assert document["scenario"]["gpu_hours"] == pytest.approx(10_000)
    for option in document["options"]:
        assert option["cost_usd"]["mid"] == pytest.approx(20_000, rel=1e-9)


def test_an_old_price_warns_and_a_given_one_does_not():
    codes = {one.code for one in plan(scenario(), quick=True).warnings}
    assert "price_old" in codes or H100.today < dt.date(2026, 8, 1)
    given = machine({"gpu": "h100-sxm", "gpus": 64, "price": 2.0}, FixedAspect())
    assert not {one.code for one in plan(scenario(machine=given), quick=True).warnings} & {
        "price_old",
        "price_undated",
        "price_missing",
    }


def test_what_does_not_fit_is_said():
    """The machine that is said to be enough is, and half of it is not."""
    words = {"compute": 1e21, "gpu": "l4", "student": "7B"}
    with pytest.raises(InfeasibleError) as caught:
        plan(scenario_from_options(**words, gpus=1))
    told = str(caught.value)
    assert re.match(
        r"no plan: neither fits 1 l4 .25.5 GB usable.: pretrain needs \d+ GB, distill \d+ GB;",
        told,
    )
    enough = re.search(r"; smallest machine that would do: (\d+) l4 with (.*)$", told)
    gpus, layout = int(enough[1]), advised(enough[2])
    found = plan(scenario_from_options(**words, gpus=gpus, **layout), quick=True)
    assert found.recommended.bill.fits is Fits.YES
    for tp, sharding in itertools.product((1, 2, 4), ("zero1", "zero3")):
        fewer = {"gpus": gpus // 2, "tp": tp, "sharding": sharding, "micro_batch": 1}
        with pytest.raises(InfeasibleError):
            plan(scenario_from_options(**words, **fewer, checkpointing="full"))


def test_the_smallest_machine_is_that_of_an_estimate():
    words = ("--gpu", "rtx-4090", "--gpus", "8")
    told = run("budget", "1e24", "--student", "70B", *words).stderr
    found = run("estimate", "--model", "70B", "--tokens", "2T", *words, "-o", "json")
    least = json.loads(found.stdout)["memory"]["smallest_layout"]
    assert f"smallest machine that would do: {least['gpus']} rtx-4090" in told


@pytest.mark.slow
def test_what_no_machine_can_do_is_said():
    """A student of 1T parameters has more than 16 TB of states, with a deadline of an hour."""
    words = {"compute": 1e26, "gpu": "l4", "student": "1T", "deadline": "1 hour"}
    told = rf"no number of l4 up to {MAX_GPUS} is enough on this layout \(try --layout auto\)"
    with pytest.raises(InfeasibleError, match=told):
        plan(scenario_from_options(**words))


def test_what_needs_too_much_is_said_once():
    """A student of 1T parameters passes the memory of the GPU and the limit on it."""
    words = {"compute": 1e26, "gpu": "l4", "student": "1T", "max_memory_bytes": "20 GB"}
    with pytest.raises(InfeasibleError) as caught:
        plan(scenario_from_options(**words))
    pretrain, distill, _ = str(caught.value).split("; ")
    assert pretrain.count("needs") == distill.count("needs") == 1
    assert "over the memory limit of 20.0 GB" in pretrain


@pytest.mark.parametrize("budget", [{"compute": 1e20}, {"gpu_hours": 300}], ids=str)
def test_only_what_fits_can_be_the_verdict(budget):
    """70B in bf16 are 140 GB of weights, which one H100 of 80 GB cannot hold beside a student."""
    words = {"gpu": "h100-sxm", "gpus": 1, "student": "1B", "teacher": "70B:15T", **budget}
    answer = plan(scenario_from_options(**words))
    assert answer.supervised.bill.fits is Fits.YES
    assert answer.deciding.bill.fits is Fits.NO
    assert answer.deciding.bill.memory_bytes_per_gpu.low > 140e9
    assert (answer.verdict, answer.verdict_reason) == ("supervised", "only_one_possible")
    assert answer.recommended is answer.supervised
    assert answer.odds is None
    assert answer.flips == Flips()
    assert "does_not_fit" in answer.warning_codes
    assert "nothing else fits 1 h100-sxm (85.0 GB usable): distill" in answer.headline
    # with its logits on disk the same teacher need not be loaded, and is weighed
    cached = plan(scenario_from_options(**words, logits="cached"))
    assert cached.deciding.bill.fits is Fits.YES
    assert cached.odds is not None


def advised(text):
    """The options that a sentence says to add, as keys of a scenario."""
    found = re.findall(r"--([a-z-]+) ([\w-]+)", text)
    return {key.replace("-", "_"): value for key, value in found}


SMALL_CARDS = {"compute": "$5k", "gpu": "rtx-4090", "gpus": 8}


@pytest.mark.parametrize(
    "words",
    [
        {**SMALL_CARDS, "student": "3B", "teacher": "qwen2.5-7b"},
        {**SMALL_CARDS, "gpu": "l4", "student": "3B", "teacher": "llama-3.1-8b"},
        {"compute": 1e20, "gpu": "h100-sxm", "gpus": 1, "student": "1B", "teacher": "70B:15T"},
        {**SMALL_CARDS, "student": "500M", "teacher": "qwen2.5-7b", "max_memory_bytes": "16GB"},
    ],
    ids=str,
)
def test_what_a_plan_says_to_add_makes_it_fit(words):
    """Its own advice, followed: then both choices fit, and are weighed."""
    answer = plan(scenario_from_options(**words))
    assert answer.verdict_reason == "only_one_possible"
    changes = advised(answer.headline.partition("To weigh it, add ")[2])
    assert changes
    followed = plan(scenario_from_options(**words, **changes))
    assert followed.deciding.bill.fits is Fits.YES
    assert followed.odds is not None


def test_what_an_error_says_to_add_makes_it_fit():
    words = {**SMALL_CARDS, "student": "7B", "teacher": "qwen2.5-7b"}
    with pytest.raises(InfeasibleError, match="neither fits") as caught:
        plan(scenario_from_options(**words))
    alone, distill = re.findall(r"(?:pretrain|distill) fits with ([^;]+)", str(caught.value))
    followed = plan(scenario_from_options(**words, **advised(alone)))
    assert followed.supervised.bill.fits is Fits.YES
    followed = plan(scenario_from_options(**words, **advised(distill)))
    assert followed.deciding.bill.fits is Fits.YES


def test_a_loss_that_nobody_chose_is_computed_in_chunks_where_no_other_fits():
    """Liger's loss, of Hsu et al. 2024 (arXiv:2410.10989): the same result in less memory."""
    words = {**SMALL_CARDS, "student": "500M", "teacher": "qwen2.5-7b"}
    open_, chunked, dense = (
        plan(scenario_from_options(**words, **loss))
        for loss in ({}, {"hardware.loss": "chunked"}, {"hardware.loss": "dense"})
    )
    assert open_.deciding.bill.fits is Fits.YES
    assert dense.deciding.bill.fits is Fits.NO
    assert open_.deciding.bill.memory_bytes_per_gpu == chunked.deciding.bill.memory_bytes_per_gpu
    assert open_.deciding.loss == chunked.deciding.loss
    assert "loss_in_chunks" in open_.warning_codes
    assert "loss_in_chunks" not in chunked.warning_codes
    roomy = {**words, "gpu": "h100-sxm"}
    open_, dense = (
        plan(scenario_from_options(**roomy, **loss)) for loss in ({}, {"hardware.loss": "dense"})
    )
    assert open_.deciding.bill == dense.deciding.bill
    assert "loss_in_chunks" not in open_.warning_codes


def test_a_teacher_that_stores_its_logits_has_to_fit_first():
    """70B in 16 bits are 140 GB, more than one H100 has, whoever reads the logits afterwards."""
    words = {"compute": 1e20, "gpu": "h100-sxm", "gpus": 1, "student": "1B", "teacher": "70B:15T"}
    stored = plan(scenario_from_options(**words, logits="stored"))
    assert stored.deciding.bill.fits is Fits.NO
    assert stored.deciding.bill.fullest == "teacher_logits"
    assert stored.deciding.bill.memory_bytes_per_gpu.low > 0.85 * 140e9
    assert "the teacher's pass does not fit" in str(stored.warnings)
    several = plan(scenario_from_options(**{**words, "gpus": 4}, logits="stored"))
    assert several.deciding.bill.fits is Fits.YES


def test_an_open_layout_is_faster_and_fits():
    """Of two students of one size: more tokens in the same hours, on a layout that fits."""
    words = {**SMALL_CARDS, "student": "1.5B", "teacher": "qwen2.5-7b"}
    usual, found = (
        plan(scenario_from_options(**words, **layout)) for layout in ({}, {"layout": "auto"})
    )
    limited = plan(scenario_from_options(**words, layout="auto", max_memory_bytes="16GB"))
    assert limited.deciding.bill.memory_bytes_per_gpu.high <= 16e9
    assert usual.deciding.bill.fits is Fits.UNCERTAIN
    for one, other in zip(usual.options[:2], found.options[:2], strict=True):
        assert other.bill.fits is Fits.YES
        assert other.student_tokens > one.student_tokens
    assert "layout_found" in found.warning_codes
    # what the document says of it, asked for
    told = found.scenario.machine.strategy
    names = ("tp", "pp", "cp", "micro_batch", "checkpointing", "sharding")
    given = {name: getattr(told, name) for name in names}
    assert plan(scenario_from_options(**words, **given)).options == found.options
    # one step away in any choice, on the same software, it does not fit or is no faster
    given["stack"] = told.stack
    for name, others in (("micro_batch", (1, 2, 8)), ("tp", (2, 4)), ("sharding", ("zero1",))):
        for value in others:
            near = plan_if_any(scenario_from_options(**words, **{**given, name: value}))
            if near is not None and near.deciding.bill.fits is Fits.YES:
                most = found.deciding.student_tokens * (1 + 1e-9)
                assert near.deciding.student_tokens <= most, (name, value)


@pytest.mark.parametrize("price", ["0", "0.00", "$0", "$0/h"])
def test_hours_that_cost_nothing_are_no_budget_in_dollars(price):
    asked = ("--gpu", "h100-sxm", "--student", "1B", "--quick", "--price", price)
    found = run("budget", "$5k", *asked)
    assert (found.returncode, found.stdout) == (2, "")
    assert "--price 0: hours that cost nothing are no budget in dollars" in found.stderr
    free = run("budget", "1000 gpu-hours", *asked, "-o", "json")
    assert json.loads(free.stdout)["options"][0]["cost_usd"]["mid"] == 0


def test_pretraining_on_the_layout_of_a_distillation_is_said_to_be_slower():
    """An 8B teacher in 16 bits takes most of what lets activations stay on a 24 GB card.

    What the student alone could do in the hours, `estimate` says, whose layout is its own.
    """
    machine_words = ("--gpu", "rtx-4090", "--gpus", "32", "--optimizer", "adam8bit")
    asked = ("--model", "qwen3-4b", "--tokens", "20B", *machine_words, "--layout", "auto")
    alone = json.loads(run("estimate", *asked, "-o", "json").stdout)
    hours = f"{alone['gpu_hours']['mid']} gpu-hours"
    words = {"gpus": 32, "student": "qwen3-4b", "teacher": "qwen3-8b", "layout": "auto"}
    small = {**words, "compute": hours, "gpu": "rtx-4090", "optimizer": "adam8bit"}
    found = plan(scenario_from_options(**small))
    (told,) = [one for one in found.warnings if one.code == "pretraining_layout"]
    assert "reads 20.0B tokens" in told.message
    assert found.supervised.student_tokens < 20e9 / 1.02
    # with room for both, they have one layout
    roomy = {**words, "compute": "1000 gpu-hours", "gpu": "b200-sxm"}
    assert "pretraining_layout" not in plan(scenario_from_options(**roomy)).warning_codes


def test_a_plan_says_its_layout_and_can_be_asked_again(tmp_path):
    words = ("--gpu", "rtx-4090", "--gpus", "8", "--student", "1.5B", "--teacher", "qwen2.5-7b")
    first = run("budget", "$5k", *words, "--layout", "auto", "--quick", "-o", "json")
    document = json.loads(first.stdout)
    assert document["scenario"]["hardware"]["layout"] == "given"
    file = tmp_path / "again.yaml"
    file.write_text(json.dumps({"base": document["scenario"]}))
    again = json.loads(run("compare", file, "--quick", "-o", "json").stdout)["plans"][0]
    assert again["options"] == document["options"]


@pytest.mark.parametrize(
    "words",
    [
        {"gpu": "b200-sxm", "gpus": 64, "compute": "$5k", "deadline": "1 day"},
        {"gpu": "rtx-3090", "gpus": 1, "compute": 1e18, "student": "1B", "teacher": "1B:1T"},
        {"gpu": "trainium1", "gpus": 16, "compute": "$5k", "teacher": "7B:2T"},
        {"gpu": "h100-sxm", "gpus": 64, "compute": 1e23, "teacher": "llama-3.1-70b"},
    ],
    ids=str,
)
def test_an_open_layout_that_is_found_fits_at_the_sizes_of_the_plan(words):
    """A student whose size is free too grows on a faster layout; both settle."""
    found = plan(scenario_from_options(**words, layout="auto"), quick=True)
    options = (found.supervised, found.deciding)
    told = "layout_found" in found.warning_codes
    assert told is found.scenario.machine.layout_found
    assert any(one.bill.fits is Fits.YES for one in options) or not told


def test_an_open_layout_is_that_of_the_plan_from_scratch():
    words = {"compute": 1e22, "student": "4B", "gpu": "h100-sxm", "layout": "auto"}
    scratch = plan(scenario_from_options(**words), quick=True)
    pruned = scenario_from_options(**words, start="pruned", parent="qwen3-8b")
    found = plan(pruned, quick=True)
    assert found.start is not None
    assert found.scenario.machine.layout_found
    assert scratch.scenario.machine.strategy.sharding is found.scenario.machine.strategy.sharding


def test_an_open_layout_is_for_one_plan():
    words = {**SMALL_CARDS, "student": "1.5B", "layout": "auto"}
    with pytest.raises(InputError, match="layout: auto is for one plan"):
        target(scenario_from_options(**words), loss=2.2)


@pytest.mark.parametrize("price", [{}, {"price": 2.0}], ids=str)
def test_a_budget_in_hours_is_exact_and_its_tokens_are_uncertain(price):
    """The band's ends: the tokens that the hours buy at either end of the speed's range."""
    words = {"compute": f"64 {H100.gpu.name} for 7 days", "student": "1B", **price}
    asked = scenario_from_options(**words)
    answer = plan(asked)
    for option in answer.options:
        bill = option.bill
        for spent in (bill.gpu_hours, bill.wall_seconds, bill.cost_usd):
            assert spent.low == spent.mid == spent.high
        low, high = option.student_tokens_band
        assert low < option.student_tokens < high
        low, high = option.loss_band
        assert low < option.loss < high
    alone = answer.supervised
    seconds = asked.machine.student_seconds(1e9, distilling=False)
    ends = [WEEK * 3600 / end for end in (seconds.high, seconds.low)]
    assert alone.student_tokens_band == pytest.approx(ends, rel=1e-9)
    # fewer tokens are as much worse as the law says, and the law's own error comes on top
    low, high = alone.loss_band
    less, more = (LAW.supervised.loss(1e9, tokens) for tokens in ends)
    assert low <= more < alone.loss < less <= high


@pytest.mark.parametrize(
    ("gpus", "limit", "whole"),
    [
        ("64 h100-sxm", {"deadline": "3 weeks"}, "64 h100-sxm for 3 weeks"),
        ("8 nodes of 8 h100-sxm", {"deadline": "3 weeks"}, "64 h100-sxm for 3 weeks"),
        ("8x4090", {"max_cost_usd": "$500", "price": "0.5"}, "8 rtx-4090 for 125 hours"),
    ],
)
def test_gpus_without_a_time_are_used_as_long_as_a_limit_allows(gpus, limit, whole):
    """By hand: so many GPUs for the time, or for what the money buys at the price."""
    words = {"student": "1B", **{key: value for key, value in limit.items() if key == "price"}}
    asked = scenario_from_options(compute=gpus, student="1B", **limit)
    assert asked.gpu_hours == scenario_from_options(compute=whole, **words).gpu_hours
    with pytest.raises(InputError, match="for how long"):
        scenario_from_options(compute=gpus, student="1B")


def test_dollars_are_exact_too():
    answer = plan(scenario_from_options(compute="$20k", gpu="h100-sxm", price=2.0, student="1B"))
    for option in answer.options:
        cost, hours = option.bill.cost_usd, option.bill.gpu_hours
        assert [cost.low, cost.mid, cost.high] == pytest.approx([20_000] * 3, rel=1e-12)
        assert [hours.low, hours.mid, hours.high] == pytest.approx([10_000] * 3, rel=1e-12)


def test_a_budget_in_flops_has_its_tokens_and_not_its_hours():
    """FLOPs buy the same tokens whatever the speed is; how long they take is uncertain."""
    asked = scenario_from_options(compute=1e21, gpu="h100-sxm", gpus=64, student="1B")
    alone = plan(asked).supervised
    tokens = alone.bill.student_tokens
    assert tokens.low == tokens.mid == tokens.high == alone.student_tokens
    assert alone.student_tokens_band == pytest.approx([alone.student_tokens] * 2, rel=1e-12)
    seconds = H100.student_seconds(1e9, distilling=False)
    hours = alone.bill.gpu_hours
    assert hours.high / hours.low == pytest.approx(seconds.high / seconds.low, rel=1e-9)


@pytest.mark.parametrize(
    ("option", "key", "up"),
    [
        (["--goodput", "0.5"], "total_flops", False),
        (["--mfu", "0.9"], "total_flops", True),
        (["--checkpointing", "full"], "total_flops", False),
        (["--precision", "fp8"], "total_flops", True),
        (["--pue", "2"], "energy_kwh", True),
        (["--price", "100"], "cost_usd", True),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_options_move_what_they_should(option, key, up):
    def value(words):
        answer = json.loads(run(*words, "-o", "json").stdout)["options"][0][key]
        return answer["mid"] if isinstance(answer, dict) else answer

    base = ["budget", "64 h100-sxm for 7 days", "--student", "3B", "--quick"]
    assert (value([*base, *option]) > value(base)) is up


def test_a_teachers_mfu_counts_for_the_teacher():
    base = ["budget", "64 h100-sxm for 7 days", "-s", "3B", "--teacher", "7B:2T"]
    base += ["--quick", "-o", "json"]

    def loss(words):
        options = json.loads(run(*words).stdout)["options"]
        return [one["loss"] for one in options if one["accounting"] in (None, "exists")]

    (alone, slow), (same, fast) = (
        loss([*base, "--teacher-mfu", "0.1"]),
        loss([*base, "--teacher-mfu", "0.8"]),
    )
    assert alone == same
    assert fast < slow


def test_a_price_list_replaces_the_catalog(tmp_path):
    prices = tmp_path / "prices.csv"
    prices.write_text("gpu,usd_per_hour,seller,date,source\nh100-sxm,4,us,2026-11-01,quote\n")
    words = ["budget", "$20k", "--gpu", "h100-sxm", "--prices", str(prices), "-s", "1B"]
    document = json.loads(run(*words, "-o", "json").stdout)
    assert document["scenario"]["gpu_hours"] == pytest.approx(5_000)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["$20k"], "need a GPU"),
        (["5k gpu-hours"], "need a GPU"),
        (["1e21", "--gpus", "8"], "--gpus needs a GPU; add --gpu h100-sxm"),
        (["64 h100 for 7 days"], "h100-sxm"),
        (["64 h100-sxm for 7 days", "--gpu", "a100-80gb"], "leave one out"),
        (["64 h100-sxm for 7 days", "--gpus", "8"], "leave one out"),
        (["64 h100-sxn for 7 days"], "did you mean"),
        (["1e21", "--gpu", "h100-sxm", "--mfu", "1.5"], "mfu"),
        (["1e21", "--gpu", "h100-sxm", "--goodput", "0"], "goodput"),
        (["1e21", "--gpu", "h100-sxm", "--gpus", "0"], "not positive"),
        (["1e21", "--gpu", "h100-sxm", "--price", "-1"], "price"),
        (["1e21", "--gpu", "h100-sxm", "--country", "Atlantis"], "country"),
        (["1e21", "--gpu", "h100-sxm", "--prices", "none.csv"], "cannot be read"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_mistakes_about_hardware_get_one_sentence(words, says):
    found = run("budget", *words, "--student", "1B")
    assert found.returncode == 2
    assert found.stdout == ""
    assert says in found.stderr
    assert found.stderr.count("\n") == 1


def test_a_scenario_has_one_budget():
    with pytest.raises(InputError, match="only one"):
        scenario(compute=1e21)
    with pytest.raises(InputError, match="only one"):
        Scenario(law=LAW)
    with pytest.raises(InputError, match="gpu_hours needs a GPU"):
        Scenario(law=LAW, gpu_hours=100.0)
