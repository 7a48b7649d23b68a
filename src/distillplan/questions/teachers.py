"""Which open model should teach: each of the catalog in one question, the best first."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum

from distillplan.accounting import Accounting, Logits
from distillplan.errors import InfeasibleError, InputError, Word
from distillplan.laws.provenance import PublishedLaw
from distillplan.models.known_model import (
    KnownModel,
    model_of_catalog,
    model_params,
)
from distillplan.models.model_catalog import CatalogModel
from distillplan.models.model_licenses import Distilling
from distillplan.models.tokenizers import other_tokenizer
from distillplan.named_tuples import NamedTuple
from distillplan.notices import Notice
from distillplan.planning.model_warnings import named_warnings
from distillplan.planning.open_teacher import family_taught_by, is_student
from distillplan.planning.planner import plan
from distillplan.planning.possible import possible
from distillplan.planning.results import Option
from distillplan.planning.scenario import Scenario
from distillplan.planning.teacher import Teacher, check_teacher_loss, demand_distillation
from distillplan.planning.verdict_records import Odds, Verdict
from distillplan.questions.sweep import Cell, sweep

FEW_NAMES = 3
"""Models that a sentence names."""
SAME_NATS = 0.0005
"""Losses closer than this are one number on a screen."""


class LeftOut(StrEnum):
    """Why a model cannot teach here."""

    OTHER_TOKENIZER = "other_tokenizer"
    """Its tokenizer is not the one that was asked for."""
    TOKENS_NOT_STATED = "tokens_not_stated"
    """Nobody says how long it was trained, so no law can place it; its loss was not measured."""
    UNUSABLE_LOSS = "unusable_loss"
    """The law cannot place a teacher of this loss."""
    OVER_BUDGET = "over_budget"
    """The budget does not pay for its passes."""
    DOES_NOT_FIT = "does_not_fit"
    """It does not fit into the machine beside the student, or passes a limit."""
    BEYOND_THE_LAW = "beyond_the_law"
    """So far from any run behind the law that nothing can be said."""
    LICENSE = "license"
    """Its license forbids training on its outputs."""


class OpenTeacher(NamedTuple):
    """One open model as the teacher."""

    model: KnownModel
    distilling: Distilling
    """Whether its license lets its outputs train other models."""
    left_out: LeftOut | None
    """None where it can teach."""
    loss: float | None
    """The teacher's loss that was reckoned with, nats per token."""
    law_loss: float | None
    """What the law gives a model of its size and tokens, where its loss was measured as well."""
    measured: bool
    """Whether the loss was measured."""
    verdict: Verdict | None = None
    odds: Odds | None = None
    """Of each verdict, beside training from data alone."""
    gain_nats: float | None = None
    """Over training from data alone with its vocabulary, nats per token of its tokenizer."""
    pretrained_loss: float | None = None
    """Of that training, nats per token of its tokenizer; None: it was not asked, or no student can
    be trained."""
    distilled: Option | None = None
    """The student that it teaches."""


class Teachers(NamedTuple):
    """The open models that may teach, the best first, then those that cannot."""

    headline: str
    supervised: Option
    """Training from data alone, with the vocabulary of the first teacher."""
    teachers: tuple[OpenTeacher, ...]
    law: PublishedLaw
    scenario: Scenario
    warnings: tuple[Notice, ...]
    """What to know of how the student was read."""

    @property
    def usable(self) -> tuple[OpenTeacher, ...]:
        """Those that can teach."""
        return tuple(one for one in self.teachers if one.left_out is None)

    @property
    def pretrained_loss(self) -> float | None:
        """Loss of training from data alone, where it is the same with the vocabulary of each."""
        return _common(self.usable)


