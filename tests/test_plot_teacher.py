"""`plot teacher`: the curve is Equation 8, and the marks are where other methods find them."""

import csv
import io
import json
import math
from dataclasses import replace
from functools import cache

import pytest
from scipy.optimize import brentq, minimize_scalar

from distillplan.errors import InfeasibleError, InputError
from distillplan.laws.provenance import ParameterCount
from distillplan.laws.repetition import log_worth
from distillplan.planning.planner import plan
from distillplan.questions.prediction import predict
from distillplan.questions.teacher_losses import MOST_MODELS, TaughtBy, teacher_losses
from tests.figures import in_each_others_way, saved_as_each, texts_of
from tests.independent import distilled_loss, supervised_loss
from tests.plans import scenario_from_options
from tests.schemas import validate
from tests.shell import run

QUESTIONS = {
    "tokens": {"student": "1B:100B"},
    "compute": {"compute": 1e21, "student": "1B", "teacher": "llama-3.1-8b"},
    "large": {"compute": 1e23, "student": "7B", "teacher": "llama-3.1-70b"},
    "small": {"student": "100M:2B", "teacher_loss": 3.1, "logits": "cached"},
    "repeated": {"student": "1B:100B", "max_unique_tokens": 1e10},
}


@cache
def found_of(name):
    return teacher_losses(scenario_from_options(**QUESTIONS[name]))


@cache
def drawn(name):
    kind = pytest.importorskip("distillplan.render.figures.picture_files", reason="plot extra")
    return kind.figure_of(found_of(name))


@pytest.mark.parametrize("name", ["tokens", "compute", "large", "small"])
def test_the_curve_is_equation_8_and_the_level_equation_1(name):
    """As `tests.independent` writes them, with plain powers."""
    found = found_of(name)
    sizes = found.student_params, found.student_tokens
    assert found.supervised_loss == pytest.approx(supervised_loss(*sizes), abs=1e-9)
    for one in found.points:
        loss = distilled_loss(*sizes, one.teacher_loss)
        assert one.student_loss == pytest.approx(loss, abs=1e-9)
        assert one.gain_nats == pytest.approx(supervised_loss(*sizes) - loss, abs=1e-9)


def test_repeated_tokens_count_as_what_they_are_worth():
    """Muennighoff et al. 2023, as every plan with a limited corpus has it."""
    found = found_of("repeated")
    worth = math.exp(log_worth(math.log(1e11), 1e10))
    assert 1e10 < worth < 1e11
    assert found.student_tokens == 1e11
    assert found.supervised_loss == pytest.approx(supervised_loss(1e9, worth), abs=1e-9)
    one = found.points[40]
    assert one.student_loss == pytest.approx(distilled_loss(1e9, worth, one.teacher_loss), abs=1e-9)


def test_a_format_of_stored_logits_costs_what_a_plan_says():
    """The given teacher's student, at the tokens that a plan with it reads."""
    words = {"student": "1B", "teacher": "7B:2T", "logits": "cached", "logit_format": "top-k"}
    asked = scenario_from_options(compute=1e21, logit_k=12, **words)
    answer = plan(asked, quick=True)
    assert answer.deciding.student_tokens == answer.supervised.student_tokens
    (given,) = teacher_losses(asked).of(TaughtBy.GIVEN)
    assert given.student_loss == pytest.approx(answer.deciding.loss, abs=1e-9)
    full = plan(scenario_from_options(compute=1e21, **{**words, "logit_format": None}), quick=True)
    assert given.student_loss > full.deciding.loss + 1e-3


@pytest.mark.parametrize("name", ["tokens", "compute", "large", "small"])
def test_the_best_teacher_is_where_scipy_finds_it(name):
    found = found_of(name)
    (best,) = found.of(TaughtBy.BEST)
    sizes = found.student_params, found.student_tokens
    least = minimize_scalar(lambda loss: distilled_loss(*sizes, loss), bounds=(1.3, 4))
    assert best.student_loss == pytest.approx(least.fun, abs=1e-6)
    assert best.teacher_loss == pytest.approx(least.x, abs=3e-3)
    assert best.student_loss <= min(one.student_loss for one in found.points) + 1e-7


def test_the_best_teacher_is_within_the_bounds():
    """A 110B student would want a stronger one than 2T parameters on 40T tokens, the largest
    trainings that anybody published; the paper's figures look farther."""
    scenario = scenario_from_options(compute=1e26, student="110B")
    found = teacher_losses(scenario)
    (best,) = found.of(TaughtBy.BEST)
    assert best.teacher_loss == pytest.approx(supervised_loss(2e12, 4e13), abs=1e-6)
    assert found.best_is_bound
    farther = teacher_losses(scenario_from_options(compute=1e26, student="110B", bounds="paper"))
    assert farther.of(TaughtBy.BEST)[0].student_loss < best.student_loss
    assert not any(found_of(name).best_is_bound for name in QUESTIONS)


@pytest.mark.parametrize("name", ["tokens", "compute", "small"])
def test_teachers_help_between_the_roots_of_the_gain(name):
    """SciPy's root of the gain minus a tie, on either side of the best teacher."""
    found = found_of(name)
    sizes = found.student_params, found.student_tokens
    alone, tie = supervised_loss(*sizes), found.scenario.tie_nats
    (best,) = found.of(TaughtBy.BEST)

    def more_than_a_tie(loss):
        return alone - distilled_loss(*sizes, loss) - tie

    low = brentq(more_than_a_tie, 1.3, best.teacher_loss)
    high = brentq(more_than_a_tie, best.teacher_loss, alone + 0.5)
    assert (found.helps_from, found.helps_to) == pytest.approx((low, high), abs=1e-6)


