"""Demands on a plan."""

import pytest

from distillplan import Scenario, Teacher, plan
from distillplan.accounting import Logits
from distillplan.errors import InputError
from distillplan.questions.assertions import (
    BILL,
    NUMBERS,
    OF_THE_PLAN,
    assertion,
    check,
    demand_known,
    parse_assertion,
)
from tests.declared_codes import declared_codes
from tests.plans import scenario_from_options


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


def inside(value, key):
    """The value at a path of names; `low` and `high` are the ends of a pair."""
    for name in key.split("."):
        if value is None:
            return None
        pair = isinstance(value, tuple) and name in ("low", "high")
        value = value[name == "high"] if pair else getattr(value, name)
    return value


def test_every_number_of_the_recommended_option_may_be_asked(distilled):
    absent = set()
    for key in NUMBERS:
        first = key.split(".")[0]
        if first in BILL:
            continue  # no machine
        value = inside(
            distilled if first in ("margin_nats", "odds") else distilled.recommended, key
        )
        (found,) = check([assertion(key, f">= {0 if value is None else value!r}")], distilled)
        assert found.value == value
        assert found.passed is (value is not None), key
        absent |= {first} if value is None else set()
    # of what was given there is no band, and no open model was proposed
    assert absent == {
        "pretrained_loss",
        "student_params_band",
        "teacher_params_band",
        "teacher_tokens_band",
    }


@pytest.mark.parametrize(
    ("text", "passed"),
    [
        ("odds.distill >= 0.5", True),
        ("odds.supervised <= 0.5", True),
        ("odds.tie > 1", False),
        ("verdict_reason = likeliest", True),
        ("verdict_reason != too_close", True),
        ("verdict_reason = far_outside_fit", False),
        ("warnings includes teacher_tokens_outside_fit", True),
        ("warnings includes outside_fit", True),
        ("warnings excludes outside_fit", False),
        ("warnings excludes does_not_fit", True),
        ("warnings includes does_not_fit", False),
        ("loss_band.low <= 2.13", True),
        ("loss_band.high >= 2.12", True),
        ("gain_band.low > 0.05", False),
        ("supervised.loss_band.low < 2.2", True),
        ("compute_multiplier > 1", True),
        ("supervised.regret_nats >= 0.01", True),
    ],
)
def test_odds_reasons_warnings_and_bands_may_be_asked(distilled, text, passed):
    (found,) = check([parse_assertion(text)], distilled)
    assert found.passed is passed


@pytest.mark.parametrize(
    ("key", "condition"),
    [
        ("odds.distill", ">= 0.5"),
        ("warnings", "excludes outside_fit"),
        ("verdict_reason", "likeliest"),
    ],
)
def test_a_file_asks_as_a_command_does(distilled, key, condition):
    typed = parse_assertion(
        f"{key}: {condition}" if key == "verdict_reason" else f"{key} {condition}"
    )
    assert check([assertion(key, condition)], distilled) == check([typed], distilled)


def test_every_code_and_every_part_of_one_may_be_asked():
    """All that the sources can emit, read from the sources."""
    for code in declared_codes():
        for part in (code, *code.split("_")):
            assert parse_assertion(f"warnings excludes {part}").wanted == part


def test_what_warnings_there_are_is_told(distilled):
    """The codes that an assertion is about, or all of them where it is about none."""
    codes = " ".join(distilled.warning_codes)
    for text, value in (
        ("warnings excludes outside_fit", "teacher_tokens_outside_fit"),
        ("warnings includes does_not_fit", codes),
    ):
        (found,) = check([parse_assertion(text)], distilled)
        assert (found.passed, found.value) == (False, value)


def test_without_odds_a_demand_on_them_fails(distilled):
    quick = plan(distilled.scenario, quick=True)
    for text in ("odds.distill >= 0", "loss_band.low >= 0"):
        (found,) = check([parse_assertion(text)], quick)
        assert (found.passed, found.value) == (False, None)


