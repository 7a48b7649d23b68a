"""A law at one point: no budget, no search but for the best teacher."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np

from distillplan.accounting import TRAINING_PASSES, Accounting
from distillplan.errors import InfeasibleError, InputError, Word
from distillplan.fields import Real, demand_finite, finite, not_positive, number
from distillplan.laws import law_catalog
from distillplan.laws.formulas import DistillationLaw, FloatArray
from distillplan.laws.law_catalog import DEFAULT_LAW, LawName
from distillplan.laws.loss_units import LossUnit, from_nats_per_token
from distillplan.laws.provenance import PublishedLaw
from distillplan.models.architecture import FixedAspect
from distillplan.models.known_model import KnownModel, NamedModels, model_params, sized
from distillplan.named_tuples import NamedTuple
from distillplan.notices import Notice, warning
from distillplan.optimize.problems import Bounds
from distillplan.planning import evaluate
from distillplan.planning.bands import gain_band, loss_band
from distillplan.planning.evaluate import cells
from distillplan.planning.model_warnings import mixture_warning, named_warnings
from distillplan.planning.options import TEN_PERCENT_MORE
from distillplan.planning.results import Band
from distillplan.planning.scenario import Scenario
from distillplan.planning.teacher import Teacher, check_teacher_loss, loss_by, teacher_named
from distillplan.planning.validity import prediction_warnings
from distillplan.planning.verdict import (
    Trained,
    error_of_gain,
    guessing,
    outside_loss,
    transfer_of,
    weigh,
)
from distillplan.units.quantities import format_count

FAR_OUTSIDE = warning(
    "far_outside_fit",
    "outside the runs behind the law, its error grows by more than the gain here, or there is "
    "less than a token per parameter: a plan has no verdict",
)

_ALIKE: Final = 1e-6
"""Nats between a loss and the same one found by the search."""


class LossesAsMeasured(NamedTuple):
    """The losses of a prediction in the unit of the runs behind a fitted law."""

    unit: LossUnit
    supervised_loss: float
    distilled_loss: float | None
    supervised_loss_band: Band | None
    distilled_loss_band: Band | None


class Prediction(NamedTuple):
    """A law's losses at one point."""

    student_params: float
    """Parameters as the law counts them."""
    student_tokens: float
    """Training tokens."""
    teacher_loss: float | None
    """Nats per token; None where only the supervised loss was asked for, as is what follows."""
    distilled_loss: float | None
    """Nats per token; None too where the law knows no distillation."""
    supervised_loss: float
    """Nats per token."""
    gain_nats: float | None
    """Supervised minus distilled loss, nats per token."""
    supervised_equivalent_tokens: float | None
    """Tokens at which the student reaches the distilled loss supervised; None if it never does."""
    best_teacher_loss: float | None
    """Loss of the teacher that is best for this student and these tokens, nats per token. None too
    where the given one is better than all within the bounds of the search, as is what follows."""
    loss_with_best_teacher: float | None
    """The student's loss with that teacher, nats per token."""
    by_10_percent: dict[str, float]
    """Change in loss, nats per token, from 10% more of each input."""
    distilled_loss_band: Band | None
    """90% band of the loss. Bands are None where the law comes without joint draws."""
    supervised_loss_band: Band | None
    gain_band: Band | None
    """90% band of the gain, on other data than the law's unless its runs are one's own."""
    as_measured: LossesAsMeasured | None
    """The losses once more, in the unit of the runs behind the law; None where that is nats."""
    warnings: tuple[Notice, ...]
    law: PublishedLaw

    @property
    def warning_codes(self) -> tuple[str, ...]:
        """The codes of the warnings."""
        return tuple(one.code for one in self.warnings)


def _demand_positive(point: dict[str, float]) -> None:
    for name, value in point.items():
        if (error := not_positive(value, Word(name))) is not None:
            raise error


