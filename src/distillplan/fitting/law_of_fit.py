"""A fit in the form of a published law, and its joint draws."""

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from distillplan.fitting.anchor import Anchored, moved
from distillplan.fitting.bootstrap import BootstrapState
from distillplan.fitting.fitter import FitResult
from distillplan.fitting.identifiability import FLOOR
from distillplan.fitting.rows import Rows, predicted_log_loss
from distillplan.laws.draws import Draws, columns_of_law, law_of_columns
from distillplan.laws.formulas import (
    DISTILLATION_LETTERS,
    SUPERVISED_LETTERS,
    DistillationLaw,
    FloatArray,
    LossLaw,
    SupervisedLaw,
)
from distillplan.laws.provenance import Coefficient, DrawsFile, PublishedLaw, primed

if TYPE_CHECKING:
    from distillplan.fitting.fit_records import FitRequest

MOST_DRAWS: Final = 512
"""Draws kept of the resamples: shares of them are then known to about 2%."""

_NO_RESAMPLES: Final = "no resamples were made"
_KEPT_SHAPE: Final = "the shape is that of the published law; only the level was fitted"


def published_of(
    request: "FitRequest",
    law: LossLaw,
    ends: dict[str, Coefficient],
    accuracy: tuple[str, ...],
    *,
    draws: bool,
) -> PublishedLaw:
    """The fit with its provenance, ready for a file.

    Args:
        request: what was asked.
        law: the fitted law.
        ends: its letters with their intervals; empty without resamples.
        accuracy: sentences on how well it predicts.
        draws: whether there are joint draws to go with it.
    """
    runs, base = request.runs, request.anchor or request.supervised
    reason = _KEPT_SHAPE if not ends and request.anchor is not None else _NO_RESAMPLES
    if isinstance(law, DistillationLaw):
        alone = law.supervised
        coefficients = request.supervised.side(distillation=False)
        if alone != request.supervised.supervised:  # moved with the anchor
            coefficients = _coefficients(alone, {}, reason)
        primes = _coefficients(law, ends, reason)
        coefficients |= {primed(name): one for name, one in primes.items()}
        valid = {k: base.valid[k] for k in ("params", "tokens") if k in base.valid}
        ranges = {"student_params": runs.params, "student_tokens": runs.tokens}
        if runs.distilled.any():
            ranges["teacher_loss"] = runs.teacher_loss
    else:
        alone, valid = law, {}
        coefficients = _coefficients(law, ends, reason)
        ranges = {"params": runs.params, "tokens": runs.tokens}
    valid |= {name: (float(one.min()), float(one.max())) for name, one in ranges.items()}
    named = f"of the runs in {request.source}"
    return PublishedLaw(
        name=f"fit of {request.source}",
        title=f"Fit of {len(runs)} {runs.kind} runs",
        supervised=alone,
        distillation=law if isinstance(law, DistillationLaw) else None,
        counts=request.counts,
        loss_unit="nats per token",
        corpus=named,
        tokenizer=named,
        source=_source(request),
        valid=valid,
        coefficients=coefficients,
        accuracy=accuracy,
        notes=(f"{FLOOR}.",),
        draws_file=DrawsFile(path="", sigma_run=0.0) if draws else None,
    )


def _source(request: "FitRequest") -> str:
    text = f"{request.source}, {len(request.runs)} runs, fitted by distillplan"
    if request.anchor is not None:
        text += f", near {request.anchor.name} ({request.anchor.source})"
    elif request.runs.kind == "distillation":
        text += f"; supervised side: {request.supervised.name} ({request.supervised.source})"
    return text


def _coefficients(
    law: LossLaw, ends: dict[str, Coefficient], reason: str
) -> dict[str, Coefficient]:
    """The letters of a law, with their intervals or the reason why they have none."""
    letters = DISTILLATION_LETTERS if isinstance(law, DistillationLaw) else SUPERVISED_LETTERS
    found = {
        name: Coefficient(value=float(getattr(law, name)), no_interval=reason)
        for name in letters
        if name != "gamma" or law.gamma != 1
    }
    return found | ends


def bootstrap_draws(
    fitted: FitResult, state: BootstrapState, supervised: Draws | None, sigma_run: float
) -> Draws:
    """Joint draws of the fit, those of the supervised law under it included.

    A drawn supervised law moves the student's own loss Lt_S, which the fit compares with the
    teacher's as L_T / (Lt_S d1). The runs determine that ratio, so d1 of each draw is changed to
    keep it in the middle of the runs.
    """
    chosen = np.unique(np.linspace(0, state.done - 1, MOST_DRAWS).astype(int))
    letters: dict[str, Any] = dict(fitted.form.all_letters(state.theta[chosen]))
    law = fitted.law
    if isinstance(law, SupervisedLaw):
        letters.setdefault("gamma", np.ones(chosen.size))  # the additive form has none
        return Draws(law=law._replace(**letters), sigma_run=sigma_run)
    alone, which = law.supervised, np.zeros(chosen.size, dtype=int)
    if supervised is not None:
        alone = supervised.supervised
        which = np.linspace(0, supervised.size - 1, chosen.size).astype(int)
    under: dict[str, Any] = {k: np.atleast_1d(one)[which] for k, one in alone._asdict().items()}
    alone = alone._replace(**under)
    if supervised is not None:
        at = float(fitted.rows.log_params.mean()), float(fitted.rows.log_tokens.mean())
        letters["d1"] = letters["d1"] * law.supervised.loss_at_logs(*at) / alone.loss_at_logs(*at)
    return Draws(law=law._replace(supervised=alone, **letters), sigma_run=sigma_run)


def anchored_draws(
    rows: Rows, law: LossLaw, found: Anchored, published: Draws | None, sigma_run: float
) -> Draws:
    """Draws of a moved law: of its level, and of the published law's own draws, moved likewise.

    Every published draw is first brought to the same mean log loss on the runs as the moved law.
    """
    from scipy.optimize import newton  # slow to import, and not needed to plan

    base, count = law, len(found.draws)
    if published is not None:
        drawn = published.law if isinstance(law, DistillationLaw) else published.supervised
        which = np.arange(count)[:, None] % published.size
        base = law_of_columns({name: one[which] for name, one in columns_of_law(drawn).items()})
    target = predicted_log_loss(found.law, rows).mean()

    def excess(log_scale: FloatArray) -> FloatArray:
        there = moved(base, log_scale[:, None], np.log(found.gap))
        return np.asarray(predicted_log_loss(there, rows).mean(axis=1) - target)

    start = np.full(count, np.log(found.scale))
    shift = newton(excess, start, tol=1e-12) - start
    there = moved(base, (found.draws[:, 0] + shift)[:, None], found.draws[:, 1:])
    columns = {
        name: np.broadcast_to(one, (count, 1))[:, 0].copy()
        for name, one in columns_of_law(there).items()
    }
    return Draws(law=law_of_columns(columns), sigma_run=sigma_run)
