"""The laws: limits, inverses, slopes, and the paper's formula written out plainly."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from distillplan.laws.formulas import DistillationLaw, SupervisedLaw
from tests import independent

LETTERS = independent.RECOVERED._asdict()
PRIMED = {"c0", "c1", "f1", "d1"}
SUPERVISED = SupervisedLaw(
    **{name: one for name, one in LETTERS.items() if name not in PRIMED and name[-1] != "2"}
)
LAW = DistillationLaw(
    supervised=SUPERVISED,
    **{
        name.removesuffix("2"): one
        for name, one in LETTERS.items()
        if name in PRIMED or name[-1] == "2"
    },
)

params = st.floats(5, 15).map(lambda x: 10**x)
tokens = st.floats(3, 18).map(lambda x: 10**x)
losses = st.floats(1.25, 12)


@given(params, tokens)
def test_supervised_is_equation_1(N, D):
    assert SUPERVISED.loss(N, D) == pytest.approx(independent.supervised_loss(N, D), rel=1e-13)


@given(st.floats(7, 13).map(lambda x: 10**x), st.floats(8, 15).map(lambda x: 10**x), losses)
def test_distillation_is_equation_8(N_S, D_S, L_T):
    """Where plain powers do not overflow they give the same as logarithms."""
    expected = independent.distilled_loss(N_S, D_S, L_T)
    assert LAW.loss(N_S, D_S, L_T) == pytest.approx(expected, rel=1e-11)


@given(params, tokens, losses)
def test_nothing_overflows(N_S, D_S, L_T):
    values = [LAW.loss(N_S, D_S, L_T), *LAW.gradient(N_S, D_S, L_T), *SUPERVISED.gradient(N_S, D_S)]
    assert all(math.isfinite(value) for value in values)


@given(params, tokens, losses)
def test_student_and_tokens_never_harm(N_S, D_S, L_T):
    by_n, by_d, _ = LAW.gradient(N_S, D_S, L_T)
    assert by_n <= 0
    assert by_d <= 0


@pytest.mark.parametrize("L_T", [1.5, 2.0, 2.7])
def test_infinite_student_and_tokens_give_the_teacher(L_T):
    """Property (i) of Section 4.3."""
    assert LAW.loss(math.inf, math.inf, L_T) == pytest.approx(L_T, rel=1e-15)
    assert LAW.loss(1e30, 1e30, L_T) == pytest.approx(L_T, rel=1e-6)


def test_a_hopeless_teacher_gives_the_teacher():
    """Property (ii) of Section 4.3: as L_T grows the student ends at L_T."""
    assert LAW.loss(1e9, 1e11, 50.0) == pytest.approx(50.0, rel=1e-12)


def test_infinite_sizes_give_the_irreducible_loss():
    assert SUPERVISED.loss(math.inf, math.inf) == SUPERVISED.E


def test_loss_is_u_shaped_in_the_teacher():
    """Property (iii), the capacity gap: too strong a teacher harms."""
    losses = LAW.loss(np.array(2e8), np.array(5e9), np.linspace(1.3, 3.2, 400))
    signs = np.sign(np.diff(losses))
    assert (np.diff(signs[signs != 0]) != 0).sum() == 1
    assert signs[0] < 0 < signs[-1]


STEP = np.finfo(float).eps ** (1 / 3)  # balances truncation and rounding of a central difference


@given(params, tokens, losses)
def test_slopes_are_central_differences(N_S, D_S, L_T):
    n, d, x = math.log(N_S), math.log(D_S), math.log(L_T)

    def numeric(f, at):
        return (f(at + STEP) - f(at - STEP)) / (2 * STEP)

    expected = (
        numeric(lambda one: LAW.loss_at_logs(one, d, x), n),
        numeric(lambda one: LAW.loss_at_logs(n, one, x), d),
        numeric(lambda one: LAW.loss_at_logs(n, d, one), x),
    )
    # the third derivative grows like (1/f1)^3 = 1400 times the loss
    assert LAW.gradient(N_S, D_S, L_T) == pytest.approx(expected, rel=1e-4, abs=1e-5)
    alone = (
        numeric(lambda one: SUPERVISED.loss_at_logs(one, d), n),
        numeric(lambda one: SUPERVISED.loss_at_logs(n, one), d),
    )
    # a loss of up to 100 has rounding errors of 1e-14, which the step of 6e-6 divides
    assert SUPERVISED.gradient(N_S, D_S) == pytest.approx(alone, rel=1e-6, abs=5e-9)


@given(st.floats(7, 12).map(lambda x: 10**x), st.floats(7, 14).map(lambda x: 10**x))
def test_the_supervised_inverse_is_inverse(N, D):
    L = SUPERVISED.loss(N, D)
    # where one term is a share s of the inner sum, rounding grows by 1/s
    of_data = SUPERVISED.B / D**SUPERVISED.beta
    share_of_data = of_data / (SUPERVISED.A / N**SUPERVISED.alpha + of_data)
    assert SUPERVISED.tokens_for_loss(L, N) == pytest.approx(D, rel=1e-11 / share_of_data)


def test_what_cannot_be_reached_takes_infinitely_many_tokens():
    assert SUPERVISED.tokens_for_loss(1.9, 1e9) == math.inf


def test_equivalent_tokens_bring_the_same_loss():
    args = (1e9, 5e10, 2.05)
    tokens = LAW.supervised_equivalent_tokens(*args)
    assert SUPERVISED.loss(1e9, tokens) == pytest.approx(LAW.loss(*args), rel=1e-13)


@pytest.mark.parametrize("C", [1e18, 1e21, 1e24])
def test_closed_form_spends_the_budget_and_is_optimal(C):
    """Hoffmann et al. 2022, Equation 4; checked by its first-order condition."""
    law = SupervisedLaw(E=1.8172, A=482.01, B=2085.43, alpha=0.3478, beta=0.3658)
    N, D = law.compute_optimal(C)
    assert 6 * N * D == pytest.approx(C, rel=1e-14)
    by_n, by_d = law.gradient(N, D)
    assert by_n == pytest.approx(by_d, rel=1e-10)


def test_floats_in_floats_out_arrays_in_arrays_out():
    N = np.array([1e8, 1e9])
    array = LAW.loss(N, np.array(1e10), np.array(2.1))
    assert isinstance(array, np.ndarray)
    single = [LAW.loss(float(one), 1e10, 2.1) for one in N]
    assert all(type(one) is float for one in single)
    assert array == pytest.approx(single, rel=1e-15)


def test_coefficients_may_be_arrays():
    """Joint draws of a fit: one law per row, against rows done one by one."""
    E = np.array([1.2, 1.25])
    together = SUPERVISED._replace(E=E).loss(np.array(1e9), np.array(1e11))
    apart = [SUPERVISED._replace(E=float(one)).loss(1e9, 1e11) for one in E]
    assert together == pytest.approx(apart, rel=1e-15)


def test_kaplan_is_a_special_case():
    """Equation 1.5 of Kaplan et al. 2020, written as there."""
    N_c, D_c, aN, aD = 8.8e13, 5.4e13, 0.076, 0.095
    law = SupervisedLaw(E=0.0, A=N_c ** (aN / aD), B=D_c, alpha=aN / aD, beta=1.0, gamma=aD)
    N, D = 1e8, 1e10
    assert law.loss(N, D) == pytest.approx(((N_c / N) ** (aN / aD) + D_c / D) ** aD, rel=1e-13)
