"""An existing teacher, and what a law can make of its loss."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from distillplan.errors import InputError, Word
from distillplan.fields import Real, Settled, default, not_positive, settle
from distillplan.laws.formulas import SupervisedLaw
from distillplan.laws.law_catalog import DEFAULT_LAW
from distillplan.laws.loss_units import LEAST_NATS, LossUnit
from distillplan.laws.provenance import PublishedLaw
from distillplan.models.known_model import KnownModel, sized
from distillplan.models.model_sizes import check_pair, check_params
from distillplan.units.quantities import format_count

if TYPE_CHECKING:
    from distillplan.models.shapes import ModelShape


GOLDEN: Final = (math.sqrt(5) - 1) / 2
COVERED: Final = 0.9
"""Share of the drawn laws in which a mixture's loss is in its range: what a band covers."""


@dataclass(frozen=True, kw_only=True)
class Teacher:
    """An existing teacher: its measured loss, or the sizes from which the law predicts it.

    Raises:
        InputError: when a number is not positive, or there are too few of them.
    """

    params: Settled[float | None, Real | None] = default(None)
    """Non-embedding parameters; needed where the budget pays for its forward passes."""
    tokens: Settled[float | None, Real | None] = default(None)
    """Training tokens."""
    loss: Settled[float | None, Real | None] = default(None)
    """Measured cross-entropy on the student's corpus and tokenizer, nats per token."""
    model: KnownModel | None = None
    """The model with these parameters, where it was named; its exact shape sets its costs."""

    def __post_init__(self) -> None:
        """Refuse what says too little, or no number."""
        settle(self, "teacher.")
        if self.model is not None and not isinstance(self.model, KnownModel):
            raise InputError(
                Word("teacher.model"),
                f": expected KnownModel, got {self.model!r:.40}; a name is a teacher by itself",
            )
        if self.model is not None and self.params is None:
            object.__setattr__(self, "params", self.model.params)
        if self.model is not None and self.params != self.model.params:
            object.__setattr__(self, "model", None)  # replaced by another size
        for name in ("params", "tokens", "loss"):
            if (error := not_positive(getattr(self, name), Word(f"teacher.{name}"))) is not None:
                raise error
        if self.params is not None and self.tokens is not None:
            check_pair(self.params, self.tokens, Word("teacher"))
        elif self.params is not None:
            check_params(self.params, Word("teacher.params"))
        if self.loss is None and (self.params is None or self.tokens is None):
            raise self._unknown_loss()

    def _unknown_loss(self) -> InputError:
        """The error of a teacher without a loss and without what the law predicts it from."""
        teacher = Word("teacher")
        if self.params is None:
            return InputError(teacher, ": give its parameters and tokens, or its loss")
        if self.model is not None:
            return InputError(
                teacher,
                f": the training tokens of {self.model.name} are not in the catalog; add them "
                f"after a colon ({self.model.word}:TOKENS) or its measured loss, ",
                Word("teacher.loss"),
            )
        return InputError(
            teacher,
            f": {format_count(self.params)} parameters alone do not say how good it is; add its "
            "tokens (7B:2T) or its measured loss",
        )

    @property
    def law_params(self) -> float | None:
        """Parameters for a law of dense models; None where none are given."""
        return self.params if self.model is None else self.model.law_params

    @property
    def is_unplaced(self) -> bool:
        """Whether it is a mixture of experts whose loss nobody measured: laws know dense models."""
        return self.loss is None and self.model is not None and self.model.is_mixture

    @property
    def sizes_taken(self) -> tuple[float, float]:
        """Parameters of the dense models between which it is: its active ones, and all."""
        if self.model is None:
            raise ValueError("a size alone is that of one dense model")
        return self.model.params, self.model.all_params

    @property
    def shape(self) -> "ModelShape | None":
        """Its exact shape; None where it is not known."""
        return None if self.model is None else self.model.shape


def teacher_named(text: str, loss: Real | None = None) -> Teacher:
    """The teacher of a word such as ``7B:2T`` or ``llama-3.1-8b``.

    Args:
        text: as written.
        loss: as measured, nats per token; None: the law's.

    Raises:
        InputError: for an unknown name, or where its tokens are neither given nor published, and no
            loss is.

    >>> teacher_named("llama-3.1-8b").tokens
    15000000000000.0
    """
    found = sized(text, "teacher")
    return Teacher(params=found.params, tokens=found.tokens, loss=loss, model=found.model)


