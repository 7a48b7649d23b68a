"""What would change a verdict, against an independent root search and by asking again."""

import dataclasses
import json
import math
import re

import numpy as np
import pytest
from scipy.optimize import brentq, minimize_scalar

from distillplan import Accounting, Logits, Scenario, Teacher, Verdict, law
from distillplan.planning.evaluate import cells
from distillplan.planning.flips import weigh_cells
from distillplan.planning.planner import plan as plan_of
from tests import independent
from tests.plans import quick_plan, scenario_from_options
from tests.shell import run
from tests.verdicts import NOBODY_KNOWS, Rule

LAW, TABLE_6 = law("busbridge2025"), law("busbridge2025_table6")
SIDES = {1: Verdict.DISTILL, 0: Verdict.TIE, -1: Verdict.SUPERVISED, NOBODY_KNOWS: None}


def scenario(compute=1e21, student_params=1e9, **settings):
    settings = {"law": LAW, **settings}
    return Scenario(compute=compute, student_params=student_params, **settings)


def rule(asked):
    """The same question for the independent search; its teacher is given."""
    letters = independent.RECOVERED if asked.law is LAW else independent.TABLE_6
    teacher, pays = asked.teacher, asked.pays
    loss = teacher.loss or independent.supervised_loss(teacher.params, teacher.tokens, letters)
    shared = asked.students if asked.logits is Logits.STORED else 1
    reads = pays in (Accounting.EXISTS, Accounting.TRAIN) and asked.logits is not Logits.CACHED
    trains = pays in (Accounting.TRAIN_SHARED, Accounting.TRAIN)
    return Rule(
        student=asked.student_params,
        teacher_loss=loss,
        teacher_params=teacher.params or 0.0,
        teacher_tokens=teacher.tokens or 0.0,
        logits=1 / shared if reads else 0.0,
        training=1 / asked.students if trains else 0.0,
        students=asked.students,
        tie=asked.tie_nats,
        law=letters,
    )


def random_scenarios(count, seed):
    """Given students and teachers of all kinds, under all accountings, families among them."""
    random, found = np.random.default_rng(seed), []
    while len(found) < count:
        size = 10 ** random.uniform(7.7, 10.8)
        students = int(random.choice([1, 1, 3, 20]))
        ratio = 10 ** random.uniform(-0.3, 3.5)
        compute = students * 3 * independent.forward_flops(size) * ratio * size
        teacher = Teacher(
            params=10 ** random.uniform(8.3, 11.5), tokens=10 ** random.uniform(10.6, 13.3)
        )
        if random.random() < 0.3:
            teacher = dataclasses.replace(teacher, loss=random.uniform(1.6, 3.0))
        logits = Logits(random.choice(list(Logits)))
        accounting = random.choice([None, *Accounting])
        if logits is Logits.CACHED and accounting in (Accounting.EXISTS, Accounting.TRAIN):
            continue
        found.append(
            scenario(
                compute,
                size,
                students=students,
                teacher=teacher,
                logits=logits,
                accounting=accounting,
            )
        )
    return found


def assert_flip(flip, span):
    """A flip is that window, to a tenth of a percent; or there is neither."""
    assert (flip is None) == (span is None), (flip, span)
    if flip is None:
        return
    assert flip.verdict is SIDES[span.side]
    for found, true in ((flip.from_, span.low), (flip.to, span.high)):
        assert found == (None if true is None else pytest.approx(true, rel=1e-3))
    assert flip.at > (flip.from_ or 0.0)
    assert flip.at < (flip.to or math.inf)


@pytest.mark.parametrize("asked", random_scenarios(60, seed=20261126), ids=range(60))
def test_budget_flips_are_those_of_an_independent_search(asked):
    """Verdict and nearest other windows against formulas, a dense grid and bisection."""
    answer, searched = quick_plan(asked), rule(asked)
    assert answer.verdict is SIDES[int(searched.side(asked.compute)[0])]
    down, up = searched.flips(asked.compute)
    assert_flip(answer.flips.budget_down, down)
    assert_flip(answer.flips.budget_up, up)
    looked_at = answer.flips.budgets
    assert looked_at.from_ == pytest.approx(asked.compute * 1e-4)
    assert looked_at.to == pytest.approx(asked.compute * 1e4)


