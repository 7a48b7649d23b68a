"""A user's runs -> a law, and how far it can be trusted: the answer of ``distillplan fit``."""

from collections.abc import Callable
from typing import Final

import numpy as np

from distillplan.errors import InputError
from distillplan.fitting.bootstrap import BootstrapState, bootstrap
from distillplan.fitting.diagnostics import run_warnings
from distillplan.fitting.fit_records import FitReport, FitRequest, Reach, side_for
from distillplan.fitting.fitter import FitResult, fit
from distillplan.fitting.holdout import (
    FOLDS,
    Accuracy,
    accuracy_of,
    left_out,
    stated_precision,
)
from distillplan.fitting.identifiability import COVERAGE, combinations, intervals
from distillplan.fitting.law_of_fit import law_of_fit, level_of
from distillplan.fitting.lent import lent_side
from distillplan.fitting.noise import half_width
from distillplan.fitting.outliers import MOST_DEVIATIONS, without_outliers
from distillplan.fitting.published_test import judge_published
from distillplan.fitting.rows import Mask, Rows
from distillplan.fitting.teacher_units import unit_doubts
from distillplan.laws.draws import Draws, columns_of_law, law_of_columns
from distillplan.laws.formulas import DistillationLaw, FloatArray, LossLaw
from distillplan.laws.law_runs import MOST_RUNS
from distillplan.laws.provenance import Origin, PublishedLaw
from distillplan.laws.transfer import gain_quantile, outside_scale, range_alone
from distillplan.notices import Notice, information, warning

Progress = Callable[[BootstrapState], None]

_REACHES: Final = (1.0, 10.0, 100.0)
"""Times the compute of the largest run at which the precision is stated."""


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
    every = Rows.of(request.runs)
    if len(every) > MOST_RUNS:
        raise InputError(
            f"{request.runs.source}: {len(every):,} runs; the most is {MOST_RUNS:,}: give the last "
            "row of each run alone"
        )
    _refuse_two_worlds(request, every)
    test = None if request.test is None else judge_published(every, side_for(request.test, every))
    fitted, out = without_outliers(every, lambda rows: _fit(request, rows), request.kept)
    held_out = left_out(fitted, seed=request.seed)
    errors = [accuracy_of("in_sample", len(fitted.rows), fitted.residuals), *held_out]
    if request.holdout is not None:
        errors.append(_held_out(request, fitted.rows, request.holdout.of(request.runs)[~out]))
    sigma = stated_precision(fitted, held_out)
    found, draws, ends = None, None, {}
    if request.resamples:
        found = bootstrap(
            fitted,
            resamples=request.resamples,
            seed=request.seed,
            state=state,
            progress=progress,
            jobs=request.jobs,
        )
        drawn = _whole(fitted.form.law(found.theta), request.resamples)
        draws = Draws(law=_with_lent(request, fitted, drawn), sigma_run=sigma)
        ends = intervals(fitted, found)
    doubts = (*_about_units(request, every), *run_warnings(fitted, request.like.name))
    whole = _with_lent(request, fitted, fitted.law)
    law = law_of_fit(request, fitted, whole, ends, _sentences(tuple(errors)), doubts)
    return FitReport(
        source=request.runs.source,
        runs=len(fitted.rows),
        distilled_runs=int(fitted.rows.distilled.sum()),
        rows=request.runs.rows,
        shape=fitted.form.shape,
        law=law,
        draws=draws,
        resamples=request.resamples,
        errors=tuple(errors),
        sigma_run=sigma,
        reach=() if draws is None else _reaches(fitted, law, draws),
        noise=fitted.noise,
        looseness=fitted.looseness,
        like=request.like.name,
        level=level_of(fitted, request.like),
        combinations=() if found is None else combinations(fitted, found),
        tested=None if request.test is None else request.test.name,
        test=test,
        fitted=request.runs.take(~out),
        warnings=(
            *request.runs.notices,
            *_left_out(request, every, out, fitted),
            *doubts,
            *_about_sides(law),
            *_not_unique(fitted),
        ),
    )


def _refuse_two_worlds(request: FitRequest, rows: Rows) -> None:
    """Refuse to put one world's distilled losses beside another's supervised ones."""
    taught = rows.distilled
    if taught.all() and request.supervised is None:
        raise InputError(
            f"{request.runs.source}: the distilled losses are yours, the supervised ones "
            f"{request.like.name}'s: no verdict can come of that; add a supervised run (a row with "
            "an empty teacher_loss), give --supervised-law, or say --same-tokenizer-as "
            f"{request.like.name}"
        )
    if request.supervised is not None and not taught.all():
        raise InputError(
            f"--supervised-law and --same-tokenizer-as are for runs that all have a teacher, and "
            f"{request.runs.source} has supervised runs of its own; leave the option out"
        )


def _fit(request: FitRequest, rows: Rows) -> FitResult:
    """The fit of these runs as asked for."""
    like: LossLaw = request.like.supervised
    if rows.distilled.any():
        like = side_for(request.like, rows)
    known = None
    if request.supervised is not None:
        draws = request.supervised_draws
        known = request.supervised.supervised if draws is None else draws.supervised
        if isinstance(like, DistillationLaw):
            like = like._replace(supervised=request.supervised.supervised)
    coupled = not request.gamma_one
    if request.anchored and not isinstance(like, DistillationLaw):
        coupled = like.gamma != 1
    return fit(rows, like, coupled=coupled, known=known)


