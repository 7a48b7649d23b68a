"""The open model that a plan without a teacher proposes: whose it is, and what it is worth."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from distillplan import Accounting, Logits, plan
from distillplan.models.model_catalog import model
from distillplan.models.open_models import open_models
from distillplan.planning.planner import plan_if_any
from distillplan.questions.teachers import LeftOut, teachers
from tests.plans import quick_plan, scenario_from_options
from tests.shell import answer, run

QUESTIONS = {
    "online": {"budget": "1e22", "student": "3B"},
    "stored": {"budget": "1e22", "student": "3B", "students": 8, "logits": "stored"},
    "with a format": {
        "budget": "1e21",
        "student": "1B",
        "students": 4,
        "logits": "stored",
        "logit_format": "top-k",
        "logit_k": 12,
    },
    "hours": {"budget": "32 h100-sxm for 5 days", "student": "1.5B"},
    "stored in hours": {
        "budget": "32 h100-sxm for 5 days",
        "student": "1.5B",
        "students": 4,
        "logits": "stored",
    },
    "stored for money": {
        "budget": "$20k",
        "gpu": "h100-sxm",
        "student": "1B",
        "logits": "stored",
        "logit_format": "sampled",
    },
    "any student": {"budget": "1e21", "logits": "stored", "students": 3},
}
PAID = ("--accounting", "free")
ON_DISK = {"budget": "1e22", "student": "3B", "logits": "cached", "accounting": "free"}


def asked(words):
    return scenario_from_options(**words)


def proposed(found):
    return next((one for one in found.options if one.teacher_name is not None), None)


def named(words, name):
    """The question as somebody asks it who names the teacher, as the screen says."""
    return asked({**words, "teacher": name})


@pytest.mark.parametrize("name", QUESTIONS)
def test_it_is_the_plan_asked_with_that_teacher(name):
    """An equal question: the teacher by its name, its logits as they were asked for."""
    scenario = asked(QUESTIONS[name])
    row = proposed(plan(scenario))
    there = plan(named(QUESTIONS[name], row.teacher_name))
    alike = there.deciding
    assert row.accounting is alike.accounting is Accounting.EXISTS
    for one in ("loss", "gain_nats", "teacher_loss"):
        assert math.isclose(getattr(row, one), getattr(alike, one), abs_tol=1e-8), one
    assert math.isclose(row.pretrained_loss, there.supervised.loss, abs_tol=1e-8)
    assert math.isclose(row.student_tokens, alike.student_tokens, rel_tol=1e-6)
    assert math.isclose(row.compute_multiplier, alike.compute_multiplier, rel_tol=1e-4)
    assert row.flops.total == pytest.approx(alike.flops.total)
    assert row.odds == pytest.approx(there.odds, abs=1e-3)
    assert (row.stored is None) == (alike.stored is None)


@pytest.mark.slow
@pytest.mark.parametrize("student", ["300M", "1B", "3B", "qwen3-1.7b", None])
def test_it_is_that_plan_at_every_budget(student):
    for budget in np.logspace(19.5, 23, 8):
        words = {"budget": f"{budget:.3g}", **({} if student is None else {"student": student})}
        row = proposed(plan(asked(words)))
        there = plan(named(words, row.teacher_name))
        assert math.isclose(row.loss, there.deciding.loss, abs_tol=1e-8)
        assert row.odds == pytest.approx(there.odds, abs=1e-3)


def test_a_vocabulary_that_was_given_is_kept():
    """The teacher's is taken where none was; then the student costs what the plan says."""
    words = {"budget": "1e21", "student": "1B", "vocab": 50_000}
    found = quick_plan(asked(words))
    row = proposed(found)
    assert math.isclose(row.pretrained_loss, found.supervised.loss, abs_tol=1e-9)
    assert math.isclose(row.loss, quick_plan(named(words, row.teacher_name)).deciding.loss)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "nearly"),
    [("online", 1e-8), ("stored", 1e-8), ("stored in hours", 1e-4), ("any student", 1e-4)],
)
def test_no_other_open_model_gains_more(name, nearly):
    """Each open model, asked for in turn.

    Args:
        name: of the question.
        nearly: nats; seconds are not quite in proportion to FLOPs, and a student that is chosen
            has another size with each.
    """
    scenario = asked(QUESTIONS[name])
    found = [plan_if_any(named(QUESTIONS[name], one.name)) for one in open_models()]
    gains = [one.margin_nats for one in found if one and one.margin_nats is not None]
    assert proposed(quick_plan(scenario)).gain_nats >= max(gains) - nearly


def test_the_screen_says_over_what_it_gains():
    """With its larger vocabulary the student costs more, whoever teaches it."""
    row = proposed(quick_plan(asked({"budget": "1e21", "student": "1B"})))
    there = named({"budget": "1e21", "student": "1B"}, row.teacher_name)
    told = f"{row.teacher_name}'s vocabulary: {quick_plan(there).supervised.loss:.3f}"
    for words in ((), ("--details",)):
        screen = run("budget", "1e21", "--student", "1B", "--quick", *words).stdout
        assert told in " ".join(screen.split())


def test_logits_on_disk_are_of_no_teacher_that_was_never_run():
    """It then runs beside the student, as where logits are asked for online."""
    scenario = asked(ON_DISK)
    row = proposed(quick_plan(scenario))
    online = replace(scenario, logits=Logits.ONLINE, accounting=None)
    assert row.loss == proposed(quick_plan(online)).loss
    family = run("family", "1e22", "--students", "1B,3B", "--logits", "cached", *PAID)
    assert family.returncode == 0, family.stderr


