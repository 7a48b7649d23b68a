"""What the format of stored logits does to a plan.

Published losses are those of Anshumann et al. 2025 (arXiv:2503.16870): a 300M student with hard
labels 2.81 and with full logits 2.75, a 3B student 2.37 and 2.34.
"""

import json
import math
import re

import pytest

from distillplan.accounting import Accounting, Logits
from distillplan.errors import InputError
from distillplan.laws.format_studies import KeptLogits, format_studies
from distillplan.laws.law_catalog import law
from distillplan.laws.logit_formats import LogitKind, StoredFormat, format_penalty, penalty_of
from distillplan.planning.planner import plan
from distillplan.planning.scenario import Scenario
from distillplan.planning.teacher import Teacher
from distillplan.questions.teacher_losses import TaughtBy, teacher_losses
from tests.plans import quick_plan, scenario_from_options
from tests.shell import answer, codes, run
from tests.shipped import shipped

CACHED = ("budget", "1e21", "--student", "1B", "--teacher", "7B:2T", "--logits", "cached")
HARD, FULL = 2.81, 2.75
TOP_128 = StoredFormat(kind=LogitKind.TOP_K, entries=128)


def stored(*words):
    return answer(*CACHED, "--logit-format", *words)


def deciding(document):
    (one,) = [one for one in document["options"] if one["decides"]]
    return one


@pytest.mark.parametrize(
    ("kind", "kept", "loss"),
    [
        (KeptLogits.TOP_K, 3, 3.04),
        (KeptLogits.TOP_K, 12, 2.87),
        (KeptLogits.TOP_K, 50, 2.80),
        (KeptLogits.TOP_K, 300, 2.76),
        (KeptLogits.TOP_K_AND_LABEL, 5, 2.78),
        (KeptLogits.TOP_K_AND_LABEL, 100, 2.75),
        (KeptLogits.SAMPLED, 2.4, 2.77),
        (KeptLogits.SAMPLED, 12.1, 2.75),
    ],
)
def test_the_published_losses_come_back(kind, kept, loss):
    """Each loss is printed to 0.01."""
    assert FULL + format_penalty(kind, kept).nats == pytest.approx(loss, abs=0.0101)


@pytest.mark.parametrize(("kept", "loss"), [(12, 2.50), (50, 2.40)])
def test_the_larger_student_lies_within_the_range(kept, loss):
    """The 3B student: 2.34 nats with full logits; nothing was set by it but the range."""
    found = format_penalty(KeptLogits.TOP_K, kept)
    assert found.low - 1e-9 <= loss - 2.34 <= found.high + 1e-9


def test_a_range_holds_what_other_laboratories_found():
    """The paper's 0.11 nats at 128, and no loss at 100 in arXiv:2608.03796."""
    for kept in (100, 128):
        found = format_penalty(KeptLogits.TOP_K, kept)
        assert (found.low, found.high) == (0.0, 0.11)
    assert format_penalty(KeptLogits.TOP_K, 50).low > 0


@pytest.mark.parametrize("kind", list(KeptLogits))
def test_more_tokens_never_cost_more(kind):
    found = [format_penalty(kind, kept).nats for kept in (1, 2, 5, 12, 20, 50, 100, 300, 1000)]
    assert found == sorted(found, reverse=True)
    assert not format_penalty(kind, 1000).tried


def test_ranges_hold_their_middle():
    for kind in KeptLogits:
        for kept in (1, 3, 12, 40, 128, 500):
            found = format_penalty(kind, kept)
            assert 0 <= found.low <= found.nats <= found.high


def test_full_logits_change_nothing_but_say_what_is_stored():
    without, full = answer(*CACHED), stored("full")
    assert deciding(full)["stored"]["kept_share"] == 1.0
    for one in (*without["options"], *full["options"]):
        one.pop("stored")
    for name in ("options", "odds", "flips", "margin_nats", "headline"):
        assert without[name] == full[name]


def test_a_plan_without_a_format_says_nothing_of_one():
    found = answer(*CACHED)
    assert all(one["stored"] is None for one in found["options"])
    assert found["scenario"]["logit_format"] is None
    assert not {one for one in codes(found) if one.startswith("logit_format")}


