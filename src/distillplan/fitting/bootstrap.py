"""Joint uncertainty by refitting: many resamples at once, resumable, the same for the same seed.

Losses are simulated around the fit, with a misfit per (parameters, tokens) pair and a noise per
run, both Gaussian at the scales that the residuals show. This also holds when the runs of a pair
err together; the paper draws runs with replacement, which knows nothing of pairs.

With 60 to 300 runs of a known law and 0.3% Gaussian noise, 90% intervals hold the truth in 87% to
91% of cases (100 sets, 256 resamples), those of runs drawn with replacement in 91% to 96%: a fit of
absolute values jumps between runs, and drawing runs twice exaggerates that.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from distillplan.errors import InputError
from distillplan.fitting.fitter import FitResult, refit
from distillplan.fitting.prior import GaussianPrior
from distillplan.laws.formulas import FloatArray

PAPER_RESAMPLES: Final = 4096
"""Resamples behind the printed intervals of Table 6."""

_BLOCK: Final = 128
"""Fits at once; a part of the seed, so a resumed bootstrap continues the same stream."""


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
            return cls(
                seed=int(data["seed"]),
                wanted=int(data["wanted"]),
                theta=np.array(data["theta"], dtype=float),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"saved resamples: {error} is missing or malformed; remove the file to start again"
            ) from error


def bootstrap(
    result: FitResult,
    *,
    resamples: int = PAPER_RESAMPLES,
    seed: int = 0,
    state: BootstrapState | None = None,
    progress: Callable[[BootstrapState], None] | None = None,
) -> BootstrapState:
    """Refit many resamples of the runs, each started at the fit.

    Args:
        result: the fit.
        resamples: number of resamples.
        seed: of the generator; the same seed gives the same resamples in the same order.
        state: resamples of an earlier, interrupted call with the same runs and seed.
        progress: called after every block with what is there so far, to show or to save.

    Raises:
        InputError: when the saved state belongs to another fit or seed.
    """
    size = len(result.form.names)
    theta = np.empty((0, size)) if state is None else state.theta[:resamples]
    if state is not None and (state.seed != seed or state.theta.shape[1:] not in {(size,), ()}):
        raise InputError(
            f"saved resamples: those of seed {state.seed} do not continue a fit of {size} "
            f"coordinates with seed {seed}; use the saved settings or remove the file"
        )
    theta = theta.reshape(-1, size)
    found = BootstrapState(seed=seed, wanted=resamples, theta=theta)
    while not found.finished:
        block, offset = divmod(found.done, _BLOCK)
        fresh = _block(result, seed, block)[offset:]
        theta = np.concatenate([found.theta, fresh])[:resamples]
        found = BootstrapState(seed=seed, wanted=resamples, theta=theta)
        if progress is not None:
            progress(found)
    return found


def _block(result: FitResult, seed: int, block: int) -> FloatArray:
    """One block of resamples from its own stream, so blocks do not depend on each other."""
    generator = np.random.default_rng([seed, block])
    n = len(result.rows)
    group = result.rows.groups()
    misfit = result.noise.group * generator.standard_normal((_BLOCK, int(group.max()) + 1))
    run = result.noise.run * generator.standard_normal((_BLOCK, n))
    fitted = result.rows.log_loss + result.residuals
    return refit(
        result, np.ones((_BLOCK, n)), fitted + misfit[:, group] + run, _priors(result, generator)
    )


def _priors(result: FitResult, generator: np.random.Generator) -> FloatArray | None:
    """Residuals of a published prior, drawn from it; None for the weak prior on shapes.

    Resampling the runs alone would give draws that are too narrow where the runs hardly narrow the
    prior. With its center drawn too they are those of the posterior, exactly so for a linear law
    (randomize, then optimize: Bardsley et al. 2014).
    """
    if not isinstance(result.penalty, GaussianPrior):
        return None
    return generator.standard_normal((_BLOCK, result.penalty.whitening.shape[0]))
