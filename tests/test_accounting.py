"""Who pays for what: Tables 2 and 5 of the paper, and families of students."""

import pytest

from distillplan.accounting import Accounting, Logits, Share, run_flops, share

# delta_Lgt and delta_Pre of Table 2
TABLE_2 = {
    Accounting.FREE: (0, 0),
    Accounting.EXISTS: (1, 0),
    Accounting.TRAIN_SHARED: (0, 1),
    Accounting.TRAIN: (1, 1),
}


@pytest.mark.parametrize("accounting", list(Accounting))
def test_table_2(accounting):
    assert share(accounting, Logits.ONLINE, 1) == Share(*map(float, TABLE_2[accounting]))


@pytest.mark.parametrize("accounting", list(Accounting))
def test_equation_9_for_one_student(accounting):
    F_S, D_S, F_T, D_T = 2e9, 3e10, 7e9, 4e11
    logits, training = TABLE_2[accounting]
    found = run_flops(
        student_forward=F_S,
        student_tokens=D_S,
        teacher_forward=F_T,
        teacher_tokens=D_T,
        paid=share(accounting, Logits.ONLINE, 1),
    )
    assert found.total == pytest.approx(
        3 * F_S * D_S + F_T * (logits * D_S + training * 3 * D_T), rel=1e-15
    )


@pytest.mark.parametrize("students", [1, 2, 7])
def test_a_family_trains_its_teacher_once(students):
    paid = share(Accounting.TRAIN, Logits.ONLINE, students)
    found = run_flops(
        student_forward=1e9,
        student_tokens=1e10,
        teacher_forward=5e9,
        teacher_tokens=1e11,
        paid=paid,
        students=students,
    )
    assert found.teacher_training == pytest.approx(3 * 5e9 * 1e11, rel=1e-15)
    assert found.teacher_logits == pytest.approx(students * 5e9 * 1e10, rel=1e-15)
    assert found.student_training == pytest.approx(students * 3 * 1e9 * 1e10, rel=1e-15)


def test_a_teacher_passes_once_over_a_corpus_whose_logits_are_stored():
    """Four students read 10B tokens 5 times: one pass over 10B, however long each is trained."""
    paid = share(Accounting.EXISTS, Logits.STORED, 4)
    words = {"student_forward": 1e9, "teacher_forward": 5e9, "paid": paid, "students": 4}
    for tokens, passed in ((5e10, 1e10), (4e9, 4e9)):
        found = run_flops(student_tokens=tokens, most_passed=1e10, **words)
        assert found.teacher_logits == pytest.approx(5e9 * passed, rel=1e-15)
        assert found.student_training == pytest.approx(4 * 3 * 1e9 * tokens, rel=1e-15)


def test_stored_logits_are_paid_once_and_cached_ones_never():
    assert share(Accounting.EXISTS, Logits.STORED, 4) == Share(0.25, 0.0)
    assert share(Accounting.EXISTS, Logits.CACHED, 4) == Share(0.0, 0.0)
    assert share(Accounting.TRAIN, Logits.STORED, 4) == Share(0.25, 0.25)