def teachers(
    scenario: Scenario,
    models: Sequence[CatalogModel],
    *,
    losses: Mapping[str, float] | None = None,
    tokenizer: str | None = None,
) -> Teachers:
    """Open models as teachers of this student, ranked by their odds and gain.

    Args:
        scenario: the question, without a teacher.
        models: that may teach.
        losses: measured losses on the student's text by name, nats per token of the law.
        tokenizer: leave models with other tokenizers out; None: that of the named student.

    Raises:
        InputError: when a teacher is given, or the law has no distillation.
        InfeasibleError: when the budget cannot train a student, or no model can teach.
    """
    if scenario.teacher is not None:
        raise InputError(Word("teacher"), ": leave it out, as every open model is tried")
    demand_distillation(scenario.law)
    asked, found = _asked(scenario, models, losses or {}, tokenizer)
    if not asked:
        raise InfeasibleError(_nobody(found))
    cells = list(sweep(iter(asked), odds=True))
    found += [_ranked(taught, cell) for (_, taught), cell in zip(asked, cells, strict=True)]
    ranked = sorted(found, key=_rank)
    usable = [one for one in ranked if one.left_out is None]
    first = usable[0].model.name if usable else cells[0].at["model"].name
    alone = next(cell.supervised for cell in cells if cell.at["model"].name == first)
    if alone.loss is None:
        plan(scenario, quick=True)  # which says what a student costs
    return Teachers(
        headline=_headline(usable),
        supervised=alone,
        teachers=tuple(ranked),
        law=scenario.law,
        scenario=scenario,
        warnings=tuple(named_warnings(scenario.models)),
    )


def _nobody(left_out: Sequence[OpenTeacher]) -> str:
    """Why nobody can teach: the reason that is mended most easily, and how."""
    untold, forbidden = (
        sorted((one.model for one in left_out if one.left_out is why), key=_by_size)
        for why in (LeftOut.TOKENS_NOT_STATED, LeftOut.LICENSE)
    )
    if names := [one.name for one in untold]:
        return (
            f"teachers: training tokens of {_named(names)} are not in the catalog, and no other "
            "open model is left; measure the loss of one on your text and add --losses FILE"
        )
    if forbidden:
        return (
            f"teachers: the license of {_named([one.name for one in forbidden])} forbids training "
            "on outputs, and no other open model is left; ask for another tokenizer"
        )
    return "teachers: no open model is left; ask for another tokenizer or license"


def _by_size(model: KnownModel) -> float:
    """What sorts the largest model to the front."""
    return -model.all_params


def _named(names: Sequence[str]) -> str:
    """A few names, and the number of the others."""
    more = len(names) - FEW_NAMES
    return ", ".join(names[:FEW_NAMES]) + (f" and {more} more" if more > 0 else "")


def _asked(
    scenario: Scenario,
    models: Sequence[CatalogModel],
    losses: Mapping[str, float],
    tokenizer: str | None,
) -> tuple[list[tuple[Mapping[str, CatalogModel], Scenario]], list[OpenTeacher]]:
    """The models that may teach, each with its question, and those that are left out unasked."""
    asked: list[tuple[Mapping[str, CatalogModel], Scenario]] = []
    left_out = []
    for one in models:
        if one.hub is None or is_student(scenario, one.name):  # which nobody can have, or needs
            continue
        loss = losses.get(one.name)
        taught = _taught(scenario, one, loss, tokenizer)
        if isinstance(taught, LeftOut):
            left_out.append(_without(scenario, one, loss, taught))
        else:
            asked.append(({"model": one}, taught))
    return asked, left_out


