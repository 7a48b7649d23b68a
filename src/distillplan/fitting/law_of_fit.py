"""A fit in the form of a published law, and its joint draws."""

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from distillplan.fitting.anchor import Anchored, moved
from distillplan.fitting.bootstrap import BootstrapState, coefficient_draws
from distillplan.fitting.fitter import FitResult
from distillplan.fitting.identifiability import Interval
from distillplan.fitting.rows import Rows
from distillplan.laws.draws import Draws
from distillplan.laws.formulas import DistillationLaw, FloatArray, LossLaw, SupervisedLaw
from distillplan.laws.provenance import Coefficient, DrawsFile, PublishedLaw

if TYPE_CHECKING:
    from distillplan.fitting.fit_records import FitRequest

MOST_DRAWS: Final = 512
"""Draws that are kept of the resamples: shares are then known to 2 %."""

_NO_RESAMPLES: Final = "no resamples were made"
_FLOOR: Final = (
    "E is where the assumed form ends at infinite size; the runs do not measure it, so it is no "
    "finding."
)
_KEPT_SHAPE: Final = "the shape was kept as published; only the level was fitted"
_LEVELS: Final = 6
"""Steps to the scale that makes a drawn law meet the runs: quadratic, four reach the last bit."""


def primed(name: str) -> str:
    """Name of a letter of Equation 8 among the coefficients of a law."""
    return f"{name}'"


def published_of(
    request: "FitRequest",
    law: LossLaw,
    ends: dict[str, Interval],
    accuracy: tuple[str, ...],
    draws: bool,  # noqa: FBT001  (said by name nowhere else)
) -> PublishedLaw:
    """The fit with its provenance, ready for a file."""
    runs, base = request.runs, request.anchor or request.supervised
    coefficients: dict[str, Coefficient]
    reason = _KEPT_SHAPE if not ends and request.anchor is not None else _NO_RESAMPLES
    if isinstance(law, DistillationLaw):
        alone = law.supervised
        coefficients = dict(request.supervised.coefficients)
        if alone != request.supervised.supervised:  # moved with the anchor
            coefficients = _coefficients(alone, {}, reason)
        primes = _coefficients(law, ends, reason)
        coefficients = {
            name: one for name, one in coefficients.items() if not name.endswith("'")
        } | {primed(name): one for name, one in primes.items()}
        valid = {k: base.valid[k] for k in ("params", "tokens") if k in base.valid}
        valid |= {
            "student_params": _range(runs.params),
            "student_tokens": _range(runs.tokens),
        }
        if runs.teacher_loss is not None:
            valid["teacher_loss"] = _range(runs.teacher_loss)
    else:
        alone = law
        coefficients = _coefficients(law, ends, reason)
        valid = {"params": _range(runs.params), "tokens": _range(runs.tokens)}
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
        notes=(_FLOOR,),
        draws_file=DrawsFile("", 0.0) if draws else None,
    )


def _source(request: "FitRequest") -> str:
    text = f"{request.source}, {len(request.runs)} runs, fitted by distillplan"
    if request.anchor is not None:
        text += f", near {request.anchor.name} ({request.anchor.source})"
    elif request.runs.kind == "distillation":
        text += f"; supervised side: {request.supervised.name} ({request.supervised.source})"
    return text


def _coefficients(law: LossLaw, ends: dict[str, Interval], reason: str) -> dict[str, Coefficient]:
    found = {}
    for name in law._fields:
        if name == "supervised" or (name == "gamma" and law.gamma == 1 and "gamma" not in ends):
            continue
        one = ends.get(name)
        value = float(getattr(law, name))
        if one is None or one.low is None:
            found[name] = Coefficient(value, no_interval=reason if one is None else one.reason)
        else:
            found[name] = Coefficient(value, one.low, one.high, 0.9)
    return found


def _range(values: FloatArray) -> tuple[float, float]:
    return float(values.min()), float(values.max())


