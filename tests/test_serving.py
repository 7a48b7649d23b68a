"""Serving: break-evens against an independent computation, quantization, hours, and what is said.

The independent computation takes the law's formulas, scipy's root finder and a forward pass of
2 N and attention counted anew; it shares no search with the command.
"""

import json
import math
import re

import numpy as np
import pytest
from scipy.optimize import brentq, minimize_scalar

from distillplan.hardware import gpu_catalog
from distillplan.hardware.generation import generation_speed
from distillplan.laws.law_catalog import law
from distillplan.laws.quantization import QuantizedWeights, quantization_law
from distillplan.models.architecture import FixedAspect
from distillplan.models.model_catalog import model
from distillplan.planning.evaluate import law_of
from distillplan.planning.options import option_of
from distillplan.planning.scenario import Scenario
from distillplan.questions.serving_hours import parse_request
from distillplan.questions.serving_odds import LEVELS, ServedPair, pair_odds
from distillplan.questions.serving_records import ServedRequest
from tests.shell import answer, codes, run

LAW = law()
FAMILY = FixedAspect()
BASE = ("--match", "2B:40B", "--student", "1B", "--teacher", "3B:100B")
INT4 = ("--match", "300M:6B", "--student", "200M", "--teacher", "500M:15B", "--quantize", "int4")
INT4_TIMED = ("--gpu", "h100-sxm", "--request", "1000:200")


def asked(*words):
    return answer("serve", *words)


def model_of(document, role, accounting=None):
    return next(
        one for one in document["models"] if (one["role"], one["accounting"]) == (role, accounting)
    )


def forward(params):
    """FLOPs of a forward pass: 2 for each parameter, scores and values of attention, logits.

    Busbridge et al. 2025, Appendix H: width = aspect depth, parameters = omega depth width^2.
    """
    depth = (params / (FAMILY.omega * FAMILY.aspect**2)) ** (1 / 3)
    width = FAMILY.aspect * depth
    return 2 * params + 2 * depth * FAMILY.context * width + 2 * FAMILY.vocab * width


def tokens_for(loss, params, teacher_loss=None):
    """Training tokens to a loss, by scipy."""

    def off(log):
        if teacher_loss is None:
            return LAW.supervised.loss(params, math.exp(log)) - loss
        found = law_of(Scenario(law=LAW, compute=1e21)).loss_at_logs(
            math.log(params), log, math.log(teacher_loss)
        )
        return float(found) - loss

    return math.exp(brentq(off, math.log(params), math.log(1e15), xtol=1e-13, rtol=1e-14))


@pytest.mark.parametrize("logits", ["online", "cached"])
@pytest.mark.parametrize(
    ("larger", "tokens", "smaller", "teacher", "taught"),
    [(2e9, 40e9, 1e9, 3e9, 100e9), (3e9, 60e9, 2e9, 4e9, 300e9), (6e8, 12e9, 3e8, 1e9, 30e9)],
)
def test_break_even_is_that_of_an_independent_computation(
    larger, tokens, smaller, teacher, taught, logits
):
    found = asked(
        *("--match", f"{larger:.0f}:{tokens:.0f}", "--student", f"{smaller:.0f}"),
        *("--teacher", f"{teacher:.0f}:{taught:.0f}", "--logits", logits, "--days", "100"),
    )
    loss = float(LAW.supervised.loss(larger, tokens))
    assert found["loss"] == pytest.approx(loss, abs=1e-9)
    trained = 3 * forward(larger) * tokens
    saved = forward(larger) - forward(smaller)
    teacher_loss = float(LAW.supervised.loss(teacher, taught))
    runs_it = 0.0 if logits == "cached" else forward(teacher)
    for accounting, each, needed in (
        (None, 3 * forward(smaller), tokens_for(loss, smaller)),
        (
            "free" if logits == "cached" else "exists",
            3 * forward(smaller) + runs_it,
            tokens_for(loss, smaller, teacher_loss),
        ),
    ):
        one = model_of(found, "smaller", accounting)
        assert one["option"]["student_tokens"] == pytest.approx(needed, rel=1e-7)
        assert one["training_flops"] == pytest.approx(each * needed, rel=1e-7)
        even = max(each * needed - trained, 0.0) / saved
        assert one["break_even"]["tokens"] == pytest.approx(even, rel=1e-6, abs=1e-6 * needed)
        assert one["break_even"]["tokens_per_day"] * 100 == pytest.approx(
            one["break_even"]["tokens"], rel=1e-12
        )


