"""Published numbers, one test per table or figure; rows and bounds are in coefficients/checks."""

import pytest

from distillplan.checks.check_records import report
from distillplan.checks.law_checks import Spending, check_group, check_groups

GROUPS = {group.where: (law, group) for law, group in check_groups()}


def failures(where):
    law, group = GROUPS[where]
    rows = report(check_group(law, group)).rows
    assert rows, where
    return [(row.what, row.published, row.computed) for row in rows if not row.passed]


def test_table_13_models():
    """33 models: parameters, total parameters, forward FLOPs (digits: test_architecture)."""
    assert len(GROUPS["Table 13"][1].rows) == 33
    assert failures("Table 13") == []


def test_another_statement_than_the_published_one_fails():
    """Table 3 says of every plan how it spends its budget; each statement is exclusive."""
    law, group = GROUPS["Table 3"]
    for statement in Spending:
        rows = tuple((params, compute, statement.value) for params, compute, _ in group.rows)
        claimed = check_group(law, group._replace(rows=rows))
        for row, (*_, published) in zip(claimed, group.rows, strict=True):
            assert row.passed == (statement == published)


def test_figure_8_best_losses():
    """Read to 0.003 nats, plus the 0.014 by which three-digit coefficients lie above the curves."""
    assert failures("Figure 8") == []


def test_figure_8_steep_part():
    """Where the curve falls by 0.17 to 0.31 nats per decade, the budget's reading error counts."""
    assert failures("Figure 8, steep part") == []


def test_figure_9_best_sizes():
    """Read to 15 %."""
    assert failures("Figure 9") == []


def test_figure_6_crossover_tokens():
    """Read to 10 %; the law follows the contours to 8 %."""
    assert failures("Figure 6") == []


def test_figure_7_best_teacher_losses():
    assert failures("Figure 7") == []


def test_table_3_three_regimes():
    assert failures("Table 3") == []


def test_appendix_d5_savings():
    """500M to 2.4 nats: about 3/4 of supervised compute; 10B to 2.2: about 1/2."""
    assert failures("Appendix D.5") == []


@pytest.mark.parametrize("where", sorted(GROUPS))
def test_a_wrong_law_fails_the_checks(where):
    """The checks can fail: with the printed B', or a vocabulary forgotten, they do."""
    law, group = GROUPS[where]
    if where == "Table 13":
        shifted = group._replace(
            rows=tuple((*row[:3], *(value * 1.01 for value in row[3:])) for row in group.rows)
        )
        assert report(check_group(law, shifted)).failed
        return
    printed = law._replace(distillation=law.distillation._replace(B=24181.0))
    assert report(check_group(printed, group)).failed
