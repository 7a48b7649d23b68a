"""What the targets do to a student's calibration (Busbridge et al. 2025, Appendix E.8).

The language is known: the next token depends on the two before it, with probabilities that are
written down. It teaches its students itself, so none of what they get wrong is the teacher's.
Students differ in nothing but their targets: the whole distribution, tokens drawn from it, its
largest k entries with their sum brought to one, or its first choice alone. Every score is exact, as
an average over all contexts and over the language's own probabilities.
"""

from collections.abc import Sequence
from enum import StrEnum
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np

from distillplan.demos.claims import Advance, Claim, Shown, all_hold, claim
from distillplan.demos.perceptrons import Batch, Perceptrons, Shape, train
from distillplan.named_tuples import NamedTuple

FloatArray: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]

BINS = 21
"""Of the calibration error, as in the paper."""
CALIBRATED = 0.02
"""Calibration error below which a student counts as calibrated; the paper's are below 0.01."""


class TargetKind(StrEnum):
    """What a student learns from."""

    FULL = "full"
    """The whole distribution."""
    SAMPLED = "sampled"
    """Tokens drawn from it, anew for each visit."""
    TOP_K = "top_k"
    """Its largest entries, with their sum brought to one; one of them is its first choice."""


class TargetForm(NamedTuple):
    """How the targets of a student are made."""

    kind: TargetKind
    kept: int
    """Tokens drawn, or entries kept; of the whole distribution all."""


class CalibrationSizes(NamedTuple):
    """How large a demonstration is."""

    vocab: int
    """Tokens of the language; there are as many contexts as pairs of them."""
    features: int
    """Hidden features that the language's probabilities depend on."""
    width: int
    """Of the students' hidden layers."""
    steps: int
    batch: int
    """Contexts in a step."""
    peak_rate: float
    draws: int
    """Tokens drawn for sampled targets."""
    kept: tuple[int, ...]
    """Entries of the cut-off targets, from many to one."""


QUICK = CalibrationSizes(
    vocab=64,
    features=12,
    width=64,
    steps=1_500,
    batch=256,
    peak_rate=3e-3,
    draws=8,
    kept=(8, 4, 2, 1),
)
FULL = CalibrationSizes(
    vocab=128,
    features=24,
    width=256,
    steps=20_000,
    batch=512,
    peak_rate=1e-3,
    draws=12,
    kept=(24, 12, 6, 3, 1),
)
SHARPNESS = 2.0
"""Spread of the language's logits: how much a context says of its next token."""


class ConfidenceBin(NamedTuple):
    """Contexts in which a student is about as sure."""

    share: float
    """Of all contexts."""
    confidence: float
    """The student's mean probability of its first choice."""
    accuracy: float
    """How often the text has that token."""


class CalibrationRow(NamedTuple):
    """A student, and what scores say of it; each is exact under the language."""

    kind: TargetKind
    kept: int
    """Tokens drawn, or entries kept; of the whole distribution all."""
    ece: float
    """Expected calibration error against the text: mean distance of confidence and accuracy."""
    ece_if_learned: float
    """That of the targets themselves, of a student that has learned them perfectly."""
    ece_against_teacher: float
    """That against the teacher's first choice instead of the text."""
    overconfidence: float
    """Mean confidence minus mean accuracy."""
    accuracy: float
    """How often the text has the student's first choice."""
    log_loss: float
    """Nats per token; the least possible is the language's entropy."""
    brier: float
    """The squared distance from the token that comes, mean."""
    bins: tuple[ConfidenceBin, ...]
    """Those with contexts in them, by confidence."""


class CalibrationDemo(NamedTuple):
    """What targets do to calibration."""

    seed: int
    full: bool
    """Whether it is the large one."""
    sizes: CalibrationSizes
    params: int
    """Of a student."""
    entropy: float
    """Of the language, nats per token."""
    rows: tuple[CalibrationRow, ...]
    claims: tuple[Claim, ...]

    @property
    def held(self) -> bool:
        """Whether all of it is shown."""
        return all_hold(self.claims)

    def row(self, kind: TargetKind) -> CalibrationRow:
        """The student with targets of a kind; of several, the one with the fewest kept."""
        return min((one for one in self.rows if one.kind is kind), key=lambda one: one.kept)