def test_at_the_break_even_both_take_as_much():
    even = model_of(asked(*BASE), "smaller", "exists")["break_even"]["tokens_per_day"]
    found = asked(*BASE, "--per-day", f"{even:.12g}")
    larger, smaller = model_of(found, "larger"), model_of(found, "smaller", "exists")
    assert smaller["lifetime_flops"] == pytest.approx(larger["lifetime_flops"], rel=1e-9)


@pytest.mark.parametrize("per_day", ["10M", "1B", "30B"])
def test_the_cheapest_pretrained_is_a_dense_search_s(per_day):
    """Over sizes by scipy: the least of training and serving at one loss."""
    found = asked(*BASE, "--per-day", per_day)
    served = {"10M": 1e7, "1B": 1e9, "30B": 3e10}[per_day] * 365
    loss = float(LAW.supervised.loss(2e9, 40e9))

    def life(log):
        params = math.exp(log)
        return forward(params) * (3 * tokens_for(loss, params) + served)

    least = minimize_scalar(life, bounds=(math.log(5e8), math.log(1e10)), method="bounded")
    one = model_of(found, "cheapest_pretrained")
    assert one["lifetime_flops"] == pytest.approx(float(least.fun), rel=1e-6)
    marked = [one for one in found["models"] if one["recommended"]]
    own = [one for one in found["models"] if one["accounting"] in (None, "exists")]
    assert len(marked) == 1
    assert marked[0]["lifetime_flops"] == min(one["lifetime_flops"] for one in own)


def test_a_loss_alone_is_compared_with_the_least_pretraining():
    """The closed form of `target`: the student of the best size that takes least to the loss."""
    found = asked("--loss", "2.3", "--student", "500M", "--teacher", "2B:60B")
    target = json.loads(run("target", "--loss", "2.3", "-o", "json").stdout)
    alone = next(one for one in target["ways"] if one["accounting"] is None)
    larger = model_of(found, "larger")
    assert larger["training_flops"] == pytest.approx(alone["total_flops"], rel=1e-6)
    assert larger["option"]["loss"] == pytest.approx(2.3, abs=1e-9)


def test_the_interval_is_where_the_odds_say_so():
    """At its ends the smaller model, given what they save, is no worse with 5% and with 95%."""
    found = asked(*BASE, "--logits", "cached")
    larger, smaller = model_of(found, "larger"), model_of(found, "smaller", "free")
    even = smaller["break_even"]
    assert even["low_tokens"] <= even["tokens"] <= even["high_tokens"]
    saved = larger["flops_per_token"] - smaller["flops_per_token"]
    scenario = Scenario(
        law=LAW, compute=1e21, student_params=1e9, teacher="3B:100B", logits="cached"
    )
    alone = Scenario(law=LAW, compute=larger["training_flops"], student_params=2e9)
    pair = ServedPair(
        scenario=scenario,
        accounting=scenario.pays,
        larger=option_of(alone, None),
        smaller=option_of(scenario, scenario.pays),
        penalties=None,
    )
    odds = pair_odds(pair)
    high = larger["training_flops"] + saved * even["high_tokens"]
    assert odds.chance(np.array([high]))[0] == pytest.approx(LEVELS[1], abs=2e-3)
    middle = larger["training_flops"] + saved * even["tokens"]
    assert odds.chance(np.array([middle]))[0] == pytest.approx(0.5, abs=1e-3)