def test_the_top_12_are_worse_than_no_teacher():
    """In the published runs too: 2.87 against 2.81 with hard labels."""
    found = stored("top-k", "--logit-k", "12")
    one = deciding(found)
    assert one["gain_nats"] < 0
    assert one["stored"]["kept_share"] < 0
    assert one["stored"]["kept_high"] < 0
    assert found["verdict"] == "supervised"
    assert "logit_format_worse_than_none" in codes(found)
    shown = run(*CACHED, "--logit-format", "top-k", "--logit-k", "12").stdout
    assert "worse than no teacher" in " ".join(shown.split())


@pytest.mark.parametrize("words", [["top-k", "--logit-k", "12"], ["top-k"], ["top-k-and-label"]])
def test_the_gain_is_that_of_full_logits_less_the_penalty(words):
    """Nothing else moves: the penalty depends on no size, so the best sizes stay."""
    full, one = (deciding(found) for found in (stored("full"), stored(*words)))
    lost = one["stored"]["penalty_nats"]
    assert one["loss"] == pytest.approx(full["loss"] + lost, abs=1e-12)
    assert one["gain_nats"] == pytest.approx(full["gain_nats"] - lost, abs=1e-12)
    assert one["student_tokens"] == full["student_tokens"]
    kept = 1 - lost / full["gain_nats"]
    assert one["stored"]["kept_share"] == pytest.approx(kept, abs=1e-9)
    assert one["stored"]["kept_low"] <= kept <= one["stored"]["kept_high"]


def test_the_odds_go_by_it():
    odds = [
        stored(*words)["odds"]["distill"]
        for words in (["full"], ["sampled"], ["top-k-and-label"], ["top-k", "--logit-k", "12"])
    ]
    assert odds[0] > odds[2] > odds[3]
    assert odds[1] == pytest.approx(odds[0], abs=0.01)


def test_a_wide_range_widens_the_odds(monkeypatch):
    """The same middle without its range: the top 128 cost 0.024 nats, from 0 to 0.11."""
    many = Scenario(
        law=law(),
        compute=1e21,
        student_params=1e9,
        teacher=Teacher(params=7e9, tokens=2e12),
        logits=Logits.CACHED,
        stored=StoredFormat(kind=LogitKind.TOP_K),
    )
    wide = plan(many)
    monkeypatch.setattr("distillplan.planning.odds.format_error", lambda _, at: 0.0 * at)
    narrow = plan(many)
    assert wide.margin_nats == narrow.margin_nats
    for one in (wide, narrow):
        assert one.odds is not None
        assert one.confidence is not None
    assert wide.odds.tie < narrow.odds.tie
    like = (wide.confidence.odds_like_the_law, narrow.confidence.odds_like_the_law)
    assert like[0].distill > like[1].distill + 0.05


def test_bytes_storage_and_reading():
    words = ("budget", "1e21", "--student", "1B", "--teacher", "7B:2T", "--logits", "stored")
    machine = ("--gpu", "h100-sxm", "--gpus", "64")
    found = deciding(
        answer(*words, *machine, "--logit-format", "sampled", "--logit-months", "3", "--quick")
    )
    kept = found["stored"]
    assert kept["bytes_per_token"] == 60  # 12 tokens of 5 bytes
    assert kept["total_bytes"] == pytest.approx(60 * found["student_tokens"])
    assert kept["storage_usd"] == pytest.approx(kept["total_bytes"] / 1e12 * 23 * 3)
    (storage,) = [one for one in found["bill"] if one["phase"] == "logit_storage"]
    assert storage["cost_usd"]["mid"] == pytest.approx(kept["storage_usd"])
    (training,) = [one for one in found["bill"] if one["phase"] == "student_training"]
    assert kept["read_bytes_per_s"] * training["wall_seconds"]["mid"] == pytest.approx(
        kept["total_bytes"]
    )


def test_a_corpus_that_is_read_again_is_stored_once():
    found = deciding(stored("sampled", "--max-unique-tokens", "20B", "--quick"))
    assert found["student_tokens"] > 20e9
    assert found["stored"]["total_bytes"] == pytest.approx(60 * 20e9)


ON_DISK = ("--teacher", "llama-3.1-8b", "--logits", "stored", "--gpu", "h100-sxm", "--gpus", "64")


