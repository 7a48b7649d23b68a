"""Families of students: against plans, an independent dense search, limits and monotony."""

import itertools
import json
import math
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distillplan.accounting import Accounting, Logits
from distillplan.errors import InfeasibleError, InputError
from distillplan.laws import law_catalog
from distillplan.planning.planner import plan
from distillplan.planning.results import Reason
from distillplan.planning.scenario import Scenario
from distillplan.planning.teacher import Teacher
from distillplan.planning.verdict_records import Verdict
from distillplan.questions.family import family
from distillplan.questions.family_cascade import solve_cascade
from distillplan.questions.family_records import FamilyGoal, FamilyMember, FamilyMethod
from distillplan.questions.family_targets import family_for_losses
from distillplan.questions.family_ways import solve
from distillplan.questions.target import target
from tests.documentation import EXAMPLES, workbench
from tests.independent import distilled_loss, forward_flops, supervised_loss, worth
from tests.shell import run

LAW = law_catalog.law()
SEVEN = Teacher(params=7e9, tokens=2e12)
EXACT = 1e-9
"""Nats: what two exact optimizers may differ by."""


def members_of(base, sizes, weights=None, counts=None):
    weights = weights or [1.0] * len(sizes)
    counts = counts or [1] * len(sizes)
    return [
        FamilyMember(replace(base, student_params=size, students=count), weight)
        for size, weight, count in zip(sizes, weights, counts, strict=True)
    ]


def asked(budget, teacher=None, logits=Logits.ONLINE, accounting=None, **more):
    return Scenario(
        compute=budget, law=LAW, teacher=teacher, logits=logits, accounting=accounting, **more
    )


QUESTIONS = [
    pytest.param(budget, size, teacher, logits, id=f"{budget:g}-{size:g}-{teacher}-{logits}")
    for budget, size, (teacher, logits) in itertools.product(
        (1e20, 1e22, 1e27),
        (3e8, 3e9),
        [
            (None, Logits.ONLINE),
            (None, Logits.STORED),
            (SEVEN, Logits.ONLINE),
            (SEVEN, Logits.CACHED),
        ],
    )
]


@pytest.mark.parametrize(("budget", "size", "teacher", "logits"), QUESTIONS)
@pytest.mark.parametrize("students", [pytest.param(1, marks=pytest.mark.slow), 4])
def test_equal_students_are_a_plan(budget, size, teacher, logits, students):
    """One student, or K equal ones, whichever way they are written, have the losses of `plan`."""
    paid = Accounting.TRAIN if teacher is not None and logits is Logits.ONLINE else None
    base = asked(budget, teacher, logits, paid)
    found = plan(replace(base, student_params=size, students=students), quick=True)
    apart = [(base, members_of(base, [size] * students))]
    together = [(base, members_of(base, [size], counts=[students]))]
    for question, members in apart + together:
        for option in found.options:
            if option.teacher_name is not None:
                continue
            ours = solve(question, members, option.accounting)
            assert (ours.loss is None) == (option.loss is None)
            if option.loss is None:
                continue
            assert math.isclose(ours.loss, option.loss, abs_tol=EXACT)
            for one in ours.options:
                assert math.isclose(one.student_tokens, option.student_tokens, rel_tol=1e-5)


def test_a_family_of_one_has_the_verdict_and_the_odds_of_a_plan():
    for budget, size in ((1e21, 1e9), (1e22, 3e9), (1e19, 3e9)):
        for teacher in (None, SEVEN):
            base = asked(budget, teacher)
            ours = family(base, members_of(base, [size]))
            theirs = plan(replace(base, student_params=size))
            assert (ours.verdict, ours.verdict_reason) == (theirs.verdict, theirs.verdict_reason)
            if theirs.odds is not None:
                assert ours.odds == pytest.approx(theirs.odds, abs=2e-4)
                assert ours.deciding.gain_band == pytest.approx(theirs.deciding.gain_band, abs=2e-5)
            (only,) = ours.alone
            assert only.verdict is theirs.verdict
            (run,) = ours.supervised.members
            assert run.loss_band == pytest.approx(theirs.supervised.loss_band, abs=2e-5)