@pytest.mark.parametrize("asked", random_scenarios(60, seed=20261126), ids=range(60))
def test_the_verdict_holds_as_far_as_an_independent_search_says(asked):
    """Against the same formulas and grid; next to no verdict an end is known to 3%."""
    found, searched = quick_plan(asked).flips.same_verdict, rule(asked)
    here = [one for one in searched.spans(asked.compute) if (one.low or 0) <= asked.compute]
    own = here[-1]
    if own.side == NOBODY_KNOWS:
        assert found is None
        return
    for end, true in ((found.from_, own.low), (found.to, own.high)):
        assert end == (None if true is None else pytest.approx(true, rel=0.03))


@pytest.mark.parametrize("teacher", ["7B:2T", "70B:15T"])
def test_without_another_verdict_the_screen_says_where_there_is_none(teacher):
    """Asked anew just within each end, there is the same verdict; just beyond it, none."""
    base = {"compute": "1e20", "student": "1B", "teacher": teacher}
    answer = plan_of(scenario_from_options(**base), quick=True)
    same, silent = answer.flips.same_verdict, []
    assert (answer.flips.budget_down, answer.flips.budget_up) == (None, None)
    for name, end, out in (("below", same.from_, 0.95), ("above", same.to, 1.05)):
        if end is not None:
            silent.append(name)
            within, beyond = (
                plan_of(scenario_from_options(**base | {"compute": one}), quick=True).verdict
                for one in (end / out, end * out)
            )
            assert (within, beyond) == (answer.verdict, None)
    words = ("1e20", "--student", "1B", "--teacher", teacher, "--quick", "--details")
    screen = " ".join(run("budget", *words).stdout.split())
    assert "not the budget: the same verdict from" in screen
    assert (f"; no verdict just {' or '.join(silent)}" in screen) is bool(silent)


def test_the_odds_of_a_window_are_those_at_the_budget_beside_them():
    """A window has one figure, which says of which budget it is: that of the plan there."""
    words = ("--student", "1B", "--teacher", "llama-3.1-8b", "--logits", "cached")
    screen = " ".join(run("budget", "1e21", *words).stdout.split())
    found = re.findall(r"(distill|pretrain) \((\d+)%, at ([\d.e]+)\)", screen)
    assert found
    for side, share, at in found:
        odds = json.loads(run("budget", at, *words, "-o", "json").stdout)["odds"]
        there = odds["distill" if side == "distill" else "supervised"]
        assert 100 * there == pytest.approx(int(share), abs=1)


def test_the_random_scenarios_are_of_all_kinds():
    """So that the test above is no empty boast."""
    verdicts, changes = set(), set()
    for asked in random_scenarios(60, seed=20261126):
        searched = rule(asked)
        now = SIDES[int(searched.side(asked.compute)[0])]
        verdicts.add(now)
        changes |= {SIDES[one.side] for one in searched.flips(asked.compute) if one}
    assert verdicts == {*Verdict, None}
    assert changes == set(Verdict)