@pytest.mark.parametrize("money", [("$50k",), ("--max-cost", "$50k"), ("20k gpu-hours",)])
@pytest.mark.parametrize("kept", ["full", "sampled"])
def test_money_pays_for_storage_and_hours_do_not(money, kept):
    """What is spent in hours and on disks is the budget; 205B tokens of full logits are $1.2M."""
    words = ("--student", "3B", "--students", "4", "--logit-format", kept, *ON_DISK)
    document = answer("budget", *money, *words, "--quick")
    found = deciding(document)
    hours = found["gpu_hours"]["mid"] * 2.5
    assert found["cost_usd"]["mid"] == pytest.approx(hours + found["stored"]["storage_usd"])
    spent = found["cost_usd"]["mid"] if money != ("20k gpu-hours",) else hours
    assert spent == pytest.approx(50_000)
    again = answer("compare", "-", "--quick", stdin=json.dumps({"base": document["scenario"]}))
    (same,) = again["plans"]
    assert deciding(same) == found


def test_a_deadline_leaves_money_a_limit():
    """Five days cost $19.2k, and full logits of all that they train on far over $50k: fewer do."""
    words = ("$50k", "--deadline", "5 days", "--student", "3B", "--logit-format", "full", *ON_DISK)
    document = answer("budget", *words, "--quick")
    found = deciding(document)
    assert found["cost_usd"]["mid"] == pytest.approx(50_000)
    assert found["gpu_hours"]["mid"] * 2.5 < 19_200
    assert document["verdict_reason"] == "likeliest"


def test_the_least_cost_has_storage_in_it():
    words = ("--student", "3B", "--students", "4", "--set", "logit_format=full", *ON_DISK)
    found = answer("target", "--loss", "2.1", "--minimize", "cost", *words)
    alone, taught = (
        next(one for one in found["ways"] if one["accounting"] == way) for way in (None, "exists")
    )
    times = taught["option"]["cost_usd"]["mid"] / alone["option"]["cost_usd"]["mid"]
    assert taught["over_supervised"] == pytest.approx(times)
    assert times > 10
    assert taught["option"]["loss"] == pytest.approx(2.1)


def test_stored_once_is_billed_once():
    words = ("8 h100-sxm for 7 days", "--student", "1B", "--students", "2", *ON_DISK[:4])
    kept = ("--logit-format", "top-k", "--max-unique-tokens", "10B", "--quick")
    found = deciding(answer("budget", *words, *kept))
    (storage,) = [one for one in found["bill"] if one["phase"] == "logit_storage"]
    assert storage["cost_usd"]["mid"] == pytest.approx(found["stored"]["storage_usd"])


def test_logits_beside_the_cached_ones_are_full():
    """The option to run the teacher is shown for comparison, and reads nothing from disk."""
    full, cut = stored("full"), stored("top-k", "--logit-k", "12")
    for document in (full, cut):
        by_way = {one["accounting"]: one for one in document["options"]}
        assert by_way[Accounting.EXISTS]["stored"] is None
    ways = [{one["accounting"]: one["loss"] for one in found["options"]} for found in (full, cut)]
    assert ways[0][Accounting.EXISTS] == ways[1][Accounting.EXISTS]


def test_an_hour_budget_pays_the_penalty_too():
    words = ("budget", "64 h100-sxm for 7 days", "--student", "1B", "--teacher", "7B:2T")
    full, cut = (
        deciding(answer(*words, "--logits", "stored", "--quick", "--logit-format", *one))
        for one in (["full"], ["top-k", "--logit-k", "12"])
    )
    assert cut["loss"] - full["loss"] == pytest.approx(cut["stored"]["penalty_nats"], abs=1e-9)


def test_the_default_is_sampled():
    assert deciding(answer(*CACHED, "--logit-k", "20", "--quick"))["stored"]["format"] == "sampled"
    words = ("estimate", "--model", "1B", "--teacher", "llama-3.1-8b", "--tokens", "100B")
    step = answer(*words, "--gpu", "a100-80gb")["distillation"]
    assert (step["logit_format"]["name"], step["logit_format"]["bytes_per_token"]) == (
        "sampled",
        60,
    )


