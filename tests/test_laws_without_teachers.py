"""Laws of training from data alone: what they say is told, and what they do not in a sentence."""

import json

import pytest

from distillplan.laws import law_catalog
from distillplan.questions.prediction import predict
from tests.shell import run

ALONE = [one.name for one in law_catalog.all_laws() if one.distillation is None]
SIZES = {"student_params": 1e9, "student_tokens": 1e11}
OTHER = "or use a distillation law such as busbridge2025"


@pytest.mark.parametrize("name", ALONE)
def test_a_prediction_has_what_the_law_says_of_student_and_teacher(name):
    """Its formula at both places; there is no third number."""
    law = law_catalog.law(name)
    found = predict(law, **SIZES, teacher="3B:1T")
    assert found.supervised_loss == pytest.approx(law.supervised.loss(1e9, 1e11), rel=1e-12)
    assert found.teacher_loss == pytest.approx(law.supervised.loss(3e9, 1e12), rel=1e-12)
    assert found.distilled_loss is found.gain_nats is found.best_teacher_loss is None
    assert "law_has_no_distillation" in [one.code for one in found.warnings]


@pytest.mark.parametrize("teacher", [("--teacher", "3B:1T"), ("--teacher-loss", "2.2")])
def test_it_says_so_on_the_screen(teacher):
    asked = ("predict", "--student", "1B", "--tokens", "100B", "--law", ALONE[0])
    screen = run(*asked, *teacher).stdout
    assert screen.startswith("Pretrained: ")
    assert f"{ALONE[0]} says nothing about distillation." in screen
    document = json.loads(run(*asked, *teacher, "-o", "json").stdout)
    assert document["distilled_loss"] is None


def test_a_teacher_that_the_law_cannot_place_is_refused():
    asked = ("predict", "--student", "1B", "--tokens", "100B", "--law", ALONE[0])
    found = run(*asked, "--teacher-loss", "0.01")
    assert found.returncode == 2
    assert "the least any model can reach" in found.stderr


@pytest.mark.parametrize(
    ("words", "leave_out"),
    [
        (("--teacher", "3B:1T"), "--teacher"),
        (("--logits", "stored"), "--logits"),
        (("--accounting", "free"), "--accounting"),
    ],
)
@pytest.mark.parametrize("command", [("budget", "1e21"), ("target", "--loss", "2.9")])
def test_a_decision_says_what_to_leave_out(command, words, leave_out):
    """What was given, and nothing else: without it the law answers."""
    asked = (*command, "--student", "1B", "--law", ALONE[0])
    found = run(*asked, *words)
    assert (found.returncode, found.stdout) == (2, "")
    assert f"says nothing about distillation; leave out {leave_out}, {OTHER}" in found.stderr
    assert run(*asked).returncode == 0


@pytest.mark.parametrize(
    "command", [("teachers", "1e21", "--student", "1B"), ("crossover", "--student", "1B")]
)
def test_a_question_about_teachers_names_another_law(command):
    found = run(*command, "--law", ALONE[0])
    assert (found.returncode, found.stdout) == (2, "")
    assert f"says nothing about distillation; {OTHER[3:]}" in found.stderr