CASES = {
    "false flip beside its own budget": (
        {"compute": 7e20, "teacher": Teacher(params=1e9, tokens=1e12), "logits": Logits.CACHED},
        Verdict.TIE,
        {"budget_up": (Verdict.SUPERVISED, 1.71e21, None)},
    ),
    "window between the first budgets": (
        {"compute": 5e19, "teacher": Teacher(params=3e9, tokens=6e10)},
        Verdict.SUPERVISED,
        # the gain falls to a tie at 1.77e19; up to 2.85e19 tokens are too few for a verdict
        {"budget_down": (Verdict.TIE, 2.85e19, 3.65e19), "budget_up": None},
    ),
    "fewer than one token per parameter": (
        {"compute": 6e18, "teacher": Teacher(params=3e9, tokens=6e10), "logits": Logits.CACHED},
        None,
        # from one token per parameter on; a tie begins at 5.72e20
        {"budget_down": None, "budget_up": (Verdict.DISTILL, 7.36e18, 5.72e20)},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_windows_that_the_release_before_got_wrong(case):
    """Budgets by an independent solver, for the law of that time: Table 6 with B' times 100."""
    settings, verdict, expected = CASES[case]
    answer = quick_plan(scenario(law=TABLE_6, **settings))
    assert answer.verdict is verdict
    for name, window in expected.items():
        flip = getattr(answer.flips, name)
        if window is None:
            assert flip is None
            continue
        then, low, high = window
        assert flip.verdict is then
        assert flip.from_ == pytest.approx(low, rel=5e-3)
        assert flip.to == (None if high is None else pytest.approx(high, rel=5e-3))


@pytest.mark.parametrize("chosen", [TABLE_6, LAW], ids=lambda one: one.name)
def test_a_tie_ends_where_scipy_finds_the_root_of_the_gain(chosen):
    """3.65e19 FLOPs with the law of that time, by an independent solver."""
    asked = scenario(5e19, teacher=Teacher(params=3e9, tokens=6e10), law=chosen)
    searched = rule(asked)

    def excess(log):
        return searched.gain(math.exp(log))[0] + 0.01

    root = math.exp(brentq(excess, math.log(2.5e19), math.log(3e20), xtol=1e-12))
    flips = quick_plan(asked).flips
    if chosen is TABLE_6:
        assert root == pytest.approx(3.65e19, rel=2e-3)
        assert flips.budget_down.to == pytest.approx(root, rel=1e-4)
    else:
        assert flips.budget_up.from_ == pytest.approx(root, rel=1e-4)


def finite(text):
    raise AssertionError(f"{text} in a document")


@pytest.mark.parametrize(
    "words",
    [
        "7.4e19 --student 1B --students 10",
        "1.57e18 --student 440M --teacher 31.2B:36T --logits cached",
    ],
)
def test_near_one_token_per_parameter_nothing_is_no_number(words):
    """These crashed, or printed nan."""
    found = run("budget", *words.split(), "-o", "json")
    assert (found.returncode, found.stderr) == (0, "")
    data = json.loads(found.stdout, parse_constant=finite)
    assert data["verdict"] is None
    assert data["verdict_reason"] == "far_outside_fit"
    assert run("budget", *words.split()).stdout.startswith("No verdict")


OWN_TEACHERS = [
    {},
    {"compute": 1e20},
    {"compute": 1e22, "student_params": 3e9, "students": 8},
    {"accounting": Accounting.EXISTS},
    {"compute": 1e22, "student_params": 3e9, "students": 100},
    {"student_params": None, "compute": 1e20, "accounting": Accounting.FREE},
]


@pytest.mark.parametrize("settings", OWN_TEACHERS, ids=range(len(OWN_TEACHERS)))
def test_with_a_teacher_of_ones_own_windows_are_those_of_a_dense_grid(settings):
    """A verdict every hundredth of a decade; a window's edge lies between two of them."""
    asked = scenario(**settings)
    answer = quick_plan(asked)
    logs = math.log(asked.compute) + np.linspace(-4, 4, 801) * math.log(10)
    at = cells(asked, asked.pays, budget=np.exp(logs))
    sides = np.nan_to_num(weigh_cells(asked, at, 1e-5).side, nan=NOBODY_KNOWS).astype(int)
    assert answer.verdict is SIDES[int(sides[400])]
    for flip, walk in (
        (answer.flips.budget_down, range(399, -1, -1)),
        (answer.flips.budget_up, range(401, 801)),
    ):
        others = [row for row in walk if SIDES[int(sides[row])] not in (None, answer.verdict)]
        assert (flip is None) == (not others)
        if flip is None:
            continue
        then = sides[others[0]]
        assert flip.verdict is SIDES[int(then)]
        low, high = others[0], others[0]
        while low > 0 and sides[low - 1] == then:
            low -= 1
        while high < 800 and sides[high + 1] == then:
            high += 1
        assert (flip.from_ is None) == (low == 0)
        assert (flip.to is None) == (high == 800)
        if flip.from_ is not None:
            assert logs[low - 1] <= math.log(flip.from_) <= logs[low]
        if flip.to is not None:
            assert logs[high] <= math.log(flip.to) <= logs[high + 1]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"compute": 1e22, "student_params": 3e9, "students": 8},
        OWN_TEACHERS[4],
        # stored logits are shared where no training is
        {"teacher": Teacher(params=7e9, tokens=1.5e13), "logits": Logits.STORED},
    ],
)
def test_a_students_flip_is_the_nearest(settings):
    """Asked again: no number of students between the own and that of the flip has another one."""
    asked = scenario(**settings)
    answer = quick_plan(asked)
    flip = answer.flips.students
    low, high = sorted((flip.students, asked.students))
    counts = np.arange(low, high + 1)
    sides = weigh_cells(asked, cells(asked, asked.pays, students=counts), 1e-5).side
    verdicts = {int(count): SIDES[int(side)] for count, side in zip(counts, sides, strict=True)}
    assert verdicts.pop(flip.students) is flip.verdict is not answer.verdict
    assert set(verdicts.values()) == {answer.verdict}
    there = dataclasses.replace(asked, students=flip.students)
    assert quick_plan(there).verdict is flip.verdict


