"""Starts from an open model: the rival of every plan, and what `--start` says of it."""

import json
import math
from pathlib import Path

import pytest

from distillplan.laws.law_catalog import law
from distillplan.laws.recovery import cuts
from distillplan.models.model_catalog import models
from distillplan.planning.planner import plan
from distillplan.planning.rival import rival_of
from distillplan.planning.scenario import Scenario
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
    assert {one["rival"]["parent"] for one in plans} == {"qwen2.5-7b"}
    assert "Not weighed: " in run(*words, "--why").stdout.replace("weighed   ", "weighed: ")
