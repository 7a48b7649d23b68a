"""Plans: order of the accountings, budgets spent, what is chosen and why, what is not."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distillplan import Accounting, Bounds, Logits, Scenario, Teacher, Verdict, law, predict
from distillplan.errors import InfeasibleError, InputError
from distillplan.laws.provenance import LawStatus
from distillplan.models.architecture import FixedAspect
from distillplan.planning.results import Method
from distillplan.planning.sizes import SearchStatus
from distillplan.questions.inverse import least_budgets
from tests import independent
from tests.plans import by_accounting, options_of, quick_plan

LAW = law("busbridge2025")
QUICK = settings(max_examples=25, deadline=None)
budgets = st.floats(19.5, 25).map(lambda x: 10**x)
students = st.floats(8, 11).map(lambda x: 10**x)


def scenario(compute=1e21, student_params=1e9, **settings):
    return Scenario(compute=compute, student_params=student_params, law=LAW, **settings)


@QUICK
@given(budgets, students)
def test_paying_for_less_is_never_worse(compute, params):
    """free <= exists <= train and free <= train_shared <= train (Section 5.3)."""
    loss = {
        accounting: one.loss for accounting, one in options_of(scenario(compute, params)).items()
    }
    order = [
        (Accounting.FREE, Accounting.EXISTS),
        (Accounting.EXISTS, Accounting.TRAIN),
        (Accounting.FREE, Accounting.TRAIN_SHARED),
        (Accounting.TRAIN_SHARED, Accounting.TRAIN),
    ]
    for less, more in order:
        if loss[more] is not None:
            assert loss[less] <= loss[more] + 1e-11


@QUICK
@given(budgets, students, st.floats(1.01, 10))
def test_more_compute_is_never_worse(compute, params, factor):
    before = options_of(scenario(compute, params))
    after = options_of(scenario(compute * factor, params))
    for accounting, one in before.items():
        if one.loss is not None:
            assert after[accounting].loss <= one.loss + 1e-11


@QUICK
@given(budgets, st.none() | students, st.integers(1, 20))
def test_the_budget_is_spent(compute, params, count):
    for option in quick_plan(scenario(compute * count, params, students=count)).options:
        if option.status in (SearchStatus.OPTIMAL, SearchStatus.GIVEN):
            assert option.total_flops == pytest.approx(compute * count, rel=1e-9)
            assert option.flops_per_student * count == pytest.approx(option.total_flops, rel=1e-12)
        if option.flops is not None:
            assert sum(option.flops) == pytest.approx(option.total_flops, rel=1e-12)


@QUICK
@given(budgets, students)
def test_losses_are_the_law_at_the_sizes(compute, params):
    """Each option, put into the paper's formula, gives the loss it states."""
    for one in quick_plan(scenario(compute, params)).options:
        if one.method is Method.SUPERVISED:
            expected = independent.supervised_loss(one.student_params, one.student_tokens)
        elif one.loss is not None:
            teacher = independent.supervised_loss(one.teacher_params, one.teacher_tokens)
            expected = independent.distilled_loss(one.student_params, one.student_tokens, teacher)
        else:
            continue
        assert one.loss == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("params", [3e8, 1e9, 1e10])
def test_many_students_pay_nothing_for_training(params):
    """K -> infinity of `train` tends to `exists`, at the same budget per student."""
    bounds = Bounds(teacher_tokens=(1e6, 1e13))
    exists = by_accounting(quick_plan(scenario(1e21, params, bounds=bounds)))[
        Accounting.EXISTS
    ].loss
    gaps = []
    for count in (10, 1000, 1_000_000):
        answer = quick_plan(scenario(1e21 * count, params, students=count, bounds=bounds))
        gaps.append(by_accounting(answer)[Accounting.TRAIN].loss - exists)
    assert gaps[0] > gaps[1] > gaps[2] > -1e-12
    # a millionth of 3 F(N_T) 1e13 is below a thousandth of the budget, and 10 % are worth 0.01
    assert gaps[2] < 1e-4


def test_growing_student_and_tokens_tend_to_the_teacher():
    losses = [
        predict(LAW, student_params=10**k, student_tokens=10**k, teacher_loss=1.8).distilled_loss
        for k in (8, 10, 13)
    ]
    assert losses[0] > losses[1] > losses[2] > 1.8
    assert losses[2] == pytest.approx(1.8, abs=1e-3)