def bootstrap_draws(
    fitted: FitResult, state: BootstrapState, supervised: Draws | None, sigma_run: float
) -> Draws:
    """Joint draws of the fit, those of the supervised law under it included.

    A drawn supervised law moves the student's own loss Lt_S, which the fit compares with the
    teacher's as L_T / (Lt_S d1); d1 of each draw makes up for it in the middle of the runs, because
    that product is what the runs show.
    """
    chosen = np.unique(np.linspace(0, state.done - 1, MOST_DRAWS).astype(int))
    letters = {name: one[chosen] for name, one in coefficient_draws(fitted, state).items()}
    count = chosen.size
    law = fitted.law
    if isinstance(law, SupervisedLaw):
        letters.setdefault("gamma", np.ones(count))
        return Draws(SupervisedLaw(**_ordered(letters, SupervisedLaw._fields)), sigma_run)
    constant: Any = (np.full(count, one) for one in law.supervised)
    alone = SupervisedLaw(*constant)
    if supervised is not None:
        which = np.linspace(0, supervised.size - 1, count).astype(int)
        columns: Any = (np.asarray(one)[which] for one in supervised.supervised)
        alone = SupervisedLaw(*columns)
        at = float(fitted.rows.log_params.mean()), float(fitted.rows.log_tokens.mean())
        letters["d1"] = letters["d1"] * law.supervised.loss_at_logs(*at) / alone.loss_at_logs(*at)
    return Draws(
        DistillationLaw(alone, **_ordered(letters, DistillationLaw._fields[1:])), sigma_run
    )


def _ordered(letters: dict[str, FloatArray], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: letters[name] for name in names}


def anchored_draws(
    rows: Rows, law: LossLaw, found: Anchored, published: Draws | None, sigma_run: float
) -> Draws:
    """Draws of a moved law: of its level, and of the published law's own draws moved alike.

    Every published draw is first brought to the same mean loss on the runs as the moved law.
    """
    laws = []
    for index, (log_scale, log_gap) in enumerate(found.draws):
        base = law if published is None else _one(published, index, law)
        laws.append(moved(base, log_scale + _shift(rows, base, found), log_gap))
    return Draws(_stacked(laws), sigma_run)


def _one(draws: Draws, index: int, like: LossLaw) -> LossLaw:
    """One drawn law, of the side that the runs speak of."""
    which = index % draws.size
    alone = SupervisedLaw(*(float(np.asarray(one)[which]) for one in draws.supervised))
    if isinstance(like, SupervisedLaw) or not isinstance(draws.law, DistillationLaw):
        return alone
    return DistillationLaw(alone, *(float(np.asarray(one)[which]) for one in draws.law[1:]))


def _shift(rows: Rows, base: LossLaw, found: Anchored) -> float:
    """Log scale, beyond the fitted one, at which a drawn law meets the moved law on the runs."""
    target = _mean_log_loss(found.law, rows)
    at, step = np.log(found.scale), 1e-4
    start = at
    for _ in range(_LEVELS):
        here = _mean_log_loss(moved(base, at, np.log(found.gap)), rows) - target
        there = _mean_log_loss(moved(base, at + step, np.log(found.gap)), rows) - target
        at -= here * step / (there - here)
    return float(at - start)


def _mean_log_loss(law: LossLaw, rows: Rows) -> float:
    sizes = rows.log_params, rows.log_tokens
    if isinstance(law, DistillationLaw):
        return float(np.log(law.loss_at_logs(*sizes, rows.log_teacher_loss)).mean())
    return float(np.log(law.loss_at_logs(*sizes)).mean())


def _stacked(laws: list[LossLaw]) -> Any:
    """Many laws as one whose coefficients are arrays."""
    first = laws[0]
    columns: dict[str, Any] = {
        name: np.array([getattr(one, name) for one in laws])
        for name in first._fields
        if name != "supervised"
    }
    if isinstance(first, DistillationLaw):
        alone = [one.supervised for one in laws if isinstance(one, DistillationLaw)]
        return DistillationLaw(_stacked(list(alone)), **columns)
    return SupervisedLaw(**columns)
