"""The answer for a handful of runs: a published law moved onto them."""

from distillplan.errors import InputError
from distillplan.fitting.anchor import GAP_WIDTH, anchor
from distillplan.fitting.fit_records import FitReport, FitRequest, sentences, side_for
from distillplan.fitting.holdout import Accuracy, accuracy_of
from distillplan.fitting.law_of_fit import anchored_draws, published_of
from distillplan.fitting.noise import RUN_NOISE
from distillplan.fitting.published_test import PublishedTest
from distillplan.fitting.rows import Rows, predicted_log_loss
from distillplan.notices import Notice, Severity


def anchored_report(request: FitRequest, rows: Rows, test: PublishedTest | None) -> FitReport:
    """A published law moved onto a handful of runs.

    Raises:
        InputError: when runs are to be held out, or the anchor is of another kind than the runs.
    """
    if request.anchor is None:
        raise AssertionError  # the caller has one
    if request.holdout is not None:
        raise InputError(
            f"holdout: {len(rows)} runs are too few to hold some out; leave --holdout out, as each "
            "run is predicted from the others anyway"
        )
    base = side_for(request.anchor, rows)
    found = anchor(rows, base, seed=request.seed)
    residual = predicted_log_loss(found.law, rows) - rows.log_loss
    errors = [accuracy_of("in_sample", len(rows), residual)]
    if found.held_out_error is not None:
        errors.append(
            Accuracy(
                what="left_one_out",
                fitted=len(rows) - 1,
                predicted=len(rows),
                mean_relative_error=found.held_out_error,
                bias=None,
                worst=None,
            )
        )
    sigma = max(RUN_NOISE, 0.0 if request.anchor_draws is None else request.anchor_draws.sigma_run)
    draws = anchored_draws(rows, base, found, request.anchor_draws, sigma)
    warnings = [
        *request.runs.notices,
        Notice(
            code="shape_is_published",
            severity=Severity.INFO,
            message=f"the exponents are those of {request.anchor.name}; the runs set the level",
        ),
    ]
    if not found.scale_is_fitted:
        warnings.append(
            Notice(
                code="scale_not_fitted",
                severity=Severity.WARNING,
                message=(
                    "these runs hardly depend on the scale of all losses, so it is nearly unknown; "
                    "add a run with a stronger teacher or another size"
                ),
            )
        )
    if not found.gap_is_fitted:
        warnings.append(
            Notice(
                code="gap_not_fitted",
                severity=Severity.WARNING,
                message=(
                    "the runs cannot tell a change of all losses from a change of the reducible "
                    f"loss; the latter is assumed to be within {GAP_WIDTH:.0%} of the published one"
                ),
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
        sigma_run=sigma,
        scale=found.scale,
        gap=found.gap,
        tested=None if request.test is None else request.test.name,
        test=test,
        warnings=tuple(warnings),
    )