def test_estimate_says_what_a_format_costs():
    words = ("estimate", "--model", "1B", "--teacher", "llama-3.1-8b", "--tokens", "100B")
    cut = answer(*words, "--gpu", "a100-80gb", "--logits", "stored", "--logit-format", "top-k")
    assert "logit_format_costs" in codes(cut)
    none = answer(
        *words, "--gpu", "a100-80gb", "--logits", "stored", "--logit-format", "distillkit"
    )
    assert "logit_format_not_measured" in codes(none)


@pytest.mark.parametrize(
    ("kind", "k", "code"),
    [
        ("top-k", "5000", "logit_format_outside"),
        ("top-k", "2", "logit_format_outside"),
        ("top-k", "300", "logit_format_costs"),
        ("distillkit", None, "logit_format_not_measured"),
    ],
)
def test_an_estimate_says_of_a_format_what_a_plan_says(kind, k, code):
    """In the same sentence; k of 3 to 300 were tried (arXiv:2503.16870)."""
    format_words = ("--logits", "stored", "--logit-format", kind, *(("--logit-k", k) if k else ()))
    pair = ("--teacher", "qwen2.5-3b", *format_words)
    run_of = answer("estimate", "--model", "500M", "--tokens", "100B", "--gpu", "a100-80gb", *pair)
    shared = ("--students", "64")  # so that the teacher is worth its passes
    planned = answer("budget", "3e21", "--student", "500M", *shared, *pair, "--quick")
    said = [
        {one["code"]: one["message"] for one in found["warnings"] if one["code"] == code}
        for found in (run_of, planned)
    ]
    assert said[0] == said[1] != {}


def test_the_curve_over_teachers_has_the_penalty_too():
    """The picture of `plot teacher`: the same shift at every teacher."""
    asks = {
        "law": law(),
        "compute": 1e21,
        "student_params": 1e9,
        "teacher": Teacher(params=7e9, tokens=2e12),
        "logits": Logits.CACHED,
    }
    cut = StoredFormat(kind=LogitKind.TOP_K, entries=12)
    full = teacher_losses(Scenario(**asks)).of(TaughtBy.GIVEN)[0]
    less = teacher_losses(Scenario(**asks, stored=cut)).of(TaughtBy.GIVEN)[0]
    assert less.student_loss == pytest.approx(
        full.student_loss + format_penalty(KeptLogits.TOP_K, 12).nats
    )


def test_top_p_costs_at_least_the_top_100_and_at_most_what_p_of_0_9_did():
    """Of p 0.95 then k 100, whose mean is 25 entries: the published top 25 at -21% of 0.06 nats,
    the top 100 at 55%, and p 0.9 at 0.13 nats (Appendix G of the paper)."""
    found = penalty_of(StoredFormat(kind=LogitKind.TOP_P))
    assert found.nats == pytest.approx(1.21 * 0.06)
    assert found.nats > (1 - 0.55) * 0.06
    assert (found.low, found.high) == (0.0, 0.13)
    (told,) = [one for one in shipped("recipe.yaml")["lines"] if one["topic"] == "top k"]
    assert told["numbers"]["p_cost"] == found.high


def test_distillkit_costs_between_nothing_and_its_top_128():
    """Half of a line over the logarithm from 0.027 nats at 100 to 0.0138 at 300, at 128."""
    found, alone = penalty_of(StoredFormat(kind=LogitKind.DISTILLKIT)), penalty_of(TOP_128)
    part = math.log(1.28) / math.log(3)
    assert found.nats == pytest.approx((0.45 - part * (0.45 - 0.23)) * 0.06 / 2)
    assert (found.low, found.high) == (0.0, alone.high)


@pytest.mark.parametrize("kind", list(LogitKind))
def test_every_format_has_a_cost_within_its_range_and_a_source(kind):
    found = penalty_of(StoredFormat(kind=kind))
    assert 0 <= found.low <= found.nats <= found.high
    assert found.source


