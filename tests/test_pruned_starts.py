"""Starts from an open model: the rival of every plan, and what `--start` says of it."""

import csv
import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from distillplan.errors import InputError
from distillplan.laws.law_catalog import law
from distillplan.laws.recovery import CutSize, recovered, recovery
from distillplan.models.known_model import known_model
from distillplan.models.model_catalog import models
from distillplan.planning.planner import plan
from distillplan.planning.results import Reason
from distillplan.planning.rival import LARGEST_CUT, cuts, rival_of
from distillplan.planning.scenario import Scenario
from distillplan.planning.start import Start, StartKind
from distillplan.planning.starting import with_start
from distillplan.scenarios.scenario_file import read_scenarios
from distillplan.units.quantities import parse_count
from tests.plans import scenario_from_options
from tests.shell import run

DEFAULT = law()


def asked(**what):
    return plan(Scenario(law=DEFAULT, **what), quick=True)


@pytest.mark.parametrize(
    ("parent", "student", "steps"), [(9, 6, 1), (9, 5.99, 2), (9, 4, 2), (27, 8, 3), (1, 1, 0)]
)
def test_cuts_remove_a_third_at_most(parent, student, steps):
    """Of 27, 18, 12 and 8 each is two thirds of the one before."""
    assert cuts(parent, student) == steps


@pytest.mark.parametrize("size", [3e8, 1e9, 3e9, 7e9, 3e10])
def test_the_rival_has_two_to_ten_times_the_size_and_takes_the_fewest_cuts(size):
    """Against the catalog itself, model by model."""
    found = asked(compute=1e22, student_params=size).rival
    near = {
        one.name: one
        for one in models()
        if one.hub is not None
        and not one.shape.experts
        and one.trained_tokens
        and not one.tuned
        and one.license.distilling != "forbidden"
        and 2 * size <= one.shape.params <= 10 * size
    }
    assert found.parent in near
    assert found.parent_params == near[found.parent].shape.params
    fewest = min(math.ceil(math.log(one.shape.params / size, 1.5)) for one in near.values())
    assert found.cuts == fewest
    alike = [
        one.trained_tokens
        for one in near.values()
        if math.ceil(math.log(one.shape.params / size, 1.5)) == fewest
    ]
    assert found.parent_tokens == max(alike)


def test_no_rival_where_no_open_model_is_large_enough():
    """The largest dense model of the catalog has 402B parameters."""
    assert asked(compute=1e25, student_params=3e11).rival is None
    assert asked(compute=1e25, student_params=2e11).rival.parent == "llama-3.1-405b"


def test_a_law_that_counts_embeddings_names_a_rival_by_the_rest():
    """With a vocabulary of 32,768 a model of 1B parameters in all has about 0.93B without."""
    other = law("besiroglu2024")
    assert other.counts != DEFAULT.counts
    found = plan(Scenario(law=other, compute=1e21, student_params=1e9), quick=True).rival
    family = Scenario(law=other, compute=1e21).architecture
    assert math.isclose(family.total_params(found.student_params), 1e9, rel_tol=1e-9)


def test_the_rival_changes_nothing_else():
    """The same plan with and without open models to prune, but for that field."""
    found = plan(Scenario(law=DEFAULT, compute=1e21, student_params=1e9))
    assert found.rival == rival_of(found._replace(rival=None))
    assert not any("rival" in code or "prune" in code for code in found.warning_codes)


def test_one_line_says_so_on_a_screen_in_the_details_and_in_a_comparison():
    words = ["budget", "1e21", "--student", "1B", "--quick"]
    line = "Not weighed: prune gemma-2-2b to 1.00B; scores known, loss not (--start pruned)"
    for more in ((), ("--details",), ("-o", "markdown")):
        assert run(*words, *more).stdout.replace("\\", "").count(line) == 1
    example = Path(__file__).parents[1] / "examples" / "compare.yaml"
    shown = run("compare", example, "--quick").stdout
    assert shown.count("Not weighed: prune ") == 1
    plans = json.loads(run("compare", example, "--quick", "-o", "json").stdout)["plans"]
    assert len({one["rival"]["parent"] for one in plans}) == 1
    assert "Not weighed: " in run(*words, "--why").stdout.replace("weighed   ", "weighed: ")