def predict(
    law: LawName = DEFAULT_LAW,
    *,
    student_params: Real | str | KnownModel,
    student_tokens: Real,
    teacher_loss: Real | None = None,
    teacher: Teacher | str | None = None,
) -> Prediction:
    """A law's losses at one point, and what their difference is worth in tokens.

    Args:
        law: its name or file, or itself; without a distillation side it gives the loss of
            pretraining, and of the teacher.
        student_params: parameters as the law counts them, or a model or its name, such as
            ``qwen3-0.6b``.
        student_tokens: training tokens of the student.
        teacher_loss: nats per token; None for that of the teacher, or the supervised loss only.
        teacher: its sizes, from which the law gives its loss, its loss, or a model.

    Raises:
        InputError: when a size is not positive, a model is unknown, or the law cannot place the
            teacher.
        InfeasibleError: where the law gives a loss that guessing would beat.

    >>> round(predict(student_params=1e9, student_tokens=2e10).supervised_loss, 2)
    2.37
    """
    law = law_catalog.law(law)
    student, student_params = _student(student_params, law)
    given = {"student_params": student_params, "student_tokens": student_tokens}
    point = {name: number(value, Word(name)) for name, value in given.items()}
    _demand_positive(point)
    teacher = _teacher(teacher, teacher_loss)
    taught_by = None if teacher is None else _placed(teacher, law)
    equivalent = best = best_loss = None
    if taught_by is not None and law.distillation is not None:
        point["teacher_loss"] = taught_by
        at = at_point(law, point["student_params"], point["student_tokens"])
        equivalent = finite(evaluate.law_of(at).supervised_equivalent_tokens(*point.values()))
        optimum = evaluate.distilled(at, cells(at, at.pays))
        best, best_loss = _one(optimum.teacher_loss, 0), _one(optimum.loss, 0)
    alone, distilled = _losses(law, point)
    refuse_nonsense(Scenario(compute=1.0, law=law), point, max(alone, distilled or 0.0))
    bands = _bands(law, point, teacher)
    warnings = prediction_warnings(law, **point)
    if (best_loss or 0.0) > (distilled or math.inf) + _ALIKE:
        best = best_loss = None  # the search is bounded, and the given teacher is beyond it
    models = NamedModels(student=student, teacher=None if teacher is None else teacher.model)
    warnings = (*named_warnings(models), *mixture_warning(law, teacher), *warnings)
    if distilled is not None and _cannot_tell(law, point, alone, distilled):
        warnings = (FAR_OUTSIDE, *warnings)
    found = Prediction(
        student_params=point["student_params"],
        student_tokens=point["student_tokens"],
        teacher_loss=taught_by,
        distilled_loss=distilled,
        supervised_loss=alone,
        gain_nats=None if distilled is None else alone - distilled,
        supervised_equivalent_tokens=equivalent,
        best_teacher_loss=best,
        loss_with_best_teacher=best_loss,
        by_10_percent=_by_10_percent(law, point),
        distilled_loss_band=bands.distilled,
        supervised_loss_band=bands.supervised,
        gain_band=bands.gain,
        as_measured=None,
        warnings=warnings,
        law=law,
    )
    found = found._replace(as_measured=_as_measured(found))
    demand_finite(found)
    return found


def _student(given: Any, law: PublishedLaw) -> tuple[KnownModel | None, float]:
    """The student, where it was named, and its parameters as the law counts them."""
    if isinstance(given, str):
        asked = sized(given, "student", tokens=False)
        given = asked.params if asked.model is None else asked.model
    if not isinstance(given, KnownModel):
        return None, given
    return given, model_params(given, law.counts)


def _teacher(given: Teacher | str | None, loss: Real | None) -> Teacher | None:
    """The teacher of a record, a word or a loss, which counts where it is given; None: none."""
    if given is None:
        return None if loss is None else Teacher(loss=loss)
    found = teacher_named(given, loss) if isinstance(given, str) else given
    if not isinstance(found, Teacher):
        raise InputError(Word("teacher"), f": expected Teacher, got {given!r:.40}")
    return found if loss is None else replace(found, loss=loss)


def _placed(teacher: Teacher, law: PublishedLaw) -> float:
    """The loss of a teacher, on the scale of the law.

    Raises:
        InputError: when it was measured, and is none that the law can place.
    """
    loss = float(loss_by(teacher, law.supervised))
    measured = teacher.loss is not None  # what a law gives is judged with the student's
    check_teacher_loss(law, loss, FixedAspect().vocab if measured else math.inf)
    return loss


def _as_measured(found: Prediction) -> LossesAsMeasured | None:
    unit, size = found.law.measured_in, found.law.bytes_per_token
    if unit is LossUnit.NATS:
        return None

    def told(nats: float) -> float:
        return from_nats_per_token(nats, unit, bytes_per_token=size)

    def band_of(ends: Band | None) -> Band | None:
        if ends is None:
            return None
        low, high = ends
        return told(low), told(high)

    return LossesAsMeasured(
        unit=unit,
        supervised_loss=told(found.supervised_loss),
        distilled_loss=None if found.distilled_loss is None else told(found.distilled_loss),
        supervised_loss_band=band_of(found.supervised_loss_band),
        distilled_loss_band=band_of(found.distilled_loss_band),
    )