def test_a_family_is_a_tie_before_distilling_wins():
    """A 3B student at 8e20 FLOPs, law of that time: a tie from 8 students on, distilling from 11.

    The losses by another search, over a dense grid and by Nelder and Mead.
    """
    asked = scenario(8e20, 3e9, law=TABLE_6)

    def gain(count):
        each = 8e20 / count
        problem = independent.Problem(
            budget=each,
            logits=1.0,
            training=1 / count,
            student_params=3e9,
            teacher_params=(1e6, 2e12),
            teacher_tokens=(1e6, 4e13),
            law=independent.TABLE_6,
        )
        tokens = each / 3 / independent.forward_flops(3e9)
        alone = independent.supervised_loss(3e9, tokens, independent.TABLE_6)
        return alone - independent.search(problem, points=40, starts=1)[0]

    assert gain(7) <= -0.01 < gain(8) < gain(10) < 0.01 <= gain(11)
    flip = quick_plan(asked).flips.students
    assert (flip.students, flip.verdict) == (8, Verdict.TIE)


@pytest.mark.parametrize("settings", [{"logits": Logits.CACHED}, {"params": 7e9}, {"unique": 1e9}])
def test_the_winning_teachers_win(settings):
    """Against the student's loss over all teacher losses; a corpus of the student's own too."""
    params, unique = settings.get("params"), settings.get("unique")
    logits = Logits.ONLINE if params else Logits.CACHED
    compute = 1e21 if unique else 1e20
    asked = scenario(
        compute,
        3e9,
        teacher=Teacher(loss=1.85 if unique else 2.2, params=8e9 if unique else params),
        logits=logits,
        max_unique_tokens=unique,
    )
    flip = quick_plan(asked).flips.teacher_loss
    per_token = 3 * independent.forward_flops(3e9)
    per_token += independent.forward_flops(params) if params else 0.0
    tokens = compute / per_token
    if unique:  # Muennighoff et al. 2023, Equation 5
        repeats = tokens / unique - 1
        tokens = unique * (1 + 15.387756 * (1 - math.exp(-repeats / 15.387756)))
    best = minimize_scalar(
        lambda loss: independent.distilled_loss(3e9, tokens, loss),
        bounds=(1.3, 2.6),
        method="bounded",
        options={"xatol": 1e-9},
    )
    assert flip.best == pytest.approx(best.x, rel=1e-5)
    assert flip.best_loss == pytest.approx(best.fun, abs=1e-9)
    assert flip.from_ < flip.best < flip.to
    for loss, wins in ((flip.from_, 1.001), (flip.to, 0.999)):
        for factor in (wins, 1 / wins):
            at = dataclasses.replace(asked.teacher, loss=loss * factor)
            verdict = quick_plan(dataclasses.replace(asked, teacher=at)).verdict
            assert (verdict is Verdict.DISTILL) is (factor == wins)


def test_a_logits_flip_flips():
    asked = scenario(teacher=Teacher(params=7e9, tokens=2e12))
    answer = quick_plan(asked)
    changed = dataclasses.replace(asked, logits=answer.flips.logits.logits)
    assert quick_plan(changed).verdict is answer.flips.logits.verdict is not answer.verdict


def test_an_accounting_flip_flips():
    answer = quick_plan(scenario())
    flip = answer.flips.accounting
    changed = quick_plan(scenario(accounting=flip.accounting))
    assert changed.verdict is flip.verdict is not answer.verdict


def test_equal_hours_are_a_flip_where_they_change_the_verdict():
    """What it says is what the same question in GPU-hours answers; and nothing else is said."""
    words = {"student": "1B", "teacher": "3B:3T", "gpu": "h100-sxm", "gpus": 8}
    told = set()
    for budget in (1e20, 2e20, 3e20, 4e20, 6e20, 1e21):
        answer = plan_of(scenario_from_options(compute=budget, **words), quick=True)
        hours = answer.supervised.bill.gpu_hours.mid
        timed = plan_of(scenario_from_options(gpu_hours=hours, **words), quick=True)
        flip = answer.flips.equal_hours
        assert timed.flips.equal_hours is None
        assert (flip is None) == (timed.verdict is answer.verdict)
        if flip is not None:
            assert flip.verdict is timed.verdict
            assert flip.gpu_hours == pytest.approx(hours)
        told.add(flip is None)
    assert told == {True, False}