# a start that is asked for


PRUNED = {"student": "4B", "start": "pruned", "parent": "qwen3-8b"}
QWEN3_8B = (36 * (2 * 4096 * 4096 + 2 * 4096 * 1024 + 3 * 4096 * 12288), 151_936 * 4096)
"""Weights of its blocks, and of one of its two vocabulary matrices, from its config.json; norms
are left out, which are 1e-4 of them."""


def started(compute=1e22, **words):
    return plan(scenario_from_options(compute=compute, **words), quick=True)


@pytest.fixture(scope="module")
def pruned():
    return plan(scenario_from_options(compute=1e22, **PRUNED))


UNCHANGED = {
    ("1e21", "--student", "1B"): (
        "supervised",
        0.9746395633103213,
        (2.216078835296473, 2.193548412637681, 2.210887648640762),
        "gemma-2-2b",
        [],
    ),
    ("1e22", "--student", "3B", "--teacher", "llama-3.1-8b"): (
        "tie",
        0.4055434001007714,
        (2.026588903322212, 2.011252732125508, 2.0317628238301872),
        "llama-3.1-8b",
        [
            *("teacher_tokens_outside_fit", "teacher_loss_outside_fit", "teacher_loss_from_law"),
            *("models_named", "teacher_licence"),
        ],
    ),
    ("2e20", "--student", "300M", "--gpu", "h100-sxm", "--gpus", "8"): (
        "supervised",
        0.9673418813123783,
        (2.4258412101705247, 2.395475821735777, 2.4142676542803203),
        "llama-3.2-1b",
        ["price_old"],
    ),
}
"""Verdict, odds of training from data alone, first losses, rival and codes before `--start`."""


@pytest.mark.parametrize("words", UNCHANGED)
def test_a_plan_that_asks_for_no_start_is_unchanged(words):
    found = json.loads(run("budget", *words, "-o", "json").stdout)
    verdict, odds, losses, rival, codes = UNCHANGED[words]
    assert found["verdict"] == verdict
    assert found["odds"]["supervised"] == pytest.approx(odds, rel=1e-9)
    shown = [one["loss"] for one in found["options"]][: len(losses)]
    assert shown == pytest.approx(losses, rel=1e-12)
    assert found["rival"]["parent"] == rival
    assert [one["code"] for one in found["warnings"]] == codes
    assert found["start"] is found["scenario"]["start"] is found["scenario"]["parent"] is None
    assert {one["start"] for one in found["options"]} == {"scratch"}


def test_from_scratch_in_a_word_is_no_start_at_all():
    words = {"student": "1B", "teacher": "7B:2T"}
    assert started(1e21, **words, start="scratch") == started(1e21, **words)
    assert started(1e21, **words, start="scratch", parent="qwen3-8b") == started(1e21, **words)
    assert Scenario(law=DEFAULT, compute=1e21, start="scratch").start is None


def test_nothing_says_how_good_it_gets(pruned):
    """No law does: no verdict, no odds, no loss of the ways from the parent."""
    assert pruned.verdict is pruned.odds is pruned.margin_nats is pruned.recommended is None
    assert pruned.confidence is pruned.rival is None
    assert pruned.verdict_reason is Reason.START_HAS_NO_LAW
    assert not any(one.odds or one.recommended or one.regret_nats for one in pruned.options)
    for way in pruned.start.ways:
        assert way.start is StartKind.PRUNED
        assert way.loss is way.loss_band is way.gain_nats is way.gain_band is way.odds is None
        assert way.compute_multiplier is way.gain_from_10_percent is way.regret_nats is None
    assert not any(pruned.flips)
    assert "start_not_measured" in pruned.warning_codes
    assert "the loss of a model cut from qwen3-8b" in pruned.start.not_measured[0]


def test_what_is_not_measured_is_not_read_from_stored_logits_either():
    """What a format costs was measured on students from scratch."""
    words = {"logits": "stored", "logit_format": "top-k", "logit_k": 12, "students": 4}
    _, taught = started(**PRUNED, **words).start.ways
    assert taught.stored.total_bytes > 0
    assert taught.stored.penalty_nats is taught.stored.kept_share is None