@pytest.mark.parametrize("kind", ["top-p", "distillkit"])
def test_what_is_inferred_is_counted_and_called_an_inference(kind):
    found, full = stored(kind), stored("full")
    (told,) = [one for one in found["warnings"] if one["code"] == "logit_format_not_measured"]
    assert "an inference" in told["message"]
    kept = deciding(found)["stored"]
    assert kept["penalty_source"].startswith("inferred")
    lost = deciding(found)["loss"] - deciding(full)["loss"]
    assert lost == pytest.approx(kept["penalty_nats"])
    assert found["odds"]["distill"] < full["odds"]["distill"]


def test_numbers_of_tokens_that_nobody_tried_are_said():
    assert "logit_format_outside" in codes(stored("top-k", "--logit-k", "2"))


def test_a_file_asks_the_same(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text(
        "base: {compute: 1e21, student: 1B, teacher: 7B:2T, logits: cached}\n"
        "scenarios:\n"
        "  full: {logit_format: full}\n"
        "  cut: {logit_format: top-k, logit_k: 12}\n",
        encoding="utf-8",
    )
    found = answer("compare", path)
    by_name = {one["name"]: one for one in found["plans"]}
    assert by_name["cut"]["odds"] == stored("top-k", "--logit-k", "12")["odds"]
    assert by_name["full"]["verdict"] != by_name["cut"]["verdict"]


def test_a_run_is_tracked_by_the_loss_that_was_planned(tmp_path):
    """The plan's loss has the penalty in it, and so has what is on course."""
    words = (*CACHED, "--logit-format", "top-k", "--logit-k", "12")
    planned = tmp_path / "plan.json"
    planned.write_text(run(*words, "-o", "json").stdout, encoding="utf-8")
    losses = tmp_path / "losses.csv"
    losses.write_text("tokens,loss\n20e9,2.9\n40e9,2.7\n60e9,2.6\n", encoding="utf-8")
    found = run("track", planned, losses, "--option", "free", "-o", "json")
    assert found.returncode == 0, found.stderr
    assert (
        json.loads(found.stdout)["planned_loss"]
        == deciding(json.loads(planned.read_text(encoding="utf-8")))["loss"]
    )


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["budget", "1e21", "--teacher", "7B:2T", "--logit-format", "top-k"], "--logits stored"),
        ([*CACHED, "--logit-format", "full", "--logit-k", "3"], "--logit-k"),
        ([*CACHED, "--logit-format", "top-k", "--logit-k", "99999"], "--logit-k"),
        ([*CACHED, "--logit-format", "top-p", "--logit-k", "0"], "--logit-k"),
        ([*CACHED, "--logit-format", "mine"], "none of full"),
        (["pilot", *CACHED[1:], "--logit-format", "top-k"], "--logit-format"),
    ],
)
def test_what_cannot_be_used_is_refused(words, says):
    found = run(*words)
    assert (found.returncode, found.stdout) == (2, "")
    assert says in found.stderr


def test_python_refuses_the_same():
    with pytest.raises(InputError, match="logit_format"):
        Scenario(law=law(), compute=1e21, stored=StoredFormat())
    with pytest.raises(InputError, match="logit_k"):
        StoredFormat(kind=LogitKind.TOP_K, entries=0)


def test_the_check_reproduces_the_table():
    found = json.loads(run("check", "formats", "-o", "json").stdout)
    assert (found["failed"], found["known"]) == (0, 0)
    printed = [one for one in format_studies().settings[0].shares if one.share_error is None]
    assert len(found["rows"]) == len(printed) + 19 + 3


BESIDE = ("--student", "3B", "--teacher", "llama-3.1-8b", "--context", "2048", "--logits", "stored")
CUT_AND_WHOLE = [
    ("3e21", *BESIDE),
    CACHED[1:],
    ("64 h100-sxm for 7 days", *BESIDE),
    ("$50k", *BESIDE, "--students", "4", "--gpu", "h100-sxm", "--gpus", "64"),
    ("1e22", "--student", "llama-3.2-3b", *BESIDE[2:]),
]


