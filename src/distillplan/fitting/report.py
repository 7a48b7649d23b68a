"""A user's runs -> a law with all that must be said of it: what ``distillplan fit`` answers."""

from collections.abc import Callable

import numpy as np

from distillplan.fitting.anchor import MOST_RUNS
from distillplan.fitting.anchored_report import anchored_report
from distillplan.fitting.bootstrap import BootstrapState, bootstrap
from distillplan.fitting.fit_records import Error, FitReport, FitRequest, sentences, side_for
from distillplan.fitting.fitter import FitResult, fit_distillation, fit_supervised
from distillplan.fitting.holdout import HeldOut, held_out_folds, held_out_lowest, prediction_noise
from distillplan.fitting.identifiability import Interval, identifiability, intervals
from distillplan.fitting.law_of_fit import bootstrap_draws, published_of
from distillplan.fitting.published_test import judge_published
from distillplan.fitting.rows import Mask, Rows
from distillplan.laws.formulas import SupervisedLaw
from distillplan.laws.provenance import PublishedLaw
from distillplan.notices import Notice, Severity

_TWO_SIDES = 1.959964 / 1.644854
"""Width of a 95 % interval over that of a 90 % one."""

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
    ends: dict[str, Interval] = {} if found is None else intervals(fitted, found)
    draws = (
        None if found is None else bootstrap_draws(fitted, found, request.supervised_draws, sigma)
    )
    law = published_of(request, fitted.law, ends, sentences(errors), draws is not None)
    return FitReport(
        source=request.source,
        runs=len(rows),
        form=request.runs.kind,
        shape=_shape(fitted),
        law=law,
        draws=draws,
        resamples=request.resamples,
        errors=errors,
        noise_run=fitted.noise.run,
        noise_pair=fitted.noise.group,
        sigma_run=sigma,
        combinations=known.combinations,
        condition=known.condition_letters,
        scale=None,
        gap=None,
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
    """The published intervals of that side, as 90 % ones."""
    prime = "" if rows.log_teacher_loss is None else "'"
    found = {}
    for name, one in law.coefficients.items():
        if one.low is None or one.high is None or name.endswith("'") != bool(prime):
            continue
        shrink = _TWO_SIDES if one.level == 0.95 else 1.0
        ends = (one.value * (end / one.value) ** (1 / shrink) for end in (one.low, one.high))
        low, high = ends
        found[name.removesuffix("'")] = (low, high)
    return found


def _shape(fitted: FitResult) -> str:
    form = fitted.form
    if isinstance(fitted.law, SupervisedLaw):
        return "coupled" if getattr(form, "coupled", True) else "additive"
    return "reduced" if getattr(form, "reduced", False) else "full"


def _errors(request: FitRequest, rows: Rows, fitted: FitResult) -> tuple[Error, ...]:
    """In sample, at random, towards lower losses, and on the runs that were chosen."""
    residual = np.expm1(fitted.residuals)
    found = [
        Error(
            "in_sample",
            len(rows),
            len(rows),
            fitted.mean_relative_error,
            fitted.bias,
            float(np.abs(residual).max()),
        )
    ]
    held = held_out_folds(fitted, seed=request.seed), held_out_lowest(fitted)
    found += [_error(one) for one in held if one is not None]
    if request.holdout is not None:
        found.append(_held_out(request, rows, request.holdout.of(request.runs)))
    return tuple(found)


def _error(held: HeldOut) -> Error:
    return Error(
        held.kind, held.trained, held.tested, held.mean_relative_error, held.bias, held.worst
    )


def _held_out(request: FitRequest, rows: Rows, chosen: Mask) -> Error:
    """The chosen runs predicted by a fit that starts anew and has not seen them."""
    seen, unseen = rows.take(~chosen), rows.take(chosen)
    form = _fit(request, seen)
    predicted = form.form.predict(form.theta[None, :], unseen)[0][0]
    relative = np.expm1(predicted - unseen.log_loss)
    return Error(
        "holdout",
        len(seen),
        len(unseen),
        float(np.abs(relative).mean()),
        float(relative.mean()),
        float(np.abs(relative).max()),
    )


def _warnings(request: FitRequest, fitted: FitResult) -> tuple[Notice, ...]:
    found = [
        Notice("few_runs" if "coefficients" in text else "range_too_small", Severity.WARNING, text)
        for text in fitted.warnings
    ]
    if not fitted.converged or fitted.agreement < 0.5:
        found.append(
            Notice(
                "fit_not_unique",
                Severity.WARNING,
                "different starts end in different coefficients: the runs allow several laws",
            )
        )
    return (*found, *_borrowed(request))


def _borrowed(request: FitRequest) -> tuple[Notice, ...]:
    """What a distillation law takes from elsewhere."""
    if request.runs.kind != "distillation" or request.anchor is not None:
        return ()
    held = "" if request.supervised_draws is not None else ", without uncertainty of its own"
    return (
        Notice(
            "supervised_law_borrowed",
            Severity.INFO,
            "the losses of students without a teacher are those of "
            f"{request.supervised.name}{held}; fit your own supervised runs and give "
            "--supervised-law where the tokenizer or corpus is another",
        ),
    )