def test_its_tokens_are_what_the_budget_buys(pruned):
    """By hand: 3 F of the student for a token, and F of the parent where it teaches."""
    text, taught = pruned.start.ways
    student = pruned.scenario.architecture.forward_flops(4e9)
    blocks, vocabulary = QWEN3_8B
    attention = 36 * 2 * 4096 * 32 * 128
    parent = 2 * (blocks + vocabulary) + attention + 2 * 4096
    assert text.student_tokens == pytest.approx(1e22 / (3 * student), rel=1e-9)
    assert taught.student_tokens == pytest.approx(1e22 / (3 * student + parent), rel=1e-3)
    assert text.total_flops == pytest.approx(1e22)
    assert taught.flops.teacher_logits == pytest.approx(parent * taught.student_tokens, rel=1e-3)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"gpu": "h100-sxm", "gpus": 64},
        {"students": 8, "logits": "stored"},
        {"logits": "cached"},
        {"inference_tokens": "1T"},
    ],
    ids=str,
)
def test_hours_and_cost_are_those_of_the_same_student_from_scratch(more):
    """The limit of the parent as an ordinary teacher, and of text alone."""
    found = started(**PRUNED, **more)
    scratch = started(student="4B", teacher="qwen3-8b", **more)
    text, taught = found.start.ways
    for way, other in ((text, scratch.supervised), (taught, scratch.deciding)):
        assert way.total_flops == other.total_flops
        assert way.flops == other.flops
        assert way.student_tokens == other.student_tokens
        assert way.bill == other.bill
    assert [one.loss for one in found.options] == [one.loss for one in scratch.options]
    assert found.start.scratch.verdict is scratch.verdict


def test_a_budget_in_hours_is_spent():
    text, taught = started("2k GPU-hours", **PRUNED, gpu="h100-sxm").start.ways
    for way in (text, taught):
        assert way.bill.gpu_hours.mid == pytest.approx(2000)
    assert taught.student_tokens < text.student_tokens


def test_a_budget_of_tokens_is_what_they_take_without_a_teacher():
    found = plan(scenario_from_options(**{**PRUNED, "student": "4B:100B"}), quick=True)
    assert found.start.ways[0].student_tokens == pytest.approx(1e11)


def test_the_student_has_the_vocabulary_of_its_parent(pruned):
    assert pruned.scenario.architecture.vocab == known_model("qwen3-8b").vocab == 151_936
    assert pruned.scenario.teacher.model.name == "qwen3-8b"
    other = started(**PRUNED, teacher="llama-3.1-8b")
    assert other.scenario.architecture.vocab == 151_936
    assert "tokenizers_differ" in other.warning_codes
    assert other.start.ways[1].teacher_params == known_model("llama-3.1-8b").params
    assert started(**PRUNED, vocab=32_000).scenario.architecture.vocab == 32_000


def test_without_a_parent_it_is_the_rival_that_a_plan_names():
    for size in ("300M", "1B", "3B", "20B"):
        rival = started(1e22, student=size).rival
        found = started(1e22, student=size, start="pruned")
        assert found.start.parent.name == rival.parent
        assert found.scenario.start.parent.name == rival.parent


@pytest.mark.parametrize("teacher", ["llama-3.1-8b", "qwen3-14b", "gemma-3-27b", "olmo-2-32b"])
@pytest.mark.parametrize("student", ["1B", "3B", "20B"])
def test_a_parent_has_the_tokenizer_of_the_named_teacher_where_any_has(teacher, student):
    """Against the catalog itself: what is cut keeps its tokenizer, and learns from its logits."""
    wanted, size = known_model(teacher).tokenizer, parse_count(student)
    any_has = any(
        one.tokenizer == wanted
        and one.hub is not None
        and not one.shape.experts
        and one.trained_tokens
        and not one.tuned
        and one.license.distilling != "forbidden"
        and 2 * size <= one.shape.params <= 10 * size
        for one in models()
    )
    words = {"student": student, "teacher": teacher}
    rival = started(1e22, **words).rival
    assert (known_model(rival.parent).tokenizer == wanted) is any_has
    assert rival.must_teach is not any_has
    found = started(1e22, **words, start="pruned")
    assert found.start.parent.name == rival.parent
    assert ("tokenizers_differ" in found.warning_codes) is not any_has
    own = started(1e22, student=student, start="pruned", parent=rival.parent)
    assert "tokenizers_differ" not in own.warning_codes


