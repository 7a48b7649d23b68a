"""Several laws on one question: against the table of facts and against each law alone."""

from dataclasses import replace
from functools import cache

import pytest

from distillplan import Scenario, Teacher, plan
from distillplan.errors import InputError
from distillplan.laws import law_catalog
from distillplan.questions.ensemble import ensemble

LAW = law_catalog.law()
EVERY = law_catalog.laws_named("all")
# Optimal tokens per parameter at 1e20, 1e22, 1e24 FLOPs = 6 N D, worked out from published
# coefficients (Hoffmann et al. 2022 rounded, Besiroglu et al. 2024, Chinchilla runs refitted with
# an outer exponent, Muennighoff et al. 2023, Busbridge et al. 2025, Gadre et al. 2024).
TOKENS_PER_PARAM = {
    "hoffmann2022_a3": (40, 63, 98),
    "besiroglu2024": (23, 20, 18),
    "chinchilla_refit_cpl": (23, 22, 22),
    "muennighoff2023_c4": (20, 20, 20),
    "busbridge2025": (19, 17, 15),
    "gadre2024_c4": (7, 7, 6),
    "gadre2024_refinedweb": (4.5, 2.5, 1.4),
}


@cache
def of_all(compute):
    """What every law says of any student for a budget."""
    return ensemble(Scenario(compute=compute, law=LAW), EVERY)


def test_all_are_all_that_ship():
    assert sorted(one.name for one in EVERY) == sorted(law_catalog.law_names())


def test_laws_of_the_same_runs_count_once():
    """Four sets of coefficients come from the runs of arXiv:2502.08606; one without the others
    speaks for itself."""
    scenario = Scenario(compute=1e21, law=LAW, student_params=1e9)
    assert ensemble(scenario, EVERY).verdicts == {"supervised": 1}
    alone = law_catalog.laws_named("busbridge2025_figure1,busbridge2025_printed")
    assert ensemble(scenario, alone).verdicts == {"supervised": 2}


@pytest.mark.parametrize(("column", "compute"), [(0, 1e20), (1, 1e22), (2, 1e24)])
def test_tokens_per_parameter_are_those_of_the_papers(column, compute):
    said = {one.law: one for one in of_all(compute).said}
    for name, published in TOKENS_PER_PARAM.items():
        unit = 0.1 if published[column] < 5 else 1.0
        found = said[name].best_tokens_per_param_6nd
        assert found == pytest.approx(published[column], abs=unit / 2 + 0.01), name


@pytest.mark.parametrize(("compute", "ratio"), [(1e20, 9), (1e24, 70)])
def test_the_laws_are_as_far_apart_as_published(compute, ratio):
    spread = of_all(compute).tokens_per_param_6nd
    assert spread.ratio == pytest.approx(ratio, rel=0.05)
    assert (spread.least_law, spread.most_law) == ("gadre2024_refinedweb", "hoffmann2022_a3")


def test_each_law_says_what_it_says_alone():
    scenario = Scenario(compute=1e21, law=LAW, student_params=1e9)
    for one in ensemble(scenario, EVERY).said:
        alone = plan(replace(scenario, law=law_catalog.law(one.law)), quick=True)
        assert one.verdict == alone.verdict
        assert one.margin_nats == alone.margin_nats
        assert one.supervised_loss == alone.options[0].loss


def test_losses_of_different_tokenizers_are_never_subtracted():
    found = of_all(1e21)
    for one in found.said:
        assert (one.margin_nats is None) == (law_catalog.law(one.law).distillation is None)
    assert "losses_not_comparable" in [one.code for one in found.warnings]
    assert not [name for name in found._fields if "loss" in name]


def test_a_teacher_is_asked_of_those_who_know_teachers():
    scenario = Scenario(
        compute=1e21, law=LAW, student_params=3e9, teacher=Teacher(params=7e9, tokens=1e12)
    )
    found = ensemble(scenario, EVERY)
    assert sum(found.verdicts.values()) == 1  # four know teachers, all from the same runs
    assert "laws_without_verdict" in [one.code for one in found.warnings]


def test_a_budget_too_small_for_any_student_is_said_for_each_law():
    found = ensemble(Scenario(compute=1e13, law=LAW, student_params=1e9), EVERY[:2])
    assert [one.supervised_loss for one in found.said] == [None, None]


def test_laws_that_nobody_should_use_are_named():
    found = of_all(1e21)
    (notice,) = [one for one in found.warnings if one.code == "laws_kept_for_comparison"]
    for name in ("busbridge2025_printed (erratum)", "kaplan2020 (historical)"):
        assert name in notice.message


def test_several_laws_are_named_between_commas():
    assert [one.name for one in law_catalog.laws_named("kaplan2020, besiroglu2024")] == [
        "kaplan2020",
        "besiroglu2024",
    ]


@pytest.mark.parametrize("names", [",", "", "besiroglu"])
def test_laws_that_are_none_are_refused(names):
    with pytest.raises(InputError):
        law_catalog.laws_named(names)
