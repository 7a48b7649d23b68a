"""Layouts that the models which a plan chooses cannot be divided over."""

import itertools
import json

import pytest

from distillplan import Scenario, plan
from distillplan.hardware.machine import machine
from distillplan.laws import law_catalog
from distillplan.models.architecture import HEAD_WIDTH, FixedAspect
from tests.shell import run

CODE = "divided_too_far"
GROUPS = [(1, 1, 1), (1, 24, 1), (64, 1, 1), (8, 24, 1), (3, 5, 2), (1, 192, 1), (1, 1, 64)]
"""Tensor, pipeline and context parallel."""


@pytest.mark.parametrize(("tp", "pp", "cp"), GROUPS)
@pytest.mark.parametrize("compute", [1e17, 1e20, 1e22])
def test_a_plan_that_chooses_its_models_never_fails_on_the_layout(tp, pp, cp, compute):
    words = {"gpu": "h100-sxm", "gpus": tp * pp * cp * 8, "tp": tp, "pp": pp, "cp": cp}
    family = FixedAspect(context=4096)
    scenario = Scenario(
        law=law_catalog.law(),
        compute=compute,
        machine=machine(words, family),
        architecture=family,
    )
    answer = plan(scenario, quick=True)
    compared = [one for one in answer.options if one.accounting is None or one.decides]
    sizes = [one.student_params for one in compared]
    sizes += [one.teacher_params for one in compared if one.teacher_params]
    # Appendix G: N = 12 width^2 layers and width = 128 layers
    layers = (min(sizes) / (12 * 128**2)) ** (1 / 3)
    warned = CODE in [one.code for one in answer.warnings]
    if pp > 1.2 * layers + 1 or tp > 4 * layers:
        assert warned
    if pp < layers / 1.2 - 1 and tp < layers / 2:
        assert not warned


@pytest.mark.parametrize(("tp", "pp"), [*itertools.product([1, 2, 3, 8, 64], [1, 7, 24, 192])])
@pytest.mark.parametrize("params", [1e6, 3e8, 1e9, 7e10])
def test_the_layout_divides_the_shape_made_for_it(params, tp, pp):
    shape = FixedAspect().nearest_shape(params, tp, pp)
    assert shape.heads % tp == 0
    assert shape.layers >= pp
    least = 12 * (HEAD_WIDTH * tp) ** 2 * pp  # parameters of one head per GPU in each stage
    if params > 10 * least:
        assert shape.params == pytest.approx(params, rel=0.3)


BASE = "gpu: h100-sxm, gpus: 192, pp: 24"
FILE = f"base: {{{BASE}}}\nscenarios: {{a: {{compute: 1e20}}, b: {{compute: 1e21}}}}\n"
OPTIONS = ["--gpu", "h100-sxm", "--gpus", "192", "--pp", "24"]
SET = [*OPTIONS[:4], "--set", "pp=24"]


@pytest.mark.parametrize(
    "words",
    [
        ["budget", "1e20", "--quick", *OPTIONS],
        ["budget", "1e20", "--quick", "--student", "3B", *OPTIONS],  # the teacher is chosen
        ["compare", "s.yaml"],
        ["validate", "s.yaml"],
        ["report", "s.yaml", "-o", "report.html"],
        ["sweep", "--axis", "compute=1e19,1e20", *SET],
        ["family", "1e21", "--students", "300M,1B", *SET],
        ["target", "--loss", "2.6", *SET],
        ["pilot", "1e20", *OPTIONS],
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_no_command_fails_on_the_layout_of_a_model_it_chose(words, tmp_path):
    (tmp_path / "s.yaml").write_text(FILE)
    finished = run(*words, folder=tmp_path)
    assert finished.returncode == 0, finished.stderr


def test_the_words_of_the_warning():
    finished = run("budget", "1e20", "--quick", "-o", "json", *OPTIONS)
    told = [one for one in json.loads(finished.stdout)["warnings"] if one["code"] == CODE]
    assert len(told) == 1
    assert "too small for tp 1 x pp 24 (layers 14, heads 14)" in told[0]["message"]
    assert "layers 24" in told[0]["message"]


@pytest.mark.parametrize(
    ("groups", "says"),
    [
        (["--pp", "24"], "--pp: 24 stages are more than the model's 16 layers"),
        (["--tp", "24"], "--tp: 24 does not divide 32 heads"),
    ],
)
def test_a_student_with_a_name_is_refused_at_the_start(groups, says):
    machine_of = ["--gpu", "h100-sxm", "--gpus", "192"]
    finished = run("budget", "1e20", "--student", "llama-3.2-1b", *machine_of, *groups)
    assert finished.returncode == 2
    assert says in finished.stderr
