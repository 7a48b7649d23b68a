"""The recipe: its numbers are those of its sources, it follows the plan, it fits one screen."""

import json
import math
import re

import pytest

from distillplan.accounting import Accounting
from distillplan.errors import InputError
from distillplan.files.entries import shipped
from distillplan.laws.format_studies import KeptLogits
from distillplan.models.architecture import FixedAspect
from distillplan.models.model_catalog import model
from distillplan.planning.results import Method
from distillplan.questions.recipe_file import FILE, kept_shares, practice
from distillplan.questions.recipe_records import Sureness
from distillplan.questions.starting_points import format_rate, rates_told, run_size, starting_point
from distillplan.units.quantities import format_count
from tests.recipes import ASKED, EXAMPLE, document, recipe_of
from tests.shell import run

WIDTHS = (60, 80, 120)
DISTILLED = sorted(set(ASKED) - {"alone"})


def points(params, tokens, family=None):
    size = run_size(params, tokens, family or FixedAspect())
    laws = shipped(FILE).entries("starting_points")
    return {one.law: one for one in (starting_point(entry, size) for entry in laws)}


def text(answer):
    """All that it says in lines."""
    return " ".join(f"{one.do} {one.why} {one.source}" for one in answer.lines)


# --- sources


def test_settings_are_those_of_the_paper():
    """Busbridge et al. 2025: Section 4.1, Appendix G, Appendix I."""
    given = practice()
    assert (given["temperature"], given["distill_weight"]) == (1, 1)
    assert given["mup_learning_rate"] == 1e-2
    assert (given["warmup_steps"], given["weight_decay"], given["clip_norm"]) == (2000, 1e-4, 1)
    assert given["truncated_weight"] == 0.7  # with k = 128 within 0.01 nats


@pytest.mark.parametrize(
    ("topic", "figures"),
    [
        ("top k", ("k = 128 costs 0.11 nats", "p = 0.9 costs 0.13", "within 0.01")),  # Appendix G
        ("direction", ("2.42 nats", "2.70")),  # Table 7
        ("calibration", ("0.6%", "21.6%")),  # Figures 43 to 50, 198M of 7.75B at 20 tokens
        ("temperature", ("Below 1 and above 3",)),  # Appendix G
        ("loss", ("weights above 0.5",)),  # Appendix G
    ],
)
def test_lines_quote_the_paper(topic, figures):
    answer, _ = recipe_of("cached", Method.DISTILL)
    (line,) = (one for one in answer.lines if one.topic == topic)
    assert all(figure in line.why for figure in figures)
    assert "Busbridge et al. 2025" in line.source


def test_step_law_is_its_power_law():
    """Li et al. 2025: 1.79 N^-0.713 D^0.307 and 0.58 D^0.571, at N = 1e9 and D = 1e11."""
    found = points(1e9, 1e11)["Step Law"]
    assert found.learning_rate == pytest.approx(1.79 * 10 ** (-0.713 * 9 + 0.307 * 11), rel=1e-12)
    assert found.batch_tokens == pytest.approx(0.58 * 10 ** (0.571 * 11), rel=1e-12)
    assert found.outside == ()
    assert points(1.1e9, 1.1e11)["Step Law"].outside == ("params", "tokens")


def test_deepseek_law_gives_the_settings_of_deepseek_7b():
    """DeepSeek-AI 2024, Table 2: 30 layers of 4096, context 4096, 2.0T tokens; rate 4.2e-4, batch
    2304 sequences. The report rounds what its law says."""
    params = 12 * 30 * 4096**2
    found = points(params, 2.0e12, FixedAspect(aspect=4096 / 30))["DeepSeek LLM"]
    assert found.learning_rate == pytest.approx(4.2e-4, rel=0.02)
    assert found.batch_tokens == pytest.approx(2304 * 4096, rel=0.05)
    assert found.outside == ("flops",)  # the law was fitted up to 2e19


