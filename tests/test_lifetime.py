"""Serving after training, and repeated tokens, inside the budget."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from distillplan import Accounting, Bounds, Scenario
from distillplan.laws import law_catalog
from distillplan.laws.repetition import log_tokens, log_worth
from distillplan.models.architecture import FixedAspect
from tests import independent
from tests.plans import by_accounting, quick_plan, scenario_from_options

TWO_N = FixedAspect(context=1e-9, vocab=1e-9)
"""F(N) = 2 N to the last bits: the 6 N D + 2 N T of Sardana et al. 2024."""


@pytest.mark.parametrize("served", [0.0, 1e11, 1e12, 2e13])
@pytest.mark.parametrize("law", ["busbridge2025", "hoffmann2022_a3", "besiroglu2024"])
def test_sardanas_first_order_condition(law, served):
    """Sardana et al. 2024: returns to parameters over returns to tokens are 1 + T / (3 D)."""
    if law == "busbridge2025":
        alone = quick_plan(
            Scenario(
                compute=1e23, law=law_catalog.law(law), inference_tokens=served, architecture=TWO_N
            )
        ).options[0]
        loss = independent.supervised_loss
    else:
        # laws that count the embedding as well: with a vocabulary of nothing it is nothing
        found = law_catalog.law(law)
        alone = quick_plan(
            Scenario(compute=1e23, law=found, inference_tokens=served, architecture=TWO_N)
        ).options[0]
        one = found.supervised

        def loss(N, D):
            return one.E + (one.A / N**one.alpha + one.B / D**one.beta) ** one.gamma

    N, D, h = alone.student_params, alone.student_tokens, 1e-4
    by_params = (loss(N * np.exp(h), D) - loss(N * np.exp(-h), D)) / (2 * h)
    by_tokens = (loss(N, D * np.exp(h)) - loss(N, D * np.exp(-h))) / (2 * h)
    assert by_params / by_tokens == pytest.approx(1 + served / (3 * D), rel=1e-4)
    assert 6 * N * D + 2 * N * served == pytest.approx(1e23, rel=1e-9)


@pytest.mark.parametrize("budget", [1e21, 1e23])
@pytest.mark.parametrize("served", [1e11, 1e12])
def test_serving_against_a_search_of_one_size(busbridge, budget, served):
    """The best student's size by SciPy along the budget's curve, costs from the paper's Eq. 69."""
    alone = quick_plan(Scenario(compute=budget, law=busbridge, inference_tokens=served)).options[0]

    def loss(log_params):
        forward = independent.forward_flops(np.exp(log_params))
        tokens = (budget - forward * served) / (3 * forward)
        return independent.supervised_loss(np.exp(log_params), tokens) if tokens > 1e6 else 99.0

    found = minimize_scalar(
        loss, bounds=(np.log(1e7), np.log(1e11)), method="bounded", options={"xatol": 1e-10}
    )
    assert alone.loss == pytest.approx(found.fun, abs=1e-9)
    assert alone.student_params == pytest.approx(np.exp(found.x), rel=1e-3)


@pytest.mark.parametrize("accounting", Accounting)
def test_the_budget_pays_for_serving_to_the_last_flop(busbridge, accounting):
    answer = quick_plan(Scenario(compute=1e22, law=busbridge, inference_tokens=1e12, students=3))
    option = by_accounting(answer)[accounting]
    forward = independent.forward_flops(option.student_params)
    assert option.flops.student_serving == pytest.approx(3 * 1e12 * forward, rel=1e-12)
    assert option.total_flops == pytest.approx(1e22, rel=1e-9)


@pytest.mark.parametrize(("params", "budget"), [(None, 1e23), (3e9, 1.5e22)])
def test_serving_is_paid_where_the_tokens_end(busbridge, params, budget):
    """With tokens at their bound the student's parameters, or the teacher, take the rest."""
    served, most = 1e12, 1e11
    answer = quick_plan(
        Scenario(
            compute=budget,
            law=busbridge,
            student_params=params,
            inference_tokens=served,
            bounds=Bounds(student_tokens=(1e6, most)),
        )
    )
    alone, train = answer.options[0], by_accounting(answer)[Accounting.TRAIN]
    assert alone.student_tokens == most
    if params is None:
        paid = independent.forward_flops(alone.student_params) * (3 * most + served)
        assert paid == pytest.approx(budget, rel=1e-9)
    assert train.total_flops == pytest.approx(budget, rel=1e-6)
    random = np.random.default_rng(0)
    N_T = 10 ** random.uniform(8, 11.5, 200_000)
    D_T = 10 ** random.uniform(9, 13, 200_000)
    N_S = 10 ** random.uniform(8.5, 11, 200_000) if params is None else np.full(200_000, params)
    student, teacher = independent.forward_flops(N_S), independent.forward_flops(N_T)
    D_S = (budget - 3 * teacher * D_T - student * served) / (3 * student + teacher)
    paid = D_S > 1e6
    losses = independent.distilled_loss(
        N_S[paid],
        np.minimum(D_S[paid], most),
        independent.supervised_loss(N_T[paid], D_T[paid]),
    )
    assert train.loss <= losses.min() + 1e-9
    assert losses.min() - train.loss < 5e-3