def test_more_served_favors_the_smaller_model():
    shares = [
        asked(*BASE, "--logits", "cached", "--per-day", one)["odds"]["distill"]
        for one in ("1M", "100M", "1B", "3B")
    ]
    assert shares == sorted(shares)


# --- quantization


def test_the_penalty_is_the_printed_form():
    """Kumar et al. 2024: C exp(-b / g) D^gD / N^gN with their constants, at their largest model."""
    found = quantization_law().penalty(QuantizedWeights.INT4, 1.7e9, 26e9)
    by_hand = 0.0598 * math.exp(-4 / 0.5907) * 26e9**0.5068 / 1.7e9**0.3439
    assert found.nats == pytest.approx(by_hand, rel=1e-12)
    assert quantization_law().penalty(QuantizedWeights.INT4, 1.71e9, 26e9) is None
    assert quantization_law().penalty(QuantizedWeights.INT4, 1.7e9, 26.1e9) is None


def test_the_range_is_how_far_the_law_is_off_for_a_model_outside():
    """Llama 3 8B on WikiText-2: perplexity 6.1, and 6.5 with GPTQ in 4 bits (2404.14047)."""
    off = quantization_law().error_factor
    said = 0.0598 * math.exp(-4 / 0.5907) * 15e12**0.5068 / 6.98e9**0.3439
    assert off == pytest.approx(said / math.log(6.5 / 6.1), rel=1e-9)
    one = quantization_law().penalty(QuantizedWeights.INT4, 5e8, 1e10)
    assert (one.high / one.nats, one.nats / one.low) == pytest.approx((off, off))


def test_quantized_models_have_equal_loss_as_they_are_served():
    found = asked(*INT4, "--logits", "cached")
    assert found["quantization"]["measured"]
    assert "quantization_one_study" in codes(found)
    for one in found["models"]:
        served = one["option"]["loss"] + one["penalty"]["nats"]
        assert served == pytest.approx(found["loss"], abs=1e-8)
    plain = asked(*INT4[:-2], "--logits", "cached")
    # the pretrained smaller one, trained for longer, loses more, and so it must be trained longer
    pair = [model_of(one, "smaller")["training_flops"] for one in (found, plain)]
    assert pair[0] > pair[1]


def test_both_spellings_mean_the_same():
    words = (*INT4[:-2], "--logits", "cached")
    assert asked(*words, "--quantise", "int4") == asked(*words, "--quantize", "int4")
    assert "--quantise" not in run("serve", "--help").stdout


def test_what_is_not_measured_is_said_and_gets_no_number():
    found = asked(*BASE, "--quantize", "int4")
    assert not found["quantization"]["measured"]
    assert "quantization_not_measured" in codes(found)
    assert all(one["penalty"] is None for one in found["models"])
    plain = asked(*BASE)
    assert found["loss"] == plain["loss"]
    said = run("serve", *BASE, "--quantize", "int4", COLUMNS="200").stdout
    assert "before int4" in said
    assert "not measured" in said


# --- hours


def test_hours_of_serving_follow_from_the_speed_of_generation():
    found = asked(*BASE, "--gpu", "h100-sxm", "--request", "1000:200", "--per-day", "1B")
    one = model_of(found, "larger")
    shape = FAMILY.nearest_shape(2e9)
    gpu = gpu_catalog.gpu("h100-sxm")
    scenario = Scenario(law=LAW, compute=1e21, student_params=2e9)
    from distillplan.hardware.machine import machine

    on = machine({"gpu": "h100-sxm"}, FAMILY)
    speed = generation_speed(shape, gpu, on.model, prompt=1000, generated=200)
    each = 200 / 1200 / speed.tokens_per_s_per_gpu.mid / 3600
    each *= scenario.student_forward(2e9) / shape.forward_flops(4096)
    hours = one["hours"]
    assert hours["gpu_hours_per_billion"]["mid"] == pytest.approx(each * 1e9, rel=1e-9)
    life = hours["training_gpu_hours"]["mid"] + each * 1e9 * 365
    assert hours["lifetime_gpu_hours"]["mid"] == pytest.approx(life, rel=1e-9)
    assert hours["busy_gpus"]["mid"] == pytest.approx(each * 1e9 / 24, rel=1e-9)


