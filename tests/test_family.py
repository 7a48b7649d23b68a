"""Families of students: against plans, an independent dense search, limits and monotony."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest

from distillplan.accounting import Accounting, Logits
from distillplan.laws import law_catalog
from distillplan.planning.planner import plan
from distillplan.planning.scenario import Scenario
from distillplan.planning.teacher import Teacher
from distillplan.questions.family import family
from distillplan.questions.family_cascade import solve_cascade
from distillplan.questions.family_records import FamilyMember
from distillplan.questions.family_ways import solve
from tests.independent import distilled_loss, forward_flops, supervised_loss

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
@pytest.mark.parametrize("students", [1, 4])
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
        base = asked(self.budget, teacher, logits, self.way)
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
        tokens = relative * np.maximum(scale, 1e-30)[:, None]
        allowed = (scale > 0) & (tokens.min(axis=1) >= 1e6) & (tokens.max(axis=1) <= 4e13)
        tokens = np.where(allowed[:, None], tokens, 1e6)
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


def against_dense(seed):
    dense = Dense(np.random.default_rng(seed))
    base, members = dense.question()
    ours, theirs = solve(base, members, dense.way).loss, dense.search()
    ours = math.inf if ours is None else ours
    assert ours <= theirs + 1e-9, (seed, dense.__dict__)
    assert ours >= theirs - 1e-6, (seed, dense.__dict__)


@pytest.mark.parametrize("seed", range(5))
def test_a_dense_search_finds_nothing_better(seed):
    against_dense(seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5, 50))
def test_a_dense_search_finds_nothing_better_in_many(seed):
    against_dense(seed)


def chain_loss(sizes, weights, counts, budget, at, teacher):
    """The weighted mean loss of a cascade, the largest first, at logs of relative tokens."""
    forwards = forward_flops(sizes)
    teachers = [0.0 if teacher is None else forward_flops(teacher[0]), *forwards[:-1]]
    relative = np.exp(at - at.max(axis=1, keepdims=True))
    cost = (counts * (3 * forwards + teachers) * relative).sum(axis=1)
    tokens = relative * (budget / cost)[:, None]
    loss = None if teacher is None else supervised_loss(*teacher)
    total = 0.0
    for row, size in enumerate(sizes):
        if loss is None:
            loss = supervised_loss(size, tokens[:, row])
        else:
            loss = distilled_loss(size, tokens[:, row], loss)
        total = total + weights[row] * counts[row] * loss
    return total / (weights * counts).sum()


def chain_against_dense(seed):
    random = np.random.default_rng(1000 + seed)
    dense = Dense(random)
    sizes = np.sort(dense.sizes)[::-1]
    teacher = (2e10, 1e12) if random.random() < 0.4 else None
    base = asked(
        dense.budget, None if teacher is None else Teacher(params=teacher[0], tokens=teacher[1])
    )
    members = members_of(
        base, sizes.tolist(), dense.weights.tolist(), dense.counts.astype(int).tolist()
    )
    dense.sizes, dense.supervised = sizes, True  # of the search, that there is no teacher to find
    dense.loss = lambda at: chain_loss(
        sizes, dense.weights, dense.counts, dense.budget, at, teacher
    )
    ours, theirs = solve_cascade(base, members[::-1]).loss, dense.search()
    assert ours <= theirs + 1e-9, (seed, dense.__dict__)
    assert ours >= theirs - 1e-6, (seed, dense.__dict__)


@pytest.mark.parametrize("seed", range(5))
def test_a_dense_search_finds_no_better_cascade(seed):
    chain_against_dense(seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5, 30))
def test_a_dense_search_finds_no_better_cascade_in_many(seed):
    chain_against_dense(seed)