@pytest.mark.parametrize("start", ["pruned", "continued"])
def test_the_student_has_the_tokenizer_of_its_parent_whatever_gave_its_size(start):
    """What is cut or goes on keeps its vocabulary; Llama's tokenizer is not Qwen's."""
    size = "qwen3-4b" if start == "pruned" else "llama-3.1-8b"
    words = {"student": size, "start": start, "parent": "llama-3.1-8b"}
    for teacher, differs in (("llama-3.1-70b", False), ("qwen3-32b", True)):
        found = started(1e22, **words, teacher=teacher)
        assert found.warning_codes.count("tokenizers_differ") == differs
        assert found.scenario.models.tokenizers_differ is differs


def test_another_tokenizer_is_told_of_on_the_first_screen():
    words = ("budget", "3e21", "--student", "3B", "--teacher", "llama-3.1-8b")
    shown = " ".join(run(*words, "--start", "pruned", "--parent", "qwen2.5-7b").stdout.split())
    told = "qwen2.5-7b (qwen2.5), whose tokenizer the student keeps, and its teacher llama-3.1-8b"
    assert shown.index(told) < shown.index("cut, text alone")
    assert shown.count("whose tokenizer the student keeps") == 1
    assert "Watch" not in run(*words, "--start", "pruned").stdout
    shown = run("budget", "1e22", "--student", "20B", "--teacher", "gemma-3-27b", "--quick").stdout
    assert "(--start pruned, without --teacher)" in " ".join(shown.split())


def test_a_parent_that_is_named_for_the_reader_is_as_one_that_is_named_by_him():
    """Its vocabulary counts in the budget, in the tokens and in the hours alike."""
    for money in ("64 h100-sxm for 7 days", "500 tokens/param"):
        asks = {"student": "1B", "teacher": "3B:1T", "start": "pruned", "gpu": "h100-sxm"}
        found = started(money, **asks)
        parent = found.start.parent.name
        assert found.scenario == started(money, **asks, parent=parent).scenario
    hours = started("64 h100-sxm for 7 days", student="1B", start="pruned")
    for option in hours.options:
        assert sum(each.flops for each in option.bill.phases) == pytest.approx(option.total_flops)


def test_the_loss_of_the_parent_is_that_of_a_teacher():
    """The starts from scratch beside it learn from the parent as measured."""
    found = started(**PRUNED, parent_loss=1.9)
    assert found.start.parent_loss == found.deciding.teacher_loss == 1.9
    assert found.start.ways[1].teacher_loss == 1.9
    assert all(one.loss is None for one in found.start.ways)


def test_a_law_without_teachers_knows_text_alone():
    found = started(1e22, **PRUNED, law="besiroglu2024")
    assert [one.accounting for one in found.start.ways] == [None]
    assert found.start.scratch.verdict_reason is Reason.LAW_HAS_NO_DISTILLATION


def test_going_on_from_a_model_keeps_its_shape():
    model = known_model("qwen3-0.6b")
    found = started(1e20, start="continued", parent="qwen3-0.6b")
    assert found.scenario.student_model == model
    (text,) = found.start.ways
    per_token = 3 * model.shape.forward_flops(4096)
    assert text.student_tokens == pytest.approx(1e20 / per_token, rel=1e-9)
    assert found.start.removed_share is found.start.cuts is None
    assert not found.start.recovered
    assert {one.loss for one in found.start.continued} == {2.8739, 2.5579}  # Marin's report
    taught = started(1e20, start="continued", parent="qwen3-0.6b", teacher="qwen3-8b")
    assert [one.loss for one in taught.start.ways] == [None, None]
    by_tokens = scenario_from_options(student_tokens="2B", start="continued", parent="qwen3-0.6b")
    assert by_tokens.compute == pytest.approx(2e9 * per_token, rel=1e-9)


# what is published