def test_more_serving_means_a_smaller_student_on_more_tokens_per_parameter(busbridge):
    found = [
        quick_plan(Scenario(compute=1e23, law=busbridge, inference_tokens=served)).options
        for served in (0.0, 1e12, 1e13)
    ]
    for row in range(5):
        sizes = [options[row].student_params for options in found]
        ratios = [options[row].tokens_per_param for options in found]
        assert sizes == sorted(sizes, reverse=True)
        assert ratios == sorted(ratios)


def test_serving_nothing_is_no_change(busbridge):
    asked = Scenario(compute=1e22, law=busbridge, student_params=1e9)
    for one, other in zip(
        quick_plan(asked).options,
        quick_plan(
            Scenario(compute=1e22, law=busbridge, student_params=1e9, inference_tokens=1e-3)
        ).options,
        strict=True,
    ):
        assert one.loss == pytest.approx(other.loss, abs=1e-9)


@pytest.mark.parametrize(
    ("epochs", "worth"), [(1, 1.0), (2, 0.984), (4, 0.931), (8, 0.828), (16, 0.661), (40, 0.379)]
)
def test_what_repeats_are_worth(epochs, worth):
    """Value per token of Muennighoff et al. 2023, Equation 5 with R* = 15.387756."""
    unique = 1e10
    found = np.exp(log_worth(np.log(epochs * unique), unique)) / (epochs * unique)
    assert found == pytest.approx(worth, abs=1e-3)
    back = np.exp(log_tokens(log_worth(np.log(epochs * unique), unique), unique))
    assert back == pytest.approx(epochs * unique, rel=1e-9)


def test_repeats_are_never_worth_more_than_sixteen_corpora():
    """The limit of Equation 5: U (1 + R*); no number of tokens is worth more."""
    assert np.exp(log_worth(np.log(1e16), 1e10)) == pytest.approx(16.387756e10, rel=1e-9)
    assert log_tokens(np.log(17e10), 1e10) == np.inf


def worth(tokens, unique):
    """Equation 5 by plain powers."""
    repeats = np.maximum(tokens / unique - 1, 0)
    return np.where(
        tokens > unique, unique + unique * 15.387756 * (1 - np.exp(-repeats / 15.387756)), tokens
    )


@pytest.mark.parametrize("unique", [3e9, 3e10])
def test_repetition_against_random_search(busbridge, unique):
    """No teacher of 200 000 random ones does better, and the losses are the formulas'."""
    budget, N = 1e22, 1e9
    answer = quick_plan(
        Scenario(compute=budget, law=busbridge, student_params=N, max_unique_tokens=unique)
    )
    alone, train = answer.options[0], by_accounting(answer)[Accounting.TRAIN]
    tokens = budget / 3 / independent.forward_flops(N)
    assert alone.loss == pytest.approx(independent.supervised_loss(N, worth(tokens, unique)))
    D_S, N_T, D_T = train.student_tokens, train.teacher_params, train.teacher_tokens
    L_T = independent.supervised_loss(N_T, worth(D_T, unique))
    assert train.teacher_loss == pytest.approx(L_T, rel=1e-9)
    assert train.loss == pytest.approx(
        independent.distilled_loss(N, worth(D_S, unique), L_T), rel=1e-9
    )
    random = np.random.default_rng(0)
    N_T = 10 ** random.uniform(7.5, 11, 200_000)
    D_T = 10 ** random.uniform(9, 13, 200_000)
    forward = independent.forward_flops(N_T)
    D_S = (budget - 3 * forward * D_T) / (3 * independent.forward_flops(N) + forward)
    paid = D_S > 1e6
    losses = independent.distilled_loss(
        N,
        worth(D_S[paid], unique),
        independent.supervised_loss(N_T[paid], worth(D_T[paid], unique)),
    )
    assert train.loss <= losses.min() + 1e-9
    assert losses.min() - train.loss < 1e-3
    assert "tokens_repeated" in {one.code for one in answer.warnings}


def test_a_corpus_that_is_not_used_up_changes_nothing(busbridge):
    without = quick_plan(Scenario(compute=1e21, law=busbridge, student_params=1e9))
    plenty = quick_plan(
        Scenario(compute=1e21, law=busbridge, student_params=1e9, max_unique_tokens=1e13)
    )
    for one, other in zip(without.options[:2], plenty.options[:2], strict=True):
        assert one.loss == pytest.approx(other.loss, abs=1e-12)
    assert "tokens_repeated" not in {one.code for one in plenty.warnings}


def test_a_bill_says_that_serving_is_not_in_it():
    words = {"compute": 1e22, "gpu": "h100-sxm", "student": "1B"}
    for tokens, said in ((0, False), (1e12, True)):
        answer = quick_plan(scenario_from_options(**words, inference_tokens=tokens))
        assert ("serving_not_billed" in [one.code for one in answer.warnings]) is said
