"""Runs of cut models -> a law of the P2 form with joint draws.

No published coefficients are known, so there is no belief to start from: robust least squares in
log loss, and draws from simulated runs. Points of one recovery (one parent, one kept share) err
together where their residuals show it.
"""

import math
from collections.abc import Iterator
from typing import Final

import numpy as np

from distillplan.errors import InputError
from distillplan.fitting.noise import (
    NOISE_SPREAD,
    ROBUST,
    RUN_NOISE,
    likely_scale,
    robust_squares,
    root_mean_square,
    split,
)
from distillplan.fitting.pruned_form import PrunedForm
from distillplan.fitting.pruned_runs import PrunedRuns
from distillplan.fitting.solver import solve
from distillplan.laws.formulas import FloatArray
from distillplan.laws.provenance import ParameterCount
from distillplan.laws.pruning_law import (
    COVERAGE,
    FORM,
    LETTERS,
    LONGER,
    SOURCE,
    FittedPruning,
    PruningRange,
    start_loss,
)
from distillplan.named_tuples import NamedTuple
from distillplan.notices import Notice, warning

SPARE: Final = 2
"""Runs beyond the coefficients that a fit needs, to tell their noise."""
_ROUNDS: Final = 12
_STEADY: Final = 1e-3
_ASTRAY: Final = 1.0
"""Error of a log loss that is no noise: a slip in the row, or a descent that found no law."""
_WIDE: Final = 10.0
"""A coefficient whose range is wider than this factor is not settled."""


class PruningLetter(NamedTuple):
    """A coefficient of the form."""

    name: str
    value: float | None
    """None: left out, as the runs cannot show it."""
    low: float | None
    """Of a 90% range; None without resamples, where it was left out, and where the range would be
    that of the search: its term vanishes, or it ends at a bound."""
    high: float | None
    settled: bool
    """Whether its range is narrower than a factor of ten."""


class PrunedPrediction(NamedTuple):
    """The loss of one cut at one length."""

    parent_params: float
    parent_loss: float
    """Nats per token; the median of the runs of this parent."""
    kept: float
    tokens: float
    loss: float
    """Nats per token."""
    low: float | None
    """Of a 90% range; None without resamples."""
    high: float | None
    beyond: bool
    """Whether it is longer than every run."""


class PrunedFit(NamedTuple):
    """A fit of the P2 form."""

    form: str
    letters: tuple[PruningLetter, ...]
    dropped: tuple[str, ...]
    """Letters that the runs cannot show: N_C and alpha need three sizes of parents, delta two."""
    runs: int
    parents: int
    """Sizes of parents."""
    valid: PruningRange
    counts: ParameterCount
    taught: bool | None
    """Whether the parent taught; None: the runs do not say, so no plan uses the law."""
    noise: float
    """Standard deviation of the log loss of a run around the law."""
    mean_relative_error: float
    """Of the losses of the runs."""
    clustered: bool
    """Whether the points of one recovery err together."""
    draw_count: int
    converged: bool
    warnings: tuple[Notice, ...]
    predictions: tuple[PrunedPrediction, ...]
    """Each parent and kept share of the runs, at its longest recovery and four times as long."""
    source: str
    saved: str | None
    """The file that was written; None: none."""
    fitted: FittedPruning


def fit_pruned(
    runs: PrunedRuns, *, counts: ParameterCount, resamples: int = 512, seed: int = 0
) -> PrunedFit:
    """The law of some runs.

    Args:
        runs: checked.
        counts: what their sizes and shares count.
        resamples: joint draws.
        seed: of them.

    Raises:
        InputError: when there are too few runs for the coefficients that they can show.
    """
    form = PrunedForm.around(runs)
    size = len(form.names)
    if len(runs) < size + SPARE:
        raise InputError(
            f"{runs.source}: {len(runs)} runs for {size} coefficients; give {size + SPARE} at least"
        )
    best, noise, converged = _fit(form, runs)
    predicted = form.predict(best[None, :], runs)[0][0]
    residual = predicted - runs.log_loss
    if not np.abs(residual).max() < _ASTRAY:
        raise InputError(
            f"{runs.source}: the form cannot follow these losses: a run is off by a factor of more "
            f"than {math.exp(_ASTRAY):.3g}; look for a slip in its row"
        )
    draws, clustered = _draws(form, runs, best, noise, resamples, seed)
    fitted = FittedPruning(
        law=form.law(best),
        draws=tuple(map(tuple, np.column_stack(list(form.law(draws))).tolist())),
        valid=_valid(runs),
        counts=counts,
        taught=runs.taught,
        runs=len(runs),
        noise=noise,
    )
    predictions = tuple(_predictions(runs, fitted))
    losses = (
        end for one in predictions for end in (one.low, one.loss, one.high) if end is not None
    )
    if not (np.isfinite([fitted.law, *fitted.draws]).all() and all(map(math.isfinite, losses))):
        raise InputError(
            f"{runs.source}: too few runs to settle the form: some refits give no finite loss; "
            "give more kept shares, tokens or parents"
        )
    letters = tuple(_letters(fitted, form.dropped, form.unfound(draws, runs)))
    return PrunedFit(
        form=FORM,
        letters=letters,
        dropped=form.dropped,
        runs=len(runs),
        parents=runs.parents,
        valid=fitted.valid,
        counts=counts,
        taught=runs.taught,
        noise=noise,
        mean_relative_error=float(np.abs(np.expm1(residual)).mean()),
        clustered=clustered,
        draw_count=len(draws),
        converged=converged,
        warnings=(*runs.notices, *_rising(letters[0])),
        predictions=predictions,
        source=SOURCE,
        saved=None,
        fitted=fitted,
    )