class Calibration(NamedTuple):
    """How sure a model is, and how right."""

    error: float
    """Mean distance of confidence and accuracy over the bins, each by its share."""
    bins: tuple[ConfidenceBin, ...]


def calibration(confidence: FloatArray, accuracy: FloatArray, bins: int = BINS) -> Calibration:
    """The expected calibration error, with bins of equal width.

    Args:
        confidence: the probability of the first choice, of shape (cases,).
        accuracy: whether it came, or the chance that it does, of shape (cases,).
        bins: how many.

    >>> calibration(np.array([0.9, 0.9, 0.6, 0.6]), np.array([1.0, 0.0, 1.0, 0.0])).error
    0.25
    """
    at = np.minimum((confidence * bins).astype(int), bins - 1)
    found = []
    for each in np.unique(at):
        there = at == each
        found.append(
            ConfidenceBin(
                share=float(np.mean(there)),
                confidence=float(confidence[there].mean()),
                accuracy=float(accuracy[there].mean()),
            )
        )
    error = sum(one.share * abs(one.accuracy - one.confidence) for one in found)
    return Calibration(error=float(error), bins=tuple(found))


def language(sizes: CalibrationSizes, random: np.random.Generator) -> FloatArray:
    """The probabilities of the next token after each pair of tokens, of shape (contexts, vocab)."""
    first, second = random.normal(size=(2, sizes.vocab, sizes.features))
    hidden = np.tanh(first[:, None] + second[None]).reshape(-1, sizes.features)
    hidden /= hidden.std()
    out = random.normal(size=(sizes.features, sizes.vocab)) / np.sqrt(sizes.features)
    logits = SHARPNESS * hidden @ out
    likely = np.exp(logits - logits.max(axis=1, keepdims=True))
    return likely / likely.sum(axis=1, keepdims=True)


def cut_off(likely: FloatArray, kept: int) -> FloatArray:
    """The largest entries of distributions of shape (contexts, vocab), brought to a sum of one.

    >>> cut_off(np.array([[0.5, 0.2, 0.3]]), 2).round(3).tolist()
    [[0.625, 0.0, 0.375]]
    """
    order = np.argsort(-likely, axis=1, kind="stable")[:, :kept]
    found = np.zeros_like(likely)
    np.put_along_axis(found, order, np.take_along_axis(likely, order, axis=1), axis=1)
    return found / found.sum(axis=1, keepdims=True)


def forms(sizes: CalibrationSizes) -> tuple[TargetForm, ...]:
    """The targets that are compared, the whole distribution first."""
    return (
        TargetForm(TargetKind.FULL, sizes.vocab),
        TargetForm(TargetKind.SAMPLED, sizes.draws),
        *(TargetForm(TargetKind.TOP_K, kept) for kept in sizes.kept),
    )


def calibration_demo(
    *,
    seed: int = 0,
    sizes: CalibrationSizes = QUICK,
    advance: Advance | None = None,
) -> CalibrationDemo:
    """Train a student on each kind of targets, and score it.

    Args:
        seed: of the language, the students and what they read.
        sizes: how large it is.
        advance: is told the steps of training that are done.
    """
    random = np.random.default_rng(seed)
    likely = language(sizes, random)
    students = _students(likely, sizes, random, advance)
    rows = tuple(
        _row(form, found, _target(likely, form), likely)
        for form, found in zip(forms(sizes), students.astype(float), strict=True)
    )
    return CalibrationDemo(
        seed=seed,
        full=sizes == FULL,
        sizes=sizes,
        params=_shape(sizes).params,
        entropy=float(-np.mean(np.sum(likely * np.log(likely), axis=1))),
        rows=rows,
        claims=_claims(rows),
    )


def _shape(sizes: CalibrationSizes) -> Shape:
    return Shape(inputs=2 * sizes.vocab, width=sizes.width, outputs=sizes.vocab)


def _target(likely: FloatArray, form: TargetForm) -> FloatArray:
    """What a student of such targets learns if it learns perfectly."""
    return cut_off(likely, form.kept) if form.kind is TargetKind.TOP_K else likely


