"""What some runs cannot tell, whatever is fitted to them: coded warnings."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from distillplan.fitting.fitter import FitResult
from distillplan.fitting.joint_form import DISTILLED
from distillplan.fitting.rows import Rows
from distillplan.laws.formulas import FloatArray
from distillplan.notices import Notice, warning

_FEW: Final = 3
"""Runs per coefficient below which most of a law is what was believed beforehand."""
_APART: Final = 0.15
"""Standard deviation, in e-folds, of size and tokens across the line along which they move
together: 15% is what rounding of sizes and lengths makes."""
_SURE: Final = 3.0
"""Standard errors by which a slope must have the wrong sign."""
_EXPLAINED: Final = 0.5
"""Share of the variance of losses that any law should explain."""
_FEWEST: Final = 5
"""Runs below which no slope is judged."""


def run_warnings(fitted: FitResult, like: str) -> tuple[Notice, ...]:
    """What the runs of a fit cannot tell.

    Args:
        fitted: the fit.
        like: name of the law that fills in.
    """
    rows, taught = fitted.rows, fitted.rows.distilled
    distilled = len(set(fitted.form.names) & set(DISTILLED))
    sides = [
        (f"{kind} run" if taught.any() else "run", rows.take(which), coefficients)
        for kind, which, coefficients in (
            ("supervised", ~taught, len(fitted.form.names) - distilled),
            ("distilled", taught, distilled),
        )
        if which.any()
    ]
    few = [
        f"{len(own)} {run}{'s' * (len(own) > 1)} for {coefficients} coefficients"
        for run, own, coefficients in sides
        if len(own) < _FEW * coefficients
    ]
    found = []
    if few:
        found.append(
            warning(
                "few_runs",
                f"{' and '.join(few)}: what they leave open is taken from {like}, as loosely as "
                "laboratories differ",
            )
        )
    for run, own, _ in sides:
        found += list(_of_one_kind(own, f"{run}s"))
    return tuple(found)


def _of_one_kind(rows: Rows, what: str) -> Iterator[Notice]:
    sizes, lengths = (_distinct(one) for one in (rows.log_params, rows.log_tokens))
    if len(rows) > 1 and sizes == 1:
        yield warning("one_size", f"your {what} have one size: they cannot tell what size does")
    if len(rows) > 1 and lengths == 1:
        yield warning(
            "one_length", f"your {what} have one token count: they cannot tell what tokens do"
        )
    if sizes > 1 and lengths > 1 and _move_together(rows):
        yield warning(
            "size_and_tokens_together",
            f"size and tokens never vary apart in your {what}: they cannot tell one from the "
            "other, so a plan with another ratio of tokens to parameters is hardly known",
        )
    if len(rows) > 1 and rows.one_teacher:
        yield warning(
            "one_teacher",
            f"your {what} have one teacher loss: they cannot tell what a better or worse teacher "
            "does",
        )
    yield from _wrong_losses(rows, what)


def _distinct(values: FloatArray) -> int:
    return int(np.unique(np.round(values, 3)).size)


def _move_together(rows: Rows) -> bool:
    """Whether size and tokens lie on a line: all at 20 tokens per parameter, or one profile."""
    both = np.column_stack([rows.log_params, rows.log_tokens])
    across = np.linalg.svd(both - both.mean(axis=0), compute_uv=False)[-1]
    return bool(across / np.sqrt(len(rows)) < _APART)


def _wrong_losses(rows: Rows, what: str) -> Iterator[Notice]:
    """Losses that no law of this kind can describe."""
    if len(rows) < _FEWEST:
        return
    varied = _varied(rows)
    if not varied or len(rows) < len(varied) + 3:
        return
    design = np.column_stack([*varied.values()])
    losses = rows.log_loss - rows.log_loss.mean()
    slopes = np.linalg.lstsq(design, losses, rcond=None)[0]
    left = losses - design @ slopes
    variance = float(left @ left) / (len(rows) - design.shape[1] - 1)
    errors = np.sqrt(np.maximum(variance * np.diag(np.linalg.pinv(design.T @ design)), 1e-300))
    for name, slope, error in zip(varied, slopes, errors, strict=True):
        if name != "teacher loss" and slope > _SURE * error:
            yield warning(
                f"loss_rises_with_{name}",
                f"the losses of your {what} rise with {name}, which no scaling law allows: check "
                "the columns and the learning rates",
            )
    explained = 1 - float(left @ left) / max(float(losses @ losses), 1e-300)
    if explained < _EXPLAINED and float(losses.std()) > _APART / 20:
        yield warning(
            "losses_follow_nothing",
            f"size and tokens explain {max(explained, 0.0):.0%} of how the losses of your {what} "
            "differ: the rest is noise, and no law of them can be trusted",
        )


def _varied(rows: Rows) -> dict[str, FloatArray]:
    """What differs between the runs, around its mean; tokens only where they vary apart."""
    columns = {"size": rows.log_params, "tokens": rows.log_tokens}
    if rows.distilled.all() and rows.log_teacher_loss is not None:
        columns["teacher loss"] = rows.log_teacher_loss
    varied = {name: one - one.mean() for name, one in columns.items() if one.std() > _APART / 5}
    if "size" in varied and "tokens" in varied and _move_together(rows):
        del varied["tokens"]
    return varied