def test_flops_are_those_of_deepseek():
    """Equation 2: M = 72 layers width^2 + 12 layers width context; Table 2's 7B model."""
    size = run_size(12 * 30 * 4096**2, 1.0, FixedAspect(aspect=4096 / 30))
    assert size.flops == pytest.approx(72 * 30 * 4096**2 + 12 * 30 * 4096 * 4096, rel=1e-9)


def test_shares_as_printed_agree_with_the_losses_beside_them():
    """Anshumann et al. 2025: hard labels 2.81, full logits 2.75; losses are rounded to 0.01."""
    found = list(kept_shares())
    printed = [one for one in found if one.share_error is None]
    assert len(printed) >= 7
    for one in printed:
        follows = (2.81 - one.loss) / (2.81 - 2.75)
        assert abs(one.share - follows) <= 2 * 0.005 * (1 + abs(follows)) / 0.06 + 0.005
    sampled = [one for one in found if one.format is KeptLogits.SAMPLED]
    assert all(one.share_error is not None for one in sampled)
    by_kept = {(one.format, one.kept): one for one in found}
    assert by_kept[KeptLogits.TOP_K, 12].share < 0 < by_kept[KeptLogits.SAMPLED, 12.1].share


# --- the plan


@pytest.mark.parametrize("kind", ASKED)
def test_every_line_is_filled_and_has_a_source(kind):
    for option in (Method.SUPERVISED, Method.DISTILL):
        try:
            answer, _ = recipe_of(kind, option)
        except InputError:
            assert (kind, option) == ("alone", Method.DISTILL)
            continue
        assert answer.lines
        assert not [sign for sign in ("{", "}", "None", "nan", "inf ") if sign in text(answer)]
        assert all(one.do and one.why and one.source for one in answer.lines)


@pytest.mark.parametrize("kind", DISTILLED)
def test_a_plan_to_pretrain_has_no_word_for_a_teacher(kind):
    answer, _ = recipe_of(kind, Method.SUPERVISED)
    assert answer.headline.startswith("Pretrain")
    topics = {one.topic for one in answer.lines}
    assert topics <= {"plan", "memory", "rate", "batch", "schedule", "tokens", "repeats", "watch"}
    assert answer.run.teacher is None
    assert not answer.kept_shares


def test_steps_read_all_tokens_of_the_plan_and_no_batch_more():
    for kind in DISTILLED:
        for option in (Method.SUPERVISED, Method.DISTILL):
            answer, settings = recipe_of(kind, option)
            run_of, layout = answer.run, settings.layout
            batch = run_of.batch_sequences * run_of.context
            assert (run_of.steps - 1) * batch < run_of.student_tokens <= run_of.steps * batch
            assert run_of.batch_sequences % (8 if layout is None else layout.pass_sequences) == 0
            assert run_of.warmup_steps <= math.ceil(run_of.steps / 10)


def test_the_recipe_has_the_sizes_and_the_teacher_of_the_plan():
    answer, _ = recipe_of("named", Method.DISTILL)
    planned = next(
        one for one in json.loads(document("named"))["options"] if one["accounting"] == "exists"
    )
    assert answer.run.student_tokens == planned["student_tokens"]
    assert answer.run.teacher_loss == planned["teacher_loss"]
    assert (answer.run.student, answer.run.teacher) == ("llama-3.2-1b", "llama-3.1-8b")
    assert all(name in answer.headline for name in ("llama-3.2-1b", "llama-3.1-8b"))
    license_line = next(one for one in answer.lines if one.topic == "license")
    assert "Built with Llama" in license_line.do


def test_the_license_comes_before_what_costs_work():
    """Llama 3's (April 2024), 1.b.v: not to be used to improve any other large language model.
    Every license is read before rates and batches, so it is on the screen."""
    for kind, stop in (("forbidden", True), ("named", False), ("qwen", False)):
        answer, settings = recipe_of(kind, Method.DISTILL)
        topics = [one.topic for one in answer.lines if one.on_screen]
        assert topics.index("license") < topics.index("loss") < topics.index("rate")
        said = line_of(answer, "license").do
        assert said.startswith("Stop") is stop
        assert settings.teacher.license in said