PUBLISHED = [
    (
        0.22,
        15e9,
        "mean of 8 benchmarks",
        0.600 / 0.659,
        2.5e9,
    ),  # Nemotron Nano 9B to 7B, model card table
    (0.22, 70e9, "mean of 8 benchmarks", 0.644 / 0.659, 60e9),
    (0.22, 200e9, "mean of 8 benchmarks", 0.651 / 0.659, 80e9),
    (0.19, 2e9, "HellaSwag", 0.6357 / 0.7653, 1.9e9),  # Qwen3-8B, Minitron
    (0.71, 120e9, "mean of 8 benchmarks", 73.45 / 82.68, 120e9),  # SlimQwen
]


@pytest.mark.parametrize(("removed", "tokens", "metric", "share", "at"), PUBLISHED)
def test_recoveries_are_the_published_scores_over_the_parents(removed, tokens, metric, share, at):
    found = recovered(removed, tokens, taught=True)
    (one,) = (it for it in found if it.metric == metric and it.cut is CutSize.ALIKE)
    assert (one.low, one.high) == pytest.approx((share, share), rel=1e-9)
    assert one.least_tokens == one.most_tokens == at


def test_a_start_from_scratch_stands_beside_the_cut_that_has_one():
    """SlimQwen: the same student from random weights, 61.66 where the parent has 82.68."""
    (one,) = (it for it in recovered(0.7, 120e9, taught=True) if it.cut is CutSize.ALIKE)
    assert one.scratch_low == one.scratch_high == pytest.approx(61.66 / 82.68)
    assert one.scratch_high < one.low
    (text,) = recovered(0.7, 120e9, taught=False)
    assert text.high == pytest.approx(69.96 / 82.68)
    assert text.scratch_low is None


def test_the_80_percent_of_qwen3_is_memory():
    """By the published counts: of 8.19B parameters Minitron keeps 6.65B, Puzzletron 7.75B."""
    of = {(one.method, one.student): one.removed for one in recovery().curves}
    assert of["Minitron", "6.65B"] == pytest.approx(1 - 6.65 / 8.19, abs=0.005)
    assert of["Puzzletron", "7.75B"] == pytest.approx(1 - 7.75 / 8.19, abs=0.005)


def test_ranges_hold_every_curve_of_their_kind_and_no_other():
    """By a loop over the curves: each belongs to one range, whose ends some curve has."""
    for removed in (0.05, 0.3, 0.5, 0.9):
        found = recovered(removed, 5e9, taught=True)
        curves = [one for one in recovery().curves if one.taught]
        assert sum(one.curves for one in found) == len(curves)
        for one in found:
            ends = [it.after(5e9).parent_share for it in curves if it.metric == one.metric]
            assert one.low in ends
            assert one.high in ends
            near = [it for it in curves if abs(it.removed - removed) <= 0.1]
            alike = sum(it.metric == one.metric for it in near)
            assert one.cut is not CutSize.ALIKE or one.curves == alike


# rules of practice


def rule(found, name):
    (one,) = (it for it in found.start.practice if it.name == name)
    return one


@pytest.mark.parametrize(
    ("student", "share", "steps", "kept"),
    [("4B", 0.447, 2, False), ("6B", 0.193, 1, True), ("1B", 0.837, 5, False)],
)
def test_a_third_in_one_step(student, share, steps, kept):
    """Share of 8.19B in all, with 12 d^2 in each of the layers and tied embeddings (Appendix G)."""
    size = {"4B": 4e9, "6B": 6e9, "1B": 1e9}[student]
    by_hand = 1 - (size + 151_936 * (size * 128 / 12) ** (1 / 3)) / 8.1907e9
    found = started(**{**PRUNED, "student": student})
    assert by_hand == pytest.approx(share, abs=1e-3)
    assert found.start.removed_share == pytest.approx(by_hand, rel=1e-3)
    assert found.start.cuts == steps == math.ceil(math.log(1 - by_hand) / math.log(2 / 3))
    assert rule(found, "cut_per_step").holds is kept


@pytest.mark.parametrize(("tokens", "kept"), [("50B", False), ("200B", True), ("600B", True)])
def test_80_billion_tokens_and_no_upper_end(tokens, kept):
    """Minitron took 380B (arXiv:2408.11796, 12B to 8B)."""
    found = plan(scenario_from_options(**{**PRUNED, "student": f"4B:{tokens}"}), quick=True)
    one = rule(found, "recovery_tokens")
    assert one.holds is kept
    assert (one.low, one.high) == (80e9, None)
    assert one.value == found.start.ways[1].student_tokens
    assert max(use.tokens for use in found.start.uses if "Minitron" in use.what) == 380e9