def test_a_teacher_that_must_be_trained_does_not_pay():
    """Section 5.3: with teacher pretraining in the budget supervised learning wins."""
    for params in (3e8, 1e9, 3e9, 1e10):
        assert quick_plan(scenario(1e21, params)).verdict is Verdict.SUPERVISED


@pytest.mark.parametrize(("compute", "params"), [(3e20, 1e9), (3e20, 3e9), (1e21, 1e10)])
def test_a_free_teacher_pays_at_modest_budgets(compute, params):
    """Figure 8: 0.04, 0.08 and 0.12 nats below supervised training there."""
    answer = quick_plan(scenario(compute, params, accounting=Accounting.FREE))
    assert answer.verdict is Verdict.DISTILL
    assert answer.margin_nats > 0.03


def test_the_verdict_is_drawn_from_what_the_user_has():
    def deciding(**settings):
        return [one.accounting for one in quick_plan(scenario(**settings)).options if one.decides]

    teacher = Teacher(params=7e9, tokens=2e12)
    assert deciding() == [Accounting.TRAIN]
    assert deciding(teacher=teacher) == [Accounting.EXISTS]
    assert deciding(teacher=teacher, logits=Logits.CACHED) == [Accounting.FREE]
    assert deciding(teacher=Teacher(loss=1.95), logits=Logits.CACHED) == [Accounting.FREE]
    assert deciding(accounting=Accounting.TRAIN_SHARED) == [Accounting.TRAIN_SHARED]


def test_a_measured_loss_wins_over_the_law():
    sizes = {"params": 7e9, "tokens": 2e12}
    plain = quick_plan(scenario(teacher=Teacher(**sizes)))
    measured = quick_plan(scenario(teacher=Teacher(**sizes, loss=2.05)))
    assert by_accounting(measured)[Accounting.EXISTS].teacher_loss == 2.05
    expected = independent.supervised_loss(7e9, 2e12)
    assert by_accounting(plain)[Accounting.EXISTS].teacher_loss == pytest.approx(expected)


@pytest.mark.parametrize("tie", [0.0, 0.01, 0.1])
def test_ties_are_as_wide_as_asked(tie):
    answer = quick_plan(scenario(tie_nats=tie))
    expected = Verdict.TIE if abs(answer.margin_nats) < tie else Verdict.SUPERVISED
    assert answer.verdict is expected


def test_ten_percent_more_saves_what_it_says():
    before, after = quick_plan(scenario(1e21)), quick_plan(scenario(1.1e21))
    more = by_accounting(after)
    for accounting, one in by_accounting(before).items():
        saved = one.loss - more[accounting].loss
        assert saved == pytest.approx(one.gain_from_10_percent, abs=1e-10)


def test_equivalent_tokens_are_worth_as_much():
    option = by_accounting(quick_plan(scenario(1e20, 3e9)))[Accounting.FREE]
    tokens = option.supervised_equivalent_tokens
    assert independent.supervised_loss(3e9, tokens) == pytest.approx(option.loss, abs=1e-10)


def test_sizes_nearly_as_good_hold_the_best_ones():
    for option in by_accounting(quick_plan(scenario(1e21, None))).values():
        for name in option.near._fields:
            ends = getattr(option.near, name)
            if ends is not None:
                assert ends[0] <= getattr(option, name) * (1 + 1e-6)
                assert ends[1] >= getattr(option, name) * (1 - 1e-6)


def test_bounds_are_reported():
    bounds = Bounds(teacher_tokens=(1e6, 3e13))
    answer = quick_plan(scenario(bounds=bounds))
    option = by_accounting(answer)[Accounting.EXISTS]
    assert option.status is SearchStatus.AT_UPPER_BOUND
    assert option.teacher_tokens == pytest.approx(3e13, rel=1e-12)
    assert option.at_bounds == ("teacher_tokens",)
    assert "at_upper_bound" not in answer.warning_codes  # the verdict does not weigh it
    weighed = quick_plan(scenario(bounds=bounds, accounting=Accounting.EXISTS))
    assert "at_upper_bound" in weighed.warning_codes


