"""Between which budgets distillation wins."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import brentq, minimize_scalar

from distillplan import Bounds, Scenario, Teacher
from distillplan.accounting import Accounting
from distillplan.errors import InputError
from distillplan.laws import law_catalog
from distillplan.optimize.problems import SizeBounds, bounds_named
from distillplan.questions.crossover import crossovers
from tests import independent
from tests.plans import options_of, quick_plan, scenario_from_options
from tests.shell import answer, run, told_in_one_sentence
from tests.verdicts import Rule

PAPER = bounds_named(SizeBounds.PAPER)
FREE, EXISTS = Accounting.FREE, Accounting.EXISTS
TABLE = {
    # C at which the gain falls to 0.02, 0.01, 0 nats, and supervised D/N there where it is stated;
    # computed from Table 6 with B' = 2.418e6 (busbridge2025_table6) by other code, two digits
    (3e8, FREE): ((4e20, 530), (1.6e21, 2100), (8e22, None)),
    (5e8, FREE): ((5e20, 250), (1.6e21, 810), (1.6e22, None)),
    (1e9, FREE): ((9e20, 120), (2.5e21, 340), (1.6e22, None)),
    (3e9, FREE): ((4e21, 65), (1.1e22, 180), (6e22, None)),
    (5e9, FREE): ((1e22, 60), (2.8e22, 170), (2e23, None)),
    (1e10, FREE): ((4e22, 61), (1.4e23, 220), (1.4e24, None)),
    (3e10, FREE): ((5.6e23, 98), (3.5e24, 620), None),
    (5e10, FREE): ((2.8e24, None), (4e25, None), None),
    (3e8, EXISTS): ((6e19, 84), (1.8e20, 240), (2.2e21, 3000)),
    (5e8, EXISTS): ((1e20, 51), (2.2e20, 110), (1e21, 510)),
    (1e9, EXISTS): ((2.2e20, 30), (4.5e20, 61), (1.6e21, 215)),
    (3e9, EXISTS): ((1.3e21, 20), (2.5e21, 41), (8e21, 130)),
    (5e9, EXISTS): ((3.2e21, 19), (6.3e21, 38), (2e22, 120)),
    (1e10, EXISTS): ((1.1e22, 17), (2.5e22, 38), (1e23, 150)),
    (3e10, EXISTS): ((1.1e23, 20), (3.2e23, 55), (6e24, 1100)),
    (5e10, EXISTS): ((3.5e23, 23), (1.3e24, 80), None),
}


def windows(scenario, sizes, *accountings, levels=(0.02, 0.01, 0.0)):
    """The windows of each level, by student and accounting, without odds."""
    answer = crossovers(scenario, sizes, accountings or (FREE, EXISTS), levels, quick=True)
    return {
        (row.student_params, row.accounting): [level.windows for level in row.levels]
        for row in answer.rows
    }


@pytest.fixture(scope="module")
def of_table_6():
    asked = Scenario(compute=1.0, law=law_catalog.law("busbridge2025_table6"), bounds=PAPER)
    return windows(asked, sorted({params for params, _ in TABLE}))


@pytest.mark.parametrize("key", TABLE, ids=lambda key: f"{key[0]:g}-{key[1]}")
def test_crossovers_within_20_percent(of_table_6, key):
    """With the best teacher distillation wins from the least budget on, up to these."""
    for expected, found in zip(TABLE[key], of_table_6[key], strict=True):
        first = found[0]
        assert first.from_ is None
        if expected is None:
            assert first.to is None
            continue
        flops, tokens_per_param = expected
        assert first.to == pytest.approx(flops, rel=0.2)
        if tokens_per_param is not None:
            assert first.to_tokens_per_param == pytest.approx(tokens_per_param, rel=0.2)


def test_the_zero_of_large_students_comes_back(of_table_6):
    """At unlimited data 30B gains a thousandth of a nat over Equation 1 from the best teacher."""
    law = independent.TABLE_6
    best = minimize_scalar(
        lambda loss: independent.distilled_loss(3e10, 1e30, loss, law), bounds=(1.3, 2.5)
    )
    assert 0 < independent.supervised_loss(3e10, 1e30, law) - best.fun < 0.002
    *_, zero = of_table_6[3e10, EXISTS]
    first, second = zero
    assert first.to < second.from_
    assert second.to is None


@pytest.mark.parametrize("params", [1e9, 1e10])
def test_the_gain_there_is_the_level(busbridge, params):
    """The plan at each end of each window has that gain, beyond it less and within it more."""
    asked = Scenario(compute=1.0, law=busbridge, student_params=params)
    for (_, accounting), levels in windows(asked, [params]).items():
        for level, found in zip((0.02, 0.01, 0.0), levels, strict=True):
            for window in found:
                for edge, beyond in ((window.from_, 1 / 1.02), (window.to, 1.02)):
                    if edge is None:
                        continue
                    there, outside, inside = (
                        gain(asked, accounting, edge * factor) for factor in (1, beyond, 1 / beyond)
                    )
                    assert there == pytest.approx(level, abs=1e-6)
                    assert outside < level < inside


def gain(scenario, accounting, compute):
    asked = Scenario(
        compute=compute,
        law=scenario.law,
        student_params=scenario.student_params,
        students=scenario.students,
        teacher=scenario.teacher,
        accounting=accounting,
    )
    return options_of(asked)[accounting].gain_nats


def test_a_strong_teacher_has_a_lower_end_too(busbridge):
    """300M from 70B:1.4T: at few tokens supervised training wins again; roots by SciPy.

    Over 336 cases of the release before 32 hid such an end.
    """
    teacher = Teacher(params=7e10, tokens=1.4e12)
    asked = Scenario(compute=1.0, law=busbridge, teacher=teacher)
    searched = Rule(student=3e8, teacher_loss=independent.supervised_loss(7e10, 1.4e12))
    per_token = 3 * independent.forward_flops(3e8)
    logs = np.linspace(0, 8, 4001) * math.log(10) + math.log(per_token * 3e8)
    (levels,) = windows(asked, [3e8], FREE).values()
    for level, found in zip((0.02, 0.01, 0.0), levels, strict=True):
        over = searched.gain(np.exp(logs)) - level
        low, high = (
            brentq(
                lambda log, level=level: searched.gain(math.exp(log))[0] - level,
                logs[row],
                logs[row + 1],
            )
            for row in np.flatnonzero(np.diff(np.sign(over)))
        )
        (window,) = found
        assert (window.from_, window.to) == pytest.approx((math.exp(low), math.exp(high)), rel=1e-4)
        assert window.from_tokens_per_param == pytest.approx(window.from_ / per_token / 3e8)
        assert window.to_tokens_per_param == pytest.approx(window.to / per_token / 3e8)


def test_a_window_has_the_odds_of_a_budget_in_it(busbridge):
    """More likely than not, and less sure the less the gain is."""
    teacher = Teacher(params=7e10, tokens=1.4e12)
    asked = Scenario(compute=1.0, law=busbridge, teacher=teacher)
    (row,) = crossovers(asked, [3e8], [FREE]).rows
    odds = [level.windows[0].odds for level in row.levels]
    for one in odds:
        assert sum(one) == pytest.approx(1.0)
        assert one.distill > 0.5
    assert odds[0].distill > odds[1].distill > odds[2].distill


def test_what_was_looked_at_is_said(busbridge):
    """From one token per parameter to 1e8 of them, supervised."""
    asked = Scenario(compute=1.0, law=busbridge, students=4)
    (row,) = crossovers(asked, [1e9], [FREE], quick=True).rows
    one = 4 * 3 * independent.forward_flops(1e9) * 1e9
    assert row.looked_at == pytest.approx((one, one * 1e8))


def test_zero_is_said_to_be_uncertain(busbridge):
    """At unlimited data the laws differ by -0.005 to +0.010 nats (facts of the paper's curves)."""
    sizes = sorted({params for params, _ in TABLE})
    asked = Scenario(compute=1.0, law=busbridge, bounds=PAPER)
    answer = crossovers(asked, sizes, quick=True)
    for row in answer.rows:
        assert -0.012 < row.gain_at_most_tokens < 0.012
    assert "may lie anywhere" in answer.note


def test_a_given_teacher_and_a_family(busbridge):
    teacher = Teacher(params=7e9, tokens=1e12)
    asked = Scenario(compute=1.0, law=busbridge, student_params=3e9, teacher=teacher, students=4)
    ((window,),) = windows(asked, [3e9], FREE, levels=[0.01])[3e9, FREE]
    tokens = window.to / 4 / 3 / independent.forward_flops(3e9)
    assert window.to_tokens_per_param == pytest.approx(tokens / 3e9)
    assert gain(asked, FREE, window.to) == pytest.approx(0.01, abs=1e-6)
    loss = independent.distilled_loss(3e9, tokens, independent.supervised_loss(7e9, 1e12))
    alone = independent.supervised_loss(3e9, tokens)
    assert alone - loss == pytest.approx(0.01, abs=1e-6)


@pytest.mark.parametrize("words", [("--teacher", "7B:2T"), ("--teacher-loss", "2.0")])
def test_logits_on_disk_cost_nothing_where_nobody_says_who_pays(words):
    """The default was refused with an option that nobody had typed."""
    asked = ("crossover", "--student", "2B", *words, "--logits", "cached", "--gain", "0.01")
    found = run(*asked, "-o", "json")
    assert found.returncode == 0, found.stderr
    said = run(*asked, "--accounting", "free", "-o", "json")
    assert json.loads(found.stdout) == json.loads(said.stdout)
    assert run(*asked, "--accounting", "exists").returncode == 2
    assert run(*asked, "--accounting=").returncode == 2


def test_below_everywhere(busbridge):
    """A teacher that is no better than the student's own start never helps."""
    asked = Scenario(compute=1.0, law=busbridge, teacher=Teacher(params=2e8, tokens=4e9))
    assert windows(asked, [1e10], EXISTS, levels=[0.5])[1e10, EXISTS] == [()]
    (point,) = crossovers(asked, [1e10], [EXISTS], [0.5], quick=True).points
    assert point.window is None


def test_budgets_that_pay_for_nothing_are_below(busbridge):
    """The least teacher alone costs more than the smallest budgets."""
    bounds = Bounds(teacher_params=(1e11, 1e12), teacher_tokens=(1e12, 1e13))
    asked = Scenario(compute=1.0, law=busbridge, bounds=bounds)
    assert windows(asked, [1e8], Accounting.TRAIN, levels=[0.01]) == {(1e8, Accounting.TRAIN): [()]}


def test_a_law_without_distillation_has_none():
    with pytest.raises(InputError, match="says nothing about distillation"):
        crossovers(Scenario(compute=1.0, law=law_catalog.law("besiroglu2024")), [1e9])


def test_a_budget_in_hours_is_not_looked_at(busbridge):
    hours = scenario_from_options(gpu_hours=100, gpu="h100-sxm")
    flops = Scenario(compute=1.0, law=busbridge)
    assert windows(hours, [1e9]) == windows(flops, [1e9])


@pytest.mark.parametrize(
    ("asked", "students"),
    [
        ({"teacher": "1B:1T"}, [3e7, 1e9]),
        ({}, [3e7, 7e7]),
        ({"teacher": "70B:15T"}, [3e10]),
        ({"teacher": "7B:2T", "logits": "cached"}, [3e8, 3e9]),
        ({"teacher_loss": 7.3, "teacher_params": 7e9}, [1e9]),
        ({"teacher_loss": 3.4, "teacher_params": 7e9}, [1e9]),
    ],
)
def test_it_says_where_plans_have_no_verdict_and_leave_the_range(asked, students):
    """Against `plan` at the ends of every window: a guess is where one has no verdict, and every
    size that one of them warns of has a warning here."""
    scenario = scenario_from_options(compute=1e21, **asked)
    found = crossovers(scenario, students, quick=True)
    codes = {one.code for one in found.warnings}
    for row in found.rows:
        seen = set()
        at = replace(scenario, student_params=row.student_params, accounting=row.accounting)
        whole = row.looked_at.from_, row.looked_at.to
        around = [
            quick_plan(replace(at, compute=one)) for one in (*whole, math.sqrt(whole[0] * whole[1]))
        ]
        silent = not any(one.verdict for one in around)
        assert {one.is_guess for one in row.levels if not one.windows} <= {silent}
        for window in (one for level in row.levels for one in level.windows):
            ends = [one for one in (window.from_, window.to) if one is not None]
            plans = [quick_plan(replace(at, compute=end)) for end in ends] or around
            assert window.is_guess is any(one.verdict is None for one in plans)
            if ends:
                seen |= {two.size for one in plans for two in one.beyond}
        if seen:
            assert {one.size for one in row.beyond} == seen
            assert {f"{size}_outside_fit" for size in seen} <= codes
    guesses = [one.window.is_guess for one in found.points if one.window is not None]
    guesses += [level.is_guess for row in found.rows for level in row.levels]
    assert ("crossover_is_guess" in codes) is any(guesses)


def test_the_screen_marks_guesses_and_claims_nothing_by_them():
    found = run("crossover", "--student", "30M", "--teacher", "1B:1T").stdout
    assert found.startswith("No verdict")
    assert "from 3.42e16?" in found
    assert "outside the law's fitted range" in " ".join(found.split())


def test_who_pays_is_the_same_however_it_is_said(busbridge):
    words = ("crossover", "--student", "1B")
    typed = answer(*words, "--accounting", "train")
    assert answer(*words, "--set", "accounting=train")["rows"] == typed["rows"]
    scenario = Scenario(compute=1e21, law=busbridge, accounting=Accounting.TRAIN)
    (row,) = crossovers(scenario, [1e9], quick=True).rows
    assert row.accounting is Accounting.TRAIN


_TAUGHT = ("--student", "1B", "--teacher", "7B:2T")


@pytest.mark.parametrize(
    ("command", "word", "says"),
    [
        *((("crossover", *_TAUGHT), word, "the budget is the answer")
          for word in ("compute=3e20", "gpu_hours=1k", "tokens=1T")),
        *((("crossover", *_TAUGHT), word, "in which no machine has a part")
          for word in ("deadline=1h", "max_cost_usd=$1", "max_memory_bytes=1GB", "mfu=0.3")),
        (("crossover", *_TAUGHT), "student=3B", "--student gives the students"),
        (("target", "--loss", "2.2", *_TAUGHT), "compute=3e20", "the budget is the answer"),
        (("target", "--loss", "2.2", *_TAUGHT), "student=2B:30B", "the budget is the answer"),
        (("serve", "--match", "3B:60B", *_TAUGHT), "compute=1e21", "the budget is the answer"),
        (("serve", "--match", "3B:60B", *_TAUGHT), "tie=0.1", "have the same loss"),
        (("family", "--students", "1B,2B", "--loss", "2.4"), "compute=1e21", "it is the answer"),
        (("family", "1e21", "--students", "1B,2B"), "student=3B", "--students gives them"),
    ],
)  # fmt: skip
def test_a_word_without_a_part_is_refused(command, word, says):
    found = run(*command, "--set", word)
    told_in_one_sentence(found, 2, says)
    assert f"--set {word.partition('=')[0]}: " in found.stderr.replace("student_", "")


def test_a_headline_names_the_row_that_it_is_of():
    """`budget 1e21` with this teacher run beside the student pretrains; its logits on disk win."""
    told = " ".join(run("crossover", "--student", "1B", "--teacher", "3B:1T").stdout.split())
    assert "FLOPs (1.00B, logits on disk); with more, pretrain." in told
    said = run("crossover", "--student", "1B", "--teacher", "llama-3.1-8b").stdout
    assert "at some budgets: see each row." in said
