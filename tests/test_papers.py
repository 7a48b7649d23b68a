"""Published numbers, one test per table or figure; rows and bounds are in coefficients/checks."""

import json

import pytest
import typer

from distillplan.checks import law_checks
from distillplan.checks.check_records import compared, report
from distillplan.checks.law_checks import check_group, check_groups
from distillplan.checks.law_findings import Spending
from distillplan.cli.commands.check import FAILED, check
from distillplan.render.check_view import check_view
from tests.shell import run

EVERY = check_groups()
GROUPS = {group.where: (law, group) for law, group in EVERY}
KNOWN = sorted(where for where, (_, group) in GROUPS.items() if group.known)
KEPT = sorted(GROUPS.keys() - set(KNOWN))


def failures(where, **changes):
    """The rows of a group that fail, of the group's law with changed primed coefficients."""
    law, group = GROUPS[where]
    if changes:
        law = law._replace(distillation=law.distillation._replace(**changes))
    rows = report(check_group(law, group)).rows
    assert rows, where
    return [(row.what, row.published, row.computed) for row in rows if row.failed]


def test_every_group_has_a_place_of_its_own():
    assert len(GROUPS) == len(EVERY)


def test_table_13_models():
    """33 models: parameters, total parameters, forward FLOPs (digits: test_architecture)."""
    assert len(GROUPS["Table 13"][1].rows) == 33
    assert failures("Table 13") == []


@pytest.mark.parametrize("where", sorted(set(KEPT) - {"Table 13"}))
def test_what_is_not_marked_is_reproduced(where):
    """Within the reading error of the source; Figure 8: 0.003, 6: 10%, 7: 0.005 nats, 9: 15%."""
    assert failures(where) == []


@pytest.mark.parametrize("where", KNOWN)
def test_every_mark_is_right(where):
    """What is known to miss does miss, in every row, and says why."""
    law, group = GROUPS[where]
    found = report(check_group(law, group))
    assert [row.what for row in found.rows if row.passed] == []
    assert (found.passed, found.failed, found.known) == (0, 0, len(found.rows))
    assert all(row.known == group.known for row in found.rows)


# reading errors of the facts, and half a unit of the last printed digit
READING = {"Figure 6": 0.10, "Figure 7": 0.005, "Figure 8": 0.003, "Figure 9": 0.15} | {
    "Table 6": 0.0005,
    "Table 13": 0.0005,
}


@pytest.mark.parametrize("where", sorted(GROUPS))
def test_bounds_are_reading_errors(where):
    """No known offset pads them: a figure's groups all have its reading error on both sides."""
    source = where.split(",", maxsplit=1)[0]
    if source in READING:
        group = GROUPS[where][1]
        assert (-group.low, group.high) == (READING[source], READING[source])


def test_another_statement_than_the_published_one_fails():
    """Table 3 says of every plan how it spends its budget; each statement is exclusive."""
    law, group = GROUPS["Table 3"]
    for statement in Spending:
        rows = tuple((params, compute, statement.value) for params, compute, _ in group.rows)
        claimed = check_group(law, group._replace(rows=rows))
        for row, (*_, published) in zip(claimed, group.rows, strict=True):
            assert row.passed == (statement == published)


@pytest.mark.parametrize("factor", [0.98, 1.02])
def test_a_mutation_of_the_law_turns_a_check_red(factor):
    """A' by 2%, one part in fifty of one of fifteen letters."""
    law = GROUPS["Figure 8"][0]
    changed = law.distillation.A * factor
    assert failures("Figure 1", A=changed) or failures("Figure 8", A=changed)


# a law that contradicts the place; the printed B' contradicts most
WRONG = {"Table 6": {"beta": 0.65}, "Appendix E.4": {"A": 2700.0}, "Figure 9, peak": {"gamma": 0.7}}


@pytest.mark.parametrize("where", KEPT)
def test_a_wrong_law_fails_the_checks(where):
    """The checks can fail: with the printed B', another letter, or a vocabulary forgotten."""
    law, group = GROUPS[where]
    if where == "Table 13":
        shifted = group._replace(
            rows=tuple((*row[:3], *(value * 1.01 for value in row[3:])) for row in group.rows)
        )
        assert report(check_group(law, shifted)).failed
        return
    assert failures(where, **WRONG.get(where, {"B": 24181.0}))


def row(computed, known=None):
    return compared("law", "Figure 0", "loss", 1.0, computed, low=-0.1, high=0.1, known=known)


def test_a_miss_is_known_or_a_failure():
    """Counted apart; one that is marked and does not miss counts as reproduced and is named."""
    found = report([row(1.05), row(1.2), row(1.2, "read badly"), row(1.0, "read badly")])
    assert (found.passed, found.failed, found.known) == (2, 1, 1)
    shown = "\n".join(map(str, check_view(found)))
    assert "2 of 4 published numbers reproduced; 1 known miss; 1 failed." in shown
    assert "Figure 0: read badly" in shown
    assert "Marked as known misses, but reproduced" in shown


def test_known_misses_are_shown_and_fail_nothing():
    found = run("check", "Figure 7", "-o", "json")
    assert found.returncode == 0
    data = json.loads(found.stdout)
    assert data["failed"] == 0
    assert data["known"] == sum(not one["passed"] for one in data["rows"])
    table = run("check", "Figure 7").stdout
    assert f"{data['known']} known misses." in table
    assert table.count("✗") == data["known"]


def test_a_miss_that_nobody_knows_fails_the_command(monkeypatch, capsys):
    """The law with A' 2% higher, asked for Figure 8."""
    law, group = GROUPS["Figure 8"]
    changed = law._replace(distillation=law.distillation._replace(A=1.02 * law.distillation.A))
    monkeypatch.setattr(law_checks, "check_groups", lambda: ((changed, group),))
    with pytest.raises(typer.Exit) as caught:
        check("Figure 8")
    assert caught.value.exit_code == FAILED
    assert "(not known)" in capsys.readouterr().out