class Dense:
    """A family in plain numpy: a dense random look, then ever closer ones around the best."""

    def __init__(self, random):
        self.random = random
        many = int(random.integers(2, 5))
        self.sizes = 10 ** random.uniform(8, 10, many)
        self.weights = random.uniform(0.3, 3.0, many)
        self.counts = random.integers(1, 4, many).astype(float)
        self.budget = float(10 ** random.uniform(20.5, 24))
        self.passes, self.trains = ((0, 0), (1, 0), (0, 1), (1, 1))[int(random.integers(4))]
        self.stored = bool(random.random() < 0.5)
        self.teacher = None
        if random.random() < 0.4:
            self.teacher = tuple(10 ** random.uniform((9, 11), (11, 13)))
        self.supervised = bool(random.random() < 0.1)
        self.unique = math.inf

    def reading_again(self):
        """The same of a small corpus, over which a teacher passes once and stores its logits."""
        self.stored, self.supervised = True, False
        self.passes = 1
        each = self.budget / (self.counts * 6 * self.sizes).sum()
        self.unique = each * float(10 ** self.random.uniform(-1.5, 0.2))
        return self

    @property
    def way(self):
        if self.supervised:
            return None
        names = {(0, 0): "free", (1, 0): "exists", (0, 1): "train_shared", (1, 1): "train"}
        return Accounting(names[self.passes, self.trains])

    def question(self):
        teacher = None
        if self.teacher is not None:
            params, tokens = map(float, self.teacher)
            teacher = Teacher(params=params, tokens=tokens)
        logits = Logits.STORED if self.stored else Logits.ONLINE
        corpus = None if self.unique == math.inf else self.unique
        base = asked(self.budget, teacher, logits, self.way, max_unique_tokens=corpus)
        return base, members_of(
            base, self.sizes.tolist(), self.weights.tolist(), self.counts.astype(int).tolist()
        )

    def loss(self, at):
        """At logs of the members' tokens, up to a factor, and of the teacher's sizes."""
        many = self.sizes.size
        relative = np.exp(at[:, :many] - at[:, :many].max(axis=1, keepdims=True))
        own = (self.counts * 3 * forward_flops(self.sizes) * relative).sum(axis=1)
        share = self.weights * self.counts / (self.weights * self.counts).sum()
        if self.supervised:
            tokens = relative * (self.budget / own)[:, None]
            return (share * supervised_loss(self.sizes, tokens)).sum(axis=1)
        if self.teacher is None:
            params, tokens_read = np.exp(at[:, many]), np.exp(at[:, many + 1])
        else:
            params, tokens_read = (np.full(len(at), one) for one in self.teacher)
        forward = forward_flops(params)
        read = relative.max(axis=1) if self.stored else (self.counts * relative).sum(axis=1)
        rest = self.budget - self.trains * 3 * forward * tokens_read
        scale = rest / (own + self.passes * forward * read)
        if self.unique < math.inf:  # the longest, which is 1, reads the corpus again
            again = (rest - self.passes * forward * self.unique) / own
            scale = np.where(scale < self.unique, scale, again)
        tokens = relative * np.maximum(scale, 1e-30)[:, None]
        allowed = (scale > 0) & (tokens.min(axis=1) >= 1e6) & (tokens.max(axis=1) <= 4e13)
        tokens = np.where(allowed[:, None], tokens, 1e6)
        if self.unique < math.inf:
            tokens = worth(tokens, self.unique)
            if self.teacher is None:  # a given one was trained by others, on text of their own
                tokens_read = worth(tokens_read, self.unique)
        teacher_loss = supervised_loss(params, tokens_read)[:, None]
        found = (share * distilled_loss(self.sizes, tokens, teacher_loss)).sum(axis=1)
        return np.where(allowed, found, np.inf)

    def search(self):
        """The least loss that is found."""
        low = [math.log(1e8)] * self.sizes.size
        high = [math.log(1e13)] * self.sizes.size
        if self.teacher is None and not self.supervised:
            low, high = (
                [*low, math.log(1e6), math.log(1e6)],
                [*high, math.log(2e12), math.log(4e13)],
            )
        low, high = np.array(low), np.array(high)
        points = self.random.uniform(low, high, (40_000, low.size))
        values = self.loss(points)
        kept = np.argsort(values)[:24]
        points, values = points[kept], values[kept]
        scale = (high - low) / 8
        for _ in range(260):
            shape = (80, *points.shape)
            tried = points + scale * self.random.normal(size=shape) * self.random.random(
                (*shape[:2], 1)
            )
            tried[40:] += self.random.choice(points, shape[:2])[40:] - points  # along the valley
            tried = np.clip(tried, low, high).reshape(-1, low.size)
            found = self.loss(tried).reshape(shape[:2])
            best = found.argmin(axis=0)
            every = np.arange(len(points))
            better = found[best, every] < values
            points = np.where(better[:, None], tried.reshape(shape)[best, every], points)
            values = np.minimum(values, found[best, every])
            scale = scale * 0.95
        return float(values.min())