def test_where_no_teacher_helps_nothing_is_shaded():
    found = found_of("large")
    assert max(one.gain_nats for one in found.points) < found.scenario.tie_nats
    assert found.helps_from is None
    assert "no teacher is better than none by more than a tie" in texts_of(drawn("large"))[0]


@pytest.mark.parametrize("name", ["tokens", "small"])
def test_bands_are_those_of_a_prediction(name):
    """`predict` draws the same laws for one point at a time."""
    found = found_of(name)
    for one in found.of(TaughtBy.ANY)[::40]:
        there = predict(
            found.law,
            student_params=found.student_params,
            student_tokens=found.student_tokens,
            teacher_loss=one.teacher_loss,
        )
        assert (one.low, one.high) == pytest.approx(there.distilled_loss_band, abs=1e-9)
    assert (found.supervised_low, found.supervised_high) == there.supervised_loss_band


def test_tokens_of_a_budget_are_those_of_training_from_data_alone():
    found = found_of("compute")
    answer = plan(found.scenario, quick=True)
    assert found.student_tokens == answer.supervised.student_tokens
    (given,) = found.of(TaughtBy.GIVEN)
    assert given.name == "llama-3.1-8b"
    assert given.teacher_loss == answer.scenario.teacher_loss


@pytest.mark.parametrize("name", QUESTIONS)
def test_open_models_stand_at_the_losses_of_their_sizes(name):
    """Their parameters and tokens are those of `models NAME`; the given teacher is left out."""
    found = found_of(name)
    models = found.of(TaughtBy.OPEN_MODEL)
    assert 3 <= len(models) <= MOST_MODELS
    for one in models:
        asked = scenario_from_options(compute=1e21, teacher=one.name)
        assert one.teacher_loss == pytest.approx(asked.teacher_loss, abs=1e-9)
    losses = [one.teacher_loss for one in models]
    assert losses == sorted(losses)
    given = {one.name for one in found.of(TaughtBy.GIVEN)}
    assert not given & {one.name for one in models}


def test_models_that_count_otherwise_are_left_out():
    """Their sizes without embeddings are not those that such a law counts."""
    scenario = scenario_from_options(student="1B:100B")
    law = scenario.law._replace(counts=ParameterCount.TOTAL)
    assert not teacher_losses(replace(scenario, law=law)).of(TaughtBy.OPEN_MODEL)


@pytest.mark.parametrize("name", QUESTIONS)
def test_words_do_not_stand_on_each_other(name):
    assert not in_each_others_way(drawn(name))


def test_the_title_says_which_teachers_help():
    title = texts_of(drawn("tokens"))[0]
    assert title.startswith("A 1.0B student on 100B tokens, the teacher's costs aside: teachers of")
    assert f"{found_of('tokens').helps_to:.2f} nats help" in title


def test_no_student_is_worse_than_guessing():
    """ln 32,768 is 10.4 nats; at the strongest teachers of the curve the law gives more."""
    found = teacher_losses(scenario_from_options(compute=1e21, student=8.9e13))
    sizes = found.student_params, found.student_tokens
    whole, first = 161, min(one.teacher_loss for one in found.of(TaughtBy.ANY))
    assert 0 < len(found.of(TaughtBy.ANY)) < whole
    assert max(one.student_loss for one in found.points) < math.log(32_768)
    assert distilled_loss(*sizes, first) < math.log(32_768) < distilled_loss(*sizes, first - 0.05)


def test_what_cannot_be_asked():
    with pytest.raises(InputError, match="says nothing about distillation"):
        teacher_losses(scenario_from_options(student="1B:100B", law="kaplan2020"))
    words = {"student": "1M:1M", "architecture.vocab": 512}  # ln 512 is 6.2 nats
    with pytest.raises(InfeasibleError, match="guessing gives"):
        teacher_losses(scenario_from_options(**words))
    words = {"compute": 1e21, "student": 8.9e13, "teacher": "llama-3.1-8b"}  # as the fuzzer had it
    with pytest.raises(InfeasibleError, match=r"1[.]848 nats: it gives the student"):
        teacher_losses(scenario_from_options(**words))
    done = run("plot", "teacher", "--student", "1B", "-o", "json")
    assert (done.returncode, done.stdout) == (2, "")
    assert "the budget is missing" in done.stderr


@pytest.mark.slow
def test_it_is_drawn_as_each_kind_with_its_data(tmp_path):
    pytest.importorskip("matplotlib", reason="the plot extra")
    data = tmp_path / "teacher.csv"
    words = ["plot", "teacher", "--student", "1B", "--tokens", "20 TPP"]
    done = saved_as_each(*words, "-o", "json", "--data", data, folder=tmp_path)
    document = json.loads(done.stdout)
    validate(document, "teacher_losses")
    rows = list(csv.DictReader(io.StringIO(data.read_text(encoding="utf-8"))))
    assert len(rows) == len(document["points"])
    for row, point in zip(rows, document["points"], strict=True):
        assert row["teacher"] == point["teacher"]
        assert row["name"] == (point["name"] or "")
        assert float(row["student_loss"]) == point["student_loss"]