def refuse_nonsense(scenario: Scenario, point: Mapping[str, float], loss: float) -> None:
    """Refuse a point at which the law does not hold.

    Args:
        scenario: for its law and vocabulary.
        point: student_params and student_tokens.
        loss: nats per token there.

    Raises:
        InfeasibleError: where guessing would beat it.
    """
    most = guessing(scenario)
    if loss >= most:
        params, tokens = point["student_params"], point["student_tokens"]
        raise InfeasibleError(
            f"{scenario.law.name} does not hold for {format_count(params)} parameters on "
            f"{format_count(tokens)} tokens: it gives {loss:.3g} nats, and guessing gives "
            f"{most:.3g}"
        )


def _cannot_tell(
    law: PublishedLaw, point: Mapping[str, float], alone: float, distilled: float
) -> bool:
    """Whether a plan at this point would have no verdict."""
    sizes = {"params": point["student_params"], "tokens": point["student_tokens"]}
    each = {name: np.array([value]) for name, value in sizes.items()}
    weighed = weigh(
        Scenario(compute=1.0, law=law),
        Trained(loss=np.array([alone]), **each),
        Trained(loss=np.array([distilled]), teacher_loss=np.array([point["teacher_loss"]]), **each),
    )
    return bool(np.isnan(weighed.side[0]))


def _losses(law: PublishedLaw, point: Mapping[str, float]) -> tuple[float, float | None]:
    """Supervised and distilled loss; the second is None without a teacher."""
    sizes = point["student_params"], point["student_tokens"]
    alone = law.supervised.loss(*sizes)
    if law.distillation is None or "teacher_loss" not in point:
        return alone, None
    return alone, law.distillation.loss(*sizes, point["teacher_loss"])


def _by_10_percent(law: PublishedLaw, point: Mapping[str, float]) -> dict[str, float]:
    """Change of the distilled loss, or of the supervised one without a teacher, by input.

    The finite change: near the best teacher the slope says nothing.
    """

    def shown(at: Mapping[str, float]) -> float:
        alone, distilled = _losses(law, at)
        return alone if distilled is None else distilled

    here = shown(point)
    return {
        name: shown({**point, name: value * TEN_PERCENT_MORE}) - here
        for name, value in point.items()
    }


class _Bands(NamedTuple):
    distilled: Band | None = None
    supervised: Band | None = None
    gain: Band | None = None


def _bands(law: PublishedLaw, point: Mapping[str, float], teacher: Teacher | None) -> _Bands:
    """The same losses under every drawn law."""
    draws = law_catalog.draws(law)
    if draws is None:
        return _Bands()
    sizes = np.array(point["student_params"]), np.array(point["student_tokens"])
    drawn = draws.supervised.loss(*sizes)
    error = float(outside_loss(law, *sizes))
    alone, distilled = _losses(law, point)
    at = Scenario(compute=1.0, law=law)
    supervised = loss_band(at, drawn, alone, error)
    if distilled is None or teacher is None or not isinstance(draws.law, DistillationLaw):
        return _Bands(supervised=supervised)
    taught = draws.law.loss(*sizes, np.asarray(loss_by(teacher, draws.supervised)))
    outside = float(outside_loss(law, *sizes, point["teacher_loss"]))
    whole = math.hypot(transfer_of(law).scale, error_of_gain(law, point, alone - distilled))
    return _Bands(
        supervised=supervised,
        distilled=loss_band(at, taught, distilled, outside),
        gain=gain_band(at, alone, drawn - taught, alone - distilled, whole),
    )


def at_point(
    law: PublishedLaw, params: float, tokens: float, bounds: Bounds | None = None
) -> Scenario:
    """The scenario whose budget pays for these tokens exactly and whose teacher is free.

    Args:
        law: with a distillation side.
        params: parameters of the student, as the law counts them.
        tokens: training tokens of the student.
        bounds: of the teacher's sizes; None for the usual ones.
    """
    at = Scenario(compute=1.0, law=law, accounting=Accounting.FREE)
    return Scenario(
        compute=TRAINING_PASSES * at.family.forward_flops(params) * tokens,
        law=law,
        student_params=params,
        accounting=Accounting.FREE,
        bounds=replace(bounds or Bounds(), student_tokens=(tokens / 2, tokens * 2)),
    )


def _one(values: FloatArray | None, row: int) -> float | None:
    return None if values is None else float(values[row])