def _students(
    likely: FloatArray,
    sizes: CalibrationSizes,
    random: np.random.Generator,
    advance: Advance | None,
) -> Any:
    """What each student says in each context, of shape (students, contexts, vocab)."""
    contexts, vocab = likely.shape
    each = np.eye(vocab, dtype=np.float32)
    inputs = np.concatenate([np.repeat(each, vocab, axis=0), np.tile(each, (vocab, 1))], axis=1)
    kinds = forms(sizes)
    targets = np.stack([_target(likely, one) for one in kinds]).astype(np.float32)
    sampled = [at for at, one in enumerate(kinds) if one.kind is TargetKind.SAMPLED]
    networks = Perceptrons(_shape(sizes), len(kinds), random)

    def batch() -> Batch:
        read = random.integers(contexts, size=sizes.batch)
        wanted = targets[:, read]
        for at in sampled:
            drawn = random.multinomial(kinds[at].kept, likely[read])
            wanted[at] = drawn / kinds[at].kept
        return Batch(inputs=inputs[read], targets=wanted)

    train(networks, batch, steps=sizes.steps, peak_rate=sizes.peak_rate, advance=advance)
    return networks.distributions(inputs)


def _row(
    form: TargetForm, found: FloatArray, target: FloatArray, likely: FloatArray
) -> CalibrationRow:
    choice = found.argmax(axis=1)
    confidence = found.max(axis=1)
    accuracy = likely[np.arange(len(likely)), choice]
    against = calibration(confidence, (choice == likely.argmax(axis=1)).astype(float))
    ideal = calibration(target.max(axis=1), likely[np.arange(len(likely)), target.argmax(axis=1)])
    own = calibration(confidence, accuracy)
    return CalibrationRow(
        kind=form.kind,
        kept=form.kept,
        ece=own.error,
        ece_if_learned=ideal.error,
        ece_against_teacher=against.error,
        overconfidence=float(confidence.mean() - accuracy.mean()),
        accuracy=float(accuracy.mean()),
        log_loss=log_loss(found, likely),
        brier=brier(found, likely),
        bins=own.bins,
    )


def log_loss(found: FloatArray, likely: FloatArray) -> float:
    """The expected log score, in nats per token; less is better.

    Args:
        found: what a model says, of shape (contexts, vocab).
        likely: the true probabilities, of the same shape.
    """
    least = np.finfo(np.float32).tiny
    return float(-np.mean(np.sum(likely * np.log(np.maximum(found, least)), axis=1)))


def brier(found: FloatArray, likely: FloatArray) -> float:
    """The expected Brier score: squared distance from the token that comes; less is better.

    Args:
        found: what a model says, of shape (contexts, vocab).
        likely: the true probabilities, of the same shape.
    """
    return float(np.mean(np.sum(found**2 - 2 * likely * found, axis=1)) + 1.0)


def _claims(rows: Sequence[CalibrationRow]) -> tuple[Claim, ...]:
    """What the scores show."""
    whole = [one for one in rows if one.kind is not TargetKind.TOP_K]
    cut = sorted((one for one in rows if one.kind is TargetKind.TOP_K), key=lambda one: -one.kept)
    pairs = list(pairwise(cut))
    (full,) = (one for one in rows if one.kind is TargetKind.FULL)
    worst = max(one.ece for one in whole)
    margins = [CALIBRATED - worst, *(one.ece - worst for one in cut)]
    sure = [*(one.overconfidence for one in cut), *(less.ece - more.ece for more, less in pairs)]
    scores = [
        *(cut[0].log_loss - one.log_loss for one in whole),
        *(cut[0].brier - one.brier for one in whole),
        *(less.log_loss - more.log_loss for more, less in pairs),
        *(less.brier - more.brier for more, less in pairs),
    ]
    return (
        claim(Shown.FULL_IS_CALIBRATED, margins),
        claim(Shown.CUT_IS_OVERCONFIDENT, sure),
        claim(Shown.ORDER_TURNS, [full.ece_against_teacher - cut[-1].ece_against_teacher]),
        claim(Shown.SCORES_AGREE, scores),
    )