def _taught(
    scenario: Scenario, found: CatalogModel, loss: float | None, tokenizer: str | None
) -> Scenario | LeftOut:
    """The question with a model as the teacher, or why it cannot be asked."""
    model = model_of_catalog(found)
    if tokenizer is None and other_tokenizer(scenario.models.reads_like, model):
        return LeftOut.OTHER_TOKENIZER
    if tokenizer is not None and model.tokenizer != tokenizer:
        return LeftOut.OTHER_TOKENIZER
    if found.license.distilling is Distilling.FORBIDDEN:
        return LeftOut.LICENSE
    if loss is None and model.trained_tokens is None:
        return LeftOut.TOKENS_NOT_STATED
    teacher = Teacher(
        params=model_params(model, scenario.law.counts),
        tokens=model.trained_tokens,
        loss=loss,
        model=model,
    )
    family = family_taught_by(scenario, model)
    if loss is not None:
        try:
            check_teacher_loss(scenario.law, loss, family.vocab)
        except InputError:
            return LeftOut.UNUSABLE_LOSS
    paid = Accounting.FREE if scenario.logits is Logits.CACHED else scenario.accounting
    return replace(scenario, teacher=teacher, architecture=family, accounting=paid)


def _without(
    scenario: Scenario, found: CatalogModel, loss: float | None, why: LeftOut
) -> OpenTeacher:
    model = model_of_catalog(found)
    return OpenTeacher(
        model=model,
        distilling=found.license.distilling,
        left_out=why,
        loss=loss,
        law_loss=_law_loss(scenario, model),
        measured=loss is not None,
    )


def _ranked(taught: Scenario, cell: Cell) -> OpenTeacher:
    found: CatalogModel = cell.at["model"]
    option, given = cell.deciding, taught.teacher
    model = model_of_catalog(found)
    why = None
    if option is None or option.student_tokens is None:
        why = LeftOut.OVER_BUDGET
    elif not possible(taught, option):
        why = LeftOut.DOES_NOT_FIT if option.loss is not None else LeftOut.BEYOND_THE_LAW
    elif cell.odds is None:
        why = LeftOut.BEYOND_THE_LAW
    measured = given is not None and given.loss is not None
    return OpenTeacher(
        model=model,
        distilling=found.license.distilling,
        left_out=why,
        loss=taught.teacher_loss,
        law_loss=_law_loss(taught, model),
        measured=measured,
        verdict=cell.verdict,
        odds=cell.odds,
        gain_nats=cell.margin_nats,
        pretrained_loss=cell.supervised.loss,
        distilled=option,
    )


def _law_loss(scenario: Scenario, model: KnownModel) -> float | None:
    if model.trained_tokens is None:
        return None
    return scenario.law.supervised.loss(model.law_params, model.trained_tokens)


def _rank(one: OpenTeacher) -> tuple[bool, bool, float, float, str]:
    """Measured ones before guesses, then by odds and gain; last who cannot teach, by name."""
    if one.left_out is not None:
        return (True, False, 0.0, 0.0, one.model.name)
    odds = -1.0 if one.odds is None else one.odds.distill
    return (False, not one.measured, -odds, -(one.gain_nats or -math.inf), one.model.name)


def _common(usable: Sequence[OpenTeacher]) -> float | None:
    """The loss of training from data alone; None where it depends on the teacher's vocabulary."""
    found = [one.pretrained_loss for one in usable if one.pretrained_loss is not None]
    return found[0] if found and max(found) - min(found) < SAME_NATS else None


def _headline(usable: Sequence[OpenTeacher]) -> str:
    """The best of them in a sentence."""
    if not usable:
        return "No open model can teach here."
    best = usable[0]
    gain = 0.0 if best.gain_nats is None else best.gain_nats
    if best.verdict is Verdict.DISTILL:
        alike = _common(usable) is not None
        alone = "training from data alone" if alike else "pretraining with its tokenizer"
        return f"Let {best.model.name} teach: {gain:.3f} nats better than {alone}."
    if best.verdict is Verdict.TIE:
        return f"Nothing clearly beats training from data alone; {best.model.name} comes nearest."
    which = f"teacher{' measured' * best.measured}"
    return f"Train from data alone: even {best.model.name}, the best {which}, is behind."


def counted(left_out: Sequence[OpenTeacher]) -> Iterator[tuple[LeftOut, tuple[str, ...]]]:
    """The reasons for which models are left out, with their names."""
    for why in LeftOut:
        names = tuple(one.model.name for one in left_out if one.left_out is why)
        if names:
            yield why, names
