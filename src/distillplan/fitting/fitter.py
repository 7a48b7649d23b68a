"""Runs -> a law: the public way to fit.

Huber's loss on log loss as in Appendix F of the paper, minimized from a few solved starts instead
of a grid. A weak prior on the shape is priced at the noise of the runs, so it vanishes for runs
without noise and matters only for what the runs do not determine.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from distillplan.errors import InputError
from distillplan.fitting.distillation_form import DistillationForm
from distillplan.fitting.forms import Form, SupervisedForm
from distillplan.fitting.noise import FEW, RUN_NOISE, Noise, half_width, split_noise
from distillplan.fitting.prior import Interval90, published_prior, shape_prior
from distillplan.fitting.rows import Rows
from distillplan.fitting.solver import HUBER_DELTA, Penalty, Solution, huber_cost, solve
from distillplan.fitting.starts import distillation_starts, supervised_starts
from distillplan.laws.formulas import FloatArray, LossLaw, SupervisedLaw
from distillplan.notices import Notice, Severity

NARROWING: Final = (1e-2, 3e-3, 1e-3, 3e-4, HUBER_DELTA)
"""Widths of Huber's loss on the way to the paper's."""

_FINALISTS: Final = 4
_LEAST_SPREAD: Final = RUN_NOISE * (2 / np.pi) ** 0.5
"""Mean absolute value of a Gaussian of the usual noise of a run."""

_SIZE: Final = 0.05
"""Of the likelihood-ratio test that lets runs decide between Equation 8 and its limit."""


@dataclass(frozen=True, kw_only=True)
class FitResult:
    """A fitted law and how well it describes its runs."""

    form: Form
    """the form that was fitted"""
    rows: Rows
    """the runs"""
    theta: FloatArray
    """coordinates of the form, shape (coordinates,)"""
    law: LossLaw
    """the law in the paper's letters"""
    cost: float
    """sum of Huber's loss of log residuals, without any prior"""
    converged: bool
    """whether the last step was within the tolerance"""
    agreement: float
    """share of the finalists among the starts that ended at this cost"""
    mean_relative_error: float
    """mean of |predicted / observed - 1|"""
    noise: Noise
    """spread of single runs and of groups around the law, in log loss"""
    penalty: Penalty | None
    """the prior that was used"""
    penalty_weight: float
    """its price in units of the cost"""
    warnings: tuple[Notice, ...] = ()
    """what a reader should know before using the law"""

    @property
    def residuals(self) -> FloatArray:
        """Log predicted - log observed of each run, shape (runs,)."""
        return self.form.predict(self.theta[None, :], self.rows)[0][0] - self.rows.log_loss


def fit_supervised(
    rows: Rows,
    *,
    coupled: bool = True,
    regularize: bool = True,
    anchor: tuple[LossLaw, Mapping[str, Interval90]] | None = None,
) -> FitResult:
    """Fit Equation 1.

    Args:
        rows: supervised runs.
        coupled: outer exponent gamma free; otherwise 1 (the additive form).
        regularize: keep shapes that the runs do not show near published ones (``shape_prior``).
        anchor: a published law and its 90% intervals to stay near, instead.

    Raises:
        InputError: when there are fewer runs than coefficients and no anchor.
    """
    form = SupervisedForm.around(rows, coupled=coupled)
    if anchor is not None:
        start = form.theta(anchor[0])[None, :]
        return _fit_near(form, rows, start, published_prior(form, *anchor))
    _demand_rows(rows, form)
    penalty = shape_prior(form) if regularize else None
    return _fit(form, rows, supervised_starts(form, rows), penalty)


def fit_distillation(
    rows: Rows,
    supervised: SupervisedLaw,
    *,
    reduced: bool | None = None,
    regularize: bool = True,
    anchor: tuple[LossLaw, Mapping[str, Interval90]] | None = None,
) -> FitResult:
    """Fit the nine primed letters of Equation 8 over a given supervised law.

    Args:
        rows: distillation runs.
        supervised: the law of the same students without a teacher.
        reduced: take the limit of large c1, in which c1 and d1 are one number; None lets the
            runs decide, by a likelihood ratio test.
        regularize: keep shapes that the runs do not show near published ones (``shape_prior``).
        anchor: a published law and its 90% intervals to stay near, instead.

    Raises:
        InputError: when there are fewer runs than coefficients and no anchor.
    """
    full = DistillationForm.around(rows, supervised, reduced=False)
    if anchor is not None:
        start = full.theta(anchor[0])[None, :]  # a published set names c1 and d1
        return _fit_near(full, rows, start, published_prior(full, *anchor))
    limit = DistillationForm.around(rows, supervised, reduced=True)
    forms = [limit if reduced or reduced is None else full]
    if reduced is None and len(rows) > len(full.names):
        forms.append(full)
    results = []
    for form in forms:
        _demand_rows(rows, form)
        penalty = shape_prior(form) if regularize else None
        results.append(_fit(form, rows, distillation_starts(form, rows), penalty))
    if len(results) == 1:
        return results[0]
    small, large = results
    gain = 2 * len(rows) * float(np.log(max(small.cost, 1e-300) / max(large.cost, 1e-300)))
    # a chi-square of one degree of freedom is the square of a Gaussian
    return large if gain > half_width(1 - _SIZE) ** 2 else small