def test_break_even_in_hours_is_where_hours_are_equal():
    found = asked(*BASE, "--gpu", "h100-sxm", "--request", "1000:200")
    larger, smaller = model_of(found, "larger"), model_of(found, "smaller", "exists")
    even = smaller["break_even"]
    taken = [
        one["hours"]["training_gpu_hours"]["mid"]
        + one["hours"]["gpu_hours_per_billion"]["mid"] * even["hours_tokens"] / 1e9
        for one in (larger, smaller)
    ]
    assert taken[0] == pytest.approx(taken[1], rel=1e-9)
    assert even["low_hours_tokens"] <= even["hours_tokens"] <= even["high_hours_tokens"]


def test_what_does_not_fit_is_watched_first():
    """3B with Adam takes 16 bytes a parameter, 48 GB, and an RTX 4090 has 24."""
    words = ("--match", "3B:60B", "--student", "1B", "--teacher", "7B:2T", "--per-day", "50M")
    machine = ("--gpu", "rtx-4090", "--gpus", "1", "--request", "1000:200")
    done = run("serve", *words, *machine)
    assert done.returncode == 0, done.stderr
    (watched,) = re.findall(r"^Watch ! (.*)\n", done.stdout, re.MULTILINE)
    assert "training the student does not fit" in watched


TIMED = (*BASE, "--gpu", "h100-sxm", "--price", "2.5", "--request", "1000:200")
STORED = ("--logits", "stored", "--set", "logit_format=full")


def paid(one):
    """Dollars of training, and of a token."""
    return one["hours"]["training_cost_usd"]["mid"], one["hours"]["usd_per_million"]["mid"] / 1e6


@pytest.mark.parametrize(
    ("more", "way", "better"),
    [((), "exists", None), (("--logits", "cached"), "free", "free"), (STORED, "exists", None)],
)
def test_with_a_price_all_speaks_of_money(more, way, better):
    """By hand: extra dollars of training over dollars saved by a token, and by a day."""
    found = asked(*TIMED, *more)
    larger, smaller = model_of(found, "larger"), model_of(found, "smaller", better)
    for one in (model_of(found, "smaller"), model_of(found, "smaller", way)):
        training, each = np.subtract(paid(one), paid(larger))
        assert one["break_even"]["hours_tokens"] == pytest.approx(-training / each, rel=1e-9)
    training, each = np.array(paid(smaller)) / paid(larger)
    said = run("serve", *TIMED, *more, COLUMNS="300").stdout
    start = f"{smaller['break_even']['hours_tokens_per_day'] / 1e6:.3g}"
    headline, *_, why = (line for line in said.splitlines() if "costs" in line)
    assert f"{start}M tokens a day" in headline
    assert f"costs {1 - each:.0%} less; training costs {training:.2f} times" in why


@pytest.mark.parametrize("more", [(), STORED])
def test_a_price_of_nothing_is_no_price(more):
    """By hand, as hours: extra ones of training over those that a token saves."""
    words = (*BASE, *INT4_TIMED, "--price", "0", "--per-day", "1B", *more)
    found = asked(*words)
    larger, smaller = model_of(found, "larger"), model_of(found, "smaller")
    training, each = (
        smaller["hours"][name]["mid"] - larger["hours"][name]["mid"]
        for name in ("training_gpu_hours", "gpu_hours_per_billion")
    )
    assert smaller["break_even"]["hours_tokens"] == pytest.approx(-training / each * 1e9, rel=1e-9)
    own = [one for one in found["models"] if one["accounting"] in (None, "exists")]
    hours = [one["hours"]["lifetime_gpu_hours"]["mid"] for one in own]
    assert [one["recommended"] for one in own] == [each == min(hours) for each in hours]
    assert "it takes fewest GPU-hours at" in found["headline"]
    assert run("serve", *words).returncode == 0


