"""`distillplan teachers`: the open models as teachers of one student."""

import csv
import io
import json
import math

import pytest

from distillplan import Scenario, law, plan
from distillplan.accounting import Accounting, Logits
from distillplan.models.model_catalog import models
from distillplan.questions.teachers import LeftOut, teachers
from distillplan.scenarios.measured_losses import read_losses
from tests.plans import quick_plan
from tests.shell import run

ASKED = ("teachers", "1e22", "--student", "1.5B", "--tokenizer", "llama-3")
NOBODY_ELSE = {"student_params": 1.5e9, "law": law(), "compute": 1e22}


@pytest.fixture(scope="module")
def ranked():
    return json.loads(run(*ASKED, "-o", "json").stdout)


def usable(document):
    return [one for one in document["teachers"] if one["left_out"] is None]


def test_each_is_the_plan_with_that_teacher(ranked):
    for one in usable(ranked)[:3]:
        name = one["model"]["name"]
        alone = plan(Scenario(**NOBODY_ELSE, teacher=name))
        assert math.isclose(one["gain_nats"], alone.margin_nats, abs_tol=1e-9)
        assert one["verdict"] == alone.verdict
        assert math.isclose(one["odds"]["distill"], alone.odds.distill, abs_tol=0.01)
        assert math.isclose(one["distilled"]["loss"], alone.deciding.loss, abs_tol=1e-9)


def test_the_best_is_first_and_the_headline_is_about_it(ranked):
    found = usable(ranked)
    odds = [one["odds"]["distill"] for one in found]
    assert odds == sorted(odds, reverse=True)
    assert found[0]["model"]["name"] in ranked["headline"]


def test_nobody_is_left_out_without_a_reason():
    """Every published model of the catalog stands there once."""
    found = teachers(Scenario(**NOBODY_ELSE), models())
    names = [one.model.name for one in found.teachers]
    assert sorted(names) == sorted(one.name for one in models() if one.hub is not None)
    forbidden = {one.model.name for one in found.teachers if one.left_out is LeftOut.LICENSE}
    assert {"llama-3-8b", "llama-2-7b"} <= forbidden  # their licenses: no use to train other models
    for one in found.usable:
        assert one.odds is not None
        assert one.distilled.loss is not None


def test_a_measured_loss_wins_over_the_law(tmp_path):
    file = tmp_path / "losses.csv"
    file.write_text("model,bpb\nmeta-llama/Llama-3.2-3B,0.70\n", encoding="utf-8")
    words = (*ASKED, "--losses", file, "--bytes-per-token", "4.3", "-o", "json")
    found = {one["model"]["name"]: one for one in json.loads(run(*words).stdout)["teachers"]}
    one = found["llama-3.2-3b"]
    assert one["measured"] is True
    assert math.isclose(one["loss"], 0.70 * 4.3 * math.log(2))  # bits per byte to nats per token
    assert one["law_loss"] != one["loss"]
    text = run(*ASKED, "--losses", file, "--bytes-per-token", "4.3").stdout
    assert "from the law's" in text
    assert f"{one['loss']:.3f}*" in text


def test_a_measured_loss_places_a_model_whose_tokens_nobody_states(tmp_path):
    name = next(one.name for one in models() if one.trained_tokens is None and one.hub is not None)
    file = tmp_path / "losses.csv"
    file.write_text(f"model,loss\n{name},2.0\n", encoding="utf-8")
    words = ("teachers", "1e22", "--student", "1.5B", "--losses", file, "-o", "json")
    found = {one["model"]["name"]: one for one in json.loads(run(*words).stdout)["teachers"]}
    assert found[name]["left_out"] != "tokens_not_stated"
    assert found[name]["loss"] == 2.0


def test_a_named_student_asks_for_its_own_tokenizer():
    words = ("teachers", "1e22", "--student", "qwen3-1.7b", "-o", "json")
    found = usable(json.loads(run(*words).stdout))
    assert {one["model"]["tokenizer"] for one in found} == {"qwen2.5"}


def test_a_machine_adds_hours_and_leaves_out_what_does_not_fit():
    words = ("teachers", "2 l4 for 30 days", "--student", "300M", "--tokenizer", "llama-3")
    found = json.loads(run(*words, "-o", "json").stdout)["teachers"]
    by_name = {one["model"]["name"]: one for one in found}
    assert by_name["llama-3.1-70b"]["left_out"] == "does_not_fit"  # 141 GB of weights on 24 GB
    assert all(one["distilled"]["gpu_hours"]["mid"] for one in found if one["left_out"] is None)
    assert "hours" in run(*words).stdout


def test_hours_are_those_of_the_plan_with_that_teacher():
    """A vocabulary of 128,000 makes a small student slower than one of 32,000."""
    hours = "1000 h100-sxm-hours"
    words = ("teachers", hours, "--student", "300M", "--tokenizer", "llama-3")
    for one in usable(json.loads(run(*words, "-o", "json").stdout))[:3]:
        named = ("budget", hours, "--student", "300M", "--teacher", one["model"]["name"])
        (ours,) = [
            each
            for each in json.loads(run(*named, "-o", "json").stdout)["options"]
            if each["decides"]
        ]
        assert one["distilled"]["student_tokens"] == pytest.approx(ours["student_tokens"])