def test_steps_are_those_of_the_rule(pruned):
    assert rule(pruned, "cut_per_step").high == pytest.approx(LARGEST_CUT)


def test_every_rule_has_a_source_and_how_sure_it_is(pruned):
    assert {one.sure for one in pruned.start.practice} <= {"high", "medium", "low"}
    assert all(one.source and one.says for one in pruned.start.practice)
    rate = rule(pruned, "learning_rate")
    assert (rate.low, rate.high, rate.holds) == (1e-5, 1e-4, None)


# where it may be asked


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--start", "pruned"], "--start pruned: it needs a size to cut to; add --student 4B"),
        (["--parent", "qwen3-8b"], "--parent: a start from scratch has no parent; add --start"),
        (["--parent-loss", "2"], "--parent-loss: a start from scratch has no parent; add --start"),
        (["--start", "continued"], "--start continued: it needs a model to go on from; add --par"),
        (["--start", "cut"], "--start: 'cut' is none of scratch, pruned, continued"),
        (
            ["--start", "pruned", "--student", "3B", "--parent", "qwen3-30b-a3b"],
            "--parent: qwen3-30b-a3b is a mixture of experts",
        ),
        (
            ["--start", "pruned", "--student", "8B", "--parent", "qwen3-8b"],
            "--student: 8.00B is not smaller than qwen3-8b (6.95B), so nothing is cut",
        ),
        (
            ["--start", "continued", "--student", "3B", "--parent", "qwen3-8b"],
            "--student: who goes on from qwen3-8b keeps its size (6.95B)",
        ),
        (["--start", "pruned", "--student", "300B"], "no open model has two to ten times 300B"),
        (["--start", "pruned", "--student", "3B", "--parent", "qwen8"], "--parent: no model is na"),
        (["--start", "pruned", "--student", "3B", "--parent-loss", "1"], "--parent-loss: 1 nats"),
        (["--start", "pruned", "--student", "3B", "--plot"], "--plot: --start shows something"),
        (["--start", "pruned", "--student", "3B", "--laws", "all"], "--laws: no law knows a --s"),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, list) else "",
)
def test_what_cannot_be_is_one_sentence(words, told):
    found = run("budget", "1e22", *words, "--quick")
    assert found.returncode == 2
    assert found.stdout == ""
    assert told in found.stderr
    assert len(found.stderr.strip().splitlines()) == 1


def test_a_parent_that_no_law_can_place_needs_its_loss(tmp_path):
    """A config.json says nothing of training tokens."""
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "vocab_size": 128256,
        "tie_word_embeddings": False,
    }
    file = tmp_path / "config.json"
    file.write_text(json.dumps(config))
    words = {"student": "4B", "start": "pruned", "parent": str(file)}
    with pytest.raises(InputError, match="was trained on is not known"):
        scenario_from_options(compute=1e22, **words)
    assert started(**words, parent_loss=1.9).start.parent.vocab == 128_256


@pytest.mark.parametrize(
    "words",
    [
        ["target", "--loss", "2.3", "--student", "1B", "--set", "start=pruned"],
        ["crossover", "--student", "1B", "--set", "start=pruned"],
        ["sweep", "--compute", "1e21", "--student", "1B", "--set", "start=pruned"],
        [
            *("serve", "--match", "2B:40B", "--student", "1B", "--teacher", "3B:100B"),
            *("--set", "start=pruned"),
        ],
        ["family", "1e22", "--students", "300M,1B", "--set", "start=pruned"],
    ],
    ids=lambda words: words[0],
)
def test_questions_that_know_starts_from_scratch_refuse_another(words):
    found = run(*words)
    assert found.returncode == 2, found.stdout
    assert found.stdout == ""
    assert "start" in found.stderr
    assert "Traceback" not in found.stderr


def test_a_plan_of_such_a_start_is_no_recipe(tmp_path):
    words = ("--student", "4B", "--start", "pruned", "--quick", "-o", "json")
    document = run("budget", "1e22", *words).stdout
    (tmp_path / "plan.json").write_text(document)
    found = run("recipe", "plan.json", folder=tmp_path)
    assert found.returncode == 2
    assert "starts from an open model" in found.stderr