def against_dense(seed, *, again=False):
    dense = Dense(np.random.default_rng(seed))
    if again:
        dense = dense.reading_again()
    base, members = dense.question()
    ours, theirs = solve(base, members, dense.way).loss, dense.search()
    ours = math.inf if ours is None else ours
    assert ours <= theirs + 1e-9, (seed, dense.__dict__)
    assert ours >= theirs - 1e-6, (seed, dense.__dict__)


@pytest.mark.parametrize("seed", range(5))
def test_a_dense_search_finds_nothing_better(seed):
    against_dense(seed)


@pytest.mark.parametrize(
    "seed",
    [*range(100, 104), *(pytest.param(one, marks=pytest.mark.slow) for one in range(104, 115))],
)
def test_a_dense_search_finds_nothing_better_where_stored_logits_are_read_again(seed):
    against_dense(seed, again=True)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5, 50))
def test_a_dense_search_finds_nothing_better_in_many(seed):
    against_dense(seed)


def chain_loss(sizes, weights, counts, budget, at, teacher, unique=math.inf):
    """The weighted mean loss of a cascade, the largest first, at logs of relative tokens.

    Where the corpus is not infinite, each teacher passes over it once, for all of its students.
    """
    forwards = forward_flops(sizes)
    teachers = [0.0 if teacher is None else forward_flops(teacher[0]), *forwards[:-1]]
    relative = np.exp(at - at.max(axis=1, keepdims=True))
    cost = (counts * (3 * forwards + teachers) * relative).sum(axis=1)
    tokens = relative * (budget / cost)[:, None]
    if unique < math.inf:
        low, high = np.zeros(len(at)), np.full(len(at), 100.0)
        for _ in range(60):
            middle = (low + high) / 2
            tokens = relative * np.exp(middle)[:, None]
            own = counts * 3 * forwards * tokens + teachers * np.minimum(tokens, unique)
            over = own.sum(axis=1) > budget
            low, high = np.where(over, low, middle), np.where(over, middle, high)
        tokens = worth(relative * np.exp(low)[:, None], unique)
    loss = None if teacher is None else supervised_loss(*teacher)
    total = 0.0
    for row, size in enumerate(sizes):
        if loss is None:
            loss = supervised_loss(size, tokens[:, row])
        else:
            loss = distilled_loss(size, tokens[:, row], loss)
        total = total + weights[row] * counts[row] * loss
    return total / (weights * counts).sum()


def chain_against_dense(seed, *, again=False):
    random = np.random.default_rng(1000 + seed)
    dense = Dense(random)
    sizes = np.sort(dense.sizes)[::-1]
    teacher = (2e10, 1e12) if random.random() < 0.4 else None
    corpus = {}
    if again:
        corpus = {"logits": Logits.STORED, "max_unique_tokens": dense.reading_again().unique}
    base = asked(
        dense.budget,
        None if teacher is None else Teacher(params=teacher[0], tokens=teacher[1]),
        **corpus,
    )
    members = members_of(
        base, sizes.tolist(), dense.weights.tolist(), dense.counts.astype(int).tolist()
    )
    dense.sizes, dense.supervised = sizes, True  # of the search, that there is no teacher to find
    dense.loss = lambda at: chain_loss(
        sizes, dense.weights, dense.counts, dense.budget, at, teacher, dense.unique
    )
    ours, theirs = solve_cascade(base, members[::-1]).loss, dense.search()
    # which members read a corpus again is a choice with many valleys, of nearly one depth
    assert ours <= theirs + (1e-4 if again else 1e-9), (seed, dense.__dict__)
    assert ours >= theirs - 1e-6, (seed, dense.__dict__)