def test_a_teacher_that_is_trained_first_has_settings_of_its_own():
    """Step Law (arXiv:2503.04715): batches of 0.58 D^0.571 tokens, here of the teacher's tokens."""
    for payer in (Accounting.TRAIN, Accounting.TRAIN_SHARED):
        answer, _ = recipe_of("trains", payer)
        planned = next(
            one
            for one in json.loads(document("trains"))["options"]
            if one["accounting"] == payer.value
        )
        batch = 0.58 * planned["teacher_tokens"] ** 0.571
        assert f"batches of {format_count(batch)} tokens" in line_of(answer, "first").do
    for payer in (Accounting.FREE, Accounting.EXISTS):
        assert "first" not in {one.topic for one in recipe_of("trains", payer)[0].lines}


def test_logits_on_a_disk_are_read_and_not_stored_again():
    """What was asked: --logits cached, with a format or without one."""
    for kind in ("cached", "stored", "top-k", "sampled", "full", "top-p", "top-k-and-label"):
        answer, _ = recipe_of(kind, Accounting.FREE)
        said = line_of(answer, "logits").do
        assert not said.startswith("Store"), kind
        assert ("on disk" in said) is (kind in ("cached", "stored"))
    planned = recipe_of("trains", Accounting.TRAIN_SHARED)[0]
    assert line_of(planned, "logits").do.startswith("Store")


def test_logits_are_stored_where_the_plan_reads_them():
    for kind, option, stored in (
        ("cached", Accounting.FREE, True),
        ("named", Accounting.EXISTS, False),
        ("trains", Accounting.TRAIN_SHARED, True),
        ("trains", Accounting.TRAIN, False),
        ("family", Accounting.TRAIN, True),
    ):
        answer, _ = recipe_of(kind, option)
        assert answer.run.stored is stored, (kind, option)
        assert ("top k" in {one.topic for one in answer.lines}) is stored


@pytest.mark.parametrize(
    ("kind", "weight", "stored"),
    [
        ("stored", "Distillation alone: weight 1 ", "The logits are on disk: see how"),
        ("sampled", "Distillation alone: weight 1 ", "Read about 9 sampled tokens"),
        ("full", "Distillation alone: weight 1 ", "Read all logits of every position"),
        ("top-k-and-label", "Distillation alone: weight 1 ", "Read the top 20 of each position"),
        ("top-k", "Weight 0.7 on KL", "Read top-64 logits, as the plan does"),
        ("top-p", "Weight 0.7 on KL", "Read top-p logits, as the plan does"),
        ("distillkit", "Weight 0.7 on KL", "Read distillkit logits, as the plan does"),
    ],
)
def test_stored_logits_are_those_of_the_plan(kind, weight, stored):
    """Pure where nothing is cut off, 0.7 beside hard labels where it is: the paper's Appendix G."""
    answer, _ = recipe_of(kind, Accounting.FREE)
    for topic, said in (("loss", weight), ("logits", stored)):
        (line,) = (one for one in answer.lines if one.topic == topic)
        assert line.do.startswith(said)
        assert ("full logits" in line.do) is ((kind, topic) == ("full", "loss"))
    asked = json.loads(document(kind))["scenario"]
    assert answer.run.logit_format == asked["logit_format"]


def test_a_loss_in_chunks_is_told_where_the_memory_is_that_of_one():
    for kind, chunked in (("cards", True), ("qwen", False)):
        answer, _ = recipe_of(kind, Method.DISTILL)
        assert answer.run.chunked is chunked
        assert ("memory" in {one.topic for one in answer.lines}) is chunked


def line_of(answer, topic):
    return next(one for one in answer.lines if one.topic == topic)