def _whole(law: LossLaw, size: int) -> LossLaw:
    """The law with every letter an array of shape (size,): the additive form has one exponent."""
    columns = columns_of_law(law)
    return law_of_columns({name: np.full(size, one) for name, one in columns.items()})


def _with_lent(request: FitRequest, fitted: FitResult, law: LossLaw) -> LossLaw:
    """The law, or draws of it, with the gains of the published law where no run is distilled."""
    like = request.like
    if isinstance(law, DistillationLaw) or not request.anchored or like.distillation is None:
        return law
    lenders = None
    size = int(np.size(law.alpha))
    if size > 1 and request.like_draws is not None:
        which = np.arange(size) % request.like_draws.size
        columns = columns_of_law(request.like_draws.law)
        found = law_of_columns({name: np.asarray(one)[which] for name, one in columns.items()})
        lenders = found if isinstance(found, DistillationLaw) else None
    return lent_side(law, like, level_of(fitted, like), lenders)


def _held_out(request: FitRequest, rows: Rows, chosen: Mask) -> Accuracy:
    """The chosen runs predicted by a new fit of the others."""
    seen, unseen = rows.take(~chosen), rows.take(chosen)
    fitted = _fit(request, seen)
    predicted = fitted.form.predict(fitted.theta[None, :], unseen)[0][0]
    return accuracy_of("holdout", len(seen), predicted - unseen.log_loss)


def _reaches(fitted: FitResult, law: PublishedLaw, draws: Draws) -> tuple[Reach, ...]:
    """How well larger runs without a teacher are predicted: sizes and tokens grow alike."""
    alone = ~fitted.rows.distilled
    rows = fitted.rows.take(alone) if alone.any() else fitted.rows
    largest = int(np.argmax(rows.log_params + rows.log_tokens))
    found = []
    for times in _REACHES:
        n, d = (
            float(one[largest]) + np.log(times) / 2 for one in (rows.log_params, rows.log_tokens)
        )
        drawn: FloatArray = draws.supervised.loss_at_logs(n, d)
        loss = float(law.supervised.loss_at_logs(n, d))
        outside = float(
            outside_scale(
                range_alone(law.valid),
                gain=0.0,
                student_params=np.exp(n),
                student_tokens=np.exp(d),
                teacher_loss=1.0,
            )
        )
        low, high = gain_quantile(drawn, outside, np.array([1 - COVERAGE, 1 + COVERAGE]) / 2)
        spread = (high - low) / (2 * half_width(COVERAGE) * loss)  # of the range of a prediction
        error = float(np.hypot(spread, draws.sigma_run))
        found.append(
            Reach(
                times_compute=times,
                params=float(np.exp(n)),
                tokens=float(np.exp(d)),
                relative_error=error,
            )
        )
    return tuple(found)


def _left_out(request: FitRequest, rows: Rows, out: Mask, fitted: FitResult) -> tuple[Notice, ...]:
    """The runs that the law of the others cannot explain."""
    if not out.any():
        return ()
    away = fitted.form.predict(fitted.theta[None, :], rows)[0][0] - rows.log_loss
    named = [
        f"{line} (loss {np.exp(-far) - 1:+.1%} against the others' law)"
        for line, far, gone in zip(request.runs.lines, away, out, strict=True)
        if gone
    ]
    first = next(line for line, gone in zip(request.runs.lines, out, strict=True) if gone)
    number = first.rpartition("line ")[2]
    return (
        warning(
            "outliers_left_out",
            f"{', '.join(named)}: more than {MOST_DEVIATIONS:g} standard deviations from the law "
            f"of the other runs, so left out; --keep {number} keeps it",
        ),
    )


def _about_units(request: FitRequest, rows: Rows) -> tuple[Notice, ...]:
    """Whether the teachers' losses are in another unit than their students'."""
    law = request.like.distillation
    return () if law is None else tuple(unit_doubts(rows, law, request.runs.unit))


def _about_sides(law: PublishedLaw) -> tuple[Notice, ...]:
    """Where a side is not the user's own."""
    alone, taught = law.supervised_from, law.distillation_from
    if taught is not None and taught.origin is Origin.MOVED:
        message = (
            f"no run is distilled: that side is {taught.words()}, and the odds of a plan carry how "
            "far other laboratories' gains came out from it"
        )
        return (information("distillation_not_yours", message),)
    if alone is not None and alone.origin is Origin.PUBLISHED:
        message = (
            f"the losses of students without a teacher are those of {alone.words()}: if your "
            "tokenizer or corpus differs, every verdict from this law is wrong; one supervised run "
            "tells"
        )
        return (warning("supervised_not_yours", message),)
    return ()


def _not_unique(fitted: FitResult) -> tuple[Notice, ...]:
    if fitted.converged and fitted.agreement >= 0.5:
        return ()
    return (
        warning(
            "fit_not_unique",
            "different starts end at different coefficients: several laws fit the runs",
        ),
    )


def _sentences(errors: tuple[Accuracy, ...]) -> tuple[str, ...]:
    """How well a fit predicts, for the file of its law."""
    where = {
        "in_sample": "on the {n} runs of the fit",
        "folds": f"on runs left out at random ({FOLDS} folds)",
        "groups": "on the runs of each size and token count, fitted without them",
        "lowest": "on the {n} runs of lowest loss, fitted without them",
        "holdout": "on the {n} runs held out by choice, fitted without them",
    }
    return tuple(
        f"Mean relative error {one.mean_relative_error:.2%} (bias {one.bias:+.2%}) "
        f"{where[one.what].format(n=one.predicted)}."
        for one in errors
    )