def test_a_demand_is_refused_where_no_plan_of_the_question_can_have_the_value(distilled):
    """Exactly those whose value is there with the odds, or with a machine, and not without."""
    bare = distilled.scenario
    hired = scenario_from_options(compute=1e21, gpu="h100-sxm", student="1B", country="FRA")
    for scenario, rich, poor, quick in (
        (bare, plan(bare), plan(bare, quick=True), True),
        (bare, plan(hired), plan(bare), False),
    ):
        parts = [f"supervised.{name}" for name in NUMBERS if name not in OF_THE_PLAN]
        for key in (*NUMBERS, *parts):
            demand = assertion(key, ">= 0")
            (there,), (here,) = check([demand], rich), check([demand], poor)
            lost = there.value is not None and here.value is None
            try:
                demand_known([demand], scenario, quick=quick)
            except InputError:
                assert here.value is None, key
            else:
                assert not lost, key
    (fits,) = [parse_assertion("fits = no")]
    demand_known([fits], hired)
    with pytest.raises(InputError, match="no GPU is named"):
        demand_known([fits], bare)


def test_a_verdict_that_there_is_not_can_be_demanded_by_its_reason(busbridge):
    answer = plan(Scenario(compute=1e19, student_params=3e10, law=busbridge), quick=True)
    for text, passed in (
        ("verdict != distill", False),
        ("verdict_reason = far_outside_fit", True),
        ("loss <= 9", False),  # nothing is recommended
    ):
        (found,) = check([parse_assertion(text)], answer)
        assert found.passed is passed


def test_the_bill_may_be_asked_where_a_machine_is_known():
    answer = plan(scenario_from_options(compute="$20k", gpu="h100-sxm", student="1B"), quick=True)
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
    answer = plan(Scenario(compute=1e21, student_params=1e9, law=busbridge), quick=True)
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
        ("cost <= 5000", "did you mean 'cost_usd'\\?"),
        ("time <= 2", "did you mean 'wall_seconds'\\?"),
        ("memory <= 24GB", "did you mean 'memory_bytes_per_gpu'\\?"),
        ("tokens >= 1B", "did you mean 'student_tokens' or 'tokens_per_param' or 'teacher_tokens'"),
        ("perplexity <= 9", "use a word of the answers with -o json, e.g. loss"),
        ("odds.win >= 0.5", "unknown"),
        ("distill.odds.distill >= 0.5", "unknown"),
        ("loss_band >= 2", "unknown"),
        ("loss_band.mid >= 2", "unknown"),
        ("verdict_reason = because", "none of likeliest, too_close"),
        ("warnings = outside_fit", "not 'includes CODE' or 'excludes CODE'"),
        ("warnings includes Outside Fit", "not 'includes CODE' or 'excludes CODE'"),
        ("warnings excludes outside_fti", "no warning has 'outside_fti' in its code"),
        ("warnings includes does_not_fits", "did you mean 'does_not_fit'"),
        ("exists.warnings includes price_old", "unknown"),
        ("x" * 1000, "not a key"),
    ],
)
def test_demands_that_are_none(text, says):
    with pytest.raises(InputError, match=says):
        parse_assertion(text)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("fits = tight", "uncertain"),
        ("verdict = pretrain", "supervised"),
        ("verdict != pretrain", "supervised"),
    ],
)
def test_words_of_screens_are_those_of_documents(text, wanted):
    one = parse_assertion(text)
    assert (one.wanted, one.text) == (wanted, text)


def test_keys_with_a_word_of_screens_are_told_that_of_documents():
    with pytest.raises(InputError, match=r"; write supervised\.loss$"):
        parse_assertion("pretrain.loss <= 2")


def test_quotes_and_signs_of_print_are_read():
    assert parse_assertion("loss ≤ 2.3")[:3] == parse_assertion("loss <= 2.3")[:3]
    for quoted in ("verdict != 'distill'", 'verdict ≠ "distill"'):
        assert parse_assertion(quoted).wanted == "distill"
    assert parse_assertion('verdict == "pretrain"').wanted == "supervised"