@pytest.mark.parametrize("kept", ["12", "50", "100"])
@pytest.mark.parametrize("question", CUT_AND_WHOLE)
def test_a_format_that_makes_the_verdict_is_on_the_first_screen(question, kept):
    """What it makes is asked for anew, with sampled logits, which cost nothing."""
    words = ("budget", *question, "--logit-format")
    cut, sampled = (answer(*words, *one) for one in (("top-k", "--logit-k", kept), ("sampled",)))
    screen = " ".join(run(*words, "top-k", "--logit-k", kept).stdout.split())
    flip = cut["flips"]["logit_format"]
    assert (flip is None) is (sampled["verdict"] == cut["verdict"])
    if flip is not None:
        assert flip["verdict"] == sampled["verdict"]
        odds = list(sampled["odds"].values())
        assert list(flip["odds"].values()) == pytest.approx(odds, abs=2e-3)
        assert "sampled logits (--logit-format sampled)" in screen
    lost, gains = deciding(cut)["stored"]["penalty_nats"], deciding(sampled)["gain_nats"]
    worse = lost > gains and (gains > 0 or lost > 0.01)
    assert ("logit_format_worse_than_none" in codes(cut)) is worse
    assert not worse or f"top-{kept} logits are worse than no teacher" in screen


def test_what_it_says_to_type_gives_the_verdict_that_it_names():
    """With so few logits as were asked for, sampled ones would cost something too."""
    words = (*CACHED[1:], "--logit-format", "top-k", "--logit-k", "3")
    named = re.search(r"sampled logits \((.*?)\)", " ".join(run("budget", *words).stdout.split()))
    said = answer("budget", *words)["flips"]["logit_format"]["verdict"]
    assert stored(*named.group(1).split()[1:])["verdict"] == said


def test_formats_that_cost_nothing_turn_nothing():
    for kind in ("full", "sampled"):
        assert stored(kind)["flips"]["logit_format"] is None
    assert answer(*CACHED)["flips"]["logit_format"] is None


@pytest.mark.parametrize("kind", [LogitKind.TOP_K, LogitKind.TOP_K_AND_LABEL, LogitKind.TOP_P])
def test_all_the_logits_are_the_full_ones(kind):
    """The limit: as many as the vocabulary has tokens cost nothing, one fewer hardly more."""
    vocab = 32768
    full = penalty_of(StoredFormat(kind=LogitKind.FULL), vocab)
    all_of_them = penalty_of(StoredFormat(kind=kind, entries=vocab), vocab)
    assert (all_of_them.nats, all_of_them.low, all_of_them.high) == (0.0, 0.0, 0.0)
    assert all_of_them.tried
    almost = penalty_of(StoredFormat(kind=kind, entries=vocab - 1), vocab)
    assert almost.nats == pytest.approx(full.nats, abs=1e-5)
    every = [
        penalty_of(StoredFormat(kind=kind, entries=k), vocab).nats
        for k in (100, 300, 1000, 10_000, 30_000, vocab)
    ]
    assert every == sorted(every, reverse=True)


def test_a_plan_with_all_of_them_is_that_with_full_ones():
    asked = {"compute": 1e21, "student": "3B", "teacher": "7B:500B", "logits": "stored"}
    full, alike = (
        plan(scenario_from_options(**asked, logit_format=kind, logit_k=k))
        for kind, k in (("full", None), ("top-k", 32768))
    )
    assert alike.odds == full.odds
    assert alike.deciding.loss == full.deciding.loss


def test_fewer_than_anybody_tried_cost_more_and_nobody_knows_how_much():
    """The line through the first two that were tried, and as much again above it."""
    tried, more = (format_penalty(KeptLogits.TOP_K, k) for k in (3, 5))
    slope = (tried.nats - more.nats) / math.log(5 / 3)
    found = format_penalty(KeptLogits.TOP_K, 1)
    assert found.nats == pytest.approx(tried.nats + slope * math.log(3))
    assert found.low == pytest.approx(tried.low)
    assert found.high - found.nats >= found.nats - tried.nats
    assert not found.tried


@pytest.mark.parametrize("students", [2, 4, 8])
def test_students_one_after_another_read_at_the_rate_of_one(students):
    words = {"compute": 1e21, "student": "3B", "teacher": "qwen2.5-7b", "logits": "stored"}
    words |= {"logit_format": "top-k", "gpu": "h100-sxm", "gpus": 16}

    def rate(number):
        deciding = quick_plan(scenario_from_options(**words, students=number)).deciding
        return deciding.stored.read_bytes_per_s

    assert rate(students) == pytest.approx(rate(1), rel=1e-6)