@pytest.mark.parametrize("seed", range(5))
def test_a_dense_search_finds_no_better_cascade(seed):
    chain_against_dense(seed)


@pytest.mark.parametrize(
    "seed", [*range(3), *(pytest.param(one, marks=pytest.mark.slow) for one in range(3, 9))]
)
def test_a_dense_search_finds_no_better_cascade_where_stored_logits_are_read_again(seed):
    chain_against_dense(seed, again=True)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5, 30))
def test_a_dense_search_finds_no_better_cascade_in_many(seed):
    chain_against_dense(seed)


WAYS = [
    *((None, None, logits) for logits in (Logits.ONLINE, Logits.STORED)),
    *((way, None, Logits.STORED) for way in Accounting),
    *((way, SEVEN, Logits.ONLINE) for way in (Accounting.FREE, Accounting.EXISTS)),
]


@pytest.mark.slow
@given(
    st.floats(20.0, 25.0),
    st.floats(0.001, 1.0),
    st.lists(st.floats(8.0, 10.5), min_size=1, max_size=4, unique=True),
    st.sampled_from(WAYS),
)
@settings(max_examples=40, deadline=None)
def test_more_compute_is_never_worse(log_budget, more, logs, asked_for):
    """A limit of any exact search: with more to spend, what less could buy is still there."""
    way, teacher, logits = asked_for
    sizes = [10**one for one in logs]
    losses = []
    for exponent in (log_budget, log_budget + more):
        base = asked(10**exponent, teacher, logits)
        loss = solve(base, members_of(base, sizes), way).loss
        losses.append(math.inf if loss is None else loss)
    assert losses[1] <= losses[0] + 1e-12


@given(st.floats(20.5, 24.0), st.floats(0.001, 1.0), st.booleans())
@settings(max_examples=10, deadline=None)
def test_more_compute_is_never_worse_in_a_cascade(log_budget, more, taught):
    losses = []
    for exponent in (log_budget, log_budget + more):
        base = asked(10**exponent, SEVEN if taught else None)
        losses.append(solve_cascade(base, members_of(base, [3e8, 1e9, 4e9])).loss)
    assert losses[1] <= losses[0] + 1e-9


@pytest.mark.parametrize(("way", "teacher", "logits"), WAYS)
def test_a_budget_is_spent_and_itemized(way, teacher, logits):
    """The parts by the formula of `accounting`: what all read once is paid for the longest."""
    base = asked(3e21, teacher, logits)
    members = members_of(base, [3e8, 1e9, 3e9], counts=[2, 1, 1])
    found = solve(base, members, way)
    assert math.isclose(found.flops.total, base.budget, rel_tol=1e-9)
    tokens = np.array([one.student_tokens for one in found.options])
    counts = np.array([2, 1, 1])
    training = (3 * forward_flops(np.array([3e8, 1e9, 3e9])) * tokens * counts).sum()
    assert math.isclose(found.flops.student_training, training, rel_tol=1e-9)
    if way in (Accounting.EXISTS, Accounting.TRAIN):
        read = tokens.max() if logits is Logits.STORED else (tokens * counts).sum()
        params = found.options[0].teacher_params
        assert math.isclose(found.flops.teacher_logits, forward_flops(params) * read, rel_tol=1e-9)
    else:
        assert found.flops.teacher_logits == 0


def test_a_law_that_is_not_convex_is_searched_from_several_splits():
    """Without convexity one start may end at a lesser valley: against a dense grid of splits."""
    steep = LAW.distillation._replace(f1=0.02, c1=4000.0, d1=1.02)
    law = LAW._replace(distillation=steep)
    base = replace(asked(2e20, Teacher(params=1e8, tokens=3e9), Logits.CACHED), law=law)
    members = members_of(base, [2e8, 4e8])
    found = solve(base, members, Accounting.FREE)
    cost = 3 * forward_flops(np.array([2e8, 4e8]))
    part = np.linspace(1e-4, 1 - 1e-4, 200_001)
    tokens = np.stack([part, 1 - part]) * base.budget / cost[:, None]
    losses = steep.loss(np.array([[2e8], [4e8]]), tokens, np.array(base.teacher_loss))
    assert math.isclose(found.loss, losses.mean(axis=0).min(), abs_tol=1e-7)