def _fit(form: PrunedForm, runs: PrunedRuns) -> tuple[FloatArray, float, bool]:
    """The coordinates, the noise, and whether the descent ended."""
    noise, starts, steady = 0.02, form.starts(runs), False
    places = starts
    for _ in range(_ROUNDS):
        found = solve(form, runs, places, delta=ROBUST * noise)
        least = int(np.argmin(found.cost))
        best = found.theta[least]
        residual = form.predict(best[None, :], runs)[0][0] - runs.log_loss
        before, free = noise, len(runs) - len(form.names)
        noise = likely_scale(robust_squares(residual, noise), free, RUN_NOISE, NOISE_SPREAD)
        noise = max(noise, 1e-6)
        checked, steady = steady, abs(np.log(noise / before)) < _STEADY
        if checked and steady:
            break
        # From where each ended, and once nothing changes from every start again: for a local end.
        places = np.concatenate([found.theta, starts]) if steady else found.theta
    return best, noise, bool(found.converged[least])


def _draws(
    form: PrunedForm, runs: PrunedRuns, best: FloatArray, noise: float, resamples: int, seed: int
) -> tuple[FloatArray, bool]:
    """Refits of simulated runs, shape (draws, coordinates); whether their errors are clustered."""
    predicted = form.predict(best[None, :], runs)[0][0]
    group, free = runs.groups(), len(runs) - len(form.names)
    residual = (predicted - runs.log_loss) * np.sqrt(len(runs) / free)
    parts = split(residual, group)
    if resamples == 0:
        return np.empty((0, len(best))), parts.clustered
    own, shared, known = noise, 0.0, free
    if parts.clustered:
        own, shared = root_mean_square(parts.own), root_mean_square(parts.shared)
        known = min(free, int(group.max()) + 1)
    random = np.random.default_rng([seed])
    spread = (2 * known + NOISE_SPREAD**-2) ** -0.5
    scale = np.exp(spread * random.standard_normal((resamples, 1)))
    together = random.standard_normal((resamples, int(group.max()) + 1))[:, group]
    apart = random.standard_normal((resamples, len(runs)))
    target = predicted + scale * (shared * together + own * apart)
    starts = np.repeat(best[None, :], resamples, axis=0)
    drawn = solve(
        form, runs, starts, delta=ROBUST * noise, target=target, steps=100, tolerance=1e-9
    )
    return drawn.theta, parts.clustered


def _valid(runs: PrunedRuns) -> PruningRange:
    ends = {
        "kept": np.exp(runs.log_kept),
        "parent_params": np.exp(runs.log_parent),
        "tokens": np.exp(runs.log_tokens),
    }
    return PruningRange(
        **{name: (float(one.min()), float(one.max())) for name, one in ends.items()}
    )


def _rising(gamma: PruningLetter) -> Iterator[Notice]:
    """Where a model loses more, the more of it is kept."""
    ends = [one for one in (gamma.value, gamma.high) if one is not None]
    if max(ends) < 0:
        yield warning(
            "loss_rises_with_kept",
            "the losses rise with the share that is kept, which no cut does: check the columns, "
            "and whether kept is the share that was cut away",
        )


def _letters(
    fitted: FittedPruning, dropped: tuple[str, ...], unfound: set[str]
) -> list[PruningLetter]:
    found = []
    for name in LETTERS:
        if name in dropped:
            found.append(PruningLetter(name, value=None, low=None, high=None, settled=False))
            continue
        drawn = np.array([one[LETTERS.index(name)] for one in fitted.draws])
        low, high = np.quantile(drawn, COVERAGE).tolist() if drawn.size else (None, None)
        if name in unfound:
            low, high = None, None
        settled = low is not None and low > 0 and high < _WIDE * low
        value = float(getattr(fitted.law, name))
        found.append(PruningLetter(name, value=value, low=low, high=high, settled=settled))
    return found


def _predictions(runs: PrunedRuns, fitted: FittedPruning) -> list[PrunedPrediction]:
    group, found = runs.groups(), []
    for number in range(int(group.max()) + 1):
        here = group == number
        parent = float(np.exp(runs.log_parent[here][0]))
        own_loss = float(np.median(runs.parent_loss[here]))
        kept = float(np.exp(runs.log_kept[here][0]))
        longest = float(np.exp(runs.log_tokens[here].max()))
        for tokens in (longest, LONGER * longest):
            at = start_loss(
                fitted, kept=kept, parent_params=parent, parent_loss=own_loss, tokens=tokens
            )
            found.append(
                PrunedPrediction(
                    parent_params=parent,
                    parent_loss=own_loss,
                    kept=kept,
                    tokens=tokens,
                    loss=at.loss,
                    low=at.low,
                    high=at.high,
                    beyond=tokens > fitted.valid.tokens[1],
                )
            )
    return found