def test_rows_have_a_column_for_each_fact():
    rows = list(csv.DictReader(io.StringIO(run(*ASKED, "-o", "csv").stdout)))
    assert {"name", "left_out", "odds_distill", "student_tokens", "tokenizer"} <= set(rows[0])
    assert rows[0]["left_out"] == ""


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("--tokenizer", "lama-3"), 2, "unknown name 'lama-3'"),
        (("--license", "nobody"), 2, "no license is called 'nobody'"),
        (("--losses", "gone.csv"), 2, "gone.csv: cannot be read"),
        (("--bytes-per-token", "4.3"), 2, "--bytes-per-token is for --losses"),
        (("--law", "kaplan2020"), 2, "says nothing about distillation"),
    ],
)
def test_errors(words, code, message):
    done = run("teachers", "1e22", "--student", "1B", *words)
    assert (done.returncode, done.stdout) == (code, "")
    assert message in done.stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model,bpb\nllama-9,0.7\n", "line 2: no model is named 'llama-9'"),
        ("model,bpb\nllama-3.2-3b,x\n", "line 2: bpb: 'x' is not a number"),
        ("model,bpb,loss\nllama-3.2-3b,0.7,2\n", "line 2: give a loss in one of the columns"),
        (
            "model,loss\nllama-3.2-3b,2\nllama-3.2-3b,2\n",
            "line 3: llama-3.2-3b is there a second time",
        ),
        ("model,bpb\nllama-3.2-3b,0.7\n", "add for example"),
        (
            "weights,bpb\na,1\n",
            "line 2: no column gives the model; write the columns model and loss",
        ),
        ("model,name,loss\na,b,1\n", "line 2: two columns give model"),
        ("qwen3-4b,2.0\n", "no losses; write the columns first"),
        ("model,bpb\n", "no losses"),
    ],
)
def test_files_of_losses_that_cannot_be_used(text, message, tmp_path):
    file = tmp_path / "losses.csv"
    file.write_text(text, encoding="utf-8")
    done = run("teachers", "1e22", "--student", "1B", "--losses", file)
    assert done.returncode == 2, done.stdout
    assert message in done.stderr


@pytest.mark.parametrize(
    "text",
    [
        "model,bpb\nqwen3-4b,0.7\n",
        "Model;Bits Per Byte\nQwen/Qwen3-4B;0.7\n",
        "model_name\tword_perplexity\tbits_per_byte\nqwen3-4b\t12\t0.7\n",
        f"name,val_loss\nqwen3-4b,{0.7 * math.log(2) * 4.0!r}\n",
    ],
)
def test_columns_of_losses_may_have_the_names_of_harnesses(text, tmp_path):
    """0.7 bits for each of 4 bytes of a token, in nats (lm-evaluation-harness: bits_per_byte)."""
    file = tmp_path / "losses.csv"
    file.write_text(text, encoding="utf-8")
    assert read_losses(str(file), 4.0) == pytest.approx({"qwen3-4b": 0.7 * 4 * math.log(2)})


def test_each_gain_is_over_pretraining_with_that_tokenizer():
    """The vocabulary is the teacher's, so pretraining is that of the plan with each teacher."""
    base = {"student_params": 5e8, "law": law(), "compute": 1e21}
    found = teachers(Scenario(**base), models())
    by_tokenizer = {one.model.tokenizer: one for one in found.usable}
    assert len(by_tokenizer) > 3
    for one in list(by_tokenizer.values())[:4]:
        alone = quick_plan(Scenario(**base, teacher=one.model.name)).supervised
        assert math.isclose(one.pretrained_loss, alone.loss, abs_tol=1e-9)
        assert math.isclose(one.gain_nats, alone.loss - one.distilled.loss, abs_tol=1e-9)


@pytest.mark.parametrize("form", [(), ("--details",), ("-o", "markdown")])
def test_losses_of_different_tokenizers_are_shown_apart(form):
    """As computed for each teacher; with one tokenizer there is one loss, and no such column."""
    words = ("teachers", "1e21", "--student", "500M", "--logits", "stored", "--students", "16")
    document = json.loads(run(*words, "-o", "json").stdout)
    assert "with its tokenizer" in document["headline"]
    shown = run(*words, *form).stdout
    for one in usable(document)[:7]:
        named = [line for line in shown.splitlines() if one["model"]["name"] in line]
        assert any(f"{one['pretrained_loss']:.3f}" in line for line in named)
    assert "in nats of each tokenizer" in " ".join(shown.split())
    assert "pretrained 2." not in shown
    one_tokenizer = run(*ASKED, *form).stdout
    assert "alone =" not in one_tokenizer
    assert " alone " not in one_tokenizer.split("\n\n")[1].splitlines()[0]


def test_logits_on_disk_cost_nothing_and_each_is_that_plan():
    """The help offers them; every candidate is the teacher that has written them."""
    found = run(*ASKED, "--logits", "cached", "-o", "json")
    assert found.returncode == 0, found.stderr
    for one in usable(json.loads(found.stdout))[:2]:
        name = one["model"]["name"]
        alone = plan(Scenario(**NOBODY_ELSE, teacher=name, logits=Logits.CACHED))
        assert alone.scenario.pays is Accounting.FREE
        assert math.isclose(one["gain_nats"], alone.margin_nats, abs_tol=1e-9)
        assert one["verdict"] == alone.verdict