@pytest.mark.parametrize("student", ["qwen3-1.7b", "llama-3.2-1b", "gemma-3-1b"])
def test_it_has_the_tokenizer_of_a_named_student(student):
    """As `teachers` chooses, which leaves models with other tokenizers out."""
    scenario = asked({"budget": "1e21", "student": student})
    row = proposed(quick_plan(scenario))
    assert model(row.teacher_name).tokenizer == model(student).tokenizer
    other = [model(one.name) for one in open_models()]
    listed = teachers(scenario, other)
    assert row.teacher_name in {one.model.name for one in listed.usable}
    left_out = {
        one.model.name for one in listed.teachers if one.left_out is LeftOut.OTHER_TOKENIZER
    }
    usable = {one.name for one in open_models(scenario.student_model)}
    assert usable == {one.name for one in open_models()} - left_out


def test_none_is_named_where_none_has_the_tokenizer():
    """Nobody says how long the models with this tokenizer were trained."""
    scenario = asked({"budget": "1e21", "student": "qwen3.5-4b"})
    assert not open_models(scenario.student_model)
    assert proposed(quick_plan(scenario)) is None
    screen = run("budget", "1e21", "--student", "qwen3.5-4b", "--quick").stdout
    assert "open model" not in screen


def test_it_is_the_family_asked_with_that_teacher():
    words = ("family", "1e22", "--students", "1B,3B", "-o", "json")
    ways = json.loads(run(*words).stdout)["ways"]
    row = next(one for one in ways if one["pretrained_loss"] is not None)
    there = json.loads(run(*words, "--teacher", row["teacher_name"]).stdout)
    alike = next(one for one in there["ways"] if one["decides"])
    assert row["loss"] == pytest.approx(alike["loss"], abs=1e-8)
    assert row["gain_nats"] == pytest.approx(alike["gain_nats"], abs=1e-8)
    assert row["odds"] == pytest.approx(alike["odds"], abs=0.02)  # of fewer draws
    assert row["pretrained_loss"] == pytest.approx(there["ways"][0]["loss"], abs=1e-8)


def test_a_family_is_taught_by_a_model_with_the_tokenizer_of_each():
    shown = run("family", "1e22", "--students", "qwen3-1.7b,qwen3-4b", "-o", "markdown")
    assert shown.returncode == 0, shown.stderr
    others = [one.name for one in open_models() if one.tokenizer != model("qwen3-4b").tokenizer]
    assert not [name for name in others if name in shown.stdout]


MISMATCHED = ("budget", "1e20", "--student", "qwen3-1.7b", "--teacher", "llama-3.2-1b")
CUT = ("budget", "1e22", "--student", "4B", "--start", "pruned")


@pytest.mark.parametrize(
    "words",
    [
        MISMATCHED,
        (*MISMATCHED, "--gpu", "rtx-4090", "--gpus", "8"),
        (*MISMATCHED, "--why"),
        (*CUT, "--parent", "qwen3-8b", "--teacher", "llama-3.1-8b"),
    ],
)
def test_a_teacher_with_another_tokenizer_is_what_a_screen_says_first(words):
    """A plan that does not hold as it is says so right under its verdict, which says so as well."""
    first, *others = run(*words).stdout.splitlines()
    told = " ".join(others[:3])
    assert "have different tokenizers" in told or "has another" in told
    assert "this plan does not hold as it is." in told
    assert not first.startswith("Distill.")


@pytest.mark.parametrize("form", ["--details", "-o", "--plot"])
def test_no_form_of_a_plan_says_distill_with_another_tokenizer_and_no_more(form):
    words = (form, "markdown") if form == "-o" else (form,)
    shown = run(*MISMATCHED, *words).stdout
    assert "if the tokenizers matched" in shown.replace("\n", " ")


def test_no_model_is_its_own_teacher():
    """Whoever has the trained model needs no student of its shape."""
    for name in ("qwen3-0.6b", "llama-3.2-1b"):
        rows = answer("teachers", "1e21", "--student", name)["teachers"]
        names = [one["model"]["name"] for one in rows]
        assert name not in names
        assert len(names) > 3
        options = answer("budget", "1e21", "--student", name, "--quick")["options"]
        taught = [one["teacher_name"] for one in options if one["teacher_name"] is not None]
        assert taught
        assert name not in taught


def test_measured_teachers_come_before_guesses(tmp_path):
    """Measured at 0.70 bits per byte x 4.3 x ln 2 = 2.086 nats, Qwen2.5 7B teaches less than the
    law's guesses of models that nobody measured on this text, which may be as far off."""
    path = tmp_path / "losses.csv"
    path.write_text("model,bpb\nqwen2.5-7b,0.70\nqwen2.5-1.5b,0.80\n")
    asked = ("teachers", "1e21", "--student", "1B", "--losses", str(path))
    found = answer(*asked, "--bytes-per-token", "4.3")
    first, second, third = found["teachers"][:3]
    assert (first["model"]["name"], second["model"]["name"]) == ("qwen2.5-7b", "qwen2.5-1.5b")
    assert first["loss"] == pytest.approx(2.0864, abs=1e-4)
    assert (first["measured"], second["measured"], third["measured"]) == (True, True, False)
    assert "even qwen2.5-7b, the best teacher measured, is behind" in found["headline"]