@pytest.mark.slow
def test_a_family_may_win_where_each_member_alone_loses():
    """Three sizes whose teacher pays only because all of them share it (examples/)."""
    base = asked(1e22, logits=Logits.STORED)
    found = family(base, members_of(base, [1e9, 3e9, 7e9], counts=[8, 8, 8]))
    assert found.verdict is Verdict.DISTILL
    assert [one.verdict for one in found.alone] == [Verdict.SUPERVISED] * 3
    # the same verdicts by the planner itself, on each student with its part of the budget
    for one in found.alone:
        own = plan(replace(base, compute=one.budget, student_params=one.student_params), quick=True)
        assert own.verdict is one.verdict
        assert own.margin_nats == pytest.approx(one.gain_nats, abs=1e-9)
    assert sum(8 * one.budget for one in found.alone) == pytest.approx(base.budget)


@pytest.mark.slow
def test_the_odds_say_what_the_verdict_says():
    for budget, counts, logits in (
        (1e21, [1, 1, 1], Logits.ONLINE),
        (1e21, [6, 6, 6], Logits.STORED),
        (1e22, [6, 6, 6], Logits.ONLINE),
    ):
        base = asked(budget, logits=logits)
        found = family(base, members_of(base, [5e8, 1e9, 3e9], counts=counts))
        assert found.odds is not None
        sides = {Verdict.DISTILL: found.odds.distill, Verdict.SUPERVISED: found.odds.supervised}
        likely = [one for one, share in sides.items() if share >= 0.5]
        assert found.verdict is (likely[0] if likely else Verdict.TIE)
        assert sum(found.odds) == pytest.approx(1.0)
        for way in found.ways:
            if way.gain_band is not None:
                assert way.gain_band[0] < way.gain_nats < way.gain_band[1]
            for run_ in way.members:
                if run_.loss_band is not None:
                    assert run_.loss_band[0] <= run_.loss <= run_.loss_band[1]


@pytest.mark.slow
def test_the_ladder_and_the_copies_are_families_of_their_own():
    base = asked(3e21, logits=Logits.STORED)
    sizes = [5e8, 1e9, 3e9]
    found = family(base, members_of(base, sizes), quick=True)
    for step in found.ladder:
        many = step.students
        part = family(base, members_of(base, sizes[:many]), quick=True)
        assert (step.verdict, step.largest_params) == (part.verdict, sizes[many - 1])
        assert step.gain_nats == pytest.approx(part.margin_nats, abs=1e-9)
    assert found.copies is not None
    for copies in (found.copies.copies - 1, found.copies.copies):
        more = family(base, members_of(base, sizes, counts=[copies] * 3), quick=True)
        turned = copies == found.copies.copies
        assert more.verdict is (found.copies.verdict if turned else found.verdict)


@pytest.mark.parametrize(
    ("teacher", "logits", "cascade"),
    [
        (None, Logits.ONLINE, False),
        pytest.param(None, Logits.STORED, False, marks=pytest.mark.slow),
        pytest.param(None, Logits.ONLINE, True, marks=pytest.mark.slow),
        (SEVEN, Logits.STORED, False),
        (SEVEN, Logits.ONLINE, True),
    ],
)
def test_the_compute_for_losses_is_the_inverse(teacher, logits, cascade):
    """What the best split of a budget reaches takes that budget: less would make it better."""
    base = asked(5e21, teacher, logits)
    members = members_of(base, [3e8, 1e9, 3e9], weights=[1.0, 2.0, 1.0])
    there = family(base, members, cascade=cascade, quick=True)
    for way in there.ways:
        if way.teacher_name is not None and teacher is None:
            continue
        aims = [
            one._replace(target_loss=reached.loss)
            for one, reached in zip(members, way.members, strict=True)
        ]
        back = family_for_losses(base, aims, cascade=cascade)
        assert back.goal is FamilyGoal.COMPUTE
        same = next(
            one for one in back.ways if (one.method, one.accounting) == (way.method, way.accounting)
        )
        assert math.isclose(same.total_flops, 5e21, rel_tol=2e-6)