def test_a_tight_cap_on_tokens_leaves_budget_over():
    answer = quick_plan(scenario(1e22, 1e9, bounds=Bounds(student_tokens=(1e6, 1e11))))
    alone = answer.options[0]
    assert alone.student_tokens == pytest.approx(1e11, rel=1e-12)
    assert alone.total_flops < 1e22
    assert alone.status is SearchStatus.AT_UPPER_BOUND


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"compute": 1e24}, "student_tokens_outside_fit"),
        ({"student_params": 5e10, "compute": 1e23}, "student_params_outside_fit"),
        ({"student_params": 3e10, "compute": 1e20}, "few_tokens_per_param"),
        ({"teacher": Teacher(params=7e9, tokens=2e12)}, "teacher_loss_from_law"),
        ({"teacher": Teacher(params=7e9, tokens=2e12)}, "teacher_tokens_outside_fit"),
        ({"teacher": Teacher(params=7e9, loss=1.6)}, "teacher_too_strong"),
        ({"teacher": Teacher(params=7e9, loss=2.5)}, "teacher_too_weak"),
        ({"teacher": Teacher(params=1e8, loss=1.8)}, "teacher_loss_below_its_size"),
    ],
)
def test_doubts_have_codes(settings, code):
    assert code in [one.code for one in quick_plan(scenario(**settings)).warnings]


def test_inside_the_fitted_range_nothing_warns():
    answer = quick_plan(scenario(3e20, 1e9, accounting=Accounting.FREE))
    assert [one for one in answer.warnings if one.severity == "warning"] == []


def test_a_misprinted_law_says_so():
    answer = quick_plan(
        Scenario(compute=1e20, student_params=1e9, law=law("busbridge2025_printed"))
    )
    assert "law_is_an_erratum" in [one.code for one in answer.warnings]


@pytest.mark.parametrize(
    ("vocab", "loss"),
    [(32768, 10.398), (1000, 6.908)],  # ln 32768 = 10.3972, ln 1000 = 6.9078
)
def test_a_teacher_that_guesses_is_refused(vocab, loss):
    shape = FixedAspect(vocab=vocab)
    with pytest.raises(InputError, match=f"no better than guessing among {vocab:,} tokens"):
        scenario(teacher=Teacher(params=7e9, loss=loss), architecture=shape)
    scenario(teacher=Teacher(params=7e9, loss=loss - 0.001), architecture=shape)


@pytest.mark.parametrize(
    ("status", "says"), [("erratum", "mine is a misprint"), ("historical", "mine is historical")]
)
def test_a_law_may_say_that_it_is_no_good_and_not_why(status, says):
    bare = law()._replace(name="mine", status=LawStatus(status), notes=(), errata=())
    answer = quick_plan(Scenario(compute=1e20, student_params=1e9, law=bare))
    assert says in [one.message for one in answer.warnings]


def test_the_misprint_flips_a_verdict():
    """Facts: at few tokens the printed B' promises 0.16 nats that nobody gets."""
    teacher = Teacher(params=7e9, tokens=2e12)
    compute = 5e9 * (3 * independent.forward_flops(1e9) + independent.forward_flops(7e9))
    right, printed = (
        quick_plan(Scenario(compute=compute, student_params=1e9, law=law(name), teacher=teacher))
        for name in ("busbridge2025", "busbridge2025_printed")
    )
    assert printed.margin_nats - right.margin_nats == pytest.approx(0.16, abs=0.02)
    assert right.verdict is not printed.verdict


def test_a_supervised_law_gives_no_verdict():
    answer = quick_plan(Scenario(compute=1e21, law=law("besiroglu2024")))
    assert answer.verdict is None
    assert answer.margin_nats is None
    assert [one.method for one in answer.options] == [Method.SUPERVISED]


def test_laws_that_count_the_embedding_pay_for_the_same_model():
    """1.909B in all are the 1.82B model of Table 13, whose forward pass takes 4.28 GFLOPs."""
    answer = quick_plan(Scenario(compute=1e21, student_params=1.909e9, law=law("besiroglu2024")))
    tokens = answer.options[0].student_tokens
    assert 1e21 / (3 * tokens) == pytest.approx(4.28e9, rel=2e-3)


def test_a_budget_that_trains_nothing_is_infeasible():
    with pytest.raises(InfeasibleError, match=r"cannot train a student of 1\.00B"):
        quick_plan(scenario(1e12))


def test_distillation_out_of_reach_is_no_error():
    answer = quick_plan(
        scenario(teacher=Teacher(params=7e9, tokens=2e12), accounting=Accounting.TRAIN)
    )
    assert answer.verdict is Verdict.SUPERVISED
    assert answer.margin_nats is None
    assert by_accounting(answer)[Accounting.TRAIN].status is SearchStatus.INFEASIBLE


