"""A fitted law beside the runs that it was fitted on."""

import numpy as np

from distillplan.accounting import FLOPS_PER_PARAM_AND_TOKEN
from distillplan.errors import InputError
from distillplan.fitting.rows import Rows, predicted_log_loss
from distillplan.laws.law_runs import read_runs_of_law
from distillplan.laws.provenance import PublishedLaw
from distillplan.named_tuples import NamedTuple
from distillplan.notices import Notice


class FittedRun(NamedTuple):
    """One run of a fit."""

    params: float
    """As the law counts them."""
    tokens: float
    training_flops: float
    """6ND, of the student alone."""
    teacher_loss: float | None
    """Nats per token; None for a run without a teacher."""
    loss: float
    """As it was measured, nats per token."""
    fitted_loss: float
    """Of the law at these sizes, nats per token."""
    residual: float
    """Measured over fitted loss, less 1: positive where the run is worse than the law says."""


class FittedRuns(NamedTuple):
    """The runs of a fit, each beside its law; the supervised ones first."""

    points: tuple[FittedRun, ...]
    noise: float
    """Standard deviation of the log loss of the runs around the law."""
    law: PublishedLaw
    warnings: tuple[Notice, ...] = ()
    """What the runs cannot tell."""


def fitted_runs(law: PublishedLaw) -> FittedRuns:
    """The runs that a law was fitted on.

    Raises:
        InputError: for a law whose file does not hold them.
    """
    if law.runs is None:
        if law.file is None:
            raise InputError(
                f"law: {law.name} has no runs beside it; give the file of a law that was fitted "
                "with: distillplan fit RUNS -o mine.yaml"
            )
        raise InputError(
            f"{law.file}: it does not hold the runs that it was fitted on, as files of earlier "
            f"versions do not; fit it again: distillplan fit RUNS -o {law.file}"
        )
    runs = read_runs_of_law(law.runs, law.name, distills=law.distillation is not None)
    teacher = np.log(runs.teacher_loss)
    rows = Rows(
        log_params=np.log(runs.params),
        log_tokens=np.log(runs.tokens),
        log_loss=np.log(runs.loss),
        log_teacher_loss=None if np.isnan(teacher).all() else teacher,
    )
    fitted = np.exp(predicted_log_loss(law.distillation or law.supervised, rows)).tolist()
    points = [
        FittedRun(
            params=params,
            tokens=tokens,
            training_flops=FLOPS_PER_PARAM_AND_TOKEN * params * tokens,
            teacher_loss=None if np.isnan(taught) else taught,
            loss=loss,
            fitted_loss=said,
            residual=loss / said - 1,
        )
        for (params, tokens, loss, taught), said in zip(
            np.column_stack(runs).tolist(), fitted, strict=True
        )
    ]
    points.sort(key=lambda one: one.teacher_loss is not None)
    return FittedRuns(points=tuple(points), noise=law.runs.noise, law=law, warnings=law.warnings)
