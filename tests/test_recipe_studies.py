"""Mixed losses and little text: numbers of their sources, shown where a plan asks for them."""

import json
import math

import pytest

from distillplan.laws.repetition import REPEATS_WORTH
from distillplan.planning.results import Method
from distillplan.questions.recipe_studies import MixResult, little_text, mixed_losses
from tests.recipes import document, recipe_of
from tests.shell import run


def line(answer, part):
    return next(one for one in answer.lines if part in one.do)


def test_little_text_is_as_printed():
    """Kim et al. 2025: 0.05 / N^1.02 + 3.43; limits 3.27 and 3.17; 3.36; 3.710 to 3.437."""
    found = little_text()
    assert (found.tokens, found.scale, found.exponent, found.floor) == (2e8, 0.05, 1.02, 3.43)
    assert [one.loss for one in found.results] == [3.43, 3.27, 3.17, 3.36, 3.71, 3.437]


def test_a_student_of_an_ensemble_is_below_any_single_model():
    """What the advice rests on: 3.36 at 300M against the limit of one model of any size."""
    found = little_text()
    student = next(one for one in found.results if one.what.startswith("student of 8"))
    assert student.loss < found.floor


def test_mixed_losses_are_as_published():
    """Peng et al. 2024, Table of weights; MaxText's guide; Busbridge et al. 2025, Appendix G."""
    found = mixed_losses()
    peng = next(one for one in found if "Peng" in one.source and one.start is not None)
    assert (peng.start, peng.end, peng.result) == (0.9, 0.9, MixResult.BETTER)
    guide = {(one.start, one.end) for one in found if one.source.startswith("MaxText")}
    assert guide == {(0.8, 0.2), (0.7, 0.3), (0.9, 0.5)}
    assert all(one.result is MixResult.NOT_COMPARED for one in found if "MaxText" in one.source)
    assert {one.result for one in found} == set(MixResult)
    assert all(one.source for one in found)


@pytest.mark.parametrize(("teacher_loss", "weak"), [(2.1, False), (3.4, True)])
def test_a_weak_teacher_is_told(teacher_loss, weak):
    """One that is no better than the student alone, by the numbers of its own plan."""
    words = ("1e20", "--student", "1B", "--teacher-loss", f"{teacher_loss}", "--logits", "cached")
    plan = run("budget", *words, "--quick", "-o", "json").stdout
    alone = json.loads(plan)["options"][0]["loss"]
    assert (teacher_loss >= alone) is weak
    said = run("recipe", "-", "--option", "distill", "-o", "json", stdin=plan)
    lines = [one for one in json.loads(said.stdout)["lines"] if one["topic"] == "mix"]
    lightly = [one for one in lines if "Weigh distillation lightly" in one["do"]]
    assert bool(lightly) is weak
    if weak:
        assert f"{teacher_loss:.2f} nats are no better than the {alone:.2f}" in lightly[0]["do"]
        shown = run("recipe", "-", "--option", "distill", stdin=plan).stdout
        assert "Weigh distillation" in shown


def test_repeats_are_weighed_against_an_ensemble():
    """The worth of repeated tokens by Equation 5 of Muennighoff et al. 2023, computed anew."""
    answer, _ = recipe_of("short", Method.DISTILL)
    tokens, unique = answer.run.student_tokens, 5e9
    repeats = tokens / unique - 1
    worth = unique * (1 + REPEATS_WORTH * (1 - math.exp(-repeats / REPEATS_WORTH)))
    said = line(answer, "are worth").do
    assert f"{worth / 1e9:.3g}" in said
    assert f"{1 + REPEATS_WORTH:.1f} times" in said
    assert "distill their mean" in line(answer, "several models").do
    assert "Not measured" in line(answer, "several models").why
    assert answer.little_text is not None


@pytest.mark.parametrize("kind", ["cached", "named", "trains"])
def test_a_plan_of_new_text_has_no_word_of_little_text(kind):
    answer, _ = recipe_of(kind, Method.DISTILL)
    assert answer.little_text is None
    assert not [one for one in answer.lines if one.topic == "repeats"]


def test_without_a_teacher_there_is_no_mix():
    answer, _ = recipe_of("short", Method.SUPERVISED)
    assert answer.mixed_losses == ()
    assert answer.little_text is not None


def test_no_plan_changes():
    """Nothing of both is in a plan; the recipe alone has it."""
    plan = document("short")
    assert "mixed" not in plan
    assert "2509.14786" not in plan


@pytest.mark.parametrize("word", ["mixed loss", "lambda", "little text", "break-even", "int4"])
def test_the_words_are_explained(word):
    found = run("explain", word)
    assert found.returncode == 0
    assert "\nFrom " in found.stdout