@pytest.mark.parametrize("loss", [2.1, 2.3, 2.5, 2.9])
@pytest.mark.parametrize("size", [1e9, 1e10])
def test_a_family_of_one_has_the_verdict_of_its_target(size, loss):
    base = asked(1e21, Teacher(params=2e9, tokens=2e12))
    (one,) = members_of(base, [size])
    found = family_for_losses(base, [one._replace(target_loss=loss)])
    alike = target(one.scenario, loss=loss)
    assert found.verdict is alike.verdict
    marks = [way.method.value for way in found.ways if way.recommended]
    assert marks == [way.method.value for way in alike.ways if way.recommended]
    assert found.headline.startswith("No verdict") is (found.verdict is None)


@pytest.mark.parametrize("cascade", [False, True])
@pytest.mark.parametrize("losses", [(2.3, 2.2), (2.5, 2.4), (3.0, 3.0)])
def test_the_verdict_on_losses_is_that_of_the_family_with_their_least_compute(losses, cascade):
    base = asked(1e21, Teacher(params=2e9, tokens=2e12))
    members = members_of(base, [3e9, 1e10])
    aims = [one._replace(target_loss=loss) for one, loss in zip(members, losses, strict=True)]
    found = family_for_losses(base, aims, cascade=cascade)
    both = [one.total_flops for one in (found.supervised, found.deciding) if one.total_flops]
    there = replace(base, compute=min(both))
    again = family(there, members_of(there, [3e9, 1e10]), cascade=cascade, quick=True)
    assert found.verdict is again.verdict


def test_losses_out_of_reach_are_refused_or_said():
    base = asked(1e21)
    low = [one._replace(target_loss=1.3) for one in members_of(base, [3e8, 1e9])]
    with pytest.raises(InfeasibleError, match="no compute brings"):
        family_for_losses(base, low)
    high = [one._replace(target_loss=11.0) for one in members_of(base, [3e8, 1e9])]
    with pytest.raises(InputError, match="guessing"):
        family_for_losses(base, high)


def test_a_cascade_of_the_largest_alone_in_doubt_is_refused():
    base = asked(1e22)
    for members, question in (
        (members_of(base, [1e9]), base),
        (members_of(base, [1e9, 1e9]), base),
    ):
        with pytest.raises(InputError, match="two sizes or more"):
            family(question, members, cascade=True)
    cached = asked(1e22, SEVEN, Logits.CACHED)
    with pytest.raises(InputError, match="on disk"):
        family(cached, members_of(cached, [1e9, 3e9]), cascade=True)


def test_a_cascade_says_that_nobody_measured_it():
    base = asked(1e22)
    found = family(base, members_of(base, [3e8, 1e9, 3e9]), cascade=True)
    assert found.deciding.method is FamilyMethod.CASCADE
    assert "cascade_not_measured" in [one.code for one in found.warnings]
    smallest, middle, largest = found.deciding.members
    assert largest.teacher_loss is None
    assert (middle.teacher_params, middle.teacher_loss) == (3e9, largest.loss)
    assert (smallest.teacher_params, smallest.teacher_loss) == (1e9, middle.loss)
    assert sum(one.share for one in found.deciding.members) == pytest.approx(1.0)


def test_hours_and_money_of_a_family_are_those_of_its_plans():
    """Of equal students: the bill of `plan`, line by line; hours are spent exactly."""
    for words in (["1e21", "--gpu", "h100-sxm"], ["8 h100-sxm for 3 days"]):
        options = [*words, "--teacher", "7B:2T", "--logits", "stored", "-o", "json", "--quick"]
        ours = json.loads(run("family", *options, "--students", "3x1B").stdout)
        theirs = json.loads(run("budget", *options, "--student", "1B", "--students", "3").stdout)
        for way, option in zip(ours["ways"], theirs["options"], strict=True):
            assert way["gpu_hours"]["mid"] == pytest.approx(option["gpu_hours"]["mid"], rel=1e-9)
            assert way["cost_usd"]["mid"] == pytest.approx(option["cost_usd"]["mid"], rel=1e-9)
            assert way["loss"] == pytest.approx(option["loss"], abs=EXACT)
            lines = {one["phase"]: one["gpu_hours"]["mid"] for one in way["bill"]}
            assert lines == pytest.approx(
                {one["phase"]: one["gpu_hours"]["mid"] for one in option["bill"]}, rel=1e-9
            )


