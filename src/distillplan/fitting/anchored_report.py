"""The answer for a handful of runs: a published law moved onto them."""

import numpy as np

from distillplan.errors import InputError
from distillplan.fitting.anchor import anchor
from distillplan.fitting.fit_records import Error, FitReport, FitRequest, sentences, side_for
from distillplan.fitting.law_of_fit import anchored_draws, published_of
from distillplan.fitting.noise import RUN_NOISE
from distillplan.fitting.published_test import PublishedTest
from distillplan.fitting.rows import Rows
from distillplan.laws.formulas import DistillationLaw, FloatArray, LossLaw
from distillplan.notices import Notice, Severity


def anchored_report(request: FitRequest, rows: Rows, test: PublishedTest | None) -> FitReport:
    """A published law moved onto a handful of runs."""
    if request.anchor is None:
        raise AssertionError  # the caller has one
    if request.holdout is not None:
        raise InputError(
            f"holdout: {len(rows)} runs are too few to hold some out; each is predicted from the "
            "others anyway"
        )
    base = side_for(request.anchor, rows)
    found = anchor(rows, base, seed=request.seed)
    residual = np.expm1(_log_loss(found.law, rows) - rows.log_loss)
    worst = float(np.abs(residual).max())
    errors = [
        Error(
            "in_sample",
            len(rows),
            len(rows),
            found.mean_relative_error,
            float(residual.mean()),
            worst,
        )
    ]
    if found.held_out_error is not None:
        kept = len(rows) - 1
        error = found.held_out_error
        errors.append(Error("left_one_out", kept, len(rows), error, None, None))
    sigma = max(RUN_NOISE, 0.0 if request.anchor_draws is None else request.anchor_draws.sigma_run)
    draws = anchored_draws(rows, base, found, request.anchor_draws, sigma)
    warnings = [
        Notice(
            "shape_is_published",
            Severity.INFO,
            f"the exponents are those of {request.anchor.name}; {len(rows)} runs fix the level",
        )
    ]
    if not found.gap_is_fitted:
        warnings.append(
            Notice(
                "gap_not_fitted",
                Severity.WARNING,
                "the runs do not tell the scale of the losses from that of what size and tokens "
                "can reduce; the latter is within 10 % of the published one by assumption",
            )
        )
    return FitReport(
        source=request.source,
        runs=len(rows),
        form=request.runs.kind,
        shape="anchored",
        law=published_of(request, found.law, {}, sentences(tuple(errors)), draws=True),
        draws=draws,
        resamples=0,
        errors=tuple(errors),
        noise_run=None,
        noise_pair=None,
        sigma_run=sigma,
        combinations=(),
        condition=None,
        scale=found.scale,
        gap=found.gap,
        tested=None if request.test is None else request.test.name,
        test=test,
        warnings=tuple(warnings),
    )


def _log_loss(law: LossLaw, rows: Rows) -> FloatArray:
    sizes = rows.log_params, rows.log_tokens
    if isinstance(law, DistillationLaw):
        return np.asarray(np.log(law.loss_at_logs(*sizes, rows.log_teacher_loss)))
    return np.asarray(np.log(law.loss_at_logs(*sizes)))