def no_distillation(law: PublishedLaw, *, without: Word | None = None) -> InputError:
    """The error of a law that is asked about a teacher and knows none.

    Args:
        law: that was asked.
        without: the key that asks for one; None where the whole question does.
    """
    other = f"use a distillation law such as {DEFAULT_LAW}"
    told = f": {law.name} says nothing about distillation; "
    if without is None:
        return InputError(Word("law"), told + other)
    return InputError(Word("law"), f"{told}leave out ", without, f", or {other}")


def demand_distillation(law: PublishedLaw) -> None:
    """Refuse a law that knows no teachers, where a question is about them.

    Raises:
        InputError: naming the law.
    """
    if law.distillation is None:
        raise no_distillation(law)


def loss_by(teacher: Teacher, law: SupervisedLaw) -> Any:
    """The loss of a teacher: measured, or what a law gives its sizes, nats per token.

    Laws of dense models do not place a mixture of experts. Of many drawn laws each takes it for a
    dense model of another size, evenly in logarithms around the middle, so that in 90% of them it
    is one between its active and all of its parameters.

    Args:
        teacher: with a loss, or with parameters and tokens.
        law: whose letters are numbers, or arrays of shape (draws,).
    """
    if teacher.loss is not None:
        return teacher.loss
    if teacher.law_params is None or teacher.tokens is None:
        raise ValueError("a teacher without a loss has sizes")
    n, d, draws = math.log(teacher.law_params), math.log(teacher.tokens), np.size(law.E)
    if draws == 1 or not teacher.is_unplaced:
        return law.loss_at_logs(n, d)
    # multiples of the golden ratio fill the interval evenly, whatever the order of the draws
    even = np.mod((np.arange(draws) + 0.5) * GOLDEN, 1.0).reshape(np.shape(law.E))
    least, most = teacher.sizes_taken
    return law.loss_at_logs(n + (even - 0.5) / COVERED * math.log(most / least), d)


def loss_range(teacher: Teacher | None, law: SupervisedLaw) -> tuple[float, float] | None:
    """Between which losses a mixture of experts is, nats per token; None for other teachers."""
    if teacher is None or not teacher.is_unplaced or teacher.tokens is None:
        return None
    least, most = teacher.sizes_taken
    return law.loss(most, teacher.tokens), law.loss(least, teacher.tokens)


def _too_low(law: PublishedLaw) -> str:
    """What a teacher's loss is, that the law cannot place."""
    floor = law.supervised.E
    if law.least_teacher_loss == floor:
        return f"at or below {floor:g}, the least any model can reach under {law.name}"
    lowest, _ = law.valid["teacher_loss"]
    return (
        f"below {lowest:g}, that of the best teacher behind {law.name}, which without a teacher "
        f"has no model below {floor:g}"
    )


def _unit_of(law: PublishedLaw) -> tuple[str | Word, ...]:
    """What to add for a loss in the unit of the law's runs; nothing where that is nats."""
    unit = law.measured_in
    said = (", or its unit as in the law's runs: ", Word("teacher.loss_unit", unit.value))
    return () if unit is LossUnit.NATS else said


def check_teacher_loss(law: PublishedLaw, loss: float, vocab: float) -> None:
    """Refuse the loss of a teacher that the law cannot place.

    Args:
        law: that it is to be on the scale of.
        loss: nats per token.
        vocab: number of tokens to guess from.

    Raises:
        InputError: when it is no positive number, less than any model has, at or below the law's
            floor, or no better than guessing.
    """
    floor = law.least_teacher_loss
    if math.isfinite(loss) and floor < loss < LEAST_NATS:  # a law may have no floor
        raise InputError(
            Word("teacher.loss"),
            f": {loss:g} nats is less than any model has; give nats per token, {LEAST_NATS:g} or "
            "more",
        )
    if not (math.isfinite(loss) and loss > floor):
        raise InputError(
            Word("teacher.loss"),
            f": {loss:g} nats is {_too_low(law)}; give nats per token on the law's scale",
            *_unit_of(law),
            also=("law",),
        )
    if loss >= math.log(vocab):
        raise InputError(
            Word("teacher.loss"),
            f": {loss:g} nats is no better than guessing among {vocab:,.0f} tokens "
            f"({math.log(vocab):.2f} nats); give nats per token on the law's scale",
            also=("architecture.vocab",),
        )