def test_laws_that_agree_say_one_rate():
    """One law twice agrees with itself; the two of the recipe are apart at 1B and 100B tokens."""
    both = tuple(points(1e9, 1e11).values())
    rate = format_rate(both[0].learning_rate)
    assert rates_told(both[:1] * 2) == f"{rate}: try half and twice that"
    least, most = sorted(both, key=lambda one: one.learning_rate)
    ends = f"{format_rate(least.learning_rate)} to {format_rate(most.learning_rate)}"
    assert rates_told(both) == f"{ends}: try rates in between"


def test_both_weight_decays_are_told():
    """Loshchilov and Hutter 2019, Algorithm 2, as optimizers have it: the rate times the decay."""
    answer, _ = recipe_of("named", Method.DISTILL)
    line = line_of(answer, "schedule")
    assert "decay of 0.0001" in line.do
    assert "give it 0.1, as exports do" in line.do
    assert f"it takes {format_rate(0.1 * answer.run.learning_rate)} of a weight" in line.why


@pytest.mark.parametrize("kind", DISTILLED)
def test_rows_are_kept_or_cut_but_not_both(kind):
    """Trainers refuse logits of two widths; of one width there is nothing to cut."""
    answer, settings = recipe_of(kind, Method.DISTILL)
    both = {one.vocab for one in (settings.student, settings.teacher) if one is not None}
    told = [one.do.split()[0] for one in answer.lines if one.topic in {"tokenizer", "padding"}]
    assert ("Cut" in told) is (len(both - {None}) > 1), told
    assert not {"Cut", "Give"} <= set(told)
    if "Give" in told:
        assert f"{answer.run.vocab:,} rows of vocabulary, padding incl" in text(answer)


def test_padding_of_qwen_is_told():
    """Qwen2.5: 151,936 rows up to 3B, 152,064 from 7B on (their config.json)."""
    answer, settings = recipe_of("qwen", Method.DISTILL)
    assert (settings.student.vocab, settings.teacher.vocab) == (151_936, 152_064)
    said = next(one.do for one in answer.lines if one.topic == "padding")
    assert "151,936" in said
    assert "152,064" in said


def test_a_plan_without_a_teacher_takes_the_open_one_that_it_found():
    """Not the ideal teacher, which exists nowhere; its license and tokenizer are the catalog's."""
    found = [one for one in json.loads(document("trains"))["options"] if one["teacher_name"]]
    answer, settings = recipe_of("trains", Accounting.EXISTS)
    assert answer.run.teacher == settings.teacher.name == found[0]["teacher_name"]
    assert answer.run.student_tokens == found[0]["student_tokens"]
    terms = model(settings.teacher.name).license.sentence
    assert terms in {one.do for one in answer.lines}


def test_the_best_teacher_is_told_for_the_option_that_it_is_best_for():
    best = json.loads(document("trains"))["flips"]["teacher_loss"]
    for payer in (Accounting.TRAIN, Accounting.FREE, Accounting.TRAIN_SHARED):
        answer, _ = recipe_of("trains", payer)
        (line,) = (one for one in answer.lines if one.topic == "teacher")
        sought = best is not None and best["accounting"] == payer
        assert ("would be best here" in line.do) is sought
    found = json.loads(document("cached"))["flips"]["teacher_loss"]
    (line,) = (one for one in recipe_of("cached", Accounting.FREE)[0].lines if "nats" in one.do)
    assert f"{found['best']:.2f} nats would be best here; yours has 2.10" in line.do


def test_repeats_are_told():
    answer, _ = recipe_of("short", Method.DISTILL)
    line, *_ = (one for one in answer.lines if one.topic == "repeats")
    assert f"{answer.run.student_tokens / 5e9:.1f} times" in line.do
    assert line.sure is Sureness.SUPERVISED


def test_an_option_that_is_not_the_choice_says_so():
    chosen, _ = recipe_of("named")
    other, _ = recipe_of("named", Method.DISTILL)
    assert chosen.method is Method.SUPERVISED
    assert "not the plan's choice" in text(other)
    assert "not the plan's choice" not in text(chosen)


# --- the command