def test_a_file_has_starts_as_well(tmp_path):
    """Layer over layer, as an axis, and the block of a document read as a scenario again."""
    file = tmp_path / "starts.yaml"
    file.write_text(
        "base: {compute: 1e22, student: 4B, parent: qwen3-8b, start: pruned}\n"
        "scenarios:\n  cut: {parent_loss: 1.9}\n  scratch: {start: scratch}\n"
        "  back: {start: null, parent: null}\n  further: {start: continued, student: qwen3-8b}\n"
    )
    found = {one.name: one.scenario.start for one in read_scenarios(str(file))}
    assert found["scratch"] is found["back"] is None
    assert found["cut"] == Start(kind="pruned", parent="qwen3-8b", parent_loss=1.9)
    assert found["further"].kind is StartKind.CONTINUED
    over = {one.scenario.start for one in read_scenarios(str(file), ["start=scratch"])}
    assert over == {None}
    block = json.loads(
        run(
            "budget", "1e22", "--student", "4B", "--start", "pruned", "--quick", "-o", "json"
        ).stdout
    )["scenario"]
    file.write_text(json.dumps({"base": block}))
    (again,) = read_scenarios(str(file))
    assert plan(again.scenario, quick=True).start == started(student="4B", start="pruned").start
    file.write_text("base: {compute: 1e22, student: 4B}\nmatrix: {start: [scratch, pruned]}\n")
    assert run("validate", file).returncode == 0
    assert run("sweep", file).returncode == 2
    first, second = (one.scenario.start for one in read_scenarios(str(file)))
    assert first is None
    assert second.kind is StartKind.PRUNED


def test_beside_others_it_has_no_loss(tmp_path):
    file = tmp_path / "starts.yaml"
    file.write_text(
        "base: {compute: 1e22, student: 4B, teacher: qwen3-8b}\n"
        "scenarios: {scratch: {}, cut: {start: pruned, parent: qwen3-8b}}\n"
    )
    shown = run("compare", file, "--quick").stdout
    assert "No winner: there is no verdict for cut." in shown
    (row,) = [line for line in shown.splitlines() if line.startswith("cut")]
    assert row.split() == ["cut", "none", "not", "measured"]
    details = run("compare", file, "--quick", "--details").stdout
    (row,) = [line for line in details.splitlines() if line.startswith("loss")]
    assert row.endswith("not measured")
    assert run("report", file, "-o", tmp_path / "page.html").returncode == 2
    rows = csv.DictReader(run("compare", file, "--quick", "-o", "csv").stdout.splitlines())
    assert [(row["start"], row["why"]) for row in rows] == [("", ""), ("pruned", "")]


def test_on_a_screen_the_start_comes_first_and_its_loss_is_named_not_measured():
    words = ["budget", "1e22", "--student", "4B", "--start", "pruned", "--parent", "qwen3-8b"]
    screen = run(*words).stdout
    assert screen.startswith("Cut qwen3-8b to 4.00B: its loss is not measured.")
    assert len(screen.splitlines()) <= 23
    for line in ("cut, text alone", "cut, taught"):
        (row,) = [one for one in screen.splitlines() if one.startswith(line)]
        assert "not measured" in row
    assert "between the two starts from scratch alone:" in screen
    assert "Not weighed" not in screen
    for more in (["--details"], ["--why"], ["-o", "markdown"], ["--details", "-o", "markdown"]):
        told = run(*words, *more).stdout
        assert told.count("not measured") >= 3
        assert "published models were recovered with" in told.lower() or "markdown" in more
    rows = run(*words, "-o", "csv").stdout.splitlines()
    assert [row.rpartition(",")[2] for row in rows[:4]] == ["start", "pruned", "pruned", "scratch"]


def test_a_plan_from_scratch_has_no_start_to_tell_of():
    scratch = asked(compute=1e22, student_params=4e9)
    with pytest.raises(ValueError, match="starts from scratch"):
        with_start(scratch.scenario, scratch)
    named = replace(scratch.scenario, start=Start(kind="pruned", parent="qwen3-8b"))
    assert named.teacher.model.name == "qwen3-8b"
