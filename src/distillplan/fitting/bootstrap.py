"""Joint uncertainty by refitting: many resamples of the runs, each with a belief drawn anew.

Where runs are many, each resample weighs them at random (the Bayesian bootstrap; Rubin 1981), so
noise may differ from run to run; where they are few, losses are simulated around the fit with
Gaussian noise at the pooled scale, itself drawn; in between, some of both. Runs of a (parameters,
tokens) group that err together are weighed together. With the middle of the prior drawn too, the
refits are draws of the posterior, exactly so for a linear law (randomize, then optimize: Bardsley
et al. 2014): what the runs leave open is as wide as the prior.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import numpy as np

from distillplan.errors import InputError
from distillplan.files.processes import in_order
from distillplan.fitting.fitter import FitResult, refit
from distillplan.fitting.forms import bounds
from distillplan.fitting.noise import root_mean_square, split
from distillplan.laws.formulas import FloatArray

METHOD: Final = 2
"""To be raised whenever the same runs and options give other resamples than before."""

RESAMPLES: Final = 512
"""Shares of draws are then known to about 2%."""

_BLOCK: Final = 64
"""Fits at once; a part of the seed, so a resumed bootstrap continues the same stream."""

_POOLED: Final = 3.0
"""Runs per known coordinate below which the noise is only pooled."""

_MOST_LEVERAGE: Final = 0.95
"""A run that the fit follows more closely than this shows no residual."""


@dataclass(frozen=True, kw_only=True)
class BootstrapState:
    """Resamples so far: everything that is needed to go on, or to use what is there."""

    seed: int
    wanted: int
    """number of resamples asked for"""
    theta: FloatArray = field(repr=False)
    """coordinates of the resamples so far, shape (done, coordinates)"""

    @property
    def done(self) -> int:
        """Number of resamples so far."""
        return int(self.theta.shape[0])

    @property
    def finished(self) -> bool:
        """Whether all that were asked for are there."""
        return self.done >= self.wanted

    def to_dict(self) -> dict[str, Any]:
        """Plain lists and numbers, for a file to go on from."""
        return {
            "seed": self.seed,
            "wanted": self.wanted,
            "theta": self.theta.tolist(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "BootstrapState":
        """The inverse of ``to_dict``.

        Raises:
            InputError: when something is missing or malformed.
        """
        try:
            seed, wanted = data["seed"], data["wanted"]
            theta = np.array(data["theta"], dtype=float)
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise InputError(
                f"saved resamples: {error} is missing or malformed; remove the file to start again"
            ) from error
        counts = all(isinstance(one, int) and one >= 0 for one in (seed, wanted))
        if not counts or (theta.size and theta.ndim != 2):
            raise InputError(
                "saved resamples: not a seed, a number and a table of coordinates; remove the file "
                "to start again"
            )
        if not np.isfinite(theta).all():
            raise InputError(
                "saved resamples: not all are finite numbers; remove the file to start again"
            )
        return cls(seed=seed, wanted=wanted, theta=theta)


def bootstrap(
    result: FitResult,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    state: BootstrapState | None = None,
    progress: Callable[[BootstrapState], None] | None = None,
    jobs: int = 1,
) -> BootstrapState:
    """Refit many resamples of the runs, each started at the fit.

    Args:
        result: the fit.
        resamples: number of resamples.
        seed: of the generator; the same seed gives the same resamples in the same order.
        state: resamples of an earlier, interrupted call with the same runs and seed.
        progress: called after every block with what is there so far, to show or to save.
        jobs: processes that work side by side; the resamples do not depend on their number.

    Raises:
        InputError: when the saved state belongs to another fit or seed.
    """
    size = len(result.form.names)
    theta = np.empty((0, size)) if state is None else state.theta[:resamples]
    columns = (size,) if theta.size else theta.shape[1:]
    if state is not None and (state.seed != seed or theta.shape[1:] != columns):
        raise InputError(
            f"saved resamples: those of seed {state.seed} do not continue a fit of {size} "
            f"coordinates with seed {seed}; use the saved settings or remove the file"
        )
    theta = theta.reshape(-1, size)
    low, high = bounds(result.form.names)
    if not ((theta >= low) & (theta <= high)).all():
        raise InputError(
            "saved resamples: a coordinate lies where no fit goes; remove the file to start again"
        )
    found = BootstrapState(seed=seed, wanted=resamples, theta=theta)
    first, offset = divmod(found.done, _BLOCK)
    for fresh in _blocks(result, seed, range(first, -(-resamples // _BLOCK)), jobs):
        theta = np.concatenate([found.theta, fresh[offset:]])[:resamples]
        offset = 0
        found = BootstrapState(seed=seed, wanted=resamples, theta=theta)
        if progress is not None:
            progress(found)
    return found


def _blocks(result: FitResult, seed: int, which: range, jobs: int) -> Iterator[FloatArray]:
    """Blocks in their order, made by as many processes."""
    return in_order(partial(_block, result, seed), which, jobs)


def _block(result: FitResult, seed: int, block: int) -> FloatArray:
    """One block of resamples from its own stream, so blocks do not depend on each other."""
    generator = np.random.default_rng([seed, block])
    runs = len(result.rows)
    group = result.rows.groups()
    # what leaving a run out would show of it
    leverage = np.minimum(result.leverages(), _MOST_LEVERAGE)
    parts = split(result.residuals / (1 - leverage), group)
    group = group if parts.clustered else np.arange(runs)
    groups = int(group.max()) + 1
    pooled = min(1.0, _POOLED * result.known / groups)
    scale = _scales(result.spread_of_noise, generator)
    shared = generator.standard_normal((_BLOCK, groups))[:, group] * root_mean_square(parts.shared)
    own = generator.standard_normal((_BLOCK, runs)) * (
        root_mean_square(parts.own) if parts.clustered else result.noise
    )
    fitted = result.rows.log_loss + result.residuals
    # between the observed losses, which the weights resample, and simulated ones
    losses = fitted - np.sqrt(1 - pooled) * result.residuals
    losses = losses + np.sqrt(pooled) * scale * (shared + own)
    weights = generator.exponential(size=(_BLOCK, groups))[:, group]
    weights = 1 + np.sqrt(1 - pooled) * (weights - 1)
    loose = result.looseness * _scales(result.spread_of_looseness, generator)
    belief = loose * generator.standard_normal((_BLOCK, len(result.theta)))
    return refit(result, weights, losses, belief)


def _scales(spread: float, generator: np.random.Generator) -> FloatArray:
    """Scales over their likeliest, (block, 1): inverse chi, or as believed where there are few."""
    freedom = 0.5 / spread**2
    if freedom < 2:
        return np.exp(spread * generator.standard_normal((_BLOCK, 1)))
    return np.sqrt(freedom / generator.chisquare(freedom, (_BLOCK, 1)))