@pytest.mark.slow
def test_the_shell_reads_a_family(tmp_path):
    found = json.loads(
        run(
            *("family", "1e22", "--students", "2x300M,1B,1B,qwen3-0.6b", "--weights", "1,2,2,1"),
            *("--quick", "-o", "json"),
        ).stdout
    )
    runs = found["ways"][0]["members"]
    assert [one["students"] for one in runs] == [2, 2, 1]
    assert [one["student_model"] for one in runs] == [None, None, "qwen3-0.6b"]
    weights = [one["students"] * one["weight"] for one in runs]
    mean = sum(w * one["loss"] for w, one in zip(weights, runs, strict=True)) / sum(weights)
    assert mean == pytest.approx(found["ways"][0]["loss"])
    file = tmp_path / "family.yaml"
    file.write_text(
        "base: {compute: 1e22, teacher: 7B:2T, logits: stored}\nmatrix: {student: [300M, 1B, 3B]}\n"
    )
    options = ("--quick", "-o", "json")
    by_file = run("family", "--file", str(file), *options).stdout
    typed = ("1e22", "--students", "300M,1B,3B", "--teacher", "7B:2T", "--logits", "stored")
    assert by_file == run("family", *typed, *options).stdout
    trained = run("family", "--file", str(file), "--teacher", "train", *options).stdout
    assert json.loads(trained)["scenario"]["teacher"] is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["1e22"], "--students: give at least one"),
        (["1e22", "--students", "1B:300B"], "its tokens are a budget"),
        (["1e22", "--students", "1B,3B", "--weights", "1,2,3"], "3 numbers for 2 sizes"),
        (["1e22", "--students", "1B,3B", "--weights", "1,-2"], "positive numbers"),
        (["1e22", "--students", "1B,3B", "--loss", "2.3,2.1"], "leave COMPUTE or --loss out"),
        (["1e22", "--students", "1B,3B", "--set", "students=3"], "as in 8x3B"),
        (["--students", "1B,3B"], "the budget is missing"),
        (["1e22", "--students", "1B", "--law", "kaplan2020"], "nothing about distillation"),
        (["1e22", "--students", ",".join(f"{n}M" for n in range(100, 117))], "17 sizes"),
        (["--file", str(EXAMPLES / "lifetime.yaml")], "a family has one scenario"),
    ],
)
def test_what_is_no_family_is_refused(words, said):
    done = run("family", *words, folder=workbench())
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_a_budget_too_small_for_a_teacher_is_said():
    base = asked(2e17)
    found = family(base, members_of(base, [1e9, 2e10]), quick=True)
    if found.deciding.loss is None:
        assert found.verdict_reason is Reason.DISTILLATION_OVER_BUDGET
    with pytest.raises(InfeasibleError, match="cannot train"):
        family(asked(1e12), members_of(asked(1e12), [1e9, 2e10]))


def test_serving_that_takes_the_budget_is_said():
    """Serving takes twice the parameters for each token, and some for the vocabulary."""
    base = asked(1e22, inference_tokens=1e13)
    with pytest.raises(InfeasibleError, match="serve them") as told:
        family(base, members_of(base, [3e8, 1e9]))
    (served,) = re.findall(r"alone takes (\S+) FLOPs", str(told.value))
    assert 2 * 1.3e9 * 1e13 < float(served) < 1.5 * 2 * 1.3e9 * 1e13


def test_a_loss_that_guessing_would_beat_is_told_of_nobody():
    """ln(vocabulary) = 10.4 nats is what guessing has; a cascade on a million tokens is above."""
    document = json.loads(
        run(
            *("family", "1.57e17", "--students", "3B,qwen3-0.6b,llama-3.2-3b", "--quick"),
            *("--weights", "2.41,8.22,8.21", "--teacher", "llama-3.1-8b", "--cascade"),
            *("--logits", "stored", "-o", "json"),
        ).stdout
    )
    assert document["verdict_reason"] == "worse_than_guessing"
    cascade = document["ways"][-1]
    assert cascade["method"] == "cascade"
    told = [cascade["loss"], cascade["teacher_loss"]]
    for one in cascade["members"]:
        told += [one["loss"], one["teacher_loss"]]
    known = [one for one in told if one is not None]
    assert known  # the given teacher's own
    assert max(known) < math.log(document["scenario"]["architecture"]["vocab"])