def test_storing_logits_is_paid_for():
    """Dollars over the price are hours, but for those of storage, which no GPU takes."""
    one = model_of(asked(*TIMED, *STORED, "--per-day", "1B"), "smaller", "exists")
    hours = one["hours"]
    (stored,) = (
        line["cost_usd"]["mid"]
        for line in one["option"]["bill"]
        if line["phase"] == "logit_storage"
    )
    assert stored > 0
    for name in ("training", "lifetime"):
        gpus = 2.5 * hours[f"{name}_gpu_hours"]["mid"]
        assert hours[f"{name}_cost_usd"]["mid"] == pytest.approx(gpus + stored, rel=1e-9)


@pytest.mark.parametrize("per_day", ["1M", "1B"])
def test_the_model_that_costs_least_is_marked(per_day):
    found = asked(*TIMED, "--per-day", per_day)
    own = [one for one in found["models"] if one["accounting"] in (None, "exists")]
    costs = [one["hours"]["lifetime_cost_usd"]["mid"] for one in own]
    assert [one["recommended"] for one in own] == [cost == min(costs) for cost in costs]
    assert "it costs least at" in found["headline"]


def test_reasons_are_those_of_what_is_recommended():
    """Pretraining for longer takes less than distilling here; the table has its compute."""
    words = ("--match", "3B:60B", "--student", "1B", "--teacher", "7B:2T")
    found = asked(*words)
    larger, smaller = model_of(found, "larger"), model_of(found, "smaller")
    assert "Pretrain 1.00B for longer: it takes less compute than distilling" in found["headline"]
    times = smaller["training_flops"] / larger["training_flops"]
    assert f"training takes {times:.2f} times as much.\n" in run("serve", *words).stdout


def test_weights_of_fewer_bits_are_read_sooner():
    """The roofline: never slower, and at one sequence, where weights are all, faster by bytes."""
    from distillplan.hardware.machine import machine

    gpu, shape = gpu_catalog.gpu("h100-sxm"), FAMILY.nearest_shape(2e9)
    on = machine({"gpu": "h100-sxm"}, FAMILY)
    one = {"prompt": 1, "generated": 2, "per_gpu": 1.0}
    slow, fast = (
        generation_speed(shape, gpu, on.model, **one, weight_bytes=size).tokens_per_s_per_gpu.mid
        for size in (None, 0.5)
    )
    assert 3.0 < fast / slow <= 4.0


# --- a name beside a size

TAUGHT = ("--teacher", "70B:15T", "--gpu", "h100-sxm", "--request", "4000:500")
OWN = model("llama-3.1-8b").shape


def amounts(*words):
    """What serving and training take, by model."""
    return [
        (one["flops_per_token"], one["hours"] and one["hours"]["gpu_hours_per_billion"]["mid"])
        for one in asked(*words, *TAUGHT)["models"]
    ]


@pytest.mark.parametrize(
    ("named", "sizes"),
    [
        (("--match", "llama-3.1-8b:200B", "--student", "5B"), ("{}:200B", "5B")),
        (
            ("--match", "10B:200B", "--student", "llama-3.1-8b", "--set", "vocab=32768"),
            ("10B:200B", "{}"),
        ),
    ],
)
def test_a_name_beside_a_size_is_costed_as_a_size(named, sizes):
    """The same numbers as its count of parameters gives, for two models are costed alike."""
    larger, smaller = (one.format(OWN.active_params) for one in sizes)
    usual = amounts("--match", larger, "--student", smaller)
    np.testing.assert_allclose(amounts(*named), usual, rtol=1e-9)
    assert "serving_as_sizes" in codes(asked(*named, *TAUGHT))