def refit(
    result: FitResult,
    weights: FloatArray,
    target: FloatArray | None = None,
    penalty_shift: FloatArray | None = None,
) -> FloatArray:
    """Coordinates for other weights, losses or centers of the prior, shape (batch, coordinates).

    For resamples, folds and held-out groups: every fit of the batch starts at the fit of all runs.

    Args:
        result: the fit of all runs.
        weights: multiplicities of the runs, shape (batch, runs).
        target: log losses instead of the observed ones, shape (batch, runs).
        penalty_shift: residuals that the prior should have, shape (batch, terms).
    """
    starts = np.repeat(result.theta[None, :], weights.shape[0], axis=0)
    return solve(
        result.form,
        result.rows,
        starts,
        deltas=NARROWING[1:],
        weights=weights,
        target=target,
        penalty=result.penalty,
        penalty_weight=result.penalty_weight,
        penalty_shift=penalty_shift,
        steps=40,
        tolerance=1e-7,
    ).theta


def _fit(form: Form, rows: Rows, starts: FloatArray, penalty: Penalty | None) -> FitResult:
    rough = solve(form, rows, starts, deltas=(np.inf,), steps=12, tolerance=1e-4)
    best = np.argsort(rough.cost)[:_FINALISTS]
    finalists = solve(form, rows, rough.theta[best], deltas=(np.inf, *NARROWING), steps=200)
    weight = 0.0
    if penalty is not None:
        weight = _price(form, rows, finalists, least=0.0)
        finalists = _penalized(form, rows, finalists.theta, penalty, weight)
    return _best(form, rows, finalists, penalty, weight)


def _fit_near(form: Form, rows: Rows, start: FloatArray, penalty: Penalty) -> FitResult:
    """A fit that keeps its prior throughout: without it, too few runs would be met exactly."""
    weight = HUBER_DELTA * _LEAST_SPREAD
    found = _penalized(form, rows, start, penalty, weight)
    weight = _price(form, rows, found, least=_LEAST_SPREAD)
    return _best(form, rows, _penalized(form, rows, found.theta, penalty, weight), penalty, weight)


def _price(form: Form, rows: Rows, found: Solution, *, least: float) -> float:
    """Price of a prior's half square, in the unit of the cost.

    Laplace's likelihood has scale b = mean |residual|, so the cost is delta b times its negative
    logarithm. Where runs are few, b is that of other people's runs.
    """
    best = found.theta[np.argmin(found.cost)][None, :]
    total = float(np.abs(form.predict(best, rows)[0] - rows.log_loss).sum())
    spare = len(rows) - len(form.names)
    if spare < (FEW - 1) * len(form.names):
        least = _LEAST_SPREAD
    return HUBER_DELTA * max(total / max(spare, 1), least)


def _penalized(
    form: Form, rows: Rows, starts: FloatArray, penalty: Penalty, weight: float
) -> Solution:
    return solve(
        form,
        rows,
        starts,
        deltas=NARROWING,
        penalty=penalty,
        penalty_weight=weight,
        steps=200,
    )


def _best(
    form: Form, rows: Rows, finalists: Solution, penalty: Penalty | None, weight: float
) -> FitResult:
    winner = int(np.argmin(finalists.cost))
    theta, least = finalists.theta[winner], finalists.cost[winner]
    residual = form.predict(theta[None, :], rows)[0][0] - rows.log_loss
    return FitResult(
        form=form,
        rows=rows,
        theta=theta,
        law=form.law(theta),
        cost=float(huber_cost(residual).sum()),
        converged=bool(finalists.converged[winner]),
        agreement=float(np.mean(finalists.cost <= least * (1 + 1e-3) + 1e-24)),
        mean_relative_error=float(np.abs(np.expm1(residual)).mean()),
        noise=split_noise(residual, rows.groups(), len(form.names)),
        penalty=penalty,
        penalty_weight=weight,
        warnings=_warnings(form, rows),
    )


def _demand_rows(rows: Rows, form: Form) -> None:
    if len(rows) < len(form.names):
        raise InputError(
            f"{len(rows)} runs cannot fix {len(form.names)} coefficients; give at least "
            f"{len(form.names)} runs, or keep the shape of a published law with --anchor"
        )


def _warnings(form: Form, rows: Rows) -> tuple[Notice, ...]:
    found = []
    if len(rows) < FEW * len(form.names):
        found.append(
            Notice(
                code="few_runs",
                severity=Severity.WARNING,
                message=(
                    f"{len(rows)} runs for {len(form.names)} coefficients: expect wide uncertainty"
                ),
            )
        )
    found += [
        Notice(
            code="range_too_small",
            severity=Severity.WARNING,
            message=f"fewer than three different {name}: the runs cannot determine their exponent",
        )
        for name, values in (("sizes", rows.log_params), ("token counts", rows.log_tokens))
        if np.unique(np.round(values, 6)).size < 3
    ]
    return tuple(found)