@pytest.mark.parametrize(
    "settings",
    [
        {"compute": -1.0},
        {"compute": math.nan},
        {"compute": math.inf},
        {"student_params": 0.0},
        {"students": 0},
        {"tie_nats": -0.1},
        {"logits": Logits.CACHED},
        {"teacher": Teacher(loss=2.0)},
        {"teacher": Teacher(loss=1.219, params=7e9)},  # E is 1.21951
        {"teacher": Teacher(loss=2.0, params=7e9), "accounting": Accounting.TRAIN},
        {
            "teacher": Teacher(loss=2.0, params=7e9),
            "logits": Logits.CACHED,
            "accounting": Accounting.EXISTS,
        },
    ],
)
def test_unusable_questions_are_refused(settings):
    with pytest.raises(InputError):
        scenario(**settings)


@pytest.mark.parametrize("settings", [{}, {"tokens": 1e9}, {"params": 1e9}, {"loss": math.nan}])
def test_a_teacher_of_whom_nothing_is_known_is_refused(settings):
    with pytest.raises(InputError, match="teacher"):
        Teacher(**settings)


@pytest.mark.parametrize("accounting", [None, *Accounting])
def test_least_compute_is_the_inverse_of_plan(accounting):
    loss = by_accounting(quick_plan(scenario(2e21)))[accounting].loss
    (found,) = least_budgets(scenario(1.0), (accounting,), loss).amounts
    assert found == pytest.approx(2e21, rel=1e-6)


def test_no_compute_reaches_below_the_limit():
    """L(N, infinity) of 1B is 2.086 by Equation 1."""
    assert least_budgets(scenario(1.0), (None,), 2.0).amounts == [None]


def test_no_teacher_is_called_best_that_is_worse_than_the_given_one():
    """By the formula: the search of teachers ends before one that is good enough for 200B."""
    given = predict(LAW, student_params=2e11, student_tokens=5e13, teacher_loss=1.4)
    assert given.best_teacher_loss is given.loss_with_best_teacher is None
    worse = predict(LAW, student_params=2e11, student_tokens=5e13, teacher_loss=1.55)
    taught = independent.distilled_loss(2e11, 5e13, 1.4)
    assert taught < worse.loss_with_best_teacher < worse.distilled_loss


def test_the_best_teacher_itself_stays_the_best():
    best = predict(LAW, student_params=1e9, student_tokens=1e11, teacher_loss=2.0).best_teacher_loss
    again = predict(LAW, student_params=1e9, student_tokens=1e11, teacher_loss=best)
    assert again.best_teacher_loss == pytest.approx(best)


def test_prediction_agrees_with_the_formula():
    found = predict(LAW, student_params=1e9, student_tokens=1e11, teacher_loss=2.0)
    assert found.supervised_loss == pytest.approx(independent.supervised_loss(1e9, 1e11))
    assert found.distilled_loss == pytest.approx(independent.distilled_loss(1e9, 1e11, 2.0))
    losses = [
        independent.distilled_loss(1e9, 1e11, found.best_teacher_loss * f) for f in (0.99, 1.01)
    ]
    assert found.loss_with_best_teacher < min(losses)
    more = {
        "student_params": (1.1e9, 1e11, 2.0),
        "student_tokens": (1e9, 1.1e11, 2.0),
        "teacher_loss": (1e9, 1e11, 2.2),
    }
    assert found.by_10_percent.keys() == more.keys()
    for name, sizes in more.items():
        change = independent.distilled_loss(*sizes) - found.distilled_loss
        assert found.by_10_percent[name] == pytest.approx(change, abs=1e-12)


@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan, math.inf])
def test_predictions_of_nothing_are_refused(bad):
    with pytest.raises(InputError):
        predict(LAW, student_params=bad, student_tokens=1e11)
    with pytest.raises(InputError):
        predict(LAW, student_params=1e9, student_tokens=1e11, teacher_loss=bad)


@pytest.mark.parametrize("loss", [1e-300, 1e-3])
def test_a_teacher_better_than_any_model_is_refused_under_a_law_without_a_floor(loss):
    """Kaplan et al. 2020 have no E, so that only sense bounds a loss; L_T^-c0 would overflow."""
    supervised = LAW.supervised._replace(E=0.0)
    floorless = LAW._replace(
        supervised=supervised, distillation=LAW.distillation._replace(supervised=supervised)
    )
    with pytest.raises(InputError, match="less than any model has"):
        predict(floorless, student_params=1e9, student_tokens=1e11, teacher_loss=loss)