def test_two_names_are_costed_by_their_own_shapes():
    """Keys and values of 8 of 32 heads: a prompt is stored in a quarter, so serving is faster."""
    words = ("--match", "llama-3.1-8b:100B", "--student")
    named = asked(*words, "llama-3.2-3b", *TAUGHT, "--per-day", "1B")
    assert named["models"][0]["flops_per_token"] == pytest.approx(OWN.forward_flops(4096))
    as_size = amounts(*words, "2.8B")[0][1]
    assert named["models"][0]["hours"]["gpu_hours_per_billion"]["mid"] < as_size / 2
    assert "serving_as_sizes" not in codes(named)
    assert "serving_cheapest_as_size" in codes(named)


# --- what cannot be meant


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--student", "1B"), 2, "give either --loss or --match"),
        (("--match", "1B:20B", "--student", "1B"), 2, "is no smaller than the 1.00B"),
        (
            ("--match", "llama-3.1-8b:200B", "--student", "7B"),
            2,
            "--student: 7.00B is no smaller than llama-3.1-8b (6.98B parameters)",
        ),
        (
            ("--match", "llama-3.1-8b:200B", "--student", "qwen3-8b"),
            2,
            "serving qwen3-8b (6.95B parameters) takes 1.64e10 FLOPs per token, no fewer than",
        ),
        ((*BASE, "--request", "1000:200"), 2, "give both --gpu"),
        ((*BASE, "--gpu", "h100-sxm"), 2, "give both --gpu"),
        ((*BASE, "--gpu", "h100-sxm", "--request", "many"), 2, "is not PROMPT:ANSWER"),
        ((*BASE, "--days", "0"), 2, "--days"),
        ((*BASE, "--quantize", "int3"), 2, "--quantize: 'int3' is none of int4"),
        ((*BASE, "--set", "students=3"), 2, "one model is served"),
        ((*BASE, "--set", "inference_tokens=1T"), 2, "one model is served"),
        ((*BASE, "--law", "besiroglu2024"), 2, "besiroglu2024"),
        (("--match", "7B:2T", "--student", "200M", "--teacher", "7B:2T"), 1, "no training brings"),
    ],
)
def test_what_cannot_be_meant_is_one_sentence(words, code, said):
    done = run("serve", *words)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "days", "tokens"),
    [
        (("--days", "2 years", "--per-day", "7B/week"), 730, 1e9),
        (("--days", "26 weeks", "--per-day", "10k per second"), 182, 864e6),
        (("--lifetime", "2y", "--per-day", "1B tokens a day"), 730, 1e9),
        (("--days", "180", "--per-day", "1B"), 180, 1e9),
    ],
)
def test_a_service_is_as_long_and_as_large_as_it_is_written(words, days, tokens):
    """365 days a year, 7 a week, 86,400 seconds a day."""
    found = asked(*BASE, *words)
    assert found["days"] == pytest.approx(days)
    assert found["tokens_per_day"] == pytest.approx(tokens)


def test_a_request_may_be_in_thousands():
    assert parse_request("1.5k:200", "--request") == ServedRequest(
        prompt_tokens=1500, answer_tokens=200
    )


@pytest.mark.parametrize("text", ["1000", "a:b", "1.5:20", "1000:0", "2000000:5", "-1:4", ":"])
def test_a_request_is_two_numbers(text):
    from distillplan.errors import InputError

    with pytest.raises(InputError, match="--request"):
        parse_request(text, "--request")


@pytest.mark.parametrize("more", [[], ["--per-day", "1B"]])
def test_models_of_less_than_a_token_per_parameter_are_no_answer(more):
    """No run behind the law has so few, and `budget` has no verdict there."""
    found = answer(*["serve", "--match", "20B:3B", "--student", "10B", "--teacher", "2B:2T", *more])
    assert found["far_outside"]
    assert found["headline"].startswith("No verdict")
    assert "less than a token per parameter" in found["headline"]
    assert not any(one["recommended"] for one in found["models"])
    assert "serving_far_outside" in {one["code"] for one in found["warnings"]}
