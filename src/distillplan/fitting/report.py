"""A user's runs -> a law, and how far it can be trusted: the answer of ``distillplan fit``."""

from collections.abc import Callable

from distillplan.fitting.anchor import MOST_RUNS
from distillplan.fitting.anchored_report import anchored_report
from distillplan.fitting.bootstrap import BootstrapState, bootstrap
from distillplan.fitting.fit_records import FitReport, FitRequest, sentences, side_for
from distillplan.fitting.fitter import FitResult, fit_distillation, fit_supervised
from distillplan.fitting.holdout import (
    Accuracy,
    accuracy_of,
    held_out_folds,
    held_out_lowest,
    prediction_noise,
)
from distillplan.fitting.identifiability import identifiability, intervals
from distillplan.fitting.law_of_fit import bootstrap_draws, published_of
from distillplan.fitting.noise import half_width
from distillplan.fitting.published_test import judge_published
from distillplan.fitting.rows import Mask, Rows
from distillplan.laws.provenance import PublishedLaw
from distillplan.notices import Notice, Severity

Progress = Callable[[BootstrapState], None]


def fit_report(
    request: FitRequest, *, state: BootstrapState | None = None, progress: Progress | None = None
) -> FitReport:
    """Fit, and say how far the fit can be trusted.

    Args:
        request: the runs and what to do with them.
        state: resamples of an earlier call that was interrupted.
        progress: called after every block of resamples.

    Raises:
        InputError: when the runs cannot carry what is asked.
    """
    rows = Rows.of(request.runs)
    test = None if request.test is None else judge_published(rows, side_for(request.test, rows))
    if request.anchor is not None and len(rows) <= MOST_RUNS:
        return anchored_report(request, rows, test)
    fitted = _fit(request, rows)
    errors = _errors(request, rows, fitted)
    found = None
    if request.resamples:
        found = bootstrap(
            fitted, resamples=request.resamples, seed=request.seed, state=state, progress=progress
        )
    sigma = prediction_noise(fitted)
    known = identifiability(fitted)
    ends = {} if found is None else intervals(fitted, found)
    draws = (
        None if found is None else bootstrap_draws(fitted, found, request.supervised_draws, sigma)
    )
    law = published_of(request, fitted.law, ends, sentences(errors), draws=draws is not None)
    return FitReport(
        source=request.source,
        runs=len(rows),
        form=request.runs.kind,
        shape=fitted.form.shape,
        law=law,
        draws=draws,
        resamples=request.resamples,
        errors=errors,
        noise_run=fitted.noise.run,
        noise_pair=fitted.noise.group,
        sigma_run=sigma,
        combinations=known.combinations,
        condition=known.condition_letters,
        tested=None if request.test is None else request.test.name,
        test=test,
        warnings=_warnings(request, fitted),
    )


def _fit(request: FitRequest, rows: Rows) -> FitResult:
    """The fit of these runs as asked for."""
    near = None
    if request.anchor is not None:
        near = side_for(request.anchor, rows), _intervals90(request.anchor, rows)
    if rows.log_teacher_loss is None:
        coupled = near[0].gamma != 1 if near else not request.gamma_one
        return fit_supervised(rows, coupled=coupled, anchor=near)
    return fit_distillation(
        rows, request.supervised.supervised, reduced=request.reduced, anchor=near
    )


def _intervals90(law: PublishedLaw, rows: Rows) -> dict[str, tuple[float, float]]:
    """The published intervals of the side that describes these runs, at 90%.

    Those of another coverage are narrowed in the logarithm of the coefficient.
    """
    found = {}
    for name, one in law.side(distillation=rows.log_teacher_loss is not None).items():
        if one.low is not None and one.high is not None and one.level is not None:
            narrowed = half_width(0.9) / half_width(one.level)
            low, high = (one.value * (end / one.value) ** narrowed for end in (one.low, one.high))
            found[name] = (low, high)
    return found


def _errors(request: FitRequest, rows: Rows, fitted: FitResult) -> tuple[Accuracy, ...]:
    """In sample, at random, towards lower losses, and on the runs that were chosen."""
    found = [accuracy_of("in_sample", len(rows), fitted.residuals)]
    held = held_out_folds(fitted, seed=request.seed), held_out_lowest(fitted)
    found += [one.accuracy for one in held if one is not None]
    if request.holdout is not None:
        found.append(_held_out(request, rows, request.holdout.of(request.runs)))
    return tuple(found)


def _held_out(request: FitRequest, rows: Rows, chosen: Mask) -> Accuracy:
    """The chosen runs predicted by a new fit of the others."""
    seen, unseen = rows.take(~chosen), rows.take(chosen)
    fitted = _fit(request, seen)
    predicted = fitted.form.predict(fitted.theta[None, :], unseen)[0][0]
    return accuracy_of("holdout", len(seen), predicted - unseen.log_loss)


def _warnings(request: FitRequest, fitted: FitResult) -> tuple[Notice, ...]:
    found = [*request.runs.notices, *fitted.warnings]
    if not fitted.converged or fitted.agreement < 0.5:
        found.append(
            Notice(
                code="fit_not_unique",
                severity=Severity.WARNING,
                message="different starts end at different coefficients: several laws fit the runs",
            )
        )
    return (*found, *_borrowed(request))


def _borrowed(request: FitRequest) -> tuple[Notice, ...]:
    """Where a distillation law takes its supervised side from."""
    if request.runs.kind != "distillation" or request.anchor is not None:
        return ()
    held = "" if request.supervised_draws is not None else ", without uncertainty"
    return (
        Notice(
            code="supervised_law_borrowed",
            severity=Severity.INFO,
            message=(
                "losses of students trained without a teacher come from "
                f"{request.supervised.name}{held}; if your tokenizer or corpus differs, fit your "
                "own supervised runs and pass the law with --supervised-law"
            ),
        ),
    )
