"""A fit in the form of a published law, with where each of its sides comes from."""

from typing import TYPE_CHECKING, Final

import numpy as np

from distillplan.fitting.fitter import FitResult
from distillplan.fitting.identifiability import FLOOR
from distillplan.fitting.rows import predicted_log_loss
from distillplan.laws.draws import columns_of_law
from distillplan.laws.formulas import DistillationLaw, FloatArray, LossLaw
from distillplan.laws.provenance import (
    Coefficient,
    DrawsFile,
    Origin,
    PublishedLaw,
    SideSource,
    primed,
)
from distillplan.notices import Notice

if TYPE_CHECKING:
    from distillplan.fitting.fit_records import FitRequest

_NO_RESAMPLES: Final = "no resamples were made"
_MOVED: Final = "no run of yours is distilled: the gains are the published ones, in your units"
_NOT_FITTED: Final = "not fitted: your runs are all distilled"


def law_of_fit(
    request: "FitRequest",
    fitted: FitResult,
    law: LossLaw,
    ends: dict[str, Coefficient],
    accuracy: tuple[str, ...],
    warnings: tuple[Notice, ...],
) -> PublishedLaw:
    """The fit with its provenance, ready for a file.

    Args:
        request: what was asked.
        fitted: the fit, of the runs that were not left out.
        law: the fitted law, with a lent distillation side where there is one.
        ends: its letters with their intervals, by column; empty without resamples.
        accuracy: sentences on how well it predicts.
        warnings: what the runs cannot tell.
    """
    rows = fitted.rows
    taught = int(rows.distilled.sum())
    alone_from, taught_from = _sides(request, len(rows) - taught, taught)
    unfitted = {
        False: _NOT_FITTED if alone_from.origin is not Origin.OWN_RUNS else None,
        True: _MOVED if taught_from.origin is not Origin.OWN_RUNS else None,
    }
    named = f"of the runs in {request.runs.source}"
    both = isinstance(law, DistillationLaw)
    kinds = " and ".join(
        f"{count} {kind}"
        for count, kind in ((len(rows) - taught, "supervised"), (taught, "distilled"))
        if count
    )
    return PublishedLaw(
        name=f"fit of {request.runs.source}",
        title=f"Fit of {kinds} {'run' if len(rows) == 1 else 'runs'}",
        supervised=law.supervised if isinstance(law, DistillationLaw) else law,
        distillation=law if isinstance(law, DistillationLaw) else None,
        counts=request.counts,
        loss_unit="nats per token",
        corpus=named,
        tokenizer=named,
        source=_source(request, len(rows)),
        valid=_ranges(request, fitted, law),
        coefficients=_coefficients(law, ends, unfitted),
        accuracy=accuracy,
        notes=(f"{FLOOR}.",),
        draws_file=DrawsFile(path="", sigma_run=0.0) if ends else None,
        supervised_from=alone_from,
        distillation_from=taught_from if both else None,
        warnings=warnings,
        measured_in=request.runs.unit,
        bytes_per_token=request.runs.bytes_per_token,
    )


def _sides(request: "FitRequest", plain: int, taught: int) -> tuple[SideSource, SideSource]:
    """Where the supervised side and the distillation side come from."""
    like = request.like.name
    alone = SideSource(origin=Origin.OWN_RUNS, law=like, runs=plain)
    if request.supervised is not None:
        own = request.supervised.is_own
        before = request.supervised.supervised_from
        alone = SideSource(
            origin=Origin.OWN_RUNS if own else Origin.PUBLISHED,
            law=request.supervised.name,
            runs=before.runs if own and before is not None else 0,
        )
    origin = Origin.OWN_RUNS if taught else Origin.MOVED
    return alone, SideSource(origin=origin, law=like, runs=taught)


def _source(request: "FitRequest", runs: int) -> str:
    count = "1 run" if runs == 1 else f"{runs} runs"
    text = (
        f"{request.runs.source}, {count}, fitted by distillplan, like {request.like.name} "
        f"({request.like.source})"
    )
    if request.supervised is not None:
        text += f"; students without a teacher: {request.supervised.name}"
    return text


def _ranges(
    request: "FitRequest", fitted: FitResult, law: LossLaw
) -> dict[str, tuple[float, float]]:
    """The range of each input: of the runs, or of the law that a side comes from."""
    rows = fitted.rows
    found: dict[str, tuple[float, float]] = {}
    taught = rows.distilled
    if not taught.all():
        plain = rows.take(~taught)
        found |= {"params": _ends(plain.log_params), "tokens": _ends(plain.log_tokens)}
    elif request.supervised is not None:
        valid = request.supervised.valid
        found |= {name: valid[name] for name in ("params", "tokens") if name in valid}
    if taught.any() and rows.log_teacher_loss is not None:
        own = rows.take(taught)
        found["student_params"] = _ends(own.log_params)
        found["student_tokens"] = _ends(own.log_tokens)
        found["teacher_loss"] = _ends(rows.log_teacher_loss[taught])
    elif isinstance(law, DistillationLaw):
        valid = request.like.valid
        names = ("student_params", "student_tokens", "teacher_loss")
        found |= {name: valid[name] for name in names if name in valid}
        if "teacher_loss" in found:
            low, high = found["teacher_loss"]
            level = level_of(fitted, request.like)
            found["teacher_loss"] = (low * level, high * level)
    return found


def _ends(logs: FloatArray) -> tuple[float, float]:
    low, high = np.exp([logs.min(), logs.max()]).tolist()
    return low, high


def level_of(fitted: FitResult, like: PublishedLaw) -> float:
    """Median loss of the runs over that of a published law at the same sizes.

    Of runs without a teacher where there are any: the loss of a teacher has the level in it too.
    """
    rows, alone = fitted.rows, ~fitted.rows.distilled
    rows = rows.take(alone) if alone.any() else rows
    published = predicted_log_loss(like.distillation or like.supervised, rows)
    return float(np.exp(np.median(rows.log_loss - published)))


def _coefficients(
    law: LossLaw, ends: dict[str, Coefficient], unfitted: dict[bool, str | None]
) -> dict[str, Coefficient]:
    """The letters of a law, with their intervals or the reason why they have none."""
    found = {}
    both = isinstance(law, DistillationLaw)
    for column, value in columns_of_law(law).items():
        side, _, letter = column.rpartition(".")
        distilled = both and not side
        if letter == "gamma" and not distilled and value == 1:
            continue
        one = ends.get(column) or Coefficient(value=float(value), no_interval=_NO_RESAMPLES)
        if unfitted[distilled] is not None:
            one = Coefficient(value=float(value), no_interval=unfitted[distilled])
        found[primed(letter) if distilled else letter] = one
    return found