@pytest.mark.parametrize("kind", ASKED)
@pytest.mark.parametrize("option", ["supervised", "distill"])
def test_the_first_screen_is_one(kind, option, tmp_path):
    (tmp_path / "plan.json").write_text(document(kind), encoding="utf-8")
    for width in WIDTHS:
        done = run("recipe", tmp_path / "plan.json", "--option", option, COLUMNS=str(width))
        if done.returncode:
            assert (kind, option) == ("alone", "distill")
            continue
        lines = done.stdout.splitlines()
        assert max(map(len, lines)) <= width
        assert width != 80 or len(lines) <= 22
        assert lines[-1].startswith("More: --details")


def test_every_form_and_standard_input():
    plan = EXAMPLE.read_text(encoding="utf-8")
    forms = {
        form: run("recipe", "-", "-o", form, stdin=plan)
        for form in ("table", "json", "jsonl", "csv", "markdown")
    }
    assert all(one.returncode == 0 and one.stdout for one in forms.values())
    rows = json.loads(forms["json"].stdout)["lines"]
    assert [json.loads(one) for one in forms["jsonl"].stdout.splitlines()] == rows
    detailed = run("recipe", "-", "--details", stdin=plan, COLUMNS="400").stdout
    assert all(one[key] in detailed for one in rows for key in ("do", "why", "source"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-o", "yaml"), "--output: 'yaml' is not one of table, json, jsonl, csv, markdown"),
        (("--save", "run"), "--save: the files of which trainer?"),
        (("--export", "maxtext"), "--export: into which folder? add --save run"),
        (("--export", "maxtext", "-o", "json"), "--output: json is a format; with --export"),
        (("--export", "maxtext", "-o", "a", "--save", "b"), "-o: b and a are two folders"),
        (("-o", "json", "-o", "csv"), "--output: json and csv are given; leave one out"),
        (("--option", "train"), "train"),
    ],
)
def test_what_cannot_be_meant_is_one_sentence(words, said):
    done = run("recipe", EXAMPLE, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


@pytest.mark.parametrize(
    "changed",
    [
        {"architecture": {"aspect": 128, "omega": 12, "context": 1e300, "vocab": 32768}},
        {"architecture": {"aspect": 128, "omega": 12, "context": 4096, "vocab": 0.5}},
        {"architecture": {"vocab": 32768}},
        {"logits": "papyrus"},
    ],
)
def test_a_plan_that_nobody_made_is_refused(changed):
    with pytest.raises(InputError, match=r"plan\.json"):
        recipe_of("cached", None, **changed)


@pytest.mark.parametrize(("kind", "outside"), [("sized", True), ("cached", False)])
def test_rates_of_both_laws_are_shown_and_a_run_outside_them_is_said_to_be(kind, outside):
    """Step Law was tried up to 1B and 100B tokens: 1.821B is beyond it, 1B on 14B is not."""
    answer, _ = recipe_of(kind, Method.DISTILL)
    screen = [one.do for one in answer.lines if one.topic == "rate" and one.on_screen]
    rates = sorted(one.learning_rate for one in answer.starting_points)
    assert f"{format_rate(rates[0])} to {format_rate(rates[-1])}" in screen[0]
    assert any("is outside Step Law's runs" in one for one in screen) is outside


def test_the_best_teacher_is_not_called_slightly_better(tmp_path):
    """Here the student ends 0.2 nats above its best teacher."""
    words = ("budget", "1e21", "--student", "3B", "--teacher", "7B:500B", "--logits", "cached")
    plan = run(*words, "-o", "json", folder=tmp_path).stdout
    student = next(one["loss"] for one in json.loads(plan)["options"] if one["decides"])
    (tmp_path / "p.json").write_text(plan)
    shown = " ".join(run("recipe", "p.json", folder=tmp_path).stdout.split())
    best = float(re.search(r"one of (\d\.\d+) nats would be best", shown).group(1))
    assert student - best > 0.2
    assert "lightly better" not in shown
